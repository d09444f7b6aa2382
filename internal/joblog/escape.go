package joblog

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// escape writes what is not printable as Go does in quotes, for example \n:
// the text can be a server's, and must neither begin a line of the log nor
// command the terminal on which somebody reads it. A tab stays.
func escape(text string) string {
	var b strings.Builder
	for len(text) > 0 {
		r, n := utf8.DecodeRuneInString(text)
		if r == '\t' || strconv.IsPrint(r) && (r != utf8.RuneError || n > 1) {
			b.WriteString(text[:n])
		} else {
			quoted := strconv.Quote(text[:n])
			b.WriteString(quoted[1 : len(quoted)-1])
		}
		text = text[n:]
	}
	return b.String()
}
