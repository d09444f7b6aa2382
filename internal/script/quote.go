package script

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"unicode"
)

// plain words need no quotes in a shell.
var plain = regexp.MustCompile(`^[a-zA-Z0-9_./:,@%+-][a-zA-Z0-9_./:,@%+=-]*$`)

// shWord makes one word of s for a POSIX shell.
func shWord(s string) string {
	if plain.MatchString(s) {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

// programs need no quotes in a shell as a command's first word: there is neither
// an assignment nor a reserved word like them.
var programs = regexp.MustCompile(`^(ndpush|[a-zA-Z0-9_.-]*/[a-zA-Z0-9_./-]*)$`)

// shWords is a command for a POSIX shell.
func shWords(words []string) string {
	quoted := make([]string, len(words))
	for i, w := range words {
		quoted[i] = shWord(w)
		if i == 0 && plain.MatchString(w) && !programs.MatchString(w) {
			quoted[i] = "'" + w + "'"
		}
	}
	return strings.Join(quoted, " ")
}

// Command is words as a command for a POSIX shell, the program first.
func Command(words []string) string { return shWords(words) }

// psString is s as a string of PowerShell that nothing is expanded in. All of
// its single quotes, the curved ones too, end such a string unless doubled.
func psString(s string) string {
	var b strings.Builder
	b.WriteByte('\'')
	for _, r := range s {
		if r == '\'' || r >= '\u2018' && r <= '\u201b' {
			b.WriteRune(r)
		}
		b.WriteRune(r)
	}
	b.WriteByte('\'')
	return b.String()
}

// windowsWord makes one word of s in a Windows command line, which programs
// split themselves by the rules of CommandLineToArgvW: backslashes are special
// before a double quote only. .NET follows them on other systems too.
func windowsWord(s string) string {
	if s != "" && !strings.ContainsAny(s, " \t\n\v\"") {
		return s
	}
	var b strings.Builder
	b.WriteByte('"')
	slashes := 0
	for _, r := range s {
		switch r {
		case '\\':
			slashes++
			continue
		case '"':
			slashes = 2*slashes + 1
		}
		b.WriteString(strings.Repeat(`\`, slashes))
		slashes = 0
		b.WriteRune(r)
	}
	b.WriteString(strings.Repeat(`\`, 2*slashes))
	b.WriteByte('"')
	return b.String()
}

func windowsWords(words []string) string {
	quoted := make([]string, len(words))
	for i, w := range words {
		quoted[i] = windowsWord(w)
	}
	return strings.Join(quoted, " ")
}

// yamlString is s as a double-quoted scalar, which has all escapes of JSON. What
// YAML does not allow as it is, such as control characters, is escaped.
func yamlString(s string) string {
	var b strings.Builder
	for _, r := range jsonString(s) {
		switch {
		case unicode.IsGraphic(r) && r != '\ufeff':
			b.WriteRune(r)
		case r > 0xffff:
			fmt.Fprintf(&b, `\U%08X`, r)
		default:
			fmt.Fprintf(&b, `\u%04X`, r)
		}
	}
	return b.String()
}

// jsonString is s as JSON writes it, with the signs of HTML as they are.
func jsonString(s string) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.Encode(s) // a string can always be encoded
	return strings.TrimSuffix(b.String(), "\n")
}

// kubernetesWord is s in a command of a container, where $(NAME) stands for a
// variable and $$ for a dollar sign.
func kubernetesWord(s string) string { return strings.ReplaceAll(s, "$", "$$") }

// comment is text as lines behind a sign that opens a comment. What could end
// the line for any reader is an end of line here, and what does not print is
// left out.
func comment(sign string, lines []string) string {
	var b strings.Builder
	for _, text := range lines {
		for _, line := range strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune("\n\r\v\f\u0085\u2028\u2029", r) }) {
			line = strings.Map(func(r rune) rune {
				if !unicode.IsPrint(r) {
					return -1
				}
				return r
			}, line)
			b.WriteString(strings.TrimRight(sign+" "+line, " ") + "\n")
		}
	}
	return b.String()
}
