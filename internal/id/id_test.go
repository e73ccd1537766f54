package id

import (
	"bytes"
	"testing"
	"time"
)

func TestNewCarriesKindAndTime(t *testing.T) {
	before := time.Now().Truncate(time.Millisecond)
	for k := Tenant; k < last; k++ {
		u := New(k)
		got, ok := KindOf(u)
		if !ok || got != k {
			t.Fatalf("KindOf(New(%v)) = %v, %v", k, got, ok)
		}
		if at := TimeOf(u); at.Before(before) || at.After(time.Now().Add(time.Millisecond)) {
			t.Fatalf("TimeOf = %v, want about now", at)
		}
		if u.Version() != 8 {
			t.Fatalf("version %d, want 8", u.Version())
		}
		if k.String() == "" {
			t.Fatalf("kind %d has no name", k)
		}
	}
}

func TestKindOfForeignIDs(t *testing.T) {
	for _, s := range []string{
		"00000000-0000-0000-0000-000000000000",
		"6ba7b810-9dad-11d1-80b4-00c04fd430c8",
		"01900000-0000-8fff-8000-000000000000",
		"01900000-0000-8001-0000-000000000000",
	} {
		u, err := Parse(s)
		if err != nil {
			t.Fatal(err)
		}
		if k, ok := KindOf(u); ok {
			t.Errorf("KindOf(%s) = %v, want not ours", s, k)
		}
	}
}

func TestDeriveIsAFunctionOfItsParts(t *testing.T) {
	at := time.Date(2026, 3, 1, 12, 0, 0, 123456, time.UTC)
	a := Derive(Prediction, at, []byte("ab"), []byte("c"))
	if b := Derive(Prediction, at, []byte("ab"), []byte("c")); a != b {
		t.Error("same parts, other id")
	}
	for name, b := range map[string]UUID{
		"other split": Derive(Prediction, at, []byte("a"), []byte("bc")),
		"other kind":  Derive(RawReading, at, []byte("ab"), []byte("c")),
		"other time":  Derive(Prediction, at.Add(time.Millisecond), []byte("ab"), []byte("c")),
	} {
		if a == b {
			t.Errorf("%s: same id", name)
		}
	}
}

func TestIDsSortByTime(t *testing.T) {
	base := time.UnixMilli(1_700_000_000_000)
	a, b := Derive(Asset, base), Derive(Asset, base.Add(time.Millisecond))
	if bytes.Compare(a[:], b[:]) >= 0 {
		t.Error("a later id sorts first")
	}
}
