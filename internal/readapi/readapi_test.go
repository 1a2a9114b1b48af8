package readapi_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/callboard/callboard/internal/app"
	"github.com/callboard/callboard/internal/id"
	"github.com/callboard/callboard/internal/live"
	"github.com/callboard/callboard/internal/readapi"
	"github.com/callboard/callboard/internal/store"
	"github.com/callboard/callboard/internal/token"
)

// world is a server that runs, with a log.
type world struct {
	*testing.T
	server *app.App
	tokens *token.Authority
	org    string // token
	log    *lockedBuffer
}

// patience bounds the end of the server and each request.
const patience = 30 * time.Second

func testOrg(n byte) string { return id.OrgFromBytes([20]byte{7, n}) }

func newWorld(t *testing.T) *world {
	t.Helper()
	secret := token.NewSecret("the secret of these tests")
	w := &world{T: t, log: &lockedBuffer{}}
	var err error
	if w.tokens, err = token.New(token.Config{Secret: secret}); err != nil {
		t.Fatal(err)
	}
	w.org = w.token(token.Claims{Org: testOrg(1)})
	w.server, err = app.New(t.Context(), app.Config{
		Listen: "127.0.0.1:0", DB: "sqlite:" + filepath.Join(t.TempDir(), "test.db"), JWTSecret: secret,
		Logger: slog.New(slog.NewJSONHandler(w.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := w.server.Stop(ctx); err != nil {
			t.Error(err)
		}
	})
	if err := w.server.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	return w
}

type lockedBuffer struct {
	mu sync.Mutex
	bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.Buffer.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.Buffer.String()
}

func (w *world) token(c token.Claims) string {
	w.Helper()
	text, err := w.tokens.Mint(c)
	if err != nil {
		w.Fatal(err)
	}
	return text
}

// reply is an answer.
type reply struct {
	w      *world
	Status int
	Header http.Header
	Body   string
}

// send makes a request; header is names and values in turn.
func (w *world) send(method, path, body string, header ...string) reply {
	w.Helper()
	ctx, cancel := context.WithTimeout(w.Context(), patience)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, w.server.URL()+path, strings.NewReader(body))
	if err != nil {
		w.Fatal(err)
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Add(header[i], header[i+1])
	}
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := client.Do(req)
	if err != nil {
		w.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		w.Fatal(err)
	}
	return reply{w, resp.StatusCode, resp.Header, string(text)}
}

// do makes a request of Callboard's own API, as the org.
func (w *world) do(status int, method, path, body string) reply {
	w.Helper()
	return w.send(method, "/api/v1"+path, body, "Authorization", "Bearer "+w.org).want(status)
}

// get reads under /v1 with a token.
func (w *world) get(token, path string) reply {
	w.Helper()
	return w.send(http.MethodGet, "/v1"+path, "", "x-access-token", token)
}

// want checks the status, and the form of an error.
func (r reply) want(status int) reply {
	r.w.Helper()
	if r.Status != status {
		r.w.Fatalf("status %d, want %d: %s", r.Status, status, r.Body)
	}
	return r
}

// refused checks the status and form of an error of the vendor's API.
func (r reply) refused(status int, code string) {
	r.w.Helper()
	var body map[string]string
	if err := json.Unmarshal([]byte(r.Body), &body); err != nil || r.Status != status || body["error"] != code || body["message"] == "" || len(body) != 2 {
		r.w.Errorf("status %d, body %s; want %d and {error: %s, message}", r.Status, r.Body, status, code)
	}
	if r.Header.Get("Content-Type") != "application/json" || r.Header.Get("X-Request-Id") == "" {
		r.w.Errorf("headers of a %d: %v", status, r.Header)
	}
}

// listed is a page: the ids of its data, and its pagination.
type listed struct {
	IDs                                            []string
	CurrentPage, PageSize, TotalPages, TotalResult int
}

func (r reply) listed() listed {
	r.w.Helper()
	r.want(200)
	var body struct {
		Data       []struct{ ID string }
		Pagination struct{ CurrentPage, PageSize, TotalPages, TotalResults int }
	}
	dec := json.NewDecoder(strings.NewReader(r.Body))
	if err := dec.Decode(&body); err != nil || body.Data == nil {
		r.w.Fatalf("%v in %s", err, r.Body)
	}
	out := listed{nil, body.Pagination.CurrentPage, body.Pagination.PageSize, body.Pagination.TotalPages, body.Pagination.TotalResults}
	for _, one := range body.Data {
		out.IDs = append(out.IDs, one.ID)
	}
	return out
}

// scene makes an app with an event that has the number 4001, and something of each kind.
func (w *world) scene(uid string) (appID string) {
	w.Helper()
	made := w.do(201, "POST", "/app", `{"name":"n","uid":"`+uid+`"}`)
	path := "/app/" + uid
	w.do(201, "POST", path+"/event", `{"id":"summit","name":"Summit"}`)
	w.do(201, "POST", path+"/event/summit/session", `{"id":"keynote","title":"Tides & <maps>","startDateTime":"2027-06-10T09:00:00Z","shoe_size":[1.50]}`)
	for _, kind := range []string{"contact", "exhibitor", "sponsor"} {
		for _, name := range []string{"in", "out"} {
			w.do(201, "POST", path+"/"+kind, `{"id":"`+name+`","about":"x","description":"x","addressCountry":"Malta"}`)
		}
		w.do(204, "PUT", path+"/"+kind+"/in/event/summit", "")
	}
	var app struct{ ID string }
	if err := json.Unmarshal([]byte(made.Body), &app); err != nil {
		w.Fatal(err)
	}
	return app.ID
}

func TestResources(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	appID := w.scene("acme")
	for _, org := range []string{"acme", appID} {
		for _, kind := range []string{"contacts", "exhibitors", "sponsors"} {
			for _, name := range []string{"in", "out"} {
				for _, home := range []string{"/organization/" + org, "/event/4001"} {
					body := w.get(w.org, home+"/"+kind+"/"+name).want(200).Body
					if !strings.HasPrefix(body, `{"id":"`+name+`","friendly_id":null,`) || strings.Contains(body, "sourceOfChange") {
						t.Errorf("%s of %s: %s", kind, home, body)
					}
				}
			}
			if diff := cmp.Diff(listed{[]string{"in", "out"}, 1, 25, 1, 2}, w.get(w.org, "/organization/"+org+"/"+kind).listed()); diff != "" {
				t.Errorf("%s (-want +got):\n%s", kind, diff)
			}
			if diff := cmp.Diff(listed{[]string{"in"}, 1, 25, 1, 1}, w.get(w.org, "/event/4001/"+kind).listed()); diff != "" {
				t.Errorf("%s of the event (-want +got):\n%s", kind, diff)
			}
		}
	}
	session := w.get(w.org, "/event/4001/sessions/keynote").want(200)
	for _, part := range []string{`"title":"Tides & <maps>"`, `"starts_at":"2027-06-10T09:00:00Z"`, `"shoe_size":[1.50]`, `"speakers":[]`, `"room":null`} {
		if !strings.Contains(session.Body, part) {
			t.Errorf("no %s in %s", part, session.Body)
		}
	}
	if diff := cmp.Diff(listed{[]string{"keynote"}, 1, 25, 1, 1}, w.get(w.org, "/event/4001/sessions/").listed()); diff != "" {
		t.Error(diff)
	}
	head := w.send(http.MethodHead, "/v1/event/4001/sessions/keynote", "", "x-access-token", w.org).want(200)
	if head.Body != "" || head.Header.Get("Content-Length") != fmt.Sprint(len(session.Body)) || head.Header.Get("Content-Type") != "application/json" {
		t.Errorf("HEAD: %q, %v", head.Body, head.Header)
	}
}

// TestGone: what is deleted is not there any more, and neither is what hung on it.
func TestGone(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.scene("acme")
	gone := func(paths ...string) {
		t.Helper()
		for _, path := range paths {
			w.get(w.org, path).refused(404, "not_found")
		}
	}
	w.do(204, "DELETE", "/app/acme/contact/in", "")
	gone("/organization/acme/contacts/in", "/event/4001/contacts/in")
	if got := w.get(w.org, "/event/4001/contacts").listed(); got.TotalResult != 0 || got.TotalPages != 0 || got.IDs != nil {
		t.Errorf("a contact that is gone is listed: %v", got)
	}
	w.do(204, "DELETE", "/app/acme/sponsor/in/event/summit", "")
	if got := w.get(w.org, "/event/4001/sponsors").listed(); got.TotalResult != 0 {
		t.Errorf("a sponsor that was removed from the event is listed: %v", got)
	}
	w.get(w.org, "/event/4001/sponsors/in").want(200) // the webhook about that names it
	w.do(200, "PATCH", "/app/acme/event/summit", `{"number":5000}`)
	w.get(w.org, "/event/5000/sessions/keynote").want(200)
	w.get(w.org, "/event/4001/sessions/keynote").want(200) // webhooks before that name it
	w.do(204, "DELETE", "/app/acme/event/summit", "")
	gone("/event/5000/sessions/keynote", "/event/5000/sessions", "/event/5000/exhibitors/in", "/event/5000/exhibitors", "/event/4001/sessions")
	w.get(w.org, "/organization/acme/exhibitors/in").want(200)
	w.do(201, "POST", "/app/acme/event", `{"id":"late","number":6000}`)
	w.get(w.org, "/event/6000/sessions").want(200)
	w.do(204, "DELETE", "/app/acme", "")
	gone("/organization/acme/exhibitors/in", "/organization/acme/exhibitors", "/event/6000/sessions", "/event/6000/exhibitors")
}

func TestNotThere(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.scene("acme")
	for _, path := range []string{
		"/event/4002/sessions", "/event/4002/sessions/keynote", "/event/4001/sessions/other", "/event/4001/sessions/in", "/event/4001/contacts/keynote",
		"/event/summit/sessions", "/event/04001/sessions", "/event/+4001/sessions", "/event/0/sessions", "/event/-1/sessions", "/event/4001.0/sessions",
		"/event/99999999999999999999/sessions", "/event/4001/sessions/a%2Fb", "/event/4001/sessions/%00", "/event/4001/sessions/" + strings.Repeat("a", 129),
		"/organization/other/contacts", "/organization/other/contacts/in", "/organization/app_none/contacts/in", "/organization/acme/sessions",
		"/organization/acme/sessions/keynote", "/organization/acme/contacts/in/x", "/organization/acme", "/event/4001", "/event", "", "/",
		"/event//sessions", "/event/4001/./sessions", "/event/4001/../4001/sessions", "//event/4001/sessions",
	} {
		w.get(w.org, path).refused(404, "not_found")
	}
	for _, method := range []string{"POST", "PUT", "PATCH", "DELETE", "OPTIONS"} {
		for _, path := range []string{"/v1/event/4001/sessions", "/v1/event/4001/sessions/keynote", "/v1/organization/acme/contacts/in"} {
			got := w.send(method, path, "{}", "x-access-token", w.org)
			got.refused(405, "method_not_allowed")
			if got.Header.Get("Allow") != "GET, HEAD" {
				t.Errorf("Allow: %q", got.Header.Get("Allow"))
			}
		}
		w.send(method, "/v1/nothing", "{}", "x-access-token", w.org).refused(404, "not_found")
	}
	w.send("GET", "/v10", "", "x-access-token", w.org).want(404) // is not ours
}

func TestTokens(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	acme, other := w.scene("acme"), w.do(201, "POST", "/app", `{"name":"n","uid":"other"}`)
	var otherApp struct{ ID string }
	if err := json.Unmarshal([]byte(other.Body), &otherApp); err != nil {
		t.Fatal(err)
	}
	w.do(201, "POST", "/app/other/event", `{"id":"e","number":7}`)
	paths := []string{
		"/event/4001/sessions", "/event/4001/sessions/keynote", "/event/4001/contacts", "/event/4001/contacts/in",
		"/organization/acme/contacts", "/organization/acme/contacts/in", "/organization/" + acme + "/sponsors/in",
	}
	org := testOrg(1)
	for name, c := range map[string]struct {
		claims token.Claims
		status int
		code   string
	}{
		"the org's":               {token.Claims{Org: org}, 200, ""},
		"the org's, read only":    {token.Claims{Org: org, ReadOnly: true}, 200, ""},
		"the org's, to read":      {token.Claims{Org: org, Use: token.ReadUse}, 200, ""},
		"the app's":               {token.Claims{Org: org, App: acme}, 200, ""},
		"the app's, to read":      {token.Claims{Org: org, App: acme, Use: token.ReadUse}, 200, ""},
		"the app's, view":         {token.Claims{Org: org, App: acme, Capabilities: []token.Capability{token.ViewBase}}, 200, ""},
		"the app's, for secrets":  {token.Claims{Org: org, App: acme, Capabilities: []token.Capability{token.ViewEndpointSecret}}, 403, "permission_denied"},
		"another app's":           {token.Claims{Org: org, App: otherApp.ID}, 404, "not_found"},
		"another app's, to read":  {token.Claims{Org: org, App: otherApp.ID, Use: token.ReadUse}, 404, "not_found"},
		"another org's":           {token.Claims{Org: testOrg(2)}, 404, "not_found"},
		"another org's, to read":  {token.Claims{Org: testOrg(2), Use: token.ReadUse}, 404, "not_found"},
		"a link's":                {token.Claims{Org: org, App: acme, Use: token.LoginUse}, 401, "authentication_failed"},
		"one that has expired":    {token.Claims{Org: org, Use: token.ReadUse, Expires: time.Now().Add(-time.Second)}, 401, "authentication_failed"},
		"an app's of another org": {token.Claims{Org: testOrg(2), App: acme, Use: token.ReadUse}, 401, "authentication_failed"},
	} {
		text := w.token(c.claims)
		for _, path := range paths {
			for _, header := range [][]string{{"x-access-token", text}, {"Authorization", "Bearer " + text}, {"x-access-token", text, "Authorization", "Bearer no"}} {
				got := w.send("GET", "/v1"+path, "", header...)
				if c.status != 200 {
					got.refused(c.status, c.code)
				} else if got.Status != 200 {
					t.Errorf("%s: %s: %d %s", name, path, got.Status, got.Body)
				}
			}
		}
	}
	for _, header := range [][]string{nil, {"x-access-token", ""}, {"x-access-token", "hush"}, {"Authorization", w.org}, {"x-access-token", w.org, "x-access-token", w.org}, {"x-access-token", "no", "Authorization", "Bearer " + w.org}} {
		w.send("GET", "/v1/event/4001/sessions", "", header...).refused(401, "authentication_failed")
	}

	// A read token opens no other door, and ends with the app's others.
	read := w.token(token.Claims{Org: org, App: acme, Use: token.ReadUse})
	w.get(read, paths[0]).want(200)
	w.send("GET", "/api/v1/app/acme", "", "Authorization", "Bearer "+read).want(401)
	w.send("GET", "/api/v1/app/acme", "", "x-access-token", w.org).want(401) // nor does the vendor's header
	w.do(204, "POST", "/auth/app/acme/expire-all", "")
	w.get(read, paths[0]).refused(401, "authentication_failed")
	if strings.Contains(w.log.String(), "hush") || strings.Contains(w.log.String(), read) {
		t.Error("the log has a token")
	}
}

func TestPages(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.do(201, "POST", "/app", `{"name":"n","uid":"a"}`)
	w.do(201, "POST", "/app/a/event", `{"id":"e"}`)
	var sessions, contacts []string
	for i := range 27 {
		sessions, contacts = append(sessions, fmt.Sprint("s", 99-i)), append(contacts, fmt.Sprint("c", 10+i))
	}
	told := []string{}
	for i := range sessions {
		told = append(told,
			fmt.Sprintf(`{"type":"session.created","data":{"eventId":"e","session":{"id":%q}}}`, sessions[i]),
			fmt.Sprintf(`{"type":"contact.created","data":{"contact":{"id":%q}}}`, contacts[len(contacts)-1-i]),
			fmt.Sprintf(`{"type":"contact.event.associated","data":{"eventId":"e","contactId":%q}}`, contacts[len(contacts)-1-i]))
	}
	w.do(202, "POST", "/app/a/activity", `{"activities":[`+strings.Join(told, ",")+`]}`)
	for path, all := range map[string][]string{"/event/4001/sessions": sessions, "/event/4001/contacts": contacts} {
		for _, tt := range []struct {
			query string
			want  listed
		}{
			{"", listed{all[:25], 1, 25, 2, 27}},
			{"?page=2", listed{all[25:], 2, 25, 2, 27}},
			{"?page=3", listed{nil, 3, 25, 2, 27}},
			{"?page=10000000&pageSize=100", listed{nil, 10_000_000, 100, 1, 27}},
			{"?pageSize=100", listed{all, 1, 100, 1, 27}},
			{"?pageSize=9&page=3&other=x", listed{all[18:], 3, 9, 3, 27}},
			{"?pageSize=1&page=14", listed{all[13:14], 14, 1, 27, 27}},
		} {
			if diff := cmp.Diff(tt.want, w.get(w.org, path+tt.query).listed()); diff != "" {
				t.Errorf("%s%s (-want +got):\n%s", path, tt.query, diff)
			}
		}
		for name, values := range map[string][]string{
			"page": {"0", "-1", "", "1.5", "hush", "10000001", "99999999999999999999"}, "pageSize": {"0", "101", "-1", "", "hush"},
		} {
			for _, value := range values {
				got := w.get(w.org, path+"?"+name+"="+value)
				got.refused(400, "bad_request")
				if !strings.Contains(got.Body, name+" must be") || strings.Contains(got.Body, "hush") {
					t.Errorf("%s=%s: %s", name, value, got.Body)
				}
			}
		}
		w.get(w.org, path+"?%zz").refused(400, "bad_request")
	}
}

// TestLog: each request is one line that names the route, and not what the caller chose.
func TestLog(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	got := w.get(w.org, "/organization/hush/contacts/hush")
	got.refused(404, "not_found")
	var line struct {
		RequestID string `json:"request_id"`
		Route     string
		Status    int
	}
	found := false
	for text := range strings.Lines(w.log.String()) {
		if json.Unmarshal([]byte(text), &line) == nil && line.RequestID == got.Header.Get("X-Request-Id") {
			found = true
			if line.Route != "GET /v1/organization/{org_id}/contacts/{id}" || line.Status != 404 || strings.Contains(text, "hush") {
				t.Errorf("the line is %s", text)
			}
		}
	}
	if !found {
		t.Error("the request has no line in the log")
	}
}

func TestNewNamesWhatIsMissing(t *testing.T) {
	t.Parallel()
	if _, err := readapi.New(readapi.Config{}); err == nil || !strings.Contains(err.Error(), "Store, Codec and Tokens") {
		t.Errorf("error %v", err)
	}
}

// broken is a store of which one thing fails.
type broken struct {
	err error
	doc string // of every row
}

func (b broken) App(context.Context, string, store.Ref) (store.App, error) {
	return store.App{ID: 1}, nil
}

func (b broken) Object(_ context.Context, k live.Key) (live.Row, error) {
	return live.Row{Key: k, Doc: []byte(b.doc)}, b.err
}

func (b broken) CountedObjects(context.Context, store.ObjectQuery) ([]live.Row, int, error) {
	if b.err != nil {
		panic(b.err)
	}
	return []live.Row{{Doc: []byte(b.doc)}}, 1, nil
}

// TestOurFaults: what is no fault of the caller's is told in the same form, and says why
// to the log alone.
func TestOurFaults(t *testing.T) {
	t.Parallel()
	codec, err := id.NewCodec(make([]byte, id.KeyBytes))
	if err != nil {
		t.Fatal(err)
	}
	tokens, err := token.New(token.Config{Secret: token.NewSecret("secret")})
	if err != nil {
		t.Fatal(err)
	}
	text, err := tokens.Mint(token.Claims{Org: testOrg(1)})
	if err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		store  broken
		path   string
		status int
		body   string
		logged string
	}{
		"a read fails":       {broken{err: errors.New("hush")}, "/in", 500, `{"error":"internal_error","message":"Internal server error"}`, "hush"},
		"a panic":            {broken{err: errors.New("hush")}, "", 500, `{"error":"internal_error","message":"Internal server error"}`, "hush"},
		"away":               {broken{err: store.ErrUnavailable}, "/in", 503, `{"error":"unavailable","message":"The service cannot answer at the moment; try again"}`, "store unavailable"},
		"cannot be written":  {broken{doc: `{"createdAt":"hush"}`}, "/in", 500, `{"error":"internal_error","message":"Internal server error"}`, "created_at"},
		"nor within a list":  {broken{doc: `{"createdAt":"hush"}`}, "", 500, `{"error":"internal_error","message":"Internal server error"}`, "created_at"},
		"no document at all": {broken{}, "/in", 500, `{"error":"internal_error","message":"Internal server error"}`, "JSON object"},
	} {
		log := &lockedBuffer{}
		handler, err := readapi.New(readapi.Config{Store: tt.store, Codec: codec, Tokens: tokens, Logger: slog.New(slog.NewJSONHandler(log, nil))})
		if err != nil {
			t.Fatal(err)
		}
		req := httptest.NewRequest(http.MethodGet, "/v1/organization/acme/contacts"+tt.path, nil)
		req.Header.Set("x-access-token", text)
		rec := httptest.NewRecorder()
		handler.ServeHTTP(rec, req)
		if rec.Code != tt.status || rec.Body.String() != tt.body || !strings.Contains(log.String(), tt.logged) {
			t.Errorf("%s: status %d, body %s, log %s", name, rec.Code, rec.Body, log)
		}
		if wait := rec.Header().Get("Retry-After"); (wait != "") != (tt.status == 503) {
			t.Errorf("%s: Retry-After is %q", name, wait)
		}
	}
}
