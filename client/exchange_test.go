package client_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/callboard/callboard/client"
)

func TestNew(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		server, token string
		opt           client.Option
		want          string // "" = it is fine
	}{
		{"http://127.0.0.1:8071", "t", nil, ""},
		{"https://example.com/behind/", "t", client.WithRetries(100), ""},
		{"https://example.com", "t", client.WithUserAgent("x"), ""},
		{"example.com", "t", nil, "server"},
		{"ftp://example.com", "t", nil, "server"},
		{"http://user:hunter2@example.com", "t", nil, "server"},
		{"http://example.com?hunter2", "t", nil, "server"},
		{"http://example.com#hunter2", "t", nil, "server"},
		{"http://exa mple.com/hunter2", "t", nil, "server"},
		{"http://example.com", "", nil, "token"},
		{"http://example.com", "hunter2\r\n", nil, "token"},
		{"http://example.com", "t", client.WithRetries(-1), "retries"},
		{"http://example.com", "t", client.WithRetries(101), "retries"},
		{"http://example.com", "t", client.WithHTTPClient(nil), "HTTP client"},
	} {
		var opts []client.Option
		if row.opt != nil {
			opts = append(opts, row.opt)
		}
		_, err := client.New(row.server, row.token, opts...)
		switch {
		case row.want == "" && err != nil, row.want != "" && err == nil:
			t.Errorf("%+v: %v", row, err)
		case err != nil && (!strings.HasPrefix(err.Error(), "client: "+row.want+": ") || strings.Contains(err.Error(), "hunter2")):
			t.Errorf("%+v: %v", row, err)
		}
	}
}

// TestDo looks at requests and answers as they are on the wire.
func TestDo(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		method string
		in     any
		body   string
	}{
		{http.MethodGet, nil, ""},
		{http.MethodPost, nil, ""},
		{http.MethodPut, map[string]string{"a": "<&>"}, `{"a":"<&>"}`},
		{http.MethodPost, json.RawMessage(`{ "a" : "\u003c"}`), `{ "a" : "\u003c"}`},
	} {
		c, f := newFake(t, answer{status: 200, body: `{"got":"it"}`})
		var out struct{ Got string }
		if err := c.Do(t.Context(), row.method, "/echo?a=b", row.in, &out); err != nil || out.Got != "it" {
			t.Fatalf("%+v: %+v, %v", row, out, err)
		}
		r := f.got[0]
		if r.URL.String() != "http://example.com/base/api/v1/echo?a=b" || f.bodies[0] != row.body {
			t.Errorf("%s %s: %s", r.Method, r.URL, f.bodies[0])
		}
		if (r.Header.Get("Idempotency-Key") != "") != (row.method == http.MethodPost) || (r.Header.Get("Content-Type") == "application/json") != (row.in != nil) ||
			r.Header.Get("Authorization") != "Bearer "+secretToken || r.Header.Get("User-Agent") != "callboard-client" {
			t.Errorf("%+v: %v", row, r.Header)
		}
	}
}

