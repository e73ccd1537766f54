-- +goose Up

-- Why an alarm was raised, for those that a prediction raised: what moved the model
-- most. A row is made beside its alarm, in the same transaction and without an answer,
-- so that none is forgotten; a process that has the model fills it in afterwards.
-- Readings and predictions are forgotten before alarms are.
CREATE TABLE alarm_explanations (
    tenant_id     uuid        NOT NULL,
    event_id      uuid        NOT NULL,
    prediction_id uuid        NOT NULL, -- in the telemetry store
    state         text        NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'ready', 'unavailable')),
    -- Of those that are ready: margins of the class, before softmax and calibration.
    fault_code    text        CHECK (char_length(fault_code) <= 100),
    version_label text        CHECK (char_length(version_label) <= 200),
    margin        double precision,
    bias          double precision,
    others        double precision, -- what the features beyond the listed ones added
    features      jsonb,            -- [{feature, value, contribution}], the strongest first
    -- Of those that are not: a machine-readable reason, the tries, and when the next one is due.
    reason        text        CHECK (reason ~ '^[a-z_]{1,64}$'),
    tries         integer     NOT NULL DEFAULT 0 CHECK (tries >= 0),
    due_at        timestamptz NOT NULL DEFAULT now(),
    changed_at    timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, event_id),
    FOREIGN KEY (tenant_id, event_id) REFERENCES alarm_events (tenant_id, id) ON DELETE CASCADE,
    CHECK ((state = 'ready') = (num_nonnulls(fault_code, version_label, margin, bias, others, features) = 6)),
    CHECK ((state = 'unavailable') = (reason IS NOT NULL))
);
CREATE INDEX alarm_explanations_due ON alarm_explanations (due_at) WHERE state = 'pending';

ALTER TABLE alarm_explanations ENABLE ROW LEVEL SECURITY;
ALTER TABLE alarm_explanations FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON alarm_explanations TO foresight_app, foresight_worker
    USING (tenant_id = (SELECT nullif(current_setting('app.tenant_id', true), '')::uuid))
    WITH CHECK (tenant_id = (SELECT nullif(current_setting('app.tenant_id', true), '')::uuid));
CREATE POLICY operator ON alarm_explanations TO CURRENT_USER USING (true) WITH CHECK (true);

REVOKE ALL ON alarm_explanations FROM PUBLIC, foresight_app, foresight_worker;
GRANT SELECT ON alarm_explanations TO foresight_app;
GRANT SELECT, INSERT, UPDATE ON alarm_explanations TO foresight_worker;

-- Once for each statement that raises alarms; most batches of readings raise none.
-- +goose StatementBegin
CREATE FUNCTION foresight_queue_explanations() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    INSERT INTO alarm_explanations (tenant_id, event_id, prediction_id)
    SELECT tenant_id, id, prediction_id FROM raised WHERE prediction_id IS NOT NULL;
    RETURN NULL;
END $$;
-- +goose StatementEnd
CREATE TRIGGER queue_explanations AFTER INSERT ON alarm_events
    REFERENCING NEW TABLE AS raised FOR EACH STATEMENT EXECUTE FUNCTION foresight_queue_explanations();

-- Takes up to at_most explanations of all tenants that are due, the oldest first: they are due
-- again after the pause, should the taker be gone by then.
-- +goose StatementBegin
CREATE FUNCTION foresight_take_explanations(at_most integer, pause interval)
    RETURNS TABLE (tenant_id uuid, event_id uuid, prediction_id uuid, tries integer)
    LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    UPDATE alarm_explanations x SET due_at = now() + pause, tries = x.tries + 1
    FROM (SELECT d.tenant_id, d.event_id FROM alarm_explanations d WHERE d.state = 'pending' AND d.due_at <= now()
          ORDER BY d.due_at LIMIT at_most FOR UPDATE SKIP LOCKED) t
    WHERE x.tenant_id = t.tenant_id AND x.event_id = t.event_id
    RETURNING x.tenant_id, x.event_id, x.prediction_id, x.tries;
$$;
-- +goose StatementEnd
REVOKE ALL ON FUNCTION foresight_take_explanations(integer, interval) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION foresight_take_explanations(integer, interval) TO foresight_worker;

-- +goose Down

DROP TRIGGER queue_explanations ON alarm_events;
DROP FUNCTION foresight_take_explanations(integer, interval);
DROP FUNCTION foresight_queue_explanations();
DROP TABLE alarm_explanations;
