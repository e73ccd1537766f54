-- +goose Up

-- What is kept of a machine's UTC day, from which its daily features are made: the
-- content is internal/health's own form of it.
CREATE TABLE asset_days (
    tenant_id     uuid        NOT NULL REFERENCES tenants (id),
    asset_id      uuid        NOT NULL,
    day           date        NOT NULL,
    content       bytea       NOT NULL CHECK (octet_length(content) BETWEEN 1 AND 4096),
    PRIMARY KEY (tenant_id, asset_id, day),
    CONSTRAINT asset_days_asset_id_fkey FOREIGN KEY (tenant_id, asset_id) REFERENCES assets (tenant_id, id)
) WITH (fillfactor = 90);
CREATE INDEX asset_days_tenant_id_day ON asset_days (tenant_id, day);

-- The days of a tenant that are summarised in asset_days, also when nothing came.
CREATE TABLE summarised_days (
    tenant_id uuid        NOT NULL REFERENCES tenants (id),
    day       date        NOT NULL,
    made_at   timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, day)
);

-- The nightly scoring of a tenant's machines, one job a day.
CREATE TABLE scoring_jobs (
    id          uuid        PRIMARY KEY,
    tenant_id   uuid        NOT NULL REFERENCES tenants (id),
    day         date        NOT NULL,
    status      text        NOT NULL DEFAULT 'queued' CHECK (status IN ('queued', 'running', 'succeeded', 'failed')),
    assets      integer     NOT NULL DEFAULT 0 CHECK (assets >= 0),   -- with features of the day
    scored      integer     NOT NULL DEFAULT 0 CHECK (scored >= 0),   -- with a prediction
    unscored    integer     NOT NULL DEFAULT 0 CHECK (unscored >= 0), -- that no model answered for, to be made up
    error       jsonb,      -- why it failed
    created_at  timestamptz NOT NULL DEFAULT now(),
    touched_at  timestamptz NOT NULL DEFAULT now(), -- when it was last worked at
    finished_at timestamptz,
    CONSTRAINT scoring_jobs_tenant_id_id_key UNIQUE (tenant_id, id),
    CONSTRAINT scoring_jobs_tenant_id_day_key UNIQUE (tenant_id, day)
);
CREATE INDEX scoring_jobs_tenant_id_created_at ON scoring_jobs (tenant_id, created_at DESC);

-- +goose StatementBegin
DO $$
DECLARE
    target text;
BEGIN
    FOREACH target IN ARRAY ARRAY['asset_days', 'summarised_days', 'scoring_jobs'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', target);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', target);
        EXECUTE format('REVOKE ALL ON %I FROM PUBLIC, foresight_app, foresight_worker', target);
        EXECUTE format('CREATE POLICY tenant_isolation ON %I TO foresight_app
                        USING (tenant_id = (SELECT nullif(current_setting(''app.tenant_id'', true), '''')::uuid))
                        WITH CHECK (tenant_id = (SELECT nullif(current_setting(''app.tenant_id'', true), '''')::uuid))', target);
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO foresight_app', target);
    END LOOP;
END
$$;
-- +goose StatementEnd

-- +goose Down
DROP TABLE scoring_jobs;
DROP TABLE summarised_days;
DROP TABLE asset_days;
