package e2e_test

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/callboard/callboard/internal/e2e/browser"
	"github.com/callboard/callboard/internal/e2e/kit"
)

// zuddlJoin is a webhook of Zuddl's.
const zuddlJoin = `{"action":"JOINED_SESSION","actionId":"a-1","actionCreatedAt":"2026-06-10T09:02:11Z",` +
	`"registration":{"id":"r1","profile":{"firstName":"Jane"}},"event":{"id":"e1","name":"Harbour Conf"},` +
	`"session":{"id":"s1","title":"Opening keynote"},"mood":"fine"}`

// TestBrowserSources makes a source by clicking, is the vendor, and looks at what came of it: what was accepted and where it
// went, and what was refused and why, which is mended and taken in again.
func TestBrowserSources(t *testing.T) {
	needBrowser(t)
	t.Parallel()
	s := start(t, kit.Config{})
	o := operator{s, mint(t, s)}
	app := o.newApp(t, "acme")
	box := kit.NewReceiver(t).Hook()
	o.call(t, http.StatusCreated, http.MethodPost, "/app/"+app+"/endpoint", fields{"url": box.URL, "description": "Our receiver", "secret": box.Secret}, nil)
	p := signIn(t, s)
	p.Open(s.URL + "/app/" + app + "/overview")
	p.Click("link", "Sources")
	p.See("No sources yet")
	looks(t, p, "sources-empty")

	p.Open(s.URL + "/app/" + app + "/sources/new")
	p.Click("button", "Add source")
	p.See("Give the secret that the vendor signs with") // at the field
	looks(t, p, "source-new")
	p.Fill("Description…", "Our Zuddl")
	p.Click("button", "Generate")
	secret := p.Value("Secret")
	p.Click("button", "Add source")
	p.Await("heading", "Our Zuddl")
	p.See("Its secret is not shown again")
	p.See(secret)
	p.See("Nothing has come in yet")
	p.Click("button", "Copy URL")
	in := &inlet{url: p.Clipboard()}
	if !strings.HasPrefix(in.url, s.URL+"/in/src_") {
		t.Fatalf("the URL for the vendor is %q", in.url)
	}

	mac := macOf(secret, zuddlJoin)
	if status, answer := in.knock(t, zuddlJoin, http.Header{"X-Webhook-Signature": {"sha256=" + hex.EncodeToString(mac)}}); status != http.StatusOK {
		t.Fatalf("a signed webhook was answered %d %s", status, answer)
	}
	p.Click("button", "Details of session.joined")
	request := p.Within("dialog", "Received request")
	request.See("It is proven, and became a message.")
	request.See(`"mood": "fine"`)
	request.See("Our receiver native Delivered")
	box.Await(t, 1)
	looks(t, p, "received")
	request.Click("button", "Replay")
	p.Within("dialog", "Replay this request?").See("It becomes one more message")
	p.Within("dialog", "Replay this request?").Click("button", "Replay")
	p.See("Replayed: 1 message")
	box.Await(t, 2)

	other := strings.Replace(zuddlJoin, "a-1", "a-2", 1)
	header := http.Header{"X-Webhook-Signature": {base64.StdEncoding.EncodeToString(macOf(secret, other))}, "Authorization": {"Bearer hush"}}
	if status, _ := in.knock(t, other, header); status != http.StatusUnauthorized {
		t.Fatalf("a signature in base64 was answered %d", status)
	}
	p.Choose("Verdict", "Refused")
	p.AwaitURL("status=refused")
	received := p.Within("table", "Received")
	received.See(`Refused signature is malformed: it does not begin with "sha256="`)
	received.Gone("Accepted")
	p.Click("button", "Details of what was refused")
	request.See("the signature is right, but written in base64")
	request.See("authorization [masked]")
	request.Gone("hush")
	looks(t, p, "received-refused")
	request.Click("button", "Set it so")
	p.See("encoding: base64, prefix: none")
	received.Click("checkbox", "Select…")
	p.Click("button", "Replay 1 selected")
	p.Within("dialog", "Replay this request?").See("you vouch for it")
	p.Within("dialog", "Replay this request?").Click("button", "Replay")
	box.Await(t, 3)
	again := strings.Replace(zuddlJoin, "a-1", "a-3", 1)
	if status, _ := in.knock(t, again, http.Header{"X-Webhook-Signature": {base64.StdEncoding.EncodeToString(macOf(secret, again))}}); status != http.StatusOK {
		t.Errorf("what the hint named was set, and a signature like it is answered %d", status)
	}
	box.Await(t, 4)

	p.Click("button", "Rotate secret")
	rotate := p.Within("dialog", "Rotate")
	rotate.Click("button", "Generate")
	looks(t, p, "source-rotate")
	next := rotate.Value("New secret")
	rotate.Click("button", "Rotate")
	p.See("Give the new one to the vendor now")
	p.See("Old one until")
	last := strings.Replace(zuddlJoin, "a-1", "a-4", 1)
	if status, _ := in.knock(t, last, http.Header{"X-Webhook-Signature": {base64.StdEncoding.EncodeToString(macOf(next, last))}}); status != http.StatusOK {
		t.Errorf("the new secret is answered %d", status)
	}
	p.Click("button", "Clear filters")
	looks(t, p, "source")
	p.Within("navigation", "App").Click("link", "Sources")
	p.Within("table", "Sources").See("Our Zuddl")
	looks(t, p, "sources")
	p.Click("link", "Our Zuddl")
	p.Click("button", "More actions")
	p.Click("menuitem", "Delete")
	p.Within("dialog", "Delete this source?").Click("button", "Delete")
	p.See("No sources yet")
}

