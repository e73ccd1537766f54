package training

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"sort"

	"foresight/inference/artifact"
	"foresight/inference/evaluate"
)

// ReportFile is the name of the report beside the artifact's files. It is no part of
// the bundle.
const ReportFile = "report.json"

// Report is what a trainer tells of a model besides its manifest, to judge a run by.
type Report struct {
	// Metrics by name, by split: accuracy, balanced_accuracy, f1 (macro, or of the second
	// class), log_loss, calibration_error, false_alarm_rate, auc_roc and auc_pr (of several
	// classes: the mean of each against the others), and of binary models precision and recall
	// at the threshold 0.3. What has no denominator is absent. See Warn for further ones.
	Metrics map[string]map[string]float64 `json:"metrics"`
	// Importance by feature, the largest gain first; features without a split are absent.
	Importance []Importance `json:"importance"`
	// Reliability on the test split: of the most probable class, or of the second of two.
	Reliability []artifact.ReliabilityBin `json:"reliability"`
}

// Importance says how much a model leans on a feature.
type Importance struct {
	Feature string  `json:"feature"`
	Gain    float64 `json:"gain"`   // mean loss reduction of its splits
	Weight  float64 `json:"weight"` // number of its splits
	Cover   float64 `json:"cover"`  // mean hessian of the rows that they part
}

// Judge adds the metrics of a split, from the margins of a finished model (row-major).
func (r *Report) Judge(m *artifact.Manifest, split Split, margins []float32, p *Part) {
	classes := len(m.Classes)
	probability := calibrated(m, margins)
	all := Evaluate(probability, p.Labels, m.Classes)
	out := map[string]float64{}
	set := func(name string, v float64) {
		if !math.IsNaN(v) && !math.IsInf(v, 0) {
			out[name] = v
		}
	}
	set("accuracy", all.Accuracy)
	set("balanced_accuracy", all.BalancedAccuracy)
	set("log_loss", all.LogLoss)
	set("calibration_error", all.CalibrationError)
	set("false_alarm_rate", all.FalseAlarmRate)
	if m.Objective == artifact.Logistic {
		b := judgeBinary(probability, p.Labels)
		set("precision", b.Precision)
		set("recall", b.Recall)
		set("f1", b.F1)
	} else {
		set("f1", all.MacroF1)
	}
	roc, pr := areas(probability, p.Labels, classes)
	set("auc_roc", roc)
	set("auc_pr", pr)
	if r.Metrics == nil {
		r.Metrics = map[string]map[string]float64{}
	}
	r.Metrics[split.String()] = out
	if split == Test {
		r.Reliability = reliability(probability, p.Labels, classes)
	}
}

// calibrated are the probabilities that the model will say, row-major.
func calibrated(m *artifact.Manifest, margins []float32) []float64 {
	if m.Calibration == nil {
		return Probabilities(margins, len(m.Classes), m.Outputs(), m.Temperature)
	}
	p := make([]float64, 0, 2*len(margins))
	for _, v := range margins {
		q, _, _ := m.Calibration.At(float64(v))
		p = append(p, 1-q, q)
	}
	return p
}

// areas are the means over the classes that have rows, each against the others; of two
// classes it is that of the second.
func areas(p []float64, labels []int, classes int) (roc, pr float64) {
	score, positive := make([]float64, len(labels)), make([]bool, len(labels))
	n := 0.0
	first := 0
	if classes == 2 {
		first = 1
	}
	for k := first; k < classes; k++ {
		hits := 0
		for i, l := range labels {
			score[i], positive[i] = p[i*classes+k], l == k
			if l == k {
				hits++
			}
		}
		if hits == 0 || hits == len(labels) {
			continue
		}
		n++
		roc += evaluate.ROCAUC(score, positive)
		pr += evaluate.PRAUC(score, positive)
	}
	return min(1, roc/n), min(1, pr/n) // sums of shares may come to a little more
}

func reliability(p []float64, labels []int, classes int) (out []artifact.ReliabilityBin) {
	score, right := make([]float64, len(labels)), make([]bool, len(labels))
	for i, l := range labels {
		best := 1
		if classes > 2 {
			best = 0
			for k := range classes {
				if p[i*classes+k] > p[i*classes+best] {
					best = k
				}
			}
		}
		score[i], right[i] = p[i*classes+best], l == best
	}
	for _, b := range evaluate.Calibration(score, right, 10) {
		out = append(out, artifact.ReliabilityBin{Rows: b.Rows, Predicted: told(b.Predicted), Observed: told(b.Observed)})
	}
	return out
}

// FeatureImportance sums up the splits of a model in XGBoost's JSON format.
func FeatureImportance(model []byte, features []string) ([]Importance, error) {
	var m struct {
		Learner struct {
			Booster struct {
				Model struct {
					Trees []struct {
						Left     []int     `json:"left_children"`
						Features []int     `json:"split_indices"`
						Gains    []float64 `json:"loss_changes"`
						Covers   []float64 `json:"sum_hessian"`
					} `json:"trees"`
				} `json:"model"`
			} `json:"gradient_booster"`
		} `json:"learner"`
	}
	if err := json.Unmarshal(model, &m); err != nil {
		return nil, fmt.Errorf("training: %w", err)
	}
	sums := make([]Importance, len(features))
	for _, t := range m.Learner.Booster.Model.Trees {
		for i, left := range t.Left {
			if left < 0 {
				continue
			}
			if i >= len(t.Features) || i >= len(t.Gains) || i >= len(t.Covers) || t.Features[i] < 0 || t.Features[i] >= len(features) {
				return nil, fmt.Errorf("training: node %d of a tree does not fit %d features", i, len(features))
			}
			s := &sums[t.Features[i]]
			s.Weight++
			s.Gain += t.Gains[i]
			s.Cover += t.Covers[i]
		}
	}
	var out []Importance
	for f, s := range sums {
		if s.Weight > 0 {
			out = append(out, Importance{features[f], s.Gain / s.Weight, s.Weight, s.Cover / s.Weight})
		}
	}
	sort.SliceStable(out, func(a, b int) bool { return out[a].Gain > out[b].Gain })
	return out, nil
}

// Write puts the report into an artifact's folder.
func (r *Report) Write(dir string) error {
	raw, err := json.Marshal(r)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, ReportFile), raw, 0o644)
}

// ReadReport reads the report of an artifact's folder.
func ReadReport(dir string) (*Report, error) {
	raw, err := os.ReadFile(filepath.Join(dir, ReportFile))
	if err != nil {
		return nil, err
	}
	r := &Report{}
	if err := json.Unmarshal(raw, r); err != nil {
		return nil, fmt.Errorf("training: %s: %w", ReportFile, err)
	}
	return r, nil
}
