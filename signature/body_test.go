package signature_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/callboard/callboard/signature"
)

const signedBody = `{"action": "JOINED_SESSION", "name": "Jürgen"}`

var sha256Hex = signature.BodyScheme{Prefix: "sha256="}

// bodyVectors were computed with Python's hmac and with openssl dgst -sha256 -hmac.
var bodyVectors = []struct {
	secret, hex, base64 string
}{
	{
		strings.Repeat("0123456789abcdef", 4),
		"393a2a3727fd18ab7fbd27aa1c224c9b503d2e0de41c31dbf3d667bf637269b9", "OToqNyf9GKt/vSeqHCJMm1A9Lg3kHDHb89Znv2Nyabk=",
	},
	{
		"s3cret würze",
		"1ece59314f43546e14f837af28df424f06ca2b9178259ae1d0e958d9530dc07c", "Hs5ZMU9DVG4U+DevKN9CTwbKK5F4JZrh0OlY2VMNwHw=",
	},
}

func bodyKey(t testing.TB, secret string, scheme signature.BodyScheme) signature.BodyKey {
	t.Helper()
	key, err := signature.NewBodyKey(secret, scheme)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func TestBodyKeyVectors(t *testing.T) {
	t.Parallel()
	for _, v := range bodyVectors {
		for scheme, want := range map[signature.BodyScheme]string{
			sha256Hex:                    "sha256=" + v.hex,
			{}:                           v.hex,
			{Encoding: signature.Base64}: v.base64,
			{Prefix: "hmac ", Encoding: signature.Base64}: "hmac " + v.base64,
		} {
			key := bodyKey(t, v.secret, scheme)
			if got := key.Sign([]byte(signedBody)); got != want {
				t.Errorf("signed %q as %q, want %q", v.secret, got, want)
			}
			if err := key.Verify(want, []byte(signedBody)); err != nil {
				t.Errorf("%q is refused: %v", want, err)
			}
		}
	}
}

func TestBodyKeyVerify(t *testing.T) {
	t.Parallel()
	v := bodyVectors[0]
	key := bodyKey(t, v.secret, sha256Hex)
	for name, tt := range map[string]struct {
		value, body string
		want        error
	}{
		"as it is":        {"sha256=" + v.hex, signedBody, nil},
		"in capitals":     {"sha256=" + strings.ToUpper(v.hex), signedBody, nil},
		"no value":        {"", signedBody, signature.ErrMissingHeader},
		"no prefix":       {v.hex, signedBody, signature.ErrSignatureMalformed},
		"another prefix":  {"sha1=" + v.hex, signedBody, signature.ErrSignatureMalformed},
		"too short":       {"sha256=" + v.hex[1:], signedBody, signature.ErrSignatureMalformed},
		"base64":          {"sha256=" + v.base64, signedBody, signature.ErrSignatureMalformed},
		"one digit":       {"sha256=0" + v.hex[1:], signedBody, signature.ErrNoMatch},
		"another body":    {"sha256=" + v.hex, signedBody + " ", signature.ErrNoMatch},
		"another secret":  {"sha256=" + bodyVectors[1].hex, signedBody, signature.ErrNoMatch},
		"not hexadecimal": {"sha256=" + strings.Repeat("x", 64), signedBody, signature.ErrNoMatch},
	} {
		if err := key.Verify(tt.value, []byte(tt.body)); !errors.Is(err, tt.want) {
			t.Errorf("%s: %v, want %v", name, err, tt.want)
		}
	}
	if err := (signature.BodyKey{}).Verify("sha256="+v.hex, nil); !errors.Is(err, signature.ErrNoMatch) {
		t.Errorf("an empty key: %v", err)
	}
}

func TestBodyKeyRefusesNothingness(t *testing.T) {
	t.Parallel()
	for _, err := range []error{
		second(signature.NewBodyKey("", sha256Hex)),
		second(signature.NewBodyKey("a", signature.BodyScheme{Encoding: 7})),
		second(signature.NewToken("")),
		second(signature.NewToken("a\nb")),
		second(signature.NewToken(" a")),
		second(signature.NewToken("ü")),
	} {
		if !errors.Is(err, signature.ErrInvalidKey) {
			t.Errorf("error %v, want %v", err, signature.ErrInvalidKey)
		}
	}
}

func second[T any](_ T, err error) error { return err }

func TestToken(t *testing.T) {
	t.Parallel()
	token, err := signature.NewToken("a token of iotum's")
	if err != nil {
		t.Fatal(err)
	}
	for value, want := range map[string]error{
		"a token of iotum's":  nil,
		"":                    signature.ErrMissingHeader,
		"a token of iotum":    signature.ErrNoMatch,
		"a token of iotum's ": signature.ErrNoMatch,
		"A token of iotum's":  signature.ErrNoMatch,
	} {
		if err := token.Verify(value); !errors.Is(err, want) {
			t.Errorf("%q: %v, want %v", value, err, want)
		}
	}
	if got := token.Reveal(); got != "a token of iotum's" {
		t.Errorf("reveals %q", got)
	}
	var none signature.Token
	if err := none.Verify("x"); !errors.Is(err, signature.ErrNoMatch) {
		t.Errorf("the zero token verifies: %v", err)
	}
}

// TestBodyKeysDoNotPrint looks for secrets in what fmt and JSON make of them.
func TestBodyKeysDoNotPrint(t *testing.T) {
	t.Parallel()
	token, err := signature.NewToken("sesame")
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range []any{bodyKey(t, "sesame", sha256Hex), token} {
		encoded, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		for _, text := range []string{fmt.Sprint(v), fmt.Sprintf("%+v", v), fmt.Sprintf("%#v", v), fmt.Sprintf("%s", struct{ x any }{v}), string(encoded)} {
			if strings.Contains(text, "sesame") {
				t.Errorf("%T prints %q", v, text)
			}
		}
	}
}

// FuzzBodyKey verifies what it signed and nothing else.
func FuzzBodyKey(f *testing.F) {
	f.Add("secret", "sha256=00", []byte("body"))
	f.Fuzz(func(t *testing.T, secret, value string, body []byte) {
		key, err := signature.NewBodyKey(secret, sha256Hex)
		if err != nil {
			return
		}
		good := key.Sign(body)
		if err := key.Verify(good, body); err != nil {
			t.Errorf("refuses its own signature: %v", err)
		}
		if !strings.EqualFold(value, good) && key.Verify(value, body) == nil {
			t.Errorf("takes %q for %q", value, good)
		}
	})
}
