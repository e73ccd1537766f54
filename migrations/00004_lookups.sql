-- +goose Up
-- Look-ups before a tenant is known. They run as foresight_lookup, which nobody can
-- log in as and which may read these columns of these tables and nothing else; they
-- take one exact key and return what checking a credential needs. Deleted, inactive
-- and disabled things are not found, and nothing of an inactive tenant.

GRANT SELECT (id, code, name, is_active, is_deleted) ON tenants TO foresight_lookup;
GRANT SELECT (id, tenant_id, email, password_hash, status, locale, failed_logins, locked_until, is_active, is_deleted) ON users TO foresight_lookup;
GRANT SELECT (tenant_id, user_id, display_name, role, is_active) ON memberships TO foresight_lookup;
GRANT SELECT (id, tenant_id, user_id, token_hash, family_id, expires_at, used_at, revoked_at) ON refresh_tokens TO foresight_lookup;
GRANT SELECT (id, tenant_id, client_id, secret_hash, scopes, is_active) ON oauth_clients TO foresight_lookup;
GRANT SELECT (id, tenant_id, site_id, gateway_code, mqtt_username, mqtt_password_hash, is_active, is_deleted) ON gateways TO foresight_lookup;
GRANT SELECT (id, site_code, tenant_id, is_active, is_deleted) ON sites TO foresight_lookup;

CREATE POLICY lookup ON tenants FOR SELECT TO foresight_lookup USING (is_active AND NOT is_deleted);
CREATE POLICY lookup ON users FOR SELECT TO foresight_lookup USING (is_active AND NOT is_deleted);
CREATE POLICY lookup ON memberships FOR SELECT TO foresight_lookup USING (is_active);
CREATE POLICY lookup ON refresh_tokens FOR SELECT TO foresight_lookup USING (true);
CREATE POLICY lookup ON oauth_clients FOR SELECT TO foresight_lookup USING (is_active);
CREATE POLICY lookup ON gateways FOR SELECT TO foresight_lookup USING (is_active AND NOT is_deleted);
CREATE POLICY lookup ON sites FOR SELECT TO foresight_lookup USING (is_active AND NOT is_deleted);

-- The people whom an address may mean, at home; more than one when it exists in
-- several tenants. An address is compared in lower case, as it is stored.
-- +goose StatementBegin
CREATE FUNCTION lookup_login(email text)
RETURNS TABLE (user_id uuid, tenant_id uuid, tenant_code text, password_hash text, role text, status text,
               locale text, failed_logins integer, locked_until timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT u.id, u.tenant_id, t.code, u.password_hash, m.role, u.status, u.locale, u.failed_logins::integer, u.locked_until
    FROM public.users u
    JOIN public.tenants t ON t.id = u.tenant_id
    JOIN public.memberships m ON m.tenant_id = u.tenant_id AND m.user_id = u.id
    WHERE u.email = lower($1)
    ORDER BY t.code
    LIMIT 50
$$;
-- +goose StatementEnd

-- The tenants that a person may enter, home among them.
-- +goose StatementBegin
CREATE FUNCTION lookup_memberships(user_id uuid)
RETURNS TABLE (tenant_id uuid, tenant_code text, tenant_name text, role text, display_name text, is_home boolean)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT t.id, t.code, t.name, m.role, m.display_name, t.id = u.tenant_id
    FROM public.users u
    JOIN public.memberships m ON m.user_id = u.id
    JOIN public.tenants t ON t.id = m.tenant_id
    WHERE u.id = $1 AND u.status = 'active'
    ORDER BY t.code
$$;
-- +goose StatementEnd

-- A refresh token by its SHA-256, with what a new access token says. Used, revoked
-- and expired ones are returned too: their use is what must be noticed.
-- +goose StatementBegin
CREATE FUNCTION lookup_refresh_token(token_hash bytea)
RETURNS TABLE (id uuid, tenant_id uuid, tenant_code text, user_id uuid, family_id uuid,
               expires_at timestamptz, used_at timestamptz, revoked_at timestamptz,
               role text, status text, locale text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT r.id, r.tenant_id, t.code, r.user_id, r.family_id, r.expires_at, r.used_at, r.revoked_at,
           m.role, u.status, u.locale
    FROM public.refresh_tokens r
    JOIN public.tenants t ON t.id = r.tenant_id
    JOIN public.memberships m ON m.tenant_id = r.tenant_id AND m.user_id = r.user_id
    JOIN public.users u ON u.id = r.user_id
    WHERE r.token_hash = $1
$$;
-- +goose StatementEnd

-- A partner's service account.
-- +goose StatementBegin
CREATE FUNCTION lookup_oauth_client(client_id text)
RETURNS TABLE (id uuid, tenant_id uuid, tenant_code text, secret_hash text, scopes jsonb)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT c.id, c.tenant_id, t.code, c.secret_hash, c.scopes
    FROM public.oauth_clients c
    JOIN public.tenants t ON t.id = c.tenant_id
    WHERE c.client_id = $1
$$;
-- +goose StatementEnd

-- The holder of an MQTT credential and the site for which it may publish.
-- +goose StatementBegin
CREATE FUNCTION lookup_gateway(mqtt_username text)
RETURNS TABLE (id uuid, tenant_id uuid, tenant_code text, site_id uuid, site_code text, gateway_code text, password_hash text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT g.id, g.tenant_id, t.code, g.site_id, s.site_code, g.gateway_code, g.mqtt_password_hash
    FROM public.gateways g
    JOIN public.tenants t ON t.id = g.tenant_id
    JOIN public.sites s ON s.tenant_id = g.tenant_id AND s.id = g.site_id
    WHERE g.mqtt_username = $1 AND g.mqtt_password_hash IS NOT NULL
$$;
-- +goose StatementEnd

-- A new owner of a function must be able to create in its schema, for that moment.
GRANT CREATE ON SCHEMA public TO foresight_lookup;
ALTER FUNCTION lookup_login(text) OWNER TO foresight_lookup;
ALTER FUNCTION lookup_memberships(uuid) OWNER TO foresight_lookup;
ALTER FUNCTION lookup_refresh_token(bytea) OWNER TO foresight_lookup;
ALTER FUNCTION lookup_oauth_client(text) OWNER TO foresight_lookup;
ALTER FUNCTION lookup_gateway(text) OWNER TO foresight_lookup;
REVOKE CREATE ON SCHEMA public FROM foresight_lookup;

REVOKE ALL ON FUNCTION lookup_login(text), lookup_memberships(uuid), lookup_refresh_token(bytea), lookup_oauth_client(text), lookup_gateway(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION lookup_login(text), lookup_memberships(uuid), lookup_refresh_token(bytea), lookup_oauth_client(text), lookup_gateway(text) TO foresight_app;
GRANT EXECUTE ON FUNCTION lookup_gateway(text) TO foresight_worker;

-- +goose Down
DROP FUNCTION lookup_gateway(text);
DROP FUNCTION lookup_oauth_client(text);
DROP FUNCTION lookup_refresh_token(bytea);
DROP FUNCTION lookup_memberships(uuid);
DROP FUNCTION lookup_login(text);
DROP POLICY lookup ON sites;
DROP POLICY lookup ON gateways;
DROP POLICY lookup ON oauth_clients;
DROP POLICY lookup ON refresh_tokens;
DROP POLICY lookup ON memberships;
DROP POLICY lookup ON users;
DROP POLICY lookup ON tenants;
REVOKE ALL ON sites, gateways, oauth_clients, refresh_tokens, memberships, users, tenants FROM foresight_lookup;
