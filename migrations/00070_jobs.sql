-- +goose Up

-- ------------------------------------------------------------------- queue of jobs
-- What riverqueue/river v0.51 makes by its own migrations 1-8 of the line main, in
-- the schema river; a test of internal/jobs compares the two. Its rows hold ids, never
-- what the ids stand for, and always the tenant (args.tenant_id): who serves requests
-- adds jobs of its tenant and sees no others; the role of the pipeline works them all.
CREATE SCHEMA river;

CREATE TABLE river.river_migration (
    line       text        NOT NULL,
    version    bigint      NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT line_length CHECK (char_length(line) > 0 AND char_length(line) < 128),
    CONSTRAINT version_gte_1 CHECK (version >= 1),
    PRIMARY KEY (line, version)
);
INSERT INTO river.river_migration (line, version) SELECT 'main', generate_series(1, 8);

CREATE TYPE river.river_job_state AS ENUM (
    'available', 'cancelled', 'completed', 'discarded', 'pending', 'retryable', 'running', 'scheduled'
);

CREATE TABLE river.river_job (
    id            bigserial   PRIMARY KEY,
    state         river.river_job_state NOT NULL DEFAULT 'available',
    attempt       smallint    NOT NULL DEFAULT 0,
    max_attempts  smallint    NOT NULL DEFAULT 25,
    attempted_at  timestamptz,
    created_at    timestamptz NOT NULL DEFAULT now(),
    finalized_at  timestamptz,
    scheduled_at  timestamptz NOT NULL DEFAULT now(),
    priority      smallint    NOT NULL DEFAULT 1,
    args          jsonb       NOT NULL,
    attempted_by  text[],
    errors        jsonb[],
    kind          text        NOT NULL,
    metadata      jsonb       NOT NULL DEFAULT '{}',
    queue         text        NOT NULL DEFAULT 'default',
    tags          varchar(255)[] NOT NULL DEFAULT '{}',
    unique_key    bytea,
    unique_states bit(8),
    CONSTRAINT finalized_or_finalized_at_null CHECK (
        (finalized_at IS NULL AND state NOT IN ('cancelled', 'completed', 'discarded')) OR
        (finalized_at IS NOT NULL AND state IN ('cancelled', 'completed', 'discarded'))),
    CONSTRAINT max_attempts_is_positive CHECK (max_attempts > 0),
    CONSTRAINT priority_in_range CHECK (priority >= 1 AND priority <= 4),
    CONSTRAINT queue_length CHECK (char_length(queue) > 0 AND char_length(queue) < 128),
    CONSTRAINT kind_length CHECK (char_length(kind) > 0 AND char_length(kind) < 128)
);

-- +goose StatementBegin
CREATE FUNCTION river.river_job_state_in_bitmask(bitmask BIT(8), state river.river_job_state) RETURNS boolean
    LANGUAGE SQL IMMUTABLE AS $$
    SELECT CASE state
        WHEN 'available' THEN get_bit(bitmask, 7)
        WHEN 'cancelled' THEN get_bit(bitmask, 6)
        WHEN 'completed' THEN get_bit(bitmask, 5)
        WHEN 'discarded' THEN get_bit(bitmask, 4)
        WHEN 'pending'   THEN get_bit(bitmask, 3)
        WHEN 'retryable' THEN get_bit(bitmask, 2)
        WHEN 'running'   THEN get_bit(bitmask, 1)
        WHEN 'scheduled' THEN get_bit(bitmask, 0)
        ELSE 0
    END = 1;
$$;
-- +goose StatementEnd

CREATE INDEX river_job_kind ON river.river_job USING btree (kind);
CREATE INDEX river_job_state_and_finalized_at_index ON river.river_job USING btree (state, finalized_at) WHERE finalized_at IS NOT NULL;
CREATE INDEX river_job_prioritized_fetching_index ON river.river_job USING btree (state, queue, priority, scheduled_at, id);
CREATE INDEX river_job_args_index ON river.river_job USING gin (args);
CREATE INDEX river_job_metadata_index ON river.river_job USING gin (metadata);
CREATE UNIQUE INDEX river_job_unique_idx ON river.river_job (unique_key)
    WHERE unique_key IS NOT NULL AND unique_states IS NOT NULL AND river.river_job_state_in_bitmask(unique_states, state);

CREATE UNLOGGED TABLE river.river_leader (
    elected_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    leader_id  text        NOT NULL,
    name       text        PRIMARY KEY DEFAULT 'default',
    CONSTRAINT name_length CHECK (name = 'default'),
    CONSTRAINT leader_id_length CHECK (char_length(leader_id) > 0 AND char_length(leader_id) < 128)
);

CREATE TABLE river.river_queue (
    name       text        PRIMARY KEY NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    metadata   jsonb       NOT NULL DEFAULT '{}',
    paused_at  timestamptz,
    updated_at timestamptz NOT NULL DEFAULT CURRENT_TIMESTAMP
);

CREATE TABLE river.river_notification (
    id         bigserial   PRIMARY KEY,
    created_at timestamptz NOT NULL DEFAULT now(),
    payload    text        NOT NULL,
    topic      text        NOT NULL,
    CONSTRAINT topic_length CHECK (length(topic) > 0 AND length(topic) < 128)
);
CREATE INDEX river_notification_created_at_idx ON river.river_notification (created_at);
CREATE INDEX river_notification_topic_id_idx ON river.river_notification (topic, id);

