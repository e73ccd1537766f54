package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"
)

// trainer returns the path of the trainer, built once.
var trainer = sync.OnceValues(func() (string, error) {
	path := filepath.Join(work, "foresight-trainer")
	build := exec.Command("go", "build", "-tags", "xgboost", "-o", path, "foresight/tools/trainer")
	build.Env = append(os.Environ(), "CGO_ENABLED=1")
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build the trainer: %w\n%s", err, out)
	}
	return path, nil
})

// withTrainer is the setting that names the trainer. Everything but training works
// without libxgboost, so a machine without it skips the test.
func withTrainer(t testing.TB) string {
	t.Helper()
	found := false
	for _, pattern := range []string{"/usr/lib/*/libxgboost.so", "/usr/lib/libxgboost.so", "/usr/local/lib/libxgboost.so"} {
		at, _ := filepath.Glob(pattern)
		found = found || len(at) > 0
	}
	if !found {
		t.Skip("no libxgboost here: nothing can be trained")
	}
	path, err := trainer()
	if err != nil {
		t.Fatal(err)
	}
	return "FORESIGHT_TRAINING_TRAINER_PATH=" + path
}

// lived is a version in its life.
type lived struct{ ID, Label, Stage string }

// trained is a training as clients read it.
type trained struct {
	ID, Status, Phase, Failure, Log, DatasetHash string
	Done, Rows, FeedbackRows                     int
	BaseVersion, ModelVersion                    *lived
	By                                           *struct{ FullName string }
	Boosters                                     []struct {
		Rounds    int
		Confusion [][]int
	}
	Metrics []struct{ Split string }
}

type deployed struct {
	ID, Stage                       string
	Percent                         int
	ModelVersion, RolledBackVersion *lived
}

type mistakes []struct{ Field, Code, Message string }

// life is an installation in which a model lives, seen by those who look after it.
type life struct {
	testing.TB
	*instance
	engineer, operator, admin string
	model                     string
	machine                   mqtt.Client
	news                      *socket // of deployments
}

// hold keeps trainings, once their rounds are told of, from telling anything else until
// release, or for half a minute: a training may be over before somebody looks.
func (l *life) hold() {
	l.Helper()
	for _, s := range []string{`CREATE TABLE held (yet boolean)`,
		`CREATE FUNCTION hold() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN
			WHILE EXISTS (SELECT FROM public.held) LOOP PERFORM pg_sleep(0.05); END LOOP;
			RETURN NEW;
		END $$`,
		`CREATE TRIGGER hold BEFORE UPDATE ON job_progress FOR EACH ROW WHEN (OLD.phase = 'training' AND OLD.done > 0 AND NEW.phase <> 'training') EXECUTE FUNCTION hold()`} {
		l.sql(l, s)
	}
}

func (l *life) release() {
	l.Helper()
	l.sql(l, `DELETE FROM held`)
}

// rounds tells whether the training has had some.
func (r trained) rounds() bool { return r.Phase == "TRAINING" && r.Done > 0 }

const lifeFed = alpha + "/north-station/sensors/pump-a02-s1"

// train asks for a training and follows it to its end by the given door.
func (l *life) train(in vars, follow func(run string) []trained) trained {
	l.Helper()
	in["modelId"] = l.model
	l.sql(l, `INSERT INTO held VALUES (true)`)
	begun := get[struct {
		StartTraining struct {
			TrainingRun *trained
			UserErrors  mistakes
		}
	}](l, l.instance, l.engineer, `mutation($in: StartTrainingInput!) { startTraining(input: $in) { trainingRun { id status } userErrors { field code message } } }`, vars{"in": in}).StartTraining
	if begun.TrainingRun == nil { // it may have begun by the time that it is read
		l.Fatalf("not begun: %+v", begun)
	}
	items := follow(begun.TrainingRun.ID)
	if last := items[len(items)-1]; last.Status != "SUCCEEDED" {
		l.Fatalf("ended as %+v", last)
	}
	return get[struct{ TrainingRun trained }](l, l.instance, l.engineer, `query($id: UUID!) { trainingRun(id: $id) { id status log datasetHash rows feedbackRows baseVersion { label } modelVersion { id label stage }
		by { fullName } boosters { rounds confusion } metrics { split } } }`, vars{"id": begun.TrainingRun.ID}).TrainingRun
}

