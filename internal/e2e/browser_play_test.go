package e2e_test

import (
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/callboard/callboard/internal/e2e/browser"
	"github.com/callboard/callboard/internal/e2e/kit"
)

// inboxAddress is where an inbox of Play takes requests, as its page shows it.
var inboxAddress = regexp.MustCompile(`http://\S+/play/in/[0-9a-z]{32}`)

// openPlay opens Play on a server, without any sign-in, and gives the address of the inbox.
func openPlay(t *testing.T, s *kit.Server) (p *browser.Page, address string) {
	t.Helper()
	p = openBrowser(t)
	p.Open(s.URL + "/play")
	return p, addressOn(t, p, "")
}

// addressOn reads the address of an inbox off its page, once it is another than before.
func addressOn(t *testing.T, p *browser.Page, before string) (address string) {
	t.Helper()
	kit.Eventually(t, "the address of an inbox", func() bool {
		address = inboxAddress.FindString(p.Within("region", "Address").Text())
		return address != "" && address != before
	})
	return address
}

// inboxAnswer is what an inbox answers a stranger.
type inboxAnswer struct {
	status            int
	contentType, body string
}

// postTo sends a request as any stranger would.
func postTo(t testing.TB, method, address, body string, header http.Header) inboxAnswer {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, address, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	maps.Copy(request.Header, header)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return inboxAnswer{response.StatusCode, response.Header.Get("Content-Type"), string(text)}
}

// TestBrowserPlay is what somebody does who has never been here: see an address, send to it, watch.
func TestBrowserPlay(t *testing.T) {
	needBrowser(t)
	t.Parallel()
	s := start(t, kit.Config{})
	p, address := openPlay(t, s)
	p.See("Waiting for the first request")
	p.See("curl -X POST " + address)
	p.See("Listening")
	p.AwaitURL("^" + s.URL + "/play#[0-9a-z]{40}$")
	looks(t, p, "play-waiting")
	p.Click("button", "Copy address")
	if got := p.Clipboard(); got != address {
		t.Errorf("copied %q, want %q", got, address)
	}

	p.Click("button", "Send one from here")
	p.Within("table", "Requests").See("POST hello 37 B · 200 Unsigned")
	postTo(t, "PUT", address+"/orders/7?since=noon&x=%20y", `{"big": 12345678901234567890, "zero": 1.0}`, http.Header{"X-Shop": {"one", "two"}})
	p.Click("button", "PUT /orders/7?since=noon&x=%20y")
	one := p.Within("region", "PUT /orders/7…")
	one.See(address + "/orders/7?since=noon&x=%20y")
	one.See("It has none of the headers in which a dialect puts its signature.")
	one.See(`"big": 12345678901234567890, "zero": 1.0`) // numbers as they were written
	one.See("since noon x y")
	one.See("X-Shop one X-Shop two")
	one.See("answered 200")
	p.Click("button", "Copy as curl")
	copied := p.Clipboard()
	if !strings.Contains(copied, "curl -X PUT '"+address+"/orders/7?since=noon&x=%20y'") || !strings.Contains(copied, "-H 'X-Shop: two'") {
		t.Errorf("copied %s", copied)
	}
	looks(t, p, "play")

	p.Click("button", "Pause")
	p.See("Paused")
	postTo(t, "DELETE", address+"/meanwhile", "", nil)
	p.AwaitCount("button", "DELETE /meanwhile", 0)
	p.Click("button", "Resume")
	p.Await("button", "DELETE /meanwhile")

	mine := p.URL()
	p.Click("button", "New inbox")
	addressOn(t, p, address)
	p.See("Waiting for the first request")
	p.Back()
	p.Await("button", "DELETE /meanwhile")
	if p.URL() != mine {
		t.Errorf("back leads to another inbox")
	}
	p.Open(s.URL + "/login")
	p.Await("heading", "Sign in")
	p.Open(s.URL + "/play") // the tab knows its inbox still
	p.Await("button", "DELETE /meanwhile")

	p.Click("button", "Clear")
	p.Within("dialog", "").Click("button", "Clear")
	p.See("Waiting for the first request")
}

