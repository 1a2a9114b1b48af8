package e2e_test

import (
	"fmt"
	"html"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/svix/svix-webhooks/go/models"

	"github.com/callboard/callboard/internal/e2e/browser"
	"github.com/callboard/callboard/internal/e2e/kit"
)

const defaultOrg = "org_000000000000000000callboard"

// setSettings changes settings of the default org.
func setSettings(t testing.TB, s *kit.Server, change string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPatch, s.URL+"/api/v1/settings", strings.NewReader(change))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+mint(t, s))
	req.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	if res.StatusCode != http.StatusOK {
		t.Fatalf("PATCH /settings %s answers %s", change, res.Status)
	}
}

// appNamed makes an app and gives its id.
func appNamed(t testing.TB, s *kit.Server, name string) string {
	t.Helper()
	app, err := admin(t, s).Application.Create(t.Context(), models.ApplicationIn{Name: name}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return app.Id
}

// TestBrowserCatalog finds a type by a vendor's word and goes through its dialects and languages by keyboard.
func TestBrowserCatalog(t *testing.T) {
	needBrowser(t)
	t.Parallel()
	s := start(t, kit.Config{})
	app := appNamed(t, s, "Ada")
	p := signIn(t, s)
	p.Open(s.URL + "/app/" + app + "/catalog")
	p.Await("link", "session.joined")
	looks(t, p, "catalog")
	p.Fill("Search", "TIME_SPENT_IN_EVENT")
	p.AwaitCount("link", "session.joined", 0)
	p.AwaitURL(`\?q=TIME_SPENT_IN_EVENT$`)
	p.Click("link", "event.time_spent")
	p.Await("heading", "event.time_spent")

	p.Open(s.URL + "/app/" + app + "/catalog/session.joined")
	p.TabTo("tab", "Callboard")
	p.Press("ArrowRight")
	p.AwaitFocus("tab", "Zuddl")
	p.Within("region", "Sample body").See("JOINED_SESSION")
	p.TabTo("tab", "Go")
	p.Press("ArrowRight", "ArrowRight")
	p.AwaitFocus("tab", "Python")
	p.Within("region", "Code").See("import hmac")
	p.Await("link", "Send it to an endpoint")
	looks(t, p, "catalog-type")
}

// TestBrowserOwnTypes declares an event type, whose schema is wrong at first, and archives it.
func TestBrowserOwnTypes(t *testing.T) {
	needBrowser(t)
	t.Parallel()
	s := start(t, kit.Config{})
	app := appNamed(t, s, "Ada")
	p := signIn(t, s)
	p.Open(s.URL + "/app/" + app + "/catalog")
	p.Click("button", "Create event type")
	form := p.Within("dialog", "Create an event type")
	form.Fill("Name", "not a name")
	form.Fill("JSON schema …", "{")
	form.Click("button", "Create event type")
	form.See("This is no JSON")
	form.Fill("JSON schema …", `{"type":"object","properties":{"order":{"type":"string","description":"Its number."}},"examples":[{"order":"4711"}]}`)
	form.Click("button", "Create event type")
	form.See("Must be 1 to 256 characters")
	form.Fill("Name", "order.paid")
	form.Fill("Description", "An order was paid.")
	form.Click("button", "Create event type")
	p.Await("heading", "order.paid")
	p.Within("region", "Sample body").See(`"order": "4711"`)
	p.See("Its number.")
	p.Click("button", "Archive")
	p.Within("dialog", "Archive this event type").Click("button", "Archive")
	p.Await("heading", "Event catalogue")
	p.AwaitCount("link", "order.paid", 0)
	p.Click("button", "Archived")
	p.Within("dialog", "Archived event types").Click("button", "Bring back")
	p.Within("dialog", "Archived event types").Click("button", "Close")
	p.Await("link", "order.paid")
}

// TestBrowserPublicCatalog is there without a session when the org says so, and only then.
func TestBrowserPublicCatalog(t *testing.T) {
	needBrowser(t)
	t.Parallel()
	s := start(t, kit.Config{})
	p := openBrowser(t)
	page := s.URL + "/catalog/" + defaultOrg
	p.Open(page)
	p.Await("heading", "Not published")
	setSettings(t, s, `{"publicCatalog":true,"portal":{"name":"Harbour Conf","accent":"#0f766e"}}`)
	p.Reload()
	p.Await("link", "session.joined")
	p.See("Harbour Conf")
	if cookies := p.Cookies(); len(cookies) > 0 {
		t.Errorf("there are cookies: %v", cookies)
	}
	looks(t, p, "public-catalog")
	text := browser.Eval[string](p, `fetch([...document.links].find((a) => a.textContent.trim() === "Markdown").href).then((r) => r.text())`)
	if !strings.Contains(text, "### session.joined") {
		t.Errorf("the Markdown begins %.200q", text)
	}
	p.Click("link", "session.joined")
	p.Await("heading", "session.joined")
	p.Await("tab", "Zuddl")
}

// TestBrowserPortal makes a portal's link, follows it as the tenant does, and looks at what the tenant cannot see.
func TestBrowserPortal(t *testing.T) {
	needBrowser(t)
	t.Parallel()
	s := start(t, kit.Config{})
	app, other := appNamed(t, s, "Ada"), appNamed(t, s, "Somebody else")
	frame := ""
	host := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		fmt.Fprintf(w, `<!doctype html><html lang="en"><title>Host</title><iframe title="Webhooks" width="900" height="600" src="%s"></iframe>`, html.EscapeString(frame))
	}))
	t.Cleanup(host.Close)
	setSettings(t, s, fmt.Sprintf(`{"portal":{"name":"Harbour Conf","accent":"#0f766e","allowedOrigins":[%q]}}`, host.URL))

	p := signIn(t, s)
	p.Open(s.URL + "/app/" + app + "/developers")
	p.Await("button", "Show signing token") // the last that is loaded
	p.Click("button", "Make a portal link")
	p.See("Made. It is shown only now")
	link := browser.Eval[string](p, `document.querySelector("[data-portal-link]").textContent`)
	p.Click("button", "Show portal token")
	token := browser.Eval[string](p, `[...document.querySelectorAll("code")].map((c) => c.textContent).find((text) => /^eyJ/.test(text))`)
	looks(t, p, "developers")

	tenant := openBrowser(t)
	tenant.Open(link)
	tenant.Await("heading", "Endpoints")
	tenant.See("Harbour Conf")
	tenant.AwaitCount("link", "Settings", 0)
	for path, want := range map[string]int{"/app/" + other + "/endpoint": 404, "/app/" + app + "/endpoint": 200, "/settings": 403} {
		if got := browser.Eval[int](tenant, fmt.Sprintf(`fetch(%q).then((r) => r.status)`, "/api/v1"+path)); got != want {
			t.Errorf("GET %s answers %d, want %d", path, got, want)
		}
	}
	tenant.Open(s.URL + "/app/" + app + "/settings")
	tenant.See("Settings are not part of this portal")
	tenant.Open(s.URL + "/app/" + app + "/developers")
	tenant.Await("heading", "Addresses and ids")
	tenant.AwaitCount("button", "Make a portal link", 0)
	tenant.Open(s.URL + "/")
	tenant.Await("heading", "Endpoints")

	frame = s.URL + "/app/" + app + "/endpoints#token=" + token
	embedded := openBrowser(t)
	embedded.Allow(s.URL)
	embedded.Open(host.URL)
	embedded.Frame("Webhooks").Await("heading", "Endpoints")
	if cookies := embedded.Cookies(); len(cookies) > 0 {
		t.Errorf("inside of a frame there are cookies: %v", cookies)
	}
	setSettings(t, s, `{"portal":{"allowedOrigins":["https://elsewhere.example.com"]}}`)
	refused := openBrowser(t)
	refused.Allow(s.URL)
	kit.Eventually(t, "the frame to be refused", func() bool { // who may frame it is remembered for some seconds
		refused.Open(host.URL)
		return slices.ContainsFunc(refused.Complaints(), func(text string) bool { return strings.Contains(text, "frame-ancestors") })
	})
	refused.Tolerate("frame-ancestors|" + s.URL)
}

