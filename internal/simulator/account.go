package simulator

import (
	"fmt"
	"maps"
	"slices"
	"time"
)

// Place is somebody somewhere: a registration in a session, or a participant in a conference.
type Place struct{ Where, Who string }

// Account says who was where for how long, in minutes. The simulator keeps one by its own simple model, from the stays
// that it made up; another is heard from a server. Two accounts of one day must be the same.
type Account struct {
	Sessions    map[Place]int   // by session and registration; 0: was there, but not while the event went on
	Event       map[string]int  // by registration: in all sessions, at two places at once counts once
	Came        map[string]bool // by registration: true attended, false did not show
	Conferences map[Place]int   // by conference and participant

	// Repeated is what was heard more than once, which nothing should be.
	Repeated []string
}

// NewAccount is an account of nothing.
func NewAccount() *Account {
	return &Account{
		Sessions: map[Place]int{}, Event: map[string]int{}, Came: map[string]bool{}, Conferences: map[Place]int{},
	}
}

// Clone is a copy.
func (a *Account) Clone() *Account {
	return &Account{
		Sessions: maps.Clone(a.Sessions), Event: maps.Clone(a.Event), Came: maps.Clone(a.Came), Conferences: maps.Clone(a.Conferences),
		Repeated: slices.Clone(a.Repeated),
	}
}

// span is a time from one moment to a later one, counted from the beginning of the day.
type span struct{ from, to time.Duration }

// within is the part of a span that lies in another.
func (s span) within(bounds span) span { return span{max(s.from, bounds.from), min(s.to, bounds.to)} }

// covered is how long at least one of the spans lasts.
func covered(spans []span) time.Duration {
	spans = slices.Clone(spans)
	slices.SortFunc(spans, func(a, b span) int { return int(a.from - b.from) })
	var sum, until time.Duration
	for _, s := range spans {
		if s.to > until {
			sum += s.to - max(s.from, until)
			until = s.to
		}
	}
	return sum
}

// minutes is a time in whole minutes, to the nearest, at least 1 if there is any.
func minutes(d time.Duration) int {
	if d <= 0 {
		return 0
	}
	return max(int((d+30*time.Second)/time.Minute), 1)
}

// stay is a device of somebody's at a place.
type stay struct {
	where, device string
	span
	open bool // nobody ever told that it left: it was there until the end
}

// count is how many minutes stays cover within bounds, each device's together.
func count(stays []stay, bounds span) int {
	var spans []span
	for _, s := range stays {
		if s.open {
			s.to = bounds.to
		}
		if in := s.within(bounds); in.to > in.from {
			spans = append(spans, in)
		}
	}
	return minutes(covered(spans))
}

// enter notes where a registration was, and that it attended if it was anywhere.
func (a *Account) enter(who string, stays []stay, event span) {
	a.Came[who] = len(stays) > 0
	places := map[string][]stay{}
	for _, s := range stays {
		places[s.where] = append(places[s.where], s)
	}
	for where, there := range places {
		a.Sessions[Place{where, who}] = count(there, event)
	}
	if n := count(stays, event); n > 0 {
		a.Event[who] = n
	}
}

// Agreement says how far two accounts agree.
type Agreement struct {
	Agree, Of int
	// Differ names what does not, in words; at most ten.
	Differ []string
}

const maxDiffer = 10

// Whole reports whether everything agrees.
func (a Agreement) Whole() bool { return a.Agree == a.Of && len(a.Differ) == 0 }

// String is such as "12 of 12 agree".
func (a Agreement) String() string { return fmt.Sprintf("%d of %d agree", a.Agree, a.Of) }

// And is both together.
func (a Agreement) And(b Agreement) Agreement {
	differ := slices.Concat(a.Differ, b.Differ)
	return Agreement{a.Agree + b.Agree, a.Of + b.Of, differ[:min(len(differ), maxDiffer)]}
}

// compare lays two accounts of one thing beside each other, key by key; none leaves out a value that is as good as none.
func compare[K comparable, V comparable](want, got map[K]V, none func(V) bool, name func(K) string) Agreement {
	var a Agreement
	keys := maps.Clone(want)
	maps.Copy(keys, got)
	for key := range keys {
		should, wanted := want[key]
		is, have := got[key]
		wanted, have = wanted && !none(should), have && !none(is)
		switch {
		case !wanted && !have:
			continue
		case wanted == have && should == is:
			a.Agree++
		default:
			a.Differ = append(a.Differ, fmt.Sprintf("%s: %s, not %s", name(key), told(is, have), told(should, wanted)))
		}
		a.Of++
	}
	slices.Sort(a.Differ)
	a.Differ = a.Differ[:min(len(a.Differ), maxDiffer)]
	return a
}

func told[V any](v V, there bool) string {
	if !there {
		return "nothing"
	}
	return fmt.Sprint(v)
}

// TimeSpent compares the minutes in sessions, at the event and in conferences, and what was told twice.
func (a *Account) TimeSpent(heard *Account) Agreement {
	all := compare(a.Sessions, heard.Sessions, isNone, Place.minutes).
		And(compare(a.Event, heard.Event, isNone, atEvent)).
		And(compare(a.Conferences, heard.Conferences, isNone, Place.minutes))
	return all.And(Agreement{Differ: heard.Repeated})
}

// isNone reports whether minutes are as good as nothing: nobody tells of them.
func isNone(minutes int) bool { return minutes == 0 }

func atEvent(who string) string { return "minutes of " + who + " at the event" }

func (p Place) minutes() string { return fmt.Sprintf("minutes of %s in %s", p.Who, p.Where) }

// ShownUp compares who attended and who did not show.
func (a *Account) ShownUp(heard *Account) Agreement {
	return compare(a.Came, heard.Came, func(bool) bool { return false }, func(who string) string { return "that " + who + " came" })
}

// Attendance compares the lines of a report of attendance: every session that anybody was in, even if no time counted.
func (a *Account) Attendance(report *Account) Agreement {
	return compare(a.Sessions, report.Sessions, func(int) bool { return false }, Place.minutes).And(Agreement{Differ: report.Repeated})
}

// Figures sums an account up, for people.
func (a *Account) Figures() string {
	came := 0
	for _, c := range a.Came {
		if c {
			came++
		}
	}
	return fmt.Sprintf("%d registered, %d came, %d did not; %d attended sessions", len(a.Came), came, len(a.Came)-came, len(a.Sessions))
}
