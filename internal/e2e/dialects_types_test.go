package e2e_test

import (
	"encoding/json"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/callboard/callboard/wire/iotum"
	"github.com/callboard/callboard/wire/native"
	"github.com/callboard/callboard/wire/oration"
	"github.com/callboard/callboard/wire/sessionboard"
	"github.com/callboard/callboard/wire/zuddl"
)

// spoken is how the dialects say an event type: their words, where they have one of their own for it, and the Go types
// that package receiver makes of what comes.
type spoken struct {
	eventType    string
	native       native.Data
	zuddl        zuddl.Action
	sessionboard sessionboard.Data // the action is the event type
	oration      oration.EventType
	iotum        iotum.Event
	payload      iotum.Payload
	// extra says that the vendor's page of webhooks does not have the word.
	extra bool
}

// spokenTypes is the catalogue as the vendors' pages and design have it.
func spokenTypes() []spoken {
	types := []spoken{
		{eventType: "session.joined", native: &native.Attendance{}, zuddl: "JOINED_SESSION"},
		{eventType: "session.left", native: &native.Attendance{}},
		{eventType: "session.time_spent", native: &native.Attendance{}, zuddl: "TIME_SPENT_IN_SESSION"},
		{eventType: "event.time_spent", native: &native.Attendance{}, zuddl: "TIME_SPENT_IN_EVENT", extra: true},
		{eventType: "event.created", native: &native.EventChange{}, zuddl: "EVENT_CREATED", extra: true},
		{eventType: "event.updated", native: &native.EventChange{}, zuddl: "EVENT_UPDATED", extra: true},
		{eventType: "registration.created", native: &native.RegistrationChange{}, zuddl: "REGISTERED", extra: true},
		{eventType: "registration.attended", native: &native.RegistrationChange{}, zuddl: "ATTENDED", extra: true},
		{eventType: "registration.no_show", native: &native.RegistrationChange{}, zuddl: "NO_SHOW", extra: true},

		{eventType: "session.created", native: &native.SessionChange{}, sessionboard: &sessionboard.Session{}},
		{eventType: "session.updated", native: &native.SessionChange{}, sessionboard: &sessionboard.Session{}},
		{eventType: "session.deleted", native: &native.SessionChange{}, sessionboard: &sessionboard.Session{}},
		{eventType: "session.speaker.attached", native: &native.SpeakerChange{}, sessionboard: &sessionboard.Session{}},
		{eventType: "session.speaker.detached", native: &native.SpeakerChange{}, sessionboard: &sessionboard.Session{}},

		{eventType: "conversation.user_joined", native: &native.ConversationChange{}, oration: "conversation.userJoined"},
		{eventType: "conversation.user_left", native: &native.ConversationChange{}, oration: "conversation.userLeft", extra: true},
		{eventType: "conversation.completed", native: &native.ConversationChange{}, oration: "conversation.completed", extra: true},
		{eventType: "conversation.analysis_completed", native: &native.ConversationChange{}, oration: "conversation.analysisCompleted", extra: true},

		{eventType: "conference.recording.ready", native: &native.ConferenceRecording{}, iotum: "recording_ready", payload: &iotum.RecordingReady{}},
		{eventType: "conference.stream.preview_updated", native: &native.ConferencePreview{}, iotum: "stream_preview_updated", payload: &iotum.StreamPreview{}},
		{eventType: "conference.participant.entered", native: &native.ConferenceParticipant{}, iotum: "enter_conference", payload: &iotum.ConferenceEntered{}},
		{eventType: "conference.participant.left", native: &native.ConferenceParticipant{}, iotum: "leave_conference", payload: &iotum.ConferenceLeft{}},
		{eventType: "conference.participant.role_changed", native: &native.ConferenceParticipant{}, iotum: "participant_role_changed", payload: &iotum.RoleChanged{}},
		{eventType: "conference.participant.time_spent", native: &native.ConferenceParticipant{}},
		{eventType: "conference.livestream.entered", native: &native.ConferenceParticipant{}, iotum: "enter_livestream", payload: &iotum.LivestreamEntered{}},
		{eventType: "conference.livestream.left", native: &native.ConferenceParticipant{}, iotum: "leave_livestream", payload: &iotum.LivestreamLeft{}},
		{eventType: "conference.dialout.status_changed", native: &native.ConferenceDialout{}, iotum: "dialout_status_change", payload: &iotum.Dialout{}},
		{eventType: "conference.access_code.reused", native: &native.ConferenceAccessCode{}, iotum: "one_time_access_code_reused", payload: &iotum.AccessCodeReused{}},
		{eventType: "host.profile_picture.uploaded", native: &native.Host{}, iotum: "profile_picture_upload_success", payload: &iotum.Host{}},
		{eventType: "host.profile_picture.failed", native: &native.Host{}, iotum: "profile_picture_upload_failure", payload: &iotum.Host{}},
		{eventType: "drive.file.added", native: &native.DriveFile{}, iotum: "drive_file_added", payload: &iotum.DriveFileAdded{}},
		{eventType: "drive.file.deleted", native: &native.DriveFile{}, iotum: "drive_file_deleted", payload: &iotum.DriveFileDeleted{}},
		{eventType: "iotum.vcon_import_success", native: &native.Other{}, iotum: "vcon_import_success", payload: &iotum.VConImported{}, extra: true},
		{eventType: "iotum.vcon_import_failure", native: &native.Other{}, iotum: "vcon_import_failure", payload: &iotum.VConFailed{}, extra: true},
	}
	for _, verb := range []string{"created", "updated", "deleted", "event.associated", "event.disassociated"} {
		types = append(types,
			spoken{eventType: "contact." + verb, native: &native.ContactChange{}, sessionboard: &sessionboard.Contact{}},
			spoken{eventType: "exhibitor." + verb, native: &native.ExhibitorChange{}, sessionboard: &sessionboard.Exhibitor{}},
			spoken{eventType: "sponsor." + verb, native: &native.SponsorChange{}, sessionboard: &sessionboard.Sponsor{}})
	}
	for eventType, event := range map[string]iotum.Event{
		"conference.started": "conference_start", "conference.ended": "conference_end",
		"conference.recording.started": "start_recording", "conference.recording.stopped": "stop_recording",
		"conference.transcription.ready": "transcription_ready",
		"conference.stream.started":      "start_streaming", "conference.stream.stopped": "stop_streaming",
		"conference.broadcast.started": "start_broadcasting", "conference.broadcast.stopped": "stop_broadcasting",
	} {
		types = append(types, spoken{eventType: eventType, native: &native.Conference{}, iotum: event, payload: &iotum.Conference{}})
	}
	return types
}

