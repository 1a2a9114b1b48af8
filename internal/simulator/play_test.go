package simulator_test

import (
	"context"
	"crypto/rand"
	"log/slog"
	"net/http"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/callboard/callboard/client"
	"github.com/callboard/callboard/internal/app"
	"github.com/callboard/callboard/internal/dialect/builtin"
	"github.com/callboard/callboard/internal/simulator"
	"github.com/callboard/callboard/internal/token"
)

// newServer starts a server that tells time spent a moment after an event's end, and makes an app in it.
func newServer(t *testing.T) *client.Client {
	t.Helper()
	secret := token.NewSecret(rand.Text())
	authority, err := token.New(token.Config{Secret: secret})
	if err != nil {
		t.Fatal(err)
	}
	text, err := authority.Mint(token.Claims{Org: "org_000000000000000000callboard", Expires: time.Now().Add(time.Hour)})
	if err != nil {
		t.Fatal(err)
	}
	server, err := app.New(t.Context(), app.Config{
		Listen: "127.0.0.1:0", DB: "sqlite:" + filepath.Join(t.TempDir(), "test.db"), JWTSecret: secret,
		TimeSpentDelay: time.Second, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := server.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		if err := server.Stop(ctx); err != nil {
			t.Error(err)
		}
	})
	c, err := client.New(server.URL(), text)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	if err := c.Do(t.Context(), http.MethodPost, "/app", map[string]string{"name": "Acme", "uid": "acme"}, nil); err != nil {
		t.Fatal(err)
	}
	return c
}

// TestPlay plays a small day to a real server: nothing is refused, its figures are the simulator's, and every type of the
// catalogue was made.
func TestPlay(t *testing.T) {
	t.Parallel()
	c := newServer(t)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	const length = 3 * time.Second
	day := simulator.Script(simulator.Plan{Seed: 7, Attendees: 40, Name: "summit", Ends: time.Now().Add(length)})
	var last simulator.State
	present := 0
	outcome, err := simulator.Play(ctx, simulator.Config{
		Client: c, App: "acme", Length: length, Show: func(s simulator.State) { last, present = s, max(present, s.Present) },
	}, day)
	if err != nil {
		t.Fatal(err)
	}
	if outcome.Refused+outcome.Late > 0 || outcome.Duplicates == 0 || outcome.Messages == 0 {
		t.Errorf("outcome: %+v", outcome)
	}
	if last.Told != outcome.Told || last.Of != outcome.Told || present < 10 || present > 40 {
		t.Errorf("in the end the state is %+v, and %d were present at most", last, present)
	}
	heard, err := day.Await(ctx, c, "acme")
	if err != nil {
		t.Fatal(err)
	}
	report, err := day.Attendance(ctx, c.App("acme"))
	if err != nil {
		t.Fatal(err)
	}
	for name, a := range map[string]simulator.Agreement{
		"time spent": day.Account.TimeSpent(heard), "who came": day.Account.ShownUp(heard), "attendance": day.Account.Attendance(report),
	} {
		if !a.Whole() || a.Of < 40 {
			t.Errorf("%s: %s: %v", name, a, a.Differ)
		}
	}
	checkTypes(t, c)
}

// checkTypes holds the types of an app's messages to the catalogue.
func checkTypes(t *testing.T, c *client.Client) {
	t.Helper()
	var want, got []string
	for _, eventType := range builtin.Catalog(builtin.Dialects(builtin.Config{})).Types() {
		want = append(want, eventType.Name)
	}
	iterator := ""
	for {
		var page struct {
			Data     []struct{ EventType string }
			Iterator string
			Done     bool
		}
		if err := c.Do(t.Context(), http.MethodGet, "/app/acme/msg?with_content=false&limit=250&iterator="+iterator, nil, &page); err != nil {
			t.Fatal(err)
		}
		for _, m := range page.Data {
			got = append(got, m.EventType)
		}
		if iterator = page.Iterator; page.Done {
			break
		}
	}
	slices.Sort(got)
	if diff := cmp.Diff(want, slices.Compact(got)); diff != "" {
		t.Errorf("types of messages (-catalogue +app):\n%s", diff)
	}
}
