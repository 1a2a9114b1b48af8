package ingest_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/callboard/callboard/internal/delivery"
	"github.com/callboard/callboard/internal/errs"
	"github.com/callboard/callboard/internal/id"
	"github.com/callboard/callboard/internal/ingest"
	"github.com/callboard/callboard/internal/ingest/ingesttest"
	"github.com/callboard/callboard/internal/store"
	"github.com/callboard/callboard/internal/testenv"
)

// TestPostMessage reads back all that was posted, and the delivery that came of it.
func TestPostMessage(t *testing.T) {
	t.Parallel()
	ingesttest.Bubble(t, func(t *testing.T, e *ingesttest.Engine) {
		app := e.App()
		ep := e.Endpoint(app, func(p *delivery.Endpoint) { p.Deadline = 2 * time.Hour })
		now := time.Now().Round(0)
		in := ingest.Message{
			EventType: "a.b", Payload: []byte(` { "b": 1, "a": 2 } `), EventID: "e", Channels: []string{"c"}, Tags: []string{"t"},
			OrderKey: "o", DeliverAt: now.Add(time.Hour), Retention: 48 * time.Hour, Deadline: time.Hour,
		}
		r, err := e.Service.PostMessage(t.Context(), app, ingest.Key{}, in)
		if err != nil {
			t.Fatal(err)
		}
		got, err := e.Store.Message(t.Context(), app.ID, store.Ref{UID: "e"})
		if err != nil {
			t.Fatal(err)
		}
		want := store.Message{
			ID: r.ID, App: app.ID, Type: "a.b", Payload: []byte(` { "b": 1, "a": 2 } `), EventID: "e", EventHash: store.HashText("e"),
			Channels: []string{"c"}, Tags: []string{"t"}, OrderKey: "o", DeliverAt: now.Add(time.Hour), PayloadExpires: now.Add(48 * time.Hour),
		}
		if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("the message (-want +got):\n%s", diff)
		}
		due := []delivery.Delivery{{
			Key: delivery.Key{Message: r.ID, Endpoint: ep}, App: app.ID, State: delivery.Pending,
			NextAt: now.Add(time.Hour), Deadline: now.Add(2 * time.Hour),
		}}
		if diff := cmp.Diff(due, e.Deliveries(ep)); diff != "" {
			t.Errorf("the delivery (-want +got):\n%s", diff)
		}
	})
}

// TestSubscriptions lets messages of several kinds meet endpoints of several kinds.
func TestSubscriptions(t *testing.T) {
	t.Parallel()
	e := ingesttest.New(t)
	for name, tt := range map[string]struct {
		change func(*delivery.Endpoint)
		want   string // of the messages below, in their order
	}{
		"all":             {func(*delivery.Endpoint) {}, "type word channel both"},
		"of a type":       {func(p *delivery.Endpoint) { p.FilterTypes = []string{"x.y", "z"} }, "type both"},
		"of a channel":    {func(p *delivery.Endpoint) { p.Channels = []string{"c1", "c2"} }, "channel both"},
		"of both":         {func(p *delivery.Endpoint) { p.FilterTypes, p.Channels = []string{"x.y"}, []string{"c1"} }, "both"},
		"of another case": {func(p *delivery.Endpoint) { p.FilterTypes = []string{"X.Y"} }, ""},
		"disabled":        {func(p *delivery.Endpoint) { p.Disabled = true }, ""},
		"paused":          {func(p *delivery.Endpoint) { p.Paused = true }, "type word channel both"},
		"of few words":    {func(p *delivery.Endpoint) { p.Dialect = ingesttest.Terse }, "word"},
	} {
		app := e.App()
		ep := e.Endpoint(app, tt.change)
		names := map[id.ID]string{}
		for _, m := range []struct {
			name, kind string
			channels   []string
		}{{"type", "x.y", nil}, {"word", ingesttest.TerseWord, []string{"c3"}}, {"channel", "a.b", []string{"c3", "c2"}}, {"both", "x.y", []string{"c1"}}} {
			posted := e.Post(app, func(in *ingest.Message) { in.EventType, in.Channels = m.kind, m.channels })
			names[posted] = m.name
		}
		var heard []string
		for _, m := range e.Heard(ep) {
			heard = append(heard, names[m])
		}
		if got := strings.Join(heard, " "); got != tt.want {
			t.Errorf("an endpoint %s heard %q, want %q", name, got, tt.want)
		}
	}
}

