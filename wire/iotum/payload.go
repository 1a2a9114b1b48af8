package iotum

import (
	"encoding/json"
	"errors"
	"strconv"
	"strings"

	"github.com/callboard/callboard/wire"
)

// Payload is what an event happened to: one of
//
//   - *Conference
//   - *RecordingReady
//   - *LivestreamEntered
//   - *LivestreamLeft
//   - *StreamPreview
//   - *Host
//   - *ConferenceEntered
//   - *ConferenceLeft
//   - *Dialout
//   - *RoleChanged
//   - *DriveFileAdded
//   - *DriveFileDeleted
//   - *AccessCodeReused
//   - *VConImported
//   - *VConFailed
//   - *Other, of an event that is not known
//
// The comment on each event tells which. The structs other than Other are written as
// JSON objects with the members that are not zero.
type Payload interface {
	json.Marshaler
	payload()
}

// Conference is the payload of the events about a conference as a whole: that it starts,
// ends, is recorded, streamed, broadcast, or has a transcription.
type Conference struct {
	// HostID is the host of the conference.
	HostID wire.ID `json:"host_id,omitzero"`
	// CompanyID is the company that the host belongs to.
	CompanyID wire.ID `json:"company_id,omitzero"`
	// ConferenceID is the conference.
	ConferenceID wire.ID `json:"conference_id,omitzero"`
	// Unknown are the members without a field.
	Unknown wire.Fields `json:"-"`
}

// RecordingReady is the payload of EventRecordingReady.
type RecordingReady struct {
	// HostID is the host of the conference.
	HostID wire.ID `json:"host_id,omitzero"`
	// CompanyID is the company that the host belongs to.
	CompanyID wire.ID `json:"company_id,omitzero"`
	// ConferenceID is the conference.
	ConferenceID wire.ID `json:"conference_id,omitzero"`
	// RecordingID is the recording.
	RecordingID wire.ID `json:"recording_id,omitzero"`
	// DownloadLink leads to the file: an mp3 of an audio recording, an mp4 of a video.
	DownloadLink string `json:"download_link,omitzero"`
	// Unknown are the members without a field.
	Unknown wire.Fields `json:"-"`
}

// LivestreamEntered is the payload of EventEnterLivestream.
type LivestreamEntered struct {
	// HostID is the host of the conference.
	HostID wire.ID `json:"host_id,omitzero"`
	// CompanyID is the company that the host belongs to.
	CompanyID wire.ID `json:"company_id,omitzero"`
	// ConferenceID is the conference.
	ConferenceID wire.ID `json:"conference_id,omitzero"`
	// ParticipantID is the participant.
	ParticipantID wire.ID `json:"participant_id,omitzero"`
	// Unknown are the members without a field.
	Unknown wire.Fields `json:"-"`
}

// LivestreamLeft is the payload of EventLeaveLivestream.
type LivestreamLeft struct {
	// HostID is the host of the conference.
	HostID wire.ID `json:"host_id,omitzero"`
	// CompanyID is the company that the host belongs to.
	CompanyID wire.ID `json:"company_id,omitzero"`
	// ConferenceID is the conference.
	ConferenceID wire.ID `json:"conference_id,omitzero"`
	// ParticipantID is the participant.
	ParticipantID wire.ID `json:"participant_id,omitzero"`
	// ReasonForLeaving is the way in which the participant left.
	ReasonForLeaving ReasonForLeaving `json:"reason_for_leaving,omitzero"`
	// Unknown are the members without a field.
	Unknown wire.Fields `json:"-"`
}

// StreamPreview is the payload of EventStreamPreviewUpdated.
type StreamPreview struct {
	// HostID is the host of the conference.
	HostID wire.ID `json:"host_id,omitzero"`
	// CompanyID is the company that the host belongs to.
	CompanyID wire.ID `json:"company_id,omitzero"`
	// ConferenceID is the conference.
	ConferenceID wire.ID `json:"conference_id,omitzero"`
	// VideoURL leads to the preview as an mp4, at Amazon S3.
	VideoURL string `json:"video_url,omitzero"`
	// ImageURL leads to the preview as a jpg, at Amazon S3. It is optional.
	ImageURL string `json:"image_url,omitzero"`
	// Unknown are the members without a field.
	Unknown wire.Fields `json:"-"`
}

// Host is the payload of the events about a profile picture. It has no conference.
type Host struct {
	// HostID is the host.
	HostID wire.ID `json:"host_id,omitzero"`
	// CompanyID is the company that the host belongs to.
	CompanyID wire.ID `json:"company_id,omitzero"`
	// Unknown are the members without a field.
	Unknown wire.Fields `json:"-"`
}

