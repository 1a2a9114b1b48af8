package live_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/callboard/callboard/internal/live"
)

// script is a run of activities and of time in which every event type is told. It seeds
// the fuzz test, too.
var script = []struct {
	minute float64
	typ    string
	data   string
}{
	{0, "event.created", `{"id":"e1","startDate":"2027-06-10T13:00:00Z","endDate":"2027-06-10T15:00:00Z","number":12}`},
	{0, "event.updated", `{"id":"e1","name":"Conf"}`},
	{0, "session.created", `{"eventId":"e1","session":{"id":"s1","title":"T","speakers":[{"speakerId":"c9","url":"u"}],"location":[{"type":"STAGE"}],"tags":["a",{"name":"b"}]}}`},
	{0, "session.updated", `{"eventId":"e1","id":"s1","speakers":[],"room":{"id":1},"capacity":5}`},
	{0, "registration.created", `{"eventId":"e1","registration":{"id":"r1","profile":{"firstName":"J"}}}`},
	{0, "registration.created", `{"eventId":"e1","registration":{"id":"r2"}}`},
	{0, "contact.created", `{"id":"c1","firstName":"O"}`},
	{0, "contact.updated", `{"contactId":"c1","firstName":null}`},
	{0, "exhibitor.created", `{"exhibitor":{"id":"x1","contacts":[{"id":1}]}}`},
	{0, "exhibitor.updated", `{"id":"x1","name":"X"}`},
	{0, "sponsor.created", `{"sponsor":{"id":"p1"}}`},
	{0, "sponsor.updated", `{"id":"p1","name":"P"}`},
	{1, "contact.event.associated", `{"eventId":"e1","contactId":"c1"}`},
	{1, "exhibitor.event.associated", `{"event":{"id":"e1"},"exhibitor":{"id":"x1"}}`},
	{1, "sponsor.event.associated", `{"eventId":"e1","sponsorId":"p1"}`},
	{1, "session.speaker.attached", `{"eventId":"e1","sessionId":"s1","contactId":"c1","speaker":{"participantRole":{"slug":"host"}}}`},
	{2, "session.speaker.detached", `{"eventId":"e1","sessionId":"s1","speakerId":"c1"}`},
	{2, "contact.event.disassociated", `{"eventId":"e1","contactId":"c1"}`},
	{2, "exhibitor.event.disassociated", `{"eventId":"e1","exhibitorId":"x1"}`},
	{2, "sponsor.event.disassociated", `{"eventId":"e1","sponsorId":"p1"}`},
	{70, "session.joined", `{"eventId":"e1","sessionId":"s1","registrationId":"r1","connectionId":"a"}`},
	{80, "session.left", `{"eventId":"e1","sessionId":"s1","registrationId":"r1","connectionId":"a"}`},
	{80, "conference.started", `{"conferenceId":1258835,"hostId":61803,"companyId":1}`},
	{80, "conference.recording.started", `{"conferenceId":"1258835"}`},
	{80, "conference.recording.stopped", `{"conferenceId":"1258835"}`},
	{80, "conference.recording.ready", `{"conferenceId":"1258835","recordingId":5,"downloadLink":"x"}`},
	{80, "conference.stream.started", `{"conferenceId":"1258835"}`},
	{80, "conference.stream.preview_updated", `{"conferenceId":"1258835","videoUrl":"v"}`},
	{80, "conference.livestream.entered", `{"conferenceId":"1258835","participantId":"p"}`},
	{80, "conference.livestream.left", `{"conferenceId":"1258835","participantId":"p","reasonForLeaving":"user_exit"}`},
	{80, "conference.stream.stopped", `{"conferenceId":"1258835"}`},
	{80, "conference.broadcast.started", `{"conferenceId":"1258835"}`},
	{80, "conference.broadcast.stopped", `{"conferenceId":"1258835"}`},
	{80, "conference.transcription.ready", `{"conferenceId":"1258835"}`},
	{80, "conference.participant.entered", `{"conferenceId":"1258835","participantId":7,"participantRole":"organizer","meetingUrl":"u"}`},
	{81, "conference.participant.role_changed", `{"conferenceId":"1258835","participantId":7,"participantRole":"moderator"}`},
	{82, "conference.dialout.status_changed", `{"conferenceId":"1258835","participantId":8,"status":"new","phoneNumber":"+1"}`},
	{85, "conference.participant.left", `{"conferenceId":"1258835","participantId":7,"reasonForLeaving":"user_exit"}`},
	{85, "conference.access_code.reused", `{"conferenceId":"1258835","originalConferenceId":3}`},
	{86, "conference.ended", `{"conferenceId":"1258835"}`},
	{86, "host.profile_picture.uploaded", `{"hostId":"h","companyId":"c"}`},
	{86, "host.profile_picture.failed", `{"hostId":"h","companyId":"c"}`},
	{86, "drive.file.upload_finished", `{"hostId":"h","companyId":"c","id":"f","filename":"x","size":1}`},
	{86, "drive.file.processed", `{"hostId":"h","id":"f"}`},
	{86, "drive.file.added", `{"hostId":"h","companyId":"c","id":"g","filename":"x"}`},
	{86, "drive.file.deleted", `{"hostId":"h","companyId":"c","id":"f","filename":"x"}`},
	{86, "conversation.updated", `{"id":"v1","conversationStatus":"queued"}`},
	{86, "conversation.user_joined", `{"id":"v1","customer":{"name":"Jane"}}`},
	{87, "conversation.user_left", `{"id":"v1"}`},
	{87, "conversation.completed", `{"conversation":{"id":"v1","endReason":"user_hangup"}}`},
	{88, "conversation.analysis_completed", `{"id":"v1","transcript":[]}`},
	{500, "session.deleted", `{"eventId":"e1","id":"s1"}`},
	{500, "contact.deleted", `{"id":"c1"}`},
	{500, "exhibitor.deleted", `{"id":"x1"}`},
	{500, "sponsor.deleted", `{"id":"p1"}`},
	{500, "registration.updated", `{"eventId":"e1","id":"r1","profile":null}`},
	{500, "registration.deleted", `{"eventId":"e1","id":"r1"}`},
	{500, "event.deleted", `{"id":"e1"}`},
}

