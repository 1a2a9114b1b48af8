package restapi_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"flag"
	"fmt"
	"html"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/callboard/callboard/internal/restapi"
	"github.com/callboard/callboard/internal/store"
	"github.com/callboard/callboard/internal/token"
)

var update = flag.Bool("update", false, "rewrite generated documents")

// document is what the tests read of the OpenAPI document.
type document struct {
	OpenAPI string
	Paths   map[string]map[string]operation
	raw     string
}

type operation struct {
	OperationID, Summary, Description string
	Tags                              []string
	Security                          []map[string][]string
	Parameters                        []struct {
		Name, In string
		Schema   schema
	}
	RequestBody struct {
		Content map[string]struct{ Schema schema }
	}
	Responses map[string]any
}

type schema struct {
	Ref        string `json:"$ref"`
	Type       any
	Properties map[string]schema
	Required   []string
}

func (w *world) document() document {
	w.t.Helper()
	got := w.send(request{method: "GET", path: "/api/v1/openapi.json"}).want(200)
	doc := document{raw: got.Body}
	if err := json.Unmarshal([]byte(got.Body), &doc); err != nil {
		w.t.Fatal(err)
	}
	return doc
}

// each calls fn for every operation of the API, in the order of paths. The door of
// sources, which another package opens, is none, nor is the catalogue as Markdown.
func (d document) each(fn func(method, path string, op operation)) {
	paths := make([]string, 0, len(d.Paths))
	for p := range d.Paths {
		if !strings.HasPrefix(p, "/in/") && !strings.HasSuffix(p, ".md") {
			paths = append(paths, p)
		}
	}
	slices.Sort(paths)
	for _, p := range paths {
		for _, method := range []string{"get", "post", "put", "patch", "delete"} {
			if op, ok := d.Paths[p][method]; ok {
				fn(strings.ToUpper(method), strings.TrimPrefix(p, "/api/v1"), op)
			}
		}
	}
}

func (op operation) public() bool { return op.Security != nil && len(op.Security) == 0 }

var placeholder = regexp.MustCompile(`\{(\w+)\}`)

// fill puts values into a path's placeholders.
func fill(path string, values map[string]string) string {
	return placeholder.ReplaceAllStringFunc(path, func(p string) string {
		if v, ok := values[p[1:len(p)-1]]; ok {
			return v
		}
		return "x"
	})
}

func TestDocument(t *testing.T) {
	t.Parallel()
	doc := newWorld(t).document()
	if doc.OpenAPI != "3.1.0" {
		t.Errorf("version %s", doc.OpenAPI)
	}
	ids := map[string]bool{}
	doc.each(func(method, path string, op operation) {
		at := method + " " + path
		if op.Summary == "" || len(op.Tags) != 1 || ids[op.OperationID] || op.OperationID == "" {
			t.Errorf("%s: summary %q, tags %v, id %q", at, op.Summary, op.Tags, op.OperationID)
		}
		ids[op.OperationID] = true
		if strings.HasSuffix(op.Summary, ".") {
			t.Errorf("%s: a summary is no sentence: %s", at, op.Summary)
		}
		want := []string{"401", "403", "404", "422", "503"}
		if op.public() {
			want = nil
		}
		for _, status := range want {
			if op.Responses[status] == nil {
				t.Errorf("%s does not say what a %s is", at, status)
			}
		}
		bare := strings.HasSuffix(path, "/event/{event_id}") && strings.HasSuffix(op.OperationID, ".associate")
		if (method == "PUT" || method == "PATCH") && !bare && op.RequestBody.Content["application/json"].Schema.Ref == "" {
			t.Errorf("%s has no body", at)
		}
	})
	if len(ids) < 45 {
		t.Errorf("%d operations", len(ids))
	}
	var whole any
	if err := json.Unmarshal([]byte(doc.raw), &whole); err != nil {
		t.Fatal(err)
	}
	met := map[string]bool{}
	for _, ref := range regexp.MustCompile(`"\$ref":"([^"]+)"`).FindAllStringSubmatch(doc.raw, -1) {
		if met[ref[1]] {
			continue
		}
		met[ref[1]] = true
		if !strings.HasPrefix(ref[1], "#/components/") || !resolves(whole, ref[1]) {
			t.Errorf("%s leads nowhere", ref[1])
		}
	}
	for _, alien := range []string{"ErrorModel", "$schema", "problem+json", `"type":""`, `["","null"]`} {
		if strings.Contains(doc.raw, alien) {
			t.Errorf("the document holds %s", alien)
		}
	}
}

