package signature_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/callboard/callboard/signature"
)

// The standard's own Go library knows v1 only, but it knows it independently
// of us: what either signs, the other must accept.
func TestAgreesWithOfficialLibrary(t *testing.T) {
	t.Parallel()
	bodies := map[string]string{
		"empty":      "",
		"object":     `{"type":"session.joined","timestamp":"2026-01-02T03:04:05.678Z","data":{}}`,
		"not UTF-8":  "\xff\xfe\x00",
		"with dots":  "1614265330.msg.{}",
		"one block":  strings.Repeat("x", 64),
		"many bytes": strings.Repeat("0123456789", 10_000),
	}
	for name, body := range bodies {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			secret := signature.GenerateSecret()
			official := mustOfficial(t, secret)
			now := time.Now()

			want, err := official.Sign("msg_1", now, []byte(body))
			if err != nil {
				t.Fatal(err)
			}
			header := make(http.Header)
			mustSigner(t, signature.GenerateSecret(), secret).SetHeaders(header, "msg_1", now, []byte(body))
			if _, got, _ := strings.Cut(header.Get(signature.HeaderSignature), " "); got != want {
				t.Errorf("we sign (-want +got):\n%s", cmp.Diff(want, got))
			}
			if err := official.Verify([]byte(body), header); err != nil {
				t.Errorf("theirs refuses ours: %v", err)
			}
			header.Set(signature.HeaderSignature, want)
			if _, err := mustVerifier(t, []signature.VerifyKey{secret}).Verify(header, []byte(body)); err != nil {
				t.Errorf("ours refuses theirs: %v", err)
			}
		})
	}
}

func mustOfficial(tb testing.TB, secret signature.Secret) *standardwebhooks.Webhook {
	tb.Helper()
	official, err := standardwebhooks.NewWebhook(secret.Reveal())
	if err != nil {
		tb.Fatal(err)
	}
	return official
}