// TestEveryTypeIsTold: there is no type in the catalogue that nothing gives, and none is
// given that is not there; the world checks each message against its schema.
func TestEveryTypeIsTold(t *testing.T) {
	t.Parallel()
	for _, a := range []live.Actor{{}, {ID: "17"}, {ID: "a", Type: "AGENT"}, {Type: "SYSTEM"}} {
		w := newWorld(t)
		for _, s := range script {
			w.until(s.minute)
			w.with(live.Activity{Type: s.typ, Actor: a, Data: []byte(s.data)})
		}
		var got, want []string
		for _, m := range w.said {
			got = append(got, m.Type)
		}
		slices.Sort(got)
		for _, eventType := range core.Types() {
			want = append(want, eventType.Name)
		}
		if got = slices.Compact(got); !slices.Equal(got, want) {
			t.Errorf("got %d types: %v\nwant %d: %v", len(got), got, len(want), want)
		}
	}
}

func TestKnows(t *testing.T) {
	t.Parallel()
	for _, s := range script {
		if !live.Knows(s.typ) {
			t.Errorf("%s is not known", s.typ)
		}
	}
	if live.Knows("conference.participant.time_spent") {
		t.Error("what only follows cannot be told")
	}
}

// TestSamplesAreTaken: what the catalogue shows of an object can be given as one.
func TestSamplesAreTaken(t *testing.T) {
	t.Parallel()
	for _, eventType := range core.Types() {
		noun, word, _ := strings.Cut(eventType.Name, ".")
		if word != "created" {
			continue
		}
		w := newWorld(t)
		w.do("event.created", `{"id":"6f1d2c84-3b7a-4e59-9c0d-51a8e2f47b36"}`)
		data := decode(t, eventType.Sample)["data"].(map[string]any)
		delete(data, "actor")
		delete(data, "sourceOfChange")
		body, err := json.Marshal(data)
		if err != nil {
			t.Fatal(err)
		}
		w.now = time.Date(2027, 6, 10, 8, 0, 0, 0, time.UTC)
		if got := w.do(eventType.Name, "%s", body); !strings.HasPrefix(got, noun) {
			t.Errorf("%s: %q", eventType.Name, got)
		}
	}
}

// FuzzApply feeds Apply with anything. It never panics, and what it gives can be
// committed: rows that were named, documents that are JSON, messages that fit.
func FuzzApply(f *testing.F) {
	names := make([]string, 0, len(script))
	for i, s := range script {
		names = append(names, s.typ)
		f.Add(byte(i), byte(0), byte(0), int64(0), s.data)
	}
	f.Add(byte(0), byte(1), byte(1), int64(-1e18), `{"event":{"id":"e1","number":4001,"status":"CANCELLED","endDate":null}}`)
	f.Fuzz(func(t *testing.T, which, mode, flags byte, at int64, data string) {
		w := newWorld(t)
		for i, s := range script {
			if s.minute >= 90 || i == int(which)%len(script) {
				break
			}
			w.now = after(s.minute)
			w.do(s.typ, "%s", s.data)
		}
		heard := len(w.said)
		a := live.Activity{
			Type: names[int(which)%len(names)], Mode: live.Mode(mode % 5), Data: []byte(data),
			Quiet: flags&1 != 0, Actor: live.Actor{ID: "a", Type: "USER"},
		}
		if flags&2 != 0 {
			a.Source = &live.Source{Joins: true, Leaves: flags&4 != 0}
		}
		if flags&8 != 0 {
			a.At = noon.Add(time.Duration(at))
		}
		if _, err := w.apply(a); err == nil && len(w.said) > heard && (a.Quiet || a.Source != nil) {
			t.Errorf("%s says what it should not", a.Type)
		}
		w.until(10_000)
	})
}

