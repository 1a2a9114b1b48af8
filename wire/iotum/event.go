package iotum

// Event names what happened. The list is open: an event that has no constant here is
// read as it is, with the payload Other.
type Event string

// The events of the vendor's page, in its order.
const (
	// EventConferenceStart has the payload Conference: a conference has started.
	EventConferenceStart Event = "conference_start"
	// EventConferenceEnd has the payload Conference: it has ended.
	EventConferenceEnd Event = "conference_end"
	// EventStartRecording has the payload Conference: it is being recorded.
	EventStartRecording Event = "start_recording"
	// EventStopRecording has the payload Conference: it is no longer recorded.
	EventStopRecording Event = "stop_recording"
	// EventStartStreaming has the payload Conference: it is being streamed.
	EventStartStreaming Event = "start_streaming"
	// EventStopStreaming has the payload Conference: it is no longer streamed.
	EventStopStreaming Event = "stop_streaming"
	// EventRecordingReady has the payload RecordingReady: a recording can be fetched.
	EventRecordingReady Event = "recording_ready"
	// EventTranscriptionReady has the payload Conference: there is a transcription.
	EventTranscriptionReady Event = "transcription_ready"
	// EventEnterLivestream has the payload LivestreamEntered: somebody watches a stream.
	EventEnterLivestream Event = "enter_livestream"
	// EventLeaveLivestream has the payload LivestreamLeft: somebody no longer does.
	EventLeaveLivestream Event = "leave_livestream"
	// EventStreamPreviewUpdated has the payload StreamPreview: a stream's preview is new.
	EventStreamPreviewUpdated Event = "stream_preview_updated"
	// EventProfilePictureUploadSuccess has the payload Host: a host's picture was taken.
	EventProfilePictureUploadSuccess Event = "profile_picture_upload_success"
	// EventProfilePictureUploadFailure has the payload Host: it was not.
	EventProfilePictureUploadFailure Event = "profile_picture_upload_failure"
	// EventEnterConference has the payload ConferenceEntered: a participant is in.
	EventEnterConference Event = "enter_conference"
	// EventLeaveConference has the payload ConferenceLeft: a participant has left.
	EventLeaveConference Event = "leave_conference"
	// EventDialoutStatusChange has the payload Dialout: a call to a participant went on.
	EventDialoutStatusChange Event = "dialout_status_change"
	// EventParticipantRoleChanged has the payload RoleChanged: a participant has a new
	// role.
	EventParticipantRoleChanged Event = "participant_role_changed"
	// EventStartBroadcasting has the payload Conference: it is being broadcast.
	EventStartBroadcasting Event = "start_broadcasting"
	// EventStopBroadcasting has the payload Conference: it is no longer broadcast.
	EventStopBroadcasting Event = "stop_broadcasting"
	// EventDriveFileAdded has the payload DriveFileAdded: a file was uploaded and its
	// processing has ended.
	EventDriveFileAdded Event = "drive_file_added"
	// EventDriveFileDeleted has the payload DriveFileDeleted: a file was deleted.
	EventDriveFileDeleted Event = "drive_file_deleted"
	// EventOneTimeAccessCodeReused has the payload AccessCodeReused: a code for one
	// conference was used for another.
	EventOneTimeAccessCodeReused Event = "one_time_access_code_reused"
)

// The events that are not on the page but in newer documents of the vendor.
const (
	// EventVConImportSuccess has the payload VConImported: a conversation was imported
	// from a vCon.
	EventVConImportSuccess Event = "vcon_import_success"
	// EventVConImportFailure has the payload VConFailed: it could not be.
	EventVConImportFailure Event = "vcon_import_failure"
)

// newPayload makes an empty payload of the event's type; nil for an event that is not
// known.
func newPayload(e Event) Payload {
	switch e {
	case EventConferenceStart, EventConferenceEnd, EventStartRecording, EventStopRecording, EventStartStreaming,
		EventStopStreaming, EventTranscriptionReady, EventStartBroadcasting, EventStopBroadcasting:
		return new(Conference)
	case EventRecordingReady:
		return new(RecordingReady)
	case EventEnterLivestream:
		return new(LivestreamEntered)
	case EventLeaveLivestream:
		return new(LivestreamLeft)
	case EventStreamPreviewUpdated:
		return new(StreamPreview)
	case EventProfilePictureUploadSuccess, EventProfilePictureUploadFailure:
		return new(Host)
	case EventEnterConference:
		return new(ConferenceEntered)
	case EventLeaveConference:
		return new(ConferenceLeft)
	case EventDialoutStatusChange:
		return new(Dialout)
	case EventParticipantRoleChanged:
		return new(RoleChanged)
	case EventDriveFileAdded:
		return new(DriveFileAdded)
	case EventDriveFileDeleted:
		return new(DriveFileDeleted)
	case EventOneTimeAccessCodeReused:
		return new(AccessCodeReused)
	case EventVConImportSuccess:
		return new(VConImported)
	case EventVConImportFailure:
		return new(VConFailed)
	}
	return nil
}
