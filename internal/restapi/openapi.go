package restapi

import (
	"encoding/json"
	"io"
	"net/http"
	"reflect"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/callboard/callboard/internal/errs"
	"github.com/callboard/callboard/internal/play"
	"github.com/callboard/callboard/internal/web"
)

// Tags group the operations of the document.
const (
	tagApps       = "Application"
	tagEndpoints  = "Endpoint"
	tagEventTypes = "Event Type"
	tagMessages   = "Message"
	tagAttempts   = "Message Attempt"
	tagDeliveries = "Delivery"
	tagAuth       = "Authentication"
	tagTasks      = "Background Task"
	tagLive       = "Live"
	tagSources    = "Sources"
	tagPlay       = "Play"
	tagSettings   = "Settings"
	tagHealth     = "Health"
)

// bearerScheme is the name of the document's one security scheme, Svix's name.
const bearerScheme = "HTTPBearer"

// document is the frame of the OpenAPI document, and how huma is set up: JSON
// alone, no routes of its own, no $schema in answers, our errors.
func (a *api) document() huma.Config {
	cfg := huma.Config{
		OpenAPI: &huma.OpenAPI{
			OpenAPI: "3.1.0",
			Info: &huma.Info{
				Title:   "Callboard",
				Version: a.Version,
				Description: "Webhooks for software in which people meet live. The delivery API is wire-compatible with Svix's, " +
					"so Svix's client libraries work against it unchanged. A box on words: an event in Callboard is a programme " +
					"that people attend; Svix's `eventType` is the type of a message and its `eventId` the message's uid.",
				License: &huma.License{Name: "Apache-2.0", Identifier: "Apache-2.0"},
			},
			Servers: []*huma.Server{{URL: a.PublicURL}},
			Components: &huma.Components{
				Schemas:   huma.NewMapRegistry("#/components/schemas/", schemaName),
				Responses: problemResponses(),
				SecuritySchemes: map[string]*huma.SecurityScheme{bearerScheme: {
					Type: "http", Scheme: "bearer", BearerFormat: "JWT",
					Description: "A token from `callboard token`, or for one app from app-portal-access.",
				}},
			},
			Security: []map[string][]string{{bearerScheme: {}}},
			Tags: []*huma.Tag{
				{Name: tagApps, Description: "An app is a tenant: whoever owns endpoints."},
				{Name: tagEndpoints, Description: "An endpoint is a URL with its subscription, secret and headers."},
				{Name: tagEventTypes, Description: "What messages can be about."},
				{Name: tagMessages, Description: "A message goes to every endpoint that subscribed to its type."},
				{Name: tagAttempts, Description: "The log: each POST of a message to an endpoint."},
				{Name: tagDeliveries, Description: "A delivery is a message on its way to an endpoint, over all its attempts."},
				{Name: tagAuth, Description: "Tokens for a tenant's portal."},
				{Name: tagTasks, Description: "Long work and how far it is."},
				{Name: tagLive, Description: "What goes on where people meet. Every write may send messages of the catalogue; `notify=false` keeps it silent."},
				{Name: tagSources, Description: "A source is an address at which a vendor's webhooks come in. Each becomes one message."},
				{Name: tagPlay, Description: "Inboxes to try webhooks with. They need no token: the key of an inbox is its viewer's secret."},
				{Name: tagSettings, Description: "What holds for the whole org."},
				{Name: tagHealth, Description: "Probes; they need no token."},
			},
		},
		Formats:       map[string]huma.Format{"application/json": jsonFormat(), "json": jsonFormat()},
		DefaultFormat: "application/json",
		Transformers:  []huma.Transformer{transform},
	}
	cfg.AllowAdditionalPropertiesByDefault = true
	return cfg
}

// schemaName is the name of a type in the document. Package play's are named for their package: a Request may be
// anything there.
func schemaName(t reflect.Type, hint string) string {
	name := huma.DefaultSchemaNamer(t, hint)
	for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice {
		t = t.Elem()
	}
	if t.PkgPath() == reflect.TypeFor[play.Inbox]().PkgPath() {
		return "Play" + name
	}
	return name
}

// jsonFormat is encoding/json without its escapes for HTML.
func jsonFormat() huma.Format {
	return huma.Format{
		Marshal: func(w io.Writer, v any) error {
			enc := json.NewEncoder(w)
			enc.SetEscapeHTML(false)
			return enc.Encode(v)
		},
		Unmarshal: json.Unmarshal,
	}
}

// problemStatuses are the errors that any route may answer with.
var problemStatuses = map[int]string{
	http.StatusBadRequest:            "The request cannot be read.",
	http.StatusUnauthorized:          "There is no token, or it is not valid.",
	http.StatusForbidden:             "The token does not permit this.",
	http.StatusNotFound:              "There is no such thing in the token's scope.",
	http.StatusConflict:              "A name is taken, or an Idempotency-Key was used with another body.",
	http.StatusRequestEntityTooLarge: "The body is larger than 1 MiB.",
	http.StatusTooManyRequests:       "There are too many; Retry-After says when to try again.",
	http.StatusUnprocessableEntity:   "Some fields are not valid; each is named.",
	http.StatusServiceUnavailable:    "The service cannot answer at the moment; Retry-After says when to try again.",
}

