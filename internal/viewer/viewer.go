// Package viewer is pages that show what a BOSS holds: what there is, and the
// slices of a channel in three planes, labels laid over images.
//
// They are files, plain HTML and JavaScript, which ask the BOSS that they come
// from as any other client does: there is nothing to build, nothing comes from
// elsewhere, and no answer is made for them alone. Images of 8 bits come from
// BOSS's image service. Others come as cutouts, since its pictures have 8 bits
// and no ids: the contrast of 16 bits is chosen, and the label under the pointer
// told, in the browser.
//
// The pages hold no token and ask for none. They show what may be read without.
package viewer

import (
	"embed"
	"io/fs"
	"net/http"
	"strings"
)

//go:embed page
var files embed.FS

// Options say what the pages may show.
type Options struct {
	// Closed is for a BOSS that shows nothing without a token: there is a page
	// that says so.
	Closed bool
}

// policy lets the pages load from where they come from only.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// Handler serves the pages at /, /view/collection/experiment/channel and
// /static/, and leaves all else to boss: also / for who does not ask for HTML.
func Handler(boss http.Handler, opt Options) http.Handler {
	pages, err := fs.Sub(files, "page")
	if err != nil {
		panic(err) // the name is a constant
	}
	show := func(name string) http.HandlerFunc {
		if opt.Closed && strings.HasSuffix(name, ".html") {
			name = "closed.html"
		}
		return func(w http.ResponseWriter, r *http.Request) {
			h := w.Header()
			h.Set("Content-Security-Policy", policy)
			h.Set("Cache-Control", "no-cache") // another version may come from the same address
			h.Set("X-Content-Type-Options", "nosniff")
			http.ServeFileFS(w, r, pages, name)
		}
	}
	mux := http.NewServeMux()
	mux.Handle("/", boss)
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) {
		if !strings.Contains(r.Header.Get("Accept"), "text/html") {
			boss.ServeHTTP(w, r)
			return
		}
		show("list.html")(w, r)
	})
	mux.HandleFunc("GET /view/{collection}/{experiment}/{channel}", show("channel.html"))
	mux.HandleFunc("GET /static/{name}", func(w http.ResponseWriter, r *http.Request) { show(r.PathValue("name"))(w, r) })
	// The mux would redirect paths that are not clean, such as those with "//",
	// and BOSS answers them.
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if p := r.URL.Path; p == "/" || strings.HasPrefix(p, "/view/") || strings.HasPrefix(p, "/static/") {
			mux.ServeHTTP(w, r)
			return
		}
		boss.ServeHTTP(w, r)
	})
}
