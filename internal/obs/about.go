package obs

import (
	"context"

	"foresight/internal/id"
)

// About is what happens in a context concerns, as far as it is known: ids alone, which
// lines of the log tell. Nil ids are not told.
type About struct{ Tenant, Asset, ModelVersion id.UUID }

type aboutKey struct{}

// WithAbout returns a context about what is given, and about what the context knew of
// already where nothing is given. It grants nothing: who acts is said by tenancy.
func WithAbout(ctx context.Context, a About) context.Context {
	known := aboutOf(ctx)
	for _, f := range [...]struct{ into, from *id.UUID }{{&a.Tenant, &known.Tenant}, {&a.Asset, &known.Asset}, {&a.ModelVersion, &known.ModelVersion}} {
		if *f.into == id.Nil {
			*f.into = *f.from
		}
	}
	return context.WithValue(ctx, aboutKey{}, a)
}

func aboutOf(ctx context.Context) About {
	a, _ := ctx.Value(aboutKey{}).(About)
	return a
}
