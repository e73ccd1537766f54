package lifecycle

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestEveryGoesOnAfterAnError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		var at []time.Duration
		begin := time.Now()
		p := Every("sweeper", time.Minute, slog.New(slog.NewTextHandler(&out, nil)), func(context.Context) error {
			at = append(at, time.Since(begin))
			if len(at) == 1 {
				return errors.New("no broom")
			}
			return nil
		})
		if err := p.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		time.Sleep(2*time.Minute + time.Second)
		if err := p.Stop(t.Context()); err != nil {
			t.Fatal(err)
		}
		if len(at) != 3 || at[0] != 0 || at[1] != time.Minute || at[2] != 2*time.Minute {
			t.Errorf("done at %v, want at once and each minute", at)
		}
		if log := out.String(); strings.Count(log, "\n") != 1 || !strings.Contains(log, "part=sweeper") || !strings.Contains(log, "no broom") {
			t.Errorf("logged %q", log)
		}
		time.Sleep(time.Hour)
		if len(at) != 3 {
			t.Error("it went on after its stop")
		}
	})
}

func TestStopEndsWhatIsBeingDone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		ended := false
		p := Every("sweeper", time.Minute, slog.New(slog.NewTextHandler(&out, nil)), func(ctx context.Context) error {
			<-ctx.Done()
			time.Sleep(time.Second) // it takes a moment to leave
			ended = true
			return ctx.Err()
		})
		start, cancel := context.WithCancel(t.Context())
		if err := p.Start(start); err != nil {
			t.Fatal(err)
		}
		cancel() // bounds the start only
		synctest.Wait()
		if ended {
			t.Fatal("the context of the start ended the part")
		}
		hasty, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		if err := p.Stop(hasty); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("a stop that could not wait: %v", err)
		}
		if err := p.Stop(t.Context()); err != nil || !ended {
			t.Errorf("stopped with %v before the end", err)
		}
		if out.Len() > 0 {
			t.Errorf("a stop is no failure: %q", out.String())
		}
	})
}
