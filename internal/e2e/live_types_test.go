package e2e_test

import (
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/callboard/callboard/internal/e2e/kit"
)

// TestLiveTypes makes every event type of the catalogue by a change of live state, none by a message that is posted, and
// has endpoints of all dialects hear it: natively, and in the words of the vendor that documents it.
func TestLiveTypes(t *testing.T) {
	t.Parallel()
	onEachStore(t, tellEveryType)
}

// wants are members of a JSON body by their paths, such as "data.event.id", and what they must be.
type wants map[string]any

// absent is what a member must be that must not be there.
type absent struct{}

// saying is a message that must follow from a step: what must stand in its native body, and in the body of the vendor
// that has a word of its own for the type, if one has.
type saying struct {
	eventType string
	native    wants
	vendor    wants
}

// apiCall is a request below an app's path that changes live state.
type apiCall struct {
	method, path string
	in           fields
	status       int
}

// liveStep is what is done at once, and the messages that must follow, of which each has a type of its own.
type liveStep struct {
	calls []apiCall
	tells []saying
}

// tells makes a step of one call.
func (c apiCall) tells(all ...saying) liveStep { return liveStep{[]apiCall{c}, all} }

// by names who made the call.
func (c apiCall) by(actorType, actorID string) apiCall {
	if c.in != nil && strings.HasSuffix(c.path, "/activity") {
		c.in["actor"] = fields{"type": actorType, "id": actorID}
		return c
	}
	c.path += "?actorType=" + actorType + "&actorId=" + actorID
	return c
}

func create(path string, in fields) apiCall {
	return apiCall{http.MethodPost, path, in, http.StatusCreated}
}

func patch(path string, in fields) apiCall {
	return apiCall{http.MethodPatch, path, in, http.StatusOK}
}

func attach(path string) apiCall { return apiCall{http.MethodPut, path, nil, http.StatusNoContent} }

func remove(path string) apiCall { return apiCall{http.MethodDelete, path, nil, http.StatusNoContent} }

// act is an activity; at "" is now.
func act(activityType, at string, data fields) apiCall {
	in := fields{"type": activityType, "data": data}
	if at != "" {
		in["at"] = at
	}
	return apiCall{http.MethodPost, "/activity", in, http.StatusAccepted}
}

// liveTenant is the uid of the app that all this happens in.
const liveTenant = "harbour"

// story writes the steps: it knows the times and the addresses.
type story struct {
	base   time.Time
	server string // its public URL
}

// at is a time of the story, as Callboard, Oration and iotum write it.
func (s *story) at(d time.Duration) string { return s.base.Add(d).Format(toTheMilli) }

// second is the same as Zuddl and Sessionboard write it.
func (s *story) second(d time.Duration) string { return s.base.Add(d).Format(toTheSecond) }

// steps are all but the last, in which an event and a conference end.
func (s *story) steps() []liveStep {
	return slices.Concat(
		s.event(), s.sessions(),
		s.resource("contact", false, fields{"id": "c-7", "firstName": "Ada", "email": "ada@example.com"}, "firstName", "first_name"),
		s.resource("exhibitor", true, fields{"id": "x-1", "name": "Tide Tables Ltd"}, "name", "name"),
		s.resource("sponsor", false, fields{"id": "p-1", "name": "Moon & Co"}, "name", "name"),
		s.attendance(), s.conversation(), s.conference(), s.host(),
	)
}

func (s *story) event() []liveStep {
	person := func(id string) liveStep {
		return create("/event/summit/registration", fields{"id": id, "profile": fields{"firstName": id, "email": id + "@example.com"}}).tells(saying{
			"registration.created",
			wants{"data.event.id": "summit", "data.registration.id": id, "data.registration.profile.firstName": id, "data.sourceOfChange": "user"},
			wants{"registration.id": id, "registration.profile.email": id + "@example.com", "event.name": "Summit of Tides"},
		})
	}
	return []liveStep{
		create("/event", fields{
			"id": "summit", "name": "Summit", "timezone": "Europe/London", "type": "WEBINAR", "eventFormat": "VIRTUAL",
			"startDate": s.at(-time.Hour), "endDate": s.at(time.Hour),
		}).by("USER", "17").tells(saying{
			"event.created",
			wants{
				"data.event.id": "summit", "data.event.number": 4001, "data.event.status": "ONGOING", "data.event.createdBy": "17",
				"data.actor": fields{"id": "17", "type": "USER"}, "data.session": absent{},
			},
			wants{
				"event.name": "Summit", "event.organizationId": liveTenant, "event.status": "ONGOING", "event.type": "WEBINAR",
				"event.startDate": s.second(-time.Hour), "event.endDate": s.second(time.Hour), "actor": fields{"id": "17", "type": "USER"},
				"registration": absent{}, "session": absent{},
			},
		}),
		patch("/event/summit", fields{"name": "Summit of Tides"}).tells(saying{
			"event.updated",
			wants{"data.event.name": "Summit of Tides", "data.event.timezone": "Europe/London", "data.event.number": 4001},
			wants{"event.id": "summit", "event.name": "Summit of Tides"},
		}),
		person("grace"),
		person("nobody"),
	}
}

