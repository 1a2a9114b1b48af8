package live_test

import (
	"testing"

	"github.com/callboard/callboard/internal/live"
)

// fromVendor is an activity that a vendor's webhook told.
func fromVendor(leaves bool, minute float64, activityType, data string) live.Activity {
	return live.Activity{
		Type: activityType, At: after(minute), Data: []byte(data), Source: &live.Source{Joins: true, Leaves: leaves},
	}
}

const joinedFromVendor = `{"event":{"id":"e1","status":"ONGOING","startDate":"2027-06-10T13:00:00Z","endDate":"2027-06-10T15:00:00Z"},` +
	`"session":{"id":"s1"},"registration":{"id":"r1"}}`

// TestOpenEndedAttendance: a source that proves no leaves gives presence, and no figures,
// timers or statuses of ours; the minutes that it tells are taken.
func TestOpenEndedAttendance(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.now = after(70)
	equal(t, "joined", w.with(fromVendor(false, 70, "session.joined", joinedFromVendor)), "")
	equal(t, "status is the vendor's", w.eventDoc("e1")["status"], any("ONGOING"))
	equal(t, "presence", lines(w.report())[0], "s1 r1 true 1 70 - - false")
	equal(t, "nothing happens by itself", w.until(10_000), "")
	w.with(fromVendor(false, 300, "session.time_spent", `{"eventId":"e1","sessionId":"s1","registrationId":"r1","timeSpentInMinutes":42}`))
	equal(t, "the vendor's minutes", lines(w.report())[0], "s1 r1 false 0 70 - 42 false")
}

func TestOpenEndedAttendanceOfAnEventOfOurs(t *testing.T) {
	t.Parallel()
	w := conf(t)
	w.with(fromVendor(false, 1, "session.joined", attendance("s1", "r1", "")))
	w.until(239)
	equal(t, "r1 neither attended nor did not", w.until(10_000), "registration.no_show")
}

// TestSourcesAreNeverRefusedByState: what fits is applied, what does not is noted.
func TestSourcesAreNeverRefusedByState(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, a := range []live.Activity{
		fromVendor(true, 0, "conference.participant.left", `{"conferenceId":1,"participantId":2}`),
		fromVendor(true, 0, "conference.recording.stopped", `{"conferenceId":1}`),
		fromVendor(true, 0, "conference.dialout.status_changed", `{"conferenceId":1,"participantId":2,"status":"answered"}`),
		fromVendor(true, 0, "conversation.analysis_completed", `{"id":"v"}`),
		fromVendor(true, 0, "session.joined", `{"eventId":"e","sessionId":"s","registrationId":"r"}`),
	} {
		equal(t, a.Type, len(w.said), 0)
		if _, err := w.apply(a); err != nil {
			t.Errorf("%s: %v", a.Type, err)
		}
	}
	out, _ := w.apply(fromVendor(true, 0, "conference.recording.stopped", `{"conferenceId":1}`))
	if out.Note == nil || out.Note.Kind != live.Conflict {
		t.Errorf("note: %v", out.Note)
	}
	r := w.refused(live.Activity{Type: "session.time_spent", Data: []byte(`{"event":{"id":"e"},"session":{"id":"s"},"registration":{"id":"r"},"timeSpentInMinutes":1}`)})
	equal(t, "over the API time spent is not told", r.Kind, live.Conflict)
}

// TestSourceOfResources: a source that tells of no attendance leaves that ours, and one
// object that does not fit keeps out none of the others.
func TestSourceOfResources(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	a := live.Activity{Type: "session.created", Source: &live.Source{}, Data: []byte(`{"event":{"id":"e1","endDate":"2027-06-10T15:00:00Z"},"session":{"id":"s1","createdAt":"2001-01-01T00:00:00Z","updatedAt":"2002-01-01T00:00:00Z"}}`)}
	equal(t, "says nothing", w.with(a), "")
	equal(t, "the vendor's stamps", w.sessionDoc("e1", "s1")["updatedAt"], any("2002-01-01T00:00:00Z"))
	w.do("registration.created", `{"eventId":"e1","id":"r1"}`)
	equal(t, "our timers", w.until(1000), "event.updated registration.no_show")

	w.do("event.created", `{"id":"e2","number":77}`)
	out, err := w.apply(fromVendor(true, 0, "session.joined", `{"event":{"id":"e1","number":77},"session":{"id":"s9"},"registration":{"id":"r1"}}`))
	if err != nil || out.Note == nil {
		t.Errorf("a number that is taken: %v, %v", err, out.Note)
	}
	equal(t, "the session", w.sessionDoc("e1", "s9")["id"], any("s9"))
}

// TestSourcesThatProveBoth: their attendance is as good as that of the API, with our
// timers.
func TestSourcesThatProveBoth(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.with(fromVendor(true, 0, "conference.participant.entered", `{"conferenceId":"k","participantId":"p"}`))
	w.now = after(10)
	w.with(fromVendor(true, 10, "conference.ended", `{"conferenceId":"k"}`))
	equal(t, "time spent", w.until(1000), "conference.participant.time_spent")
	equal(t, "minutes", w.last()["timeSpentInMinutes"], any(10.0))
}

// TestNumbersOfSources: a number that another event has keeps nothing else out; whose number
// somebody chose is told apart from whose Callboard gave.
func TestNumbersOfSources(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.do("event.created", `{"id":"ours"}`)
	out, err := w.apply(fromVendor(true, 0, "session.created", `{"event":{"id":"4001","number":4001},"session":{"id":"s"}}`))
	if err != nil || out.Note == nil || out.Note.Kind != live.Conflict {
		t.Fatalf("%v, note %v", err, out.Note)
	}
	equal(t, "a number of its own", w.eventDoc("4001")["number"], any(1_000_000_001.0))
	equal(t, "its session", w.sessionDoc("4001", "s")["id"], any("s"))
	w.do("event.created", `{"id":"chosen","number":77}`)
	for n, want := range map[string]bool{"4001": false, "1000000001": false, "77": true} {
		row := w.rows[live.Key{Kind: live.EventNumber, Parent: org, ID: n}]
		equal(t, n+" was chosen", live.ChosenNumber(row), want)
	}
}

// TestToldMinutesEndPresence: who has minutes by the vendor's word is no longer there.
func TestToldMinutesEndPresence(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.now = after(70)
	w.with(fromVendor(false, 70, "session.joined", `{"event":{"id":"e1"},"session":{"id":"s1"},"registration":{"id":"r1"}}`))
	equal(t, "present", w.report().Totals.Present, 1)
	w.with(fromVendor(false, 71, "session.time_spent", `{"eventId":"e1","sessionId":"s1","registrationId":"r1","timeSpentInMinutes":42}`))
	equal(t, "after the minutes", w.report().Totals.Present, 0)
	equal(t, "minutes", *w.report().Lines[0].Minutes, int64(42))
}
