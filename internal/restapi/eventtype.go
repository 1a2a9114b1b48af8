package restapi

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/callboard/callboard/internal/ingest"
	"github.com/callboard/callboard/internal/store"
)

// EventTypeFields are the fields that all writes of event types have in common.
type EventTypeFields struct {
	Archived     optional[bool]     `json:"archived,omitzero" doc:"Archived types are not offered."`
	Deprecated   optional[bool]     `json:"deprecated,omitzero"`
	Schemas      optionalSchemas    `json:"schemas,omitzero" doc:"JSON schemas by version number, such as {\"1\": {…}}."`
	FeatureFlags optional[[]string] `json:"featureFlags,omitzero" doc:"Only portals with one of these flags see the type; null = all see it."`
	FeatureFlag  optional[string]   `json:"featureFlag,omitzero" deprecated:"true" doc:"The older form of featureFlags."`
	GroupName    optional[string]   `json:"groupName,omitzero" example:"session"`
}

// EventTypeIn is an event type as a client declares it.
type EventTypeIn struct {
	Name        string `json:"name" example:"session.joined"`
	Description string `json:"description" example:"An attendee joined a session."`
	EventTypeFields
}

// EventTypeUpdate replaces an event type.
type EventTypeUpdate struct {
	Description string `json:"description" example:"An attendee joined a session."`
	EventTypeFields
}

// EventTypePatch changes the fields that are sent; null clears.
type EventTypePatch struct {
	Description optional[string] `json:"description,omitzero"`
	EventTypeFields
}

// EventTypeOut is an event type as the API shows it.
type EventTypeOut struct {
	Name         string         `json:"name" example:"session.joined"`
	Description  string         `json:"description" example:"An attendee joined a session."`
	Archived     bool           `json:"archived"`
	Deprecated   bool           `json:"deprecated"`
	Schemas      optionalObject `json:"schemas"`
	FeatureFlags []string       `json:"featureFlags"`
	FeatureFlag  *string        `json:"featureFlag" deprecated:"true"`
	GroupName    *string        `json:"groupName"`
	CreatedAt    time.Time      `json:"createdAt"`
	UpdatedAt    time.Time      `json:"updatedAt"`

	Origin       string            `json:"origin" enum:"own,catalog" doc:"Whose it is: the org's own, or the catalogue's, whose messages every dialect below can say."`
	Words        map[string]string `json:"words" nullable:"false" example:"{\"zuddl\":\"JOINED_SESSION\"}" doc:"What the org's other dialects call it."`
	Translations []string          `json:"translations" nullable:"false" doc:"Those of the dialects whose word is of a type that is close, and not the same."`
}

// The origins of event types.
const (
	originOwn     = "own"
	originCatalog = "catalog"
)

// optionalSchemas is an object that is kept byte for byte, absent, or null.
type optionalSchemas struct {
	Sent bool
	optionalObject
}

// UnmarshalJSON is called only for fields that were sent.
func (o *optionalSchemas) UnmarshalJSON(text []byte) error {
	o.Sent = true
	return o.optionalObject.UnmarshalJSON(text)
}

// showEventType renders an event type. Schemas can be large, so lists show them only
// if asked; both forms of the flags are shown.
func showEventType(t *store.EventType, content bool) EventTypeOut {
	out := EventTypeOut{
		Name:         t.Name,
		Description:  t.Description,
		Archived:     t.Archived,
		Deprecated:   t.Deprecated,
		FeatureFlags: t.FeatureFlags,
		GroupName:    pointer(t.GroupName),
		CreatedAt:    t.CreatedAt.UTC(),
		UpdatedAt:    t.UpdatedAt.UTC(),
		Origin:       originOwn,
		Words:        map[string]string{},
		Translations: []string{},
	}
	if content {
		out.Schemas = t.Schemas
	}
	if len(t.FeatureFlags) > 0 {
		out.FeatureFlag = &t.FeatureFlags[0]
	}
	return out
}

// apply changes the fields that were sent; the newer form of the flags wins. It
// never fails, and has the signature that ingest wants.
func (in *EventTypeFields) apply(t *store.EventType) error {
	set(in.Archived, &t.Archived)
	set(in.Deprecated, &t.Deprecated)
	set(in.GroupName, &t.GroupName)
	if in.Schemas.Sent {
		t.Schemas = in.Schemas.optionalObject
	}
	switch {
	case in.FeatureFlags.Sent:
		set(in.FeatureFlags, &t.FeatureFlags)
	case in.FeatureFlag.Value != nil:
		t.FeatureFlags = []string{*in.FeatureFlag.Value}
	case in.FeatureFlag.Sent:
		t.FeatureFlags = nil
	}
	return nil
}