// sessions are those about sessions and their speakers. The event's number is Sessionboard's event_id.
func (s *story) sessions() []liveStep {
	const ada, keynote = "/event/summit/session/keynote/speaker/ada", "/event/summit/session/keynote"
	about := func(action, id string, more wants) wants {
		all := wants{
			"metadata.action": action, "metadata.event_id": 4001, "metadata.org_id": liveTenant, "metadata.version": 1,
			"metadata.resource_url": s.server + "/v1/event/4001/sessions/" + id, "data.id": id,
		}
		maps.Copy(all, more)
		return all
	}
	return []liveStep{
		create("/contact?notify=false", fields{"id": "ada", "firstName": "Ada", "email": "ada@example.com"}).tells(),
		create("/event/summit/session", fields{
			"id": "keynote", "title": "Keynote", "capacity": 120, "isPublic": true,
			"startDateTime": s.at(-50 * time.Minute), "endDateTime": s.at(-5 * time.Minute),
		}).by("USER", "17").tells(saying{
			"session.created",
			wants{"data.session.id": "keynote", "data.session.title": "Keynote", "data.event.number": 4001, "data.actor.id": "17"},
			about("session.created", "keynote", wants{
				"data.title": "Keynote", "data.capacity": 120, "data.is_public": true, "data.starts_at": s.second(-50 * time.Minute),
				"data.ends_at": s.second(-5 * time.Minute), "data.speakers": []any{}, "data.track": nil,
				"metadata.actor_id": 17, "data.sourceOfChange": "user",
			}),
		}),
		attach(ada).by("AGENT", "bot").tells(saying{
			"session.speaker.attached",
			wants{"data.session.id": "keynote", "data.speaker.id": "ada", "data.speaker.email": "ada@example.com", "data.sourceOfChange": "agent"},
			about("session.speaker.attached", "keynote", wants{
				"data.speaker.id": "ada", "data.speaker.first_name": "Ada", "data.speakers.0.id": "ada",
				"metadata.actor_id": "bot", "data.sourceOfChange": "agent",
			}),
		}),
		patch(keynote, fields{"title": "Keynote: Tides"}).by("SYSTEM", "clock").tells(saying{
			"session.updated",
			wants{"data.session.title": "Keynote: Tides", "data.session.capacity": 120, "data.session.speakers.0.id": "ada"},
			about("session.updated", "keynote", wants{
				"data.title": "Keynote: Tides", "data.capacity": 120, "metadata.actor_id": nil, "data.speaker": absent{},
			}),
		}),
		remove(ada).tells(saying{
			"session.speaker.detached",
			wants{"data.session.speakers": []any{}, "data.speaker.id": "ada"},
			about("session.speaker.detached", "keynote", wants{
				"data.speaker.id": "ada", "data.speakers": []any{}, "data.title": "Keynote: Tides", "metadata.actor_id": nil,
			}),
		}),
		// The list of speakers may be changed as a part of the session, too.
		patch(keynote, fields{"speakers": []fields{{"id": "ada"}}}).tells(
			saying{
				"session.updated",
				wants{"data.session.speakers.0.id": "ada"},
				about("session.updated", "keynote", wants{"data.speakers.0.id": "ada", "data.speaker": absent{}}),
			},
			saying{
				"session.speaker.attached",
				wants{"data.speaker.id": "ada", "data.speaker.email": "ada@example.com"},
				about("session.speaker.attached", "keynote", wants{"data.speaker.email": "ada@example.com", "metadata.actor_id": nil}),
			}),
		act("session.created", "", fields{"eventId": "summit", "session": fields{"id": "encore", "title": "Encore"}}).tells(saying{
			"session.created",
			wants{"data.session.title": "Encore", "data.event.id": "summit"},
			about("session.created", "encore", wants{"data.title": "Encore", "data.capacity": nil}),
		}),
		remove("/event/summit/session/encore").by("USER", "17").tells(saying{
			"session.deleted",
			wants{"data.session.id": "encore", "data.session.title": "Encore", "data.event.number": 4001},
			about("session.deleted", "encore", wants{"data.title": "Encore", "metadata.actor_id": 17}),
		}),
		remove("/contact/ada?notify=false").tells(),
	}
}

