package inference

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"foresight/inference/artifact"
	"foresight/inference/booster"
	"foresight/internal/fault"
)

// Upload is a model that XGBoost trained elsewhere, on the features of this server, to
// become a version.
type Upload struct {
	Kind    string // artifact.FaultClassifier or artifact.FailurePredictor
	Version string // semantic version, without the kind
	// FeatureSchemaHash is the one of the features that the model was trained on. It is
	// the uploader's word that column i of the training was the server's feature i: a
	// model does not tell.
	FeatureSchemaHash string
	// Classes of a fault classifier in the order of the model's outputs.
	Classes []string
	// Models are one for each horizon of the kind.
	Models []UploadedModel
}

// UploadedModel is one booster of an upload.
type UploadedModel struct {
	Horizon int    // days, of a failure predictor
	Model   []byte // XGBoost's binary format of 1.x, or its JSON format of 1.0 and later
	// Golden are rows with the raw margins that XGBoost gave for them where the model was
	// trained. Without them Bundle draws rows of its own, and only shows that two
	// independent evaluators agree on the model.
	Golden *artifact.Golden
}

// inOrder refuses names of the server's features that stand in other places than there.
// A model whose names are others, or that has none, tells nothing of its columns.
func (k *kind) inOrder(names []string) error {
	for i, name := range names {
		if at, known := k.place(name); known && at != i {
			return fmt.Errorf("%w: column %d is %s, which is %d here", ErrOrder, i, name, at)
		}
	}
	return nil
}

// What a SizeError is of.
const (
	Features = "features"
	Classes  = "classes"
)

// SizeError says that a model reads another number of features than its kind has, or that
// it was given another number of classes than it has outputs. It is an ErrKind.
type SizeError struct {
	Of        string // Features or Classes
	Need, Got int
}

// Error tells the numbers.
func (e *SizeError) Error() string {
	return fmt.Sprintf("%v: %d %s, want %d", ErrKind, e.Got, e.Of, e.Need)
}

// Unwrap returns ErrKind.
func (e *SizeError) Unwrap() error { return ErrKind }

// classesOfFailure are the classes of a binary model: no, and yes.
var classesOfFailure = []string{"healthy", "failure"}

// uploadedGolden is the number of golden rows that are drawn.
const uploadedGolden = 64

// Bundle checks the upload and makes the artifact of it, with the model that a
// registry would make of it. The bytes may come from anywhere. It is checked that
//
//   - the models can be read within the limits, in full, and are of the kind's
//     objective, with its number of features, one for each horizon;
//   - the feature schema is the server's, and each output has a class of its own;
//   - the features' names, where the model has any and they are the server's, stand in
//     the server's order;
//   - the serving evaluator and leaves reproduce the golden rows within 1e-5, or agree on
//     rows that are drawn here: on the model's thresholds, beside them, and with missing
//     values. Whose margins they are stands in artifact.Golden.By.
//
// A refusal is a fault.BadInput that tells the reason, with ErrKind, ErrSchema, ErrGolden,
// artifact.ErrInvalid or booster.ErrRefused in its chain.
//
// An uploaded model is served as it is: nothing is known of how well its probabilities
// are calibrated or what it was not trained for, so it has no intervals, no label sets and
// no guard against foreign windows.
func (u *Upload) Bundle() ([]byte, *Model, error) {
	packed, m, err := u.bundle()
	if err != nil {
		return nil, nil, fault.New(fault.BadInput, "error.inference.upload").With("Reason", err.Error()).Because(err)
	}
	return packed, m, nil
}

func (u *Upload) bundle() (_ []byte, _ *Model, err error) {
	defer recovered(&err)
	packed, err := u.pack()
	if err != nil {
		return nil, nil, err
	}
	b, err := artifact.Open(packed)
	if err != nil {
		return nil, nil, err
	}
	m, err := Activate(b)
	return packed, m, err
}

