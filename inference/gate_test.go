package inference

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"foresight/inference/artifact"
	"foresight/inference/booster"
)

func TestActivateRefuses(t *testing.T) {
	replace := func(old, new string) func(p *parts) {
		return func(p *parts) {
			if !bytes.Contains(p.JSON, []byte(old)) {
				panic("the JSON model has no " + old)
			}
			p.JSON = bytes.Replace(p.JSON, []byte(old), []byte(new), 1)
		}
	}
	for _, c := range []struct {
		name   string
		change func(p *parts)
		want   error
		reason string
	}{
		{"another kind", func(p *parts) { p.Manifest.Kind = artifact.FailurePredictor }, ErrKind, "failure_predictor"},
		{"another feature schema", func(p *parts) { p.Manifest.FeatureSchemaHash = "0badc0de" }, ErrSchema, "0badc0de"},
		{"another number of features", func(p *parts) {
			p.Manifest.Features--
			p.Manifest.Outliers = nil
			p.Golden.X = p.Golden.X[p.Golden.Rows:]
		}, ErrSchema, "335"},
		{"a class too few", func(p *parts) {
			p.Manifest.Classes = p.Manifest.Classes[1:]
			p.Golden.Margins = p.Golden.Margins[p.Golden.Rows:]
		}, booster.ErrRefused, "outputs"},
		{"a golden margin off by 1e-4", func(p *parts) {
			p.Golden.Margins = append(artifact.Floats(nil), p.Golden.Margins...)
			p.Golden.Margins[77] += 1e-4
		}, ErrGolden, "XGBoost says"},
		{"parallel trees", replace(`"num_parallel_tree":"1"`, `"num_parallel_tree":"2"`), booster.ErrRefused, "num_parallel_tree"},
		{"categorical splits", replace(`"split_type":[0`, `"split_type":[1`), booster.ErrRefused, "categorical"},
		{"broken JSON", func(p *parts) { p.JSON = p.JSON[:len(p.JSON)/2] }, artifact.ErrInvalid, "JSON"},
		{"another model's JSON", func(p *parts) {
			p.JSON = []byte(`{"learner":{"gradient_booster":{"model":{"gbtree_model_param":{"num_parallel_tree":"1"},"trees":[{}]}}}}`)
		}, booster.ErrRefused, "trees"},
		{"a broken binary", func(p *parts) { p.Binary = p.Binary[:len(p.Binary)/2] }, booster.ErrRefused, "tree"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := Activate(open(t, variant(t, c.change)))
			if !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.reason) {
				t.Errorf("error %v, want %v with %q", err, c.want, c.reason)
			}
		})
	}
}

// The golden rows hold the hard cases: missing values and values on thresholds.
// Were they only easy ones, the gate would be none.
func TestGoldenRowsHoldTheHardCases(t *testing.T) {
	missing := 0
	for i := range shipped().Golden.Rows {
		x, _ := golden(i)
		for _, v := range x {
			if v != v {
				missing++
				break
			}
		}
	}
	if missing < 10 {
		t.Errorf("only %d golden rows have missing values", missing)
	}
	if n := shipped().Golden.Rows; n < 50 {
		t.Errorf("only %d golden rows", n)
	}
}

func BenchmarkActivate(b *testing.B) {
	bundle := shipped()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Activate(bundle); err != nil {
			b.Fatal(err)
		}
	}
}
