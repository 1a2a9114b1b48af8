package restapi

import (
	"bytes"
	"cmp"
	"context"
	"net/http"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/callboard/callboard/internal/id"
	"github.com/callboard/callboard/internal/ingest"
	"github.com/callboard/callboard/internal/live"
	"github.com/callboard/callboard/internal/store"
)

// ResourceDoc is a JSON object as live state keeps it: members that nobody knows come
// back as they were sent.
type ResourceDoc struct{ text jsontext.Value }

// UnmarshalJSON keeps a copy of the object.
func (d *ResourceDoc) UnmarshalJSON(text []byte) error {
	d.text = slices.Clone(text)
	return nil
}

// MarshalJSON gives the object back.
func (d ResourceDoc) MarshalJSON() ([]byte, error) { return d.text, nil }

// Schema is any object: what live says of its members is all that is checked. What the
// document says of it is put there by describeDocs.
func (ResourceDoc) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeObject, AdditionalProperties: true}
}

// resource is a kind of live state that has routes of its own.
type resource struct {
	noun    string // in paths, and of the member of an activity's data
	a       string // with its article, in summaries
	plural  string
	kind    live.Kind
	inEvent bool // it belongs to an event
	object  string
	about   string // what lists and bodies are told to be about
	example string // of a body
	shown   string // of what is read; "" = example and when it was made
}

// resources are those that clients write.
var resources = []resource{
	{
		noun: "event", a: "an event", plural: "events", kind: live.Event, object: "event",
		about: "An event is a programme that people attend, never a webhook. Its `number` is unique in the org, and given by " +
			"Callboard unless you choose it. Its `status` follows from its dates; `CANCELLED` alone may be set.",
		example: `{"id":"summit","name":"Summit","startDate":"2027-06-10T09:00:00Z","endDate":"2027-06-10T17:00:00Z","timezone":"Europe/London"}`,
		shown: `{"id":"summit","number":4001,"name":"Summit","startDate":"2027-06-10T09:00:00Z","endDate":"2027-06-10T17:00:00Z",` +
			`"timezone":"Europe/London","createdAt":"2027-03-01T12:00:00.000Z","status":"UPCOMING","updatedAt":"2027-03-01T12:00:00.000Z"}`,
	},
	{
		noun: "session", a: "a session", plural: "sessions", kind: live.Session, inEvent: true, object: "session",
		about: "A session is a part of an event. A change of its `speakers` also tells who was attached and detached.",
		example: `{"id":"keynote","title":"Keynote","startDateTime":"2027-06-10T09:00:00Z","endDateTime":"2027-06-10T10:00:00Z",` +
			`"speakers":[{"id":"ada","firstName":"Ada"}]}`,
	},
	{
		noun: "registration", a: "a registration", plural: "registrations", kind: live.Registration, inEvent: true, object: "registration",
		about:   "A registration is a person's, for one event.",
		example: `{"id":"r-1","profile":{"firstName":"Grace","email":"grace@example.com"}}`,
	},
	{
		noun: "contact", a: "a contact", plural: "contacts", kind: live.Contact, object: "contact",
		about:   "A contact is a person whom the org knows, such as a speaker.",
		example: `{"id":"ada","firstName":"Ada","lastName":"Lovelace","companyName":"Analytical Engines"}`,
	},
	{
		noun: "exhibitor", a: "an exhibitor", plural: "exhibitors", kind: live.Exhibitor, object: "company",
		about:   "An exhibitor is a company that shows something at events.",
		example: `{"id":"engines","name":"Analytical Engines"}`,
	},
	{
		noun: "sponsor", a: "a sponsor", plural: "sponsors", kind: live.Sponsor, object: "company",
		about:   "A sponsor is a company that pays for something at events.",
		example: `{"id":"engines","name":"Analytical Engines"}`,
	},
}

// exampleTimes are at the end of what is shown of a resource.
const exampleTimes = `,"createdAt":"2027-03-01T12:00:00.000Z","updatedAt":"2027-03-01T12:00:00.000Z"}`

// answer is an example of what is read.
func (r *resource) answer() string {
	return cmp.Or(r.shown, strings.TrimSuffix(r.example, "}")+exampleTimes)
}

// collection is the path of all resources of the kind, below /api/v1.
func (r *resource) collection() string {
	if r.inEvent {
		return "/app/{app_id}/event/{event_id}/" + r.noun
	}
	return "/app/{app_id}/" + r.noun
}

func (r *resource) path() string { return r.collection() + "/{" + r.noun + "_id}" }

