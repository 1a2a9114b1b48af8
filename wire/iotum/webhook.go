package iotum

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"

	"github.com/callboard/callboard/wire"
)

// Webhook is the body of a request, {event, payload, timestamp}, as on the vendor's
// page.
type Webhook struct {
	// Event names what happened.
	Event Event
	// Payload is what it happened to; nil if it is missing.
	Payload Payload
	// Timestamp is when it happened. The webhook has no id: whoever must tell a repeat
	// from something new compares all three members.
	Timestamp wire.Millis
	// Unknown are the members without a field.
	Unknown wire.Fields
}

// What can be wrong with a webhook.
var (
	errMissing = errors.New("is missing")
	errForm    = errors.New("is neither JSON in a string nor an object")
)

// Decode reads the body of a request. It wants event; everything else may be missing.
// An error names the member that is wrong by its path, such as payload: host_id.
func Decode(body []byte) (*Webhook, error) {
	var w Webhook
	err := json.Unmarshal(body, &w)
	if err == nil {
		err = w.complete()
	}
	if err != nil {
		return nil, fmt.Errorf("decode iotum webhook: %w", err)
	}
	return &w, nil
}

// Encode writes the body of a request, the payload as JSON in a string. It wants event;
// a payload of another event's type than the one of its event is an error. Unlike
// [json.Marshal] it leaves <, > and & as they are, inside the payload's string, too.
func Encode(w *Webhook) ([]byte, error) {
	if err := w.complete(); err != nil {
		return nil, fmt.Errorf("encode iotum webhook: %w", err)
	}
	body, err := w.MarshalJSON()
	if err != nil {
		return nil, fmt.Errorf("encode iotum webhook: %w", err)
	}
	return body, nil
}

// complete checks that a webhook has what each has.
func (w *Webhook) complete() error {
	if w.Event == "" {
		return fmt.Errorf("event: %w", errMissing)
	}
	return nil
}

// UnmarshalJSON reads a body and, unlike Decode, lets every member be missing.
func (w *Webhook) UnmarshalJSON(data []byte) error {
	var envelope struct {
		Event     Event           `json:"event"`
		Payload   json.RawMessage `json:"payload"`
		Timestamp wire.Millis     `json:"timestamp"`
	}
	var unknown wire.Fields
	if err := wire.Unmarshal(data, &envelope, &unknown); err != nil {
		return err
	}
	payload, err := readPayload(envelope.Event, envelope.Payload)
	if err != nil {
		return fmt.Errorf("payload: %w", err)
	}
	*w = Webhook{Event: envelope.Event, Payload: payload, Timestamp: envelope.Timestamp, Unknown: unknown}
	return nil
}

// readPayload reads an event's payload, as the string it should be or as the object.
func readPayload(e Event, data json.RawMessage) (Payload, error) {
	if data == nil {
		return nil, nil
	}
	// Text that was never a JSON string may have bytes that none can hold.
	text := strings.ToValidUTF8(string(data), "\ufffd")
	if data[0] == '"' {
		if err := json.Unmarshal(data, &text); err != nil {
			return nil, err
		}
	}
	payload := newPayload(e)
	switch {
	case payload == nil:
		return &Other{Text: text}, nil
	case data[0] != '"' && data[0] != '{':
		return nil, errForm
	}
	return payload, json.Unmarshal([]byte(text), payload)
}

// MarshalJSON writes the body of a request and, unlike Encode, lets event be missing.
func (w Webhook) MarshalJSON() ([]byte, error) {
	envelope := struct {
		Event     Event       `json:"event"`
		Payload   *string     `json:"payload,omitzero"`
		Timestamp wire.Millis `json:"timestamp,omitzero"`
	}{Event: w.Event, Timestamp: w.Timestamp}
	if w.Payload != nil {
		text, err := writePayload(w.Event, w.Payload)
		if err != nil {
			return nil, fmt.Errorf("payload: %w", err)
		}
		envelope.Payload = &text
	}
	return wire.Marshal(envelope, w.Unknown)
}

// writePayload writes an event's payload, not yet as a JSON string.
func writePayload(e Event, payload Payload) (string, error) {
	if other, ok := payload.(*Other); ok {
		return other.Text, nil
	}
	want := newPayload(e)
	if want != nil && reflect.TypeOf(want) != reflect.TypeOf(payload) {
		return "", fmt.Errorf("%s has a %T, not a %T", e, want, payload)
	}
	// Not json.Marshal, which would escape HTML.
	text, err := payload.MarshalJSON()
	return string(text), err
}
