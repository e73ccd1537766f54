package training

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// MLflow speaks the REST interface 2.0 of an MLflow tracking server. It is safe for
// concurrent use.
type MLflow struct {
	URL   string // of the server, https://mlflow.example
	Token string // bearer token; empty: none
	// Client makes the requests; nil: one with a time limit that follows no redirection,
	// which would take the token elsewhere.
	Client *http.Client
}

// The limits of log-batch, and of a parameter's value.
const (
	batchMetrics = 1000
	batchParams  = 100
	batchTags    = 100
	maxParam     = 500 // characters; later servers take more
)

// MLflowError is an answer of the server that is none.
type MLflowError struct {
	Status int
	Code   string // of MLflow, RESOURCE_DOES_NOT_EXIST
	Text   string
}

// Error tells what the server said.
func (e *MLflowError) Error() string {
	return fmt.Sprintf("mlflow: %d %s: %s", e.Status, e.Code, e.Text)
}

type keyValue struct {
	Key   string `json:"key"`
	Value string `json:"value"`
}

type metric struct {
	Key       string  `json:"key"`
	Value     float64 `json:"value"`
	Timestamp int64   `json:"timestamp"` // ms since 1970
	Step      int64   `json:"step"`
}

var plainClient = &http.Client{Timeout: 30 * time.Second, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}

// call makes a request and reads the answer.
func (m *MLflow) call(ctx context.Context, method, path string, in, out any) error {
	to := strings.TrimRight(m.URL, "/") + "/api/2.0/mlflow/" + path
	var body io.Reader
	if in != nil {
		b, err := json.Marshal(in)
		if err != nil {
			return err
		}
		body = bytes.NewReader(b)
	}
	r, err := http.NewRequestWithContext(ctx, method, to, body)
	if err != nil {
		return errors.New("mlflow: the server's URL is none") // the error would quote it
	}
	if in != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	if m.Token != "" {
		r.Header.Set("Authorization", "Bearer "+m.Token)
	}
	client := m.Client
	if client == nil {
		client = plainClient
	}
	resp, err := client.Do(r)
	if err != nil {
		return fmt.Errorf("mlflow: %w", err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if err != nil {
		return fmt.Errorf("mlflow: %w", err)
	}
	if resp.StatusCode != http.StatusOK {
		var told struct {
			Code string `json:"error_code"`
			Text string `json:"message"`
		}
		_ = json.Unmarshal(answer, &told) // what is not JSON tells nothing
		return &MLflowError{resp.StatusCode, told.Code, short(told.Text, 300)}
	}
	if out == nil {
		return nil
	}
	if err := json.Unmarshal(answer, out); err != nil {
		return fmt.Errorf("mlflow: %w", err)
	}
	return nil
}

// experiment returns the id of the experiment of a name, and makes it when there is none.
func (m *MLflow) experiment(ctx context.Context, name string) (string, error) {
	var found struct {
		Experiment struct {
			ID string `json:"experiment_id"`
		} `json:"experiment"`
	}
	err := m.call(ctx, http.MethodGet, "experiments/get-by-name?experiment_name="+url.QueryEscape(name), nil, &found)
	if err == nil {
		return found.Experiment.ID, nil
	}
	var told *MLflowError
	if !errors.As(err, &told) || told.Code != "RESOURCE_DOES_NOT_EXIST" {
		return "", err
	}
	var made struct {
		ID string `json:"experiment_id"`
	}
	err = m.call(ctx, http.MethodPost, "experiments/create", map[string]string{"name": name}, &made)
	return made.ID, err
}

// started returns the run that an earlier attempt has made, "" when there is none.
func (m *MLflow) started(ctx context.Context, experiment, run string) (string, error) {
	var found struct {
		Runs []struct {
			Info struct {
				ID string `json:"run_id"`
			} `json:"info"`
		} `json:"runs"`
	}
	err := m.call(ctx, http.MethodPost, "runs/search", map[string]any{"experiment_ids": []string{experiment}, "max_results": 1,
		"filter": "tags." + runTag + " = '" + run + "'"}, &found)
	if err != nil || len(found.Runs) == 0 {
		return "", err
	}
	return found.Runs[0].Info.ID, nil
}

// create makes a run.
func (m *MLflow) create(ctx context.Context, experiment, name string, start time.Time, tags []keyValue) (string, error) {
	var made struct {
		Run struct {
			Info struct {
				ID string `json:"run_id"`
			} `json:"info"`
		} `json:"run"`
	}
	err := m.call(ctx, http.MethodPost, "runs/create", map[string]any{"experiment_id": experiment, "run_name": name, "start_time": start.UnixMilli(), "tags": tags}, &made)
	return made.Run.Info.ID, err
}

// log adds parameters and metrics, in as many calls as the limits ask for. Doing it
// again changes nothing.
func (m *MLflow) log(ctx context.Context, run string, params []keyValue, metrics []metric) error {
	for first := true; first || len(params) > 0 || len(metrics) > 0; first = false {
		np := min(len(params), batchParams)
		nm := min(len(metrics), batchMetrics-np) // together, too, they are limited
		if err := m.call(ctx, http.MethodPost, "runs/log-batch", map[string]any{"run_id": run, "params": listed(params[:np]), "metrics": listed(metrics[:nm])}, nil); err != nil {
			return err
		}
		params, metrics = params[np:], metrics[nm:]
	}
	return nil
}

// end says what became of a run: FINISHED, FAILED or KILLED.
func (m *MLflow) end(ctx context.Context, run, status string, at time.Time) error {
	return m.call(ctx, http.MethodPost, "runs/update", map[string]any{"run_id": run, "status": status, "end_time": at.UnixMilli()}, nil)
}

func listed[T any](v []T) []T {
	if v == nil {
		return []T{}
	}
	return v
}
