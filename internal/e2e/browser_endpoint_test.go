package e2e_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/svix/svix-webhooks/go/models"

	"github.com/callboard/callboard/internal/e2e/browser"
	"github.com/callboard/callboard/internal/e2e/kit"
)

// appWithEndpoint makes an app and, for a hook, an endpoint in it.
func appWithEndpoint(t testing.TB, s *kit.Server, h *kit.Hook, change func(*models.EndpointIn)) (app, endpoint string) {
	t.Helper()
	w := &walk{svix: admin(t, s)}
	made := w.app(t)
	return made.Id, w.endpoint(t, made.Id, h, change).Id
}

// secretInSight is the secret that the page shows in full.
func secretInSight(p *browser.Page) string {
	return browser.Eval[string](p, `[...document.querySelectorAll('main code')].map((e) => e.textContent).find((text) => text.startsWith('whsec_')) ?? ''`)
}

// TestBrowserFirstWebhook goes from the first start to a delivered webhook by clicks alone: the overview leads, and ticks
// its steps off.
func TestBrowserFirstWebhook(t *testing.T) {
	needBrowser(t)
	t.Parallel()
	hook := kit.NewReceiver(t).Hook()
	s := start(t, kit.Config{})
	p := openBrowser(t) // after the server, so that it ends before
	p.Open(firstLink(t, s))
	p.Fill("Name", "First app")
	p.Click("button", "Create app")
	p.Within("navigation", "App").Click("link", "Overview")
	p.Await("heading", "Deliver your first webhook")
	looks(t, p, "overview-new")

	p.Within("main", "").Click("link", "Add endpoint")
	p.Fill("URL", hook.URL)
	p.Fill("Description …", "My receiver")
	p.Click("button", "Add endpoint")
	p.Await("heading", "Endpoint added")
	p.AwaitFocus("heading", "Endpoint added")
	secret := secretInSight(p)
	if !strings.HasPrefix(secret, "whsec_") {
		t.Fatalf("the secret that is shown is %q", secret)
	}
	hook.Trust(secret)
	p.Click("button", "Copy secret")
	p.Await("button", "Copied")
	if got := p.Clipboard(); got != secret {
		t.Errorf("copied is %q, want the secret", got)
	}
	looks(t, p, "endpoint-added")

	p.Click("link", "Send a test")
	p.Click("button", "Send")
	if got := hook.Await(t, 1); len(got[0].Body) == 0 {
		t.Error("the test has no body")
	}
	p.Within("navigation", "App").Click("link", "Overview")
	p.Await("heading", "Your first webhook is delivered")
	p.See("100 %") // of one attempt
	p.Reload()
	p.Await("heading", "Needs attention")
	p.See("1 endpoint is healthy")
	p.AwaitCount("heading", "Your first webhook is delivered", 0) // who knows the way is not led again
}

