package e2e_test

import (
	"context"
	"maps"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	svix "github.com/svix/svix-webhooks/go"
	"github.com/svix/svix-webhooks/go/models"

	"github.com/callboard/callboard/internal/e2e/kit"
	"github.com/callboard/callboard/internal/store/postgres/postgrestest"
)

// pair is two servers on one database.
type pair struct {
	a, b *kit.Server
	url  string
}

func startPair(t *testing.T) pair {
	t.Helper()
	url := postgrestest.Start(t).NewDatabase(t)
	return pair{start(t, kit.Config{DB: url, Secret: loadSecret}), start(t, kit.Config{DB: url, Secret: loadSecret}), url}
}

// awaitIdle waits until the second server has recorded everything that it has sent.
func (p *pair) awaitIdle(t *testing.T) {
	t.Helper()
	kit.Eventually(t, "the second server to be idle", func() bool { return gauge(t, p.b, "callboard_dispatch_unrecorded") == 0 })
}

// TestKillTwoNodes runs two servers on one database, both under load, and kills one: the other takes over what that held.
// Nothing is lost, and only what was in flight at the killed one arrives twice.
func TestKillTwoNodes(t *testing.T) {
	if testing.Short() {
		t.Skip("kills are not for -short")
	}
	t.Parallel()
	p := startPair(t)
	l := newLoad(t, p.a, kit.NewReceiver(t).Hook())
	work := func(enough int) (stop func()) {
		t.Helper()
		ctx, cancel := context.WithCancel(t.Context())
		waitA, waitB := l.insist(ctx, p.a, crowdSize/2), l.insist(ctx, p.b, crowdSize/2)
		enough += l.acceptedCount()
		kit.Eventually(t, "the load to be accepted", func() bool { return l.acceptedCount() >= enough })
		return func() {
			cancel()
			waitA()
			waitB()
		}
	}
	work(1000)()
	l.retryUnanswered(t, p.b)
	l.awaitDelivered(t)
	l.awaitRecorded(t, p.b)
	l.checkArrivedOnce(t)
	refusals, slowest := l.round()
	t.Logf("%d messages through two servers, slowest answer %s", l.acceptedCount(), ms(slowest))

	stop := work(500)
	pause(t, p.a, rand.N(5*time.Millisecond))
	p.a.Kill()
	killed := time.Now()
	stop()
	// What was on the way at the other one ends, long before it takes over.
	p.awaitIdle(t)
	arrived := l.hook.Counts()
	recorded := recordedDeliveries(t, l, p.url)
	idle := time.Since(killed)
	l.retryUnanswered(t, p.b)
	l.awaitDelivered(t)
	l.awaitRecorded(t, p.b)
	over := time.Since(killed)
	inFlight, again := checkDuplicates(t, l, arrived, recorded)
	more, slowest := l.round()
	maps.Copy(refusals, more)
	t.Logf("%d messages accepted, one server killed: the other idle after %s, everything taken over after %s, %d deliveries in flight, %d repeated; slowest answer %s",
		l.acceptedCount(), ms(idle), ms(over), inFlight, again, ms(slowest))
	if over > 30*time.Second {
		t.Errorf("it took %s until the dead server's deliveries were made", over)
	}
	if len(refusals) > 0 {
		t.Errorf("refusals by status: %v, want none", refusals)
	}
	l.checkArrived(t)
	l.checkStored(t, p.b)
}

// TestKillPostgresUnderTwoNodes takes the database away from two servers under load for longer than a server may be gone
// before the others take over what it holds. Neither of them does: a database that cannot be reached says nothing about
// anybody. Both go on, and nothing arrives twice.
func TestKillPostgresUnderTwoNodes(t *testing.T) {
	needPatience(t)
	t.Parallel()
	db := postgrestest.Start(t)
	url := db.NewDatabase(t)
	p := pair{start(t, kit.Config{DB: url, Secret: loadSecret}), start(t, kit.Config{DB: url, Secret: loadSecret}), url}
	l := newLoad(t, p.a, kit.NewReceiver(t).Hook())
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	waitA, waitB := l.insist(ctx, p.a, crowdSize/2), l.insist(ctx, p.b, crowdSize/2)
	kit.Eventually(t, "the load to be accepted", func() bool { return l.acceptedCount() >= 500 })
	// Each has seen the other one alive.
	pause(t, p.a, 3*time.Second)
	db.Kill()
	onTheWay := gauge(t, p.a, "callboard_dispatch_unrecorded") + gauge(t, p.b, "callboard_dispatch_unrecorded")
	accepted := l.acceptedCount()
	pause(t, p.a, 12*time.Second)
	db.Restart(t)
	greenA := untilReady(t, p.a, true)
	greenB := untilReady(t, p.b, true)
	kit.Eventually(t, "the load to go on", func() bool { return l.acceptedCount() >= accepted+500 })
	cancel()
	waitA()
	waitB()
	l.retryUnanswered(t, p.a)
	l.awaitDelivered(t)
	l.awaitRecorded(t, p.b)
	refusals, slowest := l.round()
	t.Logf("killed after %d messages, %d results on the way, %d refusals; green after %s and %s; slowest answer %s",
		accepted, onTheWay, refusals[http.StatusServiceUnavailable], ms(greenA), ms(greenB), ms(slowest))
	for _, s := range []*kit.Server{p.a, p.b} {
		if strings.Contains(s.Log(), "a node has died") {
			t.Errorf("a server took over what the other one held:\n%s", s.Log())
		}
	}
	l.checkArrivedOnce(t)
	l.checkArrived(t)
	l.checkStored(t, p.b)
}

