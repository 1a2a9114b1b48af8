package dashboard

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io/fs"
	"net/http"
	"path"
	"strconv"
	"strings"
	"sync"
)

// file is one that the page loads.
type file struct {
	kind      string // the content type
	immutable bool   // its name changes with what is in it
	plain     variant
	gzipped   func() variant // made once, when somebody first takes it; without a body if it is no smaller
}

// variant is a file as it goes over the wire.
type variant struct {
	body []byte
	tag  string // the ETag
}

// readFiles reads what was built. A file whose type is not known is an error of the build:
// a browser would not run it.
func readFiles(from fs.FS) (map[string]*file, error) {
	files := map[string]*file{}
	err := fs.WalkDir(from, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		body, err := fs.ReadFile(from, name)
		if err != nil {
			return err
		}
		kind, text := kindOf(name)
		if kind == "" {
			return errors.New(name + " is of no known type")
		}
		files["/"+name] = newFile(kind, text, strings.HasPrefix("/"+name, assets), body)
		return nil
	})
	return files, err
}

// kindOf gives the content type of a file, and whether compressing it is worth while. The
// system's table of types is not asked: what it says depends on the machine.
func kindOf(name string) (kind string, text bool) {
	switch path.Ext(name) {
	case ".html":
		return "text/html; charset=utf-8", true
	case ".js":
		return "text/javascript; charset=utf-8", true
	case ".css":
		return "text/css; charset=utf-8", true
	case ".svg":
		return "image/svg+xml", true
	case ".txt":
		return "text/plain; charset=utf-8", true
	case ".json", ".webmanifest":
		return "application/json", true
	case ".ico":
		return "image/x-icon", true
	case ".png":
		return "image/png", false
	case ".woff2":
		return "font/woff2", false
	}
	return "", false
}

func newFile(kind string, text, immutable bool, body []byte) *file {
	sum := sha256.Sum256(body)
	hash := hex.EncodeToString(sum[:12])
	f := &file{kind: kind, immutable: immutable, plain: variant{body, `"` + hash + `"`}}
	f.gzipped = sync.OnceValue(func() variant {
		if packed := compress(body); text && len(packed) < len(body) {
			return variant{packed, `"` + hash + `-gzip"`}
		}
		return variant{}
	})
	return f
}

// compress packs as tightly as gzip can: it happens once for each file.
func compress(body []byte) []byte {
	var out bytes.Buffer
	packer, err := gzip.NewWriterLevel(&out, gzip.BestCompression)
	if err != nil {
		panic(err) // the level is one that there is
	}
	_, err = packer.Write(body)
	if err = errors.Join(err, packer.Close()); err != nil {
		panic(err) // a buffer takes everything
	}
	return out.Bytes()
}

// serve answers with the file, or with 304 to who has it.
func (f *file) serve(w http.ResponseWriter, r *http.Request) {
	v := f.plain
	header := w.Header()
	header.Set("Vary", "Accept-Encoding")
	if takesGzip(r) {
		if packed := f.gzipped(); packed.body != nil {
			v = packed
			header.Set("Content-Encoding", "gzip")
		}
	}
	header.Set("ETag", v.tag)
	header.Set("Content-Type", f.kind)
	header.Set("Cache-Control", "no-cache")
	if f.immutable {
		header.Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	// A file that is opened by itself is no page: an image, say, may not run scripts.
	header.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'; sandbox")
	header.Set("Cross-Origin-Resource-Policy", "same-origin")
	common(header)
	if has(r, v.tag) {
		header.Del("Content-Encoding")
		header.Del("Content-Type")
		w.WriteHeader(http.StatusNotModified)
		return
	}
	send(w, r, http.StatusOK, v.body)
}

// send writes a body, or to HEAD its length.
func send(w http.ResponseWriter, r *http.Request, status int, body []byte) {
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		_, _ = w.Write(body) // a client that has gone away is no failure
	}
}

// has reports whether a client says that it holds a variant.
func has(r *http.Request, tag string) bool {
	for _, line := range r.Header["If-None-Match"] {
		for one := range strings.SplitSeq(line, ",") {
			if one = strings.TrimPrefix(strings.TrimSpace(one), "W/"); one == tag || one == "*" {
				return true
			}
		}
	}
	return false
}

// takesGzip reports whether a client takes gzip by name, or else as anything, with a weight that
// is not 0.
func takesGzip(r *http.Request) bool {
	anything := false
	for _, line := range r.Header["Accept-Encoding"] {
		for one := range strings.SplitSeq(line, ",") {
			coding, weight, _ := strings.Cut(one, ";")
			switch strings.ToLower(strings.TrimSpace(coding)) {
			case "gzip", "x-gzip":
				return weighs(weight)
			case "*":
				anything = weighs(weight)
			}
		}
	}
	return anything
}

// weighs reports whether the weight of a coding is not 0; none is 1.
func weighs(weight string) bool {
	text, given := strings.CutPrefix(strings.ReplaceAll(weight, " ", ""), "q=")
	q, err := strconv.ParseFloat(text, 64)
	return !given || err == nil && q > 0
}