const followTraining = `subscription($run: UUID!) { trainingProgress(trainingRunId: $run) { snapshot job { status phase done failure } } }`

type progressed struct {
	Data struct {
		TrainingProgress struct {
			Snapshot bool
			Job      trained
		}
	}
}

// bySocket follows a training over a WebSocket until the operation is complete.
func (l *life) bySocket(run string) (out []trained) {
	l.Helper()
	s := l.dial(l, l.engineer)
	s.subscribe(l, "training", followTraining, vars{"run": run})
	s.await(l, "word of a round", func(f frame) bool {
		return f.Type == "next" && decode[progressed](l, f.Payload).Data.TrainingProgress.Job.rounds()
	})
	l.release()
	s.await(l, "the end of the training", func(f frame) bool { return f.ID == "training" && f.Type == "complete" })
	for n, f := range s.received() {
		if f.Type != "next" {
			continue
		}
		p := decode[progressed](l, f.Payload).Data.TrainingProgress
		if p.Snapshot != (len(out) == 0) {
			l.Errorf("frame %d is a snapshot: %v", n, p.Snapshot)
		}
		out = append(out, p.Job)
	}
	return out
}

// byEvents follows a training over server-sent events until they are complete.
func (l *life) byEvents(run string) (out []trained) {
	l.Helper()
	body, err := json.Marshal(vars{"query": followTraining, "variables": vars{"run": run}})
	if err != nil {
		l.Fatal(err)
	}
	events := stream(l, exec.CommandContext(l.Context(), "curl", "--silent", "--no-buffer", l.url+"/graphql", "-H", "Authorization: Bearer "+l.engineer,
		"-H", "Content-Type: application/json", "-H", "Accept: text/event-stream", "--data-binary", string(body)))
	events.await("word of a round", func(line string) bool {
		data, ok := strings.CutPrefix(line, "data: {")
		return ok && decode[progressed](l, []byte("{"+data)).Data.TrainingProgress.Job.rounds()
	})
	l.release()
	events.await("the end of the training", func(line string) bool { return line == "event: complete" })
	events.mu.Lock()
	defer events.mu.Unlock()
	for _, line := range events.got {
		if data, ok := strings.CutPrefix(line, "data: {"); ok {
			out = append(out, decode[progressed](l, []byte("{"+data)).Data.TrainingProgress.Job)
		}
	}
	return out
}

type named struct{ ID, Code, ModelVersion string }

// said are the newest predictions of the machine.
func (l *life) said() []named {
	l.Helper()
	return get[struct{ Predictions struct{ Nodes []named } }](l, l.instance, l.operator, `{ predictions(first: 100) { nodes { id code modelVersion } } }`, nil).Predictions.Nodes
}

// serves waits until what the machine reports is predicted by the version.
func (l *life) serves(v *lived) {
	l.Helper()
	before := map[string]bool{}
	for _, p := range l.said() {
		before[p.ID] = true
	}
	within(l, patience, "a new prediction by "+v.Label, func() bool {
		feed(l, l.machine, lifeFed, "cavitation", 16)
		return slices.ContainsFunc(l.said(), func(p named) bool { return !before[p.ID] && p.ModelVersion == v.Label })
	})
}

// told waits for news of deployments.
func (l *life) told(change, stage string, v *lived) {
	l.Helper()
	l.news.await(l, change+" "+stage+" "+v.Label, func(f frame) bool {
		if f.ID != "deployments" || f.Type != "next" {
			return false
		}
		n := decode[struct {
			Data struct {
				Deployments struct {
					Change     string
					Deployment deployed
				}
			}
		}](l, f.Payload).Data.Deployments
		return n.Change == change && n.Deployment.Stage == stage && n.Deployment.ModelVersion.Label == v.Label
	})
}

const deployedFields = `deployment { id stage percent modelVersion { label stage } rolledBackVersion { label } } userErrors { field code message }`

