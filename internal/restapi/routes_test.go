package restapi_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/svix/svix-webhooks/go/models"

	"github.com/callboard/callboard/internal/store"
	"github.com/callboard/callboard/internal/token"
)

// fits decodes a body as Svix's own client does and checks that every field that
// the client requires is there and not null.
func fits[T any](t *testing.T, body string) {
	t.Helper()
	var model T
	if err := json.Unmarshal([]byte(body), &model); err != nil {
		t.Fatalf("the client cannot read it: %v\n%s", err, body)
	}
	var loose any
	if err := json.Unmarshal([]byte(body), &loose); err != nil {
		t.Fatal(err)
	}
	hasRequired(t, reflect.TypeFor[T](), loose, "")
}

func hasRequired(t *testing.T, typ reflect.Type, value any, at string) {
	t.Helper()
	switch typ.Kind() {
	case reflect.Pointer:
		hasRequired(t, typ.Elem(), value, at)
	case reflect.Slice:
		items, _ := value.([]any)
		for i, item := range items {
			hasRequired(t, typ.Elem(), item, fmt.Sprintf("%s[%d]", at, i))
		}
	case reflect.Struct:
		object, ok := value.(map[string]any)
		if !ok { // a time
			return
		}
		for field := range typ.Fields() {
			name, options, _ := strings.Cut(field.Tag.Get("json"), ",")
			inner, sent := object[name]
			if options == "" && (!sent || inner == nil) {
				t.Errorf("%s.%s is required and is %v", at, name, inner)
			}
			if sent && inner != nil {
				hasRequired(t, field.Type, inner, at+"."+name)
			}
		}
	}
}

func TestAnswersFitSvixsClient(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	app := w.do("POST", "/app", `{"name":"A","uid":"a","throttleRate":50,"metadata":{"k":"v"}}`).want(201)
	fits[models.ApplicationOut](t, app.Body)
	bare := w.do("POST", "/app", `{"name":"Bare"}`).want(201)
	fits[models.ApplicationOut](t, bare.Body)
	ep := w.do("POST", "/app/a/endpoint", `{"url":"https://example.com","uid":"e","eventTypes":["x.y"],"channels":["c"],"rateLimit":7}`).want(201)
	fits[models.EndpointOut](t, ep.Body)
	fits[models.EndpointOut](t, w.do("POST", "/app/a/endpoint", `{"url":"https://example.com"}`).want(201).Body)
	msg := w.do("POST", "/app/a/msg", `{"eventType":"x.y","payload":{"a":1},"channels":["c"],"tags":["t"],"eventId":"m"}`).want(202)
	fits[models.MessageOut](t, msg.Body)
	fits[models.MessageOut](t, w.do("POST", "/app/a/msg?with_content=false", `{"eventType":"x.y","payload":{"a":1}}`).want(202).Body)
	w.deliver(ep.text("id"), 500)
	w.do("POST", "/event-type", `{"name":"x.y","description":"d","schemas":{"1":{"type":"object","examples":[{"a":2}]}}}`).want(201)

	fits[models.ListResponseApplicationOut](t, w.do("GET", "/app", "").want(200).Body)
	fits[models.ApplicationOut](t, w.do("GET", "/app/a", "").want(200).Body)
	fits[models.ListResponseEndpointOut](t, w.do("GET", "/app/a/endpoint", "").want(200).Body)
	fits[models.EndpointSecretOut](t, w.do("GET", "/app/a/endpoint/e/secret", "").want(200).Body)
	fits[models.EndpointHeadersOut](t, w.do("GET", "/app/a/endpoint/e/headers", "").want(200).Body)
	fits[models.EndpointStats](t, w.do("GET", "/app/a/endpoint/e/stats", "").want(200).Body)
	fits[models.MessageOut](t, w.do("POST", "/app/a/endpoint/e/send-example", `{"eventType":"x.y"}`).want(202).Body)
	recovery := w.do("POST", "/app/a/endpoint/e/recover", `{"since":"2026-01-01T00:00:00Z"}`).want(202)
	fits[models.RecoverOut](t, recovery.Body)
	fits[models.BackgroundTaskOut](t, w.do("GET", "/background-task/"+recovery.text("id"), "").want(200).Body)
	fits[models.ListResponseBackgroundTaskOut](t, w.do("GET", "/background-task", "").want(200).Body)
	fits[models.ListResponseMessageOut](t, w.do("GET", "/app/a/msg", "").want(200).Body)
	fits[models.ListResponseMessageAttemptOut](t, w.do("GET", "/app/a/attempt/endpoint/e?with_msg=true", "").want(200).Body)
	attempts := w.do("GET", "/app/a/attempt/msg/m", "").want(200)
	fits[models.ListResponseMessageAttemptOut](t, attempts.Body)
	fits[models.MessageAttemptOut](t, w.do("GET", "/app/a/msg/m/attempt/"+attempts.field("id")[0], "").want(200).Body)
	fits[models.ListResponseEndpointMessageOut](t, w.do("GET", "/app/a/endpoint/e/msg", "").want(200).Body)
	fits[models.ListResponseMessageEndpointOut](t, w.do("GET", "/app/a/msg/m/endpoint", "").want(200).Body)
	fits[models.EmptyResponse](t, w.do("POST", "/app/a/msg/m/endpoint/e/resend", "").want(202).Body)
	fits[models.MessagePrecheckOut](t, w.do("POST", "/app/a/msg/precheck/active", `{"eventType":"x.y"}`).want(200).Body)
	fits[models.ListResponseEventTypeOut](t, w.do("GET", "/event-type?with_content=true", "").want(200).Body)
	fits[models.EventTypeOut](t, w.do("GET", "/event-type/x.y", "").want(200).Body)
	fits[models.AppPortalAccessOut](t, w.do("POST", "/auth/app-portal-access/a", `{}`).want(200).Body)
	fits[models.DashboardAccessOut](t, w.do("POST", "/auth/dashboard-access/a", "").want(200).Body)

	// Both spellings of renamed fields, whichever was sent.
	for name, want := range map[string]string{
		"filterTypes": "[x.y]", "eventTypes": "[x.y]", "rateLimit": "7", "throttleRate": "7", "version": "1",
	} {
		if got := fmt.Sprint(ep.json()[name]); got != want {
			t.Errorf("endpoint %s: %s, want %s", name, got, want)
		}
	}
	for _, name := range []string{"rateLimit", "throttleRate"} {
		if got := fmt.Sprint(app.json()[name]); got != "50" {
			t.Errorf("app %s: %s", name, got)
		}
	}
}

