package restapi_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/callboard/callboard/internal/ingest/ingesttest"
	"github.com/callboard/callboard/internal/token"
)

// spoken is a body of a message of the catalogue's type.
func spoken(data string) string {
	return `{"type":"word.spoken","timestamp":"2026-05-01T12:00:00Z","data":` + data + `}`
}

// locs are the places of a 422, or of warnings.
func locs(fields any) (all []string) {
	list, _ := fields.([]any)
	for _, f := range list {
		var parts []string
		for _, part := range f.(map[string]any)["loc"].([]any) {
			parts = append(parts, part.(string))
		}
		all = append(all, strings.Join(parts, "."))
	}
	return all
}

func TestCatalogEventTypes(t *testing.T) {
	t.Parallel()
	w := newCatalogWorld(t)
	got := w.do("GET", "/event-type/word.near", "").want(200)
	want := map[string]any{
		"name": "word.near", "description": "About word.near.", "groupName": "word", "archived": false, "deprecated": false,
		"featureFlags": nil, "featureFlag": nil, "origin": "catalog",
		"words": map[string]any{"shared": "WORD.NEAR", "terse": "WORD"}, "translations": []any{"terse"},
		"schemas": map[string]any{"1": map[string]any{"type": "object", "examples": []any{map[string]any{
			"type": "word.near", "timestamp": "2026-05-01T12:00:00.000Z", "data": map[string]any{"id": "1", "of": map[string]any{"a": 1.0, "b": []any{2.0}}},
		}}}},
		"createdAt": got.text("createdAt"), "updatedAt": got.text("createdAt"),
	}
	if diff := cmp.Diff(want, got.json()); diff != "" {
		t.Errorf("one (-want +got):\n%s", diff)
	}
	if at, err := time.Parse(time.RFC3339, got.text("createdAt")); err != nil || at.Year() < 2026 {
		t.Errorf("createdAt %s", got.text("createdAt"))
	}
	for content, schemas := range map[string]bool{"": false, "?with_content=true": true} {
		for _, item := range w.do("GET", "/event-type"+content, "").want(200).items() {
			if (item["schemas"] != nil) != schemas {
				t.Errorf("list%s: schemas %v", content, item["schemas"])
			}
		}
	}
	w.do("GET", "/event-type/word.unknown", "").want(404)
	w.do("GET", "/event-type/"+ingesttest.ForeignWord, "").want(404)
	// A tenant sees them too.
	tenant := w.token(token.Claims{Org: testOrg(1), App: w.app("a")})
	if got := w.as(tenant, "GET", "/event-type", "").want(200).field("name"); !slices.Equal(got, []string{"word.near", "word.quiet", "word.spoken"}) {
		t.Errorf("a tenant sees %v", got)
	}
}

// TestCatalogShadows declares a type of the catalogue's name and takes it away again.
func TestCatalogShadows(t *testing.T) {
	t.Parallel()
	w := newCatalogWorld(t)
	const one = "/event-type/word.spoken"
	origin := func(want string) {
		t.Helper()
		one := w.do("GET", one, "").want(200)
		if got := one.text("origin"); got != want {
			t.Errorf("origin %s, want %s", got, want)
		}
		if words := one.json()["words"].(map[string]any); (len(words) > 0) != (want == "catalog") {
			t.Errorf("words of %s: %v", want, words)
		}
		var listed []string
		for _, query := range []string{"", "?include_archived=true"} {
			for _, item := range w.do("GET", "/event-type"+query, "").want(200).items() {
				if item["name"] == "word.spoken" {
					listed = append(listed, fmt.Sprint(item["origin"]))
				}
			}
		}
		if !slices.Equal(listed, []string{want, want}) {
			t.Errorf("lists say %v, want %s once each", listed, want)
		}
	}
	origin("catalog")
	for _, method := range []string{"PATCH", "DELETE"} {
		if got := w.do(method, one, `{}`).want(409); !strings.Contains(got.text("detail"), "declare your own") {
			t.Errorf("%s does not say what to do: %s", method, got.Body)
		}
	}
	w.do("POST", "/event-type", `{"name":"word.spoken","description":"mine"}`).want(201)
	origin("own")
	w.do("POST", "/event-type", `{"name":"word.spoken","description":"again"}`).want(409)
	w.do("PATCH", one, `{"description":"changed"}`).want(200)
	w.do("DELETE", one, "").want(204)
	origin("catalog") // an archived one stands in front of nothing
	w.do("PATCH", one, `{"archived":false}`).want(200)
	origin("own")
	w.do("DELETE", one+"?expunge=true", "").want(204)
	origin("catalog")
	w.do("PUT", one, `{"description":"put"}`).want(201)
	origin("own")
}

