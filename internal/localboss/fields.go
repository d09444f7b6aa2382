package localboss

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"mime"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// maxJSON bounds the body of a request about resources: a few names and numbers.
const maxJSON = 1 << 20

// body reads the JSON object of a request; no body is no fields, as in Django.
func (c *call) body() (*fields, reply, bool) {
	if c.ContentLength == 0 {
		return &fields{}, reply{}, true
	}
	kind := c.Header.Get("Content-Type")
	if t, _, err := mime.ParseMediaType(kind); err != nil || t != jsonType {
		return nil, c.refuse(http.StatusUnsupportedMediaType, "Unsupported media type \"%s\" in request.", kind), false
	}
	p, err := io.ReadAll(io.LimitReader(c.Body, maxJSON+1))
	if err != nil || len(p) > maxJSON {
		return nil, page(http.StatusRequestEntityTooLarge), false
	}
	var v any
	if err := json.Unmarshal(p, &v); err != nil {
		return nil, c.refuse(http.StatusBadRequest, "JSON parse error - %v", err), false
	}
	m, ok := v.(map[string]any)
	if !ok { // the view treats it as a dict all the same
		return nil, page(http.StatusInternalServerError), false
	}
	return &fields{values: m}, reply{}, true
}

// fields are what a client sent about a resource, and what is wrong with it in
// the words of Django's serializers. The readers change their target only if
// the field is there and right.
type fields struct {
	values  map[string]any
	partial bool // an update: nothing is required
	wrong   []wrongField
}

// A wrongField without a code is one that BOSS itself complains of.
type wrongField struct{ name, message, code string }

func (f *fields) blame(name, message, code string) {
	f.wrong = append(f.wrong, wrongField{name, message, code})
}

// String is how Python prints the serializer's errors: they are the message.
func (f *fields) String() string {
	var b strings.Builder
	for i, w := range f.wrong {
		if i > 0 {
			b.WriteString(", ")
		}
		if w.code == "" {
			fmt.Fprintf(&b, "%s: [%s]", pyString(w.name), pyString(w.message))
			continue
		}
		fmt.Fprintf(&b, "%s: [ErrorDetail(string=%s, code=%s)]", pyString(w.name), pyString(w.message), pyString(w.code))
	}
	return "{" + b.String() + "}"
}

// pyString is Python's repr of s, as far as messages need it.
func pyString(s string) string {
	if strings.Contains(s, "'") && !strings.Contains(s, `"`) {
		return `"` + s + `"`
	}
	return "'" + strings.ReplaceAll(s, "'", `\'`) + "'"
}

// refusal is the answer if anything is wrong.
func (f *fields) refusal() (reply, bool) {
	if len(f.wrong) == 0 {
		return reply{}, false
	}
	return bossError(invalidPost, "%v", f), true
}

// get is a field's value. Absent is fine in an update, and if it is not required.
func (f *fields) get(name string, required bool) (any, bool) {
	v, ok := f.values[name]
	switch {
	case !ok && required && !f.partial:
		f.blame(name, "This field is required.", "required")
	case ok && v == nil:
		f.blame(name, "This field may not be null.", "null")
		ok = false
	}
	return v, ok
}

// text is a value as Django's CharField reads it: numbers are text too.
func (f *fields) text(name string, v any) (string, bool) {
	switch v := v.(type) {
	case string:
		return strings.TrimSpace(v), true
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64), true
	}
	f.blame(name, "Not a valid string.", "invalid")
	return "", false
}

var validName = regexp.MustCompile(`^[a-zA-Z0-9_-]*$`) // bosscore/models.py, NameValidator

// checkName judges a resource's name, from the URL or from the body.
func (f *fields) checkName(name string) bool {
	n := len(f.wrong)
	if !validName.MatchString(name) {
		f.blame("name", "Invalid Name.", "invalid")
	}
	if len(name) > 255 {
		f.blame("name", "Ensure this field has no more than 255 characters.", "max_length")
	}
	return len(f.wrong) == n
}