func TestApps(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	first := w.app("acme")
	if got := w.do("POST", "/app?get_if_exists=true", `{"name":"Other name","uid":"acme"}`).want(200); got.text("id") != first || got.text("name") != "App acme" {
		t.Errorf("get_if_exists gave %s", got.Body)
	}
	w.do("POST", "/app", `{"name":"Again","uid":"acme"}`).want(409)
	w.do("POST", "/app?get_if_exists=true", `{"name":"New","uid":"new"}`).want(201)

	// PUT replaces, and creates under an unknown uid.
	put := w.do("PUT", "/app/upsert", `{"name":"One","throttleRate":3,"metadata":{"a":"b"}}`).want(201)
	if put.text("uid") != "upsert" {
		t.Errorf("uid of %s", put.Body)
	}
	again := w.do("PUT", "/app/upsert", `{"name":"Two"}`).want(200).json()
	if diff := cmp.Diff([]any{"Two", "upsert", nil, map[string]any{}}, []any{again["name"], again["uid"], again["throttleRate"], again["metadata"]}); diff != "" {
		t.Error(diff)
	}
	w.do("PUT", "/app/app_0ujsswThIGTUYm2K8FjOOfXtY1K", `{"name":"Forged"}`).want(404)

	// PATCH changes what is sent, and null clears.
	w.do("PATCH", "/app/upsert", `{"throttleRate":9,"metadata":{"x":"y"}}`).want(200)
	patched := w.do("PATCH", "/app/upsert", `{"throttleRate":null,"uid":"renamed"}`).want(200).json()
	if diff := cmp.Diff([]any{"Two", "renamed", nil, map[string]any{"x": "y"}},
		[]any{patched["name"], patched["uid"], patched["throttleRate"], patched["metadata"]}); diff != "" {
		t.Error(diff)
	}
	w.do("PATCH", "/app/upsert", `{"name":"gone"}`).want(404)
	w.do("PATCH", "/app/renamed", `{"uid":"acme"}`).want(409)

	w.do("DELETE", "/app/acme", "").want(204)
	w.do("GET", "/app/"+first, "").want(404)
	w.do("DELETE", "/app/acme", "").want(404)
}

func TestEndpoints(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.app("a")
	created := w.do("POST", "/app/a/endpoint", `{"url":"https://example.com/1","uid":"e","description":"d","filterTypes":["x"],"channels":["c"],
		"throttleRate":5,"metadata":{"k":"v"},"version":3,"headers":{"X-One":"1"},"retrySchedule":["5s","1m30s"],"timeout":"20s","deadline":"24h",
		"translate":false,"ordering":"none","dialect":"native","somethingNew":{"deep":[1]}}`).want(201).json()
	w.do("POST", "/app/a/endpoint", `{"url":"https://example.com/1","uid":"e"}`).want(409)
	want := map[string]any{
		"description": "d", "version": 3.0, "translate": false, "timeout": "20s", "deadline": "24h0m0s", "dialect": "native", "ordering": "none",
		"retrySchedule": []any{"5s", "1m30s"}, "channels": []any{"c"}, "metadata": map[string]any{"k": "v"}, "disabled": false,
	}
	for name := range want {
		if diff := cmp.Diff(want[name], created[name]); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}

	// PUT puts Svix's fields back to their defaults and leaves ours.
	secret := w.do("GET", "/app/a/endpoint/e/secret", "").want(200).text("key")
	put := w.do("PUT", "/app/a/endpoint/e", `{"url":"https://example.com/2"}`).want(200).json()
	for name, want := range map[string]any{
		"url": "https://example.com/2", "uid": "e", "description": "", "filterTypes": nil, "channels": nil, "throttleRate": nil,
		"metadata": map[string]any{}, "version": 3.0, "translate": false, "timeout": "20s", "retrySchedule": []any{"5s", "1m30s"},
	} {
		if diff := cmp.Diff(want, put[name]); diff != "" {
			t.Errorf("after PUT, %s: %s", name, diff)
		}
	}
	if got := w.do("GET", "/app/a/endpoint/e/secret", "").want(200).text("key"); got != secret {
		t.Error("PUT changed the secret")
	}
	if got := w.do("GET", "/app/a/endpoint/e/headers", "").want(200).Body; !strings.Contains(got, `"X-One":"1"`) {
		t.Errorf("PUT changed the headers: %s", got)
	}
	w.do("PUT", "/app/a/endpoint/new", `{"url":"https://example.com/new"}`).want(201)

	patched := w.do("PATCH", "/app/a/endpoint/e", `{"disabled":true,"timeout":null,"eventTypes":["p.q"],"translate":true}`).want(200).json()
	for name, want := range map[string]any{
		"disabled": true, "disabledReason": "api", "timeout": nil, "filterTypes": []any{"p.q"}, "translate": true, "url": "https://example.com/2",
	} {
		if diff := cmp.Diff(want, patched[name]); diff != "" {
			t.Errorf("after PATCH, %s: %s", name, diff)
		}
	}
	if got := w.do("PATCH", "/app/a/endpoint/e", `{"disabled":false,"filterTypes":null}`).want(200).json(); got["disabledReason"] != nil || got["filterTypes"] != nil {
		t.Errorf("after enabling: %v", got)
	}
	w.do("PATCH", "/app/a/endpoint/unknown", `{"disabled":false}`).want(404)

	w.do("DELETE", "/app/a/endpoint/e", "").want(204)
	w.do("GET", "/app/a/endpoint/e", "").want(404)
}

