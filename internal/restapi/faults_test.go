package restapi_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/callboard/callboard/internal/id"
	"github.com/callboard/callboard/internal/ingest"
	"github.com/callboard/callboard/internal/restapi"
	"github.com/callboard/callboard/internal/store"
	"github.com/callboard/callboard/internal/token"
	"github.com/callboard/callboard/internal/web"
)

const forged = "0ujsswThIGTUYm2K8FjOOfXtY1K"

// marker stands in every rejected value; no answer may hold it.
const marker = "Zq7MarkerX"

func TestBadInput(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.app("a")
	w.endpoint("a", `,"uid":"e"`)
	w.message("a", "x.y", `,"eventId":"m"`)
	const message = `{"eventType":"x.y","payload":{}`
	for _, row := range []struct {
		name, method, path, body string
		status                   int
		loc                      string // of a 422, joined with dots; several with |
	}{
		{"broken JSON", "POST", "/app", `{"name":"` + marker, 400, ""},
		{"no JSON", "POST", "/app", marker, 400, ""},
		{"two documents", "POST", "/app", `{"name":"n"}{}`, 400, ""},
		{"no body", "POST", "/app", ``, 400, ""},
		{"an app that is no UTF-8", "POST", "/app", `{"name":"` + "\xff" + `"}`, 400, ""},
		{"null", "POST", "/app", `null`, 422, "body"},
		{"an array", "POST", "/app", `["` + marker + `"]`, 422, "body"},
		{"a missing field", "POST", "/app", `{}`, 422, "body.name"},
		{"two missing fields", "POST", "/event-type", `{}`, 422, "body.description|body.name"},
		{"a wrong type", "POST", "/app", `{"name":["` + marker + `"]}`, 422, "body.name"},
		{"null for a required field", "POST", "/app", `{"name":null}`, 422, "body.name"},
		{"an empty name", "POST", "/app", `{"name":""}`, 422, "body.name"},
		{"a uid with a space", "POST", "/app", `{"name":"n","uid":"` + marker + ` x"}`, 422, "body.uid"},
		{"a uid like an id", "POST", "/app", `{"name":"n","uid":"app_` + marker + `"}`, 422, "body.uid"},
		{"metadata of other things", "POST", "/app", `{"name":"n","metadata":{"` + marker + `":5}}`, 422, "body.metadata"},
		{"large metadata", "POST", "/app", `{"name":"n","metadata":{"k":"` + strings.Repeat(marker, 2000) + `"}}`, 422, "body.metadata"},
		{"a rate of 0", "POST", "/app", `{"name":"n","throttleRate":0}`, 422, "body.throttleRate"},
		{"a rate that Svix's clients cannot hold", "POST", "/app", `{"name":"n","throttleRate":70000}`, 422, "body.throttleRate"},
		{"a fraction for an integer", "POST", "/app", `{"name":"n","throttleRate":1.5}`, 422, "body.throttleRate"},
		{"a number beyond all integers", "POST", "/app/a/endpoint/e/secret/rotate", `{"gracePeriodSeconds":1e300}`, 422, "body.gracePeriodSeconds"},

		{"no https", "POST", "/app/a/endpoint", `{"url":"http://` + marker + `.com"}`, 422, "body.url"},
		{"a private address", "POST", "/app/a/endpoint", `{"url":"https://10.1.2.3/` + marker + `"}`, 422, "body.url"},
		{"a private address in disguise", "POST", "/app/a/endpoint", `{"url":"https://0x7f.1/` + marker + `"}`, 422, "body.url"},
		{"localhost", "POST", "/app/a/endpoint", `{"url":"https://localhost/` + marker + `"}`, 422, "body.url"},
		{"user info", "POST", "/app/a/endpoint", `{"url":"https://u:` + marker + `@example.com"}`, 422, "body.url"},
		{"no URL", "POST", "/app/a/endpoint", `{"url":"` + marker + `"}`, 422, "body.url"},
		{"a denied header", "POST", "/app/a/endpoint", `{"url":"https://example.com","headers":{"Host":"` + marker + `"}}`, 422, "body.headers"},
		{"a signature header", "PUT", "/app/a/endpoint/e/headers", `{"headers":{"Webhook-Signature":"` + marker + `"}}`, 422, "body.headers"},
		{"a header with a line break", "PATCH", "/app/a/endpoint/e/headers", `{"headers":{"X-A":"` + marker + `\r\nX-B: 1"}}`, 422, "body.headers"},
		{"a header that is no token", "PUT", "/app/a/endpoint/e/headers", `{"headers":{"` + marker + ` x":"1"}}`, 422, "body.headers"},
		{"a header that is no string", "PUT", "/app/a/endpoint/e/headers", `{"headers":{"` + marker + `":{}}}`, 422, "body.headers"},
		{"a short secret", "POST", "/app/a/endpoint", `{"url":"https://example.com","secret":"whsec_` + "Zq7M" + `"}`, 422, "body.secret"},
		{"a long secret", "POST", "/app/a/endpoint/e/secret/rotate", `{"key":"whsec_` + strings.Repeat("Zq7M", 40) + `"}`, 422, "body.key"},
		{"a secret that is no base64", "POST", "/app/a/endpoint/e/secret/rotate", `{"key":"whsec_` + marker + `!"}`, 422, "body.key"},
		{"a long grace period", "POST", "/app/a/endpoint/e/secret/rotate", `{"gracePeriodSeconds":604801}`, 422, "body.gracePeriodSeconds"},
		{"no event types", "POST", "/app/a/endpoint", `{"url":"https://example.com","filterTypes":[]}`, 422, "body.filterTypes"},
		{"event types that are none", "POST", "/app/a/endpoint", `{"url":"https://example.com","filterTypes":["` + marker + ` !"]}`, 422, "body.filterTypes.0"},
		{"many channels", "POST", "/app/a/endpoint", `{"url":"https://example.com","channels":["1","2","3","4","5","6","7","8","9","10","11"]}`, 422, "body.channels"},
		{"no dialect", "POST", "/app/a/endpoint", `{"url":"https://example.com","dialect":"` + marker + `"}`, 422, "body.dialect"},
		{"no ordering", "POST", "/app/a/endpoint", `{"url":"https://example.com","ordering":"` + marker + `"}`, 422, "body.ordering"},
		{"no duration", "POST", "/app/a/endpoint", `{"url":"https://example.com","timeout":"` + marker + `"}`, 422, "body.timeout"},
		{"a timeout of an hour", "POST", "/app/a/endpoint", `{"url":"https://example.com","timeout":"1h"}`, 422, "body.timeout"},
		{"a schedule of words", "POST", "/app/a/endpoint", `{"url":"https://example.com","retrySchedule":["` + marker + `"]}`, 422, "body.retrySchedule"},

		{"a message's broken JSON", "POST", "/app/a/msg", message, 400, ""},
		{"a message's no JSON", "POST", "/app/a/msg", marker, 400, ""},
		{"a message without a body", "POST", "/app/a/msg", ``, 400, ""},
		{"a message and more", "POST", "/app/a/msg", message + `}` + marker, 400, ""},
		{"a message that is no UTF-8", "POST", "/app/a/msg", `{"eventType":"x.y","payload":{"a":"` + "\xff" + `"}}`, 400, ""},
		{"a message that is an array", "POST", "/app/a/msg", `["` + marker + `"]`, 422, "body"},
		{"an empty message", "POST", "/app/a/msg", `{}`, 422, "body.eventType|body.payload"},
		{"an event type that is none", "POST", "/app/a/msg", `{"eventType":"` + marker + ` !","payload":{}}`, 422, "body.eventType"},
		{"an event type that is no string", "POST", "/app/a/msg", `{"eventType":{"a":["` + marker + `"]},"payload":{}}`, 422, "body.eventType"},
		{"a payload that is a string", "POST", "/app/a/msg", `{"eventType":"x.y","payload":"` + marker + `"}`, 422, "body.payload"},
		{"a payload that is null", "POST", "/app/a/msg", `{"eventType":"x.y","payload":null}`, 422, "body.payload"},
		{"data that is an array", "POST", "/app/a/msg", `{"eventType":"x.y","data":["` + marker + `"]}`, 422, "body.data"},
		{"payload and data", "POST", "/app/a/msg", message + `,"data":{}}`, 422, "body.data"},
		{"channels that are a string", "POST", "/app/a/msg", message + `,"channels":"` + marker + `"}`, 422, "body.channels"},
		{"channels that hold objects", "POST", "/app/a/msg", message + `,"channels":["a",{"b":["` + marker + `"]},"c"],"tags":5}`, 422, "body.channels|body.tags"},
		{"six channels", "POST", "/app/a/msg", message + `,"channels":["1","2","3","4","5","6"]}`, 422, "body.channels"},
		{"no time", "POST", "/app/a/msg", message + `,"deliverAt":"` + marker + `"}`, 422, "body.deliverAt"},
		{"a time beyond retention", "POST", "/app/a/msg", message + `,"deliverAt":"2999-01-01T00:00:00Z"}`, 422, "body.deliverAt"},
		{"a retention of 4 days", "POST", "/app/a/msg", message + `,"payloadRetentionPeriod":4}`, 422, "body.payloadRetentionPeriod"},
		{"a retention of words", "POST", "/app/a/msg", message + `,"payloadRetentionHours":"` + marker + `"}`, 422, "body.payloadRetentionHours"},
		{"two retentions", "POST", "/app/a/msg", message + `,"payloadRetentionHours":9,"payloadRetentionPeriod":9}`, 422, "body.payloadRetentionHours"},
		{"a negative deadline", "POST", "/app/a/msg", message + `,"deadline":"-1h"}`, 422, "body.deadline"},
		{"a long ordering key", "POST", "/app/a/msg", message + `,"orderingKey":"` + strings.Repeat(marker, 13) + `"}`, 422, "body.orderingKey"},
		{"a raw payload that is no JSON", "POST", "/app/a/msg", message + `,"transformationsParams":{"rawPayload":"<` + marker + `/>"}}`, 422, "body.transformationsParams.rawPayload"},
		{"a raw payload that is half JSON", "POST", "/app/a/msg", message + `,"transformationsParams":{"rawPayload":"{\"` + marker + `"}}`, 422, "body.transformationsParams.rawPayload"},
		{"another content type", "POST", "/app/a/msg", message + `,"transformationsParams":{"rawPayload":"{}","headers":{"content-type":"` + marker + `"}}}`, 422, "body.transformationsParams.headers"},
		{"an app of another uid", "POST", "/app/new/msg", message + `,"application":{"name":"n","uid":"` + marker + `"}}`, 422, "body.application.uid"},
		{"an app without a name", "POST", "/app/new/msg", message + `,"application":{"uid":"new"}}`, 422, "body.application.name"},
		{"an app with a bad rate", "POST", "/app/new/msg", message + `,"application":{"name":"","throttleRate":-1}}`, 422, "body.application.throttleRate"},
		{"an app with an empty name", "POST", "/app/new/msg", message + `,"application":{"name":""}}`, 422, "body.application.name"},
		{"with_content of words", "POST", "/app/a/msg?with_content=" + marker, message + `}`, 422, "query.with_content"},

		{"a limit of 251", "GET", "/app/a/msg?limit=251", "", 422, "query.limit"},
		{"a limit of 0", "GET", "/app?limit=0", "", 422, "query.limit"},
		{"a limit of words", "GET", "/app/a/endpoint?limit=" + marker, "", 422, "query.limit"},
		{"no iterator", "GET", "/app/a/msg?iterator=" + marker, "", 422, "query.iterator"},
		{"a forged iterator", "GET", "/app/a/msg?iterator=msg_" + forged, "", 422, "query.iterator"},
		{"half an iterator", "GET", "/event-type?iterator=-", "", 422, "query.iterator"},
		{"no order", "GET", "/app?order=" + marker, "", 422, "query.order"},
		{"no time in the query", "GET", "/app/a/msg?before=" + marker, "", 422, "query.before"},
		{"a status of 5", "GET", "/app/a/attempt/endpoint/e?status=5", "", 422, "query.status"},
		{"a status of words", "GET", "/app/a/endpoint/e/msg?status=" + marker, "", 422, "query.status"},
		{"a class of 250", "GET", "/app/a/attempt/msg/m?status_code_class=250", "", 422, "query.status_code_class"},
		{"a boolean of words", "GET", "/app/a/msg?with_content=" + marker, "", 422, "query.with_content"},

		{"a capability that is none", "POST", "/auth/app-portal-access/a", `{"capabilities":["` + marker + `"]}`, 422, "body.capabilities.0"},
		{"a session of a minute", "POST", "/auth/app-portal-access/a", `{"expiry":60}`, 422, "body.expiry"},
		{"an expiry of later", "POST", "/auth/app/a/expire-all", `{"expiry":60}`, 422, "body.expiry"},
		{"sessions to expire", "POST", "/auth/app/a/expire-all", `{"sessionIds":["` + marker + `"]}`, 422, "body.sessionIds"},
		{"no time to recover from", "POST", "/app/a/endpoint/e/recover", `{"since":"` + marker + `"}`, 422, "body.since"},
		{"an end before the beginning", "POST", "/app/a/endpoint/e/recover", `{"since":"2026-02-01T00:00:00Z","until":"2026-01-01T00:00:00Z"}`, 422, "body.until"},
		{"an example of no object", "POST", "/app/a/endpoint/e/send-example", `{"eventType":"x","payload":"` + marker + `"}`, 422, "body.payload"},

		{"a forged app", "GET", "/app/app_" + forged, "", 404, ""},
		{"a forged endpoint", "GET", "/app/a/endpoint/ep_" + forged, "", 404, ""},
		{"a forged message", "GET", "/app/a/msg/msg_" + forged, "", 404, ""},
		{"a forged attempt", "GET", "/app/a/msg/m/attempt/atmpt_" + forged, "", 404, ""},
		{"half an id", "GET", "/app/app_1", "", 404, ""},
		{"an id of another kind", "GET", "/app/a/msg/ep_" + forged, "", 404, ""},
		{"a message to nobody", "POST", "/app/app_" + forged + "/msg", message + `}`, 404, ""},
		{"a message to an unknown uid", "POST", "/app/" + marker + "/msg", message + `}`, 404, ""},
		{"no such route", "GET", "/" + marker, "", 404, ""},
		{"another method", "DELETE", "/app", "", 405, ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			got := w.do(row.method, row.path, row.body)
			if got.Status != row.status {
				t.Fatalf("status %d, want %d: %s", got.Status, row.status, got.Body)
			}
			checkForm(t, got, row.loc)
			if strings.Contains(got.Body, marker) || strings.Contains(got.Body, "Zq7M") {
				t.Errorf("the answer repeats what was sent: %s", got.Body)
			}
		})
	}
	if strings.Contains(w.log.String(), marker) {
		t.Error("the log holds what was sent")
	}
	// Nothing of all that was stored.
	for path, want := range map[string]int{"/app": 1, "/app/a/endpoint": 1, "/app/a/msg": 1, "/event-type": 0, "/background-task": 0} {
		if got := len(w.do("GET", path, "").want(200).items()); got != want {
			t.Errorf("%s has %d items, want %d", path, got, want)
		}
	}
}

