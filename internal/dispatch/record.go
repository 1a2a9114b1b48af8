package dispatch

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/callboard/callboard/internal/commit"
	"github.com/callboard/callboard/internal/delivery"
	"github.com/callboard/callboard/internal/id"
	"github.com/callboard/callboard/internal/store"
)

const (
	// recordBatch is how many results share a unit of work at most.
	recordBatch = 512
	// recordEnough results are worth a transaction at once; fewer wait for others
	// for recordLinger.
	recordEnough = 128
	recordLinger = 5 * time.Millisecond
)

// Back-off between tries to record results that the store did not take.
const (
	minRecordPause = 100 * time.Millisecond
	maxRecordPause = 5 * time.Second
	// lastRecords is how long results are still tried to be recorded after the
	// requests under way have had their time to end.
	lastRecords = 5 * time.Second
)

type resultKind uint8

const (
	resultCompleted resultKind = iota // an attempt was made
	resultFinished                    // the delivery ended without one
	resultUnused                      // the lease goes back
)

// result is what came of a leased row.
type result struct {
	kind       resultKind
	completion store.Completion  // of resultCompleted
	row        delivery.Delivery // of the others, as it was leased
	reason     delivery.Reason   // of resultFinished
	disable    bool              // the receiver wants no more
}

func finished(it *item, reason delivery.Reason) result {
	return result{kind: resultFinished, row: it.Delivery, reason: reason}
}

func unused(it *item) result { return result{kind: resultUnused, row: it.Delivery} }

// finish hands a result to the recorder.
func (d *Dispatcher) finish(r result) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if r.kind == resultUnused {
		d.pending--
		d.unused = append(d.unused, r.row)
		now := d.cfg.Now()
		d.noteDue(r.row.Endpoint, now, now)
		signal(d.kick)
		return
	}
	d.finished = append(d.finished, r)
	signal(d.kickRecord)
}

// record submits results until the drain has ended and all of them are on disk.
// It returns early only if the committer is closed: the store is lost.
func (d *Dispatcher) record(ctx context.Context, to Submitter) error {
	for open := true; open; {
		_, open = <-d.kickRecord
		if open {
			d.gather()
		}
		for {
			batch := d.someFinished()
			if len(batch) == 0 {
				break
			}
			if err := d.recordBatch(ctx, to, batch); err != nil {
				return err
			}
		}
	}
	return nil
}

// gather waits a little for more results. Nobody waits for a result to be on
// disk, and a transaction costs the same for one as for many; a message's own
// commit never waits.
func (d *Dispatcher) gather() {
	d.mu.Lock()
	few := len(d.finished) < recordEnough && d.running && !d.stalled
	d.mu.Unlock()
	if !few {
		return
	}
	select {
	case <-time.After(recordLinger):
	case <-d.closed:
	}
}

func (d *Dispatcher) someFinished() []result {
	d.mu.Lock()
	defer d.mu.Unlock()
	batch := d.finished
	if len(batch) <= recordBatch {
		d.finished = nil
		return batch
	}
	d.finished = batch[recordBatch:]
	return batch[:recordBatch:recordBatch]
}

