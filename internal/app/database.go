package app

import (
	"context"
	"database/sql"
	"fmt"
	"path/filepath"

	"github.com/jackc/pgx/v5/pgxpool"

	"foresight/ent"
	"foresight/internal/embedded/pg"
	"foresight/internal/postgres"
	"foresight/migrations"
)

// databases are the connections to PostgreSQL, one for each role.
type databases struct {
	owner, appURL, workerURL string
	app, worker              *pgxpool.Pool
	sql                      *sql.DB
	ent                      *ent.Client
	server                   *pg.Server // the private one, nil when there is none
}

// databaseName is the database in the private PostgreSQL.
const databaseName = "foresight"

func (a *App) startDatabase(ctx context.Context) error {
	d := &a.db
	d.owner, d.appURL, d.workerURL = a.cfg.Database.OwnerURL, a.cfg.Database.AppURL, a.cfg.Database.WorkerURL
	if a.cfg.EmbeddedDatabase() {
		server := pg.New(pg.Options{Dir: filepath.Join(a.cfg.DataDir, "postgres"), BinDir: a.cfg.Database.BinDir,
			NPMDir: ".tools/postgres", Log: a.log})
		if err := a.start(ctx, server); err != nil {
			return err
		}
		d.server = server
		if err := server.EnsureDatabase(ctx, databaseName); err != nil {
			return err
		}
		d.owner = server.DSN(pg.Owner, databaseName)
		d.appURL = server.DSN("foresight_app", databaseName)
		d.workerURL = server.DSN("foresight_worker", databaseName)
	}
	if err := a.part(ctx, "migrations", a.migrate, nil); err != nil {
		return err
	}
	return a.part(ctx, "connections", d.open(a.cfg.Database.MaxConns), d.close)
}

func (a *App) migrate(ctx context.Context) error {
	if a.cfg.Database.AutoMigrate {
		return migrations.Up(ctx, a.db.owner)
	}
	have, err := migrations.Version(ctx, a.db.owner)
	if err != nil {
		return err
	}
	if want := migrations.Latest(); have != want {
		return fmt.Errorf("the database is at migration %d, this build needs %d: run `foresight migrate up`", have, want)
	}
	return nil
}

func (d *databases) open(maxConns int) func(context.Context) error {
	return func(ctx context.Context) (err error) {
		if d.app, err = postgres.Open(ctx, d.appURL, postgres.Options{Name: "foresight app", MaxConns: int32(maxConns)}); err != nil {
			return err
		}
		if d.worker, err = postgres.Open(ctx, d.workerURL, postgres.Options{Name: "foresight worker", MaxConns: int32(maxConns)}); err != nil {
			d.app.Close()
			return err
		}
		d.sql = postgres.OpenDB(d.app)
		d.ent = postgres.Client(d.sql)
		return nil
	}
}

func (d *databases) close(context.Context) error {
	err := d.sql.Close()
	d.worker.Close()
	d.app.Close()
	return err
}

// listen delivers change notices until the context ends.
func (a *App) listen(ctx context.Context, deliver func(payload string)) error {
	return postgres.Listen(ctx, a.db.workerURL, postgres.ChangeChannel, a.log, deliver)
}
