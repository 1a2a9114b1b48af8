package play_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/callboard/callboard/internal/dialect"
	"github.com/callboard/callboard/internal/dialect/iotum"
	"github.com/callboard/callboard/internal/dialect/native"
	"github.com/callboard/callboard/internal/dialect/oration"
	"github.com/callboard/callboard/internal/dialect/sessionboard"
	"github.com/callboard/callboard/internal/dialect/zuddl"
	"github.com/callboard/callboard/internal/errs"
	"github.com/callboard/callboard/internal/play"
	"github.com/callboard/callboard/internal/testenv"
)

const publicURL = "https://hooks.example.com"

func dialects() dialect.Set {
	return dialect.NewSet(native.Dialect{}, zuddl.New(), sessionboard.New(sessionboard.Config{}), oration.New(), iotum.New())
}

func newHub(t *testing.T, changes ...func(*play.Config)) *play.Hub {
	t.Helper()
	cfg := play.Config{Key: []byte("the key of the tests"), Dialects: dialects()}
	for _, change := range changes {
		change(&cfg)
	}
	h, err := play.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	h.Open(publicURL)
	t.Cleanup(h.Close)
	return h
}

// box is an inbox of a hub.
type box struct {
	t         *testing.T
	h         *play.Hub
	key, name string
}

// client is somebody who has made no inbox yet, a different one for each number.
func client(n int) netip.Addr { return netip.AddrFrom4([4]byte{192, 0, byte(n >> 8), byte(n)}) }

func newBox(t *testing.T, h *play.Hub) box {
	t.Helper()
	made, err := h.Create(client(1))
	if err != nil {
		t.Fatal(err)
	}
	return box{t, h, made.Key, nameOf(t, made.URL)}
}

func nameOf(t *testing.T, url string) string {
	t.Helper()
	name, ok := strings.CutPrefix(url, publicURL+play.Path)
	if !ok {
		t.Fatalf("the address is %s", url)
	}
	return name
}

func (b box) view() play.Inbox {
	b.t.Helper()
	shown, err := b.h.View(b.key)
	if err != nil {
		b.t.Fatal(err)
	}
	return shown
}

// newest is the request that came last.
func (b box) newest() play.Request {
	b.t.Helper()
	shown := b.view()
	if len(shown.Requests) == 0 {
		b.t.Fatal("nothing has come")
	}
	return shown.Requests[0]
}

// deliver is what the server itself does.
func (b box) deliver(header http.Header, body string) play.Answer {
	b.t.Helper()
	answer, err := b.h.Take(b.t.Context(), b.name, play.Delivery{Method: http.MethodPost, Header: header, Body: []byte(body)})
	if err != nil {
		b.t.Fatal(err)
	}
	return answer
}

// post is what strangers do.
func (b box) post(body io.Reader, changes ...func(*http.Request)) *httptest.ResponseRecorder {
	b.t.Helper()
	r := httptest.NewRequestWithContext(b.t.Context(), http.MethodPost, play.Path+b.name, body)
	r.SetPathValue("inbox", b.name)
	for _, change := range changes {
		change(r)
	}
	rec := httptest.NewRecorder()
	b.h.ServeHTTP(rec, r)
	return rec
}

func (b box) set(c play.Change) {
	b.t.Helper()
	if _, err := b.h.Set(b.key, c); err != nil {
		b.t.Fatal(err)
	}
}

func kindOf(err error) errs.Kind {
	if err == nil {
		return errs.Internal
	}
	return errs.KindOf(err)
}

// TestNames follow from the key and the installation, one way, and are known without a table.
func TestNames(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := newHub(t)
		b, other := newBox(t, h), newBox(t, h)
		if b.key == other.key || b.name == other.name || strings.Contains(b.key, b.name) || len(b.name) > 40 {
			t.Errorf("keys %s and %s, names %s and %s", b.key, other.key, b.name, other.name)
		}
		b.deliver(nil, "x")

		again := newHub(t) // after a restart, or another process
		shown, err := again.View(b.key)
		if err != nil || nameOf(t, shown.URL) != b.name || len(shown.Requests) != 0 || !again.Lives(b.name) {
			t.Errorf("after a restart it is %+v, %v", shown, err)
		}
		stranger := newHub(t, func(c *play.Config) { c.Key = []byte("another key") })
		if _, err := stranger.View(b.key); kindOf(err) != errs.NotFound || stranger.Knows(b.name) {
			t.Errorf("another installation has it: %v", err)
		}
		for _, text := range []string{"", "x", b.name, b.key + "0", b.key[:len(b.key)-1], strings.ToUpper(b.key), b.key[:7] + flip(b.key[7:])} {
			if _, err := h.View(text); kindOf(err) != errs.NotFound {
				t.Errorf("the key %q: %v", text, err)
			}
		}
		for _, text := range []string{"", "x", b.key, b.name + "0", strings.ToUpper(b.name), b.name[:7] + flip(b.name[7:])} {
			if h.Knows(text) || h.Lives(text) {
				t.Errorf("the name %q is known", text)
			}
		}
	})
}

