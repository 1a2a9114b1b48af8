package receiver_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/callboard/callboard/receiver"
	"github.com/callboard/callboard/receiver/receivertest"
	"github.com/callboard/callboard/signature"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	secret      = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	otherSecret = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"
	joined      = `{"type":"session.joined","timestamp":"2026-05-04T10:00:00.250Z","data":{"event":{"id":"1"}}}`
)

type message = receiver.Message[json.RawMessage]

// handlerFunc is what a user passes to New.
type handlerFunc = func(context.Context, message) error

func accept(context.Context, message) error { return nil }

// newHandler returns a handler for secret that logs nothing unless told to.
func newHandler(tb testing.TB, handle handlerFunc, opts ...receiver.Option) *receiver.Handler {
	tb.Helper()
	opts = append([]receiver.Option{receiver.WithLogger(slog.New(slog.DiscardHandler))}, opts...)
	handler, err := receiver.New(receiver.StandardWebhooks(), []string{secret}, handle, opts...)
	if err != nil {
		tb.Fatal(err)
	}
	return handler
}

// serve returns the answer to a request.
func serve(handler http.Handler, r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, r)
	return w
}

func signed(tb testing.TB, body string, opts ...receivertest.Option) *http.Request {
	tb.Helper()
	return receivertest.StandardWebhooks(tb, secret, []byte(body), opts...)
}

func wantStatus(tb testing.TB, what string, w *httptest.ResponseRecorder, want int) {
	tb.Helper()
	if w.Code != want {
		tb.Errorf("%s: status %d %q, want %d", what, w.Code, w.Body, want)
	}
}

