package sqlite

import (
	"context"
	"database/sql/driver"
	"fmt"
	"time"

	"github.com/callboard/callboard/internal/id"
	"github.com/callboard/callboard/internal/store"
)

// seenEntryBytes is what a key costs in the set in memory: 24 bytes of content in
// a hash map that is between half and seven eighths full.
const seenEntryBytes = 46

// seenSet finds the rows of table seen. A B-tree keyed by a random hash dirties a
// page for each key, and every dirty page is written to the log and again to the
// file: 25 to 30 microseconds a message once it outgrows the cache. So rows are
// appended, under a number, and this map from hash to number finds them. A number
// begins with the key's life in hours, since keys of one life expire in the order
// in which they came: ForgetSeen takes them from the front.
//
// The set holds what is committed, is rebuilt at start, and is bounded: keys that
// come while it is full go to seen_spill, which is keyed by hash. Keys stay taken
// until ForgetSeen removes them, even if they expired. The map is used by whoever
// holds the write lock.
type seenSet struct {
	numbers map[store.Hash16]int64
	last    int64 // the largest order within a number that was ever given
	max     int   // entries
	spilled bool  // seen_spill may have rows
}

// orderBits is how much of a number is its order; the life stands above.
const orderBits = 44

// number makes the number of a new key: its life in hours, then its order.
func (s *seenSet) number(expires, now time.Time) int64 {
	s.last++
	hours := max(0, int64((expires.Sub(now)+time.Hour-1)/time.Hour))
	return min(hours, 1<<(62-orderBits))<<orderBits | s.last
}

// load rebuilds the set from the table.
func (s *seenSet) load(ctx context.Context, c *conn) error {
	s.numbers = map[store.Hash16]int64{}
	err := c.each(ctx, `SELECT number, hash FROM seen`, func(row []driver.Value) error {
		n := integer(row[0])
		s.numbers[hash16(row[1])] = n
		s.last = max(s.last, n&(1<<orderBits-1))
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
	if number, ok := s.numbers[hash]; ok {
		found, err = c.one(ctx, `SELECT body, expires, result FROM seen WHERE number = ?`, decode, number)
		return entry, found, err
	}
	if !s.spilled {
		return entry, false, nil
	}
	found, err = c.one(ctx, `SELECT body, expires, result FROM seen_spill WHERE hash = ?`, decode, hash[:])
	return entry, found, err
}

// numbered is a key with the number that its row has.
type numbered struct {
	hash   store.Hash16
	number int64
}

// add follows a commit that wrote keys.
func (s *seenSet) add(keys []numbered) {
	for i := range keys {
		s.numbers[keys[i].hash] = keys[i].number
	}
}

// room is how many more keys fit.
func (s *seenSet) room() int { return max(0, s.max-len(s.numbers)) }

// ForgetSeen removes keys that expired before now, at most limit, and returns how
// many went.
func (s *Store) ForgetSeen(ctx context.Context, now time.Time, limit int) (int, error) {
	var gone []store.Hash16
	err := s.write(ctx, func(w *writer) error {
		gone = gone[:0]
		for life := int64(0); ; life++ {
			first := int64(-1)
			_, err := w.conn.one(ctx, `SELECT number FROM seen WHERE number >= ? ORDER BY number LIMIT 1`, func(row []driver.Value) error {
				first = integer(row[0])
				return nil
			}, life<<orderBits)
			if err != nil || first < 0 || len(gone) == limit {
				return err
			}
			life = first >> orderBits
			// The front of this life's keys; the first one that is still good ends it.
			err = w.conn.each(ctx, `DELETE FROM seen WHERE number >= ?1 AND number < coalesce(
					(SELECT number FROM (SELECT number, expires FROM seen WHERE number >= ?1 ORDER BY number LIMIT ?4)
						WHERE expires >= ?3 ORDER BY number LIMIT 1),
					1 + (SELECT max(number) FROM (SELECT number FROM seen WHERE number >= ?1 AND number < ?2 ORDER BY number LIMIT ?4)))
				AND number < ?2 RETURNING hash`,
				func(row []driver.Value) error {
					gone = append(gone, hash16(row[0]))
					return nil
				}, first, (life+1)<<orderBits, now.Unix(), int64(limit-len(gone)))
			if err != nil {
				return err
			}
		}
	}, func(committed bool) {
		if !committed {
			return
		}
		for _, h := range gone {
			delete(s.seen.numbers, h)
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
