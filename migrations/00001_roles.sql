-- +goose Up
-- The roles of the product. They have no passwords: the private cluster lets local
-- socket connections in by trust. On a shared server make them beforehand with
-- LOGIN and a password or certificate; what exists is left as it is.
--
--   foresight_app     requests (graph, HTTP)
--   foresight_worker  the pipeline
--   foresight_lookup  owns the look-ups that run before a tenant is known; no log-in

-- +goose StatementBegin
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'foresight_app') THEN
        CREATE ROLE foresight_app LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS;
    END IF;
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'foresight_worker') THEN
        CREATE ROLE foresight_worker LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS;
    END IF;
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'foresight_lookup') THEN
        CREATE ROLE foresight_lookup NOLOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS;
    END IF;
EXCEPTION WHEN duplicate_object OR unique_violation THEN
    NULL; -- another database of the same server is being migrated at this moment
END
$$;
-- +goose StatementEnd
-- +goose StatementBegin
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname IN ('foresight_app', 'foresight_worker', 'foresight_lookup')
               AND (rolsuper OR rolbypassrls)) THEN
        RAISE EXCEPTION 'the roles foresight_app, foresight_worker and foresight_lookup must be subject to row-level security';
    END IF;
    -- Since PostgreSQL 16 the creator of a role is a member that may not become it.
    IF NOT pg_has_role(current_user, 'foresight_lookup',
                       CASE WHEN current_setting('server_version_num')::int >= 160000 THEN 'SET' ELSE 'MEMBER' END) THEN
        GRANT foresight_lookup TO CURRENT_USER;
    END IF;
END
$$;
-- +goose StatementEnd
REVOKE CREATE ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO foresight_app, foresight_worker, foresight_lookup;

-- +goose Down
-- Roles belong to the whole server and may serve other databases: they stay.
REVOKE USAGE ON SCHEMA public FROM foresight_app, foresight_worker, foresight_lookup;