func TestErrors(t *testing.T) {
	t.Parallel()
	id := http.Header{"X-Request-Id": {"r1"}}
	for _, row := range []struct {
		answer answer
		want   client.Error
		text   string
	}{
		{
			answer{status: 404, header: id, body: `{"code":"not_found","detail":"Entity not found"}`},
			client.Error{Status: 404, Code: "not_found", Detail: "Entity not found", RequestID: "r1"},
			"404 Not Found: Entity not found",
		},
		{
			answer{status: 409, body: `{"code":"conflict","detail":"It is taken"}`},
			client.Error{Status: 409, Code: "conflict", Detail: "It is taken"},
			"409 Conflict: It is taken",
		},
		{
			answer{status: 422, body: `{"detail":[{"loc":["body","url"],"msg":"must use https","type":"x"},{"loc":["query","limit"],"msg":"is\u001b wrong"}]}`},
			client.Error{Status: 422, Fields: []client.Field{{[]string{"body", "url"}, "must use https"}, {[]string{"query", "limit"}, "is  wrong"}}},
			"422 Unprocessable Entity: body.url must use https; query.limit is  wrong",
		},
		{answer{status: 404, body: "<html>\x1b[2J" + strings.Repeat("x", 1000)}, client.Error{Status: 404, Detail: "<html> [2J" + strings.Repeat("x", 290)}, "404 Not Found: <html> [2J" + strings.Repeat("x", 290)},
		{answer{status: 302, header: http.Header{"Location": {"http://example.org/"}}}, client.Error{Status: 302}, "302 Found"},
		{
			answer{status: 429, header: http.Header{"Retry-After": {"90"}}},
			client.Error{Status: 429, RetryAfter: 90 * time.Second},
			"429 Too Many Requests",
		},
		{answer{status: 500}, client.Error{Status: 500}, "500 Internal Server Error"},
	} {
		c, f := newFake(t, row.answer)
		err := c.Do(t.Context(), http.MethodGet, "/x?secret=1", nil, nil)
		got, ok := errors.AsType[*client.Error](err)
		if !ok {
			t.Errorf("%d: %v", row.answer.status, err)
			continue
		}
		row.want.Op = "GET /api/v1/x"
		if diff := cmp.Diff(&row.want, got); diff != "" {
			t.Errorf("%d (-want +got):\n%s", row.answer.status, diff)
		}
		if err.Error() != "GET /api/v1/x: "+row.text {
			t.Errorf("text %s", err)
		}
		notFound, conflict := errors.Is(err, client.ErrNotFound), errors.Is(err, client.ErrConflict)
		if notFound != (row.want.Code == "not_found") || conflict != (row.want.Code == "conflict") {
			t.Errorf("%d: not found %v, conflict %v", row.answer.status, notFound, conflict)
		}
		if len(f.got) != 1 {
			t.Errorf("%d: %d requests", row.answer.status, len(f.got))
		}
	}
}

func TestUnexpectedAnswers(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]string{
		"<html>":                    "GET /api/v1/x: the answer is not as expected: ",
		strings.Repeat(" ", 17<<20): "GET /api/v1/x: the answer is not as expected: is longer than 16 MiB",
	} {
		c, f := newFake(t, answer{status: 200, body: body})
		var out any
		if err := c.Do(t.Context(), http.MethodGet, "/x?secret=1", nil, &out); err == nil || !strings.HasPrefix(err.Error(), want) || len(f.got) != 1 {
			t.Errorf("%v after %d requests", err, len(f.got))
		}
	}
	c, f := newFake(t, answer{status: 200})
	for _, call := range []func() error{
		func() error { return c.Do(t.Context(), "BAD METHOD", "/x?secret=1", nil, nil) },
		func() error { return c.Do(t.Context(), http.MethodGet, "/\x7f?secret=1", nil, nil) },
		func() error { return c.Do(t.Context(), http.MethodPost, "/x?secret=1", func() {}, nil) },
	} {
		if err := call(); err == nil || strings.Contains(err.Error(), "secret") || len(f.got) != 0 {
			t.Errorf("%v after %d requests", err, len(f.got))
		}
	}
}

