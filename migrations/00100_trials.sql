-- +goose Up
-- A deployment says which part its version plays. None but production ones have been made so far.
-- modify "ml_model_deployments" table
ALTER TABLE "ml_model_deployments" ADD COLUMN "stage" text NOT NULL DEFAULT 'production', ADD COLUMN "traffic_percent" bigint NOT NULL DEFAULT 100, ADD
CONSTRAINT "ml_model_deployments_stage" CHECK (is_production = (stage = 'production'::text)), ADD
CONSTRAINT "ml_model_deployments_stage_enum" CHECK (stage = ANY (ARRAY['production'::text, 'canary'::text, 'shadow'::text])), ADD
CONSTRAINT "ml_model_deployments_traffic" CHECK ((traffic_percent >= 0) AND (traffic_percent <= 100));

-- +goose Down
-- reverse: modify "ml_model_deployments" table
ALTER TABLE "ml_model_deployments" DROP CONSTRAINT "ml_model_deployments_traffic", DROP CONSTRAINT "ml_model_deployments_stage_enum", DROP CONSTRAINT "ml_model_deployments_stage", DROP COLUMN "traffic_percent", DROP COLUMN "stage";
