-- +goose Up

-- What people ask to be deployed, and what became of it. Somebody who may deploy answers;
-- behind are the people who asked, themselves or by a key or client of their making.
CREATE TABLE deployment_requests (
    id               uuid        PRIMARY KEY,
    tenant_id        uuid        NOT NULL REFERENCES tenants (id),
    model_id         uuid        NOT NULL,
    model_version_id uuid        NOT NULL,
    stage            text        NOT NULL CHECK (stage IN ('production', 'canary', 'shadow')),
    traffic_percent  integer     NOT NULL CHECK (traffic_percent BETWEEN 1 AND 100),
    note             text        NOT NULL DEFAULT '' CHECK (char_length(note) <= 2000),
    status           text        NOT NULL DEFAULT 'pending' CHECK (status IN ('pending', 'approved', 'rejected')),
    behind           uuid[]      NOT NULL DEFAULT '{}', -- user ids
    requested_by     uuid,       -- the member, when a person asked
    requested_at     timestamptz NOT NULL,
    decided_by       uuid,
    decided_at       timestamptz,
    answer           text        NOT NULL DEFAULT '' CHECK (char_length(answer) <= 2000),
    deployment_id    uuid,       -- what the approval made
    CONSTRAINT deployment_requests_tenant_id_id_key UNIQUE (tenant_id, id),
    CONSTRAINT deployment_requests_decided CHECK ((status = 'pending') = (decided_at IS NULL)),
    CONSTRAINT deployment_requests_model_fkey FOREIGN KEY (tenant_id, model_id) REFERENCES ml_models (tenant_id, id),
    CONSTRAINT deployment_requests_version_fkey FOREIGN KEY (tenant_id, model_version_id) REFERENCES ml_model_versions (tenant_id, id),
    CONSTRAINT deployment_requests_deployment_fkey FOREIGN KEY (tenant_id, deployment_id) REFERENCES ml_model_deployments (tenant_id, id),
    CONSTRAINT deployment_requests_requested_by_fkey FOREIGN KEY (tenant_id, requested_by) REFERENCES memberships (tenant_id, user_id),
    CONSTRAINT deployment_requests_decided_by_fkey FOREIGN KEY (tenant_id, decided_by) REFERENCES memberships (tenant_id, user_id)
);
CREATE UNIQUE INDEX deployment_requests_one_pending ON deployment_requests (tenant_id, model_version_id, stage) WHERE status = 'pending';
CREATE INDEX deployment_requests_requested_at ON deployment_requests (tenant_id, requested_at DESC, id DESC);

-- The rules by which the canaries and new production versions of a model are judged.
-- Without a row nothing is.
CREATE TABLE deployment_policies (
    tenant_id       uuid             NOT NULL REFERENCES tenants (id),
    model_id        uuid             NOT NULL,
    auto_promote    boolean          NOT NULL,
    auto_rollback   boolean          NOT NULL,
    self_approval   boolean          NOT NULL,
    min_hours       integer          NOT NULL CHECK (min_hours BETWEEN 0 AND 2160),
    min_predictions bigint           NOT NULL CHECK (min_predictions BETWEEN 1 AND 1000000000),
    max_alarm_ratio double precision NOT NULL CHECK (max_alarm_ratio > 0 AND max_alarm_ratio <= 1000),
    min_precision   double precision NOT NULL CHECK (min_precision BETWEEN 0 AND 1),
    min_feedback    integer          NOT NULL CHECK (min_feedback BETWEEN 0 AND 1000000),
    max_drift       text             NOT NULL CHECK (max_drift IN ('stable', 'moderate', 'severe')),
    watch_hours     integer          NOT NULL CHECK (watch_hours BETWEEN 0 AND 2160),
    steps           integer[]        NOT NULL CHECK (cardinality(steps) BETWEEN 1 AND 20),
    version         integer          NOT NULL DEFAULT 1,
    updated_at      timestamptz      NOT NULL,
    updated_by      uuid,
    looked_at       timestamptz      NOT NULL DEFAULT '-infinity', -- when an evaluation was last asked for
    PRIMARY KEY (tenant_id, model_id),
    CONSTRAINT deployment_policies_model_fkey FOREIGN KEY (tenant_id, model_id) REFERENCES ml_models (tenant_id, id),
    CONSTRAINT deployment_policies_updated_by_fkey FOREIGN KEY (tenant_id, updated_by) REFERENCES memberships (tenant_id, user_id)
);
CREATE INDEX deployment_policies_looked_at ON deployment_policies (looked_at);

