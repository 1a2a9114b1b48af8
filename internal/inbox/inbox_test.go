package inbox_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/callboard/callboard/internal/errs"
	"github.com/callboard/callboard/internal/id"
	"github.com/callboard/callboard/internal/inbox"
)

const publicURL = "http://127.0.0.1:8071"

func newHub(t *testing.T, change ...func(*inbox.Config)) *inbox.Hub {
	t.Helper()
	cfg := inbox.Config{Key: []byte("the key of the tests")}
	for _, c := range change {
		c(&cfg)
	}
	h, err := inbox.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	if err := h.Open(publicURL); err != nil {
		t.Fatal(err)
	}
	return h
}

// dialled stands for the network: it counts what reaches it.
type dialled struct{ urls []string }

func (d *dialled) RoundTrip(r *http.Request) (*http.Response, error) {
	d.urls = append(d.urls, r.URL.String())
	return &http.Response{StatusCode: http.StatusTeapot, Body: http.NoBody, Request: r}, nil
}

// pipe is a ResponseWriter without a network: what is written can be read elsewhere.
type pipe struct {
	header http.Header
	*io.PipeWriter
}

func (p pipe) Header() http.Header { return p.header }
func (p pipe) WriteHeader(int)     {}
func (p pipe) Flush()              {}

// ear listens to an inbox.
type ear struct {
	t     *testing.T
	lines *bufio.Scanner
	close func()     // hangs up
	ended chan error // of Stream
}

func allow(context.Context) error { return nil }

// listen opens a stream; its first event is read.
func listen(t *testing.T, h *inbox.Hub, app id.ID, label string, allowed func(context.Context) error) (*ear, inbox.Opened) {
	t.Helper()
	e := stream(t, h, app, label, allowed)
	var opened inbox.Opened
	e.event("inbox", &opened)
	return e, opened
}

func stream(t *testing.T, h *inbox.Hub, app id.ID, label string, allowed func(context.Context) error) *ear {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	r, w := io.Pipe()
	e := &ear{t: t, lines: bufio.NewScanner(r), ended: make(chan error, 1)}
	e.lines.Buffer(nil, 32<<20)
	e.close = func() { cancel(); _ = r.Close() }
	t.Cleanup(e.close)
	go func() {
		request := httptest.NewRequestWithContext(ctx, http.MethodGet, "/", nil)
		err := h.Stream(pipe{http.Header{}, w}, request, app, label, allowed)
		_ = w.Close()
		e.ended <- err
	}()
	return e
}

// event reads up to the next event, which must have this name.
func (e *ear) event(name string, data any) {
	e.t.Helper()
	for e.lines.Scan() {
		switch field, value, _ := strings.Cut(e.lines.Text(), ": "); {
		case field == "event" && value != name:
			e.t.Fatalf("an event %s, want %s", value, name)
		case field == "data":
			if err := json.Unmarshal([]byte(value), data); err != nil {
				e.t.Fatal(err)
			}
			return
		}
	}
	e.t.Fatalf("the stream has ended before an event %s", name)
}

// gone waits until the stream has ended, without an error.
func (e *ear) gone() {
	e.t.Helper()
	if err := <-e.ended; err != nil {
		e.t.Error(err)
	}
}

func (e *ear) request() inbox.Request {
	e.t.Helper()
	var r inbox.Request
	e.event("request", &r)
	return r
}

// answer is what a sender gets.
type answer struct {
	Status     int
	RetryAfter string
	Err        error
}

// send posts to a URL through the transport of deliveries.
func send(ctx context.Context, rt http.RoundTripper, url string, body []byte) answer {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return answer{Err: err}
	}
	r.Header.Set("Webhook-Id", "msg_1")
	resp, err := rt.RoundTrip(r)
	if err != nil {
		return answer{Err: err}
	}
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, resp.Body)
	return answer{Status: resp.StatusCode, RetryAfter: resp.Header.Get("Retry-After")}
}

func sending(ctx context.Context, rt http.RoundTripper, url string, body []byte) <-chan answer {
	got := make(chan answer, 1)
	go func() { got <- send(ctx, rt, url, body) }()
	return got
}

