// Package native has the payloads of Callboard's own webhooks as Go types: what comes to
// an endpoint that speaks no vendor's dialect.
//
// A webhook has three members: its type, the time at which it happened, and its data.
// [Decode] reads it, and [Encode] writes it; the type of its data follows from its type,
// and a program switches on either:
//
//	w, err := native.Decode(body)
//	switch data := w.Data.(type) {
//	case *native.Attendance: // somebody came, left, or was there for so long
//		…
//	case *native.SessionChange: // of several types
//		switch w.Type {
//		case native.SessionCreated:
//			…
//		}
//	case *native.Other: // a type of one's own, or of a later day
//		…
//	}
//
// The comment on each [Type] tells which data it has. The objects in the data, such as
// [Session] and [Contact], have the members that the vendors of the other dialects
// document, in camelCase. A [Conversation] is the one of package oration, whose comment
// tells how it is read and written.
//
// # What is read
//
// An object that all data of its kind has is a plain field, and one that may be missing
// is a pointer, nil then. Such an object may still be missing: as a rule Callboard takes no
// message over its API without what its catalogue asks for, but a webhook that it has from
// another vendor may lack some of it, and the field is zero then. Nothing but the type, and
// the data of a type that is known, has to be there. Ids may be strings or numbers, a
// location an object or an array.
//
// # Absent is not empty
//
// A payload may have a part of an object only. To take what is not there for null would
// empty what is stored. So each object remembers in Read, a [wire.Members], which
// members it had when it was read, and its method Has says whether a member was there,
// be it null or empty. The rules for writing:
//
//   - An object that was read, whose Read is not nil, is written with the members that
//     it had, and those that have been set since. What was null or empty and still is
//     stays just that. A copy remembers the same.
//   - An object that was built in Go, whose Read is nil, is written with the members that
//     are set, and no other. A field that is cleared after reading is left out likewise.
//
// A field is set when it is not its type's zero value.
//
// Members that this package does not know are kept in Unknown, at the object where they
// were found, and written after the others. Keys are written in the order of the fields,
// times in UTC with three decimals, 42.0 as 42, and one location as an object.
//
// The values here hold no locks: share them between goroutines only for reading.
// Whether a body really comes from Callboard is not decided here.
package native
