package catalog_test

import (
	"encoding/json"
	"errors"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/callboard/callboard/internal/catalog"
	"github.com/callboard/callboard/internal/dialect"
	"github.com/callboard/callboard/internal/errs"
)

// required says what each core type asks for in data, written down by hand: what dialects
// cannot render the type without.
var required = map[string]string{
	"session.joined":     "event.id session.id registration.id",
	"session.left":       "event.id session.id registration.id",
	"session.time_spent": "event.id session.id registration.id timeSpentInMinutes",

	"session.created":          "session.id event.id event.number",
	"session.updated":          "session.id event.id event.number",
	"session.deleted":          "session.id event.id event.number",
	"session.speaker.attached": "session.id speaker.id event.id event.number",
	"session.speaker.detached": "session.id speaker.id event.id event.number",

	"contact.created":             "contact.id",
	"contact.updated":             "contact.id",
	"contact.deleted":             "contact.id",
	"contact.event.associated":    "contact.id event.id event.number",
	"contact.event.disassociated": "contact.id event.id event.number",

	"exhibitor.created":             "exhibitor.id",
	"exhibitor.updated":             "exhibitor.id",
	"exhibitor.deleted":             "exhibitor.id",
	"exhibitor.event.associated":    "exhibitor.id event.id event.number",
	"exhibitor.event.disassociated": "exhibitor.id event.id event.number",

	"sponsor.created":             "sponsor.id",
	"sponsor.updated":             "sponsor.id",
	"sponsor.deleted":             "sponsor.id",
	"sponsor.event.associated":    "sponsor.id event.id event.number",
	"sponsor.event.disassociated": "sponsor.id event.id event.number",

	"event.created":    "event.id",
	"event.updated":    "event.id",
	"event.time_spent": "event.id registration.id timeSpentInMinutes",

	"registration.created":  "event.id registration.id",
	"registration.attended": "event.id registration.id",
	"registration.no_show":  "event.id registration.id",

	"conference.started":                  "conferenceId",
	"conference.ended":                    "conferenceId",
	"conference.recording.started":        "conferenceId",
	"conference.recording.stopped":        "conferenceId",
	"conference.recording.ready":          "conferenceId recordingId downloadLink",
	"conference.transcription.ready":      "conferenceId",
	"conference.stream.started":           "conferenceId",
	"conference.stream.stopped":           "conferenceId",
	"conference.stream.preview_updated":   "conferenceId videoUrl",
	"conference.broadcast.started":        "conferenceId",
	"conference.broadcast.stopped":        "conferenceId",
	"conference.participant.entered":      "conferenceId participantId",
	"conference.participant.left":         "conferenceId participantId",
	"conference.participant.role_changed": "conferenceId participantId participantRole",
	"conference.participant.time_spent":   "conferenceId participantId timeSpentInMinutes",
	"conference.livestream.entered":       "conferenceId participantId",
	"conference.livestream.left":          "conferenceId participantId",
	"conference.dialout.status_changed":   "conferenceId participantId status",
	"conference.access_code.reused":       "conferenceId originalConferenceId",

	"host.profile_picture.uploaded": "hostId",
	"host.profile_picture.failed":   "hostId",
	"drive.file.added":              "hostId id filename",
	"drive.file.deleted":            "hostId id filename",

	"conversation.user_joined":        "conversation.id",
	"conversation.user_left":          "conversation.id",
	"conversation.completed":          "conversation.id",
	"conversation.analysis_completed": "conversation.id",
}

// requiredPaths are the members without which a payload of a type does not fit.
func requiredPaths(name string) map[string]bool {
	paths := map[string]bool{"type": true, "timestamp": true, "data": true}
	for member := range strings.FieldsSeq(required[name]) {
		object, _, _ := strings.Cut(member, ".")
		paths["data."+object], paths["data."+member] = true, true
	}
	return paths
}