func (l *life) deploy(v *lived, stage string) deployed {
	l.Helper()
	type payload struct {
		Deployment *deployed
		UserErrors mistakes
	}
	d := get[struct{ DeployVersion payload }](l, l.instance, l.engineer, `mutation($in: DeployVersionInput!) { deployVersion(input: $in) { `+deployedFields+` } }`,
		vars{"in": vars{"modelVersionId": v.ID, "stage": stage}}).DeployVersion
	if d.Deployment == nil || d.Deployment.Stage != stage || d.Deployment.ModelVersion.Label != v.Label {
		l.Fatalf("%+v", d)
	}
	l.told("OPENED", stage, v)
	return *d.Deployment
}

func (l *life) stageOf(v *lived) string {
	l.Helper()
	return get[struct{ Node lived }](l, l.instance, l.engineer, `query($id: UUID!) { node(id: $id) { ... on ModelVersion { stage } } }`, vars{"id": v.ID}).Node.Stage
}

// A model from its training to the version that learned from people: trained on simulated
// machines by the real trainer, tried on a canary, asked for and approved, in production,
// corrected, trained anew, beside as a shadow, in production, and taken back. All of it
// through the doors that people have, and each step told to those who watch.
func TestTheLifeOfAModel(t *testing.T) {
	setting := withTrainer(t)
	i, err := startWith(filepath.Join(work, "lived"), []string{setting}, "--rate", "0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), 60*time.Second)
		defer cancel()
		if err := i.interrupt(ctx); err != nil {
			t.Error(err)
		}
	})
	l := &life{TB: t, instance: i, engineer: i.login(t, alpha, "engineer"), operator: i.login(t, alpha, "operator"), admin: i.login(t, alpha, "admin"), machine: i.device(t, alpha+".gw-north")}
	type open struct {
		Deployments struct {
			Nodes []struct {
				Model        struct{ ID, Name string }
				ModelVersion lived
				IsProduction bool
			}
		}
	}
	var shipped lived
	for _, d := range get[open](t, i, l.engineer, `{ deployments { nodes { isProduction model { id name } modelVersion { id label stage } } } }`, nil).Deployments.Nodes {
		if d.Model.Name == "fault_classifier" && d.IsProduction {
			l.model, shipped = d.Model.ID, d.ModelVersion
		}
	}
	l.hold()
	l.news = i.dial(t, l.engineer)
	l.news.subscribe(t, "deployments", `subscription($model: UUID!) { deployments(modelId: $model) { snapshot change deployment { stage modelVersion { label } } } }`, vars{"model": l.model})
	l.news.await(t, "what serves", func(f frame) bool {
		return strings.Contains(string(f.Payload), `"snapshot":true`) && strings.Contains(string(f.Payload), shipped.Label)
	})
	l.serves(&shipped)

	// It is trained.
	run := l.train(vars{"source": "SIMULATOR", "simulator": vars{"faultMachines": 10, "normalMachines": 20, "windows": 1}, "parameters": vars{"rounds": 4, "maxDepth": 3, "seed": 11}}, l.bySocket)
	first := run.ModelVersion
	if first == nil || first.Stage != "STAGING" || run.BaseVersion.Label != shipped.Label || run.Rows < 33*10+20 || run.DatasetHash == "" || run.By == nil ||
		len(run.Boosters) != 1 || run.Boosters[0].Rounds < 1 || len(run.Boosters[0].Confusion) != 34 || len(run.Metrics) < 3 || run.Log == "" {
		t.Fatalf("trained %+v", run)
	}

	// It is tried, asked for, and approved by another person.
	if d := l.deploy(first, "CANARY"); d.Percent != 100 || l.stageOf(first) != "CANARY" || l.stageOf(&shipped) != "PRODUCTION" {
		t.Errorf("canary %+v", d)
	}
	l.serves(first)
	type requested struct {
		Request    *struct{ ID, Status string }
		UserErrors mistakes
	}
	asked := get[struct{ RequestDeployment requested }](t, i, l.engineer, `mutation($v: UUID!) { requestDeployment(input: {modelVersionId: $v, stage: PRODUCTION, note: "Better."}) { request { id status } userErrors { field code message } } }`,
		vars{"v": first.ID}).RequestDeployment
	if asked.Request == nil || asked.Request.Status != "PENDING" {
		t.Fatalf("asked %+v", asked)
	}
	const approve = `mutation($id: UUID!) { approveDeployment(input: {id: $id}) { request { id status } userErrors { field code message } } }`
	if own := i.ask(t, request{token: l.engineer, query: approve, vars: vars{"id": asked.Request.ID}}); len(own.Errors) != 1 || own.Errors[0].Code() != "FORBIDDEN" {
		t.Errorf("approved by who asked: %s", own.Body)
	}
	if done := get[struct{ ApproveDeployment requested }](t, i, l.admin, approve, vars{"id": asked.Request.ID}).ApproveDeployment; done.Request == nil || done.Request.Status != "APPROVED" {
		t.Fatalf("approved %+v", done)
	}
	l.told("ENDED", "PRODUCTION", &shipped)
	l.told("ENDED", "CANARY", first)
	l.told("OPENED", "PRODUCTION", first)
	if s, was := l.stageOf(first), l.stageOf(&shipped); s != "PRODUCTION" || was != "ARCHIVED" {
		t.Errorf("in production it is %s, the one before %s", s, was)
	}
	l.serves(first)
	// The other tenant has what it had.
	jubail := i.device(t, beta+".gw-jubail")
	theirs := get[struct{ Predictions struct{ Nodes []named } }]
	var of []named
	within(t, patience, "a prediction of the other tenant", func() bool {
		feed(t, jubail, beta+"/jubail-plant/sensors/pump-d02-s1", "cavitation", 16)
		of = theirs(t, i, i.login(t, beta, "operator"), `{ predictions(first: 100) { nodes { id modelVersion } } }`, nil).Predictions.Nodes
		return len(of) > 0
	})
	if slices.ContainsFunc(of, func(p named) bool { return p.ModelVersion != shipped.Label }) {
		t.Errorf("the other tenant: %+v", of)
	}

	// People correct it, and it learns from them.
	onFeedback := vars{"source": "FEEDBACK", "parameters": vars{"rounds": 4, "maxDepth": 3, "seed": 11}, "modelId": l.model}
	type payload struct {
		TrainingRun *trained
		UserErrors  mistakes
	}
	early := get[struct{ StartTraining payload }](t, i, l.engineer, `mutation($in: StartTrainingInput!) { startTraining(input: $in) { trainingRun { id } userErrors { field code message } } }`, vars{"in": onFeedback}).StartTraining
	if len(early.UserErrors) != 1 || early.UserErrors[0].Field != "input.source" {
		t.Errorf("nobody has said anything: %+v", early)
	}
	var items []any
	within(t, patience, "12 predictions by "+first.Label, func() bool {
		feed(t, l.machine, lifeFed, "cavitation", 16) // readings that come late make none
		items = nil
		for _, p := range l.said() {
			if p.ModelVersion == first.Label && len(items) < 12 {
				items = append(items, vars{"predictionId": p.ID, "type": "CORRECTION", "code": "bent_shaft"})
			}
		}
		return len(items) == 12
	})
	given := get[struct {
		SubmitFeedback struct {
			Feedback   []struct{ HasFeatures bool }
			UserErrors mistakes
		}
	}](t, i, l.operator, `mutation($in: SubmitFeedbackInput!) { submitFeedback(input: $in) { feedback { hasFeatures } userErrors { field code message } } }`, vars{"in": vars{"items": items}}).SubmitFeedback
	if len(given.Feedback) != 12 || !given.Feedback[0].HasFeatures {
		t.Fatalf("said %+v", given)
	}
	again := l.train(onFeedback, l.byEvents)
	second := again.ModelVersion
	if second == nil || second.Stage != "STAGING" || again.BaseVersion.Label != first.Label || again.FeedbackRows != 12 || again.Rows != run.Rows+12 || again.DatasetHash == run.DatasetHash {
		t.Fatalf("trained anew %+v", again)
	}

	// It predicts beside what serves, serves, and is taken back.
	shadow := l.deploy(second, "SHADOW")
	type comparison struct {
		DeploymentComparison struct {
			Candidate, Baseline struct{ Measures struct{ Predictions int } }
			Shadow              *struct {
				Measures struct{ Predictions, Alarms int }
			}
			Agreement *struct{ Pairs int }
		}
	}
	within(t, patience, "predictions of the shadow", func() bool {
		feed(t, l.machine, lifeFed, "cavitation", 16)
		c := get[comparison](t, i, l.engineer, `query($v: UUID!) { deploymentComparison(candidateId: $v) { candidate { measures { predictions } } baseline { measures { predictions } }
			shadow { measures { predictions alarms } } agreement { pairs } } }`, vars{"v": second.ID}).DeploymentComparison
		return c.Shadow != nil && c.Shadow.Measures.Predictions > 0 && c.Shadow.Measures.Alarms == 0 && c.Agreement.Pairs > 0 && c.Baseline.Measures.Predictions > 0 && c.Candidate.Measures.Predictions == 0
	})
	if slices.ContainsFunc(l.said(), func(p named) bool { return p.ModelVersion == second.Label }) {
		t.Error("what a shadow says is among the predictions")
	}
	l.deploy(second, "PRODUCTION")
	l.told("ENDED", "SHADOW", second)
	if shadow.ModelVersion.Label != second.Label || l.stageOf(second) != "PRODUCTION" {
		t.Errorf("in production it is %s", l.stageOf(second))
	}
	l.serves(second)
	type rolled struct {
		Deployment *deployed
		UserErrors mistakes
	}
	back := get[struct{ Rollback rolled }](t, i, l.engineer, `mutation($m: UUID!) { rollback(input: {modelId: $m}) { `+deployedFields+` } }`, vars{"m": l.model}).Rollback
	if back.Deployment == nil || back.Deployment.ModelVersion.Label != first.Label || back.Deployment.RolledBackVersion.Label != second.Label || l.stageOf(second) != "ARCHIVED" {
		t.Fatalf("taken back %+v", back)
	}
	l.told("ENDED", "PRODUCTION", second)
	l.serves(first)
	l.checksDrift()
	l.remembered(run.ID, again.ID)
}