// replace makes t what a PUT says; what is absent goes back to its default.
func (in *EventTypeUpdate) replace(t *store.EventType) error {
	t.Description = in.Description
	t.Archived, t.Deprecated, t.GroupName, t.Schemas, t.FeatureFlags = false, false, "", nil, nil
	return in.apply(t)
}

// change makes the changes of a PATCH.
func (in *EventTypePatch) change(t *store.EventType) error {
	set(in.Description, &t.Description)
	return in.apply(t)
}

// mayHear reports whether a caller sees an event type: tokens of apps see types
// without flags and those with a flag of theirs.
func (c *call) mayHear(t *store.EventType) bool {
	return c.Claims.App == "" || len(t.FeatureFlags) == 0 ||
		slices.ContainsFunc(t.FeatureFlags, func(f string) bool { return slices.Contains(c.Claims.FeatureFlags, f) })
}

// EventTypePath names an event type.
type EventTypePath struct {
	Name string `path:"event_type_name" doc:"The event type's name." example:"session.joined"`
}

// registerEventTypes puts the routes of event types on the mux. Portals read them;
// only the org declares them.
func (a *api) registerEventTypes() {
	const one = "/event-type/{event_type_name}"
	handle(a, huma.Operation{
		OperationID: "v1.event-type.list", Method: http.MethodGet, Path: "/event-type", Tags: []string{tagEventTypes},
		Summary: "List event types",
		Description: "By name: the org's own, and those of the catalogue that the org's setting `catalog` offers and no own type of the name " +
			"stands in front of. With content, the schema of a catalogue's type holds an example.",
	}, accessRead, a.listEventTypes)
	handle(a, huma.Operation{
		OperationID: "v1.event-type.create", Method: http.MethodPost, Path: "/event-type", Tags: []string{tagEventTypes},
		Summary: "Declare an event type", DefaultStatus: http.StatusCreated,
		Description: "An archived one of the name comes back with what is sent. A name of the catalogue's is free to take: its messages are " +
			"then the org's own, with any payload, for native endpoints. Archiving or removing the own type brings the catalogue's back.",
	}, accessAdminWrite, a.createEventType)
	handle(a, huma.Operation{
		OperationID: "v1.event-type.get", Method: http.MethodGet, Path: one, Tags: []string{tagEventTypes},
		Summary: "Get an event type",
	}, accessRead, a.getEventType)
	handle(a, huma.Operation{
		OperationID: "v1.event-type.update", Method: http.MethodPut, Path: one, Tags: []string{tagEventTypes},
		Summary: "Replace an event type", Description: "An unknown name is declared, with status 201.",
	}, accessAdminWrite, a.putEventType)
	handle(a, huma.Operation{
		OperationID: "v1.event-type.patch", Method: http.MethodPatch, Path: one, Tags: []string{tagEventTypes},
		Summary: "Change an event type", Description: "Changes the fields that are sent; null clears. A type of the catalogue answers 409: declare an own one.",
	}, accessAdminWrite, a.patchEventType)
	handle(a, huma.Operation{
		OperationID: "v1.event-type.delete", Method: http.MethodDelete, Path: one, Tags: []string{tagEventTypes},
		Summary: "Archive an event type", Description: "With `expunge` it is removed. A type of the catalogue answers 409: the setting `catalog` says what is offered.",
	}, accessAdminWrite, a.deleteEventType)
}

// listEventTypesIn are the parameters of GET /event-type.
type listEventTypesIn struct {
	PageIn
	OrderIn
	IncludeArchived bool `query:"include_archived" doc:"Whether to list archived types too."`
	WithContent     bool `query:"with_content" doc:"Whether to show schemas."`
}

// listEventTypes pages by name: event types have no id, and names are unique.
func (a *api) listEventTypes(ctx context.Context, c *call, in *listEventTypesIn) (*answer[Page[EventTypeOut]], error) {
	name, back := strings.CutPrefix(in.Iterator, "-")
	if back && name == "" {
		return nil, errIterator()
	}
	from := store.Page{Limit: in.Limit, AfterName: name, Ascending: in.ascending(true) != back}
	own, err := a.Store.EventTypes(ctx, c.Org, from, in.IncludeArchived)
	if err != nil {
		return nil, err
	}
	held, err := a.settingsOf(ctx, c.Org)
	if err != nil {
		return nil, err
	}
	types, done := mergeTypes(from, own, a.offered(&held))
	if back {
		slices.Reverse(types)
	}
	page := Page[EventTypeOut]{Data: make([]EventTypeOut, 0, len(types)), Done: done}
	for i := range types {
		if t := &types[i]; t.own == nil || c.mayHear(t.own) {
			page.Data = append(page.Data, a.showListed(t, in.WithContent, &held))
		}
	}
	if n := len(types); n > 0 {
		last, first := types[n-1].name(), "-"+types[0].name()
		page.Iterator, page.PrevIterator = &last, &first
	}
	return &answer[Page[EventTypeOut]]{page}, nil
}

