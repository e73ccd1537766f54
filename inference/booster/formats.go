package booster

import (
	"bytes"
	"errors"
	"fmt"
	"math"
)

// Convert reads a model in the deprecated binary or the JSON format, and returns it in
// both: the given one as it is, the other written as XGBoost 1.7 would. The bytes may
// come from anywhere: whatever is wrong with them is an error with ErrRefused.
func Convert(raw []byte) (binary, json []byte, err error) {
	if !bytes.HasPrefix(raw, []byte(prefix)) && !bytes.HasPrefix(bytes.TrimSpace(raw), []byte("{")) {
		return nil, nil, fmt.Errorf("%w: no XGBoost model: neither its JSON format nor the binary one of 1.x", ErrRefused)
	}
	if bytes.HasPrefix(raw, []byte(prefix)) {
		f, err := parse(raw)
		if err != nil {
			return nil, nil, fmt.Errorf("%w: %w", ErrRefused, err)
		}
		return raw, f.json(), nil
	}
	f, err := parseJSON(raw)
	if err != nil {
		return nil, nil, fmt.Errorf("%w: %w", ErrRefused, err)
	}
	return f.binary(), raw, nil
}

// Same refuses a pair of a binary and a JSON that are not one model to the last bit: what
// is explained must be what predicts.
func Same(binary, json []byte) error {
	a, err := parse(binary)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrRefused, err)
	}
	b, err := parseJSON(json)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrRefused, err)
	}
	if err := a.same(b); err != nil {
		return fmt.Errorf("%w: binary and JSON are different models: %w", ErrRefused, err)
	}
	return nil
}

func (f *file) same(o *file) error {
	if f.objective != o.objective || f.features != o.features || f.groups != o.groups || len(f.trees) != len(o.trees) {
		return fmt.Errorf("%s, %d features, %d outputs, %d trees, and %s, %d, %d, %d", f.objective, f.features, f.groups, len(f.trees),
			o.objective, o.features, o.groups, len(o.trees))
	}
	if math.Abs(float64(f.baseScore-o.baseScore)) > 1e-6 {
		return fmt.Errorf("base scores %v and %v", f.baseScore, o.baseScore)
	}
	for i := range f.trees {
		x, y := f.trees[i].nodes, o.trees[i].nodes
		if len(x) != len(y) {
			return fmt.Errorf("tree %d has %d and %d nodes", i, len(x), len(y))
		}
		for k := range x {
			if x[k] != y[k] {
				return fmt.Errorf("node %d of tree %d is %v and %v", k, i, x[k], y[k])
			}
		}
	}
	return nil
}

// Thresholds returns up to most of the model's splits as features with their thresholds,
// spread evenly over the trees: the values at which an evaluation can go wrong.
func Thresholds(binary []byte, most int) (features []int, thresholds []float32, err error) {
	f, err := parse(binary)
	if err != nil {
		return nil, nil, fmt.Errorf("%w: %w", ErrRefused, err)
	}
	splits := 0
	for i := range f.trees {
		splits += len(f.trees[i].nodes) / 2
	}
	if splits == 0 {
		return nil, nil, fmt.Errorf("%w: %w", ErrRefused, errors.New("the model has no split: nothing was learnt"))
	}
	every, at := max(1, splits/most), 0
	for i := range f.trees {
		for _, n := range f.trees[i].nodes {
			if n.left == -1 {
				continue
			}
			if at%every == 0 && len(features) < most {
				features = append(features, int(n.split&^defaultLeft))
				thresholds = append(thresholds, n.value)
			}
			at++
		}
	}
	return features, thresholds, nil
}