// checksDrift looks for drift now: of one machine there is too little to tell, and that
// is what the report says.
func (l *life) checksDrift() {
	l.Helper()
	asked := get[struct {
		CheckDrift struct {
			Check      *struct{ ID string }
			UserErrors mistakes
		}
	}](l, l.instance, l.engineer, `mutation { checkDrift(input: {}) { check { id } userErrors { field code message } } }`, nil).CheckDrift
	if asked.Check == nil {
		l.Fatalf("not asked: %+v", asked)
	}
	type check struct {
		Node struct {
			Status string
			Done   int
		}
		DriftReports struct {
			Nodes []struct {
				Verdict      string
				Samples      int
				ModelVersion lived
			}
		}
	}
	var c check
	within(l, patience, "the end of the check", func() bool {
		c = get[check](l, l.instance, l.engineer, `query($id: UUID!) { node(id: $id) { ... on DriftCheck { status done } } driftReports { nodes { verdict samples modelVersion { label } } } }`,
			vars{"id": asked.Check.ID})
		return c.Node.Status == "SUCCEEDED" || c.Node.Status == "FAILED"
	})
	if c.Node.Status != "SUCCEEDED" || c.Node.Done != 1 || len(c.DriftReports.Nodes) != 1 || c.DriftReports.Nodes[0].Verdict != "UNKNOWN" || c.DriftReports.Nodes[0].Samples < 1 {
		l.Errorf("checked %+v", c)
	}
}

// remembered looks whether the audit log knows who did what.
func (l *life) remembered(runs ...string) {
	l.Helper()
	did := map[string]int{}
	for _, e := range get[struct {
		AuditLog struct {
			Nodes []struct{ Action, Entity, EntityID string }
		}
	}](l, l.instance, l.admin, `{ auditLog(first: 100) { nodes { action entity entityId } } }`, nil).AuditLog.Nodes {
		did[e.Entity+" "+e.Action]++
		if e.Entity == "TrainingRun" && !slices.Contains(runs, e.EntityID) {
			l.Errorf("the log tells of another training: %+v", e)
		}
	}
	for what, times := range map[string]int{"TrainingRun start": 2, "DeploymentRequest request": 1, "DeploymentRequest approve": 1, "Feedback create": 12} {
		if did[what] != times {
			l.Errorf("%s: %d times in the audit log, want %d: %v", what, did[what], times, did)
		}
	}
}
