package signature_test

import (
	"math"
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/callboard/callboard/signature"
)

// The standard's published vectors: one id, time and body, and a key and the
// signature it makes in each version.
const (
	vectorID   = "msg_p5jXN8AQM9LWM0D4loKWxJek"
	vectorUnix = 1614265330
	vectorBody = `{"test": 2432232314}`

	vectorSecret      = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	vectorSignatureV1 = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="

	vectorSigningKey   = "whsk_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbfVKIDij2HKpMKkioLlX0dRqSKJp4AJ6p9lMicMFs6Kvg=="
	vectorPublicKey    = "whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4="
	vectorSignatureV1a = "v1a,hnO3f9T8Ytu9HwrXslvumlUpqtNVqkhqw/enGzPCXe5BdqzCInXqYXFymVJaA7AZdpXwVLPo3mNl8EM+m7TBAg=="
)

// atAnyTime lets the vectors of 2021 verify today.
var atAnyTime = signature.WithTolerance(math.MaxInt64)

func TestVectorsSign(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		keys []signature.Key
		want string
	}{
		"v1":                {keys: []signature.Key{mustKey(t, vectorSecret)}, want: vectorSignatureV1},
		"v1 without prefix": {keys: []signature.Key{mustKey(t, vectorSecret[len("whsec_"):])}, want: vectorSignatureV1},
		"v1a":               {keys: []signature.Key{mustKey(t, vectorSigningKey)}, want: vectorSignatureV1a},
		"rotation from v1 to v1a": {
			keys: []signature.Key{mustKey(t, vectorSigningKey), mustKey(t, vectorSecret)},
			want: vectorSignatureV1a + " " + vectorSignatureV1,
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			signer := mustSigner(t, test.keys...)
			sentAt := time.Unix(vectorUnix, 999_999_999)
			if diff := cmp.Diff(test.want, signer.Sign(vectorID, sentAt, []byte(vectorBody))); diff != "" {
				t.Errorf("Sign (-want +got):\n%s", diff)
			}
			got := string(signer.Append([]byte("kept "), vectorID, sentAt, []byte(vectorBody)))
			if diff := cmp.Diff("kept "+test.want, got); diff != "" {
				t.Errorf("Append (-want +got):\n%s", diff)
			}
		})
	}
}

func TestVectorsVerify(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ key, signatures string }{
		"v1":                       {key: vectorSecret, signatures: vectorSignatureV1},
		"v1a by the public key":    {key: vectorPublicKey, signatures: vectorSignatureV1a},
		"v1a by the signing key":   {key: vectorSigningKey, signatures: vectorSignatureV1a},
		"v1 in a list of both":     {key: vectorSecret, signatures: vectorSignatureV1a + " " + vectorSignatureV1},
		"v1a in a list of both":    {key: vectorPublicKey, signatures: vectorSignatureV1a + " " + vectorSignatureV1},
		"second of two signatures": {key: vectorSecret, signatures: "v1,ceIjfvXJmL7ghMKO8EW0Fbsjb6Fx0IoTpOvWDGFDFlc= " + vectorSignatureV1},
		"unknown versions around":  {key: vectorSecret, signatures: "v2,abc v10,g0hM9SsE " + vectorSignatureV1 + " v3"},
		"spaces to spare":          {key: vectorSecret, signatures: " " + vectorSignatureV1 + "  "},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			verifier := mustVerifier(t, []signature.VerifyKey{mustVerifyKey(t, test.key)}, atAnyTime)
			want := signature.Verified{ID: vectorID, SentAt: time.Unix(vectorUnix, 0).UTC()}
			for _, family := range []string{"webhook-", "svix-"} {
				got, err := verifier.Verify(vectorHeader(family, test.signatures), []byte(vectorBody))
				if err != nil {
					t.Fatalf("%s*: %v", family, err)
				}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("%s* (-want +got):\n%s", family, diff)
				}
			}
		})
	}
}

// vectorHeader returns the vectors' headers of one family with this list.
func vectorHeader(family, signatures string) http.Header {
	header := make(http.Header)
	header.Set(family+"id", vectorID)
	header.Set(family+"timestamp", "1614265330")
	header.Set(family+"signature", signatures)
	return header
}

func mustKey(tb testing.TB, text string) signature.Key {
	tb.Helper()
	key, err := signature.ParseKey(text)
	if err != nil {
		tb.Fatal(err)
	}
	return key
}

func mustVerifyKey(tb testing.TB, text string) signature.VerifyKey {
	tb.Helper()
	key, err := signature.ParseVerifyKey(text)
	if err != nil {
		tb.Fatal(err)
	}
	return key
}

func mustSigner(tb testing.TB, keys ...signature.Key) *signature.Signer {
	tb.Helper()
	signer, err := signature.NewSigner(keys...)
	if err != nil {
		tb.Fatal(err)
	}
	return signer
}

func mustVerifier(tb testing.TB, keys []signature.VerifyKey, opts ...signature.VerifierOption) *signature.Verifier {
	tb.Helper()
	verifier, err := signature.NewVerifier(keys, opts...)
	if err != nil {
		tb.Fatal(err)
	}
	return verifier
}