// words are the vendors' words for the type, by dialect.
func (s *spoken) words() map[string]string {
	words := map[string]string{}
	for dialect, word := range map[string]string{"zuddl": string(s.zuddl), "oration": string(s.oration), "iotum": string(s.iotum)} {
		if word != "" {
			words[dialect] = word
		}
	}
	if s.sessionboard != nil {
		words["sessionboard"] = s.eventType
	}
	return words
}

// allDialects are the dialects that endpoints can have.
var allDialects = []string{"native", "zuddl", "sessionboard", "oration", "iotum"}

// happening is a sample of an event type, and the message that it was posted as.
type happening struct {
	spoken
	id        string // of the message
	tenant    string // the app's uid
	server    string // its public URL
	payload   string
	timestamp time.Time
	data      fields
}

// text is a member of the data as text, found by its path; "" if there is none.
func (h *happening) text(path ...string) string {
	var value any = h.data
	for _, name := range path {
		object, _ := value.(fields)
		value = object[name]
	}
	switch v := value.(type) {
	case string:
		return v
	case json.Number:
		return v.String()
	}
	return ""
}

// happen posts the catalogue's sample of a type.
func (o operator) happen(t testing.TB, app, tenant string, s *spoken) *happening {
	t.Helper()
	h := &happening{spoken: *s, tenant: tenant, server: o.server.URL, payload: o.sample(t, s.eventType)}
	var body struct {
		Type      string
		Timestamp time.Time
		Data      fields
	}
	decoder := json.NewDecoder(strings.NewReader(h.payload))
	decoder.UseNumber()
	if err := decoder.Decode(&body); err != nil || body.Type != s.eventType {
		t.Fatalf("the sample of %s: %v: %.200s", s.eventType, err, h.payload)
	}
	h.timestamp, h.data = body.Timestamp, body.Data
	h.id = o.post(t, app, s.eventType, h.payload).ID
	return h
}

