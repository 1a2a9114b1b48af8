package live

// rule says what an activity of a type is about and what it does.
type rule struct {
	about *noun   // the resource that data is, if it is one
	needs []*noun // what data must name
	flat  bool    // the members of data are flat: conferences, hosts, drives
	// read checks what else data must have; keys names what else Apply asks for.
	read  func(*Request) error
	keys  func(*Request) []Key
	apply func(*work) error
}

// rules has every type that an activity may have.
var rules = makeRules()

func makeRules() map[string]rule {
	all := map[string]rule{}
	for _, n := range nouns {
		r := rule{about: n, apply: resource}
		if n == sessions {
			r.keys = speakerKeys
		}
		for _, word := range []string{".created", ".updated", ".deleted"} {
			all[n.name+word] = r
		}
	}
	for _, n := range []*noun{contacts, exhibitors, sponsors} {
		r := rule{needs: []*noun{n, events}, keys: associationKeys, apply: associate}
		all[n.name+".event.associated"], all[n.name+".event.disassociated"] = r, r
	}
	addAttendance(all)
	addConference(all)
	addParticipant(all)
	addOther(all)
	return all
}

func addAttendance(all map[string]rule) {
	speaker := []*noun{events, sessions, contacts}
	all["session.speaker.attached"] = rule{needs: speaker, read: readSpeaker, apply: attachSpeaker}
	all["session.speaker.detached"] = rule{needs: speaker, read: readSpeaker, apply: detachSpeaker}
	attendance := rule{needs: []*noun{events, sessions, registrations}, keys: presenceKeys, apply: attend}
	all["session.joined"], all["session.left"] = attendance, attendance
	attendance.apply = toldTime
	all["session.time_spent"] = attendance
}

func addConference(all map[string]rule) {
	for word, apply := range map[string]func(*work) error{
		"started":                startConference,
		"ended":                  endConference,
		"recording.started":      start("recording"),
		"recording.stopped":      stop("recording"),
		"recording.ready":        recordingReady,
		"stream.started":         start("stream"),
		"stream.stopped":         stop("stream"),
		"stream.preview_updated": previewUpdated,
		"broadcast.started":      start("broadcast"),
		"broadcast.stopped":      stop("broadcast"),
		"transcription.ready":    transcriptionReady,
		"access_code.reused":     accessCodeReused,
	} {
		all["conference."+word] = rule{flat: true, read: requireFlat("conferenceId"), keys: conferenceKeys, apply: apply}
	}
}

func addParticipant(all map[string]rule) {
	for word, apply := range map[string]func(*work) error{
		"participant.entered":      moveParticipant,
		"participant.left":         moveParticipant,
		"participant.role_changed": changeRole,
		"livestream.entered":       enterStream,
		"livestream.left":          leaveStream,
		"dialout.status_changed":   dialout,
	} {
		all["conference."+word] = rule{
			flat: true, read: requireFlat("conferenceId", "participantId"), keys: participantKeys, apply: apply,
		}
	}
}

func addOther(all map[string]rule) {
	for _, word := range []string{"uploaded", "failed"} {
		all["host.profile_picture."+word] = rule{flat: true, read: requireFlat("hostId"), keys: hostKeys, apply: picture}
	}
	for _, word := range []string{"upload_finished", "processed", "added", "deleted"} {
		all["drive.file."+word] = rule{flat: true, read: requireFlat("hostId", "id"), keys: fileKeys, apply: file}
	}
	for _, word := range []string{"updated", "user_joined", "user_left", "completed", "analysis_completed"} {
		all["conversation."+word] = rule{read: readConversation, keys: conversationKeys, apply: converse}
	}
}
