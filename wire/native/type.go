package native

import "slices"

// Type names what happened, and by that what the data is. It is an open list: a type
// that has no constant here is read and written like the others, its data as *[Other].
// So are one's own types, and those of a vendor's word that Callboard has no type for,
// such as zuddl.ANSWERED_POLL: their data are the vendor's own members.
type Type string

// The types about those who take part in sessions and in the event.
const (
	// SessionJoined has the data *[Attendance]: somebody entered a session.
	SessionJoined Type = "session.joined"
	// SessionLeft has the data *[Attendance]: somebody left a session.
	SessionLeft Type = "session.left"
	// SessionTimeSpent has the data *[Attendance]: how long somebody was in a session, all
	// in all, when that is certain.
	SessionTimeSpent Type = "session.time_spent"
	// EventTimeSpent has the data *[Attendance] without a session: how long somebody was
	// at the event, all in all, when that is certain.
	EventTimeSpent Type = "event.time_spent"
	// RegistrationCreated has the data *[RegistrationChange]: somebody registered.
	RegistrationCreated Type = "registration.created"
	// RegistrationAttended has the data *[RegistrationChange]: of those registered,
	// somebody came.
	RegistrationAttended Type = "registration.attended"
	// RegistrationNoShow has the data *[RegistrationChange]: of those registered, somebody
	// did not come.
	RegistrationNoShow Type = "registration.no_show"
)

// The types about events and their programme.
const (
	// EventCreated has the data *[EventChange]: there is a new event.
	EventCreated Type = "event.created"
	// EventUpdated has the data *[EventChange]: an event changed.
	EventUpdated Type = "event.updated"
	// SessionCreated has the data *[SessionChange]: there is a new session.
	SessionCreated Type = "session.created"
	// SessionUpdated has the data *[SessionChange]: a session changed.
	SessionUpdated Type = "session.updated"
	// SessionDeleted has the data *[SessionChange]: a session is gone.
	SessionDeleted Type = "session.deleted"
	// SessionSpeakerAttached has the data *[SpeakerChange]: somebody now speaks in a
	// session.
	SessionSpeakerAttached Type = "session.speaker.attached"
	// SessionSpeakerDetached has the data *[SpeakerChange]: somebody no longer speaks in a
	// session.
	SessionSpeakerDetached Type = "session.speaker.detached"
)

// The types about an organization's contacts, which all have the data *[ContactChange].
const (
	ContactCreated            Type = "contact.created"
	ContactUpdated            Type = "contact.updated"
	ContactDeleted            Type = "contact.deleted"
	ContactEventAssociated    Type = "contact.event.associated"    // now takes part in the event
	ContactEventDisassociated Type = "contact.event.disassociated" // no longer does
)

// The types about exhibitors, which all have the data *[ExhibitorChange].
const (
	ExhibitorCreated            Type = "exhibitor.created"
	ExhibitorUpdated            Type = "exhibitor.updated"
	ExhibitorDeleted            Type = "exhibitor.deleted"
	ExhibitorEventAssociated    Type = "exhibitor.event.associated"    // now takes part in the event
	ExhibitorEventDisassociated Type = "exhibitor.event.disassociated" // no longer does
)

// The types about sponsors, which all have the data *[SponsorChange].
const (
	SponsorCreated            Type = "sponsor.created"
	SponsorUpdated            Type = "sponsor.updated"
	SponsorDeleted            Type = "sponsor.deleted"
	SponsorEventAssociated    Type = "sponsor.event.associated"    // now takes part in the event
	SponsorEventDisassociated Type = "sponsor.event.disassociated" // no longer does
)

