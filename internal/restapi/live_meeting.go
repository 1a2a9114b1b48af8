package restapi

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/callboard/callboard/internal/id"
	"github.com/callboard/callboard/internal/live"
)

// meetings are what activities alone change, and clients look at.
var meetings = []resource{
	{
		noun: "conference", a: "a conference", plural: "conferences", kind: live.Conference, object: "conference",
		about: "A conference as it is now: it follows from the activities about it.",
		shown: `{"id":"weekly","status":"live","participants":1,"hostId":"h-1","companyId":"acme","startedAt":"2027-06-10T09:00:00.000Z",` +
			`"recording":"running"}`,
	},
	{
		noun: "conversation", a: "a conversation", plural: "conversations", kind: live.Conversation, object: "conversation",
		about: "A conversation as it is now: it follows from the activities about it.",
		shown: `{"id":"call-1","createdAt":"2027-06-10T09:00:00.000Z","toPhoneNumber":"+442071234567","userJoinTime":"2027-06-10T09:00:00.000Z",` +
			`"conversationStatus":"active","updatedAt":"2027-06-10T09:00:00.000Z"}`,
	},
}

// ParticipantOut is somebody's part in a conference.
type ParticipantOut struct {
	ParticipantID  json.RawMessage `json:"participantId" doc:"As it was told: a string, or a number."`
	Name           json.RawMessage `json:"participantName,omitzero"`
	Email          json.RawMessage `json:"participantEmail,omitzero"`
	PhoneNumber    json.RawMessage `json:"participantPhoneNumber,omitzero"`
	Role           json.RawMessage `json:"participantRole,omitzero"`
	DialoutStatus  json.RawMessage `json:"dialoutStatus,omitzero" doc:"How far the last call to the participant came."`
	Present        bool            `json:"present" doc:"Whether the participant is in the conference now."`
	Watching       bool            `json:"watching" doc:"Whether the participant watches the live stream now."`
	FirstEnteredAt time.Time       `json:"firstEnteredAt,omitzero"`
	LastLeftAt     time.Time       `json:"lastLeftAt,omitzero" doc:"At the latest the conference's end."`
	Minutes        int64           `json:"minutes" doc:"Time spent so far, several devices counted once."`
	Late           bool            `json:"late" doc:"Whether some of it came after time spent was told."`
}

// registerParticipants puts the list of a conference's participants on the mux.
func (a *api) registerParticipants() {
	const path = "/app/{app_id}/conference/{conference_id}/participant"
	handle(a, huma.Operation{
		OperationID: "v1.conference.participant.list", Method: http.MethodGet, Path: path, Tags: []string{tagLive},
		Summary: "List a conference's participants",
		Description: "Who is and was in the conference, for how long, and who watches it, as of now. Who came first is first, " +
			"unless asked otherwise.",
		Parameters: pathParams(path),
	}, accessRead, listParticipants)
	page := a.huma.OpenAPI().Paths[prefix+path].Get.Responses["200"].Content["application/json"]
	page.Example = json.RawMessage(`{"data":[{"participantId":"p-1","participantName":"Grace","participantRole":"host","present":true,` +
		`"watching":false,"firstEnteredAt":"2027-06-10T09:01:00Z","minutes":42,"late":false}],"iterator":"` + exampleObject +
		`","prevIterator":"-` + exampleObject + `","done":true}`)
}

// listParticipants answers GET …/participant.
func listParticipants(ctx context.Context, c *call, in *listObjectsIn) (*answer[Page[ParticipantOut]], error) {
	cur, err := c.api.cursor(in.PageIn, id.Object, in.ascending(true))
	if err != nil {
		return nil, err
	}
	key := live.Key{Kind: live.Conference}
	if key.ID, err = c.pathID("conference_id"); err != nil {
		return nil, err
	}
	app, err := c.app(ctx)
	if err != nil {
		return nil, err
	}
	key.App = app.ID
	conference, err := c.api.Store.Object(ctx, key)
	if err != nil {
		return nil, err
	}
	rows, err := c.api.Store.Objects(ctx, app.ID, live.Participant, key.ID, cur.Page)
	if err != nil {
		return nil, err
	}
	now := time.Now()
	page := list(cur, rows, objectID, all(func(row *live.Row) ParticipantOut {
		return ParticipantOut(live.Seated(conference, *row, now))
	}))
	return &answer[Page[ParticipantOut]]{page}, nil
}
