package bulk_test

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"foresight/ent/enum"
	"foresight/internal/bulk"
	"foresight/internal/fault"
	"foresight/internal/tenancy"
	"foresight/internal/testkit"
)

func TestTemplateIsAnImport(t *testing.T) {
	w := newWorld(t, bulk.Limits{})
	w.sql(`UPDATE sites SET site_code = 'old' WHERE tenant_id = $1 AND site_code = 'north'`, w.acme.TenantID)
	i := w.importFile(w.as(tenancy.Engineer), string(bulk.Template()), bulk.ImportRequest{})
	if i.Status != enum.JobSucceeded || i.ReadRows != 5 || !maps.Equal(i.Created, map[bulk.Kind]int{bulk.Site: 1, bulk.Gateway: 1, bulk.Asset: 2, bulk.Sensor: 1}) {
		t.Fatalf("%+v %v", i, mistakes(i))
	}
	if n := w.count(`SELECT count(*) FROM sensors n JOIN assets a ON a.id = n.asset_id JOIN assets p ON p.id = a.parent_id JOIN sites s ON s.id = a.site_id
		JOIN gateways g ON g.id = n.gateway_id AND g.id = a.gateway_id AND g.site_id = s.id
		WHERE n.tenant_id = $1 AND n.sensor_code = 'feed-pump-1-a' AND n.position_y = 55 AND n.expected_interval_sec = 60 AND n.installation_date = '2024-03-01'
			AND a.asset_code = 'feed-pump-1' AND a.rated_power_kw = 75 AND a.iso_machine_group = 2 AND a.iso_support_type = 'rigid'
			AND a.external_ref = 'sap:10004711' AND a.criticality = 'critical' AND p.asset_type = 'pump_set'
			AND s.time_zone = 'Europe/Berlin' AND s.latitude = 53.55 AND a.created_by = $2 AND a.version = 1`,
		w.acme.TenantID, w.acme.Users[tenancy.Engineer]); n != 1 {
		t.Error("the sensor does not hang where it should")
	}
	// Each row and the import as a whole are in the audit log; the file is used up.
	if n := w.count(`SELECT count(*) FROM audit_logs WHERE tenant_id = $1 AND action = 'create' AND actor_id = $2`, w.acme.TenantID, w.acme.Users[tenancy.Engineer]); n != 5 {
		t.Errorf("%d rows recorded, want 5", n)
	}
	if n := w.count(`SELECT count(*) FROM audit_logs WHERE action = 'import' AND entity_id = $1 AND changes -> 'created' -> 'after' ->> 'asset' = '2'`, i.ID); n != 1 {
		t.Error("the import is not recorded")
	}
	if n := w.count(`SELECT count(*) FROM uploads`); n != 0 {
		t.Error("the file is kept")
	}
}

const plantFile = `Kind;Code;Name;Site;Parent;Asset;Type;Rated power kW
sensor;sensor-1;;;;pump-a;vibration;
asset;pump-a;Pumpe 1;harbour;group-1;;pump;7,5
asset;group-1;Satz;harbour;;;PUMP_SET;
;;;;;;;
site;harbour;Hafen Köln;;;;;
`

