package artifact

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// small returns the files of a valid artifact with two classes and three features.
func small() (Manifest, map[string][]byte) {
	m := Manifest{
		Format: FormatVersion, Kind: FaultClassifier, Version: "1.0.0", Objective: Softprob, Classes: []string{"normal", "cavitation"},
		Features: 3, FeatureSchemaHash: "abc", Temperature: 1,
		Outliers: &Outliers{Quantile: 0.01, Low: Floats{0, 0, 0}, High: Floats{1, 1, 1}, Limit: 2, MaxMissing: 1},
	}
	g := Golden{Rows: 1, X: Floats{1, float32(math.NaN()), -0.1}, Margins: Floats{0.5, -0.5}}
	manifest, _ := json.Marshal(m)
	golden, _ := json.Marshal(g)
	return m, map[string][]byte{ManifestFile: manifest, GoldenFile: golden, BinaryFile: []byte("binf"), JSONFile: []byte("{}")}
}

func TestPackAndOpen(t *testing.T) {
	m, files := small()
	dir := t.TempDir()
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	packed, err := Pack(dir)
	if err != nil {
		t.Fatal(err)
	}
	if again, _ := Pack(dir); !bytes.Equal(packed, again) {
		t.Error("the same files give different bytes")
	}
	b, err := Open(packed)
	if err != nil {
		t.Fatal(err)
	}
	if len(b.Boosters) != 1 || b.Boosters[0] != b.Booster || b.Name != "" || b.Horizon != 0 {
		t.Errorf("boosters %+v", b.Boosters)
	}
	raw, err := b.JSON()
	if err != nil || string(raw) != "{}" || string(b.Binary) != "binf" || b.Hash != HashOf(packed) {
		t.Errorf("opened %+v, JSON %q (%v)", b, raw, err)
	}
	if b.Manifest.Classes[1] != m.Classes[1] || b.Golden.X[0] != 1 || b.Golden.X[1] == b.Golden.X[1] || b.Golden.X[2] != -0.1 {
		t.Errorf("manifest %+v, golden %+v", b.Manifest, b.Golden)
	}
}

func TestOpenRefuses(t *testing.T) {
	manifest := func(change func(m *Manifest)) func(map[string][]byte) {
		return func(files map[string][]byte) {
			m, _ := small()
			change(&m)
			files[ManifestFile], _ = json.Marshal(m)
		}
	}
	golden := func(g Golden) func(map[string][]byte) {
		return func(files map[string][]byte) { files[GoldenFile], _ = json.Marshal(g) }
	}
	for _, c := range []struct {
		name   string
		change func(files map[string][]byte)
		reason string
	}{
		{"another format", manifest(func(m *Manifest) { m.Format = 2 }), "format 2"},
		{"an unknown objective", manifest(func(m *Manifest) { m.Objective = "rank:pairwise" }), "rank:pairwise"},
		{"no features", manifest(func(m *Manifest) { m.Features = 0 }), "0 features"},
		{"a million features", manifest(func(m *Manifest) { m.Features = 1 << 20 }), "features"},
		{"one class", manifest(func(m *Manifest) { m.Classes = m.Classes[:1] }), "1 classes"},
		{"a class twice", manifest(func(m *Manifest) { m.Classes = []string{"a", "a"} }), "twice"},
		{"an endless class", manifest(func(m *Manifest) { m.Classes[0] = strings.Repeat("x", 1000) }), "too long"},
		{"a binary model with three classes", manifest(func(m *Manifest) { m.Objective, m.Classes = Logistic, []string{"a", "b", "c"} }), Logistic},
		{"temperature zero", manifest(func(m *Manifest) { m.Temperature = 0 }), "temperature"},
		{"ranges too short", manifest(func(m *Manifest) { m.Outliers.High = m.Outliers.High[1:] }), "outlier"},
		{"no golden rows", golden(Golden{}), "golden"},
		{"golden rows too short", golden(Golden{Rows: 2, X: Floats{1, 2, 3}, Margins: Floats{1, 2}}), "golden"},
		{"golden rows beyond int", golden(Golden{Rows: math.MaxInt, X: Floats{1}, Margins: Floats{1}}), "golden"},
		{"broken base64", func(f map[string][]byte) { f[GoldenFile] = []byte(`{"rows":1,"x":"???"}`) }, "base64"},
		{"half a float", func(f map[string][]byte) { f[GoldenFile] = []byte(`{"rows":1,"x":"AAA="}`) }, "floats"},
		{"no JSON", func(f map[string][]byte) { f[ManifestFile] = []byte("binf") }, ManifestFile},
		{"a manifest beyond its limit", func(f map[string][]byte) { f[ManifestFile] = make([]byte, 5<<20) }, "at most"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, files := small()
			c.change(files)
			packed, err := PackFiles(files)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := Open(packed); !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), c.reason) {
				t.Errorf("error %v, want %q", err, c.reason)
			}
		})
	}
}