// checkForm checks that an error has the API's one form; loc names the fields of
// a 422.
func checkForm(t *testing.T, r reply, loc string) {
	t.Helper()
	if got := r.Header.Get("Content-Type"); got != "application/json" {
		t.Errorf("content type %q", got)
	}
	if r.Status != http.StatusUnprocessableEntity {
		if len(r.json()) != 2 || r.text("code") == "" || r.text("detail") == "" {
			t.Errorf("not in the form {code, detail}: %s", r.Body)
		}
		return
	}
	var body struct {
		Detail []struct {
			Loc       []string
			Msg, Type string
		}
	}
	if err := json.Unmarshal([]byte(r.Body), &body); err != nil {
		t.Fatal(err)
	}
	var locs []string
	for _, d := range body.Detail {
		locs = append(locs, strings.Join(d.Loc, "."))
		if d.Msg == "" || d.Type != "value_error" {
			t.Errorf("a field without a word: %s", r.Body)
		}
	}
	slices.Sort(locs)
	if diff := cmp.Diff(loc, strings.Join(locs, "|")); loc != "any" && diff != "" {
		t.Errorf("%s\n%s", r.Body, diff)
	}
}

func TestPrivateAddressNamesTheFlag(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.app("a")
	for _, url := range []string{"http://example.com", "https://192.168.1.1/", "https://localhost/"} {
		if got := w.do("POST", "/app/a/endpoint", `{"url":"`+url+`"}`).want(422); !strings.Contains(got.Body, "--allow-private") {
			t.Errorf("%s: %s", url, got.Body)
		}
	}
}

