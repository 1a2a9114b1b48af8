package live

import (
	"strings"
	"time"
)

// separator stands between the parts of a composed id. It sorts before every character
// that ids have, so that composed ids sort by their first part, then by the second.
const separator = "!"

// PresenceID is the ID of the row that has a person's attendance of a session. Such rows
// sort by registration, then by session.
func PresenceID(registration, session string) string { return registration + separator + session }

// splitID takes a composed id apart.
func splitID(id string) (first, second string) {
	first, second, _ = strings.Cut(id, separator)
	return first, second
}

// presenceState is what is kept of a person's attendance of a session.
type presenceState struct {
	Edges edges `json:"edges"`
	// OpenEnded: it came, if only in part, from a source that proves no leaves. There is
	// no time that we could tell.
	OpenEnded bool `json:"openEnded,omitzero"`
	// Minutes are those that such a source told; nil = none.
	Minutes *int64 `json:"minutes,omitzero"`
}

// registrationState is what is kept beside a registration.
type registrationState struct {
	// Joined: it has joined a session of the event in time.
	Joined bool `json:"joined,omitzero"`
	// OpenEnded: a source that proves no leaves told that it has joined. Whether it came is
	// not for us to say then.
	OpenEnded bool `json:"openEnded,omitzero"`
	// Late: it was created when the figures were closed.
	Late bool `json:"late,omitzero"`
}

// settleRegistration notes of a new registration whether it still counts.
func (w *work) settleRegistration(row *Row, before object) {
	event, _ := w.get(w.key(events))
	if before == nil && closed(event) {
		row.State = keep(registrationState{Late: true})
	}
}

func presenceKey(r *Request) Key {
	return Key{App: r.app, Kind: Presence, Parent: r.ids[events], ID: PresenceID(r.ids[registrations], r.ids[sessions])}
}

func presenceKeys(r *Request) []Key { return []Key{presenceKey(r)} }

// attended are the rows that an attendance is about.
type attended struct {
	event, session, registration, presence Row
}

func (w *work) attended() (attended, error) {
	var a attended
	var err error
	if a.event, err = w.find(events); err != nil {
		return a, err
	}
	if a.session, err = w.find(sessions); err != nil {
		return a, err
	}
	if a.registration, err = w.find(registrations); err != nil {
		return a, err
	}
	a.presence, _ = w.get(presenceKey(w.Request))
	a.presence.Key = presenceKey(w.Request)
	return a, nil
}

// data is what a message about the attendance carries.
func (a attended) data() object {
	return object{{"event", a.event.Doc}, {"session", a.session.Doc}, {"registration", a.registration.Doc}}
}

// attend applies a join or a leave: it goes into the set of the person's edges, and what
// it makes true that was not is told.
func attend(w *work) error {
	a, err := w.attended()
	if err != nil {
		return err
	}
	connection, err := w.connection()
	if err != nil {
		return err
	}
	s := state[presenceState](a.presence)
	late := closed(a.event)
	told, grown, err := w.move(&s.Edges, edge{Leave: w.Type == "session.left", At: w.at.UnixMicro(), Connection: connection, Late: late})
	if err != nil || !grown {
		return err
	}
	s.OpenEnded = s.OpenEnded || w.Source.openEnded()
	a.presence.State = keep(s)
	w.put(a.presence)
	w.noteJoin(a.registration, s)
	for _, t := range told {
		w.say(turnType(t, "session.joined", "session.left"), time.UnixMicro(t.at).UTC(), "session:"+w.ids[sessions], w.signed(a.data()))
	}
	return nil
}

// connection names the one that joins or leaves; "" if it has no name.
func (w *work) connection() (string, error) {
	v := w.data.get("connectionId")
	switch {
	case v == nil:
		return "", nil
	case v.Kind() == '0' && len(v) <= maxConnection:
		return string(v), nil
	case v.Kind() != '"' || len(text(v)) > maxConnection:
		return "", invalid("must be a string of at most 256 bytes", "connectionId")
	}
	return text(v), nil
}

const maxConnection = 256

// move adds an edge to a set, and gives the turns that messages are to tell of. It reports
// false if the edge was known.
func (w *work) move(set *edges, e edge) (told []turn, grown bool, err error) {
	before := *set
	after, grown := before.with(e)
	switch {
	case !grown:
		return nil, false, nil
	case len(after) > maxEdges:
		return nil, false, conflict("there are %d joins and leaves of this person already, and no room for more", maxEdges)
	}
	*set = after
	if e.Late {
		w.out.Late = true
		return nil, true, nil
	}
	if w.Quiet || w.Source != nil {
		return nil, true, nil
	}
	told = after.news(before)
	after.said(told)
	return told, true, nil
}

func turnType(t turn, join, leave string) string {
	if t.leave {
		return leave
	}
	return join
}

// noteJoin notes beside a registration that it has joined a session in time: who attended
// is told by it.
func (w *work) noteJoin(registration Row, s presenceState) {
	_, joined := s.Edges.inTime().firstJoin()
	known := state[registrationState](registration)
	noted := known
	noted.Joined = known.Joined || joined && !s.OpenEnded
	noted.OpenEnded = known.OpenEnded || joined && s.OpenEnded
	if noted != known {
		registration.State = keep(noted)
		w.put(registration)
	}
}

