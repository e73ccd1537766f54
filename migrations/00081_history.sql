-- +goose Up

-- Who reads the logs beside the processing of live readings, by partition, under the
-- same lease as it (the row of the table partitions). Everything up to sequence is
-- done; what lies between it and intended may be done in part, and will be done again
-- with the same bounds. stream names the creation of the log that both count in.
CREATE TABLE log_checkpoints (
    reader   text    NOT NULL CHECK (reader IN ('landing', 'backfill')),
    number   integer NOT NULL CHECK (number >= 0),
    sequence bigint  NOT NULL DEFAULT 0 CHECK (sequence >= 0),
    intended bigint  NOT NULL DEFAULT 0 CHECK (intended >= 0),
    stream   text    NOT NULL DEFAULT '',
    PRIMARY KEY (reader, number)
) WITH (fillfactor = 10, autovacuum_vacuum_threshold = 1000, autovacuum_vacuum_scale_factor = 0);

REVOKE ALL ON log_checkpoints FROM PUBLIC, foresight_app, foresight_worker;
GRANT SELECT, INSERT, UPDATE ON log_checkpoints TO foresight_worker;
-- A replay has ended when the backfill has passed what it appended.
GRANT SELECT ON log_checkpoints TO foresight_app;

-- History that is read back from the landing zone.
CREATE TABLE replay_jobs (
    id            uuid        PRIMARY KEY,
    tenant_id     uuid        NOT NULL REFERENCES tenants (id),
    from_utc      timestamptz NOT NULL,
    to_utc        timestamptz NOT NULL CHECK (to_utc > from_utc),
    site_id       uuid,       -- what it was narrowed to; null: not
    asset_id      uuid,
    sensors       uuid[],     -- null: all of the sites
    sites         uuid[],     -- what it is confined to; null: the whole tenant
    status        text        NOT NULL DEFAULT 'queued' CHECK (status IN ('queued', 'running', 'succeeded', 'failed')),
    place         jsonb       NOT NULL DEFAULT '{}', -- up to where it has come
    appended      bigint      NOT NULL DEFAULT 0 CHECK (appended >= 0),
    rejected      jsonb       NOT NULL DEFAULT '{}', -- number by reason
    error         jsonb,      -- why it failed
    "by"          uuid,       -- user id of the member who asked; null when no person did
    created_at    timestamptz NOT NULL DEFAULT now(),
    finished_at   timestamptz,
    CONSTRAINT replay_jobs_tenant_id_id_key UNIQUE (tenant_id, id),
    CONSTRAINT replay_jobs_by_fkey FOREIGN KEY (tenant_id, "by") REFERENCES memberships (tenant_id, user_id)
);
CREATE INDEX replay_jobs_tenant_id_created_at ON replay_jobs (tenant_id, created_at DESC);
CREATE INDEX replay_jobs_tenant_id_by ON replay_jobs (tenant_id, "by");
ALTER TABLE replay_jobs ENABLE ROW LEVEL SECURITY;
ALTER TABLE replay_jobs FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON replay_jobs TO foresight_app
    USING (tenant_id = (SELECT nullif(current_setting('app.tenant_id', true), '')::uuid))
    WITH CHECK (tenant_id = (SELECT nullif(current_setting('app.tenant_id', true), '')::uuid));
GRANT SELECT, INSERT, UPDATE, DELETE ON replay_jobs TO foresight_app;

-- +goose Down
DROP TABLE replay_jobs;
DROP TABLE log_checkpoints;