func TestLargeBodies(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.app("a")
	head, tail := `{"eventType":"x.y","payload":{"a":"`, `"}}`
	fill := strings.Repeat("x", web.MaxBody-len(head)-len(tail))
	w.do("POST", "/app/a/msg?with_content=false", head+fill+tail).want(202)
	for _, path := range []string{"/app/a/msg", "/app", "/app/a/endpoint"} {
		for name, body := range map[string]io.Reader{
			"told": strings.NewReader(head + fill + "x" + tail), "not told": struct{ io.Reader }{strings.NewReader(head + fill + "x" + tail)},
		} {
			got := w.send(request{method: "POST", path: "/api/v1" + path, token: w.org, body: body}).want(413)
			if got.text("code") != "payload_too_large" {
				t.Errorf("%s, length %s: %s", path, name, got.Body)
			}
		}
	}
}

func TestTokens(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	app := w.app("a")
	for name, text := range map[string]string{
		"none": "", "rubbish": marker, "a login link's": w.token(token.Claims{Org: testOrg(1), App: app, Use: token.LoginUse}),
		"expired": w.token(token.Claims{Org: testOrg(1), Expires: time.Now().Add(-time.Second)}),
	} {
		for _, path := range []string{"/app", "/app/a/msg", "/app/unknown"} {
			got := w.as(text, "GET", path, "").want(401)
			if diff := cmp.Diff(`{"code":"authentication_failed","detail":"Invalid token"}`, got.Body); diff != "" {
				t.Errorf("%s: %s", name, diff)
			}
		}
		w.as(text, "POST", "/app/a/msg", `{}`).want(401)
		w.as(text, "POST", "/app/a/endpoint/e/replay-missing", `{}`).want(401)
	}
}

