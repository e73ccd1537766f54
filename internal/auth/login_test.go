package auth_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"foresight/internal/auth"
	"foresight/internal/fault"
	"foresight/internal/tenancy"
)

func wantFault(t *testing.T, err error, k fault.Kind, key string) *fault.Error {
	t.Helper()
	var f *fault.Error
	if !errors.As(err, &f) || f.Kind != k || f.Key != key {
		t.Fatalf("%v, want %s %s", err, k, key)
	}
	return f
}

func TestLogin(t *testing.T) {
	r := newRig(t)
	for _, c := range []struct {
		name string
		in   auth.Login
		kind fault.Kind
		key  string
	}{
		{"right", auth.Login{Email: " Only@ACME.example ", Password: password}, "", ""},
		{"right, with the tenant", auth.Login{Email: "only@acme.example", Password: password, TenantCode: "ACME"}, "", ""},
		{"wrong password", auth.Login{Email: "only@acme.example", Password: password + "x"}, fault.BadInput, "error.auth.credentials"},
		{"no password", auth.Login{Email: "only@acme.example"}, fault.BadInput, "error.auth.credentials"},
		{"endless password", auth.Login{Email: "only@acme.example", Password: strings.Repeat("x", 1<<20)}, fault.BadInput, "error.auth.credentials"},
		{"unknown address", auth.Login{Email: "nobody@acme.example", Password: password}, fault.BadInput, "error.auth.credentials"},
		{"other tenant's code", auth.Login{Email: "only@acme.example", Password: password, TenantCode: "globex"}, fault.BadInput, "error.auth.credentials"},
		{"in two tenants, right in both", auth.Login{Email: "admin@example.com", Password: password}, fault.BadInput, "error.auth.tenantCode"},
		{"in two tenants, right in one", auth.Login{Email: "viewer@example.com", Password: password}, fault.BadInput, "error.auth.tenantCode"},
		{"in two tenants, wrong in both", auth.Login{Email: "admin@example.com", Password: "x"}, fault.BadInput, "error.auth.credentials"},
		{"in two tenants, with the code", auth.Login{Email: "viewer@example.com", Password: password, TenantCode: "acme"}, "", ""},
		{"in two tenants, with the other code", auth.Login{Email: "viewer@example.com", Password: password, TenantCode: "globex"}, fault.BadInput, "error.auth.credentials"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, err := r.Login(t.Context(), c.in)
			if c.kind != "" {
				f := wantFault(t, err, c.kind, c.key)
				if strings.Contains(f.Error(), "acme") || strings.Contains(f.Error(), "globex") {
					t.Errorf("names a tenant: %v", f)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			g, err := r.Authenticate(t.Context(), "bearer "+s.AccessToken)
			if err != nil {
				t.Fatal(err)
			}
			if a := g.Actor; a.TenantID != r.acme.TenantID || a.TenantCode != "acme" || a.Kind != tenancy.Person || !a.Can(tenancy.AlarmsRead) {
				t.Errorf("actor %+v", a)
			}
			if !g.ExpiresAt.Equal(r.clock.Now().Add(15*time.Minute)) || s.ExpiresIn != 15*time.Minute {
				t.Errorf("expires %v in %v", g.ExpiresAt, s.ExpiresIn)
			}
		})
	}
	var at *time.Time
	if err := r.owner.QueryRow(t.Context(), `SELECT last_login_at FROM users WHERE id = $1`, r.acme.Users[tenancy.Operator]).Scan(&at); err != nil || at == nil {
		t.Errorf("last login %v, %v", at, err)
	}
}

func TestLoginOfThoseWhoMayNot(t *testing.T) {
	r := newRig(t)
	in := auth.Login{Email: "only@acme.example", Password: password}
	r.exec(t, `UPDATE users SET status = 'disabled' WHERE email = $1`, in.Email)
	_, err := r.Login(t.Context(), in)
	wantFault(t, err, fault.Forbidden, "error.auth.disabled")
	_, err = r.Login(t.Context(), auth.Login{Email: in.Email, Password: "x"})
	wantFault(t, err, fault.BadInput, "error.auth.credentials")
	r.exec(t, `UPDATE users SET status = 'active' WHERE email = $1`, in.Email)
	r.exec(t, `UPDATE tenants SET is_active = false WHERE id = $1`, r.acme.TenantID)
	_, err = r.Login(t.Context(), in)
	wantFault(t, err, fault.BadInput, "error.auth.credentials")
}

func TestLockOut(t *testing.T) {
	for _, email := range []string{"only@acme.example", "nobody@acme.example"} { // both alike
		t.Run(email, func(t *testing.T) {
			r := newRig(t)
			wrong := auth.Login{Email: email, Password: "x", Remote: "192.0.2.1"}
			for range 5 {
				_, err := r.Login(t.Context(), wrong)
				wantFault(t, err, fault.BadInput, "error.auth.credentials")
			}
			_, err := r.Login(t.Context(), auth.Login{Email: email, Password: password, Remote: "192.0.2.2"})
			f := wantFault(t, err, fault.RateLimited, "error.auth.locked")
			if f.Args["Seconds"] != 5 {
				t.Errorf("locked for %v s, want 5", f.Args["Seconds"])
			}
			r.clock.Advance(5 * time.Second)
			_, err = r.Login(t.Context(), wrong)
			wantFault(t, err, fault.BadInput, "error.auth.credentials")
			_, err = r.Login(t.Context(), wrong)
			if f := wantFault(t, err, fault.RateLimited, "error.auth.locked"); f.Args["Seconds"] != 10 {
				t.Errorf("locked for %v s, want 10", f.Args["Seconds"])
			}
		})
	}
}

func TestLockSurvivesARestartAndEndsWithTheRightPassword(t *testing.T) {
	r := newRig(t)
	wrong := auth.Login{Email: "only@acme.example", Password: "x"}
	for range 5 {
		_, err := r.Login(t.Context(), wrong)
		wantFault(t, err, fault.BadInput, "error.auth.credentials")
	}
	other := r.newService(t, auth.Config{})
	right := auth.Login{Email: wrong.Email, Password: password}
	_, err := other.Login(t.Context(), right)
	wantFault(t, err, fault.RateLimited, "error.auth.locked")
	r.clock.Advance(6 * time.Second)
	// The wait goes on doubling where it was.
	_, err = other.Login(t.Context(), wrong)
	wantFault(t, err, fault.BadInput, "error.auth.credentials")
	third := r.newService(t, auth.Config{})
	_, err = third.Login(t.Context(), right)
	if f := wantFault(t, err, fault.RateLimited, "error.auth.locked"); f.Args["Seconds"] != 10 {
		t.Errorf("locked for %v s, want 10", f.Args["Seconds"])
	}
	r.clock.Advance(11 * time.Second)
	if _, err := third.Login(t.Context(), right); err != nil {
		t.Fatal(err)
	}
	var n int
	var until *time.Time
	if err := r.owner.QueryRow(t.Context(), `SELECT failed_logins, locked_until FROM users WHERE email = $1`, wrong.Email).Scan(&n, &until); err != nil || n != 0 || until != nil {
		t.Errorf("%d failures, locked until %v, %v", n, until, err)
	}
}

func TestOneAddressTryingManyAccountsIsLocked(t *testing.T) {
	r := newRig(t)
	for i := range 30 {
		_, err := r.Login(t.Context(), auth.Login{Email: strings.Repeat("a", i+1) + "@x.example", Password: "x", Remote: "2001:db8::1"})
		wantFault(t, err, fault.BadInput, "error.auth.credentials")
	}
	_, err := r.Login(t.Context(), auth.Login{Email: "only@acme.example", Password: password, Remote: "2001:db8::2"}) // same /64
	wantFault(t, err, fault.RateLimited, "error.auth.locked")
	if _, err := r.Login(t.Context(), auth.Login{Email: "only@acme.example", Password: password, Remote: "2001:db8:1::2"}); err != nil {
		t.Error(err)
	}
}

func TestOldHashIsMadeAnew(t *testing.T) {
	r := newRig(t)
	s := r.newService(t, auth.Config{Hasher: auth.NewHasher(auth.Params{Memory: 128, Time: 1, Threads: 1})})
	in := auth.Login{Email: "only@acme.example", Password: password}
	for range 2 {
		if _, err := s.Login(t.Context(), in); err != nil {
			t.Fatal(err)
		}
		var h string
		if err := r.owner.QueryRow(t.Context(), `SELECT password_hash FROM users WHERE email = $1`, in.Email).Scan(&h); err != nil || !strings.Contains(h, "m=128,") {
			t.Fatalf("%s %v", h, err)
		}
	}
}

func TestWithoutDatabaseItIsUnavailable(t *testing.T) {
	r := newRig(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := r.Login(ctx, auth.Login{Email: "only@acme.example", Password: password})
	wantFault(t, err, fault.Unavailable, "error.auth.unavailable")
}
