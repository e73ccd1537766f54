package artifact

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
)

// The names of the files.
const (
	ManifestFile = "manifest.json"
	BinaryFile   = "model.bin"
	JSONFile     = "model.json"
	GoldenFile   = "golden.json"
)

// MaxSize bounds a bundle, packed, in bytes.
const MaxSize = 64 << 20

// ErrInvalid is in the chain of every refusal of Open.
var ErrInvalid = errors.New("artifact: not valid")

// files lists what a booster has and how large each may be, unpacked, of all boosters of
// a bundle together. A model of 34 x 300 trees of depth 6 takes about 45 MB in binary
// and 130 MB in JSON.
var files = []struct {
	name string
	max  int64
}{
	{ManifestFile, 4 << 20},
	{GoldenFile, 16 << 20},
	{BinaryFile, 64 << 20},
	{JSONFile, 192 << 20},
}

// MaxBoosters is the most that a bundle holds.
const MaxBoosters = 8

// Bundle is an opened artifact. It is immutable.
type Bundle struct {
	Hash string // SHA-256 of the file, hex
	// Boosters are the models in the order of the index, at least one. All are of one
	// kind, version, objective and feature schema.
	Boosters []*Booster
	// Booster is the first of them, and the only one of most kinds.
	*Booster
}

// Booster is one model of a bundle with all that is known of it.
type Booster struct {
	Entry
	Manifest Manifest
	Golden   Golden
	Binary   []byte // XGBoost's deprecated binary format, as XGBoost wrote it
	packed   *zip.File
}

// Entry names a booster in the index of a bundle.
type Entry struct {
	Name string `json:"name"` // of its folder, `7d`; empty for the only one of a bundle
	// Horizon is how far ahead a failure predictor looks, in days; 0 for other kinds.
	Horizon int `json:"horizon_days,omitempty"`
}

// index is the manifest of a bundle with several boosters; each has a manifest of its
// own in its folder.
type index struct {
	Format   int     `json:"format"`
	Kind     string  `json:"kind"`
	Version  string  `json:"version"`
	Boosters []Entry `json:"boosters"`
}

func (x *index) check() error {
	if x.Format != FormatVersion {
		return fmt.Errorf("artifact format %d, want %d", x.Format, FormatVersion)
	}
	if n := len(x.Boosters); n > MaxBoosters {
		return fmt.Errorf("%d boosters, at most %d", n, MaxBoosters)
	}
	names, horizons := map[string]bool{}, map[int]bool{}
	for _, e := range x.Boosters {
		if !plainName(e.Name) || names[e.Name] {
			return fmt.Errorf("booster %.40q has no plain name, or that of another", e.Name)
		}
		if e.Horizon < 0 || e.Horizon > 3650 || e.Horizon > 0 && horizons[e.Horizon] {
			return fmt.Errorf("booster %q looks %d days ahead, as another one does or none can", e.Name, e.Horizon)
		}
		names[e.Name], horizons[e.Horizon] = true, true
	}
	return nil
}

// plainName reports whether the name is one of small letters, digits and underscores.
func plainName(s string) bool {
	for _, c := range s {
		if !(c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '_') {
			return false
		}
	}
	return len(s) >= 1 && len(s) <= 32
}

// HashOf returns the content address of a bundle's bytes.
func HashOf(bundle []byte) string {
	sum := sha256.Sum256(bundle)
	return hex.EncodeToString(sum[:])
}

// Open reads a bundle. The bytes may come from anywhere; it keeps a reference to
// them. Everything wrong with them is an error in whose chain is ErrInvalid.
func Open(bundle []byte) (*Bundle, error) {
	b, err := open(bundle)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	return b, nil
}

func open(bundle []byte) (*Bundle, error) {
	if len(bundle) > MaxSize {
		return nil, fmt.Errorf("%d bytes, at most %d", len(bundle), MaxSize)
	}
	z, err := zip.NewReader(bytes.NewReader(bundle), int64(len(bundle)))
	if err != nil {
		return nil, err
	}
	if most := 1 + MaxBoosters*len(files); len(z.File) > most {
		return nil, fmt.Errorf("%d files in the bundle, at most %d", len(z.File), most)
	}
	u := newUnpacker(z)
	raw, err := u.read("", ManifestFile)
	if err != nil {
		return nil, err
	}
	var x index
	if err := json.Unmarshal(raw, &x); err != nil {
		return nil, fmt.Errorf("%s: %w", ManifestFile, err)
	}
	if err := x.check(); err != nil {
		return nil, err
	}
	b := &Bundle{Hash: HashOf(bundle)}
	if len(x.Boosters) == 0 {
		one, err := u.booster(Entry{}, raw)
		if err != nil {
			return nil, err
		}
		b.Boosters = []*Booster{one}
	}
	for _, e := range x.Boosters {
		if raw, err = u.read(e.Name, ManifestFile); err != nil {
			return nil, err
		}
		one, err := u.booster(e, raw)
		if err != nil {
			return nil, fmt.Errorf("booster %s: %w", e.Name, err)
		}
		b.Boosters = append(b.Boosters, one)
		m, first := &one.Manifest, &b.Boosters[0].Manifest
		if m.Kind != x.Kind || m.Version != x.Version || m.Objective != first.Objective || m.Features != first.Features || m.FeatureSchemaHash != first.FeatureSchemaHash {
			return nil, fmt.Errorf("booster %s is of another kind, version, objective or feature schema than the bundle", e.Name)
		}
	}
	b.Booster = b.Boosters[0]
	return b, nil
}

// JSON unpacks the model in XGBoost's JSON format, which is large and wanted seldom.
func (b *Booster) JSON() ([]byte, error) {
	raw, err := unpack(b.packed, jsonLimit(len(b.Binary)))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	return raw, nil
}

// jsonLimit bounds the JSON of a model whose binary has so many bytes: XGBoost's own
// takes two to three times as much.
func jsonLimit(binary int) int64 {
	return 1<<20 + 8*int64(binary)
}
