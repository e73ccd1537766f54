package auth_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"foresight/internal/auth"
)

func TestHash(t *testing.T) {
	h := auth.NewHasher(quick)
	ctx := t.Context()
	a, err := h.Hash(ctx, password)
	if err != nil {
		t.Fatal(err)
	}
	b, _ := h.Hash(ctx, password)
	if a == b || !strings.HasPrefix(a, "$argon2id$v=19$m=64,t=1,p=1$") {
		t.Errorf("%s and %s", a, b)
	}
	for _, c := range []struct {
		hash, password string
		ok             bool
		err            error
	}{
		{a, password, true, nil},
		{a, password + " ", false, nil},
		{a, "", false, nil},
		{a, strings.Repeat("x", 1<<20), false, nil},
		// From the reference implementation: echo -n password | argon2 somesalt -id -t 2 -k 65536 -p 4 -l 24
		{"$argon2id$v=19$m=65536,t=2,p=4$c29tZXNhbHQ$RdescudvJCsgt3ub+b7dWRWJTmaaJObG", "password", false, nil},
		{"$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc", "password", true, nil},
		{"", password, false, auth.ErrHash},
		{"!", password, false, auth.ErrHash},
		{strings.Replace(a, "argon2id", "argon2i", 1), password, false, auth.ErrHash},
		{strings.Replace(a, "v=19", "v=16", 1), password, false, auth.ErrHash},
		{strings.Replace(a, "m=64", "m=999999999", 1), password, false, auth.ErrHash},
		{strings.Replace(a, "m=64", "m=-64", 1), password, false, auth.ErrHash},
		{strings.Replace(a, "t=1", "t=0", 1), password, false, auth.ErrHash},
		{strings.Replace(a, "t=1", "t=1000", 1), password, false, auth.ErrHash},
		{strings.Replace(a, "p=1", "p=1x", 1), password, false, auth.ErrHash},
		{a[:strings.LastIndex(a, "$")+1], password, false, auth.ErrHash},
		{a + "$", password, false, auth.ErrHash},
	} {
		if ok, err := h.Verify(ctx, c.hash, c.password); ok != c.ok || !errors.Is(err, c.err) {
			t.Errorf("Verify(%q, %.20q) = %v, %v; want %v, %v", c.hash, c.password, ok, err, c.ok, c.err)
		}
	}
	if _, err := h.Hash(ctx, strings.Repeat("x", auth.MaxPassword+1)); err == nil {
		t.Error("hashed an endless password")
	}
}

func TestSecret(t *testing.T) {
	h := auth.NewHasher(quick)
	secret, hash := auth.NewSecret()
	if len(secret) != 43 || strings.Contains(hash, secret) {
		t.Errorf("%s %s", secret, hash)
	}
	for given, want := range map[string]bool{secret: true, secret + "x": false, "": false} {
		if ok, err := h.Verify(t.Context(), hash, given); ok != want || err != nil {
			t.Errorf("%q: %v %v", given, ok, err)
		}
	}
	if h.Outdated(hash) {
		t.Error("a secret's hash has no parameters to renew")
	}
}

func TestTheHasherGivesUpWithItsCaller(t *testing.T) {
	h := auth.NewHasher(quick)
	s, err := h.Hash(t.Context(), password)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := h.Verify(ctx, s, password); !errors.Is(err, context.Canceled) {
		t.Errorf("Verify: %v", err)
	}
	if _, err := h.Hash(ctx, password); !errors.Is(err, context.Canceled) {
		t.Errorf("Hash: %v", err)
	}
}

func FuzzVerify(f *testing.F) {
	h := auth.NewHasher(quick)
	f.Add("$argon2id$v=19$m=64,t=1,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc")
	f.Add("$sha256$AAAA")
	f.Fuzz(func(t *testing.T, hash string) {
		if ok, _ := h.Verify(t.Context(), hash, "a password that nobody has"); ok {
			t.Fatal("matched")
		}
	})
}

func BenchmarkVerify(b *testing.B) {
	for name, p := range map[string]auth.Params{"default": auth.DefaultParams, "quick": quick} {
		b.Run(name, func(b *testing.B) {
			h := auth.NewHasher(p)
			s, err := h.Hash(b.Context(), password)
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				if ok, err := h.Verify(b.Context(), s, password); !ok || err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
