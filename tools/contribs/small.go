//go:build cgo && xgboost

package main

import (
	"math"
	"math/rand/v2"

	"foresight/tools/xgboost"
)

// small trains a model of few trees on three overlapping classes (two for a binary
// model), with 60 rows to explain.
func small(parameters map[string]string) (*subject, error) {
	const features, learn, show = 6, 600, 60
	classes := 3
	if parameters["num_class"] == "" {
		classes = 2
	}
	r := rand.New(rand.NewPCG(1, uint64(classes)))
	var x, y []float32
	for range learn {
		label := r.IntN(classes)
		y = append(y, float32(label))
		for f := range features {
			v := math.Round(4*(r.NormFloat64()+float64(label*(f%3))/2)) / 4
			if r.IntN(12) == 0 {
				v = math.NaN()
			}
			x = append(x, float32(v))
		}
	}
	parameters["tree_method"], parameters["eta"], parameters["seed"], parameters["nthread"] = "hist", "0.4", "1", "1"
	b, err := xgboost.Fit(x, features, y, 8, parameters)
	if err != nil {
		return nil, err
	}
	defer b.Free()
	text, err := b.Save("json")
	if err != nil {
		return nil, err
	}
	return newSubject("small", text, x[:show*features])
}
