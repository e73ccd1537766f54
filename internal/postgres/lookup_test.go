package postgres_test

import (
	"fmt"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// lookups are the functions that run before a tenant is known, with a key of
// tenant a's fixture and the statements that must make it be found no more.
var lookups = []struct {
	function, key string
	worker        bool
	hide          []string
}{
	{"lookup_login", "'A_Email'", false, []string{
		"UPDATE users SET is_deleted = true", "UPDATE users SET is_active = false", "UPDATE memberships SET is_active = false",
		"UPDATE tenants SET is_active = false", "UPDATE tenants SET is_deleted = true"}},
	{"lookup_memberships", "(SELECT user_id FROM fixture)", false, []string{
		"UPDATE users SET status = 'disabled'", "UPDATE users SET is_deleted = true", "UPDATE tenants SET is_active = false"}},
	{"lookup_refresh_token", "'atoken_hash'::bytea", false, []string{
		"UPDATE users SET is_active = false", "UPDATE memberships SET is_active = false", "UPDATE tenants SET is_active = false"}},
	{"lookup_oauth_client", "'a_client_id'", false, []string{
		"UPDATE oauth_clients SET is_active = false", "UPDATE tenants SET is_active = false"}},
	{"lookup_gateway", "'a_mqtt'", true, []string{
		"UPDATE gateways SET is_active = false", "UPDATE gateways SET is_deleted = true", "UPDATE gateways SET mqtt_password_hash = NULL",
		"UPDATE sites SET is_active = false", "UPDATE tenants SET is_active = false"}},
	{"lookup_user_identity", "'a_issuer', 'a_subject'", false, []string{
		"UPDATE users SET status = 'disabled'", "UPDATE users SET is_deleted = true", "UPDATE memberships SET is_active = false",
		"UPDATE tenants SET is_active = false", "UPDATE user_identities SET subject = subject || 'x'"}},
	{"lookup_password_reset", "'atoken_hash'::bytea", false, []string{
		"UPDATE password_resets SET used_at = now()", "UPDATE password_resets SET expires_at = now()",
		"UPDATE users SET status = 'disabled'", "UPDATE tenants SET is_active = false"}},
	{"lookup_invite", "'atoken_hash'::bytea", false, []string{
		"UPDATE invites SET accepted_at = now()", "UPDATE invites SET expires_at = now()", "UPDATE invites SET is_active = false",
		"UPDATE tenants SET is_deleted = true"}},
	{"lookup_api_key", "'a_prefix'", false, []string{
		"UPDATE api_keys SET is_active = false", "UPDATE api_keys SET expires_at = now()", "UPDATE tenants SET is_active = false"}},
}

func TestLookupsFindBeforeATenantIsKnown(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	for _, r := range []rows{w.a, w.b} {
		if _, err := w.owner.Exec(ctx, "UPDATE gateways SET mqtt_username = split_part(gateway_code, '_', 1) || '_mqtt', mqtt_password_hash = 'h' WHERE tenant_id = $1", r.tenant); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := w.owner.Exec(ctx, "CREATE TABLE fixture (user_id uuid); GRANT SELECT ON fixture TO foresight_app, foresight_worker; INSERT INTO fixture VALUES ('"+w.a.user.String()+"')"); err != nil {
		t.Fatal(err)
	}
	showAll(t, w)
	app, worker := w.as(t, w.AppDSN, uuid.Nil), w.as(t, w.WorkerDSN, uuid.Nil)
	for _, l := range lookups {
		find := func() (found []uuid.UUID) {
			t.Helper()
			q, err := app.Query(ctx, fmt.Sprintf("SELECT tenant_id FROM %s(%s)", l.function, l.key))
			if err != nil {
				t.Fatal(err)
			}
			found, err = pgx.CollectRows(q, pgx.RowTo[uuid.UUID])
			if err != nil {
				t.Fatalf("%s: %v", l.function, err)
			}
			return found
		}
		if got := find(); len(got) != 1 || got[0] != w.a.tenant {
			t.Errorf("%s: found %v, want tenant %s", l.function, got, w.a.tenant)
		}
		for _, hide := range l.hide {
			if _, err := w.owner.Exec(ctx, hide); err != nil {
				t.Fatal(err)
			}
			if got := find(); len(got) != 0 {
				t.Errorf("%s: found %v after %s", l.function, got, hide)
			}
			showAll(t, w)
		}
		_, err := worker.Exec(ctx, fmt.Sprintf("SELECT FROM %s(%s)", l.function, l.key))
		if l.worker && err != nil || !l.worker && !denied(err) {
			t.Errorf("%s called by the pipeline: %v", l.function, err)
		}
	}
	for role, c := range map[string]*pgx.Conn{"app": app, "worker": worker} {
		if _, err := c.Exec(ctx, "SET ROLE foresight_lookup"); !denied(err) {
			t.Errorf("%s becomes the owner of the look-ups: %v", role, err)
		}
	}
}

// showAll puts back what hides things.
func showAll(t *testing.T, w *world) {
	t.Helper()
	if _, err := w.owner.Exec(t.Context(), `
		UPDATE tenants SET is_active = true, is_deleted = false;
		UPDATE users SET is_active = true, is_deleted = false, status = 'active';
		UPDATE memberships SET is_active = true;
		UPDATE oauth_clients SET is_active = true;
		UPDATE sites SET is_active = true;
		UPDATE gateways SET is_active = true, is_deleted = false, mqtt_password_hash = 'h';
		UPDATE user_identities SET subject = rtrim(subject, 'x');
		UPDATE password_resets SET used_at = NULL, expires_at = now() + interval '1 day';
		UPDATE invites SET is_active = true, accepted_at = NULL, expires_at = now() + interval '1 day';
		UPDATE api_keys SET is_active = true, expires_at = now() + interval '1 day'`); err != nil {
		t.Fatal(err)
	}
}
