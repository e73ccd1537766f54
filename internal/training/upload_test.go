package training

import (
	"bytes"
	"errors"
	"math"
	"strings"
	"testing"

	"foresight/inference/features"
	"foresight/inference/modeltest"
	"foresight/inference/training"
	"foresight/internal/fault"
)

// csvRow is a row with the same value in all features but the first.
func csvRow(label, first string) string {
	return label + "," + first + strings.Repeat(",1.5", features.Count-1)
}

func TestCSVIsRead(t *testing.T) {
	s := &Service{Options{Limits: Limits{}.withDefaults()}}
	head := "\ufefflabel," + strings.Join(features.Names(), ",") + ",machine,weight\n"
	d, err := s.readUpload("x.csv", []byte(head+csvRow("normal", "")+",m1,2\n"+csvRow("cavitation", "3")+",m2,\n"+csvRow("gremlins", "-1e3")+",m1,0.5\n"), modeltest.Open(), 0.2, false)
	if err != nil {
		t.Fatal(err)
	}
	p := &d.Parts[training.Train]
	if d.Rows != 3 || p.Rows() != 3 || !math.IsNaN(float64(p.X[0])) || p.X[features.Count] != 3 || p.X[1] != 1.5 || p.Groups != 2 {
		t.Errorf("%d rows, %d train, of %d machines", d.Rows, p.Rows(), p.Groups)
	}
	if p.Weights[0] != 2 || p.Weights[1] != 1 || p.Weights[2] != 0.5 || d.Classes[p.Labels[2]] != "gremlins" || d.Classes[p.Labels[0]] != "normal" || p.Group[0] != p.Group[2] {
		t.Errorf("weights %v, labels %v, machines %v", p.Weights, p.Labels, p.Group)
	}
}

func TestUploadsAreRefused(t *testing.T) {
	s := &Service{Options{Limits: Limits{MaxRows: 3}.withDefaults()}}
	base, names := modeltest.Open(), strings.Join(features.Names(), ",")
	head := "label," + names + "\n"
	row := csvRow("normal", "1") + "\n"
	dataset := func(h training.Header, rows ...training.Row) string {
		var out bytes.Buffer
		h.Rows = len(rows)
		w, err := training.NewWriter(&out, h)
		if err != nil {
			t.Fatal(err)
		}
		for i := range rows {
			if err := w.Write(&rows[i]); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := w.Close(); err != nil {
			t.Fatal(err)
		}
		return out.String()
	}
	good := training.Header{Features: features.Names(), FeatureSchemaHash: features.SchemaHash(), Classes: base.Manifest.Classes}
	odd, other := good, good
	odd.Classes = []string{"normal", "Not A Code"}
	other.FeatureSchemaHash = "other"
	x := func(first float64) []float32 {
		v := make([]float32, features.Count)
		v[0] = float32(first)
		return v
	}
	for name, c := range map[string]struct{ content, key, reason string }{
		"nothing":             {"", "error.training.file", "EOF"},
		"no label":            {names + "\n" + row, "error.training.file", `no column "label"`},
		"a column too few":    {"label," + names[:strings.LastIndexByte(names, ',')] + "\n", "error.training.file", "there is no column"},
		"a column too many":   {"label,secret," + names + "\n", "error.training.file", `"secret" is no feature`},
		"a column twice":      {"label,label," + names + "\n", "error.training.file", "twice"},
		"no rows":             {head, "error.training.file", "no rows"},
		"a cell too few":      {head + "normal,1\n", "error.training.file", "wrong number of fields"},
		"words for numbers":   {head + csvRow("normal", "many") + "\n", "error.training.file", `line 2: "many"`},
		"an infinite value":   {head + csvRow("normal", "+Inf") + "\n", "error.training.file", "no number"},
		"no code":             {head + csvRow("Bearing!", "1") + "\n", "error.training.file", "label"},
		"too many rows":       {head + strings.Repeat(row, 4), "error.training.file", "more than 3 rows"},
		"a broken data set":   {"foresight dataset 1\nxx", "error.training.file", ""},
		"other features":      {dataset(other, training.Row{X: x(1), Weight: 1}), "error.training.file", "other features"},
		"an odd class":        {dataset(odd, training.Row{X: x(1), Weight: 1}), "error.training.file", "Not A Code"},
		"an infinite row":     {dataset(good, training.Row{X: x(math.Inf(1)), Weight: 1}), "error.training.file", "infinite"},
		"a row of all weight": {dataset(good, training.Row{X: x(1), Weight: 1e6}), "error.training.file", "weighs"},
	} {
		_, err := s.readUpload("x.csv", []byte(c.content), base, 0.2, false)
		var f *fault.Error
		if !errors.As(err, &f) || f.Key != c.key || f.Field != "input.uploadId" || !strings.Contains(f.Args["Reason"].(string), c.reason) {
			t.Errorf("%s: %v", name, err)
		}
	}
	_, err := s.readUpload("x.csv", []byte(head+row+csvRow("cavitation", "1")+"\n"), base, 0.2, true)
	var f *fault.Error
	if !errors.As(err, &f) || f.Key != "error.training.tooFew" {
		t.Errorf("two machines by themselves: %v", err)
	}
}

// Whatever is sent is read, or refused with a reason that can be told.
func FuzzReadUpload(f *testing.F) {
	base := modeltest.Open()
	s := &Service{Options{Limits: Limits{MaxRows: 100}.withDefaults()}}
	head := "label," + strings.Join(features.Names(), ",") + "\n"
	f.Add([]byte(head+csvRow("normal", "1")+"\n"), true)
	f.Add([]byte("label\nnormal\n"), false)
	f.Add([]byte("foresight dataset 1\n\x02\x00\x00\x00{}"), false)
	f.Add([]byte(`"`), false)
	f.Fuzz(func(t *testing.T, content []byte, alone bool) {
		d, err := s.readUpload("x", content, base, 0.2, alone)
		if err != nil {
			if !fault.Is(err, fault.BadInput) {
				t.Fatalf("%v", err)
			}
			return
		}
		if d.Rows < 1 || d.Rows > 100 {
			t.Fatalf("%d rows", d.Rows)
		}
	})
}
