// Command evaluate judges the shipped models, and the same trainer on public data, and
// writes what comes out into inference/EVALUATION.md.
//
//	go run ./tools/evaluate -data path/to/data
//
// The data folder holds cmapss_fd001 and ai4i2020; what is absent is skipped, and its
// section stays. -only names sections to make anew. It needs what tools/champion needs.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"foresight/tools/public"
)

// bench is what the sections work with.
type bench struct {
	champions string // folder of the bundles
	data      string
	work      string
	trainer   string
}

var sections = []struct {
	name  string
	judge func(*bench) (string, error)
}{
	{"fault", faultSection},
	{"failure", failureSection},
	{"leakage", leakageSection},
	{"retraining", retrainingSection},
	{"cmapss", cmapssSection},
	{"ai4i", ai4iSection},
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "evaluate:", err)
		os.Exit(1)
	}
}

func run() error {
	var b bench
	out := flag.String("out", "inference/EVALUATION.md", "page to write")
	only := flag.String("only", "", "sections, separated by commas; empty: all")
	flag.StringVar(&b.champions, "champions", "inference/champion", "folder of the bundles")
	flag.StringVar(&b.data, "data", "data", "folder of the public data")
	flag.StringVar(&b.work, "work", "", "folder for data sets, kept, such as that of champion failure; empty: temporary")
	flag.StringVar(&b.trainer, "trainer", "", "the trainer's program; empty: build it")
	flag.Parse()
	if b.work == "" {
		dir, err := os.MkdirTemp("", "evaluate")
		if err != nil {
			return err
		}
		defer os.RemoveAll(dir)
		b.work = dir
	}
	if b.trainer == "" {
		b.trainer = filepath.Join(b.work, "trainer")
		build := exec.Command("go", "build", "-tags", "xgboost", "-o", b.trainer, "foresight/tools/trainer")
		build.Env = append(os.Environ(), "CGO_ENABLED=1")
		if out, err := build.CombinedOutput(); err != nil {
			return fmt.Errorf("build the trainer: %w\n%s", err, out)
		}
	}
	page, err := os.ReadFile(*out)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	for _, s := range sections {
		if *only != "" && !slices.Contains(strings.Split(*only, ","), s.name) {
			continue
		}
		text, err := s.judge(&b)
		if errors.Is(err, public.ErrAbsent) {
			fmt.Printf("%s: skipped, %v\n", s.name, err)
			continue
		} else if err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
		page = replace(page, s.name, text)
		if err := os.WriteFile(*out, page, 0o644); err != nil { // each section at once: they take minutes
			return err
		}
		fmt.Printf("%s: done\n", s.name)
	}
	return nil
}
