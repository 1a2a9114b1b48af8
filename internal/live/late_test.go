package live_test

import (
	"strings"
	"testing"

	"github.com/callboard/callboard/internal/live"
)

// TestArrivesBetweenReadAndCommit: what a presence that came after the keys were named
// hangs on was not loaded; Fire does not ask for it.
func TestArrivesBetweenReadAndCommit(t *testing.T) {
	t.Parallel()
	w := conf(t)
	w.at(0, "session.joined", "%s", attendance("s1", "r1", ""))
	w.until(239)
	w.now = after(240)
	w.fireOnce(live.DefaultDelay) // closes the figures
	row, _ := w.due()
	r, _ := live.NeedsRange(row)
	keys := append(live.NeedsKeys(row, w.inRange(r)), row.Key)
	equal(t, "between the two reads", w.at(100, "session.joined", "%s", attendance("s2", "r2", "")), "late")
	w.name(keys...)
	out := live.Fire(w, row, w.inRange(r), w.now, live.DefaultDelay)
	equal(t, "told", types(out), "session.time_spent event.time_spent")
}

// TestCustomerJoinsBeforeAKnownLeave: by a join from before it nobody is in again.
func TestCustomerJoinsBeforeAKnownLeave(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.now = after(10)
	equal(t, "left", w.at(5, "conversation.user_left", `{"id":"v1"}`), "conversation.user_left")
	equal(t, "joined before", w.at(3, "conversation.user_joined", `{"id":"v1"}`), "conversation.user_joined")
	equal(t, "join", get(w.last(), "conversation.userJoinTime"), any("2027-06-10T12:03:00.000Z"))
	equal(t, "leave", get(w.last(), "conversation.userLeaveTime"), any("2027-06-10T12:05:00.000Z"))
	equal(t, "again", w.at(3, "conversation.user_joined", `{"id":"v1"}`), "unchanged")
	equal(t, "comes back", w.at(7, "conversation.user_joined", `{"id":"v1"}`), "conversation.user_joined")
}

// TestStateRefusesTheAPIAlone: the same activity is refused by the API, and at most noted
// of a source.
func TestStateRefusesTheAPIAlone(t *testing.T) {
	t.Parallel()
	rows := []struct{ typ, data, api, note string }{
		{"session.deleted", `{"eventId":"e1","id":"s9"}`, "id: there is no such session", "id: there is no such session"},
		{"conference.ended", `{"conferenceId":"k9"}`, "conferenceId: there is no such conference", ""},
		{"conference.started", `{"conferenceId":"k9"}`, "hostId: is required", ""},
		{"conference.livestream.entered", `{"conferenceId":"k1","participantId":"p9"}`, "the conference is not streamed", ""},
		{"conference.recording.ready", `{"conferenceId":"k1","recordingId":1,"downloadLink":"x"}`, "the recording of the conference has not started", ""},
		{"conference.stream.stopped", `{"conferenceId":"k1"}`, "the stream of the conference has not started", "the stream of the conference has not started"},
		{"session.speaker.attached", `{"eventId":"e1","sessionId":"s1","speaker":{"id":"c9"}}`, "contactId: there is no such contact", ""},
		{"host.profile_picture.failed", `{"hostId":"h9"}`, "companyId: is required", ""},
	}
	for _, row := range rows {
		t.Run(row.typ, func(t *testing.T) {
			t.Parallel()
			w := conf(t)
			w.do("conference.started", `{"conferenceId":"k1","hostId":"h","companyId":"c"}`)
			if got := w.refused(live.Activity{Type: row.typ, Data: []byte(row.data)}).Error(); !strings.HasPrefix(got, row.api) {
				t.Errorf("by the API: %q, want %q", got, row.api)
			}
			out, err := w.apply(fromVendor(true, 0, row.typ, row.data))
			if err != nil || len(out.Messages) > 0 {
				t.Fatalf("by a source: %v, says %s", err, types(out))
			}
			if noted := out.Note != nil; noted != (row.note != "") || noted && !strings.HasPrefix(out.Note.Error(), row.note) {
				t.Errorf("by a source: noted %v, want %q", out.Note, row.note)
			}
		})
	}
}

func TestDataIsNotNestedWithoutEnd(t *testing.T) {
	t.Parallel()
	deep := func(n int) live.Activity {
		return live.Activity{Type: "contact.created", Data: []byte(`{"id":"c","x":` + strings.Repeat("[", n) + strings.Repeat("]", n) + `}`)}
	}
	equal(t, "deep", newWorld(t).with(deep(63)), "contact.created")
	equal(t, "too deep", newWorld(t).refused(deep(64)).Kind, live.Invalid)
}
