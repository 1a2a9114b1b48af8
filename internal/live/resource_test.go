package live_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/callboard/callboard/internal/live"
)

// rest is a REST route's activity.
func rest(mode live.Mode, activityType, data string) live.Activity {
	return live.Activity{Type: activityType, Mode: mode, Data: []byte(data)}
}

func TestModes(t *testing.T) {
	t.Parallel()
	rows := []struct {
		name string
		mode live.Mode
		typ  string
		data string
		want string // types of messages, else the refusal
	}{
		{"create", live.Create, "contact.created", `{"contact":{"id":"c2"}}`, "contact.created"},
		{"create what is there", live.Create, "contact.created", `{"contact":{"id":"c1"}}`, "contact.id: there is one with this id already"},
		{"replace", live.Replace, "contact.updated", `{"contact":{"id":"c1","firstName":"B"}}`, "contact.updated"},
		{"replace what is not there", live.Replace, "contact.updated", `{"contact":{"id":"c2"}}`, "contact.id: there is no such contact"},
		{"replace by the same", live.Replace, "contact.updated", `{"contact":{"lastName":"Q","id":"c1","firstName":"A","x":{"b":2,"a":1}}}`, "unchanged"},
		{"merge", live.Merge, "contact.updated", `{"contact":{"id":"c1","lastName":null}}`, "contact.updated"},
		{"merge nothing new", live.Merge, "contact.updated", `{"contact":{"id":"c1","lastName":"Q","title":null}}`, "unchanged"},
		{"merge what is not there", live.Merge, "contact.updated", `{"contactId":"c2"}`, "id: there is no such contact"},
		{"delete", live.Delete, "contact.deleted", `{"contactId":"c1"}`, "contact.deleted"},
		{"delete what is not there", live.Delete, "contact.deleted", `{"contact":{"id":"c2"}}`, "contact.id: there is no such contact"},
		{"an activity creates", live.Upsert, "contact.updated", `{"id":"c2"}`, "contact.created"},
		{"an activity merges", live.Upsert, "contact.created", `{"id":"c1","title":"Dr"}`, "contact.updated"},
		{"an activity deletes", live.Upsert, "contact.deleted", `{"id":"c1"}`, "contact.deleted"},
		{"exhibitors", live.Create, "exhibitor.created", `{"exhibitor":{"id":"x"}}`, "exhibitor.created"},
		{"sponsors", live.Create, "sponsor.created", `{"sponsor":{"id":"x"}}`, "sponsor.created"},
		{"without an id", live.Create, "contact.created", `{"contact":{}}`, "contact.id: is required"},
		{"no session without an event", live.Create, "session.created", `{"session":{"id":"s"}}`, "eventId: is required"},
		{"no session of an unknown event", live.Create, "session.created", `{"eventId":"e9","session":{"id":"s"}}`, "eventId: there is no such event"},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.do("contact.created", `{"id":"c1","firstName":"A","lastName":"Q","x":{"a":1,"b":2}}`)
			out, err := w.apply(rest(row.mode, row.typ, row.data))
			got := types(out)
			if err != nil {
				got = err.Error()
			}
			equal(t, "outcome", got, row.want)
		})
	}
}

func TestIDs(t *testing.T) {
	t.Parallel()
	good := []string{`"a"`, `"A-Z_0:9@x.y"`, `"..."`, `17`, `"` + strings.Repeat("x", 128) + `"`}
	bad := []string{`""`, `"."`, `".."`, `"a/b"`, `"a b"`, `"ä"`, `1.5`, `1e3`, `{}`, `true`, `null`, `"` + strings.Repeat("x", 129) + `"`}
	for _, s := range good {
		equal(t, s, newWorld(t).do("contact.created", `{"contact":{"id":%s}}`, s), "contact.created")
	}
	for _, s := range bad {
		r := newWorld(t).refused(live.Activity{Type: "contact.created", Data: fmt.Appendf(nil, `{"contact":{"id":%s}}`, s)})
		equal(t, s, r.Kind, live.Invalid)
		equal(t, s, strings.Join(r.Loc, "."), "contact.id")
	}
}

