package catalog

import "slices"

// eventType is a line of the catalogue: its group is the first word of its name.
type eventType struct {
	name        string
	description string
	data        []member
}

// member is a member of a type's data.
type member struct {
	name     string
	required bool
	asks     []string // members that it must have itself
	unshown  bool     // described, but not in the sample
	sample   string   // the file of its sample; "" = the name's
}

func (m member) sampleName() string {
	if m.sample != "" {
		return m.sample
	}
	return m.name
}

// must is a member that has to be there, with these members of its own.
func must(name string, asks ...string) member {
	return member{name: name, required: true, asks: asks}
}

// as gives the member the sample of another file.
func (m member) as(sample string) member {
	m.sample = sample
	return m
}

// may are members that can be there.
func may(names ...string) []member {
	members := make([]member, len(names))
	for i, name := range names {
		members[i] = member{name: name}
	}
	return members
}

// unshown are members that can be there, and are not in the sample.
func unshown(names ...string) []member {
	members := may(names...)
	for i := range members {
		members[i].unshown = true
	}
	return members
}

// coreTypes is the table of the core types: those of the webhooks that Zuddl,
// Sessionboard, Oration and iotum document, and the neighbours of those that Callboard's
// live state can tell besides.
func coreTypes() []eventType {
	return slices.Concat(
		attendanceTypes(), sessionTypes(),
		resourceTypes("contact", "contact"), resourceTypes("exhibitor", "exhibitor"), resourceTypes("sponsor", "sponsor"),
		eventTypes(), registrationTypes(),
		conferenceTypes(), participantTypes(), hostTypes(), conversationTypes(),
	)
}

// with adds who did it to the members of a type's data.
func with(members ...member) []member { return append(members, may("actor", "sourceOfChange")...) }

func attendanceTypes() []eventType {
	session := must("session", "id").as("attended")
	return []eventType{
		{
			"session.joined",
			"An attendee joined a session. Sent when the first of the attendee's connections to the session opens: joining on a " +
				"second device sends nothing, coming back after everything was closed sends it again.",
			with(must("event", "id"), session, must("registration", "id")),
		},
		{
			"session.left",
			"An attendee left a session. Sent when the last of the attendee's connections to the session closes; a leave without a " +
				"join sends nothing. Zuddl has no such action: what came in from Zuddl knows joins only, and endpoints of its " +
				"dialect do not hear this type.",
			with(must("event", "id"), session, must("registration", "id")),
		},
		{
			"session.time_spent",
			"How long an attendee was in a session. Sent one hour after the event's end, once for each attendee and session, and " +
				"only to those who spent time there. timeSpentInMinutes is the time during which at least one connection was open, " +
				"between the event's start and end, rounded to whole minutes and at least 1; who never left stayed to the end. Nothing " +
				"that becomes known afterwards changes it. An event that is cancelled or deleted before sends none.",
			with(must("event", "id"), session, must("registration", "id"), must("timeSpentInMinutes")),
		},
	}
}

func sessionTypes() []eventType {
	whole := with(must("session", "id"), must("event", "id", "number"))
	speaker := with(must("session", "id"), must("speaker", "id").as("contact"), must("event", "id", "number"))
	return []eventType{
		{"session.created", "A session was created. data.session is the whole session.", whole},
		{
			"session.updated",
			"A session's details were updated, its list of speakers among them. data.session is the whole session as it is now.",
			whole,
		},
		{
			"session.deleted",
			"A session was deleted. data.session is the session as it was last, with deletedAt.",
			whole,
		},
		{
			"session.speaker.attached",
			"A speaker was attached to a session. data.speaker is the contact, data.session the session with the speaker in it. When " +
				"the list of speakers is changed as part of the session, session.updated is sent too.",
			speaker,
		},
		{
			"session.speaker.detached",
			"A speaker was detached from a session. data.speaker is the contact, data.session the session without the speaker. When " +
				"the list of speakers is changed as part of the session, session.updated is sent too.",
			speaker,
		},
	}
}

