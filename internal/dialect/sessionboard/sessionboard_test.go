package sessionboard_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/callboard/callboard/internal/dialect"
	"github.com/callboard/callboard/internal/dialect/sessionboard"
	"github.com/callboard/callboard/wire/native"
	wire "github.com/callboard/callboard/wire/sessionboard"
)

var update = flag.Bool("update", false, "rewrite the golden webhooks")

// vendor is the vendor's own address, which its example has in resource_url.
const vendor = "https://public-api.sessionboard.com"

var (
	_   dialect.Dialect = sessionboard.Dialect{}
	sut                 = sessionboard.New(sessionboard.Config{BaseURL: vendor})
)

// accepted is when the messages of these tests were.
var accepted = time.Date(2026, 4, 28, 16, 0, 5, 0, time.UTC)

// message is one with a native body.
func message(eventType, data string) dialect.Message {
	return dialect.Message{
		ID: "msg_1", Type: eventType, Time: accepted, Tenant: "app_1",
		Payload: []byte(`{"type":"` + eventType + `","timestamp":"2026-04-28T18:00:00.987+02:00","data":` + data + `}`),
	}
}

func render(t testing.TB, m dialect.Message) string {
	t.Helper()
	body, err := sut.Render(m)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

func file(t testing.TB, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// full is the data of an event type with all that the dialect knows.
func full(t testing.TB, eventType string) string {
	t.Helper()
	kind, change, _ := strings.Cut(eventType, ".")
	data := `{"` + kind + `":` + file(t, "native/"+kind+".json")
	if kind == "session" || strings.HasPrefix(change, "event.") {
		data += `,"event":` + file(t, "native/event.json")
	}
	if strings.HasPrefix(change, "speaker.") {
		data += `,"speaker":` + file(t, "native/contact.json")
	}
	return data + `,"actor":{"id":"7","type":"USER"}}`
}

// TestWords: the 20 types have the vendor's own names, and there is nothing else but
// what the vendor might call its own.
func TestWords(t *testing.T) {
	t.Parallel()
	type said struct {
		Word string
		Fit  dialect.Fit
	}
	for _, action := range wire.Actions() {
		name := string(action)
		word, fit := sut.Word(name)
		if diff := cmp.Diff(said{name, dialect.Exact}, said{word, fit}); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
		if diff := cmp.Diff([]string{name}, sut.Types(name)); diff != "" {
			t.Errorf("types of %s (-want +got):\n%s", name, diff)
		}
	}
	for name, want := range map[string]said{
		"session.joined":                 {},
		"session.left":                   {},
		"event.created":                  {},
		"conversation.user_joined":       {},
		"conference.participant.entered": {},
		"zuddl.ANSWERED_POLL":            {},
		"sessionboard.":                  {},
		"sessionboard.session.updated":   {},
		"sessionboard.agenda.published":  {"agenda.published", dialect.Exact},
	} {
		word, fit := sut.Word(name)
		if diff := cmp.Diff(want, said{word, fit}); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	if got := sut.Types("JOINED_SESSION"); got != nil {
		t.Errorf("types of another vendor's word: %q", got)
	}
}

// TestGolden compares the webhooks of all types with those that were reviewed, and lets
// the public package read and write them again: as objects that were built, so that it
// writes what it holds for the schema's fields.
func TestGolden(t *testing.T) {
	t.Parallel()
	contact, company := []string{"nickname"}, map[string][]string{"sponsor": {"tier"}, "exhibitor": {"booth"}}
	session := []string{"colour", "capacity", "mood", "weather"}
	for _, action := range wire.Actions() {
		name := string(action)
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			kind, change, _ := strings.Cut(name, ".")
			want := company[kind]
			switch {
			case strings.HasPrefix(change, "speaker."):
				want = slices.Concat(session[:3], contact, session[3:])
			case kind == "session":
				want = session
			case kind == "contact":
				want = contact
			}
			body := render(t, message(name, full(t, name)))
			unknown, again := writtenAgain(t, body)
			if diff := cmp.Diff(body, again); diff != "" {
				t.Errorf("package wire writes it otherwise (-dialect +wire):\n%s", diff)
			}
			if diff := cmp.Diff(want, unknown); diff != "" {
				t.Errorf("unknown to package wire (-want +got):\n%s", diff)
			}
			compareGolden(t, name, body)
		})
	}
}

func compareGolden(t *testing.T, name, body string) {
	t.Helper()
	var got bytes.Buffer
	if err := json.Indent(&got, []byte(body), "", "  "); err != nil {
		t.Fatal(err)
	}
	got.WriteByte('\n')
	path := filepath.Join("golden", name+".json")
	if *update {
		if err := os.WriteFile(filepath.Join("testdata", path), got.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(file(t, path), got.String()); diff != "" {
		t.Errorf("%s (-want +got):\n%s", path, diff)
	}
}

// TestMinimal renders the least that each type needs.
func TestMinimal(t *testing.T) {
	t.Parallel()
	for _, action := range wire.Actions() {
		kind, _, _ := strings.Cut(string(action), ".")
		body := render(t, message(string(action), `{"`+kind+`":{"id":"x"}}`))
		unknown, again := writtenAgain(t, body)
		if diff := cmp.Diff(body, again); diff != "" || unknown != nil {
			t.Errorf("%s: unknown to package wire: %q; (-dialect +wire):\n%s", action, unknown, diff)
		}
	}
}

// TestMore renders what stands in few webhooks and in the schema of none, in all places
// where package wire reads it, and objects of which something is missing.
func TestMore(t *testing.T) {
	t.Parallel()
	const more = `"deletedAt":"2026-05-01T00:00:00Z","sourceOfChange":"agent"`
	for _, data := range []string{
		`{"session":{"id":"s",` + more + `},"speaker":{"id":"c",` + more + `},"sourceOfChange":"agent"}`,
		`{"session":{"speakers":[{` + more + `,"participantRole":{"slug":"lead"}},{"participantRole":{}}]}}`,
		`{"session":{"sponsors":[{` + more + `,"contacts":[{` + more + `}]}],"exhibitors":[{` + more + `}]}}`,
		`{"session":{"subsessions":[{` + more + `,"speaker":{"id":"c"}}]}}`,
		`{"session":{"track":{"name":"Land"},"room":null,"level":{}}}`,
	} {
		body := render(t, message("session.speaker.detached", data))
		// Whoever spells a subsession's speaker in part has it so.
		body = strings.Replace(body, `"speaker":{"id":"c"}`, `"speaker":`+person(t, "c"), 1)
		unknown, again := writtenAgain(t, body)
		if diff := cmp.Diff(body, again); diff != "" || unknown != nil {
			t.Errorf("%s: unknown to package wire: %q; (-dialect +wire):\n%s", data, unknown, diff)
		}
	}
}

// writtenAgain is a body as package wire writes it after reading, and the names of the
// members that it does not know, in their order.
func writtenAgain(t testing.TB, body string) (unknown []string, again string) {
	t.Helper()
	w, err := wire.Decode([]byte(body))
	if err != nil {
		t.Fatalf("package wire: %v", err)
	}
	asBuilt(reflect.ValueOf(w), &unknown)
	text, err := wire.Encode(w)
	if err != nil {
		t.Fatalf("package wire: %v", err)
	}
	return unknown, string(text)
}

// asBuilt makes all objects forget that they were read.
func asBuilt(v reflect.Value, unknown *[]string) {
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if !v.IsNil() {
			asBuilt(v.Elem(), unknown)
		}
	case reflect.Slice:
		for i := range v.Len() {
			asBuilt(v.Index(i), unknown)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			switch field := v.Field(i); v.Type().Field(i).Name {
			case "Read":
				field.SetZero()
			case "Unknown":
				for j := range field.Len() {
					*unknown = append(*unknown, field.Index(j).FieldByName("Name").String())
				}
			default:
				asBuilt(field, unknown)
			}
		}
	}
}

// TestFields sets one member of an object after the other, and looks where it goes. What
// belongs together is known from two other places: the public types of both sides name
// their fields alike.
func TestFields(t *testing.T) {
	t.Parallel()
	renamed := map[string]string{"StartDateTime": "StartsAt", "EndDateTime": "EndsAt"}
	elsewhere := map[string]bool{"ID": true, "OrganizationID": true, "Location": true, "Unknown": true, "Read": true}
	for kind, pair := range map[string][2]reflect.Type{
		"session":   {reflect.TypeFor[native.Session](), reflect.TypeFor[wire.Session]()},
		"contact":   {reflect.TypeFor[native.Contact](), reflect.TypeFor[wire.Contact]()},
		"sponsor":   {reflect.TypeFor[native.Sponsor](), reflect.TypeFor[wire.Sponsor]()},
		"exhibitor": {reflect.TypeFor[native.Exhibitor](), reflect.TypeFor[wire.Exhibitor]()},
	} {
		for _, from := range reflect.VisibleFields(pair[0]) {
			if elsewhere[from.Name] {
				continue
			}
			name := from.Name
			if other, is := renamed[name]; is {
				name = other
			}
			to, known := pair[1].FieldByName(name)
			if !known {
				t.Errorf("%s: the vendor has no field %s", kind, name)
				continue
			}
			given, want := example(t, tag(from), tag(to), to.Type)
			body := render(t, message(kind+".updated", `{"`+kind+`":{"id":"x","`+tag(from)+`":`+given+`}}`))
			if got := string(data(t, body)[tag(to)]); got != want {
				t.Errorf("%s of %s is %s, want %s", tag(to), kind, got, want)
			}
			// Who spells it as the vendor does means the same, and it stands there once.
			spelled := render(t, message(kind+".updated", `{"`+kind+`":{"id":"x","`+tag(to)+`":`+given+`}}`))
			if diff := cmp.Diff(body, spelled); diff != "" {
				t.Errorf("%s of %s, spelled so (-want +got):\n%s", tag(to), kind, diff)
			}
		}
	}
}

func tag(f reflect.StructField) string {
	name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
	return name
}

// example is a value for a field, and how it goes out.
func example(t *testing.T, from, to string, kind reflect.Type) (given, want string) {
	t.Helper()
	nothing := reflect.New(kind).Interface()
	switch {
	case to == "friendly_id_raw":
		return `17`, `17`
	case strings.HasSuffix(to, "_at"):
		return `"2026-05-01T02:03:04.999+01:00"`, `"2026-05-01T01:03:04Z"`
	case strings.HasPrefix(to, "is_"):
		return `true`, `true`
	case json.Unmarshal([]byte(`["a"]`), nothing) == nil && kind == reflect.TypeFor[[]json.RawMessage]():
		return `["` + from + `",{}]`, `["` + from + `",{}]`
	case kind == reflect.TypeFor[*int64]():
		return `18`, `18`
	case kind == reflect.TypeFor[json.RawMessage]():
		return `{"of":"` + from + `"}`, `{"of":"` + from + `"}`
	case kind == reflect.TypeFor[*wire.Term]():
		return `{"id":1}`, `{"id":"1","name":null}`
	case kind.Kind() == reflect.Slice:
		return `[]`, `[]` // their elements have tests of their own
	}
	return `"` + from + `"`, `"` + from + `"`
}

// data are the members of a body's data.
func data(t testing.TB, body string) map[string]json.RawMessage {
	t.Helper()
	var w struct{ Data map[string]json.RawMessage }
	if err := json.Unmarshal([]byte(body), &w); err != nil {
		t.Fatal(err)
	}
	return w.Data
}

// TestMetadata goes through the rules for the members that do not come from the object.
func TestMetadata(t *testing.T) {
	t.Parallel()
	with := func(members string) string { return `{"session":{"id":"s1"},"event":{"number":4001}` + members + `}` }
	for name, tt := range map[string]struct {
		eventType string // session.updated if empty
		data      string
		want      map[string]string // of metadata
	}{
		"all":                          {"", with(""), map[string]string{"action": `"session.updated"`, "version": `1`, "datetime": `"2026-04-28T16:00:00Z"`}},
		"no actor":                     {"", with(``), map[string]string{"actor_id": `null`}},
		"no actor, explicitly":         {"", with(`,"actor":null`), map[string]string{"actor_id": `null`}},
		"the system":                   {"", with(`,"actor":{"id":"7","type":"SYSTEM"}`), map[string]string{"actor_id": `null`}},
		"an agent":                     {"", with(`,"actor":{"id":"8","type":"AGENT"}`), map[string]string{"actor_id": `8`}},
		"an actor's number":            {"", with(`,"actor":{"id":7}`), map[string]string{"actor_id": `7`}},
		"an actor's text":              {"", with(`,"actor":{"id":"u-7","type":"USER"}`), map[string]string{"actor_id": `"u-7"`}},
		"a number beyond 2^53":         {"", with(`,"actor":{"id":"9007199254740993"}`), map[string]string{"actor_id": `"9007199254740993"`}},
		"2^53":                         {"", with(`,"actor":{"id":"9007199254740992"}`), map[string]string{"actor_id": `9007199254740992`}},
		"a number with a zero before":  {"", with(`,"actor":{"id":"07"}`), map[string]string{"actor_id": `"07"`}},
		"an event's number as text":    {"", `{"session":{"id":"s1"},"event":{"number":"4001"}}`, map[string]string{"event_id": `4001`, "resource_url": `"` + vendor + `/v1/event/4001/sessions/s1"`}},
		"no event":                     {"", `{"session":{"id":"s1"}}`, map[string]string{"event_id": `null`, "resource_url": `null`}},
		"an event without a number":    {"", `{"session":{"id":"s1"},"event":{"id":"e"}}`, map[string]string{"event_id": `null`, "resource_url": `null`}},
		"the app's organization":       {"", with(""), map[string]string{"org_id": `"app_1"`}},
		"the session's organization":   {"", `{"session":{"id":"s1","organizationId":12}}`, map[string]string{"org_id": `"12"`}},
		"an id with signs":             {"", `{"session":{"id":"a/b c?&é\"\u002f"},"event":{"number":1}}`, map[string]string{"resource_url": `"` + vendor + `/v1/event/1/sessions/a%2Fb%20c%3F&%C3%A9%22%2F"`}},
		"an id that is a number":       {"", `{"session":{"id":12345678901234567890},"event":{"number":1}}`, map[string]string{"resource_url": `"` + vendor + `/v1/event/1/sessions/12345678901234567890"`}},
		"no id":                        {"", `{"session":{},"event":{"number":1}}`, map[string]string{"resource_url": `null`}},
		"members of the same names":    {"", `{"session":{"id":"s1","version":9,"action":"x","org_id":"x","datetime":1,"event_id":2,"actor_id":3}}`, map[string]string{"version": `1`, "action": `"session.updated"`, "org_id": `"app_1"`, "datetime": `"2026-04-28T16:00:00Z"`, "event_id": `null`, "actor_id": `null`}},
		"a speaker":                    {"session.speaker.attached", with(`,"speaker":{"id":"c1"}`), map[string]string{"event_id": `4001`, "resource_url": `"` + vendor + `/v1/event/4001/sessions/s1"`}},
		"a contact":                    {"contact.created", `{"contact":{"id":"c1"},"event":{"number":4001}}`, map[string]string{"event_id": `null`, "resource_url": `"` + vendor + `/v1/organization/app_1/contacts/c1"`}},
		"an organization with signs":   {"exhibitor.deleted", `{"exhibitor":{"id":"x1","organizationId":"o/1"}}`, map[string]string{"event_id": `null`, "org_id": `"o/1"`, "resource_url": `"` + vendor + `/v1/organization/app_1/exhibitors/x1"`}},
		"a sponsor":                    {"sponsor.updated", `{"sponsor":{"id":"p1"}}`, map[string]string{"event_id": `null`, "resource_url": `"` + vendor + `/v1/organization/app_1/sponsors/p1"`}},
		"a contact of an event":        {"contact.event.associated", `{"contact":{"id":"c1"},"event":{"number":4001}}`, map[string]string{"event_id": `4001`, "resource_url": `"` + vendor + `/v1/event/4001/contacts/c1"`}},
		"an exhibitor of no event now": {"exhibitor.event.disassociated", `{"exhibitor":{"id":"x1"},"event":{"number":4001}}`, map[string]string{"event_id": `4001`, "resource_url": `"` + vendor + `/v1/event/4001/exhibitors/x1"`}},
		"a sponsor of an event":        {"sponsor.event.associated", `{"sponsor":{"id":"p1"},"event":{"number":4001}}`, map[string]string{"event_id": `4001`, "resource_url": `"` + vendor + `/v1/event/4001/sponsors/p1"`}},
	} {
		if tt.eventType == "" {
			tt.eventType = "session.updated"
		}
		got := metadata(t, render(t, message(tt.eventType, tt.data)))
		for key, want := range tt.want {
			if string(got[key]) != want {
				t.Errorf("%s: %s is %s, want %s", name, key, got[key], want)
			}
		}
	}
}

func metadata(t testing.TB, body string) map[string]json.RawMessage {
	t.Helper()
	var w struct{ Metadata map[string]json.RawMessage }
	if err := json.Unmarshal([]byte(body), &w); err != nil {
		t.Fatal(err)
	}
	return w.Metadata
}

// TestNoBase: without an address of the server there is no address of the resource, and
// one that ends in a slash is the same address.
func TestNoBase(t *testing.T) {
	t.Parallel()
	m := message("session.updated", `{"session":{"id":"s1"},"event":{"number":1}}`)
	for base, want := range map[string]string{"": `null`, "https://a.example/cb/": `"https://a.example/cb/v1/event/1/sessions/s1"`} {
		body, err := sessionboard.New(sessionboard.Config{BaseURL: base}).Render(m)
		if err != nil {
			t.Fatal(err)
		}
		if got := string(metadata(t, string(body))["resource_url"]); got != want {
			t.Errorf("under %q: %s, want %s", base, got, want)
		}
	}
	for base, want := range map[string]string{
		"https://own.example":     `"https://own.example/v1/event/1/sessions/s1"`,
		"https://own.example/cb/": `"https://own.example/cb/v1/event/1/sessions/s1"`,
	} {
		own := m
		own.ResourceBase = base
		if got := string(metadata(t, render(t, own))["resource_url"]); got != want {
			t.Errorf("under the app's own %q: %s, want %s", base, got, want)
		}
	}
	m.Tenant = "" // of a message that is not of the catalogue
	if got := string(metadata(t, render(t, m))["org_id"]); got != `null` {
		t.Errorf("org_id without a tenant is %s", got)
	}
	m = dialect.Message{Type: "contact.created", Payload: []byte(`{"data":{"contact":{"id":"c"}}}`)}
	if got := string(metadata(t, render(t, m))["resource_url"]); got != `null` {
		t.Errorf("resource_url without a tenant is %s", got)
	}
}

// TestData goes through what the data has besides the object's own fields.
func TestData(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		eventType, data string
		want            map[string]string // of data; "" = not there
	}{
		"who changes, by default":    {"contact.updated", `{"contact":{"id":"c"}}`, map[string]string{"sourceOfChange": `"user"`, "deleted_at": "", "speaker": ""}},
		"the system":                 {"contact.updated", `{"contact":{"id":"c"},"actor":{"type":"SYSTEM"}}`, map[string]string{"sourceOfChange": `"user"`}},
		"an agent":                   {"contact.updated", `{"contact":{"id":"c"},"actor":{"type":"AGENT"}}`, map[string]string{"sourceOfChange": `"agent"`}},
		"what is given counts":       {"contact.updated", `{"contact":{"id":"c"},"actor":{"type":"AGENT"},"sourceOfChange":"user"}`, map[string]string{"sourceOfChange": `"user"`}},
		"a value to come":            {"contact.updated", `{"contact":{"id":"c"},"sourceOfChange":"import"}`, map[string]string{"sourceOfChange": `"import"`}},
		"deleted when it happened":   {"sponsor.deleted", `{"sponsor":{"id":"p","deletedAt":null}}`, map[string]string{"deleted_at": `"2026-04-28T16:00:00Z"`}},
		"deleted when it says":       {"sponsor.deleted", `{"sponsor":{"id":"p","deletedAt":1777000000999}}`, map[string]string{"deleted_at": `"2026-04-24T03:06:40Z"`}},
		"deleted and updated":        {"sponsor.updated", `{"sponsor":{"id":"p","deletedAt":"2026-01-01"}}`, map[string]string{"deleted_at": `"2026-01-01T00:00:00Z"`}},
		"no speaker":                 {"session.speaker.detached", `{"session":{"id":"s"}}`, map[string]string{"speaker": ""}},
		"a speaker by the way":       {"session.updated", `{"session":{"id":"s","speakers":[]},"speaker":{"id":"c","organizationId":"o"}}`, map[string]string{"speakers": `[]`, "speaker": person(t, "c")}},
		"not known, as it is":        {"session.updated", `{"session":{"id":"s","x_y":[ 1.50 ],"Zed":null,"9":{"a" : "<&>"}}}`, map[string]string{"x_y": `[1.50]`, "Zed": `null`, "9": `{"a":"<&>"}`}},
		"other vendors' names":       {"session.updated", `{"session":{"id":"s","location":{},"organizationId":"o","sourceOfChange":"x","speaker":"y"}}`, map[string]string{"location": "", "organizationId": "", "speaker": "", "sourceOfChange": `"user"`}},
		"numbers as text and back":   {"session.updated", `{"session":{"id":5,"capacity":"70","friendlyIdRaw":9007199254740993,"title":12,"clientSessionId":7}}`, map[string]string{"id": `"5"`, "capacity": `70`, "friendly_id_raw": `9007199254740993`, "title": `"12"`, "client_session_id": `"7"`}},
		"times":                      {"session.updated", `{"session":{"id":"s","startDateTime":"2026-06-01T09:00:00","endDateTime":"2026-06-01T09:00:00.9+0130","createdAt":1777000000000}}`, map[string]string{"starts_at": `"2026-06-01T09:00:00Z"`, "ends_at": `"2026-06-01T07:30:00Z"`, "created_at": `"2026-04-24T03:06:40Z"`}},
		"an empty text is no null":   {"contact.updated", `{"contact":{"id":"","about":""}}`, map[string]string{"id": `""`, "about": `""`}},
		"escapes that JSON asks for": {"contact.updated", `{"contact":{"id":"c","about":"\u003cb\u003e \u0022\n"}}`, map[string]string{"about": `"<b> \"\n"`}},
		"a country":                  {"exhibitor.updated", `{"exhibitor":{"id":"x","addressCountry":"Malta"}}`, map[string]string{"address_coutnry": `"Malta"`, "addressCountry": "", "address_country": ""}},
	} {
		got := data(t, render(t, message(tt.eventType, tt.data)))
		for key, want := range tt.want {
			if string(got[key]) != want {
				t.Errorf("%s: %s is %s, want %s", name, key, got[key], want)
			}
		}
	}
}

// person is a contact inside of another object of which only the id is set.
func person(t *testing.T, id string) string {
	t.Helper()
	data := render(t, message("contact.updated", `{"contact":{"id":"`+id+`"}}`))
	data, _, _ = strings.Cut(data, `,"sourceOfChange"`)
	return strings.TrimPrefix(data, `{"data":`) + "}"
}

// TestOther writes webhooks of actions that the catalogue has no type for: the vendor's
// own members, and of the metadata what is missing.
func TestOther(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct{ data, want string }{
		"all is there": {
			`{"data":{"id":1, "b":[ ]},"metadata":{"extra":{"a": 1},"action":"x","actor_id":"7","event_id":"4001","org_id":5,"resource_url":"u","version":2,"datetime":"2026-01-01T00:00:00Z"}}`,
			`{"data":{"id":1,"b":[]},"metadata":{"action":"agenda.published","actor_id":7,"event_id":4001,"org_id":"5","resource_url":"u","version":2,"datetime":"2026-01-01T00:00:00Z","extra":{"a":1}}}`,
		},
		"no metadata": {
			`{"data":{}}`,
			`{"data":{},"metadata":{"action":"agenda.published","actor_id":null,"event_id":null,"org_id":"app_1","resource_url":null,"version":1,"datetime":"2026-04-28T16:00:00Z"}}`,
		},
		"nulls": {
			`{"data":{"id":null},"metadata":{"actor_id":null,"version":null,"org_id":null,"datetime":null}}`,
			`{"data":{"id":null},"metadata":{"action":"agenda.published","actor_id":null,"event_id":null,"org_id":"app_1","resource_url":null,"version":1,"datetime":"2026-04-28T16:00:00Z"}}`,
		},
	} {
		got := render(t, message("sessionboard.agenda.published", tt.data))
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
		if _, err := wire.Decode([]byte(got)); err != nil {
			t.Errorf("%s: package wire: %v", name, err)
		}
	}
}

// TestUnrenderable: what is wrong is named and not quoted.
func TestUnrenderable(t *testing.T) {
	t.Parallel()
	const secret = "hush"
	for _, tt := range []struct{ eventType, data, want string }{
		{"session.joined", `{}`, "sessionboard has no action for the event type"},
		{"session.updated", `{}`, "session must be an object"},
		{"session.updated", `{"session":null}`, "session must be an object"},
		{"session.updated", `{"session":"hush"}`, "session must be an object"},
		{"contact.created", `{"session":{"id":"hush"}}`, "contact must be an object"},
		{"session.updated", `["hush"]`, "payload.data must be an object"},
		{"session.updated", `{"session":{"id":["hush"]}}`, "data.id must be a string or a number"},
		{"session.updated", `{"session":{"title":{"a":"hush"}}}`, "data.title must be a string"},
		{"session.updated", `{"session":{"startDateTime":"hush"}}`, "data.starts_at must be a time such as 2027-03-04T05:06:07Z"},
		{"session.updated", `{"session":{"capacity":"hush"}}`, "data.capacity must be a whole number"},
		{"session.updated", `{"session":{"capacity":1.5}}`, "data.capacity must be a whole number"},
		{"session.updated", `{"session":{"isPublic":"hush"}}`, "data.is_public must be true or false"},
		{"session.updated", `{"session":{"room":"hush"}}`, "data.room must be an object"},
		{"session.updated", `{"session":{"speakers":{"a":"hush"}}}`, "data.speakers must be an array"},
		{"session.updated", `{"session":{"speakers":[{},{"participantRole":{"namePlural":["hush"]}}]}}`, "data.speakers.1.participant_role.name_plural must be a string"},
		{"session.updated", `{"session":{"subsessions":[{"subsessions":[{"updatedAt":true}]}]}}`, "data.subsessions.0.subsessions.0.updated_at must be a time such as 2027-03-04T05:06:07Z"},
		{"session.updated", `{"session":{},"speaker":"hush"}`, "data.speaker must be an object"},
		{"session.updated", `{"session":{},"sourceOfChange":true}`, "data.sourceOfChange must be a string"},
		{"session.updated", `{"session":{},"event":{"number":"hush"}}`, "metadata.event_id must be a whole number"},
		{"session.updated", `{"session":{},"actor":{"id":{"hush":1}}}`, "metadata.actor_id must be a string or a number"},
		{"session.updated", `{"session":{"organizationId":{"hush":1}}}`, "metadata.org_id must be a string or a number"},
		{"sponsor.updated", `{"sponsor":{"contacts":[{"createdAt":"hush"}]}}`, "data.contacts.0.created_at must be a time such as 2027-03-04T05:06:07Z"},
		{"sessionboard.a.b", `{"data":["hush"]}`, "data must be an object"},
		{"sessionboard.a.b", `{"metadata":{}}`, "data must be an object"},
		{"sessionboard.a.b", `{"data":{},"metadata":"hush"}`, "metadata must be an object"},
		{"sessionboard.a.b", `{"data":{},"metadata":{"version":"hush"}}`, "metadata.version must be a whole number"},
	} {
		_, err := sut.Render(message(tt.eventType, tt.data))
		if !errors.Is(err, dialect.ErrUnrenderable) {
			t.Errorf("%s %s: error %v", tt.eventType, tt.data, err)
			continue
		}
		if got := err.Error(); !strings.HasSuffix(got, ": "+tt.want) || strings.Contains(got, secret) {
			t.Errorf("%s %s: error %q, want %q", tt.eventType, tt.data, got, tt.want)
		}
	}
}

// TestPure: a message's body is always the same, even where others are rendered
// meanwhile.
func TestPure(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"session.speaker.attached", "contact.deleted"} {
		m := message(name, full(t, name))
		before := string(m.Payload)
		want := render(t, m)
		for range 4 {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				for range 50 {
					if got := render(t, m); got != want {
						t.Fatalf("another time it is\n%s\nand not\n%s", got, want)
					}
				}
				if string(m.Payload) != before {
					t.Error("the payload was changed")
				}
			})
		}
	}
}

// TestObserves: no action says that somebody came or went.
func TestObserves(t *testing.T) {
	t.Parallel()
	if got := sut.Observes(); got != (dialect.Observed{}) {
		t.Errorf("it observes %+v", got)
	}
}
