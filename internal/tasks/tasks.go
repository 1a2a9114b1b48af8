// Package tasks runs long work in small steps: recovering an endpoint's failed
// deliveries, ending those of a disabled endpoint, removing a deleted app, forgetting a
// person.
//
// A task is a row with a cursor. Each step is a unit of the committer that
// changes a bounded number of rows and moves the cursor with them, so a crash
// neither repeats nor skips any, and other work commits in between.
package tasks

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/callboard/callboard/internal/commit"
	"github.com/callboard/callboard/internal/delivery"
	"github.com/callboard/callboard/internal/id"
	"github.com/callboard/callboard/internal/live"
	"github.com/callboard/callboard/internal/store"
)

// stepRows is how many rows one step changes at most.
const stepRows = 500

// Submitter commits steps; *commit.Committer is the one outside of tests.
type Submitter interface {
	Submit(ctx context.Context, u *commit.Unit) (commit.Result, error)
}

// Config is what a Runner is made of.
type Config struct {
	Store     Store         // required
	Submitter Submitter     // required
	Poll      time.Duration // between looks for new tasks; default 1 s
	Logger    *slog.Logger  // default slog.Default()
}

// Runner runs background tasks, one step of each in turn.
type Runner struct{ cfg Config }

// New makes a Runner.
func New(cfg Config) *Runner {
	if cfg.Poll == 0 {
		cfg.Poll = time.Second
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.Default()
	}
	return &Runner{cfg: cfg}
}

// Run runs tasks until ctx ends. A step that fails is tried again at the next
// look; it never ends Run.
func (r *Runner) Run(ctx context.Context) error {
	for ctx.Err() == nil {
		worked, err := r.round(ctx)
		if err != nil && ctx.Err() == nil {
			r.cfg.Logger.ErrorContext(ctx, "background task failed, it will be tried again", "error", err)
		}
		if worked && err == nil {
			continue
		}
		select {
		case <-ctx.Done():
		case <-time.After(r.cfg.Poll/2 + rand.N(r.cfg.Poll)):
		}
	}
	return nil
}

// round makes one step of every running task; worked is false if there is nothing to
// do at the moment. A task that fails holds up no other.
func (r *Runner) round(ctx context.Context) (worked bool, err error) {
	running, err := r.cfg.Store.RunningTasks(ctx)
	if err != nil {
		return false, err
	}
	var failed []error
	for _, t := range running {
		moved, err := r.step(ctx, t)
		if err != nil {
			failed = append(failed, fmt.Errorf("task %d of kind %d: %w", t.ID, t.Kind, err))
		}
		worked = worked || moved
		if ctx.Err() != nil {
			break
		}
	}
	return worked, errors.Join(failed...)
}

// step makes one step of a task; moved is false if it must wait for something.
func (r *Runner) step(ctx context.Context, t store.Task) (moved bool, err error) {
	switch t.Kind {
	case store.TaskRecover:
		return r.requeue(ctx, t)
	case store.TaskEndDeliveries:
		return r.end(ctx, t)
	case store.TaskPurgeApp:
		return r.purge(ctx, t)
	case store.TaskErase:
		return r.erase(ctx, t)
	}
	return r.submit(ctx, t, commit.Keys{}, func(v *commit.View, t store.Task) store.Task {
		t.State, t.Reason = store.TaskFailed, "this server does not know the kind of task"
		return t
	})
}

// keysOf names deliveries.
func keysOf(rows []delivery.Delivery) (keys commit.Keys) {
	for i := range rows {
		keys.Deliveries = append(keys.Deliveries, rows[i].Key)
	}
	return keys
}

// submit commits a step that reads the task, its app and what keys name: change runs
// on the task as it is now, if it still runs, and gives the task as it is afterwards. A
// task that has not moved is not written.
func (r *Runner) submit(ctx context.Context, t store.Task, keys commit.Keys, change func(*commit.View, store.Task) store.Task) (moved bool, err error) {
	keys.Tasks, keys.Apps = []id.ID{t.ID}, []commit.AppRef{{Ref: store.Ref{ID: t.App}}}
	moved = true
	_, err = r.cfg.Submitter.Submit(ctx, &commit.Unit{
		Keys: keys,
		Size: 64 * (len(keys.Deliveries) + len(keys.Objects) + 1),
		Decide: func(v *commit.View) (id.ID, error) {
			now, ok := v.Task(t.ID)
			if !ok || now.State != store.TaskRunning || now.Cursor != t.Cursor {
				return t.ID, nil // another step was faster
			}
			next := change(v, now)
			if moved = next != now; moved {
				v.PutTask(next)
			}
			return t.ID, nil
		},
	})
	return err == nil && moved, err
}

