package restapi

import "github.com/callboard/callboard/internal/live"

// meetings are what activities alone change, and clients look at.
var meetings = []resource{
	{
		noun: "conference", a: "a conference", plural: "conferences", kind: live.Conference, object: "conference",
		about: "A conference as it is now: it follows from the activities about it.",
		shown: `{"id":"weekly","status":"live","participants":1,"hostId":"h-1","companyId":"acme","startedAt":"2027-06-10T09:00:00.000Z",` +
			`"recording":"running"}`,
	},
	{
		noun: "conversation", a: "a conversation", plural: "conversations", kind: live.Conversation, object: "conversation",
		about: "A conversation as it is now: it follows from the activities about it.",
		shown: `{"id":"call-1","createdAt":"2027-06-10T09:00:00.000Z","toPhoneNumber":"+442071234567","userJoinTime":"2027-06-10T09:00:00.000Z",` +
			`"conversationStatus":"active","updatedAt":"2027-06-10T09:00:00.000Z"}`,
	},
}
