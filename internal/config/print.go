package config

import (
	"fmt"
	"io"
	"reflect"
	"strings"
	"text/tabwriter"
)

// Setting is one variable with its documentation and value.
type Setting struct {
	Name, Default, Doc, Value string
	Secret                    bool
}

// Settings lists every variable in the order of the struct.
func (c *Config) Settings() []Setting { return settings(reflect.ValueOf(*c), Prefix) }

func settings(v reflect.Value, prefix string) []Setting {
	var out []Setting
	for i := range v.NumField() {
		f := v.Type().Field(i)
		if p, ok := f.Tag.Lookup("envPrefix"); ok {
			out = append(out, settings(v.Field(i), prefix+p)...)
			continue
		}
		s := Setting{
			Name: prefix + f.Tag.Get("env"), Default: f.Tag.Get("envDefault"), Doc: f.Tag.Get("doc"),
			Value: text(v.Field(i)), Secret: f.Tag.Get("secret") == "true",
		}
		if s.Secret && s.Value != "" {
			s.Value = "(set)"
		}
		out = append(out, s)
	}
	return out
}

func text(v reflect.Value) string {
	if list, ok := v.Interface().([]string); ok {
		return strings.Join(list, ",")
	}
	if v.Kind() == reflect.Map && v.Len() == 0 {
		return ""
	}
	return fmt.Sprint(v.Interface())
}

// Print writes the settings in force as a table, secrets hidden.
func (c *Config) Print(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, s := range c.Settings() {
		fmt.Fprintf(t, "%s\t%s\t%s\n", s.Name, s.Value, s.Doc)
	}
	return t.Flush()
}

// Markdown returns the body of docs/configuration.md.
func Markdown() string {
	var b strings.Builder
	b.WriteString("# Configuration\n\nEverything is set by environment variables. This page is written by `go run . config --markdown`; a test compares it.\n\n| variable | default | meaning |\n|---|---|---|\n")
	for _, s := range new(Config).Settings() {
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", s.Name, code(s.Default), strings.ReplaceAll(s.Doc, "|", "\\|"))
	}
	return b.String()
}

func code(s string) string {
	if s == "" {
		return ""
	}
	return "`" + s + "`"
}