func TestParentsInAnyOrderAndForm(t *testing.T) {
	w := newWorld(t, bulk.Limits{})
	utf16 := []byte{0xff, 0xfe}
	for _, r := range strings.ReplaceAll(strings.ReplaceAll(plantFile, ";", "\t"), "harbour", "quay") {
		utf16 = append(utf16, byte(r), byte(r>>8))
	}
	forms := map[string]string{
		"semicolons":            plantFile,
		"with a mark":           "\ufeff" + strings.ReplaceAll(plantFile, "harbour", "marked"),
		"UTF-16 with tabs":      string(utf16),
		"Windows-1252 and CRLF": strings.NewReplacer("\n", "\r\n", "ö", "\xf6", "harbour", "latin").Replace(plantFile),
		"a line sep=":           "sep=;\n" + strings.ReplaceAll(plantFile, "harbour", "named"),
	}
	for name, file := range forms {
		if name != "UTF-16 with tabs" {
			for _, code := range []string{"sensor-1", "pump-a", "group-1"} {
				file = strings.ReplaceAll(file, code, fmt.Sprintf("%s-%d", code, name[0]))
			}
		}
		i := w.importFile(w.as(tenancy.Engineer), file, bulk.ImportRequest{})
		if i.Status != enum.JobSucceeded || i.ReadRows != 4 || i.Created[bulk.Asset] != 2 || i.Created[bulk.Sensor] != 1 {
			t.Errorf("%s: %s, %v %v %v", name, i.Status, i.Failure, i.Created, mistakes(i))
		}
	}
	if n := w.count(`SELECT count(*) FROM sites WHERE name = 'Hafen Köln'`); n != len(forms) {
		t.Errorf("%d of %d names are right", n, len(forms))
	}
	if n := w.count(`SELECT count(*) FROM assets a JOIN assets p ON p.id = a.parent_id WHERE a.name = 'Pumpe 1' AND a.rated_power_kw = 7.5 AND p.name = 'Satz'`); n != len(forms) {
		t.Errorf("%d of %d assemblies are right", n, len(forms))
	}
}

const wrongFile = `kind,code,name,site,gateway,parent,asset,type,rated_power_kw,latitude,installed_on,external_ref,mqtt_topic,position_x
asset,a1,Fine,north,,,,pump,,,,,,
asset,A b,No code,north,,,,pump,,,,,,
asset,a2,,north,,,,pump,,,,,,
asset,a3,X,nowhere,,,,pump,,,,,,
asset,a4,X,north,,,,rocket,,,,,,
asset,a5,X,north,,,,pump,-1,,2024-13-01,,,
asset,a5,X,north,,,,pump,,,,,,
asset,pump-1,There already,north,,,,pump,,,,,,
asset,a6,X,north,,a7,,pump,,,,,,
asset,a7,X,north,,a6,,pump,,,,,,
asset,a8,X,north,,a4,,pump,,,,,,
site,s1,South pole,,,,,,,-91,,,,
pipe,p1,X,north,,,,pump,,,,,,
sensor,n1,,,,,a8,vibration,,,,,,
sensor,n2,,,,,a1,vibration,,,,,,120
sensor,n3,,north,,,a1,vibration,,,,,,
asset,a9,"=HYPERLINK(""http://x"")",north,,,,pump,,,,,,
asset,b1,X,south,gw-1,,,pump,,,,,,
asset,b2,X,north,,,,pump,,,,sap:1,,
asset,b3,X,north,,,,pump,,,,sap:1,,
sensor,n4,,,,,a1,vibration,,,,,acme/line/4,
sensor,n5,,,,,a1,vibration,,,,,acme/line/4,
`

var wrongWant = []string{
	"3 code BAD_USER_INPUT error.code",
	"4 name BAD_USER_INPUT error.name",
	"5 site NOT_FOUND error.notFound",
	"6 type BAD_USER_INPUT error.import.choice",
	"7 installed_on BAD_USER_INPUT error.import.date",
	"7 rated_power_kw BAD_USER_INPUT error.positive",
	"8 code CONFLICT error.import.codeTwice",
	"9 code CONFLICT error.asset.codeTaken",
	"10 parent BAD_USER_INPUT error.import.referenceRejected",
	"11 parent BAD_USER_INPUT error.asset.circle",
	"12 parent BAD_USER_INPUT error.import.referenceRejected",
	"13 latitude BAD_USER_INPUT error.range",
	"14 kind BAD_USER_INPUT error.import.kind",
	"15 asset BAD_USER_INPUT error.import.referenceRejected",
	"16 position_x BAD_USER_INPUT error.range",
	"17 site BAD_USER_INPUT error.import.notOfKind",
	"18 name BAD_USER_INPUT error.import.formula",
	"19 gateway BAD_USER_INPUT error.gateway.otherSite",
	"21 external_ref CONFLICT error.import.valueTwice",
	"23 mqtt_topic CONFLICT error.import.valueTwice",
}

