package web

import (
	"encoding/base32"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/netip"
	"path"
	"runtime/debug"
	"strings"
	"sync/atomic"
	"time"
)

// exchange is a ResponseWriter that remembers what the log line needs.
type exchange struct {
	http.ResponseWriter
	id     string
	status int // 0 = nothing written yet
	cause  error
	chosen bool // the status is what somebody outside chose, and tells nothing of the server

	trusted []netip.Prefix // proxies
	write   func(http.ResponseWriter, Problem)
}

// WriteHeader remembers the status.
func (x *exchange) WriteHeader(status int) {
	if x.status == 0 && status >= 200 {
		x.status = status
	}
	x.ResponseWriter.WriteHeader(status)
}

// Write remembers that a body without a status is a 200.
func (x *exchange) Write(body []byte) (int, error) {
	if x.status == 0 {
		x.status = http.StatusOK
	}
	return x.ResponseWriter.Write(body)
}

// Chosen notes that the status of an answer is what somebody outside chose, so that the log does not take it for a
// failure.
func Chosen(w http.ResponseWriter) {
	if x, ok := w.(*exchange); ok {
		x.chosen = true
	}
}

// Unwrap lets http.ResponseController find flushing and deadlines.
func (x *exchange) Unwrap() http.ResponseWriter { return x.ResponseWriter }

// requestIDs makes request ids: a random start per process and a counter, so that
// making one costs no entropy and ids of two processes do not meet.
type requestIDs struct {
	start uint64
	next  atomic.Uint64
}

func newRequestIDs() *requestIDs { return &requestIDs{start: rand.Uint64()} }

var idText = base32.NewEncoding("0123456789abcdefghjkmnpqrstvwxyz").WithPadding(base32.NoPadding)

func (r *requestIDs) make() string {
	var raw [8]byte
	// An odd multiplier spreads neighbours and maps no two counts to one id.
	binary.BigEndian.PutUint64(raw[:], r.start+r.next.Add(1)*0x9e3779b97f4a7c15)
	return idText.EncodeToString(raw[:])
}

// Wrap puts around a handler what every request gets:
//   - an id, in the header X-Request-Id of the answer and in the log;
//   - one log line: debug for success, info for the client's mistakes, error with
//     the cause for ours. It names the route, never the path or query, which hold
//     what the client chose, and the client's address, through trusted proxies;
//   - 500 for a panic;
//   - nosniff: answers hold strangers' text at the origin of the pages, whose type is what
//     they say and nothing that a browser finds out;
//   - no-store on what is answered to a token: it is for its holder, and tells of people;
//   - the same route with and without a trailing slash, and a plain 404 for paths
//     with empty or dot segments, which net/http would answer with a redirect.
func Wrap(next http.Handler, logger *slog.Logger, trusted ...netip.Prefix) http.Handler {
	return WrapAs(write, next, logger, trusted...)
}

// WrapAs is Wrap for a door whose errors have a form of their own, which write gives to
// those that are not the handler's.
func WrapAs(write func(http.ResponseWriter, Problem), next http.Handler, logger *slog.Logger, trusted ...netip.Prefix) http.Handler {
	ids := newRequestIDs()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		begin := time.Now()
		x := &exchange{ResponseWriter: w, id: ids.make(), trusted: trusted, write: write}
		w.Header()["X-Request-Id"] = []string{x.id}
		w.Header()["X-Content-Type-Options"] = []string{"nosniff"}
		if hasToken(r) {
			w.Header()["Cache-Control"] = []string{"no-store"}
		}
		defer func() { x.end(r, recover(), logger, time.Since(begin)) }()
		if !tidy(r) {
			write(x, Note(x, errNoRoute))
			return
		}
		next.ServeHTTP(x, r)
	})
}

// hasToken reports whether a request carries a token, be it a wrong one, or a cookie, which may
// hold one.
func hasToken(r *http.Request) bool {
	return len(r.Header["Authorization"]) > 0 || len(r.Header["X-Access-Token"]) > 0 || len(r.Header["Cookie"]) > 0
}

// end answers and logs a request whose handler has returned or panicked. A panic
// after the answer has begun cuts the connection, so that the client does not
// take half an answer for a whole one.
func (x *exchange) end(r *http.Request, panicked any, logger *slog.Logger, took time.Duration) {
	if panicked == nil {
		x.log(r, logger, took)
		return
	}
	if isAbort(panicked) {
		panic(panicked)
	}
	x.cause = fmt.Errorf("panic: %v\n%s", panicked, debug.Stack())
	begun := x.status != 0
	if !begun {
		x.write(x, Explain(x.cause))
	}
	x.log(r, logger, took)
	if begun {
		panic(http.ErrAbortHandler)
	}
}

// isAbort reports whether a panic is the one by which handlers end a connection
// on purpose.
func isAbort(cause any) bool {
	err, ok := cause.(error)
	return ok && errors.Is(err, http.ErrAbortHandler)
}

// tidy removes a trailing slash. It reports false for paths that are not in their
// shortest form.
func tidy(r *http.Request) bool {
	p := r.URL.Path
	if n := len(p); n > 1 && p[n-1] == '/' {
		u := *r.URL
		u.Path = p[:n-1]
		u.RawPath = strings.TrimSuffix(u.RawPath, "/")
		r.URL = &u
	}
	escaped := r.URL.EscapedPath()
	if !strings.Contains(escaped, "//") && !strings.Contains(escaped, "/.") {
		return true
	}
	return path.Clean(escaped) == escaped
}

func (x *exchange) log(r *http.Request, logger *slog.Logger, took time.Duration) {
	level := slog.LevelDebug
	switch {
	case x.chosen && x.cause == nil:
	case x.cause != nil || x.status >= 500 && x.status != http.StatusNotImplemented:
		level = slog.LevelError
	case x.status >= 400:
		level = slog.LevelInfo
	}
	ctx := r.Context()
	if !logger.Enabled(ctx, level) {
		return
	}
	attrs := []slog.Attr{
		slog.String("request_id", x.id),
		slog.String("method", r.Method),
		slog.String("route", r.Pattern),
		slog.Int("status", x.status),
		slog.Duration("took", took),
		slog.String("client", ClientAddr(r, x.trusted).String()),
	}
	if x.cause != nil {
		attrs = append(attrs, slog.String("error", x.cause.Error()))
	}
	logger.LogAttrs(ctx, level, "request", attrs...)
}
