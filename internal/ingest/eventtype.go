package ingest

import (
	"context"

	"github.com/callboard/callboard/internal/commit"
	"github.com/callboard/callboard/internal/errs"
	"github.com/callboard/callboard/internal/id"
	"github.com/callboard/callboard/internal/store"
)

// CreateEventType declares an event type of an org. One that was archived comes
// back with the new description; one in use is a conflict. A name of the catalogue's
// is free to take: the type is then the org's own, whatever its payload.
func (s *Service) CreateEventType(ctx context.Context, key Key, t store.EventType) (Result, error) {
	if err := checkEventType(&t); err != nil {
		return Result{}, err
	}
	k := commit.TypeKey{Org: t.Org, Name: t.Name}
	return s.submit(ctx, t.Org, key, &commit.Unit{
		Keys: commit.Keys{EventTypes: []commit.TypeKey{k}, ChangesConfig: true},
		Decide: func(v *commit.View) (id.ID, error) {
			before, found := v.EventType(k)
			if found && !before.Archived {
				return 0, conflict("An event type with this name exists")
			}
			next := t
			next.CreatedAt, next.UpdatedAt = v.Now(), v.Now()
			if found {
				next.CreatedAt = before.CreatedAt
			}
			v.PutEventType(next)
			return 0, nil
		},
	})
}

// UpdateEventType changes an event type through mutate, which may run several
// times. With orCreate an unknown name is declared; else one of the catalogue's is a
// conflict.
func (s *Service) UpdateEventType(ctx context.Context, org, name string, orCreate bool, mutate func(*store.EventType) error) (Result, error) {
	existed := false
	r, err := s.changeEventType(ctx, org, name, func(v *commit.View, t store.EventType, found bool) error {
		existed = found
		if !found && !orCreate {
			return s.noOwnType(v, org, name)
		}
		if err := mutate(&t); err != nil {
			return err
		}
		if err := checkEventType(&t); err != nil {
			return err
		}
		if !found {
			t.CreatedAt = v.Now()
		}
		t.UpdatedAt = v.Now()
		v.PutEventType(t)
		return nil
	})
	if err == nil { // else the decision may still be running
		r.Existed = existed
	}
	return r, err
}

// DeleteEventType archives an event type: it is no longer offered and can still
// be read. With expunge it is gone.
func (s *Service) DeleteEventType(ctx context.Context, org, name string, expunge bool) error {
	_, err := s.changeEventType(ctx, org, name, func(v *commit.View, t store.EventType, found bool) error {
		if !found {
			return s.noOwnType(v, org, name)
		}
		if expunge {
			v.EraseEventType(t)
			return nil
		}
		t.Archived, t.UpdatedAt = true, v.Now()
		v.PutEventType(t)
		return nil
	})
	return err
}

// noOwnType is the answer to a change of an event type that the org has not declared:
// it is missing, or it is the catalogue's, which nobody changes.
func (s *Service) noOwnType(v *commit.View, org, name string) error {
	if s.cfg.Catalog == nil {
		return errs.Missing()
	}
	if _, listed := s.cfg.Catalog.Get(name); !listed {
		return errs.Missing() // as it is for those who read it
	}
	held, err := s.settings(v, org)
	if err != nil {
		return err
	}
	if s.lexicon.Offers(name, &held) {
		return conflict("This event type is the catalogue's and cannot be changed: declare your own of that name with " +
			"POST or PUT, or choose with the setting catalog what is offered")
	}
	return errs.Missing()
}

func (s *Service) changeEventType(ctx context.Context, org, name string, change func(*commit.View, store.EventType, bool) error) (Result, error) {
	k := commit.TypeKey{Org: org, Name: name}
	return s.submit(ctx, org, Key{}, &commit.Unit{
		Keys: commit.Keys{Orgs: []string{org}, EventTypes: []commit.TypeKey{k}, ChangesConfig: true},
		Decide: func(v *commit.View) (id.ID, error) {
			t, found := v.EventType(k)
			if !found {
				t = store.EventType{Org: org, Name: name}
			}
			return 0, change(v, t, found)
		},
	})
}

func checkEventType(t *store.EventType) error {
	var p problems
	if !word(t.Name, maxWord) {
		p.add("must be 1 to 256 characters of A-Z a-z 0-9 - _ .", "name")
	}
	if len(t.Description) > maxText {
		p.add("is longer than 4096 characters", "description")
	}
	if t.GroupName != "" && !word(t.GroupName, maxWord) {
		p.add("must be 1 to 256 characters of A-Z a-z 0-9 - _ .", "groupName")
	}
	return p.err()
}
