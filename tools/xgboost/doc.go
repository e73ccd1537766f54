// Package xgboost calls libxgboost 1.7 by cgo, for the trainer, which is a program of its
// own, and for what holds the server's evaluation and explanations against the library's.
// The server never imports it. It is empty without the build tag xgboost and cgo:
//
//	CGO_ENABLED=1 go test -tags xgboost ./tools/xgboost
//
// The library keeps its last error, and what a booster knows of its matrices, for each
// thread of the system. Whoever trains stays on one (runtime.LockOSThread); elsewhere
// only the text of an error can get lost.
package xgboost