func TestTypesAreThoseOfTheTable(t *testing.T) {
	t.Parallel()
	var names []string
	for _, typ := range catalog.New().Types() {
		names = append(names, typ.Name)
	}
	if diff := cmp.Diff(slices.Sorted(maps.Keys(required)), names); diff != "" {
		t.Errorf("types (-want +got):\n%s", diff)
	}
}

func TestTypesAreDescribed(t *testing.T) {
	t.Parallel()
	groups := []string{
		"contact", "conference", "conversation", "drive", "event", "exhibitor", "host", "registration", "session", "sponsor",
	}
	name := regexp.MustCompile(`^[A-Za-z0-9_.-]{1,256}$`)
	for _, typ := range catalog.New().Types() {
		if !name.MatchString(typ.Name) {
			t.Errorf("%s: not a name of an event type", typ.Name)
		}
		if !slices.Contains(groups, typ.Group) {
			t.Errorf("%s: group %q is not known", typ.Name, typ.Group)
		}
		if len(typ.Description) < 20 || !strings.HasSuffix(typ.Description, ".") {
			t.Errorf("%s: description %q", typ.Name, typ.Description)
		}
	}
}

// TestSchemasAreSmallAndOpen: together they go into the API's description, and none may
// refuse what a vendor adds.
func TestSchemasAreSmallAndOpen(t *testing.T) {
	t.Parallel()
	size := 0
	for _, typ := range catalog.New().Types() {
		size += len(typ.Schema)
		if !json.Valid(typ.Schema) {
			t.Fatalf("%s: schema is no JSON", typ.Name)
		}
		for _, closed := range []string{`"enum"`, `"additionalProperties"`, `"unevaluatedProperties"`} {
			if strings.Contains(string(typ.Schema), closed) {
				t.Errorf("%s: the schema has %s", typ.Name, closed)
			}
		}
	}
	if size > 450_000 {
		t.Errorf("schemas have %d bytes together", size)
	}
}

func TestSamplesFit(t *testing.T) {
	t.Parallel()
	c := catalog.New()
	for _, typ := range c.Types() {
		if found := check(t, c, typ.Name, typ.Sample); len(found) > 0 {
			t.Errorf("%s: %v", typ.Name, found)
		}
		if strings.Contains(string(typ.Sample), "organizationId") {
			t.Errorf("%s: the sample names an organization: dialects write the app's id", typ.Name)
		}
	}
}

// TestEachMemberOfSamplesRemoved takes away each member of each sample, at all depths:
// one that is required is named, and nothing else; without one that is not, the payload
// fits.
func TestEachMemberOfSamplesRemoved(t *testing.T) {
	t.Parallel()
	c := catalog.New()
	for _, typ := range c.Types() {
		asked := requiredPaths(typ.Name)
		for _, path := range paths(t, typ.Sample) {
			var want []string
			if key := strings.Join(path, "."); asked[key] {
				want = []string{key + ": is required"}
				delete(asked, key)
			}
			got := check(t, c, typ.Name, change(t, typ.Sample, path, remove))
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s without %v (-want +got):\n%s", typ.Name, path, diff)
			}
		}
		if len(asked) > 0 {
			t.Errorf("%s: the sample does not have %v", typ.Name, asked)
		}
	}
}

// TestEachMemberOfSamplesNull: all but what is required, and the ids and numbers that
// objects have, may be null.
func TestEachMemberOfSamplesNull(t *testing.T) {
	t.Parallel()
	c := catalog.New()
	for _, typ := range c.Types() {
		asked := requiredPaths(typ.Name)
		for _, path := range paths(t, typ.Sample) {
			got := check(t, c, typ.Name, change(t, typ.Sample, path, func(any) any { return nil }))
			key := strings.Join(path, ".")
			switch named := len(got) == 1 && strings.HasPrefix(got[0], key+": must be "); {
			case asked[key] && !named:
				t.Errorf("%s with %s null: %v", typ.Name, key, got)
			case !asked[key] && !strictOfObjects.MatchString(key) && got != nil:
				t.Errorf("%s with %s null: %v", typ.Name, key, got)
			}
		}
	}
}

