package restapi

import "github.com/callboard/callboard/internal/live"

// meetings are what activities alone change, and clients look at.
var meetings = []resource{
	{
		noun: "conference", a: "a conference", plural: "conferences", kind: live.Conference, object: "conference",
		about: "A conference as it is now: it follows from the activities about it.",
	},
	{
		noun: "conversation", a: "a conversation", plural: "conversations", kind: live.Conversation, object: "conversation",
		about: "A conversation as it is now: it follows from the activities about it.",
	},
}
