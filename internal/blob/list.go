package blob

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"strings"
	"time"

	"gocloud.dev/blob"

	"foresight/internal/id"
	"foresight/internal/tenancy"
)

// Listed is a file in a list.
type Listed struct {
	Name string // within the tenant
	Size int64  // bytes
	// Modified is when it was put there, by the clock of the store.
	Modified time.Time
}

// List gives the tenant's files whose names begin with the prefix, in the order of
// their names. The prefix is "" or ends with a level's slash.
func (s *Store) List(ctx context.Context, prefix string) iter.Seq2[Listed, error] {
	return func(yield func(Listed, error) bool) {
		tenant := under(tenancy.Must(ctx).TenantID, "")
		for o, err := range s.objects(ctx, tenant, prefix, "") {
			if !yield(Listed{strings.TrimPrefix(o.Key, tenant), o.Size, o.ModTime}, err) || err != nil {
				return
			}
		}
	}
}

// Levels lists what stands directly below the prefix and has files below itself: the
// directories of a directory, in their order and without slashes.
func (s *Store) Levels(ctx context.Context, prefix string) ([]string, error) {
	return s.levels(ctx, under(tenancy.Must(ctx).TenantID, ""), prefix)
}

// Tenants lists those that have files, for keeping the store itself in order.
func (s *Store) Tenants(ctx context.Context) ([]id.UUID, error) {
	names, err := s.levels(ctx, "", "")
	if err != nil {
		return nil, err
	}
	var out []id.UUID
	for _, n := range names {
		if u, err := id.Parse(n); err == nil { // what else there is, is not ours
			out = append(out, u)
		}
	}
	return out, nil
}

func (s *Store) levels(ctx context.Context, tenant, prefix string) (out []string, err error) {
	for o, err := range s.objects(ctx, tenant, prefix, "/") {
		if err != nil {
			return nil, err
		}
		if o.IsDir {
			out = append(out, strings.TrimSuffix(strings.TrimPrefix(o.Key, tenant+prefix), "/"))
		}
	}
	return out, nil
}

func (s *Store) objects(ctx context.Context, tenant, prefix, delimiter string) iter.Seq2[*blob.ListObject, error] {
	return func(yield func(*blob.ListObject, error) bool) {
		if prefix != "" && !nameForm.MatchString(strings.TrimSuffix(prefix, "/")) {
			yield(&blob.ListObject{}, fmt.Errorf("blob: %q is no beginning of names", prefix))
			return
		}
		it := s.bucket.List(&blob.ListOptions{Prefix: tenant + prefix, Delimiter: delimiter})
		for {
			o, err := it.Next(ctx)
			switch {
			case errors.Is(err, io.EOF):
				return
			case err != nil:
				yield(&blob.ListObject{}, wrap("list", err))
				return
			case !yield(o, nil):
				return
			}
		}
	}
}
