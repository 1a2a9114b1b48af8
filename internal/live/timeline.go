package live

import (
	"math"
	"slices"
	"time"
)

const (
	// MaxPoints is how many points a timeline has at most.
	MaxPoints = 500
	// goodPoints is how many it has at most if the step is for us to choose.
	goodPoints = 240
)

// goodSteps are those that people count in, in seconds; days follow.
var goodSteps = [...]int64{1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200}

// Point is attendance at an instant. What joined and left did so since the point before.
type Point struct {
	At      time.Time `json:"at"`
	Present int       `json:"present"`
	Joined  int       `json:"joined"`
	Left    int       `json:"left"`
}

// Timeline is how many people attended an event, or one of its sessions, over time. A
// person counts once, however many sessions and devices it is in at a time. Somebody of
// whom a source told the minutes but no leave is present for as many minutes.
type Timeline struct {
	AsOf time.Time
	// LatestActivityAt is when the latest join or leave in any of the event's sessions happened
	// that counts here; zero = there is none.
	LatestActivityAt time.Time

	instant Instant
	session string // "" = all
	end     int64  // nothing counts from then on
	over    bool   // the event has ended by then

	current       string     // the registration whose presences are being added
	spans         []presence // of it
	joins, leaves []int64
}

// NewTimeline begins a timeline as of an instant. Add adds to it.
func NewTimeline(event Row, session string, asOf Instant) *Timeline {
	t := &Timeline{AsOf: asOf.time(), instant: asOf, session: session, end: asOf.at}
	if end := windowOf(document(event)).end; end != 0 && end <= t.end {
		t.end, t.over = end, true
	}
	return t
}

// Add counts a presence. Presences come in the order of their keys.
func (t *Timeline) Add(row Row) {
	s := t.instant.of(state[presenceState](row))
	t.LatestActivityAt = later(t.LatestActivityAt, s.Edges)
	registration, session := splitID(row.ID)
	if t.session != "" && session != t.session {
		return
	}
	if registration != t.current {
		t.close()
		t.current = registration
	}
	for _, p := range s.Edges.presences() {
		if p.Open {
			p.Until, p.Open = math.MaxInt64, false
			if s.Minutes != nil {
				p.Until = p.From + *s.Minutes*microsPerMinute
			}
		}
		if begun := p.From < t.end || p.From == t.end && !t.over; begun && p.From < p.Until {
			t.spans = append(t.spans, p)
		}
	}
}

// close counts what the current registration has come to.
func (t *Timeline) close() {
	for _, p := range union(t.spans) {
		t.joins = append(t.joins, p.From)
		switch {
		case p.Until <= t.end:
			t.leaves = append(t.leaves, p.Until)
		case t.over:
			t.leaves = append(t.leaves, t.end)
		}
	}
	t.spans = t.spans[:0]
}

// Points are the timeline from the first join to AsOf or, if nobody is present any more, to
// the last leave. They lie step apart, at whole steps of UTC, but for the last one. A step
// of 0 is chosen by the length, to the whole second; one that is too small for MaxPoints is
// refused, with the least that will do. Nothing may be added afterwards.
func (t *Timeline) Points(step time.Duration) (points []Point, used, least time.Duration) {
	t.close()
	slices.Sort(t.joins)
	slices.Sort(t.leaves)
	points = []Point{}
	if len(t.joins) == 0 {
		return points, max(step, time.Duration(goodSteps[0])*time.Second), 0
	}
	from, until := t.joins[0], t.end
	if len(t.leaves) == len(t.joins) {
		until = t.leaves[len(t.leaves)-1]
	}
	least = fitting(from, until, MaxPoints)
	switch {
	case step == 0:
		step = fitting(from, until, goodPoints)
	case pointsOf(from, until, step.Microseconds()) > MaxPoints:
		return nil, step, least
	}
	micros, joined, left := step.Microseconds(), 0, 0
	for at := floor(from, micros); ; at = min(at+micros, until) {
		j, l := countTo(t.joins, joined, at), countTo(t.leaves, left, at)
		points = append(points, Point{At: time.UnixMicro(at).UTC(), Present: j - l, Joined: j - joined, Left: l - left})
		if joined, left = j, l; at >= until {
			return points, step, 0
		}
	}
}

// countTo is how many of sorted times, of which some are known to be, are not after at.
func countTo(times []int64, known int, at int64) int {
	for known < len(times) && times[known] <= at {
		known++
	}
	return known
}

// floor is the last whole step that is not after at.
func floor(at, step int64) int64 {
	rest := at % step
	if rest < 0 {
		rest += step
	}
	return at - rest
}

// pointsOf is how many points a timeline has.
func pointsOf(from, until, step int64) int64 {
	return (until-floor(from, step)+step-1)/step + 1
}

// fitting is the smallest good step with which a timeline has at most so many points.
func fitting(from, until, most int64) time.Duration {
	for _, s := range goodSteps {
		if pointsOf(from, until, s*1_000_000) <= most {
			return time.Duration(s) * time.Second
		}
	}
	const day = 24 * time.Hour
	step := day
	for pointsOf(from, until, step.Microseconds()) > most {
		step += day
	}
	return step
}
