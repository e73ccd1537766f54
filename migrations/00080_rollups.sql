-- +goose Up

-- Rollups of readings by event time: a row per sensor, bucket and lane of the log,
-- absolute values (see telemetry.Rollup). All parameters stand in parallel arrays: the
-- 24 machine channels in channel order, then those of names. counts is 0, and the
-- others NULL, where nothing was measured; last_ms is the event time of the last value
-- in milliseconds after the bucket's beginning.
--
-- The row of an open bucket is replaced again and again: the free space of its page
-- and indexes on nothing that changes keep that within the page.
CREATE TABLE telemetry_rollup (
    tenant_id uuid        NOT NULL,
    sensor_id uuid        NOT NULL,
    start_utc timestamptz NOT NULL,
    lane      smallint    NOT NULL,
    site_id   uuid        NOT NULL,
    asset_id  uuid        NOT NULL,
    last_seq  bigint      NOT NULL,
    readings  integer     NOT NULL CHECK (readings > 0),
    names     text[],
    counts    integer[]   NOT NULL CHECK (cardinality(counts) = 24 + coalesce(cardinality(names), 0)),
    last_ms   integer[]   NOT NULL,
    sums      double precision[] NOT NULL,
    squares   double precision[] NOT NULL,
    mins      double precision[] NOT NULL,
    maxs      double precision[] NOT NULL,
    lasts     double precision[] NOT NULL,
    PRIMARY KEY (tenant_id, sensor_id, start_utc, lane)
) PARTITION BY RANGE (start_utc);
CREATE INDEX telemetry_rollup_asset ON telemetry_rollup (tenant_id, asset_id, start_utc);

CREATE TABLE telemetry_rollup_h1 (LIKE telemetry_rollup INCLUDING CONSTRAINTS, PRIMARY KEY (tenant_id, sensor_id, start_utc, lane)) WITH (fillfactor = 90);
CREATE INDEX telemetry_rollup_h1_asset ON telemetry_rollup_h1 (tenant_id, asset_id, start_utc);
CREATE INDEX telemetry_rollup_h1_time ON telemetry_rollup_h1 (tenant_id, start_utc);

CREATE TABLE telemetry_rollup_d1 (LIKE telemetry_rollup INCLUDING CONSTRAINTS, PRIMARY KEY (tenant_id, sensor_id, start_utc, lane)) WITH (fillfactor = 90);
CREATE INDEX telemetry_rollup_d1_asset ON telemetry_rollup_d1 (tenant_id, asset_id, start_utc);
CREATE INDEX telemetry_rollup_d1_time ON telemetry_rollup_d1 (tenant_id, start_utc);

-- How far the coarser rollups are made. What lies before begun_until has been read, or
-- is being read: who changes a finer rollup there marks it in rollup_due. What lies
-- before done_until is written.
CREATE TABLE rollup_progress (
    tenant_id   uuid        NOT NULL,
    resolution  text        NOT NULL CHECK (resolution IN ('h1', 'd1')),
    begun_until timestamptz NOT NULL,
    done_until  timestamptz NOT NULL DEFAULT '-infinity',
    PRIMARY KEY (tenant_id, resolution)
);

-- Hours to be made again, because late readings re-opened a bucket. marks grows with
-- each of them, so that a mark made while the hour is read again is not lost.
CREATE TABLE rollup_due (
    tenant_id uuid        NOT NULL,
    sensor_id uuid        NOT NULL,
    start_utc timestamptz NOT NULL,
    marks     integer     NOT NULL DEFAULT 1,
    PRIMARY KEY (tenant_id, sensor_id, start_utc)
);

