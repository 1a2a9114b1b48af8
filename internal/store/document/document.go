// Package document holds how the store's drivers write rows: what is only ever
// read as a whole is one JSON document, so that a new attribute needs no migration,
// and times are microseconds. It talks to no database.
package document

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/callboard/callboard/internal/delivery"
	"github.com/callboard/callboard/internal/store"
)

// Micros is a time as it is stored: microseconds UTC, 0 for the zero time.
func Micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

// Version is the time that is known of a row as it is stored, or one that no row has.
func Version(known map[string]time.Time, key string) int64 {
	if at, ok := known[key]; ok {
		return Micros(at)
	}
	return -1
}

// Time is the time of a stored value; 0 is the zero time.
func Time(micros int64) time.Time {
	if micros == 0 {
		return time.Time{}
	}
	return time.UnixMicro(micros).UTC()
}

// decode reads a document.
func decode(doc []byte, into any) error {
	if err := json.Unmarshal(doc, into); err != nil {
		return fmt.Errorf("decode stored document: %w", err)
	}
	return nil
}

// appDoc is column app.doc.
type appDoc struct {
	Name            string            `json:"name"`
	ThrottleRate    int               `json:"throttleRate,omitempty"`
	Metadata        map[string]string `json:"metadata"`
	Dialects        []string          `json:"dialects,omitempty"`
	DefaultDialect  string            `json:"defaultDialect,omitempty"`
	ResourceURLBase string            `json:"resourceUrlBase,omitempty"`
	SigningTokens   []secretDoc       `json:"signingTokens,omitempty"`
	TokensValidFrom int64             `json:"tokensValidFrom,omitempty"`
	CreatedAt       int64             `json:"createdAt"`
	UpdatedAt       int64             `json:"updatedAt"`
}

// EncodeApp writes column app.doc: what of an app no query names.
func EncodeApp(a *store.App) ([]byte, error) {
	return json.Marshal(appDoc{
		Name: a.Name, ThrottleRate: a.ThrottleRate, Metadata: a.Metadata,
		Dialects: a.Dialects, DefaultDialect: a.DefaultDialect, ResourceURLBase: a.ResourceURLBase, SigningTokens: encodeSecrets(a.SigningTokens),
		TokensValidFrom: Micros(a.TokensValidFrom), CreatedAt: Micros(a.CreatedAt), UpdatedAt: Micros(a.UpdatedAt),
	})
}

// DecodeApp reads what EncodeApp wrote; the columns of their own are left alone.
func DecodeApp(doc []byte, a *store.App) error {
	var d appDoc
	if err := decode(doc, &d); err != nil {
		return err
	}
	a.Name, a.ThrottleRate, a.Metadata = d.Name, d.ThrottleRate, d.Metadata
	a.Dialects, a.DefaultDialect, a.ResourceURLBase, a.SigningTokens = d.Dialects, d.DefaultDialect, d.ResourceURLBase, decodeSecrets(d.SigningTokens)
	a.TokensValidFrom, a.CreatedAt, a.UpdatedAt = Time(d.TokensValidFrom), Time(d.CreatedAt), Time(d.UpdatedAt)
	return nil
}

// endpointDoc is column endpoint.doc. Lists keep null apart from [].
type endpointDoc struct {
	URL            string            `json:"url"`
	Description    string            `json:"description,omitempty"`
	Dialect        string            `json:"dialect,omitempty"`
	NoTranslate    bool              `json:"noTranslate,omitempty"`
	Ordered        bool              `json:"ordered,omitempty"`
	Paused         bool              `json:"paused,omitempty"`
	Disabled       bool              `json:"disabled,omitempty"`
	DisabledReason string            `json:"disabledReason,omitempty"`
	DisabledAt     int64             `json:"disabledAt,omitempty"`
	Version        int               `json:"version"`
	FilterTypes    []string          `json:"filterTypes"`
	Channels       []string          `json:"channels"`
	Headers        map[string]string `json:"headers"`
	Sensitive      []string          `json:"sensitive"`
	Secrets        []secretDoc       `json:"secrets"`
	ThrottleRate   int               `json:"throttleRate,omitempty"`
	RetrySchedule  []time.Duration   `json:"retrySchedule"` // nanoseconds
	Timeout        time.Duration     `json:"timeout,omitempty"`
	Deadline       time.Duration     `json:"deadline,omitempty"`
	Metadata       map[string]string `json:"metadata"`
	CreatedAt      int64             `json:"createdAt"`
	UpdatedAt      int64             `json:"updatedAt"`
}

