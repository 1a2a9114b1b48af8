package ingest

import (
	"strings"

	"github.com/callboard/callboard/internal/delivery"
	"github.com/callboard/callboard/internal/dialect"
	"github.com/callboard/callboard/internal/errs"
	"github.com/callboard/callboard/internal/settings"
	"github.com/callboard/callboard/internal/store"
)

// Catalog knows the event types that Callboard has by itself, those that a single
// dialect has besides among them. *catalog.Catalog is the one outside of tests.
type Catalog interface {
	Get(name string) (dialect.EventType, bool)
	// Check says what of a payload does not fit the schema of a type that Get finds; nil
	// if all of it does. Its error is a defect of the schema.
	Check(eventType string, payload []byte) ([]errs.Field, error)
}

// Lexicon tells whose a message is: the catalogue's, whose payload is a native body
// that every dialect can be made of, or the org's own, which only native endpoints
// hear. It is the one place that has this rule: fan-out, resend, examples, prechecks
// and the list of event types all ask it. It is safe for concurrent use.
type Lexicon struct {
	Catalog  Catalog // nil = Callboard has no types by itself
	Dialects dialect.Set
}

// Knows reports whether an event type is one of the catalogue's, or "<dialect>.<word>"
// with a word of that dialect for which the catalogue has no type. For all other types
// nothing needs to be loaded: they are the org's own.
func (l *Lexicon) Knows(eventType string) bool {
	if l.Catalog == nil {
		return false
	}
	if _, known := l.Catalog.Get(eventType); known {
		return true
	}
	_, foreign := l.foreign(eventType)
	return foreign
}

// foreign names the dialect that an event type is of alone.
func (l *Lexicon) foreign(eventType string) (name string, ok bool) {
	name, word, _ := strings.Cut(eventType, ".")
	if word == "" || name == dialect.Native {
		return "", false
	}
	d, known := l.Dialects.Get(name)
	if !known {
		return "", false
	}
	_, fit := d.Word(eventType)
	return name, fit == dialect.Exact
}

// Offers reports whether Callboard has an event type by itself and an org is offered
// it.
func (l *Lexicon) Offers(eventType string, s *settings.Settings) bool {
	if !l.Knows(eventType) {
		return false
	}
	if name, foreign := l.foreign(eventType); foreign {
		return s.Catalog.OffersForeign(name)
	}
	return s.Catalog.Offers(eventType, &l.Dialects)
}

// Governs reports whether messages of a type are the catalogue's for an org: the org
// is offered the type and has none of that name itself. own is the org's row, if one
// was found.
func (l *Lexicon) Governs(eventType string, own *store.EventType, s *settings.Settings) bool {
	return !Shadows(own) && l.Offers(eventType, s)
}

// Shadows reports whether an org's own event type stands in front of the catalogue's
// of the same name. An archived one does not: archiving is how an org takes a type out
// of use, and the only way back to the catalogue's that keeps what it once declared.
func Shadows(own *store.EventType) bool { return own != nil && !own.Archived }

// Says reports whether an endpoint's dialect can say a message of a type. ofCatalog
// tells whether the message is the catalogue's: of any other payload a dialect but
// native knows nothing.
func (l *Lexicon) Says(ep *delivery.Endpoint, eventType string, ofCatalog bool) bool {
	if ep.Dialect != "" && ep.Dialect != dialect.Native && !ofCatalog {
		return false
	}
	return l.Dialects.Says(ep.Dialect, eventType, !ep.NoTranslate)
}

// check says what of a payload does not fit a type that the lexicon knows. What is a
// dialect's alone may have no schema, or a loose one; its payload still is a native body.
func (l *Lexicon) check(eventType string, payload []byte) ([]errs.Field, error) {
	t, known := l.Catalog.Get(eventType)
	if _, foreign := l.foreign(eventType); foreign {
		if wrong := checkBody(eventType, payload); len(wrong) > 0 || len(t.Schema) == 0 {
			return wrong, nil
		}
	}
	if !known {
		return nil, nil
	}
	return l.Catalog.Check(eventType, payload)
}
