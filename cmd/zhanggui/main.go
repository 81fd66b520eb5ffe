// Command zhanggui is the whole product: server, web apps and tools in one binary.
package main

import (
	"os"

	"zhanggui/internal/app"
)

func main() { os.Exit(app.Run(os.Args[1:], os.Stdout, os.Stderr)) }
