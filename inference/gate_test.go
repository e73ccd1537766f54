package inference

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"foresight/inference/artifact"
	"foresight/inference/booster"
	champions "foresight/inference/champion"
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
		{"an unknown kind", func(p *parts) { p.Manifest.Kind = "oracle" }, ErrKind, "oracle"},
		{"another feature schema", func(p *parts) { p.Manifest.FeatureSchemaHash = "0badc0de" }, ErrSchema, "0badc0de"},
		{"another number of features", func(p *parts) {
			p.Manifest.Features--
			p.Manifest.Outliers, p.Manifest.Reference = nil, nil
			p.Golden.X = p.Golden.X[p.Golden.Rows:]
		}, ErrSchema, "335"},
		{"a class too few", func(p *parts) {
			p.Manifest.Classes, p.Manifest.Reference = p.Manifest.Classes[1:], nil
			p.Golden.Margins = p.Golden.Margins[p.Golden.Rows:]
		}, booster.ErrRefused, "outputs"},
		{"a golden margin off by 1e-4", func(p *parts) {
			p.Golden.Margins = append(artifact.Floats(nil), p.Golden.Margins...)
			p.Golden.Margins[77] += 1e-4
		}, ErrGolden, "XGBoost says"},
		{"parallel trees", replace(`"num_parallel_tree":"1"`, `"num_parallel_tree":"2"`), booster.ErrRefused, "num_parallel_tree"},
		{"categorical splits", replace(`"split_type":[0`, `"split_type":[1`), booster.ErrRefused, "categorical"},
		{"broken JSON", func(p *parts) { p.JSON = p.JSON[:len(p.JSON)/2] }, artifact.ErrInvalid, "JSON"},
		{"another model's JSON", replace(`"split_indices":[22`, `"split_indices":[23`), booster.ErrRefused, "different models"},
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

// What ships is not held against leaves and its other format at each start: it is here.
func TestWhatShipsPassesTheGate(t *testing.T) {
	for _, c := range champions.All() {
		b := open(t, c.Bundle)
		m, err := Activate(b)
		if err != nil {
			t.Fatal(err)
		}
		if n, err := activateShipped(b); err != nil || n.Kind() != m.Kind() || n.Bytes() != m.Bytes() {
			t.Errorf("%s at the start: %v", m.Kind(), err)
		}
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
	for name, activate := range map[string]func(*artifact.Bundle) (*Model, error){"from elsewhere": Activate, "shipped": activateShipped} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := activate(bundle); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
