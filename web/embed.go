// Package webapps holds the built web apps. dist is made by `make build`; a clone has only the
// placeholder, so that the server can be built and run without Node.
package webapps

import (
	"embed"
	"io/fs"
)

//go:embed all:dist
var dist embed.FS

// Files are the built apps: index.html (sign-in), <app>/index.html and assets/*, or only
// placeholder.html when they have not been built.
func Files() fs.FS {
	sub, err := fs.Sub(dist, "dist")
	if err != nil {
		panic(err) // the name is a constant
	}
	return sub
}