func TestLaterFieldsAnswer501(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.app("a")
	for _, body := range []string{
		`{"url":"https://example.com","ordering":"key"}`,
		`{"url":"https://example.com","filter":{"field":"a"}}`,
	} {
		if got := w.do("POST", "/app/a/endpoint", body).want(501); got.text("code") != "not_implemented" {
			t.Error(got.Body)
		}
	}
	w.do("POST", "/app/a/endpoint", `{"url":"https://example.com","ordering":null,"filter":null}`).want(201)
}

func TestSecrets(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.app("a")
	const (
		one  = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
		two  = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"
		path = "/app/a/endpoint/e/secret"
	)
	w.endpoint("a", `,"uid":"e","secret":"`+one+`"`)
	key := func() string { return w.do("GET", path, "").want(200).text("key") }
	if key() != one {
		t.Error("the chosen secret is not shown")
	}
	w.do("POST", path+"/rotate", `{"key":"`+two+`","gracePeriodSeconds":60}`).want(204)
	if key() != two {
		t.Error("the new secret is not shown")
	}
	for _, body := range []string{"", "{}", `{"key":null,"gracePeriodSeconds":null}`} {
		before := key()
		w.do("POST", path+"/rotate", body).want(204)
		if after := key(); after == before || !strings.HasPrefix(after, "whsec_") {
			t.Errorf("rotation with %q gave %s", body, after)
		}
	}
	w.do("PATCH", "/app/a/endpoint/e", `{"secret":"`+one+`"}`).want(200)
	if key() != one {
		t.Error("PATCH did not set the secret")
	}
}

func TestPrivateKeysAreNotGivenOut(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.app("a")
	const private = "whsk_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbfVKIDij2HKpMKkioLlX0dRqSKJp4AJ6p9lMicMFs6Kvg=="
	w.endpoint("a", `,"uid":"e","secret":"`+private+`"`)
	if got := w.do("GET", "/app/a/endpoint/e/secret", "").want(200).text("key"); !strings.HasPrefix(got, "whpk_") {
		t.Errorf("the secret's route gives %s", got)
	}
}

func TestHeaders(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.app("a")
	const path = "/app/a/endpoint/e/headers"
	w.endpoint("a", `,"uid":"e"`)
	shown := func() string { return w.do("GET", path, "").want(200).Body }
	check := func(step, want string) {
		t.Helper()
		if got := strings.TrimSpace(shown()); got != want {
			t.Errorf("%s: %s, want %s", step, got, want)
		}
	}
	check("at first", `{"headers":{},"sensitive":[]}`)
	w.do("PUT", path, `{"headers":{"X-A":"1","Authorization":"hidden","X-Mine":"hidden"},"sensitive":["x-mine"]}`).want(204)
	check("after PUT", `{"headers":{"X-A":"1"},"sensitive":["Authorization","X-Mine"]}`)
	w.do("PATCH", path, `{"headers":{"x-a":"2","X-B":"3","Authorization":null}}`).want(204)
	check("after PATCH", `{"headers":{"X-B":"3","x-a":"2"},"sensitive":["X-Mine"]}`)
	w.do("PATCH", path, `{"headers":{},"deleteHeaders":["X-A","x-mine"]}`).want(204)
	check("after deleting", `{"headers":{"X-B":"3"},"sensitive":[]}`)
}

