package live_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/callboard/callboard/internal/live"
)

// timeline writes the points of a timeline as minutes after noon and figures.
func (w *world) timeline(session string, step time.Duration) string {
	w.t.Helper()
	points, _, least := w.newTimeline(session).Points(step)
	if least != 0 {
		return fmt.Sprint("at least ", least)
	}
	var words []string
	for _, p := range points {
		words = append(words, fmt.Sprintf("%g:%d+%d-%d", p.At.Sub(noon).Minutes(), p.Present, p.Joined, p.Left))
	}
	return strings.Join(words, " ")
}

func (w *world) newTimeline(session string) *live.Timeline {
	tl := live.NewTimeline(w.rows[live.Key{App: app, Kind: live.Event, ID: "e1"}], session, live.Now(w.now))
	for _, row := range presences(w) {
		tl.Add(row)
	}
	return tl
}

func TestTimeline(t *testing.T) {
	t.Parallel()
	w := conf(t)
	move := func(at float64, kind, session, registration, connection string) {
		t.Helper()
		w.now = after(at)
		w.at(at, "session."+kind, "%s", attendance(session, registration, connection))
	}
	const tenMinutes = 10 * time.Minute
	equal(t, "nobody", w.timeline("", tenMinutes), "")
	move(61, "joined", "s1", "r1", "a")
	equal(t, "one", w.timeline("", tenMinutes), "60:0+0-0 61:1+1-0")
	move(70, "joined", "s1", "r2", "")
	move(72, "joined", "s1", "r1", "b") // another device
	move(75, "left", "s1", "r1", "a")
	move(78, "joined", "s2", "r1", "") // in two sessions at once
	move(80, "left", "s1", "r1", "b")
	equal(t, "now", w.timeline("", tenMinutes), "60:0+0-0 70:2+2-0 80:2+0-0")
	equal(t, "now in one session", w.timeline("s1", tenMinutes), "60:0+0-0 70:2+2-0 80:1+0-1")
	equal(t, "now in the other", w.timeline("s2", tenMinutes), "70:0+0-0 80:1+1-0")
	equal(t, "now in none", w.timeline("s3", tenMinutes), "")
	w.now = after(95)
	equal(t, "later", w.timeline("", tenMinutes), "60:0+0-0 70:2+2-0 80:2+0-0 90:2+0-0 95:2+0-0")
	move(97, "left", "s2", "r1", "")
	move(98, "joined", "s2", "r1", "")
	move(99, "left", "s2", "r1", "")
	w.now = after(105)
	equal(t, "gone and back within a step", w.timeline("", tenMinutes), "60:0+0-0 70:2+2-0 80:2+0-0 90:2+0-0 100:1+1-2 105:1+0-0")
	ended := w.timeline("", tenMinutes)
	w.now = after(500)
	if got := w.timeline("", tenMinutes); !strings.HasPrefix(got, strings.TrimSuffix(ended, " 105:1+0-0")) || !strings.HasSuffix(got, " 170:1+0-0 180:0+0-1") {
		t.Errorf("after the event's end at 180: %s", got)
	}
	equal(t, "a session that all have left ends with the last leave", w.timeline("s2", tenMinutes), "70:0+0-0 80:1+1-0 90:1+0-0 99:0+1-2")
	equal(t, "a step that is too small", w.timeline("", time.Second), "at least 15s")
	_, step, _ := w.newTimeline("").Points(0)
	equal(t, "the step that is chosen", step, 30*time.Second)
}

// TestTimelineAddsUp: whatever happens, each point follows from the one before, nobody is
// negative, and the last one is what the report says.
func TestTimelineAddsUp(t *testing.T) {
	t.Parallel()
	for seed := range uint64(30) {
		r := rand.New(rand.NewPCG(seed, 7))
		w := conf(t)
		w.unchecked = true
		w.now = after(170)
		for range r.IntN(60) {
			kind := []string{"joined", "left"}[r.IntN(2)]
			w.at(60+float64(r.IntN(440))/4, "session."+kind, "%s", attendance(
				[]string{"s1", "s2"}[r.IntN(2)], []string{"r1", "r2"}[r.IntN(2)], []string{"", "a", "b"}[r.IntN(3)]))
		}
		report := live.Attendance(w.rows[live.Key{App: app, Kind: live.Event, ID: "e1"}], presences(w), live.Now(w.now))
		for _, step := range []time.Duration{0, 7 * time.Minute, time.Hour, 48 * time.Hour} {
			points, used, least := w.newTimeline("").Points(step)
			if least != 0 || len(points) > live.MaxPoints || step != 0 && used != step {
				t.Fatalf("seed %d: %d points, step %v, least %v", seed, len(points), used, least)
			}
			present := 0
			for i, p := range points {
				present += p.Joined - p.Left
				if p.Present != present || present < 0 || present > 2 {
					t.Errorf("seed %d: point %d: %+v, want %d present", seed, i, p, present)
				}
				if i > 0 && (i < len(points)-1 && p.At.Sub(points[i-1].At) != used || !p.At.After(points[i-1].At)) {
					t.Errorf("seed %d: point %d at %v is behind %v", seed, i, p.At, points[i-1].At)
				}
			}
			if (len(points) > 0) != (report.Totals.Attended > 0) || present != report.Totals.Present {
				t.Errorf("seed %d: at the end %d of %d points are present, the report has %+v", seed, present, len(points), report.Totals)
			}
		}
	}
}
