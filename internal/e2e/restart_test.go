package e2e_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/callboard/callboard/internal/e2e/kit"
)

// TestRestart kills a server and looks at what the next one knows of what was promised: keys, times, retries.
func TestRestart(t *testing.T) {
	t.Parallel()
	onEachStore(t, restartAfterKill)
}

func restartAfterKill(t *testing.T, store storeUnderTest) {
	s := start(t, kit.Config{DB: store.fresh(t), Secret: loadSecret, Args: []string{"--retry-schedule", "2s"}})
	receiver := kit.NewReceiver(t)
	l := newLoad(t, s, receiver.Hook())
	l.hook.Answer(kit.Status(http.StatusServiceUnavailable), kit.OK)
	post := func(key, body string) asked {
		t.Helper()
		return ask(t, s, l.token, http.MethodPost, "/api/v1/app/"+l.app+"/msg", body, map[string]string{"Idempotency-Key": key})
	}
	retried := `{"eventType":"a","eventId":"retried","payload":{"n":1}}`
	later := `{"eventType":"a","eventId":"later","payload":{"n":2},"deliverAt":"` +
		time.Now().Add(3*time.Second).Format(time.RFC3339Nano) + `"}`
	first := post("key-1", retried)
	if first.status != http.StatusAccepted {
		t.Fatalf("status %d: %s", first.status, first.body)
	}
	l.hook.Await(t, 1)
	if got := post("key-2", later); got.status != http.StatusAccepted {
		t.Fatalf("status %d: %s", got.status, got.body)
	}
	s.Kill()
	s = s.Restart(t)

	if again := post("key-1", retried); again.status != http.StatusAccepted || again.body != first.body {
		t.Errorf("the same key after a kill: status %d, %s, want %s", again.status, again.body, first.body)
	}
	if other := post("key-1", later); other.status != http.StatusConflict {
		t.Errorf("another body under a key from before the kill: status %d, %s", other.status, other.body)
	}
	if taken := post("key-3", retried); taken.status != http.StatusConflict {
		t.Errorf("an eventId from before the kill: status %d, %s", taken.status, taken.body)
	}
	// The first attempt may have been recorded before the kill or not, so the message comes once or twice more.
	kit.Eventually(t, "both messages to be delivered", func() bool {
		stats, err := client(t, s, l.token).Endpoint.GetStats(t.Context(), l.app, l.endpoint, nil)
		if err != nil {
			t.Fatal(err)
		}
		return stats.Success == 2
	})
}

// TestTerminateFinishes sends SIGTERM while receivers hold deliveries: they get their time, the results are recorded,
// and nothing is sent again.
func TestTerminateFinishes(t *testing.T) {
	t.Parallel()
	onEachStore(t, terminateWhileReceiversHold)
}

func terminateWhileReceiversHold(t *testing.T, store storeUnderTest) {
	s := start(t, kit.Config{DB: store.fresh(t), Secret: loadSecret})
	l := newLoad(t, s, kit.NewReceiver(t).Hook())
	gate := make(chan struct{})
	l.hook.Answer(kit.OK.After(gate))
	for range 4 {
		l.post(t.Context(), s, l.newKey())
	}
	l.hook.Await(t, 4)
	s.Terminate(t)
	kit.Eventually(t, "the server to stop listening", func() bool { return !s.Ready() })
	select {
	case <-s.Exited():
		t.Fatal("the server did not wait for the deliveries that were under way")
	default:
	}
	close(gate)
	if code := s.ExitCode(t); code != 0 {
		t.Errorf("exit code %d, want 0", code)
	}
	for message, done := range recordedDeliveries(t, l, s.DB) {
		if !done {
			t.Errorf("%s was answered during the drain and is not recorded as delivered", message)
		}
	}
	s = s.Restart(t)
	l.post(t.Context(), s, l.newKey())
	l.awaitDelivered(t)
	l.checkArrivedOnce(t)
}
