package shape_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/callboard/callboard/internal/dialect"
	"github.com/callboard/callboard/internal/dialect/shape"
)

// happenedAt is the timestamp of the payloads here.
const happenedAt = "2027-03-04T05:06:07.891Z"

// message is a message with this data.
func message(data string) dialect.Message {
	return dialect.Message{
		ID: "msg_1", Type: "session.joined", Tenant: "tenant", Time: time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC),
		Payload: []byte(`{"type":"session.joined","timestamp":"` + happenedAt + `","data":` + data + `}`),
	}
}

// render writes data by a form.
func render(f *shape.Form, data string) (string, error) {
	b, err := shape.Render(message(data), "WORD", func(b []byte, s *shape.Source) ([]byte, error) {
		return f.Append(b, s.Data, s)
	})
	return string(b), err
}

// mustRender is render where nothing may go wrong.
func mustRender(t *testing.T, f *shape.Form, data string) string {
	t.Helper()
	got, err := render(f, data)
	if err != nil {
		t.Fatalf("%s: %v", data, err)
	}
	if !json.Valid([]byte(got)) {
		t.Fatalf("%s is no JSON", got)
	}
	return got
}

// check compares texts.
func check(t *testing.T, want, got string) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

// pair is the form of the elements in these tests.
func pair() *shape.Form {
	return shape.New("pair", shape.Omit, shape.Field{Key: "left", As: shape.ID()}, shape.Field{Key: "right", From: "other", As: shape.Text()})
}

