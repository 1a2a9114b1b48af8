package restapi_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/callboard/callboard/internal/restapi"
	"github.com/callboard/callboard/internal/token"
)

// cookieName is that of a server that is reached by https.
const cookieName = "__Host-callboard"

// key is the key of a link.
func (w *world) key(link string) string {
	w.t.Helper()
	_, key, ok := strings.Cut(link, "#key=")
	if !ok {
		w.t.Fatalf("%s has no key", link)
	}
	return key
}

// portalKey is the key of a link into an app's portal.
func (w *world) portalKey(app, body string) string {
	w.t.Helper()
	return w.key(w.do("POST", "/auth/app-portal-access/"+app, body).want(200).text("url"))
}

// orgKey is the key of a link for the org.
func (w *world) orgKey() string {
	w.t.Helper()
	link, err := w.tokens.Link(publicURL, token.Claims{Org: testOrg(1)})
	if err != nil {
		w.t.Fatal(err)
	}
	return w.key(link)
}

// signIn opens a session as a browser does.
func (w *world) signIn(field, value, more string) reply {
	w.t.Helper()
	return w.as("", "POST", "/auth/session", fmt.Sprintf(`{%q:%q%s}`, field, value, more))
}

// cookie is the one that an answer sets.
func (r reply) cookie() *http.Cookie {
	r.t.Helper()
	set := (&http.Response{Header: r.Header}).Cookies()
	if len(set) != 1 {
		r.t.Fatalf("%d cookies are set", len(set))
	}
	return set[0]
}

// browse makes a request with a session's cookie and further headers, given as pairs.
func (w *world) browse(session *http.Cookie, method, path, body string, headers ...string) reply {
	w.t.Helper()
	all := map[string]string{"Cookie": session.Name + "=" + session.Value}
	for i := 0; i < len(headers); i += 2 {
		all[headers[i]] = headers[i+1]
	}
	return w.send(request{method: method, path: "/api/v1" + path, body: strings.NewReader(body), header: all})
}

// session decodes a session without what differs from run to run.
func (r reply) session() restapi.SessionOut {
	r.t.Helper()
	var out restapi.SessionOut
	if err := json.Unmarshal([]byte(r.Body), &out); err != nil {
		r.t.Fatal(err)
	}
	if now := time.Since(out.ServerTime); now < 0 || now > time.Minute {
		r.t.Errorf("the server's time is %v", out.ServerTime)
	}
	out.ServerTime = time.Time{}
	return out
}

