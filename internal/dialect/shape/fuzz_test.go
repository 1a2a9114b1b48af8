package shape_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/callboard/callboard/internal/dialect"
	"github.com/callboard/callboard/internal/dialect/shape"
)

// all is a form with a field of every kind, that passes what it does not know.
func all() *shape.Form {
	return shape.NewNesting("all", shape.Null, func(self *shape.Form) []shape.Field {
		return []shape.Field{
			{Key: "word", Make: shape.Word()},
			{Key: "tenant", Make: shape.NumberTenant()},
			{Key: "at", Make: shape.AtMillis()},
			{Key: "text", As: shape.Text(), Else: shape.Fixed("none")},
			{Key: "id", From: "id|pair.left|pairs.left", As: shape.ID()},
			{Key: "number", As: shape.NumberID()},
			{Key: "whole", As: shape.Whole()},
			{Key: "bool", As: shape.Bool(), Optional: true},
			{Key: "any", As: shape.Any()},
			{Key: "seconds", From: "time", As: shape.Seconds()},
			{Key: "millis", From: "time", As: shape.Millis()},
			{Key: "json", As: shape.JSONText()},
			{Key: "pair", As: shape.Nested(pair())},
			{Key: "first", As: shape.First(pair())},
			{Key: "pairs", As: shape.List(shape.Nested(pair()))},
			{Key: "texts", As: shape.List(shape.Text())},
			{Key: "gather", As: shape.Gather(pair())},
			{Key: "string", As: shape.InString(pair())},
			{Key: "upper", From: "text", As: shape.Derived("upper", strings.ToUpper)},
			{Key: "joined", From: "pair", As: shape.Joined("left", "other")},
			{Key: "self", As: shape.Nested(self)},
			{Key: "selves", As: shape.List(shape.Nested(self))},
		}
	}).Passing("hidden")
}

// seeds are data with all the forms that values may have.
var seeds = []string{
	`{}`,
	`{"text":"a\u003c\ud83d\ude00","id":7,"number":"8","whole":"09","bool":true,"any":[ 1 ],"time":1804136767891,"json":{"a":"\""}}`,
	`{"pair":{"left":1,"other":"x"},"first":[{"left":2}],"pairs":[{},{"left":"\n"}],"texts":["a",1],"left":3,"x":1,"hidden":2}`,
	`{"self":{"self":{"selves":[{},{"time":"2027-03-04T05:06:07+02:00"}]},"time":""},"text":null,"text":"b","\u0074ext":"c"}`,
	`{"time":"9999-12-31T23:59:59-01:00","whole":9223372036854775808,"pair":[],"pairs":{}}`,
}

// Whatever valid payload comes, a render does not panic, writes valid JSON, and the same
// again.
func FuzzRender(f *testing.F) {
	for _, s := range seeds {
		f.Add([]byte(`{"type":"x","timestamp":"2027-03-04T05:06:07Z","data":`+s+`}`), "7")
	}
	form := all()
	f.Fuzz(func(t *testing.T, payload []byte, tenant string) {
		m := dialect.Message{ID: "msg_1", Tenant: tenant, Payload: payload}
		once := func() ([]byte, error) {
			return shape.Render(m, "WORD", func(b []byte, s *shape.Source) ([]byte, error) { return form.Append(b, s.Data, s) })
		}
		before := bytes.Clone(payload)
		got, err := once()
		again, _ := once()
		switch {
		case !bytes.Equal(before, payload):
			t.Fatal("the payload was changed")
		case !jsontext.Value(payload).IsValid(jsontext.AllowDuplicateNames(true)):
			return // not for Render: what it writes of that is no matter
		case err != nil && !errors.Is(err, dialect.ErrUnrenderable):
			t.Fatalf("the error wraps nothing: %v", err)
		case err == nil && !jsontext.Value(got).IsValid(jsontext.AllowDuplicateNames(true)):
			t.Fatalf("%s is no JSON", got)
		case !bytes.Equal(got, again):
			t.Fatalf("twice it is not the same:\n%s\n%s", got, again)
		}
	})
}

// Whatever valid object comes in, it is read as one, with nothing lost: what was read is
// read again as the same.
func FuzzRead(f *testing.F) {
	for _, s := range seeds {
		f.Add([]byte(s))
	}
	form := all()
	f.Fuzz(func(t *testing.T, body []byte) {
		o, err := shape.Parse(body)
		if err != nil {
			if !errors.Is(err, dialect.ErrUnreadable) {
				t.Fatalf("the error wraps nothing: %v", err)
			}
			return
		}
		data, err := form.Read(nil, body, "word")
		if err != nil {
			t.Fatal(err)
		}
		back, err := shape.Parse(data)
		if err != nil {
			t.Fatalf("%s: %v", data, err)
		}
		kept := o.Get("id")
		if !bytes.Equal(kept, back.Get("id")) || back.Get("word") != nil {
			t.Fatalf("%s became %s", body, data)
		}
		if again, err := form.Read(nil, data, "word"); err != nil || !bytes.Equal(data, again) {
			t.Fatalf("%v\n%s\n%s", err, data, again)
		}
	})
}
