-- +goose Up
-- create "alarm_events" table
CREATE TABLE "alarm_events" (
  "id" uuid NOT NULL,
  "tenant_id" uuid NOT NULL,
  "prediction_id" uuid NULL,
  "fault_code" text NULL,
  "severity" text NOT NULL,
  "triggered_value" double precision NOT NULL,
  "triggered_at" timestamptz NOT NULL,
  "last_triggered_at" timestamptz NOT NULL,
  "occurrences" bigint NOT NULL DEFAULT 1,
  "cleared_at" timestamptz NULL,
  "status" text NOT NULL DEFAULT 'open',
  "acknowledged_by" uuid NULL,
  "acknowledged_at" timestamptz NULL,
  "resolved_by" uuid NULL,
  "resolved_at" timestamptz NULL,
  "correction_plan" text NULL,
  "site_id" uuid NOT NULL,
  "asset_id" uuid NOT NULL,
  "sensor_id" uuid NULL,
  "rule_id" uuid NOT NULL,
  "model_version_id" uuid NULL,
  PRIMARY KEY ("id"),
  CONSTRAINT "alarm_events_tenant_id_id_key" UNIQUE ("tenant_id", "id"),
  CONSTRAINT "alarm_events_correction_plan_length" CHECK (char_length(correction_plan) <= 4000),
  CONSTRAINT "alarm_events_fault_code_length" CHECK (char_length(fault_code) <= 100),
  CONSTRAINT "alarm_events_occurrences_sign" CHECK (occurrences >= 1),
  CONSTRAINT "alarm_events_severity_enum" CHECK (severity = ANY (ARRAY['low'::text, 'medium'::text, 'high'::text, 'critical'::text])),
  CONSTRAINT "alarm_events_status_enum" CHECK (status = ANY (ARRAY['open'::text, 'acknowledged'::text, 'cleared'::text, 'resolved'::text]))
);
-- create index "alarm_events_active_sensor" to table: "alarm_events"
CREATE INDEX "alarm_events_active_sensor" ON "alarm_events" ("tenant_id", "sensor_id") WHERE (status = ANY (ARRAY['open'::text, 'acknowledged'::text, 'cleared'::text]));
-- create index "alarm_events_one_active_nulls_not_distinct" to table: "alarm_events"
CREATE UNIQUE INDEX "alarm_events_one_active_nulls_not_distinct" ON "alarm_events" ("tenant_id", "rule_id", "asset_id", "sensor_id") NULLS NOT DISTINCT WHERE (status = ANY (ARRAY['open'::text, 'acknowledged'::text, 'cleared'::text]));
-- create index "alarmevent_tenant_id_asset_id_triggered_at" to table: "alarm_events"
CREATE INDEX "alarmevent_tenant_id_asset_id_triggered_at" ON "alarm_events" ("tenant_id", "asset_id", "triggered_at" DESC);
-- create index "alarmevent_tenant_id_site_id_triggered_at" to table: "alarm_events"
CREATE INDEX "alarmevent_tenant_id_site_id_triggered_at" ON "alarm_events" ("tenant_id", "site_id", "triggered_at" DESC);
-- create index "alarmevent_tenant_id_status_triggered_at" to table: "alarm_events"
CREATE INDEX "alarmevent_tenant_id_status_triggered_at" ON "alarm_events" ("tenant_id", "status", "triggered_at" DESC);
-- create index "alarmevent_tenant_id_triggered_at" to table: "alarm_events"
CREATE INDEX "alarmevent_tenant_id_triggered_at" ON "alarm_events" ("tenant_id", "triggered_at" DESC);
-- create "alarm_rules" table
CREATE TABLE "alarm_rules" (
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
  "asset_type" text NULL,
  "parameter" text NOT NULL,
  "operator" text NOT NULL,
  "threshold" double precision NOT NULL,
  "fault_codes" jsonb NOT NULL DEFAULT '[]',
  "only_in_distribution" boolean NOT NULL DEFAULT false,
  "severity" text NOT NULL,
  "deadband" double precision NOT NULL DEFAULT 0,
  "on_delay_sec" bigint NOT NULL DEFAULT 0,
  "off_delay_sec" bigint NOT NULL DEFAULT 0,
  "min_consecutive" bigint NOT NULL DEFAULT 1,
  "latching" boolean NOT NULL DEFAULT false,
  "remind_every_min" bigint NULL,
  "escalate_after_min" bigint NULL,
  "escalate_to" jsonb NOT NULL DEFAULT '[]',
  "site_id" uuid NULL,
  "asset_id" uuid NULL,
  "sensor_id" uuid NULL,
  PRIMARY KEY ("id"),
  CONSTRAINT "alarm_rules_tenant_id_id_key" UNIQUE ("tenant_id", "id"),
  CONSTRAINT "alarm_rules_asset_type_enum" CHECK (asset_type = ANY (ARRAY['motor'::text, 'pump'::text, 'pump_set'::text, 'compressor'::text, 'fan'::text, 'blower'::text, 'gearbox'::text, 'turbine'::text, 'generator'::text, 'conveyor'::text, 'mixer'::text, 'other'::text])),
  CONSTRAINT "alarm_rules_deadband_sign" CHECK (deadband >= (0)::double precision),
  CONSTRAINT "alarm_rules_delays_sign" CHECK ((on_delay_sec >= 0) AND (off_delay_sec >= 0)),
  CONSTRAINT "alarm_rules_escalate_after_sign" CHECK (escalate_after_min > 0),
  CONSTRAINT "alarm_rules_min_consecutive_sign" CHECK (min_consecutive >= 1),
  CONSTRAINT "alarm_rules_name_length" CHECK (char_length(name) <= 200),
  CONSTRAINT "alarm_rules_operator_enum" CHECK (operator = ANY (ARRAY['gt'::text, 'gte'::text, 'lt'::text, 'lte'::text, 'eq'::text])),
  CONSTRAINT "alarm_rules_parameter_length" CHECK (char_length(parameter) <= 100),
  CONSTRAINT "alarm_rules_remind_every_sign" CHECK (remind_every_min > 0),
  CONSTRAINT "alarm_rules_severity_enum" CHECK (severity = ANY (ARRAY['low'::text, 'medium'::text, 'high'::text, 'critical'::text]))
);
-- create index "alarmrule_tenant_id_asset_id" to table: "alarm_rules"
CREATE INDEX "alarmrule_tenant_id_asset_id" ON "alarm_rules" ("tenant_id", "asset_id");
-- create index "alarmrule_tenant_id_name" to table: "alarm_rules"
CREATE INDEX "alarmrule_tenant_id_name" ON "alarm_rules" ("tenant_id", "name");
-- create index "alarmrule_tenant_id_sensor_id" to table: "alarm_rules"
CREATE INDEX "alarmrule_tenant_id_sensor_id" ON "alarm_rules" ("tenant_id", "sensor_id");
-- create index "alarmrule_tenant_id_site_id" to table: "alarm_rules"
CREATE INDEX "alarmrule_tenant_id_site_id" ON "alarm_rules" ("tenant_id", "site_id");
-- create "alarm_transitions" table
CREATE TABLE "alarm_transitions" (
  "id" uuid NOT NULL,
  "tenant_id" uuid NOT NULL,
  "seq" bigint NOT NULL,
  "from_status" text NULL,
  "to_status" text NOT NULL,
  "by" uuid NULL,
  "note" text NULL,
  "at" timestamptz NOT NULL DEFAULT now(),
  "event_id" uuid NOT NULL,
  PRIMARY KEY ("id"),
  CONSTRAINT "alarm_transitions_tenant_id_id_key" UNIQUE ("tenant_id", "id"),
  CONSTRAINT "alarm_transitions_from_status_enum" CHECK (from_status = ANY (ARRAY['open'::text, 'acknowledged'::text, 'cleared'::text, 'resolved'::text])),
  CONSTRAINT "alarm_transitions_note_length" CHECK (char_length(note) <= 2000),
  CONSTRAINT "alarm_transitions_seq_sign" CHECK (seq >= 1),
  CONSTRAINT "alarm_transitions_to_status_enum" CHECK (to_status = ANY (ARRAY['open'::text, 'acknowledged'::text, 'cleared'::text, 'resolved'::text]))
);
-- create index "alarmtransition_tenant_id_event_id" to table: "alarm_transitions"
CREATE INDEX "alarmtransition_tenant_id_event_id" ON "alarm_transitions" ("tenant_id", "event_id");
-- create index "alarmtransition_tenant_id_seq" to table: "alarm_transitions"
CREATE UNIQUE INDEX "alarmtransition_tenant_id_seq" ON "alarm_transitions" ("tenant_id", "seq");
-- create "assets" table
CREATE TABLE "assets" (
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
  "asset_code" text NOT NULL,
  "name" text NOT NULL,
  "asset_type" text NOT NULL,
  "criticality" text NOT NULL DEFAULT 'medium',
  "manufacturer" text NULL,
  "model" text NULL,
  "serial_number" text NULL,
  "installed_on" date NULL,
  "location" text NULL,
  "image_path" text NULL,
  "iso_machine_group" bigint NULL,
  "iso_support_type" text NULL,
  "rated_power_kw" double precision NULL,
  "replacement_cost" double precision NULL,
  "downtime_cost_per_hour" double precision NULL,
  "external_ref" text NULL,
  "site_id" uuid NOT NULL,
  "gateway_id" uuid NULL,
  "parent_id" uuid NULL,
  PRIMARY KEY ("id"),
  CONSTRAINT "assets_tenant_id_id_key" UNIQUE ("tenant_id", "id"),
  CONSTRAINT "assets_assets_children" FOREIGN KEY ("tenant_id", "parent_id") REFERENCES "assets" ("tenant_id", "id") ON UPDATE NO ACTION ON DELETE NO ACTION,
  CONSTRAINT "assets_asset_code_form" CHECK (asset_code ~ '^[a-z0-9_-]{1,100}$'::text),
  CONSTRAINT "assets_asset_code_length" CHECK (char_length(asset_code) <= 100),
  CONSTRAINT "assets_asset_type_enum" CHECK (asset_type = ANY (ARRAY['motor'::text, 'pump'::text, 'pump_set'::text, 'compressor'::text, 'fan'::text, 'blower'::text, 'gearbox'::text, 'turbine'::text, 'generator'::text, 'conveyor'::text, 'mixer'::text, 'other'::text])),
  CONSTRAINT "assets_criticality_enum" CHECK (criticality = ANY (ARRAY['low'::text, 'medium'::text, 'high'::text, 'critical'::text])),
  CONSTRAINT "assets_downtime_cost_sign" CHECK (downtime_cost_per_hour >= (0)::double precision),
  CONSTRAINT "assets_external_ref_length" CHECK (char_length(external_ref) <= 200),
  CONSTRAINT "assets_image_path_length" CHECK (char_length(image_path) <= 500),
  CONSTRAINT "assets_iso_machine_group_1_2" CHECK (iso_machine_group = ANY (ARRAY[(1)::bigint, (2)::bigint])),
  CONSTRAINT "assets_iso_support_type_enum" CHECK (iso_support_type = ANY (ARRAY['rigid'::text, 'flexible'::text])),
  CONSTRAINT "assets_location_length" CHECK (char_length(location) <= 200),
  CONSTRAINT "assets_manufacturer_length" CHECK (char_length(manufacturer) <= 200),
  CONSTRAINT "assets_model_length" CHECK (char_length(model) <= 200),
  CONSTRAINT "assets_name_length" CHECK (char_length(name) <= 200),
  CONSTRAINT "assets_not_its_own_parent" CHECK (parent_id <> id),
  CONSTRAINT "assets_rated_power_kw_sign" CHECK (rated_power_kw >= (0)::double precision),
  CONSTRAINT "assets_replacement_cost_sign" CHECK (replacement_cost >= (0)::double precision),
  CONSTRAINT "assets_serial_number_length" CHECK (char_length(serial_number) <= 100)
);
-- create index "asset_tenant_id_asset_code" to table: "assets"
CREATE UNIQUE INDEX "asset_tenant_id_asset_code" ON "assets" ("tenant_id", "asset_code") WHERE (NOT is_deleted);
-- create index "asset_tenant_id_external_ref" to table: "assets"
CREATE UNIQUE INDEX "asset_tenant_id_external_ref" ON "assets" ("tenant_id", "external_ref") WHERE (NOT is_deleted);
-- create index "asset_tenant_id_gateway_id" to table: "assets"
CREATE INDEX "asset_tenant_id_gateway_id" ON "assets" ("tenant_id", "gateway_id");
-- create index "asset_tenant_id_parent_id" to table: "assets"
CREATE INDEX "asset_tenant_id_parent_id" ON "assets" ("tenant_id", "parent_id");
-- create index "asset_tenant_id_site_id" to table: "assets"
CREATE INDEX "asset_tenant_id_site_id" ON "assets" ("tenant_id", "site_id");
-- create "fault_types" table
CREATE TABLE "fault_types" (
  "id" uuid NOT NULL,
  "tenant_id" uuid NULL,
  "is_active" boolean NOT NULL DEFAULT true,
  "created_at" timestamptz NOT NULL DEFAULT now(),
  "created_by" uuid NULL,
  "updated_at" timestamptz NOT NULL DEFAULT now(),
  "updated_by" uuid NULL,
  "version" bigint NOT NULL DEFAULT 1,
  "code" text NOT NULL,
  "family" text NOT NULL,
  "iso14224_code" text NULL,
  "default_severity" text NOT NULL DEFAULT 'medium',
  "aliases" jsonb NOT NULL DEFAULT '[]',
  "labels" jsonb NOT NULL DEFAULT '{}',
  PRIMARY KEY ("id"),
  CONSTRAINT "fault_types_code_form" CHECK (code ~ '^[a-z0-9_-]{1,100}$'::text),
  CONSTRAINT "fault_types_code_length" CHECK (char_length(code) <= 100),
  CONSTRAINT "fault_types_default_severity_enum" CHECK (default_severity = ANY (ARRAY['low'::text, 'medium'::text, 'high'::text, 'critical'::text])),
  CONSTRAINT "fault_types_family_enum" CHECK (family = ANY (ARRAY['healthy'::text, 'bearing'::text, 'rotor_and_shaft'::text, 'electrical'::text, 'pump_and_hydraulic'::text, 'instrumentation'::text, 'other'::text])),
  CONSTRAINT "fault_types_iso14224_code_length" CHECK (char_length(iso14224_code) <= 10)
);
-- create index "fault_types_code_nulls_not_distinct" to table: "fault_types"
CREATE UNIQUE INDEX "fault_types_code_nulls_not_distinct" ON "fault_types" ("tenant_id", "code") NULLS NOT DISTINCT;
-- create "gateways" table
CREATE TABLE "gateways" (
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
  "gateway_code" text NOT NULL,
  "ip_address" text NULL,
  "firmware_version" text NULL,
  "mqtt_username" text NULL,
  "mqtt_password_hash" text NULL,
  "site_id" uuid NOT NULL,
  PRIMARY KEY ("id"),
  CONSTRAINT "gateways_tenant_id_id_key" UNIQUE ("tenant_id", "id"),
  CONSTRAINT "gateways_firmware_version_length" CHECK (char_length(firmware_version) <= 100),
  CONSTRAINT "gateways_gateway_code_form" CHECK (gateway_code ~ '^[a-z0-9_-]{1,100}$'::text),
  CONSTRAINT "gateways_gateway_code_length" CHECK (char_length(gateway_code) <= 100),
  CONSTRAINT "gateways_ip_address_length" CHECK (char_length(ip_address) <= 45),
  CONSTRAINT "gateways_mqtt_password_hash_length" CHECK (char_length(mqtt_password_hash) <= 255),
  CONSTRAINT "gateways_mqtt_username_length" CHECK (char_length(mqtt_username) <= 100)
);
-- create index "gateway_mqtt_username" to table: "gateways"
CREATE UNIQUE INDEX "gateway_mqtt_username" ON "gateways" ("mqtt_username") WHERE (NOT is_deleted);
-- create index "gateway_tenant_id_gateway_code" to table: "gateways"
CREATE UNIQUE INDEX "gateway_tenant_id_gateway_code" ON "gateways" ("tenant_id", "gateway_code") WHERE (NOT is_deleted);
-- create index "gateway_tenant_id_site_id" to table: "gateways"
CREATE INDEX "gateway_tenant_id_site_id" ON "gateways" ("tenant_id", "site_id");
-- create "ml_models" table
CREATE TABLE "ml_models" (
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
  "description" text NOT NULL DEFAULT '',
  "type" text NOT NULL,
  "feature_schema" text NOT NULL,
  PRIMARY KEY ("id"),
  CONSTRAINT "ml_models_tenant_id_id_key" UNIQUE ("tenant_id", "id"),
  CONSTRAINT "ml_models_description_length" CHECK (char_length(description) <= 2000),
  CONSTRAINT "ml_models_feature_schema_length" CHECK (char_length(feature_schema) <= 100),
  CONSTRAINT "ml_models_name_length" CHECK (char_length(name) <= 100),
  CONSTRAINT "ml_models_type_enum" CHECK (type = ANY (ARRAY['fault_classification'::text, 'failure_prediction'::text, 'rul'::text]))
);
-- create index "mlmodel_tenant_id_name" to table: "ml_models"
CREATE UNIQUE INDEX "mlmodel_tenant_id_name" ON "ml_models" ("tenant_id", "name") WHERE (NOT is_deleted);
-- create "ml_model_deployments" table
CREATE TABLE "ml_model_deployments" (
  "id" uuid NOT NULL,
  "tenant_id" uuid NOT NULL,
  "is_production" boolean NOT NULL DEFAULT true,
  "deployment_start" timestamptz NOT NULL DEFAULT now(),
  "deployment_end" timestamptz NULL,
  "deployed_by" uuid NULL,
  "model_id" uuid NOT NULL,
  "model_version_id" uuid NOT NULL,
  "rollback_from_version_id" uuid NULL,
  PRIMARY KEY ("id"),
  CONSTRAINT "ml_model_deployments_tenant_id_id_key" UNIQUE ("tenant_id", "id"),
  CONSTRAINT "ml_model_deployments_order" CHECK (deployment_end >= deployment_start)
);
-- create index "ml_model_deployments_one_in_production" to table: "ml_model_deployments"
CREATE UNIQUE INDEX "ml_model_deployments_one_in_production" ON "ml_model_deployments" ("tenant_id", "model_id") WHERE (is_production AND (deployment_end IS NULL));
-- create index "mlmodeldeployment_tenant_id_model_id_deployment_start" to table: "ml_model_deployments"
CREATE INDEX "mlmodeldeployment_tenant_id_model_id_deployment_start" ON "ml_model_deployments" ("tenant_id", "model_id", "deployment_start");
-- create index "mlmodeldeployment_tenant_id_model_version_id" to table: "ml_model_deployments"
CREATE INDEX "mlmodeldeployment_tenant_id_model_version_id" ON "ml_model_deployments" ("tenant_id", "model_version_id");
-- create "ml_model_versions" table
CREATE TABLE "ml_model_versions" (
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
  "semantic_version" text NOT NULL,
  "full_version_label" text NOT NULL,
  "stage" text NOT NULL DEFAULT 'staging',
  "artifact_path" text NOT NULL,
  "dataset_hash" text NOT NULL,
  "feature_schema_hash" text NOT NULL,
  "training_run_id" uuid NULL,
  "decision_threshold" double precision NOT NULL DEFAULT 0.5,
  "metrics" jsonb NOT NULL DEFAULT '{}',
  "classes" jsonb NOT NULL DEFAULT '[]',
  "docker_image_tag" text NULL,
  "model_id" uuid NOT NULL,
  PRIMARY KEY ("id"),
  CONSTRAINT "ml_model_versions_tenant_id_id_key" UNIQUE ("tenant_id", "id"),
  CONSTRAINT "ml_model_versions_artifact_path_length" CHECK (char_length(artifact_path) <= 500),
  CONSTRAINT "ml_model_versions_dataset_hash_length" CHECK (char_length(dataset_hash) <= 64),
  CONSTRAINT "ml_model_versions_docker_image_tag_length" CHECK (char_length(docker_image_tag) <= 200),
  CONSTRAINT "ml_model_versions_feature_schema_hash_length" CHECK (char_length(feature_schema_hash) <= 64),
  CONSTRAINT "ml_model_versions_full_version_label_length" CHECK (char_length(full_version_label) <= 150),
  CONSTRAINT "ml_model_versions_semantic_version_length" CHECK (char_length(semantic_version) <= 32),
  CONSTRAINT "ml_model_versions_stage_enum" CHECK (stage = ANY (ARRAY['staging'::text, 'canary'::text, 'production'::text, 'archived'::text])),
  CONSTRAINT "ml_model_versions_threshold" CHECK ((decision_threshold >= (0)::double precision) AND (decision_threshold <= (1)::double precision))
);
-- create index "mlmodelversion_tenant_id_full_version_label" to table: "ml_model_versions"
CREATE UNIQUE INDEX "mlmodelversion_tenant_id_full_version_label" ON "ml_model_versions" ("tenant_id", "full_version_label") WHERE (NOT is_deleted);
-- create index "mlmodelversion_tenant_id_model_id" to table: "ml_model_versions"
CREATE INDEX "mlmodelversion_tenant_id_model_id" ON "ml_model_versions" ("tenant_id", "model_id");
-- create "memberships" table
CREATE TABLE "memberships" (
  "id" uuid NOT NULL,
  "tenant_id" uuid NOT NULL,
  "is_active" boolean NOT NULL DEFAULT true,
  "created_at" timestamptz NOT NULL DEFAULT now(),
  "created_by" uuid NULL,
  "updated_at" timestamptz NOT NULL DEFAULT now(),
  "updated_by" uuid NULL,
  "version" bigint NOT NULL DEFAULT 1,
  "user_id" uuid NOT NULL,
  "display_name" text NOT NULL,
  "role" text NOT NULL DEFAULT 'viewer',
  PRIMARY KEY ("id"),
  CONSTRAINT "memberships_tenant_id_id_key" UNIQUE ("tenant_id", "id"),
  CONSTRAINT "memberships_tenant_id_user_id_key" UNIQUE ("tenant_id", "user_id"),
  CONSTRAINT "memberships_created_by_fkey" FOREIGN KEY ("tenant_id", "created_by") REFERENCES "memberships" ("tenant_id", "user_id") ON UPDATE NO ACTION ON DELETE NO ACTION,
  CONSTRAINT "memberships_updated_by_fkey" FOREIGN KEY ("tenant_id", "updated_by") REFERENCES "memberships" ("tenant_id", "user_id") ON UPDATE NO ACTION ON DELETE NO ACTION,
  CONSTRAINT "memberships_display_name_length" CHECK (char_length(display_name) <= 200),
  CONSTRAINT "memberships_role_enum" CHECK (role = ANY (ARRAY['viewer'::text, 'operator'::text, 'engineer'::text, 'admin'::text]))
);
-- create index "membership_user_id" to table: "memberships"
CREATE INDEX "membership_user_id" ON "memberships" ("user_id");
-- create "oauth_clients" table
CREATE TABLE "oauth_clients" (
  "id" uuid NOT NULL,
  "tenant_id" uuid NOT NULL,
  "is_active" boolean NOT NULL DEFAULT true,
  "created_at" timestamptz NOT NULL DEFAULT now(),
  "created_by" uuid NULL,
  "updated_at" timestamptz NOT NULL DEFAULT now(),
  "updated_by" uuid NULL,
  "version" bigint NOT NULL DEFAULT 1,
  "name" text NOT NULL,
  "client_id" text NOT NULL,
  "secret_hash" text NOT NULL,
  "scopes" jsonb NOT NULL DEFAULT '[]',
  "last_used_at" timestamptz NULL,
  PRIMARY KEY ("id"),
  CONSTRAINT "oauth_clients_tenant_id_id_key" UNIQUE ("tenant_id", "id"),
  CONSTRAINT "oauth_clients_client_id_length" CHECK (char_length(client_id) <= 100),
  CONSTRAINT "oauth_clients_name_length" CHECK (char_length(name) <= 200),
  CONSTRAINT "oauth_clients_secret_hash_length" CHECK (char_length(secret_hash) <= 255)
);
-- create index "oauth_clients_client_id_key" to table: "oauth_clients"
CREATE UNIQUE INDEX "oauth_clients_client_id_key" ON "oauth_clients" ("client_id");
-- create "parameters" table
CREATE TABLE "parameters" (
  "id" uuid NOT NULL,
  "tenant_id" uuid NULL,
  "is_active" boolean NOT NULL DEFAULT true,
  "created_at" timestamptz NOT NULL DEFAULT now(),
  "created_by" uuid NULL,
  "updated_at" timestamptz NOT NULL DEFAULT now(),
  "updated_by" uuid NULL,
  "version" bigint NOT NULL DEFAULT 1,
  "name" text NOT NULL,
  "unit" text NOT NULL,
  "min_plausible" double precision NULL,
  "max_plausible" double precision NULL,
  "higher_is_worse" boolean NOT NULL DEFAULT true,
  PRIMARY KEY ("id"),
  CONSTRAINT "parameters_name_form" CHECK (name ~ '^[A-Za-z0-9_-]{1,100}$'::text),
  CONSTRAINT "parameters_name_length" CHECK (char_length(name) <= 100),
  CONSTRAINT "parameters_plausible_range" CHECK (min_plausible <= max_plausible),
  CONSTRAINT "parameters_unit_length" CHECK (char_length(unit) <= 32)
);
-- create index "parameters_name_nulls_not_distinct" to table: "parameters"
CREATE UNIQUE INDEX "parameters_name_nulls_not_distinct" ON "parameters" ("tenant_id", "name") NULLS NOT DISTINCT;
-- create "refresh_tokens" table
CREATE TABLE "refresh_tokens" (
  "id" uuid NOT NULL,
  "tenant_id" uuid NOT NULL,
  "user_id" uuid NOT NULL,
  "token_hash" bytea NOT NULL,
  "family_id" uuid NOT NULL,
  "created_at" timestamptz NOT NULL DEFAULT now(),
  "expires_at" timestamptz NOT NULL,
  "used_at" timestamptz NULL,
  "revoked_at" timestamptz NULL,
  PRIMARY KEY ("id"),
  CONSTRAINT "refresh_tokens_tenant_id_id_key" UNIQUE ("tenant_id", "id"),
  CONSTRAINT "refresh_tokens_token_hash_length" CHECK (octet_length(token_hash) <= 64)
);
-- create index "refresh_tokens_token_hash_key" to table: "refresh_tokens"
CREATE UNIQUE INDEX "refresh_tokens_token_hash_key" ON "refresh_tokens" ("token_hash");
-- create index "refreshtoken_expires_at" to table: "refresh_tokens"
CREATE INDEX "refreshtoken_expires_at" ON "refresh_tokens" ("expires_at");
-- create index "refreshtoken_tenant_id_family_id" to table: "refresh_tokens"
CREATE INDEX "refreshtoken_tenant_id_family_id" ON "refresh_tokens" ("tenant_id", "family_id");
-- create index "refreshtoken_tenant_id_user_id" to table: "refresh_tokens"
CREATE INDEX "refreshtoken_tenant_id_user_id" ON "refresh_tokens" ("tenant_id", "user_id");
-- create "sensors" table
CREATE TABLE "sensors" (
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
  "sensor_code" text NOT NULL,
  "sensor_type" text NOT NULL DEFAULT 'machine',
  "mount_location" text NULL,
  "mqtt_topic" text NULL,
  "position_x" double precision NOT NULL DEFAULT 50,
  "position_y" double precision NOT NULL DEFAULT 50,
  "installation_date" date NULL,
  "validation_data" jsonb NOT NULL DEFAULT '{}',
  "expected_interval_sec" bigint NULL,
  "asset_id" uuid NOT NULL,
  "gateway_id" uuid NULL,
  PRIMARY KEY ("id"),
  CONSTRAINT "sensors_tenant_id_id_key" UNIQUE ("tenant_id", "id"),
  CONSTRAINT "sensors_expected_interval_sign" CHECK (expected_interval_sec > 0),
  CONSTRAINT "sensors_mount_location_length" CHECK (char_length(mount_location) <= 200),
  CONSTRAINT "sensors_mqtt_topic_length" CHECK (char_length(mqtt_topic) <= 500),
  CONSTRAINT "sensors_position_on_image" CHECK (((position_x >= (0)::double precision) AND (position_x <= (100)::double precision)) AND ((position_y >= (0)::double precision) AND (position_y <= (100)::double precision))),
  CONSTRAINT "sensors_sensor_code_form" CHECK (sensor_code ~ '^[a-z0-9_-]{1,100}$'::text),
  CONSTRAINT "sensors_sensor_code_length" CHECK (char_length(sensor_code) <= 100),
  CONSTRAINT "sensors_sensor_type_enum" CHECK (sensor_type = ANY (ARRAY['machine'::text, 'vibration'::text, 'ultrasonic'::text, 'temperature'::text, 'pressure'::text, 'flow'::text, 'current'::text, 'speed'::text, 'humidity'::text, 'process'::text, 'other'::text]))
);
-- create index "sensor_tenant_id_asset_id" to table: "sensors"
CREATE INDEX "sensor_tenant_id_asset_id" ON "sensors" ("tenant_id", "asset_id");
-- create index "sensor_tenant_id_gateway_id" to table: "sensors"
CREATE INDEX "sensor_tenant_id_gateway_id" ON "sensors" ("tenant_id", "gateway_id");
-- create index "sensor_tenant_id_mqtt_topic" to table: "sensors"
CREATE UNIQUE INDEX "sensor_tenant_id_mqtt_topic" ON "sensors" ("tenant_id", "mqtt_topic") WHERE (NOT is_deleted);
-- create index "sensor_tenant_id_sensor_code" to table: "sensors"
CREATE UNIQUE INDEX "sensor_tenant_id_sensor_code" ON "sensors" ("tenant_id", "sensor_code") WHERE (NOT is_deleted);
-- create "sites" table
CREATE TABLE "sites" (
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
  "site_code" text NOT NULL,
  "name" text NOT NULL,
  "location" text NOT NULL DEFAULT '',
  "latitude" double precision NULL,
  "longitude" double precision NULL,
  "time_zone" text NULL,
  PRIMARY KEY ("id"),
  CONSTRAINT "sites_tenant_id_id_key" UNIQUE ("tenant_id", "id"),
  CONSTRAINT "sites_latitude_on_earth" CHECK ((latitude >= ('-90'::integer)::double precision) AND (latitude <= (90)::double precision)),
  CONSTRAINT "sites_location_length" CHECK (char_length(location) <= 200),
  CONSTRAINT "sites_longitude_on_earth" CHECK ((longitude >= ('-180'::integer)::double precision) AND (longitude <= (180)::double precision)),
  CONSTRAINT "sites_name_length" CHECK (char_length(name) <= 200),
  CONSTRAINT "sites_site_code_form" CHECK (site_code ~ '^[a-z0-9_-]{1,100}$'::text),
  CONSTRAINT "sites_site_code_length" CHECK (char_length(site_code) <= 100),
  CONSTRAINT "sites_time_zone_length" CHECK (char_length(time_zone) <= 64)
);
-- create index "site_tenant_id_site_code" to table: "sites"
CREATE UNIQUE INDEX "site_tenant_id_site_code" ON "sites" ("tenant_id", "site_code") WHERE (NOT is_deleted);
-- create "tenants" table
CREATE TABLE "tenants" (
  "id" uuid NOT NULL,
  "is_active" boolean NOT NULL DEFAULT true,
  "created_at" timestamptz NOT NULL DEFAULT now(),
  "created_by" uuid NULL,
  "updated_at" timestamptz NOT NULL DEFAULT now(),
  "updated_by" uuid NULL,
  "version" bigint NOT NULL DEFAULT 1,
  "is_deleted" boolean NOT NULL DEFAULT false,
  "deleted_at" timestamptz NULL,
  "deleted_by" uuid NULL,
  "code" text NOT NULL,
  "name" text NOT NULL,
  "plan" text NOT NULL DEFAULT 'standard',
  "default_locale" text NOT NULL DEFAULT 'en',
  "time_zone" text NOT NULL DEFAULT 'UTC',
  "currency" text NOT NULL DEFAULT 'EUR',
  "settings" jsonb NOT NULL DEFAULT '{}',
  PRIMARY KEY ("id"),
  CONSTRAINT "tenants_code_form" CHECK (code ~ '^[a-z0-9_-]{1,100}$'::text),
  CONSTRAINT "tenants_code_length" CHECK (char_length(code) <= 100),
  CONSTRAINT "tenants_currency_length" CHECK (char_length(currency) <= 3),
  CONSTRAINT "tenants_default_locale_length" CHECK (char_length(default_locale) <= 35),
  CONSTRAINT "tenants_name_length" CHECK (char_length(name) <= 200),
  CONSTRAINT "tenants_plan_enum" CHECK (plan = ANY (ARRAY['free'::text, 'standard'::text, 'enterprise'::text])),
  CONSTRAINT "tenants_time_zone_length" CHECK (char_length(time_zone) <= 64)
);
-- create index "tenants_code_key" to table: "tenants"
CREATE UNIQUE INDEX "tenants_code_key" ON "tenants" ("code");
-- create "users" table
CREATE TABLE "users" (
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
  "username" text NOT NULL,
  "email" text NOT NULL,
  "full_name" text NOT NULL,
  "password_hash" text NOT NULL,
  "role" text NOT NULL DEFAULT 'viewer',
  "locale" text NULL,
  "status" text NOT NULL DEFAULT 'active',
  "failed_logins" bigint NOT NULL DEFAULT 0,
  "locked_until" timestamptz NULL,
  "last_login_at" timestamptz NULL,
  PRIMARY KEY ("id"),
  CONSTRAINT "users_tenant_id_id_key" UNIQUE ("tenant_id", "id"),
  CONSTRAINT "users_email_length" CHECK (char_length(email) <= 320),
  CONSTRAINT "users_email_lower_case" CHECK (email = lower(email)),
  CONSTRAINT "users_full_name_length" CHECK (char_length(full_name) <= 200),
  CONSTRAINT "users_locale_length" CHECK (char_length(locale) <= 35),
  CONSTRAINT "users_password_hash_length" CHECK (char_length(password_hash) <= 255),
  CONSTRAINT "users_role_enum" CHECK (role = ANY (ARRAY['viewer'::text, 'operator'::text, 'engineer'::text, 'admin'::text])),
  CONSTRAINT "users_status_enum" CHECK (status = ANY (ARRAY['active'::text, 'invited'::text, 'disabled'::text])),
  CONSTRAINT "users_username_length" CHECK (char_length(username) <= 100)
);
-- create index "user_email" to table: "users"
CREATE INDEX "user_email" ON "users" ("email");
-- create index "user_tenant_id_email" to table: "users"
CREATE UNIQUE INDEX "user_tenant_id_email" ON "users" ("tenant_id", "email") WHERE (NOT is_deleted);
-- create index "user_tenant_id_username" to table: "users"
CREATE UNIQUE INDEX "user_tenant_id_username" ON "users" ("tenant_id", "username") WHERE (NOT is_deleted);
-- modify "alarm_events" table
ALTER TABLE "alarm_events" ADD
CONSTRAINT "alarm_events_alarm_rules_rule" FOREIGN KEY ("tenant_id", "rule_id") REFERENCES "alarm_rules" ("tenant_id", "id") ON UPDATE NO ACTION ON DELETE NO ACTION, ADD
CONSTRAINT "alarm_events_assets_asset" FOREIGN KEY ("tenant_id", "asset_id") REFERENCES "assets" ("tenant_id", "id") ON UPDATE NO ACTION ON DELETE NO ACTION, ADD
CONSTRAINT "alarm_events_ml_model_versions_model_version" FOREIGN KEY ("tenant_id", "model_version_id") REFERENCES "ml_model_versions" ("tenant_id", "id") ON UPDATE NO ACTION ON DELETE NO ACTION, ADD
CONSTRAINT "alarm_events_sensors_sensor" FOREIGN KEY ("tenant_id", "sensor_id") REFERENCES "sensors" ("tenant_id", "id") ON UPDATE NO ACTION ON DELETE NO ACTION, ADD
CONSTRAINT "alarm_events_sites_site" FOREIGN KEY ("tenant_id", "site_id") REFERENCES "sites" ("tenant_id", "id") ON UPDATE NO ACTION ON DELETE NO ACTION, ADD
CONSTRAINT "alarm_events_tenant_id_fkey" FOREIGN KEY ("tenant_id") REFERENCES "tenants" ("id") ON UPDATE NO ACTION ON DELETE NO ACTION, ADD
CONSTRAINT "alarm_events_acknowledged_by_fkey" FOREIGN KEY ("tenant_id", "acknowledged_by") REFERENCES "memberships" ("tenant_id", "user_id") ON UPDATE NO ACTION ON DELETE NO ACTION, ADD
CONSTRAINT "alarm_events_resolved_by_fkey" FOREIGN KEY ("tenant_id", "resolved_by") REFERENCES "memberships" ("tenant_id", "user_id") ON UPDATE NO ACTION ON DELETE NO ACTION;
-- modify "alarm_rules" table
ALTER TABLE "alarm_rules" ADD
CONSTRAINT "alarm_rules_assets_asset" FOREIGN KEY ("tenant_id", "asset_id") REFERENCES "assets" ("tenant_id", "id") ON UPDATE NO ACTION ON DELETE NO ACTION, ADD
CONSTRAINT "alarm_rules_sensors_sensor" FOREIGN KEY ("tenant_id", "sensor_id") REFERENCES "sensors" ("tenant_id", "id") ON UPDATE NO ACTION ON DELETE NO ACTION, ADD
CONSTRAINT "alarm_rules_sites_site" FOREIGN KEY ("tenant_id", "site_id") REFERENCES "sites" ("tenant_id", "id") ON UPDATE NO ACTION ON DELETE NO ACTION, ADD
CONSTRAINT "alarm_rules_tenant_id_fkey" FOREIGN KEY ("tenant_id") REFERENCES "tenants" ("id") ON UPDATE NO ACTION ON DELETE NO ACTION, ADD
CONSTRAINT "alarm_rules_created_by_fkey" FOREIGN KEY ("tenant_id", "created_by") REFERENCES "memberships" ("tenant_id", "user_id") ON UPDATE NO ACTION ON DELETE NO ACTION, ADD
CONSTRAINT "alarm_rules_updated_by_fkey" FOREIGN KEY ("tenant_id", "updated_by") REFERENCES "memberships" ("tenant_id", "user_id") ON UPDATE NO ACTION ON DELETE NO ACTION, ADD
CONSTRAINT "alarm_rules_deleted_by_fkey" FOREIGN KEY ("tenant_id", "deleted_by") REFERENCES "memberships" ("tenant_id", "user_id") ON UPDATE NO ACTION ON DELETE NO ACTION;
-- modify "alarm_transitions" table
ALTER TABLE "alarm_transitions" ADD
CONSTRAINT "alarm_transitions_alarm_events_event" FOREIGN KEY ("tenant_id", "event_id") REFERENCES "alarm_events" ("tenant_id", "id") ON UPDATE NO ACTION ON DELETE NO ACTION, ADD
CONSTRAINT "alarm_transitions_tenant_id_fkey" FOREIGN KEY ("tenant_id") REFERENCES "tenants" ("id") ON UPDATE NO ACTION ON DELETE NO ACTION, ADD
CONSTRAINT "alarm_transitions_by_fkey" FOREIGN KEY ("tenant_id", "by") REFERENCES "memberships" ("tenant_id", "user_id") ON UPDATE NO ACTION ON DELETE NO ACTION;
-- modify "assets" table
ALTER TABLE "assets" ADD
CONSTRAINT "assets_gateways_gateway" FOREIGN KEY ("tenant_id", "gateway_id") REFERENCES "gateways" ("tenant_id", "id") ON UPDATE NO ACTION ON DELETE NO ACTION, ADD
CONSTRAINT "assets_sites_site" FOREIGN KEY ("tenant_id", "site_id") REFERENCES "sites" ("tenant_id", "id") ON UPDATE NO ACTION ON DELETE NO ACTION, ADD
CONSTRAINT "assets_tenant_id_fkey" FOREIGN KEY ("tenant_id") REFERENCES "tenants" ("id") ON UPDATE NO ACTION ON DELETE NO ACTION, ADD
CONSTRAINT "assets_created_by_fkey" FOREIGN KEY ("tenant_id", "created_by") REFERENCES "memberships" ("tenant_id", "user_id") ON UPDATE NO ACTION ON DELETE NO ACTION, ADD
CONSTRAINT "assets_updated_by_fkey" FOREIGN KEY ("tenant_id", "updated_by") REFERENCES "memberships" ("tenant_id", "user_id") ON UPDATE NO ACTION ON DELETE NO ACTION, ADD
CONSTRAINT "assets_deleted_by_fkey" FOREIGN KEY ("tenant_id", "deleted_by") REFERENCES "memberships" ("tenant_id", "user_id") ON UPDATE NO ACTION ON DELETE NO ACTION;
-- modify "fault_types" table
ALTER TABLE "fault_types" ADD
CONSTRAINT "fault_types_tenant_id_fkey" FOREIGN KEY ("tenant_id") REFERENCES "tenants" ("id") ON UPDATE NO ACTION ON DELETE NO ACTION, ADD
CONSTRAINT "fault_types_created_by_fkey" FOREIGN KEY ("tenant_id", "created_by") REFERENCES "memberships" ("tenant_id", "user_id") ON UPDATE NO ACTION ON DELETE NO ACTION, ADD
CONSTRAINT "fault_types_updated_by_fkey" FOREIGN KEY ("tenant_id", "updated_by") REFERENCES "memberships" ("tenant_id", "user_id") ON UPDATE NO ACTION ON DELETE NO ACTION;
-- modify "gateways" table
ALTER TABLE "gateways" ADD
CONSTRAINT "gateways_sites_site" FOREIGN KEY ("tenant_id", "site_id") REFERENCES "sites" ("tenant_id", "id") ON UPDATE NO ACTION ON DELETE NO ACTION, ADD
CONSTRAINT "gateways_tenant_id_fkey" FOREIGN KEY ("tenant_id") REFERENCES "tenants" ("id") ON UPDATE NO ACTION ON DELETE NO ACTION, ADD
CONSTRAINT "gateways_created_by_fkey" FOREIGN KEY ("tenant_id", "created_by") REFERENCES "memberships" ("tenant_id", "user_id") ON UPDATE NO ACTION ON DELETE NO ACTION, ADD
CONSTRAINT "gateways_updated_by_fkey" FOREIGN KEY ("tenant_id", "updated_by") REFERENCES "memberships" ("tenant_id", "user_id") ON UPDATE NO ACTION ON DELETE NO ACTION, ADD
CONSTRAINT "gateways_deleted_by_fkey" FOREIGN KEY ("tenant_id", "deleted_by") REFERENCES "memberships" ("tenant_id", "user_id") ON UPDATE NO ACTION ON DELETE NO ACTION;
-- modify "ml_models" table
ALTER TABLE "ml_models" ADD
CONSTRAINT "ml_models_tenant_id_fkey" FOREIGN KEY ("tenant_id") REFERENCES "tenants" ("id") ON UPDATE NO ACTION ON DELETE NO ACTION, ADD
CONSTRAINT "ml_models_created_by_fkey" FOREIGN KEY ("tenant_id", "created_by") REFERENCES "memberships" ("tenant_id", "user_id") ON UPDATE NO ACTION ON DELETE NO ACTION, ADD
CONSTRAINT "ml_models_updated_by_fkey" FOREIGN KEY ("tenant_id", "updated_by") REFERENCES "memberships" ("tenant_id", "user_id") ON UPDATE NO ACTION ON DELETE NO ACTION, ADD
CONSTRAINT "ml_models_deleted_by_fkey" FOREIGN KEY ("tenant_id", "deleted_by") REFERENCES "memberships" ("tenant_id", "user_id") ON UPDATE NO ACTION ON DELETE NO ACTION;
-- modify "ml_model_deployments" table
ALTER TABLE "ml_model_deployments" ADD
CONSTRAINT "ml_model_deployments_ml_model_versions_model_version" FOREIGN KEY ("tenant_id", "model_version_id") REFERENCES "ml_model_versions" ("tenant_id", "id") ON UPDATE NO ACTION ON DELETE NO ACTION, ADD
CONSTRAINT "ml_model_deployments_ml_model_versions_rollback_from_version" FOREIGN KEY ("tenant_id", "rollback_from_version_id") REFERENCES "ml_model_versions" ("tenant_id", "id") ON UPDATE NO ACTION ON DELETE NO ACTION, ADD
CONSTRAINT "ml_model_deployments_ml_models_model" FOREIGN KEY ("tenant_id", "model_id") REFERENCES "ml_models" ("tenant_id", "id") ON UPDATE NO ACTION ON DELETE NO ACTION, ADD
CONSTRAINT "ml_model_deployments_tenant_id_fkey" FOREIGN KEY ("tenant_id") REFERENCES "tenants" ("id") ON UPDATE NO ACTION ON DELETE NO ACTION, ADD
CONSTRAINT "ml_model_deployments_deployed_by_fkey" FOREIGN KEY ("tenant_id", "deployed_by") REFERENCES "memberships" ("tenant_id", "user_id") ON UPDATE NO ACTION ON DELETE NO ACTION;
-- modify "ml_model_versions" table
ALTER TABLE "ml_model_versions" ADD
CONSTRAINT "ml_model_versions_ml_models_model" FOREIGN KEY ("tenant_id", "model_id") REFERENCES "ml_models" ("tenant_id", "id") ON UPDATE NO ACTION ON DELETE NO ACTION, ADD
CONSTRAINT "ml_model_versions_tenant_id_fkey" FOREIGN KEY ("tenant_id") REFERENCES "tenants" ("id") ON UPDATE NO ACTION ON DELETE NO ACTION, ADD
CONSTRAINT "ml_model_versions_created_by_fkey" FOREIGN KEY ("tenant_id", "created_by") REFERENCES "memberships" ("tenant_id", "user_id") ON UPDATE NO ACTION ON DELETE NO ACTION, ADD
CONSTRAINT "ml_model_versions_updated_by_fkey" FOREIGN KEY ("tenant_id", "updated_by") REFERENCES "memberships" ("tenant_id", "user_id") ON UPDATE NO ACTION ON DELETE NO ACTION, ADD
CONSTRAINT "ml_model_versions_deleted_by_fkey" FOREIGN KEY ("tenant_id", "deleted_by") REFERENCES "memberships" ("tenant_id", "user_id") ON UPDATE NO ACTION ON DELETE NO ACTION;
-- modify "memberships" table
ALTER TABLE "memberships" ADD
CONSTRAINT "memberships_tenant_id_fkey" FOREIGN KEY ("tenant_id") REFERENCES "tenants" ("id") ON UPDATE NO ACTION ON DELETE NO ACTION, ADD
CONSTRAINT "memberships_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "users" ("id") ON UPDATE NO ACTION ON DELETE NO ACTION;
-- modify "oauth_clients" table
ALTER TABLE "oauth_clients" ADD
CONSTRAINT "oauth_clients_tenant_id_fkey" FOREIGN KEY ("tenant_id") REFERENCES "tenants" ("id") ON UPDATE NO ACTION ON DELETE NO ACTION, ADD
CONSTRAINT "oauth_clients_created_by_fkey" FOREIGN KEY ("tenant_id", "created_by") REFERENCES "memberships" ("tenant_id", "user_id") ON UPDATE NO ACTION ON DELETE NO ACTION, ADD
CONSTRAINT "oauth_clients_updated_by_fkey" FOREIGN KEY ("tenant_id", "updated_by") REFERENCES "memberships" ("tenant_id", "user_id") ON UPDATE NO ACTION ON DELETE NO ACTION;
-- modify "parameters" table
ALTER TABLE "parameters" ADD
CONSTRAINT "parameters_tenant_id_fkey" FOREIGN KEY ("tenant_id") REFERENCES "tenants" ("id") ON UPDATE NO ACTION ON DELETE NO ACTION, ADD
CONSTRAINT "parameters_created_by_fkey" FOREIGN KEY ("tenant_id", "created_by") REFERENCES "memberships" ("tenant_id", "user_id") ON UPDATE NO ACTION ON DELETE NO ACTION, ADD
CONSTRAINT "parameters_updated_by_fkey" FOREIGN KEY ("tenant_id", "updated_by") REFERENCES "memberships" ("tenant_id", "user_id") ON UPDATE NO ACTION ON DELETE NO ACTION;
-- modify "refresh_tokens" table
ALTER TABLE "refresh_tokens" ADD
CONSTRAINT "refresh_tokens_tenant_id_fkey" FOREIGN KEY ("tenant_id") REFERENCES "tenants" ("id") ON UPDATE NO ACTION ON DELETE NO ACTION, ADD
CONSTRAINT "refresh_tokens_user_id_fkey" FOREIGN KEY ("tenant_id", "user_id") REFERENCES "memberships" ("tenant_id", "user_id") ON UPDATE NO ACTION ON DELETE NO ACTION;
-- modify "sensors" table
ALTER TABLE "sensors" ADD
CONSTRAINT "sensors_assets_asset" FOREIGN KEY ("tenant_id", "asset_id") REFERENCES "assets" ("tenant_id", "id") ON UPDATE NO ACTION ON DELETE NO ACTION, ADD
CONSTRAINT "sensors_gateways_gateway" FOREIGN KEY ("tenant_id", "gateway_id") REFERENCES "gateways" ("tenant_id", "id") ON UPDATE NO ACTION ON DELETE NO ACTION, ADD
CONSTRAINT "sensors_tenant_id_fkey" FOREIGN KEY ("tenant_id") REFERENCES "tenants" ("id") ON UPDATE NO ACTION ON DELETE NO ACTION, ADD
CONSTRAINT "sensors_created_by_fkey" FOREIGN KEY ("tenant_id", "created_by") REFERENCES "memberships" ("tenant_id", "user_id") ON UPDATE NO ACTION ON DELETE NO ACTION, ADD
CONSTRAINT "sensors_updated_by_fkey" FOREIGN KEY ("tenant_id", "updated_by") REFERENCES "memberships" ("tenant_id", "user_id") ON UPDATE NO ACTION ON DELETE NO ACTION, ADD
CONSTRAINT "sensors_deleted_by_fkey" FOREIGN KEY ("tenant_id", "deleted_by") REFERENCES "memberships" ("tenant_id", "user_id") ON UPDATE NO ACTION ON DELETE NO ACTION;
-- modify "sites" table
ALTER TABLE "sites" ADD
CONSTRAINT "sites_tenant_id_fkey" FOREIGN KEY ("tenant_id") REFERENCES "tenants" ("id") ON UPDATE NO ACTION ON DELETE NO ACTION, ADD
CONSTRAINT "sites_created_by_fkey" FOREIGN KEY ("tenant_id", "created_by") REFERENCES "memberships" ("tenant_id", "user_id") ON UPDATE NO ACTION ON DELETE NO ACTION, ADD
CONSTRAINT "sites_updated_by_fkey" FOREIGN KEY ("tenant_id", "updated_by") REFERENCES "memberships" ("tenant_id", "user_id") ON UPDATE NO ACTION ON DELETE NO ACTION, ADD
CONSTRAINT "sites_deleted_by_fkey" FOREIGN KEY ("tenant_id", "deleted_by") REFERENCES "memberships" ("tenant_id", "user_id") ON UPDATE NO ACTION ON DELETE NO ACTION;
-- modify "tenants" table
ALTER TABLE "tenants" ADD
CONSTRAINT "tenants_created_by_fkey" FOREIGN KEY ("id", "created_by") REFERENCES "memberships" ("tenant_id", "user_id") ON UPDATE NO ACTION ON DELETE NO ACTION, ADD
CONSTRAINT "tenants_updated_by_fkey" FOREIGN KEY ("id", "updated_by") REFERENCES "memberships" ("tenant_id", "user_id") ON UPDATE NO ACTION ON DELETE NO ACTION, ADD
CONSTRAINT "tenants_deleted_by_fkey" FOREIGN KEY ("id", "deleted_by") REFERENCES "memberships" ("tenant_id", "user_id") ON UPDATE NO ACTION ON DELETE NO ACTION;
-- modify "users" table
ALTER TABLE "users" ADD
CONSTRAINT "users_tenant_id_fkey" FOREIGN KEY ("tenant_id") REFERENCES "tenants" ("id") ON UPDATE NO ACTION ON DELETE NO ACTION, ADD
CONSTRAINT "users_created_by_fkey" FOREIGN KEY ("tenant_id", "created_by") REFERENCES "memberships" ("tenant_id", "user_id") ON UPDATE NO ACTION ON DELETE NO ACTION, ADD
CONSTRAINT "users_updated_by_fkey" FOREIGN KEY ("tenant_id", "updated_by") REFERENCES "memberships" ("tenant_id", "user_id") ON UPDATE NO ACTION ON DELETE NO ACTION, ADD
CONSTRAINT "users_deleted_by_fkey" FOREIGN KEY ("tenant_id", "deleted_by") REFERENCES "memberships" ("tenant_id", "user_id") ON UPDATE NO ACTION ON DELETE NO ACTION;
-- who sees what of "alarm_events"
ALTER TABLE "alarm_events" ENABLE ROW LEVEL SECURITY;
ALTER TABLE "alarm_events" FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON "alarm_events" TO foresight_app, foresight_worker USING ("tenant_id" = (SELECT nullif(current_setting('app.tenant_id', true), '')::uuid)) WITH CHECK ("tenant_id" = (SELECT nullif(current_setting('app.tenant_id', true), '')::uuid));
GRANT SELECT, INSERT, UPDATE, DELETE ON "alarm_events" TO foresight_app;
GRANT SELECT, INSERT, UPDATE ON "alarm_events" TO foresight_worker;
-- who sees what of "alarm_rules"
ALTER TABLE "alarm_rules" ENABLE ROW LEVEL SECURITY;
ALTER TABLE "alarm_rules" FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON "alarm_rules" TO foresight_app, foresight_worker USING ("tenant_id" = (SELECT nullif(current_setting('app.tenant_id', true), '')::uuid)) WITH CHECK ("tenant_id" = (SELECT nullif(current_setting('app.tenant_id', true), '')::uuid));
GRANT SELECT, INSERT, UPDATE ON "alarm_rules" TO foresight_app;
CREATE POLICY registry_read ON "alarm_rules" FOR SELECT TO foresight_worker USING (true);
GRANT SELECT ON "alarm_rules" TO foresight_worker;
-- who sees what of "alarm_transitions"
ALTER TABLE "alarm_transitions" ENABLE ROW LEVEL SECURITY;
ALTER TABLE "alarm_transitions" FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON "alarm_transitions" TO foresight_app, foresight_worker USING ("tenant_id" = (SELECT nullif(current_setting('app.tenant_id', true), '')::uuid)) WITH CHECK ("tenant_id" = (SELECT nullif(current_setting('app.tenant_id', true), '')::uuid));
GRANT SELECT, INSERT ON "alarm_transitions" TO foresight_app;
GRANT SELECT, INSERT ON "alarm_transitions" TO foresight_worker;
-- who sees what of "assets"
ALTER TABLE "assets" ENABLE ROW LEVEL SECURITY;
ALTER TABLE "assets" FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON "assets" TO foresight_app, foresight_worker USING ("tenant_id" = (SELECT nullif(current_setting('app.tenant_id', true), '')::uuid)) WITH CHECK ("tenant_id" = (SELECT nullif(current_setting('app.tenant_id', true), '')::uuid));
GRANT SELECT, INSERT, UPDATE ON "assets" TO foresight_app;
CREATE POLICY registry_read ON "assets" FOR SELECT TO foresight_worker USING (true);
GRANT SELECT ON "assets" TO foresight_worker;
-- who sees what of "fault_types"
ALTER TABLE "fault_types" ENABLE ROW LEVEL SECURITY;
ALTER TABLE "fault_types" FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON "fault_types" TO foresight_app, foresight_worker USING ("tenant_id" = (SELECT nullif(current_setting('app.tenant_id', true), '')::uuid)) WITH CHECK ("tenant_id" = (SELECT nullif(current_setting('app.tenant_id', true), '')::uuid));
CREATE POLICY built_in_read ON "fault_types" FOR SELECT TO foresight_app, foresight_worker USING ("tenant_id" IS NULL);
CREATE POLICY built_in_upkeep ON "fault_types" TO CURRENT_USER USING ("tenant_id" IS NULL) WITH CHECK ("tenant_id" IS NULL);
GRANT SELECT, INSERT, UPDATE, DELETE ON "fault_types" TO foresight_app;
CREATE POLICY registry_read ON "fault_types" FOR SELECT TO foresight_worker USING (true);
GRANT SELECT ON "fault_types" TO foresight_worker;
-- who sees what of "gateways"
ALTER TABLE "gateways" ENABLE ROW LEVEL SECURITY;
ALTER TABLE "gateways" FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON "gateways" TO foresight_app, foresight_worker USING ("tenant_id" = (SELECT nullif(current_setting('app.tenant_id', true), '')::uuid)) WITH CHECK ("tenant_id" = (SELECT nullif(current_setting('app.tenant_id', true), '')::uuid));
GRANT SELECT, INSERT, UPDATE ON "gateways" TO foresight_app;
CREATE POLICY registry_read ON "gateways" FOR SELECT TO foresight_worker USING (true);
GRANT SELECT ("id", "tenant_id", "is_active", "created_at", "created_by", "updated_at", "updated_by", "version", "is_deleted", "deleted_at", "deleted_by", "gateway_code", "ip_address", "firmware_version", "mqtt_username", "site_id") ON "gateways" TO foresight_worker;
-- who sees what of "ml_models"
ALTER TABLE "ml_models" ENABLE ROW LEVEL SECURITY;
ALTER TABLE "ml_models" FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON "ml_models" TO foresight_app, foresight_worker USING ("tenant_id" = (SELECT nullif(current_setting('app.tenant_id', true), '')::uuid)) WITH CHECK ("tenant_id" = (SELECT nullif(current_setting('app.tenant_id', true), '')::uuid));
GRANT SELECT, INSERT, UPDATE ON "ml_models" TO foresight_app;
CREATE POLICY registry_read ON "ml_models" FOR SELECT TO foresight_worker USING (true);
GRANT SELECT ON "ml_models" TO foresight_worker;
-- who sees what of "ml_model_deployments"
ALTER TABLE "ml_model_deployments" ENABLE ROW LEVEL SECURITY;
ALTER TABLE "ml_model_deployments" FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON "ml_model_deployments" TO foresight_app, foresight_worker USING ("tenant_id" = (SELECT nullif(current_setting('app.tenant_id', true), '')::uuid)) WITH CHECK ("tenant_id" = (SELECT nullif(current_setting('app.tenant_id', true), '')::uuid));
GRANT SELECT, INSERT, UPDATE, DELETE ON "ml_model_deployments" TO foresight_app;
CREATE POLICY registry_read ON "ml_model_deployments" FOR SELECT TO foresight_worker USING (true);
GRANT SELECT ON "ml_model_deployments" TO foresight_worker;
-- who sees what of "ml_model_versions"
ALTER TABLE "ml_model_versions" ENABLE ROW LEVEL SECURITY;
ALTER TABLE "ml_model_versions" FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON "ml_model_versions" TO foresight_app, foresight_worker USING ("tenant_id" = (SELECT nullif(current_setting('app.tenant_id', true), '')::uuid)) WITH CHECK ("tenant_id" = (SELECT nullif(current_setting('app.tenant_id', true), '')::uuid));
GRANT SELECT, INSERT, UPDATE ON "ml_model_versions" TO foresight_app;
CREATE POLICY registry_read ON "ml_model_versions" FOR SELECT TO foresight_worker USING (true);
GRANT SELECT ON "ml_model_versions" TO foresight_worker;
-- who sees what of "memberships"
ALTER TABLE "memberships" ENABLE ROW LEVEL SECURITY;
ALTER TABLE "memberships" FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON "memberships" TO foresight_app USING ("tenant_id" = (SELECT nullif(current_setting('app.tenant_id', true), '')::uuid)) WITH CHECK ("tenant_id" = (SELECT nullif(current_setting('app.tenant_id', true), '')::uuid));
GRANT SELECT, INSERT, UPDATE, DELETE ON "memberships" TO foresight_app;
-- who sees what of "oauth_clients"
ALTER TABLE "oauth_clients" ENABLE ROW LEVEL SECURITY;
ALTER TABLE "oauth_clients" FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON "oauth_clients" TO foresight_app USING ("tenant_id" = (SELECT nullif(current_setting('app.tenant_id', true), '')::uuid)) WITH CHECK ("tenant_id" = (SELECT nullif(current_setting('app.tenant_id', true), '')::uuid));
GRANT SELECT, INSERT, UPDATE, DELETE ON "oauth_clients" TO foresight_app;
-- who sees what of "parameters"
ALTER TABLE "parameters" ENABLE ROW LEVEL SECURITY;
ALTER TABLE "parameters" FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON "parameters" TO foresight_app, foresight_worker USING ("tenant_id" = (SELECT nullif(current_setting('app.tenant_id', true), '')::uuid)) WITH CHECK ("tenant_id" = (SELECT nullif(current_setting('app.tenant_id', true), '')::uuid));
CREATE POLICY built_in_read ON "parameters" FOR SELECT TO foresight_app, foresight_worker USING ("tenant_id" IS NULL);
CREATE POLICY built_in_upkeep ON "parameters" TO CURRENT_USER USING ("tenant_id" IS NULL) WITH CHECK ("tenant_id" IS NULL);
GRANT SELECT, INSERT, UPDATE, DELETE ON "parameters" TO foresight_app;
CREATE POLICY registry_read ON "parameters" FOR SELECT TO foresight_worker USING (true);
GRANT SELECT ON "parameters" TO foresight_worker;
-- who sees what of "refresh_tokens"
ALTER TABLE "refresh_tokens" ENABLE ROW LEVEL SECURITY;
ALTER TABLE "refresh_tokens" FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON "refresh_tokens" TO foresight_app USING ("tenant_id" = (SELECT nullif(current_setting('app.tenant_id', true), '')::uuid)) WITH CHECK ("tenant_id" = (SELECT nullif(current_setting('app.tenant_id', true), '')::uuid));
GRANT SELECT, INSERT, UPDATE, DELETE ON "refresh_tokens" TO foresight_app;
-- who sees what of "sensors"
ALTER TABLE "sensors" ENABLE ROW LEVEL SECURITY;
ALTER TABLE "sensors" FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON "sensors" TO foresight_app, foresight_worker USING ("tenant_id" = (SELECT nullif(current_setting('app.tenant_id', true), '')::uuid)) WITH CHECK ("tenant_id" = (SELECT nullif(current_setting('app.tenant_id', true), '')::uuid));
GRANT SELECT, INSERT, UPDATE ON "sensors" TO foresight_app;
CREATE POLICY registry_read ON "sensors" FOR SELECT TO foresight_worker USING (true);
GRANT SELECT ON "sensors" TO foresight_worker;
-- who sees what of "sites"
ALTER TABLE "sites" ENABLE ROW LEVEL SECURITY;
ALTER TABLE "sites" FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON "sites" TO foresight_app, foresight_worker USING ("tenant_id" = (SELECT nullif(current_setting('app.tenant_id', true), '')::uuid)) WITH CHECK ("tenant_id" = (SELECT nullif(current_setting('app.tenant_id', true), '')::uuid));
GRANT SELECT, INSERT, UPDATE ON "sites" TO foresight_app;
CREATE POLICY registry_read ON "sites" FOR SELECT TO foresight_worker USING (true);
GRANT SELECT ON "sites" TO foresight_worker;
-- who sees what of "tenants"
ALTER TABLE "tenants" ENABLE ROW LEVEL SECURITY;
ALTER TABLE "tenants" FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON "tenants" TO foresight_app, foresight_worker USING ("id" = (SELECT nullif(current_setting('app.tenant_id', true), '')::uuid)) WITH CHECK ("id" = (SELECT nullif(current_setting('app.tenant_id', true), '')::uuid));
GRANT SELECT, INSERT, UPDATE ON "tenants" TO foresight_app;
CREATE POLICY registry_read ON "tenants" FOR SELECT TO foresight_worker USING (true);
GRANT SELECT ON "tenants" TO foresight_worker;
-- who sees what of "users"
ALTER TABLE "users" ENABLE ROW LEVEL SECURITY;
ALTER TABLE "users" FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON "users" TO foresight_app USING ("tenant_id" = (SELECT nullif(current_setting('app.tenant_id', true), '')::uuid)) WITH CHECK ("tenant_id" = (SELECT nullif(current_setting('app.tenant_id', true), '')::uuid));
GRANT SELECT, INSERT, UPDATE ON "users" TO foresight_app;

