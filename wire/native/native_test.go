package native_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/callboard/callboard/wire"
	"github.com/callboard/callboard/wire/native"
	"github.com/callboard/callboard/wire/oration"
)

// samples are the bodies in testdata without white space, by type.
func samples(t testing.TB) map[native.Type]string {
	t.Helper()
	files, err := filepath.Glob("testdata/*.json")
	if err != nil || len(files) < 17 {
		t.Fatalf("%d samples, error %v", len(files), err)
	}
	bodies := map[native.Type]string{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var b bytes.Buffer
		if err := json.Compact(&b, text); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		bodies[native.Type(strings.TrimSuffix(filepath.Base(file), ".json"))] = b.String()
	}
	return bodies
}

func decode(t testing.TB, body string) *native.Webhook {
	t.Helper()
	w, err := native.Decode([]byte(body))
	if err != nil {
		t.Fatalf("%s: %v", body, err)
	}
	return w
}

func encode(t testing.TB, w *native.Webhook) string {
	t.Helper()
	body, err := native.Encode(w)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

// dataAs reads the data of a type.
func dataAs[T native.Data](t testing.TB, typ native.Type, data string) T {
	t.Helper()
	w := decode(t, webhook(typ, data))
	typed, is := w.Data.(T)
	if !is {
		t.Fatalf("the data of %s is a %T", typ, w.Data)
	}
	return typed
}

// webhook is the body of one of some data.
func webhook(typ native.Type, data string) string {
	return fmt.Sprintf(`{"type":%q,"timestamp":"2026-05-04T10:00:00.000Z","data":%s}`, typ, data)
}

// TestSamples reads whole bodies and expects their very bytes again, but for white space.
func TestSamples(t *testing.T) {
	t.Parallel()
	read := map[string]bool{}
	for typ, body := range samples(t) {
		w := decode(t, body)
		read[fmt.Sprintf("%T", w.Data)] = true
		if w.Type != typ || !w.Timestamp.Equal(time.Date(2026, 5, 4, 10, 0, 0, 0, time.UTC)) {
			t.Errorf("%s: type %s at %s", typ, w.Type, w.Timestamp)
		}
		if diff := cmp.Diff(body, encode(t, w)); diff != "" {
			t.Errorf("%s written again (-want +got):\n%s", typ, diff)
		}
		want := []string(nil)
		if typ == native.SessionDeleted {
			want = []string{"color"} // of the track
		}
		if diff := cmp.Diff(want, unknownIn(reflect.ValueOf(w))); diff != "" {
			t.Errorf("%s has members without a field (-want +got):\n%s", typ, diff)
		}
	}
	if len(read) != 18 {
		t.Errorf("samples of %d kinds of data, want 18", len(read))
	}
}

// unknownIn names the members without a field in a value and all that it holds.
func unknownIn(v reflect.Value) (names []string) {
	if fields, is := reflect.TypeAssert[wire.Fields](v); is {
		for _, f := range fields {
			names = append(names, f.Name)
		}
		return names
	}
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if !v.IsNil() {
			names = unknownIn(v.Elem())
		}
	case reflect.Slice:
		for i := range v.Len() {
			names = append(names, unknownIn(v.Index(i))...)
		}
	case reflect.Struct:
		for field, value := range v.Fields() {
			if field.IsExported() {
				names = append(names, unknownIn(value)...)
			}
		}
	}
	return names
}

// The members of the objects, in the order in which they are written.
const (
	eventFields = `id organizationId number name description identifier startDate endDate timezone status type eventFormat createdAt
createdBy updatedAt updatedBy`
	profileFields = `firstName lastName email company designation bio headline industry country phoneNumber`
	sessionFields = `id organizationId title description startDateTime endDateTime location speakers sponsors tags friendlyId
friendlyIdRaw status customStatusId customStatus isPublic isAbstract compositionStatus composition externalUrl clientSessionId
createdAt updatedAt ceuCredits capacity customFields translatedFields chairpersons moderators participants exhibitors content
language track level format room subsessions adminUrl deletedAt`
	contactFields = `id organizationId friendlyId fullName firstName lastName email createdAt updatedAt photoUrl companyName title
about phoneHome phoneMobile addressLine1 addressLine2 addressCity addressState addressPostalCode addressCountry websiteUrl
linkedinUrl twitterUrl facebookUrl honorific salutation pronouns gender pastCompanies educationalAffiliation
highestLevelOfEducation ethnicity languages speakerScore organizationContact speakerFee availability preferredSessionFormat
annualRevenue headcount yearsInOperation organizationStructure industry globalRegion audienceType targetAgeRange topicExpertise
brand translatedFields customFields adminUrl deletedAt`
	sponsorFields = `id organizationId friendlyId friendlyIdRaw name description logoImageUrl bannerImageUrl phone addressLine1
addressLine2 addressCity addressState addressPostalCode addressCountry facebookUrl instagramUrl linkedinUrl snapchatUsername
tiktokUsername twitterUrl websiteUrl createdAt updatedAt customFields translatedFields contacts deletedAt`
	detailFields = `conferenceName conferenceStartedAt conferenceEndedAt participantName participantEmail participantPhoneNumber`
	originFields = `actor sourceOfChange`
)

