package ingest_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/callboard/callboard/internal/commit"
	"github.com/callboard/callboard/internal/delivery"
	"github.com/callboard/callboard/internal/errs"
	"github.com/callboard/callboard/internal/id"
	"github.com/callboard/callboard/internal/ingest"
	"github.com/callboard/callboard/internal/ingest/ingesttest"
	"github.com/callboard/callboard/internal/store"
	"github.com/callboard/callboard/internal/testenv"
	"github.com/callboard/callboard/signature"
)

// endpoint reads an endpoint, deleted ones included.
func endpoint(t *testing.T, e *ingesttest.Engine, ep id.ID) delivery.Endpoint {
	t.Helper()
	got, _, err := e.Store.Endpoint(t.Context(), ep)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// with gives a new endpoint a uid.
func with(uid string) func(*delivery.Endpoint) {
	return func(ep *delivery.Endpoint) { ep.UID = uid }
}

func TestCreateEndpoint(t *testing.T) {
	t.Parallel()
	e := ingesttest.New(t)
	app := e.App()
	ep := endpoint(t, e, e.Endpoint(app, with("a")))
	if ep.App != app.ID || ep.UID != "a" || ep.CreatedAt.IsZero() || !ep.UpdatedAt.Equal(ep.CreatedAt) {
		t.Errorf("the endpoint is %+v", ep)
	}
	if len(ep.Secrets) != 1 || !ep.Secrets[0].Expires.IsZero() {
		t.Fatalf("the secrets are %+v, want a lasting one", ep.Secrets)
	}
	if _, err := signature.ParseKey(ep.Secrets[0].Value); err != nil {
		t.Error("the secret that was made cannot sign:", err)
	}
	_, err := e.Service.CreateEndpoint(t.Context(), app, ingest.Key{}, delivery.Endpoint{URL: "https://example.com", UID: "a"})
	wantKind(t, errs.Conflict, err)
	for _, other := range []struct {
		app ingest.AppRef
		uid string
	}{{app, "A"}, {app, ""}, {app, ""}, {e.App(), "a"}} {
		if _, err := e.Service.CreateEndpoint(t.Context(), other.app, ingest.Key{}, delivery.Endpoint{URL: "https://example.com", UID: other.uid}); err != nil {
			t.Errorf("another endpoint with the uid %q: %v", other.uid, err)
		}
	}
}

// TestUpsertEndpoint puts an endpoint under a uid twice: the first time makes it, the second keeps its secret.
func TestUpsertEndpoint(t *testing.T) {
	t.Parallel()
	e := ingesttest.New(t)
	app := e.App()
	put := func(ref store.Ref, url string) (ingest.Result, error) {
		return e.Service.UpdateEndpoint(t.Context(), app, ref, true, func(ep *delivery.Endpoint) error {
			ep.URL = url
			return nil
		})
	}
	made, err := put(store.Ref{UID: "a"}, "https://one.example.com")
	if err != nil || made.Existed {
		t.Fatalf("the first put gave %+v, %v", made, err)
	}
	secrets := endpoint(t, e, made.ID).Secrets
	changed, err := put(store.Ref{UID: "a"}, "https://two.example.com")
	if diff := cmp.Diff(ingest.Result{ID: made.ID, Existed: true}, changed); diff != "" || err != nil {
		t.Errorf("the second put: %v (-want +got):\n%s", err, diff)
	}
	got := endpoint(t, e, made.ID)
	if diff := cmp.Diff(secrets, got.Secrets); diff != "" || got.URL != "https://two.example.com" {
		t.Errorf("the URL is %s, the secrets (-first +second):\n%s", got.URL, diff)
	}
	_, err = put(store.Ref{ID: 12345}, "https://one.example.com")
	wantKind(t, errs.NotFound, err)
	_, err = put(store.Ref{UID: "b"}, "no URL")
	wantKind(t, errs.Invalid, err)
	refusal := errors.New("refused by mutate")
	_, err = e.Service.UpdateEndpoint(t.Context(), app, store.Ref{UID: "a"}, true, func(*delivery.Endpoint) error { return refusal })
	if !errors.Is(err, refusal) {
		t.Errorf("error %v, want that of mutate", err)
	}
}

func TestRenameEndpoint(t *testing.T) {
	t.Parallel()
	e := ingesttest.New(t)
	app := e.App()
	a, b := e.Endpoint(app, with("a")), e.Endpoint(app, with("b"))
	rename := func(who store.Ref, uid string) error {
		_, err := e.Service.UpdateEndpoint(t.Context(), app, who, false, func(ep *delivery.Endpoint) error {
			ep.UID = uid
			return nil
		})
		return err
	}
	wantKind(t, errs.Conflict, rename(store.Ref{ID: a}, "b"))
	wantKind(t, errs.NotFound, rename(store.Ref{UID: "c"}, "d"))
	for _, step := range []struct {
		who store.Ref
		uid string
	}{{store.Ref{ID: a}, "a"}, {store.Ref{ID: b}, "c"}, {store.Ref{UID: "a"}, "b"}, {store.Ref{ID: b}, "a"}, {store.Ref{ID: a}, ""}} {
		if err := rename(step.who, step.uid); err != nil {
			t.Fatalf("renaming %+v to %q: %v", step.who, step.uid, err)
		}
	}
	if err := e.Service.DeleteEndpoint(t.Context(), app, store.Ref{UID: "a"}); err != nil {
		t.Fatal(err)
	}
	if err := rename(store.Ref{ID: a}, "a"); err != nil {
		t.Error("the uid of a deleted endpoint is not free:", err)
	}
}

// TestHandOverInOneBatch lets an endpoint take the uid that a younger one gives up in the same transaction.
func TestHandOverInOneBatch(t *testing.T) {
	t.Parallel()
	ingesttest.Bubble(t, func(t *testing.T, e *ingesttest.Engine) {
		app := e.App()
		old, young := e.Endpoint(app, with("a")), e.Endpoint(app, with("b"))
		release := hold(e)
		var results sync.WaitGroup
		for _, step := range []struct {
			who id.ID
			uid string
		}{{old, "a"}, {young, "c"}, {old, "b"}, {young, "a"}} {
			results.Go(func() { e.Change(app, step.who, with(step.uid)) })
			synctest.Wait() // it is in the queue
		}
		release()
		results.Wait()
		if diff := cmp.Diff([]string{"b", "a"}, []string{endpoint(t, e, old).UID, endpoint(t, e, young).UID}); diff != "" {
			t.Errorf("uids (-want +got):\n%s", diff)
		}
	})
}

// TestDisabling follows an endpoint through being disabled, enabled and deleted, with what each change brings.
func TestDisabling(t *testing.T) {
	t.Parallel()
	ingesttest.Bubble(t, func(t *testing.T, e *ingesttest.Engine) {
		app := e.App()
		ep := e.Endpoint(app)
		e.Decide(commit.Keys{Healths: []id.ID{ep}}, func(v *commit.View) {
			v.PutHealth(store.Health{Endpoint: ep, Failures: 3, FirstMessage: 1})
		})
		check := func(when string, disabled bool, reason string, since time.Time, failures, tasks int) {
			t.Helper()
			got := endpoint(t, e, ep)
			if got.Disabled != disabled || got.DisabledReason != reason || !got.DisabledAt.Equal(since) {
				t.Errorf("%s: disabled %t, %q since %v", when, got.Disabled, got.DisabledReason, got.DisabledAt)
			}
			health, err := e.Store.Health(t.Context(), ep)
			if err != nil && !errors.Is(err, store.ErrNotFound) {
				t.Fatal(err)
			}
			if health.Failures != failures {
				t.Errorf("%s: %d failures, want %d", when, health.Failures, failures)
			}
			all := e.Tasks()
			if len(all) != tasks {
				t.Errorf("%s: %d tasks, want %d", when, len(all), tasks)
			}
			for _, task := range all {
				if task.Kind != store.TaskEndDeliveries || task.Endpoint != ep || task.App != app.ID || task.Org != app.Org {
					t.Errorf("%s: the task %+v", when, task)
				}
			}
		}
		disable := func(disabled bool) func(*delivery.Endpoint) {
			return func(p *delivery.Endpoint) { p.Disabled = disabled }
		}
		none := time.Time{}
		check("at first", false, "", none, 3, 0)
		e.Change(app, ep, func(p *delivery.Endpoint) { p.Description = "d" })
		check("edited", false, "", none, 3, 0)
		first := time.Now()
		e.Change(app, ep, disable(true))
		check("disabled", true, ingest.DisabledByAPI, first, 0, 1)
		testenv.Advance(time.Minute)
		e.Change(app, ep, disable(true))
		check("disabled again", true, ingest.DisabledByAPI, first, 0, 1)
		e.Change(app, ep, disable(false))
		check("enabled", false, "", none, 0, 1)
		if err := e.Service.DeleteEndpoint(t.Context(), app, store.Ref{ID: ep}); err != nil {
			t.Fatal(err)
		}
		check("deleted", false, "", none, 0, 2)
		wantKind(t, errs.NotFound, e.Service.DeleteEndpoint(t.Context(), app, store.Ref{ID: ep}))

		born := e.Endpoint(app, disable(true))
		if got := endpoint(t, e, born); got.DisabledReason != ingest.DisabledByAPI || got.DisabledAt.IsZero() {
			t.Errorf("an endpoint that is made disabled is %+v", got)
		}
	})
}

// TestDialectKeepsItsRules changes an endpoint's dialect: its filter must fit the new one.
func TestDialectKeepsItsRules(t *testing.T) {
	t.Parallel()
	e := ingesttest.New(t)
	app := e.App()
	ep := e.Endpoint(app, func(p *delivery.Endpoint) { p.FilterTypes = []string{"a.b"} })
	_, err := e.Service.UpdateEndpoint(t.Context(), app, store.Ref{ID: ep}, false, func(p *delivery.Endpoint) error {
		p.Dialect = ingesttest.Terse
		return nil
	})
	if diff := cmp.Diff([]string{"body.filterTypes.0"}, fields(t, err)); diff != "" {
		t.Errorf("complaints (-want +got):\n%s", diff)
	}
}

// TestRotation asks at many moments which secrets sign.
func TestRotation(t *testing.T) {
	t.Parallel()
	ingesttest.Bubble(t, func(t *testing.T, e *ingesttest.Engine) {
		s := make([]string, 12)
		for i := range s {
			s[i] = signature.GenerateSecret().Reveal()
		}
		app := e.App()
		ep := e.Endpoint(app, func(p *delivery.Endpoint) { p.Secrets = []delivery.Secret{{Value: s[0]}} })
		rotate := func(secret string, grace time.Duration) {
			t.Helper()
			if err := e.Service.RotateSecret(t.Context(), app, store.Ref{ID: ep}, ingest.Key{}, secret, grace); err != nil {
				t.Fatal(err)
			}
		}
		sign := func(when string, want ...string) {
			t.Helper()
			got := endpoint(t, e, ep)
			if diff := cmp.Diff(want, got.ActiveSecrets(time.Now())); diff != "" {
				t.Errorf("%s: what signs (-want +got):\n%s", when, diff)
			}
		}
		rotate(s[1], time.Hour)
		sign("during the grace period", s[1], s[0])
		testenv.Advance(time.Hour - time.Second)
		sign("at its last second", s[1], s[0])
		rotate(s[2], 24*time.Hour)
		sign("after a second rotation", s[2], s[1], s[0])
		testenv.Advance(time.Second)
		sign("when the first period is over, which the second did not prolong", s[2], s[1])
		rotate(s[2], time.Hour)
		sign("after a rotation to itself", s[2], s[1])
		rotate(s[3], 0)
		sign("after a rotation without grace", s[3])
		rotate(s[2], time.Hour)
		sign("after going back", s[2], s[3])
		for _, next := range s[4:] {
			rotate(next, time.Hour)
		}
		sign("after more rotations than secrets can sign", s[11], s[10], s[9], s[8], s[7], s[6], s[5], s[4])
		testenv.Advance(time.Hour)
		sign("when every period is over", s[11])
		rotate("", 0)
		if got := endpoint(t, e, ep).Secrets; len(got) != 1 || got[0].Value == s[11] || got[0].Value == "" {
			t.Error("no secret was made")
		}
	})
}

func TestRotationRefused(t *testing.T) {
	t.Parallel()
	e := ingesttest.New(t)
	app := e.App()
	ep := e.Endpoint(app)
	before := endpoint(t, e, ep).Secrets
	for name, tt := range map[string]struct {
		secret string
		grace  time.Duration
		want   string
	}{
		"grace too long": {"", 7*24*time.Hour + 1, "body.gracePeriodSeconds"},
		"negative grace": {"", -1, "body.gracePeriodSeconds"},
		"short secret":   {"whsec_" + marker + "=", 0, "body.key"},
		"no secret":      {marker + " ", 0, "body.key"},
	} {
		err := e.Service.RotateSecret(t.Context(), app, store.Ref{ID: ep}, ingest.Key{}, tt.secret, tt.grace)
		if diff := cmp.Diff([]string{tt.want}, fields(t, err)); diff != "" {
			t.Errorf("%s: complaints (-want +got):\n%s", name, diff)
		}
	}
	err := e.Service.RotateSecret(t.Context(), app, store.Ref{UID: "unknown"}, ingest.Key{}, "", 0)
	wantKind(t, errs.NotFound, err)
	if diff := cmp.Diff(before, endpoint(t, e, ep).Secrets); diff != "" {
		t.Errorf("the secrets changed (-before +after):\n%s", diff)
	}
	if err := e.Service.RotateSecret(t.Context(), app, store.Ref{ID: ep}, ingest.Key{}, "", 7*24*time.Hour); err != nil {
		t.Error("the longest grace period is refused:", err)
	}
}

// TestRotateOnce repeats a rotation under its key: the second one must not make yet another secret.
func TestRotateOnce(t *testing.T) {
	t.Parallel()
	e := ingesttest.New(t)
	app := e.App()
	ep := e.Endpoint(app)
	key := ingest.Key{Scope: "s", Value: "k"}
	var secrets [][]delivery.Secret
	for range 2 {
		if err := e.Service.RotateSecret(t.Context(), app, store.Ref{ID: ep}, key, "", time.Hour); err != nil {
			t.Fatal(err)
		}
		secrets = append(secrets, endpoint(t, e, ep).Secrets)
	}
	if diff := cmp.Diff(secrets[0], secrets[1]); diff != "" {
		t.Errorf("the repetition rotated again (-first +second):\n%s", diff)
	}
}

// TestFanOutSeesTheTruth creates endpoints while others post: an endpoint whose creation returned hears every message
// posted afterwards, and one whose deletion returned hears none.
func TestFanOutSeesTheTruth(t *testing.T) {
	t.Parallel()
	e := ingesttest.New(t)
	rapid.Check(t, func(t *rapid.T) {
		posters := rapid.IntRange(1, 4).Draw(t, "posters")
		changes := rapid.SliceOfN(rapid.SampledFrom([]string{"create", "delete", "disable", "enable", "rename app"}), 1, 12).Draw(t, "changes")
		if err := fanOut(e, posters, changes); err != nil {
			t.Fatal(err)
		}
	})
}

// fanOut makes changes one after the other while posters post.
func fanOut(e *ingesttest.Engine, posters int, changes []string) error {
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	app := e.App()
	var posted sync.WaitGroup
	for range posters {
		posted.Go(func() {
			for ctx.Err() == nil {
				if _, err := post(context.Background(), e, app, ingest.Key{}); err != nil {
					panic(err)
				}
			}
		})
	}
	defer posted.Wait()
	defer stop()
	open := map[id.ID]bool{} // by endpoint: hears what is posted now
	for i, change := range changes {
		if err := alter(e, app, change, open, i); err != nil {
			return err
		}
		m, err := post(ctx, e, app, ingest.Key{})
		if err != nil {
			return err
		}
		for ep, hears := range open {
			_, err := e.Store.Delivery(ctx, app.ID, delivery.Key{Message: m.ID, Endpoint: ep})
			if heard := err == nil; heard != hears {
				return fmt.Errorf("after %v endpoint %d heard the message: %t, want %t (%w)", changes[:i+1], ep, heard, hears, err)
			}
		}
	}
	return nil
}

// alter makes one change, to any endpoint that it fits.
func alter(e *ingesttest.Engine, app ingest.AppRef, change string, open map[id.ID]bool, i int) error {
	ctx := context.Background()
	disable := func(ep id.ID, disabled bool) error {
		_, err := e.Service.UpdateEndpoint(ctx, app, store.Ref{ID: ep}, false, func(p *delivery.Endpoint) error {
			p.Disabled = disabled
			return nil
		})
		return err
	}
	switch change {
	case "create":
		r, err := e.Service.CreateEndpoint(ctx, app, ingest.Key{}, delivery.Endpoint{URL: "https://example.com"})
		open[r.ID] = true
		return err
	case "rename app":
		_, err := rename(e, app, fmt.Sprintf("app-%d-%d", app.ID, i))
		return err
	}
	for ep, hears := range open {
		if hears == (change == "enable") {
			continue
		}
		open[ep] = !hears
		if change == "delete" {
			return e.Service.DeleteEndpoint(ctx, app, store.Ref{ID: ep})
		}
		if err := disable(ep, change == "disable"); errs.KindOf(err) != errs.NotFound {
			return err
		}
		open[ep] = false // it was deleted before
	}
	return nil
}
