package cli

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/callboard/callboard/internal/dialect"
	"github.com/callboard/callboard/internal/dialect/builtin"
)

// verdict is what the endpoint's dialect makes of a webhook.
type verdict struct {
	Verified bool
	Problem  string // why it is not verified, or what is wrong with the body of one that is
	Type     string // what the body calls itself; "" = nothing
	Message  string // id; "" = none
}

// checker verifies one webhook.
type checker func(header http.Header, body []byte) verdict

// secrets is what an endpoint's webhooks are verified with.
type secrets struct {
	text    string
	checker checker
	doubted time.Time // when a webhook last made us ask the server
}

// askAgain is how long the server is not asked again because of webhooks that do not
// verify: they may be strangers'.
const askAgain = 2 * time.Second

// read asks the server for the secret and reports whether it is another one.
func (s *secrets) read(ctx context.Context, l *listening) (changed bool, err error) {
	var out struct {
		Key string `json:"key"`
	}
	if err := l.api.Do(ctx, http.MethodGet, l.path()+"/secret", nil, &out); err != nil {
		return false, err
	}
	if s.text == out.Key && s.checker != nil {
		return false, nil
	}
	made, err := newChecker(l.dialect, out.Key)
	if err != nil {
		return false, fmt.Errorf("the endpoint's secret: %w", err)
	}
	s.text, s.checker = out.Key, made
	return true, nil
}

// check verifies a webhook. One that does not verify may be signed with a secret that
// was rotated meanwhile, so the server is asked, now and then.
func (s *secrets) check(ctx context.Context, l *listening, a *arrival) verdict {
	v := s.checker(a.Headers, a.body)
	if !v.Verified && time.Since(s.doubted) > askAgain {
		s.doubted = time.Now()
		// An error changes nothing: the webhook stays unverified, with its reason.
		if changed, err := s.read(ctx, l); err == nil && changed {
			l.screen.note("the secret was changed: %s", s.text)
			v = s.checker(a.Headers, a.body)
		}
	}
	v.Type = cmp.Or(v.Type, dialect.TypeIn(a.body))
	v.Message = cmp.Or(a.Headers.Get("Webhook-Id"), a.Headers.Get("Svix-Id"), v.Message)
	return v
}

// newChecker makes the checker of a dialect.
func newChecker(name, secret string) (checker, error) {
	d, known := builtin.Dialects(builtin.Config{}).Get(name)
	if !known {
		return nil, fmt.Errorf("there is no dialect %q", name)
	}
	if _, err := d.Verify([]string{secret}, dialect.Request{}); err != nil {
		return nil, err
	}
	return func(header http.Header, body []byte) verdict {
		r := dialect.Request{Header: header, Body: body}
		proof, err := d.Verify([]string{secret}, r)
		switch {
		case err != nil:
			return verdict{Problem: err.Error()}
		case !proof.Valid:
			return verdict{Problem: proof.Problem()}
		}
		v := verdict{Verified: true, Message: proof.ID, Type: dialect.TypeIn(body)}
		activity, err := d.Parse(r)
		var object map[string]json.RawMessage
		switch {
		case err == nil:
			v.Message = cmp.Or(v.Message, activity.ID)
		case name != dialect.Native, json.Unmarshal(body, &object) != nil: // native payloads are any objects
			v.Problem = "the body is not as the dialect has it: " + err.Error()
		}
		return v
	}, nil
}
