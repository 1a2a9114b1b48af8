package live

import (
	"time"
)

// DefaultDelay is how long after an end time spent is told.
const DefaultDelay = time.Hour

// How many rows one firing takes: with a message for each, and one more for the person
// whose rows the batch before ended within, a batch has at most 1,000 messages.
const (
	presenceBatch = 499 // two messages each at most
	rowBatch      = 1000
)

// stepBytes is about how much one firing says: a batch of large messages ends earlier.
const stepBytes = 8 << 20

// idleAfter is how long a conference may go on without a word.
const idleAfter = 24 * time.Hour

// The passes of an emission, in their order.
const (
	ofPresences     = "presences"     // session.time_spent, event.time_spent
	ofRegistrations = "registrations" // registration.attended, registration.no_show
	ofParticipants  = "participants"  // conference.participant.time_spent
	done            = "done"
)

// emission is how far the time spent of an event or conference was told. It exists from
// the moment at which the figures were closed. Each batch tells of the rows after the
// cursor and moves it, in one commit: each message is made exactly once.
type emission struct {
	Pass  string `json:"pass"`
	After string `json:"after,omitzero"` // the cursor: the last row's ID
	Due   int64  `json:"due"`            // when it was due, in Unix microseconds
	// Person, if any, is somebody whose rows the last batch ended within.
	Person *person `json:"person,omitempty"`
}

// person is a registration whose time in an event is being summed up.
type person struct {
	ID    string     `json:"id"`
	Times []presence `json:"times,omitempty"`
}

func (e *emission) running() bool { return e != nil && e.Pass != done }

func (e *emission) since() time.Time { return time.UnixMicro(e.Due).UTC() }

// closing is the emission of figures that are closed now. Of an end that was told quietly
// nothing is told.
func closing(pass string, quiet bool, due time.Time) *emission {
	if quiet {
		pass = done
	}
	return &emission{Pass: pass, Due: due.UnixMicro()}
}

// emissionDue is when time spent is told: a delay after the end. What was over for longer
// than that when its end became known is told that much after it became known: those who
// report afterwards can report all of it.
func emissionDue(end time.Time, known int64, delay time.Duration) time.Time {
	due, learnt := end.Add(delay), time.UnixMicro(known).UTC()
	if due.After(learnt) {
		return due
	}
	return learnt.Add(delay)
}

// NeedsRange names the rows that Fire wants beside a row that is due; false if none.
func NeedsRange(row Row) (Range, bool) {
	e := &emission{}
	r := Range{App: row.App, Parent: row.ID, Limit: rowBatch}
	switch row.Kind {
	case Event:
		e = state[eventState](row).Emission
	case Conference:
		e = state[conferenceState](row).Emission
	case Sweep:
		return sweepRange(row)
	}
	if !e.running() {
		return Range{}, false
	}
	r.After = e.After
	switch e.Pass {
	case ofPresences:
		r.Kind, r.Limit = Presence, presenceBatch
	case ofRegistrations:
		r.Kind = Registration
	case ofParticipants:
		r.Kind = Participant
	default:
		return Range{}, false
	}
	return r, true
}

// NeedsKeys names the further rows that Fire asks for, given those of NeedsRange: first
// those are read, then all of them go into one unit. What was not among them by then is
// not needed: figures are closed before the first batch, and nothing that comes later
// counts.
func NeedsKeys(row Row, beside []Row) []Key {
	switch row.Kind {
	case Event:
		return presencesKeys(row, beside)
	case Sweep:
		return sweepKeys(row, beside)
	}
	return nil
}

// presencesKeys are the registrations and sessions of presences.
func presencesKeys(event Row, beside []Row) []Key {
	named := map[Key]bool{}
	var keys []Key
	add := func(kind Kind, id string) {
		k := Key{App: event.App, Kind: kind, Parent: event.ID, ID: id}
		if !named[k] {
			named[k] = true
			keys = append(keys, k)
		}
	}
	e := state[eventState](event).Emission
	if e != nil && e.Person != nil {
		add(Registration, e.Person.ID)
	}
	for _, row := range beside {
		if row.Kind != Presence {
			continue
		}
		registration, session := splitID(row.ID)
		add(Registration, registration)
		add(Session, session)
	}
	return keys
}

// Fire decides what follows for a row whose Due has come: one step, after which the row
// may be due again at once. Beside are the rows of NeedsRange. A row that is not due gives
// nothing.
func Fire(v View, row Row, beside []Row, now time.Time, delay time.Duration) Outcome {
	f := &firing{
		work: newWork(v, &Request{Activity: &Activity{}, app: row.App}, now),
		row:  row, beside: beside, delay: delay,
	}
	if row.Due.IsZero() || row.Due.After(f.now) {
		return f.outcome()
	}
	switch row.Kind {
	case Event:
		f.event()
	case Conference:
		f.conference()
	case Sweep:
		f.sweep()
	}
	return f.outcome()
}

// firing is the work of one firing.
type firing struct {
	*work
	row    Row
	beside []Row
	delay  time.Duration
}

// event takes the next step of an event: its status, then the time spent.
func (f *firing) event() {
	s := state[eventState](f.row)
	doc := document(f.row)
	switch status := doc.text("status"); {
	case s.Emission.running():
		f.emit(&s, doc)
	case status == upcoming || status == ongoing:
		f.turnEvent(&s, doc)
	case status == completed && s.Emission == nil:
		f.closeEvent(&s, doc)
	default:
		f.keepRow(doc, keep(s), time.Time{})
	}
}

