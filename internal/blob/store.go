// Package blob keeps files (pictures of machines, exports) by name. Each tenant has a
// store of its own: the tenant of the context's actor is the first level of every key,
// so that no name reaches another tenant's file.
//
// Behind it stands a bucket of gocloud.dev/blob, chosen by the scheme of a URL: a
// directory (file://), an S3-compatible store (s3://) or memory (mem://).
package blob

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"time"

	"gocloud.dev/blob"
	_ "gocloud.dev/blob/fileblob" // file://
	_ "gocloud.dev/blob/memblob"  // mem://
	"gocloud.dev/gcerrors"

	"foresight/internal/fault"
	"foresight/internal/id"
	"foresight/internal/tenancy"
)

// Store is safe for concurrent use.
type Store struct {
	bucket *blob.Bucket
}

// Open opens the bucket of the URL, such as file:///var/lib/foresight/blobs. A
// directory must exist; DirURL makes one. The bucket of s3://bucket/prefix must exist,
// and WithS3 says where.
func Open(ctx context.Context, bucketURL string, options ...Option) (*Store, error) {
	var o settings
	for _, set := range options {
		set(&o)
	}
	u, err := url.Parse(bucketURL)
	if err != nil {
		return nil, errors.New("blob: the bucket's URL is none") // the error would quote it
	}
	var b *blob.Bucket
	if u.Scheme == "s3" {
		b, err = openS3(ctx, u, o.s3)
	} else {
		b, err = blob.OpenBucket(ctx, bucketURL)
	}
	if err != nil {
		return nil, fmt.Errorf("blob: %w", err)
	}
	return &Store{b}, nil
}

// Option is one of Open's.
type Option func(*settings)

type settings struct{ s3 S3 }

// WithS3 says how to reach the store of s3:// URLs.
func WithS3(o S3) Option { return func(s *settings) { s.s3 = o } }

// DirURL makes a directory, for this user alone, and returns the URL of a bucket in
// it. Files appear in it whole or not at all.
func DirURL(dir string) (string, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return "", fmt.Errorf("blob: %w", err)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", fmt.Errorf("blob: %w", err)
	}
	// A file is written beside its place, not in the system's temporary directory, which
	// may be another file system: renaming it then is one step.
	q := url.Values{"no_tmp_dir": {"true"}, "dir_file_mode": {"0700"}}
	return (&url.URL{Scheme: "file", Path: dir, RawQuery: q.Encode()}).String(), nil
}

// Close releases the bucket.
func (s *Store) Close() error { return s.bucket.Close() }

// Info is what is known of a file besides its content.
type Info struct {
	Name        string // within the tenant
	ContentType string
	Size        int64 // bytes
	ModTime     time.Time
}

// File is an open file: its content must be closed.
type File struct {
	Info
	io.ReadCloser
}

// ErrTooLarge is in the chain of Put's error when the content exceeds the limit.
var ErrTooLarge = errors.New("blob: larger than allowed")

// nameForm keeps names free of everything that a file system or a URL could misread.
// A level begins with a letter or digit, so that none is `.` or `..`.
var nameForm = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{0,99}(/[a-z0-9][a-z0-9._-]{0,99}){0,5}$`)

// key returns the tenant's key of a name.
func key(ctx context.Context, name string) (string, error) {
	if !nameForm.MatchString(name) {
		return "", fmt.Errorf("blob: %q is no name of a file", name)
	}
	return under(tenancy.Must(ctx).TenantID, name), nil
}

func under(tenant id.UUID, name string) string { return tenant.String() + "/" + name }

// Put writes a file of at most limit bytes, in place of one of that name. Readers see
// the old one or the new one; after an error there is no new one.
func (s *Store) Put(ctx context.Context, name, contentType string, content io.Reader, limit int64) (err error) {
	k, err := key(ctx, name)
	if err != nil {
		return err
	}
	// A writer is given up by cancelling its context before it is closed.
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	w, err := s.bucket.NewWriter(ctx, k, &blob.WriterOptions{ContentType: contentType, DisableContentTypeDetection: true})
	if err != nil {
		return wrap(name, err)
	}
	n, err := io.Copy(w, io.LimitReader(content, limit+1))
	if err == nil && n > limit {
		err = ErrTooLarge
	}
	if err != nil {
		cancel()
		_ = w.Close() // says that it was cancelled
		return wrap(name, err)
	}
	return wrap(name, w.Close())
}

// Get opens a file. One that does not exist is a fault of the kind NotFound.
func (s *Store) Get(ctx context.Context, name string) (*File, error) {
	k, err := key(ctx, name)
	if err != nil {
		return nil, err
	}
	return s.open(ctx, k, name)
}

func (s *Store) open(ctx context.Context, k, name string) (*File, error) {
	r, err := s.bucket.NewReader(ctx, k, nil)
	if err != nil {
		return nil, wrap(name, err)
	}
	return &File{Info{name, r.ContentType(), r.Size(), r.ModTime()}, r}, nil
}

// Delete removes a file; one that does not exist is no error.
func (s *Store) Delete(ctx context.Context, name string) error {
	k, err := key(ctx, name)
	if err != nil {
		return err
	}
	if err := s.bucket.Delete(ctx, k); gcerrors.Code(err) != gcerrors.NotFound {
		return wrap(name, err)
	}
	return nil
}

func wrap(name string, err error) error {
	switch {
	case err == nil:
		return nil
	case gcerrors.Code(err) == gcerrors.NotFound:
		return fault.Missing("File").Because(err)
	}
	return fmt.Errorf("blob: %s: %w", name, err)
}
