package app_test

import (
	"encoding/json"
	"net/http"
	"sync"
	"testing"

	"github.com/callboard/callboard/internal/app"
)

// attemptsCounted gives how many attempts went well and failed, as the API counts them.
func attemptsCounted(t *testing.T, a *app.App) (success, fail int) {
	t.Helper()
	status, body := call(t, a, http.MethodGet, "/api/v1/app/a/stats/attempt", "")
	var stats struct{ Totals struct{ Success, Fail int } }
	if err := json.Unmarshal([]byte(body), &stats); err != nil || status != http.StatusOK {
		t.Fatal(status, body, err)
	}
	return stats.Totals.Success, stats.Totals.Fail
}

// TestCountsSurviveAStop counts an attempt as soon as it is recorded, and stops a server
// while a receiver is taking another one: both are in the chart of the next server.
func TestCountsSurviveAStop(t *testing.T) {
	cfg := config(t)
	a := started(t, cfg)
	arrived, answer := slowReceiver(t, a)
	want(t, a, http.StatusAccepted, http.MethodPost, "/api/v1/app/a/msg", `{"eventType":"first","payload":{}}`)
	<-arrived
	answer <- struct{}{}
	eventually(t, "an attempt to be in the chart", func() bool {
		success, fail := attemptsCounted(t, a)
		return success == 1 && fail == 0
	})
	want(t, a, http.StatusAccepted, http.MethodPost, "/api/v1/app/a/msg", `{"eventType":"second","payload":{}}`)
	<-arrived
	var stopped sync.WaitGroup
	stopped.Go(func() { stop(t, a) })
	answer <- struct{}{}
	stopped.Wait()

	again := started(t, cfg)
	if success, fail := attemptsCounted(t, again); success != 2 || fail != 0 {
		t.Errorf("after a stop %d attempts went well and %d failed, want 2 and 0", success, fail)
	}
}
