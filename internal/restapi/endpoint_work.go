package restapi

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/callboard/callboard/internal/delivery"
	"github.com/callboard/callboard/internal/errs"
	"github.com/callboard/callboard/internal/id"
	"github.com/callboard/callboard/internal/store"
	"github.com/callboard/callboard/internal/web"
)

// RecoverIn says which messages to deliver again.
type RecoverIn struct {
	Since time.Time           `json:"since" doc:"From messages of this time on."`
	Until optional[time.Time] `json:"until,omitzero" doc:"To messages before this time; now by default."`
}

// RecoverOut is the task that does it.
type RecoverOut struct {
	ID        string    `json:"id"`
	Status    string    `json:"status" enum:"running,finished,failed"`
	Task      string    `json:"task" example:"endpoint.recover"`
	UpdatedAt time.Time `json:"updatedAt"`
}

// EndpointStats counts deliveries, each once, by where they stand now.
type EndpointStats struct {
	Success  int64 `json:"success"`
	Pending  int64 `json:"pending"`
	Sending  int64 `json:"sending"`
	Fail     int64 `json:"fail"`
	Canceled int64 `json:"canceled"`
}

// EventExampleIn asks for an example message. Data is laid over the event type's
// example; Payload is sent as it is, in the endpoint's dialect. Body is what goes over the
// wire.
type EventExampleIn struct {
	EventType    string         `json:"eventType" example:"session.joined"`
	ExampleIndex int            `json:"exampleIndex,omitempty" minimum:"0" doc:"Which of the schema's examples; the first by default."`
	Data         optionalObject `json:"data,omitempty" doc:"Laid over the example, field by field."`
	Payload      optionalObject `json:"payload,omitempty" doc:"Sent instead of the example."`
	Body         *string        `json:"body,omitempty" nullable:"true" maxLength:"1048576" doc:"The text of a JSON object that is sent byte for byte, whatever the event type's schema says; neither data nor payload may stand beside it."`
}

// optionalObject is a JSON object, kept byte for byte.
type optionalObject json.RawMessage

// UnmarshalJSON keeps a copy of the object's bytes.
func (o *optionalObject) UnmarshalJSON(text []byte) error {
	if string(text) != "null" {
		*o = slices.Clone(text)
	}
	return nil
}

// MarshalJSON gives the bytes back.
func (o optionalObject) MarshalJSON() ([]byte, error) {
	if o == nil {
		return []byte("null"), nil
	}
	return o, nil
}

// Schema is any object, or null.
func (optionalObject) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeObject, AdditionalProperties: true, Nullable: true}
}

// registerEndpointWork puts on the mux what makes an endpoint work again, and shows
// whether it does.
func (a *api) registerEndpointWork() {
	const path = "/app/{app_id}/endpoint/{endpoint_id}"
	handle(a, huma.Operation{
		OperationID: "v1.endpoint.recover", Method: http.MethodPost, Path: path + "/recover", Tags: []string{tagEndpoints},
		Summary: "Deliver again what failed", DefaultStatus: http.StatusAccepted,
		Description: "Starts a background task that delivers again every message since a time whose delivery to the endpoint failed.",
	}, accessAttempt, a.recoverEndpoint)
	handle(a, huma.Operation{
		OperationID: "v1.endpoint.send-example", Method: http.MethodPost, Path: path + "/send-example", Tags: []string{tagEndpoints},
		Summary: "Send an example to an endpoint", DefaultStatus: http.StatusAccepted,
		Description: "To this endpoint alone, whatever it subscribed to. The message is marked as a test. What is sent is `payload`, or the " +
			"event type's example with `data` laid over its data, member by member. A type of the catalogue is held to its schema, as in " +
			"sending a message. A `body` instead is sent as it is, in the endpoint's dialect: edit what the route `example` gives.",
	}, accessAttempt, a.sendExample)
	handle(a, huma.Operation{
		OperationID: "v1.endpoint.get-stats", Method: http.MethodGet, Path: path + "/stats", Tags: []string{tagEndpoints},
		Summary: "Count an endpoint's deliveries", Description: "Deliveries, not attempts, by where they stand now.",
	}, accessRead, a.endpointStats)
}

// recoverIn is what POST …/recover takes.
type recoverIn struct {
	EndpointPath
	Body RecoverIn
}