// resource are those about what belongs to the organization: by the routes, or as activities. Only an association has an
// event_id. The member is what it is called by, and theirs Sessionboard's name of that.
func (s *story) resource(noun string, activities bool, doc fields, member, theirs string) []liveStep {
	id, name := doc["id"].(string), doc[member].(string)
	one, event := "/"+noun+"/"+id, "/"+noun+"/"+id+"/event/summit"
	renamed := fields{member: name + " II"}
	calls := []apiCall{create("/"+noun, doc), patch(one, renamed), attach(event), remove(event), remove(one)}
	if activities {
		ids, renamed := fields{noun + "Id": id, "eventId": "summit"}, fields{"id": id, member: name + " II"}
		calls = []apiCall{
			act(noun+".created", "", fields{noun: doc}), act(noun+".updated", "", fields{noun: renamed}),
			act(noun+".event.associated", "", ids), act(noun+".event.disassociated", "", ids),
			act(noun+".deleted", "", fields{noun + "Id": id}),
		}
	}
	steps := make([]liveStep, len(calls))
	for i, verb := range []string{"created", "updated", "event.associated", "event.disassociated", "deleted"} {
		said := saying{
			noun + "." + verb,
			wants{"data." + noun + ".id": id, "data." + noun + "." + member: name + " II", "data.sourceOfChange": "user", "data.event": absent{}},
			wants{
				"metadata.action": noun + "." + verb, "metadata.actor_id": 23, "metadata.event_id": nil, "metadata.org_id": liveTenant,
				"metadata.resource_url": s.server + "/v1/organization/" + liveTenant + "/" + noun + "s/" + id,
				"data.id":               id, "data." + theirs: name + " II", "data.sourceOfChange": "user", "data.deleted_at": absent{},
			},
		}
		switch verb {
		case "created":
			said.native["data."+noun+"."+member], said.vendor["data."+theirs] = name, name
		case "event.associated", "event.disassociated":
			delete(said.native, "data.event")
			said.native["data.event.number"], said.native["data.event.name"] = 4001, "Summit of Tides"
			said.vendor["metadata.event_id"], said.vendor["metadata.resource_url"] = 4001, s.server+"/v1/event/4001/"+noun+"s/"+id
		case "deleted":
			delete(said.vendor, "data.deleted_at") // the time of the change, which the test cannot know
		}
		steps[i] = calls[i].by("USER", "23").tells(said)
	}
	return steps
}

// attendance is grace, who is in the keynote for 42 minutes on one device, and for a part of them on another.
func (s *story) attendance() []liveStep {
	turn := func(kind string, d time.Duration, device string) apiCall {
		return act("session."+kind, s.at(d), fields{
			"eventId": "summit", "sessionId": "keynote", "registrationId": "grace", "connectionId": device,
		})
	}
	who := wants{"data.event.id": "summit", "data.session.id": "keynote", "data.registration.id": "grace", "data.timeSpentInMinutes": absent{}}
	joined, left := wants{"timestamp": s.at(-47 * time.Minute)}, wants{"timestamp": s.at(-5 * time.Minute)}
	maps.Copy(joined, who)
	maps.Copy(left, who)
	return []liveStep{
		turn("joined", -47*time.Minute, "laptop").tells(saying{"session.joined", joined, wants{
			"action": "JOINED_SESSION", "actionCreatedAt": s.second(-47 * time.Minute), "actor": fields{"id": "grace", "type": "USER"},
			"event.id": "summit", "event.name": "Summit of Tides", "event.organizationId": liveTenant,
			"session.id": "keynote", "session.title": "Keynote: Tides", "session.sponsors": []any{}, "session.tags": []any{},
			"registration.id": "grace", "registration.profile.firstName": "grace", "timeSpentInMinutes": absent{},
		}}),
		turn("joined", -20*time.Minute, "phone").tells(),
		turn("left", -10*time.Minute, "phone").tells(),
		turn("left", -5*time.Minute, "laptop").tells(saying{"session.left", left, nil}),
	}
}