// resolves follows a reference within a document.
func resolves(at any, ref string) bool {
	for part := range strings.SplitSeq(strings.TrimPrefix(ref, "#/"), "/") {
		object, ok := at.(map[string]any)
		if !ok {
			return false
		}
		at = object[part]
	}
	return at != nil
}

// TestEveryRouteOfTheDocumentExists also says that no route works without a token, nor
// with one that is for reading resources under /v1.
func TestEveryRouteOfTheDocumentExists(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	read := token.Claims{Org: testOrg(1), Use: token.ReadUse}
	tokens := map[string]string{"no token": "", "a read token": w.token(read)}
	read.App = w.app("a")
	tokens["an app's read token"] = w.token(read)
	w.document().each(func(method, path string, op operation) {
		for name, text := range tokens {
			got := w.as(text, method, fill(path, map[string]string{"app_id": "a"}), "")
			if op.public() { // it may miss a body, or what its path names
				if got.Status == 401 || got.Status == 403 || got.Status >= 500 {
					t.Errorf("%s %s with %s: %d %s", method, path, name, got.Status, got.Body)
				}
				continue
			}
			if got.Status != 401 {
				t.Errorf("%s %s with %s: %d %s", method, path, name, got.Status, got.Body)
			}
		}
	})
}

// TestForeignTokens calls every route with the token of another app of the org,
// and of an app of another org.
func TestForeignTokens(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	victim := w.app("victim")
	ep := w.endpoint("victim", `,"uid":"e"`)
	msg := w.message("victim", "x.y", `,"eventId":"m"`)
	w.deliver(ep, 200)
	attempt := w.do("GET", "/app/victim/attempt/msg/m", "").field("id")[0]
	task := w.do("POST", "/app/victim/endpoint/e/recover", `{"since":"2026-01-01T00:00:00Z"}`).want(202).text("id")
	source := w.do("POST", "/app/victim/source", `{"dialect":"raw","unverified":true}`).want(201).text("id")
	received := w.refused(source, store.Refused, `{"a":1}`)
	neighbour := w.app("neighbour")
	otherOrg := w.token(token.Claims{Org: testOrg(2)})
	stranger := w.as(otherOrg, "POST", "/app", `{"name":"Stranger"}`).want(201).text("id")

	ids := []string{victim, ep, msg, attempt, task, source, received}
	for name, text := range map[string]string{
		"neighbour": w.token(token.Claims{Org: testOrg(1), App: neighbour}),
		"stranger":  w.token(token.Claims{Org: testOrg(2), App: stranger}),
	} {
		for _, app := range []string{victim, "victim"} {
			values := map[string]string{
				"app_id": app, "endpoint_id": ep, "msg_id": msg, "attempt_id": attempt, "task_id": task, "event_type_name": "x.y",
				"source_id": source, "received_id": received,
			}
			w.document().each(func(method, path string, op operation) {
				if op.public() {
					return
				}
				got := w.as(text, method, fill(path, values), bodyFor(method))
				refused := got.Status == 403 || got.Status == 404
				// Routes of the org, not of an app: a tenant sees its own and nothing else.
				own := !strings.Contains(path, "{app_id}") && method == "GET" && got.Status == 200
				if !refused && !own {
					t.Errorf("%s: %s %s: %d %s", name, method, path, got.Status, got.Body)
				}
				for _, id := range ids {
					if strings.Contains(got.Body, id) {
						t.Errorf("%s: %s %s shows %s", name, method, path, id)
					}
				}
			})
		}
	}
}

