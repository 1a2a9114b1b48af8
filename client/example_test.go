package client_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"time"

	"github.com/callboard/callboard/client"
	"github.com/callboard/callboard/wire"
	"github.com/callboard/callboard/wire/native"
)

// forExample is a client of a server that is there for the length of an example.
func forExample() (c *client.Client, end func()) {
	ctx := context.Background()
	dir, err := os.MkdirTemp("", "callboard-example-")
	if err != nil {
		panic(err)
	}
	server, token, stop, err := serve(ctx, dir)
	if err != nil {
		panic(err)
	}
	if c, err = client.New(server, token); err != nil {
		panic(err)
	}
	if err := c.Do(ctx, http.MethodPost, "/app", map[string]string{"name": "Acme", "uid": "acme"}, nil); err != nil {
		panic(err)
	}
	return c, func() {
		c.Close()
		if err := errors.Join(stop(), os.RemoveAll(dir)); err != nil {
			panic(err)
		}
	}
}

// An event, a session and somebody who was there. What is told sends the webhooks that follow
// from it, and the attendance can be looked up.
func Example() {
	c, end := forExample() // as a rule client.New("http://127.0.0.1:8071", token)
	defer end()
	ctx := context.Background()
	acme := c.App("acme")
	start := time.Date(2026, 6, 10, 9, 0, 0, 0, time.UTC)

	event, err := acme.Events().Create(ctx, native.Event{ID: wire.Text("summit"), Name: "Summit", StartDate: wire.Millis{Time: start}})
	if err != nil {
		fmt.Println(err)
		return
	}
	if _, err := acme.Sessions("summit").Create(ctx, native.Session{ID: wire.Text("keynote"), Title: "Keynote"}); err != nil {
		fmt.Println(err)
		return
	}
	if _, err := acme.Registrations("summit").Create(ctx, native.Registration{ID: wire.Text("grace")}); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(event.ID, "has the number", event.Number)

	grace := client.Attendance{EventID: "summit", SessionID: "keynote", RegistrationID: "grace"}
	told, err := acme.Tell(
		ctx,
		client.Activity{Type: native.SessionJoined, At: start.Add(time.Minute), Data: grace},
		client.Activity{Type: native.SessionLeft, At: start.Add(43 * time.Minute), Data: grace},
	)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, t := range told {
		fmt.Println(t.Status, "and sent", len(t.Messages), "message")
	}

	report, err := acme.Attendance(ctx, "summit")
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, line := range report.Lines {
		fmt.Println(line.RegistrationID, "was in", line.SessionID, "for", *line.Minutes, "minutes")
	}
	// Output:
	// summit has the number 4001
	// applied and sent 1 message
	// applied and sent 1 message
	// grace was in keynote for 42 minutes
}

// Of several activities one may be refused. It says why, and keeps out none of the others.
func ExampleApp_Tell() {
	c, end := forExample()
	defer end()
	told, err := c.App("acme").Tell(
		context.Background(),
		client.Activity{ID: "a-1", Type: native.ConferenceStarted, Data: client.Meeting{ConferenceID: "weekly", HostID: "ada", CompanyID: "acme"}},
		client.Activity{ID: "a-2", Type: native.ConferenceEnded, Data: client.Meeting{ConferenceID: "daily"}},
	)
	if err != nil {
		fmt.Println(err) // nobody knows what became of the rest: tell it again, under the same ids
		return
	}
	for _, t := range told {
		switch {
		case t.Status != client.Refused:
			fmt.Println(t.ID, t.Status)
		case errors.Is(t.Err, client.ErrNotFound):
			fmt.Println(t.ID, "is about something that is not there:", t.Err.Reason())
		default:
			fmt.Println(t.ID, t.Err)
		}
	}
	// Output:
	// a-1 applied
	// a-2 is about something that is not there: data.conferenceId there is no such conference
}

// A list is read page by page while one goes through it.
func ExampleReader_All() {
	c, end := forExample()
	defer end()
	ctx := context.Background()
	contacts := c.App("acme").Contacts()
	for _, name := range []string{"Ada", "Grace"} {
		if _, err := contacts.Create(ctx, native.Contact{FirstName: name}, client.Quiet()); err != nil {
			fmt.Println(err)
			return
		}
	}
	for contact, err := range contacts.All(ctx) {
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(contact.FirstName)
	}
	// Output:
	// Ada
	// Grace
}

// Any other route of the API: an endpoint, as /docs describes it.
func ExampleClient_Do() {
	c, end := forExample()
	defer end()
	var endpoint struct {
		UID     string   `json:"uid"`
		Filters []string `json:"filterTypes"`
	}
	err := c.Do(context.Background(), http.MethodPost, "/app/acme/endpoint", map[string]any{
		"url": "https://example.com/webhooks", "uid": "mine", "filterTypes": []string{"session.joined", "session.left"},
	}, &endpoint)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(endpoint.UID, endpoint.Filters)
	// Output: mine [session.joined session.left]
}