// Every kind, written. A value that cannot be written is "!" and the error's end.
func TestKindsWrite(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		kind shape.Kind
		in   map[string]string // Callboard's value and the vendor's
	}{
		{"text", shape.Text(), map[string]string{
			`"a"`: `"a"`, `""`: `""`, `"<&>"`: `"<&>"`, `"\u003c\u00e9\/\n\""`: `"<é/\n\""`, `"\ud83d\ude00"`: `"😀"`,
			`12`: `"12"`, `-1.5e300`: `"-1.5e300"`, `9007199254740993`: `"9007199254740993"`,
			`true`: `!must be a string`, `{}`: `!must be a string`, `["a"]`: `!must be a string`, `null`: ``,
		}},
		{"id", shape.ID(), map[string]string{
			`"a"`: `"a"`, `7`: `"7"`, `123456789012345678901`: `"123456789012345678901"`,
			`false`: `!must be a string or a number`, `[]`: `!must be a string or a number`,
		}},
		{"number id", shape.NumberID(), map[string]string{
			`7`: `7`, `"7"`: `7`, `0`: `0`, `"0"`: `0`, `"007"`: `"007"`, `"-7"`: `"-7"`, `"7a"`: `"7a"`, `""`: `""`,
			`"9007199254740992"`: `9007199254740992`, `"9007199254740993"`: `"9007199254740993"`,
			`9007199254740993`: `"9007199254740993"`, `1e3`: `"1e3"`, `1.0`: `"1.0"`,
			`"\u0037"`: `"7"`, `"+7"`: `"+7"`, `" 7"`: `" 7"`, `true`: `!must be a string or a number`,
		}},
		{"whole", shape.Whole(), map[string]string{
			`7`: `7`, `-7`: `-7`, `0`: `0`, `-0`: `0`, `"7"`: `7`, `"+7"`: `7`, `"007"`: `7`,
			`9223372036854775807`: `9223372036854775807`, `9223372036854775808`: `!must be a whole number`,
			`5e2`: `500`, `1.5`: `!must be a whole number`, `1e300`: `!must be a whole number`, `""`: `!must be a whole number`, `"1_000"`: `!must be a whole number`,
			`"0x10"`: `!must be a whole number`, `"0x1p4"`: `!must be a whole number`, `5.0`: `5`, `1e3`: `1000`, `"2.0"`: `2`,
			`1e16`: `10000000000000000`, `1e19`: `!must be a whole number`, `1e999`: `!must be a whole number`, `"NaN"`: `!must be a whole number`, `true`: `!must be a whole number`, `[7]`: `!must be a whole number`,
		}},
		{"label", shape.Label(), map[string]string{
			`"a"`: `"a"`, `7`: `"7"`, `{"id":1,"name":"b"}`: `"b"`, `{"id":1}`: `!must be a string, or an object with a name`,
			`[]`: `!must be a string`,
		}},
		{"bool", shape.Bool(), map[string]string{
			`true`: `true`, `false`: `false`, `"true"`: `!must be true or false`, `1`: `!must be true or false`, `null`: ``,
		}},
		{"any", shape.Any(), map[string]string{
			`1e400`: `1e400`, `"a b"`: `"a b"`, `[ 1, {"a" : null} ]`: `[1,{"a":null}]`, `{}`: `{}`, `null`: ``,
		}},
		{"seconds", shape.Seconds(), map[string]string{
			`"2027-03-04T05:06:07Z"`: `"2027-03-04T05:06:07Z"`, `"2027-03-04T05:06:07.999999999Z"`: `"2027-03-04T05:06:07Z"`,
			`"2027-03-04T05:06:07+02:00"`: `"2027-03-04T03:06:07Z"`, `"2027-03-04T05:06:07-0530"`: `"2027-03-04T10:36:07Z"`,
			`"2027-03-04T05:06:07"`: `"2027-03-04T05:06:07Z"`, `"2027-03-04"`: `"2027-03-04T00:00:00Z"`,
			`"2027-03-04T05\u003a06:07Z"`: `"2027-03-04T05:06:07Z"`,
			`1804136767891`:               `"2027-03-04T05:06:07Z"`, `0`: `"1970-01-01T00:00:00Z"`, `-1`: `"1969-12-31T23:59:59Z"`,
			`"9999-12-31T23:59:59Z"`: `"9999-12-31T23:59:59Z"`, `253402300799999`: `"9999-12-31T23:59:59Z"`,
			`253402300800000`: `!must be a time`, `9223372036854775807`: `!must be a time`, `-9223372036854775808`: `!must be a time`,
			`"9999-12-31T23:59:59-01:00"`: `!must be a time`, `"10000-01-01T00:00:00Z"`: `!must be a time`,
			`"0000-01-01T00:00:00+01:00"`: `!must be a time`, `"0000-01-01T00:00:00Z"`: `"0000-01-01T00:00:00Z"`,
			`"2027-02-30T00:00:00Z"`: `!must be a time`, `"2016-12-31T23:59:60Z"`: `!must be a time`, `"soon"`: `!must be a time`,
			`1.5`: `!must be a time`, `true`: `!must be a time`, `{}`: `!must be a time`, `""`: ``, `null`: ``,
		}},
		{"millis", shape.Millis(), map[string]string{
			`"2027-03-04T05:06:07Z"`: `"2027-03-04T05:06:07.000Z"`, `"2027-03-04T05:06:07.9999+02:00"`: `"2027-03-04T03:06:07.999Z"`,
			`1804136767891`: `"2027-03-04T05:06:07.891Z"`, `-1`: `"1969-12-31T23:59:59.999Z"`, `""`: ``,
		}},
		{"JSON in a string", shape.JSONText(), map[string]string{
			`"{\"a\":1}"`: `"{\"a\":1}"`, `{ "a" : "b\"c" }`: `"{\"a\":\"b\\\"c\"}"`, `[ ]`: `"[]"`, `5`: `"5"`, `null`: ``,
		}},
		{"object", shape.Nested(pair()), map[string]string{
			`{"left":1,"other":"x","more":2}`: `{"left":"1","right":"x"}`, `{}`: `{}`, `{"left":null}`: `{}`,
			`[]`: `!must be an object`, `"x"`: `!must be an object`, `null`: ``,
		}},
		{"first", shape.First(pair()), map[string]string{
			`{"left":1}`: `{"left":"1"}`, `[{"left":1},{"left":2}]`: `{"left":"1"}`, `[]`: ``, `[null]`: ``, `null`: ``,
			`["x"]`: `!must be an object`, `5`: `!must be an object`,
		}},
		{"list of texts", shape.List(shape.Text()), map[string]string{
			`["a", 1]`: `["a","1"]`, `[]`: `[]`, `null`: `[]`, `{}`: `!must be an array`, `"a"`: `!must be an array`,
			`["a",{}]`: `!value.1 must be a string`,
		}},
		{"list of objects", shape.List(shape.Nested(pair())), map[string]string{
			`[{"left":1},{"other":"x"},{}]`: `[{"left":"1"},{"right":"x"},{}]`, `[[]]`: `!value.0 must be an object`,
			`[{"left":1},{"other":[]}]`: `!value.1.right must be a string`,
		}},
		{"derived", shape.Derived("upper", strings.ToUpper), map[string]string{
			`"a\u0062\"<"`: `"AB\"<"`, `""`: ``, `true`: `!must be a string`,
		}},
		{"joined", shape.Joined("a", "b", "c"), map[string]string{
			`{"a":"x","c":"\u007a<"}`: `"x z<"`, `{"a":""}`: ``, `{"b":5}`: ``, `[]`: ``, `[{"b":"y"}]`: `"y"`, `"x"`: ``,
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			form := shape.New("object", shape.Omit, shape.Field{Key: "value", As: tt.kind})
			for in, want := range tt.in {
				got, err := render(form, `{"value":`+in+`}`)
				switch {
				case strings.HasPrefix(want, "!"):
					if err == nil {
						t.Errorf("%s is written as %s", in, got)
						continue
					}
					wantError(t, err, want[1:])
					if s := strings.Trim(in, `"[]{}`); len(s) > 3 && s != "true" && strings.Contains(err.Error(), s) {
						t.Errorf("%s: the error quotes the value: %v", in, err)
					}
					continue
				case want != "":
					want = `"value":` + want
				}
				if err != nil {
					t.Errorf("%s: %v", in, err)
				}
				check(t, "{"+want+"}", got)
			}
		})
	}
}

