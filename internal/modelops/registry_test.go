package modelops_test

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"slices"
	"strings"
	"sync"
	"testing"

	"foresight/ent"
	"foresight/ent/enum"
	"foresight/ent/mlmodelversion"
	"foresight/inference"
	"foresight/inference/artifact"
	champions "foresight/inference/champion"
	"foresight/inference/modeltest"
	"foresight/internal/artifacts"
	"foresight/internal/blob"
	"foresight/internal/fault"
	"foresight/internal/id"
	"foresight/internal/modelops"
	"foresight/internal/postgres"
	"foresight/internal/tenancy"
)

// registrar is the register of versions on a store in memory and uploads in a map.
type registrar struct {
	*world
	*modelops.Versions
	artifacts *artifacts.Store
	uploads   shelf
}

// shelf holds uploads of any tenant.
type shelf map[id.UUID][]byte

func (s shelf) ModelFile(_ context.Context, of id.UUID) ([]byte, error) {
	if b, ok := s[of]; ok {
		return b, nil
	}
	return nil, fault.Missing("Upload")
}

func (s shelf) DropModelFile(_ context.Context, of id.UUID) error {
	delete(s, of)
	return nil
}

func newRegistrar(t *testing.T) *registrar {
	t.Helper()
	w := newWorld(t)
	files, err := blob.Open(t.Context(), "mem://")
	w.ok(err)
	t.Cleanup(func() { w.ok(files.Close()) })
	r := &registrar{world: w, artifacts: artifacts.New(files), uploads: shelf{}}
	db := postgres.OpenDB(w.app)
	t.Cleanup(func() { _ = db.Close() })
	r.Versions = modelops.NewVersions(db, r.artifacts, r.uploads)
	return r
}

func (r *registrar) upload(content []byte) id.UUID {
	u := id.New(id.Upload)
	r.uploads[u] = content
	return u
}

// model makes a model of acme.
func (r *registrar) model(name string, t enum.ModelType) *ent.MLModel {
	r.Helper()
	m, err := r.CreateModel(r.acme.As(r.Context(), tenancy.Engineer), modelops.NewModel{Name: name, Type: t})
	r.ok(err)
	return m
}

func numbered(n string) func(*artifact.Manifest) {
	return func(m *artifact.Manifest) { m.Version = n }
}

// onlyFault fails the test unless the error is one mistake of the kind, key and field.
func onlyFault(t *testing.T, what string, err error, kind fault.Kind, key, field string) {
	t.Helper()
	var f *fault.Error
	if !errors.As(err, &f) || f.Kind != kind || f.Key != key || f.Field != field {
		t.Errorf("%s: %v, want %s %s at %q", what, err, kind, key, field)
	}
}

