package restapi

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/callboard/callboard/internal/id"
	"github.com/callboard/callboard/internal/ingest"
	"github.com/callboard/callboard/internal/store"
)

// ApplicationIn is an app as a client creates or replaces it.
type ApplicationIn struct {
	Name         string              `json:"name" doc:"For people." example:"Acme"`
	UID          optional[string]    `json:"uid,omitzero" doc:"Your own name for the app, unique in the org." example:"acme"`
	ThrottleRate optional[int]       `json:"throttleRate,omitzero" minimum:"1" maximum:"65535" doc:"Attempts per second over all endpoints; null = no limit."`
	RateLimit    optional[int]       `json:"rateLimit,omitzero" minimum:"1" maximum:"65535" deprecated:"true" doc:"The older name of throttleRate."`
	Metadata     optional[stringMap] `json:"metadata,omitzero" doc:"Your own notes, 16 KiB at most."`

	Dialects       optional[[]string] `json:"dialects,omitzero" doc:"The dialects that the app's endpoints may use, out of the org's; null = the org's."`
	DefaultDialect optional[string]   `json:"defaultDialect,omitzero" doc:"The dialect of endpoints that name none; null = the org's."`

	ResourceURLBase optional[string] `json:"resourceUrlBase,omitzero" maxLength:"1024" doc:"What resource_url begins with in webhooks of the sessionboard dialect; null = the org's." example:"https://events.example.com"`
}

// ApplicationPatch changes the fields that are sent; null clears.
type ApplicationPatch struct {
	Name         optional[string]    `json:"name,omitzero" doc:"For people."`
	UID          optional[string]    `json:"uid,omitzero" doc:"Your own name for the app; null takes it away."`
	ThrottleRate optional[int]       `json:"throttleRate,omitzero" minimum:"1" maximum:"65535" doc:"Attempts per second over all endpoints; null = no limit."`
	RateLimit    optional[int]       `json:"rateLimit,omitzero" minimum:"1" maximum:"65535" deprecated:"true" doc:"The older name of throttleRate."`
	Metadata     optional[stringMap] `json:"metadata,omitzero" doc:"Your own notes; they replace the old ones."`

	Dialects       optional[[]string] `json:"dialects,omitzero" doc:"The dialects that the app's endpoints may use, out of the org's; null = the org's."`
	DefaultDialect optional[string]   `json:"defaultDialect,omitzero" doc:"The dialect of endpoints that name none; null = the org's."`

	ResourceURLBase optional[string] `json:"resourceUrlBase,omitzero" maxLength:"1024" doc:"What resource_url begins with in webhooks of the sessionboard dialect; null = the org's." example:"https://events.example.com"`
}

// stringMap is a JSON object of strings.
type stringMap = map[string]string

// ApplicationOut is an app as the API shows it.
type ApplicationOut struct {
	ID           string    `json:"id" example:"app_1srOrx2ZWZBpBUvZwXKQmoEYga2"`
	UID          *string   `json:"uid"`
	Name         string    `json:"name" example:"Acme"`
	ThrottleRate *int      `json:"throttleRate"`
	RateLimit    *int      `json:"rateLimit" deprecated:"true"`
	Metadata     stringMap `json:"metadata"`
	CreatedAt    time.Time `json:"createdAt"`
	UpdatedAt    time.Time `json:"updatedAt"`

	Dialects       []string `json:"dialects" doc:"The dialects that the app's endpoints may use, out of the org's; null = the org's."`
	DefaultDialect *string  `json:"defaultDialect" doc:"The dialect of endpoints that name none; null = the org's."`

	ResourceURLBase *string `json:"resourceUrlBase" doc:"What resource_url begins with in webhooks of the sessionboard dialect; null = the org's."`
}

