package dispatch_test

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/callboard/callboard/internal/commit"
	"github.com/callboard/callboard/internal/delivery"
	"github.com/callboard/callboard/internal/dialect"
	"github.com/callboard/callboard/internal/dialect/native"
	"github.com/callboard/callboard/internal/dispatch"
	"github.com/callboard/callboard/internal/id"
	"github.com/callboard/callboard/internal/ingest"
	"github.com/callboard/callboard/internal/netguard"
	"github.com/callboard/callboard/internal/store"
	"github.com/callboard/callboard/internal/store/sqlite"
)

// BenchmarkEngine is the hot path without the API: a message from PostMessage
// over a durable commit and a real POST on loopback to its recorded result. The
// sink runs in the same process and counts in.
func BenchmarkEngine(b *testing.B) {
	for _, endpoints := range []int{1, 5} {
		b.Run("endpoints="+strconv.Itoa(endpoints), func(b *testing.B) { benchEngine(b, endpoints) })
	}
}

func benchEngine(b *testing.B, endpoints int) {
	ctx := context.Background()
	var arrived atomic.Int64
	sink := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		arrived.Add(1)
	}))
	defer sink.Close()
	db, err := sqlite.Open(ctx, sqlite.Config{Path: filepath.Join(b.TempDir(), "bench.db")})
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	key, err := db.IDKey(ctx)
	if err != nil {
		b.Fatal(err)
	}
	codec, err := id.NewCodec(key)
	if err != nil {
		b.Fatal(err)
	}
	dialects := dialect.NewSet(native.Dialect{})
	guard := netguard.New(netguard.Policy{AllowPrivate: true})
	quiet := slog.New(slog.DiscardHandler)
	sender, err := dispatch.New(dispatch.Config{
		Store: db, Transport: dispatch.NewTransport(guard), Dialects: dialects, Codec: codec, Logger: quiet,
	})
	if err != nil {
		b.Fatal(err)
	}
	committer, err := commit.New(ctx, commit.Config{Store: db, Handoff: sender, Logger: quiet})
	if err != nil {
		b.Fatal(err)
	}
	service, err := ingest.New(ingest.Config{Submitter: committer, Store: db, Dialects: dialects, Guard: guard})
	if err != nil {
		b.Fatal(err)
	}
	commitCtx, stopCommits := context.WithCancel(ctx)
	workCtx, stopWork := context.WithCancel(ctx)
	var commits, work sync.WaitGroup
	commits.Go(func() { _ = committer.Run(commitCtx) })
	work.Go(func() { _ = sender.Run(workCtx, committer) })
	app, err := service.CreateApp(ctx, org, ingest.Key{}, store.App{Name: "bench"}, false)
	if err != nil {
		b.Fatal(err)
	}
	ref := ingest.AppRef{Org: org, Ref: store.Ref{ID: app.ID}}
	for range endpoints {
		if _, err := service.CreateEndpoint(ctx, ref, ingest.Key{}, delivery.Endpoint{URL: sink.URL}); err != nil {
			b.Fatal(err)
		}
	}
	payload := []byte(`{"type":"session.joined","data":"` + strings.Repeat("x", 560) + `"}`)
	var key64 atomic.Int64
	b.SetParallelism(64)
	b.ReportAllocs()
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			k := ingest.Key{Scope: "bench", Value: strconv.FormatInt(key64.Add(1), 10), Body: payload}
			if _, err := service.PostMessage(ctx, ref, k, ingest.Message{EventType: "session.joined", Payload: payload}); err != nil {
				b.Error(err)
				return
			}
		}
	})
	want := int64(b.N * endpoints)
	for deadline := time.Now().Add(time.Minute); arrived.Load() < want && time.Now().Before(deadline); {
		<-time.After(time.Millisecond)
	}
	b.StopTimer()
	if got := arrived.Load(); got != want {
		b.Errorf("%d deliveries, want %d", got, want)
	}
	b.ReportMetric(float64(want)/b.Elapsed().Seconds(), "delivered/s")
	stopWork()
	work.Wait()
	stopCommits()
	commits.Wait()
}