// TestEventID keeps an eventId to one message of an app while the message lives.
func TestEventID(t *testing.T) {
	t.Parallel()
	e := ingesttest.New(t)
	app, other := e.App(named("a")), e.App()
	once := func(eventID string) func(*ingest.Message) {
		return func(m *ingest.Message) { m.EventID = eventID }
	}
	first := e.Post(app, once("e"))
	for _, ref := range []ingest.AppRef{app, byUID("a")} {
		_, err := post(t.Context(), e, ref, ingest.Key{}, once("e"))
		wantKind(t, errs.Conflict, err)
	}
	e.Post(app, once("E"))
	e.Post(other, once("e"))
	if err := e.Service.DeletePayload(t.Context(), app, store.Ref{UID: "e"}); err != nil {
		t.Fatal(err)
	}
	m, err := e.Store.Message(t.Context(), app.ID, store.Ref{ID: first})
	if err != nil || m.Payload != nil {
		t.Errorf("the payload that was deleted is %q, %v", m.Payload, err)
	}
	_, err = post(t.Context(), e, app, ingest.Key{}, once("e"))
	wantKind(t, errs.Conflict, err) // the message is still there
}

// body gives a key with the body that it was sent with.
func body(text string) ingest.Key {
	return ingest.Key{Scope: "subject POST /path", Value: "key", Body: []byte(text)}
}

// TestIdempotencyKey sends requests under one key one after the other.
func TestIdempotencyKey(t *testing.T) {
	t.Parallel()
	e := ingesttest.New(t)
	app := e.App()
	first, err := post(t.Context(), e, app, body("one"))
	if err != nil || first.Replayed {
		t.Fatalf("the first request gave %+v, %v", first, err)
	}
	again, err := post(t.Context(), e, app, body("one"))
	if diff := cmp.Diff(ingest.Result{ID: first.ID, Replayed: true}, again); diff != "" || err != nil {
		t.Errorf("the repetition: %v (-want +got):\n%s", err, diff)
	}
	_, err = post(t.Context(), e, app, body("two"))
	wantKind(t, errs.Conflict, err)
	e.Restart()
	again, err = post(t.Context(), e, app, body("one"))
	if diff := cmp.Diff(ingest.Result{ID: first.ID, Replayed: true}, again); diff != "" || err != nil {
		t.Errorf("the repetition after a restart: %v (-want +got):\n%s", err, diff)
	}
	otherScope, otherValue := body("one"), body("one")
	otherScope.Scope, otherValue.Value = "subject POST /path2", "key2"
	shifted := ingest.Key{Scope: body("").Scope + "k", Value: "ey", Body: []byte("one")}
	for name, tt := range map[string]struct {
		app ingest.AppRef
		key ingest.Key
	}{
		"another scope":           {app, otherScope},
		"another key":             {app, otherValue},
		"the same text otherwise": {app, shifted},
		"another app":             {e.App(), body("one")},
		"no key":                  {app, ingest.Key{Scope: body("").Scope, Body: []byte("one")}},
	} {
		if r, err := post(t.Context(), e, tt.app, tt.key); err != nil || r.Replayed || r.ID == first.ID {
			t.Errorf("%s gave %+v, %v", name, r, err)
		}
	}
}

