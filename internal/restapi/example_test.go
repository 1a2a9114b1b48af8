package restapi_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/callboard/callboard/internal/dialect"
	"github.com/callboard/callboard/internal/id"
	"github.com/callboard/callboard/internal/outgoing"
	"github.com/callboard/callboard/internal/store"
	"github.com/callboard/callboard/internal/token"
)

// TestExample shows an event type's example in the endpoint's dialect, with headers that a
// receiver accepts.
func TestExample(t *testing.T) {
	t.Parallel()
	w := newVendorWorld(t)
	w.app("a")
	for name, want := range map[string][2]string{
		"native": {"session.joined", "exact"}, "zuddl": {"JOINED_SESSION", "exact"}, "oration": {"conversation.userJoined", "close"},
	} {
		w.endpoint("a", fmt.Sprintf(`,"uid":%q,"dialect":%q`, name, name))
		got := w.do("GET", "/app/a/endpoint/"+name+"/example?event_type=session.joined", "").want(200)
		if diff := cmp.Diff([]string{want[0], want[1], name, "session.joined"}, []string{got.text("word"), got.text("fit"), got.text("dialect"), got.text("eventType")}); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
		h, _ := got.headers()
		secret := w.do("GET", "/app/a/endpoint/"+name+"/secret", "").want(200).text("key")
		d, _ := w.dialects.Get(name)
		if v, err := d.Verify([]string{secret}, dialect.Request{Header: h, Body: []byte(got.text("body"))}); err != nil || !v.Valid {
			t.Errorf("%s: the example does not verify: %+v, %v", name, v, err)
		}
		if !strings.Contains(got.text("body"), "\n  \"") {
			t.Errorf("%s: the body is not indented: %s", name, got.text("body"))
		}
	}
	w.endpoint("a", `,"uid":"strict","dialect":"oration","translate":false`)
	w.do("POST", "/event-type", `{"name":"own.type","description":"d","schemas":{"1":{"examples":[{"a":1}]},"2":{"examples":[{"a":2}]}}}`).want(201)
	w.do("POST", "/event-type", `{"name":"hidden.type","description":"d","featureFlags":["f"]}`).want(201)
	if got := w.do("GET", "/app/a/endpoint/native/example?event_type=own.type", "").want(200).text("body"); got != "{\n  \"a\": 2\n}" {
		t.Errorf("the org's own example is %s", got)
	}
	for _, path := range []string{
		"strict/example?event_type=session.joined", "zuddl/example?event_type=own.type", "zuddl/example?event_type=contact.created", "zuddl/example",
	} {
		got := w.do("GET", "/app/a/endpoint/"+path, "").want(422)
		if diff := cmp.Diff([]string{"query.event_type"}, locs(got.json()["detail"])); diff != "" {
			t.Errorf("%s: %s", path, diff)
		}
	}
	tenant := w.token(token.Claims{Org: testOrg(1), App: w.do("GET", "/app/a", "").text("id")})
	w.as(tenant, "GET", "/app/a/endpoint/native/example?event_type=hidden.type", "").want(422)
	w.do("GET", "/app/a/endpoint/none/example?event_type=session.joined", "").want(404)
}

