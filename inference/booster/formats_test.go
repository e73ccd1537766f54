package booster

import (
	"bytes"
	"errors"
	"strings"
	"testing"
)

// What is written of one format for the other is the same model, and computes
// XGBoost's margins.
func TestConvert(t *testing.T) {
	for _, name := range []string{"softprob", "logistic", "pruned"} {
		f := load(t, name)
		if err := Same(f.Binary, f.JSON); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		for from, raw := range map[string][]byte{"binary": f.Binary, "JSON": f.JSON} {
			binary, json, err := Convert(raw)
			if err != nil {
				t.Fatalf("%s from %s: %v", name, from, err)
			}
			if given := map[string][]byte{"binary": binary, "JSON": json}[from]; !bytes.Equal(given, raw) {
				t.Errorf("%s from %s: the given file was changed", name, from)
			}
			if err := Same(binary, json); err != nil {
				t.Errorf("%s from %s: %v", name, from, err)
			}
			b, err := Load(binary)
			if err != nil {
				t.Fatal(err)
			}
			if d := worst(f, b.Margins); d != 0 {
				t.Errorf("%s from %s deviates by %v", name, from, d)
			}
		}
	}
}

func TestConvertRefuses(t *testing.T) {
	good := load(t, "softprob").JSON
	replace := func(old, new string) []byte {
		if !bytes.Contains(good, []byte(old)) {
			t.Fatalf("the model has no %s", old)
		}
		return bytes.Replace(good, []byte(old), []byte(new), 1)
	}
	for _, c := range []struct {
		name, reason string
		raw          []byte
	}{
		{"nothing", "neither", nil},
		{"text", "neither", []byte("tree,1,2")},
		{"the binary format of 3.x", "JSON", []byte("{L\x00\x00")},
		{"half a file", "JSON", good[:len(good)/2]},
		{"another document", "booster", []byte(`{"a":"b"}`)},
		{"another booster", "gblinear", replace(`"gbtree"`, `"gblinear"`)},
		{"parallel trees", "num_parallel_tree", load(t, "parallel").JSON},
		{"several targets", "num_target", replace(`"num_target":"1"`, `"num_target":"2"`)},
		{"no number of features", "num_feature", replace(`"num_feature":"6","num_target"`, `"num_feature":"-6","num_target"`)},
		{"billions of features", "features", replace(`"num_feature":"6","num_target"`, `"num_feature":"2000000000","num_target"`)},
		{"no base score", "base_score", replace(`"base_score":"5E-1"`, `"base_score":"half"`)},
		{"an endless base score", "base score", replace(`"base_score":"5E-1"`, `"base_score":"1E30"`)},
		{"categorical splits", "categorical", replace(`"split_type":[0`, `"split_type":[1`)},
		{"categories", "categorical", replace(`"categories_nodes":[]`, `"categories_nodes":[0]`)},
		{"a feature below zero", "splits feature", replace(`"split_indices":[`, `"split_indices":[-`)},
		{"a threshold beyond float32", "out of range", replace(`"split_conditions":[`, `"split_conditions":[1E99,`)},
		{"a list too long", "nodes with", replace(`"left_children":[`, `"left_children":[1,`)},
		{"a list that is none", "no list", replace(`"left_children":[`, `"left_children":7,"right_children":[`)},
		{"an output that there is not", "adds to output", replace(`"tree_info":[0`, `"tree_info":[1`)},
		{"too few outputs", "trees with", replace(`"tree_info":[0,1,2`, `"tree_info":[0`)},
		{"a circle", "no tree", replace(`"left_children":[1`, `"left_children":[0`)},
		{"endless nesting", "JSON", []byte(strings.Repeat(`{"learner":[`, 1<<20))},
	} {
		if _, _, err := Convert(c.raw); !errors.Is(err, ErrRefused) || !strings.Contains(err.Error(), c.reason) {
			t.Errorf("%s: error %.300v, want %q", c.name, err, c.reason)
		}
	}
}

func TestSameRefusesAnotherModel(t *testing.T) {
	f := load(t, "softprob")
	for name, json := range map[string][]byte{
		"another threshold":  changed(t, f.JSON, `"split_conditions":[`),
		"other weights":      changed(t, f.JSON, `"sum_hessian":[`),
		"another base score": bytes.Replace(f.JSON, []byte(`"base_score":"5E-1"`), []byte(`"base_score":"6E-1"`), 1),
		"another task":       load(t, "logistic").JSON,
		"other trees":        load(t, "pruned").JSON,
	} {
		if err := Same(f.Binary, json); !errors.Is(err, ErrRefused) || !strings.Contains(err.Error(), "different models") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// changed makes the first number of the list another one.
func changed(t *testing.T, raw []byte, list string) []byte {
	t.Helper()
	at := bytes.Index(raw, []byte(list))
	if at < 0 {
		t.Fatalf("no %s", list)
	}
	at += len(list)
	end := at + bytes.IndexAny(raw[at:], ",]")
	return append(append(append([]byte{}, raw[:at]...), "1.25E-3"...), raw[end:]...)
}
