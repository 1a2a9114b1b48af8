// Package sessionboard has the payloads of Sessionboard's webhooks as Go types.
//
// A webhook has two members: data, the whole resource that changed, and metadata, what
// happened to it. [Decode] reads it, and [Encode] writes it; the type of its data follows
// from the action:
//
//	w, err := sessionboard.Decode(body)
//	switch data := w.Data.(type) {
//	case *sessionboard.Session:
//		…
//	case *sessionboard.Contact:
//		…
//	}
//
// The sources are the vendor page "webhooks", for the envelope and the actions, and the
// response schemas of the vendor's API reference, for the resources. Where those say
// nothing of a field's shape, it is a [json.RawMessage], as it came.
//
// # Absent is not empty
//
// A payload may have less than the whole resource: the vendor page's own example has
// data of an id and sourceOfChange alone, and an older generation of payloads has no
// version and datetime. To take what is not there for null would empty a stored
// session. So each object remembers in Read, a [wire.Members], which members it had when
// it was read, and its method Has says whether a member was there, be it null or empty.
// The rules for writing:
//
//   - An object that was read, whose Read is not nil, is written with the members that
//     it had, and those that have been set since. What was null or empty and still is
//     stays just that. A copy remembers the same.
//   - An object that was built in Go, whose Read is nil, is written with all fields of
//     the vendor's schema: null, or [] for a list, where nothing is set. Only those that
//     belong to some actions are left out when they are not set: deleted_at, speaker,
//     sourceOfChange. A field that is cleared after reading is written likewise.
//
// A field is set when it is not its type's zero value: what is set is always written. To
// have an object that was read written like one that was built, set its Read to nil.
//
// Members that this package does not know are kept in Unknown, at the object where
// they were found, and written after the others as they were spelled. Keys are written
// in the vendor's order, times in UTC and to the second.
//
// The values here hold no locks: share them between goroutines only for reading.
// Whether a body really comes from Sessionboard is not decided here.
package sessionboard

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/callboard/callboard/wire"
)

// Webhook is the body of one webhook.
type Webhook struct {
	Data     Data         `json:"data"`
	Metadata Metadata     `json:"metadata"`
	Unknown  wire.Fields  `json:"-"`
	Read     wire.Members `json:"-"` // the members that it was read from; nil if it was built
}

// ActorID is the id of the user who performed the action, none for the system. The
// older generation of payloads has it in data, not in the metadata: this method looks
// at both.
func (w *Webhook) ActorID() wire.ID {
	if !w.Metadata.ActorID.IsZero() || w.Data == nil {
		return w.Metadata.ActorID
	}
	var id wire.ID
	if raw := w.Data.unknown().Get("actor_id"); raw != nil && id.UnmarshalJSON(raw) != nil {
		return wire.ID{}
	}
	return id
}

// Data is the resource that changed, in full or in part. It is one of *[Session],
// *[Contact], *[Exhibitor], *[Sponsor], and *[Other] if the action is one that this
// package does not know.
type Data interface {
	// ResourceID is the resource's id.
	ResourceID() wire.ID
	// Source says what made the change, "" if that is not known.
	Source() SourceOfChange
	// Has reports whether the payload has the member of this name, spelled as in JSON,
	// be it null or empty. In an object that was not read but built, each field of the
	// schema counts as there that would be written.
	Has(name string) bool

	unknown() wire.Fields
}

// SourceOfChange is what made a change. Other values may come.
type SourceOfChange string

// The documented sources of changes.
const (
	SourceUser  SourceOfChange = "user"
	SourceAgent SourceOfChange = "agent"
)

// Metadata says what happened, where, when and by whom.
type Metadata struct {
	Action Action `json:"action"`
	// ActorID is the user who performed the action: a number, none for the system.
	ActorID wire.ID `json:"actor_id"`
	// EventID is Sessionboard's event that the change belongs to: a number, none if it
	// concerns the whole organization.
	EventID wire.ID `json:"event_id"`
	OrgID   wire.ID `json:"org_id"`
	// ResourceURL is where the vendor's public API has the whole resource.
	ResourceURL string  `json:"resource_url"`
	Version     Version `json:"version"`
	// Datetime is when it happened.
	Datetime wire.Seconds `json:"datetime"`
	Unknown  wire.Fields  `json:"-"`
	Read     wire.Members `json:"-"` // the members that it was read from; nil if it was built
}

