package training

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/klauspost/compress/zstd"

	"foresight/inference/artifact"
	"foresight/inference/champion"
	"foresight/inference/training"
	"foresight/internal/fault"
	"foresight/internal/fleet"
)

// maxDataset bounds a stored data set, unpacked, bytes.
const maxDataset = 4 << 30

// original reads the training set of one of the base's boosters, without the feedback
// that was in it: feedback is joined anew each time, as it is then.
func (t *task) original(ctx context.Context, b *artifact.Booster) (*training.Dataset, error) {
	hash := b.Manifest.Training.DatasetHash
	if t.base.TrainingRunID != nil {
		r, err := t.Service.Run(ctx, *t.base.TrainingRunID)
		if err != nil {
			return nil, err
		}
		for _, o := range r.Outcome.Boosters {
			if o.Name == b.Name {
				hash = o.Original
			}
		}
	}
	if t.shipped(hash) {
		return t.remade(ctx, hash)
	}
	f, err := t.Files.Get(ctx, datasetKey(hash))
	if fault.Is(err, fault.NotFound) {
		return nil, fault.New(fault.BadInput, "error.training.noOriginal").With("Version", t.base.FullVersionLabel)
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	z, err := zstd.NewReader(f, zstd.WithDecoderConcurrency(1))
	if err != nil {
		return nil, err
	}
	defer z.Close()
	d, err := training.Read(io.LimitReader(z, maxDataset))
	if err != nil {
		return nil, fmt.Errorf("training: data set %s: %w", hash, err)
	}
	if d.Hash != hash {
		return nil, fmt.Errorf("training: data set %s has the hash %s", hash, d.Hash)
	}
	return d, nil
}

// originalFile is where a run has the set that a later one goes on from, unless it is
// kept elsewhere.
func (t *task) originalFile(booster string) string { return filepath.Join(t.dir, "original"+booster) }

// shipped reports whether a data set is that of a model that ships, which the simulator
// makes anew.
func (t *task) shipped(hash string) bool {
	_, _, ok := shippedBooster(hash)
	return ok
}

// shippedBooster finds the booster that was trained on a data set, among those that ship.
func shippedBooster(hash string) (kind, name string, ok bool) {
	for _, c := range champion.All() {
		opened, err := artifact.Open(c.Bundle)
		if err != nil {
			continue
		}
		for _, b := range opened.Boosters {
			if b.Manifest.Training.DatasetHash == hash {
				return b.Manifest.Kind, b.Name, true
			}
		}
	}
	return "", "", false
}

// remade returns the data set of a model that ships. It is made by the simulator, which
// takes minutes, and kept in this process' folder for the next time.
func (t *task) remade(ctx context.Context, hash string) (*training.Dataset, error) {
	cached := filepath.Join(t.Dir, "shipped-"+hash)
	d, err := training.Load(cached)
	if err == nil && d.Hash == hash {
		t.log.say("data set %.12s… of the model that ships: %d rows, kept from before", hash, d.Rows)
		return d, nil
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.log.say("the kept data set of the model that ships is damaged")
	}
	kind, name, _ := shippedBooster(hash)
	t.log.say("making the data set of the model that ships anew")
	f, err := os.CreateTemp(t.dir, "shipped")
	if err != nil {
		return nil, err
	}
	defer f.Close()
	made, err := t.remake(ctx, f, kind, name)
	if err != nil {
		return nil, err
	}
	if err := f.Close(); err != nil {
		return nil, err
	}
	if made != hash {
		// Another kind of processor rounds otherwise: the rows are the same but for the last bit.
		t.log.say("the data set made anew is %.12s…, and was %.12s…", made, hash)
		own := t.originalFile(name) // to be kept with the version, which ships nowhere
		if err := os.Rename(f.Name(), own); err != nil {
			return nil, err
		}
		return training.Load(own)
	}
	if err := os.Rename(f.Name(), cached); err != nil {
		return nil, err
	}
	return training.Load(cached)
}

func (t *task) remake(ctx context.Context, w io.Writer, kind, name string) (hash string, err error) {
	w = endingWriter{ctx, w}
	if kind == artifact.FaultClassifier {
		return fleet.WriteWindows(w, fleet.Windows)
	}
	for k, n := range fleet.HorizonNames {
		if n == name {
			return writeLives(ctx, w, fleet.Watched, k)
		}
	}
	return "", fmt.Errorf("training: no data set of %s %s", kind, name)
}

func writeLives(ctx context.Context, w io.Writer, p fleet.LifePlan, horizon int) (hash string, err error) {
	rows, err := fleet.LivesUntil(ctx, p)
	if err != nil {
		return "", err
	}
	return fleet.WriteLives(w, rows, horizon)
}

// endingWriter fails when the context has ended, and with it what writes for minutes.
type endingWriter struct {
	ctx context.Context
	w   io.Writer
}

// Write implements io.Writer.
func (w endingWriter) Write(b []byte) (int, error) {
	if err := context.Cause(w.ctx); err != nil {
		return 0, err
	}
	return w.w.Write(b)
}
