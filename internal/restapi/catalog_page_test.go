package restapi_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/callboard/callboard/internal/dialect"
	"github.com/callboard/callboard/internal/token"
)

// TestCatalogPage lists what event types there are, and what each dialect calls them.
func TestCatalogPage(t *testing.T) {
	t.Parallel()
	w := newVendorWorld(t)
	app := w.app("a")
	for _, body := range []string{
		`{"name":"own.type","description":"Ours.","groupName":"own","deprecated":true,"schemas":{"1":{"type":"object","examples":[{"a":1}]}}}`,
		`{"name":"flagged.type","description":"d","featureFlags":["f"]}`, `{"name":"old.type","description":"d","archived":true}`,
		`{"name":"session.left","description":"Ours, too."}`,
	} {
		w.do("POST", "/event-type", body).want(201)
	}
	tenant := w.token(token.Claims{Org: testOrg(1), App: app})
	flagged := w.token(token.Claims{Org: testOrg(1), App: app, FeatureFlags: []string{"f"}})
	all := w.do("GET", "/catalog", "").want(200)
	names := all.field("name")
	if !slices.IsSorted(names) || len(names) < 40 || slices.Contains(names, "old.type") {
		t.Errorf("names are %v", names)
	}
	for text, sees := range map[string]bool{w.org: true, tenant: false, flagged: true} {
		got := w.as(text, "GET", "/catalog", "").want(200).field("name")
		if slices.Contains(got, "flagged.type") != sees || !slices.Contains(got, "own.type") {
			t.Errorf("the token sees %v", got)
		}
		want := http.StatusOK
		if !sees {
			want = http.StatusNotFound
		}
		w.as(text, "GET", "/catalog/flagged.type", "").want(want)
	}
	find := func(name string) map[string]any {
		t.Helper()
		i := slices.Index(names, name)
		if i < 0 {
			t.Fatalf("there is no %s", name)
		}
		return all.items()[i]
	}
	word := func(text, fit string) any { return map[string]any{"words": []any{text}, "fit": fit} }
	if diff := cmp.Diff(map[string]any{
		"native": word("session.joined", "exact"), "zuddl": word("JOINED_SESSION", "exact"),
		"oration": word("conversation.userJoined", "close"), "iotum": word("enter_conference", "close"),
	}, find("session.joined")["words"]); diff != "" {
		t.Errorf("words (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[string]any{
		"name": "own.type", "group": "own", "description": "Ours.", "deprecated": true, "own": true, "words": map[string]any{"native": word("own.type", "exact")},
	}, find("own.type")); diff != "" {
		t.Errorf("the org's own (-want +got):\n%s", diff)
	}
	if got := find("session.left"); got["own"] != true {
		t.Errorf("an own type does not stand in front of the catalogue's: %v", got)
	}
	for _, name := range []string{"old.type", "none.such"} {
		w.do("GET", "/catalog/"+name, "").want(404)
	}
	// A tenant sees the dialects of its app.
	w.do("PATCH", "/app/a", `{"dialects":["native","zuddl"]}`).want(200)
	words := w.as(tenant, "GET", "/catalog/session.joined", "").want(200).json()["words"].(map[string]any)
	if len(words) != 2 || words["zuddl"] == nil || words["native"] == nil {
		t.Errorf("a tenant of two dialects sees %v", words)
	}
}

// entry is what the tests read of an event type.
type entry struct {
	Name    string
	Schema  map[string]any
	Samples []struct {
		Dialect, Word, Fit, Body, Secret string
		Headers                          []struct{ Name, Value string }
	}
}

// TestCatalogSamples: every sample of every type can be verified, with the secret that stands
// beside it.
func TestCatalogSamples(t *testing.T) {
	t.Parallel()
	w := newVendorWorld(t)
	samples := map[string]int{}
	for _, name := range w.do("GET", "/catalog", "").want(200).field("name") {
		got := w.do("GET", "/catalog/"+name, "").want(200)
		var e entry
		if err := json.Unmarshal([]byte(got.Body), &e); err != nil {
			t.Fatal(err)
		}
		if e.Schema["type"] != "object" || len(e.Samples) == 0 || len(e.Samples) != len(got.json()["words"].(map[string]any)) {
			t.Errorf("%s: schema %v, %d samples", name, e.Schema["type"], len(e.Samples))
		}
		for _, s := range e.Samples {
			samples[s.Dialect]++
			h := http.Header{}
			for _, one := range s.Headers {
				h.Set(one.Name, one.Value)
			}
			d, _ := w.dialects.Get(s.Dialect)
			if v, err := d.Verify([]string{s.Secret}, dialect.Request{Header: h, Body: []byte(s.Body)}); err != nil || !v.Valid {
				t.Errorf("%s in %s: %+v, %v", name, s.Dialect, v, err)
			}
			if h.Get("Content-Type") != "application/json" || !json.Valid([]byte(s.Body)) {
				t.Errorf("%s in %s: %v %s", name, s.Dialect, h, s.Body)
			}
		}
	}
	for _, name := range w.dialects.Names() {
		if samples[name] < 3 {
			t.Errorf("there are %d samples in %s", samples[name], name)
		}
	}
}

