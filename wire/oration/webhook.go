package oration

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/callboard/callboard/wire"
)

// EventType names what happened. The list is open: a type that has no constant here
// is read as it is.
type EventType string

// The types of events that are known. Only the first is on the vendor's page; the
// others are documented elsewhere by the vendor.
const (
	// EventUserJoined says that the customer has joined the conversation.
	EventUserJoined EventType = "conversation.userJoined"
	// EventUserLeft says that the customer has left the conversation. It may come
	// without EventUserJoined: somebody who did not answer has a userLeaveTime and no
	// userJoinTime.
	EventUserLeft EventType = "conversation.userLeft"
	// EventCompleted says that the conversation is over.
	EventCompleted EventType = "conversation.completed"
	// EventAnalysisCompleted says that the analysis which follows a conversation is
	// done; its results are in the conversation.
	EventAnalysisCompleted EventType = "conversation.analysisCompleted"
)

// known reports whether the payload is known to be a conversation.
func (t EventType) known() bool {
	switch t {
	case EventUserJoined, EventUserLeft, EventCompleted, EventAnalysisCompleted:
		return true
	}
	return false
}

// Webhook is the body of a request, {eventId, eventType, payload}, as on the vendor's
// page. The envelope has no time: see Conversation.UpdatedAt.
type Webhook struct {
	// EventID is the same whenever an event is sent again. The vendor calls it a uuid
	// and shows evt_…: take it for any text.
	EventID wire.ID `json:"eventId"`
	// EventType names what happened.
	EventType EventType `json:"eventType"`
	// Payload is the conversation after the event. Decode gives one for every type that
	// is known. For another type it is nil if the payload is missing or does not read
	// as a conversation; in the latter case it is in Unknown, under "payload".
	Payload *Conversation `json:"payload"`
	// Unknown are the members without a field.
	Unknown wire.Fields `json:"-"`
	// Read remembers the members that it was read from; nil if it was built.
	Read wire.Members `json:"-"`
}

// What is wrong with a member that must be there.
var errMissing = errors.New("is missing")

// Decode reads the body of a request. It wants eventType and, for the types that are
// known, payload. Everything else may be missing. An error names the member that is
// wrong by its path, such as payload: customer: id.
func Decode(body []byte) (*Webhook, error) {
	var w Webhook
	err := json.Unmarshal(body, &w)
	if err == nil {
		err = w.complete()
	}
	if err != nil {
		return nil, fmt.Errorf("decode oration webhook: %w", err)
	}
	return &w, nil
}

// Encode writes the body of a request. It wants what Decode wants. Unlike
// [json.Marshal] it leaves <, > and & as they are.
func Encode(w *Webhook) ([]byte, error) {
	if err := w.complete(); err != nil {
		return nil, fmt.Errorf("encode oration webhook: %w", err)
	}
	body, err := w.MarshalJSON()
	if err != nil {
		return nil, fmt.Errorf("encode oration webhook: %w", err)
	}
	return body, nil
}

// complete checks that a webhook has what each has.
func (w *Webhook) complete() error {
	switch {
	case w.EventType == "":
		return fmt.Errorf("eventType: %w", errMissing)
	case w.Payload == nil && w.EventType.known():
		return fmt.Errorf("payload: %w", errMissing)
	}
	return nil
}

// UnmarshalJSON reads a body and, unlike Decode, lets every member be missing.
func (w *Webhook) UnmarshalJSON(data []byte) error {
	var envelope struct {
		EventID   wire.ID         `json:"eventId"`
		EventType EventType       `json:"eventType"`
		Payload   json.RawMessage `json:"payload"`
	}
	*w = Webhook{}
	if err := w.Read.Unmarshal(data, &envelope, &w.Unknown); err != nil {
		return err
	}
	w.EventID, w.EventType = envelope.EventID, envelope.EventType
	if envelope.Payload == nil {
		return nil
	}
	var c Conversation
	switch err := json.Unmarshal(envelope.Payload, &c); {
	case err == nil:
		w.Payload = &c
	case w.EventType.known():
		return fmt.Errorf("payload: %w", err)
	default:
		// A type of a later day may be about something else than conversations.
		delete(w.Read, "payload")
		w.Unknown = append(w.Unknown, wire.Field{Name: "payload", Value: envelope.Payload})
	}
	return nil
}

// MarshalJSON writes the body of a request and, unlike Encode, lets every member be
// missing.
func (w Webhook) MarshalJSON() ([]byte, error) { return w.Read.Marshal(w, w.Unknown) }

// Has reports whether the member of this name was there when the webhook was read, be it
// null or empty; of one that was built, whether it is written.
func (w *Webhook) Has(name string) bool { return w.Read.Has(name, w, w.Unknown) }
