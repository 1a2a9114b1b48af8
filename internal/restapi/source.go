package restapi

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/callboard/callboard/internal/dialect"
	"github.com/callboard/callboard/internal/errs"
	"github.com/callboard/callboard/internal/id"
	"github.com/callboard/callboard/internal/ingest"
	"github.com/callboard/callboard/internal/source"
	"github.com/callboard/callboard/internal/store"
	"github.com/callboard/callboard/signature"
)

// inbound is where the addresses of sources begin; their door is package inbound's.
const inbound = "/in/"

// SourceFields are what creating, replacing and changing a source have in common.
type SourceFields struct {
	Description optional[string]   `json:"description,omitzero" doc:"For people."`
	Channels    optional[[]string] `json:"channels,omitzero" doc:"Of every message that comes in here; null = none."`

	Secret      optional[string] `json:"secret,omitzero" minLength:"1" doc:"What the vendor signs with: whsec_…, or what the dialect's vendor has. Never shown again. Replaces the old one at once; see secret/rotate for a grace period."`
	Token       optional[string] `json:"token,omitzero" minLength:"1" doc:"A text that the vendor sends with every webhook, in tokenHeader. Never shown again. Beside a secret both are demanded."`
	TokenHeader optional[string] `json:"tokenHeader,omitzero" minLength:"1" doc:"The header that holds the token; x-signing-token by default for iotum, else required with a token."`
	Key         optional[string] `json:"key,omitzero" minLength:"1" doc:"The public key, whpk_…, of a vendor who signs as Standard Webhooks says with v1a. Replaces the old one at once; see secret/rotate for a grace period."`
	Unverified  optional[bool]   `json:"unverified,omitzero" doc:"Takes every request: whoever knows the address can send. Instead of secret, token and key."`

	Signature       optional[SourceSignature] `json:"signature,omitzero" doc:"How the vendor signs, where that is not as the dialect has it; null = as the dialect has it. What a refused request's hint names goes here. It is replaced as a whole."`
	HandshakeSecret optional[string]          `json:"handshakeSecret,omitzero" minLength:"1" doc:"Answers the vendor's test of the address, endpoint.url_validation, as Zoom has it. Never shown again."`

	TypeHeader optional[string] `json:"typeHeader,omitzero" minLength:"1" doc:"Dialect raw: the header that holds the event type. Without one, and without typeField, the type is raw.received."`
	TypeField  optional[string] `json:"typeField,omitzero" minLength:"1" doc:"Dialect raw: the path of the body's member that holds the event type, such as event.type."`
}

// SourceSignature is how a vendor signs.
type SourceSignature struct {
	Header   *string `json:"header,omitempty" minLength:"1" doc:"The header that holds the signature, the HMAC-SHA256 of the body and nothing else. Dialects that sign as Standard Webhooks says do not, without it; zuddl's is x-webhook-signature."`
	Encoding *string `json:"encoding,omitempty" enum:"hex,base64" doc:"How the signature is written; hex by default."`
	Prefix   *string `json:"prefix,omitempty" doc:"What stands before it; sha256= by default for zuddl, else nothing."`
	Secret   *string `json:"secret,omitempty" enum:"text,hex,base64" doc:"How the secret's text becomes the key: its own bytes, or what its digits or its base64 stand for. By default text for a signature of the body, else base64."`
}

// SourceIn is a source as a client creates it.
type SourceIn struct {
	Dialect string `json:"dialect" doc:"Who sends: a vendor's dialect, native, standard (any sender of Standard Webhooks), or raw (any JSON object)." example:"zuddl"`
	SourceFields
}

// SourceUpdate replaces a source. Its secrets stay if they are absent, since nobody can read
// them to send them back.
type SourceUpdate SourceIn

// SourcePatch changes the fields that are sent; null clears.
type SourcePatch struct {
	Dialect optional[string] `json:"dialect,omitzero" doc:"Who sends."`
	SourceFields
}