// TestRetries looks at which answers are asked for again, and when.
func TestRetries(t *testing.T) {
	t.Parallel()
	down := answer{err: errors.New("connection refused")}
	fine := answer{status: 200}
	status := func(code int, retryAfter ...string) answer {
		return answer{status: code, header: http.Header{"Retry-After": retryAfter}}
	}
	gone := answer{status: 404, body: `{"code":"not_found","detail":"x"}`}
	for _, row := range []struct {
		name    string
		method  string
		answers []answer
		tries   int
		least   time.Duration
		most    time.Duration
		status  int // of the error; 0 = none, -1 = unreachable
	}{
		{"at once", "GET", []answer{fine}, 1, 0, 0, 0},
		{"after a while", "POST", []answer{down, status(502), status(503), fine}, 4, 700 * time.Millisecond, 2100 * time.Millisecond, 0},
		{"never", "PATCH", []answer{down}, 4, 700 * time.Millisecond, 2100 * time.Millisecond, -1},
		{"never available", "PUT", []answer{status(503)}, 4, 700 * time.Millisecond, 2100 * time.Millisecond, 503},
		{"never in time", "GET", []answer{status(504)}, 4, 700 * time.Millisecond, 2100 * time.Millisecond, 504},
		{"as asked for", "GET", []answer{status(429, "7"), fine}, 2, 7 * time.Second, 7 * time.Second, 0},
		{"too long", "GET", []answer{status(429, "61"), fine}, 1, 0, 0, 429},
		{"nonsense", "GET", []answer{status(429, "soon"), fine}, 2, 100 * time.Millisecond, 300 * time.Millisecond, 0},
		{"a date that is past", "GET", []answer{status(503, "Sat, 02 Jan 1999 15:04:05 GMT"), fine}, 2, 100 * time.Millisecond, 300 * time.Millisecond, 0},
		{"not for these", "GET", []answer{status(500), fine}, 1, 0, 0, 500},
		{"nor these", "POST", []answer{status(409), fine}, 1, 0, 0, 409},
		{"deleted, and not heard", "DELETE", []answer{down, gone}, 2, 100 * time.Millisecond, 300 * time.Millisecond, 0},
		{"deleted, and not told", "DELETE", []answer{status(504), status(429), gone}, 3, 300 * time.Millisecond, 900 * time.Millisecond, 0},
		{"not there", "DELETE", []answer{gone}, 1, 0, 0, 404},
		{"not there after all", "DELETE", []answer{status(429), gone}, 2, 100 * time.Millisecond, 300 * time.Millisecond, 404},
		{"not there to be read", "GET", []answer{down, gone}, 2, 100 * time.Millisecond, 300 * time.Millisecond, 404},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				c, f := newFake(t, row.answers...)
				began := time.Now()
				err := c.Do(t.Context(), row.method, "/x", map[string]int{"a": 1}, nil)
				if took := time.Since(began); took < row.least || took > row.most || len(f.got) != row.tries {
					t.Errorf("%d tries in %s, %v", len(f.got), took, err)
				}
				switch e, answered := errors.AsType[*client.Error](err); {
				case row.status == 0 && err != nil, row.status > 0 && (!answered || e.Status != row.status):
					t.Errorf("error %v", err)
				case row.status < 0:
					if _, ok := errors.AsType[*client.UnreachableError](err); !ok {
						t.Errorf("error %v", err)
					}
				}
				for i, r := range f.got {
					if r.Header.Get("Idempotency-Key") != f.got[0].Header.Get("Idempotency-Key") || f.bodies[i] != f.bodies[0] {
						t.Errorf("request %d is another one", i)
					}
				}
			})
		})
	}
}

// TestPausesAreBounded: many retries wait for long, but never longer than fifteen seconds.
func TestPausesAreBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := &fake{answers: []answer{{status: 503}}}
		c := must[*client.Client](t)(client.New("http://example.com", "t", client.WithHTTPClient(&http.Client{Transport: f}), client.WithRetries(100)))
		err := c.Do(t.Context(), http.MethodGet, "/x", nil, nil)
		if err == nil || len(f.at) != 101 {
			t.Fatalf("%d tries, %v", len(f.at), err)
		}
		for i := range f.at[1:] {
			if pause := f.at[i+1].Sub(f.at[i]); pause < 100*time.Millisecond || pause > 15*time.Second || i > 10 && pause < 5*time.Second {
				t.Errorf("pause %d: %s", i, pause)
			}
		}
	})
}

// TestSlowServer: each try has its time, and a context ends all of them.
func TestSlowServer(t *testing.T) {
	t.Parallel()
	silent := roundTripper(func(r *http.Request) (*http.Response, error) {
		<-r.Context().Done()
		return nil, context.Cause(r.Context())
	})
	synctest.Test(t, func(t *testing.T) {
		c := must[*client.Client](t)(client.New("http://example.com", "t", client.WithHTTPClient(&http.Client{Transport: silent}), client.WithRetries(1)))
		began := time.Now()
		err := c.Do(t.Context(), http.MethodGet, "/x", nil, nil)
		if took := time.Since(began); err == nil || took < time.Minute || took > time.Minute+time.Second ||
			!strings.HasSuffix(err.Error(), "does not answer: no answer within 30s") {
			t.Errorf("after %s: %v", took, err)
		}
	})
	for _, answers := range [][]answer{{{status: 503}}, {{err: errors.New("refused")}}} {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
			defer cancel()
			c, f := newFake(t, answers...)
			err := c.Do(ctx, http.MethodGet, "/x", nil, nil)
			if !errors.Is(err, context.DeadlineExceeded) || len(f.got) != 1 {
				t.Errorf("%d tries, %v", len(f.got), err)
			}
		})
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	why := errors.New("enough")
	cancel(why)
	c, _ := newFake(t, answer{err: context.Canceled})
	if err := c.Do(ctx, http.MethodGet, "/x", nil, nil); !errors.Is(err, why) {
		t.Errorf("the cause is lost: %v", err)
	}
}

