package postgres

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/callboard/callboard/internal/id"
	"github.com/callboard/callboard/internal/store"
)

// Hints are what nodes tell each other by NOTIFY: that there is work, and which
// endpoints and apps have changed. A hint may get lost, with a session or a crash;
// everything works without, a few seconds later. It is sent after the commit and
// outside of it, several changes at a time: a NOTIFY inside would make the commits
// of all nodes wait for each other.

const (
	// hintPause gathers what happens at once.
	hintPause = 20 * time.Millisecond
	// maxHinted is how many ids one hint names; more than that is everything.
	maxHinted = 200
	// workPause bounds how often word of work makes a node list the lanes.
	workPause = time.Second
)

// hints are what is to be told.
type hints struct {
	mu        sync.Mutex
	work      bool
	endpoints map[id.ID]struct{}
	apps      map[id.ID]struct{}
	some      chan struct{}
}

func newHints() hints {
	return hints{endpoints: map[id.ID]struct{}{}, apps: map[id.ID]struct{}{}, some: make(chan struct{}, 1)}
}

// add notes what a commit means for the other nodes.
func (h *hints) add(work bool, c *store.News) {
	if !work && len(c.Endpoints) == 0 && len(c.Apps) == 0 {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.work = h.work || work
	for _, ep := range c.Endpoints {
		h.endpoints[ep] = struct{}{}
	}
	for _, app := range c.Apps {
		h.apps[app] = struct{}{}
	}
	select {
	case h.some <- struct{}{}:
	default:
	}
}

// take gives the hint that is to be sent and forgets it.
func (h *hints) take(from int) string {
	h.mu.Lock()
	defer h.mu.Unlock()
	var b strings.Builder
	fmt.Fprintf(&b, "n%d", from)
	if h.work {
		b.WriteString(" w")
	}
	if len(h.endpoints)+len(h.apps) > maxHinted {
		b.WriteString(" *")
	} else {
		for ep := range h.endpoints {
			fmt.Fprintf(&b, " e%d", ep)
		}
		for app := range h.apps {
			fmt.Fprintf(&b, " a%d", app)
		}
	}
	h.work = false
	clear(h.endpoints)
	clear(h.apps)
	return b.String()
}

// sendHints tells the other nodes, until ctx ends.
func (s *Store) sendHints(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-s.hints.some:
		}
		if rest(ctx, hintPause) != nil {
			return
		}
		bounded, cancel := context.WithTimeout(ctx, readTimeout)
		_, _ = s.pool.Exec(bounded, `SELECT pg_notify($1, $2)`, channel, s.hints.take(s.node.number)) // it is a hint
		cancel()
	}
}

// heard passes on what another node said.
func (s *Store) heard(ctx context.Context, payload string) {
	words := strings.Fields(payload)
	if len(words) == 0 || words[0] == "n"+strconv.Itoa(s.node.number) {
		return
	}
	var news store.News
	for _, word := range words[1:] {
		number, err := strconv.ParseInt(word[1:], 10, 64)
		switch {
		case word == "w":
			if time.Since(s.node.listed) > workPause {
				s.node.listed = time.Time{}
			}
		case word == "*":
			news.Everything = true
		case err != nil: // of a later version
		case word[0] == 'e':
			news.Endpoints = append(news.Endpoints, id.ID(number))
		case word[0] == 'a':
			news.Apps = append(news.Apps, id.ID(number))
		}
	}
	s.watcher.tell(&news)
}

// watcher is who wants to hear what others do.
type watcher struct {
	mu   sync.Mutex
	hear func(*store.News)
	lost chan error
}

func (w *watcher) tell(news *store.News) {
	w.mu.Lock()
	hear := w.hear
	w.mu.Unlock()
	if hear != nil {
		hear(news)
	}
}

func (w *watcher) fail(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.lost != nil {
		w.lost <- err
	}
}

// set registers who hears; nil ends that.
func (w *watcher) set(hear func(*store.News)) (lost <-chan error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.hear, w.lost = hear, make(chan error, 1)
	return w.lost
}

// Watch tells what others do to the deliveries: lanes that have work, endpoints
// and apps that have changed. It blocks until ctx ends, or until this node has been
// taken for dead, which is the error. There is one watch at a time.
func (s *Store) Watch(ctx context.Context, hear func(*store.News)) error {
	lost := s.watcher.set(hear)
	defer s.watcher.set(nil)
	if s.node.fenced.Load() {
		return errFenced
	}
	select {
	case <-ctx.Done():
		return nil
	case <-s.closed:
		return errClosed
	case err := <-lost:
		return err
	}
}

// tellLanes tells which endpoints have work.
func (s *Store) tellLanes(ctx context.Context) error {
	s.watcher.mu.Lock()
	watched := s.watcher.hear != nil
	s.watcher.mu.Unlock()
	if !watched {
		return nil
	}
	lanes, err := s.Lanes(ctx)
	if err != nil {
		return err
	}
	s.watcher.tell(&store.News{Due: lanes})
	return nil
}
