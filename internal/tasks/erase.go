package tasks

import (
	"bytes"
	"context"
	"encoding/json"
	"regexp"
	"strconv"

	"github.com/callboard/callboard/internal/commit"
	"github.com/callboard/callboard/internal/id"
	"github.com/callboard/callboard/internal/live"
	"github.com/callboard/callboard/internal/store"
)

const (
	// eraseRows is how many messages one step reads, with their payloads.
	eraseRows = 25
	// eraseBodies is how many received requests one step reads, with their bodies.
	eraseBodies = 50
)

// erase drops the payloads of an app's messages that tell of a person, and the bodies of
// requests that do. The messages stay in the log, and what was still to be delivered of
// them ends: there is nothing to send.
func (r *Runner) erase(ctx context.Context, t store.Task) (moved bool, err error) {
	var person live.Person
	if err := json.Unmarshal([]byte(t.Subject), &person); err != nil {
		return r.submit(ctx, t, commit.Keys{}, func(_ *commit.View, t store.Task) store.Task {
			t.State, t.Reason = store.TaskFailed, "the task does not say whom to forget"
			return t
		})
	}
	told, cursor, err := r.tellingOf(ctx, t, person)
	if err != nil {
		return false, err
	}
	return r.submit(ctx, t, commit.Keys{}, func(v *commit.View, t store.Task) store.Task {
		for _, m := range told.messages {
			v.DropPayload(m)
		}
		for _, k := range told.received {
			v.DropBody(k)
		}
		t.Done += int64(len(told.messages) + len(told.received))
		return over(t, cursor)
	})
}

// telling are the rows that tell of a person.
type telling struct{ messages, received []id.ID }

// tellingOf looks at messages and received requests behind a task's cursor, whose ids are
// in one order, and gives how far it came in both; 0 = to the end.
func (r *Runner) tellingOf(ctx context.Context, t store.Task, person live.Person) (told telling, cursor id.ID, err error) {
	page, err := r.cfg.Store.ListMessages(ctx, store.MessageQuery{
		Page: store.Page{Limit: eraseRows, After: after(t), Ascending: true}, App: t.App, Until: t.Until, Content: true,
	})
	if err != nil {
		return told, 0, err
	}
	until := t.Until
	if !page.Done {
		cursor, until = page.Next, page.Next+1
	}
	bodies, err := r.cfg.Store.ReceivedBodies(ctx, t.App, after(t), until, eraseBodies)
	if err != nil {
		return told, 0, err
	}
	if len(bodies) == eraseBodies {
		cursor = bodies[len(bodies)-1].ID
	}
	names := mentioning(person.ID)
	for i := range page.Rows {
		m := &page.Rows[i]
		if (cursor == 0 || m.ID <= cursor) && (person.Carries(m.Payload) || names(m.Raw)) {
			told.messages = append(told.messages, m.ID)
		}
	}
	for i := range bodies {
		if names(bodies[i].Body) {
			told.received = append(told.received, bodies[i].ID)
		}
	}
	return told, cursor, nil
}

// escapes are JSON's for characters of ASCII, in which ids are.
var escapes = regexp.MustCompile(`\\u00[0-7][0-9A-Fa-f]`)

// mentioning gives a test for bodies that hold an id as a word of its own. What vendors
// sent has any form, or none, so that a short id may be found where it means something
// else: too much goes then, rather than too little.
func mentioning(person string) func(body []byte) bool {
	return func(body []byte) bool {
		if bytes.Contains(body, []byte(`\u00`)) {
			body = escapes.ReplaceAllFunc(body, func(escape []byte) []byte {
				char, _ := strconv.ParseUint(string(escape[2:]), 16, 8)
				return []byte{byte(char)}
			})
		}
		for at := 0; ; at++ {
			next := bytes.Index(body[at:], []byte(person))
			if next < 0 || person == "" {
				return false
			}
			at += next
			end := at + len(person)
			if (at == 0 || !inWord(body[at-1])) && (end == len(body) || !inWord(body[end])) {
				return true
			}
		}
	}
}

// inWord reports whether a byte beside an id makes it part of a longer one.
func inWord(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' || c == '-' || c == '_' || c >= 0x80
}
