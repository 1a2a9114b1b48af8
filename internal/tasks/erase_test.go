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
