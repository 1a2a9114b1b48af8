package web_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/callboard/callboard/internal/errs"
	"github.com/callboard/callboard/internal/store"
	"github.com/callboard/callboard/internal/web"
)

func TestExplain(t *testing.T) {
	t.Parallel()
	private := errors.New("SELECT secret FROM app: disk I/O error")
	for _, row := range []struct {
		name   string
		err    error
		status int
		body   string
	}{
		{"no kind", private, 500, `{"code":"internal_error","detail":"Internal server error"}`},
		{"internal keeps its detail", errs.Wrap(errs.Internal, private, "private too"), 500, `{"code":"internal_error","detail":"Internal server error"}`},
		{"malformed", errs.New(errs.Malformed, "No JSON"), 400, `{"code":"bad_request","detail":"No JSON"}`},
		{"unauthenticated", &errs.Error{Kind: errs.Unauthenticated}, 401, `{"code":"authentication_failed","detail":"Invalid token"}`},
		{"forbidden", &errs.Error{Kind: errs.Forbidden}, 403, `{"code":"permission_denied","detail":"The token does not permit this"}`},
		{"missing", errs.Missing(), 404, `{"code":"not_found","detail":"Entity not found"}`},
		{"the store's missing, wrapped", fmt.Errorf("read app: %w", store.ErrNotFound), 404, `{"code":"not_found","detail":"Entity not found"}`},
		{"conflict with a code", &errs.Error{Kind: errs.Conflict, Code: "conflict", Detail: "Taken"}, 409, `{"code":"conflict","detail":"Taken"}`},
		{"too large", &errs.Error{Kind: errs.TooLarge}, 413, `{"code":"payload_too_large","detail":"The body is larger than 1 MiB"}`},
		{
			"invalid", &errs.Error{Kind: errs.Invalid, Fields: []errs.Field{{Loc: []string{"body", "url"}, Msg: "must be <https>"}}}, 422,
			`{"detail":[{"loc":["body","url"],"msg":"must be <https>","type":"value_error"}]}`,
		},
		{
			"invalid without fields", errs.New(errs.Invalid, "no good"), 422,
			`{"detail":[{"loc":["body"],"msg":"no good","type":"value_error"}]}`,
		},
		{"too many", &errs.Error{Kind: errs.TooMany}, 429, `{"code":"too_many_requests","detail":"Too many requests"}`},
		{"later", errs.New(errs.NotImplemented, "Later"), 501, `{"code":"not_implemented","detail":"Later"}`},
		{"store full", fmt.Errorf("commit: %w: %w", store.ErrUnavailable, private), 503, `{"code":"unavailable","detail":"The service cannot answer at the moment; try again"}`},
		{"store lost", fmt.Errorf("commit: %w", store.ErrLost), 503, `{"code":"unavailable","detail":"The service cannot answer at the moment; try again"}`},
		{"client gone", context.Canceled, 503, `{"code":"unavailable","detail":"The service cannot answer at the moment; try again"}`},
		{"wrapped", fmt.Errorf("post message: %w", errs.Missing()), 404, `{"code":"not_found","detail":"Entity not found"}`},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			rec := httptest.NewRecorder()
			web.Fail(rec, row.err)
			if diff := cmp.Diff(row.body, rec.Body.String()); diff != "" || rec.Code != row.status {
				t.Errorf("status %d, want %d\n%s", rec.Code, row.status, diff)
			}
			if got := rec.Header().Get("Content-Type"); got != "application/json" {
				t.Errorf("content type %q", got)
			}
		})
	}
}

func TestHeadersOfErrors(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		err               error
		retry, wwwAuthent string
	}{
		{&errs.Error{Kind: errs.Unavailable}, "1", ""},
		{&errs.Error{Kind: errs.TooMany, RetryAfter: 1500 * time.Millisecond}, "2", ""},
		{&errs.Error{Kind: errs.Unauthenticated}, "", "Bearer"},
		{errs.Missing(), "", ""},
	} {
		rec := httptest.NewRecorder()
		web.Fail(rec, row.err)
		if got := rec.Header().Get("Retry-After"); got != row.retry {
			t.Errorf("%v: Retry-After %q, want %q", row.err, got, row.retry)
		}
		if got := rec.Header().Get("WWW-Authenticate"); got != row.wwwAuthent {
			t.Errorf("%v: WWW-Authenticate %q, want %q", row.err, got, row.wwwAuthent)
		}
	}
}

