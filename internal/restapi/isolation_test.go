package restapi_test

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/callboard/callboard/internal/store"
	"github.com/callboard/callboard/internal/token"
)

// inhabited makes an app with rows of every kind, in all of which name stands somewhere, and gives
// what the document's paths may hold: by ids, and by the app's own names where there are such.
func (w *world) inhabited(name string) (byID, byUID map[string]string) {
	w.t.Helper()
	post := func(path, body string) reply {
		w.t.Helper()
		return w.do("POST", path, strings.ReplaceAll(body, "NAME", name))
	}
	app := post("/app", `{"name":"NAME","uid":"NAME","metadata":{"k":"NAME"}}`).want(201).text("id")
	at := "/app/" + app
	endpoint := post(at+"/endpoint", `{"url":"https://NAME.example.com/hook","description":"NAME","uid":"NAME-endpoint","headers":{"X-Own":"NAME"}}`).want(201).text("id")
	post(at+"/endpoint", `{"url":"https://NAME.example.com/shared","dialect":"shared","uid":"NAME-shared"}`).want(201)
	message := post(at+"/msg", `{"eventType":"x.y","payload":{"n":"NAME"},"eventId":"NAME-message","channels":["NAME"],"tags":["NAME"]}`).want(202).text("id")
	w.deliver(endpoint, 500)
	attempt := w.do("GET", at+"/attempt/msg/"+message, "").field("id")[0]
	task := post(at+"/endpoint/"+endpoint+"/recover", `{"since":"2026-01-01T00:00:00Z"}`).want(202).text("id")
	source := post(at+"/source", `{"dialect":"raw","unverified":true,"description":"NAME"}`).want(201).text("id")
	received := w.refused(source, store.Refused, `{"a":"`+name+`"}`)
	post(at+"/event?notify=false", fmt.Sprintf(`{"number":%d,`, 4000+len(name))+`"id":"NAME-event","name":"NAME","startDate":"2026-01-01T09:00:00Z","endDate":"2126-01-01T09:00:00Z"}`).want(201)
	for path, id := range map[string]string{
		"/event/NAME-event/session": "session", "/event/NAME-event/registration": "registration", "/contact": "contact", "/exhibitor": "exhibitor", "/sponsor": "sponsor",
	} {
		post(at+strings.ReplaceAll(path, "NAME", name)+"?notify=false", `{"id":"NAME-`+id+`","own":"NAME"}`).want(201)
	}
	post(at+"/activity?notify=false", `{"activities":[
		{"type":"conference.started","data":{"conferenceId":"NAME-conference","hostId":"NAME","companyId":"c"}},
		{"type":"conversation.user_joined","data":{"id":"NAME-conversation","toPhoneNumber":"NAME"}}]}`).want(202)
	byID = map[string]string{
		"app_id": app, "endpoint_id": endpoint, "msg_id": message, "attempt_id": attempt, "task_id": task, "source_id": source, "received_id": received,
		"event_type_name": "x.y", "inbox": name,
	}
	for _, noun := range []string{"event", "session", "registration", "contact", "exhibitor", "sponsor", "conference", "conversation"} {
		byID[noun+"_id"] = name + "-" + noun
	}
	byUID = maps.Clone(byID)
	byUID["app_id"], byUID["endpoint_id"], byUID["msg_id"] = name, name+"-endpoint", name+"-message"
	return byID, byUID
}

// streams reports whether an operation answers with what has no end.
func (op operation) streams() bool {
	answer, _ := op.Responses["200"].(map[string]any)
	content, _ := answer["content"].(map[string]any)
	return content["text/event-stream"] != nil
}

// asked is what an answer holds of the time at which it was asked for.
var asked = regexp.MustCompile(`"(asOf|since|until)":"[^"]*"`)

