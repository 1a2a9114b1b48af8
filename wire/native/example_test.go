package native_test

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/callboard/callboard/wire"
	"github.com/callboard/callboard/wire/iotum"
	"github.com/callboard/callboard/wire/native"
)

// A receiver decodes a body, whose signature it has verified, and looks at the type of
// its data.
func Example() {
	for _, body := range []string{
		`{"type":"session.joined","timestamp":"2026-05-04T10:00:00.000Z","data":{
			"event":{"id":"event-1"},"session":{"id":"session-1","title":"Opening"},"registration":{"id":"reg-1"}}}`,
		`{"type":"session.time_spent","timestamp":"2026-05-04T12:00:00.000Z","data":{
			"event":{"id":"event-1"},"session":{"id":"session-1"},"registration":{"id":"reg-1"},"timeSpentInMinutes":42}}`,
		`{"type":"session.updated","timestamp":"2026-05-04T12:00:00.000Z","data":{
			"session":{"id":"session-1","title":"Opening ceremony"},"event":{"number":4001},"actor":{"id":"usr_7","type":"USER"}}}`,
		`{"type":"invoice.paid","data":{"amount":3}}`,
	} {
		w, err := native.Decode([]byte(body))
		if err != nil {
			fmt.Println(err) // answer with status 400
			return
		}
		switch data := w.Data.(type) {
		case *native.Attendance:
			switch w.Type {
			case native.SessionJoined:
				fmt.Println(data.Registration.ID, "entered", data.Session.Title)
			case native.SessionTimeSpent:
				if data.TimeSpentInMinutes != nil {
					fmt.Println(data.Registration.ID, "was there for", *data.TimeSpentInMinutes, "minutes")
				}
			}
		case *native.SessionChange:
			if data.Session.Has("title") { // what is absent is not empty
				fmt.Println(data.Session.ID, "is now called", data.Session.Title, "by", data.Actor.ID)
			}
		case *native.Other:
			fmt.Println("our own:", w.Type, string(data.Raw))
		default:
			fmt.Println("not for us:", w.Type)
		}
	}
	// Output:
	// reg-1 entered Opening
	// reg-1 was there for 42 minutes
	// session-1 is now called Opening ceremony by usr_7
	// our own: invoice.paid {"amount":3}
}

// A sender builds a webhook; what it leaves out is not written.
func ExampleEncode() {
	body, err := native.Encode(&native.Webhook{
		Type:      native.ConferenceParticipantLeft,
		Timestamp: wire.Millis{Time: time.Date(2026, 5, 4, 10, 0, 0, 0, time.UTC)},
		Data: &native.ConferenceParticipant{
			ConferenceID:      wire.Number(1258835),
			ParticipantID:     wire.Number(7),
			ReasonForLeaving:  native.ReasonUserExit,
			ConferenceDetails: native.ConferenceDetails{ParticipantName: "Smith & Smith"},
		},
	})
	fmt.Println(string(body), err)
	// Output: {"type":"conference.participant.left","timestamp":"2026-05-04T10:00:00.000Z","data":{"conferenceId":1258835,"participantId":7,"reasonForLeaving":"user_exit","participantName":"Smith & Smith"}} <nil>
}

// What a vendor sent under a name that Callboard has no type for is read with the
// vendor's own types.
func ExampleOther() {
	w, err := native.Decode([]byte(`{"type":"iotum.vcon_import_success","timestamp":"2026-05-04T10:00:00.000Z",
		"data":{"uuid":"u-1","conference_id":1258835}}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	if other, is := w.Data.(*native.Other); is && w.Type == "iotum.vcon_import_success" {
		var imported iotum.VConImported
		if err := json.Unmarshal(other.Raw, &imported); err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(imported.UUID, "is conference", imported.ConferenceID)
	}
	// Output: u-1 is conference 1258835
}
