package script

import (
	"encoding/json"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

// A POSIX shell reads what was written, for any words.
func FuzzShell(f *testing.F) {
	for _, word := range nastyWords {
		f.Add(word, "b c")
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		if strings.Contains(a+b, "\x00") {
			t.Skip("no word has such a byte")
		}
		out, err := exec.Command("/bin/sh", "-c", "printf '%s\\0' "+shWords([]string{"x", a, b})).Output()
		if err != nil {
			t.Fatal(err)
		}
		if got, want := string(out), "x\x00"+a+"\x00"+b+"\x00"; got != want {
			t.Errorf("sh reads %q, want %q", got, want)
		}
	})
}

// The program is a program, whatever it is called.
func TestProgram(t *testing.T) {
	for _, program := range []string{"if", "a=b", "while", "{", "!", "-x", "~/bin/x", "a b"} {
		out, _ := exec.Command("/bin/sh", "-c", shWords([]string{program, "x"})+"; echo after").CombinedOutput()
		if got := string(out); !strings.Contains(got, "not found") || !strings.HasSuffix(got, "after\n") {
			t.Errorf("%s: sh says %q, want that it is not found", program, got)
		}
	}
	for _, program := range []string{"ndpush", "./bin/ndpush", "/opt/ndpush-1.0/ndpush"} {
		if got := shWords([]string{program}); got != program {
			t.Errorf("%s is written %s, which needs no quotes", program, got)
		}
	}
}

// Windows' rules, as the reference of CommandLineToArgvW gives them.
func TestWindowsWord(t *testing.T) {
	for _, tt := range []struct{ word, want string }{
		{`a`, `a`},
		{``, `""`},
		{`a b`, `"a b"`},
		{`a\b`, `a\b`},
		{`a\`, `a\`},
		{`a b\`, `"a b\\"`},
		{`C:\Program Files\x`, `"C:\Program Files\x"`},
		{`\\server\share\`, `\\server\share\`},
		{`"`, `"\""`},
		{`a\"b`, `"a\\\"b"`},
		{`say "hi there"\`, `"say \"hi there\"\\"`},
		{"a\tb", "\"a\tb\""},
		{"a\nb", "\"a\nb\""},
		{`em_<p:4>`, `em_<p:4>`},
		{`%PATH%`, `%PATH%`}, // no cmd.exe comes by
		{`it's`, `it's`},
	} {
		if got := windowsWord(tt.word); got != tt.want {
			t.Errorf("%q is written %s, want %s", tt.word, got, tt.want)
		}
	}
}

func TestPowerShellString(t *testing.T) {
	for _, tt := range []struct{ text, want string }{
		{``, `''`},
		{`a b`, `'a b'`},
		{`it's`, `'it''s'`},
		{`$HOME $(id) ` + "`n", `'$HOME $(id) ` + "`n'"},
		{`"`, `'"'`},
		{"‘a’ ‚b‛", "'‘‘a’’ ‚‚b‛‛'"},
		{"“a”", "'“a”'"},
		{"a\nb", "'a\nb'"},
	} {
		if got := psString(tt.text); got != tt.want {
			t.Errorf("%q is written %s, want %s", tt.text, got, tt.want)
		}
	}
}

// What PowerShell and then the program read is what was written, for any words.
func FuzzPowerShell(f *testing.F) {
	for _, word := range nastyWords {
		f.Add(word, "b c")
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		if !utf8.ValidString(a + b) {
			t.Skip("Write refuses it")
		}
		line, rest, ok := readPowerShell(psString(windowsWords([]string{a, b})) + "\n# after")
		if !ok || rest != "\n# after" {
			t.Fatalf("the string ends before %q", rest)
		}
		if got, want := readWindows(line), []string{a, b}; !slices.Equal(got, want) {
			t.Errorf("the program reads %q, want %q", got, want)
		}
	})
}

// readPowerShell reads a single-quoted string as PowerShell's tokenizer does.
func readPowerShell(s string) (text, rest string, ok bool) {
	quote := func(r rune) bool { return strings.ContainsRune("'\u2018\u2019\u201a\u201b", r) }
	in := []rune(s)
	if len(in) == 0 || !quote(in[0]) {
		return "", s, false
	}
	var b strings.Builder
	for i := 1; i < len(in); i++ {
		if quote(in[i]) {
			if i+1 == len(in) || !quote(in[i+1]) {
				return b.String(), string(in[i+1:]), true
			}
			i++
		}
		b.WriteRune(in[i])
	}
	return "", "", false
}

// readWindows splits a command line as .NET and the C runtime do.
func readWindows(line string) []string {
	var words []string
	var word []byte
	var open, any bool
	for i := 0; i < len(line); i++ {
		switch c := line[i]; {
		case c == '\\':
			n := 1
			for i+1 < len(line) && line[i+1] == '\\' {
				n, i = n+1, i+1
			}
			if i+1 < len(line) && line[i+1] == '"' {
				if word = append(word, strings.Repeat(`\`, n/2)...); n%2 == 1 {
					word = append(word, '"')
					i++
				}
			} else {
				word = append(word, strings.Repeat(`\`, n)...)
			}
			any = true
		case c == '"':
			open, any = !open, true
		case (c == ' ' || c == '\t') && !open:
			if any {
				words, word, any = append(words, string(word)), nil, false
			}
		default:
			word, any = append(word, c), true
		}
	}
	if any {
		words = append(words, string(word))
	}
	return words
}

// A string of YAML is one line of what YAML allows, and read as JSON it is what
// was written, since JSON has no letters beyond \u.
func FuzzYAML(f *testing.F) {
	for _, word := range nastyWords {
		f.Add(word)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if !utf8.ValidString(s) {
			t.Skip("Write refuses it")
		}
		written := yamlString(s)
		for _, r := range written {
			if r < ' ' || r >= 0x7f && r < 0xa0 || r == '\ufeff' || r == '\u2028' || r == '\u2029' || r == '\ufffe' || r == '\uffff' {
				t.Errorf("%q is written %q, which YAML does not allow", s, written)
			}
		}
		if strings.Contains(written, `\U`) {
			return // of YAML alone
		}
		var got string
		if err := json.Unmarshal([]byte(written), &got); err != nil || got != s {
			t.Errorf("%s is read as %q, want %q: %v", written, got, s, err)
		}
	})
}

func TestComment(t *testing.T) {
	got := comment("#", []string{"one", "", "two\nthree\r\nfour\u2028five\x1b[1m\x00", "größe"})
	if want := "# one\n# two\n# three\n# four\n# five[1m\n# größe\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestSafeName(t *testing.T) {
	for _, tt := range []struct{ name, want string }{
		{"em", "em"},
		{"lab/fly/em", "lab-fly-em"},
		{"Lab_EM 2", "lab-em-2"},
		{"", "ndpush"},
		{"--", "ndpush"},
		{"../../etc", "etc"},
		{"7T", "ndpush-7t"},
		{"größe", "gr-e"},
		{strings.Repeat("a", 40), strings.Repeat("a", 40)},
		{strings.Repeat("a", 41), strings.Repeat("a", 31) + "-a37a318e"},
		{strings.Repeat("a-", 30), "a-a-a-a-a-a-a-a-a-a-a-a-a-a-a-a-df38c0e6"},
	} {
		if got := safeName(tt.name); got != tt.want {
			t.Errorf("%q is %s, want %s", tt.name, got, tt.want)
		}
	}
}
