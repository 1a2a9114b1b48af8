package e2e_test

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"testing"

	"github.com/callboard/callboard/internal/e2e/browser"
	"github.com/callboard/callboard/internal/e2e/kit"
)

// offer is something that a page offers to do, and the API's call behind it.
type offer struct {
	path, ready string // the page below the app's, and a text that stands there for everybody
	role, name  string
	method, api string // below the app's; "" = as the one before
	body        string
	secret      bool // whether it only shows a secret, which who may read may
}

// TestBrowserPortalReadOnly goes over what pages offer: a portal without limits has it all, one that is read-only, or may do
// nothing but look, has none of what the API refuses it.
func TestBrowserPortalReadOnly(t *testing.T) {
	needBrowser(t)
	t.Parallel()
	o := openShop(t)
	h, ep := o.hook(t, "The till", nil)
	h.Answer(kit.Status(http.StatusServiceUnavailable))
	m := o.post(t, "order.paid")
	h.Await(t, 1)
	o.open("/deliveries")
	o.page.See("1 failed since")
	endpoint, delivery := "/endpoint/"+ep, "/msg/"+m+"/endpoint/"+ep
	const since = `{"since":"2026-01-01T00:00:00Z"}`
	offers := []offer{
		{"/endpoints", "The till", "link", "Add endpoint", "POST", "/endpoint", `{"url":"https://example.com/"}`, false},
		{"/endpoints", "The till", "link", "Testing", "POST", endpoint + "/send-example", `{"eventType":"session.joined"}`, false},
		{"/endpoints/" + ep, "1 delivery has failed", "button", "Recover", "POST", endpoint + "/recover", since, false},
		{"/endpoints/" + ep, "1 delivery has failed", "link", "Send a test", "", "", "", false},
		{"/endpoints/" + ep, "1 delivery has failed", "button", "More actions", "DELETE", endpoint, "", false},
		{"/endpoints/" + ep + "?tab=settings", "Retries, channels, limits", "button", "Save changes", "PATCH", endpoint, `{"description":"Mine"}`, false},
		{"/endpoints/" + ep + "?tab=headers", "No headers yet.", "button", "Save headers", "PATCH", endpoint + "/headers", `{"headers":{"X-A":"1"}}`, false},
		{"/endpoints/" + ep + "?tab=secret", "Your receiver verifies with it", "button", "Rotate secret", "POST", endpoint + "/secret/rotate", `{}`, false},
		{"/endpoints/" + ep + "?tab=secret", "Your receiver verifies with it", "button", "Show signing secret", "GET", endpoint + "/secret", "", true},
		{"/deliveries", "1 failed since", "button", "Recover The till…", "POST", endpoint + "/recover", since, false},
		{"/deliveries", "1 failed since", "checkbox", "Select order.paid…", "", "", "", false},
		{"/deliveries/" + m + "/" + ep, "It was given up", "button", "Resend", "POST", delivery + "/resend", "", false},
		{"/catalog/session.joined", "An attendee joined a session", "link", "Send it to an endpoint", "", "", "", false},
		{"/overview", "Needs attention", "link", "Recover", "", "", "", false},
	}
	for _, row := range []struct {
		name         string
		limits       fields
		may, secrets bool
	}{
		{"unlimited", fields{}, true, true},
		{"read-only", fields{"readOnly": true}, false, true},
		{"looking alone", fields{"capabilities": []string{"ViewBase"}}, false, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			p := openBrowser(t)
			p.Open(o.portal(t, o.app, row.limits).URL)
			p.Await("heading", "Endpoints")
			at := ""
			for _, one := range offers {
				if one.path != at {
					p.Open(o.server.URL + "/app/" + o.app + one.path)
					p.See(one.ready)
					at = one.path
				}
				allowed := row.may || one.secret && row.secrets
				p.AwaitCount(one.role, one.name, map[bool]int{true: 1, false: 0}[allowed])
				if one.api == "" || row.may {
					continue
				}
				want := http.StatusForbidden
				if allowed {
					want = http.StatusOK
				}
				if got := fetchStatus(p, one.method, "/api/v1/app/"+o.app+one.api, one.body); got != want {
					t.Errorf("%s %s answers %d, want %d", one.method, one.api, got, want)
				}
			}
			if row.may {
				return
			}
			p.Open(o.server.URL + "/app/" + o.app + "/deliveries")
			p.Await("link", "order.paid")
			p.Press("j", "r", "x")
			p.AwaitFocus("row", "order.paid…") // the keys of the table move, and do no more
			p.AwaitCount("dialog", "Resend this delivery?", 0)
			p.AwaitCount("group", "Selection", 0)
			p.Open(o.server.URL + "/app/" + o.app + "/endpoints/new")
			p.See("You may not add endpoints")
			p.Open(o.server.URL + "/app/" + o.app + "/testing")
			p.See("You may not send")
		})
	}
}

