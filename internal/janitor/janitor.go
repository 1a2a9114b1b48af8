// Package janitor removes what is no longer kept: messages past the retention
// with their deliveries and attempts, payloads past their own, requests that sources
// received, counts of attempts, dedupe keys past their promise.
//
// It works in small bounded pieces and rests between them, so that it yields to
// the queue. Everything it does can be interrupted at any point.
package janitor

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"time"

	"github.com/callboard/callboard/internal/commit"
	"github.com/callboard/callboard/internal/id"
	"github.com/callboard/callboard/internal/store"
)

const (
	// pieceRows is how many messages, requests or keys one piece removes at most.
	pieceRows = 1000
	// pieceRest is the pause between pieces, ± 50 %.
	pieceRest = 20 * time.Millisecond
)

// Submitter commits pieces; *commit.Committer is the one outside of tests.
type Submitter interface {
	Submit(ctx context.Context, u *commit.Unit) (commit.Result, error)
}

// Config is what a Janitor is made of.
type Config struct {
	Store     Store     // required
	Submitter Submitter // required
	// Retention is that of messages; default 90 days. What sources received is kept no
	// longer, and store.ReceivedFor at most.
	Retention time.Duration
	Every     time.Duration // between rounds; default 10 minutes
	Logger    *slog.Logger  // default slog.Default()
}

// Janitor cleans in rounds.
type Janitor struct{ cfg Config }

// New makes a Janitor.
func New(cfg Config) *Janitor {
	if cfg.Retention == 0 {
		cfg.Retention = 90 * 24 * time.Hour
	}
	if cfg.Every == 0 {
		cfg.Every = 10 * time.Minute
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.Default()
	}
	return &Janitor{cfg: cfg}
}

// Run cleans until ctx ends. A round that fails is reported and begun anew at its
// next time.
func (j *Janitor) Run(ctx context.Context) error {
	for {
		if err := j.Round(ctx, time.Now()); err != nil && ctx.Err() == nil {
			j.cfg.Logger.ErrorContext(ctx, "cleaning failed, it will be tried again", "error", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(j.cfg.Every/2 + rand.N(j.cfg.Every)):
		}
	}
}

// Round removes everything that is not kept at now.
func (j *Janitor) Round(ctx context.Context, now time.Time) error {
	return errors.Join(
		j.repeat(ctx, func() (bool, error) { return j.dropMessages(ctx, id.AtTime(now.Add(-j.cfg.Retention))) }),
		j.repeat(ctx, func() (bool, error) { return j.dropPayloads(ctx, now) }),
		j.repeat(ctx, func() (bool, error) {
			return j.eraseReceived(ctx, id.AtTime(now.Add(-min(j.cfg.Retention, store.ReceivedFor))))
		}),
		j.eraseTraffic(ctx, now),
		j.repeat(ctx, func() (bool, error) {
			n, err := j.cfg.Store.ForgetSeen(ctx, now, pieceRows)
			return n > 0, err
		}),
		j.cfg.Store.Shrink(ctx),
	)
}

// repeat does a piece of work until there is none left, with a rest in between.
func (j *Janitor) repeat(ctx context.Context, piece func() (more bool, err error)) error {
	for {
		more, err := piece()
		if err != nil || !more {
			return err
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(pieceRest/2 + rand.N(pieceRest)):
		}
	}
}

// dropMessages removes one range of messages that are older than before.
func (j *Janitor) dropMessages(ctx context.Context, before id.ID) (bool, error) {
	if before == 0 {
		return false, nil
	}
	old, ok, err := j.cfg.Store.MessageRange(ctx, 0, 0, before, pieceRows)
	if err != nil || !ok {
		return false, err
	}
	return true, j.submit(ctx, func(v *commit.View) { v.DropMessages(old) })
}

// dropPayloads removes payloads whose message asked for a shorter retention. A
// delivery that is still unfinished then ends as payload_gone at its next turn.
func (j *Janitor) dropPayloads(ctx context.Context, now time.Time) (bool, error) {
	gone, err := j.cfg.Store.ExpiredPayloads(ctx, now, pieceRows)
	if err != nil || len(gone) == 0 {
		return false, err
	}
	return true, j.submit(ctx, func(v *commit.View) {
		for _, m := range gone {
			v.DropPayload(m)
		}
	})
}

// eraseReceived removes received requests that are older than before.
func (j *Janitor) eraseReceived(ctx context.Context, before id.ID) (bool, error) {
	old, err := j.cfg.Store.OldReceived(ctx, before, pieceRows)
	if err != nil || len(old) == 0 {
		return false, err
	}
	return true, j.submit(ctx, func(v *commit.View) {
		for _, r := range old {
			v.EraseReceived(r)
		}
	})
}

// eraseTraffic removes counts of attempts from slots that have ended before what is kept.
func (j *Janitor) eraseTraffic(ctx context.Context, now time.Time) error {
	for _, w := range store.TrafficWidths() {
		keep := w.Keep
		if keep == 0 {
			keep = max(store.MinTrafficKeep, j.cfg.Retention)
		}
		err := j.repeat(ctx, func() (bool, error) {
			old, err := j.cfg.Store.OldTraffic(ctx, w.Width, now.Add(-keep-w.Width), pieceRows)
			if err != nil || len(old) == 0 {
				return false, err
			}
			return true, j.submit(ctx, func(v *commit.View) {
				for _, k := range old {
					v.EraseTraffic(k)
				}
			})
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (j *Janitor) submit(ctx context.Context, change func(*commit.View)) error {
	_, err := j.cfg.Submitter.Submit(ctx, &commit.Unit{
		Size: pieceRows * 64,
		Decide: func(v *commit.View) (id.ID, error) {
			change(v)
			return 0, nil
		},
	})
	return err
}