func TestVersionsAreNumberedByWhatChanges(t *testing.T) {
	r := newRegistrar(t)
	ctx := r.acme.As(t.Context(), tenancy.Engineer)
	m := r.model("pumps", enum.ModelFaultClassification)
	register := func(n modelops.NewVersion) *ent.MLModelVersion {
		t.Helper()
		n.Model = m.ID
		v, err := r.Register(ctx, n)
		r.ok(err)
		return v
	}
	first := modeltest.Changed(numbered("a"))
	v := register(modelops.NewVersion{Bundle: first, DatasetHash: strings.Repeat("d", 64)})
	if v.FullVersionLabel != "pumps:1.0.0" || v.Stage != enum.StageStaging || v.ArtifactPath != artifact.HashOf(first) || v.DatasetHash != strings.Repeat("d", 64) ||
		v.DecisionThreshold != 0.5 || len(v.Classes) != 34 || v.Metrics["f1"] != modeltest.Open().Manifest.Metrics.MacroF1 || v.TrainingRunID != nil {
		t.Errorf("%+v", v)
	}
	if c := v.Card; c == nil || c.Bytes != int64(len(first)) || len(c.Boosters) != 1 || c.Boosters[0].GoldenBy != "XGBoost" || c.Boosters[0].GoldenRows != modeltest.Open().Golden.Rows ||
		c.Boosters[0].Features != 336 || c.Boosters[0].Temperature != modeltest.Open().Manifest.Temperature || !c.Boosters[0].Guarded {
		t.Errorf("card %+v", c)
	}
	if kept, err := r.artifacts.Artifact(ctx, v.ArtifactPath); err != nil || !bytes.Equal(kept, first) {
		t.Errorf("%d bytes kept, %v", len(kept), err)
	}
	if v := register(modelops.NewVersion{Bundle: modeltest.Changed(numbered("b"))}); v.SemanticVersion != "1.0.1" || v.DatasetHash != modeltest.Open().Manifest.Training.DatasetHash {
		t.Errorf("a retraining: %s of %s", v.SemanticVersion, v.DatasetHash)
	}
	// A class of the tenant's own widens the list.
	_, err := r.CreateFaultType(ctx, modelops.NewFaultType{Code: "gear_wear", Family: enum.FamilyOther, Labels: map[string]string{"en": "Gear wear"}})
	r.ok(err)
	wider := modeltest.Changed(func(m *artifact.Manifest) { m.Classes[33] = "gear_wear" })
	if v := register(modelops.NewVersion{Bundle: wider}); v.SemanticVersion != "1.1.0" {
		t.Errorf("a new class: %s", v.SemanticVersion)
	}
	// Numbers that were given once are not given again.
	r.sql(`UPDATE ml_model_versions SET is_deleted = true WHERE full_version_label = 'pumps:1.1.0'`)
	if v := register(modelops.NewVersion{Bundle: wider}); v.SemanticVersion != "1.1.1" {
		t.Errorf("after a deleted one: %s", v.SemanticVersion)
	}
	r.sql(`UPDATE ml_model_versions SET feature_schema_hash = 'of old', semantic_version = '2.3.4', full_version_label = 'pumps:2.3.4' WHERE full_version_label = 'pumps:1.1.1'`)
	if v := register(modelops.NewVersion{Bundle: modeltest.Changed(numbered("c"))}); v.SemanticVersion != "3.0.0" {
		t.Errorf("another feature schema: %s", v.SemanticVersion)
	}
}

func TestATrainingRunHasOneVersion(t *testing.T) {
	r := newRegistrar(t)
	ctx := r.acme.As(t.Context(), tenancy.Engineer)
	m := r.model("pumps", enum.ModelFaultClassification)
	run := id.New(id.TrainingRun)
	r.sql(`INSERT INTO training_runs (id, tenant_id, model_id) VALUES ($1, $2, $3)`, run, r.acme.TenantID, m.ID)
	n := modelops.NewVersion{Model: m.ID, Bundle: modeltest.Changed(numbered("a")), TrainingRun: run}
	// The job that registers may be repeated, even while its first attempt still runs.
	var group sync.WaitGroup
	made := make([]*ent.MLModelVersion, 4)
	failed := make([]error, len(made))
	for i := range made {
		group.Go(func() { made[i], failed[i] = r.Register(ctx, n) })
	}
	group.Wait()
	for i, v := range made {
		r.ok(failed[i])
		if v.ID != made[0].ID || v.SemanticVersion != "1.0.0" || v.TrainingRunID == nil || *v.TrainingRunID != run {
			t.Errorf("%+v", v)
		}
	}
	n.TrainingRun = id.Nil
	_, err := r.Register(ctx, n)
	onlyFault(t, "uploaded as well", err, fault.Conflict, "error.version.already", "")
}

