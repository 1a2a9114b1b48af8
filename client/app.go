package client

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"

	"github.com/callboard/callboard/wire/native"
)

// App is an app of a server: a small value, made by [Client.App].
type App struct {
	client *Client
	name   string
}

// place is a path below an app.
type place struct {
	client *Client
	names  []string
}

func (a App) at(names ...string) place {
	return place{a.client, append([]string{"app", a.name}, names...)}
}

func (p place) at(names ...string) place {
	return place{p.client, append(slices.Clip(p.names), names...)}
}

// do makes a request of the place. An id that is empty would name another route, so it is
// refused here.
func (p place) do(ctx context.Context, method, query string, in, out any) error {
	path, err := p.path()
	if err != nil {
		return err
	}
	return p.client.Do(ctx, method, path+query, in, out)
}

func (p place) path() (path string, err error) {
	for i, name := range p.names {
		if name == "" || name == "." || name == ".." {
			return "", fmt.Errorf("client: the id after %q: must not be empty, a dot or two", p.names[max(0, i-1)])
		}
		path += "/" + url.PathEscape(name)
	}
	return path, nil
}

// Events are the app's events: programmes that people attend.
func (a App) Events() *Resource[native.Event] { return resource[native.Event](a.at("event")) }

// Sessions are the parts of an event.
func (a App) Sessions(eventID string) *Resource[native.Session] {
	return resource[native.Session](a.at("event", eventID, "session"))
}

// Registrations are those who are registered for an event.
func (a App) Registrations(eventID string) *Resource[native.Registration] {
	return resource[native.Registration](a.at("event", eventID, "registration"))
}

// Contacts are the people whom the app knows, such as speakers.
func (a App) Contacts() *Guests[native.Contact] { return guests[native.Contact](a.at("contact")) }

// Exhibitors are the companies that show something at events.
func (a App) Exhibitors() *Guests[native.Exhibitor] {
	return guests[native.Exhibitor](a.at("exhibitor"))
}

// Sponsors are the companies that pay for something at events.
func (a App) Sponsors() *Guests[native.Sponsor] { return guests[native.Sponsor](a.at("sponsor")) }

// Conferences are the conferences as they are now. Activities make and change them.
func (a App) Conferences() *Reader[Conference] { return &Reader[Conference]{a.at("conference")} }

// Conversations are the conversations as they are now. Activities make and change them.
func (a App) Conversations() *Reader[native.Conversation] {
	return &Reader[native.Conversation]{a.at("conversation")}
}

// AttachSpeaker makes a contact a speaker of a session. fields is what is said of the contact
// there besides, such as [native.Participant] with a ParticipantRole, or a map; nil = nothing.
// Fields of one who is a speaker already change the session.
func (a App) AttachSpeaker(ctx context.Context, eventID, sessionID, contactID string, fields any, changes ...Change) error {
	return a.speaker(eventID, sessionID, contactID).do(ctx, http.MethodPut, query(changes), fields, nil)
}

// DetachSpeaker undoes that. One who is no speaker of the session stays so without an error.
func (a App) DetachSpeaker(ctx context.Context, eventID, sessionID, contactID string, changes ...Change) error {
	return a.speaker(eventID, sessionID, contactID).do(ctx, http.MethodDelete, query(changes), nil, nil)
}

func (a App) speaker(eventID, sessionID, contactID string) place {
	return a.at("event", eventID, "session", sessionID, "speaker", contactID)
}
