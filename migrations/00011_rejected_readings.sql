-- +goose Up

-- Messages that were not admitted, for people to look at: bounded in size, kept for
-- days, never read by the pipeline. tenant_id is null when a message belongs to no
-- known tenant; such rows are for the operator of the installation alone.
CREATE TABLE rejected_readings (
    tenant_id uuid,
    id        uuid        PRIMARY KEY,
    reason    text        NOT NULL CHECK (reason ~ '^[a-z_]{1,64}$'),
    detail    text        NOT NULL,
    topic     text        NOT NULL,
    payload   bytea       NOT NULL CHECK (octet_length(payload) <= 1024), -- its beginning
    at        timestamptz NOT NULL
);
CREATE INDEX rejected_readings_tenant ON rejected_readings (tenant_id, at DESC, id);
CREATE INDEX rejected_readings_at ON rejected_readings USING brin (at);

ALTER TABLE rejected_readings ENABLE ROW LEVEL SECURITY;
ALTER TABLE rejected_readings FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON rejected_readings TO foresight_app, foresight_worker
    USING (tenant_id = (SELECT nullif(current_setting('app.tenant_id', true), '')::uuid))
    WITH CHECK (tenant_id = (SELECT nullif(current_setting('app.tenant_id', true), '')::uuid));
CREATE POLICY of_no_tenant ON rejected_readings FOR INSERT TO foresight_worker WITH CHECK (tenant_id IS NULL);
CREATE POLICY operator ON rejected_readings TO CURRENT_USER USING (true) WITH CHECK (true);

REVOKE ALL ON rejected_readings FROM PUBLIC, foresight_app, foresight_worker;
GRANT SELECT ON rejected_readings TO foresight_app;
GRANT INSERT ON rejected_readings TO foresight_worker;

-- Removes up to at_most rows of before, of all tenants; returns how many.
-- +goose StatementBegin
CREATE FUNCTION foresight_purge_rejected_readings(before timestamptz, at_most integer) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    removed integer;
BEGIN
    DELETE FROM rejected_readings WHERE id IN (SELECT id FROM rejected_readings WHERE at < before LIMIT at_most);
    GET DIAGNOSTICS removed = ROW_COUNT;
    RETURN removed;
END $$;
-- +goose StatementEnd
REVOKE ALL ON FUNCTION foresight_purge_rejected_readings(timestamptz, integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION foresight_purge_rejected_readings(timestamptz, integer) TO foresight_worker;

-- +goose Down

DROP FUNCTION foresight_purge_rejected_readings(timestamptz, integer);
DROP TABLE rejected_readings;