type secretDoc struct {
	Value   string `json:"value"`
	Expires int64  `json:"expires,omitempty"`
}

// encodeSecrets keeps nil apart from an empty list.
func encodeSecrets(secrets []delivery.Secret) []secretDoc {
	if secrets == nil {
		return nil
	}
	docs := make([]secretDoc, len(secrets))
	for i, s := range secrets {
		docs[i] = secretDoc{Value: s.Value, Expires: Micros(s.Expires)}
	}
	return docs
}

func decodeSecrets(docs []secretDoc) []delivery.Secret {
	if docs == nil {
		return nil
	}
	secrets := make([]delivery.Secret, len(docs))
	for i, d := range docs {
		secrets[i] = delivery.Secret{Value: d.Value, Expires: Time(d.Expires)}
	}
	return secrets
}

// EncodeEndpoint writes column endpoint.doc: what of an endpoint no query names.
func EncodeEndpoint(e *delivery.Endpoint) ([]byte, error) {
	doc := endpointDoc{
		URL: e.URL, Description: e.Description, Dialect: e.Dialect, NoTranslate: e.NoTranslate, Ordered: e.Ordered, Paused: e.Paused,
		Disabled: e.Disabled, DisabledReason: e.DisabledReason, DisabledAt: Micros(e.DisabledAt),
		Version: e.Version, FilterTypes: e.FilterTypes, Channels: e.Channels, Headers: e.Headers, Sensitive: e.Sensitive,
		ThrottleRate: e.ThrottleRate, RetrySchedule: e.RetrySchedule, Timeout: e.Timeout, Deadline: e.Deadline, Metadata: e.Metadata,
		CreatedAt: Micros(e.CreatedAt), UpdatedAt: Micros(e.UpdatedAt),
	}
	doc.Secrets = encodeSecrets(e.Secrets)
	return json.Marshal(doc)
}

// DecodeEndpoint reads what EncodeEndpoint wrote; the columns of their own are
// left alone.
func DecodeEndpoint(doc []byte, e *delivery.Endpoint) error {
	var d endpointDoc
	if err := decode(doc, &d); err != nil {
		return err
	}
	e.URL, e.Description, e.Dialect, e.NoTranslate, e.Ordered, e.Paused = d.URL, d.Description, d.Dialect, d.NoTranslate, d.Ordered, d.Paused
	e.Disabled, e.DisabledReason, e.DisabledAt = d.Disabled, d.DisabledReason, Time(d.DisabledAt)
	e.Version, e.FilterTypes, e.Channels, e.Headers, e.Sensitive = d.Version, d.FilterTypes, d.Channels, d.Headers, d.Sensitive
	e.ThrottleRate, e.RetrySchedule, e.Timeout, e.Deadline, e.Metadata = d.ThrottleRate, d.RetrySchedule, d.Timeout, d.Deadline, d.Metadata
	e.CreatedAt, e.UpdatedAt = Time(d.CreatedAt), Time(d.UpdatedAt)
	e.Secrets = decodeSecrets(d.Secrets)
	return nil
}

// eventTypeDoc is column event_type.doc.
type eventTypeDoc struct {
	Description  string   `json:"description,omitempty"`
	GroupName    string   `json:"groupName,omitempty"`
	Deprecated   bool     `json:"deprecated,omitempty"`
	FeatureFlags []string `json:"featureFlags"`
	CreatedAt    int64    `json:"createdAt"`
	UpdatedAt    int64    `json:"updatedAt"`
}

// EncodeEventType writes column event_type.doc: what of a type no query names,
// but for its schemas, which are kept byte for byte.
func EncodeEventType(t *store.EventType) ([]byte, error) {
	return json.Marshal(eventTypeDoc{
		Description: t.Description, GroupName: t.GroupName, Deprecated: t.Deprecated,
		FeatureFlags: t.FeatureFlags, CreatedAt: Micros(t.CreatedAt), UpdatedAt: Micros(t.UpdatedAt),
	})
}

// DecodeEventType reads what EncodeEventType wrote; the columns of their own are
// left alone.
func DecodeEventType(doc []byte, t *store.EventType) error {
	var d eventTypeDoc
	if err := decode(doc, &d); err != nil {
		return err
	}
	t.Description, t.GroupName, t.Deprecated, t.FeatureFlags = d.Description, d.GroupName, d.Deprecated, d.FeatureFlags
	t.CreatedAt, t.UpdatedAt = Time(d.CreatedAt), Time(d.UpdatedAt)
	return nil
}

