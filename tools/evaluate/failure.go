package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"foresight/inference/artifact"
	"foresight/inference/daily"
	"foresight/inference/evaluate"
	"foresight/inference/training"
	"foresight/internal/fleet"
)

// lives returns the rows of the champion's plan: those that champion failure left in the
// work folder, or made anew and left there.
func (b *bench) lives() ([]fleet.LifeRow, error) {
	path := filepath.Join(b.work, fleet.LivesFile)
	f, err := os.Open(path)
	if err == nil {
		defer f.Close()
		return fleet.LoadLives(f)
	}
	if !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	rows := fleet.Lives(fleet.Watched)
	if f, err = os.Create(path); err != nil {
		return nil, err
	}
	defer f.Close()
	return rows, fleet.SaveLives(f, rows)
}

// examples are the rows of a horizon whose outcome is known.
func examples(rows []fleet.LifeRow, horizon int) *dataset {
	d := &dataset{features: daily.Names(), classes: []string{"survives", "fails"}}
	for i := range rows {
		r := &rows[i]
		if !r.Known[horizon] {
			continue
		}
		row := training.Row{X: r.X[:], Weight: 1, Split: r.Split, Group: r.Machine}
		if r.Fails[horizon] {
			row.Label = 1
		}
		d.rows = append(d.rows, row)
	}
	return d
}

func failureSection(b *bench) (string, error) {
	bundle, err := b.bundle("failure.zip")
	if err != nil {
		return "", err
	}
	rows, err := b.lives()
	if err != nil {
		return "", err
	}
	var s strings.Builder
	p := fleet.Watched
	fmt.Fprintf(&s, "## Failure predictor, on the simulator\n\nData: %d simulated machines (`internal/simulate`, seed %d), each watched for %d days, a prediction every %d days from the %d daily features (`inference/daily`: the same code as live). Split by machine: 8 of 20 train, 1 stops early, 3 calibrate, 8 (%d machines) are the test. ",
		p.Machines, p.Seed, p.Days, p.Every, daily.Count, p.Machines*8/20)
	fmt.Fprintf(&s, "Lives are Weibull; faults grow along the P-F interval; some are found by services or operators before the machine fails, some (a lost phase, a dry run) give no warning. A day is no example for a horizon when a repair or the end of the record leaves open what would have happened. What a service mended after the horizon is no failure, so that early warnings of it count as false ones.\n\n")
	for k, horizon := range fleet.Horizons {
		text, err := failureOf(bundle.Boosters[k], rows, k, horizon)
		if err != nil {
			return "", err
		}
		s.WriteString(text)
	}
	s.WriteString("The reference system's published model, on its own data: ROC-AUC 0.892, PR-AUC 0.741, at 0.3 F1 0.77, precision 0.71, recall 0.84, median lead 14.2 days (its printed confusion matrix gives recall 0.79 and precision 0.30). A yardstick for the form of the report, not a comparison: the data differ.\n")
	return s.String(), nil
}

