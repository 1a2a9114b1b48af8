package postgres_test

import (
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/callboard/callboard/internal/commit"
	"github.com/callboard/callboard/internal/delivery"
	"github.com/callboard/callboard/internal/id"
	"github.com/callboard/callboard/internal/store"
	"github.com/callboard/callboard/internal/store/postgres"
	"github.com/callboard/callboard/internal/store/postgres/postgrestest"
)

// benchmark is a store with a backlog.
type benchmark struct {
	*postgres.Store
	url       string
	gen       *id.Generator
	endpoints []id.ID
}

// newBenchmark writes messages with a pending delivery each, to the endpoints in
// turn, due one microsecond after the other.
func newBenchmark(b *testing.B, messages, endpoints int) *benchmark {
	b.Helper()
	url := postgrestest.Start(b, "shared_buffers=512MB", "max_wal_size=4GB").NewDatabase(b)
	s, err := postgres.Open(b.Context(), postgres.Config{URL: url, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = s.Close() })
	gen, err := id.NewGenerator(s.Node(), 0)
	if err != nil {
		b.Fatal(err)
	}
	w := &benchmark{Store: s, url: url, gen: gen}
	for range endpoints {
		w.endpoints = append(w.endpoints, gen.Next(time.Now()))
	}
	begin := time.Now().Add(-time.Hour)
	for written := 0; written < messages; {
		var c store.Changes
		for range min(5000, messages-written) {
			m := store.Message{ID: gen.Next(time.Now()), App: 7, Type: "session.joined", Payload: make([]byte, 100)}
			c.Messages = append(c.Messages, m)
			c.Deliveries = append(c.Deliveries, delivery.Delivery{
				Key: delivery.Key{Message: m.ID, Endpoint: w.endpoints[written%endpoints]}, App: 7, State: delivery.Pending,
				NextAt: begin.Add(time.Duration(written) * time.Microsecond),
			})
			written++
		}
		w.commit(b, &c)
	}
	return w
}

func (w *benchmark) commit(b *testing.B, c *store.Changes) {
	b.Helper()
	if err := w.Update(b.Context(), func(tx commit.Tx) error { return tx.Apply(b.Context(), c) }); err != nil {
		b.Fatal(err)
	}
}

// BenchmarkClaim claims 256 deliveries and completes them, with more and more
// pending ones behind them, all of one endpoint or of a thousand. The time of a
// claim must not depend on how many there are.
func BenchmarkClaim(b *testing.B) {
	for _, pending := range []int{10_000, 100_000, 1_000_000} {
		for _, endpoints := range []int{1, 1000} {
			b.Run(fmt.Sprintf("pending=%d/endpoints=%d", pending, endpoints), func(b *testing.B) {
				w := newBenchmark(b, pending, endpoints)
				var claiming time.Duration
				claims, at := 0, 0
				b.ResetTimer()
				for b.Loop() {
					lanes := []store.LaneRoom{{Endpoint: w.endpoints[0], Room: 256}}
					if endpoints > 1 {
						lanes = lanes[:0]
						for range 64 {
							at++
							lanes = append(lanes, store.LaneRoom{Endpoint: w.endpoints[at%endpoints], Room: 4})
						}
					}
					begin := time.Now()
					got, err := w.Claim(b.Context(), time.Now(), lanes)
					claiming += time.Since(begin)
					claims++
					if err != nil {
						b.Fatal(err)
					}
					var c store.Changes
					for _, lane := range got {
						for _, d := range lane.Rows {
							next := d
							next.State = delivery.Succeeded
							c.Completed = append(c.Completed, store.Completion{
								Attempt: delivery.Attempt{Key: d.Key, N: d.Generation, ID: w.gen.Next(time.Now()), App: 7, At: time.Now(), Success: true, StatusCode: 200},
								Next:    next,
							})
						}
					}
					if len(c.Completed) == 0 {
						b.StopTimer() // the small backlog is used up: begin another one
						w = newBenchmark(b, pending, endpoints)
						b.StartTimer()
						continue
					}
					w.commit(b, &c)
				}
				b.ReportMetric(float64(claiming.Microseconds())/float64(claims), "µs/claim")
			})
		}
	}
}
