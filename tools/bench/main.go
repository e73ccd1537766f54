// Command bench measures the hot paths and the whole way of a message, and writes
// BENCHMARKS.md:
//
//	go run ./tools/bench -bin bin/foresight -out BENCHMARKS.md
//
// Each figure is the median of several runs. The load average stands beside the
// figures: what else ran on the machine is part of the measurement.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/signal"
	"regexp"
	"strings"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	out := flag.String("out", "BENCHMARKS.md", "file to write")
	bin := flag.String("bin", "bin/foresight", "the product, for the load tests")
	dir := flag.String("dir", "", "directory for the temporary data of load tests (default: the system's)")
	runs := flag.Int("runs", 3, "runs of everything; figures are their medians")
	only := flag.String("only", "", "load: the load tests alone; paths: the hot paths alone; the file keeps the other part as it is")
	named := flag.String("path", "", "hot paths to measure, a regular expression of their names; the file keeps the others as they are")
	span := flag.Duration("for", 20*time.Second, "length of a load test")
	flag.Parse()
	chosen, err := regexp.Compile(*named)
	if err != nil {
		return err
	}
	if *named != "" {
		*only = "paths"
	}
	var r results
	r.machine = describe()
	if *only != "load" {
		done := begin(*runs)
		if err := r.measurePaths(ctx, chosen, *runs); err != nil {
			return err
		}
		r.pathsWhen = done()
	}
	if *only != "paths" {
		done := begin(*runs)
		if err := r.measureLoads(ctx, *bin, *dir, *runs, *span); err != nil {
			return err
		}
		r.loadsWhen = done()
	}
	if *only != "" {
		before, err := os.ReadFile(*out)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		r.before = string(before)
	}
	if *named != "" {
		r.keepPaths()
	}
	f, err := os.Create(*out)
	if err != nil {
		return err
	}
	if err := r.write(f); err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	if len(r.failed) > 0 {
		return fmt.Errorf("benchmarks failed: %s", strings.Join(r.failed, ", "))
	}
	return nil
}

// results are all that was measured.
type results struct {
	machine machine
	paths   []section
	loads   []load
	failed  []string // paths

	pathsWhen, loadsWhen string // and of which commit, beside what
	before               string // the page before, when only a part was measured anew
}

// begin returns what tells, when a part has been measured, when that was.
func begin(runs int) func() string {
	at, around := time.Now().UTC(), loadAverage()
	return func() string {
		return fmt.Sprintf("Measured on %s, of commit %s, %d runs. Load averages before: %s; after: %s.", at.Format("2006-01-02 15:04 UTC"),
			said("git", "rev-parse", "--short", "HEAD"), runs, around, loadAverage())
	}
}

func progress(format string, args ...any) {
	fmt.Fprintf(io.Writer(os.Stderr), time.Now().Format("15:04:05 ")+format+"\n", args...)
}