// TestRefusedFreesItsKey corrects a refused request and sends it again under its key.
func TestRefusedFreesItsKey(t *testing.T) {
	t.Parallel()
	e := ingesttest.New(t)
	app := e.App()
	e.Post(app, func(m *ingest.Message) { m.EventID = "taken" })
	for name, refused := range map[string]func(*ingest.Message){
		"by its fields": func(m *ingest.Message) { m.EventType = "" },
		"by the state":  func(m *ingest.Message) { m.EventID = "taken" },
	} {
		key := body(name)
		key.Value = name
		for range 2 {
			if _, err := post(t.Context(), e, app, key, refused); err == nil {
				t.Errorf("%s: the request is not refused", name)
			}
		}
		key.Body = []byte("corrected")
		if r, err := post(t.Context(), e, app, key); err != nil || r.Replayed {
			t.Errorf("%s: the corrected request gave %+v, %v", name, r, err)
		}
	}
}

// TestTwinsAtOnce sends many requests under one key at the same time: one is done, all hear of it.
func TestTwinsAtOnce(t *testing.T) {
	t.Parallel()
	e := ingesttest.New(t)
	app := e.App()
	ep := e.Endpoint(app)
	for name, call := range map[string]func(key ingest.Key) (ingest.Result, error){
		"post": func(key ingest.Key) (ingest.Result, error) { return post(t.Context(), e, app, key) },
		"post with an eventId": func(key ingest.Key) (ingest.Result, error) {
			return post(t.Context(), e, app, key, func(m *ingest.Message) { m.EventID = "e" })
		},
		"create app": func(key ingest.Key) (ingest.Result, error) {
			return e.Service.CreateApp(t.Context(), ingesttest.Org, key, store.App{Name: "n", UID: "twin"}, false)
		},
		"create endpoint": func(key ingest.Key) (ingest.Result, error) {
			return e.Service.CreateEndpoint(t.Context(), app, key, delivery.Endpoint{URL: "https://example.com", UID: "twin", Disabled: true})
		},
		"send example": func(key ingest.Key) (ingest.Result, error) {
			return e.Service.SendExample(t.Context(), app, store.Ref{ID: ep}, key, "a.b", []byte(`{}`))
		},
		"recover": func(key ingest.Key) (ingest.Result, error) {
			return e.Service.Recover(t.Context(), app, store.Ref{ID: ep}, key, time.Now().Add(-time.Hour), time.Time{})
		},
	} {
		key := ingest.Key{Scope: "s", Value: name, Body: []byte("b")}
		var mu sync.Mutex
		type outcome struct {
			id       id.ID
			replayed bool
		}
		results := map[outcome]int{}
		succeeded, failed := atOnce(16, func(int) error {
			r, err := call(key)
			mu.Lock()
			defer mu.Unlock()
			results[outcome{r.ID, r.Replayed}]++
			return err
		})
		if succeeded != 16 || len(results) != 2 {
			t.Errorf("%s: %d succeeded, %v failed, results %v", name, succeeded, failed, results)
		}
		for r, n := range results {
			if r.id == 0 || !r.replayed && n != 1 {
				t.Errorf("%s: %d times the result %+v", name, n, r)
			}
		}
	}
	if got := len(e.Heard(ep)); got != 3 {
		t.Errorf("%d messages, want 3", got)
	}
	if got := len(e.Tasks()); got != 1 {
		t.Errorf("%d tasks, want 1", got)
	}
}

// TestBodiesAtOnce sends different bodies under one key at the same time: one is done, the others are conflicts.
func TestBodiesAtOnce(t *testing.T) {
	t.Parallel()
	e := ingesttest.New(t)
	app := e.App()
	ep := e.Endpoint(app)
	succeeded, failed := atOnce(16, func(i int) error {
		_, err := post(t.Context(), e, app, body(fmt.Sprint(i)))
		return err
	})
	if succeeded != 1 || failed[errs.Conflict] != 15 || len(e.Heard(ep)) != 1 {
		t.Errorf("%d succeeded, %v failed, %d messages", succeeded, failed, len(e.Heard(ep)))
	}
}