func TestForms(t *testing.T) {
	t.Parallel()
	rows := []struct{ typ, data, want string }{
		{"event.created", `{"id":"e","startDate":"tomorrow"}`, "startDate: must be a time such as 2027-06-10T09:00:00.000Z"},
		{"event.created", `{"event":{"id":"e","endDate":17}}`, "event.endDate: must be a time such as 2027-06-10T09:00:00.000Z"},
		{"event.created", `{"id":"e","startDate":"2027-06-10T09:00:00Z","endDate":"2027-06-10T08:59:59Z"}`, "endDate: must not be before startDate"},
		{"event.created", `{"id":"e","number":"4001"}`, "number: must be a whole number"},
		{"event.created", `{"id":"e","number":1.5}`, "number: must be a whole number"},
		{"event.created", `{"id":"e","number":0}`, "number: must be a whole number from 1 to 2^52"},
		{"event.created", `{"id":"e","number":9007199254740992}`, "number: must be a whole number from 1 to 2^52"},
		{"event.created", `{"id":"e","status":"ONGOING"}`, "status: must be CANCELLED or absent: all else follows from the dates"},
		{"event.created", `{"id":"e","name":1}`, "name: must be a string"},
		{"session.created", `{"eventId":"e1","session":{"id":"s","startDateTime":"2027"}}`, "session.startDateTime: must be a time such as 2027-06-10T09:00:00.000Z"},
		{"session.created", `{"eventId":"e1","session":{"id":"s","capacity":"many"}}`, "session.capacity: must be a whole number"},
		{"session.created", `{"eventId":"e1","session":{"id":"s","speakers":[{"id":"a"},{"firstName":{}}]}}`, "session.speakers.1.firstName: must be a string"},
		{"session.created", `{"eventId":"e1","session":{"id":"s","speakers":[7]}}`, "session.speakers.0: must be an object"},
		{"session.created", `{"eventId":"e1","session":{"id":"s","tags":[7]}}`, "session.tags.0: must be a string or an object"},
		{"session.created", `{"eventId":"e1","session":{"id":"s","location":7}}`, "session.location: must be an object, or an array of objects"},
		{"registration.created", `{"eventId":"e1","registration":{"id":"r","profile":[]}}`, "registration.profile: must be an object"},
		{"contact.created", `[]`, "data must be a JSON object without repeated names, at most 64 deep, its numbers such as 64 bits hold"},
		{"contact.created", `{"id":"a","id":"b"}`, "data must be a JSON object without repeated names, at most 64 deep, its numbers such as 64 bits hold"},
		{"contact.created", `{"id":"a","x":1e999}`, "data must be a JSON object without repeated names, at most 64 deep, its numbers such as 64 bits hold"},
		{"contact.created", `{"contact":{"id":"a"},"contactId":"b"}`, "contact.id: must be the same as contactId"},
		{"session.joined", `{"eventId":"e1","event":"e1"}`, "event: must be an object"},
		{"what.ever", `{}`, "type is not one of the activities' types"},
	}
	for _, row := range rows {
		t.Run(row.data, func(t *testing.T) {
			t.Parallel()
			w := conf(t)
			r := w.refused(live.Activity{Type: row.typ, Data: []byte(row.data)})
			equal(t, "refusal", r.Error(), row.want)
			equal(t, "kind", r.Kind, live.Invalid)
		})
	}
}

func TestTimesAndActors(t *testing.T) {
	t.Parallel()
	a := live.Activity{Type: "contact.created", Data: []byte(`{"id":"c"}`)}
	ahead, far, before, actor := a, a, a, a
	ahead.At, far.At = noon.Add(5*time.Minute), noon.Add(5*time.Minute+1)
	before.At = time.Date(-3, 1, 1, 0, 0, 0, 0, time.UTC)
	actor.Actor.Type = "ROBOT"
	equal(t, "five minutes ahead", newWorld(t).with(ahead), "contact.created")
	equal(t, "more", newWorld(t).refused(far).Error(), "at must not be more than 5 minutes in the future")
	equal(t, "before all years", newWorld(t).refused(before).Error(), "at must be in the years 0 to 9999")
	equal(t, "an actor of no type", newWorld(t).refused(actor).Error(), "the actor's type must be USER, AGENT or SYSTEM")
}

