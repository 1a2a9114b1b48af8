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

// TestLooseFrame: of some members any value of the same length will do, wherever they stand.
func TestLooseFrame(t *testing.T) {
	t.Parallel()
	const body = `{"at":"2027","a":{"id":"bench-0000000000000001-0000000000000002","at":"2028"},"id":"x"}`
	frame, err := probe.NewFrame([]byte(body), "", "at", "missing")
	if err != nil {
		t.Fatal(err)
	}
	for text, fits := range map[string]bool{"2029": true, "2 2 ": true, "22222": false} {
		_, _, _, err := frame.Read([]byte(strings.Replace(body, "2028", text, 1)))
		if (err == nil) != fits {
			t.Errorf("%q: %v", text, err)
		}
	}
	if _, _, _, err := frame.Read([]byte(strings.Replace(body, `"x"`, `"y"`, 1))); !errors.Is(err, probe.ErrAltered) {
		t.Errorf("another member altered: %v", err)
	}
	if seq, sent, err := probe.FirstMark([]byte(body)); err != nil || seq != 1 || sent != 2 {
		t.Errorf("FirstMark = %d, %d, %v", seq, sent, err)
	}
	for _, text := range []string{"", "bench-", `{"id":"x"}`} {
		if _, _, err := probe.FirstMark([]byte(text)); !errors.Is(err, probe.ErrAltered) {
			t.Errorf("%q: %v", text, err)
		}
	}
	if got := string(probe.AppendMark([]byte("x"), 0xff, 0x10)); got != "xbench-00000000000000ff-0000000000000010" {
		t.Errorf("AppendMark = %s", got)
	}
}

func TestNewFrameRefuses(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct{ body, own string }{
		"no mark":         {`{"eventId":"evt_1"}`, "eventId"},
		"no id":           {`{"id":"` + probe.Mark + `"}`, "eventId"},
		"an id with mark": {`{"eventId":"` + probe.Mark + `"}`, "eventId"},
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