func (s *story) conversation() []liveStep {
	tell := func(kind, word, at string, given fields, more wants) liveStep {
		native, vendor := wants{"data.conversation.id": "conv_1", "timestamp": at}, wants{
			"eventType": word, "payload.id": "conv_1", "payload.workspaceId": "ws_9", "payload.customerId": "cust_4",
			"payload.customer.name": "Grace Hopper", "payload.wsUrl": nil,
		}
		for path, want := range more {
			native["data.conversation."+path], vendor["payload."+path] = want, want
		}
		given["id"] = "conv_1"
		return act("conversation."+kind, at, fields{"conversation": given}).tells(saying{"conversation." + kind, native, vendor})
	}
	joined, left, over := s.at(-20*time.Minute), s.at(-12*time.Minute), s.at(-11*time.Minute)
	return []liveStep{
		tell("user_joined", "conversation.userJoined", joined, fields{
			"workspaceId": "ws_9", "customerId": "cust_4", "toPhoneNumber": "+12125551234",
			"customer": fields{"id": "cust_4", "name": "Grace Hopper", "email": "grace@example.com"},
		}, wants{"userJoinTime": joined, "conversationStatus": "active", "toPhoneNumber": "+12125551234"}),
		tell("user_left", "conversation.userLeft", left, fields{"endReason": "user_hangup"},
			wants{"userJoinTime": joined, "userLeaveTime": left, "conversationStatus": "active", "endReason": "user_hangup"}),
		tell("completed", "conversation.completed", over, fields{"recordingStatus": "ready"},
			wants{"callEndTime": over, "conversationStatus": "completed", "endReason": "user_hangup"}),
		tell("analysis_completed", "conversation.analysisCompleted", s.at(-10*time.Minute), fields{"summary": "About tides."},
			wants{"summary": "About tides.", "conversationStatus": "completed", "userLeaveTime": left}),
	}
}

// conference tells host and company once; later activities leave them out, and the messages have them. iotum writes
// ids of digits as numbers.
func (s *story) conference() []liveStep {
	tell := func(kind, word string, d time.Duration, given fields, native, vendor wants) liveStep {
		own := wants{
			"timestamp": s.at(d), "data.conferenceId": "1733", "data.hostId": "9917", "data.companyId": 5512,
			"data.conferenceName": "Pilots", "data.conferenceStartedAt": s.at(-30 * time.Minute),
		}
		theirs := wants{
			"event": word, "timestamp": s.at(d), "payload.host_id": 9917, "payload.company_id": 5512, "payload.conference_id": 1733,
		}
		for path, want := range native {
			own["data."+path] = want
		}
		for path, want := range vendor {
			theirs["payload."+path] = want
		}
		data := fields{"conferenceId": "1733"}
		maps.Copy(data, given)
		return act("conference."+kind, s.at(d), data).tells(saying{"conference." + kind, own, theirs})
	}
	who := fields{
		"participantId": "p-1", "participantRole": "organizer", "meetingUrl": "https://meet.example.com/1733",
		"participantName": "Amelia", "participantEmail": "amelia@example.com",
	}
	steps := []liveStep{
		tell("started", "conference_start", -30*time.Minute, fields{"hostId": "9917", "companyId": 5512, "conferenceName": "Pilots"}, nil, nil),
		tell("access_code.reused", "one_time_access_code_reused", -29*time.Minute, fields{"originalConferenceId": "1600"},
			wants{"originalConferenceId": "1600"}, wants{"original_conference_id": 1600}),
		tell("participant.entered", "enter_conference", -25*time.Minute, who,
			wants{"participantId": "p-1", "participantRole": "organizer", "participantName": "Amelia"},
			wants{"participant_id": "p-1", "participant_role": "organizer", "meeting_url": "https://meet.example.com/1733"}),
		tell("participant.role_changed", "participant_role_changed", -24*time.Minute, fields{"participantId": "p-1", "participantRole": "moderator"},
			wants{"participantRole": "moderator", "participantEmail": "amelia@example.com"},
			wants{"participant_id": "p-1", "participant_role": "moderator", "company_id": absent{}}),
		tell("dialout.status_changed", "dialout_status_change", -23*time.Minute,
			fields{"participantId": "42", "status": "new", "phoneNumber": "+12125551234"},
			wants{"participantId": "42", "status": "new", "phoneNumber": "+12125551234"},
			wants{"participant_id": 42, "status": "new", "phone_number": "+12125551234"}),
	}
	parts := []struct{ name, word string }{{"recording", "recording"}, {"stream", "streaming"}, {"broadcast", "broadcasting"}}
	for _, part := range parts {
		steps = append(steps, tell(part.name+".started", "start_"+part.word, -20*time.Minute, nil, nil, nil))
	}
	steps = append(steps,
		tell("livestream.entered", "enter_livestream", -19*time.Minute, fields{"participantId": "v-1"},
			wants{"participantId": "v-1"}, wants{"participant_id": "v-1", "participant_role": absent{}}),
		tell("livestream.left", "leave_livestream", -18*time.Minute, fields{"participantId": "v-1", "reasonForLeaving": "user_dropped"},
			wants{"reasonForLeaving": "user_dropped"}, wants{"participant_id": "v-1", "reason_for_leaving": "user_dropped"}))
	for _, part := range parts {
		steps = append(steps, tell(part.name+".stopped", "stop_"+part.word, -10*time.Minute, nil, nil, wants{"participant_id": absent{}}))
	}
	return append(steps,
		tell("stream.preview_updated", "stream_preview_updated", -9*time.Minute, fields{"videoUrl": "https://cdn.example.com/1.mp4"},
			wants{"videoUrl": "https://cdn.example.com/1.mp4"}, wants{"video_url": "https://cdn.example.com/1.mp4", "image_url": absent{}}),
		tell("recording.ready", "recording_ready", -8*time.Minute, fields{"recordingId": 88, "downloadLink": "https://cdn.example.com/88.mp4"},
			wants{"recordingId": 88}, wants{"recording_id": 88, "download_link": "https://cdn.example.com/88.mp4"}),
		tell("transcription.ready", "transcription_ready", -7*time.Minute, nil, nil, nil),
		tell("participant.left", "leave_conference", -4*time.Minute, fields{"participantId": "p-1", "reasonForLeaving": "host_kicked"},
			wants{"participantId": "p-1", "participantRole": "moderator", "reasonForLeaving": "host_kicked"},
			wants{"participant_id": "p-1", "participant_role": "moderator", "reason_for_leaving": "host_kicked"}),
		tell("ended", "conference_end", -time.Minute, nil, wants{"conferenceEndedAt": s.at(-time.Minute)}, wants{"participant_id": absent{}}),
	)
}

