package kit

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	svix "github.com/svix/svix-webhooks/go"
)

// Delivery is a request that a hook received.
type Delivery struct {
	ID     string // the header webhook-id
	Header http.Header
	Body   []byte
	At     time.Time // when the body had arrived
}

// Receiver is an HTTP server on loopback that takes webhooks on any number of paths.
type Receiver struct {
	t      testing.TB
	server *httptest.Server
	ending chan struct{} // closed before the server waits for its handlers

	mu    sync.Mutex
	hooks map[string]*Hook
	open  map[net.Conn]struct{}
}

// NewReceiver starts a receiver, which ends with the test.
func NewReceiver(t testing.TB) *Receiver {
	r := &Receiver{t: t, ending: make(chan struct{}), hooks: map[string]*Hook{}, open: map[net.Conn]struct{}{}}
	r.server = httptest.NewUnstartedServer(r)
	r.server.Config.ConnState = r.count
	r.server.Start()
	t.Cleanup(func() {
		close(r.ending)
		r.server.CloseClientConnections()
		r.server.Close()
	})
	return r
}

// count keeps the set of open connections.
func (r *Receiver) count(conn net.Conn, state http.ConnState) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch state {
	case http.StateNew:
		r.open[conn] = struct{}{}
	case http.StateClosed, http.StateHijacked:
		delete(r.open, conn)
	}
}

// AwaitQuiet waits until no connection is open, which means, when the sender is dead, that everything that it had sent
// has been recorded.
func (r *Receiver) AwaitQuiet(t testing.TB) {
	t.Helper()
	Eventually(t, "the receiver's connections to end", func() bool {
		r.mu.Lock()
		defer r.mu.Unlock()
		return len(r.open) == 0
	})
}

// Hook is one path of a receiver: the URL and secret of one endpoint. It verifies what comes with Svix's own library,
// fails the test if that does not verify, records it, and answers as it was told; 200 unless told otherwise. It is safe
// for concurrent use.
type Hook struct {
	URL    string
	Secret string // whsec_…; the one to create the endpoint with

	receiver *Receiver
	mu       sync.Mutex
	trusted  []string
	answers  []Answer // the n-th delivery gets the n-th, the last one again and again
	received []Delivery
}

// Hook makes a path of its own, with a secret of its own.
func (r *Receiver) Hook() *Hook {
	secret := NewSecret()
	r.mu.Lock()
	defer r.mu.Unlock()
	path := "/" + strconv.Itoa(len(r.hooks)+1)
	h := &Hook{URL: r.server.URL + path, Secret: secret, receiver: r, trusted: []string{secret}, answers: []Answer{OK}}
	r.hooks[path] = h
	return h
}

// NewSecret makes a signing secret.
func NewSecret() string {
	key := make([]byte, 32)
	_, _ = rand.Read(key) // never fails
	return "whsec_" + base64.StdEncoding.EncodeToString(key)
}

// ServeHTTP implements [http.Handler].
func (r *Receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	r.mu.Lock()
	h := r.hooks[req.URL.Path]
	r.mu.Unlock()
	if h == nil {
		http.NotFound(w, req)
		return
	}
	body, err := io.ReadAll(req.Body)
	if err != nil { // the sender went away in the middle of its request
		return
	}
	if err := h.verify(body, req.Header); err != nil {
		r.t.Errorf("a delivery to %s does not verify: %v", h.URL, err)
	}
	h.record(Delivery{ID: req.Header.Get("webhook-id"), Header: req.Header.Clone(), Body: body, At: time.Now()}).
		write(w, req, r.ending)
}

// Trust makes the hook accept one more secret: after a rotation, or when the server chose the secret.
func (h *Hook) Trust(secret string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.trusted = append(h.trusted, secret)
}

func (h *Hook) verify(body []byte, header http.Header) error {
	h.mu.Lock()
	trusted := h.trusted
	h.mu.Unlock()
	var problems []error
	for _, secret := range trusted {
		err := Verify(secret, body, header)
		if err == nil {
			return nil
		}
		problems = append(problems, err)
	}
	return errors.Join(problems...)
}

