//go:build cgo && xgboost

package xgboost

/*
#include <stdlib.h>
#include <xgboost/c_api.h>
*/
import "C"

import (
	"fmt"
	"runtime"
	"slices"
	"unsafe"
)

// What XGBoost is asked for.
const (
	margin        = 1
	contributions = 2
)

// Margins predicts the raw margins of all rows, row-major.
func (b *Booster) Margins(m *Matrix) ([]float32, error) {
	out, err := b.predict(m, margin)
	return slices.Clone(out), err
}

// Contributions explains all rows: for each row and output the contributions of the
// features to the margin, and the bias behind them. They are XGBoost's memory until the
// next call.
func (b *Booster) Contributions(m *Matrix) ([]float32, error) { return b.predict(m, contributions) }

func (b *Booster) predict(m *Matrix, what int) ([]float32, error) {
	var s cstrings
	defer s.free()
	config := fmt.Sprintf(`{"type":%d,"training":false,"iteration_begin":0,"iteration_end":0,"strict_shape":false}`, what)
	var shape *C.bst_ulong
	var dim C.bst_ulong
	var result *C.float
	if err := check(C.XGBoosterPredictFromDMatrix(b.handle, m.handle, s.add(config), &shape, &dim, &result)); err != nil {
		return nil, err
	}
	return predicted(shape, dim, result), nil
}

// Question is a prediction that is asked for again and again, with what XGBoost wants
// to be told about it.
type Question struct {
	b            *Booster
	x            []float32
	rows, config *C.char
}

// Ask prepares the prediction of the raw margins of rows in place: the fastest way that
// the C interface has, without a matrix of XGBoost's own and without its cache.
func (b *Booster) Ask(x []float32, features int) *Question {
	q := &Question{b: b, x: x}
	q.rows = C.CString(fmt.Sprintf(`{"data":[%d,true],"shape":[%d,%d],"typestr":"<f4","version":3}`, uintptr(unsafe.Pointer(&x[0])), len(x)/features, features))
	q.config = C.CString(`{"type":1,"training":false,"iteration_begin":0,"iteration_end":0,"strict_shape":false,"missing":NaN,"cache_id":0}`)
	return q
}

// Answer predicts. The margins, row-major, are XGBoost's memory until the next answer.
func (q *Question) Answer() ([]float32, error) {
	var shape *C.bst_ulong
	var dim C.bst_ulong
	var result *C.float
	err := check(C.XGBoosterPredictFromDense(q.b.handle, q.rows, q.config, nil, &shape, &dim, &result))
	runtime.KeepAlive(q.x)
	if err != nil {
		return nil, err
	}
	return predicted(shape, dim, result), nil
}

// Free returns what was prepared.
func (q *Question) Free() {
	C.free(unsafe.Pointer(q.rows))
	C.free(unsafe.Pointer(q.config))
}
