package live

import (
	"slices"
	"strconv"
	"time"

	"github.com/callboard/callboard/internal/id"
)

// firstNumber is that of an org's first event, unless it is given one. What a source tells
// of first is numbered from firstForeign on: Sessionboard's webhooks name events by number
// alone, and a number of ours must not be another event's there. maxChosen is the largest
// that an event may be given.
const (
	firstNumber  = 4001
	firstForeign = 1_000_000_001
	maxChosen    = 1 << 52
)

// The statuses of an event. All but CANCELLED follow from its dates.
const (
	upcoming  = "UPCOMING"
	ongoing   = "ONGOING"
	completed = "COMPLETED"
	cancelled = "CANCELLED"
)

// eventState is what is kept beside an event.
type eventState struct {
	// Known is when its end became known, in Unix microseconds.
	Known int64 `json:"known,omitzero"`
	// Quiet: what told of its end was not to be told on, and the end was over by then. So
	// an import of what was tells nobody of it.
	Quiet bool `json:"quiet,omitzero"`
	// Foreign: a source that proves no leaves told of it first. Its status is what the
	// vendor last said, and nothing happens to it by itself.
	Foreign bool `json:"foreign,omitzero"`
	// Numbers are all that it ever had: none is given to another event while it lives.
	Numbers []int64 `json:"numbers,omitempty"`
	// Emission is how far its time spent was told; nil = its figures are not closed.
	Emission *emission `json:"emission,omitempty"`
}

// closed reports whether the figures of an event's attendance stand.
func closed(event Row) bool { return state[eventState](event).Emission != nil }

// settleEvent gives an event its number, its status, and the time at which something
// happens to it next.
func (w *work) settleEvent(row *Row, before object, after *object) error {
	s := state[eventState](*row)
	if before == nil {
		s.Foreign = w.Source.openEnded()
	}
	if err := w.settleNumber(&s, before, after); err != nil {
		return err
	}
	if err := w.settleStatus(&s, before, after); err != nil {
		return err
	}
	if err := w.checkWindow(*after); err != nil {
		return err
	}
	if newEnd(before, *after) {
		s.Known = w.now.UnixMicro()
		s.Quiet = w.Quiet && !after.time("endDate").After(w.now)
	}
	row.State, row.Due = keep(s), s.due(*after)
	return nil
}

// newEnd reports whether an event ends at another time than was known, or ends again.
func newEnd(before, after object) bool {
	return !before.time("endDate").Equal(after.time("endDate")) ||
		before.text("status") == cancelled && after.text("status") != cancelled
}

func (w *work) checkWindow(event object) error {
	start, end := event.time("startDate"), event.time("endDate")
	if w.Source == nil && !start.IsZero() && !end.IsZero() && end.Before(start) {
		return invalid("must not be before startDate", append(w.locs[events], "endDate")...)
	}
	return nil
}

// settleStatus derives an event's status. The caller can only cancel it, or take that
// back; the status that it has anyway may be said, since clients send back what they were
// given.
func (w *work) settleStatus(s *eventState, before object, after *object) error {
	given := w.objects[events].text("status")
	derived := statusAt(*after, w.now)
	switch {
	case s.Foreign:
		return nil
	case w.Source == nil && given != "" && given != cancelled && given != derived && given != before.text("status"):
		return invalid("must be CANCELLED or absent: all else follows from the dates", append(w.locs[events], "status")...)
	case w.Source != nil && given != "" && given != cancelled && before.text("status") == cancelled:
		// A vendor's word that it goes on after all.
	case after.text("status") == cancelled:
		return nil
	}
	after.set("status", quote(derived))
	return nil
}

// statusAt is the status that an event has at a time by its dates.
func statusAt(event object, now time.Time) string {
	start, end := event.time("startDate"), event.time("endDate")
	switch {
	case !end.IsZero() && !now.Before(end):
		return completed
	case !start.IsZero() && !now.Before(start):
		return ongoing
	}
	return upcoming
}

// due is when something happens to an event by itself: its start, its end, and what comes
// after the end. That is due at the end, too: how much later it comes only Fire knows.
func (s *eventState) due(event object) time.Time {
	status, start, end := event.text("status"), event.time("startDate"), event.time("endDate")
	switch {
	case s.Foreign || status == cancelled:
		return time.Time{}
	case s.Emission.running():
		return s.Emission.since()
	case status == upcoming && !start.IsZero():
		return start
	case status == completed && s.Emission != nil:
		return time.Time{}
	}
	return end
}