// strictOfObjects are the members of objects that are never null.
var strictOfObjects = regexp.MustCompile(`\.(event|session|registration|contact|speaker|speakers\.\d+|chairpersons\.\d+|` +
	`moderators\.\d+|participants\.\d+|sponsors?(\.\d+)?|exhibitors?(\.\d+)?|contacts\.\d+|subsessions\.\d+|conversation)\.(id|number)$`)

// raw are the members whose form nobody documents: anything goes.
var raw = []string{
	"customStatus", "composition", "content", "ceuCredits", "customFields", "translatedFields", "metadata", "postCallMetadata",
	"transcript", "dynamicVariables",
}

// TestEachMemberOfSamplesOfAWrongType replaces each member of each sample by something
// that it cannot be.
func TestEachMemberOfSamplesOfAWrongType(t *testing.T) {
	t.Parallel()
	c := catalog.New()
	for _, typ := range c.Types() {
		for _, path := range paths(t, typ.Sample) {
			if slices.ContainsFunc(path, func(segment string) bool { return slices.Contains(raw, segment) }) {
				continue
			}
			got := check(t, c, typ.Name, change(t, typ.Sample, path, wrong))
			if key := strings.Join(path, "."); len(got) != 1 || !strings.HasPrefix(got[0], key+": must be ") {
				t.Errorf("%s with a wrong %s: %v", typ.Name, key, got)
			}
		}
	}
}

// wrong is of a type that members of the value's type do not take.
func wrong(v any) any {
	if _, ok := v.(bool); ok {
		return "true"
	}
	return true
}

