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
	err := s.write(ctx, func(w *writer) (err error) {
		gone, err = w.conn.forgetNumbered(ctx, now, limit)
		return err
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

// forgetNumbered removes expired keys life by life, each from its front: the first
// key of a life that is still good ends the run.
func (c *conn) forgetNumbered(ctx context.Context, now time.Time, limit int) (gone []store.Hash16, err error) {
	for from := int64(0); len(gone) < limit; {
		var run []int64
		life, open := int64(-1), true
		err := c.each(ctx, `SELECT number, expires < ? FROM seen WHERE number >= ? ORDER BY number LIMIT ?`, func(row []driver.Value) error {
			number, expired := integer(row[0]), integer(row[1]) == 1
			if life < 0 {
				life = number >> orderBits
			}
			if open = open && expired && number>>orderBits == life; open {
				run = append(run, number)
			}
			return nil
		}, now.Unix(), from, int64(limit-len(gone)))
		if err != nil || life < 0 {
			return gone, err
		}
		from = (life + 1) << orderBits
		if len(run) == 0 {
			continue
		}
		err = c.each(ctx, `DELETE FROM seen WHERE number BETWEEN ? AND ? RETURNING hash`, func(row []driver.Value) error {
			gone = append(gone, hash16(row[0]))
			return nil
		}, run[0], run[len(run)-1])
		if err != nil {
			return gone, err
		}
	}
	return gone, nil
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