// flip changes the first character of a text.
func flip(text string) string {
	if text[0] == '0' {
		return "1" + text[1:]
	}
	return "0" + text[1:]
}

// TestExpiry: after 24 hours nothing is left but that the address was one.
func TestExpiry(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := newHub(t)
		b := newBox(t, h)
		b.deliver(nil, "x")
		e, hello := b.watch("")
		if hello.Resumed || hello.Missed {
			t.Errorf("hello is %+v", hello)
		}
		testenv.Advance(play.Lifetime - time.Second)
		b.deliver(nil, "y")
		e.request()
		testenv.Advance(time.Second)
		e.ends()
		if _, err := h.View(b.key); kindOf(err) != errs.NotFound || !strings.Contains(err.Error(), "expired") {
			t.Errorf("the key: %v", err)
		}
		if !h.Knows(b.name) || h.Lives(b.name) {
			t.Error("the name is not that of an inbox that has expired")
		}
		if got := b.deliver(nil, "z"); got.Status != http.StatusGone {
			t.Errorf("a delivery is answered %+v", got)
		}
		if got := b.post(strings.NewReader("z")); got.Code != http.StatusGone {
			t.Errorf("a request is answered %d", got.Code)
		}
		again := newHub(t) // whose memory holds nothing
		if again.Lives(b.name) {
			t.Error("after a restart it lives")
		}
	})
}

// TestAnswers: an inbox answers as it is set, to own deliveries as to strangers.
func TestAnswers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBox(t, newHub(t))
		if got := b.deliver(nil, ""); got != (play.Answer{Status: 200, Body: play.DefaultBody}) {
			t.Errorf("at first %+v", got)
		}
		delay := 30 * time.Second
		b.set(play.Change{Status: new(503), Delay: &delay, Body: new("<script>alert(1)</script>")})
		begin := time.Now()
		if got := b.deliver(nil, ""); got != (play.Answer{Status: 503, Body: "<script>alert(1)</script>"}) || time.Since(begin) != delay {
			t.Errorf("after %s %+v", time.Since(begin), got)
		}
		begin = time.Now()
		got := b.post(strings.NewReader("x"))
		if got.Code != 503 || got.Body.String() != "<script>alert(1)</script>" || time.Since(begin) != delay {
			t.Errorf("after %s %d %s", time.Since(begin), got.Code, got.Body)
		}
		want := http.Header{
			"Content-Type": {"text/plain; charset=utf-8"}, "X-Content-Type-Options": {"nosniff"}, "Content-Security-Policy": {"sandbox; default-src 'none'"},
			"Cross-Origin-Resource-Policy": {"same-origin"}, "Referrer-Policy": {"no-referrer"}, "Cache-Control": {"no-store"}, "Content-Length": {"25"},
		}
		if diff := cmp.Diff(want, got.Header()); diff != "" {
			t.Errorf("header (-want +got):\n%s", diff)
		}
		if r := b.newest(); r.Answered.Status != 503 || r.Own {
			t.Errorf("shown %+v", r)
		}

		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		begin = time.Now()
		_, err := b.h.Take(ctx, b.name, play.Delivery{Method: http.MethodPost})
		if !errors.Is(err, context.DeadlineExceeded) || time.Since(begin) != time.Second {
			t.Errorf("who gives up after a second: %v after %s", err, time.Since(begin))
		}
		if n := len(b.view().Requests); n != 4 {
			t.Errorf("%d requests show, want 4: one whose sender gave up has come, too", n)
		}

		begin = time.Now()
		var wait sync.WaitGroup
		wait.Go(func() { b.deliver(nil, "") })
		synctest.Wait()
		b.h.Close()
		wait.Wait()
		if time.Since(begin) != 0 {
			t.Errorf("the end of the server waits %s for an answer", time.Since(begin))
		}
	})
}

