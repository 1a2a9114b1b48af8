package sink_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/callboard/callboard/bench/internal/accepted"
	"github.com/callboard/callboard/bench/internal/probe"
	"github.com/callboard/callboard/bench/internal/sink"
)

// vendorCase is a webhook of each dialect with the least in it.
type vendorCase struct {
	dialect, word, secret string
	body                  string // with MARK and OWN
	sign                  func(h http.Header, secret, id, body string)
	named                 bool // the message's id is in a header
}

func vendorCases() []vendorCase {
	standard := func(family string) func(h http.Header, secret, id, body string) {
		return func(h http.Header, secret, id, body string) {
			signer, err := probe.NewSigner(secret)
			if err != nil {
				panic(err)
			}
			at := strconv.FormatInt(time.Now().Unix(), 10)
			h.Set(family+"-Id", id)
			h.Set(family+"-Timestamp", at)
			h.Set(family+"-Signature", signer.Sign(id, at, []byte(body)))
		}
	}
	mac := func(h http.Header, secret, _, body string) {
		m := hmac.New(sha256.New, []byte(secret))
		m.Write([]byte(body))
		h.Set("X-Webhook-Signature", "sha256="+hex.EncodeToString(m.Sum(nil)))
	}
	token := func(h http.Header, secret, _, _ string) { h.Set("X-Signing-Token", secret) }
	return []vendorCase{
		{"zuddl", "JOINED_SESSION", "a key as shown", `{"action":"JOINED_SESSION","actionId":"OWN","registration":{"id":"MARK"}}`, mac, false},
		{"sessionboard", "contact.updated", probe.NewSecret(), `{"data":{"id":"MARK"},"metadata":{"action":"contact.updated","resource_url":"https://x/MARK"}}`, standard("Svix"), true},
		{"oration", "conversation.userJoined", probe.NewSecret(), `{"eventId":"evt_OWN","eventType":"conversation.userJoined","payload":{"id":"MARK"}}`, standard("Webhook"), true},
		{"iotum", "enter_conference", "a token", `{"event":"enter_conference","payload":"{\"participant_id\":\"MARK\"}","timestamp":"2027-06-09T15:03:18.000Z"}`, token, false},
	}
}

// vendorSink has the case's endpoint alone, every signature verified.
func vendorSink(t *testing.T, c vendorCase) *sink.Sink {
	t.Helper()
	s, err := sink.New(sink.Config{PayloadBytes: size, VerifyEvery: 1, Slots: []sink.Slot{{Secret: c.secret, Stride: 1, Dialect: c.dialect, Word: c.word}}})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// webhook is message seq as it should be, or with a part of its body replaced before it is signed.
func (c vendorCase) webhook(t *testing.T, seq int, own string, replace ...string) *http.Request {
	t.Helper()
	mark := fmt.Sprintf("bench-%016x-%016x", seq, time.Now().UnixNano())
	body := strings.NewReplacer("MARK", mark, "OWN", own).Replace(c.body)
	body = strings.NewReplacer(replace...).Replace(body)
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, sink.PathPrefix+"0", strings.NewReader(body))
	c.sign(r.Header, c.secret, "msg_"+own, body)
	return r
}

func status(s *sink.Sink, r *http.Request) int {
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	return w.Code
}

func TestVendors(t *testing.T) {
	t.Parallel()
	for _, c := range vendorCases() {
		t.Run(c.dialect, func(t *testing.T) {
			t.Parallel()
			s := vendorSink(t, c)
			// Messages 0 and 1 arrive, the latter twice; 2 is lost, and 3 came though nobody knows that it was accepted.
			for _, d := range []struct {
				seq int
				own string
			}{{0, "a"}, {1, "b"}, {1, "b"}, {3, "d"}} {
				if got := status(s, c.webhook(t, d.seq, d.own)); got != http.StatusNoContent {
					t.Fatalf("message %d: status %d", d.seq, got)
				}
			}
			path := filepath.Join(t.TempDir(), "accepted")
			table := accepted.Table{IDs: []uint64{probe.HashID("msg_a"), probe.HashID("msg_x"), probe.HashID("msg_c")}}
			if err := table.Write(path); err != nil {
				t.Fatal(err)
			}
			got, err := s.Report(sink.Query{Slots: []int{0}, To: 4, Accepted: path})
			if err != nil {
				t.Fatal(err)
			}
			lost := uint64(1)
			if c.named {
				lost = 2 // Message 1 came under another id than the API answered with.
			}
			if got.Delivered != 3 || got.Repeated != 1 || got.Lost != lost || got.Unacknowledged != 1 || got.Verified != 4 || got.Faults != 0 {
				t.Errorf("%+v", got)
			}
		})
	}
}