func TestMessages(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	appID := w.app("a")
	const payload = `{ "b" : 1.50,  "a":"\u00e9\/", "b": 2 }`
	posted := w.do("POST", "/app/a/msg", `{"payload":`+payload+`,"eventType":"x.y","eventId":"m-1","tags":["t"],"unknown":[{}]}`).want(202)
	if !strings.Contains(posted.Body, payload) {
		t.Errorf("the answer changes the payload: %s", posted.Body)
	}
	row, err := w.store.Message(t.Context(), w.appID(appID), store.Ref{UID: "m-1"})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(payload, string(row.Payload)); diff != "" {
		t.Error("the payload is not stored byte for byte:", diff)
	}
	w.do("POST", "/app/a/msg", `{"payload":{},"eventType":"x.y","eventId":"m-1"}`).want(409)

	got := w.do("GET", "/app/a/msg/m-1", "").want(200)
	for name, want := range map[string]any{"id": posted.text("id"), "eventId": "m-1", "timestamp": posted.text("timestamp"), "channels": nil} {
		if got.json()[name] != want {
			t.Errorf("%s: %v, want %v", name, got.json()[name], want)
		}
	}
	if got := w.do("GET", "/app/a/msg/m-1?with_content=false", "").want(200); !strings.Contains(got.Body, `"payload":{}`) {
		t.Error(got.Body)
	}
	w.do("DELETE", "/app/a/msg/m-1/content", "").want(204)
	if got := w.do("GET", "/app/a/msg/m-1", "").want(200); !strings.Contains(got.Body, `"payload":{"expired":true}`) {
		t.Error(got.Body)
	}

	// The payload under its other names.
	if got := w.do("POST", "/app/a/msg", `{"data":{"n":1},"eventType":"x.y"}`).want(202); !strings.Contains(got.Body, `"payload":{"n":1}`) {
		t.Error(got.Body)
	}
	raw := w.do("POST", "/app/a/msg", `{"payload":{},"eventType":"x.y","transformationsParams":{"rawPayload":"{ \"n\" : 2 }"}}`).want(202)
	if !strings.Contains(raw.Body, `"payload":{ "n" : 2 }`) {
		t.Error(raw.Body)
	}
	// An app on the way.
	created := `{"payload":{},"eventType":"x.y","application":{"name":"Made","uid":"made"}}`
	w.do("POST", "/app/made/msg", created).want(202)
	w.do("POST", "/app/made/msg", created).want(202)
	if got := w.do("GET", "/app/made", "").want(200); got.text("name") != "Made" {
		t.Error(got.Body)
	}
	at := time.Now().Add(time.Hour).UTC().Truncate(time.Second).Format(time.RFC3339)
	if got := w.do("POST", "/app/a/msg", `{"payload":{},"eventType":"x.y","deliverAt":"`+at+`","deadline":"3h","payloadRetentionPeriod":5}`).want(202); got.text("deliverAt") != at {
		t.Error(got.Body)
	}
}

func TestPrecheck(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.app("a")
	active := func(body string) bool {
		return w.do("POST", "/app/a/msg/precheck/active", body).want(200).json()["active"].(bool)
	}
	if active(`{"eventType":"x.y"}`) {
		t.Error("active without endpoints")
	}
	w.endpoint("a", `,"filterTypes":["x.y"],"channels":["c"]`)
	w.endpoint("a", `,"dialect":"silent"`)
	for body, want := range map[string]bool{
		`{"eventType":"x.y","channels":["c"]}`: true,
		`{"eventType":"x.y"}`:                  false,
		`{"eventType":"p.q","channels":["c"]}`: false,
	} {
		if got := active(body); got != want {
			t.Errorf("%s: %v", body, got)
		}
	}
}

func TestAttempts(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.app("a")
	good, bad := w.endpoint("a", `,"uid":"good"`), w.endpoint("a", `,"uid":"bad","filterTypes":["x.y"]`)
	w.message("a", "x.y", `,"eventId":"m1","tags":["t"]`)
	w.message("a", "p.q", `,"eventId":"m2","channels":["c"]`)
	w.deliver(good, 204)
	w.deliver(bad, 0)

	count := func(path string, want int) {
		t.Helper()
		if got := len(w.do("GET", "/app/a"+path, "").want(200).items()); got != want {
			t.Errorf("%s: %d items, want %d", path, got, want)
		}
	}
	count("/attempt/endpoint/good", 2)
	count("/attempt/endpoint/bad", 1)
	count("/attempt/msg/m1", 2)
	count("/attempt/msg/m1?endpoint_id=bad", 1)
	count("/attempt/msg/m1?status=0", 1)
	count("/attempt/msg/m1?status=2", 1)
	count("/attempt/msg/m1?status=1", 0)
	count("/attempt/msg/m1?status=3", 0)
	count("/attempt/msg/m1?status=4", 0)
	count("/attempt/msg/m1?status_code_class=0", 1)
	count("/attempt/msg/m1?status_code_class=200", 1)
	count("/attempt/msg/m1?status_code_class=500", 0)
	for _, spelling := range []string{
		"event_types=x.y,none", "event_types[]=x.y&event_types[]=none", "event_types=x.y&event_types=none", "event_types%5B%5D=x.y",
	} {
		count("/attempt/endpoint/good?"+spelling, 1)
	}
	count("/attempt/endpoint/good?tag=t", 1)
	count("/attempt/endpoint/good?channel=c", 1)
	count("/endpoint/good/msg?status=0", 2)
	count("/endpoint/bad/msg?status=2", 1)
	count("/endpoint/bad/msg?status=4&expanded_statuses=true", 0)
	count("/endpoint/bad/msg?status=4", 0)
	count("/msg/m1/endpoint", 2)

	failed := w.do("GET", "/app/a/attempt/endpoint/bad", "").want(200).items()[0]
	for name, want := range map[string]any{
		"response": "connection refused", "responseStatusCode": 0.0, "responseDurationMs": 12.0, "status": 2.0, "statusText": "fail", "triggerType": 0.0,
		"url": "https://example.com/hook", "endpointId": bad,
	} {
		if failed[name] != want {
			t.Errorf("%s: %v, want %v", name, failed[name], want)
		}
	}
	if got := w.do("GET", "/app/a/attempt/msg/m1?with_content=false&endpoint_id=good", "").want(200).items()[0]["response"]; got != "" {
		t.Errorf("response without content: %v", got)
	}
	attempt := fmt.Sprint(failed["id"])
	w.do("GET", "/app/a/msg/m1/attempt/"+attempt, "").want(200)
	w.do("GET", "/app/a/msg/m2/attempt/"+attempt, "").want(404)
	ofGood := w.do("GET", "/app/a/attempt/msg/m1?endpoint_id=good", "").field("id")[0]
	w.do("DELETE", "/app/a/msg/m1/attempt/"+ofGood+"/content", "").want(204)
	if got := w.do("GET", "/app/a/msg/m1/attempt/"+ofGood, "").want(200).text("response"); got != "" {
		t.Errorf("response after deleting it: %q", got)
	}

	message := w.do("GET", "/app/a/endpoint/bad/msg", "").want(200).items()[0]
	if message["statusText"] != "fail" || message["reason"] != "exhausted" || message["nextAttempt"] != nil {
		t.Errorf("message of an endpoint: %v", message)
	}
	if got := strings.TrimSpace(w.do("GET", "/app/a/endpoint/good/stats", "").want(200).Body); got != `{"success":2,"pending":0,"sending":0,"fail":0,"canceled":0}` {
		t.Error(got)
	}
	future := time.Now().Add(time.Hour).UTC().Format(time.RFC3339)
	if got := w.do("GET", "/app/a/endpoint/good/stats?since="+future, "").want(200).json()["success"]; got != 0.0 {
		t.Errorf("deliveries of the future: %v", got)
	}

	// Resend and recover.
	w.do("POST", "/app/a/msg/m1/endpoint/bad/resend", "").want(202)
	w.deliver(bad, 200)
	again := w.do("GET", "/app/a/attempt/endpoint/bad", "").want(200).items()[0]
	if again["triggerType"] != 1.0 || again["status"] != 0.0 {
		t.Errorf("attempt of a resend: %v", again)
	}
	w.do("DELETE", "/app/a/msg/m1/content", "").want(204)
	w.do("POST", "/app/a/msg/m1/endpoint/bad/resend", "").want(409)
	w.do("POST", "/app/a/msg/unknown/endpoint/bad/resend", "").want(404)
}

