// Command champion makes the shipped fault classifier: it simulates the data set,
// runs the trainer and packs the artifact that the server embeds.
//
//	go run ./tools/champion
//
// It needs a C compiler and libxgboost 1.7 (Debian: libxgboost-dev). The same seed
// gives the same data set; two threads do not give the same trees twice.
package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"foresight/inference/artifact"
	"foresight/inference/training"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "champion:", err)
		os.Exit(1)
	}
}

func run() error {
	trainer := flag.String("trainer", "", "the trainer's program; empty: build it")
	out := flag.String("out", "inference/champion", "folder that gets champion.zip and EVALUATION.md")
	work := flag.String("work", "", "folder for the data set and the unpacked artifact; empty: temporary")
	p := plan{}
	flag.Uint64Var(&p.Seed, "seed", 20260301, "seed of the fleet")
	flag.IntVar(&p.FaultMachines, "fault-machines", 120, "machines per fault")
	flag.IntVar(&p.NormalMachines, "normal-machines", 2400, "healthy machines")
	flag.IntVar(&p.Windows, "windows", 8, "windows per machine")
	flag.Float64Var(&p.MinSeverity, "min-severity", 0.4, "least severity of a fault in the data")
	r := training.Request{Kind: artifact.FaultClassifier, Objective: artifact.Softprob}
	flag.StringVar(&r.Version, "version", "1.0.0", "semantic version of the model")
	flag.IntVar(&r.Rounds, "rounds", 60, "rounds of boosting, at most")
	flag.IntVar(&r.Patience, "patience", 10, "rounds without improvement before it stops")
	flag.Float64Var(&r.MinGain, "min-gain", 0.0015, "least improvement of the validation loss that counts")
	flag.IntVar(&r.Depth, "depth", 5, "depth of the trees")
	flag.Float64Var(&r.Eta, "eta", 0.25, "learning rate")
	flag.Float64Var(&r.Subsample, "subsample", 0.8, "share of the rows per round")
	flag.Float64Var(&r.Colsample, "colsample", 0.4, "share of the features per tree")
	flag.Float64Var(&r.MinChildWeight, "min-child-weight", 2, "least hessian of a leaf")
	flag.Float64Var(&r.Lambda, "lambda", 2, "L2 regularisation")
	flag.IntVar(&r.MaxBin, "max-bin", 128, "bins per feature")
	flag.IntVar(&r.Threads, "threads", 2, "threads of the trainer")
	flag.Parse()
	r.Seed = int64(p.Seed)

	if *work == "" {
		dir, err := os.MkdirTemp("", "champion")
		if err != nil {
			return err
		}
		defer os.RemoveAll(dir)
		*work = dir
	} else if err := os.MkdirAll(*work, 0o755); err != nil {
		return err
	}
	r.Dataset, r.Out = filepath.Join(*work, "windows.dataset"), filepath.Join(*work, "artifact")
	if *trainer == "" {
		*trainer = filepath.Join(*work, "trainer")
		build := exec.Command("go", "build", "-tags", "xgboost", "-o", *trainer, "foresight/tools/trainer")
		build.Env = append(os.Environ(), "CGO_ENABLED=1")
		if out, err := build.CombinedOutput(); err != nil {
			return fmt.Errorf("build the trainer: %w\n%s", err, out)
		}
	}
	if err := writeDataset(r.Dataset, p); err != nil {
		return err
	}
	if err := fit(*trainer, &r); err != nil {
		return err
	}
	bundle, err := artifact.Pack(r.Out)
	if err != nil {
		return err
	}
	opened, err := artifact.Open(bundle)
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(*out, "champion.zip"), bundle, 0o644); err != nil {
		return err
	}
	fmt.Printf("champion.zip: %d bytes, sha256 %s\n", len(bundle), opened.Hash)
	return os.WriteFile(filepath.Join(*out, "EVALUATION.md"), report(&opened.Manifest, p), 0o644)
}

func writeDataset(path string, p plan) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer f.Close()
	hash, err := generate(f, p)
	if err != nil {
		return err
	}
	fmt.Printf("data set: sha256 %s\n", hash)
	return f.Close()
}

// fit runs the trainer; its progress goes to our standard output.
func fit(trainer string, r *training.Request) error {
	request, err := json.Marshal(r)
	if err != nil {
		return err
	}
	c := exec.Command(trainer)
	c.Stdin, c.Stdout, c.Stderr = bytes.NewReader(request), os.Stdout, os.Stderr
	return c.Run()
}
