package booster

import (
	"bytes"
	"encoding/json"
)

// FeatureNames returns the names that training gave the features of a model in JSON, nil
// when it gave none, and for a model in binary, which keeps none. The model was read
// before: what is wrong with it otherwise is not looked at.
func FeatureNames(raw []byte) []string {
	if bytes.HasPrefix(raw, []byte(prefix)) {
		return nil
	}
	var d struct {
		Learner struct {
			Names []string `json:"feature_names"`
		} `json:"learner"`
	}
	if err := json.Unmarshal(raw, &d); err != nil {
		return nil // names of another form than XGBoost's tell nothing
	}
	return d.Learner.Names
}