func TestWhatIsNotRegistered(t *testing.T) {
	r := newRegistrar(t)
	ctx := r.acme.As(t.Context(), tenancy.Engineer)
	m, predictor := r.model("pumps", enum.ModelFaultClassification), r.model("days", enum.ModelFailurePrediction)
	good := modeltest.Changed(numbered("a"))
	for _, c := range []struct {
		name   string
		ctx    context.Context
		model  id.UUID
		bundle []byte
		kind   fault.Kind
		key    string
		field  string
	}{
		{"by a viewer", r.acme.As(t.Context(), tenancy.Viewer), m.ID, good, fault.Forbidden, "error.forbidden", ""},
		{"by another tenant", r.globex.As(t.Context(), tenancy.Admin), m.ID, good, fault.NotFound, "error.notFound", "input.modelId"},
		{"for no model", ctx, id.New(id.MLModel), good, fault.NotFound, "error.notFound", "input.modelId"},
		{"a classifier as a predictor", ctx, predictor.ID, good, fault.BadInput, "error.version.kind", "input.modelId"},
		{"half a bundle", ctx, m.ID, good[:len(good)/2], fault.BadInput, "error.inference.upload", "input.files"},
		{"another feature schema", ctx, m.ID, modeltest.Changed(func(m *artifact.Manifest) { m.FeatureSchemaHash = "0" }), fault.BadInput, "error.version.schema", "input.featureSchemaHash"},
		{"an unknown fault", ctx, m.ID, modeltest.Changed(func(m *artifact.Manifest) { m.Classes[3] = "rust" }), fault.BadInput, "error.version.classUnknown", "input.classes"},
	} {
		_, err := r.Register(c.ctx, modelops.NewVersion{Model: c.model, Bundle: c.bundle})
		onlyFault(t, c.name, err, c.kind, c.key, c.field)
	}
	sited := *tenancy.Must(ctx)
	sited.SiteIDs = []id.UUID{r.acme.SiteID}
	_, err := r.Register(tenancy.With(t.Context(), &sited), modelops.NewVersion{Model: m.ID, Bundle: good})
	onlyFault(t, "by one of a site", err, fault.Forbidden, "error.forbidden", "")
	if _, err := r.artifacts.Artifact(r.globex.As(t.Context(), tenancy.Admin), artifact.HashOf(good)); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("what was refused is kept: %v", err)
	}
}

