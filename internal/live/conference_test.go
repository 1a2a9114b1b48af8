package live_test

import (
	"fmt"
	"maps"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/callboard/callboard/internal/live"
)

// meeting is a world with a conference k1 that started at noon.
func meeting(t tb) *world {
	w := newWorld(t)
	w.do("conference.started", `{"conferenceId":"k1","hostId":"h1","companyId":"c1","conferenceName":"Rehearsal"}`)
	w.said = nil
	return w
}

// told is one activity of a story and what must come of it.
type told struct {
	minute float64
	typ    string // without "conference."
	data   string // further members
	want   string // "+" = its own message, "unchanged", another text, or the start of a refusal
}

// tell tells a story of a conference.
func tell(t *testing.T, w *world, story []told) {
	t.Helper()
	for i, s := range story {
		if w.now.Before(after(s.minute)) {
			w.now = after(s.minute)
		}
		a := live.Activity{Type: "conference." + s.typ, At: after(s.minute), Data: []byte(`{"conferenceId":"k1"` + s.data + `}`)}
		out, err := w.apply(a)
		got := strings.ReplaceAll(types(out), a.Type, "+")
		if err != nil {
			got = err.Error()
		}
		if got != s.want && (err == nil || s.want == "" || !strings.HasPrefix(got, s.want)) {
			t.Errorf("%d. %s at %v: got %q, want %q", i, s.typ, s.minute, got, s.want)
		}
	}
}

const (
	p1 = `,"participantId":"p1"`
	p2 = `,"participantId":"p2"`
)