// SourceOut is a source as the API shows it: without its secrets.
type SourceOut struct {
	ID          string    `json:"id" example:"src_1srOrx2ZWZBpBUvZwXKQmoEYga2"`
	URL         string    `json:"url" doc:"What to paste into the vendor's settings." example:"https://hooks.example.com/in/src_1srOrx2ZWZBpBUvZwXKQmoEYga2"`
	Dialect     string    `json:"dialect" example:"zuddl"`
	Description string    `json:"description"`
	Channels    []string  `json:"channels"`
	CreatedAt   time.Time `json:"createdAt"`
	UpdatedAt   time.Time `json:"updatedAt"`

	HasSecret          bool             `json:"hasSecret" doc:"Whether a signature is demanded."`
	HasToken           bool             `json:"hasToken" doc:"Whether a token is demanded."`
	TokenHeader        *string          `json:"tokenHeader"`
	Key                *string          `json:"key" doc:"The public key of v1a signatures."`
	Unverified         bool             `json:"unverified"`
	Signature          *SourceSignature `json:"signature" doc:"null = as the dialect has it."`
	HasHandshakeSecret bool             `json:"hasHandshakeSecret"`
	OldAcceptedUntil   *time.Time       `json:"oldAcceptedUntil" doc:"Until when replaced secrets, tokens and keys are accepted beside the new ones; null = there are none."`
	TypeHeader         *string          `json:"typeHeader"`
	TypeField          *string          `json:"typeField"`
	Warnings           []string         `json:"warnings,omitempty" doc:"What works and should be better, such as a short secret."`
}

// showSource renders a source.
func (a *api) showSource(s *store.Source) SourceOut {
	auth, now := &s.Auth, time.Now()
	out := SourceOut{
		ID:          a.Codec.Encode(id.Source, s.ID),
		Dialect:     s.Dialect,
		Description: s.Description,
		Channels:    s.Channels,
		CreatedAt:   s.CreatedAt.UTC(),
		UpdatedAt:   s.UpdatedAt.UTC(),

		HasSecret:          len(auth.Secrets) > 0,
		HasToken:           auth.Token != "",
		TokenHeader:        pointer(auth.TokenHeader),
		Key:                pointer(auth.Key),
		Unverified:         auth.Unverified,
		Signature:          showSignature(auth),
		HasHandshakeSecret: auth.Handshake != "",
		TypeHeader:         pointer(s.TypeHeader),
		TypeField:          pointer(s.TypeField),
	}
	out.URL = a.PublicURL + inbound + out.ID
	if len(source.Secrets(auth, now)) > 1 || len(source.Tokens(auth, now)) > 1 || len(source.Keys(auth, now)) > 1 {
		out.OldAcceptedUntil = timePointer(auth.OldUntil)
	}
	if d, known := source.Dialect(a.Dialects, s); known {
		if out.HasToken && auth.TokenHeader == "" {
			out.TokenHeader = pointer(source.TokenHeader(d))
		}
		out.Warnings = sourceWarnings(auth, d, now)
	}
	return out
}

// sourceWarnings are what of a source's proofs should be better.
func sourceWarnings(auth *store.SourceAuth, d dialect.Dialect, now time.Time) (warnings []string) {
	if auth.Unverified {
		warnings = append(warnings, "the source takes every request: whoever knows its address can send")
	}
	if secrets := source.Secrets(auth, now); len(secrets) > 0 && source.BodySignature(d).Header != "" {
		if text := d.Advice(secrets[0]); text != "" {
			warnings = append(warnings, text)
		}
	}
	if tokens := source.Tokens(auth, now); len(tokens) > 0 && source.TokenHeader(d) != "" {
		if text := d.Advice(tokens[0]); text != "" {
			warnings = append(warnings, text)
		}
	}
	return warnings
}

// showSignature renders what of a signature is not the dialect's; nil if all is.
func showSignature(auth *store.SourceAuth) *SourceSignature {
	if auth.SignatureHeader == "" && auth.Encoding == "" && auth.SecretForm == "" {
		return nil
	}
	out := &SourceSignature{Header: pointer(auth.SignatureHeader), Encoding: pointer(auth.Encoding), Secret: pointer(auth.SecretForm)}
	if auth.Encoding != "" {
		out.Prefix = &auth.Prefix
	}
	return out
}