// keepRow writes the row that was due.
func (f *firing) keepRow(doc object, state []byte, due time.Time) {
	row := f.row
	row.Doc, row.State, row.Due = doc.encode(), state, due
	f.put(row)
}

// turnEvent gives an event the status that it has at the time that was due, and says so.
func (f *firing) turnEvent(s *eventState, doc object) {
	if status := statusAt(doc, f.row.Due); status != doc.text("status") {
		doc.set("status", quote(status))
		doc.set("updatedAt", moment(f.row.Due))
		f.send("event.updated", f.row.Due, "event:"+f.row.ID, object{{"event", doc.encode()}, {"actor", system()}})
	}
	f.keepRow(doc, keep(s), s.due(doc))
}

// closeEvent closes the figures when the delay after the end is over, and waits until
// then. Nothing is told in the same commit: who attends later must find them closed.
func (f *firing) closeEvent(s *eventState, doc object) {
	due := emissionDue(doc.time("endDate"), s.Known, f.delay)
	if !due.After(f.now) {
		s.Emission = closing(ofPresences, s.Quiet, due)
	}
	f.keepRow(doc, keep(s), due)
}

// emit tells of one batch.
func (f *firing) emit(s *eventState, doc object) {
	e := *s.Emission
	e.Person = e.Person.clone()
	s.Emission = &e
	limit, tell := rowBatch, func(row Row) { f.tellRegistration(&e, row) }
	if e.Pass == ofPresences {
		limit, tell = presenceBatch, func(row Row) { f.tellPresence(&e, doc, row) }
	}
	if last, more := f.tellEach(limit, tell); more {
		e.After = last
	} else {
		f.endPass(&e)
	}
	f.keepRow(doc, keep(s), s.due(doc))
}

// tellEach tells of one row after the other, until enough was said. more says that there
// may be rows after the last.
func (f *firing) tellEach(limit int, tell func(Row)) (last string, more bool) {
	for i, row := range f.beside {
		tell(row)
		if f.said >= stepBytes {
			return row.ID, i+1 < len(f.beside) || len(f.beside) == limit
		}
	}
	if len(f.beside) < limit {
		return "", false
	}
	return f.beside[len(f.beside)-1].ID, true
}

// endPass goes over to the next pass.
func (f *firing) endPass(e *emission) {
	e.After = ""
	if e.Pass == ofRegistrations {
		e.Pass = done
		return
	}
	f.tellPerson(e)
	e.Person, e.Pass = nil, ofRegistrations
}

func (p *person) clone() *person {
	if p == nil {
		return nil
	}
	return &person{p.ID, append([]presence(nil), p.Times...)}
}

// tellPresence tells how long somebody was in a session, and sums up each one's time.
func (f *firing) tellPresence(e *emission, event object, row Row) {
	registration, session := splitID(row.ID)
	if e.Person == nil || e.Person.ID != registration {
		f.tellPerson(e)
		e.Person = &person{ID: registration}
	}
	times := f.timesIn(row, session, event)
	e.Person.Times = union(append(e.Person.Times, times...))
	f.tellSession(e, registration, session, total(times))
}

// timesIn is when somebody was in a session, as far as it counts. A session that was
// deleted does not. A presence that came since the keys were named has nothing in time, so
// that its session, which is not among them, is not asked for.
func (f *firing) timesIn(row Row, session string, event object) []presence {
	s := state[presenceState](row)
	times := windowOf(event).cut(s.Edges.inTime().presences())
	if len(times) == 0 || s.OpenEnded {
		return nil
	}
	if _, there := f.child(Session, session); !there {
		return nil
	}
	return times
}

// child finds a row that belongs to the event.
func (f *firing) child(kind Kind, id string) (Row, bool) {
	return f.get(Key{App: f.row.App, Kind: kind, Parent: f.row.ID, ID: id})
}

func (f *firing) tellSession(e *emission, registration, session string, spent int64) {
	if spent == 0 {
		return
	}
	attendee, registered := f.child(Registration, registration)
	place, _ := f.child(Session, session)
	if !registered {
		return
	}
	f.send("session.time_spent", e.since(), "session:"+session, object{
		{"event", f.row.Doc},
		{"session", place.Doc},
		{"registration", attendee.Doc},
		{"timeSpentInMinutes", number(minutes(spent))},
		{"actor", attendeeActor(registration)},
	})
}

// tellPerson tells how long somebody was in the event.
func (f *firing) tellPerson(e *emission) {
	if e.Person == nil || len(e.Person.Times) == 0 {
		return
	}
	spent := total(e.Person.Times)
	registration, registered := f.child(Registration, e.Person.ID)
	if !registered {
		return
	}
	f.send("event.time_spent", e.since(), "registration:"+e.Person.ID, object{
		{"event", f.row.Doc},
		{"registration", registration.Doc},
		{"timeSpentInMinutes", number(minutes(spent))},
		{"actor", attendeeActor(e.Person.ID)},
	})
}

// attendeeActor is the registration as the one who did it, as Zuddl has it.
func attendeeActor(registration string) value {
	return object{{"id", quote(registration)}, {"type", quote("USER")}}.encode()
}

// tellRegistration tells that somebody came, or did not.
func (f *firing) tellRegistration(e *emission, row Row) {
	s := state[registrationState](row)
	if s.Late || s.OpenEnded && !s.Joined {
		return
	}
	word := "no_show"
	if s.Joined {
		word = "attended"
	}
	f.send("registration."+word, e.since(), "registration:"+row.ID, object{
		{"event", f.row.Doc}, {"registration", row.Doc}, {"actor", system()},
	})
}