type roundTripper func(*http.Request) (*http.Response, error)

// RoundTrip calls the function.
func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// TestTokenIsHidden prints everything that has a token in it.
func TestTokenIsHidden(t *testing.T) {
	t.Parallel()
	c, _ := newFake(t, answer{err: errors.New("refused")})
	err := c.Do(t.Context(), http.MethodGet, "/x", nil, nil)
	for _, it := range []any{c, *c, c.App("a"), c.App("a").Events(), *c.App("a").Contacts(), err} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q"} {
			if text := fmt.Sprintf(verb, it); strings.Contains(text, secretToken) {
				t.Errorf("%T as %s: %s", it, verb, text)
			}
		}
	}
}

// TestRedirect: nobody but the server gets the token, whatever the given client does.
func TestRedirect(t *testing.T) {
	t.Parallel()
	var elsewhere bool
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { elsewhere = true }))
	t.Cleanup(other.Close)
	server := httptest.NewServer(http.RedirectHandler(other.URL, http.StatusTemporaryRedirect))
	t.Cleanup(server.Close)
	given := &http.Client{}
	c := must[*client.Client](t)(client.New(server.URL, secretToken, client.WithHTTPClient(given)))
	err := c.Do(t.Context(), http.MethodGet, "/x", nil, nil)
	if e, ok := errors.AsType[*client.Error](err); !ok || e.Status != http.StatusTemporaryRedirect || elsewhere || given.CheckRedirect != nil {
		t.Errorf("%v; elsewhere: %v", err, elsewhere)
	}
}

// TestBrokenStream: an answer that breaks off is no answer.
func TestBrokenStream(t *testing.T) {
	t.Parallel()
	tries := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		tries++
		_, _ = io.WriteString(w, `{"data":[{"sessionId":"s"},`)
		_ = http.NewResponseController(w).Flush()
		if tries < 3 {
			panic(http.ErrAbortHandler)
		}
		_, _ = io.WriteString(w, `{"sessionId":"t"}]}`)
	}))
	t.Cleanup(server.Close)
	c := must[*client.Client](t)(client.New(server.URL, "t"))
	t.Cleanup(c.Close)
	var text strings.Builder
	err := c.App("a").AttendanceCSV(t.Context(), "e", &text)
	if _, ok := errors.AsType[*client.UnreachableError](err); !ok || text.Len() == 0 {
		t.Errorf("table %q: %v", text.String(), err)
	}
	report := must[client.AttendanceReport](t)(c.App("a").Attendance(t.Context(), "e"))
	var sessions []string
	for _, line := range report.Lines {
		sessions = append(sessions, line.SessionID)
	}
	if !slices.Equal(sessions, []string{"s", "t"}) || tries != 3 {
		t.Errorf("%v after %d tries", sessions, tries)
	}
}

// FuzzError reads any answer: what an error says of it is short, and moves no cursor.
func FuzzError(f *testing.F) {
	for _, text := range []string{"", "\x1b[2J", `{"code":"a","detail":"b\u001b"}`, `{"detail":[{"loc":["\u202e"],"msg":"\n"}]}`, `{"detail":[]}`} {
		f.Add(404, []byte(text))
	}
	f.Fuzz(func(t *testing.T, status int, text []byte) {
		c := must[*client.Client](t)(client.New("http://example.com", "t", client.WithRetries(0), client.WithHTTPClient(&http.Client{
			Transport: &fake{answers: []answer{{status: 400 + status&63, body: string(text)}}},
		})))
		err := c.Do(t.Context(), http.MethodGet, "/x", nil, nil)
		e, ok := errors.AsType[*client.Error](err)
		if !ok || strings.ContainsFunc(err.Error(), unicode.IsControl) || len(e.Detail) > 300 || !utf8.ValidString(err.Error()) {
			t.Fatalf("%q", err)
		}
	})
}