// toldTime takes the minutes that a source told of a person's time in a session.
func toldTime(w *work) error {
	if w.Source == nil {
		return conflict("session.time_spent follows from joins and leaves")
	}
	a, err := w.attended()
	if err != nil {
		return err
	}
	told := w.data.get("timeSpentInMinutes")
	if msg := aSize.wrong(told); msg != "" {
		return invalid(msg, "timeSpentInMinutes")
	}
	n := min(wholeOf(told), maxMinutes)
	s := state[presenceState](a.presence)
	if s.Minutes != nil && *s.Minutes == n {
		return nil
	}
	s.Minutes, s.OpenEnded = &n, s.OpenEnded || w.Source.openEnded()
	a.presence.State = keep(s)
	w.put(a.presence)
	return nil
}

// windowOf is the time in which attendance of an event counts.
func windowOf(event object) window {
	var w window
	if start := event.time("startDate"); !start.IsZero() {
		w.start = start.UnixMicro()
	}
	if end := event.time("endDate"); !end.IsZero() {
		w.end = end.UnixMicro()
	}
	return w
}

// Line is one person's attendance of one session. Times are UTC; zero = none.
type Line struct {
	SessionID      string    `json:"sessionId"`
	RegistrationID string    `json:"registrationId"`
	Present        bool      `json:"present"`
	Connections    int       `json:"connections"` // open now
	PresentSince   time.Time `json:"presentSince,omitzero"`
	FirstJoinedAt  time.Time `json:"firstJoinedAt,omitzero"`
	LastLeftAt     time.Time `json:"lastLeftAt,omitzero"`
	// Minutes so far; nil if a source told of the attendance that knows no leaves.
	Minutes *int64 `json:"minutes"`
	// Late: some of it came after time spent was told, and differs from that.
	Late bool `json:"late"`
}

// Totals are over all lines.
type Totals struct {
	Present  int   `json:"present"`  // registrations that are in a session now
	Attended int   `json:"attended"` // registrations that were in one
	Minutes  int64 `json:"minutes"`  // of all lines together
}

// Report is who attended an event's sessions.
type Report struct {
	AsOf time.Time `json:"asOf"`
	// LatestActivityAt is when the latest join or leave happened that counts here; zero = there is none.
	LatestActivityAt time.Time `json:"latestActivityAt,omitzero"`
	Totals           Totals    `json:"totals"`
	Lines            []Line    `json:"data"`

	instant Instant
	window  window
	over    bool   // nobody is present any more
	current string // the registration whose lines are being added
	counted Totals // what it is counted as so far
}

// NewReport begins a report as of an instant. Add adds to it, so that not all of an event's
// presences need to be in memory at once.
func NewReport(event Row, asOf Instant) *Report {
	r := &Report{AsOf: asOf.time(), Lines: []Line{}, instant: asOf, window: windowOf(document(event))}
	r.over = r.window.end != 0 && r.window.end <= asOf.at
	if !r.over {
		r.window.end = asOf.at
	}
	return r
}

// Attendance is the report of an event from all its presences, in the order of their keys.
func Attendance(event Row, presences []Row, asOf Instant) *Report {
	r := NewReport(event, asOf)
	for _, row := range presences {
		if line, counts := r.Add(row); counts {
			r.Lines = append(r.Lines, line)
		}
	}
	return r
}

// Add counts a presence into the totals, and gives its line; false if nothing of it was by
// then. Presences come in the order of their keys.
func (r *Report) Add(row Row) (Line, bool) {
	s := r.instant.of(state[presenceState](row))
	if len(s.Edges) == 0 && s.Minutes == nil {
		return Line{}, false
	}
	r.LatestActivityAt = later(r.LatestActivityAt, s.Edges)
	line, spent := r.line(row.ID, s)
	if line.RegistrationID != r.current {
		r.current, r.counted = line.RegistrationID, Totals{}
	}
	if line.Present && r.counted.Present == 0 {
		r.counted.Present = 1
		r.Totals.Present++
	}
	if !line.FirstJoinedAt.IsZero() && r.counted.Attended == 0 {
		r.counted.Attended = 1
		r.Totals.Attended++
	}
	r.Totals.Minutes += spent
	return line, true
}

// line tells one presence, and its minutes as far as they are known.
func (r *Report) line(id string, s presenceState) (line Line, spent int64) {
	line.RegistrationID, line.SessionID = splitID(id)
	line.Late = s.Edges.hasLate()
	if at, joined := s.Edges.firstJoin(); joined {
		line.FirstJoinedAt = time.UnixMicro(at).UTC()
	}
	all := s.Edges.presences()
	for _, p := range all {
		if !p.Open {
			line.LastLeftAt = time.UnixMicro(p.Until).UTC()
		}
	}
	if !r.over && s.Minutes == nil { // a vendor that tells the minutes says that it is over
		line.Connections = s.Edges.open()
		line.Present = line.Connections > 0
	}
	if line.Present {
		line.PresentSince = time.UnixMicro(all[len(all)-1].From).UTC()
	}
	line.Minutes = s.Minutes
	if !s.OpenEnded {
		n := minutes(total(r.window.cut(all)))
		line.Minutes = &n
	}
	if line.Minutes != nil {
		spent = *line.Minutes
	}
	return line, spent
}
