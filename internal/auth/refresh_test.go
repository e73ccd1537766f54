package auth_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"foresight/internal/auth"
	"foresight/internal/fault"
	"foresight/internal/tenancy"
)

func TestRefreshRotates(t *testing.T) {
	r := newRig(t)
	s := r.login(t)
	seen := map[string]bool{s.RefreshToken: true}
	for range 3 {
		r.clock.Advance(time.Hour)
		next, err := r.Refresh(t.Context(), s.RefreshToken)
		if err != nil {
			t.Fatal(err)
		}
		if seen[next.RefreshToken] || next.Grant.SessionID != s.Grant.SessionID || next.Grant.TokenID == s.Grant.TokenID {
			t.Fatalf("%+v after %+v", next.Grant, s.Grant)
		}
		seen[next.RefreshToken] = true
		s = next
	}
	var plain int
	if err := r.owner.QueryRow(t.Context(), `SELECT count(*) FROM refresh_tokens WHERE token_hash = convert_to($1, 'UTF8')`, s.RefreshToken).Scan(&plain); err != nil || plain != 0 {
		t.Errorf("stored as it is: %d %v", plain, err)
	}
}

func TestReuseEndsTheFamily(t *testing.T) {
	r := newRig(t)
	stolen := r.login(t)
	other := r.login(t)
	next, err := r.Refresh(t.Context(), stolen.RefreshToken)
	if err != nil {
		t.Fatal(err)
	}
	revoked, release := r.Watch(next.Grant)
	defer release()
	r.clock.Advance(11 * time.Second)
	_, err = r.Refresh(t.Context(), stolen.RefreshToken)
	wantFault(t, err, fault.Unauthenticated, "error.auth.refresh")
	_, err = r.Refresh(t.Context(), next.RefreshToken)
	wantFault(t, err, fault.Unauthenticated, "error.auth.refresh")
	<-revoked
	_, err = r.Authenticate(t.Context(), "Bearer "+next.AccessToken)
	wantFault(t, err, fault.Unauthenticated, "error.auth.token")
	if v := <-r.revoked; v.Session != next.Grant.SessionID {
		t.Errorf("announced %+v", v)
	}
	if _, err := r.Refresh(t.Context(), other.RefreshToken); err != nil {
		t.Errorf("another session ended, too: %v", err)
	}
}