func (s *story) host() []liveStep {
	tell := func(kind, said, word string, given fields, vendor wants) liveStep {
		native, theirs := wants{"data.hostId": "h-2", "data.companyId": "5512"}, wants{
			"event": word, "payload.host_id": "h-2", "payload.company_id": 5512, "payload.conference_id": absent{},
		}
		data := fields{"hostId": "h-2", "companyId": "5512"}
		maps.Copy(data, given)
		for path, want := range vendor {
			theirs["payload."+path] = want
		}
		step := act(kind, "", data).tells()
		if said != "" {
			step.tells = []saying{{said, native, theirs}}
		}
		return step
	}
	file := fields{"id": "f-3", "filename": "tides.pdf", "size": 20481}
	return []liveStep{
		tell("host.profile_picture.failed", "host.profile_picture.failed", "profile_picture_upload_failure", nil, nil),
		tell("host.profile_picture.uploaded", "host.profile_picture.uploaded", "profile_picture_upload_success", nil, nil),
		tell("drive.file.processed", "", "", file, nil),
		tell("drive.file.upload_finished", "drive.file.added", "drive_file_added", file,
			wants{"id": "f-3", "filename": "tides.pdf", "size": 20481}),
		tell("drive.file.deleted", "drive.file.deleted", "drive_file_deleted", fields{"id": "f-3"},
			wants{"id": "f-3", "filename": "tides.pdf", "size": absent{}}),
	}
}

