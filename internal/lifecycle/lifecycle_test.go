package lifecycle

import (
	"context"
	"errors"
	"slices"
	"testing"
)

func TestGroupStopsInReverseAndGoesOn(t *testing.T) {
	var order []string
	broken := errors.New("broken")
	part := func(name string, stopErr error) Part {
		return Funcs(name,
			func(context.Context) error { order = append(order, "+"+name); return nil },
			func(context.Context) error { order = append(order, "-"+name); return stopErr })
	}
	g := &Group{}
	ctx := context.Background()
	for _, p := range []Part{part("a", nil), part("b", broken), part("c", nil)} {
		if err := g.Start(ctx, p); err != nil {
			t.Fatal(err)
		}
	}
	failing := Funcs("d", func(context.Context) error { return broken }, nil)
	if err := g.Start(ctx, failing); !errors.Is(err, broken) {
		t.Fatalf("start: %v", err)
	}
	if err := g.Stop(ctx); !errors.Is(err, broken) {
		t.Errorf("stop: %v", err)
	}
	want := []string{"+a", "+b", "+c", "-c", "-b", "-a"}
	if !slices.Equal(order, want) {
		t.Errorf("order %v, want %v", order, want)
	}
	if err := g.Stop(ctx); err != nil {
		t.Errorf("a second stop: %v", err)
	}
}
