package live_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/callboard/callboard/internal/live"
)

// TestSizes: what would get too large is refused, wherever it grows; of a source, the rest
// is applied.
func TestSizes(t *testing.T) {
	t.Parallel()
	w := conf(t)
	w.unchecked = true
	big := strings.Repeat("x", 100<<10)
	w.do("event.updated", `{"id":"e1","a":%q}`, big)
	w.do("event.updated", `{"id":"e1","b":%q}`, big)
	r := w.refused(live.Activity{Type: "event.updated", Data: fmt.Appendf(nil, `{"event":{"id":"e1","c":%q}}`, big)})
	equal(t, "an event that grows", r.Error(), "event: must not get larger than 256 KiB as a whole")
	equal(t, "kind", r.Kind, live.Invalid)
	r = w.refused(live.Activity{Type: "session.joined", Data: fmt.Appendf(nil,
		`{"eventId":"e1","sessionId":"s1","registration":{"id":"new","a":%q}}`, big)})
	equal(t, "a registration that is carried", r.Error(), "registration: must not get larger than 64 KiB as a whole")

	w.do("contact.created", `{"id":"c","a":%q}`, big)
	w.do("session.updated", `{"eventId":"e1","id":"s1","a":%q,"b":%q}`, big, big[:90<<10])
	r = w.refused(live.Activity{Type: "session.speaker.attached", Data: []byte(`{"eventId":"e1","sessionId":"s1","contactId":"c"}`)})
	equal(t, "a speaker", strings.Contains(r.Error(), "must not get larger than 256 KiB"), true)

	w.until(62)
	out, err := w.apply(fromVendor(true, 61, "session.joined", fmt.Sprintf(
		`{"event":{"id":"e1"},"session":{"id":"s2"},"registration":{"id":"r1","a":%q}}`, big)))
	if err != nil || out.Note == nil {
		t.Fatalf("a source: %v, note %v", err, out.Note)
	}
	equal(t, "presences", len(presences(w)), 1)

	number := "1." + strings.Repeat("0", 300)
	r = w.refused(live.Activity{Type: "session.joined", Data: fmt.Appendf(nil, `{"eventId":"e1","sessionId":"s1","registrationId":"r1","connectionId":%s}`, number)})
	equal(t, "a long number", r.Error(), "connectionId: must be a string of at most 256 bytes")
}

// TestLargeMessagesInSmallSteps: what one step says is bounded in bytes, too, and all is told
// once.
func TestLargeMessagesInSmallSteps(t *testing.T) {
	t.Parallel()
	w := conf(t)
	w.unchecked = true
	w.do("event.updated", `{"id":"e1","a":%q}`, strings.Repeat("x", 250<<10))
	w.until(62)
	const people = 100
	for i := range people {
		for _, s := range []string{"s1", "s2"} {
			w.at(61, "session.joined", `{"eventId":"e1","sessionId":%q,"registration":{"id":"p%d"}}`, s, i)
		}
	}
	w.until(200)
	w.said = nil
	w.now = after(400)
	steps, most := 0, 0
	for ; steps < 1000; steps++ {
		before := len(w.said)
		if _, fired := w.fireOnce(0); !fired {
			break
		}
		size := 0
		for _, m := range w.said[before:] {
			size += len(m.Data)
		}
		most = max(most, size)
	}
	if most > 9<<20 || steps < 10 {
		t.Errorf("%d steps, of which one said %d bytes", steps, most)
	}
	told := map[string]int{}
	for _, m := range w.said {
		told[m.Type]++
	}
	equal(t, "session.time_spent", told["session.time_spent"], 2*people)
	equal(t, "event.time_spent", told["event.time_spent"], people)
	equal(t, "registration.attended", told["registration.attended"], people)
	equal(t, "registration.no_show", told["registration.no_show"], 2)
}

// TestQuietImport: of an event that was over when it was told of quietly, nothing is ever
// told; of one that goes on, or whose end is told loudly, everything.
func TestQuietImport(t *testing.T) {
	t.Parallel()
	quiet := func(w *world, activityType, data string, args ...any) {
		t.Helper()
		equal(t, activityType, w.with(live.Activity{Type: activityType, Quiet: true, Data: fmt.Appendf(nil, data, args...)}), "")
	}
	over := func(t *testing.T) *world {
		w := newWorld(t)
		w.now = after(1000)
		quiet(w, "event.created", `{"id":"e1","startDate":%q,"endDate":%q}`, text(60), text(180))
		quiet(w, "session.created", `{"eventId":"e1","id":"s1"}`)
		w.with(live.Activity{Type: "session.joined", Quiet: true, At: after(70), Data: []byte(`{"eventId":"e1","sessionId":"s1","registration":{"id":"r1"}}`)})
		return w
	}
	w := over(t)
	equal(t, "over", w.until(5000), "")
	equal(t, "minutes", *w.report().Lines[0].Minutes, int64(110))
	out, err := w.apply(live.Activity{Type: "session.joined", Data: []byte(attendance("s1", "r1", "x"))})
	equal(t, "later on", fmt.Sprint(out.Late, len(out.Messages), err), "true 0 <nil>")

	w = over(t)
	w.do("event.updated", `{"id":"e1","name":"Conf"}`)
	equal(t, "renamed loudly", w.until(5000), "")

	w = over(t)
	w.do("event.updated", `{"id":"e1","endDate":%q}`, text(170))
	equal(t, "ended anew, loudly", w.until(5000), "session.time_spent event.time_spent registration.attended")

	w = newWorld(t)
	quiet(w, "event.created", `{"id":"e1","startDate":%q,"endDate":%q}`, text(60), text(180))
	quiet(w, "registration.created", `{"eventId":"e1","id":"r1"}`)
	equal(t, "yet to come", w.until(5000), "event.updated event.updated registration.no_show")

	w = newWorld(t)
	w.now = after(1000)
	conference := func(activityType string, minute float64, more string) {
		t.Helper()
		equal(t, activityType, w.with(live.Activity{Type: activityType, Quiet: true, At: after(minute), Data: fmt.Appendf(nil, `{"hostId":1,"companyId":2,"conferenceId":3%s}`, more)}), "")
	}
	conference("conference.started", 1, "")
	conference("conference.participant.entered", 2, `,"participantId":4,"participantRole":"moderator","meetingUrl":"https://x.example"`)
	equal(t, "a conference that nobody ended", w.until(10_000), "")
	w = newWorld(t)
	w.now = after(1000)
	conference("conference.started", 1, "")
	conference("conference.participant.entered", 2, `,"participantId":4,"participantRole":"moderator","meetingUrl":"https://x.example"`)
	conference("conference.ended", 60, "")
	equal(t, "a conference", w.until(10_000), "")
}