// TestRates hold strangers, and not the server's own deliveries.
func TestRates(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBox(t, newHub(t))
		for i := range 100 {
			if got := b.post(nil); got.Code != 200 {
				t.Fatalf("request %d: %d", i, got.Code)
			}
		}
		if got := b.post(nil); got.Code != http.StatusTooManyRequests || got.Header().Get("Retry-After") != "1" {
			t.Errorf("one more: %d %v", got.Code, got.Header())
		}
		if _, err := b.h.Send(b.key, client(1), play.Sending{}); kindOf(err) != errs.TooMany {
			t.Errorf("sent by its viewer: %v", err)
		}
		for range 1000 {
			b.deliver(nil, "")
		}
		testenv.Advance(time.Second)
		for i := range 21 {
			if got := b.post(nil); (got.Code == 200) != (i < 20) {
				t.Errorf("request %d of the next second: %d", i, got.Code)
			}
		}
		for i := range 21 {
			if _, err := b.h.Set(b.key, play.Change{}); (err == nil) != (i < 20) {
				t.Errorf("change %d: %v", i, err)
			}
		}
	})
}

// TestUnderWay: so many requests of strangers are waited for and no more.
func TestUnderWay(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBox(t, newHub(t))
		delay := 10 * time.Second
		b.set(play.Change{Delay: &delay})
		var wait sync.WaitGroup
		for range 32 {
			wait.Go(func() { b.post(nil) })
		}
		synctest.Wait()
		if got := b.post(nil); got.Code != http.StatusTooManyRequests {
			t.Errorf("one more: %d", got.Code)
		}
		wait.Wait()
		if got := b.post(nil); got.Code != 200 {
			t.Errorf("afterwards: %d", got.Code)
		}
	})
}

// from says whose request it is.
func from(addr string) func(*http.Request) {
	return func(r *http.Request) { r.RemoteAddr = addr + ":4711" }
}

// TestClients: one client who is slow, over however many inboxes, keeps no other out. A proxy that is trusted says who
// the client is, and nobody else does.
func TestClients(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := newHub(t, func(c *play.Config) { c.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")} })
		var boxes []box
		delay := 10 * time.Second
		for range 8 {
			b := newBox(t, h)
			b.set(play.Change{Delay: &delay})
			boxes = append(boxes, b)
		}
		claiming := func(r *http.Request) { r.Header.Set("X-Forwarded-For", "198.51.100.7") }
		var wait sync.WaitGroup
		for i := range 32 {
			wait.Go(func() { boxes[i%8].post(nil, from("192.0.2.1")) })
		}
		synctest.Wait()
		if got := boxes[0].post(nil, from("192.0.2.1"), claiming); got.Code != http.StatusTooManyRequests {
			t.Errorf("one more of the client: %d", got.Code)
		}
		for _, other := range []func(*http.Request){from("192.0.2.2"), from("10.0.0.1")} {
			wait.Go(func() {
				if got := boxes[0].post(nil, other, claiming); got.Code != 200 {
					t.Errorf("another client: %d", got.Code)
				}
			})
		}
		wait.Wait()

		var last *eye
		for i := range 32 {
			last, _ = boxes[i%8].watch("")
		}
		r := httptest.NewRequest(http.MethodGet, "/", nil) // of the same client
		if err := h.Stream(httptest.NewRecorder(), r, boxes[0].key); kindOf(err) != errs.TooMany {
			t.Errorf("one page more of the client: %v", err)
		}
		last.close()
		<-last.ended
		boxes[7].watch("")

		for i := range 9 {
			_, err := h.Read(boxes[i%8].key, client(1))
			if (kindOf(err) == errs.TooMany) != (i == 8) {
				t.Errorf("reading for the time %d: %v", i+1, err)
			}
		}
		if _, err := h.Read(boxes[0].key, client(2)); err != nil {
			t.Errorf("another client reads: %v", err)
		}
	})
}

// door is a listener for one connection.
type door struct {
	conns  chan net.Conn
	closed chan struct{}
}

func (d door) Accept() (net.Conn, error) {
	select {
	case c := <-d.conns:
		return c, nil
	case <-d.closed:
		return nil, net.ErrClosed
	}
}

func (d door) Close() error   { close(d.closed); return nil }
func (d door) Addr() net.Addr { return &net.UnixAddr{} }

