package wire_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/callboard/callboard/wire"
)

// remembered is a payload that tells null from absent, with a field of each kind.
type remembered struct {
	embedded
	ID      wire.ID           `json:"id"`
	Name    string            `json:"name"`
	At      wire.Millis       `json:"at"`
	Priv    *bool             `json:"private"`
	Any     json.RawMessage   `json:"any"`
	List    []json.RawMessage `json:"list"`
	Level   level             `json:"level"`
	Inner   *remembered       `json:"inner"`
	Newer   string            `json:"newer,omitzero"`
	Newest  []string          `json:"newest,omitzero"`
	Unknown wire.Fields       `json:"-"`
	Read    wire.Members      `json:"-"`
}

// embedded is part of a payload.
type embedded struct {
	First string `json:"first"`
}

// level decides itself how zero is written.
type level int

func (l level) MarshalJSON() ([]byte, error) { return json.Marshal(int(l)) }

func (r *remembered) UnmarshalJSON(data []byte) error {
	return r.Read.Unmarshal(data, r, &r.Unknown)
}

func (r remembered) MarshalJSON() ([]byte, error) { return r.Read.Marshal(r, r.Unknown) }

func (r *remembered) Has(name string) bool { return r.Read.Has(name, r, r.Unknown) }

func remember(t testing.TB, body string) *remembered {
	t.Helper()
	var r remembered
	if err := json.Unmarshal([]byte(body), &r); err != nil {
		t.Fatal(err)
	}
	return &r
}

func written(t testing.TB, r remembered) string {
	t.Helper()
	body, err := r.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

// blank is how an object is written that was built and has nothing set.
const blank = `{"first":null,"id":null,"name":null,"at":null,"private":null,"any":null,"list":[],"level":0,"inner":null}`

// TestMembersBuilt writes objects that were built: with all documented members.
func TestMembersBuilt(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		built remembered
		want  string
	}{
		"nothing is set":       {remembered{}, blank},
		"false is a value":     {remembered{Priv: new(false)}, strings.Replace(blank, `"private":null`, `"private":false`, 1)},
		"an empty list":        {remembered{List: []json.RawMessage{}}, blank},
		"an object":            {remembered{Inner: &remembered{}}, strings.Replace(blank, `"inner":null`, `"inner":`+blank, 1)},
		"newer ones, set":      {remembered{Newer: "n", Newest: []string{}}, strings.TrimSuffix(blank, "}") + `,"newer":"n","newest":[]}`},
		"unknown ones":         {remembered{Unknown: wire.Fields{{Name: "<x>", Value: json.RawMessage(`"&"`)}}}, strings.TrimSuffix(blank, "}") + `,"<x>":"&"}`},
		"of an embedded type":  {remembered{embedded: embedded{First: "f"}}, strings.Replace(blank, `"first":null`, `"first":"f"`, 1)},
		"read, and of nothing": {remembered{Read: wire.Members{}}, `{}`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(tt.want, written(t, tt.built)); diff != "" {
				t.Errorf("written (-want +got):\n%s", diff)
			}
		})
	}
}

// TestMembersRead reads objects and writes them again: with the members that they had.
func TestMembersRead(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct{ in, want string }{ // want "" is in
		"nothing":               {`{}`, ``},
		"all, unset":            {blank, ``},
		"all, null":             {`{"first":null,"id":null,"name":null,"at":null,"private":null,"any":null,"list":null,"level":null,"inner":null,"newer":null,"newest":null}`, ``},
		"empty texts":           {`{"first":"","id":"","name":"","at":"","any":"","newer":""}`, ``},
		"empty lists":           {`{"any":[],"list":[],"newest":[]}`, ``},
		"values that mean zero": {`{"at":"0001-01-01T00:00:00+00:00","private":false,"level":0}`, ``},
		"objects inside":        {`{"inner":{"inner":{"inner":null}}}`, ``},
		"unknown ones":          {`{"id":1,"x":null,"X":{"z":1,"a":"<&>"}}`, ``},
		"another order":         {`{"x":1,"name":"","id":2,"first":null}`, `{"first":null,"id":2,"name":"","x":1}`},
		"the last of two":       {`{"name":"n","id":1,"name":"","id":null,"list":null,"list":[]}`, `{"id":null,"name":"","list":[]}`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			want := tt.want
			if want == "" {
				want = tt.in
			}
			if diff := cmp.Diff(want, written(t, *remember(t, tt.in))); diff != "" {
				t.Errorf("written again (-want +got):\n%s", diff)
			}
		})
	}
}

