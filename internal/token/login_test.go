package token_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/callboard/callboard/internal/testenv"
	"github.com/callboard/callboard/internal/token"
)

// key is the key of a link that claims were made into.
func key(t *testing.T, a *token.Authority, c token.Claims) string {
	t.Helper()
	link, err := a.Link("https://hooks.example.com", c)
	if err != nil {
		t.Fatal(err)
	}
	_, key, _ := strings.Cut(link, "#key=")
	return key
}

func TestLink(t *testing.T) {
	t.Parallel()
	a := authority(t, secret)
	for _, tt := range []struct{ url, app, want string }{
		{"https://hooks.example.com", "", "https://hooks.example.com/login#key="},
		{"https://hooks.example.com/", "", "https://hooks.example.com/login#key="},
		{"http://127.0.0.1:8071", app, "http://127.0.0.1:8071/app/" + app + "/login#key="},
	} {
		link, err := a.Link(tt.url, token.Claims{Org: org(), App: tt.app})
		if err != nil || !strings.HasPrefix(link, tt.want) || strings.ContainsAny(strings.TrimPrefix(link, tt.want), "#/&?=+%") {
			t.Errorf("%s for %q: %s, %v", tt.url, tt.app, link, err)
		}
	}
	if _, err := a.Link("https://hooks.example.com", token.Claims{Org: "acme"}); err == nil {
		t.Error("a link for no org")
	}
	if first, second := key(t, a, token.Claims{Org: org()}), key(t, a, token.Claims{Org: org()}); first == second {
		t.Error("two links have one key")
	}
}

// TestSessionOfLink: a session has the rights that the link was made for, for as long as those
// last and no longer than a week from then, however late in its life the link is followed.
func TestSessionOfLink(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := authority(t, secret)
		now := time.Now().Truncate(time.Microsecond).UTC()
		for _, tt := range []struct{ life, want time.Duration }{
			{0, 7 * 24 * time.Hour}, {10 * 365 * 24 * time.Hour, 7 * 24 * time.Hour}, {time.Hour, time.Hour},
		} {
			c := token.Claims{
				Org: org(), App: app, Capabilities: []token.Capability{token.ViewBase}, FeatureFlags: []string{"f"}, ReadOnly: true, Session: "s", IssuedAt: now,
			}
			if tt.life != 0 {
				c.Expires = now.Add(tt.life)
			}
			text := key(t, a, c)
			testenv.Advance(14 * time.Minute)
			read, err := a.VerifyLogin(text)
			if err != nil {
				t.Fatal(err)
			}
			want := c
			want.Expires = now.Add(tt.want)
			if diff := cmp.Diff(want, read.ForSession(time.Now())); diff != "" {
				t.Errorf("life %v (-want +got):\n%s", tt.life, diff)
			}
			testenv.Advance(time.Minute)
			if _, err := a.VerifyLogin(text); err == nil {
				t.Error("a link works after 15 minutes")
			}
			now = time.Now().Truncate(time.Microsecond).UTC()
		}
	})
}

// TestSessionOfToken: a session ends with the token that opened it, or a week after it began.
func TestSessionOfToken(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 5, 4, 3, 2, 1, 0, time.UTC)
	issued := now.Add(-time.Hour)
	for _, tt := range []struct{ expires, want time.Time }{
		{time.Time{}, now.Add(7 * 24 * time.Hour)}, {now.Add(time.Minute), now.Add(time.Minute)}, {now.Add(1000 * time.Hour), now.Add(7 * 24 * time.Hour)},
	} {
		c := token.Claims{Org: org(), IssuedAt: issued, Expires: tt.expires, ReadOnly: true}
		want := c
		want.Expires = tt.want
		if diff := cmp.Diff(want, c.ForSession(now)); diff != "" {
			t.Errorf("a token until %v (-want +got):\n%s", tt.expires, diff)
		}
	}
}

// TestKeyHasOneID: the text of a key can be varied without breaking its signature, and then still
// has the ID by which it is used up.
func TestKeyHasOneID(t *testing.T) {
	t.Parallel()
	a := authority(t, secret)
	text := key(t, a, token.Claims{Org: org()})
	first, err := a.VerifyLogin(text)
	if err != nil {
		t.Fatal(err)
	}
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	end := len(text) - 1
	for _, letter := range alphabet {
		varied := text[:end] + string(letter)
		if c, err := a.VerifyLogin(varied); err == nil && c.ID != first.ID {
			t.Errorf("%q has another ID", letter)
		}
	}
	bare, err := a.Mint(token.Claims{Org: org(), Use: token.LoginUse, SessionEnds: time.Now().Add(time.Hour)})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := a.VerifyLogin(bare); err == nil {
		t.Error("a key without an ID was taken")
	}
}
