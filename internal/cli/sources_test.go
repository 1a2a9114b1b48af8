package cli

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/callboard/callboard/internal/dialect"
	"github.com/callboard/callboard/internal/dialect/builtin"
)

// run runs a command on the site's server and app.
func (s *site) run(ctx context.Context, args ...string) (code int, stdout, stderr string) {
	var out, err bytes.Buffer
	args = append(args, "--server", s.app.URL(), "--jwt-secret", testSecret, "--app", "acme")
	code = Run(ctx, args, &out, &err)
	return code, out.String(), err.String()
}

// must is run of a command that succeeds.
func (s *site) must(args ...string) string {
	s.t.Helper()
	code, stdout, stderr := s.run(s.t.Context(), args...)
	if code != exitOK {
		s.t.Fatalf("%v: %d %s %s", args, code, stdout, stderr)
	}
	return stdout
}

// source makes a source and gives its id.
func (s *site) source(args ...string) string {
	s.t.Helper()
	var made apiSource
	if err := json.Unmarshal([]byte(s.must(append([]string{"sources", "create", "--json"}, args...)...)), &made); err != nil {
		s.t.Fatal(err)
	}
	return made.ID
}

// post sends a body to a source's URL and gives the status.
func (s *site) post(src, body string, headers map[string]string) int {
	s.t.Helper()
	r, err := http.NewRequestWithContext(s.t.Context(), http.MethodPost, s.app.URL()+"/in/"+src, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	for name, value := range headers {
		r.Header.Set(name, value)
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		s.t.Fatal(err)
	}
	defer response.Body.Close()
	_, _ = io.Copy(io.Discard, response.Body)
	return response.StatusCode
}

// signed are the headers with which a vendor proves a body.
func signed(t *testing.T, vendor, secret, body string) map[string]string {
	t.Helper()
	d, _ := builtin.Dialects(builtin.Config{}).Get(vendor)
	signer, err := d.NewSigner([]string{secret})
	if err != nil {
		t.Fatal(err)
	}
	h := http.Header{}
	signer.Sign(h, "msg_of_a_vendor", time.Now(), []byte(body))
	flat := map[string]string{}
	for name := range h {
		flat[name] = h.Get(name)
	}
	return flat
}

const zuddlSecret = "hunter2-of-zuddl"

// zuddlBody is a webhook with an action of a later day, so that nothing of it is checked.
func zuddlBody(n int) string { return fmt.Sprintf(`{"action":"WAVED","actionId":"a%d"}`, n) }

// contains looks for texts.
func contains(t *testing.T, text string, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if !strings.Contains(text, part) {
			t.Errorf("%q is not in\n%s", part, text)
		}
	}
}

