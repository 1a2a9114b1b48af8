package restapi

import (
	"context"
	"time"

	"github.com/callboard/callboard/internal/delivery"
	"github.com/callboard/callboard/internal/id"
	"github.com/callboard/callboard/internal/ingest"
	"github.com/callboard/callboard/internal/live"
	"github.com/callboard/callboard/internal/store"
)

// Ingest is what the API changes things through; *ingest.Service is the one
// outside of tests. Each method returns after the change is on disk. Wrong values
// come back as an errs.Error of kind Invalid whose fields begin with "body";
// what is not in the caller's scope is NotFound, a taken name is Conflict. A
// repetition under the same ingest.Key gives the first result, with Replayed set.
//
// The functions named mutate may run several times and must not keep what they
// are given.
type Ingest interface {
	// CreateApp gives the app that has the uid, with Existed set, if getIfExists.
	CreateApp(ctx context.Context, org string, key ingest.Key, app store.App, getIfExists bool) (ingest.Result, error)
	// UpdateApp creates an app of an unknown uid if orCreate.
	UpdateApp(ctx context.Context, ref ingest.AppRef, orCreate bool, mutate func(*store.App) error) (ingest.Result, error)
	DeleteApp(ctx context.Context, ref ingest.AppRef) error
	// ExpireTokens refuses the app's tokens that were issued before from.
	ExpireTokens(ctx context.Context, ref ingest.AppRef, from time.Time) error

	// CreateEndpoint makes a secret if the endpoint has none.
	CreateEndpoint(ctx context.Context, app ingest.AppRef, key ingest.Key, ep delivery.Endpoint) (ingest.Result, error)
	UpdateEndpoint(ctx context.Context, app ingest.AppRef, ref store.Ref, orCreate bool, mutate func(*delivery.Endpoint) error) (ingest.Result, error)
	DeleteEndpoint(ctx context.Context, app ingest.AppRef, ref store.Ref) error
	// RotateSecret makes a secret if none is given. It is a conflict for an endpoint whose
	// secret is the app's.
	RotateSecret(ctx context.Context, app ingest.AppRef, ref store.Ref, key ingest.Key, secret string, grace time.Duration) error
	// GiveSigningToken makes an app's token if it has none. It and RotateSigningToken are
	// NotFound where no dialect knows such tokens.
	GiveSigningToken(ctx context.Context, app ingest.AppRef) error
	RotateSigningToken(ctx context.Context, app ingest.AppRef, key ingest.Key, token string, grace time.Duration) error

	// CreateEventType and UpdateEventType are answered by name: their Result has no ID.
	CreateEventType(ctx context.Context, key ingest.Key, t store.EventType) (ingest.Result, error)
	UpdateEventType(ctx context.Context, org, name string, orCreate bool, mutate func(*store.EventType) error) (ingest.Result, error)
	DeleteEventType(ctx context.Context, org, name string, expunge bool) error
	// UseOnce reports whether it is the first call for a name, on any node, within the time until
	// it is forgotten.
	UseOnce(ctx context.Context, name string, until time.Time) (first bool, err error)
	// UpdateSettings gives mutate the stored document, nil if there is none.
	UpdateSettings(ctx context.Context, org string, mutate func(doc []byte) ([]byte, error)) error

	// PostMessage takes ownership of the message's payload. Its result, and SendExample's,
	// may hold Warnings.
	PostMessage(ctx context.Context, app ingest.AppRef, key ingest.Key, m ingest.Message) (ingest.Result, error)
	SendExample(ctx context.Context, app ingest.AppRef, endpoint store.Ref, key ingest.Key, eventType string, payload []byte) (ingest.Result, error)
	// SendRawExample sends a body as it is, in the endpoint's dialect.
	SendRawExample(ctx context.Context, app ingest.AppRef, endpoint store.Ref, key ingest.Key, raw ingest.RawExample) (ingest.Result, error)
	// CheckURL says what is wrong with an endpoint's URL; "" = nothing.
	CheckURL(text string) string
	Resend(ctx context.Context, app ingest.AppRef, message, endpoint store.Ref, key ingest.Key) error
	// Recover's Result is the task.
	Recover(ctx context.Context, app ingest.AppRef, endpoint store.Ref, key ingest.Key, since, until time.Time) (ingest.Result, error)
	DeletePayload(ctx context.Context, app ingest.AppRef, message store.Ref) error
	DeleteAttemptContent(ctx context.Context, app ingest.AppRef, message, attempt id.ID) error

	// Live makes one change of live state. What refuses it has a *live.Refusal as its cause.
	Live(ctx context.Context, app ingest.AppRef, key ingest.Key, a live.Activity) (ingest.LiveResult, error)
	// LiveAll tells activities, each by itself. The results are in the order given, each with
	// its own error; the error is that of an unknown app.
	LiveAll(ctx context.Context, app ingest.AppRef, told []ingest.Told) ([]ingest.LiveResult, error)

	CreateSource(ctx context.Context, app ingest.AppRef, key ingest.Key, source store.Source) (ingest.Result, error)
	UpdateSource(ctx context.Context, app ingest.AppRef, source id.ID, mutate func(*store.Source) error) error
	DeleteSource(ctx context.Context, app ingest.AppRef, source id.ID) error
	RotateSource(ctx context.Context, app ingest.AppRef, source id.ID, key ingest.Key, proof ingest.NewProof, grace time.Duration) error
	// Replay takes a received request in again, without a proof. It is a conflict if its body
	// is not kept any more.
	Replay(ctx context.Context, app ingest.AppRef, source, received id.ID, key ingest.Key) (ingest.Received, error)
}
