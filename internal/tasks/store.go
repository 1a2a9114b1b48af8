package tasks

import (
	"context"

	"github.com/callboard/callboard/internal/delivery"
	"github.com/callboard/callboard/internal/id"
	"github.com/callboard/callboard/internal/live"
	"github.com/callboard/callboard/internal/store"
)

// Store is what background tasks read; they write through the committer.
type Store interface {
	// RunningTasks lists the tasks that have not ended, oldest first.
	RunningTasks(ctx context.Context) ([]store.Task, error)
	// DeliveriesOf gives an endpoint's deliveries in some of the states, of
	// messages in (after, until), ascending, at most limit; until 0 = no bound.
	// scannedTo is the last message that was looked at; the caller goes on after
	// it until it is 0.
	DeliveriesOf(ctx context.Context, endpoint, after, until id.ID, states []delivery.State, limit int) (rows []delivery.Delivery, scannedTo id.ID, err error)
	// CountFailed counts an endpoint's failed deliveries of messages in [since, until), where
	// 0 is no bound; more says that counting stopped at a bound of its own.
	CountFailed(ctx context.Context, app, endpoint, since, until id.ID) (n int64, more bool, err error)
	// MessageRange gives the range of at most limit messages after an id, of one
	// app (0 = of all) and below until (0 = no bound); ok is false where none are left.
	MessageRange(ctx context.Context, app, after, until id.ID, limit int) (r store.Range, ok bool, err error)
	// ListMessages lists an app's messages, with their payloads if asked for.
	ListMessages(ctx context.Context, q store.MessageQuery) (store.Listed[store.Message], error)
	// AppReceived gives requests that an app's sources received, at most limit.
	AppReceived(ctx context.Context, app id.ID, limit int) ([]id.ID, error)
	// ReceivedBodies gives requests of an app that were not accepted and whose body is
	// still there, with it, in (after, until), ascending, at most limit.
	ReceivedBodies(ctx context.Context, app, after, until id.ID, limit int) ([]store.Received, error)
	// AppTraffic gives keys of the counts of an app's attempts, at most limit.
	AppTraffic(ctx context.Context, app id.ID, limit int) ([]store.TrafficKey, error)
	// AppObjects gives keys of an app's live state, in their order, at most limit.
	AppObjects(ctx context.Context, app id.ID, limit int) ([]live.Key, error)
	// Object finds a row of live state.
	Object(ctx context.Context, k live.Key) (live.Row, error)
}
