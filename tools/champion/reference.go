package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"

	"foresight/inference/artifact"
	"foresight/inference/training"
)

// addReference gives a bundle that was trained before references were kept the one of
// its training rows. The bundle gets another hash, and with it is another artifact.
//
//	go run ./tools/champion reference -bundle old.zip -out new.zip windows.dataset
func addReference(args []string) error {
	f := flag.NewFlagSet("champion reference", flag.ExitOnError)
	from := f.String("bundle", "", "the bundle")
	to := f.String("out", "", "where the new one goes")
	if err := f.Parse(args); err != nil {
		return err
	}
	if *from == "" || *to == "" || f.NArg() == 0 {
		return errors.New("champion reference -bundle OLD -out NEW DATASET… (one for each booster)")
	}
	raw, err := os.ReadFile(*from)
	if err != nil {
		return err
	}
	var sets []*training.Dataset
	for _, path := range f.Args() {
		d, err := training.Load(path)
		if err != nil {
			return err
		}
		sets = append(sets, d)
	}
	bundle, err := withReference(raw, sets)
	if err != nil {
		return err
	}
	fmt.Printf("%s: %d bytes, sha256 %s\n", *to, len(bundle), artifact.HashOf(bundle))
	return os.WriteFile(*to, bundle, 0o644)
}

// withReference takes the data set of each booster by the hash in its manifest.
func withReference(raw []byte, sets []*training.Dataset) ([]byte, error) {
	b, err := artifact.Open(raw)
	if err != nil {
		return nil, err
	}
	var parts []artifact.Part
	for _, one := range b.Boosters {
		m := one.Manifest
		for _, d := range sets {
			if d.Hash == m.Training.DatasetHash {
				m.Reference = training.FitReference(&d.Parts[training.Train], len(d.Features), len(d.Classes))
			}
		}
		if m.Reference == nil {
			return nil, fmt.Errorf("no data set is the one of the booster %q, %s", one.Name, m.Training.DatasetHash)
		}
		files := map[string][]byte{artifact.BinaryFile: one.Binary}
		if files[artifact.JSONFile], err = one.JSON(); err != nil {
			return nil, err
		}
		if files[artifact.ManifestFile], err = json.MarshalIndent(m, "", " "); err != nil {
			return nil, err
		}
		if files[artifact.GoldenFile], err = json.Marshal(one.Golden); err != nil {
			return nil, err
		}
		parts = append(parts, artifact.Part{Entry: one.Entry, Files: files})
	}
	var out []byte
	if len(parts) == 1 && parts[0].Name == "" {
		out, err = artifact.PackFiles(parts[0].Files)
	} else {
		out, err = artifact.PackParts(b.Manifest.Kind, b.Manifest.Version, parts...)
	}
	if err != nil {
		return nil, err
	}
	_, err = artifact.Open(out)
	return out, err
}
