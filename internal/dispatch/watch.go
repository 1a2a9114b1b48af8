package dispatch

import (
	"context"
	"time"

	"github.com/callboard/callboard/internal/id"
	"github.com/callboard/callboard/internal/store"
)

// targetLife is how long a target is used where others may change the endpoint. A
// watcher tells of changes at once; should it not, this is how late they count.
const targetLife = 10 * time.Second

// hear takes over what other processes did to the store.
func (d *Dispatcher) hear(news *store.News) {
	d.mu.Lock()
	defer d.mu.Unlock()
	now := d.cfg.Now()
	for _, due := range news.Due {
		l := d.lane(due.Endpoint)
		if l.shut {
			d.doubt(l)
			continue
		}
		l.noteDue(due.Due)
		d.place(l, now)
	}
	for _, l := range d.changedLanes(news) {
		l.target = nil
		if l.shut || len(l.queue) > 0 {
			d.doubt(l)
		}
	}
	d.changes += uint64(len(news.Endpoints) + len(news.Apps))
	if news.Everything {
		d.changes++
	}
	d.wakeWorkers()
}

// sure reports whether rows in memory are certainly ours.
func (d *Dispatcher) sure() bool { return d.cfg.Watcher == nil || d.cfg.Watcher.Sure() }

// changedLanes gives the lanes whose endpoint or app others have changed.
func (d *Dispatcher) changedLanes(news *store.News) (changed []*lane) {
	for _, endpoint := range news.Endpoints {
		if l, ok := d.lanes[endpoint]; ok {
			changed = append(changed, l)
		}
	}
	if len(news.Apps) == 0 && !news.Everything {
		return changed
	}
	apps := make(map[id.ID]struct{}, len(news.Apps))
	for _, app := range news.Apps {
		apps[app] = struct{}{}
	}
	for _, l := range d.lanes {
		// Of a lane without a target nothing is known that could be out of date.
		if _, of := apps[l.appID()]; of || news.Everything || l.shut {
			changed = append(changed, l)
		}
	}
	return changed
}

// appID is the app of a lane's endpoint, 0 if it is not known.
func (l *lane) appID() id.ID {
	if l.target == nil {
		return 0
	}
	return l.target.app
}

// doubt has the scheduler look whether a lane's endpoint may be sent to: whether a
// shut one is open again, and whether rows in memory must go back. Senders look
// themselves, but with all of them waiting for the receiver that may take long.
func (d *Dispatcher) doubt(l *lane) {
	d.doubtful = append(d.doubtful, l.endpoint)
	signal(d.kick)
}

// recheck shuts and opens the doubtful lanes as their endpoints are now. One that
// cannot be loaded is doubted again when the watcher next tells of its work.
func (d *Dispatcher) recheck(ctx context.Context) {
	d.mu.Lock()
	doubtful := d.doubtful
	d.doubtful = nil
	d.mu.Unlock()
	for _, endpoint := range doubtful {
		d.mu.Lock()
		seen := d.changes
		d.mu.Unlock()
		ep, app, err := d.cfg.Store.Endpoint(ctx, endpoint)
		if err == nil {
			d.decideShut(endpoint, closedTo(&ep) || app.Deleted, seen)
		}
	}
}

// decideShut shuts or opens a lane, unless endpoints or apps have changed since its
// endpoint was loaded: then it is doubted again.
func (d *Dispatcher) decideShut(endpoint id.ID, shut bool, seen uint64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	l, ok := d.lanes[endpoint]
	switch {
	case !ok || l.shut == shut:
		return
	case d.changes != seen:
		d.doubt(l)
		return
	}
	now := d.cfg.Now()
	if l.shut = shut; shut {
		d.giveUp(l)
	} else {
		l.noteDue(now)
	}
	d.place(l, now)
}
