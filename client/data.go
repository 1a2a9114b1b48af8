package client

import (
	"github.com/callboard/callboard/wire"
	"github.com/callboard/callboard/wire/native"
)

// The data of activities. What the server knows already may be left out, such as a
// conference's host; what is zero is not sent. Objects beside the ids are created if they are
// not known, and changed like by Patch if they are, without messages of their own; their ids
// may stand in them instead.

// Attendance is the data of session.joined and session.left. Of the event, the session and the
// registration each needs its id, here or in the object.
type Attendance struct {
	EventID        string `json:"eventId,omitempty"`
	SessionID      string `json:"sessionId,omitempty"`
	RegistrationID string `json:"registrationId,omitempty"`
	// ConnectionID tells a person's devices apart; "" is one of them.
	ConnectionID string               `json:"connectionId,omitempty"`
	Event        *native.Event        `json:"event,omitempty"`
	Session      *native.Session      `json:"session,omitempty"`
	Registration *native.Registration `json:"registration,omitempty"`
}

// Subject is the data of activities that do what the methods of resources do: created, updated,
// deleted, of all kinds; associated and disassociated; session.speaker.attached and detached. It
// has the ids of what it is about, or the objects. A speaker is named by ContactID.
type Subject struct {
	EventID        string               `json:"eventId,omitempty"`
	SessionID      string               `json:"sessionId,omitempty"`
	RegistrationID string               `json:"registrationId,omitempty"`
	ContactID      string               `json:"contactId,omitempty"`
	ExhibitorID    string               `json:"exhibitorId,omitempty"`
	SponsorID      string               `json:"sponsorId,omitempty"`
	Event          *native.Event        `json:"event,omitempty"`
	Session        *native.Session      `json:"session,omitempty"`
	Registration   *native.Registration `json:"registration,omitempty"`
	Contact        *native.Contact      `json:"contact,omitempty"`
	Exhibitor      *native.Exhibitor    `json:"exhibitor,omitempty"`
	Sponsor        *native.Sponsor      `json:"sponsor,omitempty"`
	// Speaker is what is said of the contact in the session, such as its role there.
	Speaker *native.Participant `json:"speaker,omitempty"`
}

// Meeting is the data of the activities about a conference as a whole: conference.started, which
// needs all three ids, and ended; recording, stream and broadcast started and stopped;
// transcription.ready.
type Meeting struct {
	ConferenceID   string `json:"conferenceId,omitempty"`
	HostID         string `json:"hostId,omitempty"`    // whose conference it is
	CompanyID      string `json:"companyId,omitempty"` // the host's
	ConferenceName string `json:"conferenceName,omitempty"`
}

// Recording is the data of conference.recording.ready.
type Recording struct {
	ConferenceID string `json:"conferenceId,omitempty"`
	HostID       string `json:"hostId,omitempty"`
	CompanyID    string `json:"companyId,omitempty"`
	RecordingID  string `json:"recordingId,omitempty"`
	DownloadLink string `json:"downloadLink,omitempty"` // to an mp3 of an audio recording, an mp4 of a video
}

// Preview is the data of conference.stream.preview_updated.
type Preview struct {
	ConferenceID string `json:"conferenceId,omitempty"`
	HostID       string `json:"hostId,omitempty"`
	CompanyID    string `json:"companyId,omitempty"`
	VideoURL     string `json:"videoUrl,omitempty"` // an mp4
	ImageURL     string `json:"imageUrl,omitempty"` // a jpg; may be left out
}

// Participant is the data of conference.participant.entered, left and role_changed, and of
// conference.livestream.entered and left. Which members the types want besides the ids, the
// comments say.
type Participant struct {
	ConferenceID  string `json:"conferenceId,omitempty"`
	HostID        string `json:"hostId,omitempty"`
	CompanyID     string `json:"companyId,omitempty"`
	ParticipantID string `json:"participantId,omitempty"`
	// ParticipantRole is what the participant may do; wanted by role_changed, and by entered.
	ParticipantRole native.ParticipantRole `json:"participantRole,omitempty"`
	// MeetingURL is the address that was entered.
	MeetingURL string `json:"meetingUrl,omitempty"`
	// ReasonForLeaving goes with left.
	ReasonForLeaving       native.ReasonForLeaving `json:"reasonForLeaving,omitempty"`
	ParticipantName        string                  `json:"participantName,omitempty"`
	ParticipantEmail       string                  `json:"participantEmail,omitempty"`
	ParticipantPhoneNumber string                  `json:"participantPhoneNumber,omitempty"`
}

// Dialout is the data of conference.dialout.status_changed: the conference calls a participant.
type Dialout struct {
	ConferenceID  string               `json:"conferenceId,omitempty"`
	HostID        string               `json:"hostId,omitempty"`
	CompanyID     string               `json:"companyId,omitempty"`
	ParticipantID string               `json:"participantId,omitempty"`
	Status        native.DialoutStatus `json:"status,omitempty"`      // how far the call is
	PhoneNumber   string               `json:"phoneNumber,omitempty"` // the participant's
}

// AccessCode is the data of conference.access_code.reused.
type AccessCode struct {
	ConferenceID string `json:"conferenceId,omitempty"` // in which the code was used again
	HostID       string `json:"hostId,omitempty"`
	CompanyID    string `json:"companyId,omitempty"`
	// OriginalConferenceID is the conference that the code was made for.
	OriginalConferenceID string `json:"originalConferenceId,omitempty"`
}

// Host is the data of host.profile_picture.uploaded and failed.
type Host struct {
	HostID    string `json:"hostId,omitempty"`
	CompanyID string `json:"companyId,omitempty"`
}

// DriveFile is the data of drive.file.upload_finished, processed, added and deleted: a file in a
// host's drive.
type DriveFile struct {
	HostID    string `json:"hostId,omitempty"`
	CompanyID string `json:"companyId,omitempty"`
	ID        string `json:"id,omitempty"`
	Filename  string `json:"filename,omitempty"`
	// Size is the file's length in bytes; nil if it is not known.
	Size *int64 `json:"size,omitempty"`
}

// Conversation is the data of the activities about a conversation: its id and what is known now.
// One that was read, and converted, is sent with the members that it had.
type Conversation native.Conversation

// MarshalJSON writes the members that are set. The payload type itself writes those of one that
// was built all, as null, and null would empty what the server knows.
func (c Conversation) MarshalJSON() ([]byte, error) {
	if c.Read == nil {
		c.Read = wire.Members{}
	}
	if c.Customer != nil && c.Customer.Read == nil {
		customer := *c.Customer
		customer.Read = wire.Members{}
		c.Customer = &customer
	}
	return native.Conversation(c).MarshalJSON()
}