// TestBrowserPlayDialects has an endpoint of each dialect send to an inbox of its own, which is given the endpoint's
// secret, and then another's.
func TestBrowserPlayDialects(t *testing.T) {
	needBrowser(t)
	t.Parallel()
	s := start(t, kit.Config{})
	o := operator{s, mint(t, s)}
	app, foreign := o.newApp(t, ""), o.newApp(t, "")
	p, address := openPlay(t, s)
	const otherKey = "The signature does not match: it was made with another secret, or the body was changed on the way."
	for _, row := range []struct{ dialect, name, example, wrong string }{
		{"native", "Callboard", "session.joined", otherKey},
		{"zuddl", "Zuddl", "session.joined", otherKey},
		{"sessionboard", "Sessionboard", "contact.created", otherKey},
		{"oration", "Oration", "conference.participant.entered", otherKey},
		{"iotum", "iotum", "conference.started", "The token in x-signing-token is wrong."},
	} {
		var ep struct{ ID string }
		o.call(t, http.StatusCreated, http.MethodPost, "/app/"+app+"/endpoint", fields{"url": address, "dialect": row.dialect}, &ep)
		secret := o.secret(t, app, ep.ID).Key
		o.call(t, http.StatusCreated, http.MethodPost, "/app/"+foreign+"/endpoint", fields{"url": address, "dialect": row.dialect, "disabled": true}, &ep)
		wrong := o.secret(t, foreign, ep.ID).Key

		o.post(t, app, row.example, o.sample(t, row.example))
		p.See("It is signed, and could not be verified")
		p.See("It is signed as " + row.dialect + " does. Give the inbox the secret, and it is verified.")
		p.Fill("Secret", wrong)
		p.Click("button", "Verify")
		p.See("The signature is not valid")
		p.See(row.wrong)
		if row.dialect == "native" {
			looks(t, p, "play-invalid")
		}
		p.Fill("Secret", secret)
		p.Click("button", "Verify")
		p.See("The signature is valid")
		p.Within("table", "Requests").See(row.name)
		p.Fill("Secret", wrong)
		p.Click("button", "Verify")
		p.See("The secret does not match: the signature is right for the one that the inbox had before.")
		p.Click("button", "Forget secret")
		p.See("It is signed, and could not be verified")

		p.Click("button", "New inbox")
		address = addressOn(t, p, address)
	}
}

// TestBrowserPlayAnswers sets how an inbox answers, and sees that it does.
func TestBrowserPlayAnswers(t *testing.T) {
	needBrowser(t)
	t.Parallel()
	p, address := openPlay(t, start(t, kit.Config{}))
	p.Fill("Status", "503")
	// Key by key, as people do: a number that the page writes anew meanwhile becomes another one.
	p.TabTo("spinbutton", "Answer after, seconds")
	p.Press("0", ".", "3")
	if delay := p.Value("Answer after, seconds"); delay != "0.3" {
		t.Fatalf("0.3 is typed, and the field has %s", delay)
	}
	p.Fill("Body", "<h1>not now</h1>")
	p.Click("button", "Save")
	p.See("Set. It holds from the next request on")
	before := time.Now()
	got := postTo(t, "POST", address, "", nil)
	if took := time.Since(before); took < 300*time.Millisecond {
		t.Errorf("answered after %s", took)
	}
	want := inboxAnswer{503, "text/plain; charset=utf-8", "<h1>not now</h1>"}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(inboxAnswer{})); diff != "" {
		t.Errorf("answered (-want +got):\n%s", diff)
	}
	p.See("answered 503")
	p.Reload()
	if status, body := p.Value("Status"), p.Value("Body"); status != "503" || body != "<h1>not now</h1>" {
		t.Errorf("the page shows %s %q", status, body)
	}
	p.Tolerate("422")
	p.Fill("Status", "200")
	p.Choose("Dialect", "Callboard")
	p.Fill("Secret", "no secret of this dialect")
	p.Click("button", "Verify")
	p.Within("region", "Verify signatures").See("The secret cannot be one of native: ")
	looks(t, p, "play-refused")
}