// apply changes the fields of a source that were sent. What is allowed is ingest's to say.
func (in *SourceFields) apply(a *api, s *store.Source) {
	auth := &s.Auth
	set(in.Description, &s.Description)
	set(in.Channels, &s.Channels)
	if in.Secret.Sent {
		auth.Secrets = nil
		if in.Secret.Value != nil {
			auth.Secrets = []string{*in.Secret.Value}
		}
	}
	if in.Token.Sent {
		auth.NextToken = ""
		set(in.Token, &auth.Token)
	}
	set(in.TokenHeader, &auth.TokenHeader)
	auth.TokenHeader = strings.ToLower(auth.TokenHeader)
	in.applyKey(auth)
	set(in.Unverified, &auth.Unverified)
	set(in.HandshakeSecret, &auth.Handshake)
	set(in.TypeHeader, &s.TypeHeader)
	set(in.TypeField, &s.TypeField)
	if in.Signature.Sent {
		in.Signature.Value.apply(a, s)
	}
}

// applyKey sets the public key. Another one, or none, ends the old ones; the same is what
// a client read before, and sends back.
func (in *SourceFields) applyKey(auth *store.SourceAuth) {
	before := auth.Key
	set(in.Key, &auth.Key)
	if auth.Key != before {
		auth.OldKeys = nil
	}
}

// apply sets how requests are signed; nil is the dialect's way. A part that is missing
// beside others is the dialect's.
func (in *SourceSignature) apply(a *api, s *store.Source) {
	auth := &s.Auth
	auth.SignatureHeader, auth.Encoding, auth.Prefix, auth.SecretForm = "", "", "", ""
	if in == nil {
		return
	}
	if in.Secret != nil {
		auth.SecretForm = *in.Secret
	}
	if in.Header == nil && in.Encoding == nil && in.Prefix == nil {
		return
	}
	auth.Encoding = source.Hex
	if d, known := source.Dialect(a.Dialects, s); known {
		scheme := source.BodySignature(d).Scheme
		auth.Prefix = scheme.Prefix
		if scheme.Encoding == signature.Base64 {
			auth.Encoding = source.Base64
		}
	}
	if in.Encoding != nil {
		auth.Encoding = *in.Encoding
	}
	if in.Prefix != nil {
		auth.Prefix = *in.Prefix
	}
	if in.Header != nil {
		auth.SignatureHeader = strings.ToLower(*in.Header)
	}
}

// replace makes a source what a PUT says. Secrets that are absent stay.
func (in *SourceUpdate) replace(a *api, s *store.Source) {
	old := s.Auth
	*s = store.Source{ID: s.ID, App: s.App, Org: s.Org, Dialect: in.Dialect, CreatedAt: s.CreatedAt}
	s.Auth = store.SourceAuth{Secrets: old.Secrets, Token: old.Token, NextToken: old.NextToken, OldUntil: old.OldUntil, Handshake: old.Handshake}
	in.apply(a, s)
	if s.Auth.Key == old.Key {
		s.Auth.OldKeys = old.OldKeys
	}
}

