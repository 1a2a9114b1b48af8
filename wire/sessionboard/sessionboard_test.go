package sessionboard_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/callboard/callboard/wire"
	"github.com/callboard/callboard/wire/sessionboard"
)

// seed reads the vendor's own example.
func seed(t testing.TB) []byte {
	t.Helper()
	body, err := os.ReadFile("testdata/session_updated.json")
	if err != nil {
		t.Fatal(err)
	}
	return body
}

func decode(t testing.TB, body string) *sessionboard.Webhook {
	t.Helper()
	w, err := sessionboard.Decode([]byte(body))
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func encode(t testing.TB, w *sessionboard.Webhook) string {
	t.Helper()
	body, err := sessionboard.Encode(w)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

// dataAs reads a webhook of some data.
func dataAs[T sessionboard.Data](t testing.TB, action sessionboard.Action, data string) T {
	t.Helper()
	w := decode(t, webhook(action, data))
	typed, ok := w.Data.(T)
	if !ok {
		t.Fatalf("the data of %s is a %T", action, w.Data)
	}
	return typed
}

// webhook is the body of one of some data.
func webhook(action sessionboard.Action, data string) string {
	return fmt.Sprintf(`{"data":%s,"metadata":{"action":%q,"event_id":4001,"version":1}}`, data, action)
}

// TestSeed reads the vendor's example and writes it again: with the space taken out it
// is the same text, so that the values and the order of the keys are.
func TestSeed(t *testing.T) {
	t.Parallel()
	var want bytes.Buffer
	if err := json.Compact(&want, seed(t)); err != nil {
		t.Fatal(err)
	}
	w := decode(t, string(seed(t)))
	if diff := cmp.Diff(want.String(), encode(t, w)); diff != "" {
		t.Errorf("written again (-want +got):\n%s", diff)
	}
	session, ok := w.Data.(*sessionboard.Session)
	if !ok {
		t.Fatalf("its data is a %T", w.Data)
	}
	got := []any{
		session.ResourceID().String(), session.Source(), session.Has("sourceOfChange"), session.Has("title"), session.Unknown,
		w.Metadata.Action, w.ActorID().String(), w.Metadata.EventID.String(), w.Metadata.OrgID.String(), w.Metadata.Version,
		w.Metadata.Datetime.Time, w.Metadata.Unknown, w.Unknown,
	}
	wanted := []any{
		"fd4e0275-f018-40bc-909a-f8cdfa0df354", sessionboard.SourceUser, true, false, wire.Fields(nil),
		sessionboard.SessionUpdated, "7", "4001", "757e8d5b-ce66-45f5-ab36-273414f8ab2f", sessionboard.CurrentVersion,
		time.Date(2026, 4, 28, 16, 0, 0, 0, time.UTC), wire.Fields(nil), wire.Fields(nil),
	}
	if diff := cmp.Diff(wanted, got); diff != "" {
		t.Errorf("values (-want +got):\n%s", diff)
	}
}

// The fields of the vendor's schemas, in their order; [] marks a list.
const (
	sessionFields = `id friendly_id friendly_id_raw title description status custom_status_id custom_status starts_at ends_at is_public
is_abstract composition_status composition external_url client_session_id created_at updated_at ceu_credits capacity custom_fields[]
translated_fields[] speakers[] chairpersons[] moderators[] participants[] sponsors[] exhibitors[] content tags[] language track level
format room subsessions[] admin_url`
	contactFields = `id friendly_id full_name first_name last_name email created_at updated_at photo_url company_name title about
phone_home phone_mobile address_line_1 address_line_2 address_city address_state address_postal_code address_country website_url
linkedin_url twitter_url facebook_url honorific salutation pronouns gender past_companies educational_affiliation
highest_level_of_education ethnicity languages speaker_score organization_contact speaker_fee availability preferred_session_format
annual_revenue headcount years_in_operation organization_structure industry global_region audience_type target_age_range
topic_expertise brand translated_fields[] custom_fields[] admin_url`
	sponsorFields = `id friendly_id friendly_id_raw name description logo_image_url banner_image_url phone address_line_1
address_line_2 address_city address_state address_postal_code address_coutnry facebook_url instagram_url linkedin_url
snapchat_username tiktok_username twitter_url website_url created_at updated_at custom_fields[] translated_fields[] contacts[]`
	metadataFields = `action actor_id event_id org_id resource_url version datetime`
)

// blank is an object of these fields, none of which is set.
func blank(fields string) string {
	var members []string
	for field := range strings.FieldsSeq(fields) {
		name, isList := strings.CutSuffix(field, "[]")
		value := "null"
		if isList {
			value = "[]"
		}
		members = append(members, fmt.Sprintf("%q:%s", name, value))
	}
	return "{" + strings.Join(members, ",") + "}"
}

// TestBuilt writes objects that were built: with all of the schema's fields in their
// order, and deleted_at, speaker and sourceOfChange only where they are set.
func TestBuilt(t *testing.T) {
	t.Parallel()
	at := wire.Seconds{Time: time.Date(2026, 4, 28, 16, 0, 0, 999, time.UTC)}
	last := func(object, members string) string { return strings.TrimSuffix(object, "}") + "," + members + "}" }
	for name, tt := range map[string]struct {
		built json.Marshaler
		want  string
	}{
		"a session":     {sessionboard.Session{}, blank(sessionFields)},
		"a contact":     {sessionboard.Contact{}, blank(contactFields)},
		"a sponsor":     {sessionboard.Sponsor{}, blank(sponsorFields)},
		"an exhibitor":  {sessionboard.Exhibitor{}, blank(sponsorFields)},
		"a participant": {sessionboard.Participant{}, blank(contactFields + " participant_role")},
		"its role":      {sessionboard.ParticipantRole{}, blank("slug name name_plural core_role")},
		"a term":        {sessionboard.Term{}, blank("id name")},
		"metadata":      {sessionboard.Metadata{Action: "a"}, strings.Replace(blank(metadataFields), "null", `"a"`, 1)},
		"other":         {sessionboard.Other{ID: wire.Number(1)}, `{"id":1}`},
		"a deleted one": {sessionboard.Contact{DeletedAt: at, SourceOfChange: "agent"}, last(blank(contactFields), `"deleted_at":"2026-04-28T16:00:00Z","sourceOfChange":"agent"`)},
		"a speaker":     {sessionboard.Session{Speaker: &sessionboard.Contact{}, SourceOfChange: "user"}, last(blank(sessionFields), `"speaker":`+blank(contactFields)+`,"sourceOfChange":"user"`)},
		"no for an answer": {
			sessionboard.Session{IsPublic: new(false), Capacity: new(int64(0))},
			strings.NewReplacer(`"is_public":null`, `"is_public":false`, `"capacity":null`, `"capacity":0`).Replace(blank(sessionFields)),
		},
		"more than the schema": {
			sessionboard.Term{ID: wire.Text("t"), Unknown: wire.Fields{{Name: "color", Value: json.RawMessage(`"<red>"`)}}},
			`{"id":"t","name":null,"color":"<red>"}`,
		},
		"lists": {
			sessionboard.Session{
				Speakers: []sessionboard.Participant{{ParticipantRole: &sessionboard.ParticipantRole{Slug: "<host>"}}},
				Tags:     []json.RawMessage{json.RawMessage(`"a & b"`)},
			},
			strings.NewReplacer(
				`"speakers":[]`, `"speakers":[`+last(blank(contactFields), `"participant_role":{"slug":"<host>","name":null,"name_plural":null,"core_role":null}`)+`]`,
				`"tags":[]`, `"tags":["a & b"]`,
			).Replace(blank(sessionFields)),
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := tt.built.MarshalJSON()
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, string(got)); diff != "" {
				t.Errorf("written (-want +got):\n%s", diff)
			}
		})
	}
}

