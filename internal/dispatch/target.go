package dispatch

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/callboard/callboard/internal/delivery"
	"github.com/callboard/callboard/internal/id"
	"github.com/callboard/callboard/internal/outgoing"
	"github.com/callboard/callboard/internal/store"
)

// target is an endpoint as its sender needs it: everything that is the same for
// all attempts, prepared. It does not change; a changed endpoint gets a new one.
type target struct {
	*outgoing.Target

	app      id.ID
	perApp   bool // it signs with the app's secrets
	schedule []time.Duration
	timeout  time.Duration
	// goodUntil is when a secret's grace period ends and the signer is out of date, or
	// when the endpoint must be looked at again.
	goodUntil time.Time
}

// errShut says that nothing may be sent to the endpoint any more.
var errShut = errors.New("endpoint is disabled, deleted or paused")

// errStale says that an endpoint or app was changed while it was loaded.
var errStale = errors.New("endpoint was changed meanwhile")

// target gives the lane's target, loading the endpoint if need be. An endpoint
// that is changed while it is being loaded is loaded again: what was read is then
// as old as the change.
func (d *Dispatcher) target(ctx context.Context, l *lane) (*target, error) {
	for {
		now := d.cfg.Now()
		d.mu.Lock()
		t, seen := l.target, d.changes
		d.mu.Unlock()
		if t != nil && (t.goodUntil.IsZero() || now.Before(t.goodUntil)) {
			return t, nil
		}
		ep, app, err := d.cfg.Store.Endpoint(ctx, l.endpoint)
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return nil, fmt.Errorf("load endpoint: %w", err)
		}
		t, err = d.retarget(l, &ep, &app, err == nil, seen)
		if !errors.Is(err, errStale) {
			return t, err
		}
	}
}

// retarget gives a lane the target of a loaded endpoint, or shuts it. It does
// neither if endpoints or apps have changed since the load began.
func (d *Dispatcher) retarget(l *lane, ep *delivery.Endpoint, app *store.App, found bool, seen uint64) (*target, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.changes != seen {
		return nil, errStale
	}
	now := d.cfg.Now()
	if !found || app.Deleted || closedTo(ep) {
		l.shut = true
		d.giveUp(l)
		d.place(l, now)
		return nil, errShut
	}
	t, err := d.prepare(ep, app, now)
	if err != nil {
		return nil, err
	}
	l.target = t
	l.bucket.setRate(ep.ThrottleRate, now)
	l.app = d.gate(app, now)
	return t, nil
}

// gate finds or makes an app's throttle.
func (d *Dispatcher) gate(app *store.App, now time.Time) *gate {
	g, ok := d.apps[app.ID]
	if !ok {
		g = &gate{}
		d.apps[app.ID] = g
	}
	g.bucket.setRate(app.ThrottleRate, now)
	g.tokens = app.SigningTokens
	return g
}

// prepare makes the target of an endpoint of an app.
func (d *Dispatcher) prepare(ep *delivery.Endpoint, app *store.App, now time.Time) (*target, error) {
	made, err := d.maker.Target(ep, app.SigningTokens, now)
	if err != nil {
		return nil, err
	}
	t := &target{
		Target:    made,
		app:       ep.App,
		perApp:    made.Dialect.Secrets().PerApp,
		schedule:  ep.RetrySchedule,
		timeout:   ep.Timeout,
		goodUntil: made.Until,
	}
	if known := now.Add(targetLife); d.cfg.Watcher != nil && (t.goodUntil.IsZero() || known.Before(t.goodUntil)) {
		t.goodUntil = known
	}
	if t.schedule == nil {
		t.schedule = d.cfg.Schedule
	}
	if t.timeout == 0 {
		t.timeout = d.cfg.Timeout
	}
	return t, nil
}
