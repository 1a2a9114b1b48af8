// Package settings holds what an org says about all of its apps: the document that
// is stored, what stands in for what it leaves out, and what of it is allowed. An
// app may narrow the choice of dialects further.
//
// Everything here is pure. Defaults are not stored, so that a default that changes,
// such as a new dialect, holds for everybody who never chose.
package settings

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/callboard/callboard/internal/dialect"
	"github.com/callboard/callboard/internal/errs"
)

// What becomes of a message of the catalogue whose payload does not fit its schema.
const (
	Strict = "strict" // it is refused
	Warn   = "warn"   // it is accepted, and the answer says what does not fit
)

// Document is the settings as they are stored: what was set, and nothing else.
type Document struct {
	Catalog          *Catalog `json:"catalog,omitempty"`
	SchemaValidation string   `json:"schemaValidation,omitempty"`
	Dialects         []string `json:"dialects,omitempty"`
	DefaultDialect   string   `json:"defaultDialect,omitempty"`
	ResourceURLBase  string   `json:"resourceUrlBase,omitempty"`
	Portal           *Portal  `json:"portal,omitempty"`
	PublicCatalog    bool     `json:"publicCatalog,omitempty"`
}

// Parse reads a stored document; nil has all defaults. Fields that a newer version
// wrote are ignored.
func Parse(doc []byte) (Document, error) {
	var d Document
	if doc == nil {
		return d, nil
	}
	if err := json.Unmarshal(doc, &d); err != nil {
		return d, fmt.Errorf("read org settings: %w", err)
	}
	return d, nil
}

// Settings are what holds, with the defaults filled in.
type Settings struct {
	Catalog          Catalog
	SchemaValidation string
	Dialects         []string // that endpoints may use
	DefaultDialect   string   // of endpoints that name none; "" = there is none left to use
	ResourceURLBase  string   // what links to resources in webhooks begin with; "" = the server's own address
	Portal           Portal
	PublicCatalog    bool // whether the event types may be read without a token
}

// Of reads a stored document and fills in the defaults. known are all dialects.
func Of(doc []byte, known []string) (Settings, error) {
	d, err := Parse(doc)
	return d.Filled(known), err
}

// Filled fills in the defaults. known are all dialects.
func (d *Document) Filled(known []string) Settings {
	s := Settings{Catalog: Catalog{All: true}, SchemaValidation: Strict, Dialects: known, DefaultDialect: dialect.Native}
	if d.Catalog != nil {
		s.Catalog = *d.Catalog
	}
	if d.SchemaValidation != "" {
		s.SchemaValidation = d.SchemaValidation
	}
	if d.Dialects != nil {
		s.Dialects = d.Dialects
	}
	if d.DefaultDialect != "" {
		s.DefaultDialect = d.DefaultDialect
	}
	s.ResourceURLBase = d.ResourceURLBase
	s.Portal = d.Branding()
	s.PublicCatalog = d.PublicCatalog
	return s
}

// Check refuses names of dialects that there are not, and a default that no endpoint
// could use.
func (d *Document) Check(known []string) error {
	unknown := func(name string) bool { return !slices.Contains(known, name) }
	choice := "must name dialects out of " + strings.Join(known, ", ")
	s := d.Filled(known)
	switch {
	case slices.ContainsFunc(s.Catalog.Dialects, unknown):
		return errs.InvalidField(choice, "body", "catalog")
	case s.SchemaValidation != Strict && s.SchemaValidation != Warn:
		return errs.InvalidField("must be strict or warn", "body", "schemaValidation")
	case len(s.Dialects) == 0 || slices.ContainsFunc(s.Dialects, unknown):
		return errs.InvalidField(choice, "body", "dialects")
	case !slices.Contains(s.Dialects, s.DefaultDialect):
		return errs.InvalidField("must be one of the org's dialects", "body", "defaultDialect")
	case !ValidBase(s.ResourceURLBase):
		return errs.InvalidField(BadBase, "body", "resourceUrlBase")
	}
	return s.Portal.check()
}

// maxBase is the longest resourceUrlBase, in bytes.
const maxBase = 1024

