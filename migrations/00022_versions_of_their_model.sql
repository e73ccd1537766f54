-- +goose Up
-- modify "ml_model_versions" table
ALTER TABLE "ml_model_versions" ADD CONSTRAINT "ml_model_versions_tenant_id_model_id_id_key" UNIQUE ("tenant_id", "model_id", "id");
-- modify "asset_model_versions" table
ALTER TABLE "asset_model_versions" DROP CONSTRAINT "asset_model_versions_ml_model_versions_model_version", ADD
CONSTRAINT "asset_model_versions_ml_model_versions_model_version" FOREIGN KEY ("tenant_id", "model_id", "model_version_id") REFERENCES "ml_model_versions" ("tenant_id", "model_id", "id") ON UPDATE NO ACTION ON DELETE NO ACTION;
-- modify "ml_model_deployments" table
ALTER TABLE "ml_model_deployments" DROP CONSTRAINT "ml_model_deployments_ml_model_versions_model_version", DROP CONSTRAINT "ml_model_deployments_ml_model_versions_rollback_from_version", ADD
CONSTRAINT "ml_model_deployments_ml_model_versions_model_version" FOREIGN KEY ("tenant_id", "model_id", "model_version_id") REFERENCES "ml_model_versions" ("tenant_id", "model_id", "id") ON UPDATE NO ACTION ON DELETE NO ACTION, ADD
CONSTRAINT "ml_model_deployments_ml_model_versions_rollback_from_version" FOREIGN KEY ("tenant_id", "model_id", "rollback_from_version_id") REFERENCES "ml_model_versions" ("tenant_id", "model_id", "id") ON UPDATE NO ACTION ON DELETE NO ACTION;

-- +goose Down
-- reverse: modify "ml_model_deployments" table
ALTER TABLE "ml_model_deployments" DROP CONSTRAINT "ml_model_deployments_ml_model_versions_rollback_from_version", DROP CONSTRAINT "ml_model_deployments_ml_model_versions_model_version", ADD
CONSTRAINT "ml_model_deployments_ml_model_versions_rollback_from_version" FOREIGN KEY ("tenant_id", "rollback_from_version_id") REFERENCES "ml_model_versions" ("tenant_id", "id") ON UPDATE NO ACTION ON DELETE NO ACTION, ADD
CONSTRAINT "ml_model_deployments_ml_model_versions_model_version" FOREIGN KEY ("tenant_id", "model_version_id") REFERENCES "ml_model_versions" ("tenant_id", "id") ON UPDATE NO ACTION ON DELETE NO ACTION;
-- reverse: modify "asset_model_versions" table
ALTER TABLE "asset_model_versions" DROP CONSTRAINT "asset_model_versions_ml_model_versions_model_version", ADD
CONSTRAINT "asset_model_versions_ml_model_versions_model_version" FOREIGN KEY ("tenant_id", "model_version_id") REFERENCES "ml_model_versions" ("tenant_id", "id") ON UPDATE NO ACTION ON DELETE NO ACTION;
-- reverse: modify "ml_model_versions" table
ALTER TABLE "ml_model_versions" DROP CONSTRAINT "ml_model_versions_tenant_id_model_id_id_key";