// TestReadIsKept reads data and writes it again: each member that it had, and no more.
func TestReadIsKept(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		action sessionboard.Action
		data   string
		want   string // as data if it is empty
	}{
		"all of a session, unset":   {sessionboard.SessionCreated, blank(sessionFields), ``},
		"all of a contact, unset":   {sessionboard.ContactUpdated, blank(contactFields), ``},
		"all of a sponsor, unset":   {sessionboard.SponsorUpdated, blank(sponsorFields), ``},
		"all of an exhibitor":       {sessionboard.ExhibitorEventAssociated, blank(sponsorFields), ``},
		"nothing":                   {sessionboard.SessionUpdated, `{}`, ``},
		"null, where a list could":  {sessionboard.SessionUpdated, `{"id":1,"custom_fields":null,"speakers":null}`, ``},
		"empty, where null could":   {sessionboard.SessionUpdated, `{"id":"","title":"","starts_at":"","content":[],"tags":[]}`, ``},
		"no and zero":               {sessionboard.SessionUpdated, `{"is_public":false,"ceu_credits":0,"capacity":0}`, ``},
		"ids, text or number":       {sessionboard.SessionUpdated, `{"id":1,"friendly_id":2,"friendly_id_raw":"3","custom_status_id":4,"client_session_id":"5"}`, ``},
		"abbreviated objects":       {sessionboard.SessionUpdated, `{"speakers":[{"id":1,"participant_role":{"slug":"s"}},{"participant_role":null}],"sponsors":[{"id":2}],"exhibitors":[{}],"room":{"id":3,"capacity":40},"subsessions":[{"id":4}]}`, ``},
		"any JSON, where it may be": {sessionboard.SessionUpdated, `{"custom_status":{"b":1,"a":2},"composition":[1],"ceu_credits":"1.50","custom_fields":[{"value":"<v>"},7],"translated_fields":[null],"content":"text","tags":["t",{"id":1}]}`, ``},
		"other states":              {sessionboard.SessionUpdated, `{"status":"lost","sourceOfChange":"weather"}`, ``},
		"a speaker":                 {sessionboard.SessionSpeakerAttached, `{"id":1,"speaker":{"id":2,"email":null},"sourceOfChange":null}`, ``},
		"a deleted one":             {sessionboard.SponsorDeleted, `{"id":1,"deleted_at":"2026-04-28T16:00:00Z","sourceOfChange":"agent"}`, ``},
		"the vendor's spelling":     {sessionboard.SponsorCreated, `{"address_coutnry":"AT","address_country":"DE"}`, ``},
		"a sponsor's contacts":      {sessionboard.SponsorCreated, `{"contacts":[{"id":1,"is_primary":true}]}`, ``},
		"unknown members":           {sessionboard.ContactCreated, `{"id":1,"sourceOfChange":"user","new":{"z":[1.0],"a":"<b>"},"Email":"e"}`, ``},
		"an unknown action":         {"agenda.published", `{"id":1,"sourceOfChange":"user","title":7}`, ``},
		"id first":                  {sessionboard.SessionUpdated, `{"new":1,"sourceOfChange":"user","title":"t","id":1}`, `{"id":1,"title":"t","sourceOfChange":"user","new":1}`},
		"a fraction of a second":    {sessionboard.SessionUpdated, `{"starts_at":"2026-04-28T18:00:00.999+02:00"}`, `{"starts_at":"2026-04-28T16:00:00Z"}`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			want := tt.want
			if want == "" {
				want = tt.data
			}
			got := encode(t, decode(t, webhook(tt.action, tt.data)))
			if diff := cmp.Diff(webhook(tt.action, want), got); diff != "" {
				t.Errorf("written again (-want +got):\n%s", diff)
			}
		})
	}
}