func TestConferenceStories(t *testing.T) {
	t.Parallel()
	rows := []struct {
		name  string
		story []told
	}{
		{"start and end", []told{
			{1, "started", "", "unchanged"},
			{2, "ended", "", "+"},
			{3, "ended", "", "unchanged"},
			{1, "started", "", "unchanged"},
			{4, "started", "", "the conference has ended, and cannot start again"},
		}},
		{"an end before the start", []told{{-1, "ended", "", "the conference started later than that"}}},
		{"recording", []told{
			{1, "recording.stopped", "", "the recording of the conference has not started; allowed: conference.recording.started"},
			{1, "recording.ready", `,"recordingId":1,"downloadLink":"x"`, "the recording of the conference has not started"},
			{1, "recording.started", "", "+"},
			{2, "recording.started", "", "unchanged"},
			{3, "recording.stopped", "", "+"},
			{4, "recording.stopped", "", "unchanged"},
			{5, "recording.started", "", "+"},
			{6, "ended", "", "+"},
			{7, "recording.stopped", "", "unchanged"},
			{7, "recording.started", "", "the conference has ended; allowed: conference.recording.ready"},
			{8, "recording.ready", `,"recordingId":1,"downloadLink":"x"`, "+"},
			{9, "recording.ready", `,"recordingId":"1","downloadLink":"y"`, "unchanged"},
			{9, "recording.ready", `,"recordingId":2`, "downloadLink: is required"},
			{9, "recording.ready", `,"recordingId":2,"downloadLink":"y"`, "+"},
			{9, "transcription.ready", "", "+"},
			{10, "transcription.ready", "", "unchanged"},
		}},
		{"broadcast", []told{
			{1, "broadcast.stopped", "", "the broadcast of the conference has not started"},
			{1, "broadcast.started", "", "+"},
			{2, "livestream.entered", p1, "+"},
			{3, "broadcast.stopped", "", "+"},
			{4, "ended", "", "+"},
			{5, "broadcast.stopped", "", "unchanged"},
			{5, "stream.stopped", "", "the conference has ended"},
		}},
		{"stream", []told{
			{1, "stream.preview_updated", `,"videoUrl":"v"`, "the stream of the conference has not started"},
			{1, "livestream.entered", p1, "the conference is not streamed; allowed: conference.stream.started"},
			{1, "stream.started", "", "+"},
			{2, "livestream.left", p1, "the participant does not watch the live stream; allowed: conference.livestream.entered"},
			{2, "livestream.entered", p1, "+"},
			{3, "livestream.entered", p1, "unchanged"},
			{3, "stream.preview_updated", `,"videoUrl":"v"`, "+"},
			{4, "stream.preview_updated", `,"videoUrl":"v"`, "unchanged"},
			{4, "stream.preview_updated", `,"videoUrl":"v","imageUrl":"i"`, "+"},
			{4, "stream.preview_updated", "", "videoUrl: is required"},
			{5, "livestream.left", p1 + `,"reasonForLeaving":"user_dropped"`, "+"},
			{6, "livestream.left", p1, "unchanged"},
			{6, "livestream.entered", p2, "+"},
			{7, "stream.stopped", "", "+"},
			{8, "ended", "", "+"},
			{9, "livestream.left", p2, "the conference has ended"},
			{7.5, "livestream.left", p2, "+"},
			{7.5, "livestream.entered", p1, "+"},
		}},
		{"participants", []told{
			{1, "participant.left", p1, "the participant is not in the conference; allowed: conference.participant.entered"},
			{1, "participant.role_changed", p1 + `,"participantRole":"moderator"`, "the participant is not in the conference"},
			{2, "participant.entered", p1 + `,"participantRole":"participant"`, "+"},
			{2, "participant.entered", p1, "unchanged"},
			{3, "participant.entered", p1, ""}, // says nothing
			{4, "participant.role_changed", p1 + `,"participantRole":"moderator"`, "+"},
			{5, "participant.role_changed", p1 + `,"participantRole":"moderator"`, "unchanged"},
			{5, "participant.role_changed", p1, "participantRole: is required"},
			{6, "participant.left", p1, "+"},
			{7, "participant.left", p1, ""},
			{8, "participant.entered", p1, "+"},
			{9, "ended", "", "+"},
			{10, "participant.left", p1, "the conference has ended"},
			{8.5, "participant.left", p1, "+"},
			{8, "participant.entered", p2, "+"},
			{10, "participant.entered", p2, "the conference has ended"},
			{10, "participant.role_changed", p1 + `,"participantRole":"organizer"`, "the conference has ended"},
			{10, "participant.entered", "", "participantId: is required"},
		}},
		{"dialout to the end", []told{
			{1, "dialout.status_changed", p1 + `,"status":"new","phoneNumber":"+1"`, "+"},
			{2, "dialout.status_changed", p1 + `,"status":"new"`, "unchanged"},
			{2, "dialout.status_changed", p1 + `,"status":"dialed"`, "+"},
			{3, "dialout.status_changed", p1 + `,"status":"notenabled"`, "the call's status is dialed; allowed: new, answered, rejected, noanswer, cancelled"},
			{3, "dialout.status_changed", p1 + `,"status":"answered"`, "+"},
			{4, "dialout.status_changed", p1 + `,"status":"dialed"`, "unchanged"},
			{4, "dialout.status_changed", p1 + `,"status":"noanswer"`, "the call's status is answered; allowed: new, rejected, cancelled"},
			{4, "dialout.status_changed", p1 + `,"status":"rejected"`, "+"},
			{5, "dialout.status_changed", p1 + `,"status":"cancelled"`, "the call's status is rejected; allowed: new"},
			{5, "dialout.status_changed", p1 + `,"status":"dialed"`, "the call's status is rejected; allowed: new"},
			{6, "dialout.status_changed", p1 + `,"status":"new"`, "+"}, // a redial
			{7, "dialout.status_changed", p1 + `,"status":"dialed"`, "+"},
			{7, "dialout.status_changed", p1, "status: is required"},
		}},
		{"dialout with steps missing or late", []told{
			{2, "dialout.status_changed", p1 + `,"status":"answered"`, "+"},
			{1, "dialout.status_changed", p1 + `,"status":"dialed"`, "+"},
			{1.5, "dialout.status_changed", p1 + `,"status":"dialed"`, "unchanged"},
			{0.5, "dialout.status_changed", p1 + `,"status":"new"`, "+"},
			{3, "dialout.status_changed", p1 + `,"status":"cancelled"`, "+"},
			{4, "dialout.status_changed", p2 + `,"status":"notenabled"`, "+"},
			{5, "dialout.status_changed", p2 + `,"status":"on_hold"`, "+"}, // vendors' lists are open
		}},
		{"an access code", []told{
			{1, "access_code.reused", `,"originalConferenceId":"k0"`, "+"}, {2, "access_code.reused", "", "originalConferenceId: is required"},
		}},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			tell(t, meeting(t), row.story)
		})
	}
}

