package restapi

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/callboard/callboard/internal/errs"
	"github.com/callboard/callboard/internal/id"
	"github.com/callboard/callboard/internal/ingest"
	"github.com/callboard/callboard/internal/store"
	"github.com/callboard/callboard/internal/token"
	"github.com/callboard/callboard/internal/web"
)

// Who may use a route. Rights of tokens for one app follow Svix's capabilities.
var (
	accessAdmin      = web.Access{Admin: true}
	accessAdminWrite = web.Access{Admin: true, Write: true}
	accessRead       = web.Access{AnyOf: []token.Capability{token.ViewBase}}
	accessManage     = web.Access{AnyOf: []token.Capability{token.ManageEndpoint}, Write: true}
	accessAttempt    = web.Access{AnyOf: []token.Capability{token.CreateAttempts}, Write: true}
	accessSeeSecret  = web.Access{AnyOf: []token.Capability{
		token.ViewEndpointSecret, token.ManageEndpointSecret, token.ManageEndpoint,
	}}
	accessRotate = web.Access{AnyOf: []token.Capability{token.ManageEndpointSecret, token.ManageEndpoint}, Write: true}
)

// call is one request on its way through a handler.
type call struct {
	web.Caller
	api    *api
	w      http.ResponseWriter
	r      *http.Request
	body   []byte
	appRef ingest.AppRef // what {app_id} names; zero on routes without it
	end    func()        // called when the answer is written; nil = nothing
}

// callKey is where a request's call is kept in its context.
type callKey struct{}

// handle registers an operation of the API. What huma would read from the
// request is in I; the answer is O, whose field Body becomes JSON.
func handle[I, O any](a *api, op huma.Operation, access web.Access, handler func(context.Context, *call, *I) (*O, error)) {
	a.describe(&op, access)
	register(a, op, func(c *call) error { return c.begin(access) }, handler)
}

// handleOpen registers an operation that asks for no token: whoever may use it shows so
// otherwise, or anybody may.
func handleOpen[I, O any](a *api, op huma.Operation, handler func(context.Context, *call, *I) (*O, error)) {
	a.describeOpen(&op)
	register(a, op, (*call).beginOpen, handler)
}

// register registers an operation whose requests begin lets in.
func register[I, O any](a *api, op huma.Operation, begin func(*call) error, handler func(context.Context, *call, *I) (*O, error)) {
	op.Path = prefix + op.Path
	op.Middlewares = huma.Middlewares{func(ctx huma.Context, next func(huma.Context)) { a.admit(ctx, begin, next) }}
	// The body was read and bounded by admit.
	op.MaxBodyBytes, op.BodyReadTimeout = -1, -1
	huma.Register(a.huma, op, func(ctx context.Context, in *I) (*O, error) {
		c := ctx.Value(callKey{}).(*call)
		out, err := handler(ctx, c, in)
		if err != nil {
			return nil, web.Note(c.w, err)
		}
		return out, nil
	})
	a.documentOtherStatus(&op)
}

// documentOtherStatus adds the second status of operations that create or find: a
// PUT may create, and creating an app may find one.
func (a *api) documentOtherStatus(op *huma.Operation) {
	item := a.huma.OpenAPI().Paths[op.Path]
	switch {
	case op.OperationID == "v1.source.update": // a source has no uid by which it could be created
	case op.Method == http.MethodPut && item.Put.Responses["200"] != nil:
		item.Put.Responses["201"] = &huma.Response{Description: "Created", Content: item.Put.Responses["200"].Content}
	case op.OperationID == "v1.application.create":
		item.Post.Responses["200"] = &huma.Response{Description: "It existed", Content: item.Post.Responses["201"].Content}
	}
}

// admit lets a request in, as begin has it, and hands on to huma.
func (a *api) admit(ctx huma.Context, begin func(*call) error, next func(huma.Context)) {
	r, w := humago.Unwrap(ctx)
	c := &call{api: a, w: w, r: r}
	if err := begin(c); err != nil {
		web.Fail(w, err)
		return
	}
	defer func() {
		if c.end != nil {
			c.end()
		}
	}()
	next(huma.WithValue(ctx, callKey{}, c))
}

