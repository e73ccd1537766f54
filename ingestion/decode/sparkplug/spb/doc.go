// Package spb is the protobuf of Sparkplug B.
package spb

//go:generate protoc --go_out=. --go_opt=paths=source_relative sparkplug_b.proto
