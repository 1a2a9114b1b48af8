package restapi

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/callboard/callboard/internal/errs"
	"github.com/callboard/callboard/internal/id"
	"github.com/callboard/callboard/internal/play"
	"github.com/callboard/callboard/internal/store"
	"github.com/callboard/callboard/internal/web"
)

// Inboxes hand requests to whoever listens to an inbox; *inbox.Hub is the one outside
// of tests. As a handler it takes a request for the inbox that the route's {inbox} names, and
// with Play one for a path below it, which its target says.
type Inboxes interface {
	http.Handler
	// Stream answers r with what an app's inbox hears until either side ends it. It asks
	// allowed now and then whether the caller may still listen. An error means that
	// nothing was written.
	Stream(w http.ResponseWriter, r *http.Request, app id.ID, label string, allowed func(context.Context) error) error
}

// registerInboxes puts the two sides of an inbox on the mux. What is posted to one is
// not part of the API, which is why the document has the listener's side alone.
func (a *api) registerInboxes() {
	if a.Inboxes == nil {
		return
	}
	op := huma.Operation{
		OperationID: "v1.inbox.listen", Method: http.MethodGet, Path: prefix + "/app/{app_id}/inbox/{inbox}", Tags: []string{tagEndpoints},
		Summary: "Listen to a private inbox",
		Description: "Answers with server-sent events until either side closes the connection; `callboard listen` is made of it. " +
			"The first event, `inbox`, is `{url, listeners}`: where the inbox is, the same URL every time. An endpoint with this URL is " +
			"never dialled: its webhooks come as events `request`, `{id, receivedAt, method, headers, body | bodyBase64}`, " +
			"and so does what anybody else posts there. A request is answered 200 when a listener's connection has it, and 503 when nobody's does.",
		Parameters: []*huma.Param{
			{Name: "app_id", In: "path", Required: true, Description: "The app's id or uid.", Schema: &huma.Schema{Type: huma.TypeString}},
			{
				Name: "inbox", In: "path", Required: true, Description: "Your own name for the inbox, 1 to 128 characters of A-Z a-z 0-9 - _ .",
				Schema: &huma.Schema{Type: huma.TypeString}, Example: "jane-laptop",
			},
		},
		Responses: map[string]*huma.Response{
			"200": {
				Description: "The stream",
				Content:     map[string]*huma.MediaType{"text/event-stream": {Schema: &huma.Schema{Type: huma.TypeString}}},
			},
		},
	}
	a.describe(&op, accessManage)
	a.huma.OpenAPI().AddOperation(&op)
	a.mux.HandleFunc(op.Method+" "+op.Path, func(w http.ResponseWriter, r *http.Request) {
		if err := a.listen(w, r); err != nil {
			web.Fail(w, err)
		}
	})
	if a.Play == nil {
		a.mux.Handle("POST /play/in/{inbox}", a.Inboxes)
		return
	}
	a.mux.Handle(play.Path+"{inbox}", a.Inboxes) // Play takes whatever is sent
}

// atInboxes hides the sessions of browsers from who looks at an inbox, and leads requests to
// what is below an inbox of Play to the inbox. It is done before paths are looked at, since
// this one may have any form. The request's target stays as it was written.
func (a *api) atInboxes(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		rest, here := strings.CutPrefix(r.URL.Path, play.Path)
		if here {
			r = a.guard.Cookies.Hidden(r)
		}
		if here && a.Play != nil {
			name, _, _ := strings.Cut(rest, "/")
			target, inbox := *r.URL, *r
			target.Path, target.RawPath = play.Path+name, ""
			inbox.URL = &target
			r = &inbox
		}
		next.ServeHTTP(w, r)
	})
}

// listen lets a caller hear an inbox of its app. That takes the right to manage
// endpoints: what comes has their headers, and an attempt that it takes is not made
// again.
func (a *api) listen(w http.ResponseWriter, r *http.Request) error {
	_, app, err := a.listensTo(r.Context(), r, accessManage)
	if err != nil {
		return err
	}
	return a.Inboxes.Stream(w, r, app.ID, r.PathValue("inbox"), func(ctx context.Context) error {
		_, _, err := a.listensTo(ctx, r, accessManage)
		return err
	})
}

// listensTo finds who calls, and the app that the request may listen to. It is asked again during a
// stream, since tokens expire and apps are deleted.
func (a *api) listensTo(ctx context.Context, r *http.Request, access web.Access) (web.Caller, store.App, error) {
	caller, err := a.guard.Admit(r.WithContext(ctx), access)
	if err != nil {
		return caller, store.App{}, err
	}
	ref, err := a.guard.AppRef(&caller, r.PathValue("app_id"))
	if err != nil {
		return caller, store.App{}, err
	}
	app, err := a.Store.App(ctx, caller.Org, ref)
	if errors.Is(err, store.ErrNotFound) {
		err = errs.Missing() // a stream goes by the kind of the error
	}
	return caller, app, err
}
