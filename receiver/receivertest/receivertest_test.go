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
		sign   signFunc // StandardWebhooks if nil
	}{
		"empty secret":          {says: "the secret is empty"},
		"public key":            {secret: "whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4=", says: "whpk_"},
		"second secret invalid": {secret: secret, opts: []receivertest.Option{receivertest.WithSecret("whsec_AAAA")}, says: "3 bytes"},
		"invalid URL":           {secret: secret, opts: []receivertest.Option{receivertest.WithURL("http://[")}, says: "parse"},

		"native, empty secret":       {sign: receivertest.Native, says: "the secret is empty"},
		"zuddl, empty secret":        {sign: receivertest.Zuddl, says: "the secret is empty"},
		"zuddl, two secrets":         {sign: receivertest.Zuddl, secret: "a", opts: []receivertest.Option{receivertest.WithSecret("b")}, says: "room for one"},
		"zuddl, invalid URL":         {sign: receivertest.Zuddl, secret: "a", opts: []receivertest.Option{receivertest.WithURL("http://[")}, says: "parse"},
		"sessionboard, empty secret": {sign: receivertest.Sessionboard, says: "the secret is empty"},
		"oration, empty secret":      {sign: receivertest.Oration, says: "the secret is empty"},
		"iotum, empty token":         {sign: receivertest.Iotum, says: "the token is empty"},
		"iotum, token of two lines":  {sign: receivertest.Iotum, secret: "a\nb", says: "no header can carry"},
		"iotum, two tokens":          {sign: receivertest.Iotum, secret: "a", opts: []receivertest.Option{receivertest.WithSecret("b")}, says: "room for one"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if test.sign == nil {
				test.sign = receivertest.StandardWebhooks
			}
			tb := &fatalTB{TB: t}
			ended := make(chan struct{})
			go func() {
				defer close(ended)
				test.sign(tb, test.secret, []byte("{}"), test.opts...)
			}()
			<-ended
			if !strings.Contains(tb.said, test.says) {
				t.Errorf("ended with %q, want it to say %q", tb.said, test.says)
			}
		})
	}
}

type signFunc = func(tb testing.TB, secret string, body []byte, opts ...receivertest.Option) *http.Request

// TestVendors checks the headers of each dialect: Zuddl's against Python's hmac
// and openssl, the others against the standard's vector.
func TestVendors(t *testing.T) {
	t.Parallel()
	const vector = `{"test": 2432232314}`
	standard := []receivertest.Option{
		receivertest.WithID("msg_p5jXN8AQM9LWM0D4loKWxJek"),
		receivertest.WithSentAt(time.Unix(1614265330, 0)),
	}
	alone := []receivertest.Option{receivertest.WithToken("x-access", "sesame")}
	withID := append(alone, receivertest.WithID("msg_1"))
	tests := map[string]struct {
		sign         signFunc
		secret, body string
		opts         []receivertest.Option
		want         http.Header // besides Content-Type
	}{
		"zuddl": {
			receivertest.Zuddl, strings.Repeat("0123456789abcdef", 4), `{"action": "JOINED_SESSION", "name": "Jürgen"}`, standard,
			http.Header{"X-Webhook-Signature": {"sha256=393a2a3727fd18ab7fbd27aa1c224c9b503d2e0de41c31dbf3d667bf637269b9"}},
		},
		"zuddl and a token": {
			receivertest.Zuddl, "s3cret würze", `{"action": "JOINED_SESSION", "name": "Jürgen"}`, alone,
			http.Header{
				"X-Webhook-Signature": {"sha256=1ece59314f43546e14f837af28df424f06ca2b9178259ae1d0e958d9530dc07c"},
				"X-Access":            {"sesame"},
			},
		},
		"sessionboard": {
			receivertest.Sessionboard, secret, vector, standard,
			http.Header{
				"Svix-Id":        {"msg_p5jXN8AQM9LWM0D4loKWxJek"},
				"Svix-Timestamp": {"1614265330"},
				"Svix-Signature": {"v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="},
			},
		},
		"oration": {
			receivertest.Oration, secret, vector, standard,
			http.Header{
				"Webhook-Id":        {"msg_p5jXN8AQM9LWM0D4loKWxJek"},
				"Webhook-Timestamp": {"1614265330"},
				"Webhook-Signature": {"v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="},
			},
		},
		"native": {
			receivertest.Native, secret, vector, standard,
			http.Header{
				"Webhook-Id":        {"msg_p5jXN8AQM9LWM0D4loKWxJek"},
				"Webhook-Timestamp": {"1614265330"},
				"Webhook-Signature": {"v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="},
				"Svix-Id":           {"msg_p5jXN8AQM9LWM0D4loKWxJek"},
				"Svix-Timestamp":    {"1614265330"},
				"Svix-Signature":    {"v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="},
			},
		},
		"iotum":                            {receivertest.Iotum, "a token", "{}", standard, http.Header{"X-Signing-Token": {"a token"}}},
		"token alone":                      {receivertest.Sessionboard, "", "{}", alone, http.Header{"X-Access": {"sesame"}}},
		"token alone, zuddl":               {receivertest.Zuddl, "", "{}", alone, http.Header{"X-Access": {"sesame"}}},
		"token alone, iotum":               {receivertest.Iotum, "", "{}", alone, http.Header{"X-Access": {"sesame"}}},
		"token alone and an id":            {receivertest.Sessionboard, "", "{}", withID, http.Header{"X-Access": {"sesame"}, "Svix-Id": {"msg_1"}}},
		"token alone, native":              {receivertest.Native, "", "{}", alone, http.Header{"X-Access": {"sesame"}}},
		"token alone and an id, native":    {receivertest.Native, "", "{}", withID, http.Header{"X-Access": {"sesame"}, "Webhook-Id": {"msg_1"}, "Svix-Id": {"msg_1"}}},
		"token alone and an id, otherwise": {receivertest.Oration, "", "{}", withID, http.Header{"X-Access": {"sesame"}, "Webhook-Id": {"msg_1"}}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := test.sign(t, test.secret, []byte(test.body), test.opts...)
			test.want.Set("Content-Type", "application/json")
			if diff := cmp.Diff(test.want, r.Header); diff != "" {
				t.Errorf("header (-want +got):\n%s", diff)
			}
			got, err := io.ReadAll(r.Body)
			if err != nil || string(got) != test.body || r.Method != http.MethodPost {
				t.Errorf("%s of %q, error %v", r.Method, got, err)
			}
		})
	}
}
