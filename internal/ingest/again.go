package ingest

import (
	"context"
	"time"

	"github.com/callboard/callboard/internal/commit"
	"github.com/callboard/callboard/internal/delivery"
	"github.com/callboard/callboard/internal/errs"
	"github.com/callboard/callboard/internal/id"
	"github.com/callboard/callboard/internal/store"
)

// Resend delivers a message to an endpoint once more, whether it succeeded,
// failed or is still being tried; an endpoint that did not hear it the first time
// gets it now. It starts at once, outside of any order, with the whole retry
// schedule before it.
func (s *Service) Resend(ctx context.Context, app AppRef, message, endpoint store.Ref, key Key) error {
	m, err := s.findMessage(ctx, app, message)
	if err != nil {
		return err
	}
	ep, err := s.findEndpoint(ctx, app, endpoint)
	if err != nil {
		return err
	}
	what := delivery.Key{Message: m.ID, Endpoint: ep.ID}
	_, err = s.submit(ctx, owner(app), key, &commit.Unit{
		Keys: commit.Keys{Apps: []AppRef{app}, Messages: []id.ID{m.ID}, Deliveries: []delivery.Key{what}},
		Decide: func(v *commit.View) (id.ID, error) {
			return m.ID, s.resend(v, app, what)
		},
	})
	return err
}

func (s *Service) resend(v *commit.View, app AppRef, what delivery.Key) error {
	cfg, ep, err := endpointOf(v, app, store.Ref{ID: what.Endpoint})
	if err != nil {
		return err
	}
	m, ok := v.Message(what.Message)
	switch {
	case !ok || m.App != cfg.App.ID:
		return errs.Missing()
	case m.Payload == nil:
		return conflict("The message's payload is no longer stored")
	case ep.Disabled:
		return conflict("The endpoint is disabled")
	case !s.says(ep, &m):
		return conflict("The endpoint's dialect cannot say this event type")
	}
	if _, known := v.Delivery(what); !known {
		v.AddDelivery(delivery.Delivery{
			Key: what, App: cfg.App.ID, State: delivery.Pending, Trigger: delivery.Manual, NextAt: v.Now(),
		}, 0)
		return nil
	}
	v.Requeue(store.Requeue{Key: what, At: v.Now(), Trigger: delivery.Manual})
	return nil
}

// Recover starts a task that delivers again what failed for an endpoint, of the
// messages between since and until; a zero until means now.
func (s *Service) Recover(ctx context.Context, app AppRef, endpoint store.Ref, key Key, since, until time.Time) (Result, error) {
	now := time.Now()
	if since.IsZero() || since.After(now) {
		return Result{}, errs.InvalidField("must be a time in the past", "body", "since")
	}
	if !until.IsZero() && !until.After(since) {
		return Result{}, errs.InvalidField("must be later than since", "body", "until")
	}
	return s.submit(ctx, owner(app), key, &commit.Unit{
		Keys: commit.Keys{Apps: []AppRef{app}},
		Decide: func(v *commit.View) (id.ID, error) {
			cfg, ep, err := endpointOf(v, app, endpoint)
			switch {
			case err != nil:
				return 0, err
			case ep.Disabled:
				return 0, conflict("The endpoint is disabled; enable it before recovering")
			}
			task := store.Task{
				ID: v.NextID(), Org: cfg.App.Org, App: cfg.App.ID, Endpoint: ep.ID,
				Kind: store.TaskRecover, State: store.TaskRunning, Since: id.AtTime(since),
			}
			task.Until = task.ID
			if !until.IsZero() {
				task.Until = min(task.ID, id.AtTime(until))
			}
			v.PutTask(task)
			return task.ID, nil
		},
	})
}
