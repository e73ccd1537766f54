package jobs

import (
	"encoding/json"
	"errors"

	"foresight/internal/fault"
)

// failure is why a job failed, as it is stored: to be told in any language.
type failure struct {
	Kind fault.Kind     `json:"kind"`
	Key  string         `json:"key"`
	Args map[string]any `json:"args,omitempty"`
}

// StoredFailure is what may be told of an error that ended a job; nothing of an internal
// one is. It is JSON.
func StoredFailure(err error) []byte {
	f := fault.New(fault.Internal, "error.job.failed")
	var known *fault.Error
	if errors.As(err, &known) && known.Kind != fault.Internal {
		f = known
	}
	b, err := json.Marshal(failure{f.Kind, f.Key, f.Args})
	if err != nil { // arguments are texts and numbers
		panic(err)
	}
	return b
}

// ToldFailure reads what StoredFailure wrote; nil is no failure.
func ToldFailure(b []byte) *fault.Error {
	if len(b) == 0 {
		return nil
	}
	var f failure
	if err := json.Unmarshal(b, &f); err != nil || f.Key == "" {
		return fault.New(fault.Internal, "error.job.failed")
	}
	return &fault.Error{Kind: f.Kind, Key: f.Key, Args: f.Args}
}
