package postgres_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/callboard/callboard/internal/commit"
	"github.com/callboard/callboard/internal/live"
	"github.com/callboard/callboard/internal/store"
)

// BenchmarkObjects makes presences in transactions of 100, in random order of their
// keys, then reads and writes over all of them twice. An iteration is 20,000 rows.
func BenchmarkObjects(b *testing.B) {
	const rows, batch = 20_000, 100
	w := newBenchmark(b, 0, 1)
	conn, err := pgx.Connect(b.Context(), w.url)
	if err != nil {
		b.Fatal(err)
	}
	defer conn.Close(context.WithoutCancel(b.Context()))
	for round := 0; b.Loop(); round++ {
		all := make([]live.Row, rows)
		for i := range all {
			k := live.Key{App: 7, Kind: live.Presence, Parent: fmt.Sprintf("event-%d-%d", round, i%20), ID: fmt.Sprintf("reg_%08x/session-%06d", uint32(i)*2654435761, i%50)}
			all[i] = live.Row{Key: k, Seq: w.gen.Next(time.Now()), State: make([]byte, 110), CreatedAt: time.Now(), UpdatedAt: time.Now()}
		}
		for _, name := range []string{"insert", "update", "second-update"} {
			rand.Shuffle(rows, func(i, j int) { all[i], all[j] = all[j], all[i] })
			begin := time.Now()
			for at := 0; at < rows; at += batch {
				w.putAll(b, all[at:at+batch])
			}
			b.ReportMetric(float64(time.Since(begin).Microseconds())/rows, "µs/"+name)
		}
	}
	var share float64
	for range 50 { // statistics come a moment later
		err := conn.QueryRow(b.Context(), `SELECT n_tup_hot_upd::float / greatest(1, n_tup_upd) FROM pg_stat_user_tables WHERE relname = 'object'`).Scan(&share)
		if err != nil {
			b.Fatal(err)
		}
		if share > 0 {
			break
		}
		<-time.After(100 * time.Millisecond)
	}
	b.ReportMetric(100*share, "%HOT")
}

func (w *benchmark) putAll(b *testing.B, rows []live.Row) {
	b.Helper()
	keys := make([]live.Key, len(rows))
	for i := range rows {
		keys[i] = rows[i].Key
	}
	err := w.Update(b.Context(), func(tx commit.Tx) error {
		if _, err := tx.Objects(b.Context(), keys); err != nil {
			return err
		}
		return tx.Apply(b.Context(), &store.Changes{Objects: rows})
	})
	if err != nil {
		b.Fatal(err)
	}
}
