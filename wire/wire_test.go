package wire_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/callboard/callboard/wire"
)

// sample is a payload as a vendor's package has them.
type sample struct {
	ID      wire.ID      `json:"id"`
	Name    string       `json:"name,omitzero"`
	At      wire.Seconds `json:"at,omitzero"`
	Ended   *wire.Millis `json:"ended"`
	Nested  *nested      `json:"nested,omitzero"`
	Unknown wire.Fields  `json:"-"`
}

type nested struct {
	Text    string      `json:"text"`
	Unknown wire.Fields `json:"-"`
}

func (s *sample) UnmarshalJSON(data []byte) error {
	type plain sample
	return wire.Unmarshal(data, (*plain)(s), &s.Unknown)
}

func (s sample) MarshalJSON() ([]byte, error) {
	type plain sample
	return wire.Marshal(plain(s), s.Unknown)
}

func (n *nested) UnmarshalJSON(data []byte) error {
	type plain nested
	return wire.Unmarshal(data, (*plain)(n), &n.Unknown)
}

func (n nested) MarshalJSON() ([]byte, error) {
	type plain nested
	return wire.Marshal(plain(n), n.Unknown)
}

// TestRoundTrip reads objects and writes them again.
func TestRoundTrip(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct{ in, want string }{
		"all of it":                {`{"id":"a","name":"n","at":"2027-03-04T05:06:07Z","ended":"2027-03-04T05:06:07.123Z","nested":{"text":"x"}}`, ``},
		"what is not there":        {`{"id":7}`, `{"id":7,"ended":null}`},
		"unknown fields at last":   {`{"new":{"b":1,"a":[ ]},"id":7,"ended":null,"Name":"other"}`, `{"id":7,"ended":null,"new":{"b":1,"a":[]},"Name":"other"}`},
		"unknown fields inside":    {`{"id":7,"ended":null,"nested":{"text":"x","more":true}}`, ``},
		"nulls":                    {`{"id":null,"name":null,"at":null,"ended":null,"nested":null}`, `{"id":null,"ended":null}`},
		"nothing is escaped":       {`{"id":"<&>","name":"<b> & \u2028","ended":null}`, `{"id":"<&>","name":"<b> & \u2028","ended":null}`},
		"large numbers":            {`{"id":9007199254740993,"ended":null,"more":12345678901234567890}`, ``},
		"a fraction is cut off":    {`{"id":1,"at":"2027-03-04T05:06:07.999Z","ended":"2027-03-04T05:06:07.1239Z"}`, `{"id":1,"at":"2027-03-04T05:06:07Z","ended":"2027-03-04T05:06:07.123Z"}`},
		"other forms of a time":    {`{"id":1,"at":"2027-03-04T06:06:07+0100","ended":1804136767123}`, `{"id":1,"at":"2027-03-04T05:06:07Z","ended":"2027-03-04T05:06:07.123Z"}`},
		"a time of no zone is UTC": {`{"id":1,"at":"2027-03-04T05:06:07","ended":""}`, `{"id":1,"at":"2027-03-04T05:06:07Z","ended":null}`},
		"the last of two counts":   {`{"id":1,"id":2,"ended":null,"new":1,"new":2}`, `{"id":2,"ended":null,"new":2}`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var s sample
			if err := json.Unmarshal([]byte(tt.in), &s); err != nil {
				t.Fatal(err)
			}
			got, err := s.MarshalJSON()
			if err != nil {
				t.Fatal(err)
			}
			want := tt.want
			if want == "" {
				want = tt.in
			}
			if diff := cmp.Diff(want, string(got)); diff != "" {
				t.Errorf("written again (-want +got):\n%s", diff)
			}
		})
	}
}

// TestWrongPayload expects errors that name what is wrong.
func TestWrongPayload(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		`[]`:                                 "is not a JSON object",
		`{"id":true}`:                        "id: is neither a string nor a number",
		`{"id":1,"name":[]}`:                 "name: is a array",
		`{"id":1,"at":"soon"}`:               "at: is not a time",
		`{"at":999999999999999999}`:          "at: is not a time",
		`{"at":"9999-12-31T23:59:59-05:00"}`: "at: is not a time",
		`{"nested":{"text":{}}}`:             "nested: text: is a object",
		`{"nested":"no object"}`:             "nested: is not a JSON object",
		`{"id":1,"ended":{"a":"b"}}`:         "ended: is not a time",
	} {
		var s sample
		err := json.Unmarshal([]byte(in), &s)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want one with %q", in, err, want)
		}
	}
}

func TestID(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		id         wire.ID
		text, json string
	}{
		{wire.ID{}, "", "null"},
		{wire.Text("61803"), "61803", `"61803"`},
		{wire.Number(61803), "61803", "61803"},
		{wire.NumberOrText("61803"), "61803", "61803"},
		{wire.NumberOrText("0"), "0", "0"},
		{wire.NumberOrText("007"), "007", `"007"`},
		{wire.NumberOrText("-1"), "-1", `"-1"`},
		{wire.NumberOrText("9007199254740992"), "9007199254740992", "9007199254740992"},
		{wire.NumberOrText("9007199254740993"), "9007199254740993", `"9007199254740993"`},
		{wire.NumberOrText("conf_1"), "conf_1", `"conf_1"`},
	} {
		if got := tt.id.String(); got != tt.text {
			t.Errorf("text %q, want %q", got, tt.text)
		}
		got, err := json.Marshal(tt.id)
		if err != nil || string(got) != tt.json {
			t.Errorf("%s is written %s (%v), want %s", tt.text, got, err, tt.json)
		}
	}
}

// FuzzUnmarshal writes whatever can be read, and reads it again: it is the same.
func FuzzUnmarshal(f *testing.F) {
	for _, seed := range []string{`{}`, `{"id":7,"x":[1,{"y":null}],"nested":{"z":"<"}}`, `{"at":1e3}`, `{"at":-99999999999999}`, `{"at":"0000-01-01T00:00:00+05:00"}`, `{"\u0000":1,"":2}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var once, twice sample
		if json.Unmarshal(data, &once) != nil {
			return
		}
		first, err := json.Marshal(once)
		if err != nil {
			t.Fatalf("what was read from %q cannot be written: %v", data, err)
		}
		if err := json.Unmarshal(first, &twice); err != nil {
			t.Fatalf("%s cannot be read again: %v", first, err)
		}
		second, err := json.Marshal(twice)
		if err != nil || string(first) != string(second) {
			t.Errorf("written %s, then %s (%v)", first, second, err)
		}
	})
}

func TestGet(t *testing.T) {
	t.Parallel()
	f := wire.Fields{{Name: "a", Value: json.RawMessage("1")}}
	if got := string(f.Get("a")); got != "1" {
		t.Errorf("member %q, want 1", got)
	}
	if got := f.Get("b"); got != nil {
		t.Errorf("member %q that is not there", got)
	}
}

// TestZeroTimes expects the zero time to be absent.
func TestZeroTimes(t *testing.T) {
	t.Parallel()
	for _, v := range []any{wire.Seconds{}, wire.Millis{}, wire.Seconds{Time: time.Time{}.UTC()}} {
		if got, err := json.Marshal(v); err != nil || string(got) != "null" {
			t.Errorf("the zero time is written %s, %v", got, err)
		}
	}
}
