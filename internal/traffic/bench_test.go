package traffic_test

import (
	"context"
	"log/slog"
	"math"
	"math/rand/v2"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/callboard/callboard/internal/commit"
	"github.com/callboard/callboard/internal/delivery"
	"github.com/callboard/callboard/internal/id"
	"github.com/callboard/callboard/internal/store"
	"github.com/callboard/callboard/internal/store/sqlite"
	"github.com/callboard/callboard/internal/traffic"
)

// BenchmarkReport makes reports where a million attempts at 50 endpoints were made within 30
// days, and nothing of them was removed yet.
func BenchmarkReport(b *testing.B) {
	const attempts, endpoints, span = 1_000_000, 50, 30 * day
	db, err := sqlite.Open(b.Context(), sqlite.Config{Path: filepath.Join(b.TempDir(), "callboard.db"), Synchronous: sqlite.Normal})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = db.Close() })
	r, err := traffic.New(traffic.Config{Store: db, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		b.Fatal(err)
	}
	committer, err := commit.New(b.Context(), commit.Config{Store: db})
	if err != nil {
		b.Fatal(err)
	}
	ctx, stop := context.WithCancel(b.Context())
	var running sync.WaitGroup
	running.Go(func() { _ = committer.Run(ctx) })
	defer running.Wait()
	defer stop()
	const app = id.ID(7)
	err = db.Update(b.Context(), func(tx commit.Tx) error {
		return tx.Apply(b.Context(), &store.Changes{Apps: []store.App{{ID: app, Org: "org_1", ConfigVersion: 1}}})
	})
	if err != nil {
		b.Fatal(err)
	}
	now := time.Now()
	for i := range attempts {
		a := delivery.Attempt{
			Key: delivery.Key{Endpoint: 100 + id.ID(rand.IntN(endpoints))}, App: app, At: now.Add(-span + time.Duration(i)*(span/attempts)),
			Success: true, StatusCode: 200, Latency: time.Duration(math.Exp(rand.NormFloat64()+11) * float64(time.Microsecond)),
		}
		if rand.IntN(20) == 0 {
			a.Success, a.StatusCode = false, 500
		}
		r.Committed([]store.Completion{{Attempt: a}})
		if i%50_000 == 49_999 {
			if err := r.Flush(b.Context(), committer); err != nil {
				b.Fatal(err)
			}
		}
	}
	for _, tt := range []struct {
		name string
		span time.Duration
	}{{"hour", time.Hour}, {"6 hours", 6 * time.Hour}, {"day", day}, {"week", 7 * day}, {"30 days", 30 * day}, {"92 days", traffic.MaxSpan}} {
		for of, q := range map[string]traffic.Query{"app": {Org: "org_1", App: app}, "org": {Org: "org_1"}} {
			q.Since, q.Until = now.Add(-tt.span), now
			b.Run(tt.name+" of "+of, func(b *testing.B) {
				for b.Loop() {
					if _, err := r.Report(b.Context(), q); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

// BenchmarkCommitted is what counting costs an attempt, in batches as the committer has them.
func BenchmarkCommitted(b *testing.B) {
	db, err := sqlite.Open(b.Context(), sqlite.Config{Path: filepath.Join(b.TempDir(), "callboard.db")})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = db.Close() })
	r, err := traffic.New(traffic.Config{Store: db})
	if err != nil {
		b.Fatal(err)
	}
	batch := make([]store.Completion, 128)
	for i := range batch {
		batch[i].Attempt = delivery.Attempt{
			Key: delivery.Key{Endpoint: id.ID(i % 50)}, App: 7, At: time.Now(), Success: true, StatusCode: 200,
			Latency: time.Duration(math.Exp(rand.NormFloat64()+11) * float64(time.Microsecond)),
		}
	}
	for b.Loop() {
		r.Committed(batch)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(batch)), "ns/attempt")
}
