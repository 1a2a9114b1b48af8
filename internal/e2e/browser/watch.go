package browser

import (
	"encoding/json"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/chromedp/cdproto/audits"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
)

// maxComplaints bounds what is kept; a page that complains in a loop fails all the same.
const maxComplaints = 50

// watch notes what must not happen in a page. It is safe for concurrent use.
type watch struct {
	mu        sync.Mutex
	noted     []string
	origins   map[string]bool // where requests may go
	tolerated []*regexp.Regexp
	requests  map[network.RequestID]string // addresses, for the message when one fails
}

// see is told every event of the page's, in order.
func (w *watch) see(event any) {
	switch e := event.(type) {
	case *runtime.EventExceptionThrown:
		w.note("uncaught exception: %s", describeException(e.ExceptionDetails))
	case *runtime.EventConsoleAPICalled:
		if e.Type == runtime.ConsoleAPICalledTypeError || e.Type == runtime.ConsoleAPICalledTypeAssert {
			w.note("console.%s: %s", e.Type, describeObjects(e.Args))
		}
	case *runtime.EventBindingCalled:
		if e.Name == alarm {
			w.note("hostile text was run as a script: %s", e.Payload)
		}
	case *log.EventEntryAdded:
		w.entry(e.Entry)
	case *audits.EventIssueAdded:
		w.issue(e.Issue)
	case *page.EventJavascriptDialogOpening:
		if e.Type != page.DialogTypeBeforeunload {
			w.note("a dialog opened: %s %q", e.Type, e.Message)
		}
	case *network.EventRequestWillBeSent:
		w.request(e)
	case *network.EventResponseReceived:
		w.response(e)
	case *network.EventLoadingFailed:
		w.failed(e)
	}
}

// entry judges a line of the browser's own log. What it says of answers and of the policy comes by better ways.
func (w *watch) entry(e *log.Entry) {
	if e.Source == log.EntrySourceNetwork || strings.Contains(e.Text, "Content Security Policy") {
		return
	}
	if e.Level == log.EntryLevelError || e.Level == log.EntryLevelWarning && e.Source == log.EntrySourceSecurity {
		w.note("%s log: %s (%s)", e.Source, e.Text, e.URL)
	}
}

// issue finds violations of the content security policy.
func (w *watch) issue(issue *audits.InspectorIssue) {
	if csp := issue.Details.ContentSecurityPolicyIssueDetails; csp != nil {
		at := ""
		if where := csp.SourceCodeLocation; where != nil {
			at = fmt.Sprintf(" at %s:%d", where.URL, where.LineNumber+1)
		}
		w.note("violation of the content security policy: %s, %s %s%s",
			csp.ViolatedDirective, csp.ContentSecurityPolicyViolationType, csp.BlockedURL, at)
	}
}

// request finds what is sent to somebody else.
func (w *watch) request(e *network.EventRequestWillBeSent) {
	address := e.Request.URL
	u, err := url.Parse(address)
	w.mu.Lock()
	if w.requests == nil {
		w.requests = map[network.RequestID]string{}
	}
	w.requests[e.RequestID] = address
	foreign := err != nil || (u.Scheme == "http" || u.Scheme == "https") && !w.origins[u.Scheme+"://"+u.Host]
	w.mu.Unlock()
	if foreign {
		w.note("a request to a stranger: %s %s", e.Request.Method, abridge(address))
	}
}

// response finds answers that no page should cause: 5xx, and anything but success for a part of the page itself. A 4xx of
// the API is an answer like others, which the page has to deal with.
func (w *watch) response(e *network.EventResponseReceived) {
	status := e.Response.Status
	data := e.Type == network.ResourceTypeXHR || e.Type == network.ResourceTypeFetch || e.Type == network.ResourceTypeEventSource
	if e.Type == network.ResourceTypeOther && strings.HasSuffix(e.Response.URL, "/favicon.ico") {
		return // the browser's own idea, where a page names no icon
	}
	if status >= 500 || status >= 400 && !data {
		w.note("answer %d to %s %s", status, e.Type, abridge(e.Response.URL))
	}
}

// failed finds requests without an answer. Those that the page itself gave up, or left behind, are none.
func (w *watch) failed(e *network.EventLoadingFailed) {
	w.mu.Lock()
	address := w.requests[e.RequestID]
	w.mu.Unlock()
	if e.Canceled || e.ErrorText == "net::ERR_ABORTED" || e.BlockedReason == network.BlockedReasonCsp {
		return
	}
	w.note("no answer to %s %s: %s %s", e.Type, abridge(address), e.ErrorText, e.BlockedReason)
}

func (w *watch) note(format string, args ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.noted) < maxComplaints {
		w.noted = append(w.noted, fmt.Sprintf(format, args...))
	}
}

func (w *watch) allow(origin string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.origins[origin] = true
}

func (w *watch) tolerate(expr *regexp.Regexp) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.tolerated = append(w.tolerated, expr)
}

// adopt takes over what another page may do.
func (w *watch) adopt(other *watch) {
	other.mu.Lock()
	tolerated := slices.Clone(other.tolerated)
	origins := make([]string, 0, len(other.origins))
	for origin := range other.origins {
		origins = append(origins, origin)
	}
	other.mu.Unlock()
	for _, origin := range origins {
		w.allow(origin)
	}
	for _, expr := range tolerated {
		w.tolerate(expr)
	}
}

// complaints are what was noted and is not tolerated.
func (w *watch) complaints() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	var out []string
	for _, text := range w.noted {
		if !slices.ContainsFunc(w.tolerated, func(expr *regexp.Regexp) bool { return expr.MatchString(text) }) {
			out = append(out, text)
		}
	}
	return out
}

func describeException(d *runtime.ExceptionDetails) string {
	text := d.Text
	if d.Exception != nil {
		text += " " + describeObjects([]*runtime.RemoteObject{d.Exception})
	}
	return fmt.Sprintf("%s (%s:%d:%d)", abridge(text), d.URL, d.LineNumber+1, d.ColumnNumber+1)
}

func describeObjects(objects []*runtime.RemoteObject) string {
	words := make([]string, len(objects))
	for i, o := range objects {
		words[i] = o.Description
		var text string
		if words[i] == "" && json.Unmarshal(o.Value, &text) == nil {
			words[i] = text
		} else if words[i] == "" {
			words[i] = string(o.Value)
		}
	}
	return strings.Join(words, " ")
}
