// Package champion embeds the models that ship with the product, which serve every
// tenant that has deployed nothing of its own. README.md says how they were made.
package champion

import (
	_ "embed"
	"sync"
	"time"

	"foresight/inference/artifact"
	"foresight/internal/id"
)

//go:embed champion.zip
var faultClassifier []byte

//go:embed failure.zip
var failurePredictor []byte

// Champion is a model that ships.
type Champion struct {
	// Bundle is the artifact's bytes, which must not be changed.
	Bundle   []byte
	released time.Time // stamps the version's id
	hash     func() string
}

var all = []*Champion{
	shipped(faultClassifier, time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)),
	shipped(failurePredictor, time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)),
}

func shipped(bundle []byte, released time.Time) *Champion {
	return &Champion{bundle, released, sync.OnceValue(func() string { return artifact.HashOf(bundle) })}
}

// All returns the champions, at most one of a kind.
func All() []*Champion { return all }

// FaultClassifier names faults from windows of readings.
func FaultClassifier() *Champion { return all[0] }

// FailurePredictor tells from the daily features how likely a failure is.
func FailurePredictor() *Champion { return all[1] }

// Hash returns the artifact's content address.
func (c *Champion) Hash() string { return c.hash() }

// VersionID returns the id that the built-in version has in every process: the
// same for the same bytes.
func (c *Champion) VersionID() id.UUID {
	return id.Derive(id.MLModelVersion, c.released, []byte(c.Hash()))
}