// TestFields compares the fields of each struct with the members that are documented.
func TestFields(t *testing.T) {
	t.Parallel()
	const conference = `conferenceId hostId companyId `
	for _, tt := range []struct {
		object any
		fields string
	}{
		{native.Event{}, eventFields},
		{native.Profile{}, profileFields},
		{native.Session{}, sessionFields},
		{native.Contact{}, contactFields},
		{native.Sponsor{}, sponsorFields},
		{native.Actor{}, `id type`},
		{native.Registration{}, `id profile`},
		{native.Term{}, `id name`},
		{native.Exhibitor{}, sponsorFields},
		{native.Location{}, `locationId locationName type link`},
		{native.SessionRole{}, `slug name namePlural coreRole`},
		{native.Participant{}, contactFields + ` speakerId url participantRole`},
		{native.SessionSponsor{}, sponsorFields + ` sponsorId url`},
		{native.Attendance{}, `event session registration timeSpentInMinutes ` + originFields},
		{native.RegistrationChange{}, `event registration ` + originFields},
		{native.EventChange{}, `event ` + originFields},
		{native.SessionChange{}, `session event ` + originFields},
		{native.SpeakerChange{}, `session speaker event ` + originFields},
		{native.ContactChange{}, `contact event ` + originFields},
		{native.ExhibitorChange{}, `exhibitor event ` + originFields},
		{native.SponsorChange{}, `sponsor event ` + originFields},
		{native.Conference{}, conference + detailFields + ` ` + originFields},
		{native.ConferenceRecording{}, conference + `recordingId downloadLink ` + detailFields + ` ` + originFields},
		{native.ConferencePreview{}, conference + `videoUrl imageUrl ` + detailFields + ` ` + originFields},
		{native.ConferenceParticipant{}, conference + `participantId participantRole meetingUrl reasonForLeaving timeSpentInMinutes ` + detailFields + ` ` + originFields},
		{native.ConferenceDialout{}, conference + `participantId status phoneNumber ` + detailFields + ` ` + originFields},
		{native.ConferenceAccessCode{}, conference + `originalConferenceId ` + detailFields + ` ` + originFields},
		{native.Host{}, `hostId companyId ` + originFields},
		{native.DriveFile{}, `hostId companyId id filename size ` + originFields},
		{native.ConversationChange{}, `conversation ` + originFields},
		{native.Webhook{}, `type timestamp data`},
	} {
		var got []string
		for _, f := range reflect.VisibleFields(reflect.TypeOf(tt.object)) {
			if name, omit, _ := strings.Cut(f.Tag.Get("json"), ","); name != "" && name != "-" {
				got = append(got, name)
				_, isWebhook := tt.object.(native.Webhook)
				if omit != "omitzero" && (!isWebhook || name != "type") {
					t.Errorf("%T: %s is written where it is not set", tt.object, name)
				}
			}
		}
		if diff := cmp.Diff(strings.Fields(tt.fields), got); diff != "" {
			t.Errorf("%T (-want +got):\n%s", tt.object, diff)
		}
	}
}

