//go:build cgo && xgboost

// Command contribs compares the explanations that the server computes with libxgboost's
// own contributions, on the models that ship and on a binary model that it trains, and
// prints the largest difference and the time of both, one thread each.
//
//	go run -tags xgboost ./tools/contribs -rows 1200
//
// With -fixtures it writes models with XGBoost's contributions for the tests of
// inference/explain, which need no libxgboost.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"foresight/inference/artifact"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "contribs:", err)
		os.Exit(1)
	}
}

func run() error {
	rows := flag.Int("rows", 1200, "rows to explain with each model")
	fixtures := flag.String("fixtures", "", "folder to write test models to, instead of comparing")
	flag.Parse()
	if *fixtures != "" {
		return write(*fixtures)
	}
	compared, err := subjects(*rows)
	if err != nil {
		return err
	}
	for _, s := range compared {
		defer s.free()
		worst, err := s.difference()
		if err != nil {
			return err
		}
		begin := time.Now()
		if _, err := s.theirs.Contributions(s.rows); err != nil {
			return err
		}
		theirs := time.Since(begin) / time.Duration(s.n())
		phi, sums := make([]float64, s.ours.Outputs()*s.ours.Features()), make([]float64, s.ours.Outputs())
		begin = time.Now()
		for i := range s.n() {
			clear(phi)
			if err := s.ours.All(s.row(i), phi, sums); err != nil {
				return err
			}
		}
		ours := time.Since(begin) / time.Duration(s.n())
		fmt.Printf("%s: %d rows of %d outputs, difference %.2g, %v a row, libxgboost %v, ratio %.2f\n",
			s.name, s.n(), s.ours.Outputs(), worst, ours, theirs, float64(ours)/float64(theirs))
	}
	return nil
}

// fixture is what inference/explain's tests read.
type fixture struct {
	Features, Outputs int
	JSON              json.RawMessage
	X, Margins        artifact.Floats
	Contributions     artifact.Floats
}

// write stores small models: one for each objective, one with pruned nodes.
func write(dir string) error {
	for name, p := range map[string]map[string]string{
		"softprob": {"objective": "multi:softprob", "num_class": "3", "max_depth": "4"},
		"logistic": {"objective": "binary:logistic", "base_score": "0.3", "max_depth": "6"},
		"pruned":   {"objective": "multi:softprob", "num_class": "3", "max_depth": "5", "gamma": "12"},
	} {
		s, err := small(p)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		defer s.free()
		f := fixture{Features: s.ours.Features(), Outputs: s.ours.Outputs(), JSON: s.text, X: s.x}
		q := s.theirs.Ask(s.x, f.Features)
		defer q.Free()
		if f.Margins, err = q.Answer(); err != nil {
			return err
		}
		f.Margins = slices.Clone(f.Margins)
		if f.Contributions, err = s.theirs.Contributions(s.rows); err != nil {
			return err
		}
		raw, err := json.Marshal(f)
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(dir, name+".json"), raw, 0o644); err != nil {
			return err
		}
	}
	return nil
}
