//go:build unix

package sqlite

import (
	"encoding/binary"
	"fmt"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/callboard/callboard/internal/commit"
	"github.com/callboard/callboard/internal/delivery"
	"github.com/callboard/callboard/internal/id"
	"github.com/callboard/callboard/internal/store"
)

// The benchmarks run over a database that holds this many messages already, one
// delivery and one attempt for each endpoint of their app.
const prefilled = 200_000

// bench is a database with apps and endpoints, and what is under way in it.
type bench struct {
	*Store
	b         *testing.B
	config    Config
	gen       *id.Generator
	apps      []id.ID
	endpoints [][]id.ID // by app
	payload   []byte
	n         int                 // messages so far
	leased    []delivery.Delivery // handed off, to be completed by the next transaction
	changes   store.Changes
}

func newBench(b *testing.B, apps, endpoints, prefill int) *bench {
	b.Helper()
	cfg := Config{Path: filepath.Join(b.TempDir(), "bench.db")}
	s, err := Open(b.Context(), cfg)
	if err != nil {
		b.Fatal(err)
	}
	gen, err := id.NewGenerator(0, 0)
	if err != nil {
		b.Fatal(err)
	}
	w := &bench{Store: s, b: b, config: cfg, gen: gen, payload: []byte(fmt.Sprintf(`{"type":"session.joined","data":%q}`, make([]byte, 300)))[:600]}
	b.Cleanup(func() { _ = w.Close() })
	for range apps {
		app := gen.Next(time.Now())
		w.apps = append(w.apps, app)
		w.changes.Apps = append(w.changes.Apps, store.App{ID: app, Org: "org_1", ConfigVersion: 1})
		var eps []id.ID
		for range endpoints {
			ep := gen.Next(time.Now())
			eps = append(eps, ep)
			w.changes.Endpoints = append(w.changes.Endpoints, delivery.Endpoint{ID: ep, App: app})
		}
		w.endpoints = append(w.endpoints, eps)
	}
	w.commit(nil)
	for w.n < prefill {
		w.insert(500, delivery.Leased)
		w.complete()
		w.commit(nil)
	}
	return w
}

// insert adds a batch of messages, of the apps in turn.
func (w *bench) insert(messages int, state delivery.State) {
	now := time.Now()
	for range messages {
		i := w.n % len(w.apps)
		w.n++
		m := store.Message{ID: w.gen.Next(now), App: w.apps[i], Type: "session.joined", Payload: w.payload}
		w.changes.Messages = append(w.changes.Messages, m)
		for _, ep := range w.endpoints[i] {
			d := delivery.Delivery{Key: delivery.Key{Message: m.ID, Endpoint: ep}, App: m.App, State: state, NextAt: now}
			if state == delivery.Leased {
				d.Generation = 1
				w.leased = append(w.leased, d)
			}
			w.changes.Deliveries = append(w.changes.Deliveries, d)
		}
	}
}

// complete ends what is leased with a success.
func (w *bench) complete() {
	now := time.Now()
	for _, d := range w.leased {
		next := d
		next.State, next.Step = delivery.Succeeded, 1
		w.changes.Completed = append(w.changes.Completed, store.Completion{Next: next, Attempt: delivery.Attempt{
			Key: d.Key, N: d.Generation, ID: w.gen.Next(now), App: d.App, At: now, Success: true, StatusCode: 200,
			Latency: time.Millisecond, Response: []byte(`{"ok":true}`),
		}})
	}
	w.leased = w.leased[:0]
}

// keys gives every message of the batch a dedupe key.
func (w *bench) keys() (keys []store.Seen) {
	expires := time.Now().Add(12 * time.Hour).Truncate(time.Second)
	for i := range w.changes.Messages {
		k := store.Seen{Expires: expires, Result: w.changes.Messages[i].ID}
		binary.BigEndian.PutUint64(k.Hash[:], uint64(k.Result)*0x9e3779b97f4a7c15) // scattered
		keys = append(keys, k)
	}
	return keys
}

func (w *bench) commit(keys []store.Seen) {
	w.b.Helper()
	ctx := w.b.Context()
	err := w.Update(ctx, func(tx commit.Tx) error {
		if keys != nil {
			if _, err := tx.TakeSeen(ctx, keys); err != nil {
				return err
			}
			if _, err := tx.Versions(ctx, w.apps[:min(len(keys), len(w.apps))]); err != nil {
				return err
			}
			w.changes.Seen = append(w.changes.Seen, keys...)
		}
		return tx.Apply(ctx, &w.changes)
	})
	if err != nil {
		w.b.Fatal(err)
	}
	w.changes.Reset()
}

// cpu is the processor time of this process so far, in microseconds.
func cpu() float64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return float64(u.Utime.Nano()+u.Stime.Nano()) / 1e3
}

// measure runs fn, which handles n deliveries each time, and reports the
// processor time for one.
func measure(b *testing.B, n int, fn func()) {
	b.ReportAllocs()
	before := cpu()
	for b.Loop() {
		fn()
	}
	b.ReportMetric((cpu()-before)/float64(b.N*n), "cpu-µs/delivery")
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N*n), "µs/delivery")
}

// BenchmarkHandOff is the life of a delivery that goes straight from its commit
// to a sender: each transaction inserts a batch, with dedupe keys, and completes
// the batch before.
func BenchmarkHandOff(b *testing.B) {
	for _, apps := range []int{1, 50} {
		for _, endpoints := range []int{1, 5} {
			w := newBench(b, apps, endpoints, prefilled/endpoints)
			for _, batch := range []int{1, 8, 64} {
				b.Run(fmt.Sprintf("apps=%d/endpoints=%d/batch=%d", apps, endpoints, batch), func(b *testing.B) {
					w.b = b
					measure(b, batch*endpoints, func() {
						w.complete()
						w.insert(batch, delivery.Leased)
						w.commit(w.keys())
					})
				})
			}
		}
	}
}

// BenchmarkClaim is the life of a delivery that waits: inserted by one
// transaction, claimed, completed by the next.
func BenchmarkClaim(b *testing.B) {
	for _, apps := range []int{1, 50} {
		w := newBench(b, apps, 1, prefilled)
		for _, batch := range []int{1, 8, 64} {
			b.Run(fmt.Sprintf("apps=%d/batch=%d", apps, batch), func(b *testing.B) {
				w.b = b
				measure(b, batch, func() {
					w.complete()
					w.insert(batch, delivery.Pending)
					w.commit(w.keys())
					var lanes []store.LaneRoom
					for i := range min(batch, apps) {
						lanes = append(lanes, store.LaneRoom{Endpoint: w.endpoints[(w.n-1-i)%apps][0], Room: batch})
					}
					claimed, err := w.Claim(b.Context(), time.Now(), lanes)
					if err != nil {
						b.Fatal(err)
					}
					for _, c := range claimed {
						w.leased = append(w.leased, c.Rows...)
					}
				})
			})
		}
	}
}
