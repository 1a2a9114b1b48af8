package e2e_test

import (
	"fmt"
	"maps"
	"net/http"
	"os/exec"
	"strings"
	"testing"
	"unicode"

	"github.com/google/go-cmp/cmp"

	"github.com/callboard/callboard/internal/e2e/browser"
	"github.com/callboard/callboard/internal/e2e/kit"
)

// shop is an app with a receiver of its own, and a page that is signed in to it.
type shop struct {
	operator
	receiver *kit.Receiver
	page     *browser.Page
	app      string
}

func openShop(t *testing.T) *shop {
	t.Helper()
	s := start(t, kit.Config{})
	o := &shop{operator: operator{s, mint(t, s)}, receiver: kit.NewReceiver(t), page: signIn(t, s)}
	var app struct{ ID string }
	o.call(t, http.StatusCreated, "POST", "/app", fields{"name": "Shop"}, &app)
	o.app = app.ID
	return o
}

// hook makes an endpoint of a description, whose attempts are not repeated, and gives its receiver and its id.
func (o *shop) hook(t *testing.T, description string, more fields) (*kit.Hook, string) {
	t.Helper()
	h := o.receiver.Hook()
	in := fields{"url": h.URL, "secret": h.Secret, "description": description, "retrySchedule": []string{}}
	maps.Copy(in, more)
	var made struct{ ID string }
	o.call(t, http.StatusCreated, "POST", "/app/"+o.app+"/endpoint", in, &made)
	return h, made.ID
}

// post sends a message of a type and gives its id.
func (o *shop) post(t *testing.T, eventType string) string {
	t.Helper()
	return o.postPayload(t, eventType, `{"n":1.00}`)
}

func (o *shop) postPayload(t *testing.T, eventType, payload string) string {
	t.Helper()
	var made struct{ ID string }
	o.send(t, http.StatusAccepted, "POST", "/app/"+o.app+"/msg", fmt.Sprintf(`{"eventType":%q,"payload":%s}`, eventType, payload), &made)
	return made.ID
}

// open goes to one of the app's pages.
func (o *shop) open(path string) { o.page.Open(o.server.URL + "/app/" + o.app + path) }

// TestBrowserTesting sends a sample as it is and edited, and finds out why a receiver does not take it.
func TestBrowserTesting(t *testing.T) {
	needBrowser(t)
	t.Parallel()
	o := openShop(t)
	p := o.page
	h, _ := o.hook(t, "The till", fields{"retrySchedule": []string{"1h"}})
	h.Answer(kit.OK.WithBody(`{"thanks":true}`), kit.OK, kit.Status(http.StatusInternalServerError).WithBody("the till is jammed"))

	o.open("/testing")
	p.Click("button", "Send")
	p.See(`"thanks": true`)
	p.See("Verifies with the present secret")
	sent := h.Await(t, 1)[0]
	p.See(sent.ID)
	p.See(sent.Header.Get("Webhook-Signature"))
	looks(t, p, "testing-delivered")

	p.Fill("Sample", `{"n": 1.00`)
	p.See("It is not JSON yet")
	p.Fill("Sample", `[1]`)
	p.See("It must be a JSON object")
	const edited = `{"n": 1.00, "by": "hand"}`
	p.Fill("Sample", edited)
	p.See("Edited. It is sent exactly as it stands here")
	p.Click("button", "Send")
	p.See("The answer has no body.")
	if diff := cmp.Diff(edited, string(h.Await(t, 2)[1].Body)); diff != "" {
		t.Errorf("what was edited was not sent as it is (-want +got):\n%s", diff)
	}
	p.Click("button", "Reset sample")
	p.See("As the endpoint gets it.")

	p.Click("button", "Send")
	p.See("The receiver failed while it worked")
	p.See("the till is jammed")
	p.See("It will be tried again")
	p.Click("button", "Stop waiting")
	p.Await("button", "Wait for it")
	p.See("This sitting")
	looks(t, p, "testing-failed")
	p.Click("link", "See it among the deliveries")
	p.AwaitURL("/deliveries/msg_[^/]+/ep_")
	p.See("Next attempt in")
}