func TestConferenceNeeds(t *testing.T) {
	t.Parallel()
	rows := []struct{ typ, data, want string }{
		{"conference.started", `{}`, "conferenceId: is required"},
		{"conference.started", `{"conferenceId":"k"}`, "hostId: is required"},
		{"conference.started", `{"conferenceId":"k","hostId":"h"}`, "companyId: is required"},
		{"conference.ended", `{"conferenceId":"k"}`, "conferenceId: there is no such conference"},
		{"conference.ended", `{"conferenceId":true}`, "conferenceId: must be a string or a number"},
		{"conference.participant.entered", `{"conferenceId":"k","participantId":"p","meetingUrl":7}`, "meetingUrl: must be a string"},
		{"host.profile_picture.uploaded", `{"hostId":"h"}`, "companyId: is required"},
		{"drive.file.added", `{"hostId":"h","companyId":"c","id":"f"}`, "filename: is required"},
		{"drive.file.added", `{"hostId":"h","companyId":"c","id":"f","filename":"x","size":-1}`, "size: must be a whole number, at least 0"},
	}
	for _, row := range rows {
		equal(t, row.typ, newWorld(t).refused(live.Activity{Type: row.typ, Data: []byte(row.data)}).Error(), row.want)
	}
	equal(t, "a code of a conference to come", newWorld(t).do("conference.access_code.reused", `{"conferenceId":1,"originalConferenceId":2}`),
		"conference.access_code.reused")
}

// TestConferenceData says how messages are completed from state.
func TestConferenceData(t *testing.T) {
	t.Parallel()
	w := meeting(t)
	check := func(what string, want map[string]any) {
		t.Helper()
		if diff := cmp.Diff(want, w.last()); diff != "" {
			t.Errorf("%s: %s", what, diff)
		}
		equal(t, "order", w.said[len(w.said)-1].OrderKey, "conference:k1")
	}
	w.do("conference.participant.entered", `{"conferenceId":"k1","participantId":"p1","participantRole":"organizer","participantName":"Omar","meetingUrl":"u","own":1}`)
	common := map[string]any{
		"conferenceId": "k1", "hostId": "h1", "companyId": "c1", "conferenceName": "Rehearsal",
		"conferenceStartedAt": "2027-06-10T12:00:00.000Z",
	}
	check("entered", with(common, "participantId", "p1", "participantRole", "organizer", "participantName", "Omar", "meetingUrl", "u", "own", 1.0))
	w.with(live.Activity{
		Type: "conference.participant.left", At: after(1), Actor: live.Actor{ID: "x"},
		Data: []byte(`{"conferenceId":"k1","participantId":"p1","reasonForLeaving":"user_exit","imageUrl":null}`),
	})
	check("left", with(common, "participantId", "p1", "participantRole", "organizer", "participantName", "Omar",
		"reasonForLeaving", "user_exit", "actor", map[string]any{"id": "x", "type": "USER"}))
	w.at(2, "conference.ended", `{"conferenceId":"k1"}`)
	check("ended", with(common, "conferenceEndedAt", "2027-06-10T12:02:00.000Z"))
}

func with(common map[string]any, more ...any) map[string]any {
	all := maps.Clone(common)
	for i := 0; i < len(more); i += 2 {
		all[more[i].(string)] = more[i+1]
	}
	return all
}

func TestConferenceDoc(t *testing.T) {
	t.Parallel()
	w := meeting(t)
	key := live.Key{App: app, Kind: live.Conference, ID: "k1"}
	tell(t, w, []told{{1, "participant.entered", p1, "+"}, {2, "participant.entered", p2, "+"}, {3, "participant.left", p1, "+"}, {3, "recording.started", "", "+"}})
	equal(t, "participants", w.doc(key)["participants"], any(1.0))
	equal(t, "status", w.doc(key)["status"], any("live"))
	equal(t, "recording", w.doc(key)["recording"], any("running"))
	w.at(4, "conference.ended", `{"conferenceId":"k1"}`)
	equal(t, "participants", w.doc(key)["participants"], any(0.0))
	equal(t, "status", w.doc(key)["status"], any("ended"))
	equal(t, "recording", w.doc(key)["recording"], any("stopped"))
}

func TestParticipantTimeSpent(t *testing.T) {
	t.Parallel()
	w := meeting(t)
	tell(t, w, []told{
		{1, "participant.entered", p1 + `,"participantRole":"moderator"`, "+"},
		{5, "participant.left", p1, "+"},
		{10, "participant.entered", p1, "+"},
		{2, "participant.entered", p2, "+"},
		{20, "ended", "", "+"},
		{3, "dialout.status_changed", `,"participantId":"p3","status":"new"`, "+"},
	})
	equal(t, "before", w.until(79.9), "")
	w.said = nil
	equal(t, "an hour after the end", w.until(80), "conference.participant.time_spent conference.participant.time_spent")
	first := decode(t, w.said[0].Data)
	equal(t, "who", first["participantId"], any("p1"))
	equal(t, "role", first["participantRole"], any("moderator"))
	equal(t, "minutes", first["timeSpentInMinutes"], any(14.0))
	equal(t, "minutes", w.last()["timeSpentInMinutes"], any(18.0))
	equal(t, "at", w.said[0].At, after(80))
	tell(t, w, []told{{15, "participant.left", p2, "late"}})
	equal(t, "never again", w.until(10_000), "")
}

