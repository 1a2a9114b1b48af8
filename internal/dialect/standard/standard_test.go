package standard_test

import (
	"errors"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
	svix "github.com/svix/svix-webhooks/go"

	"github.com/callboard/callboard/internal/dialect"
	"github.com/callboard/callboard/internal/dialect/standard"
	"github.com/callboard/callboard/signature"
)

// verifier is what the official libraries have in common.
type verifier interface {
	Verify(body []byte, h http.Header) error
}

// officials are the two libraries, each for the family of names that it began with. Both
// read the other family, too.
func officials(t *testing.T, secret string) map[string]verifier {
	t.Helper()
	s, err := standardwebhooks.NewWebhook(secret)
	if err != nil {
		t.Fatal(err)
	}
	x, err := svix.NewWebhook(secret)
	if err != nil {
		t.Fatal(err)
	}
	return map[string]verifier{"Webhook": s, "Svix": x}
}

// TestNewSigner: the headers have the names that were asked for and no others, and who
// looks for these accepts them, with each of the secrets.
func TestNewSigner(t *testing.T) {
	t.Parallel()
	body := []byte(`{"type":"session.joined","data":{"title":"<é>"}}`)
	for names, want := range map[standard.Names][]string{
		standard.Webhook:                 {"Webhook"},
		standard.Svix:                    {"Svix"},
		standard.Webhook | standard.Svix: {"Svix", "Webhook"},
	} {
		secrets := []string{standard.Keys{}.NewSecret(), standard.Keys{}.NewSecret()}
		signer, err := standard.NewSigner(names, secrets)
		if err != nil {
			t.Fatal(err)
		}
		header := http.Header{"Content-Type": {"application/json"}}
		signer.Sign(header, "msg_1", time.Now(), body)

		wanted := []string{"Content-Type"}
		for _, family := range want {
			wanted = append(wanted, family+"-Id", family+"-Signature", family+"-Timestamp")
		}
		if diff := cmp.Diff(wanted, slices.Sorted(maps.Keys(header))); diff != "" {
			t.Errorf("headers (-want +got):\n%s", diff)
		}
		for _, secret := range secrets {
			all := officials(t, secret)
			for _, family := range want {
				if err := all[family].Verify(body, header); err != nil {
					t.Errorf("the library for %s refuses it: %v", family, err)
				}
				if err := all[family].Verify(append(slices.Clone(body), ' '), header); err == nil {
					t.Errorf("the library for %s accepts another body", family)
				}
			}
		}
	}
}

// TestSharedValues: who adds a value to a header changes no other header.
func TestSharedValues(t *testing.T) {
	t.Parallel()
	signer, err := standard.NewSigner(standard.Webhook|standard.Svix, []string{standard.Keys{}.NewSecret()})
	if err != nil {
		t.Fatal(err)
	}
	header := http.Header{}
	signer.Sign(header, "msg_1", time.Unix(1_777_000_000, 0), nil)
	want := header.Clone()
	want.Add("Svix-Id", "x")
	header.Add("Svix-Id", "x")
	if diff := cmp.Diff(want, header); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if got := header.Get("Webhook-Timestamp"); got != "1777000000" {
		t.Errorf("the timestamp is %s", got)
	}
}

// TestAsymmetric: a secret "whsk_…" signs v1a, which its public key verifies.
func TestAsymmetric(t *testing.T) {
	t.Parallel()
	key := signature.GenerateSigningKey()
	signer, err := standard.NewSigner(standard.Svix, []string{key.Reveal()})
	if err != nil {
		t.Fatal(err)
	}
	r := dialect.Request{Header: http.Header{}, Body: []byte("{}")}
	signer.Sign(r.Header, "msg_1", time.Now(), r.Body)
	if got := r.Header.Get("Svix-Signature"); !strings.HasPrefix(got, "v1a,") {
		t.Errorf("the signature is %s", got)
	}
	v, err := standard.Keys{}.Verify([]string{key.Public().String()}, r)
	if err != nil || !v.Valid || v.ID != "msg_1" {
		t.Errorf("%+v, %v", v, err)
	}
}

