package dispatch

import (
	"context"
	"time"

	"github.com/callboard/callboard/internal/delivery"
	"github.com/callboard/callboard/internal/id"
	"github.com/callboard/callboard/internal/store"
)

// Store is what dispatch reads and leases. Results are written by the committer.
type Store interface {
	// Lanes tells each endpoint that has pending deliveries, with the due time of
	// the first. Its cost grows with endpoints, not with rows.
	Lanes(ctx context.Context) ([]store.LaneDue, error)
	// Claim leases due deliveries, at most Room for each endpoint named, in order
	// of due time. A lease that was neither completed nor given back ends with the
	// process.
	Claim(ctx context.Context, now time.Time, lanes []store.LaneRoom) ([]store.Claimed, error)
	// GiveBack ends leases unused: the rows are pending again.
	GiveBack(ctx context.Context, rows []delivery.Delivery) error
	// Endpoint loads an endpoint, deleted ones included, and its app.
	Endpoint(ctx context.Context, endpoint id.ID) (delivery.Endpoint, store.App, error)
	// Messages loads messages with their payloads; absent ones are left out.
	Messages(ctx context.Context, ids []id.ID) ([]store.Message, error)
}

// Watcher is what a store is as well that other processes write to.
type Watcher interface {
	// Watch tells what others do: at once as a rule, after a few seconds in any case.
	// It blocks until ctx ends, or until others have taken over what this process
	// held, which is its error. hear must not block.
	Watch(ctx context.Context, hear func(*store.News)) error
	// Sure reports whether this process can rely on what it holds. It cannot when it
	// has not shown for long that it lives, because it was stopped or the store is out
	// of reach: others may have taken over by now. When it can again it is told.
	Sure() bool
}