// view is all that the org can read of an app: what a test that nothing has changed compares. Only
// what depends on the time of asking is left out.
func (w *world) view(values map[string]string) map[string]string {
	w.t.Helper()
	seen := map[string]string{}
	w.document().each(func(method, path string, op operation) {
		if method != "GET" || op.public() || op.streams() || path == "/app" || strings.HasSuffix(path, "/stats/attempt") || strings.HasSuffix(path, "/timeline") || strings.HasSuffix(path, "/request") || path == "/auth/session" || path == "/background-task" {
			return
		}
		got := w.do("GET", fill(path, values), "")
		if got.Status >= 500 {
			w.t.Errorf("%s: %d %s", path, got.Status, got.Body)
		}
		seen[path] = fmt.Sprint(got.Status, " ", asked.ReplaceAllString(got.Body, ""))
	})
	return seen
}

// caller makes requests in somebody's name.
type caller func(method, path, body string) reply

// callers are a tenant's three ways to call: by the token, and by the sessions that its link opens
// with and without a cookie.
func (w *world) callers(app, rights string) map[string]caller {
	w.t.Helper()
	access := func() reply { return w.do("POST", "/auth/app-portal-access/"+app, rights).want(200) }
	text := access().text("token")
	session := w.signIn("key", w.key(access().text("url")), "").want(200).cookie()
	embedded := w.signIn("key", w.key(access().text("url")), `,"bearer":true`).want(200).text("token")
	header := func(name, value string) caller {
		return func(method, path, body string) reply {
			w.t.Helper()
			// Whoever opens a stream that should be closed to him does not hold the test up.
			ctx, cancel := context.WithTimeout(w.t.Context(), 5*time.Second)
			defer cancel()
			r := httptest.NewRequestWithContext(ctx, method, "/api/v1"+path, strings.NewReader(body))
			r.Header.Set(name, value)
			rec := httptest.NewRecorder()
			w.handler.ServeHTTP(rec, r)
			return reply{w.t, rec.Code, rec.Header(), rec.Body.String()}
		}
	}
	return map[string]caller{
		"token": header("Authorization", "Bearer "+text), "cookie": header("Cookie", session.Name+"="+session.Value),
		"embedded": header("Authorization", "Bearer "+embedded),
	}
}

// orgsRoutes are those without an app in the path that a tenant may read: each shows what is the
// tenant's, or what the org shows to all of them.
func orgsRoutes(path string) bool {
	return path == "/auth/session" || path == "/background-task" || strings.HasPrefix(path, "/event-type") || strings.HasPrefix(path, "/catalog")
}

// TestPortalIsolation: a tenant sees its app and nothing else, over every route of the document, by
// every way to call, whatever names it gives for what is not its own.
func TestPortalIsolation(t *testing.T) {
	t.Parallel()
	w := newLiveWorld(t)
	const other = "victim"
	w.inhabited("mine")
	byID, byUID := w.inhabited(other)
	w.do("POST", "/event-type", `{"name":"victim.only","description":"victim","featureFlags":["beta"],"schemas":{"1":{"examples":[{"a":"victim"}]}}}`).want(201)
	w.do("PATCH", "/settings", `{"resourceUrlBase":"https://victim.example.com"}`).want(200)
	hidden := map[string]string{"event_type_name": "victim.only", "app_id": "mine", "task_id": byID["task_id"]}
	mixed := maps.Clone(byID)
	mixed["app_id"] = "mine"

	// What would tell that an answer shows the other app, if it did.
	telling := []string{other}
	for _, name := range []string{"app_id", "endpoint_id", "msg_id", "attempt_id", "task_id", "source_id", "received_id"} {
		telling = append(telling, byID[name])
	}
	tells := func(body string) bool {
		return slices.ContainsFunc(telling, func(text string) bool { return strings.Contains(body, text) })
	}
	before := w.view(byID)
	n := 0
	for _, shown := range before {
		if tells(shown) {
			n++
		}
	}
	if n < 30 {
		t.Fatalf("only %d routes show what the test looks for", n)
	}
	refused := 0
	for how, call := range w.callers("mine", `{}`) {
		w.document().each(func(method, path string, op operation) {
			if op.public() {
				return
			}
			for name, values := range map[string]map[string]string{"ids": byID, "uids": byUID, "its own app, another's ids": mixed, "hidden types": hidden} {
				got := call(method, fill(path, values), bodyFor(method))
				at := fmt.Sprintf("%s, %s: %s %s: %d", how, name, method, path, got.Status)
				if tells(got.Body) {
					t.Errorf("%s shows %s", at, got.Body)
				}
				if got.Status >= 500 {
					t.Errorf("%s: %s", at, got.Body)
				}
				foreign := strings.Contains(path, "{app_id}") && values["app_id"] != "mine"
				if !foreign && (strings.Contains(path, "{app_id}") || method == "GET" && orgsRoutes(path)) {
					continue
				}
				if got.Status != 403 && got.Status != 404 {
					t.Errorf("%s: %s", at, got.Body)
				}
				refused++
			}
		})
	}
	if refused < 500 {
		t.Errorf("only %d requests were refused: the test has lost its grip", refused)
	}
	if diff := cmp.Diff(before, w.view(byID)); diff != "" {
		t.Errorf("something has changed (-before +after):\n%s", diff)
	}
}