func TestAnswers(t *testing.T) {
	t.Parallel()
	method := func(method string) func(*http.Request) {
		return func(r *http.Request) { r.Method = method }
	}
	without := func(header string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Del(header) }
	}
	set := func(header, value string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set(header, value) }
	}
	body := func(body io.Reader) func(*http.Request) {
		return func(r *http.Request) { r.Body, r.ContentLength = io.NopCloser(body), -1 }
	}
	tests := map[string]struct {
		body   string // joined if empty
		change func(*http.Request)
		opts   []receiver.Option
		handle handlerFunc // accept if nil
		want   int
		says   string // to the sender
		called bool
	}{
		"good":                     {want: http.StatusOK, called: true},
		"any object":               {body: `{"id":1}`, want: http.StatusOK, called: true},
		"no content type":          {change: without("Content-Type"), want: http.StatusOK, called: true},
		"of unknown length":        {change: body(strings.NewReader(joined)), want: http.StatusOK, called: true},
		"of the largest size":      {opts: []receiver.Option{receiver.WithMaxBody(int64(len(joined)))}, want: http.StatusOK, called: true},
		"GET":                      {change: method(http.MethodGet), want: http.StatusMethodNotAllowed, says: "POST"},
		"HEAD":                     {change: method(http.MethodHead), want: http.StatusMethodNotAllowed},
		"PUT":                      {change: method(http.MethodPut), want: http.StatusMethodNotAllowed},
		"method in lower case":     {change: method("post"), want: http.StatusMethodNotAllowed},
		"one byte too large":       {opts: []receiver.Option{receiver.WithMaxBody(int64(len(joined)) - 1)}, want: http.StatusRequestEntityTooLarge, says: "larger than"},
		"too large, length hidden": {change: body(strings.NewReader(joined)), opts: []receiver.Option{receiver.WithMaxBody(10)}, want: http.StatusRequestEntityTooLarge, says: "10 bytes"},
		"1 MiB":                    {body: padded(1 << 20), want: http.StatusOK, called: true},
		"1 MiB and a byte":         {body: padded(1<<20 + 1), want: http.StatusRequestEntityTooLarge, says: "1048576"},
		"broken off":               {change: body(iotest.ErrReader(io.ErrUnexpectedEOF)), want: http.StatusBadRequest, says: "could not be read"},

		"no id":             {change: without("Webhook-Id"), want: http.StatusUnauthorized, says: "webhook-id"},
		"no timestamp":      {change: without("Webhook-Timestamp"), want: http.StatusUnauthorized, says: "webhook-timestamp"},
		"no signature":      {change: without("Webhook-Signature"), want: http.StatusUnauthorized, says: "webhook-signature"},
		"another id":        {change: set("Webhook-Id", "msg_other"), want: http.StatusUnauthorized, says: "no signature matches"},
		"another timestamp": {change: set("Webhook-Timestamp", "1"), want: http.StatusUnauthorized, says: "too old"},
		"bare signature":    {change: set("Webhook-Signature", "v1,"), want: http.StatusUnauthorized, says: "malformed"},
		"unknown version":   {change: set("Webhook-Signature", "v9,abc"), want: http.StatusUnauthorized, says: "supported"},
		"body parsed and rewritten": {
			change: body(strings.NewReader(strings.ReplaceAll(joined, `":`, `": `))),
			want:   http.StatusUnauthorized, says: "no signature matches",
		},
		"strange and not an object": {change: body(strings.NewReader("[")), want: http.StatusUnauthorized},

		"nothing":            {body: "\n", want: http.StatusBadRequest, says: "JSON object"},
		"not JSON":           {body: "type=session.joined", want: http.StatusBadRequest, says: "JSON object"},
		"cut off":            {body: joined[:20], want: http.StatusBadRequest, says: "JSON object"},
		"followed by more":   {body: joined + "{}", want: http.StatusBadRequest, says: "JSON object"},
		"a list":             {body: "[" + joined + "]", want: http.StatusBadRequest, says: "JSON object"},
		"null":               {body: "null", want: http.StatusBadRequest, says: "JSON object"},
		"a number with dots": {body: "1614265330.5", want: http.StatusBadRequest, says: "JSON object"},

		"function fails": {
			handle: func(context.Context, message) error { return errors.New("database password is hunter2") },
			want:   http.StatusInternalServerError, says: "not handled", called: true,
		},
		"function panics": {
			handle: func(context.Context, message) error { panic("hunter2") },
			want:   http.StatusInternalServerError, says: "not handled", called: true,
		},
		"function panics with ErrGone": {
			handle: func(context.Context, message) error { panic(receiver.ErrGone) },
			want:   http.StatusInternalServerError, called: true,
		},
		"function wants no more": {
			handle: func(context.Context, message) error { return errors.Join(errors.New("hunter2"), receiver.ErrGone) },
			want:   http.StatusGone, says: "gone", called: true,
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if test.body == "" {
				test.body = joined
			}
			if test.handle == nil {
				test.handle = accept
			}
			called := false
			handler := newHandler(t, func(ctx context.Context, m message) error {
				called = true
				return test.handle(ctx, m)
			}, test.opts...)
			r := signed(t, test.body)
			if test.change != nil {
				test.change(r)
			}
			w := serve(handler, r)
			wantStatus(t, name, w, test.want)
			if called != test.called {
				t.Errorf("function called: %t, want %t", called, test.called)
			}
			if got := w.Body.String(); !strings.Contains(got, test.says) || strings.Contains(got, "hunter2") {
				t.Errorf("answer %q, want one that says %q and nothing of the function's", got, test.says)
			}
			wantAllow := ""
			if test.want == http.StatusMethodNotAllowed {
				wantAllow = http.MethodPost
			}
			if diff := cmp.Diff(wantAllow, w.Header().Get("Allow")); diff != "" {
				t.Errorf("Allow (-want +got):\n%s", diff)
			}
		})
	}
}

// padded returns an object of so many bytes.
func padded(sizeBytes int) string {
	const frame = `{"data":""}`
	return `{"data":"` + strings.Repeat("x", sizeBytes-len(frame)) + `"}`
}

