-- +goose Up

-- The telemetry store of internal/telemetry/pgstore and the state of the pipeline
-- of ingestion/pipeline. Written by hand: the ORM does not know these tables.
--
-- No foreign keys: a reading may outlive its sensor, and a key check per row of the
-- hottest tables would take a lock on rows of the plant for every message.

-- ---------------------------------------------------------------- telemetry store

-- A partition key must be part of every unique key. A message's ingest id is made
-- from its event time, so that (tenant, ingest id, time) is as unique as (tenant,
-- ingest id): the same id never comes with another time.
--
-- channels holds the 24 machine channels in channel order, a missing one as NULL
-- (so that aggregates leave it out), and is NULL when all are missing. values
-- holds the process parameters by name. log_seq is the place in the log of the
-- first write.
CREATE TABLE telemetry_raw (
    tenant_id        uuid             NOT NULL,
    ingest_id        uuid             NOT NULL,
    timestamp_utc    timestamptz      NOT NULL,
    site_id          uuid             NOT NULL,
    asset_id         uuid             NOT NULL,
    sensor_id        uuid             NOT NULL,
    log_seq          bigint           NOT NULL,
    received_at      timestamptz      NOT NULL,
    late             boolean          NOT NULL,
    channels         double precision[] CHECK (array_length(channels, 1) = 24),
    values           jsonb,
    mqtt_topic       text             NOT NULL,
    payload_original bytea            NOT NULL,
    PRIMARY KEY (tenant_id, ingest_id, timestamp_utc)
) PARTITION BY RANGE (timestamp_utc);

CREATE INDEX telemetry_raw_time ON telemetry_raw USING brin (timestamp_utc);
CREATE INDEX telemetry_raw_tenant ON telemetry_raw (tenant_id, timestamp_utc DESC);
CREATE INDEX telemetry_raw_asset ON telemetry_raw (tenant_id, asset_id, timestamp_utc DESC);
CREATE INDEX telemetry_raw_sensor ON telemetry_raw (tenant_id, sensor_id, timestamp_utc DESC);

-- Where the newest reading by event time of each sensor stands.
CREATE TABLE telemetry_latest (
    tenant_id     uuid        NOT NULL,
    sensor_id     uuid        NOT NULL,
    site_id       uuid        NOT NULL,
    asset_id      uuid        NOT NULL,
    timestamp_utc timestamptz NOT NULL,
    log_seq       bigint      NOT NULL,
    ingest_id     uuid        NOT NULL,
    PRIMARY KEY (tenant_id, sensor_id)
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.05);

-- An id is derived from the reading, its millisecond is the event time: so the time
-- in the key costs no uniqueness and finds the day of an id.
--
-- Most predictions say `normal`; the indexes of what people look for leave them out.
CREATE TABLE predictions (
    tenant_id           uuid             NOT NULL,
    id                  uuid             NOT NULL,
    timestamp_utc       timestamptz      NOT NULL,
    site_id             uuid             NOT NULL,
    asset_id            uuid             NOT NULL,
    sensor_id           uuid             NOT NULL,
    ingest_id           uuid             NOT NULL,
    prediction_label    text             NOT NULL,
    probability         double precision NOT NULL CHECK (probability BETWEEN 0 AND 1),
    top_predictions     jsonb,
    model_version_id    uuid             NOT NULL,
    model_version_label text             NOT NULL,
    role                text             NOT NULL CHECK (role IN ('production', 'canary', 'shadow')),
    out_of_distribution boolean          NOT NULL,
    PRIMARY KEY (tenant_id, id, timestamp_utc)
) PARTITION BY RANGE (timestamp_utc);

CREATE INDEX predictions_tenant ON predictions (tenant_id, timestamp_utc DESC);
CREATE INDEX predictions_asset ON predictions (tenant_id, asset_id, timestamp_utc DESC);
CREATE INDEX predictions_sensor ON predictions (tenant_id, sensor_id, timestamp_utc DESC);
CREATE INDEX predictions_model_version ON predictions (tenant_id, model_version_id, timestamp_utc DESC);
CREATE INDEX predictions_abnormal ON predictions (tenant_id, timestamp_utc DESC) WHERE prediction_label <> 'normal';
CREATE INDEX predictions_label ON predictions (tenant_id, prediction_label, timestamp_utc DESC) WHERE prediction_label <> 'normal';

