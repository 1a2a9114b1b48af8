package paging_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/callboard/callboard/internal/id"
	"github.com/callboard/callboard/internal/store"
	"github.com/callboard/callboard/internal/store/paging"
)

// TestUndeliveredIsBounded counts fewer of each endpoint the more of them there are, and says where counting stopped.
func TestUndeliveredIsBounded(t *testing.T) {
	t.Parallel()
	for endpoints, share := range map[int]int64{0: 10_000, 1: 10_000, 4: 10_000, 5: 8_000, 50: 800, 400: 100, 5_000: 100} {
		u := paging.NewUndelivered()
		if got := u.Share(endpoints); got != share {
			t.Errorf("of each of %d endpoints up to %d are counted, want %d", endpoints, got, share)
		}
		u.Pending(1, share, 7)
		u.Pending(2, share-1, 8)
		u.Keep([]id.ID{1, 2})
		want := []store.Undelivered{
			{Endpoint: 1, Pending: share, PendingSince: 7, PendingMore: true},
			{Endpoint: 2, Pending: share - 1, PendingSince: 8},
		}
		if diff := cmp.Diff(want, u.Rows()); diff != "" {
			t.Errorf("%d endpoints (-want +got):\n%s", endpoints, diff)
		}
	}
}