func TestOrgSession(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	opened := w.signIn("key", w.orgKey(), "").want(200)
	cookie := opened.cookie()
	if cookie.Name != cookieName || !cookie.HttpOnly || !cookie.Secure || cookie.SameSite != http.SameSiteStrictMode || cookie.Path != "/" || cookie.Domain != "" ||
		cookie.MaxAge < 7*24*3600-60 || cookie.MaxAge > 7*24*3600 {
		t.Errorf("cookie %v", cookie.Raw)
	}
	if got := opened.Header.Get("Cache-Control"); got != "no-store" {
		t.Errorf("Cache-Control %q", got)
	}
	if strings.Contains(opened.Body, cookie.Value) || strings.Contains(opened.Body, `"token"`) {
		t.Error("the page is told the token")
	}
	got := w.browse(cookie, "GET", "/auth/session", "").want(200).session()
	if got.ExpiresAt == nil || time.Until(*got.ExpiresAt).Round(time.Hour) != 7*24*time.Hour {
		t.Errorf("expires at %v", got.ExpiresAt)
	}
	got.ExpiresAt = nil
	want := restapi.SessionOut{
		Org: testOrg(1), Play: true, Version: "test", PublicURL: publicURL,
		Dialects: []string{"native", "shared", "silent", "terse"}, DefaultDialect: "native",
		RetrySchedule: []string{"5s", "5m0s", "30m0s", "2h0m0s", "5h0m0s", "10h0m0s", "10h0m0s", "14h0m0s", "20h0m0s", "24h0m0s"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	app := w.browse(cookie, "POST", "/app", `{"name":"A","uid":"a"}`, "Sec-Fetch-Site", "same-origin").want(201)
	if got := app.Header.Get("Cache-Control"); got != "no-store" {
		t.Errorf("what a session is answered is kept: %q", got)
	}
	w.browse(cookie, "GET", "/app/a", "").want(200)

	closed := w.browse(cookie, "DELETE", "/auth/session", "").want(204).cookie()
	if closed.Name != cookieName || closed.MaxAge >= 0 || closed.Value != "" || closed.Path != "/" || !closed.Secure {
		t.Errorf("cookie %v", closed.Raw)
	}
	w.as("", "GET", "/auth/session", "").want(401)
	w.as("", "DELETE", "/auth/session", "").want(204)
}

func TestPortalSession(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(cfg *restapi.Config) {
		cfg.Play, cfg.RetrySchedule = nil, []time.Duration{time.Second, time.Minute}
	})
	id := w.app("a")
	w.do("PATCH", "/app/a", `{"dialects":["terse","native"],"defaultDialect":"terse"}`).want(200)
	w.do("PATCH", "/settings", `{"portal":{"name":"<b>Acme","accent":"#112233"}}`).want(200)
	key := w.portalKey("a", `{"capabilities":["ViewBase","CreateAttempts"],"readOnly":true,"expiry":3600}`)
	opened := w.signIn("key", key, `,"bearer":true`).want(200)
	if len(opened.Header["Set-Cookie"]) > 0 {
		t.Error("a bearer's session sets a cookie")
	}
	got := opened.session()
	if got.ExpiresAt == nil || time.Until(*got.ExpiresAt).Round(time.Minute) != time.Hour {
		t.Errorf("expires at %v", got.ExpiresAt)
	}
	text := got.Token
	got.Token, got.ExpiresAt = "", nil
	uid, name, accent := "a", "<b>Acme", "#112233"
	want := restapi.SessionOut{
		Org: testOrg(1), App: &restapi.SessionApp{ID: id, UID: &uid, Name: "App a"}, Capabilities: []token.Capability{token.ViewBase, token.CreateAttempts},
		ReadOnly: true, Embedded: true, Brand: restapi.Brand{Name: &name, Accent: &accent}, Version: "test", PublicURL: publicURL,
		Dialects: []string{"terse", "native"}, DefaultDialect: "terse", RetrySchedule: []string{"1s", "1m0s"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("opened (-want +got):\n%s", diff)
	}
	again := w.as(text, "GET", "/auth/session", "").want(200).session()
	again.ExpiresAt = nil
	if diff := cmp.Diff(want, again); diff != "" {
		t.Errorf("asked (-want +got):\n%s", diff)
	}
}

// TestLinksWorkOnce: of many who follow a link at the same time one gets in, and nobody after.
func TestLinksWorkOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.app("a")
	key := w.portalKey("a", `{}`)
	w.signIn("key", key, `,"token":"x"`).want(422) // which uses nothing up
	var wait sync.WaitGroup
	var mu sync.Mutex
	statuses := map[int]int{}
	for range 8 {
		wait.Go(func() {
			got := w.signIn("key", key, "")
			mu.Lock()
			defer mu.Unlock()
			statuses[got.Status]++
		})
	}
	wait.Wait()
	if diff := cmp.Diff(map[int]int{200: 1, 401: 7}, statuses); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	const refused = `{"code":"authentication_failed","detail":"This link was used or is older than 15 minutes: ask for a new one"}`
	if got := w.signIn("key", key, "").want(401); strings.TrimSpace(got.Body) != refused {
		t.Errorf("again: %s", got.Body)
	}
	if varied := w.signIn("key", vary(key), "").want(401); strings.TrimSpace(varied.Body) != refused {
		t.Errorf("in another spelling: %s", varied.Body)
	}
	w.signIn("key", w.portalKey("a", `{}`), "").want(200)
}

// vary spells the last letter of a key in another way that means the same bytes, for base64 leaves
// two of its bits unused.
func vary(key string) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	end := len(key) - 1
	return key[:end] + string(alphabet[strings.IndexByte(alphabet, key[end])^1])
}

