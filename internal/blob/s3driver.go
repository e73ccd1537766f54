package blob

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"strings"

	"github.com/minio/minio-go/v7"
	"gocloud.dev/blob/driver"
	"gocloud.dev/gcerrors"
)

// s3Bucket is a bucket as gocloud.dev/blob wants it, as far as Store uses it, on
// minio-go: gocloud's own driver for S3 stands on Amazon's client and adds several
// times as much to the binary.
type s3Bucket struct {
	core      minio.Core
	transport *http.Transport
	name      string
}

var _ driver.Bucket = (*s3Bucket)(nil)

// ErrorCode implements driver.Bucket. A bucket that is missing is not a file that is.
func (b *s3Bucket) ErrorCode(err error) gcerrors.ErrorCode {
	switch {
	case errors.Is(err, context.Canceled):
		return gcerrors.Canceled
	case errors.Is(err, context.DeadlineExceeded):
		return gcerrors.DeadlineExceeded
	case errors.Is(err, errS3Unimplemented):
		return gcerrors.Unimplemented
	}
	switch r := minio.ToErrorResponse(err); {
	case r.Code == minio.NoSuchKey:
		return gcerrors.NotFound
	case r.Code == minio.NoSuchBucket:
		return gcerrors.FailedPrecondition
	case r.StatusCode == http.StatusForbidden, r.StatusCode == http.StatusUnauthorized:
		return gcerrors.PermissionDenied
	}
	return gcerrors.Unknown
}

// As implements driver.Bucket.
func (b *s3Bucket) As(any) bool { return false }

// ErrorAs implements driver.Bucket.
func (b *s3Bucket) ErrorAs(err error, target any) bool {
	if t, ok := target.(*minio.ErrorResponse); ok {
		return errors.As(err, t)
	}
	return false
}

const (
	s3Page    = 1000
	afterAll  = "\U0010ffff" // stands behind every name below a level
	s3PartLen = 8 << 20      // bytes; also what a writer holds in memory
)

// ListPaged implements driver.Bucket; the token of a page is the last key before it.
func (b *s3Bucket) ListPaged(ctx context.Context, o *driver.ListOptions) (*driver.ListPage, error) {
	if o.Delimiter != "" && o.Delimiter != "/" || o.BeforeList != nil {
		return nil, errS3Unimplemented
	}
	most := o.PageSize
	if most == 0 || most > s3Page {
		most = s3Page
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	page := &driver.ListPage{}
	for i := range b.core.ListObjectsIter(ctx, b.name, minio.ListObjectsOptions{Prefix: o.Prefix, Recursive: o.Delimiter == "",
		StartAfter: string(o.PageToken), MaxKeys: most}) {
		if i.Err != nil {
			return nil, i.Err
		}
		if len(page.Objects) == most { // there are more
			last := page.Objects[most-1]
			page.NextPageToken = []byte(last.Key)
			if last.IsDir {
				page.NextPageToken = []byte(last.Key + afterAll)
			}
			break
		}
		page.Objects = append(page.Objects, &driver.ListObject{Key: i.Key, ModTime: i.LastModified, Size: i.Size,
			IsDir: o.Delimiter != "" && strings.HasSuffix(i.Key, "/")})
	}
	return page, ctx.Err()
}

// NewRangeReader implements driver.Bucket for whole files.
func (b *s3Bucket) NewRangeReader(ctx context.Context, key string, offset, length int64, o *driver.ReaderOptions) (driver.Reader, error) {
	if offset != 0 || length >= 0 || o.BeforeRead != nil {
		return nil, errS3Unimplemented
	}
	body, i, _, err := b.core.GetObject(ctx, b.name, key, minio.GetObjectOptions{})
	if err != nil {
		return nil, err
	}
	return &s3Reader{body, driver.ReaderAttributes{ContentType: i.ContentType, ModTime: i.LastModified, Size: i.Size}}, nil
}

type s3Reader struct {
	io.ReadCloser
	attrs driver.ReaderAttributes
}

func (r *s3Reader) Attributes() *driver.ReaderAttributes { return &r.attrs }
func (r *s3Reader) As(any) bool                          { return false }

// NewTypedWriter implements driver.Bucket. What fits into one part is sent in one
// request when the writer is closed; more is sent in parts as it comes.
func (b *s3Bucket) NewTypedWriter(ctx context.Context, key, contentType string, o *driver.WriterOptions) (driver.Writer, error) {
	if o.IfNotExist || o.BeforeWrite != nil || len(o.Metadata) > 0 {
		return nil, errS3Unimplemented
	}
	return &s3Writer{ctx: ctx, put: func(r io.Reader, size int64) error {
		_, err := b.core.Client.PutObject(ctx, b.name, key, r, size, minio.PutObjectOptions{ContentType: contentType, PartSize: s3PartLen})
		return err
	}}, nil
}

type s3Writer struct {
	ctx  context.Context // of the one write; ended: the file is not made
	put  func(io.Reader, int64) error
	head bytes.Buffer

	pipe *io.PipeWriter // nil while all is in head
	done chan error
}

func (w *s3Writer) Write(p []byte) (int, error) {
	if w.pipe == nil {
		if w.head.Len()+len(p) <= s3PartLen {
			return w.head.Write(p)
		}
		r, pipe := io.Pipe()
		w.pipe, w.done = pipe, make(chan error, 1)
		go func() {
			err := w.put(io.MultiReader(&w.head, r), -1)
			_ = r.CloseWithError(errors.Join(err, io.ErrClosedPipe)) // never fails; a writer that goes on must not wait
			w.done <- err
		}()
	}
	return w.pipe.Write(p)
}

// Close makes the file, or nothing of it when the context has ended.
func (w *s3Writer) Close() error {
	if w.pipe == nil {
		if err := w.ctx.Err(); err != nil {
			return err
		}
		return w.put(bytes.NewReader(w.head.Bytes()), int64(w.head.Len())) // what can be read again is sent again
	}
	_ = w.pipe.CloseWithError(w.ctx.Err()) // never fails; nil is the end of the file
	err := <-w.done
	if w.ctx.Err() != nil {
		return w.ctx.Err()
	}
	return err
}

// Delete implements driver.Bucket. S3 does not say whether there was a file, and Store
// does not ask.
func (b *s3Bucket) Delete(ctx context.Context, key string, _ *driver.DeleteOptions) error {
	return b.core.RemoveObject(ctx, b.name, key, minio.RemoveObjectOptions{})
}

// What Store has no use for.
var errS3Unimplemented = errors.New("blob: not done for S3")

// Attributes implements driver.Bucket.
func (b *s3Bucket) Attributes(context.Context, string) (*driver.Attributes, error) {
	return nil, errS3Unimplemented
}

// Copy implements driver.Bucket.
func (b *s3Bucket) Copy(context.Context, string, string, *driver.CopyOptions) error {
	return errS3Unimplemented
}

// SignedURL implements driver.Bucket: links are the product's own.
func (b *s3Bucket) SignedURL(context.Context, string, *driver.SignedURLOptions) (string, error) {
	return "", errS3Unimplemented
}

// Close implements driver.Bucket.
func (b *s3Bucket) Close() error {
	b.transport.CloseIdleConnections()
	return nil
}
