package builtin_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/callboard/callboard/internal/dialect"
	"github.com/callboard/callboard/internal/dialect/builtin"
	"github.com/callboard/callboard/wire/iotum"
	"github.com/callboard/callboard/wire/native"
	"github.com/callboard/callboard/wire/oration"
	"github.com/callboard/callboard/wire/sessionboard"
	"github.com/callboard/callboard/wire/zuddl"
)

var (
	update  = flag.Bool("update", false, "write the golden files")
	release = flag.Bool("release", false, "note the keys of the golden files as those of a release")
)

func dialects() dialect.Set {
	return builtin.Dialects(builtin.Config{PublicURL: "https://callboard.example.com"})
}

// pair is an event type in a dialect that says it.
type pair struct {
	dialect dialect.Dialect
	word    string
	fit     dialect.Fit
	dialect.EventType
}

// path is the pair's golden file.
func (p pair) path() string {
	return filepath.Join("testdata", "golden", p.dialect.Name(), p.Name+".json")
}

// message is the type's sample.
func (p pair) message() dialect.Message {
	return dialect.Message{
		ID: "msg_0tyj9Ub7s0zg9WEbvAy1XFFn4NR", Type: p.Name, Tenant: "harbour-events",
		Time: time.Date(2027, 6, 10, 9, 2, 12, 345_000_000, time.UTC), Payload: p.Sample,
	}
}

// pairs lists every event type of the catalogue in every dialect that says it.
func pairs(t testing.TB) []pair {
	t.Helper()
	set := dialects()
	var all []pair
	for _, eventType := range builtin.Catalog(set).Types() {
		for _, name := range set.Names() {
			d, _ := set.Get(name)
			if word, fit := d.Word(eventType.Name); fit != dialect.Unsaid {
				all = append(all, pair{d, word, fit, eventType})
			}
		}
	}
	return all
}

