package booster

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// document is XGBoost's JSON format, as far as a prediction needs it.
type document struct {
	Learner struct {
		Booster struct {
			Name  string `json:"name"`
			Model struct {
				Param struct {
					Parallel string `json:"num_parallel_tree"`
				} `json:"gbtree_model_param"`
				Outputs numbers[int32] `json:"tree_info"`
				Trees   elements       `json:"trees"`
			} `json:"model"`
		} `json:"gradient_booster"`
		Objective struct {
			Name string `json:"name"`
		} `json:"objective"`
		Param struct {
			Base     string `json:"base_score"`
			Classes  string `json:"num_class"`
			Features string `json:"num_feature"`
			Targets  string `json:"num_target"`
		} `json:"learner_model_param"`
	} `json:"learner"`
}

// documentTree is one tree: lists with an element for each node.
type documentTree struct {
	Left       numbers[int32]   `json:"left_children"`
	Right      numbers[int32]   `json:"right_children"`
	Features   numbers[int32]   `json:"split_indices"`
	Values     numbers[float32] `json:"split_conditions"` // thresholds, and the leaves' values
	Missing    numbers[bool]    `json:"default_left"`
	Gains      numbers[float32] `json:"loss_changes"`
	Hessians   numbers[float32] `json:"sum_hessian"`
	Weights    numbers[float32] `json:"base_weights"`
	Kinds      numbers[int32]   `json:"split_type"` // 0: numerical; absent before 1.5
	Categories numbers[int32]   `json:"categories_nodes"`
}

// parseJSON reads a model in XGBoost's JSON format, of 1.0 and later. Beside raw it
// needs memory for the model's nodes and for one tree, whatever the file claims.
func parseJSON(raw []byte) (*file, error) {
	var d document
	if err := json.Unmarshal(raw, &d); err != nil {
		return nil, jsonError(raw, err)
	}
	l, m := &d.Learner, &d.Learner.Booster.Model
	if l.Booster.Name != "gbtree" {
		return nil, fmt.Errorf("%w: %.40q", ErrBooster, l.Booster.Name)
	}
	if p := m.Param.Parallel; p != "" && p != "0" && p != "1" {
		return nil, fmt.Errorf("%w: %.40q", ErrParallelTrees, p)
	}
	if n := l.Param.Targets; n != "" && n != "0" && n != "1" {
		return nil, fmt.Errorf("num_target %.40q, only 1 is served", n)
	}
	f := &file{objective: l.Objective.Name}
	for _, c := range []struct {
		name, text string
		to         *int
	}{{"num_feature", l.Param.Features, &f.features}, {"num_class", l.Param.Classes, &f.groups}} {
		n, err := strconv.ParseUint(c.text, 10, 31)
		if err != nil {
			return nil, fmt.Errorf("%s is %.40q", c.name, c.text)
		}
		*c.to = int(n)
	}
	f.groups = max(1, f.groups)
	base, err := strconv.ParseFloat(strings.Trim(l.Param.Base, "[]"), 32) // newer ones write a list of one
	if err != nil {
		return nil, fmt.Errorf("base_score is %.40q", l.Param.Base)
	}
	f.baseScore = float32(base)
	if err := f.check(len(m.Trees)); err != nil {
		return nil, err
	}
	if len(m.Outputs) != len(m.Trees) {
		return nil, fmt.Errorf("%d trees with %d outputs", len(m.Trees), len(m.Outputs))
	}
	f.trees = make([]tree, len(m.Trees))
	for i, raw := range m.Trees {
		if err := f.inOrder(i, int(m.Outputs[i])); err != nil {
			return nil, err
		}
		if f.trees[i], err = parseJSONTree(raw, f.features); err != nil {
			return nil, fmt.Errorf("tree %d: %w", i, err)
		}
	}
	return f, nil
}

