-- +goose Up

-- What the artifact of a version says of itself, for lists that cannot open artifacts.
ALTER TABLE ml_model_versions ADD COLUMN card jsonb NULL;

-- Of one prediction each person has one say; what was said before a later word goes.
-- The owner sees no tenant's rows while row-level security is forced upon it.
ALTER TABLE feedback NO FORCE ROW LEVEL SECURITY;
DELETE FROM feedback old USING feedback later
WHERE later.tenant_id = old.tenant_id AND later.prediction_id = old.prediction_id AND later."by" IS NOT DISTINCT FROM old."by"
    AND (later.at, later.id) > (old.at, old.id);
ALTER TABLE feedback FORCE ROW LEVEL SECURITY;
CREATE UNIQUE INDEX feedback_one_say_nulls_not_distinct ON feedback (tenant_id, prediction_id, "by") NULLS NOT DISTINCT WHERE prediction_id IS NOT NULL;
DROP INDEX feedback_tenant_id_prediction_id;

-- What is said of a shadow says nothing of what serves.
ALTER TABLE feedback ADD COLUMN role text NULL,
    ADD CONSTRAINT feedback_role_enum CHECK (role = ANY (ARRAY['production'::text, 'canary'::text, 'shadow'::text]));

-- A file may be a model, which only those who may register models can read.
ALTER TABLE uploads ADD COLUMN purpose text NOT NULL DEFAULT 'import' CHECK (purpose IN ('import', 'model'));

-- +goose Down
ALTER TABLE uploads DROP COLUMN purpose;
ALTER TABLE feedback DROP CONSTRAINT feedback_role_enum, DROP COLUMN role;
CREATE INDEX feedback_tenant_id_prediction_id ON feedback (tenant_id, prediction_id);
DROP INDEX feedback_one_say_nulls_not_distinct;
ALTER TABLE ml_model_versions DROP COLUMN card;
