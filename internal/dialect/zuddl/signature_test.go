package zuddl_test

import (
	"bytes"
	"net/http"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/callboard/callboard/internal/dialect"
	"github.com/callboard/callboard/internal/dialect/zuddl"
	"github.com/callboard/callboard/internal/testenv"
)

// sign signs a body with an endpoint's secrets.
func sign(t *testing.T, body []byte, secrets ...string) http.Header {
	t.Helper()
	s, err := zuddl.New().NewSigner(secrets)
	if err != nil {
		t.Fatal(err)
	}
	h := http.Header{}
	s.Sign(h, "msg_1", time.Unix(1, 0), body)
	return h
}

// oracle asks another program for the HMAC-SHA256 of a body; it skips the test where
// there is none.
func oracle(t *testing.T, secret string, body []byte) string {
	t.Helper()
	args := []string{"dgst", "-sha256", "-r", "-hmac", secret}
	cmd := exec.CommandContext(t.Context(), testenv.Need(t, "openssl"), args...)
	cmd.Stdin = bytes.NewReader(body)
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	return regexp.MustCompile(`[0-9a-f]{64}`).FindString(string(out))
}

// The signature is the HMAC of the body's bytes under the secret's text, whatever that
// looks like: digits are not decoded.
func TestSignature(t *testing.T) {
	t.Parallel()
	body := []byte(render(t, "session.joined", samples["session.joined"]))
	tests := []struct {
		secret string
		body   []byte
	}{
		{zuddl.New().NewSecret(), body},
		{"p@ss wörd", body},
		{"x", []byte("\x00\xff\n")},
		{strings.Repeat("ab", 128), []byte{}},
	}
	for _, tt := range tests {
		want := oracle(t, tt.secret, tt.body)
		if len(want) != 64 {
			t.Fatal("the other program printed no HMAC")
		}
		got := sign(t, tt.body, tt.secret)
		if len(got) != 1 || len(got["X-Webhook-Signature"]) != 1 || got.Get("X-Webhook-Signature") != "sha256="+want {
			t.Errorf("the headers are %v, not sha256=%s", got, want)
		}
	}
}

// During a grace period the old secret is in force: the header holds one signature.
func TestOldSecretSigns(t *testing.T) {
	t.Parallel()
	body := []byte(`{}`)
	old := sign(t, body, "the old secret").Get("X-Webhook-Signature")
	if got := sign(t, body, "the new secret", "the old secret").Get("X-Webhook-Signature"); got != old {
		t.Errorf("with both it is %s, with the old one %s", got, old)
	}
	if got := sign(t, body, "the new secret").Get("X-Webhook-Signature"); got == old {
		t.Error("the new secret signs like the old one")
	}
	for _, secrets := range [][]string{nil, {""}, {"good", ""}} {
		if _, err := zuddl.New().NewSigner(secrets); err == nil {
			t.Errorf("%d secrets, the oldest empty, make a signer", len(secrets))
		}
	}
	if got := zuddl.New().Secrets(); got != (dialect.Secrets{OneAtATime: true}) {
		t.Errorf("%+v", got)
	}
}

func TestSecrets(t *testing.T) {
	t.Parallel()
	d := zuddl.New()
	made := d.NewSecret()
	if !regexp.MustCompile(`^[0-9a-f]{64}$`).MatchString(made) || made == d.NewSecret() {
		t.Errorf("a secret is %d characters, not 64 digits, or always the same", len(made))
	}
	tests := []struct {
		name, secret     string
		accepted, warned bool
	}{
		{"made", made, true, false},
		{"one character", "x", true, true},
		{"15", strings.Repeat("x", 15), true, true},
		{"16", strings.Repeat("x", 16), true, false},
		{"256", strings.Repeat("é", 256), true, false},
		{"257", strings.Repeat("x", 257), false, false},
		{"none", "", false, true},
		{"inner space", "a secret with spaces", true, false},
		{"newline", "a secret with\na newline", false, false},
		{"tab", "a secret with\ta tab", false, false},
		{"delete", "a secret with \x7f in it", false, false},
		{"C1 control", "a secret with \u0085 in it", false, false},
		{"invisible", "a secret with \u200b in it", false, false},
		{"space that does not break", "a secret with \u00a0 in it", false, false},
		{"no UTF-8", "a secret with \xff in it", false, false},
		{"replacement character", "a secret with \ufffd in it", true, false},
	}
	for _, tt := range tests {
		err := d.CheckSecret(tt.secret)
		if (err == nil) != tt.accepted {
			t.Errorf("%s: %v", tt.name, err)
		}
		if err != nil && tt.secret != "" && strings.Contains(err.Error(), tt.secret) {
			t.Errorf("%s: the error shows the secret", tt.name)
		}
		if warned := d.Advice(tt.secret) != ""; warned != tt.warned {
			t.Errorf("%s: warned of = %v", tt.name, warned)
		}
	}
	if got := d.OwnHeaders(); len(got) != 1 || got[0] != "x-webhook-signature" {
		t.Errorf("its own headers are %v", got)
	}
}