// TestSlowBody: who sends a body slowly is answered after 10 s; who waits for an answer is not cut off by that.
func TestSlowBody(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBox(t, newHub(t))
		delay := 25 * time.Second
		b.set(play.Change{Delay: &delay})
		mux := http.NewServeMux()
		mux.Handle(play.Path+"{inbox}", b.h)
		d := door{make(chan net.Conn), make(chan struct{})}
		server := &http.Server{Handler: mux, ReadTimeout: time.Minute}
		var wait sync.WaitGroup
		wait.Go(func() { _ = server.Serve(d) })
		for _, row := range []struct {
			body   string
			length int
			status int
			after  time.Duration
		}{{"half", 8, http.StatusBadRequest, 10 * time.Second}, {"complete", 8, http.StatusOK, delay}, {"", 0, http.StatusOK, delay}} {
			ours, theirs := net.Pipe()
			d.conns <- theirs
			begun := time.Now()
			wait.Go(func() {
				_, _ = fmt.Fprintf(ours, "POST %s%s HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s", play.Path, b.name, row.length, row.body)
			})
			res, err := http.ReadResponse(bufio.NewReader(ours), nil)
			if err != nil {
				t.Fatal(err)
			}
			_ = res.Body.Close()
			if took := time.Since(begun); res.StatusCode != row.status || took != row.after {
				t.Errorf("body %q: %d after %v", row.body, res.StatusCode, took)
			}
			_ = ours.Close()
		}
		_ = server.Close()
		wait.Wait()
	})
}

// TestCreationRate holds a client, who may be a network of IPv6.
func TestCreationRate(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := newHub(t, func(c *play.Config) { c.MaxInboxes = 100_000 })
		made := func(addr string) bool {
			_, err := h.Create(netip.MustParseAddr(addr))
			if err != nil && kindOf(err) != errs.TooMany {
				t.Fatal(err)
			}
			return err == nil
		}
		for i := range 31 {
			if got := made("192.0.2.1"); got != (i < 30) {
				t.Errorf("inbox %d: %v", i, got)
			}
			if got := made(fmt.Sprintf("2001:db8::%x", i)); got != (i < 30) {
				t.Errorf("inbox %d over IPv6: %v", i, got)
			}
		}
		if !made("192.0.2.2") || !made("2001:db8:0:1::") {
			t.Error("a neighbour is held, too")
		}
		testenv.Advance(2 * time.Second)
		if !made("192.0.2.1") || made("192.0.2.1") {
			t.Error("two seconds later there is not one more")
		}
		if _, err := h.Create(netip.Addr{}); err != nil {
			t.Errorf("a client whose address is not known: %v", err)
		}
		refused := 0
		for i := range 5000 { // more than are known apart
			if _, err := h.Create(client(i)); err != nil {
				refused++
			}
		}
		if refused == 0 {
			t.Error("the memory of clients has no bound")
		}
		testenv.Advance(time.Minute)
		for i := range 4000 {
			if _, err := h.Create(client(10_000 + i)); err != nil {
				t.Fatalf("a minute later: %v", err)
			}
		}
	})
}

// TestInboxes: those that hold nothing make room, and later those that nobody uses.
func TestInboxes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := newHub(t, func(c *play.Config) { c.MaxInboxes = 3 })
		full, seen, empty := newBox(t, h), newBox(t, h), newBox(t, h)
		full.deliver(nil, "kept")
		e, _ := seen.watch("")
		testenv.Advance(time.Minute)

		next := newBox(t, h)
		if n := len(full.view().Requests); n != 1 {
			t.Errorf("the full one holds %d", n)
		}
		next.deliver(nil, "kept")
		if _, err := h.Create(client(9)); kindOf(err) != errs.TooMany {
			t.Errorf("there is room for a fourth: %v", err)
		}
		if _, err := h.Take(t.Context(), empty.name, play.Delivery{}); kindOf(err) != errs.TooMany {
			t.Errorf("the one that made room has room: %v", err)
		}
		seen.deliver(nil, "seen")
		if got := e.request(); got.Body != "seen" {
			t.Errorf("its viewer was told %+v", got)
		}

		testenv.Advance(time.Hour)
		empty.deliver(nil, "back")
		if got := empty.newest().Body; got != "back" {
			t.Errorf("it came back with %q", got)
		}
		if _, err := h.Create(client(10)); err != nil {
			t.Errorf("an hour later: %v", err)
		}
		if n := len(seen.view().Requests); n != 1 {
			t.Errorf("the one that is watched holds %d", n)
		}
	})
}

