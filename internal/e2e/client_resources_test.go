package e2e_test

import (
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	svix "github.com/svix/svix-webhooks/go"
	"github.com/svix/svix-webhooks/go/models"
	"github.com/svix/svix-webhooks/go/utils"

	"github.com/callboard/callboard/internal/e2e/kit"
)

func walkHealth(t *testing.T, w *walk) {
	if err := w.svix.Health.Get(t.Context()); err != nil {
		t.Errorf("health: %v", err)
	}
	for _, path := range []string{"/health", "/ready", "/api/v1/health", "/api/v1/ready", "/api/v1/health/"} {
		resp, err := http.Get(w.server.URL + path)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		if resp.StatusCode/100 != 2 || resp.StatusCode == http.StatusNoContent && len(body) > 0 {
			t.Errorf("GET %s: status %d body %q", path, resp.StatusCode, body)
		}
	}
}

func walkApplications(t *testing.T, w *walk) {
	ctx, apps := t.Context(), w.svix.Application
	uid := "acme.apps_1-x"
	made, err := apps.Create(ctx, models.ApplicationIn{
		Name: "Acme", Uid: &uid, ThrottleRate: new(uint16(50)), Metadata: &map[string]string{"plan": "gold"},
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	wellFormed(t, "app_", made.Id)
	recent(t, "createdAt", made.CreatedAt)
	want := &models.ApplicationOut{
		Id: made.Id, Name: "Acme", Uid: &uid, Metadata: map[string]string{"plan": "gold"},
		ThrottleRate: new(uint16(50)), RateLimit: new(uint16(50)), CreatedAt: made.CreatedAt, UpdatedAt: made.CreatedAt,
	}
	if diff := cmp.Diff(want, made); diff != "" {
		t.Errorf("create (-want +got):\n%s", diff)
	}
	for _, ref := range []string{made.Id, uid} {
		got, err := apps.Get(ctx, ref)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("get %s (-want +got):\n%s", ref, diff)
		}
	}

	_, err = apps.Create(ctx, models.ApplicationIn{Name: "Other", Uid: &uid}, nil)
	wantStatus(t, err, http.StatusConflict, "conflict")
	again, err := apps.GetOrCreate(ctx, models.ApplicationIn{Name: "Other", Uid: &uid}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, again); diff != "" {
		t.Errorf("get_if_exists of an existing app (-want +got):\n%s", diff)
	}

	patched, err := apps.Patch(ctx, uid, models.ApplicationPatch{
		Name: new("Acme 2"), ThrottleRate: utils.NewNullableFromPtr[uint16](nil),
	})
	if err != nil {
		t.Fatal(err)
	}
	want.Name, want.ThrottleRate, want.RateLimit, want.UpdatedAt = "Acme 2", nil, nil, patched.UpdatedAt
	if diff := cmp.Diff(want, patched); diff != "" {
		t.Errorf("patch (-want +got):\n%s", diff)
	}
	if !patched.UpdatedAt.After(made.UpdatedAt) {
		t.Errorf("updatedAt did not move: %s", patched.UpdatedAt)
	}

	replaced, err := apps.Update(ctx, made.Id, models.ApplicationIn{Name: "Acme 3", Uid: &uid, RateLimit: new(uint16(7))})
	if err != nil {
		t.Fatal(err)
	}
	want.Name, want.Metadata, want.UpdatedAt = "Acme 3", map[string]string{}, replaced.UpdatedAt
	want.ThrottleRate, want.RateLimit = new(uint16(7)), new(uint16(7))
	if diff := cmp.Diff(want, replaced); diff != "" {
		t.Errorf("put (-want +got):\n%s", diff)
	}

	upserted, err := apps.Update(ctx, "acme.upserted", models.ApplicationIn{Name: "Upserted", Uid: new("acme.upserted")})
	if err != nil {
		t.Fatal(err)
	}
	if upserted.Uid == nil || *upserted.Uid != "acme.upserted" || upserted.Id == made.Id {
		t.Errorf("put of an unknown uid gave %+v", upserted)
	}

	if err := apps.Delete(ctx, uid); err != nil {
		t.Fatal(err)
	}
	for _, ref := range []string{made.Id, uid} {
		_, err = apps.Get(ctx, ref)
		wantStatus(t, err, http.StatusNotFound, "not_found")
	}
	if _, err := apps.Create(ctx, models.ApplicationIn{Name: "Acme again", Uid: &uid}, nil); err != nil {
		t.Errorf("the uid of a deleted app is not free: %v", err)
	}
	walkApplicationLists(t, w)
}

// walkApplicationLists pages through an org of its own, both ways and in both orders.
func walkApplicationLists(t *testing.T, w *walk) {
	ctx := t.Context()
	apps := client(t, w.server, mint(t, w.server, "--org", orgNamed("apps"))).Application
	var ids []string
	for n := range 7 {
		app, err := apps.Create(ctx, models.ApplicationIn{Name: strconv.Itoa(n)}, nil)
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, app.Id)
	}
	if !slices.IsSorted(ids) {
		t.Errorf("ids do not sort by time: %q", ids)
	}
	for _, order := range []models.Ordering{models.ORDERING_ASCENDING, models.ORDERING_DESCENDING} {
		want := slices.Clone(ids)
		if order == models.ORDERING_DESCENDING {
			slices.Reverse(want)
		}
		options := &svix.ApplicationListOptions{Limit: new(uint64(3)), Order: &order}
		var got []string
		var last *models.ListResponseApplicationOut
		for pages := 0; ; pages++ {
			page, err := apps.List(ctx, options)
			if err != nil {
				t.Fatal(err)
			}
			if len(page.Data) > 3 || pages > 3 {
				t.Fatalf("page %d holds %d apps of at most 3", pages, len(page.Data))
			}
			for _, app := range page.Data {
				got = append(got, app.Id)
			}
			if last = page; page.Done {
				break
			}
			options.Iterator = page.Iterator
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("list %s (-want +got):\n%s", order, diff)
		}
		options.Iterator = last.PrevIterator
		back, err := apps.List(ctx, options)
		if err != nil {
			t.Fatal(err)
		}
		var before []string
		for _, app := range back.Data {
			before = append(before, app.Id)
		}
		if diff := cmp.Diff(want[3:6], before); diff != "" {
			t.Errorf("the page before the last, %s (-want +got):\n%s", order, diff)
		}
	}
	_, err := apps.List(ctx, &svix.ApplicationListOptions{Limit: new(uint64(251))})
	wantStatus(t, err, http.StatusUnprocessableEntity, "")
	_, err = apps.List(ctx, &svix.ApplicationListOptions{Iterator: new("ep_000000000000000000000000000")})
	wantStatus(t, err, http.StatusUnprocessableEntity, "")
}

