package receivertest_test

import (
	"io"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/callboard/callboard/receiver/receivertest"
	"github.com/callboard/callboard/signature"
)

const secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

// TestStandardWebhooks checks the request against the standard's vector.
func TestStandardWebhooks(t *testing.T) {
	t.Parallel()
	const body = `{"test": 2432232314}`
	r := receivertest.StandardWebhooks(t, secret, []byte(body),
		receivertest.WithURL("https://example.test/hook"),
		receivertest.WithID("msg_p5jXN8AQM9LWM0D4loKWxJek"),
		receivertest.WithSentAt(time.Unix(1614265330, 0)),
		receivertest.WithSecret("whsk_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbfVKIDij2HKpMKkioLlX0dRqSKJp4AJ6p9lMicMFs6Kvg=="),
	)
	want := http.Header{
		"Content-Type":      {"application/json"},
		"Webhook-Id":        {"msg_p5jXN8AQM9LWM0D4loKWxJek"},
		"Webhook-Timestamp": {"1614265330"},
		"Webhook-Signature": {"v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE= " +
			"v1a,hnO3f9T8Ytu9HwrXslvumlUpqtNVqkhqw/enGzPCXe5BdqzCInXqYXFymVJaA7AZdpXwVLPo3mNl8EM+m7TBAg=="},
	}
	if diff := cmp.Diff(want, r.Header); diff != "" {
		t.Errorf("header (-want +got):\n%s", diff)
	}
	got, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff("POST https://example.test/hook "+body, r.Method+" "+r.URL.String()+" "+string(got)); diff != "" {
		t.Errorf("request (-want +got):\n%s", diff)
	}
}

// TestDefaults: without options each request is a new message, signed now.
func TestDefaults(t *testing.T) {
	t.Parallel()
	key, err := signature.ParseVerifyKey(secret)
	if err != nil {
		t.Fatal(err)
	}
	verifier, err := signature.NewVerifier([]signature.VerifyKey{key}, signature.WithTolerance(time.Minute))
	if err != nil {
		t.Fatal(err)
	}
	ids := make(map[string]bool)
	for range 3 {
		r := receivertest.StandardWebhooks(t, secret, []byte("{}"))
		verified, err := verifier.Verify(r.Header, []byte("{}"))
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(verified.ID, "msg_") || strings.Contains(verified.ID, ".") {
			t.Errorf("id %q, want msg_ and no dot", verified.ID)
		}
		ids[verified.ID] = true
	}
	if len(ids) != 3 {
		t.Errorf("ids %v of three requests, want three", ids)
	}
}

// fatalTB notes what ended the test instead of ending it.
type fatalTB struct {
	testing.TB

	said string
}

func (tb *fatalTB) Fatalf(format string, args ...any) {
	for _, arg := range args {
		if err, is := arg.(error); is {
			tb.said += err.Error()
		}
	}
	tb.said += format
	runtime.Goexit()
}

func TestFatal(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		secret string
		opts   []receivertest.Option
		says   string
	}{
		"empty secret":          {"", nil, "the secret is empty"},
		"public key":            {"whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4=", nil, "whpk_"},
		"second secret invalid": {secret, []receivertest.Option{receivertest.WithSecret("whsec_AAAA")}, "3 bytes"},
		"invalid URL":           {secret, []receivertest.Option{receivertest.WithURL("http://[")}, "parse"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tb := &fatalTB{TB: t}
			ended := make(chan struct{})
			go func() {
				defer close(ended)
				receivertest.StandardWebhooks(tb, test.secret, []byte("{}"), test.opts...)
			}()
			<-ended
			if !strings.Contains(tb.said, test.says) {
				t.Errorf("ended with %q, want it to say %q", tb.said, test.says)
			}
		})
	}
}