// TestHiddenTypeShadows hides an own type from a tenant: the catalogue's does not show in
// its place, since no message is of it.
func TestHiddenTypeShadows(t *testing.T) {
	t.Parallel()
	w := newCatalogWorld(t)
	w.do("POST", "/event-type", `{"name":"word.spoken","description":"mine","featureFlags":["beta"]}`).want(201)
	tenant := w.token(token.Claims{Org: testOrg(1), App: w.app("a")})
	if got := w.as(tenant, "GET", "/event-type", "").want(200).field("name"); !slices.Equal(got, []string{"word.near", "word.quiet"}) {
		t.Errorf("a tenant sees %v", got)
	}
	w.as(tenant, "GET", "/event-type/word.spoken", "").want(404)
}

func TestCatalogSetting(t *testing.T) {
	t.Parallel()
	w := newCatalogWorld(t)
	for setting, want := range map[string]string{
		`"all"`: "word.near word.quiet word.spoken", `"none"`: "", `["terse"]`: "word.spoken", `["shared"]`: "word.near word.quiet word.spoken",
	} {
		w.do("PATCH", "/settings", `{"catalog":`+setting+`}`).want(200)
		if got := strings.Join(w.do("GET", "/event-type", "").want(200).field("name"), " "); got != want {
			t.Errorf("catalog %s: %q, want %q", setting, got, want)
		}
		status := 404
		if strings.Contains(want, "word.near") {
			status = 200
		}
		w.do("GET", "/event-type/word.near", "").want(status)
	}
	w.do("PATCH", "/settings", `{"catalog":null,"dialects":["native","terse"]}`).want(200)
	if got := w.do("GET", "/event-type/word.near", "").json()["words"]; !cmp.Equal(got, map[string]any{"terse": "WORD"}) {
		t.Errorf("words of dialects that the org does not allow: %v", got)
	}
}

// TestCatalogLists walks the merged list forwards and backwards, in both orders, with own
// types between, before and in front of the catalogue's.
func TestCatalogLists(t *testing.T) {
	t.Parallel()
	w := newCatalogWorld(t)
	for _, name := range []string{"a", "word.middle", "word.quiet", "word.z", "z"} {
		w.do("POST", "/event-type", `{"name":"`+name+`","description":"d"}`).want(201)
	}
	w.do("PUT", "/event-type/word.near", `{"description":"d","archived":true}`).want(201)
	w.do("PUT", "/event-type/word.old", `{"description":"d","archived":true}`).want(201)
	plain := []string{"a", "word.middle", "word.near", "word.quiet", "word.spoken", "word.z", "z"}
	archived := []string{"a", "word.middle", "word.near", "word.old", "word.quiet", "word.spoken", "word.z", "z"}
	for query, want := range map[string][]string{"?order=ascending": plain, "?include_archived=true": archived} {
		for _, descending := range []bool{false, true} {
			path, want := "/event-type"+query, slices.Clone(want)
			if descending {
				path = strings.Replace(path, "ascending", "descending", 1)
				if !strings.Contains(path, "order") {
					path += "&order=descending"
				}
				slices.Reverse(want)
			}
			for _, limit := range []int{1, 2, 3, 7, 8, 50} {
				forward, last := walkTypes(w, path, limit, "")
				if diff := cmp.Diff(want, forward); diff != "" {
					t.Errorf("%s by %d (-want +got):\n%s", path, limit, diff)
				}
				before := want[:len(want)-len(last.items())]
				backward, _ := walkTypes(w, path, limit, last.text("prevIterator"))
				if diff := cmp.Diff(before, backward); diff != "" && len(before) > 0 {
					t.Errorf("%s back by %d (-want +got):\n%s", path, limit, diff)
				}
			}
		}
	}
}

// walkTypes follows a list of event types from an iterator on, backwards if that is one of
// a page before.
func walkTypes(w *world, path string, limit int, from string) (all []string, last reply) {
	w.t.Helper()
	back := strings.HasPrefix(from, "-")
	for range 20 {
		next := fmt.Sprintf("%s&limit=%d", path, limit)
		if from != "" {
			next += "&iterator=" + from
		}
		last = w.do("GET", next, "").want(200)
		page := last.field("name")
		if len(page) > limit {
			w.t.Fatalf("a page of %d, %d were asked for", len(page), limit)
		}
		if back {
			all = append(page, all...)
		} else {
			all = append(all, page...)
		}
		if last.json()["done"] == true {
			return all, last
		}
		from = last.text(map[bool]string{false: "iterator", true: "prevIterator"}[back])
	}
	w.t.Fatal("the list does not end")
	return nil, last
}

