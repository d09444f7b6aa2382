package cli

import (
	"errors"

	"github.com/neurodata/ndpush/internal/job"
	"github.com/neurodata/ndpush/internal/source"
	"github.com/neurodata/ndpush/internal/source/local"
)

// source gives the slices of j.
func (f *jobFlags) source(j *job.Job) (source.Source, error) {
	pattern, err := f.pattern(j)
	if err != nil {
		return nil, err
	}
	w, h := j.ImageSize()
	return source.NewFiles(local.Dir(pattern.Base()), pattern, source.Shape{Width: w, Height: h, Type: j.Type}), nil
}

// explainSource adds to an error about slices what to do.
func explainSource(err error) error {
	var mismatch *source.MismatchError
	if errors.As(err, &mismatch) {
		return withHint(err, "--x-extent and --y-extent give an image's width and height, --datatype its type; nothing is cropped or cast to fit")
	}
	return withHint(err, "--base-path, --base-filename, --extension, --z-step and --z-range say which files are read; --missing zero or previous goes on without a slice")
}