// recordBatch submits results until they are on disk. Meanwhile, after a failure,
// nothing is sent: it could not be recorded either. It tries again after a pause,
// or as soon as something else could be committed. A drain that cannot record gives
// up in the end: the rows are sent again after the next start.
func (d *Dispatcher) recordBatch(ctx context.Context, to Submitter, batch []result) error {
	for pause := minRecordPause; ; pause = min(2*pause, maxRecordPause) {
		_, err := to.Submit(ctx, d.unit(batch))
		if err == nil {
			d.recorded(len(batch))
			return nil
		}
		if errors.Is(err, commit.ErrClosed) {
			return err
		}
		left, draining := d.drainLeft()
		if draining && left <= 0 {
			return fmt.Errorf("record the results of %d attempts, which will be made again: %w", len(batch), err)
		}
		d.stall()
		d.cfg.Logger.ErrorContext(ctx, "results cannot be recorded, sending is on hold", "results", len(batch), "error", err)
		wait := jittered(pause)
		if draining {
			wait = min(wait, left)
		}
		var writes <-chan struct{} // nil if the reason lies in the results: other commits mean nothing for them
		if errors.Is(err, store.ErrUnavailable) {
			writes = d.storeWrites
		}
		select {
		case <-time.After(wait):
		case <-writes:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// drainLeft is how long a drain that was begun may still take to record results.
func (d *Dispatcher) drainLeft() (left time.Duration, draining bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.drainEnds.IsZero() {
		return 0, false
	}
	return time.Until(d.drainEnds), true
}

func (d *Dispatcher) stall() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.stalled = true
}

// recorded frees the places of results that are on disk.
func (d *Dispatcher) recorded(n int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	wasFull := d.pending >= d.cfg.MaxUnrecorded
	d.pending -= n
	if d.stalled {
		d.resume()
	} else if wasFull {
		d.wakeWorkers()
	}
}

// Stalled reports whether results cannot be recorded at the moment.
func (d *Dispatcher) Stalled() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.stalled
}

// unit is the unit of work that writes results.
func (d *Dispatcher) unit(batch []result) *commit.Unit {
	u := &commit.Unit{}
	apps := map[id.ID]struct{}{}
	endpoints := map[id.ID]struct{}{}
	for i := range batch {
		row := &batch[i].row
		if batch[i].kind == resultCompleted {
			row = &batch[i].completion.Next
		}
		apps[row.App] = struct{}{}
		endpoints[row.Endpoint] = struct{}{}
		u.Size += rowBytes + len(batch[i].completion.Attempt.Response)
	}
	for k := range apps {
		u.Keys.Apps = append(u.Keys.Apps, commit.AppRef{Ref: store.Ref{ID: k}})
	}
	for k := range endpoints {
		u.Keys.Healths = append(u.Keys.Healths, k)
	}
	u.Decide = func(v *commit.View) (id.ID, error) {
		for i := range batch {
			d.decide(v, &batch[i])
		}
		return 0, nil
	}
	return u
}

// rowBytes is about what an attempt writes beside its response.
const rowBytes = 128

// decide writes one result.
func (d *Dispatcher) decide(v *commit.View, r *result) {
	if r.kind == resultFinished {
		v.Finish(store.Finish{Key: r.row.Key, State: delivery.Failed, Reason: r.reason})
		return
	}
	c := r.completion
	c.Attempt.ID = v.NextID()
	d.judge(v, r, &c)
	v.Complete(c)
}

// judge adds what the attempt means for its endpoint, and what the endpoint's
// state means for the delivery.
func (d *Dispatcher) judge(v *commit.View, r *result, c *store.Completion) {
	cfg, ok := v.App(commit.AppRef{Ref: store.Ref{ID: c.Next.App}})
	if !ok {
		c.Next = endIfPending(c.Next, delivery.EndpointDeleted)
		return
	}
	ep, ok := commit.FindEndpoint(cfg, store.Ref{ID: c.Next.Endpoint})
	if !ok {
		c.Next = endIfPending(c.Next, delivery.EndpointDeleted)
		return
	}
	disable := ""
	if r.disable {
		disable = DisabledByReceiver
	}
	switch {
	case c.Next.Reason == delivery.Unrenderable:
		return // nothing was sent, which says nothing of the receiver
	case c.Attempt.Success:
		v.ClearHealth(ep.ID)
	case c.Attempt.Trigger == delivery.Scheduled:
		health, _ := v.Health(ep.ID)
		health = health.Failed(ep.ID, c.Attempt.Message, c.Attempt.At)
		v.PutHealth(health)
		if d.cfg.Disable.GivesUp(health, v.Now()) {
			disable = DisabledByFailures
		}
	}
	if disable != "" && !ep.Disabled {
		next := *ep
		next.Disabled, next.DisabledReason, next.DisabledAt = true, disable, v.Now()
		next.UpdatedAt = v.Now()
		v.PutEndpoint(next)
		v.PutTask(store.Task{
			ID: v.NextID(), Org: cfg.App.Org, App: cfg.App.ID, Endpoint: ep.ID,
			Kind: store.TaskEndDeliveries, State: store.TaskRunning, Until: c.Attempt.ID,
		})
	}
	if disable != "" || ep.Disabled {
		c.Next = endIfPending(c.Next, delivery.EndpointDisabled)
	}
}

// The reasons of an endpoint that was disabled by what its receiver answered.
const (
	DisabledByReceiver = "receiver" // 410, or webhook-delivery: disable
	DisabledByFailures = "failing"  // see delivery.DisableRule
)

func endIfPending(row delivery.Delivery, reason delivery.Reason) delivery.Delivery {
	if row.State == delivery.Pending {
		return row.Fail(reason)
	}
	return row
}
