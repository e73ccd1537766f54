-- +goose Up

-- ------------------------------------------------------------ numbers of work orders
-- One row per tenant and year. Whoever opens a work order takes the next number in
-- the same transaction:
--
--   INSERT INTO work_order_sequences AS s (tenant_id, year, seq) VALUES ($1, $2, 1)
--   ON CONFLICT (tenant_id, year) DO UPDATE SET seq = s.seq + 1
--   RETURNING format('WO-%s-%s', year, lpad(seq::text, 6, '0'))
CREATE TABLE work_order_sequences (
    tenant_id uuid    NOT NULL REFERENCES tenants (id),
    year      integer NOT NULL CHECK (year BETWEEN 2000 AND 9999),
    seq       bigint  NOT NULL CHECK (seq >= 1),
    PRIMARY KEY (tenant_id, year)
) WITH (fillfactor = 50);
ALTER TABLE work_order_sequences ENABLE ROW LEVEL SECURITY;
ALTER TABLE work_order_sequences FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON work_order_sequences TO foresight_app
    USING (tenant_id = (SELECT nullif(current_setting('app.tenant_id', true), '')::uuid))
    WITH CHECK (tenant_id = (SELECT nullif(current_setting('app.tenant_id', true), '')::uuid));
GRANT SELECT, INSERT, UPDATE ON work_order_sequences TO foresight_app;

-- ---------------------------------------------------------------- state of gateways
-- Beside sensor_states: hot columns that live in no versioned row, written in batches,
-- without a notice of change and without keys. last_seen_at is when the gateway last
-- spoke by the product's clock; connected_at when its present session began, null
-- while it has none.
CREATE TABLE gateway_states (
    tenant_id        uuid        NOT NULL,
    gateway_id       uuid        NOT NULL,
    site_id          uuid        NOT NULL,
    last_seen_at     timestamptz NOT NULL,
    is_online        boolean     NOT NULL,
    connected_at     timestamptz,
    ip_address       text        CHECK (char_length(ip_address) <= 45),
    PRIMARY KEY (tenant_id, gateway_id)
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.05);
CREATE INDEX gateway_states_site ON gateway_states (tenant_id, site_id);
ALTER TABLE gateway_states ENABLE ROW LEVEL SECURITY;
ALTER TABLE gateway_states FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON gateway_states TO foresight_app, foresight_worker
    USING (tenant_id = (SELECT nullif(current_setting('app.tenant_id', true), '')::uuid))
    WITH CHECK (tenant_id = (SELECT nullif(current_setting('app.tenant_id', true), '')::uuid));
-- Who watches for gateways that fell silent watches those of all tenants.
CREATE POLICY worker_reads_all ON gateway_states FOR SELECT TO foresight_worker USING (true);
GRANT SELECT ON gateway_states TO foresight_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON gateway_states TO foresight_worker;

-- ------------------------------------------------------------- cascade of deletion
-- A work order cannot live without its machine.
DROP TRIGGER cascade_soft_delete ON assets;
CREATE TRIGGER cascade_soft_delete AFTER UPDATE ON assets
    REFERENCING OLD TABLE AS before_rows NEW TABLE AS after_rows FOR EACH STATEMENT
    EXECUTE FUNCTION cascade_soft_delete('sensors', 'asset_id', 'alarm_rules', 'asset_id', 'maintenance_work_orders', 'asset_id');

-- ------------------------------------------------------------------ change notices
-- +goose StatementBegin
DO $$
DECLARE
    target text;
