package command

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/spf13/cobra"

	"foresight/internal/config"
)

// healthTimeout bounds the question; the server bounds its checks at 2 s.
const healthTimeout = 4 * time.Second

// health asks a running process, for container images without a shell.
func health() *cobra.Command {
	c := &cobra.Command{Use: "health", Short: "Ask the process at FORESIGHT_HTTP_ADDR whether it is ready", Args: cobra.NoArgs}
	url := c.Flags().String("url", "", "ask there instead: an address that answers 200 when all is well")
	c.RunE = func(c *cobra.Command, _ []string) error {
		if *url == "" {
			cfg, err := config.Load()
			if err != nil {
				return err
			}
			base, err := onThisMachine(cfg.HTTPAddr)
			if err != nil {
				return err
			}
			*url = base + "/readyz"
		}
		ctx, cancel := context.WithTimeout(c.Context(), healthTimeout)
		defer cancel()
		return askReady(ctx, *url, c.OutOrStdout())
	}
	return c
}

// onThisMachine is where a bound address is reached from here.
func onThisMachine(addr string) (string, error) {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return "", err
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "localhost"
	}
	return "http://" + net.JoinHostPort(host, port), nil
}

// askReady fails unless the answer is 200, and copies the answer.
func askReady(ctx context.Context, url string, out io.Writer) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if _, err := io.Copy(out, io.LimitReader(res.Body, 64<<10)); err != nil {
		return err
	}
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("not ready: %s", res.Status)
	}
	return nil
}