-- What the rules, or people, decided about a deployment, with what it was decided by.
CREATE TABLE deployment_decisions (
    id               uuid        PRIMARY KEY,
    tenant_id        uuid        NOT NULL REFERENCES tenants (id),
    model_id         uuid        NOT NULL,
    model_version_id uuid        NOT NULL,
    deployment_id    uuid        NOT NULL,
    verdict          text        NOT NULL CHECK (verdict IN ('promote', 'hold', 'roll_back')),
    acted            boolean     NOT NULL,           -- whether it was carried out
    reasons          jsonb       NOT NULL,
    measures         jsonb       NOT NULL DEFAULT '{}',
    percent_before   integer     NOT NULL CHECK (percent_before BETWEEN 0 AND 100),
    percent_after    integer     NOT NULL CHECK (percent_after BETWEEN 0 AND 100),
    decided_by       uuid,                           -- the member; null: the rules
    made_at          timestamptz NOT NULL,
    seen_at          timestamptz NOT NULL,           -- when the rules last came to the same
    CONSTRAINT deployment_decisions_tenant_id_id_key UNIQUE (tenant_id, id),
    CONSTRAINT deployment_decisions_model_fkey FOREIGN KEY (tenant_id, model_id) REFERENCES ml_models (tenant_id, id),
    CONSTRAINT deployment_decisions_version_fkey FOREIGN KEY (tenant_id, model_version_id) REFERENCES ml_model_versions (tenant_id, id),
    CONSTRAINT deployment_decisions_deployment_fkey FOREIGN KEY (tenant_id, deployment_id) REFERENCES ml_model_deployments (tenant_id, id),
    CONSTRAINT deployment_decisions_decided_by_fkey FOREIGN KEY (tenant_id, decided_by) REFERENCES memberships (tenant_id, user_id)
);
CREATE INDEX deployment_decisions_made_at ON deployment_decisions (tenant_id, made_at DESC, id DESC);
CREATE INDEX deployment_decisions_deployment ON deployment_decisions (tenant_id, deployment_id, made_at DESC, id DESC);

-- What a failure predictor that is tried as a shadow said of a machine and day, beside
-- failure_predictions, where only what serves is: nothing follows from these.
CREATE TABLE shadow_failure_predictions (
    tenant_id           uuid             NOT NULL REFERENCES tenants (id),
    asset_id            uuid             NOT NULL,
    model_version_id    uuid             NOT NULL,
    predicted_at        timestamptz      NOT NULL,
    failure_prob_7d     double precision NOT NULL,
    confidence_lower_7d double precision NOT NULL,
    confidence_upper_7d double precision NOT NULL,
    failure_prob_30d    double precision NOT NULL,
    confidence_lower_30d double precision NOT NULL,
    confidence_upper_30d double precision NOT NULL,
    PRIMARY KEY (tenant_id, asset_id, predicted_at, model_version_id),
    CONSTRAINT shadow_failure_predictions_7d CHECK (0 <= confidence_lower_7d AND confidence_lower_7d <= failure_prob_7d AND failure_prob_7d <= confidence_upper_7d AND confidence_upper_7d <= 1),
    CONSTRAINT shadow_failure_predictions_30d CHECK (0 <= confidence_lower_30d AND confidence_lower_30d <= failure_prob_30d AND failure_prob_30d <= confidence_upper_30d AND confidence_upper_30d <= 1),
    CONSTRAINT shadow_failure_predictions_asset_fkey FOREIGN KEY (tenant_id, asset_id) REFERENCES assets (tenant_id, id),
    CONSTRAINT shadow_failure_predictions_version_fkey FOREIGN KEY (tenant_id, model_version_id) REFERENCES ml_model_versions (tenant_id, id)
);
CREATE INDEX shadow_failure_predictions_version ON shadow_failure_predictions (tenant_id, model_version_id, predicted_at DESC);

-- The alarms that predictions of a version raised.
CREATE INDEX alarm_events_model_version ON alarm_events (tenant_id, model_version_id, triggered_at) WHERE model_version_id IS NOT NULL;

-- +goose StatementBegin
DO $$
DECLARE
    target text;
BEGIN
    FOREACH target IN ARRAY ARRAY['deployment_requests', 'deployment_policies', 'deployment_decisions', 'shadow_failure_predictions'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', target);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', target);
        EXECUTE format('REVOKE ALL ON %I FROM PUBLIC, foresight_app, foresight_worker', target);
        EXECUTE format('CREATE POLICY tenant_isolation ON %I TO foresight_app
                        USING (tenant_id = (SELECT nullif(current_setting(''app.tenant_id'', true), '''')::uuid))
                        WITH CHECK (tenant_id = (SELECT nullif(current_setting(''app.tenant_id'', true), '''')::uuid))', target);
        EXECUTE format('GRANT SELECT, INSERT, UPDATE ON %I TO foresight_app', target);
    END LOOP;
END
$$;
-- +goose StatementEnd
-- What is forgotten with the machine's other predictions.
GRANT DELETE ON shadow_failure_predictions TO foresight_app;
-- Who asks for evaluations looks at the policies of all tenants.
CREATE POLICY registry_read ON deployment_policies FOR SELECT TO foresight_worker USING (true);
GRANT SELECT ON deployment_policies TO foresight_worker;

-- +goose Down
DROP INDEX alarm_events_model_version;
DROP TABLE shadow_failure_predictions;
DROP TABLE deployment_decisions;
DROP TABLE deployment_policies;
DROP TABLE deployment_requests;
