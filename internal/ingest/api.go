package ingest

import (
	"time"

	"github.com/callboard/callboard/internal/commit"
	"github.com/callboard/callboard/internal/errs"
	"github.com/callboard/callboard/internal/id"
)

// Key is a caller's promise that requests under it are one request. The zero
// Key makes no promise.
type Key struct {
	Scope string // token subject, method and path
	Value string // the Idempotency-Key header; "" = none
	Body  []byte // the request's body: another one under the same key is a conflict
}

// Result tells what a unit of work did. Answers are rendered from its ID.
type Result struct {
	ID id.ID
	// Existed says that nothing was created because it was there before.
	Existed bool
	// Replayed says that an earlier request with the same Key did the work.
	Replayed bool
	// Warnings say what of a message's payload does not fit its type's schema, where the
	// org wants to be warned only. Their places begin with "body".
	Warnings []errs.Field
}

// Message is a message as a sender hands it in.
type Message struct {
	EventType string
	Payload   []byte // a JSON object, kept byte for byte; Post takes ownership
	EventID   string // "" = none
	Channels  []string
	Tags      []string
	OrderKey  string
	DeliverAt time.Time     // zero = at once
	Retention time.Duration // of the payload; 0 = the installation's
	Deadline  time.Duration // of each delivery; 0 = the endpoint's
}

// AppRef names an app within an org.
type AppRef = commit.AppRef
