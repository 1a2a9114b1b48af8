//go:build unix

package sqlite

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"testing"
	"time"

	"github.com/callboard/callboard/internal/commit"
	"github.com/callboard/callboard/internal/id"
	"github.com/callboard/callboard/internal/live"
	"github.com/callboard/callboard/internal/store"
)

// BenchmarkObjects writes presences of some 200 bytes, or resources of 1,000, in
// transactions of 100 and in random order of their keys: once all are made, then all are
// read and written over. An iteration is 100,000 rows.
func BenchmarkObjects(b *testing.B) {
	const rows, batch = 100_000, 100
	for _, shape := range []struct {
		name       string
		doc, state int
	}{{"presences", 0, 110}, {"resources", 900, 110}} {
		b.Run(shape.name, func(b *testing.B) {
			s, err := Open(b.Context(), Config{Path: filepath.Join(b.TempDir(), "bench.db")})
			if err != nil {
				b.Fatal(err)
			}
			defer func() { _ = s.Close() }()
			gen, err := id.NewGenerator(0, 0)
			if err != nil {
				b.Fatal(err)
			}
			all := make([]live.Row, rows)
			for i := range all {
				k := live.Key{App: 1 << 50, Kind: live.Presence, Parent: fmt.Sprintf("event-%04d", i%20), ID: fmt.Sprintf("reg_%08x/session-%06d", uint32(i)*2654435761, i%50)}
				all[i] = live.Row{Key: k, Seq: gen.Next(time.Now()), State: make([]byte, shape.state), CreatedAt: time.Now(), UpdatedAt: time.Now()}
				if shape.doc > 0 {
					all[i].Doc = make([]byte, shape.doc)
				}
			}
			pass := func(name string) {
				rand.Shuffle(rows, func(i, j int) { all[i], all[j] = all[j], all[i] })
				before := cpu()
				for at := 0; at < rows; at += batch {
					s.putAll(b, all[at:at+batch])
				}
				b.ReportMetric((cpu()-before)/rows, "cpu-µs/"+name)
			}
			for b.Loop() {
				pass("insert")
				pass("update")
				s.eraseAll(b, all)
			}
		})
	}
}

// putAll writes rows in one transaction that looks for them first.
func (s *Store) putAll(b *testing.B, rows []live.Row) {
	keys := make([]live.Key, len(rows))
	for i := range rows {
		keys[i] = rows[i].Key
	}
	err := s.Update(b.Context(), func(tx commit.Tx) error {
		if _, err := tx.Objects(b.Context(), keys); err != nil {
			return err
		}
		return tx.Apply(b.Context(), &store.Changes{Objects: rows})
	})
	if err != nil {
		b.Fatal(err)
	}
}

func (s *Store) eraseAll(b *testing.B, rows []live.Row) {
	b.StopTimer()
	defer b.StartTimer()
	var c store.Changes
	for i := range rows {
		c.ErasedObjects = append(c.ErasedObjects, rows[i].Key)
	}
	if err := s.Update(b.Context(), func(tx commit.Tx) error { return tx.Apply(b.Context(), &c) }); err != nil {
		b.Fatal(err)
	}
}