// problemResponses are the errors' forms, which operations refer to by name.
func problemResponses() map[string]*huma.Response {
	plain := &huma.Schema{Type: huma.TypeObject, Required: []string{"code", "detail"}, Properties: map[string]*huma.Schema{
		"code":   {Type: huma.TypeString, Description: "For programs.", Examples: []any{"not_found"}},
		"detail": {Type: huma.TypeString, Description: "For people.", Examples: []any{"Entity not found"}},
	}}
	field := &huma.Schema{Type: huma.TypeObject, Required: []string{"loc", "msg", "type"}, Properties: map[string]*huma.Schema{
		"loc":  {Type: huma.TypeArray, Items: &huma.Schema{Type: huma.TypeString}, Examples: []any{[]string{"body", "url"}}},
		"msg":  {Type: huma.TypeString},
		"type": {Type: huma.TypeString, Examples: []any{"value_error"}},
	}}
	fields := &huma.Schema{Type: huma.TypeObject, Required: []string{"detail"}, Properties: map[string]*huma.Schema{
		"detail": {Type: huma.TypeArray, Items: field},
	}}
	responses := make(map[string]*huma.Response, len(problemStatuses))
	for status, text := range problemStatuses {
		schema := plain
		if status == http.StatusUnprocessableEntity {
			schema = fields
		}
		responses["Problem"+strconv.Itoa(status)] = &huma.Response{
			Description: text,
			Content:     map[string]*huma.MediaType{"application/json": {Schema: schema}},
		}
	}
	return responses
}

// describe adds to an operation what follows from its method and access.
func (a *api) describe(op *huma.Operation, access web.Access) {
	describeProblems(op, http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound, http.StatusUnprocessableEntity, http.StatusServiceUnavailable)
	if op.Method == http.MethodPost {
		op.Parameters = append(op.Parameters, &huma.Param{
			Name: "Idempotency-Key", In: "header", Schema: &huma.Schema{Type: huma.TypeString},
			Description: "Requests under one key within 12 hours are one request; another body under the same key is a conflict.",
		})
	}
	op.Description = strings.TrimSpace(op.Description + "\n\n" + who(access))
}

// describeOpen is describe for an operation that takes no token.
func (a *api) describeOpen(op *huma.Operation) {
	op.Security = []map[string][]string{}
	describeProblems(op, http.StatusNotFound, http.StatusTooManyRequests, http.StatusUnprocessableEntity, http.StatusServiceUnavailable)
}

// describeProblems adds the errors that an operation may answer with, and those of
// bodies if it has one.
func describeProblems(op *huma.Operation, statuses ...int) {
	if op.Method != http.MethodGet && op.Method != http.MethodDelete {
		statuses = append(statuses, http.StatusBadRequest, http.StatusConflict, http.StatusRequestEntityTooLarge)
	}
	if op.Responses == nil {
		op.Responses = map[string]*huma.Response{}
	}
	for _, s := range statuses {
		text := strconv.Itoa(s)
		op.Responses[text] = &huma.Response{Ref: "#/components/responses/Problem" + text}
	}
}

// who says which tokens a route takes.
func who(access web.Access) string {
	if access.Admin {
		return "Takes the org's token."
	}
	if len(access.AnyOf) == 0 {
		return "Takes the org's token, or any of the app's."
	}
	names := make([]string, len(access.AnyOf))
	for i, c := range access.AnyOf {
		names[i] = "`" + string(c) + "`"
	}
	return "Takes the org's token, or the app's with " + strings.Join(names, " or ") + "."
}

// transform puts huma's own errors into the API's form. It runs before the status
// and the body are written.
func transform(ctx huma.Context, _ string, v any) (any, error) {
	model, ok := v.(*huma.ErrorModel)
	if !ok {
		return v, nil
	}
	ctx.SetHeader("Content-Type", "application/json")
	return problem(model), nil
}

// problem says what huma found wrong, without the values that it carries along.
func problem(model *huma.ErrorModel) web.Problem {
	if model.Status != http.StatusUnprocessableEntity {
		return web.Explain(&errs.Error{Kind: errs.Malformed, Detail: "The body must be a JSON document"})
	}
	fields := make([]errs.Field, 0, len(model.Errors))
	for _, e := range model.Errors {
		fields = append(fields, field(e))
	}
	return web.Explain(&errs.Error{Kind: errs.Invalid, Fields: fields})
}

// openFields are the objects whose keys the client chooses: what lies in them is
// not named, because a key may be as private as a value.
var openFields = map[string]bool{
	"headers": true, "metadata": true, "schemas": true, "payload": true, "data": true, "transformationsParams": true,
}

// field turns one of huma's errors into one of ours.
func field(e *huma.ErrorDetail) errs.Field {
	var loc []string
	for part := range strings.FieldsFuncSeq(e.Location, func(r rune) bool { return r == '.' || r == '[' || r == ']' }) {
		loc = append(loc, part)
		if openFields[part] {
			break
		}
	}
	msg, member := reworded(e.Message)
	switch {
	case msg == msgUnknown: // its name is the client's: it is not repeated
		loc = loc[:min(1, len(loc))]
	case member != "":
		loc = append(loc, member)
	}
	return errs.Field{Loc: loc, Msg: msg}
}
