package restapi

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/callboard/callboard/internal/dialect"
	"github.com/callboard/callboard/internal/dialect/shape"
)

// webhooks are what the OpenAPI document says of the webhooks that go out: every event
// type of the catalogue in every dialect that says it, by "<dialect>/<event type>".
type webhooks struct {
	paths   map[string]*huma.PathItem
	schemas map[string]*huma.Schema
	names   map[string]string // of schemas, by their text: what is the same stands there once
}

// describeWebhooks describes the webhooks of the catalogue.
func (a *api) describeWebhooks() (*webhooks, error) {
	w := &webhooks{map[string]*huma.PathItem{}, map[string]*huma.Schema{}, map[string]string{}}
	if a.Catalog == nil {
		return w, nil
	}
	for _, t := range a.Catalog.Types() {
		for _, name := range a.Dialects.Names() {
			d, _ := a.Dialects.Get(name)
			word, fit := d.Word(t.Name)
			if fit == dialect.Unsaid {
				continue
			}
			op, err := w.operation(d, &t, word, fit)
			if err != nil {
				return nil, fmt.Errorf("describe %s in %s: %w", t.Name, name, err)
			}
			w.paths[name+"/"+t.Name] = &huma.PathItem{Post: op}
		}
	}
	return w, nil
}

// operation describes one event type in one dialect.
func (w *webhooks) operation(d dialect.Dialect, t *dialect.EventType, word string, fit dialect.Fit) (*huma.Operation, error) {
	body, err := d.Render(dialect.Message{
		ID: exampleMessage, Type: t.Name, Time: time.Unix(0, 0).UTC(), Tenant: exampleTenant, Payload: t.Sample,
	})
	if err != nil {
		return nil, err
	}
	schema, err := w.bodySchema(d, t, word)
	if err != nil {
		return nil, err
	}
	description := t.Description
	if fit == dialect.Translated {
		description += "\n\nA translation: an endpoint with `translate: false` does not hear it."
	}
	return &huma.Operation{
		OperationID: "webhook." + d.Name() + "." + t.Name,
		Tags:        []string{tagWebhooks + d.Name()},
		Summary:     word,
		Description: description,
		RequestBody: &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{
			"application/json": {Schema: schema, Example: json.RawMessage(body)},
		}},
		Responses: map[string]*huma.Response{"2XX": {
			Description: "The webhook was taken. Any other answer, or none in time, means that it is sent again.",
		}},
		Method: http.MethodPost,
	}, nil
}

// What stands in examples.
const (
	exampleMessage = "msg_0tyj9Ub7s0zg9WEbvAy1XFFn4NR"
	exampleTenant  = "acme"
	tagWebhooks    = "Webhooks: "
)

// bodySchema gives the schema of a body by its name among the components.
func (w *webhooks) bodySchema(d dialect.Dialect, t *dialect.EventType, word string) (*huma.Schema, error) {
	if described, ok := d.(shape.Described); ok {
		return w.named(d.Name()+"."+word, described.Form(t.Name).Schema())
	}
	var schema map[string]any
	if err := json.Unmarshal(t.Schema, &schema); err != nil {
		return nil, err
	}
	defs, _ := schema["$defs"].(map[string]any)
	for name, def := range defs {
		if _, err := w.named(dataSchemas+name, moved(def).(map[string]any)); err != nil {
			return nil, err
		}
	}
	delete(schema, "$defs")
	delete(schema, "$schema")
	delete(schema, "$id")
	return w.named(d.Name()+"."+word, moved(schema).(map[string]any))
}

// named files a schema among the components, unless it is there, and refers to it.
func (w *webhooks) named(name string, schema map[string]any) (*huma.Schema, error) {
	text, err := json.Marshal(schema)
	if err != nil {
		return nil, err
	}
	filed, known := w.names[string(text)]
	if !known {
		if _, taken := w.schemas[name]; taken {
			return nil, fmt.Errorf("there are two schemas of the name %s", name)
		}
		w.names[string(text)], filed = name, name
		w.schemas[name] = &huma.Schema{Extensions: schema}
	}
	return &huma.Schema{Ref: componentSchemas + filed}, nil
}

const (
	componentSchemas = "#/components/schemas/"
	dataSchemas      = "data."
)

// moved is a part of a schema with references to its own definitions made ones to the
// document's components.
func moved(part any) any {
	switch part := part.(type) {
	case map[string]any:
		for key, value := range part {
			if ref, ok := value.(string); ok && key == "$ref" {
				part[key] = strings.Replace(ref, "#/$defs/", componentSchemas+dataSchemas, 1)
				continue
			}
			part[key] = moved(value)
		}
	case []any:
		for i := range part {
			part[i] = moved(part[i])
		}
	}
	return part
}