// registerSources puts the routes of sources on the mux, and describes their door.
func (a *api) registerSources() {
	const path = "/app/{app_id}/source"
	handle(a, huma.Operation{
		OperationID: "v1.source.list", Method: http.MethodGet, Path: path, Tags: []string{tagSources},
		Summary: "List an app's sources", Description: "Newest first unless asked otherwise.",
	}, accessRead, a.listSources)
	handle(a, huma.Operation{
		OperationID: "v1.source.create", Method: http.MethodPost, Path: path, Tags: []string{tagSources},
		Summary: "Create a source", DefaultStatus: http.StatusCreated,
		Description: "The answer's `url` is where the vendor sends its webhooks. Say what proves that a request is the vendor's: a `secret` " +
			"that it signs with, a `token` with its `tokenHeader`, both of them, a public `key`, or `unverified: true`. " +
			"The secrets are in no answer.",
	}, accessAdminWrite, a.createSource)
	handle(a, huma.Operation{
		OperationID: "v1.source.get", Method: http.MethodGet, Path: path + "/{source_id}", Tags: []string{tagSources},
		Summary: "Get a source",
	}, accessRead, a.getSource)
	handle(a, huma.Operation{
		OperationID: "v1.source.update", Method: http.MethodPut, Path: path + "/{source_id}", Tags: []string{tagSources},
		Summary: "Replace a source", Description: "`secret`, `token` and `handshakeSecret` stay if they are absent; null takes them away.",
	}, accessAdminWrite, a.putSource)
	handle(a, huma.Operation{
		OperationID: "v1.source.patch", Method: http.MethodPatch, Path: path + "/{source_id}", Tags: []string{tagSources},
		Summary: "Change a source", Description: "Changes the fields that are sent; null clears.",
	}, accessAdminWrite, a.patchSource)
	handle(a, huma.Operation{
		OperationID: "v1.source.delete", Method: http.MethodDelete, Path: path + "/{source_id}", Tags: []string{tagSources},
		Summary: "Delete a source", Description: "Its address answers 404 from then on. The messages that came in through it stay; the requests that it received, refused " +
			"and unreadable ones among them, can be neither read nor replayed any more.",
	}, accessAdminWrite, a.deleteSource)
	handle(a, huma.Operation{
		OperationID: "v1.source.rotate-secret", Method: http.MethodPost, Path: path + "/{source_id}/secret/rotate", Tags: []string{tagSources},
		Summary: "Rotate a source's secret, token or key", DefaultStatus: http.StatusNoContent,
		Description: "For the grace period the old one is accepted beside the new one, so that the vendor can be changed over; 0 ends all " +
			"old ones at once. Of a source that demands two of them, each is rotated by itself; all old ones end with the grace period that ends last.",
	}, accessAdminWrite, a.rotateSource)
	a.registerReceived()
	a.describeInbound()
}

// SourcePath names a source of an app. huma finds parameters in embedded structs of
// exported types only.
type SourcePath struct {
	AppPath
	SourceID string `path:"source_id" doc:"The source's id."`
}

// listSourcesIn are the parameters of GET …/source.
type listSourcesIn struct {
	AppPath
	PageIn
	OrderIn
}

// listSources answers GET …/source.
func (a *api) listSources(ctx context.Context, c *call, in *listSourcesIn) (*answer[Page[SourceOut]], error) {
	cur, err := a.cursor(in.PageIn, id.Source, in.ascending(false))
	if err != nil {
		return nil, err
	}
	app, err := c.app(ctx)
	if err != nil {
		return nil, err
	}
	rows, err := a.Store.Sources(ctx, app.ID, cur.Page)
	if err != nil {
		return nil, err
	}
	page := list(cur, rows, func(r *store.Source) id.ID { return r.ID }, all(a.showSource))
	return &answer[Page[SourceOut]]{page}, nil
}

// createSourceIn is what POST …/source takes.
type createSourceIn struct {
	AppPath
	Body SourceIn
}

// createSource answers POST …/source with 201.
func (a *api) createSource(ctx context.Context, c *call, in *createSourceIn) (*answer[SourceOut], error) {
	next := store.Source{Dialect: in.Body.Dialect}
	in.Body.apply(a, &next)
	r, err := a.Ingest.CreateSource(ctx, c.appRef, c.key(), next)
	if err != nil {
		return nil, err
	}
	return a.answerSource(ctx, c, r.ID)
}

// answerSource reads a source, as it is on disk, within the path's app, which must be the
// caller's: no source is ever found by its id alone.
func (a *api) answerSource(ctx context.Context, c *call, src id.ID) (*answer[SourceOut], error) {
	_, found, err := a.readSource(ctx, c, src)
	if err != nil {
		return nil, err
	}
	return &answer[SourceOut]{a.showSource(&found)}, nil
}

// readSource reads a source of the path's app.
func (a *api) readSource(ctx context.Context, c *call, src id.ID) (store.App, store.Source, error) {
	app, err := c.app(ctx)
	if err != nil {
		return store.App{}, store.Source{}, err
	}
	found, err := a.Store.Source(ctx, src)
	if err == nil && found.App != app.ID {
		err = errs.Missing()
	}
	return app, found, err
}