// ending is the last step: the event ends at a time by itself, and what follows from that, and from the end of the
// conference, is told. The end at which the caller's change is told is not the one at which the status changes.
func (s *story) ending(end time.Time) liveStep {
	ended := func(member string, want any) wants {
		return wants{
			"event.id": "summit", "event.name": "Summit of Tides", "event.organizationId": liveTenant, "registration.id": "grace", member: want,
		}
	}
	native := func(registration string) wants {
		return wants{"data.event.status": "COMPLETED", "data.event.id": "summit", "data.registration.id": registration, "data.actor.type": "SYSTEM"}
	}
	inSession := ended("timeSpentInMinutes", 42)
	inSession["session.id"], inSession["session.title"] = "keynote", "Keynote: Tides"
	inSession["actor"], inSession["event.startDate"] = fields{"id": "grace", "type": "USER"}, absent{}
	inEvent := ended("timeSpentInMinutes", 42)
	inEvent["session"], inEvent["actor"] = absent{}, fields{"id": "grace", "type": "USER"}
	noShow := ended("timeSpentInMinutes", absent{})
	noShow["registration.id"] = "nobody"
	return patch("/event/summit", fields{"endDate": end.Format(toTheMilli)}).tells(
		saying{
			"event.updated",
			wants{"data.event.status": "ONGOING", "data.event.endDate": end.Format(toTheMilli), "data.sourceOfChange": "user"},
			wants{"event.status": "ONGOING", "event.endDate": end.Format(toTheSecond)},
		},
		saying{
			"event.updated",
			wants{"data.event.status": "COMPLETED", "data.actor.type": "SYSTEM", "timestamp": end.Format(toTheMilli)},
			wants{"event.status": "COMPLETED", "actionCreatedAt": end.Format(toTheSecond)},
		},
		saying{
			"session.time_spent",
			wants{
				"data.event.id": "summit", "data.session.id": "keynote", "data.session.title": "Keynote: Tides", "data.registration.id": "grace",
				"data.timeSpentInMinutes": 42,
			},
			inSession,
		},
		saying{"event.time_spent", wants{"data.registration.id": "grace", "data.timeSpentInMinutes": 42, "data.session": absent{}}, inEvent},
		saying{"registration.attended", native("grace"), ended("timeSpentInMinutes", absent{})},
		saying{"registration.no_show", native("nobody"), noShow},
		saying{
			"conference.participant.time_spent",
			wants{
				"data.conferenceId": "1733", "data.participantId": "p-1", "data.timeSpentInMinutes": 21, "data.participantName": "Amelia",
				"data.conferenceEndedAt": s.at(-time.Minute),
			},
			nil,
		},
	)
}

// neighbours are the types that dialects say in words of another kind of meeting.
var neighbours = map[string]map[string]struct {
	word  string
	check func(h *happening, data any, same compare)
}{
	"zuddl": {
		"conference.participant.entered":    {"JOINED_SESSION", checkConferenceInZuddl},
		"conference.participant.time_spent": {"TIME_SPENT_IN_SESSION", checkConferenceInZuddl},
		"conversation.user_joined":          {"JOINED_SESSION", checkConversationInZuddl},
	},
	"oration": {
		"session.joined":                 {"conversation.userJoined", checkSessionInOration},
		"session.left":                   {"conversation.userLeft", checkSessionInOration},
		"conference.participant.entered": {"conversation.userJoined", checkConferenceInOration},
		"conference.participant.left":    {"conversation.userLeft", checkConferenceInOration},
	},
	"iotum": {
		"session.joined":           {"enter_conference", checkSessionInIotum},
		"session.left":             {"leave_conference", checkSessionInIotum},
		"conversation.user_joined": {"enter_conference", checkConversationInIotum},
		"conversation.user_left":   {"leave_conference", checkConversationInIotum},
	},
}

// notOfLive are the types of the catalogue that no change of live state makes: a vendor's own words, which only its
// webhooks and posted messages have.
var notOfLive = []string{"iotum.vcon_import_failure", "iotum.vcon_import_success"}

// heardSaying is a message that a step made, with what it must look like.
type heardSaying struct {
	saying
	*happening
}

// stageOfTypes is what tellEveryType works on.
type stageOfTypes struct {
	stage
	app     string
	spoken  map[string]*spoken
	seen    map[string]bool // messages of steps before
	heard   []heardSaying
	own     map[string]*mailbox // by dialect; without translations
	nearest map[string]*mailbox // of neighbours' types alone
}

