package restapi

import (
	"context"
	"encoding/json"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/callboard/callboard/internal/settings"
)

// SettingsOut is what holds for a whole org, defaults filled in.
type SettingsOut struct {
	Catalog          catalogChoice `json:"catalog"`
	SchemaValidation string        `json:"schemaValidation" enum:"strict,warn"`
	Dialects         []string      `json:"dialects" nullable:"false"`
	DefaultDialect   string        `json:"defaultDialect"`
	ResourceURLBase  *string       `json:"resourceUrlBase" doc:"What resource_url begins with in webhooks of the sessionboard dialect; null = the server's own address."`
	Portal           PortalOut     `json:"portal"`
	PublicCatalog    bool          `json:"publicCatalog" doc:"Whether the catalogue of event types may be read without a token."`
}

// PortalOut is how the dashboard looks to an org's tenants, and where it may be embedded.
type PortalOut struct {
	Brand
	AllowedOrigins []string `json:"allowedOrigins" nullable:"false" doc:"The sites that may show an app's pages in a frame."`
}

// Brand is how the dashboard looks to an org's tenants; null = as Callboard does.
type Brand struct {
	Name   *string `json:"name" doc:"What stands above the pages; null = Callboard's name."`
	Logo   *string `json:"logo" doc:"An image as a data: URI; null = none."`
	Accent *string `json:"accent" doc:"The colour of what can be clicked, as #rrggbb; null = Callboard's."`
}

// showBrand renders a portal's looks.
func showBrand(p *settings.Portal) Brand {
	return Brand{Name: pointer(p.Name), Logo: pointer(p.Logo), Accent: pointer(p.Accent)}
}

// PortalPatch changes what is sent of a portal; null goes back to the default.
type PortalPatch struct {
	Name           optional[string]   `json:"name,omitzero" maxLength:"100" doc:"What stands above the pages of an app; null = Callboard's name."`
	Logo           optional[string]   `json:"logo,omitzero" doc:"An image of at most 48 KiB as data:image/png;base64,… (or jpeg, webp, svg+xml); null = none."`
	Accent         optional[string]   `json:"accent,omitzero" doc:"The colour of what can be clicked, as #rrggbb; null = Callboard's." example:"#0f766e"`
	AllowedOrigins optional[[]string] `json:"allowedOrigins,omitzero" doc:"The sites that may show an app's pages in a frame, at most 20: https://, host, port if it is not 443. http is for localhost alone. null = none."`
	_              struct{}           `additionalProperties:"false"`
}

// apply changes what was sent.
func (in *PortalPatch) apply(p *settings.Portal) {
	set(in.Name, &p.Name)
	set(in.Logo, &p.Logo)
	set(in.Accent, &p.Accent)
	set(in.AllowedOrigins, &p.AllowedOrigins)
}

// SettingsPatch changes the settings that are sent; null goes back to the default.
// Unknown settings are refused: a mistyped one must not look as if it held.
type SettingsPatch struct {
	Catalog          optional[catalogChoice] `json:"catalog,omitzero" doc:"all, none, or the dialects whose event types are offered."`
	SchemaValidation optional[string]        `json:"schemaValidation,omitzero" enum:"strict,warn" doc:"Whether a catalogue message that does not fit its schema is refused."`
	Dialects         optional[[]string]      `json:"dialects,omitzero" doc:"The dialects that endpoints may use; null = all."`
	DefaultDialect   optional[string]        `json:"defaultDialect,omitzero" doc:"The dialect of endpoints that name none; native by default."`
	ResourceURLBase  optional[string]        `json:"resourceUrlBase,omitzero" maxLength:"1024" doc:"What resource_url begins with in webhooks of the sessionboard dialect: an http or https URL; null = the server's own address." example:"https://events.example.com"`
	Portal           optional[PortalPatch]   `json:"portal,omitzero" doc:"How the dashboard looks to tenants and where it may be embedded: what is sent of it changes; null = all of it as it was at first."`
	PublicCatalog    optional[bool]          `json:"publicCatalog,omitzero" doc:"Whether the catalogue of event types may be read without a token; false by default."`
	_                struct{}                `additionalProperties:"false"`
}

// catalogChoice is "all", "none" or a list of dialects.
type catalogChoice struct{ settings.Catalog }

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
	s, err := a.settingsOf(ctx, c.Org)
	if err != nil {
		return nil, err
	}
	return &answer[SettingsOut]{showSettings(&s)}, nil
}

// settingsOf reads what holds for an org.
func (a *api) settingsOf(ctx context.Context, org string) (settings.Settings, error) {
	row, err := a.Store.Settings(ctx, org)
	if err != nil {
		return settings.Settings{}, err
	}
	return settings.Of(row.Doc, a.Dialects.Names())
}

// showSettings renders settings.
func showSettings(s *settings.Settings) SettingsOut {
	return SettingsOut{
		Catalog: catalogChoice{s.Catalog}, SchemaValidation: s.SchemaValidation,
		Dialects: s.Dialects, DefaultDialect: s.DefaultDialect, ResourceURLBase: pointer(s.ResourceURLBase),
		Portal:        PortalOut{Brand: showBrand(&s.Portal), AllowedOrigins: append([]string{}, s.Portal.AllowedOrigins...)},
		PublicCatalog: s.PublicCatalog,
	}
}

// patchSettingsIn is what PATCH /settings takes.
type patchSettingsIn struct {
	Body SettingsPatch
}

// patchSettings answers PATCH /settings. The settings are checked as they are after
// the change, inside the transaction, so two changes that exclude each other cannot
// both be made.
func (a *api) patchSettings(ctx context.Context, c *call, in *patchSettingsIn) (*answer[SettingsOut], error) {
	known := a.Dialects.Names()
	var next settings.Document
	err := a.Ingest.UpdateSettings(ctx, c.Org, func(doc []byte) ([]byte, error) {
		var err error
		if next, err = settings.Parse(doc); err != nil {
			return nil, err
		}
		in.Body.apply(&next)
		if err := next.Check(known); err != nil {
			return nil, err
		}
		return json.Marshal(next)
	})
	if err != nil {
		return nil, err
	}
	filled := next.Filled(known)
	return &answer[SettingsOut]{showSettings(&filled)}, nil
}

// apply changes the settings that were sent; null forgets.
func (in *SettingsPatch) apply(s *settings.Document) {
	if in.Catalog.Sent {
		s.Catalog = nil
		if choice := in.Catalog.Value; choice != nil {
			s.Catalog = &choice.Catalog
		}
	}
	set(in.SchemaValidation, &s.SchemaValidation)
	set(in.Dialects, &s.Dialects)
	set(in.DefaultDialect, &s.DefaultDialect)
	set(in.ResourceURLBase, &s.ResourceURLBase)
	set(in.PublicCatalog, &s.PublicCatalog)
	if in.Portal.Sent {
		next := s.Branding()
		s.Portal = nil
		if change := in.Portal.Value; change != nil {
			change.apply(&next)
			s.Portal = &next
		}
	}
}