ALTER TABLE river.river_job ENABLE ROW LEVEL SECURITY;
ALTER TABLE river.river_job FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON river.river_job TO foresight_app
    USING (args ->> 'tenant_id' = (SELECT nullif(current_setting('app.tenant_id', true), '')))
    WITH CHECK (args ->> 'tenant_id' = (SELECT nullif(current_setting('app.tenant_id', true), '')));
CREATE POLICY works_all ON river.river_job TO foresight_worker USING (true) WITH CHECK (true);

GRANT USAGE ON SCHEMA river TO foresight_app, foresight_worker;
-- A second insert of a unique job is an update of its kind to the same.
GRANT SELECT, INSERT, UPDATE (kind) ON river.river_job TO foresight_app;
GRANT USAGE ON SEQUENCE river.river_job_id_seq TO foresight_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA river TO foresight_worker;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA river TO foresight_worker;

-- ---------------------------------------------------------------- import and export
-- A file that waits for its import. It is small, and so kept with what refers to it.
CREATE TABLE uploads (
    id         uuid        PRIMARY KEY,
    tenant_id  uuid        NOT NULL REFERENCES tenants (id),
    name       text        NOT NULL CHECK (char_length(name) BETWEEN 1 AND 255),
    content    bytea       NOT NULL,
    site_limit uuid[],     -- the sites of the actor; null: the whole tenant
    "by"       uuid,       -- user id of the member who sent it; null when no person did
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT uploads_tenant_id_id_key UNIQUE (tenant_id, id),
    CONSTRAINT uploads_by_fkey FOREIGN KEY (tenant_id, "by") REFERENCES memberships (tenant_id, user_id)
);
CREATE INDEX uploads_tenant_id_created_at ON uploads (tenant_id, created_at);
CREATE INDEX uploads_tenant_id_by ON uploads (tenant_id, "by");

CREATE TABLE import_jobs (
    id            uuid        PRIMARY KEY,
    tenant_id     uuid        NOT NULL REFERENCES tenants (id),
    upload_id     uuid,       -- null: read and gone
    file_name     text        NOT NULL CHECK (char_length(file_name) BETWEEN 1 AND 255),
    dry_run       boolean     NOT NULL,
    is_partial    boolean     NOT NULL,
    existing      text        NOT NULL CHECK (existing IN ('reject', 'skip')),
    site_limit    uuid[],     -- the sites of the actor; null: the whole tenant
    status        text        NOT NULL DEFAULT 'queued' CHECK (status IN ('queued', 'running', 'succeeded', 'failed')),
    read_rows     integer     NOT NULL DEFAULT 0 CHECK (read_rows >= 0),
    created       jsonb       NOT NULL DEFAULT '{}', -- number by kind of row
    skipped_rows  integer     NOT NULL DEFAULT 0 CHECK (skipped_rows >= 0),
    rejected_rows integer     NOT NULL DEFAULT 0 CHECK (rejected_rows >= 0),
    mistake_count integer     NOT NULL DEFAULT 0 CHECK (mistake_count >= 0),
    mistakes      jsonb       NOT NULL DEFAULT '[]', -- the first of them, in order of the rows
    error         jsonb,      -- why the import failed as a whole
    "by"          uuid,       -- user id of the member who asked; null when no person did
    created_at    timestamptz NOT NULL DEFAULT now(),
    finished_at   timestamptz,
    CONSTRAINT import_jobs_tenant_id_id_key UNIQUE (tenant_id, id),
    CONSTRAINT import_jobs_upload_id_fkey FOREIGN KEY (tenant_id, upload_id) REFERENCES uploads (tenant_id, id),
    CONSTRAINT import_jobs_by_fkey FOREIGN KEY (tenant_id, "by") REFERENCES memberships (tenant_id, user_id)
);
CREATE INDEX import_jobs_tenant_id_created_at ON import_jobs (tenant_id, created_at DESC);
CREATE INDEX import_jobs_tenant_id_upload_id ON import_jobs (tenant_id, upload_id);
CREATE INDEX import_jobs_tenant_id_by ON import_jobs (tenant_id, "by");

-- How far a job is: hot, and so apart from what the job is.
CREATE TABLE job_progress (
    tenant_id  uuid        NOT NULL REFERENCES tenants (id),
    job_id     uuid        NOT NULL,
    phase      text        NOT NULL CHECK (phase IN ('reading', 'checking', 'writing')),
    done       bigint      NOT NULL CHECK (done >= 0),
    total      bigint      CHECK (total >= 0), -- null: not known
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, job_id)
) WITH (fillfactor = 50);

-- +goose StatementBegin
DO $$
DECLARE
    target text;
BEGIN
    FOREACH target IN ARRAY ARRAY['uploads', 'import_jobs', 'job_progress'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', target);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', target);
        EXECUTE format('CREATE POLICY tenant_isolation ON %I TO foresight_app
                        USING (tenant_id = (SELECT nullif(current_setting(''app.tenant_id'', true), '''')::uuid))
                        WITH CHECK (tenant_id = (SELECT nullif(current_setting(''app.tenant_id'', true), '''')::uuid))', target);
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO foresight_app', target);
    END LOOP;
END
$$;
-- +goose StatementEnd

-- +goose Down
DROP TABLE job_progress;
DROP TABLE import_jobs;
DROP TABLE uploads;
DROP SCHEMA river CASCADE;
