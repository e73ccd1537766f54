package app

import (
	"context"
	"errors"
	"log/slog"
	"net/url"
	"path/filepath"

	"github.com/jackc/pgx/v5"

	"foresight/ent"
	"foresight/ingestion/landing"
	"foresight/ingestion/upkeep"
	"foresight/internal/access"
	"foresight/internal/alarms"
	"foresight/internal/config"
	"foresight/internal/fault"
	"foresight/internal/id"
	"foresight/internal/jobs"
	"foresight/internal/mail"
	"foresight/internal/postgres"
	"foresight/internal/secret"
	"foresight/locales"
)

// startTenants gives every tenant what this build says that tenants have.
func (a *App) startTenants(ctx context.Context) error {
	return a.part(ctx, "system roles", func(ctx context.Context) error {
		s, err := a.access(nobody{}, nil)
		if err != nil {
			return err
		}
		tenants, err := postgres.Tenants(ctx, a.db.worker)
		if err != nil {
			return err
		}
		for _, t := range tenants {
			if err := s.EnsureSystemRoles(ctx, t); err != nil {
				return err
			}
		}
		return nil
	}, nil)
}

// access returns the service of tenants and people. Letters go by post, or by none.
func (a *App) access(sessions access.Sessions, post *access.Post) (*access.Service, error) {
	public, err := url.Parse(a.cfg.PublicURL)
	if err != nil {
		return nil, err
	}
	if post == nil {
		post = access.NewPost(access.PostOptions{Log: a.log})
	}
	box, err := a.box()
	if err != nil {
		return nil, err
	}
	champions, err := shippedChampions()
	if err != nil {
		return nil, err
	}
	return access.New(access.Config{
		DB: a.db.sql, App: a.db.app, Registry: a.db.worker, Hasher: a.hasher, Sessions: sessions, Post: post, Sealer: box,
		Begin: func(ctx context.Context, c *ent.Client) error {
			for _, champion := range champions {
				if err := champion.Register(ctx, c); err != nil {
					return err
				}
			}
			rules := alarms.NewRuleService(c)
			for _, spec := range alarms.DefaultRules() {
				if _, err := rules.Create(ctx, spec); err != nil {
					return err
				}
			}
			return nil
		},
		PublicURL: public, OpenRegistration: a.cfg.Auth.OpenRegistration, Operator: a.cfg.OperatorTenant, Log: a.log,
	})
}

// box opens the keys that seal secrets in the database.
func (a *App) box() (*secret.Box, error) {
	file := a.cfg.SecretKeyFile
	if file == "" {
		file = filepath.Join(a.cfg.DataDir, "keys", "secrets.json")
	}
	return secret.Open(file)
}

// post returns what sends letters, by jobs of the queue.
func (a *App) post(queue *jobs.Queue) (*access.Post, error) {
	o := access.PostOptions{Log: a.log, Registerer: a.metrics}
	cfg := a.cfg.Mail
	if cfg.Host == "" {
		return access.NewPost(o), nil
	}
	box, err := a.box()
	if err != nil {
		return nil, err
	}
	m, err := mail.NewSMTP(mail.Options{Host: cfg.Host, Port: cfg.Port, Security: mail.Security(cfg.Security),
		Username: cfg.Username, Password: cfg.Password, From: cfg.From}, locales.New())
	if err != nil {
		return nil, err
	}
	o.Mailer, o.Queue, o.Sealer = m, queue, box
	return access.NewPost(o), nil
}

// nobody has sessions: for what runs before, or without, the doors.
type nobody struct{}

// RevokeActor implements access.Sessions.
func (nobody) RevokeActor(id.UUID) {}

// NewTenant makes a tenant in a process that does nothing else, and returns it with
// the link by which its admin sets a password. The private PostgreSQL must not be in
// use by another process.
func NewTenant(ctx context.Context, cfg *config.Config, log *slog.Logger, n access.NewTenant) (founded *access.Founded, err error) {
	err = New(cfg, log, nil).withDatabase(ctx, func(ctx context.Context, a *App) error {
		s, err := a.access(nobody{}, nil)
		if err == nil {
			founded, err = s.Found(ctx, n, nil)
		}
		return err
	})
	return founded, err
}

// Purged is what was deleted of a tenant.
type Purged struct {
	Documents int64 // readings, predictions and rollups
	Files     int   // of the landing zone
}

// PurgeTenant deletes all telemetry of a tenant that is locked, in a process that does
// nothing else. The private PostgreSQL must not be in use by another process.
func PurgeTenant(ctx context.Context, cfg *config.Config, log *slog.Logger, code string) (p Purged, err error) {
	err = New(cfg, log, nil).withDatabase(ctx, func(ctx context.Context, a *App) error {
		var tenant id.UUID
		switch err := a.db.worker.QueryRow(ctx, `SELECT id FROM tenants WHERE code = $1`, code).Scan(&tenant); {
		case errors.Is(err, pgx.ErrNoRows):
			return fault.Missing("Tenant")
		case err != nil:
			return err
		}
		if err := a.startTelemetry(ctx); err != nil {
			return err
		}
		if p.Documents, err = upkeep.Purge(ctx, a.db.worker, a.store(), tenant); err != nil || !cfg.Landing.Enabled {
			return err
		}
		files, err := a.openBucket(ctx, cfg.Landing.URL, "landing")
		if err != nil {
			return err
		}
		err = postgres.Alone(ctx, a.db.worker, landingTask, func(ctx context.Context) (err error) {
			p.Files, err = landing.Forget(ctx, files, tenant)
			return err
		})
		return errors.Join(err, files.Close())
	})
	return p, err
}

// withDatabase starts the database alone, and stops it after f.
func (a *App) withDatabase(ctx context.Context, f func(context.Context, *App) error) (err error) {
	defer func() {
		if stopped := a.Stop(context.WithoutCancel(ctx)); err == nil {
			err = stopped
		}
	}()
	if err := a.startDatabase(ctx); err != nil {
		return err
	}
	return f(ctx, a)
}