func walkEndpoints(t *testing.T, w *walk) {
	ctx, endpoints := t.Context(), w.svix.Endpoint
	app := w.app(t)
	uid := "main"
	made, err := endpoints.Create(ctx, app.Id, models.EndpointIn{
		Url: "https://receiver.example.com/hooks?tenant=1", Description: new("The main one"), Uid: &uid, FilterTypes: []string{"a.b", "c"},
		Channels: []string{"eu", "us"}, ThrottleRate: new(uint16(9)), Metadata: &map[string]string{"k": "v"}, Version: new(uint16(1)),
		Headers: &map[string]string{"X-One": "1"},
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	wellFormed(t, "ep_", made.Id)
	recent(t, "createdAt", made.CreatedAt)
	want := &models.EndpointOut{
		Id: made.Id, Url: "https://receiver.example.com/hooks?tenant=1", Description: "The main one", Uid: &uid, FilterTypes: []string{"a.b", "c"},
		Channels: []string{"eu", "us"}, ThrottleRate: new(uint16(9)), RateLimit: new(uint16(9)), Metadata: map[string]string{"k": "v"},
		Disabled: new(false), Version: 1, CreatedAt: made.CreatedAt, UpdatedAt: made.CreatedAt,
	}
	if diff := cmp.Diff(want, made); diff != "" {
		t.Errorf("create (-want +got):\n%s", diff)
	}
	for _, ref := range []string{made.Id, uid} {
		got, err := endpoints.Get(ctx, app.Id, ref)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("get %s (-want +got):\n%s", ref, diff)
		}
	}
	headers, err := endpoints.GetHeaders(ctx, app.Id, uid)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(&models.EndpointHeadersOut{Headers: map[string]string{"X-One": "1"}, Sensitive: []string{}}, headers); diff != "" {
		t.Errorf("headers given at creation (-want +got):\n%s", diff)
	}
	_, err = endpoints.Create(ctx, app.Id, models.EndpointIn{Url: "https://other.example.com", Uid: &uid}, nil)
	wantStatus(t, err, http.StatusConflict, "conflict")

	patched, err := endpoints.Patch(ctx, app.Id, uid, models.EndpointPatch{
		Description: new("Changed"), Channels: utils.NewNullableFromPtr[[]string](nil), ThrottleRate: utils.NewNullableFromPtr[uint16](nil),
		FilterTypes: utils.NewNullable([]string{"c"}),
	})
	if err != nil {
		t.Fatal(err)
	}
	want.Description, want.Channels, want.ThrottleRate, want.RateLimit = "Changed", nil, nil, nil
	want.FilterTypes, want.UpdatedAt = []string{"c"}, patched.UpdatedAt
	if diff := cmp.Diff(want, patched); diff != "" {
		t.Errorf("patch (-want +got):\n%s", diff)
	}

	replaced, err := endpoints.Update(ctx, app.Id, made.Id, models.EndpointUpdate{
		Url: "https://receiver.example.com/v2", Uid: &uid, Disabled: new(true),
	})
	if err != nil {
		t.Fatal(err)
	}
	want = &models.EndpointOut{
		Id: made.Id, Url: "https://receiver.example.com/v2", Uid: &uid, Metadata: map[string]string{}, Disabled: new(true),
		Version: 1, CreatedAt: made.CreatedAt, UpdatedAt: replaced.UpdatedAt,
	}
	if diff := cmp.Diff(want, replaced); diff != "" {
		t.Errorf("put (-want +got):\n%s", diff)
	}
	upserted, err := endpoints.Update(ctx, app.Id, "second", models.EndpointUpdate{Url: "https://second.example.com"})
	if err != nil {
		t.Fatal(err)
	}
	if upserted.Uid == nil || *upserted.Uid != "second" {
		t.Errorf("put of an unknown uid gave %+v", upserted)
	}

	list, err := endpoints.List(ctx, app.Id, &svix.EndpointListOptions{Order: new(models.ORDERING_ASCENDING)})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]models.EndpointOut{*want, *upserted}, list.Data); diff != "" || !list.Done {
		t.Errorf("list, done %t (-want +got):\n%s", list.Done, diff)
	}
	first, err := endpoints.List(ctx, app.Id, &svix.EndpointListOptions{Order: new(models.ORDERING_DESCENDING), Limit: new(uint64(1))})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]models.EndpointOut{*upserted}, first.Data); diff != "" || first.Done || first.Iterator == nil {
		t.Errorf("first page, done %t (-want +got):\n%s", first.Done, diff)
	}

	if err := endpoints.Delete(ctx, app.Id, "second"); err != nil {
		t.Fatal(err)
	}
	_, err = endpoints.Get(ctx, app.Id, upserted.Id)
	wantStatus(t, err, http.StatusNotFound, "not_found")
	other := w.app(t)
	_, err = endpoints.Get(ctx, other.Id, made.Id)
	wantStatus(t, err, http.StatusNotFound, "not_found")
}

