package restapi_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/callboard/callboard/internal/dialect"
	"github.com/callboard/callboard/internal/dialect/builtin"
	"github.com/callboard/callboard/internal/restapi"
	"github.com/callboard/callboard/internal/token"
)

// newVendorWorld makes an empty world with the dialects and the catalogue of the service.
func newVendorWorld(t *testing.T, changes ...func(*restapi.Config)) *world {
	t.Helper()
	dialects := builtin.Dialects(builtin.Config{PublicURL: publicURL})
	return makeWorldOf(t, dialects, builtin.Catalog(dialects), changes...)
}

// headers are the headers in an answer.
func (r reply) headers() (h http.Header, masked []string) {
	r.t.Helper()
	h = http.Header{}
	list, _ := r.json()["headers"].([]any)
	for _, one := range list {
		header := one.(map[string]any)
		h.Add(header["name"].(string), header["value"].(string))
		if header["masked"] == true {
			masked = append(masked, header["name"].(string))
		}
	}
	return h, masked
}

// joinedBody is a message of the type session.joined.
func joinedBody(t *testing.T, w *world) string {
	t.Helper()
	sample, known := builtin.Catalog(w.dialects).Get("session.joined")
	if !known {
		t.Fatal("there is no session.joined")
	}
	return fmt.Sprintf(`{"eventType":"session.joined","payload":%s}`, sample.Sample)
}

// TestRequest shows what an attempt sent, in every dialect that says the message, and a
// receiver with the endpoint's secret accepts it.
func TestRequest(t *testing.T) {
	t.Parallel()
	w := newVendorWorld(t, func(cfg *restapi.Config) { cfg.UserAgent = "Callboard/9" })
	w.app("a")
	for _, name := range []string{"native", "zuddl", "oration", "iotum"} {
		t.Run(name, func(t *testing.T) {
			ep := w.endpoint("a", fmt.Sprintf(`,"uid":%q,"dialect":%q,"headers":{"X-Shop":"1","X-Api-Key":"abcdefghijklmnopqrstuvwxyz","Shop-Token":"abcdefghijklmnopqrstuvwxyz","Short-Secret":"abc"}`, name, name))
			secret := w.do("GET", "/app/a/endpoint/"+name+"/secret", "").want(200).text("key")
			msg := w.do("POST", "/app/a/msg", joinedBody(t, w)).want(202).text("id")
			w.deliver(ep, 200)
			attempt := w.do("GET", "/app/a/attempt/msg/"+msg+"?endpoint_id="+name, "").want(200).field("id")[0]
			path := "/app/a/msg/" + msg + "/endpoint/" + name + "/request"
			got := w.do("GET", path+"?attempt_id="+attempt, "").want(200)
			at, err := time.Parse(time.RFC3339Nano, got.text("at"))
			if err != nil {
				t.Fatal(err)
			}
			if at.Format(time.RFC3339) != w.do("GET", "/app/a/msg/"+msg+"/attempt/"+attempt, "").text("timestamp")[:19]+"Z" {
				t.Errorf("it is of %v", at)
			}
			if diff := cmp.Diff([]string{"POST", "https://example.com/hook", name}, []string{got.text("method"), got.text("url"), got.text("dialect")}); diff != "" {
				t.Error(diff)
			}
			h, masked := got.headers()
			want := []string{"Shop-Token", "Short-Secret", "X-Api-Key"}
			if name == "iotum" {
				want = append(want, "X-Signing-Token")
				if got := h.Get("X-Signing-Token"); got != "…"+secret[len(secret)-4:] {
					t.Errorf("the token is shown as %s", got)
				}
				h.Set("X-Signing-Token", secret)
			}
			if diff := cmp.Diff(want, masked); diff != "" {
				t.Errorf("masked (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff([]string{"1", "…", "…wxyz", "…", "Callboard/9", "application/json"}, []string{
				h.Get("X-Shop"), h.Get("X-Api-Key"), h.Get("Shop-Token"), h.Get("Short-Secret"), h.Get("User-Agent"), h.Get("Content-Type"),
			}); diff != "" {
				t.Error(diff)
			}
			d, _ := w.dialects.Get(name)
			verdict, err := d.Verify([]string{secret}, dialect.Request{Header: h, Body: []byte(got.text("body")), At: at})
			if err != nil || !verdict.Valid {
				t.Errorf("it does not verify: %+v, %v", verdict, err)
			}
			proof := got.json()["authentication"].(map[string]any)
			if proof["valid"] != true || !strings.HasSuffix(proof["secretHint"].(string), "…"+secret[len(secret)-4:]) || strings.Contains(got.Body, secret) {
				t.Errorf("authentication is %v", proof)
			}
			// Whoever may look at the app may look at this, and sees no more and no less.
			viewer := w.token(token.Claims{Org: testOrg(1), App: w.do("GET", "/app/a", "").text("id"), Capabilities: []token.Capability{token.ViewBase}})
			if seen := w.as(viewer, "GET", path+"?attempt_id="+attempt, "").want(200); seen.Body != got.Body {
				t.Errorf("a viewer sees %s", seen.Body)
			}
		})
	}
}