func TestCatalogMessageAnswers(t *testing.T) {
	t.Parallel()
	w := newCatalogWorld(t)
	w.app("a")
	send := func(payload string) reply {
		return w.do("POST", "/app/a/msg", `{"eventType":"word.spoken","payload":`+payload+`}`)
	}
	misfit := spoken(`{` + ingesttest.Misfit + `:1}`)
	if got := locs(send(misfit).want(422).json()["detail"]); !slices.Equal(got, []string{"body.payload.data.id"}) {
		t.Errorf("complaints %v", got)
	}
	if got := send(spoken(`{}`)).want(202).json(); got["warnings"] != nil {
		t.Errorf("warned of nothing: %v", got)
	}
	w.do("PATCH", "/settings", `{"schemaValidation":"warn"}`).want(200)
	got := send(misfit).want(202)
	want := []any{map[string]any{"loc": []any{"body", "payload", "data", "id"}, "msg": "is required"}}
	if diff := cmp.Diff(want, got.json()["warnings"]); diff != "" {
		t.Errorf("warnings (-want +got):\n%s", diff)
	}
	if got := w.do("GET", "/app/a/msg/"+got.text("id"), "").want(200); strings.Contains(got.Body, "warnings") {
		t.Errorf("a message that is read has warnings: %s", got.Body)
	}
	if got := send(spoken(`{}`)).want(202).json(); got["warnings"] != nil {
		t.Errorf("warned of nothing: %v", got)
	}
}

func TestCatalogPrecheck(t *testing.T) {
	t.Parallel()
	w := newCatalogWorld(t)
	w.app("a")
	w.endpoint("a", `,"dialect":"terse"`)
	active := func(eventType string) bool {
		return w.do("POST", "/app/a/msg/precheck/active", `{"eventType":"`+eventType+`"}`).want(200).json()["active"] == true
	}
	got := []bool{active("word.spoken"), active(ingesttest.ForeignWord), active("word.quiet"), active("a.b")}
	if diff := cmp.Diff([]bool{true, true, false, false}, got); diff != "" {
		t.Errorf("active (-want +got):\n%s", diff)
	}
	w.do("POST", "/event-type", `{"name":"word.spoken","description":"mine"}`).want(201)
	w.do("PATCH", "/settings", `{"catalog":["native"]}`).want(200)
	got = []bool{active("word.spoken"), active("word.near"), active(ingesttest.ForeignWord)}
	if diff := cmp.Diff([]bool{false, true, false}, got); diff != "" {
		t.Errorf("active, shadowed (-want +got):\n%s", diff)
	}
}

