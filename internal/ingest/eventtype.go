package ingest

import (
	"context"

	"github.com/callboard/callboard/internal/commit"
	"github.com/callboard/callboard/internal/errs"
	"github.com/callboard/callboard/internal/id"
	"github.com/callboard/callboard/internal/store"
)

// CreateEventType declares an event type of an org. One that was archived comes
// back with the new description; one in use is a conflict.
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
// times. With orCreate an unknown name is declared.
func (s *Service) UpdateEventType(ctx context.Context, org, name string, orCreate bool, mutate func(*store.EventType) error) (Result, error) {
	existed := false
	r, err := s.changeEventType(ctx, org, name, func(v *commit.View, t store.EventType, found bool) error {
		existed = found
		if !found && !orCreate {
			return errs.Missing()
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
			return errs.Missing()
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

func (s *Service) changeEventType(ctx context.Context, org, name string, change func(*commit.View, store.EventType, bool) error) (Result, error) {
	k := commit.TypeKey{Org: org, Name: name}
	return s.submit(ctx, org, Key{}, &commit.Unit{
		Keys: commit.Keys{EventTypes: []commit.TypeKey{k}, ChangesConfig: true},
		Decide: func(v *commit.View) (id.ID, error) {
			t, found := v.EventType(k)
			if !found {
				t = store.EventType{Org: org, Name: name}
			}
			return 0, change(v, t, found)
		},
	})
}

// UpdateSettings changes an org's settings through mutate, which gets the stored
// document (nil if there is none), gives the next one and may run several times.
func (s *Service) UpdateSettings(ctx context.Context, org string, mutate func(doc []byte) ([]byte, error)) error {
	_, err := s.submit(ctx, org, Key{}, &commit.Unit{
		Keys: commit.Keys{Orgs: []string{org}, ChangesConfig: true},
		Decide: func(v *commit.View) (id.ID, error) {
			next := v.Settings(org)
			doc, err := mutate(next.Doc)
			if err != nil {
				return 0, err
			}
			next.Doc, next.UpdatedAt = doc, v.Now()
			v.PutSettings(next)
			return 0, nil
		},
	})
	return err
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
