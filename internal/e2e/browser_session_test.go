package e2e_test

import (
	"encoding/json"
	"fmt"
	"html"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/network"
	"github.com/google/go-cmp/cmp"
	"github.com/svix/svix-webhooks/go/models"

	"github.com/callboard/callboard/internal/e2e/browser"
	"github.com/callboard/callboard/internal/e2e/kit"
)

// signIn opens a page that is signed in by a link of its own. flags are those of `callboard token`, such as --app.
func signIn(t testing.TB, s *kit.Server, flags ...string) *browser.Page {
	t.Helper()
	p := openBrowser(t)
	p.Open(link(t, s, flags...))
	p.AwaitCount("heading", "Sign in", 0)
	p.Await("button", "Sign out")
	return p
}

// link makes a link that signs in once, with the server's own command.
func link(t testing.TB, s *kit.Server, flags ...string) string {
	t.Helper()
	args := append([]string{"token", "--link", "--db", s.DB, "--public-url", s.URL}, flags...)
	cmd := exec.Command(binary(t), args...)
	cmd.Dir = s.Dir
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("callboard token --link: %v", err)
	}
	return strings.TrimSuffix(string(out), "\n")
}

// firstLink is the link that the server printed when it started on a new database.
func firstLink(t testing.TB, s *kit.Server) string {
	t.Helper()
	var found string
	kit.Eventually(t, "a link in the log", func() bool {
		for line := range strings.Lines(s.Log()) {
			var entry struct{ Link string }
			if json.Unmarshal([]byte(line), &entry) == nil && entry.Link != "" {
				found = entry.Link
			}
		}
		return found != ""
	})
	return found
}

// looks checks a page in both themes and on a wide and a narrow window, takes its picture, and leaves it wide and light.
func looks(t *testing.T, p *browser.Page, name string) {
	t.Helper()
	t.Run(name, func(t *testing.T) {
		inBothThemes(t, p.As(t), func(p *browser.Page, axe func()) {
			for _, width := range []int{400, 1280} {
				p.Viewport(width, 900)
				axe()
				p.Fits()
				p.Shot(name)
			}
		})
	})
	p.Theme("light")
}

// TestBrowserFirstStart is what somebody does who has just started the server: follow the link that it printed, make an
// app, come back.
func TestBrowserFirstStart(t *testing.T) {
	needBrowser(t)
	t.Parallel()
	s := start(t, kit.Config{})
	p := openBrowser(t)
	first := firstLink(t, s)
	if !strings.HasPrefix(first, s.URL+"/login#key=") {
		t.Fatalf("the first link is %q", first)
	}
	p.Open(first)
	p.Await("heading", "Welcome. Create your first app")
	p.AwaitURL("^" + s.URL + "/$") // the key is gone from the address, and with it from the history
	looks(t, p, "first-start")

	p.Fill("Name", "Ada's events")
	p.Click("button", "Create app")
	p.Await("heading", "Endpoints")
	p.AwaitURL("^" + s.URL + "/app/app_[0-9A-Za-z]{27}/endpoints$")
	p.Open(s.URL + "/")
	p.Await("link", "Ada's events")
	looks(t, p, "apps")
	p.Fill("Search", "nothing of this name")
	p.See("No app fits")
	p.Fill("Search", "ada")
	p.Click("link", "Ada's events")
	p.Await("heading", "Overview")
	p.Reload()
	p.Await("heading", "Overview") // still signed in
}

// TestBrowserLinkWorksOnce holds that a link which was used is refused, in words.
func TestBrowserLinkWorksOnce(t *testing.T) {
	needBrowser(t)
	t.Parallel()
	s := start(t, kit.Config{})
	first, second := openBrowser(t), openBrowser(t)
	once := link(t, s)
	first.Open(once)
	first.Await("button", "Sign out")
	second.Open(once)
	second.Within("alert", "").See("This link was used or is older than 15 minutes: ask for a new one")
	if cookies := second.Cookies(); len(cookies) > 0 {
		t.Errorf("a used link set cookies: %v", cookies)
	}
	looks(t, second, "login-used-link")
	first.Reload()
	first.Await("button", "Sign out") // whoever was first stays signed in
}