func TestOpenRefusesWhatIsNoBundle(t *testing.T) {
	_, files := small()
	packed, err := PackFiles(files)
	if err != nil {
		t.Fatal(err)
	}
	for name, raw := range map[string][]byte{
		"nothing": nil, "text": []byte("not a zip"), "too large": make([]byte, MaxSize+1), "half": packed[:len(packed)/2],
	} {
		if _, err := Open(raw); !errors.Is(err, ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, missing := range []string{ManifestFile, GoldenFile, BinaryFile, JSONFile} {
		var out bytes.Buffer
		z := zip.NewWriter(&out)
		for name, content := range files {
			if name != missing {
				w, _ := z.Create(name)
				w.Write(content)
			}
		}
		z.Close()
		if _, err := Open(out.Bytes()); !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), missing) {
			t.Errorf("without %s: %v", missing, err)
		}
	}
}

// A zip bomb's header may lie: what counts is what comes out.
func TestOpenDoesNotBelieveTheHeader(t *testing.T) {
	_, files := small()
	files[ManifestFile] = bytes.Repeat([]byte(" "), 5<<20)
	packed, err := PackFiles(files)
	if err != nil {
		t.Fatal(err)
	}
	z, err := zip.NewReader(bytes.NewReader(packed), int64(len(packed)))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range z.File {
		if f.Name != ManifestFile {
			continue
		}
		f.UncompressedSize64 = 100
		if raw, err := unpack(f, 1<<20); err == nil {
			t.Errorf("unpacked %d bytes of a file that says 100", len(raw))
		}
	}
}

func TestScore(t *testing.T) {
	nan := float32(math.NaN())
	o := &Outliers{Low: Floats{0, 0, 5, math.MaxFloat32}, High: Floats{1, 10, 5, -math.MaxFloat32}, Limit: 3, MaxMissing: 1}
	for _, c := range []struct {
		name    string
		x       []float32
		score   float64
		missing int
		outside bool
	}{
		{"inside", []float32{0.5, 10, 5, nan}, 0, 1, false},
		{"half a width below", []float32{-0.5, 5, 5, nan}, 1.5, 1, false},
		{"far above counts five at most", []float32{0.5, 1e9, 5, nan}, 5, 1, true},
		{"off a point", []float32{0.5, 5, 5.1, nan}, 5, 1, true},
		{"a feature that training never saw", []float32{0.5, 5, 5, 1}, 5, 0, true},
		{"too many missing", []float32{nan, 5, 5, nan}, 0, 2, true},
	} {
		if s, m := o.Score(c.x); math.Abs(s-c.score) > 1e-6 || m != c.missing || o.Outside(c.x) != c.outside {
			t.Errorf("%s: score %v, %d missing, outside %v", c.name, s, m, o.Outside(c.x))
		}
	}
}

// FuzzOpen: whatever the bytes, Open ends with an error or a bundle within its limits.
func FuzzOpen(f *testing.F) {
	_, files := small()
	packed, err := PackFiles(files)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(packed)
	f.Add([]byte("PK\x05\x06"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		b, err := Open(raw)
		if err != nil {
			if !errors.Is(err, ErrInvalid) {
				t.Fatalf("not a refusal: %v", err)
			}
			return
		}
		if len(b.Golden.X) != b.Golden.Rows*b.Manifest.Features {
			t.Fatal("golden rows do not fit the manifest")
		}
		b.JSON()
	})
}

// FuzzFiles does the same behind the checksums of the archive, which keep FuzzOpen
// from most of what is in the files.
func FuzzFiles(f *testing.F) {
	_, files := small()
	manifest, golden := files[ManifestFile], files[GoldenFile]
	f.Add(manifest, golden)
	f.Add([]byte(`{"format":1,"objective":"binary:logistic","classes":["a","b"],"features":1,"temperature":1e-3}`), golden)
	f.Add(bytes.Replace(manifest, []byte(`"features":3`), []byte(`"features":4194304`), 1), golden)
	f.Add(manifest, []byte(`{"rows":9223372036854775807,"x":"AACAPw==","margins":""}`))
	f.Add(manifest, []byte(`{"rows":2,"x":"AACAPwAAgD8=","margins":"AAA="}`))
	f.Add([]byte(`{"classes":null}`), []byte(`[]`))
	f.Fuzz(func(t *testing.T, manifest, golden []byte) {
		packed, err := PackFiles(map[string][]byte{ManifestFile: manifest, GoldenFile: golden, BinaryFile: []byte("binf"), JSONFile: []byte("{}")})
		if err != nil {
			t.Fatal(err)
		}
		b, err := Open(packed)
		if err != nil {
			if !errors.Is(err, ErrInvalid) {
				t.Fatalf("not a refusal: %v", err)
			}
			return
		}
		m, g := &b.Manifest, &b.Golden
		switch {
		case m.Features < 1 || m.Features > maxFeatures || len(m.Classes) < 2 || len(m.Classes) > maxClasses:
			t.Fatalf("%d features, %d classes", m.Features, len(m.Classes))
		case !(1/m.Temperature < 1000 && m.Temperature > 0):
			t.Fatalf("temperature %v", m.Temperature)
		case len(g.X) != g.Rows*m.Features || len(g.Margins) != g.Rows*m.Outputs() || g.Rows < 1:
			t.Fatalf("%d golden rows with %d values and %d margins", g.Rows, len(g.X), len(g.Margins))
		}
		if m.Outliers != nil {
			if s, missing := m.Outliers.Score(g.X[:m.Features]); missing < 0 || missing > m.Features || s < 0 {
				t.Fatalf("score %v with %d missing", s, missing)
			}
		}
		if _, err := b.JSON(); err != nil {
			t.Fatal(err)
		}
	})
}
