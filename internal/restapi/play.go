package restapi

import (
	"context"
	"net/http"
	"net/netip"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/callboard/callboard/internal/play"
	"github.com/callboard/callboard/internal/web"
)

// PlayPath names an inbox of Play by its key.
type PlayPath struct {
	Key string `path:"key" doc:"The inbox's key."`
}

// PlayPatch changes the settings that are sent; null goes back to the default.
type PlayPatch struct {
	Status  optional[int]    `json:"status,omitzero" minimum:"200" maximum:"599" doc:"What requests are answered; 200 by default."`
	DelayMs optional[int64]  `json:"delayMs,omitzero" minimum:"0" maximum:"30000" doc:"How long an answer waits, in milliseconds."`
	Body    optional[string] `json:"body,omitzero" maxLength:"16384" doc:"The answer's text."`
	Dialect optional[string] `json:"dialect,omitzero" doc:"Whose signatures are verified; null = by what a request looks like." example:"zuddl"`
	Secret  optional[string] `json:"secret,omitzero" minLength:"1" maxLength:"1024" doc:"What signatures are verified with; null = nothing. It is never shown. What came before is verified anew."`
	Grace   *int64           `json:"gracePeriodSeconds,omitempty" minimum:"0" maximum:"604800" doc:"With secret, where an endpoint's secret was rotated: how long the one before holds beside it. What came in until then, and is signed with it, is valid. Without it the one before never was right."`
}

// PlaySend is a request that a viewer makes up, or edits, and sends to the inbox.
type PlaySend struct {
	Headers    []play.Header `json:"headers,omitempty" maxItems:"200"`
	Body       string        `json:"body,omitempty"`
	BodyBase64 []byte        `json:"bodyBase64,omitempty" doc:"Instead of body, if it is no text."`
	Sign       bool          `json:"sign,omitempty" doc:"Signs it afresh with the inbox's secret, in its dialect."`
}

// PlaySent names a request that was sent.
type PlaySent struct {
	ID string `json:"id" doc:"Of the request in the inbox."`
}

// registerPlay puts Play on the mux. It asks for no token: the key of an inbox is its viewer's secret.
func (a *api) registerPlay() {
	if a.Play == nil {
		return
	}
	op := func(name, method, path, summary, description string) huma.Operation {
		return huma.Operation{
			OperationID: "v1.play." + name, Method: method, Path: "/play" + path, Tags: []string{tagPlay}, Summary: summary, Description: description,
		}
	}
	create := op("create", http.MethodPost, "", "Make an inbox to try webhooks with",
		"It lives for 24 hours and takes requests of any method at its URL and below it. What comes in is in memory: a restart forgets it, and the inbox goes on.")
	create.DefaultStatus = http.StatusCreated
	handleOpen(a, create, a.createPlay)
	handleOpen(a, op("get", http.MethodGet, "/{key}", "Get an inbox with what came in", ""), a.getPlay)
	handleOpen(a, op("patch", http.MethodPatch, "/{key}", "Set how an inbox answers and what it verifies with",
		"Changes what is sent; null goes back to the default. Another dialect or secret verifies what came before anew."), a.patchPlay)
	handleOpen(a, op("clear", http.MethodDelete, "/{key}/request", "Forget what came into an inbox", ""), a.clearPlay)
	send := op("send", http.MethodPost, "/{key}/send", "Send a request to an inbox",
		"It comes in as if it had been posted: for one that came before and was edited.")
	send.DefaultStatus = http.StatusAccepted
	handleOpen(a, send, a.sendPlay)
	a.registerPlayStream(op("stream", http.MethodGet, "/{key}/stream", "Watch an inbox",
		"Answers with server-sent events until either side closes the connection or the inbox expires. `hello`, the first, is "+
			"`{id, resumed, missed}`. `request` is a request as in the inbox, with its id. `change` is `{settings}`: settings were changed, "+
			"or requests cleared or verified anew, and the inbox is to be read again."))
}

