package e2e_test

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/callboard/callboard/internal/e2e/kit"
)

// TestKillLive tells of an event through the live API and kills the server while it goes on: after the restart the event
// ends by itself, and everything that follows is told once, with the right minutes.
func TestKillLive(t *testing.T) {
	t.Parallel()
	onEachStore(t, liveOverAKill)
}

func liveOverAKill(t *testing.T, store storeUnderTest) {
	s := start(t, kit.Config{DB: store.fresh(t), Args: []string{"--time-spent-delay", "1s"}})
	o := operator{s, mint(t, s)}
	app := o.newApp(t, "live")
	h := kit.NewReceiver(t).Hook()
	o.call(t, http.StatusCreated, http.MethodPost, "/app/"+app+"/endpoint", fields{"url": h.URL, "secret": h.Secret}, nil)

	now := time.Now()
	at := func(d time.Duration) string { return now.Add(d).UTC().Format(time.RFC3339Nano) }
	path := "/app/" + app
	o.call(t, http.StatusCreated, http.MethodPost, path+"/event", fields{
		"id": "e", "name": "Tides", "startDate": at(-20 * time.Minute), "endDate": at(3 * time.Second),
	}, nil)
	o.call(t, http.StatusCreated, http.MethodPost, path+"/event/e/session", fields{"id": "s", "title": "Ebb"}, nil)
	for _, who := range []string{"jane", "nobody"} {
		o.call(t, http.StatusCreated, http.MethodPost, path+"/event/e/registration", fields{"id": who}, nil)
	}
	turn := func(kind string, d time.Duration, device string) fields {
		return fields{"id": kind + device, "type": "session." + kind, "at": at(d), "data": fields{
			"eventId": "e", "sessionId": "s", "registrationId": "jane", "connectionId": device,
		}}
	}
	// Two devices at once count once; what is told again is told once.
	told := fields{"activities": []fields{
		turn("joined", -10*time.Minute, "laptop"), turn("joined", -9*time.Minute, "phone"),
		turn("left", -5*time.Minute, "laptop"), turn("left", -3*time.Minute, "phone"),
	}}
	for range 2 {
		o.call(t, http.StatusAccepted, http.MethodPost, path+"/activity", told, nil)
	}
	// What changes nothing sends nothing.
	o.call(t, http.StatusOK, http.MethodPatch, path+"/event/e/session/s", fields{"title": "Ebb"}, nil)

	s.Kill()
	<-s.Exited()
	again := s.Restart(t)
	o = operator{again, mint(t, again)}

	want := map[string]int{
		"event.created": 1, "session.created": 1, "registration.created": 2, "session.joined": 1, "session.left": 1,
		"event.updated": 1, "session.time_spent": 1, "event.time_spent": 1, "registration.attended": 1, "registration.no_show": 1,
	}
	var page struct {
		Data []struct {
			EventType string
			Payload   struct {
				Data struct {
					TimeSpentInMinutes int
					Event              struct{ Status string }
				}
			}
		}
	}
	have := func() map[string]int {
		page.Data = nil
		o.call(t, http.StatusOK, http.MethodGet, path+"/msg?limit=250", nil, &page)
		counts := map[string]int{}
		for _, m := range page.Data {
			counts[m.EventType]++
		}
		return counts
	}
	kit.Eventually(t, "the end of the event to be told", func() bool { return len(have()) == len(want) })
	if diff := cmp.Diff(want, have()); diff != "" {
		t.Errorf("messages (-want +got):\n%s", diff)
	}
	for _, m := range page.Data {
		switch m.EventType {
		case "session.time_spent", "event.time_spent":
			if m.Payload.Data.TimeSpentInMinutes != 7 {
				t.Errorf("%s: %d minutes, want 7", m.EventType, m.Payload.Data.TimeSpentInMinutes)
			}
		case "event.updated":
			if m.Payload.Data.Event.Status != "COMPLETED" {
				t.Errorf("the event is %s", m.Payload.Data.Event.Status)
			}
		}
	}
	kit.Eventually(t, "all deliveries", func() bool { return len(h.Counts()) == 11 })

	var report struct {
		Event  struct{ Status string }
		Totals fields
	}
	o.call(t, http.StatusOK, http.MethodGet, path+"/event/e/attendance", nil, &report)
	if got := fmt.Sprint(report.Event.Status, report.Totals); got != "COMPLETEDmap[attended:1 minutes:7 present:0]" {
		t.Errorf("attendance: %s", got)
	}
}