func TestCatalogExamples(t *testing.T) {
	t.Parallel()
	w := newCatalogWorld(t)
	w.app("a")
	w.endpoint("a", `,"uid":"e","dialect":"terse"`)
	send := func(body string) reply { return w.do("POST", "/app/a/endpoint/e/send-example", body) }
	data := func(r reply) string {
		text, err := json.Marshal(r.want(202).json()["payload"].(map[string]any)["data"])
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	for body, want := range map[string]string{
		`{"eventType":"word.spoken"}`:                                           `{"id":"1","of":{"a":1,"b":[2]}}`,
		`{"eventType":"word.spoken","data":{"id":"2","more":null}}`:             `{"id":"2","more":null,"of":{"a":1,"b":[2]}}`,
		`{"eventType":"word.spoken","data":{"of":{"b":[],"c":{"d":1}}}}`:        `{"id":"1","of":{"a":1,"b":[],"c":{"d":1}}}`,
		`{"eventType":"word.spoken","data":{"of":7}}`:                           `{"id":"1","of":7}`,
		`{"eventType":"word.spoken","payload":` + spoken(`{"mine":true}`) + `}`: `{"mine":true}`,
		`{"eventType":"terse.FOREIGN"}`:                                         `{}`,
		`{"eventType":"terse.FOREIGN","data":{"vendor":1}}`:                     `{"vendor":1}`,
	} {
		if got := data(send(body)); got != want {
			t.Errorf("%s: data %s, want %s", body, got, want)
		}
	}
	misfit := `{` + ingesttest.Misfit + `:1}`
	for body, want := range map[string]string{
		`{"eventType":"word.spoken","data":` + misfit + `}`:            "body.data.id",
		`{"eventType":"word.spoken","payload":` + spoken(misfit) + `}`: "body.payload.data.id",
		`{"eventType":"word.quiet"}`:                                   "body.eventType",
		`{"eventType":"a.b"}`:                                          "body.eventType",
	} {
		if got := strings.Join(locs(send(body).want(422).json()["detail"]), " "); got != want {
			t.Errorf("%s: complaints %q, want %q", body, got, want)
		}
	}
	w.do("PATCH", "/settings", `{"schemaValidation":"warn"}`).want(200)
	if got := locs(send(`{"eventType":"word.spoken","data":` + misfit + `}`).want(202).json()["warnings"]); !slices.Equal(got, []string{"body.data.id"}) {
		t.Errorf("warnings %v", got)
	}
}

func TestDialectWords(t *testing.T) {
	t.Parallel()
	w := newCatalogWorld(t)
	w.app("a")
	create := func(extra string) reply {
		return w.do("POST", "/app/a/endpoint", `{"url":"https://example.com"`+extra+`}`)
	}
	made := create(`,"dialect":"terse","filterTypes":["WORD"]`).want(201).json()
	want := []any{"word.spoken", "word.near"}
	if !cmp.Equal(want, made["filterTypes"]) || !cmp.Equal(want, made["eventTypes"]) {
		t.Errorf("a word became %v and %v", made["filterTypes"], made["eventTypes"])
	}
	if got := create(`,"dialect":"terse","translate":false,"eventTypes":["WORD"]`).want(201).json()["filterTypes"]; !cmp.Equal([]any{"word.spoken"}, got) {
		t.Errorf("a word without translations became %v", got)
	}
	got := create(`,"dialect":"terse","filterTypes":["WORD","word.quiet"]`).want(422)
	if !slices.Equal(locs(got.json()["detail"]), []string{"body.filterTypes.1"}) || !strings.Contains(got.Body, "terse cannot say word.quiet") {
		t.Errorf("an unsaid type: %s", got.Body)
	}
	got = create(`,"dialect":"terse","translate":false,"filterTypes":["word.near"]`).want(422)
	if !strings.Contains(got.Body, "only as a translation") {
		t.Errorf("a translation that is refused: %s", got.Body)
	}
}

func TestAppDialects(t *testing.T) {
	t.Parallel()
	w := newCatalogWorld(t)
	made := w.do("POST", "/app", `{"name":"n","uid":"a","dialects":["terse","shared"],"defaultDialect":"terse"}`).want(201).json()
	if !cmp.Equal([]any{"terse", "shared"}, made["dialects"]) || made["defaultDialect"] != "terse" {
		t.Errorf("dialects %v, default %v", made["dialects"], made["defaultDialect"])
	}
	if got := w.do("POST", "/app/a/endpoint", `{"url":"https://example.com"}`).want(201).text("dialect"); got != "terse" {
		t.Errorf("dialect %s, want the app's", got)
	}
	w.do("POST", "/app/a/endpoint", `{"url":"https://example.com","dialect":"native"}`).want(422)
	// Clients of Svix do not know the fields: a PUT without them leaves them.
	if got := w.do("PUT", "/app/a", `{"name":"m"}`).want(200).json(); got["defaultDialect"] != "terse" || got["dialects"] == nil {
		t.Errorf("a PUT without them has taken them away: %v", got)
	}
	if got := w.do("PATCH", "/app/a", `{"dialects":null,"defaultDialect":null}`).want(200).json(); got["defaultDialect"] != nil || got["dialects"] != nil {
		t.Errorf("null left %v", got)
	}
	for body, want := range map[string]string{
		`{"dialects":["martian"]}`: "body.dialects", `{"dialects":[]}`: "body.dialects", `{"dialects":["terse"]}`: "body.defaultDialect",
		`{"defaultDialect":"martian"}`: "body.defaultDialect",
	} {
		if got := strings.Join(locs(w.do("PATCH", "/app/a", body).want(422).json()["detail"]), " "); got != want {
			t.Errorf("%s: complaints %q, want %q", body, got, want)
		}
	}
	w.do("PATCH", "/settings", `{"dialects":["native","terse"]}`).want(200)
	w.do("PATCH", "/app/a", `{"dialects":["shared"],"defaultDialect":"shared"}`).want(422)
}
