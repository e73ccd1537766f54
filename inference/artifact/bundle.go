package artifact

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
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

// files lists what a bundle holds and how large each may be, unpacked. A model of
// 34 x 300 trees of depth 6 takes about 45 MB in binary and 130 MB in JSON.
var files = []struct {
	name string
	max  int64
}{
	{ManifestFile, 4 << 20},
	{GoldenFile, 16 << 20},
	{BinaryFile, 64 << 20},
	{JSONFile, 192 << 20},
}

// Bundle is an opened artifact. It is immutable.
type Bundle struct {
	Hash     string // SHA-256 of the file, hex
	Manifest Manifest
	Golden   Golden
	Binary   []byte // XGBoost's deprecated binary format, as XGBoost wrote it
	packed   *zip.File
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
	if len(z.File) > 2*len(files) {
		return nil, fmt.Errorf("%d files in the bundle", len(z.File))
	}
	b := &Bundle{Hash: HashOf(bundle)}
	for _, f := range z.File {
		if f.Name == JSONFile {
			b.packed = f
		}
	}
	if b.packed == nil {
		return nil, fmt.Errorf("no %s", JSONFile)
	}
	raw, err := read(z, ManifestFile)
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(raw, &b.Manifest); err != nil {
		return nil, fmt.Errorf("%s: %w", ManifestFile, err)
	}
	if err := b.Manifest.check(); err != nil {
		return nil, err
	}
	if raw, err = read(z, GoldenFile); err != nil {
		return nil, err
	}
	if err := json.Unmarshal(raw, &b.Golden); err != nil {
		return nil, fmt.Errorf("%s: %w", GoldenFile, err)
	}
	g := &b.Golden
	if g.Rows < 1 || g.Rows > 10_000 || len(g.X) != g.Rows*b.Manifest.Features || len(g.Margins) != g.Rows*b.Manifest.Outputs() {
		return nil, fmt.Errorf("golden rows: %d with %d values and %d margins", g.Rows, len(g.X), len(g.Margins))
	}
	if b.Binary, err = read(z, BinaryFile); err != nil {
		return nil, err
	}
	return b, nil
}

// JSON unpacks the model in XGBoost's JSON format, which is large and wanted seldom.
func (b *Bundle) JSON() ([]byte, error) {
	raw, err := unpack(b.packed)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	return raw, nil
}

func read(z *zip.Reader, name string) ([]byte, error) {
	for _, f := range z.File {
		if f.Name == name {
			return unpack(f)
		}
	}
	return nil, fmt.Errorf("no %s", name)
}

// unpack reads one file within its limit. The buffer grows with what comes out, and
// archive/zip fails when that is more than the header says.
func unpack(f *zip.File) ([]byte, error) {
	limit := int64(0)
	for _, known := range files {
		if known.name == f.Name {
			limit = known.max
		}
	}
	if f.UncompressedSize64 > uint64(limit) {
		return nil, fmt.Errorf("%s: %d bytes unpacked, at most %d", f.Name, f.UncompressedSize64, limit)
	}
	r, err := f.Open()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", f.Name, err)
	}
	defer r.Close()
	raw, err := io.ReadAll(r)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", f.Name, err)
	}
	return raw, nil
}

// Pack makes a bundle of a folder with the four files. The same files give the
// same bytes.
func Pack(dir string) ([]byte, error) {
	contents := make(map[string][]byte, len(files))
	for _, f := range files {
		raw, err := os.ReadFile(filepath.Join(dir, f.name))
		if err != nil {
			return nil, err
		}
		contents[f.name] = raw
	}
	return PackFiles(contents)
}

// PackFiles makes a bundle of the four files' contents by name.
func PackFiles(contents map[string][]byte) ([]byte, error) {
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	z.RegisterCompressor(zip.Deflate, func(w io.Writer) (io.WriteCloser, error) {
		return flate.NewWriter(w, flate.BestCompression)
	})
	for _, f := range files {
		w, err := z.CreateHeader(&zip.FileHeader{Name: f.name, Method: zip.Deflate})
		if err != nil {
			return nil, err
		}
		if _, err := w.Write(contents[f.name]); err != nil {
			return nil, err
		}
	}
	if err := z.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}