// TestDocuments says what is kept of what callers give, and what is added.
func TestDocuments(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.with(live.Activity{
		Type: "event.created", Actor: live.Actor{ID: "17"},
		Data: []byte(`{"event":{"name":"Conf","id":"e1","own":{"a":[1,{"b":null}],"z":"\u00e9"},"startDate":"2027-06-10T15:00:00+02:00","updatedAt":"2001-01-01T00:00:00Z"}}`),
	})
	want := `{"id":"e1","number":4001,"name":"Conf","own":{"a":[1,{"b":null}],"z":"\u00e9"},"startDate":"2027-06-10T15:00:00+02:00",` +
		`"createdAt":"2027-06-10T12:00:00.000Z","createdBy":"17","status":"UPCOMING","updatedAt":"2027-06-10T12:00:00.000Z","updatedBy":"17"}`
	equal(t, "created", string(w.rows[live.Key{App: app, Kind: live.Event, ID: "e1"}].Doc), want)

	w.now = after(1)
	w.with(live.Activity{
		Type: "event.updated", Mode: live.Merge, Actor: live.Actor{ID: "a9", Type: "AGENT"},
		Data: []byte(`{"event":{"id":"e1","name":null,"own":{"z":null,"a":[2],"n":{"x":1}},"createdBy":"nobody"}}`),
	})
	want = `{"id":"e1","number":4001,"own":{"a":[2],"n":{"x":1}},"startDate":"2027-06-10T15:00:00+02:00",` +
		`"createdAt":"2027-06-10T12:00:00.000Z","createdBy":"17","status":"UPCOMING","updatedAt":"2027-06-10T12:01:00.000Z","updatedBy":"a9"}`
	equal(t, "merged", string(w.rows[live.Key{App: app, Kind: live.Event, ID: "e1"}].Doc), want)
	equal(t, "source of the change", get(w.last(), "sourceOfChange"), any("agent"))
	if diff := cmp.Diff(map[string]any{"id": "a9", "type": "AGENT"}, get(w.last(), "actor")); diff != "" {
		t.Errorf("actor: %s", diff)
	}

	w.with(rest(live.Replace, "event.updated", `{"event":{"id":"e1","name":"New"}}`))
	want = `{"id":"e1","number":4001,"name":"New","createdAt":"2027-06-10T12:00:00.000Z","createdBy":"17","status":"UPCOMING",` +
		`"updatedAt":"2027-06-10T12:01:00.000Z"}`
	equal(t, "replaced", string(w.rows[live.Key{App: app, Kind: live.Event, ID: "e1"}].Doc), want)
	equal(t, "source of the change", get(w.last(), "sourceOfChange"), any("user"))
	equal(t, "actor", get(w.last(), "actor"), nil)

	equal(t, "sent back as it was given", w.with(rest(live.Replace, "event.updated", `{"event":`+want+`}`)), "unchanged")
	equal(t, "order", w.said[0].OrderKey, "event:e1")
}

func TestImportsKeepWhenThingsWereCreated(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.do("contact.created", `{"id":"c","createdAt":"2001-01-01T00:00:00Z"}`)
	equal(t, "createdAt", w.contactDoc("c")["createdAt"], any("2001-01-01T00:00:00Z"))
	equal(t, "it is no change later", w.do("contact.updated", `{"id":"c","createdAt":"2002-01-01T00:00:00Z"}`), "unchanged")
}

func TestQuietSaysNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	equal(t, "messages", w.with(live.Activity{Type: "contact.created", Quiet: true, Data: []byte(`{"id":"c"}`)}), "")
	equal(t, "kept", w.contactDoc("c")["id"], any("c"))
}

func TestTypesThatNobodyHas(t *testing.T) {
	t.Parallel()
	w := conf(t)
	equal(t, "update", w.do("registration.updated", `{"eventId":"e1","registration":{"id":"r1","profile":{"lastName":"M"}}}`), "")
	reg := w.doc(live.Key{App: app, Kind: live.Registration, Parent: "e1", ID: "r1"})
	if diff := cmp.Diff(map[string]any{"firstName": "Jane", "lastName": "M"}, reg["profile"]); diff != "" {
		t.Error(diff)
	}
	equal(t, "delete", w.do("registration.deleted", `{"eventId":"e1","id":"r1"}`), "")
	equal(t, "delete", w.do("event.deleted", `{"id":"e1"}`), "")
}

func TestDeletedIsToldWhole(t *testing.T) {
	t.Parallel()
	w := conf(t)
	equal(t, "delete", w.do("session.deleted", `{"eventId":"e1","id":"s1"}`), "session.deleted")
	equal(t, "title", get(w.last(), "session.title"), any("A session"))
	equal(t, "deletedAt", get(w.last(), "session.deletedAt"), any("2027-06-10T12:00:00.000Z"))
	equal(t, "number", get(w.last(), "event.number"), any(4001.0))
}

