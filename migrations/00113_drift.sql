-- +goose Up

-- What a report on drift tells besides the indices.
ALTER TABLE "drift_reports"
  ADD COLUMN "machines" bigint NOT NULL DEFAULT 0,
  ADD COLUMN "drifted" jsonb NOT NULL DEFAULT '[]',
  ADD COLUMN "labels" jsonb NOT NULL DEFAULT '{}',
  ADD COLUMN "is_reference" boolean NOT NULL DEFAULT false,
  ADD COLUMN "coverage" jsonb NOT NULL DEFAULT '{}',
  ADD COLUMN "telemetry_coverage" double precision NOT NULL DEFAULT 0,
  ADD COLUMN "out_of_distribution" double precision NOT NULL DEFAULT 0,
  ADD COLUMN "label_sets" jsonb NOT NULL DEFAULT '{}',
  ADD COLUMN "reasons" jsonb NOT NULL DEFAULT '[]',
  ADD CONSTRAINT "drift_reports_machines_sign" CHECK (machines >= 0),
  ADD CONSTRAINT "drift_reports_shares" CHECK (telemetry_coverage >= 0 AND telemetry_coverage <= 1 AND out_of_distribution >= 0 AND out_of_distribution <= 1),
  DROP CONSTRAINT "drift_reports_verdict_enum",
  ADD CONSTRAINT "drift_reports_verdict_enum" CHECK (verdict = ANY (ARRAY['stable'::text, 'moderate'::text, 'severe'::text, 'unknown'::text]));

-- Looking for drift: once a day (day is set), or because somebody asked.
CREATE TABLE drift_checks (
    id          uuid        PRIMARY KEY,
    tenant_id   uuid        NOT NULL REFERENCES tenants (id),
    day         date,
    status      text        NOT NULL DEFAULT 'queued' CHECK (status IN ('queued', 'running', 'succeeded', 'failed')),
    reports     integer     NOT NULL DEFAULT 0 CHECK (reports >= 0),
    error       jsonb,
    by          uuid,       -- user id of the member who asked
    created_at  timestamptz NOT NULL DEFAULT now(),
    touched_at  timestamptz NOT NULL DEFAULT now(),
    finished_at timestamptz,
    CONSTRAINT drift_checks_tenant_id_id_key UNIQUE (tenant_id, id),
    CONSTRAINT drift_checks_tenant_id_day_key UNIQUE (tenant_id, day)
);
CREATE INDEX drift_checks_tenant_id_created_at ON drift_checks (tenant_id, created_at DESC);

-- Proposals to train a model anew, at most one open of a model.
CREATE TABLE retraining_proposals (
    id               uuid        PRIMARY KEY,
    tenant_id        uuid        NOT NULL REFERENCES tenants (id),
    model_id         uuid        NOT NULL,
    model_version_id uuid        NOT NULL,
    drift_report_id  uuid        NOT NULL,
    status           text        NOT NULL DEFAULT 'open' CHECK (status IN ('open', 'accepted', 'dismissed')),
    is_automatic     boolean     NOT NULL DEFAULT false, -- accepted by the model's policy
    note             text        CHECK (char_length(note) <= 1000),
    training_run_id  uuid,
    created_at       timestamptz NOT NULL DEFAULT now(),
    decided_at       timestamptz,
    decided_by       uuid,       -- user id of the member; null while open, and when the policy decided
    CONSTRAINT retraining_proposals_tenant_id_id_key UNIQUE (tenant_id, id),
    CONSTRAINT retraining_proposals_model_fkey FOREIGN KEY (tenant_id, model_id) REFERENCES ml_models (tenant_id, id),
    CONSTRAINT retraining_proposals_version_fkey FOREIGN KEY (tenant_id, model_version_id) REFERENCES ml_model_versions (tenant_id, id),
    CONSTRAINT retraining_proposals_report_fkey FOREIGN KEY (tenant_id, drift_report_id) REFERENCES drift_reports (tenant_id, id),
    CHECK ((status = 'open') = (decided_at IS NULL))
);
CREATE UNIQUE INDEX retraining_proposals_one_open ON retraining_proposals (tenant_id, model_id) WHERE status = 'open';
CREATE INDEX retraining_proposals_tenant_id_created_at ON retraining_proposals (tenant_id, created_at DESC);

-- What to do about drift of a model; a model without a row waits for people.
CREATE TABLE drift_policies (
    tenant_id  uuid        NOT NULL REFERENCES tenants (id),
    model_id   uuid        NOT NULL,
    automatic  boolean     NOT NULL,
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, model_id),
    CONSTRAINT drift_policies_model_fkey FOREIGN KEY (tenant_id, model_id) REFERENCES ml_models (tenant_id, id)
);

-- +goose StatementBegin
DO $$
DECLARE
    target text;
BEGIN
    FOREACH target IN ARRAY ARRAY['drift_checks', 'retraining_proposals', 'drift_policies'] LOOP
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

-- Fleets are scored in the role of requests, and rules on scores judge in its
-- transaction. Row-level security keeps it within the tenant, as it does the worker.
GRANT INSERT, UPDATE, DELETE ON rule_states TO foresight_app;

-- +goose Down
REVOKE INSERT, UPDATE, DELETE ON rule_states FROM foresight_app;
DROP TABLE drift_policies;
DROP TABLE retraining_proposals;
DROP TABLE drift_checks;
-- The owner sees no tenant's rows while row-level security is forced upon it.
ALTER TABLE drift_reports NO FORCE ROW LEVEL SECURITY;
DELETE FROM drift_reports WHERE verdict = 'unknown';
ALTER TABLE drift_reports FORCE ROW LEVEL SECURITY;
ALTER TABLE "drift_reports"
  DROP CONSTRAINT "drift_reports_verdict_enum",
  DROP CONSTRAINT "drift_reports_shares",
  DROP CONSTRAINT "drift_reports_machines_sign",
  DROP COLUMN "reasons",
  DROP COLUMN "label_sets",
  DROP COLUMN "out_of_distribution",
  DROP COLUMN "telemetry_coverage",
  DROP COLUMN "coverage",
  DROP COLUMN "is_reference",
  DROP COLUMN "labels",
  DROP COLUMN "drifted",
  DROP COLUMN "machines",
  ADD CONSTRAINT "drift_reports_verdict_enum" CHECK (verdict = ANY (ARRAY['stable'::text, 'moderate'::text, 'severe'::text]));