// rename reads a new name.
func (f *fields) rename(name *string) {
	v, ok := f.get("name", false)
	if !ok {
		return
	}
	t, ok := f.text("name", v)
	switch {
	case !ok:
	case t == "":
		f.blame("name", "This field may not be blank.", "blank")
	case f.checkName(t):
		*name = t
	}
}

func (f *fields) description(to *string) {
	if v, ok := f.get("description", false); ok {
		if t, ok := f.text("description", v); ok && len(t) > 4096 {
			f.blame("description", "Ensure this field has no more than 4096 characters.", "max_length")
		} else if ok {
			*to = t
		}
	}
}

// choice reads one of some words.
func (f *fields) choice(name string, required bool, words []string, to *string) {
	v, ok := f.get(name, required)
	if !ok {
		return
	}
	if t, ok := v.(string); ok && slices.Contains(words, t) {
		*to = t
		return
	}
	f.blame(name, fmt.Sprintf("\"%v\" is not a valid choice.", v), "invalid_choice")
}

// trailingZeros is what an integer may end with: 2048.0 is one, 2048.5 is none.
var trailingZeros = regexp.MustCompile(`\.0*\s*$`)

// integer reads a 32-bit number, or text that is one.
func (f *fields) integer(name string, required bool, to *int) {
	v, ok := f.get(name, required)
	if !ok {
		return
	}
	var t string
	switch v := v.(type) {
	case float64:
		t = strconv.FormatFloat(v, 'f', -1, 64)
	case string:
		t = strings.TrimSpace(v)
	}
	n, err := strconv.ParseInt(trailingZeros.ReplaceAllString(t, ""), 10, 64)
	switch {
	case err != nil && !errors.Is(err, strconv.ErrRange):
		f.blame(name, "A valid integer is required.", "invalid")
	case n > math.MaxInt32:
		f.blame(name, "Ensure this value is less than or equal to 2147483647.", "max_value")
	case n < math.MinInt32:
		f.blame(name, "Ensure this value is greater than or equal to -2147483648.", "min_value")
	default:
		*to = int(n)
	}
}

// number reads a number, or text that is one.
func (f *fields) number(name string, required bool, to *float) {
	v, ok := f.get(name, required)
	if !ok {
		return
	}
	switch v := v.(type) {
	case float64:
		*to = float(v)
		return
	case string:
		if n, err := strconv.ParseFloat(strings.TrimSpace(v), 64); err == nil && !math.IsInf(n, 0) && !math.IsNaN(n) {
			*to = float(n)
			return
		}
	}
	f.blame(name, "A valid number is required.", "invalid")
}

func (f *fields) boolean(name string, to *bool) {
	v, ok := f.get(name, false)
	if !ok {
		return
	}
	if b, ok := v.(bool); ok {
		*to = b
		return
	}
	f.blame(name, "Must be a valid boolean.", "invalid")
}

// names reads a list of names; "" in the middle of one is for the caller to judge.
func (f *fields) names(name string) []string {
	list, ok := f.values[name].([]any)
	if !ok {
		if t, ok := f.values[name].(string); ok && t != "" {
			return []string{t}
		}
		return nil
	}
	var all []string
	for _, v := range list {
		all = append(all, fmt.Sprint(v))
	}
	return all
}

// readOnly refuses every field that an update may not have.
func (f *fields) readOnly(allowed ...string) {
	var others []string
	for name := range f.values {
		if !slices.Contains(allowed, name) {
			others = append(others, pyString(name))
		}
	}
	if len(others) == 0 {
		return
	}
	slices.Sort(others)
	f.blame("fields", fmt.Sprintf("Cannot update the following readonly fields:[%s].", strings.Join(others, ", ")), "")
}

// A float is written as Python writes one: 4.0, not 4.
type float float64

func (f float) MarshalJSON() ([]byte, error) {
	p, err := json.Marshal(float64(f))
	if err == nil && !strings.ContainsAny(string(p), ".e") {
		p = append(p, ".0"...)
	}
	return p, err
}
