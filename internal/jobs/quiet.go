package jobs

import (
	"context"
	"log/slog"
	"regexp"
)

// quiet keeps what River says in ordinary operation out of the log: a job's failure is
// logged here, with its tenant.
type quiet struct{ slog.Handler }

// unanswered is in the text of errors of a database that is slow or away. River gives
// texts, not errors.
var unanswered = regexp.MustCompile(`deadline exceeded|timed? ?out|connect|conn closed|\bEOF\b|broken pipe|SQLSTATE (08|53|57)`)

func (q quiet) Enabled(ctx context.Context, l slog.Level) bool {
	return l >= slog.LevelError && q.Handler.Enabled(ctx, l)
}

// Handle tells of a database that did not answer as a warning, as everything else here
// does: River tries again.
func (q quiet) Handle(ctx context.Context, r slog.Record) error {
	r.Attrs(func(a slog.Attr) bool {
		if (a.Key == "err" || a.Key == "error") && unanswered.MatchString(a.Value.String()) {
			r.Level = slog.LevelWarn
		}
		return true
	})
	if !q.Handler.Enabled(ctx, r.Level) {
		return nil
	}
	return q.Handler.Handle(ctx, r)
}

func (q quiet) WithAttrs(a []slog.Attr) slog.Handler { return quiet{q.Handler.WithAttrs(a)} }
func (q quiet) WithGroup(name string) slog.Handler   { return quiet{q.Handler.WithGroup(name)} }