// resourceTypes are the five types of what belongs to the organization and can be
// associated with its events. The noun is the member of data, too.
func resourceTypes(name, noun string) []eventType {
	article := "A"
	if noun[0] == 'e' {
		article = "An"
	}
	whole := with(must(name, "id"))
	association := with(must(name, "id"), must("event", "id", "number"))
	it := "data." + name + " is the whole " + noun
	return []eventType{
		{name + ".created", "A new " + noun + " was created in the organization. " + it + ".", whole},
		{name + ".updated", article + " " + noun + "'s details were updated. " + it + " as it is now.", whole},
		{
			name + ".deleted",
			article + " " + noun + " was deleted from the organization. data." + name + " is the " + noun +
				" as it was last, with deletedAt.",
			whole,
		},
		{
			name + ".event.associated",
			article + " " + noun + " was associated with an event, data.event. " + it + ".",
			association,
		},
		{
			name + ".event.disassociated",
			article + " " + noun + " was removed from an event, data.event; it stays in the organization. " + it + ".",
			association,
		},
	}
}

func eventTypes() []eventType {
	// Zuddl's webhooks have room for the other two, so they are known where they come along.
	changed := slices.Concat(with(must("event", "id")), unshown("session", "registration"))
	return []eventType{
		{
			"event.created",
			"An event was created. data.event is the whole event.",
			changed,
		},
		{
			"event.updated",
			"An event's details were updated, or its status: it becomes ONGOING at its start and COMPLETED at its end by itself, and " +
				"CANCELLED when somebody cancels it. data.event is the whole event as it is now.",
			changed,
		},
		{
			"event.time_spent",
			"How long an attendee was in an event's sessions altogether. Sent one hour after the event's end, once for each attendee, " +
				"and only to those who spent time. timeSpentInMinutes counts time in several sessions at once only once, and is " +
				"rounded to whole minutes and at least 1.",
			slices.Concat(with(must("event", "id"), must("registration", "id"), must("timeSpentInMinutes")), unshown("session")),
		},
	}
}

func registrationTypes() []eventType {
	data := slices.Concat(with(must("event", "id"), must("registration", "id")), unshown("session"))
	return []eventType{
		{"registration.created", "Somebody registered for an event.", data},
		{
			"registration.attended",
			"Somebody who had registered attended the event: was in at least one of its sessions. Sent one hour after the event's end.",
			data,
		},
		{
			"registration.no_show",
			"Somebody who had registered did not come: was in none of the event's sessions. Sent one hour after the event's end.",
			data,
		},
	}
}

// conference are the members of data of a type about a conference, after those that it
// requires. Those that only help translating are not in the samples of types in which the
// vendor has nothing like them.
func conference(members ...member) []member {
	all := slices.Concat(
		[]member{must("conferenceId")}, members, may("hostId", "companyId", "conferenceName", "conferenceStartedAt"),
		unshown("conferenceEndedAt", "participantName", "participantEmail", "participantPhoneNumber", "actor", "sourceOfChange"),
	)
	return firstOfName(all)
}

// participant is the same for a type about one of those who take part.
func participant(members ...member) []member {
	return conference(slices.Concat(
		[]member{must("participantId")}, members, may("participantName", "participantEmail", "participantPhoneNumber"),
	)...)
}

// firstOfName leaves out members whose name came before.
func firstOfName(members []member) []member {
	seen := make(map[string]bool, len(members))
	return slices.DeleteFunc(members, func(m member) bool {
		before := seen[m.name]
		seen[m.name] = true
		return before
	})
}

func conferenceTypes() []eventType {
	ended := may("conferenceEndedAt")
	return []eventType{
		{"conference.started", "A conference started.", conference()},
		{
			"conference.ended",
			"A conference ended: somebody ended it, or nothing was heard of it for 24 hours; then it ended when it was heard of last. " +
				"Who was still in it gets no conference.participant.left.",
			conference(ended...),
		},
		{"conference.recording.started", "The recording of a conference started.", conference()},
		{
			"conference.recording.stopped",
			"The recording of a conference stopped. The file comes later, with conference.recording.ready.",
			conference(),
		},
		{
			"conference.recording.ready",
			"A recording of a conference can be fetched: downloadLink leads directly to the mp3 of an audio recording, or the mp4 of a " +
				"video recording.",
			conference(slices.Concat([]member{must("recordingId"), must("downloadLink")}, ended)...),
		},
		{
			"conference.transcription.ready",
			"The transcription of a conference is ready.",
			conference(ended...),
		},
		{"conference.stream.started", "The live stream of a conference started.", conference()},
		{"conference.stream.stopped", "The live stream of a conference stopped.", conference()},
		{
			"conference.stream.preview_updated",
			"There is a new preview of a conference's live stream: videoUrl leads to an mp4, imageUrl, which is optional, to a jpg.",
			conference(slices.Concat([]member{must("videoUrl")}, may("imageUrl"))...),
		},
		{"conference.broadcast.started", "The broadcast of a conference started.", conference()},
		{"conference.broadcast.stopped", "The broadcast of a conference stopped.", conference()},
		{
			"conference.access_code.reused",
			"A one-time access code was used again, for another conference. conferenceId is the new conference, in which the code was " +
				"used now; originalConferenceId is the conference that the code was made for.",
			conference(must("originalConferenceId")),
		},
	}
}