// BadBase says what a resourceUrlBase must be.
const BadBase = "must be an http or https URL of at most 1024 bytes, without user info, query and fragment"

// ValidBase reports whether links to resources may begin so; "" is none.
func ValidBase(base string) bool {
	if base == "" {
		return true
	}
	u, err := url.Parse(base)
	return err == nil && len(base) <= maxBase && (u.Scheme == "http" || u.Scheme == "https") && u.Hostname() != "" &&
		u.User == nil && !strings.ContainsAny(base, "?#")
}

// Allows reports whether endpoints may use a dialect.
func (s *Settings) Allows(name string) bool { return slices.Contains(s.Dialects, name) }

// Base is what links to resources of an app begin with: its own, else the org's.
func (s *Settings) Base(own string) string {
	if own != "" {
		return own
	}
	return s.ResourceURLBase
}

// Narrowed is the settings of an app that keeps some of the org's dialects (nil =
// all of them) and may have a default of its own ("" = the org's). What the org has
// taken away since is gone for the app too; if that leaves its default out, the
// first dialect that is left stands in.
func (s Settings) Narrowed(dialects []string, preferred string) Settings {
	if dialects != nil {
		s.Dialects = slices.DeleteFunc(slices.Clone(dialects), func(name string) bool { return !slices.Contains(s.Dialects, name) })
	}
	for _, name := range []string{preferred, s.DefaultDialect} {
		if name != "" && slices.Contains(s.Dialects, name) {
			s.DefaultDialect = name
			return s
		}
	}
	s.DefaultDialect = ""
	if len(s.Dialects) > 0 {
		s.DefaultDialect = s.Dialects[0]
	}
	return s
}

// CheckNarrowed refuses a choice of an app that is not within the org's, and one
// that leaves endpoints that name no dialect without one.
func (s Settings) CheckNarrowed(dialects []string, preferred string) error {
	allowed := s.Dialects
	if dialects != nil {
		allowed = dialects
	}
	if dialects != nil && len(dialects) == 0 || slices.ContainsFunc(dialects, func(name string) bool { return !slices.Contains(s.Dialects, name) }) {
		return errs.InvalidField("must be null or name some of the org's dialects: "+strings.Join(s.Dialects, ", "), "body", "dialects")
	}
	if preferred == "" {
		preferred = s.DefaultDialect
	}
	if !slices.Contains(allowed, preferred) {
		return errs.InvalidField("must be one of the app's dialects; null stands for the org's, "+s.DefaultDialect, "body", "defaultDialect")
	}
	return nil
}

// Catalog is which event types of the catalogue an org is offered: all of them, or
// those that one of some dialects says exactly, or none.
type Catalog struct {
	All      bool
	Dialects []string // nil or empty = none, unless All
}

// Offers reports whether a type of the catalogue is offered.
func (c *Catalog) Offers(eventType string, dialects *dialect.Set) bool {
	if c.All {
		return true
	}
	return slices.ContainsFunc(c.Dialects, func(name string) bool {
		d, known := dialects.Get(name)
		if !known {
			return false // a dialect of another version
		}
		_, fit := d.Word(eventType)
		return fit == dialect.Exact
	})
}

// OffersForeign reports whether the types that are one dialect's alone are offered.
func (c *Catalog) OffersForeign(name string) bool {
	return c.All || slices.Contains(c.Dialects, name)
}

// errCatalog is a word that means nothing here.
var errCatalog = errors.New("catalog is neither all nor none")

// MarshalJSON writes the shortest form: "all", "none" or the dialects.
func (c Catalog) MarshalJSON() ([]byte, error) {
	switch {
	case c.All:
		return []byte(`"all"`), nil
	case len(c.Dialects) == 0:
		return []byte(`"none"`), nil
	}
	return json.Marshal(c.Dialects)
}

// UnmarshalJSON reads a word or a list.
func (c *Catalog) UnmarshalJSON(text []byte) error {
	*c = Catalog{}
	var word string
	if json.Unmarshal(text, &word) != nil {
		return json.Unmarshal(text, &c.Dialects)
	}
	c.All = word == "all"
	if !c.All && word != "none" {
		return errCatalog
	}
	return nil
}