// serve runs one request through Wrap and gives its answer and log.
func serve(t *testing.T, level slog.Level, r *http.Request, handler http.HandlerFunc) (*httptest.ResponseRecorder, string) {
	t.Helper()
	var log bytes.Buffer
	logger := slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: level}))
	mux := http.NewServeMux()
	mux.HandleFunc("GET /thing/{id}", handler)
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { web.Fail(w, web.ErrNoRoute()) })
	rec := httptest.NewRecorder()
	web.Wrap(mux, logger).ServeHTTP(rec, r)
	return rec, log.String()
}

func get(path string) *http.Request { return httptest.NewRequest(http.MethodGet, path, nil) }

func ok(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }

func TestWrapLogsOneLine(t *testing.T) {
	t.Parallel()
	cause := errors.New("no space left on device")
	for _, row := range []struct {
		name    string
		handler http.HandlerFunc
		level   string // "" = nothing at info
		holds   []string
	}{
		{"success is debug", ok, "", nil},
		{"the client's mistake", func(w http.ResponseWriter, _ *http.Request) { web.Fail(w, errs.Missing()) }, "INFO", []string{"status=404"}},
		{"not implemented is no failure", func(w http.ResponseWriter, _ *http.Request) { web.Fail(w, errs.New(errs.NotImplemented, "x")) }, "INFO", []string{"status=501"}},
		{"our failure", func(w http.ResponseWriter, _ *http.Request) { web.Fail(w, cause) }, "ERROR", []string{"status=500", "no space left on device"}},
		{"the store's failure", func(w http.ResponseWriter, _ *http.Request) {
			web.Fail(w, fmt.Errorf("%w: %w", store.ErrUnavailable, cause))
		}, "ERROR", []string{"status=503", "no space left on device"}},
		{"a panic", func(http.ResponseWriter, *http.Request) { panic("boom") }, "ERROR", []string{"status=500", "panic: boom", "web_test.go"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			rec, log := serve(t, slog.LevelInfo, get("/thing/private-id?token=private"), row.handler)
			if row.level == "" {
				if log != "" {
					t.Errorf("logged %s", log)
				}
				return
			}
			if n := strings.Count(log, "msg=request"); n != 1 || !strings.Contains(log, "level="+row.level) {
				t.Errorf("%d lines, want one of %s:\n%s", n, row.level, log)
			}
			want := append(row.holds, "request_id="+rec.Header().Get("X-Request-Id"), `route="GET /thing/{id}"`)
			for _, text := range want {
				if !strings.Contains(log, text) {
					t.Errorf("the line lacks %q:\n%s", text, log)
				}
			}
			if strings.Contains(log, "private") {
				t.Errorf("the line holds what the client chose:\n%s", log)
			}
			if strings.Contains(rec.Body.String(), "space") || strings.Contains(rec.Body.String(), "boom") {
				t.Errorf("the answer holds the cause: %s", rec.Body)
			}
		})
	}
}

// TestAnswersToTokens: what is answered to a token is in no cache, a mistake and a panic neither. No answer is taken for
// another type than it says.
func TestAnswersToTokens(t *testing.T) {
	t.Parallel()
	for name, handler := range map[string]http.HandlerFunc{
		"ok": ok, "fails": func(w http.ResponseWriter, _ *http.Request) { web.Fail(w, errs.Missing()) }, "panics": func(http.ResponseWriter, *http.Request) { panic("boom") },
	} {
		for header, want := range map[string]string{"Authorization": "no-store", "X-Access-Token": "no-store", "Accept": ""} {
			r := get("/thing/1")
			r.Header.Set(header, "x")
			rec, _ := serve(t, slog.LevelError, r, handler)
			if got := rec.Header().Get("Cache-Control"); got != want {
				t.Errorf("%s with %s: Cache-Control %q, want %q", name, header, got, want)
			}
			if got := rec.Header().Get("X-Content-Type-Options"); got != "nosniff" {
				t.Errorf("%s with %s: X-Content-Type-Options %q", name, header, got)
			}
		}
	}
}

func TestDebugLogsSuccess(t *testing.T) {
	t.Parallel()
	if _, log := serve(t, slog.LevelDebug, get("/thing/1"), ok); !strings.Contains(log, "level=DEBUG") || !strings.Contains(log, "status=204") {
		t.Errorf("logged %q", log)
	}
}

