// Package command is the command line: each command reads the configuration and
// runs one thing.
package command

import (
	"errors"
	"log/slog"
	"os"

	"github.com/spf13/cobra"

	"foresight/internal/app"
	"foresight/internal/config"
	"foresight/internal/obs"
	"foresight/migrations"
)

// Root returns the command tree.
func Root(version string) *cobra.Command {
	root := &cobra.Command{
		Use: "foresight", Short: "Predictive maintenance of industrial machines", Version: version,
		SilenceUsage: true, SilenceErrors: true,
	}
	root.AddCommand(serve(version), demonstrate(version), status(), simulation(), migrate(), tenants(), configure(), printSchema(), health(), keys(), loadTest(), replay(), natsServer())
	return root
}

// setup reads the configuration and makes the log of the process.
func setup() (*config.Config, *slog.Logger, error) {
	cfg, err := config.Load()
	if err != nil {
		return nil, nil, err
	}
	level, err := cfg.Level()
	if err != nil {
		return nil, nil, err
	}
	log, err := obs.NewLogger(os.Stderr, cfg.LogFormat, level)
	if err != nil {
		return nil, nil, err
	}
	slog.SetDefault(log)
	if cfg.DataDir, err = app.DataDir(cfg.DataDir); err != nil {
		return nil, nil, err
	}
	return cfg, log, nil
}

func serve(version string) *cobra.Command {
	c := &cobra.Command{Use: "serve", Short: "Run the product", Args: cobra.NoArgs}
	roles := c.Flags().StringSlice("roles", nil, "parts to run: api, ingest, worker, jobs (default: FORESIGHT_ROLES)")
	c.RunE = func(c *cobra.Command, _ []string) error {
		cfg, log, err := setup()
		if err != nil {
			return err
		}
		if len(*roles) > 0 {
			cfg.Roles = *roles
			if err := cfg.Verify(); err != nil {
				return err
			}
		}
		a := app.New(cfg, log, nil)
		a.Version = version
		return a.Run(c.Context(), app.Announce(a, log))
	}
	return c
}

func migrate() *cobra.Command {
	c := &cobra.Command{Use: "migrate", Short: "Change the database schema (needs FORESIGHT_DATABASE_OWNER_URL)"}
	run := func(use, short string, f func(*cobra.Command, string) error) *cobra.Command {
		return &cobra.Command{Use: use, Short: short, Args: cobra.NoArgs, RunE: func(c *cobra.Command, _ []string) error {
			cfg, err := config.Load()
			if err != nil {
				return err
			}
			if cfg.EmbeddedDatabase() {
				return errors.New("set FORESIGHT_DATABASE_OWNER_URL; the private PostgreSQL is migrated at its start")
			}
			return f(c, cfg.Database.OwnerURL)
		}}
	}
	c.AddCommand(
		run("up", "Apply what is missing", func(c *cobra.Command, dsn string) error { return migrations.Up(c.Context(), dsn) }),
		run("down", "Take back everything, and with it all data", func(c *cobra.Command, dsn string) error { return migrations.Down(c.Context(), dsn) }),
		run("status", "Print the version of the database and of this build", func(c *cobra.Command, dsn string) error {
			have, err := migrations.Version(c.Context(), dsn)
			if err != nil {
				return err
			}
			c.Printf("database %d, build %d\n", have, migrations.Latest())
			return nil
		}),
	)
	return c
}

func configure() *cobra.Command {
	c := &cobra.Command{Use: "config", Short: "Print the settings in force, without secrets", Args: cobra.NoArgs}
	markdown := c.Flags().Bool("markdown", false, "print docs/configuration.md")
	c.RunE = func(c *cobra.Command, _ []string) error {
		if *markdown {
			_, err := c.OutOrStdout().Write([]byte(config.Markdown()))
			return err
		}
		cfg, err := config.Load()
		if cfg != nil {
			if perr := cfg.Print(c.OutOrStdout()); err == nil {
				err = perr
			}
		}
		return err
	}
	return c
}
