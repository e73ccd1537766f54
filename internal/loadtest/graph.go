package loadtest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// Graph is the product's API as one tenant's member sees it.
type Graph struct {
	URL   string // http://host:port
	Token string // access token; "" before the sign-in
	HTTP  *http.Client
}

type vars = map[string]any

// graphError is one of the errors of an answer.
type graphError struct {
	Message    string
	Extensions struct{ Code string }
}

// An exhausted budget is waited for: provisioning asks often.
const (
	limited   = "RATE_LIMITED"
	waitAgain = time.Second
	mostTries = 60
)

// ask executes an operation and decodes its data.
func (g *Graph) ask(ctx context.Context, query string, v vars, data any) error {
	for range mostTries {
		errs, err := g.once(ctx, query, v, data)
		if err != nil {
			return err
		}
		if len(errs) == 0 {
			return nil
		}
		if errs[0].Extensions.Code != limited {
			return fmt.Errorf("loadtest: graph: %s (%s)", errs[0].Message, errs[0].Extensions.Code)
		}
		if err := pause(ctx, waitAgain); err != nil {
			return err
		}
	}
	return errors.New("loadtest: graph: the rate limit does not let go")
}

func (g *Graph) once(ctx context.Context, query string, v vars, data any) ([]graphError, error) {
	body, err := json.Marshal(vars{"query": query, "variables": v})
	if err != nil {
		return nil, err
	}
	raw, err := g.send(ctx, "/graphql", "application/json", body)
	if err != nil {
		return nil, err
	}
	answer := struct {
		Data   any          `json:"data"`
		Errors []graphError `json:"errors"`
	}{Data: data}
	if err := json.Unmarshal(raw, &answer); err != nil {
		return nil, fmt.Errorf("loadtest: graph: %w", err)
	}
	return answer.Errors, nil
}

// send posts a body and returns the answer's.
func (g *Graph) send(ctx context.Context, path, kind string, body []byte) ([]byte, error) {
	q, err := http.NewRequestWithContext(ctx, http.MethodPost, g.URL+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	q.Header.Set("Content-Type", kind)
	if g.Token != "" {
		q.Header.Set("Authorization", "Bearer "+g.Token)
	}
	res, err := g.HTTP.Do(q)
	if err != nil {
		return nil, fmt.Errorf("loadtest: %w", err)
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		return nil, fmt.Errorf("loadtest: %w", err)
	}
	if res.StatusCode/100 != 2 && !strings.Contains(res.Header.Get("Content-Type"), "json") {
		return nil, fmt.Errorf("loadtest: POST %s: %s", path, res.Status)
	}
	return raw, nil
}

// mistakes are a payload's userErrors.
type mistakes []struct{ Field, Message, Code string }

func (m mistakes) err(what string) error {
	if len(m) == 0 {
		return nil
	}
	return fmt.Errorf("loadtest: %s: %s %s", what, m[0].Field, m[0].Message)
}

// Login signs in and keeps the access token.
func (g *Graph) Login(ctx context.Context, email, password, tenant string) error {
	var d struct {
		Login struct {
			Session    *struct{ AccessToken string }
			UserErrors mistakes
		}
	}
	v := vars{"in": vars{"email": email, "password": password}}
	if tenant != "" {
		v["in"].(vars)["tenantCode"] = tenant
	}
	if err := g.ask(ctx, `mutation($in: LoginInput!) { login(input: $in) { session { accessToken } userErrors { field message code } } }`, v, &d); err != nil {
		return err
	}
	if err := d.Login.UserErrors.err("sign in"); err != nil {
		return err
	}
	g.Token = d.Login.Session.AccessToken
	return nil
}

// Register makes a tenant, where the installation lets anybody, and signs in as its admin.
func (g *Graph) Register(ctx context.Context, tenant, email, password string) error {
	var d struct {
		Register struct {
			Session    *struct{ AccessToken string }
			UserErrors mistakes
		}
	}
	if err := g.ask(ctx, `mutation($in: RegisterInput!) { register(input: $in) { session { accessToken } userErrors { field message code } } }`, vars{"in": vars{
		"tenantCode": tenant, "tenantName": "Load test", "email": email, "fullName": "Load test", "password": password}}, &d); err != nil {
		return err
	}
	if err := d.Register.UserErrors.err("register"); err != nil {
		return err
	}
	g.Token = d.Register.Session.AccessToken
	return nil
}

// What the plan of a tenant that was made just now allows its devices.
const (
	planRate  = 20_000 // messages per second
	planBurst = 40_000
)

// RaiseQuota lets the tenant's devices send what its plan allows. A new tenant has set
// itself a quarter of that, which would then be measured instead of the product.
func (g *Graph) RaiseQuota(ctx context.Context) error {
	var me struct {
		Me struct{ Tenant struct{ Version int } }
	}
	if err := g.ask(ctx, `{ me { tenant { version } } }`, nil, &me); err != nil {
		return err
	}
	var d struct {
		UpdateTenant struct{ UserErrors mistakes }
	}
	if err := g.ask(ctx, `mutation($in: UpdateTenantInput!) { updateTenant(input: $in) { userErrors { field message code } } }`, vars{"in": vars{
		"expectedVersion": me.Me.Tenant.Version, "settings": vars{"messagesPerSecond": planRate, "messageBurst": planBurst}}}, &d); err != nil {
		return err
	}
	return d.UpdateTenant.UserErrors.err("raise the quota")
}

// pause waits, or returns the context's error.
func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
