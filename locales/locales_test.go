package locales

import (
	"encoding/json"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"golang.org/x/text/language"

	"foresight/internal/fault"
	"foresight/internal/telemetry"
)

// explained are the languages that have every text; the others lack what faults are
// and what to do about them.
var explained = []string{"en", "ar"}

// texts reads what stands in the files of a language.
func texts(t *testing.T, lang string) map[string]string {
	t.Helper()
	names, err := fs.Glob(files, "*."+lang+".json")
	if err != nil || len(names) == 0 {
		t.Fatalf("%s: files %q, %v", lang, names, err)
	}
	out := map[string]string{}
	for _, name := range names {
		b, err := files.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		var m map[string]string
		if err := json.Unmarshal(b, &m); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for k, v := range m {
			if _, twice := out[k]; twice {
				t.Errorf("%s: %s stands twice", lang, k)
			}
			if strings.TrimSpace(v) == "" {
				t.Errorf("%s: %s is empty", lang, k)
			}
			out[k] = v
		}
	}
	return out
}

var placeholder = regexp.MustCompile(`\.[A-Z][A-Za-z]*`)

func placeholders(s string) []string {
	var out []string
	for _, part := range regexp.MustCompile(`{{[^}]*}}`).FindAllString(s, -1) {
		out = append(out, placeholder.FindAllString(part, -1)...)
	}
	slices.Sort(out)
	return out
}

func TestEveryLanguageSaysTheSame(t *testing.T) {
	en := texts(t, "en")
	for _, tag := range supported[1:] {
		lang := tag.String()
		own := texts(t, lang)
		for key, text := range own {
			original, ok := en[key]
			if !ok {
				t.Errorf("%s: %s is not an English key", lang, key)
				continue
			}
			if got, want := placeholders(text), placeholders(original); !slices.Equal(got, want) {
				t.Errorf("%s: %s has the placeholders %q, want %q", lang, key, got, want)
			}
		}
		for key := range en {
			if strings.HasPrefix(key, "fault.") && !strings.HasSuffix(key, ".label") && !slices.Contains(explained, lang) {
				continue
			}
			if _, ok := own[key]; !ok {
				t.Errorf("%s lacks %s", lang, key)
			}
		}
	}
}

func TestEveryFaultIsExplained(t *testing.T) {
	b := New()
	codes := telemetry.FaultCodes()
	if len(codes) != 34 {
		t.Fatalf("%d codes", len(codes))
	}
	for _, tag := range supported {
		l := b.Localizer(tag.String(), "")
		labels := map[string]string{}
		for _, c := range codes {
			label := l.FaultLabel(c.Code)
			if label == c.Code || l.FaultDescription(c.Code) == "" || l.FaultAction(c.Code) == "" {
				t.Errorf("%s: %s is not explained", tag, c.Code)
			}
			if other, taken := labels[label]; taken {
				t.Errorf("%s: %s and %s have one name", tag, c.Code, other)
			}
			labels[label] = c.Code
			if tag != language.English && c.Code != "cavitation" && label == b.Localizer("en", "").FaultLabel(c.Code) {
				t.Errorf("%s: %s has its English name", tag, c.Code)
			}
		}
	}
	if got := len(b.standard.faults); got != len(codes) {
		t.Errorf("texts of %d faults, want %d", got, len(codes))
	}
	if l := b.Localizer("ar", ""); l.FaultLabel("cavitation") != "تكهّف" || l.FaultLabel("own_fault") != "own_fault" || l.FaultAction("own_fault") != "" {
		t.Errorf("%q, %q", l.FaultLabel("cavitation"), l.FaultLabel("own_fault"))
	}
}