func TestCapabilities(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	app := w.app("a")
	w.endpoint("a", `,"uid":"e"`)
	w.message("a", "x.y", `,"eventId":"m"`)
	with := func(c ...token.Capability) string {
		return w.token(token.Claims{Org: testOrg(1), App: app, Capabilities: c})
	}
	all, readOnly := w.token(token.Claims{Org: testOrg(1), App: app}), w.token(token.Claims{Org: testOrg(1), App: app, ReadOnly: true})
	view := with(token.ViewBase)
	for _, row := range []struct {
		token              string
		method, path, body string
		status             int
	}{
		{view, "GET", "/app/a", "", 200},
		{view, "GET", "/app/a/endpoint/e", "", 200},
		{view, "GET", "/event-type", "", 200},
		{view, "GET", "/app/a/endpoint/e/secret", "", 403},
		{view, "POST", "/app/a/endpoint", `{"url":"https://example.com"}`, 403},
		{view, "POST", "/app/a/msg/m/endpoint/e/resend", "", 403},
		{with(token.ViewBase, token.ViewEndpointSecret), "GET", "/app/a/endpoint/e/secret", "", 200},
		{with(token.ViewBase, token.ViewEndpointSecret), "POST", "/app/a/endpoint/e/secret/rotate", "{}", 403},
		{with(token.ViewBase, token.ManageEndpointSecret), "POST", "/app/a/endpoint/e/secret/rotate", "{}", 204},
		{with(token.ViewBase, token.ManageEndpointSecret), "GET", "/app/a/endpoint/e/secret", "", 200},
		{with(token.ViewBase, token.CreateAttempts), "POST", "/app/a/msg/m/endpoint/e/resend", "", 202},
		{with(token.ViewBase, token.CreateAttempts), "POST", "/app/a/endpoint/e/recover", `{"since":"2026-01-01T00:00:00Z"}`, 202},
		{with(token.ViewBase, token.CreateAttempts), "POST", "/app/a/endpoint/e/send-example", `{"eventType":"x"}`, 202},
		{with(token.ViewBase, token.CreateAttempts), "PATCH", "/app/a/endpoint/e", `{}`, 403},
		{with(token.ViewBase, token.ManageEndpoint), "PATCH", "/app/a/endpoint/e", `{}`, 200},
		{with(token.ManageEndpoint), "GET", "/app/a/endpoint/e", "", 403},
		{all, "PATCH", "/app/a/endpoint/e", `{}`, 200},
		{all, "POST", "/app/a/msg", `{"eventType":"x","payload":{}}`, 403},
		{all, "GET", "/app", "", 403},
		{all, "PATCH", "/app/a", `{}`, 403},
		{all, "POST", "/event-type", `{"name":"n","description":""}`, 403},
		{all, "GET", "/settings", "", 403},
		{all, "POST", "/auth/app-portal-access/a", `{}`, 403},
		{all, "DELETE", "/app/a/msg/m/content", "", 403},
		{readOnly, "GET", "/app/a/endpoint/e", "", 200},
		{readOnly, "GET", "/app/a/endpoint/e/secret", "", 200},
		{readOnly, "PATCH", "/app/a/endpoint/e", `{}`, 403},
		{readOnly, "POST", "/app/a/msg/m/endpoint/e/resend", "", 403},
	} {
		if got := w.as(row.token, row.method, row.path, row.body); got.Status != row.status {
			t.Errorf("%s %s: %d, want %d: %s", row.method, row.path, got.Status, row.status, got.Body)
		}
	}
}