// TestRawExample sends an edited example: what goes over the wire is the text, byte for byte.
func TestRawExample(t *testing.T) {
	t.Parallel()
	w := newVendorWorld(t)
	app := w.app("a")
	send := func(uid, eventType, body string) reply {
		t.Helper()
		return w.do("POST", "/app/a/endpoint/"+uid+"/send-example", fmt.Sprintf(`{"eventType":%q,"body":%q}`, eventType, body))
	}
	sent := func(r reply, name string) string {
		t.Helper()
		m, ok := w.codec.Decode(id.Message, r.want(202).text("id"))
		owner, known := w.codec.Decode(id.App, app)
		if !ok || !known {
			t.Fatal("no ids")
		}
		row, err := w.store.Message(context.Background(), owner, store.Ref{ID: m})
		if err != nil {
			t.Fatal(err)
		}
		d, _ := w.dialects.Get(name)
		body, err := outgoing.Body(d, &row, "msg_1")
		if err != nil {
			t.Fatal(err)
		}
		return string(body)
	}
	for _, name := range []string{"native", "zuddl", "oration", "sessionboard", "iotum"} {
		w.endpoint("a", fmt.Sprintf(`,"uid":%q,"dialect":%q`, name, name))
	}
	w.endpoint("a", `,"uid":"disabled","disabled":true`)
	example := w.do("GET", "/app/a/endpoint/zuddl/example?event_type=session.joined", "").want(200).text("body")
	edited := strings.Replace(example, "{", "{ \"é\" : \"<é>\",", 1)
	got := send("zuddl", "session.joined", edited)
	if body := sent(got, "zuddl"); body != edited {
		t.Errorf("what is sent is %s", body)
	}
	if body := sent(got, "native"); !strings.Contains(body, `"session.joined"`) || strings.Contains(body, "actionId") {
		t.Errorf("read in Callboard's words it is %s", body)
	}
	if m := got.json(); m["test"] != true || m["eventType"] != "session.joined" {
		t.Errorf("the message is %s", got.Body)
	}
	if n := len(w.do("GET", "/app/a/msg/"+got.text("id")+"/endpoint", "").want(200).items()); n != 1 {
		t.Errorf("it goes to %d endpoints", n)
	}
	// What a schema refuses may be just what is to be tried out.
	for name, eventType := range map[string]string{
		"native": "session.joined", "zuddl": "session.joined", "oration": "session.joined", "sessionboard": "contact.created", "iotum": "conference.started",
	} {
		for _, body := range []string{"{}", " {\"data\":[]}\n", `{"event":5,"action":"X"}`} {
			if text := sent(send(name, eventType, body), name); text != body {
				t.Errorf("%s: %q is sent for %q", name, text, body)
			}
		}
	}
	sent(send("native", "own.type", `{"a":1}`), "native")
	for _, tt := range []struct {
		uid, body string
		status    int
		loc       string
	}{
		{"zuddl", `{"eventType":"session.joined","body":"[]"}`, 422, "body.body"},
		{"native", `{"eventType":"x.y","body":"{"}`, 422, "body.body"},
		{"native", `{"eventType":"x.y","body":""}`, 422, "body.body"},
		{"native", `{"eventType":"x.y","body":"{}","payload":{}}`, 422, "body.body"},
		{"native", `{"eventType":"x.y","body":"{}","data":{}}`, 422, "body.body"},
		{"native", `{"eventType":"x y","body":"{}"}`, 422, "body.eventType"},
		{"zuddl", `{"eventType":"own.type","body":"{}"}`, 422, "body.eventType"},
		{"zuddl", `{"eventType":"contact.created","body":"{}"}`, 422, "body.eventType"},
		{"disabled", `{"eventType":"x.y","body":"{}"}`, 409, ""},
		{"none", `{"eventType":"x.y","body":"{}"}`, 404, ""},
	} {
		got := w.do("POST", "/app/a/endpoint/"+tt.uid+"/send-example", tt.body).want(tt.status)
		if diff := cmp.Diff(tt.loc, strings.Join(locs(got.json()["detail"]), " ")); diff != "" {
			t.Errorf("%s %s: %s", tt.uid, tt.body, diff)
		}
	}
}

// TestCheckURL says what saving would say.
func TestCheckURL(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.app("a")
	w.endpoint("a", "")
	for _, url := range []string{
		"https://fine.example/hook", "http://fine.example", "https://10.0.0.1/", "https://localhost", "ftp://x", "", "https://user:pw@x.example", "https://x.example:22",
		"https://" + strings.Repeat("a", 3000), "https://127.1/", "https://fine.example:8443/p?q=1",
	} {
		check := w.do("POST", "/app/a/endpoint/check-url", fmt.Sprintf(`{"url":%q}`, url)).want(200).json()
		saved := w.do("POST", "/app/a/endpoint", fmt.Sprintf(`{"url":%q}`, url))
		var why any
		if saved.Status == 422 {
			why = saved.json()["detail"].([]any)[0].(map[string]any)["msg"]
		}
		if diff := cmp.Diff([]any{why == nil, why, nil}, []any{check["ok"], check["reason"], check["warning"]}); diff != "" {
			t.Errorf("%.40s: %s", url, diff)
		}
	}
	for url, want := range map[string]string{"https://example.com/hook": "another endpoint", "https://x.example/#part": "not sent"} {
		check := w.do("POST", "/app/a/endpoint/check-url", fmt.Sprintf(`{"url":%q}`, url)).want(200)
		if warning, _ := check.json()["warning"].(string); check.json()["ok"] != true || !strings.Contains(warning, want) {
			t.Errorf("%s: %s", url, check.Body)
		}
	}
	viewer := w.token(token.Claims{Org: testOrg(1), App: w.do("GET", "/app/a", "").text("id"), Capabilities: []token.Capability{token.ViewBase}})
	w.as(viewer, "POST", "/app/a/endpoint/check-url", `{"url":"https://x.example"}`).want(403)
	w.do("POST", "/app/none/endpoint/check-url", `{"url":"https://x.example"}`).want(404)
}
