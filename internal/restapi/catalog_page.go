package restapi

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/callboard/callboard/internal/delivery"
	"github.com/callboard/callboard/internal/dialect"
	"github.com/callboard/callboard/internal/errs"
	"github.com/callboard/callboard/internal/id"
	"github.com/callboard/callboard/internal/ingest"
	"github.com/callboard/callboard/internal/settings"
	"github.com/callboard/callboard/internal/snippet"
	"github.com/callboard/callboard/internal/store"
)

// CatalogTypeOut is an event type as people look it up.
type CatalogTypeOut struct {
	Name        string                  `json:"name" example:"session.joined"`
	Group       *string                 `json:"group" example:"session"`
	Description string                  `json:"description"`
	Deprecated  bool                    `json:"deprecated"`
	Own         bool                    `json:"own" doc:"Whether the org declared it itself; only native endpoints hear it then."`
	Words       map[string]CatalogWords `json:"words" nullable:"false" doc:"What each dialect that says it calls it."`
}

// CatalogWords are what a dialect calls an event type.
type CatalogWords struct {
	Words []string `json:"words" nullable:"false" example:"[\"JOINED_SESSION\"]"`
	Fit   string   `json:"fit" enum:"exact,close" doc:"close: the word is of a type that is close, and not the same; endpoints may refuse such."`
}

// CatalogOut is the whole catalogue.
type CatalogOut struct {
	Data []CatalogTypeOut `json:"data" nullable:"false" doc:"By name."`
}

// CatalogEntryOut is an event type with all that there is to say about it.
type CatalogEntryOut struct {
	CatalogTypeOut
	Schema  optionalObject  `json:"schema" doc:"The JSON schema of the native payload."`
	Samples []CatalogSample `json:"samples" nullable:"false" doc:"One for each dialect that says it."`
}

// PublicCatalogOut is the whole catalogue for everybody.
type PublicCatalogOut struct {
	CatalogOut
	Brand Brand `json:"brand"`
}

// PublicCatalogEntryOut is an event type for everybody.
type PublicCatalogEntryOut struct {
	CatalogEntryOut
	Brand Brand `json:"brand"`
}

// CatalogSample is an event type's example in a dialect.
type CatalogSample struct {
	Dialect string         `json:"dialect" example:"zuddl"`
	Word    string         `json:"word" example:"JOINED_SESSION"`
	Fit     string         `json:"fit" enum:"exact,close"`
	Body    string         `json:"body" doc:"Indented."`
	Headers []SampleHeader `json:"headers" nullable:"false" doc:"Those that are sent with this body, signed now with secret."`
	Secret  string         `json:"secret" doc:"A secret that is known to everybody, to try out how the sample is verified."`
}

// SampleHeader is a header of a sample.
type SampleHeader struct {
	Name  string `json:"name" example:"Webhook-Id"`
	Value string `json:"value"`
}

// VerifyOut is how a receiver verifies the webhooks of a dialect.
type VerifyOut struct {
	Dialect  string         `json:"dialect" example:"native"`
	Scheme   string         `json:"scheme" doc:"What proves a webhook, in words."`
	Headers  []string       `json:"headers" nullable:"false" doc:"Names of the headers that prove it, in lower case."`
	Steps    []string       `json:"steps" nullable:"false" doc:"What a receiver does, in order."`
	Snippets VerifySnippets `json:"snippets"`
}

// VerifySnippets are code that needs no library: a function verify in each language, and a
// script for bash that also signs and sends.
type VerifySnippets struct {
	Go         string `json:"go"`
	TypeScript string `json:"typescript"`
	Python     string `json:"python"`
	Curl       string `json:"curl"`
}

// OrgPath names an org.
type OrgPath struct {
	OrgID string `path:"org_id" doc:"The org's id." example:"org_000000000000000000000000001"`
}

