package iotum_test

import (
	"bytes"
	"encoding/json"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/callboard/callboard/wire"
	"github.com/callboard/callboard/wire/iotum"
)

// The values of the payloads that are tested.
var (
	host, company, conference = wire.Number(1), wire.Number(2), wire.Number(3)
	participant               = wire.Number(4)
	onlyIDs                   = &iotum.Conference{HostID: host, CompanyID: company, ConferenceID: conference}
)

// ids is how the three are written.
const ids = `"host_id":1,"company_id":2,"conference_id":3`

// events are all that are documented, each with its payload as a value and as it is
// written: every member that the vendor's page lists, in its order, and no other.
var events = []struct {
	event   iotum.Event
	payload iotum.Payload
	text    string
}{
	{"conference_start", onlyIDs, `{` + ids + `}`},
	{"conference_end", onlyIDs, `{` + ids + `}`},
	{"start_recording", onlyIDs, `{` + ids + `}`},
	{"stop_recording", onlyIDs, `{` + ids + `}`},
	{"start_streaming", onlyIDs, `{` + ids + `}`},
	{"stop_streaming", onlyIDs, `{` + ids + `}`},
	{"recording_ready", &iotum.RecordingReady{HostID: host, CompanyID: company, ConferenceID: conference, RecordingID: wire.Number(5), DownloadLink: "https://r/5.mp3"}, `{` + ids + `,"recording_id":5,"download_link":"https://r/5.mp3"}`},
	{"transcription_ready", onlyIDs, `{` + ids + `}`},
	{"enter_livestream", &iotum.LivestreamEntered{HostID: host, CompanyID: company, ConferenceID: conference, ParticipantID: participant}, `{` + ids + `,"participant_id":4}`},
	{"leave_livestream", &iotum.LivestreamLeft{HostID: host, CompanyID: company, ConferenceID: conference, ParticipantID: participant, ReasonForLeaving: iotum.ReasonUserDropped}, `{` + ids + `,"participant_id":4,"reason_for_leaving":"user_dropped"}`},
	{"stream_preview_updated", &iotum.StreamPreview{HostID: host, CompanyID: company, ConferenceID: conference, VideoURL: "https://v", ImageURL: "https://i"}, `{` + ids + `,"video_url":"https://v","image_url":"https://i"}`},
	{"profile_picture_upload_success", &iotum.Host{HostID: host, CompanyID: company}, `{"host_id":1,"company_id":2}`},
	{"profile_picture_upload_failure", &iotum.Host{HostID: host, CompanyID: company}, `{"host_id":1,"company_id":2}`},
	{"enter_conference", &iotum.ConferenceEntered{HostID: host, CompanyID: company, ConferenceID: conference, ParticipantID: participant, ParticipantRole: iotum.RoleOrganizer, MeetingURL: "https://m"}, `{` + ids + `,"participant_id":4,"participant_role":"organizer","meeting_url":"https://m"}`},
	{"leave_conference", &iotum.ConferenceLeft{HostID: host, CompanyID: company, ConferenceID: conference, ParticipantID: participant, ParticipantRole: iotum.RoleParticipant, ReasonForLeaving: iotum.ReasonHostKickedBlocked}, `{` + ids + `,"participant_id":4,"participant_role":"participant","reason_for_leaving":"host_kicked_blocked"}`},
	{"dialout_status_change", &iotum.Dialout{HostID: host, CompanyID: company, ConferenceID: conference, ParticipantID: participant, Status: iotum.DialoutNoAnswer, PhoneNumber: "+1"}, `{` + ids + `,"participant_id":4,"status":"noanswer","phone_number":"+1"}`},
	{"participant_role_changed", &iotum.RoleChanged{HostID: host, ConferenceID: conference, ParticipantID: participant, ParticipantRole: iotum.RoleModerator}, `{"host_id":1,"conference_id":3,"participant_id":4,"participant_role":"moderator"}`},
	{"start_broadcasting", onlyIDs, `{` + ids + `}`},
	{"stop_broadcasting", onlyIDs, `{` + ids + `}`},
	{"drive_file_added", &iotum.DriveFileAdded{HostID: host, CompanyID: company, ID: wire.Number(6), Filename: "a.pdf", Size: new(iotum.Bytes(1024))}, `{"host_id":1,"company_id":2,"id":6,"filename":"a.pdf","size":1024}`},
	{"drive_file_deleted", &iotum.DriveFileDeleted{HostID: host, CompanyID: company, ID: wire.Number(6), Filename: "a.pdf"}, `{"host_id":1,"company_id":2,"id":6,"filename":"a.pdf"}`},
	{"one_time_access_code_reused", &iotum.AccessCodeReused{HostID: host, CompanyID: company, ConferenceID: conference, OriginalConferenceID: wire.Number(7)}, `{` + ids + `,"original_conference_id":7}`},
	{"vcon_import_success", &iotum.VConImported{UUID: "u", ConferenceID: conference, CompanyID: company, HostID: host}, `{"uuid":"u","conference_id":3,"company_id":2,"host_id":1}`},
	{"vcon_import_failure", &iotum.VConFailed{UUID: "u", CompanyID: company, HostID: host, Error: json.RawMessage(`"no <dialog>"`)}, `{"uuid":"u","company_id":2,"host_id":1,"error":"no <dialog>"}`},
}

