package e2e_test

import (
	"bufio"
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/callboard/callboard/internal/e2e/kit"
)

// watcher follows an app's stream, over connections that end, and keeps what it was told.
type watcher struct {
	t          *testing.T
	token, app string

	mu     sync.Mutex
	last   string
	told   []string // ids of attempts, in the order in which they came
	missed int
	hellos int
	topics map[string]bool
}

// follow connects to a server, from the last event on, until the connection ends or stop is called.
func (w *watcher) follow(s *kit.Server) (stop func()) {
	w.t.Helper()
	ctx, cancel := context.WithCancel(w.t.Context())
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, s.URL+"/api/v1/app/"+w.app+"/stream", nil)
	if err != nil {
		w.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+w.token)
	w.mu.Lock()
	if w.last != "" {
		r.Header.Set("Last-Event-ID", w.last)
	}
	before := w.hellos
	w.mu.Unlock()
	res, err := http.DefaultClient.Do(r) //nolint:bodyclose // the goroutine below does
	if err != nil || res.StatusCode != http.StatusOK {
		w.t.Fatalf("stream: %v, %v", res, err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer func() { _ = res.Body.Close() }()
		w.read(bufio.NewScanner(res.Body))
	}()
	kit.Eventually(w.t, "the stream to begin", func() bool {
		w.mu.Lock()
		defer w.mu.Unlock()
		return w.hellos > before
	})
	return func() { cancel(); <-done }
}

// read hears events as they end, each with an empty line: one that is cut off was not told.
func (w *watcher) read(lines *bufio.Scanner) {
	var name, id, data string
	for lines.Scan() {
		if lines.Text() == "" {
			if data != "" {
				w.hear(name, id, data)
			}
			name, id, data = "", "", ""
			continue
		}
		field, value, _ := strings.Cut(lines.Text(), ": ")
		switch field {
		case "event":
			name = value
		case "id":
			id = value
		case "data":
			data = value
		}
	}
}

func (w *watcher) hear(name, id, data string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	var event struct {
		Missed  bool
		Topics  []string
		Attempt struct{ ID string }
	}
	if err := json.Unmarshal([]byte(data), &event); err != nil {
		w.t.Errorf("%s: %v", data, err)
	}
	if id != "" {
		w.last = id
	}
	switch name {
	case "hello":
		w.hellos++
		if event.Missed {
			w.missed++
		}
	case "attempt":
		w.told = append(w.told, event.Attempt.ID)
	case "change":
		for _, topic := range event.Topics {
			w.topics[topic] = true
		}
	}
}

// ids gives what was told so far, sorted.
func (w *watcher) ids() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Sorted(slices.Values(w.told))
}

// recordedAttempts are the ids of all attempts at the load's endpoint, sorted.
func recordedAttempts(t *testing.T, s *kit.Server, l *load) (ids []string) {
	t.Helper()
	for iterator := ""; ; {
		got := ask(t, s, l.token, http.MethodGet,
			"/api/v1/app/"+l.app+"/attempt/endpoint/"+l.endpoint+"?limit=250&with_content=false&iterator="+url.QueryEscape(iterator), "", nil)
		var page struct {
			Data     []struct{ ID string }
			Iterator string
			Done     bool
		}
		if err := json.Unmarshal([]byte(got.body), &page); err != nil || got.status != http.StatusOK {
			t.Fatalf("status %d, %v: %s", got.status, err, got.body)
		}
		for _, a := range page.Data {
			ids = append(ids, a.ID)
		}
		if page.Done {
			return slices.Sorted(slices.Values(ids))
		}
		iterator = page.Iterator
	}
}

// toldEverything waits until the stream has told each attempt, once.
func (w *watcher) toldEverything(s *kit.Server, l *load) {
	w.t.Helper()
	want := recordedAttempts(w.t, s, l)
	kit.Eventually(w.t, "everything to be told", func() bool { return len(w.ids()) >= len(want) })
	if diff := cmp.Diff(want, w.ids()); diff != "" {
		w.t.Errorf("attempts (-recorded +told):\n%s", diff)
	}
	if w.missed > 0 {
		w.t.Errorf("%d times something was missed", w.missed)
	}
}

// TestStreamResumes follows an app while messages are delivered, over a server that is killed and one that is stopped:
// each attempt is told once.
func TestStreamResumes(t *testing.T) {
	t.Parallel()
	onEachStore(t, func(t *testing.T, store storeUnderTest) {
		s := start(t, kit.Config{DB: store.fresh(t), Secret: loadSecret, Args: []string{"--retry-schedule", "100ms"}})
		l := newLoad(t, s, kit.NewReceiver(t).Hook())
		l.hook.Answer(kit.Status(http.StatusServiceUnavailable), kit.OK)
		w := &watcher{t: t, token: l.token, app: l.app, topics: map[string]bool{}}
		post := func(n int) {
			for range n {
				l.post(t.Context(), s, l.newKey())
			}
		}
		stop := w.follow(s)
		post(40)
		l.awaitDelivered(t)
		l.awaitRecorded(t, s)
		w.toldEverything(s, l)
		kit.Eventually(t, "word of messages", func() bool {
			w.mu.Lock()
			defer w.mu.Unlock()
			return w.topics["message"]
		})
		post(40)
		stop() // somewhere on the way
		post(40)
		stop = w.follow(s)
		post(20)
		s.Kill()
		stop()
		s = s.Restart(t)
		stop = w.follow(s)
		post(20)
		l.retryUnanswered(t, s)
		l.awaitDelivered(t)
		l.awaitRecorded(t, s)
		w.toldEverything(s, l)

		s.Terminate(t)
		<-s.Exited() // a listener does not keep it from that
		stop()
		s = s.Restart(t)
		stop = w.follow(s)
		post(10)
		l.awaitDelivered(t)
		l.awaitRecorded(t, s)
		w.toldEverything(s, l)
		stop()
	})
}

// TestStreamOfTwoServers follows an app at one of two servers that both deliver, and goes on at the other.
func TestStreamOfTwoServers(t *testing.T) {
	t.Parallel()
	p := startPair(t)
	l := newLoad(t, p.a, kit.NewReceiver(t).Hook())
	w := &watcher{t: t, token: l.token, app: l.app, topics: map[string]bool{}}
	stop := w.follow(p.a)
	post := func(n int) {
		for range n {
			l.post(t.Context(), p.a, l.newKey())
			l.post(t.Context(), p.b, l.newKey())
		}
	}
	post(50)
	l.awaitDelivered(t)
	l.awaitRecorded(t, p.b)
	w.toldEverything(p.b, l)
	kit.Eventually(t, "word of what the other server does", func() bool {
		w.mu.Lock()
		defer w.mu.Unlock()
		return w.topics["source"] // of which there are none: all topics are told at once
	})
	post(50)
	stop()
	post(10)
	stop = w.follow(p.b)
	post(50)
	l.awaitDelivered(t)
	l.awaitRecorded(t, p.b)
	w.toldEverything(p.b, l)
	stop()
}