// over moves a task's cursor; 0 means that all is done.
func over(t store.Task, cursor id.ID) store.Task {
	if cursor == 0 {
		t.State = store.TaskFinished
		return t
	}
	t.Cursor = cursor
	return t
}

// after is where a task's next step begins, exclusive.
func after(t store.Task) id.ID {
	if t.Cursor == 0 && t.Since > 0 {
		return t.Since - 1
	}
	return t.Cursor
}

// requeue makes failed deliveries pending again. It stops when the endpoint is
// disabled or deleted meanwhile.
func (r *Runner) requeue(ctx context.Context, t store.Task) (moved bool, err error) {
	rows, cursor, err := r.cfg.Store.DeliveriesOf(ctx, t.Endpoint, after(t), t.Until, []delivery.State{delivery.Failed}, stepRows)
	if err != nil {
		return false, err
	}
	total, err := r.totalOf(ctx, t)
	if err != nil {
		return false, err
	}
	return r.submit(ctx, t, keysOf(rows), func(v *commit.View, t store.Task) store.Task {
		if t.Subject == "" {
			t.Subject = total
		}
		if !open(v, t) {
			t.State, t.Reason = store.TaskFailed, "the endpoint is disabled or deleted"
			return t
		}
		for _, row := range rows {
			if now, ok := v.Delivery(row.Key); ok && now.State == delivery.Failed && now.Reason != delivery.PayloadGone {
				v.Requeue(store.Requeue{Key: row.Key, At: v.Now(), Trigger: delivery.Manual})
				t.Done++
			}
		}
		return over(t, cursor)
	})
}

// Recovery is the subject of a task that recovers, written by its first step.
type Recovery struct {
	// Total is how many deliveries had failed when it began; nil = more than are counted.
	// Those whose payload is gone are among them, and are not sent again.
	Total *int64 `json:"total"`
}

// totalOf counts what a recovery is about, before it has changed anything.
func (r *Runner) totalOf(ctx context.Context, t store.Task) (subject string, err error) {
	if t.Subject != "" || t.Cursor != 0 {
		return t.Subject, nil
	}
	n, more, err := r.cfg.Store.CountFailed(ctx, t.App, t.Endpoint, t.Since, t.Until)
	if err != nil {
		return "", err
	}
	about := Recovery{Total: &n}
	if more {
		about.Total = nil
	}
	text, err := json.Marshal(about)
	return string(text), err
}

// open reports whether a task's endpoint can be sent to.
func open(v *commit.View, t store.Task) bool {
	cfg, ok := v.App(commit.AppRef{Ref: store.Ref{ID: t.App}})
	if !ok {
		return false
	}
	ep, ok := commit.FindEndpoint(cfg, store.Ref{ID: t.Endpoint})
	return ok && !ep.Disabled
}

// end fails what a disabled or deleted endpoint was still to get, of the messages
// from before that moment. It waits for deliveries that are under way, or lie with a
// process that may give them back or die: some of them will be pending once more.
func (r *Runner) end(ctx context.Context, t store.Task) (moved bool, err error) {
	unfinished := []delivery.State{delivery.Pending, delivery.Waiting, delivery.Leased}
	rows, cursor, err := r.cfg.Store.DeliveriesOf(ctx, t.Endpoint, after(t), t.Until, unfinished, stepRows)
	if err != nil {
		return false, err
	}
	return r.submit(ctx, t, keysOf(rows), func(v *commit.View, t store.Task) store.Task {
		reason := delivery.EndpointDisabled
		if cfg, ok := v.App(commit.AppRef{Ref: store.Ref{ID: t.App}}); !ok {
			reason = delivery.EndpointDeleted
		} else if _, ok := commit.FindEndpoint(cfg, store.Ref{ID: t.Endpoint}); !ok {
			reason = delivery.EndpointDeleted
		}
		held := false
		for _, row := range rows {
			now, ok := v.Delivery(row.Key)
			switch {
			case !ok || now.State.Finished():
			case now.State == delivery.Leased:
				held = true
			default:
				v.Finish(store.Finish{Key: row.Key, State: delivery.Failed, Reason: reason})
				t.Done++
			}
		}
		if held {
			return t // the cursor stays
		}
		return over(t, cursor)
	})
}