func TestCheckNamesWhatIsWrong(t *testing.T) {
	t.Parallel()
	c := catalog.New()
	for name, tt := range map[string]struct {
		typ     string
		payload string
		want    []string
	}{
		"empty": {
			"session.joined", `{}`,
			[]string{"data: is required", "timestamp: is required", "type: is required"},
		},
		"not an object": {"session.joined", `[]`, []string{": must be an object"}},
		"not JSON":      {"session.joined", `{"type":`, []string{": must be JSON"}},
		"empty data": {
			"session.time_spent", `{"type":"session.time_spent","timestamp":"2027-06-11T17:30:00Z","data":{}}`,
			[]string{
				"data.event: is required", "data.registration: is required", "data.session: is required",
				"data.timeSpentInMinutes: is required",
			},
		},
		"type and time": {
			"event.created", `{"type":"event.updated","timestamp":"yesterday","data":{"event":{"id":1}}}`,
			[]string{"timestamp: must be a time such as 2027-06-10T09:00:00.000Z", "type: must be event.created"},
		},
		"objects": {
			"registration.created", `{"type":"registration.created","timestamp":"2027-06-11T17:30:00+02:00","data":{
				"event":"e1","registration":{"id":{}, "profile":{"firstName":1}}}}`,
			[]string{
				"data.event: must be an object", "data.registration.id: must be a string or a number",
				"data.registration.profile.firstName: must be a string or null",
			},
		},
		"minutes": {
			"event.time_spent", `{"type":"event.time_spent","timestamp":"2027-06-11T17:30:00Z","data":{
				"event":{"id":"e"},"registration":{"id":"r"},"timeSpentInMinutes":-1}}`,
			[]string{"data.timeSpentInMinutes: must be at least 0"},
		},
		"too many minutes": {
			"event.time_spent", `{"type":"event.time_spent","timestamp":"2027-06-11T17:30:00Z","data":{
				"event":{"id":"e"},"registration":{"id":"r"},"timeSpentInMinutes":2147483648}}`,
			[]string{"data.timeSpentInMinutes: must be at most 2147483647"},
		},
		"half a minute": {
			"event.time_spent", `{"type":"event.time_spent","timestamp":"2027-06-11T17:30:00Z","data":{
				"event":{"id":"e"},"registration":{"id":"r"},"timeSpentInMinutes":0.5}}`,
			[]string{"data.timeSpentInMinutes: must be a whole number"},
		},
		"no such number": {
			"drive.file.added", `{"type":"drive.file.added","timestamp":"2027-06-11T17:30:00Z","data":{
				"hostId":1,"id":1,"filename":"a","size":1e999999999}}`,
			[]string{"data.size: must be a number that 64 bits can hold"},
		},
		"whole numbers that no dialect can write": {
			"session.updated", `{"type":"session.updated","timestamp":"2027-06-11T17:30:00Z","data":{"event":{"id":1,"number":1e300},
				"session":{"id":"s","capacity":-1e300,"friendlyIdRaw":1e19,"sponsors":[{"friendlyIdRaw":1e300}]}}}`,
			[]string{
				"data.event.number: must be at most 9223372036854775807",
				"data.session.capacity: must be at least -9223372036854775808",
				"data.session.friendlyIdRaw: must be at most 9223372036854775807",
				"data.session.sponsors.0.friendlyIdRaw: must be at most 9223372036854775807",
			},
		},
		"items in order": {
			"session.updated", `{"type":"session.updated","timestamp":"2027-06-11T17:30:00Z","data":{"event":{"id":1,"number":2},
				"session":{"id":"s","tags":["a",1,"b","c","d","e","f","g","h","i",2],"location":[{"link":7}],
				"subsessions":[{"capacity":"many"}]}}}`,
			[]string{
				"data.session.location.0.link: must be a string or null", "data.session.subsessions.0.capacity: must be a whole number or null",
				"data.session.tags.1: must be a string or an object", "data.session.tags.10: must be a string or an object",
			},
		},
		"open": {
			"conference.dialout.status_changed", `{"type":"conference.dialout.status_changed","timestamp":"2027-06-11T17:30:00.123456Z",
				"data":{"conferenceId":1258835,"participantId":"p","status":"queued","hostId":null,"x":{}},"y":[]}`,
			nil,
		},
		"the last of two": {
			"conference.started", `{"type":"conference.started","timestamp":"2027-06-11T17:30:00Z","data":{},"data":{"conferenceId":"c"}}`,
			nil,
		},
		"no UTF-8": {
			"conference.started", `{"type":"conference.started","timestamp":"2027-06-11T17:30:00Z","data":{"conferenceId":"` + "\xff" + `"}}`,
			nil,
		},
		"a time that cannot be written": {
			"conference.started", `{"type":"conference.started","timestamp":"9999-12-31T23:59:59-01:00","data":{"conferenceId":"c"}}`,
			[]string{"timestamp: must be a time such as 2027-06-10T09:00:00.000Z"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(tt.want, check(t, c, tt.typ, []byte(tt.payload))); diff != "" {
				t.Errorf("problems (-want +got):\n%s", diff)
			}
		})
	}
}

// TestCheckOfManyProblems: a payload cannot make the answer as large as itself, nor, by
// nesting, larger.
func TestCheckOfManyProblems(t *testing.T) {
	t.Parallel()
	c := catalog.New()
	payload := func(tags string) []byte {
		return []byte(`{"type":"session.created","timestamp":"2027-06-11T17:30:00Z","data":{"event":{"id":1,"number":2},` +
			`"session":{"id":"s","tags":[` + tags + `]}}}`)
	}
	found, err := c.Check("session.created", payload(strings.Repeat("1,", 100_000)+"1"))
	if err != nil || len(found) != catalog.MaxProblems {
		t.Fatalf("%d problems, %v", len(found), err)
	}
	last := []string{"data", "session", "tags", strconv.Itoa(catalog.MaxProblems - 1)}
	if diff := cmp.Diff(last, found[len(found)-1].Loc); diff != "" {
		t.Errorf("last problem (-want +got):\n%s", diff)
	}

	const deep = 4000
	nested := strings.Repeat(`{"id":true,"subsessions":[`, deep) + strings.Repeat(`]}`, deep)
	got := check(t, c, "session.created", []byte(`{"type":"session.created","timestamp":"2027-06-11T17:30:00Z",`+
		`"data":{"event":{"id":1,"number":2},"session":`+nested+`}}`))
	want := []string{"data.session.id: must be a string or a number", "data.session.subsessions.0.id: must be a string or a number"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("nested (-want +got):\n%s", diff)
	}
}

