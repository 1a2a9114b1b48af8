package demo

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"time"
)

// story tells of one happening. Field names and values follow what the vendors document, in the spelling of Callboard's
// own messages: camelCase, the objects under their own names.
type story struct {
	r           *rand.Rand
	now         time.Time
	first, last string // the name of the person that it is about
}

func newStory(n int, now time.Time) *story {
	round := n / len(firstNames)
	return &story{
		r: rand.New(rand.NewPCG(1, uint64(n))), now: now,
		first: firstNames[n%len(firstNames)], last: lastNames[(n+round)%len(lastNames)],
	}
}

// The cast. Numbers and addresses are those that standards reserve for examples.
var (
	firstNames = []string{"Jane", "Amara", "Mateo", "Yuki", "Priya", "Lars", "Zoë", "Omar"}
	lastNames  = []string{"Smith", "Okafor", "García", "Tanaka", "Raman", "Lindqvist", "Dubois", "Haddad"}
	companies  = []string{"Northwind", "Globex", "Initech", "Umbra & Sons", "Acme"}
	titles     = []string{"Opening keynote", "Scaling live video", "Captions that help", "Panel: hybrid events", "Closing remarks"}
	tracks     = []string{"Product", "Engineering", "Community"}
	rooms      = []string{"Main stage", "Room 2", "Studio"}
	roles      = []string{"organizer", "moderator", "participant"}
	reasons    = []string{"user_exit", "user_dropped", "host_kicked", "host_kicked_blocked"}
	dialouts   = []string{"new", "dialed", "answered", "rejected", "noanswer", "cancelled", "notenabled"}
	files      = []string{"agenda.pdf", "slides.pptx", "floor plan.png"}
)

func (s *story) pick(from []string) string { return from[s.r.IntN(len(from))] }

// uuid has the form of a random UUID.
func (s *story) uuid() string {
	a, b := s.r.Uint64(), s.r.Uint64()
	return fmt.Sprintf("%08x-%04x-4%03x-%04x-%012x",
		a>>32, a>>16&0xffff, a&0xfff, b>>48&0x3fff|0x8000, b&0xffffffffffff)
}

// number is an id as iotum has it.
func (s *story) number() int { return 10_000 + s.r.IntN(9_000_000) }

// ago is a time that many minutes before now.
func (s *story) ago(minutes int) string {
	return stamp(s.now.Add(-time.Duration(minutes) * time.Minute))
}

// changed adds who did it.
func (s *story) changed(data object) object {
	data["actor"] = object{"id": s.uuid(), "type": "USER"}
	data["sourceOfChange"] = "user"
	return data
}

// --- events and sessions, as Zuddl and Sessionboard have them ---

func (s *story) event() object {
	return object{
		"id":             s.uuid(),
		"number":         4001,
		"organizationId": s.uuid(),
		"name":           "Spring Summit",
		"description":    "Two days on software for live events.",
		"identifier":     "spring-summit",
		"startDate":      s.ago(120),
		"endDate":        s.ago(-60),
		"timezone":       "Europe/Berlin",
		"status":         "ONGOING",
		"type":           "EVENT",
		"eventFormat":    "HYBRID",
		"createdAt":      s.ago(90_000),
		"createdBy":      s.uuid(),
		"updatedAt":      s.ago(300),
		"updatedBy":      s.uuid(),
	}
}

func (s *story) session() object {
	return object{
		"id":            s.uuid(),
		"friendlyId":    fmt.Sprintf("S-%d", 1+s.r.IntN(90)),
		"title":         s.pick(titles),
		"description":   "What worked, what did not, and what we do now.",
		"startDateTime": s.ago(45),
		"endDateTime":   s.ago(0),
		"location": object{
			"locationId": s.uuid(), "locationName": s.pick(rooms), "type": "STAGE", "link": "https://events.example.com/stage",
		},
		"speakers":     []object{{"speakerId": s.uuid(), "url": "https://events.example.com/speakers/1"}},
		"sponsors":     []object{{"sponsorId": s.uuid(), "url": "https://events.example.com/sponsors/1"}},
		"tags":         []string{"live", "video"},
		"status":       "accepted",
		"isPublic":     true,
		"isAbstract":   false,
		"capacity":     250,
		"ceuCredits":   1,
		"language":     object{"id": s.uuid(), "name": "English"},
		"track":        object{"id": s.uuid(), "name": s.pick(tracks)},
		"level":        nil,
		"format":       object{"id": s.uuid(), "name": "Talk"},
		"room":         object{"id": s.uuid(), "name": s.pick(rooms)},
		"customFields": []object{},
		"createdAt":    s.ago(40_000),
		"updatedAt":    s.ago(5),
	}
}