// hearEveryType posts the sample of every event type of the catalogue to an app with an endpoint of each dialect, none of
// which translates: each of the 45 events that the vendors' pages document comes in its own words, once, and so do the
// others, and each comes natively as it was posted.
func hearEveryType(t *testing.T, st *stage) {
	const tenant = "every-type"
	app, boxes, endpoints := st.newApp(t, tenant), map[string]*mailbox{}, map[string]string{}
	for _, dialect := range allDialects {
		boxes[dialect] = st.office.box(t, dialect)
		endpoints[dialect] = st.endpoint(t, app, boxes[dialect], fields{"translate": false})
	}
	types := spokenTypes()
	st.checkCatalogue(t, types)
	happened := map[string]map[string]*happening{} // by dialect and word
	for _, dialect := range allDialects {
		happened[dialect] = map[string]*happening{}
	}
	documented := 0
	for i := range types {
		h := st.happen(t, app, tenant, &types[i])
		happened["native"][h.eventType] = h
		for dialect, word := range h.words() {
			happened[dialect][word] = h
			if !h.extra {
				documented++
			}
		}
	}
	if documented != 45 {
		t.Errorf("%d event types that vendors document were posted, want 45", documented)
	}
	for _, dialect := range allDialects {
		st.settle(t, app, endpoints[dialect], int64(len(happened[dialect])), 0)
		var want []string
		for word := range happened[dialect] {
			want = append(want, word)
		}
		boxes[dialect].wantKinds(t, want...)
		for _, m := range boxes[dialect].taken() {
			if h := happened[dialect][m.kind]; h != nil {
				h.check(t, dialect, m)
			}
		}
		for _, r := range boxes[dialect].received() {
			if mime, agent := r.header.Get("Content-Type"), r.header.Get("User-Agent"); mime != "application/json" || !strings.HasPrefix(agent, "Callboard/") {
				t.Errorf("in %s the content type is %q and the user agent %q", dialect, mime, agent)
			}
		}
	}
}

// checkCatalogue compares the list of event types with what they should be.
func (o operator) checkCatalogue(t testing.TB, types []spoken) {
	t.Helper()
	var list struct {
		Data []struct {
			Name, Origin string
			Words        map[string]string
			Translations []string
		}
	}
	o.call(t, http.StatusOK, http.MethodGet, "/event-type?limit=250", nil, &list)
	want, got := map[string]map[string]string{}, map[string]map[string]string{}
	for i := range types {
		want[types[i].eventType] = types[i].words()
	}
	for _, listed := range list.Data {
		if listed.Origin != "catalog" {
			t.Errorf("%s is of the origin %q", listed.Name, listed.Origin)
		}
		for _, dialect := range listed.Translations {
			delete(listed.Words, dialect)
		}
		got[listed.Name] = listed.Words
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the event types and the dialects' own words (-want +got):\n%s", diff)
	}
}

// check compares what came with what was posted.
func (h *happening) check(t *testing.T, dialect string, m message) {
	t.Helper()
	var wrong []string
	same := func(what, got, want string) {
		if got != want {
			wrong = append(wrong, what+" is "+got+", want "+want)
		}
	}
	switch w := m.data.(type) {
	case *native.Webhook:
		h.checkNative(m, w, same)
	case *zuddl.Webhook:
		h.checkZuddl(m, w, same)
	case *sessionboard.Webhook:
		h.checkSessionboard(m, w, same)
	case *oration.Webhook:
		h.checkOration(m, w, same)
	case *iotum.Webhook:
		h.checkIotum(m, w, same)
	default:
		t.Fatalf("%s came in %s as a %T", h.eventType, dialect, m.data)
	}
	if len(wrong) > 0 {
		t.Errorf("%s in %s: %s\n%s", h.eventType, dialect, strings.Join(wrong, "; "), m.body)
	}
}

