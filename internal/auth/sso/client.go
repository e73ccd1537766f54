package sso

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"foresight/internal/auth"
)

// client speaks with one provider.
type client struct {
	Provider
	http     *http.Client
	now      func() time.Time
	redirect string

	mu     sync.Mutex
	found  *oidc.Provider
	missed error     // of the last look, while there is nothing
	again  time.Time // when to look again
}

// lookAgain is how long a provider that was not found is left alone, so that those
// who wait for it do not queue up.
const lookAgain = 5 * time.Second

// discovered returns what is needed to speak with the provider. It is looked for at
// the first use, and again as long as that has failed.
func (c *client) discovered(ctx context.Context) (*oauth2.Config, *oidc.Provider, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.found == nil {
		if c.now().Before(c.again) {
			return nil, nil, c.missed
		}
		// Others wait for the answer, too: it is theirs when this client leaves.
		p, err := oidc.NewProvider(oidc.ClientContext(context.WithoutCancel(ctx), c.http), c.Issuer)
		if err != nil {
			c.missed, c.again = fmt.Errorf("discover %s: %w", c.Issuer, err), c.now().Add(lookAgain)
			return nil, nil, c.missed
		}
		c.found = p
	}
	return &oauth2.Config{ClientID: c.ClientID, ClientSecret: c.secret, Endpoint: c.found.Endpoint(), RedirectURL: c.redirect,
		Scopes: []string{oidc.ScopeOpenID, "email", "profile"}}, c.found, nil
}

func nonce(n string) oauth2.AuthCodeOption { return oidc.Nonce(n) }

// profile are the claims that matter here, of an ID token or of the userinfo endpoint.
type profile struct {
	Email         string `json:"email"`
	EmailVerified truth  `json:"email_verified"`
	Name          string `json:"name"`
}

// truth is a boolean that some providers write as a text.
type truth bool

// UnmarshalJSON takes true and "true" for true and all else for false.
func (t *truth) UnmarshalJSON(b []byte) error {
	*t = string(b) == `true` || string(b) == `"true"`
	return nil
}

// identity exchanges the code and returns whom the provider vouches for. The ID token
// must be signed by the provider for this client, be fresh, and answer to the nonce.
func (c *client) identity(ctx context.Context, code string, f *flow) (*auth.Identity, error) {
	ctx = oidc.ClientContext(ctx, c.http)
	conf, p, err := c.discovered(ctx)
	if err != nil {
		return nil, err
	}
	tokens, err := conf.Exchange(ctx, code, oauth2.VerifierOption(f.Verifier))
	if err != nil {
		return nil, fmt.Errorf("exchange the code: %w", withoutBody(err))
	}
	raw, _ := tokens.Extra("id_token").(string)
	token, err := p.Verifier(&oidc.Config{ClientID: c.ClientID, Now: c.now}).Verify(ctx, raw)
	if err != nil {
		return nil, fmt.Errorf("ID token: %w", err)
	}
	if token.Nonce != f.Nonce {
		return nil, errors.New("ID token: it answers to another sign-in")
	}
	var who profile
	if err := token.Claims(&who); err != nil {
		return nil, fmt.Errorf("ID token: %w", err)
	}
	if who.Email == "" { // the claims of scopes may come at the userinfo endpoint only
		if who, err = c.userinfo(ctx, p, tokens, token.Subject); err != nil {
			return nil, err
		}
	}
	return &auth.Identity{Issuer: token.Issuer, Subject: token.Subject, Email: who.Email, EmailVerified: bool(who.EmailVerified), Name: who.Name}, nil
}

func (c *client) userinfo(ctx context.Context, p *oidc.Provider, tokens *oauth2.Token, subject string) (who profile, err error) {
	info, err := p.UserInfo(ctx, oauth2.StaticTokenSource(tokens))
	if err != nil {
		return who, fmt.Errorf("userinfo: %w", err)
	}
	if info.Subject != subject {
		return who, errors.New("userinfo: of another person")
	}
	return who, info.Claims(&who)
}

// withoutBody keeps what a token endpoint answered out of logs, but for the error's code.
func withoutBody(err error) error {
	var e *oauth2.RetrieveError
	if !errors.As(err, &e) {
		return err
	}
	var doc struct {
		Error string `json:"error"`
	}
	_ = json.Unmarshal(e.Body, &doc) // else there is no code
	return fmt.Errorf("status %d %s", e.Response.StatusCode, cut(doc.Error))
}
