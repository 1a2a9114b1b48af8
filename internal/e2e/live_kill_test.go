package e2e_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/callboard/callboard/internal/e2e/kit"
)

// killTimeSpent is how many messages of time spent TestKillTimeSpent has. The soak has 100,000.
var killTimeSpent = flag.Int("kill.timespent", 2000, "how many messages of time spent TestKillTimeSpent kills the server over")

const (
	// fewKills is how often the server is killed at least, and attendancesPerKill how many attendances make one kill more.
	fewKills           = 3
	attendancesPerKill = 10_000
	// mostHalls is how many events there are at most.
	mostHalls = 10
	// activitiesPerRequest is what the API takes at most.
	activitiesPerRequest = 1000
	// longestStay is the most minutes that anybody is in a session.
	longestStay = 50
)

// TestKillTimeSpent kills the server again and again while it tells how long everybody was where. When it is through
// there is exactly one message for each registration and session, with the right minutes, and each has arrived.
func TestKillTimeSpent(t *testing.T) {
	if testing.Short() {
		t.Skip("kills are not for -short")
	}
	t.Parallel()
	onEachStore(t, timeSpentOverKills)
}

func timeSpentOverKills(t *testing.T, store storeUnderTest) {
	s := start(t, kit.Config{DB: store.fresh(t), Secret: loadSecret, Args: []string{"--time-spent-delay", "1s"}})
	o := operator{s, mint(t, s, "--jwt-secret", loadSecret)}
	size := *killTimeSpent / 2 * 2
	hits := 0
	// A few thousand messages are made in a tenth of a second: where the kills came too late there is another event.
	for n := 0; n < mostHalls && hits < fewKills; n++ {
		h := newHall(t, o, size, n)
		hits += h.overKills(t)
		o = h.operator
		if t.Failed() {
			return
		}
	}
	if hits == 0 {
		t.Error("no kill came while time spent was told")
	}
}

// overKills runs the story of one hall, and gives how many kills came while time spent was told.
func (h *hall) overKills(t *testing.T) (hits int) {
	t.Helper()
	begin := time.Now()
	h.attend(t)
	setUp := time.Since(begin)
	h.close(t)
	closed := time.Now()
	kills := 0
	for over := false; !over && kills < fewKills+h.size/attendancesPerKill; kills++ {
		var during bool
		if during, over = h.kill(t); during {
			hits++
		}
	}
	h.ledger.awaitAll(t, h.size)
	delivered := time.Since(closed)
	h.awaitTold(t)
	h.check(t)
	arrived, repeated := h.ledger.counts()
	t.Logf("%d attendances told of in %s; %d of %d kills came while time spent was told; all delivered %s after the end was set, %d of %d again",
		h.size, ms(setUp), hits, kills, ms(delivered), repeated, arrived)
	return hits
}

// hall is an event with two sessions and many people in them.
type hall struct {
	operator
	app    string
	size   int // how many attendances there are: two for each registration
	before int // how many halls of that size there were before in the same database
	end    time.Time
	ledger *ledger
}

// newHall makes the event, whose end is far away at first, and the endpoint that hears time spent.
func newHall(t testing.TB, o operator, size, before int) *hall {
	t.Helper()
	h := &hall{o, o.newApp(t, ""), size, before, time.Now().UTC().Truncate(time.Second), newLedger(t)}
	h.call(t, http.StatusCreated, http.MethodPost, "/app/"+h.app+"/endpoint", fields{
		"url": h.ledger.url, "secret": h.ledger.secret, "filterTypes": []string{"session.time_spent"},
	}, nil)
	h.call(t, http.StatusCreated, http.MethodPost, h.path("/event"), fields{
		"id": "e", "startDate": h.end.Add(-2 * time.Hour), "endDate": h.end.Add(24 * time.Hour),
	}, nil)
	for _, session := range []string{"s0", "s1"} {
		h.call(t, http.StatusCreated, http.MethodPost, h.path("/event/e/session"), fields{"id": session}, nil)
	}
	return h
}

func (h *hall) path(rest string) string { return "/app/" + h.app + rest }

// registration and session are whose attendance the n-th is, and minutes how long it lasts.
func (h *hall) registration(n int) string { return fmt.Sprintf("r%06d", n/2) }
func (h *hall) session(n int) string      { return fmt.Sprintf("s%d", n%2) }
func (h *hall) minutes(n int) int         { return 1 + n%longestStay }

