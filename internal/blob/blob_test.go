package blob_test

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"foresight/internal/blob"
	"foresight/internal/fault"
	"foresight/internal/id"
	"foresight/internal/tenancy"
	"foresight/internal/testkit"
)

func TestMain(m *testing.M) { testkit.Main(m) }

// stores are the kinds of buckets, each empty.
func stores(t *testing.T) map[string]*blob.Store {
	t.Helper()
	dir, err := blob.DirURL(filepath.Join(t.TempDir(), "blobs"))
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]*blob.Store{}
	for name, u := range map[string]string{"directory": dir, "memory": "mem://"} {
		s, err := blob.Open(t.Context(), u)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		})
		out[name] = s
	}
	server := testkit.S3(t)
	out["S3"] = openS3(t, server, connect(server), "/files")
	return out
}

func as(t *testing.T, tenant id.UUID) context.Context { return tenancy.AsSystem(t.Context(), tenant) }

func read(t *testing.T, s *blob.Store, ctx context.Context, name string) (string, error) {
	t.Helper()
	f, err := s.Get(ctx, name)
	if err != nil {
		return "", err
	}
	defer f.Close()
	b, err := io.ReadAll(f)
	if err != nil {
		t.Fatal(err)
	}
	if f.Size != int64(len(b)) || f.Name != name || f.ContentType == "" || f.ModTime.IsZero() {
		t.Errorf("%+v of %d bytes", f.Info, len(b))
	}
	return f.ContentType + " " + string(b), nil
}

func TestFilesAreKeptByTenant(t *testing.T) {
	acme, globex := id.New(id.Tenant), id.New(id.Tenant)
	for kind, s := range stores(t) {
		t.Run(kind, func(t *testing.T) {
			a, g := as(t, acme), as(t, globex)
			const name = "images/pump.png"
			for _, content := range []string{"first", "second"} {
				if err := s.Put(a, name, "image/png", strings.NewReader(content), 6); err != nil {
					t.Fatal(err)
				}
				if got, err := read(t, s, a, name); err != nil || got != "image/png "+content {
					t.Errorf("%q, %v", got, err)
				}
			}
			if _, err := read(t, s, g, name); !fault.Is(err, fault.NotFound) {
				t.Errorf("another tenant: %v", err)
			}
			if err := s.Delete(g, name); err != nil {
				t.Errorf("another tenant's delete of what it does not have: %v", err)
			}
			if got, err := read(t, s, a, name); err != nil || got != "image/png second" {
				t.Errorf("after another tenant's delete: %q, %v", got, err)
			}
			for range 2 {
				if err := s.Delete(a, name); err != nil {
					t.Fatal(err)
				}
			}
			if _, err := read(t, s, a, name); !fault.Is(err, fault.NotFound) {
				t.Errorf("deleted: %v", err)
			}
		})
	}
}

func TestNoHalfFiles(t *testing.T) {
	broken := errors.New("the sender has gone")
	for kind, s := range stores(t) {
		t.Run(kind, func(t *testing.T) {
			ctx := as(t, id.New(id.Tenant))
			if err := s.Put(ctx, "big", "text/plain", strings.NewReader("1234567"), 6); !errors.Is(err, blob.ErrTooLarge) {
				t.Errorf("over the limit: %v", err)
			}
			if err := s.Put(ctx, "broken", "text/plain", io.MultiReader(strings.NewReader("12"), iotest.ErrReader(broken)), 6); !errors.Is(err, broken) {
				t.Errorf("a sender that fails: %v", err)
			}
			for _, name := range []string{"big", "broken"} {
				if _, err := s.Get(ctx, name); !fault.Is(err, fault.NotFound) {
					t.Errorf("%s is there: %v", name, err)
				}
			}
		})
	}
}

