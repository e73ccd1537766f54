package inference

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"

	"foresight/inference/artifact"
	"foresight/inference/booster"
	"foresight/inference/daily"
	"foresight/inference/features"
)

// The reasons for which an artifact is refused. One of them, artifact.ErrInvalid or
// booster.ErrRefused is in the chain of every error of Activate.
var (
	ErrKind   = errors.New("inference: no model of a kind that is served")
	ErrSchema = errors.New("inference: the model was trained on other features than this server computes")
	ErrGolden = errors.New("inference: the model does not reproduce its golden rows")
	ErrPanic  = errors.New("inference: panic in the model")
	ErrOrder  = errors.New("inference: the model was trained on the features in another order")
)

// Tolerance is how far a margin may lie from XGBoost's, relative to margins above 1.
const Tolerance = 1e-5

// kind is what a model of a kind must be like.
type kind struct {
	objective string
	features  int
	schema    func() string // hash of the features
	horizons  []int         // of its boosters, in days
	// place is where the feature of the name stands; false for a name of none.
	place func(name string) (int, bool)
}

var kinds = map[string]kind{
	artifact.FaultClassifier:  {artifact.Softprob, features.Count, features.SchemaHash, []int{0}, features.Place},
	artifact.FailurePredictor: {artifact.Logistic, daily.Count, daily.SchemaHash, horizons[:], daily.Place},
}

// FeatureSchema returns the hash of the features that models of the kind read, "" for a
// kind that is not served.
func FeatureSchema(of string) string {
	k, ok := kinds[of]
	if !ok {
		return ""
	}
	return k.schema()
}

// Activate makes a model of an artifact that may come from anywhere. It is the gate
// before every deployment: the model must be of a kind that is served, trained on
// the present feature schema, without parts that cannot be computed, the same in both of
// its formats, and must give XGBoost's own margins for the golden rows, computed
// by the evaluator that serves and by leaves. A panic on the way is an error, too.
func Activate(b *artifact.Bundle) (*Model, error) { return pass(b, activate) }

// activateShipped makes a model of an artifact that is part of this binary. That its formats and
// evaluators agree has been shown before the release, by a test, and would cost every
// process most of a second at its start. It gives the margins of its golden rows here too.
func activateShipped(b *artifact.Bundle) (*Model, error) {
	return pass(b, func(b *artifact.Booster) (part, error) {
		bo, err := load(b)
		if err != nil {
			return part{}, err
		}
		return part{b.Entry, b.Manifest, bo}, reproduce(bo, &b.Golden)
	})
}

// pass checks a bundle, and its boosters one by one.
func pass(b *artifact.Bundle, one func(*artifact.Booster) (part, error)) (model *Model, err error) {
	defer recovered(&err)
	m := &b.Manifest
	k, ok := kinds[m.Kind]
	if !ok || m.Objective != k.objective {
		return nil, fmt.Errorf("%w: kind %q with objective %q", ErrKind, m.Kind, m.Objective)
	}
	if have := k.schema(); m.FeatureSchemaHash != have || m.Features != k.features {
		return nil, fmt.Errorf("%w: trained on schema %.12s with %d features, the server has %.12s with %d", ErrSchema, m.FeatureSchemaHash, m.Features, have, k.features)
	}
	if len(b.Boosters) != len(k.horizons) {
		return nil, fmt.Errorf("%w: a %s with %d boosters, want %d", ErrKind, m.Kind, len(b.Boosters), len(k.horizons))
	}
	parts := make([]part, len(b.Boosters))
	for _, of := range b.Boosters {
		at := slices.Index(k.horizons, of.Horizon)
		if at < 0 || parts[at].booster != nil {
			return nil, fmt.Errorf("%w: a booster for %d days, want one each for %v", ErrKind, of.Horizon, k.horizons)
		}
		p, err := one(of)
		if err != nil {
			if of.Name != "" {
				err = fmt.Errorf("booster %s: %w", of.Name, err)
			}
			return nil, err
		}
		parts[at] = p
	}
	return newModel(b.Hash, parts), nil
}

// load loads a booster, which must be as its manifest says.
func load(b *artifact.Booster) (*booster.Booster, error) {
	m := &b.Manifest
	bo, err := booster.Load(b.Binary)
	if err != nil {
		return nil, err
	}
	if bo.Objective() != m.Objective || bo.Features() != m.Features || bo.Outputs() != m.Outputs() {
		return nil, fmt.Errorf("%w: the binary model is %s, %d features, %d outputs; the manifest says %s, %d, %d", booster.ErrRefused,
			bo.Objective(), bo.Features(), bo.Outputs(), m.Objective, m.Features, m.Outputs())
	}
	return bo, nil
}

// activate checks one booster of a bundle.
func activate(b *artifact.Booster) (part, error) {
	bo, err := load(b)
	if err != nil {
		return part{}, err
	}
	raw, err := b.JSON()
	if err != nil {
		return part{}, err
	}
	if err := booster.Same(b.Binary, raw); err != nil {
		return part{}, fmt.Errorf("%w: %w", artifact.ErrInvalid, err)
	}
	if err := reproduce(bo, &b.Golden); err != nil {
		return part{}, err
	}
	if err := reproduceByLeaves(b); err != nil {
		return part{}, err
	}
	return part{b.Entry, b.Manifest, bo}, nil
}

// reproduce compares the margins that the serving evaluator gives for the golden rows with
// XGBoost's, one by one and in a batch.
func reproduce(bo *booster.Booster, g *artifact.Golden) error {
	n, outputs := bo.Features(), bo.Outputs()
	single, batch := make([]float32, outputs), make([]float32, g.Rows*outputs)
	if err := bo.Batch(g.X, batch); err != nil {
		return err
	}
	for i := range g.Rows {
		if err := bo.Margins(g.X[i*n:(i+1)*n], single); err != nil {
			return err
		}
		if err := sameMargins(g, i, "the server", single); err != nil {
			return err
		}
		if err := sameMargins(g, i, "the server, in a batch,", batch[i*outputs:(i+1)*outputs]); err != nil {
			return err
		}
	}
	return nil
}

// reproduceByLeaves does the same for leaves.
func reproduceByLeaves(b *artifact.Booster) error {
	reference, err := booster.LoadReference(b.Binary)
	if err != nil {
		return err
	}
	n, margins := b.Manifest.Features, make([]float64, b.Manifest.Outputs())
	for i := range b.Golden.Rows {
		if err := reference.Margins(b.Golden.X[i*n:(i+1)*n], margins); err != nil {
			return err
		}
		if err := sameMargins(&b.Golden, i, "leaves", margins); err != nil {
			return err
		}
	}
	return nil
}

// sameMargins holds the margins of a golden row against XGBoost's.
func sameMargins[F float32 | float64](g *artifact.Golden, row int, by string, margins []F) error {
	for k, got := range margins {
		want := g.Margins[row*len(margins)+k]
		if d := math.Abs(float64(got) - float64(want)); !(d <= Tolerance*max(1, math.Abs(float64(want)))) {
			return fmt.Errorf("%w: row %d, output %d: %s says %v, %s says %v", ErrGolden, row, k, by, got, cmp.Or(g.By, "XGBoost"), want)
		}
	}
	return nil
}
