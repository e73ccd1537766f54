package artifact

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// Part is a trained booster that becomes one of several in a bundle.
type Part struct {
	Entry
	Files map[string][]byte // the four files' contents by name
}

// ReadFolder reads the four files of a folder.
func ReadFolder(dir string) (map[string][]byte, error) {
	contents := make(map[string][]byte, len(files))
	for _, f := range files {
		raw, err := os.ReadFile(filepath.Join(dir, f.name))
		if err != nil {
			return nil, err
		}
		contents[f.name] = raw
	}
	return contents, nil
}

// Pack makes a bundle of a folder with the four files. The same files give the
// same bytes.
func Pack(dir string) ([]byte, error) {
	contents, err := ReadFolder(dir)
	if err != nil {
		return nil, err
	}
	return PackFiles(contents)
}

// PackFiles makes a bundle of the four files' contents by name.
func PackFiles(contents map[string][]byte) ([]byte, error) {
	return pack(func(add func(name string, content []byte) error) error {
		return addFiles(add, "", contents)
	})
}

// PackParts makes a bundle of several boosters of one kind and version, such as those of
// a failure predictor for 7 and 30 days.
func PackParts(kind, version string, parts ...Part) ([]byte, error) {
	x := index{Format: FormatVersion, Kind: kind, Version: version}
	for _, p := range parts {
		x.Boosters = append(x.Boosters, p.Entry)
	}
	if len(parts) == 0 {
		return nil, errors.New("artifact: no boosters to pack")
	}
	if err := x.check(); err != nil {
		return nil, fmt.Errorf("artifact: %w", err)
	}
	raw, err := json.MarshalIndent(x, "", " ")
	if err != nil {
		return nil, err
	}
	return pack(func(add func(name string, content []byte) error) error {
		if err := add(ManifestFile, raw); err != nil {
			return err
		}
		for _, p := range parts {
			if err := addFiles(add, p.Name+"/", p.Files); err != nil {
				return err
			}
		}
		return nil
	})
}

func addFiles(add func(name string, content []byte) error, folder string, contents map[string][]byte) error {
	for _, f := range files {
		if err := add(folder+f.name, contents[f.name]); err != nil {
			return err
		}
	}
	return nil
}

// pack makes a zip file of what fill adds.
func pack(fill func(add func(name string, content []byte) error) error) ([]byte, error) {
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	z.RegisterCompressor(zip.Deflate, func(w io.Writer) (io.WriteCloser, error) {
		return flate.NewWriter(w, flate.BestCompression)
	})
	err := fill(func(name string, content []byte) error {
		w, err := z.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Deflate})
		if err != nil {
			return err
		}
		_, err = w.Write(content)
		return err
	})
	if err != nil {
		return nil, err
	}
	if err := z.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}