func wantAnswer(t *testing.T, what string, got answer, status int, retryAfter string) {
	t.Helper()
	if got.Err != nil || got.Status != status || got.RetryAfter != retryAfter {
		t.Errorf("%s: %+v, want %d and Retry-After %q", what, got, status, retryAfter)
	}
}

// TestHandedOver sends a delivery to a listener without any network.
func TestHandedOver(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h, net := newHub(t), &dialled{}
		rt := h.Around(net)
		e, opened := listen(t, h, 7, "jane", allow)
		if opened.URL != h.URL(7, "jane") || opened.Listeners != 1 {
			t.Errorf("opened: %+v", opened)
		}
		for name, body := range map[string][]byte{
			"text":   []byte("{\"a\":\"<&>\u2028\",\n \"b\" : 1}\n"),
			"binary": {0, 0xff, '\n', 0x80},
			"empty":  nil,
			"large":  bytes.Repeat([]byte("x"), 2<<20),
		} {
			got := sending(t.Context(), rt, opened.URL, body)
			r := e.request()
			text := r.BodyBase64
			if text == nil {
				text = []byte(r.Body)
			}
			if !bytes.Equal(text, body) {
				t.Errorf("%s: %d bytes came, want the %d that were sent", name, len(text), len(body))
			}
			if r.Method != http.MethodPost || r.Headers.Get("Webhook-Id") != "msg_1" || r.ID == "" || !r.ReceivedAt.Equal(time.Now()) {
				t.Errorf("%s: %s %v %q %s", name, r.Method, r.Headers, r.ID, r.ReceivedAt)
			}
			wantAnswer(t, name, <-got, http.StatusOK, "")
		}
		wantAnswer(t, "too large", send(t.Context(), rt, opened.URL, make([]byte, 4<<20+1)), http.StatusRequestEntityTooLarge, "")
		if len(net.urls) > 0 {
			t.Errorf("dialled: %v", net.urls)
		}
	})
}

// TestNobodyListens answers so that the delivery is tried again.
func TestNobodyListens(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := newHub(t)
		rt := h.Around(&dialled{})
		wantAnswer(t, "before", send(t.Context(), rt, h.URL(7, "jane"), nil), http.StatusServiceUnavailable, "1")
		e, _ := listen(t, h, 7, "jane", allow)
		wantAnswer(t, "another label", send(t.Context(), rt, h.URL(7, "joe"), nil), http.StatusServiceUnavailable, "1")
		wantAnswer(t, "another app", send(t.Context(), rt, h.URL(8, "jane"), nil), http.StatusServiceUnavailable, "1")
		e.close()
		e.gone()
		wantAnswer(t, "after", send(t.Context(), rt, h.URL(7, "jane"), nil), http.StatusServiceUnavailable, "1")
	})
}

