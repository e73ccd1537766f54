package resolver

import (
	"context"
	"errors"

	"foresight/ent/enum"
	"foresight/graph/gqlerr"
	"foresight/graph/loader"
	"foresight/graph/model"
	"foresight/internal/fault"
	"foresight/internal/id"
)

// required follows an edge that always leads somewhere; where it does not, the
// target was deleted or is out of the actor's sight.
func required[T any](ctx context.Context, l *loader.One[*T], of id.UUID, entity string) (*T, error) {
	v, found, err := l.Load(ctx, of)
	if err == nil && !found {
		err = fault.Missing(entity)
	}
	return v, err
}

// optional follows an edge that may lead nowhere.
func optional[T any](ctx context.Context, l *loader.One[*T], of *id.UUID) (*T, error) {
	if of == nil {
		return nil, nil
	}
	return orNilPointer(l.Load(ctx, *of))
}

func orNilPointer[T any](v *T, found bool, err error) (*T, error) {
	if !found {
		return nil, err
	}
	return v, err
}

// orNil returns what a loader found, nil when there is nothing.
func orNil[T any](v T, found bool, err error) (*T, error) {
	if err != nil || !found {
		return nil, err
	}
	return &v, nil
}

// mistakesOf splits the outcome of a mutation into what the caller can mend and the
// rest. The object that the mutation is about stands in input.id.
func mistakesOf(ctx context.Context, err error) ([]*gqlerr.UserError, error) {
	return mistakesAt(ctx, err, "input.id")
}

// mistakesAt is mistakesOf for objects that stand in another field.
func mistakesAt(ctx context.Context, err error, field string) ([]*gqlerr.UserError, error) {
	if f := (*fault.Error)(nil); errors.As(err, &f) && f.Kind == fault.NotFound && f.Field == "" {
		err = f.At(field)
	}
	return gqlerr.UserErrors(ctx, err)
}

// listed is never nil, so that the graph shows an empty list and not a null.
func listed[T any](v []T) []T {
	if v == nil {
		return []T{}
	}
	return v
}

// translated returns the text of a code, nil for none.
func translated(code *string, text func(string) string) *string {
	if code == nil {
		return nil
	}
	t := text(*code)
	return &t
}

// text returns the string, "" for null.
func text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// severities of the graph, the worst first.
var severities = []enum.Severity{enum.SeverityCritical, enum.SeverityHigh, enum.SeverityMedium, enum.SeverityLow}

func machineGroup(n *int) *model.IsoMachineGroup {
	if n == nil {
		return nil
	}
	g := model.IsoMachineGroupGroup1
	if *n == 2 {
		g = model.IsoMachineGroupGroup2
	}
	return &g
}

func machineGroupNumber(g *model.IsoMachineGroup) *int {
	if g == nil {
		return nil
	}
	n := 1
	if *g == model.IsoMachineGroupGroup2 {
		n = 2
	}
	return &n
}

// orNone returns the text, nil for the empty one.
func orNone[T ~string](v T) *T {
	if v == "" {
		return nil
	}
	return &v
}