// The types about a conference as a whole, which all have the data *[Conference].
const (
	ConferenceStarted            Type = "conference.started"
	ConferenceEnded              Type = "conference.ended"
	ConferenceRecordingStarted   Type = "conference.recording.started"
	ConferenceRecordingStopped   Type = "conference.recording.stopped"
	ConferenceStreamStarted      Type = "conference.stream.started"
	ConferenceStreamStopped      Type = "conference.stream.stopped"
	ConferenceBroadcastStarted   Type = "conference.broadcast.started"
	ConferenceBroadcastStopped   Type = "conference.broadcast.stopped"
	ConferenceTranscriptionReady Type = "conference.transcription.ready" // can be fetched
)

// The types about something or somebody in a conference.
const (
	// ConferenceRecordingReady has the data *[ConferenceRecording]: a recording can be
	// fetched.
	ConferenceRecordingReady Type = "conference.recording.ready"
	// ConferenceStreamPreviewUpdated has the data *[ConferencePreview]: a stream's preview
	// is new.
	ConferenceStreamPreviewUpdated Type = "conference.stream.preview_updated"
	// ConferenceParticipantEntered has the data *[ConferenceParticipant]: somebody is in.
	ConferenceParticipantEntered Type = "conference.participant.entered"
	// ConferenceParticipantLeft has the data *[ConferenceParticipant]: somebody has left.
	ConferenceParticipantLeft Type = "conference.participant.left"
	// ConferenceParticipantRoleChanged has the data *[ConferenceParticipant]: somebody has
	// a new role.
	ConferenceParticipantRoleChanged Type = "conference.participant.role_changed"
	// ConferenceParticipantTimeSpent has the data *[ConferenceParticipant]: how long
	// somebody was in, all in all, when that is certain.
	ConferenceParticipantTimeSpent Type = "conference.participant.time_spent"
	// ConferenceLivestreamEntered has the data *[ConferenceParticipant]: somebody watches
	// the stream.
	ConferenceLivestreamEntered Type = "conference.livestream.entered"
	// ConferenceLivestreamLeft has the data *[ConferenceParticipant]: somebody no longer
	// does.
	ConferenceLivestreamLeft Type = "conference.livestream.left"
	// ConferenceDialoutStatusChanged has the data *[ConferenceDialout]: a call to a
	// participant went on.
	ConferenceDialoutStatusChanged Type = "conference.dialout.status_changed"
	// ConferenceAccessCodeReused has the data *[ConferenceAccessCode]: a code for one
	// conference was used for another.
	ConferenceAccessCodeReused Type = "conference.access_code.reused"
)

// The types about hosts of conferences and their files.
const (
	// HostProfilePictureUploaded has the data *[Host]: a host's picture was taken.
	HostProfilePictureUploaded Type = "host.profile_picture.uploaded"
	// HostProfilePictureFailed has the data *[Host]: it was not.
	HostProfilePictureFailed Type = "host.profile_picture.failed"
	// DriveFileAdded has the data *[DriveFile]: a file was uploaded and its processing has
	// ended.
	DriveFileAdded Type = "drive.file.added"
	// DriveFileDeleted has the data *[DriveFile] without a size: a file was deleted.
	DriveFileDeleted Type = "drive.file.deleted"
)

// The types about an agent's conversations, which all have the data *[ConversationChange].
const (
	ConversationUserJoined        Type = "conversation.user_joined"
	ConversationUserLeft          Type = "conversation.user_left" // perhaps without having joined
	ConversationCompleted         Type = "conversation.completed"
	ConversationAnalysisCompleted Type = "conversation.analysis_completed" // its results are in the conversation
)