func tellEveryType(t *testing.T, store storeUnderTest) {
	s := start(t, kit.Config{DB: store.fresh(t), Args: []string{"--time-spent-delay", "1s"}})
	st := &stageOfTypes{
		stage:  stage{operator: operator{s, mint(t, s)}, office: newOffice(t)},
		spoken: map[string]*spoken{}, seen: map[string]bool{}, own: map[string]*mailbox{}, nearest: map[string]*mailbox{},
	}
	for _, spoken := range spokenTypes() {
		st.spoken[spoken.eventType] = &spoken
	}
	st.app = st.newApp(t, liveTenant)
	endpoints := map[string]string{}
	for _, dialect := range allDialects {
		st.own[dialect] = st.office.box(t, dialect)
		endpoints[dialect] = st.endpoint(t, st.app, st.own[dialect], fields{"translate": false})
	}
	for dialect, types := range neighbours {
		var names []string
		for eventType := range types {
			names = append(names, eventType)
		}
		st.nearest[dialect] = st.office.box(t, dialect)
		endpoints[dialect+" neighbours"] = st.endpoint(t, st.app, st.nearest[dialect], fields{"filterTypes": names})
	}

	tale := &story{time.Now().UTC().Truncate(time.Second), s.URL}
	for _, step := range tale.steps() {
		st.take(t, step)
	}
	st.take(t, tale.ending(time.Now().UTC().Truncate(time.Millisecond).Add(2*time.Second)))
	st.checkMade(t)
	for _, dialect := range allDialects {
		st.checkOwn(t, dialect, endpoints[dialect])
	}
	for dialect := range neighbours {
		st.checkNeighbours(t, dialect, endpoints[dialect+" neighbours"])
	}
}

// take takes a step, and waits for exactly the messages that must follow.
func (st *stageOfTypes) take(t *testing.T, step liveStep) {
	t.Helper()
	for _, c := range step.calls {
		var in any // none, rather than one that is null
		if c.in != nil {
			in = c.in
		}
		st.call(t, c.status, c.method, "/app/"+st.app+c.path, in, nil)
	}
	var made []sent
	kit.Eventually(t, "what follows from "+step.calls[0].method+" "+step.calls[0].path, func() bool {
		made = st.unseen(t)
		return len(made) >= len(step.tells)
	})
	var want, got []string
	for _, said := range step.tells {
		want = append(want, said.eventType)
	}
	for _, m := range made {
		got = append(got, m.EventType)
	}
	slices.Sort(want)
	if diff := cmp.Diff(want, slices.Sorted(slices.Values(got))); diff != "" {
		t.Fatalf("what followed from %s %s %v (-want +got):\n%s", step.calls[0].method, step.calls[0].path, step.calls[0].in["type"], diff)
	}
	for _, m := range made {
		st.seen[m.ID] = true
		// Those of one type stand in the order in which they are told.
		i := slices.IndexFunc(step.tells, func(said saying) bool { return said.eventType == m.EventType })
		said := step.tells[i]
		step.tells = slices.Delete(slices.Clone(step.tells), i, i+1)
		if diff := said.native.missed(m.Payload); diff != "" {
			t.Errorf("%s (-want +got):\n%s%s", m.EventType, diff, m.Payload)
		}
		st.heard = append(st.heard, heardSaying{said, st.happening(t, m)})
	}
}

// unseen are the messages since the last step, in the order in which they were made.
func (st *stageOfTypes) unseen(t testing.TB) []sent {
	t.Helper()
	var page struct{ Data []sent }
	st.call(t, http.StatusOK, http.MethodGet, "/app/"+st.app+"/msg?limit=10", nil, &page)
	slices.Reverse(page.Data)
	return slices.DeleteFunc(page.Data, func(m sent) bool { return st.seen[m.ID] })
}

// happening is a message as the checks of the dialects want it.
func (st *stageOfTypes) happening(t testing.TB, m sent) *happening {
	t.Helper()
	known := st.spoken[m.EventType]
	if known == nil {
		t.Fatalf("%s is no type of the catalogue", m.EventType)
	}
	var body struct {
		Timestamp time.Time
		Data      fields
	}
	decoder := json.NewDecoder(strings.NewReader(string(m.Payload)))
	decoder.UseNumber()
	if err := decoder.Decode(&body); err != nil {
		t.Fatal(err)
	}
	return &happening{
		spoken: *known, id: m.ID, tenant: liveTenant, server: st.server.URL, payload: string(m.Payload),
		timestamp: body.Timestamp, data: body.Data,
	}
}

// checkMade compares the types that were made with those that the server lists: a new one needs a row in the story.
func (st *stageOfTypes) checkMade(t *testing.T) {
	t.Helper()
	var list struct {
		Data []struct{ Name, Origin string }
	}
	st.call(t, http.StatusOK, http.MethodGet, "/event-type?limit=250", nil, &list)
	documented, made := map[string]bool{}, map[string]bool{}
	for _, h := range st.heard {
		made[h.eventType] = true
		if !h.extra {
			for dialect, word := range h.words() {
				documented[dialect+" "+word] = true
			}
		}
	}
	var missing []string
	for _, listed := range list.Data {
		if !made[listed.Name] {
			missing = append(missing, listed.Name)
		}
	}
	slices.Sort(missing)
	if diff := cmp.Diff(notOfLive, missing); diff != "" {
		t.Errorf("types of the catalogue that the story does not make (-known +got):\n%s", diff)
	}
	if len(documented) != 45 {
		t.Errorf("%d event types that vendors document were made, want 45", len(documented))
	}
}

