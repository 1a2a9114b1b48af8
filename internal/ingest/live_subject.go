package ingest

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/callboard/callboard/internal/live"
)

// subject is the resource that an activity is about.
type subject struct {
	kind       live.Kind // 0 = it is about no resource
	parent, id string
	made       bool // the id was made up here
}

// identify reads which resource an activity is about. One that creates something without
// an id gets one: before the unit, since a decision may run several times and has to
// decide the same. What cannot be read is left as it is, for live to refuse.
func identify(a *live.Activity) subject {
	noun, word, _ := strings.Cut(a.Type, ".")
	about := subject{kind: kindOf(noun)}
	if about.kind == 0 || word != "created" && word != "updated" && word != "deleted" {
		return subject{}
	}
	var data map[string]jsontext.Value
	if json.Unmarshal(a.Data, &data) != nil || data == nil {
		return about
	}
	if about.kind == live.Session || about.kind == live.Registration {
		about.parent = firstOf(idIn(data["eventId"]), idWithin(data["event"]))
	}
	beside := noun + "Id"
	about.id = firstOf(idIn(data[beside]), idWithin(data[noun]))
	if !isObject(data[noun]) {
		about.id = firstOf(about.id, idIn(data["id"]))
	}
	creates := a.Mode == live.Create || a.Mode == live.Upsert && word == "created"
	if about.id != "" || !creates || hasID(data, noun) {
		return about
	}
	about.id, about.made = newUUID(), true
	a.Data = withMember(a.Data, data, beside, about.id)
	return about
}

func kindOf(noun string) live.Kind {
	switch noun {
	case "event":
		return live.Event
	case "session":
		return live.Session
	case "registration":
		return live.Registration
	case "contact":
		return live.Contact
	case "exhibitor":
		return live.Exhibitor
	case "sponsor":
		return live.Sponsor
	}
	return 0
}

// hasID reports whether data name an id that is no id, which is not to be hidden.
func hasID(data map[string]jsontext.Value, noun string) bool {
	var body map[string]jsontext.Value
	if isObject(data[noun]) {
		if json.Unmarshal(data[noun], &body) != nil {
			return true
		}
	} else {
		body = data
	}
	return given(data[noun+"Id"]) || given(body["id"])
}

func given(v jsontext.Value) bool { return v != nil && v.Kind() != 'n' }

func isObject(v jsontext.Value) bool { return v != nil && v.Kind() == '{' }

func firstOf(texts ...string) string {
	for _, t := range texts {
		if t != "" {
			return t
		}
	}
	return ""
}

// idIn is the text of an id, which is a string or a number; "" for anything else.
func idIn(v jsontext.Value) string {
	if v == nil {
		return ""
	}
	switch v.Kind() {
	case '"':
		var text string
		if json.Unmarshal(v, &text) == nil {
			return text
		}
	case '0':
		return string(v)
	}
	return ""
}

// idWithin is the id of an object.
func idWithin(v jsontext.Value) string {
	if !isObject(v) {
		return ""
	}
	var body struct {
		ID jsontext.Value `json:"id"`
	}
	if json.Unmarshal(v, &body) != nil {
		return ""
	}
	return idIn(body.ID)
}

// withMember is a JSON object with one more member, at its beginning: the order of the
// others is the caller's. Where the member is there already, as null, the order is lost.
func withMember(object []byte, members map[string]jsontext.Value, name, text string) []byte {
	if _, there := members[name]; there {
		members[name] = jsontext.Value(`"` + text + `"`)
		whole, err := json.Marshal(members, json.Deterministic(true))
		if err != nil {
			return object
		}
		return whole
	}
	head := fmt.Sprintf(`{"%s":"%s"`, name, text)
	if len(members) > 0 {
		head += ","
	}
	rest := bytes.TrimLeft(object, " \t\r\n")[1:]
	return slices.Concat([]byte(head), rest)
}

// newUUID is a random UUID (RFC 9562, version 4).
func newUUID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // it never fails
	b[6] = b[6]&0x0f | 0x40
	b[8] = b[8]&0x3f | 0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