// Types lists the 56 that have a constant, in the order of this page. The caller may
// change the slice.
func Types() []Type {
	return slices.Concat(
		[]Type{SessionJoined, SessionLeft, SessionTimeSpent, EventTimeSpent},
		[]Type{RegistrationCreated, RegistrationAttended, RegistrationNoShow},
		[]Type{EventCreated, EventUpdated},
		[]Type{SessionCreated, SessionUpdated, SessionDeleted, SessionSpeakerAttached, SessionSpeakerDetached},
		[]Type{ContactCreated, ContactUpdated, ContactDeleted, ContactEventAssociated, ContactEventDisassociated},
		[]Type{ExhibitorCreated, ExhibitorUpdated, ExhibitorDeleted, ExhibitorEventAssociated, ExhibitorEventDisassociated},
		[]Type{SponsorCreated, SponsorUpdated, SponsorDeleted, SponsorEventAssociated, SponsorEventDisassociated},
		[]Type{
			ConferenceStarted, ConferenceEnded, ConferenceRecordingStarted, ConferenceRecordingStopped, ConferenceStreamStarted,
			ConferenceStreamStopped, ConferenceBroadcastStarted, ConferenceBroadcastStopped, ConferenceTranscriptionReady,
		},
		[]Type{
			ConferenceRecordingReady, ConferenceStreamPreviewUpdated, ConferenceParticipantEntered, ConferenceParticipantLeft,
			ConferenceParticipantRoleChanged, ConferenceParticipantTimeSpent, ConferenceLivestreamEntered,
			ConferenceLivestreamLeft, ConferenceDialoutStatusChanged, ConferenceAccessCodeReused,
		},
		[]Type{HostProfilePictureUploaded, HostProfilePictureFailed, DriveFileAdded, DriveFileDeleted},
		[]Type{ConversationUserJoined, ConversationUserLeft, ConversationCompleted, ConversationAnalysisCompleted},
	)
}

// newData makes what a type's data is read into; nil for a type that is not known.
func (t Type) newData() Data {
	switch t {
	case SessionJoined, SessionLeft, SessionTimeSpent, EventTimeSpent:
		return new(Attendance)
	case RegistrationCreated, RegistrationAttended, RegistrationNoShow:
		return new(RegistrationChange)
	case EventCreated, EventUpdated:
		return new(EventChange)
	case SessionCreated, SessionUpdated, SessionDeleted:
		return new(SessionChange)
	case SessionSpeakerAttached, SessionSpeakerDetached:
		return new(SpeakerChange)
	case ContactCreated, ContactUpdated, ContactDeleted, ContactEventAssociated, ContactEventDisassociated:
		return new(ContactChange)
	case ExhibitorCreated, ExhibitorUpdated, ExhibitorDeleted, ExhibitorEventAssociated, ExhibitorEventDisassociated:
		return new(ExhibitorChange)
	case SponsorCreated, SponsorUpdated, SponsorDeleted, SponsorEventAssociated, SponsorEventDisassociated:
		return new(SponsorChange)
	case HostProfilePictureUploaded, HostProfilePictureFailed:
		return new(Host)
	case DriveFileAdded, DriveFileDeleted:
		return new(DriveFile)
	case ConversationUserJoined, ConversationUserLeft, ConversationCompleted, ConversationAnalysisCompleted:
		return new(ConversationChange)
	}
	return t.newConferenceData()
}

// newConferenceData is newData for the types about conferences.
func (t Type) newConferenceData() Data {
	switch t {
	case ConferenceStarted, ConferenceEnded, ConferenceRecordingStarted, ConferenceRecordingStopped, ConferenceStreamStarted,
		ConferenceStreamStopped, ConferenceBroadcastStarted, ConferenceBroadcastStopped, ConferenceTranscriptionReady:
		return new(Conference)
	case ConferenceRecordingReady:
		return new(ConferenceRecording)
	case ConferenceStreamPreviewUpdated:
		return new(ConferencePreview)
	case ConferenceParticipantEntered, ConferenceParticipantLeft, ConferenceParticipantRoleChanged,
		ConferenceParticipantTimeSpent, ConferenceLivestreamEntered, ConferenceLivestreamLeft:
		return new(ConferenceParticipant)
	case ConferenceDialoutStatusChanged:
		return new(ConferenceDialout)
	case ConferenceAccessCodeReused:
		return new(ConferenceAccessCode)
	}
	return nil
}