// TestGenerations reads the envelopes of both generations, and of one to come.
func TestGenerations(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		body    string
		actor   string
		version sessionboard.Version
	}{
		"old":             {`{"data":{"id":"s","actor_id":7},"metadata":{"action":"session.updated","event_id":4001,"org_id":"o","resource_url":"u"}}`, "7", 0},
		"old, no actor":   {`{"data":{"id":"s","actor_id":null},"metadata":{"action":"session.updated","event_id":4001}}`, "", 0},
		"old, odd actor":  {`{"data":{"id":"s","actor_id":[]},"metadata":{"action":"session.updated"}}`, "", 0},
		"new":             {`{"data":{"id":"s"},"metadata":{"action":"session.updated","actor_id":"8","version":1}}`, "8", 1},
		"new, the system": {`{"data":{"id":"s"},"metadata":{"action":"contact.updated","actor_id":null,"event_id":null,"version":1}}`, "", 1},
		"to come":         {`{"data":{"id":"s","title":{"en":"t"}},"metadata":{"action":"session.updated","version":2,"cause":"x"},"more":[]}`, "", 2},
		"to come, fits":   {`{"data":{"id":"s","title":"t"},"metadata":{"action":"session.updated","version":2}}`, "", 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := decode(t, tt.body)
			if diff := cmp.Diff(tt.body, encode(t, w)); diff != "" {
				t.Errorf("written again (-want +got):\n%s", diff)
			}
			if got := w.ActorID().String(); got != tt.actor {
				t.Errorf("actor %q, want %q", got, tt.actor)
			}
			if w.Metadata.Version != tt.version {
				t.Errorf("version %d, want %d", w.Metadata.Version, tt.version)
			}
			_, isOther := w.Data.(*sessionboard.Other)
			if want := name == "to come"; isOther != want {
				t.Errorf("data is a %T", w.Data)
			}
		})
	}
}

