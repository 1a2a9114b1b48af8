package probe_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/callboard/callboard/bench/internal/probe"
)

func TestMarked(t *testing.T) {
	t.Parallel()
	template, err := probe.Marked([]byte(`{"data":{"id":"` + probe.Mark + `","name":"x"}}`))
	if err != nil {
		t.Fatal(err)
	}
	body := template.Append(nil, 0xabc, 77)
	if want := `{"data":{"id":"bench-0000000000000abc-000000000000004d","name":"x"}}`; string(body) != want {
		t.Errorf("Append = %s, want %s", body, want)
	}
	if seq, sent, err := template.Read(body); err != nil || seq != 0xabc || sent != 77 {
		t.Errorf("Read = %d, %d, %v", seq, sent, err)
	}
	for _, payload := range []string{`{}`, probe.Mark + probe.Mark} {
		if _, err := probe.Marked([]byte(payload)); err == nil {
			t.Errorf("%q was accepted", payload)
		}
	}
}

// webhook is a body with two marks and an id of its own between them.
func webhook(own, mark string) []byte {
	return []byte(`{"id":"` + mark + `","eventId":"` + own + `","url":"https://x/` + mark + `/y"}`)
}

func TestFrame(t *testing.T) {
	t.Parallel()
	const first, second = "bench-0000000000000001-0000000000000002", "bench-00000000000000ff-0000000000000010"
	frame, err := probe.NewFrame(webhook("evt_1", first), "eventId")
	if err != nil {
		t.Fatal(err)
	}
	body := webhook("evt_2", second)
	seq, sent, own, err := frame.Read(body)
	if err != nil || seq != 0xff || sent != 0x10 || string(own) != "evt_2" {
		t.Errorf("Read = %d, %d, %q, %v", seq, sent, own, err)
	}
	ownAt := bytes.Index(body, []byte("evt_2"))
	for i := range body {
		if i >= ownAt && i < ownAt+len("evt_2") {
			continue
		}
		body[i] ^= 0x80
		if _, _, _, err := frame.Read(body); !errors.Is(err, probe.ErrAltered) {
			t.Errorf("byte %d altered: %v", i, err)
		}
		body[i] ^= 0x80
	}
	for name, body := range map[string][]byte{
		"short":           body[:len(body)-1],
		"two messages":    bytes.Replace(body, []byte(second), []byte(first), 1),
		"no mark's place": []byte(strings.Repeat("x", len(body))),
	} {
		if _, _, _, err := frame.Read(body); !errors.Is(err, probe.ErrAltered) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestNewFrameRefuses(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct{ body, own string }{
		"no mark":         {`{"eventId":"evt_1"}`, "eventId"},
		"no id":           {`{"id":"` + probe.Mark + `"}`, "eventId"},
		"an id that ends": {`{"id":"` + probe.Mark + `","eventId":"evt`, "eventId"},
	} {
		if _, err := probe.NewFrame([]byte(tt.body), tt.own); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func TestReadMark(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", probe.Mark + "0", strings.ToUpper(probe.Mark), strings.Replace(probe.Mark, "0-0", "0_0", 1), strings.Replace(probe.Mark, "0", "g", 1)} {
		if _, _, err := probe.ReadMark([]byte(text)); !errors.Is(err, probe.ErrAltered) {
			t.Errorf("%q: %v", text, err)
		}
	}
}
