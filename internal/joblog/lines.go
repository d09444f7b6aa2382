package joblog

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"time"
)

// ReadLines tells each line of a log that begins with a time, which was written in
// that zone. One that is longer than any that matters is left out, and so is what
// stands behind the first line of a text of several.
func ReadLines(r io.Reader, zone *time.Location, tell func(at time.Time, text string)) error {
	in := bufio.NewReaderSize(r, longest)
	for {
		line, err := in.ReadSlice('\n')
		if err == nil {
			if at, text, ok := split(bytes.TrimRight(line, "\r\n"), zone); ok {
				tell(at, text)
			}
		}
		if err == bufio.ErrBufferFull {
			err = skip(in)
		}
		switch err {
		case nil:
		case io.EOF:
			return nil // a line without its end is being written, or was cut off
		default:
			return fmt.Errorf("read the log: %w", err)
		}
	}
}

// split is a line's time and what follows.
func split(line []byte, zone *time.Location) (at time.Time, text string, ok bool) {
	const n = len(time.DateTime)
	if len(line) < n+2 || line[n] != ' ' || line[n+1] == ' ' {
		return at, "", false
	}
	at, err := time.ParseInLocation(time.DateTime, string(line[:n]), zone)
	return at, string(line[n+1:]), err == nil
}