// TestPlaces says what is handed over and what is dialled.
func TestPlaces(t *testing.T) {
	t.Parallel()
	for _, row := range []struct{ public, url, want string }{ // NAME is a good name, want: local, lost or dialled
		{"http://127.0.0.1:8071", "http://127.0.0.1:8071/play/in/NAME", "local"},
		{"http://127.0.0.1:8071/", "HTTP://127.0.0.1:8071/play/in/NAME", "local"},
		{"https://hooks.example", "https://Hooks.Example:443/play/in/NAME", "local"},
		{"https://hooks.example:443", "https://hooks.example/play/in/NAME", "local"},
		{"https://hooks.example/base", "https://hooks.example/base/play/in/NAME", "local"},
		{"http://[::1]:80", "http://[::1]/play/in/NAME", "local"},

		{"https://hooks.example", "https://hooks.example/play/in/made-up", "lost"},
		{"https://hooks.example", "https://hooks.example/play/in/", "lost"},
		{"https://hooks.example", "https://hooks.example/play/in/NAMEx", "lost"},
		{"https://hooks.example", "https://hooks.example/play/in/NAME/", "lost"},
		{"https://hooks.example", "https://hooks.example/play/in/../../api/v1/app", "lost"},
		{"https://hooks.example", "https://hooks.example/play/in/NAME?x=1", "found"},
		{"https://hooks.example", "https://hooks.example/play/in/NAME#x", "found"},
		{"https://hooks.example", "https://me@hooks.example/play/in/NAME", "found"},

		{"https://hooks.example", "http://hooks.example/play/in/NAME", "dialled"},
		{"https://hooks.example", "https://hooks.example:8443/play/in/NAME", "dialled"},
		{"https://hooks.example", "https://hooks.example.org/play/in/NAME", "dialled"},
		{"https://hooks.example/base", "https://hooks.example/play/in/NAME", "dialled"},
		{"https://hooks.example", "https://hooks.example/x/../play/in/NAME", "dialled"},
		{"https://hooks.example", "https://hooks.example/play/inx/NAME", "dialled"},
		{"https://hooks.example", "https://hooks.example/", "dialled"},
		{"", "http://127.0.0.1:8071/play/in/NAME", "dialled"},
	} {
		h, net := newHub(t), &dialled{}
		name := h.URL(7, "jane")[len(publicURL+inbox.Path):]
		if row.public == "" { // not open yet
			h, _ = inbox.New(inbox.Config{Key: []byte("the key of the tests")})
		} else if err := h.Open(row.public); err != nil {
			t.Fatal(err)
		}
		url := strings.Replace(row.url, "NAME", name, 1)
		got := "found"
		switch status := send(t.Context(), h.Around(net), url, nil).Status; {
		case len(net.urls) > 0 && status == http.StatusTeapot:
			got = "dialled"
		case status == http.StatusNotFound:
			got = "lost"
		case status == http.StatusServiceUnavailable && h.Local(url):
			got = "local"
		}
		if h.Local(url) != (row.want == "local") || got != row.want {
			t.Errorf("%s of %s: %s, Local %v; want %s", row.url, row.public, got, h.Local(url), row.want)
		}
	}
}

// TestNames belong to an app, stay over a restart and hang on the key.
func TestNames(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	url := h.URL(7, "jane")
	if again := newHub(t).URL(7, "jane"); again != url {
		t.Errorf("after a restart %s, before %s", again, url)
	}
	seen := map[string]bool{url: true}
	strange := newHub(t, func(c *inbox.Config) { c.Key = []byte("another key") })
	for _, other := range []string{h.URL(7, "Jane"), h.URL(8, "jane"), strange.URL(7, "jane")} {
		if seen[other] {
			t.Errorf("%s is the name of two", other)
		}
		seen[other] = true
	}
	if strange.Local(url) {
		t.Error("a name of another installation is taken for our own")
	}
	for i := range inbox.Path + "x" { // one character changed, wherever
		at := len(url) - 1 - i
		changed := url[:at] + string('0'+(url[at]-'0'+1)%10) + url[at+1:]
		if changed != url && h.Local(changed) {
			t.Errorf("%s is taken for a name", changed)
		}
	}
	if _, err := inbox.New(inbox.Config{}); err == nil {
		t.Error("no key, no error")
	}
	for _, label := range []string{"", "a b", "a/b", "ü", strings.Repeat("a", 129)} {
		w := httptest.NewRecorder()
		err := h.Stream(w, httptest.NewRequest(http.MethodGet, "/", nil), 7, label, allow)
		if errs.KindOf(err) != errs.Invalid || w.Body.Len() > 0 {
			t.Errorf("label %.10q: error %v, %q written", label, err, w.Body)
		}
	}
}