// TestBrowserEndpointForm holds that the form says at the field what is wrong, and why a URL is refused.
func TestBrowserEndpointForm(t *testing.T) {
	needBrowser(t)
	t.Parallel()
	hook := kit.NewReceiver(t).Hook()
	s := start(t, kit.Config{Public: true})
	app, _ := appWithPublicEndpoint(t, s)
	p := signIn(t, s)
	p.Open(s.URL + "/app/" + app + "/endpoints/new")
	p.Click("button", "Add endpoint")
	p.See("Say where webhooks go")
	p.AwaitFocus("textbox", "URL")
	p.Fill("URL", hook.URL)
	p.Press("Tab")
	p.See("The URL must use https")
	p.Fill("URL", "https://169.254.169.254/latest")
	p.Press("Tab")
	p.See("names a special address")
	p.Fill("URL", "https://example.com/webhooks")
	const place = `document.querySelector("main [type=submit]").getBoundingClientRect().top + scrollY`
	before := browser.Eval[float64](p, place)
	p.Press("Tab")
	p.See("This address may be used")
	if after := browser.Eval[float64](p, place); after != before {
		t.Errorf("leaving the field moves the button by %g pixels, away from who is clicking it", after-before)
	}

	p.Click("radio", "Only these")
	p.Click("button", "Add endpoint")
	p.See("Choose at least one event type, or all")
	p.Click("radio", "All events, new ones included")
	p.Click("DisclosureTriangle", "Retries, channels, limits, headers")
	for _, n := range []string{"1", "2"} {
		p.Click("button", "Add header")
		p.Fill("Name of header "+n, map[string]string{"1": "X-Token", "2": "x-token"}[n])
		p.Fill("Value of header "+n, "v"+n)
	}
	p.Fill("Throttle …", "many")
	p.Click("button", "Add endpoint")
	p.See("This header is already there")
	p.See("Must be a whole number")
	looks(t, p, "endpoint-form-errors")
	p.Fill("Throttle …", "70000")
	p.Fill("Name of header 2", "Content-Type")
	p.Click("button", "Add endpoint")
	p.See("Must be at most 65535") // the API's own words, at its field
	p.Fill("Throttle …", "7")
	p.Click("button", "Add endpoint")
	p.See("has a name that is reserved")
	p.Click("button", "Remove header Content-Type")
	p.Choose("Retries", "Delays of your own")
	p.Fill("Delays", "5s, 10m")
	p.See("At once, then after 5 s and 10 min: 3 attempts within 10 min 5 s.")
	p.Click("button", "Add endpoint")
	p.Await("heading", "Endpoint added")

	p.Click("link", "Open the endpoint")
	p.Click("tab", "Headers")
	p.Await("textbox", "Name of header 1")
	if got := p.Value("Value of header 1"); got != "" {
		t.Errorf("a hidden header shows %q", got)
	}
	p.Click("tab", "Settings")
	if got := p.Value("Throttle …"); got != "7" {
		t.Errorf("the throttle is %q, want 7", got)
	}
	looks(t, p, "endpoint-settings")
}

// appWithPublicEndpoint is appWithEndpoint on a server that takes public addresses alone. Nothing is sent there.
func appWithPublicEndpoint(t testing.TB, s *kit.Server) (app, endpoint string) {
	t.Helper()
	return appWithEndpoint(t, s, &kit.Hook{URL: "https://example.com/hook", Secret: kit.NewSecret()}, nil)
}

// TestBrowserEventPicker chooses event types without a mouse, under the names of a dialect.
func TestBrowserEventPicker(t *testing.T) {
	needBrowser(t)
	t.Parallel()
	s := start(t, kit.Config{Public: true})
	app, _ := appWithPublicEndpoint(t, s)
	p := signIn(t, s)
	p.Open(s.URL + "/app/" + app + "/endpoints/new")
	p.TabTo("textbox", "URL")
	p.Type("https://example.com/zuddl")
	p.TabTo("combobox", "Dialect")
	p.Type("z") // the option that begins so
	p.TabTo("radio", "All events, new ones included")
	p.Press("ArrowDown")
	p.TabTo("searchbox", "Search event types")
	p.Type("time spent session")
	p.TabTo("checkbox", "Session")
	p.Press("ArrowDown")
	p.AwaitFocus("checkbox", "TIME_SPENT_IN_SESSION …")
	p.Press("Space")
	p.See("Only these: 1 of")
	p.TabTo("button", "About TIME_SPENT_IN_SESSION")
	p.Press("Enter")
	p.Await("tab", "Sample")
	p.See(`"TIME_SPENT_IN_SESSION"`) // the sample is the dialect's
	looks(t, p, "endpoint-events")
	p.TabTo("button", "Add endpoint")
	p.Press("Enter")
	p.Await("heading", "Endpoint added")
	p.Click("link", "Open the endpoint")
	p.Click("tab", "Settings")
	p.See("Only these: 1 of")
}