// TestRequestsKept are the newest, up to a number and to bytes.
func TestRequestsKept(t *testing.T) {
	t.Parallel()
	b := newBox(t, newHub(t))
	for i := range 150 {
		b.deliver(nil, fmt.Sprint(i))
	}
	shown := b.view().Requests
	if len(shown) != 100 || shown[0].Body != "149" || shown[99].Body != "50" {
		t.Errorf("%d are kept, from %s to %s", len(shown), shown[len(shown)-1].Body, shown[0].Body)
	}
	for range 50 {
		b.deliver(nil, strings.Repeat("x", 256<<10))
	}
	total := int64(0)
	for _, r := range b.view().Requests {
		total += r.Size
	}
	if total > 2<<20 || total < 7<<18 {
		t.Errorf("%d bytes are kept", total)
	}
	if err := b.h.Clear(b.key); err != nil || len(b.view().Requests) != 0 {
		t.Errorf("cleared: %v", err)
	}
}

// TestBytes: of all that is kept, the oldest of the largest goes first.
func TestBytes(t *testing.T) {
	t.Parallel()
	h := newHub(t, func(c *play.Config) { c.MaxBytes = 100_000 })
	small, large := newBox(t, h), newBox(t, h)
	small.deliver(nil, strings.Repeat("s", 10_000))
	for i := range 20 {
		large.deliver(nil, fmt.Sprint(i)+strings.Repeat("l", 10_000))
	}
	if n := len(small.view().Requests); n != 1 {
		t.Errorf("the small one holds %d", n)
	}
	shown := large.view().Requests
	if n := len(shown); n < 7 || n > 9 || !strings.HasPrefix(shown[0].Body, "19l") {
		t.Errorf("the large one holds %d", n)
	}
	small.deliver(nil, strings.Repeat("s", 200_000)) // alone it is too large
	if n := len(small.view().Requests); n != 0 {
		t.Errorf("more is kept than there is room for")
	}
}

// TestHostile: whatever comes is kept as it is, within bounds, and told as JSON.
func TestHostile(t *testing.T) {
	t.Parallel()
	b := newBox(t, newHub(t))
	header := func(name string, values ...string) func(*http.Request) {
		return func(r *http.Request) { r.Header[name] = values }
	}

	b.post(strings.NewReader("<script>\u2028</script>\r\n"), header("X-Evil", "<b>", "\xe4\xff", "a\tb"), func(r *http.Request) {
		r.RequestURI = play.Path + b.name + "//../%00<i>?q=%3Cb%3E&\xff"
	})
	r := b.newest()
	want := []play.Header{{Name: "Host", Value: "example.com"}, {Name: "X-Evil", Value: "<b>"}, {Name: "X-Evil", Value: "äÿ"}, {Name: "X-Evil", Value: "a\tb"}}
	if diff := cmp.Diff(want, r.Headers); diff != "" || r.Body != "<script>\u2028</script>\r\n" || r.BodyBase64 != nil {
		t.Errorf("%q %s", r.Body, diff)
	}
	if r.Path != "//../%00%3Ci%3E" || r.Query != "q=%3Cb%3E&ÿ" {
		t.Errorf("path %q, query %q", r.Path, r.Query)
	}

	for name, body := range map[string]string{"NUL": "a\x00b", "no UTF-8": "\xff\xfe", "escapes": "\x1b[31m", "delete": "\x7f"} {
		b.deliver(nil, body)
		if r := b.newest(); r.Body != "" || string(r.BodyBase64) != body {
			t.Errorf("%s: %+v", name, r)
		}
	}

	b.post(nil, func(r *http.Request) {
		for i := range 5000 {
			r.Header[fmt.Sprintf("X-%04d", i)] = []string{""}
		}
	})
	if r := b.newest(); len(r.Headers) != 200 || r.HeadersOmitted != 4801 {
		t.Errorf("%d headers are kept, %d are not", len(r.Headers), r.HeadersOmitted)
	}

	euro := strings.Repeat("€", 100_000) // a character is cut at the bound
	b.post(strings.NewReader(euro))
	if r := b.newest(); !r.Truncated || r.Size != 300_000 || len(r.Body) != 262_143 || !strings.HasPrefix(euro, r.Body) {
		t.Errorf("truncated %v, size %d, %d bytes kept", r.Truncated, r.Size, len(r.Body))
	}

	if got := b.post(bytes.NewReader(make([]byte, 2<<20))); got.Code != http.StatusRequestEntityTooLarge {
		t.Errorf("2 MiB, told: %d", got.Code)
	}
	if r := b.newest(); !r.Truncated || r.Size != 2<<20 || len(r.BodyBase64) != 256<<10 || r.Answered.Status != 413 {
		t.Errorf("truncated %v, size %d, %d bytes kept, answered %d", r.Truncated, r.Size, len(r.BodyBase64), r.Answered.Status)
	}
	if got := b.post(struct{ io.Reader }{bytes.NewReader(make([]byte, 2<<20))}, func(r *http.Request) { r.ContentLength = -1 }); got.Code != http.StatusRequestEntityTooLarge {
		t.Errorf("2 MiB, not told: %d", got.Code)
	}
	if r := b.newest(); !r.Truncated || r.Size != 1<<20+1 {
		t.Errorf("truncated %v, size %d", r.Truncated, r.Size)
	}
	before := len(b.view().Requests)
	if got := b.post(io.MultiReader(strings.NewReader("half"), broken{})); got.Code != http.StatusBadRequest || len(b.view().Requests) != before {
		t.Errorf("a body that breaks off: %d", got.Code)
	}
	if _, err := json.Marshal(b.view()); err != nil {
		t.Error(err)
	}
}

