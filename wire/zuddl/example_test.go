package zuddl_test

import (
	"fmt"
	"time"

	"github.com/callboard/callboard/wire"
	"github.com/callboard/callboard/wire/zuddl"
)

// A receiver decodes a body, whose signature it has verified, and looks at the action.
func Example() {
	body := []byte(`{
		"action": "TIME_SPENT_IN_SESSION",
		"actionId": "a912a64f-8865-4289-9024-9a120792c3d8",
		"actionCreatedAt": "2026-05-04T10:00:00Z",
		"registration": {"id": "reg-1", "profile": {"firstName": "Jane", "lastName": "Smith"}},
		"session": {"id": "session-1", "title": "Opening"},
		"timeSpentInMinutes": 42
	}`)

	w, err := zuddl.Decode(body)
	if err != nil {
		fmt.Println(err) // answer with status 400
		return
	}
	switch w.Action {
	case zuddl.JoinedSession:
		if w.Registration != nil && w.Session != nil {
			fmt.Println(w.Registration.ID, "entered", w.Session.Title)
		}
	case zuddl.TimeSpentInSession:
		if w.Registration != nil && w.Session != nil && w.TimeSpentInMinutes != nil {
			fmt.Printf("%v was in %q for %d minutes\n", w.Registration.ID, w.Session.Title, *w.TimeSpentInMinutes)
		}
	default:
		fmt.Println("not for us:", w.Action)
	}
	// Output: reg-1 was in "Opening" for 42 minutes
}

// A sender builds a webhook; what it leaves out is not written.
func ExampleEncode() {
	body, err := zuddl.Encode(&zuddl.Webhook{
		Action:          zuddl.JoinedSession,
		ActionID:        wire.Text("a912a64f-8865-4289-9024-9a120792c3d8"),
		Actor:           &zuddl.Actor{ID: wire.Text("reg-1"), Type: zuddl.ActorUser},
		ActionCreatedAt: wire.Seconds{Time: time.Date(2026, 5, 4, 10, 0, 0, 0, time.UTC)},
		Session:         &zuddl.Session{ID: wire.Text("session-1"), Title: "Questions & answers"},
	})
	fmt.Println(string(body), err)
	// Output: {"action":"JOINED_SESSION","actionId":"a912a64f-8865-4289-9024-9a120792c3d8","actor":{"id":"reg-1","type":"USER"},"actionCreatedAt":"2026-05-04T10:00:00Z","session":{"id":"session-1","title":"Questions & answers","speakers":[],"sponsors":[],"tags":[]}} <nil>
}
