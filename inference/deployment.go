package inference

import (
	"context"

	"foresight/internal/id"
)

// Version is a model version as the deployments name it.
type Version struct {
	ID       id.UUID
	Label    string // `fault_classifier:1.0.0`
	Artifact string // content address, SHA-256 in hex
}

// AssetRef names an asset of a tenant.
type AssetRef struct{ Tenant, Asset id.UUID }

// Assignments is which version of the fault classifier serves whom, of all
// tenants. It is immutable once handed over.
type Assignments struct {
	Assets  map[AssetRef]Version // production bindings of single assets
	Tenants map[id.UUID]Version  // production deployments
}

// Deployments reads the present assignments from where they are kept.
type Deployments interface {
	Assignments(ctx context.Context) (*Assignments, error)
}

// Artifacts reads artifacts by content address. The registry checks the bytes
// against the address. A missing one is an error.
type Artifacts interface {
	Artifact(ctx context.Context, hash string) ([]byte, error)
}