// TestBrowserTestingDialects sends each vendor's endpoint a sample, which is in the vendor's words, and one that was edited;
// receivers of package receiver take what comes.
func TestBrowserTestingDialects(t *testing.T) {
	needBrowser(t)
	t.Parallel()
	o, mail := openShop(t), newOffice(t)
	p := o.page
	for _, row := range []struct{ dialect, event, word, said string }{
		{"zuddl", "session.joined", "JOINED_SESSION", `"action": "JOINED_SESSION"`},
		{"sessionboard", "contact.created", "contact.created", `"action": "contact.created"`},
		{"oration", "conference.participant.entered", "conversation.userJoined", `"eventType": "conversation.userJoined"`},
		{"iotum", "conference.started", "conference_start", `"event": "conference_start"`},
	} {
		box := mail.box(t, row.dialect)
		ep := o.endpoint(t, o.app, box, fields{"description": "At " + row.dialect})
		o.open("/testing?endpoint=" + ep + "&event_type=" + row.event)
		if got := p.Value("Sample"); !strings.Contains(got, row.said) {
			t.Errorf("the sample of %s in %s has no %s: %s", row.event, row.dialect, row.said, got)
		}
		p.Click("button", "Send")
		p.See("Verifies with the present secret")
		p.See(row.word + " to At " + row.dialect)
		p.Fill("Sample", strings.Replace(p.Value("Sample"), "{", `{"edited": 1.00,`, 1))
		p.See("Edited. It is sent exactly as it stands here")
		p.Click("button", "Send")
		if got := string(box.await(t, 2)[1].body); !strings.HasPrefix(got, `{"edited": 1.00,`) || !strings.Contains(got, row.said) {
			t.Errorf("what was edited came as %s", got)
		}
	}
}

// TestBrowserPayloadGone looks at deliveries whose payload is gone, one that had succeeded and one that waited for its next
// attempt: what can no longer be shown or sent is said in words, and offered nowhere.
func TestBrowserPayloadGone(t *testing.T) {
	needBrowser(t)
	t.Parallel()
	o := openShop(t)
	p := o.page
	h, ep := o.hook(t, "The till", fields{"retrySchedule": []string{"4s"}})
	h.Answer(kit.OK.WithBody("thanks"), kit.Status(http.StatusInternalServerError))
	done := o.post(t, "order.paid")
	h.Await(t, 1)
	o.open("/deliveries/" + done + "/" + ep)
	p.Await("button", "Resend")
	waiting := o.post(t, "order.sent")
	h.Await(t, 2)
	for _, m := range []string{done, waiting} {
		o.call(t, http.StatusNoContent, http.MethodDelete, "/app/"+o.app+"/msg/"+m+"/content", nil, nil)
	}
	// Who still has the page open is told when they try.
	p.Click("button", "Resend")
	p.Within("dialog", "Resend this delivery?").Click("button", "Resend")
	p.See("Resend: The message's payload is no longer stored")
	p.See("There is no request to show")
	p.See("thanks") // what was answered stays
	p.Click("tab", "Callboard’s payload")
	p.See("The payload is not kept any more")
	looks(t, p, "delivery-payload-gone")
	if disabled := browser.Eval[bool](p, `[...document.querySelectorAll("main button")].find((b) => b.textContent.trim() === "Resend").matches(":disabled, [aria-disabled=true]")`); !disabled {
		t.Error("what cannot be sent can be resent")
	}

	o.open("/deliveries/" + waiting + "/" + ep)
	p.See("It was given up")
	p.See("The payload is not kept any more.")
	p.Gone("recover all that failed")
	if got := len(h.Received()); got != 2 {
		t.Errorf("%d requests came, want the two of before", got)
	}
}

// TestBrowserRecovery finds failed deliveries by a filter that survives a reload, learns why, has the receiver mended, and
// recovers them; by keyboard where there are keys.
func TestBrowserRecovery(t *testing.T) {
	needBrowser(t)
	t.Parallel()
	o := openShop(t)
	p := o.page
	o.hook(t, "The archive", nil)
	h, _ := o.hook(t, "The till", nil)
	h.Answer(kit.Status(http.StatusServiceUnavailable))
	for range 3 {
		o.post(t, "order.paid")
	}
	h.Await(t, 3)

	o.open("/deliveries")
	p.See("3 failed since")
	p.Choose("Status", "Failed")
	p.AwaitURL(`\?status=fail$`)
	p.AwaitCount("link", "order.paid", 3)
	p.Reload()
	p.AwaitCount("link", "order.paid", 3)
	p.See("The receiver is not available")
	looks(t, p, "deliveries-failed")

	p.Press("?")
	p.Within("dialog", "Keys").See("Resend the delivery")
	p.Press("Escape")
	p.AwaitCount("dialog", "Keys", 0)
	p.Press("j", "j", "k", "Enter")
	p.AwaitURL("/deliveries/msg_[^/]+/ep_")
	p.See("It was given up")
	p.See("The receiver is not available")
	looks(t, p, "delivery-failed")
	p.Back()
	p.AwaitCount("link", "order.paid", 3)

	h.Answer(kit.OK)
	p.Press("j", "r")
	p.Within("dialog", "Resend this delivery?").Click("button", "Resend")
	h.Await(t, 4)
	p.Click("button", "Recover …")
	dialog := p.Within("dialog", "Recover The till")
	dialog.See("2 deliveries will be made again")
	p.Axe()
	dialog.Click("button", "Start recovery")
	dialog.See("2 deliveries were queued again")
	h.Await(t, 6)
	dialog.Click("button", "Done")
	p.See("No delivery fits these filters")
	p.Gone("3 failed since")
}