// What the routes of resources take.
type (
	createResourceIn struct {
		AppPath
		ToldIn
		Body ResourceDoc
	}
	changeResourceIn struct {
		AppPath
		ToldIn
		Body ResourceDoc
	}
	deleteResourceIn struct {
		AppPath
		ToldIn
	}
	deletePersonIn struct {
		AppPath
		ToldIn
		Erase bool `query:"erase" doc:"Forget the person: the payloads of stored messages that tell of them are deleted, too, which takes a while; what is still to be delivered of those ends. The message that says so names the id alone."`
	}
	listObjectsIn struct {
		AppPath
		PageIn
		OrderIn
	}
)

// registerResource puts the routes of a kind of resource on the mux.
func (a *api) registerResource(r *resource) {
	a.registerReads(r)
	op := func(name, method, path, summary string) huma.Operation {
		return huma.Operation{
			OperationID: "v1." + r.noun + "." + name, Method: method, Path: path, Tags: []string{tagLive},
			Summary: summary, Parameters: pathParams(path),
		}
	}
	create := op("create", http.MethodPost, r.collection(), "Create "+r.a)
	create.DefaultStatus, create.Description = http.StatusCreated, r.about+" You may choose the `id`; else it is a UUID. Members that "+
		"Callboard does not know are kept and given back."
	handle(a, create, accessAdminWrite, r.create)
	put := op("update", http.MethodPut, r.path(), "Replace "+r.a)
	put.Description = "Members that are left out are gone. An id that is not known is not created."
	handle(a, put, accessAdminWrite, r.change(live.Replace))
	patch := op("patch", http.MethodPatch, r.path(), "Change "+r.a)
	patch.Description = "Changes the members that are sent, those of objects one by one; null takes a member away."
	handle(a, patch, accessAdminWrite, r.change(live.Merge))
	remove := op("delete", http.MethodDelete, r.path(), "Delete "+r.a)
	if r.kind == live.Registration || r.kind == live.Contact {
		handle(a, remove, accessAdminWrite, r.removePerson)
	} else {
		handle(a, remove, accessAdminWrite, r.remove)
	}
	// It says that a PUT may create, which these do not.
	delete(a.huma.OpenAPI().Paths[prefix+r.path()].Put.Responses, "201")
	a.describeDocs(r)
}

// registerReads puts the routes on the mux that show what there is of a kind.
func (a *api) registerReads(r *resource) {
	handle(a, huma.Operation{
		OperationID: "v1." + r.noun + ".list", Method: http.MethodGet, Path: r.collection(), Tags: []string{tagLive},
		Summary: "List " + r.plural, Description: r.about + " Oldest first unless asked otherwise.", Parameters: pathParams(r.collection()),
	}, accessRead, r.list)
	handle(a, huma.Operation{
		OperationID: "v1." + r.noun + ".get", Method: http.MethodGet, Path: r.path(), Tags: []string{tagLive},
		Summary: "Get " + r.a, Parameters: pathParams(r.path()),
	}, accessRead, r.get)
	a.describeDocs(r)
}

// key is the row that a path names, if it names one.
func (r *resource) key(ctx context.Context, c *call, one bool) (store.App, live.Key, error) {
	k := live.Key{Kind: r.kind}
	var err error
	if r.inEvent {
		if k.Parent, err = c.pathID("event_id"); err != nil {
			return store.App{}, k, err
		}
	}
	if one {
		if k.ID, err = c.pathID(r.noun + "_id"); err != nil {
			return store.App{}, k, err
		}
	}
	app, err := c.app(ctx)
	k.App = app.ID
	return app, k, err
}

// show reads a resource.
func show(ctx context.Context, c *call, k live.Key) (*answer[ResourceDoc], error) {
	row, err := c.api.Store.Object(ctx, k)
	if err != nil {
		return nil, err
	}
	return &answer[ResourceDoc]{ResourceDoc{row.Doc}}, nil
}

func (r *resource) get(ctx context.Context, c *call, _ *AppPath) (*answer[ResourceDoc], error) {
	_, k, err := r.key(ctx, c, true)
	if err != nil {
		return nil, err
	}
	return show(ctx, c, k)
}

// list shows resources in the order of their creation. An event that is not there has no
// list, not an empty one.
func (r *resource) list(ctx context.Context, c *call, in *listObjectsIn) (*answer[Page[ResourceDoc]], error) {
	cur, err := c.api.cursor(in.PageIn, id.Object, in.ascending(true))
	if err != nil {
		return nil, err
	}
	app, k, err := r.key(ctx, c, false)
	if err != nil {
		return nil, err
	}
	if r.inEvent {
		if _, err := c.api.Store.Object(ctx, live.Key{App: app.ID, Kind: live.Event, ID: k.Parent}); err != nil {
			return nil, err
		}
	}
	rows, err := c.api.Store.Objects(ctx, app.ID, r.kind, k.Parent, cur.Page)
	if err != nil {
		return nil, err
	}
	page := list(cur, rows, objectID, all(func(row *live.Row) ResourceDoc { return ResourceDoc{row.Doc} }))
	return &answer[Page[ResourceDoc]]{page}, nil
}