func TestMessage(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 5, 4, 10, 0, 0, 250_000_000, time.UTC)
	tests := map[string]struct {
		body string
		want message
	}{
		"as recommended": {joined, message{Type: "session.joined", Timestamp: at, Data: raw(`{"event":{"id":"1"}}`)}},
		"another order, more members": {
			`{"data":[1, 2],"v":3,"timestamp":"2026-05-04T12:00:00.25+02:00","type":"a-b"}`,
			message{Type: "a-b", Timestamp: at, Data: raw(`[1, 2]`)},
		},
		"any object":               {`{"id":1}`, message{}},
		"empty object":             {`{}`, message{}},
		"data null":                {`{"type":"a","data":null}`, message{Type: "a", Data: raw(`null`)}},
		"members of other types":   {`{"type":5,"timestamp":1614265330,"data":"x"}`, message{Data: raw(`"x"`)}},
		"a time in another format": {`{"type":"a","timestamp":"Mon, 04 May 2026"}`, message{Type: "a"}},
		"names in upper case":      {`{"TYPE":"a","Timestamp":"2026-05-04T10:00:00Z","DATA":1}`, message{}},
		"upper case after lower":   {`{"type":"a","TYPE":"b"}`, message{Type: "a"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var got message
			handler := newHandler(t, func(_ context.Context, m message) error { got = m; return nil })
			sentAt := time.Now().Add(-time.Minute)
			wantStatus(t, name, serve(handler, signed(t, test.body, receivertest.WithID("msg_7"), receivertest.WithSentAt(sentAt))), http.StatusOK)

			want := test.want
			want.ID, want.SentAt, want.Body = "msg_7", sentAt.Truncate(time.Second), []byte(test.body)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func raw(text string) json.RawMessage { return json.RawMessage(text) }

// TestSecrets holds each way to configure the receiver against each way to
// sign.
func TestSecrets(t *testing.T) {
	t.Parallel()
	signingKey := signature.GenerateSigningKey()
	public := signingKey.Public().String()
	tests := map[string]struct {
		secrets []string
		signer  string
		opts    []receivertest.Option
		want    int
	}{
		"the secret":                  {secrets: []string{secret}, signer: secret, want: http.StatusOK},
		"without its prefix":          {secrets: []string{secret[len("whsec_"):]}, signer: secret, want: http.StatusOK},
		"another secret":              {secrets: []string{otherSecret}, signer: secret, want: http.StatusUnauthorized},
		"receiver knows old and new":  {secrets: []string{otherSecret, secret}, signer: secret, want: http.StatusOK},
		"sender signs with both":      {secrets: []string{secret}, signer: otherSecret, opts: []receivertest.Option{receivertest.WithSecret(secret)}, want: http.StatusOK},
		"public key":                  {secrets: []string{public}, signer: signingKey.Reveal(), want: http.StatusOK},
		"public key of another":       {secrets: []string{public}, signer: signature.GenerateSigningKey().Reveal(), want: http.StatusUnauthorized},
		"from a secret to a key":      {secrets: []string{secret, public}, signer: signingKey.Reveal(), want: http.StatusOK},
		"a secret for a key's sender": {secrets: []string{secret}, signer: signingKey.Reveal(), want: http.StatusUnauthorized},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			handler, err := receiver.New(receiver.StandardWebhooks(), test.secrets, accept,
				receiver.WithLogger(slog.New(slog.DiscardHandler)))
			if err != nil {
				t.Fatal(err)
			}
			r := receivertest.StandardWebhooks(t, test.signer, []byte(joined), test.opts...)
			wantStatus(t, name, serve(handler, r), test.want)
		})
	}
}

func TestSvixHeaders(t *testing.T) {
	t.Parallel()
	r := signed(t, joined)
	for _, name := range []string{"Id", "Timestamp", "Signature"} {
		r.Header.Set("Svix-"+name, r.Header.Get("Webhook-"+name))
		r.Header.Del("Webhook-" + name)
	}
	wantStatus(t, "svix-*", serve(newHandler(t, accept), r), http.StatusOK)
}

func TestTolerance(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		offset time.Duration
		opts   []receiver.Option
		want   int
	}{
		"5 min old":         {offset: -5 * time.Minute, want: http.StatusOK},
		"5 min early":       {offset: 5 * time.Minute, want: http.StatusOK},
		"5 min + 1 s old":   {offset: -5*time.Minute - time.Second, want: http.StatusUnauthorized},
		"5 min + 1 s early": {offset: 5*time.Minute + time.Second, want: http.StatusUnauthorized},
		"an hour, allowed":  {offset: -time.Hour, opts: []receiver.Option{receiver.WithTolerance(time.Hour)}, want: http.StatusOK},
		"a second too many": {offset: -2 * time.Second, opts: []receiver.Option{receiver.WithTolerance(time.Second)}, want: http.StatusUnauthorized},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				r := signed(t, joined, receivertest.WithSentAt(time.Now().Add(test.offset)))
				wantStatus(t, name, serve(newHandler(t, accept, test.opts...), r), test.want)
			})
		})
	}
}