// documented is the catalogue, with the data of each type.
var documented = map[string]native.Data{
	`session.joined session.left session.time_spent event.time_spent`:                                                new(native.Attendance),
	`registration.created registration.attended registration.no_show`:                                                new(native.RegistrationChange),
	`event.created event.updated`:                                                                                    new(native.EventChange),
	`session.created session.updated session.deleted`:                                                                new(native.SessionChange),
	`session.speaker.attached session.speaker.detached`:                                                              new(native.SpeakerChange),
	`contact.created contact.updated contact.deleted contact.event.associated contact.event.disassociated`:           new(native.ContactChange),
	`exhibitor.created exhibitor.updated exhibitor.deleted exhibitor.event.associated exhibitor.event.disassociated`: new(native.ExhibitorChange),
	`sponsor.created sponsor.updated sponsor.deleted sponsor.event.associated sponsor.event.disassociated`:           new(native.SponsorChange),
	`conference.started conference.ended conference.recording.started conference.recording.stopped conference.stream.started
conference.stream.stopped conference.broadcast.started conference.broadcast.stopped conference.transcription.ready`: new(native.Conference),
	`conference.recording.ready`:        new(native.ConferenceRecording),
	`conference.stream.preview_updated`: new(native.ConferencePreview),
	`conference.participant.entered conference.participant.left conference.participant.role_changed
conference.participant.time_spent conference.livestream.entered conference.livestream.left`: new(native.ConferenceParticipant),
	`conference.dialout.status_changed`:                         new(native.ConferenceDialout),
	`conference.access_code.reused`:                             new(native.ConferenceAccessCode),
	`host.profile_picture.uploaded host.profile_picture.failed`: new(native.Host),
	`drive.file.added drive.file.deleted`:                       new(native.DriveFile),
	`conversation.user_joined conversation.user_left conversation.completed conversation.analysis_completed`: new(native.ConversationChange),
}

// TestTypes compares the constants with the catalogue, and reads and writes the data of
// each type as what it has to be.
func TestTypes(t *testing.T) {
	t.Parallel()
	var want []native.Type
	for types, data := range documented {
		for typ := range strings.FieldsSeq(types) {
			want = append(want, native.Type(typ))
			body := webhook(native.Type(typ), `{"actor":{"id":7,"type":"AGENT"},"sourceOfChange":"agent","new":null}`)
			w := decode(t, body)
			if reflect.TypeOf(w.Data) != reflect.TypeOf(data) {
				t.Errorf("the data of %s is a %T, want a %T", typ, w.Data, data)
			}
			if diff := cmp.Diff(body, encode(t, w)); diff != "" {
				t.Errorf("%s written again (-want +got):\n%s", typ, diff)
			}
			by := w.Data.By()
			if by.Actor == nil || by.Actor.ID != wire.Number(7) || by.Actor.Type != native.ActorAgent || by.SourceOfChange != native.SourceAgent {
				t.Errorf("%s: by %+v", typ, by)
			}
			if !w.Data.Has("actor") || !w.Data.Has("new") || w.Data.Has("session") {
				t.Errorf("%s: has %+v", typ, w.Data)
			}
		}
	}
	got := native.Types()
	if len(got) != 56 {
		t.Errorf("%d types, want 56", len(got))
	}
	slices.Sort(want)
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("types (-want +got):\n%s", diff)
	}
	native.Types()[0] = ""
	if slices.Contains(native.Types(), "") {
		t.Error("a caller's change is seen by the next")
	}
}

