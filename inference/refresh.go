package inference

import (
	"context"
	"fmt"
	"slices"

	"golang.org/x/sync/errgroup"

	"foresight/internal/id"
)

// Refresh reads the assignments anew and swaps them in one step. Versions that take
// over from one in use are loaded before, so that predictions go on without a pause. On
// an error the old assignments stay; a version that cannot be loaded is no error here:
// it fails where it is asked for.
func (r *Registry) Refresh(ctx context.Context) error {
	if r.deployments == nil {
		return nil
	}
	a, err := r.deployments.Assignments(ctx)
	if err != nil {
		return fmt.Errorf("inference: assignments: %w", err)
	}
	r.warm(ctx, *r.assignments.Load(), a)
	r.assignments.Store(&a)
	return nil
}

// warm loads the versions that are new and follow a loaded one, as far as there is room
// for models: more would drop each other.
func (r *Registry) warm(ctx context.Context, old, next Assignments) {
	var group errgroup.Group
	group.SetLimit(loadsAtOnce)
	asked := map[slot]bool{}
	for subject, s := range next {
		before := old[subject]
		if !r.inUse(subject.Kind, before.Production) {
			continue
		}
		had := before.versions()
		for _, v := range s.versions() {
			if slices.Contains(had, v) || asked[v.slot()] || len(asked) >= r.config.MaxModels || r.resident[v.Artifact] != nil {
				continue
			}
			asked[v.slot()] = true
			group.Go(func() error {
				r.get(ctx, subject.Kind, v) // what fails is logged there
				return nil
			})
		}
	}
	group.Wait()
}

// inUse reports whether predictions of a subject have been asked of the version.
func (r *Registry) inUse(kind string, v Version) bool {
	if v.ID == id.Nil {
		v = r.champions[kind].version
	}
	if r.resident[v.Artifact] != nil {
		return true
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	_, ok := r.bySlot[v.slot()]
	return ok
}