// TestKeyLife repeats a request just before and after the end of its key's promise.
func TestKeyLife(t *testing.T) {
	t.Parallel()
	ingesttest.Bubble(t, func(t *testing.T, e *ingesttest.Engine) {
		app := e.App()
		forget := func(after time.Duration) {
			t.Helper()
			testenv.Advance(after)
			if _, err := e.Store.ForgetSeen(t.Context(), time.Now(), 1000); err != nil {
				t.Fatal(err)
			}
		}
		for _, want := range []struct {
			after    time.Duration
			replayed bool
		}{{0, false}, {ingest.KeyLife - time.Second, true}, {2 * time.Second, false}, {time.Hour, true}} {
			forget(want.after)
			r, err := post(t.Context(), e, app, body("one"))
			if err != nil || r.Replayed != want.replayed {
				t.Errorf("%v later: replayed %t, %v", want.after, r.Replayed, err)
			}
		}
	})
}

// TestSendExample reaches its endpoint and no other, whatever they subscribed to.
func TestSendExample(t *testing.T) {
	t.Parallel()
	e := ingesttest.New(t)
	app := e.App()
	target := e.Endpoint(app, func(p *delivery.Endpoint) { p.FilterTypes, p.Channels = []string{"x.y"}, []string{"c"} })
	other := e.Endpoint(app)
	send := func(ep id.ID, eventType, payload string) (ingest.Result, error) {
		return e.Service.SendExample(context.Background(), app, store.Ref{ID: ep}, ingest.Key{}, eventType, []byte(payload))
	}
	r, err := send(target, "a.b", `{"n":2}`)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]id.ID{r.ID}, e.Heard(target)); diff != "" {
		t.Errorf("the endpoint heard (-want +got):\n%s", diff)
	}
	if got := e.Heard(other); len(got) != 0 {
		t.Errorf("another endpoint heard %v", got)
	}
	m, err := e.Store.Message(t.Context(), app.ID, store.Ref{ID: r.ID})
	if err != nil || !m.Test || string(m.Payload) != `{"n":2}` || m.Type != "a.b" {
		t.Errorf("the message is %+v, %v", m, err)
	}

	_, err = send(target, marker+"/", marker)
	if diff := cmp.Diff([]string{"body.eventType", "body.payload"}, fields(t, err)); diff != "" {
		t.Errorf("complaints (-want +got):\n%s", diff)
	}
	terse := e.Endpoint(app, func(p *delivery.Endpoint) { p.Dialect = ingesttest.Terse })
	_, err = send(terse, marker, `{}`)
	if diff := cmp.Diff([]string{"body.eventType"}, fields(t, err)); diff != "" {
		t.Errorf("complaints of a dialect without the word (-want +got):\n%s", diff)
	}
	if _, err := send(terse, ingesttest.TerseWord, `{}`); err != nil {
		t.Error("a dialect with the word:", err)
	}
	e.Change(app, target, func(p *delivery.Endpoint) { p.Disabled = true })
	_, err = send(target, "a.b", `{}`)
	wantKind(t, errs.Conflict, err)
	_, err = send(12345, "a.b", `{}`)
	wantKind(t, errs.NotFound, err)
}

// TestDeleteAttemptContent removes what a receiver answered and leaves the attempt.
func TestDeleteAttemptContent(t *testing.T) {
	t.Parallel()
	e := ingesttest.New(t)
	app := e.App()
	ep := e.Endpoint(app)
	message := e.Post(app)
	e.Deliver(ep, true)
	read := func() store.AttemptRow {
		t.Helper()
		got, err := e.Store.ListAttempts(t.Context(), store.AttemptQuery{App: app.ID, Message: message, Page: store.Page{Limit: 1}, Content: true})
		if err != nil || len(got.Rows) != 1 {
			t.Fatalf("%d attempts, %v", len(got.Rows), err)
		}
		return got.Rows[0]
	}
	before := read()
	if len(before.Response) == 0 {
		t.Fatal("there is nothing to delete")
	}
	if err := e.Service.DeleteAttemptContent(t.Context(), app, message, before.ID); err != nil {
		t.Fatal(err)
	}
	want := before
	want.Response = nil
	if diff := cmp.Diff(want, read(), cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("the attempt (-want +got):\n%s", diff)
	}
}