func TestEventNumbers(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	number := func(id string) any { return w.eventDoc(id)["number"] }
	w.do("event.created", `{"id":"a"}`)
	w.do("event.created", `{"id":"b","number":4010}`)
	w.do("event.created", `{"id":"c"}`)
	w.do("event.created", `{"id":"d","number":7}`)
	w.do("event.created", `{"id":"e"}`)
	equal(t, "first", number("a"), any(4001.0))
	equal(t, "after one that was chosen", number("c"), any(4011.0))
	equal(t, "after a small one", number("e"), any(4012.0))
	r := w.refused(rest(live.Create, "event.created", `{"event":{"id":"f","number":4010}}`))
	equal(t, "taken", r.Error(), "event.number: another event of the organization has this number")
	equal(t, "taken", r.Kind, live.Conflict)

	equal(t, "a new number", w.do("event.updated", `{"id":"b","number":5000}`), "event.updated")
	equal(t, "the old one stays its own", w.refused(rest(live.Create, "event.created", `{"event":{"id":"f","number":4010}}`)).Kind, live.Conflict)
	row := w.rows[live.Key{Kind: live.EventNumber, Parent: org, ID: "5000"}]
	key, ok := live.NumberedEvent(row)
	equal(t, "whose it is", key, live.Key{App: app, Kind: live.Event, ID: "b"})
	equal(t, "whose it is", ok, true)

	w.do("event.deleted", `{"id":"b"}`)
	w.until(1)
	equal(t, "free again", w.do("event.created", `{"id":"f","number":4010}`), "event.created")
	w.do("event.created", `{"id":"g","number":4503599627370496}`)
	w.do("event.created", `{"id":"h"}`)
	equal(t, "a huge one that was chosen uses none up", number("h"), any(5001.0))
	w.with(fromVendor(true, 0, "session.joined", `{"event":{"id":"i"},"session":{"id":"s"},"registration":{"id":"r"}}`))
	equal(t, "of a source, after all that were chosen", number("i"), any(4503599627370497.0))
	equal(t, "what it has anyway may be said", w.do("event.updated", `{"id":"i","number":4503599627370497}`), "unchanged")
	w.with(fromVendor(true, 0, "session.created", `{"event":{"id":"j","number":5002},"session":{"id":"s"}}`))
	equal(t, "one that a source gives", number("j"), any(5002.0))
	w.do("event.created", `{"id":"k"}`)
	equal(t, "after that", number("k"), any(5003.0))
}

func TestEventStatus(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	status := func() any { return w.eventDoc("e1")["status"] }
	w.do("event.created", `{"id":"e1","startDate":%q,"endDate":%q}`, text(60), text(180))
	equal(t, "at first", status(), any("UPCOMING"))
	equal(t, "just before the start", w.until(59.9), "")
	equal(t, "start", w.until(60), "event.updated")
	equal(t, "started", status(), any("ONGOING"))
	equal(t, "when", w.said[1].At, after(60))
	equal(t, "who", get(w.last(), "actor.type"), any("SYSTEM"))
	equal(t, "what it is anyway may be said", w.do("event.updated", `{"id":"e1","status":"ONGOING"}`), "unchanged")
	equal(t, "the end moves", w.do("event.updated", `{"id":"e1","endDate":%q}`, text(240)), "event.updated")
	equal(t, "nothing at the old end", w.until(200), "")
	equal(t, "end", w.until(240), "event.updated")
	equal(t, "ended", status(), any("COMPLETED"))
	equal(t, "the end moves back", w.do("event.updated", `{"id":"e1","endDate":%q}`, text(300)), "event.updated")
	equal(t, "it goes on", status(), any("ONGOING"))
	equal(t, "cancel", w.do("event.updated", `{"id":"e1","status":"CANCELLED"}`), "event.updated")
	equal(t, "other changes leave it cancelled", w.do("event.updated", `{"id":"e1","name":"x"}`), "event.updated")
	equal(t, "cancelled", status(), any("CANCELLED"))
	equal(t, "nothing happens to it", w.until(1000), "")
	equal(t, "on again", w.with(rest(live.Merge, "event.updated", `{"event":{"id":"e1","status":null}}`)), "event.updated")
	equal(t, "status", status(), any("COMPLETED"))
}

