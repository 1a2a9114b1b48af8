package ingest_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/callboard/callboard/internal/errs"
	"github.com/callboard/callboard/internal/ingest"
	"github.com/callboard/callboard/internal/ingest/ingesttest"
	"github.com/callboard/callboard/internal/store"
	"github.com/callboard/callboard/internal/testenv"
)

// TestEventTypeLife follows an event type from its declaration to its end.
func TestEventTypeLife(t *testing.T) {
	t.Parallel()
	ingesttest.Bubble(t, func(t *testing.T, e *ingesttest.Engine) {
		s, org := e.Service, ingesttest.Org
		declare := func(description string) error {
			_, err := s.CreateEventType(t.Context(), ingest.Key{}, store.EventType{Org: org, Name: "a.b", Description: description})
			return err
		}
		describe := func(orCreate bool, description string) (ingest.Result, error) {
			return s.UpdateEventType(t.Context(), org, "a.b", orCreate, func(k *store.EventType) error {
				k.Description = description
				return nil
			})
		}
		check := func(when, description string, archived bool, created, updated time.Time) {
			t.Helper()
			got, err := e.Store.EventType(t.Context(), org, "a.b")
			if err != nil {
				t.Fatalf("%s: %v", when, err)
			}
			want := store.EventType{Org: org, Name: "a.b", Description: description, Archived: archived, CreatedAt: created.UTC(), UpdatedAt: updated.UTC()}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", when, diff)
			}
		}
		_, err := describe(false, "nothing there")
		wantKind(t, errs.NotFound, err)
		wantKind(t, errs.NotFound, s.DeleteEventType(t.Context(), org, "a.b", false))

		born := time.Now().Round(0)
		if err := declare("one"); err != nil {
			t.Fatal(err)
		}
		check("declared", "one", false, born, born)
		wantKind(t, errs.Conflict, declare("again"))
		testenv.Advance(time.Minute)
		if r, err := describe(true, "two"); err != nil || !r.Existed {
			t.Errorf("a change gave %+v, %v", r, err)
		}
		check("changed", "two", false, born, time.Now().Round(0))
		if err := s.DeleteEventType(t.Context(), org, "a.b", false); err != nil {
			t.Fatal(err)
		}
		check("archived", "two", true, born, time.Now().Round(0))
		testenv.Advance(time.Minute)
		if err := declare("three"); err != nil {
			t.Error("an archived type cannot be declared again:", err)
		}
		check("declared again", "three", false, born, time.Now().Round(0))
		if err := s.DeleteEventType(t.Context(), org, "a.b", true); err != nil {
			t.Fatal(err)
		}
		if _, err := e.Store.EventType(t.Context(), org, "a.b"); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("an expunged type is still there: %v", err)
		}
		if r, err := describe(true, "four"); err != nil || r.Existed {
			t.Errorf("a put of a new one gave %+v, %v", r, err)
		}
		check("put", "four", false, time.Now().Round(0), time.Now().Round(0))
		wantKind(t, errs.NotFound, s.DeleteEventType(t.Context(), ingesttest.OtherOrg, "a.b", true))
	})
}

// TestUpdateSettings hands the stored document on from one change to the next.
func TestUpdateSettings(t *testing.T) {
	t.Parallel()
	e := ingesttest.New(t)
	update := func(next string, refusal error) (before []byte, err error) {
		err = e.Service.UpdateSettings(t.Context(), ingesttest.Org, func(doc []byte) ([]byte, error) {
			before = doc
			return []byte(next), refusal
		})
		return before, err
	}
	refusal := errors.New("refused by mutate")
	for _, step := range []struct {
		next    string
		refusal error
		before  []byte
	}{{`{"n":1}`, nil, nil}, {`{"n":2}`, refusal, []byte(`{"n":1}`)}, {`{"n":3}`, nil, []byte(`{"n":1}`)}, {`{}`, nil, []byte(`{"n":3}`)}} {
		before, err := update(step.next, step.refusal)
		if !errors.Is(err, step.refusal) {
			t.Errorf("error %v, want %v", err, step.refusal)
		}
		if diff := cmp.Diff(step.before, before); diff != "" {
			t.Errorf("before %s (-want +got):\n%s", step.next, diff)
		}
	}
	if succeeded, failed := atOnce(8, func(int) error { _, err := update(`{"n":4}`, nil); return err }); succeeded != 8 {
		t.Errorf("changes at once failed: %v", failed)
	}
}