func TestEveryMistakeIsTold(t *testing.T) {
	w := newWorld(t, bulk.Limits{})
	before := w.count(`SELECT (SELECT count(*) FROM assets) + (SELECT count(*) FROM sites) + (SELECT count(*) FROM sensors)`)
	for _, dry := range []bool{true, false} {
		i := w.importFile(w.as(tenancy.Engineer), wrongFile, bulk.ImportRequest{DryRun: dry})
		if got := mistakes(i); !slices.Equal(got, wrongWant) {
			t.Errorf("dry run %v:\n%s\nwant\n%s", dry, strings.Join(got, "\n"), strings.Join(wrongWant, "\n"))
		}
		if i.Status != enum.JobFailed || i.Failure == nil || i.Failure.Key != "error.import.mistakes" || i.MistakeCount != 20 || i.RejectedRows != 19 {
			t.Errorf("%s %v, %d mistakes in %d rows", i.Status, i.Failure, i.MistakeCount, i.RejectedRows)
		}
	}
	if n := w.count(`SELECT (SELECT count(*) FROM assets) + (SELECT count(*) FROM sites) + (SELECT count(*) FROM sensors)`); n != before {
		t.Errorf("%d rows were written of a file with mistakes", n-before)
	}
	if n := w.count(`SELECT count(*) FROM audit_logs`); n != 0 {
		t.Errorf("%d entries of what did not happen", n)
	}

	i := w.importFile(w.as(tenancy.Engineer), wrongFile, bulk.ImportRequest{Partial: true})
	if i.Status != enum.JobSucceeded || !maps.Equal(i.Created, map[bulk.Kind]int{bulk.Asset: 2, bulk.Sensor: 1}) || i.RejectedRows != 19 {
		t.Errorf("partial: %s, created %v, rejected %d", i.Status, i.Created, i.RejectedRows)
	}
	if n := w.count(`SELECT count(*) FROM assets WHERE asset_code IN ('a1', 'b2') AND tenant_id = $1`, w.acme.TenantID); n != 2 {
		t.Errorf("%d of the 2 right machines", n)
	}
}

func TestDryRunWritesNothingAndKeepsTheFile(t *testing.T) {
	w := newWorld(t, bulk.Limits{})
	ctx := w.as(tenancy.Engineer)
	u, err := w.Upload(ctx, `C:\plant\new.csv`, strings.NewReader("kind,code,name,site,type\nasset,a1,A,north,pump\n"))
	w.ok(err)
	dry, err := w.StartImport(ctx, bulk.ImportRequest{Upload: u.ID, DryRun: true})
	w.ok(err)
	i := w.await(ctx, dry.ID)
	if i.Status != enum.JobSucceeded || i.Created[bulk.Asset] != 1 || i.FileName != "new.csv" || w.count(`SELECT count(*) FROM assets WHERE asset_code = 'a1'`) != 0 {
		t.Errorf("%+v", i)
	}
	real, err := w.StartImport(ctx, bulk.ImportRequest{Upload: u.ID})
	w.ok(err)
	if i := w.await(ctx, real.ID); i.Status != enum.JobSucceeded || w.count(`SELECT count(*) FROM assets WHERE asset_code = 'a1'`) != 1 {
		t.Errorf("%+v", i)
	}
	if _, err := w.StartImport(ctx, bulk.ImportRequest{Upload: u.ID}); !fault.Is(err, fault.NotFound) {
		t.Errorf("a used file: %v", err)
	}
	// Again, where what is there is left as it is.
	i = w.importFile(ctx, "kind,code,name,site,type,parent\nasset,a1,Other,north,pump,\nasset,a2,B,north,pump,a1\n", bulk.ImportRequest{Existing: bulk.SkipExisting})
	if i.Status != enum.JobSucceeded || i.SkippedRows != 1 || i.Created[bulk.Asset] != 1 ||
		w.count(`SELECT count(*) FROM assets a JOIN assets p ON p.id = a.parent_id WHERE a.asset_code = 'a2' AND p.name = 'A'`) != 1 {
		t.Errorf("%+v %v", i, mistakes(i))
	}
}

