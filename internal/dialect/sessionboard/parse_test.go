package sessionboard_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/go-cmp/cmp"

	"github.com/callboard/callboard/internal/dialect"
	"github.com/callboard/callboard/wire/native"
	wire "github.com/callboard/callboard/wire/sessionboard"
)

func parse(t testing.TB, body string, header ...string) dialect.Activity {
	t.Helper()
	r := dialect.Request{Header: http.Header{}, Body: []byte(body)}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	a, err := sut.Parse(r)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// value is a JSON text for comparing, its numbers exact.
func value(t testing.TB, text string) (v any) {
	t.Helper()
	dec := json.NewDecoder(strings.NewReader(text))
	dec.UseNumber()
	if err := dec.Decode(&v); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	return v
}

// TestExamples reads a payload of each generation, and writes it again. What differs
// then is what the vendor's page left out as well: the fields of the resource of which
// nothing is known, and in the older generation what it did not have.
func TestExamples(t *testing.T) {
	t.Parallel()
	const data = `{
		"session": {"id": "fd4e0275-f018-40bc-909a-f8cdfa0df354", "organizationId": "757e8d5b-ce66-45f5-ab36-273414f8ab2f"},
		"event": {"number": 4001}, "actor": {"id": 7},
		"resourceUrl": "https://public-api.sessionboard.com/v1/event/4001/sessions/fd4e0275-f018-40bc-909a-f8cdfa0df354"`
	for name, tt := range map[string]struct {
		file, payload string
		at            time.Time
	}{
		"today": {
			"session_updated.json",
			`{"type": "session.updated", "timestamp": "2026-04-28T16:00:00.000Z", "data": ` + data + `, "sourceOfChange": "user"}}`,
			time.Date(2026, 4, 28, 16, 0, 0, 0, time.UTC),
		},
		"before": {"session_updated_old.json", `{"type": "session.updated", "data": ` + data + `}}`, time.Time{}},
	} {
		a := parse(t, file(t, tt.file), "svix-id", "msg_of_theirs")
		got := []any{a.ID, a.Type, a.At, value(t, string(a.Payload))}
		if diff := cmp.Diff([]any{"msg_of_theirs", "session.updated", tt.at, value(t, tt.payload)}, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
		if w, err := native.Decode(a.Payload); err != nil {
			t.Errorf("%s: package native: %v", name, err)
		} else if change, is := w.Data.(*native.SessionChange); !is || change.Event.Number != 4001 || change.Actor.ID.String() != "7" {
			t.Errorf("%s: package native reads %+v", name, w.Data)
		}

		// In both generations the same comes out: the vendor's page, letter for letter.
		m := dialect.Message{ID: "msg_1", Type: a.Type, Time: time.Date(2026, 4, 28, 16, 0, 0, 0, time.UTC), Tenant: "app_1", Payload: a.Payload}
		again, ok := value(t, render(t, m)).(map[string]any)
		if !ok {
			t.Fatal("no object")
		}
		fields, ok := again["data"].(map[string]any)
		if !ok || len(fields) != 38 {
			t.Fatalf("%s: the data has %d members, and not the schema's 37 and sourceOfChange", name, len(fields))
		}
		for key, v := range fields {
			if list, is := v.([]any); v == nil || is && len(list) == 0 {
				delete(fields, key)
			}
		}
		if diff := cmp.Diff(value(t, file(t, "session_updated.json")), any(again)); diff != "" {
			t.Errorf("%s, written again (-want +got):\n%s", name, diff)
		}
	}
}

// TestRoundTrip reads what it wrote, of each type, and writes that again.
func TestRoundTrip(t *testing.T) {
	t.Parallel()
	for _, action := range wire.Actions() {
		name := string(action)
		want := render(t, message(name, full(t, name)))
		a := parse(t, want)
		if a.Type != name {
			t.Errorf("%s reads as %s", name, a.Type)
		}
		if _, err := native.Decode(a.Payload); err != nil {
			t.Errorf("%s: package native: %v", name, err)
		}
		got := render(t, dialect.Message{ID: "msg_2", Type: a.Type, Tenant: "app_2", Payload: a.Payload})
		// Who has it now is where it can be found, and the only thing that differs.
		got = strings.Replace(got, "/v1/organization/app_2/", "/v1/organization/app_1/", 1)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s, there and back (-want +got):\n%s", name, diff)
		}
	}
}

// TestParse reads what the vendor's page does not show.
func TestParse(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct{ body, eventType, data string }{
		"a whole session": {
			`{"data":{"id":1,"starts_at":"2026-06-01T09:00:00+02:00","ends_at":"soon","is_public":null,"speakers":[{"id":"c","full_name":"A","participant_role":{"slug":"s","name_plural":"p"}}],
				"sponsors":[{"id":"p","address_coutnry":"Malta"}],"room":{"id":1,"floor":2},"subsessions":[{"starts_at":"2026-06-01"}],"new_field":{"a_b":1}},"metadata":{"action":"session.created","event_id":"4001"}}`,
			"session.created",
			`{"session":{"id":1,"startDateTime":"2026-06-01T07:00:00.000Z","endDateTime":"soon","isPublic":null,"speakers":[{"id":"c","fullName":"A","participantRole":{"slug":"s","namePlural":"p"}}],
				"sponsors":[{"id":"p","addressCountry":"Malta"}],"room":{"id":1,"floor":2},"subsessions":[{"startDateTime":"2026-06-01T00:00:00.000Z"}],"new_field":{"a_b":1}},"event":{"number":4001}}`,
		},
		"a speaker": {
			`{"data":{"id":"s","speaker":{"id":"c","full_name":"A"},"sourceOfChange":"agent"},"metadata":{"action":"session.speaker.detached","event_id":4001,"actor_id":null}}`,
			"session.speaker.detached",
			`{"session":{"id":"s"},"event":{"number":4001},"sourceOfChange":"agent","speaker":{"id":"c","fullName":"A"}}`,
		},
		"a speaker in another way": {
			`{"data":{"id":"s","speaker":"c"},"metadata":{"action":"session.speaker.detached"}}`,
			"session.speaker.detached", `{"session":{"id":"s"},"speaker":"c"}`,
		},
		"a contact of an event": {
			`{"data":{"id":"c","speaker":1,"address_line_1":"x","deleted_at":"2026-01-01T00:00:00Z"},"metadata":{"action":"contact.event.associated","actor_id":"u-7","event_id":4001,"org_id":5,"version":1}}`,
			"contact.event.associated",
			`{"contact":{"id":"c","speaker":1,"addressLine1":"x","deletedAt":"2026-01-01T00:00:00.000Z","organizationId":5},"event":{"number":4001},"actor":{"id":"u-7"}}`,
		},
		"nothing of it":      {`{"data":{},"metadata":{"action":"exhibitor.deleted","org_id":"o"}}`, "exhibitor.deleted", `{"exhibitor":{"organizationId":"o"}}`},
		"the org twice":      {`{"data":{"organizationId":"x","id":1},"metadata":{"action":"sponsor.deleted","org_id":"o"}}`, "sponsor.deleted", `{"sponsor":{"id":1,"organizationId":"o"}}`},
		"the org in data":    {`{"data":{"organizationId":"x","id":1},"metadata":{"action":"sponsor.deleted","org_id":null}}`, "sponsor.deleted", `{"sponsor":{"organizationId":"x","id":1}}`},
		"the actor twice":    {`{"data":{"id":1,"actor_id":8},"metadata":{"action":"sponsor.deleted","actor_id":7}}`, "sponsor.deleted", `{"sponsor":{"id":1,"actor_id":8},"actor":{"id":7}}`},
		"the system, before": {`{"data":{"id":1,"actor_id":null},"metadata":{"action":"sponsor.deleted"}}`, "sponsor.deleted", `{"sponsor":{"id":1}}`},
		"an event's other id": {
			`{"data":{"id":1},"metadata":{"action":"session.updated","event_id":"e-1"}}`,
			"session.updated", `{"session":{"id":1},"event":{"id":"e-1"}}`,
		},
		"another version": {
			`{"data":{"id":1,"people":[]},"metadata":{"action":"session.updated","version":2,"event_id":null}}`,
			"session.updated", `{"session":{"id":1,"people":[]}}`,
		},
		"an action to come": {
			` {"data": {"id": 1}, "metadata": {"action": "agenda.published-2", "new": true}} `,
			"sessionboard.agenda.published-2", `{"data":{"id":1},"metadata":{"action":"agenda.published-2","new":true}}`,
		},
	} {
		a := parse(t, tt.body)
		if a.Type != tt.eventType || !a.At.IsZero() {
			t.Errorf("%s: %s at %v", name, a.Type, a.At)
		}
		if !jsontext.Value(a.Payload).IsValid() {
			t.Errorf("%s: a member stands there twice: %s", name, a.Payload)
		}
		want := value(t, `{"type":"`+tt.eventType+`","data":`+tt.data+`}`)
		if diff := cmp.Diff(want, value(t, string(a.Payload))); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// TestID: the headers name a webhook, and where they do not, its text does.
func TestID(t *testing.T) {
	t.Parallel()
	body := file(t, "session_updated.json")
	hash := dialect.HashID([]byte(body))
	for want, header := range map[string][]string{
		"msg_1": {"svix-id", "msg_1"},
		"msg_2": {"webhook-id", "msg_2"},
		hash:    {"x-id", "msg_3"},
	} {
		if got := parse(t, body, header...).ID; got != want {
			t.Errorf("with %v it is %s, want %s", header, got, want)
		}
	}
	if other := parse(t, strings.Replace(body, "user", "agent", 1)).ID; other == hash {
		t.Error("another webhook has the same id")
	}
}

// TestUnreadable: what is wrong is named and not quoted.
func TestUnreadable(t *testing.T) {
	t.Parallel()
	action := func(text string) string {
		return `{"data":{"id":"hush"},"metadata":{"action":` + text + `}}`
	}
	const errAction = "metadata.action must be a name such as session.updated"
	for body, want := range map[string]string{
		``:                            "is not valid JSON",
		`{"data":{"id":"hush"}`:       "is not valid JSON",
		`["hush"]`:                    "body must be an object",
		"\x18" + action(`"a.b"`):      "is not valid JSON", // no space, although it shows as none
		`{"data":{"id":"hush"}}`:      "metadata must be an object",
		`{"data":{},"metadata":null}`: "metadata must be an object",
		`{"data":"hush","metadata":{"action":"session.updated"}}`: "data must be an object",
		`{"metadata":{"action":"session.updated"}}`:               "data must be an object",
		action(`null`):                   errAction,
		action(`7`):                      errAction,
		action(`""`):                     errAction,
		action(`"hush"`):                 errAction, // no dot
		action(`".hush"`):                errAction,
		action(`"hush."`):                errAction,
		action(`"hush..hush"`):           errAction,
		action(`"session hush.updated"`): errAction,
		action(`"sessión.hush"`):         errAction,
		action(`"` + strings.Repeat("hush.", 60) + `x"`): errAction,
	} {
		_, err := sut.Parse(dialect.Request{Header: http.Header{}, Body: []byte(body)})
		if !errors.Is(err, dialect.ErrUnreadable) {
			t.Errorf("%s: error %v", body, err)
			continue
		}
		if got := err.Error(); !strings.HasSuffix(got, ": "+want) || strings.Contains(got, "hush") {
			t.Errorf("%s: error %q, want %q", body, got, want)
		}
	}
}
