-- +goose Up
-- create "notification_channels" table
CREATE TABLE "notification_channels" (
  "id" uuid NOT NULL,
  "tenant_id" uuid NOT NULL,
  "is_active" boolean NOT NULL DEFAULT true,
  "created_at" timestamptz NOT NULL DEFAULT now(),
  "created_by" uuid NULL,
  "updated_at" timestamptz NOT NULL DEFAULT now(),
  "updated_by" uuid NULL,
  "version" bigint NOT NULL DEFAULT 1,
  "is_deleted" boolean NOT NULL DEFAULT false,
  "deleted_at" timestamptz NULL,
  "deleted_by" uuid NULL,
  "name" text NOT NULL,
  "kind" text NOT NULL,
  "config" jsonb NOT NULL DEFAULT '{}',
  "secret_ciphertext" bytea NULL,
  PRIMARY KEY ("id"),
  CONSTRAINT "notification_channels_tenant_id_id_key" UNIQUE ("tenant_id", "id"),
  CONSTRAINT "notification_channels_tenant_id_fkey" FOREIGN KEY ("tenant_id") REFERENCES "tenants" ("id") ON UPDATE NO ACTION ON DELETE NO ACTION,
  CONSTRAINT "notification_channels_created_by_fkey" FOREIGN KEY ("tenant_id", "created_by") REFERENCES "memberships" ("tenant_id", "user_id") ON UPDATE NO ACTION ON DELETE NO ACTION,
  CONSTRAINT "notification_channels_updated_by_fkey" FOREIGN KEY ("tenant_id", "updated_by") REFERENCES "memberships" ("tenant_id", "user_id") ON UPDATE NO ACTION ON DELETE NO ACTION,
  CONSTRAINT "notification_channels_deleted_by_fkey" FOREIGN KEY ("tenant_id", "deleted_by") REFERENCES "memberships" ("tenant_id", "user_id") ON UPDATE NO ACTION ON DELETE NO ACTION,
  CONSTRAINT "notification_channels_kind_enum" CHECK (kind = ANY (ARRAY['email'::text, 'sms'::text, 'webhook'::text, 'slack'::text])),
  CONSTRAINT "notification_channels_name_length" CHECK (char_length(name) <= 200),
  CONSTRAINT "notification_channels_secret_ciphertext_length" CHECK (octet_length(secret_ciphertext) <= 8192)
);
-- create index "notificationchannel_tenant_id_name" to table: "notification_channels"
CREATE UNIQUE INDEX "notificationchannel_tenant_id_name" ON "notification_channels" ("tenant_id", "name") WHERE (NOT is_deleted);
-- create "alarm_rule_channels" table
CREATE TABLE "alarm_rule_channels" (
  "id" uuid NOT NULL,
  "tenant_id" uuid NOT NULL,
  "rule_id" uuid NOT NULL,
  "channel_id" uuid NOT NULL,
  PRIMARY KEY ("id"),
  CONSTRAINT "alarm_rule_channels_tenant_id_id_key" UNIQUE ("tenant_id", "id"),
  CONSTRAINT "alarm_rule_channels_alarm_rules_rule" FOREIGN KEY ("tenant_id", "rule_id") REFERENCES "alarm_rules" ("tenant_id", "id") ON UPDATE NO ACTION ON DELETE NO ACTION,
  CONSTRAINT "alarm_rule_channels_notification_channels_channel" FOREIGN KEY ("tenant_id", "channel_id") REFERENCES "notification_channels" ("tenant_id", "id") ON UPDATE NO ACTION ON DELETE NO ACTION,
  CONSTRAINT "alarm_rule_channels_tenant_id_fkey" FOREIGN KEY ("tenant_id") REFERENCES "tenants" ("id") ON UPDATE NO ACTION ON DELETE NO ACTION
);
-- create index "alarmrulechannel_tenant_id_channel_id" to table: "alarm_rule_channels"
CREATE INDEX "alarmrulechannel_tenant_id_channel_id" ON "alarm_rule_channels" ("tenant_id", "channel_id");
-- create index "alarmrulechannel_tenant_id_rule_id_channel_id" to table: "alarm_rule_channels"
CREATE UNIQUE INDEX "alarmrulechannel_tenant_id_rule_id_channel_id" ON "alarm_rule_channels" ("tenant_id", "rule_id", "channel_id");
-- create "alarm_shelves" table
CREATE TABLE "alarm_shelves" (
  "id" uuid NOT NULL,
  "tenant_id" uuid NOT NULL,
  "until" timestamptz NOT NULL,
  "reason" text NOT NULL,
  "by" uuid NULL,
  "at" timestamptz NOT NULL DEFAULT now(),
  "lifted_at" timestamptz NULL,
  "lifted_by" uuid NULL,
  "rule_id" uuid NULL,
  "sensor_id" uuid NULL,
  "asset_id" uuid NULL,
  PRIMARY KEY ("id"),
  CONSTRAINT "alarm_shelves_tenant_id_id_key" UNIQUE ("tenant_id", "id"),
  CONSTRAINT "alarm_shelves_alarm_rules_rule" FOREIGN KEY ("tenant_id", "rule_id") REFERENCES "alarm_rules" ("tenant_id", "id") ON UPDATE NO ACTION ON DELETE NO ACTION,
  CONSTRAINT "alarm_shelves_assets_asset" FOREIGN KEY ("tenant_id", "asset_id") REFERENCES "assets" ("tenant_id", "id") ON UPDATE NO ACTION ON DELETE NO ACTION,
  CONSTRAINT "alarm_shelves_sensors_sensor" FOREIGN KEY ("tenant_id", "sensor_id") REFERENCES "sensors" ("tenant_id", "id") ON UPDATE NO ACTION ON DELETE NO ACTION,
  CONSTRAINT "alarm_shelves_tenant_id_fkey" FOREIGN KEY ("tenant_id") REFERENCES "tenants" ("id") ON UPDATE NO ACTION ON DELETE NO ACTION,
  CONSTRAINT "alarm_shelves_by_fkey" FOREIGN KEY ("tenant_id", "by") REFERENCES "memberships" ("tenant_id", "user_id") ON UPDATE NO ACTION ON DELETE NO ACTION,
  CONSTRAINT "alarm_shelves_lifted_by_fkey" FOREIGN KEY ("tenant_id", "lifted_by") REFERENCES "memberships" ("tenant_id", "user_id") ON UPDATE NO ACTION ON DELETE NO ACTION,
  CONSTRAINT "alarm_shelves_of_something" CHECK (num_nonnulls(rule_id, sensor_id, asset_id) >= 1),
  CONSTRAINT "alarm_shelves_order" CHECK (until > at),
  CONSTRAINT "alarm_shelves_reason_length" CHECK (char_length(reason) <= 2000)
);
-- create index "alarmshelf_tenant_id_asset_id" to table: "alarm_shelves"
CREATE INDEX "alarmshelf_tenant_id_asset_id" ON "alarm_shelves" ("tenant_id", "asset_id");
-- create index "alarmshelf_tenant_id_rule_id" to table: "alarm_shelves"
CREATE INDEX "alarmshelf_tenant_id_rule_id" ON "alarm_shelves" ("tenant_id", "rule_id");
-- create index "alarmshelf_tenant_id_sensor_id" to table: "alarm_shelves"
CREATE INDEX "alarmshelf_tenant_id_sensor_id" ON "alarm_shelves" ("tenant_id", "sensor_id");
-- create index "alarmshelf_tenant_id_until" to table: "alarm_shelves"
CREATE INDEX "alarmshelf_tenant_id_until" ON "alarm_shelves" ("tenant_id", "until");
-- create "api_keys" table
CREATE TABLE "api_keys" (
  "id" uuid NOT NULL,
  "tenant_id" uuid NOT NULL,
  "is_active" boolean NOT NULL DEFAULT true,
  "created_at" timestamptz NOT NULL DEFAULT now(),
  "created_by" uuid NULL,
  "updated_at" timestamptz NOT NULL DEFAULT now(),
  "updated_by" uuid NULL,
  "version" bigint NOT NULL DEFAULT 1,
  "name" text NOT NULL,
  "prefix" text NOT NULL,
  "key_hash" bytea NOT NULL,
  "scopes" jsonb NOT NULL DEFAULT '[]',
  "expires_at" timestamptz NULL,
  "last_used_at" timestamptz NULL,
  PRIMARY KEY ("id"),
  CONSTRAINT "api_keys_tenant_id_id_key" UNIQUE ("tenant_id", "id"),
  CONSTRAINT "api_keys_tenant_id_fkey" FOREIGN KEY ("tenant_id") REFERENCES "tenants" ("id") ON UPDATE NO ACTION ON DELETE NO ACTION,
  CONSTRAINT "api_keys_created_by_fkey" FOREIGN KEY ("tenant_id", "created_by") REFERENCES "memberships" ("tenant_id", "user_id") ON UPDATE NO ACTION ON DELETE NO ACTION,
  CONSTRAINT "api_keys_updated_by_fkey" FOREIGN KEY ("tenant_id", "updated_by") REFERENCES "memberships" ("tenant_id", "user_id") ON UPDATE NO ACTION ON DELETE NO ACTION,
  CONSTRAINT "api_keys_key_hash_length" CHECK (octet_length(key_hash) <= 64),
  CONSTRAINT "api_keys_name_length" CHECK (char_length(name) <= 200),
  CONSTRAINT "api_keys_prefix_length" CHECK (char_length(prefix) <= 32)
);
-- create index "api_keys_prefix_key" to table: "api_keys"
CREATE UNIQUE INDEX "api_keys_prefix_key" ON "api_keys" ("prefix");
-- create index "apikey_tenant_id_name" to table: "api_keys"
CREATE INDEX "apikey_tenant_id_name" ON "api_keys" ("tenant_id", "name");
-- create "asset_features" table
CREATE TABLE "asset_features" (
  "id" uuid NOT NULL,
  "tenant_id" uuid NOT NULL,
  "day" date NOT NULL,
  "features" jsonb NOT NULL DEFAULT '{}',
  "feature_schema_hash" text NOT NULL,
  "calculated_at" timestamptz NOT NULL DEFAULT now(),
  "asset_id" uuid NOT NULL,
  PRIMARY KEY ("id"),
  CONSTRAINT "asset_features_tenant_id_id_key" UNIQUE ("tenant_id", "id"),
  CONSTRAINT "asset_features_assets_asset" FOREIGN KEY ("tenant_id", "asset_id") REFERENCES "assets" ("tenant_id", "id") ON UPDATE NO ACTION ON DELETE NO ACTION,
  CONSTRAINT "asset_features_tenant_id_fkey" FOREIGN KEY ("tenant_id") REFERENCES "tenants" ("id") ON UPDATE NO ACTION ON DELETE NO ACTION,
  CONSTRAINT "asset_features_feature_schema_hash_length" CHECK (char_length(feature_schema_hash) <= 64)
);
-- create index "assetfeatures_tenant_id_asset_id_day_feature_schema_hash" to table: "asset_features"
CREATE UNIQUE INDEX "assetfeatures_tenant_id_asset_id_day_feature_schema_hash" ON "asset_features" ("tenant_id", "asset_id", "day", "feature_schema_hash");
-- create index "assetfeatures_tenant_id_day" to table: "asset_features"
CREATE INDEX "assetfeatures_tenant_id_day" ON "asset_features" ("tenant_id", "day");
-- create "asset_health" table
CREATE TABLE "asset_health" (
  "id" uuid NOT NULL,
  "tenant_id" uuid NOT NULL,
  "health_score" double precision NOT NULL,
  "health_status" text NOT NULL,
  "method" text NOT NULL,
  "inputs" jsonb NOT NULL DEFAULT '{}',
  "calculated_at" timestamptz NOT NULL DEFAULT now(),
  "site_id" uuid NOT NULL,
  "asset_id" uuid NOT NULL,
  PRIMARY KEY ("id"),
  CONSTRAINT "asset_health_tenant_id_id_key" UNIQUE ("tenant_id", "id"),
  CONSTRAINT "asset_health_assets_asset" FOREIGN KEY ("tenant_id", "asset_id") REFERENCES "assets" ("tenant_id", "id") ON UPDATE NO ACTION ON DELETE NO ACTION,
  CONSTRAINT "asset_health_sites_site" FOREIGN KEY ("tenant_id", "site_id") REFERENCES "sites" ("tenant_id", "id") ON UPDATE NO ACTION ON DELETE NO ACTION,
  CONSTRAINT "asset_health_tenant_id_fkey" FOREIGN KEY ("tenant_id") REFERENCES "tenants" ("id") ON UPDATE NO ACTION ON DELETE NO ACTION,
  CONSTRAINT "asset_health_health_status_enum" CHECK (health_status = ANY (ARRAY['healthy'::text, 'warning'::text, 'critical'::text])),
  CONSTRAINT "asset_health_method_length" CHECK (char_length(method) <= 100),
  CONSTRAINT "asset_health_score" CHECK ((health_score >= (0)::double precision) AND (health_score <= (100)::double precision))
);
-- create index "assethealth_tenant_id_asset_id_calculated_at" to table: "asset_health"
CREATE INDEX "assethealth_tenant_id_asset_id_calculated_at" ON "asset_health" ("tenant_id", "asset_id", "calculated_at" DESC);
-- create index "assethealth_tenant_id_site_id_calculated_at" to table: "asset_health"
CREATE INDEX "assethealth_tenant_id_site_id_calculated_at" ON "asset_health" ("tenant_id", "site_id", "calculated_at" DESC);
-- create "training_runs" table
CREATE TABLE "training_runs" (
  "id" uuid NOT NULL,
  "tenant_id" uuid NOT NULL,
  "is_active" boolean NOT NULL DEFAULT true,
  "created_at" timestamptz NOT NULL DEFAULT now(),
  "created_by" uuid NULL,
  "updated_at" timestamptz NOT NULL DEFAULT now(),
  "updated_by" uuid NULL,
  "version" bigint NOT NULL DEFAULT 1,
  "status" text NOT NULL DEFAULT 'queued',
  "parameters" jsonb NOT NULL DEFAULT '{}',
  "dataset_hash" text NULL,
  "rows" bigint NOT NULL DEFAULT 0,
  "feedback_rows" bigint NOT NULL DEFAULT 0,
  "metrics" jsonb NOT NULL DEFAULT '{}',
  "confusion_matrix" jsonb NULL,
  "feature_importance" jsonb NULL,
  "log_path" text NULL,
  "started_at" timestamptz NULL,
  "ended_at" timestamptz NULL,
  "error" text NULL,
  "model_id" uuid NOT NULL,
  PRIMARY KEY ("id"),
  CONSTRAINT "training_runs_tenant_id_id_key" UNIQUE ("tenant_id", "id"),
  CONSTRAINT "training_runs_ml_models_model" FOREIGN KEY ("tenant_id", "model_id") REFERENCES "ml_models" ("tenant_id", "id") ON UPDATE NO ACTION ON DELETE NO ACTION,
  CONSTRAINT "training_runs_tenant_id_fkey" FOREIGN KEY ("tenant_id") REFERENCES "tenants" ("id") ON UPDATE NO ACTION ON DELETE NO ACTION,
  CONSTRAINT "training_runs_created_by_fkey" FOREIGN KEY ("tenant_id", "created_by") REFERENCES "memberships" ("tenant_id", "user_id") ON UPDATE NO ACTION ON DELETE NO ACTION,
  CONSTRAINT "training_runs_updated_by_fkey" FOREIGN KEY ("tenant_id", "updated_by") REFERENCES "memberships" ("tenant_id", "user_id") ON UPDATE NO ACTION ON DELETE NO ACTION,
  CONSTRAINT "training_runs_dataset_hash_length" CHECK (char_length(dataset_hash) <= 64),
  CONSTRAINT "training_runs_error_length" CHECK (char_length(error) <= 2000),
  CONSTRAINT "training_runs_log_path_length" CHECK (char_length(log_path) <= 500),
  CONSTRAINT "training_runs_order" CHECK (ended_at >= started_at),
  CONSTRAINT "training_runs_rows_sign" CHECK ((rows >= 0) AND (feedback_rows >= 0)),
  CONSTRAINT "training_runs_status_enum" CHECK (status = ANY (ARRAY['queued'::text, 'running'::text, 'succeeded'::text, 'failed'::text]))
);
-- create index "training_runs_one_at_work" to table: "training_runs"
CREATE UNIQUE INDEX "training_runs_one_at_work" ON "training_runs" ("tenant_id", "model_id") WHERE (status = ANY (ARRAY['queued'::text, 'running'::text]));
-- create index "trainingrun_tenant_id_model_id_created_at" to table: "training_runs"
CREATE INDEX "trainingrun_tenant_id_model_id_created_at" ON "training_runs" ("tenant_id", "model_id", "created_at" DESC);
-- modify "ml_model_versions" table
ALTER TABLE "ml_model_versions" ADD
CONSTRAINT "ml_model_versions_training_runs_training_run" FOREIGN KEY ("tenant_id", "training_run_id") REFERENCES "training_runs" ("tenant_id", "id") ON UPDATE NO ACTION ON DELETE NO ACTION;
-- create "asset_model_versions" table
CREATE TABLE "asset_model_versions" (
  "id" uuid NOT NULL,
  "tenant_id" uuid NOT NULL,
  "stage" text NOT NULL DEFAULT 'production',
  "traffic_percent" bigint NOT NULL DEFAULT 100,
  "deployment_start" timestamptz NOT NULL DEFAULT now(),
  "deployment_end" timestamptz NULL,
  "is_active" boolean NOT NULL DEFAULT true,
  "deployed_by" uuid NULL,
  "asset_id" uuid NOT NULL,
  "model_id" uuid NOT NULL,
  "model_version_id" uuid NOT NULL,
  PRIMARY KEY ("id"),
  CONSTRAINT "asset_model_versions_tenant_id_id_key" UNIQUE ("tenant_id", "id"),
  CONSTRAINT "asset_model_versions_assets_asset" FOREIGN KEY ("tenant_id", "asset_id") REFERENCES "assets" ("tenant_id", "id") ON UPDATE NO ACTION ON DELETE NO ACTION,
  CONSTRAINT "asset_model_versions_ml_model_versions_model_version" FOREIGN KEY ("tenant_id", "model_version_id") REFERENCES "ml_model_versions" ("tenant_id", "id") ON UPDATE NO ACTION ON DELETE NO ACTION,
  CONSTRAINT "asset_model_versions_ml_models_model" FOREIGN KEY ("tenant_id", "model_id") REFERENCES "ml_models" ("tenant_id", "id") ON UPDATE NO ACTION ON DELETE NO ACTION,
  CONSTRAINT "asset_model_versions_tenant_id_fkey" FOREIGN KEY ("tenant_id") REFERENCES "tenants" ("id") ON UPDATE NO ACTION ON DELETE NO ACTION,
  CONSTRAINT "asset_model_versions_deployed_by_fkey" FOREIGN KEY ("tenant_id", "deployed_by") REFERENCES "memberships" ("tenant_id", "user_id") ON UPDATE NO ACTION ON DELETE NO ACTION,
  CONSTRAINT "asset_model_versions_ended" CHECK (NOT (is_active AND (deployment_end IS NOT NULL))),
  CONSTRAINT "asset_model_versions_order" CHECK (deployment_end >= deployment_start),
  CONSTRAINT "asset_model_versions_stage_enum" CHECK (stage = ANY (ARRAY['production'::text, 'canary'::text, 'shadow'::text])),
  CONSTRAINT "asset_model_versions_traffic" CHECK ((traffic_percent >= 0) AND (traffic_percent <= 100))
);
-- create index "asset_model_versions_one_in_production" to table: "asset_model_versions"
CREATE UNIQUE INDEX "asset_model_versions_one_in_production" ON "asset_model_versions" ("tenant_id", "asset_id", "model_id") WHERE (is_active AND (stage = 'production'::text));
-- create index "assetmodelversion_tenant_id_asset_id_deployment_start" to table: "asset_model_versions"
CREATE INDEX "assetmodelversion_tenant_id_asset_id_deployment_start" ON "asset_model_versions" ("tenant_id", "asset_id", "deployment_start" DESC);
-- create index "assetmodelversion_tenant_id_model_version_id" to table: "asset_model_versions"
CREATE INDEX "assetmodelversion_tenant_id_model_version_id" ON "asset_model_versions" ("tenant_id", "model_version_id");
-- create "audit_logs" table
CREATE TABLE "audit_logs" (
  "id" uuid NOT NULL,
  "tenant_id" uuid NOT NULL,
  "actor_kind" text NOT NULL,
  "actor_id" uuid NULL,
  "action" text NOT NULL,
  "entity" text NOT NULL,
  "entity_id" uuid NULL,
  "changes" jsonb NOT NULL DEFAULT '{}',
  "ip" text NULL,
  "request_id" text NULL,
  "at" timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY ("id"),
  CONSTRAINT "audit_logs_tenant_id_id_key" UNIQUE ("tenant_id", "id"),
  CONSTRAINT "audit_logs_tenant_id_fkey" FOREIGN KEY ("tenant_id") REFERENCES "tenants" ("id") ON UPDATE NO ACTION ON DELETE NO ACTION,
  CONSTRAINT "audit_logs_action_length" CHECK (char_length(action) <= 100),
  CONSTRAINT "audit_logs_actor_kind_enum" CHECK (actor_kind = ANY (ARRAY['user'::text, 'client'::text, 'key'::text, 'device'::text, 'system'::text])),
  CONSTRAINT "audit_logs_entity_length" CHECK (char_length(entity) <= 100),
  CONSTRAINT "audit_logs_ip_length" CHECK (char_length(ip) <= 45),
  CONSTRAINT "audit_logs_request_id_length" CHECK (char_length(request_id) <= 64)
);
-- create index "auditlog_tenant_id_actor_id_at" to table: "audit_logs"
CREATE INDEX "auditlog_tenant_id_actor_id_at" ON "audit_logs" ("tenant_id", "actor_id", "at" DESC);
-- create index "auditlog_tenant_id_at" to table: "audit_logs"
CREATE INDEX "auditlog_tenant_id_at" ON "audit_logs" ("tenant_id", "at" DESC);
-- create index "auditlog_tenant_id_entity_entity_id_at" to table: "audit_logs"
CREATE INDEX "auditlog_tenant_id_entity_entity_id_at" ON "audit_logs" ("tenant_id", "entity", "entity_id", "at" DESC);
-- create "connectors" table
CREATE TABLE "connectors" (
  "id" uuid NOT NULL,
  "tenant_id" uuid NOT NULL,
  "is_active" boolean NOT NULL DEFAULT true,
  "created_at" timestamptz NOT NULL DEFAULT now(),
  "created_by" uuid NULL,
  "updated_at" timestamptz NOT NULL DEFAULT now(),
  "updated_by" uuid NULL,
  "version" bigint NOT NULL DEFAULT 1,
  "is_deleted" boolean NOT NULL DEFAULT false,
  "deleted_at" timestamptz NULL,
  "deleted_by" uuid NULL,
  "name" text NOT NULL,
  "kind" text NOT NULL,
  "config" jsonb NOT NULL DEFAULT '{}',
  "secret_ciphertext" bytea NULL,
  "schedule" text NULL,
  "cursor" text NULL,
  "status" text NOT NULL DEFAULT 'idle',
  PRIMARY KEY ("id"),
  CONSTRAINT "connectors_tenant_id_id_key" UNIQUE ("tenant_id", "id"),
  CONSTRAINT "connectors_tenant_id_fkey" FOREIGN KEY ("tenant_id") REFERENCES "tenants" ("id") ON UPDATE NO ACTION ON DELETE NO ACTION,
  CONSTRAINT "connectors_created_by_fkey" FOREIGN KEY ("tenant_id", "created_by") REFERENCES "memberships" ("tenant_id", "user_id") ON UPDATE NO ACTION ON DELETE NO ACTION,
  CONSTRAINT "connectors_updated_by_fkey" FOREIGN KEY ("tenant_id", "updated_by") REFERENCES "memberships" ("tenant_id", "user_id") ON UPDATE NO ACTION ON DELETE NO ACTION,
  CONSTRAINT "connectors_deleted_by_fkey" FOREIGN KEY ("tenant_id", "deleted_by") REFERENCES "memberships" ("tenant_id", "user_id") ON UPDATE NO ACTION ON DELETE NO ACTION,
  CONSTRAINT "connectors_cursor_length" CHECK (char_length(cursor) <= 2000),
  CONSTRAINT "connectors_kind_enum" CHECK (kind = ANY (ARRAY['sap_pm'::text, 'asset_suite'::text, 'maximo'::text, 'csv'::text, 'mqtt'::text])),
  CONSTRAINT "connectors_name_length" CHECK (char_length(name) <= 200),
  CONSTRAINT "connectors_schedule_length" CHECK (char_length(schedule) <= 100),
  CONSTRAINT "connectors_secret_ciphertext_length" CHECK (octet_length(secret_ciphertext) <= 8192),
  CONSTRAINT "connectors_status_enum" CHECK (status = ANY (ARRAY['idle'::text, 'running'::text, 'ok'::text, 'failed'::text]))
);
-- create index "connector_tenant_id_name" to table: "connectors"
CREATE UNIQUE INDEX "connector_tenant_id_name" ON "connectors" ("tenant_id", "name") WHERE (NOT is_deleted);
-- create "conversations" table
CREATE TABLE "conversations" (
  "id" uuid NOT NULL,
  "tenant_id" uuid NOT NULL,
  "is_active" boolean NOT NULL DEFAULT true,
  "created_at" timestamptz NOT NULL DEFAULT now(),
  "created_by" uuid NULL,
  "updated_at" timestamptz NOT NULL DEFAULT now(),
  "updated_by" uuid NULL,
  "version" bigint NOT NULL DEFAULT 1,
  "user_id" uuid NOT NULL,
  "title" text NOT NULL DEFAULT '',
  "asset_id" uuid NULL,
  PRIMARY KEY ("id"),
  CONSTRAINT "conversations_tenant_id_id_key" UNIQUE ("tenant_id", "id"),
  CONSTRAINT "conversations_assets_asset" FOREIGN KEY ("tenant_id", "asset_id") REFERENCES "assets" ("tenant_id", "id") ON UPDATE NO ACTION ON DELETE NO ACTION,
  CONSTRAINT "conversations_tenant_id_fkey" FOREIGN KEY ("tenant_id") REFERENCES "tenants" ("id") ON UPDATE NO ACTION ON DELETE NO ACTION,
  CONSTRAINT "conversations_created_by_fkey" FOREIGN KEY ("tenant_id", "created_by") REFERENCES "memberships" ("tenant_id", "user_id") ON UPDATE NO ACTION ON DELETE NO ACTION,
  CONSTRAINT "conversations_updated_by_fkey" FOREIGN KEY ("tenant_id", "updated_by") REFERENCES "memberships" ("tenant_id", "user_id") ON UPDATE NO ACTION ON DELETE NO ACTION,
  CONSTRAINT "conversations_user_id_fkey" FOREIGN KEY ("tenant_id", "user_id") REFERENCES "memberships" ("tenant_id", "user_id") ON UPDATE NO ACTION ON DELETE NO ACTION,
  CONSTRAINT "conversations_title_length" CHECK (char_length(title) <= 200)
);
-- create index "conversation_tenant_id_asset_id" to table: "conversations"
CREATE INDEX "conversation_tenant_id_asset_id" ON "conversations" ("tenant_id", "asset_id");
-- create index "conversation_tenant_id_user_id_updated_at" to table: "conversations"
CREATE INDEX "conversation_tenant_id_user_id_updated_at" ON "conversations" ("tenant_id", "user_id", "updated_at" DESC);
-- create "drift_reports" table
CREATE TABLE "drift_reports" (
  "id" uuid NOT NULL,
  "tenant_id" uuid NOT NULL,
  "window_start" timestamptz NOT NULL,
  "window_end" timestamptz NOT NULL,
  "samples" bigint NOT NULL DEFAULT 0,
  "psi" jsonb NOT NULL DEFAULT '{}',
  "label_shift" double precision NOT NULL DEFAULT 0,
  "verdict" text NOT NULL,
  "created_at" timestamptz NOT NULL DEFAULT now(),
  "model_version_id" uuid NOT NULL,
  PRIMARY KEY ("id"),
  CONSTRAINT "drift_reports_tenant_id_id_key" UNIQUE ("tenant_id", "id"),
  CONSTRAINT "drift_reports_ml_model_versions_model_version" FOREIGN KEY ("tenant_id", "model_version_id") REFERENCES "ml_model_versions" ("tenant_id", "id") ON UPDATE NO ACTION ON DELETE NO ACTION,
  CONSTRAINT "drift_reports_tenant_id_fkey" FOREIGN KEY ("tenant_id") REFERENCES "tenants" ("id") ON UPDATE NO ACTION ON DELETE NO ACTION,
  CONSTRAINT "drift_reports_label_shift" CHECK (label_shift >= (0)::double precision),
  CONSTRAINT "drift_reports_order" CHECK (window_end > window_start),
  CONSTRAINT "drift_reports_samples_sign" CHECK (samples >= 0),
  CONSTRAINT "drift_reports_verdict_enum" CHECK (verdict = ANY (ARRAY['stable'::text, 'moderate'::text, 'severe'::text]))
);
-- create index "driftreport_tenant_id_model_version_id_created_at" to table: "drift_reports"
CREATE INDEX "driftreport_tenant_id_model_version_id_created_at" ON "drift_reports" ("tenant_id", "model_version_id", "created_at" DESC);
-- create "export_jobs" table
CREATE TABLE "export_jobs" (
  "id" uuid NOT NULL,
  "tenant_id" uuid NOT NULL,
  "kind" text NOT NULL,
  "filter" jsonb NOT NULL DEFAULT '{}',
  "format" text NOT NULL,
  "status" text NOT NULL DEFAULT 'queued',
  "rows" bigint NULL,
  "path" text NULL,
  "error" text NULL,
  "by" uuid NULL,
  "created_at" timestamptz NOT NULL DEFAULT now(),
  "finished_at" timestamptz NULL,
  PRIMARY KEY ("id"),
  CONSTRAINT "export_jobs_tenant_id_id_key" UNIQUE ("tenant_id", "id"),
  CONSTRAINT "export_jobs_tenant_id_fkey" FOREIGN KEY ("tenant_id") REFERENCES "tenants" ("id") ON UPDATE NO ACTION ON DELETE NO ACTION,
  CONSTRAINT "export_jobs_by_fkey" FOREIGN KEY ("tenant_id", "by") REFERENCES "memberships" ("tenant_id", "user_id") ON UPDATE NO ACTION ON DELETE NO ACTION,
  CONSTRAINT "export_jobs_error_length" CHECK (char_length(error) <= 2000),
  CONSTRAINT "export_jobs_format_enum" CHECK (format = ANY (ARRAY['csv'::text, 'ndjson'::text, 'xlsx'::text, 'pdf'::text])),
  CONSTRAINT "export_jobs_kind_length" CHECK (char_length(kind) <= 100),
  CONSTRAINT "export_jobs_path_length" CHECK (char_length(path) <= 500),
  CONSTRAINT "export_jobs_status_enum" CHECK (status = ANY (ARRAY['queued'::text, 'running'::text, 'succeeded'::text, 'failed'::text]))
);
-- create index "exportjob_tenant_id_by" to table: "export_jobs"
CREATE INDEX "exportjob_tenant_id_by" ON "export_jobs" ("tenant_id", "by");
-- create index "exportjob_tenant_id_created_at" to table: "export_jobs"
CREATE INDEX "exportjob_tenant_id_created_at" ON "export_jobs" ("tenant_id", "created_at" DESC);
-- create "failure_predictions" table
CREATE TABLE "failure_predictions" (
  "id" uuid NOT NULL,
  "tenant_id" uuid NOT NULL,
  "predicted_at" timestamptz NOT NULL DEFAULT now(),
  "failure_prob_7d" double precision NOT NULL,
  "failure_prob_30d" double precision NOT NULL,
  "confidence_lower_7d" double precision NOT NULL,
  "confidence_upper_7d" double precision NOT NULL,
  "confidence_lower_30d" double precision NOT NULL,
  "confidence_upper_30d" double precision NOT NULL,
  "health_score" double precision NOT NULL,
  "risk_level" text NOT NULL,
  "top_features" jsonb NOT NULL DEFAULT '[]',
  "asset_id" uuid NOT NULL,
  "model_version_id" uuid NOT NULL,
  PRIMARY KEY ("id"),
  CONSTRAINT "failure_predictions_tenant_id_id_key" UNIQUE ("tenant_id", "id"),
  CONSTRAINT "failure_predictions_assets_asset" FOREIGN KEY ("tenant_id", "asset_id") REFERENCES "assets" ("tenant_id", "id") ON UPDATE NO ACTION ON DELETE NO ACTION,
  CONSTRAINT "failure_predictions_ml_model_versions_model_version" FOREIGN KEY ("tenant_id", "model_version_id") REFERENCES "ml_model_versions" ("tenant_id", "id") ON UPDATE NO ACTION ON DELETE NO ACTION,
  CONSTRAINT "failure_predictions_tenant_id_fkey" FOREIGN KEY ("tenant_id") REFERENCES "tenants" ("id") ON UPDATE NO ACTION ON DELETE NO ACTION,
  CONSTRAINT "failure_predictions_30d" CHECK (((0)::double precision <= confidence_lower_30d) AND (confidence_lower_30d <= failure_prob_30d) AND (failure_prob_30d <= confidence_upper_30d) AND (confidence_upper_30d <= (1)::double precision)),
  CONSTRAINT "failure_predictions_7d" CHECK (((0)::double precision <= confidence_lower_7d) AND (confidence_lower_7d <= failure_prob_7d) AND (failure_prob_7d <= confidence_upper_7d) AND (confidence_upper_7d <= (1)::double precision)),
  CONSTRAINT "failure_predictions_health_score" CHECK ((health_score >= (0)::double precision) AND (health_score <= (100)::double precision)),
  CONSTRAINT "failure_predictions_risk_level_enum" CHECK (risk_level = ANY (ARRAY['low'::text, 'medium'::text, 'high'::text, 'critical'::text]))
);
-- create index "failureprediction_tenant_id_asset_id_predicted_at" to table: "failure_predictions"
CREATE INDEX "failureprediction_tenant_id_asset_id_predicted_at" ON "failure_predictions" ("tenant_id", "asset_id", "predicted_at" DESC);
-- create index "failureprediction_tenant_id_model_version_id_predicted_at" to table: "failure_predictions"
CREATE INDEX "failureprediction_tenant_id_model_version_id_predicted_at" ON "failure_predictions" ("tenant_id", "model_version_id", "predicted_at" DESC);
-- create index "failureprediction_tenant_id_predicted_at" to table: "failure_predictions"
CREATE INDEX "failureprediction_tenant_id_predicted_at" ON "failure_predictions" ("tenant_id", "predicted_at" DESC);
-- create "fault_actions" table
CREATE TABLE "fault_actions" (
  "id" uuid NOT NULL,
  "tenant_id" uuid NOT NULL,
  "user_id" uuid NOT NULL,
  "type" text NOT NULL,
  "enabled" boolean NOT NULL DEFAULT true,
  "config" jsonb NOT NULL DEFAULT '{}',
  "secret_ciphertext" bytea NULL,
  "created_at" timestamptz NOT NULL DEFAULT now(),
  "updated_at" timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY ("id"),
  CONSTRAINT "fault_actions_tenant_id_id_key" UNIQUE ("tenant_id", "id"),
  CONSTRAINT "fault_actions_tenant_id_fkey" FOREIGN KEY ("tenant_id") REFERENCES "tenants" ("id") ON UPDATE NO ACTION ON DELETE NO ACTION,
  CONSTRAINT "fault_actions_user_id_fkey" FOREIGN KEY ("tenant_id", "user_id") REFERENCES "memberships" ("tenant_id", "user_id") ON UPDATE NO ACTION ON DELETE NO ACTION,
  CONSTRAINT "fault_actions_secret_ciphertext_length" CHECK (octet_length(secret_ciphertext) <= 8192),
  CONSTRAINT "fault_actions_type_enum" CHECK (type = ANY (ARRAY['email'::text, 'sms'::text, 'webhook'::text, 'slack'::text]))
);
-- create index "faultaction_tenant_id_user_id" to table: "fault_actions"
CREATE INDEX "faultaction_tenant_id_user_id" ON "fault_actions" ("tenant_id", "user_id");
-- create "feedback" table
CREATE TABLE "feedback" (
  "id" uuid NOT NULL,
  "tenant_id" uuid NOT NULL,
  "prediction_id" uuid NULL,
  "features" jsonb NULL,
  "predicted_label" text NOT NULL,
  "probability" double precision NOT NULL,
  "new_label" text NOT NULL,
  "correction" text NULL,
  "feedback_type" text NOT NULL,
  "validation_data" jsonb NULL,
  "by" uuid NULL,
  "at" timestamptz NOT NULL DEFAULT now(),
  "site_id" uuid NULL,
  "asset_id" uuid NULL,
  "sensor_id" uuid NULL,
  "model_version_id" uuid NOT NULL,
  PRIMARY KEY ("id"),
  CONSTRAINT "feedback_tenant_id_id_key" UNIQUE ("tenant_id", "id"),
  CONSTRAINT "feedback_assets_asset" FOREIGN KEY ("tenant_id", "asset_id") REFERENCES "assets" ("tenant_id", "id") ON UPDATE NO ACTION ON DELETE NO ACTION,
  CONSTRAINT "feedback_ml_model_versions_model_version" FOREIGN KEY ("tenant_id", "model_version_id") REFERENCES "ml_model_versions" ("tenant_id", "id") ON UPDATE NO ACTION ON DELETE NO ACTION,
  CONSTRAINT "feedback_sensors_sensor" FOREIGN KEY ("tenant_id", "sensor_id") REFERENCES "sensors" ("tenant_id", "id") ON UPDATE NO ACTION ON DELETE NO ACTION,
  CONSTRAINT "feedback_sites_site" FOREIGN KEY ("tenant_id", "site_id") REFERENCES "sites" ("tenant_id", "id") ON UPDATE NO ACTION ON DELETE NO ACTION,
  CONSTRAINT "feedback_tenant_id_fkey" FOREIGN KEY ("tenant_id") REFERENCES "tenants" ("id") ON UPDATE NO ACTION ON DELETE NO ACTION,
  CONSTRAINT "feedback_by_fkey" FOREIGN KEY ("tenant_id", "by") REFERENCES "memberships" ("tenant_id", "user_id") ON UPDATE NO ACTION ON DELETE NO ACTION,
  CONSTRAINT "feedback_correction_length" CHECK (char_length(correction) <= 2000),
  CONSTRAINT "feedback_feedback_type_enum" CHECK (feedback_type = ANY (ARRAY['correction'::text, 'new_fault'::text, 'false_positive'::text, 'correct'::text])),
  CONSTRAINT "feedback_new_label_length" CHECK (char_length(new_label) <= 100),
  CONSTRAINT "feedback_placed" CHECK ((site_id IS NOT NULL) OR ((asset_id IS NULL) AND (sensor_id IS NULL))),
  CONSTRAINT "feedback_predicted_label_length" CHECK (char_length(predicted_label) <= 100),
  CONSTRAINT "feedback_probability" CHECK ((probability >= (0)::double precision) AND (probability <= (1)::double precision))
);
-- create index "feedback_tenant_id_asset_id_at" to table: "feedback"
CREATE INDEX "feedback_tenant_id_asset_id_at" ON "feedback" ("tenant_id", "asset_id", "at" DESC);
-- create index "feedback_tenant_id_at" to table: "feedback"
CREATE INDEX "feedback_tenant_id_at" ON "feedback" ("tenant_id", "at" DESC);
-- create index "feedback_tenant_id_model_version_id_at" to table: "feedback"
CREATE INDEX "feedback_tenant_id_model_version_id_at" ON "feedback" ("tenant_id", "model_version_id", "at" DESC);
-- create index "feedback_tenant_id_prediction_id" to table: "feedback"
CREATE INDEX "feedback_tenant_id_prediction_id" ON "feedback" ("tenant_id", "prediction_id");
-- create "idempotency_keys" table
CREATE TABLE "idempotency_keys" (
  "id" uuid NOT NULL,
  "tenant_id" uuid NOT NULL,
  "actor_id" uuid NOT NULL,
  "key" text NOT NULL,
  "operation" text NOT NULL,
  "request_hash" bytea NOT NULL,
  "result" jsonb NULL,
  "created_at" timestamptz NOT NULL DEFAULT now(),
  "expires_at" timestamptz NOT NULL,
  PRIMARY KEY ("id"),
  CONSTRAINT "idempotency_keys_tenant_id_id_key" UNIQUE ("tenant_id", "id"),
  CONSTRAINT "idempotency_keys_tenant_id_fkey" FOREIGN KEY ("tenant_id") REFERENCES "tenants" ("id") ON UPDATE NO ACTION ON DELETE NO ACTION,
  CONSTRAINT "idempotency_keys_key_length" CHECK (char_length(key) <= 255),
  CONSTRAINT "idempotency_keys_operation_length" CHECK (char_length(operation) <= 100),
  CONSTRAINT "idempotency_keys_request_hash_length" CHECK (octet_length(request_hash) <= 64)
);
-- create index "idempotencykey_expires_at" to table: "idempotency_keys"
CREATE INDEX "idempotencykey_expires_at" ON "idempotency_keys" ("expires_at");
-- create index "idempotencykey_tenant_id_actor_id_key" to table: "idempotency_keys"
CREATE UNIQUE INDEX "idempotencykey_tenant_id_actor_id_key" ON "idempotency_keys" ("tenant_id", "actor_id", "key");
-- create "import_runs" table
CREATE TABLE "import_runs" (
  "id" uuid NOT NULL,
  "tenant_id" uuid NOT NULL,
  "status" text NOT NULL DEFAULT 'running',
  "started_at" timestamptz NOT NULL DEFAULT now(),
  "ended_at" timestamptz NULL,
  "read_count" bigint NOT NULL DEFAULT 0,
  "created_count" bigint NOT NULL DEFAULT 0,
  "updated_count" bigint NOT NULL DEFAULT 0,
  "rejected_count" bigint NOT NULL DEFAULT 0,
  "rejects" jsonb NOT NULL DEFAULT '[]',
  "error" text NULL,
  "by" uuid NULL,
  "connector_id" uuid NOT NULL,
  PRIMARY KEY ("id"),
  CONSTRAINT "import_runs_tenant_id_id_key" UNIQUE ("tenant_id", "id"),
  CONSTRAINT "import_runs_connectors_connector" FOREIGN KEY ("tenant_id", "connector_id") REFERENCES "connectors" ("tenant_id", "id") ON UPDATE NO ACTION ON DELETE NO ACTION,
  CONSTRAINT "import_runs_tenant_id_fkey" FOREIGN KEY ("tenant_id") REFERENCES "tenants" ("id") ON UPDATE NO ACTION ON DELETE NO ACTION,
  CONSTRAINT "import_runs_by_fkey" FOREIGN KEY ("tenant_id", "by") REFERENCES "memberships" ("tenant_id", "user_id") ON UPDATE NO ACTION ON DELETE NO ACTION,
  CONSTRAINT "import_runs_counts_sign" CHECK ((read_count >= 0) AND (created_count >= 0) AND (updated_count >= 0) AND (rejected_count >= 0)),
  CONSTRAINT "import_runs_error_length" CHECK (char_length(error) <= 2000),
  CONSTRAINT "import_runs_order" CHECK (ended_at >= started_at),
  CONSTRAINT "import_runs_status_enum" CHECK (status = ANY (ARRAY['queued'::text, 'running'::text, 'succeeded'::text, 'failed'::text]))
);
-- create index "importrun_tenant_id_connector_id_started_at" to table: "import_runs"
CREATE INDEX "importrun_tenant_id_connector_id_started_at" ON "import_runs" ("tenant_id", "connector_id", "started_at" DESC);
-- create "invites" table
CREATE TABLE "invites" (
  "id" uuid NOT NULL,
  "tenant_id" uuid NOT NULL,
  "is_active" boolean NOT NULL DEFAULT true,
  "created_at" timestamptz NOT NULL DEFAULT now(),
  "created_by" uuid NULL,
  "updated_at" timestamptz NOT NULL DEFAULT now(),
  "updated_by" uuid NULL,
  "version" bigint NOT NULL DEFAULT 1,
  "email" text NOT NULL,
  "role" text NOT NULL DEFAULT 'viewer',
  "token_hash" bytea NOT NULL,
  "expires_at" timestamptz NOT NULL,
  "accepted_at" timestamptz NULL,
  PRIMARY KEY ("id"),
  CONSTRAINT "invites_tenant_id_id_key" UNIQUE ("tenant_id", "id"),
  CONSTRAINT "invites_tenant_id_fkey" FOREIGN KEY ("tenant_id") REFERENCES "tenants" ("id") ON UPDATE NO ACTION ON DELETE NO ACTION,
  CONSTRAINT "invites_created_by_fkey" FOREIGN KEY ("tenant_id", "created_by") REFERENCES "memberships" ("tenant_id", "user_id") ON UPDATE NO ACTION ON DELETE NO ACTION,
  CONSTRAINT "invites_updated_by_fkey" FOREIGN KEY ("tenant_id", "updated_by") REFERENCES "memberships" ("tenant_id", "user_id") ON UPDATE NO ACTION ON DELETE NO ACTION,
  CONSTRAINT "invites_email_length" CHECK (char_length(email) <= 320),
  CONSTRAINT "invites_email_lower_case" CHECK (email = lower(email)),
  CONSTRAINT "invites_role_enum" CHECK (role = ANY (ARRAY['viewer'::text, 'operator'::text, 'engineer'::text, 'admin'::text])),
  CONSTRAINT "invites_token_hash_length" CHECK (octet_length(token_hash) <= 64)
);
-- create index "invite_tenant_id_email" to table: "invites"
CREATE INDEX "invite_tenant_id_email" ON "invites" ("tenant_id", "email");
-- create index "invites_token_hash_key" to table: "invites"
CREATE UNIQUE INDEX "invites_token_hash_key" ON "invites" ("token_hash");
-- create "knowledge_documents" table
CREATE TABLE "knowledge_documents" (
  "id" uuid NOT NULL,
  "tenant_id" uuid NOT NULL,
  "is_active" boolean NOT NULL DEFAULT true,
  "created_at" timestamptz NOT NULL DEFAULT now(),
  "created_by" uuid NULL,
  "updated_at" timestamptz NOT NULL DEFAULT now(),
  "updated_by" uuid NULL,
  "version" bigint NOT NULL DEFAULT 1,
  "is_deleted" boolean NOT NULL DEFAULT false,
  "deleted_at" timestamptz NULL,
  "deleted_by" uuid NULL,
  "title" text NOT NULL,
  "source" text NOT NULL,
  "language" text NOT NULL DEFAULT 'en',
  "tags" jsonb NOT NULL DEFAULT '[]',
  "asset_type" text NULL,
  "content_hash" text NULL,
  PRIMARY KEY ("id"),
  CONSTRAINT "knowledge_documents_tenant_id_id_key" UNIQUE ("tenant_id", "id"),
  CONSTRAINT "knowledge_documents_tenant_id_fkey" FOREIGN KEY ("tenant_id") REFERENCES "tenants" ("id") ON UPDATE NO ACTION ON DELETE NO ACTION,
  CONSTRAINT "knowledge_documents_created_by_fkey" FOREIGN KEY ("tenant_id", "created_by") REFERENCES "memberships" ("tenant_id", "user_id") ON UPDATE NO ACTION ON DELETE NO ACTION,
  CONSTRAINT "knowledge_documents_updated_by_fkey" FOREIGN KEY ("tenant_id", "updated_by") REFERENCES "memberships" ("tenant_id", "user_id") ON UPDATE NO ACTION ON DELETE NO ACTION,
  CONSTRAINT "knowledge_documents_deleted_by_fkey" FOREIGN KEY ("tenant_id", "deleted_by") REFERENCES "memberships" ("tenant_id", "user_id") ON UPDATE NO ACTION ON DELETE NO ACTION,
  CONSTRAINT "knowledge_documents_asset_type_enum" CHECK (asset_type = ANY (ARRAY['motor'::text, 'pump'::text, 'pump_set'::text, 'compressor'::text, 'fan'::text, 'blower'::text, 'gearbox'::text, 'turbine'::text, 'generator'::text, 'conveyor'::text, 'mixer'::text, 'other'::text])),
  CONSTRAINT "knowledge_documents_content_hash_length" CHECK (char_length(content_hash) <= 64),
  CONSTRAINT "knowledge_documents_language_length" CHECK (char_length(language) <= 35),
  CONSTRAINT "knowledge_documents_source_length" CHECK (char_length(source) <= 500),
  CONSTRAINT "knowledge_documents_title_length" CHECK (char_length(title) <= 200)
);
-- create index "knowledgedocument_tenant_id_content_hash" to table: "knowledge_documents"
CREATE UNIQUE INDEX "knowledgedocument_tenant_id_content_hash" ON "knowledge_documents" ("tenant_id", "content_hash") WHERE (NOT is_deleted);
-- create "knowledge_chunks" table
CREATE TABLE "knowledge_chunks" (
  "id" uuid NOT NULL,
  "tenant_id" uuid NOT NULL,
  "ordinal" bigint NOT NULL,
  "text" text NOT NULL,
  "embedding" bytea NULL,
  "embedding_model" text NULL,
  "document_id" uuid NOT NULL,
  PRIMARY KEY ("id"),
  CONSTRAINT "knowledge_chunks_tenant_id_id_key" UNIQUE ("tenant_id", "id"),
  CONSTRAINT "knowledge_chunks_knowledge_documents_document" FOREIGN KEY ("tenant_id", "document_id") REFERENCES "knowledge_documents" ("tenant_id", "id") ON UPDATE NO ACTION ON DELETE NO ACTION,
  CONSTRAINT "knowledge_chunks_tenant_id_fkey" FOREIGN KEY ("tenant_id") REFERENCES "tenants" ("id") ON UPDATE NO ACTION ON DELETE NO ACTION,
  CONSTRAINT "knowledge_chunks_embedding_form" CHECK (((octet_length(embedding) % 4) = 0) AND ((embedding IS NULL) = (embedding_model IS NULL))),
  CONSTRAINT "knowledge_chunks_embedding_length" CHECK (octet_length(embedding) <= 16384),
  CONSTRAINT "knowledge_chunks_embedding_model_length" CHECK (char_length(embedding_model) <= 100),
  CONSTRAINT "knowledge_chunks_ordinal_sign" CHECK (ordinal >= 0),
  CONSTRAINT "knowledge_chunks_text_length" CHECK (char_length(text) <= 16384)
);
-- create index "knowledgechunk_tenant_id_document_id_ordinal" to table: "knowledge_chunks"
CREATE UNIQUE INDEX "knowledgechunk_tenant_id_document_id_ordinal" ON "knowledge_chunks" ("tenant_id", "document_id", "ordinal");
-- create "maintenance_work_orders" table
CREATE TABLE "maintenance_work_orders" (
  "id" uuid NOT NULL,
  "tenant_id" uuid NOT NULL,
  "is_active" boolean NOT NULL DEFAULT true,
  "created_at" timestamptz NOT NULL DEFAULT now(),
  "created_by" uuid NULL,
  "updated_at" timestamptz NOT NULL DEFAULT now(),
  "updated_by" uuid NULL,
  "version" bigint NOT NULL DEFAULT 1,
  "is_deleted" boolean NOT NULL DEFAULT false,
  "deleted_at" timestamptz NULL,
  "deleted_by" uuid NULL,
  "work_number" text NOT NULL,
  "title" text NOT NULL,
  "description" text NOT NULL DEFAULT '',
  "type" text NOT NULL,
  "priority" text NOT NULL DEFAULT 'medium',
  "status" text NOT NULL DEFAULT 'open',
  "assigned_to" uuid NULL,
  "due_at" timestamptz NULL,
  "started_at" timestamptz NULL,
  "completed_at" timestamptz NULL,
  "planned_cost" double precision NULL,
  "actual_cost" double precision NULL,
  "downtime_hours" double precision NULL,
  "failure_confirmed" boolean NULL,
  "failure_code" text NULL,
  "external_ref" text NULL,
  "asset_id" uuid NOT NULL,
  "alarm_event_id" uuid NULL,
  PRIMARY KEY ("id"),
  CONSTRAINT "maintenance_work_orders_tenant_id_id_key" UNIQUE ("tenant_id", "id"),
  CONSTRAINT "maintenance_work_orders_alarm_events_alarm_event" FOREIGN KEY ("tenant_id", "alarm_event_id") REFERENCES "alarm_events" ("tenant_id", "id") ON UPDATE NO ACTION ON DELETE NO ACTION,
  CONSTRAINT "maintenance_work_orders_assets_asset" FOREIGN KEY ("tenant_id", "asset_id") REFERENCES "assets" ("tenant_id", "id") ON UPDATE NO ACTION ON DELETE NO ACTION,
  CONSTRAINT "maintenance_work_orders_tenant_id_fkey" FOREIGN KEY ("tenant_id") REFERENCES "tenants" ("id") ON UPDATE NO ACTION ON DELETE NO ACTION,
  CONSTRAINT "maintenance_work_orders_created_by_fkey" FOREIGN KEY ("tenant_id", "created_by") REFERENCES "memberships" ("tenant_id", "user_id") ON UPDATE NO ACTION ON DELETE NO ACTION,
  CONSTRAINT "maintenance_work_orders_updated_by_fkey" FOREIGN KEY ("tenant_id", "updated_by") REFERENCES "memberships" ("tenant_id", "user_id") ON UPDATE NO ACTION ON DELETE NO ACTION,
  CONSTRAINT "maintenance_work_orders_deleted_by_fkey" FOREIGN KEY ("tenant_id", "deleted_by") REFERENCES "memberships" ("tenant_id", "user_id") ON UPDATE NO ACTION ON DELETE NO ACTION,
  CONSTRAINT "maintenance_work_orders_assigned_to_fkey" FOREIGN KEY ("tenant_id", "assigned_to") REFERENCES "memberships" ("tenant_id", "user_id") ON UPDATE NO ACTION ON DELETE NO ACTION,
  CONSTRAINT "maintenance_work_orders_completed" CHECK ((status = 'completed'::text) = (completed_at IS NOT NULL)),
  CONSTRAINT "maintenance_work_orders_costs_sign" CHECK ((planned_cost >= (0)::double precision) AND (actual_cost >= (0)::double precision)),
  CONSTRAINT "maintenance_work_orders_description_length" CHECK (char_length(description) <= 4000),
  CONSTRAINT "maintenance_work_orders_downtime_sign" CHECK (downtime_hours >= (0)::double precision),
  CONSTRAINT "maintenance_work_orders_external_ref_length" CHECK (char_length(external_ref) <= 200),
  CONSTRAINT "maintenance_work_orders_failure_code_length" CHECK (char_length(failure_code) <= 100),
  CONSTRAINT "maintenance_work_orders_number_form" CHECK (work_number ~ '^WO-[0-9]{4}-[0-9]{6,}$'::text),
  CONSTRAINT "maintenance_work_orders_order" CHECK (completed_at >= started_at),
  CONSTRAINT "maintenance_work_orders_priority_enum" CHECK (priority = ANY (ARRAY['low'::text, 'medium'::text, 'high'::text, 'urgent'::text])),
  CONSTRAINT "maintenance_work_orders_status_enum" CHECK (status = ANY (ARRAY['open'::text, 'in_progress'::text, 'completed'::text, 'cancelled'::text])),
  CONSTRAINT "maintenance_work_orders_title_length" CHECK (char_length(title) <= 200),
  CONSTRAINT "maintenance_work_orders_type_enum" CHECK (type = ANY (ARRAY['corrective'::text, 'preventive'::text, 'predictive'::text, 'inspection'::text])),
  CONSTRAINT "maintenance_work_orders_work_number_length" CHECK (char_length(work_number) <= 32)
);
-- create index "maintenance_work_orders_one_of_event" to table: "maintenance_work_orders"
CREATE UNIQUE INDEX "maintenance_work_orders_one_of_event" ON "maintenance_work_orders" ("tenant_id", "alarm_event_id") WHERE ((NOT is_deleted) AND (status <> 'cancelled'::text));
-- create index "maintenanceworkorder_tenant_id_asset_id_created_at" to table: "maintenance_work_orders"
CREATE INDEX "maintenanceworkorder_tenant_id_asset_id_created_at" ON "maintenance_work_orders" ("tenant_id", "asset_id", "created_at" DESC);
-- create index "maintenanceworkorder_tenant_id_assigned_to_status" to table: "maintenance_work_orders"
CREATE INDEX "maintenanceworkorder_tenant_id_assigned_to_status" ON "maintenance_work_orders" ("tenant_id", "assigned_to", "status");
-- create index "maintenanceworkorder_tenant_id_external_ref" to table: "maintenance_work_orders"
CREATE UNIQUE INDEX "maintenanceworkorder_tenant_id_external_ref" ON "maintenance_work_orders" ("tenant_id", "external_ref") WHERE (NOT is_deleted);
-- create index "maintenanceworkorder_tenant_id_status_due_at" to table: "maintenance_work_orders"
CREATE INDEX "maintenanceworkorder_tenant_id_status_due_at" ON "maintenance_work_orders" ("tenant_id", "status", "due_at");
-- create index "maintenanceworkorder_tenant_id_work_number" to table: "maintenance_work_orders"
CREATE UNIQUE INDEX "maintenanceworkorder_tenant_id_work_number" ON "maintenance_work_orders" ("tenant_id", "work_number");
-- create "maintenance_records" table
CREATE TABLE "maintenance_records" (
  "id" uuid NOT NULL,
  "tenant_id" uuid NOT NULL,
  "performed_at" timestamptz NOT NULL,
  "kind" text NOT NULL,
  "cost" double precision NOT NULL DEFAULT 0,
  "downtime_hours" double precision NOT NULL DEFAULT 0,
  "was_failure" boolean NOT NULL DEFAULT false,
  "failure_code" text NULL,
  "description" text NOT NULL DEFAULT '',
  "source" text NOT NULL,
  "external_ref" text NOT NULL,
  "created_at" timestamptz NOT NULL DEFAULT now(),
  "asset_id" uuid NOT NULL,
  "work_order_id" uuid NULL,
  PRIMARY KEY ("id"),
  CONSTRAINT "maintenance_records_tenant_id_id_key" UNIQUE ("tenant_id", "id"),
  CONSTRAINT "maintenance_records_assets_asset" FOREIGN KEY ("tenant_id", "asset_id") REFERENCES "assets" ("tenant_id", "id") ON UPDATE NO ACTION ON DELETE NO ACTION,
  CONSTRAINT "maintenance_records_maintenance_work_orders_work_order" FOREIGN KEY ("tenant_id", "work_order_id") REFERENCES "maintenance_work_orders" ("tenant_id", "id") ON UPDATE NO ACTION ON DELETE NO ACTION,
  CONSTRAINT "maintenance_records_tenant_id_fkey" FOREIGN KEY ("tenant_id") REFERENCES "tenants" ("id") ON UPDATE NO ACTION ON DELETE NO ACTION,
  CONSTRAINT "maintenance_records_cost_sign" CHECK (cost >= (0)::double precision),
  CONSTRAINT "maintenance_records_description_length" CHECK (char_length(description) <= 4000),
  CONSTRAINT "maintenance_records_downtime_sign" CHECK (downtime_hours >= (0)::double precision),
  CONSTRAINT "maintenance_records_external_ref_length" CHECK (char_length(external_ref) <= 200),
  CONSTRAINT "maintenance_records_failure_code_length" CHECK (char_length(failure_code) <= 100),
  CONSTRAINT "maintenance_records_kind_enum" CHECK (kind = ANY (ARRAY['corrective'::text, 'preventive'::text, 'predictive'::text, 'inspection'::text])),
  CONSTRAINT "maintenance_records_source_enum" CHECK (source = ANY (ARRAY['local'::text, 'sap_pm'::text, 'asset_suite'::text, 'maximo'::text, 'csv'::text]))
);
-- create index "maintenancerecord_tenant_id_asset_id_performed_at" to table: "maintenance_records"
CREATE INDEX "maintenancerecord_tenant_id_asset_id_performed_at" ON "maintenance_records" ("tenant_id", "asset_id", "performed_at" DESC);
-- create index "maintenancerecord_tenant_id_source_external_ref" to table: "maintenance_records"
CREATE UNIQUE INDEX "maintenancerecord_tenant_id_source_external_ref" ON "maintenance_records" ("tenant_id", "source", "external_ref");
-- create index "maintenancerecord_tenant_id_work_order_id" to table: "maintenance_records"
CREATE INDEX "maintenancerecord_tenant_id_work_order_id" ON "maintenance_records" ("tenant_id", "work_order_id");
-- create "messages" table
CREATE TABLE "messages" (
  "id" uuid NOT NULL,
  "tenant_id" uuid NOT NULL,
  "role" text NOT NULL,
  "text" text NOT NULL,
  "citations" jsonb NOT NULL DEFAULT '[]',
  "at" timestamptz NOT NULL DEFAULT now(),
  "conversation_id" uuid NOT NULL,
  PRIMARY KEY ("id"),
  CONSTRAINT "messages_tenant_id_id_key" UNIQUE ("tenant_id", "id"),
  CONSTRAINT "messages_conversations_conversation" FOREIGN KEY ("tenant_id", "conversation_id") REFERENCES "conversations" ("tenant_id", "id") ON UPDATE NO ACTION ON DELETE NO ACTION,
  CONSTRAINT "messages_tenant_id_fkey" FOREIGN KEY ("tenant_id") REFERENCES "tenants" ("id") ON UPDATE NO ACTION ON DELETE NO ACTION,
  CONSTRAINT "messages_role_enum" CHECK (role = ANY (ARRAY['user'::text, 'assistant'::text])),
  CONSTRAINT "messages_text_length" CHECK (char_length(text) <= 16384)
);
-- create index "message_tenant_id_conversation_id_at" to table: "messages"
CREATE INDEX "message_tenant_id_conversation_id_at" ON "messages" ("tenant_id", "conversation_id", "at");
-- create "notification_logs" table
CREATE TABLE "notification_logs" (
  "id" uuid NOT NULL,
  "tenant_id" uuid NOT NULL,
  "prediction_id" uuid NULL,
  "user_id" uuid NULL,
  "kind" text NOT NULL,
  "recipient" text NOT NULL,
  "status" text NOT NULL DEFAULT 'pending',
  "attempts" bigint NOT NULL DEFAULT 0,
  "sent_at" timestamptz NULL,
  "error" text NULL,
  "created_at" timestamptz NOT NULL DEFAULT now(),
  "event_id" uuid NULL,
  "channel_id" uuid NULL,
  PRIMARY KEY ("id"),
  CONSTRAINT "notification_logs_tenant_id_id_key" UNIQUE ("tenant_id", "id"),
  CONSTRAINT "notification_logs_alarm_events_event" FOREIGN KEY ("tenant_id", "event_id") REFERENCES "alarm_events" ("tenant_id", "id") ON UPDATE NO ACTION ON DELETE NO ACTION,
  CONSTRAINT "notification_logs_notification_channels_channel" FOREIGN KEY ("tenant_id", "channel_id") REFERENCES "notification_channels" ("tenant_id", "id") ON UPDATE NO ACTION ON DELETE NO ACTION,
  CONSTRAINT "notification_logs_tenant_id_fkey" FOREIGN KEY ("tenant_id") REFERENCES "tenants" ("id") ON UPDATE NO ACTION ON DELETE NO ACTION,
  CONSTRAINT "notification_logs_user_id_fkey" FOREIGN KEY ("tenant_id", "user_id") REFERENCES "memberships" ("tenant_id", "user_id") ON UPDATE NO ACTION ON DELETE NO ACTION,
  CONSTRAINT "notification_logs_attempts_sign" CHECK (attempts >= 0),
  CONSTRAINT "notification_logs_by_something" CHECK (num_nonnulls(channel_id, user_id) >= 1),
  CONSTRAINT "notification_logs_error_length" CHECK (char_length(error) <= 2000),
  CONSTRAINT "notification_logs_kind_enum" CHECK (kind = ANY (ARRAY['email'::text, 'sms'::text, 'webhook'::text, 'slack'::text])),
  CONSTRAINT "notification_logs_recipient_length" CHECK (char_length(recipient) <= 500),
  CONSTRAINT "notification_logs_status_enum" CHECK (status = ANY (ARRAY['pending'::text, 'sent'::text, 'failed'::text, 'suppressed'::text]))
);
-- create index "notificationlog_tenant_id_channel_id_created_at" to table: "notification_logs"
CREATE INDEX "notificationlog_tenant_id_channel_id_created_at" ON "notification_logs" ("tenant_id", "channel_id", "created_at" DESC);
-- create index "notificationlog_tenant_id_created_at" to table: "notification_logs"
CREATE INDEX "notificationlog_tenant_id_created_at" ON "notification_logs" ("tenant_id", "created_at" DESC);
-- create index "notificationlog_tenant_id_event_id" to table: "notification_logs"
CREATE INDEX "notificationlog_tenant_id_event_id" ON "notification_logs" ("tenant_id", "event_id");
-- create "password_resets" table
CREATE TABLE "password_resets" (
  "id" uuid NOT NULL,
  "tenant_id" uuid NOT NULL,
  "user_id" uuid NOT NULL,
  "token_hash" bytea NOT NULL,
  "created_at" timestamptz NOT NULL DEFAULT now(),
  "expires_at" timestamptz NOT NULL,
  "used_at" timestamptz NULL,
  PRIMARY KEY ("id"),
  CONSTRAINT "password_resets_tenant_id_id_key" UNIQUE ("tenant_id", "id"),
  CONSTRAINT "password_resets_tenant_id_fkey" FOREIGN KEY ("tenant_id") REFERENCES "tenants" ("id") ON UPDATE NO ACTION ON DELETE NO ACTION,
  CONSTRAINT "password_resets_user_id_fkey" FOREIGN KEY ("tenant_id", "user_id") REFERENCES "memberships" ("tenant_id", "user_id") ON UPDATE NO ACTION ON DELETE NO ACTION,
  CONSTRAINT "password_resets_token_hash_length" CHECK (octet_length(token_hash) <= 64)
);
-- create index "password_resets_token_hash_key" to table: "password_resets"
CREATE UNIQUE INDEX "password_resets_token_hash_key" ON "password_resets" ("token_hash");
-- create index "passwordreset_expires_at" to table: "password_resets"
CREATE INDEX "passwordreset_expires_at" ON "password_resets" ("expires_at");
-- create index "passwordreset_tenant_id_user_id" to table: "password_resets"
CREATE INDEX "passwordreset_tenant_id_user_id" ON "password_resets" ("tenant_id", "user_id");
-- create "permissions" table
CREATE TABLE "permissions" (
  "id" uuid NOT NULL,
  "resource" text NOT NULL,
  "action" text NOT NULL,
  PRIMARY KEY ("id"),
  CONSTRAINT "permissions_action_form" CHECK (action ~ '^[a-z_]{1,64}$'::text),
  CONSTRAINT "permissions_action_length" CHECK (char_length(action) <= 64),
  CONSTRAINT "permissions_resource_form" CHECK (resource ~ '^[a-z_]{1,64}$'::text),
  CONSTRAINT "permissions_resource_length" CHECK (char_length(resource) <= 64)
);
-- create index "permission_resource_action" to table: "permissions"
CREATE UNIQUE INDEX "permission_resource_action" ON "permissions" ("resource", "action");
-- create "roles" table
CREATE TABLE "roles" (
  "id" uuid NOT NULL,
  "tenant_id" uuid NOT NULL,
  "is_active" boolean NOT NULL DEFAULT true,
  "created_at" timestamptz NOT NULL DEFAULT now(),
  "created_by" uuid NULL,
  "updated_at" timestamptz NOT NULL DEFAULT now(),
  "updated_by" uuid NULL,
  "version" bigint NOT NULL DEFAULT 1,
  "name" text NOT NULL,
  "description" text NOT NULL DEFAULT '',
  "is_system" boolean NOT NULL DEFAULT false,
  PRIMARY KEY ("id"),
  CONSTRAINT "roles_tenant_id_id_key" UNIQUE ("tenant_id", "id"),
  CONSTRAINT "roles_tenant_id_fkey" FOREIGN KEY ("tenant_id") REFERENCES "tenants" ("id") ON UPDATE NO ACTION ON DELETE NO ACTION,
  CONSTRAINT "roles_created_by_fkey" FOREIGN KEY ("tenant_id", "created_by") REFERENCES "memberships" ("tenant_id", "user_id") ON UPDATE NO ACTION ON DELETE NO ACTION,
  CONSTRAINT "roles_updated_by_fkey" FOREIGN KEY ("tenant_id", "updated_by") REFERENCES "memberships" ("tenant_id", "user_id") ON UPDATE NO ACTION ON DELETE NO ACTION,
  CONSTRAINT "roles_description_length" CHECK (char_length(description) <= 2000),
  CONSTRAINT "roles_name_length" CHECK (char_length(name) <= 100)
);
-- create index "role_tenant_id_name" to table: "roles"
CREATE UNIQUE INDEX "role_tenant_id_name" ON "roles" ("tenant_id", "name");
-- create "role_permissions" table
CREATE TABLE "role_permissions" (
  "id" uuid NOT NULL,
  "tenant_id" uuid NOT NULL,
  "role_id" uuid NOT NULL,
  "permission_id" uuid NOT NULL,
  PRIMARY KEY ("id"),
  CONSTRAINT "role_permissions_tenant_id_id_key" UNIQUE ("tenant_id", "id"),
  CONSTRAINT "role_permissions_permissions_permission" FOREIGN KEY ("permission_id") REFERENCES "permissions" ("id") ON UPDATE NO ACTION ON DELETE NO ACTION,
  CONSTRAINT "role_permissions_roles_role" FOREIGN KEY ("tenant_id", "role_id") REFERENCES "roles" ("tenant_id", "id") ON UPDATE NO ACTION ON DELETE NO ACTION,
  CONSTRAINT "role_permissions_tenant_id_fkey" FOREIGN KEY ("tenant_id") REFERENCES "tenants" ("id") ON UPDATE NO ACTION ON DELETE NO ACTION
);
-- create index "rolepermission_tenant_id_role_id_permission_id" to table: "role_permissions"
CREATE UNIQUE INDEX "rolepermission_tenant_id_role_id_permission_id" ON "role_permissions" ("tenant_id", "role_id", "permission_id");
-- create "user_identities" table
CREATE TABLE "user_identities" (
  "id" uuid NOT NULL,
  "tenant_id" uuid NOT NULL,
  "user_id" uuid NOT NULL,
  "issuer" text NOT NULL,
  "subject" text NOT NULL,
  "created_at" timestamptz NOT NULL DEFAULT now(),
  "last_login_at" timestamptz NULL,
  PRIMARY KEY ("id"),
  CONSTRAINT "user_identities_tenant_id_id_key" UNIQUE ("tenant_id", "id"),
  CONSTRAINT "user_identities_tenant_id_fkey" FOREIGN KEY ("tenant_id") REFERENCES "tenants" ("id") ON UPDATE NO ACTION ON DELETE NO ACTION,
  CONSTRAINT "user_identities_user_id_fkey" FOREIGN KEY ("tenant_id", "user_id") REFERENCES "memberships" ("tenant_id", "user_id") ON UPDATE NO ACTION ON DELETE NO ACTION,
  CONSTRAINT "user_identities_issuer_length" CHECK (char_length(issuer) <= 500),
  CONSTRAINT "user_identities_subject_length" CHECK (char_length(subject) <= 255)
);
-- create index "useridentity_issuer_subject" to table: "user_identities"
CREATE UNIQUE INDEX "useridentity_issuer_subject" ON "user_identities" ("issuer", "subject");
-- create index "useridentity_tenant_id_user_id" to table: "user_identities"
CREATE INDEX "useridentity_tenant_id_user_id" ON "user_identities" ("tenant_id", "user_id");
-- create "user_roles" table
CREATE TABLE "user_roles" (
  "id" uuid NOT NULL,
  "tenant_id" uuid NOT NULL,
  "user_id" uuid NOT NULL,
  "created_at" timestamptz NOT NULL DEFAULT now(),
  "granted_by" uuid NULL,
  "role_id" uuid NOT NULL,
  "site_id" uuid NULL,
  PRIMARY KEY ("id"),
  CONSTRAINT "user_roles_tenant_id_id_key" UNIQUE ("tenant_id", "id"),
  CONSTRAINT "user_roles_roles_role" FOREIGN KEY ("tenant_id", "role_id") REFERENCES "roles" ("tenant_id", "id") ON UPDATE NO ACTION ON DELETE NO ACTION,
  CONSTRAINT "user_roles_sites_site" FOREIGN KEY ("tenant_id", "site_id") REFERENCES "sites" ("tenant_id", "id") ON UPDATE NO ACTION ON DELETE NO ACTION,
  CONSTRAINT "user_roles_tenant_id_fkey" FOREIGN KEY ("tenant_id") REFERENCES "tenants" ("id") ON UPDATE NO ACTION ON DELETE NO ACTION,
  CONSTRAINT "user_roles_user_id_fkey" FOREIGN KEY ("tenant_id", "user_id") REFERENCES "memberships" ("tenant_id", "user_id") ON UPDATE NO ACTION ON DELETE NO ACTION,
  CONSTRAINT "user_roles_granted_by_fkey" FOREIGN KEY ("tenant_id", "granted_by") REFERENCES "memberships" ("tenant_id", "user_id") ON UPDATE NO ACTION ON DELETE NO ACTION
);
-- create index "user_roles_once_nulls_not_distinct" to table: "user_roles"
CREATE UNIQUE INDEX "user_roles_once_nulls_not_distinct" ON "user_roles" ("tenant_id", "user_id", "role_id", "site_id") NULLS NOT DISTINCT;
-- create index "userrole_tenant_id_role_id" to table: "user_roles"
CREATE INDEX "userrole_tenant_id_role_id" ON "user_roles" ("tenant_id", "role_id");
-- create "user_settings" table
CREATE TABLE "user_settings" (
  "id" uuid NOT NULL,
  "tenant_id" uuid NOT NULL,
  "is_active" boolean NOT NULL DEFAULT true,
  "created_at" timestamptz NOT NULL DEFAULT now(),
  "created_by" uuid NULL,
  "updated_at" timestamptz NOT NULL DEFAULT now(),
  "updated_by" uuid NULL,
  "version" bigint NOT NULL DEFAULT 1,
  "user_id" uuid NOT NULL,
  "auto_refresh" boolean NOT NULL DEFAULT true,
  "refresh_interval_sec" bigint NOT NULL DEFAULT 5,
  "anomaly_threshold" double precision NOT NULL DEFAULT 0.7,
  "enable_notifications" boolean NOT NULL DEFAULT true,
  "quiet_hours" jsonb NULL,
  "theme" text NOT NULL DEFAULT 'system',
  "date_format" text NOT NULL DEFAULT '',
  "units" text NOT NULL DEFAULT 'metric',
  PRIMARY KEY ("id"),
  CONSTRAINT "user_settings_tenant_id_id_key" UNIQUE ("tenant_id", "id"),
  CONSTRAINT "user_settings_tenant_id_fkey" FOREIGN KEY ("tenant_id") REFERENCES "tenants" ("id") ON UPDATE NO ACTION ON DELETE NO ACTION,
  CONSTRAINT "user_settings_created_by_fkey" FOREIGN KEY ("tenant_id", "created_by") REFERENCES "memberships" ("tenant_id", "user_id") ON UPDATE NO ACTION ON DELETE NO ACTION,
  CONSTRAINT "user_settings_updated_by_fkey" FOREIGN KEY ("tenant_id", "updated_by") REFERENCES "memberships" ("tenant_id", "user_id") ON UPDATE NO ACTION ON DELETE NO ACTION,
  CONSTRAINT "user_settings_user_id_fkey" FOREIGN KEY ("tenant_id", "user_id") REFERENCES "memberships" ("tenant_id", "user_id") ON UPDATE NO ACTION ON DELETE NO ACTION,
  CONSTRAINT "user_settings_anomaly_threshold" CHECK ((anomaly_threshold >= (0)::double precision) AND (anomaly_threshold <= (1)::double precision)),
  CONSTRAINT "user_settings_date_format_length" CHECK (char_length(date_format) <= 32),
  CONSTRAINT "user_settings_refresh_interval" CHECK ((refresh_interval_sec >= 1) AND (refresh_interval_sec <= 3600)),
  CONSTRAINT "user_settings_theme_enum" CHECK (theme = ANY (ARRAY['system'::text, 'light'::text, 'dark'::text])),
  CONSTRAINT "user_settings_units_enum" CHECK (units = ANY (ARRAY['metric'::text, 'imperial'::text]))
);
-- create index "usersettings_tenant_id_user_id" to table: "user_settings"
CREATE UNIQUE INDEX "usersettings_tenant_id_user_id" ON "user_settings" ("tenant_id", "user_id");
-- create "webhooks" table
CREATE TABLE "webhooks" (
  "id" uuid NOT NULL,
  "tenant_id" uuid NOT NULL,
  "is_active" boolean NOT NULL DEFAULT true,
  "created_at" timestamptz NOT NULL DEFAULT now(),
  "created_by" uuid NULL,
  "updated_at" timestamptz NOT NULL DEFAULT now(),
  "updated_by" uuid NULL,
  "version" bigint NOT NULL DEFAULT 1,
  "name" text NOT NULL,
  "url" text NOT NULL,
  "events" jsonb NOT NULL DEFAULT '[]',
  "secret_ciphertext" bytea NOT NULL,
  PRIMARY KEY ("id"),
  CONSTRAINT "webhooks_tenant_id_id_key" UNIQUE ("tenant_id", "id"),
  CONSTRAINT "webhooks_tenant_id_fkey" FOREIGN KEY ("tenant_id") REFERENCES "tenants" ("id") ON UPDATE NO ACTION ON DELETE NO ACTION,
  CONSTRAINT "webhooks_created_by_fkey" FOREIGN KEY ("tenant_id", "created_by") REFERENCES "memberships" ("tenant_id", "user_id") ON UPDATE NO ACTION ON DELETE NO ACTION,
  CONSTRAINT "webhooks_updated_by_fkey" FOREIGN KEY ("tenant_id", "updated_by") REFERENCES "memberships" ("tenant_id", "user_id") ON UPDATE NO ACTION ON DELETE NO ACTION,
  CONSTRAINT "webhooks_name_length" CHECK (char_length(name) <= 200),
  CONSTRAINT "webhooks_secret_ciphertext_length" CHECK (octet_length(secret_ciphertext) <= 8192),
  CONSTRAINT "webhooks_url_length" CHECK (char_length(url) <= 2000)
);
-- create index "webhook_tenant_id_name" to table: "webhooks"
CREATE UNIQUE INDEX "webhook_tenant_id_name" ON "webhooks" ("tenant_id", "name");
-- who sees what of "notification_channels"
ALTER TABLE "notification_channels" ENABLE ROW LEVEL SECURITY;
ALTER TABLE "notification_channels" FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON "notification_channels" TO foresight_app USING ("tenant_id" = (SELECT nullif(current_setting('app.tenant_id', true), '')::uuid)) WITH CHECK ("tenant_id" = (SELECT nullif(current_setting('app.tenant_id', true), '')::uuid));
GRANT SELECT, INSERT, UPDATE ON "notification_channels" TO foresight_app;
-- who sees what of "alarm_rule_channels"
ALTER TABLE "alarm_rule_channels" ENABLE ROW LEVEL SECURITY;
ALTER TABLE "alarm_rule_channels" FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON "alarm_rule_channels" TO foresight_app USING ("tenant_id" = (SELECT nullif(current_setting('app.tenant_id', true), '')::uuid)) WITH CHECK ("tenant_id" = (SELECT nullif(current_setting('app.tenant_id', true), '')::uuid));
GRANT SELECT, INSERT, UPDATE, DELETE ON "alarm_rule_channels" TO foresight_app;
-- who sees what of "alarm_shelves"
ALTER TABLE "alarm_shelves" ENABLE ROW LEVEL SECURITY;
ALTER TABLE "alarm_shelves" FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON "alarm_shelves" TO foresight_app, foresight_worker USING ("tenant_id" = (SELECT nullif(current_setting('app.tenant_id', true), '')::uuid)) WITH CHECK ("tenant_id" = (SELECT nullif(current_setting('app.tenant_id', true), '')::uuid));
GRANT SELECT, INSERT, UPDATE, DELETE ON "alarm_shelves" TO foresight_app;
CREATE POLICY registry_read ON "alarm_shelves" FOR SELECT TO foresight_worker USING (true);
GRANT SELECT ON "alarm_shelves" TO foresight_worker;
-- who sees what of "api_keys"
ALTER TABLE "api_keys" ENABLE ROW LEVEL SECURITY;
ALTER TABLE "api_keys" FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON "api_keys" TO foresight_app USING ("tenant_id" = (SELECT nullif(current_setting('app.tenant_id', true), '')::uuid)) WITH CHECK ("tenant_id" = (SELECT nullif(current_setting('app.tenant_id', true), '')::uuid));
GRANT SELECT, INSERT, UPDATE, DELETE ON "api_keys" TO foresight_app;
-- who sees what of "asset_features"
ALTER TABLE "asset_features" ENABLE ROW LEVEL SECURITY;
ALTER TABLE "asset_features" FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON "asset_features" TO foresight_app USING ("tenant_id" = (SELECT nullif(current_setting('app.tenant_id', true), '')::uuid)) WITH CHECK ("tenant_id" = (SELECT nullif(current_setting('app.tenant_id', true), '')::uuid));
GRANT SELECT, INSERT, UPDATE, DELETE ON "asset_features" TO foresight_app;
-- who sees what of "asset_health"
ALTER TABLE "asset_health" ENABLE ROW LEVEL SECURITY;
ALTER TABLE "asset_health" FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON "asset_health" TO foresight_app USING ("tenant_id" = (SELECT nullif(current_setting('app.tenant_id', true), '')::uuid)) WITH CHECK ("tenant_id" = (SELECT nullif(current_setting('app.tenant_id', true), '')::uuid));
GRANT SELECT, INSERT, UPDATE, DELETE ON "asset_health" TO foresight_app;
-- who sees what of "training_runs"
ALTER TABLE "training_runs" ENABLE ROW LEVEL SECURITY;
ALTER TABLE "training_runs" FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON "training_runs" TO foresight_app USING ("tenant_id" = (SELECT nullif(current_setting('app.tenant_id', true), '')::uuid)) WITH CHECK ("tenant_id" = (SELECT nullif(current_setting('app.tenant_id', true), '')::uuid));
GRANT SELECT, INSERT, UPDATE, DELETE ON "training_runs" TO foresight_app;
-- who sees what of "asset_model_versions"
ALTER TABLE "asset_model_versions" ENABLE ROW LEVEL SECURITY;
ALTER TABLE "asset_model_versions" FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON "asset_model_versions" TO foresight_app, foresight_worker USING ("tenant_id" = (SELECT nullif(current_setting('app.tenant_id', true), '')::uuid)) WITH CHECK ("tenant_id" = (SELECT nullif(current_setting('app.tenant_id', true), '')::uuid));
GRANT SELECT, INSERT, UPDATE, DELETE ON "asset_model_versions" TO foresight_app;
CREATE POLICY registry_read ON "asset_model_versions" FOR SELECT TO foresight_worker USING (true);
GRANT SELECT ON "asset_model_versions" TO foresight_worker;
-- who sees what of "audit_logs"
ALTER TABLE "audit_logs" ENABLE ROW LEVEL SECURITY;
ALTER TABLE "audit_logs" FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON "audit_logs" TO foresight_app USING ("tenant_id" = (SELECT nullif(current_setting('app.tenant_id', true), '')::uuid)) WITH CHECK ("tenant_id" = (SELECT nullif(current_setting('app.tenant_id', true), '')::uuid));
GRANT SELECT, INSERT ON "audit_logs" TO foresight_app;
-- who sees what of "connectors"
ALTER TABLE "connectors" ENABLE ROW LEVEL SECURITY;
ALTER TABLE "connectors" FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON "connectors" TO foresight_app USING ("tenant_id" = (SELECT nullif(current_setting('app.tenant_id', true), '')::uuid)) WITH CHECK ("tenant_id" = (SELECT nullif(current_setting('app.tenant_id', true), '')::uuid));
GRANT SELECT, INSERT, UPDATE ON "connectors" TO foresight_app;
-- who sees what of "conversations"
ALTER TABLE "conversations" ENABLE ROW LEVEL SECURITY;
ALTER TABLE "conversations" FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON "conversations" TO foresight_app USING ("tenant_id" = (SELECT nullif(current_setting('app.tenant_id', true), '')::uuid)) WITH CHECK ("tenant_id" = (SELECT nullif(current_setting('app.tenant_id', true), '')::uuid));
GRANT SELECT, INSERT, UPDATE, DELETE ON "conversations" TO foresight_app;
-- who sees what of "drift_reports"
ALTER TABLE "drift_reports" ENABLE ROW LEVEL SECURITY;
ALTER TABLE "drift_reports" FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON "drift_reports" TO foresight_app USING ("tenant_id" = (SELECT nullif(current_setting('app.tenant_id', true), '')::uuid)) WITH CHECK ("tenant_id" = (SELECT nullif(current_setting('app.tenant_id', true), '')::uuid));
GRANT SELECT, INSERT, UPDATE, DELETE ON "drift_reports" TO foresight_app;
-- who sees what of "export_jobs"
ALTER TABLE "export_jobs" ENABLE ROW LEVEL SECURITY;
ALTER TABLE "export_jobs" FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON "export_jobs" TO foresight_app USING ("tenant_id" = (SELECT nullif(current_setting('app.tenant_id', true), '')::uuid)) WITH CHECK ("tenant_id" = (SELECT nullif(current_setting('app.tenant_id', true), '')::uuid));
GRANT SELECT, INSERT, UPDATE, DELETE ON "export_jobs" TO foresight_app;
-- who sees what of "failure_predictions"
ALTER TABLE "failure_predictions" ENABLE ROW LEVEL SECURITY;
ALTER TABLE "failure_predictions" FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON "failure_predictions" TO foresight_app USING ("tenant_id" = (SELECT nullif(current_setting('app.tenant_id', true), '')::uuid)) WITH CHECK ("tenant_id" = (SELECT nullif(current_setting('app.tenant_id', true), '')::uuid));
GRANT SELECT, INSERT, UPDATE, DELETE ON "failure_predictions" TO foresight_app;
-- who sees what of "fault_actions"
ALTER TABLE "fault_actions" ENABLE ROW LEVEL SECURITY;
ALTER TABLE "fault_actions" FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON "fault_actions" TO foresight_app USING ("tenant_id" = (SELECT nullif(current_setting('app.tenant_id', true), '')::uuid)) WITH CHECK ("tenant_id" = (SELECT nullif(current_setting('app.tenant_id', true), '')::uuid));
GRANT SELECT, INSERT, UPDATE, DELETE ON "fault_actions" TO foresight_app;
-- who sees what of "feedback"
ALTER TABLE "feedback" ENABLE ROW LEVEL SECURITY;
ALTER TABLE "feedback" FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON "feedback" TO foresight_app USING ("tenant_id" = (SELECT nullif(current_setting('app.tenant_id', true), '')::uuid)) WITH CHECK ("tenant_id" = (SELECT nullif(current_setting('app.tenant_id', true), '')::uuid));
GRANT SELECT, INSERT, UPDATE, DELETE ON "feedback" TO foresight_app;
-- who sees what of "idempotency_keys"
ALTER TABLE "idempotency_keys" ENABLE ROW LEVEL SECURITY;
ALTER TABLE "idempotency_keys" FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON "idempotency_keys" TO foresight_app USING ("tenant_id" = (SELECT nullif(current_setting('app.tenant_id', true), '')::uuid)) WITH CHECK ("tenant_id" = (SELECT nullif(current_setting('app.tenant_id', true), '')::uuid));
GRANT SELECT, INSERT, UPDATE, DELETE ON "idempotency_keys" TO foresight_app;
-- who sees what of "import_runs"
ALTER TABLE "import_runs" ENABLE ROW LEVEL SECURITY;
ALTER TABLE "import_runs" FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON "import_runs" TO foresight_app USING ("tenant_id" = (SELECT nullif(current_setting('app.tenant_id', true), '')::uuid)) WITH CHECK ("tenant_id" = (SELECT nullif(current_setting('app.tenant_id', true), '')::uuid));
GRANT SELECT, INSERT, UPDATE, DELETE ON "import_runs" TO foresight_app;
-- who sees what of "invites"
ALTER TABLE "invites" ENABLE ROW LEVEL SECURITY;
ALTER TABLE "invites" FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON "invites" TO foresight_app USING ("tenant_id" = (SELECT nullif(current_setting('app.tenant_id', true), '')::uuid)) WITH CHECK ("tenant_id" = (SELECT nullif(current_setting('app.tenant_id', true), '')::uuid));
GRANT SELECT, INSERT, UPDATE, DELETE ON "invites" TO foresight_app;
-- who sees what of "knowledge_documents"
ALTER TABLE "knowledge_documents" ENABLE ROW LEVEL SECURITY;
ALTER TABLE "knowledge_documents" FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON "knowledge_documents" TO foresight_app USING ("tenant_id" = (SELECT nullif(current_setting('app.tenant_id', true), '')::uuid)) WITH CHECK ("tenant_id" = (SELECT nullif(current_setting('app.tenant_id', true), '')::uuid));
GRANT SELECT, INSERT, UPDATE ON "knowledge_documents" TO foresight_app;
-- who sees what of "knowledge_chunks"
ALTER TABLE "knowledge_chunks" ENABLE ROW LEVEL SECURITY;
ALTER TABLE "knowledge_chunks" FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON "knowledge_chunks" TO foresight_app USING ("tenant_id" = (SELECT nullif(current_setting('app.tenant_id', true), '')::uuid)) WITH CHECK ("tenant_id" = (SELECT nullif(current_setting('app.tenant_id', true), '')::uuid));
GRANT SELECT, INSERT, UPDATE, DELETE ON "knowledge_chunks" TO foresight_app;
-- who sees what of "maintenance_work_orders"
ALTER TABLE "maintenance_work_orders" ENABLE ROW LEVEL SECURITY;
ALTER TABLE "maintenance_work_orders" FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON "maintenance_work_orders" TO foresight_app USING ("tenant_id" = (SELECT nullif(current_setting('app.tenant_id', true), '')::uuid)) WITH CHECK ("tenant_id" = (SELECT nullif(current_setting('app.tenant_id', true), '')::uuid));
GRANT SELECT, INSERT, UPDATE ON "maintenance_work_orders" TO foresight_app;
-- who sees what of "maintenance_records"
ALTER TABLE "maintenance_records" ENABLE ROW LEVEL SECURITY;
ALTER TABLE "maintenance_records" FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON "maintenance_records" TO foresight_app USING ("tenant_id" = (SELECT nullif(current_setting('app.tenant_id', true), '')::uuid)) WITH CHECK ("tenant_id" = (SELECT nullif(current_setting('app.tenant_id', true), '')::uuid));
GRANT SELECT, INSERT, UPDATE, DELETE ON "maintenance_records" TO foresight_app;
-- who sees what of "messages"
ALTER TABLE "messages" ENABLE ROW LEVEL SECURITY;
ALTER TABLE "messages" FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON "messages" TO foresight_app USING ("tenant_id" = (SELECT nullif(current_setting('app.tenant_id', true), '')::uuid)) WITH CHECK ("tenant_id" = (SELECT nullif(current_setting('app.tenant_id', true), '')::uuid));
GRANT SELECT, INSERT, UPDATE, DELETE ON "messages" TO foresight_app;
-- who sees what of "notification_logs"
ALTER TABLE "notification_logs" ENABLE ROW LEVEL SECURITY;
ALTER TABLE "notification_logs" FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON "notification_logs" TO foresight_app USING ("tenant_id" = (SELECT nullif(current_setting('app.tenant_id', true), '')::uuid)) WITH CHECK ("tenant_id" = (SELECT nullif(current_setting('app.tenant_id', true), '')::uuid));
GRANT SELECT, INSERT, UPDATE (status, attempts, sent_at, error) ON "notification_logs" TO foresight_app;
-- who sees what of "password_resets"
ALTER TABLE "password_resets" ENABLE ROW LEVEL SECURITY;
ALTER TABLE "password_resets" FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON "password_resets" TO foresight_app USING ("tenant_id" = (SELECT nullif(current_setting('app.tenant_id', true), '')::uuid)) WITH CHECK ("tenant_id" = (SELECT nullif(current_setting('app.tenant_id', true), '')::uuid));
GRANT SELECT, INSERT, UPDATE, DELETE ON "password_resets" TO foresight_app;
-- who sees what of "permissions"
ALTER TABLE "permissions" ENABLE ROW LEVEL SECURITY;
ALTER TABLE "permissions" FORCE ROW LEVEL SECURITY;
CREATE POLICY built_in_read ON "permissions" FOR SELECT TO foresight_app USING (true);
CREATE POLICY built_in_upkeep ON "permissions" TO CURRENT_USER USING (true) WITH CHECK (true);
GRANT SELECT ON "permissions" TO foresight_app;
-- who sees what of "roles"
ALTER TABLE "roles" ENABLE ROW LEVEL SECURITY;
ALTER TABLE "roles" FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON "roles" TO foresight_app USING ("tenant_id" = (SELECT nullif(current_setting('app.tenant_id', true), '')::uuid)) WITH CHECK ("tenant_id" = (SELECT nullif(current_setting('app.tenant_id', true), '')::uuid));
GRANT SELECT, INSERT, UPDATE, DELETE ON "roles" TO foresight_app;
-- who sees what of "role_permissions"
ALTER TABLE "role_permissions" ENABLE ROW LEVEL SECURITY;
ALTER TABLE "role_permissions" FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON "role_permissions" TO foresight_app USING ("tenant_id" = (SELECT nullif(current_setting('app.tenant_id', true), '')::uuid)) WITH CHECK ("tenant_id" = (SELECT nullif(current_setting('app.tenant_id', true), '')::uuid));
GRANT SELECT, INSERT, UPDATE, DELETE ON "role_permissions" TO foresight_app;
-- who sees what of "user_identities"
ALTER TABLE "user_identities" ENABLE ROW LEVEL SECURITY;
ALTER TABLE "user_identities" FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON "user_identities" TO foresight_app USING ("tenant_id" = (SELECT nullif(current_setting('app.tenant_id', true), '')::uuid)) WITH CHECK ("tenant_id" = (SELECT nullif(current_setting('app.tenant_id', true), '')::uuid));
GRANT SELECT, INSERT, UPDATE, DELETE ON "user_identities" TO foresight_app;
-- who sees what of "user_roles"
ALTER TABLE "user_roles" ENABLE ROW LEVEL SECURITY;
ALTER TABLE "user_roles" FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON "user_roles" TO foresight_app USING ("tenant_id" = (SELECT nullif(current_setting('app.tenant_id', true), '')::uuid)) WITH CHECK ("tenant_id" = (SELECT nullif(current_setting('app.tenant_id', true), '')::uuid));
GRANT SELECT, INSERT, UPDATE, DELETE ON "user_roles" TO foresight_app;
-- who sees what of "user_settings"
ALTER TABLE "user_settings" ENABLE ROW LEVEL SECURITY;
ALTER TABLE "user_settings" FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON "user_settings" TO foresight_app USING ("tenant_id" = (SELECT nullif(current_setting('app.tenant_id', true), '')::uuid)) WITH CHECK ("tenant_id" = (SELECT nullif(current_setting('app.tenant_id', true), '')::uuid));
GRANT SELECT, INSERT, UPDATE, DELETE ON "user_settings" TO foresight_app;
-- who sees what of "webhooks"
ALTER TABLE "webhooks" ENABLE ROW LEVEL SECURITY;
ALTER TABLE "webhooks" FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON "webhooks" TO foresight_app USING ("tenant_id" = (SELECT nullif(current_setting('app.tenant_id', true), '')::uuid)) WITH CHECK ("tenant_id" = (SELECT nullif(current_setting('app.tenant_id', true), '')::uuid));
GRANT SELECT, INSERT, UPDATE, DELETE ON "webhooks" TO foresight_app;