func TestFilesThatCannotBeRead(t *testing.T) {
	w := newWorld(t, bulk.Limits{MaxRows: 3, MaxUpload: 4096})
	ctx := w.as(tenancy.Engineer)
	for name, c := range map[string]struct{ file, key string }{
		"a workbook":            {"PK\x03\x04rest", "error.import.workbook"},
		"no text":               {"kind,code\nsite,a\x00b\n", "error.import.encoding"},
		"an unknown column":     {"kind,code,colour\nsite,a,red\n", "error.import.columnUnknown"},
		"a column twice":        {"kind,code,Code\nsite,a,a\n", "error.import.columnTwice"},
		"a column missing":      {"kind,name\nsite,a\n", "error.import.columnMissing"},
		"heading only":          {"kind,code\n", "error.import.empty"},
		"an open quote":         {"kind,code,name\nsite,a,\"x\n", "error.import.quotes"},
		"too many rows":         {"kind,code\n" + strings.Repeat("site,a\n", 4), "error.import.tooManyRows"},
		"nothing but new lines": {"\n\n\n", "error.import.empty"},
	} {
		if i := w.importFile(ctx, c.file, bulk.ImportRequest{}); i.Status != enum.JobFailed || i.Failure == nil || i.Failure.Key != c.key {
			t.Errorf("%s: %s, %v", name, i.Status, i.Failure)
		}
	}
	for key, file := range map[string]string{"error.import.tooLarge": strings.Repeat("x", 4097), "error.import.empty": ""} {
		if _, err := w.Upload(ctx, "x", strings.NewReader(file)); !fault.Is(err, fault.BadInput) || !strings.Contains(err.Error(), key) {
			t.Errorf("%d bytes: %v", len(file), err)
		}
	}
}

func TestImportsKeepTenantsAndSitesApart(t *testing.T) {
	w := newWorld(t, bulk.Limits{})
	file := "kind,code,name,site,gateway,parent,type\nasset,x1,X,north,,,pump\nasset,x2,X,south,,,pump\nasset,x3,X,south,gw-1,,pump\nasset,x4,X,south,,pump-1,pump\nsite,x5,X,,,,\nasset,pump-1,X,south,,,pump\n"

	// Globex has a site north of its own, and none of acme's.
	i := w.importFile(w.globex.As(t.Context(), tenancy.Engineer), file, bulk.ImportRequest{Partial: true})
	if i.Created[bulk.Asset] != 1 || i.Created[bulk.Site] != 1 || w.count(`SELECT count(*) FROM assets WHERE asset_code = 'x1' AND tenant_id = $1 AND site_id = $2`, w.globex.TenantID, w.globex.SiteID) != 1 {
		t.Errorf("globex: %+v %v", i.Created, mistakes(i))
	}

	// Who works in the south does not see the north, nor that there are things of a name.
	limited := w.limited(w.south)
	i = w.importFile(limited, file, bulk.ImportRequest{Partial: true})
	want := []string{"2 site NOT_FOUND error.notFound", "4 gateway NOT_FOUND error.notFound", "5 parent BAD_USER_INPUT error.import.referenceRejected",
		"6 kind BAD_USER_INPUT error.import.siteOutOfReach", "7 code CONFLICT error.asset.codeTaken"}
	if got := mistakes(i); !slices.Equal(got, want) || i.Created[bulk.Asset] != 1 {
		t.Errorf("limited: %v, created %v", strings.Join(got, "\n"), i.Created)
	}

	// Jobs and files: another tenant's and another site's are not there.
	whole := w.start(w.as(tenancy.Engineer), "kind,code,name\nsite,y1,Y\n", bulk.ImportRequest{})
	for who, ctx := range map[string]context.Context{"globex": w.globex.As(t.Context(), tenancy.Admin), "limited": limited} {
		if _, err := w.Import(ctx, whole.ID); !fault.Is(err, fault.NotFound) {
			t.Errorf("%s sees the job: %v", who, err)
		}
		u, err := w.Upload(w.as(tenancy.Engineer), "x", strings.NewReader("x"))
		w.ok(err)
		if _, err := w.StartImport(ctx, bulk.ImportRequest{Upload: u.ID}); !fault.Is(err, fault.NotFound) {
			t.Errorf("%s imports the file: %v", who, err)
		}
	}
	if got, err := w.Import(w.as(tenancy.Viewer), i.ID); err != nil || got.ID != i.ID {
		t.Errorf("who sees all sees the job of who is limited: %v", err)
	}
	if _, err := w.Upload(w.as(tenancy.Operator), "x", strings.NewReader("x")); !fault.Is(err, fault.Forbidden) {
		t.Errorf("an operator uploads: %v", err)
	}
}