// TestSecrets goes through the rules for secrets.
func TestSecrets(t *testing.T) {
	t.Parallel()
	keys := standard.Keys{}
	for secret, fine := range map[string]bool{
		keys.NewSecret(): true,
		strings.TrimPrefix(keys.NewSecret(), "whsec_"): true,
		signature.GenerateSigningKey().Reveal():        true,
		"":                                             false,
		"whsec_":                                       false,
		"whsec_MfKQ9r8GKYqrTwjU":                       false, // 12 bytes
		"whsec_" + strings.Repeat("A", 88):             false, // 66 bytes
		"whsk_" + strings.Repeat("A", 88):              false, // no key of the curve
		"hush, it is a secret":                         false,
	} {
		err := keys.CheckSecret(secret)
		if (err == nil) != fine {
			t.Errorf("%q: error %v", secret, err)
		}
		if err != nil && (len(secret) > 8 && strings.Contains(err.Error(), secret[6:]) || !errors.Is(err, signature.ErrInvalidKey)) {
			t.Errorf("the error tells the secret: %v", err)
		}
		if _, signErr := standard.NewSigner(standard.Svix, []string{secret}); (signErr == nil) != fine {
			t.Errorf("%q: NewSigner says %v", secret, signErr)
		}
		if got := keys.Advice(secret); got != "" {
			t.Errorf("advice on %q: %s", secret, got)
		}
	}
	if one, other := keys.NewSecret(), keys.NewSecret(); one == other {
		t.Error("two secrets are the same")
	}
	if got := keys.Secrets(); got != (dialect.Secrets{}) {
		t.Errorf("secrets are %+v", got)
	}
	if got := keys.OwnHeaders(); got != nil {
		t.Errorf("own headers are %q", got)
	}
	if _, err := standard.NewSigner(standard.Svix, nil); !errors.Is(err, signature.ErrInvalidKey) {
		t.Errorf("without secrets: error %v", err)
	}
}

// TestMessageID: either header names a webhook, and where there is none, its text does.
func TestMessageID(t *testing.T) {
	t.Parallel()
	body := []byte("{}")
	for _, tt := range []struct {
		header http.Header
		want   string
	}{
		{http.Header{"Webhook-Id": {"a"}, "Svix-Id": {"b"}}, "a"},
		{http.Header{"Svix-Id": {"b"}}, "b"},
		{http.Header{"Webhook-Id": {""}}, dialect.HashID(body)},
		{nil, dialect.HashID(body)},
	} {
		if got := standard.MessageID(dialect.Request{Header: tt.header, Body: body}); got != tt.want {
			t.Errorf("of %v it is %s, want %s", tt.header, got, tt.want)
		}
	}
}

// TestMessageIDThatIsSigned: an id that no signature vouches for does not take the place of one that it
// does, or a webhook could be repeated under ever new ids.
func TestMessageIDThatIsSigned(t *testing.T) {
	t.Parallel()
	header := func(pairs ...string) http.Header {
		h := http.Header{}
		for i := 0; i < len(pairs); i += 2 {
			h.Set(pairs[i], pairs[i+1])
		}
		return h
	}
	svix := []string{"svix-id", "signed", "svix-timestamp", "1", "svix-signature", "v1,x"}
	for name, row := range map[string]struct {
		header http.Header
		want   string
	}{
		"one family":              {header(svix...), "signed"},
		"beside a stray id":       {header(append(svix, "webhook-id", "x0")...), "signed"},
		"both families":           {header(append(svix, "webhook-id", "own", "webhook-timestamp", "1", "webhook-signature", "v1,x")...), "own"},
		"without any signature":   {header("svix-id", "alone"), "alone"},
		"without any of them all": {header(), dialect.HashID([]byte("{}"))},
	} {
		if got := standard.MessageID(dialect.Request{Header: row.header, Body: []byte("{}")}); got != row.want {
			t.Errorf("%s: %s, want %s", name, got, row.want)
		}
	}
}
