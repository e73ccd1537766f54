package jobs

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"testing"
)

// What River tries again because the database is slow is a warning; what is wrong for
// good stays an error, and what is ordinary is not said.
func TestQuiet(t *testing.T) {
	var said bytes.Buffer
	log := slog.New(quiet{slog.NewTextHandler(&said, nil)}).With("part", "jobs")
	log.Info("started")
	log.Warn("slow")
	log.Error("Error attempting reelection", "err", "leadership.attemptReelect timed out after 5s: context deadline exceeded")
	log.Error("Error connecting listener", "err", errors.New("FATAL: terminating connection due to administrator command (SQLSTATE 57P01)"))
	log.Error("panic recovery; possible bug with Worker", "err", "runtime error: index out of range")
	var levels []string
	for line := range strings.Lines(said.String()) {
		for _, field := range strings.Fields(line) {
			if level, is := strings.CutPrefix(field, "level="); is {
				levels = append(levels, level)
			}
		}
	}
	if got := strings.Join(levels, " "); got != "WARN WARN ERROR" {
		t.Errorf("levels %q of\n%s", got, &said)
	}
}
