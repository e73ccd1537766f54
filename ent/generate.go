// Package ent is the relational model. Hand-written are schema (one file per
// entity), mixin, rule and value; the rest is generated from them and committed.
package ent

//go:generate go run foresight/tools/entgen
