package main

import (
	"strings"
	"testing"

	"foresight/internal/loadtest"
)

func TestMediansOfRuns(t *testing.T) {
	rows := parseBenchmarks([]byte(`goos: linux
BenchmarkBatch/20_entries-2   	   20000	    61218 ns/op	     16335 messages/s	   10169 B/op	      48 allocs/op
BenchmarkBatch/20_entries-2   	   20000	    51218 ns/op	     18335 messages/s	   10169 B/op	      48 allocs/op
BenchmarkBatch/20_entries-2   	   20000	    99218 ns/op	     10335 messages/s	   10169 B/op	      48 allocs/op
BenchmarkMemory-2   	       1	2571580157 ns/op	      3468 B/sensor
PASS
`))
	if len(rows) != 2 || rows[0].name != "Batch/20_entries" || rows[1].name != "Memory" {
		t.Fatalf("%+v", rows)
	}
	if m := median(rows[0].figures["messages/s"]); m != 16335 {
		t.Errorf("median %v", m)
	}
	if m := median(rows[1].figures["B/sensor"]); m != 3468 {
		t.Errorf("median %v", m)
	}
}

func TestThePageTellsWhatWentWrong(t *testing.T) {
	r := results{loads: []load{{scenario: scenario{name: "A load", rate: 100}, command: "foresight loadtest", around: []string{"1, 1, 1"}, runs: []outcome{
		{Report: loadtest.Report{AckedRate: 100, StoredRate: 90, Server: &loadtest.Server{}, Verdict: &loadtest.Verdict{Expected: 10}, CPU: map[string]float64{"log": 7}, DatabaseCPU: 3}, Sustained: true},
		{Report: loadtest.Report{AckedRate: 100, StoredRate: 80, Server: &loadtest.Server{}, Verdict: &loadtest.Verdict{Expected: 10, Lost: 2}}},
	}}}}
	var out strings.Builder
	if err := r.write(&out); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"### A load", "| kept up | 1 of 2 runs |", "| 2, 0, 0, 0 (of all runs) of 10 messages |", "| stored | 80/s |", "| together |"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is missing in\n%s", want, out.String())
		}
	}
}

func TestOnePartAloneKeepsTheOther(t *testing.T) {
	page := func(r results) string {
		var out strings.Builder
		if err := r.write(&out); err != nil {
			t.Fatal(err)
		}
		return out.String()
	}
	loads := []load{{scenario: scenario{name: "A load"}, runs: []outcome{{Report: loadtest.Report{Server: &loadtest.Server{}}}}}}
	paths := []section{{path: path{name: "A path"}}}
	whole := page(results{loads: loads, paths: paths, loadsWhen: "on Monday", pathsWhen: "on Monday"})
	for _, r := range []results{{loads: loads, loadsWhen: "on Friday"}, {paths: paths, pathsWhen: "on Friday"}} {
		r.before = whole
		now := page(r)
		want := strings.Replace(whole, "on Monday", "on Friday", 1)
		if len(r.paths) > 0 {
			want = strings.Replace(whole, hotPaths+"\non Monday", hotPaths+"\non Friday", 1)
		}
		if now != want {
			t.Errorf("have\n%s\nwant\n%s", now, want)
		}
	}
}

// A path that is measured alone takes its place among the others, which stay to the
// letter, and says when that was.
func TestOnePathAloneKeepsTheOthers(t *testing.T) {
	page := func(r results) string {
		var out strings.Builder
		if err := r.write(&out); err != nil {
			t.Fatal(err)
		}
		return out.String()
	}
	measured := func(p path, figure float64) section {
		return section{path: p, rows: []row{{name: "B", units: []string{"ns/op"}, figures: map[string][]float64{"ns/op": {figure}}}}}
	}
	first, added, last := paths[0], paths[1], paths[len(paths)-1]
	before := page(results{paths: []section{measured(first, 1), measured(last, 2)}, pathsWhen: "on Monday"})
	r := results{before: before, paths: []section{measured(added, 3)}, pathsWhen: "on Friday"}
	r.keepPaths()
	now := page(r)
	alone := measured(added, 3)
	alone.when = "on Friday"
	want := page(results{paths: []section{measured(first, 1), alone, measured(last, 2)}, pathsWhen: "on Monday"})
	if now != want {
		t.Errorf("have\n%s\nwant\n%s", now, want)
	}
	r = results{before: now, paths: []section{measured(first, 4)}, pathsWhen: "on Sunday"}
	r.keepPaths()
	if again := page(r); strings.Count(again, "on Friday") != 1 || strings.Count(again, "on Sunday") != 1 || strings.Count(again, "### ") != 3 {
		t.Errorf("have\n%s", again)
	}
}
