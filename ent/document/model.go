package document

import (
	"encoding/json"
	"math"
)

// Features are those of one row, in the order of a model's feature list. In JSON a
// missing one (NaN) is null.
type Features []float32

// MarshalJSON implements json.Marshaler.
func (f Features) MarshalJSON() ([]byte, error) {
	if f == nil {
		return []byte("null"), nil
	}
	out := make([]*float32, len(f))
	for i := range f {
		if !math.IsNaN(float64(f[i])) {
			out[i] = &f[i]
		}
	}
	return json.Marshal(out)
}

// UnmarshalJSON implements json.Unmarshaler.
func (f *Features) UnmarshalJSON(b []byte) error {
	var in []*float32
	if err := json.Unmarshal(b, &in); err != nil {
		return err
	}
	if in == nil {
		*f = nil
		return nil
	}
	*f = make(Features, len(in))
	for i, v := range in {
		(*f)[i] = float32(math.NaN())
		if v != nil {
			(*f)[i] = *v
		}
	}
	return nil
}

// ModelCard is what an artifact says of itself.
type ModelCard struct {
	Bytes int64 `json:"bytes"` // of the artifact
	// XGBoost is the version that trained it, empty when that is not known.
	XGBoost  string        `json:"xgboost,omitempty"`
	Boosters []BoosterCard `json:"boosters"`
}

// BoosterCard is one booster of an artifact.
type BoosterCard struct {
	// HorizonDays is how far ahead a failure predictor looks; 0 for other kinds.
	HorizonDays int `json:"horizon_days,omitempty"`
	Features    int `json:"features"`
	Rounds      int `json:"rounds,omitempty"` // of boosting; 0: not known
	// Temperature divides the margins of a classifier before the softmax; 1 leaves them.
	Temperature float64 `json:"temperature"`
	// Calibration is the method that turns the margins of a binary model into
	// probabilities, empty for none.
	Calibration string `json:"calibration,omitempty"`
	// Coverage lists the nominal coverages, 0-1, of its conformal label sets.
	Coverage []float64 `json:"coverage,omitempty"`
	// Guarded says that windows unlike the training are told apart.
	Guarded bool `json:"guarded"`
	// GoldenRows are reproduced before the model serves; GoldenBy says who computed their
	// margins.
	GoldenRows int    `json:"golden_rows"`
	GoldenBy   string `json:"golden_by"`
}
