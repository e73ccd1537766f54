-- +goose Up
-- create "backtests" table
CREATE TABLE "backtests" (
  "id" uuid NOT NULL,
  "tenant_id" uuid NOT NULL,
  "name" text NOT NULL DEFAULT '',
  "from_utc" timestamptz NOT NULL,
  "to_utc" timestamptz NOT NULL,
  "scope" jsonb NOT NULL DEFAULT '{}',
  "sites" jsonb NULL,
  "rules" jsonb NOT NULL DEFAULT '[]',
  "predicts" boolean NOT NULL DEFAULT false,
  "source" text NOT NULL,
  "status" text NOT NULL DEFAULT 'queued',
  "place" jsonb NOT NULL DEFAULT '{}',
  "outcome" jsonb NOT NULL DEFAULT '{}',
  "error" text NULL,
  "by" uuid NULL,
  "created_at" timestamptz NOT NULL DEFAULT now(),
  "finished_at" timestamptz NULL,
  "model_version_id" uuid NULL,
  PRIMARY KEY ("id"),
  CONSTRAINT "backtests_tenant_id_id_key" UNIQUE ("tenant_id", "id"),
  CONSTRAINT "backtests_ml_model_versions_model_version" FOREIGN KEY ("tenant_id", "model_version_id") REFERENCES "ml_model_versions" ("tenant_id", "id") ON UPDATE NO ACTION ON DELETE NO ACTION,
  CONSTRAINT "backtests_tenant_id_fkey" FOREIGN KEY ("tenant_id") REFERENCES "tenants" ("id") ON UPDATE NO ACTION ON DELETE NO ACTION,
  CONSTRAINT "backtests_by_fkey" FOREIGN KEY ("tenant_id", "by") REFERENCES "memberships" ("tenant_id", "user_id") ON UPDATE NO ACTION ON DELETE NO ACTION,
  CONSTRAINT "backtests_error_length" CHECK (char_length(error) <= 2000),
  CONSTRAINT "backtests_name_length" CHECK (char_length(name) <= 200),
  CONSTRAINT "backtests_period" CHECK (to_utc > from_utc),
  CONSTRAINT "backtests_source_enum" CHECK (source = ANY (ARRAY['store'::text, 'landing'::text])),
  CONSTRAINT "backtests_status_enum" CHECK (status = ANY (ARRAY['queued'::text, 'running'::text, 'succeeded'::text, 'failed'::text, 'cancelled'::text]))
);
-- create index "backtest_tenant_id_by" to table: "backtests"
CREATE INDEX "backtest_tenant_id_by" ON "backtests" ("tenant_id", "by");
-- create index "backtest_tenant_id_created_at" to table: "backtests"
CREATE INDEX "backtest_tenant_id_created_at" ON "backtests" ("tenant_id", "created_at" DESC);
-- create index "backtest_tenant_id_model_version_id" to table: "backtests"
CREATE INDEX "backtest_tenant_id_model_version_id" ON "backtests" ("tenant_id", "model_version_id");
-- create index "backtests_one_at_work" to table: "backtests"
CREATE UNIQUE INDEX "backtests_one_at_work" ON "backtests" ("tenant_id") WHERE (status = ANY (ARRAY['queued'::text, 'running'::text]));
-- create "backtest_alarms" table
CREATE TABLE "backtest_alarms" (
  "id" uuid NOT NULL,
  "tenant_id" uuid NOT NULL,
  "rule_number" bigint NOT NULL,
  "fault_code" text NULL,
  "severity" text NOT NULL,
  "triggered_value" double precision NOT NULL,
  "triggered_at" timestamptz NOT NULL,
  "last_triggered_at" timestamptz NOT NULL,
  "occurrences" bigint NOT NULL,
  "cleared_at" timestamptz NULL,
  "reopened" boolean NOT NULL DEFAULT false,
  "backtest_id" uuid NOT NULL,
  "site_id" uuid NOT NULL,
  "asset_id" uuid NOT NULL,
  "sensor_id" uuid NOT NULL,
  "alarm_event_id" uuid NULL,
  PRIMARY KEY ("id"),
  CONSTRAINT "backtest_alarms_tenant_id_id_key" UNIQUE ("tenant_id", "id"),
  CONSTRAINT "backtest_alarms_alarm_events_alarm_event" FOREIGN KEY ("tenant_id", "alarm_event_id") REFERENCES "alarm_events" ("tenant_id", "id") ON UPDATE NO ACTION ON DELETE NO ACTION,
  CONSTRAINT "backtest_alarms_assets_asset" FOREIGN KEY ("tenant_id", "asset_id") REFERENCES "assets" ("tenant_id", "id") ON UPDATE NO ACTION ON DELETE NO ACTION,
  CONSTRAINT "backtest_alarms_backtests_backtest" FOREIGN KEY ("tenant_id", "backtest_id") REFERENCES "backtests" ("tenant_id", "id") ON UPDATE NO ACTION ON DELETE NO ACTION,
  CONSTRAINT "backtest_alarms_sensors_sensor" FOREIGN KEY ("tenant_id", "sensor_id") REFERENCES "sensors" ("tenant_id", "id") ON UPDATE NO ACTION ON DELETE NO ACTION,
  CONSTRAINT "backtest_alarms_sites_site" FOREIGN KEY ("tenant_id", "site_id") REFERENCES "sites" ("tenant_id", "id") ON UPDATE NO ACTION ON DELETE NO ACTION,
  CONSTRAINT "backtest_alarms_tenant_id_fkey" FOREIGN KEY ("tenant_id") REFERENCES "tenants" ("id") ON UPDATE NO ACTION ON DELETE NO ACTION,
  CONSTRAINT "backtest_alarms_fault_code_length" CHECK (char_length(fault_code) <= 100),
  CONSTRAINT "backtest_alarms_occurrences_sign" CHECK (occurrences >= 1),
  CONSTRAINT "backtest_alarms_rule_number_sign" CHECK (rule_number >= 0),
  CONSTRAINT "backtest_alarms_severity_enum" CHECK (severity = ANY (ARRAY['low'::text, 'medium'::text, 'high'::text, 'critical'::text]))
);
-- create index "backtestalarm_tenant_id_backtest_id_rule_number_sensor_id" to table: "backtest_alarms"
CREATE INDEX "backtestalarm_tenant_id_backtest_id_rule_number_sensor_id" ON "backtest_alarms" ("tenant_id", "backtest_id", "rule_number", "sensor_id");
-- create index "backtestalarm_tenant_id_backtest_id_triggered_at" to table: "backtest_alarms"
CREATE INDEX "backtestalarm_tenant_id_backtest_id_triggered_at" ON "backtest_alarms" ("tenant_id", "backtest_id", "triggered_at");
-- create "backtest_predictions" table
CREATE TABLE "backtest_predictions" (
  "id" uuid NOT NULL,
  "tenant_id" uuid NOT NULL,
  "begins_at" timestamptz NOT NULL,
  "fault_code" text NOT NULL,
  "stored_code" text NULL,
  "windows" bigint NOT NULL,
  "out_of_distribution" bigint NOT NULL DEFAULT 0,
  "probability" double precision NOT NULL,
  "stored_probability" double precision NULL,
  "backtest_id" uuid NOT NULL,
  "site_id" uuid NOT NULL,
  "asset_id" uuid NOT NULL,
  "sensor_id" uuid NOT NULL,
  PRIMARY KEY ("id"),
  CONSTRAINT "backtest_predictions_tenant_id_id_key" UNIQUE ("tenant_id", "id"),
  CONSTRAINT "backtest_predictions_assets_asset" FOREIGN KEY ("tenant_id", "asset_id") REFERENCES "assets" ("tenant_id", "id") ON UPDATE NO ACTION ON DELETE NO ACTION,
  CONSTRAINT "backtest_predictions_backtests_backtest" FOREIGN KEY ("tenant_id", "backtest_id") REFERENCES "backtests" ("tenant_id", "id") ON UPDATE NO ACTION ON DELETE NO ACTION,
  CONSTRAINT "backtest_predictions_sensors_sensor" FOREIGN KEY ("tenant_id", "sensor_id") REFERENCES "sensors" ("tenant_id", "id") ON UPDATE NO ACTION ON DELETE NO ACTION,
  CONSTRAINT "backtest_predictions_sites_site" FOREIGN KEY ("tenant_id", "site_id") REFERENCES "sites" ("tenant_id", "id") ON UPDATE NO ACTION ON DELETE NO ACTION,
  CONSTRAINT "backtest_predictions_tenant_id_fkey" FOREIGN KEY ("tenant_id") REFERENCES "tenants" ("id") ON UPDATE NO ACTION ON DELETE NO ACTION,
  CONSTRAINT "backtest_predictions_fault_code_length" CHECK (char_length(fault_code) <= 100),
  CONSTRAINT "backtest_predictions_probability" CHECK (((probability >= (0)::double precision) AND (probability <= (1)::double precision)) AND ((stored_probability >= (0)::double precision) AND (stored_probability <= (1)::double precision))),
  CONSTRAINT "backtest_predictions_stored_code_length" CHECK (char_length(stored_code) <= 100),
  CONSTRAINT "backtest_predictions_windows_sign" CHECK (windows >= 1)
);
-- create index "backtestprediction_tenant_id_backtest_id_begins_at" to table: "backtest_predictions"
CREATE INDEX "backtestprediction_tenant_id_backtest_id_begins_at" ON "backtest_predictions" ("tenant_id", "backtest_id", "begins_at");
-- who sees what of "backtests"
ALTER TABLE "backtests" ENABLE ROW LEVEL SECURITY;
ALTER TABLE "backtests" FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON "backtests" TO foresight_app USING ("tenant_id" = (SELECT nullif(current_setting('app.tenant_id', true), '')::uuid)) WITH CHECK ("tenant_id" = (SELECT nullif(current_setting('app.tenant_id', true), '')::uuid));
GRANT SELECT, INSERT, UPDATE, DELETE ON "backtests" TO foresight_app;
-- who sees what of "backtest_alarms"
ALTER TABLE "backtest_alarms" ENABLE ROW LEVEL SECURITY;
ALTER TABLE "backtest_alarms" FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON "backtest_alarms" TO foresight_app USING ("tenant_id" = (SELECT nullif(current_setting('app.tenant_id', true), '')::uuid)) WITH CHECK ("tenant_id" = (SELECT nullif(current_setting('app.tenant_id', true), '')::uuid));
GRANT SELECT, INSERT, UPDATE, DELETE ON "backtest_alarms" TO foresight_app;
-- who sees what of "backtest_predictions"
ALTER TABLE "backtest_predictions" ENABLE ROW LEVEL SECURITY;
ALTER TABLE "backtest_predictions" FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON "backtest_predictions" TO foresight_app USING ("tenant_id" = (SELECT nullif(current_setting('app.tenant_id', true), '')::uuid)) WITH CHECK ("tenant_id" = (SELECT nullif(current_setting('app.tenant_id', true), '')::uuid));
GRANT SELECT, INSERT, UPDATE, DELETE ON "backtest_predictions" TO foresight_app;
-- modify the tables of jobs: a person may end one before its time
ALTER TABLE "export_jobs" DROP CONSTRAINT "export_jobs_status_enum", ADD
CONSTRAINT "export_jobs_status_enum" CHECK (status = ANY (ARRAY['queued'::text, 'running'::text, 'succeeded'::text, 'failed'::text, 'cancelled'::text]));
ALTER TABLE "import_runs" DROP CONSTRAINT "import_runs_status_enum", ADD
CONSTRAINT "import_runs_status_enum" CHECK (status = ANY (ARRAY['queued'::text, 'running'::text, 'succeeded'::text, 'failed'::text, 'cancelled'::text]));
ALTER TABLE "training_runs" DROP CONSTRAINT "training_runs_status_enum", ADD
CONSTRAINT "training_runs_status_enum" CHECK (status = ANY (ARRAY['queued'::text, 'running'::text, 'succeeded'::text, 'failed'::text, 'cancelled'::text]));

