package main

import (
	"bufio"
	"bytes"
	"context"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
)

// path is a hot path with its benchmarks.
type path struct {
	name, pkg, benchmarks string // a regular expression
	time                  string // of one run of one benchmark
	tags                  string // of the build; with tags it is built with C
}

// paths are measured in this order.
var paths = []path{
	{name: "Admission", pkg: "./ingestion/decode ./ingestion/admit ./ingestion/registry", benchmarks: "Decode|ParseTopic|Admit|Lookup", time: "0.5s"},
	{name: "Memory of the registry", pkg: "./ingestion/registry", benchmarks: "Memory", time: "1x"},
	{name: "MQTT broker with admission and log", pkg: "./ingestion/mqtt", benchmarks: "Acknowledged", time: "20000x"},
	{name: "Log", pkg: "./internal/bus", benchmarks: "AppendAsync|Read1KB", time: "20000x"},
	{name: "Envelope and window", pkg: "./internal/telemetry", benchmarks: "Envelope|WindowAdd", time: "0.5s"},
	{name: "Features and prediction", pkg: "./inference/features ./inference", benchmarks: "Extract|Predict", time: "0.5s"},
	{name: "Prediction beside libxgboost's", pkg: "./tools/xgboost", benchmarks: "Serving", time: "20x", tags: "xgboost"},
	{name: "A night: a tenant's 10,000 machines summed up and scored", pkg: "./internal/health", benchmarks: "Night", time: "1x"},
	{name: "Prediction while versions take over", pkg: "./inference", benchmarks: "Swaps", time: "6s"},
	{name: "A look for drift: 2,000 windows of 100 machines", pkg: "./internal/drift", benchmarks: "Check", time: "3x"},
	{name: "Explanations", pkg: "./inference/explain", benchmarks: "Explain", time: "0.5s"},
	{name: "Explanations beside libxgboost's", pkg: "./tools/contribs", benchmarks: "Contributions", time: "20x", tags: "xgboost"},
	{name: "Rules", pkg: "./internal/rules ./internal/alarms", benchmarks: "Match|Evaluate|Apply", time: "0.5s"},
	{name: "Store writes", pkg: "./internal/telemetry/pgstore", benchmarks: "Write", time: "1s"},
	{name: "Hot queries of the store", pkg: "./internal/telemetry/pgstore", benchmarks: "Reads", time: "0.5s"},
	{name: "Hot lists of the graph", pkg: "./graph", benchmarks: "AssetList", time: "0.5s"},
	{name: "Worker: a batch by size", pkg: "./ingestion/pipeline", benchmarks: "Batch", time: "10000x"},
	{name: "Worker: cost by number of sensors", pkg: "./ingestion/pipeline", benchmarks: "Sensors", time: "10000x"},
	{name: "Worker: memory of a sensor (100,000 that speak)", pkg: "./ingestion/pipeline", benchmarks: "Memory", time: "1x"},
	{name: "Fan-out", pkg: "./internal/hub ./graph", benchmarks: "FanOut|Fanout|PublishToFrame", time: "0.5s"},
}

// section is the medians of a path.
type section struct {
	path
	rows   []row
	failed bool   // some of its benchmarks did
	when   string // it was measured, where that was not with the others
	kept   string // what the page before has of it, in place of figures
}

// row is a benchmark with its figures in the order in which they were printed.
type row struct {
	name    string
	units   []string
	figures map[string][]float64
}

// measurePaths runs the benchmarks of the chosen paths. What fails is told on the page,
// and the others are measured all the same.
func (r *results) measurePaths(ctx context.Context, chosen *regexp.Regexp, runs int) error {
	for _, p := range paths {
		if !chosen.MatchString(p.name) {
			continue
		}
		progress("%s", p.name)
		args := append([]string{"test", "-run", "^$", "-bench", p.benchmarks, "-benchmem", "-benchtime", p.time, "-count", strconv.Itoa(runs), "-timeout", "30m"},
			strings.Fields(p.pkg)...)
		cmd := exec.CommandContext(ctx, "go", args...)
		if p.tags != "" {
			cmd.Args = append([]string{"go", "test", "-tags", p.tags}, args[1:]...)
			cmd.Env = append(os.Environ(), "CGO_ENABLED=1")
		}
		cmd.Stderr = os.Stderr
		out, err := cmd.Output()
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			progress("failed: %v\n%s", err, out)
			r.failed = append(r.failed, p.name)
		}
		r.paths = append(r.paths, section{path: p, rows: parseBenchmarks(out), failed: err != nil})
	}
	return nil
}

// keepPaths takes the paths that were not measured from the page before, and lets those
// that were say when.
func (r *results) keepPaths() {
	_, before, ok := strings.Cut(r.before, hotPaths)
	if !ok {
		return
	}
	before, _, _ = strings.Cut(before, "\n## ")
	measured := map[string]section{}
	for _, s := range r.paths {
		s.when = r.pathsWhen
		measured[s.name] = s
	}
	all, sections, _ := strings.Cut(before, "\n### ")
	r.paths, r.pathsWhen = nil, strings.TrimSpace(all)
	for _, p := range paths {
		if s, ok := measured[p.name]; ok {
			r.paths = append(r.paths, s)
		} else if _, kept, ok := strings.Cut("\n### "+sections, "\n### "+p.name+"\n"); ok {
			kept, _, _ = strings.Cut(kept, "\n### ")
			r.paths = append(r.paths, section{path: p, kept: strings.TrimSpace(kept)})
		}
	}
}

// benchmarkLine is what the testing package prints: name, iterations, then figures with units.
var benchmarkLine = regexp.MustCompile(`^Benchmark(\S+?)(?:-\d+)?\s+\d+\s+(.+)$`)

func parseBenchmarks(out []byte) (rows []row) {
	at := map[string]int{}
	for lines := bufio.NewScanner(bytes.NewReader(out)); lines.Scan(); {
		m := benchmarkLine.FindStringSubmatch(lines.Text())
		if m == nil {
			continue
		}
		n, ok := at[m[1]]
		if !ok {
			n = len(rows)
			at[m[1]] = n
			rows = append(rows, row{name: m[1], figures: map[string][]float64{}})
		}
		fields := strings.Fields(m[2])
		for i := 0; i+1 < len(fields); i += 2 {
			v, err := strconv.ParseFloat(fields[i], 64)
			if err != nil {
				break
			}
			unit := fields[i+1]
			if rows[n].figures[unit] == nil {
				rows[n].units = append(rows[n].units, unit)
			}
			rows[n].figures[unit] = append(rows[n].figures[unit], v)
		}
	}
	return rows
}
