package delivery_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/callboard/callboard/internal/delivery"
	"github.com/google/go-cmp/cmp"
)

func TestExplain(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name    string
		attempt delivery.Attempt
		title   string // "" = nothing is to be explained
		says    string // in detail or hint
	}{
		{"success", delivery.Attempt{Success: true, StatusCode: 204}, "", ""},
		{"time-out", delivery.Attempt{Error: "No complete answer within 15s"}, "No complete answer within 15s", "Whether it did its work is not known"},
		{"no host", delivery.Attempt{Error: "The host name does not resolve"}, "The host name does not resolve", "typing error"},
		{
			"policy",
			delivery.Attempt{Error: "Connection refused by this server's network policy: connection refused by policy: the port is on the deny list"},
			"This server may not connect there", "Why: the port is on the deny list.",
		},
		{"expired", delivery.Attempt{Error: "The TLS certificate expired 3 days ago"}, "TLS certificate expired 3 days ago", "Renew"},
		{
			"not yet valid",
			delivery.Attempt{Error: "The TLS certificate is not valid before 2030-01-01T00:00:00Z"},
			"TLS certificate is not valid before 2030-01-01T00:00:00Z", "clock",
		},
		{"not valid", delivery.Attempt{Error: "The TLS certificate is not valid"}, "TLS certificate is not valid", "Replace"},
		{
			"other host",
			delivery.Attempt{Error: "The TLS certificate is for another host name: it names a.example"},
			"TLS certificate is for another host name", "Why: it names a.example.",
		},
		{
			"unrenderable",
			delivery.Attempt{Error: "The payload cannot be rendered in the endpoint's dialect: data.session is missing"},
			"The payload cannot be written in the endpoint's dialect", "Why: data.session is missing.",
		},
		{"unrenderable without a reason", delivery.Attempt{Error: "The payload cannot be rendered in the endpoint's dialect"}, "The payload cannot be written in the endpoint's dialect", "no retry can mend it"},
		{"a text of another release", delivery.Attempt{Error: "Something else"}, "Something else", ""},
		{"no text", delivery.Attempt{}, "The request failed", ""},
		{
			"redirect",
			delivery.Attempt{StatusCode: 301, Error: "The receiver redirects to https://b.example/hook"},
			"The receiver redirects; redirects are not followed (301 Moved Permanently)", "Point the endpoint's URL at https://b.example/hook.",
		},
		{
			"redirect to where is not known",
			delivery.Attempt{StatusCode: 307},
			"The receiver redirects; redirects are not followed (307 Temporary Redirect)", "where the redirect leads",
		},
		{"not modified", delivery.Attempt{StatusCode: 304}, "The receiver says that nothing has changed (304 Not Modified)", "2xx"},
		{"unauthorized", delivery.Attempt{StatusCode: 401}, "The receiver did not accept who sends (401 Unauthorized)", "refused the signature, or it is behind a login"},
		{"gone", delivery.Attempt{StatusCode: 410}, "The receiver says that it is gone for good (410 Gone)", "the endpoint is disabled"},
		{"teapot", delivery.Attempt{StatusCode: 418}, "The receiver refused the request (418 I'm a teapot)", "Its answer may say why"},
		{"a status without a name", delivery.Attempt{StatusCode: 599}, "The receiver reports a failure of its own (599)", "log"},
		{"no status of HTTP's", delivery.Attempt{StatusCode: 999}, "The answer's status is none of HTTP's (999)", "instead of 999"},
		{"web socket", delivery.Attempt{StatusCode: 101}, "The receiver wants to change the protocol (101 Switching Protocols)", "web socket"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			e := delivery.Explain(&tt.attempt)
			if e == nil {
				e = &delivery.Explanation{}
			}
			if diff := cmp.Diff(tt.title, e.Title); diff != "" {
				t.Error(diff)
			}
			if !strings.Contains(e.Detail+" "+e.Hint, tt.says) {
				t.Errorf("does not say %q: %+v", tt.says, e)
			}
		})
	}
}

// TestExplainSaysWhatToDo: whatever the status, a failure has a title with its number and
// a hint, and explaining it twice gives the same.
func TestExplainSaysWhatToDo(t *testing.T) {
	t.Parallel()
	for code := 100; code < 1000; code++ {
		if code >= 200 && code < 300 {
			continue
		}
		a := delivery.Attempt{StatusCode: code}
		e, again := delivery.Explain(&a), delivery.Explain(&a)
		if e.Hint == "" || strings.Count(e.Title, "(") != 1 || !strings.HasSuffix(e.Title, ")") {
			t.Errorf("%d %s: %+v", code, http.StatusText(code), e)
		}
		if diff := cmp.Diff(e, again); diff != "" {
			t.Errorf("%d: %s", code, diff)
		}
	}
}
