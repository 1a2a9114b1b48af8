package restapi

import (
	"context"

	"github.com/callboard/callboard/internal/delivery"
	"github.com/callboard/callboard/internal/id"
	"github.com/callboard/callboard/internal/live"
	"github.com/callboard/callboard/internal/store"
)

// Store is what the API reads. Every method that finds one row returns
// store.ErrNotFound where there is none in the scope that is named. Deleted apps
// and endpoints are not found.
type Store interface {
	App(ctx context.Context, org string, ref store.Ref) (store.App, error)
	Apps(ctx context.Context, org string, page store.Page) (store.Listed[store.App], error)
	AppEndpoint(ctx context.Context, app id.ID, ref store.Ref) (delivery.Endpoint, error)
	AppEndpoints(ctx context.Context, app id.ID, page store.Page) (store.Listed[delivery.Endpoint], error)
	EventType(ctx context.Context, org, name string) (store.EventType, error)
	// EventTypes lists an org's types by name (Page.AfterName); archived ones only
	// if asked for.
	EventTypes(ctx context.Context, org string, page store.Page, archived bool) (store.Listed[store.EventType], error)
	// Settings gives a zero Doc for an org that never set any.
	Settings(ctx context.Context, org string) (store.OrgSettings, error)
	// Message finds a message by id or by eventId (Ref.UID); the payload comes with it.
	Message(ctx context.Context, app id.ID, ref store.Ref) (store.Message, error)
	ListMessages(ctx context.Context, q store.MessageQuery) (store.Listed[store.Message], error)
	Attempt(ctx context.Context, app, message, attempt id.ID) (store.AttemptRow, error)
	ListAttempts(ctx context.Context, q store.AttemptQuery) (store.Listed[store.AttemptRow], error)
	Delivery(ctx context.Context, app id.ID, key delivery.Key) (delivery.Delivery, error)
	ListDeliveries(ctx context.Context, q store.DeliveryQuery) (store.Listed[store.DeliveryRow], error)
	// DeliveryLog lists deliveries of an app, over all its endpoints or of one, with their messages.
	DeliveryLog(ctx context.Context, q store.LogQuery) (store.Log, error)
	// LastAttempts gives the last attempt of each delivery that has one, without responses.
	LastAttempts(ctx context.Context, keys []delivery.Key) (map[delivery.Key]delivery.Attempt, error)
	// CountAttempts counts all attempts of each delivery that has one.
	CountAttempts(ctx context.Context, keys []delivery.Key) (map[delivery.Key]int, error)
	// Undelivered tells what endpoints of an app have not got of messages since an id;
	// endpoints that miss nothing are left out.
	Undelivered(ctx context.Context, app, since id.ID) ([]store.Undelivered, error)
	// CountFailed counts an endpoint's failed deliveries of messages in [since, until), where
	// 0 is no bound; more says that counting stopped at a bound of its own.
	CountFailed(ctx context.Context, app, endpoint, since, until id.ID) (n int64, more bool, err error)
	// CountDeliveries counts an endpoint's deliveries of messages in [since, until)
	// by state; 0 = no bound.
	CountDeliveries(ctx context.Context, app, endpoint, since, until id.ID) (store.Counts, error)
	// Health gives a zero Health for an endpoint that is not failing.
	Health(ctx context.Context, endpoint id.ID) (store.Health, error)
	// Object finds a row of live state; Objects lists the resources of a kind below a parent
	// by Seq (Page.After); ObjectRange gives rows in the order of their keys.
	Object(ctx context.Context, k live.Key) (live.Row, error)
	Objects(ctx context.Context, app id.ID, kind live.Kind, parent string, page store.Page) (store.Listed[live.Row], error)
	ObjectRange(ctx context.Context, r live.Range) ([]live.Row, error)
	// Source gives a source by its id alone; Sources lists an app's.
	Source(ctx context.Context, source id.ID) (store.Source, error)
	Sources(ctx context.Context, app id.ID, page store.Page) (store.Listed[store.Source], error)
	// ReceivedOf lists what came in at a source, without bodies: of these statuses (nil =
	// all), with ids in [since, until) (0 = no bound). ReceivedOne has the body.
	ReceivedOf(ctx context.Context, app, source id.ID, statuses []store.ReceivedStatus, since, until id.ID, page store.Page) (store.Listed[store.Received], error)
	ReceivedOne(ctx context.Context, app, source, received id.ID) (store.Received, error)
	Task(ctx context.Context, org string, task id.ID) (store.Task, error)
	ListTasks(ctx context.Context, org string, app, endpoint id.ID, page store.Page) (store.Listed[store.Task], error)
	// Ping reports whether the store answers, within ctx.
	Ping(ctx context.Context) error
}
