package ingest

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/callboard/callboard/internal/commit"
	"github.com/callboard/callboard/internal/delivery"
	"github.com/callboard/callboard/internal/errs"
	"github.com/callboard/callboard/internal/id"
	"github.com/callboard/callboard/internal/settings"
	"github.com/callboard/callboard/internal/store"
)

// errUIDNotLoaded asks for the unit to be submitted again with one more key:
// only the decision knows which uid the change ends with.
var errUIDNotLoaded = errors.New("the changed uid was not loaded")

// CreateApp adds an app. If its uid is taken it is a conflict, or with
// getIfExists the app that has the uid.
func (s *Service) CreateApp(ctx context.Context, org string, key Key, app store.App, getIfExists bool) (Result, error) {
	if err := checkApp(&app); err != nil {
		return Result{}, err
	}
	app.Org = org
	existed := false
	u := &commit.Unit{
		Decide: func(v *commit.View) (id.ID, error) {
			existed = false
			if other, taken := v.App(byUID(org, app.UID)); taken && app.UID != "" {
				if !getIfExists {
					return 0, conflict("An application with this uid exists")
				}
				existed = true
				return other.App.ID, nil
			}
			if err := s.checkChoice(v, &app, nil); err != nil {
				return 0, err
			}
			return putNewApp(v, app), nil
		},
	}
	if narrows(&app) {
		u.Keys.Orgs = []string{org}
	}
	if app.UID != "" {
		u.Keys.Apps, u.Keys.ChangesConfig = []AppRef{byUID(org, app.UID)}, true
	}
	r, err := s.submit(ctx, org, key, u)
	if err == nil { // else the decision may still be running
		r.Existed = existed
	}
	return r, err
}

func byUID(org, uid string) AppRef { return AppRef{Org: org, Ref: store.Ref{UID: uid}} }

func putNewApp(v *commit.View, app store.App) id.ID {
	app.ID = v.NextID()
	app.CreatedAt, app.UpdatedAt = v.Now(), v.Now()
	v.PutApp(app)
	return app.ID
}

// UpdateApp changes an app through mutate, which may run several times. With
// orCreate an unknown uid is created.
func (s *Service) UpdateApp(ctx context.Context, ref AppRef, orCreate bool, mutate func(*store.App) error) (Result, error) {
	var want string // the uid after the change
	created := false
	keys := commit.Keys{Apps: []AppRef{ref}, Orgs: []string{ref.Org}, ChangesConfig: true}
	for {
		r, err := s.submit(ctx, ref.Org, Key{}, &commit.Unit{
			Keys: keys,
			Decide: func(v *commit.View) (id.ID, error) {
				created = false
				next := store.App{Org: ref.Org}
				cfg, found := v.App(ref)
				var before *store.App
				switch {
				case found:
					next, before = cfg.App, &cfg.App
				case orCreate && ref.UID != "":
					next.UID = ref.UID
					created = true
				default:
					return 0, errs.Missing()
				}
				if err := mutate(&next); err != nil {
					return 0, err
				}
				if err := checkApp(&next); err != nil {
					return 0, err
				}
				if err := s.checkChoice(v, &next, before); err != nil {
					return 0, err
				}
				if next.UID != "" && next.UID != ref.UID && (!found || next.UID != cfg.App.UID) {
					if next.UID != want {
						want = next.UID
						return 0, errUIDNotLoaded
					}
					if other, taken := v.App(byUID(ref.Org, want)); taken && other.App.ID != next.ID {
						return 0, conflict("An application with this uid exists")
					}
				}
				if created {
					return putNewApp(v, next), nil
				}
				next.UpdatedAt = v.Now()
				v.PutApp(next)
				return next.ID, nil
			},
		})
		if errors.Is(err, errUIDNotLoaded) {
			keys.Apps = []AppRef{ref, byUID(ref.Org, want)}
			continue
		}
		if err == nil { // else the decision may still be running
			r.Existed = !created
		}
		return r, err
	}
}