-- +goose Down
-- reverse: modify "training_runs" table
ALTER TABLE "training_runs" DROP CONSTRAINT "training_runs_status_enum", ADD
CONSTRAINT "training_runs_status_enum" CHECK (status = ANY (ARRAY['queued'::text, 'running'::text, 'succeeded'::text, 'failed'::text]));
-- reverse: modify "import_runs" table
ALTER TABLE "import_runs" DROP CONSTRAINT "import_runs_status_enum", ADD
CONSTRAINT "import_runs_status_enum" CHECK (status = ANY (ARRAY['queued'::text, 'running'::text, 'succeeded'::text, 'failed'::text]));
-- reverse: modify "export_jobs" table
ALTER TABLE "export_jobs" DROP CONSTRAINT "export_jobs_status_enum", ADD
CONSTRAINT "export_jobs_status_enum" CHECK (status = ANY (ARRAY['queued'::text, 'running'::text, 'succeeded'::text, 'failed'::text]));
-- reverse: create index "backtestprediction_tenant_id_backtest_id_begins_at" to table: "backtest_predictions"
DROP INDEX "backtestprediction_tenant_id_backtest_id_begins_at";
-- reverse: create "backtest_predictions" table
DROP TABLE "backtest_predictions";
-- reverse: create index "backtestalarm_tenant_id_backtest_id_triggered_at" to table: "backtest_alarms"
DROP INDEX "backtestalarm_tenant_id_backtest_id_triggered_at";
-- reverse: create index "backtestalarm_tenant_id_backtest_id_rule_number_sensor_id" to table: "backtest_alarms"
DROP INDEX "backtestalarm_tenant_id_backtest_id_rule_number_sensor_id";
-- reverse: create "backtest_alarms" table
DROP TABLE "backtest_alarms";
-- reverse: create index "backtests_one_at_work" to table: "backtests"
DROP INDEX "backtests_one_at_work";
-- reverse: create index "backtest_tenant_id_model_version_id" to table: "backtests"
DROP INDEX "backtest_tenant_id_model_version_id";
-- reverse: create index "backtest_tenant_id_created_at" to table: "backtests"
DROP INDEX "backtest_tenant_id_created_at";
-- reverse: create index "backtest_tenant_id_by" to table: "backtests"
DROP INDEX "backtest_tenant_id_by";
-- reverse: create "backtests" table
DROP TABLE "backtests";
