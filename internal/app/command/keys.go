package command

import (
	"errors"
	"fmt"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"foresight/internal/app"
	"foresight/internal/auth"
	"foresight/internal/config"
)

// keys shows and rotates the keys that sign access tokens.
func keys() *cobra.Command {
	c := &cobra.Command{Use: "keys", Short: "Show and rotate the keys that sign access tokens"}
	run := func(use, short, long string, f func(*cobra.Command, *config.Config, string) error) *cobra.Command {
		return &cobra.Command{Use: use, Short: short, Long: long, Args: cobra.NoArgs, RunE: func(c *cobra.Command, _ []string) error {
			cfg, err := config.Load()
			if err != nil {
				return err
			}
			if cfg.Auth.HS256Key != "" {
				return errors.New("tokens are signed with the shared secret FORESIGHT_AUTH_HS256_KEY: there are no keys to rotate")
			}
			if cfg.DataDir, err = app.DataDir(cfg.DataDir); err != nil {
				return err
			}
			return f(c, cfg, app.KeyFile(cfg))
		}}
	}
	c.AddCommand(
		run("list", "List the keys", "", func(c *cobra.Command, _ *config.Config, file string) error { return listKeys(c, file) }),
		run("rotate", "Sign with a fresh key from now on", "Sign with a fresh key from now on. Running processes take it up within seconds; the former key verifies "+
			"until the tokens it has signed have expired. Run it as the user that the server runs as, who must be able to read the file.",
			func(c *cobra.Command, cfg *config.Config, file string) error {
				if _, err := auth.RotateKeys(file, app.KeyOverlap(cfg), time.Now()); err != nil {
					return err
				}
				return listKeys(c, file)
			}),
	)
	return c
}

func listKeys(c *cobra.Command, file string) error {
	list, err := auth.ListKeys(file)
	if err != nil {
		return err
	}
	w := tabwriter.NewWriter(c.OutOrStdout(), 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "KEY\tMADE\tUSE")
	for _, k := range list {
		made, use := "-", "signs and verifies"
		if !k.Made.IsZero() {
			made = k.Made.UTC().Format(time.RFC3339)
		}
		switch {
		case k.Signs:
		case k.Expires.IsZero():
			use = "verifies"
		case k.Expires.After(time.Now()):
			use = "verifies until " + k.Expires.UTC().Format(time.RFC3339)
		default:
			use = "expired"
		}
		fmt.Fprintf(w, "%s\t%s\t%s\n", k.ID, made, use)
	}
	return w.Flush()
}