func participantTypes() []eventType {
	return []eventType{
		{
			"conference.participant.entered",
			"A participant entered a conference. participantRole is organizer, moderator or participant; meetingUrl is the address " +
				"that was entered. Somebody who was called and joins by pressing 1 comes with this type: the dialout has no status for it.",
			participant(may("participantRole", "meetingUrl")...),
		},
		{
			"conference.participant.left",
			"A participant left a conference. reasonForLeaving says how: user_exit, user_dropped, host_kicked or " +
				"host_kicked_blocked.",
			participant(may("participantRole", "reasonForLeaving")...),
		},
		{
			"conference.participant.role_changed",
			"A participant has another role in a conference. participantRole is the role from now on: organizer, moderator or " +
				"participant.",
			participant(must("participantRole")),
		},
		{
			"conference.participant.time_spent",
			"How long a participant was in a conference. Sent one hour after the conference's end, once for each participant who spent " +
				"time there, in whole minutes, rounded and at least 1.",
			participant(append([]member{must("timeSpentInMinutes")}, may("conferenceEndedAt")...)...),
		},
		{
			"conference.livestream.entered",
			"Somebody began to watch the live stream of a conference.",
			participant(),
		},
		{
			"conference.livestream.left",
			"Somebody stopped watching the live stream of a conference. reasonForLeaving says how: user_exit, user_dropped, " +
				"host_kicked or host_kicked_blocked.",
			participant(may("reasonForLeaving")...),
		},
		{
			"conference.dialout.status_changed",
			"A call from a conference to somebody who shall take part got a new status. The statuses, in their order: new: the request " +
				"is enqueued and not yet fetched by the dialout infrastructure; dialed: the phone rings; answered: somebody answered and " +
				"hears the invitation; and the ends: rejected: refused, actively by pressing 2 or passively by hanging up, which may " +
				"follow answered; noanswer: not answered; cancelled: by the system, before joining or rejecting; notenabled: dialout is " +
				"not enabled for the host or the company, which follows new. Joining by pressing 1 has no status: it comes as " +
				"conference.participant.entered. A new call to the same person begins at new again. A status may be left out or come late.",
			participant(append([]member{must("status")}, may("phoneNumber")...)...),
		},
	}
}

func hostTypes() []eventType {
	host := func(members ...member) []member {
		return slices.Concat([]member{must("hostId")}, members, may("companyId"), unshown("actor", "sourceOfChange"))
	}
	file := []member{must("id"), must("filename")}
	return []eventType{
		{"host.profile_picture.uploaded", "A host's profile picture was uploaded.", host()},
		{"host.profile_picture.failed", "The upload of a host's profile picture failed.", host()},
		{
			"drive.file.added",
			"A file was added to a host's drive. Sent once its upload is finished and its internal processing is completed, in " +
				"whichever order: from now on the file can be used. size is in bytes.",
			host(append(file, may("size")...)...),
		},
		{"drive.file.deleted", "A file was deleted from a host's drive.", host(file...)},
	}
}

func conversationTypes() []eventType {
	data := func() []member {
		return append([]member{must("conversation", "id")}, unshown("actor", "sourceOfChange")...)
	}
	return []eventType{
		{
			"conversation.user_joined",
			"The customer joined a conversation with an agent: conversationStatus is active, userJoinTime is set.",
			data(),
		},
		{
			"conversation.user_left",
			"The customer left a conversation: userLeaveTime is set. A leave without a join is legal, with userJoinTime null: the " +
				"call was not answered (endReason user_did_not_answer).",
			data(),
		},
		{
			"conversation.completed",
			"A conversation is over. endReason says why: user_did_not_answer, user_hangup, user_inactivity, agent_hangup, " +
				"network_error or max_duration_exceeded. What the analysis finds out comes later, with conversation.analysis_completed.",
			data(),
		},
		{
			"conversation.analysis_completed",
			"The analysis of a completed conversation is done: summary, the postCall members and transcript are set where there is " +
				"something to say.",
			data(),
		},
	}
}
