package restapi_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/callboard/callboard/internal/dialect"
	"github.com/callboard/callboard/internal/dialect/builtin"
	"github.com/callboard/callboard/internal/restapi"
)

// TestWebhooksOfTheDocument: every event type of the catalogue is described in every
// dialect that says it, with an example that fits its schema.
func TestWebhooksOfTheDocument(t *testing.T) {
	t.Parallel()
	dialects := builtin.Dialects(builtin.Config{PublicURL: publicURL})
	catalog := builtin.Catalog(dialects)
	w := newWorld(t, func(cfg *restapi.Config) { cfg.Dialects, cfg.Catalog = dialects, catalog })
	answer := httptest.NewRecorder()
	w.handler.ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/api/v1/openapi.json", nil))
	text := answer.Body.Bytes()
	if len(text) > 1<<20 {
		t.Errorf("the document has %d bytes", len(text))
	}
	var document struct {
		Webhooks map[string]struct {
			Post struct {
				Summary     string
				Description string
				RequestBody struct {
					Content map[string]struct {
						Schema struct {
							Ref string `json:"$ref"`
						}
						Example json.RawMessage
					}
				}
			}
		}
	}
	if err := json.Unmarshal(text, &document); err != nil {
		t.Fatal(err)
	}
	whole, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	compiler := jsonschema.NewCompiler()
	if err := compiler.AddResource("https://example.com/openapi.json", whole); err != nil {
		t.Fatal(err)
	}
	count := 0
	for _, eventType := range catalog.Types() {
		for _, name := range dialects.Names() {
			d, _ := dialects.Get(name)
			word, fit := d.Word(eventType.Name)
			if fit == dialect.Unsaid {
				continue
			}
			count++
			hook, described := document.Webhooks[name+"/"+eventType.Name]
			if !described || hook.Post.Summary != word || hook.Post.Description == "" {
				t.Errorf("%s in %s is not described: %+v", eventType.Name, name, hook)
				continue
			}
			if translated := strings.Contains(hook.Post.Description, "translation"); translated != (fit == dialect.Translated) {
				t.Errorf("%s in %s: said to be a translation = %v", eventType.Name, name, translated)
			}
			body := hook.Post.RequestBody.Content["application/json"]
			schema, err := compiler.Compile("https://example.com/openapi.json" + body.Schema.Ref)
			if err != nil {
				t.Errorf("%s in %s: %v", eventType.Name, name, err)
				continue
			}
			example, err := jsonschema.UnmarshalJSON(bytes.NewReader(body.Example))
			if err != nil {
				t.Fatal(err)
			}
			if err := schema.Validate(example); err != nil {
				t.Errorf("%s in %s: the example does not fit: %v", eventType.Name, name, err)
			}
		}
	}
	if count != len(document.Webhooks) {
		t.Errorf("%d webhooks are described, of %d", len(document.Webhooks), count)
	}
}
