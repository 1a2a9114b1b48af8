package signature_test

import (
	"errors"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/callboard/callboard/signature"
)

// reasons are all sentinels of Verify; an error must wrap exactly one.
var reasons = []error{
	signature.ErrMissingHeader, signature.ErrTimestampMalformed, signature.ErrTimestampTooOld,
	signature.ErrTimestampTooNew, signature.ErrVersionUnsupported, signature.ErrSignatureMalformed,
	signature.ErrNoMatch,
}

func TestVerifyRefuses(t *testing.T) {
	t.Parallel()
	_, v1, _ := strings.Cut(vectorSignatureV1, ",")
	_, v1a, _ := strings.Cut(vectorSignatureV1a, ",")
	set := func(name, value string) func(http.Header) {
		return func(h http.Header) { h.Set(name, value) }
	}
	tests := map[string]struct {
		key    string // vectorSecret if empty
		change func(http.Header)
		body   string // vectorBody if empty
		want   error
		says   string
	}{
		"id missing":              {change: func(h http.Header) { h.Del("webhook-id") }, want: signature.ErrMissingHeader, says: "webhook-id"},
		"timestamp missing":       {change: func(h http.Header) { h.Del("webhook-timestamp") }, want: signature.ErrMissingHeader, says: "webhook-timestamp"},
		"signature missing":       {change: func(h http.Header) { h.Del("webhook-signature") }, want: signature.ErrMissingHeader, says: "webhook-signature"},
		"id empty":                {change: set("webhook-id", ""), want: signature.ErrMissingHeader, says: "webhook-id"},
		"all missing":             {change: func(h http.Header) { clear(h) }, want: signature.ErrMissingHeader, says: "webhook-id"},
		"one svix header missing": {change: func(h http.Header) { clear(h); h.Set("svix-id", vectorID) }, want: signature.ErrMissingHeader, says: "svix-timestamp"},
		"families mixed": {
			change: func(h http.Header) { h.Del("webhook-id"); h.Set("svix-id", vectorID) },
			want:   signature.ErrMissingHeader, says: "webhook-id",
		},

		"timestamp a word":                  {change: set("webhook-timestamp", "yesterday"), want: signature.ErrTimestampMalformed},
		"timestamp a fraction":              {change: set("webhook-timestamp", "1614265330.5"), want: signature.ErrTimestampMalformed},
		"timestamp with a sign":             {change: set("webhook-timestamp", "+1614265330"), want: signature.ErrTimestampMalformed},
		"timestamp with a leading zero":     {change: set("webhook-timestamp", "01614265330"), want: signature.ErrTimestampMalformed},
		"timestamp negative":                {change: set("webhook-timestamp", "-1614265330"), want: signature.ErrTimestampMalformed},
		"timestamp in milliseconds of 9999": {change: set("webhook-timestamp", "253402300800"), want: signature.ErrTimestampMalformed},
		"timestamp at the end of int64":     {change: set("webhook-timestamp", "9223372036854775807"), want: signature.ErrTimestampMalformed},
		"timestamp beyond int64":            {change: set("webhook-timestamp", "9223372036854775808"), want: signature.ErrTimestampMalformed},

		"signature of another body":       {body: `{"test":2432232314}`, want: signature.ErrNoMatch},
		"signature of another id":         {change: set("webhook-id", vectorID+"x"), want: signature.ErrNoMatch},
		"signature of another time":       {change: set("webhook-timestamp", "1614265331"), want: signature.ErrNoMatch},
		"another signature":               {change: set("webhook-signature", "v1,ceIjfvXJmL7ghMKO8EW0Fbsjb6Fx0IoTpOvWDGFDFlc="), want: signature.ErrNoMatch},
		"another secret":                  {key: "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD", want: signature.ErrNoMatch},
		"dot moved from body to id":       {change: set("webhook-id", vectorID+".1614265330"), body: vectorBody, want: signature.ErrNoMatch},
		"v1a of another body":             {key: vectorPublicKey, change: set("webhook-signature", vectorSignatureV1a), body: "{}", want: signature.ErrNoMatch},
		"v1a another signature":           {key: vectorPublicKey, change: set("webhook-signature", "v1a,"+strings.Repeat("A", 86)+"=="), want: signature.ErrNoMatch},
		"v1a not in base64":               {key: vectorPublicKey, change: set("webhook-signature", "v1a,"+strings.Repeat("!", 88)), want: signature.ErrNoMatch},
		"v1a in another spelling":         {key: vectorPublicKey, change: set("webhook-signature", strings.Replace(vectorSignatureV1a, "Ag==", "Ah==", 1)), want: signature.ErrNoMatch},
		"v1a signature under v1's length": {key: vectorPublicKey, change: set("webhook-signature", "v1a,"+v1), want: signature.ErrSignatureMalformed},

		"bare v1":                    {change: set("webhook-signature", "v1,"), want: signature.ErrSignatureMalformed},
		"bare v1 without comma":      {change: set("webhook-signature", "v1"), want: signature.ErrSignatureMalformed},
		"bare v1a":                   {key: vectorPublicKey, change: set("webhook-signature", "v1a,"), want: signature.ErrSignatureMalformed},
		"v1 cut short":               {change: set("webhook-signature", vectorSignatureV1[:40]), want: signature.ErrSignatureMalformed},
		"v1 with a tail":             {change: set("webhook-signature", vectorSignatureV1+",more"), want: signature.ErrSignatureMalformed},
		"33 signatures":              {change: set("webhook-signature", strings.Repeat("v2,a ", 32)+vectorSignatureV1), want: signature.ErrSignatureMalformed, says: "33"},
		"only unknown versions":      {change: set("webhook-signature", "v2,"+v1+" v10,"+v1), want: signature.ErrVersionUnsupported, says: "v1"},
		"version in upper case":      {change: set("webhook-signature", "V1,"+v1), want: signature.ErrVersionUnsupported},
		"no version":                 {change: set("webhook-signature", v1), want: signature.ErrVersionUnsupported},
		"only v1a for a secret":      {change: set("webhook-signature", vectorSignatureV1a), want: signature.ErrVersionUnsupported},
		"only v1 for a public key":   {key: vectorPublicKey, want: signature.ErrVersionUnsupported, says: "v1a"},
		"v1a's value called v1":      {change: set("webhook-signature", "v1,"+v1a), want: signature.ErrSignatureMalformed},
		"only spaces as a signature": {change: set("webhook-signature", "   "), want: signature.ErrVersionUnsupported},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			key, body := test.key, test.body
			if key == "" {
				key = vectorSecret
			}
			if body == "" {
				body = vectorBody
			}
			header := vectorHeader("webhook-", vectorSignatureV1)
			if test.change != nil {
				test.change(header)
			}
			verifier := mustVerifier(t, []signature.VerifyKey{mustVerifyKey(t, key)}, atAnyTime)
			got, err := verifier.Verify(header, []byte(body))
			wantReason(t, err, test.want)
			if err != nil && !strings.Contains(err.Error(), test.says) {
				t.Errorf("error %q does not say %q", err, test.says)
			}
			if got != (signature.Verified{}) {
				t.Errorf("Verified = %+v beside an error, want it empty", got)
			}
		})
	}
}

