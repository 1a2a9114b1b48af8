package restapi

import (
	"context"
	"encoding/json"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/callboard/callboard/internal/ingest"
	"github.com/callboard/callboard/internal/live"
)

// attachSpeakerIn is what PUT …/speaker/{contact_id} takes; the body may be absent.
type attachSpeakerIn struct {
	AppPath
	ToldIn
	Body *ResourceDoc
}

// partIn is what the routes without a body take that change who takes part.
type partIn struct {
	AppPath
	ToldIn
}

// registerParts puts the routes on the mux that say who takes part in what.
func (a *api) registerParts() {
	const speaker = "/app/{app_id}/event/{event_id}/session/{session_id}/speaker/{contact_id}"
	attach := partOperation("v1.session.speaker.attach", http.MethodPut, speaker, "Attach a speaker to a session")
	attach.Description = "The contact goes into the session's `speakers` with what is known of it and what the body says besides, such " +
		"as `participantRole`. A body for one who is there already changes the session."
	handle(a, attach, accessAdminWrite, attachSpeaker)
	detach := partOperation("v1.session.speaker.detach", http.MethodDelete, speaker, "Detach a speaker from a session")
	detach.Description = "One who is no speaker of the session need not be detached: that is done, too."
	handle(a, detach, accessAdminWrite, detachSpeaker)
	a.useSchema(a.huma.OpenAPI().Paths[prefix+speaker].Put.RequestBody.Content["application/json"], objectSchemas+"participant")
	a.huma.OpenAPI().Paths[prefix+speaker].Put.RequestBody.Content["application/json"].Example = json.RawMessage(`{"participantRole":{"slug":"speaker","name":"Speaker"}}`)
	for i := range resources {
		if r := &resources[i]; r.kind == live.Contact || r.kind == live.Exhibitor || r.kind == live.Sponsor {
			a.registerAssociation(r)
		}
	}
}

func (a *api) registerAssociation(r *resource) {
	path := r.path() + "/event/{event_id}"
	add := partOperation("v1."+r.noun+".event.associate", http.MethodPut, path, "Associate "+r.a+" with an event")
	add.Description = "Both must exist. What is associated already stays so, and nothing is sent."
	handle(a, add, accessAdminWrite, r.associate(".event.associated"))
	remove := partOperation("v1."+r.noun+".event.disassociate", http.MethodDelete, path, "Disassociate "+r.a+" from an event")
	remove.Description = "Where there is no association nothing is sent."
	handle(a, remove, accessAdminWrite, r.associate(".event.disassociated"))
}

func partOperation(name, method, path, summary string) huma.Operation {
	return huma.Operation{
		OperationID: name, Method: method, Path: path, Tags: []string{tagLive}, Summary: summary,
		DefaultStatus: http.StatusNoContent, Parameters: pathParams(path),
	}
}

func attachSpeaker(ctx context.Context, c *call, in *attachSpeakerIn) (*nothing, error) {
	var said []byte
	if in.Body != nil {
		said = in.Body.text
	}
	return c.tellPart(ctx, &in.ToldIn, "session.speaker.attached", "speaker", said, "event", "session", "contact")
}

func detachSpeaker(ctx context.Context, c *call, in *partIn) (*nothing, error) {
	return c.tellPart(ctx, &in.ToldIn, "session.speaker.detached", "", nil, "event", "session", "contact")
}

func (r *resource) associate(word string) func(context.Context, *call, *partIn) (*nothing, error) {
	return func(ctx context.Context, c *call, in *partIn) (*nothing, error) {
		return c.tellPart(ctx, &in.ToldIn, r.noun+word, "", nil, r.noun, "event")
	}
}

// tellPart commits an activity about things that the path names. said is what the body
// says of the member of that name.
func (c *call) tellPart(ctx context.Context, in *ToldIn, eventType, member string, said []byte, nouns ...string) (*nothing, error) {
	var d data
	for _, noun := range nouns {
		text, err := c.pathID(noun + "_id")
		if err != nil {
			return nil, err
		}
		d.id(noun+"Id", text)
	}
	if said != nil {
		d.add(member, said)
	}
	act, err := in.activity(eventType, live.Upsert, d.object())
	if err != nil {
		return nil, err
	}
	if err := c.noErase(msgErasesNothing); err != nil {
		return nil, err
	}
	app, err := c.app(ctx)
	if err != nil {
		return nil, err
	}
	_, err = c.tell(ctx, &app, ingest.Key{}, act, member)
	return &nothing{}, err
}