func TestPortalAccess(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	app := w.app("a")
	w.app("b")
	access := w.do("POST", "/auth/app-portal-access/a", `{"capabilities":["ViewBase"],"readOnly":true,"expiry":3600,"sessionId":"s","featureFlags":["f"]}`).want(200)
	text := access.text("token")
	w.as(text, "GET", "/app/a/endpoint", "").want(200)
	w.as(text, "GET", "/app/"+app+"/endpoint", "").want(200)
	w.as(text, "GET", "/app/b/endpoint", "").want(404)
	claims, err := w.tokens.Verify(text)
	if err != nil {
		t.Fatal(err)
	}
	if left := time.Until(claims.Expires); claims.Session != "s" || !claims.ReadOnly || left > time.Hour || left < 59*time.Minute {
		t.Errorf("claims %+v", claims)
	}
	if url := access.text("url"); !strings.HasPrefix(url, publicURL+"/app/"+app+"/login#key=") {
		t.Errorf("url %s", url)
	}
	again := w.do("POST", "/auth/app-portal-access/a", "").want(200).text("token")
	w.as(again, "PATCH", "/app/a/endpoint/unknown", `{}`).want(404)

	w.do("POST", "/auth/app-portal-access/unknown", `{}`).want(404)
	w.do("POST", "/auth/app-portal-access/made", `{"application":{"name":"Made"}}`).want(200)
	w.do("GET", "/app/made", "").want(200)

	w.do("POST", "/auth/app/a/expire-all", `{}`).want(204)
	w.as(text, "GET", "/app/a/endpoint", "").want(401)
	w.as(again, "GET", "/app/a/endpoint", "").want(401)
	fresh := w.do("POST", "/auth/app-portal-access/a", `{}`).want(200).text("token")
	w.as(fresh, "GET", "/app/a/endpoint", "").want(200)
	w.do("POST", "/auth/app/unknown/expire-all", `{}`).want(404)
}

