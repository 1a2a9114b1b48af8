package restapi

import (
	"encoding/json"
	"reflect"
	"time"

	"github.com/danielgtaylor/huma/v2"
)

// jsonType is the header value of every answer with a body.
var jsonType = []string{"application/json"}

// The shapes of answers.
type (
	// answer is a JSON body under the operation's default status.
	answer[T any] struct{ Body T }
	// answerStatus is a JSON body under a status that depends on what was done.
	answerStatus[T any] struct {
		Status int
		Body   T
	}
	// nothing is 204.
	nothing struct{}
)

// What paths name. huma finds parameters in embedded structs of exported types
// only.
type (
	// AppPath names an app.
	AppPath struct {
		AppID string `path:"app_id" doc:"The app's id or uid." example:"acme"`
	}
	// EndpointPath names an endpoint of an app.
	EndpointPath struct {
		AppPath
		EndpointID string `path:"endpoint_id" doc:"The endpoint's id or uid."`
	}
	// MessagePath names a message of an app.
	MessagePath struct {
		AppPath
		MessageID string `path:"msg_id" doc:"The message's id or its eventId."`
	}
	// AttemptPath names an attempt to deliver a message.
	AttemptPath struct {
		MessagePath
		AttemptID string `path:"attempt_id" doc:"The attempt's id."`
	}
)

// optional is a field of a PATCH or PUT: absent, null, or a value. It is known
// whether it was sent, because null clears and absence keeps.
type optional[T any] struct {
	Sent  bool
	Value *T // nil = null
}

// UnmarshalJSON is called only for fields that were sent.
func (o *optional[T]) UnmarshalJSON(text []byte) error {
	o.Sent = true
	return json.Unmarshal(text, &o.Value)
}

// MarshalJSON is for the document's examples; answers hold no optional.
func (o optional[T]) MarshalJSON() ([]byte, error) { return json.Marshal(o.Value) }

// Schema is that of the value, or null.
func (o optional[T]) Schema(r huma.Registry) *huma.Schema {
	s := *r.Schema(reflect.TypeFor[T](), false, "")
	s.Nullable = s.Type != "" // without a type anything goes, null too
	return &s
}

// set changes a field that was sent; null makes it zero.
func set[T any](o optional[T], field *T) {
	if !o.Sent {
		return
	}
	var zero T
	*field = zero
	if o.Value != nil {
		*field = *o.Value
	}
}

// either is the one of two spellings that was sent; the first wins.
func either[T any](a, b optional[T]) optional[T] {
	if a.Sent && (a.Value != nil || !b.Sent) {
		return a
	}
	return b
}

// query is a query parameter of which it matters whether it was given.
type query[T any] struct {
	Value T
	Given bool
}

// Schema is that of the value.
func (q query[T]) Schema(r huma.Registry) *huma.Schema {
	return r.Schema(reflect.TypeFor[T](), true, "")
}

// Receiver is where huma puts the value.
func (q *query[T]) Receiver() reflect.Value { return reflect.ValueOf(q).Elem().Field(0) }

// OnParamSet is told by huma whether the parameter was given.
func (q *query[T]) OnParamSet(given bool, _ any) { q.Given = given }

// pointer is v, or null for the zero value.
func pointer[T comparable](v T) *T {
	var zero T
	if v == zero {
		return nil
	}
	return &v
}

// timePointer is t, or null for the zero time.
func timePointer(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}

// notNil is m, or an empty map: clients want an object.
func notNil(m map[string]string) map[string]string {
	if m == nil {
		return map[string]string{}
	}
	return m
}