-- +goose StatementBegin
DO $$
DECLARE
    t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['telemetry_rollup', 'telemetry_rollup_h1', 'telemetry_rollup_d1', 'rollup_progress', 'rollup_due'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', t);
        EXECUTE format($p$CREATE POLICY tenant_isolation ON %I USING (tenant_id = (SELECT nullif(current_setting('app.tenant_id', true), '')::uuid))$p$, t);
        EXECUTE format('REVOKE ALL ON %I FROM PUBLIC, foresight_app, foresight_worker', t);
        EXECUTE format('GRANT SELECT, INSERT, UPDATE ON %I TO foresight_worker', t);
        IF t LIKE 'telemetry%' THEN
            EXECUTE format('GRANT SELECT ON %I TO foresight_app', t);
        END IF;
    END LOOP;
END $$;
-- +goose StatementEnd
GRANT DELETE ON rollup_progress, rollup_due TO foresight_worker;

-- +goose StatementBegin
CREATE OR REPLACE FUNCTION foresight_ensure_telemetry_partitions(first_time timestamptz, last_time timestamptz) RETURNS integer
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
    FOREACH parent IN ARRAY ARRAY['telemetry_raw', 'predictions', 'telemetry_rollup'] LOOP
        day := first_time::date;
        WHILE day <= last_time::date LOOP
            child := parent || to_char(day, '"_"YYYYMMDD');
            IF to_regclass(format('public.%I', child)) IS NULL THEN
                -- Made aside and attached: unlike CREATE ... PARTITION OF this lets
                -- readers and writers of the other days go on.
                EXECUTE format('CREATE TABLE public.%I (LIKE public.%I INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING STORAGE)%s', child, parent,
                    CASE parent WHEN 'telemetry_rollup' THEN ' WITH (fillfactor = 60, autovacuum_vacuum_scale_factor = 0.05)' ELSE '' END);
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
CREATE FUNCTION foresight_drop_rollups_before(before timestamptz) RETURNS integer
    LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS
$$ SELECT foresight_drop_partitions_before('telemetry_rollup', before) $$;
-- +goose StatementEnd

-- Deletes at most so many rows that one tenant has in a table of telemetry before the
-- time, and returns their number: called until it returns 0. A day at a time, since a
-- row's place is unique within one partition.

-- +goose StatementBegin
CREATE FUNCTION foresight_forget_telemetry(tenant uuid, relation text, before timestamptz, most integer) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    at      text := CASE WHEN relation LIKE 'telemetry_rollup%' THEN 'start_utc' ELSE 'timestamp_utc' END;
    first   timestamptz;
    past    timestamptz;
    n       integer;
    deleted integer := 0;
BEGIN
    IF relation NOT IN ('telemetry_raw', 'telemetry_latest', 'predictions', 'telemetry_rollup', 'telemetry_rollup_h1', 'telemetry_rollup_d1') THEN
        RAISE EXCEPTION 'not a table of telemetry: %', relation USING ERRCODE = 'invalid_parameter_value';
    END IF;
    PERFORM set_config('app.tenant_id', tenant::text, true);
    FOR first, past IN
        SELECT d.day, d.day + 1 FROM (
            SELECT to_date(right(c.relname, 8), 'YYYYMMDD') AS day FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
            WHERE i.inhparent = format('public.%I', relation)::regclass) d
        UNION ALL
        SELECT '-infinity', 'infinity' FROM pg_class WHERE oid = format('public.%I', relation)::regclass AND relkind = 'r'
        ORDER BY 1
    LOOP
        EXIT WHEN first >= before OR deleted >= most;
        EXECUTE format('DELETE FROM public.%1$I WHERE tenant_id = $1 AND %2$I >= $2 AND %2$I < $3 AND ctid = ANY (ARRAY(
            SELECT ctid FROM public.%1$I WHERE tenant_id = $1 AND %2$I >= $2 AND %2$I < $3 LIMIT $4))', relation, at)
            USING tenant, first, least(past, before), most - deleted;
        GET DIAGNOSTICS n = ROW_COUNT;
        deleted := deleted + n;
    END LOOP;
    RETURN deleted;
END $$;
-- +goose StatementEnd

REVOKE ALL ON FUNCTION foresight_drop_rollups_before(timestamptz), foresight_forget_telemetry(uuid, text, timestamptz, integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION foresight_drop_rollups_before(timestamptz), foresight_forget_telemetry(uuid, text, timestamptz, integer) TO foresight_worker;

-- The rollups' maker finds the tenants that have something to be made.
CREATE POLICY worker_reads_all ON rollup_due FOR SELECT TO foresight_worker USING (true);

-- +goose Down

DROP FUNCTION foresight_forget_telemetry(uuid, text, timestamptz, integer);
DROP FUNCTION foresight_drop_rollups_before(timestamptz);
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION foresight_ensure_telemetry_partitions(first_time timestamptz, last_time timestamptz) RETURNS integer
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
DROP TABLE rollup_due;
DROP TABLE rollup_progress;
DROP TABLE telemetry_rollup_d1;
DROP TABLE telemetry_rollup_h1;
DROP TABLE telemetry_rollup;
