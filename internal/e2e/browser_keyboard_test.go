package e2e_test

import (
	"net/http"
	"testing"

	"github.com/callboard/callboard/internal/e2e/kit"
)

// TestBrowserKeyboardRecover has a delivery made again, and all that failed, without a mouse; where the focus is afterwards
// is where it was. The forms of endpoints are TestBrowserEventPicker's.
func TestBrowserKeyboardRecover(t *testing.T) {
	needBrowser(t)
	t.Parallel()
	o := openShop(t)
	p := o.page
	h, _ := o.hook(t, "The till", nil)
	h.Answer(kit.Status(http.StatusServiceUnavailable))
	for range 3 {
		o.post(t, "order.paid")
	}
	h.Await(t, 3)
	o.open("/deliveries")
	p.See("3 failed since")
	h.Answer(kit.OK)
	p.Press("j", "j", "Enter")
	p.AwaitURL("/deliveries/msg_[^/]+/ep_")
	p.See("It was given up")
	p.TabTo("button", "Resend")
	p.Press("Enter")
	h.Await(t, 4)
	p.Gone("It was given up")
	p.See("Delivered")
	p.AwaitFocus("button", "Resend")
	p.Press("Enter") // what was delivered is asked about
	p.Within("dialog", "Resend this delivery?").See("has got it already")
	p.Press("Escape")
	p.AwaitCount("dialog", "Resend this delivery?", 0)
	p.AwaitFocus("button", "Resend")
	p.Press("Enter")
	p.TabTo("button", "Cancel")
	p.Press("Tab", "Enter")
	h.Await(t, 5)
	p.AwaitCount("dialog", "Resend this delivery?", 0)
	p.AwaitFocus("button", "Resend")

	o.open("/deliveries")
	p.See("2 failed since")
	p.TabTo("button", "Recover The till…")
	p.Press("Enter")
	dialog := p.Within("dialog", "Recover The till")
	dialog.See("2 deliveries will be made again")
	p.Press("Escape")
	p.AwaitCount("dialog", "Recover The till", 0)
	p.AwaitFocus("button", "Recover The till…")
	p.Press("Enter")
	dialog.See("2 deliveries will be made again")
	p.TabTo("button", "Start recovery")
	p.Press("Enter")
	dialog.See("2 deliveries were queued again")
	h.Await(t, 7)
	p.TabTo("button", "Done")
	p.Press("Enter")
	p.AwaitCount("dialog", "Recover The till", 0)
	p.Gone("failed since")
}
