package demo

import (
	"encoding/json"
	"fmt"
	"time"
)

// kind is an event type and what its messages tell.
type kind struct {
	name  string // ours, see docs/guide/sending.md
	group string // the vendor whose webhook it is
	says  string // for people
	data  func(*story) object
}

// object is a JSON object.
type object map[string]any

// catalogue holds the event types that the four vendors document: 2 of Zuddl's, 20 of Sessionboard's, 1 of Oration's and
// 22 of iotum's.
var catalogue = []kind{
	{"session.joined", "Zuddl", "An attendee joined a session.", (*story).attendance},
	{"session.time_spent", "Zuddl", "How long an attendee spent in a session, one hour after the event has ended.", (*story).timeSpent},

	{"contact.created", "Sessionboard", "A contact was created in the organization.", resource("contact", (*story).contact)},
	{"contact.updated", "Sessionboard", "A contact's details were updated.", resource("contact", (*story).contact)},
	{"contact.deleted", "Sessionboard", "A contact was deleted from the organization.", deleted("contact", (*story).contact)},
	{"contact.event.associated", "Sessionboard", "A contact was associated with an event.", association("contact", (*story).contact)},
	{"contact.event.disassociated", "Sessionboard", "A contact was removed from an event.", association("contact", (*story).contact)},
	{"session.created", "Sessionboard", "A new session was created.", resource("session", (*story).session)},
	{"session.updated", "Sessionboard", "A session's details were updated.", resource("session", (*story).session)},
	{"session.deleted", "Sessionboard", "A session was deleted.", deleted("session", (*story).session)},
	{"session.speaker.attached", "Sessionboard", "A speaker was attached to a session.", (*story).speaker},
	{"session.speaker.detached", "Sessionboard", "A speaker was detached from a session.", (*story).speaker},
	{"exhibitor.created", "Sessionboard", "A new exhibitor was created.", resource("exhibitor", (*story).company)},
	{"exhibitor.updated", "Sessionboard", "An exhibitor's details were updated.", resource("exhibitor", (*story).company)},
	{"exhibitor.deleted", "Sessionboard", "An exhibitor was deleted.", deleted("exhibitor", (*story).company)},
	{"exhibitor.event.associated", "Sessionboard", "An exhibitor was associated with an event.", association("exhibitor", (*story).company)},
	{"exhibitor.event.disassociated", "Sessionboard", "An exhibitor was removed from an event.", association("exhibitor", (*story).company)},
	{"sponsor.created", "Sessionboard", "A new sponsor was created.", resource("sponsor", (*story).company)},
	{"sponsor.updated", "Sessionboard", "A sponsor's details were updated.", resource("sponsor", (*story).company)},
	{"sponsor.deleted", "Sessionboard", "A sponsor was deleted.", deleted("sponsor", (*story).company)},
	{"sponsor.event.associated", "Sessionboard", "A sponsor was associated with an event.", association("sponsor", (*story).company)},
	{"sponsor.event.disassociated", "Sessionboard", "A sponsor was removed from an event.", association("sponsor", (*story).company)},

	{"conversation.user_joined", "Oration", "A user joined a conversation with an agent.", (*story).conversation},

	{"conference.started", "iotum", "A conference started.", (*story).conference},
	{"conference.ended", "iotum", "A conference ended.", (*story).conference},
	{"conference.recording.started", "iotum", "The recording of a conference started.", (*story).conference},
	{"conference.recording.stopped", "iotum", "The recording of a conference stopped.", (*story).conference},
	{"conference.recording.ready", "iotum", "A recording can be downloaded.", (*story).recording},
	{"conference.transcription.ready", "iotum", "The transcription of a conference is ready.", (*story).conference},
	{"conference.stream.started", "iotum", "A conference is being streamed.", (*story).conference},
	{"conference.stream.stopped", "iotum", "A conference is no longer being streamed.", (*story).conference},
	{"conference.stream.preview_updated", "iotum", "There is a new preview of a stream.", (*story).preview},
	{"conference.broadcast.started", "iotum", "The broadcast of a conference started.", (*story).conference},
	{"conference.broadcast.stopped", "iotum", "The broadcast of a conference stopped.", (*story).conference},
	{"conference.participant.entered", "iotum", "A participant entered a conference.", (*story).entered},
	{"conference.participant.left", "iotum", "A participant left a conference.", (*story).left},
	{"conference.participant.role_changed", "iotum", "A participant has another role.", (*story).roleChanged},
	{"conference.livestream.entered", "iotum", "A viewer entered a livestream.", (*story).viewer},
	{"conference.livestream.left", "iotum", "A viewer left a livestream.", (*story).viewerLeft},
	{"conference.dialout.status_changed", "iotum", "A call to a participant went on.", (*story).dialout},
	{"conference.access_code.reused", "iotum", "A one-time access code was used for another conference.", (*story).accessCode},
	{"host.profile_picture.uploaded", "iotum", "A host's profile picture was uploaded.", (*story).host},
	{"host.profile_picture.failed", "iotum", "A host's profile picture could not be uploaded.", (*story).host},
	{"drive.file.added", "iotum", "A file was uploaded and processed.", (*story).file},
	{"drive.file.deleted", "iotum", "A file was deleted.", (*story).file},
}

// compose writes the n-th message of the stream, in the form that Callboard's own messages have: {type, timestamp,
// data}. The same n always tells the same, but for the time.
func compose(n int, now time.Time) (eventType string, payload json.RawMessage, err error) {
	k := catalogue[n%len(catalogue)]
	payload, err = marshal(struct {
		Type      string `json:"type"`
		Timestamp string `json:"timestamp"`
		Data      object `json:"data"`
	}{k.name, stamp(now), k.data(newStory(n, now))})
	if err != nil {
		return "", nil, fmt.Errorf("compose %s: %w", k.name, err)
	}
	return k.name, payload, nil
}

// stamp writes a time as messages have it: UTC, to the millisecond.
func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }
