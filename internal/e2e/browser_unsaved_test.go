package e2e_test

import (
	"strings"
	"testing"

	"github.com/svix/svix-webhooks/go/models"

	"github.com/callboard/callboard/internal/e2e/browser"
	"github.com/callboard/callboard/internal/e2e/kit"
)

// TestBrowserUnsaved holds that what was typed is not lost by a link, a step back or another tab unless somebody says so,
// that nothing is asked where nothing changed, and that saving leaves the focus where it was.
func TestBrowserUnsaved(t *testing.T) {
	needBrowser(t)
	t.Parallel()
	s := start(t, kit.Config{})
	made, err := admin(t, s).Application.Create(t.Context(), models.ApplicationIn{Name: "Before"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	p := signIn(t, s)
	p.Open(s.URL + "/app/" + made.Id + "/deliveries")
	p.Click("link", "Settings")
	for _, leave := range []func(){
		func() { p.Click("link", "Endpoints") },
		func() { p.Click("tab", "All apps") },
		p.Back,
	} {
		p.Fill("Name", "After")
		leave()
		question := p.Within("dialog", "Leave without saving?")
		question.See("This is changed and not saved yet: name.")
		question.Click("button", "Stay here")
		p.AwaitCount("dialog", "Leave without saving?", 0)
		p.AwaitURL("/settings$")
		if got := p.Value("Name"); got != "After" {
			t.Errorf("the name is %q, want what was typed", got)
		}
	}
	p.Click("button", "Save changes")
	p.See("Saved: name")
	p.AwaitFocus("button", "Save changes")
	p.Click("link", "Endpoints")
	p.Await("heading", "Endpoints") // nothing is asked

	p.Click("link", "Settings")
	p.Fill("Name", "Lost")
	p.Click("link", "Endpoints")
	p.Within("dialog", "Leave without saving?").Click("button", "Leave without saving")
	p.Await("heading", "Endpoints")
	p.Click("link", "Settings")
	if got := p.Value("Name"); got != "After" {
		t.Errorf("the name is %q, want what was saved", got)
	}

	// Who skips to the content of a page takes no step that a step back would lead to unasked.
	p.Open(s.URL + "/app/" + made.Id + "/deliveries")
	p.TabTo("link", "Skip to content")
	p.Press("Enter")
	p.AwaitFocus("main", "")
	p.Click("link", "Settings")
	p.Fill("Name", "Lost")
	p.Back()
	p.Within("dialog", "Leave without saving?").Click("button", "Leave without saving")
	p.Await("heading", "Deliveries")
	p.AwaitURL("/deliveries$")

	// A step back within a page may lead to another of its forms.
	p.Open(s.URL + "/app/" + made.Id + "/settings?of=org")
	p.Click("link", "Settings")
	p.Fill("Name", "Lost")
	p.Back()
	p.Within("dialog", "Leave without saving?").Click("button", "Stay here")
	p.AwaitURL("/settings$")
	if got := p.Value("Name"); got != "Lost" {
		t.Errorf("the name is %q, want what was typed", got)
	}
}

// TestBrowserTenantIsSentBack holds that a tenant without a session is told of their portal, and not of the server's command.
func TestBrowserTenantIsSentBack(t *testing.T) {
	needBrowser(t)
	t.Parallel()
	s := start(t, kit.Config{})
	made, err := admin(t, s).Application.Create(t.Context(), models.ApplicationIn{Name: "Tenant"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	once := link(t, s, "--app", made.Id)
	p := openBrowser(t)
	p.Open(once)
	p.Await("heading", "Endpoints")
	p.Click("button", "Sign out")
	sentBack(t, p)
	p.Open(s.URL + "/login")
	p.Open(once)
	p.Within("alert", "").See("This link was used or is older than 15 minutes")
	sentBack(t, p)
	looks(t, p, "portal-used-link")
}

func sentBack(t *testing.T, p *browser.Page) {
	t.Helper()
	p.Await("heading", "Open the portal again")
	p.See("Go back to the site that sends you webhooks")
	if text := p.Within("main", "").Text(); strings.Contains(text, "callboard token") {
		t.Errorf("a tenant is told of the server's command: %s", text)
	}
}
