package loadtest

import (
	"bytes"
	"fmt"
	"os"
	"runtime/pprof"
	"strings"
	"time"

	"github.com/google/pprof/profile"
)

// Share is one part of the product with the functions that belong to it.
type Share struct {
	Name     string
	Prefixes []string // of function names with their package paths
}

// collector is the share of what runs for all: the garbage collector and the scheduler.
const (
	collector = "garbage collection"
	others    = "scheduler and other"
)

// profiled takes a CPU profile of this process.
type profiled struct{ buf bytes.Buffer }

func startProfile() (*profiled, error) {
	p := &profiled{}
	if err := pprof.StartCPUProfile(&p.buf); err != nil {
		return nil, fmt.Errorf("loadtest: profile: %w", err)
	}
	return p, nil
}

// stop ends the profile, keeps it when a file is named, and divides it: a sample belongs to the share of the innermost
// function that has one, so that what a part calls below it is its own.
func (p *profiled) stop(shares []Share, keep string) (map[string]time.Duration, error) {
	pprof.StopCPUProfile()
	if keep != "" {
		if err := os.WriteFile(keep, p.buf.Bytes(), 0o600); err != nil {
			return nil, fmt.Errorf("loadtest: profile: %w", err)
		}
	}
	parsed, err := profile.Parse(&p.buf)
	if err != nil {
		return nil, fmt.Errorf("loadtest: profile: %w", err)
	}
	out := map[string]time.Duration{}
	known := map[uint64]string{} // by location
	for _, l := range parsed.Location {
		known[l.ID] = shareOf(l, shares)
	}
	for _, s := range parsed.Sample {
		name := others
		for _, l := range s.Location {
			if known[l.ID] != "" {
				name = known[l.ID]
				break
			}
		}
		out[name] += time.Duration(s.Value[len(s.Value)-1]) // samples, then nanoseconds
	}
	return out, nil
}

func shareOf(l *profile.Location, shares []Share) string {
	for _, line := range l.Line {
		if line.Function == nil {
			continue
		}
		name := line.Function.Name
		if strings.HasPrefix(name, "runtime.gcBgMarkWorker") || strings.HasPrefix(name, "runtime.gcAssist") || strings.HasPrefix(name, "runtime.bgsweep") {
			return collector
		}
		for _, s := range shares {
			for _, p := range s.Prefixes {
				if strings.HasPrefix(name, p) {
					return s.Name
				}
			}
		}
	}
	return ""
}
