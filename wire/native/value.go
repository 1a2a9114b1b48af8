package native

import (
	"encoding/json"
	"errors"
	"math"
	"strconv"

	"github.com/callboard/callboard/wire/iotum"
	"github.com/callboard/callboard/wire/sessionboard"
	"github.com/callboard/callboard/wire/zuddl"
)

// Int is a whole number. Senders whose language has but one kind of number write 42.0 for
// 42, which JSON takes for the same: both are read, and 42 is written.
type Int int64

// errInt is what is wrong with a number that is something else.
var errInt = errors.New("is not a whole number")

// maxExact is the largest integer below which every one has a float64: 2^53.
const maxExact = 1 << 53

// UnmarshalJSON reads a whole number in any of its spellings.
func (i *Int) UnmarshalJSON(data []byte) error {
	n, err := strconv.ParseInt(string(data), 10, 64)
	if err == nil {
		*i = Int(n)
		return nil
	}
	var f float64
	if json.Unmarshal(data, &f) != nil || f != math.Trunc(f) || math.Abs(f) > maxExact {
		return errInt
	}
	*i = Int(f)
	return nil
}

// ActorType is what kind of actor it is. Other values may come.
type ActorType = zuddl.ActorType

// The types of actors.
const (
	ActorUser             = zuddl.ActorUser
	ActorAgent  ActorType = "AGENT"
	ActorSystem ActorType = "SYSTEM"
)

// SourceOfChange is what made a change. Other values may come.
type SourceOfChange = sessionboard.SourceOfChange

// The sources of changes.
const (
	SourceUser  = sessionboard.SourceUser
	SourceAgent = sessionboard.SourceAgent
)

// EventStatus is how far an event is. Other values may come.
type EventStatus = zuddl.EventStatus

// The states of an event.
const (
	EventStatusUpcoming  = zuddl.StatusUpcoming
	EventStatusOngoing   = zuddl.StatusOngoing
	EventStatusCompleted = zuddl.StatusCompleted
	EventStatusCancelled = zuddl.StatusCancelled
)

// EventKind is what kind of event it is. Other values may come.
type EventKind = zuddl.EventType

// The kinds of events.
const (
	EventKindWebinar    = zuddl.TypeWebinar
	EventKindFieldEvent = zuddl.TypeFieldEvent
	EventKindEvent      = zuddl.TypeEvent
)

// EventFormat is where those are who take part. Other values may come.
type EventFormat = zuddl.EventFormat

// The formats of events.
const (
	EventFormatVirtual  = zuddl.FormatVirtual
	EventFormatInPerson = zuddl.FormatInPerson
	EventFormatHybrid   = zuddl.FormatHybrid
)

// LocationType is what kind of location it is. Other values may come.
type LocationType = zuddl.LocationType

// LocationStage is the only type of location that the vendor documents.
const LocationStage = zuddl.LocationStage

// SessionStatus is what has been decided about a session. Other values may come.
type SessionStatus = sessionboard.SessionStatus

// The states of a session.
const (
	SessionStatusAccepted     = sessionboard.StatusAccepted
	SessionStatusAcceptQueue  = sessionboard.StatusAcceptQueue
	SessionStatusPending      = sessionboard.StatusPending
	SessionStatusDeclineQueue = sessionboard.StatusDeclineQueue
	SessionStatusDeclined     = sessionboard.StatusDeclined
)

// ParticipantRole is what a participant of a conference may do. Others may come.
type ParticipantRole = iotum.ParticipantRole

// The roles in a conference.
const (
	RoleOrganizer   = iotum.RoleOrganizer   // whose conference it is
	RoleModerator   = iotum.RoleModerator   // may direct it, too
	RoleParticipant = iotum.RoleParticipant // everybody else
)

// ReasonForLeaving is the way in which somebody left a conference or a livestream.
// Others may come.
type ReasonForLeaving = iotum.ReasonForLeaving

// The reasons for leaving.
const (
	ReasonUserExit          = iotum.ReasonUserExit          // left on purpose
	ReasonUserDropped       = iotum.ReasonUserDropped       // the connection broke
	ReasonHostKicked        = iotum.ReasonHostKicked        // was removed by the host
	ReasonHostKickedBlocked = iotum.ReasonHostKickedBlocked // was removed and may not come back
)

// DialoutStatus is how far a call to a participant is. Who takes the call and joins
// causes a ConferenceParticipantEntered of its own. Others may come.
type DialoutStatus = iotum.DialoutStatus

// The states of a call; package iotum tells what each means and which follows which.
const (
	DialoutNew        = iotum.DialoutNew
	DialoutDialed     = iotum.DialoutDialed
	DialoutAnswered   = iotum.DialoutAnswered
	DialoutRejected   = iotum.DialoutRejected
	DialoutNoAnswer   = iotum.DialoutNoAnswer
	DialoutCancelled  = iotum.DialoutCancelled
	DialoutNotEnabled = iotum.DialoutNotEnabled
)
