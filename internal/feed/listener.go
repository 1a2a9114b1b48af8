package feed

import (
	"context"
	"maps"

	"github.com/callboard/callboard/internal/delivery"
	"github.com/callboard/callboard/internal/id"
	"github.com/callboard/callboard/internal/store"
)

// Attempt is an attempt that was made, and its delivery as it stands afterwards, or, if
// more has happened since, as it stands now.
type Attempt struct {
	delivery.Attempt
	Row   store.DeliveryRow
	Count int // of the delivery's attempts, over all times that it was queued
	// At is the listener's position behind the attempt.
	At Position
}

// Subscription says who listens to what.
type Subscription struct {
	Org string
	App id.ID
	// Portal says that who listens may see this app alone: a tenant.
	Portal bool
	// After is where an earlier listener was; nil = from now on.
	After Position
}

// Listener hears of one app. Its methods are for one goroutine, but for Close.
type Listener struct {
	hub  *Hub
	sub  Subscription
	wake chan struct{} // capacity 1

	// Start is where it begins. Resumed says that it goes on from Subscription.After with
	// nothing left out, Missed that there was more than could be told.
	Start           Position
	Resumed, Missed bool

	// The hub's mu guards these.
	ready  bool     // at is known
	at     Position // of the last attempt that was queued
	queued []Attempt
	topics Topics
	lost   bool
	left   bool
}

// Told is what a listener is told at a time.
type Told struct {
	Attempts []Attempt // in the order in which they were committed, node by node
	Topics   Topics
	Missed   bool // there were more attempts than could be kept, before these
}

// Listen begins to listen. Its errors are for the caller.
func (h *Hub) Listen(ctx context.Context, sub Subscription) (*Listener, error) {
	l := &Listener{hub: h, sub: sub, wake: make(chan struct{}, 1)}
	if err := h.join(l); err != nil {
		return nil, err
	}
	if err := l.start(ctx); err != nil {
		l.Close()
		return nil, err
	}
	return l, nil
}

// tenants counts the listeners of an app's portal, of which there are no more than perApp to look at. mu is held.
func (h *Hub) tenants(app id.ID) (n int) {
	for l := range h.byApp[app] {
		if l.sub.Portal {
			n++
		}
	}
	return n
}

func (h *Hub) join(l *Listener) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case h.closed:
		return errClosing
	case h.listening.Load() >= int64(h.cfg.MaxListeners) || len(h.byApp[l.sub.App]) >= perApp:
		return errTooMany
	case l.sub.Portal && (h.portal >= h.cfg.MaxListeners*portalShare/4 || h.tenants(l.sub.App) >= perApp*portalShare/4):
		return errTooMany
	}
	if l.sub.Portal {
		h.portal++
	}
	if h.byApp[l.sub.App] == nil {
		h.byApp[l.sub.App] = map[*Listener]struct{}{}
	}
	h.byApp[l.sub.App][l] = struct{}{}
	h.listening.Add(1)
	return nil
}

// start finds out where now is, reads what happened between an earlier position and now,
// and lets the hub go on from there. What it has queued meanwhile is kept as far as it
// came later.
func (l *Listener) start(ctx context.Context) error {
	marks, err := l.hub.cfg.Store.AttemptMarks(ctx)
	if err != nil {
		return err
	}
	l.Start = At(marks)
	var replay []Attempt
	if l.sub.After != nil {
		if replay, l.Resumed, err = l.replay(ctx); err != nil {
			return err
		}
		l.Missed = !l.Resumed
	}
	l.hub.mu.Lock()
	defer l.hub.mu.Unlock()
	if l.hub.at == nil {
		l.hub.at = l.Start
	}
	came := l.queued
	l.ready, l.queued, l.at = true, nil, maps.Clone(l.Start)
	if l.Resumed {
		l.at = maps.Clone(l.sub.After)
		for _, a := range replay {
			l.queue(a)
		}
		maps.Copy(l.at, l.Start)
		l.Start = l.sub.After
	}
	for _, a := range came {
		l.queue(a)
	}
	return nil
}

// replay gives what happened after Subscription.After; whole is false if it is too much.
func (l *Listener) replay(ctx context.Context) (replay []Attempt, whole bool, err error) {
	attempts, whole, err := l.hub.read(ctx, []id.ID{l.sub.App}, l.sub.After, l.Start, maxReplayed)
	if err != nil || !whole {
		return nil, false, err
	}
	replay, err = l.hub.told(ctx, attempts)
	return replay, true, err
}

// Close ends the listener. It may be called more than once.
func (l *Listener) Close() {
	h := l.hub
	h.mu.Lock()
	defer h.mu.Unlock()
	if l.left {
		return
	}
	l.left = true
	if delete(h.byApp[l.sub.App], l); len(h.byApp[l.sub.App]) == 0 {
		delete(h.byApp, l.sub.App)
	}
	if l.sub.Portal {
		h.portal--
	}
	if h.listening.Add(-1) == 0 {
		h.at = nil // who comes next begins with the present
	}
}

// Wake is ready when there is something to Take.
func (l *Listener) Wake() <-chan struct{} { return l.wake }

// Closed is closed when the hub is.
func (l *Listener) Closed() <-chan struct{} { return l.hub.closing }

// Take gives what there is to tell. Topics are left for the next time if they are not
// asked for.
func (l *Listener) Take(topics bool) Told {
	l.hub.mu.Lock()
	defer l.hub.mu.Unlock()
	told := Told{Attempts: l.queued, Missed: l.lost}
	l.queued, l.lost = nil, false
	if topics {
		told.Topics, l.topics = l.topics, 0
	}
	return told
}

// queue adds an attempt, unless it is before the listener's position. The caller holds mu.
func (l *Listener) queue(a Attempt) {
	if l.ready {
		if l.at.passed(a.ID) {
			return
		}
		l.at.Pass(a.ID)
	}
	if len(l.queued) == maxQueued {
		l.lose()
		return
	}
	a.At = maps.Clone(l.at)
	l.queued = append(l.queued, a)
	l.rouse()
}

// lose drops what waits, and says so. The caller holds mu.
func (l *Listener) lose() {
	l.queued, l.lost = nil, true
	l.rouse()
}

// note adds topics. The caller holds mu.
func (l *Listener) note(t Topics) {
	l.topics |= t
	l.rouse()
}

func (l *Listener) rouse() {
	select {
	case l.wake <- struct{}{}:
	default:
	}
}
