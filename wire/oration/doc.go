// Package oration has the payloads of Oration's webhooks: conversations between an
// AI agent and a customer.
//
// [Decode] reads the body of a request, and [Encode] writes one. All the events that
// are known carry a [Conversation], so that a program switches on the event's type and
// reads the same fields in each case. The fields and their order are those of the
// vendor's page "Triggered when a user joins a conversation"; those that only newer
// payloads of conversation.completed and conversation.analysisCompleted have come after
// them.
//
// # Absent is not empty
//
// A payload may lack members: a newer one has no wsUrl and no summary. To take what is
// not there for null would empty what is stored. So each object remembers in Read, a
// [wire.Members], which members it had when it was read, and its method Has says whether
// a member was there, be it null or empty. The rules for writing:
//
//   - An object that was read, whose Read is not nil, is written with the members that
//     it had, and those that have been set since. What was null or empty and still is
//     stays just that. A copy remembers the same.
//   - An object that was built in Go, whose Read is nil, is written with the members of
//     the vendor's page, null where they are not set; the newer ones are left out when
//     they are not set. A field that is cleared after reading is written likewise.
//
// A field is set when it is not its type's zero value: what is set is always written. To
// have an object that was read written like one that was built, set its Read to nil.
//
// Members without a field are in Unknown and are written after those that have one.
// A time is written in UTC with three decimals, and dynamicVariables as a string,
// however they came.
//
// Nothing here checks who sent a webhook. Values may be copied and read by several
// goroutines at once.
package oration
