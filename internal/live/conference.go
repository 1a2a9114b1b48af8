package live

import (
	"slices"
	"time"
)

// The members of a conference's Doc that say how far something is, and their values.
const (
	running = "running"
	stopped = "stopped"

	isLive  = "live"
	isEnded = "ended"
)

// maxRecordings is how many recordings of a conference are kept apart.
const maxRecordings = 1000

// conferenceState is what is kept beside a conference.
type conferenceState struct {
	// At is when the activity that was committed last happened, in Unix microseconds.
	At int64 `json:"at"`
	// Known is when its end became known.
	Known int64 `json:"known,omitzero"`
	// Quiet: what was heard of it last, up to its end, was not to be told on. Then what
	// follows by itself is not, either.
	Quiet       bool      `json:"quiet,omitzero"`
	Recordings  []string  `json:"recordings,omitempty"` // those that are ready
	Transcribed bool      `json:"transcribed,omitzero"`
	Emission    *emission `json:"emission,omitempty"`
}

// meeting is a conference while an activity is applied to it.
type meeting struct {
	row   Row
	doc   object
	state conferenceState
	over  bool // it had ended before
}

func (m *meeting) ended() bool { return m.doc.text("status") == isEnded }

func (m *meeting) endedAt() time.Time { return m.doc.time("endedAt") }

func conferenceKey(r *Request) Key {
	return Key{App: r.app, Kind: Conference, ID: r.idOr("conferenceId")}
}

func conferenceKeys(r *Request) []Key { return []Key{conferenceKey(r)} }

func readMeeting(row Row) *meeting {
	m := &meeting{row: row, doc: document(row), state: state[conferenceState](row)}
	m.over = m.ended()
	return m
}

// meeting finds the conference of an activity. A source may tell of one whose start it
// did not tell.
func (w *work) meeting() (*meeting, error) {
	w.out.ID = w.idOr("conferenceId")
	row, known := w.get(conferenceKey(w.Request))
	switch {
	case known:
		m := readMeeting(row)
		w.learnHost(&m.doc)
		return m, nil
	case w.Source == nil:
		return nil, notFound("conference", "conferenceId")
	}
	return w.newMeeting(), nil
}

func (w *work) newMeeting() *meeting {
	m := &meeting{row: Row{Key: conferenceKey(w.Request)}}
	m.doc = object{{"id", w.data.get("conferenceId")}, {"status", quote(isLive)}, {"participants", number(0)}}
	w.learnHost(&m.doc)
	return m
}

// learnHost takes over what an activity says of the conference itself.
func (w *work) learnHost(doc *object) {
	doc.add("hostId", w.data.get("hostId"))
	doc.add("companyId", w.data.get("companyId"))
	doc.add("name", w.data.get("conferenceName"))
}

// heard keeps the conference as the activity left it, and puts off the end that comes by
// itself.
func (w *work) heard(m *meeting) {
	m.state.At = w.at.UnixMicro()
	if !m.over {
		m.state.Quiet = w.Quiet
	}
	if !m.ended() {
		m.row.Due = w.now.Add(idleAfter)
	}
	m.row.Doc, m.row.State = m.doc.encode(), keep(m.state)
	w.put(m.row)
}

// sayMeeting sends what an activity told of a conference, completed from what is known.
func (w *work) sayMeeting(m *meeting, extra ...member) {
	w.say(w.Type, w.at, "conference:"+w.out.ID, w.flat(m, nil, extra...))
}

// flat is the data of a message about a conference, and about one of its participants if
// there is one.
func (w *work) flat(m *meeting, participant object, extra ...member) object {
	data := object{{"conferenceId", m.doc.get("id")}}
	data.add("hostId", m.doc.get("hostId"))
	data.add("companyId", m.doc.get("companyId"))
	for _, given := range w.told() {
		data.fill(given.name, given.value)
	}
	for _, own := range extra {
		data.add(own.name, own.value)
	}
	completeFlat(&data, m.doc, participant)
	w.signFlat(&data)
	return data
}

// told are the members of data that are the activity's own: all but what it carries and
// what is null.
func (w *work) told() object {
	return slices.DeleteFunc(w.data.without("event", "session", "registration", "eventId", "sessionId", "registrationId",
		"actor", "sourceOfChange"), func(m member) bool { return m.value.Kind() == 'n' })
}

// completeFlat adds what is known of a conference and a participant.
func completeFlat(data *object, conference, participant object) {
	data.fill("conferenceName", conference.get("name"))
	data.add("conferenceStartedAt", conference.get("startedAt"))
	data.add("conferenceEndedAt", conference.get("endedAt"))
	for _, name := range []string{"participantId", "participantRole", "participantName", "participantEmail", "participantPhoneNumber"} {
		data.fill(name, participant.get(name))
	}
}