// compare notes what is not as it should be.
type compare func(what, got, want string)

// typeOf names a Go type.
func typeOf(v any) string { return reflect.TypeOf(v).String() }

// The forms of times on the wire.
const (
	toTheSecond = "2006-01-02T15:04:05Z"
	toTheMilli  = "2006-01-02T15:04:05.000Z"
)

func (h *happening) checkNative(m message, w *native.Webhook, same compare) {
	same("the body", string(m.body), h.payload)
	same("the id", m.id, h.id)
	same("type", string(w.Type), h.eventType)
	same("the data's Go type", typeOf(w.Data), typeOf(h.native))
	same("timestamp", m.at.Format(toTheMilli), h.timestamp.Format(toTheMilli))
}

func (h *happening) checkZuddl(m message, w *zuddl.Webhook, same compare) {
	same("action", string(w.Action), string(h.zuddl))
	same("the version of actionId", w.ActionID.String()[14:15], "8")
	same("the id", m.id, w.ActionID.String())
	same("actionCreatedAt", m.at.Format(toTheSecond), h.timestamp.Format(toTheSecond))
	same("event.id", w.Event.ID.String(), h.text("event", "id"))
	same("event.name", w.Event.Name, h.text("event", "name"))
	same("event.organizationId", w.Event.OrganizationID.String(), h.tenant)
	if h.data["registration"] != nil {
		same("registration.id", w.Registration.ID.String(), h.text("registration", "id"))
		same("registration.profile.email", w.Registration.Profile.Email, h.text("registration", "profile", "email"))
	}
	if h.data["session"] != nil {
		same("session.id", w.Session.ID.String(), h.text("session", "id"))
		same("session.title", w.Session.Title, h.text("session", "title"))
	}
	minutes := ""
	if w.TimeSpentInMinutes != nil {
		minutes = textOf(*w.TimeSpentInMinutes)
	}
	same("timeSpentInMinutes", minutes, h.text("timeSpentInMinutes"))
}

// textOf is a value as JSON.
func textOf(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		return err.Error()
	}
	return string(text)
}

func (h *happening) checkSessionboard(m message, w *sessionboard.Webhook, same compare) {
	resource, rest, _ := strings.Cut(h.eventType, ".")
	same("metadata.action", string(w.Metadata.Action), h.eventType)
	same("the id", m.id, h.id)
	same("metadata.org_id", w.Metadata.OrgID.String(), h.tenant)
	same("metadata.datetime", m.at.Format(toTheSecond), h.timestamp.Format(toTheSecond))
	number := ""
	if resource == "session" || strings.HasPrefix(rest, "event.") {
		number = h.text("event", "number")
	}
	same("metadata.event_id", w.Metadata.EventID.String(), number)
	home := "/organization/" + h.tenant
	if number != "" {
		home = "/event/" + number
	}
	same("metadata.resource_url", w.Metadata.ResourceURL, h.server+"/v1"+home+"/"+resource+"s/"+h.text(resource, "id"))
	same("the data's Go type", typeOf(w.Data), typeOf(h.sessionboard))
	same("data.id", w.Data.ResourceID().String(), h.text(resource, "id"))
	same("data.sourceOfChange", string(w.Data.Source()), h.text("sourceOfChange"))
	switch data := w.Data.(type) {
	case *sessionboard.Session:
		same("data.title", data.Title, h.text("session", "title"))
		if data.Speaker != nil {
			same("data.speaker.id", data.Speaker.ID.String(), h.text("speaker", "id"))
		}
		same("whether there is a data.speaker", textOf(data.Speaker != nil), textOf(strings.HasPrefix(rest, "speaker.")))
	case *sessionboard.Contact:
		same("data.email", data.Email, h.text("contact", "email"))
	case *sessionboard.Exhibitor:
		same("data.name", data.Name, h.text("exhibitor", "name"))
	case *sessionboard.Sponsor:
		same("data.name", data.Name, h.text("sponsor", "name"))
	}
}