// TestValues expects the values of a sample in the fields.
func TestValues(t *testing.T) {
	t.Parallel()
	bodies := samples(t)
	deleted, _ := decode(t, bodies[native.SessionDeleted]).Data.(*native.SessionChange)
	joined, _ := decode(t, bodies[native.SessionJoined]).Data.(*native.Attendance)
	spent, _ := decode(t, bodies[native.EventTimeSpent]).Data.(*native.Attendance)
	left, _ := decode(t, bodies[native.ConferenceParticipantLeft]).Data.(*native.ConferenceParticipant)
	file, _ := decode(t, bodies[native.DriveFileAdded]).Data.(*native.DriveFile)
	analysed, _ := decode(t, bodies[native.ConversationAnalysisCompleted]).Data.(*native.ConversationChange)
	s := deleted.Session
	got := []any{
		s.ID.String(), s.Status, s.StartDateTime.Time, *s.IsPublic, *s.IsAbstract, *s.Capacity, s.Location.First().Name, s.TagNames(),
		s.Speakers[0].FullName, s.Speakers[0].ParticipantRole.NamePlural, s.Sponsors[0].Name, s.Exhibitors[0].ID.String(),
		s.Track.Name, string(s.Track.Unknown.Get("color")), s.Room, s.Has("room"), s.Subsessions[0].Title, deleted.Event.Number,
		deleted.Actor.Type, deleted.SourceOfChange,
		joined.Registration.Profile.Email, joined.Event.Status, joined.Event.Type, joined.Event.Format, joined.TimeSpentInMinutes,
		*spent.TimeSpentInMinutes, spent.Has("session"),
		left.ParticipantRole, left.ReasonForLeaving, left.ConferenceName, *file.Size, analysed.Conversation.ConversationStatus,
	}
	want := []any{
		"session-1", native.SessionStatusAccepted, time.Date(2026, 5, 4, 9, 0, 0, 0, time.UTC), true, false, native.Int(400), "Main stage",
		[]string{"opening", "history"},
		"Ada Moor", "Speakers", "Beer & Sons", "sponsor-2",
		"Ships", `"#003366"`, (*native.Term)(nil), true, "Part 1", native.Int(4001),
		native.ActorUser, native.SourceUser,
		"jane.smith@example.com", native.EventStatusOngoing, native.EventKindEvent, native.EventFormatHybrid, (*native.Int)(nil),
		native.Int(0), false,
		native.RoleParticipant, native.ReasonHostKicked, "Weekly", native.Int(0), oration.StatusCompleted,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("values (-want +got):\n%s", diff)
	}
}

