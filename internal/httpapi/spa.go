package httpapi

import (
	"bytes"
	"compress/gzip"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strings"
	"sync"

	"foresight/internal/secret"
)

// noncePlaceholder is what the build writes wherever a page's scripts and styles name their nonce.
const noncePlaceholder = "__CSP_NONCE__"

// notBuilt is the page in place of a web application that the binary lacks.
const notBuilt = `<!doctype html><html lang="en"><meta charset="utf-8"><title>Foresight</title>
<h1>The web application is not part of this build</h1>
<p>Build it with <code>make web</code> and build the binary again. The graph answers at <code>/graphql</code> all the same.</p></html>`

// spa serves the files of the web application. A path that is no file and has no
// extension is a route of the application and gets its page.
type spa struct {
	files fs.FS
	index []byte   // nil: not built
	zip   sync.Map // name -> []byte, compressed once
}

func newSPA(files fs.FS) *spa {
	s := &spa{files: files}
	if files != nil {
		s.index, _ = fs.ReadFile(files, "index.html") // absent: not built
	}
	return s
}

func (s *spa) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, http.StatusText(http.StatusMethodNotAllowed), http.StatusMethodNotAllowed)
		return
	}
	name := strings.TrimPrefix(path.Clean("/"+r.URL.Path), "/")
	if name != "" && name != "index.html" && s.files != nil {
		if b, err := fs.ReadFile(s.files, name); err == nil {
			s.file(w, r, name, b)
			return
		}
	}
	if path.Ext(name) != "" && name != "index.html" || strings.HasPrefix(name, "api/") {
		http.NotFound(w, r)
		return
	}
	s.page(w)
}

// page answers with the application's page, its nonce made for this answer alone.
func (s *spa) page(w http.ResponseWriter) {
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	if s.index == nil {
		w.WriteHeader(http.StatusServiceUnavailable)
		_, _ = w.Write([]byte(notBuilt)) // the client has gone
		return
	}
	nonce := secret.Text(16)
	h.Set("Content-Security-Policy", "default-src 'none'; script-src 'self' 'nonce-"+nonce+"'; style-src 'self' 'nonce-"+nonce+
		"'; img-src 'self' data: blob:; font-src 'self'; connect-src 'self'; manifest-src 'self'; worker-src 'self' blob:; "+
		"base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'")
	_, _ = w.Write(bytes.ReplaceAll(s.index, []byte(noncePlaceholder), []byte(nonce))) // the client has gone
}

func (s *spa) file(w http.ResponseWriter, r *http.Request, name string, b []byte) {
	h := w.Header()
	t := mime.TypeByExtension(path.Ext(name))
	if t == "" {
		t = "application/octet-stream"
	}
	h.Set("Content-Type", t)
	if strings.HasPrefix(name, "assets/") { // the build puts a hash of the content into these names
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
	} else {
		h.Set("Cache-Control", "public, max-age=300")
	}
	if compressible(t) && len(b) > 1024 {
		h.Add("Vary", "Accept-Encoding")
		if strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
			h.Set("Content-Encoding", "gzip")
			b = s.zipped(name, b)
		}
	}
	if r.Method == http.MethodHead {
		return
	}
	_, _ = w.Write(b) // the client has gone
}

func (s *spa) zipped(name string, b []byte) []byte {
	if z, ok := s.zip.Load(name); ok {
		return z.([]byte)
	}
	var buf bytes.Buffer
	zw, _ := gzip.NewWriterLevel(&buf, gzip.BestCompression) // the level exists
	_, _ = zw.Write(b)                                       // into memory
	_ = zw.Close()
	s.zip.Store(name, buf.Bytes())
	return buf.Bytes()
}

func compressible(t string) bool {
	for _, p := range []string{"text/", "application/json", "application/javascript", "image/svg+xml", "application/manifest+json"} {
		if strings.HasPrefix(t, p) {
			return true
		}
	}
	return false
}
