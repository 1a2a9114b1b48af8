package signature_test

import (
	"bytes"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/callboard/callboard/signature"
)

// FuzzRoundTrip signs whatever comes with two keys and verifies it with either;
// then one bit of the body, anywhere, must spoil it.
func FuzzRoundTrip(f *testing.F) {
	f.Add(vectorID, []byte(vectorBody), uint(3))
	f.Add("", []byte{}, uint(0))
	f.Add("a.b", []byte("1614265330.{}"), uint(77))
	secret, signingKey := mustKey(f, vectorSecret), mustKey(f, vectorSigningKey)
	signer := mustSigner(f, secret, signingKey)
	verifiers := []*signature.Verifier{
		mustVerifier(f, []signature.VerifyKey{secret}),
		mustVerifier(f, []signature.VerifyKey{mustVerifyKey(f, vectorPublicKey)}),
	}
	f.Fuzz(func(t *testing.T, id string, body []byte, bit uint) {
		header := make(http.Header)
		signer.SetHeaders(header, id, time.Now(), body)
		mutated := flip(body, bit)
		for _, verifier := range verifiers {
			verified, err := verifier.Verify(header, body)
			if id == "" {
				wantReason(t, err, signature.ErrMissingHeader)
				continue
			}
			if err != nil || verified.ID != id {
				t.Fatalf("our own signature: %+v, %v", verified, err)
			}
			_, err = verifier.Verify(header, mutated)
			wantReason(t, err, signature.ErrNoMatch)
		}
	})
}

// flip returns a copy of the body with one bit changed, or with a byte if it
// had none.
func flip(body []byte, bit uint) []byte {
	if len(body) == 0 {
		return []byte{byte(bit)}
	}
	mutated := bytes.Clone(body)
	mutated[bit/8%uint(len(body))] ^= 1 << (bit % 8)
	return mutated
}

// FuzzVerify feeds strangers' headers. It must not panic, and what it accepts
// the official library must accept too.
func FuzzVerify(f *testing.F) {
	f.Add(vectorID, "1614265330", vectorSignatureV1, []byte(vectorBody), false)
	f.Add(vectorID, "1614265330", vectorSignatureV1a+" "+vectorSignatureV1, []byte(vectorBody), true)
	f.Add(vectorID, "+1614265330", vectorSignatureV1, []byte(vectorBody), false)
	f.Add("", "-9223372036854775808", "v1, v1 ,v1a v1a,,", []byte(nil), false)
	f.Add("a.1", "253402300799", "v1a,"+strings.Repeat("A", 88), []byte("{}"), true)
	secret := mustKey(f, vectorSecret).(signature.Secret)
	verifier := mustVerifier(f, []signature.VerifyKey{secret}, atAnyTime)
	both := mustVerifier(f, []signature.VerifyKey{secret, mustVerifyKey(f, vectorPublicKey)}, atAnyTime)
	official := mustOfficial(f, secret)
	f.Fuzz(func(t *testing.T, id, timestamp, signatures string, body []byte, svix bool) {
		family := "webhook-"
		if svix {
			family = "svix-"
		}
		header := make(http.Header)
		header.Set(family+"id", id)
		header.Set(family+"timestamp", timestamp)
		header.Set(family+"signature", signatures)

		_, errBoth := both.Verify(header, body)
		_, err := verifier.Verify(header, body)
		if err != nil {
			return
		}
		if errBoth != nil {
			t.Errorf("more keys accept less: %v", errBoth)
		}
		header.Set("webhook-id", id)
		header.Set("webhook-timestamp", timestamp)
		header.Set("webhook-signature", signatures)
		if err := official.VerifyIgnoringTimestamp(body, header); err != nil {
			t.Errorf("accepted, but the official library says: %v", err)
		}
	})
}

// FuzzParse reads strangers' keys: what parses must survive its written form.
func FuzzParse(f *testing.F) {
	for _, text := range []string{vectorSecret, vectorSigningKey, vectorPublicKey, "", "whsec_", "whsec_AAAA", "whsk_whsk_"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		key, err := signature.ParseVerifyKey(text)
		if err != nil {
			return
		}
		switch key := key.(type) {
		case signature.Secret:
			if again := mustKey(t, key.Reveal()); !key.Equal(again.(signature.Secret)) {
				t.Error("secret changed")
			}
		case signature.SigningKey:
			if again := mustKey(t, key.Reveal()); !key.Equal(again.(signature.SigningKey)) {
				t.Error("signing key changed")
			}
		case signature.PublicKey:
			if again := mustVerifyKey(t, key.String()); !key.Equal(again.(signature.PublicKey)) {
				t.Error("public key changed")
			}
		default:
			t.Errorf("unexpected %T", key)
		}
	})
}