// wantError wants an error about the payload that says a text.
func wantError(t *testing.T, err error, text string) {
	t.Helper()
	if !errors.Is(err, dialect.ErrUnrenderable) {
		t.Errorf("the error %v wraps ErrUnrenderable = false", err)
		return
	}
	if !strings.Contains(err.Error(), text) {
		t.Errorf("the error %q does not say %q", err, text)
	}
}

// Every kind, read: what does not fit goes through as it came.
func TestKindsRead(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		kind shape.Kind
		in   map[string]string
	}{
		{"id", shape.ID(), map[string]string{`5`: `5`, `"5"`: `"5"`, `null`: `null`, `{}`: `{}`, `9007199254740993`: `9007199254740993`}},
		{"whole", shape.Whole(), map[string]string{`1.5`: `1.5`, `"x"`: `"x"`}},
		{"time", shape.Seconds(), map[string]string{
			`"2027-03-04T05:06:07+02:00"`: `"2027-03-04T03:06:07.000Z"`, `1804136767891`: `"2027-03-04T05:06:07.891Z"`,
			`"soon"`: `"soon"`, `""`: `""`, `null`: `null`, `253402300800000`: `253402300800000`, `[]`: `[]`,
		}},
		{"JSON in a string", shape.JSONText(), map[string]string{`"{}"`: `"{}"`, `{"a":1}`: `{"a":1}`}},
		{"object", shape.Nested(pair()), map[string]string{
			`{"right":"x","left":1,"z":0}`: `{"other":"x","left":1,"z":0}`, `[]`: `[]`, `"x"`: `"x"`, `null`: `null`,
		}},
		{"first", shape.First(pair()), map[string]string{
			`{"right":"x"}`: `{"other":"x"}`, `[{"right":"x"},{"right":"y"}]`: `[{"other":"x"},{"other":"y"}]`, `[]`: `[]`, `["x"]`: `["x"]`,
		}},
		{"list", shape.List(shape.Nested(pair())), map[string]string{
			`[{"right":"x"},null,5]`: `[{"other":"x"},null,5]`, `[]`: `[]`, `{}`: `{}`, `null`: `null`,
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			form := shape.New("object", shape.Omit, shape.Field{Key: "value", From: "ours", As: tt.kind})
			for in, want := range tt.in {
				got, err := form.Read(nil, shape.Value(`{"value":`+in+`}`))
				if err != nil {
					t.Errorf("%s: %v", in, err)
				}
				check(t, `{"ours":`+want+`}`, string(got))
			}
		})
	}
}

