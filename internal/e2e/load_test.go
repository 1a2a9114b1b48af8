package e2e_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	svix "github.com/svix/svix-webhooks/go"
	"github.com/svix/svix-webhooks/go/models"

	"github.com/callboard/callboard/internal/e2e/kit"
)

// loadSecret signs the tokens of servers under load, so that a token outlives its server.
const loadSecret = "the secret of the servers under load"

// load is a backend that posts messages to one app with one endpoint. Each message has an Idempotency-Key of its own,
// which is also its payload, so that what arrives can be traced back to what was asked for.
type load struct {
	token, app, endpoint string
	hook                 *kit.Hook
	client               *http.Client

	mu         sync.Mutex
	keys       int
	accepted   map[string]string   // key → message, of requests that were answered with 2xx
	unanswered map[string]struct{} // keys of requests that were not
	refusals   map[int]int         // number of answers by status, other than 2xx
	slowest    time.Duration       // of all answers
}

// newLoad creates the app and its endpoint.
func newLoad(t testing.TB, s *kit.Server, hook *kit.Hook) *load {
	t.Helper()
	l := &load{
		token:    mint(t, s, "--jwt-secret", loadSecret),
		hook:     hook,
		client:   &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}},
		accepted: map[string]string{}, unanswered: map[string]struct{}{}, refusals: map[int]int{},
	}
	t.Cleanup(l.client.CloseIdleConnections)
	c := client(t, s, l.token)
	app, err := c.Application.Create(t.Context(), models.ApplicationIn{Name: t.Name()}, nil)
	if err != nil {
		t.Fatal(err)
	}
	ep, err := c.Endpoint.Create(t.Context(), app.Id, models.EndpointIn{Url: hook.URL, Secret: &hook.Secret}, nil)
	if err != nil {
		t.Fatal(err)
	}
	l.app, l.endpoint = app.Id, ep.Id
	return l
}

// newKey takes a key that no request had.
func (l *load) newKey() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.keys++
	return fmt.Sprintf("key-%06d", l.keys)
}

func payloadOf(key string) string { return `{"key" : "` + key + `"}` }

// post makes one request and notes its outcome. It reports whether there was an answer at all.
func (l *load) post(ctx context.Context, s *kit.Server, key string) (status int, answered bool) {
	begin := time.Now()
	status, id, err := l.exchange(ctx, s, key)
	l.mu.Lock()
	defer l.mu.Unlock()
	if err != nil {
		l.unanswered[key] = struct{}{}
		return 0, false
	}
	l.slowest = max(l.slowest, time.Since(begin))
	if status/100 == 2 {
		l.accepted[key] = id
		delete(l.unanswered, key)
	} else {
		l.unanswered[key] = struct{}{}
		l.refusals[status]++
	}
	return status, true
}

func (l *load) exchange(ctx context.Context, s *kit.Server, key string) (status int, id string, err error) {
	body := `{"eventType":"load","payload":` + payloadOf(key) + `}`
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.URL+"/api/v1/app/"+l.app+"/msg", strings.NewReader(body))
	if err != nil {
		return 0, "", err
	}
	// Without it net/http cannot repeat a request by itself, so one call is one request.
	req.GetBody = nil
	req.Header.Set("Authorization", "Bearer "+l.token)
	req.Header.Set("Idempotency-Key", key)
	resp, err := l.client.Do(req)
	if err != nil {
		return 0, "", err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return 0, "", err
	}
	if resp.StatusCode/100 != 2 {
		return resp.StatusCode, "", nil
	}
	var out struct{ ID string }
	err = json.Unmarshal(text, &out)
	return resp.StatusCode, out.ID, err
}

// crowd posts from so many connections at once until ctx ends or the server no longer answers. The function that it
// returns waits for the end.
func (l *load) crowd(ctx context.Context, s *kit.Server, connections int) (wait func()) {
	var group sync.WaitGroup
	for range connections {
		group.Go(func() {
			for ctx.Err() == nil {
				// A request that is under way is not cut by ctx.
				if _, answered := l.post(context.WithoutCancel(ctx), s, l.newKey()); !answered {
					return
				}
			}
		})
	}
	return group.Wait
}

// insistPause is how long a client waits before it repeats a request that was refused.
const insistPause = 50 * time.Millisecond

// insist is a crowd whose requests are repeated under their keys until they are accepted, as the clients of Svix do. A
// connection that gets no answer ends.
func (l *load) insist(ctx context.Context, s *kit.Server, connections int) (wait func()) {
	var group sync.WaitGroup
	for range connections {
		group.Go(func() {
			for key := l.newKey(); ctx.Err() == nil; {
				switch status, answered := l.post(context.WithoutCancel(ctx), s, key); {
				case !answered:
					return
				case status/100 == 2:
					key = l.newKey()
				default:
					select {
					case <-time.After(insistPause):
					case <-ctx.Done():
					}
				}
			}
		})
	}
	return group.Wait
}