// TestWhatSignsNobodyIn: neither wrong keys and tokens do, nor right ones in the wrong place.
func TestWhatSignsNobodyIn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.app("a")
	api, read := w.token(token.Claims{Org: testOrg(1)}), w.token(token.Claims{Org: testOrg(1), Use: token.ReadUse})
	gone := w.app("gone")
	goneKey, goneToken := w.portalKey("gone", `{}`), w.token(token.Claims{Org: testOrg(1), App: gone})
	w.do("DELETE", "/app/gone", "").want(204)
	foreign := w.token(token.Claims{Org: testOrg(2), App: id}) // an app of another org
	flags := strings.Repeat("f", 4000)
	long := w.token(token.Claims{Org: testOrg(1), App: id, FeatureFlags: []string{flags}})
	for name, row := range map[string]struct {
		body   string
		status int
	}{
		"nothing":                               {`{}`, 422},
		"nulls":                                 {`{"key":null,"token":null}`, 422},
		"both":                                  {fmt.Sprintf(`{"key":%q,"token":%q}`, w.orgKey(), api), 422},
		"no JSON":                               {`key`, 400},
		"no text":                               {"\xff", 400},
		"a number":                              {`{"key":5}`, 422},
		"an empty key":                          {`{"key":""}`, 401},
		"rubbish for a key":                     {`{"key":"` + marker + `"}`, 401},
		"an API token as a key":                 {fmt.Sprintf(`{"key":%q}`, api), 401},
		"a read token as a key":                 {fmt.Sprintf(`{"key":%q}`, read), 401},
		"the key of an app that is gone":        {fmt.Sprintf(`{"key":%q}`, goneKey), 401},
		"rubbish for a token":                   {`{"token":"` + marker + `"}`, 401},
		"a key as a token":                      {fmt.Sprintf(`{"token":%q}`, w.orgKey()), 401},
		"a read token":                          {fmt.Sprintf(`{"token":%q}`, read), 403},
		"the token of an app that is gone":      {fmt.Sprintf(`{"token":%q}`, goneToken), 401},
		"the token of another org's app":        {fmt.Sprintf(`{"token":%q}`, foreign), 401},
		"an expired token":                      {fmt.Sprintf(`{"token":%q}`, w.token(token.Claims{Org: testOrg(1), Expires: time.Now().Add(-time.Second)})), 401},
		"a token that no browser could keep":    {fmt.Sprintf(`{"token":%q}`, long), 403},
		"a body that is larger than a megabyte": {`{"key":"` + strings.Repeat("x", 2<<20) + `"}`, 413},
	} {
		got := w.as("", "POST", "/auth/session", row.body)
		if got.Status != row.status || len(got.Header["Set-Cookie"]) > 0 || strings.Contains(got.Body, marker) {
			t.Errorf("%s: %d %s %v", name, got.Status, got.Body, got.Header["Set-Cookie"])
		}
	}
	w.signIn("token", long, `,"bearer":true`).want(200)
	if strings.Contains(w.log.String(), marker) {
		t.Error("the log holds a key or a token")
	}
}

// TestSessionOfAToken keeps the rights of the token that was pasted, and its end.
func TestSessionOfAToken(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.app("a")
	pasted := w.token(token.Claims{Org: testOrg(1), ReadOnly: true, Expires: time.Now().Add(time.Hour)})
	opened := w.signIn("token", pasted, "").want(200)
	session := opened.cookie()
	if session.MaxAge > 3600 || session.MaxAge < 3590 || !opened.session().ReadOnly {
		t.Errorf("cookie %s, session %s", session.Raw, opened.Body)
	}
	w.browse(session, "GET", "/app/a", "").want(200)
	w.browse(session, "PATCH", "/app/a", `{"name":"n"}`).want(403)
	w.signIn("token", pasted, "").want(200) // a token is not used up
}

// TestExpireAllEndsSessions: those that are open, and those that a link could still open.
func TestExpireAllEndsSessions(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.app("a")
	w.app("b")
	open := w.signIn("key", w.portalKey("a", `{}`), "").want(200).cookie()
	other := w.signIn("key", w.portalKey("b", `{}`), "").want(200).cookie()
	unused, pasted := w.portalKey("a", `{}`), w.do("POST", "/auth/app-portal-access/a", `{}`).want(200).text("token")
	ofToken := w.signIn("token", pasted, "").want(200).cookie()
	w.browse(open, "GET", "/app/a", "").want(200)
	w.do("POST", "/auth/app/a/expire-all", `{}`).want(204)
	for name, session := range map[string]*http.Cookie{"a link's": open, "a token's": ofToken} {
		if got := w.browse(session, "GET", "/app/a", ""); got.Status != 401 {
			t.Errorf("%s session goes on: %d", name, got.Status)
		}
	}
	w.signIn("key", unused, "").want(401)
	w.signIn("token", pasted, "").want(401)
	w.browse(other, "GET", "/app/b", "").want(200)
	w.signIn("key", w.portalKey("a", `{}`), "").want(200)
}

