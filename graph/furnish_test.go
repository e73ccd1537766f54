package graph_test

import (
	"crypto/sha256"
	"fmt"

	"github.com/jackc/pgx/v5"

	"foresight/inference/daily"
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
		r.sql(`INSERT INTO replay_jobs (id, tenant_id, from_utc, to_utc, "by", rejected) VALUES ($1, $2, now() - interval '1 day', now(), $3, '{"unknown_sensor": 2}')`, id.New(id.ReplayJob), tenant, user)
		r.sql(`INSERT INTO backtests (id, tenant_id, from_utc, to_utc, source, status, predicts, "by") VALUES ($1, $2, now() - interval '1 day', now(), 'store', 'succeeded', true, $3)`, id.New(id.Backtest), tenant, user)
		r.sql(`INSERT INTO backtest_alarms (id, tenant_id, backtest_id, site_id, asset_id, sensor_id, rule_number, severity, triggered_value, triggered_at, last_triggered_at, occurrences)
			SELECT $1, $2, min(id::text)::uuid, $3, $4, $5, 0, 'low', 1, now(), now(), 1 FROM backtests WHERE tenant_id = $2`, id.New(id.BacktestAlarm), tenant, p.SiteID, p.AssetID, p.SensorIDs[0])
		r.sql(`INSERT INTO backtest_predictions (id, tenant_id, backtest_id, site_id, asset_id, sensor_id, begins_at, fault_code, windows, probability)
			SELECT $1, $2, min(id::text)::uuid, $3, $4, $5, now(), 'normal', 1, 1 FROM backtests WHERE tenant_id = $2`, id.New(id.BacktestPrediction), tenant, p.SiteID, p.AssetID, p.SensorIDs[0])
		r.deployment(p, user, i)
		r.drifts(p, user, i)
		r.feedback(p, user)
		r.trainingRun(p, user)
		r.sql(`INSERT INTO scoring_jobs (id, tenant_id, day) VALUES ($1, $2, current_date - $3::int)`, id.New(id.ScoringJob), tenant, i)
		version := r.failureVersion(p, i)
		r.sql(`INSERT INTO asset_features (id, tenant_id, asset_id, day, features, feature_schema_hash) VALUES ($1, $2, $3, current_date - $4::int, '{"telemetry_coverage_7d": 1}', $5)`,
			id.New(id.AssetFeatures), tenant, p.AssetID, i, daily.SchemaHash())
		if i == 0 { // of every machine
			rows, err := r.owner.Query(r.Context(), `SELECT id FROM assets WHERE tenant_id = $1`, tenant)
			r.ok(err)
			machines, err := pgx.CollectRows(rows, pgx.RowTo[id.UUID])
			r.ok(err)
			for _, m := range machines {
				r.sql(`INSERT INTO failure_predictions (id, tenant_id, asset_id, model_version_id, failure_prob_7d, confidence_lower_7d, confidence_upper_7d,
						failure_prob_30d, confidence_lower_30d, confidence_upper_30d, health_score, risk_level, top_features)
					VALUES ($1, $2, $3, $4, 0.1, 0.1, 0.2, 0.3, 0.2, 0.4, 60, 'medium', '[{"feature": "alert_count_7d", "value": 1, "contribution": 0.5}]')`,
					id.New(id.FailurePrediction), tenant, m, version)
			}
		}
		r.sql(`INSERT INTO export_jobs (id, tenant_id, kind, format, status, "by") VALUES ($1, $2, 'assets', 'csv', 'queued', $3)`, id.New(id.ExportJob), tenant, user)
	}
}
