// Package neighbour says what happened in one kind of meeting in the words of
// another: somebody joined a session, entered a conference, joined a conversation.
//
// Dialects know one kind each. So that an endpoint hears of the others too, the data of
// a message is first put into the words of the dialect's own kind, and then rendered
// like any other. What a neighbour has no word for is left out, not made up.
package neighbour

import (
	"strings"

	"github.com/callboard/callboard/internal/dialect/shape"
)

// Kind is a kind of meeting, with the data that its messages have.
type Kind uint8

// The kinds.
const (
	Attendance   Kind = iota // of events: {event, session, registration}
	Conference               // flat: {hostId, companyId, conferenceId, participantId, …}
	Conversation             // {conversation}
)

// Form is what puts the data of an event type into the words of a kind; nil if the type
// is of that kind already, or no neighbour of it.
func Form(eventType string, to Kind) *shape.Form { return forms[to][eventType] }

// forms are the translations, by the kind into which they go.
var forms = [...]map[string]*shape.Form{
	Attendance: {
		"conference.participant.entered":    attendanceOfConference,
		"conference.participant.time_spent": attendanceOfConference,
		"conversation.user_joined":          attendanceOfConversation,
	},
	Conference: {
		"session.joined":           conferenceOfAttendance(false),
		"session.left":             conferenceOfAttendance(true),
		"conversation.user_joined": conferenceOfConversation(false),
		"conversation.user_left":   conferenceOfConversation(true),
	},
	Conversation: {
		"session.joined":                 conversationOfAttendance(joined),
		"session.left":                   conversationOfAttendance(left),
		"conference.participant.entered": conversationOfConference(joined),
		"conference.participant.left":    conversationOfConference(left),
	},
}

// attendanceOfConference makes of a conference both the event and its one session.
var attendanceOfConference = shape.New("attendance", shape.OmitEmpty,
	shape.Field{Key: "actor", As: shape.Any()},
	shape.Field{Key: "event", As: shape.Gather(shape.New("event", shape.OmitEmpty,
		shape.Field{Key: "id", From: "conferenceId", As: shape.ID()},
		shape.Field{Key: "organizationId", From: "companyId", As: shape.ID()},
		shape.Field{Key: "name", From: "conferenceName", As: shape.Text()},
	))},
	shape.Field{Key: "session", As: shape.Gather(shape.New("session", shape.OmitEmpty,
		shape.Field{Key: "id", From: "conferenceId", As: shape.ID()},
		shape.Field{Key: "title", From: "conferenceName", As: shape.Text()},
		shape.Field{Key: "startDateTime", From: "conferenceStartedAt", As: shape.Millis()},
		shape.Field{Key: "endDateTime", From: "conferenceEndedAt", As: shape.Millis()},
	))},
	shape.Field{Key: "registration", As: shape.Gather(shape.New("registration", shape.OmitEmpty,
		shape.Field{Key: "id", From: "participantId", As: shape.ID()},
		shape.Field{Key: "profile", As: shape.Gather(shape.New("profile", shape.OmitEmpty,
			shape.Field{Key: "firstName", From: "participantName", As: firstName()},
			shape.Field{Key: "lastName", From: "participantName", As: lastName()},
			shape.Field{Key: "email", From: "participantEmail", As: shape.Text()},
			shape.Field{Key: "phoneNumber", From: "participantPhoneNumber", As: shape.Text()},
		))},
	))},
	shape.Field{Key: "timeSpentInMinutes", As: shape.Whole()},
)

// attendanceOfConversation makes of a conversation both the event and its one session.
var attendanceOfConversation = shape.New("attendance", shape.OmitEmpty,
	shape.Field{Key: "actor", As: shape.Any()},
	shape.Field{Key: "event", As: shape.Gather(shape.New("event", shape.OmitEmpty,
		shape.Field{Key: "id", From: "conversation.id", As: shape.ID()},
		shape.Field{Key: "organizationId", From: "conversation.workspaceId", As: shape.ID()},
		shape.Field{Key: "name", From: "conversation.summary", As: shape.Text()},
	))},
	shape.Field{Key: "session", As: shape.Gather(shape.New("session", shape.OmitEmpty,
		shape.Field{Key: "id", From: "conversation.id", As: shape.ID()},
		shape.Field{Key: "title", From: "conversation.summary", As: shape.Text()},
		shape.Field{Key: "startDateTime", From: "conversation.callStartTime", As: shape.Millis()},
		shape.Field{Key: "endDateTime", From: "conversation.callEndTime", As: shape.Millis()},
	))},
	shape.Field{Key: "registration", As: shape.Gather(shape.New("registration", shape.OmitEmpty,
		shape.Field{Key: "id", From: "conversation.customerId|conversation.customer.id", As: shape.ID()},
		shape.Field{Key: "profile", As: shape.Gather(shape.New("profile", shape.OmitEmpty,
			shape.Field{Key: "firstName", From: "conversation.customer.name", As: firstName()},
			shape.Field{Key: "lastName", From: "conversation.customer.name", As: lastName()},
			shape.Field{Key: "email", From: "conversation.customer.email", As: shape.Text()},
			shape.Field{Key: "phoneNumber", From: "conversation.customer.phoneNumber", As: shape.Text()},
		))},
	))},
)

