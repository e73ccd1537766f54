package main

import (
	"bytes"
	"fmt"
	"strings"
)

const title = "# How good the models are\n\nWritten by `make evaluate` (tools/evaluate); do not edit. Every figure is of machines, engines or rows that took no part in training, stopping or calibration.\n"

// replace puts the section into its place on the page, in the order of sections.
func replace(page []byte, name, text string) []byte {
	kept := map[string]string{name: strings.TrimSpace(text)}
	for _, s := range sections {
		begin, end := marks(s.name)
		if _, rest, ok := bytes.Cut(page, []byte(begin)); ok && s.name != name {
			body, _, _ := bytes.Cut(rest, []byte(end))
			kept[s.name] = strings.TrimSpace(string(body))
		}
	}
	var out bytes.Buffer
	out.WriteString(title)
	for _, s := range sections {
		if body, ok := kept[s.name]; ok {
			begin, end := marks(s.name)
			fmt.Fprintf(&out, "\n%s\n%s\n%s\n", begin, body, end)
		}
	}
	return out.Bytes()
}

func marks(name string) (begin, end string) {
	return "<!-- " + name + " -->", "<!-- end of " + name + " -->"
}