// TestSessionsThatOnlyLook: who may only view, or only read, changes nothing of its own app either,
// and who may only view sees no secret.
func TestSessionsThatOnlyLook(t *testing.T) {
	t.Parallel()
	for name, rights := range map[string]string{"views": `{"capabilities":["ViewBase"]}`, "reads": `{"readOnly":true}`} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newLiveWorld(t)
			byID, _ := w.inhabited("mine")
			var secrets []string
			for _, path := range []string{"/app/mine/endpoint/mine-endpoint/secret", "/app/mine/signing-token"} {
				secrets = append(secrets, w.do("GET", path, "").want(200).text("key"))
			}
			before := w.view(byID)
			for how, call := range w.callers("mine", rights) {
				w.document().each(func(method, path string, op operation) {
					if op.public() || op.streams() {
						return
					}
					got := call(method, fill(path, byID), bodyFor(method))
					at := fmt.Sprintf("%s: %s %s: %d %s", how, method, path, got.Status, got.Body)
					if method != "GET" && got.Status != 403 {
						t.Error(at)
					}
					if method == "GET" && got.Status != 200 && got.Status != 403 && got.Status != 404 && got.Status != 422 {
						t.Error(at)
					}
					for _, secret := range secrets {
						if name == "views" && strings.Contains(got.Body, secret) {
							t.Error(at)
						}
					}
				})
				call("GET", "/app/mine/endpoint/mine-endpoint", "").want(200)
			}
			if diff := cmp.Diff(before, w.view(byID)); diff != "" {
				t.Errorf("something has changed (-before +after):\n%s", diff)
			}
		})
	}
}

// TestHiddenTypesGiveNoExample: a portal without the flag of an event type gets no example of it,
// neither shown nor sent.
func TestHiddenTypesGiveNoExample(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	app := w.app("a")
	w.endpoint("a", `,"uid":"e"`)
	w.do("POST", "/event-type", `{"name":"beta.type","description":"d","featureFlags":["beta"],"schemas":{"1":{"examples":[{"only":"for beta"}]}}}`).want(201)
	for flag, want := range map[string]bool{"beta": true, "other": false} {
		text := w.token(token.Claims{Org: testOrg(1), App: app, FeatureFlags: []string{flag}})
		sent := w.as(text, http.MethodPost, "/app/a/endpoint/e/send-example", `{"eventType":"beta.type"}`).want(202)
		if got := strings.Contains(sent.Body, "for beta"); got != want {
			t.Errorf("with the flag %s: %s", flag, sent.Body)
		}
	}
}