// recoverEndpoint answers POST …/recover with 202 and the task that does it. A
// repetition under one Idempotency-Key shows the same task, as it stands now.
func (a *api) recoverEndpoint(ctx context.Context, c *call, in *recoverIn) (*answer[RecoverOut], error) {
	ref, err := web.Ref(a.Codec, id.Endpoint, in.EndpointID)
	if err != nil {
		return nil, err
	}
	var until time.Time
	if p := in.Body.Until.Value; p != nil {
		until = *p
	}
	r, err := a.Ingest.Recover(ctx, c.appRef, ref, c.key(), in.Body.Since, until)
	if err != nil {
		return nil, err
	}
	task, err := a.Store.Task(ctx, c.Org, r.ID)
	if err != nil {
		return nil, err
	}
	return &answer[RecoverOut]{RecoverOut{
		ID: a.Codec.Encode(id.Task, task.ID), Status: taskStatus(task.State), Task: taskNames[task.Kind], UpdatedAt: taskTime(&task),
	}}, nil
}

// sendExampleIn is what POST …/send-example takes.
type sendExampleIn struct {
	EndpointPath
	Body EventExampleIn
}

// sendExample answers POST …/send-example with 202 and the message. The payload is
// chosen here and the rest is ingest's; live state is not touched.
func (a *api) sendExample(ctx context.Context, c *call, in *sendExampleIn) (*answer[MessageOut], error) {
	app, ref, err := c.endpoint(ctx, in.EndpointID)
	if err != nil {
		return nil, err
	}
	if in.Body.Body != nil {
		return a.sendRawExample(ctx, c, &app, ref, &in.Body)
	}
	payload, err := c.examplePayload(ctx, &in.Body)
	if err != nil {
		return nil, err
	}
	r, err := a.Ingest.SendExample(ctx, c.appRef, ref, c.key(), in.Body.EventType, payload)
	if err != nil {
		return nil, in.Body.relocate(err)
	}
	m, err := a.Store.Message(ctx, app.ID, store.Ref{ID: r.ID})
	if err != nil {
		return nil, err
	}
	out := a.showMessage(&m, true)
	out.Warnings = showWarnings(in.Body.placed(r.Warnings))
	return &answer[MessageOut]{out}, nil
}

// relocate names what is wrong with the payload where the client wrote it.
func (in *EventExampleIn) relocate(err error) error {
	e, ok := errors.AsType[*errs.Error](err)
	if !ok || e.Kind != errs.Invalid {
		return err
	}
	moved := *e
	moved.Fields = in.placed(e.Fields)
	return &moved
}

// placed moves fields of the payload's data to the request's data, if that is where they
// come from.
func (in *EventExampleIn) placed(fields []errs.Field) []errs.Field {
	if in.Payload != nil || in.Data == nil {
		return fields
	}
	moved := slices.Clone(fields)
	for i, f := range moved {
		if len(f.Loc) > 2 && f.Loc[1] == "payload" && f.Loc[2] == "data" {
			moved[i].Loc = slices.Concat([]string{"body"}, f.Loc[2:])
		}
	}
	return moved
}

// examplePayload is what send-example sends: the payload that was given, or the
// example of the event type's schema with data laid over it. A type without an
// example gets the bare form of Standard Webhooks, so that an endpoint can always
// be tried out.
func (c *call) examplePayload(ctx context.Context, in *EventExampleIn) ([]byte, error) {
	if in.Payload != nil {
		return in.Payload, nil
	}
	text, err := c.sample(ctx, in)
	if err != nil || text != nil && in.Data == nil {
		return text, err
	}
	sample := map[string]json.RawMessage{
		"type":      quote(in.EventType),
		"timestamp": quote(time.Now().UTC().Format(time.RFC3339)),
		"data":      json.RawMessage("{}"),
	}
	if text != nil {
		clear(sample)
		if err := json.Unmarshal(text, &sample); err != nil {
			return nil, err
		}
	}
	if in.Data != nil {
		if err := lay(sample, in.Data); err != nil {
			return nil, err
		}
	}
	return json.Marshal(sample)
}

// sample is the example of an event type, the catalogue's or the org's own as messages
// of it are, byte for byte; nil if it has none, or if the caller may not see the type.
func (c *call) sample(ctx context.Context, in *EventExampleIn) ([]byte, error) {
	governed, err := c.api.governs(ctx, c.Org, in.EventType)
	if err != nil {
		return nil, err
	}
	if governed {
		if t := c.api.catalogType(in.EventType); t != nil && isObject(t.Sample) {
			return slices.Clone(t.Sample), nil // whoever sends it owns it
		}
		return nil, nil
	}
	own, err := c.api.ownEventType(ctx, c.Org, in.EventType)
	if err != nil || own == nil || !c.mayHear(own) {
		return nil, err
	}
	return schemaExample(own.Schemas, in.ExampleIndex), nil
}

