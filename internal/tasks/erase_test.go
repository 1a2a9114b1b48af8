package tasks_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/callboard/callboard/internal/commit"
	"github.com/callboard/callboard/internal/id"
	"github.com/callboard/callboard/internal/ingest"
	"github.com/callboard/callboard/internal/ingest/ingesttest"
	"github.com/callboard/callboard/internal/live"
	"github.com/callboard/callboard/internal/store"
)

// TestErase: after a registration is deleted with erasure no payload of its app tells of
// it; those of others, and what came after it, are whole, and so is each message's row.
func TestErase(t *testing.T) {
	t.Parallel()
	ingesttest.Bubble(t, func(t *testing.T, e *ingesttest.Engine) {
		app, other := e.App(func(a *store.App) { a.UID = "a" }), e.App()
		tell := func(app ingest.AppRef, act live.Activity) []id.ID {
			r, err := e.Service.Live(t.Context(), app, ingest.Key{}, act)
			if err != nil {
				t.Fatal(err)
			}
			return r.Messages
		}
		minute := func(n int) time.Time { return time.Now().Add(time.Duration(n-1000) * time.Minute) }
		joined := func(app ingest.AppRef, n int) []id.ID {
			who := []string{"jane", "bob"}[n%2]
			return tell(app, live.Activity{Type: "session.joined", At: minute(2 * n), Data: fmt.Appendf(nil,
				`{"event":{"id":"e"},"session":{"id":"s"},"registration":{"id":%q},"connectionId":"c%d"}`, who, n)})
		}
		left := func(app ingest.AppRef, n int) []id.ID {
			who := []string{"jane", "bob"}[n%2]
			return tell(app, live.Activity{Type: "session.left", At: minute(2*n + 1), Data: fmt.Appendf(nil,
				`{"eventId":"e","sessionId":"s","registrationId":%q,"connectionId":"c%d"}`, who, n)})
		}
		want := map[id.ID]bool{} // whether the payload is left
		for n := range 260 {
			for _, m := range append(joined(app, n), left(app, n)...) {
				want[m] = n%2 == 1
			}
		}
		elsewhere := joined(other, 0)
		tell(app, live.Activity{Type: "registration.deleted", Mode: live.Delete, Erase: true, Data: []byte(`{"eventId":"e","registrationId":"jane"}`)})
		task := e.Tasks()[0]
		if steps := run(t, e); steps < 5 {
			t.Errorf("%d steps: nothing was to be seen of the batches", steps)
		}
		wantTask(t, e, task.ID, store.TaskFinished, 260, "")
		got := map[id.ID]bool{}
		for m := range want {
			got[m] = payloadOf(t, e, app, m) != nil
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("payloads (-want +got):\n%s", diff)
		}
		if payloadOf(t, e, other, elsewhere[0]) == nil {
			t.Error("another app's payload is gone")
		}
	})
}

func payloadOf(t *testing.T, e *ingesttest.Engine, app ingest.AppRef, message id.ID) []byte {
	t.Helper()
	m, err := e.Store.Message(t.Context(), app.ID, store.Ref{ID: message})
	if err != nil {
		t.Fatal(err)
	}
	return m.Payload
}

// TestEraseReceived: requests that were not accepted lose their body if it has the person's
// id, and so do messages of which only the request that they came in with has it.
func TestEraseReceived(t *testing.T) {
	t.Parallel()
	ingesttest.Bubble(t, func(t *testing.T, e *ingesttest.Engine) {
		app, other := e.App(), e.App()
		source, otherSource := putSource(e, app.ID), putSource(e, other.ID)
		forms := []struct {
			body  string
			tells bool
		}{
			{`{"registration": {"id": "jane"}}`, true},
			{`{"registration": {"id": "janet"}}`, false},
			{`{"payload": "{\"id\":\"jane\"}"}`, true},
			{`{"id": "\u006aan\u0065"}`, true},
			{`{"id": "mary-jane", "next": "jane_2"}`, false},
			{`id=janejane&id=jane`, true},
			{`jane`, true},
			{``, false},
			{"\xff no JSON", false},
		}
		var received []store.Received
		want := map[id.ID]bool{} // whether the body is left
		for n := range 30 {
			var bodies []string
			for _, form := range forms {
				bodies = append(bodies, form.body)
			}
			rows := receive(e, app.ID, source, 0, bodies...)
			for i, r := range rows {
				want[r.ID] = !forms[i].tells
			}
			received = append(received, rows...)
			e.Decide(commit.Keys{}, func(v *commit.View) { // messages stand among the requests
				for _, form := range forms[:n%len(forms)] {
					m := store.Message{ID: v.NextID(), App: app.ID, Type: "a", Payload: []byte(`{}`), From: "raw", Raw: []byte(form.body)}
					want[m.ID] = !form.tells
					v.AddMessage(m)
				}
			})
		}
		elsewhere := receive(e, other.ID, otherSource, 0, "jane")[0]
		var task id.ID
		e.Decide(commit.Keys{}, func(v *commit.View) {
			task = v.NextID()
			v.PutTask(store.Task{
				ID: task, Org: ingesttest.Org, App: app.ID, Kind: store.TaskErase, State: store.TaskRunning, Until: task,
				Subject: `{"kind":3,"event":"e","id":"jane"}`,
			})
		})
		late := receive(e, app.ID, source, 0, "jane")[0] // told of by whom it was sent after
		if steps := run(t, e); steps < 6 {
			t.Errorf("%d steps: nothing was to be seen of the batches", steps)
		}
		done := int64(0)
		for _, left := range want {
			if !left {
				done++
			}
		}
		wantTask(t, e, task, store.TaskFinished, done, "")
		got := map[id.ID]bool{}
		for _, r := range received {
			got[r.ID] = bodyOf(t, e, r) != nil
		}
		for m := range want {
			if _, request := got[m]; !request {
				got[m] = payloadOf(t, e, app, m) != nil
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("bodies and payloads (-want +got):\n%s", diff)
		}
		for _, r := range []store.Received{elsewhere, late} {
			if bodyOf(t, e, r) == nil {
				t.Errorf("the body of request %d is gone", r.ID)
			}
		}
	})
}

func bodyOf(t *testing.T, e *ingesttest.Engine, r store.Received) []byte {
	t.Helper()
	got, err := e.Store.ReceivedOne(t.Context(), r.App, r.Source, r.ID)
	if err != nil {
		t.Fatal(err)
	}
	return got.Body
}

// TestEraseOfNobody: a task that says nothing of whom it is about fails and says so.
func TestEraseOfNobody(t *testing.T) {
	t.Parallel()
	ingesttest.Bubble(t, func(t *testing.T, e *ingesttest.Engine) {
		app := e.App()
		var task id.ID
		e.Decide(commit.Keys{}, func(v *commit.View) {
			task = v.NextID()
			v.PutTask(store.Task{ID: task, Org: ingesttest.Org, App: app.ID, Kind: store.TaskErase, State: store.TaskRunning, Until: task})
		})
		run(t, e)
		wantTask(t, e, task, store.TaskFailed, 0, "the task does not say whom to forget")
	})
}
