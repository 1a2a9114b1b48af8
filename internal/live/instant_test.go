package live_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/callboard/callboard/internal/live"
)

// asOf is the report as of minutes after noon.
func (w *world) asOf(minute float64) *live.Report {
	return live.Attendance(w.rows[live.Key{App: app, Kind: live.Event, ID: "e1"}], presences(w), live.At(after(minute)))
}

// TestReportAsOf looks back at an event from 60 to 180 that has ended.
func TestReportAsOf(t *testing.T) {
	t.Parallel()
	w := conf(t)
	w.now = after(300)
	w.at(50, "session.joined", "%s", attendance("s1", "r1", "phone"))
	w.at(70, "session.joined", "%s", attendance("s1", "r1", "laptop"))
	w.at(80, "session.left", "%s", attendance("s1", "r1", "phone"))
	w.at(90, "session.left", "%s", attendance("s1", "r1", "laptop"))
	w.at(100, "session.joined", "%s", attendance("s1", "r1", "phone"))
	w.at(75, "session.joined", "%s", attendance("s2", "r2", ""))
	rows := []struct {
		minute float64
		lines  []string
		totals live.Totals
		latest float64
	}{
		{49, nil, live.Totals{}, -1},
		{50, []string{"s1 r1 true 1 50 - 0 false"}, live.Totals{Present: 1, Attended: 1}, 50},
		{69.995, []string{"s1 r1 true 1 50 - 10 false"}, live.Totals{Present: 1, Attended: 1, Minutes: 10}, 50},
		{70, []string{"s1 r1 true 2 50 - 10 false"}, live.Totals{Present: 1, Attended: 1, Minutes: 10}, 70},
		{85, []string{"s1 r1 true 1 50 - 25 false", "s2 r2 true 1 75 - 10 false"}, live.Totals{Present: 2, Attended: 2, Minutes: 35}, 80},
		{90, []string{"s1 r1 false 0 50 90 30 false", "s2 r2 true 1 75 - 15 false"}, live.Totals{Present: 1, Attended: 2, Minutes: 45}, 90},
		{110, []string{"s1 r1 true 1 50 90 40 false", "s2 r2 true 1 75 - 35 false"}, live.Totals{Present: 2, Attended: 2, Minutes: 75}, 100},
		{180, []string{"s1 r1 false 0 50 90 110 false", "s2 r2 false 0 75 - 105 false"}, live.Totals{Attended: 2, Minutes: 215}, 100},
		{250, []string{"s1 r1 false 0 50 90 110 false", "s2 r2 false 0 75 - 105 false"}, live.Totals{Attended: 2, Minutes: 215}, 100},
	}
	for _, row := range rows {
		at := fmt.Sprint("at ", row.minute)
		got := w.asOf(row.minute)
		if diff := cmp.Diff(row.lines, lines(got)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", at, diff)
		}
		equal(t, at+": totals", got.Totals, row.totals)
		equal(t, at+": as of", got.AsOf, after(row.minute))
		if latest := after(row.latest); row.latest < 0 && !got.LatestActivityAt.IsZero() || row.latest >= 0 && !got.LatestActivityAt.Equal(latest) {
			t.Errorf("%s: the latest activity is of %v", at, got.LatestActivityAt)
		}
	}
}

// TestNowKnowsAll: a clock that is ahead of ours tells of what has happened.
func TestNowKnowsAll(t *testing.T) {
	t.Parallel()
	w := conf(t)
	w.now = after(70)
	w.at(72, "session.joined", "%s", attendance("s1", "r1", ""))
	equal(t, "now", w.report().Totals.Present, 1)
	equal(t, "the latest", w.report().LatestActivityAt, after(72))
	equal(t, "as of the same time", w.asOf(70).Totals, live.Totals{})
	row := presences(w)[0]
	equal(t, "of the row", live.LatestActivity(row), after(72))
}

// TestAsOfBeforeToldMinutes: as long as the minutes that a source told were not over, nobody
// could know them.
func TestAsOfBeforeToldMinutes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.now = after(200)
	w.with(fromVendor(false, 70, "session.joined", joinedFromVendor))
	w.with(fromVendor(false, 150, "session.time_spent", `{"eventId":"e1","sessionId":"s1","registrationId":"r1","timeSpentInMinutes":42}`))
	equal(t, "before the join", len(w.asOf(69).Lines), 0)
	equal(t, "within", lines(w.asOf(111))[0], "s1 r1 true 1 70 - - false")
	equal(t, "over", lines(w.asOf(112))[0], "s1 r1 false 0 70 - 42 false")
}

func TestEnded(t *testing.T) {
	t.Parallel()
	w := conf(t)
	event := w.rows[live.Key{App: app, Kind: live.Event, ID: "e1"}]
	equal(t, "before the end", live.Ended(event, after(179)), false)
	equal(t, "at the end", live.Ended(event, after(180)), true)
	w.do("event.created", `{"id":"e2"}`)
	equal(t, "without an end", live.Ended(w.rows[live.Key{App: app, Kind: live.Event, ID: "e2"}], after(1e6)), false)
}

// TestAsOfIsWhatWasKnown: a look back at an instant finds what was told up to then, and
// nothing that was told afterwards changes it. Report and timeline agree.
func TestAsOfIsWhatWasKnown(t *testing.T) {
	t.Parallel()
	for seed := range uint64(30) {
		r := rand.New(rand.NewPCG(seed, 11))
		w := conf(t)
		w.unchecked = true
		type figures struct {
			lines  []string
			totals live.Totals
		}
		then := map[float64]figures{}
		for minute := 55.0; minute < 200; minute += float64(1 + r.IntN(8)) {
			w.now = after(minute)
			kind := []string{"joined", "left"}[r.IntN(2)]
			w.at(minute, "session."+kind, "%s", attendance(
				[]string{"s1", "s2"}[r.IntN(2)], []string{"r1", "r2"}[r.IntN(2)], []string{"", "a", "b"}[r.IntN(3)]))
			now := w.report()
			then[minute] = figures{lines(now), now.Totals}
		}
		for minute, known := range then {
			back := w.asOf(minute)
			if diff := cmp.Diff(known, figures{lines(back), back.Totals}, cmp.AllowUnexported(figures{})); diff != "" {
				t.Errorf("seed %d: as of %g (-then +now):\n%s", seed, minute, diff)
			}
			tl := live.NewTimeline(w.rows[live.Key{App: app, Kind: live.Event, ID: "e1"}], "", live.At(after(minute)))
			for _, row := range presences(w) {
				tl.Add(row)
			}
			points, _, _ := tl.Points(time.Minute)
			present := 0
			if n := len(points); n > 0 {
				present = points[n-1].Present
				if points[n-1].At.After(after(minute)) {
					t.Errorf("seed %d: as of %g the timeline goes on to %v", seed, minute, points[n-1].At)
				}
			}
			if present != back.Totals.Present || !tl.LatestActivityAt.Equal(back.LatestActivityAt) || !tl.AsOf.Equal(back.AsOf) {
				t.Errorf("seed %d: as of %g the timeline has %d, %v, the report %+v, %v", seed, minute, present, tl.LatestActivityAt, back.Totals, back.LatestActivityAt)
			}
		}
	}
}