// fetchStatus has a page call the API as whoever is signed in there, and gives the status.
func fetchStatus(p *browser.Page, method, address, body string) int {
	with := ""
	if body != "" {
		with = fmt.Sprintf(`, body: %q, headers: {"Content-Type": "application/json"}`, body)
	}
	return browser.Eval[int](p, fmt.Sprintf(`fetch(%q, {method: %q%s}).then((r) => r.status)`, address, method, with))
}

// TestBrowserPortalHostile gives an org a name and a logo that are markup, and endpoints such descriptions, and has a tenant
// look at all pages that show them.
func TestBrowserPortalHostile(t *testing.T) {
	needBrowser(t)
	t.Parallel()
	s := start(t, kit.Config{Public: true})
	o := operator{s, mint(t, s)}
	app := o.newApp(t, "")
	texts := browser.HostileWithout("\x00")
	for _, text := range texts {
		o.call(t, http.StatusCreated, http.MethodPost, "/app/"+app+"/endpoint", fields{"url": "https://example.com/hook", "description": text.Text}, nil)
	}
	logo := "data:image/svg+xml;base64," + base64.StdEncoding.EncodeToString([]byte(
		`<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9" onload="__xss('logo')"><script>parent.__xss("logo")</script>`+
			`<image href="https://stranger.invalid/logo.png"/></svg>`))
	brand := func(name string) {
		o.call(t, http.StatusOK, http.MethodPatch, "/settings", fields{"portal": fields{"name": name, "logo": logo}, "publicCatalog": true}, nil)
	}
	var names []browser.Text
	for _, text := range texts {
		switch text.Name {
		case "script", "image", "details", "attribute-double", "template-svelte", "bidi-unclosed":
			names = append(names, text)
		}
	}
	brand(names[0].Text)
	p := openBrowser(t)
	p.Open(o.portal(t, app, fields{}).URL)
	p.AwaitCount("row", "", len(texts)+1)
	p.Harmless(texts...)
	p.Viewport(400, 900)
	p.Fits()
	p.Viewport(1280, 900)
	for _, name := range names {
		brand(name.Text)
		p.Open(s.URL + "/catalog/" + defaultOrg)
		p.Await("link", "session.joined")
		p.Harmless(name)
		p.Open(s.URL + "/app/" + app + "/deliveries")
		p.Await("heading", "Deliveries")
		p.Harmless(name)
	}
	p.Open(s.URL + "/app/" + app + "/testing")
	p.Click("combobox", "Endpoint")
	p.AwaitCount("option", "", len(texts))
	p.Harmless(texts...)
	p.Open(s.URL + "/app/" + app + "/overview")
	p.Await("heading", "Overview")
	p.Harmless(names[len(names)-1])
}

// TestBrowserHostileRest shows hostile text where no other of these tests puts it: in what meetings are told, in metadata,
// and in addresses of pages.
func TestBrowserHostileRest(t *testing.T) {
	needBrowser(t)
	t.Parallel()
	o := openShop(t)
	p := o.page
	texts := browser.HostileWithout("\x00\uFFFE\U0010FFFF\uFDD0")
	all := joined(texts)
	acts := []fields{
		{"type": "conference.started", "data": fields{"conferenceId": "weekly", "hostId": "h-1", "companyId": "acme", "conferenceName": all}},
		{"type": "conference.participant.entered", "data": fields{"conferenceId": "weekly", "participantId": "p-1", "participantName": all, "participantRole": "host"}},
		{"type": "conversation.user_joined", "data": fields{"id": "call-1", "toPhoneNumber": "+442071234567", "conversationStatus": "active"}},
		{"type": "conversation.completed", "data": fields{"id": "call-1", "summary": all}},
	}
	o.tell(t, o.app, acts...)
	o.open("/live/conference/weekly")
	p.Await("table", "Participants")
	p.Harmless(texts...)
	p.Fits()
	o.open("/live/conversation/call-1")
	p.See("Completed")
	p.Harmless(texts...)
	p.Fits()

	metadata := map[string]string{}
	for i, text := range texts[:20] {
		metadata[fmt.Sprintf("k%02d", i)] = text.Text
	}
	o.call(t, http.StatusOK, http.MethodPatch, "/app/"+o.app, fields{"metadata": metadata}, nil)
	o.open("/settings")
	p.Await("textbox", "Value 20")
	p.Harmless(texts[:20]...)

	text := url.PathEscape(`"><b data-xss>{@html '<b data-xss>'}javascript:__xss('address')`)
	for _, path := range []string{
		"/catalog?q=%s", "/catalog/%s", "/endpoints?q=%s", "/endpoints/%s", "/live?tab=%s", "/live/event/%s?session=%[1]s&q=%[1]s",
		"/sources/%s?received=%[1]s&status=%[1]s", "/testing?endpoint=%s&event_type=%[1]s", "/deliveries/%s/%[1]s?attempt=%[1]s", "/%s",
	} {
		o.open(fmt.Sprintf(path, text))
		awaitLoaded(t, p)
		p.Harmless()
	}
}
