package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/callboard/callboard/client"
	"github.com/callboard/callboard/internal/app"
	"github.com/callboard/callboard/internal/dialect"
	"github.com/callboard/callboard/internal/token"
	"github.com/callboard/callboard/receiver/receivertest"
)

// patience is how long a test waits for what must happen.
const patience = 30 * time.Second

// output collects what a command prints.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// await waits until what was printed matches, and gives the groups of the match.
func (o *output) await(t *testing.T, pattern string) []string {
	t.Helper()
	re, late := regexp.MustCompile(pattern), time.After(patience)
	look := time.NewTicker(5 * time.Millisecond)
	defer look.Stop()
	for {
		if match := re.FindStringSubmatch(o.String()); match != nil {
			return match
		}
		select {
		case <-look.C:
		case <-late:
			t.Fatalf("nothing matches %s in\n%s", pattern, o)
		}
	}
}

const testSecret = "the secret of the tests, long enough"

// site is a server with one app, and its API.
type site struct {
	t   *testing.T
	cfg app.Config
	app *app.App
	api *apiClient
}

func newSite(t *testing.T) *site {
	t.Helper()
	s := &site{t: t, cfg: app.Config{
		Listen: "127.0.0.1:0", DB: "sqlite:" + filepath.Join(t.TempDir(), "test.db"), JWTSecret: token.NewSecret(testSecret),
		Logger: slog.New(slog.DiscardHandler),
	}}
	s.start()
	s.cfg.Listen = s.app.Addr() // also when it is started again
	flags := apiFlags{Server: s.app.URL(), DB: "sqlite:none", JWTSecret: token.NewSecret(testSecret)}
	var err error
	if s.api, err = flags.client(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.api.Close)
	s.do(http.MethodPost, "/app", `{"name":"Acme","uid":"acme"}`, nil)
	return s
}

func (s *site) start() {
	s.t.Helper()
	a, err := app.New(s.t.Context(), s.cfg)
	if err != nil {
		s.t.Fatal(err)
	}
	s.app = a
	s.t.Cleanup(func() { _ = stop(a) }) // again, if the test has not
	if err := a.Start(s.t.Context()); err != nil {
		s.t.Fatal(err)
	}
}

func (s *site) stop() {
	s.t.Helper()
	if err := stop(s.app); err != nil {
		s.t.Fatal(err)
	}
}

// do calls the API, which must answer 2xx.
func (s *site) do(method, path, body string, out any) {
	s.t.Helper()
	var in any
	if body != "" {
		in = json.RawMessage(body)
	}
	if err := s.api.Do(s.t.Context(), method, path, in, out); err != nil {
		s.t.Fatal(err)
	}
}

func (s *site) send(eventType, payload string) {
	s.t.Helper()
	s.do(http.MethodPost, "/app/acme/msg", fmt.Sprintf(`{"eventType":%q,"payload":%s}`, eventType, payload), nil)
}

// ear is a `callboard listen` at work.
type ear struct {
	t        *testing.T
	out, err output
	ctrlC    context.CancelFunc
	code     chan int
}

// listen runs the command; it must be ended with end.
func (s *site) listen(args ...string) *ear {
	s.t.Helper()
	ctx, cancel := context.WithCancel(s.t.Context())
	e := &ear{t: s.t, ctrlC: cancel, code: make(chan int, 1)}
	args = append([]string{"listen", "--server", s.app.URL(), "--jwt-secret", testSecret, "--name", "me"}, args...)
	go func() { e.code <- Run(ctx, args, &e.out, &e.err) }()
	return e
}

// begun waits until a listener hears, and gives the secret that it shows.
func (e *ear) begun() string {
	e.t.Helper()
	return e.err.await(e.t, `secret +(\S+)\n`)[1]
}