// registerPlayStream registers the one route that answers with more than JSON.
func (a *api) registerPlayStream(op huma.Operation) {
	op.Path = prefix + op.Path
	text := &huma.Schema{Type: huma.TypeString}
	op.Parameters = []*huma.Param{
		{Name: "key", In: "path", Required: true, Description: "The inbox's key.", Schema: text},
		{Name: "after", In: "query", Description: "The id of the last event that was seen. Without it, and without Last-Event-ID, from now on.", Schema: text},
		{Name: "Last-Event-ID", In: "header", Description: "The same, as browsers send it.", Schema: text},
	}
	op.Responses = map[string]*huma.Response{
		"200": {Description: "The stream", Content: map[string]*huma.MediaType{"text/event-stream": {Schema: text}}},
	}
	a.describeOpen(&op)
	a.huma.OpenAPI().AddOperation(&op)
	a.mux.HandleFunc(op.Method+" "+op.Path, func(w http.ResponseWriter, r *http.Request) {
		if err := a.Play.Stream(w, r, r.PathValue("key")); err != nil {
			web.Fail(w, err)
		}
	})
}

// private keeps an answer that holds or goes by a key out of caches.
func (c *call) private() { c.w.Header().Set("Cache-Control", "no-store") }

// client is who calls, by address.
func (a *api) client(c *call) netip.Addr { return web.ClientAddr(c.r, a.TrustedProxies) }

// createPlay answers POST /play.
func (a *api) createPlay(_ context.Context, c *call, _ *struct{}) (*answer[play.Inbox], error) {
	c.private()
	made, err := a.Play.Create(a.client(c))
	return &answer[play.Inbox]{made}, err
}

// readTimeout is how long a client may take to read an inbox.
const readTimeout = 20 * time.Second

// getPlay answers GET /play/{key}. Anybody may ask, and an inbox may be large: only so many are
// read at a time, and none for long.
func (a *api) getPlay(_ context.Context, c *call, in *PlayPath) (*answer[play.Inbox], error) {
	c.private()
	end, err := a.Play.Read(in.Key, a.client(c))
	if err != nil {
		return nil, err
	}
	c.end = end
	// Not every ResponseWriter has deadlines.
	_ = http.NewResponseController(c.w).SetWriteDeadline(time.Now().Add(readTimeout))
	shown, err := a.Play.View(in.Key)
	return &answer[play.Inbox]{shown}, err
}

// patchPlay answers PATCH /play/{key}.
func (a *api) patchPlay(_ context.Context, c *call, in *struct {
	PlayPath
	Body PlayPatch
},
) (*answer[play.Settings], error) {
	c.private()
	change := play.Change{
		Status:  orDefault(in.Body.Status, http.StatusOK),
		Body:    orDefault(in.Body.Body, play.DefaultBody),
		Dialect: orDefault(in.Body.Dialect, ""),
		Secret:  orDefault(in.Body.Secret, ""),
	}
	if ms := orDefault(in.Body.DelayMs, 0); ms != nil {
		delay := time.Duration(*ms) * time.Millisecond
		change.Delay = &delay
	}
	if in.Body.Grace != nil {
		grace := time.Duration(*in.Body.Grace) * time.Second
		change.Grace = &grace
	}
	set, err := a.Play.Set(in.Key, change)
	return &answer[play.Settings]{set}, err
}

// orDefault is what a field was set to, the default for null, and nil if it was not sent.
func orDefault[T any](o optional[T], normal T) *T {
	switch {
	case !o.Sent:
		return nil
	case o.Value == nil:
		return &normal
	}
	return o.Value
}

// clearPlay answers DELETE /play/{key}/request.
func (a *api) clearPlay(_ context.Context, c *call, in *PlayPath) (*nothing, error) {
	c.private()
	return nil, a.Play.Clear(in.Key)
}

// sendPlay answers POST /play/{key}/send.
func (a *api) sendPlay(_ context.Context, c *call, in *struct {
	PlayPath
	Body PlaySend
},
) (*answer[PlaySent], error) {
	c.private()
	sending := play.Sending{Headers: in.Body.Headers, Body: []byte(in.Body.Body), Sign: in.Body.Sign}
	if len(in.Body.BodyBase64) > 0 {
		if in.Body.Body != "" {
			return nil, invalid("give one of body and bodyBase64", "body", "bodyBase64")
		}
		sending.Body = in.Body.BodyBase64
	}
	id, err := a.Play.Send(in.Key, a.client(c), sending)
	return &answer[PlaySent]{PlaySent{id}}, err
}
