package source

import "fmt"

// A RowError is a slice that breaks at a row. Of the rows that were asked for,
// those above Row are in dst, as they are in the slice; if Row is not below the
// first of them, there are none. Which row it is depends on the slice and on
// what was asked for, never on the moment.
type RowError struct {
	Row int   // in pixels of the slice, from 0
	Err error // why there are no more; it need not name the row
}

// Error names the row and the reason.
func (e *RowError) Error() string { return fmt.Sprintf("row %d: %v", e.Row, e.Err) }

// Unwrap gives the reason.
func (e *RowError) Unwrap() error { return e.Err }

// Damaged is implemented by slices that know of themselves, once open, that they
// break: a file that ends before its header says so.
type Damaged interface {
	// Damage says what is missing. ReadRows gives the rows above it, and then
	// fails for this reason. nil means that nothing is known to be wrong; a slice
	// may break all the same.
	Damage() error
}