// TestWrittenAgain reads and writes what differs from the samples.
func TestWrittenAgain(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct{ in, want string }{ // no want: as it came
		"nothing":                 {webhook(native.SessionUpdated, `{}`), ``},
		"empty objects":           {webhook(native.SessionUpdated, `{"session":{},"event":{},"actor":{}}`), ``},
		"nulls":                   {webhook(native.SessionUpdated, `{"session":null,"event":null,"actor":null,"sourceOfChange":null}`), ``},
		"empty texts":             {webhook(native.SessionUpdated, `{"session":{"id":"","title":"","startDateTime":""},"event":{"number":0}}`), ``},
		"nulls inside":            {webhook(native.SessionUpdated, `{"session":{"id":null,"title":null,"speakers":null,"tags":[],"isPublic":null,"content":null,"room":null}}`), ``},
		"false and zero":          {webhook(native.SessionUpdated, `{"session":{"isPublic":false,"capacity":0}}`), ``},
		"ids as numbers":          {webhook(native.SessionJoined, `{"event":{"id":1},"session":{"id":2},"registration":{"id":3}}`), ``},
		"two locations":           {webhook(native.SessionJoined, `{"session":{"location":[{"locationId":1},{"link":null}]}}`), ``},
		"no location":             {webhook(native.SessionJoined, `{"session":{"location":[]}}`), ``},
		"a location in an array":  {webhook(native.SessionJoined, `{"session":{"location":[{"locationId":1,"x":2}]}}`), webhook(native.SessionJoined, `{"session":{"location":{"locationId":1,"x":2}}}`)},
		"tags of any kind":        {webhook(native.SessionUpdated, `{"session":{"tags":["a",{"id":1},null,7]}}`), ``},
		"whole numbers":           {webhook(native.SessionTimeSpent, `{"event":{"number":4.001e3},"session":{"capacity":-0.0},"timeSpentInMinutes":42.0}`), webhook(native.SessionTimeSpent, `{"event":{"number":4001},"session":{"capacity":0},"timeSpentInMinutes":42}`)},
		"large numbers":           {webhook(native.DriveFileAdded, `{"size":9223372036854775807}`), ``},
		"unknown members":         {`{"type":"host.profile_picture.failed","data":{"hostId":1,"HostId":2,"new":{"z":[1.0],"a":"<b>&"}},"id":"m"}`, ``},
		"data first":              {`{"data":{"new":1,"id":"f","hostId":1},"type":"drive.file.deleted"}`, `{"type":"drive.file.deleted","data":{"hostId":1,"id":"f","new":1}}`},
		"other forms of a time":   {`{"type":"event.created","timestamp":"2026-05-04T12:00:00+02:00","data":{"event":{"startDate":"2026-05-04"}}}`, `{"type":"event.created","timestamp":"2026-05-04T10:00:00.000Z","data":{"event":{"startDate":"2026-05-04T00:00:00.000Z"}}}`},
		"no time":                 {`{"type":"event.created","data":{}}`, ``},
		"a time that is null":     {`{"type":"event.created","timestamp":null,"data":{}}`, ``},
		"an empty time":           {`{"type":"event.created","timestamp":"","data":{}}`, ``},
		"a conversation":          {webhook(native.ConversationCompleted, `{"conversation":{"id":"c","summary":null,"dynamicVariables":{"a":1}}}`), webhook(native.ConversationCompleted, `{"conversation":{"id":"c","dynamicVariables":"{\"a\":1}","summary":null}}`)},
		"one's own":               {webhook("invoice.paid", `{"amount":1.50,"actor":7}`), ``},
		"one's own, no object":    {webhook("invoice.paid", `[{"a":"<&>"}]`), ``},
		"one's own, null":         {`{"type":"invoice.paid","data":null}`, ``},
		"one's own, nothing":      {`{"type":"invoice.paid"}`, ``},
		"one's own time":          {`{"type":"invoice.paid","timestamp":"yesterday"}`, ``},
		"one's own time and more": {`{"type":"invoice.paid","timestamp":{"s":1},"data":{}}`, `{"type":"invoice.paid","data":{},"timestamp":{"s":1}}`},
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

// TestBuilt writes what was built: what is set and no more.
func TestBuilt(t *testing.T) {
	t.Parallel()
	for want, w := range map[string]*native.Webhook{
		`{"type":"session.joined","data":{}}`: {Type: native.SessionJoined, Data: &native.Attendance{}},
		`{"type":"a.b"}`:                      {Type: "a.b"},
		`{"type":"a.b","data":null}`:          {Type: "a.b", Data: &native.Other{}},
		`{"type":"a.b","data":{"hostId":1}}`:  {Type: "a.b", Data: &native.Host{HostID: wire.Number(1)}},
		`{"type":"contact.event.associated","timestamp":"2026-05-04T10:00:00.123Z","data":{"contact":{"id":"c","fullName":"A & B"},"event":{"number":4001},"actor":{"type":"SYSTEM"},"new":1}}`: {
			Type:      native.ContactEventAssociated,
			Timestamp: wire.Millis{Time: time.Date(2026, 5, 4, 12, 0, 0, 123_999_999, time.FixedZone("", 7200))},
			Data: &native.ContactChange{
				Contact: native.Contact{ID: wire.Text("c"), FullName: "A & B"},
				Event:   &native.Event{Number: 4001},
				Origin:  native.Origin{Actor: &native.Actor{Type: native.ActorSystem}},
				Unknown: wire.Fields{{Name: "new", Value: json.RawMessage("1")}},
			},
		},
	} {
		if diff := cmp.Diff(want, encode(t, w)); diff != "" {
			t.Errorf("written (-want +got):\n%s", diff)
		}
	}
}

// TestChanged reads data, changes it and writes it again.
func TestChanged(t *testing.T) {
	t.Parallel()
	change := dataAs[*native.SessionChange](t, native.SessionUpdated, `{"session":{"id":1,"title":"old","description":"","tags":["t"]},"event":{"number":1}}`)
	s := change.Session // a copy remembers what the original had
	s.Title, s.Tags = "", nil
	s.Capacity, s.Description = new(native.Int(3)), "new"
	change.Session, change.Event, change.SourceOfChange = s, native.Event{}, native.SourceUser
	got, err := json.Marshal(change)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(`{"session":{"id":1,"description":"new","capacity":3},"sourceOfChange":"user"}`, string(got)); diff != "" {
		t.Errorf("written (-want +got):\n%s", diff)
	}
}

// TestEither looks under both names of an id and a website.
func TestEither(t *testing.T) {
	t.Parallel()
	session := dataAs[*native.SessionChange](t, native.SessionUpdated, `{"session":{
		"speakers":[{"id":1,"websiteUrl":"w"},{"speakerId":1,"url":"w"},{"id":1,"speakerId":2,"websiteUrl":"v","url":"w"},{}],
		"sponsors":[{"id":1,"websiteUrl":"w"},{"sponsorId":1,"url":"w"},{"id":1,"sponsorId":2,"websiteUrl":"v","url":"w"},{}]}}`).Session
	if len(session.Speakers) != 4 || len(session.Sponsors) != 4 {
		t.Fatalf("%d speakers and %d sponsors", len(session.Speakers), len(session.Sponsors))
	}
	for i := range 4 {
		id, url := wire.Number(1), "w"
		if i == 3 {
			id, url = wire.ID{}, ""
		}
		if p := &session.Speakers[i]; p.EitherID() != id || p.EitherURL() != url {
			t.Errorf("speaker %d: id %s, URL %q", i, p.EitherID(), p.EitherURL())
		}
		if s := &session.Sponsors[i]; s.EitherID() != id || s.EitherURL() != url {
			t.Errorf("sponsor %d: id %s, URL %q", i, s.EitherID(), s.EitherURL())
		}
	}
}

// TestSmall covers what a session gives when it has little.
func TestSmall(t *testing.T) {
	t.Parallel()
	s := native.Session{Tags: []json.RawMessage{json.RawMessage(`"a"`), json.RawMessage(`null`), json.RawMessage(`{"name":"b"}`), json.RawMessage(`{"id":1}`), json.RawMessage(`""`), json.RawMessage(`7`), json.RawMessage(`"c`)}}
	if diff := cmp.Diff([]string{"a", "b"}, s.TagNames()); diff != "" {
		t.Errorf("tags (-want +got):\n%s", diff)
	}
	if first := s.Location.First(); !first.ID.IsZero() || first.Name != "" {
		t.Errorf("first location of none: %+v", first)
	}
}

// TestHas asks objects of each type for a member that they have and one that they lack.
func TestHas(t *testing.T) {
	t.Parallel()
	w := decode(t, webhook(native.SessionUpdated, `{"session":{"location":{"link":""},"room":{"name":null},
		"speakers":[{"email":"","participantRole":{"slug":""}}],"sponsors":[{"phone":null}],"exhibitors":[{"phone":null}]},"event":{"name":null},"actor":{"id":null}}`))
	change, is := w.Data.(*native.SessionChange)
	if !is {
		t.Fatalf("its data is a %T", w.Data)
	}
	joined := dataAs[*native.Attendance](t, native.SessionJoined, `{"registration":{"profile":{"email":null}}}`)
	s := &change.Session
	for _, tt := range []struct {
		object     interface{ Has(string) bool }
		has, lacks string
	}{
		{w, "timestamp", "id"},
		{change, "session", "sourceOfChange"},
		{change.Actor, "id", "type"},
		{&change.Event, "name", "number"},
		{s, "room", "title"},
		{&s.Location[0], "link", "locationId"},
		{s.Room, "name", "id"},
		{&s.Speakers[0], "participantRole", "id"},
		{&s.Speakers[0].Contact, "email", "id"},
		{s.Speakers[0].ParticipantRole, "slug", "name"},
		{&s.Sponsors[0], "phone", "id"},
		{&s.Exhibitors[0], "phone", "id"},
		{joined, "registration", "event"},
		{&joined.Registration, "profile", "id"},
		{joined.Registration.Profile, "email", "bio"},
		{&native.Webhook{}, "type", "data"},
		{&native.Contact{Email: "e"}, "email", "id"},
		{&native.Sponsor{Phone: "1"}, "phone", "id"},
		{&native.Other{Raw: json.RawMessage(`{"a":null}`)}, "a", "b"},
	} {
		if !tt.object.Has(tt.has) || tt.object.Has(tt.lacks) {
			t.Errorf("%T has %s: %t, %s: %t", tt.object, tt.has, tt.object.Has(tt.has), tt.lacks, tt.object.Has(tt.lacks))
		}
	}
}

// TestOther reads what it can of data of any form.
func TestOther(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string]native.Origin{
		`{"actor":{"type":"USER"},"sourceOfChange":"user"}`: {Actor: &native.Actor{Type: native.ActorUser, Read: wire.Members{"type": nil}}, SourceOfChange: native.SourceUser},
		`{"actor":"Jane","sourceOfChange":1}`:               {},
		`[]`:                                                {},
		``:                                                  {},
	} {
		other := native.Other{Raw: json.RawMessage(raw)}
		if raw != "" {
			other = *dataAs[*native.Other](t, "a.b", raw)
		}
		if diff := cmp.Diff(want, other.By(), cmpopts.EquateComparable(wire.ID{})); diff != "" {
			t.Errorf("%s (-want +got):\n%s", raw, diff)
		}
	}
}

// TestWrong expects errors that name what is wrong, by its path, and quote no value.
func TestWrong(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]string{
		``:                                      "unexpected end of JSON input",
		`null`:                                  "is not a JSON object",
		`[]`:                                    "is not a JSON object",
		`{}`:                                    "type: is missing",
		`{"type":null}`:                         "type: is missing",
		`{"type":7}`:                            "type: is a number",
		`{"type":"a.b"} {}`:                     "invalid character '{' after top-level value",
		`{"type":"session.joined"}`:             "data: is missing",
		`{"type":"session.joined","data":null}`: "data: is missing",
		`{"type":"session.joined","timestamp":"hunter2","data":{}}`:                                   "timestamp: is not a time",
		webhook(native.SessionJoined, `[]`):                                                           "data: is not a JSON object",
		webhook(native.SessionJoined, `"hunter2"`):                                                    "data: is not a JSON object",
		webhook(native.SessionJoined, `{"session":"hunter2"}`):                                        "data: session: is not a JSON object",
		webhook(native.SessionJoined, `{"session":{"id":{}}}`):                                        "data: session: id: is neither a string nor a number",
		webhook(native.SessionJoined, `{"actor":{"type":1}}`):                                         "data: actor: type: is a number",
		webhook(native.SessionJoined, `{"sourceOfChange":[]}`):                                        "data: sourceOfChange: is a array",
		webhook(native.SessionJoined, `{"registration":{"profile":{"email":7}}}`):                     "data: registration: profile: email: is a number",
		webhook(native.SessionTimeSpent, `{"timeSpentInMinutes":"hunter2"}`):                          "data: timeSpentInMinutes: is not a whole number",
		webhook(native.SessionTimeSpent, `{"timeSpentInMinutes":9223372036854775808}`):                "data: timeSpentInMinutes: is not a whole number",
		webhook(native.SessionTimeSpent, `{"timeSpentInMinutes":1.5}`):                                "data: timeSpentInMinutes: is not a whole number",
		webhook(native.SessionUpdated, `{"event":{"number":"4001"}}`):                                 "data: event: number: is not a whole number",
		webhook(native.SessionUpdated, `{"session":{"startDateTime":"hunter2"}}`):                     "data: session: startDateTime: is not a time",
		webhook(native.SessionUpdated, `{"session":{"location":7}}`):                                  "data: session: location: is not a JSON object",
		webhook(native.SessionUpdated, `{"session":{"location":[{"link":7}]}}`):                       "data: session: location: link: is a number",
		webhook(native.SessionUpdated, `{"session":{"speakers":[{"participantRole":{"slug":7}}]}}`):   "data: session: speakers: participantRole: slug: is a number",
		webhook(native.SessionUpdated, `{"session":{"sponsors":[null]}}`):                             "data: session: sponsors: is not a JSON object",
		webhook(native.SessionUpdated, `{"session":{"subsessions":[{"room":{"name":[]}}]}}`):          "data: session: subsessions: room: name: is a array",
		webhook(native.SessionSpeakerAttached, `{"speaker":{"email":{}}}`):                            "data: speaker: email: is a object",
		webhook(native.ContactEventAssociated, `{"event":{"createdAt":true}}`):                        "data: event: createdAt: is not a time",
		webhook(native.ExhibitorUpdated, `{"exhibitor":{"contacts":[{"email":7}]}}`):                  "data: exhibitor: contacts: email: is a number",
		webhook(native.SponsorUpdated, `{"sponsor":{"name":7}}`):                                      "data: sponsor: name: is a number",
		webhook(native.ConferenceStarted, `{"conferenceId":true}`):                                    "data: conferenceId: is neither a string nor a number",
		webhook(native.ConferenceStarted, `{"conferenceStartedAt":"hunter2"}`):                        "data: conferenceStartedAt: is not a time",
		webhook(native.ConferenceRecordingReady, `{"downloadLink":7}`):                                "data: downloadLink: is a number",
		webhook(native.DriveFileAdded, `{"size":"hunter2"}`):                                          "data: size: is not a whole number",
		webhook(native.ConversationCompleted, `{"conversation":{"customer":{"priority":"hunter2"}}}`): "data: conversation: customer: priority: is a string",
		webhook(native.ConversationCompleted, `{"conversation":[]}`):                                  "data: conversation: is not a JSON object",
	} {
		w, err := native.Decode([]byte(body))
		if err == nil || !strings.HasPrefix(err.Error(), "native webhook: "+want) || w != nil {
			t.Errorf("%s: %v, error %v, want one with %q", body, w, err, want)
		} else if strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: error %v quotes a value", body, err)
		}
	}
}

