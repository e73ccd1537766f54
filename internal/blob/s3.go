package blob

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
	"gocloud.dev/blob"
)

// S3 says how to reach an S3-compatible store. Its zero value is Amazon's own, with
// the credentials of the machine.
type S3 struct {
	// Endpoint is host, or host:port; empty: s3.amazonaws.com.
	Endpoint string
	Region   string // empty: us-east-1, or what the store tells
	// PathStyle puts the bucket into the path and not into the host's name, as most
	// stores beside Amazon's want it.
	PathStyle bool
	// Plain speaks http instead of https.
	Plain bool
	// CAFile holds the certificates (PEM) that the server's is checked against; empty:
	// the system's.
	CAFile string

	// AccessKey and SecretKey, or CredentialsFile in the form of ~/.aws/credentials
	// (profile `default`). When both are missing, the variables AWS_ACCESS_KEY_ID and
	// AWS_SECRET_ACCESS_KEY are read, and then what the machine's role gives.
	AccessKey, SecretKey string
	CredentialsFile      string

	// Timeout bounds the wait for a connection and for the beginning of an answer;
	// 30 s. How long a whole file takes is up to the context.
	Timeout time.Duration
}

// String says nothing of the credentials.
func (o S3) String() string { return fmt.Sprintf("S3 at %s", o.endpoint()) }

// GoString is String, so that no way of printing tells a secret.
func (o S3) GoString() string { return o.String() }

const (
	amazon        = "s3.amazonaws.com"
	s3Timeout     = 30 * time.Second
	s3ConnectTime = 5 * time.Second
	// A request that fails in passing is sent so many times; those who write anything
	// of weight wait and begin anew by themselves.
	s3Tries = 3
)

func (o S3) endpoint() string {
	if o.Endpoint == "" {
		return amazon
	}
	return o.Endpoint
}

// openS3 opens s3://bucket/prefix, and fails when the bucket is not there or the
// credentials do not reach it.
func openS3(ctx context.Context, u *url.URL, o S3) (*blob.Bucket, error) {
	if u.Host == "" {
		return nil, errors.New("want s3://bucket or s3://bucket/prefix")
	}
	client, transport, err := o.client()
	if err != nil {
		return nil, err
	}
	there, err := client.BucketExists(ctx, u.Host)
	if err == nil && !there {
		err = errors.New("there is no such bucket")
	}
	if err != nil {
		transport.CloseIdleConnections()
		return nil, fmt.Errorf("%s, bucket %s: %w", o, u.Host, err)
	}
	b := blob.NewBucket(&s3Bucket{minio.Core{Client: client}, transport, u.Host})
	if prefix := strings.Trim(u.Path, "/"); prefix != "" {
		b = blob.PrefixedBucket(b, prefix+"/")
	}
	return b, nil
}

func (o S3) client() (*minio.Client, *http.Transport, error) {
	if o.Timeout == 0 {
		o.Timeout = s3Timeout
	}
	roots, err := o.roots()
	if err != nil {
		return nil, nil, err
	}
	lookup := minio.BucketLookupAuto
	if o.PathStyle {
		lookup = minio.BucketLookupPath
	}
	transport := &http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		DialContext:           (&net.Dialer{Timeout: s3ConnectTime}).DialContext,
		TLSClientConfig:       &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: roots},
		TLSHandshakeTimeout:   s3ConnectTime,
		ResponseHeaderTimeout: o.Timeout,
		MaxIdleConnsPerHost:   16,
		IdleConnTimeout:       time.Minute,
		DisableCompression:    true, // files come as they were stored
	}
	client, err := minio.New(o.endpoint(), &minio.Options{Creds: o.credentials(), Secure: !o.Plain, Region: o.Region,
		BucketLookup: lookup, MaxRetries: s3Tries, Transport: transport})
	return client, transport, err
}

// roots are the certificates of CAFile, nil for the system's.
func (o S3) roots() (*x509.CertPool, error) {
	if o.CAFile == "" {
		return nil, nil
	}
	pem, err := os.ReadFile(o.CAFile)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("%s holds no certificate", o.CAFile)
	}
	return pool, nil
}

func (o S3) credentials() *credentials.Credentials {
	switch {
	case o.AccessKey != "":
		return credentials.NewStaticV4(o.AccessKey, o.SecretKey, "")
	case o.CredentialsFile != "":
		return credentials.NewFileAWSCredentials(o.CredentialsFile, "")
	}
	return credentials.NewChainCredentials([]credentials.Provider{&credentials.EnvAWS{}, &credentials.IAM{}})
}