func (h *happening) checkOration(m message, w *oration.Webhook, same compare) {
	same("eventType", string(w.EventType), string(h.oration))
	same("eventId", w.EventID.String(), strings.Replace(h.id, "msg_", "evt_", 1))
	same("the id", m.id, w.EventID.String())
	same("payload.id", w.Payload.ID.String(), h.text("conversation", "id"))
	same("payload.workspaceId", w.Payload.WorkspaceID.String(), h.text("conversation", "workspaceId"))
	same("payload.customer.id", w.Payload.Customer.ID.String(), h.text("conversation", "customer", "id"))
}

// iotumMembers are members of iotum's payloads, and what they are called in data.
var iotumMembers = map[string]string{
	"host_id": "hostId", "company_id": "companyId", "conference_id": "conferenceId", "participant_id": "participantId",
	"participant_role": "participantRole", "meeting_url": "meetingUrl", "reason_for_leaving": "reasonForLeaving",
	"recording_id": "recordingId", "download_link": "downloadLink", "video_url": "videoUrl", "status": "status",
	"original_conference_id": "originalConferenceId", "filename": "filename", "size": "size",
}

func (h *happening) checkIotum(m message, w *iotum.Webhook, same compare) {
	same("event", string(w.Event), string(h.iotum))
	same("the payload's Go type", typeOf(w.Payload), typeOf(h.spoken.payload))
	same("timestamp", m.at.Format(toTheMilli), h.timestamp.Format(toTheMilli))
	var payload map[string]json.RawMessage
	if err := json.Unmarshal([]byte(textOf(w.Payload)), &payload); err != nil {
		same("the payload", err.Error(), "an object")
	}
	met := 0
	for theirs, ours := range iotumMembers {
		if want := h.text(ours); want != "" && (theirs != "company_id" || h.eventType != "conference.participant.role_changed") {
			same(theirs, strings.Trim(string(payload[theirs]), `"`), want)
			met++
		}
	}
	for _, id := range []string{"uuid", "conference_id", "company_id", "host_id", "error"} { // of types that are iotum's alone
		if want := h.text(id); want != "" {
			same(id, strings.Trim(string(payload[id]), `"`), want)
			met++
		}
	}
	same("whether ids were compared", textOf(met >= 2), "true")
}

// hearTranslations has the neighbours' types come in each other's words, but to endpoints that refuse translations.
func hearTranslations(t *testing.T, st *stage) {
	for _, tt := range []struct {
		dialect, eventType, word string
		check                    func(h *happening, data any, same compare)
	}{
		{"zuddl", "conference.participant.entered", "JOINED_SESSION", checkConferenceInZuddl},
		{"zuddl", "conference.participant.time_spent", "TIME_SPENT_IN_SESSION", checkConferenceInZuddl},
		{"zuddl", "conversation.user_joined", "JOINED_SESSION", checkConversationInZuddl},
		{"oration", "session.joined", "conversation.userJoined", checkSessionInOration},
		{"oration", "session.left", "conversation.userLeft", checkSessionInOration},
		{"oration", "conference.participant.entered", "conversation.userJoined", checkConferenceInOration},
		{"oration", "conference.participant.left", "conversation.userLeft", checkConferenceInOration},
		{"iotum", "session.joined", "enter_conference", checkSessionInIotum},
		{"iotum", "session.left", "leave_conference", checkSessionInIotum},
		{"iotum", "conversation.user_joined", "enter_conference", checkConversationInIotum},
		{"iotum", "conversation.user_left", "leave_conference", checkConversationInIotum},
	} {
		t.Run(tt.eventType+" in "+tt.dialect, func(t *testing.T) {
			willing, refusing := st.office.box(t, tt.dialect), st.office.box(t, tt.dialect)
			app := st.newApp(t, "")
			hearer := st.endpoint(t, app, willing, nil)
			st.endpoint(t, app, refusing, fields{"translate": false})
			h := st.happen(t, app, app, &spoken{eventType: tt.eventType})
			st.settle(t, app, hearer, 1, 0)
			willing.wantKinds(t, tt.word)
			m := willing.only(t)
			tt.check(h, m.data, func(what, got, want string) {
				if got != want || want == "" {
					t.Errorf("%s is %s, want %s\n%s", what, got, want, m.body)
				}
			})
			var hearers struct{ Data []struct{ ID string } }
			st.call(t, http.StatusOK, http.MethodGet, "/app/"+app+"/msg/"+h.id+"/endpoint", nil, &hearers)
			if len(hearers.Data) != 1 || hearers.Data[0].ID != hearer {
				t.Errorf("it has deliveries to %v, want to %s alone", hearers.Data, hearer)
			}
			refusing.wantKinds(t)
		})
	}
}