func walkEndpointHeaders(t *testing.T, w *walk) {
	ctx, endpoints := t.Context(), w.svix.Endpoint
	app, h := w.app(t), w.receiver.Hook()
	ep := w.endpoint(t, app.Id, h, nil)
	if err := endpoints.UpdateHeaders(ctx, app.Id, ep.Id, models.EndpointHeadersIn{
		Headers: map[string]string{"X-Tenant": "acme", "Authorization": "Bearer hush", "X-Old": "1"},
	}); err != nil {
		t.Fatal(err)
	}
	if err := endpoints.PatchHeaders(ctx, app.Id, ep.Id, models.EndpointHeadersPatchIn{
		Headers: map[string]string{"X-Tenant": "acme-2", "X-New": "a b"}, DeleteHeaders: []string{"x-old"},
	}); err != nil {
		t.Fatal(err)
	}
	got, err := endpoints.GetHeaders(ctx, app.Id, ep.Id)
	if err != nil {
		t.Fatal(err)
	}
	want := &models.EndpointHeadersOut{
		Headers: map[string]string{"X-Tenant": "acme-2", "X-New": "a b"}, Sensitive: []string{"Authorization"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("headers (-want +got):\n%s", diff)
	}
	w.post(t, app.Id, 1, nil)
	d := h.Await(t, 1)[0]
	sent := map[string]string{}
	for _, name := range []string{"X-Tenant", "X-New", "Authorization", "X-Old", "Content-Type"} {
		sent[name] = d.Header.Get(name)
	}
	if diff := cmp.Diff(map[string]string{
		"X-Tenant": "acme-2", "X-New": "a b", "Authorization": "Bearer hush", "X-Old": "", "Content-Type": "application/json",
	}, sent); diff != "" {
		t.Errorf("sent headers (-want +got):\n%s", diff)
	}
	for _, name := range []string{"id", "timestamp", "signature"} {
		if a, b := d.Header.Get("webhook-"+name), d.Header.Get("svix-"+name); a == "" || a != b {
			t.Errorf("webhook-%s is %q, svix-%s is %q", name, a, name, b)
		}
	}
}

func walkEndpointSecret(t *testing.T, w *walk) {
	ctx, endpoints := t.Context(), w.svix.Endpoint
	app, h := w.app(t), w.receiver.Hook()
	ep := w.endpoint(t, app.Id, h, nil)
	secret := func() string {
		t.Helper()
		out, err := endpoints.GetSecret(ctx, app.Id, ep.Id)
		if err != nil {
			t.Fatal(err)
		}
		return out.Key
	}
	if got := secret(); got != h.Secret {
		t.Errorf("the secret is not the one that was given")
	}
	// Both sign during the grace period, whichever the receiver knows.
	second := kit.NewSecret()
	if err := endpoints.RotateSecret(ctx, app.Id, ep.Id, models.EndpointSecretRotateIn{
		Key: &second, GracePeriodSeconds: new(uint32(3600)),
	}, nil); err != nil {
		t.Fatal(err)
	}
	if got := secret(); got != second {
		t.Errorf("the secret after the rotation is not the new one")
	}
	m := w.post(t, app.Id, 1, nil)
	d := h.AwaitMessage(t, m.Id, 1)[0]
	for _, s := range []string{h.Secret, second} {
		if err := kit.Verify(s, d.Body, d.Header); err != nil {
			t.Errorf("during the grace period: %v", err)
		}
	}
	// Without a grace period the old ones are gone at once. The server makes this one up.
	h.Trust(second)
	if err := endpoints.RotateSecret(ctx, app.Id, ep.Id, models.EndpointSecretRotateIn{GracePeriodSeconds: new(uint32(0))}, nil); err != nil {
		t.Fatal(err)
	}
	third := secret()
	h.Trust(third)
	m = w.post(t, app.Id, 2, nil)
	d = h.AwaitMessage(t, m.Id, 1)[0]
	if err := kit.Verify(third, d.Body, d.Header); err != nil {
		t.Errorf("after the rotation: %v", err)
	}
	for _, s := range []string{h.Secret, second} {
		if err := kit.Verify(s, d.Body, d.Header); err == nil {
			t.Errorf("an old secret still verifies without a grace period")
		}
	}
	if third == h.Secret || third == second || !strings.HasPrefix(third, "whsec_") {
		t.Errorf("the server made a secret that is no new one")
	}

	made, err := endpoints.Create(ctx, app.Id, models.EndpointIn{Url: "https://receiver.example.com"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	out, err := endpoints.GetSecret(ctx, app.Id, made.Id)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := svix.NewWebhook(out.Key); err != nil || !strings.HasPrefix(out.Key, "whsec_") {
		t.Errorf("an endpoint without a secret got none that Svix's library takes: %v", err)
	}
}

func walkEventTypes(t *testing.T, w *walk) {
	ctx := t.Context()
	token := mint(t, w.server, "--org", orgNamed("types"))
	types := client(t, w.server, token).EventType
	// A plain Svix server has no types besides the org's own.
	if got := ask(t, w.server, token, http.MethodPatch, "/api/v1/settings", `{"catalog":"none"}`, nil); got.status != http.StatusOK {
		t.Fatalf("settings: %d %s", got.status, got.body)
	}
	schemas := map[string]any{"1": map[string]any{"type": "object", "title": "User"}}
	made, err := types.Create(ctx, models.EventTypeIn{
		Name: "user.signed_up", Description: "A user signed up", Schemas: &schemas, GroupName: new("user"), FeatureFlags: []string{"beta"},
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	recent(t, "createdAt", made.CreatedAt)
	want := &models.EventTypeOut{
		Name: "user.signed_up", Description: "A user signed up", Schemas: &schemas, GroupName: new("user"), FeatureFlags: []string{"beta"},
		FeatureFlag: new("beta"), Archived: new(false), CreatedAt: made.CreatedAt, UpdatedAt: made.CreatedAt,
	}
	if diff := cmp.Diff(want, made); diff != "" {
		t.Errorf("create (-want +got):\n%s", diff)
	}
	_, err = types.Create(ctx, models.EventTypeIn{Name: "user.signed_up", Description: "Again"}, nil)
	wantStatus(t, err, http.StatusConflict, "conflict")
	got, err := types.Get(ctx, "user.signed_up")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("get (-want +got):\n%s", diff)
	}
	patched, err := types.Patch(ctx, "user.signed_up", models.EventTypePatch{
		Description: new("Changed"), Deprecated: new(true), FeatureFlags: utils.NewNullableFromPtr[[]string](nil),
	})
	if err != nil {
		t.Fatal(err)
	}
	want.Description, want.Deprecated, want.FeatureFlags, want.FeatureFlag, want.UpdatedAt = "Changed", true, nil, nil, patched.UpdatedAt
	if diff := cmp.Diff(want, patched); diff != "" {
		t.Errorf("patch (-want +got):\n%s", diff)
	}
	replaced, err := types.Update(ctx, "user.signed_up", models.EventTypeUpdate{Description: "Replaced"})
	if err != nil {
		t.Fatal(err)
	}
	want = &models.EventTypeOut{
		Name: "user.signed_up", Description: "Replaced", Archived: new(false), CreatedAt: made.CreatedAt, UpdatedAt: replaced.UpdatedAt,
	}
	if diff := cmp.Diff(want, replaced); diff != "" {
		t.Errorf("put (-want +got):\n%s", diff)
	}
	if _, err := types.Update(ctx, "user.left", models.EventTypeUpdate{Description: "Put"}); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"user.left", "user.signed_up"}, eventTypeNames(t, types, false)); diff != "" {
		t.Errorf("list (-want +got):\n%s", diff)
	}

	if err := types.Delete(ctx, "user.signed_up", nil); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"user.left"}, eventTypeNames(t, types, false)); diff != "" {
		t.Errorf("list after archiving (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"user.left", "user.signed_up"}, eventTypeNames(t, types, true)); diff != "" {
		t.Errorf("list with archived ones (-want +got):\n%s", diff)
	}
	archived, err := types.Get(ctx, "user.signed_up")
	if err != nil || archived.Archived == nil || !*archived.Archived {
		t.Errorf("an archived type: %+v, %v", archived, err)
	}
	if err := types.Delete(ctx, "user.signed_up", &svix.EventTypeDeleteOptions{Expunge: new(true)}); err != nil {
		t.Fatal(err)
	}
	_, err = types.Get(ctx, "user.signed_up")
	wantStatus(t, err, http.StatusNotFound, "not_found")
}

// eventTypeNames lists the names of an org's types, one a page.
func eventTypeNames(t testing.TB, types *svix.EventType, archived bool) []string {
	t.Helper()
	var names []string
	options := &svix.EventTypeListOptions{Limit: new(uint64(1)), IncludeArchived: &archived}
	for range 100 {
		page, err := types.List(t.Context(), options)
		if err != nil {
			t.Fatal(err)
		}
		for _, et := range page.Data {
			names = append(names, et.Name)
		}
		if page.Done {
			return names
		}
		options.Iterator = page.Iterator
	}
	t.Fatal("the list of event types does not end")
	return nil
}