func (s *story) registration() object {
	return object{"id": s.uuid(), "profile": object{
		"firstName":   s.first,
		"lastName":    s.last,
		"email":       s.email(),
		"company":     s.pick(companies),
		"designation": "Senior Software Engineer",
		"bio":         s.first + " builds software for live events.",
		"headline":    "Speaker & engineer",
		"industry":    "Information Technology",
		"country":     "Germany",
		"phoneNumber": "+12025550143",
	}}
}

// name is the person's whole name.
func (s *story) name() string { return s.first + " " + s.last }

func (s *story) email() string { return fmt.Sprintf("guest-%d@example.com", s.r.IntN(100_000)) }

func (s *story) attendance() object {
	return object{
		"event": s.event(), "session": s.session(), "registration": s.registration(),
		"actor": object{"id": s.uuid(), "type": "USER"},
	}
}

func (s *story) timeSpent() object {
	data := s.attendance()
	data["timeSpentInMinutes"] = 1 + s.r.IntN(45)
	return data
}

// timeAtEvent is the time in all of an event's sessions.
func (s *story) timeAtEvent() object {
	return object{"event": s.event(), "registration": s.registration(), "timeSpentInMinutes": 30 + s.r.IntN(300)}
}

func (s *story) registered() object {
	return s.changed(object{"event": s.event(), "registration": s.registration()})
}

func (s *story) contact() object {
	return object{
		"id":             s.uuid(),
		"friendlyId":     fmt.Sprintf("C-%d", 1+s.r.IntN(900)),
		"fullName":       s.name(),
		"firstName":      s.first,
		"lastName":       s.last,
		"email":          s.email(),
		"companyName":    s.pick(companies),
		"title":          "Head of Events",
		"about":          "Brings people together.",
		"phoneMobile":    "+12025550143",
		"addressCity":    "Berlin",
		"addressCountry": "Germany",
		"websiteUrl":     "https://people.example.com",
		"pronouns":       nil,
		"languages":      "English, German",
		"customFields":   []object{},
		"createdAt":      s.ago(20_000),
		"updatedAt":      s.ago(1),
	}
}

// company is an exhibitor or a sponsor.
func (s *story) company() object {
	return object{
		"id":           s.uuid(),
		"friendlyId":   fmt.Sprintf("X-%d", 1+s.r.IntN(90)),
		"name":         s.pick(companies),
		"description":  "Cameras, microphones and the people who know them.",
		"logoImageUrl": "https://cdn.example.com/logo.png",
		"phone":        "+12025550143",
		"addressCity":  "Berlin",
		"linkedinUrl":  nil,
		"websiteUrl":   "https://company.example.com",
		"contacts":     []object{},
		"customFields": []object{},
		"createdAt":    s.ago(20_000),
		"updatedAt":    s.ago(1),
	}
}

// programme tells of a change to a session of an event.
func (s *story) programme() object {
	return s.changed(object{"session": s.session(), "event": s.event()})
}

func (s *story) speaker() object { return with(s.programme(), object{"speaker": s.contact()}) }

// resource tells of a change to a thing by giving the whole of it.
func resource(name string, thing func(*story) object) func(*story) object {
	return func(s *story) object { return s.changed(object{name: thing(s)}) }
}

// deleted gives the thing as it was last.
func deleted(name string, change func(*story) object) func(*story) object {
	return func(s *story) object {
		data := change(s)
		if last, ok := data[name].(object); ok {
			last["deletedAt"] = s.ago(0)
		}
		return data
	}
}

// association ties a thing to an event, or unties it.
func association(name string, thing func(*story) object) func(*story) object {
	return func(s *story) object { return s.changed(object{name: thing(s), "event": s.event()}) }
}

// --- conversations, as Oration has them ---

func (s *story) conversation() object {
	customer := fmt.Sprintf("cust_%016x", s.r.Uint64())
	workspace := fmt.Sprintf("ws_%016x", s.r.Uint64())
	return object{
		"id":            fmt.Sprintf("conv_%016x", s.r.Uint64()),
		"phoneId":       fmt.Sprintf("phone_%016x", s.r.Uint64()),
		"agentId":       fmt.Sprintf("agent_%016x", s.r.Uint64()),
		"workspaceId":   workspace,
		"wsUrl":         "wss://api.example.com/ws/1",
		"llmUrl":        "https://api.example.com/llm/1",
		"callStartTime": s.ago(1),
		"callEndTime":   nil,
		"userJoinTime":  s.ago(0),
		"userLeaveTime": nil,
		"customerId":    customer,
		"customer": object{
			"id": customer, "name": s.name(), "email": s.email(),
			"phoneNumber": "+12025550143", "identifier": "crm-77", "priority": 1, "sourceFile": nil,
			"isDoNotDisturbEnabled": false, "metadata": object{"plan": "pro"}, "workspaceId": workspace,
			"createdAt": s.ago(9_000), "updatedAt": s.ago(9_000),
		},
		"toPhoneNumber":      "+12025550143",
		"fromPhoneNumber":    "+12025550199",
		"conversationStatus": "active",
		"conversationType":   "telephony",
		"telephonyType":      "inbound",
		"telephonyStatus":    "active",
		"recordingStatus":    "in_progress",
		"endReason":          nil,
		"postCallNotes":      nil,
		"postCallCategory1":  nil,
		"postCallCategory2":  nil,
		"postCallCategory3":  nil,
		"postCallMetadata":   nil,
		"dynamicVariables":   `{"source": "website"}`,
		"summary":            "",
		"campaignId":         nil,
		"campaignRunId":      nil,
		"createdAt":          s.ago(1),
		"updatedAt":          s.ago(0),
	}
}

