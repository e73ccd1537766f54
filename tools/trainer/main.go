//go:build cgo && xgboost

// Command trainer fits a gradient-boosted model with libxgboost 1.7 and writes it
// as an artifact's folder. It is the only program with cgo: the server runs it as a
// child process, and a crash in training harms nobody.
//
//	go build -tags xgboost -o bin/foresight-trainer ./tools/trainer
//	foresight-trainer < request.json
//
// The request is a training.Request. Progress goes to standard output, one JSON
// object a line ({"round": 12, "metric": 0.41}); the reason of a failure to standard
// error, with exit code 1. Where there is no libxgboost, everything but training
// works.
package main

import (
	"encoding/json"
	"fmt"
	"os"

	"foresight/inference/training"
	"foresight/tools/xgboost"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "trainer:", err)
		os.Exit(1)
	}
}

func run() error {
	// Newer libraries dropped the binary format that the server reads.
	if v := xgboost.LibraryVersion(); v.Major != 1 || v.Minor != 7 {
		return fmt.Errorf("libxgboost %s, want 1.7", v)
	}
	var r training.Request
	d := json.NewDecoder(os.Stdin)
	d.DisallowUnknownFields()
	if err := d.Decode(&r); err != nil {
		return fmt.Errorf("request: %w", err)
	}
	if err := r.Check(); err != nil {
		return err
	}
	data, err := training.Load(r.Dataset)
	if err != nil {
		return err
	}
	progress := json.NewEncoder(os.Stdout)
	return train(&r, data, func(round int, metric float64) {
		progress.Encode(map[string]any{"round": round, "metric": metric})
	})
}
