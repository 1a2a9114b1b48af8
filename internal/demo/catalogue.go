package demo

import (
	"encoding/json"
	"fmt"
	"time"
)

// kind is an event type of Callboard's catalogue and what its messages tell here.
type kind struct {
	name string
	data func(*story) object
}

// object is a JSON object.
type object map[string]any

// kinds are all event types of the catalogue, which the server knows by itself.
var kinds = []kind{
	{"session.joined", (*story).attendance},
	{"session.left", (*story).attendance},
	{"session.time_spent", (*story).timeSpent},

	{"session.created", (*story).programme},
	{"session.updated", (*story).programme},
	{"session.deleted", deleted("session", (*story).programme)},
	{"session.speaker.attached", (*story).speaker},
	{"session.speaker.detached", (*story).speaker},
	{"contact.created", resource("contact", (*story).contact)},
	{"contact.updated", resource("contact", (*story).contact)},
	{"contact.deleted", deleted("contact", resource("contact", (*story).contact))},
	{"contact.event.associated", association("contact", (*story).contact)},
	{"contact.event.disassociated", association("contact", (*story).contact)},
	{"exhibitor.created", resource("exhibitor", (*story).company)},
	{"exhibitor.updated", resource("exhibitor", (*story).company)},
	{"exhibitor.deleted", deleted("exhibitor", resource("exhibitor", (*story).company))},
	{"exhibitor.event.associated", association("exhibitor", (*story).company)},
	{"exhibitor.event.disassociated", association("exhibitor", (*story).company)},
	{"sponsor.created", resource("sponsor", (*story).company)},
	{"sponsor.updated", resource("sponsor", (*story).company)},
	{"sponsor.deleted", deleted("sponsor", resource("sponsor", (*story).company))},
	{"sponsor.event.associated", association("sponsor", (*story).company)},
	{"sponsor.event.disassociated", association("sponsor", (*story).company)},

	{"conversation.user_joined", (*story).talk},
	{"conversation.user_left", (*story).hungUp},
	{"conversation.completed", (*story).completed},
	{"conversation.analysis_completed", (*story).analysed},

	{"conference.started", (*story).conference},
	{"conference.ended", (*story).conference},
	{"conference.recording.started", (*story).conference},
	{"conference.recording.stopped", (*story).conference},
	{"conference.recording.ready", (*story).recording},
	{"conference.transcription.ready", (*story).conference},
	{"conference.stream.started", (*story).conference},
	{"conference.stream.stopped", (*story).conference},
	{"conference.stream.preview_updated", (*story).preview},
	{"conference.broadcast.started", (*story).conference},
	{"conference.broadcast.stopped", (*story).conference},
	{"conference.participant.entered", (*story).entered},
	{"conference.participant.left", (*story).left},
	{"conference.participant.role_changed", (*story).roleChanged},
	{"conference.participant.time_spent", (*story).timeInConference},
	{"conference.livestream.entered", (*story).viewer},
	{"conference.livestream.left", (*story).viewerLeft},
	{"conference.dialout.status_changed", (*story).dialout},
	{"conference.access_code.reused", (*story).accessCode},
	{"host.profile_picture.uploaded", (*story).host},
	{"host.profile_picture.failed", (*story).host},
	{"drive.file.added", (*story).file},
	{"drive.file.deleted", (*story).file},
	{"iotum.vcon_import_success", (*story).vcon},
	{"iotum.vcon_import_failure", (*story).vconFailure},

	{"event.created", resource("event", (*story).event)},
	{"event.updated", resource("event", (*story).event)},
	{"event.time_spent", (*story).timeAtEvent},
	{"registration.created", (*story).registered},
	{"registration.attended", (*story).registered},
	{"registration.no_show", (*story).registered},
}

// compose writes the n-th message of the stream, in the form that Callboard's own messages have: {type, timestamp,
// data}. The same n always tells the same, but for the time, which is when it happened.
func compose(n int, at time.Time) (eventType string, payload json.RawMessage, err error) {
	k := kinds[n%len(kinds)]
	payload, err = marshal(struct {
		Type      string `json:"type"`
		Timestamp string `json:"timestamp"`
		Data      object `json:"data"`
	}{k.name, stamp(at), k.data(newStory(n, at))})
	if err != nil {
		return "", nil, fmt.Errorf("compose %s: %w", k.name, err)
	}
	return k.name, payload, nil
}

// stamp writes a time as messages have it: UTC, to the millisecond.
func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }
