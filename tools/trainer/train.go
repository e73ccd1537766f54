//go:build cgo && xgboost

package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"foresight/inference/artifact"
	"foresight/inference/training"
)

// train fits the model that the request asks for and writes the artifact's files.
func train(r *training.Request, data *training.Dataset, progress func(round int, metric float64)) error {
	begin := time.Now()
	classes, features := len(data.Classes), len(data.Features)
	if r.Objective == artifact.Logistic && classes != 2 {
		return fmt.Errorf("%s with %d classes", r.Objective, classes)
	}
	var parts [3]*matrix
	for s := range parts {
		p := &data.Parts[s]
		if p.Rows() == 0 {
			return fmt.Errorf("the %s split is empty", training.Split(s))
		}
		labels := make([]float32, p.Rows())
		for i, l := range p.Labels {
			labels[i] = float32(l)
		}
		m, err := newMatrix(p.X, features, labels, p.Weights)
		if err != nil {
			return err
		}
		defer m.free()
		parts[s] = m
	}
	best, parameters, err := boost(r, classes, parts[training.Train], parts[training.Validation], progress)
	if err != nil {
		return err
	}
	defer best.model.free()

	m := artifact.Manifest{
		Format: artifact.FormatVersion, Kind: r.Kind, Version: r.Version, Objective: r.Objective,
		Classes: data.Classes, Features: features, FeatureSchemaHash: data.FeatureSchemaHash,
		Training: artifact.Training{
			XGBoost: versionText(), Parameters: parameters, Seed: r.Seed, DatasetHash: data.Hash,
			Rows: map[string]int{}, Groups: map[string]int{}, Rounds: best.rounds,
		},
	}
	for s := range data.Parts {
		m.Training.Rows[training.Split(s).String()] = data.Parts[s].Rows()
		m.Training.Groups[training.Split(s).String()] = data.Parts[s].Groups
	}
	held, err := best.model.margins(parts[training.Validation])
	if err != nil {
		return err
	}
	unseen, err := best.model.margins(parts[training.Test])
	if err != nil {
		return err
	}
	m.Temperature = training.FitTemperature(held, data.Parts[training.Validation].Labels, classes, m.Outputs())
	m.Metrics = training.Evaluate(training.Probabilities(unseen, classes, m.Outputs(), m.Temperature), data.Parts[training.Test].Labels, data.Classes)
	m.Outliers = training.FitOutliers(data.Parts[training.Train].X, data.Parts[training.Validation].X, features)
	m.Training.Seconds = math.Round(time.Since(begin).Seconds())
	return write(r, &m, best.model, data)
}

// fitted is the model of the best round.
type fitted struct {
	model  *booster
	rounds int
}

// boost adds rounds until the metric on held stops improving.
func boost(r *training.Request, classes int, train, held *matrix, progress func(int, float64)) (*fitted, map[string]any, error) {
	parameters := map[string]any{
		"objective": r.Objective, "eval_metric": r.Metric, "tree_method": "hist", "max_depth": r.Depth, "eta": r.Eta,
		"subsample": r.Subsample, "colsample_bytree": r.Colsample, "min_child_weight": r.MinChildWeight,
		"lambda": r.Lambda, "gamma": r.Gamma, "max_bin": r.MaxBin, "nthread": r.Threads, "seed": r.Seed,
		"num_parallel_tree": 1, // leaves cannot serve more
	}
	if r.Objective == artifact.Softprob {
		parameters["num_class"] = classes
	}
	texts := make(map[string]string, len(parameters))
	for k, v := range parameters {
		texts[k] = fmt.Sprint(v)
	}
	b, err := newBooster([]*matrix{train, held}, texts)
	if err != nil {
		return nil, nil, err
	}
	defer b.free()
	// The direction of the metric: XGBoost maximises areas, minimises losses.
	sign := 1.0
	if strings.HasPrefix(r.Metric, "auc") {
		sign = -1
	}
	least, bestRound := math.Inf(1), 0
	for i := range r.Rounds {
		if err := b.update(i, train); err != nil {
			return nil, nil, err
		}
		line, err := b.evaluate(i, held)
		if err != nil {
			return nil, nil, err
		}
		metric, err := strconv.ParseFloat(strings.TrimSpace(line[strings.LastIndexByte(line, ':')+1:]), 64)
		if err != nil || math.IsNaN(metric) {
			return nil, nil, errors.New("no metric in " + strconv.Quote(line))
		}
		progress(i, metric)
		if sign*metric < least-r.MinGain {
			least, bestRound = sign*metric, i
		}
		if r.Patience > 0 && i-bestRound >= r.Patience {
			break
		}
	}
	s, err := b.slice(bestRound + 1)
	if err != nil {
		return nil, nil, err
	}
	return &fitted{s, bestRound + 1}, parameters, nil
}

// write puts the four files of the artifact into the request's folder.
func write(r *training.Request, m *artifact.Manifest, model *booster, data *training.Dataset) error {
	if err := os.MkdirAll(r.Out, 0o755); err != nil {
		return err
	}
	binary, err := model.save("deprecated")
	if err != nil {
		return err
	}
	text, err := model.save("json")
	if err != nil {
		return err
	}
	golden, err := goldenRows(model, text, &data.Parts[training.Test], m.Features, r.GoldenRows, r.Seed)
	if err != nil {
		return err
	}
	manifest, err := json.MarshalIndent(m, "", " ")
	if err != nil {
		return err
	}
	rows, err := json.Marshal(golden)
	if err != nil {
		return err
	}
	for name, content := range map[string][]byte{
		artifact.ManifestFile: manifest, artifact.BinaryFile: binary, artifact.JSONFile: text, artifact.GoldenFile: rows,
	} {
		if err := os.WriteFile(filepath.Join(r.Out, name), content, 0o644); err != nil {
			return err
		}
	}
	return nil
}

func versionText() string {
	a, b, c := version()
	return fmt.Sprintf("%d.%d.%d", a, b, c)
}