// Every key and reason that stands in the product's source has a text, and no text
// of an error is left over.
func TestEveryKeyInTheSourceHasAText(t *testing.T) {
	key := regexp.MustCompile(`"(error\.[A-Za-z0-9.]+)"`)
	reason := regexp.MustCompile(`Reason[A-Za-z]*\s+(?:Reason\s+)?=\s+"([a-z_]+)"|\bReason\s+=\s+"([a-z_]+)"`)
	en := texts(t, "en")
	used := map[string]string{}
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && slices.Contains([]string{"node_modules", ".git", "testgraph", "generated"}, d.Name()) {
			return fs.SkipDir
		}
		if d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for _, m := range key.FindAllStringSubmatch(string(b), -1) {
			used[m[1]] = path
		}
		if strings.Contains(path, "ingestion") {
			for _, m := range reason.FindAllStringSubmatch(string(b), -1) {
				used["reason."+m[1]+m[2]] = path
			}
		}
		return nil
	})
	if err != nil || len(used) < 50 {
		t.Fatalf("found %d keys: %v", len(used), err)
	}
	for _, k := range slices.Sorted(maps.Keys(used)) {
		if _, ok := en[k]; !ok {
			t.Errorf("%s (in %s) has no text", k, used[k])
		}
	}
	for k := range en {
		if _, ok := used[k]; !ok && (strings.HasPrefix(k, "error.") || strings.HasPrefix(k, "reason.")) {
			t.Errorf("%s is said nowhere", k)
		}
	}
}

func TestEveryKindOfErrorHasAText(t *testing.T) {
	b := New()
	for _, tag := range supported {
		l := b.Localizer(tag.String(), "")
		for _, k := range []fault.Kind{fault.Unauthenticated, fault.Forbidden, fault.NotFound, fault.BadInput, fault.Conflict,
			fault.RateLimited, fault.ComplexityLimit, fault.Unavailable, fault.Internal} {
			if s := l.Error(fault.New(k, "error.of.nobody")); s == "" || strings.Contains(s, "nobody") {
				t.Errorf("%s: %s is told as %q", tag, k, s)
			}
		}
	}
}

