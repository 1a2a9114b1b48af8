package sessionboard

import (
	"bytes"
	"errors"
	"strconv"
	"strings"

	"github.com/callboard/callboard/internal/dialect"
	"github.com/callboard/callboard/internal/dialect/shape"
	"github.com/callboard/callboard/internal/dialect/standard"
)

// Parse reads {data, metadata} of any action, in the form that the vendor documents and
// in the one that it had before: there, data was the ids of the object and of the actor,
// and the metadata had no version and no datetime.
//
// Such a webhook does not say when it happened. The updated_at of the object is not
// taken for it: where an object is deleted, or is brought together with another, that is
// the time of some earlier change.
func (d Dialect) Parse(r dialect.Request) (dialect.Activity, error) {
	body, err := shape.Parse(r.Body)
	if err != nil {
		return dialect.Activity{}, err
	}
	w := arrival{text: r.Body, body: body}
	if w.metadata, err = body.Object("metadata"); err != nil {
		return dialect.Activity{}, err
	}
	if w.data, err = body.Object("data"); err != nil {
		return dialect.Activity{}, err
	}
	action := w.metadata.Get("action").String()
	if !isAction(action) {
		return dialect.Activity{}, shape.Unreadable("metadata.action", errAction)
	}
	a := dialect.Activity{ID: standard.MessageID(r), Type: d.words.Type(action), At: w.metadata.Get("datetime").Time()}
	data, err := d.native(a.Type, &w)
	if err != nil {
		return dialect.Activity{}, shape.Unreadable("data", err)
	}
	a.Payload = shape.Payload(a.Type, a.At, data)
	return a, nil
}

// errAction is what is wrong with an action.
var errAction = errors.New("must be a name such as session.updated")

// isAction reports whether text is a name as the vendor gives them, words with dots
// between them, and one that can be part of an event type's name.
func isAction(text string) bool {
	const maxLen = 200
	if len(text) > maxLen || !strings.Contains(text, ".") {
		return false
	}
	for word := range strings.SplitSeq(text, ".") {
		strange := strings.ContainsFunc(word, func(r rune) bool {
			letter := r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z'
			return !letter && r != '_' && r != '-' && (r < '0' || r > '9')
		})
		if word == "" || strange {
			return false
		}
	}
	return true
}

// arrival is a webhook that came in.
type arrival struct {
	text                 []byte
	body, data, metadata shape.Object
}

// native writes the data of an event type: for one of the catalogue the object under
// its name, and beside it what the vendor says of it elsewhere; else all that came.
func (d Dialect) native(eventType string, w *arrival) ([]byte, error) {
	about, known := d.subject(eventType)
	if !known {
		return bytes.TrimSpace(w.text), nil
	}
	b, err := w.appendObject([]byte(`{"`+about.name+`":`), about)
	if err != nil {
		return b, err
	}
	b = w.appendEvent(b)
	if actor, _ := w.actor(); !actor.None() {
		b = append(b, `,"actor":{"id":`...)
		b = append(append(b, actor...), '}')
	}
	b = appendMember(b, "sourceOfChange", w.data.Get("sourceOfChange"))
	if v := w.data.Get(speaker.Key); about.name == "session" && v != nil {
		b = append(b, `,"speaker":`...)
		if b, err = person.Read(b, v); err != nil {
			return b, err
		}
	}
	b = appendMember(b, "resourceUrl", w.metadata.Get("resource_url"))
	return append(b, '}'), nil
}

// appendMember adds a member to an object that has some; none if it did not come.
func appendMember(b []byte, name string, v shape.Value) []byte {
	if v == nil {
		return b
	}
	b = append(b, ',')
	b = shape.AppendQuote(b, name)
	b = append(b, ':')
	return append(b, v...)
}

// appendObject writes the object in Callboard's words, and in it the organization that
// the metadata names.
func (w *arrival) appendObject(b []byte, about subject) ([]byte, error) {
	drop := []string{"sourceOfChange"}
	if about.name == "session" {
		drop = append(drop, speaker.Key)
	}
	if _, old := w.actor(); old {
		drop = append(drop, "actor_id")
	}
	org := w.metadata.Get("org_id")
	if !org.None() {
		drop = append(drop, "organizationId")
	}
	b, err := about.data.Read(b, w.body.Get("data"), drop...)
	if err != nil || org.None() {
		return b, err
	}
	b = b[:len(b)-1] // the brace
	if b[len(b)-1] == '{' {
		b = append(b, `"organizationId":`...)
		b = append(b, org...)
	} else {
		b = appendMember(b, "organizationId", org)
	}
	return append(b, '}'), nil
}

// appendEvent writes the event that the metadata names: its number, as Callboard calls
// it. What is no number can only be an id of the other sort.
func (w *arrival) appendEvent(b []byte) []byte {
	v := w.metadata.Get("event_id")
	if v.None() {
		return b
	}
	if n, err := strconv.ParseInt(v.ID(), 10, 64); err == nil {
		b = append(b, `,"event":{"number":`...)
		return append(strconv.AppendInt(b, n, 10), '}')
	}
	b = append(b, `,"event":{"id":`...)
	return append(append(b, v...), '}')
}

// actor is the id of who did it. Before the metadata had it, it stood in the data.
func (w *arrival) actor() (id shape.Value, old bool) {
	inMetadata, inData := w.metadata.Get("actor_id"), w.data.Get("actor_id")
	old = inMetadata == nil && inData != nil
	if old {
		return inData, true
	}
	return inMetadata, false
}
