package janitor

import (
	"context"
	"time"

	"github.com/callboard/callboard/internal/id"
	"github.com/callboard/callboard/internal/store"
)

// Store is what the janitor reads and cleans. Messages go through the committer,
// because deliveries hang on them, and so do received requests and traffic; keys that expired are removed here.
type Store interface {
	// MessageRange is that of tasks.Store.
	MessageRange(ctx context.Context, app, after, until id.ID, limit int) (r store.Range, ok bool, err error)
	// ExpiredPayloads gives messages whose own retention ended before now and whose
	// payload is still there, at most limit.
	ExpiredPayloads(ctx context.Context, now time.Time, limit int) ([]id.ID, error)
	// OldReceived gives requests that came in before an id, oldest first, at most limit.
	OldReceived(ctx context.Context, before id.ID, limit int) ([]id.ID, error)
	// OldTraffic gives rows of a width whose slot began before a time, at most limit.
	OldTraffic(ctx context.Context, width time.Duration, before time.Time, limit int) ([]store.TrafficKey, error)
	// ForgetSeen removes keys that expired before now, at most limit, and returns
	// how many went.
	ForgetSeen(ctx context.Context, now time.Time, limit int) (int, error)
	// Shrink gives free pages back to the file system, a bounded number at a time.
	Shrink(ctx context.Context) error
}
