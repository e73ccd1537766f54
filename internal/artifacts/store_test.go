package artifacts_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"foresight/inference"
	"foresight/inference/artifact"
	"foresight/inference/champion"
	"foresight/inference/modeltest"
	"foresight/internal/artifacts"
	"foresight/internal/blob"
	"foresight/internal/id"
	"foresight/internal/tenancy"
	"foresight/internal/testkit"
)

func TestMain(m *testing.M) { testkit.Main(m) }

// bucket is a kind of bucket with a count of the files that were written to it.
type bucket struct {
	files  *blob.Store
	writes func() int64 // nil: not counted
}

func buckets(t *testing.T) map[string]bucket {
	t.Helper()
	dir, err := blob.DirURL(filepath.Join(t.TempDir(), "blobs"))
	if err != nil {
		t.Fatal(err)
	}
	open := func(url string, o ...blob.Option) *blob.Store {
		s, err := blob.Open(t.Context(), url, o...)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		})
		return s
	}
	server := testkit.S3(t)
	var puts atomic.Int64
	server.Between(func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodPut {
				puts.Add(1)
			}
			next.ServeHTTP(w, r)
		})
	})
	return map[string]bucket{
		"directory": {files: open(dir)},
		"S3": {open("s3://"+server.Bucket+"/files", blob.WithS3(blob.S3{Endpoint: server.Endpoint, Region: "us-east-1", PathStyle: true, Plain: true,
			AccessKey: server.AccessKey, SecretKey: server.SecretKey})), puts.Load},
	}
}

func as(t *testing.T, tenant id.UUID) context.Context { return tenancy.AsSystem(t.Context(), tenant) }

// place is where the store keeps an artifact.
func place(hash string) string { return "artifacts/" + hash[:2] + "/" + hash + ".zip" }

func read(t *testing.T, files *blob.Store, ctx context.Context, hash string) string {
	t.Helper()
	f, err := files.Get(ctx, place(hash))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	b, err := io.ReadAll(f)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestArtifactsAreKeptByTheirContent(t *testing.T) {
	acme, globex := id.New(id.Tenant), id.New(id.Tenant)
	for name, b := range buckets(t) {
		s := artifacts.New(b.files)
		bundle := []byte("a bundle of " + name)
		hash, err := s.Put(as(t, acme), bundle)
		if err != nil || hash != artifact.HashOf(bundle) {
			t.Fatalf("%s: put: %s, %v", name, hash, err)
		}
		if got, err := s.Artifact(as(t, acme), hash); err != nil || !bytes.Equal(got, bundle) {
			t.Errorf("%s: %q, %v", name, got, err)
		}
		before := int64(0)
		if b.writes != nil {
			before = b.writes()
		}
		if again, err := s.Put(as(t, acme), bundle); err != nil || again != hash {
			t.Errorf("%s: again: %s, %v", name, again, err)
		}
		if b.writes != nil && b.writes() != before {
			t.Errorf("%s: the same bytes were written twice", name)
		}
		// Who knows the hash, and is another tenant or nobody, has nothing of it.
		for who, ctx := range map[string]context.Context{"another tenant": as(t, globex), "nobody": t.Context()} {
			if got, err := s.Artifact(ctx, hash); !errors.Is(err, fs.ErrNotExist) || got != nil {
				t.Errorf("%s: %s reads %q, %v", name, who, got, err)
			}
		}
		for _, wrong := range []string{"", "x", "../../" + hash, strings.ToUpper(hash), artifact.HashOf(nil)} {
			if _, err := s.Artifact(as(t, acme), wrong); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("%s: %q: %v", name, wrong, err)
			}
		}
		// Damaged bytes are refused, and put right by who has the good ones.
		if err := b.files.Put(as(t, acme), place(hash), "application/zip", strings.NewReader("damaged"), 100); err != nil {
			t.Fatal(err)
		}
		if got, err := s.Artifact(as(t, acme), hash); !errors.Is(err, artifact.ErrInvalid) || got != nil {
			t.Errorf("%s: damaged: %q, %v", name, got, err)
		}
		if _, err := s.Put(as(t, acme), bundle); err != nil {
			t.Errorf("%s: put right: %v", name, err)
		}
		if got := read(t, b.files, as(t, acme), hash); got != string(bundle) {
			t.Errorf("%s: put right as %q", name, got)
		}
	}
}

