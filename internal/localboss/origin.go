package localboss

import "net/http"

// crossOrigin lets a page of another site read the answer, and answers itself
// the question that a browser puts before a request with a token: what
// django-cors-headers answers where all origins are allowed. It reports whether
// the request was that question.
func crossOrigin(w http.ResponseWriter, r *http.Request) (asked bool) {
	if r.Header.Get("Origin") == "" {
		return false
	}
	h := w.Header()
	h.Set("Access-Control-Allow-Origin", "*")
	if r.Method != http.MethodOptions || r.Header.Get("Access-Control-Request-Method") == "" {
		return false
	}
	h.Set("Access-Control-Allow-Headers", "accept, accept-encoding, authorization, content-type, dnt, origin, user-agent, x-csrftoken, x-requested-with")
	h.Set("Access-Control-Allow-Methods", "DELETE, GET, OPTIONS, PATCH, POST, PUT")
	h.Set("Access-Control-Max-Age", "86400")
	h.Set("Content-Length", "0")
	w.WriteHeader(http.StatusOK)
	return true
}