// messageExtra is column message.extra: what few messages have.
type messageExtra struct {
	EventID  string   `json:"eventId,omitempty"`
	Channels []string `json:"channels"`
	Tags     []string `json:"tags"`
	OrderKey string   `json:"orderKey,omitempty"`
	Base     string   `json:"resourceBase,omitempty"`
	From     string   `json:"from,omitempty"`
}

// EncodeExtra writes column message.extra; nil for a message that has nothing of
// it.
func EncodeExtra(m *store.Message) ([]byte, error) {
	if m.EventID == "" && m.Channels == nil && m.Tags == nil && m.OrderKey == "" && m.ResourceBase == "" && m.From == "" {
		return nil, nil
	}
	return json.Marshal(messageExtra{
		EventID: m.EventID, Channels: m.Channels, Tags: m.Tags, OrderKey: m.OrderKey, Base: m.ResourceBase, From: m.From,
	})
}

// DecodeExtra reads what EncodeExtra wrote.
func DecodeExtra(extra []byte, m *store.Message) error {
	if extra == nil {
		return nil
	}
	var e messageExtra
	if err := decode(extra, &e); err != nil {
		return err
	}
	m.EventID, m.Channels, m.Tags, m.OrderKey, m.ResourceBase, m.From = e.EventID, e.Channels, e.Tags, e.OrderKey, e.Base, e.From
	return nil
}

// sourceDoc is column source.doc. Lists keep null apart from [].
type sourceDoc struct {
	Org         string   `json:"org"`
	Dialect     string   `json:"dialect"`
	Description string   `json:"description,omitempty"`
	Channels    []string `json:"channels"`
	Secrets     []string `json:"secrets"`
	Token       string   `json:"token,omitempty"`
	NextToken   string   `json:"nextToken,omitempty"`
	TokenHeader string   `json:"tokenHeader,omitempty"`
	Key         string   `json:"key,omitempty"`
	OldKeys     []string `json:"oldKeys,omitempty"`
	Unverified  bool     `json:"unverified,omitempty"`
	OldUntil    int64    `json:"oldUntil,omitempty"`
	SignedIn    string   `json:"signatureHeader,omitempty"`
	Encoding    string   `json:"encoding,omitempty"`
	Prefix      string   `json:"prefix,omitempty"`
	SecretForm  string   `json:"secretForm,omitempty"`
	Handshake   string   `json:"handshake,omitempty"`
	TypeHeader  string   `json:"typeHeader,omitempty"`
	TypeField   string   `json:"typeField,omitempty"`
	CreatedAt   int64    `json:"createdAt"`
	UpdatedAt   int64    `json:"updatedAt"`
}

// EncodeSource writes column source.doc: what of a source no query names.
func EncodeSource(s *store.Source) ([]byte, error) {
	a := &s.Auth
	return json.Marshal(sourceDoc{
		Org: s.Org, Dialect: s.Dialect, Description: s.Description, Channels: s.Channels,
		Secrets: a.Secrets, Token: a.Token, NextToken: a.NextToken, TokenHeader: a.TokenHeader, Key: a.Key, OldKeys: a.OldKeys,
		OldUntil: Micros(a.OldUntil), Unverified: a.Unverified, SignedIn: a.SignatureHeader, Encoding: a.Encoding, Prefix: a.Prefix,
		SecretForm: a.SecretForm, Handshake: a.Handshake,
		TypeHeader: s.TypeHeader, TypeField: s.TypeField, CreatedAt: Micros(s.CreatedAt), UpdatedAt: Micros(s.UpdatedAt),
	})
}

// DecodeSource reads what EncodeSource wrote; the columns of their own are left alone.
func DecodeSource(doc []byte, s *store.Source) error {
	var d sourceDoc
	if err := decode(doc, &d); err != nil {
		return err
	}
	s.Org, s.Dialect, s.Description, s.Channels = d.Org, d.Dialect, d.Description, d.Channels
	s.Auth = store.SourceAuth{
		Secrets: d.Secrets, Token: d.Token, NextToken: d.NextToken, TokenHeader: d.TokenHeader, Key: d.Key, OldKeys: d.OldKeys,
		OldUntil: Time(d.OldUntil), Unverified: d.Unverified, SignatureHeader: d.SignedIn, Encoding: d.Encoding, Prefix: d.Prefix,
		SecretForm: d.SecretForm, Handshake: d.Handshake,
	}
	s.TypeHeader, s.TypeField, s.CreatedAt, s.UpdatedAt = d.TypeHeader, d.TypeField, Time(d.CreatedAt), Time(d.UpdatedAt)
	return nil
}