func TestOrgsDoNotMeet(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	app := w.app("a")
	w.do("POST", "/event-type", `{"name":"x.y","description":"d"}`).want(201)
	w.endpoint("a", `,"uid":"e"`)
	task := w.do("POST", "/app/a/endpoint/e/recover", `{"since":"2026-01-01T00:00:00Z"}`).want(202).text("id")
	foreign := w.token(token.Claims{Org: testOrg(2)})
	for _, path := range []string{"/app/a", "/app/" + app, "/app/" + app + "/endpoint", "/event-type/x.y", "/background-task/" + task} {
		w.as(foreign, "GET", path, "").want(404)
	}
	for _, path := range []string{"/app", "/event-type", "/background-task"} {
		if got := w.as(foreign, "GET", path, "").want(200).items(); len(got) != 0 {
			t.Errorf("%s shows another org's: %v", path, got)
		}
	}
	w.as(foreign, "POST", "/app/"+app+"/msg", `{"eventType":"x.y","payload":{}}`).want(404)
	w.as(foreign, "DELETE", "/app/"+app, "").want(404)
	w.as(foreign, "PUT", "/app/a", `{"name":"Mine"}`).want(201) // uids are the org's own
}

// failing is an Ingest and a Store that answer everything with an error.
type failing struct {
	restapi.Store
	restapi.Ingest
	err error
}

func (f failing) App(context.Context, string, store.Ref) (store.App, error) {
	return store.App{}, f.err
}

func (f failing) Apps(context.Context, string, store.Page) (store.Listed[store.App], error) {
	return store.Listed[store.App]{}, f.err
}

func (f failing) Ping(context.Context) error { return f.err }

func (f failing) CreateApp(context.Context, string, ingest.Key, store.App, bool) (ingest.Result, error) {
	return ingest.Result{}, f.err
}

