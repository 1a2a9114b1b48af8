package iotum_test

import (
	"fmt"

	"github.com/callboard/callboard/wire/iotum"
)

func Example() {
	body := []byte(`{
		"event": "leave_conference",
		"payload": "{\"host_id\":61803,\"conference_id\":1258835,\"participant_id\":7,\"reason_for_leaving\":\"user_exit\"}",
		"timestamp": "2022-08-24T20:56:55.000Z"
	}`)
	hook, err := iotum.Decode(body)
	if err != nil {
		fmt.Println(err) // answer 400
		return
	}
	switch p := hook.Payload.(type) {
	case *iotum.Conference: // of several events
		switch hook.Event {
		case iotum.EventConferenceStart:
			fmt.Println("conference", p.ConferenceID, "has started")
		case iotum.EventConferenceEnd:
			fmt.Println("conference", p.ConferenceID, "has ended")
		}
	case *iotum.ConferenceEntered:
		fmt.Println(p.ParticipantID, "is in conference", p.ConferenceID)
	case *iotum.ConferenceLeft:
		fmt.Println(p.ParticipantID, "left conference", p.ConferenceID, "by", p.ReasonForLeaving)
	case *iotum.Other:
		fmt.Println("not known yet:", hook.Event, p.Text)
	}
	// Output: 7 left conference 1258835 by user_exit
}

// A sender builds a webhook; what it leaves out is not written.
func ExampleEncode() {
	body, err := iotum.Encode(&iotum.Webhook{
		Event:   iotum.EventDialoutStatusChange,
		Payload: &iotum.Dialout{Status: iotum.DialoutRejected, PhoneNumber: "+15550100"},
	})
	fmt.Println(string(body), err)
	// Output: {"event":"dialout_status_change","payload":"{\"status\":\"rejected\",\"phone_number\":\"+15550100\"}"} <nil>
}
