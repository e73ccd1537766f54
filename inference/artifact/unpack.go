package artifact

import (
	"archive/zip"
	"encoding/json"
	"fmt"
	"io"
)

// unpacker reads the files of a bundle within their limits.
type unpacker struct {
	byName map[string]*zip.File
	left   map[string]int64 // bytes by the file's name without folder
}

func newUnpacker(z *zip.Reader) *unpacker {
	u := &unpacker{map[string]*zip.File{}, map[string]int64{}}
	for _, f := range z.File {
		if u.byName[f.Name] == nil {
			u.byName[f.Name] = f
		}
	}
	for _, f := range files {
		u.left[f.name] = f.max
	}
	return u
}

func (u *unpacker) file(folder, name string) (*zip.File, error) {
	path := name
	if folder != "" {
		path = folder + "/" + name
	}
	if f := u.byName[path]; f != nil {
		return f, nil
	}
	return nil, fmt.Errorf("no %s", path)
}

func (u *unpacker) read(folder, name string) ([]byte, error) {
	f, err := u.file(folder, name)
	if err != nil {
		return nil, err
	}
	raw, err := unpack(f, u.left[name])
	u.left[name] -= int64(len(raw))
	return raw, err
}

// booster reads one booster, whose manifest is given.
func (u *unpacker) booster(e Entry, manifest []byte) (*Booster, error) {
	b := &Booster{Entry: e}
	if err := json.Unmarshal(manifest, &b.Manifest); err != nil {
		return nil, fmt.Errorf("%s: %w", ManifestFile, err)
	}
	if err := b.Manifest.check(); err != nil {
		return nil, err
	}
	raw, err := u.read(e.Name, GoldenFile)
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(raw, &b.Golden); err != nil {
		return nil, fmt.Errorf("%s: %w", GoldenFile, err)
	}
	g := &b.Golden
	if g.Rows < 1 || g.Rows > 10_000 || len(g.X) != g.Rows*b.Manifest.Features || len(g.Margins) != g.Rows*b.Manifest.Outputs() {
		return nil, fmt.Errorf("golden rows: %d with %d values and %d margins", g.Rows, len(g.X), len(g.Margins))
	}
	if b.Binary, err = u.read(e.Name, BinaryFile); err != nil {
		return nil, err
	}
	b.packed, err = u.file(e.Name, JSONFile)
	return b, err
}

// unpack reads one file of at most so many bytes. The buffer grows with what comes out,
// and archive/zip fails when that is more than the header says.
func unpack(f *zip.File, limit int64) ([]byte, error) {
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
