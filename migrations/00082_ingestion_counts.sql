-- +goose Up

-- How many messages of a tenant came in a minute, by what became of them: `accepted`,
-- the reason of a rejection, or what was done about one over quota. Processes add to
-- it; it is kept for days.
CREATE TABLE ingestion_counts (
    tenant_id uuid        NOT NULL,
    minute    timestamptz NOT NULL,
    outcome   text        NOT NULL CHECK (outcome ~ '^[a-z_]{1,64}$'),
    n         bigint      NOT NULL CHECK (n > 0),
    PRIMARY KEY (tenant_id, minute, outcome)
);
CREATE INDEX ingestion_counts_minute ON ingestion_counts USING brin (minute);

ALTER TABLE ingestion_counts ENABLE ROW LEVEL SECURITY;
ALTER TABLE ingestion_counts FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON ingestion_counts TO foresight_app, foresight_worker
    USING (tenant_id = (SELECT nullif(current_setting('app.tenant_id', true), '')::uuid))
    WITH CHECK (tenant_id = (SELECT nullif(current_setting('app.tenant_id', true), '')::uuid));
CREATE POLICY operator ON ingestion_counts TO CURRENT_USER USING (true) WITH CHECK (true);

REVOKE ALL ON ingestion_counts FROM PUBLIC, foresight_app, foresight_worker;
GRANT SELECT ON ingestion_counts TO foresight_app;
GRANT SELECT, INSERT, UPDATE ON ingestion_counts TO foresight_worker;

-- Removes up to at_most rows of before, of all tenants; returns how many.
-- +goose StatementBegin
CREATE FUNCTION foresight_purge_ingestion_counts(before timestamptz, at_most integer) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    removed integer;
BEGIN
    DELETE FROM ingestion_counts WHERE ctid IN (SELECT ctid FROM ingestion_counts WHERE minute < before LIMIT at_most);
    GET DIAGNOSTICS removed = ROW_COUNT;
    RETURN removed;
END $$;
-- +goose StatementEnd
REVOKE ALL ON FUNCTION foresight_purge_ingestion_counts(timestamptz, integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION foresight_purge_ingestion_counts(timestamptz, integer) TO foresight_worker;

-- +goose Down

DROP FUNCTION foresight_purge_ingestion_counts(timestamptz, integer);
DROP TABLE ingestion_counts;
