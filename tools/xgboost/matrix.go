//go:build cgo && xgboost

package xgboost

/*
#include <stdlib.h>
#include <xgboost/c_api.h>
*/
import "C"

import (
	"errors"
	"math"
	"runtime"
	"unsafe"
)

// Matrix is XGBoost's own copy of rows, labels and weights.
type Matrix struct{ handle C.DMatrixHandle }

// NewMatrix copies rows (row-major, NaN missing). Labels and weights may be nil, each
// otherwise has one value for a row. The caller frees it.
func NewMatrix(x []float32, features int, labels, weights []float32) (*Matrix, error) {
	if len(x) == 0 || features < 1 || len(x)%features != 0 {
		return nil, errors.New("xgboost: no rows, or half a row")
	}
	m, rows := &Matrix{}, len(x)/features
	err := check(C.XGDMatrixCreateFromMat_omp((*C.float)(unsafe.Pointer(&x[0])), C.bst_ulong(rows), C.bst_ulong(features), C.float(math.NaN()), &m.handle, 2))
	runtime.KeepAlive(x)
	if err != nil {
		return nil, err
	}
	var s cstrings
	defer s.free()
	for _, info := range []struct {
		name   string
		values []float32
	}{{"label", labels}, {"weight", weights}} {
		if info.values == nil {
			continue
		}
		err := errors.New("xgboost: not one " + info.name + " for each row")
		if len(info.values) == rows {
			err = check(C.XGDMatrixSetFloatInfo(m.handle, s.add(info.name), (*C.float)(unsafe.Pointer(&info.values[0])), C.bst_ulong(rows)))
		}
		if err != nil {
			m.Free()
			return nil, err
		}
	}
	return m, nil
}

// Free returns XGBoost's memory.
func (m *Matrix) Free() { C.XGDMatrixFree(m.handle) }

// handles is a C array of the matrices; the caller frees it.
func handles(of []*Matrix) *C.DMatrixHandle {
	array := (*C.DMatrixHandle)(C.malloc(C.size_t(max(1, len(of))) * C.size_t(unsafe.Sizeof(C.DMatrixHandle(nil)))))
	for i, m := range of {
		unsafe.Slice(array, len(of))[i] = m.handle
	}
	return array
}
