package paging

import (
	"slices"

	"github.com/callboard/callboard/internal/id"
	"github.com/callboard/callboard/internal/store"
)

// Undelivered collects what endpoints have not got.
type Undelivered struct {
	byEndpoint map[id.ID]*store.Undelivered
	order      []id.ID
	share      int64
}

// NewUndelivered begins with nothing.
func NewUndelivered() *Undelivered {
	return &Undelivered{byEndpoint: map[id.ID]*store.Undelivered{}}
}

func (u *Undelivered) of(ep id.ID) *store.Undelivered {
	row := u.byEndpoint[ep]
	if row == nil {
		row = &store.Undelivered{Endpoint: ep}
		u.byEndpoint[ep] = row
	}
	return row
}

// Failed takes an app's failed deliveries by endpoint, from a query that looks at the
// newest MaxUndelivered of them. If it came to that bound, each endpoint may have more.
func (u *Undelivered) Failed(each func(note func(ep id.ID, n int64, oldest id.ID)) error) error {
	all := int64(0)
	err := each(func(ep id.ID, n int64, oldest id.ID) {
		row := u.of(ep)
		row.Failed, row.FailedSince = n, oldest
		all += n
	})
	if all >= MaxUndelivered {
		for _, row := range u.byEndpoint {
			row.FailedMore = true
		}
	}
	return err
}

// Share is up to how many pending deliveries of each of so many endpoints are counted. Where
// many endpoints are behind at once, an answer soon matters more than how far each is behind.
func (u *Undelivered) Share(endpoints int) int64 {
	u.share = int64(min(max(maxPending/max(endpoints, 1), leastPending), MaxUndelivered))
	return u.share
}

// Pending takes an endpoint's pending deliveries, of which the query looks at its Share.
func (u *Undelivered) Pending(ep id.ID, n int64, oldest id.ID) {
	if n > 0 {
		row := u.of(ep)
		row.Pending, row.PendingSince, row.PendingMore = n, oldest, n >= u.share
	}
}

// Keep leaves the endpoints that are named, in their order: failed deliveries may be those
// of a deleted one.
func (u *Undelivered) Keep(endpoints []id.ID) { u.order = slices.Clone(endpoints) }

// Rows are the endpoints that miss something.
func (u *Undelivered) Rows() []store.Undelivered {
	rows := []store.Undelivered{}
	for _, ep := range u.order {
		if row := u.byEndpoint[ep]; row != nil {
			rows = append(rows, *row)
		}
	}
	return rows
}
