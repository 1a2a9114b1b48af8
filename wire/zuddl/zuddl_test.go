package zuddl_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/callboard/callboard/wire"
	"github.com/callboard/callboard/wire/zuddl"
)

// seeds reads the vendor's own examples: file name to body.
func seeds(t testing.TB) map[string][]byte {
	t.Helper()
	names, err := filepath.Glob("testdata/*.json")
	if err != nil || len(names) != 2 {
		t.Fatalf("%d examples, want 2 (%v)", len(names), err)
	}
	bodies := make(map[string][]byte)
	for _, name := range names {
		body, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		bodies[filepath.Base(name)] = body
	}
	return bodies
}

// compact takes the space out of a JSON text. Two that are the same then have the same
// values under the same keys in the same order.
func compact(t testing.TB, body []byte) string {
	t.Helper()
	var b bytes.Buffer
	if err := json.Compact(&b, body); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func decode(t testing.TB, body string) *zuddl.Webhook {
	t.Helper()
	w, err := zuddl.Decode([]byte(body))
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func encode(t testing.TB, w *zuddl.Webhook) string {
	t.Helper()
	body, err := zuddl.Encode(w)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

// TestSeeds reads the vendor's examples and writes them again: every field and the
// order of the keys is kept, and no field is one that the types do not have.
func TestSeeds(t *testing.T) {
	t.Parallel()
	for name, body := range seeds(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := decode(t, string(body))
			if diff := cmp.Diff(compact(t, body), encode(t, w)); diff != "" {
				t.Errorf("written again (-want +got):\n%s", diff)
			}
			unknown := []wire.Fields{
				w.Unknown, w.Actor.Unknown, w.Registration.Unknown, w.Registration.Profile.Unknown, w.Event.Unknown, w.Session.Unknown,
				w.Session.Location.First().Unknown, w.Session.Speakers[0].Unknown, w.Session.Sponsors[0].Unknown,
			}
			for _, fields := range unknown {
				if fields != nil {
					t.Errorf("fields of the vendor's example that the types do not have: %v", fields)
				}
			}
		})
	}
}

// TestDecodedValues looks at one field of each kind in the vendor's examples.
func TestDecodedValues(t *testing.T) {
	t.Parallel()
	bodies := seeds(t)
	joined := decode(t, string(bodies["joined_session.json"]))
	spent := decode(t, string(bodies["time_spent_in_session.json"]))
	got := []any{
		joined.Action, joined.ActionID.String(), joined.Actor.ID.String(), joined.Actor.Type, joined.ActionCreatedAt.Time,
		joined.Registration.Profile.Email, joined.Event.Identifier.String(), joined.Event.Timezone, joined.Event.StartDate.Time,
		joined.Session.Location.First().Type, joined.Session.Tags, joined.TimeSpentInMinutes,
		spent.Action, spent.Event.Name, spent.Event.StartDate.IsZero(), *spent.TimeSpentInMinutes,
	}
	want := []any{
		zuddl.JoinedSession, "a912a64f-8865-4289-9024-9a120792c3d8", "h212a64f-8865-4289-9024-9a120792c3d8", zuddl.ActorUser,
		time.Date(2023, 10, 1, 12, 0, 0, 0, time.UTC),
		"jane.smith@example.com", "event-123", "UTC/IST", time.Date(2025, 4, 11, 12, 30, 0, 0, time.UTC),
		zuddl.LocationStage,
		[]string{"tag1", "tag2"},
		(*int32)(nil),
		zuddl.TimeSpentInSession, "Huddle with zuddl.", true, int32(123),
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("values (-want +got):\n%s", diff)
	}
}

// TestLenient reads what the documents disagree on, and writes it.
func TestLenient(t *testing.T) {
	t.Parallel()
	const session, lists = `{"action":"A","session":{`, `"speakers":[],"sponsors":[],"tags":[]}}`
	for name, tt := range map[string]struct{ in, want string }{
		"the action alone":        {`{"action":"JOINED_SESSION"}`, ``},
		"an unknown action":       {`{"action":"BROUGHT_A_FRIEND","actionId":"1"}`, ``},
		"ids that are numbers":    {`{"action":"A","actionId":1,"actor":{"id":2},"registration":{"id":3},"event":{"id":4,"organizationId":5,"identifier":6,"createdBy":7,"updatedBy":8}}`, ``},
		"an actor of any id":      {`{"action":"A","actor":{"id":"<not> a UUID","type":"ROBOT"}}`, ``},
		"an event of only an id":  {`{"action":"A","event":{"id":"e"}}`, ``},
		"half a profile":          {`{"action":"A","registration":{"profile":{"firstName":"J","lastName":"S","email":"e"}}}`, ``},
		"empty objects":           {`{"action":"A","actor":{},"registration":{"profile":{}},"event":{}}`, ``},
		"a session of only an id": {session + `"id":"s"}}`, session + `"id":"s",` + lists},
		"lists that are null":     {session + `"speakers":null,"sponsors":null,"tags":null}}`, session + lists},
		"location, an object":     {session + `"location":{"locationId":1,"type":"TENT"},` + lists, ``},
		"location, an array":      {session + `"location":[{"locationId":1}],` + lists, session + `"location":{"locationId":1},` + lists},
		"location, two":           {session + `"location":[{"locationId":1},{"locationId":"2"}],` + lists, ``},
		"location, none":          {session + `"location":[],` + lists, ``},
		"location, null":          {session + `"location":null,` + lists, session + lists},
		"other enums":             {`{"action":"A","event":{"timezone":"<any & all>","status":"S","type":"T","eventFormat":"F"}}`, ``},
		"no minutes":              {`{"action":"A","timeSpentInMinutes":0}`, ``},
		"nulls":                   {`{"action":"A","actionId":null,"actor":null,"actionCreatedAt":null,"event":{"name":null},"timeSpentInMinutes":null}`, `{"action":"A","event":{}}`},
		"keys in another order":   {`{"event":{"name":"n","id":"e"},"action":"A"}`, `{"action":"A","event":{"id":"e","name":"n"}}`},
		"a time with an offset":   {`{"action":"A","actionCreatedAt":"2026-05-04T12:00:00.5+02:00"}`, `{"action":"A","actionCreatedAt":"2026-05-04T10:00:00Z"}`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			want := tt.want
			if want == "" {
				want = tt.in
			}
			if diff := cmp.Diff(want, encode(t, decode(t, tt.in))); diff != "" {
				t.Errorf("written again (-want +got):\n%s", diff)
			}
		})
	}
}