// conferenceOfAttendance makes a conference of each session.
func conferenceOfAttendance(leaves bool) *shape.Form {
	return shape.New("conference", shape.OmitEmpty, append([]shape.Field{
		{Key: "companyId", From: "event.organizationId|session.organizationId", As: shape.ID()},
		{Key: "conferenceId", From: "session.id", As: shape.ID()},
		{Key: "participantId", From: "registration.id", As: shape.ID()},
		{Key: "participantRole", Make: shape.Fixed("participant")},
		{Key: "meetingUrl", From: "session.location.link", As: shape.Text()},
	}, reason(leaves, shape.Field{From: "reasonForLeaving", As: shape.Text()})...)...)
}

// conferenceOfConversation makes the agent the host.
func conferenceOfConversation(leaves bool) *shape.Form {
	return shape.New("conference", shape.OmitEmpty, append([]shape.Field{
		{Key: "hostId", From: "conversation.agentId", As: shape.ID()},
		{Key: "companyId", From: "conversation.workspaceId", As: shape.ID()},
		{Key: "conferenceId", From: "conversation.id", As: shape.ID()},
		{Key: "participantId", From: "conversation.customerId|conversation.customer.id", As: shape.ID()},
		{Key: "participantRole", Make: shape.Fixed("participant")},
	}, reason(leaves, shape.Field{From: "conversation.endReason", As: dropped()})...)...)
}

// reason is why somebody left, if that is what happened.
func reason(leaves bool, f shape.Field) []shape.Field {
	if !leaves {
		return nil
	}
	f.Key, f.Else = "reasonForLeaving", shape.Fixed("user_exit")
	return []shape.Field{f}
}

// edge says which of a conversation's times is now.
type edge struct{ key string }

var (
	joined = edge{"userJoinTime"}
	left   = edge{"userLeaveTime"}
)

// conversationOfAttendance makes a conversation on the web of each session, with the
// person registered as its customer.
func conversationOfAttendance(e edge) *shape.Form {
	customer := shape.New("customer", shape.OmitEmpty,
		shape.Field{Key: "name", From: "registration.profile", As: shape.Joined("firstName", "lastName")},
		shape.Field{Key: "id", From: "registration.id", As: shape.ID()},
		shape.Field{Key: "workspaceId", From: "event.organizationId|session.organizationId", As: shape.ID()},
		shape.Field{Key: "email", From: "registration.profile.email", As: shape.Text()},
		shape.Field{Key: "phoneNumber", From: "registration.profile.phoneNumber", As: shape.Text()},
	)
	return conversation(e,
		shape.Field{Key: "id", From: "session.id", As: shape.ID()},
		shape.Field{Key: "workspaceId", From: "event.organizationId|session.organizationId", As: shape.ID()},
		shape.Field{Key: "callStartTime", From: "session.startDateTime", As: shape.Millis()},
		shape.Field{Key: "customerId", From: "registration.id", As: shape.ID()},
		shape.Field{Key: "customer", As: shape.Gather(customer)},
		shape.Field{Key: "createdAt", From: "session.createdAt", As: shape.Millis(), Else: shape.AtMillis()},
	)
}

// conversationOfConference makes a conversation on the web of a conference, with the
// host as its agent and the participant as its customer.
func conversationOfConference(e edge) *shape.Form {
	customer := shape.New("customer", shape.OmitEmpty,
		shape.Field{Key: "name", From: "participantName", As: shape.Text()},
		shape.Field{Key: "id", From: "participantId", As: shape.ID()},
		shape.Field{Key: "workspaceId", From: "companyId", As: shape.ID()},
		shape.Field{Key: "email", From: "participantEmail", As: shape.Text()},
		shape.Field{Key: "phoneNumber", From: "participantPhoneNumber", As: shape.Text()},
	)
	return conversation(e,
		shape.Field{Key: "id", From: "conferenceId", As: shape.ID()},
		shape.Field{Key: "agentId", From: "hostId", As: shape.ID()},
		shape.Field{Key: "workspaceId", From: "companyId", As: shape.ID()},
		shape.Field{Key: "callStartTime", From: "conferenceStartedAt", As: shape.Millis()},
		shape.Field{Key: "customerId", From: "participantId", As: shape.ID()},
		shape.Field{Key: "customer", As: shape.Gather(customer)},
		shape.Field{Key: "createdAt", From: "conferenceStartedAt", As: shape.Millis(), Else: shape.AtMillis()},
	)
}

func conversation(e edge, fields ...shape.Field) *shape.Form {
	fields = append(fields,
		shape.Field{Key: e.key, Make: shape.AtMillis()},
		shape.Field{Key: "conversationStatus", Make: shape.Fixed("active")},
		shape.Field{Key: "conversationType", Make: shape.Fixed("web")},
		shape.Field{Key: "updatedAt", Make: shape.AtMillis()},
	)
	return shape.New("data", shape.OmitEmpty, shape.Field{
		Key: "conversation", As: shape.Gather(shape.New("conversation", shape.OmitEmpty, fields...)),
	})
}

// firstName is all of a full name but its last word.
func firstName() shape.Kind {
	return shape.Derived("first name", func(full string) string {
		words := strings.Fields(full)
		if len(words) > 1 {
			words = words[:len(words)-1]
		}
		return strings.Join(words, " ")
	})
}

// lastName is the last word of a full name of several.
func lastName() shape.Kind {
	return shape.Derived("last name", func(full string) string {
		if words := strings.Fields(full); len(words) > 1 {
			return words[len(words)-1]
		}
		return ""
	})
}

// dropped is the reason for leaving that follows from why a conversation ended.
func dropped() shape.Kind {
	return shape.Derived("reason for leaving", func(endReason string) string {
		if endReason == "network_error" {
			return "user_dropped"
		}
		return "user_exit"
	})
}