func wantReason(t *testing.T, err, want error) {
	t.Helper()
	for _, reason := range reasons {
		if is := errors.Is(err, reason); is != errors.Is(want, reason) {
			t.Errorf("error %v: is %q = %t, want only %v", err, reason, is, want)
		}
	}
}

// TestVerifyTolerance runs in a bubble, where no time passes between signing
// and verifying, so the limits can be hit exactly.
func TestVerifyTolerance(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		offset time.Duration
		opts   []signature.VerifierOption
		want   error
	}{
		"now":                      {},
		"5 min old":                {offset: -5 * time.Minute},
		"5 min early":              {offset: 5 * time.Minute},
		"5 min + 1 s old":          {offset: -5*time.Minute - time.Second, want: signature.ErrTimestampTooOld},
		"5 min + 1 s early":        {offset: 5*time.Minute + time.Second, want: signature.ErrTimestampTooNew},
		"narrower, within":         {offset: -10 * time.Second, opts: within(10 * time.Second)},
		"narrower, too old":        {offset: -11 * time.Second, opts: within(10 * time.Second), want: signature.ErrTimestampTooOld},
		"narrower, too new":        {offset: 11 * time.Second, opts: within(10 * time.Second), want: signature.ErrTimestampTooNew},
		"wider":                    {offset: -time.Hour, opts: within(time.Hour)},
		"wider, too old":           {offset: -time.Hour - time.Second, opts: within(time.Hour), want: signature.ErrTimestampTooOld},
		"recorded 20 years before": {offset: -20 * 365 * 24 * time.Hour, opts: []signature.VerifierOption{atAnyTime}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				secret := signature.GenerateSecret()
				header := make(http.Header)
				mustSigner(t, secret).SetHeaders(header, "msg_1", time.Now().Add(test.offset), []byte("{}"))
				verifier := mustVerifier(t, []signature.VerifyKey{secret}, test.opts...)
				_, err := verifier.Verify(header, []byte("{}"))
				wantReason(t, err, test.want)
			})
		})
	}
}

func within(tolerance time.Duration) []signature.VerifierOption {
	return []signature.VerifierOption{signature.WithTolerance(tolerance)}
}