// settleNumber gives an event the number that the caller chose, else the one that it has,
// else the org's next.
func (w *work) settleNumber(s *eventState, before object, after *object) error {
	if after.get("number") == nil {
		setNumber(after, before.get("number"))
	}
	if after.get("number") == nil {
		return w.nextNumber(s, after)
	}
	n, ok := eventNumber(*after)
	switch {
	case same(before.get("number"), after.get("number")):
		return nil
	case !ok || n > maxChosen:
		return invalid("must be a whole number from 1 to 2^52", append(w.locs[events], "number")...)
	}
	return w.claimNumber(s, n, before, after)
}

// claimNumber takes a number that the caller chose. Numbers that Callboard gives are
// larger than all that were chosen, so that they are free without a look.
func (w *work) claimNumber(s *eventState, n int64, before object, after *object) error {
	key := numberKey(w.org, n)
	if row, taken := w.get(key); taken && !w.isOwn(row) {
		refusal := &Refusal{Kind: Conflict, Loc: append(w.locs[events], "number"), Msg: "another event of the organization has this number"}
		if w.Source == nil {
			return refusal
		}
		w.out.Note = refusal
		after.remove("number")
		if setNumber(after, before.get("number")); after.get("number") != nil {
			return nil
		}
		return w.nextNumber(s, after)
	}
	c := w.counter()
	if next := c.of(n >= firstForeign); n >= *next {
		*next = n + 1
		w.setCounter(c)
	}
	w.giveNumber(s, n, true)
	return nil
}

// nextNumber takes the org's next number. The row that says whose it is, is new, and the
// only one of which Keys could not know.
func (w *work) nextNumber(s *eventState, after *object) error {
	c := w.counter()
	next := c.of(w.Source != nil || c.Next >= firstForeign)
	n := *next
	if n > maxNumber {
		return conflict("the organization has used up its event numbers; give the event one that is free")
	}
	*next = n + 1
	w.setCounter(c)
	w.giveNumber(s, n, false)
	setNumber(after, number(n))
	return nil
}

// setNumber puts a number behind the id.
func setNumber(event *object, n value) {
	if n != nil {
		id := event.get("id")
		event.first("number", n)
		event.first("id", id)
	}
}

func (w *work) giveNumber(s *eventState, n int64, chosen bool) {
	doc := object{{"app", number(int64(w.app))}, {"event", quote(w.ids[events])}}
	if chosen {
		doc.set("chosen", value("true"))
	}
	w.put(Row{Key: numberKey(w.org, n), Doc: doc.encode()})
	if !slices.Contains(s.Numbers, n) {
		s.Numbers = append(s.Numbers, n)
	}
}

// isOwn reports whether a number is this event's.
func (w *work) isOwn(number Row) bool {
	event, ok := NumberedEvent(number)
	return ok && event == Key{App: w.app, Kind: Event, ID: w.ids[events]}
}

// counterState is what is kept of an org's counter of events: the next number of each sort.
type counterState struct {
	Next    int64 `json:"next"`
	Foreign int64 `json:"foreign"`
}

// of is the next number of a sort.
func (c *counterState) of(foreign bool) *int64 {
	if foreign {
		return &c.Foreign
	}
	return &c.Next
}

func (w *work) counter() counterState {
	row, _ := w.get(counterKey(w.org))
	c := state[counterState](row)
	c.Next, c.Foreign = max(c.Next, firstNumber), max(c.Foreign, firstForeign)
	return c
}

func (w *work) setCounter(c counterState) {
	row, _ := w.get(counterKey(w.org))
	row.Key = counterKey(w.org)
	row.State = keep(c)
	w.put(row)
}

// Numbers names the rows of the numbers that an event took, or that the sweep of a deleted
// one is still to free; they are its own only if NumberedEvent says so.
func Numbers(org string, row Row) []Key {
	var numbers []int64
	switch row.Kind {
	case Event:
		numbers = state[eventState](row).Numbers
	case Sweep:
		numbers = state[sweepState](row).Numbers
	}
	keys := make([]Key, len(numbers))
	for i, n := range numbers {
		keys[i] = numberKey(org, n)
	}
	return keys
}

// ChosenNumber reports whether somebody chose the number of an EventNumber row for the event
// that has it, or Callboard gave it.
func ChosenNumber(row Row) bool { return string(document(row).get("chosen")) == "true" }

// NumberedEvent reads an EventNumber row: whose number it is.
func NumberedEvent(row Row) (event Key, ok bool) {
	doc := document(row)
	app, err := strconv.ParseInt(string(doc.get("app")), 10, 64)
	if err != nil || doc.text("event") == "" {
		return Key{}, false
	}
	return Key{App: id.ID(app), Kind: Event, ID: doc.text("event")}, true
}