// ConferenceEntered is the payload of EventEnterConference.
type ConferenceEntered struct {
	// HostID is the host of the conference.
	HostID wire.ID `json:"host_id,omitzero"`
	// CompanyID is the company that the host belongs to.
	CompanyID wire.ID `json:"company_id,omitzero"`
	// ConferenceID is the conference.
	ConferenceID wire.ID `json:"conference_id,omitzero"`
	// ParticipantID is the participant.
	ParticipantID wire.ID `json:"participant_id,omitzero"`
	// ParticipantRole is what the participant may do.
	ParticipantRole ParticipantRole `json:"participant_role,omitzero"`
	// MeetingURL is the address of the conference entered.
	MeetingURL string `json:"meeting_url,omitzero"`
	// Unknown are the members without a field.
	Unknown wire.Fields `json:"-"`
}

// ConferenceLeft is the payload of EventLeaveConference.
type ConferenceLeft struct {
	// HostID is the host of the conference.
	HostID wire.ID `json:"host_id,omitzero"`
	// CompanyID is the company that the host belongs to.
	CompanyID wire.ID `json:"company_id,omitzero"`
	// ConferenceID is the conference.
	ConferenceID wire.ID `json:"conference_id,omitzero"`
	// ParticipantID is the participant.
	ParticipantID wire.ID `json:"participant_id,omitzero"`
	// ParticipantRole is what the participant may do.
	ParticipantRole ParticipantRole `json:"participant_role,omitzero"`
	// ReasonForLeaving is the way in which the participant left.
	ReasonForLeaving ReasonForLeaving `json:"reason_for_leaving,omitzero"`
	// Unknown are the members without a field.
	Unknown wire.Fields `json:"-"`
}

// Dialout is the payload of EventDialoutStatusChange: the conference calls a participant.
type Dialout struct {
	// HostID is the host of the conference.
	HostID wire.ID `json:"host_id,omitzero"`
	// CompanyID is the company that the host belongs to.
	CompanyID wire.ID `json:"company_id,omitzero"`
	// ConferenceID is the conference.
	ConferenceID wire.ID `json:"conference_id,omitzero"`
	// ParticipantID is the participant.
	ParticipantID wire.ID `json:"participant_id,omitzero"`
	// Status is how far the call is.
	Status DialoutStatus `json:"status,omitzero"`
	// PhoneNumber is the participant's own, which is dialed.
	PhoneNumber string `json:"phone_number,omitzero"`
	// Unknown are the members without a field.
	Unknown wire.Fields `json:"-"`
}

// RoleChanged is the payload of EventParticipantRoleChanged. It has no company.
type RoleChanged struct {
	// HostID is the host of the conference.
	HostID wire.ID `json:"host_id,omitzero"`
	// ConferenceID is the conference.
	ConferenceID wire.ID `json:"conference_id,omitzero"`
	// ParticipantID is the participant.
	ParticipantID wire.ID `json:"participant_id,omitzero"`
	// ParticipantRole is the role from now on.
	ParticipantRole ParticipantRole `json:"participant_role,omitzero"`
	// Unknown are the members without a field.
	Unknown wire.Fields `json:"-"`
}

// DriveFileAdded is the payload of EventDriveFileAdded. It has no conference.
type DriveFileAdded struct {
	// HostID is the host whose drive it is.
	HostID wire.ID `json:"host_id,omitzero"`
	// CompanyID is the company that the host belongs to.
	CompanyID wire.ID `json:"company_id,omitzero"`
	// ID is the file.
	ID wire.ID `json:"id,omitzero"`
	// Filename is the file's name.
	Filename string `json:"filename,omitzero"`
	// Size is the file's length; nil if it is missing.
	Size *Bytes `json:"size,omitzero"`
	// Unknown are the members without a field.
	Unknown wire.Fields `json:"-"`
}

// DriveFileDeleted is the payload of EventDriveFileDeleted. It has no conference and, unlike
// DriveFileAdded, no size.
type DriveFileDeleted struct {
	// HostID is the host whose drive it is.
	HostID wire.ID `json:"host_id,omitzero"`
	// CompanyID is the company that the host belongs to.
	CompanyID wire.ID `json:"company_id,omitzero"`
	// ID is the file.
	ID wire.ID `json:"id,omitzero"`
	// Filename is the file's name.
	Filename string `json:"filename,omitzero"`
	// Unknown are the members without a field.
	Unknown wire.Fields `json:"-"`
}

