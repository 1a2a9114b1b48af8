package ingest_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/callboard/callboard/internal/commit"
	"github.com/callboard/callboard/internal/dialect"
	"github.com/callboard/callboard/internal/dialect/native"
	"github.com/callboard/callboard/internal/errs"
	"github.com/callboard/callboard/internal/id"
	"github.com/callboard/callboard/internal/ingest"
	"github.com/callboard/callboard/internal/ingest/ingesttest"
	"github.com/callboard/callboard/internal/netguard"
	"github.com/callboard/callboard/internal/source"
	"github.com/callboard/callboard/internal/store"
	"github.com/callboard/callboard/internal/testenv"
	"github.com/callboard/callboard/signature"
)

// TestSourceLife follows a source from its making to its end.
func TestSourceLife(t *testing.T) {
	t.Parallel()
	ingesttest.Bubble(t, func(t *testing.T, e *ingesttest.Engine) {
		s, app, other := e.Service, e.App(), e.App()
		want := store.Source{Dialect: "raw", Description: "d", Channels: []string{"c"}, TypeField: "a.b", Auth: store.SourceAuth{Token: "t", TokenHeader: "x"}}
		made, err := s.CreateSource(t.Context(), app, ingest.Key{}, want)
		if err != nil {
			t.Fatal(err)
		}
		born := time.Now().Round(0).UTC()
		want.ID, want.App, want.Org, want.CreatedAt, want.UpdatedAt = made.ID, app.ID, ingesttest.Org, born, born
		check := func(when string) {
			t.Helper()
			got, err := e.Store.Source(t.Context(), made.ID)
			if err != nil {
				t.Fatalf("%s: %v", when, err)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", when, diff)
			}
		}
		check("made")

		testenv.Advance(time.Minute)
		rename := func(s *store.Source) error {
			s.Description = "renamed"
			return nil
		}
		if err := s.UpdateSource(t.Context(), app, made.ID, rename); err != nil {
			t.Fatal(err)
		}
		want.Description, want.UpdatedAt = "renamed", time.Now().Round(0).UTC()
		check("changed")

		testenv.Advance(time.Minute)
		wantKind(t, errs.Invalid, s.UpdateSource(t.Context(), app, made.ID, func(s *store.Source) error {
			s.Auth = store.SourceAuth{}
			return nil
		}))
		refusal := errors.New("no")
		if err := s.UpdateSource(t.Context(), app, made.ID, func(*store.Source) error { return refusal }); !errors.Is(err, refusal) {
			t.Errorf("error %v", err)
		}
		wantKind(t, errs.Invalid, s.RotateSource(t.Context(), app, made.ID, ingest.Key{}, ingest.NewProof{Secret: "s"}, time.Hour))
		check("refused")

		wantKind(t, errs.NotFound, s.UpdateSource(t.Context(), other, made.ID, rename))
		wantKind(t, errs.NotFound, s.DeleteSource(t.Context(), other, made.ID))
		wantKind(t, errs.NotFound, s.RotateSource(t.Context(), other, made.ID, ingest.Key{}, ingest.NewProof{Token: "s"}, time.Hour))
		check("asked for under another app")

		if err := s.DeleteSource(t.Context(), app, made.ID); err != nil {
			t.Fatal(err)
		}
		if _, err := e.Store.Source(t.Context(), made.ID); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("of one that was deleted: error %v", err)
		}
		wantKind(t, errs.NotFound, s.DeleteSource(t.Context(), app, made.ID))
		wantKind(t, errs.NotFound, s.UpdateSource(t.Context(), app, made.ID, rename))

		_, err = s.CreateSource(t.Context(), ingest.AppRef{Org: ingesttest.OtherOrg, Ref: app.Ref}, ingest.Key{}, want)
		wantKind(t, errs.NotFound, err)
		_, err = s.CreateSource(t.Context(), app, ingest.Key{}, store.Source{Dialect: "raw"})
		wantKind(t, errs.Invalid, err)
	})
}