func TestTasks(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.app("a")
	w.app("b")
	w.endpoint("a", `,"uid":"e"`)
	task := w.do("POST", "/app/a/endpoint/e/recover", `{"since":"2026-01-01T00:00:00Z","until":null}`).want(202).text("id")
	w.do("DELETE", "/app/b", "").want(204) // starts a task that clients do not know
	if got := w.do("GET", "/background-task", "").want(200).field("id"); !slices.Equal(got, []string{task}) {
		t.Errorf("tasks %v, want %s alone", got, task)
	}
	for query, want := range map[string]int{
		"?status=running": 1, "?status=finished": 0, "?task=endpoint.recover": 1, "?task=endpoint.replay": 0,
	} {
		if got := len(w.do("GET", "/background-task"+query, "").want(200).items()); got != want {
			t.Errorf("%s: %d tasks", query, got)
		}
	}
	w.do("GET", "/background-task/qtask_0ujsswThIGTUYm2K8FjOOfXtY1K", "").want(404)
	w.do("POST", "/app/a/endpoint/e/recover", `{"since":"2100-01-01T00:00:00Z"}`).want(422)
}

func TestEventTypes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const schemas = `{"1":{"type":"object","title":"One"}}`
	w.do("POST", "/event-type", `{"name":"x.y","description":"d","schemas":`+schemas+`,"featureFlag":"beta","groupName":"g"}`).want(201)
	w.do("POST", "/event-type", `{"name":"x.y","description":"d"}`).want(409)
	got := w.do("GET", "/event-type/x.y", "").want(200).json()
	if got["featureFlag"] != "beta" || fmt.Sprint(got["featureFlags"]) != "[beta]" || got["schemas"] == nil {
		t.Errorf("event type %v", got)
	}
	if item := w.do("GET", "/event-type", "").want(200).items()[0]; item["schemas"] != nil {
		t.Errorf("a list shows schemas unasked: %v", item)
	}
	w.do("PUT", "/event-type/p.q", `{"description":"new"}`).want(201)
	if put := w.do("PUT", "/event-type/x.y", `{"description":"d2"}`).want(200).json(); put["schemas"] != nil || put["featureFlags"] != nil || put["description"] != "d2" {
		t.Errorf("after PUT: %v", put)
	}
	if p := w.do("PATCH", "/event-type/x.y", `{"deprecated":true}`).want(200).json(); p["deprecated"] != true || p["description"] != "d2" {
		t.Errorf("after PATCH: %v", p)
	}
	w.do("PATCH", "/event-type/unknown", `{}`).want(404)

	w.do("DELETE", "/event-type/x.y", "").want(204)
	if got := w.do("GET", "/event-type", "").want(200).field("name"); !slices.Equal(got, []string{"p.q"}) {
		t.Errorf("after archiving: %v", got)
	}
	if got := w.do("GET", "/event-type?include_archived=true", "").want(200).field("name"); !slices.Equal(got, []string{"p.q", "x.y"}) {
		t.Errorf("archived too: %v", got)
	}
	w.do("POST", "/event-type", `{"name":"x.y","description":"back"}`).want(201)
	w.do("DELETE", "/event-type/x.y?expunge=true", "").want(204)
	w.do("GET", "/event-type/x.y", "").want(404)
}

