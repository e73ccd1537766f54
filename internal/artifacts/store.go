// Package artifacts keeps what model versions are made of: bundles of package artifact,
// named by the SHA-256 of their bytes, in the bucket of package blob (a directory or an
// S3-compatible store).
//
// Each tenant has artifacts of its own, and nobody reaches another tenant's by knowing a
// hash. Those that ship with the product are everybody's: they are read from the binary,
// and KeepShipped keeps them beyond it, so that a tenant can go back to the version of an
// earlier release.
package artifacts

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"regexp"
	"time"

	"foresight/inference/artifact"
	"foresight/inference/champion"
	"foresight/internal/blob"
	"foresight/internal/fault"
	"foresight/internal/id"
	"foresight/internal/tenancy"
)

// contentType of a bundle.
const contentType = "application/zip"

// address is the form of a content address.
var address = regexp.MustCompile(`^[0-9a-f]{64}$`)

// Store is safe for concurrent use.
type Store struct{ files *blob.Store }

// New returns a store in the bucket.
func New(files *blob.Store) *Store { return &Store{files} }

// Put keeps a bundle for the tenant of the context and returns its content address. The
// same bytes are stored once; damaged ones at their address are replaced. A bundle beyond
// artifact.MaxSize is refused with artifact.ErrInvalid.
func (s *Store) Put(ctx context.Context, bundle []byte) (hash string, err error) {
	if len(bundle) > artifact.MaxSize {
		return "", fmt.Errorf("artifacts: %w: %d bytes, at most %d", artifact.ErrInvalid, len(bundle), artifact.MaxSize)
	}
	hash = artifact.HashOf(bundle)
	if _, err := s.read(ctx, hash); err == nil {
		return hash, nil
	} else if !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, artifact.ErrInvalid) {
		return "", err
	}
	if err := s.files.Put(ctx, name(hash), contentType, bytes.NewReader(bundle), artifact.MaxSize); err != nil {
		return "", fmt.Errorf("artifacts: %w", err)
	}
	return hash, nil
}

// Delete removes a bundle of the tenant of the context; one that there is not is no
// error. What ships is never removed.
func (s *Store) Delete(ctx context.Context, hash string) error {
	if !address.MatchString(hash) {
		return missing(hash)
	}
	if err := s.files.Delete(ctx, name(hash)); err != nil {
		return fmt.Errorf("artifacts: %w", err)
	}
	return nil
}

// Artifact returns the bundle of the address: one that ships, or one of the tenant of the
// context. Its bytes have the hash. One that there is not is fs.ErrNotExist, a damaged
// one artifact.ErrInvalid.
func (s *Store) Artifact(ctx context.Context, hash string) ([]byte, error) {
	for _, c := range champion.All() {
		if c.Hash() == hash {
			return c.Bundle, nil
		}
	}
	if _, ok := tenancy.ID(ctx); ok {
		if b, err := s.read(ctx, hash); !errors.Is(err, fs.ErrNotExist) {
			return b, err
		}
	}
	return s.read(everybody(ctx), hash)
}

// KeepShipped keeps the artifacts of this build for the builds that follow.
func (s *Store) KeepShipped(ctx context.Context) error {
	for _, c := range champion.All() {
		if _, err := s.Put(everybody(ctx), c.Bundle); err != nil {
			return err
		}
	}
	return nil
}

// product is the tenant that is none, under whose name the bucket has what ships.
var product = id.Derive(id.Tenant, time.Unix(0, 0), []byte("artifacts that ship with the product"))

// everybody's artifacts are those of the product. Only KeepShipped writes them.
func everybody(ctx context.Context) context.Context { return tenancy.AsSystem(ctx, product) }

func (s *Store) read(ctx context.Context, hash string) ([]byte, error) {
	if !address.MatchString(hash) {
		return nil, missing(hash)
	}
	f, err := s.files.Get(ctx, name(hash))
	if fault.Is(err, fault.NotFound) {
		return nil, missing(hash)
	}
	if err != nil {
		return nil, fmt.Errorf("artifacts: %w", err)
	}
	defer f.Close()
	if f.Size < 0 || f.Size > artifact.MaxSize {
		return nil, fmt.Errorf("artifacts: %w: %d bytes at %.12s, at most %d", artifact.ErrInvalid, f.Size, hash, artifact.MaxSize)
	}
	b := make([]byte, f.Size)
	if _, err := io.ReadFull(f, b); err != nil {
		return nil, fmt.Errorf("artifacts: %.12s: %w", hash, err)
	}
	if got := artifact.HashOf(b); got != hash {
		return nil, fmt.Errorf("artifacts: %w: the content at %.12s has hash %.12s", artifact.ErrInvalid, hash, got)
	}
	return b, nil
}

func missing(hash string) error {
	return fmt.Errorf("artifacts: %.64q: %w", hash, fs.ErrNotExist)
}

// name is where the bucket has it; the first two digits keep directories short.
func name(hash string) string { return "artifacts/" + hash[:2] + "/" + hash + ".zip" }
