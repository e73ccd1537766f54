-- +goose Up

-- ------------------------------------------------- numbers of alarm transitions
-- One row per tenant: whoever writes a transition takes the next number in the same
-- transaction, so that numbers become visible without gaps and in order of commit:
--
--   INSERT INTO alarm_sequences AS s (tenant_id, seq) VALUES ($1, $n)
--   ON CONFLICT (tenant_id) DO UPDATE SET seq = s.seq + excluded.seq RETURNING seq
CREATE TABLE alarm_sequences (
    tenant_id uuid   PRIMARY KEY REFERENCES tenants (id),
    seq       bigint NOT NULL CHECK (seq >= 0)
) WITH (fillfactor = 50);
ALTER TABLE alarm_sequences ENABLE ROW LEVEL SECURITY;
ALTER TABLE alarm_sequences FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON alarm_sequences TO foresight_app, foresight_worker
    USING (tenant_id = (SELECT nullif(current_setting('app.tenant_id', true), '')::uuid))
    WITH CHECK (tenant_id = (SELECT nullif(current_setting('app.tenant_id', true), '')::uuid));
GRANT SELECT, INSERT, UPDATE ON alarm_sequences TO foresight_app, foresight_worker;

-- ------------------------------------------------------------- cascade of deletion
-- Soft deletion of a row takes along what cannot live without it. The arguments are
-- pairs of a table and its column that refers to the row. Children's own triggers
-- carry it on.
-- +goose StatementBegin
CREATE FUNCTION cascade_soft_delete() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM after_rows a JOIN before_rows b USING (id) WHERE a.is_deleted AND NOT b.is_deleted) THEN
        RETURN NULL;
    END IF;
    FOR i IN 0 .. TG_NARGS - 1 BY 2 LOOP
        EXECUTE format(
            'UPDATE %I c SET is_deleted = true, deleted_at = a.deleted_at, deleted_by = a.deleted_by,
                    updated_at = a.updated_at, updated_by = a.updated_by, version = c.version + 1
             FROM after_rows a JOIN before_rows b USING (id)
             WHERE a.is_deleted AND NOT b.is_deleted AND NOT c.is_deleted
               AND c.tenant_id = a.tenant_id AND c.%I = a.id', TG_ARGV[i], TG_ARGV[i + 1]);
    END LOOP;
    RETURN NULL;
END
$$;
-- +goose StatementEnd

CREATE TRIGGER cascade_soft_delete AFTER UPDATE ON sites
    REFERENCING OLD TABLE AS before_rows NEW TABLE AS after_rows FOR EACH STATEMENT
    EXECUTE FUNCTION cascade_soft_delete('gateways', 'site_id', 'assets', 'site_id', 'alarm_rules', 'site_id');
CREATE TRIGGER cascade_soft_delete AFTER UPDATE ON assets
    REFERENCING OLD TABLE AS before_rows NEW TABLE AS after_rows FOR EACH STATEMENT
    EXECUTE FUNCTION cascade_soft_delete('sensors', 'asset_id', 'alarm_rules', 'asset_id');
CREATE TRIGGER cascade_soft_delete AFTER UPDATE ON sensors
    REFERENCING OLD TABLE AS before_rows NEW TABLE AS after_rows FOR EACH STATEMENT
    EXECUTE FUNCTION cascade_soft_delete('alarm_rules', 'sensor_id');
CREATE TRIGGER cascade_soft_delete AFTER UPDATE ON ml_models
    REFERENCING OLD TABLE AS before_rows NEW TABLE AS after_rows FOR EACH STATEMENT
    EXECUTE FUNCTION cascade_soft_delete('ml_model_versions', 'model_id');

-- ------------------------------------------------------------------ change notices
-- One notice per statement and tenant on the channel foresight_changes, delivered on
-- commit: {"tenant": "…" or null for built-in rows, "table": "…"}. The argument is
-- the column that holds the tenant.
-- +goose StatementBegin
CREATE FUNCTION notify_change() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    tenant uuid;
BEGIN
    FOR tenant IN EXECUTE format('SELECT DISTINCT %I FROM changed_rows', TG_ARGV[0]) LOOP
        PERFORM pg_notify('foresight_changes', json_build_object('tenant', tenant, 'table', TG_TABLE_NAME)::text);
    END LOOP;
    RETURN NULL;
END
$$;
-- +goose StatementEnd

-- A trigger with transition tables has one event only.
-- +goose StatementBegin
DO $$
DECLARE
    target text;
    tenant text;
BEGIN
    FOREACH target IN ARRAY ARRAY['tenants', 'sites', 'gateways', 'assets', 'sensors', 'parameters', 'alarm_rules', 'ml_model_deployments'] LOOP
        tenant := CASE target WHEN 'tenants' THEN 'id' ELSE 'tenant_id' END;
        EXECUTE format('CREATE TRIGGER notify_insert AFTER INSERT ON %I REFERENCING NEW TABLE AS changed_rows
                        FOR EACH STATEMENT EXECUTE FUNCTION notify_change(%L)', target, tenant);
        EXECUTE format('CREATE TRIGGER notify_update AFTER UPDATE ON %I REFERENCING NEW TABLE AS changed_rows
                        FOR EACH STATEMENT EXECUTE FUNCTION notify_change(%L)', target, tenant);
        EXECUTE format('CREATE TRIGGER notify_delete AFTER DELETE ON %I REFERENCING OLD TABLE AS changed_rows
                        FOR EACH STATEMENT EXECUTE FUNCTION notify_change(%L)', target, tenant);
    END LOOP;
END
$$;
-- +goose StatementEnd

-- +goose Down
-- +goose StatementBegin
DO $$
DECLARE
    target text;
BEGIN
    FOREACH target IN ARRAY ARRAY['tenants', 'sites', 'gateways', 'assets', 'sensors', 'parameters', 'alarm_rules', 'ml_model_deployments'] LOOP
        EXECUTE format('DROP TRIGGER notify_insert ON %I', target);
        EXECUTE format('DROP TRIGGER notify_update ON %I', target);
        EXECUTE format('DROP TRIGGER notify_delete ON %I', target);
    END LOOP;
END
$$;
-- +goose StatementEnd
DROP FUNCTION notify_change();
DROP TRIGGER cascade_soft_delete ON ml_models;
DROP TRIGGER cascade_soft_delete ON sensors;
DROP TRIGGER cascade_soft_delete ON assets;
DROP TRIGGER cascade_soft_delete ON sites;
DROP FUNCTION cascade_soft_delete();
DROP TABLE alarm_sequences;