func TestUploadsFromElsewhere(t *testing.T) {
	r := newRegistrar(t)
	ctx := r.acme.As(t.Context(), tenancy.Engineer)
	m := r.model("pumps", enum.ModelFaultClassification)
	schema := inference.FeatureSchema(artifact.FaultClassifier)
	request := func(content []byte, classes []string) modelops.UploadRequest {
		return modelops.UploadRequest{Model: m.ID, Files: []modelops.UploadedFile{{Upload: r.upload(content)}}, Classes: classes, FeatureSchemaHash: schema}
	}
	all := modeltest.Open().Manifest.Classes
	v, err := r.Upload(ctx, request(modeltest.JSON(), all))
	r.ok(err)
	if v.SemanticVersion != "1.0.0" || len(v.Metrics) != 0 || v.Card.Boosters[0].GoldenBy != "leaves" || v.Classes[0] != "normal" || v.DatasetHash != "" {
		t.Errorf("JSON: %+v", v)
	}
	if len(r.uploads) != 0 {
		t.Errorf("%d uploads are left", len(r.uploads))
	}
	_, err = r.Upload(ctx, request(modeltest.Open().Binary, all)) // its JSON is written anew, so that it is another artifact
	r.ok(err)
	_, err = r.Upload(ctx, request(modeltest.JSON(), all))
	onlyFault(t, "again", err, fault.Conflict, "error.version.already", "")
	if v, err := r.Upload(ctx, request(modeltest.Changed(numbered("a")), nil)); err != nil || v.SemanticVersion != "1.0.2" || v.Card.Boosters[0].GoldenBy != "XGBoost" {
		t.Errorf("a bundle: %+v, %v", v, err)
	}

	// Trees have a number of features, too: the model's own is the last.
	spoilt := func(old, with string) []byte {
		at := bytes.LastIndex(modeltest.JSON(), []byte(old))
		if at < 0 {
			t.Fatalf("the model has no %s", old)
		}
		return slices.Concat(modeltest.JSON()[:at], []byte(with), modeltest.JSON()[at+len(old):])
	}
	huge := bytes.Clone(modeltest.Open().Binary)
	copy(huge[4+4:], "\xff\xff\xff\x7f") // features
	for _, c := range []struct {
		name    string
		content []byte
		classes []string
		key     string
		field   string
	}{
		{"half a binary model", modeltest.Open().Binary[:len(modeltest.Open().Binary)/2], all, "error.version.truncated", "input.files"},
		{"half a JSON model", modeltest.JSON()[:len(modeltest.JSON())/2], all, "error.version.truncated", "input.files"},
		{"two thousand million features", huge, all, "error.version.limit", "input.files"},
		{"400 features", spoilt(`"num_feature":"336"`, `"num_feature":"400"`), all, "error.version.features", "input.files"},
		{"several trees a round", spoilt(`"num_parallel_tree":"1"`, `"num_parallel_tree":"2"`), all, "error.version.parallelTrees", "input.files"},
		{"dart", spoilt(`"name":"gbtree"`, `"name":"dart"`), all, "error.version.booster", "input.files"},
		{"categories", spoilt(`"categories_nodes":[]`, `"categories_nodes":[0]`), all, "error.version.categorical", "input.files"},
		{"no model", []byte("hello"), all, "error.inference.upload", "input.files"},
		{"no classes", modeltest.JSON(), nil, "error.version.noClasses", "input.classes"},
		{"33 classes", modeltest.JSON(), all[1:], "error.version.classCount", "input.classes"},
		{"an unknown class", modeltest.JSON(), append([]string{"rust"}, all[1:]...), "error.version.classUnknown", "input.classes"},
	} {
		_, err := r.Upload(ctx, request(c.content, c.classes))
		onlyFault(t, c.name, err, fault.BadInput, c.key, c.field)
	}
	q := request(modeltest.JSON(), all)
	q.FeatureSchemaHash = "0"
	_, err = r.Upload(ctx, q)
	onlyFault(t, "trained on other features", err, fault.BadInput, "error.version.schema", "input.featureSchemaHash")
	q.Files[0].Upload = id.New(id.Upload)
	_, err = r.Upload(ctx, q)
	onlyFault(t, "no such upload", err, fault.NotFound, "error.notFound", "input.files.0.uploadId")
	q.Files = nil
	_, err = r.Upload(ctx, q)
	onlyFault(t, "no files", err, fault.BadInput, "error.range", "input.files")
}

func TestOnlyVersionsThatServeNobodyAreArchived(t *testing.T) {
	r := newRegistrar(t)
	ctx := r.acme.As(t.Context(), tenancy.Engineer)
	m := r.model("pumps", enum.ModelFaultClassification)
	v, err := r.Register(ctx, modelops.NewVersion{Model: m.ID, Bundle: modeltest.Changed(numbered("a"))})
	r.ok(err)
	_, err = r.Archive(r.globex.As(t.Context(), tenancy.Admin), v.ID, nil)
	onlyFault(t, "another tenant's", err, fault.NotFound, "error.notFound", "input.id")
	_, err = r.Archive(ctx, v.ID, ptr(v.Version+1))
	onlyFault(t, "a stale version", err, fault.Conflict, "error.stale", "input.expectedVersion")
	serves := func(name, begin, end string) {
		t.Helper()
		r.sql(begin, id.New(id.MLModelDeployment), r.acme.TenantID, m.ID, v.ID)
		_, err := r.Archive(ctx, v.ID, nil)
		onlyFault(t, name, err, fault.Conflict, "error.version.serves", "input.id")
		r.sql(end)
	}
	serves("it serves the tenant", `INSERT INTO ml_model_deployments (id, tenant_id, model_id, model_version_id) VALUES ($1, $2, $3, $4)`,
		`UPDATE ml_model_deployments SET deployment_end = now()`)
	serves("it is a shadow of the tenant", `INSERT INTO ml_model_deployments (id, tenant_id, model_id, model_version_id, is_production, stage) VALUES ($1, $2, $3, $4, false, 'shadow')`,
		`UPDATE ml_model_deployments SET deployment_end = now()`)
	serves("it serves a machine", `INSERT INTO asset_model_versions (id, tenant_id, model_id, model_version_id, asset_id)
		VALUES ($1, $2, $3, $4, (SELECT id FROM assets WHERE tenant_id = $2 LIMIT 1))`, `UPDATE asset_model_versions SET is_active = false, deployment_end = now()`)
	for range 2 {
		if e, err := r.Archive(ctx, v.ID, nil); err != nil || e.Stage != enum.StageArchived {
			t.Errorf("%+v, %v", e, err)
		}
	}
}