-- There is no default partition: it would hide what belongs to a day of its own and
-- stand in the way of making that day. The store makes the days of a batch before it
-- writes; a time that no clock of the product admits is refused.

-- +goose StatementBegin
CREATE FUNCTION foresight_ensure_telemetry_partitions(first_time timestamptz, last_time timestamptz) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    parent  text;
    child   text;
    day     date;
    made    integer := 0;
BEGIN
    IF first_time IS NULL OR last_time IS NULL OR first_time > last_time
        OR first_time < now() - interval '3 years' OR last_time > now() + interval '7 days' THEN
        RAISE EXCEPTION 'no partitions for % to %: only the last 3 years and the next 7 days', first_time, last_time
            USING ERRCODE = 'datetime_field_overflow';
    END IF;
    PERFORM pg_advisory_xact_lock(hashtext('foresight_telemetry_partitions'));
    FOREACH parent IN ARRAY ARRAY['telemetry_raw', 'predictions'] LOOP
        day := first_time::date;
        WHILE day <= last_time::date LOOP
            child := parent || to_char(day, '"_"YYYYMMDD');
            IF to_regclass(format('public.%I', child)) IS NULL THEN
                -- Made aside and attached: unlike CREATE ... PARTITION OF this lets
                -- readers and writers of the other days go on.
                EXECUTE format('CREATE TABLE public.%I (LIKE public.%I INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING STORAGE)', child, parent);
                EXECUTE format('REVOKE ALL ON public.%I FROM PUBLIC, foresight_app, foresight_worker', child);
                EXECUTE format('ALTER TABLE public.%I ENABLE ROW LEVEL SECURITY', child);
                EXECUTE format('ALTER TABLE public.%I FORCE ROW LEVEL SECURITY', child);
                EXECUTE format('ALTER TABLE public.%I ATTACH PARTITION public.%I FOR VALUES FROM (%L) TO (%L)',
                    parent, child, day::timestamptz, (day + 1)::timestamptz);
                made := made + 1;
            END IF;
            day := day + 1;
        END LOOP;
    END LOOP;
    RETURN made;
END $$;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE FUNCTION foresight_drop_partitions_before(parent text, before timestamptz) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET timezone = 'UTC' SET lock_timeout = '2s' AS $$
DECLARE
    child   text;
    dropped integer := 0;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('foresight_telemetry_partitions'));
    FOR child IN
        SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
        WHERE i.inhparent = format('public.%I', parent)::regclass
            AND to_date(right(c.relname, 8), 'YYYYMMDD') + 1 <= before::date
        ORDER BY c.relname
    LOOP
        EXECUTE format('DROP TABLE public.%I', child);
        dropped := dropped + 1;
    END LOOP;
    RETURN dropped;
END $$;
-- +goose StatementEnd

-- Days that ended before the time are dropped whole; the number of them is
-- returned. A lock that is not free within 2 s is an error: try later.

-- +goose StatementBegin
CREATE FUNCTION foresight_drop_telemetry_before(before timestamptz) RETURNS integer
    LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS
$$ SELECT foresight_drop_partitions_before('telemetry_raw', before) $$;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE FUNCTION foresight_drop_predictions_before(before timestamptz) RETURNS integer
    LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS
$$ SELECT foresight_drop_partitions_before('predictions', before) $$;
-- +goose StatementEnd

-- --------------------------------------------------------------- pipeline's state

-- One row per partition of the log: who works on it, under which epoch, up to where.
-- sequence is the checkpoint: everything up to it is done. stream names the
-- creation of the log that the sequence counts in.
CREATE TABLE partitions (
    number     integer     PRIMARY KEY CHECK (number >= 0),
    owner      text        NOT NULL DEFAULT '',
    epoch      bigint      NOT NULL DEFAULT 0,
    expires_at timestamptz NOT NULL DEFAULT '-infinity',
    sequence   bigint      NOT NULL DEFAULT 0 CHECK (sequence >= 0),
    stream     text        NOT NULL DEFAULT ''
) WITH (fillfactor = 10, autovacuum_vacuum_threshold = 1000, autovacuum_vacuum_scale_factor = 0);

-- Who is alive, so that partitions are shared fairly.
CREATE TABLE pipeline_workers (
    worker     text        PRIMARY KEY,
    expires_at timestamptz NOT NULL
) WITH (fillfactor = 10);

