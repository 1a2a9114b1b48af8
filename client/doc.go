// Package client tells a Callboard server what goes on where people meet, and asks it what it
// knows: from Go, over the REST API.
//
//	c, err := client.New("http://127.0.0.1:8071", token)
//	acme := c.App("acme")
//	_, err = acme.Events().Create(ctx, native.Event{ID: wire.Text("summit"), Name: "Summit"})
//	told, err := acme.Tell(ctx, client.Activity{Type: native.SessionJoined, Data: client.Attendance{
//		EventID: "summit", SessionID: "keynote", RegistrationID: "grace",
//	}})
//	report, err := acme.Attendance(ctx, "summit")
//
// Resources are the types of package native. Members that those do not know are kept, so that
// what was read may be changed and given to Replace. What has no method of its own is reached
// by [Client.Do], and with it every route of the server's OpenAPI document.
//
// # Errors
//
// What the server refuses is an [*Error], and [ErrNotFound] and [ErrConflict] say by [errors.Is]
// what is asked for most. A server that does not answer, or whose answer breaks off, is an
// [*UnreachableError]. No error holds the token, a query or a body that was sent. What is
// wrong with an argument is said before anything is sent.
//
// # Again
//
// What fails for a reason that passes is sent again by itself, three times unless
// [WithRetries] says otherwise, with growing pauses: no answer, 429, 502, 503, 504. That is
// safe for every method: a POST goes out under an Idempotency-Key of its own, and a DELETE that
// finds nothing after an answer was lost is done. Retry-After is heeded up to a minute; who
// asks for more is not waited for. The end of a context ends everything at once.
//
// A [Client], and all that it gives, is safe for concurrent use.
package client