func TestSources(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	contains(t, s.must("sources"), "App acme has no sources")
	file := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(file, []byte(zuddlSecret+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	made := s.must("sources", "create", "--dialect", "zuddl", "--secret-file", file, "--description", "Zuddl of Acme", "--channel", "a", "--channel", "b")
	src, _, _ := strings.Cut(made, "\n")
	contains(t, made, s.app.URL()+"/in/"+src, "proof        signature\n", "Zuddl of Acme", "a, b", "Paste the URL")

	right := zuddlBody(1)
	if status := s.post(src, right, signed(t, "zuddl", zuddlSecret, right)); status != http.StatusOK {
		t.Fatalf("a signed webhook is %d", status)
	}
	inBase64 := signed(t, "zuddl", zuddlSecret, right)
	raw := mac(t, inBase64["X-Webhook-Signature"])
	if status := s.post(src, right, map[string]string{"X-Webhook-Signature": raw}); status != http.StatusUnauthorized {
		t.Fatalf("a signature in base64 is %d", status)
	}
	if status := s.post(src, "[]", signed(t, "zuddl", zuddlSecret, "[]")); status != http.StatusBadRequest {
		t.Fatalf("no webhook is %d", status)
	}

	contains(t, s.must("sources", "list"), src, "in 24 hours  1 accepted, 1 refused, 1 unreadable\n")
	var listed []listedSource
	if err := json.Unmarshal([]byte(s.must("sources", "--json")), &listed); err != nil || len(listed) != 1 || listed[0].Lately.Refused != 1 || listed[0].Proof != "signature" {
		t.Errorf("%v %+v", err, listed)
	}
	shown := s.must("sources", "show", s.app.URL()+"/in/"+src)
	contains(t, shown, "zuddl.WAVED", " → msg_", "hint: the signature is right, but written in base64", `set the source's signature to {"encoding":"base64","prefix":""}`)
	only := s.must("sources", "show", src, "--status", "unreadable,accepted", "--limit", "1", "--json")
	var page struct{ Received []apiReceived }
	if err := json.Unmarshal([]byte(only), &page); err != nil || len(page.Received) != 1 || page.Received[0].Status != receivedUnreadable {
		t.Fatalf("%v %s", err, only)
	}
	one := s.must("sources", "show", src, page.Received[0].ID)
	contains(t, one, page.Received[0].ID+"  unreadable", "x-webhook-signature: sha256=", "\n\n[]\n")
	for _, text := range []string{made, shown, one, only} {
		if strings.Contains(text, zuddlSecret) {
			t.Errorf("the secret is shown:\n%s", text)
		}
	}
	contains(t, s.must("sources", "delete", src), src+"  deleted")
	if status := s.post(src, right, signed(t, "zuddl", zuddlSecret, right)); status != http.StatusNotFound {
		t.Errorf("a deleted source answers %d", status)
	}
}

// mac is a signature in base64, of one in hexadecimal.
func mac(t *testing.T, value string) string {
	t.Helper()
	var raw []byte
	if _, err := fmt.Sscanf(value, "sha256=%x", &raw); err != nil {
		t.Fatal(err)
	}
	return base64.StdEncoding.EncodeToString(raw)
}

func TestSourcesUsage(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	for want, args := range map[string][]string{
		"missing flags: --dialect=NAME":       {"sources", "create"},
		"--signature: must be a JSON object":  {"sources", "create", "--dialect", "zuddl", "--signature", "hunter2"},
		"the secret is given twice":           {"sources", "create", "--dialect", "zuddl", "--secret", "hunter2", "--secret-file", "x"},
		"the token is given twice":            {"sources", "create", "--dialect", "iotum", "--vendor-token", "hunter2", "--vendor-token-file", "x"},
		"standard input holds the secret":     {"sources", "create", "--dialect", "zuddl", "--secret-file", "-", "--vendor-token-file", "-"},
		os.DevNull + " is empty":              {"sources", "create", "--dialect", "zuddl", "--secret-file", os.DevNull},
		"body.dialect must be one of":         {"sources", "create", "--dialect", "hunter", "--unverified"},
		"body.secret say what proves":         {"sources", "create", "--dialect", "zuddl"},
		"SOURCE: must be a source's id":       {"sources", "show", "acme"},
		"--limit: must be 1 to 250":           {"sources", "show", "src_1", "--limit", "251"},
		"--status: must be one or more":       {"sources", "show", "src_1", "--status", "accepted,wrong"},
		"app acme has no such source":         {"sources", "show", "src_1"},
		"app acme has no such source; callbo": {"sources", "delete", "src_1"},
		"--since: must be a time such as":     {"replay-source", "src_1", "--since", "soon"},
		"--since: must be before --until":     {"replay-source", "src_1", "--since", "1h", "--until", "2h"},
		"--status: must be one or more of":    {"replay-source", "src_1", "--status", ""},
		"--dialect: is required with":         {"import", os.DevNull, "--source", "src_1"},
		"--dialect: must be one of iotum,":    {"import", os.DevNull, "--dialect", "hunter"},
		"--notify: is for activities":         {"import", os.DevNull, "--dialect", "zuddl", "--source", "src_1", "--notify=false"},
	} {
		code, stdout, stderr := s.run(t.Context(), args...)
		if code == exitOK || stdout != "" || !strings.Contains(strings.ReplaceAll(stderr, "\n", " "), want) || strings.Contains(stderr, "hunter2") {
			t.Errorf("%v: %d %s %s", args, code, stdout, stderr)
		}
	}
}

// TestReplaySource: what was refused, and what could not be read, comes in again, once.
func TestReplaySource(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	src := s.source("--dialect", "raw", "--secret", "hush", "--signature", `{"header":"x-s"}`, "--type-field", "type")
	for n := range 3 {
		if status := s.post(src, fmt.Sprintf(`{"n":%d}`, n%2), nil); status != http.StatusUnauthorized {
			t.Fatalf("without a proof: %d", status)
		}
	}
	contains(t, s.must("replay-source", src), "messages 0, duplicate 0, failed 0\n") // unreadable ones alone
	contains(t, s.must("replay-source", src, "--status", "refused,unreadable", "--dry-run"), "3 requests would be taken in again\n")
	contains(t, s.must("replay-source", src, "--status", "refused", "--until", "1h"), "messages 0,")
	if n := s.sent(); n != 0 {
		t.Errorf("%d messages", n)
	}
	contains(t, s.must("replay-source", src, "--status", "refused", "--since", "1h"), "messages 2, duplicate 1, failed 0\n")
	// What is replayed is itself accepted: it is not replayed again and again.
	contains(t, s.must("replay-source", src, "--status", "accepted,refused"), "messages 2, duplicate 3, failed 0\n")
	if n := s.sent(); n != 4 {
		t.Errorf("%d messages", n)
	}
	s.do(http.MethodPatch, "/app/acme/source/"+src, `{"secret":null,"signature":null,"unverified":true}`, nil)
	if status := s.post(src, "[1]", nil); status != http.StatusBadRequest {
		t.Fatalf("a list is %d", status)
	}
	code, stdout, stderr := s.run(t.Context(), "replay-source", src, "--json")
	if code != exitFailure || !strings.Contains(stdout, `"found": 1`) || !strings.Contains(stdout, `"failed": 1`) {
		t.Errorf("%d %s", code, stdout)
	}
	contains(t, stderr, "rcv_", "must be an object", "callboard: 1 request could not be taken in\n")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if code, _, stderr := s.run(ctx, "replay-source", src); code != exitFailure || !strings.Contains(stderr, "interrupted") {
		t.Errorf("%d %s", code, stderr)
	}
}

// TestReplayStops: it says from where to go on.
func TestReplayStops(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	r := &replaying{sources: &appSources{s.api, apiApp{ID: "acme"}}, source: "src_1", bar: newProgress(io.Discard, false), count: replayed{Found: 2}}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	err := r.run(ctx, []keptRequest{{"rcv_1", time.UnixMilli(1_800_000_000_123)}, {"rcv_2", time.Now()}})
	if err == nil || err.Error() != "interrupted after 0 of 2 requests; --since 2027-01-15T08:00:00.123Z goes on from there" {
		t.Error(err)
	}
}

// TestImportWebhooks: each dialect's webhooks are proven as its vendor does, in every way that a source can be set to.
func TestImportWebhooks(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	const standard = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	const digits = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
	for _, row := range []struct {
		vendor string
		flags  []string // of the source
		proofs []string
		body   string
	}{
		{"zuddl", nil, []string{"--secret", zuddlSecret}, zuddlBody(1)},
		{"zuddl", []string{"--signature", `{"encoding":"base64","prefix":"v0="}`}, []string{"--secret", zuddlSecret}, zuddlBody(2)},
		{"zuddl", []string{"--signature", `{"secret":"hex","header":"x-other"}`}, []string{"--secret", digits}, zuddlBody(3)},
		{"zuddl", []string{"--unverified"}, nil, zuddlBody(4)},
		{"sessionboard", []string{"--token-header", "x-t"}, []string{"--secret", standard, "--vendor-token", "t"}, `{"data":{"id":"s1"},"metadata":{"action":"session.waved"}}`},
		{"oration", nil, []string{"--secret", standard}, `{"eventId":"evt_1","eventType":"conversation.waved","payload":{"id":"c"}}`},
		{"iotum", nil, []string{"--vendor-token", "a token of iotum"}, `{"event":"waved","payload":"{}","timestamp":"2027-01-15T08:00:00.000Z"}`},
		{"native", nil, []string{"--secret", standard}, `{"type":"order.made","timestamp":"2027-01-15T08:00:00.000Z","data":{}}`},
		{"standard", []string{"--signature", `{"secret":"text"}`}, []string{"--secret", "the text itself, 24 bytes or more"}, `{"type":"order.paid","data":{}}`},
		{"raw", []string{"--signature", `{"header":"x-s","encoding":"hex","prefix":"sha256="}`, "--type-header", "x-event"}, []string{"--secret", "hush"}, `{"headers":{"X-Event":["order.lost"],"x-s":"wrong","Host":"x","Content-Length":"3"},"body":"{\"n\": 1}"}`},
	} {
		src := s.source(append(append([]string{"--dialect", row.vendor}, row.flags...), row.proofs...)...)
		before := s.sent()
		for range 2 {
			args := append([]string{"--dialect", row.vendor, "--source", src}, row.proofs...)
			if code, stdout, stderr := s.importFile(t.Context(), row.body+"\n", args...); code != exitOK || stdout != "taken in 1, refused 0\n" {
				t.Errorf("%s %v: %d %s %s", row.vendor, row.flags, code, stdout, stderr)
			}
		}
		if n := s.sent() - before; n != 1 {
			t.Errorf("%s %v: %d messages", row.vendor, row.flags, n)
		}
	}
}

// TestImportWebhooksAnywhere: without --source the app's only one of the dialect takes them in.
func TestImportWebhooksAnywhere(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	run := func(vendor string, proof ...string) (int, string, string) {
		return s.importFile(t.Context(), zuddlBody(1), append([]string{"--dialect", vendor}, proof...)...)
	}
	for vendor, flag := range map[string]string{"zuddl": "secret", "iotum": "vendor-token"} {
		code, stdout, stderr := run(vendor, "--secret", zuddlSecret)
		want := "app acme has no source of dialect " + vendor + "; make one: callboard sources create --app acme --dialect " + vendor + " --" + flag + "-file FILE\n"
		if code != exitFailure || stdout != "" || !strings.HasSuffix(stderr, want) {
			t.Errorf("without one: %d %s %s", code, stdout, stderr)
		}
	}
	s.source("--dialect", "raw", "--unverified")
	first := s.source("--dialect", "zuddl", "--secret", zuddlSecret)
	if code, stdout, stderr := run("zuddl", "--secret", zuddlSecret); code != exitOK || stdout != "taken in 1, refused 0\n" {
		t.Errorf("with one: %d %s %s", code, stdout, stderr)
	}
	contains(t, s.must("sources", "show", first), "accepted")
	second := s.source("--dialect", "zuddl", "--secret", zuddlSecret, "--description", "Berlin")
	code, stdout, stderr := run("zuddl", "--secret", zuddlSecret)
	want := "--source: name one of the sources of dialect zuddl: " + first + ", " + second + " (Berlin)\n"
	if code != exitUsage || stdout != "" || !strings.Contains(stderr, want) {
		t.Errorf("with two: %d %s %s", code, stdout, stderr)
	}
}

// TestImportWebhooksRefused: lines that are no webhooks are named; a proof that is wrong ends it.
func TestImportWebhooksRefused(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	src := s.source("--dialect", "zuddl", "--secret", zuddlSecret)
	text := zuddlBody(1) + "\nno JSON\n{\"n\":1}\n\n" + `{"headers":{"a":{}},"body":{}}` + "\n" + `{"headers":{"x-webhook-signature":"[masked]","a":["b"]},"body":` + zuddlBody(2) + "}\n" + zuddlBody(1)
	args := []string{"--dialect", "zuddl", "--source", src}
	code, stdout, stderr := s.importFile(t.Context(), text, append(args, "--secret", zuddlSecret, "--json")...)
	var got struct{ Taken, Refused, Through int }
	if err := json.Unmarshal([]byte(stdout), &got); err != nil || code != exitFailure || got != struct{ Taken, Refused, Through int }{3, 3, 7} {
		t.Errorf("%d %s %v", code, stdout, err)
	}
	contains(t, stderr, "line 2: is not valid JSON\n", "line 3: The request is not a webhook of the source's vendor: ", "line 5: headers must be", "callboard: 3 lines were refused\n")
	if n := s.sent(); n != 2 {
		t.Errorf("%d messages", n)
	}
	code, stdout, stderr = s.importFile(t.Context(), text, append(args, "--secret", zuddlSecret, "--strict")...)
	if code != exitFailure || stdout != "taken in 1, refused 1\n" || !strings.Contains(stderr, "stopped after line 2: 1 line was refused") {
		t.Errorf("%d %s %s", code, stdout, stderr)
	}
	code, stdout, stderr = s.importFile(t.Context(), text, append(args, "--secret", "another secret")...)
	if code != exitFailure || stdout != "taken in 0, refused 0\n" || !strings.Contains(stderr, "stopped before the first line was told: the source does not accept the proof") {
		t.Errorf("%d %s %s", code, stdout, stderr)
	}
	for want, wrong := range map[string][]string{
		"--secret: is required":           args,
		"--dialect: the source's is zudd": {"--dialect", "raw", "--source", src},
		"app acme has no such source":     {"--dialect", "raw", "--source", "src_1"},
	} {
		if code, _, stderr := s.importFile(t.Context(), text, wrong...); code == exitOK || !strings.Contains(stderr, want) {
			t.Errorf("%v: %s", wrong, stderr)
		}
	}
	src = s.source("--dialect", "iotum", "--vendor-token", "a token of iotum")
	if _, _, stderr := s.importFile(t.Context(), text, "--dialect", "iotum", "--source", src); !strings.Contains(stderr, "--vendor-token: is required") {
		t.Error(stderr)
	}
}

// TestVendorSigner: what only a vendor can sign is not tried, and a recorded id stays.
func TestVendorSigner(t *testing.T) {
	t.Parallel()
	key := "whpk_x"
	if _, err := newVendorSigner(&apiSource{Dialect: "standard", Key: &key}, "", ""); err == nil || !strings.Contains(err.Error(), "only the vendor can make") {
		t.Error(err)
	}
	s, err := newVendorSigner(&apiSource{Dialect: "oration", HasSecret: true}, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "")
	if err != nil {
		t.Fatal(err)
	}
	for id, recorded := range map[string]http.Header{"msg_1": {"Svix-Id": {"msg_1"}, "Svix-Signature": {"v1,old"}}, "of the line": {}} {
		h := maps.Clone(recorded)
		s.prove(h, "of the line", []byte("{}"))
		d, _ := builtin.Dialects(builtin.Config{}).Get("oration")
		v, err := d.Verify([]string{"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}, dialect.Request{Header: h, Body: []byte("{}")})
		if err != nil || !v.Valid || v.ID != id {
			t.Errorf("%s: %+v %v", id, v, err)
		}
	}
}

// TestImportWebhooksWaits: a server that is away for a moment is asked again.
func TestImportWebhooksWaits(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	src := s.source("--dialect", "zuddl", "--unverified")
	var found apiSource
	s.do(http.MethodGet, "/app/acme/source/"+src, "", &found)
	signer, err := newVendorSigner(&found, "", "")
	if err != nil {
		t.Fatal(err)
	}
	im := &webhookImport{importing: &importing{bar: newProgress(io.Discard, false)}, signer: signer, poster: newPoster(), server: s.app.URL(), url: s.app.URL() + "/in/" + src}
	line := &importLine{text: []byte(zuddlBody(1)), headers: http.Header{}}
	s.stop()
	if _, err := im.try(t.Context(), line); !strings.Contains(fmt.Sprint(err), "does not answer") || strings.Contains(fmt.Sprint(err), "/in/") {
		t.Errorf("of a server that is away: %v", err)
	}
	type reply struct {
		refusal string
		err     error
	}
	done := make(chan reply, 1)
	go func() {
		refusal, err := im.post(t.Context(), line)
		done <- reply{refusal, err}
	}()
	s.start()
	select {
	case r := <-done:
		if r.refusal != "" || r.err != nil {
			t.Errorf("%+v", r)
		}
	case <-time.After(30 * time.Second):
		t.Fatal("it does not end")
	}
	if n := s.sent(); n != 1 {
		t.Errorf("%d messages", n)
	}
}

// FuzzImportWebhooks reads any file: each line has a body and headers that can be posted, or is wrong for a reason.
func FuzzImportWebhooks(f *testing.F) {
	for _, text := range []string{"{}", `{"headers":{"a":"b","c":["d","e"]},"body":{"n":1}}`, `{"headers":{"a":1},"body":""}`, `{"headers":[],"body":"\ud800"}`, "\n[]\n{"} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		s := newImportSource(io.NopCloser(bytes.NewReader(text)), false, 1)
		s.webhooks = true
		names := map[string]bool{}
		for range len(text) + 2 {
			b := s.batch()
			for _, l := range b.lines {
				if l.wrong == "" && (l.headers == nil || l.name == "" || names[l.name]) {
					t.Fatalf("line %d: %+v", l.number, l)
				}
				names[l.name] = l.name != ""
			}
			if b.err != nil {
				return
			}
		}
		t.Fatal("it does not end")
	})
}
