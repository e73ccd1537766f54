package blob_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"foresight/internal/blob"
	"foresight/internal/fault"
	"foresight/internal/id"
	"foresight/internal/testkit"
)

func connect(s *testkit.S3Server) blob.S3 {
	return blob.S3{Endpoint: s.Endpoint, Region: "us-east-1", PathStyle: true, Plain: true, AccessKey: s.AccessKey, SecretKey: s.SecretKey}
}

func openS3(t *testing.T, s *testkit.S3Server, o blob.S3, prefix string) *blob.Store {
	t.Helper()
	store, err := blob.Open(t.Context(), "s3://"+s.Bucket+prefix, blob.WithS3(o))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	return store
}

// Files beyond one part go up in several; none of a broken one stays.
func TestS3InParts(t *testing.T) {
	s := testkit.S3(t)
	store, ctx := openS3(t, s, connect(s), ""), as(t, id.New(id.Tenant))
	var parts, aborts atomic.Int64
	s.Between(func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodPut && r.URL.Query().Has("partNumber") {
				parts.Add(1)
			}
			if r.Method == http.MethodDelete && r.URL.Query().Has("uploadId") {
				aborts.Add(1)
			}
			next.ServeHTTP(w, r)
		})
	})
	content := make([]byte, 20<<20)
	_, _ = rand.Read(content) // never fails
	if err := store.Put(ctx, "big", "application/x-parquet", bytes.NewReader(content), int64(len(content))); err != nil {
		t.Fatal(err)
	}
	f, err := store.Get(ctx, "big")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	got, err := io.ReadAll(f)
	if err != nil || !bytes.Equal(got, content) || f.Size != int64(len(content)) {
		t.Errorf("%d bytes of %d, %v", len(got), f.Size, err)
	}
	if n := parts.Load(); n < 3 {
		t.Errorf("%d parts", n)
	}
	if err := store.Put(ctx, "over", "text/plain", bytes.NewReader(content), int64(len(content))-1); !errors.Is(err, blob.ErrTooLarge) {
		t.Errorf("over the limit: %v", err)
	}
	if _, err := store.Get(ctx, "over"); !fault.Is(err, fault.NotFound) {
		t.Errorf("it is there: %v", err)
	}
	if aborts.Load() == 0 {
		t.Error("the parts of the broken file were left behind")
	}
}

func TestS3Denied(t *testing.T) {
	s := testkit.S3(t)
	for name, o := range map[string]blob.S3{
		"wrong secret": {AccessKey: s.AccessKey, SecretKey: "not-the-secret-of-the-store"},
		"unknown key":  {AccessKey: "nobody", SecretKey: s.SecretKey},
	} {
		o.Endpoint, o.Region, o.PathStyle, o.Plain = s.Endpoint, "us-east-1", true, true
		_, err := blob.Open(t.Context(), "s3://"+s.Bucket, blob.WithS3(o))
		if err == nil {
			t.Fatalf("%s: opened", name)
		}
		for _, printed := range []string{err.Error(), fmt.Sprint(o), fmt.Sprintf("%+v", o), fmt.Sprintf("%#v", o), fmt.Sprintf("%v", &o)} {
			if strings.Contains(printed, o.SecretKey) || strings.Contains(printed, o.AccessKey) {
				t.Errorf("%s: a credential is printed: %s", name, printed)
			}
		}
	}
	// Denied later: an error that is not NotFound.
	store, ctx := openS3(t, s, connect(s), ""), as(t, id.New(id.Tenant))
	s.Between(func(http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusForbidden)
			_, _ = io.WriteString(w, `<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>`)
		})
	})
	if _, err := store.Get(ctx, "a"); err == nil || fault.Is(err, fault.NotFound) {
		t.Errorf("get: %v", err)
	}
	if err := store.Put(ctx, "a", "text/plain", strings.NewReader("a"), 1); err == nil {
		t.Error("put is denied and no error")
	}
}

func TestS3BucketMissing(t *testing.T) {
	s := testkit.S3(t)
	if _, err := blob.Open(t.Context(), "s3://other", blob.WithS3(connect(s))); err == nil || !strings.Contains(err.Error(), "no such bucket") {
		t.Errorf("opened: %v", err)
	}
	if _, err := blob.Open(t.Context(), "s3:///prefix", blob.WithS3(connect(s))); err == nil {
		t.Error("a URL without a bucket")
	}
	store, ctx := openS3(t, s, connect(s), ""), as(t, id.New(id.Tenant))
	s.DropBucket(t)
	// A missing bucket is no missing file: who looks for history must not find none.
	if _, err := store.Get(ctx, "a"); err == nil || fault.Is(err, fault.NotFound) {
		t.Errorf("get: %v", err)
	}
	if err := store.Put(ctx, "a", "text/plain", strings.NewReader("a"), 1); err == nil {
		t.Error("put without a bucket")
	}
	for _, err := range store.List(ctx, "") {
		if err == nil {
			t.Error("a list without a bucket")
		}
	}
}

