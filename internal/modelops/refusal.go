package modelops

import (
	"errors"

	"foresight/inference"
	"foresight/inference/artifact"
	"foresight/inference/booster"
	"foresight/internal/fault"
)

// reasons are the refusals that people get told in words of their own, the most particular
// first.
var reasons = []struct {
	of    error
	field string
	key   string
}{
	{booster.ErrTruncated, "input.files", "error.version.truncated"},
	{booster.ErrLimit, "input.files", "error.version.limit"},
	{booster.ErrCategorical, "input.files", "error.version.categorical"},
	{booster.ErrParallelTrees, "input.files", "error.version.parallelTrees"},
	{booster.ErrBooster, "input.files", "error.version.booster"},
	{inference.ErrSchema, "input.featureSchemaHash", "error.version.schema"},
	{inference.ErrOrder, "input.files", "error.version.order"},
	{inference.ErrGolden, "input.files", "error.version.golden"},
}

// refusal tells people why a model is refused. What is no refusal stays as it is.
func refusal(err error) error {
	if err == nil {
		return nil
	}
	for _, r := range reasons {
		if errors.Is(err, r.of) {
			return fault.Invalid(r.field, r.key).Because(err)
		}
	}
	var size *inference.SizeError
	if errors.As(err, &size) {
		field, key := "input.files", "error.version.features"
		if size.Of == inference.Classes {
			field, key = "input.classes", "error.version.classCount"
		}
		return fault.Invalid(field, key).With("Need", size.Need).With("Got", size.Got).Because(err)
	}
	for _, r := range []error{artifact.ErrInvalid, booster.ErrRefused, inference.ErrKind, inference.ErrPanic} {
		if errors.Is(err, r) {
			return fault.Invalid("input.files", "error.inference.upload").With("Reason", err.Error()).Because(err)
		}
	}
	return err
}