// end is Ctrl-C; the command must exit with 0.
func (e *ear) end() {
	e.t.Helper()
	e.ctrlC()
	if code := e.exit(); code != exitOK {
		e.t.Errorf("exit code %d: %s", code, &e.err)
	}
}

func (e *ear) exit() int {
	e.t.Helper()
	select {
	case code := <-e.code:
		return code
	case <-time.After(patience):
		e.t.Fatalf("it does not end:\n%s", &e.err)
		return 0
	}
}

// target is the developer's server.
type target struct {
	*httptest.Server
	got chan *http.Request // with the whole body in memory
}

func newTarget(t *testing.T, status int) *target {
	t.Helper()
	got := make(chan *http.Request, 10)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		r.Body = io.NopCloser(bytes.NewReader(body))
		got <- r
		w.WriteHeader(status)
	}))
	t.Cleanup(server.Close)
	return &target{server, got}
}

// TestListenForwards: the developer's server gets the same headers and bytes, whether
// or not it likes them.
func TestListenForwards(t *testing.T) {
	t.Parallel()
	s, hook := newSite(t), newTarget(t, http.StatusTeapot)
	e := s.listen("--forward-to", strings.TrimPrefix(hook.URL, "http://")+"/hook", "--events", "order.made,order.paid")
	secret := e.begun()
	s.send("order.lost", `{"n":0}`)
	const payload = `{ "type" : "order.made",  "text":"<&>ü` + "\u2028" + `" }`
	s.send("order.made", payload)
	e.out.await(t, `order\.made  msg_\w+  ✓ verified\n  \{\n    "type": "order.made",\n    "text": "<&>ü\x{2028}"\n  \}\n  → 418 I'm a teapot in \d+ ms\n`)
	got := <-hook.got
	body, _ := io.ReadAll(got.Body)
	if diff := cmp.Diff(payload, string(body)); diff != "" {
		t.Errorf("the body (-want +got):\n%s", diff)
	}
	check, err := newChecker("native", secret)
	if err != nil {
		t.Fatal(err)
	}
	if v := check(got.Header, body); !v.Verified || got.URL.Path != "/hook" || got.Host != strings.TrimPrefix(hook.URL, "http://") {
		t.Errorf("%+v at %s of %s with %v", v, got.URL, got.Host, got.Header)
	}
	if got.Header.Get("Content-Type") != "application/json" || !strings.HasPrefix(got.Header.Get("User-Agent"), "Callboard/") || got.Header.Get("Accept-Encoding") != "" {
		t.Errorf("headers %v", got.Header)
	}
	if strings.Contains(e.out.String(), "order.lost") {
		t.Error("a type came that was not asked for")
	}

	// A target that is down is told of, and the next webhook finds it again.
	addr := hook.Listener.Addr().String()
	hook.Close()
	s.send("order.paid", `{"n":2}`)
	e.out.await(t, `order\.paid  msg_\w+  ✓ verified\n  \{\n    "n": 2\n  \}\n  → failed after \d+ ms: dial tcp `+addr+`: connect: connection refused\n`)
	e.end()
}

