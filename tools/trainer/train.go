//go:build cgo && xgboost

package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"

	"foresight/inference/artifact"
	"foresight/inference/training"
	"foresight/tools/xgboost"
)

// train fits the model that the request asks for and writes the artifact's files.
func train(r *training.Request, data *training.Dataset, progress func(round int, metric float64)) error {
	// XGBoost 1.7 keeps a booster's matrices and its last error for each thread of the
	// system: on another one it knows neither.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	begin := time.Now()
	classes, features := len(data.Classes), len(data.Features)
	if r.Objective == artifact.Logistic && classes != 2 {
		return fmt.Errorf("%s with %d classes", r.Objective, classes)
	}
	parts := make([]*xgboost.Matrix, len(data.Parts))
	for s := range parts {
		p := &data.Parts[s]
		if p.Rows() == 0 {
			if training.Split(s) == training.Calibrate {
				continue
			}
			return fmt.Errorf("the %s split is empty", training.Split(s))
		}
		labels := make([]float32, p.Rows())
		for i, l := range p.Labels {
			labels[i] = float32(l)
		}
		m, err := xgboost.NewMatrix(p.X, features, labels, p.Weights)
		if err != nil {
			return err
		}
		defer m.Free()
		parts[s] = m
	}
	if r.Objective == artifact.Logistic && r.PositiveWeight == 0 {
		r.PositiveWeight = balance(&data.Parts[training.Train])
	}
	best, parameters, err := boost(r, classes, parts[training.Train], parts[training.Validation], progress)
	if err != nil {
		return err
	}
	defer best.model.Free()

	m := artifact.Manifest{
		Format: artifact.FormatVersion, Kind: r.Kind, Version: r.Version, Objective: r.Objective,
		Classes: data.Classes, Features: features, FeatureSchemaHash: data.FeatureSchemaHash,
		Training: artifact.Training{
			XGBoost: xgboost.LibraryVersion().String(), Parameters: parameters, Seed: r.Seed, DatasetHash: data.Hash,
			Rows: map[string]int{}, Groups: map[string]int{}, Rounds: best.rounds,
		},
	}
	for s := range data.Parts {
		m.Training.Rows[training.Split(s).String()] = data.Parts[s].Rows()
		m.Training.Groups[training.Split(s).String()] = data.Parts[s].Groups
	}
	calibration, split := data.Calibration()
	held, err := best.model.Margins(parts[split])
	if err != nil {
		return err
	}
	unseen, err := best.model.Margins(parts[training.Test])
	if err != nil {
		return err
	}
	training.Finish(&m, held, calibration, unseen, &data.Parts[training.Test], r.Seed)
	m.Outliers = training.FitOutliers(data.Parts[training.Train].X, data.Parts[training.Validation].X, features)
	m.Reference = training.FitReference(&data.Parts[training.Train], features, classes)
	m.Training.Seconds = math.Round(time.Since(begin).Seconds())
	report := &training.Report{}
	for s := range parts {
		if parts[s] == nil {
			continue
		}
		margins, err := best.model.Margins(parts[s])
		if err != nil {
			return err
		}
		report.Judge(&m, training.Split(s), margins, &data.Parts[s])
	}
	return write(r, &m, report, best.model, data)
}

// balance is the factor for the second class that makes both weigh the same.
func balance(p *training.Part) float64 {
	var sum [2]float64
	for i, l := range p.Labels {
		sum[l] += float64(p.Weights[i])
	}
	if sum[0] == 0 || sum[1] == 0 {
		return 1
	}
	return sum[0] / sum[1]
}

// fitted is the model of the best round.
type fitted struct {
	model  *xgboost.Booster
	rounds int
}

// boost adds rounds until the metric on held stops improving.
func boost(r *training.Request, classes int, train, held *xgboost.Matrix, progress func(int, float64)) (*fitted, map[string]any, error) {
	parameters := map[string]any{
		"objective": r.Objective, "eval_metric": r.Metric, "tree_method": "hist", "max_depth": r.Depth, "eta": r.Eta,
		"subsample": r.Subsample, "colsample_bytree": r.Colsample, "colsample_bynode": r.ColsampleNode,
		"min_child_weight": r.MinChildWeight, "lambda": r.Lambda, "gamma": r.Gamma, "max_bin": r.MaxBin, "nthread": r.Threads, "seed": r.Seed,
		"num_parallel_tree": 1, // leaves cannot serve more
	}
	if r.Objective == artifact.Softprob {
		parameters["num_class"] = classes
	} else {
		parameters["scale_pos_weight"] = r.PositiveWeight
	}
	texts := make(map[string]string, len(parameters))
	for k, v := range parameters {
		texts[k] = fmt.Sprint(v)
	}
	b, err := xgboost.New([]*xgboost.Matrix{train, held}, texts)
	if err != nil {
		return nil, nil, err
	}
	defer b.Free()
	// The direction of the metric: XGBoost maximises areas, minimises losses.
	sign := 1.0
	if strings.HasPrefix(r.Metric, "auc") {
		sign = -1
	}
	least, bestRound := math.Inf(1), 0
	for i := range r.Rounds {
		if err := b.Update(i, train); err != nil {
			return nil, nil, err
		}
		line, err := b.Evaluate(i, held)
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
	s, err := b.Slice(bestRound + 1)
	if err != nil {
		return nil, nil, err
	}
	return &fitted{s, bestRound + 1}, parameters, nil
}

// write puts the four files of the artifact, and the report, into the request's folder.
func write(r *training.Request, m *artifact.Manifest, report *training.Report, model *xgboost.Booster, data *training.Dataset) error {
	if err := os.MkdirAll(r.Out, 0o755); err != nil {
		return err
	}
	binary, err := model.Save("deprecated")
	if err != nil {
		return err
	}
	text, err := model.Save("json")
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
	if report.Importance, err = training.FeatureImportance(text, data.Features); err != nil {
		return err
	}
	return report.Write(r.Out)
}