// TestBrowserSecret shows a secret when it is asked for, and rotates it.
func TestBrowserSecret(t *testing.T) {
	needBrowser(t)
	t.Parallel()
	hook := kit.NewReceiver(t).Hook()
	s := start(t, kit.Config{})
	app, endpoint := appWithEndpoint(t, s, hook, nil)
	p := signIn(t, s)
	p.Open(s.URL + "/app/" + app + "/endpoints/" + endpoint + "?tab=secret")
	p.Await("button", "Show signing secret")
	if got := secretInSight(p); got != "" {
		t.Error("a secret is shown before it was asked for")
	}
	p.Click("button", "Show signing secret")
	p.See(hook.Secret)
	p.Click("button", "Rotate secret")
	dialog := p.Within("dialog", "Rotate the secret")
	dialog.See("signed with both")
	dialog.Choose("The old secret holds for", "1 hour")
	dialog.Fill("New secret …", "short")
	dialog.Click("button", "Rotate secret")
	p.AwaitCount("textbox", "New secret …", 1) // it is still there, with the reason
	dialog.See("secret")
	dialog.Fill("New secret …", "")
	dialog.Click("button", "Rotate secret")
	p.See("There is a new secret")
	p.See("The old one goes on signing beside it for 1 hour")
	p.Gone(hook.Secret)
	p.See("whsec_") // the new one, which the receiver needs now
	hook.Trust(secretInSight(p))
	looks(t, p, "endpoint-secret")
}

// TestBrowserEnableAndRecover mends an endpoint whose receiver refused everything: why it is disabled, what that left
// undelivered, one button, and everything arrives.
func TestBrowserEnableAndRecover(t *testing.T) {
	needBrowser(t)
	t.Parallel()
	hook := kit.NewReceiver(t).Hook()
	s := start(t, kit.Config{})
	hook.Answer(kit.Status(http.StatusInternalServerError), kit.Status(http.StatusGone))
	w := &walk{svix: admin(t, s)}
	app, endpoint := appWithEndpoint(t, s, hook, func(in *models.EndpointIn) { in.Description = new("Gone for lunch") })
	first := w.post(t, app, 1, nil)
	hook.Await(t, 1)
	w.post(t, app, 2, nil) // 410 to this one disables the endpoint and ends the first
	p := signIn(t, s)
	kit.Eventually(t, "the endpoint is disabled", func() bool {
		got, err := w.svix.Endpoint.Get(t.Context(), app, endpoint)
		return err == nil && got.Disabled != nil && *got.Disabled
	})
	p.Open(s.URL + "/app/" + app + "/overview")
	p.See("its receiver asked for no more")
	looks(t, p, "overview-attention")
	p.Click("link", "Gone for lunch")
	p.See("Disabled: its receiver asked for no more")
	p.See("2 deliveries have failed")
	looks(t, p, "endpoint-disabled")

	hook.Answer(kit.OK)
	p.Click("button", "Enable and recover")
	dialog := p.Within("dialog", "Enable and recover")
	dialog.See("2 messages are sent again")
	looks(t, p, "endpoint-recover")
	dialog.Click("button", "Enable and send 2")
	p.See("2 deliveries are queued again")
	hook.AwaitMessage(t, first.Id, 2)
	p.See("Healthy")
	p.Gone("have failed")
	p.Within("navigation", "App").Click("link", "Endpoints")
	p.Await("link", "Gone for lunch")
	p.See("Healthy")
	looks(t, p, "endpoints")
}

// TestBrowserHostileEndpoints gives endpoints the descriptions that descriptions must not be.
func TestBrowserHostileEndpoints(t *testing.T) {
	needBrowser(t)
	t.Parallel()
	s := start(t, kit.Config{Public: true})
	app, _ := appWithPublicEndpoint(t, s)
	w := &walk{svix: admin(t, s)}
	texts := browser.HostileWithout("\x00")
	hook := &kit.Hook{URL: "https://example.com/hook", Secret: kit.NewSecret()}
	var last string
	for _, text := range texts {
		last = w.endpoint(t, app, hook, func(in *models.EndpointIn) {
			in.Description = &text.Text
			in.Headers = &map[string]string{"X-Text": "<img data-xss src=x onerror=xss()>"}
		}).Id
	}
	p := signIn(t, s)
	p.Open(s.URL + "/app/" + app + "/endpoints")
	p.AwaitCount("row", "", len(texts)+2)
	p.Harmless(texts...)
	p.Viewport(400, 900)
	p.Fits()
	p.Open(s.URL + "/app/" + app + "/endpoints/" + last)
	p.Await("tab", "Settings")
	p.Harmless(texts[len(texts)-1])
	p.Click("tab", "Settings")
	p.Harmless(texts[len(texts)-1])
	p.Click("tab", "Headers")
	p.Await("textbox", "Value of header 1")
	p.Harmless()
	p.Fits()
}