// showApp renders an app. Absent numbers and names are null, metadata is always an
// object, times are UTC: Svix's clients require the last three.
func (a *api) showApp(app *store.App) ApplicationOut {
	return ApplicationOut{
		ID:           a.Codec.Encode(id.App, app.ID),
		UID:          pointer(app.UID),
		Name:         app.Name,
		ThrottleRate: pointer(app.ThrottleRate),
		RateLimit:    pointer(app.ThrottleRate),
		Metadata:     notNil(app.Metadata),
		CreatedAt:    app.CreatedAt.UTC(),
		UpdatedAt:    app.UpdatedAt.UTC(),

		Dialects:       app.Dialects,
		DefaultDialect: pointer(app.DefaultDialect),

		ResourceURLBase: pointer(app.ResourceURLBase),
	}
}

// replace makes app what a PUT says. An absent uid stays: a client that names an
// app by its uid and leaves it out of the body does not mean to lose it. So do the
// fields that Svix does not have, which its clients cannot send.
func (in *ApplicationIn) replace(app *store.App) {
	app.Name = in.Name
	set(in.UID, &app.UID)
	app.ThrottleRate, app.Metadata = 0, nil
	set(either(in.ThrottleRate, in.RateLimit), &app.ThrottleRate)
	set(in.Metadata, &app.Metadata)
	set(in.Dialects, &app.Dialects)
	set(in.DefaultDialect, &app.DefaultDialect)
	set(in.ResourceURLBase, &app.ResourceURLBase)
}

// apply changes the fields that were sent. It may run several times on fresh rows,
// and puts in no value that it would change later.
func (in *ApplicationPatch) apply(app *store.App) {
	set(in.Name, &app.Name)
	set(in.UID, &app.UID)
	set(either(in.ThrottleRate, in.RateLimit), &app.ThrottleRate)
	set(in.Metadata, &app.Metadata)
	set(in.Dialects, &app.Dialects)
	set(in.DefaultDialect, &app.DefaultDialect)
	set(in.ResourceURLBase, &app.ResourceURLBase)
}

// registerApps puts the routes of apps on the mux. They are the org's, but for
// reading one's own app, which a portal does.
func (a *api) registerApps() {
	handle(a, huma.Operation{
		OperationID: "v1.application.list", Method: http.MethodGet, Path: "/app", Tags: []string{tagApps},
		Summary: "List apps", Description: "Oldest first unless asked otherwise.",
	}, accessAdmin, a.listApps)
	handle(a, huma.Operation{
		OperationID: "v1.application.create", Method: http.MethodPost, Path: "/app", Tags: []string{tagApps},
		Summary: "Create an app", DefaultStatus: http.StatusCreated,
		Description: "With `get_if_exists` an app that has the uid is given as it is, with status 200.",
	}, accessAdminWrite, a.createApp)
	handle(a, huma.Operation{
		OperationID: "v1.application.get", Method: http.MethodGet, Path: "/app/{app_id}", Tags: []string{tagApps},
		Summary: "Get an app",
	}, accessRead, a.getApp)
	handle(a, huma.Operation{
		OperationID: "v1.application.update", Method: http.MethodPut, Path: "/app/{app_id}", Tags: []string{tagApps},
		Summary: "Replace an app", Description: "A uid that no app has creates one, with status 201.",
	}, accessAdminWrite, a.putApp)
	handle(a, huma.Operation{
		OperationID: "v1.application.patch", Method: http.MethodPatch, Path: "/app/{app_id}", Tags: []string{tagApps},
		Summary: "Change an app", Description: "Changes the fields that are sent; null clears.",
	}, accessAdminWrite, a.patchApp)
	handle(a, huma.Operation{
		OperationID: "v1.application.delete", Method: http.MethodDelete, Path: "/app/{app_id}", Tags: []string{tagApps},
		Summary: "Delete an app", Description: "Its endpoints and messages go with it.",
	}, accessAdminWrite, a.deleteApp)
}

// listAppsIn are the parameters of GET /app.
type listAppsIn struct {
	PageIn
	OrderIn
}

