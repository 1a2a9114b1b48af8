package builtin_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/callboard/callboard/internal/dialect"
)

// TestVerify signs with each dialect's own signer, and tells what is wrong with what is
// not signed so.
func TestVerify(t *testing.T) {
	t.Parallel()
	set := dialects()
	for _, name := range set.Names() {
		d, _ := set.Get(name)
		secret, other := d.NewSecret(), d.NewSecret()
		body := []byte(`{"a": 1}`)
		sign := func(at time.Time, secrets ...string) http.Header {
			signer, err := d.NewSigner(secrets)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			h := http.Header{}
			signer.Sign(h, "msg_1", at, body)
			return h
		}
		verify := func(h http.Header, body string, secrets ...string) dialect.Verdict {
			v, err := d.Verify(secrets, dialect.Request{Header: h, Body: []byte(body)})
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			return v
		}
		now := time.Now()
		if v := verify(sign(now, secret), string(body), other, secret); !v.Valid || v.Why != "" {
			t.Errorf("%s: %+v", name, v)
		}
		if v := verify(sign(now, secret), string(body), other); v.Valid || v.Why == "" {
			t.Errorf("%s, another secret: %+v", name, v)
		}
		if v := verify(http.Header{}, string(body), secret); v.Valid || !strings.Contains(v.Why, "header") {
			t.Errorf("%s, no headers: %+v", name, v)
		}
		if _, err := d.Verify(nil, dialect.Request{Header: sign(now, secret), Body: body}); err == nil {
			t.Errorf("%s verifies without a secret", name)
		}
		if name == "iotum" { // its token says nothing about the body
			continue
		}
		if v := verify(sign(now, secret), string(body)+"\n", secret); v.Valid || !strings.Contains(v.Hint, "without the space") {
			t.Errorf("%s, a newline more: %+v", name, v)
		}
		if v := verify(sign(now, secret), `{ "a": 2 }`, secret); v.Valid || v.Hint != "" {
			t.Errorf("%s, another body: %+v", name, v)
		}
	}
}

// TestVerifyTellsOldFromWrong is about signatures with a time.
func TestVerifyTellsOldFromWrong(t *testing.T) {
	t.Parallel()
	set := dialects()
	for _, name := range []string{dialect.Native, "sessionboard", "oration"} {
		d, _ := set.Get(name)
		secret := d.NewSecret()
		signer, err := d.NewSigner([]string{secret})
		if err != nil {
			t.Fatal(err)
		}
		h := http.Header{}
		signer.Sign(h, "msg_1", time.Now().Add(-time.Hour), []byte(`{}`))
		v, err := d.Verify([]string{secret}, dialect.Request{Header: h, Body: []byte(`{}`)})
		if err != nil || v.Valid || !strings.Contains(v.Why, "too old") || !strings.Contains(v.Hint, "itself is right") {
			t.Errorf("%s: %+v, %v", name, v, err)
		}
	}
}

// TestVerifyKnowsVariants of a signature that the vendor does not document to the end.
func TestVerifyKnowsVariants(t *testing.T) {
	t.Parallel()
	d, _ := dialects().Get("zuddl")
	secret, body := "00112233445566778899aabbccddeeff", []byte(`{"action":"NO_SHOW"}`)
	raw, err := hex.DecodeString(secret)
	if err != nil {
		t.Fatal(err)
	}
	mac := func(key []byte) []byte {
		h := hmac.New(sha256.New, key)
		h.Write(body)
		return h.Sum(nil)
	}
	text, decoded := mac([]byte(secret)), mac(raw)
	for value, want := range map[string]string{
		"sha256=" + hex.EncodeToString(text):                   "",
		hex.EncodeToString(text):                               "without the prefix",
		base64.StdEncoding.EncodeToString(text):                "in base64 without the prefix",
		"sha256=" + base64.StdEncoding.EncodeToString(text):    "in base64 after the prefix",
		"sha256=" + hex.EncodeToString(decoded):                "digits stand for",
		"sha256=" + base64.StdEncoding.EncodeToString(decoded): "digits stand for",
	} {
		h := http.Header{}
		h.Set("X-Webhook-Signature", value)
		v, err := d.Verify([]string{secret}, dialect.Request{Header: h, Body: body})
		if err != nil || v.Valid != (want == "") || !strings.Contains(v.Hint, want) {
			t.Errorf("%s: %+v, %v; the hint is to contain %q", value, v, err, want)
		}
	}
}
