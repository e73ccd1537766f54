package evaluate

import (
	"math"
	"testing"
	"time"
)

func near(t *testing.T, what string, got, want float64) {
	t.Helper()
	if math.IsNaN(want) != math.IsNaN(got) || math.Abs(got-want) > 1e-12 {
		t.Errorf("%s = %v, want %v", what, got, want)
	}
}

// Five positives and five negatives by hand; two of them tie at 0.6.
var (
	scores    = []float64{0.9, 0.8, 0.7, 0.6, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1}
	positives = []bool{true, true, false, true, false, false, true, false, true, false}
)

func TestAreas(t *testing.T) {
	// Pairs won: 0.9 5, 0.8 5, 0.6 3 and half a tie, 0.4 2, 0.2 1: 16.5 of 25.
	near(t, "ROC-AUC", ROCAUC(scores, positives), 16.5/25)
	// Steps of recall 1/5: at 1/1, 2/2, (with the tie) 3/5, 4/7, 5/9.
	near(t, "PR-AUC", PRAUC(scores, positives), (1+1+3.0/5+4.0/7+5.0/9)/5)
	flat := make([]float64, 10)
	near(t, "ROC-AUC without skill", ROCAUC(flat, positives), 0.5)
	near(t, "PR-AUC without skill", PRAUC(flat, positives), 0.5)
	near(t, "ROC-AUC of negatives", ROCAUC(scores[:2], []bool{false, false}), math.NaN())
	near(t, "PR-AUC of negatives", PRAUC(scores[:2], []bool{false, false}), math.NaN())
}

func TestThreshold(t *testing.T) {
	c := At(0.6, scores, positives)
	if c.TruePositive != 3 || c.FalsePositive != 2 || c.TrueNegative != 3 || c.FalseNegative != 2 {
		t.Errorf("counts %+v", c)
	}
	near(t, "precision", c.Precision(), 3.0/5)
	near(t, "recall", c.Recall(), 3.0/5)
	near(t, "F1", c.F1(), 3.0/5)
	near(t, "FPR", c.FPR(), 2.0/5)
	near(t, "FNR", c.FNR(), 2.0/5)
	near(t, "accuracy", c.Accuracy(), 6.0/10)
	near(t, "precision of nothing", At(2, scores, positives).Precision(), math.NaN())
	// F1 with k named: 2/6, 4/7, 4/8, 6/10, 6/11, 8/12, 8/13, 10/14, 10/15.
	threshold, f1 := BestF1(scores, positives)
	near(t, "best threshold", threshold, 0.2)
	near(t, "best F1", f1, 10.0/14)
}

func TestReliability(t *testing.T) {
	p := []float64{0.1, 0.2, 0.3, 0.6, 0.8, 1}
	y := []bool{false, false, true, true, false, true}
	bins := Calibration(p, y, 2)
	near(t, "mean of the lower bin", bins[0].Predicted, 0.2)
	near(t, "share in the lower bin", bins[0].Observed, 1.0/3)
	near(t, "mean of the upper bin", bins[1].Predicted, 0.8)
	near(t, "share in the upper bin", bins[1].Observed, 2.0/3)
	near(t, "ECE", ECE(bins), (3*(1.0/3-0.2)+3*(0.8-2.0/3))/6)
	near(t, "Brier", Brier(p, y), (0.01+0.04+0.49+0.16+0.64+0)/6)
	near(t, "log loss", LogLoss(p[:5], y[:5]), -(math.Log(0.9)+math.Log(0.8)+math.Log(0.3)+math.Log(0.6)+math.Log(0.2))/5)
	if v := LogLoss([]float64{1}, []bool{false}); math.IsInf(v, 0) {
		t.Error("one wrong certainty is the end of the world")
	}
	if b := Calibration(p, y, 20)[3]; b.Rows != 0 || b.Predicted == b.Predicted {
		t.Errorf("an empty bin says %+v", b)
	}
}

func TestJudge(t *testing.T) {
	p := []float64{0.8, 0.1, 0.1, 0.2, 0.7, 0.1, 0.1, 0.8, 0.1, 0.5, 0.3, 0.2, 0.1, 0.1, 0.8}
	c := Judge(p, []int{0, 0, 1, 1, 2}, 3)
	near(t, "accuracy", c.Accuracy, 0.6)
	near(t, "balanced accuracy", c.Balanced, 2.0/3)
	near(t, "macro F1", c.MacroF1, (0.5+0.5+1)/3)
	near(t, "false alarms", c.FalseAlarm, 0.5)
	near(t, "precision of the second", c.PerClass[1].Precision, 0.5)
	near(t, "log loss", c.LogLoss, -(math.Log(0.8)+math.Log(0.2)+math.Log(0.8)+math.Log(0.3)+math.Log(0.8))/5)
	s := LabelSets(p, []int{0, 0, 1, 1, 2}, 3, 0.3)
	near(t, "coverage", s.Coverage, 4.0/5)
	near(t, "size", s.Size, 6.0/5)
	near(t, "coverage of the first", s.PerClass[0], 0.5)
	near(t, "empty", LabelSets(p, []int{0, 0, 1, 1, 2}, 3, 0.75).Empty, 2.0/5)
}

func TestWarnings(t *testing.T) {
	day := func(n float64) time.Time {
		return time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(n * 24 * float64(time.Hour)))
	}
	var rows []Scored
	// Asset 1 fails on day 20. Warned on days 3 and 4 (too early for the horizon of 7:
	// a false alarm), then from day 12 on without a break.
	for d := range 20 {
		s := Scored{Asset: 1, At: day(float64(d)), Failure: day(20), Score: 0.1}
		if d == 3 || d == 4 || d >= 12 {
			s.Score = 0.5
		}
		rows = append(rows, s)
	}
	// Asset 2 fails on day 15, unheard; after the repair one false alarm.
	for d := range 30 {
		s := Scored{Asset: 2, At: day(float64(d)), Failure: day(15), Score: 0.2}
		if d >= 15 {
			s.Failure = time.Time{}
		}
		if d == 22 || d == 23 {
			s.Score = 0.3
		}
		rows = append(rows, s)
	}
	rows[0], rows[45] = rows[45], rows[0] // any order
	w := Warn(rows, 0.3, 7*24*time.Hour, 36*time.Hour)
	if w.Failures != 2 || w.Warned != 1 || w.FalseAlarms != 2 {
		t.Errorf("%+v", w)
	}
	near(t, "lead", w.MedianLead(), 8)
	near(t, "months", w.AssetMonths, (19+14+14)/30.44)
	near(t, "false alarms per month", w.FalseAlarmRate(), 2/((19+14+14)/30.44))
}

// The watched time of a fleet is longer than a time.Duration.
func TestAFleetIsWatchedForCenturies(t *testing.T) {
	var rows []Scored
	from := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for asset := range 400 {
		rows = append(rows, Scored{Asset: asset, At: from}, Scored{Asset: asset, At: from.AddDate(1, 0, 0)})
	}
	w := Warn(rows, 0.3, 7*24*time.Hour, 366*24*time.Hour)
	near(t, "months", w.AssetMonths, 400*365/30.44)
}

func TestQuantile(t *testing.T) {
	x := []float64{1, 2, 4, 8}
	for q, want := range map[float64]float64{0: 1, 0.5: 3, 1: 8, 0.25: 1.75} {
		near(t, "quantile", Quantile(x, q), want)
	}
	near(t, "quantile of nothing", Quantile(nil, 0.5), math.NaN())
}
