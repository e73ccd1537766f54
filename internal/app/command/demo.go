package command

import (
	"context"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"

	"foresight/internal/app"
	"foresight/internal/app/demo"
)

func demonstrate(version string) *cobra.Command {
	c := &cobra.Command{Use: "demo", Short: "Run the whole product with simulated machines", Args: cobra.NoArgs}
	rate := c.Flags().Float64("rate", 1, "readings per second of each machine; 0 leaves the simulator off")
	c.RunE = func(c *cobra.Command, _ []string) error {
		begin := time.Now()
		quiet("FORESIGHT_LOG_LEVEL", "warn")
		quiet("FORESIGHT_LOG_FORMAT", "text")
		quiet("FORESIGHT_AUTH_OPEN_REGISTRATION", "true")
		quiet("FORESIGHT_GRAPH_INTROSPECTION", "true")
		cfg, log, err := setup()
		if err != nil {
			return err
		}
		out := c.OutOrStdout()
		step := func(name string, took time.Duration) {
			fmt.Fprintf(out, "  %-22s %6.0f ms\n", name, float64(took.Microseconds())/1000)
		}
		fmt.Fprintf(out, "Foresight demo, data in %s\n", cfg.DataDir)
		a := app.New(cfg, log, step)
		a.Version = version
		return a.Run(c.Context(), func(ctx context.Context) error {
			if err := a.StartDemo(ctx, *rate); err != nil {
				return err
			}
			welcome(out, a, time.Since(begin))
			return nil
		})
	}
	return c
}

// quiet sets what the user has not set.
func quiet(name, value string) {
	if _, set := os.LookupEnv(name); !set {
		_ = os.Setenv(name, value) // the names are good
	}
}

func welcome(out io.Writer, a *app.App, took time.Duration) {
	fmt.Fprintf(out, "\nReady in %.1f s: %s\n\n", took.Seconds(), a.URL())
	fmt.Fprintln(out, "Sign in with one of these, password "+demo.Password+":")
	for _, l := range demo.Logins() {
		fmt.Fprintln(out, "  "+l)
	}
	fmt.Fprintln(out, "Partner clients (POST /oauth/token), secret "+demo.ClientSecret+":")
	for _, l := range demo.Clients() {
		fmt.Fprintln(out, "  "+l)
	}
	fmt.Fprintf(out, "MQTT at %s, user {tenant}.{gateway} such as alpha-grid.gw-north, password %s\n", a.MQTTAddr, demo.GatewayPassword)
	fmt.Fprintln(out, "Ctrl-C stops; the data stays for the next start.")
}