func (u *Upload) pack() ([]byte, error) {
	k, ok := kinds[u.Kind]
	if !ok {
		return nil, fmt.Errorf("%w: %.40q", ErrKind, u.Kind)
	}
	if len(u.Models) != len(k.horizons) {
		return nil, fmt.Errorf("%w: %d models, want one each for the horizons %v", ErrKind, len(u.Models), k.horizons)
	}
	var parts []artifact.Part
	for i := range u.Models {
		one := &u.Models[i]
		again := slices.ContainsFunc(u.Models[:i], func(m UploadedModel) bool { return m.Horizon == one.Horizon })
		if again || !slices.Contains(k.horizons, one.Horizon) {
			return nil, fmt.Errorf("%w: a model for %d days, want one each for %v", ErrKind, one.Horizon, k.horizons)
		}
		files, err := u.files(&k, one)
		if err != nil {
			return nil, err
		}
		parts = append(parts, artifact.Part{Entry: artifact.Entry{Name: fmt.Sprintf("%dd", one.Horizon), Horizon: one.Horizon}, Files: files})
	}
	if len(parts) == 1 {
		return artifact.PackFiles(parts[0].Files)
	}
	return artifact.PackParts(u.Kind, u.Version, parts...)
}

// files makes the files of one booster.
func (u *Upload) files(k *kind, one *UploadedModel) (map[string][]byte, error) {
	binary, text, err := booster.Convert(one.Model)
	if err != nil {
		return nil, err
	}
	bo, err := booster.Load(binary)
	if err != nil {
		return nil, err
	}
	if bo.Objective() != k.objective {
		return nil, fmt.Errorf("%w: a model of %.40q, a %s has %s", ErrKind, bo.Objective(), u.Kind, k.objective)
	}
	if bo.Features() != k.features {
		return nil, &SizeError{Features, k.features, bo.Features()}
	}
	if err := k.inOrder(booster.FeatureNames(one.Model)); err != nil {
		return nil, err
	}
	m := artifact.Manifest{
		Format: artifact.FormatVersion, Kind: u.Kind, Version: u.Version, Objective: k.objective, Classes: u.Classes,
		Features: k.features, FeatureSchemaHash: u.FeatureSchemaHash, Temperature: 1,
	}
	if k.objective == artifact.Logistic {
		m.Classes = classesOfFailure
	}
	if len(m.Classes) != max(2, bo.Outputs()) {
		return nil, &SizeError{Classes, bo.Outputs(), len(m.Classes)}
	}
	golden := one.Golden
	if golden == nil {
		if golden, err = drawGolden(binary, bo); err != nil {
			return nil, err
		}
	}
	manifest, err := json.Marshal(m)
	if err != nil {
		return nil, err
	}
	rows, err := json.Marshal(golden)
	if err != nil {
		return nil, err
	}
	return map[string][]byte{artifact.ManifestFile: manifest, artifact.BinaryFile: binary, artifact.JSONFile: text, artifact.GoldenFile: rows}, nil
}

// drawGolden draws rows where evaluators could part, with the margins of leaves. The same
// model gets the same rows.
func drawGolden(binary []byte, bo *booster.Booster) (*artifact.Golden, error) {
	features, thresholds, err := booster.Thresholds(binary, 10_000)
	if err != nil {
		return nil, err
	}
	reference, err := booster.LoadReference(binary)
	if err != nil {
		return nil, err
	}
	r := rand.New(rand.NewPCG(uint64(len(binary)), 0x676f6c64656e))
	g := &artifact.Golden{Rows: uploadedGolden, By: "leaves"}
	margins := make([]float64, bo.Outputs())
	for range g.Rows {
		row := make([]float32, bo.Features())
		for f := range row {
			row[f] = float32(math.NaN())
		}
		// As many draws as features leave about a third missing where all are used.
		for range row {
			i := r.IntN(len(features))
			v := thresholds[i]
			switch r.IntN(4) {
			case 0:
				v = math.Nextafter32(v, float32(math.Inf(-1)))
			case 1:
				v *= float32(2 * r.Float64())
			}
			row[features[i]] = v
		}
		if err := reference.Margins(row, margins); err != nil {
			return nil, err
		}
		g.X = append(g.X, row...)
		for _, v := range margins {
			if v-v != 0 {
				return nil, errors.New("the model answers without a finite margin")
			}
			g.Margins = append(g.Margins, float32(v))
		}
	}
	return g, nil
}
