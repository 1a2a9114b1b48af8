package restapi

import (
	"encoding/json"
	"maps"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/callboard/callboard/internal/catalog"
)

// objectSchemas is where the document has the schemas of the catalogue's objects.
const objectSchemas = componentSchemas + dataSchemas

// exampleObject is a place in a list of resources.
const exampleObject = "obj_0tyj9Ub7s0zg9WEbvAy1XFFn4NR"

// conferenceSchema describes the one object that no message carries.
func conferenceSchema() *huma.Schema {
	part := func(what string) *huma.Schema {
		return &huma.Schema{Type: huma.TypeString, Description: what + ": running or stopped; absent if it never ran."}
	}
	return &huma.Schema{
		Type: huma.TypeObject, Description: "A conference as it is now.", AdditionalProperties: true,
		Properties: map[string]*huma.Schema{
			"id":           {Description: "The conference's id: a string, or a number if it was told as one."},
			"status":       {Type: huma.TypeString, Description: "live or ended."},
			"hostId":       {Description: "Whose conference it is."},
			"companyId":    {Description: "The host's company."},
			"name":         {Type: huma.TypeString, Nullable: true},
			"startedAt":    {Type: huma.TypeString, Format: "date-time"},
			"endedAt":      {Type: huma.TypeString, Format: "date-time"},
			"endReason":    {Type: huma.TypeString, Description: "Why it ended, where that is known; idle after a day without activities."},
			"participants": {Type: huma.TypeInteger, Description: "How many are in it."},
			"recording":    part("The recording"),
			"stream":       part("The stream"),
			"broadcast":    part("The broadcast"),
		},
	}
}

// registerObjectSchemas puts what resources look like among the document's components.
// It is for people and generators: what is checked is live's to say.
func (a *api) registerObjectSchemas() {
	schemas := a.huma.OpenAPI().Components.Schemas.Map()
	for name, text := range catalog.ObjectSchemas() {
		var def map[string]any
		if err := json.Unmarshal(text, &def); err != nil {
			panic("restapi: schema of " + name + ": " + err.Error()) // it is part of the program
		}
		schemas[dataSchemas+name] = asSchema(moved(def).(map[string]any))
	}
	schemas[dataSchemas+"conference"] = conferenceSchema()
}

// asSchema takes apart what the page of the API shows of a schema; the rest of it stays as
// it is.
func asSchema(def map[string]any) *huma.Schema {
	rest := maps.Clone(def)
	s := &huma.Schema{Extensions: rest}
	take(rest, "description", &s.Description)
	take(rest, "$ref", &s.Ref)
	take(rest, "format", &s.Format)
	take(rest, "type", &s.Type)
	if either, ok := rest["type"].([]any); ok && len(either) == 2 && either[1] == "null" {
		s.Type, s.Nullable = either[0].(string), true
		delete(rest, "type")
	}
	properties, ok := rest["properties"].(map[string]any)
	if !ok {
		return s
	}
	delete(rest, "properties")
	s.Properties = make(map[string]*huma.Schema, len(properties))
	for name, property := range properties {
		s.Properties[name] = asSchema(property.(map[string]any))
	}
	return s
}

// take moves a text out of a schema.
func take(from map[string]any, name string, to *string) {
	if text, ok := from[name].(string); ok {
		*to = text
		delete(from, name)
	}
}

// describeDocs says in the document what the bodies of a resource's routes are.
func (a *api) describeDocs(r *resource) {
	paths, ref := a.huma.OpenAPI().Paths, objectSchemas+r.object
	all, one := paths[prefix+r.collection()], paths[prefix+r.path()]
	for _, op := range []*huma.Operation{all.Post, one.Get, one.Put, one.Patch} {
		if op == nil {
			continue
		}
		for _, status := range []string{"200", "201"} {
			if answer := op.Responses[status]; answer != nil {
				media := answer.Content["application/json"]
				a.useSchema(media, ref)
				media.Example = json.RawMessage(r.answer())
			}
		}
		if op.RequestBody != nil {
			media := op.RequestBody.Content["application/json"]
			a.useSchema(media, ref)
			media.Example = json.RawMessage(r.example)
		}
	}
	page := all.Get.Responses["200"].Content["application/json"]
	a.useSchema(page, a.pageOf(r.object))
	page.Example = json.RawMessage(`{"data":[` + r.answer() + `],"iterator":"` + exampleObject + `","prevIterator":"-` + exampleObject + `","done":true}`)
}

func (a *api) useSchema(media *huma.MediaType, ref string) { media.Schema = &huma.Schema{Ref: ref} }

// pageOf is the schema of a list of objects.
func (a *api) pageOf(object string) string {
	schemas := a.huma.OpenAPI().Components.Schemas
	name := "Page" + strings.ToUpper(object[:1]) + object[1:]
	if _, known := schemas.Map()[name]; !known {
		page := *schemas.Schema(typeOf[Page[ResourceDoc]](), false, "")
		page.Properties = maps.Clone(page.Properties)
		items := *page.Properties["data"]
		items.Items = &huma.Schema{Ref: objectSchemas + object}
		page.Properties["data"] = &items
		schemas.Map()[name] = &page
	}
	return componentSchemas + name
}