func parseJSONTree(raw []byte, features int) (tree, error) {
	var t documentTree
	if err := json.Unmarshal(raw, &t); err != nil {
		return tree{}, err
	}
	n := len(t.Left)
	for name, length := range map[string]int{
		"right_children": len(t.Right), "split_indices": len(t.Features), "split_conditions": len(t.Values), "default_left": len(t.Missing),
		"loss_changes": len(t.Gains), "sum_hessian": len(t.Hessians), "base_weights": len(t.Weights),
	} {
		if n < 1 || length != n {
			return tree{}, fmt.Errorf("%d nodes with %d %s", n, length, name)
		}
	}
	if len(t.Categories) > 0 {
		return tree{}, ErrCategorical
	}
	for _, k := range t.Kinds {
		if k != 0 {
			return tree{}, ErrCategorical
		}
	}
	return newTree(n, features, func(i int32) node {
		// A feature below zero becomes one that there is not.
		split := uint32(t.Features[i]) &^ defaultLeft
		if t.Features[i] < 0 {
			split = maxFeatures
		}
		if t.Missing[i] {
			split |= defaultLeft
		}
		return node{left: t.Left[i], right: t.Right[i], split: split, value: t.Values[i], stat: stat{t.Gains[i], t.Hessians[i], t.Weights[i]}}
	})
}

// elements is a list whose elements are read later, one by one. They are parts of the
// file, not copies: json.Unmarshal hands out parts of what it was given.
type elements [][]byte

// UnmarshalJSON implements json.Unmarshaler; raw is valid JSON.
func (e *elements) UnmarshalJSON(raw []byte) error {
	if raw = bytes.TrimSpace(raw); len(raw) < 2 || raw[0] != '[' {
		return fmt.Errorf("%.20q is no list", raw)
	}
	*e = nil
	depth, begin := 0, 1
	for i := 1; i < len(raw); i++ {
		switch c := raw[i]; {
		case c == '"':
			for i++; raw[i] != '"'; i++ {
				if raw[i] == '\\' {
					i++
				}
			}
		case c == '{' || c == '[':
			depth++
		case depth > 0 && (c == '}' || c == ']'):
			depth--
		case depth == 0 && (c == ',' || c == ']'):
			part := bytes.TrimSpace(raw[begin:i])
			begin = i + 1
			if len(part) == 0 { // the list is empty
				continue
			}
			if len(*e) == maxTrees {
				return fmt.Errorf("%w: more than %d trees", ErrLimit, maxTrees)
			}
			*e = append(*e, part)
		}
	}
	return nil
}

// numbers is a list with one element for each node or tree.
type numbers[T int32 | float32 | bool] []T

// UnmarshalJSON implements json.Unmarshaler. The length is checked before memory is
// asked for.
func (l *numbers[T]) UnmarshalJSON(raw []byte) error {
	if raw = bytes.TrimSpace(raw); len(raw) < 2 || raw[0] != '[' {
		return fmt.Errorf("%.20q is no list", raw)
	}
	*l = nil
	if raw = bytes.TrimSpace(raw[1 : len(raw)-1]); len(raw) == 0 {
		return nil
	}
	n := bytes.Count(raw, []byte{','}) + 1
	if n > maxNodes {
		return fmt.Errorf("%w: %d elements, at most %d", ErrLimit, n, maxNodes)
	}
	*l = make(numbers[T], n)
	for i := range *l {
		element, rest, _ := bytes.Cut(raw, []byte{','})
		raw = rest
		if err := readNumber(string(bytes.TrimSpace(element)), &(*l)[i]); err != nil {
			return fmt.Errorf("%.40q: %w", element, errors.Unwrap(err))
		}
	}
	return nil
}

// readNumber reads one element. XGBoost writes flags as 0 and 1, or as false and true.
func readNumber[T int32 | float32 | bool](text string, to *T) (err error) {
	switch to := any(to).(type) {
	case *int32:
		var n int64
		n, err = strconv.ParseInt(text, 10, 32)
		*to = int32(n)
	case *float32:
		var v float64
		v, err = strconv.ParseFloat(text, 32)
		*to = float32(v)
	case *bool:
		*to, err = strconv.ParseBool(text)
	}
	return err
}