// TestBrowserPlayResend edits a request that came and sends it again, without a mouse.
func TestBrowserPlayResend(t *testing.T) {
	needBrowser(t)
	t.Parallel()
	p, address := openPlay(t, start(t, kit.Config{}))
	p.Fill("Secret", "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIz")
	p.Choose("Dialect", "Callboard")
	p.Click("button", "Verify")
	p.See("Set. What came before was verified anew")
	postTo(t, "POST", address, `{"type":"first"}`, http.Header{"X-Mine": {"1"}})
	postTo(t, "POST", address, `{"type":"second"}`, nil)
	p.Await("button", "POST second")
	p.Reload()
	p.Within("region", "POST second").See("It is not signed")

	p.Press("j", "j")
	p.AwaitFocus("row", "POST first…")
	p.Press("Enter")
	p.Within("region", "POST first").See("X-Mine 1")
	p.Press("k")
	p.AwaitFocus("row", "POST second…")
	p.Press("j", "r")
	dialog := p.Within("dialog", "Edit and resend")
	dialog.Fill("Body", `{"type":"third"}`)
	looks(t, p, "play-resend")
	dialog.Fill("Headers", "X-Mine: 2\nno header")
	dialog.Click("button", "Send")
	dialog.See("Line 2 has no name before a colon")
	dialog.Fill("Headers", "X-Mine: 2\nbad name: x")
	p.Tolerate("422")
	dialog.Click("button", "Send")
	dialog.See("bad name: Must be a name that headers can have")
	dialog.Fill("Headers", "X-Mine: 2")
	p.TabTo("checkbox", "Sign afresh with the inbox’s secret")
	p.Press("Space")
	p.TabTo("button", "Send")
	p.Press("Enter")
	third := p.Within("region", "POST third")
	third.See("The signature is valid")
	third.See("X-Mine 2")
	third.See(`"type": "third"`)
}

// TestBrowserPlayHostile sends an inbox what no page should take for anything but text.
func TestBrowserPlayHostile(t *testing.T) {
	needBrowser(t)
	t.Parallel()
	p, address := openPlay(t, start(t, kit.Config{}))
	texts := browser.HostileWithout("\x00")
	header, query := http.Header{}, url.Values{}
	for _, text := range browser.HostileWithout("\x00\r\n\x01\x1b\x07") {
		header.Add("X-Hostile", text.Text)
	}
	var all []string
	for _, text := range texts {
		all = append(all, text.Text)
		query.Add(text.Text, text.Text)
	}
	postTo(t, "POST", address, strings.Join(all, "\n"), http.Header{"Content-Type": {"text/html"}})
	p.Await("button", "POST the address itself")
	body := p.Within("region", "POST request")
	body.Await("region", "Body in base64") // it holds control characters
	printable := browser.HostileWithout("\x00\x01\x1b\x07")
	all = all[:0]
	for _, text := range printable {
		all = append(all, text.Text)
	}
	postTo(t, "POST", address, strings.Join(all, "\n"), http.Header{"Content-Type": {"text/html"}})
	p.AwaitCount("button", "POST the address itself", 2)
	p.Press("j", "Enter")
	p.Within("region", "POST request").Await("region", "Body")
	p.Harmless(printable...)

	postTo(t, "POST", address+"/"+url.PathEscape(`<img data-xss src=x onerror="__xss('path')">`)+"?"+query.Encode(), "", header)
	p.Press("k", "k", "Enter")
	p.Within("region", "POST /%3Cimg…").See(query.Encode()[:200])
	p.Harmless(texts...)
	p.Fits()
	p.Viewport(400, 900)
	p.Fits()
	p.Shot("play-hostile")
	p.Viewport(1280, 900)
	for _, text := range texts {
		content, err := json.Marshal(map[string]string{"type": text.Text})
		if err != nil {
			t.Fatal(err)
		}
		postTo(t, "POST", address, string(content), nil)
	}
	p.AwaitCount("row", "", len(texts)+4)
	for _, problem := range p.Harm() {
		t.Errorf("in the list: %s", problem)
	}
	p.Fits()
	p.Shot("play-hostile-list")
}

