package restapi

import (
	"bytes"
	"crypto/sha256"
	_ "embed" // the page and its style
	"encoding/base64"
	"encoding/json"
	"fmt"
	"html/template"
	"maps"
	"net/http"
	"slices"
	"sort"
	"strings"
	"sync"

	"github.com/danielgtaylor/huma/v2"

	"github.com/callboard/callboard/internal/web"
)

//go:embed docs.html
var docsPage string

//go:embed docs.css
var docsStyle string

// prose writes a description, in which code stands between backticks as in
// Markdown. Everything is escaped.
func prose(text string) template.HTML {
	var html strings.Builder
	for i, part := range strings.Split(text, "`") {
		part = template.HTMLEscapeString(part)
		if i%2 == 1 {
			part = "<code>" + part + "</code>"
		}
		html.WriteString(part)
	}
	return template.HTML(html.String())
}

// serveDocuments serves the OpenAPI document and the page, each written once, when
// somebody first asks. The page needs no script and nothing from elsewhere, and its policy
// allows neither.
func (a *api) serveDocuments() {
	// huma registers the schema of its own error, which no route answers with.
	for _, name := range []string{"ErrorModel", "ErrorDetail"} {
		delete(a.huma.OpenAPI().Components.Schemas.Map(), name)
	}
	document, docs := sync.OnceValues(a.renderDocument), sync.OnceValues(a.renderDocs)
	sum := sha256.Sum256([]byte(docsStyle))
	policy := "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) +
		"'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
	a.mux.HandleFunc("GET "+prefix+"/openapi.json", func(w http.ResponseWriter, _ *http.Request) {
		text, err := document()
		if err != nil {
			web.Fail(w, err)
			return
		}
		w.Header()["Content-Type"] = jsonType
		_, _ = w.Write(text)
	})
	a.mux.HandleFunc("GET /docs", func(w http.ResponseWriter, _ *http.Request) {
		page, err := docs()
		if err != nil {
			web.Fail(w, err)
			return
		}
		h := w.Header()
		h.Set("Content-Type", "text/html; charset=utf-8")
		h.Set("Content-Security-Policy", policy)
		h.Set("Referrer-Policy", "no-referrer")
		_, _ = w.Write(page)
	})
}

// renderDocument writes the OpenAPI document. It has a part on webhooks that takes
// longer than a server should take to start, so it is written when somebody asks.
func (a *api) renderDocument() ([]byte, error) {
	described, err := a.describeWebhooks()
	if err != nil {
		return nil, fmt.Errorf("restapi: %w", err)
	}
	document := *a.huma.OpenAPI()
	components := *document.Components
	schemas := huma.NewMapRegistry(componentSchemas, huma.DefaultSchemaNamer)
	maps.Copy(schemas.Map(), components.Schemas.Map())
	maps.Copy(schemas.Map(), described.schemas)
	components.Schemas = schemas
	document.Components, document.Webhooks = &components, described.paths
	document.Tags = slices.Clone(document.Tags)
	for _, name := range a.Dialects.Names() {
		document.Tags = append(document.Tags, &huma.Tag{
			Name: tagWebhooks + name, Description: "What endpoints of the dialect " + name + " get.",
		})
	}
	text, err := json.Marshal(&document)
	if err != nil {
		return nil, fmt.Errorf("restapi: write the OpenAPI document: %w", err)
	}
	return text, nil
}

// docGroup is one tag with its operations, for the page.
type docGroup struct {
	Name, Description, Anchor string
	Operations                []docOperation
}

// docOperation is one method of one path.
type docOperation struct {
	Method, Path, Summary, Description string
	Deprecated                         bool
	Parameters                         []docField
	Body                               []docField
	Answers                            []docAnswer
}

// docAnswer is what an operation may answer with.
type docAnswer struct {
	Status, Description string
	Fields              []docField
}

// docField is a parameter, or a property of a body.
type docField struct {
	Name, Where, Type, Description string
	Required                       bool
}

// renderDocs writes the page from the finished document, so that the two agree; when somebody asks, too.
func (a *api) renderDocs() ([]byte, error) {
	tmpl, err := template.New("docs").Funcs(template.FuncMap{"prose": prose}).Parse(docsPage)
	if err != nil {
		return nil, fmt.Errorf("restapi: the page of the API: %w", err)
	}
	doc := a.huma.OpenAPI()
	var page bytes.Buffer
	err = tmpl.Execute(&page, struct {
		Title, Description, Version, Server, Document string
		Style                                         template.CSS
		Groups                                        []docGroup
	}{
		doc.Info.Title, doc.Info.Description, doc.Info.Version, a.PublicURL, prefix + "/openapi.json",
		template.CSS(docsStyle), docGroups(doc),
	})
	if err != nil {
		return nil, fmt.Errorf("restapi: the page of the API: %w", err)
	}
	return page.Bytes(), nil
}