// TestEveryListenerHears has three listeners; one does not read.
func TestEveryListenerHears(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := newHub(t)
		rt := h.Around(&dialled{})
		a, _ := listen(t, h, 7, "jane", allow)
		b, opened := listen(t, h, 7, "jane", allow)
		stuck, third := listen(t, h, 7, "jane", allow)
		if opened.Listeners != 2 || third.Listeners != 3 {
			t.Errorf("%d and %d listeners", opened.Listeners, third.Listeners)
		}
		got := sending(t.Context(), rt, opened.URL, []byte("1"))
		if a.request().Body != "1" || b.request().Body != "1" {
			t.Error("not the same for both")
		}
		wantAnswer(t, "two of three have it", <-got, http.StatusOK, "")
		// The stuck one holds one in its write and 64 in its queue. Others go on.
		for range 100 {
			got := sending(t.Context(), rt, opened.URL, []byte("2"))
			a.request()
			b.request()
			wantAnswer(t, "a full queue of one", <-got, http.StatusOK, "")
		}
		a.close()
		b.close()
		a.gone()
		b.gone()
		wantAnswer(t, "all queues full", send(t.Context(), rt, opened.URL, []byte("3")), http.StatusServiceUnavailable, "1")
		stuck.close()
		stuck.gone()
	})
}

// TestLeaving answers what was queued for a listener that goes.
func TestLeaving(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := newHub(t)
		rt := h.Around(&dialled{})
		e, opened := listen(t, h, 7, "jane", allow)
		var waiting []<-chan answer
		for range 70 { // one in the write, 64 queued, 5 too many
			waiting = append(waiting, sending(t.Context(), rt, opened.URL, []byte("x")))
			synctest.Wait()
		}
		for i, got := range waiting[65:] {
			wantAnswer(t, fmt.Sprint("too many ", i), <-got, http.StatusServiceUnavailable, "1")
		}
		e.close()
		for i, got := range waiting[:65] {
			wantAnswer(t, fmt.Sprint("queued ", i), <-got, http.StatusServiceUnavailable, "1")
		}
		e.gone()
	})
}

// TestSenderGivesUp: its request is not written later, because it will come again.
func TestSenderGivesUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := newHub(t)
		rt := h.Around(&dialled{})
		e, opened := listen(t, h, 7, "jane", allow)
		first := sending(t.Context(), rt, opened.URL, []byte("first"))
		synctest.Wait() // it is being written
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if got := send(ctx, rt, opened.URL, []byte("second")); !errors.Is(got.Err, context.DeadlineExceeded) {
			t.Errorf("%+v, want a time-out", got)
		}
		third := sending(t.Context(), rt, opened.URL, []byte("third"))
		if diff := cmp.Diff([]string{"first", "third"}, []string{e.request().Body, e.request().Body}); diff != "" {
			t.Errorf("what came (-want +got):\n%s", diff)
		}
		wantAnswer(t, "first", <-first, http.StatusOK, "")
		wantAnswer(t, "third", <-third, http.StatusOK, "")
	})
}

// TestHeldBytes: bodies that wait are bounded by their bytes, too.
func TestHeldBytes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := newHub(t)
		rt := h.Around(&dialled{})
		e, opened := listen(t, h, 7, "jane", allow)
		body := bytes.Repeat([]byte("x"), 4<<20)
		var waiting []<-chan answer
		for range 16 { // 64 MiB
			waiting = append(waiting, sending(t.Context(), rt, opened.URL, body))
			synctest.Wait()
		}
		wantAnswer(t, "one byte more", send(t.Context(), rt, opened.URL, []byte("x")), http.StatusServiceUnavailable, "1")
		e.close()
		for _, got := range waiting {
			wantAnswer(t, "given up", <-got, http.StatusServiceUnavailable, "1")
		}
		e.gone()
		e, _ = listen(t, h, 7, "jane", allow)
		got := sending(t.Context(), rt, opened.URL, body)
		e.request()
		wantAnswer(t, "room again", <-got, http.StatusOK, "")
	})
}

// TestClose ends the streams at once and lets nobody in.
func TestClose(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := newHub(t)
		rt := h.Around(&dialled{})
		e, opened := listen(t, h, 7, "jane", allow)
		begin := time.Now()
		h.Close()
		h.Close()
		if err := <-e.ended; err != nil || time.Since(begin) != 0 {
			t.Errorf("ended after %s with %v", time.Since(begin), err)
		}
		wantAnswer(t, "closed", send(t.Context(), rt, opened.URL, nil), http.StatusServiceUnavailable, "1")
		if err := <-stream(t, h, 7, "jane", allow).ended; errs.KindOf(err) != errs.Unavailable {
			t.Errorf("listening to a closed hub: %v", err)
		}
	})
}

