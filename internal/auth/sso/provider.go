// Package sso signs people in by OpenID Connect: any provider that can be discovered,
// by authorization code with PKCE, state and nonce. A provider vouches for the people
// of one tenant.
//
// Who may come in is decided by auth.Service.LoginWith; the secure default lets in
// only people who have an account, found by the identity that was linked before or by
// an address that the provider has verified.
package sso

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"

	"foresight/internal/tenancy"
)

// Provider is an OpenID Connect provider as the configuration has it.
type Provider struct {
	ID     string `json:"id"`     // in addresses: `[a-z0-9-]{1,40}`
	Name   string `json:"name"`   // on the button; the id when empty
	Issuer string `json:"issuer"` // where it is discovered, https; http on this machine only

	ClientID string `json:"client_id"`
	// The client's secret comes from a file or a variable of the environment; neither
	// for a public client, which PKCE protects.
	ClientSecretFile string `json:"client_secret_file"`
	ClientSecretEnv  string `json:"client_secret_env"`

	Tenant string `json:"tenant"` // code of the tenant whose people it knows
	// Domains are the parts behind the @ of addresses that are let in; none: all.
	Domains []string `json:"domains"`
	// CreateAs makes accounts for people who have none, with this role (viewer,
	// operator or engineer); empty: only people who have an account come in.
	CreateAs tenancy.Role `json:"create_as"`

	secret string
}

var idForm = regexp.MustCompile(`^[a-z0-9-]{1,40}$`)

// maxProviders bounds the list.
const maxProviders = 50

// Load reads the providers from a JSON file, `{"providers": […]}`, and their secrets.
// The error names what is wrong and holds no secret.
func Load(file string) ([]Provider, error) {
	b, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("sign-in providers: %w", err)
	}
	var doc struct {
		Providers []Provider `json:"providers"`
	}
	d := json.NewDecoder(strings.NewReader(string(b)))
	d.DisallowUnknownFields()
	if err := d.Decode(&doc); err != nil {
		return nil, fmt.Errorf("sign-in providers in %s: %w", file, err)
	}
	if len(doc.Providers) > maxProviders {
		return nil, fmt.Errorf("sign-in providers in %s: more than %d", file, maxProviders)
	}
	seen := map[string]bool{}
	var errs []error
	for i := range doc.Providers {
		p := &doc.Providers[i]
		if err := p.verify(); err != nil {
			errs = append(errs, fmt.Errorf("provider %q: %w", p.ID, err))
		}
		if seen[p.ID] {
			errs = append(errs, fmt.Errorf("provider %q is there twice", p.ID))
		}
		seen[p.ID] = true
	}
	if err := errors.Join(errs...); err != nil {
		return nil, fmt.Errorf("sign-in providers in %s:\n%w", file, err)
	}
	return doc.Providers, nil
}

// verify checks the provider and reads its secret.
func (p *Provider) verify() error {
	var errs []error
	if !idForm.MatchString(p.ID) {
		errs = append(errs, errors.New("id: want [a-z0-9-]{1,40}"))
	}
	if p.Name == "" {
		p.Name = p.ID
	}
	if u, err := url.Parse(p.Issuer); err != nil || u.Host == "" || u.Scheme != "https" && !(u.Scheme == "http" && loopback(u.Hostname())) {
		errs = append(errs, errors.New("issuer: want an https address"))
	}
	if p.ClientID == "" || p.Tenant == "" {
		errs = append(errs, errors.New("client_id and tenant are needed"))
	}
	if p.CreateAs != "" && !slices.Contains([]tenancy.Role{tenancy.Viewer, tenancy.Operator, tenancy.Engineer}, p.CreateAs) {
		errs = append(errs, errors.New("create_as: want viewer, operator or engineer"))
	}
	for i, d := range p.Domains {
		if p.Domains[i] = strings.ToLower(strings.TrimPrefix(d, "@")); p.Domains[i] == "" {
			errs = append(errs, errors.New("domains: one is empty"))
		}
	}
	switch {
	case p.ClientSecretFile != "" && p.ClientSecretEnv != "":
		errs = append(errs, errors.New("client_secret_file or client_secret_env, not both"))
	case p.ClientSecretFile != "":
		b, err := os.ReadFile(p.ClientSecretFile)
		if err != nil {
			errs = append(errs, err)
		}
		p.secret = strings.TrimSpace(string(b))
	case p.ClientSecretEnv != "":
		if p.secret = os.Getenv(p.ClientSecretEnv); p.secret == "" {
			errs = append(errs, fmt.Errorf("%s is not set", p.ClientSecretEnv))
		}
	}
	return errors.Join(errs...)
}

// admits reports whether addresses of the domain are let in.
func (p *Provider) admits(email string) bool {
	if len(p.Domains) == 0 {
		return true
	}
	at := strings.LastIndexByte(email, '@')
	return at >= 0 && slices.Contains(p.Domains, strings.ToLower(email[at+1:]))
}

func loopback(host string) bool {
	a, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && a.IsLoopback()
}