// listApps answers GET /app: the org's apps, oldest first as in Svix, since new
// ones then show up at the end of a walk that is under way.
func (a *api) listApps(ctx context.Context, c *call, in *listAppsIn) (*answer[Page[ApplicationOut]], error) {
	cur, err := a.cursor(in.PageIn, id.App, in.ascending(true))
	if err != nil {
		return nil, err
	}
	rows, err := a.Store.Apps(ctx, c.Org, cur.Page)
	if err != nil {
		return nil, err
	}
	page := list(cur, rows, func(r *store.App) id.ID { return r.ID }, all(a.showApp))
	return &answer[Page[ApplicationOut]]{page}, nil
}

// createAppIn is what POST /app takes. The query decides what a taken uid means:
// a conflict, or the app that has it.
type createAppIn struct {
	GetIfExists bool `query:"get_if_exists" doc:"Give an app that has the uid instead of refusing."`
	Body        ApplicationIn
}

// createApp answers POST /app: 201, or 200 for an app that get_if_exists found.
func (a *api) createApp(ctx context.Context, c *call, in *createAppIn) (*answerStatus[ApplicationOut], error) {
	var app store.App
	in.Body.replace(&app)
	r, err := a.Ingest.CreateApp(ctx, c.Org, c.key(), app, in.GetIfExists)
	if err != nil {
		return nil, err
	}
	return a.answerApp(ctx, c.Org, r)
}

// answerApp reads an app again, as it is on disk.
func (a *api) answerApp(ctx context.Context, org string, r ingest.Result) (*answerStatus[ApplicationOut], error) {
	app, err := a.Store.App(ctx, org, store.Ref{ID: r.ID})
	if err != nil {
		return nil, err
	}
	return &answerStatus[ApplicationOut]{createdOr200(r), a.showApp(&app)}, nil
}

// createdOr200 is the status of an upsert. A repetition under an Idempotency-Key has
// Existed unset and is 201, as the first answer was; but for get_if_exists, whose
// first answer may have been 200. Clients take both for success.
func createdOr200(r ingest.Result) int {
	if r.Existed {
		return http.StatusOK
	}
	return http.StatusCreated
}

// getApp answers GET /app/{app_id}.
func (a *api) getApp(ctx context.Context, c *call, _ *AppPath) (*answer[ApplicationOut], error) {
	app, err := c.app(ctx)
	if err != nil {
		return nil, err
	}
	return &answer[ApplicationOut]{a.showApp(&app)}, nil
}

// putAppIn is what PUT /app/{app_id} takes.
type putAppIn struct {
	AppPath
	Body ApplicationIn
}

// putApp answers PUT /app/{app_id}. An unknown uid is created; an unknown id cannot
// be, because ids are ours to give.
func (a *api) putApp(ctx context.Context, c *call, in *putAppIn) (*answerStatus[ApplicationOut], error) {
	r, err := a.Ingest.UpdateApp(ctx, c.appRef, true, func(app *store.App) error {
		in.Body.replace(app)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return a.answerApp(ctx, c.Org, r)
}

// patchAppIn is what PATCH /app/{app_id} takes.
type patchAppIn struct {
	AppPath
	Body ApplicationPatch
}

// patchApp answers PATCH /app/{app_id}.
func (a *api) patchApp(ctx context.Context, c *call, in *patchAppIn) (*answerStatus[ApplicationOut], error) {
	r, err := a.Ingest.UpdateApp(ctx, c.appRef, false, func(app *store.App) error {
		in.Body.apply(app)
		return nil
	})
	if err != nil {
		return nil, err
	}
	r.Existed = true
	return a.answerApp(ctx, c.Org, r)
}

// deleteApp answers DELETE /app/{app_id}. The app is out of sight when the answer
// comes; a background task removes its rows.
func (a *api) deleteApp(ctx context.Context, c *call, _ *AppPath) (*nothing, error) {
	return &nothing{}, a.Ingest.DeleteApp(ctx, c.appRef)
}