// TestHas tells absent from empty.
func TestHas(t *testing.T) {
	t.Parallel()
	read := dataAs[*sessionboard.Session](t, sessionboard.SessionUpdated, `{"id":1,"title":null,"tags":[],"capacity":5,"new":null}`)
	built := &sessionboard.Session{Unknown: wire.Fields{{Name: "new", Value: json.RawMessage("1")}}}
	for name, want := range map[string]struct{ read, built bool }{
		"id": {true, true}, "title": {true, true}, "tags": {true, true}, "capacity": {true, true}, "new": {true, true},
		"description": {false, true}, "speakers": {false, true}, "speaker": {false, false}, "deleted_at": {false, false},
		"Title": {false, false}, "": {false, false},
	} {
		if got := read.Has(name); got != want.read {
			t.Errorf("what was read has %q: %t", name, got)
		}
		if got := built.Has(name); got != want.built {
			t.Errorf("what was built has %q: %t", name, got)
		}
	}
	if (&sessionboard.Contact{Unknown: wire.Fields{{Value: json.RawMessage("{")}}}).Has("id") {
		t.Error("what cannot be written has a member")
	}
}

// TestHasInside asks objects of each type for a member that they have and one that they
// lack.
func TestHasInside(t *testing.T) {
	t.Parallel()
	w := decode(t, `{"data":{"speakers":[{"id":1,"participant_role":{"slug":""}}],"room":{"name":null},"exhibitors":[{"phone":null}],"sponsors":[{"phone":null}]},"metadata":{"action":"session.updated","actor_id":null},"new":1}`)
	s, ok := w.Data.(*sessionboard.Session)
	if !ok {
		t.Fatalf("its data is a %T", w.Data)
	}
	for _, tt := range []struct {
		object     interface{ Has(string) bool }
		has, lacks string
	}{
		{w, "metadata", "action"},
		{w, "new", "title"},
		{&w.Metadata, "actor_id", "event_id"},
		{&s.Speakers[0], "participant_role", "email"},
		{s.Speakers[0].ParticipantRole, "slug", "name"},
		{s.Room, "name", "id"},
		{&s.Exhibitors[0], "phone", "id"},
		{&s.Sponsors[0], "phone", "id"},
		{&sessionboard.Participant{}, "participant_role", "deleted_at"},
		{&sessionboard.Webhook{}, "data", "new"},
	} {
		if !tt.object.Has(tt.has) || tt.object.Has(tt.lacks) {
			t.Errorf("%T has %s: %t, %s: %t", tt.object, tt.has, tt.object.Has(tt.has), tt.lacks, tt.object.Has(tt.lacks))
		}
	}
}

// TestChanged reads a session, changes it and writes it again.
func TestChanged(t *testing.T) {
	t.Parallel()
	session := dataAs[*sessionboard.Session](t, sessionboard.SessionUpdated, `{"id":1,"title":"old","description":"","tags":["t"],"deleted_at":"2026-04-28T16:00:00Z"}`)
	session.Title, session.Tags, session.DeletedAt = "", nil, wire.Seconds{} // emptied
	session.Capacity, session.Description = new(int64(3)), "new"             // set
	check := func(want string) {
		t.Helper()
		got, err := session.MarshalJSON()
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, string(got)); diff != "" {
			t.Errorf("written (-want +got):\n%s", diff)
		}
	}
	check(`{"id":1,"title":null,"description":"new","capacity":3,"tags":[]}`)
	session.Read = nil
	check(strings.NewReplacer(`"id":null`, `"id":1`, `"description":null`, `"description":"new"`, `"capacity":null`, `"capacity":3`).Replace(blank(sessionFields)))
}

