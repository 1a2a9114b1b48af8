package native

import "github.com/callboard/callboard/wire"

// Origin is who or what did it. All data may have it.
type Origin struct {
	// Actor is who did it; nil if that is not known.
	Actor *Actor `json:"actor,omitzero"`
	// SourceOfChange is what made a change.
	SourceOfChange SourceOfChange `json:"sourceOfChange,omitzero"`
}

// By is the origin itself.
func (o Origin) By() Origin { return o }

// Attendance is the data of the types about somebody's presence: in a session, or, for
// [EventTimeSpent], at the event.
type Attendance struct {
	Event   Event   `json:"event,omitzero"`
	Session Session `json:"session,omitzero"` // none in EventTimeSpent
	// Registration is who was there.
	Registration Registration `json:"registration,omitzero"`
	// TimeSpentInMinutes comes with the types that end in .time_spent: whole minutes, nil
	// if it is missing, which is not the same as zero.
	TimeSpentInMinutes *Int `json:"timeSpentInMinutes,omitzero"`
	Origin
	Unknown wire.Fields  `json:"-"`
	Read    wire.Members `json:"-"` // the members that it was read from; nil if it was built
}

// RegistrationChange is the data of the types about a registration for an event.
type RegistrationChange struct {
	Event        Event        `json:"event,omitzero"`
	Registration Registration `json:"registration,omitzero"`
	Origin
	Unknown wire.Fields  `json:"-"`
	Read    wire.Members `json:"-"` // the members that it was read from; nil if it was built
}

// EventChange is the data of the types about an event itself.
type EventChange struct {
	Event Event `json:"event,omitzero"`
	Origin
	Unknown wire.Fields  `json:"-"`
	Read    wire.Members `json:"-"` // the members that it was read from; nil if it was built
}

// SessionChange is the data of the types about a session itself.
type SessionChange struct {
	Session Session `json:"session,omitzero"`
	// Event is the event that the session belongs to; it has a number.
	Event Event `json:"event,omitzero"`
	Origin
	Unknown wire.Fields  `json:"-"`
	Read    wire.Members `json:"-"` // the members that it was read from; nil if it was built
}

// SpeakerChange is the data of the types about a session's speakers.
type SpeakerChange struct {
	Session Session `json:"session,omitzero"`
	// Speaker is who was attached or detached.
	Speaker Contact `json:"speaker,omitzero"`
	// Event is the event that the session belongs to; it has a number.
	Event Event `json:"event,omitzero"`
	Origin
	Unknown wire.Fields  `json:"-"`
	Read    wire.Members `json:"-"` // the members that it was read from; nil if it was built
}

// ContactChange is the data of the types about a contact.
type ContactChange struct {
	Contact Contact `json:"contact,omitzero"`
	// Event comes with the types that end in .associated and .disassociated, and has a
	// number; else it is nil.
	Event *Event `json:"event,omitzero"`
	Origin
	Unknown wire.Fields  `json:"-"`
	Read    wire.Members `json:"-"` // the members that it was read from; nil if it was built
}

// ExhibitorChange is the data of the types about an exhibitor.
type ExhibitorChange struct {
	Exhibitor Exhibitor `json:"exhibitor,omitzero"`
	// Event comes with the types that end in .associated and .disassociated, and has a
	// number; else it is nil.
	Event *Event `json:"event,omitzero"`
	Origin
	Unknown wire.Fields  `json:"-"`
	Read    wire.Members `json:"-"` // the members that it was read from; nil if it was built
}

// SponsorChange is the data of the types about a sponsor.
type SponsorChange struct {
	Sponsor Sponsor `json:"sponsor,omitzero"`
	// Event comes with the types that end in .associated and .disassociated, and has a
	// number; else it is nil.
	Event *Event `json:"event,omitzero"`
	Origin
	Unknown wire.Fields  `json:"-"`
	Read    wire.Members `json:"-"` // the members that it was read from; nil if it was built
}

// ConferenceDetails are what the data about a conference may tell besides. They serve
// the dialects that want to know more of a conference or a participant than an id.
type ConferenceDetails struct {
	ConferenceName         string      `json:"conferenceName,omitzero"`
	ConferenceStartedAt    wire.Millis `json:"conferenceStartedAt,omitzero"`
	ConferenceEndedAt      wire.Millis `json:"conferenceEndedAt,omitzero"`
	ParticipantName        string      `json:"participantName,omitzero"`
	ParticipantEmail       string      `json:"participantEmail,omitzero"`
	ParticipantPhoneNumber string      `json:"participantPhoneNumber,omitzero"`
}

// Conference is the data of the types about a conference as a whole: that it starts,
// ends, is recorded, streamed, broadcast, or has a transcription.
type Conference struct {
	ConferenceID wire.ID `json:"conferenceId,omitzero"`
	HostID       wire.ID `json:"hostId,omitzero"`    // whose conference it is
	CompanyID    wire.ID `json:"companyId,omitzero"` // the host's
	ConferenceDetails
	Origin
	Unknown wire.Fields  `json:"-"`
	Read    wire.Members `json:"-"` // the members that it was read from; nil if it was built
}