-- +goose Down
-- reverse: modify "users" table
ALTER TABLE "users" DROP CONSTRAINT "users_deleted_by_fkey", DROP CONSTRAINT "users_updated_by_fkey", DROP CONSTRAINT "users_created_by_fkey", DROP CONSTRAINT "users_tenant_id_fkey";
-- reverse: modify "tenants" table
ALTER TABLE "tenants" DROP CONSTRAINT "tenants_deleted_by_fkey", DROP CONSTRAINT "tenants_updated_by_fkey", DROP CONSTRAINT "tenants_created_by_fkey";
-- reverse: modify "sites" table
ALTER TABLE "sites" DROP CONSTRAINT "sites_deleted_by_fkey", DROP CONSTRAINT "sites_updated_by_fkey", DROP CONSTRAINT "sites_created_by_fkey", DROP CONSTRAINT "sites_tenant_id_fkey";
-- reverse: modify "sensors" table
ALTER TABLE "sensors" DROP CONSTRAINT "sensors_deleted_by_fkey", DROP CONSTRAINT "sensors_updated_by_fkey", DROP CONSTRAINT "sensors_created_by_fkey", DROP CONSTRAINT "sensors_tenant_id_fkey", DROP CONSTRAINT "sensors_gateways_gateway", DROP CONSTRAINT "sensors_assets_asset";
-- reverse: modify "refresh_tokens" table
ALTER TABLE "refresh_tokens" DROP CONSTRAINT "refresh_tokens_user_id_fkey", DROP CONSTRAINT "refresh_tokens_tenant_id_fkey";
-- reverse: modify "parameters" table
ALTER TABLE "parameters" DROP CONSTRAINT "parameters_updated_by_fkey", DROP CONSTRAINT "parameters_created_by_fkey", DROP CONSTRAINT "parameters_tenant_id_fkey";
-- reverse: modify "oauth_clients" table
ALTER TABLE "oauth_clients" DROP CONSTRAINT "oauth_clients_updated_by_fkey", DROP CONSTRAINT "oauth_clients_created_by_fkey", DROP CONSTRAINT "oauth_clients_tenant_id_fkey";
-- reverse: modify "memberships" table
ALTER TABLE "memberships" DROP CONSTRAINT "memberships_user_id_fkey", DROP CONSTRAINT "memberships_tenant_id_fkey";
-- reverse: modify "ml_model_versions" table
ALTER TABLE "ml_model_versions" DROP CONSTRAINT "ml_model_versions_deleted_by_fkey", DROP CONSTRAINT "ml_model_versions_updated_by_fkey", DROP CONSTRAINT "ml_model_versions_created_by_fkey", DROP CONSTRAINT "ml_model_versions_tenant_id_fkey", DROP CONSTRAINT "ml_model_versions_ml_models_model";
-- reverse: modify "ml_model_deployments" table
ALTER TABLE "ml_model_deployments" DROP CONSTRAINT "ml_model_deployments_deployed_by_fkey", DROP CONSTRAINT "ml_model_deployments_tenant_id_fkey", DROP CONSTRAINT "ml_model_deployments_ml_models_model", DROP CONSTRAINT "ml_model_deployments_ml_model_versions_rollback_from_version", DROP CONSTRAINT "ml_model_deployments_ml_model_versions_model_version";
-- reverse: modify "ml_models" table
ALTER TABLE "ml_models" DROP CONSTRAINT "ml_models_deleted_by_fkey", DROP CONSTRAINT "ml_models_updated_by_fkey", DROP CONSTRAINT "ml_models_created_by_fkey", DROP CONSTRAINT "ml_models_tenant_id_fkey";
-- reverse: modify "gateways" table
ALTER TABLE "gateways" DROP CONSTRAINT "gateways_deleted_by_fkey", DROP CONSTRAINT "gateways_updated_by_fkey", DROP CONSTRAINT "gateways_created_by_fkey", DROP CONSTRAINT "gateways_tenant_id_fkey", DROP CONSTRAINT "gateways_sites_site";
-- reverse: modify "fault_types" table
ALTER TABLE "fault_types" DROP CONSTRAINT "fault_types_updated_by_fkey", DROP CONSTRAINT "fault_types_created_by_fkey", DROP CONSTRAINT "fault_types_tenant_id_fkey";
-- reverse: modify "assets" table
ALTER TABLE "assets" DROP CONSTRAINT "assets_deleted_by_fkey", DROP CONSTRAINT "assets_updated_by_fkey", DROP CONSTRAINT "assets_created_by_fkey", DROP CONSTRAINT "assets_tenant_id_fkey", DROP CONSTRAINT "assets_sites_site", DROP CONSTRAINT "assets_gateways_gateway";
-- reverse: modify "alarm_transitions" table
ALTER TABLE "alarm_transitions" DROP CONSTRAINT "alarm_transitions_by_fkey", DROP CONSTRAINT "alarm_transitions_tenant_id_fkey", DROP CONSTRAINT "alarm_transitions_alarm_events_event";
-- reverse: modify "alarm_rules" table
ALTER TABLE "alarm_rules" DROP CONSTRAINT "alarm_rules_deleted_by_fkey", DROP CONSTRAINT "alarm_rules_updated_by_fkey", DROP CONSTRAINT "alarm_rules_created_by_fkey", DROP CONSTRAINT "alarm_rules_tenant_id_fkey", DROP CONSTRAINT "alarm_rules_sites_site", DROP CONSTRAINT "alarm_rules_sensors_sensor", DROP CONSTRAINT "alarm_rules_assets_asset";
-- reverse: modify "alarm_events" table
ALTER TABLE "alarm_events" DROP CONSTRAINT "alarm_events_resolved_by_fkey", DROP CONSTRAINT "alarm_events_acknowledged_by_fkey", DROP CONSTRAINT "alarm_events_tenant_id_fkey", DROP CONSTRAINT "alarm_events_sites_site", DROP CONSTRAINT "alarm_events_sensors_sensor", DROP CONSTRAINT "alarm_events_ml_model_versions_model_version", DROP CONSTRAINT "alarm_events_assets_asset", DROP CONSTRAINT "alarm_events_alarm_rules_rule";
-- reverse: create index "user_tenant_id_username" to table: "users"
DROP INDEX "user_tenant_id_username";
-- reverse: create index "user_tenant_id_email" to table: "users"
DROP INDEX "user_tenant_id_email";
-- reverse: create index "user_email" to table: "users"
DROP INDEX "user_email";
-- reverse: create "users" table
DROP TABLE "users";
-- reverse: create index "tenants_code_key" to table: "tenants"
DROP INDEX "tenants_code_key";
-- reverse: create "tenants" table
DROP TABLE "tenants";
-- reverse: create index "site_tenant_id_site_code" to table: "sites"
DROP INDEX "site_tenant_id_site_code";
-- reverse: create "sites" table
DROP TABLE "sites";
-- reverse: create index "sensor_tenant_id_sensor_code" to table: "sensors"
DROP INDEX "sensor_tenant_id_sensor_code";
-- reverse: create index "sensor_tenant_id_mqtt_topic" to table: "sensors"
DROP INDEX "sensor_tenant_id_mqtt_topic";
-- reverse: create index "sensor_tenant_id_gateway_id" to table: "sensors"
DROP INDEX "sensor_tenant_id_gateway_id";
-- reverse: create index "sensor_tenant_id_asset_id" to table: "sensors"
DROP INDEX "sensor_tenant_id_asset_id";
-- reverse: create "sensors" table
DROP TABLE "sensors";
-- reverse: create index "refreshtoken_tenant_id_user_id" to table: "refresh_tokens"
DROP INDEX "refreshtoken_tenant_id_user_id";
-- reverse: create index "refreshtoken_tenant_id_family_id" to table: "refresh_tokens"
DROP INDEX "refreshtoken_tenant_id_family_id";
-- reverse: create index "refreshtoken_expires_at" to table: "refresh_tokens"
DROP INDEX "refreshtoken_expires_at";
-- reverse: create index "refresh_tokens_token_hash_key" to table: "refresh_tokens"
DROP INDEX "refresh_tokens_token_hash_key";
-- reverse: create "refresh_tokens" table
DROP TABLE "refresh_tokens";
-- reverse: create index "parameters_name_nulls_not_distinct" to table: "parameters"
DROP INDEX "parameters_name_nulls_not_distinct";
-- reverse: create "parameters" table
DROP TABLE "parameters";
-- reverse: create index "oauth_clients_client_id_key" to table: "oauth_clients"
DROP INDEX "oauth_clients_client_id_key";
-- reverse: create "oauth_clients" table
DROP TABLE "oauth_clients";
-- reverse: create index "membership_user_id" to table: "memberships"
DROP INDEX "membership_user_id";
-- reverse: create "memberships" table
DROP TABLE "memberships";
-- reverse: create index "mlmodelversion_tenant_id_model_id" to table: "ml_model_versions"
DROP INDEX "mlmodelversion_tenant_id_model_id";
-- reverse: create index "mlmodelversion_tenant_id_full_version_label" to table: "ml_model_versions"
DROP INDEX "mlmodelversion_tenant_id_full_version_label";
-- reverse: create "ml_model_versions" table
DROP TABLE "ml_model_versions";
-- reverse: create index "mlmodeldeployment_tenant_id_model_version_id" to table: "ml_model_deployments"
DROP INDEX "mlmodeldeployment_tenant_id_model_version_id";
-- reverse: create index "mlmodeldeployment_tenant_id_model_id_deployment_start" to table: "ml_model_deployments"
DROP INDEX "mlmodeldeployment_tenant_id_model_id_deployment_start";
-- reverse: create index "ml_model_deployments_one_in_production" to table: "ml_model_deployments"
DROP INDEX "ml_model_deployments_one_in_production";
-- reverse: create "ml_model_deployments" table
DROP TABLE "ml_model_deployments";
-- reverse: create index "mlmodel_tenant_id_name" to table: "ml_models"
DROP INDEX "mlmodel_tenant_id_name";
-- reverse: create "ml_models" table
DROP TABLE "ml_models";
-- reverse: create index "gateway_tenant_id_site_id" to table: "gateways"
DROP INDEX "gateway_tenant_id_site_id";
-- reverse: create index "gateway_tenant_id_gateway_code" to table: "gateways"
DROP INDEX "gateway_tenant_id_gateway_code";
-- reverse: create index "gateway_mqtt_username" to table: "gateways"
DROP INDEX "gateway_mqtt_username";
-- reverse: create "gateways" table
DROP TABLE "gateways";
-- reverse: create index "fault_types_code_nulls_not_distinct" to table: "fault_types"
DROP INDEX "fault_types_code_nulls_not_distinct";
-- reverse: create "fault_types" table
DROP TABLE "fault_types";
-- reverse: create index "asset_tenant_id_site_id" to table: "assets"
DROP INDEX "asset_tenant_id_site_id";
-- reverse: create index "asset_tenant_id_parent_id" to table: "assets"
DROP INDEX "asset_tenant_id_parent_id";
-- reverse: create index "asset_tenant_id_gateway_id" to table: "assets"
DROP INDEX "asset_tenant_id_gateway_id";
-- reverse: create index "asset_tenant_id_external_ref" to table: "assets"
DROP INDEX "asset_tenant_id_external_ref";
-- reverse: create index "asset_tenant_id_asset_code" to table: "assets"
DROP INDEX "asset_tenant_id_asset_code";
-- reverse: create "assets" table
DROP TABLE "assets";
-- reverse: create index "alarmtransition_tenant_id_seq" to table: "alarm_transitions"
DROP INDEX "alarmtransition_tenant_id_seq";
-- reverse: create index "alarmtransition_tenant_id_event_id" to table: "alarm_transitions"
DROP INDEX "alarmtransition_tenant_id_event_id";
-- reverse: create "alarm_transitions" table
DROP TABLE "alarm_transitions";
-- reverse: create index "alarmrule_tenant_id_site_id" to table: "alarm_rules"
DROP INDEX "alarmrule_tenant_id_site_id";
-- reverse: create index "alarmrule_tenant_id_sensor_id" to table: "alarm_rules"
DROP INDEX "alarmrule_tenant_id_sensor_id";
-- reverse: create index "alarmrule_tenant_id_name" to table: "alarm_rules"
DROP INDEX "alarmrule_tenant_id_name";
-- reverse: create index "alarmrule_tenant_id_asset_id" to table: "alarm_rules"
DROP INDEX "alarmrule_tenant_id_asset_id";
-- reverse: create "alarm_rules" table
DROP TABLE "alarm_rules";
-- reverse: create index "alarmevent_tenant_id_triggered_at" to table: "alarm_events"
DROP INDEX "alarmevent_tenant_id_triggered_at";
-- reverse: create index "alarmevent_tenant_id_status_triggered_at" to table: "alarm_events"
DROP INDEX "alarmevent_tenant_id_status_triggered_at";
-- reverse: create index "alarmevent_tenant_id_site_id_triggered_at" to table: "alarm_events"
DROP INDEX "alarmevent_tenant_id_site_id_triggered_at";
-- reverse: create index "alarmevent_tenant_id_asset_id_triggered_at" to table: "alarm_events"
DROP INDEX "alarmevent_tenant_id_asset_id_triggered_at";
-- reverse: create index "alarm_events_one_active_nulls_not_distinct" to table: "alarm_events"
DROP INDEX "alarm_events_one_active_nulls_not_distinct";
-- reverse: create index "alarm_events_active_sensor" to table: "alarm_events"
DROP INDEX "alarm_events_active_sensor";
-- reverse: create "alarm_events" table
DROP TABLE "alarm_events";
