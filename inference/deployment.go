package inference

import (
	"context"
	"encoding/binary"
	"iter"

	"foresight/internal/id"
)

// Version is a model version as the deployments name it.
type Version struct {
	ID id.UUID
	// Tenant is whose version it is; Nil for a champion of the binary. Its artifact is
	// looked for among those of this tenant alone.
	Tenant   id.UUID
	Label    string // `fault_classifier:1.0.0`
	Artifact string // content address, SHA-256 in hex
	// Threshold is the probability from which on a binary model says yes.
	Threshold float64
}

// slot is where a version's model is kept in memory: one tenant's never serves another,
// whatever address a deployment names.
type slot struct {
	tenant id.UUID
	hash   string
}

func (v *Version) slot() slot { return slot{v.Tenant, v.Artifact} }

// Subject is whom a model serves: a tenant, or one asset of it.
type Subject struct {
	Kind   string // of models: artifact.FaultClassifier, artifact.FailurePredictor
	Tenant id.UUID
	Asset  id.UUID // id.Nil: the whole tenant
}

// Serving is the versions that serve a subject.
type Serving struct {
	Production Version // none when its ID is id.Nil
	// Canaries take the place of the production version for their share of the assets,
	// shadows predict beside whatever serves. Of several that would have an asset the
	// first one has it.
	Canaries, Shadows []Trial
}

// versions lists all of them.
func (s *Serving) versions() []Version {
	var out []Version
	if s.Production.ID != id.Nil {
		out = append(out, s.Production)
	}
	for _, trials := range [...][]Trial{s.Canaries, s.Shadows} {
		for i := range trials {
			out = append(out, trials[i].Version)
		}
	}
	return out
}

// serving gives those whose answers count: not shadows, nor canaries that have no asset.
func (s *Serving) serving() iter.Seq[Version] {
	return func(yield func(Version) bool) {
		if s.Production.ID != id.Nil && !yield(s.Production) {
			return
		}
		for i := range s.Canaries {
			if c := &s.Canaries[i]; c.Percent > 0 && !yield(c.Version) {
				return
			}
		}
	}
}

// Trial is a version that is tried on a share of the assets.
type Trial struct {
	ID      id.UUID // of the deployment or binding
	Version Version
	Percent int // of the assets, 0-100
}

// Takes reports whether the asset belongs to the share of the trial. It is drawn by the
// ids of both: an asset stays in or out for as long as the trial lasts, a raised percentage
// adds assets and drops none, and another trial draws others.
func (t *Trial) Takes(asset id.UUID) bool {
	if t.Percent <= 0 || t.Percent >= 100 {
		return t.Percent > 0
	}
	h := uint64(14695981039346656037) // FNV-1a, then a finaliser: ids differ in few bits
	for _, part := range [...]id.UUID{t.ID, asset} {
		for i := 0; i < len(part); i += 8 {
			h = (h ^ binary.LittleEndian.Uint64(part[i:])) * 1099511628211
			h ^= h >> 32
		}
	}
	h = (h ^ h>>33) * 0xff51afd7ed558ccd
	h = (h ^ h>>33) * 0xc4ceb9fe1a85ec53
	return (h^h>>33)%100 < uint64(t.Percent)
}

// Assignments is which versions serve whom, of all tenants. It is immutable once
// handed over.
type Assignments map[Subject]Serving

// resolve returns the version that serves an asset, without the built-in champion: the
// canary of the asset, that of its tenant, the asset's production version, that of its
// tenant.
func (a Assignments) resolve(kind string, tenant, asset id.UUID) (v Version, ok bool) {
	own, all := a.of(kind, tenant, asset)
	for _, s := range [...]*Serving{&own, &all} {
		if t := taking(s.Canaries, asset); t != nil {
			return t.Version, true
		}
	}
	for _, s := range [...]*Serving{&own, &all} {
		if s.Production.ID != id.Nil {
			return s.Production, true
		}
	}
	return v, false
}

// shadow returns the version that predicts beside the one that serves.
func (a Assignments) shadow(kind string, tenant, asset id.UUID) (v Version, ok bool) {
	own, all := a.of(kind, tenant, asset)
	for _, s := range [...]*Serving{&own, &all} {
		if t := taking(s.Shadows, asset); t != nil {
			return t.Version, true
		}
	}
	return v, false
}

func (a Assignments) of(kind string, tenant, asset id.UUID) (own, all Serving) {
	return a[Subject{kind, tenant, asset}], a[Subject{kind, tenant, id.Nil}]
}

func taking(trials []Trial, asset id.UUID) *Trial {
	for i := range trials {
		if trials[i].Takes(asset) {
			return &trials[i]
		}
	}
	return nil
}

// Deployments reads the present assignments from where they are kept.
type Deployments interface {
	Assignments(ctx context.Context) (Assignments, error)
}

// Artifacts reads artifacts by content address: those of the tenant of the context, and
// those that are everybody's. The registry checks the bytes against the address. A
// missing one is an error.
type Artifacts interface {
	Artifact(ctx context.Context, hash string) ([]byte, error)
}
