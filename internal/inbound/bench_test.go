package inbound_test

import (
	"encoding/hex"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/callboard/callboard/internal/commit"
	"github.com/callboard/callboard/internal/dialect/builtin"
	"github.com/callboard/callboard/internal/id"
	"github.com/callboard/callboard/internal/inbound"
	"github.com/callboard/callboard/internal/ingest"
	"github.com/callboard/callboard/internal/netguard"
	"github.com/callboard/callboard/internal/store"
	"github.com/callboard/callboard/internal/store/sqlite"
)

// BenchmarkDoor takes Zuddl's webhooks in, from many at once, and turns strangers away. The network has no part in it.
func BenchmarkDoor(b *testing.B) {
	door, path := newDoor(b)
	var n atomic.Int64
	post := func(b *testing.B, want int, signature string) {
		b.Helper()
		body := strings.Replace(joined, `"a1"`, fmt.Sprintf(`"a%d"`, n.Add(1)), 1)
		r := httptest.NewRequestWithContext(b.Context(), http.MethodPost, path, strings.NewReader(body))
		r.Header.Set("X-Webhook-Signature", signature)
		if signature == "" {
			r.Header.Set("X-Webhook-Signature", "sha256="+hexOf(body))
		}
		w := httptest.NewRecorder()
		if door.ServeHTTP(w, r); w.Code != want {
			b.Errorf("answered %d %s", w.Code, w.Body)
		}
	}
	for name, tt := range map[string]struct {
		want      int
		signature string
	}{
		"accepted": {http.StatusOK, ""},
		"refused":  {http.StatusUnauthorized, "sha256=" + hex.EncodeToString(make([]byte, 32))},
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetParallelism(32)
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					post(b, tt.want, tt.signature)
				}
			})
		})
	}
}

// newDoor makes a door before an engine of its own, and the address of a source of Zuddl's.
func newDoor(b *testing.B) (door http.Handler, path string) {
	b.Helper()
	must := func(err error) {
		b.Helper()
		if err != nil {
			b.Fatal(err)
		}
	}
	quiet := slog.New(slog.DiscardHandler)
	rows, err := sqlite.Open(b.Context(), sqlite.Config{Path: filepath.Join(b.TempDir(), "bench.db"), Synchronous: sqlite.Normal})
	must(err)
	committer, err := commit.New(b.Context(), commit.Config{Store: rows, Logger: quiet})
	must(err)
	key, err := rows.IDKey(b.Context())
	must(err)
	codec, err := id.NewCodec(key)
	must(err)
	dialects := builtin.Dialects(builtin.Config{})
	service, err := ingest.New(ingest.Config{
		Submitter: committer, Store: rows, Dialects: dialects, Guard: netguard.New(netguard.Policy{}), Catalog: builtin.Catalog(dialects), Codec: codec,
	})
	must(err)
	ended := make(chan error, 1)
	go func() { ended <- committer.Run(b.Context()) }()
	b.Cleanup(func() {
		if err := <-ended; err != nil {
			b.Error(err)
		}
		if err := rows.Close(); err != nil {
			b.Error(err)
		}
	})
	const org = "org_000000000000000000000000001"
	app, err := service.CreateApp(b.Context(), org, ingest.Key{}, store.App{Name: "bench"}, false)
	must(err)
	source, err := service.CreateSource(b.Context(), ingest.AppRef{Org: org, Ref: store.Ref{ID: app.ID}}, ingest.Key{}, store.Source{
		Dialect: "zuddl", Auth: store.SourceAuth{Secrets: []string{secret}},
	})
	must(err)
	door, err = inbound.New(inbound.Config{Sources: inbound.NewCache(rows), Ingest: service, Codec: codec, Dialects: dialects, Logger: quiet})
	must(err)
	return door, inbound.Prefix + codec.Encode(id.Source, source.ID)
}