func TestPendingWorkIsBounded(t *testing.T) {
	w := newIdleWorld(t, bulk.Limits{MaxPending: 2})
	ctx := w.as(tenancy.Engineer)
	u, err := w.Upload(ctx, "x", strings.NewReader("kind,code\n"))
	w.ok(err)
	for n := range 3 {
		_, err := w.StartImport(ctx, bulk.ImportRequest{Upload: u.ID, DryRun: true})
		if (n == 2) != fault.Is(err, fault.Conflict) {
			t.Errorf("import %d: %v", n, err)
		}
		_, err = w.StartExport(ctx, bulk.ExportRequest{Kind: bulk.ExportSites, Format: enum.ExportCSV})
		if (n == 2) != fault.Is(err, fault.Conflict) {
			t.Errorf("export %d: %v", n, err)
		}
	}
	_, err = w.Upload(ctx, "x", strings.NewReader("x"))
	w.ok(err)
	if _, err = w.Upload(ctx, "x", strings.NewReader("x")); !fault.Is(err, fault.Conflict) {
		t.Error(err)
	}
	if _, err = w.Upload(w.globex.As(t.Context(), tenancy.Engineer), "x", strings.NewReader("x")); err != nil {
		t.Errorf("another tenant waits for this one: %v", err)
	}
}

// plantOf writes a file of a plant with n rows: sites, gateways, sets of machines, and
// a sensor on each machine; what is referred to comes last.
func plantOf(n int) string {
	var rows []string
	for i := range n {
		switch i % 10 {
		case 0:
			rows = append(rows, fmt.Sprintf("asset,m-set-%d,Set %d,m-site-%d,,,,pump_set,high,,,", i/10, i, i/1000))
		case 1, 3, 5, 7:
			rows = append(rows, fmt.Sprintf("asset,m-%d,Machine %d,m-site-%d,m-gw-%d,m-set-%d,,motor,medium,55,Maker,%d", i, i, i/1000, i/1000, i/10, i))
		case 9:
			if i%1000 == 9 {
				rows = append(rows, fmt.Sprintf("site,m-site-%d,Site %d,,,,,,,,,", i/1000, i))
			} else if i%1000 == 19 {
				rows = append(rows, fmt.Sprintf("gateway,m-gw-%d,,m-site-%d,,,,,,,,", i/1000, i/1000))
			} else {
				rows = append(rows, fmt.Sprintf("asset,m-%d,Machine %d,m-site-%d,,m-set-%d,,pump,low,7.5,,", i, i, i/1000, i/10))
			}
		default:
			rows = append(rows, fmt.Sprintf("sensor,m-%d-s,,,m-gw-%d,,m-%d,vibration,,,,", i, i/1000, i-1))
		}
	}
	slices.Reverse(rows)
	return "kind,code,name,site,gateway,parent,asset,type,criticality,rated_power_kw,manufacturer,serial_number\n" + strings.Join(rows, "\n") + "\n"
}

