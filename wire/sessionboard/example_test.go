package sessionboard_test

import (
	"fmt"
	"time"

	"github.com/callboard/callboard/wire"
	"github.com/callboard/callboard/wire/sessionboard"
)

// A receiver decodes a body, whose signature it has verified, and looks at the type of
// its data. It changes only what the payload has: what is absent is not empty.
func Example() {
	stored := struct{ Title, Description string }{"Opening", "How it all began"}
	body := []byte(`{
		"data": {"id": "fd4e0275-f018-40bc-909a-f8cdfa0df354", "title": "Opening ceremony", "track": null, "sourceOfChange": "user"},
		"metadata": {
			"action": "session.updated", "actor_id": 7, "event_id": 4001, "org_id": "757e8d5b-ce66-45f5-ab36-273414f8ab2f",
			"resource_url": "https://public-api.sessionboard.com/v1/event/4001/sessions/fd4e0275-f018-40bc-909a-f8cdfa0df354",
			"version": 1, "datetime": "2026-04-28T16:00:00Z"
		}
	}`)

	w, err := sessionboard.Decode(body)
	if err != nil {
		fmt.Println(err) // answer with status 400
		return
	}
	switch data := w.Data.(type) {
	case *sessionboard.Session:
		if data.Has("title") {
			stored.Title = data.Title
		}
		if data.Has("description") {
			stored.Description = data.Description
		}
		fmt.Println(w.Metadata.Action, "of event", w.Metadata.EventID, "by", data.Source(), w.ActorID())
		fmt.Printf("%s: %s\n", stored.Title, stored.Description)
		fmt.Println("track was there:", data.Has("track"), "and the room:", data.Has("room"))
	case *sessionboard.Contact:
		fmt.Println("a contact:", data.FullName)
	default:
		fmt.Println("not for us:", w.Metadata.Action)
	}
	// Output:
	// session.updated of event 4001 by user 7
	// Opening ceremony: How it all began
	// track was there: true and the room: false
}

// A sender builds a webhook; all fields of the vendor's schema are written.
func ExampleEncode() {
	body, err := sessionboard.Encode(&sessionboard.Webhook{
		Data: &sessionboard.Sponsor{ID: wire.Text("s-1"), Name: "Beer & Sons", SourceOfChange: sessionboard.SourceUser},
		Metadata: sessionboard.Metadata{
			Action:   sessionboard.SponsorCreated,
			OrgID:    wire.Text("org-1"),
			Version:  sessionboard.CurrentVersion,
			Datetime: wire.Seconds{Time: time.Date(2026, 4, 28, 16, 0, 0, 0, time.UTC)},
		},
	})
	fmt.Println(string(body), err)
	// Output: {"data":{"id":"s-1","friendly_id":null,"friendly_id_raw":null,"name":"Beer & Sons","description":null,"logo_image_url":null,"banner_image_url":null,"phone":null,"address_line_1":null,"address_line_2":null,"address_city":null,"address_state":null,"address_postal_code":null,"address_coutnry":null,"facebook_url":null,"instagram_url":null,"linkedin_url":null,"snapchat_username":null,"tiktok_username":null,"twitter_url":null,"website_url":null,"created_at":null,"updated_at":null,"custom_fields":[],"translated_fields":[],"contacts":[],"sourceOfChange":"user"},"metadata":{"action":"sponsor.created","actor_id":null,"event_id":null,"org_id":"org-1","resource_url":null,"version":1,"datetime":"2026-04-28T16:00:00Z"}} <nil>
}
