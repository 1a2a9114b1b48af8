package restapi

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/callboard/callboard/internal/dialect"
	"github.com/callboard/callboard/internal/ingest"
	"github.com/callboard/callboard/internal/settings"
	"github.com/callboard/callboard/internal/store"
)

// catalogSince is when the catalogue's types were made and changed last, as the API shows
// it. It goes on with a release that changes a schema.
var catalogSince = time.Date(2026, time.November, 26, 0, 0, 0, 0, time.UTC)

// offered are the types of the catalogue that an org is offered, by name.
func (a *api) offered(s *settings.Settings) []dialect.EventType {
	if a.Catalog == nil {
		return nil
	}
	return slices.DeleteFunc(a.Catalog.Types(), func(t dialect.EventType) bool { return !a.lexicon.Offers(t.Name, s) })
}

// catalogType finds a type of the catalogue; nil if there is none.
func (a *api) catalogType(name string) *dialect.EventType {
	if a.Catalog == nil {
		return nil
	}
	t, known := a.Catalog.Get(name)
	if !known {
		return nil
	}
	return &t
}

// listedType is an element of a list of event types: one of the two is set.
type listedType struct {
	own  *store.EventType
	ours *dialect.EventType
}

func (t *listedType) name() string {
	if t.own != nil {
		return t.own.Name
	}
	return t.ours.Name
}

// mergeTypes makes one page of two lists by name: the org's own types from a place on,
// and all that the catalogue offers it. There is one type of a name, the one that messages
// have: see ingest.Shadows. done says that nothing follows.
//
// The own types are as many as the page takes, or all. So the page ends before any that
// was not read, and what stands in front of a type of the catalogue is always there.
func mergeTypes(from store.Page, own store.Listed[store.EventType], offered []dialect.EventType) (types []listedType, done bool) {
	compare := func(a, b string) int {
		if from.Ascending {
			return strings.Compare(a, b)
		}
		return strings.Compare(b, a)
	}
	free := map[string]bool{} // names of the catalogue's, whether they belong here
	for i := range offered {
		name := offered[i].Name
		free[name] = from.AfterName == "" || compare(name, from.AfterName) > 0
	}
	for i := range own.Rows {
		t := &own.Rows[i]
		if _, contested := free[t.Name]; contested && !ingest.Shadows(t) {
			continue
		}
		free[t.Name] = false
		types = append(types, listedType{own: t})
	}
	for i := range offered {
		if free[offered[i].Name] {
			types = append(types, listedType{ours: &offered[i]})
		}
	}
	slices.SortFunc(types, func(a, b listedType) int { return compare(a.name(), b.name()) })
	if len(types) > from.Limit {
		return types[:from.Limit], false
	}
	return types, own.Done
}

// showListed renders an element of a list.
func (a *api) showListed(t *listedType, content bool, s *settings.Settings) EventTypeOut {
	if t.own != nil {
		return showEventType(t.own, content)
	}
	return a.showCatalogType(t.ours, content, s)
}

// showCatalogType renders a type of the catalogue as if it had been declared.
func (a *api) showCatalogType(t *dialect.EventType, content bool, s *settings.Settings) EventTypeOut {
	out := EventTypeOut{
		Name: t.Name, Description: t.Description, GroupName: pointer(t.Group),
		CreatedAt: catalogSince, UpdatedAt: catalogSince, Origin: originCatalog,
	}
	out.Words, out.Translations = a.words(t.Name, s)
	if content && len(t.Schema) > 0 {
		out.Schemas = slices.Concat([]byte(`{"1":`), withExample(t.Schema, t.Sample), []byte("}"))
	}
	return out
}

// words are what the dialects of an org call an event type, and which of them mean one
// that is close. Native is left out: it has no words of its own.
func (a *api) words(eventType string, s *settings.Settings) (words map[string]string, translations []string) {
	words, translations = map[string]string{}, []string{}
	for _, name := range s.Dialects {
		d, known := a.Dialects.Get(name)
		if !known || name == dialect.Native {
			continue
		}
		word, fit := d.Word(eventType)
		if fit == dialect.Unsaid {
			continue
		}
		words[name] = word
		if fit == dialect.Translated {
			translations = append(translations, name)
		}
	}
	slices.Sort(translations)
	return words, translations
}

// withExample is a JSON schema with a payload among its examples; the rest of it stays
// byte for byte as it is.
func withExample(schema, sample []byte) []byte {
	var known struct {
		Examples json.RawMessage `json:"examples"`
	}
	text := bytes.TrimSpace(schema)
	head, isObject := bytes.CutSuffix(text, []byte("}"))
	if len(sample) == 0 || !isObject || json.Unmarshal(text, &known) != nil || known.Examples != nil {
		return text
	}
	head = bytes.TrimRight(head, " \t\r\n")
	comma := ","
	if bytes.Equal(head, []byte("{")) {
		comma = ""
	}
	return slices.Concat(head, []byte(comma+`"examples":[`), sample, []byte("]}"))
}
