package zuddl

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"

	"github.com/callboard/callboard/internal/dialect/shape"
	"github.com/callboard/callboard/internal/id"
)

// happened is the webhook of all actions but those about time spent; what an action is
// not about is left out.
var happened = shape.New("webhook", shape.Omit, about(
	shape.Field{Key: "actor", As: shape.Nested(actor), Else: attendee(), Choice: "without an actor it is the registration; the vendor shows the type USER alone"},
	shape.Field{Key: "registration", As: shape.Nested(registration)},
	shape.Field{Key: "event", As: shape.Nested(event)},
	shape.Field{Key: "session", As: shape.Nested(session)},
)...)

// timeSpent is the webhook of the TIME_SPENT actions: the event is short, and the actor
// is always who spent the time.
var timeSpent = shape.New("webhook", shape.Omit, about(
	shape.Field{Key: "actor", Make: attendee(), Choice: "the registration, whoever set it off"},
	shape.Field{Key: "registration", As: shape.Nested(registration)},
	shape.Field{Key: "event", As: shape.Nested(shortEvent)},
	shape.Field{Key: "session", As: shape.Nested(session)},
	shape.Field{Key: "timeSpentInMinutes", As: shape.Whole()},
)...)

// other is the webhook of an action whose form nobody documents: the data's members as
// they are.
var other = shape.New("webhook", shape.Omit, about(shape.Field{Key: "actor", As: shape.Any()})...).Passing()

// about are the fields of a webhook: what all have, with the actor in its place, and what
// it is about.
func about(actor shape.Field, objects ...shape.Field) []shape.Field {
	return append([]shape.Field{
		{Key: "action", Make: shape.Word()},
		{Key: "actionId", Make: actionID(), Choice: "a UUID version 8 made of the message's id: the same over retries and resends"},
		actor,
		{Key: "actionCreatedAt", Make: shape.AtSeconds()},
	}, objects...)
}

var actor = shape.New("actor", shape.Omit,
	shape.Field{Key: "id", As: shape.ID()},
	shape.Field{Key: "type", As: shape.Text(), Else: shape.Fixed("USER")},
)

var registration = shape.New("registration", shape.Omit,
	shape.Field{Key: "id", As: shape.ID()},
	shape.Field{Key: "profile", As: shape.Nested(profile)},
)

var profile = shape.New("profile", shape.Omit,
	shape.Field{Key: "firstName", As: shape.Text()},
	shape.Field{Key: "lastName", As: shape.Text()},
	shape.Field{Key: "email", As: shape.Text()},
	shape.Field{Key: "company", As: shape.Text()},
	shape.Field{Key: "designation", As: shape.Text()},
	shape.Field{Key: "bio", As: shape.Text()},
	shape.Field{Key: "headline", As: shape.Text()},
	shape.Field{Key: "industry", As: shape.Text()},
	shape.Field{Key: "country", As: shape.Text()},
	shape.Field{Key: "phoneNumber", As: shape.Text()},
)

// shortEvent is the event of the TIME_SPENT actions.
var shortEvent = shape.New("event", shape.Omit, eventHead()...)

// eventHead are the fields that an event always has.
func eventHead() []shape.Field {
	return []shape.Field{
		{Key: "id", As: shape.ID()},
		{Key: "organizationId", As: shape.ID(), Else: organization()},
		{Key: "name", As: shape.Text()},
	}
}

var event = shape.New("event", shape.Omit, append(eventHead(),
	shape.Field{Key: "description", As: shape.Text()},
	shape.Field{Key: "identifier", As: shape.ID()},
	shape.Field{Key: "startDate", As: shape.Seconds()},
	shape.Field{Key: "endDate", As: shape.Seconds()},
	shape.Field{Key: "timezone", As: shape.Text()},
	shape.Field{Key: "status", As: shape.Text(), Choice: "after the end COMPLETED, or CANCELLED; UPCOMING and ONGOING are documented"},
	shape.Field{Key: "type", As: shape.Text()},
	shape.Field{Key: "eventFormat", As: shape.Text()},
	shape.Field{Key: "createdAt", As: shape.Seconds()},
	shape.Field{Key: "createdBy", As: shape.ID(), Else: changer("event.created"), Choice: changerChoice},
	shape.Field{Key: "updatedAt", As: shape.Seconds()},
	shape.Field{Key: "updatedBy", As: shape.ID(), Else: changer("event.created", "event.updated"), Choice: changerChoice},
)...)

const changerChoice = "where it is not given, the actor of the change that the webhook is about"

