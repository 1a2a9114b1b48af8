package inbound_test

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/callboard/callboard/internal/id"
	"github.com/callboard/callboard/internal/inbound"
	"github.com/callboard/callboard/internal/ingest/ingesttest"
	"github.com/callboard/callboard/internal/store"
	"github.com/callboard/callboard/internal/testenv"
)

// TestChangedSource: what this process has changed counts at once, what another one has
// changed after a second; but nothing is taken any more that is proven by what was.
func TestChangedSource(t *testing.T) {
	t.Parallel()
	ingesttest.Bubble(t, func(t *testing.T, e *ingesttest.Engine) {
		h := newHall(t, e)
		source, path := h.source("zuddl", store.SourceAuth{Secrets: []string{secret}})
		signed := func(body string) []string { return []string{"X-Webhook-Signature", "sha256=" + hexOf(body)} }
		h.want(http.StatusOK, path, joined, signed(joined)...)

		second := `{"action":"A","actionId":"a2"}`
		h.change(source, func(s *store.Source) { s.Description = "another process was here" })
		h.want(http.StatusOK, path, second, signed(second)...)
		if h.reads != 2 {
			t.Errorf("%d reads, want one more of what had changed", h.reads)
		}
		third := `{"action":"A","actionId":"a3"}`
		changed := h.change(source, func(s *store.Source) { s.Auth.Secrets = []string{"another secret of mine"} })
		h.want(http.StatusUnauthorized, path, third, signed(third)...)
		h.cache.Committed([]store.Source{changed})
		h.want(http.StatusUnauthorized, path, third, signed(third)...)
		h.change(source, func(s *store.Source) { s.Auth.Secrets = []string{secret} })
		h.want(http.StatusUnauthorized, path, third, signed(third)...) // the price of a cache
		testenv.Advance(1100 * time.Millisecond)
		h.want(http.StatusOK, path, third, signed(third)...)
		if got := len(h.Heard(h.endpoint)); got != 3 {
			t.Errorf("%d messages, want 3", got)
		}
	})
}

// TestCacheKeepsNothingOld: a read during which a source changed is not remembered, nor is
// a failure.
func TestCacheKeepsNothingOld(t *testing.T) {
	t.Parallel()
	s := &slow{}
	cache := inbound.NewCache(s)
	s.during = func() { cache.Committed([]store.Source{{ID: 1}}) }
	for range 2 {
		if _, err := cache.Source(t.Context(), 1); err != nil {
			t.Fatal(err)
		}
	}
	if s.reads != 2 {
		t.Errorf("%d reads: what was read may be older than the change", s.reads)
	}
	s.during, s.err = func() {}, store.ErrUnavailable
	for range 2 {
		if _, err := cache.Source(t.Context(), 1); !errors.Is(err, store.ErrUnavailable) {
			t.Errorf("error %v", err)
		}
	}
	s.err = store.ErrNotFound
	for range 2 {
		if _, err := cache.Source(t.Context(), 1); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("error %v", err)
		}
	}
	if s.reads != 5 {
		t.Errorf("%d reads, want one each for two failures, and one for what is not there", s.reads)
	}
}

// slow is a store in which something happens during each read.
type slow struct {
	reads  int
	err    error
	during func()
}

func (s *slow) Source(_ context.Context, source id.ID) (store.Source, error) {
	s.reads++
	s.during()
	return store.Source{ID: source}, s.err
}
