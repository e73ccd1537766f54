package testkit

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/rclone/gofakes3"
	"github.com/rclone/gofakes3/s3mem"
)

// S3Server is an S3-compatible store in the process, which checks signatures.
type S3Server struct {
	Endpoint             string // host:port, plain HTTP, the bucket in the path
	Bucket               string // is there and empty
	AccessKey, SecretKey string

	server  *httptest.Server
	backend gofakes3.Backend
	between atomic.Pointer[func(http.Handler) http.Handler]
}

// S3 starts a store with one bucket, stopped after the test.
func S3(t testing.TB) *S3Server {
	t.Helper()
	s := &S3Server{Bucket: "plant", AccessKey: "test-access", SecretKey: "test-secret-of-the-store", backend: s3mem.New()}
	if err := s.backend.CreateBucket(t.Context(), s.Bucket); err != nil {
		t.Fatal(err)
	}
	real := gofakes3.New(flat{s.backend}, gofakes3.WithV4Auth(map[string]string{s.AccessKey: s.SecretKey})).Server()
	s.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := real
		if f := s.between.Load(); f != nil {
			h = (*f)(real)
		}
		h.ServeHTTP(w, r)
	}))
	t.Cleanup(s.server.Close)
	s.Endpoint = strings.TrimPrefix(s.server.URL, "http://")
	return s
}

// flat takes an empty delimiter for none, as S3 does and gofakes3 does not.
type flat struct{ gofakes3.Backend }

func (b flat) ListBucket(ctx context.Context, name string, prefix *gofakes3.Prefix, page gofakes3.ListBucketPage) (*gofakes3.ObjectList, error) {
	if prefix != nil && prefix.Delimiter == "" {
		p := *prefix
		p.HasDelimiter = false
		prefix = &p
	}
	return b.Backend.ListBucket(ctx, name, prefix, page)
}

// Between puts a handler between the clients and the store from now on; nil takes it
// away.
func (s *S3Server) Between(f func(store http.Handler) http.Handler) {
	if f == nil {
		s.between.Store(nil)
		return
	}
	s.between.Store(&f)
}

// DropBucket removes the empty bucket.
func (s *S3Server) DropBucket(t testing.TB) {
	t.Helper()
	if err := s.backend.DeleteBucket(t.Context(), s.Bucket); err != nil {
		t.Fatal(err)
	}
}

// Cut answers by closing the connection in the middle of the answer's head.
func Cut(http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := w.(http.Hijacker).Hijack()
		if err == nil {
			_ = conn.Close() // that is the fault
		}
	})
}