// round gives what answers other than 2xx there were since it was last called, by status, and the slowest answer.
func (l *load) round() (refusals map[int]int, slowest time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	refusals, slowest = l.refusals, l.slowest
	l.refusals, l.slowest = map[int]int{}, 0
	return refusals, slowest
}

// acceptedCount is how many messages were accepted so far.
func (l *load) acceptedCount() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.accepted)
}

// messages gives the accepted messages, each with its key.
func (l *load) messages() map[string]string {
	l.mu.Lock()
	defer l.mu.Unlock()
	out := make(map[string]string, len(l.accepted))
	for key, id := range l.accepted {
		out[id] = key
	}
	return out
}

// retryUnanswered repeats, under its key, every request that was not accepted, as the clients of Svix do.
func (l *load) retryUnanswered(t testing.TB, s *kit.Server) int {
	t.Helper()
	l.mu.Lock()
	keys := slices.Sorted(maps.Keys(l.unanswered))
	l.mu.Unlock()
	for _, key := range keys {
		if status, answered := l.post(t.Context(), s, key); status != http.StatusAccepted {
			t.Fatalf("the retry of %s got status %d, answered %t", key, status, answered)
		}
	}
	return len(keys)
}

// checkArrivedOnce fails the test if a message has arrived more than once.
func (l *load) checkArrivedOnce(t testing.TB) {
	t.Helper()
	for message, n := range l.hook.Counts() {
		if n != 1 {
			t.Errorf("%s arrived %d times", message, n)
		}
	}
}

// awaitDelivered waits until every accepted message has arrived.
func (l *load) awaitDelivered(t testing.TB) {
	t.Helper()
	l.awaitDeliveredBut(t, nil)
}

// awaitDeliveredBut waits until every accepted message has arrived, but for those that are excused.
func (l *load) awaitDeliveredBut(t testing.TB, excused map[string]bool) {
	t.Helper()
	want := l.messages()
	var missing []string
	deadline := time.Now().Add(50 * time.Second)
	kit.Eventually(t, fmt.Sprintf("%d messages to arrive", len(want)), func() bool {
		got := l.hook.Counts()
		missing = missing[:0]
		for id, key := range want {
			if got[id] == 0 && !excused[id] {
				missing = append(missing, key+" "+id)
			}
		}
		if len(missing) > 0 && time.Now().After(deadline) {
			slices.Sort(missing)
			t.Fatalf("%d of %d accepted messages were lost, such as %s", len(missing), len(want), missing[0])
		}
		return len(missing) == 0
	})
}

// awaitRecorded waits until the server knows every accepted message as delivered, and no other.
func (l *load) awaitRecorded(t testing.TB, s *kit.Server) {
	t.Helper()
	c, want := client(t, s, l.token), models.EndpointStats{Success: int64(l.acceptedCount())}
	var got *models.EndpointStats
	deadline := time.Now().Add(50 * time.Second)
	kit.Eventually(t, "all deliveries to be recorded", func() bool {
		var err error
		if got, err = c.Endpoint.GetStats(t.Context(), l.app, l.endpoint, nil); err != nil {
			t.Fatal(err)
		}
		if time.Now().After(deadline) {
			t.Fatalf("deliveries by state (-want +recorded):\n%s", cmp.Diff(&want, got))
		}
		return *got == want
	})
}

// checkArrived fails the test unless everything that arrived was asked for: a known message with the bytes of its key.
func (l *load) checkArrived(t testing.TB) {
	t.Helper()
	known := l.messages()
	for _, d := range l.hook.Received() {
		if key, ok := known[d.ID]; !ok {
			t.Errorf("%s arrived and was never accepted: %s", d.ID, d.Body)
		} else if want := payloadOf(key); !bytes.Equal(d.Body, []byte(want)) {
			t.Errorf("%s arrived as %q, want %q", d.ID, d.Body, want)
		}
	}
}

// checkStored fails the test unless the server has exactly the accepted messages, each of them once.
func (l *load) checkStored(t testing.TB, s *kit.Server) {
	t.Helper()
	want := l.messages()
	if len(want) != l.acceptedCount() {
		t.Errorf("%d keys were answered with %d messages", l.acceptedCount(), len(want))
	}
	got := map[string]string{}
	c := client(t, s, l.token)
	options := &svix.MessageListOptions{Limit: new(uint64(250))}
	for {
		page, err := c.Message.List(t.Context(), l.app, options)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range page.Data {
			if _, twice := got[m.Id]; twice {
				t.Fatalf("%s is listed twice", m.Id)
			}
			got[m.Id], _ = m.Payload["key"].(string)
		}
		if page.Done {
			break
		}
		options.Iterator = page.Iterator
	}
	if !maps.Equal(want, got) {
		t.Errorf("stored messages (-accepted +stored):\n%s", cmp.Diff(want, got))
	}
}
