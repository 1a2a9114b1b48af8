package e2e_test

import (
	"flag"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/callboard/callboard/internal/commit"
	"github.com/callboard/callboard/internal/delivery"
	"github.com/callboard/callboard/internal/e2e/browser"
	"github.com/callboard/callboard/internal/e2e/kit"
	"github.com/callboard/callboard/internal/id"
	"github.com/callboard/callboard/internal/store"
	"github.com/callboard/callboard/internal/store/sqlite"
)

// storedDeliveries is how many deliveries TestBrowserMany stores; docs/performance.md has figures for 1,000,000.
var storedDeliveries = flag.Int("browser.deliveries", 5000, "how many deliveries TestBrowserMany stores")

// TestBrowserMany opens pages of an app that has many deliveries, finds some by filters and keys, and logs how long that
// took by the browser's clock and what it cost the server. The times are to be read, not held: on a busy machine they say
// little.
func TestBrowserMany(t *testing.T) {
	needBrowser(t)
	t.Parallel()
	s, app := crowd(t, *storedDeliveries)
	o := &shop{operator: operator{s, mint(t, s)}, page: signIn(t, s), app: app}
	p := o.page
	const rows = `document.querySelectorAll('main tbody tr').length >= 50 && shown('order.paid')`
	for _, view := range []struct{ path, ready string }{
		{"/deliveries", rows},
		{"/deliveries", rows + ` && shown(' failed')`},
		{"/deliveries?status=pending", rows},
		{"/deliveries?status=fail", `shown('The receiver is not available')`},
		{"/deliveries?status=fail&event_types=no.such", `shown('No delivery fits these filters')`},
		{"/overview", `shown('undelivered') && shown('Till 3')`},
		{"/endpoints", `shown('Till 0') && shown('Till 3')`},
	} {
		spent := processorTime(t, s)
		o.open(view.path)
		report(t, s, view.path, until(p, view.ready), spent)
	}

	o.open("/deliveries")
	until(p, rows)
	spent, begin := processorTime(t, s), until(p, "true")
	p.Press("j")
	report(t, s, "the key j", until(p, `document.activeElement.closest('tbody') !== null`)-begin, spent)
	spent, begin = processorTime(t, s), until(p, "true")
	p.Choose("Status", "Failed")
	report(t, s, "choosing what failed", until(p, `shown('The receiver is not available')`)-begin, spent)
	p.AwaitURL(`\?status=fail$`)
	p.Reload() // keys of the table count where the focus is in no field
	until(p, `shown('The receiver is not available')`)
	p.Press("j", "Enter")
	p.AwaitURL("/deliveries/msg_[^/]+/ep_")
	p.See("It was given up")

	// Nothing tells where a type is among so many but a look at all of them, which can be stopped.
	spent = processorTime(t, s)
	o.open("/deliveries?event_types=no.such")
	report(t, s, "searched in vain, or still searching", until(p, `shown('No delivery fits these filters') || performance.now() > 10000 && shown('Searching further back')`), spent)
}

func report(t *testing.T, s *kit.Server, what string, took, spent time.Duration) {
	t.Helper()
	t.Logf("%-45s %5d ms, of the server %4d ms of processor time", what, took.Milliseconds(), (processorTime(t, s) - spent).Milliseconds())
}

// until waits in the page for a condition, in which shown looks for a text, and gives how long that was after the page
// was asked for.
func until(p *browser.Page, condition string) time.Duration {
	ms := browser.Eval[float64](p, `new Promise((done) => {
		const shown = (text) => document.querySelector('main')?.innerText.includes(text)
		const look = () => (`+condition+`) ? done(performance.now()) : setTimeout(look, 5)
		look()
	})`)
	return time.Duration(ms * float64(time.Millisecond))
}

// processorTime is what a server has used so far, by its own metrics.
func processorTime(t *testing.T, s *kit.Server) time.Duration {
	t.Helper()
	metrics := ask(t, s, "", http.MethodGet, "/metrics", "", nil).body
	_, after, _ := strings.Cut(metrics, "\nprocess_cpu_seconds_total ")
	text, _, _ := strings.Cut(after, "\n")
	seconds, err := strconv.ParseFloat(text, 64)
	if err != nil {
		t.Fatalf("the processor time is not among the metrics: %v", err)
	}
	return time.Duration(seconds * float64(time.Second))
}