// TestSourceGrace: what is replaced is accepted until its time has come, and what is
// accepted no more is forgotten.
func TestSourceGrace(t *testing.T) {
	t.Parallel()
	ingesttest.Bubble(t, func(t *testing.T, e *ingesttest.Engine) {
		app := e.App()
		made, err := e.Service.CreateSource(t.Context(), app, ingest.Key{}, store.Source{
			Dialect: "raw", Auth: store.SourceAuth{Secrets: []string{"a"}, SignatureHeader: "x-s", Encoding: "hex", Token: "1", TokenHeader: "x-t"},
		})
		if err != nil {
			t.Fatal(err)
		}
		rotate := func(proof ingest.NewProof, grace time.Duration) {
			t.Helper()
			if err := e.Service.RotateSource(t.Context(), app, made.ID, ingest.Key{}, proof, grace); err != nil {
				t.Fatal(err)
			}
		}
		accepts := func(secrets, tokens []string) {
			t.Helper()
			s, err := e.Store.Source(t.Context(), made.ID)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(secrets, source.Secrets(&s.Auth, time.Now())); diff != "" {
				t.Errorf("secrets (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tokens, source.Tokens(&s.Auth, time.Now())); diff != "" {
				t.Errorf("tokens (-want +got):\n%s", diff)
			}
		}
		rotate(ingest.NewProof{Secret: "b"}, time.Hour)
		rotate(ingest.NewProof{Token: "2"}, time.Minute)
		accepts([]string{"b", "a"}, []string{"2", "1"})
		testenv.Advance(time.Hour - time.Second)
		accepts([]string{"b", "a"}, []string{"2", "1"})
		testenv.Advance(time.Second)
		accepts([]string{"b"}, []string{"2"})
		rotate(ingest.NewProof{Secret: "b"}, time.Hour) // the same again is no rotation
		accepts([]string{"b"}, []string{"2"})
		for _, secret := range []string{"c", "d", "e", "f", "g", "h", "i", "j", "k"} {
			rotate(ingest.NewProof{Secret: secret}, time.Hour)
		}
		accepts([]string{"k", "j", "i", "h", "g", "f", "e", "d"}, []string{"2"})
		rotate(ingest.NewProof{Secret: "l"}, 0)
		accepts([]string{"l"}, []string{"2"})
		rotate(ingest.NewProof{Secret: "m"}, time.Second) // a grace period of before counts no more
		testenv.Advance(time.Second)
		accepts([]string{"m"}, []string{"2"})
	})
}

// TestSourceForgets: with any change what is accepted no more leaves the disk, and what still
// is stays on it.
func TestSourceForgets(t *testing.T) {
	t.Parallel()
	ingesttest.Bubble(t, func(t *testing.T, e *ingesttest.Engine) {
		app := e.App()
		made, err := e.Service.CreateSource(t.Context(), app, ingest.Key{}, store.Source{
			Dialect: "raw", Auth: store.SourceAuth{Secrets: []string{"a"}, SignatureHeader: "x-s", Encoding: "hex", Token: "1", TokenHeader: "x-t"},
		})
		if err != nil {
			t.Fatal(err)
		}
		for _, proof := range []ingest.NewProof{{Secret: "b"}, {Token: "2"}} {
			if err := e.Service.RotateSource(t.Context(), app, made.ID, ingest.Key{}, proof, time.Hour); err != nil {
				t.Fatal(err)
			}
		}
		until := time.Now().Add(time.Hour).Round(0).UTC()
		stored := func(want store.SourceAuth) {
			t.Helper()
			rename := func(s *store.Source) error {
				s.Description += "x"
				return nil
			}
			if err := e.Service.UpdateSource(t.Context(), app, made.ID, rename); err != nil {
				t.Fatal(err)
			}
			s, err := e.Store.Source(t.Context(), made.ID)
			if err != nil {
				t.Fatal(err)
			}
			want.SignatureHeader, want.Encoding, want.TokenHeader = "x-s", "hex", "x-t"
			if diff := cmp.Diff(want, s.Auth); diff != "" {
				t.Errorf("stored (-want +got):\n%s", diff)
			}
		}
		testenv.Advance(time.Hour - time.Second)
		stored(store.SourceAuth{Secrets: []string{"b", "a"}, Token: "1", NextToken: "2", OldUntil: until})
		testenv.Advance(time.Second)
		stored(store.SourceAuth{Secrets: []string{"b"}, Token: "2"})
	})
}

// TestSourceKeys: a public key is replaced as a secret is, with a grace period.
func TestSourceKeys(t *testing.T) {
	t.Parallel()
	ingesttest.Bubble(t, func(t *testing.T, e *ingesttest.Engine) {
		app := e.App()
		keys := make([]string, 11)
		for i := range keys {
			keys[i] = signature.GenerateSigningKey().Public().String()
		}
		made, err := e.Service.CreateSource(t.Context(), app, ingest.Key{}, store.Source{Dialect: "raw", Auth: store.SourceAuth{Key: keys[0]}})
		if err != nil {
			t.Fatal(err)
		}
		rotate := func(key string, grace time.Duration) error {
			return e.Service.RotateSource(t.Context(), app, made.ID, ingest.Key{}, ingest.NewProof{Key: key}, grace)
		}
		accepts := func(want ...string) {
			t.Helper()
			s, err := e.Store.Source(t.Context(), made.ID)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, source.Keys(&s.Auth, time.Now())); diff != "" {
				t.Errorf("keys (-want +got):\n%s", diff)
			}
		}
		must := func(err error) {
			t.Helper()
			if err != nil {
				t.Fatal(err)
			}
		}
		must(rotate(keys[1], time.Hour))
		accepts(keys[1], keys[0])
		wantKind(t, errs.Invalid, rotate("whpk_no", time.Hour))
		testenv.Advance(time.Hour - time.Second)
		accepts(keys[1], keys[0])
		testenv.Advance(time.Second)
		accepts(keys[1])
		for _, key := range keys[2:] {
			must(rotate(key, time.Hour))
		}
		must(rotate(keys[10], time.Hour)) // the same again is no rotation
		accepts(keys[10], keys[9], keys[8], keys[7], keys[6], keys[5], keys[4], keys[3])
		must(rotate(keys[0], 0))
		accepts(keys[0])
		wantKind(t, errs.Invalid, e.Service.RotateSource(t.Context(), app, made.ID, ingest.Key{}, ingest.NewProof{Key: keys[1], Secret: "s"}, time.Hour))
		wantKind(t, errs.Invalid, e.Service.RotateSource(t.Context(), app, made.ID, ingest.Key{}, ingest.NewProof{}, time.Hour))
		must(rotate(keys[1], time.Hour))
		testenv.Advance(time.Hour)
		must(e.Service.UpdateSource(t.Context(), app, made.ID, func(*store.Source) error { return nil }))
		s, err := e.Store.Source(t.Context(), made.ID)
		must(err)
		if diff := cmp.Diff(store.SourceAuth{Key: keys[1]}, s.Auth); diff != "" {
			t.Errorf("stored (-want +got):\n%s", diff)
		}
	})
}