// TestListenKeepsItsEndpoint: same endpoint, same secret, disabled in between, and
// nothing of it fails.
func TestListenKeepsItsEndpoint(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	var first, second struct {
		ID, URL, Dialect string
		Disabled         bool
		FilterTypes      []string
	}
	e := s.listen("--events", "order.made")
	secret := e.begun()
	s.do(http.MethodGet, "/app/acme/endpoint/me", "", &first)
	e.end()
	s.do(http.MethodGet, "/app/acme/endpoint/me", "", &second)
	if first.Disabled || !second.Disabled || first.ID != second.ID || first.FilterTypes[0] != "order.made" {
		t.Errorf("at work %+v, afterwards %+v", first, second)
	}
	s.send("order.made", `{"n":1}`)

	e = s.listen("--app", "acme", "--json")
	if again := e.begun(); again != secret {
		t.Error("the secret is another one")
	}
	s.do(http.MethodGet, "/app/acme/endpoint/me", "", &second)
	if second.Disabled || second.ID != first.ID || second.URL != first.URL || second.FilterTypes != nil {
		t.Errorf("at work %+v, again %+v", first, second)
	}
	s.send("other", `{"n":2}`)
	line := e.out.await(t, `(.*)\n`)[1]
	var got struct {
		EventType, MessageID string
		Verified             bool
		Headers              http.Header
		Body                 json.RawMessage
		Forwarded            any
	}
	if err := json.Unmarshal([]byte(line), &got); err != nil {
		t.Fatal(err)
	}
	if got.EventType != "other" || !got.Verified || string(got.Body) != `{"n":2}` || got.Headers.Get("Webhook-Id") != got.MessageID || got.Forwarded != nil {
		t.Errorf("%s", line)
	}
	type counts struct{ Success, Fail, Canceled, Pending, Sending int }
	var stats counts
	for begin := time.Now(); stats.Success == 0 && time.Since(begin) < patience; {
		s.do(http.MethodGet, "/app/acme/endpoint/me/stats", "", &stats)
	}
	if diff := cmp.Diff(counts{Success: 1}, stats); diff != "" {
		t.Errorf("deliveries (-want +got):\n%s", diff)
	}
	e.end()
}

// TestListenOverRestart: what was sent while there was no stream comes with the next.
func TestListenOverRestart(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	e := s.listen()
	e.begun()
	s.stop()
	e.err.await(t, `connection lost \(.+\); trying again in`)
	s.start()
	s.send("order.made", `{"n":1}`)
	e.out.await(t, `order\.made  msg_\w+  ✓ verified`)
	e.err.await(t, `connected again\n`)
	e.end()
	if strings.Contains(e.out.String(), "✗") {
		t.Errorf("%s", &e.out)
	}
}

// TestListenSeesRotation: a secret that is replaced while it listens is read again.
func TestListenSeesRotation(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	e := s.listen()
	before := e.begun()
	s.do(http.MethodPost, "/app/acme/endpoint/me/secret/rotate", `{"gracePeriodSeconds":0}`, nil)
	s.send("order.made", `{"n":1}`)
	e.out.await(t, `order\.made  msg_\w+  ✓ verified`)
	if after := e.err.await(t, `the secret was changed: (whsec_\S+)\n`)[1]; after == before {
		t.Error("it is the same secret")
	}
	e.end()
}

// TestListenFromStrangers: what others post to the inbox comes too, unverified, and
// cannot write to the terminal.
func TestListenFromStrangers(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	e := s.listen()
	url := e.err.await(t, `url +(\S+)\n`)[1]
	response, err := http.Post(url, "text/plain", strings.NewReader("\x1b[2Jhello \u202e"))
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	if response.StatusCode != http.StatusOK {
		t.Errorf("status %d", response.StatusCode)
	}
	e.out.await(t, `\(no type\)  \(no id\)  ✗ missing header: webhook-id\n  \\u001b\[2Jhello \\u202e\n`)
	e.end()
}

