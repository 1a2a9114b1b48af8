package delivery

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
)

// Explanation says in plain words why an attempt failed. It repeats nothing of what
// was sent, and of the receiver's words no more than where it redirects to.
type Explanation struct {
	Title  string // what happened, one line
	Detail string // what that means; "" = there is nothing to add
	Hint   string // what may mend it; "" = that is not known
}

// What is kept of an attempt without a usable answer, as Attempt.Error. Explain knows
// these texts again; attempts that are stored have them, so that they must not change.
const (
	TextTimeout        = "No complete answer within " // and how long that is
	TextNoConnection   = "No connection within "      // and how long that is
	TextNoHandshake    = "No TLS handshake within "   // and how long that is
	TextPolicy         = "Connection refused by this server's network policy: "
	TextNoHost         = "The host name does not resolve"
	TextLookup         = "The host name could not be looked up"
	TextRefused        = "Connection refused: nothing listens on that port"
	TextReset          = "The receiver reset the connection"
	TextUnreachable    = "The host cannot be reached"
	TextClosed         = "The receiver closed the connection without an answer"
	TextNotHTTP        = "The receiver's answer is not HTTP"
	TextLongHeaders    = "The answer's headers are larger than 32 KiB"
	TextFailed         = "The request failed"
	TextUnrenderable   = "The payload cannot be rendered in the endpoint's dialect"
	TextInvalidCert    = "The TLS certificate is not valid"
	TextEarlyCert      = "The TLS certificate is not valid before " // and a time
	TextExpiredCert    = "The TLS certificate expired "             // and how long ago
	TextUndatedCert    = "The TLS certificate has expired or is not yet valid"
	TextOtherHost      = "The TLS certificate is for another host name"
	TextUnknownIssuer  = "The TLS certificate is signed by an unknown authority"
	TextNoTLS          = "The port does not speak TLS"
	TextHandshakeAlert = "The receiver refused the TLS handshake"
	TextRedirect       = "The receiver redirects to " // and where
)

// Explain says why an attempt failed: its Success, StatusCode and Error decide. It gives
// nil for a success.
func Explain(a *Attempt) *Explanation {
	switch {
	case a.Success:
		return nil
	case a.StatusCode != 0:
		return explainStatus(a.StatusCode, a.Error)
	}
	for i := range silences {
		if rest, found := strings.CutPrefix(a.Error, silences[i].text); found {
			return silences[i].explain(a.Error, strings.TrimPrefix(rest, ": "))
		}
	}
	if a.Error == "" {
		return &Explanation{Title: TextFailed}
	}
	return &Explanation{Title: a.Error}
}

// silence is a reason why no usable answer came. The text that was kept is the title,
// unless there is a better one.
type silence struct {
	text                string // or its beginning
	title, detail, hint string
	restIsDetail        bool // what follows the text says what exactly is wrong
}