// crowd starts a server on a database with an app of four endpoints and so many deliveries of the last day. One in two
// hundred has failed. Those to the last endpoint of the newest two fifths of the messages are pending, a tenth of all.
func crowd(t *testing.T, deliveries int) (s *kit.Server, app string) {
	t.Helper()
	s = start(t, kit.Config{})
	o, receiver := operator{s, mint(t, s)}, kit.NewReceiver(t)
	app = o.newApp(t, "")
	var endpoints []string
	for n := range 4 {
		h := receiver.Hook()
		var made struct{ ID string }
		o.call(t, http.StatusCreated, "POST", "/app/"+app+"/endpoint", fields{"url": h.URL, "description": fmt.Sprintf("Till %d", n)}, &made)
		endpoints = append(endpoints, made.ID)
	}
	s.Terminate(t)
	<-s.Exited()
	begin := time.Now()
	fill(t, strings.TrimPrefix(s.DB, "sqlite:"), app, endpoints, deliveries/len(endpoints))
	t.Logf("%d deliveries written in %s", deliveries, time.Since(begin).Round(time.Millisecond))
	return s.Restart(t), app
}

// fill writes messages to endpoints straight into a database that no server uses.
func fill(t *testing.T, path, app string, endpoints []string, messages int) {
	t.Helper()
	db, err := sqlite.Open(t.Context(), sqlite.Config{Path: path, Synchronous: sqlite.Normal})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	key, err := db.IDKey(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	codec, err := id.NewCodec(key)
	if err != nil {
		t.Fatal(err)
	}
	gen, err := id.NewGenerator(0, 0)
	if err != nil {
		t.Fatal(err)
	}
	f := filling{gen: gen, later: time.Now().Add(time.Hour)}
	decode := func(kind id.Kind, text string) id.ID {
		decoded, ok := codec.Decode(kind, text)
		if !ok {
			t.Fatalf("%s is no id", text)
		}
		return decoded
	}
	f.app = decode(id.App, app)
	for _, text := range endpoints {
		f.endpoints = append(f.endpoints, decode(id.Endpoint, text))
	}
	const span, batch = 24 * time.Hour, 500
	first := time.Now().Add(-span)
	for n := 0; n < messages; {
		f.changes = store.Changes{}
		for range min(batch, messages-n) {
			f.message(n, first.Add(span/time.Duration(messages)*time.Duration(n)), n >= messages*3/5)
			n++
		}
		if err := db.Update(t.Context(), func(tx commit.Tx) error { return tx.Apply(t.Context(), &f.changes) }); err != nil {
			t.Fatal(err)
		}
	}
}

// filling is what the next transaction writes, and for whom.
type filling struct {
	gen       *id.Generator
	app       id.ID
	endpoints []id.ID
	later     time.Time
	changes   store.Changes
}

// message adds the nth message and its deliveries. Where the last endpoint is behind, its delivery is due later.
func (f *filling) message(n int, at time.Time, behind bool) {
	m := store.Message{ID: f.gen.Next(at), App: f.app, Type: []string{"order.paid", "order.sent"}[n%2], Payload: []byte(`{"n":1}`)}
	f.changes.Messages = append(f.changes.Messages, m)
	for i, ep := range f.endpoints {
		d := delivery.Delivery{Key: delivery.Key{Message: m.ID, Endpoint: ep}, App: f.app, State: delivery.Leased, Generation: 1, NextAt: at}
		if behind && i == len(f.endpoints)-1 {
			d.State, d.Generation, d.NextAt = delivery.Pending, 0, f.later
			f.changes.Deliveries = append(f.changes.Deliveries, d)
			continue
		}
		f.changes.Deliveries = append(f.changes.Deliveries, d)
		attempt := delivery.Attempt{
			Key: d.Key, N: 1, ID: f.gen.Next(at), App: f.app, At: at, Success: true, StatusCode: http.StatusOK, Latency: 20 * time.Millisecond,
		}
		next := d
		next.State, next.Step = delivery.Succeeded, 1
		if (n+i)%200 == 0 {
			next.State, next.Reason = delivery.Failed, delivery.Exhausted
			attempt.Success, attempt.StatusCode = false, http.StatusServiceUnavailable
		}
		f.changes.Completed = append(f.changes.Completed, store.Completion{Next: next, Attempt: attempt})
	}
}
