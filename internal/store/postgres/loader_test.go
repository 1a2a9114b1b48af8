package postgres_test

import (
	"log/slog"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/callboard/callboard/internal/id"
	"github.com/callboard/callboard/internal/store"
	"github.com/callboard/callboard/internal/store/postgres"
	"github.com/callboard/callboard/internal/store/postgres/postgrestest"
)

// TestLoadTogether loads messages from many goroutines at once; each gets its own.
func TestLoadTogether(t *testing.T) {
	t.Parallel()
	s, err := postgres.Open(t.Context(), postgres.Config{URL: postgrestest.Shared(t).NewDatabase(t), MaxConns: 2, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	p := &process{Store: s, t: t}
	t.Cleanup(func() { _ = s.Close() })
	if p.gen, err = id.NewGenerator(s.Node(), 0); err != nil {
		t.Fatal(err)
	}
	const senders, rounds = 64, 40
	var c store.Changes
	for range senders {
		c.Messages = append(c.Messages, store.Message{ID: p.next(), App: 1, Type: "a", Payload: []byte(`{}`)})
	}
	if err := p.write(c); err != nil {
		t.Fatal(err)
	}
	absent := p.next()
	var group sync.WaitGroup
	for i := range senders {
		group.Go(func() {
			for range rounds {
				got, err := s.Messages(t.Context(), []id.ID{c.Messages[i].ID, absent})
				if err != nil {
					t.Errorf("messages: %v", err)
					return
				}
				if diff := cmp.Diff(c.Messages[i:i+1], got); diff != "" {
					t.Errorf("messages (-want +got):\n%s", diff)
					return
				}
			}
		})
	}
	group.Wait()
}
