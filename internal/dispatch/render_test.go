package dispatch_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/callboard/callboard/internal/commit"
	"github.com/callboard/callboard/internal/delivery"
	"github.com/callboard/callboard/internal/dialect"
	"github.com/callboard/callboard/internal/dispatch"
	"github.com/callboard/callboard/internal/id"
	"github.com/callboard/callboard/internal/ingest"
	"github.com/callboard/callboard/internal/ingest/ingesttest"
	"github.com/callboard/callboard/internal/store"
)

// catalog makes a message one of the catalogue's.
func catalog(m *ingest.Message) { m.EventType = ingesttest.TerseWord }

// inDialect makes an endpoint speak a dialect.
func inDialect(name string) func(*delivery.Endpoint) {
	return func(ep *delivery.Endpoint) { ep.Dialect = name }
}

// attempts gives all attempts of a message, oldest first.
func (w *world) attempts(app ingest.AppRef, message id.ID) []store.AttemptRow {
	w.t.Helper()
	rows, err := w.store.ListAttempts(context.Background(), store.AttemptQuery{
		Page: store.Page{Limit: 100, Ascending: true}, App: app.ID, Message: message, Content: true,
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return rows.Rows
}

// TestUnrenderable ends the delivery with one attempt that says why, keeps the process
// and the endpoint, and sends nothing.
func TestUnrenderable(t *testing.T) {
	const text = "The payload cannot be rendered in the endpoint's dialect"
	for name, want := range map[string]string{"mute": text + ": data.id is missing", "broken": text} {
		inWorld(t, dispatch.Config{Disable: delivery.DisableRule{After: time.Minute}}, func(w *world) {
			app := w.app()
			ep := w.endpoint(app, host, always(200), inDialect(name))
			for range 3 {
				m := w.send(app, catalog)
				w.pass(time.Hour)
				w.wantState(m, ep, delivery.Failed, delivery.Unrenderable)
				got := w.attempts(app, m)
				if len(got) != 1 || got[0].StatusCode != 0 || got[0].Success || got[0].Error != want {
					t.Errorf("%s: attempts %+v, want one that says %q", name, got, want)
				}
			}
			if got := len(w.received(host)); got != 0 {
				t.Errorf("%s: %d requests of what cannot be rendered", name, got)
			}
			row, err := w.store.AppEndpoint(context.Background(), app.ID, store.Ref{ID: ep})
			if err != nil || row.Disabled {
				t.Errorf("%s: the endpoint is disabled for what it never got (%v)", name, err)
			}
		})
	}
}

// TestPanicIsLogged tells of the defect, and not of the payload.
func TestPanicIsLogged(t *testing.T) {
	var log bytes.Buffer
	logged := slog.New(slog.NewJSONHandler(&log, nil))
	inWorld(t, dispatch.Config{Logger: logged}, func(w *world) {
		app := w.app()
		w.endpoint(app, host, always(200), inDialect("broken"))
		w.send(app, catalog, func(m *ingest.Message) { m.Payload = []byte(`{"private":1}`) })
		w.pass(time.Minute)
	})
	for _, want := range []string{`"level":"ERROR"`, `"dialect":"broken"`, "world_test.go"} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("the log lacks %s: %s", want, log.String())
		}
	}
	if strings.Contains(log.String(), "private") {
		t.Errorf("the log holds the payload: %s", log.String())
	}
}

// TestTenant tells dialects what the app was called when the message came in, at the
// first attempt and, after a restart, at the next one.
func TestTenant(t *testing.T) {
	inWorld(t, dispatch.Config{Schedule: []time.Duration{time.Hour}}, func(w *world) {
		app := w.app(func(a *store.App) { a.UID = "acme" })
		w.endpoint(app, host, always(500), inDialect("telling"))
		m := w.send(app, catalog)
		w.settle()
		_, err := w.service.UpdateApp(context.Background(), app, false, func(a *store.App) error { a.UID = "other"; return nil })
		if err != nil {
			t.Fatal(err)
		}
		w.stop()
		w.start()
		w.pass(2 * time.Hour)
		want := fmt.Sprintf(`{"id":%q,"type":%q,"tenant":"acme","time":%d}`, w.codec.Encode(id.Message, m), ingesttest.TerseWord, m.Time().UnixMilli())
		var got []string
		for _, p := range w.received(host) {
			got = append(got, p.body)
		}
		if diff := cmp.Diff([]string{want, want}, got); diff != "" {
			t.Errorf("bodies (-want +got):\n%s", diff)
		}
		w.send(app) // not of the catalogue: nobody but native hears it
		w.settle()
		if got := len(w.received(host)); got != 2 {
			t.Errorf("%d requests, want 2", got)
		}
	})
}

