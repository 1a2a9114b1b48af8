package e2e_test

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/callboard/callboard/internal/e2e/kit"
)

// TestKillSources kills the server with SIGKILL while webhooks come in, -kill.rounds times. What was answered 200 is there:
// its message, once, and what live state made of it; what was not answered is sent again, as vendors do, and makes one
// message too.
func TestKillSources(t *testing.T) {
	if testing.Short() {
		t.Skip("kills are not for -short")
	}
	t.Parallel()
	onEachStore(t, sourcesOverKills)
}

func sourcesOverKills(t *testing.T, store storeUnderTest) {
	s := start(t, kit.Config{DB: store.fresh(t)})
	o, box := operator{s, mint(t, s)}, newOffice(t).box(t, "zuddl")
	app := o.newApp(t, "")
	endpoint := o.endpoint(t, app, box, nil)
	r := &rush{inlet: o.inlet(t, app, vendorNamed("zuddl"), nil), answered: map[int]bool{}}
	for range *killRounds {
		hit := r.killAtRandom(t)
		s = r.server.Restart(t)
		r.server, r.token = s, mint(t, s)
		r.url = s.URL + "/in/" + r.id
		again := r.sendAgain(t)
		r.settle(t, app, endpoint, int64(len(r.answered)), 0)
		r.checkPresence(t)
		t.Logf("killed after %d webhooks were taken: %d had no answer", hit, again)
	}
	distinct := map[string]bool{}
	for _, body := range bodiesOf(box) {
		distinct[body] = true
	}
	for n := range r.answered {
		if !distinct[joinOf(n)] {
			t.Fatalf("webhook %d was taken and did not come out", n)
		}
	}
	if len(distinct) != len(r.answered) {
		t.Errorf("%d webhooks came out, %d were sent", len(distinct), len(r.answered))
	}
}

// rush is many webhooks at once, each of another person who joins a session.
type rush struct {
	*inlet
	mu       sync.Mutex
	answered map[int]bool // by the number of a webhook that was sent: with 200, or not at all
	taken    int
}

// joinOf is a webhook of Zuddl's.
func joinOf(n int) string {
	return fmt.Sprintf(`{"action":"JOINED_SESSION","actionId":"join-%d","actionCreatedAt":"2025-04-11T12:30:00Z",`+
		`"registration":{"id":"r%d"},"event":{"id":"e","name":"Tides"},"session":{"id":"s","title":"Ebb"}}`, n, n)
}

// take takes the number of the next webhook.
func (r *rush) take() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	n := len(r.answered)
	r.answered[n] = false
	return n
}

// send posts a webhook, and reports whether it was answered with 200.
func (r *rush) send(t *testing.T, n int) bool {
	status, answer, err := r.exchange(t.Context(), joinOf(n), r.sign("", joinOf(n)))
	if err != nil {
		return false
	}
	if status != http.StatusOK {
		t.Errorf("webhook %d was answered %d %s", n, status, answer)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.answered[n] {
		r.answered[n] = true
		r.taken++
	}
	return true
}

func (r *rush) takenCount() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.taken
}

// killAtRandom kills the server in the middle of a rush, and tells how many webhooks had been taken.
func (r *rush) killAtRandom(t *testing.T) int {
	t.Helper()
	var crowd sync.WaitGroup
	for range crowdSize {
		crowd.Go(func() {
			for r.send(t, r.take()) {
			}
		})
	}
	enough := r.takenCount() + 1 + rand.IntN(500)
	kit.Eventually(t, "webhooks to be taken", func() bool { return r.takenCount() >= enough })
	select {
	case <-time.After(rand.N(5 * time.Millisecond)):
	case <-r.server.Exited():
		t.Fatal("the server ended before it was killed")
	}
	r.server.Kill()
	crowd.Wait()
	return r.takenCount()
}

// sendAgain sends what was not answered, and some that was; it tells how many of the former there were.
func (r *rush) sendAgain(t *testing.T) (again int) {
	t.Helper()
	for n := range len(r.answered) {
		unanswered := !r.answered[n]
		if unanswered {
			again++
		}
		if (unanswered || n%50 == 0) && !r.send(t, n) {
			t.Fatalf("webhook %d got no answer after the restart", n)
		}
	}
	return again
}

// checkPresence compares live state with what was taken: each webhook was of one more person.
func (r *rush) checkPresence(t *testing.T) {
	t.Helper()
	var report struct{ Totals struct{ Present int } }
	r.call(t, http.StatusOK, http.MethodGet, "/app/"+r.app+"/event/e/attendance", nil, &report)
	if report.Totals.Present != len(r.answered) {
		t.Errorf("%d are present, want %d", report.Totals.Present, len(r.answered))
	}
}