-- What a rule remembers of an asset and sensor between samples, see rules.State. A
-- state that holds neither a run nor a timer has no row.
CREATE TABLE rule_states (
    tenant_id    uuid             NOT NULL,
    rule_id      uuid             NOT NULL,
    asset_id     uuid             NOT NULL,
    sensor_id    uuid,            -- null where the rule is about the asset as a whole
    rule_version integer          NOT NULL,
    run          integer          NOT NULL DEFAULT 0,
    run_since    timestamptz,
    gone_since   timestamptz,
    last_value   double precision NOT NULL,
    last_at      timestamptz      NOT NULL,
    CONSTRAINT rule_states_key UNIQUE NULLS NOT DISTINCT (tenant_id, sensor_id, rule_id, asset_id)
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.05);

-- last_seen_at is when the sensor last spoke by the product's clock, latest_at the
-- event time of the values in latest. partition is the one of the log in which the
-- sensor's messages stand.
CREATE TABLE sensor_states (
    tenant_id    uuid        NOT NULL,
    sensor_id    uuid        NOT NULL,
    site_id      uuid        NOT NULL,
    asset_id     uuid        NOT NULL,
    partition    integer     NOT NULL,
    last_seen_at timestamptz NOT NULL,
    is_online    boolean     NOT NULL,
    window_fill  smallint    NOT NULL CHECK (window_fill BETWEEN 0 AND 14),
    latest_at    timestamptz NOT NULL,
    latest       jsonb       NOT NULL,
    PRIMARY KEY (tenant_id, sensor_id)
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.05);
CREATE INDEX sensor_states_partition ON sensor_states (partition);
CREATE INDEX sensor_states_asset ON sensor_states (tenant_id, asset_id);

-- ------------------------------------------------------------------ who may do what

-- +goose StatementBegin
DO $$
DECLARE
    t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['telemetry_raw', 'telemetry_latest', 'predictions', 'rule_states', 'sensor_states'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', t);
        EXECUTE format($p$CREATE POLICY tenant_isolation ON %I USING (tenant_id = (SELECT nullif(current_setting('app.tenant_id', true), '')::uuid))$p$, t);
        EXECUTE format('REVOKE ALL ON %I FROM PUBLIC, foresight_app, foresight_worker', t);
        EXECUTE format('GRANT SELECT ON %I TO foresight_app', t);
        EXECUTE format('GRANT SELECT, INSERT ON %I TO foresight_worker', t);
    END LOOP;
END $$;
-- +goose StatementEnd
GRANT UPDATE ON telemetry_latest TO foresight_worker;
GRANT UPDATE, DELETE ON rule_states, sensor_states TO foresight_worker;

-- The owner of a partition learns when its sensors last spoke, whoever's they are.
CREATE POLICY worker_reads_all ON sensor_states FOR SELECT TO foresight_worker USING (true);

REVOKE ALL ON partitions, pipeline_workers FROM PUBLIC, foresight_app, foresight_worker;
GRANT SELECT, INSERT, UPDATE ON partitions TO foresight_worker;
GRANT SELECT, INSERT, UPDATE, DELETE ON pipeline_workers TO foresight_worker;

REVOKE ALL ON FUNCTION foresight_drop_partitions_before(text, timestamptz) FROM PUBLIC;
REVOKE ALL ON FUNCTION foresight_ensure_telemetry_partitions(timestamptz, timestamptz),
    foresight_drop_telemetry_before(timestamptz), foresight_drop_predictions_before(timestamptz) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION foresight_ensure_telemetry_partitions(timestamptz, timestamptz),
    foresight_drop_telemetry_before(timestamptz), foresight_drop_predictions_before(timestamptz) TO foresight_worker;

-- +goose Down

DROP FUNCTION foresight_drop_predictions_before(timestamptz);
DROP FUNCTION foresight_drop_telemetry_before(timestamptz);
DROP FUNCTION foresight_drop_partitions_before(text, timestamptz);
DROP FUNCTION foresight_ensure_telemetry_partitions(timestamptz, timestamptz);
DROP TABLE sensor_states;
DROP TABLE rule_states;
DROP TABLE pipeline_workers;
DROP TABLE partitions;
DROP TABLE predictions;
DROP TABLE telemetry_latest;
DROP TABLE telemetry_raw;