// TestValues reads a value of each kind.
func TestValues(t *testing.T) {
	t.Parallel()
	s := dataAs[*sessionboard.Session](t, sessionboard.SessionSpeakerDetached, `{
		"id": "s", "status": "accept_queue", "starts_at": "2026-04-28T16:00:00Z", "is_public": true, "capacity": 40,
		"participants": [{"full_name": "Jane Smith", "participant_role": {"name_plural": "Hosts", "core_role": "moderator"}}],
		"sponsors": [{"name": "Beer & Sons", "address_coutnry": "AT"}], "exhibitors": [{"name": "Chairs"}],
		"track": {"id": 3, "name": "Main", "color": "#fff"}, "subsessions": [{"title": "Part 1"}], "speaker": {"email": "j@example.com"},
		"sourceOfChange": "agent"}`)
	got := []any{
		s.ResourceID().String(), s.Status, s.StartsAt.Time, *s.IsPublic, s.IsAbstract, *s.Capacity,
		s.Participants[0].FullName, s.Participants[0].ParticipantRole.NamePlural, s.Participants[0].ParticipantRole.CoreRole,
		s.Sponsors[0].AddressCountry, s.Exhibitors[0].Name, s.Track.ID.String(), s.Track.Name, string(s.Track.Unknown.Get("color")), s.Room,
		s.Subsessions[0].Title, s.Speaker.Email, s.Source(),
	}
	want := []any{
		"s", sessionboard.StatusAcceptQueue, time.Date(2026, 4, 28, 16, 0, 0, 0, time.UTC), true, (*bool)(nil), int64(40),
		"Jane Smith", "Hosts", "moderator",
		"AT", "Chairs", "3", "Main", `"#fff"`, (*sessionboard.Term)(nil),
		"Part 1", "j@example.com", sessionboard.SourceAgent,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("values (-want +got):\n%s", diff)
	}
}

// TestTypes reads each action's data as the type that it has to be.
func TestTypes(t *testing.T) {
	t.Parallel()
	types := map[string]sessionboard.Data{
		"session": new(sessionboard.Session), "contact": new(sessionboard.Contact),
		"exhibitor": new(sessionboard.Exhibitor), "sponsor": new(sessionboard.Sponsor),
		"agenda": new(sessionboard.Other),
	}
	for _, action := range append(sessionboard.Actions(), "agenda.published") {
		w := decode(t, webhook(action, `{"id":"i","sourceOfChange":"user"}`))
		resource, _, _ := strings.Cut(string(action), ".")
		if got, want := reflect.TypeOf(w.Data), reflect.TypeOf(types[resource]); got != want {
			t.Errorf("the data of %s is a %v, want %v", action, got, want)
		}
		if w.Data.ResourceID() != wire.Text("i") || w.Data.Source() != "user" || !w.Data.Has("id") || w.Data.Has("title") {
			t.Errorf("the data of %s: %+v", action, w.Data)
		}
		if !w.ActorID().IsZero() {
			t.Errorf("%s has an actor", action)
		}
	}
}

// documented is the vendor's event catalogue.
const documented = `session.created session.updated session.deleted session.speaker.attached session.speaker.detached
contact.created contact.updated contact.deleted contact.event.associated contact.event.disassociated
exhibitor.created exhibitor.updated exhibitor.deleted exhibitor.event.associated exhibitor.event.disassociated
sponsor.created sponsor.updated sponsor.deleted sponsor.event.associated sponsor.event.disassociated`

// TestActions compares the constants with the vendor's catalogue.
func TestActions(t *testing.T) {
	t.Parallel()
	var got []string
	for _, action := range sessionboard.Actions() {
		got = append(got, string(action))
	}
	if diff := cmp.Diff(strings.Fields(documented), got); diff != "" || len(got) != 20 {
		t.Errorf("%d actions (-want +got):\n%s", len(got), diff)
	}
	sessionboard.Actions()[0] = ""
	if !slices.Contains(sessionboard.Actions(), sessionboard.SessionCreated) {
		t.Error("a caller's change is seen by the next")
	}
}