// ConferenceRecording is the data of [ConferenceRecordingReady].
type ConferenceRecording struct {
	ConferenceID wire.ID `json:"conferenceId,omitzero"`
	HostID       wire.ID `json:"hostId,omitzero"`    // whose conference it is
	CompanyID    wire.ID `json:"companyId,omitzero"` // the host's
	RecordingID  wire.ID `json:"recordingId,omitzero"`
	// DownloadLink leads to the file: an mp3 of an audio recording, an mp4 of a video.
	DownloadLink string `json:"downloadLink,omitzero"`
	ConferenceDetails
	Origin
	Unknown wire.Fields  `json:"-"`
	Read    wire.Members `json:"-"` // the members that it was read from; nil if it was built
}

// ConferencePreview is the data of [ConferenceStreamPreviewUpdated].
type ConferencePreview struct {
	ConferenceID wire.ID `json:"conferenceId,omitzero"`
	HostID       wire.ID `json:"hostId,omitzero"`    // whose conference it is
	CompanyID    wire.ID `json:"companyId,omitzero"` // the host's
	VideoURL     string  `json:"videoUrl,omitzero"`  // an mp4
	ImageURL     string  `json:"imageUrl,omitzero"`  // a jpg; may be missing
	ConferenceDetails
	Origin
	Unknown wire.Fields  `json:"-"`
	Read    wire.Members `json:"-"` // the members that it was read from; nil if it was built
}

// ConferenceParticipant is the data of the types about somebody in a conference or at its
// livestream. Which of its members come besides the ids depends on the type.
type ConferenceParticipant struct {
	ConferenceID  wire.ID `json:"conferenceId,omitzero"`
	HostID        wire.ID `json:"hostId,omitzero"`    // whose conference it is
	CompanyID     wire.ID `json:"companyId,omitzero"` // the host's
	ParticipantID wire.ID `json:"participantId,omitzero"`
	// ParticipantRole is what the participant may do: from now on, if the type is
	// ConferenceParticipantRoleChanged. At a livestream it is missing.
	ParticipantRole ParticipantRole `json:"participantRole,omitzero"`
	// MeetingURL is the address of the conference that was entered.
	MeetingURL string `json:"meetingUrl,omitzero"`
	// ReasonForLeaving is the way in which the participant left.
	ReasonForLeaving ReasonForLeaving `json:"reasonForLeaving,omitzero"`
	// TimeSpentInMinutes comes with ConferenceParticipantTimeSpent: whole minutes, nil if
	// it is missing, which is not the same as zero.
	TimeSpentInMinutes *Int `json:"timeSpentInMinutes,omitzero"`
	ConferenceDetails
	Origin
	Unknown wire.Fields  `json:"-"`
	Read    wire.Members `json:"-"` // the members that it was read from; nil if it was built
}

// ConferenceDialout is the data of [ConferenceDialoutStatusChanged]: the conference calls
// a participant.
type ConferenceDialout struct {
	ConferenceID  wire.ID       `json:"conferenceId,omitzero"`
	HostID        wire.ID       `json:"hostId,omitzero"`    // whose conference it is
	CompanyID     wire.ID       `json:"companyId,omitzero"` // the host's
	ParticipantID wire.ID       `json:"participantId,omitzero"`
	Status        DialoutStatus `json:"status,omitzero"`      // how far the call is
	PhoneNumber   string        `json:"phoneNumber,omitzero"` // the participant's, which is dialed
	ConferenceDetails
	Origin
	Unknown wire.Fields  `json:"-"`
	Read    wire.Members `json:"-"` // the members that it was read from; nil if it was built
}

// ConferenceAccessCode is the data of [ConferenceAccessCodeReused].
type ConferenceAccessCode struct {
	ConferenceID wire.ID `json:"conferenceId,omitzero"` // in which the code was used again
	HostID       wire.ID `json:"hostId,omitzero"`       // whose conference it is
	CompanyID    wire.ID `json:"companyId,omitzero"`    // the host's
	// OriginalConferenceID is the conference that the code was made for.
	OriginalConferenceID wire.ID `json:"originalConferenceId,omitzero"`
	ConferenceDetails
	Origin
	Unknown wire.Fields  `json:"-"`
	Read    wire.Members `json:"-"` // the members that it was read from; nil if it was built
}

// Host is the data of the types about a host's profile picture.
type Host struct {
	HostID    wire.ID `json:"hostId,omitzero"`
	CompanyID wire.ID `json:"companyId,omitzero"`
	Origin
	Unknown wire.Fields  `json:"-"`
	Read    wire.Members `json:"-"` // the members that it was read from; nil if it was built
}

// DriveFile is the data of the types about a file in a host's drive.
type DriveFile struct {
	HostID    wire.ID `json:"hostId,omitzero"`
	CompanyID wire.ID `json:"companyId,omitzero"`
	ID        wire.ID `json:"id,omitzero"`
	Filename  string  `json:"filename,omitzero"`
	// Size is the file's length in bytes. It comes with DriveFileAdded; nil if it is
	// missing.
	Size *Int `json:"size,omitzero"`
	Origin
	Unknown wire.Fields  `json:"-"`
	Read    wire.Members `json:"-"` // the members that it was read from; nil if it was built
}

// ConversationChange is the data of the types about a conversation.
type ConversationChange struct {
	// Conversation is the conversation after what happened.
	Conversation Conversation `json:"conversation,omitzero"`
	Origin
	Unknown wire.Fields  `json:"-"`
	Read    wire.Members `json:"-"` // the members that it was read from; nil if it was built
}
