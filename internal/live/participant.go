package live

import (
	"slices"
	"strings"
	"time"
)

// participantState is what is kept beside a participant of a conference.
type participantState struct {
	Edges edges `json:"edges,omitempty"`
	// Watching and Watched: is one of the live stream's viewers now, and was one.
	Watching bool `json:"watching,omitzero"`
	Watched  bool `json:"watched,omitzero"`
	// Dialout are the statuses of calls to the participant, the latest last.
	Dialout []dialoutStep `json:"dialout,omitempty"`
}

// seat is a participant while an activity is applied to it.
type seat struct {
	row   Row
	doc   object
	state participantState
}

func participantKey(r *Request) Key {
	return Key{App: r.app, Kind: Participant, Parent: r.idOr("conferenceId"), ID: r.idOr("participantId")}
}

func participantKeys(r *Request) []Key { return []Key{conferenceKey(r), participantKey(r)} }

// seat finds the conference and the participant of an activity, which may be new.
func (w *work) seat() (*meeting, *seat, error) {
	m, err := w.meeting()
	if err != nil {
		return nil, nil, err
	}
	row, _ := w.get(participantKey(w.Request))
	row.Key = participantKey(w.Request)
	s := &seat{row, document(row), state[participantState](row)}
	s.doc.fill("participantId", w.data.get("participantId"))
	for _, name := range []string{"participantName", "participantEmail", "participantPhoneNumber"} {
		s.doc.add(name, w.data.get(name))
	}
	return m, s, nil
}

// keepSeat keeps a participant and the conference as the activity left them.
func (w *work) keepSeat(m *meeting, s *seat) {
	was := string(s.doc.get("present")) == "true"
	is := !m.ended() && s.state.Edges.open() > 0
	s.doc.set("present", flag(is))
	m.count(was, is)
	s.doc.set("watching", flag(!m.ended() && s.state.Watching))
	s.row.Doc, s.row.State = s.doc.encode(), keep(s.state)
	w.put(s.row)
	w.heard(m)
}

// count keeps the number of those who are in the conference.
func (m *meeting) count(was, is bool) {
	if was == is || m.ended() {
		return
	}
	n := wholeOf(m.doc.get("participants"))
	if is {
		n++
	} else {
		n--
	}
	m.doc.set("participants", number(n))
}

func flag(b bool) value {
	if b {
		return value("true")
	}
	return value("false")
}

// saySeat sends what an activity told of a participant.
func (w *work) saySeat(m *meeting, s *seat, eventType string, at time.Time) {
	w.say(eventType, at, "conference:"+w.out.ID, w.flat(m, s.doc))
}

// tooLate reports whether an activity happened after the conference's end.
func (w *work) tooLate(m *meeting) bool { return m.ended() && w.at.After(m.endedAt()) }

// moveParticipant applies an enter or a leave. It goes by sets of edges as attendance
// does; but who never entered cannot leave.
func moveParticipant(w *work) error {
	m, s, err := w.seat()
	leave := strings.HasSuffix(w.Type, ".left")
	switch {
	case err != nil:
		return err
	case w.tooLate(m):
		return w.isOver()
	case leave && w.Source == nil && !s.hasEntered(w.at):
		return conflict("the participant is not in the conference; allowed: conference.participant.entered")
	}
	late := m.state.Emission != nil
	told, grown, err := w.move(&s.state.Edges, edge{Leave: leave, At: w.at.UnixMicro(), Late: late})
	if err != nil || !grown {
		return err
	}
	s.doc.add("participantRole", w.data.get("participantRole"))
	w.keepSeat(m, s)
	for _, t := range told {
		w.saySeat(m, s, turnType(t, "conference.participant.entered", "conference.participant.left"), time.UnixMicro(t.at).UTC())
	}
	return nil
}

// hasEntered reports whether a participant has entered by a time.
func (s *seat) hasEntered(at time.Time) bool {
	first, entered := s.state.Edges.firstJoin()
	return entered && first <= at.UnixMicro()
}

// changeRole gives a participant another role.
func changeRole(w *work) error {
	m, s, err := w.seat()
	if err != nil {
		return err
	}
	if err := w.require("participantRole"); err != nil {
		return err
	}
	role := w.data.get("participantRole")
	switch {
	case same(role, s.doc.get("participantRole")):
		return nil
	case m.ended():
		return w.isOver()
	case s.state.Edges.open() == 0 && w.Source == nil:
		return conflict("the participant is not in the conference; allowed: conference.participant.entered")
	}
	s.doc.set("participantRole", role)
	w.keepSeat(m, s)
	w.saySeat(m, s, w.Type, w.at)
	return nil
}