func TestVendorFaults(t *testing.T) {
	t.Parallel()
	for _, c := range vendorCases() {
		other := c
		if other.secret = "another"; c.named {
			other.secret = probe.NewSecret()
		}
		tests := map[string]*http.Request{
			"a signature of another secret": other.webhook(t, 1, "b"),
			"another word":                  c.webhook(t, 1, "b", c.word, strings.ToLower(c.word[:len(c.word)-1])+"X"),
			"another body":                  c.webhook(t, 1, "b", `":"`, `": "`),
			"no stamp":                      c.webhook(t, 1, "b", "bench-", "other-"),
			"no JSON":                       c.webhook(t, 1, "b", `{`, `[`),
		}
		if c.named {
			nameless := c.webhook(t, 1, "b")
			nameless.Header.Del("Svix-Id")
			nameless.Header.Del(probe.HeaderID)
			tests["no id"] = nameless
		}
		if c.dialect == "oration" {
			tests["two ids"] = c.webhook(t, 1, "b", "evt_b", "evt_c")
		}
		if c.dialect != "iotum" {
			tests["a message under a second id"] = c.webhook(t, 0, "z")
		}
		for name, r := range tests {
			t.Run(c.dialect+"/"+name, func(t *testing.T) {
				s := vendorSink(t, c)
				if got := status(s, c.webhook(t, 0, "a")); got != http.StatusNoContent {
					t.Fatalf("the first: status %d", got)
				}
				if got := status(s, r); got != http.StatusBadRequest {
					t.Errorf("status %d, want 400", got)
				}
				if report, err := s.Report(sink.Query{}); err != nil || report.Faults != 1 {
					t.Errorf("%+v, %v", report, err)
				}
			})
		}
	}
}

// TestFirstWebhook: what is wrong with the very first, which no frame can tell, its JSON does.
func TestFirstWebhook(t *testing.T) {
	t.Parallel()
	for _, c := range vendorCases() {
		s := vendorSink(t, c)
		for _, replace := range [][]string{
			{c.word, "something.else"}, {"bench-", "other-"}, {`"id"`, `"no_id"`, `participant_id`, `no_id`}, {`{`, `[`},
		} {
			if got := status(s, c.webhook(t, 0, "a", replace...)); got != http.StatusBadRequest {
				t.Errorf("%s with %q: status %d", c.dialect, replace, got)
			}
		}
		if got := status(s, c.webhook(t, 0, "a")); got != http.StatusNoContent {
			t.Errorf("%s: what is wrong became the frame: status %d", c.dialect, got)
		}
	}
}

// TestMarkedPayload: a native endpoint gets the sample as it was posted.
func TestMarkedPayload(t *testing.T) {
	t.Parallel()
	secret := probe.NewSecret()
	sample := []byte(`{"data":{"id":"` + probe.Mark + `"}}`)
	s, err := sink.New(sink.Config{PayloadBytes: size, VerifyEvery: 1, Slots: []sink.Slot{{Secret: secret, Stride: 1, Payload: sample}}})
	if err != nil {
		t.Fatal(err)
	}
	c := vendorCase{body: `{"data":{"id":"MARK"}}`, secret: secret, sign: vendorCases()[2].sign}
	if got := status(s, c.webhook(t, 0, "a")); got != http.StatusNoContent {
		t.Errorf("status %d", got)
	}
	if got := status(s, c.webhook(t, 1, "b", "data", "date")); got != http.StatusBadRequest {
		t.Errorf("altered: status %d", got)
	}
}