// registerCatalog puts the catalogue's routes on the mux.
func (a *api) registerCatalog() {
	handle(a, huma.Operation{
		OperationID: "v1.catalog.list", Method: http.MethodGet, Path: "/catalog", Tags: []string{tagEventTypes},
		Summary: "Show the catalogue",
		Description: "All event types that the token may see, in one answer: the catalogue's, and of the org's own at most 2,000. " +
			"GET /event-type pages through all of them.",
	}, accessRead, a.getCatalog)
	handle(a, huma.Operation{
		OperationID: "v1.catalog.get", Method: http.MethodGet, Path: "/catalog/{event_type_name}", Tags: []string{tagEventTypes},
		Summary: "Show an event type of the catalogue", Description: "With its schema and a sample in each dialect.",
	}, accessRead, a.getCatalogType)
	handleOpen(a, huma.Operation{
		OperationID: "v1.catalog.verify", Method: http.MethodGet, Path: "/catalog/verify/{dialect}", Tags: []string{tagEventTypes},
		Summary: "Show how webhooks are verified", Description: "In words, and in code that needs no library. It needs no token.",
	}, a.getVerify)
	handleOpen(a, huma.Operation{
		OperationID: "v1.public-catalog.list", Method: http.MethodGet, Path: "/public/catalog/{org_id}", Tags: []string{tagEventTypes},
		Summary: "Show an org's catalogue to everybody", Description: "Needs no token, and the org's setting `publicCatalog`. Types with feature flags are left out.",
	}, a.getPublicCatalog)
	handleOpen(a, huma.Operation{
		OperationID: "v1.public-catalog.get", Method: http.MethodGet, Path: "/public/catalog/{org_id}/{event_type_name}", Tags: []string{tagEventTypes},
		Summary: "Show an event type of an org's catalogue to everybody", Description: "Needs no token, and the org's setting `publicCatalog`.",
	}, a.getPublicCatalogType)
	a.registerCatalogPage()
}

// reader is who looks at a catalogue.
type reader struct {
	org  string
	held settings.Settings // the org's, narrowed to an app's dialects
	sees func(*store.EventType) bool
}

// reader is the caller as one.
func (a *api) reader(ctx context.Context, c *call) (*reader, error) {
	held, err := a.settingsOf(ctx, c.Org)
	if err != nil {
		return nil, err
	}
	r := &reader{org: c.Org, held: held, sees: c.mayHear}
	if c.Claims.App == "" {
		return r, nil
	}
	own, ok := a.Codec.Decode(id.App, c.Claims.App)
	if !ok {
		return nil, errs.Missing()
	}
	app, err := a.Store.App(ctx, c.Org, store.Ref{ID: own})
	r.held = held.Narrowed(app.Dialects, app.DefaultDialect)
	return r, err
}

// public is everybody as a reader, if the org's catalogue is public.
func (a *api) public(ctx context.Context, org string) (*reader, error) {
	if !id.WellFormedOrg(org) {
		return nil, errs.Missing()
	}
	held, err := a.settingsOf(ctx, org)
	if err == nil && !held.PublicCatalog {
		err = errs.Missing()
	}
	return &reader{org, held, func(t *store.EventType) bool { return len(t.FeatureFlags) == 0 }}, err
}

// getCatalog answers GET /catalog.
func (a *api) getCatalog(ctx context.Context, c *call, _ *struct{}) (*answer[CatalogOut], error) {
	r, err := a.reader(ctx, c)
	if err != nil {
		return nil, err
	}
	out, err := a.catalogOf(ctx, r)
	if err != nil {
		return nil, err
	}
	return &answer[CatalogOut]{out}, nil
}

// getPublicCatalog answers GET /public/catalog/{org_id}.
func (a *api) getPublicCatalog(ctx context.Context, _ *call, in *OrgPath) (*answer[PublicCatalogOut], error) {
	r, err := a.public(ctx, in.OrgID)
	if err != nil {
		return nil, err
	}
	out, err := a.catalogOf(ctx, r)
	if err != nil {
		return nil, err
	}
	return &answer[PublicCatalogOut]{PublicCatalogOut{out, showBrand(&r.held.Portal)}}, nil
}