// silences are looked through in order: of two that begin alike the longer one is first.
var silences = [...]silence{
	{
		text:   TextTimeout,
		detail: "The receiver took the connection and did not end its answer in time. Whether it did its work is not known.",
		hint:   "Answer 2xx as soon as the webhook is stored and do the work afterwards; or give the endpoint a longer timeout.",
	},
	{
		text:   TextNoConnection,
		detail: "Nothing answered at the address: a firewall that drops packets looks like this, and a machine that is off.",
		hint:   "See whether the host is up, and whether its firewall lets this server in.",
	},
	{
		text:   TextNoHandshake,
		detail: "The connection was made, but TLS was not agreed on in time.",
		hint:   "See whether the port is the one that serves https, and whether the receiver is overloaded.",
	},
	{
		text:  TextPolicy,
		title: "This server may not connect there", restIsDetail: true,
		hint: "Use an address on the public internet. Who runs the server can admit private ones.",
	},
	{
		text:   TextNoHost,
		detail: "DNS has no address for the host in the endpoint's URL.",
		hint:   "Look for a typing error in the URL. A new name may need some minutes until DNS knows it.",
	},
	{
		text:   TextLookup,
		detail: "DNS gave no answer about the host in the endpoint's URL.",
		hint:   "Mostly this passes; if it does not, see whether the domain's name servers answer.",
	},
	{
		text:  TextRefused,
		title: "Connection refused", detail: "The host is up, but nothing listens on that port.",
		hint: "Start the receiver, or correct the port in the URL.",
	},
	{
		text:   TextReset,
		detail: "The connection was cut off before an answer came. Receivers that crash do so, and proxies and firewalls in front of them.",
		hint:   "Look into the receiver's log, and its proxy's, at the time of the attempt.",
	},
	{
		text:   TextUnreachable,
		detail: "No route leads to the address that the host name has.",
		hint:   "See whether DNS has the right address, also for IPv6, and whether the host is on the network.",
	},
	{
		text:   TextClosed,
		detail: "The receiver took the connection and hung up. A receiver that crashes while it works does so, and one that is being restarted.",
		hint:   "Look into the receiver's log at the time of the attempt.",
	},
	{
		text:   TextNotHTTP,
		detail: "Something listens there that does not speak HTTP, or speaks it only with TLS.",
		hint:   "See whether scheme and port of the URL are those of the receiver.",
	},
	{
		text:   TextLongHeaders,
		detail: "An answer may have 32 KiB of headers; its body may be as long as it likes.",
		hint:   "Answer 2xx without cookies and headers that nobody reads.",
	},
	{
		text:  TextUnrenderable,
		title: "The payload cannot be written in the endpoint's dialect", restIsDetail: true,
		hint: "Nothing was sent, and no retry can mend it: correct the payload and send a new message, or change the endpoint's dialect.",
	},
	{
		text:   TextExpiredCert,
		detail: "So it was at the time of the attempt. Nothing was sent.",
		hint:   "Renew the receiver's certificate, and see why it was not renewed by itself. Then recover what failed.",
	},
	{
		text:   TextEarlyCert,
		detail: "Nothing was sent.",
		hint:   "See whether the clock was right where the certificate was made, or put the previous certificate back.",
	},
	{
		text:   TextUndatedCert,
		detail: "Nothing was sent.",
		hint:   "Renew the receiver's certificate.",
	},
	{
		text:  TextOtherHost,
		title: "TLS certificate is for another host name", restIsDetail: true,
		hint: "Use a host name in the URL that the certificate names, or add the URL's host to the certificate.",
	},
	{
		text:   TextUnknownIssuer,
		detail: "It is self-signed or of a private authority, or the receiver leaves out the intermediate certificates. Nothing was sent.",
		hint:   "Use a certificate of a public authority, and let the receiver send the whole chain.",
	},
	{
		text:   TextInvalidCert,
		detail: "Nothing was sent.",
		hint:   "Replace the receiver's certificate by one that browsers accept for servers.",
	},
	{
		text:   TextNoTLS,
		detail: "The URL says https, and what listens on that port does not answer in TLS.",
		hint:   "Correct the port, or put a proxy that terminates TLS in front of the receiver.",
	},
	{
		text:   TextHandshakeAlert,
		detail: "No TLS version or cipher suits both, or the receiver does not know the host name, or it asks for a client certificate.",
		hint:   "Let the receiver accept TLS 1.2 or newer for that host name, without a client certificate.",
	},
	{
		text:   TextFailed,
		detail: "No answer came, for a reason that is none of the usual ones.",
		hint:   "The server's log may tell more.",
	},
}

// explain makes the explanation of a text that was kept, rest being what follows.
func (s *silence) explain(text, rest string) *Explanation {
	e := &Explanation{Title: s.title, Detail: s.detail, Hint: s.hint}
	if e.Title == "" {
		e.Title = text
		if certificate, found := strings.CutPrefix(text, "The TLS certificate "); found {
			e.Title = "TLS certificate " + certificate
		}
	}
	if s.restIsDetail && rest != "" {
		e.Detail = "Why: " + strings.TrimPrefix(rest, guardSays) + "."
	}
	return e
}

// guardSays begins the guard's own words.
const guardSays = "connection refused by policy: "

