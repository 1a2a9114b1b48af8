package sqlite

import (
	"context"
	"database/sql/driver"
	"fmt"
	"time"

	"github.com/callboard/callboard/internal/id"
	"github.com/callboard/callboard/internal/store"
)

// seenEntryBytes is what a key costs in the set in memory: 20 bytes of content in
// a hash map that is between half and seven eighths full.
const seenEntryBytes = 38

// seenSet finds the rows of table seen. The table is keyed (expires, hash), so
// that rows are appended and go in order, because a B-tree keyed by a random hash
// costs 25 to 30 microseconds a message once it outgrows the cache. The price is
// that a hash alone does not find its row; this map knows the missing half.
//
// It holds what is committed, is rebuilt at start, and is bounded: keys that come
// while it is full go to seen_spill, which is keyed by hash. Keys stay taken
// until ForgetSeen removes them, even if they expired. The map is used by whoever
// holds the write lock.
type seenSet struct {
	expires map[store.Hash16]uint32 // seconds; good until 2106
	max     int                     // entries
	spilled bool                    // seen_spill may have rows
}

// load rebuilds the set from the table.
func (s *seenSet) load(ctx context.Context, c *conn) error {
	s.expires = map[store.Hash16]uint32{}
	err := c.each(ctx, `SELECT hash, expires FROM seen`, func(row []driver.Value) error {
		s.expires[hash16(row[0])] = uint32(integer(row[1]))
		return nil
	})
	if err != nil {
		return fmt.Errorf("load dedupe keys: %w", err)
	}
	_, err = c.one(ctx, `SELECT 1 FROM seen_spill LIMIT 1`, func([]driver.Value) error {
		s.spilled = true
		return nil
	})
	return err
}

// find looks a key up, in memory first.
func (s *seenSet) find(ctx context.Context, c *conn, hash store.Hash16) (entry store.Seen, found bool, err error) {
	decode := func(row []driver.Value) error {
		entry = store.Seen{Hash: hash, Body: hash16(row[0]), Expires: time.Unix(integer(row[1]), 0).UTC(), Result: id.ID(integer(row[2]))}
		return nil
	}
	if expires, ok := s.expires[hash]; ok {
		found, err = c.one(ctx, `SELECT body, expires, result FROM seen WHERE expires = ? AND hash = ?`, decode, int64(expires), hash[:])
		return entry, found, err
	}
	if !s.spilled {
		return entry, false, nil
	}
	found, err = c.one(ctx, `SELECT body, expires, result FROM seen_spill WHERE hash = ?`, decode, hash[:])
	return entry, found, err
}

// add follows a commit that wrote keys.
func (s *seenSet) add(keys []store.Seen) {
	for i := range keys {
		s.expires[keys[i].Hash] = uint32(keys[i].Expires.Unix())
	}
}

// room is how many more keys fit.
func (s *seenSet) room() int { return max(0, s.max-len(s.expires)) }

// ForgetSeen removes keys that expired before now, at most limit, and returns how
// many went.
func (s *Store) ForgetSeen(ctx context.Context, now time.Time, limit int) (int, error) {
	var gone []store.Hash16
	err := s.write(ctx, func(w *writer) error {
		gone = gone[:0]
		return w.conn.each(ctx, `DELETE FROM seen WHERE (expires, hash) IN
				(SELECT expires, hash FROM seen WHERE expires < ? ORDER BY expires, hash LIMIT ?) RETURNING hash`,
			func(row []driver.Value) error {
				gone = append(gone, hash16(row[0]))
				return nil
			}, now.Unix(), int64(limit))
	}, func(committed bool) {
		if !committed {
			return
		}
		for _, h := range gone {
			delete(s.seen.expires, h)
		}
	})
	if err != nil || len(gone) == limit {
		return len(gone), err
	}
	spilled, err := s.forgetSpilled(ctx, now, limit-len(gone))
	return len(gone) + spilled, err
}

func (s *Store) forgetSpilled(ctx context.Context, now time.Time, limit int) (int, error) {
	var gone int64
	var left bool
	err := s.write(ctx, func(w *writer) (err error) {
		gone, err = w.conn.run(`DELETE FROM seen_spill WHERE hash IN
			(SELECT hash FROM seen_spill WHERE expires < ? ORDER BY expires LIMIT ?)`, now.Unix(), int64(limit))
		if err != nil {
			return err
		}
		left, err = w.conn.one(ctx, `SELECT 1 FROM seen_spill LIMIT 1`, func([]driver.Value) error { return nil })
		return err
	}, func(committed bool) {
		if committed {
			s.seen.spilled = left
		}
	})
	return int(gone), err
}