// TestKillFrozenNode freezes one of two servers with rows in memory, as when a machine is suspended, until the other one
// takes it for dead. When it wakes up it finds that out and ends. Nothing is lost; what it sends before it knows arrives
// twice.
func TestKillFrozenNode(t *testing.T) {
	needPatience(t)
	t.Parallel()
	p := startPair(t)
	l := newLoad(t, p.a, kit.NewReceiver(t).Hook())
	gate := make(chan struct{})
	l.hook.Answer(kit.OK.After(gate))
	const posted = 200
	for range posted {
		l.post(t.Context(), p.a, l.newKey())
	}
	kit.Eventually(t, "the endpoint to be busy", func() bool { return len(l.hook.Received()) == gauge(t, p.a, "callboard_dispatch_in_flight") })
	inFlight := len(l.hook.Received())
	p.a.Freeze(t)
	frozen := time.Now()
	l.hook.Answer(kit.OK)
	close(gate)
	l.awaitDelivered(t)
	l.awaitRecorded(t, p.b)
	over := time.Since(frozen)
	p.a.Thaw(t)
	if code := p.a.ExitCode(t); code != 1 {
		t.Errorf("exit code %d of a server that was taken for dead, want 1", code)
	}
	checkLastWords(t, p.a, "silent for too long")
	l.awaitRecorded(t, p.b)
	again := len(l.hook.Received()) - posted
	t.Logf("taken over %s after it froze, with %d deliveries in flight; %d arrived again", ms(over), inFlight, again)
	if again > inFlight {
		t.Errorf("%d of %d messages arrived again, %d were in flight", again, posted, inFlight)
	}
	l.checkArrived(t)
	l.checkStored(t, p.b)
}

// TestTerminateOneNode ends one of two servers under load with SIGTERM. It gives back what it holds, so the other one
// goes on with it at once, and nothing arrives twice.
func TestTerminateOneNode(t *testing.T) {
	t.Parallel()
	p := startPair(t)
	l := newLoad(t, p.a, kit.NewReceiver(t).Hook())
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	waitA, waitB := l.insist(ctx, p.a, crowdSize/2), l.insist(ctx, p.b, crowdSize/2)
	kit.Eventually(t, "the load to be accepted", func() bool { return l.acceptedCount() >= 500 })
	p.a.Terminate(t)
	if code := p.a.ExitCode(t); code != 0 {
		t.Errorf("exit code %d after SIGTERM, want 0:\n%s", code, p.a.Log())
	}
	ended := time.Now()
	cancel()
	waitA()
	waitB()
	l.retryUnanswered(t, p.b)
	l.awaitDelivered(t)
	l.awaitRecorded(t, p.b)
	t.Logf("%d messages accepted; everything was delivered %s after the end of one server", l.acceptedCount(), ms(time.Since(ended)))
	if took := time.Since(ended); took > 8*time.Second {
		t.Errorf("it took %s until everything was delivered, as if the server had been killed", took)
	}
	l.checkArrivedOnce(t)
	l.checkArrived(t)
	l.checkStored(t, p.b)
}

// twoNodes is what the tests of two servers share: an app of each test's own, changed through one server and posted to
// through the other.
type twoNodes struct {
	pair
	token    string
	receiver *kit.Receiver
	a, b     *svix.Svix // clients of either server
}

