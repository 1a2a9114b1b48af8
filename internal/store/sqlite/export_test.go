package sqlite

import (
	"fmt"
	"testing"
)

// SmallSteps makes a store change its buckets and move its hand-offs on every few
// rows, so that small tests cross those borders.
func SmallSteps(cfg Config) Config {
	cfg.bucketRows, cfg.handoffStep = 3, 5
	return cfg
}

// BoundSize keeps a store's file from growing beyond a number of pages, as a full
// disk does; free lifts the bound.
func BoundSize(t *testing.T, s *Store, pages int) (free func()) {
	t.Helper()
	bound := func(pages int) {
		t.Helper()
		<-s.writing
		defer func() { s.writing <- struct{}{} }()
		if _, err := s.writer.conn.run(fmt.Sprintf("PRAGMA max_page_count = %d", pages)); err != nil {
			t.Fatal(err)
		}
	}
	bound(pages)
	return func() { bound(1 << 30) }
}