// begin lets the request in, if its body is text.
func (c *call) begin(access web.Access) error {
	if err := c.enter(access); err != nil {
		return err
	}
	return c.checkText()
}

// beginOpen lets a request in that needs no token, if its body is text.
func (c *call) beginOpen() error {
	if err := c.readBody(); err != nil {
		return err
	}
	return c.checkText()
}

// checkText refuses a body that is no text.
func (c *call) checkText() error {
	// Without this encoding/json would store another text than was sent.
	if !utf8.Valid(c.body) {
		return errNoUTF8
	}
	return nil
}

// errNoUTF8 answers a body that is no text.
var errNoUTF8 error = errs.New(errs.Malformed, "The body is not valid UTF-8")

// enter lets the request in: token, app, body, in this order, so that nobody without
// a token makes the server read.
func (c *call) enter(access web.Access) (err error) {
	if c.Caller, err = c.api.guard.Admit(c.r, access); err != nil {
		return err
	}
	if text := c.r.PathValue("app_id"); text != "" {
		c.appRef.Org = c.Org
		if c.appRef.Ref, err = c.api.guard.AppRef(&c.Caller, text); err != nil {
			return err
		}
	}
	return c.readBody()
}

// readBody reads the body, for the handler and for huma.
func (c *call) readBody() (err error) {
	if c.body, err = web.ReadBody(c.w, c.r); err != nil {
		return err
	}
	c.r.Body = io.NopCloser(bytes.NewReader(c.body))
	// Every body of this API is JSON, whatever a client calls it.
	c.r.Header["Content-Type"] = jsonType
	return nil
}

// app reads the app that the path names.
func (c *call) app(ctx context.Context) (store.App, error) {
	return c.api.Store.App(ctx, c.Org, c.appRef.Ref)
}

// endpoint reads an endpoint of the path's app.
func (c *call) endpoint(ctx context.Context, text string) (store.App, store.Ref, error) {
	ref, err := web.Ref(c.api.Codec, id.Endpoint, text)
	if err != nil {
		return store.App{}, ref, err
	}
	app, err := c.app(ctx)
	return app, ref, err
}

// key is the caller's promise about a POST.
func (c *call) key() ingest.Key { return idempotencyKey(c.r, &c.Caller, c.body) }

// idempotencyKey scopes a caller's key to its subject, method and path without a
// trailing slash (see web.Wrap): the same key on two routes is two promises.
func idempotencyKey(r *http.Request, caller *web.Caller, body []byte) ingest.Key {
	values := r.Header["Idempotency-Key"]
	if len(values) == 0 || values[0] == "" {
		return ingest.Key{}
	}
	scope := caller.Subject() + " " + r.Method + " " + r.URL.Path
	return ingest.Key{Scope: scope, Value: values[0], Body: body}
}

// eventTypes reads the filter in all three spellings that clients use: a,b in one
// parameter, the parameter repeated, and event_types[]. nil = no filter.
func (c *call) eventTypes() []string {
	if !strings.Contains(c.r.URL.RawQuery, "event_types") {
		return nil
	}
	query, err := url.ParseQuery(c.r.URL.RawQuery)
	if err != nil {
		return nil
	}
	var types []string
	for _, name := range [...]string{"event_types", "event_types[]"} {
		for _, value := range query[name] {
			for t := range strings.SplitSeq(value, ",") {
				if t != "" {
					types = append(types, t)
				}
			}
		}
	}
	return types
}

// invalid is a 422 for one field.
func invalid(msg string, loc ...string) error { return errs.InvalidField(msg, loc...) }

// later is the 501 for a feature that a later version has.
func later(what string) error {
	return errs.New(errs.NotImplemented, "This version of Callboard does not have %s yet", what)
}
