package restapi_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/callboard/callboard/internal/errs"
	"github.com/callboard/callboard/internal/id"
	"github.com/callboard/callboard/internal/restapi"
	"github.com/callboard/callboard/internal/token"
)

// inboxes is a fake of restapi.Inboxes that says what it was asked.
type inboxes struct {
	allowed func(context.Context) error
}

func (f *inboxes) Stream(w http.ResponseWriter, _ *http.Request, app id.ID, label string, allowed func(context.Context) error) error {
	if label == "full" {
		return &errs.Error{Kind: errs.TooMany}
	}
	f.allowed = allowed
	_, _ = fmt.Fprintf(w, "%d hears %s", app, label)
	return nil
}

func (f *inboxes) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	_, _ = fmt.Fprintf(w, "%s gets %s", r.PathValue("inbox"), body)
}

func newInboxWorld(t *testing.T) (*world, *inboxes) {
	t.Helper()
	fake := &inboxes{}
	return newWorld(t, func(c *restapi.Config) { c.Inboxes, c.Play = fake, nil }), fake
}

// TestWhoListens: it takes the right to manage endpoints of the very app.
func TestWhoListens(t *testing.T) {
	t.Parallel()
	w, _ := newInboxWorld(t)
	app, neighbour := w.app("a"), w.app("b")
	of := func(app string, c ...token.Capability) string {
		return w.token(token.Claims{Org: testOrg(1), App: app, Capabilities: c})
	}
	row, _ := w.codec.Decode(id.App, app)
	heard := fmt.Sprintf("%d hears x", row)
	for name, row := range map[string]struct {
		token, path string
		status      int
	}{
		"the org":             {w.org, "/app/a/inbox/x", 200},
		"the org, by id":      {w.org, "/app/" + app + "/inbox/x", 200},
		"the app":             {of(app), "/app/a/inbox/x", 200},
		"who manages":         {of(app, token.ManageEndpoint), "/app/a/inbox/x", 200},
		"who reads":           {of(app, token.ViewBase, token.ViewEndpointSecret), "/app/a/inbox/x", 403},
		"a read-only token":   {w.token(token.Claims{Org: testOrg(1), App: app, ReadOnly: true}), "/app/a/inbox/x", 403},
		"another app":         {of(neighbour), "/app/a/inbox/x", 404},
		"another app, by id":  {of(neighbour), "/app/" + app + "/inbox/x", 404},
		"another org":         {w.token(token.Claims{Org: testOrg(2)}), "/app/" + app + "/inbox/x", 404},
		"nobody":              {"", "/app/a/inbox/x", 401},
		"an app that is none": {w.org, "/app/none/inbox/x", 404},
		"no room":             {w.org, "/app/a/inbox/full", 429},
	} {
		got := w.as(row.token, "GET", row.path, "")
		if got.Status != row.status || (got.Status == 200) != (got.Body == heard) {
			t.Errorf("%s: %d %s", name, got.Status, got.Body)
		}
	}
}

// TestListenerIsAskedAgain: a stream ends when the token or the app is no longer good.
func TestListenerIsAskedAgain(t *testing.T) {
	t.Parallel()
	w, fake := newInboxWorld(t)
	app := w.app("a")
	w.as(w.token(token.Claims{Org: testOrg(1), App: app}), "GET", "/app/a/inbox/x", "").want(200)
	if err := fake.allowed(t.Context()); err != nil {
		t.Errorf("a good token: %v", err)
	}
	w.do("POST", "/auth/app/a/expire-all", "").want(204)
	if err := fake.allowed(t.Context()); errs.KindOf(err) != errs.Unauthenticated {
		t.Errorf("an expired token: %v", err)
	}
	w.do("GET", "/app/a/inbox/x", "").want(200)
	w.do("DELETE", "/app/a", "").want(204)
	if err := fake.allowed(t.Context()); errs.KindOf(err) != errs.NotFound { // the kind is what ends the stream
		t.Errorf("an app that was deleted: %v", err)
	}
}

// TestInboxRoutes: anybody may post, the document has the listener's side, and a server
// without inboxes has neither.
func TestInboxRoutes(t *testing.T) {
	t.Parallel()
	w, _ := newInboxWorld(t)
	got := w.send(request{method: "POST", path: "/play/in/abc", body: strings.NewReader("hello")}).want(200)
	if got.Body != "abc gets hello" {
		t.Errorf("%s", got.Body)
	}
	w.send(request{method: "GET", path: "/play/in/abc"}).want(405)
	op := w.document().Paths["/api/v1/app/{app_id}/inbox/{inbox}"]["get"]
	if op.Summary == "" || op.Responses["200"] == nil || op.Responses["401"] == nil || !strings.Contains(op.Description, "`ManageEndpoint`") {
		t.Errorf("the document says %+v", op)
	}
	without := newWorld(t)
	without.app("a")
	without.do("GET", "/app/a/inbox/x", "").want(404)
	without.send(request{method: "POST", path: "/play/in/abc"}).want(404)
}
