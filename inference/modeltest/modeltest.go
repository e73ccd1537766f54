// Package modeltest holds a real but small model for tests that load many: opening the one
// that ships costs a hundred times as much. Only tests import it.
//
// classifier.zip is what this command writes as champion.zip:
//
//	go run ./tools/champion fault -fault-machines 40 -normal-machines 300 -rounds 3 -depth 3 \
//		-colsample 1 -colsample-node 0.2 -version 1.0.0 -out /tmp
package modeltest

import (
	"archive/zip"
	"bytes"
	_ "embed"
	"encoding/json"
	"io"
	"slices"
	"sync"

	"foresight/inference/artifact"
)

//go:embed classifier.zip
var classifier []byte

// Classifier is the bundle of a fault classifier, version 1.0.0, with the features and
// classes of the one that ships and three rounds of trees of depth 3. It is seldom right.
// The caller does not change it.
func Classifier() []byte { return classifier }

// Open opens it, once for all callers, who do not change it.
var Open = sync.OnceValue(func() *artifact.Bundle {
	b, err := artifact.Open(classifier)
	if err != nil {
		panic(err)
	}
	return b
})

// JSON is its model in XGBoost's JSON format.
var JSON = sync.OnceValue(func() []byte {
	raw, err := Open().JSON()
	if err != nil {
		panic(err)
	}
	return raw
})

// Changed is the bundle with another manifest, of which the golden rows know nothing.
func Changed(change func(*artifact.Manifest)) []byte {
	b := Open()
	m := b.Manifest
	m.Classes = slices.Clone(m.Classes)
	change(&m)
	return Pack(&m, &b.Golden, b.Binary, JSON())
}

// Pack makes a bundle of a booster. It does not compress: tests make many.
func Pack(m *artifact.Manifest, g *artifact.Golden, binary, text []byte) []byte {
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	write := func(name string, content []byte, err error) {
		var w io.Writer
		if err == nil {
			w, err = z.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Store})
		}
		if err == nil {
			_, err = w.Write(content)
		}
		if err != nil {
			panic(err)
		}
	}
	manifest, err := json.Marshal(m)
	write(artifact.ManifestFile, manifest, err)
	golden, err := json.Marshal(g)
	write(artifact.GoldenFile, golden, err)
	write(artifact.BinaryFile, binary, nil)
	write(artifact.JSONFile, text, nil)
	if err := z.Close(); err != nil {
		panic(err)
	}
	return out.Bytes()
}