// statuses are the answers of which there is more to say than their class.
var statuses = map[int]Explanation{
	http.StatusUnauthorized: {
		Title:  "The receiver did not accept who sends",
		Detail: "Your receiver refused the signature, or it is behind a login.",
		Hint: "Compare the secret that it verifies with to the endpoint's, and verify the body byte for byte as it came. If it stands " +
			"behind a login, exempt the path or give the endpoint a custom header.",
	},
	http.StatusForbidden: {
		Title:  "The receiver forbids the request",
		Detail: "Your receiver refused the signature, or it is behind a login, a firewall or a filter against bots.",
		Hint:   "Compare the secrets, and exempt the path from logins, from checks against cross-site requests and from bot filters.",
	},
	http.StatusNotFound: {
		Title:  "There is nothing at that path",
		Detail: "The host answers, but knows no such path, or hides it from strangers.",
		Hint:   "Compare the path in the endpoint's URL with the receiver's route, letter for letter, a slash at its end included.",
	},
	http.StatusMethodNotAllowed: {
		Title:  "The path does not take POST",
		Detail: "Something is there, but not for POST, which all webhooks are.",
		Hint:   "Let the receiver's route take POST, or correct the path in the URL.",
	},
	http.StatusNotAcceptable: {
		Title:  "The receiver has no answer of an acceptable form",
		Detail: "Callboard accepts any: the receiver insists on a header that says so.",
		Hint:   "Give the endpoint the custom header that the receiver asks for.",
	},
	http.StatusRequestTimeout: {
		Title:  "The receiver waited too long for the request",
		Detail: "It, or a proxy in front of it, gave up reading.",
		Hint:   "Mostly this passes with the next attempt; if not, look into the proxy's limits.",
	},
	http.StatusConflict: {
		Title:  "The receiver reports a conflict",
		Detail: "Often it has the message already and says so as an error.",
		Hint:   "Answer 2xx to a message that was received before: it may come more than once.",
	},
	http.StatusGone: {
		Title:  "The receiver says that it is gone for good",
		Detail: "410 asks for nothing to be sent any more: the endpoint is disabled by it.",
		Hint:   "If the receiver is back, enable the endpoint and recover what failed.",
	},
	http.StatusRequestEntityTooLarge: {
		Title:  "The message is too large for the receiver",
		Detail: "It, or a proxy in front of it, limits the size of requests.",
		Hint:   "Raise the limit (client_max_body_size in nginx, a body parser's limit), or send smaller messages.",
	},
	http.StatusUnsupportedMediaType: {
		Title:  "The receiver does not take JSON there",
		Detail: "Webhooks are sent with the content type application/json.",
		Hint:   "Let the receiver's route read JSON.",
	},
	http.StatusUnprocessableEntity: {
		Title:  "The receiver understood the message and refused it",
		Detail: "Its answer may say which part it does not like.",
		Hint:   "Let the receiver answer 2xx to event types and members that it does not know, and see whether the endpoint has the right dialect.",
	},
	http.StatusTooManyRequests: {
		Title:  "The receiver asks for fewer requests",
		Detail: "Callboard sends fewer at a time, and waits as long as Retry-After says, up to an hour.",
		Hint:   "If it goes on, give the endpoint a throttle that the receiver can bear.",
	},
	http.StatusRequestHeaderFieldsTooLarge: {
		Title:  "The request's headers are too large for the receiver",
		Detail: "It limits the size of headers.",
		Hint:   "Remove custom headers that are not needed.",
	},
	http.StatusBadRequest: {
		Title:  "The receiver could not make sense of the request",
		Detail: "It refused the signature, or did not expect this body. Its answer may say which.",
		Hint:   "Compare the secrets, see whether the endpoint has the dialect that the receiver expects, and read its answer.",
	},
	http.StatusInternalServerError: {
		Title:  "The receiver failed while it worked",
		Detail: "Its code broke on this message, or before it.",
		Hint:   "Look into the receiver's log at the time of the attempt.",
	},
	http.StatusNotImplemented: {
		Title:  "The receiver does not do this",
		Detail: "What answers there does not take POST at all.",
		Hint:   "See whether the URL is that of your receiver.",
	},
	http.StatusBadGateway: {
		Title:  "A proxy answered, the receiver behind it did not",
		Detail: "The receiver is down, or gave the proxy no valid answer.",
		Hint:   "See whether the receiver runs and whether the proxy knows its address. Callboard sends fewer requests at a time until it answers.",
	},
	http.StatusServiceUnavailable: {
		Title:  "The receiver is not available",
		Detail: "It is overloaded, being deployed, or switched off.",
		Hint:   "Mostly this passes by the next attempt. If not, see whether the receiver runs.",
	},
	http.StatusGatewayTimeout: {
		Title:  "A proxy waited in vain for the receiver",
		Detail: "The receiver behind the proxy took too long. Whether it did its work is not known.",
		Hint:   "Answer 2xx as soon as the webhook is stored and do the work afterwards.",
	},
	// What follows is Cloudflare's, https://developers.cloudflare.com/support/troubleshooting/http-status-codes/.
	520: {Title: "Cloudflare got no valid answer from the receiver", Hint: "Look into the receiver's log at the time of the attempt."},
	521: {Title: "The receiver refuses Cloudflare's connections", Hint: "See whether the receiver runs, and lets Cloudflare's addresses in."},
	522: {Title: "Cloudflare cannot connect to the receiver in time", Hint: "See whether the receiver is up, and lets Cloudflare's addresses in."},
	523: {Title: "Cloudflare cannot reach the receiver", Hint: "See whether the address that Cloudflare has of the receiver is right."},
	524: {Title: "Cloudflare waited in vain for the receiver's answer", Hint: "Answer 2xx as soon as the webhook is stored and do the work afterwards."},
	525: {Title: "Cloudflare and the receiver agree on no TLS", Hint: "See whether the receiver serves https with a certificate."},
	526: {Title: "Cloudflare does not accept the receiver's certificate", Hint: "Renew the certificate of the receiver behind Cloudflare."},
	530: {Title: "Cloudflare cannot find the receiver", Hint: "See whether the tunnel, or the DNS entry, of the receiver is there."},
}