// TestWrong expects errors that name what is wrong.
func TestWrong(t *testing.T) {
	t.Parallel()
	const metadata = `"metadata":{"action":"session.updated"}}`
	for body, want := range map[string]string{
		``:                                "unexpected end of JSON input",
		`null`:                            "is not a JSON object",
		`[]`:                              "is not a JSON object",
		`{}`:                              "metadata: action: is missing",
		`{"data":{},"metadata":null}`:     "metadata: action: is missing",
		`{"data":{},"metadata":{}}`:       "metadata: action: is missing",
		`{"data":{},"metadata":[]}`:       "metadata: is not a JSON object",
		`{` + metadata:                    "data: is missing",
		`{"data":null,` + metadata:        "data: is missing",
		`{"data":[],` + metadata:          "data: is not a JSON object",
		`{"data":{"id":true},` + metadata: "data: id: is neither a string nor a number",
		`{"data":{"starts_at":"soon"},` + metadata:                               "data: starts_at: is not a time",
		`{"data":{"is_public":"yes"},` + metadata:                                "data: is_public: is a string",
		`{"data":{"speakers":{}},` + metadata:                                    "data: speakers: is a object",
		`{"data":{"speakers":[null]},` + metadata:                                "data: speakers: is not a JSON object",
		`{"data":{"room":{"name":7}},` + metadata:                                "data: room: name: is a number",
		`{"data":{"participants":[{"participant_role":{"slug":1}}]},` + metadata: "data: participants: participant_role: slug: is a number",
		`{"data":{},"metadata":{"action":7}}`:                                    "metadata: action: is a number",
		`{"data":{},"metadata":{"action":"a","version":"1"}}`:                    "metadata: version: is a string",
		`{"data":{},"metadata":{"action":"a","datetime":{}}}`:                    "metadata: datetime: is not a time",
		`{"data":[],"metadata":{"action":"a","version":2}}`:                      "data: is not a JSON object",
	} {
		w, err := sessionboard.Decode([]byte(body))
		if err == nil || !strings.Contains(err.Error(), want) || !strings.HasPrefix(err.Error(), "sessionboard webhook: ") || w != nil {
			t.Errorf("%s: %v, error %v, want one with %q", body, w, err, want)
		}
	}
	for want, w := range map[string]*sessionboard.Webhook{
		"metadata: action: is missing": {Data: &sessionboard.Session{}},
		"data: is missing":             {Metadata: sessionboard.Metadata{Action: "a"}},
		"content: json: error":         {Metadata: sessionboard.Metadata{Action: "a"}, Data: &sessionboard.Session{Content: json.RawMessage("{")}},
	} {
		if _, err := sessionboard.Encode(w); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("written with error %v, want one with %q", err, want)
		}
	}
}

// TestDeep refuses sessions in sessions in sessions at once, but not brackets in texts.
func TestDeep(t *testing.T) {
	t.Parallel()
	nested := func(levels int) string {
		return webhook(sessionboard.SessionUpdated, strings.Repeat(`{"subsessions":[`, levels)+strings.Repeat(`]}`, levels))
	}
	if w := decode(t, nested(16)); encode(t, w) != nested(16) {
		t.Error("16 sessions in each other are written otherwise")
	}
	for _, levels := range []int{17, 4000} {
		if _, err := sessionboard.Decode([]byte(nested(levels))); err == nil || !strings.Contains(err.Error(), "data: is nested more than 32 levels deep") {
			t.Errorf("%d sessions in each other: error %v", levels, err)
		}
	}
	text := webhook(sessionboard.SessionUpdated, `{"title":"\"`+strings.Repeat(`[{`, 100)+`\\"}`)
	if w := decode(t, text); encode(t, w) != text {
		t.Error("a text with brackets is written otherwise")
	}
}

// TestReuse reads into what was used before: nothing of that is left.
func TestReuse(t *testing.T) {
	t.Parallel()
	w := decode(t, webhook(sessionboard.SessionUpdated, `{"id":1,"x":1}`))
	const body = `{"data":null,"metadata":{"action":"a"}}`
	if err := json.Unmarshal([]byte(body), w); err != nil {
		t.Fatal(err)
	}
	if got, err := json.Marshal(w); err != nil || string(got) != body {
		t.Errorf("read %s, %v", got, err)
	}
}

// FuzzDecode writes whatever can be read, and reads it again: it is the same, with the
// same members.
func FuzzDecode(f *testing.F) {
	f.Add(seed(f))
	for _, action := range sessionboard.Actions() {
		f.Add([]byte(webhook(action, `{"id":1,"title":"","tags":[null],"contacts":[{}],"speaker":{"id":""},"deleted_at":null,"x":"<\u2028>"}`)))
	}
	f.Add([]byte(webhook("a.b", blank(sessionFields))))
	f.Add([]byte(webhook(sessionboard.SessionCreated, blank(sessionFields))))
	f.Fuzz(func(t *testing.T, body []byte) {
		once, err := sessionboard.Decode(body)
		if err != nil {
			return
		}
		first := encode(t, once)
		twice := decode(t, first)
		if second := encode(t, twice); first != second {
			t.Errorf("written %s, then %s", first, second)
		}
		if once.Data.Has("title") != twice.Data.Has("title") {
			t.Errorf("%s: a title came or went", first)
		}
	})
}
