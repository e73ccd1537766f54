//go:build cgo && xgboost

package main

import (
	"fmt"
	"math"
	"math/rand/v2"

	"foresight/inference/artifact"
	"foresight/inference/champion"
	"foresight/inference/explain"
	"foresight/tools/xgboost"
)

// subject is a model as both see it, with rows to explain.
type subject struct {
	name   string
	text   []byte // XGBoost's JSON
	theirs *xgboost.Booster
	ours   *explain.Model
	x      []float32
	rows   *xgboost.Matrix
}

func newSubject(name string, text []byte, x []float32) (s *subject, err error) {
	s = &subject{name: name, text: text, x: x}
	if s.ours, err = explain.Parse(text); err != nil {
		return nil, err
	}
	if s.theirs, err = xgboost.Load(text, 1); err != nil {
		return nil, err
	}
	s.rows, err = xgboost.NewMatrix(x, s.ours.Features(), nil, nil)
	return s, err
}

func (s *subject) free() {
	s.rows.Free()
	s.theirs.Free()
}

func (s *subject) n() int { return len(s.x) / s.ours.Features() }

func (s *subject) row(i int) []float32 { return s.x[i*s.ours.Features() : (i+1)*s.ours.Features()] }

// subjects are the models that ship and one that is trained here, with n rows each.
func subjects(n int) ([]*subject, error) {
	var out []*subject
	for _, c := range champion.All() {
		b, err := artifact.Open(c.Bundle)
		if err != nil {
			return nil, err
		}
		for _, part := range b.Boosters {
			s, err := shipped(part, n)
			if err != nil {
				return nil, err
			}
			out = append(out, s)
		}
	}
	s, err := trained(n)
	return append(out, s), err
}

// shipped is a built-in model. Its rows are mixed of golden ones, with values missing.
func shipped(b *artifact.Booster, n int) (*subject, error) {
	text, err := b.JSON()
	if err != nil {
		return nil, err
	}
	f := b.Manifest.Features
	r := rand.New(rand.NewPCG(1, 0x636f6e74))
	x := make([]float32, 0, n*f)
	for range n {
		one, other := r.IntN(b.Golden.Rows)*f, r.IntN(b.Golden.Rows)*f
		for k := range f {
			v := b.Golden.X[one+k]
			switch r.IntN(10) {
			case 0:
				v = float32(math.NaN())
			case 1, 2:
				v = b.Golden.X[other+k]
			}
			x = append(x, v)
		}
	}
	return newSubject(b.Manifest.Kind+b.Name, text, x)
}

// trained is a binary model that is trained here, of columns with values on a coarse
// grid (so that many fall on thresholds, and paths split a feature again) and values
// missing.
func trained(n int) (*subject, error) {
	const features, learn = 40, 4000
	r := rand.New(rand.NewPCG(2, 0x636f6e74))
	draw := func(n int) (x, y []float32) {
		for range n {
			sum := 0.0
			for k := range features {
				v := math.Round(8*r.NormFloat64()) / 8
				if k%3 == 0 {
					sum += v * float64(1+k%4)
				}
				if r.IntN(8) == 0 {
					v = math.NaN()
				}
				x = append(x, float32(v))
			}
			label := float32(0)
			if sum+3*r.NormFloat64() > 2 {
				label = 1
			}
			y = append(y, label)
		}
		return x, y
	}
	x, y := draw(learn)
	b, err := xgboost.Fit(x, features, y, 300, map[string]string{"nthread": "1", "objective": "binary:logistic", "tree_method": "hist", "max_depth": "6", "eta": "0.05", "base_score": "0.3",
		"subsample": "0.8", "colsample_bytree": "0.8", "min_child_weight": "3", "seed": "1"})
	if err != nil {
		return nil, err
	}
	defer b.Free()
	text, err := b.Save("json")
	if err != nil {
		return nil, err
	}
	x, _ = draw(n)
	return newSubject("binary model", text, x)
}

// difference is the largest between any contribution, bias or margin of ours and of XGBoost's.
func (s *subject) difference() (worst float64, err error) {
	theirs, err := s.theirs.Contributions(s.rows)
	if err != nil {
		return 0, err
	}
	features, outputs := s.ours.Features(), s.ours.Outputs()
	if want := s.n() * outputs * (features + 1); len(theirs) != want {
		return 0, fmt.Errorf("%d contributions, want %d", len(theirs), want)
	}
	phi, sums := make([]float64, outputs*features), make([]float64, outputs)
	for i := range s.n() {
		clear(phi)
		if err := s.ours.All(s.row(i), phi, sums); err != nil {
			return 0, err
		}
		for k := range outputs {
			one := theirs[(i*outputs+k)*(features+1):][:features+1]
			worst = max(worst, math.Abs(s.ours.Bias(k)-float64(one[features])))
			for f, v := range phi[k*features : (k+1)*features] {
				worst = max(worst, math.Abs(v-float64(one[f])))
			}
		}
	}
	q := s.theirs.Ask(s.x, features)
	defer q.Free()
	if theirs, err = q.Answer(); err != nil {
		return 0, err
	}
	for i := range s.n() {
		clear(phi)
		if err := s.ours.All(s.row(i), phi, sums); err != nil {
			return 0, err
		}
		for k, v := range sums {
			worst = max(worst, math.Abs(v-float64(theirs[i*outputs+k])))
		}
	}
	return worst, nil
}