// catalogOf is the catalogue as a reader sees it.
func (a *api) catalogOf(ctx context.Context, r *reader) (CatalogOut, error) {
	types, err := a.typesFor(ctx, r)
	if err != nil {
		return CatalogOut{}, err
	}
	out := CatalogOut{Data: make([]CatalogTypeOut, 0, len(types))}
	for i := range types {
		out.Data = append(out.Data, a.showInCatalog(&types[i], r))
	}
	return out, nil
}

// maxOwnTypes is how many of an org's own types the catalogue shows.
const maxOwnTypes = 2000

// typesFor are the event types that a reader sees, by name.
func (a *api) typesFor(ctx context.Context, r *reader) ([]listedType, error) {
	from := store.Page{Limit: maxPage, Ascending: true}
	var own store.Listed[store.EventType]
	for !own.Done && len(own.Rows) < maxOwnTypes {
		more, err := a.Store.EventTypes(ctx, r.org, from, false)
		if err != nil {
			return nil, err
		}
		own.Rows, own.Done = append(own.Rows, more.Rows...), more.Done || len(more.Rows) == 0
		if n := len(own.Rows); n > 0 {
			from.AfterName = own.Rows[n-1].Name
		}
	}
	offered := a.offered(&r.held)
	types, _ := mergeTypes(store.Page{Limit: len(own.Rows) + len(offered), Ascending: true}, own, offered)
	return slices.DeleteFunc(types, func(t listedType) bool { return t.own != nil && !r.sees(t.own) }), nil
}

// showInCatalog renders an event type.
func (a *api) showInCatalog(t *listedType, r *reader) CatalogTypeOut {
	out := CatalogTypeOut{Name: t.name(), Words: map[string]CatalogWords{}}
	if t.own != nil {
		out.Own, out.Group, out.Description, out.Deprecated = true, pointer(t.own.GroupName), t.own.Description, t.own.Deprecated
	} else {
		out.Group, out.Description = pointer(t.ours.Group), t.ours.Description
	}
	for _, name := range r.held.Dialects {
		d, known := a.Dialects.Get(name)
		if !known || t.own != nil && name != dialect.Native {
			continue
		}
		if word, fit := d.Word(out.Name); fit != dialect.Unsaid {
			out.Words[name] = CatalogWords{Words: []string{word}, Fit: fitNames[fit]}
		}
	}
	return out
}

// getCatalogType answers GET /catalog/{event_type_name}.
func (a *api) getCatalogType(ctx context.Context, c *call, in *EventTypePath) (*answer[CatalogEntryOut], error) {
	r, err := a.reader(ctx, c)
	if err != nil {
		return nil, err
	}
	out, err := a.catalogEntry(ctx, r, in.Name)
	if err != nil {
		return nil, err
	}
	return &answer[CatalogEntryOut]{out}, nil
}

// getPublicCatalogTypeIn are the parameters of GET /public/catalog/{org_id}/….
type getPublicCatalogTypeIn struct {
	OrgPath
	EventTypePath
}

// getPublicCatalogType answers GET /public/catalog/{org_id}/{event_type_name}.
func (a *api) getPublicCatalogType(ctx context.Context, _ *call, in *getPublicCatalogTypeIn) (*answer[PublicCatalogEntryOut], error) {
	r, err := a.public(ctx, in.OrgID)
	if err != nil {
		return nil, err
	}
	out, err := a.catalogEntry(ctx, r, in.Name)
	if err != nil {
		return nil, err
	}
	return &answer[PublicCatalogEntryOut]{PublicCatalogEntryOut{out, showBrand(&r.held.Portal)}}, nil
}

// catalogEntry finds an event type as a reader sees it, and says all about it.
func (a *api) catalogEntry(ctx context.Context, r *reader, name string) (CatalogEntryOut, error) {
	t, err := a.typeFor(ctx, r, name)
	if err != nil {
		return CatalogEntryOut{}, err
	}
	return a.showEntry(t, r)
}