// TestMembersChanged sets and clears fields of what was read.
func TestMembersChanged(t *testing.T) {
	t.Parallel()
	original := remember(t, `{"id":1,"name":"n","list":[1],"level":3,"newer":"n","any":""}`)
	r := *original // a copy remembers the same
	r.Name, r.List, r.Level, r.Newer = "", nil, 0, ""
	r.First, r.Newest, r.Any = "f", []string{"n"}, nil
	for _, step := range []struct {
		do   func()
		want string
	}{
		{func() {}, `{"first":"f","id":1,"name":null,"any":null,"list":[],"level":0,"newest":["n"]}`},
		{func() { r.Name = "again" }, `{"first":"f","id":1,"name":"again","any":null,"list":[],"level":0,"newest":["n"]}`},
		{func() { r.Read = nil }, `{"first":"f","id":1,"name":"again","at":null,"private":null,"any":null,"list":[],"level":0,"inner":null,"newest":["n"]}`},
		{func() { r = *original }, `{"id":1,"name":"n","any":"","list":[1],"level":3,"newer":"n"}`},
	} {
		step.do()
		if diff := cmp.Diff(step.want, written(t, r)); diff != "" {
			t.Errorf("written (-want +got):\n%s", diff)
		}
	}
}

// TestMembersHas tells absent from empty.
func TestMembersHas(t *testing.T) {
	t.Parallel()
	read := remember(t, `{"id":1,"name":null,"newer":"","x":null}`)
	read.List = []json.RawMessage{} // set since: it was not there
	built := &remembered{Unknown: wire.Fields{{Name: "x", Value: json.RawMessage("1")}}, Newest: []string{}}
	broken := &remembered{Unknown: wire.Fields{{Name: "x", Value: json.RawMessage("{")}}}
	for name, want := range map[string]struct{ read, built, broken bool }{
		"id": {true, true, false}, "name": {true, true, false}, "x": {true, true, false}, "newer": {true, false, false},
		"first": {false, true, false}, "list": {false, true, false}, "newest": {false, true, false}, "Name": {}, "": {},
	} {
		got := struct{ read, built, broken bool }{read.Has(name), built.Has(name), broken.Has(name)}
		if got != want {
			t.Errorf("%q: %+v, want %+v", name, got, want)
		}
	}
}

// TestMembersReused reads into what was used before: nothing of that is left.
func TestMembersReused(t *testing.T) {
	t.Parallel()
	r := remember(t, `{"first":"f","id":1,"list":[1],"x":1}`)
	if err := json.Unmarshal([]byte(`{"name":null}`), r); err != nil {
		t.Fatal(err)
	}
	if got := written(t, *r); got != `{"name":null}` {
		t.Errorf("written %s", got)
	}
}

// TestMembersWrong expects errors that name the member.
func TestMembersWrong(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{`[]`: "is not a JSON object", `{"inner":{"name":1}}`: "inner: name: is a number"} {
		var r remembered
		if err := json.Unmarshal([]byte(in), &r); err == nil || err.Error() != want {
			t.Errorf("%s: error %v, want %s", in, err, want)
		}
	}
	for want, r := range map[string]remembered{
		"any: ": {Any: json.RawMessage("{")},
		"x: ":   {Unknown: wire.Fields{{Name: "x", Value: json.RawMessage("{")}}},
	} {
		if _, err := r.MarshalJSON(); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("error %v, want one with %s", err, want)
		}
	}
}

// FuzzMembers writes whatever can be read, and reads it again: it is the same, and
// every member that was there still is, and no other.
func FuzzMembers(f *testing.F) {
	for _, seed := range []string{`{}`, blank, `{"id":"","at":"0001-01-01T00:00:00Z","level":0,"level":null,"x":[1.0],"inner":{"newer":"","any":"<\u2028>"}}`, "{\"\xff\":1,\"\xfe\":\"\xff\",\"at\": \"\"}"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var came map[string]json.RawMessage
		var r remembered
		if json.Unmarshal(data, &r) != nil || json.Unmarshal(data, &came) != nil {
			return
		}
		first := written(t, r)
		if second := written(t, *remember(t, first)); first != second {
			t.Errorf("written %s, then %s", first, second)
		}
		var left map[string]json.RawMessage
		if err := json.Unmarshal([]byte(first), &left); err != nil {
			t.Fatal(err)
		}
		for name := range came {
			if _, ok := left[name]; !ok || !r.Has(name) {
				t.Errorf("%s has no %q, or does not know it", first, name)
			}
		}
		if len(came) != len(left) {
			t.Errorf("%d members have become %d: %s", len(came), len(left), first)
		}
	})
}

// TestMarshalValue expects nothing to be escaped, and no line break at the end.
func TestMarshalValue(t *testing.T) {
	t.Parallel()
	got, err := wire.MarshalValue(map[string]any{"<a>": []string{"b & c\n"}})
	if want := `{"<a>":["b & c\n"]}`; err != nil || string(got) != want {
		t.Errorf("written %s, %v, want %s", got, err, want)
	}
	if got, err := wire.MarshalValue(func() {}); err == nil || got != nil {
		t.Errorf("a function is written %s", got)
	}
}