BEGIN
    FOREACH target IN ARRAY ARRAY['asset_model_versions', 'roles', 'role_permissions', 'user_roles', 'api_keys', 'alarm_shelves'] LOOP
        EXECUTE format('CREATE TRIGGER notify_insert AFTER INSERT ON %I REFERENCING NEW TABLE AS changed_rows
                        FOR EACH STATEMENT EXECUTE FUNCTION notify_change(%L)', target, 'tenant_id');
        IF target <> 'api_keys' THEN
            EXECUTE format('CREATE TRIGGER notify_update AFTER UPDATE ON %I REFERENCING NEW TABLE AS changed_rows
                            FOR EACH STATEMENT EXECUTE FUNCTION notify_change(%L)', target, 'tenant_id');
        END IF;
        EXECUTE format('CREATE TRIGGER notify_delete AFTER DELETE ON %I REFERENCING OLD TABLE AS changed_rows
                        FOR EACH STATEMENT EXECUTE FUNCTION notify_change(%L)', target, 'tenant_id');
    END LOOP;
END
$$;
-- +goose StatementEnd
-- The time of a key's last use says nothing about what it may do. A trigger with
-- transition tables takes no list of columns: this one tells row by row.
-- +goose StatementBegin
CREATE FUNCTION notify_row_change() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM pg_notify('foresight_changes', json_build_object('tenant', NEW.tenant_id, 'table', TG_TABLE_NAME)::text);
    RETURN NULL;
END
$$;
-- +goose StatementEnd
CREATE TRIGGER notify_update AFTER UPDATE OF id, name, scopes, expires_at, is_active ON api_keys
    FOR EACH ROW EXECUTE FUNCTION notify_row_change();

-- ------------------------------------------------------------------------ look-ups
-- As in 00004: before a tenant is known, by one exact key, as foresight_lookup.
GRANT SELECT (id, tenant_id, user_id, issuer, subject) ON user_identities TO foresight_lookup;
GRANT SELECT (id, tenant_id, user_id, token_hash, expires_at, used_at) ON password_resets TO foresight_lookup;
GRANT SELECT (id, tenant_id, email, role, token_hash, expires_at, accepted_at, is_active) ON invites TO foresight_lookup;
GRANT SELECT (id, tenant_id, prefix, key_hash, scopes, expires_at, is_active) ON api_keys TO foresight_lookup;

CREATE POLICY lookup ON user_identities FOR SELECT TO foresight_lookup USING (true);
CREATE POLICY lookup ON password_resets FOR SELECT TO foresight_lookup USING (used_at IS NULL AND expires_at > now());
CREATE POLICY lookup ON invites FOR SELECT TO foresight_lookup USING (is_active AND accepted_at IS NULL AND expires_at > now());
CREATE POLICY lookup ON api_keys FOR SELECT TO foresight_lookup USING (is_active AND (expires_at IS NULL OR expires_at > now()));

-- The person, at home, whom a provider vouches for.
-- +goose StatementBegin
CREATE FUNCTION lookup_user_identity(issuer text, subject text)
RETURNS TABLE (id uuid, user_id uuid, tenant_id uuid, tenant_code text, role text, status text, locale text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT i.id, u.id, u.tenant_id, t.code, m.role, u.status, u.locale
    FROM public.user_identities i
    JOIN public.users u ON u.tenant_id = i.tenant_id AND u.id = i.user_id
    JOIN public.tenants t ON t.id = u.tenant_id
    JOIN public.memberships m ON m.tenant_id = u.tenant_id AND m.user_id = u.id
    WHERE i.issuer = $1 AND i.subject = $2 AND u.status <> 'disabled'
$$;
-- +goose StatementEnd

-- The person who may set another password, by the SHA-256 of the token; nothing for
-- tokens that are used or expired.
-- +goose StatementBegin
CREATE FUNCTION lookup_password_reset(token_hash bytea)
RETURNS TABLE (id uuid, tenant_id uuid, tenant_code text, user_id uuid, status text, locale text, expires_at timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT r.id, r.tenant_id, t.code, u.id, u.status, u.locale, r.expires_at
    FROM public.password_resets r
    JOIN public.tenants t ON t.id = r.tenant_id
    JOIN public.users u ON u.tenant_id = r.tenant_id AND u.id = r.user_id
    WHERE r.token_hash = $1 AND u.status <> 'disabled'
$$;
-- +goose StatementEnd

-- An invitation by the SHA-256 of the token; nothing for those that are accepted,
-- withdrawn or expired.
-- +goose StatementBegin
CREATE FUNCTION lookup_invite(token_hash bytea)
RETURNS TABLE (id uuid, tenant_id uuid, tenant_code text, tenant_name text, email text, role text, expires_at timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT i.id, i.tenant_id, t.code, t.name, i.email, i.role, i.expires_at
    FROM public.invites i
    JOIN public.tenants t ON t.id = i.tenant_id
    WHERE i.token_hash = $1
$$;
-- +goose StatementEnd

-- An API key by its public part; the caller compares the hash in constant time.
-- +goose StatementBegin
CREATE FUNCTION lookup_api_key(prefix text)
RETURNS TABLE (id uuid, tenant_id uuid, tenant_code text, key_hash bytea, scopes jsonb, expires_at timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT k.id, k.tenant_id, t.code, k.key_hash, k.scopes, k.expires_at
    FROM public.api_keys k
    JOIN public.tenants t ON t.id = k.tenant_id
    WHERE k.prefix = $1
$$;
-- +goose StatementEnd

GRANT CREATE ON SCHEMA public TO foresight_lookup;
ALTER FUNCTION lookup_user_identity(text, text) OWNER TO foresight_lookup;
ALTER FUNCTION lookup_password_reset(bytea) OWNER TO foresight_lookup;
ALTER FUNCTION lookup_invite(bytea) OWNER TO foresight_lookup;
ALTER FUNCTION lookup_api_key(text) OWNER TO foresight_lookup;
REVOKE CREATE ON SCHEMA public FROM foresight_lookup;

REVOKE ALL ON FUNCTION lookup_user_identity(text, text), lookup_password_reset(bytea), lookup_invite(bytea), lookup_api_key(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION lookup_user_identity(text, text), lookup_password_reset(bytea), lookup_invite(bytea), lookup_api_key(text) TO foresight_app;

-- +goose Down
DROP FUNCTION lookup_api_key(text);
DROP FUNCTION lookup_invite(bytea);
DROP FUNCTION lookup_password_reset(bytea);
DROP FUNCTION lookup_user_identity(text, text);
DROP POLICY lookup ON api_keys;
DROP POLICY lookup ON invites;
DROP POLICY lookup ON password_resets;
DROP POLICY lookup ON user_identities;
REVOKE ALL ON api_keys, invites, password_resets, user_identities FROM foresight_lookup;
-- +goose StatementBegin
DO $$
DECLARE
    target text;
BEGIN
    FOREACH target IN ARRAY ARRAY['asset_model_versions', 'roles', 'role_permissions', 'user_roles', 'api_keys', 'alarm_shelves'] LOOP
        EXECUTE format('DROP TRIGGER notify_insert ON %I', target);
        EXECUTE format('DROP TRIGGER notify_update ON %I', target);
        EXECUTE format('DROP TRIGGER notify_delete ON %I', target);
    END LOOP;
END
$$;
-- +goose StatementEnd
DROP FUNCTION notify_row_change();
DROP TRIGGER cascade_soft_delete ON assets;
CREATE TRIGGER cascade_soft_delete AFTER UPDATE ON assets
    REFERENCING OLD TABLE AS before_rows NEW TABLE AS after_rows FOR EACH STATEMENT
    EXECUTE FUNCTION cascade_soft_delete('sensors', 'asset_id', 'alarm_rules', 'asset_id');
DROP TABLE gateway_states;
DROP TABLE work_order_sequences;