func checkConferenceInZuddl(h *happening, data any, same compare) {
	w := data.(*zuddl.Webhook)
	same("event.id", w.Event.ID.String(), h.text("conferenceId"))
	same("event.organizationId", w.Event.OrganizationID.String(), h.text("companyId"))
	same("session.id", w.Session.ID.String(), h.text("conferenceId"))
	same("session.title", w.Session.Title, h.text("conferenceName"))
	same("registration.id", w.Registration.ID.String(), h.text("participantId"))
	same("registration.profile.email", w.Registration.Profile.Email, h.text("participantEmail"))
	if w.TimeSpentInMinutes != nil {
		same("timeSpentInMinutes", textOf(*w.TimeSpentInMinutes), h.text("timeSpentInMinutes"))
	}
}

func checkConversationInZuddl(h *happening, data any, same compare) {
	w := data.(*zuddl.Webhook)
	same("event.id", w.Event.ID.String(), h.text("conversation", "id"))
	same("event.organizationId", w.Event.OrganizationID.String(), h.text("conversation", "workspaceId"))
	same("session.id", w.Session.ID.String(), h.text("conversation", "id"))
	same("registration.id", w.Registration.ID.String(), h.text("conversation", "customerId"))
}

func checkSessionInOration(h *happening, data any, same compare) {
	c := data.(*oration.Webhook).Payload
	same("payload.id", c.ID.String(), h.text("session", "id"))
	same("payload.workspaceId", c.WorkspaceID.String(), h.tenant)
	same("payload.customerId", c.CustomerID.String(), h.text("registration", "id"))
	same("payload.customer.email", c.Customer.Email, h.text("registration", "profile", "email"))
}

func checkConferenceInOration(h *happening, data any, same compare) {
	c := data.(*oration.Webhook).Payload
	same("payload.id", c.ID.String(), h.text("conferenceId"))
	same("payload.workspaceId", c.WorkspaceID.String(), h.text("companyId"))
	same("payload.customerId", c.CustomerID.String(), h.text("participantId"))
	same("payload.customer.name", c.Customer.Name, h.text("participantName"))
}

func checkSessionInIotum(h *happening, data any, same compare) {
	checkIotumPayload(data, same, h.text("session", "id"), h.text("registration", "id"), h.tenant)
}

func checkConversationInIotum(h *happening, data any, same compare) {
	checkIotumPayload(data, same, h.text("conversation", "id"), h.text("conversation", "customerId"), h.text("conversation", "workspaceId"))
}

