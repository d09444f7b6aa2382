package source

import "fmt"

// A RowError is a slice that breaks at a row. The rows above Row are as they are
// in the slice, those of dst, too. Row may lie above the rows that were asked for:
// then those that earlier calls gave from Row on are not as they were written,
// either. Which row it is depends on the slice, and on rows and columns that
// nobody wanted, for damage there may go unseen, but not on how many rows were
// asked for at a time nor on the moment.
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