func TestManyParticipants(t *testing.T) {
	t.Parallel()
	w := meeting(t)
	w.unchecked = true
	for i := range 2500 {
		w.do("conference.participant.entered", `{"conferenceId":"k1","participantId":%d}`, i)
	}
	w.now = after(5)
	w.do("conference.ended", `{"conferenceId":"k1"}`)
	w.said = nil
	w.until(100)
	heard := map[string]int{}
	for _, m := range w.said {
		heard[fmt.Sprint(decode(t, m.Data)["participantId"])]++
	}
	equal(t, "participants told", len(heard), 2500)
	equal(t, "messages", len(w.said), 2500)
}

func TestIdleConference(t *testing.T) {
	t.Parallel()
	w := meeting(t)
	w.now = after(60)
	w.at(30, "conference.participant.entered", `{"conferenceId":"k1","participantId":"p1"}`) // comes half an hour late
	equal(t, "a day after it came, all but a minute", w.until(60+24*60-1), "")
	w.said = nil
	equal(t, "a day after it came", w.until(60+24*60), "conference.ended")
	equal(t, "as of when it was", w.said[0].At, after(30))
	equal(t, "reason", w.last()["reason"], any("idle"))
	equal(t, "nobody spent time", w.until(100_000), "")
}

func TestHostsAndFiles(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	owner := `{"hostId":7,"companyId":"c1"%s}`
	equal(t, "picture", w.at(0, "host.profile_picture.failed", owner, ""), "host.profile_picture.failed")
	equal(t, "the same again", w.at(0, "host.profile_picture.failed", owner, ""), "unchanged")
	equal(t, "another upload", w.at(1, "host.profile_picture.failed", owner, ""), "host.profile_picture.failed")
	equal(t, "company is known", w.at(2, "host.profile_picture.uploaded", `{"hostId":7}`), "host.profile_picture.uploaded")
	equal(t, "company", w.last()["companyId"], any("c1"))

	file := func(activity, more string) string {
		return w.do("drive.file."+activity, `{"hostId":7,"id":%s}`, more)
	}
	equal(t, "uploaded", file("upload_finished", `"a","filename":"x.pdf","size":3`), "")
	equal(t, "again", file("upload_finished", `"a"`), "unchanged")
	equal(t, "processed", file("processed", `"a"`), "drive.file.added")
	if diff := cmp.Diff(map[string]any{"hostId": 7.0, "companyId": "c1", "id": "a", "filename": "x.pdf", "size": 3.0}, w.last()); diff != "" {
		t.Error(diff)
	}
	equal(t, "again", file("processed", `"a"`), "unchanged")
	equal(t, "again", file("upload_finished", `"a"`), "unchanged")
	equal(t, "the other way round", file("processed", `"b","filename":"y"`), "")
	equal(t, "the other way round", file("upload_finished", `"b","size":1`), "drive.file.added")
	equal(t, "at once", file("added", `"c","filename":"z"`), "drive.file.added")
	equal(t, "at once, again", file("added", `"c"`), "unchanged")
	equal(t, "deleted", file("deleted", `"a"`), "drive.file.deleted")
	equal(t, "without a size", w.last()["size"], nil)
	equal(t, "deleted again", file("deleted", `"a"`), "unchanged")
	equal(t, "one that was there before us", file("deleted", `"old","filename":"o"`), "drive.file.deleted")
	equal(t, "never added", file("upload_finished", `"d","filename":"d"`)+file("deleted", `"d"`), "")
}