// TestBrowserSignIn signs in with a token and out again, and looks at what the browser keeps meanwhile.
func TestBrowserSignIn(t *testing.T) {
	needBrowser(t)
	t.Parallel()
	s := start(t, kit.Config{})
	p := openBrowser(t)
	p.Open(s.URL + "/app/app_00000000000000000000000000/endpoints")
	p.Await("heading", "Sign in")
	looks(t, p, "login")

	p.Fill("API token", "no token")
	p.Click("button", "Sign in")
	p.Within("alert", "").See("The token is not one of this server, or does not hold any more")
	looks(t, p, "login-wrong-token")
	p.Open(s.URL + "/")
	p.Fill("API token", mint(t, s))
	p.Press("Enter")
	p.Await("heading", "Welcome. Create your first app")

	cookies := p.Cookies()
	if len(cookies) != 1 {
		t.Fatalf("there are %d cookies", len(cookies))
	}
	type flags struct {
		Name, Path     string
		HTTPOnly, Sent bool
		SameSite       network.CookieSameSite
		Script         string
	}
	name, _, _ := strings.Cut(cookies[0].Name, "-") // the port follows, because cookies do not tell ports apart
	got := flags{name, cookies[0].Path, cookies[0].HTTPOnly, cookies[0].Value != "", cookies[0].SameSite, browser.Eval[string](p, "document.cookie")}
	want := flags{Name: "callboard", Path: "/", HTTPOnly: true, Sent: true, SameSite: network.CookieSameSiteStrict}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the cookie (-want +got):\n%s", diff)
	}
	if kept := browser.Eval[string](p, "JSON.stringify([{...localStorage}, {...sessionStorage}, history.state])"); strings.Contains(kept, "eyJ") {
		t.Errorf("scripts can read a token: %s", kept)
	}

	other := p.Another()
	other.Open(s.URL + "/")
	other.Await("heading", "Welcome. Create your first app")
	p.Click("button", "Sign out")
	p.Await("heading", "Sign in")
	if cookies := p.Cookies(); len(cookies) > 0 {
		t.Errorf("after signing out there are cookies: %v", cookies)
	}
	other.Reload()
	other.Await("heading", "Sign in")
}

// TestBrowserReadOnly holds that a session which may only read is offered nothing else.
func TestBrowserReadOnly(t *testing.T) {
	needBrowser(t)
	t.Parallel()
	s := start(t, kit.Config{})
	p := signIn(t, s, "--read-only")
	p.See("Your token may only read")
	p.AwaitCount("button", "Create app", 0)
}

// TestBrowserKeyboardSignIn goes from the link to an app without a mouse.
func TestBrowserKeyboardSignIn(t *testing.T) {
	needBrowser(t)
	t.Parallel()
	s := start(t, kit.Config{})
	p := openBrowser(t)
	p.Open(s.URL + "/")
	p.Await("heading", "Sign in")
	p.TabTo("textbox", "API token")
	p.Type(mint(t, s))
	p.Press("Enter")
	p.Await("heading", "Welcome. Create your first app")
	p.TabTo("textbox", "Name")
	p.Type("By keyboard")
	p.TabTo("button", "Create app")
	p.Press("Enter")
	p.Await("heading", "Endpoints")
	p.AwaitFocus("heading", "Endpoints") // so that a screen reader says where it is
	p.See("By keyboard")
}

// TestBrowserHostileNames gives apps the names that names must not be, and looks for what became of them.
func TestBrowserHostileNames(t *testing.T) {
	needBrowser(t)
	t.Parallel()
	s := start(t, kit.Config{})
	p := openBrowser(t)
	api := admin(t, s)
	texts := browser.HostileWithout("\x00")
	for _, text := range texts {
		if _, err := api.Application.Create(t.Context(), models.ApplicationIn{Name: text.Text}, nil); err != nil {
			t.Fatalf("%s: %v", text.Name, err)
		}
	}
	p.Open(link(t, s))
	p.AwaitCount("row", "", len(texts)+1)
	p.Harmless(texts...)
	p.Fits()
	p.Viewport(400, 900)
	p.Fits()
	p.Shot("apps-hostile")
}

// TestBrowserSessionEnds ends a session while a form is half filled. Who signs in again finds what they typed, and can
// save it.
func TestBrowserSessionEnds(t *testing.T) {
	needBrowser(t)
	t.Parallel()
	hook := kit.NewReceiver(t).Hook()
	s := start(t, kit.Config{})
	app := appNamed(t, s, "Ada")
	p := signIn(t, s)
	p.Open(s.URL + "/app/" + app + "/endpoints/new")
	p.Fill("URL", hook.URL)
	p.Fill("Description …", "Half filled")
	other := p.Another()
	other.Open(s.URL + "/")
	other.Click("button", "Sign out")
	other.Await("heading", "Sign in")

	p.Click("button", "Add endpoint")
	again := p.Within("dialog", "Sign in again")
	again.See("Your session has ended.")
	looks(t, p, "login-again")
	p.Press("Escape", "Escape") // there is nothing to see without a session
	again.Fill("API token", "no token")
	again.Click("button", "Sign in")
	again.See("The token is not one of this server, or does not hold any more")
	again.Fill("API token", mint(t, s))
	p.Press("Enter")
	p.AwaitCount("dialog", "Sign in again", 0)
	if url, description := p.Value("URL"), p.Value("Description …"); url != hook.URL || description != "Half filled" {
		t.Errorf("the form has %q and %q left of what was typed", url, description)
	}
	p.Click("button", "Add endpoint")
	p.Await("heading", "Endpoint added")
}

