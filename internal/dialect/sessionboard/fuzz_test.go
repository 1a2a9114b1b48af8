package sessionboard_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"testing"

	"github.com/callboard/callboard/internal/dialect"
	wire "github.com/callboard/callboard/wire/sessionboard"
)

// FuzzRender: whatever the data is, what comes out is JSON, or the error that says why
// none does.
func FuzzRender(f *testing.F) {
	// Short ones: whatever leads to something new is cut down first, which takes long
	// where it is long.
	f.Add(uint8(0), `{"session":{"id":"s","startDateTime":"2026-01-01","capacity":1,"room":{"id":1},"speakers":[{"participantRole":{}}]},"event":{"number":1}}`)
	f.Add(uint8(3), `{"session":{"sponsors":[{"contacts":[{}]}]},"speaker":{"id":"c"},"actor":{"id":"7","type":"AGENT"},"sourceOfChange":"x"}`)
	f.Add(uint8(7), `{"contact":{"id":1,"organizationId":"o/1","customFields":[ 1 ],"x_y":null,"about":"\u003c"}}`)
	f.Add(uint8(19), `{"sponsor":{"id":"p","address_coutnry":"Malta"},"event":{"number":"4001"}}`)
	f.Add(uint8(255), `{"data":{"id":1},"metadata":{"version":2,"new":[]}}`)
	f.Add(uint8(0), `{"session":{"subsessions":[{"subsessions":[{"starts_at":"2026-01-01"}]}]},"event":{"number":"-0"}}`)
	f.Fuzz(func(t *testing.T, pick uint8, data string) {
		eventType := "sessionboard.agenda.published"
		if actions := wire.Actions(); int(pick) < len(actions) {
			eventType = string(actions[pick])
		}
		m := message(eventType, data)
		if !json.Valid(m.Payload) {
			t.Skip("no message has such a payload")
		}
		checkRendered(t, m)
	})
}

func checkRendered(t *testing.T, m dialect.Message) {
	t.Helper()
	body, err := sut.Render(m)
	switch {
	case err != nil && !errors.Is(err, dialect.ErrUnrenderable):
		t.Fatalf("error %v", err)
	case err == nil && !json.Valid(body):
		t.Fatalf("%s\nis written as\n%s", m.Payload, body)
	}
}

// FuzzParse: whatever comes in, what comes out is a native body of the type, which can
// be rendered or not, or the error that says why none does.
func FuzzParse(f *testing.F) {
	f.Add(file(f, "session_updated.json"))
	f.Add(file(f, "session_updated_old.json"))
	f.Add(`{"data":{"id":"s","starts_at":"2026-01-01","room":{"id":1},"speakers":[{"participant_role":{}}],"speaker":{"id":"c"}},"metadata":{"action":"session.speaker.attached","actor_id":7}}`)
	f.Add(`{"data":{},"metadata":{"action":"contact.deleted","org_id":"o"}}`)
	f.Add(`{"data":{"id":1,"speaker":{}},"metadata":{"action":"agenda.published","event_id":"4","org_id":{}}}`)
	f.Fuzz(func(t *testing.T, text string) {
		a, err := sut.Parse(dialect.Request{Header: http.Header{}, Body: []byte(text)})
		if err != nil {
			if !errors.Is(err, dialect.ErrUnreadable) {
				t.Fatalf("error %v", err)
			}
			return
		}
		var body struct {
			Type string
			Data map[string]json.RawMessage
		}
		if err := json.Unmarshal(a.Payload, &body); err != nil || body.Type != a.Type || body.Data == nil || a.ID == "" {
			t.Fatalf("it is read as %+v: %v\n%s", a, err, a.Payload)
		}
		if _, fit := sut.Word(a.Type); fit != dialect.Exact {
			t.Fatalf("it is read as %s, for which there is no word", a.Type)
		}
		checkRendered(t, dialect.Message{ID: "msg_1", Type: a.Type, Time: accepted, Tenant: "app_1", Payload: a.Payload})
	})
}