func TestEveryEntityHasAName(t *testing.T) {
	// The entities of fault.Missing and fault.Stale.
	named := regexp.MustCompile(`fault\.(?:Missing|Stale)\("([A-Za-z]+)"\)|{[^{}]*"((?:Site|Asset|Sensor|Gateway))", "input`)
	en := texts(t, "en")
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() && slices.Contains([]string{"node_modules", ".git"}, d.Name()) {
			return fs.SkipDir // another package's test may be installing it
		}
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") || strings.Contains(path, "testgraph") {
			return err
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for _, m := range named.FindAllStringSubmatch(string(b), -1) {
			if _, ok := en["entity."+m[1]+m[2]]; !ok {
				t.Errorf("%s names the entity %s, which has no name for people", path, m[1]+m[2])
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestErrors(t *testing.T) {
	b := New()
	en, ar, de := b.Localizer("en", ""), b.Localizer("ar", ""), b.Localizer("de", "")
	for _, c := range []struct {
		l    *Localizer
		e    *fault.Error
		want string
	}{
		{en, fault.Missing("AlarmRule"), "There is no such alarm rule."},
		{en, fault.Missing("Zebra"), "There is no such Zebra."},
		{ar, fault.Missing("AlarmRule"), "العنصر «قاعدة إنذار» غير موجود."},
		{de, fault.Missing("AlarmRule"), "Nicht vorhanden: Alarmregel."},
		{en, fault.Invalid("input.note", "error.tooLong").With("Max", 2000), "This is too long: at most 2000 characters."},
		{en, fault.Invalid("input.note", "error.tooLong"), "This is too long."},
		{ar, fault.New(fault.Conflict, "error.alarm.resolved"), "هذا الإنذار مغلق."},
		{en, fault.Denied("rules:write").Because(os.ErrPermission), "You lack the permission rules:write."},
		{en, fault.New(fault.Kind("NEW"), "error.of.nobody"), "Something went wrong on our side."},
	} {
		if got := c.l.Error(c.e); got != c.want {
			t.Errorf("%s: %q, want %q", c.l.Tag(), got, c.want)
		}
	}
	if e := fault.Missing("Asset"); en.Error(e) == "" || e.Args["Entity"] != "Asset" {
		t.Error("the error's own arguments were changed")
	}
	if got := en.Message("nothing.such", nil); got != "nothing.such" {
		t.Errorf("%q", got)
	}
	if got := en.Message("error.auth.locked", map[string]any{"Seconds": 30}); got != "Too many attempts: try again in 30 s." {
		t.Errorf("%q", got)
	}
	if ar.Reason("log_full") == "log_full" || en.Reason("made_up") != "made_up" {
		t.Error("reasons")
	}
}

func TestNegotiation(t *testing.T) {
	b := New()
	for _, c := range []struct{ header, fallback, want string }{
		{"", "", "en"},
		{"ar", "", "ar"},
		{"ar-EG,ar;q=0.9,en;q=0.5", "", "ar"},
		{"de-AT", "", "de"},
		{"fr-CA;q=0.4, es-MX;q=0.8", "", "es"},
		{"zh-CN", "", "zh"},
		{"sw, de;q=0.5", "", "de"},
		{"sw", "ar", "ar"},
		{"sw", "", "en"},
		{"", "fr", "fr"},
		{"en", "ar", "en"},
		{"*", "ar", "ar"},
		{"zh-Hant-TW", "", "zh"},
		{"ar;q=0", "", "en"},
		{"ar;q=0, de", "", "de"},
		{"nonsense;;q=,,", "ar", "ar"},
		{"\x00\xff\xfe", "", "en"},
		{strings.Repeat("ar,", 100_000), "de", "de"},
		{strings.Repeat("-", 500), "de", "de"},
		{"ar" + strings.Repeat("-x", 200), "de", "ar"},
		{"", strings.Repeat("x", 10_000), "en"},
		{"", "not a tag", "en"},
	} {
		if got := b.Localizer(c.header, c.fallback).Tag().String(); got != c.want {
			t.Errorf("%.40q with %.20q: %s, want %s", c.header, c.fallback, got, c.want)
		}
	}
	if b.Localizer("ar", "") != b.Localizer("ar-EG", "") {
		t.Error("a language has two localizers")
	}
}

// FuzzNegotiation: any header ends in a supported language, in that of the fallback
// when the header asks for none, and a header of one supported language in this one.
func FuzzNegotiation(f *testing.F) {
	for _, s := range []string{"ar-EG,ar;q=0.9,en;q=0.5", "*;q=0.1, -", "fr;q=0, de;q=0.3", "zh-Hant-TW", "EN", "de-x-private,ar", ";q=", "ar;q=1e9", "i-klingon", ""} {
		f.Add(s, "de")
		f.Add("", s)
	}
	b := New()
	f.Fuzz(func(t *testing.T, header, fallback string) {
		l := b.Localizer(header, fallback)
		if l == nil || !slices.Contains(supported, l.Tag()) {
			t.Fatalf("%q with %q: %v", header, fallback, l)
		}
		if alone := b.Localizer("", fallback); b.match(header) == nil && l != alone {
			t.Fatalf("%q asks for nothing, and the fallback %q is %s, not %s", header, fallback, l.Tag(), alone.Tag())
		}
		if again := b.Localizer(l.Tag().String()+";q=0.1", fallback); again != l {
			t.Fatalf("%s leads to %s", l.Tag(), again.Tag())
		}
	})
}

func TestConcurrentUse(t *testing.T) {
	b := New()
	var group sync.WaitGroup
	for i := range 16 {
		group.Go(func() {
			l := b.Localizer(supported[i%len(supported)].String(), "")
			for range 200 {
				if l.Error(fault.Missing("Asset")) == "" || l.FaultLabel("cavitation") == "" {
					t.Error("no text")
				}
			}
		})
	}
	group.Wait()
}

func TestFaultTextsDoNotAllocate(t *testing.T) {
	l := New().Localizer("ar", "")
	e := fault.New(fault.Conflict, "error.alarm.resolved")
	if n := testing.AllocsPerRun(100, func() {
		_ = l.FaultLabel("bearing_rolling_element_defect")
		_ = l.FaultAction("bearing_rolling_element_defect")
		_ = l.Error(e)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkLocalizer(b *testing.B) {
	bundle := New()
	l := bundle.Localizer("ar", "")
	missing := fault.Missing("Asset")
	for name, f := range map[string]func(){
		"label":     func() { l.FaultLabel("bearing_rolling_element_defect") },
		"template":  func() { l.Error(missing) },
		"negotiate": func() { bundle.Localizer("ar-EG,ar;q=0.9,en-US;q=0.5", "en") },
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				f()
			}
		})
	}
}
