package postgres

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"time"

	"github.com/jackc/pgx/v5"

	"foresight/internal/id"
)

// ChangeChannel carries a Change for each statement that changes what processes
// keep in memory: tenants, plant, parameters, rules and deployments.
const ChangeChannel = "foresight_changes"

// Change is a notice: rows of the tenant in the table have changed. Tenant is nil
// for built-in rows.
type Change struct {
	Tenant id.UUID
	Table  string
}

// ParseChange reads a payload of ChangeChannel.
func ParseChange(payload string) (Change, error) {
	var w struct {
		Tenant *id.UUID `json:"tenant"`
		Table  string   `json:"table"`
	}
	if err := json.Unmarshal([]byte(payload), &w); err != nil {
		return Change{}, fmt.Errorf("postgres: change notice: %w", err)
	}
	if w.Table == "" {
		return Change{}, errors.New("postgres: change notice without a table")
	}
	c := Change{Table: w.Table}
	if w.Tenant != nil {
		c.Tenant = *w.Tenant
	}
	return c, nil
}

// Delays between attempts to connect, and how long a silent connection is trusted.
const (
	firstRetry = 100 * time.Millisecond
	lastRetry  = 5 * time.Second
	pingEvery  = 30 * time.Second
)

// Listen calls f with the payload of every notice on the channel until ctx ends,
// whose error it returns. It has a connection of its own and makes it again when
// it breaks. Notices sent meanwhile are lost; so f is called with an empty payload
// whenever listening has begun, at first and after each break, to say that all may
// have changed. Calls of f come one at a time; a slow f delays the next, notices
// wait at the server.
func Listen(ctx context.Context, dsn, channel string, log *slog.Logger, f func(payload string)) error {
	cfg, err := pgx.ParseConfig(dsn)
	if err != nil {
		return errors.New("postgres: the DSN is malformed")
	}
	retry := firstRetry
	for {
		err := listenOnce(ctx, cfg, channel, func(payload string) {
			retry = firstRetry
			f(payload)
		})
		if ctx.Err() != nil {
			return ctx.Err()
		}
		log.WarnContext(ctx, "listening was interrupted", "channel", channel, "error", err, "retry_in", retry)
		if !pause(ctx, retry/2+rand.N(retry/2)) { // spread the processes
			return ctx.Err()
		}
		retry = min(2*retry, lastRetry)
	}
}

func listenOnce(ctx context.Context, cfg *pgx.ConnConfig, channel string, f func(payload string)) error {
	conn, err := pgx.ConnectConfig(ctx, cfg)
	if err != nil {
		return err
	}
	defer func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		_ = conn.Close(ctx) // broken or no longer wanted
	}()
	if _, err := conn.Exec(ctx, "LISTEN "+pgx.Identifier{channel}.Sanitize()); err != nil {
		return err
	}
	f("")
	for {
		wait, cancel := context.WithTimeout(ctx, pingEvery)
		n, err := conn.WaitForNotification(wait)
		quiet := wait.Err() != nil && ctx.Err() == nil
		cancel()
		switch {
		case err == nil:
			f(n.Payload)
		case quiet:
			// A peer that vanished without a word is noticed by asking.
			if err := ping(ctx, conn); err != nil {
				return err
			}
		default:
			return err
		}
	}
}

func ping(ctx context.Context, conn *pgx.Conn) error {
	ctx, cancel := context.WithTimeout(ctx, lastRetry)
	defer cancel()
	return conn.Ping(ctx)
}
