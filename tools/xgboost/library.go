//go:build cgo && xgboost

package xgboost

/*
#cgo LDFLAGS: -lxgboost
#include <stdlib.h>
#include <xgboost/c_api.h>
*/
import "C"

import (
	"errors"
	"fmt"
	"unsafe"
)

// Version is that of the linked library.
type Version struct{ Major, Minor, Patch int }

// LibraryVersion tells which library is linked.
func LibraryVersion() Version {
	var a, b, c C.int
	C.XGBoostVersion(&a, &b, &c)
	return Version{int(a), int(b), int(c)}
}

// String writes `1.7.4`.
func (v Version) String() string { return fmt.Sprintf("%d.%d.%d", v.Major, v.Minor, v.Patch) }

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

// predicted is the library's memory of a prediction, until its next one.
func predicted(shape *C.bst_ulong, dim C.bst_ulong, result *C.float) []float32 {
	n := 1
	for _, v := range unsafe.Slice(shape, int(dim)) {
		n *= int(v)
	}
	return unsafe.Slice((*float32)(unsafe.Pointer(result)), n)
}
