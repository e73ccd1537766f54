package e2e

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// machines writes a file of one site with n machines, each with a sensor; what is
// referred to comes last.
func machines(site string, n int) string {
	var b strings.Builder
	b.WriteString("kind;code;name;site;asset;type;rated_power_kw\n")
	for i := range n {
		fmt.Fprintf(&b, "sensor;%s-m%d-s;;;%s-m%d;vibration;\nasset;%s-m%d;Machine %d;%s;;pump;7,5\n", site, i, site, i, site, i, i, site)
	}
	fmt.Fprintf(&b, "site;%s;Site %s;;;;\n", site, site)
	return b.String()
}

// operation asks the graph by curl and gives the data.
func (i *instance) byCurl(t testing.TB, token, query string, v vars) map[string]any {
	t.Helper()
	body, err := json.Marshal(map[string]any{"query": query, "variables": v})
	if err != nil {
		t.Fatal(err)
	}
	out := curl(t, i.url+"/graphql", "-H", "Authorization: Bearer "+token, "-H", "Content-Type: application/json", "-H", "Accept-Language: de", "--data-binary", string(body))
	a := decode[struct {
		Data   map[string]any
		Errors []any
	}](t, out)
	if len(a.Errors) > 0 {
		t.Fatalf("%s\n%s", query, out)
	}
	return a.Data
}

// upload sends a file by curl and returns its id.
func (i *instance) upload(t testing.TB, token, content string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "plant.csv")
	if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	out := curl(t, "--fail", i.url+"/uploads?name=plant.csv", "-H", "Authorization: Bearer "+token, "-H", "Content-Type: text/csv", "--data-binary", "@"+file)
	return decode[struct{ ID string }](t, out).ID
}

const startImport = `mutation($upload: UUID!, $dry: Boolean!) { importAssets(input: {uploadId: $upload, dryRun: $dry}) {
	job { id status } userErrors { field message code } } }`

func (i *instance) importUpload(t testing.TB, token, upload string, dry bool) (job string) {
	t.Helper()
	d := i.byCurl(t, token, startImport, vars{"upload": upload, "dry": dry})
	return d["importAssets"].(map[string]any)["job"].(map[string]any)["id"].(string)
}

// progress is an item of an import that is under way.
var progress = regexp.MustCompile(`"status":"RUNNING","phase":"WRITING","done":[1-9]`)

const importFields = `job { status phase done total failure readRows rejectedRows mistakeCount created { sites assets sensors }
	mistakes(limit: 3) { row column message code } } snapshot`

type imported struct {
	Job struct {
		Status, Phase, Failure               string
		Done, Total                          int
		ReadRows, RejectedRows, MistakeCount int
		Created                              struct{ Sites, Assets, Sensors int }
		Mistakes                             []struct {
			Row                   int
			Column, Message, Code string
		}
		Rows         int
		DownloadPath string
	}
	Snapshot bool
}

// hold keeps imports, by this process and by the next one on its data, where their machines
// are written and not committed, until release. Before that they take so long that they
// tell of rows that are written.
func (i *instance) hold(t testing.TB) (release func()) {
	t.Helper()
	for _, s := range []string{`CREATE TABLE held AS SELECT true AS yet`,
		`CREATE FUNCTION hold() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN
			IF TG_TABLE_NAME = 'sites' THEN PERFORM pg_sleep(0.5); END IF;
			WHILE TG_TABLE_NAME = 'assets' AND EXISTS (SELECT FROM public.held) LOOP PERFORM pg_sleep(0.05); END LOOP;
			RETURN NULL;
		END $$`,
		`CREATE TRIGGER hold AFTER INSERT ON sites FOR EACH STATEMENT EXECUTE FUNCTION hold()`,
		`CREATE TRIGGER hold AFTER INSERT ON assets FOR EACH STATEMENT EXECUTE FUNCTION hold()`} {
		i.sql(t, s)
	}
	return func() {
		t.Helper()
		i.sql(t, `DELETE FROM held`)
	}
}