// TestGolden shows the body of every event type in every dialect. A golden file is part
// of the API: read what -update changes as such.
func TestGolden(t *testing.T) {
	t.Parallel()
	met := map[string]bool{}
	for _, p := range pairs(t) {
		met[p.path()] = true
		body, err := p.dialect.Render(p.message())
		if err != nil {
			t.Errorf("%s: %v", p.path(), err)
			continue
		}
		var pretty bytes.Buffer
		if err := json.Indent(&pretty, body, "", "  "); err != nil {
			t.Errorf("%s: %v", p.path(), err)
			continue
		}
		pretty.WriteByte('\n')
		if *update {
			if err := os.MkdirAll(filepath.Dir(p.path()), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(p.path(), pretty.Bytes(), 0o644); err != nil {
				t.Fatal(err)
			}
			continue
		}
		want, err := os.ReadFile(p.path())
		if err != nil {
			t.Error(err)
			continue
		}
		if diff := cmp.Diff(string(want), pretty.String()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", p.path(), diff)
		}
	}
	files, err := filepath.Glob(filepath.Join("testdata", "golden", "*", "*.json"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if !met[f] {
			t.Errorf("%s is of no event type that the dialect says", f)
		}
	}
}

// TestBodiesAreTheVendorsTypes reads every body with the public types, which know all of
// its members, and writes it again, which changes no byte: two descriptions of each
// vendor's payloads agree.
func TestBodiesAreTheVendorsTypes(t *testing.T) {
	t.Parallel()
	for _, p := range pairs(t) {
		body, err := p.dialect.Render(p.message())
		if err != nil {
			t.Errorf("%s in %s: %v", p.Name, p.dialect.Name(), err)
			continue
		}
		decoded, again, err := reencode(p.dialect.Name(), body)
		switch {
		case err != nil:
			t.Errorf("%s in %s: %v", p.Name, p.dialect.Name(), err)
		case p.dialect.Name() == dialect.Native:
			// A native body is the caller's own bytes.
		case !bytes.Equal(body, again):
			t.Errorf("%s in %s is not written as it was read (-body +again):\n%s",
				p.Name, p.dialect.Name(), cmp.Diff(string(body), string(again)))
		}
		if unknown := findUnknown(decoded); len(unknown) > 0 {
			t.Errorf("%s in %s has members that the public types do not know: %v", p.Name, p.dialect.Name(), unknown)
		}
	}
}

// reencode reads a body with the public types and writes it.
func reencode(name string, body []byte) (decoded any, again []byte, err error) {
	switch name {
	case "zuddl":
		return recode(body, zuddl.Decode, zuddl.Encode)
	case "sessionboard":
		return recode(body, sessionboard.Decode, sessionboard.Encode)
	case "oration":
		return recode(body, oration.Decode, oration.Encode)
	case "iotum":
		return recode(body, iotum.Decode, iotum.Encode)
	case dialect.Native:
		return recode(body, native.Decode, native.Encode)
	}
	return nil, nil, fmt.Errorf("the dialect %s has no public types", name)
}

func recode[T any](body []byte, decode func([]byte) (*T, error), encode func(*T) ([]byte, error)) (any, []byte, error) {
	w, err := decode(body)
	if err != nil {
		return nil, nil, err
	}
	again, err := encode(w)
	return w, again, err
}

// TestRoundTrip reads each vendor's body as a source would, and says it again in the
// same dialect: nothing that the vendor knows is lost on the way.
func TestRoundTrip(t *testing.T) {
	t.Parallel()
	for _, p := range pairs(t) {
		if p.fit != dialect.Exact {
			continue
		}
		body, err := p.dialect.Render(p.message())
		if err != nil {
			t.Errorf("%s in %s: %v", p.Name, p.dialect.Name(), err)
			continue
		}
		a, err := p.dialect.Parse(dialect.Request{Body: body})
		if err != nil {
			t.Errorf("%s in %s: %v", p.Name, p.dialect.Name(), err)
			continue
		}
		if a.Type != p.Name {
			t.Errorf("%s in %s comes in as %s", p.Name, p.dialect.Name(), a.Type)
		}
		m := p.message()
		m.Payload = a.Payload
		again, err := p.dialect.Render(m)
		if err != nil {
			t.Errorf("%s in %s, read and said again: %v", p.Name, p.dialect.Name(), err)
			continue
		}
		if diff := cmp.Diff(string(body), string(again)); diff != "" {
			t.Errorf("%s in %s, read and said again (-first +second):\n%s", p.Name, p.dialect.Name(), diff)
		}
	}
}

// TestVendorsEvents counts the event types that the vendors' own pages document.
func TestVendorsEvents(t *testing.T) {
	t.Parallel()
	documented := map[string][]string{
		"zuddl":        {"JOINED_SESSION", "TIME_SPENT_IN_SESSION"},
		"sessionboard": nil,
		"oration":      {"conversation.userJoined"},
		"iotum":        nil,
	}
	for _, a := range sessionboard.Actions() {
		documented["sessionboard"] = append(documented["sessionboard"], string(a))
	}
	documented["iotum"] = []string{
		"conference_start", "conference_end", "start_recording", "stop_recording", "start_streaming", "stop_streaming",
		"recording_ready", "transcription_ready", "enter_livestream", "leave_livestream", "stream_preview_updated",
		"profile_picture_upload_success", "profile_picture_upload_failure", "enter_conference", "leave_conference",
		"dialout_status_change", "participant_role_changed", "start_broadcasting", "stop_broadcasting", "drive_file_added",
		"drive_file_deleted", "one_time_access_code_reused",
	}
	set, total := dialects(), 0
	for name, words := range documented {
		d, _ := set.Get(name)
		for _, w := range words {
			total++
			types := d.Types(w)
			if len(types) == 0 {
				t.Errorf("%s does not know its own %s", name, w)
				continue
			}
			if said, fit := d.Word(types[0]); said != w || fit != dialect.Exact {
				t.Errorf("%s says %s as %q", name, types[0], said)
			}
		}
	}
	if total != 45 {
		t.Errorf("the vendors' pages have %d events, want 45", total)
	}
}

// keys lists the paths of a JSON value's members, each once; those in a string of JSON
// are the string's.
func keys(v any, prefix string, into map[string]bool) {
	switch v := v.(type) {
	case map[string]any:
		for name, inner := range v {
			path := strings.TrimPrefix(prefix+"."+name, ".")
			into[path] = true
			keys(inner, path, into)
		}
	case []any:
		for _, inner := range v {
			keys(inner, prefix+"[]", into)
		}
	case string:
		var inside map[string]any
		if strings.HasPrefix(v, "{") && json.Unmarshal([]byte(v), &inside) == nil {
			keys(inside, prefix, into)
		}
	}
}

// released is the file that has the keys of the last release.
var released = filepath.Join("testdata", "released.json")

// TestVersionPromise keeps what the vendors and we promise: a key that was released
// stays, and where a vendor has a version for that, one that goes raises it. -release
// notes the keys of a new release.
func TestVersionPromise(t *testing.T) {
	t.Parallel()
	now := map[string][]string{}
	for _, p := range pairs(t) {
		body, err := p.dialect.Render(p.message())
		if err != nil {
			t.Fatal(err)
		}
		var v any
		if err := json.Unmarshal(body, &v); err != nil {
			t.Fatal(err)
		}
		found := map[string]bool{}
		keys(v, "", found)
		name := p.dialect.Name() + " " + p.Name + versionOf(v)
		for k := range found {
			now[name] = append(now[name], k)
		}
		slices.Sort(now[name])
	}
	if *release {
		text, err := json.MarshalIndent(now, "", " ")
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(released, append(text, '\n'), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	text, err := os.ReadFile(released)
	if err != nil {
		t.Fatal(err)
	}
	var before map[string][]string
	if err := json.Unmarshal(text, &before); err != nil {
		t.Fatal(err)
	}
	if len(before) == 0 {
		t.Fatal("no keys are noted")
	}
	for name, had := range before {
		has, same := now[name]
		if !same { // another version, or a type that is gone, which no version allows
			if at := strings.LastIndex(name, " v"); at < 0 || !hasOther(now, name[:at]) {
				t.Errorf("%s was released and is gone", name)
			}
			continue
		}
		for _, k := range had {
			if _, found := slices.BinarySearch(has, k); !found {
				t.Errorf("%s: the key %s was released and is gone; see Sessionboard's metadata.version for how to remove one", name, k)
			}
		}
	}
}

// hasOther reports whether there is another version of a body.
func hasOther(all map[string][]string, name string) bool {
	for other := range all {
		if strings.HasPrefix(other, name+" v") {
			return true
		}
	}
	return false
}

// versionOf is the version of a body that has one.
func versionOf(body any) string {
	object, _ := body.(map[string]any)
	metadata, _ := object["metadata"].(map[string]any)
	if version, ok := metadata["version"].(float64); ok {
		return fmt.Sprintf(" v%d", int(version))
	}
	return ""
}
