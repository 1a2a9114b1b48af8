package ingest

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"strconv"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/callboard/callboard/internal/dialect"
	"github.com/callboard/callboard/internal/dialect/shape"
	"github.com/callboard/callboard/internal/id"
	"github.com/callboard/callboard/internal/live"
	"github.com/callboard/callboard/internal/store"
)

// frame is a webhook that came in, read as far as Callboard has to know its data.
type frame struct {
	isNative bool // the payload is a native body of its type; else nothing below is set
	data     jsontext.Value
	told     told
}

// told is what data say of the event and of who did it.
type told struct {
	EventID        jsontext.Value `json:"eventId"`
	Event          jsontext.Value `json:"event"`
	Actor          jsontext.Value `json:"actor"`
	SourceOfChange jsontext.Value `json:"sourceOfChange"`
}

// lenient is how vendors' JSON is read: what a parser before has let through.
var lenient = json.JoinOptions(jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))

// frameOf reads a payload. One whose webhook did not say when it happened happened now: a
// native body has a time.
func frameOf(a *dialect.Activity, now time.Time) frame {
	var body struct {
		Type      jsontext.Value `json:"type"`
		Timestamp jsontext.Value `json:"timestamp"`
		Data      jsontext.Value `json:"data"`
	}
	if json.Unmarshal(a.Payload, &body, lenient) != nil || idIn(body.Type) != a.Type || !isObject(body.Data) {
		return frame{}
	}
	f := frame{isNative: true, data: body.Data}
	if json.Unmarshal(f.data, &f.told, lenient) != nil {
		return frame{} // it was read a moment ago
	}
	if body.Timestamp == nil {
		a.Payload = withTime(a.Payload, a.Type, now)
	}
	return f
}

// withTime puts a time into a native body: behind its type, where that is first.
func withTime(payload []byte, eventType string, at time.Time) []byte {
	timed := shape.Payload(eventType, at, nil)
	timed = timed[:len(timed)-len(`"data":}`)]
	head := append(shape.AppendQuote([]byte(`{"type":`), eventType), ',')
	if rest, ok := bytes.CutPrefix(payload, head); ok {
		return slices.Concat(timed, rest)
	}
	return within(payload, timed[len(head):])
}

// name writes the id of its event into a webhook that names that by its number alone.
func (f *frame) name(a *dialect.Activity, event string) {
	if event == "" {
		return
	}
	id := append(shape.AppendQuote([]byte(`"id":`), event), ',')
	f.data = within(f.data, id, "event")
	a.Payload = within(a.Payload, id, "data", "event")
}

// within puts members, each with its comma, first into an object that has some: the one at
// a path in a JSON object. Without such an object it changes nothing.
func within(object, members []byte, path ...string) []byte {
	dec := jsontext.NewDecoder(bytes.NewReader(object), lenient)
	open, err := dec.ReadToken()
	for err == nil && open.Kind() == '{' {
		if len(path) == 0 {
			at := dec.InputOffset()
			return slices.Concat(object[:at], members, object[at:])
		}
		if !seek(dec, path[0]) {
			break
		}
		path = path[1:]
		open, err = dec.ReadToken()
	}
	return object
}

// seek moves a decoder that is in an object to the value of a member.
func seek(dec *jsontext.Decoder, name string) bool {
	for dec.PeekKind() == '"' {
		token, err := dec.ReadToken()
		if err != nil {
			return false
		}
		if token.String() == name {
			return true
		}
		if dec.SkipValue() != nil {
			return false
		}
	}
	return false
}

// activity is what live state is told.
func (f *frame) activity(in *Inbound) live.Activity {
	return live.Activity{
		Type: in.Activity.Type, At: in.Activity.At, Data: f.data,
		Actor: f.told.actor(), SourceOfChange: idIn(f.told.SourceOfChange),
		Source: &live.Source{Joins: in.Observed.Joins, Leaves: in.Observed.Leaves},
	}
}

// actor is who did it, as far as a vendor's word for it is one of ours.
func (t *told) actor() live.Actor {
	var who struct {
		ID   jsontext.Value `json:"id"`
		Type jsontext.Value `json:"type"`
	}
	if !isObject(t.Actor) || json.Unmarshal(t.Actor, &who, lenient) != nil {
		return live.Actor{}
	}
	switch kind := idIn(who.Type); kind {
	case "", "USER", "AGENT", "SYSTEM":
		return live.Actor{ID: idIn(who.ID), Type: kind}
	}
	return live.Actor{}
}

// eventNumber is the number of an event that is named by nothing else, as Sessionboard
// does; 0 = there is none.
func (t *told) eventNumber() int64 {
	var event struct {
		ID     jsontext.Value `json:"id"`
		Number jsontext.Value `json:"number"`
	}
	if t.EventID != nil || !isObject(t.Event) || json.Unmarshal(t.Event, &event, lenient) != nil || event.ID != nil {
		return 0
	}
	number, err := strconv.ParseInt(string(event.Number), 10, 64)
	if err != nil {
		return 0
	}
	return max(number, 0)
}

// numberedEvent finds the event of a vendor's number: the app's event for which somebody
// chose it, else one that is called by it. A number that Callboard gave says nothing.
func (s *Service) numberedEvent(ctx context.Context, org string, app id.ID, number int64) (string, error) {
	if number == 0 {
		return "", nil
	}
	text := strconv.FormatInt(number, 10)
	row, err := s.cfg.Store.Object(ctx, live.Key{Kind: live.EventNumber, Parent: org, ID: text})
	switch {
	case errors.Is(err, store.ErrNotFound):
		return text, nil
	case err != nil:
		return "", err
	}
	if event, ok := live.NumberedEvent(row); ok && event.App == app && live.ChosenNumber(row) {
		return event.ID, nil
	}
	return text, nil
}