func TestFeatureFlagsHideEventTypes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	app := w.app("a")
	w.do("POST", "/event-type", `{"name":"open","description":"d"}`).want(201)
	w.do("POST", "/event-type", `{"name":"secret","description":"d","featureFlags":["beta"]}`).want(201)
	plain := w.token(token.Claims{Org: testOrg(1), App: app})
	beta := w.token(token.Claims{Org: testOrg(1), App: app, FeatureFlags: []string{"beta"}})
	if got := w.as(plain, "GET", "/event-type", "").want(200).field("name"); !slices.Equal(got, []string{"open"}) {
		t.Errorf("without the flag: %v", got)
	}
	if got := w.as(beta, "GET", "/event-type", "").want(200).field("name"); !slices.Equal(got, []string{"open", "secret"}) {
		t.Errorf("with the flag: %v", got)
	}
	w.as(plain, "GET", "/event-type/secret", "").want(404)
	w.as(beta, "GET", "/event-type/secret", "").want(200)
}

func TestSendExample(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.app("a")
	w.endpoint("a", `,"uid":"e","filterTypes":["none"]`)
	w.endpoint("a", `,"uid":"off","disabled":true`)
	w.do("POST", "/event-type", `{"name":"flat","description":"d","schemas":{"1":{"example":{"old":1}},"10":{"examples":[{"a":1,"b":2},{"a":9}]}}}`).want(201)
	w.do("POST", "/event-type", `{"name":"native","description":"d","schemas":{"1":{"examples":[{"type":"native","timestamp":"t","data":{"a":1,"b":2}}]}}}`).want(201)
	for _, row := range []struct{ name, body, want string }{
		{"the newest schema's first example", `{"eventType":"flat"}`, `{"a":1,"b":2}`},
		{"another example", `{"eventType":"flat","exampleIndex":1}`, `{"a":9}`},
		{"data over it", `{"eventType":"flat","data":{"b":{"c":3}}}`, `{"a":1,"b":{"c":3}}`},
		{"data inside a native body", `{"eventType":"native","data":{"b":3}}`, `{"data":{"a":1,"b":3},"timestamp":"t","type":"native"}`},
		{"a payload as it is", `{"eventType":"flat","payload":{ "z" : 1 }}`, `{"z":1}`},
	} {
		got := w.do("POST", "/app/a/endpoint/e/send-example", row.body).want(202)
		if !strings.Contains(got.Body, `"payload":`+row.want) || got.json()["test"] != true {
			t.Errorf("%s: %s", row.name, got.Body)
		}
	}
	if got := w.do("POST", "/app/a/endpoint/e/send-example", `{"eventType":"never.declared","data":{"n":1}}`).want(202); !strings.Contains(got.Body, `"data":{"n":1}`) ||
		!strings.Contains(got.Body, `"type":"never.declared"`) {
		t.Errorf("a type without an example: %s", got.Body)
	}
	w.do("POST", "/app/a/endpoint/off/send-example", `{"eventType":"flat"}`).want(409)
	w.do("POST", "/app/a/endpoint/unknown/send-example", `{"eventType":"flat"}`).want(404)
	if got := w.do("GET", "/app/a/endpoint/off/msg", "").want(200).items(); len(got) != 0 {
		t.Errorf("another endpoint heard an example: %v", got)
	}
}

