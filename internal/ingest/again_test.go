package ingest_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/callboard/callboard/internal/commit"
	"github.com/callboard/callboard/internal/delivery"
	"github.com/callboard/callboard/internal/errs"
	"github.com/callboard/callboard/internal/id"
	"github.com/callboard/callboard/internal/ingest"
	"github.com/callboard/callboard/internal/ingest/ingesttest"
	"github.com/callboard/callboard/internal/store"
	"github.com/callboard/callboard/internal/testenv"
)

// TestResend sends a message again whose delivery is in any of its states.
func TestResend(t *testing.T) {
	t.Parallel()
	ingesttest.Bubble(t, func(t *testing.T, e *ingesttest.Engine) {
		for name, tt := range map[string]struct {
			begin      func(ingest.AppRef, id.ID) // brings the delivery into its state
			state      delivery.State             // before, 0 = there is no delivery
			generation int                        // afterwards
		}{
			"pending": {func(ingest.AppRef, id.ID) {}, delivery.Pending, 1},
			"leased": {func(_ ingest.AppRef, ep id.ID) {
				if _, err := e.Store.Claim(t.Context(), time.Now(), []store.LaneRoom{{Endpoint: ep, Room: 1}}); err != nil {
					t.Fatal(err)
				}
			}, delivery.Leased, 1}, // a lease is not stored
			"succeeded": {func(_ ingest.AppRef, ep id.ID) { e.Deliver(ep, true) }, delivery.Succeeded, 2},
			"failed":    {func(_ ingest.AppRef, ep id.ID) { e.Deliver(ep, false) }, delivery.Failed, 2},
			"canceled": {func(_ ingest.AppRef, ep id.ID) {
				key := e.Deliveries(ep)[0].Key
				e.Decide(commit.Keys{Deliveries: []delivery.Key{key}}, func(v *commit.View) {
					v.Finish(store.Finish{Key: key, State: delivery.Canceled})
				})
			}, delivery.Canceled, 1},
			"unheard": {func(ingest.AppRef, id.ID) {}, 0, 0},
		} {
			app := e.App()
			ep := e.Endpoint(app, func(p *delivery.Endpoint) {
				p.Deadline = time.Hour
				if tt.state == 0 {
					p.FilterTypes = []string{"x.y"}
				}
			})
			message := e.Post(app)
			tt.begin(app, ep)
			before := delivery.State(0)
			if rows := e.Deliveries(ep); len(rows) == 1 {
				before = rows[0].State
			}
			if before != tt.state {
				t.Fatalf("%s: the delivery is in state %d", name, before)
			}
			testenv.Advance(2 * time.Hour) // past the first deadline
			if err := e.Service.Resend(t.Context(), app, store.Ref{ID: message}, store.Ref{ID: ep}, ingest.Key{}); err != nil {
				t.Errorf("%s: %v", name, err)
				continue
			}
			want := []delivery.Delivery{{
				Key: delivery.Key{Message: message, Endpoint: ep}, App: app.ID, State: delivery.Pending, Trigger: delivery.Manual,
				NextAt: time.Now().Round(0), Generation: tt.generation,
			}}
			if diff := cmp.Diff(want, e.Deliveries(ep)); diff != "" {
				t.Errorf("%s: the deliveries (-want +got):\n%s", name, diff)
			}
			if n := e.Deliver(ep, true); n != 1 || e.Deliveries(ep)[0].State != delivery.Succeeded {
				t.Errorf("%s: %d deliveries are due afterwards, want 1", name, n)
			}
		}
	})
}

