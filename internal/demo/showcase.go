package demo

import (
	"context"
	"fmt"
	"net/http"
)

// showcase is an inbox of Play and the endpoint that sends to it: whoever opens its page sees webhooks of a dialect as
// they come. What it gets is nobody's to take, so that it counts apart.
type showcase struct {
	dialect string
	key     string
	shown   int // requests that it holds in the end, of which it forgets older ones
	valid   int // those of them whose signature is right
}

// The bodies of Play's API, as far as the demo has a use for them.
type (
	playOut struct {
		Key      string `json:"key"`
		URL      string `json:"url"`
		Requests []struct {
			Verification struct {
				Verdict string `json:"verdict"`
			} `json:"verification"`
		} `json:"requests"`
	}
	playIn struct {
		Dialect string `json:"dialect"`
		Secret  string `json:"secret"`
	}
)

// verdictValid is the verdict on a right signature.
const verdictValid = "valid"

// exhibit makes a showcase for each dialect.
func (s *stage) exhibit(ctx context.Context) error {
	seen := map[string]bool{}
	for _, t := range s.targets {
		if seen[t.speech.dialect] {
			continue
		}
		seen[t.speech.dialect] = true
		made, err := s.show(ctx, t)
		if err != nil {
			return fmt.Errorf("a page of Play for %s: %w", t.speech.dialect, err)
		}
		s.showcases = append(s.showcases, made)
	}
	return nil
}

// show makes the showcase of a target's dialect.
func (s *stage) show(ctx context.Context, t *target) (*showcase, error) {
	var box playOut
	if err := s.api.post(ctx, "/play", struct{}{}, &box); err != nil {
		return nil, err
	}
	in := endpointIn{URL: box.URL, Description: "Shows on Play what it gets in " + t.speech.dialect, Dialect: t.speech.dialect}
	secret, err := s.secret(ctx, t, &in)
	if err != nil {
		return nil, err
	}
	known := playIn{Dialect: t.speech.dialect, Secret: secret}
	if err := s.api.Do(ctx, http.MethodPatch, "/play/"+box.Key, known, nil); err != nil {
		return nil, err
	}
	return &showcase{dialect: t.speech.dialect, key: box.Key}, s.api.post(ctx, "/app/"+s.app+"/endpoint", in, nil)
}

// inspect counts what the showcases hold.
func (s *stage) inspect(ctx context.Context) error {
	for _, c := range s.showcases {
		var box playOut
		if err := s.api.get(ctx, "/play/"+c.key, &box); err != nil {
			return err
		}
		c.shown, c.valid = len(box.Requests), 0
		for _, r := range box.Requests {
			if r.Verification.Verdict == verdictValid {
				c.valid++
			}
		}
	}
	return nil
}

// page is where people look at a showcase.
func (s *stage) page(c *showcase) string { return s.server.URL() + "/play#" + c.key }