func TestArchivedVersionsMakeRoom(t *testing.T) {
	r := newRegistrar(t)
	ships := champion("1.0.0", "a")
	ships.Artifact = champions.FaultClassifier().Hash()
	r.ok(modelops.EnsureChampion(t.Context(), r.client, r.acme.TenantID, ships))
	ctx := r.acme.As(t.Context(), tenancy.Engineer)
	bundle := modeltest.Changed(numbered("a"))
	var of [2]*ent.MLModelVersion // of two models, with one artifact
	for i, name := range []string{"pumps", "fans"} {
		var err error
		of[i], err = r.Register(ctx, modelops.NewVersion{Model: r.model(name, enum.ModelFaultClassification).ID, Bundle: bundle})
		r.ok(err)
		_, err = r.Delete(ctx, of[i].ID, nil)
		onlyFault(t, "not archived", err, fault.Conflict, "error.version.notArchived", "input.id")
		_, err = r.Archive(ctx, of[i].ID, nil)
		r.ok(err)
	}
	_, err := r.Delete(r.globex.As(t.Context(), tenancy.Admin), of[0].ID, nil)
	onlyFault(t, "another tenant's", err, fault.NotFound, "error.notFound", "input.id")
	_, err = r.Delete(ctx, of[0].ID, ptr(of[0].Version))
	onlyFault(t, "a stale version", err, fault.Conflict, "error.stale", "input.expectedVersion")
	if _, err := r.Delete(r.acme.As(t.Context(), tenancy.Operator), of[0].ID, nil); !fault.Is(err, fault.Forbidden) {
		t.Errorf("an operator: %v", err)
	}
	left := func(want bool) {
		t.Helper()
		if _, err := r.artifacts.Artifact(ctx, of[0].ArtifactPath); want && err != nil || !want && !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("the artifact: %v", err)
		}
	}
	if e, err := r.Delete(ctx, of[0].ID, ptr(of[0].Version+1)); err != nil || !e.IsDeleted || e.FullVersionLabel != "pumps:1.0.0" {
		t.Fatalf("%+v, %v", e, err)
	}
	left(true) // as the other version has it too
	_, err = r.Delete(ctx, of[0].ID, nil)
	onlyFault(t, "deleted before", err, fault.NotFound, "error.notFound", "input.id")
	_, err = r.Delete(ctx, of[1].ID, nil)
	r.ok(err)
	left(false)
	// The same model can come again, under a number of its own.
	again, err := r.Register(ctx, modelops.NewVersion{Model: of[0].ModelID, Bundle: bundle})
	if err != nil || again.SemanticVersion != "1.0.1" {
		t.Fatalf("%+v, %v", again, err)
	}
	left(true)

	r.sql(`UPDATE ml_model_deployments SET deployment_end = now()`)
	v := r.client.MLModelVersion.Query().Where(mlmodelversion.ArtifactPath(ships.Artifact)).OnlyX(ctx)
	_, err = r.Archive(ctx, v.ID, nil)
	r.ok(err)
	_, err = r.Delete(ctx, v.ID, nil)
	onlyFault(t, "it ships", err, fault.Conflict, "error.version.ships", "input.id")
}

