package oration_test

import (
	"fmt"

	"github.com/callboard/callboard/wire"
	"github.com/callboard/callboard/wire/oration"
)

func Example() {
	body := []byte(`{
		"eventId": "evt_01234567890abcdef",
		"eventType": "conversation.userJoined",
		"payload": {
			"id": "conv_1234567890abcdef",
			"userJoinTime": "2023-01-01T12:00:00.000Z",
			"customer": {"name": "John Doe"},
			"conversationStatus": "active"
		}
	}`)
	hook, err := oration.Decode(body)
	if err != nil {
		fmt.Println(err) // answer 400
		return
	}
	switch c := hook.Payload; hook.EventType {
	case oration.EventUserJoined:
		fmt.Println(c.Customer.Name, "joined", c.ID, "at", c.UserJoinTime)
	case oration.EventUserLeft, oration.EventCompleted:
		fmt.Println(c.ID, "ended:", c.EndReason)
	case oration.EventAnalysisCompleted:
		fmt.Println(c.ID, "was about", string(c.PostCallMetadata))
	default:
		fmt.Println("not known yet:", hook.EventType)
	}
	// Output: John Doe joined conv_1234567890abcdef at 2023-01-01 12:00:00 +0000 UTC
}

// A sender builds a webhook; all members of the vendor's page are written.
func ExampleEncode() {
	body, err := oration.Encode(&oration.Webhook{
		EventID:   wire.Text("evt_01234567890abcdef"),
		EventType: oration.EventUserLeft,
		Payload: &oration.Conversation{
			ID:        wire.Text("conv_1234567890abcdef"),
			EndReason: oration.EndUserHangup,
			Summary:   "Questions & answers",
		},
	})
	fmt.Println(string(body), err)
	// Output: {"eventId":"evt_01234567890abcdef","eventType":"conversation.userLeft","payload":{"id":"conv_1234567890abcdef","phoneId":null,"agentId":null,"workspaceId":null,"wsUrl":null,"llmUrl":null,"callStartTime":null,"callEndTime":null,"userJoinTime":null,"userLeaveTime":null,"customerId":null,"customer":null,"toPhoneNumber":null,"fromPhoneNumber":null,"conversationStatus":null,"telephonyType":null,"telephonyStatus":null,"endReason":"user_hangup","recordingStatus":null,"postCallNotes":null,"postCallCategory1":null,"postCallCategory2":null,"postCallCategory3":null,"postCallMetadata":null,"conversationType":null,"dynamicVariables":null,"summary":"Questions & answers","campaignId":null,"campaignRunId":null,"createdAt":null,"updatedAt":null}} <nil>
}
