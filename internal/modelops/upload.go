package modelops

import (
	"bytes"
	"context"
	"strconv"

	"foresight/ent"
	"foresight/inference"
	"foresight/inference/artifact"
	"foresight/internal/fault"
	"foresight/internal/id"
)

// UploadedFile is one file of a model from elsewhere.
type UploadedFile struct {
	Upload  id.UUID
	Horizon int // days, of a failure predictor's booster; 0 otherwise
}

// UploadRequest asks for a version of a model that was trained elsewhere.
type UploadRequest struct {
	Model id.UUID
	// Files are one bundle of package artifact, which says all by itself, or XGBoost
	// models (binary format of 1.x, or JSON): one of a fault classifier, one for each
	// horizon of a failure predictor.
	Files []UploadedFile
	// Classes of a fault classifier that is no bundle, in the order of its outputs.
	Classes []string
	// FeatureSchemaHash is the one of the features that an XGBoost model was trained on.
	FeatureSchemaHash string
}

// The most that is looked at: a file for each horizon, and as many classes as are served.
const (
	maxFiles   = 2
	maxClasses = 512
)

// zipped is how a bundle begins.
var zipped = []byte("PK\x03\x04")

// Upload registers a model that was trained elsewhere. See Register for what is refused,
// and inference.Upload for what an XGBoost model is held to.
func (v *Versions) Upload(ctx context.Context, q UploadRequest) (*ent.MLModelVersion, error) {
	m, err := v.model(ctx, q.Model)
	if err != nil {
		return nil, err
	}
	if len(q.Files) < 1 || len(q.Files) > maxFiles {
		return nil, fault.Invalid("input.files", "error.range").With("Min", 1).With("Max", maxFiles)
	}
	if len(q.Classes) > maxClasses {
		return nil, fault.Invalid("input.classes", "error.tooMany").With("Max", maxClasses)
	}
	if err := v.Room(ctx); err != nil { // before the work of judging it
		return nil, err
	}
	var b *artifact.Bundle
	n := NewVersion{Model: q.Model}
	// The files are read when it is their turn, so that no queue of them fills the memory.
	err = v.alone(ctx, func() error {
		files, err := v.files(ctx, q.Files)
		if err != nil {
			return err
		}
		if n.Bundle = files[0]; len(files) == 1 && bytes.HasPrefix(n.Bundle, zipped) {
			if b, err = artifact.Open(n.Bundle); err != nil {
				return err
			}
			_, err = inference.Activate(b)
			return err
		}
		if n.Bundle, err = v.bundle(Kinds[m.Type], q, files); err != nil {
			return err
		}
		b, err = artifact.Open(n.Bundle)
		return err
	})
	if err != nil {
		return nil, err
	}
	made, err := v.register(ctx, m, n, b)
	if err != nil {
		return nil, err
	}
	for _, f := range q.Files {
		_ = v.uploads.DropModelFile(ctx, f.Upload) // it expires by itself as well
	}
	return made, nil
}

// bundle makes one of XGBoost models. The bundle has no version of its own, so that the
// same model gives the same bytes.
func (v *Versions) bundle(kind string, q UploadRequest, files [][]byte) ([]byte, error) {
	if kind == artifact.FaultClassifier && len(q.Classes) == 0 {
		return nil, fault.Invalid("input.classes", "error.version.noClasses")
	}
	u := inference.Upload{Kind: kind, Version: "0.0.0", FeatureSchemaHash: q.FeatureSchemaHash, Classes: q.Classes}
	for i, f := range q.Files {
		u.Models = append(u.Models, inference.UploadedModel{Horizon: f.Horizon, Model: files[i]})
	}
	packed, _, err := u.Bundle()
	return packed, err
}

func (v *Versions) files(ctx context.Context, of []UploadedFile) ([][]byte, error) {
	out := make([][]byte, len(of))
	for i, f := range of {
		content, err := v.uploads.ModelFile(ctx, f.Upload)
		if fault.Is(err, fault.NotFound) {
			return nil, fault.Missing("Upload").At("input.files." + strconv.Itoa(i) + ".uploadId")
		}
		if err != nil {
			return nil, err
		}
		out[i] = content
	}
	return out, nil
}