func checkIotumPayload(data any, same compare, conference, participant, company string) {
	switch p := data.(*iotum.Webhook).Payload.(type) {
	case *iotum.ConferenceEntered:
		same("conference_id", p.ConferenceID.String(), conference)
		same("participant_id", p.ParticipantID.String(), participant)
		same("company_id", p.CompanyID.String(), company)
	case *iotum.ConferenceLeft:
		same("conference_id", p.ConferenceID.String(), conference)
		same("participant_id", p.ParticipantID.String(), participant)
		same("company_id", p.CompanyID.String(), company)
	default:
		same("the payload's Go type", typeOf(p), "one about a participant")
	}
}

// hearTenant has messages that name no organization come with the app's uid in its place, as a number where the vendor
// has numbers and it is one; without a uid, with the app's id.
func hearTenant(t *testing.T, st *stage) {
	for _, tt := range []struct{ uid, number string }{{"harbour", `"harbour"`}, {"5512", `5512`}, {"", ""}} {
		app := st.newApp(t, tt.uid)
		tenant, number := tt.uid, tt.number
		if tenant == "" {
			tenant, number = app, `"`+app+`"`
		}
		boxes := map[string]*mailbox{}
		for _, dialect := range []string{"zuddl", "sessionboard", "oration", "iotum"} {
			boxes[dialect] = st.office.box(t, dialect)
			st.endpoint(t, app, boxes[dialect], fields{"translate": false})
		}
		st.post(t, app, "session.joined", st.sample(t, "session.joined"))
		st.post(t, app, "contact.created", st.sample(t, "contact.created"))
		st.post(t, app, "conversation.user_joined", altered(t, st.sample(t, "conversation.user_joined"), func(data fields) {
			delete(data["conversation"].(fields), "workspaceId")
		}))
		st.post(t, app, "conference.started", altered(t, st.sample(t, "conference.started"), func(data fields) { delete(data, "companyId") }))
		got := map[string]string{
			"zuddl":        textOf(boxes["zuddl"].only(t).data.(*zuddl.Webhook).Event.OrganizationID),
			"sessionboard": textOf(boxes["sessionboard"].only(t).data.(*sessionboard.Webhook).Metadata.OrgID),
			"oration":      textOf(boxes["oration"].only(t).data.(*oration.Webhook).Payload.WorkspaceID),
			"iotum":        textOf(boxes["iotum"].only(t).data.(*iotum.Webhook).Payload.(*iotum.Conference).CompanyID),
		}
		want := map[string]string{"zuddl": textOf(tenant), "sessionboard": textOf(tenant), "oration": textOf(tenant), "iotum": number}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("with the uid %q (-want +got):\n%s", tt.uid, diff)
		}
	}
}

