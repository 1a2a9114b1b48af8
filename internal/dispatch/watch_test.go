package dispatch_test

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/callboard/callboard/internal/commit"
	"github.com/callboard/callboard/internal/delivery"
	"github.com/callboard/callboard/internal/dispatch"
	"github.com/callboard/callboard/internal/id"
	"github.com/callboard/callboard/internal/ingest"
	"github.com/callboard/callboard/internal/ingest/ingesttest"
	"github.com/callboard/callboard/internal/netguard"
	"github.com/callboard/callboard/internal/store"
)

// gossip is a watcher: what a test tells it the dispatcher hears.
type gossip struct {
	hear func(*store.News)
	lost chan error // made inside of the bubble, or nil
	lame atomic.Bool
}

func (g *gossip) Sure() bool { return !g.lame.Load() }

func (g *gossip) Watch(ctx context.Context, hear func(*store.News)) error {
	g.hear = hear
	select {
	case <-ctx.Done():
		return nil
	case err := <-g.lost:
		return err
	}
}

// beside runs what another process would do on the same store: the dispatcher of
// the world sees nothing of it.
func (w *world) beside(act func()) {
	w.t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	quiet := slog.New(slog.DiscardHandler)
	committer, err := commit.New(ctx, commit.Config{Store: w.store, Node: 1, Logger: quiet, Now: w.now})
	if err != nil {
		w.t.Fatal(err)
	}
	service, err := ingest.New(ingest.Config{
		Submitter: committer, Store: finder{w.store}, Dialects: testDialects(), Guard: netguard.New(netguard.Policy{}),
		Catalog: ingesttest.Catalog{}, Codec: w.codec,
	})
	if err != nil {
		w.t.Fatal(err)
	}
	var running sync.WaitGroup
	running.Go(func() { _ = committer.Run(ctx) })
	ours := w.service
	w.service = service
	act()
	w.service = ours
	stop()
	running.Wait()
}

// lanes tells the dispatcher which lanes have work, as a watcher does every few
// seconds.
func (w *world) lanes(g *gossip) {
	w.t.Helper()
	due, err := w.store.Lanes(context.Background())
	if err != nil {
		w.t.Fatal(err)
	}
	g.hear(&store.News{Due: due})
}

func TestHearsOfWork(t *testing.T) {
	g := &gossip{}
	inWorld(t, dispatch.Config{Watcher: g}, func(w *world) {
		app := w.app()
		ep := w.endpoint(app, host, always(200))
		var m id.ID
		w.beside(func() { m = w.send(app) })
		w.settle()
		w.wantState(m, ep, delivery.Pending, delivery.NoReason)
		w.lanes(g)
		w.settle()
		w.wantState(m, ep, delivery.Succeeded, delivery.NoReason)
	})
}

// TestHearsOfChanges changes an endpoint elsewhere. What is sent afterwards goes to
// the new URL: at once when the watcher says so, and soon when it does not.
func TestHearsOfChanges(t *testing.T) {
	const other = "other.example.com"
	for name, told := range map[string]bool{"told": true, "not told": false} {
		t.Run(name, func(t *testing.T) {
			g := &gossip{}
			inWorld(t, dispatch.Config{Watcher: g}, func(w *world) {
				app := w.app()
				ep := w.endpoint(app, host, always(200))
				w.answer(other, always(200))
				w.send(app)
				w.settle()
				w.beside(func() { w.change(app, ep, func(e *delivery.Endpoint) { e.URL = "https://" + other + "/hook" }) })
				if told {
					g.hear(&store.News{Endpoints: []id.ID{ep}})
				} else {
					w.pass(20 * time.Second)
				}
				w.send(app)
				w.settle()
				if here, there := len(w.received(host)), len(w.received(other)); here != 1 || there != 1 {
					t.Errorf("%d requests at the old URL, %d at the new one, want one each", here, there)
				}
			})
		})
	}
}

// TestHearsThatALaneIsOpen closes an endpoint, and opens it elsewhere.
func TestHearsThatALaneIsOpen(t *testing.T) {
	g := &gossip{}
	inWorld(t, dispatch.Config{Watcher: g}, func(w *world) {
		app := w.app()
		ep := w.endpoint(app, host, always(200), func(e *delivery.Endpoint) { e.Paused = true })
		m := w.send(app)
		w.settle()
		w.lanes(g)
		w.settle()
		w.wantState(m, ep, delivery.Pending, delivery.NoReason)
		w.beside(func() { w.change(app, ep, func(e *delivery.Endpoint) { e.Paused = false }) })
		w.lanes(g)
		w.settle()
		w.wantState(m, ep, delivery.Succeeded, delivery.NoReason)
	})
}

// TestHoldsBackUnlessSure expects nothing to be sent while others may have taken the
// rows over, and everything once that is out of question.
func TestHoldsBackUnlessSure(t *testing.T) {
	g := &gossip{}
	inWorld(t, dispatch.Config{Watcher: g}, func(w *world) {
		app := w.app()
		ep := w.endpoint(app, host, always(200))
		g.lame.Store(true)
		m := w.send(app)
		w.pass(time.Minute)
		if got := len(w.received(host)); got != 0 {
			t.Errorf("%d requests by a process that may have lost its rows", got)
		}
		g.lame.Store(false)
		g.hear(&store.News{})
		w.settle()
		w.wantState(m, ep, delivery.Succeeded, delivery.NoReason)
	})
}

// TestLosesItsLeases expects a dispatcher to end whose process was taken for dead.
func TestLosesItsLeases(t *testing.T) {
	g := &gossip{}
	inWorld(t, dispatch.Config{}, func(w *world) {
		g.lost = make(chan error, 1)
		ended := make(chan error, 1)
		d, err := dispatch.New(dispatch.Config{Store: w.store, Watcher: g, Transport: w, Codec: w.codec, Dialects: testDialects()})
		if err != nil {
			t.Fatal(err)
		}
		go func() { ended <- d.Run(context.Background(), w) }()
		w.settle()
		g.lost <- store.ErrLost
		w.settle()
		select {
		case err := <-ended:
			if !errors.Is(err, store.ErrLost) {
				t.Errorf("it ended with %v, want %v", err, store.ErrLost)
			}
		default:
			t.Error("it goes on")
		}
	})
}