// purge removes a deleted app's messages with all that hangs on them, then what its
// sources received, the counts of its attempts, its live state, and then its own rows.
func (r *Runner) purge(ctx context.Context, t store.Task) (moved bool, err error) {
	drop, more, err := r.cfg.Store.MessageRange(ctx, t.App, after(t), t.Until, stepRows)
	if err != nil {
		return false, err
	}
	if !more {
		return r.purgeReceived(ctx, t)
	}
	return r.submit(ctx, t, commit.Keys{}, func(v *commit.View, t store.Task) store.Task {
		v.DropMessages(drop)
		t.Done += stepRows
		return over(t, drop.Until-1)
	})
}

// purgeReceived removes what a deleted app's sources received.
func (r *Runner) purgeReceived(ctx context.Context, t store.Task) (moved bool, err error) {
	received, err := r.cfg.Store.AppReceived(ctx, t.App, stepRows)
	if err != nil {
		return false, err
	}
	if len(received) == 0 {
		return r.purgeTraffic(ctx, t)
	}
	return purgeRows(ctx, r, t, received, (*commit.View).EraseReceived)
}

// purgeTraffic removes the counts of a deleted app's attempts.
func (r *Runner) purgeTraffic(ctx context.Context, t store.Task) (moved bool, err error) {
	keys, err := r.cfg.Store.AppTraffic(ctx, t.App, stepRows)
	if err != nil {
		return false, err
	}
	if len(keys) == 0 {
		return r.purgeObjects(ctx, t)
	}
	return purgeRows(ctx, r, t, keys, (*commit.View).EraseTraffic)
}

// purgeRows removes rows of a deleted app that nothing else changes. The cursor, which is a
// message, stays.
func purgeRows[K any](ctx context.Context, r *Runner, t store.Task, keys []K, erase func(*commit.View, K)) (moved bool, err error) {
	return r.submit(ctx, t, commit.Keys{}, func(v *commit.View, t store.Task) store.Task {
		for _, k := range keys {
			erase(v, k)
		}
		t.Done += int64(len(keys))
		return t
	})
}

// purgeObjects removes a deleted app's live state from its beginning on, and when
// nothing is left the app. The cursor, which is a message, stays.
func (r *Runner) purgeObjects(ctx context.Context, t store.Task) (moved bool, err error) {
	keys, err := r.cfg.Store.AppObjects(ctx, t.App, stepRows)
	if err != nil {
		return false, err
	}
	numbers, err := r.numbersOf(ctx, t, keys)
	if err != nil {
		return false, err
	}
	return r.submit(ctx, t, commit.Keys{Objects: slices.Concat(keys, numbers)}, func(v *commit.View, t store.Task) store.Task {
		if len(keys) == 0 {
			v.EraseApp(t.App)
			return over(t, 0)
		}
		for _, k := range numbers {
			row, taken := v.Object(k)
			if owner, _ := live.NumberedEvent(row); taken && owner.App == t.App {
				v.DropObject(k)
			}
		}
		for _, k := range keys {
			if _, there := v.Object(k); there {
				v.DropObject(k)
				t.Done++
			}
		}
		return t
	})
}

// numbersOf names the rows of numbers, which belong to the org, that some of an app's rows
// have taken.
func (r *Runner) numbersOf(ctx context.Context, t store.Task, keys []live.Key) (numbers []live.Key, err error) {
	for _, k := range keys {
		if k.Kind != live.Event && k.Kind != live.Sweep {
			continue
		}
		row, err := r.cfg.Store.Object(ctx, k)
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return nil, err
		}
		numbers = append(numbers, live.Numbers(t.Org, row)...)
	}
	return numbers, nil
}
