-- +goose Up

-- The processes of the installation: each writes its own row every few seconds. Nothing
-- of it is a tenant's.
CREATE TABLE processes (
    name       text        PRIMARY KEY, -- host/pid
    roles      text[]      NOT NULL,
    version    text        NOT NULL,
    address    text        NOT NULL, -- of health and metrics
    started_at timestamptz NOT NULL,
    seen_at    timestamptz NOT NULL
) WITH (fillfactor = 10);

REVOKE ALL ON processes FROM PUBLIC, foresight_app, foresight_worker;
GRANT SELECT, INSERT, UPDATE, DELETE ON processes TO foresight_worker;

-- +goose Down

DROP TABLE processes;