// AccessCodeReused is the payload of EventOneTimeAccessCodeReused.
type AccessCodeReused struct {
	// HostID is the host of the conference.
	HostID wire.ID `json:"host_id,omitzero"`
	// CompanyID is the company that the host belongs to.
	CompanyID wire.ID `json:"company_id,omitzero"`
	// ConferenceID is the new conference, in which the code was used again.
	ConferenceID wire.ID `json:"conference_id,omitzero"`
	// OriginalConferenceID is the conference that the code was made for.
	OriginalConferenceID wire.ID `json:"original_conference_id,omitzero"`
	// Unknown are the members without a field.
	Unknown wire.Fields `json:"-"`
}

// VConImported is the payload of EventVConImportSuccess. It is not on the page.
type VConImported struct {
	// UUID is the vCon's own id.
	UUID string `json:"uuid,omitzero"`
	// ConferenceID is the conference that was made of it.
	ConferenceID wire.ID `json:"conference_id,omitzero"`
	// CompanyID is the company that the host belongs to.
	CompanyID wire.ID `json:"company_id,omitzero"`
	// HostID is the host that it was imported for.
	HostID wire.ID `json:"host_id,omitzero"`
	// Unknown are the members without a field.
	Unknown wire.Fields `json:"-"`
}

// VConFailed is the payload of EventVConImportFailure. It is not on the page.
type VConFailed struct {
	// UUID is the vCon's own id.
	UUID string `json:"uuid,omitzero"`
	// CompanyID is the company that the host belongs to.
	CompanyID wire.ID `json:"company_id,omitzero"`
	// HostID is the host that it should have been imported for.
	HostID wire.ID `json:"host_id,omitzero"`
	// Error is what went wrong, as JSON: its form is not documented.
	Error json.RawMessage `json:"error,omitzero"`
	// Unknown are the members without a field.
	Unknown wire.Fields `json:"-"`
}

// Other is the payload of an event that this package does not know.
type Other struct {
	// Text is what the payload's string says: JSON, if the vendor keeps to its rule. Of a
	// payload that is not a string it is the JSON.
	Text string
}

// ParticipantRole is what a participant may do. Others may come.
type ParticipantRole string

// The roles of the vendor's page.
const (
	RoleOrganizer   ParticipantRole = "organizer"   // whose conference it is
	RoleModerator   ParticipantRole = "moderator"   // may direct it, too
	RoleParticipant ParticipantRole = "participant" // everybody else
)

// ReasonForLeaving is the way in which somebody left a conference or a livestream.
// Others may come.
type ReasonForLeaving string

// The reasons of the vendor's page, which gives no meanings; these are their names'.
const (
	ReasonUserExit          ReasonForLeaving = "user_exit"           // left on purpose
	ReasonUserDropped       ReasonForLeaving = "user_dropped"        // the connection broke
	ReasonHostKicked        ReasonForLeaving = "host_kicked"         // was removed by the host
	ReasonHostKickedBlocked ReasonForLeaving = "host_kicked_blocked" // was removed and may not come back
)

// DialoutStatus is how far a call to a participant is. There is no status for joining:
// who presses 1 causes an EventEnterConference of its own. Others may come.
type DialoutStatus string

// The statuses of the vendor's page, with its meanings. The way is new, then dialed,
// notenabled or cancelled; from dialed to answered, rejected, noanswer or cancelled;
// from answered to rejected or cancelled. Calling again begins at new. Steps may be
// missing or late.
const (
	// DialoutNew means enqueued, and not yet fetched by the dialout infrastructure.
	DialoutNew DialoutStatus = "new"
	// DialoutDialed means dialed and not yet answered: it rings.
	DialoutDialed DialoutStatus = "dialed"
	// DialoutAnswered means answered, and the invitation is playing.
	DialoutAnswered DialoutStatus = "answered"
	// DialoutRejected means that the participant rejected the call, actively (pressed 2)
	// or passively (hung up).
	DialoutRejected DialoutStatus = "rejected"
	// DialoutNoAnswer means that the participant did not answer.
	DialoutNoAnswer DialoutStatus = "noanswer"
	// DialoutCancelled means cancelled by the system before the participant joined or
	// rejected.
	DialoutCancelled DialoutStatus = "cancelled"
	// DialoutNotEnabled means that the host or company does not have the dialout feature.
	DialoutNotEnabled DialoutStatus = "notenabled"
)

// Bytes is the length of a file. The vendor's page names no unit; this is the usual.
type Bytes int64

// errBytes is what is wrong with a length that is something else.
var errBytes = errors.New("is not a whole number")

// UnmarshalJSON reads a number, or a string with one, as the page does not show which.
func (b *Bytes) UnmarshalJSON(data []byte) error {
	n, err := strconv.ParseInt(strings.Trim(string(data), `"`), 10, 64)
	if err != nil {
		return errBytes
	}
	*b = Bytes(n)
	return nil
}
