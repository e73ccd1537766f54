package auth_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"foresight/internal/auth"
	"foresight/internal/fault"
	"foresight/internal/id"
	"foresight/internal/obs"
	"foresight/internal/tenancy"
)

// from returns a context of a client.
func from(ctx context.Context, address, agent string) context.Context {
	return obs.WithAgent(obs.WithRemote(ctx, address), agent)
}

// guest lets acme's operator into globex.
func (r *rig) guest(t *testing.T, role tenancy.Role) {
	t.Helper()
	r.exec(t, `INSERT INTO memberships (id, tenant_id, user_id, display_name, role) VALUES ($1, $2, $3, 'Guest', $4)`,
		id.New(id.Membership), r.globex.TenantID, r.acme.Users[tenancy.Operator], role)
}

func (r *rig) loginFrom(t *testing.T, address, agent string) *auth.Session {
	t.Helper()
	s, err := r.Login(from(t.Context(), address, agent), auth.Login{Email: "only@acme.example", Password: password})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestSessionsAreListed(t *testing.T) {
	r := newRig(t)
	old := r.loginFrom(t, "192.0.2.1", "Old\x00 browser\n"+strings.Repeat("é", 400))
	r.clock.Advance(time.Minute)
	young := r.loginFrom(t, "2001:db8::1", "")
	over := r.loginFrom(t, "192.0.2.3", "x")
	if err := r.Logout(t.Context(), over.RefreshToken); err != nil {
		t.Fatal(err)
	}
	user := old.Grant.Actor.ID
	as := tenancy.With(t.Context(), old.Grant.Actor)
	list := func(ctx context.Context) []*auth.OpenSession {
		t.Helper()
		l, err := r.Sessions(ctx, user)
		if err != nil {
			t.Fatal(err)
		}
		return l
	}
	l := list(as)
	if len(l) != 2 || l[0].ID != young.Grant.SessionID || l[1].ID != old.Grant.SessionID {
		t.Fatalf("%+v", l)
	}
	if l[0].Address != "2001:db8::1" || l[0].UserAgent != "" || l[1].Address != "192.0.2.1" || l[1].UserAgent != "Old browser"+strings.Repeat("é", 289) {
		t.Errorf("%+v %+v", l[0], l[1])
	}
	if l[1].BeganAt().After(time.Now()) || !l[1].LastUsedAt.Equal(r.clock.Now().Add(-time.Minute)) || !l[1].ExpiresAt.Equal(l[1].LastUsedAt.Add(30*24*time.Hour)) {
		t.Errorf("%v %+v", l[1].BeganAt(), l[1])
	}
	r.clock.Advance(time.Minute)
	if _, err := r.Refresh(from(t.Context(), "192.0.2.9", "Old browser, moved"), old.RefreshToken); err != nil {
		t.Fatal(err)
	}
	if l = list(as); l[0].ID != old.Grant.SessionID || l[0].Address != "192.0.2.9" || l[0].UserAgent != "Old browser, moved" || !l[0].LastUsedAt.Equal(r.clock.Now()) {
		t.Errorf("after a refresh: %+v", l[0])
	}
	if l = list(r.admin(t)); len(l) != 2 {
		t.Errorf("an admin sees %d", len(l))
	}
	if l = list(r.globex.As(t.Context(), tenancy.Admin)); len(l) != 0 {
		t.Errorf("another tenant's admin sees %d", len(l))
	}
	if _, err := r.Sessions(r.acme.As(t.Context(), tenancy.Engineer), user); !fault.Is(err, fault.Forbidden) {
		t.Errorf("a colleague: %v", err)
	}
	r.clock.Advance(31 * 24 * time.Hour)
	if l = list(as); len(l) != 0 {
		t.Errorf("expired sessions are open: %+v", l)
	}
}

func TestSessionsAreEnded(t *testing.T) {
	r := newRig(t)
	s, other := r.login(t), r.login(t)
	as := tenancy.With(t.Context(), s.Grant.Actor)
	for name, ctx := range map[string]context.Context{
		"a colleague": r.acme.As(t.Context(), tenancy.Engineer), "another tenant's admin": r.globex.As(t.Context(), tenancy.Admin),
	} {
		if err := r.EndSession(ctx, other.Grant.SessionID); !fault.Is(err, fault.NotFound) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := r.EndSession(as, id.New(id.RefreshToken)); !fault.Is(err, fault.NotFound) {
		t.Errorf("one that is not: %v", err)
	}
	closed, release := r.Watch(other.Grant)
	defer release()
	if err := r.EndSession(as, other.Grant.SessionID); err != nil {
		t.Fatal(err)
	}
	<-closed
	_, err := r.Refresh(t.Context(), other.RefreshToken)
	wantFault(t, err, fault.Unauthenticated, "error.auth.refresh")
	if _, err := r.Authenticate(t.Context(), "Bearer "+s.AccessToken); err != nil {
		t.Errorf("the other session: %v", err)
	}
	if err := r.EndSession(r.admin(t), s.Grant.SessionID); err != nil {
		t.Errorf("an admin: %v", err)
	}
	_, err = r.Authenticate(t.Context(), "Bearer "+s.AccessToken)
	wantFault(t, err, fault.Unauthenticated, "error.auth.token")
}

func TestAllSessionsAreEnded(t *testing.T) {
	r := newRig(t)
	r.guest(t, tenancy.Viewer)
	home := []*auth.Session{r.login(t), r.login(t)}
	abroad, err := r.SwitchTenant(tenancy.With(t.Context(), home[0].Grant.Actor), home[0].RefreshToken, r.globex.TenantID)
	if err != nil {
		t.Fatal(err)
	}
	user := abroad.Grant.Actor.ID
	if _, err := r.EndSessions(r.acme.As(t.Context(), tenancy.Engineer), user); !fault.Is(err, fault.Forbidden) {
		t.Errorf("a colleague: %v", err)
	}
	if n, err := r.EndSessions(r.globex.As(t.Context(), tenancy.Admin), user); err != nil || n != 1 {
		t.Errorf("the host's admin ended %d, %v", n, err)
	}
	if _, err := r.Refresh(t.Context(), home[1].RefreshToken); err != nil {
		t.Errorf("the host's admin ended a session at home: %v", err)
	}
	if abroad, err = r.SwitchTenant(tenancy.With(t.Context(), home[1].Grant.Actor), r.login(t).RefreshToken, r.globex.TenantID); err != nil {
		t.Fatal(err)
	}
	closed, release := r.Watch(home[1].Grant)
	defer release()
	if n, err := r.EndSessions(tenancy.With(t.Context(), abroad.Grant.Actor), user); err != nil || n != 2 {
		t.Errorf("the person ended %d, %v", n, err)
	}
	<-closed
	_, err = r.Refresh(t.Context(), abroad.RefreshToken)
	wantFault(t, err, fault.Unauthenticated, "error.auth.refresh")
}

func TestSessionsAreOnRecord(t *testing.T) {
	r := newRig(t)
	r.guest(t, tenancy.Viewer)
	user := r.acme.Users[tenancy.Operator]
	s := r.loginFrom(t, "192.0.2.1", "x")
	s, err := r.SwitchTenant(tenancy.With(from(t.Context(), "192.0.2.2", "x"), s.Grant.Actor), s.RefreshToken, r.globex.TenantID)
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Logout(t.Context(), s.RefreshToken); err != nil {
		t.Fatal(err)
	}
	s = r.login(t)
	if err := r.EndSession(r.admin(t), s.Grant.SessionID); err != nil {
		t.Fatal(err)
	}
	s = r.login(t)
	if _, err := r.Refresh(t.Context(), s.RefreshToken); err != nil {
		t.Fatal(err)
	}
	r.clock.Advance(time.Minute)
	if _, err := r.Refresh(t.Context(), s.RefreshToken); err == nil {
		t.Fatal("a used token is good")
	}
	rows, err := r.owner.Query(t.Context(), `SELECT t.code || ' ' || l.action || ' ' || l.actor_kind || coalesce(' ' || l.ip, '')
		FROM audit_logs l JOIN tenants t ON t.id = l.tenant_id WHERE l.entity = 'User' AND l.entity_id = $1 ORDER BY l.id`, user)
	if err != nil {
		t.Fatal(err)
	}
	got, err := pgx.CollectRows(rows, pgx.RowTo[string])
	want := []string{"acme login user 192.0.2.1", "acme switch_tenant user 192.0.2.2", "globex login user 192.0.2.2", "globex logout user",
		"acme login user", "acme end_session user", "acme login user", "acme refresh_token_reused system"}
	slices.Sort(got) // ids of one millisecond are in no order
	slices.Sort(want)
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("%q, want %q, %v", got, want, err)
	}
}

func TestSwitchTenant(t *testing.T) {
	r := newRig(t)
	s := r.login(t)
	as := tenancy.With(t.Context(), s.Grant.Actor)
	_, err := r.SwitchTenant(as, s.RefreshToken, r.globex.TenantID)
	wantFault(t, err, fault.NotFound, "error.notFound")
	if _, err := r.Authenticate(t.Context(), "Bearer "+s.AccessToken); err != nil {
		t.Fatalf("a refused switch ended the session: %v", err)
	}
	r.guest(t, tenancy.Engineer)
	all, err := r.Tenants(t.Context(), s.Grant.Actor.ID)
	if err != nil || len(all) != 2 || !all[0].IsHome || all[0].Code != "acme" || all[1].IsHome || all[1].Role != tenancy.Engineer || all[1].DisplayName != "Guest" {
		t.Fatalf("%+v %v", all, err)
	}
	for name, c := range map[string]struct {
		ctx   context.Context
		token string
	}{
		"another person":   {r.acme.As(t.Context(), tenancy.Admin), s.RefreshToken},
		"a machine":        {tenancy.With(t.Context(), &tenancy.Actor{Kind: tenancy.Client, ID: s.Grant.Actor.ID, TenantID: r.acme.TenantID}), s.RefreshToken},
		"no token":         {as, ""},
		"an unknown token": {as, "x"},
	} {
		if _, err := r.SwitchTenant(c.ctx, c.token, r.globex.TenantID); !fault.Is(err, fault.Unauthenticated) {
			t.Errorf("%s: %v", name, err)
		}
	}
	closed, release := r.Watch(s.Grant)
	defer release()
	next, err := r.SwitchTenant(as, s.RefreshToken, r.globex.TenantID)
	if err != nil {
		t.Fatal(err)
	}
	<-closed
	g, err := r.Authenticate(t.Context(), "Bearer "+next.AccessToken)
	if err != nil {
		t.Fatal(err)
	}
	if a := g.Actor; a.TenantID != r.globex.TenantID || a.TenantCode != "globex" || a.ID != s.Grant.Actor.ID || a.Role != tenancy.Engineer || !a.Can(tenancy.PlantWrite) {
		t.Errorf("%+v", a)
	}
	_, err = r.Refresh(t.Context(), s.RefreshToken)
	wantFault(t, err, fault.Unauthenticated, "error.auth.refresh")
	if next, err = r.Refresh(t.Context(), next.RefreshToken); err != nil || next.Grant.Actor.TenantID != r.globex.TenantID {
		t.Fatalf("%+v %v", next, err)
	}
	// The host closes the door.
	r.exec(t, `UPDATE memberships SET is_active = false WHERE tenant_id = $1 AND user_id = $2`, r.globex.TenantID, g.Actor.ID)
	_, err = r.Refresh(t.Context(), next.RefreshToken)
	wantFault(t, err, fault.Unauthenticated, "error.auth.refresh")
}

func TestSwitchWithAUsedTokenEndsItsFamily(t *testing.T) {
	r := newRig(t)
	r.guest(t, tenancy.Viewer)
	s := r.login(t)
	next, err := r.Refresh(t.Context(), s.RefreshToken)
	if err != nil {
		t.Fatal(err)
	}
	r.clock.Advance(time.Minute)
	_, err = r.SwitchTenant(tenancy.With(t.Context(), s.Grant.Actor), s.RefreshToken, r.globex.TenantID)
	wantFault(t, err, fault.Unauthenticated, "error.auth.refresh")
	_, err = r.Refresh(t.Context(), next.RefreshToken)
	wantFault(t, err, fault.Unauthenticated, "error.auth.refresh")
}
