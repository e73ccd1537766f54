package graph_test

import (
	"crypto/sha256"
	"fmt"

	"foresight/internal/id"
	"foresight/internal/tenancy"
	"foresight/internal/testkit"
)

// furnish gives a tenant n of everything that its people hold: each of another person,
// so that edges lead to different rows.
func (r *rig) furnish(p testkit.Plant, n int) {
	r.Helper()
	admin, tenant := p.Users[tenancy.Admin], p.TenantID
	for i := range n {
		name := fmt.Sprintf("%s-%03d", p.TenantCode, i)
		hash := sha256.Sum256([]byte(name))
		user, role := id.New(id.User), id.New(id.Role)
		r.sql(`INSERT INTO users (id, tenant_id, username, email, full_name, password_hash, role) VALUES ($1, $2, $3, $3 || '@example.com', $3, '!', 'viewer')`, user, tenant, name)
		r.sql(`INSERT INTO memberships (id, tenant_id, user_id, display_name, role) VALUES ($1, $2, $3, $4, 'viewer')`, id.New(id.Membership), tenant, user, name)
		r.sql(`INSERT INTO roles (id, tenant_id, name, created_by, updated_by) VALUES ($1, $2, $3, $4, $4)`, role, tenant, name, user)
		r.sql(`INSERT INTO role_permissions (id, tenant_id, role_id, permission_id) SELECT $1, $2, $3, id FROM permissions LIMIT 1`, id.New(id.RolePermission), tenant, role)
		r.sql(`INSERT INTO user_roles (id, tenant_id, user_id, role_id, site_id, granted_by) VALUES ($1, $2, $3, $4, $5, $6)`, id.New(id.UserRole), tenant, user, role, p.SiteID, admin)
		r.sql(`INSERT INTO user_settings (id, tenant_id, user_id) VALUES ($1, $2, $3)`, id.New(id.UserSettings), tenant, user)
		r.sql(`INSERT INTO invites (id, tenant_id, email, token_hash, expires_at, created_by) VALUES ($1, $2, $3 || '@example.com', $4, now() + interval '1 day', $5)`,
			id.New(id.Invite), tenant, name, hash[:], user)
		r.sql(`INSERT INTO api_keys (id, tenant_id, name, prefix, key_hash, created_by) VALUES ($1, $2, $3, $3, $4, $5)`, id.New(id.APIKey), tenant, name, hash[:], user)
		r.sql(`INSERT INTO oauth_clients (id, tenant_id, name, client_id, secret_hash, created_by) VALUES ($1, $2, $3, $3, '!', $4)`, id.New(id.OAuthClient), tenant, name, user)
		r.sql(`INSERT INTO webhooks (id, tenant_id, name, url, events, secret_ciphertext) VALUES ($1, $2, $3, 'https://example.com', '["alarm.raised"]', '\x00')`,
			id.New(id.Webhook), tenant, name)
		r.sql(`INSERT INTO audit_logs (id, tenant_id, actor_kind, actor_id, action, entity, entity_id, changes, at)
			VALUES ($1, $2, 'user', $3, 'update', 'Asset', $4, '{"name": {"before": "a", "after": "b"}}', now())`, id.New(id.AuditLog), tenant, user, p.AssetID)
		r.sql(`INSERT INTO refresh_tokens (id, tenant_id, user_id, token_hash, family_id, expires_at) VALUES ($1, $2, $3, $4, $5, now() + interval '1 day')`,
			id.New(id.RefreshToken), tenant, admin, hash[:], id.New(id.RefreshToken))
		r.sql(`INSERT INTO import_jobs (id, tenant_id, file_name, dry_run, is_partial, existing, status, "by") VALUES ($1, $2, 'plant.csv', false, false, 'reject', 'succeeded', $3)`,
			id.New(id.ImportJob), tenant, user)
		r.sql(`INSERT INTO export_jobs (id, tenant_id, kind, format, status, "by") VALUES ($1, $2, 'assets', 'csv', 'queued', $3)`, id.New(id.ExportJob), tenant, user)
	}
}