// DeleteApp takes an app out of sight at once; a task removes its rows.
func (s *Service) DeleteApp(ctx context.Context, ref AppRef) error {
	return s.changeApp(ctx, ref, func(v *commit.View, cfg *store.AppConfig) {
		app := cfg.App
		app.Deleted = true
		app.UpdatedAt = v.Now()
		v.PutApp(app)
		task := v.NextID()
		v.PutTask(store.Task{ID: task, Org: app.Org, App: app.ID, Kind: store.TaskPurgeApp, State: store.TaskRunning, Until: task})
	})
}

// ExpireTokens refuses the app's tokens that were issued before from.
func (s *Service) ExpireTokens(ctx context.Context, ref AppRef, from time.Time) error {
	return s.changeApp(ctx, ref, func(v *commit.View, cfg *store.AppConfig) {
		app := cfg.App
		app.TokensValidFrom = from
		v.PutApp(app)
	})
}

// UseOnce reports whether nobody has used a name before, on any node; from then on somebody has,
// also after a restart. The name is forgotten some time after until.
func (s *Service) UseOnce(ctx context.Context, name string, until time.Time) (first bool, err error) {
	u := &commit.Unit{Decide: func(*commit.View) (id.ID, error) { return 0, nil }}
	u.Seen = Key{Scope: "once", Value: name}.seen("", until.Add(-KeyLife))
	r, err := s.cfg.Submitter.Submit(ctx, u)
	return err == nil && !r.Replayed, err
}

// changeApp runs a change that cannot be refused on an existing app of the ref's
// org. What was read by the app's id before is checked by that, too.
func (s *Service) changeApp(ctx context.Context, ref AppRef, change func(*commit.View, *store.AppConfig)) error {
	_, err := s.submit(ctx, ref.Org, Key{}, &commit.Unit{
		Keys: commit.Keys{Apps: []AppRef{ref}, ChangesConfig: true},
		Decide: func(v *commit.View) (id.ID, error) {
			cfg, ok := v.App(ref)
			if !ok {
				return 0, errs.Missing()
			}
			change(v, cfg)
			return cfg.App.ID, nil
		},
	})
	return err
}

func checkApp(app *store.App) error {
	var p problems
	if app.Name == "" {
		p.add("must not be empty", "name")
	} else if len(app.Name) > maxText {
		p.add("is longer than 4096 characters", "name")
	}
	checkUID(app.UID, id.App, &p)
	checkThrottle(app.ThrottleRate, &p)
	checkMetadata(app.Metadata, &p)
	if !settings.ValidBase(app.ResourceURLBase) {
		p.add(settings.BadBase, "resourceUrlBase")
	}
	return p.err()
}

// narrows reports whether an app has a choice of dialects of its own.
func narrows(app *store.App) bool { return app.Dialects != nil || app.DefaultDialect != "" }

// checkChoice refuses a choice of dialects that the org does not allow, now that it is
// made. What the org takes away later does not keep the app from being changed.
func (s *Service) checkChoice(v *commit.View, app, before *store.App) error {
	if !narrows(app) || before != nil && before.DefaultDialect == app.DefaultDialect &&
		(before.Dialects == nil) == (app.Dialects == nil) && slices.Equal(before.Dialects, app.Dialects) {
		return nil
	}
	held, err := s.settings(v, app.Org)
	if err != nil {
		return err
	}
	return held.CheckNarrowed(app.Dialects, app.DefaultDialect)
}

// endDeliveries starts the task that ends what an endpoint still has to get.
func endDeliveries(v *commit.View, app store.App, ep *delivery.Endpoint) {
	task := v.NextID()
	v.PutTask(store.Task{
		ID: task, Org: app.Org, App: app.ID, Endpoint: ep.ID,
		Kind: store.TaskEndDeliveries, State: store.TaskRunning, Until: task,
	})
}
