package ingesttest

import (
	"bytes"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/callboard/callboard/internal/dialect"
	"github.com/callboard/callboard/internal/dialect/native"
	"github.com/callboard/callboard/internal/errs"
	"github.com/callboard/callboard/signature"
)

// The dialects of the tests beside native.
const (
	// Terse says few words, takes the header "Terse" for itself, and has room for one secret in a request.
	Terse = "terse"
	// Shared says all of the catalogue's types and has one secret for all endpoints of an app, "tok_…".
	Shared = "shared"
)

// The event types of the catalogue of the tests.
const (
	TerseWord   = "word.spoken"   // Terse says it exactly, as WORD
	NearWord    = "word.near"     // Terse says it as WORD too, in translation
	QuietWord   = "word.quiet"    // Terse cannot say it
	ForeignWord = "terse.FOREIGN" // Terse's alone, without a schema
)

// Misfit is a part of a payload that the catalogue of the tests complains of, at data.id.
const Misfit = `"misfit"`

// Dialects are native, Terse and Shared.
func Dialects() dialect.Set { return dialect.NewSet(native.Dialect{}, terse{}, shared{}) }

// Catalog is the catalogue of the tests.
type Catalog struct{}

// Types are all types, by name.
func (Catalog) Types() []dialect.EventType {
	var types []dialect.EventType
	for _, name := range []string{NearWord, QuietWord, TerseWord} {
		types = append(types, dialect.EventType{
			Name: name, Group: "word", Description: "About " + name + ".", Schema: []byte(`{"type":"object"}`),
			Sample: []byte(`{"type":"` + name + `","timestamp":"2026-05-01T12:00:00.000Z","data":{"id":"1","of":{"a":1,"b":[2]}}}`),
		})
	}
	return types
}

// Get finds a type.
func (c Catalog) Get(name string) (dialect.EventType, bool) {
	for _, t := range c.Types() {
		if t.Name == name {
			return t, true
		}
	}
	return dialect.EventType{}, false
}

// Check complains of a Misfit.
func (Catalog) Check(_ string, payload []byte) ([]errs.Field, error) {
	if bytes.Contains(payload, []byte(Misfit)) {
		return []errs.Field{{Loc: []string{"data", "id"}, Msg: "is required"}}, nil
	}
	return nil, nil
}

// terse is a dialect of few words.
type terse struct{ native.Dialect }

func (terse) Name() string { return Terse }

func (terse) Word(eventType string) (string, dialect.Fit) {
	switch word, foreign := strings.CutPrefix(eventType, Terse+"."); {
	case foreign && word != "":
		return word, dialect.Exact
	case eventType == TerseWord:
		return "WORD", dialect.Exact
	case eventType == NearWord:
		return "WORD", dialect.Translated
	}
	return "", dialect.Unsaid
}

func (terse) Types(word string) []string {
	switch word {
	case "WORD":
		return []string{TerseWord, NearWord}
	}
	return nil
}

func (terse) Secrets() dialect.Secrets { return dialect.Secrets{OneAtATime: true} }

func (terse) Advice(secret string) string {
	if len(secret) < 16 {
		return "should be longer"
	}
	return ""
}

// maxTerse is how long a secret of Terse's may be: a whsk_… fits, the longest whsec_… does not.
const maxTerse = 93

func (terse) CheckSecret(secret string) error {
	if len(secret) > maxTerse {
		return errors.New("must be at most 93 characters")
	}
	return nil
}

func (terse) NewSigner(secrets []string) (dialect.Signer, error) { return last("Terse", secrets) }
func (terse) OwnHeaders() []string                               { return []string{"terse"} }

// shared is a dialect whose secrets are the apps'.
type shared struct{ native.Dialect }

func (shared) Name() string { return Shared }

func (shared) Word(eventType string) (string, dialect.Fit) {
	if _, known := (Catalog{}).Get(eventType); known {
		return strings.ToUpper(eventType), dialect.Exact
	}
	return "", dialect.Unsaid
}

func (shared) Types(word string) []string {
	if t := strings.ToLower(word); t != word {
		if _, known := (Catalog{}).Get(t); known {
			return []string{t}
		}
	}
	return nil
}

func (shared) Secrets() dialect.Secrets { return dialect.Secrets{PerApp: true, OneAtATime: true} }
func (shared) Advice(string) string     { return "" }
func (shared) NewSecret() string        { return "tok_" + signature.GenerateSecret().Reveal()[6:] }

func (shared) CheckSecret(secret string) error {
	if !strings.HasPrefix(secret, "tok_") {
		return errors.New("must begin with tok_")
	}
	return nil
}

func (shared) NewSigner(secrets []string) (dialect.Signer, error) { return last("Shared", secrets) }

// header is a signer that shows a secret in a header.
type header struct{ name, value string }

func last(name string, secrets []string) (dialect.Signer, error) {
	if len(secrets) == 0 {
		return nil, errors.New("there is no secret")
	}
	return header{name, secrets[len(secrets)-1]}, nil
}

func (s header) Sign(h http.Header, messageID string, _ time.Time, _ []byte) {
	h.Set(s.name, s.value)
	h.Set(signature.HeaderID, messageID)
}