// sourceID reads the id that a path names; a forged one is missing.
func (a *api) sourceID(text string) (id.ID, error) { return a.named(id.Source, text) }

// named reads an id of a kind whose things have no uid.
func (a *api) named(kind id.Kind, text string) (id.ID, error) {
	row, ok := a.Codec.Decode(kind, text)
	if !ok {
		return 0, errs.Missing()
	}
	return row, nil
}

// getSource answers GET …/source/{source_id}.
func (a *api) getSource(ctx context.Context, c *call, in *SourcePath) (*answer[SourceOut], error) {
	src, err := a.sourceID(in.SourceID)
	if err != nil {
		return nil, err
	}
	return a.answerSource(ctx, c, src)
}

// putSourceIn is what PUT …/source/{source_id} takes.
type putSourceIn struct {
	SourcePath
	Body SourceUpdate
}

// putSource answers PUT …/source/{source_id}.
func (a *api) putSource(ctx context.Context, c *call, in *putSourceIn) (*answer[SourceOut], error) {
	return a.updateSource(ctx, c, in.SourceID, func(s *store.Source) { in.Body.replace(a, s) })
}

// patchSourceIn is what PATCH …/source/{source_id} takes.
type patchSourceIn struct {
	SourcePath
	Body SourcePatch
}

// patchSource answers PATCH …/source/{source_id}.
func (a *api) patchSource(ctx context.Context, c *call, in *patchSourceIn) (*answer[SourceOut], error) {
	return a.updateSource(ctx, c, in.SourceID, func(s *store.Source) {
		set(in.Body.Dialect, &s.Dialect)
		in.Body.apply(a, s)
	})
}

// updateSource changes a source through mutate and answers with it.
func (a *api) updateSource(ctx context.Context, c *call, text string, mutate func(*store.Source)) (*answer[SourceOut], error) {
	src, err := a.sourceID(text)
	if err != nil {
		return nil, err
	}
	err = a.Ingest.UpdateSource(ctx, c.appRef, src, func(s *store.Source) error {
		mutate(s)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return a.answerSource(ctx, c, src)
}

// deleteSource answers DELETE …/source/{source_id}.
func (a *api) deleteSource(ctx context.Context, c *call, in *SourcePath) (*nothing, error) {
	src, err := a.sourceID(in.SourceID)
	if err != nil {
		return nil, err
	}
	return &nothing{}, a.Ingest.DeleteSource(ctx, c.appRef, src)
}

// SourceSecretRotateIn asks for another secret, token or key; one of the three.
type SourceSecretRotateIn struct {
	Secret             optional[string] `json:"secret,omitzero" minLength:"1" doc:"The new secret."`
	Token              optional[string] `json:"token,omitzero" minLength:"1" doc:"The new token."`
	Key                optional[string] `json:"key,omitzero" minLength:"1" doc:"The new public key, whpk_…."`
	GracePeriodSeconds optional[int64]  `json:"gracePeriodSeconds,omitzero" minimum:"0" maximum:"604800" doc:"How long the old one is accepted beside it; 24 hours by default."`
}

// rotateSourceIn is what POST …/secret/rotate takes.
type rotateSourceIn struct {
	SourcePath
	Body SourceSecretRotateIn
}

// rotateSource answers POST …/source/{source_id}/secret/rotate with 204.
func (a *api) rotateSource(ctx context.Context, c *call, in *rotateSourceIn) (*nothing, error) {
	src, err := a.sourceID(in.SourceID)
	if err != nil {
		return nil, err
	}
	var proof ingest.NewProof
	set(in.Body.Secret, &proof.Secret)
	set(in.Body.Token, &proof.Token)
	set(in.Body.Key, &proof.Key)
	_, grace := (&EndpointSecretRotateIn{GracePeriodSeconds: in.Body.GracePeriodSeconds}).read()
	return &nothing{}, a.Ingest.RotateSource(ctx, c.appRef, src, c.key(), proof, grace)
}