func failureOf(b *artifact.Booster, rows []fleet.LifeRow, k, horizon int) (string, error) {
	model, err := serve(b)
	if err != nil {
		return "", err
	}
	d := examples(rows, k)
	x, labels := d.part(training.Train)
	test, truth := d.part(training.Test)
	c := contest{labels: truth}
	answer, err := model.probabilities(test)
	if err != nil {
		return "", err
	}
	m := model.manifest
	c.add("champion, "+m.Kind+":"+m.Version, answer)
	n := len(d.features)
	c.add("logistic regression", evaluate.FitLogistic(x, labels, nil, n, 2, evaluate.LogisticOptions{Seed: 1, Epochs: 20}).Probabilities(test))
	c.add("random forest", evaluate.FitForest(x, labels, nil, n, 2, evaluate.ForestOptions{Trees: 100, MinLeaf: 5, Seed: 1}).Probabilities(test))
	score, positive := binary(answer, truth)
	at := evaluate.At(evaluate.DefaultThreshold, score, positive)
	if told := m.Metrics.Binary; told == nil {
		return "", fmt.Errorf("the booster of %d days was not judged when it was trained", horizon)
	} else if err := agree(
		figure{"ROC-AUC", told.ROCAUC, evaluate.ROCAUC(score, positive)}, figure{"PR-AUC", told.PRAUC, evaluate.PRAUC(score, positive)},
		figure{"F1", told.F1, at.F1()}, figure{"Brier score", told.Brier, evaluate.Brier(score, positive)}, figure{"true positives", float64(told.TruePositives), float64(at.TruePositive)},
	); err != nil {
		return "", err
	}

	var s strings.Builder
	failing := 0
	for _, y := range positive {
		if y {
			failing++
		}
	}
	fmt.Fprintf(&s, "### Within %d days\n\n%d test days, of which %d (%.2f %%) are followed by a failure. %d rounds of XGBoost %s, trees `%.16s`; threshold %.1f.\n\n%s\n", horizon, len(truth), failing, 100*float64(failing)/float64(len(truth)), m.Training.Rounds, m.Training.XGBoost, trees(b), evaluate.DefaultThreshold, c.binary(evaluate.DefaultThreshold))

	var scored []evaluate.Scored
	i := 0
	for j := range rows {
		if r := &rows[j]; r.Split == training.Test && r.Known[k] {
			scored = append(scored, evaluate.Scored{Asset: int(r.Machine), At: r.At, Score: score[i], Failure: r.Failure})
			i++
		}
	}
	w := evaluate.Warn(scored, evaluate.DefaultThreshold, time.Duration(horizon)*24*time.Hour, time.Duration(fleet.Watched.Every)*36*time.Hour)
	fmt.Fprintf(&s, "As warnings (a run of days at or above the threshold is one alarm): %d of %d failures warned of, median lead %.1f days (quartiles %.1f and %.1f), %d false alarms in %.0f asset-months, %.3f for each.\n\n",
		w.Warned, w.Failures, w.MedianLead(), evaluate.Quantile(w.Lead, 0.25), evaluate.Quantile(w.Lead, 0.75), w.FalseAlarms, w.AssetMonths, w.FalseAlarmRate())
	inside, width := coverage(model, test, truth)
	fmt.Fprintf(&s, "Reliability, on the %d test machines (isotonic calibration on %d machines):\n\n%s\nThe interval (middle %.0f %% of the calibration over resampled machines) is %.3f wide on average; the share of failures lies in the mean interval of its bin for %d of %d bins with at least 100 days.\n\n",
		machines(rows), m.Calibration.Machines, reliability(score, positive), 100*m.Calibration.Level, width, inside[0], inside[1])
	return s.String(), nil
}

func machines(rows []fleet.LifeRow) int {
	seen := map[uint32]bool{}
	for i := range rows {
		if rows[i].Split == training.Test {
			seen[rows[i].Machine] = true
		}
	}
	return len(seen)
}

// coverage tells in how many of twenty bins of probability the observed share lies within
// the mean interval, and how wide intervals are.
func coverage(model *served, x []float32, labels []int) (bins [2]int, width float64) {
	margins := make([]float32, len(labels))
	if err := model.booster.Batch(x, margins); err != nil {
		return bins, width
	}
	const n = 20
	var count, hits, low, high [n]float64
	for i, m := range margins {
		p, l, h := model.manifest.Calibration.At(float64(m))
		b := min(n-1, int(p*n))
		count[b]++
		hits[b] += float64(labels[i])
		low[b] += l
		high[b] += h
		width += (h - l) / float64(len(margins))
	}
	for b := range count {
		if count[b] < 100 {
			continue
		}
		bins[1]++
		if hits[b] >= low[b] && hits[b] <= high[b] {
			bins[0]++
		}
	}
	return bins, width
}
