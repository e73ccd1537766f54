package training

import (
	"bytes"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"foresight/inference/artifact"
)

var header = Header{Rows: 4, Features: []string{"a", "b"}, FeatureSchemaHash: "h", Classes: []string{"normal", "x"}}

func rows() []Row {
	nan := float32(math.NaN())
	return []Row{
		{X: []float32{1, 2}, Label: 0, Weight: 1, Split: Train, Group: 1},
		{X: []float32{3, nan}, Label: 1, Weight: 2.5, Split: Train, Group: 2},
		{X: []float32{5, 6}, Label: 1, Weight: 1, Split: Validation, Group: 3},
		{X: []float32{7, 8}, Label: 0, Weight: 1, Split: Test, Group: 4},
	}
}

func encode(t *testing.T, h Header, rows []Row) ([]byte, string) {
	t.Helper()
	var b bytes.Buffer
	w, err := NewWriter(&b, h)
	if err != nil {
		t.Fatal(err)
	}
	for i := range rows {
		if err := w.Write(&rows[i]); err != nil {
			t.Fatal(err)
		}
	}
	hash, err := w.Close()
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes(), hash
}

func TestDatasetRoundTrip(t *testing.T) {
	raw, hash := encode(t, header, rows())
	path := filepath.Join(t.TempDir(), "d")
	if err := os.WriteFile(path, raw, 0o600); err != nil {
		t.Fatal(err)
	}
	d, err := Load(path)
	if err != nil {
		t.Fatal(err)
	}
	p := &d.Parts[Train]
	if d.Hash != hash || p.Rows() != 2 || p.Groups != 2 || p.X[2] != 3 || p.X[3] == p.X[3] || p.Weights[1] != 2.5 || p.Labels[1] != 1 {
		t.Errorf("read %+v", d)
	}
	if d.Parts[Validation].Rows() != 1 || d.Parts[Test].X[1] != 8 {
		t.Errorf("other parts %+v", d.Parts)
	}
}

