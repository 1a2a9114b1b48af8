package dialect_test

import (
	"encoding/base64"
	"encoding/hex"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/callboard/callboard/internal/dialect"
	"github.com/callboard/callboard/signature"
)

// TestSecretForm reads the texts of secrets.
func TestSecretForm(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		form        dialect.SecretForm
		secret, key string // key "" = it cannot be read
	}{
		{"", "00ff", "00ff"},
		{dialect.SecretText, "00ff", "00ff"},
		{dialect.SecretText, "", ""},
		{dialect.SecretHex, "00Ff", "\x00\xff"},
		{dialect.SecretHex, "0", ""},
		{dialect.SecretHex, "hush", ""},
		{dialect.SecretHex, "", ""},
		{dialect.SecretBase64, "AP8=", "\x00\xff"},
		{dialect.SecretBase64, "AP8", ""},
		{dialect.SecretBase64, "whsec_AP8=", "\x00\xff"},
		{dialect.SecretBase64, "whsec_", ""},
		{dialect.SecretText, "whsec_AP8=", "whsec_AP8="},
	} {
		key, err := tt.form.Key(tt.secret)
		if key != tt.key || (err == nil) != (tt.key != "") {
			t.Errorf("%s of %q is %q, error %v", tt.form, tt.secret, key, err)
		}
		if err != nil && tt.secret != "" && strings.Contains(err.Error(), tt.secret) {
			t.Errorf("the error tells the secret: %v", err)
		}
	}
}

// TestBodySignature verifies in each scheme, and says of what is wrong why, and what it is.
func TestBodySignature(t *testing.T) {
	t.Parallel()
	const secret, body = "00112233445566778899aabbccddeeff", `{"a": 1}`
	digits := func(secret, body string) string {
		key, err := signature.NewBodyKey(secret, signature.BodyScheme{})
		if err != nil {
			t.Fatal(err)
		}
		return key.Sign([]byte(body))
	}
	base := func(digits string) string {
		raw, err := hex.DecodeString(digits)
		if err != nil {
			t.Fatal(err)
		}
		return base64.StdEncoding.EncodeToString(raw)
	}
	raw, err := hex.DecodeString(secret)
	if err != nil {
		t.Fatal(err)
	}
	own := digits(secret, body)
	for name, tt := range map[string]struct {
		scheme    signature.BodyScheme
		form      dialect.SecretForm
		value     string
		why, hint string // contained in them; both "" = valid
	}{
		"hex":                 {signature.BodyScheme{}, "", own, "", ""},
		"hex in upper case":   {signature.BodyScheme{}, "", strings.ToUpper(own), "", ""},
		"base64":              {signature.BodyScheme{Prefix: "v1=", Encoding: signature.Base64}, "", "v1=" + base(own), "", ""},
		"decoded":             {signature.BodyScheme{}, dialect.SecretHex, digits(string(raw), body), "", ""},
		"nothing":             {signature.BodyScheme{}, "", "", "no header x-sig", ""},
		"another":             {signature.BodyScheme{}, "", strings.Repeat("0", 64), "match", ""},
		"not decoded":         {signature.BodyScheme{}, dialect.SecretHex, own, "match", "the key is the secret's text as it is, and the signature written as documented"},
		"the usual prefix":    {signature.BodyScheme{}, "", "sha256=" + base(own), "characters", "in base64 after the prefix sha256="},
		"no prefix":           {signature.BodyScheme{Prefix: "v1="}, "", own, "begin", "in hexadecimal without the prefix v1="},
		"another prefix":      {signature.BodyScheme{Prefix: "v1="}, "", "v2=" + own, "begin", "in hexadecimal after the prefix v2="},
		"base64url":           {signature.BodyScheme{}, "", strings.NewReplacer("+", "-", "/", "_").Replace(base(own)), "characters", "the signature in x-sig is right, but written in base64url, which"},
		"url, no padding":     {signature.BodyScheme{}, "", strings.TrimRight(strings.NewReplacer("+", "-", "/", "_").Replace(base(own)), "="), "characters", "in base64url without padding, which"},
		"of another body":     {signature.BodyScheme{}, "", digits(secret, `{"a":1}`), "match", "the signature is of the body without space"},
		"of a trimmed secret": {signature.BodyScheme{}, "", digits(strings.TrimSpace("x "), body), "match", "the secret is right without the space"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sig := dialect.BodySignature{Header: "x-sig", Scheme: tt.scheme, Form: tt.form}
			h := http.Header{}
			h.Set("X-Sig", tt.value)
			secrets := []string{"x ", secret}
			if tt.form == dialect.SecretHex {
				secrets = secrets[1:]
			}
			v, err := sig.Verify(secrets, dialect.Request{Header: h, Body: []byte(body)})
			if err != nil {
				t.Fatal(err)
			}
			if v.Valid != (tt.why == "") || !strings.Contains(v.Why, tt.why) || !strings.Contains(v.Hint, tt.hint) || (v.Hint == "") != (tt.hint == "") {
				t.Errorf("%+v", v)
			}
		})
	}
	for _, secrets := range [][]string{nil, {""}, {"no digits"}} {
		sig := dialect.BodySignature{Header: "x-sig", Form: dialect.SecretHex}
		if v, err := sig.Verify(secrets, dialect.Request{Header: http.Header{}}); !errors.Is(err, signature.ErrInvalidKey) || v.Valid {
			t.Errorf("%d secrets: %+v, error %v", len(secrets), v, err)
		}
	}
}