func TestCheckOfOwnTypes(t *testing.T) {
	t.Parallel()
	own := dialect.EventType{Name: "acme.WAVED", Group: "acme", Schema: []byte(`{
		"type": "object", "required": ["hand"], "properties": {
			"hand": {"enum": ["left", "right", 3]},
			"name": {"minLength": 1, "maxLength": 3},
			"code": {"minLength": 2},
			"how": {"anyOf": [{"type": "string"}, {"type": "integer"}]},
			"who": {"allOf": [{"type": "object", "required": ["id"]}]},
			"mail": {"format": "email"}
		}}`)}
	c := catalog.New(own, dialect.EventType{Name: "acme.FREE"}, dialect.EventType{Name: "acme.WAVED"})
	for _, tt := range []struct {
		typ, payload string
		want         []string
	}{
		{"acme.FREE", `{"any": "thing"}`, nil},
		{"acme.WAVED", `{"hand": "left", "name": "Jan", "how": 1, "who": {"id": 1}, "mail": "a@example.com"}`, nil},
		{"acme.WAVED", `{"hand": "secret", "name": "", "how": [], "who": {}, "mail": "secret"}`, []string{
			"hand: must be one of left, right, 3", "how: does not fit the schema", "mail: must have the format email",
			"name: must not be empty", "who.id: is required",
		}},
		{"acme.WAVED", `{"hand": "left", "name": "secret", "code": "s"}`, []string{
			"code: must have at least 2 characters", "name: must have at most 3 characters",
		}},
	} {
		if diff := cmp.Diff(tt.want, check(t, c, tt.typ, []byte(tt.payload))); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.payload, diff)
		}
	}
	if n := len(c.Types()); n != len(required)+2 {
		t.Errorf("%d types", n)
	}
}

func TestCheckCannot(t *testing.T) {
	t.Parallel()
	c := catalog.New(
		dialect.EventType{Name: "acme.BROKEN", Schema: []byte(`{"type": 7}`)},
		dialect.EventType{Name: "acme.REMOTE", Schema: []byte(`{"$ref": "https://example.com/schema.json"}`)},
		dialect.EventType{Name: "acme.FILE", Schema: []byte(`{"$ref": "file:///etc/hostname"}`)},
		dialect.EventType{Name: "acme.CUT", Schema: []byte(`{`)},
	)
	if _, err := c.Check("acme.unknown", []byte(`{}`)); !errors.Is(err, catalog.ErrUnknownType) {
		t.Errorf("unknown type: %v", err)
	}
	for _, name := range []string{"acme.BROKEN", "acme.REMOTE", "acme.FILE", "acme.CUT"} {
		if found, err := c.Check(name, []byte(`{}`)); err == nil || errors.Is(err, catalog.ErrUnknownType) {
			t.Errorf("%s: %v, %v", name, found, err)
		}
	}
}

// TestOwnTypesDoNotReplaceCoreTypes: what one dialect says of a core type cannot change
// what the others get.
func TestOwnTypesDoNotReplaceCoreTypes(t *testing.T) {
	t.Parallel()
	want, _ := catalog.New().Get("session.joined")
	got, ok := catalog.New(dialect.EventType{Name: "session.joined", Group: "acme"}).Get("session.joined")
	if diff := cmp.Diff(want, got); !ok || diff != "" {
		t.Errorf("session.joined (-want +got):\n%s", diff)
	}
	if _, ok := catalog.New().Get("acme.WAVED"); ok {
		t.Error("another catalogue's type is found")
	}
}