-- +goose Down
-- reverse: create index "webhook_tenant_id_name" to table: "webhooks"
DROP INDEX "webhook_tenant_id_name";
-- reverse: create "webhooks" table
DROP TABLE "webhooks";
-- reverse: create index "usersettings_tenant_id_user_id" to table: "user_settings"
DROP INDEX "usersettings_tenant_id_user_id";
-- reverse: create "user_settings" table
DROP TABLE "user_settings";
-- reverse: create index "userrole_tenant_id_role_id" to table: "user_roles"
DROP INDEX "userrole_tenant_id_role_id";
-- reverse: create index "user_roles_once_nulls_not_distinct" to table: "user_roles"
DROP INDEX "user_roles_once_nulls_not_distinct";
-- reverse: create "user_roles" table
DROP TABLE "user_roles";
-- reverse: create index "useridentity_tenant_id_user_id" to table: "user_identities"
DROP INDEX "useridentity_tenant_id_user_id";
-- reverse: create index "useridentity_issuer_subject" to table: "user_identities"
DROP INDEX "useridentity_issuer_subject";
-- reverse: create "user_identities" table
DROP TABLE "user_identities";
-- reverse: create index "rolepermission_tenant_id_role_id_permission_id" to table: "role_permissions"
DROP INDEX "rolepermission_tenant_id_role_id_permission_id";
-- reverse: create "role_permissions" table
DROP TABLE "role_permissions";
-- reverse: create index "role_tenant_id_name" to table: "roles"
DROP INDEX "role_tenant_id_name";
-- reverse: create "roles" table
DROP TABLE "roles";
-- reverse: create index "permission_resource_action" to table: "permissions"
DROP INDEX "permission_resource_action";
-- reverse: create "permissions" table
DROP TABLE "permissions";
-- reverse: create index "passwordreset_tenant_id_user_id" to table: "password_resets"
DROP INDEX "passwordreset_tenant_id_user_id";
-- reverse: create index "passwordreset_expires_at" to table: "password_resets"
DROP INDEX "passwordreset_expires_at";
-- reverse: create index "password_resets_token_hash_key" to table: "password_resets"
DROP INDEX "password_resets_token_hash_key";
-- reverse: create "password_resets" table
DROP TABLE "password_resets";
-- reverse: create index "notificationlog_tenant_id_event_id" to table: "notification_logs"
DROP INDEX "notificationlog_tenant_id_event_id";
-- reverse: create index "notificationlog_tenant_id_created_at" to table: "notification_logs"
DROP INDEX "notificationlog_tenant_id_created_at";
-- reverse: create index "notificationlog_tenant_id_channel_id_created_at" to table: "notification_logs"
DROP INDEX "notificationlog_tenant_id_channel_id_created_at";
-- reverse: create "notification_logs" table
DROP TABLE "notification_logs";
-- reverse: create index "message_tenant_id_conversation_id_at" to table: "messages"
DROP INDEX "message_tenant_id_conversation_id_at";
-- reverse: create "messages" table
DROP TABLE "messages";
-- reverse: create index "maintenancerecord_tenant_id_work_order_id" to table: "maintenance_records"
DROP INDEX "maintenancerecord_tenant_id_work_order_id";
-- reverse: create index "maintenancerecord_tenant_id_source_external_ref" to table: "maintenance_records"
DROP INDEX "maintenancerecord_tenant_id_source_external_ref";
-- reverse: create index "maintenancerecord_tenant_id_asset_id_performed_at" to table: "maintenance_records"
DROP INDEX "maintenancerecord_tenant_id_asset_id_performed_at";
-- reverse: create "maintenance_records" table
DROP TABLE "maintenance_records";
-- reverse: create index "maintenanceworkorder_tenant_id_work_number" to table: "maintenance_work_orders"
DROP INDEX "maintenanceworkorder_tenant_id_work_number";
-- reverse: create index "maintenanceworkorder_tenant_id_status_due_at" to table: "maintenance_work_orders"
DROP INDEX "maintenanceworkorder_tenant_id_status_due_at";
-- reverse: create index "maintenanceworkorder_tenant_id_external_ref" to table: "maintenance_work_orders"
DROP INDEX "maintenanceworkorder_tenant_id_external_ref";
-- reverse: create index "maintenanceworkorder_tenant_id_assigned_to_status" to table: "maintenance_work_orders"
DROP INDEX "maintenanceworkorder_tenant_id_assigned_to_status";
-- reverse: create index "maintenanceworkorder_tenant_id_asset_id_created_at" to table: "maintenance_work_orders"
DROP INDEX "maintenanceworkorder_tenant_id_asset_id_created_at";
-- reverse: create index "maintenance_work_orders_one_of_event" to table: "maintenance_work_orders"
DROP INDEX "maintenance_work_orders_one_of_event";
-- reverse: create "maintenance_work_orders" table
DROP TABLE "maintenance_work_orders";
-- reverse: create index "knowledgechunk_tenant_id_document_id_ordinal" to table: "knowledge_chunks"
DROP INDEX "knowledgechunk_tenant_id_document_id_ordinal";
-- reverse: create "knowledge_chunks" table
DROP TABLE "knowledge_chunks";
-- reverse: create index "knowledgedocument_tenant_id_content_hash" to table: "knowledge_documents"
DROP INDEX "knowledgedocument_tenant_id_content_hash";
-- reverse: create "knowledge_documents" table
DROP TABLE "knowledge_documents";
-- reverse: create index "invites_token_hash_key" to table: "invites"
DROP INDEX "invites_token_hash_key";
-- reverse: create index "invite_tenant_id_email" to table: "invites"
DROP INDEX "invite_tenant_id_email";
-- reverse: create "invites" table
DROP TABLE "invites";
-- reverse: create index "importrun_tenant_id_connector_id_started_at" to table: "import_runs"
DROP INDEX "importrun_tenant_id_connector_id_started_at";
-- reverse: create "import_runs" table
DROP TABLE "import_runs";
-- reverse: create index "idempotencykey_tenant_id_actor_id_key" to table: "idempotency_keys"
DROP INDEX "idempotencykey_tenant_id_actor_id_key";
-- reverse: create index "idempotencykey_expires_at" to table: "idempotency_keys"
DROP INDEX "idempotencykey_expires_at";
-- reverse: create "idempotency_keys" table
DROP TABLE "idempotency_keys";
-- reverse: create index "feedback_tenant_id_prediction_id" to table: "feedback"
DROP INDEX "feedback_tenant_id_prediction_id";
-- reverse: create index "feedback_tenant_id_model_version_id_at" to table: "feedback"
DROP INDEX "feedback_tenant_id_model_version_id_at";
-- reverse: create index "feedback_tenant_id_at" to table: "feedback"
DROP INDEX "feedback_tenant_id_at";
-- reverse: create index "feedback_tenant_id_asset_id_at" to table: "feedback"
DROP INDEX "feedback_tenant_id_asset_id_at";
-- reverse: create "feedback" table
DROP TABLE "feedback";
-- reverse: create index "faultaction_tenant_id_user_id" to table: "fault_actions"
DROP INDEX "faultaction_tenant_id_user_id";
-- reverse: create "fault_actions" table
DROP TABLE "fault_actions";
-- reverse: create index "failureprediction_tenant_id_predicted_at" to table: "failure_predictions"
DROP INDEX "failureprediction_tenant_id_predicted_at";
-- reverse: create index "failureprediction_tenant_id_model_version_id_predicted_at" to table: "failure_predictions"
DROP INDEX "failureprediction_tenant_id_model_version_id_predicted_at";
-- reverse: create index "failureprediction_tenant_id_asset_id_predicted_at" to table: "failure_predictions"
DROP INDEX "failureprediction_tenant_id_asset_id_predicted_at";
-- reverse: create "failure_predictions" table
DROP TABLE "failure_predictions";
-- reverse: create index "exportjob_tenant_id_created_at" to table: "export_jobs"
DROP INDEX "exportjob_tenant_id_created_at";
-- reverse: create index "exportjob_tenant_id_by" to table: "export_jobs"
DROP INDEX "exportjob_tenant_id_by";
-- reverse: create "export_jobs" table
DROP TABLE "export_jobs";
-- reverse: create index "driftreport_tenant_id_model_version_id_created_at" to table: "drift_reports"
DROP INDEX "driftreport_tenant_id_model_version_id_created_at";
-- reverse: create "drift_reports" table
DROP TABLE "drift_reports";
-- reverse: create index "conversation_tenant_id_user_id_updated_at" to table: "conversations"
DROP INDEX "conversation_tenant_id_user_id_updated_at";
-- reverse: create index "conversation_tenant_id_asset_id" to table: "conversations"
DROP INDEX "conversation_tenant_id_asset_id";
-- reverse: create "conversations" table
DROP TABLE "conversations";
-- reverse: create index "connector_tenant_id_name" to table: "connectors"
DROP INDEX "connector_tenant_id_name";
-- reverse: create "connectors" table
DROP TABLE "connectors";
-- reverse: create index "auditlog_tenant_id_entity_entity_id_at" to table: "audit_logs"
DROP INDEX "auditlog_tenant_id_entity_entity_id_at";
-- reverse: create index "auditlog_tenant_id_at" to table: "audit_logs"
DROP INDEX "auditlog_tenant_id_at";
-- reverse: create index "auditlog_tenant_id_actor_id_at" to table: "audit_logs"
DROP INDEX "auditlog_tenant_id_actor_id_at";
-- reverse: create "audit_logs" table
DROP TABLE "audit_logs";
-- reverse: create index "assetmodelversion_tenant_id_model_version_id" to table: "asset_model_versions"
DROP INDEX "assetmodelversion_tenant_id_model_version_id";
-- reverse: create index "assetmodelversion_tenant_id_asset_id_deployment_start" to table: "asset_model_versions"
DROP INDEX "assetmodelversion_tenant_id_asset_id_deployment_start";
-- reverse: create index "asset_model_versions_one_in_production" to table: "asset_model_versions"
DROP INDEX "asset_model_versions_one_in_production";
-- reverse: create "asset_model_versions" table
DROP TABLE "asset_model_versions";
-- reverse: modify "ml_model_versions" table
ALTER TABLE "ml_model_versions" DROP CONSTRAINT "ml_model_versions_training_runs_training_run";
-- reverse: create index "trainingrun_tenant_id_model_id_created_at" to table: "training_runs"
DROP INDEX "trainingrun_tenant_id_model_id_created_at";
-- reverse: create index "training_runs_one_at_work" to table: "training_runs"
DROP INDEX "training_runs_one_at_work";
-- reverse: create "training_runs" table
DROP TABLE "training_runs";
-- reverse: create index "assethealth_tenant_id_site_id_calculated_at" to table: "asset_health"
DROP INDEX "assethealth_tenant_id_site_id_calculated_at";
-- reverse: create index "assethealth_tenant_id_asset_id_calculated_at" to table: "asset_health"
DROP INDEX "assethealth_tenant_id_asset_id_calculated_at";
-- reverse: create "asset_health" table
DROP TABLE "asset_health";
-- reverse: create index "assetfeatures_tenant_id_day" to table: "asset_features"
DROP INDEX "assetfeatures_tenant_id_day";
-- reverse: create index "assetfeatures_tenant_id_asset_id_day_feature_schema_hash" to table: "asset_features"
DROP INDEX "assetfeatures_tenant_id_asset_id_day_feature_schema_hash";
-- reverse: create "asset_features" table
DROP TABLE "asset_features";
-- reverse: create index "apikey_tenant_id_name" to table: "api_keys"
DROP INDEX "apikey_tenant_id_name";
-- reverse: create index "api_keys_prefix_key" to table: "api_keys"
DROP INDEX "api_keys_prefix_key";
-- reverse: create "api_keys" table
DROP TABLE "api_keys";
-- reverse: create index "alarmshelf_tenant_id_until" to table: "alarm_shelves"
DROP INDEX "alarmshelf_tenant_id_until";
-- reverse: create index "alarmshelf_tenant_id_sensor_id" to table: "alarm_shelves"
DROP INDEX "alarmshelf_tenant_id_sensor_id";
-- reverse: create index "alarmshelf_tenant_id_rule_id" to table: "alarm_shelves"
DROP INDEX "alarmshelf_tenant_id_rule_id";
-- reverse: create index "alarmshelf_tenant_id_asset_id" to table: "alarm_shelves"
DROP INDEX "alarmshelf_tenant_id_asset_id";
-- reverse: create "alarm_shelves" table
DROP TABLE "alarm_shelves";
-- reverse: create index "alarmrulechannel_tenant_id_rule_id_channel_id" to table: "alarm_rule_channels"
DROP INDEX "alarmrulechannel_tenant_id_rule_id_channel_id";
-- reverse: create index "alarmrulechannel_tenant_id_channel_id" to table: "alarm_rule_channels"
DROP INDEX "alarmrulechannel_tenant_id_channel_id";
-- reverse: create "alarm_rule_channels" table
DROP TABLE "alarm_rule_channels";
-- reverse: create index "notificationchannel_tenant_id_name" to table: "notification_channels"
DROP INDEX "notificationchannel_tenant_id_name";
-- reverse: create "notification_channels" table
DROP TABLE "notification_channels";
