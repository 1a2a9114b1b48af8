package e2e_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	svix "github.com/svix/svix-webhooks/go"
	"github.com/svix/svix-webhooks/go/models"
)

func walkAppPortal(t *testing.T, w *walk) {
	ctx := t.Context()
	app, foreign, h := w.app(t), w.app(t), w.receiver.Hook()
	ep := w.endpoint(t, app.Id, h, nil)
	w.post(t, app.Id, 1, nil)
	h.Await(t, 1)
	access, err := w.svix.Authentication.AppPortalAccess(ctx, app.Id, models.AppPortalAccessIn{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(access.Url, w.server.URL) || access.Token == "" {
		t.Errorf("access gave the URL %q and a token of %d characters", access.Url, len(access.Token))
	}
	tenant := client(t, w.server, access.Token)
	if got, err := tenant.Endpoint.Get(ctx, app.Id, ep.Id); err != nil || got.Id != ep.Id {
		t.Errorf("the tenant's endpoint: %+v, %v", got, err)
	}
	if _, err := tenant.Message.List(ctx, app.Id, nil); err != nil {
		t.Errorf("the tenant's messages: %v", err)
	}
	if _, err := tenant.Endpoint.Create(ctx, app.Id, models.EndpointIn{Url: "https://tenant.example.com"}, nil); err != nil {
		t.Errorf("the tenant's new endpoint: %v", err)
	}
	_, err = tenant.Endpoint.List(ctx, foreign.Id, nil)
	wantStatus(t, err, http.StatusNotFound, "not_found")
	_, err = tenant.Application.List(ctx, nil)
	wantStatus(t, err, http.StatusForbidden, "permission_denied")
	_, err = tenant.Message.Create(ctx, app.Id, models.MessageIn{EventType: "a", Payload: map[string]any{}}, nil)
	wantStatus(t, err, http.StatusForbidden, "permission_denied")

	// Fewer capabilities.
	viewer := portal(t, w, app.Id, models.AppPortalAccessIn{Capabilities: []models.AppPortalCapability{models.APPPORTALCAPABILITY_VIEW_BASE}})
	if _, err := viewer.Endpoint.List(ctx, app.Id, nil); err != nil {
		t.Errorf("the viewer's endpoints: %v", err)
	}
	_, err = viewer.Endpoint.GetSecret(ctx, app.Id, ep.Id)
	wantStatus(t, err, http.StatusForbidden, "permission_denied")
	_, err = viewer.Endpoint.Patch(ctx, app.Id, ep.Id, models.EndpointPatch{Description: new("mine")})
	wantStatus(t, err, http.StatusForbidden, "permission_denied")
	_, err = viewer.MessageAttempt.Resend(ctx, app.Id, "any", ep.Id, nil)
	wantStatus(t, err, http.StatusForbidden, "permission_denied")

	reader := portal(t, w, app.Id, models.AppPortalAccessIn{ReadOnly: new(true)})
	if _, err := reader.Endpoint.Get(ctx, app.Id, ep.Id); err != nil {
		t.Errorf("the reader's endpoint: %v", err)
	}
	err = reader.Endpoint.Delete(ctx, app.Id, ep.Id)
	wantStatus(t, err, http.StatusForbidden, "permission_denied")
}

// portal is Svix's client with a tenant's token.
func portal(t testing.TB, w *walk, app string, in models.AppPortalAccessIn) *svix.Svix {
	t.Helper()
	access, err := w.svix.Authentication.AppPortalAccess(t.Context(), app, in, nil)
	if err != nil {
		t.Fatal(err)
	}
	return client(t, w.server, access.Token)
}

func walkExpireAll(t *testing.T, w *walk) {
	ctx := t.Context()
	app := w.app(t)
	before := portal(t, w, app.Id, models.AppPortalAccessIn{})
	if _, err := before.Endpoint.List(ctx, app.Id, nil); err != nil {
		t.Fatal(err)
	}
	if err := w.svix.Authentication.ExpireAll(ctx, app.Id, models.ApplicationTokenExpireIn{}, nil); err != nil {
		t.Fatal(err)
	}
	_, err := before.Endpoint.List(ctx, app.Id, nil)
	wantStatus(t, err, http.StatusUnauthorized, "authentication_failed")
	if _, err := portal(t, w, app.Id, models.AppPortalAccessIn{}).Endpoint.List(ctx, app.Id, nil); err != nil {
		t.Errorf("a token from after the expiry: %v", err)
	}
	if _, err := w.svix.Application.Get(ctx, app.Id); err != nil {
		t.Errorf("the operator's token after the expiry of an app's: %v", err)
	}
}

func walkOrgs(t *testing.T, w *walk) {
	ctx := t.Context()
	app, h := w.app(t), w.receiver.Hook()
	ep := w.endpoint(t, app.Id, h, nil)
	m := w.post(t, app.Id, 1, nil)
	other := client(t, w.server, mint(t, w.server, "--org", orgNamed("foreign")))
	_, err := other.Application.Get(ctx, app.Id)
	wantStatus(t, err, http.StatusNotFound, "not_found")
	_, err = other.Endpoint.Get(ctx, app.Id, ep.Id)
	wantStatus(t, err, http.StatusNotFound, "not_found")
	_, err = other.Message.Get(ctx, app.Id, m.Id, nil)
	wantStatus(t, err, http.StatusNotFound, "not_found")
	_, err = other.Message.Create(ctx, app.Id, models.MessageIn{EventType: "a", Payload: map[string]any{}}, nil)
	wantStatus(t, err, http.StatusNotFound, "not_found")
	err = other.Application.Delete(ctx, app.Id)
	wantStatus(t, err, http.StatusNotFound, "not_found")

	reader := client(t, w.server, mint(t, w.server, "--read-only"))
	if _, err := reader.Application.Get(ctx, app.Id); err != nil {
		t.Error(err)
	}
	err = reader.Application.Delete(ctx, app.Id)
	wantStatus(t, err, http.StatusForbidden, "permission_denied")

	tenant := client(t, w.server, mint(t, w.server, "--app", app.Id))
	if _, err := tenant.Endpoint.Get(ctx, app.Id, ep.Id); err != nil {
		t.Error(err)
	}
	_, err = tenant.Application.List(ctx, nil)
	wantStatus(t, err, http.StatusForbidden, "permission_denied")
}

func walkLater(t *testing.T, w *walk) {
	ctx := t.Context()
	app, h := w.app(t), w.receiver.Hook()
	ep := w.endpoint(t, app.Id, h, nil)
	_, err := w.svix.Endpoint.ReplayMissing(ctx, app.Id, ep.Id, models.ReplayIn{Since: time.Now()}, nil)
	wantStatus(t, err, http.StatusNotImplemented, "not_implemented")
	_, err = w.svix.Endpoint.TransformationGet(ctx, app.Id, ep.Id)
	wantStatus(t, err, http.StatusNotImplemented, "not_implemented")
	_, err = w.svix.OperationalWebhookEndpoint.List(ctx, nil)
	wantStatus(t, err, http.StatusNotImplemented, "not_implemented")
	_, err = w.svix.EventType.ImportOpenapi(ctx, models.EventTypeImportOpenApiIn{}, nil)
	wantStatus(t, err, http.StatusNotImplemented, "not_implemented")
}
