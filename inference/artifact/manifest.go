// Package artifact is the trained model as it is stored and moved: one zip file,
// named by the SHA-256 of its bytes, that holds
//
//	manifest.json  what the model is, how it was made and how good it is
//	model.bin      XGBoost's deprecated binary format, which leaves reads
//	model.json     XGBoost's JSON format, for explanations and for XGBoost itself
//	golden.json    rows with XGBoost's own margins, which the server must reproduce
//
// Open reads such a file from anywhere: sizes are checked before anything is read,
// and what is not understood is refused.
package artifact

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math"
)

// FormatVersion is the version of the layout.
const FormatVersion = 1

// The kinds of models.
const (
	FaultClassifier  = "fault_classifier"
	FailurePredictor = "failure_predictor"
)

// The objectives that can be served.
const (
	Softprob = "multi:softprob"
	Logistic = "binary:logistic"
)

// Manifest says what the model is.
type Manifest struct {
	Format            int      `json:"format"`
	Kind              string   `json:"kind"`
	Version           string   `json:"version"` // semantic version, without the kind
	Objective         string   `json:"objective"`
	Classes           []string `json:"classes"` // in the order of the model's outputs
	Features          int      `json:"features"`
	FeatureSchemaHash string   `json:"feature_schema_hash"`
	// Temperature divides the margins before the softmax (the sigmoid), > 0; it
	// calibrates the probabilities and leaves the order of the classes.
	Temperature float64   `json:"temperature"`
	Outliers    *Outliers `json:"outliers,omitempty"`
	// Reference is how the training rows lay, for the detection of drift; nil of models
	// that were not trained here.
	Reference *Reference `json:"reference,omitempty"`
	// Calibration, of a binary model, replaces the temperature.
	Calibration *Calibration `json:"calibration,omitempty"`
	// Conformal, of a classifier, speaks of probabilities at the temperature.
	Conformal *Conformal `json:"conformal,omitempty"`
	Training  Training   `json:"training"`
	Metrics   Metrics    `json:"metrics"` // on machines held out from training and calibration
}

// Outliers is the guard against windows unlike all training: per feature the range
// between two quantiles of the training rows, and the score above which a window is
// out of distribution. A feature outside its range adds 1 and its distance from
// the range in widths of the range, at most 4; a missing feature adds nothing, but
// more than MaxMissing of them are out of distribution by themselves.
type Outliers struct {
	Quantile   float64 `json:"quantile"` // of the lower end; the upper is 1-Quantile
	Low        Floats  `json:"low"`
	High       Floats  `json:"high"`
	Limit      float64 `json:"limit"`
	MaxMissing int     `json:"max_missing"`
	// FalseShare is the share of held-out machines' windows beyond the limit, 0-1.
	FalseShare float64 `json:"false_share"`
}

// Training says how to make the model again.
type Training struct {
	XGBoost     string         `json:"xgboost"`
	Parameters  map[string]any `json:"parameters"`
	Seed        int64          `json:"seed"`
	DatasetHash string         `json:"dataset_hash"` // SHA-256 of the dataset file
	Rows        map[string]int `json:"rows"`         // by split
	Groups      map[string]int `json:"groups"`       // machines by split
	Rounds      int            `json:"rounds"`       // kept
	Seconds     float64        `json:"seconds"`
}

// Metrics are measured at temperature Manifest.Temperature.
type Metrics struct {
	Rows             int           `json:"rows"`
	Accuracy         float64       `json:"accuracy"`
	BalancedAccuracy float64       `json:"balanced_accuracy"` // mean recall of the classes
	MacroF1          float64       `json:"macro_f1"`
	LogLoss          float64       `json:"log_loss"` // nats
	Top3Accuracy     float64       `json:"top3_accuracy"`
	FalseAlarmRate   float64       `json:"false_alarm_rate"`  // share of rows of the first class that got another
	CalibrationError float64       `json:"calibration_error"` // expected, 15 equal bins of the top probability
	PerClass         []ClassMetric `json:"per_class"`
	Confusion        [][]int       `json:"confusion"` // [true][predicted]
	// Binary is of binary models, at their calibrated probabilities.
	Binary *BinaryMetrics `json:"binary,omitempty"`
}

// BinaryMetrics are of the second class. A share without a denominator is 0.
type BinaryMetrics struct {
	ROCAUC           float64          `json:"roc_auc"`
	PRAUC            float64          `json:"pr_auc"`    // average precision
	Threshold        float64          `json:"threshold"` // of the figures that follow
	Precision        float64          `json:"precision"`
	Recall           float64          `json:"recall"`
	F1               float64          `json:"f1"`
	FPR              float64          `json:"fpr"`
	FNR              float64          `json:"fnr"`
	TruePositives    int              `json:"true_positives"`
	FalsePositives   int              `json:"false_positives"`
	TrueNegatives    int              `json:"true_negatives"`
	FalseNegatives   int              `json:"false_negatives"`
	Brier            float64          `json:"brier"`
	CalibrationError float64          `json:"calibration_error"` // expected, over Reliability
	Reliability      []ReliabilityBin `json:"reliability"`       // 10 equal bins of the probability
}

