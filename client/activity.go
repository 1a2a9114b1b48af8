package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/callboard/callboard/wire"
	"github.com/callboard/callboard/wire/native"
)

// Types of activities that no message has: they change the state, and mostly send nothing.
const (
	EventDeleted        native.Type = "event.deleted"
	RegistrationUpdated native.Type = "registration.updated"
	RegistrationDeleted native.Type = "registration.deleted"
	// DriveFileUploadFinished and DriveFileProcessed send native.DriveFileAdded once both
	// are in.
	DriveFileUploadFinished native.Type = "drive.file.upload_finished"
	DriveFileProcessed      native.Type = "drive.file.processed"
	ConversationUpdated     native.Type = "conversation.updated"
)

// Activity is something that happened.
type Activity struct {
	// ID is your own name of it, up to 256 characters: one that was told within the last 7 days
	// is a [Duplicate]. "" = none.
	ID string
	// Type says what happened: one of package native's, or of those here.
	Type native.Type
	// At is when it happened; zero = when the server takes it. At most 5 minutes in the future.
	At time.Time
	// Actor is who did it; nil if that is not known.
	Actor *Actor
	// SourceOfChange is what made the change; "" = what the actor suggests.
	SourceOfChange native.SourceOfChange
	// Quiet changes the state and sends nothing.
	Quiet bool
	// Erase forgets the person, as [Erase] does. It goes with native.ContactDeleted and
	// [RegistrationDeleted] alone; others are refused with it.
	Erase bool
	// Data is what it is about: one of the types here, such as [Attendance], or anything that
	// is a JSON object.
	Data any
}

// Actor is who did something.
type Actor struct {
	ID   string           `json:"id,omitempty"`
	Type native.ActorType `json:"type,omitempty"` // "" = native.ActorUser
}

// MarshalJSON writes the activity as the API takes it.
func (a Activity) MarshalJSON() ([]byte, error) {
	var notify *bool
	if a.Quiet {
		notify = new(false)
	}
	return wire.MarshalValue(struct {
		ID             string                `json:"id,omitempty"`
		Type           native.Type           `json:"type"`
		At             time.Time             `json:"at,omitzero"`
		Actor          *Actor                `json:"actor,omitempty"`
		SourceOfChange native.SourceOfChange `json:"sourceOfChange,omitempty"`
		Notify         *bool                 `json:"notify,omitempty"`
		Erase          bool                  `json:"erase,omitempty"`
		Data           any                   `json:"data"`
	}{a.ID, a.Type, a.At.UTC(), a.Actor, a.SourceOfChange, notify, a.Erase, a.Data})
}

// Status is what became of an activity.
type Status string

// What may become of an activity.
const (
	Applied   Status = "applied"   // the state has it; so has one that repeats what is known
	Duplicate Status = "duplicate" // its ID was told before
	Refused   Status = "refused"   // it changed nothing
)

// Told is what became of an activity.
type Told struct {
	// ID is the name that you gave it.
	ID string
	// Status is what became of it. One whose answer was lost, and that was sent again, is a
	// Duplicate.
	Status Status
	// Late is true for one that came when the figures of its event were closed: it shows in the
	// attendance, and sends nothing.
	Late bool
	// Messages are the ids of the messages that it sends.
	Messages []string
	// Err says why it was refused; nil if it was not. Its fields' places begin at the activity,
	// such as data, sessionId. Where all of a request were refused the server gives no codes.
	// Status 400 and 413 are of what cannot be read, and is too large for a request.
	Err *Error
}

// Limits of a request that tells activities.
const (
	maxActivities = 1000
	maxBody       = 1 << 20 // bytes
)

// Tell tells what happened, and gives what became of it in the order of the activities. That
// some, or all, were refused is no error. As many requests are made as it takes, one after
// another: each has up to 1,000 activities or 1 MiB, and the server applies those of one in the order
// of their times, those without one last. An error gives what became of those before it; of the request that failed nobody knows.
// Activities that have an ID may be told again all the same.
func (a App) Tell(ctx context.Context, activities ...Activity) ([]Told, error) {
	texts := make([]json.RawMessage, len(activities))
	for i := range activities {
		var err error
		if texts[i], err = activities[i].MarshalJSON(); err != nil {
			return nil, fmt.Errorf("client: activity %d: %w", i, err)
		}
	}
	return a.TellJSON(ctx, texts...)
}

// TellJSON is [App.Tell] for activities in JSON, as the API takes them.
func (a App) TellJSON(ctx context.Context, activities ...json.RawMessage) ([]Told, error) {
	for i, text := range activities {
		if !json.Valid(text) {
			return nil, fmt.Errorf("client: activity %d: is not valid JSON", i)
		}
	}
	all := make([]Told, 0, len(activities))
	for len(activities) > 0 {
		n := fitting(activities)
		told, err := a.tell(ctx, activities[:n])
		all = append(all, told...)
		if err != nil {
			return all, err
		}
		activities = activities[n:]
	}
	return all, nil
}

// The body of a request that tells activities.
const (
	bodyHead = `{"activities":[`
	bodyTail = `]}`
)