func TestNewRefuses(t *testing.T) {
	t.Parallel()
	standard, good := receiver.StandardWebhooks(), []string{secret}
	tests := map[string]struct {
		dialect receiver.Dialect[json.RawMessage]
		secrets []string
		handle  handlerFunc
		opts    []receiver.Option
		says    string
	}{
		"no dialect":       {secrets: good, handle: accept, says: "dialect"},
		"no function":      {dialect: standard, secrets: good, says: "function"},
		"no secret":        {dialect: standard, handle: accept, says: "no secret and no token"},
		"empty secret":     {dialect: standard, secrets: []string{secret, ""}, handle: accept, says: "secret 2 of 2"},
		"short secret":     {dialect: standard, secrets: []string{"whsec_c2hvcnQ="}, handle: accept, says: "5 bytes, of 24 to 64"},
		"body of no bytes": {dialect: standard, secrets: good, handle: accept, opts: []receiver.Option{receiver.WithMaxBody(0)}, says: "body"},
		"no tolerance":     {dialect: standard, secrets: good, handle: accept, opts: []receiver.Option{receiver.WithTolerance(0)}, says: "tolerance"},
		"nil deduper":      {dialect: standard, secrets: good, handle: accept, opts: []receiver.Option{receiver.WithDeduper(nil)}, says: "deduper"},
		"nil logger":       {dialect: standard, secrets: good, handle: accept, opts: []receiver.Option{receiver.WithLogger(nil)}, says: "logger"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := receiver.New(test.dialect, test.secrets, test.handle, test.opts...)
			if err == nil || !strings.Contains(err.Error(), test.says) {
				t.Fatalf("error %v, want one that says %q", err, test.says)
			}
			if strings.Contains(err.Error(), "c2hvcnQ") {
				t.Errorf("error %q quotes the secret", err)
			}
		})
	}
}

// TestLog: refusals at info, our own failures at error, each once, with the
// cause that the sender is not told and with no secret.
func TestLog(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		handle handlerFunc
		change func(*http.Request)
		want   []string // parts of the one line; none: nothing is logged
	}{
		"good":  {handle: accept},
		"wrong": {handle: accept, change: func(r *http.Request) { r.Header.Set("Webhook-Id", "msg_8") }, want: []string{"level=INFO", "status=401", "no signature matches"}},
		"fails": {handle: func(context.Context, message) error { return errors.New("disk is full") }, want: []string{"level=ERROR", "status=500", "id=msg_7", "disk is full"}},
		"panic": {handle: func(context.Context, message) error { panic("at the disco") }, want: []string{"level=ERROR", "status=500", "id=msg_7", "at the disco", "handler_test.go"}},
		"gone":  {handle: func(context.Context, message) error { return receiver.ErrGone }, want: []string{"level=INFO", "status=410", "id=msg_7"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var log bytes.Buffer
			handler := newHandler(t, test.handle, receiver.WithLogger(slog.New(slog.NewTextHandler(&log, nil))))
			r := signed(t, joined, receivertest.WithID("msg_7"))
			if test.change != nil {
				test.change(r)
			}
			serve(handler, r)
			for _, part := range test.want {
				if !strings.Contains(log.String(), part) {
					t.Errorf("log %q, want it to contain %q", &log, part)
				}
			}
			if got, want := strings.Count(log.String(), "\n"), min(len(test.want), 1); got != want {
				t.Errorf("%d lines, want %d: %s", got, want, &log)
			}
			if strings.Contains(log.String(), secret[len("whsec_"):]) || strings.Contains(log.String(), "v1,") {
				t.Errorf("log %q holds a secret or a signature", &log)
			}
		})
	}
}

// TestOverHTTP sends over a real connection, where bodies come in pieces and
// without a length.
func TestOverHTTP(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(newHandler(t, accept, receiver.WithMaxBody(64<<10)))
	t.Cleanup(server.Close)
	client := server.Client()
	for name, test := range map[string]struct {
		body    string
		chunked bool
		want    int
	}{
		"good":                        {body: joined, want: http.StatusOK},
		"good in chunks":              {body: joined, chunked: true, want: http.StatusOK},
		"too large":                   {body: padded(64<<10 + 1), want: http.StatusRequestEntityTooLarge},
		"too large in chunks":         {body: padded(64<<10 + 1), chunked: true, want: http.StatusRequestEntityTooLarge},
		"as large as may be, chunked": {body: padded(64 << 10), chunked: true, want: http.StatusOK},
	} {
		r := signed(t, test.body, receivertest.WithURL(server.URL))
		if test.chunked {
			r.ContentLength = -1
		}
		response, err := client.Do(r)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		_, _ = io.Copy(io.Discard, response.Body)
		_ = response.Body.Close()
		if response.StatusCode != test.want {
			t.Errorf("%s: status %d, want %d", name, response.StatusCode, test.want)
		}
	}
}