// Verify checks a delivery with Svix's library, once by its svix-* headers and once by its webhook-* headers.
func Verify(secret string, body []byte, header http.Header) error {
	wh, err := svix.NewWebhook(secret)
	if err != nil {
		return err
	}
	for _, prefix := range []string{"svix-", "webhook-"} {
		if err := wh.Verify(body, only(header, prefix)); err != nil {
			return err
		}
	}
	return nil
}

func only(header http.Header, prefix string) http.Header {
	out := header.Clone()
	maps.DeleteFunc(out, func(name string, _ []string) bool { return !strings.HasPrefix(strings.ToLower(name), prefix) })
	return out
}

// record keeps a delivery and gives the answer that is its turn.
func (h *Hook) record(d Delivery) Answer {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.received = append(h.received, d)
	return h.answers[min(len(h.received), len(h.answers))-1]
}

// Answer tells the hook how to answer from its first delivery on: one answer each, the last one for all that follow.
// Deliveries of the past do not count.
func (h *Hook) Answer(answers ...Answer) {
	h.mu.Lock()
	defer h.mu.Unlock()
	past := make([]Answer, len(h.received))
	h.answers = append(past, answers...)
}

// Received gives all deliveries so far, in the order of their arrival.
func (h *Hook) Received() []Delivery {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clip(h.received)
}

// Counts gives the number of deliveries of every message, by webhook-id.
func (h *Hook) Counts() map[string]int {
	counts := map[string]int{}
	for _, d := range h.Received() {
		counts[d.ID]++
	}
	return counts
}

// Await waits until n deliveries have come and gives all.
func (h *Hook) Await(t testing.TB, n int) []Delivery {
	t.Helper()
	Eventually(t, strconv.Itoa(n)+" deliveries", func() bool { return len(h.Received()) >= n })
	return h.Received()
}

// AwaitMessage waits until n deliveries of a message have come and gives them.
func (h *Hook) AwaitMessage(t testing.TB, id string, n int) []Delivery {
	t.Helper()
	var found []Delivery
	Eventually(t, strconv.Itoa(n)+" deliveries of "+id, func() bool {
		found = found[:0]
		for _, d := range h.Received() {
			if d.ID == id {
				found = append(found, d)
			}
		}
		return len(found) >= n
	})
	return found
}

// Answer is how a hook answers a delivery. Its zero value is no answer at all; use [OK] and the functions below.
type Answer struct {
	status int
	header http.Header
	body   []byte
	after  <-chan struct{} // the answer waits for this; nil = at once
	never  bool
	drop   bool
}

// OK is 200 without a body.
var OK = Status(http.StatusOK)

// Hang never answers.
var Hang = Answer{never: true}

// Drop closes the connection instead of an answer.
var Drop = Answer{drop: true}

// Status answers with a status.
func Status(code int) Answer { return Answer{status: code} }

// With adds a header, such as Retry-After or webhook-delivery.
func (a Answer) With(name, value string) Answer {
	a.header = a.header.Clone()
	if a.header == nil {
		a.header = http.Header{}
	}
	a.header.Set(name, value)
	return a
}

// WithBody adds a body.
func (a Answer) WithBody(text string) Answer {
	a.body = []byte(text)
	return a
}

// WithBigBody adds a body of that many letters.
func (a Answer) WithBigBody(bytesCount int) Answer {
	a.body = bytes.Repeat([]byte("x"), bytesCount)
	return a
}

// After makes the answer wait until the channel is closed.
func (a Answer) After(ready <-chan struct{}) Answer {
	a.after = ready
	return a
}

// Times repeats an answer, for a script such as append(Status(500).Times(3), OK).
func (a Answer) Times(n int) []Answer {
	out := make([]Answer, n)
	for i := range out {
		out[i] = a
	}
	return out
}

// write answers. Waiting ends with the request or with the receiver.
func (a Answer) write(w http.ResponseWriter, req *http.Request, ending <-chan struct{}) {
	if a.drop {
		if conn, _, err := http.NewResponseController(w).Hijack(); err == nil {
			_ = conn.Close()
		}
		return
	}
	if a.never || a.after != nil {
		select {
		case <-a.after: // nil for never
		case <-req.Context().Done():
			return
		case <-ending:
			return
		}
	}
	maps.Copy(w.Header(), a.header)
	w.WriteHeader(a.status)
	_, _ = w.Write(a.body) // the sender may stop reading
}
