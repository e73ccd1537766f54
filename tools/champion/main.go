// Command champion makes the models that ship: it simulates their data sets, runs the
// trainer and packs the artifacts that the server embeds.
//
//	go run ./tools/champion fault
//	go run ./tools/champion failure
//
// It needs a C compiler and libxgboost 1.7 (Debian: libxgboost-dev). The same seed
// gives the same data set; two threads do not give the same trees twice.
package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"

	"foresight/inference/artifact"
	"foresight/inference/training"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "champion:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) > 0 {
		switch args[0] {
		case "fault":
			return faultClassifier(args[1:])
		case "failure":
			return failurePredictor(args[1:])
		case "reference":
			return addReference(args[1:])
		}
	}
	return errors.New("which one? champion fault | champion failure | champion reference")
}

// workshop is where a model is made.
type workshop struct {
	trainer string
	out     string
	dir     string
}

func (w *workshop) flags(f *flag.FlagSet) {
	f.StringVar(&w.trainer, "trainer", "", "the trainer's program; empty: build it")
	f.StringVar(&w.out, "out", "inference/champion", "folder that gets the bundle")
	f.StringVar(&w.dir, "work", "", "folder for data sets and unpacked artifacts, kept; empty: temporary")
}

// open makes the folders and the trainer. The caller closes it.
func (w *workshop) open() (done func(), err error) {
	done = func() {}
	if w.dir == "" {
		if w.dir, err = os.MkdirTemp("", "champion"); err != nil {
			return done, err
		}
		done = func() { os.RemoveAll(w.dir) }
	} else if err := os.MkdirAll(w.dir, 0o755); err != nil {
		return done, err
	}
	if w.trainer != "" {
		return done, nil
	}
	w.trainer = filepath.Join(w.dir, "trainer")
	build := exec.Command("go", "build", "-tags", "xgboost", "-o", w.trainer, "foresight/tools/trainer")
	build.Env = append(os.Environ(), "CGO_ENABLED=1")
	if out, err := build.CombinedOutput(); err != nil {
		return done, fmt.Errorf("build the trainer: %w\n%s", err, out)
	}
	return done, nil
}

// dataset writes a file of the work folder.
func (w *workshop) dataset(name string, write func(io.Writer) (hash string, err error)) (path string, err error) {
	path = filepath.Join(w.dir, name)
	f, err := os.Create(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	hash, err := write(f)
	if err != nil {
		return "", err
	}
	fmt.Printf("%s: sha256 %s\n", name, hash)
	return path, f.Close()
}

// fit runs the trainer; its progress goes to our standard output.
func (w *workshop) fit(r *training.Request) error {
	request, err := json.Marshal(r)
	if err != nil {
		return err
	}
	c := exec.Command(w.trainer)
	c.Stdin, c.Stdout, c.Stderr = bytes.NewReader(request), os.Stdout, os.Stderr
	return c.Run()
}

// ship writes the bundle, once it opens.
func (w *workshop) ship(name string, bundle []byte) error {
	opened, err := artifact.Open(bundle)
	if err != nil {
		return err
	}
	fmt.Printf("%s: %d bytes, sha256 %s\n", name, len(bundle), opened.Hash)
	return os.WriteFile(filepath.Join(w.out, name), bundle, 0o644)
}

// boosting are the flags of the trainer, with the defaults in r.
func boosting(f *flag.FlagSet, r *training.Request) {
	f.StringVar(&r.Version, "version", r.Version, "semantic version of the model")
	f.IntVar(&r.Rounds, "rounds", r.Rounds, "rounds of boosting, at most")
	f.IntVar(&r.Patience, "patience", r.Patience, "rounds without improvement before it stops")
	f.Float64Var(&r.MinGain, "min-gain", r.MinGain, "least improvement of the metric that counts")
	f.IntVar(&r.Depth, "depth", r.Depth, "depth of the trees")
	f.Float64Var(&r.Eta, "eta", r.Eta, "learning rate")
	f.Float64Var(&r.Subsample, "subsample", r.Subsample, "share of the rows per round")
	f.Float64Var(&r.Colsample, "colsample", r.Colsample, "share of the features per tree")
	f.Float64Var(&r.ColsampleNode, "colsample-node", r.ColsampleNode, "share of a tree's features per split")
	f.Float64Var(&r.MinChildWeight, "min-child-weight", r.MinChildWeight, "least hessian of a leaf")
	f.Float64Var(&r.Lambda, "lambda", r.Lambda, "L2 regularisation")
	f.IntVar(&r.MaxBin, "max-bin", r.MaxBin, "bins per feature")
	f.IntVar(&r.Threads, "threads", r.Threads, "threads of the trainer")
}
