// Package zuddl has the payloads of Zuddl's webhooks as Go types.
//
// A webhook is one flat JSON object: what happened ([Action]), who did it and when,
// and the registration, event and session that it is about. [Decode] reads it, and
// [Encode] writes it:
//
//	w, err := zuddl.Decode(body)
//	switch w.Action {
//	case zuddl.JoinedSession:
//		…
//	}
//
// The source of each type is the example on the vendor pages "joined session" and
// "time spent in session". Reading is lenient where the vendor's pages disagree: each
// object and field but the action may be missing, ids may be strings or numbers, a
// location may be an object or an array. null and an empty text mean the same as
// missing. What this package does not know is kept in Unknown, at the object where it
// was found, and is written again. A webhook is written with its keys in the order of
// the examples, without what is missing, times in UTC and to the second.
//
// Zuddl has no action for leaving a session: how long somebody was there is known
// only from [TimeSpentInSession], an hour after the event's end.
//
// The values here hold no locks: share them between goroutines only for reading.
// Whether a body really comes from Zuddl is not decided here.
package zuddl

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/callboard/callboard/wire"
)

// Webhook is the body of one webhook. All but Action may be missing: nil, or the zero
// value.
type Webhook struct {
	Action Action `json:"action"`
	// ActionID names this one happening, and is the same whenever Zuddl sends it
	// again: go by it to see each only once. A UUID in the examples.
	ActionID        wire.ID       `json:"actionId,omitzero"`
	Actor           *Actor        `json:"actor,omitzero"`
	ActionCreatedAt wire.Seconds  `json:"actionCreatedAt,omitzero"`
	Registration    *Registration `json:"registration,omitzero"`
	Event           *Event        `json:"event,omitzero"`
	Session         *Session      `json:"session,omitzero"`
	// TimeSpentInMinutes comes with the TIME_SPENT actions: whole minutes, nil if it
	// is missing, which is not the same as zero.
	TimeSpentInMinutes *int32      `json:"timeSpentInMinutes,omitzero"`
	Unknown            wire.Fields `json:"-"`
}

// Actor is who did it.
type Actor struct {
	// ID is any text: that of the vendor's example looks like a UUID but begins with
	// an h.
	ID      wire.ID     `json:"id,omitzero"`
	Type    ActorType   `json:"type,omitzero"`
	Unknown wire.Fields `json:"-"`
}

// ActorType is what kind of actor it is. Other values may come.
type ActorType string

// ActorUser is the only type that the vendor's examples show.
const ActorUser ActorType = "USER"

// Registration is one person's registration for the event.
type Registration struct {
	ID      wire.ID     `json:"id,omitzero"`
	Profile *Profile    `json:"profile,omitzero"`
	Unknown wire.Fields `json:"-"`
}

// Profile is what a person filled in. Often it has no more than the first three.
type Profile struct {
	FirstName   string      `json:"firstName,omitzero"`
	LastName    string      `json:"lastName,omitzero"`
	Email       string      `json:"email,omitzero"`
	Company     string      `json:"company,omitzero"`
	Designation string      `json:"designation,omitzero"` // the job's title
	Bio         string      `json:"bio,omitzero"`
	Headline    string      `json:"headline,omitzero"`
	Industry    string      `json:"industry,omitzero"`
	Country     string      `json:"country,omitzero"`
	PhoneNumber string      `json:"phoneNumber,omitzero"` // such as +1-2125551234
	Unknown     wire.Fields `json:"-"`
}

// Event is the event that the webhook belongs to. The TIME_SPENT actions have only its
// first three fields, JOINED_SESSION has all.
type Event struct {
	ID             wire.ID      `json:"id,omitzero"`
	OrganizationID wire.ID      `json:"organizationId,omitzero"`
	Name           string       `json:"name,omitzero"`
	Description    string       `json:"description,omitzero"`
	Identifier     wire.ID      `json:"identifier,omitzero"` // such as event-123
	StartDate      wire.Seconds `json:"startDate,omitzero"`
	EndDate        wire.Seconds `json:"endDate,omitzero"`
	Timezone       string       `json:"timezone,omitzero"` // any text: the example says UTC/IST
	Status         EventStatus  `json:"status,omitzero"`
	Type           EventType    `json:"type,omitzero"`
	Format         EventFormat  `json:"eventFormat,omitzero"`
	CreatedAt      wire.Seconds `json:"createdAt,omitzero"`
	CreatedBy      wire.ID      `json:"createdBy,omitzero"`
	UpdatedAt      wire.Seconds `json:"updatedAt,omitzero"`
	UpdatedBy      wire.ID      `json:"updatedBy,omitzero"`
	Unknown        wire.Fields  `json:"-"`
}

// EventStatus is how far an event is. Other values may come.
type EventStatus string

// The documented states of an event, and what Callboard says when it is over, of which
// the vendor's pages say nothing.
const (
	StatusUpcoming  EventStatus = "UPCOMING"
	StatusOngoing   EventStatus = "ONGOING"
	StatusCompleted EventStatus = "COMPLETED" // Callboard's choice
	StatusCancelled EventStatus = "CANCELLED" // Callboard's choice
)

// EventType is what kind of event it is. Other values may come.
type EventType string