// TestRotation holds each consumer, before and after it changed its key,
// against each sender, before, during and after the grace period.
func TestRotation(t *testing.T) {
	t.Parallel()
	oldSecret, newSecret := signature.GenerateSecret(), signature.GenerateSecret()
	signingKey := signature.GenerateSigningKey()
	senders := map[string][]signature.Key{
		"old":                  {oldSecret},
		"new":                  {newSecret},
		"grace":                {newSecret, oldSecret},
		"v1a":                  {signingKey},
		"grace to v1a":         {signingKey, oldSecret},
		"grace upon a grace":   {signingKey, newSecret, oldSecret},
		"the same twice":       {oldSecret, oldSecret},
		"two of v1a and an v1": {signature.GenerateSigningKey(), signingKey, newSecret},
	}
	consumers := map[string][]signature.VerifyKey{
		"old":        {oldSecret},
		"new":        {newSecret},
		"public":     {signingKey.Public()},
		"old or new": {oldSecret, newSecret},
		"old or v1a": {oldSecret, signingKey.Public()},
	}
	wants := map[string][]string{ // by sender, the consumers that accept
		"old":                  {"old", "old or new", "old or v1a"},
		"new":                  {"new", "old or new"},
		"grace":                {"new", "old", "old or new", "old or v1a"},
		"v1a":                  {"old or v1a", "public"},
		"grace to v1a":         {"old", "old or new", "old or v1a", "public"},
		"grace upon a grace":   {"new", "old", "old or new", "old or v1a", "public"},
		"the same twice":       {"old", "old or new", "old or v1a"},
		"two of v1a and an v1": {"new", "old or new", "old or v1a", "public"},
	}
	for sender, keys := range senders {
		header := make(http.Header)
		mustSigner(t, keys...).SetHeaders(header, "msg_1", time.Now(), []byte("{}"))
		for consumer, verifyKeys := range consumers {
			_, err := mustVerifier(t, verifyKeys).Verify(header, []byte("{}"))
			if got, want := err == nil, slices.Contains(wants[sender], consumer); got != want {
				t.Errorf("sender %q, consumer %q: accepted = %t, want %t (%v)", sender, consumer, got, want, err)
			}
		}
	}
}

// TestVerifyPrefersWebhookHeaders: a complete webhook-* family decides alone,
// even where the svix-* one would be good.
func TestVerifyPrefersWebhookHeaders(t *testing.T) {
	t.Parallel()
	verifier := mustVerifier(t, []signature.VerifyKey{mustVerifyKey(t, vectorSecret)}, atAnyTime)
	header := vectorHeader("svix-", vectorSignatureV1)
	maps.Copy(header, vectorHeader("webhook-", "v1,"))
	_, err := verifier.Verify(header, []byte(vectorBody))
	wantReason(t, err, signature.ErrSignatureMalformed)

	header.Del(signature.HeaderTimestamp)
	if _, err := verifier.Verify(header, []byte(vectorBody)); err != nil {
		t.Errorf("with the webhook-* family incomplete: %v, want the svix-* one to count", err)
	}
}

func TestNewVerifierRefuses(t *testing.T) {
	t.Parallel()
	for _, tolerance := range []time.Duration{0, -time.Second} {
		_, err := signature.NewVerifier([]signature.VerifyKey{signature.GenerateSecret()}, signature.WithTolerance(tolerance))
		if err == nil || !strings.Contains(err.Error(), "tolerance") {
			t.Errorf("tolerance %s: error %v, want one that names it", tolerance, err)
		}
	}
}

// TestConcurrentUse shares one signer and one verifier among many goroutines;
// the race detector and the vectors judge.
func TestConcurrentUse(t *testing.T) {
	t.Parallel()
	signer := mustSigner(t, mustKey(t, vectorSecret), mustKey(t, vectorSigningKey))
	verifier := mustVerifier(t, []signature.VerifyKey{mustVerifyKey(t, vectorSecret), mustVerifyKey(t, vectorPublicKey)}, atAnyTime)
	want := vectorSignatureV1 + " " + vectorSignatureV1a
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			for range 50 {
				got := signer.Sign(vectorID, time.Unix(vectorUnix, 0), []byte(vectorBody))
				if got != want {
					t.Errorf("Sign = %q, want %q", got, want)
				}
				if _, err := verifier.Verify(vectorHeader("webhook-", got), []byte(vectorBody)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
}

// TestVerifyAsOf judges webhooks that were kept by the time at which they came.
func TestVerifyAsOf(t *testing.T) {
	t.Parallel()
	key, err := signature.ParseSecret(vectorSecret)
	if err != nil {
		t.Fatal(err)
	}
	header := http.Header{"Webhook-Id": {vectorID}, "Webhook-Timestamp": {"1614265330"}, "Webhook-Signature": {vectorSignatureV1}}
	sent := time.Unix(1614265330, 0)
	for _, row := range []struct {
		late time.Duration
		want error
	}{
		{0, nil},
		{5 * time.Minute, nil},
		{5*time.Minute + time.Second, signature.ErrTimestampTooOld},
		{-5 * time.Minute, nil},
		{-5*time.Minute - time.Second, signature.ErrTimestampTooNew},
	} {
		v, err := signature.NewVerifier([]signature.VerifyKey{key}, signature.WithTime(sent.Add(row.late)))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := v.Verify(header, []byte(vectorBody)); !errors.Is(err, row.want) {
			t.Errorf("%s later: error %v, want %v", row.late, err, row.want)
		}
	}
}