func (f failing) PostMessage(context.Context, ingest.AppRef, ingest.Key, ingest.Message) (ingest.Result, error) {
	return ingest.Result{}, f.err
}

func TestFailuresOfTheStore(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name   string
		err    error
		status int
		code   string
	}{
		{"the disk is full", fmt.Errorf("commit: %w: %s", store.ErrUnavailable, marker), 503, "unavailable"},
		{"the store is lost", fmt.Errorf("commit: %w: %s", store.ErrLost, marker), 503, "unavailable"},
		{"something else", errors.New(marker), 500, "internal_error"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, func(cfg *restapi.Config) { cfg.Store, cfg.Ingest = failing{err: row.err}, failing{err: row.err} })
			answers := []reply{
				w.do("POST", "/app/a/msg", `{"eventType":"x","payload":{}}`), w.do("POST", "/app", `{"name":"n"}`), w.do("GET", "/app", ""), w.do("GET", "/app/a", ""),
			}
			for _, got := range answers {
				got.want(row.status)
				checkForm(t, got, "")
				if got.text("code") != row.code || strings.Contains(got.Body, marker) {
					t.Error(got.Body)
				}
				if retry := got.Header.Get("Retry-After"); (retry != "") != (row.status == 503) {
					t.Errorf("Retry-After %q", retry)
				}
			}
			log := w.log.String()
			if n := strings.Count(log, marker); n != len(answers) {
				t.Errorf("the cause is logged %d times for %d requests", n, len(answers))
			}
			for _, got := range answers {
				if n := strings.Count(log, got.Header.Get("X-Request-Id")); n != 1 {
					t.Errorf("%d log lines of one request", n)
				}
			}
		})
	}
}

func TestProbes(t *testing.T) {
	t.Parallel()
	var broken error
	w := newWorld(t)
	sick := newWorld(t, func(cfg *restapi.Config) { cfg.Ready = func() error { return broken } })
	for _, path := range []string{"/health", "/ready", "/api/v1/health", "/api/v1/health/ping", "/api/v1/ready", "/health/"} {
		w.send(request{method: "GET", path: path}).want(204)
		sick.send(request{method: "GET", path: path}).want(204)
	}
	broken = errors.New(marker)
	for path, status := range map[string]int{"/health": 204, "/ready": 503, "/api/v1/ready": 503} {
		if got := sick.send(request{method: "GET", path: path}).want(status); strings.Contains(got.Body, marker) {
			t.Error(got.Body)
		}
	}
	down := newWorld(t, func(cfg *restapi.Config) { cfg.Store = failing{err: store.ErrUnavailable} })
	down.send(request{method: "GET", path: "/ready"}).want(503)
}

func TestMetricsAreServed(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(cfg *restapi.Config) {
		cfg.Metrics = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("up 1\n")) })
	})
	if got := w.send(request{method: "GET", path: "/metrics"}).want(200); got.Body != "up 1\n" {
		t.Error(got.Body)
	}
	newWorld(t).send(request{method: "GET", path: "/metrics"}).want(404)
}

func TestNewNamesTheWrongField(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	good := restapi.Config{Store: w.store, Ingest: failing{}, Codec: w.codec, Tokens: w.tokens, PublicURL: publicURL}
	for name, change := range map[string]func(*restapi.Config){
		"Store":     func(c *restapi.Config) { c.Store = nil },
		"Dialects":  func(*restapi.Config) {},
		"PublicURL": func(c *restapi.Config) { c.PublicURL = "example.com" },
	} {
		cfg := good
		if name == "PublicURL" {
			cfg.Dialects = w.dialects
		}
		change(&cfg)
		if _, err := restapi.New(cfg); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: error %v", name, err)
		}
	}
}

// TestBrokenBody cuts a body short of its length.
func TestBrokenBody(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.app("a")
	for _, path := range []string{"/app", "/app/a/msg"} {
		req := request{method: "POST", path: "/api/v1" + path, token: w.org, body: struct{ io.Reader }{io.MultiReader(bytes.NewReader([]byte(`{"a":`)), cut{})}}
		w.send(req).want(400)
	}
}

// cut fails as a connection does that is gone.
type cut struct{}

func (cut) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

// appID decodes an app's id.
func (w *world) appID(text string) id.ID {
	w.t.Helper()
	app, ok := w.codec.Decode(id.App, text)
	if !ok {
		w.t.Fatal("no app id:", text)
	}
	return app
}