// quote is a text as JSON.
func quote(text string) json.RawMessage {
	out, err := json.Marshal(text)
	if err != nil { // strings always encode
		panic(err)
	}
	return out
}

// lay puts the fields of data over those of a sample: inside its own "data" if it
// has the form of a catalogue message, else at the top.
func lay(sample map[string]json.RawMessage, data []byte) error {
	if !isObject(data) {
		return invalid("must be an object", "body", "data")
	}
	if sample["type"] == nil || !isObject(sample["data"]) {
		whole, err := json.Marshal(sample)
		if err != nil {
			return err
		}
		clear(sample)
		return json.Unmarshal(overlay(whole, data), &sample)
	}
	sample["data"] = overlay(sample["data"], data)
	return nil
}

// overlay puts one JSON value over another, objects member by member.
func overlay(below, above json.RawMessage) json.RawMessage {
	var members, over map[string]json.RawMessage
	if !isObject(below) || !isObject(above) || json.Unmarshal(below, &members) != nil || json.Unmarshal(above, &over) != nil {
		return above
	}
	for name, value := range over {
		if old, known := members[name]; known {
			value = overlay(old, value)
		}
		members[name] = value
	}
	merged, err := json.Marshal(members)
	if err != nil { // it was JSON before
		return above
	}
	return merged
}

// newestVersion gives the schema of the highest version out of an event type's schemas,
// which map version numbers to JSON schemas; nil = there is none.
func newestVersion(schemas []byte) json.RawMessage {
	var versions map[string]json.RawMessage
	if json.Unmarshal(schemas, &versions) != nil || len(versions) == 0 {
		return nil
	}
	newest := slices.MaxFunc(slices.Collect(maps.Keys(versions)), func(a, b string) int {
		x, _ := strconv.Atoi(a)
		y, _ := strconv.Atoi(b)
		return x - y
	})
	return versions[newest]
}

// schemaExample finds an example in an event type's schemas; the highest version speaks.
// nil = there is none that is an object.
func schemaExample(schemas []byte, index int) []byte {
	newest := newestVersion(schemas)
	if newest == nil {
		return nil
	}
	var schema struct {
		Example  json.RawMessage   `json:"example"`
		Examples []json.RawMessage `json:"examples"`
	}
	if json.Unmarshal(newest, &schema) != nil {
		return nil
	}
	text := schema.Example
	if len(schema.Examples) > 0 {
		text = schema.Examples[min(index, len(schema.Examples)-1)]
	}
	return object(text)
}

// object is a JSON object, or null for what is none.
func object(text []byte) optionalObject {
	if !isObject(text) {
		return nil
	}
	return text
}

// statsIn bounds the count in time of the messages.
type statsIn struct {
	EndpointPath
	Since time.Time `query:"since" doc:"Only messages from this time on."`
	Until time.Time `query:"until" doc:"Only messages before this time."`
}

// bounds are the ids of the messages, 0 = no bound.
func (in *statsIn) bounds() (since, until id.ID) {
	if !in.Since.IsZero() {
		since = id.AtTime(in.Since)
	}
	if !in.Until.IsZero() {
		until = max(1, id.AtTime(in.Until))
	}
	return since, until
}

// endpointStats answers GET …/stats. A delivery that waits behind another of its
// ordering key counts as pending.
func (a *api) endpointStats(ctx context.Context, c *call, in *statsIn) (*answer[EndpointStats], error) {
	ep, err := a.namedEndpoint(ctx, c, in.EndpointID)
	if err != nil {
		return nil, err
	}
	since, until := in.bounds()
	counts, err := a.Store.CountDeliveries(ctx, ep.App, ep.ID, since, until)
	if err != nil {
		return nil, err
	}
	return &answer[EndpointStats]{EndpointStats{
		Success:  counts[delivery.Succeeded],
		Pending:  counts[delivery.Pending] + counts[delivery.Waiting],
		Sending:  counts[delivery.Leased],
		Fail:     counts[delivery.Failed],
		Canceled: counts[delivery.Canceled],
	}}, nil
}