// The documented types of events.
const (
	TypeWebinar    EventType = "WEBINAR"
	TypeFieldEvent EventType = "FIELD_EVENT"
	TypeEvent      EventType = "EVENT"
)

// EventFormat is where those are who take part. Other values may come.
type EventFormat string

// The documented formats of events.
const (
	FormatVirtual  EventFormat = "VIRTUAL"
	FormatInPerson EventFormat = "IN_PERSON"
	FormatHybrid   EventFormat = "HYBRID"
)

// Session is one item of the event's programme. Its three lists are always written, as
// [] if they are nil.
type Session struct {
	ID            wire.ID      `json:"id,omitzero"`
	Title         string       `json:"title,omitzero"`
	Description   string       `json:"description,omitzero"`
	StartDateTime wire.Seconds `json:"startDateTime,omitzero"`
	EndDateTime   wire.Seconds `json:"endDateTime,omitzero"`
	Location      Locations    `json:"location,omitzero"`
	Speakers      []Speaker    `json:"speakers"`
	Sponsors      []Sponsor    `json:"sponsors"`
	Tags          []string     `json:"tags"`
	Unknown       wire.Fields  `json:"-"`
}

// Locations is where a session takes place: one location, as a rule. The vendor's
// pages show it as an object here and as an array of such objects there. Both are
// read; one location is written as the object, any other number as an array.
type Locations []Location

// First is the first location, the zero Location if there is none.
func (l Locations) First() Location {
	if len(l) == 0 {
		return Location{}
	}
	return l[0]
}

// Location is a place, real or virtual, in which sessions take place.
type Location struct {
	ID      wire.ID      `json:"locationId,omitzero"`
	Name    string       `json:"locationName,omitzero"`
	Type    LocationType `json:"type,omitzero"`
	Link    string       `json:"link,omitzero"`
	Unknown wire.Fields  `json:"-"`
}

// LocationType is what kind of location it is. Other values may come.
type LocationType string

// LocationStage is the only type that the vendor's examples show.
const LocationStage LocationType = "STAGE"

// Speaker is somebody who speaks in a session.
type Speaker struct {
	ID      wire.ID     `json:"speakerId,omitzero"`
	URL     string      `json:"url,omitzero"`
	Unknown wire.Fields `json:"-"`
}

// Sponsor is a sponsor of a session.
type Sponsor struct {
	ID      wire.ID     `json:"sponsorId,omitzero"`
	URL     string      `json:"url,omitzero"`
	Unknown wire.Fields `json:"-"`
}

// errMissing is what is wrong with a member that has to be there.
var errMissing = errors.New("is missing")

// Decode reads the body of a webhook. It has to be a JSON object whose action is a text
// and not empty; which action is not looked at. An error names the member that is
// wrong, such as "event: startDate".
//
// The vendor's pages show the bodies of two actions, [JoinedSession] and
// [TimeSpentInSession]. The members of any other need not fit the types here: if one
// does not, all but those whose names begin with "action" are in Unknown.
func Decode(body []byte) (*Webhook, error) {
	var w Webhook
	if err := json.Unmarshal(body, &w); err != nil {
		if w, ok := decodeStrange(body); ok {
			return w, nil
		}
		return nil, fmt.Errorf("zuddl webhook: %w", err)
	}
	if w.Action == "" {
		return nil, fmt.Errorf("zuddl webhook: action: %w", errMissing)
	}
	return &w, nil
}

// decodeStrange reads what all actions have, of one whose form is not documented.
func decodeStrange(body []byte) (w *Webhook, ok bool) {
	var head struct {
		Action          Action       `json:"action"`
		ActionID        wire.ID      `json:"actionId"`
		ActionCreatedAt wire.Seconds `json:"actionCreatedAt"`
	}
	var rest wire.Fields
	if !json.Valid(body) || wire.Unmarshal(body, &head, &rest) != nil {
		return nil, false
	}
	switch head.Action {
	case "", JoinedSession, TimeSpentInSession:
		return nil, false
	}
	return &Webhook{Action: head.Action, ActionID: head.ActionID, ActionCreatedAt: head.ActionCreatedAt, Unknown: rest}, true
}

// Encode writes the body of a webhook, whose action may not be empty. Unlike
// [json.Marshal] it leaves <, > and & as they are.
func Encode(w *Webhook) ([]byte, error) {
	if w.Action == "" {
		return nil, fmt.Errorf("zuddl webhook: action: %w", errMissing)
	}
	body, err := w.MarshalJSON()
	if err != nil {
		return nil, fmt.Errorf("zuddl webhook: %w", err)
	}
	return body, nil
}

// UnmarshalJSON reads an object, or an array of objects.
func (l *Locations) UnmarshalJSON(data []byte) error {
	if bytes.HasPrefix(data, []byte("[")) {
		return json.Unmarshal(data, (*[]Location)(l))
	}
	*l = make(Locations, 1)
	return json.Unmarshal(data, &(*l)[0])
}

// MarshalJSON writes one location as an object, any other number as an array.
func (l Locations) MarshalJSON() ([]byte, error) {
	if len(l) == 1 {
		return l[0].MarshalJSON()
	}
	return wire.MarshalValue([]Location(l))
}