// TestProofOfNothing: what was not sent is proved only to who could have it sent, or knows the secret.
func TestProofOfNothing(t *testing.T) {
	t.Parallel()
	w := newVendorWorld(t)
	app := w.app("a")
	ep := w.endpoint("a", `,"uid":"e"`)
	msg := w.do("POST", "/app/a/msg", joinedBody(t, w)).want(202).text("id")
	w.deliver(ep, 200)
	request := "/app/a/msg/" + msg + "/endpoint/e/request"
	sent := request + "?attempt_id=" + w.do("GET", "/app/a/attempt/msg/"+msg, "").want(200).field("id")[0]
	proof := []string{"Svix-Id", "Svix-Signature", "Svix-Timestamp", "Webhook-Id", "Webhook-Signature", "Webhook-Timestamp"}
	for _, row := range []struct {
		may    []token.Capability
		path   string
		masked []string
	}{
		{[]token.Capability{token.ViewBase}, request, proof},
		{[]token.Capability{token.ViewBase}, "/app/a/endpoint/e/example?event_type=session.joined", proof},
		{[]token.Capability{token.ViewBase}, sent, nil},
		{[]token.Capability{token.ViewBase, token.CreateAttempts}, request, nil},
		{[]token.Capability{token.ViewBase, token.ViewEndpointSecret}, "/app/a/endpoint/e/example?event_type=session.joined", nil},
		{nil, request, nil},
	} {
		viewer := w.token(token.Claims{Org: testOrg(1), App: app, Capabilities: row.may})
		h, masked := w.as(viewer, "GET", row.path, "").want(200).headers()
		if diff := cmp.Diff(row.masked, masked); diff != "" {
			t.Errorf("%v at %s: masked (-want +got):\n%s", row.may, row.path, diff)
		}
		if shown := h.Get("Webhook-Signature"); (shown == "…") != (row.masked != nil) || shown == "" {
			t.Errorf("%v at %s: the signature is %q", row.may, row.path, shown)
		}
	}
}

