package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"

	"foresight/inference/artifact"
	"foresight/inference/booster"
	"foresight/inference/training"
)

// bundle opens a shipped bundle.
func (b *bench) bundle(name string) (*artifact.Bundle, error) {
	raw, err := os.ReadFile(filepath.Join(b.champions, name))
	if err != nil {
		return nil, err
	}
	return artifact.Open(raw)
}

// fit trains on a data set and returns the model as it would be served.
func (b *bench) fit(name string, d *dataset, r training.Request) (*served, error) {
	r.Dataset, r.Out = filepath.Join(b.work, name+".dataset"), filepath.Join(b.work, name)
	if err := d.write(r.Dataset); err != nil {
		return nil, err
	}
	r.Version, r.Kind, r.Seed, r.Threads = "0.0.0", "evaluation", 1, 2
	request, err := json.Marshal(r)
	if err != nil {
		return nil, err
	}
	c := exec.Command(b.trainer)
	c.Stdin, c.Stderr = bytes.NewReader(request), os.Stderr
	if err := c.Run(); err != nil {
		return nil, fmt.Errorf("train %s: %w", name, err)
	}
	packed, err := artifact.Pack(r.Out)
	if err != nil {
		return nil, err
	}
	opened, err := artifact.Open(packed)
	if err != nil {
		return nil, err
	}
	return serve(opened.Booster)
}

// served is a model on the way that serves it: the trees in Go, calibrated.
type served struct {
	manifest *artifact.Manifest
	booster  *booster.Booster
}

func serve(b *artifact.Booster) (*served, error) {
	bo, err := booster.Load(b.Binary)
	if err != nil {
		return nil, err
	}
	return &served{&b.Manifest, bo}, nil
}

// probabilities are calibrated, one per row and class.
func (s *served) probabilities(x []float32) ([]float64, error) {
	m := s.manifest
	margins := make([]float32, len(x)/m.Features*m.Outputs())
	if err := s.booster.Batch(x, margins); err != nil {
		return nil, err
	}
	if m.Calibration == nil {
		return training.Probabilities(margins, len(m.Classes), m.Outputs(), m.Temperature), nil
	}
	p := make([]float64, 0, 2*len(margins))
	for _, v := range margins {
		q, _, _ := m.Calibration.At(float64(v))
		p = append(p, 1-q, q)
	}
	return p, nil
}

// trees is the hash of what a booster answers by, hex.
func trees(b *artifact.Booster) string {
	sum := sha256.Sum256(b.Binary)
	return hex.EncodeToString(sum[:])
}

// figure is a measure as the trainer wrote it into the model's manifest, by XGBoost's own
// answers, and as it comes out here.
type figure struct {
	name       string
	told, here float64
}

// agree is an error when one figure is not the other: another data set, another model or
// another definition.
func agree(figures ...figure) error {
	var errs []error
	for _, f := range figures {
		if !(math.Abs(f.told-f.here) <= 1e-6) {
			errs = append(errs, fmt.Errorf("the model's manifest has %s %.6f, here it is %.6f", f.name, f.told, f.here))
		}
	}
	return errors.Join(errs...)
}