// A connection that is cut is tried again, and a store that is gone is an error.
func TestS3ConnectionCut(t *testing.T) {
	s := testkit.S3(t)
	store, ctx := openS3(t, s, connect(s), ""), as(t, id.New(id.Tenant))
	var cuts atomic.Int64
	s.Between(func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if cuts.Add(1) == 1 {
				testkit.Cut(next).ServeHTTP(w, r)
				return
			}
			next.ServeHTTP(w, r)
		})
	})
	if err := store.Put(ctx, "a", "text/plain", strings.NewReader("content"), 7); err != nil {
		t.Fatalf("cut once: %v", err)
	}
	s.Between(testkit.Cut)
	if err := store.Put(ctx, "b", "text/plain", strings.NewReader("content"), 7); err == nil {
		t.Error("put while all is cut")
	}
	if _, err := store.Get(ctx, "a"); err == nil || fault.Is(err, fault.NotFound) {
		t.Errorf("get while all is cut: %v", err)
	}
	s.Between(nil)
	if got, err := read(t, store, ctx, "a"); err != nil || got != "text/plain content" {
		t.Errorf("%q, %v", got, err)
	}
	if _, err := store.Get(ctx, "b"); !fault.Is(err, fault.NotFound) {
		t.Errorf("half a file: %v", err)
	}
}

// A store that does not answer holds nobody longer than its context or its time.
func TestS3Slow(t *testing.T) {
	s := testkit.S3(t)
	o := connect(s)
	o.Timeout = 100 * time.Millisecond
	var store *blob.Store
	testkit.Eventually(t, testkit.Patience, func() (opened bool) { // the time is that of every answer
		var err error
		store, err = blob.Open(t.Context(), "s3://"+s.Bucket, blob.WithS3(o))
		return err == nil
	})
	t.Cleanup(func() { _ = store.Close() })
	ctx := as(t, id.New(id.Tenant))
	release := make(chan struct{})
	defer close(release)
	arrived := make(chan struct{}, 100)
	silent := func(http.Handler) http.Handler {
		return http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
			arrived <- struct{}{}
			<-release
		})
	}
	s.Between(silent)
	if _, err := store.Get(ctx, "a"); err == nil || fault.Is(err, fault.NotFound) {
		t.Errorf("no answer within the time: %v", err)
	}
	s.Between(nil)
	patient := openS3(t, s, connect(s), "")
	s.Between(silent)
	for len(arrived) > 0 {
		<-arrived
	}
	cancelled, cancel := context.WithCancel(ctx)
	go func() {
		<-arrived
		cancel()
	}()
	if err := patient.Put(cancelled, "a", "text/plain", strings.NewReader("a"), 1); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

// Credentials come from a file as well, and the store is reached over TLS whose
// certificate is checked.
func TestS3OverTLSWithFiles(t *testing.T) {
	s := testkit.S3(t)
	behind, err := url.Parse("http://" + s.Endpoint)
	if err != nil {
		t.Fatal(err)
	}
	proxy := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.Out.URL.Scheme, r.Out.URL.Host = behind.Scheme, behind.Host
		r.Out.Host = r.In.Host // it is signed
	}}
	secure := httptest.NewUnstartedServer(proxy)
	secure.Config.ErrorLog = log.New(io.Discard, "", 0) // of the certificate that is refused
	secure.StartTLS()
	t.Cleanup(secure.Close)
	dir := t.TempDir()
	ca, keys := filepath.Join(dir, "ca.pem"), filepath.Join(dir, "credentials")
	block := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: secure.Certificate().Raw})
	if err := errors.Join(os.WriteFile(ca, block, 0o600),
		os.WriteFile(keys, []byte("[default]\naws_access_key_id = "+s.AccessKey+"\naws_secret_access_key = "+s.SecretKey+"\n"), 0o600)); err != nil {
		t.Fatal(err)
	}
	o := blob.S3{Endpoint: secure.Listener.Addr().String(), Region: "us-east-1", PathStyle: true, CredentialsFile: keys}
	if _, err := blob.Open(t.Context(), "s3://"+s.Bucket, blob.WithS3(o)); err == nil {
		t.Error("an unknown certificate is taken")
	}
	o.CAFile = keys
	if _, err := blob.Open(t.Context(), "s3://"+s.Bucket, blob.WithS3(o)); err == nil {
		t.Error("a file without certificates is taken")
	}
	o.CAFile = ca
	store, ctx := openS3(t, s, o, ""), as(t, id.New(id.Tenant))
	if err := store.Put(ctx, "a", "text/plain", strings.NewReader("a"), 1); err != nil {
		t.Fatal(err)
	}
	if got, err := read(t, store, ctx, "a"); err != nil || got != "text/plain a" {
		t.Errorf("%q, %v", got, err)
	}
}

// Two stores of one bucket do not see each other's files.
func TestS3Prefix(t *testing.T) {
	s := testkit.S3(t)
	a, b := openS3(t, s, connect(s), "/files"), openS3(t, s, connect(s), "/landing/zone")
	ctx := as(t, id.New(id.Tenant))
	if err := a.Put(ctx, "x", "text/plain", strings.NewReader("a"), 1); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Get(ctx, "x"); !fault.Is(err, fault.NotFound) {
		t.Errorf("in the other one: %v", err)
	}
	if tenants, err := b.Tenants(ctx); err != nil || len(tenants) != 0 {
		t.Errorf("%v, %v", tenants, err)
	}
}
