package play

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/callboard/callboard/internal/errs"
)

// Bounds of what can be set.
const (
	maxDelay  = 30 * time.Second
	maxAnswer = 16 << 10 // bytes
	maxSecret = 1024     // bytes
	maxGrace  = 7 * 24 * time.Hour
)

// settings are how an inbox answers and what it verifies with.
type settings struct {
	status  int
	delay   time.Duration
	body    string
	dialect string // "" = by what a request looks like
	secret  string // "" = none
	old     string // the secret before
	// oldUntil is the end of what the old secret holds for; zero = it was a wrong one.
	oldUntil time.Time
}

// DefaultBody is what an inbox answers for which nothing else was set.
const DefaultBody = "ok\n"

func defaults() settings { return settings{status: http.StatusOK, body: DefaultBody} }

// Settings are how an inbox answers and what it verifies with, as its viewer sees them.
type Settings struct {
	Status    int     `json:"status" example:"200"`
	DelayMs   int64   `json:"delayMs" doc:"How long an answer waits, in milliseconds."`
	Body      string  `json:"body" doc:"Answers are text/plain, whatever it looks like. Those with status 204, 205 and 304 have none."`
	Dialect   *string `json:"dialect" doc:"Whose signatures are verified; null = by what a request looks like."`
	HasSecret bool    `json:"hasSecret" doc:"Whether signatures are verified."`
}

func (s *settings) show() Settings {
	out := Settings{Status: s.status, DelayMs: s.delay.Milliseconds(), Body: s.body, HasSecret: s.secret != ""}
	if s.dialect != "" {
		out.Dialect = &s.dialect
	}
	return out
}

// Change changes what is not nil.
type Change struct {
	Status  *int
	Delay   *time.Duration
	Body    *string
	Dialect *string // "" = by what a request looks like
	Secret  *string // "" = none
	// Grace is how long the secret before goes on holding beside Secret; nil = it never held.
	Grace *time.Duration
}

// apply gives the settings that a change makes of others, or says which field is wrong.
func (c *Change) apply(s settings, v *verifier) (settings, error) {
	invalid := func(msg, field string) (settings, error) { return s, errs.InvalidField(msg, "body", field) }
	if c.Status != nil {
		if s.status = *c.Status; s.status < 200 || s.status > 599 {
			return invalid("must be 200 to 599", "status")
		}
	}
	if c.Delay != nil {
		if s.delay = *c.Delay; s.delay < 0 || s.delay > maxDelay {
			return invalid("must be 0 to 30000", "delayMs")
		}
	}
	if c.Body != nil {
		if s.body = *c.Body; len(s.body) > maxAnswer || !utf8.ValidString(s.body) {
			return invalid("must be at most 16 KiB of text", "body")
		}
	}
	if c.Dialect != nil {
		if s.dialect = *c.Dialect; s.dialect != "" && !v.knows(s.dialect) {
			return invalid("must be one of "+strings.Join(v.set.Names(), ", "), "dialect")
		}
	}
	if c.Grace != nil && (c.Secret == nil || *c.Secret == "") {
		return invalid("is of no use without the secret that takes the old one's place", "gracePeriodSeconds")
	}
	if c.Grace != nil && (*c.Grace < 0 || *c.Grace > maxGrace) {
		return invalid("must be 0 to 604800", "gracePeriodSeconds")
	}
	if c.Secret != nil && *c.Secret != s.secret {
		s.secret, s.old, s.oldUntil = *c.Secret, s.secret, time.Time{}
		if c.Grace != nil {
			s.oldUntil = time.Now().Add(*c.Grace)
		}
	}
	if err := v.usable(s.dialect, s.secret); err != nil {
		field := "dialect"
		if c.Secret != nil {
			field = "secret"
		}
		return invalid(err.Error(), field)
	}
	return s, nil
}

// usable says why a secret cannot be one of a dialect's.
func (v *verifier) usable(dialect, secret string) error {
	switch {
	case secret == "":
		return nil
	case len(secret) > maxSecret:
		return errors.New("must be at most 1024 bytes")
	case dialect == "":
		return nil // it may be any dialect's
	}
	if err := v.tryKey(dialect, secret); err != nil {
		return fmt.Errorf("the secret cannot be one of %s: %w", dialect, err)
	}
	return nil
}

// Set changes the settings of an inbox, and verifies what it holds anew if they say how. Viewers are told.
func (h *Hub) Set(key string, c Change) (Settings, error) {
	var shown Settings
	var now settings
	var held []*request
	err := h.with(key, func(b *box) error {
		if !b.changes.take(time.Now(), changeRate, changeBurst) {
			return errRate
		}
		changed, err := c.apply(b.settings, h.verifier)
		if err != nil {
			return err
		}
		if b.settings.proof() != changed.proof() {
			held = append(held, b.requests...)
		}
		b.settings, now, shown = changed, changed, changed.show()
		if len(held) == 0 {
			b.changed()
		}
		return nil
	})
	if err != nil || len(held) == 0 {
		return shown, err
	}
	return shown, h.verifyAgain(key, now.proof(), held)
}

// verifyAgain verifies what came before by what was set now.
func (h *Hub) verifyAgain(key string, p proof, held []*request) error {
	verified := make(map[*request]*request, len(held))
	for _, r := range held {
		verified[r] = r.again(h.verifier, p)
	}
	return h.with(key, func(b *box) error {
		if b.settings.proof() != p {
			return nil // another change is at it
		}
		for i, r := range b.requests {
			if again, was := verified[r]; was {
				b.requests[i] = again
			}
		}
		b.changed()
		return nil
	})
}