// createEventTypeIn is what POST /event-type takes.
type createEventTypeIn struct {
	Body EventTypeIn
}

// createEventType answers POST /event-type with 201, also for a name that was
// archived. A name of the catalogue is free to take, and the org's own from then on.
func (a *api) createEventType(ctx context.Context, c *call, in *createEventTypeIn) (*answerStatus[EventTypeOut], error) {
	t := store.EventType{Org: c.Org, Name: in.Body.Name, Description: in.Body.Description}
	if err := in.Body.apply(&t); err != nil {
		return nil, err
	}
	r, err := a.Ingest.CreateEventType(ctx, c.key(), t)
	if err != nil {
		return nil, err
	}
	return a.answerEventType(ctx, c, t.Name, r)
}

// answerEventType reads an event type again, as it is on disk.
func (a *api) answerEventType(ctx context.Context, c *call, name string, r ingest.Result) (*answerStatus[EventTypeOut], error) {
	t, err := a.Store.EventType(ctx, c.Org, name)
	if err != nil {
		return nil, err
	}
	return &answerStatus[EventTypeOut]{createdOr200(r), showEventType(&t, true)}, nil
}

// getEventType answers GET /event-type/{event_type_name}. A type that the caller's
// flags hide is as absent as one that does not exist.
func (a *api) getEventType(ctx context.Context, c *call, in *EventTypePath) (*answer[EventTypeOut], error) {
	own, err := a.ownEventType(ctx, c.Org, in.Name)
	if err != nil {
		return nil, err
	}
	held, err := a.settingsOf(ctx, c.Org)
	if err != nil {
		return nil, err
	}
	if ours := a.catalogType(in.Name); ours != nil && a.lexicon.Governs(in.Name, own, &held) {
		return &answer[EventTypeOut]{a.showCatalogType(ours, true, &held)}, nil
	}
	if own == nil || !c.mayHear(own) {
		return nil, store.ErrNotFound
	}
	return &answer[EventTypeOut]{showEventType(own, true)}, nil
}

// ownEventType reads a type that an org declared; nil if it did not.
func (a *api) ownEventType(ctx context.Context, org, name string) (*store.EventType, error) {
	t, err := a.Store.EventType(ctx, org, name)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return nil, nil
	case err != nil:
		return nil, err
	}
	return &t, nil
}

// putEventTypeIn is what PUT /event-type/{event_type_name} takes.
type putEventTypeIn struct {
	EventTypePath
	Body EventTypeUpdate
}

// putEventType answers PUT /event-type/{event_type_name}; an unknown name is declared.
func (a *api) putEventType(ctx context.Context, c *call, in *putEventTypeIn) (*answerStatus[EventTypeOut], error) {
	r, err := a.Ingest.UpdateEventType(ctx, c.Org, in.Name, true, in.Body.replace)
	if err != nil {
		return nil, err
	}
	return a.answerEventType(ctx, c, in.Name, r)
}

// patchEventTypeIn is what PATCH /event-type/{event_type_name} takes.
type patchEventTypeIn struct {
	EventTypePath
	Body EventTypePatch
}

// patchEventType answers PATCH /event-type/{event_type_name}.
func (a *api) patchEventType(ctx context.Context, c *call, in *patchEventTypeIn) (*answerStatus[EventTypeOut], error) {
	r, err := a.Ingest.UpdateEventType(ctx, c.Org, in.Name, false, in.Body.change)
	if err != nil {
		return nil, err
	}
	r.Existed = true
	return a.answerEventType(ctx, c, in.Name, r)
}

// deleteEventTypeIn is what DELETE /event-type/{event_type_name} takes.
type deleteEventTypeIn struct {
	EventTypePath
	Expunge bool `query:"expunge" doc:"Remove it instead of archiving it."`
}

// deleteEventType answers DELETE /event-type/{event_type_name}. Archiving is the
// default, because messages of the type are still in the log.
func (a *api) deleteEventType(ctx context.Context, c *call, in *deleteEventTypeIn) (*nothing, error) {
	return &nothing{}, a.Ingest.DeleteEventType(ctx, c.Org, in.Name, in.Expunge)
}
