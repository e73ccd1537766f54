//go:build cgo && xgboost

package main

/*
#cgo LDFLAGS: -lxgboost
#include <stdlib.h>
#include <xgboost/c_api.h>
*/
import "C"

import (
	"errors"
	"fmt"
	"math"
	"runtime"
	"unsafe"
)

// version returns the version of the linked library.
func version() (major, minor, patch int) {
	var a, b, c C.int
	C.XGBoostVersion(&a, &b, &c)
	return int(a), int(b), int(c)
}

func check(rc C.int) error {
	if rc != 0 {
		return errors.New(C.GoString(C.XGBGetLastError()))
	}
	return nil
}

// cstrings keeps C copies of strings until free.
type cstrings []*C.char

func (s *cstrings) add(text string) *C.char {
	c := C.CString(text)
	*s = append(*s, c)
	return c
}

func (s *cstrings) free() {
	for _, c := range *s {
		C.free(unsafe.Pointer(c))
	}
}

// matrix is XGBoost's copy of rows, labels and weights.
type matrix struct{ handle C.DMatrixHandle }

// newMatrix copies rows of x (row-major, NaN missing). Labels and weights may be nil.
func newMatrix(x []float32, features int, labels, weights []float32) (*matrix, error) {
	m := &matrix{}
	rows := len(x) / features
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
		if err := check(C.XGDMatrixSetFloatInfo(m.handle, s.add(info.name), (*C.float)(unsafe.Pointer(&info.values[0])), C.bst_ulong(len(info.values)))); err != nil {
			m.free()
			return nil, err
		}
	}
	return m, nil
}

func (m *matrix) free() { C.XGDMatrixFree(m.handle) }

// booster is a model in training.
type booster struct{ handle C.BoosterHandle }

func newBooster(cache []*matrix, parameters map[string]string) (*booster, error) {
	b := &booster{}
	handles := (*C.DMatrixHandle)(C.malloc(C.size_t(len(cache)) * C.size_t(unsafe.Sizeof(C.DMatrixHandle(nil)))))
	defer C.free(unsafe.Pointer(handles))
	for i, m := range cache {
		unsafe.Slice(handles, len(cache))[i] = m.handle
	}
	if err := check(C.XGBoosterCreate(handles, C.bst_ulong(len(cache)), &b.handle)); err != nil {
		return nil, err
	}
	var s cstrings
	defer s.free()
	for k, v := range parameters {
		if err := check(C.XGBoosterSetParam(b.handle, s.add(k), s.add(v))); err != nil {
			b.free()
			return nil, fmt.Errorf("%s=%s: %w", k, v, err)
		}
	}
	return b, nil
}

func (b *booster) free() { C.XGBoosterFree(b.handle) }

// update adds one round.
func (b *booster) update(round int, train *matrix) error {
	return check(C.XGBoosterUpdateOneIter(b.handle, C.int(round), train.handle))
}

// evaluate returns XGBoost's line, `[3]	held-mlogloss:0.512`.
func (b *booster) evaluate(round int, held *matrix) (string, error) {
	var s cstrings
	defer s.free()
	handles := (*C.DMatrixHandle)(C.malloc(C.size_t(unsafe.Sizeof(C.DMatrixHandle(nil)))))
	defer C.free(unsafe.Pointer(handles))
	names := (**C.char)(C.malloc(C.size_t(unsafe.Sizeof((*C.char)(nil)))))
	defer C.free(unsafe.Pointer(names))
	*handles, *names = held.handle, s.add("held")
	var out *C.char
	if err := check(C.XGBoosterEvalOneIter(b.handle, C.int(round), handles, names, 1, &out)); err != nil {
		return "", err
	}
	return C.GoString(out), nil
}

// slice returns the model of the first rounds.
func (b *booster) slice(rounds int) (*booster, error) {
	s := &booster{}
	return s, check(C.XGBoosterSlice(b.handle, 0, C.int(rounds), 1, &s.handle))
}

// save returns the model in a format of XGBoost: "deprecated" or "json".
func (b *booster) save(format string) ([]byte, error) {
	var s cstrings
	defer s.free()
	var n C.bst_ulong
	var p *C.char
	if err := check(C.XGBoosterSaveModelToBuffer(b.handle, s.add(`{"format":"`+format+`"}`), &n, &p)); err != nil {
		return nil, err
	}
	return C.GoBytes(unsafe.Pointer(p), C.int(n)), nil
}

// margins predicts the raw margins, row-major.
func (b *booster) margins(m *matrix) ([]float32, error) {
	var s cstrings
	defer s.free()
	const config = `{"type":1,"training":false,"iteration_begin":0,"iteration_end":0,"strict_shape":false}`
	var shape *C.bst_ulong
	var dim C.bst_ulong
	var result *C.float
	if err := check(C.XGBoosterPredictFromDMatrix(b.handle, m.handle, s.add(config), &shape, &dim, &result)); err != nil {
		return nil, err
	}
	n := 1
	for _, v := range unsafe.Slice(shape, int(dim)) {
		n *= int(v)
	}
	out := make([]float32, n)
	copy(out, unsafe.Slice((*float32)(unsafe.Pointer(result)), n))
	return out, nil
}