// TestLimits bounds listeners of an app and of all.
func TestLimits(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := newHub(t, func(c *inbox.Config) { c.MaxListeners = 40 })
		var first *ear
		for i := range 32 {
			if e, _ := listen(t, h, 7, fmt.Sprint("l", i), allow); first == nil {
				first = e
			}
		}
		if err := <-stream(t, h, 7, "more", allow).ended; errs.KindOf(err) != errs.TooMany {
			t.Errorf("33 of one app: %v", err)
		}
		for i := range 8 {
			listen(t, h, id.ID(8+i), "l", allow)
		}
		if err := <-stream(t, h, 20, "more", allow).ended; errs.KindOf(err) != errs.TooMany {
			t.Errorf("41 of all: %v", err)
		}
		first.close()
		first.gone()
		listen(t, h, 20, "more", allow)
	})
}

// TestKeepAlive: a stream says that it lives, and asks whether it may.
func TestKeepAlive(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := newHub(t)
		answers := []error{nil, errors.New("the store is away"), errs.New(errs.Unavailable, ""), errs.Missing()}
		var mu sync.Mutex
		asked := 0
		e, _ := listen(t, h, 7, "jane", func(ctx context.Context) error {
			mu.Lock()
			defer mu.Unlock()
			if _, bounded := ctx.Deadline(); !bounded {
				t.Error("the question has no bound")
			}
			asked++
			return answers[asked-1]
		})
		begin, comments := time.Now(), 0
		for e.lines.Scan() {
			if strings.HasPrefix(e.lines.Text(), ":") {
				comments++
			}
		}
		if err := <-e.ended; err != nil || comments != 3 || time.Since(begin) != time.Minute {
			t.Errorf("%d comments in %s, then %v; want 3 in a minute", comments, time.Since(begin), err)
		}
	})
}

// TestFromOutside posts as anybody does, over HTTP with the server's short deadlines.
func TestFromOutside(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	mux := http.NewServeMux()
	mux.Handle("POST /play/in/{inbox}", h)
	mux.HandleFunc("GET /listen", func(w http.ResponseWriter, r *http.Request) {
		if err := h.Stream(w, r, 7, "jane", allow); err != nil {
			t.Error(err)
		}
	})
	server := httptest.NewUnstartedServer(mux)
	server.Config.ReadTimeout, server.Config.WriteTimeout = 200*time.Millisecond, 200*time.Millisecond
	server.Start()
	t.Cleanup(server.Close)
	t.Cleanup(h.Close) // first
	url := server.URL + strings.TrimPrefix(h.URL(7, "jane"), publicURL)

	post := func(url, body string) answer { return send(t.Context(), http.DefaultTransport, url, []byte(body)) }
	wantAnswer(t, "nobody listens", post(url, "x"), http.StatusServiceUnavailable, "1")
	wantAnswer(t, "no inbox", post(server.URL+"/play/in/made-up", "x"), http.StatusNotFound, "")
	wantAnswer(t, "too large", post(url, strings.Repeat("x", 1<<20+1)), http.StatusRequestEntityTooLarge, "")

	response, err := http.Get(server.URL + "/listen")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if got := response.Header.Get("Content-Type"); got != "text/event-stream" {
		t.Errorf("content type %s", got)
	}
	e := &ear{t: t, lines: bufio.NewScanner(response.Body)}
	e.event("inbox", new(inbox.Opened))
	deadline := time.Now().Add(time.Second)
	for i := 0; time.Now().Before(deadline); i++ { // well beyond the deadlines of the server
		got := sending(t.Context(), http.DefaultTransport, url, fmt.Append(nil, i))
		if r := e.request(); r.Body != fmt.Sprint(i) || r.Headers.Get("Host") != strings.TrimPrefix(server.URL, "http://") {
			t.Fatalf("request %d: %+v", i, r)
		}
		wantAnswer(t, "over HTTP", <-got, http.StatusOK, "")
	}
}