// TestEncodeWants expects Encode to refuse what Decode would, and names what cannot be
// written.
func TestEncodeWants(t *testing.T) {
	t.Parallel()
	broken := json.RawMessage("{")
	for _, tt := range []struct {
		hook *native.Webhook
		want string
	}{
		{&native.Webhook{Data: &native.Host{}}, "type: is missing"},
		{&native.Webhook{Type: native.SessionJoined}, "data: is missing"},
		{&native.Webhook{Type: native.SessionJoined, Data: (*native.Attendance)(nil)}, "data: is missing"},
		{&native.Webhook{Type: native.SessionJoined, Data: &native.Host{}}, "data: is not what this type has: a *native.Host in place of a *native.Attendance"},
		{&native.Webhook{Type: native.SessionJoined, Data: &native.Other{Raw: json.RawMessage("{}")}}, "data: is not what this type has: a *native.Other in place of a *native.Attendance"},
		{&native.Webhook{Type: "a.b", Data: &native.Other{Raw: broken}}, "data: "},
		{&native.Webhook{Type: native.SessionUpdated, Data: &native.SessionChange{Session: native.Session{Content: broken}}}, "data: json: error calling MarshalJSON for type *native.SessionChange: session: "},
	} {
		if body, err := native.Encode(tt.hook); err == nil || !strings.HasPrefix(err.Error(), "native webhook: "+tt.want) || body != nil {
			t.Errorf("%s, error %v, want one with %q", body, err, tt.want)
		}
	}
}

