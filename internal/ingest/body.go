package ingest

import (
	"bytes"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/callboard/callboard/internal/errs"
)

// errOtherType is what is wrong with a body of another type than its message.
const errOtherType = "must be the message's eventType"

// nativeBody is the frame of a native body: what {type, timestamp, data} hold, as far
// as they are what they should be.
type nativeBody struct {
	kind     string
	at       string
	isObject bool // of data
}

// readBody walks the members of an object. What it cannot read it leaves out.
func readBody(payload []byte) (b nativeBody) {
	dec := jsontext.NewDecoder(bytes.NewReader(payload), jsontext.AllowDuplicateNames(true))
	if open, err := dec.ReadToken(); err != nil || open.Kind() != '{' {
		return b
	}
	for dec.PeekKind() == '"' {
		token, err := dec.ReadToken()
		if err != nil {
			return b
		}
		name := token.String()
		value := dec.PeekKind()
		if value != '"' || name != "type" && name != "timestamp" {
			b.isObject = b.isObject && name != "data" || name == "data" && value == '{'
			if dec.SkipValue() != nil {
				return b
			}
			continue
		}
		if token, err = dec.ReadToken(); err != nil {
			return b
		}
		if name == "type" {
			b.kind = token.String()
		} else {
			b.at = token.String()
		}
	}
	return b
}

// checkBody says what keeps a payload from being a native body of a type.
func checkBody(eventType string, payload []byte) (wrong []errs.Field) {
	b := readBody(payload)
	if b.kind != eventType {
		wrong = append(wrong, errs.Field{Loc: []string{"type"}, Msg: errOtherType})
	}
	if _, err := time.Parse(time.RFC3339Nano, b.at); err != nil {
		wrong = append(wrong, errs.Field{Loc: []string{"timestamp"}, Msg: "must be a time as in RFC 3339, such as 2026-05-04T09:00:00Z"})
	}
	if !b.isObject {
		wrong = append(wrong, errs.Field{Loc: []string{"data"}, Msg: "must be a JSON object"})
	}
	return wrong
}
