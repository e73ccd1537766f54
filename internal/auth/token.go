package auth

import (
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"foresight/internal/id"
	"foresight/internal/secret"
	"foresight/internal/tenancy"
)

// tokenType is the `typ` of access tokens (RFC 9068), so that no other JWT passes for one.
const tokenType = "at+jwt"

// leeway is how far the clocks of two processes may differ.
const leeway = 5 * time.Second

// maxToken bounds the length of a token in bytes before anything is decoded.
const maxToken = 32 << 10 // some hundred sites

// claims is the body of an access token.
type claims struct {
	jwt.RegisteredClaims
	TenantID   string   `json:"tenant_id"`
	TenantCode string   `json:"tenant_code"`
	Kind       string   `json:"kind"`            // tenancy.ActorKind
	Role       string   `json:"role,omitempty"`  // persons
	Scope      string   `json:"scope,omitempty"` // permissions, separated by spaces; persons: left out when they are the role's
	Digest     string   `json:"permissions"`     // of all permissions, with their sites
	Sites      []string `json:"sites,omitempty"`
	// OnSites are permissions that a person holds on a site alone, by site.
	OnSites map[string]string `json:"site_scope,omitempty"`
	Session string            `json:"sid,omitempty"` // family of the refresh token
	// Issued is when the rights were read, in microseconds of Unix time: `iat` counts
	// seconds, within which rights may change and a client come back.
	Issued int64  `json:"iat_us"`
	Locale string `json:"locale,omitempty"`
}

// Grant is what a verified access token allows.
type Grant struct {
	Actor     *tenancy.Actor
	ExpiresAt time.Time
	IssuedAt  time.Time // when the rights were read, or before
	TokenID   string
	SessionID id.UUID // of a person's session, nil for machines
}

// digest names what an actor may do and where, so that a token issued before a
// role was redefined is noticed and renewed.
func digest(a *tenancy.Actor) string {
	var b strings.Builder
	b.WriteString(strings.Join(a.Scopes.Strings(), " "))
	for _, s := range a.SiteIDs {
		b.WriteString("@" + s.String())
	}
	for _, p := range slices.Sorted(maps.Keys(a.OnSites)) {
		b.WriteString(" " + string(p))
		for _, s := range a.OnSites[p] {
			b.WriteString("@" + s.String())
		}
	}
	sum := sha256.Sum256([]byte(b.String()))
	return base64.RawURLEncoding.EncodeToString(sum[:12])
}

// tokens signs and verifies access tokens.
type tokens struct {
	keys     *Keys
	issuer   string
	audience string
	ttl      time.Duration
	now      func() time.Time
}

// sign makes a token of the actor as it was at the time, which is when its rights
// were read or later.
func (t *tokens) sign(a *tenancy.Actor, session id.UUID, at time.Time) (string, *Grant, error) {
	c := claims{
		RegisteredClaims: jwt.RegisteredClaims{
			Issuer: t.issuer, Audience: jwt.ClaimStrings{t.audience}, Subject: a.ID.String(), ID: secret.Text(16),
			IssuedAt: jwt.NewNumericDate(at), NotBefore: jwt.NewNumericDate(at), ExpiresAt: jwt.NewNumericDate(at.Add(t.ttl)),
		},
		TenantID: a.TenantID.String(), TenantCode: a.TenantCode, Kind: string(a.Kind),
		Digest: digest(a), Issued: at.UnixMicro(), Locale: a.Locale,
	}
	if a.Kind == tenancy.Person {
		c.Role, c.Session = string(a.Role), session.String()
	}
	if a.Kind != tenancy.Person || !maps.Equal(a.Scopes, tenancy.RoleScopes(a.Role)) {
		c.Scope = strings.Join(a.Scopes.Strings(), " ")
	}
	c.place(a)
	k := t.keys.signing()
	tok := jwt.NewWithClaims(k.method, c)
	tok.Header["kid"], tok.Header["typ"] = k.id, tokenType
	s, err := tok.SignedString(k.private)
	if err == nil && len(s) > maxToken {
		err = fmt.Errorf("%d bytes, as the actor holds permissions on too many sites", len(s))
	}
	if err != nil {
		return "", nil, fmt.Errorf("auth: sign token: %w", err)
	}
	return s, &Grant{a, c.ExpiresAt.Time, time.UnixMicro(c.Issued), c.ID, session}, nil
}

// verify checks signature (by key id, with that key's own algorithm), type,
// issuer, audience and times, and that the claims make an actor.
func (t *tokens) verify(s string) (*Grant, error) {
	if len(s) > maxToken {
		return nil, errors.New("token too long")
	}
	var c claims
	_, err := jwt.ParseWithClaims(s, &c, func(tok *jwt.Token) (any, error) {
		kid, _ := tok.Header["kid"].(string)
		k, ok := t.keys.byID(kid)
		if !ok {
			return nil, errors.New("unknown key")
		}
		if tok.Method.Alg() != k.method.Alg() {
			return nil, errors.New("not the key's algorithm")
		}
		if typ, _ := tok.Header["typ"].(string); typ != tokenType {
			return nil, errors.New("not an access token")
		}
		return k.public, nil
	}, jwt.WithValidMethods([]string{"EdDSA", "HS256"}), jwt.WithExpirationRequired(), jwt.WithIssuedAt(), jwt.WithNotBeforeRequired(),
		jwt.WithIssuer(t.issuer), jwt.WithAudience(t.audience), jwt.WithLeeway(leeway), jwt.WithStrictDecoding(), jwt.WithTimeFunc(t.now))
	if err != nil {
		return nil, err
	}
	return c.grant()
}

func (c *claims) grant() (*Grant, error) {
	a := &tenancy.Actor{Kind: tenancy.ActorKind(c.Kind), TenantCode: c.TenantCode, Locale: c.Locale}
	g := &Grant{Actor: a, ExpiresAt: c.ExpiresAt.Time, TokenID: c.ID}
	var err error
	if a.ID, err = id.Parse(c.Subject); err != nil {
		return nil, errors.New("no subject")
	}
	if a.TenantID, err = id.Parse(c.TenantID); err != nil || a.TenantID == id.Nil {
		return nil, errors.New("no tenant")
	}
	if c.IssuedAt == nil || c.ID == "" {
		return nil, errors.New("no issue time or id")
	}
	g.IssuedAt = time.UnixMicro(c.Issued)
	switch a.Kind {
	case tenancy.Person:
		a.Role = tenancy.Role(c.Role)
		if a.Scopes = tenancy.RoleScopes(a.Role); c.Scope != "" {
			a.Scopes = scopeSet(strings.Fields(c.Scope))
		}
		if g.SessionID, err = id.Parse(c.Session); err != nil {
			return nil, errors.New("no session")
		}
	case tenancy.Client:
		a.Scopes = scopeSet(strings.Fields(c.Scope))
	default:
		return nil, errors.New("unknown kind of actor")
	}
	if err := c.placed(a); err != nil {
		return nil, err
	}
	if c.Digest != digest(a) {
		return nil, errors.New("the permissions have changed")
	}
	return g, nil
}

// scopeSet keeps what names a permission; others mean nothing.
func scopeSet(names []string) tenancy.Set {
	s := tenancy.Set{}
	for _, n := range names {
		if p := tenancy.Permission(n); tenancy.Known(p) {
			s[p] = struct{}{}
		}
	}
	return s
}
