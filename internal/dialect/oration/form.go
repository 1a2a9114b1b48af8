package oration

import (
	"strings"

	"github.com/callboard/callboard/internal/dialect/shape"
	"github.com/callboard/callboard/internal/id"
)

// webhook is the body of the events that are known: all are about a conversation.
var webhook = shape.New("webhook", shape.Null,
	eventID(),
	shape.Field{Key: "eventType", Make: shape.Word()},
	shape.Field{Key: "payload", From: "conversation", As: shape.Nested(conversation)},
)

// otherWebhook is the body of an event that nobody documents.
var otherWebhook = shape.New("webhook", shape.Null,
	eventID(),
	shape.Field{Key: "eventType", Make: shape.Word()},
	shape.Field{Key: "payload", Make: theData()},
)

// newerChoice says why fields of the newer generation are written as they are.
const newerChoice = "the page does not have it; newer payloads of conversation.completed and conversation.analysisCompleted do"

// conversation has the members of the vendor's page in its order, and after them those
// that only newer payloads have. A newer payload lacks some of the page's, too; here they
// are null, so that a reader of either finds what it knows.
var conversation = shape.New("conversation", shape.Null, append(
	pageFields(),
	newer("flowId", shape.ID()),
	newer("agentJoinTime", shape.Millis()),
	newer("agentLeaveTime", shape.Millis()),
	newer("transferStartTime", shape.Millis()),
	newer("transferEndTime", shape.Millis()),
	newer("transferUserJoinTime", shape.Millis()),
	newer("transferUserLeaveTime", shape.Millis()),
	newer("transferStatus", shape.Text()),
	newer("transferDestination", shape.Text()),
	newer("recordingUrl", shape.Text()),
	newer("transcript", shape.Any()),
)...)

// pageFields are the members of a conversation on the vendor's page.
func pageFields() []shape.Field {
	return []shape.Field{
		{Key: "id", As: shape.ID()},
		{Key: "phoneId", As: shape.ID()},
		{Key: "agentId", As: shape.ID()},
		{Key: "workspaceId", As: shape.ID(), Else: shape.Tenant(), Choice: "where nobody says the workspace it is the app's uid, else its id"},
		{Key: "wsUrl", As: shape.Text()},
		{Key: "llmUrl", As: shape.Text()},
		{Key: "callStartTime", As: shape.Millis()},
		{Key: "callEndTime", As: shape.Millis()},
		{Key: "userJoinTime", As: shape.Millis()},
		{Key: "userLeaveTime", As: shape.Millis()},
		{Key: "customerId", From: "customerId|customer.id", As: shape.ID()},
		{Key: "customer", As: shape.Nested(customer)},
		{Key: "toPhoneNumber", As: shape.Text()},
		{Key: "fromPhoneNumber", As: shape.Text()},
		{Key: "conversationStatus", As: shape.Text()},
		{Key: "telephonyType", As: shape.Text()},
		{Key: "telephonyStatus", As: shape.Text()},
		{Key: "endReason", As: shape.Text()},
		{Key: "recordingStatus", As: shape.Text()},
		{Key: "postCallNotes", As: shape.Text()},
		{Key: "postCallCategory1", As: shape.Text()},
		{Key: "postCallCategory2", As: shape.Text()},
		{Key: "postCallCategory3", As: shape.Text()},
		{Key: "postCallMetadata", As: shape.Any()},
		{Key: "conversationType", As: shape.Text()},
		{Key: "dynamicVariables", As: shape.JSONText()},
		{Key: "summary", As: shape.Text()},
		{Key: "campaignId", As: shape.ID()},
		{Key: "campaignRunId", As: shape.ID()},
		{Key: "createdAt", As: shape.Millis()},
		{Key: "updatedAt", As: shape.Millis(), Else: shape.AtMillis(), Choice: "where nobody says when it changed it is when the event happened"},
	}
}

var customer = shape.New("customer", shape.Null,
	shape.Field{Key: "name", As: shape.Text()},
	shape.Field{Key: "id", As: shape.ID()},
	shape.Field{Key: "createdAt", As: shape.Millis()},
	shape.Field{Key: "updatedAt", As: shape.Millis()},
	shape.Field{Key: "workspaceId", As: shape.ID(), Else: workspace(), Choice: "where nobody says the customer's workspace it is the conversation's"},
	shape.Field{Key: "email", As: shape.Text()},
	shape.Field{Key: "phoneNumber", As: shape.Text()},
	shape.Field{Key: "identifier", As: shape.ID()},
	shape.Field{Key: "priority", As: shape.Whole()},
	shape.Field{Key: "sourceFile", As: shape.Text()},
	shape.Field{Key: "isDoNotDisturbEnabled", As: shape.Bool()},
	shape.Field{Key: "metadata", As: shape.Any()},
	newer("source", shape.Nested(source)),
)

// source is where a customer came from.
var source = shape.New("source", shape.Null, shape.Field{Key: "method", As: shape.Text()})

// newer is a field of the newer generation, which is left out where it has no value.
func newer(key string, as shape.Kind) shape.Field {
	return shape.Field{Key: key, As: as, Optional: true, Choice: newerChoice}
}

// eventID makes the event's id of the message's.
func eventID() shape.Field {
	return shape.Field{
		Key:    "eventId",
		Choice: "evt_ and the 27 characters of the message's id: the same over retries and resends",
		Make: shape.Maker{Says: "the message's id", Append: func(b []byte, s *shape.Source) []byte {
			return shape.AppendQuote(b, "evt_"+strings.TrimPrefix(s.ID, id.Message.Prefix()))
		}},
	}
}

// workspace makes the conversation's workspace.
func workspace() shape.Maker {
	tenant := shape.Tenant()
	return shape.Maker{Says: "the conversation's workspaceId, else " + tenant.Says, Append: func(b []byte, s *shape.Source) []byte {
		given, err := s.Find("conversation", "workspaceId")
		if err != nil || given.ID() == "" {
			return tenant.Append(b, s)
		}
		return shape.AppendQuote(b, given.ID())
	}}
}

// theData makes the data's members as they are.
func theData() shape.Maker {
	all := shape.New("payload", shape.Omit).Passing()
	return shape.Maker{Says: "the data as they are", Append: func(b []byte, s *shape.Source) []byte {
		b, _ = all.Append(b, s.Data, s) // without fields nothing can be wrong
		return b
	}}
}
