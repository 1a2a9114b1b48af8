// Package iotum has the payloads of iotum's webhooks, which Callbridge and
// FreeConference send: conferences, their participants, recordings and streams, and
// the hosts' files.
//
// [Decode] reads the body of a request, and [Encode] writes one. What happened is the
// webhook's Event; its Payload is a pointer to one of this package's structs, which
// [Payload] lists, and a program switches on either. Events of the same fields share a
// struct. The fields are those of the vendor's page "Webhooks", in its
// order, plus two events that only newer documents of the vendor have, vcon_import_….
//
// # What is read
//
// On the wire the payload is JSON inside a JSON string; an object in its place is
// taken, too. Ids are numbers in the page's sample, and a string is taken as well: a
// [wire.ID] is written as it came. Any member may be missing (the page's sample has no
// company_id); null counts as missing, and so does "" as an id, a text or the time.
// An event that this package does not know has the payload [Other], which keeps it all.
//
// # What is written
//
// The payload becomes a string again. A member that is missing is left out, Unknown
// ones come after the others, and the timestamp is in UTC with three decimals.
//
// Nothing here checks who sent a webhook. Values may be copied and read by several
// goroutines at once.
package iotum