// fitting is how many activities the next request has: at least one.
func fitting(activities []json.RawMessage) (n int) {
	size := len(bodyHead) + len(bodyTail)
	for n < len(activities) && n < maxActivities {
		size += len(activities[n]) + len(",")
		if n > 0 && size > maxBody {
			break
		}
		n++
	}
	return n
}

// bodyOf writes the body of a request.
func bodyOf(activities []json.RawMessage) json.RawMessage {
	body := []byte(bodyHead)
	for i, text := range activities {
		if i > 0 {
			body = append(body, ',')
		}
		body = append(body, text...)
	}
	return append(body, bodyTail...)
}

// tell makes one request. One that cannot be read, or is too large for something on the way,
// applied nothing: it is halved until it is clear which activities are at fault, since one must
// not keep out the others.
func (a App) tell(ctx context.Context, activities []json.RawMessage) ([]Told, error) {
	told, err := a.tellOnce(ctx, activities)
	e, answered := errors.AsType[*Error](err)
	switch {
	case !answered:
		return told, err
	case e.Status == http.StatusUnprocessableEntity:
		return allRefused(e, activities)
	case e.Status != http.StatusBadRequest && e.Status != http.StatusRequestEntityTooLarge:
		return nil, err
	case len(activities) == 1:
		return []Told{{ID: idOf(activities[0]), Status: Refused, Err: e}}, nil
	}
	half := len(activities) / 2
	told, err = a.tell(ctx, activities[:half])
	if err != nil {
		return told, err
	}
	more, err := a.tell(ctx, activities[half:])
	return append(told, more...), err
}

// answer is what the server says to activities.
type answer struct {
	Data []struct {
		ID       string   `json:"id"`
		Status   Status   `json:"status"`
		Late     bool     `json:"late"`
		Messages []string `json:"messages"`
		Error    *struct {
			Code   string  `json:"code"`
			Detail []Field `json:"detail"`
		} `json:"error"`
	} `json:"data"`
}

func (a App) tellOnce(ctx context.Context, activities []json.RawMessage) ([]Told, error) {
	place := a.at("activity")
	path, err := place.path()
	if err != nil {
		return nil, err
	}
	op, body := operation(http.MethodPost, path), bodyOf(activities)
	if len(body) > maxBody { // the server would hang up before it has read all
		return nil, &Error{Op: op, Status: http.StatusRequestEntityTooLarge, Code: "payload_too_large", Detail: "is larger than 1 MiB"}
	}
	var said answer
	if err := place.do(ctx, http.MethodPost, "", body, &said); err != nil {
		return nil, err
	}
	if len(said.Data) != len(activities) {
		return nil, fmt.Errorf("%s: the server answered to %d activities, and %d were told", op, len(said.Data), len(activities))
	}
	all := make([]Told, len(activities))
	for i, t := range said.Data {
		all[i] = Told{ID: t.ID, Status: t.Status, Late: t.Late, Messages: t.Messages}
		if t.Error != nil {
			all[i].Err = &Error{Op: op, Status: http.StatusUnprocessableEntity, Code: t.Error.Code, Fields: inActivity(t.Error.Detail)}
		}
	}
	return all, nil
}

// placeOf is the form of the place of an activity in a request.
var placeOf = [...]string{"body", "activities", "0"}

// inActivity makes places in a request places in the activity.
func inActivity(fields []Field) []Field {
	for i := range cleanFields(fields) {
		fields[i].Loc = fields[i].Loc[min(len(fields[i].Loc), len(placeOf)):]
	}
	return fields
}

// allRefused makes of the error of a request in which all activities were refused what became
// of each. Another error stays one.
func allRefused(e *Error, activities []json.RawMessage) ([]Told, error) {
	wrong := make([][]Field, len(activities))
	for _, f := range e.Fields {
		i, fits := f.activity(len(activities))
		if !fits {
			return nil, e
		}
		wrong[i] = append(wrong[i], f)
	}
	all := make([]Told, len(activities))
	for i, fields := range wrong {
		if len(fields) == 0 {
			return nil, e
		}
		all[i] = Told{ID: idOf(activities[i]), Status: Refused, Err: &Error{
			Op: e.Op, Status: e.Status, Code: e.Code, Fields: inActivity(fields), RequestID: e.RequestID,
		}}
	}
	return all, nil
}

// activity is the activity that a field lies in, of so many.
func (f *Field) activity(of int) (i int, fits bool) {
	if len(f.Loc) < len(placeOf) || f.Loc[0] != placeOf[0] || f.Loc[1] != placeOf[1] {
		return 0, false
	}
	i, err := strconv.Atoi(f.Loc[2])
	return i, err == nil && i >= 0 && i < of
}

// idOf is the id of an activity, which an answer without it leaves us to say. "" = it has
// none, or one that is no text and will be refused for that.
func idOf(activity json.RawMessage) string {
	var named struct {
		ID string `json:"id"`
	}
	if json.Unmarshal(activity, &named) != nil {
		return ""
	}
	return named.ID
}
