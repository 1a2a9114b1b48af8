package client_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/callboard/callboard/client"
	"github.com/callboard/callboard/wire"
	"github.com/callboard/callboard/wire/native"
	"github.com/callboard/callboard/wire/oration"
)

// TestActivityData tells one activity of every type with its own data, and looks at the
// messages.
func TestActivityData(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := wire.Text
	meeting := client.Meeting{ConferenceID: "k"}
	attendance := client.Attendance{EventID: "e", SessionID: "s", RegistrationID: "r"}
	file := client.DriveFile{HostID: "h", CompanyID: "c", ID: "f", Filename: "slides.pdf", Size: new(int64(5))}
	participant := client.Participant{
		ConferenceID: "k", ParticipantID: "p", ParticipantRole: native.RoleModerator, MeetingURL: "https://example.com/k",
		ParticipantName: "Grace", ParticipantEmail: "grace@example.com", ParticipantPhoneNumber: "+15550100",
	}
	left := participant
	left.MeetingURL, left.ReasonForLeaving = "", native.ReasonUserExit
	organizer := participant
	organizer.ParticipantRole = native.RoleOrganizer
	for _, row := range []struct {
		t    native.Type
		data any
		more string // the messages, if others than the type
	}{
		{native.EventCreated, native.Event{ID: id("e"), Name: "E"}, ""},
		{native.EventUpdated, client.Subject{Event: &native.Event{ID: id("e"), Name: "Summit"}}, ""},
		{native.SessionCreated, client.Subject{EventID: "e", Session: &native.Session{ID: id("s"), Title: "S"}}, ""},
		{native.SessionUpdated, client.Subject{EventID: "e", SessionID: "s", Session: &native.Session{Title: "T"}}, ""},
		{native.RegistrationCreated, client.Subject{EventID: "e", Registration: &native.Registration{ID: id("r")}}, ""},
		{client.RegistrationUpdated, client.Subject{EventID: "e", RegistrationID: "r", Registration: &native.Registration{Profile: &native.Profile{FirstName: "Grace"}}}, "none"},
		{native.ContactCreated, native.Contact{ID: id("c"), FirstName: "Ada"}, ""},
		{native.ContactUpdated, client.Subject{ContactID: "c", Contact: &native.Contact{Title: "Dr"}}, ""},
		{native.ExhibitorCreated, client.Subject{Exhibitor: &native.Exhibitor{ID: id("x"), Name: "X"}}, ""},
		{native.ExhibitorUpdated, native.Exhibitor{ID: id("x"), Name: "Y"}, ""},
		{native.SponsorCreated, client.Subject{Sponsor: &native.Sponsor{ID: id("p"), Name: "P"}}, ""},
		{native.SponsorUpdated, native.Sponsor{ID: id("p"), Name: "Q"}, ""},
		{native.ContactEventAssociated, client.Subject{EventID: "e", ContactID: "c"}, ""},
		{native.ExhibitorEventAssociated, client.Subject{EventID: "e", ExhibitorID: "x"}, ""},
		{native.SponsorEventAssociated, client.Subject{EventID: "e", SponsorID: "p"}, ""},
		{native.SessionSpeakerAttached, client.Subject{EventID: "e", SessionID: "s", ContactID: "c", Speaker: &native.Participant{ParticipantRole: &native.SessionRole{Slug: "host"}}}, ""},
		{native.SessionJoined, attendance, ""},
		{native.SessionLeft, attendance, ""},
		{native.SessionJoined, client.Attendance{
			ConnectionID: "phone", Event: &native.Event{ID: id("e")}, Session: &native.Session{ID: id("s")}, Registration: &native.Registration{ID: id("new")},
		}, ""},
		{native.SessionSpeakerDetached, client.Subject{EventID: "e", SessionID: "s", ContactID: "c"}, ""},
		{native.ContactEventDisassociated, client.Subject{EventID: "e", ContactID: "c"}, ""},
		{native.ExhibitorEventDisassociated, client.Subject{EventID: "e", ExhibitorID: "x"}, ""},
		{native.SponsorEventDisassociated, client.Subject{EventID: "e", SponsorID: "p"}, ""},
		{native.ContactDeleted, client.Subject{ContactID: "c"}, ""},
		{native.ExhibitorDeleted, client.Subject{ExhibitorID: "x"}, ""},
		{native.SponsorDeleted, client.Subject{SponsorID: "p"}, ""},
		{client.RegistrationDeleted, client.Subject{EventID: "e", RegistrationID: "r"}, "none"},
		{native.SessionDeleted, client.Subject{EventID: "e", SessionID: "s"}, ""},
		{client.EventDeleted, client.Subject{EventID: "e"}, "none"},

		{native.ConferenceStarted, client.Meeting{ConferenceID: "k", HostID: "h", CompanyID: "c", ConferenceName: "Weekly"}, ""},
		{native.ConferenceParticipantEntered, participant, ""},
		{native.ConferenceParticipantRoleChanged, organizer, ""},
		{native.ConferenceDialoutStatusChanged, client.Dialout{ConferenceID: "k", ParticipantID: "d", Status: native.DialoutDialed, PhoneNumber: "+15550100"}, ""},
		{native.ConferenceRecordingStarted, meeting, ""},
		{native.ConferenceRecordingStopped, meeting, ""},
		{native.ConferenceRecordingReady, client.Recording{ConferenceID: "k", RecordingID: "rec", DownloadLink: "https://example.com/rec.mp4"}, ""},
		{native.ConferenceStreamStarted, meeting, ""},
		{native.ConferenceLivestreamEntered, participant, ""},
		{native.ConferenceLivestreamLeft, left, ""},
		{native.ConferenceStreamPreviewUpdated, client.Preview{ConferenceID: "k", VideoURL: "https://example.com/p.mp4", ImageURL: "https://example.com/p.jpg"}, ""},
		{native.ConferenceStreamStopped, meeting, ""},
		{native.ConferenceBroadcastStarted, meeting, ""},
		{native.ConferenceBroadcastStopped, meeting, ""},
		{native.ConferenceParticipantLeft, left, ""},
		{native.ConferenceAccessCodeReused, client.AccessCode{ConferenceID: "k", OriginalConferenceID: "before"}, ""},
		{native.ConferenceEnded, meeting, ""},
		{native.ConferenceTranscriptionReady, meeting, ""},
		{native.HostProfilePictureUploaded, client.Host{HostID: "h", CompanyID: "c"}, ""},
		{native.HostProfilePictureFailed, client.Host{HostID: "h", CompanyID: "c"}, ""},
		{client.DriveFileUploadFinished, file, "none"},
		{client.DriveFileProcessed, client.DriveFile{HostID: "h", ID: "f"}, "drive.file.added"},
		{native.DriveFileDeleted, client.DriveFile{HostID: "h", ID: "f"}, ""},
		{native.DriveFileAdded, file, ""},
		{native.ConversationUserJoined, client.Conversation{ID: id("t"), ToPhoneNumber: "+15550100"}, ""},
		{client.ConversationUpdated, client.Conversation{ID: id("t"), Summary: "They talked."}, "none"},
		{native.ConversationUserLeft, client.Conversation{ID: id("t")}, ""},
		{native.ConversationCompleted, client.Conversation{ID: id("t")}, ""},
		{native.ConversationAnalysisCompleted, client.Conversation{ID: id("t"), PostCallNotes: "All is well."}, ""},
	} {
		told := must[[]client.Told](t)(w.acme.Tell(t.Context(), client.Activity{Type: row.t, Data: row.data}))[0]
		if told.Status != client.Applied {
			t.Errorf("%s: %v", row.t, told.Err)
			continue
		}
		want := []string{string(row.t)}
		switch row.more {
		case "none":
			want = []string{}
		case "":
		default:
			want = []string{row.more}
		}
		got := []string{}
		for _, m := range told.Messages {
			var sent message
			must[any](t)(nil, w.Do(t.Context(), http.MethodGet, "/app/acme/msg/"+m, nil, &sent))
			got = append(got, sent.EventType)
			if row.more == "" && len(told.Messages) == 1 {
				hasAll(t, row.t, row.data, sent)
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s sent (-want +got):\n%s", row.t, diff)
		}
	}
	conversation := must[native.Conversation](t)(w.acme.Conversations().Get(t.Context(), "t"))
	if conversation.ToPhoneNumber != "+15550100" || conversation.Summary != "They talked." || conversation.PostCallNotes != "All is well." {
		t.Errorf("what was not said is gone: %+v", conversation)
	}
	k := must[client.Conference](t)(w.acme.Conferences().Get(t.Context(), "k"))
	if k.Status != client.ConferenceEnded || k.Name != "Weekly" || k.HostID != id("h") || k.CompanyID != id("c") || k.Recording != client.Stopped ||
		k.Stream != client.Stopped || k.Broadcast != client.Stopped || k.StartedAt.IsZero() || k.EndedAt.IsZero() {
		t.Errorf("conference %+v", k)
	}
	text, err := json.Marshal(k)
	if err != nil || !strings.Contains(string(text), `"participants":`) {
		t.Errorf("%s, %v", text, err)
	}
}

// hasAll: what was told of a conference, a file or a host is in the message under the same name.
func hasAll(t *testing.T, kind native.Type, data any, sent message) {
	t.Helper()
	var said map[string]any
	text := must[[]byte](t)(json.Marshal(data))
	if err := json.Unmarshal(text, &said); err != nil {
		t.Fatal(err)
	}
	got, _ := sent.Payload["data"].(map[string]any)
	for _, flat := range []string{"conference.", "host.", "drive."} {
		if !strings.HasPrefix(string(kind), flat) {
			continue
		}
		for name, value := range said {
			if diff := cmp.Diff(value, got[name]); diff != "" {
				t.Errorf("%s: %s (-told +sent):\n%s", kind, name, diff)
			}
		}
	}
}

// TestActivityJSON: activities are written as the document says, without what is not set.
func TestActivityJSON(t *testing.T) {
	t.Parallel()
	for want, a := range map[string]client.Activity{
		`{"type":"session.joined","data":{}}`: {Type: native.SessionJoined, Data: client.Attendance{}},
		`{"id":"1","type":"x","at":"2026-01-02T01:04:05.6Z","actor":{"id":"<&>"},"sourceOfChange":"agent","notify":false,"data":{"conferenceId":"k"}}`: {
			ID: "1", Type: "x", At: time.Date(2026, 1, 2, 3, 4, 5, 6e8, time.FixedZone("", 7200)), Actor: &client.Actor{ID: "<&>"},
			SourceOfChange: native.SourceAgent, Quiet: true, Data: client.Meeting{ConferenceID: "k"},
		},
		`{"type":"contact.deleted","erase":true,"data":{"id":"c"}}`: {
			Type: native.ContactDeleted, Erase: true, Data: map[string]string{"id": "c"},
		},
		`{"type":"x","data":{"id":"t","customer":{"name":"Grace"}}}`: {Type: "x", Data: client.Conversation{
			ID: wire.Text("t"), Customer: &oration.Customer{Name: "Grace"},
		}},
	} {
		got, err := json.Marshal(a)
		if err != nil || string(got) != strings.ReplaceAll(want, "<&>", `\u003c\u0026\u003e`) {
			t.Errorf("%s, %v; want %s", got, err, want)
		}
	}
}

// TestTell: the answers have the order of the activities, whatever becomes of them.
func TestTell(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.programme(t)
	join := func(id, registration string) client.Activity {
		return client.Activity{ID: id, Type: native.SessionJoined, Data: client.Attendance{EventID: "e", SessionID: "s", RegistrationID: registration}}
	}
	first := join("1", "r")
	told := must[[]client.Told](t)(w.acme.Tell(t.Context(), first, join("2", "none"), first, client.Activity{Type: "no.such", Data: nil}))
	var states []client.Status
	for _, one := range told {
		states = append(states, one.Status)
	}
	if diff := cmp.Diff([]client.Status{client.Applied, client.Refused, client.Duplicate, client.Refused}, states); diff != "" {
		t.Fatalf("(-want +got):\n%s", diff)
	}
	if len(told[0].Messages) != 1 || told[0].ID != "1" || told[0].Err != nil {
		t.Errorf("applied: %+v", told[0])
	}
	if e := told[1].Err; !errors.Is(e, client.ErrNotFound) || told[1].ID != "2" || !slices.Equal(e.Fields[0].Loc, []string{"data", "registrationId"}) {
		t.Errorf("refused: %+v", told[1])
	}
	if e := told[3].Err; e == nil || len(e.Fields) != 2 || !slices.Equal(e.Fields[0].Loc, []string{"type"}) || !slices.Equal(e.Fields[1].Loc, []string{"data"}) {
		t.Errorf("refused: %+v", told[3].Err)
	}

	told = must[[]client.Told](t)(w.acme.Tell(t.Context(), join("3", "none"), join("", "nobody")))
	if len(told) != 2 || told[0].ID != "3" || told[1].ID != "" {
		t.Errorf("all are refused: %+v", told)
	}
	for _, one := range told {
		if one.Status != client.Refused || one.Err.Error() != "POST /api/v1/app/acme/activity: 422 Unprocessable Entity: data.registrationId there is no such registration" {
			t.Errorf("all are refused: %+v", one)
		}
	}
	if told, err := w.acme.Tell(t.Context()); err != nil || len(told) != 0 {
		t.Errorf("nothing: %v, %v", told, err)
	}
	if _, err := w.acme.Tell(t.Context(), first, client.Activity{Data: func() {}}); err == nil || !strings.HasPrefix(err.Error(), "client: activity 1: ") {
		t.Errorf("no JSON: %v", err)
	}
	if _, err := w.acme.TellJSON(t.Context(), json.RawMessage(`{}]`)); err == nil || !strings.HasPrefix(err.Error(), "client: activity 0: ") {
		t.Errorf("no JSON: %v", err)
	}
	if _, err := w.App("none").Tell(t.Context(), first); !errors.Is(err, client.ErrNotFound) {
		t.Errorf("no app: %v", err)
	}
}

// TestTellMany needs several requests: by number, and by size.
func TestTellMany(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	contact := func(i, size int) client.Activity {
		return client.Activity{ID: fmt.Sprint(i), Type: native.ContactCreated, Quiet: true, Data: native.Contact{
			ID: wire.Text(fmt.Sprintf("c%d", i)), About: strings.Repeat("x", size),
		}}
	}
	for name, row := range map[string]struct{ n, size, requests int }{
		"by number": {1001, 0, 2},
		"by size":   {12, 100_000, 2},
	} {
		var all []client.Activity
		for i := range row.n {
			all = append(all, contact(len(name)*10_000+i, row.size))
		}
		w.took()
		told := must[[]client.Told](t)(w.acme.Tell(t.Context(), all...))
		if len(told) != row.n || len(w.took()) != row.requests {
			t.Errorf("%s: %d answers", name, len(told))
		}
		for i, one := range told {
			if one.Status != client.Applied || one.ID != all[i].ID {
				t.Fatalf("%s: number %d: %+v", name, i, one)
			}
		}
	}
}

// TestTellUnreadable: an activity that no server can read keeps out none of the others.
func TestTellUnreadable(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	fine := func(id string) json.RawMessage {
		return json.RawMessage(`{"type":"contact.created","data":{"id":"` + id + `"}}`)
	}
	told := must[[]client.Told](t)(w.acme.TellJSON(
		t.Context(),
		fine("a"), json.RawMessage(`{"id":"bad","type":"contact.created","data":{"id":"\ud800"}}`), fine("b"),
		// Deeper than any reader goes, once it stands among others.
		json.RawMessage(`{"id":"deep","type":"contact.created","data":{"a":`+strings.Repeat("[", 9998)+strings.Repeat("]", 9998)+`}}`),
		json.RawMessage(`{"id":"big","type":"contact.created","data":{"about":"`+strings.Repeat("x", 1<<20)+`"}}`), fine("c"),
	))
	var got []string
	for _, one := range told {
		text := string(one.Status) + one.ID
		if one.Err != nil {
			text += fmt.Sprint(one.Err.Status)
		}
		got = append(got, text)
	}
	if diff := cmp.Diff([]string{"applied", "refusedbad422", "applied", "refuseddeep400", "refusedbig413", "applied"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if n := len(collect(t, &w.acme.Contacts().Reader)); n != 3 {
		t.Errorf("%d contacts", n)
	}
}

// TestTellBreaksOff: what was answered before an error is given with it.
func TestTellBreaksOff(t *testing.T) {
	t.Parallel()
	one := `{"id":null,"status":"applied","messages":["msg_1"]},`
	many := strings.TrimSuffix(strings.Repeat(one, 1000), ",")
	for name, last := range map[string]answer{
		"forbidden": {status: 403, body: `{"code":"permission_denied","detail":"no"}`},
		"too few":   {status: 202, body: `{"data":[]}`},
		"elsewhere": {status: 422, body: `{"detail":[{"loc":["body","activities"],"msg":"no"}]}`},
		"nowhere":   {status: 422, body: `{"detail":[]}`},
		"beyond":    {status: 422, body: `{"detail":[{"loc":["body","activities","1","data"],"msg":"no"}]}`},
	} {
		c, f := newFake(t, answer{status: 202, body: `{"data":[` + many + `]}`}, last)
		told, err := c.App("a").Tell(t.Context(), slices.Repeat([]client.Activity{{Type: "x", Data: struct{}{}}}, 1001)...)
		if err == nil || len(told) != 1000 || len(f.got) != 2 {
			t.Errorf("%s: %d answers in %d requests, %v", name, len(told), len(f.got), err)
		}
	}
}