func TestModelsAndFaultTypesOfOnesOwn(t *testing.T) {
	r := newRegistrar(t)
	ctx := r.acme.As(t.Context(), tenancy.Engineer)
	m := r.model("pumps", enum.ModelFailurePrediction)
	if m.FeatureSchema != inference.FeatureSchema(artifact.FailurePredictor) {
		t.Errorf("%+v", m)
	}
	_, err := r.CreateModel(ctx, modelops.NewModel{Name: "pumps", Type: enum.ModelFaultClassification})
	onlyFault(t, "the name is taken", err, fault.Conflict, "error.model.nameTaken", "input.name")
	_, err = r.CreateModel(ctx, modelops.NewModel{Name: "Pumps!", Type: enum.ModelFaultClassification})
	onlyFault(t, "no name", err, fault.BadInput, "error.code", "input.name")
	_, err = r.CreateModel(ctx, modelops.NewModel{Name: "life", Type: enum.ModelRUL})
	onlyFault(t, "a type that is not served", err, fault.BadInput, "error.version.notServed", "input.type")

	labels := func() map[string]string { return map[string]string{"en": " Gear wear ", "pt-BR": "Desgaste"} }
	f, err := r.CreateFaultType(ctx, modelops.NewFaultType{Code: "gear_wear", Family: enum.FamilyOther, Severity: enum.SeverityHigh, ISO14224Code: "BRD", Labels: labels()})
	if err != nil || f.Labels["en"] != "Gear wear" || f.DefaultSeverity != enum.SeverityHigh || f.TenantID == nil || *f.TenantID != r.acme.TenantID {
		t.Errorf("%+v, %v", f, err)
	}
	for _, c := range []struct {
		name       string
		n          modelops.NewFaultType
		kind       fault.Kind
		key, field string
	}{
		{"taken", modelops.NewFaultType{Code: "gear_wear", Family: enum.FamilyOther, Labels: labels()}, fault.Conflict, "error.faultType.taken", "input.code"},
		{"built in", modelops.NewFaultType{Code: "cavitation", Family: enum.FamilyOther, Labels: labels()}, fault.Conflict, "error.faultType.taken", "input.code"},
		{"healthy", modelops.NewFaultType{Code: "fine", Family: enum.FamilyHealthy, Labels: labels()}, fault.BadInput, "error.faultType.healthy", "input.family"},
		{"no labels", modelops.NewFaultType{Code: "x", Family: enum.FamilyOther}, fault.BadInput, "error.faultType.labels", "input.labels"},
		{"an empty label", modelops.NewFaultType{Code: "x", Family: enum.FamilyOther, Labels: map[string]string{"en": " "}}, fault.BadInput, "error.faultType.label", "input.labels"},
		{"no language", modelops.NewFaultType{Code: "x", Family: enum.FamilyOther, Labels: map[string]string{"English": "X"}}, fault.BadInput, "error.faultType.label", "input.labels"},
	} {
		_, err := r.CreateFaultType(ctx, c.n)
		onlyFault(t, c.name, err, c.kind, c.key, c.field)
	}
	if _, err := r.CreateFaultType(r.globex.As(t.Context(), tenancy.Admin), modelops.NewFaultType{Code: "gear_wear", Family: enum.FamilyOther, Labels: labels()}); err != nil {
		t.Errorf("the same code of another tenant: %v", err)
	}
}

