package signature_test

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/callboard/callboard/signature"
)

func encoded(prefix string, size int) string {
	return prefix + base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{0xA7}, size))
}

func TestParseRoundTrip(t *testing.T) {
	t.Parallel()
	reveal := func(key any) string {
		switch key := key.(type) {
		case signature.Secret:
			return key.Reveal()
		case signature.SigningKey:
			return key.Reveal()
		case signature.PublicKey:
			return key.String()
		}
		return fmt.Sprintf("unexpected %T", key)
	}
	tests := map[string]struct{ text, want string }{
		"secret":                       {text: vectorSecret, want: vectorSecret},
		"secret without its prefix":    {text: vectorSecret[len("whsec_"):], want: vectorSecret},
		"shortest secret":              {text: encoded("whsec_", 24), want: encoded("whsec_", 24)},
		"longest secret":               {text: encoded("whsec_", 64), want: encoded("whsec_", 64)},
		"generated secret":             {text: signature.GenerateSecret().Reveal()},
		"signing key":                  {text: vectorSigningKey, want: vectorSigningKey},
		"generated signing key":        {text: signature.GenerateSigningKey().Reveal()},
		"public key":                   {text: vectorPublicKey, want: vectorPublicKey},
		"public key of a signing one":  {text: mustKey(t, vectorSigningKey).(signature.SigningKey).Public().String(), want: vectorPublicKey},
		"64 bytes that are a secret":   {text: encoded("", 64), want: encoded("whsec_", 64)},
		"a secret as long as a public": {text: encoded("", 32), want: encoded("whsec_", 32)},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if test.want == "" {
				test.want = test.text
			}
			if diff := cmp.Diff(test.want, reveal(mustVerifyKey(t, test.text))); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestParseWithoutPrefix(t *testing.T) {
	t.Parallel()
	signingKey, err := signature.ParseSigningKey(strings.TrimPrefix(vectorSigningKey, "whsk_"))
	if err != nil || signingKey.Reveal() != vectorSigningKey {
		t.Errorf("ParseSigningKey without its prefix: %v, want the vector's key", err)
	}
	publicKey, err := signature.ParsePublicKey(strings.TrimPrefix(vectorPublicKey, "whpk_"))
	if err != nil || !publicKey.Equal(signingKey.Public()) {
		t.Errorf("ParsePublicKey without its prefix: %v, want the vector's key", err)
	}
}

// TestParseRefuses also holds every error against the text that caused it: no
// run of eight characters of a key may come back.
func TestParseRefuses(t *testing.T) {
	t.Parallel()
	secret := func(text string) error { _, err := signature.ParseSecret(text); return err }
	signing := func(text string) error { _, err := signature.ParseSigningKey(text); return err }
	public := func(text string) error { _, err := signature.ParsePublicKey(text); return err }
	anyKey := func(text string) error {
		key, err := signature.ParseKey(text)
		if key != nil {
			return fmt.Errorf("key %v beside error %w", key, err)
		}
		return err
	}
	anyVerifyKey := func(text string) error {
		key, err := signature.ParseVerifyKey(text)
		if key != nil {
			return fmt.Errorf("key %v beside error %w", key, err)
		}
		return err
	}
	tests := map[string]struct {
		parse func(string) error
		text  string
		says  string
	}{
		"secret empty":                  {secret, "", "empty"},
		"secret a prefix alone":         {secret, "whsec_", "empty"},
		"secret of 23 bytes":            {secret, encoded("whsec_", 23), "23 bytes, of 24 to 64"},
		"secret of 65 bytes":            {secret, encoded("whsec_", 65), "65 bytes, of 24 to 64"},
		"secret short, without prefix":  {secret, encoded("", 5), "5 bytes"},
		"secret not base64":             {secret, "whsec_not/base64/at*all/not/base64/at*all", "base64"},
		"secret in URL-safe base64":     {secret, "whsec_--__MfKQ9r8GKYqrTwjUPD8ILPZIo2La", "base64"},
		"secret without padding":        {secret, strings.TrimRight(encoded("whsec_", 32), "="), "base64"},
		"secret with a line break":      {secret, vectorSecret + "\n", "base64"},
		"secret with a space":           {secret, vectorSecret + " ", "base64"},
		"secret with its prefix twice":  {secret, "whsec_" + vectorSecret, "base64"},
		"secret that is a signing key":  {secret, vectorSigningKey, "whsk_"},
		"secret that is a public key":   {secret, vectorPublicKey, "whpk_"},
		"signing key empty":             {signing, "whsk_", "empty"},
		"signing key a seed alone":      {signing, encoded("whsk_", 32), "32 bytes, of 64"},
		"signing key of two halves":     {signing, encoded("whsk_", 64), "belong together"},
		"signing key not base64":        {signing, "whsk_???", "base64"},
		"signing key that is a secret":  {signing, vectorSecret, "whsec_"},
		"signing key that is public":    {signing, vectorPublicKey, "whpk_"},
		"public key empty":              {public, "", "empty"},
		"public key of 31 bytes":        {public, encoded("whpk_", 31), "31 bytes, of 32"},
		"public key of zeros":           {public, "whpk_" + strings.Repeat("A", 43) + "=", "zeros"},
		"public key that is private":    {public, vectorSigningKey, "whsk_"},
		"public key that is a secret":   {public, vectorSecret, "whsec_"},
		"any key, empty":                {anyKey, "", "empty"},
		"any key, bad signing key":      {anyKey, "whsk_AAAA", "3 bytes"},
		"any key, public":               {anyKey, vectorPublicKey, "whpk_"},
		"any verify key, empty":         {anyVerifyKey, "", "empty"},
		"any verify key, bad public":    {anyVerifyKey, "whpk_AAAA", "3 bytes"},
		"any verify key, short secret":  {anyVerifyKey, "whsec_AAAA", "3 bytes"},
		"any verify key, bad signing":   {anyVerifyKey, "whsk_AAAA", "3 bytes"},
		"secret with prefix upper case": {secret, "WHSEC_" + vectorSecret[6:], "base64"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := test.parse(test.text)
			if !errors.Is(err, signature.ErrInvalidKey) || !strings.Contains(fmt.Sprint(err), test.says) {
				t.Fatalf("error %v, want ErrInvalidKey that says %q", err, test.says)
			}
			const run = 8
			for i := 0; i+run <= len(test.text); i++ {
				if strings.Contains(err.Error(), test.text[i:i+run]) {
					t.Fatalf("error %q quotes the key", err)
				}
			}
		})
	}
}

func TestNewRefusesEmptyKeys(t *testing.T) {
	t.Parallel()
	good := signature.GenerateSecret()
	keys := map[string][]signature.Key{
		"none":               nil,
		"nil":                {nil},
		"empty secret":       {signature.Secret{}},
		"empty signing key":  {signature.SigningKey{}},
		"empty behind a set": {good, signature.Secret{}},
	}
	for name, keys := range keys {
		if _, err := signature.NewSigner(keys...); !errors.Is(err, signature.ErrInvalidKey) {
			t.Errorf("NewSigner, %s: error %v, want ErrInvalidKey", name, err)
		}
	}
	verifyKeys := map[string][]signature.VerifyKey{
		"none":             nil,
		"nil":              {nil},
		"empty secret":     {signature.Secret{}},
		"empty public key": {good, signature.PublicKey{}},
		"public key of an empty signing key": {
			signature.SigningKey{}.Public(),
		},
	}
	for name, keys := range verifyKeys {
		if _, err := signature.NewVerifier(keys); !errors.Is(err, signature.ErrInvalidKey) {
			t.Errorf("NewVerifier, %s: error %v, want ErrInvalidKey", name, err)
		}
	}
}

func TestNewSecretCopies(t *testing.T) {
	t.Parallel()
	raw := bytes.Repeat([]byte{1}, 24)
	secret, err := signature.NewSecret(raw)
	if err != nil {
		t.Fatal(err)
	}
	before := secret.Reveal()
	raw[0] = 2
	if diff := cmp.Diff(before, secret.Reveal()); diff != "" {
		t.Errorf("changed with the caller's slice (-want +got):\n%s", diff)
	}
}

// TestNewCopiesKeys: a caller's later change of its slice must not put another
// key, or none, into a signer or verifier that is in use.
func TestNewCopiesKeys(t *testing.T) {
	t.Parallel()
	keys := []signature.Key{mustKey(t, vectorSecret)}
	signer := mustSigner(t, keys...)
	verifyKeys := []signature.VerifyKey{keys[0]}
	verifier := mustVerifier(t, verifyKeys, atAnyTime)
	keys[0], verifyKeys[0] = signature.Secret{}, signature.Secret{}
	got := signer.Sign(vectorID, time.Unix(vectorUnix, 0), []byte(vectorBody))
	if diff := cmp.Diff(vectorSignatureV1, got); diff != "" {
		t.Errorf("Sign (-want +got):\n%s", diff)
	}
	if _, err := verifier.Verify(vectorHeader("webhook-", got), []byte(vectorBody)); err != nil {
		t.Error(err)
	}
}

func TestEqual(t *testing.T) {
	t.Parallel()
	parsed := mustKey(t, vectorSecret).(signature.Secret)
	again := mustKey(t, vectorSecret).(signature.Secret)
	if !parsed.Equal(again) || parsed.Equal(signature.GenerateSecret()) ||
		parsed.Equal(signature.Secret{}) || !(signature.Secret{}).Equal(signature.Secret{}) {
		t.Error("Secret.Equal is wrong")
	}
	signing := mustKey(t, vectorSigningKey).(signature.SigningKey)
	signingAgain := mustKey(t, vectorSigningKey).(signature.SigningKey)
	if !signing.Equal(signingAgain) || signing.Equal(signature.GenerateSigningKey()) ||
		(signature.SigningKey{}).Equal(signing) || !(signature.SigningKey{}).Equal(signature.SigningKey{}) {
		t.Error("SigningKey.Equal is wrong")
	}
}

func TestGenerateDiffers(t *testing.T) {
	t.Parallel()
	if signature.GenerateSecret().Equal(signature.GenerateSecret()) {
		t.Error("two generated secrets are the same")
	}
	if signature.GenerateSigningKey().Equal(signature.GenerateSigningKey()) {
		t.Error("two generated signing keys are the same")
	}
	if (signature.Secret{}).Reveal() != "" || (signature.SigningKey{}).Reveal() != "" || (signature.PublicKey{}).String() != "" {
		t.Error("an empty key reveals something")
	}
}

// TestSecretsPrintRedacted tries the ways by which a secret usually escapes,
// and looks for its bytes in hex, decimal, base64 and as they are.
func TestSecretsPrintRedacted(t *testing.T) {
	t.Parallel()
	raw := bytes.Repeat([]byte("\x93SECRETS"), 3)
	secret, err := signature.NewSecret(raw)
	if err != nil {
		t.Fatal(err)
	}
	signingKey := mustKey(t, vectorSigningKey).(signature.SigningKey)
	signingRaw, err := base64.StdEncoding.DecodeString(vectorSigningKey[len("whsk_"):])
	if err != nil {
		t.Fatal(err)
	}
	for name, key := range map[string]struct {
		value signature.Key
		raw   []byte
	}{"secret": {secret, raw}, "signing key": {signingKey, signingRaw}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			signer := mustSigner(t, key.value)
			verifier := mustVerifier(t, []signature.VerifyKey{key.value})
			type holder struct {
				Exported signature.Key
				hidden   signature.Key
			}
			held := holder{Exported: key.value, hidden: key.value}
			var out strings.Builder
			for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%b", "%t", "%o"} {
				direct := fmt.Sprintf(verb, key.value)
				if diff := cmp.Diff("[redacted]", direct); diff != "" {
					t.Errorf("%s (-want +got):\n%s", verb, diff)
				}
				fmt.Fprintf(&out, verb+verb+verb+verb+"\n", held, &held, signer, verifier)
			}
			for _, handler := range []slog.Handler{slog.NewTextHandler(&out, nil), slog.NewJSONHandler(&out, nil)} {
				slog.New(handler).InfoContext(t.Context(), "log", "key", key.value, "held", held, "signer", signer)
			}
			marshalled, err := json.Marshal(held)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(`{"Exported":"[redacted]"}`, string(marshalled)); diff != "" {
				t.Errorf("JSON (-want +got):\n%s", diff)
			}
			for what, leak := range map[string]string{
				"raw":     string(key.raw[:8]),
				"hex":     hex.EncodeToString(key.raw[:4]),
				"HEX":     strings.ToUpper(hex.EncodeToString(key.raw[:4])),
				"decimal": fmt.Sprintf("%d %d %d", key.raw[0], key.raw[1], key.raw[2]),
				"Go":      fmt.Sprintf("%#x, %#x, %#x", key.raw[0], key.raw[1], key.raw[2]),
				"base64":  base64.StdEncoding.EncodeToString(key.raw[:6]),
			} {
				if strings.Contains(out.String(), leak) {
					t.Errorf("printed in %s:\n%s", what, out.String())
				}
			}
		})
	}
}

func TestPublicKeyPrints(t *testing.T) {
	t.Parallel()
	key, err := signature.ParsePublicKey(vectorPublicKey)
	if err != nil {
		t.Fatal(err)
	}
	marshalled, err := json.Marshal(key)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(vectorPublicKey+" \""+vectorPublicKey+"\"", fmt.Sprint(key)+" "+string(marshalled)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
