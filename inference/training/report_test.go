package training

import (
	"math"
	"testing"

	"foresight/inference/artifact"
)

func TestFeatureImportanceByHand(t *testing.T) {
	// Two trees: a root on feature 1 with a split on 0 below it, and a root on 1.
	model := []byte(`{"learner":{"gradient_booster":{"model":{"trees":[
		{"left_children":[1,3,-1,-1,-1],"split_indices":[1,0,0,0,0],"loss_changes":[8,2,0,0,0],"sum_hessian":[10,4,6,1,3]},
		{"left_children":[1,-1,-1],"split_indices":[1,0,0],"loss_changes":[4,0,0],"sum_hessian":[6,3,3]}]}}}}`)
	got, err := FeatureImportance(model, []string{"a", "b", "c"})
	if err != nil || len(got) != 2 || got[0] != (Importance{"b", 6, 2, 8}) || got[1] != (Importance{"a", 2, 1, 4}) {
		t.Errorf("%+v, %v", got, err)
	}
	for name, bad := range map[string]string{"no JSON": `x`,
		"a feature too many": `{"learner":{"gradient_booster":{"model":{"trees":[{"left_children":[1,-1,-1],"split_indices":[7,0,0],"loss_changes":[4,0,0],"sum_hessian":[6,3,3]}]}}}}`,
		"short lists":        `{"learner":{"gradient_booster":{"model":{"trees":[{"left_children":[1,-1,-1],"split_indices":[0]}]}}}}`} {
		if _, err := FeatureImportance([]byte(bad), []string{"a"}); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestReportByHand(t *testing.T) {
	m := &artifact.Manifest{Objective: artifact.Softprob, Classes: []string{"a", "b", "c"}, Temperature: 1}
	ln := func(p ...float64) (out []float32) {
		for _, v := range p {
			out = append(out, float32(math.Log(v)))
		}
		return out
	}
	margins := append(append(ln(0.8, 0.1, 0.1), ln(0.2, 0.7, 0.1)...), append(ln(0.1, 0.8, 0.1), ln(0.1, 0.1, 0.8)...)...)
	var r Report
	r.Judge(m, Validation, margins, &Part{Labels: []int{0, 0, 1, 2}})
	if len(r.Reliability) != 0 {
		t.Error("a calibration curve of another split than the test")
	}
	r.Judge(m, Test, margins, &Part{Labels: []int{0, 0, 1, 2}})
	got := r.Metrics["test"]
	// Each class is ranked right against the others.
	for name, want := range map[string]float64{"accuracy": 0.75, "auc_roc": 1, "auc_pr": 1, "f1": (2.0/3 + 2.0/3 + 1) / 3, "false_alarm_rate": 0.5} {
		if v := got[name]; math.Abs(v-want) > 1e-9 {
			t.Errorf("%s %v, want %v", name, v, want)
		}
	}
	rows := 0
	for _, b := range r.Reliability {
		rows += b.Rows
	}
	if rows != 4 || len(r.Reliability) != 10 || r.Reliability[8].Rows+r.Reliability[7].Rows+r.Reliability[6].Rows != 4 {
		t.Errorf("calibration curve %+v", r.Reliability)
	}
	dir := t.TempDir()
	if err := r.Write(dir); err != nil {
		t.Fatal(err)
	}
	back, err := ReadReport(dir)
	if err != nil || back.Metrics["test"]["accuracy"] != 0.75 {
		t.Errorf("%+v, %v", back, err)
	}
	// One class only: areas have no denominator, and are absent.
	r.Judge(m, Train, margins[:3], &Part{Labels: []int{0}})
	if _, there := r.Metrics["train"]["auc_roc"]; there {
		t.Error("an area without a second class")
	}
}
