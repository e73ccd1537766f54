package command

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"foresight/internal/loadtest"
	installation "foresight/internal/status"
)

// The environment of the status command: secrets do not belong on a command line.
const (
	statusPassword = "FORESIGHT_PASSWORD"
	statusToken    = "FORESIGHT_TOKEN"
)

const statusTimeout = 15 * time.Second

// status asks a process of the API how the installation stands.
func status() *cobra.Command {
	c := &cobra.Command{Use: "status", Short: "Show processes, partitions with their owners and lags, and the log", Args: cobra.NoArgs,
		Long: `Asks a process with the role api at --url. Those who operate the installation may ask:
people of the tenant FORESIGHT_OPERATOR_TENANT who may change it. Sign in by --email with
the password in ` + statusPassword + `, or give an access token in ` + statusToken + `.`}
	url := c.Flags().String("url", "http://localhost:8080", "address of a process of the API")
	email := c.Flags().String("email", "", "sign in as this person")
	tenant := c.Flags().String("tenant", "", "code of the tenant to sign in to, for people of several")
	asJSON := c.Flags().Bool("json", false, "print JSON")
	c.RunE = func(c *cobra.Command, _ []string) error {
		ctx, cancel := context.WithTimeout(c.Context(), statusTimeout)
		defer cancel()
		g := &loadtest.Graph{URL: strings.TrimSuffix(*url, "/"), Token: os.Getenv(statusToken), HTTP: http.DefaultClient}
		switch {
		case *email != "":
			if err := g.Login(ctx, *email, os.Getenv(statusPassword), *tenant); err != nil {
				return err
			}
		case g.Token == "":
			return errors.New("sign in by --email and " + statusPassword + ", or set " + statusToken)
		}
		raw, err := askStatus(ctx, g.URL+"/status", g.Token)
		if err != nil {
			return err
		}
		if *asJSON {
			_, err := fmt.Fprintf(c.OutOrStdout(), "%s\n", raw)
			return err
		}
		var i installation.Installation
		if err := json.Unmarshal(raw, &i); err != nil {
			return fmt.Errorf("status: %w", err)
		}
		return printStatus(c.OutOrStdout(), &i)
	}
	return c
}

func askStatus(ctx context.Context, url, token string) ([]byte, error) {
	q, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	q.Header.Set("Authorization", "Bearer "+token)
	res, err := http.DefaultClient.Do(q)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(res.Body, 16<<20))
	if err != nil {
		return nil, err
	}
	if res.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("status: %s: %s", res.Status, raw)
	}
	return raw, nil
}

// printStatus writes tables for people.
func printStatus(out io.Writer, i *installation.Installation) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "PROCESS\tROLES\tVERSION\tADDRESS\tUP\tPARTITIONS\tSTATE")
	for _, p := range i.Processes {
		state := "alive"
		if !p.Alive {
			state = fmt.Sprintf("silent for %s", seconds(p.SilentSeconds))
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%d\t%s\n", p.Name, strings.Join(p.Roles, ","), p.Version, p.Address,
			i.At.Sub(p.StartedAt).Round(time.Second), p.PartitionsHeld, state)
	}
	fmt.Fprintln(w, "\nPARTITION\tOWNER\tEPOCH\tLEASE\tCHECKPOINT\tLAG\tBEHIND")
	for _, p := range i.Partitions {
		owner, lease := p.Owner, seconds(p.LeaseSeconds)
		switch {
		case owner == "":
			owner, lease = "nobody", "-"
		case !p.Leased:
			lease = "over"
		}
		lag, behind := lagOf(p.LagMessages, p.LagSeconds)
		fmt.Fprintf(w, "%d\t%s\t%d\t%s\t%d\t%s\t%s\n", p.Number, owner, p.Epoch, lease, p.Checkpoint, lag, behind)
	}
	if len(i.Readers) > 0 {
		fmt.Fprintln(w, "\nREADER\tLOG\tLAG\tBEHIND")
	}
	for _, r := range i.Readers {
		lag, behind := lagOf(r.LagMessages, r.LagSeconds)
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", r.Name, r.Log, lag, behind)
	}
	fmt.Fprintln(w, "\nSTREAM\tMESSAGES\tBYTES\tLIMIT\tFULL\tCOPIES\tLEADER\tCONSUMERS")
	for _, s := range i.Streams {
		limit, full := "none", "-"
		if s.LimitBytes > 0 {
			limit, full = fmt.Sprint(s.LimitBytes), fmt.Sprintf("%.1f %%", 100*float64(s.Bytes)/float64(s.LimitBytes))
		}
		var consumers []string
		for _, c := range s.Consumers {
			consumers = append(consumers, fmt.Sprintf("%s %d behind", c.Name, c.LagMessages))
		}
		fmt.Fprintf(w, "%s\t%d\t%d\t%s\t%s\t%d of %d\t%s\t%s\n", s.Name, s.Messages, s.Bytes, limit, full, s.Current, s.Replicas, s.Leader, strings.Join(consumers, ", "))
	}
	if i.LogFailure != "" {
		fmt.Fprintf(w, "\n%s: lags and streams are not known\n", i.LogFailure)
	}
	return w.Flush()
}

func seconds(s float64) string { return fmt.Sprintf("%.1fs", s) }

// lagOf is "?" while nothing is known.
func lagOf(messages *uint64, age *float64) (lag, behind string) {
	if messages == nil || age == nil {
		return "?", "?"
	}
	return fmt.Sprint(*messages), seconds(*age)
}