func TestSettings(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	check := func(r reply, want string) {
		t.Helper()
		if got := strings.TrimSpace(r.want(200).Body); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
	const rest = `,"portal":{"name":null,"logo":null,"accent":null,"allowedOrigins":[]},"publicCatalog":false}`
	const defaults = `{"catalog":"all","schemaValidation":"strict","dialects":["native","shared","silent","terse"],"defaultDialect":"native","resourceUrlBase":null` + rest
	check(w.do("GET", "/settings", ""), defaults)
	check(w.do("PATCH", "/settings", `{"catalog":["native"],"schemaValidation":"warn","dialects":["silent"],"defaultDialect":"silent"}`),
		`{"catalog":["native"],"schemaValidation":"warn","dialects":["silent"],"defaultDialect":"silent","resourceUrlBase":null`+rest)
	w.app("a")
	if got := w.do("POST", "/app/a/endpoint", `{"url":"https://example.com"}`).want(201).text("dialect"); got != "silent" {
		t.Errorf("dialect %s, want the org's", got)
	}
	w.do("POST", "/app/a/endpoint", `{"url":"https://example.com","dialect":"native"}`).want(422)
	check(w.do("PATCH", "/settings", `{"catalog":"none"}`), `{"catalog":"none","schemaValidation":"warn","dialects":["silent"],"defaultDialect":"silent","resourceUrlBase":null`+rest)
	check(w.do("GET", "/settings", ""), `{"catalog":"none","schemaValidation":"warn","dialects":["silent"],"defaultDialect":"silent","resourceUrlBase":null`+rest)
	check(w.do("PATCH", "/settings", `{"catalog":null,"schemaValidation":null,"dialects":null,"defaultDialect":null}`), defaults)
	const base = `"https://events.example.com/callboard/"`
	check(w.do("PATCH", "/settings", `{"resourceUrlBase":`+base+`}`), strings.Replace(defaults, `"resourceUrlBase":null`, `"resourceUrlBase":`+base, 1))
	check(w.do("PATCH", "/settings", `{"resourceUrlBase":null}`), defaults)
	const portal = `{"name":"Acme","logo":null,"accent":"#0f766e","allowedOrigins":["https://app.example.com"]}`
	branded := strings.Replace(defaults, `{"name":null,"logo":null,"accent":null,"allowedOrigins":[]}`, portal, 1)
	check(w.do("PATCH", "/settings", `{"portal":{"accent":"#0f766e","allowedOrigins":["https://app.example.com"]}}`), strings.Replace(branded, `"Acme"`, `null`, 1))
	check(w.do("PATCH", "/settings", `{"portal":{"name":"Acme"}}`), branded)
	check(w.do("PATCH", "/settings", `{"portal":{}}`), branded)
	check(w.do("PATCH", "/settings", `{"portal":null,"publicCatalog":true}`), strings.Replace(defaults, `"publicCatalog":false`, `"publicCatalog":true`, 1))
	check(w.do("PATCH", "/settings", `{"publicCatalog":null}`), defaults)
	for _, bad := range []string{
		`{"catalog":"some"}`, `{"catalog":["martian"]}`, `{"catalog":5}`, `{"schemaValidation":"off"}`, `{"dialects":[]}`, `{"dialects":["martian"]}`,
		`{"defaultDialect":"martian"}`, `{"dialects":["silent"]}`, `{"catalogue":"all"}`,
		`{"resourceUrlBase":"events.example.com"}`, `{"resourceUrlBase":"https://a.example/?x"}`, `{"resourceUrlBase":5}`,
		`{"portal":{"name":5}}`, `{"portal":{"colour":"#000000"}}`, `{"portal":{"accent":"red"}}`, `{"portal":{"allowedOrigins":["*"]}}`, `{"portal":[]}`,
		`{"publicCatalog":"yes"}`,
	} {
		w.do("PATCH", "/settings", bad).want(422)
	}
	check(w.do("GET", "/settings", ""), defaults)
	if got := w.as(w.token(token.Claims{Org: testOrg(2)}), "GET", "/settings", "").want(200); strings.TrimSpace(got.Body) != defaults {
		t.Errorf("another org sees %s", got.Body)
	}
}

// TestResourceURLBaseOfApps: an app may have one of its own.
func TestResourceURLBaseOfApps(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const base = "https://events.example.com"
	if got := w.do("POST", "/app", `{"name":"n","uid":"a","resourceUrlBase":"`+base+`"}`).want(201).text("resourceUrlBase"); got != base {
		t.Errorf("created with %q", got)
	}
	if got := w.do("PUT", "/app/a", `{"name":"m"}`).want(200).text("resourceUrlBase"); got != base {
		t.Errorf("after a PUT that leaves it out: %q", got)
	}
	for _, bad := range []string{"ftp://a.example", "/v1", "https://user:hush@a.example", "https://a.example#x", "https://" + strings.Repeat("a", 1017)} {
		for _, r := range []reply{
			w.do("PATCH", "/app/a", `{"resourceUrlBase":"`+bad+`"}`), w.do("POST", "/app", `{"name":"n","resourceUrlBase":"`+bad+`"}`),
		} {
			if r.want(422); !strings.Contains(r.Body, `["body","resourceUrlBase"]`) || strings.Contains(r.Body, "hush") {
				t.Errorf("%s: %s", bad, r.Body)
			}
		}
	}
	if got := w.do("PATCH", "/app/a", `{"resourceUrlBase":null}`).want(200).json()["resourceUrlBase"]; got != nil {
		t.Errorf("cleared it is %v", got)
	}
}

// TestLists walks every list forwards and backwards, a page of two at a time.
func TestLists(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.app("a")
	ep := w.endpoint("a", `,"uid":"e0"`)
	for i := range 5 {
		w.app(fmt.Sprintf("app%d", i))
		w.endpoint("a", fmt.Sprintf(`,"uid":"e%d","filterTypes":["x.y"]`, i+1))
		w.do("POST", "/event-type", fmt.Sprintf(`{"name":"t.%d","description":"d"}`, i)).want(201)
		w.do("POST", "/app/a/endpoint/e0/recover", `{"since":"2026-01-01T00:00:00Z"}`).want(202)
	}
	for i := range 5 {
		w.message("a", "x.y", fmt.Sprintf(`,"eventId":"m%d"`, i))
		w.deliver(ep, 200)
	}
	for _, row := range []struct {
		path, field string
		want        int
		descending  bool // in the order of creation
	}{
		{"/app", "id", 6, false},
		{"/app?order=descending", "id", 6, true},
		{"/app/a/endpoint", "id", 6, true},
		{"/app/a/endpoint?order=ascending", "id", 6, false},
		{"/event-type", "name", 5, false},
		{"/event-type?order=descending", "name", 5, true},
		{"/background-task", "id", 5, true},
		{"/background-task?order=ascending", "id", 5, false},
		{"/app/a/msg", "id", 5, true},
		{"/app/a/attempt/endpoint/e0", "id", 5, true},
		{"/app/a/endpoint/e0/msg", "id", 5, true},
		{"/app/a/msg/m0/endpoint", "id", 6, false},
	} {
		t.Run(row.path, func(t *testing.T) {
			whole := w.do("GET", row.path, "").want(200)
			all := whole.field(row.field)
			if len(all) != row.want || whole.json()["done"] != true {
				t.Fatalf("%d items, want %d, done %v", len(all), row.want, whole.json()["done"])
			}
			sorted := slices.Sorted(slices.Values(all))
			if row.descending {
				slices.Reverse(sorted)
			}
			if diff := cmp.Diff(sorted, all); diff != "" {
				t.Error("order:", diff)
			}
			forward, last := walk(t, w, row.path, row.field, "iterator", "")
			if diff := cmp.Diff(all, forward); diff != "" {
				t.Error("forwards:", diff)
			}
			// Back from the last page: everything that stands before it.
			before := all[:len(all)-len(last.items())]
			backward, _ := walk(t, w, row.path, row.field, "prevIterator", fmt.Sprint(last.json()["prevIterator"]))
			if diff := cmp.Diff(before, backward); diff != "" {
				t.Error("backwards:", diff)
			}
		})
	}
}

// walk follows a list's iterators to the end and puts its pages in the order of
// the list.
func walk(t *testing.T, w *world, path, field, iterator, from string) (all []string, last reply) {
	t.Helper()
	separator := "?"
	if strings.Contains(path, "?") {
		separator = "&"
	}
	for range 10 {
		next := path + separator + "limit=2"
		if from != "" {
			next += "&iterator=" + from
		}
		last = w.do("GET", next, "").want(200)
		page := last.field(field)
		if len(page) > 2 {
			t.Fatalf("a page of %d", len(page))
		}
		if iterator == "prevIterator" {
			all = append(page, all...)
		} else {
			all = append(all, page...)
		}
		if last.json()["done"] == true {
			return all, last
		}
		from = last.text(iterator)
	}
	t.Fatal("the list does not end")
	return nil, last
}

func TestListBounds(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.app("a")
	w.message("a", "x.y", "")
	stamp := w.do("GET", "/app/a/msg", "").want(200).field("timestamp")[0]
	at, err := time.Parse(time.RFC3339Nano, stamp)
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		query string
		time  time.Time
		want  int
	}{
		{"after", at.Add(-time.Millisecond), 1},
		{"after", at, 0},
		{"after", at.Add(time.Hour), 0},
		{"after", time.Date(1990, 1, 1, 0, 0, 0, 0, time.UTC), 1},
		{"before", at.Add(time.Millisecond), 1},
		{"before", at, 0},
		{"before", at.Add(-time.Hour), 0},
		{"before", time.Date(1990, 1, 1, 0, 0, 0, 0, time.UTC), 0},
		{"before", time.Date(2999, 1, 1, 0, 0, 0, 0, time.UTC), 1},
	} {
		path := "/app/a/msg?" + row.query + "=" + row.time.Format(time.RFC3339Nano)
		if got := len(w.do("GET", path, "").want(200).items()); got != row.want {
			t.Errorf("%s %s: %d messages, want %d", row.query, row.time.Sub(at), got, row.want)
		}
	}
}