func TestDatasetRefuses(t *testing.T) {
	raw, _ := encode(t, header, rows())
	leak := rows()
	leak[3].Group = 1 // a machine of the training split in the test split
	leaking, _ := encode(t, header, leak)
	for _, c := range []struct {
		name, reason string
		raw          []byte
	}{
		{"no dataset", "no dataset", []byte("PK")},
		{"a short file", "row 3", raw[:len(raw)-1]},
		{"a long file", "after the last row", append(append([]byte{}, raw...), 0)},
		{"a machine in two splits", "machine 1", leaking},
		{"a header of gigabytes", "header of", append([]byte(magic), 0xff, 0xff, 0xff, 0xff)},
	} {
		if _, err := Read(bytes.NewReader(c.raw)); err == nil || !strings.Contains(err.Error(), c.reason) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	w, err := NewWriter(&bytes.Buffer{}, header)
	if err != nil {
		t.Fatal(err)
	}
	for name, r := range map[string]Row{
		"too few features": {X: []float32{1}, Weight: 1}, "an unknown label": {X: []float32{1, 2}, Label: 2, Weight: 1},
		"no weight": {X: []float32{1, 2}}, "an unknown split": {X: []float32{1, 2}, Weight: 1, Split: splits},
	} {
		if w.Write(&r) == nil {
			t.Errorf("a row with %s was written", name)
		}
	}
	if _, err := w.Close(); err == nil {
		t.Error("closed without its rows")
	}
}

func TestRequestDefaultsAndLimits(t *testing.T) {
	r := Request{Dataset: "d", Out: "o", Objective: artifact.Logistic}
	if err := r.Check(); err != nil {
		t.Fatal(err)
	}
	if r.Rounds != 300 || r.Depth != 6 || r.Eta != 0.05 || r.Subsample != 0.8 || r.Colsample != 0.8 || r.MinChildWeight != 3 || r.Metric != "aucpr" {
		t.Errorf("defaults %+v", r)
	}
	for name, change := range map[string]func(*Request){
		"no dataset": func(r *Request) { r.Dataset = "" }, "unknown objective": func(r *Request) { r.Objective = "reg:squarederror" },
		"a forest of rounds": func(r *Request) { r.Rounds = 1e6 }, "too deep": func(r *Request) { r.Depth = 17 },
	} {
		bad := Request{Dataset: "d", Out: "o", Objective: artifact.Softprob}
		change(&bad)
		if bad.Check() == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// Margins that are twice too sure are calibrated by temperature 2.
func TestFitTemperatureFindsIt(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	const n, classes = 20000, 3
	var margins []float32
	labels := make([]int, n)
	for i := range labels {
		m := []float32{float32(r.NormFloat64()), float32(r.NormFloat64()), float32(r.NormFloat64())}
		u := r.Float64()
		for k, p := range Probabilities(m, classes, classes, 1) {
			labels[i] = k
			if u -= p; u < 0 {
				break
			}
		}
		for _, v := range m {
			margins = append(margins, 2*v)
		}
	}
	if got := FitTemperature(margins, labels, classes, classes); math.Abs(got-2) > 0.1 {
		t.Errorf("temperature %v, want about 2", got)
	}
}

func TestProbabilitiesOfABinaryModel(t *testing.T) {
	p := Probabilities([]float32{0, 2}, 2, 1, 2)
	for i, want := range []float64{0.5, 0.5, 1 / (1 + math.E), math.E / (1 + math.E)} {
		if math.Abs(p[i]-want) > 1e-12 {
			t.Errorf("p[%d] = %v, want %v", i, p[i], want)
		}
	}
}

func TestEvaluate(t *testing.T) {
	p := []float64{ // three classes, five rows
		0.8, 0.1, 0.1,
		0.2, 0.7, 0.1, // healthy, named b
		0.1, 0.8, 0.1,
		0.5, 0.3, 0.2, // b, named a
		0.1, 0.1, 0.8,
	}
	m := Evaluate(p, []int{0, 0, 1, 1, 2}, []string{"a", "b", "c"})
	for name, c := range map[string][2]float64{
		"accuracy": {m.Accuracy, 0.6}, "balanced accuracy": {m.BalancedAccuracy, 2.0 / 3}, "false alarms": {m.FalseAlarmRate, 0.5},
		"top 3": {m.Top3Accuracy, 1}, "precision of b": {m.PerClass[1].Precision, 0.5}, "F1 of c": {m.PerClass[2].F1, 1}, "macro F1": {m.MacroF1, 2.0 / 3},
		"log loss":          {m.LogLoss, -(math.Log(0.8) + math.Log(0.2) + math.Log(0.8) + math.Log(0.3) + math.Log(0.8)) / 5},
		"calibration error": {m.CalibrationError, (math.Abs(2.4-3) + 0.7 + 0.5) / 5},
	} {
		if math.Abs(c[0]-c[1]) > 1e-12 {
			t.Errorf("%s = %v, want %v", name, c[0], c[1])
		}
	}
	if m.Confusion[0][1] != 1 || m.Confusion[1][0] != 1 || m.Confusion[2][2] != 1 {
		t.Errorf("confusion %v", m.Confusion)
	}
}

func TestFitOutliersFlagsOneInTwoHundred(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	draw := func(n int) (x []float32) {
		for range n {
			common := r.NormFloat64()
			x = append(x, float32(common), float32(common+r.NormFloat64()), float32(math.NaN()))
		}
		return x
	}
	o := FitOutliers(draw(5000), draw(5000), 3)
	if o.MaxMissing != 1 || o.FalseShare > 0.006 || o.FalseShare < 0.002 {
		t.Errorf("%d missing, %v beyond", o.MaxMissing, o.FalseShare)
	}
	if o.Outside([]float32{0, 0, float32(math.NaN())}) || !o.Outside([]float32{50, 50, float32(math.NaN())}) || !o.Outside([]float32{0, 0, 1}) {
		t.Error("the middle is outside, or the far is inside")
	}
}