// broken is a connection that is cut.
type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

// TestTogether does all at once; the race detector looks on.
func TestTogether(t *testing.T) {
	t.Parallel()
	h := newHub(t, func(c *play.Config) { c.MaxBytes = 1 << 20 })
	one, other := newBox(t, h), newBox(t, h)
	e, _ := one.watch("")
	var wait sync.WaitGroup
	for _, b := range []box{one, other} {
		wait.Go(func() {
			for i := range 300 {
				b.deliver(http.Header{"X-Signing-Token": {"t"}}, strings.Repeat("x", i*30))
			}
		})
		wait.Go(func() {
			for i := range 20 {
				b.set(play.Change{Secret: new(fmt.Sprint("secret ", i))})
			}
		})
		wait.Go(func() {
			for range 50 {
				b.view()
			}
			_ = h.Clear(b.key)
			_, _ = h.Send(b.key, client(1), play.Sending{Sign: true, Body: []byte("x")})
		})
	}
	wait.Wait()
	one.deliver(nil, "the end")
	for e.request().Body != "the end" {
	}
}

// pipe is a ResponseWriter without a network: what is written can be read elsewhere.
type pipe struct {
	header http.Header
	*io.PipeWriter
}

func (p pipe) Header() http.Header { return p.header }
func (p pipe) WriteHeader(int)     {}
func (p pipe) Flush()              {}

// eye watches an inbox.
type eye struct {
	t     *testing.T
	lines *bufio.Scanner
	id    string        // of the last event that had one
	name  string        // of the last event
	close func()        // hangs up
	ended chan struct{} // closed when the stream has ended
}

// watch opens a stream; its first event is read.
func (b box) watch(after string) (*eye, play.Hello) {
	b.t.Helper()
	ctx, cancel := context.WithCancel(b.t.Context())
	r, w := io.Pipe()
	e := &eye{t: b.t, lines: bufio.NewScanner(r), ended: make(chan struct{})}
	e.lines.Buffer(nil, 32<<20)
	e.close = func() { cancel(); _ = r.Close() }
	b.t.Cleanup(e.close)
	request := httptest.NewRequestWithContext(ctx, http.MethodGet, "/", nil)
	request.Header.Set("Last-Event-Id", after)
	go func() {
		defer close(e.ended)
		if err := b.h.Stream(pipe{http.Header{}, w}, request, b.key); err != nil {
			_ = w.CloseWithError(err)
		}
		_ = w.Close()
	}()
	var hello play.Hello
	e.event("hello", &hello)
	return e, hello
}

// event reads up to the next event of a name, and passes over others.
func (e *eye) event(name string, data any) {
	e.t.Helper()
	for e.lines.Scan() {
		switch field, value, _ := strings.Cut(e.lines.Text(), ": "); {
		case field == "event":
			e.name = value
		case field == "id":
			e.id = value
		case field == "data" && e.name == name:
			if err := json.Unmarshal([]byte(value), data); err != nil {
				e.t.Fatal(err)
			}
			return
		}
	}
	e.t.Fatalf("the stream has ended before an event %s: %v", name, e.lines.Err())
}

