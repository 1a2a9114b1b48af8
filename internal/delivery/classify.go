package delivery

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// MaxRetryAfter caps how long a receiver's Retry-After holds its endpoint back.
const MaxRetryAfter = time.Hour

// Answer is what came back from one POST.
type Answer struct {
	StatusCode int         // 0 = no response
	Header     http.Header // of the response; nil without one
	Timeout    bool        // no full answer within the endpoint's timeout
	Err        error       // why there is no response
}

// Verdict is what an answer means.
type Verdict struct {
	Success bool
	// Abort ends the delivery without further attempts.
	Abort bool
	// Disable takes the endpoint out of service.
	Disable bool
	// SlowDown says that the receiver is overloaded: fewer requests at a time.
	SlowDown bool
	// RetryAfter holds the endpoint back from the end of the attempt on; 0 = not
	// asked for, at most MaxRetryAfter.
	RetryAfter time.Duration
}

// Classify reads an answer by the rules of Standard Webhooks 1.0.0: 2xx is
// success; everything else fails, redirects too, which are never followed; 410
// disables the endpoint; 429, 502, 504 and time-outs slow it down; Retry-After
// is honoured. The response header "webhook-delivery" may say "disable" or
// "abort-message" (several values are separated by commas).
func Classify(a Answer, now time.Time) Verdict {
	v := Verdict{Success: a.StatusCode >= 200 && a.StatusCode <= 299}
	switch a.StatusCode {
	case http.StatusGone:
		v.Disable = true
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusGatewayTimeout:
		v.SlowDown = true
	}
	v.SlowDown = v.SlowDown || a.Timeout
	if a.Header == nil {
		return v
	}
	if !v.Success {
		v.RetryAfter = retryAfter(a.Header.Get("Retry-After"), now)
	}
	for wish := range strings.SplitSeq(a.Header.Get("Webhook-Delivery"), ",") {
		switch strings.ToLower(strings.TrimSpace(wish)) {
		case "disable":
			v.Disable = true
		case "abort-message":
			v.Abort = !v.Success
		}
	}
	return v
}

// retryAfter reads the header's two forms, seconds and a date (RFC 9110, 10.2.3).
func retryAfter(text string, now time.Time) time.Duration {
	if text == "" {
		return 0
	}
	if seconds, err := strconv.ParseUint(text, 10, 32); err == nil {
		return min(time.Duration(seconds)*time.Second, MaxRetryAfter)
	}
	if at, err := http.ParseTime(text); err == nil {
		return min(max(at.Sub(now), 0), MaxRetryAfter)
	}
	return 0
}