// TestRequestLater: what has changed since an attempt is told.
func TestRequestLater(t *testing.T) {
	t.Parallel()
	w := newVendorWorld(t)
	w.app("a")
	ep := w.endpoint("a", `,"uid":"e","dialect":"zuddl"`)
	msg := w.do("POST", "/app/a/msg", joinedBody(t, w)).want(202).text("id")
	w.deliver(ep, 200)
	path := "/app/a/msg/" + msg + "/endpoint/e/request"
	attempt := "?attempt_id=" + w.do("GET", "/app/a/attempt/msg/"+msg, "").want(200).field("id")[0]
	detail := func(query string) (valid any, text string) {
		t.Helper()
		proof := w.do("GET", path+query, "").want(200).json()["authentication"].(map[string]any)
		return proof["valid"], proof["detail"].(string)
	}
	if valid, text := detail(attempt); valid != true || strings.Contains(text, "changed") {
		t.Errorf("at first: %v, %s", valid, text)
	}
	w.do("POST", "/app/a/endpoint/e/secret/rotate", `{"gracePeriodSeconds":3600}`).want(204)
	if valid, text := detail(""); valid != true || !strings.Contains(text, "old secret") {
		t.Errorf("in the grace period: %v, %s", valid, text)
	}
	if valid, text := detail(attempt); valid != true || !strings.Contains(text, "has been changed since the attempt") {
		t.Errorf("after a change: %v, %s", valid, text)
	}
	w.do("PATCH", "/app/a/endpoint/e", `{"url":"https://other.example/hook"}`).want(200)
	for query, want := range map[string]string{attempt: "https://example.com/hook", "": "https://other.example/hook"} {
		if got := w.do("GET", path+query, "").want(200).text("url"); got != want {
			t.Errorf("%q went to %s, want %s", query, got, want)
		}
	}
	w.do("PATCH", "/app/a/endpoint/e", `{"dialect":"sessionboard"}`).want(200)
	if got := w.do("GET", path+attempt, "").want(409).text("detail"); !strings.Contains(got, "cannot be rendered") {
		t.Errorf("in a dialect that cannot say it: %s", got)
	}
	w.do("DELETE", "/app/a/msg/"+msg+"/content", "").want(204)
	if got := w.do("GET", path+attempt, "").want(409).text("detail"); !strings.Contains(got, "payload") {
		t.Errorf("without a payload: %s", got)
	}
}

// TestNoRequest: there is no request where there is no delivery.
func TestNoRequest(t *testing.T) {
	t.Parallel()
	w := newVendorWorld(t)
	w.app("a")
	ep, other := w.endpoint("a", `,"uid":"e"`), w.endpoint("a", `,"uid":"other","filterTypes":["x.z"]`)
	msg := w.message("a", "x.y", "")
	w.deliver(ep, 500)
	attempt := w.do("GET", "/app/a/attempt/msg/"+msg, "").want(200).field("id")[0]
	second := w.message("a", "x.y", "")
	for _, path := range []string{
		"/msg/" + msg + "/endpoint/other/request", "/msg/" + msg + "/endpoint/" + other + "/request?attempt_id=" + attempt,
		"/msg/" + second + "/endpoint/e/request?attempt_id=" + attempt, "/msg/" + msg + "/endpoint/e/request?attempt_id=" + ep,
		"/msg/none/endpoint/e/request", "/msg/" + msg + "/endpoint/none/request",
	} {
		w.do("GET", "/app/a"+path, "").want(404)
	}
	got := w.do("GET", "/app/a/msg/"+second+"/endpoint/e/request", "").want(200)
	if got.text("body") != `{"n":1}` {
		t.Errorf("the body is %s", got.Body)
	}
	h, _ := got.headers()
	names := slices.DeleteFunc([]string{"Webhook-Id", "Svix-Id"}, func(name string) bool { return h.Get(name) == second })
	if len(names) > 0 {
		t.Errorf("%v are not the message's id in %v", names, h)
	}
}

// TestExplanation: an attempt that failed says why.
func TestExplanation(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.app("a")
	ep := w.endpoint("a", `,"uid":"e"`)
	for status, want := range map[int]any{200: nil, 404: "There is nothing at that path (404 Not Found)", 0: "connection refused"} {
		msg := w.message("a", "x.y", "")
		w.deliver(ep, status)
		var got any
		explained := w.do("GET", "/app/a/attempt/msg/"+msg, "").want(200).items()[0]["explanation"]
		if e, ok := explained.(map[string]any); ok {
			got = e["title"]
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%d: %s", status, diff)
		}
	}
}
