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
	r   *rand.Rand
	now time.Time
}

func newStory(n int, now time.Time) *story {
	return &story{r: rand.New(rand.NewPCG(1, uint64(n))), now: now}
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
		"language":     "en",
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
	first, last := s.pick(firstNames), s.pick(lastNames)
	return object{"id": s.uuid(), "profile": object{
		"firstName":   first,
		"lastName":    last,
		"email":       s.email(),
		"company":     s.pick(companies),
		"designation": "Senior Software Engineer",
		"bio":         first + " builds software for live events.",
		"headline":    "Speaker & engineer",
		"industry":    "Information Technology",
		"country":     "Germany",
		"phoneNumber": "+12025550143",
	}}
}

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

func (s *story) contact() object {
	first, last := s.pick(firstNames), s.pick(lastNames)
	return object{
		"id":             s.uuid(),
		"friendlyId":     fmt.Sprintf("C-%d", 1+s.r.IntN(900)),
		"fullName":       first + " " + last,
		"firstName":      first,
		"lastName":       last,
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

func (s *story) speaker() object {
	return s.changed(object{"session": s.session(), "speaker": s.contact()})
}

// resource tells of a change to a thing by giving the whole of it.
func resource(name string, thing func(*story) object) func(*story) object {
	return func(s *story) object { return s.changed(object{name: thing(s)}) }
}

// deleted gives the thing as it was last.
func deleted(name string, thing func(*story) object) func(*story) object {
	return func(s *story) object {
		last := thing(s)
		last["deletedAt"] = s.ago(0)
		return s.changed(object{name: last})
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
	return object{"conversation": object{
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
			"id": customer, "name": s.pick(firstNames) + " " + s.pick(lastNames), "email": s.email(),
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
	}}
}

// --- conferences, as iotum has them ---

func (s *story) host() object { return object{"hostId": s.number(), "companyId": s.number()} }

func (s *story) conference() object { return with(s.host(), object{"conferenceId": s.number()}) }

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

func (s *story) participant() object {
	return with(s.conference(), object{"participantId": s.number(), "participantRole": s.pick(roles)})
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

func (s *story) viewer() object { return with(s.conference(), object{"participantId": s.number()}) }

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

// with adds fields to an object.
func with(data, more object) object {
	maps.Copy(data, more)
	return data
}