func bodyFor(method string) string {
	if method == "GET" || method == "DELETE" {
		return ""
	}
	return `{"name":"n","description":"d","url":"https://example.com","eventType":"x.y","payload":{},"since":"2026-01-01T00:00:00Z","headers":{},"dialect":"native"}`
}

// TestNothingIsEchoed puts a marker into every parameter and every field that the
// document knows, one by one and in several wrong ways, and looks for it in the
// answers and in the log.
func TestNothingIsEchoed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.app("a")
	w.endpoint("a", `,"uid":"e"`)
	w.message("a", "x.y", `,"eventId":"m"`)
	source := w.do("POST", "/app/a/source", `{"dialect":"raw","unverified":true}`).want(201).text("id")
	values := map[string]string{
		"app_id": "a", "endpoint_id": "e", "msg_id": "m", "event_type_name": "x.y", "task_id": "t", "attempt_id": "t",
		"source_id": source, "received_id": w.refused(source, store.Unreadable, "no JSON"),
	}
	var parsed struct {
		Components struct{ Schemas map[string]schema }
	}
	doc := w.document()
	if err := json.Unmarshal([]byte(doc.raw), &parsed); err != nil {
		t.Fatal(err)
	}
	wrongs := []string{
		`"` + marker + ` !"`, `{"` + marker + `":"` + marker + `"}`, `["` + marker + ` !"]`, `[{"` + marker + `":5}]`, `{"` + marker + `":5}`, `"` + strings.Repeat(marker, 500) + `"`,
	}
	if testing.Short() {
		wrongs = wrongs[:2] // one request after the other: the race detector learns nothing from more
	}
	refused := 0
	check := func(at string, got reply) {
		t.Helper()
		if got.Status >= 500 && got.Status != 501 {
			t.Errorf("%s: %d %s", at, got.Status, got.Body)
		}
		if got.Status < 400 {
			return
		}
		refused++
		checkForm(t, got, "any")
		if strings.Contains(got.Body, marker) {
			t.Errorf("%s: %s", at, got.Body)
		}
	}
	doc.each(func(method, path string, op operation) {
		to := fill(path, values)
		for _, p := range op.Parameters {
			if p.In == "query" {
				check(method+" "+path+" ?"+p.Name, w.do(method, to+"?"+p.Name+"="+marker, bodyFor(method)))
			}
		}
		body := op.RequestBody.Content["application/json"].Schema
		if body.Ref == "" {
			return
		}
		whole := parsed.Components.Schemas[body.Ref[strings.LastIndex(body.Ref, "/")+1:]]
		for _, wrong := range wrongs {
			check(method+" "+path+" body", w.do(method, to, wrong))
			for name := range whole.Properties {
				fields := map[string]json.RawMessage{}
				if err := json.Unmarshal([]byte(bodyFor(method)), &fields); err != nil {
					t.Fatal(err)
				}
				fields[name] = json.RawMessage(wrong)
				text, err := json.Marshal(fields)
				if err != nil {
					t.Fatal(err)
				}
				check(fmt.Sprintf("%s %s %s=%.40s", method, path, name, wrong), w.do(method, to, string(text)))
			}
		}
	})
	if refused < 300 {
		t.Errorf("only %d requests were refused: the test has lost its grip", refused)
	}
	if strings.Contains(w.log.String(), marker) {
		t.Error("the log holds a value")
	}
}

