package booster

import (
	"encoding/json"
	"errors"
	"fmt"
)

// The particular reasons of refusals. Where one of them is the reason, it stands in the
// chain beside ErrRefused.
var (
	ErrTruncated     = errors.New("the file ends early")
	ErrLimit         = errors.New("beyond the limits")
	ErrCategorical   = errors.New("categorical splits are not served")
	ErrParallelTrees = errors.New("num_parallel_tree above 1 is not served")
	ErrBooster       = errors.New("only the booster gbtree is served")
)

// jsonError tells a text that ends early from one that is wrong.
func jsonError(raw []byte, err error) error {
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) && syntax.Offset >= int64(len(raw)) {
		err = fmt.Errorf("%w: %w", ErrTruncated, err)
	}
	return fmt.Errorf("no XGBoost model in JSON: %w", err)
}