// TestUnknown keeps a field that the types do not have, in each of the objects.
func TestUnknown(t *testing.T) {
	t.Parallel()
	const body = `{"action":"A","actor":{"id":1,"x":1},"registration":{"profile":{"x":[2]},"x":"<3>"},"event":{"x":{"y":null}},` +
		`"session":{"location":{"x":5},"speakers":[{"x":6}],"sponsors":[{"x":7}],"tags":[],"x":8},"poll":{"b":1,"a":2},"Action":"other"}`
	w := decode(t, body)
	if diff := cmp.Diff(body, encode(t, w)); diff != "" {
		t.Errorf("written again (-want +got):\n%s", diff)
	}
	if got := string(w.Unknown.Get("poll")); got != `{"b":1,"a":2}` {
		t.Errorf("poll is %s", got)
	}
}

// TestWrong expects errors that name what is wrong.
func TestWrong(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]string{
		``:                  "unexpected end of JSON input",
		`{"action":"A"} {}`: "after top-level value",
		`null`:              "is not a JSON object",
		`[]`:                "is not a JSON object",
		`{}`:                "action: is missing",
		`{"action":""}`:     "action: is missing",
		`{"action":null}`:   "action: is missing",
		`{"ACTION":"A"}`:    "action: is missing",
		`{"action":7}`:      "action: is a number",
		`{"action":"JOINED_SESSION","actor":"me"}`:                                "actor: is not a JSON object",
		`{"action":"JOINED_SESSION","actionId":[]}`:                               "actionId: is neither a string nor a number",
		`{"action":"JOINED_SESSION","event":{"startDate":"soon"}}`:                "event: startDate: is not a time",
		`{"action":"JOINED_SESSION","registration":{"profile":{"firstName":{}}}}`: "registration: profile: firstName: is a object",
		`{"action":"JOINED_SESSION","session":{"location":"here"}}`:               "session: location: is not a JSON object",
		`{"action":"JOINED_SESSION","session":{"location":[7]}}`:                  "session: location: is not a JSON object",
		`{"action":"JOINED_SESSION","session":{"speakers":[{"speakerId":{}}]}}`:   "session: speakers: speakerId: is neither",
		`{"action":"JOINED_SESSION","session":{"tags":[1]}}`:                      "session: tags: is a number",
		`{"action":"JOINED_SESSION","timeSpentInMinutes":2147483648}`:             "timeSpentInMinutes: is a number that does not fit",
		`{"action":"JOINED_SESSION","timeSpentInMinutes":1.5}`:                    "timeSpentInMinutes: is a number that does not fit",
	} {
		w, err := zuddl.Decode([]byte(body))
		if err == nil || !strings.Contains(err.Error(), want) || !strings.HasPrefix(err.Error(), "zuddl webhook: ") || w != nil {
			t.Errorf("%s: %v, error %v, want one with %q", body, w, err, want)
		}
	}
	if _, err := zuddl.Encode(&zuddl.Webhook{}); err == nil || !strings.Contains(err.Error(), "action: is missing") {
		t.Errorf("a webhook of no action is written: %v", err)
	}
}

// TestStrangeAction reads bodies that do not fit the types, of actions whose form the
// vendor does not document, and writes them again as they came.
func TestStrangeAction(t *testing.T) {
	t.Parallel()
	for _, body := range []string{
		`{"action":"LEAD_ADDED","actionId":7,"actionCreatedAt":"2027-03-04T05:06:07Z","event":"a text","session":[1],"more":{}}`,
		`{"action":"NEVER_HEARD_OF","registration":{"profile":["no object"]}}`,
	} {
		w, err := zuddl.Decode([]byte(body))
		if err != nil {
			t.Errorf("%s: %v", body, err)
			continue
		}
		if got, err := zuddl.Encode(w); err != nil || string(got) != body {
			t.Errorf("written again %s, %v, want %s", got, err, body)
		}
	}
	for _, body := range []string{`{"action":7,"event":"a text"}`, `{"event":"a text"}`, `{"action":"A","actionCreatedAt":"soon","event":"a text"}`} {
		if w, err := zuddl.Decode([]byte(body)); err == nil {
			t.Errorf("%s is read as %+v", body, w)
		}
	}
}

