package restapi

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/callboard/callboard/internal/delivery"
	"github.com/callboard/callboard/internal/dialect"
)

// SettingsOut is what holds for a whole org, defaults filled in.
type SettingsOut struct {
	Catalog          catalogChoice `json:"catalog"`
	SchemaValidation string        `json:"schemaValidation" enum:"strict,warn"`
	Dialects         []string      `json:"dialects" nullable:"false"`
	DefaultDialect   string        `json:"defaultDialect"`
}

// SettingsPatch changes the settings that are sent; null goes back to the default.
// Unknown settings are refused: a mistyped one must not look as if it held.
type SettingsPatch struct {
	Catalog          optional[catalogChoice] `json:"catalog,omitzero" doc:"all, none, or the dialects whose event types are offered."`
	SchemaValidation optional[string]        `json:"schemaValidation,omitzero" enum:"strict,warn" doc:"Whether a catalogue message that does not fit its schema is refused."`
	Dialects         optional[[]string]      `json:"dialects,omitzero" doc:"The dialects that endpoints may use; null = all."`
	DefaultDialect   optional[string]        `json:"defaultDialect,omitzero" doc:"The dialect of endpoints that name none; native by default."`
	_                struct{}                `additionalProperties:"false"`
}

// settings is the document as it is stored: what was set, and nothing else.
type settings struct {
	Catalog          *catalogChoice `json:"catalog,omitempty"`
	SchemaValidation string         `json:"schemaValidation,omitempty"`
	Dialects         []string       `json:"dialects,omitempty"`
	DefaultDialect   string         `json:"defaultDialect,omitempty"`
}

// catalogChoice is "all", "none" or a list of dialects.
type catalogChoice struct {
	all  bool
	only []string // nil or empty = none, unless all
}

// MarshalJSON writes the shortest form.
func (c catalogChoice) MarshalJSON() ([]byte, error) {
	switch {
	case c.all:
		return []byte(`"all"`), nil
	case len(c.only) == 0:
		return []byte(`"none"`), nil
	}
	return json.Marshal(c.only)
}

// UnmarshalJSON reads a word or a list.
func (c *catalogChoice) UnmarshalJSON(text []byte) error {
	*c = catalogChoice{}
	var word string
	if json.Unmarshal(text, &word) != nil {
		return json.Unmarshal(text, &c.only)
	}
	c.all = word == "all"
	if !c.all && word != "none" {
		return fmt.Errorf("catalog is neither all nor none")
	}
	return nil
}

// Schema is a word or a list of names.
func (catalogChoice) Schema(huma.Registry) *huma.Schema {
	word := &huma.Schema{Type: huma.TypeString, Enum: []any{"all", "none"}}
	names := &huma.Schema{Type: huma.TypeArray, Items: &huma.Schema{Type: huma.TypeString}}
	word.PrecomputeMessages()
	return &huma.Schema{AnyOf: []*huma.Schema{word, names}}
}

// registerSettings puts the org's settings on the mux.
func (a *api) registerSettings() {
	handle(a, huma.Operation{
		OperationID: "v1.settings.get", Method: http.MethodGet, Path: "/settings", Tags: []string{tagSettings},
		Summary: "Get the org's settings",
	}, accessAdmin, a.getSettings)
	handle(a, huma.Operation{
		OperationID: "v1.settings.patch", Method: http.MethodPatch, Path: "/settings", Tags: []string{tagSettings},
		Summary: "Change the org's settings", Description: "Changes what is sent; null goes back to the default. Unknown settings are refused.",
	}, accessAdminWrite, a.patchSettings)
}

// getSettings answers GET /settings.
func (a *api) getSettings(ctx context.Context, c *call, _ *struct{}) (*answer[SettingsOut], error) {
	row, err := a.Store.Settings(ctx, c.Org)
	if err != nil {
		return nil, err
	}
	s, err := readSettings(row.Doc)
	if err != nil {
		return nil, err
	}
	return &answer[SettingsOut]{a.showSettings(s)}, nil
}

// readSettings reads a stored document; nil has all defaults. Fields that a newer
// version wrote are ignored.
func readSettings(doc []byte) (settings, error) {
	var s settings
	if doc == nil {
		return s, nil
	}
	if err := json.Unmarshal(doc, &s); err != nil {
		return s, fmt.Errorf("read org settings: %w", err)
	}
	return s, nil
}

