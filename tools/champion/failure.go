package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"foresight/inference/artifact"
	"foresight/inference/training"
	"foresight/internal/fleet"
)

// failurePredictor makes failure.zip, which has a booster for each horizon.
func failurePredictor(args []string) error {
	f := flag.NewFlagSet("champion failure", flag.ExitOnError)
	var w workshop
	w.flags(f)
	p := fleet.Watched
	p.Flags(f)
	r := training.Request{Kind: artifact.FailurePredictor, Objective: artifact.Logistic, Version: "1.1.0",
		Rounds: 300, Patience: 40, MinGain: 0.0002, Depth: 5, Eta: 0.05, Subsample: 0.8, Colsample: 0.8, MinChildWeight: 3, Lambda: 2, MaxBin: 128, Threads: 2}
	boosting(f, &r)
	if err := f.Parse(args); err != nil {
		return err
	}
	done, err := w.open()
	if err != nil {
		return err
	}
	defer done()
	rows := fleet.Lives(p)
	fmt.Printf("%d machines, %d predictions\n", p.Machines, len(rows))
	kept, err := os.Create(filepath.Join(w.dir, fleet.LivesFile))
	if err != nil {
		return err
	}
	defer kept.Close()
	if err := fleet.SaveLives(kept, rows); err != nil {
		return err
	}
	r.Seed = int64(p.Seed)
	var parts []artifact.Part
	for k, name := range fleet.HorizonNames {
		r.Out = filepath.Join(w.dir, "artifact-"+name)
		if r.Dataset, err = w.dataset("days-"+name+".dataset", func(out io.Writer) (string, error) { return fleet.WriteLives(out, rows, k) }); err != nil {
			return err
		}
		if err := w.fit(&r); err != nil {
			return err
		}
		files, err := artifact.ReadFolder(r.Out)
		if err != nil {
			return err
		}
		parts = append(parts, artifact.Part{Entry: artifact.Entry{Name: name, Horizon: fleet.Horizons[k]}, Files: files})
		r.PositiveWeight = 0 // anew for the next
	}
	bundle, err := artifact.PackParts(r.Kind, r.Version, parts...)
	if err != nil {
		return err
	}
	return w.ship("failure.zip", bundle)
}
