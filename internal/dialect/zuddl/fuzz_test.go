package zuddl_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/callboard/callboard/internal/dialect"
	"github.com/callboard/callboard/internal/dialect/shape"
	"github.com/callboard/callboard/internal/dialect/zuddl"
	vendor "github.com/callboard/callboard/wire/zuddl"
)

// validJSON reports whether text is JSON by the rules for payloads: names may repeat.
func validJSON(text []byte) bool {
	return jsontext.Value(text).IsValid(jsontext.AllowDuplicateNames(true))
}

// wantBody wants of a render a body that the vendor's package knows for one, or an error
// that says that there can be none.
func wantBody(t *testing.T, d zuddl.Dialect, m dialect.Message) {
	t.Helper()
	body, err := d.Render(m)
	if err != nil {
		if !errors.Is(err, dialect.ErrUnrenderable) {
			t.Fatalf("the error wraps nothing: %v", err)
		}
		return
	}
	if !validJSON(body) {
		t.Fatalf("%s is no JSON", body)
	}
	o, err := shape.Parse(body)
	if err != nil || o.Get("action").String() == "" || len(o.Get("actionId").String()) != 36 || o.Get("actionCreatedAt").Time().IsZero() {
		t.Fatalf("%v: %s has no frame", err, body)
	}
}

// Whatever valid payload of whatever type: no panic, and JSON or ErrUnrenderable.
func FuzzRender(f *testing.F) {
	for eventType, data := range samples {
		f.Add(eventType, []byte(data))
	}
	d := zuddl.New()
	known := knownTypes(d)
	f.Fuzz(func(t *testing.T, eventType string, data []byte) {
		if !validJSON(data) {
			return
		}
		at := time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)
		payload := shape.Payload("x", at, data)
		for _, one := range append(known, eventType) {
			wantBody(t, d, dialect.Message{ID: "msg_1", Type: one, Time: at, Tenant: "t", Payload: payload})
		}
		wantBody(t, d, dialect.Message{Type: "session.joined", Time: at, Payload: data})
	})
}

// knownTypes are event types of every form of webhook and every translation.
func knownTypes(d zuddl.Dialect) (all []string) {
	for _, action := range []vendor.Action{
		vendor.JoinedSession, vendor.TimeSpentInSession, vendor.EventCreated, vendor.EventUpdated, vendor.TimeSpentInEvent,
		vendor.Registered, vendor.AnsweredPoll,
	} {
		all = append(all, d.Types(string(action))...)
	}
	return slices.Clip(all)
}

// Whatever body: no panic, and a native body that can be rendered, or ErrUnreadable.
func FuzzParse(f *testing.F) {
	f.Add(read(f, "joined_session.json"))
	f.Add(read(f, "time_spent_in_session.json"))
	f.Add([]byte(`{"action":"ANSWERED_POLL","action":"NO_SHOW","actionId":1,"actionCreatedAt":5,"actor":null` + strange + `}`))
	d := zuddl.New()
	f.Fuzz(func(t *testing.T, body []byte) {
		a, err := d.Parse(dialect.Request{Body: body})
		if err != nil {
			if !errors.Is(err, dialect.ErrUnreadable) {
				t.Fatalf("the error wraps nothing: %v", err)
			}
			return
		}
		o, err := shape.Parse(a.Payload)
		if err != nil || o.Get("type").String() != a.Type || a.ID == "" {
			t.Fatalf("%v: the payload of %s is %s", err, a.Type, a.Payload)
		}
		if !o.Get("timestamp").Time().Equal(a.At.Truncate(time.Millisecond)) {
			t.Fatalf("it happened at %v and says %s", a.At, o.Get("timestamp"))
		}
		if _, err := shape.Parse(o.Get("data")); err != nil {
			t.Fatalf("the data is no object: %v", err)
		}
		if _, fit := d.Word(a.Type); fit != dialect.Exact {
			t.Fatalf("%s cannot be said again", a.Type)
		}
		wantBody(t, d, dialect.Message{ID: "msg_1", Type: a.Type, Time: time.Unix(0, 0), Payload: a.Payload})
	})
}
