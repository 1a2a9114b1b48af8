package token

import (
	"crypto/rand"
	"strings"
	"time"
)

// Lifetimes of what opens the dashboard.
const (
	// LinkLife is how long a link may be followed. Links end up in histories and chats.
	LinkLife = 15 * time.Minute
	// MaxSession is how long a session lasts at most.
	MaxSession = 7 * 24 * time.Hour
)

// Link makes a link into the dashboard of the server at publicURL. Who follows it gets what c
// says, until c.Expires, but no longer than MaxSession; an app's claims lead to the pages of the
// app. The key stands in the fragment, which browsers send to no server, and works once, within
// LinkLife.
func (a *Authority) Link(publicURL string, c Claims) (string, error) {
	key, err := a.loginKey(c)
	if err != nil {
		return "", err
	}
	path := "/login"
	if c.App != "" {
		path = "/app/" + c.App + path
	}
	return strings.TrimRight(publicURL, "/") + path + "#key=" + key, nil
}

// loginKey mints a key for a session with c's rights.
func (a *Authority) loginKey(c Claims) (string, error) {
	if c.IssuedAt.IsZero() {
		c.IssuedAt = time.Now()
	}
	c.SessionEnds = sessionEnd(c.Expires, c.IssuedAt)
	c.Use, c.ID, c.Expires = LoginUse, rand.Text(), c.IssuedAt.Add(LinkLife)
	return a.Mint(c)
}

// sessionEnd is when a session ends that begins now under a token that expires; zero = never.
func sessionEnd(expires, now time.Time) time.Time {
	if most := now.Add(MaxSession); expires.IsZero() || most.Before(expires) {
		return most
	}
	return expires
}

// VerifyLogin reads a login key, and no other token. That a key opens one session is for the
// caller to see to, by its ID: the text does not do, for one signature can be written in several
// ways.
func (a *Authority) VerifyLogin(key string) (*Claims, error) {
	c, err := a.read(key)
	if err != nil || c.Use != LoginUse || c.ID == "" || c.SessionEnds.IsZero() {
		return nil, ErrInvalid
	}
	return c, nil
}

// ForSession is what a session may do that begins now by the claims of a login key or of an API
// token. It keeps the time of issue: whatever ends the token ends the session.
func (c *Claims) ForSession(now time.Time) Claims {
	s := *c
	s.Expires = sessionEnd(c.Expires, now)
	if c.Use == LoginUse {
		s.Expires = c.SessionEnds
	}
	s.Use, s.ID, s.SessionEnds = "", "", time.Time{}
	return s
}