// Where a value comes from, and what is written where there is none.
func TestFields(t *testing.T) {
	t.Parallel()
	text := shape.Text()
	tests := []struct {
		name   string
		absent shape.Absent
		field  shape.Field
		data   string
		want   string
	}{
		{"own name", shape.Omit, shape.Field{Key: "k", As: text}, `{"k":"x"}`, `{"k":"x"}`},
		{"another name", shape.Omit, shape.Field{Key: "k", From: "f", As: text}, `{"k":"no","f":"x"}`, `{"k":"x"}`},
		{"path", shape.Omit, shape.Field{Key: "k", From: "a.b.c", As: text}, `{"a":{"b":{"c":"x"}}}`, `{"k":"x"}`},
		{"path through an array", shape.Omit, shape.Field{Key: "k", From: "a.b", As: text}, `{"a":[{"b":"x"},{"b":"y"}]}`, `{"k":"x"}`},
		{"path through an empty array", shape.Omit, shape.Field{Key: "k", From: "a.b", As: text}, `{"a":[]}`, `{}`},
		{"path through a text", shape.Omit, shape.Field{Key: "k", From: "a.b", As: text}, `{"a":"b"}`, `{}`},
		{"path that ends early", shape.Null, shape.Field{Key: "k", From: "a.b.c", As: text}, `{"a":{"b":null}}`, `{"k":null}`},
		{"second of two", shape.Omit, shape.Field{Key: "k", From: "a|b.c", As: text}, `{"a":null,"b":{"c":"x"}}`, `{"k":"x"}`},
		{"first of two", shape.Omit, shape.Field{Key: "k", From: "a|b.c", As: text}, `{"b":{"c":"no"},"a":"x"}`, `{"k":"x"}`},
		{"last of duplicates", shape.Omit, shape.Field{Key: "k", As: text}, `{"k":"no","k":"x"}`, `{"k":"x"}`},
		{"escaped name", shape.Omit, shape.Field{Key: "k", As: text}, `{"\u006b":"x"}`, `{"k":"x"}`},
		{"missing, omitted", shape.Omit, shape.Field{Key: "k", As: text}, `{}`, `{}`},
		{"missing, null", shape.Null, shape.Field{Key: "k", As: text}, `{}`, `{"k":null}`},
		{"missing, null but optional", shape.Null, shape.Field{Key: "k", As: text, Optional: true}, `{}`, `{}`},
		{"empty text, omitted as no value", shape.OmitEmpty, shape.Field{Key: "k", From: "k|l", As: text}, `{"k":"","l":"x"}`, `{"k":"x"}`},
		{"empty text", shape.Omit, shape.Field{Key: "k", From: "k|l", As: text}, `{"k":"","l":"x"}`, `{"k":""}`},
		{"missing list", shape.Omit, shape.Field{Key: "k", As: shape.List(text)}, `{}`, `{"k":[]}`},
		{"missing optional list", shape.Null, shape.Field{Key: "k", As: shape.List(text), Optional: true}, `{}`, `{}`},
		{"else", shape.Null, shape.Field{Key: "k", As: text, Else: shape.Fixed("<x>")}, `{"k":null}`, `{"k":"<x>"}`},
		{"else not needed", shape.Null, shape.Field{Key: "k", As: text, Else: shape.Fixed("no")}, `{"k":"x"}`, `{"k":"x"}`},
		{"made", shape.Omit, shape.Field{Key: "k", Make: shape.Word()}, `{"k":"no"}`, `{"k":"WORD"}`},
		{"time made, seconds", shape.Omit, shape.Field{Key: "k", Make: shape.AtSeconds()}, `{}`, `{"k":"2027-03-04T05:06:07Z"}`},
		{"time made, millis", shape.Omit, shape.Field{Key: "k", Make: shape.AtMillis()}, `{}`, `{"k":"2027-03-04T05:06:07.891Z"}`},
		{"tenant", shape.Omit, shape.Field{Key: "k", Make: shape.Tenant()}, `{}`, `{"k":"tenant"}`},
		{"beside the object", shape.Omit, shape.Field{Key: "in", As: shape.Nested(shape.New("in", shape.Omit, shape.Field{Key: "k", From: "out.id", As: text, InData: true}))}, `{"in":{"out":{"id":"no"}},"out":{"id":"x"}}`, `{"in":{"k":"x"}}`},
		{"not now", shape.Null, shape.Field{Key: "k", As: text, If: func(s *shape.Source) bool { return s.Word != "WORD" }}, `{"k":"no"}`, `{"k":null}`},
		{"now", shape.Null, shape.Field{Key: "k", As: text, If: func(s *shape.Source) bool { return s.Word == "WORD" }}, `{"k":"x"}`, `{"k":"x"}`},
		{"gathered", shape.Omit, shape.Field{Key: "k", As: shape.Gather(pair())}, `{"left":1}`, `{"k":{"left":"1"}}`},
		{"gathered of nothing", shape.Omit, shape.Field{Key: "k", As: shape.Gather(pair())}, `{"z":1}`, `{}`},
		{"gathered into a string", shape.Omit, shape.Field{Key: "k", As: shape.InString(pair())}, `{"left":"\"<"}`, `{"k":"{\"left\":\"\\\"<\"}"}`},
		{"made of nothing", shape.Null, shape.Field{Key: "k", Make: shape.Maker{Append: func(b []byte, _ *shape.Source) []byte { return b }}}, `{}`, `{"k":null}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			check(t, tt.want, mustRender(t, shape.New("object", tt.absent, tt.field), tt.data))
		})
	}
}

func TestNumberTenant(t *testing.T) {
	t.Parallel()
	form := shape.New("object", shape.Null, shape.Field{Key: "k", Make: shape.NumberTenant()})
	for tenant, want := range map[string]string{
		"7": `7`, "07": `"07"`, "app_1": `"app_1"`, "": `null`, "9007199254740993": `"9007199254740993"`, `a"b`: `"a\"b"`,
	} {
		m := message(`{}`)
		m.Tenant = tenant
		got, err := shape.Render(m, "", func(b []byte, s *shape.Source) ([]byte, error) { return form.Append(b, s.Data, s) })
		if err != nil {
			t.Fatal(err)
		}
		check(t, `{"k":`+want+`}`, string(got))
	}
}

// Members without a field pass where the form says so, but never under a name that the
// object has already.
func TestPassing(t *testing.T) {
	t.Parallel()
	fields := []shape.Field{{Key: "starts_at", From: "start", As: shape.Seconds()}, {Key: "id", As: shape.ID()}}
	data := `{"x":[ 1 ],"start":"2027-03-04","starts_at":"no","secret":1,"\u0079\"":null,"id":1}`
	plain := shape.New("object", shape.Omit, fields...)
	check(t, `{"starts_at":"2027-03-04T00:00:00Z","id":"1"}`, mustRender(t, plain, data))
	passing := plain.Passing("secret")
	check(t, `{"starts_at":"2027-03-04T00:00:00Z","id":"1","x":[1],"y\"":null}`, mustRender(t, passing, data))
	check(t, `{"starts_at":"2027-03-04T00:00:00Z","id":"1"}`, mustRender(t, plain, data)) // as it was
	check(t, `{"a":1}`, mustRender(t, shape.New("object", shape.Omit).Passing(), `{"a":1}`))
	// The vendor's spelling is as good where there is no other value, and that of nothing else.
	check(t, `{"starts_at":"2027-03-04T00:00:00Z"}`, mustRender(t, passing, `{"starts_at":"2027-03-04"}`))
	check(t, `{}`, mustRender(t, plain, `{"starts_at":"2027-03-04"}`))
	swapped := shape.New("object", shape.Omit, shape.Field{Key: "a", From: "b", As: shape.ID()}, shape.Field{Key: "c", From: "a", As: shape.ID()}).Passing()
	check(t, `{"c":"1"}`, mustRender(t, swapped, `{"a":1}`))
}

// Read names members in Callboard's words, drops what is said elsewhere, and passes the
// rest.
func TestRead(t *testing.T) {
	t.Parallel()
	form := shape.New("object", shape.Null,
		shape.Field{Key: "starts_at", From: "start|begin", As: shape.Seconds()},
		shape.Field{Key: "made", Make: shape.Word()},
		shape.Field{Key: "deep", From: "a.b", As: shape.Text()},
		shape.Field{Key: "around", As: shape.Gather(pair())},
		shape.Field{Key: "pair", As: shape.Nested(pair())},
	)
	got, err := form.Read(nil, shape.Value(" \n{ \"starts_at\" : 0,\"made\":1,\"deep\":\"x\",\"around\":{\"right\":1},"+
		`"pair":{"right":"y","action":2},"\u0061ction":"dropped","id":5,"id":6,"n":null}`+"\r\n"), "action", "id")
	if err != nil {
		t.Fatal(err)
	}
	check(t, `{"start":"1970-01-01T00:00:00.000Z","made":1,"deep":"x","around":{"right":1},"pair":{"other":"y","action":2},"n":null}`, string(got))
}

// nesting is a form that holds itself, as sessions hold sessions.
func nesting() *shape.Form {
	return shape.NewNesting("session", shape.Omit, func(self *shape.Form) []shape.Field {
		return []shape.Field{
			{Key: "id", As: shape.ID()},
			{Key: "subsessions", From: "inner", As: shape.List(shape.Nested(self)), Optional: true},
			{Key: "parent", As: shape.Nested(self)},
		}
	})
}

func TestNesting(t *testing.T) {
	t.Parallel()
	form := nesting()
	data := `{"id":1,"inner":[{"id":2,"inner":[{"id":3,"x":1}],"x":1},{"parent":{"id":4}}],"x":1}`
	check(t, `{"id":"1","subsessions":[{"id":"2","subsessions":[{"id":"3"}]},{"parent":{"id":"4"}}]}`, mustRender(t, form, data))
	passed := mustRender(t, form.Passing(), data)
	check(t, `{"id":"1","subsessions":[{"id":"2","subsessions":[{"id":"3","x":1}],"x":1},{"parent":{"id":"4"}}],"x":1}`, passed)
	back, err := form.Read(nil, shape.Value(passed))
	if err != nil {
		t.Fatal(err)
	}
	check(t, `{"id":"1","inner":[{"id":"2","inner":[{"id":"3","x":1}],"x":1},{"parent":{"id":"4"}}],"x":1}`, string(back))
}

// What is nested for its own sake is refused, in a time that does not grow with the
// square of its size, and goes through where it comes in.
func TestDepth(t *testing.T) {
	t.Parallel()
	form := nesting()
	for _, depth := range []int{1, 60, 100, 4900, 20000} {
		data := strings.Repeat(`{"parent":`, depth) + `{"id":5}` + strings.Repeat(`}`, depth)
		got, err := render(form, data)
		switch {
		case depth <= 60:
			if err != nil {
				t.Errorf("depth %d: %v", depth, err)
			}
			check(t, strings.Replace(data, "5", `"5"`, 1), got)
		default:
			wantError(t, err, "")
			if len(err.Error()) > 1000 {
				t.Errorf("depth %d: an error of %d bytes", depth, len(err.Error()))
			}
		}
		if depth > 9000 {
			if _, err := shape.Parse([]byte(data)); !errors.Is(err, dialect.ErrUnreadable) {
				t.Errorf("Parse of depth %d: %v", depth, err)
			}
			continue
		}
		back, err := form.Read(nil, shape.Value(data))
		if err != nil {
			t.Errorf("Read of depth %d: %v", depth, err)
		}
		check(t, data, string(back))
	}
}

// Errors name the member by the vendor's key, all the way down, and no value.
func TestErrors(t *testing.T) {
	t.Parallel()
	inner := shape.New("event", shape.Omit, shape.Field{Key: "starts_at", From: "start", As: shape.Seconds()})
	form := shape.New("object", shape.Omit,
		shape.Field{Key: "the_event", From: "event", As: shape.Nested(inner)},
		shape.Field{Key: "list", As: shape.List(shape.Nested(inner))},
		shape.Field{Key: "made", As: shape.Gather(inner)},
	)
	for data, want := range map[string]string{
		`{"event":{"start":"hunter2"}}`:         "the_event.starts_at must be a time such as 2027-03-04T05:06:07Z",
		`{"list":[{},{"start":{"hunter2":1}}]}`: "list.1.starts_at must be a time such as 2027-03-04T05:06:07Z",
		`{"start":"hunter2"}`:                   "made.starts_at must be a time such as 2027-03-04T05:06:07Z",
		`{"event":"hunter2"}`:                   "the_event must be an object",
		`"hunter2"`:                             "payload.data must be an object",
		`null`:                                  "payload.data must be an object",
	} {
		_, err := render(form, data)
		wantError(t, err, want)
		if err != nil && strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: the error quotes a value: %v", data, err)
		}
		if e, ok := errors.AsType[*shape.Error](err); !ok || e.Path+" "+e.Unwrap().Error() != want {
			t.Errorf("%s: the error's path: %+v", data, e)
		}
	}
}

// The frame of a payload: where it has no timestamp, the message's time counts.
func TestRenderFrame(t *testing.T) {
	t.Parallel()
	form := shape.New("object", shape.Omit, shape.Field{Key: "at", Make: shape.AtMillis()}, shape.Field{Key: "id", As: shape.ID()})
	tests := []struct{ name, payload, want, wrong string }{
		{"all", `{"type":"x","timestamp":"2027-03-04T05:06:07.891+01:00","data":{"id":1}}`, `{"at":"2027-03-04T04:06:07.891Z","id":"1"}`, ""},
		{"no timestamp", `{"data":{}}`, `{"at":"2027-01-01T00:00:00.000Z"}`, ""},
		{"null timestamp", ` {"timestamp":null,"data":{}}` + "\n", `{"at":"2027-01-01T00:00:00.000Z"}`, ""},
		{"duplicates and escapes", `{"data":[],"d\u0061ta":{"id":2}}`, `{"at":"2027-01-01T00:00:00.000Z","id":"2"}`, ""},
		{"bad timestamp", `{"timestamp":"hunter2","data":{}}`, "", "payload.timestamp must be a time"},
		{"no data", `{"type":"x"}`, "", "payload.data must be an object"},
		{"array", `[]`, "", "payload must be an object"},
		{"nothing", ``, "", "payload must be an object"},
		{"broken", `{"data":{"id":`, "", "payload is not valid JSON"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			m := message("")
			m.Payload = []byte(tt.payload)
			got, err := shape.Render(m, "", func(b []byte, s *shape.Source) ([]byte, error) { return form.Append(b, s.Data, s) })
			if tt.wrong != "" {
				wantError(t, err, tt.wrong)
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			check(t, tt.want, string(got))
			check(t, tt.payload, string(m.Payload)) // as it was
		})
	}
}

// Find and Translate, as dialects use them.
func TestSource(t *testing.T) {
	t.Parallel()
	forth := shape.New("data", shape.Omit, shape.Field{Key: "event", As: shape.Gather(shape.New("event", shape.Omit, shape.Field{Key: "id", From: "conference.id", As: shape.ID()}))})
	var before, after, none, missing string
	_, err := shape.Render(message(`{"conference":{"id":5},"n":null}`), "", func(b []byte, s *shape.Source) ([]byte, error) {
		find := func(path ...string) string {
			v, err := s.Find(path[0], path[1:]...)
			if err != nil {
				t.Error(err)
			}
			return v.ID()
		}
		before, none, missing = find("conference", "id"), find("n", "x"), find("conference", "id", "x")
		err := s.Translate(forth)
		after = find("event", "id")
		return b, err
	})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"5", "5", "", ""}, []string{before, after, none, missing}); diff != "" {
		t.Error(diff)
	}
}

func TestParse(t *testing.T) {
	t.Parallel()
	o, err := shape.Parse([]byte("\n{\"a\":\"x\\u0079\",\"a\":7,\"t\":\"2027-03-04\",\"n\":null,\"\\u0062\":true}  "))
	if err != nil {
		t.Fatal(err)
	}
	if got := o.Get("a").ID(); got != "7" {
		t.Errorf("a is %q", got)
	}
	if got := o.Get("t").Time(); !got.Equal(time.Date(2027, 3, 4, 0, 0, 0, 0, time.UTC)) {
		t.Errorf("t is %v", got)
	}
	if !o.Get("n").None() || !o.Get("z").None() || o.Get("b").None() || o.Get("b").String() != "" || !o.Get("b").Time().IsZero() {
		t.Error("null, missing and true are not told apart")
	}
	for _, body := range []string{``, `null`, `[]`, `"x"`, `{`, `{"a":1}x`, `{"a":01}`, "{\"a\":\"\xff\"}", `{"a":"\ud800"}`, "\ufeff{}", `{"a":"hunter2}`} {
		if _, err := shape.Parse([]byte(body)); !errors.Is(err, dialect.ErrUnreadable) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%q: %v", body, err)
		}
	}
}

func TestPayload(t *testing.T) {
	t.Parallel()
	at := time.Date(2027, 3, 4, 5, 6, 7, 899_999_999, time.FixedZone("", 3600))
	check(t, `{"type":"a\"b","timestamp":"2027-03-04T04:06:07.899Z","data":{}}`, string(shape.Payload(`a"b`, at, []byte(`{}`))))
	check(t, `{"type":"x","data":[1]}`, string(shape.Payload("x", time.Time{}, []byte(`[1]`))))
}

// An object that is being written is not disturbed by those inside of it, however many
// members they have; nor by renders that fail, or run at the same time.
func TestArena(t *testing.T) {
	t.Parallel()
	inner := shape.New("inner", shape.Omit).Passing()
	form := shape.New("outer", shape.Omit,
		shape.Field{Key: "first", As: shape.Nested(inner)},
		shape.Field{Key: "path", From: "first.m0", As: shape.Any()},
		shape.Field{Key: "list", As: shape.List(shape.Nested(inner))},
		shape.Field{Key: "last", As: shape.Text()},
	)
	data := func(who string, n int) string {
		var members []string
		for i := range n {
			members = append(members, fmt.Sprintf(`"m%d":"%s"`, i, who))
		}
		one := "{" + strings.Join(members, ",") + "}"
		return fmt.Sprintf(`{"first":%s,"path":%q,"list":[%s,{},%s],"last":%q}`, one, who, one, one, who)
	}
	var wg sync.WaitGroup
	for g := range 4 {
		wg.Go(func() {
			for i := range 200 {
				who := fmt.Sprintf("%d-%d", g, i)
				if _, err := render(form, `{"first":{"a":1},"list":[{"b":2},`+`5]}`); err == nil {
					t.Error("a list with a number in it went out")
				}
				want := data(who, 1+i)
				if got, err := render(form, want); err != nil || got != want {
					t.Errorf("%v\n%s", err, cmp.Diff(want, got))
					return
				}
			}
		})
	}
	wg.Wait()
}

func TestRows(t *testing.T) {
	t.Parallel()
	form := shape.New("object", shape.Null,
		shape.Field{Key: "id", From: "a.b|c", As: shape.ID(), Else: shape.Tenant(), Choice: "ours"},
		shape.Field{Key: "action", Make: shape.Word()},
		shape.Field{Key: "list", As: shape.List(shape.Nested(pair()))},
		shape.Field{Key: "session", As: shape.Nested(nesting()), Optional: true},
		shape.Field{Key: "meta", As: shape.Gather(shape.New("meta", shape.Omit, shape.Field{Key: "at", Make: shape.AtSeconds()}))},
	)
	want := []shape.Row{
		{Path: "id", Form: "id", From: "a.b, else c, else the app's uid, else its id", Absent: "null", Choice: "ours"},
		{Path: "action", From: "the event type in the vendor's words", Absent: "null"},
		{Path: "list", Form: "list of object", From: "list", Absent: "[]"},
		{Path: "list[].left", Form: "id", From: "left", Absent: "left out"},
		{Path: "list[].right", Form: "text", From: "other", Absent: "left out"},
		{Path: "session", Form: "object", From: "session", Absent: "left out"},
		{Path: "session.id", Form: "id", From: "id", Absent: "left out"},
		{Path: "session.subsessions", Form: "list of object: session", From: "inner", Absent: "left out"},
		{Path: "session.parent", Form: "object: session", From: "parent", Absent: "left out"},
		{Path: "meta", Form: "object", Absent: "null"},
		{Path: "meta.at", From: "when it happened", Absent: "left out"},
	}
	if diff := cmp.Diff(want, form.Rows()); diff != "" {
		t.Error(diff)
	}
}

func TestSchema(t *testing.T) {
	t.Parallel()
	form := shape.New("object", shape.Null,
		shape.Field{Key: "id", As: shape.NumberID(), Choice: "ours"},
		shape.Field{Key: "made", Make: shape.Word(), Choice: "made up"},
		shape.Field{Key: "at", As: shape.Millis(), Optional: true},
		shape.Field{Key: "tags", As: shape.List(shape.Text())},
		shape.Field{Key: "any", As: shape.Any()},
		shape.Field{Key: "pair", As: shape.Nested(pair())},
		shape.Field{Key: "session", As: shape.Nested(nesting())},
		shape.Field{Key: "text", As: shape.InString(pair())},
	)
	const pairs = `{"type":"object","properties":{"left":{"type":"string"},"right":{"type":"string"}}}`
	want := `{"type":"object","properties":{
		"id":{"type":["integer","string","null"],"description":"Callboard's choice: ours"},
		"made":{"description":"Callboard's choice: made up"},
		"at":{"type":"string","format":"date-time"},
		"tags":{"type":"array","items":{"type":"string"}},
		"any":{},
		"pair":` + strings.Replace(pairs, `"object"`, `["object","null"]`, 1) + `,
		"session":{"type":["object","null"],"properties":{"id":{"type":"string"},"subsessions":{"type":"array","items":{"type":"object"}},"parent":{"type":"object"}}},
		"text":{"type":["string","null"],"contentMediaType":"application/json","contentSchema":` + pairs + `}
	}}`
	for range 2 { // a schema may be changed by who asked for it
		schema := form.Schema()
		if diff := cmp.Diff(generic(t, []byte(want)), generic(t, encode(t, schema))); diff != "" {
			t.Error(diff)
		}
		clear(schema["properties"].(map[string]any)["tags"].(map[string]any))
		clear(schema["properties"].(map[string]any)["id"].(map[string]any))
	}
}

func encode(t *testing.T, v any) []byte {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// generic is JSON as Go values, with numbers as they are written.
func generic(t *testing.T, text []byte) (v any) {
	t.Helper()
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.UseNumber()
	if err := dec.Decode(&v); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	return v
}