// TestBrowserSourceChange edits a source, of which what is wrong is said at its field, and replays several requests at once:
// one that was refused, and one that had become a message before and becomes another.
func TestBrowserSourceChange(t *testing.T) {
	needBrowser(t)
	t.Parallel()
	s := start(t, kit.Config{})
	o := operator{s, mint(t, s)}
	app := o.newApp(t, "acme")
	box := kit.NewReceiver(t).Hook()
	o.call(t, http.StatusCreated, http.MethodPost, "/app/"+app+"/endpoint", fields{"url": box.URL, "secret": box.Secret}, nil)
	zuddl := vendorNamed("zuddl")
	in := o.inlet(t, app, zuddl, fields{"description": "Before"})
	webhook := func(n int) string { return zuddl.other(zuddl.text(t), n) }
	inBase64 := func(body string) http.Header {
		return http.Header{"X-Signed": {"v=" + base64.StdEncoding.EncodeToString(macOf(zuddl.auth["secret"].(string), body))}}
	}
	if status, _ := in.knock(t, webhook(1), inBase64(webhook(1))); status != http.StatusUnauthorized {
		t.Fatalf("a signature in another header was answered %d before the source was told of it", status)
	}
	p := signIn(t, s)
	p.Open(s.URL + "/app/" + app + "/sources/" + in.id)
	p.Await("heading", "Before")
	p.Click("button", "Edit")
	form := p.Within("dialog", "Edit the source")
	form.Fill("Description …", "After")
	form.Click("DisclosureTriangle", "How it signs, channels, handshake")
	form.Fill("Header of the signature …", "no header")
	form.Choose("Written in", "Base64")
	form.Fill("What stands before it …", "v=")
	form.Click("button", "Save")
	form.See("Must be the name of a header")
	looks(t, p, "source-edit")
	form.Fill("Header of the signature …", "x-signed")
	form.Click("button", "Save")
	p.Await("heading", "After")
	p.See("header: x-signed, encoding: base64, prefix: v=")
	if status, answer := in.knock(t, webhook(2), inBase64(webhook(2))); status != http.StatusOK {
		t.Fatalf("what the source was told to take is answered %d %s", status, answer)
	}
	first := box.Await(t, 1)[0]

	received := p.Within("table", "Received")
	received.See("Accepted")
	p.AwaitCount("checkbox", "Select …", 2)
	p.Click("checkbox", "Select session.joined of …")
	p.Click("checkbox", "Select request of …")
	p.Click("button", "Replay 2 selected")
	dialog := p.Within("dialog", "Replay 2 requests?")
	dialog.See("you vouch for")
	dialog.Click("button", "Replay 2")
	p.See("Replayed: 2 messages")
	p.AwaitCount("button", "Replay 2 selected", 0)
	for _, d := range box.Await(t, 3)[1:] {
		if d.ID == first.ID {
			t.Error("a replay came as the message that there was")
		}
	}
}

// TestBrowserSourcesHostile has whoever knows the address of an unverified source write what they like.
func TestBrowserSourcesHostile(t *testing.T) {
	needBrowser(t)
	t.Parallel()
	s := start(t, kit.Config{})
	o := operator{s, mint(t, s)}
	app := o.newApp(t, "acme")
	texts := browser.HostileWithout("\x00\r\n\x01\x1b\u2028\u2029\uFFFE\U0010FFFF\uFDD0")
	for _, text := range texts {
		o.call(t, http.StatusCreated, http.MethodPost, "/app/"+app+"/source", fields{"dialect": "raw", "unverified": true, "description": text.Text}, nil)
	}
	all := strings.Builder{}
	for _, text := range texts {
		all.WriteString(text.Text + " ")
	}
	in := o.inlet(t, app, vendor{dialect: "raw", auth: fields{"unverified": true, "typeField": "type"}}, nil)
	header := http.Header{}
	for _, text := range texts {
		header.Add("X-Said", text.Text)
	}
	said, err := json.Marshal(fields{"type": "a", "said": all.String()})
	if err != nil {
		t.Fatal(err)
	}
	if status, answer := in.knock(t, string(said), header); status != http.StatusOK {
		t.Fatalf("%d %s", status, answer)
	}
	p := signIn(t, s)
	p.Open(s.URL + "/app/" + app + "/sources")
	p.Await("table", "Sources")
	p.Harmless(texts...)
	p.Open(s.URL + "/app/" + app + "/sources/" + in.id)
	p.Click("button", "Details of…")
	p.Within("dialog", "Received request").See("x-said")
	p.Harmless()
}