func TestVersionsSideBySide(t *testing.T) {
	r := newRegistrar(t)
	ctx := r.acme.As(t.Context(), tenancy.Engineer)
	m := r.model("pumps", enum.ModelFaultClassification)
	a, err := r.Register(ctx, modelops.NewVersion{Model: m.ID, Bundle: modeltest.Changed(numbered("a"))})
	r.ok(err)
	b, err := r.Register(ctx, modelops.NewVersion{Model: m.ID, Bundle: modeltest.Changed(func(m *artifact.Manifest) { m.Metrics.Accuracy = 0.25 })})
	r.ok(err)
	r.sql(`UPDATE ml_model_versions SET metrics = metrics - 'log_loss' WHERE id = $1`, a.ID)
	viewer := r.acme.As(t.Context(), tenancy.Viewer)
	c, err := r.Compare(viewer, []id.UUID{b.ID, a.ID})
	r.ok(err)
	if c.Versions[0].ID != b.ID || c.Versions[1].ID != a.ID || c.Metrics[0].Name != "accuracy" || *c.Metrics[0].Values[0] != 0.25 || *c.Metrics[0].Values[1] != modeltest.Open().Manifest.Metrics.Accuracy {
		t.Errorf("%+v", c)
	}
	for _, row := range c.Metrics {
		if row.Name == "log_loss" && (row.Values[0] == nil || row.Values[1] != nil) {
			t.Errorf("log loss %v", row.Values)
		}
	}
	other, err := r.Register(ctx, modelops.NewVersion{Model: r.model("fans", enum.ModelFaultClassification).ID, Bundle: modeltest.Changed(numbered("a"))})
	r.ok(err)
	_, err = r.Compare(viewer, []id.UUID{a.ID, other.ID})
	onlyFault(t, "of another model", err, fault.BadInput, "error.version.otherModel", "ids")
	_, err = r.Compare(r.globex.As(t.Context(), tenancy.Admin), []id.UUID{a.ID, b.ID})
	onlyFault(t, "another tenant's", err, fault.NotFound, "error.notFound", "ids")
	_, err = r.Compare(viewer, []id.UUID{a.ID})
	onlyFault(t, "one alone", err, fault.BadInput, "error.range", "ids")
}

// A plan has room for so many versions, and bytes; archived ones count, and what a training
// has registered is not refused when it is registered again.
func TestPlansBoundVersions(t *testing.T) {
	r := newRegistrar(t)
	ctx := r.acme.As(t.Context(), tenancy.Engineer)
	m := r.model("pumps", enum.ModelFaultClassification)
	r.sql(`UPDATE tenants SET plan = 'free' WHERE id = $1`, r.acme.TenantID)
	run := id.New(id.TrainingRun)
	r.sql(`INSERT INTO training_runs (id, tenant_id, model_id) VALUES ($1, $2, $3)`, run, r.acme.TenantID, m.ID)
	trained := modelops.NewVersion{Model: m.ID, Bundle: modeltest.Changed(numbered("a")), TrainingRun: run}
	_, err := r.Register(ctx, trained)
	r.ok(err)
	fill := func(n int, bytes int64) {
		t.Helper()
		r.sql(`DELETE FROM ml_model_versions WHERE training_run_id IS NULL`)
		r.sql(`INSERT INTO ml_model_versions (id, tenant_id, model_id, semantic_version, full_version_label, stage, artifact_path, dataset_hash, feature_schema_hash, card)
			SELECT gen_random_uuid(), $1, $2, '0.0.' || i, 'pumps:0.0.' || i, 'archived', i::text, 'd', 'f', jsonb_build_object('bytes', $4::bigint) FROM generate_series(1, $3) i`,
			r.acme.TenantID, m.ID, n, bytes)
	}
	more := modelops.NewVersion{Model: m.ID, Bundle: modeltest.Changed(numbered("b"))}
	for name, c := range map[string]struct {
		versions int
		bytes    int64
	}{"versions": {49, 1}, "bytes": {8, 64 << 20}} {
		fill(c.versions, c.bytes)
		_, err := r.Register(ctx, more)
		onlyFault(t, name, err, fault.Conflict, "error.version.room", "")
		_, err = r.Upload(ctx, modelops.UploadRequest{Model: m.ID, Files: []modelops.UploadedFile{{Upload: r.upload(modeltest.Changed(numbered("c")))}}})
		onlyFault(t, name+", uploaded", err, fault.Conflict, "error.version.room", "")
		if _, err := r.Register(ctx, trained); err != nil {
			t.Errorf("%s: registered again: %v", name, err)
		}
	}
	if err := r.Room(r.globex.As(t.Context(), tenancy.Engineer)); err != nil {
		t.Errorf("the other tenant: %v", err)
	}
	fill(48, 1)
	if _, err := r.Register(ctx, more); err != nil {
		t.Errorf("the last one: %v", err)
	}
}