// TestBrowserSessionEndsElsewhere ends a tenant's session by the API. The tenant comes back by another link, in another tab,
// and the first tab goes on by itself; a stranger who comes instead finds nothing of what was typed.
func TestBrowserSessionEndsElsewhere(t *testing.T) {
	needBrowser(t)
	t.Parallel()
	s := start(t, kit.Config{})
	o := operator{s, mint(t, s)}
	app, foreign := o.newApp(t, ""), o.newApp(t, "")
	p := openBrowser(t)
	p.Open(o.portal(t, app, fields{}).URL)
	p.See("No endpoints yet")
	p.Open(s.URL + "/app/" + app + "/endpoints/new")
	p.Fill("URL", "https://example.com/hook")
	p.Fill("Description …", "Half filled")
	interrupt := func() {
		o.call(t, http.StatusNoContent, http.MethodPost, "/auth/app/"+app+"/expire-all", nil, nil)
		p.Click("button", "Add endpoint")
		p.Within("dialog", "Sign in again").See("Your session has ended")
	}
	interrupt()
	other := p.Another()
	other.Open(o.portal(t, app, fields{}).URL)
	other.Await("heading", "Endpoints")
	p.AwaitCount("dialog", "Sign in again", 0)
	if got := p.Value("Description …"); got != "Half filled" {
		t.Errorf("the form has %q left of what was typed", got)
	}
	interrupt()
	other.Open(o.portal(t, foreign, fields{}).URL)
	other.Await("heading", "Endpoints")
	p.AwaitCount("dialog", "Sign in again", 0)
	p.AwaitCount("textbox", "Description …", 0)
}

// access is what lets a tenant into its portal.
type access struct{ URL, Token string }

// portal makes a link into an app's portal and a token; limits are fields of app-portal-access.
func (o operator) portal(t testing.TB, app string, limits fields) (out access) {
	t.Helper()
	o.call(t, http.StatusOK, http.MethodPost, "/auth/app-portal-access/"+app, limits, &out)
	return out
}

// TestBrowserFrameEnds ends the session of a page in a frame, whose token is in memory alone. It says what leads on, and
// goes on by itself where the page around it hands over another token.
func TestBrowserFrameEnds(t *testing.T) {
	needBrowser(t)
	t.Parallel()
	s := start(t, kit.Config{})
	o := operator{s, mint(t, s)}
	app := o.newApp(t, "")
	withToken := func() string {
		return s.URL + "/app/" + app + "/endpoints/new#token=" + o.portal(t, app, fields{}).Token
	}
	frame := withToken()
	host := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		fmt.Fprintf(w, `<!doctype html><html lang="en"><title>Host</title><iframe title="Webhooks" width="900" height="800" src="%s"></iframe>`, html.EscapeString(frame))
	}))
	t.Cleanup(host.Close)
	setSettings(t, s, fmt.Sprintf(`{"portal":{"allowedOrigins":[%q]}}`, host.URL))
	p := openBrowser(t)
	p.Allow(s.URL)
	p.Open(host.URL)
	in := p.Frame("Webhooks")
	in.Fill("URL", "https://example.com/hook")
	in.Fill("Description …", "Half filled")
	o.call(t, http.StatusNoContent, http.MethodPost, "/auth/app/"+app+"/expire-all", nil, nil)
	in.Click("button", "Add endpoint")
	in.Within("dialog", "Sign in again").See("Your session has ended.")
	in.Within("dialog", "Sign in again").See("Reload the page around this one: it signs you in.")
	in.AwaitCount("textbox", "API token", 0) // nobody is asked for a token inside of another's page

	browser.Eval[bool](p, fmt.Sprintf(`(document.querySelector("iframe").src = %q) !== ""`, withToken()))
	in.AwaitCount("dialog", "Sign in again", 0)
	if got := in.Value("Description …"); got != "Half filled" {
		t.Errorf("the form has %q left of what was typed", got)
	}
	in.Click("button", "Add endpoint")
	in.Await("heading", "Endpoint added")
	frame = withToken()
	p.Reload()
	in.Await("heading", "Add endpoint")
}