func TestDocsPage(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	got := w.send(request{method: "GET", path: "/docs"}).want(200)
	if ct := got.Header.Get("Content-Type"); ct != "text/html; charset=utf-8" {
		t.Errorf("content type %s", ct)
	}
	_, rest, _ := strings.Cut(got.Body, "<style>")
	style, _, ok := strings.Cut(rest, "</style>")
	sum := sha256.Sum256([]byte(style))
	policy := got.Header.Get("Content-Security-Policy")
	if !ok || !strings.Contains(policy, "style-src 'sha256-"+base64.StdEncoding.EncodeToString(sum[:])+"'") {
		t.Errorf("the policy does not admit the page's own style: %s", policy)
	}
	if !strings.Contains(policy, "default-src 'none'") || strings.Contains(policy, "unsafe") || strings.Contains(policy, "script-src") {
		t.Errorf("policy %s", policy)
	}
	for _, foreign := range []string{"<script", "src=", "@import", "url(", "<link", "ZgotmplZ", "style=\"", "`"} {
		if strings.Contains(got.Body, foreign) {
			t.Errorf("the page holds %s", foreign)
		}
	}
	w.document().each(func(method, path string, op operation) {
		if !strings.Contains(got.Body, "/api/v1"+path) || !strings.Contains(got.Body, html.EscapeString(op.Summary)) {
			t.Errorf("the page lacks %s %s", method, path)
		}
	})
}

// TestSvixRoutes holds the router and docs/svix.md to the one list of routes.
func TestSvixRoutes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	doc := w.document()
	seen := map[string]bool{}
	for _, r := range restapi.SvixRoutes() {
		at := r.Method + " " + r.Path
		if seen[at] {
			t.Errorf("%s is listed twice", at)
		}
		seen[at] = true
		_, described := doc.Paths[r.Path][strings.ToLower(r.Method)]
		got := w.send(request{method: r.Method, path: fill(r.Path, nil), token: w.org, body: strings.NewReader(bodyFor(r.Method))})
		switch r.Answer {
		case restapi.Yes:
			if !described || got.Status == 501 || got.Status == 405 || strings.Contains(got.Body, "no such route") {
				t.Errorf("%s: described %v, %d %s", at, described, got.Status, got.Body)
			}
		case restapi.Later:
			if described || got.Status != 501 || got.text("code") != "not_implemented" || r.Why == "" {
				t.Errorf("%s: described %v, %d %s", at, described, got.Status, got.Body)
			}
		case restapi.No:
			if described || got.Status != 404 || r.Why == "" {
				t.Errorf("%s: described %v, %d %s", at, described, got.Status, got.Body)
			}
		default:
			t.Errorf("%s: answer %q", at, r.Answer)
		}
	}
	checkFile(t, "../../docs/svix.md", svixPage())
}