// enterStream makes a participant a viewer of the live stream.
func enterStream(w *work) error {
	m, s, err := w.seat()
	switch {
	case err != nil:
		return err
	case w.tooLate(m):
		return w.isOver()
	case s.state.Watching:
		return nil
	case w.Source == nil && !m.isStreamed():
		return conflict("the conference is not streamed; allowed: conference.stream.started, conference.broadcast.started")
	}
	s.state.Watching, s.state.Watched = true, true
	w.keepSeat(m, s)
	w.saySeat(m, s, w.Type, w.at)
	return nil
}

// isStreamed reports whether there is, or at the end was, something to watch.
func (m *meeting) isStreamed() bool {
	if m.ended() {
		return m.doc.get("stream") != nil || m.doc.get("broadcast") != nil
	}
	return m.doc.text("stream") == running || m.doc.text("broadcast") == running
}

// leaveStream ends that.
func leaveStream(w *work) error {
	m, s, err := w.seat()
	switch {
	case err != nil:
		return err
	case !s.state.Watching && s.state.Watched:
		return nil
	case w.tooLate(m):
		return w.isOver()
	case !s.state.Watching && w.Source == nil:
		return conflict("the participant does not watch the live stream; allowed: conference.livestream.entered")
	}
	s.state.Watching, s.state.Watched = false, true
	w.keepSeat(m, s)
	w.saySeat(m, s, w.Type, w.at)
	return nil
}

// dialoutStep is a status of a call to somebody who shall take part.
type dialoutStep struct {
	Status string `json:"status"`
	At     int64  `json:"at"` // Unix microseconds
}

// maxDialoutSteps is how many statuses are remembered: several calls' worth.
const maxDialoutSteps = 50

// dialoutNext says which statuses may follow one. Steps may be missing; new may follow
// any, since a redial begins with it.
func dialoutNext(status string) []string {
	switch status {
	case "new":
		return []string{"dialed", "answered", "rejected", "noanswer", "cancelled", "notenabled"}
	case "dialed":
		return []string{"answered", "rejected", "noanswer", "cancelled"}
	case "answered":
		return []string{"rejected", "cancelled"}
	}
	return nil // rejected, noanswer, cancelled, notenabled: the call is over
}

// knownDialout are all statuses of which the vendor tells. Others may come: they are told
// and not remembered.
var knownDialout = []string{"new", "dialed", "answered", "rejected", "noanswer", "cancelled", "notenabled"}

// verdict is what to make of a status.
type verdict uint8

const (
	accepted  verdict = iota
	repeated          // it is known
	forbidden         // the call cannot get there
)

// judgeDialout says what to make of a step, given those before in order of time. A step
// from before the last one is late, and fits wherever it is not known.
func judgeDialout(steps []dialoutStep, s dialoutStep) verdict {
	if len(steps) == 0 || !slices.Contains(knownDialout, s.Status) {
		return accepted
	}
	if slices.Contains(steps, s) {
		return repeated
	}
	last := steps[len(steps)-1]
	switch {
	case s.Status == last.Status, s.At < last.At && inCall(steps, s.Status):
		return repeated
	case s.At < last.At, s.Status == "new", slices.Contains(dialoutNext(last.Status), s.Status):
		return accepted
	case !callOver(last.Status) && inCall(steps, s.Status):
		return repeated
	}
	return forbidden
}

// callOver reports whether a status is one of the ends.
func callOver(status string) bool { return dialoutNext(status) == nil }

// inCall reports whether a status was reached in the call that is going on.
func inCall(steps []dialoutStep, status string) bool {
	for _, s := range slices.Backward(steps) {
		if s.Status == status {
			return true
		}
		if s.Status == "new" {
			return false
		}
	}
	return false
}

// dialout applies a status of a call.
func dialout(w *work) error {
	m, s, err := w.seat()
	if err != nil {
		return err
	}
	if err := w.require("status"); err != nil {
		return err
	}
	step := dialoutStep{w.data.text("status"), w.at.UnixMicro()}
	switch v := judgeDialout(s.state.Dialout, step); {
	case v == repeated:
		return nil
	case w.tooLate(m):
		return w.isOver()
	case v == forbidden && w.Source == nil:
		return s.forbidDialout()
	}
	s.addDialout(step)
	w.keepSeat(m, s)
	w.saySeat(m, s, w.Type, w.at)
	return nil
}

func (s *seat) forbidDialout() error {
	last := s.state.Dialout[len(s.state.Dialout)-1].Status
	allowed := append([]string{"new"}, dialoutNext(last)...)
	return conflict("the call's status is %s; allowed: %s", last, strings.Join(allowed, ", "))
}

func (s *seat) addDialout(step dialoutStep) {
	if !slices.Contains(knownDialout, step.Status) {
		return
	}
	steps := append(slices.Clone(s.state.Dialout), step)
	slices.SortStableFunc(steps, func(a, b dialoutStep) int { return int(min(max(a.At-b.At, -1), 1)) })
	s.state.Dialout = steps[max(0, len(steps)-maxDialoutSteps):]
	s.doc.set("dialoutStatus", quote(s.state.Dialout[len(s.state.Dialout)-1].Status))
}