// TestCookiesOfOtherSites: what a browser sends by itself may change something only if a page of
// the server's own asked for it. Tokens in the header come from wherever they like.
func TestCookiesOfOtherSites(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	session := w.signIn("key", w.orgKey(), "").want(200).cookie()
	const evil = "https://evil.example"
	n := 0
	create := func() string { n++; return fmt.Sprintf(`{"name":"n","uid":"u%d"}`, n) }
	for name, row := range map[string]struct {
		headers []string
		allowed bool
	}{
		"the page":                       {[]string{"Sec-Fetch-Site", "same-origin", "Origin", publicURL}, true},
		"the address bar":                {[]string{"Sec-Fetch-Site", "none"}, true},
		"the page in an old browser":     {[]string{"Origin", publicURL}, true},
		"no browser":                     {nil, true},
		"another site":                   {[]string{"Sec-Fetch-Site", "cross-site", "Origin", evil}, false},
		"another site, in an old one":    {[]string{"Origin", evil}, false},
		"a neighbouring host":            {[]string{"Sec-Fetch-Site", "same-site", "Origin", "https://www.example.com"}, false},
		"a document without an origin":   {[]string{"Origin", "null"}, false},
		"another site's form":            {[]string{"Sec-Fetch-Site", "cross-site", "Content-Type", "text/plain"}, false},
		"the same name, over plain http": {[]string{"Origin", "http://hooks.example.com:81"}, false},
	} {
		want := 403
		if row.allowed {
			want = 201
		}
		got := w.browse(session, "POST", "/app", create(), row.headers...)
		if got.Status != want || want == 403 && !strings.Contains(got.text("detail"), "another site") {
			t.Errorf("%s: %d %s", name, got.Status, got.Body)
		}
		w.browse(session, "GET", "/app", "", row.headers...).want(200)
		if got := w.browse(session, "DELETE", "/auth/session", "", row.headers...); (got.Status == 204) != row.allowed {
			t.Errorf("%s signs out: %d", name, got.Status)
		}
		headers := map[string]string{}
		for i := 0; i < len(row.headers); i += 2 {
			headers[row.headers[i]] = row.headers[i+1]
		}
		body := fmt.Sprintf(`{"token":%q}`, w.org)
		if got := w.send(request{method: "POST", path: "/api/v1/auth/session", body: strings.NewReader(body), header: headers}); (got.Status == 200) != row.allowed {
			t.Errorf("%s signs in: %d %s", name, got.Status, got.Body)
		}
		w.send(request{method: "POST", path: "/api/v1/app", token: w.org, body: strings.NewReader(create()), header: headers}).want(201)
		// A token is taken, be there a cookie or not.
		headers["Cookie"] = session.Name + "=" + session.Value
		w.send(request{method: "POST", path: "/api/v1/app", token: w.org, body: strings.NewReader(create()), header: headers}).want(201)
	}
}

// TestWhichCookie: the header wins, also if it is wrong; a cookie of another name, or of which
// there are two, is none; and none opens what read tokens are for.
func TestWhichCookie(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.app("a")
	session := w.signIn("key", w.orgKey(), "").want(200).cookie()
	right := session.Name + "=" + session.Value
	for name, row := range map[string]struct {
		cookie, authorization string
		status                int
	}{
		"alone":                {right, "", 200},
		"among others":         {"theme=dark; " + right + "; x=y", "", 200},
		"beside a token":       {right, "Bearer " + w.org, 200},
		"a wrong token":        {right, "Bearer x", 401},
		"another scheme":       {right, "Basic dTpw", 401},
		"another name":         {"callboard=" + session.Value, "", 401},
		"no value":             {session.Name + "=", "", 401},
		"a wrong value":        {session.Name + "=x", "", 401},
		"two":                  {right + "; " + session.Name + "=x", "", 401},
		"wrong beside a token": {session.Name + "=x", "Bearer " + w.org, 200},
	} {
		headers := map[string]string{"Cookie": row.cookie}
		if row.authorization != "" {
			headers["Authorization"] = row.authorization
		}
		got := w.send(request{method: "GET", path: "/api/v1/app/a", header: headers})
		if got.Status != row.status || got.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: %d, Cache-Control %q", name, got.Status, got.Header.Get("Cache-Control"))
		}
	}
}

// TestCookieOfAPlainServer: without TLS a cookie cannot be Secure, and its name has the port, so
// that two servers on one machine do not sign each other's users out.
func TestCookieOfAPlainServer(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(cfg *restapi.Config) { cfg.PublicURL = "http://127.0.0.1:8071" })
	session := w.signIn("key", w.orgKey(), "").want(200).cookie()
	if session.Name != "callboard-8071" || session.Secure || !session.HttpOnly || session.SameSite != http.SameSiteStrictMode {
		t.Errorf("cookie %s", session.Raw)
	}
	w.browse(session, "GET", "/app", "").want(200)
}