func TestRetryWithinGraceContinuesTheFamily(t *testing.T) {
	r := newRig(t)
	s := r.login(t)
	var wg sync.WaitGroup
	got := make([]*auth.Session, 8) // tabs of one browser that come back at once
	for i := range got {
		wg.Go(func() {
			var err error
			if got[i], err = r.Refresh(t.Context(), s.RefreshToken); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	r.clock.Advance(time.Minute)
	for _, g := range got {
		if g == nil || g.Grant.SessionID != s.Grant.SessionID {
			t.Fatalf("%+v", g)
		}
		if _, err := r.Refresh(t.Context(), g.RefreshToken); err != nil {
			t.Error(err)
		}
	}
	strict := r.newService(t, auth.Config{ReuseGrace: -1})
	s = r.login(t)
	if _, err := strict.Refresh(t.Context(), s.RefreshToken); err != nil {
		t.Fatal(err)
	}
	_, err := strict.Refresh(t.Context(), s.RefreshToken)
	wantFault(t, err, fault.Unauthenticated, "error.auth.refresh")
}

func TestRefreshIsRefused(t *testing.T) {
	r := newRig(t)
	for _, c := range []struct {
		name  string
		spoil func(*auth.Session) string
	}{
		{"unknown", func(*auth.Session) string { return "x" }},
		{"empty", func(*auth.Session) string { return "" }},
		{"expired", func(s *auth.Session) string { r.clock.Advance(31 * 24 * time.Hour); return s.RefreshToken }},
		{"signed out", func(s *auth.Session) string {
			if err := r.Logout(t.Context(), s.RefreshToken); err != nil {
				t.Fatal(err)
			}
			return s.RefreshToken
		}},
		{"disabled", func(s *auth.Session) string {
			r.exec(t, `UPDATE users SET status = 'disabled' WHERE id = $1`, s.Grant.Actor.ID)
			return s.RefreshToken
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := r.login(t)
			_, err := r.Refresh(t.Context(), c.spoil(s))
			wantFault(t, err, fault.Unauthenticated, "error.auth.refresh")
		})
	}
}

func TestRefreshTakesTheNewRole(t *testing.T) {
	r := newRig(t)
	s := r.login(t)
	r.exec(t, `UPDATE memberships SET role = 'admin' WHERE user_id = $1`, s.Grant.Actor.ID)
	next, err := r.Refresh(t.Context(), s.RefreshToken)
	if err != nil {
		t.Fatal(err)
	}
	if a := next.Grant.Actor; a.Role != tenancy.Admin || !a.Can(tenancy.UsersWrite) {
		t.Errorf("%+v", a)
	}
}

func TestLogout(t *testing.T) {
	r := newRig(t)
	s := r.login(t)
	if err := r.Logout(t.Context(), "unknown"); err != nil {
		t.Error(err)
	}
	if err := r.Logout(t.Context(), s.RefreshToken); err != nil {
		t.Fatal(err)
	}
	_, err := r.Authenticate(t.Context(), "Bearer "+s.AccessToken)
	wantFault(t, err, fault.Unauthenticated, "error.auth.token")

	other := r.newService(t, auth.Config{})
	if _, err := other.Authenticate(t.Context(), "Bearer "+s.AccessToken); err != nil {
		t.Fatal(err) // has not heard of it
	}
	other.Apply(<-r.revoked)
	_, err = other.Authenticate(t.Context(), "Bearer "+s.AccessToken)
	wantFault(t, err, fault.Unauthenticated, "error.auth.token")
}

// A process that starts knows nothing of what was revoked before, and asks.
func TestRevocationsSurviveARestart(t *testing.T) {
	r := newRig(t)
	c := r.credentials(t)
	o, secret, err := c.CreateClient(r.admin(t), auth.NewCredential{Name: "Partner", Scopes: []string{"plant:read"}})
	if err != nil {
		t.Fatal(err)
	}
	machine := func() string {
		t.Helper()
		s, err := r.ClientCredentials(t.Context(), auth.ClientLogin{ClientID: o.ClientID, Secret: secret})
		if err != nil {
			t.Fatal(err)
		}
		return s.AccessToken
	}
	// The clock of the columns is the real one.
	r.clock.Advance(time.Minute)
	ended, changed, good := r.login(t), r.login(t), r.login(t)
	partner := machine()
	r.clock.Advance(time.Minute)
	if err := r.Logout(t.Context(), ended.RefreshToken); err != nil {
		t.Fatal(err)
	}
	other := r.newService(t, auth.Config{})
	takes := func(token string) bool {
		t.Helper()
		_, err := other.Authenticate(t.Context(), "Bearer "+token)
		if err != nil {
			wantFault(t, err, fault.Unauthenticated, "error.auth.token")
		}
		return err == nil
	}
	if takes(ended.AccessToken) {
		t.Error("takes the token of a session that was ended before the start")
	}
	for range 2 {
		if !takes(good.AccessToken) || !takes(changed.AccessToken) || !takes(partner) {
			t.Error("refuses a good token")
		}
	}
	r.grant(t, r.addRole(t, "Planner", false, tenancy.RulesWrite), &r.acme.SiteID)
	r.exec(t, `UPDATE oauth_clients SET is_active = false WHERE id = $1`, o.ID)
	if other = r.newService(t, auth.Config{}); takes(changed.AccessToken) || takes(partner) {
		t.Error("takes a token whose rights changed before the start")
	}
	r.exec(t, `DELETE FROM user_roles`)
	r.exec(t, `UPDATE oauth_clients SET is_active = true, updated_at = $2 WHERE id = $1`, o.ID, r.clock.Now())
	if other = r.newService(t, auth.Config{}); !takes(changed.AccessToken) || takes(partner) {
		t.Error("refuses the rights of now, or takes a token of a former secret")
	}
	// So it is after a time in which it could hear nothing.
	if err := r.Logout(t.Context(), good.RefreshToken); err != nil {
		t.Fatal(err)
	}
	other = r.newService(t, auth.Config{})
	r.clock.Advance(time.Second)
	unheard := r.login(t)
	r.clock.Advance(time.Second)
	if err := r.Logout(t.Context(), unheard.RefreshToken); err != nil {
		t.Fatal(err)
	}
	if !takes(unheard.AccessToken) {
		t.Fatal("it has heard of it")
	}
	if other.Doubt(); takes(unheard.AccessToken) {
		t.Error("takes a token that was revoked while it could hear nothing")
	}

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	other = r.newService(t, auth.Config{})
	_, err = other.Authenticate(ctx, "Bearer "+good.AccessToken)
	wantFault(t, err, fault.Unavailable, "error.auth.unavailable")
}

func TestRevokeActorEndsOldTokensOnly(t *testing.T) {
	r := newRig(t)
	s := r.login(t)
	revoked, release := r.Watch(s.Grant)
	r.RevokeActor(s.Grant.Actor.ID)
	<-revoked
	release()
	_, err := r.Authenticate(t.Context(), "Bearer "+s.AccessToken)
	wantFault(t, err, fault.Unauthenticated, "error.auth.token")
	late, release := r.Watch(s.Grant) // a connection that opens now
	<-late
	release()
	r.clock.Advance(time.Second)
	next, err := r.Refresh(t.Context(), s.RefreshToken)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Authenticate(t.Context(), "Bearer "+next.AccessToken); err != nil {
		t.Error(err)
	}
}
