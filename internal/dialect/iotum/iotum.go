// Package iotum is the dialect of iotum's webhooks, which Callbridge and FreeConference
// send: an event's name, what it is about as JSON inside a string, and a token that is
// always the same.
//
// Source: the vendor's page "Webhooks", and newer documents of the vendor for the events
// vcon_import_…. Where those say nothing, the tables in form.go say "Choice".
package iotum

import (
	"errors"
	"fmt"
	"strings"

	"github.com/callboard/callboard/internal/dialect"
	"github.com/callboard/callboard/internal/dialect/neighbour"
	"github.com/callboard/callboard/internal/dialect/shape"
	wire "github.com/callboard/callboard/wire/iotum"
)

// Name is the dialect's name in the API.
const Name = "iotum"

// Dialect is iotum's; New makes it.
type Dialect struct{ words dialect.Vocabulary }

// exact are the event types that the vendor documents a word for, the conferences' first
// and in the page's order.
var exact = []struct {
	eventType string
	event     wire.Event
}{
	{"conference.started", wire.EventConferenceStart},
	{"conference.ended", wire.EventConferenceEnd},
	{"conference.recording.started", wire.EventStartRecording},
	{"conference.recording.stopped", wire.EventStopRecording},
	{"conference.stream.started", wire.EventStartStreaming},
	{"conference.stream.stopped", wire.EventStopStreaming},
	{"conference.recording.ready", wire.EventRecordingReady},
	{"conference.transcription.ready", wire.EventTranscriptionReady},
	{"conference.livestream.entered", wire.EventEnterLivestream},
	{"conference.livestream.left", wire.EventLeaveLivestream},
	{"conference.stream.preview_updated", wire.EventStreamPreviewUpdated},
	{"host.profile_picture.uploaded", wire.EventProfilePictureUploadSuccess},
	{"host.profile_picture.failed", wire.EventProfilePictureUploadFailure},
	{"conference.participant.entered", wire.EventEnterConference},
	{"conference.participant.left", wire.EventLeaveConference},
	{"conference.dialout.status_changed", wire.EventDialoutStatusChange},
	{"conference.participant.role_changed", wire.EventParticipantRoleChanged},
	{"conference.broadcast.started", wire.EventStartBroadcasting},
	{"conference.broadcast.stopped", wire.EventStopBroadcasting},
	{"drive.file.added", wire.EventDriveFileAdded},
	{"drive.file.deleted", wire.EventDriveFileDeleted},
	{"conference.access_code.reused", wire.EventOneTimeAccessCodeReused},
	{vconSuccess, wire.EventVConImportSuccess},
	{vconFailure, wire.EventVConImportFailure},
}

// New makes the dialect.
func New() Dialect {
	enter, leave := string(wire.EventEnterConference), string(wire.EventLeaveConference)
	terms := []dialect.Term{
		{Type: "session.joined", Word: enter, Fit: dialect.Translated},
		{Type: "session.left", Word: leave, Fit: dialect.Translated},
		{Type: "conversation.user_joined", Word: enter, Fit: dialect.Translated},
		{Type: "conversation.user_left", Word: leave, Fit: dialect.Translated},
	}
	for _, e := range exact {
		terms = append(terms, dialect.Term{Type: e.eventType, Word: string(e.event), Fit: dialect.Exact})
	}
	return Dialect{words: dialect.NewVocabulary(Name, terms...)}
}

// Name is "iotum".
func (Dialect) Name() string { return Name }

// Word is the event of an event type.
func (d Dialect) Word(eventType string) (string, dialect.Fit) { return d.words.Word(eventType) }

// Types are the event types that go out as an event.
func (d Dialect) Types(word string) []string { return d.words.Types(word) }

// Render writes {event, payload, timestamp}.
func (d Dialect) Render(m dialect.Message) ([]byte, error) {
	event, fit := d.words.Word(m.Type)
	if fit == dialect.Unsaid {
		return nil, fmt.Errorf("%w: iotum has no event for the event type", dialect.ErrUnrenderable)
	}
	form, known := webhooks[event]
	if !known {
		form = otherWebhook
	}
	return shape.Render(m, event, func(b []byte, s *shape.Source) ([]byte, error) {
		if translation := neighbour.Form(m.Type, neighbour.Conference); translation != nil {
			if err := s.Translate(translation); err != nil {
				return b, err
			}
		}
		return form.Append(b, s.Data, s)
	})
}

// What is wrong with the members of a body.
var (
	errEvent   = errors.New("must be a name such as conference_start")
	errPayload = errors.New("must be a JSON object, or one inside a string")
)

// Parse reads {event, payload, timestamp} of any event. The webhook has no id: it is
// told from others by these three.
func (d Dialect) Parse(r dialect.Request) (dialect.Activity, error) {
	body, err := shape.Parse(r.Body)
	if err != nil {
		return dialect.Activity{}, err
	}
	event := body.Get("event").String()
	if !isEvent(event) {
		return dialect.Activity{}, shape.Unreadable("event", errEvent)
	}
	payload, timestamp := body.Get("payload"), body.Get("timestamp")
	data, err := readPayload(event, payload)
	if err != nil {
		return dialect.Activity{}, err
	}
	a := dialect.Activity{
		ID:   dialect.HashID([]byte(event), plain(timestamp), plain(payload)),
		Type: d.words.Type(event),
		At:   timestamp.Time(),
	}
	a.Payload = shape.Payload(a.Type, a.At, data)
	return a, nil
}

// readPayload gives an event's payload under Callboard's names. That of an event that is
// not known may be anything.
func readPayload(event string, payload shape.Value) ([]byte, error) {
	if payload.None() {
		return []byte("{}"), nil
	}
	text := plain(payload)
	form, known := payloads[wire.Event(event)]
	_, err := shape.Parse(text)
	switch {
	case err == nil && known:
		return form.Read(nil, text)
	case err == nil:
		return text, nil
	case known:
		return nil, shape.Unreadable("payload", errPayload)
	}
	return payload, nil
}

// plain is the text of a string, the JSON of any other value, and nothing for null.
func plain(v shape.Value) []byte {
	switch {
	case v.None():
		return nil
	case v[0] == '"':
		return []byte(v.String())
	}
	return v
}

// isEvent reports whether text is a name as the vendor gives them, one that can be part
// of an event type's name.
func isEvent(text string) bool {
	return text != "" && len(text) <= 200 && strings.IndexFunc(text, func(r rune) bool {
		letter := r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z'
		return !letter && r != '_' && r != '.' && r != '-' && (r < '0' || r > '9')
	}) < 0
}

// Observes is true of both: there are events for entering a conference and for leaving it.
func (Dialect) Observes() dialect.Observed { return dialect.Observed{Joins: true, Leaves: true} }