// TestBrowserTail follows deliveries as they happen, holds them back, and resends several at once.
func TestBrowserTail(t *testing.T) {
	needBrowser(t)
	t.Parallel()
	o := openShop(t)
	p := o.page
	h, _ := o.hook(t, "The till", nil)
	o.open("/deliveries")
	p.See("Nothing has been sent yet")
	p.See("Live updates")
	o.post(t, "tail.first")
	p.Await("link", "tail.first")
	p.Click("button", "Pause updates")
	p.See("Updates are paused.")
	o.post(t, "tail.second")
	p.Await("button", "1 new")
	p.AwaitCount("link", "tail.second", 0)
	p.Click("button", "1 new")
	p.Await("link", "tail.second")
	p.Await("button", "Pause updates")

	p.Press("j", "x")
	p.See("1 selected")
	p.Press("j", "x")
	p.See("2 selected")
	o.post(t, "tail.third")
	p.Await("button", "1 new")
	looks(t, p, "deliveries-selected")
	p.Within("group", "Selection").Click("button", "Resend…")
	p.Within("dialog", "Resend 2 deliveries?").Click("button", "Resend 2 deliveries")
	p.See("2 deliveries are on the way again")
	h.Await(t, 5)
}

// TestBrowserCurl runs the command that the page gives, which the receiver must take for the same webhook.
func TestBrowserCurl(t *testing.T) {
	needBrowser(t)
	t.Parallel()
	if _, err := exec.LookPath("curl"); err != nil {
		t.Skip("curl is not installed")
	}
	o := openShop(t)
	p := o.page
	h, ep := o.hook(t, "The till", nil)
	m := o.postPayload(t, "order.paid", `{"text":"it's $(id) \"quoted\" \\ 😀","n":1.00}`)
	h.Await(t, 1)
	o.open("/deliveries/" + m + "/" + ep)
	p.Click("button", "Copy as curl")
	p.Await("button", "Copied")
	if out, err := exec.CommandContext(t.Context(), "sh", "-c", p.Clipboard()).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	got := h.Await(t, 2)
	if diff := cmp.Diff(string(got[0].Body), string(got[1].Body)); diff != "" {
		t.Errorf("body (-delivered +by curl):\n%s", diff)
	}
	if diff := cmp.Diff(got[0].Header.Get("Webhook-Signature"), got[1].Header.Get("Webhook-Signature")); diff != "" {
		t.Errorf("signature (-delivered +by curl):\n%s", diff)
	}
}

// TestBrowserHostileDeliveries shows hostile text wherever receivers and senders may write.
func TestBrowserHostileDeliveries(t *testing.T) {
	needBrowser(t)
	t.Parallel()
	o := openShop(t)
	p := o.page
	answer := browser.HostileWithout("\x00")
	inPayload := without(func(r rune) bool { return r == '"' || r == '\\' || unicode.IsControl(r) })
	inHeader := without(func(r rune) bool { return r < ' ' || r > '~' })[:8]
	headers := map[string]string{}
	for i, text := range inHeader {
		headers[fmt.Sprintf("X-Note-%d", i)] = strings.TrimSpace(text.Text)
	}
	h, ep := o.hook(t, `<b data-xss>"till"</b>`, fields{"headers": headers})
	h.Answer(kit.Status(http.StatusInternalServerError).WithBody(joined(answer)))
	m := o.postPayload(t, "order.paid", `{"text":"`+joined(inPayload)+`"}`)
	h.Await(t, 1)

	o.open("/deliveries?tag=" + `%3Cb%20data-xss%3E&channel=%22%3E%3Cb%3E&event_types=javascript:__xss(1)`)
	p.See("No delivery fits these filters")
	p.Harmless()
	o.open("/deliveries")
	p.See("The receiver failed while it worked")
	p.Harmless()
	o.open("/deliveries/" + m + "/" + ep)
	p.See("The receiver failed while it worked")
	p.Harmless(answer...)
	p.Harmless(inPayload...)
	p.Harmless(inHeader...)
	p.Viewport(400, 800)
	p.Fits()
	p.Viewport(1280, 900)
	p.Click("tab", "Callboard’s payload")
	p.Harmless(inPayload...)
	o.open("/testing?endpoint=" + ep)
	p.Click("button", "Send")
	p.See("The receiver failed while it worked")
	p.Harmless(answer...)
	p.Harmless(inHeader...)
}

// without are the hostile texts that hold none of some characters.
func without(refused func(rune) bool) []browser.Text {
	var out []browser.Text
	for _, text := range browser.Hostile() {
		if !strings.ContainsFunc(text.Text, refused) {
			out = append(out, text)
		}
	}
	return out
}

func joined(texts []browser.Text) string {
	var all []string
	for _, text := range texts {
		all = append(all, text.Text)
	}
	return strings.Join(all, " | ")
}