func TestTypesAreTheCallers(t *testing.T) {
	t.Parallel()
	c := catalog.New()
	c.Types()[0].Name = "mine"
	if got := c.Types()[0].Name; got == "mine" {
		t.Errorf("the catalogue says %s", got)
	}
}

// TestCheckTogether has all types compiled at the same time as they are used.
func TestCheckTogether(t *testing.T) {
	t.Parallel()
	c := catalog.New()
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			for _, typ := range c.Types() {
				if found, err := c.Check(typ.Name, typ.Sample); err != nil || len(found) > 0 {
					t.Errorf("%s: %v, %v", typ.Name, found, err)
				}
			}
		})
	}
	group.Wait()
}

func FuzzCheck(f *testing.F) {
	c := catalog.New()
	for _, typ := range c.Types() {
		f.Add(typ.Name, typ.Sample)
		f.Add(typ.Name, []byte(strings.ReplaceAll(string(typ.Sample), `"`, `1`)))
	}
	f.Add("session.created", []byte(`{"data":{"session":{"location":[[]],"speakers":[{"id":1e999}]}}}`))
	f.Fuzz(func(t *testing.T, name string, payload []byte) {
		found, err := c.Check(name, payload)
		if _, known := c.Get(name); known == (err != nil) {
			t.Fatalf("known %v, error %v", known, err)
		}
		if len(found) > catalog.MaxProblems {
			t.Fatalf("%d problems", len(found))
		}
		for _, problem := range found {
			if problem.Msg == "" || problem.Loc == nil {
				t.Fatalf("problem %v", problem)
			}
		}
		again, _ := c.Check(name, payload)
		if diff := cmp.Diff(found, again); diff != "" {
			t.Fatalf("not the same again:\n%s", diff)
		}
	})
}

// check tells the problems as "path: message".
func check(t *testing.T, c *catalog.Catalog, name string, payload []byte) []string {
	t.Helper()
	found, err := c.Check(name, payload)
	if err != nil {
		t.Fatalf("check %s: %v", name, err)
	}
	return texts(found)
}

func texts(found []errs.Field) []string {
	var all []string
	for _, f := range found {
		all = append(all, strings.Join(f.Loc, ".")+": "+f.Msg)
	}
	return all
}

// paths lists the members of a payload, at all depths and within arrays.
func paths(t *testing.T, payload []byte) [][]string {
	t.Helper()
	var all [][]string
	var walk func(at []string, v any)
	walk = func(at []string, v any) {
		switch v := v.(type) {
		case map[string]any:
			for _, name := range slices.Sorted(maps.Keys(v)) {
				path := append(slices.Clone(at), name)
				all = append(all, path)
				walk(path, v[name])
			}
		case []any:
			for i, item := range v {
				walk(append(slices.Clone(at), strconv.Itoa(i)), item)
			}
		}
	}
	walk(nil, parse(t, payload))
	return all
}

func parse(t *testing.T, payload []byte) any {
	t.Helper()
	var v any
	if err := json.Unmarshal(payload, &v); err != nil {
		t.Fatal(err)
	}
	return v
}

// absent is what a member becomes that is taken away.
type absent struct{}

func remove(any) any { return absent{} }

// change gives the member at a path another value.
func change(t *testing.T, payload []byte, path []string, to func(any) any) []byte {
	t.Helper()
	whole := parse(t, payload)
	inner := whole
	for _, segment := range path[:len(path)-1] {
		switch v := inner.(type) {
		case map[string]any:
			inner = v[segment]
		case []any:
			i, _ := strconv.Atoi(segment)
			inner = v[i]
		}
	}
	last := path[len(path)-1]
	object := inner.(map[string]any)
	if object[last] = to(object[last]); object[last] == any(absent{}) {
		delete(object, last)
	}
	changed, err := json.Marshal(whole)
	if err != nil {
		t.Fatal(err)
	}
	return changed
}