func TestIdempotency(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.app("a")
	w.endpoint("a", `,"uid":"e"`)
	w.message("a", "x.y", `,"eventId":"m"`)
	post := func(path, key, body string) reply {
		return w.send(request{
			method: "POST", path: "/api/v1" + path, token: w.org, body: strings.NewReader(body), header: map[string]string{"Idempotency-Key": key},
		})
	}
	for _, row := range []struct {
		path, body, other string
		status            int
		same              []string // fields that both answers share
		count             string   // a list that grows by one
	}{
		{"/app", `{"name":"N"}`, `{"name":"M"}`, 201, []string{"id"}, "/app"},
		{"/app/a/endpoint", `{"url":"https://example.com"}`, `{"url":"https://example.org"}`, 201, []string{"id"}, "/app/a/endpoint"},
		{"/event-type", `{"name":"i.t","description":""}`, `{"name":"i.u","description":""}`, 201, []string{"name", "createdAt"}, "/event-type"},
		{"/app/a/msg", `{"eventType":"x","payload":{"a":1},"eventId":"once"}`, `{"eventType":"x","payload":{}}`, 202, []string{"id", "timestamp", "payload"}, "/app/a/msg"},
		{"/app/a/endpoint/e/send-example", `{"eventType":"x"}`, `{"eventType":"y"}`, 202, []string{"id"}, "/app/a/msg"},
		{"/app/a/endpoint/e/recover", `{"since":"2026-01-01T00:00:00Z"}`, `{"since":"2026-02-01T00:00:00Z"}`, 202, []string{"id"}, "/background-task"},
		{"/app/a/endpoint/e/secret/rotate", `{}`, `{"gracePeriodSeconds":5}`, 204, nil, ""},
		{"/app/a/msg/m/endpoint/e/resend", ``, `{}`, 202, nil, ""},
	} {
		t.Run(row.path, func(t *testing.T) {
			count := func() int {
				if row.count == "" {
					return 0
				}
				return len(w.do("GET", row.count, "").want(200).items())
			}
			before := count()
			first := post(row.path, "key", row.body).want(row.status)
			second := post(row.path+"/", "key", row.body).want(row.status)
			for _, f := range row.same {
				if diff := cmp.Diff(first.json()[f], second.json()[f]); diff != "" {
					t.Errorf("%s: %s", f, diff)
				}
			}
			if got := count() - before; row.count != "" && got != 1 {
				t.Errorf("%d were made", got)
			}
			post(row.path, "key", row.other).want(http.StatusConflict)
			post(row.path, "another key", row.other).want(row.status)
		})
	}
}

func TestRefusedRequestLeavesItsKeyFree(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	post := func(body string) reply {
		return w.send(request{
			method: "POST", path: "/api/v1/app", token: w.org, body: strings.NewReader(body), header: map[string]string{"Idempotency-Key": "k"},
		})
	}
	w.app("taken")
	post(`{"name":"N","uid":"taken"}`).want(409)
	post(`{"name":"N","uid":"free"}`).want(201)
}