// TestReplayDefect: a parser that panics is the request's own trouble, and nothing of the
// body is told.
func TestReplayDefect(t *testing.T) {
	t.Parallel()
	e := ingesttest.New(t)
	app := e.App()
	service, err := ingest.New(ingest.Config{
		Submitter: e.Committer, Store: e.Store, Dialects: dialect.NewSet(native.Dialect{}, defective{}), Guard: netguard.New(netguard.Policy{}),
	})
	if err != nil {
		t.Fatal(err)
	}
	made, err := service.CreateSource(t.Context(), app, ingest.Key{}, store.Source{Dialect: "defective", Auth: store.SourceAuth{Unverified: true}})
	if err != nil {
		t.Fatal(err)
	}
	doc := ingest.ReceivedDoc{}
	rcv, err := service.Refuse(t.Context(), store.Received{Source: made.ID, Status: store.Unreadable, Doc: doc.JSON(), Body: []byte("private")})
	if err != nil {
		t.Fatal(err)
	}
	_, err = service.Replay(t.Context(), app, made.ID, rcv, ingest.Key{})
	wantKind(t, errs.Invalid, err)
	if e, ok := errors.AsType[*errs.Error](err); !ok || len(e.Fields) != 1 || !strings.HasSuffix(e.Fields[0].Msg, "the parser of defective has a defect") {
		t.Errorf("error %+v", err)
	}
}

// defective is a dialect whose parser panics with the body.
type defective struct{ native.Dialect }

func (defective) Name() string { return "defective" }

func (defective) Parse(r dialect.Request) (dialect.Activity, error) { panic(string(r.Body)) }

// TestReplayElsewhere: a request is found under its own app and source alone.
func TestReplayElsewhere(t *testing.T) {
	t.Parallel()
	e := ingesttest.New(t)
	app, other := e.App(), e.App()
	var sources [2]id.ID
	for i := range sources {
		made, err := e.Service.CreateSource(t.Context(), app, ingest.Key{}, store.Source{Dialect: "raw", Auth: store.SourceAuth{Unverified: true}})
		if err != nil {
			t.Fatal(err)
		}
		sources[i] = made.ID
	}
	doc := ingest.ReceivedDoc{}
	keep := func(body []byte) id.ID {
		t.Helper()
		rcv, err := e.Service.Refuse(t.Context(), store.Received{Source: sources[0], Status: store.Refused, Doc: doc.JSON(), Body: body})
		if err != nil {
			t.Fatal(err)
		}
		return rcv
	}
	kept, bare := keep([]byte(`{"a":1}`)), keep(nil)
	replay := func(ctx context.Context, app ingest.AppRef, src, rcv id.ID) error {
		_, err := e.Service.Replay(ctx, app, src, rcv, ingest.Key{})
		return err
	}
	wantKind(t, errs.NotFound, replay(t.Context(), other, sources[0], kept))
	wantKind(t, errs.NotFound, replay(t.Context(), app, sources[1], kept))
	wantKind(t, errs.NotFound, replay(t.Context(), app, sources[0], kept+1<<40))
	wantKind(t, errs.NotFound, replay(t.Context(), ingest.AppRef{Org: ingesttest.OtherOrg, Ref: store.Ref{ID: app.ID}}, sources[0], kept))
	wantKind(t, errs.Conflict, replay(t.Context(), app, sources[0], bare))
	if err := replay(t.Context(), app, sources[0], kept); err != nil {
		t.Error(err)
	}
	e.Decide(commit.Keys{Sources: sources[:1]}, func(v *commit.View) {
		s, _ := v.Source(sources[0])
		s.Deleted = true
		v.PutSource(s)
	})
	wantKind(t, errs.NotFound, replay(t.Context(), app, sources[0], kept))
}