// talk is a conversation that goes on.
func (s *story) talk() object { return object{"conversation": s.conversation()} }

// hungUp is one that the customer has left.
func (s *story) hungUp() object {
	return object{"conversation": with(s.conversation(), object{
		"callStartTime": s.ago(4), "userJoinTime": s.ago(4), "userLeaveTime": s.ago(0),
	})}
}

// completed is one that is over.
func (s *story) completed() object { return object{"conversation": s.over()} }

func (s *story) over() object {
	return with(s.conversation(), object{
		"callStartTime": s.ago(4), "userJoinTime": s.ago(4), "userLeaveTime": s.ago(1), "callEndTime": s.ago(0),
		"conversationStatus": "completed", "telephonyStatus": "completed", "recordingStatus": "completed",
		"endReason": "user_hangup",
	})
}

// analysed is one that is over and understood.
func (s *story) analysed() object {
	return object{"conversation": with(s.over(), object{
		"summary":           s.first + " asked where the keynote is, and found it.",
		"postCallNotes":     "Nothing to do.",
		"postCallCategory1": "Venue",
		"postCallMetadata":  object{"sentiment": "positive"},
		"transcript": []object{
			{"role": "agent", "text": "Spring Summit, how can I help?"},
			{"role": "user", "text": "Where is the keynote?"},
		},
	})}
}

// --- conferences, as iotum has them ---

func (s *story) host() object { return object{"hostId": s.number(), "companyId": s.number()} }

// conference has a name and a beginning too: iotum's webhooks do not, but other vendors' do, for which it is translated.
func (s *story) conference() object {
	return with(s.host(), object{
		"conferenceId": s.number(), "conferenceName": s.pick(titles), "conferenceStartedAt": s.ago(30),
	})
}

func (s *story) recording() object {
	return with(s.conference(), object{
		"recordingId": s.number(), "downloadLink": "https://recordings.example.com/1258835.mp4",
	})
}

func (s *story) preview() object {
	return with(s.conference(), object{
		"videoUrl": "https://previews.example.com/1.mp4", "imageUrl": "https://previews.example.com/1.jpg",
	})
}

// viewer is a conference with one who takes part. The name is for translations, like the conference's.
func (s *story) viewer() object {
	return with(s.conference(), object{
		"participantId": s.number(), "participantName": s.name(), "participantEmail": s.email(),
	})
}

func (s *story) participant() object {
	return with(s.viewer(), object{"participantRole": s.pick(roles)})
}

func (s *story) entered() object {
	return with(s.participant(), object{"meetingUrl": "https://meet.example.com/summit"})
}

func (s *story) left() object {
	return with(s.participant(), object{"reasonForLeaving": s.pick(reasons)})
}

// roleChanged has no company: iotum's has none.
func (s *story) roleChanged() object {
	data := s.participant()
	delete(data, "companyId")
	return data
}

func (s *story) timeInConference() object {
	return with(s.viewer(), object{"timeSpentInMinutes": 1 + s.r.IntN(30), "conferenceEndedAt": s.ago(0)})
}

func (s *story) viewerLeft() object {
	return with(s.viewer(), object{"reasonForLeaving": s.pick(reasons)})
}

func (s *story) dialout() object {
	return with(s.viewer(), object{"status": s.pick(dialouts), "phoneNumber": "+12025550143"})
}

func (s *story) accessCode() object {
	return with(s.conference(), object{"originalConferenceId": s.number()})
}

func (s *story) file() object {
	return with(s.host(), object{"id": s.number(), "filename": s.pick(files), "size": 1 + s.r.IntN(5_000_000)})
}

// vcon is a conversation that was imported. The catalogue has no words of its own for it, so the fields are the vendor's.
func (s *story) vcon() object {
	return with(s.vconHost(), object{"conference_id": s.number()})
}

func (s *story) vconFailure() object {
	return with(s.vconHost(), object{"error": "the dialog has no media"})
}

func (s *story) vconHost() object {
	return object{"uuid": s.uuid(), "company_id": s.number(), "host_id": s.number()}
}

// with adds fields to an object.
func with(data, more object) object {
	maps.Copy(data, more)
	return data
}
