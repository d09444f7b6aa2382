//go:build !unix

package main

import "os"

// poked gets nothing: there is no such signal here.
func poked() <-chan os.Signal { return nil }