// subscribeInWords creates endpoints that subscribe to types by Callboard's names and by the dialects' own.
func subscribeInWords(t *testing.T, st *stage) {
	app := st.newApp(t, "")
	joins := []string{"session.joined", "conference.participant.entered", "conversation.user_joined"}
	for _, tt := range []struct {
		name    string
		dialect string
		more    fields
		want    []string // as they are stored; nil = the endpoint is refused
		says    string
	}{
		{"Callboard's name", "zuddl", fields{"filterTypes": []string{"session.joined"}}, joins[:1], ""},
		{"a word for several types", "zuddl", fields{"filterTypes": []string{"JOINED_SESSION"}}, joins, ""},
		{"a word without translations", "zuddl", fields{"filterTypes": []string{"JOINED_SESSION"}, "translate": false}, joins[:1], ""},
		{"both", "zuddl", fields{"filterTypes": []string{"session.joined", "REGISTERED"}}, []string{"session.joined", "registration.created"}, ""},
		{"Svix's older name of the field", "iotum", fields{"eventTypes": []string{"conference_start"}}, []string{"conference.started"}, ""},
		{"Oration's word", "oration", fields{"filterTypes": []string{"conversation.completed"}}, []string{"conversation.completed"}, ""},
		{"a type to come", "native", fields{"filterTypes": []string{"nobody.knows.yet"}}, []string{"nobody.knows.yet"}, ""},
		{"a type that the dialect cannot say", "zuddl", fields{"filterTypes": []string{"session.joined", "session.left"}}, nil, "session.left"},
		{"another dialect's word", "sessionboard", fields{"filterTypes": []string{"JOINED_SESSION"}}, nil, "JOINED_SESSION"},
		{"a translation that is refused", "oration", fields{"filterTypes": []string{"session.joined"}, "translate": false}, nil, "session.joined"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			in := fields{"url": st.office.box(t, tt.dialect).URL, "dialect": tt.dialect}
			maps.Copy(in, tt.more)
			path := "/app/" + app + "/endpoint"
			if tt.want == nil {
				var refused refusal
				st.call(t, http.StatusUnprocessableEntity, http.MethodPost, path, in, &refused)
				types := tt.more["filterTypes"].([]string)
				at := textOf(slices.Index(types, tt.says))
				if d := refused.Detail; len(d) != 1 || !slices.Equal(d[0].Loc, []string{"body", "filterTypes", at}) || !strings.Contains(d[0].Msg, tt.says) {
					t.Errorf("refused with %+v, want a word about %s", d, tt.says)
				}
				return
			}
			var ep struct{ FilterTypes []string }
			st.call(t, http.StatusCreated, http.MethodPost, path, in, &ep)
			slices.Sort(ep.FilterTypes)
			want := slices.Sorted(slices.Values(tt.want))
			if diff := cmp.Diff(want, ep.FilterTypes); diff != "" {
				t.Errorf("filterTypes (-want +got):\n%s", diff)
			}
		})
	}
	// What was subscribed to is what comes.
	app = st.newApp(t, "")
	words, names := st.office.box(t, "zuddl"), st.office.box(t, "zuddl")
	byWord := st.endpoint(t, app, words, fields{"filterTypes": []string{"JOINED_SESSION"}})
	byName := st.endpoint(t, app, names, fields{"filterTypes": []string{"registration.created"}})
	for _, eventType := range append(joins, "registration.created", "session.time_spent", "session.left") {
		st.post(t, app, eventType, st.sample(t, eventType))
	}
	st.settle(t, app, byWord, 3, 0)
	st.settle(t, app, byName, 1, 0)
	words.wantKinds(t, "JOINED_SESSION", "JOINED_SESSION", "JOINED_SESSION")
	names.wantKinds(t, "REGISTERED")
}

// hearForeignWords posts what Zuddl has a word for and the catalogue no type: native endpoints and Zuddl's hear it.
func hearForeignWords(t *testing.T, st *stage) {
	app, boxes := st.newApp(t, ""), map[string]*mailbox{}
	for _, dialect := range allDialects {
		boxes[dialect] = st.office.box(t, dialect)
		st.endpoint(t, app, boxes[dialect], nil)
	}
	body := `{"type":"zuddl.ANSWERED_POLL","timestamp":"2027-06-10T09:10:00.000Z","data":{"registration":{"id":"r1"},"poll":{"id":"p1"}}}`
	m := st.post(t, app, "zuddl.ANSWERED_POLL", body)
	w := boxes["zuddl"].only(t).data.(*zuddl.Webhook)
	if w.Action != "ANSWERED_POLL" || w.Registration.ID.String() != "r1" || string(w.Unknown.Get("poll")) != `{"id":"p1"}` {
		t.Errorf("it came in zuddl as %+v", w)
	}
	if got := boxes["native"].only(t); string(got.body) != body {
		t.Errorf("it came natively as %s", got.body)
	}
	var hearers struct{ Data []struct{ Dialect string } }
	st.call(t, http.StatusOK, http.MethodGet, "/app/"+app+"/msg/"+m.ID+"/endpoint", nil, &hearers)
	if len(hearers.Data) != 2 {
		t.Errorf("it has deliveries to %v, want to two endpoints", hearers.Data)
	}
	var refused refusal
	st.send(t, http.StatusUnprocessableEntity, http.MethodPost, "/app/"+app+"/msg", messageOf("zuddl.ANSWERED_POLL", `{"poll":1}`), &refused)
	if len(refused.Detail) == 0 {
		t.Error("a payload that is no native body is refused without a word")
	}
}
