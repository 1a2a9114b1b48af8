package dialect

import (
	"bytes"
	"encoding/json"
	"time"
)

// Verdict says whether a request comes from who holds a secret.
type Verdict struct {
	Valid bool
	// ID and SentAt are what the signature vouches for besides the body, if it does:
	// "" and zero otherwise.
	ID     string
	SentAt time.Time
	// Why is what is wrong with a request that is not valid.
	Why string
	// Hint is what would make it valid, if that is known: a habit of a sender's or of
	// something on the way.
	Hint string
}

// Problem is what is wrong with a request that is not valid, and what would mend it as
// far as that is known.
func (v Verdict) Problem() string {
	if v.Hint == "" {
		return v.Why
	}
	return v.Why + "; " + v.Hint
}

// TypeIn finds what a body of any dialect calls its own type, whether it was verified or
// not; "" = nothing.
func TypeIn(body []byte) string {
	var said struct {
		Type, Action, EventType, Event any
		Metadata                       struct{ Action any }
	}
	if json.Unmarshal(body, &said) != nil {
		return ""
	}
	for _, v := range []any{said.Type, said.Action, said.EventType, said.Event, said.Metadata.Action} {
		if text, ok := v.(string); ok && text != "" {
			return text
		}
	}
	return ""
}

// Body is one of the forms into which bodies are often changed before they are
// verified.
type Body struct {
	Name string // completes "the signature is of the body "
	Text []byte
}

// Bodies are the forms that a body may have had when it was signed, its own left out.
func Bodies(body []byte) []Body {
	var all []Body
	add := func(name string, text []byte) {
		if !bytes.Equal(text, body) {
			all = append(all, Body{name, text})
		}
	}
	add("without the space around it", bytes.TrimSpace(body))
	add("with a newline at its end", append(bytes.TrimRight(bytes.Clone(body), "\r\n"), '\n'))
	add("with LF for CR LF", bytes.ReplaceAll(body, []byte("\r\n"), []byte("\n")))
	var compact bytes.Buffer
	if json.Compact(&compact, body) == nil {
		add("without space between its parts: it was parsed and written again", compact.Bytes())
	}
	for _, indent := range []string{"  ", "    "} {
		var spread bytes.Buffer
		if json.Indent(&spread, body, "", indent) == nil {
			add("indented: it was parsed and written again", spread.Bytes())
		}
	}
	return all
}
