-- +goose Up
ALTER TABLE training_runs
    ADD COLUMN source   text   NOT NULL DEFAULT 'history',
    ADD COLUMN request  jsonb  NOT NULL DEFAULT '{}',
    ADD COLUMN outcome  jsonb  NOT NULL DEFAULT '{}',
    ADD COLUMN attempts bigint NOT NULL DEFAULT 0,
    ADD CONSTRAINT training_runs_source_enum CHECK (source = ANY (ARRAY['feedback'::text, 'history'::text, 'upload'::text, 'simulator'::text])),
    DROP CONSTRAINT training_runs_rows_sign,
    ADD CONSTRAINT training_runs_rows_sign CHECK ((rows >= 0) AND (feedback_rows >= 0) AND (attempts >= 0));
-- Runs that were left at work by a process that died are looked for.
CREATE INDEX training_runs_at_work ON training_runs (tenant_id) WHERE (status = ANY (ARRAY['queued'::text, 'running'::text]));

ALTER TABLE job_progress
    DROP CONSTRAINT job_progress_phase_check,
    ADD CONSTRAINT job_progress_phase_check CHECK (phase IN ('reading', 'checking', 'training', 'writing'));

-- When a model is trained anew from feedback by itself: a day and hour of each week, UTC.
CREATE TABLE training_schedules (
    tenant_id  uuid        NOT NULL REFERENCES tenants (id),
    model_id   uuid        NOT NULL,
    enabled    boolean     NOT NULL DEFAULT false,
    weekday    smallint    NOT NULL DEFAULT 0 CHECK (weekday BETWEEN 0 AND 6), -- 0: Sunday
    hour       smallint    NOT NULL DEFAULT 2 CHECK (hour BETWEEN 0 AND 23),
    due_at     timestamptz NOT NULL, -- the next time
    looked_at  timestamptz, -- the last time at which it was due
    skipped    jsonb,       -- why nothing was trained then; null: a run was started
    updated_at timestamptz NOT NULL DEFAULT now(),
    updated_by uuid,        -- user id of the member who set it; null when no person did
    PRIMARY KEY (tenant_id, model_id),
    CONSTRAINT training_schedules_model_id_fkey FOREIGN KEY (tenant_id, model_id) REFERENCES ml_models (tenant_id, id),
    CONSTRAINT training_schedules_updated_by_fkey FOREIGN KEY (tenant_id, updated_by) REFERENCES memberships (tenant_id, user_id)
);
CREATE INDEX training_schedules_tenant_id_updated_by ON training_schedules (tenant_id, updated_by);
ALTER TABLE training_schedules ENABLE ROW LEVEL SECURITY;
ALTER TABLE training_schedules FORCE ROW LEVEL SECURITY;
REVOKE ALL ON training_schedules FROM PUBLIC, foresight_app, foresight_worker;
CREATE POLICY tenant_isolation ON training_schedules TO foresight_app
    USING (tenant_id = (SELECT nullif(current_setting('app.tenant_id', true), '')::uuid))
    WITH CHECK (tenant_id = (SELECT nullif(current_setting('app.tenant_id', true), '')::uuid));
GRANT SELECT, INSERT, UPDATE, DELETE ON training_schedules TO foresight_app;

-- +goose Down
DROP TABLE training_schedules;
-- The owner sees no tenant's rows while row-level security is forced upon it.
ALTER TABLE job_progress NO FORCE ROW LEVEL SECURITY;
DELETE FROM job_progress WHERE phase = 'training';
ALTER TABLE job_progress FORCE ROW LEVEL SECURITY;
ALTER TABLE job_progress
    DROP CONSTRAINT job_progress_phase_check,
    ADD CONSTRAINT job_progress_phase_check CHECK (phase IN ('reading', 'checking', 'writing'));
DROP INDEX training_runs_at_work;
ALTER TABLE training_runs
    DROP CONSTRAINT training_runs_rows_sign,
    ADD CONSTRAINT training_runs_rows_sign CHECK ((rows >= 0) AND (feedback_rows >= 0)),
    DROP CONSTRAINT training_runs_source_enum,
    DROP COLUMN attempts,
    DROP COLUMN outcome,
    DROP COLUMN request,
    DROP COLUMN source;