// follow subscribes by curl, which speaks server-sent events, until the job ends. Meanwhile
// are called with what comes.
func (i *instance) follow(t testing.TB, token, subscription, fields, job string, meanwhile ...func(*lines)) (items []imported) {
	t.Helper()
	body, err := json.Marshal(map[string]any{"query": fmt.Sprintf(`subscription($job: UUID!) { progress: %s(jobId: $job) { %s } }`, subscription, fields), "variables": vars{"job": job}})
	if err != nil {
		t.Fatal(err)
	}
	events := stream(t, exec.CommandContext(t.Context(), "curl", "--silent", "--show-error", "--no-buffer", i.url+"/graphql", "-H", "Authorization: Bearer "+token,
		"-H", "Content-Type: application/json", "-H", "Accept: text/event-stream", "-H", "Accept-Language: de", "--data-binary", string(body)))
	for _, f := range meanwhile {
		f(events)
	}
	events.await("the end of the job", func(line string) bool { return line == "event: complete" })
	events.mu.Lock()
	defer events.mu.Unlock()
	for _, l := range events.got {
		if data, ok := strings.CutPrefix(l, "data:"); ok && strings.Contains(data, `"progress"`) {
			items = append(items, decode[struct{ Data struct{ Progress imported } }](t, []byte(data)).Data.Progress)
		}
	}
	if len(items) == 0 || !items[0].Snapshot {
		t.Fatalf("%s", events.got)
	}
	return items
}

func (i *instance) assetCount(t testing.TB, token, search string) int {
	t.Helper()
	return get[struct{ Assets struct{ TotalCount int } }](t, i, token, `query($s: String) { assets(first: 1, filter: {search: $s}) { totalCount } }`, vars{"s": search}).Assets.TotalCount
}

// A partner with curl alone: a dry run with its mistakes, an import of 10,001 rows with
// progress, an export of it, and what others get.
func TestBulkByCurl(t *testing.T) {
	i, err := start(filepath.Join(work, "bulk"), "--rate", "0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := i.kill(); err != nil {
			t.Error(err)
		}
	})
	token := i.login(t, alpha, "engineer")

	if file := string(curl(t, "--fail", i.url+"/uploads/template.csv")); !strings.HasPrefix(file, "\ufeffkind,code,name,site,") {
		t.Errorf("the template begins %.40q", file)
	}
	job := i.importUpload(t, token, i.upload(t, token, "kind,code,name,site,type\nasset,Bad Code,X,nowhere,pump\n"), true)
	items := i.follow(t, token, "importProgress", importFields, job)
	if last := items[len(items)-1].Job; last.Status != "FAILED" || last.MistakeCount != 2 || last.Mistakes[0].Row != 2 || last.Mistakes[0].Column != "site" ||
		last.Mistakes[0].Code != "NOT_FOUND" || !strings.Contains(last.Failure, "1 Zeilen haben Fehler") || !strings.Contains(last.Mistakes[1].Message, "Code") {
		t.Errorf("dry run: %+v", last)
	}

	begin := time.Now()
	upload := i.upload(t, token, machines("bulk", 5000))
	release := i.hold(t)
	job = i.importUpload(t, token, upload, false)
	items = i.follow(t, token, "importProgress", importFields, job, func(l *lines) { // it is not over before this looks
		l.await("progress", progress.MatchString)
		release()
	})
	took := time.Since(begin)
	last := items[len(items)-1].Job
	if last.Status != "SUCCEEDED" || last.ReadRows != 10_001 || last.Created.Assets != 5000 || last.Created.Sensors != 5000 || last.Created.Sites != 1 {
		t.Fatalf("import: %+v", last)
	}
	if !slices.ContainsFunc(items, func(p imported) bool { return p.Job.Status == "RUNNING" && p.Job.Done > 0 }) {
		t.Errorf("no progress in %d items", len(items))
	}
	figure("import of 5,000 machines with 5,000 sensors by curl, upload to end: %.1f s, %d items of progress", took.Seconds(), len(items))
	if n := i.assetCount(t, token, "bulk-m"); n != 5000 {
		t.Errorf("%d machines are there", n)
	}

	d := i.byCurl(t, token, `mutation { export(input: {kind: ASSETS, format: NDJSON, idempotencyKey: "one"}) { job { id } userErrors { message } } }`, nil)
	export := d["export"].(map[string]any)["job"].(map[string]any)["id"].(string)
	again := i.byCurl(t, token, `mutation { export(input: {kind: ASSETS, format: NDJSON, idempotencyKey: "one"}) { job { id } userErrors { message } } }`, nil)
	if again["export"].(map[string]any)["job"].(map[string]any)["id"] != export {
		t.Errorf("the same attempt made another export: %v", again)
	}
	items = i.follow(t, token, "exportProgress", `job { status done total failure rows downloadPath } snapshot`, export)
	done := items[len(items)-1].Job
	if done.Status != "SUCCEEDED" || done.DownloadPath != "/exports/"+export {
		t.Fatalf("export: %+v", done)
	}
	file := curl(t, "--fail", "-D", filepath.Join(t.TempDir(), "head"), i.url+done.DownloadPath, "-H", "Authorization: Bearer "+token)
	if n := strings.Count(string(file), "\n"); n != done.Rows || n < 5000 || !strings.Contains(string(file), `"code":"bulk-m4999"`) {
		t.Errorf("%d lines, %d rows", n, done.Rows)
	}

	// Others.
	status := func(args ...string) string {
		return string(curl(t, append([]string{"-o", os.DevNull, "-w", "%{http_code}"}, args...)...))
	}
	if got := status(i.url + done.DownloadPath); got != "401" {
		t.Errorf("nobody gets %s", got)
	}
	if got := status(i.url+done.DownloadPath, "-H", "Authorization: Bearer "+i.login(t, beta, "admin")); got != "404" {
		t.Errorf("another tenant gets %s", got)
	}
	if got := status(i.url+"/uploads", "-H", "Authorization: Bearer "+i.login(t, alpha, "viewer"), "-H", "Content-Type: text/csv", "-d", "x"); got != "403" {
		t.Errorf("a viewer's upload gets %s", got)
	}
	foreign := i.byCurl(t, i.login(t, beta, "admin"), startImport, vars{"upload": i.upload(t, token, "kind,code\n"), "dry": true})
	if e := foreign["importAssets"].(map[string]any)["userErrors"].([]any); len(e) != 1 || e[0].(map[string]any)["code"] != "NOT_FOUND" {
		t.Errorf("another tenant imports the file: %v", foreign)
	}
	jobs := get[struct{ Jobs struct{ TotalCount int } }](t, i, token, `{ jobs(first: 10) { totalCount nodes { id status ... on ImportJob { fileName } ... on ExportJob { kind } } } }`, nil)
	if others := get[struct{ Jobs struct{ TotalCount int } }](t, i, i.login(t, beta, "admin"), `{ jobs(first: 1) { totalCount } }`, nil); jobs.Jobs.TotalCount != 3 || others.Jobs.TotalCount != 0 {
		t.Errorf("%d jobs, another tenant sees %d", jobs.Jobs.TotalCount, others.Jobs.TotalCount)
	}
}

