// Package errs gives an error the two things that a caller outside the process
// may know about it: its kind and a text fit for the public.
//
// Packages below the API create an Error where they know what went wrong. The
// package web alone turns the kind into an HTTP status. The cause, which may
// hold internals, is kept for logs and never printed to a client.
package errs

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// Kind says what sort of failure an error is, from the caller's point of view.
type Kind uint8

// The kinds, each with the HTTP status that the API gives it.
const (
	Internal        Kind = iota // 500: our fault, the detail is not shown
	Malformed                   // 400: the request cannot be read at all
	Unauthenticated             // 401: no token, or one that does not verify
	Forbidden                   // 403: a valid token that may not do this
	NotFound                    // 404: no such thing in the caller's scope
	Conflict                    // 409: a name or key is taken
	TooLarge                    // 413: the body is over the limit
	Invalid                     // 422: readable, but some fields are wrong
	TooMany                     // 429: over a quota; RetryAfter says for how long
	NotImplemented              // 501: a documented route that this version lacks
	Unavailable                 // 503: a store or node cannot answer now; retry
)

// Field names one wrong part of a request: where it is and what is wrong.
// Msg never repeats the rejected value, which could be a secret.
type Field struct {
	Loc []string // e.g. ["body", "url"] or ["query", "limit"]
	Msg string   // a sentence without the value
}

// Error is a failure that a client may be told about.
type Error struct {
	Kind       Kind
	Code       string        // machine-readable, snake_case; "" = the kind's default
	Detail     string        // one sentence for a person; empty for Invalid
	Fields     []Field       // set for Invalid only
	RetryAfter time.Duration // 0 = not given
	Cause      error         // for logs only
}

// Error joins the public text and the cause; it is for logs.
func (e *Error) Error() string {
	text := e.Detail
	if len(e.Fields) > 0 {
		parts := make([]string, len(e.Fields))
		for i, f := range e.Fields {
			parts[i] = strings.Join(f.Loc, ".") + ": " + f.Msg
		}
		text = strings.Join(parts, "; ")
	}
	if e.Cause != nil {
		return text + ": " + e.Cause.Error()
	}
	return text
}

// Unwrap gives the cause, so that errors.Is sees through an Error.
func (e *Error) Unwrap() error { return e.Cause }

// New makes an Error of the given kind with a public detail.
func New(kind Kind, format string, args ...any) *Error {
	return &Error{Kind: kind, Detail: fmt.Sprintf(format, args...)}
}

// Wrap gives cause a kind and a public detail; the cause stays private.
func Wrap(kind Kind, cause error, detail string) *Error {
	return &Error{Kind: kind, Detail: detail, Cause: cause}
}

// InvalidField makes a 422 that names one field, for example
// InvalidField("must be https", "body", "url").
func InvalidField(msg string, loc ...string) *Error {
	return &Error{Kind: Invalid, Fields: []Field{{Loc: loc, Msg: msg}}}
}

// Missing is the 404 for a thing that is absent or belongs to somebody else;
// both look alike, so that ids of other tenants cannot be probed.
func Missing() *Error {
	return &Error{Kind: NotFound, Detail: "Entity not found"}
}

// KindOf gives the kind of err, Internal where it carries none.
func KindOf(err error) Kind {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Kind
	}
	return Internal
}