// checkOwn compares what came in a dialect's own words with what was told.
func (st *stageOfTypes) checkOwn(t *testing.T, dialect, endpoint string) {
	t.Helper()
	words := []string{}
	var hearers []heardSaying
	for _, h := range st.heard {
		word, has := h.words()[dialect]
		if dialect == "native" {
			word, has = h.eventType, true
		}
		if has {
			words, hearers = append(words, word), append(hearers, h)
		}
	}
	st.settle(t, st.app, endpoint, int64(len(words)), 0)
	st.own[dialect].wantKinds(t, words...)
	arrived := st.own[dialect].taken()
	for i, h := range hearers {
		want := h.vendor
		if dialect == "native" {
			want = h.native
		} else if want == nil {
			t.Errorf("the story does not say what %s is in %s", words[i], dialect)
		}
		if arrived = h.find(t, dialect, words[i], want, arrived); arrived == nil {
			return
		}
	}
}

// find takes the message out of those that arrived whose body is as it must be, and checks the rest of it.
func (h heardSaying) find(t *testing.T, dialect, word string, want wants, arrived []message) []message {
	t.Helper()
	var closest string
	for i, m := range arrived {
		if m.kind != word {
			continue
		}
		if diff := want.missed(m.body); diff != "" {
			closest += diff + string(m.body) + "\n"
			continue
		}
		h.check(t, dialect, m)
		return slices.Delete(slices.Clone(arrived), i, i+1)
	}
	t.Errorf("no %s in %s is as it must be (-want +got):\n%s", word, dialect, closest)
	return nil
}

// checkNeighbours compares what came in words of another kind of meeting.
func (st *stageOfTypes) checkNeighbours(t *testing.T, dialect, endpoint string) {
	t.Helper()
	types, arrived := neighbours[dialect], st.nearest[dialect]
	st.settle(t, st.app, endpoint, int64(len(types)), 0)
	var words []string
	checked := 0
	for _, told := range types {
		words = append(words, told.word)
	}
	arrived.wantKinds(t, words...)
	for _, h := range st.heard {
		told, says := types[h.eventType]
		if !says {
			continue
		}
		checked++
		var closest string
		found := slices.ContainsFunc(arrived.taken(), func(m message) bool {
			wrong := ""
			if m.kind != told.word {
				return false
			}
			told.check(h.happening, m.data, func(what, got, want string) {
				if got != want || want == "" {
					wrong += what + " is " + got + ", want " + want + "\n"
				}
			})
			closest += wrong
			return wrong == ""
		})
		if !found {
			t.Errorf("no %s in %s is %s: %s", told.word, dialect, h.eventType, closest)
		}
	}
	if checked != len(types) {
		t.Errorf("%d of %d types in words of other meetings were made", checked, len(types))
	}
}

// missed compares a body with what must stand in it; "" = it is as it must be.
func (w wants) missed(body []byte) string {
	want, got := map[string]string{}, map[string]string{}
	for path, value := range w {
		if _, none := value.(absent); none {
			want[path] = ""
		} else {
			want[path] = textOf(value)
		}
		got[path] = memberOf(body, path)
	}
	return cmp.Diff(want, got)
}

// memberOf is the JSON text of a member of a body, with members in the order of their names; "" if it is not there. A
// number in the path is a place in an array, and an object that is written as a string, as iotum's payload is, counts as
// that object.
func memberOf(body []byte, path string) string {
	decoder := json.NewDecoder(strings.NewReader(string(body)))
	decoder.UseNumber()
	var value any
	if err := decoder.Decode(&value); err != nil {
		return err.Error()
	}
	for name := range strings.SplitSeq(path, ".") {
		if text, is := value.(string); is {
			return memberOf([]byte(text), path)
		}
		there := false
		switch v := value.(type) {
		case fields:
			value, there = v[name]
		case []any:
			if there = name == "0" && len(v) > 0; there {
				value = v[0]
			}
		}
		if !there {
			return ""
		}
		_, path, _ = strings.Cut(path, ".")
	}
	return textOf(value)
}
