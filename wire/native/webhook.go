package native

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"

	"github.com/callboard/callboard/wire"
)

// Webhook is the body of one webhook, {type, timestamp, data}.
type Webhook struct {
	// Type names what happened.
	Type Type `json:"type"`
	// Timestamp is when it happened.
	Timestamp wire.Millis `json:"timestamp,omitzero"`
	// Data is what it happened to. Decode gives some for every type that is known. For
	// another type it is nil if it is missing or null.
	Data Data `json:"data,omitzero"`
	// Unknown are the members without a field.
	Unknown wire.Fields `json:"-"`
	// Read remembers the members that it was read from; nil if it was built.
	Read wire.Members `json:"-"`
}

// Data is what a webhook tells of: one of
//
//   - *[Attendance]
//   - *[RegistrationChange]
//   - *[EventChange]
//   - *[SessionChange]
//   - *[SpeakerChange]
//   - *[ContactChange]
//   - *[ExhibitorChange]
//   - *[SponsorChange]
//   - *[Conference]
//   - *[ConferenceRecording]
//   - *[ConferencePreview]
//   - *[ConferenceParticipant]
//   - *[ConferenceDialout]
//   - *[ConferenceAccessCode]
//   - *[Host]
//   - *[DriveFile]
//   - *[ConversationChange]
//   - *[Other], of a type that is not known
//
// The comment on each [Type] tells which.
type Data interface {
	// By says who or what did it, as far as the data tells.
	By() Origin
	// Has reports whether the data has the member of this name, spelled as in JSON, be it
	// null or empty. Data that was built has the members that are set.
	Has(name string) bool

	data()
}

// Other is the data of a type that this package does not know.
type Other struct {
	// Raw is the data as it came, as a rule a JSON object.
	Raw json.RawMessage
}

// What can be wrong with a member.
var (
	errMissing = errors.New("is missing")
	errOther   = errors.New("is not what this type has")
)

// Decode reads the body of a webhook. It wants type and, for the types that are known,
// data. Everything else may be missing. An error names the member that is wrong by its
// path, such as data: session: startDateTime.
func Decode(body []byte) (*Webhook, error) {
	var w Webhook
	err := json.Unmarshal(body, &w)
	if err == nil {
		err = w.complete()
	}
	if err != nil {
		return nil, fmt.Errorf("native webhook: %w", err)
	}
	return &w, nil
}

// Encode writes the body of a webhook. It wants what Decode wants; data of another type
// than the one that w.Type has is an error. Unlike [json.Marshal] it leaves <, > and & as
// they are.
func Encode(w *Webhook) ([]byte, error) {
	err := w.complete()
	if err != nil {
		return nil, fmt.Errorf("native webhook: %w", err)
	}
	body, err := w.MarshalJSON()
	if err != nil {
		return nil, fmt.Errorf("native webhook: %w", err)
	}
	return body, nil
}

// complete checks that a webhook has what each has.
func (w *Webhook) complete() error {
	want := w.Type.newData()
	switch {
	case w.Type == "":
		return fmt.Errorf("type: %w", errMissing)
	case want == nil: // anything goes
		return nil
	case w.Data == nil:
		return fmt.Errorf("data: %w", errMissing)
	case reflect.TypeOf(w.Data) != reflect.TypeOf(want):
		return fmt.Errorf("data: %w: a %T in place of a %T", errOther, w.Data, want)
	case reflect.ValueOf(w.Data).IsNil():
		return fmt.Errorf("data: %w", errMissing)
	}
	return nil
}

// UnmarshalJSON reads a body, its data by its type, and, unlike Decode, lets every member
// be missing.
func (w *Webhook) UnmarshalJSON(body []byte) error {
	var envelope struct {
		Type      Type            `json:"type"`
		Timestamp json.RawMessage `json:"timestamp"`
		Data      json.RawMessage `json:"data"`
	}
	*w = Webhook{}
	err := w.Read.Unmarshal(body, &envelope, &w.Unknown)
	if err != nil {
		return err
	}
	w.Type = envelope.Type
	if err := w.readTimestamp(envelope.Timestamp); err != nil {
		return fmt.Errorf("timestamp: %w", err)
	}
	if envelope.Data == nil {
		return nil
	}
	w.Data, err = readData(w.Type, envelope.Data)
	if err != nil {
		return fmt.Errorf("data: %w", err)
	}
	return nil
}

// readTimestamp reads the time of a type that is known. A type of one's own may have
// something else under that name, which is then Unknown.
func (w *Webhook) readTimestamp(raw json.RawMessage) error {
	if raw == nil {
		return nil
	}
	err := w.Timestamp.UnmarshalJSON(raw)
	switch {
	case err == nil:
		if w.Timestamp.IsZero() {
			w.Read["timestamp"] = raw // such as "", which is as good as null
		}
		return nil
	case w.Type.newData() != nil:
		return err
	}
	delete(w.Read, "timestamp")
	w.Unknown = append(w.Unknown, wire.Field{Name: "timestamp", Value: raw})
	return nil
}

// readData reads the data of a type.
func readData(t Type, raw json.RawMessage) (Data, error) {
	data := t.newData()
	if data == nil {
		data = new(Other)
	}
	if err := json.Unmarshal(raw, data); err != nil {
		return nil, err
	}
	return data, nil
}

// MarshalJSON writes the body of a webhook and, unlike Encode, lets its members be
// missing.
func (w Webhook) MarshalJSON() ([]byte, error) { return w.Read.Marshal(w, w.Unknown) }

// Has reports whether the member of this name was there when the webhook was read, be it
// null or empty; of one that was built, whether it is written.
func (w *Webhook) Has(name string) bool { return w.Read.Has(name, w, w.Unknown) }

// By is the actor and the sourceOfChange in the data, if they are there and fit.
func (o *Other) By() (by Origin) {
	members := o.members()
	var actor *Actor
	if json.Unmarshal(members["actor"], &actor) == nil {
		by.Actor = actor
	}
	_ = json.Unmarshal(members["sourceOfChange"], &by.SourceOfChange) // what does not fit stays ""
	return by
}

// Has reports whether the data is an object with the member of this name.
func (o *Other) Has(name string) bool {
	_, has := o.members()[name]
	return has
}

// members are those of the data, if it is an object.
func (o *Other) members() (members map[string]json.RawMessage) {
	_ = json.Unmarshal(o.Raw, &members) // what is no object has none
	return members
}

// UnmarshalJSON keeps the data as it is.
func (o *Other) UnmarshalJSON(data []byte) error {
	o.Raw = bytes.Clone(data)
	return nil
}

// MarshalJSON gives Raw, null if there is none.
func (o Other) MarshalJSON() ([]byte, error) { return o.Raw.MarshalJSON() }