// TestVerifyGuides: how to verify is told to everybody.
func TestVerifyGuides(t *testing.T) {
	t.Parallel()
	w := newVendorWorld(t)
	for _, name := range w.dialects.Names() {
		got := w.as("", "GET", "/catalog/verify/"+name, "").want(200).json()
		snippets := got["snippets"].(map[string]any)
		for _, language := range []string{"go", "typescript", "python", "curl"} {
			if text, _ := snippets[language].(string); !strings.Contains(text, "verify") {
				t.Errorf("%s in %s: %v", name, language, snippets[language])
			}
		}
		if got["dialect"] != name || len(got["steps"].([]any)) < 3 || len(got["headers"].([]any)) < 1 || got["scheme"] == "" {
			t.Errorf("the guide for %s is %v", name, got)
		}
	}
	w.as("", "GET", "/catalog/verify/none", "").want(404)
	newWorld(t).as("", "GET", "/catalog/verify/terse", "").want(404) // it signs in a way of its own
}

// TestPublicCatalog is there for everybody when the org says so, and only then.
func TestPublicCatalog(t *testing.T) {
	t.Parallel()
	w := newVendorWorld(t)
	nasty := "</script><img src=x onerror=alert(1)> *bold* [link](javascript:alert(1)) `code` \n# heading"
	w.do("POST", "/event-type", fmt.Sprintf(`{"name":"own.type","description":%q,"groupName":"a_b","schemas":{"1":{"examples":[{"a":"`+"```"+`<b>"}]}}}`, nasty)).want(201)
	w.do("POST", "/event-type", `{"name":"flagged.type","description":"d","featureFlags":["f"]}`).want(201)
	org := testOrg(1)
	page := func(org string) reply { return w.send(request{method: "GET", path: "/catalog/" + org + ".md"}) }
	closed := func() {
		t.Helper()
		for _, org := range []string{org, testOrg(2), "x", "org_x"} {
			w.as("", "GET", "/public/catalog/"+org, "").want(404)
			w.as("", "GET", "/public/catalog/"+org+"/session.joined", "").want(404)
			page(org).want(404)
		}
	}
	closed()
	w.do("PATCH", "/settings", `{"publicCatalog":true,"portal":{"name":"Harbour Conf","accent":"#0f766e"}}`).want(200)
	for _, path := range []string{"", "/own.type"} { // whoever has no session sees there whose catalogue it is
		if got := w.as("", "GET", "/public/catalog/"+org+path, "").want(200); !strings.Contains(got.Body, `"brand":{"name":"Harbour Conf","logo":null,"accent":"#0f766e"}`) {
			t.Errorf("GET %s does not say whose it is", path)
		}
	}
	names := w.as("", "GET", "/public/catalog/"+org, "").want(200).field("name")
	if !slices.Contains(names, "own.type") || !slices.Contains(names, "session.joined") || slices.Contains(names, "flagged.type") {
		t.Errorf("everybody sees %v", names)
	}
	w.as("", "GET", "/public/catalog/"+org+"/own.type", "").want(200)
	w.as("", "GET", "/public/catalog/"+org+"/flagged.type", "").want(404)
	w.as("", "GET", "/public/catalog/"+testOrg(2), "").want(404)
	got := page(org).want(200)
	if kind := got.Header.Get("Content-Type"); kind != "text/markdown; charset=utf-8" || got.Header.Get("X-Content-Type-Options") != "nosniff" {
		t.Errorf("it is served as %s", kind)
	}
	for _, want := range []string{
		"\n## a\\_b\n", "\n### own.type\n", `&lt;/script\>&lt;img src=x onerror=alert\(1\)\> \*bold\* \[link\]\(javascript:alert\(1\)\) \` + "`code\\`  \\# heading\n",
		"\n````json\n{\n  \"a\": \"```<b>\"\n}\n````\n", "\n### session.joined\n", "as `JOINED_SESSION`", "### zuddl\n", "import hmac\n",
	} {
		if !strings.Contains(got.Body, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	if strings.Contains(got.Body, "flagged") {
		t.Error("the page tells of a flagged type")
	}
	w.do("PATCH", "/settings", `{"publicCatalog":false}`).want(200)
	closed()
	w.send(request{method: "GET", path: "/catalog/" + org}).want(404) // the page of the dashboard
}