// showSettings fills in the defaults. They are not stored, so that a default that
// changes, such as a new dialect, holds for everybody who never chose.
func (a *api) showSettings(s settings) SettingsOut {
	out := SettingsOut{
		Catalog: catalogChoice{all: true}, SchemaValidation: "strict",
		Dialects: a.Dialects.Names(), DefaultDialect: dialect.Native,
	}
	if s.Catalog != nil {
		out.Catalog = *s.Catalog
	}
	if s.SchemaValidation != "" {
		out.SchemaValidation = s.SchemaValidation
	}
	if s.Dialects != nil {
		out.Dialects = s.Dialects
	}
	if s.DefaultDialect != "" {
		out.DefaultDialect = s.DefaultDialect
	}
	return out
}

// patchSettingsIn is what PATCH /settings takes.
type patchSettingsIn struct {
	Body SettingsPatch
}

// patchSettings answers PATCH /settings. The settings are checked as they are after
// the change, inside the transaction, so two changes that exclude each other cannot
// both be made.
func (a *api) patchSettings(ctx context.Context, c *call, in *patchSettingsIn) (*answer[SettingsOut], error) {
	var next settings
	err := a.Ingest.UpdateSettings(ctx, c.Org, func(doc []byte) ([]byte, error) {
		var err error
		if next, err = readSettings(doc); err != nil {
			return nil, err
		}
		in.Body.apply(&next)
		if err := a.checkSettings(&next); err != nil {
			return nil, err
		}
		return json.Marshal(next)
	})
	if err != nil {
		return nil, err
	}
	return &answer[SettingsOut]{a.showSettings(next)}, nil
}

// apply changes the settings that were sent; null forgets.
func (in *SettingsPatch) apply(s *settings) {
	if in.Catalog.Sent {
		s.Catalog = in.Catalog.Value
	}
	set(in.SchemaValidation, &s.SchemaValidation)
	set(in.Dialects, &s.Dialects)
	set(in.DefaultDialect, &s.DefaultDialect)
}

// checkSettings refuses names of dialects that there are not, and a default that
// no endpoint could use.
func (a *api) checkSettings(s *settings) error {
	known := func(name string) bool { _, ok := a.Dialects.Get(name); return ok && name != "" }
	unknown := func(name string) bool { return !known(name) }
	choice := "must name dialects out of " + strings.Join(a.Dialects.Names(), ", ")
	out := a.showSettings(*s)
	switch {
	case slices.ContainsFunc(out.Catalog.only, unknown):
		return invalid(choice, "body", "catalog")
	case len(out.Dialects) == 0 || slices.ContainsFunc(out.Dialects, unknown):
		return invalid(choice, "body", "dialects")
	case !slices.Contains(out.Dialects, out.DefaultDialect):
		return invalid("must be one of the org's dialects", "body", "defaultDialect")
	}
	return nil
}

// dialectChoice is which dialects an org's endpoints may use.
type dialectChoice struct {
	known, allowed []string
	preferred      string
}

// dialectsOf reads which dialects an org's endpoints may use.
func (a *api) dialectsOf(ctx context.Context, org string) (dialectChoice, error) {
	row, err := a.Store.Settings(ctx, org)
	if err != nil {
		return dialectChoice{}, err
	}
	s, err := readSettings(row.Doc)
	if err != nil {
		return dialectChoice{}, err
	}
	out := a.showSettings(s)
	return dialectChoice{a.Dialects.Names(), out.Dialects, out.DefaultDialect}, nil
}

// choose gives an endpoint that names no dialect the org's, and refuses one that
// the org does not allow. A dialect that nobody knows is left for ingest to refuse.
func (d dialectChoice) choose(ep *delivery.Endpoint) error {
	if ep.Dialect == "" && d.preferred != dialect.Native {
		ep.Dialect = d.preferred
	}
	name := ep.Dialect
	if name == "" {
		name = dialect.Native
	}
	if slices.Contains(d.known, name) && !slices.Contains(d.allowed, name) {
		return invalid("is not among the org's dialects, see /api/v1/settings", "body", "dialect")
	}
	return nil
}
