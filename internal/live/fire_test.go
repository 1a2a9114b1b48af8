package live_test

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/callboard/callboard/internal/live"
)

func TestTimeSpent(t *testing.T) {
	t.Parallel()
	w := conf(t)
	w.do("registration.created", `{"eventId":"e1","id":"r3"}`)
	w.until(100)
	for _, a := range []struct {
		at            float64
		leave         bool
		session, whom string
	}{
		{50, false, "s1", "r1"}, {90, true, "s1", "r1"}, // 30 minutes of it after the start
		{80, false, "s2", "r1"}, {100, true, "s2", "r1"}, // 10 of 20 at the same time
		{95, false, "s2", "r2"}, // stays to the end
	} {
		w.at(a.at, typeOf(a.leave), "%s", attendance(a.session, a.whom, ""))
	}
	w.said = nil
	equal(t, "at the end", w.until(239.9), "event.updated")
	equal(t, "an hour later", w.until(240), "session.time_spent session.time_spent event.time_spent session.time_spent event.time_spent "+
		"registration.attended registration.attended registration.no_show")
	var got []string
	for _, m := range w.said[1:] {
		data := decode(t, m.Data)
		got = append(got, fmt.Sprintf("%s %v %v %v %s %v", m.Type, get(data, "session.id"), get(data, "registration.id"),
			data["timeSpentInMinutes"], m.OrderKey, m.At.Sub(noon)))
	}
	want := []string{
		"session.time_spent s1 r1 30 session:s1 4h0m0s", "session.time_spent s2 r1 20 session:s2 4h0m0s",
		"event.time_spent <nil> r1 40 registration:r1 4h0m0s",
		"session.time_spent s2 r2 85 session:s2 4h0m0s", "event.time_spent <nil> r2 85 registration:r2 4h0m0s",
		"registration.attended <nil> r1 <nil> registration:r1 4h0m0s", "registration.attended <nil> r2 <nil> registration:r2 4h0m0s",
		"registration.no_show <nil> r3 <nil> registration:r3 4h0m0s",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	equal(t, "actor", get(decode(t, w.said[1].Data), "actor.id"), any("r1"))
	equal(t, "never again", w.until(10_000), "")
}

func TestWhenTimeSpentIsTold(t *testing.T) {
	t.Parallel()
	told := func(w *world, minutes float64) bool {
		return strings.Contains(w.until(minutes), "registration.no_show")
	}
	change := func(w *world, data string) { w.with(rest(live.Merge, "event.updated", data)) }
	rows := []struct {
		name string
		do   func(*world)
		at   float64 // when it is told; 0 = never
	}{
		{"an hour after the end", func(*world) {}, 240},
		{"the end moves back", func(w *world) { change(w, fmt.Sprintf(`{"event":{"id":"e1","endDate":%q}}`, text(300))) }, 360},
		{"the end moves back after it was over", func(w *world) {
			w.until(230)
			change(w, fmt.Sprintf(`{"event":{"id":"e1","endDate":%q}}`, text(300)))
		}, 360},
		{"the end moves ahead, to the past", func(w *world) {
			w.until(150)
			change(w, fmt.Sprintf(`{"event":{"id":"e1","endDate":%q}}`, text(140)))
		}, 200},
		{"the end moves ahead, to the distant past", func(w *world) {
			w.until(150)
			change(w, fmt.Sprintf(`{"event":{"id":"e1","endDate":%q}}`, text(61)))
		}, 210},
		{"another member changes after the end", func(w *world) {
			w.until(200)
			change(w, `{"event":{"id":"e1","name":"x"}}`)
		}, 240},
		{"cancelled", func(w *world) { change(w, `{"event":{"id":"e1","status":"CANCELLED"}}`) }, 0},
		{"cancelled after the end", func(w *world) {
			w.until(200)
			change(w, `{"event":{"id":"e1","status":"CANCELLED"}}`)
		}, 0},
		{"no end", func(w *world) { change(w, `{"event":{"id":"e1","endDate":null}}`) }, 0},
		{"deleted", func(w *world) { w.do("event.deleted", `{"id":"e1"}`) }, 0},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			w := conf(t)
			row.do(w)
			if row.at == 0 {
				equal(t, "told", told(w, 10_000), false)
				return
			}
			equal(t, "told before", told(w, row.at-0.01), false)
			equal(t, "told", told(w, row.at), true)
			equal(t, "told again", told(w, 10_000), false)
		})
	}
}

func TestLateActivities(t *testing.T) {
	t.Parallel()
	w := conf(t)
	w.now = after(100)
	w.at(70, "session.joined", "%s", attendance("s1", "r1", ""))
	w.until(240)
	equal(t, "a late leave", w.at(80, "session.left", "%s", attendance("s1", "r1", "")), "late")
	equal(t, "again", w.at(80, "session.left", "%s", attendance("s1", "r1", "")), "unchanged")
	equal(t, "a late join", w.at(90, "session.joined", "%s", attendance("s1", "r2", "")), "late")
	equal(t, "it shows", fmt.Sprint(lines(w.report())), fmt.Sprint([]string{
		"s1 r1 false 0 70 80 10 true", "s1 r2 false 0 90 - 90 true",
	}))
	w.with(rest(live.Merge, "event.updated", fmt.Sprintf(`{"event":{"id":"e1","endDate":%q}}`, text(500))))
	equal(t, "a new end arms nothing but the status", w.until(10_000), "event.updated")
}