// typeFor finds an event type as a reader sees it. An archived one is in no catalogue.
func (a *api) typeFor(ctx context.Context, r *reader, name string) (*listedType, error) {
	own, err := a.ownEventType(ctx, r.org, name)
	if err != nil {
		return nil, err
	}
	if ours := a.catalogType(name); ours != nil && a.lexicon.Governs(name, own, &r.held) {
		return &listedType{ours: ours}, nil
	}
	if !ingest.Shadows(own) || !r.sees(own) {
		return nil, store.ErrNotFound
	}
	return &listedType{own: own}, nil
}

// showEntry renders an event type with schema and samples.
func (a *api) showEntry(t *listedType, r *reader) (CatalogEntryOut, error) {
	out := CatalogEntryOut{CatalogTypeOut: a.showInCatalog(t, r), Samples: []CatalogSample{}}
	m := store.Message{ID: id.AtTime(time.Now()), Type: out.Name}
	if t.own != nil {
		out.Schema = newestSchema(t.own.Schemas)
		m.Payload = schemaExample(t.own.Schemas, 0)
	} else {
		out.Schema, m.Payload, m.Tenant, m.ResourceBase = object(t.ours.Schema), t.ours.Sample, exampleTenant, r.held.Base("")
	}
	if m.Payload == nil {
		return out, nil
	}
	for _, name := range slices.Sorted(maps.Keys(out.Words)) {
		s, err := a.sampleIn(name, &m)
		if errors.Is(err, dialect.ErrUnrenderable) {
			continue
		}
		if err != nil {
			return out, err
		}
		s.Word, s.Fit = out.Words[name].Words[0], out.Words[name].Fit
		out.Samples = append(out.Samples, s)
	}
	return out, nil
}

// sampleIn writes and signs a sample in a dialect.
func (a *api) sampleIn(name string, m *store.Message) (CatalogSample, error) {
	d, _ := a.Dialects.Get(name)
	s := CatalogSample{Dialect: name, Secret: sampleSecret(d), Headers: []SampleHeader{}}
	secrets := []delivery.Secret{{Value: s.Secret}}
	target, err := a.maker.Target(&delivery.Endpoint{Dialect: name, URL: a.PublicURL, Secrets: secrets}, secrets, time.Now())
	if err != nil {
		return s, err
	}
	var body []byte
	if body, err = exampleBody(target.Dialect, m); err != nil {
		return s, err
	}
	s.Body = string(body)
	for header, values := range target.Header(exampleMessage, time.Now(), body) {
		s.Headers = append(s.Headers, SampleHeader{header, values[0]})
	}
	slices.SortFunc(s.Headers, func(x, y SampleHeader) int { return strings.Compare(x.Name, y.Name) })
	return s, nil
}

// The secrets of samples, which everybody knows.
const (
	sampleStandardSecret = "whsec_ZXhhbXBsZSBzZWNyZXQgb2YgdGhlIGNhdGFsb2d1ZQ=="
	sampleHexSecret      = "65786d706c6520736563726574206f662074686520636174616c6f677565202e"
)

// sampleSecret is one in the form of a dialect's own.
func sampleSecret(d dialect.Dialect) string {
	if d.CheckSecret(sampleStandardSecret) == nil && strings.HasPrefix(d.NewSecret(), "whsec_") {
		return sampleStandardSecret
	}
	return sampleHexSecret
}

// newestSchema is the schema of the highest version; null if there is none.
func newestSchema(schemas []byte) optionalObject {
	return object(newestVersion(schemas))
}

// getVerifyIn names a dialect.
type getVerifyIn struct {
	Dialect string `path:"dialect" doc:"The dialect's name." example:"native"`
}

// getVerify answers GET /catalog/verify/{dialect}.
func (a *api) getVerify(_ context.Context, _ *call, in *getVerifyIn) (*answer[VerifyOut], error) {
	d, known := a.Dialects.Get(in.Dialect)
	if !known {
		return nil, errs.Missing()
	}
	g, known := snippet.For(d)
	if !known {
		return nil, errs.Missing()
	}
	return &answer[VerifyOut]{VerifyOut{
		Dialect: g.Dialect, Scheme: g.Scheme, Headers: g.Headers, Steps: g.Steps, Snippets: VerifySnippets(g.Code),
	}}, nil
}
