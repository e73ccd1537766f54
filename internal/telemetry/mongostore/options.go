package mongostore

import (
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"time"

	"go.mongodb.org/mongo-driver/v2/mongo/options"
)

// Schema says who is responsible for collections, validators and indexes.
type Schema string

// The modes.
const (
	// Managed: made and changed at start, as far as that loses nothing.
	Managed Schema = "managed"
	// External: somebody else does; at start it is compared, and what is missing is said.
	External Schema = "external"
)

// Options configure a Store.
type Options struct {
	// URI is the connection string, mongodb:// or mongodb+srv://. Its concerns and
	// read preference are not followed (see the package's text).
	URI      string
	Database string // "foresight" when empty
	Schema   Schema // Managed when empty
	Keep     Retention
	Log      *slog.Logger // slog.Default() when nil
}

// Retention is how long MongoDB keeps documents by their event time; tenants may have
// less, never more. Daily rollups are kept for good.
type Retention struct {
	Readings    time.Duration // 30 days when zero
	Predictions time.Duration // 90 days when zero
	RollupsM5   time.Duration // 60 days when zero
	RollupsH1   time.Duration // 400 days when zero
}

const days = 24 * time.Hour

func (r Retention) withDefaults() Retention {
	for _, d := range []struct {
		of   *time.Duration
		days time.Duration
	}{{&r.Readings, 30}, {&r.Predictions, 90}, {&r.RollupsM5, 60}, {&r.RollupsH1, 400}} {
		if *d.of == 0 {
			*d.of = d.days * days
		}
	}
	return r
}

const (
	// opTimeout is how long an operation may take when its context has no deadline,
	// selectWithin how long of that it looks for a primary: longer than an election.
	// Within it the driver sends again what met a network or a primary that went
	// away. The connection string may say otherwise.
	opTimeout    = 15 * time.Second
	selectWithin = 10 * time.Second
)

// clientOptions reads the connection string. No error holds a part of it that may be
// a password.
func clientOptions(uri string) (*options.ClientOptions, error) {
	o := options.Client().ApplyURI(uri)
	if err := o.Validate(); err != nil {
		if err := options.Client().ApplyURI(withoutUser(uri)).Validate(); err != nil {
			return nil, fmt.Errorf("mongostore: connection string: %w", err)
		}
		return nil, errors.New("mongostore: connection string: user and password must be percent-encoded, and fit the mechanism of authentication")
	}
	if o.AppName == nil {
		o.SetAppName("foresight")
	}
	if o.ServerSelectionTimeout == nil {
		o.SetServerSelectionTimeout(selectWithin)
	}
	if o.Timeout == nil {
		o.SetTimeout(opTimeout)
	}
	return o, nil
}

// withoutUser replaces what stands before the last @ of the authority.
func withoutUser(uri string) string {
	scheme, rest, ok := strings.Cut(uri, "://")
	if !ok {
		return "(no scheme)"
	}
	authority, path := rest, ""
	if i := strings.LastIndexByte(rest, '@'); i >= 0 {
		authority = rest[i+1:]
	}
	if i := strings.IndexByte(authority, '?'); i >= 0 { // options may hold secrets, too
		authority, path = authority[:i], keepNames(authority[i+1:])
	}
	return scheme + "://" + authority + path
}

// keepNames drops the options of authentication.
func keepNames(query string) string {
	q, err := url.ParseQuery(query)
	if err != nil {
		return ""
	}
	for name := range q {
		if l := strings.ToLower(name); strings.HasPrefix(l, "auth") || strings.Contains(l, "password") {
			q.Del(name)
		}
	}
	if len(q) == 0 {
		return ""
	}
	return "?" + q.Encode()
}
