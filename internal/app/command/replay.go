package command

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"

	"github.com/spf13/cobra"

	"foresight/internal/config"
)

// tokenVariable holds the credential of commands that ask a running process; a flag
// would show it to everybody on the machine.
const tokenVariable = "FORESIGHT_TOKEN"

// replayLook is how often a replay is looked at.
const replayLook = time.Second

// replay asks a running process to admit messages of the landing zone again.
func replay() *cobra.Command {
	c := &cobra.Command{Use: "replay", Short: "Admit messages of the landing zone again", Args: cobra.NoArgs,
		Long: "Ask a running process to admit again what the landing zone has of a time, and follow it to its end. What is stored already\n" +
			"stays as it is; what was lost comes back as late readings. The variable " + tokenVariable + " holds an access token or an API key\n" +
			"with telemetry:write, telemetry:read and plant:read, whose tenant it is. The beginning lies within the retention of raw readings."}
	f := c.Flags()
	url := f.String("url", "", "address of the process (default: that of FORESIGHT_HTTP_ADDR on this machine)")
	from := f.String("from", "", "event time from which on, such as 2026-05-01T00:00:00Z")
	to := f.String("to", "", "event time before which (default: now)")
	site := f.String("site", "", "id of the site")
	asset := f.String("asset", "", "id of the asset")
	sensors := f.StringSlice("sensor", nil, "id of a sensor; may be repeated")
	c.RunE = func(c *cobra.Command, _ []string) error {
		token := os.Getenv(tokenVariable)
		if token == "" {
			return errors.New(tokenVariable + " is not set")
		}
		if *url == "" {
			cfg, err := config.Load()
			if err != nil {
				return err
			}
			if *url, err = onThisMachine(cfg.HTTPAddr); err != nil {
				return err
			}
		}
		if *to == "" {
			*to = time.Now().UTC().Format(time.RFC3339)
		}
		input := map[string]any{"from": *from, "to": *to, "sensorIds": *sensors}
		for name, v := range map[string]string{"siteId": *site, "assetId": *asset} {
			if v != "" {
				input[name] = v
			}
		}
		return followReplay(c.Context(), c.OutOrStdout(), asker{*url + "/graphql", token}, input)
	}
	_ = c.MarkFlagRequired("from") // it exists
	return c
}

const replayFields = `id status phase done total failure appended rejected { reason count }`

// told is a replay as the graph tells of it.
type told struct {
	ID, Status, Phase, Failure string
	Done, Appended             uint64
	Total                      *uint64
	Rejected                   []struct {
		Reason string
		Count  uint64
	}
}

func followReplay(ctx context.Context, out io.Writer, a asker, input map[string]any) error {
	var started struct {
		Replay struct {
			Job        *told
			UserErrors []struct{ Message string }
		}
	}
	if err := a.ask(ctx, `mutation($input: ReplayInput!) { replay(input: $input) { job { `+replayFields+` } userErrors { message } } }`,
		map[string]any{"input": input}, &started); err != nil {
		return err
	}
	for _, e := range started.Replay.UserErrors {
		return errors.New(e.Message)
	}
	if started.Replay.Job == nil {
		return errors.New("no replay was started")
	}
	tick := time.NewTicker(replayLook)
	defer tick.Stop()
	for now := *started.Replay.Job; ; {
		of := ""
		if now.Total != nil {
			of = fmt.Sprintf(" of %d", *now.Total)
		}
		fmt.Fprintf(out, "%s %s %d%s, admitted again %d\n", now.Status, now.Phase, now.Done, of, now.Appended)
		switch now.Status {
		case "SUCCEEDED":
			for _, r := range now.Rejected {
				fmt.Fprintf(out, "not admitted, %s: %d\n", r.Reason, r.Count)
			}
			return nil
		case "FAILED":
			return errors.New(now.Failure)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("replay %s goes on without this command: %w", now.ID, ctx.Err())
		}
		var looked struct{ Node *told }
		if err := a.ask(ctx, `query($id: UUID!) { node(id: $id) { ... on ReplayJob { `+replayFields+` } } }`, map[string]any{"id": now.ID}, &looked); err != nil {
			return err
		}
		if looked.Node == nil {
			return errors.New("the replay is gone")
		}
		now = *looked.Node
	}
}

// asker asks the graph of a process.
type asker struct{ url, token string }

const (
	askWithin = 30 * time.Second
	maxAnswer = 1 << 20 // bytes
)

func (a asker) ask(ctx context.Context, query string, variables map[string]any, data any) error {
	body, err := json.Marshal(map[string]any{"query": query, "variables": variables})
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, askWithin)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, a.url, bytes.NewReader(body))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Bearer "+a.token)
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	var answer struct {
		Data   json.RawMessage
		Errors []struct{ Message string }
	}
	if err := json.NewDecoder(io.LimitReader(res.Body, maxAnswer)).Decode(&answer); err != nil {
		return fmt.Errorf("%s: %w", res.Status, err)
	}
	for _, e := range answer.Errors {
		return errors.New(e.Message)
	}
	return json.Unmarshal(answer.Data, data)
}