// attend lets everybody come. Nobody leaves before the end.
func (h *hall) attend(t testing.TB) {
	t.Helper()
	for first := 0; first < h.size; first += activitiesPerRequest {
		var all []fields
		for n := first; n < min(first+activitiesPerRequest, h.size); n++ {
			all = append(all, fields{
				"type": "session.joined", "notify": false, "at": h.end.Add(-time.Duration(h.minutes(n)) * time.Minute),
				"data": fields{"eventId": "e", "sessionId": h.session(n), "registration": fields{"id": h.registration(n)}},
			})
		}
		var out struct{ Data []struct{ Status string } }
		h.call(t, http.StatusAccepted, http.MethodPost, h.path("/activity"), fields{"activities": all}, &out)
		for i, told := range out.Data {
			if told.Status != "applied" {
				t.Fatalf("attendance %d was %s", first+i, told.Status)
			}
		}
	}
}

// close sets the end of the event, which is over: time spent is told a second from now.
func (h *hall) close(t testing.TB) {
	t.Helper()
	h.call(t, http.StatusOK, http.MethodPatch, h.path("/event/e"), fields{"endDate": h.end}, nil)
}

// kill kills the server a random moment after some more messages have come, and starts it again. It reports whether
// telling was under way, and whether it was over.
func (h *hall) kill(t *testing.T) (during, over bool) {
	t.Helper()
	more := 1 + rand.IntN(1+h.size/50)
	select {
	case <-h.ledger.reaching(min(h.ledger.distinct()+more, h.size)):
	case <-h.server.Exited():
		t.Fatal("the server has ended")
	case <-time.After(time.Minute):
		t.Fatalf("waited in vain for %d messages more", more)
	}
	pause(t, h.server, rand.N(20*time.Millisecond))
	h.server.Kill()
	told, ended := h.stored(t)
	t.Logf("killed when %d of %d messages were made and %d had arrived", told, h.size, h.ledger.distinct())
	h.server = h.server.Restart(t)
	over = ended == h.size/2
	return told > 0 && !over, over
}