func (e *eye) request() play.Request {
	e.t.Helper()
	var r play.Request
	e.event("request", &r)
	if r.ID != e.id {
		e.t.Errorf("the event %s is of the request %s", e.id, r.ID)
	}
	return r
}

// ends waits for the end of the stream.
func (e *eye) ends() {
	e.t.Helper()
	for e.lines.Scan() {
	}
	<-e.ended
}

// TestStream shows what comes, goes on where a viewer was, and tells of what it missed.
func TestStream(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := newHub(t)
		b := newBox(t, h)
		b.deliver(nil, "before")
		from := b.view().LastEventID
		e, hello := b.watch("")
		if hello != (play.Hello{ID: from}) {
			t.Errorf("hello is %+v, want the id %s", hello, from)
		}
		for i := range 50 { // more than are written at once
			b.deliver(nil, fmt.Sprint(i))
		}
		for i := range 50 {
			if got := e.request(); got.Body != fmt.Sprint(i) {
				t.Fatalf("request %d is %s", i, got.Body)
			}
		}
		seen := e.id
		e.close()
		<-e.ended
		b.deliver(nil, "missed")
		e, hello = b.watch(seen)
		if !hello.Resumed || hello.Missed || e.request().Body != "missed" {
			t.Errorf("it goes on with %+v", hello)
		}
		if e2, hello := b.watch(from); !hello.Resumed || e2.request().Body != "0" {
			t.Errorf("from the beginning it goes on with %+v", hello)
		}

		b.set(play.Change{Status: new(404)})
		var changed play.Changed
		e.event("change", &changed)
		if changed.Settings.Status != 404 {
			t.Errorf("changed to %+v", changed)
		}
		for range 150 {
			b.deliver(nil, "flood")
		}
		if _, hello := b.watch(seen); !hello.Resumed || !hello.Missed {
			t.Errorf("after a flood: %+v", hello)
		}

		for _, after := range []string{"made up", "x.1", seen + "0", "." + seen} {
			if e, hello := b.watch(after); hello.Resumed || !hello.Missed || e.request().Body != "flood" {
				t.Errorf("after %q: %+v", after, hello)
			}
		}

		h2 := newHub(t) // a restart: the viewer sees what has come since
		restarted := box{t, h2, b.key, b.name}
		restarted.deliver(nil, "since")
		e2, hello := restarted.watch(seen)
		if hello.Resumed || !hello.Missed || e2.request().Body != "since" {
			t.Errorf("after a restart: %+v", hello)
		}
		h2.Close()
		e2.ends()
		if err := h2.Stream(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/", nil), b.key); kindOf(err) != errs.Unavailable {
			t.Errorf("after the end: %v", err)
		}
	})
}

// TestViewers are so many and no more.
func TestViewers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBox(t, newHub(t))
		var last *eye
		for range 16 {
			last, _ = b.watch("")
		}
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		if err := b.h.Stream(httptest.NewRecorder(), r, b.key); kindOf(err) != errs.TooMany {
			t.Errorf("one more: %v", err)
		}
		last.close()
		<-last.ended
		b.watch("")
	})
}

// TestReaders are so many and no more.
func TestReaders(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	var ends []func()
	for i := range 8 {
		b := newBox(t, h)
		for range 4 {
			end, err := h.Read(b.key, client(i))
			if err != nil {
				t.Fatal(err)
			}
			ends = append(ends, end)
		}
		if _, err := h.Read(b.key, client(1)); kindOf(err) != errs.TooMany {
			t.Errorf("one more of an inbox: %v", err)
		}
	}
	b := newBox(t, h)
	if _, err := h.Read(b.key, client(1)); kindOf(err) != errs.TooMany {
		t.Errorf("one more of the process: %v", err)
	}
	ends[0]()
	if _, err := h.Read(b.key, client(1)); err != nil {
		t.Errorf("when one has ended: %v", err)
	}
	if _, err := h.Read("made up", client(1)); kindOf(err) != errs.NotFound {
		t.Errorf("of no inbox: %v", err)
	}
}

// TestNew names what is missing.
func TestNew(t *testing.T) {
	t.Parallel()
	if _, err := play.New(play.Config{}); err == nil || !strings.Contains(err.Error(), "Key") {
		t.Errorf("without a key: %v", err)
	}
}
