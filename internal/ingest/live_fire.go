package ingest

import (
	"context"
	"slices"
	"time"

	"github.com/callboard/callboard/internal/commit"
	"github.com/callboard/callboard/internal/id"
	"github.com/callboard/callboard/internal/live"
	"github.com/callboard/callboard/internal/store"
)

// Fire takes the next step of a row of live state that is due, in one commit with the
// messages that it causes. delay is how long after an end time spent is told. moved is
// false if there was nothing to do: another process was quicker, or is at it.
//
// Rows beside it are read first to learn what the unit must load; the unit then decides
// by what it loads itself, so that each step happens once however many processes try.
func (s *Service) Fire(ctx context.Context, row live.Row, delay time.Duration) (moved bool, err error) {
	org, known, err := s.orgOf(ctx, row.App)
	if err != nil {
		return false, err
	}
	if !known {
		return s.dropDue(ctx, row.Key)
	}
	within, ranged := live.NeedsRange(row)
	var beside []live.Row
	if ranged {
		if beside, err = s.cfg.Store.ObjectRange(ctx, within); err != nil {
			return false, err
		}
	}
	u := &commit.Unit{Keys: s.voiceKeys(byID(org, row.App), firedBy(row.Kind)), Size: fireSize(row, beside)}
	u.Keys.Objects = append([]live.Key{row.Key}, live.NeedsKeys(row, beside)...)
	u.Keys.Ranges = some(within, ranged)
	stepped := false
	u.Decide = func(v *commit.View) (_ id.ID, err error) {
		stepped, err = s.fire(v, u, row.Key, delay)
		return 0, err
	}
	if _, err := s.cfg.Submitter.Submit(ctx, u); err != nil {
		return false, err // the decision may still be running
	}
	return stepped, nil
}

// fireSize is about what a step writes: two messages for each row beside, each with the
// row and the event.
func fireSize(row live.Row, beside []live.Row) int {
	return rowBytes + len(row.Doc) + len(beside)*2*(len(row.Doc)+2*rowBytes)
}

// fire decides one step.
func (s *Service) fire(v *commit.View, u *commit.Unit, key live.Key, delay time.Duration) (moved bool, err error) {
	row, there := v.Object(key)
	if !there {
		return false, nil
	}
	cfg, ok := v.App(u.Keys.Apps[0])
	if !ok { // it was deleted just now
		v.DropObject(key)
		return true, nil
	}
	within, ranged := live.NeedsRange(row)
	if !slices.Equal(u.Keys.Ranges, some(within, ranged)) {
		return false, nil // another step was faster
	}
	var beside []live.Row
	if ranged {
		beside = v.Range(within)
	}
	if !foresaw(u, row, beside) {
		return false, nil
	}
	out := live.Fire(objects{v}, row, beside, v.Now(), delay)
	messages, err := s.voice(v, &cfg.App, u, out.Messages)
	if err != nil {
		return false, err
	}
	putLive(v, &out, subject{})
	forget(v, cfg.App, out.Forget)
	s.sayAll(v, cfg, messages)
	return !out.Unchanged, nil
}

// foresaw reports whether a unit has loaded the rows that a step asks for. Rows that came
// into the range since it was read may name others: such a step is taken another time.
func foresaw(u *commit.Unit, row live.Row, beside []live.Row) bool {
	named := make(map[live.Key]bool, len(u.Keys.Objects))
	for _, k := range u.Keys.Objects {
		named[k] = true
	}
	for _, k := range live.NeedsKeys(row, beside) {
		if !named[k] {
			return false
		}
	}
	return true
}

// some is a slice of a value, if there is one.
func some[T any](v T, there bool) []T {
	if !there {
		return nil
	}
	return []T{v}
}

// dropDue removes a row that is due and has no app any more: the app is being purged.
func (s *Service) dropDue(ctx context.Context, k live.Key) (dropped bool, err error) {
	there := false
	_, err = s.cfg.Submitter.Submit(ctx, &commit.Unit{
		Keys: commit.Keys{Objects: []live.Key{k}},
		Decide: func(v *commit.View) (id.ID, error) {
			if _, there = v.Object(k); there {
				v.DropObject(k)
			}
			return 0, nil
		},
	})
	if err != nil {
		return false, err // the decision may still be running
	}
	return there, nil
}

// firedBy names the types of the messages that a row which is due may cause.
func firedBy(kind live.Kind) []string {
	switch kind {
	case live.Event:
		return []string{"event.updated", "session.time_spent", "event.time_spent", "registration.attended", "registration.no_show"}
	case live.Conference:
		return []string{"conference.ended", "conference.participant.time_spent"}
	}
	return nil
}

// appOrg says whose an app is. That never changes.
type appOrg struct {
	app id.ID
	org string
}

// orgOf finds the org of an app; known is false if there is no such app. The last one is
// kept: the steps of one event follow each other.
func (s *Service) orgOf(ctx context.Context, app id.ID) (org string, known bool, err error) {
	if last := s.lastOrg.Load(); last != nil && last.app == app {
		return last.org, true, nil
	}
	ref, found := AppRef{Ref: store.Ref{ID: app}}, (*store.AppConfig)(nil)
	_, err = s.cfg.Submitter.Submit(ctx, &commit.Unit{
		Keys: commit.Keys{Apps: []AppRef{ref}},
		Decide: func(v *commit.View) (id.ID, error) {
			found, _ = v.App(ref)
			return 0, nil
		},
	})
	if err != nil {
		return "", false, err // the decision may still be running
	}
	if found == nil {
		return "", false, nil
	}
	s.lastOrg.Store(&appOrg{app, found.App.Org})
	return found.App.Org, true, nil
}