var session = shape.New("session", shape.Omit,
	shape.Field{Key: "id", As: shape.ID()},
	shape.Field{Key: "title", As: shape.Text()},
	shape.Field{Key: "description", As: shape.Text()},
	shape.Field{Key: "startDateTime", As: shape.Seconds()},
	shape.Field{Key: "endDateTime", As: shape.Seconds()},
	shape.Field{Key: "location", As: shape.First(location), Choice: "always the object; other pages of the vendor's show an array of it"},
	shape.Field{Key: "speakers", As: shape.List(shape.Nested(speaker))},
	shape.Field{Key: "sponsors", As: shape.List(shape.Nested(sponsor))},
	shape.Field{Key: "tags", As: shape.List(shape.Label()), Choice: "of a tag that is an object its name"},
)

var location = shape.New("location", shape.Omit,
	shape.Field{Key: "locationId", As: shape.ID()},
	shape.Field{Key: "locationName", As: shape.Text()},
	shape.Field{Key: "type", As: shape.Text()},
	shape.Field{Key: "link", As: shape.Text()},
)

var speaker = shape.New("speaker", shape.Omit,
	shape.Field{Key: "speakerId", From: "speakerId|id", As: shape.ID()},
	shape.Field{Key: "url", From: "url|websiteUrl", As: shape.Text()},
)

var sponsor = shape.New("sponsor", shape.Omit,
	shape.Field{Key: "sponsorId", From: "sponsorId|id", As: shape.ID()},
	shape.Field{Key: "url", From: "url|websiteUrl", As: shape.Text()},
)

// attendee makes the actor of who acts for himself.
func attendee() shape.Maker {
	return shape.Maker{Says: "{registration.id, USER}", Append: func(b []byte, s *shape.Source) []byte {
		who := idAt(s, "registration", "id")
		if who == "" {
			return b
		}
		b = append(b, `{"id":`...)
		b = shape.AppendQuote(b, who)
		return append(b, `,"type":"USER"}`...)
	}}
}

// organization makes the id of the event's organization where the event names none.
func organization() shape.Maker {
	tenant := shape.Tenant()
	return shape.Maker{Says: "session.organizationId, else " + tenant.Says, Append: func(b []byte, s *shape.Source) []byte {
		if given := idAt(s, "session", "organizationId"); given != "" {
			return shape.AppendQuote(b, given)
		}
		return tenant.Append(b, s)
	}}
}

// changer makes the id of who changed the event, where an event type is about that.
func changer(eventTypes ...string) shape.Maker {
	says := "the actor's id on " + strings.Join(eventTypes, ", ")
	return shape.Maker{Says: says, Append: func(b []byte, s *shape.Source) []byte {
		if !slices.Contains(eventTypes, s.Type) {
			return b
		}
		if who := idAt(s, "actor", "id"); who != "" {
			b = shape.AppendQuote(b, who)
		}
		return b
	}}
}

// idAt is the id of something in the data; "" = there is none.
func idAt(s *shape.Source, object, name string) string {
	v, err := s.Find(object, name)
	if err != nil {
		return ""
	}
	return v.ID()
}

// actionID makes a UUID of the message's id.
func actionID() shape.Maker {
	return shape.Maker{Says: "the message's id", Append: func(b []byte, s *shape.Source) []byte {
		raw, ok := id.Bytes(id.Message, s.ID)
		if !ok { // of no message of ours: a preview
			sum := sha256.Sum256([]byte(s.ID))
			copy(raw[:], sum[:])
		}
		return appendUUID(b, &raw)
	}}
}

// appendUUID writes a UUID version 8 (RFC 9562, section 5.8). It holds the first 122
// bits of the id and its MAC, so that ids that differ give UUIDs that differ, in the
// same order.
func appendUUID(b []byte, raw *[20]byte) []byte {
	var u [16]byte
	copy(u[:6], raw[:6])
	u[6] = 0x80 | raw[6]>>4
	u[7] = raw[6]<<4 | raw[7]>>4
	// 4 bits of the id are left and 58 of the MAC follow, shifted by two for the variant.
	rest := raw[7:16]
	u[8] = 0x80 | rest[0]<<2&0x3c | rest[1]>>6
	for i := 1; i < 8; i++ {
		u[8+i] = rest[i]<<2 | rest[i+1]>>6
	}
	var text [36]byte
	hex.Encode(text[:8], u[:4])
	hex.Encode(text[9:13], u[4:6])
	hex.Encode(text[14:18], u[6:8])
	hex.Encode(text[19:23], u[8:10])
	hex.Encode(text[24:], u[10:])
	for _, i := range [...]int{8, 13, 18, 23} {
		text[i] = '-'
	}
	b = append(b, '"')
	b = append(b, text[:]...)
	return append(b, '"')
}