// signFlat adds who did it, where somebody said so.
func (w *work) signFlat(data *object) {
	data.add("actor", w.actor())
	if w.SourceOfChange != "" || w.Actor.Type == "AGENT" {
		data.set("sourceOfChange", quote(w.source()))
	}
}

// require asks for members of data.
func (w *work) require(names ...string) error {
	for _, name := range names {
		if w.data.get(name) == nil {
			return invalid("is required", name)
		}
	}
	return nil
}

// startConference begins a conference.
func startConference(w *work) error {
	w.out.ID = w.idOr("conferenceId")
	row, known := w.get(conferenceKey(w.Request))
	m := readMeeting(row)
	switch {
	case !known:
		m = w.newMeeting()
	case m.ended() && w.at.After(m.endedAt()):
		return conflict("the conference has ended, and cannot start again; allowed: a conference with another id")
	case m.ended() || m.doc.get("startedAt") != nil:
		return nil
	}
	if !known && w.Source == nil {
		if err := w.require("hostId", "companyId"); err != nil {
			return err
		}
	}
	w.learnHost(&m.doc)
	m.doc.set("startedAt", moment(w.at))
	w.heard(m)
	w.sayMeeting(m)
	return nil
}

// endConference ends a conference, and closes what is open in it, silently.
func endConference(w *work) error {
	m, err := w.meeting()
	switch {
	case err != nil:
		return err
	case m.ended():
		return nil
	case w.at.Before(m.doc.time("startedAt")):
		return conflict("the conference started later than that; at must not be before its start")
	}
	m.end(w.at, w.now, "")
	w.heard(m)
	w.sayMeeting(m)
	return nil
}

// end ends a conference at a time. What comes after the end is due then; how much later
// it comes only Fire knows.
func (m *meeting) end(at, now time.Time, reason string) {
	m.doc.set("status", quote(isEnded))
	m.doc.set("endedAt", moment(at))
	m.doc.set("participants", number(0))
	if reason != "" {
		m.doc.set("endReason", quote(reason))
	}
	for _, part := range []string{"recording", "stream", "broadcast"} {
		if m.doc.text(part) == running {
			m.doc.set(part, quote(stopped))
		}
	}
	m.state.Known = now.UnixMicro()
	m.row.Due = at
}

// start starts the recording, the stream or the broadcast of a conference.
func start(part string) func(*work) error {
	return func(w *work) error {
		m, err := w.meeting()
		switch {
		case err != nil:
			return err
		case m.ended():
			return w.isOver()
		case m.doc.text(part) == running:
			return nil
		}
		m.doc.set(part, quote(running))
		w.heard(m)
		w.sayMeeting(m)
		return nil
	}
}

// stop stops it.
func stop(part string) func(*work) error {
	return func(w *work) error {
		m, err := w.meeting()
		if err != nil {
			return err
		}
		switch m.doc.text(part) {
		case stopped:
			return nil
		case "":
			if m.ended() {
				return w.isOver()
			}
			return conflict("the %s of the conference has not started; allowed: conference.%s.started", part, part)
		}
		m.doc.set(part, quote(stopped))
		w.heard(m)
		w.sayMeeting(m)
		return nil
	}
}

// isOver refuses what is possible only before a conference's end.
func (w *work) isOver() error {
	return conflict("the conference has ended; allowed: conference.recording.ready, conference.transcription.ready, " +
		"conference.stream.preview_updated, and participants who entered or left before the end")
}

// recordingReady tells where a recording is, once for each.
func recordingReady(w *work) error {
	m, err := w.meeting()
	if err != nil {
		return err
	}
	if err := w.require("recordingId", "downloadLink"); err != nil {
		return err
	}
	id := idOf(object{{"id", w.data.get("recordingId")}})
	switch {
	case m.doc.get("recording") == nil && w.Source == nil:
		return conflict("the recording of the conference has not started; allowed: conference.recording.started")
	case slices.Contains(m.state.Recordings, id):
		return nil
	case len(id) > maxConnection:
		return invalid("must be at most 256 bytes long", "recordingId")
	case len(m.state.Recordings) >= maxRecordings:
		return conflict("the conference has %d recordings already, and no room for more", maxRecordings)
	}
	m.state.Recordings = append(slices.Clone(m.state.Recordings), id)
	w.heard(m)
	w.sayMeeting(m)
	return nil
}