// eventTime is the timestamp of the webhooks that are tested.
const eventTime = "2022-08-24T20:56:55.123Z"

// TestEvents reads and writes every event.
func TestEvents(t *testing.T) {
	t.Parallel()
	seen := map[iotum.Event]bool{}
	for _, tt := range events {
		seen[tt.event] = true
		t.Run(string(tt.event), func(t *testing.T) {
			t.Parallel()
			body := inString(tt.event, tt.text)
			want := &iotum.Webhook{
				Event:     tt.event,
				Payload:   tt.payload,
				Timestamp: wire.Millis{Time: time.Date(2022, 8, 24, 20, 56, 55, 123e6, time.UTC)},
			}
			got := decode(t, body)
			if diff := cmp.Diff(want, got, cmpopts.EquateComparable(wire.ID{})); diff != "" {
				t.Errorf("read (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(body, encode(t, got)); diff != "" {
				t.Errorf("written again (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(body, encode(t, want)); diff != "" {
				t.Errorf("built and written (-want +got):\n%s", diff)
			}
		})
	}
	if len(seen) != 24 {
		t.Errorf("%d events, want the 22 of the page and 2", len(seen))
	}
}

// TestEveryPayload reads of every event a payload that has less or more than the page
// says.
func TestEveryPayload(t *testing.T) {
	t.Parallel()
	for _, tt := range events {
		more := strings.TrimSuffix(tt.text, "}") + `,"Host_id":"other","new":{"b":"<&>","a":null}}`
		strs := strings.NewReplacer(":1,", `:"1",`, ":2,", `:"2",`, ":3,", `:"3",`, ":3}", `:"3"}`, ":4,", `:"4",`).Replace(tt.text)
		for name, text := range map[string]struct{ in, want string }{
			"nothing":        {`{}`, `{}`},
			"nulls":          {`{"host_id":null,"conference_id":null,"company_id":null}`, nullsOf(tt.event)},
			"more":           {more, more},
			"ids as strings": {strs, strs},
			"only unknown":   {`{"new":[1]}`, `{"new":[1]}`},
		} {
			t.Run(string(tt.event)+"/"+name, func(t *testing.T) {
				t.Parallel()
				got := decode(t, inString(tt.event, text.in))
				if diff := cmp.Diff(inString(tt.event, text.want), encode(t, got)); diff != "" {
					t.Errorf("written again (-want +got):\n%s", diff)
				}
				if diff := cmp.Diff(reflect.TypeOf(tt.payload).String(), reflect.TypeOf(got.Payload).String()); diff != "" {
					t.Errorf("type (-want +got):\n%s", diff)
				}
				object := strings.Replace(inString(tt.event, ""), `""`, text.in, 1)
				if diff := cmp.Diff(encode(t, got), encode(t, decode(t, object))); diff != "" {
					t.Errorf("read from a string and from an object (-string +object):\n%s", diff)
				}
			})
		}
	}
}

// nullsOf is what is left of ids that are null: those that the event does not have are
// unknown, and kept.
func nullsOf(e iotum.Event) string {
	switch e {
	case iotum.EventParticipantRoleChanged:
		return `{"company_id":null}`
	case iotum.EventProfilePictureUploadSuccess, iotum.EventProfilePictureUploadFailure, iotum.EventDriveFileAdded,
		iotum.EventDriveFileDeleted, iotum.EventVConImportFailure:
		return `{"conference_id":null}`
	}
	return `{}`
}

// TestSample reads the page's sample. Its payload begins with conference_id, which
// this package writes after host_id, as the page lists them.
func TestSample(t *testing.T) {
	t.Parallel()
	file, err := os.ReadFile("testdata/conference_end.json")
	if err != nil {
		t.Fatal(err)
	}
	hook := decode(t, string(file))
	wantHook := &iotum.Webhook{
		Event:     iotum.EventConferenceEnd,
		Payload:   &iotum.Conference{HostID: wire.Number(61803), ConferenceID: wire.Number(1258835)},
		Timestamp: wire.Millis{Time: time.Date(2022, 8, 24, 20, 56, 55, 0, time.UTC)},
	}
	if diff := cmp.Diff(wantHook, hook, cmpopts.EquateComparable(wire.ID{})); diff != "" {
		t.Errorf("read (-want +got):\n%s", diff)
	}
	got := encode(t, hook)
	want := `{"event":"conference_end","payload":"{\"host_id\":61803,\"conference_id\":1258835}","timestamp":"2022-08-24T20:56:55.000Z"}`
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("written again (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(values(t, string(file)), values(t, got)); diff != "" {
		t.Errorf("values (-sample +got):\n%s", diff)
	}
	if diff := cmp.Diff(keys(t, string(file)), keys(t, got)); diff != "" {
		t.Errorf("order of the members (-sample +got):\n%s", diff)
	}
}

// TestReadAndWritten reads bodies that are out of the ordinary and writes them again.
func TestReadAndWritten(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct{ in, want string }{ // want "" is in
		"no payload":              {`{"event":"conference_start"}`, ``},
		"no payload, null":        {`{"event":"conference_start","payload":null,"timestamp":null}`, `{"event":"conference_start"}`},
		"members without a field": {`{"id":"e","event":"conference_start","payload":"{}","x":{"b":1,"a":2}}`, `{"event":"conference_start","payload":"{}","id":"e","x":{"b":1,"a":2}}`},
		"white space inside":      {`{"event":"conference_start","payload":" {\"host_id\" : 1}\n"}`, `{"event":"conference_start","payload":"{\"host_id\":1}"}`},
		"the order is the page's": {`{"timestamp":"2022-08-24T20:56:55.123Z","payload":"{\"conference_id\":1,\"host_id\":2}","event":"conference_end"}`, `{"event":"conference_end","payload":"{\"host_id\":2,\"conference_id\":1}","timestamp":"2022-08-24T20:56:55.123Z"}`},
		"other forms of a time":   {`{"event":"conference_start","timestamp":"2022-08-24T22:56:55+0200"}`, `{"event":"conference_start","timestamp":"2022-08-24T20:56:55.000Z"}`},
		"nothing is escaped":      {`{"event":"enter_conference","payload":"{\"meeting_url\":\"https://m?a=<1>&b=2\",\"x\":\"<&>\"}","y":"<&>"}`, ``},
		"values without constant": {`{"event":"leave_conference","payload":"{\"participant_role\":\"observer\",\"reason_for_leaving\":\"eclipse\"}"}`, ``},
		"status without constant": {`{"event":"dialout_status_change","payload":"{\"status\":\"busy\"}"}`, ``},
		"no image":                {`{"event":"stream_preview_updated","payload":"{\"video_url\":\"https://v\"}"}`, ``},
		"a company it never has":  {`{"event":"participant_role_changed","payload":"{\"host_id\":1,\"company_id\":2}"}`, ``},
		"size zero":               {`{"event":"drive_file_added","payload":"{\"size\":0}"}`, ``},
		"size in a string":        {`{"event":"drive_file_added","payload":"{\"size\":\"12\"}"}`, `{"event":"drive_file_added","payload":"{\"size\":12}"}`},
		"error as an object":      {`{"event":"vcon_import_failure","payload":"{\"error\":{\"code\":1}}"}`, ``},
		"large ids":               {`{"event":"conference_start","payload":"{\"host_id\":12345678901234567890}"}`, ``},
		"unknown event":           {`{"event":"hand_raised","payload":"{\"b\": 1,\"a\":\"<&>\"}","timestamp":"2022-08-24T20:56:55.123Z"}`, ``},
		"unknown, not JSON":       {`{"event":"hand_raised","payload":"up"}`, ``},
		"unknown, empty":          {`{"event":"hand_raised","payload":""}`, ``},
		"unknown, none":           {`{"event":"hand_raised"}`, ``},
		"unknown, an object":      {`{"event":"hand_raised","payload":{"b":[1],"a":"x"}}`, `{"event":"hand_raised","payload":"{\"b\":[1],\"a\":\"x\"}"}`},
		"unknown, a number":       {`{"event":"hand_raised","payload":7}`, `{"event":"hand_raised","payload":"7"}`},
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

// TestOther expects the text of an unknown event's payload as it came.
func TestOther(t *testing.T) {
	t.Parallel()
	hook := decode(t, `{"event":"hand_raised","payload":"{\"b\": 1}"}`)
	if diff := cmp.Diff(iotum.Payload(&iotum.Other{Text: `{"b": 1}`}), hook.Payload); diff != "" {
		t.Errorf("payload (-want +got):\n%s", diff)
	}
}

// TestWrongBodies expects errors that name what is wrong.
func TestWrongBodies(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		``:                                 "decode iotum webhook: unexpected end of JSON input",
		`[]`:                               "decode iotum webhook: is not a JSON object",
		`null`:                             "decode iotum webhook: is not a JSON object",
		`{}`:                               "event: is missing",
		`{"event":""}`:                     "event: is missing",
		`{"event":null}`:                   "event: is missing",
		`{"event":7}`:                      "event: is a number",
		"{\"event\":\"x\"`\n}":             "invalid character '`'", // as the page's sample has it
		`{"event":"x","timestamp":"soon"}`: "timestamp: is not a time",
		`{"event":"conference_start","payload":7}`:                         "payload: is neither JSON in a string nor an object",
		`{"event":"conference_start","payload":[{}]}`:                      "payload: is neither JSON in a string nor an object",
		`{"event":"conference_start","payload":""}`:                        "payload: unexpected end of JSON input",
		`{"event":"conference_start","payload":"up"}`:                      "payload: invalid character 'u'",
		`{"event":"conference_start","payload":"null"}`:                    "payload: is not a JSON object",
		`{"event":"conference_start","payload":"[1]"}`:                     "payload: is not a JSON object",
		`{"event":"conference_start","payload":"\"{}\""}`:                  "payload: is not a JSON object",
		`{"event":"conference_start","payload":"{\"host_id\":true}"}`:      "payload: host_id: is neither a string nor a number",
		`{"event":"conference_start","payload":{"company_id":[]}}`:         "payload: company_id: is neither a string nor a number",
		`{"event":"leave_conference","payload":{"reason_for_leaving":1}}`:  "payload: reason_for_leaving: is a number",
		`{"event":"dialout_status_change","payload":{"status":{}}}`:        "payload: status: is a object",
		`{"event":"drive_file_added","payload":{"size":1.5}}`:              "payload: size: is not a whole number",
		`{"event":"drive_file_added","payload":{"size":"large"}}`:          "payload: size: is not a whole number",
		`{"event":"vcon_import_success","payload":{"uuid":1}}`:             "payload: uuid: is a number",
		`{"event":"one_time_access_code_reused","payload":{"host_id":{}}}`: "payload: host_id: is neither a string nor a number",
	} {
		hook, err := iotum.Decode([]byte(in))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want one with %q", in, err, want)
		}
		if hook != nil {
			t.Errorf("%s: a webhook besides the error", in)
		}
	}
}

// TestCannotBeWritten expects an error that names the member.
func TestCannotBeWritten(t *testing.T) {
	t.Parallel()
	for want, hook := range map[string]iotum.Webhook{
		"payload: conference_end has a *iotum.Conference, not a *iotum.Host": {Event: iotum.EventConferenceEnd, Payload: &iotum.Host{}},
		"payload: error: ": {Event: iotum.EventVConImportFailure, Payload: &iotum.VConFailed{Error: json.RawMessage("{")}},
	} {
		if _, err := hook.MarshalJSON(); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("error %v, want one with %q", err, want)
		}
		if _, err := iotum.Encode(&hook); err == nil || !strings.HasPrefix(err.Error(), "encode iotum webhook: "+want) {
			t.Errorf("error %v, want one with %q", err, want)
		}
	}
}

// TestEncodeWants expects Encode to refuse what lacks the event.
func TestEncodeWants(t *testing.T) {
	t.Parallel()
	const want = "encode iotum webhook: event: is missing"
	if body, err := iotum.Encode(&iotum.Webhook{Payload: &iotum.Host{}}); err == nil || err.Error() != want || body != nil {
		t.Errorf("%s, error %v, want %s", body, err, want)
	}
}

// TestTextForKnownEvent writes a payload as text, which any event may have.
func TestTextForKnownEvent(t *testing.T) {
	t.Parallel()
	got := encode(t, &iotum.Webhook{Event: iotum.EventConferenceEnd, Payload: &iotum.Other{Text: `{"host_id": 1}`}})
	if diff := cmp.Diff(`{"event":"conference_end","payload":"{\"host_id\": 1}"}`, got); diff != "" {
		t.Errorf("written (-want +got):\n%s", diff)
	}
}

// FuzzDecode writes whatever can be read, and reads it again: it is the same.
func FuzzDecode(f *testing.F) {
	for _, tt := range events {
		f.Add([]byte(inString(tt.event, tt.text)))
	}
	f.Add([]byte(`{"event":"drive_file_added","payload":{"size":"-0","id":1e400,"x":[{"y":"\u2028"}]},"timestamp":1804136767123}`))
	f.Add([]byte("{\"event\":\"drive_file_added\",\"payload\":{\"\xff\":\"\xff\"}}"))
	f.Add([]byte(`{"event":"x","payload":[null,7],"z":"<"}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		hook, err := iotum.Decode(body)
		if err != nil {
			return
		}
		first, err := iotum.Encode(hook)
		if err != nil {
			t.Fatalf("what was read from %q cannot be written: %v", body, err)
		}
		again, err := iotum.Decode(first)
		if err != nil {
			t.Fatalf("%s cannot be read again: %v", first, err)
		}
		second, err := iotum.Encode(again)
		if err != nil || !bytes.Equal(first, second) {
			t.Errorf("written %s, then %s (%v)", first, second, err)
		}
	})
}

// inString is a webhook's body with the payload in a string, as the vendor sends it.
func inString(e iotum.Event, payload string) string {
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(payload); err != nil {
		panic(err) // a string can be encoded
	}
	return `{"event":"` + string(e) + `","payload":` + strings.TrimSpace(b.String()) + `,"timestamp":"` + eventTime + `"}`
}

// values is a body as plain values, with what is in the payload's string.
func values(t *testing.T, body string) (all map[string]any) {
	t.Helper()
	if err := json.Unmarshal([]byte(body), &all); err != nil {
		t.Fatal(err)
	}
	var payload any
	if err := json.Unmarshal([]byte(all["payload"].(string)), &payload); err != nil {
		t.Fatal(err)
	}
	all["payload"] = payload
	return all
}

// keys are a body's members in their order.
func keys(t *testing.T, body string) (names []string) {
	t.Helper()
	var members wire.Fields
	if err := wire.Unmarshal([]byte(body), &struct{}{}, &members); err != nil {
		t.Fatal(err)
	}
	for _, m := range members {
		names = append(names, m.Name)
	}
	return names
}

func decode(t *testing.T, body string) *iotum.Webhook {
	t.Helper()
	hook, err := iotum.Decode([]byte(body))
	if err != nil {
		t.Fatal(err)
	}
	return hook
}

func encode(t *testing.T, hook *iotum.Webhook) string {
	t.Helper()
	body, err := iotum.Encode(hook)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}