// TestDeep refuses sessions in sessions in sessions at once, but not brackets in texts.
func TestDeep(t *testing.T) {
	t.Parallel()
	nested := func(levels int) string {
		return webhook(native.SessionUpdated, `{"session":`+strings.Repeat(`{"subsessions":[`, levels)+strings.Repeat(`]}`, levels)+`}`)
	}
	if w := decode(t, nested(32)); encode(t, w) != nested(32) {
		t.Error("32 sessions in each other are written otherwise")
	}
	for _, levels := range []int{33, 4000} {
		if _, err := native.Decode([]byte(nested(levels))); err == nil || !strings.Contains(err.Error(), "data: session: is nested more than 64 levels deep") {
			t.Errorf("%d sessions in each other: error %v", levels, err)
		}
	}
	text := webhook(native.SessionUpdated, `{"session":{"title":"\"`+strings.Repeat(`[{`, 100)+`\\"}}`)
	if w := decode(t, text); encode(t, w) != text {
		t.Error("a text with brackets is written otherwise")
	}
}

// TestReuse reads into what was used before: nothing of that is left.
func TestReuse(t *testing.T) {
	t.Parallel()
	w := decode(t, webhook(native.SessionUpdated, `{"session":{"id":1},"x":1}`))
	const body = `{"type":"a.b","data":null}`
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
	for _, body := range samples(f) {
		f.Add([]byte(body))
	}
	for _, typ := range native.Types() {
		f.Add([]byte(webhook(typ, `{"session":{"tags":[null],"location":[{}]},"event":null,"speaker":{"id":""},"participantId":-0,"x":"<\u2028>"}`)))
	}
	f.Add([]byte("{\"type\":\"a.b\",\"timestamp\":\"\xff\",\"data\":[\"\xff\"]}"))
	f.Fuzz(func(t *testing.T, body []byte) {
		once, err := native.Decode(body)
		if err != nil {
			return
		}
		first := encode(t, once)
		twice := decode(t, first)
		if second := encode(t, twice); first != second {
			t.Errorf("written %s, then %s", first, second)
		}
		if (once.Data == nil) != (twice.Data == nil) {
			t.Fatalf("%s: data %v, then %v", first, once.Data, twice.Data)
		}
		if once.Data != nil && (once.Data.Has("session") != twice.Data.Has("session") || (once.Data.By().Actor == nil) != (twice.Data.By().Actor == nil)) {
			t.Errorf("%s: a member came or went", first)
		}
	})
}
