// Package champion embeds the shipped fault classifier, which serves every tenant
// that has deployed nothing of its own. README.md says how it was made.
package champion

import (
	_ "embed"
	"sync"
	"time"

	"foresight/inference/artifact"
	"foresight/internal/id"
)

//go:embed champion.zip
var bundle []byte

// released stamps the version's id.
var released = time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)

// Bundle returns the artifact's bytes, which the caller must not change.
func Bundle() []byte { return bundle }

// Hash returns the artifact's content address.
var Hash = sync.OnceValue(func() string { return artifact.HashOf(bundle) })

// VersionID returns the id that the built-in version has in every process: the
// same for the same bytes.
func VersionID() id.UUID { return id.Derive(id.MLModelVersion, released, []byte(Hash())) }