// TestLive: what live state says in native differs from message to message in times, and from session to session in more.
func TestLive(t *testing.T) {
	t.Parallel()
	const first, second = "2027-06-09T15:03:18.000Z", "2027-06-09T15:03:19.500Z"
	body := func(session string) string {
		return `{"type":"session.joined","timestamp":"` + first + `","data":{"session":{"id":"` + session + `"},"registration":{"id":"MARK","updatedAt":"` + first + `"}}}`
	}
	for dialect, lost := range map[string]uint64{sink.Live: 2, sink.TimeSpent: 1} { // Of time spent nobody knows the ids.
		c := vendorCase{dialect: dialect, word: "session.joined", secret: probe.NewSecret(), sign: vendorCases()[2].sign}
		s, err := sink.New(sink.Config{PayloadBytes: size, VerifyEvery: 1, Slots: []sink.Slot{
			{Secret: c.secret, Stride: 1, Dialect: dialect, Word: c.word, Frames: 2},
		}})
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range []struct {
			seq     int
			session string
			own     string
			status  int
		}{
			{0, "even", "a", http.StatusNoContent},
			{1, "other", "b", http.StatusNoContent},
			{3, "other", "d", http.StatusNoContent},
			{3, "other", "d", http.StatusNoContent},
			{3, "other", "e", http.StatusBadRequest}, // told twice
			{5, "even", "f", http.StatusBadRequest},  // of another session
		} {
			c.body = body(d.session)
			if got := status(s, c.webhook(t, d.seq, d.own, first, second)); got != d.status {
				t.Fatalf("%s: message %d: status %d, want %d", dialect, d.seq, got, d.status)
			}
		}
		path := filepath.Join(t.TempDir(), "accepted")
		table := accepted.Table{IDs: []uint64{probe.HashID("msg_a"), probe.HashID("msg_x"), probe.HashID("msg_c"), probe.HashID("msg_d")}}
		if err := table.Write(path); err != nil {
			t.Fatal(err)
		}
		got, err := s.Report(sink.Query{Slots: []int{0}, To: 4, Accepted: path})
		if err != nil || got.Delivered != 3 || got.Repeated != 1 || got.Lost != lost || got.Faults != 2 {
			t.Errorf("%s: %+v, %v", dialect, got, err)
		}
	}
}

func TestNewRefusesVendors(t *testing.T) {
	t.Parallel()
	for name, slot := range map[string]sink.Slot{
		"dialect": {Secret: "x", Stride: 1, Dialect: "french", Word: "x"},
		"word":    {Secret: "x", Stride: 1, Dialect: "zuddl"},
		"key":     {Stride: 1, Dialect: "zuddl", Word: "x"},
		"token":   {Stride: 1, Dialect: "iotum", Word: "x"},
		"secret":  {Secret: "whsec_", Stride: 1, Dialect: "oration", Word: "x"},
		"frames":  {Secret: "x", Stride: 1, Dialect: "zuddl", Word: "x", Frames: -1},
		"payload": {Secret: probe.NewSecret(), Stride: 1, Payload: []byte(`{}`)},
	} {
		if _, err := sink.New(sink.Config{PayloadBytes: size, Slots: []sink.Slot{slot}}); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

// TestPassedOn: what goes on byte for byte is held against what was posted, the first of it too.
func TestPassedOn(t *testing.T) {
	t.Parallel()
	const body = `{"action":"JOINED_SESSION","actionId":"MARK","registration":{"id":"MARK"}}`
	cfg := sink.Config{PayloadBytes: size, Slots: []sink.Slot{{
		Secret: "a key", Stride: 1, Dialect: sink.ZuddlAgain, Word: "JOINED_SESSION", Payload: []byte(strings.ReplaceAll(body, "MARK", probe.Mark)),
	}}}
	s, err := sink.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]int{body: http.StatusNoContent, strings.Replace(body, ":", ": ", 1): http.StatusBadRequest} {
		text = strings.ReplaceAll(text, "MARK", string(probe.AppendMark(nil, 5, 6)))
		mac := hmac.New(sha256.New, []byte("a key"))
		mac.Write([]byte(text))
		r := httptest.NewRequest(http.MethodPost, sink.PathPrefix+"0", strings.NewReader(text))
		r.Header.Set("X-Webhook-Signature", "sha256="+hex.EncodeToString(mac.Sum(nil)))
		w := httptest.NewRecorder()
		s.ServeHTTP(w, r)
		if w.Code != want {
			t.Errorf("%s: %d %s", text, w.Code, w.Body)
		}
	}
	cfg.Slots[0].Payload = []byte(body)
	if _, err := sink.New(cfg); err == nil {
		t.Error("a payload without marks is taken")
	}
}