// svixPage writes docs/svix.md.
func svixPage() []byte {
	var out bytes.Buffer
	out.WriteString(`# Svix's routes in Callboard

Callboard's delivery API is wire-compatible with Svix's: point a Svix client library at Callboard and it works, without
a change but for the server's address and the token. This page lists every route that Svix's client libraries (1.99)
know, and what Callboard answers. It is written from the list that the router uses, and a test calls each of them.

- **yes**: it works as in Svix.
- **later**: 501 ` + "`not_implemented`" + `; a later version has it.
- **no**: 404; it is about something that Callboard does not have.

> **Words.** In Callboard an *event* is a programme that people attend, never a webhook. Svix's ` + "`eventType`" + ` is the type of
> a message, its ` + "`eventId`" + ` the message's own name, given by the sender.

What differs in small ways:

- Idempotency keys are stored with what they did, for 12 hours, and survive a restart. Another body under the same key
  is a 409. For ` + "`get_if_exists`" + ` a repetition may say 201 where the first answer was 200.
- A PUT that leaves out ` + "`uid`" + ` keeps it; null takes it away. A PUT of an endpoint leaves secret, headers, version and the
  fields that Svix does not have (` + "`dialect`, `translate`, `ordering`, `retrySchedule`, `timeout`, `deadline`" + `) as they are
  unless they are sent.
- A PUT of an app leaves ` + "`dialects`, `defaultDialect` and `resourceUrlBase`" + ` as they are unless they are sent.
- The payload is delivered byte for byte as it was sent, white space included, to native endpoints; other dialects have
  their own form.
- Callboard has event types by itself. They show in the list of event types (` + "`origin`" + ` tells them from your own), their
  messages' payloads must fit their schemas, and a type that you declare under one of their names takes its place, with any
  payload. A PATCH or DELETE of one that you did not declare is a 409. With the setting ` + "`catalog: none`" + ` there are only your own.
- An entry of ` + "`filterTypes`" + ` may be a dialect's own word; what is stored and shown are the event types that it stands for. An
  entry that a dialect cannot say is a 422.
- An attempt has ended when it shows in a list, so filters for pending and sending attempts find none; a message's
  endpoints and an endpoint's messages show deliveries under way.
- Endpoints of a dialect that has no word for a message's type do not hear it.
- Where a webhook has room for one secret (Zuddl, iotum), the secret's route gives the one that it carries now, with ` + "`next`" + `
  and ` + "`nextAt`" + ` during a grace period. The endpoints of an app that speak iotum share its signing token, and ` + "`secret/rotate`" + `
  answers 409.
- The secret's route gives the public key (` + "`whpk_…`" + `) of an endpoint that signs with v1a.

| method | path | answer | remark |
|---|---|---|---|
`)
	for _, r := range restapi.SvixRoutes() {
		fmt.Fprintf(&out, "| %s | `%s` | %s | %s |\n", r.Method, r.Path, r.Answer, r.Why)
	}
	out.WriteString(`
Beside these there are a few routes that Svix does not have. They are described at ` + "`/docs`" + ` of your server:

| method | path | what it is |
|---|---|---|
| GET, PATCH | ` + "`/api/v1/settings`" + ` | what holds for the whole org: catalogue, validation, dialects |
| GET | ` + "`/api/v1/app/{app_id}/signing-token`" + ` | the secret that an app's endpoints in iotum's dialect share |
| POST | ` + "`/api/v1/app/{app_id}/signing-token/rotate`" + ` | replaces it |
| GET, POST, PUT, PATCH, DELETE | ` + "`/api/v1/app/{app_id}/event`, `contact`, `exhibitor`, `sponsor`, `event/{event_id}/session`, `event/{event_id}/registration`" + ` | the [live API](guide/live.md): what goes on where people meet |
| PUT, DELETE | ` + "`…/session/{session_id}/speaker/{contact_id}`, `…/contact/{contact_id}/event/{event_id}`" + `, likewise exhibitors and sponsors | who takes part in what |
| GET | ` + "`/api/v1/app/{app_id}/event/{event_id}/attendance`" + ` | who was in which session, for how long; as JSON or CSV |
| GET | ` + "`/api/v1/app/{app_id}/conference`, `conversation`" + ` | their state now |
| GET | ` + "`…/conference/{conference_id}/participant`" + ` | who was in a conference, for how long |
| POST | ` + "`/api/v1/app/{app_id}/activity`" + ` | tells what happened |
| GET, POST, PUT, PATCH, DELETE | ` + "`/api/v1/app/{app_id}/source`" + ` | addresses at which vendors' webhooks come in |
| POST | ` + "`…/source/{source_id}/secret/rotate`" + ` | replaces a source's secret or token |
| GET | ` + "`…/source/{source_id}/received`" + ` | what came in, and what became of it |
| POST | ` + "`…/source/{source_id}/received/{received_id}/replay`" + ` | takes a received request in again |
`)
	return out.Bytes()
}

// checkFile compares a generated file, or writes it with -update.
func checkFile(t *testing.T, path string, want []byte) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s is out of date, run: go test ./internal/restapi -run %s -update\n%s", path, t.Name(), diff)
	}
}