// stored looks into the database of a server that is dead: how many messages there are of time spent in sessions, and of
// those that come last.
func (h *hall) stored(t *testing.T) (told, ended int) {
	t.Helper()
	db := openDatabase(t, h.server.DB)
	defer db.Close()
	count := func(eventType string) (n int) {
		err := db.QueryRowContext(t.Context(), `SELECT count(*) FROM message WHERE type = '`+eventType+`'`).Scan(&n)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	return count("session.time_spent") - h.before*h.size, count("registration.attended") - h.before*h.size/2
}

// awaitTold waits until the last message is made, which is about the last registration.
func (h *hall) awaitTold(t *testing.T) {
	t.Helper()
	kit.Eventually(t, "all to be told", func() bool {
		var page struct{ Data []timeSpent }
		h.call(t, http.StatusOK, http.MethodGet, h.path("/msg?limit=1&event_types=registration.attended"), nil, &page)
		return len(page.Data) > 0 && page.Data[0].Payload.Data.Registration.ID == h.registration(h.size-1)
	})
}

// timeSpent is a message about somebody's attendance, as the API lists it.
type timeSpent struct {
	ID        string
	EventType string
	Payload   struct {
		Data struct {
			Event, Session, Registration struct{ ID string }
			TimeSpentInMinutes           int
		}
	}
}

// about is what a message must be the only one about, and what it tells.
func (m *timeSpent) about() string {
	d := &m.Payload.Data
	return fmt.Sprint(m.EventType, " ", d.Event.ID, " ", d.Registration.ID, " ", d.Session.ID, " ", d.TimeSpentInMinutes)
}

// check compares the messages with what must have been told.
func (h *hall) check(t *testing.T) {
	t.Helper()
	want := map[string]int{}
	for n := range h.size {
		want[fmt.Sprint("session.time_spent e ", h.registration(n), " ", h.session(n), " ", h.minutes(n))]++
		if n%2 == 1 { // the longer one of the two, which both last to the end
			want[fmt.Sprint("event.time_spent e ", h.registration(n), "  ", max(h.minutes(n-1), h.minutes(n)))]++
			want[fmt.Sprint("registration.attended e ", h.registration(n), "  0")]++
		}
	}
	got, ids := map[string]int{}, map[string]bool{}
	h.eachMessage(t, h.app, []string{"session.time_spent", "event.time_spent", "registration.attended", "registration.no_show"}, func(m *timeSpent) {
		got[m.about()]++
		if m.EventType == "session.time_spent" {
			ids[m.ID] = true
		}
	})
	if !maps.Equal(want, got) {
		t.Errorf("%d things were told, want %d (-want +got):\n%.4000s", len(got), len(want), cmp.Diff(want, got))
	}
	if arrived := h.ledger.ids(); !maps.Equal(ids, arrived) {
		t.Errorf("%d different messages arrived, want the %d that there are", len(arrived), len(ids))
	}
}

// eachMessage lists the messages of some types.
func (o operator) eachMessage(t testing.TB, app string, types []string, see func(*timeSpent)) {
	t.Helper()
	query := "?limit=250&event_types=" + strings.Join(types, ",")
	for iterator, done := "", false; !done; {
		var page struct {
			Data     []timeSpent
			Iterator string
			Done     bool
		}
		o.call(t, http.StatusOK, http.MethodGet, "/app/"+app+"/msg"+query+iterator, nil, &page)
		for i := range page.Data {
			see(&page.Data[i])
		}
		iterator, done = "&iterator="+url.QueryEscape(page.Iterator), page.Done
	}
}

// ledger is a receiver that keeps no more of what it takes than how often each message came: there are many. It is safe
// for concurrent use.
type ledger struct {
	url, secret string

	mu      sync.Mutex
	arrived map[string]int // by webhook-id
	wrong   []string
	enough  int           // at so many messages
	reached chan struct{} // is closed
}

// newLedger starts a ledger; it ends with the test, and fails it if something came that does not verify.
func newLedger(t testing.TB) *ledger {
	l := &ledger{secret: kit.NewSecret(), arrived: map[string]int{}}
	server := httptest.NewServer(l)
	l.url = server.URL
	t.Cleanup(func() {
		server.CloseClientConnections()
		server.Close()
		if len(l.wrong) > 0 {
			t.Errorf("%d deliveries are wrong, such as: %s", len(l.wrong), l.wrong[0])
		}
	})
	return l
}

// ServeHTTP implements [http.Handler].
func (l *ledger) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil { // the sender went away in the middle of its request
		return
	}
	problem := kit.Verify(l.secret, body, r.Header)
	var what struct{ Type string }
	if err := json.Unmarshal(body, &what); err != nil || what.Type != "session.time_spent" {
		problem = fmt.Errorf("it is no session.time_spent: %.200s", body)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if problem != nil {
		l.wrong = append(l.wrong, problem.Error())
	}
	l.arrived[r.Header.Get("webhook-id")]++
	if l.reached != nil && len(l.arrived) >= l.enough {
		close(l.reached)
		l.reached = nil
	}
}

// reaching gives a channel that is closed when n messages have come; one at a time.
func (l *ledger) reaching(n int) <-chan struct{} {
	l.mu.Lock()
	defer l.mu.Unlock()
	reached := make(chan struct{})
	if len(l.arrived) >= n {
		close(reached)
		return reached
	}
	l.enough, l.reached = n, reached
	return reached
}

// distinct is how many messages came.
func (l *ledger) distinct() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.arrived)
}

// ids are those of the messages that came.
func (l *ledger) ids() map[string]bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	ids := make(map[string]bool, len(l.arrived))
	for id := range l.arrived {
		ids[id] = true
	}
	return ids
}

// counts are how many deliveries came, and how many of them again.
func (l *ledger) counts() (all, repeated int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, n := range slices.Collect(maps.Values(l.arrived)) {
		all += n
		repeated += n - 1
	}
	return all, repeated
}

// awaitAll waits for n messages as long as more and more of them come.
func (l *ledger) awaitAll(t testing.TB, n int) {
	t.Helper()
	for have := l.distinct(); have < n; have = l.distinct() {
		kit.Eventually(t, fmt.Sprintf("more than %d of %d messages", have, n), func() bool { return l.distinct() > have })
	}
}
