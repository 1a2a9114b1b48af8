package probe_test

import (
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/callboard/callboard/bench/internal/probe"
)

func TestTemplateRoundTrip(t *testing.T) {
	t.Parallel()
	for _, size := range []int{probe.MinPayloadBytes, 200, 600, 20_000} {
		template, err := probe.NewTemplate(size)
		if err != nil {
			t.Fatal(err)
		}
		body := template.Append([]byte("kept"), 0xabcdef, 1_700_000_000_123_456_789)[len("kept"):]
		if len(body) != size {
			t.Errorf("size %d: got %d bytes", size, len(body))
		}
		if !json.Valid(body) {
			t.Errorf("size %d: not JSON: %s", size, body)
		}
		seq, sent, err := template.Read(body)
		if err != nil || seq != 0xabcdef || sent != 1_700_000_000_123_456_789 {
			t.Errorf("size %d: Read = %#x, %d, %v", size, seq, sent, err)
		}
	}
}

func TestTemplateTooSmall(t *testing.T) {
	t.Parallel()
	if _, err := probe.NewTemplate(probe.MinPayloadBytes - 1); err == nil {
		t.Error("a payload without room for its stamps was accepted")
	}
}

// TestReadNoticesEveryByte flips each byte in turn: outside the stamps the template must notice, and inside them a digit
// that is no hex digit must be noticed too.
func TestReadNoticesEveryByte(t *testing.T) {
	t.Parallel()
	template, err := probe.NewTemplate(600)
	if err != nil {
		t.Fatal(err)
	}
	body := template.Append(nil, 7, 8)
	for i := range body {
		body[i] ^= 0x80
		if _, _, err := template.Read(body); !errors.Is(err, probe.ErrAltered) {
			t.Errorf("byte %d altered: err = %v, want ErrAltered", i, err)
		}
		body[i] ^= 0x80
	}
	if _, _, err := template.Read(body[:599]); !errors.Is(err, probe.ErrAltered) {
		t.Errorf("truncated: err = %v, want ErrAltered", err)
	}
}

// TestSignVector is the v1 vector of Standard Webhooks.
func TestSignVector(t *testing.T) {
	t.Parallel()
	signer, err := probe.NewSigner("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
	if err != nil {
		t.Fatal(err)
	}
	want := "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
	for range 2 { // Twice: the signer's state must not leak from one signature into the next.
		got := signer.Sign("msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", []byte(`{"test": 2432232314}`))
		if got != want {
			t.Errorf("Sign = %s, want %s", got, want)
		}
	}
}

func TestVerify(t *testing.T) {
	t.Parallel()
	signer, err := probe.NewSigner(probe.NewSecret())
	if err != nil {
		t.Fatal(err)
	}
	const id, at = "msg_1", "1614265330"
	body := []byte(`{}`)
	good := signer.Sign(id, at, body)
	sent := time.Unix(1614265330, 0)
	tests := []struct {
		name              string
		id, at, signature string
		body              string
		now               time.Time
		ok                bool
	}{
		{"good", id, at, good, "{}", sent, true},
		{"second of two", id, at, "v1,AAAA " + good, "{}", sent, true},
		{"5 minutes old", id, at, good, "{}", sent.Add(probe.Tolerance), true},
		{"too old", id, at, good, "{}", sent.Add(probe.Tolerance + time.Second), false},
		{"too early", id, at, good, "{}", sent.Add(-probe.Tolerance - time.Second), false},
		{"no id", "", at, good, "{}", sent, false},
		{"no timestamp", id, "", good, "{}", sent, false},
		{"no signature", id, at, "", "{}", sent, false},
		{"bare version", id, at, "v1,", "{}", sent, false},
		{"other version", id, at, "v2" + good[2:], "{}", sent, false},
		{"other body", id, at, good, "[]", sent, false},
		{"other id", "msg_2", at, good, "{}", sent, false},
		{"timestamp is no number", id, "now", good, "{}", sent, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := signer.Verify(tt.id, tt.at, tt.signature, []byte(tt.body), tt.now)
			if (err == nil) != tt.ok {
				t.Errorf("Verify = %v, want ok %v", err, tt.ok)
			}
		})
	}
}

func TestNewSignerRefuses(t *testing.T) {
	t.Parallel()
	for _, secret := range []string{"", "whsec_", "whsec_!"} {
		if _, err := probe.NewSigner(secret); err == nil {
			t.Errorf("secret %q was accepted", secret)
		}
	}
}