// TestListenRefused ends at once where trying again is useless.
func TestListenRefused(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	mint := func(c token.Claims) string {
		authority, err := token.New(token.Config{Secret: token.NewSecret(testSecret)})
		if err != nil {
			t.Fatal(err)
		}
		c.Org, c.Expires = DefaultOrg, time.Now().Add(time.Hour)
		text, err := authority.Mint(c)
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	var acme apiApp
	s.do(http.MethodGet, "/app/acme", "", &acme)
	for name, row := range map[string]struct {
		args []string
		code int
		says string
	}{
		"no such app":       {[]string{"--app", "none"}, exitFailure, `--app: there is no app "none" that the token may see`},
		"a bad token":       {[]string{"--token", "hunter2"}, exitFailure, `the server does not accept the token: Invalid token`},
		"a read-only token": {[]string{"--token", mint(token.Claims{App: acme.ID, ReadOnly: true})}, exitFailure, `403 Forbidden`},
		"a bad event type":  {[]string{"--events", "a b"}, exitFailure, `422 Unprocessable Entity: body\.filterTypes\S* event types are`},
	} {
		e := s.listen(row.args...)
		if code := e.exit(); code != row.code {
			t.Errorf("%s: exit code %d", name, code)
		}
		if text := e.err.String(); !regexp.MustCompile(row.says).MatchString(text) || strings.Contains(text, "hunter2") {
			t.Errorf("%s: %s", name, text)
		}
	}
	e := s.listen("--token", mint(token.Claims{App: acme.ID})) // without --app
	e.begun()
	e.end()
	s.do(http.MethodPost, "/app", `{"name":"Other","uid":"other"}`, nil)
	e = s.listen()
	if code := e.exit(); code != exitUsage {
		t.Errorf("two apps: exit code %d", code)
	}
	e.err.await(t, `--app: name one of the apps: \w+, \w+`)
}

// TestCheckers verifies webhooks of every dialect as the endpoint's receiver will.
func TestCheckers(t *testing.T) {
	t.Parallel()
	const whsec = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	for name, row := range map[string]struct {
		sign           func(testing.TB, string, []byte, ...receivertest.Option) *http.Request
		secret, other  string
		body, readable string // readable: a type; "" = the body is refused
		bad            string // a body that the dialect cannot have; "" = there is none
	}{
		"native":       {receivertest.Native, whsec, "whsec_" + strings.Repeat("A", 32), `{"type":"session.joined"}`, "session.joined", `[1]`},
		"zuddl":        {receivertest.Zuddl, "0123456789abcdef", "0123456789abcdee", `{"action":"JOINED_SESSION","actionId":"a1"}`, "JOINED_SESSION", `[1]`},
		"sessionboard": {receivertest.Sessionboard, whsec, "whsec_" + strings.Repeat("A", 32), `{"data":{"id":"s1"},"metadata":{"action":"session.updated"}}`, "session.updated", `[1]`},
		"oration":      {receivertest.Oration, whsec, "whsec_" + strings.Repeat("A", 32), `{"eventId":"e1","eventType":"conversation.completed","payload":{"id":"c1"}}`, "conversation.completed", `[1]`},
		"iotum":        {receivertest.Iotum, "token-1", "token-2", `{"event":"conference_start","payload":"{\"conference_id\":1}","timestamp":"2026-05-04T10:00:00Z"}`, "conference_start", `[1]`},
	} {
		check, err := newChecker(name, row.secret)
		if err != nil {
			t.Fatal(name, err)
		}
		signed := func(secret, body string) verdict {
			return check(row.sign(t, secret, []byte(body)).Header, []byte(body))
		}
		for range 2 { // a retry is as good as the first
			if v := signed(row.secret, row.body); !v.Verified || v.Problem != "" || v.Type != row.readable {
				t.Errorf("%s: %+v", name, v)
			}
		}
		if v := signed(row.other, row.body); v.Verified || v.Problem == "" || strings.Contains(v.Problem, "signature: ") {
			t.Errorf("%s, another secret: %+v", name, v)
		}
		if v := signed(row.secret, row.bad); !v.Verified || v.Problem == "" {
			t.Errorf("%s, a bad body: %+v", name, v)
		}
		if got := dialect.TypeIn([]byte(row.body)); got != row.readable {
			t.Errorf("%s: unverified, the type is %q", name, got)
		}
		if v := check(http.Header{}, []byte(row.body)); v.Verified {
			t.Errorf("%s, no headers: %+v", name, v)
		}
		if _, err := newChecker(name, ""); err == nil {
			t.Errorf("%s takes an empty secret", name)
		}
	}
}

func TestReadEvents(t *testing.T) {
	t.Parallel()
	type event struct{ Name, Data string }
	var got []event
	lines := 0
	stream := "event: inbox\ndata: {}\n\n: keep-alive\n\nevent:request\nid: 1\ndata:{\"a\": \"b: c\"}\n\nretry: 5\n\nevent: half\ndata: x"
	err := readEvents(strings.NewReader(stream), func() { lines++ }, func(name string, data []byte) error {
		got = append(got, event{name, string(data)})
		return nil
	})
	if diff := cmp.Diff([]event{{"inbox", "{}"}, {"request", `{"a": "b: c"}`}}, got); diff != "" || !errors.Is(err, errEnded) || lines != 13 {
		t.Errorf("%d lines, error %v (-want +got):\n%s", lines, err, diff)
	}
	stop := errors.New("enough")
	if err := readEvents(strings.NewReader(stream), func() {}, func(string, []byte) error { return stop }); !errors.Is(err, stop) {
		t.Errorf("error %v", err)
	}
}

func TestReadable(t *testing.T) {
	t.Parallel()
	plain, coloured := &screen{}, &screen{colours: true}
	for body, want := range map[string]string{
		"":              "  (no body)",
		`{"a":[1,"x"]}`: "  {\n    \"a\": [\n      1,\n      \"x\"\n    ]\n  }",
		"a\x07b":        `  a\u0007b`,
		"\"\u009b\"":    `  "\u009b"`,
	} {
		if diff := cmp.Diff(want, plain.readable([]byte(body))); diff != "" {
			t.Errorf("%q (-want +got):\n%s", body, diff)
		}
	}
	want := "  {\n    \x1b[36m\"a:\"\x1b[0m: \x1b[32m\"b\\\"1: \"\x1b[0m,\n    \x1b[36m\"n\"\x1b[0m: \x1b[33m-1.5e3\x1b[0m,\n    \x1b[36m\"t\"\x1b[0m: \x1b[33mtrue\x1b[0m\n  }"
	if diff := cmp.Diff(want, coloured.readable([]byte(`{"a:":"b\"1: ","n":-1.5e3,"t":true}`))); diff != "" {
		t.Errorf("coloured (-want +got):\n%s", diff)
	}
	long := plain.readable(bytes.Repeat([]byte("ü"), maxShown))
	if !strings.HasSuffix(long, "\n  … and 16384 bytes more; --json prints all") || len(long) > maxShown+100 {
		t.Errorf("%d bytes that end with %q", len(long), long[len(long)-80:])
	}
}

func TestHopeless(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		err  error
		want bool
	}{
		{&client.Error{Status: 401}, true},
		{&client.Error{Status: 403}, true},
		{fmt.Errorf("wrapped: %w", &client.Error{Status: 422}), true},
		{&client.Error{Status: 404, Code: "not_found"}, true},
		{&client.Error{Status: 404}, false}, // a proxy's
		{&client.Error{Status: 429}, false},
		{&client.Error{Status: 502}, false},
		{&client.Error{Status: 503}, false},
		{&client.UnreachableError{Cause: io.EOF}, false},
		{errEnded, false},
	} {
		if got := hopeless(row.err); got != row.want {
			t.Errorf("%v: %v", row.err, got)
		}
	}
}

func TestListenName(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		command listenCommand
		want    string
	}{
		{listenCommand{Name: "me", Dialect: "native"}, "^me$"},
		{listenCommand{Name: "me", Dialect: "zuddl"}, "^me-zuddl$"},
		{listenCommand{Dialect: "iotum"}, `^listen-[\w.-]+-iotum$`},
	} {
		if got := row.command.uid(); !regexp.MustCompile(row.want).MatchString(got) || got != row.command.uid() {
			t.Errorf("%s, want %s", got, row.want)
		}
	}
	if got := asWord(`DOMAIN\jö e.x_1`); got != "DOMAIN-j--e.x_1" {
		t.Error(got)
	}
}