// transcriptionReady tells that there is a transcription, once.
func transcriptionReady(w *work) error {
	m, err := w.meeting()
	if err != nil || m.state.Transcribed {
		return err
	}
	m.state.Transcribed = true
	w.heard(m)
	w.sayMeeting(m)
	return nil
}

// previewUpdated tells where the stream's preview is.
func previewUpdated(w *work) error {
	m, err := w.meeting()
	if err != nil {
		return err
	}
	if err := w.require("videoUrl"); err != nil {
		return err
	}
	if m.doc.get("stream") == nil && w.Source == nil {
		return conflict("the stream of the conference has not started; allowed: conference.stream.started")
	}
	preview := object{{"videoUrl", w.data.get("videoUrl")}}
	preview.add("imageUrl", w.data.get("imageUrl"))
	if same(preview.encode(), m.doc.get("preview")) {
		return nil
	}
	m.doc.set("preview", preview.encode())
	w.heard(m)
	w.sayMeeting(m)
	return nil
}

// accessCodeReused tells that a code was used for another conference than it was made
// for. It changes nothing, and may come before the new conference starts.
func accessCodeReused(w *work) error {
	w.out.ID = w.idOr("conferenceId")
	if _, err := w.flatID("originalConferenceId"); err != nil {
		return err
	}
	row, known := w.get(conferenceKey(w.Request))
	m := readMeeting(row)
	if !known {
		m = w.newMeeting()
	}
	w.learnHost(&m.doc)
	if known && !m.ended() {
		w.heard(m)
	}
	w.sayMeeting(m)
	return nil
}

// conference takes the next step of a conference: the end that comes by itself, or the
// time spent after the end.
func (f *firing) conference() {
	m := readMeeting(f.row)
	switch e := m.state.Emission; {
	case !m.ended():
		f.endIdle(m)
	case e.running():
		f.emitParticipants(m)
	case e == nil:
		f.closeConference(m)
	default:
		f.keepRow(m.doc, keep(m.state), time.Time{})
	}
}

// endIdle ends a conference of which nothing was heard for a day, as of what was heard
// last.
func (f *firing) endIdle(m *meeting) {
	at := time.UnixMicro(m.state.At).UTC()
	if started := m.doc.time("startedAt"); at.Before(started) {
		at = started
	}
	m.end(at, f.now, "idle")
	f.keepRow(m.doc, keep(m.state), m.row.Due)
	if m.state.Quiet {
		return
	}
	data := object{{"conferenceId", m.doc.get("id")}}
	data.add("hostId", m.doc.get("hostId"))
	data.add("companyId", m.doc.get("companyId"))
	completeFlat(&data, m.doc, nil)
	data.set("reason", quote("idle"))
	data.set("actor", system())
	f.send("conference.ended", at, "conference:"+f.row.ID, data)
}

// closeConference closes the figures when the delay after the end is over.
func (f *firing) closeConference(m *meeting) {
	due := emissionDue(m.endedAt(), m.state.Known, f.delay)
	if !due.After(f.now) {
		m.state.Emission = closing(ofParticipants, m.state.Quiet, due)
	}
	f.keepRow(m.doc, keep(m.state), due)
}

// emitParticipants tells how long one batch of participants were in a conference.
func (f *firing) emitParticipants(m *meeting) {
	e := *m.state.Emission
	m.state.Emission = &e
	counts, due := m.window(), f.row.Due
	if last, more := f.tellEach(rowBatch, func(row Row) { f.tellParticipant(m, &e, row, counts) }); more {
		e.After = last
	} else {
		e.Pass, e.After, due = done, "", time.Time{}
	}
	f.keepRow(m.doc, keep(m.state), due)
}

// window is the time in which a conference's participants count.
func (m *meeting) window() window {
	counts := window{end: m.endedAt().UnixMicro()}
	if started := m.doc.time("startedAt"); !started.IsZero() {
		counts.start = started.UnixMicro()
	}
	return counts
}

func (f *firing) tellParticipant(m *meeting, e *emission, row Row, counts window) {
	spent := total(counts.cut(state[participantState](row).Edges.inTime().presences()))
	if spent == 0 {
		return
	}
	data := object{{"conferenceId", m.doc.get("id")}}
	data.add("hostId", m.doc.get("hostId"))
	data.add("companyId", m.doc.get("companyId"))
	completeFlat(&data, m.doc, document(row))
	data.set("timeSpentInMinutes", number(minutes(spent)))
	f.send("conference.participant.time_spent", e.since(), "conference:"+f.row.ID, data)
}