// documented is the vendor's list of actions, then the two from its other pages.
const documented = `JOINED_SESSION TIME_SPENT_IN_SESSION REGISTERED NO_SHOW ATTENDED EVENT_CREATED EVENT_UPDATED TIME_SPENT_IN_EVENT
REGISTRATION_FOR_ON_DEMAND ATTENDED_ON_DEMAND ENTERED REGISTRATION_DATA_MODIFIED REGISTRATION_DELETE INVITED INVITE_DECLINED
REGISTRATION_ATTEMPTED REGISTRATION_ABANDONED ASSIGNED_NOT_REGISTERED REGISTRATION_PENDING_APPROVAL REGISTRATION_REJECTED
APPROVED_NOT_REGISTERED APPROVED SESSION_REGISTRATION TICKET_MODIFIED UNASSIGNED_TICKET TICKET_TRANSFERRED ADD_ON_MODIFIED
COUPON_CODE_MODIFIED ANSWERED_POLL ASKED_QUESTION QUESTION_UPVOTED ANSWERED_SURVEY CTA_CLICKED JOINED_BREAKOUT_ROOM JOINED_BOOTH
JOINED_DISCUSSION_ROOM WATCHED_VOD EVENT_ADDED_IN_SERIES EVENT_ADDED_IN_HUB ON_DEMAND_SETTING_UPDATED LEAD_ADDED
LEAD_CAPTURE_FIELDS_DATA_MODIFIED LEAD_ENRICHMENT TIME_SPENT_IN_BOOTH TIME_SPENT_IN_DISCUSSION_ROOM
AGGREGATED_TIME_SPENT_IN_SESSION AGGREGATED_TIME_SPENT_IN_BOOTH AGGREGATED_TIME_SPENT_IN_DISCUSSION_ROOM AGGREGATED_POLL_ANSWERED
AGGREGATED_QUESTION_ASKED AGGREGATED_QUESTION_UPVOTED AGGREGATED_SURVEY_ANSWERED AGGREGATED_CTA_CLICKED AGGREGATED_WATCHED_VOD
AGGREGATED_JOINED_BREAKOUT_ROOM
TIME_SPENT_IN_STAGE TIME_SPENT_IN_BOOTHS`

// TestActions compares the constants with the vendor's list.
func TestActions(t *testing.T) {
	t.Parallel()
	var got []string
	for _, action := range zuddl.Actions() {
		got = append(got, string(action))
	}
	want := strings.Fields(documented)
	if len(want) != 57 {
		t.Fatalf("%d documented actions, want 57", len(want))
	}
	if diff := cmp.Diff([]string{"JOINED_SESSION", "TIME_SPENT_IN_SESSION"}, got[:2]); diff != "" {
		t.Errorf("the first (-want +got):\n%s", diff)
	}
	slices.Sort(got)
	slices.Sort(want)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("actions (-want +got):\n%s", diff)
	}
	zuddl.Actions()[0] = ""
	if zuddl.Actions()[0] != zuddl.JoinedSession {
		t.Error("a caller's change is seen by the next")
	}
}

// TestStandardLibrary writes a webhook by json.Marshal, by value and by pointer.
func TestStandardLibrary(t *testing.T) {
	t.Parallel()
	w := decode(t, `{"action":"A","session":{"title":"t"}}`)
	for _, v := range []any{w, *w} {
		got, err := json.Marshal(v)
		if err != nil || string(got) != encode(t, w) {
			t.Errorf("written %s, %v", got, err)
		}
	}
}

// TestDecodeTwice reads into a webhook that was used before: nothing of that is left.
func TestDecodeTwice(t *testing.T) {
	t.Parallel()
	w := decode(t, `{"action":"A","actor":{"id":1},"x":1}`)
	if err := json.Unmarshal([]byte(`{"action":"B"}`), w); err != nil {
		t.Fatal(err)
	}
	if got := encode(t, w); got != `{"action":"B"}` {
		t.Errorf("read %s", got)
	}
}

// FuzzDecode writes whatever can be read, and reads it again: it is the same.
func FuzzDecode(f *testing.F) {
	for _, body := range seeds(f) {
		f.Add(body)
	}
	f.Add([]byte(`{"action":"A","session":{"location":[{},{"x":"<\u2028>"}],"tags":null},"timeSpentInMinutes":-1,"x":[1.0,{"y":null}]}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		once, err := zuddl.Decode(body)
		if err != nil {
			return
		}
		first := encode(t, once)
		if second := encode(t, decode(t, first)); first != second {
			t.Errorf("written %s, then %s", first, second)
		}
	})
}