// docGroups sorts the operations under their tags, by path.
func docGroups(doc *huma.OpenAPI) []docGroup {
	groups := make([]docGroup, len(doc.Tags))
	for i, tag := range doc.Tags {
		groups[i] = docGroup{Name: tag.Name, Description: tag.Description, Anchor: strings.ReplaceAll(strings.ToLower(tag.Name), " ", "-")}
	}
	for _, path := range sortedKeys(doc.Paths) {
		for method, op := range pathOperations(doc.Paths[path]) {
			i := slices.IndexFunc(doc.Tags, func(t *huma.Tag) bool { return slices.Contains(op.Tags, t.Name) })
			if i < 0 {
				continue
			}
			groups[i].Operations = append(groups[i].Operations, showOperation(doc, method, path, op))
		}
	}
	return groups
}

// pathOperations gives a path's operations in the order in which people think of
// them.
func pathOperations(item *huma.PathItem) func(func(string, *huma.Operation) bool) {
	return func(yield func(string, *huma.Operation) bool) {
		for _, m := range []struct {
			name string
			op   *huma.Operation
		}{{"GET", item.Get}, {"POST", item.Post}, {"PUT", item.Put}, {"PATCH", item.Patch}, {"DELETE", item.Delete}} {
			if m.op != nil && !yield(m.name, m.op) {
				return
			}
		}
	}
}

// showOperation renders an operation; answers that all share show their text alone.
func showOperation(doc *huma.OpenAPI, method, path string, op *huma.Operation) docOperation {
	out := docOperation{
		Method: method, Path: path, Summary: op.Summary, Description: op.Description, Deprecated: op.Deprecated,
	}
	for _, p := range op.Parameters {
		out.Parameters = append(out.Parameters, docField{
			Name: p.Name, Where: p.In, Type: typeName(doc, p.Schema), Description: p.Description, Required: p.Required,
		})
	}
	if op.RequestBody != nil {
		out.Body = fields(doc, op.RequestBody.Content["application/json"])
	}
	for _, status := range sortedKeys(op.Responses) {
		r := op.Responses[status]
		answer := docAnswer{Status: status, Description: r.Description}
		if name, shared := strings.CutPrefix(r.Ref, "#/components/responses/"); shared {
			answer.Description = doc.Components.Responses[name].Description
		} else {
			answer.Fields = fields(doc, r.Content["application/json"])
		}
		out.Answers = append(out.Answers, answer)
	}
	return out
}

// fields lists the properties of a body, those of the elements for a list.
func fields(doc *huma.OpenAPI, media *huma.MediaType) []docField {
	if media == nil || media.Schema == nil {
		return nil
	}
	schema := resolve(doc, media.Schema)
	var out []docField
	for _, name := range sortedKeys(schema.Properties) {
		p := schema.Properties[name]
		out = append(out, docField{
			Name: name, Type: typeName(doc, p), Description: p.Description, Required: slices.Contains(schema.Required, name),
		})
		if name != "data" || p.Items == nil {
			continue
		}
		item := resolve(doc, p.Items)
		for _, inner := range sortedKeys(item.Properties) {
			ip := item.Properties[inner]
			out = append(out, docField{
				Name: "data[]." + inner, Type: typeName(doc, ip), Description: ip.Description, Required: slices.Contains(item.Required, inner),
			})
		}
	}
	return out
}

// resolve follows a reference to a schema.
func resolve(doc *huma.OpenAPI, s *huma.Schema) *huma.Schema {
	if s.Ref == "" {
		return s
	}
	return doc.Components.Schemas.SchemaFromRef(s.Ref)
}

// typeName is a schema in a word or two.
func typeName(doc *huma.OpenAPI, s *huma.Schema) string {
	switch {
	case s == nil:
		return ""
	case s.Ref != "":
		return s.Ref[strings.LastIndex(s.Ref, "/")+1:]
	case len(s.Enum) > 0:
		words := make([]string, len(s.Enum))
		for i, e := range s.Enum {
			words[i] = fmt.Sprint(e)
		}
		return strings.Join(words, " | ")
	case s.Type == huma.TypeArray:
		return typeName(doc, s.Items) + "[]"
	case len(s.AnyOf) > 0:
		words := make([]string, len(s.AnyOf))
		for i, sub := range s.AnyOf {
			words[i] = typeName(doc, sub)
		}
		return strings.Join(words, " | ")
	case s.Format == "date-time":
		return "time"
	case s.Type == "":
		return eitherType(s)
	}
	return s.Type
}

// eitherType names the types of a schema of the catalogue that allows several.
func eitherType(s *huma.Schema) string {
	types, _ := s.Extensions["type"].([]any)
	var words []string
	for _, t := range types {
		if t != "null" {
			words = append(words, fmt.Sprint(t))
		}
	}
	return strings.Join(words, " | ")
}

// sortedKeys makes the page the same at every start.
func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	return keys
}
