package app_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// TestCatalog asks a whole server for the catalogue: it lists it, holds messages to it, and
// sends examples of it.
func TestCatalog(t *testing.T) {
	a := running(t)
	want(t, a, 201, "POST", "/api/v1/app", `{"name":"Acme","uid":"acme"}`)
	want(t, a, 201, "POST", "/api/v1/app/acme/endpoint", `{"url":"http://127.0.0.1:59999/","uid":"e","disabled":false}`)
	var types struct {
		Data []struct {
			Name, Description, GroupName, Origin string
			Schemas                              map[string]struct{ Examples []json.RawMessage }
		}
		Done bool
	}
	_, text := call(t, a, "GET", "/api/v1/event-type?limit=250&with_content=true", "")
	if err := json.Unmarshal([]byte(text), &types); err != nil {
		t.Fatal(err)
	}
	if len(types.Data) < 50 || !types.Done {
		t.Errorf("%d types, done %v", len(types.Data), types.Done)
	}
	for _, et := range types.Data {
		if et.Origin != "catalog" || et.Description == "" || et.GroupName == "" || len(et.Schemas["1"].Examples) != 1 {
			t.Errorf("type %+v", et)
			continue
		}
		want(t, a, 202, "POST", "/api/v1/app/acme/endpoint/e/send-example", `{"eventType":"`+et.Name+`"}`)
		payload := string(et.Schemas["1"].Examples[0])
		want(t, a, 202, "POST", "/api/v1/app/acme/msg", `{"eventType":"`+et.Name+`","payload":`+payload+`}`)
		got, text := call(t, a, "POST", "/api/v1/app/acme/msg", `{"eventType":"`+et.Name+`","payload":`+strings.Replace(payload, et.Name, "other", 1)+`}`)
		if got != 422 || !strings.Contains(text, `["body","payload","type"]`) {
			t.Errorf("%s with the payload of another type: %d %s", et.Name, got, text)
		}
	}
	got, text := call(t, a, "POST", "/api/v1/app/acme/msg", `{"eventType":"session.joined","payload":{"type":"session.joined",`+
		`"timestamp":"2026-05-01T12:00:00.000Z","data":{"event":{"id":"e"},"session":{"id":[]},"registration":{}}}}`)
	if got != 422 || !strings.Contains(text, `["body","payload","data","session","id"]`) || !strings.Contains(text, `["body","payload","data","registration","id"]`) {
		t.Errorf("a misfit: %d %s", got, text)
	}
}

// TestDialects delivers one message in every dialect that can say it: in its own form,
// authenticated in its own way, for the tenant that the app is.
func TestDialects(t *testing.T) {
	type request struct {
		path, body string
		header     http.Header
	}
	got := make(chan request, 10)
	sink := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		got <- request{r.URL.Path, string(body), r.Header}
	}))
	defer sink.Close()
	a := running(t)
	want(t, a, 201, "POST", "/api/v1/app", `{"name":"Acme","uid":"acme"}`)
	for _, name := range []string{"native", "zuddl", "sessionboard", "oration", "iotum"} {
		want(t, a, 201, "POST", "/api/v1/app/acme/endpoint", `{"url":"`+sink.URL+"/"+name+`","uid":"`+name+`","dialect":"`+name+`"}`)
	}
	const payload = `{"type":"session.joined","timestamp":"2026-05-01T12:00:00.000Z","data":{"event":{"id":"e1"},"session":{"id":"s1"},"registration":{"id":"r1"}}}`
	want(t, a, 202, "POST", "/api/v1/app/acme/msg", `{"eventType":"session.joined","payload":`+payload+`}`)
	heard := receive(t, got, 4, func(r request) (string, string) {
		return r.path, strings.Join([]string{r.body, r.header.Get("X-Webhook-Signature"), r.header.Get("X-Signing-Token"), r.header.Get("Webhook-Signature")}, " ")
	})
	for path, what := range heard {
		signs := map[string][]string{
			"/native":  {payload, "v1,"},
			"/zuddl":   {`"action":"JOINED_SESSION"`, `"organizationId":"acme"`, "sha256="},
			"/oration": {`"eventType":"conversation.userJoined"`, `"workspaceId":"acme"`, "v1,"},
			"/iotum":   {`"event":"enter_conference"`, `\"company_id\":\"acme\"`},
		}[path]
		for _, sign := range signs {
			if !strings.Contains(what, sign) {
				t.Errorf("%s lacks %s: %s", path, sign, what)
			}
		}
		if signs == nil {
			t.Errorf("%s heard what it cannot say", path)
		}
	}
	_, text := call(t, a, "GET", "/api/v1/app/acme/signing-token", "")
	_, same := call(t, a, "GET", "/api/v1/app/acme/endpoint/iotum/secret", "")
	var token struct{ Key string }
	if err := json.Unmarshal([]byte(text), &token); err != nil || text != same || token.Key == "" {
		t.Fatalf("the app's token %s, the endpoint's %s (%v)", text, same, err)
	}
	if !strings.Contains(heard["/iotum"], token.Key) {
		t.Errorf("iotum's webhook does not carry the app's token: %s", heard["/iotum"])
	}
	// A type of the org's own is native's alone.
	want(t, a, 202, "POST", "/api/v1/app/acme/msg", `{"eventType":"greeting.sent","payload":{"n":1}}`)
	for path := range receive(t, got, 1, func(r request) (string, string) { return r.path, "" }) {
		if path != "/native" {
			t.Errorf("%s heard a type that it cannot know", path)
		}
	}
}

// receive waits for n requests and files them under what name gives.
func receive[R any](t *testing.T, from <-chan R, n int, name func(R) (key, value string)) map[string]string {
	t.Helper()
	all := map[string]string{}
	for range n {
		select {
		case r := <-from:
			key, value := name(r)
			all[key] = value
		case <-time.After(patience):
			t.Fatalf("%d of %d requests came", len(all), n)
		}
	}
	return all
}