// TestBrowserPlayEndpoint has the form of a new endpoint make an inbox, which knows the endpoint's secret from then on.
func TestBrowserPlayEndpoint(t *testing.T) {
	needBrowser(t)
	t.Parallel()
	s := start(t, kit.Config{})
	o := operator{s, mint(t, s)}
	app := o.newApp(t, "")
	p := signIn(t, s)
	p.Open(s.URL + "/app/" + app + "/endpoints/new")
	p.Click("button", "Use a Play inbox")
	p.See("A Play inbox: open for 24 hours")
	address := p.Value("URL")
	if !inboxAddress.MatchString(address) || p.Value("Description …") != "Play inbox" {
		t.Errorf("the form has the URL %q", address)
	}
	p.Choose("Dialect", "Zuddl")
	p.Click("button", "Add endpoint")
	p.Await("heading", "Endpoint added")
	looks(t, p, "endpoint-added-play")
	o.post(t, app, "session.joined", o.sample(t, "session.joined"))
	p.Click("link", "Open the inbox")
	p.Within("region", "Address").See(address)
	p.Within("table", "Requests").See("JOINED_SESSION")
	p.See("The signature is valid")
	p.Within("region", "Verify signatures").Await("button", "Forget secret")

	// Of a secret that is rotated the inbox learns as well. What came before was right when it came.
	p.Open(s.URL + "/app/" + app + "/endpoints")
	p.Click("link", "Play inbox")
	p.Click("tab", "Secret")
	p.Click("button", "Rotate secret")
	rotate := p.Within("dialog", "Rotate the secret")
	rotate.Choose("The old secret holds for", "At once")
	rotate.Click("button", "Rotate secret")
	p.See("There is a new secret")
	o.post(t, app, "session.joined", o.sample(t, "session.joined"))
	p.Open(s.URL + "/play")
	p.Within("region", "Address").See(address)
	kit.Eventually(t, "both requests to be valid", func() bool {
		text := p.Within("table", "Requests").Text()
		return strings.Count(text, "JOINED_SESSION") == 2 && strings.Count(text, "Valid") == 2
	})
}

// TestBrowserPlayEndpointMoves gives an endpoint an inbox's URL while its old secret goes on alone: what is signed with that
// is right until the new one takes over.
func TestBrowserPlayEndpointMoves(t *testing.T) {
	needBrowser(t)
	t.Parallel()
	s := start(t, kit.Config{})
	o := operator{s, mint(t, s)}
	app := o.newApp(t, "")
	var ep struct{ ID string }
	o.call(t, http.StatusCreated, http.MethodPost, "/app/"+app+"/endpoint", fields{"url": "https://example.com/hook", "dialect": "zuddl"}, &ep)
	o.rotate(t, "/app/"+app+"/endpoint/"+ep.ID+"/secret", 3600)
	p, address := openPlay(t, s)
	p.Open(link(t, s))
	p.Await("heading", "Apps")
	p.Open(s.URL + "/app/" + app + "/endpoints/" + ep.ID + "?tab=settings")
	p.Fill("URL", address+"?from=zuddl")
	p.Click("button", "Save changes")
	p.See("Saved")
	o.post(t, app, "session.joined", o.sample(t, "session.joined"))
	p.Open(s.URL + "/play")
	p.Within("table", "Requests").See("JOINED_SESSION")
	p.Within("table", "Requests").See("Valid")
	p.See("which held when it came")
}

// TestBrowserNoPlay: where Play is switched off, its page says so.
func TestBrowserNoPlay(t *testing.T) {
	needBrowser(t)
	t.Parallel()
	s := start(t, kit.Config{Args: []string{"--no-play"}})
	p := openBrowser(t)
	p.Tolerate("404")
	p.Open(s.URL + "/play")
	p.See("Play is switched off on this server")
	looks(t, p, "play-off")
}