// TestManyBatches: an event whose figures take many firings tells each exactly once, with
// a person's sessions on both sides of a batch's end, whatever happens in between.
func TestManyBatches(t *testing.T) {
	t.Parallel()
	const sessions, people, absent = 700, 3, 1200
	w := newWorld(t)
	w.unchecked = true
	w.do("event.created", `{"id":"e1","startDate":%q,"endDate":%q}`, text(0), text(2000))
	for i := range sessions {
		w.do("session.created", `{"eventId":"e1","id":"s%03d"}`, i)
	}
	for i := range people + absent {
		w.do("registration.created", `{"eventId":"e1","id":"r%04d"}`, i)
	}
	w.now = after(1999)
	for p := range people {
		for s := range sessions { // two minutes each, a minute of it with the next one
			data := attendance(fmt.Sprintf("s%03d", s), fmt.Sprintf("r%04d", p), "")
			w.at(float64(s+p), "session.joined", "%s", data)
			w.at(float64(s+p+2), "session.left", "%s", data)
		}
	}
	w.said = nil
	for i := 0; ; i++ {
		w.now = after(2060)
		row, due := w.due()
		if !due {
			break
		}
		lost := w.fireRow(row, live.DefaultDelay) // and not committed
		out, _ := w.fireOnce(live.DefaultDelay)
		if !reflect.DeepEqual(lost, out) {
			t.Fatal("a firing that is done again differs")
		}
		if len(out.Messages) > 1000 {
			t.Errorf("%d messages in a batch", len(out.Messages))
		}
		if len(out.Messages) > 1 {
			w.at(1, "session.joined", "%s", attendance("s000", fmt.Sprintf("r%04d", people+i), "")) // too late
		}
	}
	counts := map[string]int{}
	for _, m := range w.said {
		data := decode(t, m.Data)
		key := fmt.Sprint(m.Type, get(data, "session.id"), get(data, "registration.id"))
		if counts[key]++; counts[key] > 1 && m.Type != "event.updated" {
			t.Errorf("%s was told twice", key)
		}
		counts[m.Type]++
		want := map[string]any{"session.time_spent": 2.0, "event.time_spent": float64(sessions + 1)}[m.Type]
		equal(t, key, data["timeSpentInMinutes"], want)
	}
	for name, want := range map[string]int{
		"session.time_spent": sessions * people, "event.time_spent": people,
		"registration.attended": people, "registration.no_show": absent,
	} {
		equal(t, name, counts[name], want)
	}
}

// TestUnionOverSessions compares an event's time spent with the ticks in which somebody
// was in any of its sessions.
func TestUnionOverSessions(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		w := historyWorld(t)
		w.do("session.created", `{"eventId":"e1","id":"s2"}`)
		one, two := drawHistory(t), drawHistory(t)
		for _, p := range one {
			w.with(p.activity())
		}
		for _, p := range two {
			a := p.activity()
			a.Data = []byte(attendance("s2", "r1", p.connection))
			w.with(a)
		}
		ticks := 0
		for at := first; at < last; at++ {
			if model(one).in(at, true, true) || model(two).in(at, true, true) {
				ticks++
			}
		}
		w.said = nil
		w.until(1000)
		got := 0
		for _, m := range w.said {
			if m.Type == "event.time_spent" {
				got += int(decode(t, m.Data)["timeSpentInMinutes"].(float64))
			}
		}
		if want := roundUp(ticks); got != want {
			t.Fatalf("got %d, want %d", got, want)
		}
	})
}

func TestDeletedInTheMeantime(t *testing.T) {
	t.Parallel()
	w := conf(t)
	w.at(1, "session.joined", "%s", attendance("s1", "r1", ""))
	w.at(1, "session.joined", "%s", attendance("s2", "r2", ""))
	w.do("session.deleted", `{"eventId":"e1","id":"s1"}`)
	w.do("registration.deleted", `{"eventId":"e1","id":"r2"}`)
	w.until(230)
	equal(t, "what is left", w.until(10_000), "registration.attended")
}

// TestFireLeavesAloneWhatIsNotDue covers rows that were changed after they were found due.
func TestFireLeavesAloneWhatIsNotDue(t *testing.T) {
	t.Parallel()
	w := conf(t)
	row := w.rows[live.Key{App: app, Kind: live.Event, ID: "e1"}]
	equal(t, "not yet due", types(w.fireRow(row, time.Hour)), "unchanged")
	row.Due = time.Time{}
	equal(t, "never due", types(w.fireRow(row, time.Hour)), "unchanged")
}

func TestRegisteredTooLate(t *testing.T) {
	t.Parallel()
	w := conf(t)
	w.until(239)
	w.now = after(240)
	w.fireOnce(live.DefaultDelay) // closes the figures
	w.do("registration.created", `{"eventId":"e1","id":"r9"}`)
	equal(t, "not r9", w.until(1000), "registration.no_show registration.no_show")
}

func TestOrder(t *testing.T) {
	t.Parallel()
	batch := []live.Activity{
		{Type: "session.left", At: after(2)},
		{Type: "session.joined", At: after(2)},
		{Type: "a"},
		{Type: "b", At: after(1)},
		{Type: "c", At: after(1)},
	}
	if got := live.Order(batch, after(3)); !slices.Equal(got, []int{3, 4, 1, 0, 2}) {
		t.Errorf("got %v", got)
	}
}