// TestResendRefused names what cannot be sent again, and changes nothing.
func TestResendRefused(t *testing.T) {
	t.Parallel()
	e := ingesttest.New(t)
	app, other := e.App(), e.App()
	ep, elsewhere := e.Endpoint(app), e.Endpoint(other)
	disabled := e.Endpoint(app, func(p *delivery.Endpoint) { p.Disabled = true })
	terse := e.Endpoint(app, func(p *delivery.Endpoint) { p.Dialect = ingesttest.Terse })
	message := e.Post(app, func(m *ingest.Message) { m.EventID = "e" })
	gone := e.Post(app)
	if err := e.Service.DeletePayload(t.Context(), app, store.Ref{ID: gone}); err != nil {
		t.Fatal(err)
	}
	before := e.Deliveries(ep)
	for name, tt := range map[string]struct {
		message, endpoint store.Ref
		want              errs.Kind
	}{
		"payload gone":      {store.Ref{ID: gone}, store.Ref{ID: ep}, errs.Conflict},
		"endpoint disabled": {store.Ref{UID: "e"}, store.Ref{ID: disabled}, errs.Conflict},
		"no words":          {store.Ref{ID: message}, store.Ref{ID: terse}, errs.Conflict},
		"unknown message":   {store.Ref{ID: 12345}, store.Ref{ID: ep}, errs.NotFound},
		"unknown eventId":   {store.Ref{UID: "f"}, store.Ref{ID: ep}, errs.NotFound},
		"unknown endpoint":  {store.Ref{ID: message}, store.Ref{ID: 12345}, errs.NotFound},
		"another's":         {store.Ref{ID: message}, store.Ref{ID: elsewhere}, errs.NotFound},
	} {
		err := e.Service.Resend(t.Context(), app, tt.message, tt.endpoint, ingest.Key{})
		if err == nil || errs.KindOf(err) != tt.want {
			t.Errorf("%s: error %v, want kind %d", name, err, tt.want)
		}
	}
	if diff := cmp.Diff(before, e.Deliveries(ep)); diff != "" {
		t.Errorf("the deliveries changed (-before +after):\n%s", diff)
	}
}

// TestResendByName finds message and endpoint by what their owner calls them.
func TestResendByName(t *testing.T) {
	t.Parallel()
	e := ingesttest.New(t)
	app := e.App(named("app"))
	ep := e.Endpoint(app, with("ep"))
	e.Post(app, func(m *ingest.Message) { m.EventID = "e" })
	e.Deliver(ep, true)
	if err := e.Service.Resend(t.Context(), byUID("app"), store.Ref{UID: "e"}, store.Ref{UID: "ep"}, ingest.Key{}); err != nil {
		t.Fatal(err)
	}
	if got := e.Deliveries(ep)[0]; got.State != delivery.Pending || got.Trigger != delivery.Manual {
		t.Errorf("the delivery is %+v", got)
	}
}

// TestRecover makes the task that the bounds name, or says which bound is wrong.
func TestRecover(t *testing.T) {
	t.Parallel()
	ingesttest.Bubble(t, func(t *testing.T, e *ingesttest.Engine) {
		app := e.App()
		ep := e.Endpoint(app)
		now := time.Now()
		never := time.Time{}
		for name, tt := range map[string]struct {
			since, until time.Time
			want         string // the wrong field
		}{
			"to now":          {now.Add(-time.Hour), never, ""},
			"up to now":       {now, never, ""},
			"bounded":         {now.Add(-time.Hour), now.Add(-time.Minute), ""},
			"into the future": {now.Add(-time.Hour), now.Add(time.Hour), ""},
			"before 2020":     {time.Date(1999, 1, 1, 0, 0, 0, 0, time.UTC), never, ""},
			"no beginning":    {never, never, "body.since"},
			"future":          {now.Add(time.Second), never, "body.since"},
			"empty":           {now.Add(-time.Hour), now.Add(-time.Hour), "body.until"},
			"backwards":       {now.Add(-time.Hour), now.Add(-2 * time.Hour), "body.until"},
		} {
			r, err := e.Service.Recover(t.Context(), app, store.Ref{ID: ep}, ingest.Key{}, tt.since, tt.until)
			var complaints []string
			if tt.want != "" {
				complaints = []string{tt.want}
			}
			if diff := cmp.Diff(complaints, fields(t, err)); diff != "" {
				t.Errorf("%s: complaints (-want +got):\n%s", name, diff)
			}
			if err != nil {
				continue
			}
			got, err := e.Store.Task(t.Context(), ingesttest.Org, r.ID)
			if err != nil {
				t.Fatal(err)
			}
			want := store.Task{
				ID: r.ID, Org: ingesttest.Org, App: app.ID, Endpoint: ep, Kind: store.TaskRecover, State: store.TaskRunning,
				Since: id.AtTime(tt.since), Until: r.ID, UpdatedAt: got.UpdatedAt,
			}
			if !tt.until.IsZero() && tt.until.Before(now) {
				want.Until = id.AtTime(tt.until)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s: the task (-want +got):\n%s", name, diff)
			}
		}
		since := now.Add(-time.Hour)
		_, err := e.Service.Recover(t.Context(), app, store.Ref{ID: 12345}, ingest.Key{}, since, never)
		wantKind(t, errs.NotFound, err)
		e.Change(app, ep, func(p *delivery.Endpoint) { p.Disabled = true })
		_, err = e.Service.Recover(t.Context(), app, store.Ref{ID: ep}, ingest.Key{}, since, never)
		wantKind(t, errs.Conflict, err)
	})
}
