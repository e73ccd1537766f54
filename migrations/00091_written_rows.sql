-- +goose Up

-- The forms in which the telemetry store hands rows over: a batch is one parameter, an
-- array of these. They are types of their own, so that a column added to a table
-- does not break the processes that do not know it yet.
CREATE TYPE telemetry_raw_row AS (
    ingest_id        uuid,
    timestamp_utc    timestamptz,
    site_id          uuid,
    asset_id         uuid,
    sensor_id        uuid,
    log_seq          bigint,
    received_at      timestamptz,
    late             boolean,
    channels         double precision[],
    values           jsonb,
    mqtt_topic       text,
    payload_original bytea
);

CREATE TYPE prediction_row AS (
    id                  uuid,
    timestamp_utc       timestamptz,
    site_id             uuid,
    asset_id            uuid,
    sensor_id           uuid,
    ingest_id           uuid,
    prediction_label    text,
    probability         double precision,
    top_predictions     jsonb,
    model_version_id    uuid,
    model_version_label text,
    role                text,
    out_of_distribution boolean
);

-- +goose Down
DROP TYPE prediction_row;
DROP TYPE telemetry_raw_row;
