package iotum

import (
	"github.com/callboard/callboard/internal/dialect/shape"
	wire "github.com/callboard/callboard/wire/iotum"
)

// The fields that many payloads have. What is missing, or an empty text, is left out.
var (
	host    = shape.Field{Key: "host_id", From: "hostId", As: shape.NumberID(), Choice: idChoice}
	company = shape.Field{
		Key: "company_id", From: "companyId", As: shape.NumberID(), Else: shape.NumberTenant(),
		Choice: "where nobody says the company it is the app's uid, else its id; a number where it is one",
	}
	conference  = shape.Field{Key: "conference_id", From: "conferenceId", As: shape.NumberID(), Choice: idChoice}
	participant = shape.Field{Key: "participant_id", From: "participantId", As: shape.NumberID(), Choice: idChoice}
	role        = shape.Field{Key: "participant_role", From: "participantRole", As: shape.Text()}
	leaving     = shape.Field{Key: "reason_for_leaving", From: "reasonForLeaving", As: shape.Text()}
	fileID      = shape.Field{Key: "id", As: shape.NumberID(), Choice: idChoice}
	filename    = shape.Field{Key: "filename", As: shape.Text(), Choice: "a string"}
)

// Why fields are as they are that the vendor's page does not show.
const (
	idChoice   = "a number where it is one, as in the page's one sample, else a string"
	vconChoice = "the page does not have this event; newer documents of the vendor do"
)

// The payloads, named as in package wire/iotum. Their fields are in the page's order.
var (
	onConference      = payload("conference")
	recordingReady    = payload("recording", idOf("recording_id", "recordingId"), textOf("download_link", "downloadLink"))
	livestreamEntered = payload("livestream entered", participant)
	livestreamLeft    = payload("livestream left", participant, leaving)
	streamPreview     = payload("stream preview", textOf("video_url", "videoUrl"), textOf("image_url", "imageUrl"))
	conferenceEntered = payload("conference entered", participant, role, textOf("meeting_url", "meetingUrl"))
	conferenceLeft    = payload("conference left", participant, role, leaving)
	dialout           = payload("dialout", participant, textOf("status", "status"), textOf("phone_number", "phoneNumber"))
	accessCodeReused  = payload("access code reused", idOf("original_conference_id", "originalConferenceId"))

	onHost           = shape.New("host", shape.OmitEmpty, host, company)
	roleChanged      = shape.New("role changed", shape.OmitEmpty, host, conference, participant, role)
	driveFileAdded   = shape.New("drive file added", shape.OmitEmpty, host, company, fileID, filename, size())
	driveFileDeleted = shape.New("drive file deleted", shape.OmitEmpty, host, company, fileID, filename)

	vconImported = shape.New("vCon imported", shape.OmitEmpty, vcon("uuid", shape.Text()),
		vcon("conference_id", shape.NumberID()), vconCompany(), vcon("host_id", shape.NumberID()))
	vconFailed = shape.New("vCon failed", shape.OmitEmpty, vcon("uuid", shape.Text()),
		vconCompany(), vcon("host_id", shape.NumberID()), vcon("error", shape.Any()))

	// other is of events that nobody documents: the data's members as they are.
	other = shape.New("other", shape.Omit).Passing()
)

// payload is one about a conference.
func payload(name string, more ...shape.Field) *shape.Form {
	return shape.New(name, shape.OmitEmpty, append([]shape.Field{host, company, conference}, more...)...)
}

func idOf(key, from string) shape.Field {
	return shape.Field{Key: key, From: from, As: shape.NumberID(), Choice: idChoice}
}

func textOf(key, from string) shape.Field {
	return shape.Field{Key: key, From: from, As: shape.Text()}
}

func size() shape.Field {
	return shape.Field{Key: "size", As: shape.Whole(), Choice: "a number of bytes: the page names no unit"}
}

// vcon is a field of the events that Callboard's catalogue has no type for: their data
// are the vendor's own members, under the vendor's names.
func vcon(key string, as shape.Kind) shape.Field {
	return shape.Field{Key: key, As: as, Choice: vconChoice}
}

func vconCompany() shape.Field {
	f := vcon("company_id", shape.NumberID())
	f.Else = shape.NumberTenant()
	return f
}

// payloads are the payloads' forms by their events.
var payloads = map[wire.Event]*shape.Form{
	wire.EventConferenceStart:             onConference,
	wire.EventConferenceEnd:               onConference,
	wire.EventStartRecording:              onConference,
	wire.EventStopRecording:               onConference,
	wire.EventStartStreaming:              onConference,
	wire.EventStopStreaming:               onConference,
	wire.EventRecordingReady:              recordingReady,
	wire.EventTranscriptionReady:          onConference,
	wire.EventEnterLivestream:             livestreamEntered,
	wire.EventLeaveLivestream:             livestreamLeft,
	wire.EventStreamPreviewUpdated:        streamPreview,
	wire.EventProfilePictureUploadSuccess: onHost,
	wire.EventProfilePictureUploadFailure: onHost,
	wire.EventEnterConference:             conferenceEntered,
	wire.EventLeaveConference:             conferenceLeft,
	wire.EventDialoutStatusChange:         dialout,
	wire.EventParticipantRoleChanged:      roleChanged,
	wire.EventStartBroadcasting:           onConference,
	wire.EventStopBroadcasting:            onConference,
	wire.EventDriveFileAdded:              driveFileAdded,
	wire.EventDriveFileDeleted:            driveFileDeleted,
	wire.EventOneTimeAccessCodeReused:     accessCodeReused,
	wire.EventVConImportSuccess:           vconImported,
	wire.EventVConImportFailure:           vconFailed,
}

// webhooks are the whole bodies by their events, and otherWebhook that of any other.
var (
	webhooks = func() map[string]*shape.Form {
		all := make(map[string]*shape.Form, len(payloads))
		for event, form := range payloads {
			all[string(event)] = webhook(form)
		}
		return all
	}()
	otherWebhook = webhook(other)
)

// webhook is the body around a payload.
func webhook(payload *shape.Form) *shape.Form {
	return shape.New("webhook", shape.Omit,
		shape.Field{Key: "event", Make: shape.Word()},
		shape.Field{Key: "payload", As: shape.InString(payload)},
		shape.Field{Key: "timestamp", Make: shape.AtMillis()},
	)
}