func TestLargePlants(t *testing.T) {
	for _, n := range []int{5000, 10_000} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			w := newWorld(t, bulk.Limits{})
			ctx := w.as(tenancy.Engineer)
			file := plantOf(n)
			// Who looks now and then may miss a phase; the database sees each that is told.
			w.sql(`CREATE TABLE told AS SELECT phase FROM job_progress`)
			w.sql(`CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS 'BEGIN INSERT INTO public.told VALUES (NEW.phase); RETURN NEW; END'`)
			w.sql(`CREATE TRIGGER note AFTER INSERT OR UPDATE ON job_progress FOR EACH ROW EXECUTE FUNCTION note()`)
			begin := time.Now()
			job := w.start(ctx, file, bulk.ImportRequest{})
			items := 0
			var i *bulk.Import
			for i = range follow(w, ctx, job.ID, w.Import) {
				items++
			}
			took := time.Since(begin)
			if i.Status != enum.JobSucceeded || i.ReadRows != n || i.Created[bulk.Site]+i.Created[bulk.Gateway]+i.Created[bulk.Asset]+i.Created[bulk.Sensor] != n {
				t.Fatalf("%s %v %v %v", i.Status, i.Created, i.Failure, mistakes(i)[:min(5, len(i.Mistakes))])
			}
			if got := w.count(`SELECT count(*) FROM audit_logs`); got != n+1 {
				t.Errorf("%d entries in the audit log", got)
			}
			if n := w.count(`SELECT count(DISTINCT phase) FROM told`); n != 3 {
				t.Errorf("told of %d phases of 3", n)
			}
			t.Logf("%d rows (%d kB) imported in %v with %d tellings of progress: %v", n, len(file)>>10, took.Round(time.Millisecond), items, i.Created)
		})
	}
}

// A connection that breaks off in the middle of an import: nothing of it is there, and
// the job begins again by itself.
func TestBrokenImportsBeginAgain(t *testing.T) {
	w := newWorld(t, bulk.Limits{})
	ctx := w.as(tenancy.Engineer)
	// The insert of the assets waits for this lock, in the middle of the transaction.
	blocker, err := w.owner.Begin(t.Context())
	w.ok(err)
	_, err = blocker.Exec(t.Context(), "LOCK TABLE assets IN SHARE ROW EXCLUSIVE MODE")
	w.ok(err)
	job := w.start(ctx, "kind,code,name,site,type\nsite,k1,K,,\nasset,k2,K,k1,pump\n", bulk.ImportRequest{})
	testkit.Eventually(t, testkit.Patience, func() bool {
		var killed int
		w.ok(w.app.QueryRow(t.Context(), `SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
			WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE 'INSERT INTO assets%'`).Scan(&killed))
		return killed == 1
	})
	var n int
	w.ok(blocker.QueryRow(t.Context(), `SELECT count(*) FROM sites WHERE site_code = 'k1'`).Scan(&n))
	if n != 0 {
		t.Error("half of the file is there")
	}
	w.ok(blocker.Rollback(t.Context()))
	i := w.await(ctx, job.ID)
	if i.Status != enum.JobSucceeded || w.count(`SELECT count(*) FROM assets WHERE asset_code = 'k2'`) != 1 || w.count(`SELECT count(*) FROM sites WHERE site_code = 'k1'`) != 1 {
		t.Errorf("%s, %v", i.Status, i.Failure)
	}
	if n := w.count(`SELECT attempt FROM river.river_job WHERE kind = 'import_assets'`); n != 2 {
		t.Errorf("attempt %d, want the second", n)
	}
}

func TestSweep(t *testing.T) {
	w := newIdleWorld(t, bulk.Limits{Keep: time.Millisecond})
	ctx := w.as(tenancy.Engineer)
	job := w.start(ctx, "kind,code,name\nsite,z1,Z\n", bulk.ImportRequest{})
	// The process died at each attempt: the job is not there any more.
	w.sql(`DELETE FROM river.river_job WHERE kind = 'import_assets'`)
	w.work()
	i := w.await(ctx, job.ID)
	if i.Status != enum.JobFailed || i.Failure == nil || i.Failure.Key != "error.job.lost" {
		t.Errorf("%s, %v", i.Status, i.Failure)
	}
	testkit.Eventually(t, testkit.Patience, func() bool { return w.count(`SELECT count(*) FROM uploads`) == 0 })
}

func TestTemplateNamesEveryColumn(t *testing.T) {
	lines := bytes.Split(bytes.TrimSpace(bulk.Template()), []byte("\n"))
	for n, l := range lines {
		if got := bytes.Count(l, []byte(",")) + 1; got != 31 {
			t.Errorf("line %d has %d cells", n+1, got)
		}
	}
}