// Version is the version of the payload's schema. The vendor promises to raise it when
// a field is removed or renamed, but not for a new one. Zero is none, as in the older
// generation of payloads, and is written as null.
type Version int

// CurrentVersion is the version that this package knows.
const CurrentVersion Version = 1

// Other is the data of an action that this package does not know, or of a later
// version whose fields do not fit the types of this one.
type Other struct {
	ID             wire.ID        `json:"id"`
	SourceOfChange SourceOfChange `json:"sourceOfChange,omitzero"`
	Unknown        wire.Fields    `json:"-"` // all else
	Read           wire.Members   `json:"-"` // the members that it was read from; nil if it was built
}

// errMissing is what is wrong with a member that has to be there.
var errMissing = errors.New("is missing")

// Decode reads the body of a webhook. It has to be a JSON object whose metadata has an
// action that is not empty, and whose data is an object. An error names the member that
// is wrong, such as "data: starts_at".
func Decode(body []byte) (*Webhook, error) {
	var w Webhook
	err := json.Unmarshal(body, &w)
	if err == nil {
		err = w.complete()
	}
	if err != nil {
		return nil, fmt.Errorf("sessionboard webhook: %w", err)
	}
	return &w, nil
}

// Encode writes the body of a webhook, which has to have an action and data. Unlike
// [json.Marshal] it leaves <, > and & as they are.
func Encode(w *Webhook) ([]byte, error) {
	err := w.complete()
	if err != nil {
		return nil, fmt.Errorf("sessionboard webhook: %w", err)
	}
	body, err := w.MarshalJSON()
	if err != nil {
		return nil, fmt.Errorf("sessionboard webhook: %w", err)
	}
	return body, nil
}

// complete checks that a webhook has what each has.
func (w *Webhook) complete() error {
	switch {
	case w.Metadata.Action == "":
		return fmt.Errorf("metadata: action: %w", errMissing)
	case w.Data == nil:
		return fmt.Errorf("data: %w", errMissing)
	}
	return nil
}

// UnmarshalJSON reads a webhook, its data by its action.
func (w *Webhook) UnmarshalJSON(body []byte) error {
	var envelope struct {
		Data     json.RawMessage `json:"data"`
		Metadata Metadata        `json:"metadata"`
	}
	*w = Webhook{}
	err := w.Read.Unmarshal(body, &envelope, &w.Unknown)
	if err != nil {
		return err
	}
	w.Metadata = envelope.Metadata
	if envelope.Data == nil {
		return nil
	}
	w.Data, err = decodeData(envelope.Data, envelope.Metadata)
	if err != nil {
		return fmt.Errorf("data: %w", err)
	}
	return nil
}

// decodeData reads the data of an action. That of a later version is read as far as
// possible: it may be right and yet not fit.
func decodeData(raw json.RawMessage, metadata Metadata) (Data, error) {
	data := metadata.Action.newData()
	err := json.Unmarshal(raw, data)
	if err != nil && metadata.Version > CurrentVersion {
		data = new(Other)
		err = json.Unmarshal(raw, data)
	}
	if err != nil {
		return nil, err
	}
	return data, nil
}

// MarshalJSON writes a webhook and, unlike Encode, lets its action and data be missing.
func (w Webhook) MarshalJSON() ([]byte, error) { return w.Read.Marshal(w, w.Unknown) }

// Has reports whether the member of this name was there when the webhook was read, be it
// null or empty; of one that was built, whether it is written.
func (w *Webhook) Has(name string) bool { return w.Read.Has(name, w, w.Unknown) }

// MarshalJSON writes a number, or null for none.
func (v Version) MarshalJSON() ([]byte, error) {
	if v == 0 {
		return []byte("null"), nil
	}
	return json.Marshal(int(v))
}