// TestBrowserSettings changes what holds for the org and for an app; what is wrong is said at its field.
func TestBrowserSettings(t *testing.T) {
	needBrowser(t)
	t.Parallel()
	s := start(t, kit.Config{})
	app := appNamed(t, s, "Ada")
	p := signIn(t, s)
	p.Open(s.URL + "/app/" + app + "/settings?of=org")
	p.Fill("Accent colour …", "red")
	p.Click("button", "Save changes")
	p.See("Must be a colour as #rrggbb")
	// A file is chosen as a viewer chooses one, but for the system's dialog.
	choose := func(size int, kind string) {
		browser.Eval[bool](p, fmt.Sprintf(`(() => {
			const input = document.querySelector("input[type=file]"), files = new DataTransfer()
			files.items.add(new File([new Uint8Array(%d)], "logo", { type: %q }))
			input.files = files.files
			return input.dispatchEvent(new Event("change", { bubbles: true }))
		})()`, size, kind))
	}
	choose(100_000, "image/png")
	p.See("a logo has at most 48")
	choose(10, "text/html")
	p.See("A logo is a PNG, JPEG, WebP or SVG image")
	looks(t, p, "settings-org")
	p.Fill("Accent colour …", "#0f766e")
	p.Fill("Allowed origins …", "https://a.example.com\nnonsense")
	p.Click("button", "Save changes")
	p.See("Line 2: Must be an origin")
	hostile := browser.Hostile()[0]
	p.Fill("Allowed origins …", "https://a.example.com")
	p.Fill("Name …", hostile.Text)
	p.Click("button", "Save changes")
	p.See("Saved: portal name, accent colour, allowed origins")
	p.Harmless(hostile)

	p.Click("tab", "This app")
	p.Fill("Throttle …", "many")
	p.Click("button", "Save changes")
	p.See("Must be a number")
	p.Fill("Throttle …", "70000")
	p.Click("button", "Save changes")
	p.See("65535")
	p.Fill("Throttle …", "50")
	p.Fill("Name", "Ada's events")
	p.Click("button", "Save changes")
	p.See("Saved: name, throttle")
	looks(t, p, "settings-app")
	p.Click("button", "Delete this app")
	dialog := p.Within("dialog", "Delete this app")
	dialog.Fill("Type …", "Ada's events")
	dialog.Click("button", "Delete the app")
	p.Await("heading", "Welcome. Create your first app")
}

// TestBrowserHostileTypes shows event types whose descriptions are markup.
func TestBrowserHostileTypes(t *testing.T) {
	needBrowser(t)
	t.Parallel()
	s := start(t, kit.Config{})
	app := appNamed(t, s, "Ada")
	setSettings(t, s, `{"catalog":"none"}`)
	texts := browser.HostileWithout("\x00")
	api := admin(t, s)
	for i, text := range texts {
		schemas := map[string]any{"1": map[string]any{"properties": map[string]any{text.Text: map[string]any{"description": text.Text}}, "examples": []any{map[string]any{text.Text: text.Text}}}}
		if _, err := api.EventType.Create(t.Context(), models.EventTypeIn{Name: fmt.Sprintf("type.%d", i), Description: text.Text, Schemas: &schemas}, nil); err != nil {
			t.Fatalf("%s: %v", text.Name, err)
		}
	}
	p := signIn(t, s)
	p.Open(s.URL + "/app/" + app + "/catalog")
	p.Await("link", "type.0")
	p.Harmless(texts...)
	p.Fits()
	p.Open(s.URL + "/app/" + app + "/catalog/type.0")
	p.Await("heading", "type.0")
	p.Harmless(texts[0])
	p.Viewport(400, 900)
	p.Fits()
}
