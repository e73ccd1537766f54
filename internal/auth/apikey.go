package auth

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base32"
	"errors"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"foresight/internal/fault"
	"foresight/internal/id"
	"foresight/internal/secret"
	"foresight/internal/tenancy"
)

// KeyScheme is the scheme of API keys in the text that Authenticate takes. Clients
// send keys in X-API-Key (KeyHeader); the doors put them into this form.
const KeyScheme = "ApiKey"

// KeyHeader is the header of API keys.
const KeyHeader = "X-API-Key"

// An API key is `fsk_` and 16 characters, its prefix, by which it is found; a dot;
// and 256 random bits. Nobody guesses that, so wrong keys lock nothing out.
const (
	keyMark   = "fsk_"
	maxAPIKey = 256 // bytes
)

// keyRow is a row of lookup_api_key.
type keyRow struct {
	ID         id.UUID
	TenantID   id.UUID
	TenantCode string
	Hash       []byte
	Scopes     []string
	ExpiresAt  *time.Time
}

// newAPIKey returns a key with its public part and its hash.
func newAPIKey() (key, prefix string, hash []byte) {
	prefix = keyMark + randomName()
	key = prefix + "." + secret.Text(32)
	sum := sha256.Sum256([]byte(key))
	return key, prefix, sum[:]
}

// randomName returns 80 random bits that people can read out.
func randomName() string {
	var b [10]byte
	_, _ = rand.Read(b[:]) // never fails
	return strings.ToLower(base32.StdEncoding.EncodeToString(b[:]))
}

// verifyKey checks an API key against the database, at each use: a key that was
// revoked is refused at once, in every process. The grant ends with the key, and
// after the lifetime of an access token at the latest: a long connection comes back
// then, and the key is checked again.
func (s *Service) verifyKey(ctx context.Context, key string) (*Grant, error) {
	now := s.c.Now()
	prefix, _, ok := strings.Cut(key, ".")
	if !ok || len(key) > maxAPIKey || !strings.HasPrefix(prefix, keyMark) {
		return nil, badKey("malformed")
	}
	rows, err := lookup[keyRow](ctx, s.c.DB, `SELECT * FROM lookup_api_key($1)`, prefix)
	if err != nil {
		return nil, err
	}
	if len(rows) != 1 {
		return nil, badKey("unknown, revoked or expired")
	}
	k := rows[0]
	if sum := sha256.Sum256([]byte(key)); subtle.ConstantTimeCompare(sum[:], k.Hash) != 1 {
		return nil, badKey("wrong secret")
	}
	if k.ExpiresAt != nil && !now.Before(*k.ExpiresAt) {
		return nil, badKey("expired")
	}
	s.noteUse(ctx, &k, now)
	g := &Grant{
		Actor:     &tenancy.Actor{Kind: tenancy.APIKey, ID: k.ID, TenantID: k.TenantID, TenantCode: k.TenantCode, Scopes: scopeSet(k.Scopes)},
		ExpiresAt: now.Add(s.c.AccessTTL), IssuedAt: now, TokenID: prefix,
	}
	if k.ExpiresAt != nil && k.ExpiresAt.Before(g.ExpiresAt) {
		g.ExpiresAt = *k.ExpiresAt
	}
	return g, nil
}

func badKey(why string) *fault.Error {
	return fault.New(fault.Unauthenticated, "error.auth.key").Because(errors.New("api key: " + why))
}

// noteUse keeps the time of a key's last use. Once a minute is exact enough, and
// keeps a busy key from rewriting its row. A failure is logged only.
func (s *Service) noteUse(ctx context.Context, k *keyRow, now time.Time) {
	if !s.uses.due(k.ID, now) {
		return
	}
	err := s.inTenant(ctx, k.TenantID, func(ctx context.Context, tx pgx.Tx) error {
		_, err := tx.Exec(ctx, `UPDATE api_keys SET last_used_at = $3
			WHERE tenant_id = $1 AND id = $2 AND (last_used_at IS NULL OR last_used_at < $3)`, k.TenantID, k.ID, now)
		return err
	})
	if err != nil {
		s.c.Log.WarnContext(ctx, "use of a key not noted", "error", err, "tenant_id", k.TenantID, "key_id", k.ID)
	}
}