// TestTwoNodes changes through one server what the other one sends.
func TestTwoNodes(t *testing.T) {
	t.Parallel()
	p := startPair(t)
	token := mint(t, p.a, "--jwt-secret", loadSecret)
	w := &twoNodes{pair: p, token: token, receiver: kit.NewReceiver(t), a: client(t, p.a, token), b: client(t, p.b, token)}
	for name, test := range map[string]func(*testing.T, *twoNodes){
		"endpoints are heard at once":  newEndpoints,
		"a changed URL":                changedURL,
		"disabled and enabled":         disabledAndEnabled,
		"disabled with rows in memory": disabledWithBacklog,
		"a deleted endpoint":           deletedEndpoint,
		"an Idempotency-Key on both":   keyOnBoth,
		"a resend through the other":   resendThroughOther,
	} {
		t.Run(name, func(t *testing.T) { test(t, w) })
	}
}

// heardWithin is how soon a server must send as an endpoint is that was changed through another one. As a rule it takes
// some hundredths of a second; word of a change that gets lost would take more than this.
const heardWithin = 5 * time.Second

// app makes an app with an endpoint through the first server.
func (w *twoNodes) app(t *testing.T, h *kit.Hook) (app, endpoint string) {
	t.Helper()
	made, err := w.a.Application.Create(t.Context(), models.ApplicationIn{Name: t.Name()}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return made.Id, w.endpoint(t, made.Id, h)
}

func (w *twoNodes) endpoint(t *testing.T, app string, h *kit.Hook) string {
	t.Helper()
	made, err := w.a.Endpoint.Create(t.Context(), app, models.EndpointIn{Url: h.URL, Secret: &h.Secret}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return made.Id
}

// patch changes an endpoint through the first server.
func (w *twoNodes) patch(t *testing.T, app, endpoint string, change models.EndpointPatch) {
	t.Helper()
	if _, err := w.a.Endpoint.Patch(t.Context(), app, endpoint, change); err != nil {
		t.Fatal(err)
	}
}

// post posts a message through the second server.
func (w *twoNodes) post(t *testing.T, app string) string {
	t.Helper()
	m, err := w.b.Message.Create(t.Context(), app, models.MessageIn{EventType: "a", Payload: map[string]any{}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return m.Id
}

// awaitStats waits until the deliveries to an endpoint have come to this, as the second server knows.
func (w *twoNodes) awaitStats(t *testing.T, app, endpoint string, want models.EndpointStats) {
	t.Helper()
	var got *models.EndpointStats
	deadline := time.Now().Add(30 * time.Second)
	kit.Eventually(t, "the deliveries", func() bool {
		var err error
		if got, err = w.b.Endpoint.GetStats(t.Context(), app, endpoint, nil); err != nil {
			t.Fatal(err)
		}
		if time.Now().After(deadline) {
			t.Fatalf("deliveries by state (-want +got):\n%s", cmp.Diff(&want, got))
		}
		return *got == want
	})
}

// awaitMoved posts until a message arrives at a hook that the endpoint was just moved to, and tells how long that took.
// By then the second server has heard of that change, and of those before it.
func (w *twoNodes) awaitMoved(t *testing.T, app string, to *kit.Hook) time.Duration {
	t.Helper()
	begin := time.Now()
	before := len(to.Received())
	kit.Eventually(t, "a message at the new URL", func() bool {
		w.post(t, app)
		return len(to.Received()) > before
	})
	return time.Since(begin)
}

func newEndpoints(t *testing.T, w *twoNodes) {
	app, _ := w.app(t, w.receiver.Hook())
	w.post(t, app) // the second server knows the app as it was
	for range 20 {
		h := w.receiver.Hook()
		w.endpoint(t, app, h)
		h.AwaitMessage(t, w.post(t, app), 1)
	}
}

func changedURL(t *testing.T, w *twoNodes) {
	from, to := w.receiver.Hook(), w.receiver.Hook()
	app, endpoint := w.app(t, from)
	from.AwaitMessage(t, w.post(t, app), 1)
	to.Trust(from.Secret)
	w.patch(t, app, endpoint, models.EndpointPatch{Url: &to.URL})
	took := w.awaitMoved(t, app, to)
	t.Logf("heard after %s", ms(took))
	if took > heardWithin {
		t.Errorf("the old URL was in use for %s more", took)
	}
	old := len(from.Received())
	for range 5 {
		to.AwaitMessage(t, w.post(t, app), 1)
	}
	if n := len(from.Received()); n != old {
		t.Errorf("%d messages arrived at the old URL after one had arrived at the new", n-old)
	}
}

func disabledAndEnabled(t *testing.T, w *twoNodes) {
	h := w.receiver.Hook()
	app, endpoint := w.app(t, h)
	h.AwaitMessage(t, w.post(t, app), 1)
	for range 3 {
		w.patch(t, app, endpoint, models.EndpointPatch{Disabled: new(true)})
		missed := w.post(t, app)
		w.patch(t, app, endpoint, models.EndpointPatch{Disabled: new(false)})
		begin := time.Now()
		h.AwaitMessage(t, w.post(t, app), 1)
		t.Logf("heard after %s", ms(time.Since(begin)))
		if took := time.Since(begin); took > heardWithin {
			t.Errorf("the first message to an enabled endpoint took %s", took)
		}
		if n := h.Counts()[missed]; n != 0 {
			t.Errorf("a disabled endpoint heard a message %d times", n)
		}
	}
}

// disabledWithBacklog disables an endpoint while the other server has more rows of it in memory than it may send at
// once. Those that are on the way arrive, the others do not.
func disabledWithBacklog(t *testing.T, w *twoNodes) {
	h, from, to := w.receiver.Hook(), w.receiver.Hook(), w.receiver.Hook()
	app, endpoint := w.app(t, h)
	other := w.endpoint(t, app, from)
	gate := make(chan struct{})
	h.Answer(kit.OK.After(gate))
	const posted = 40
	for range posted {
		w.post(t, app)
	}
	from.Await(t, posted)
	kit.Eventually(t, "the endpoint to be busy", func() bool { return len(h.Received()) == gauge(t, w.pair.b, "callboard_dispatch_in_flight") })
	onTheWay := len(h.Received())
	w.patch(t, app, endpoint, models.EndpointPatch{Disabled: new(true)})
	to.Trust(from.Secret)
	w.patch(t, app, other, models.EndpointPatch{Url: &to.URL})
	w.awaitMoved(t, app, to)
	close(gate)
	w.awaitIdle(t)
	if n := len(h.Received()); n != onTheWay || n >= posted {
		t.Errorf("%d of %d messages arrived, %d of them were on the way when the endpoint was disabled", n, posted, onTheWay)
	}
	w.patch(t, app, endpoint, models.EndpointPatch{Disabled: new(false)})
	h.AwaitMessage(t, w.post(t, app), 1)
}

func deletedEndpoint(t *testing.T, w *twoNodes) {
	h := w.receiver.Hook()
	app, endpoint := w.app(t, h)
	h.AwaitMessage(t, w.post(t, app), 1)
	if err := w.a.Endpoint.Delete(t.Context(), app, endpoint); err != nil {
		t.Fatal(err)
	}
	missed := w.post(t, app)
	marker := w.receiver.Hook()
	w.endpoint(t, app, marker)
	marker.AwaitMessage(t, w.post(t, app), 1)
	if n := h.Counts()[missed]; n != 0 {
		t.Errorf("a deleted endpoint heard a message %d times", n)
	}
}

// keyOnBoth sends requests under one key to both servers at once: they make one message each.
func keyOnBoth(t *testing.T, w *twoNodes) {
	h := w.receiver.Hook()
	app, _ := w.app(t, h)
	const keys = 100
	for n := range keys {
		body := `{"eventType":"a","eventId":"` + strconv.Itoa(n) + `","payload":{}}`
		header := map[string]string{"Idempotency-Key": "key-" + strconv.Itoa(n)}
		answers := make(chan asked, 2)
		for _, s := range []*kit.Server{w.pair.a, w.pair.b} {
			go func() { answers <- ask(t, s, w.token, http.MethodPost, "/api/v1/app/"+app+"/msg", body, header) }()
		}
		one, two := <-answers, <-answers
		if one.status != http.StatusAccepted || one.status != two.status || one.body != two.body {
			t.Fatalf("one key on two servers got %d %s and %d %s", one.status, one.body, two.status, two.body)
		}
	}
	h.Await(t, keys)
	if n := len(h.Counts()); n != keys || len(h.Received()) != keys {
		t.Errorf("%d messages arrived %d times, want %d once", n, len(h.Received()), keys)
	}
}

// resendThroughOther resends through each server what the other one has sent.
func resendThroughOther(t *testing.T, w *twoNodes) {
	h := w.receiver.Hook()
	app, endpoint := w.app(t, h)
	m := w.post(t, app)
	h.AwaitMessage(t, m, 1)
	w.awaitStats(t, app, endpoint, models.EndpointStats{Success: 1})
	for i, c := range []*svix.Svix{w.a, w.b, w.a} {
		if _, err := c.MessageAttempt.Resend(t.Context(), app, m, endpoint, nil); err != nil {
			t.Fatal(err)
		}
		h.AwaitMessage(t, m, i+2)
		w.awaitStats(t, app, endpoint, models.EndpointStats{Success: 1})
	}
	attempts, err := w.b.MessageAttempt.ListByMsg(t.Context(), app, m, nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(attempts.Data) != 4 || len(h.Received()) != 4 {
		t.Errorf("%d attempts are recorded and %d arrived, want 4", len(attempts.Data), len(h.Received()))
	}
}