// create answers POST. A repetition under one Idempotency-Key shows the resource as it is
// now.
func (r *resource) create(ctx context.Context, c *call, in *createResourceIn) (*answer[ResourceDoc], error) {
	app, k, err := r.key(ctx, c, false)
	if err != nil {
		return nil, err
	}
	act, err := in.activity(r.noun+".created", live.Create, r.data(k, withoutNullID(in.Body.text)))
	if err != nil {
		return nil, err
	}
	result, err := c.tell(ctx, &app, c.liveKey(), act, r.noun)
	if err != nil {
		return nil, err
	}
	k.ID = result.Resource
	return show(ctx, c, k)
}

// change answers PUT and PATCH.
func (r *resource) change(mode live.Mode) func(context.Context, *call, *changeResourceIn) (*answer[ResourceDoc], error) {
	return func(ctx context.Context, c *call, in *changeResourceIn) (*answer[ResourceDoc], error) {
		app, k, err := r.key(ctx, c, true)
		if err != nil {
			return nil, err
		}
		act, err := in.activity(r.noun+".updated", mode, r.data(k, in.Body.text))
		if err != nil {
			return nil, err
		}
		if _, err := c.tell(ctx, &app, ingest.Key{}, act, r.noun); err != nil {
			return nil, err
		}
		return show(ctx, c, k)
	}
}

// remove answers DELETE of what is no person.
func (r *resource) remove(ctx context.Context, c *call, in *deleteResourceIn) (*nothing, error) {
	if err := c.noErase(msgErasesNothing); err != nil {
		return nil, err
	}
	return r.removePerson(ctx, c, &deletePersonIn{AppPath: in.AppPath, ToldIn: in.ToldIn})
}

// removePerson answers DELETE of what stands for a person.
func (r *resource) removePerson(ctx context.Context, c *call, in *deletePersonIn) (*nothing, error) {
	app, k, err := r.key(ctx, c, true)
	if err != nil {
		return nil, err
	}
	act, err := in.activity(r.noun+".deleted", live.Delete, r.data(k, nil))
	if err != nil {
		return nil, err
	}
	act.Erase = in.Erase
	_, err = c.tell(ctx, &app, ingest.Key{}, act, r.noun)
	return &nothing{}, err
}

// data is an activity's data about a resource: its id, its event's, and what a client says
// of it.
func (r *resource) data(k live.Key, body []byte) []byte {
	var d data
	if r.inEvent {
		d.id("eventId", k.Parent)
	}
	if k.ID != "" {
		d.id(r.noun+"Id", k.ID)
	}
	if body != nil {
		d.add(r.noun, body)
	}
	return d.object()
}

// withoutNullID is a new resource without its id if that is null, which asks for one as its
// absence does. What is wrong with the text is for live to say.
func withoutNullID(text []byte) []byte {
	dec := jsontext.NewDecoder(bytes.NewReader(text))
	if first, err := dec.ReadToken(); err != nil || first.Kind() != '{' {
		return text
	}
	var kept data
	found := false
	for dec.PeekKind() == '"' {
		name, err := dec.ReadToken()
		if err != nil {
			return text
		}
		called := name.String()
		value, err := dec.ReadValue()
		if err != nil {
			return text
		}
		if called == "id" && value.Kind() == 'n' {
			found = true
			continue
		}
		kept.member(called, value)
	}
	if _, err := dec.ReadToken(); err != nil || !found {
		return text
	}
	return kept.object()
}

// data is a JSON object that is being written. Its names need no escapes, nor do ids.
type data []byte

func (d *data) add(name string, value []byte) {
	*d = append(append(append(append(*d, `,"`...), name...), `":`...), value...)
}

// member is add for any name.
func (d *data) member(name string, value []byte) {
	quoted, _ := jsontext.AppendQuote(nil, name) // it was read as one
	*d = append(append(append(append(*d, ','), quoted...), ':'), value...)
}

func (d *data) id(name, text string) { d.add(name, []byte(`"`+text+`"`)) }

func (d *data) object() []byte {
	if len(*d) == 0 {
		return []byte("{}")
	}
	(*d)[0] = '{'
	return append(*d, '}')
}
