package fault

import (
	"errors"
	"fmt"
	"testing"
)

func TestKindOf(t *testing.T) {
	for _, c := range []struct {
		name string
		err  error
		want Kind
	}{
		{"plain error", errors.New("disk"), Internal},
		{"own error", Missing("Asset"), NotFound},
		{"wrapped", fmt.Errorf("load: %w", Stale("Asset")), Conflict},
		{"list", List{Invalid("input.name", "error.required")}, BadInput},
	} {
		if got := KindOf(c.err); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
	if Is(nil, Internal) {
		t.Error("nil is no error")
	}
}

func TestWithDoesNotTouchTheOriginal(t *testing.T) {
	e := Missing("Asset")
	f := e.With("ID", 1)
	if len(e.Args) != 1 || len(f.Args) != 2 {
		t.Errorf("args %v and %v", e.Args, f.Args)
	}
}

func TestListErr(t *testing.T) {
	if (List{}).Err() != nil {
		t.Error("an empty list is no error")
	}
}
