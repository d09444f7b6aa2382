package localboss

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
)

// A reply is an answer, not yet sent.
type reply struct {
	status int
	kind   string // Content-Type
	body   []byte
	header http.Header
	code   int    // BOSS's error code, for the log
	free   func() // gives back what body lies in; nil if nothing
}

// write sends p. HEAD has no body.
func (p reply) write(w http.ResponseWriter, method string) {
	p.head(w)
	if method != http.MethodHead && p.status != http.StatusNoContent {
		w.Write(p.body) // a client that has left is not our error
	}
}

func (p reply) head(w http.ResponseWriter) {
	h := w.Header()
	for name, values := range p.header {
		h[name] = values
	}
	h.Set("Content-Type", p.kind)
	if p.status != http.StatusNoContent {
		h.Set("Content-Length", strconv.Itoa(len(p.body)))
	}
	w.WriteHeader(p.status)
}

// empty is Django's HttpResponse without content.
func empty(status int) reply { return reply{status: status, kind: "text/html; charset=utf-8"} }

// page is what Django and nginx say when no view has spoken.
func page(status int) reply {
	text := http.StatusText(status)
	return reply{
		status: status,
		kind:   "text/html",
		body:   fmt.Appendf(nil, "<!doctype html>\n<html lang=\"en\">\n<head><title>%s</title></head>\n<body><h1>%s</h1></body>\n</html>\n", text, text),
	}
}

// object is v as JSON.
func object(status int, v any) reply {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return page(http.StatusInternalServerError)
	}
	return reply{status: status, kind: "application/json", body: bytes.TrimSuffix(b.Bytes(), []byte("\n"))}
}

// The error codes in use (jhuapl-boss/boss, bosscore/error.py).
const (
	invalidURL        = 1000
	invalidCutout     = 1001
	typeError         = 1002
	invalidPost       = 1003
	tooLarge          = 2000
	wrongData         = 2001
	wrongDimensions   = 2002
	invalidState      = 2006
	missingRole       = 3000
	missingPermission = 3001
	accessDenied      = 3004
	notFound          = 4000
	integrity         = 4003
	deleted           = 4005
	systemError       = 9001
)

// statusOf is the HTTP status that goes with an error code.
func statusOf(code int) int {
	switch code {
	case tooLarge:
		return http.StatusRequestEntityTooLarge
	case invalidState:
		return http.StatusConflict
	case missingRole, missingPermission, accessDenied:
		return http.StatusForbidden
	case notFound, deleted:
		return http.StatusNotFound
	}
	return http.StatusBadRequest
}

// bossError is an error of BOSS's own.
func bossError(code int, format string, args ...any) reply {
	return bossStatus(statusOf(code), code, fmt.Sprintf(format, args...))
}

func bossStatus(status, code int, message string) reply {
	p := object(status, struct {
		Status  int    `json:"status"`
		Code    int    `json:"code"`
		Message string `json:"message"`
	}{status, code, message})
	p.code = code
	return p
}

// detail is an error of the REST framework below BOSS.
func detail(status int, format string, args ...any) reply {
	return object(status, struct {
		Detail string `json:"detail"`
	}{fmt.Sprintf(format, args...)})
}