func TestPanicAnswers500(t *testing.T) {
	t.Parallel()
	rec, _ := serve(t, slog.LevelInfo, get("/thing/1"), func(http.ResponseWriter, *http.Request) { panic("boom") })
	if rec.Code != 500 || !strings.Contains(rec.Body.String(), "internal_error") {
		t.Errorf("%d %s", rec.Code, rec.Body)
	}
}

func TestPanicAfterTheAnswerBeganCutsTheConnection(t *testing.T) {
	t.Parallel()
	for name, handler := range map[string]http.HandlerFunc{
		"half an answer": func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write([]byte("half"))
			panic("boom")
		},
		"on purpose": func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			defer func() {
				if got := recover(); got != http.ErrAbortHandler { //nolint:errorlint // a panic's value is compared, not an error's chain
					t.Errorf("recovered %v, want http.ErrAbortHandler", got)
				}
			}()
			serve(t, slog.LevelError, get("/thing/1"), handler)
		})
	}
}

func TestRequestIDsDiffer(t *testing.T) {
	t.Parallel()
	handler := web.Wrap(http.HandlerFunc(ok), slog.New(slog.DiscardHandler))
	seen := map[string]bool{}
	for range 1000 {
		rec := httptest.NewRecorder()
		handler.ServeHTTP(rec, get("/"))
		seen[rec.Header().Get("X-Request-Id")] = true
	}
	if len(seen) != 1000 {
		t.Errorf("%d ids in 1000 requests", len(seen))
	}
}

func TestPathsInOtherForms(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]int{
		"/thing/1":        204,
		"/thing/1/":       204,
		"/thing/%2e":      204, // a segment that is a dot only when decoded is somebody's id
		"/thing/.hidden":  204,
		"/thing/.hidden/": 204,
		"/thing":          404,
		"/thing//":        404,
		"//thing/1":       404,
		"/thing/../x":     404,
		"/thing/./1":      404,
		"/thing/1/2":      404,
		"/":               404,
	} {
		rec, _ := serve(t, slog.LevelError, get(path), ok)
		if rec.Code != want {
			t.Errorf("%s: %d, want %d", path, rec.Code, want)
		}
		if want == 404 && !strings.HasPrefix(rec.Body.String(), `{"code":"not_found"`) {
			t.Errorf("%s: %s", path, rec.Body)
		}
	}
}

func TestMethodNotAllowed(t *testing.T) {
	t.Parallel()
	rec := httptest.NewRecorder()
	web.MethodNotAllowed(rec, "GET, POST")
	if rec.Code != 405 || rec.Header().Get("Allow") != "GET, POST" || !strings.Contains(rec.Body.String(), "method_not_allowed") {
		t.Errorf("%d %v %s", rec.Code, rec.Header(), rec.Body)
	}
}

// broken gives some bytes and then fails, as a connection does that is cut.
type broken struct{ io.Reader }

func (b broken) Read(p []byte) (int, error) {
	n, err := b.Reader.Read(p)
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}

func TestReadBody(t *testing.T) {
	t.Parallel()
	whole := strings.Repeat("x", web.MaxBody)
	for _, row := range []struct {
		name   string
		body   io.Reader
		length int64 // -1 = not told
		want   int   // bytes
		kind   errs.Kind
	}{
		{"none", nil, 0, 0, errs.Internal},
		{"told", strings.NewReader("abc"), 3, 3, errs.Internal},
		{"not told", strings.NewReader("abc"), -1, 3, errs.Internal},
		{"1 MiB, told", strings.NewReader(whole), web.MaxBody, web.MaxBody, errs.Internal},
		{"1 MiB, not told", strings.NewReader(whole), -1, web.MaxBody, errs.Internal},
		{"one byte more, told", strings.NewReader(whole + "x"), web.MaxBody + 1, 0, errs.TooLarge},
		{"one byte more, not told", strings.NewReader(whole + "x"), -1, 0, errs.TooLarge},
		{"cut, told", broken{strings.NewReader("ab")}, 3, 0, errs.Malformed},
		{"cut, not told", broken{strings.NewReader("ab")}, -1, 0, errs.Malformed},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			r := httptest.NewRequest(http.MethodPost, "/", row.body)
			r.ContentLength = row.length
			body, err := web.ReadBody(httptest.NewRecorder(), r)
			if len(body) != row.want || errs.KindOf(err) != row.kind || (err != nil) != (row.kind != errs.Internal) {
				t.Errorf("%d bytes, error %v", len(body), err)
			}
		})
	}
}
