package main

import (
	"flag"
	"io"
	"path/filepath"

	"foresight/inference/artifact"
	"foresight/inference/training"
	"foresight/internal/fleet"
)

// faultClassifier makes champion.zip.
func faultClassifier(args []string) error {
	f := flag.NewFlagSet("champion fault", flag.ExitOnError)
	var w workshop
	w.flags(f)
	p := fleet.Windows
	p.Flags(f)
	r := training.Request{Kind: artifact.FaultClassifier, Objective: artifact.Softprob, Version: "1.2.0",
		Rounds: 95, Patience: 15, Depth: 8, Eta: 0.25, Subsample: 0.6, Colsample: 0.15, ColsampleNode: 0.5, MinChildWeight: 0.5, Lambda: 2, MaxBin: 200, Threads: 2}
	boosting(f, &r)
	if err := f.Parse(args); err != nil {
		return err
	}
	done, err := w.open()
	if err != nil {
		return err
	}
	defer done()
	r.Seed, r.Out = int64(p.Seed), filepath.Join(w.dir, "artifact")
	if r.Dataset, err = w.dataset("windows.dataset", func(out io.Writer) (string, error) { return fleet.WriteWindows(out, p) }); err != nil {
		return err
	}
	if err := w.fit(&r); err != nil {
		return err
	}
	bundle, err := artifact.Pack(r.Out)
	if err != nil {
		return err
	}
	return w.ship("champion.zip", bundle)
}