// TestOwnMessage: a message of the org's own that waits for a native endpoint is not
// given to the dialect that the endpoint changes to, which knows nothing of its payload.
func TestOwnMessage(t *testing.T) {
	inWorld(t, dispatch.Config{Schedule: []time.Duration{time.Hour}}, func(w *world) {
		app := w.app()
		ep := w.endpoint(app, host, always(500))
		m := w.send(app)
		w.settle()
		_, err := w.service.UpdateEndpoint(context.Background(), app, store.Ref{ID: ep}, false, func(p *delivery.Endpoint) error {
			p.Dialect = "telling"
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		w.pass(2 * time.Hour)
		w.wantState(m, ep, delivery.Failed, delivery.Unrenderable)
		if got := len(w.received(host)); got != 1 {
			t.Errorf("%d requests, want the native one alone", got)
		}
		if got := w.attempts(app, m); len(got) != 2 || !strings.Contains(got[1].Error, "only native endpoints hear") {
			t.Errorf("attempts %+v, want a second one that says why", got)
		}
	})
}

// keys gives the secrets that requests to a host carried, repetitions left out.
func (w *world) keys(host string) []string {
	var keys []string
	for _, p := range w.received(host) {
		keys = append(keys, p.key)
	}
	return slices.Compact(keys)
}

// TestSigningTokens sends with the app's token, and with the next one as soon as the
// grace period of the old one is over, also where the sender had the endpoint prepared.
func TestSigningTokens(t *testing.T) {
	inWorld(t, dispatch.Config{}, func(w *world) {
		app, other := w.app(), w.app()
		w.endpoint(app, host, always(200), inDialect(ingesttest.Shared))
		w.endpoint(app, "twin.example", always(200), inDialect(ingesttest.Shared))
		w.endpoint(other, "other.example", always(200), inDialect(ingesttest.Shared))
		rotate := func(token string, grace time.Duration) {
			t.Helper()
			if err := w.service.RotateSigningToken(context.Background(), app, ingest.Key{}, token, grace); err != nil {
				t.Fatal(err)
			}
		}
		send := func(minutes int) { // one a minute, so that the sender keeps what it has prepared
			for range minutes {
				w.send(app, catalog)
				w.send(other, catalog)
				w.pass(time.Minute)
			}
		}
		rotate("tok_a", 0)
		send(1)
		rotate("tok_b", time.Hour) // a until 1:01
		send(1)
		rotate("tok_c", 2*time.Hour) // then b until 2:02
		send(130)
		rotate("tok_d", 0)
		send(1)
		for _, h := range []string{host, "twin.example"} {
			if diff := cmp.Diff([]string{"tok_a", "tok_b", "tok_c", "tok_d"}, w.keys(h)); diff != "" {
				t.Errorf("tokens of %s (-want +got):\n%s", h, diff)
			}
		}
		if got := w.keys("other.example"); len(got) != 1 || strings.Contains("tok_a tok_b tok_c tok_d", got[0]) {
			t.Errorf("another app's token: %v", got)
		}
	})
}

// TestOneSecretAtATime is the same for an endpoint's own secrets.
func TestOneSecretAtATime(t *testing.T) {
	inWorld(t, dispatch.Config{}, func(w *world) {
		app := w.app()
		ep := w.endpoint(app, host, always(200), inDialect(ingesttest.Terse), func(ep *delivery.Endpoint) {
			ep.Secrets = []delivery.Secret{{Value: "a"}}
		})
		for i, secret := range []string{"b", "c"} {
			w.send(app, catalog)
			w.pass(time.Minute)
			err := w.service.RotateSecret(context.Background(), app, store.Ref{ID: ep}, ingest.Key{}, secret, time.Duration(i+1)*time.Hour)
			if err != nil {
				t.Fatal(err)
			}
		}
		for range 130 {
			w.send(app, catalog)
			w.pass(time.Minute)
		}
		if diff := cmp.Diff([]string{"a", "b", "c"}, w.keys(host)); diff != "" {
			t.Errorf("secrets (-want +got):\n%s", diff)
		}
	})
}

// TestTokensOfOthers takes over a token that another process rotated.
func TestTokensOfOthers(t *testing.T) {
	g := &gossip{}
	inWorld(t, dispatch.Config{Watcher: g}, func(w *world) {
		app := w.app()
		w.endpoint(app, host, always(200), inDialect(ingesttest.Shared))
		w.send(app, catalog)
		w.pass(time.Second)
		w.beside(func() {
			if err := w.service.RotateSigningToken(context.Background(), app, ingest.Key{}, "tok_b", 0); err != nil {
				t.Fatal(err)
			}
		})
		g.hear(&store.News{Apps: []id.ID{app.ID}})
		w.send(app, catalog)
		w.pass(time.Second)
		if got := w.keys(host); len(got) != 2 || got[1] != "tok_b" {
			t.Errorf("tokens %v, want tok_b last", got)
		}
	})
}

// TestAsItCame: what a vendor told goes out in that vendor's dialect byte for byte, at
// every attempt and after a restart, though nobody could render it; natively it goes out
// as its payload; and once the payload is dropped, not at all.
func TestAsItCame(t *testing.T) {
	inWorld(t, dispatch.Config{Schedule: []time.Duration{time.Hour}}, func(w *world) {
		app := w.app()
		own := w.endpoint(app, host, always(500), inDialect("mute"))
		w.endpoint(app, "native.example", always(200))
		w.endpoint(app, "telling.example", always(200), inDialect("telling"))
		const raw = "{ \"as\" : \"it <came>\" }\n"
		receive := func(vendorID string) id.ID {
			r, err := w.service.Receive(context.Background(), ingest.Inbound{
				Source: w.source(app, "mute"), Raw: []byte(raw),
				Activity: dialect.Activity{ID: vendorID, Type: "a.b", Payload: []byte(`{"type":"a.b","timestamp":"2026-05-01T12:00:00Z","data":{}}`)},
			})
			if err != nil {
				t.Fatal(err)
			}
			return r.Message
		}
		m := receive("1")
		w.settle()
		w.stop()
		w.start()
		w.pass(2 * time.Hour)
		w.wantState(m, own, delivery.Failed, delivery.Exhausted)
		dropped := receive("2")
		w.settle()
		if err := w.service.DeletePayload(context.Background(), app, store.Ref{ID: dropped}); err != nil {
			t.Fatal(err)
		}
		w.pass(2 * time.Hour)
		w.wantState(dropped, own, delivery.Failed, delivery.PayloadGone)
		bodies := func(host string) (all []string) {
			for _, p := range w.received(host) {
				all = append(all, p.body)
			}
			return all
		}
		if diff := cmp.Diff([]string{raw, raw, raw}, bodies(host)); diff != "" {
			t.Errorf("in the vendor's dialect (-want +got):\n%s", diff)
		}
		if got := bodies("native.example"); len(got) != 2 || !strings.HasPrefix(got[0], `{"type":"a.b"`) {
			t.Errorf("natively came %q", got)
		}
		if got := bodies("telling.example"); len(got) != 0 {
			t.Errorf("a type that nobody knows came in another dialect: %q", got)
		}
	})
}

// source makes a source of a dialect, which demands no proof.
func (w *world) source(app ingest.AppRef, dialectName string) store.Source {
	w.t.Helper()
	s := store.Source{App: app.ID, Org: app.Org, Dialect: dialectName, Auth: store.SourceAuth{Unverified: true}}
	_, err := w.committer.Submit(context.Background(), &commit.Unit{Decide: func(v *commit.View) (id.ID, error) {
		s.ID = v.NextID()
		v.PutSource(s)
		return s.ID, nil
	}})
	if err != nil {
		w.t.Fatal(err)
	}
	return s
}