func TestNamesCannotLeaveTheTenant(t *testing.T) {
	ctx := as(t, id.New(id.Tenant))
	for kind, s := range stores(t) {
		for _, name := range []string{"", "/", "/etc/passwd", "../other", "a/../b", "a/..", "a//b", "A", "a b", "a\x00", "a/", ".hidden", strings.Repeat("a", 101), strings.Repeat("a/", 6) + "a"} {
			if err := s.Put(ctx, name, "text/plain", strings.NewReader("x"), 1); err == nil {
				t.Errorf("%s: wrote %q", kind, name)
			}
			if _, err := s.Get(ctx, name); err == nil || fault.Is(err, fault.NotFound) {
				t.Errorf("%s: looked for %q: %v", kind, name, err)
			}
			if err := s.Delete(ctx, name); err == nil {
				t.Errorf("%s: deleted %q", kind, name)
			}
		}
	}
}

func TestDirectoriesAreForThisUserAlone(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "blobs")
	u, err := blob.DirURL(dir)
	if err != nil {
		t.Fatal(err)
	}
	s, err := blob.Open(t.Context(), u)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := s.Put(as(t, id.New(id.Tenant)), "exports/a.csv", "text/csv", strings.NewReader("x"), 1); err != nil {
		t.Fatal(err)
	}
	seen := 0
	if err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if !d.IsDir() {
			return nil
		}
		i, err := os.Stat(path)
		if err != nil {
			return err
		}
		if seen++; i.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has mode %v", path, i.Mode())
		}
		return nil
	}); err != nil || seen != 3 {
		t.Errorf("%d seen, %v", seen, err)
	}
}

func TestLinks(t *testing.T) {
	acme, globex := id.New(id.Tenant), id.New(id.Tenant)
	s := stores(t)["directory"]
	links, err := blob.NewLinks(s, []byte(strings.Repeat("k", 32)))
	if err != nil {
		t.Fatal(err)
	}
	for _, tenant := range []id.UUID{acme, globex} {
		if err := s.Put(as(t, tenant), "exports/1.csv", "text/csv", strings.NewReader(tenant.String()), 100); err != nil {
			t.Fatal(err)
		}
	}
	link := func(l *blob.Links, until time.Time) string {
		token, err := l.Make(as(t, acme), "exports/1.csv", "assets.csv", until)
		if err != nil {
			t.Fatal(err)
		}
		return token
	}
	good := link(links, time.Now().Add(time.Minute))
	f, fileName, err := links.Open(t.Context(), good) // no actor
	if err != nil || fileName != "assets.csv" {
		t.Fatalf("%q, %v", fileName, err)
	}
	b, err := io.ReadAll(f)
	if err != nil || string(b) != acme.String() || f.Close() != nil {
		t.Errorf("%s, %v", b, err)
	}

	other, err := blob.NewLinks(s, []byte(strings.Repeat("o", 32)))
	if err != nil {
		t.Fatal(err)
	}
	body, signature, _ := strings.Cut(good, ".")
	for name, token := range map[string]string{
		"empty":           "",
		"without a dot":   "abc",
		"expired":         link(links, time.Now().Add(-time.Second)),
		"another key":     link(other, time.Now().Add(time.Minute)),
		"another body":    strings.ToUpper(body[:1]) + "x" + body[2:] + "." + signature,
		"cut":             good[:len(good)-1],
		"with more":       good + ".x",
		"signature alone": "." + signature,
	} {
		if _, _, err := links.Open(t.Context(), token); !fault.Is(err, fault.NotFound) {
			t.Errorf("a token %s: %v", name, err)
		}
	}
	if err := s.Delete(as(t, acme), "exports/1.csv"); err != nil {
		t.Fatal(err)
	}
	if _, _, err := links.Open(t.Context(), good); !fault.Is(err, fault.NotFound) {
		t.Errorf("a link to a file that is gone: %v", err)
	}
	if _, err := blob.NewLinks(s, []byte("short")); err == nil {
		t.Error("a short key is taken")
	}
}