// explainStatus explains an answer that is no success. It is named with its number, by
// which people look for it.
func explainStatus(code int, text string) *Explanation {
	e, known := statuses[code]
	if !known {
		e = explainClass(code, text)
	}
	e.Title += " (" + strconv.Itoa(code)
	if name := http.StatusText(code); name != "" {
		e.Title += " " + name
	}
	e.Title += ")"
	return &e
}

// explainClass explains an answer by the first digit of its status.
func explainClass(code int, text string) Explanation {
	switch code / 100 {
	case 1:
		return Explanation{
			Title: "The receiver wants to change the protocol",
			Hint:  "See whether the URL is that of a web socket: webhooks need a route that takes POST.",
		}
	case 3:
		return explainRedirect(code, text)
	case 4:
		return Explanation{
			Title:  "The receiver refused the request",
			Detail: "Its answer may say why.",
			Hint:   "See whether URL, dialect, secret and custom headers are those that it expects.",
		}
	case 5:
		return Explanation{
			Title:  "The receiver reports a failure of its own",
			Detail: "Its answer may say why.",
			Hint:   "Look into the receiver's log at the time of the attempt.",
		}
	}
	return Explanation{
		Title: "The answer's status is none of HTTP's",
		Hint:  fmt.Sprintf("Answer with a status from 200 to 299 instead of %d.", code),
	}
}

// explainRedirect explains an answer that points elsewhere; the text says where, if it
// was kept.
func explainRedirect(code int, text string) Explanation {
	if code == http.StatusNotModified {
		return Explanation{
			Title:  "The receiver says that nothing has changed",
			Detail: "304 is no answer to a POST and counts as a failure.",
			Hint:   "Answer 2xx.",
		}
	}
	e := Explanation{
		Title:  "The receiver redirects; redirects are not followed",
		Detail: "A signed message goes to the address that it was meant for and nowhere else.",
		Hint:   "Point the endpoint's URL at where the redirect leads. If that is a login page, exempt the path from the login.",
	}
	if target, found := strings.CutPrefix(text, TextRedirect); found {
		e.Hint = "Point the endpoint's URL at " + target + ". If that is a login page, exempt the path from the login."
	}
	return e
}
