package journal

import "os"

// A TestFile is what stands between a Writer and its file in tests.
type TestFile = file

// Wrapped gives options with which a Writer writes to what wrap gives.
func Wrapped(opts Options, wrap func(*os.File) TestFile) Options {
	opts.wrap = wrap
	return opts
}

// Unlocked gives options as where locks do not work.
func Unlocked(opts Options) Options {
	opts.unlocked = true
	return opts
}

const MaxLine = maxLine