func TestSeveralTimersAfterAnOutage(t *testing.T) {
	t.Parallel()
	w := conf(t)
	w.at(0, "session.joined", "%s", attendance("s1", "r1", ""))
	w.said = nil
	w.now = after(10_000)
	for {
		if _, fired := w.fireOnce(live.DefaultDelay); !fired {
			break
		}
	}
	var got []string
	for _, m := range w.said {
		got = append(got, fmt.Sprintf("%s %v", m.Type, m.At.Sub(noon)))
	}
	want := []string{
		"event.updated 1h0m0s", "event.updated 3h0m0s", "session.time_spent 4h0m0s", "event.time_spent 4h0m0s",
		"registration.attended 4h0m0s", "registration.no_show 4h0m0s",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestSpeakers(t *testing.T) {
	t.Parallel()
	w := conf(t)
	w.do("contact.created", `{"id":"c1","fullName":"Omar","title":"Head"}`)
	speaker := func() any { return get(w.last(), "speaker.fullName") }
	body := func(speakers string) string {
		return fmt.Sprintf(`{"eventId":"e1","session":{"id":"s1","speakers":%s}}`, speakers)
	}

	equal(t, "PATCH adds", w.do("session.updated", "%s", body(`[{"id":"c1","participantRole":{"slug":"host"}},{"speakerId":"z"}]`)),
		"session.updated session.speaker.attached session.speaker.attached")
	equal(t, "one is known", get(decode(t, w.said[len(w.said)-2].Data), "speaker.fullName"), any("Omar"))
	equal(t, "one is not", get(w.last(), "speaker.id"), any("z"))
	equal(t, "order", w.said[len(w.said)-1].OrderKey, "session:s1")
	equal(t, "PATCH changes a role", w.do("session.updated", "%s", body(`[{"id":"c1"},{"speakerId":"z"}]`)), "session.updated")
	equal(t, "PATCH takes out", w.do("session.updated", "%s", body(`[{"id":"c1"}]`)), "session.updated session.speaker.detached")
	equal(t, "PATCH clears", w.do("session.updated", "%s", body(`null`)), "session.updated session.speaker.detached")

	route := `{"eventId":"e1","sessionId":"s1","contactId":"c1"%s}`
	equal(t, "PUT", w.do("session.speaker.attached", route, `,"speaker":{"participantRole":{"slug":"host"}}`), "session.speaker.attached")
	equal(t, "PUT tells the contact", speaker(), any("Omar"))
	equal(t, "PUT tells the session with it", len(get(w.last(), "session.speakers").([]any)), 1)
	equal(t, "PUT again", w.do("session.speaker.attached", route, ``), "unchanged")
	equal(t, "PUT of another role", w.do("session.speaker.attached", route, `,"speaker":{"participantRole":{"slug":"guest"}}`), "session.updated")
	equal(t, "DELETE", w.do("session.speaker.detached", route, ``), "session.speaker.detached")
	equal(t, "DELETE tells the contact", speaker(), any("Omar"))
	equal(t, "DELETE tells the session without it", len(get(w.last(), "session.speakers").([]any)), 0)
	equal(t, "DELETE again", w.do("session.speaker.detached", route, ``), "unchanged")

	r := w.refused(live.Activity{Type: "session.speaker.attached", Data: []byte(`{"eventId":"e1","sessionId":"s1","contactId":"c9"}`)})
	equal(t, "nobody", r.Error(), "contactId: there is no such contact")
	equal(t, "created with speakers", w.do("session.created", `{"eventId":"e1","session":{"id":"s3","speakers":[{"id":"c1"}]}}`),
		"session.created session.speaker.attached")
}

func TestAssociations(t *testing.T) {
	t.Parallel()
	for _, noun := range []string{"contact", "exhibitor", "sponsor"} {
		t.Run(noun, func(t *testing.T) {
			t.Parallel()
			w := conf(t)
			w.do(noun+".created", `{"id":"x","name":"N"}`)
			data := fmt.Sprintf(`{"eventId":"e1","%sId":"x"}`, noun)
			equal(t, "in", w.do(noun+".event.associated", "%s", data), noun+".event.associated")
			equal(t, "whole", get(w.last(), noun+".name"), any("N"))
			equal(t, "event", get(w.last(), "event.number"), any(4001.0))
			equal(t, "again", w.do(noun+".event.associated", "%s", data), "unchanged")
			equal(t, "out", w.do(noun+".event.disassociated", "%s", data), noun+".event.disassociated")
			equal(t, "again", w.do(noun+".event.disassociated", "%s", data), "unchanged")
			r := w.refused(live.Activity{Type: noun + ".event.associated", Data: fmt.Appendf(nil, `{"eventId":"e1","%sId":"y"}`, noun)})
			equal(t, "unknown", r.Error(), noun+"Id: there is no such "+noun)
			equal(t, "carried", w.do(noun+".event.associated", `{"eventId":"e1",%q:{"id":"y"}}`, noun), noun+".event.associated")
		})
	}
}

// TestCarriedObjects: what an activity carries along is created or merged, and sends
// nothing of its own.
func TestCarriedObjects(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	data := `{"event":{"id":"e1","name":"Conf"},"session":{"id":"s1","title":"T","location":{"type":"STAGE"}},"registration":{"id":"r1"}}`
	equal(t, "unknown", w.do("session.joined", "%s", data), "session.joined")
	equal(t, "event", w.eventDoc("e1")["number"], any(4001.0))
	again := `{"event":{"id":"e1","timezone":"UTC"},"session":{"id":"s1","location":{"link":"x"}},"registrationId":"r1","connectionId":"b"}`
	equal(t, "known", w.do("session.joined", "%s", again), "")
	equal(t, "event kept", w.eventDoc("e1")["name"], any("Conf"))
	if diff := cmp.Diff(map[string]any{"type": "STAGE", "link": "x"}, w.sessionDoc("e1", "s1")["location"]); diff != "" {
		t.Error(diff)
	}
	r := w.refused(live.Activity{Type: "session.joined", Data: []byte(`{"event":{"id":"e2"},"sessionId":"s1","registration":{"id":"r1"}}`)})
	equal(t, "all or nothing", r.Error(), "sessionId: there is no such session")
	if _, there := w.rows[live.Key{App: app, Kind: live.Event, ID: "e2"}]; there {
		t.Error("a refused activity left its event behind")
	}
}

// TestSweep: what hangs on something that was deleted goes, too, and the name is not
// given again before that.
func TestSweep(t *testing.T) {
	t.Parallel()
	w := conf(t)
	for _, s := range []string{"s1", "s2"} {
		for _, r := range []string{"r1", "r2"} {
			w.do("session.joined", "%s", attendance(s, r, ""))
		}
	}
	w.do("registration.deleted", `{"eventId":"e1","id":"r1"}`)
	r := w.refused(live.Activity{Type: "registration.created", Data: []byte(`{"eventId":"e1","id":"r1"}`)})
	equal(t, "too early", r.Kind, live.Conflict)
	w.until(1)
	equal(t, "left of two times two", len(presences(w)), 2)
	equal(t, "again", w.do("registration.created", `{"eventId":"e1","id":"r1"}`), "registration.created")
	w.do("session.deleted", `{"eventId":"e1","id":"s2"}`)
	w.until(2)
	equal(t, "left of those", len(presences(w)), 1)

	w.do("contact.created", `{"id":"c"}`)
	w.do("contact.event.associated", `{"eventId":"e1","contactId":"c"}`)
	w.do("event.deleted", `{"id":"e1"}`)
	equal(t, "nothing is said", w.until(3), "")
	for k := range w.rows {
		if k.Kind != live.Contact && k.Kind != live.Counter {
			t.Errorf("%v is left", k)
		}
	}
	equal(t, "again", w.do("event.created", `{"id":"e1"}`), "event.created")
}

func TestSweepOfMany(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.unchecked = true
	w.do("event.created", `{"id":"e1"}`)
	for i := range 2500 {
		w.do("registration.created", `{"eventId":"e1","id":"r%d"}`, i)
	}
	w.do("event.deleted", `{"id":"e1"}`)
	w.until(1)
	equal(t, "rows left, the counter", len(w.rows), 1)
}

// TestSweepOfOneAmongMany: whose rows stand behind many others' is found, and loses all.
func TestSweepOfOneAmongMany(t *testing.T) {
	t.Parallel()
	w := conf(t)
	w.unchecked = true
	for i := range 1100 {
		w.do("session.joined", `{"eventId":"e1","sessionId":"s1","registration":{"id":"a%d"}}`, i)
	}
	w.do("session.joined", "%s", attendance("s1", "r1", ""))
	w.do("session.joined", "%s", attendance("s2", "r1", ""))
	w.do("registration.deleted", `{"eventId":"e1","id":"r1"}`)
	w.until(1)
	equal(t, "presences left", len(presences(w)), 1100)
}