func TestConversations(t *testing.T) {
	t.Parallel()
	const on = "conversation."
	type step struct {
		minute          float64
		typ, data, want string
	}
	rows := []struct {
		name  string
		steps []step
	}{
		{"as it should be", []step{
			{0, "updated", `"conversationStatus":"queued"`, ""},
			{0, "updated", `"conversationStatus":"dialing"`, ""},
			{1, "user_joined", ``, "+"},
			{2, "user_joined", ``, "unchanged"},
			{3, "updated", `"recordingStatus":"in_progress"`, ""},
			{3, "updated", `"recordingStatus":"in_progress"`, "unchanged"},
			{4, "analysis_completed", ``, "the conversation is not over; allowed: conversation.completed"},
			{5, "user_left", ``, "+"},
			{6, "user_left", ``, "unchanged"},
			{7, "completed", `"endReason":"user_hangup"`, "+"},
			{8, "completed", ``, "unchanged"},
			{9, "analysis_completed", `"summary":"s"`, "+"},
			{10, "analysis_completed", ``, "unchanged"},
			{10, "updated", `"conversationStatus":"active"`, "the conversation is completed, and that is its end"},
			{10, "updated", `"postCallNotes":"n"`, ""},
			{10, "user_joined", ``, "the conversation is completed; allowed"},
			{10, "user_left", ``, "unchanged"},
		}},
		{"a leave without a join", []step{{1, "user_left", ``, "+"}, {2, "completed", `"conversationStatus":"failed"`, "+"}, {3, "analysis_completed", ``, "+"}}},
		{"left after the end", []step{
			{1, "user_joined", ``, "+"},
			{3, "completed", ``, "+"},
			{4, "user_left", ``, "the conversation is completed; allowed"},
			{2, "user_left", ``, "+"},
		}},
		{"joined, but told after the end", []step{{3, "completed", ``, "+"}, {2, "user_joined", ``, "+"}, {2, "user_joined", ``, "unchanged"}}},
		{"comes back", []step{{1, "user_joined", ``, "+"}, {2, "user_left", ``, "+"}, {3, "user_joined", ``, "+"}, {4, "user_left", ``, "+"}}},
		{"the leave is told first", []step{
			{2, "user_left", ``, "+"},
			{1, "user_joined", ``, "+"},
			{1.5, "user_joined", ``, "unchanged"},
			{3, "user_joined", ``, "+"},
			{4, "completed", ``, "+"},
		}},
		{"backwards", []step{
			{1, "user_joined", ``, "+"}, {2, "updated", `"conversationStatus":"queued"`, "the conversation's status is active; allowed: completed, failed"},
		}},
		{"unknown", []step{{1, "analysis_completed", ``, "id: there is no such conversation"}}},
		{"failed, then completed", []step{{1, "updated", `"conversationStatus":"failed"`, ""}, {2, "completed", ``, "+"}}},
		{"wrong", []step{{1, "updated", `"callStartTime":1`, "callStartTime: must be a time"}, {1, "updated", `"customer":{"name":1}`, "customer.name: must be a string"}}},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.now = after(20)
			for i, s := range row.steps {
				data := `{"id":"v1"}`
				if s.data != "" {
					data = `{"id":"v1",` + s.data + `}`
				}
				out, err := w.apply(live.Activity{Type: on + s.typ, At: after(s.minute), Data: []byte(data)})
				got := strings.ReplaceAll(types(out), on+s.typ, "+")
				if err != nil {
					got = err.Error()
				}
				if got != s.want && (err == nil || s.want == "" || !strings.HasPrefix(got, s.want)) {
					t.Errorf("%d. %s: got %q, want %q", i, s.typ, got, s.want)
				}
			}
		})
	}
}

func TestConversationWhole(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.do("conversation.updated", `{"id":"v1","agentId":"a","customer":{"name":"Jane","metadata":{"x":1}},"dynamicVariables":{"k":1}}`)
	w.do("conversation.user_joined", `{"conversation":{"id":"v1","customer":{"metadata":{"y":2}}}}`)
	w.now = after(3)
	w.do("conversation.completed", `{"id":"v1","endReason":"user_hangup"}`)
	want := map[string]any{"conversation": map[string]any{
		"id": "v1", "agentId": "a", "customer": map[string]any{"name": "Jane", "metadata": map[string]any{"x": 1.0, "y": 2.0}},
		"dynamicVariables": map[string]any{"k": 1.0}, "conversationStatus": "completed", "endReason": "user_hangup",
		"userJoinTime": "2027-06-10T12:00:00.000Z", "callEndTime": "2027-06-10T12:03:00.000Z",
		"createdAt": "2027-06-10T12:00:00.000Z", "updatedAt": "2027-06-10T12:03:00.000Z",
	}}
	if diff := cmp.Diff(want, w.last()); diff != "" {
		t.Error(diff)
	}
	equal(t, "order", w.said[0].OrderKey, "conversation:v1")
}