func TestSizesAreBounded(t *testing.T) {
	b := buckets(t)["directory"]
	s, ctx := artifacts.New(b.files), as(t, id.New(id.Tenant))
	large := make([]byte, artifact.MaxSize+1)
	if _, err := s.Put(ctx, large); !errors.Is(err, artifact.ErrInvalid) {
		t.Errorf("put: %v", err)
	}
	hash := artifact.HashOf(large)
	if err := b.files.Put(ctx, place(hash), "application/zip", bytes.NewReader(large), int64(len(large))); err != nil {
		t.Fatal(err)
	}
	if got, err := s.Artifact(ctx, hash); !errors.Is(err, artifact.ErrInvalid) || got != nil {
		t.Errorf("read %d bytes, %v", len(got), err)
	}
}

// What ships is everybody's, from the binary, and from the bucket for later releases.
func TestShippedArtifactsAreEverybodys(t *testing.T) {
	for name, b := range buckets(t) {
		s := artifacts.New(b.files)
		for _, c := range champion.All() {
			if got, err := s.Artifact(as(t, id.New(id.Tenant)), c.Hash()); err != nil || len(got) != len(c.Bundle) {
				t.Errorf("%s: from the binary: %d bytes, %v", name, len(got), err)
			}
		}
		for range 2 {
			if err := s.KeepShipped(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		older := []byte("of an earlier release")
		hash, err := s.Put(as(t, artifacts.Product), older)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := s.Artifact(as(t, id.New(id.Tenant)), hash); err != nil || !bytes.Equal(got, older) {
			t.Errorf("%s: of an earlier release: %q, %v", name, got, err)
		}
		if got := read(t, b.files, as(t, artifacts.Product), champion.FailurePredictor().Hash()); len(got) != len(champion.FailurePredictor().Bundle) {
			t.Errorf("%s: %d bytes kept", name, len(got))
		}
	}
}

// fixed assigns one version to a tenant.
type fixed inference.Assignments

func (f fixed) Assignments(context.Context) (inference.Assignments, error) {
	return inference.Assignments(f), nil
}

// A registry serves what the store has, only to whom it belongs, and tells of what it
// cannot load.
func TestRegistryOnTheStore(t *testing.T) {
	acme, globex := id.New(id.Tenant), id.New(id.Tenant)
	own := modeltest.Classifier()
	for name, b := range buckets(t) {
		s := artifacts.New(b.files)
		hash, err := s.Put(as(t, acme), own)
		if err != nil {
			t.Fatal(err)
		}
		version := func(of id.UUID) inference.Version {
			return inference.Version{ID: id.New(id.MLModelVersion), Tenant: of, Label: "fault_classifier:2.0.0", Artifact: hash}
		}
		good, forged := version(acme), version(globex)
		const kind = artifact.FaultClassifier
		registry := func() *inference.Registry {
			r, err := inference.NewRegistry(inference.RegistryConfig{}, fixed{{Kind: kind, Tenant: acme}: {Production: good}}, s, prometheus.NewRegistry(), slog.New(slog.DiscardHandler))
			if err != nil {
				t.Fatal(err)
			}
			if err := r.Refresh(t.Context()); err != nil {
				t.Fatal(err)
			}
			return r
		}
		r := registry()
		if m, err := r.Model(t.Context(), kind, good); err != nil || m.Hash() != hash {
			t.Errorf("%s: %v", name, err)
		}
		if err := r.Check(); err != nil {
			t.Errorf("%s: all is well: %v", name, err)
		}
		// In memory by now, and yet not for another tenant that names its address.
		if _, err := r.Model(t.Context(), kind, forged); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: another tenant's deployment loads it: %v", name, err)
		}
		damaged := bytes.Clone(own)
		damaged[len(damaged)/2] ^= 1
		if err := b.files.Put(as(t, acme), place(hash), "application/zip", bytes.NewReader(damaged), artifact.MaxSize); err != nil {
			t.Fatal(err)
		}
		r = registry()
		if _, err := r.Model(t.Context(), kind, good); !errors.Is(err, artifact.ErrInvalid) {
			t.Errorf("%s: damaged: %v", name, err)
		}
		if err := r.Check(); !errors.Is(err, artifact.ErrInvalid) {
			t.Errorf("%s: readiness says %v", name, err)
		}
	}
}