// Killed in the middle of an import, the product has nothing of it when it comes back,
// and imports the file by itself.
func TestKilledImportBeginsAgain(t *testing.T) {
	dir := filepath.Join(work, "bulk-kill")
	settings := []string{"FORESIGHT_BULK_TIMEOUT=30s"}
	i, err := startWith(dir, settings, "--rate", "0")
	if err != nil {
		t.Fatal(err)
	}
	token := i.login(t, alpha, "engineer")
	release := i.hold(t)
	job := i.importUpload(t, token, i.upload(t, token, machines("kill", 8_000)), false)
	const look = `query($job: UUID!) { node(id: $job) { ... on ImportJob { status phase done created { assets } } } }`
	type state struct {
		Node struct {
			Status, Phase string
			Done          int
			Created       struct{ Assets int }
		}
	}
	within(t, patience, "the import writes", func() bool {
		s := get[state](t, i, token, look, vars{"job": job}).Node
		if s.Status == "SUCCEEDED" || s.Status == "FAILED" {
			t.Fatalf("the import was not caught in the middle: %+v", s)
		}
		return s.Phase == "WRITING" && s.Done > 0
	})
	if err := i.kill(); err != nil {
		t.Fatal(err)
	}
	if i, err = startWith(dir, settings, "--rate", "0"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := i.kill(); err != nil {
			t.Error(err)
		}
	})
	token = i.login(t, alpha, "engineer")
	if s := get[state](t, i, token, look, vars{"job": job}).Node; s.Status != "RUNNING" {
		t.Errorf("after the restart: %+v", s)
	} else if n := i.assetCount(t, token, "kill-m"); n != 0 {
		t.Errorf("%d machines of a broken import", n)
	}
	release()
	begin := time.Now()
	within(t, patience, "the import has ended", func() bool {
		s := get[state](t, i, token, look, vars{"job": job}).Node
		if s.Status == "FAILED" {
			t.Fatalf("%+v\n%s", s, i.out)
		}
		return s.Status == "SUCCEEDED"
	})
	if n := i.assetCount(t, token, "kill-m"); n != 8_000 {
		t.Errorf("%d machines", n)
	}
	figure("import of 16,001 rows killed in the middle: taken up again and done %.0f s after the restart", time.Since(begin).Seconds())
}
