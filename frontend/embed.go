// Package frontend carries the built web application. The folder dist is made by
// `npm run build`; without a build it holds no index.html.
package frontend

import (
	"embed"
	"io/fs"
)

//go:embed all:dist
var files embed.FS

// Dist is the root of the built application: index.html at its top, hashed files
// in assets/. The text __CSP_NONCE__ in index.html stands for the nonce that the
// server gives to styles in each answer's Content-Security-Policy.
var Dist = mustSub(files, "dist")

func mustSub(f fs.FS, dir string) fs.FS {
	sub, err := fs.Sub(f, dir)
	if err != nil {
		panic(err)
	}
	return sub
}