// ReliabilityBin is one bin of the reliability diagram.
type ReliabilityBin struct {
	Rows      int     `json:"rows"`
	Predicted float64 `json:"predicted"` // mean probability
	Observed  float64 `json:"observed"`  // share of positives
}

// ClassMetric is one class's part. A share without a denominator is 0.
type ClassMetric struct {
	Class     string  `json:"class"`
	Rows      int     `json:"rows"`
	Precision float64 `json:"precision"`
	Recall    float64 `json:"recall"`
	F1        float64 `json:"f1"`
}

// Golden holds rows and the margins that XGBoost computed for them (raw margins,
// before softmax and temperature), both row-major.
type Golden struct {
	Rows    int    `json:"rows"`
	X       Floats `json:"x"`       // Rows x features
	Margins Floats `json:"margins"` // Rows x outputs
	// By is who computed the margins when it was not XGBoost, `leaves`: of a model that was
	// uploaded without golden rows.
	By string `json:"by,omitempty"`
}

// Floats is a slice of float32 that JSON holds as base64 of the little-endian
// bytes: exact, small, and open to NaN.
type Floats []float32

// MarshalJSON implements json.Marshaler.
func (f Floats) MarshalJSON() ([]byte, error) {
	b := make([]byte, 4*len(f))
	for i, v := range f {
		binary.LittleEndian.PutUint32(b[4*i:], math.Float32bits(v))
	}
	return json.Marshal(base64.StdEncoding.EncodeToString(b))
}

// UnmarshalJSON implements json.Unmarshaler.
func (f *Floats) UnmarshalJSON(data []byte) error {
	var s string
	if err := json.Unmarshal(data, &s); err != nil {
		return err
	}
	b, err := base64.StdEncoding.DecodeString(s)
	if err != nil {
		return err
	}
	if len(b)%4 != 0 {
		return errors.New("floats: length is no multiple of 4 bytes")
	}
	*f = make(Floats, len(b)/4)
	for i := range *f {
		(*f)[i] = math.Float32frombits(binary.LittleEndian.Uint32(b[4*i:]))
	}
	return nil
}

// Outputs is the number of margins per row.
func (m *Manifest) Outputs() int {
	if m.Objective == Logistic {
		return 1
	}
	return len(m.Classes)
}

// limits on what a manifest may claim.
const (
	maxFeatures = 4096
	maxClasses  = 512
)

// check refuses a manifest that contradicts itself or that cannot be served.
func (m *Manifest) check() error {
	switch {
	case m.Format != FormatVersion:
		return fmt.Errorf("artifact format %d, want %d", m.Format, FormatVersion)
	case m.Objective != Softprob && m.Objective != Logistic:
		return fmt.Errorf("objective %q is not served", m.Objective)
	case m.Features < 1 || m.Features > maxFeatures:
		return fmt.Errorf("%d features", m.Features)
	case len(m.Classes) < 2 || len(m.Classes) > maxClasses:
		return fmt.Errorf("%d classes", len(m.Classes))
	case m.Objective == Logistic && len(m.Classes) != 2:
		return fmt.Errorf("%s with %d classes", m.Objective, len(m.Classes))
	case !(m.Temperature > 0.01 && m.Temperature < 100):
		return fmt.Errorf("temperature %v", m.Temperature)
	}
	seen := make(map[string]bool, len(m.Classes))
	for _, c := range m.Classes {
		if c == "" || len(c) > 100 || seen[c] {
			return fmt.Errorf("class %.100q is empty, too long or listed twice", c)
		}
		seen[c] = true
	}
	if o := m.Outliers; o != nil && (len(o.Low) != m.Features || len(o.High) != m.Features) {
		return fmt.Errorf("outlier ranges for %d and %d of %d features", len(o.Low), len(o.High), m.Features)
	}
	if r := m.Reference; r != nil {
		if err := r.check(m.Features, len(m.Classes)); err != nil {
			return err
		}
	}
	if c := m.Calibration; c != nil {
		if m.Objective != Logistic {
			return fmt.Errorf("a calibration of %s", m.Objective)
		}
		if err := c.check(); err != nil {
			return err
		}
	}
	if c := m.Conformal; c != nil {
		if m.Objective != Softprob {
			return fmt.Errorf("label sets of %s", m.Objective)
		}
		return c.check()
	}
	return nil
}