// TestShapesAreTheCatalogues: Apply takes a value of a member if, and only if, the schema
// takes it, for each member that a schema describes and values of all sorts.
func TestShapesAreTheCatalogues(t *testing.T) {
	t.Parallel()
	// Where an object of a definition stands in the data of an activity.
	places := []struct{ activity, def, data string }{
		{"event.created", "event", `"event":%s`},
		{"session.created", "session", `"session":%s`},
		{"session.created", "subsession", `"session":{"id":"s","subsessions":[%s]}`},
		{"session.created", "participant", `"session":{"id":"s","speakers":[%s]}`},
		{"session.created", "contact", `"session":{"id":"s","moderators":[%s]}`},
		{"session.created", "role", `"session":{"id":"s","chairpersons":[{"participantRole":%s}]}`},
		{"session.created", "backer", `"session":{"id":"s","sponsors":[%s]}`},
		{"session.created", "place", `"session":{"id":"s","location":[%s]}`},
		{"session.created", "location", `"session":{"id":"s","location":%s}`},
		{"session.created", "term", `"session":{"id":"s","track":%s}`},
		{"registration.created", "registration", `"registration":%s`},
		{"registration.created", "profile", `"registration":{"id":"r","profile":%s}`},
		{"contact.created", "contact", `"contact":%s`},
		{"exhibitor.created", "company", `"exhibitor":%s`},
		{"sponsor.created", "company", `"sponsor":%s`},
		{"conversation.completed", "conversation", `"conversation":%s`},
		{"conversation.completed", "customer", `"conversation":{"id":"v","customer":%s}`},
	}
	if testing.Short() {
		places = places[:1] // thousands of worlds in one goroutine: the race detector learns nothing from the others
	}
	for _, place := range places {
		for name := range definition(t, place.activity, place.def) {
			for _, value := range valuesOf(name) {
				data := fmt.Sprintf(place.data, fmt.Sprintf(`{"id":"new",%q:%s}`, name, value))
				if name == "id" {
					data = fmt.Sprintf(place.data, fmt.Sprintf(`{"id":%s}`, value))
				}
				compareWithSchema(t, place.activity, name+" "+value, data)
			}
		}
	}
}

// definition gives the members of an object that a type's schema refers to.
func definition(t *testing.T, eventType, name string) map[string]any {
	t.Helper()
	found, _ := core.Get(eventType)
	properties, ok := get(decode(t, found.Schema), "$defs."+name+".properties").(map[string]any)
	if !ok {
		t.Fatalf("%s has no %s", eventType, name)
	}
	return properties
}

// valuesOf are values for a member: one that is a time and the only status that an event
// may be given among them. What is no id in an address is not asked of ids.
func valuesOf(name string) []string {
	values := []string{
		`null`, `"CANCELLED"`, `"2027-06-10T09:00:00Z"`, `7`, `true`, `{}`, `[]`, `[7]`, `["x"]`, `[{}]`, `[{"id":1}]`, `[{"name":"n"}]`, `[{"name":7}]`,
		`[{"name":null}]`, `[null]`,
	}
	if name == "id" {
		return values
	}
	if name == "priority" { // the schema sets it no bounds; we take what 64 bits hold
		return append(values, `1.5`, `5.0`, `-1`)
	}
	return append(values, `"2027-02-30T09:00:00Z"`, `"9999-12-31T23:59:59-01:00"`, `1.5`, `5.0`, `-1`, `1e18`, `1e19`, `9223372036854775807`)
}

func compareWithSchema(t *testing.T, activity, what, data string) {
	t.Helper()
	event := `,"event":{"id":"e1","number":1}`
	if activity == "event.created" {
		event = ""
	}
	problems, err := core.Check(activity, fmt.Appendf(nil, `{"type":%q,"timestamp":"2027-06-10T09:00:00Z","data":{%s%s}}`, activity, data, event))
	if err != nil {
		t.Fatal(err)
	}
	w := newWorld(t)
	if event != "" {
		w.do("event.created", `{"id":"e1"}`)
		event = `,"eventId":"e1"`
	}
	_, refused := w.apply(live.Activity{Type: activity, Data: fmt.Appendf(nil, `{%s%s}`, data, event)})
	if refused != nil && activity == "event.created" && (strings.HasPrefix(what, "number ") || strings.HasPrefix(what, `status "`)) {
		return // these have rules besides
	}
	if (len(problems) == 0) != (refused == nil) {
		t.Errorf("%s: %s: the schema says %v, and Apply %v", activity, what, problems, refused)
	}
}
