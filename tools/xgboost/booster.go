//go:build cgo && xgboost

package xgboost

/*
#include <stdlib.h>
#include <xgboost/c_api.h>
*/
import "C"

import (
	"errors"
	"fmt"
	"runtime"
	"unsafe"
)

// Booster is a model of XGBoost. It is not safe for concurrent use; the caller frees it.
type Booster struct{ handle C.BoosterHandle }

// New makes an empty model to be trained. Predictions for the cached matrices are kept
// from round to round.
func New(cached []*Matrix, parameters map[string]string) (*Booster, error) {
	b := &Booster{}
	array := handles(cached)
	defer C.free(unsafe.Pointer(array))
	if err := check(C.XGBoosterCreate(array, C.bst_ulong(len(cached)), &b.handle)); err != nil {
		return nil, err
	}
	for k, v := range parameters {
		if err := b.set(k, v); err != nil {
			b.Free()
			return nil, err
		}
	}
	return b, nil
}

// Load reads a model in any format that XGBoost reads, to run on so many threads.
func Load(raw []byte, threads int) (*Booster, error) {
	if len(raw) == 0 {
		return nil, errors.New("xgboost: no model")
	}
	b, err := New(nil, nil)
	if err != nil {
		return nil, err
	}
	err = check(C.XGBoosterLoadModelFromBuffer(b.handle, unsafe.Pointer(&raw[0]), C.bst_ulong(len(raw))))
	runtime.KeepAlive(raw)
	if err = errors.Join(err, b.set("nthread", fmt.Sprint(threads))); err != nil {
		b.Free()
		return nil, err
	}
	return b, nil
}

// Fit trains a model of so many rounds on rows (row-major, NaN missing).
func Fit(x []float32, features int, labels []float32, rounds int, parameters map[string]string) (*Booster, error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	m, err := NewMatrix(x, features, labels, nil)
	if err != nil {
		return nil, err
	}
	defer m.Free()
	b, err := New([]*Matrix{m}, parameters)
	if err != nil {
		return nil, err
	}
	for i := range rounds {
		if err := b.Update(i, m); err != nil {
			b.Free()
			return nil, err
		}
	}
	return b, nil
}

// Free returns XGBoost's memory.
func (b *Booster) Free() { C.XGBoosterFree(b.handle) }

func (b *Booster) set(name, value string) error {
	var s cstrings
	defer s.free()
	if err := check(C.XGBoosterSetParam(b.handle, s.add(name), s.add(value))); err != nil {
		return fmt.Errorf("%s=%s: %w", name, value, err)
	}
	return nil
}

// Update adds the round, from 0.
func (b *Booster) Update(round int, train *Matrix) error {
	return check(C.XGBoosterUpdateOneIter(b.handle, C.int(round), train.handle))
}

// Evaluate returns XGBoost's line for the round, `[3]	held-mlogloss:0.512`.
func (b *Booster) Evaluate(round int, held *Matrix) (string, error) {
	var s cstrings
	defer s.free()
	array := handles([]*Matrix{held})
	defer C.free(unsafe.Pointer(array))
	names := (**C.char)(C.malloc(C.size_t(unsafe.Sizeof((*C.char)(nil)))))
	defer C.free(unsafe.Pointer(names))
	*names = s.add("held")
	var out *C.char
	if err := check(C.XGBoosterEvalOneIter(b.handle, C.int(round), array, names, 1, &out)); err != nil {
		return "", err
	}
	return C.GoString(out), nil
}

// Slice returns the model of the first rounds.
func (b *Booster) Slice(rounds int) (*Booster, error) {
	s := &Booster{}
	if err := check(C.XGBoosterSlice(b.handle, 0, C.int(rounds), 1, &s.handle)); err != nil {
		return nil, err
	}
	return s, nil
}

// Save writes the model in a format of XGBoost, `deprecated` or `json`.
func (b *Booster) Save(format string) ([]byte, error) {
	var s cstrings
	defer s.free()
	var n C.bst_ulong
	var p *C.char
	if err := check(C.XGBoosterSaveModelToBuffer(b.handle, s.add(`{"format":"`+format+`"}`), &n, &p)); err != nil {
		return nil, err
	}
	return C.GoBytes(unsafe.Pointer(p), C.int(n)), nil
}
