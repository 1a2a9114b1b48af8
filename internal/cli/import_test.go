package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// importFile runs `callboard import` on a file of this text.
func (s *site) importFile(ctx context.Context, text string, args ...string) (code int, stdout, stderr string) {
	s.t.Helper()
	file := filepath.Join(s.t.TempDir(), "import.jsonl")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		s.t.Fatal(err)
	}
	return runImport(ctx, s.app.URL(), append([]string{file}, args...)...)
}

func runImport(ctx context.Context, server string, args ...string) (code int, stdout, stderr string) {
	var out, err bytes.Buffer
	args = append([]string{"import", "--server", server, "--jwt-secret", testSecret, "--app", "acme"}, args...)
	code = Run(ctx, args, &out, &err)
	return code, out.String(), err.String()
}

// sent is how many messages the app has.
func (s *site) sent() int {
	s.t.Helper()
	var page struct{ Data []json.RawMessage }
	s.do(http.MethodGet, "/app/acme/msg?limit=250", "", &page)
	return len(page.Data)
}

func contactLines(from, to int) string {
	var b strings.Builder
	for i := from; i < to; i++ {
		fmt.Fprintf(&b, `{"type":"contact.created","data":{"id":"c%d"}}`+"\n", i)
	}
	return b.String()
}

func TestImport(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	text := "\xef\xbb\xbf" + contactLines(0, 3) + "\r\n" +
		`{"id":"mine","type":"contact.updated","data":{"id":"c0","title":"Dr"}}` + "\r\n" +
		`{"id":null,"type":"contact.updated","notify":false,"data":{"id":"c1","title":"Dr"}}` // and no end of line
	for _, want := range []string{
		"applied 5, duplicate 0, refused 0, messages 4\n",
		"applied 0, duplicate 5, refused 0, messages 0\n",
	} {
		code, stdout, stderr := s.importFile(t.Context(), text)
		if code != exitOK || stdout != want {
			t.Errorf("%d %s %s; want %s", code, stdout, stderr, want)
		}
	}
	if n := s.sent(); n != 4 {
		t.Errorf("%d messages", n)
	}
	// What is added later is new, and what was there before it is not.
	code, stdout, stderr := s.importFile(t.Context(), text+"\n"+contactLines(7, 8), "--json", "--batch", "2")
	var got imported
	if err := json.Unmarshal([]byte(stdout), &got); err != nil || code != exitOK {
		t.Fatalf("%d %s %s %v", code, stdout, stderr, err)
	}
	if diff := cmp.Diff(imported{Applied: 1, Duplicate: 5, Messages: 1, Through: 7}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestImportOrder: what is created without a time is there for what has one.
func TestImportOrder(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	code, stdout, stderr := s.importFile(t.Context(), `{"type":"event.created","data":{"id":"e"}}
{"type":"session.created","data":{"eventId":"e","id":"s","title":"S"}}
{"type":"session.joined","at":"2026-06-10T09:00:00Z","data":{"eventId":"e","sessionId":"s","registration":{"id":"r"}}}
{"type":"session.left","at":"2026-06-10T09:42:00Z","data":{"eventId":"e","sessionId":"s","registrationId":"r"}}
{"type":"session.created","data":{"eventId":"e","id":"t","title":"T"}}
{"type":"session.joined","at":"2026-06-10T09:50:00Z","data":{"eventId":"e","sessionId":"t","registrationId":"r"}}
`)
	if code != exitOK || stdout != "applied 6, duplicate 0, refused 0, messages 6\n" {
		t.Errorf("%d %s %s", code, stdout, stderr)
	}
}

// TestImportQuietly: --notify=false counts more than what a line says.
func TestImportQuietly(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	text := contactLines(0, 2) + `{"type":"contact.created","notify":true,"data":{"id":"loud"}}`
	code, stdout, stderr := s.importFile(t.Context(), text, "--notify=false")
	if code != exitOK || stdout != "applied 3, duplicate 0, refused 0, messages 0\n" || s.sent() != 0 {
		t.Errorf("%d %s %s; %d messages", code, stdout, stderr, s.sent())
	}
}

// TestImportOtherwise: what was told quietly is not told again aloud, nor the other way round.
func TestImportOtherwise(t *testing.T) {
	t.Parallel()
	for _, first := range []string{"--notify=false", "--notify=true"} {
		second := map[string]string{"--notify=false": "--notify=true", "--notify=true": "--notify=false"}[first]
		s := newSite(t)
		text := contactLines(0, 1) + `{"id":"mine","type":"contact.updated","data":{"id":"c0","title":"Dr"}}` + "\n"
		if code, stdout, stderr := s.importFile(t.Context(), text, first); code != exitOK {
			t.Fatalf("%d %s %s", code, stdout, stderr)
		}
		sent := s.sent()
		for _, added := range []string{"", contactLines(1, 2)} { // all are refused, and some
			code, stdout, stderr := s.importFile(t.Context(), text+added, second)
			if code != exitFailure || !strings.Contains(stdout, "duplicate 0, refused 2,") ||
				!strings.Contains(stderr, "line 1: was told before, with another --notify; it is not told again\n") ||
				!strings.Contains(stderr, "line 2: id was used for another activity\n") {
				t.Errorf("%s, then %s: %d %s %s", first, second, code, stdout, stderr)
			}
			if n := s.sent(); added == "" && n != sent {
				t.Errorf("%s, then %s: %d messages, then %d", first, second, sent, n)
			}
		}
	}
}

// TestImportWrongAddress: where nothing answers from the beginning, it is said soon.
func TestImportWrongAddress(t *testing.T) {
	t.Parallel()
	var asked atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked.Add(1)
		w.WriteHeader(http.StatusBadGateway)
	}))
	t.Cleanup(server.Close)
	code, _, stderr := runImport(t.Context(), server.URL, os.DevNull)
	if code != exitFailure || asked.Load() != 4 || !strings.Contains(stderr, "502 Bad Gateway") {
		t.Errorf("%d after %d questions: %s", code, asked.Load(), stderr)
	}
}

// TestImportRefusals: lines that are wrong are named, and keep out none of the others.
func TestImportRefusals(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	text := contactLines(0, 1) + "no JSON, and \x1b[2J\n[]\nnull\n" +
		`{"type":"contact.created","data":{"id":"\ud800"}}` + "\n" +
		`{"type":"contact.event.associated","data":{"contactId":"c0","eventId":"none"}}` + "\n" +
		`{"type":"contact.created","data":{"id":"big","about":"` + strings.Repeat("x", 2<<20) + `"}}` + "\n" +
		contactLines(1, 2)
	code, stdout, stderr := s.importFile(t.Context(), text)
	want := "line 2: is not valid JSON\n" +
		"line 3: is not a JSON object\n" +
		"line 4: is not a JSON object\n" +
		"line 5: holds a text that is not Unicode: bytes that are no UTF-8, or half of a surrogate pair\n" +
		"line 6: data.eventId there is no such event\n" +
		"line 7: is longer than 1 MiB\n" +
		"callboard: 6 lines were refused\n"
	if code != exitFailure || stdout != "applied 2, duplicate 0, refused 6, messages 2\n" {
		t.Errorf("%d %s", code, stdout)
	}
	var lines []string
	for line := range strings.Lines(stderr) {
		if !strings.HasPrefix(line, "[") { // the bar
			lines = append(lines, line)
		}
	}
	if diff := cmp.Diff(want, strings.Join(lines, "")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	code, stdout, stderr = s.importFile(t.Context(), "x\n"+contactLines(8, 9), "--strict", "--batch", "1")
	if code != exitFailure || stdout != "applied 0, duplicate 0, refused 1, messages 0\n" || !strings.Contains(stderr, "callboard: stopped after line 1: 1 line was refused\n") {
		t.Errorf("--strict: %d %s %s", code, stdout, stderr)
	}
}

// TestImportStops: what ends an import early, and that it says how far it came.
func TestImportStops(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var requests, fail atomic.Int64 // fail: the status of the third request; 0 = it is as Ctrl-C were pressed
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/activity") {
			if requests.Add(1) == 3 {
				cancel()
				if status := int(fail.Load()); status != 0 {
					w.WriteHeader(status)
					_, _ = io.WriteString(w, `{"code":"permission_denied","detail":"No more"}`)
					return
				}
			}
		}
		r.URL.Scheme, r.URL.Host, r.RequestURI = "http", strings.TrimPrefix(s.app.URL(), "http://"), ""
		response, err := http.DefaultTransport.RoundTrip(r)
		if err != nil {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		defer response.Body.Close()
		w.WriteHeader(response.StatusCode)
		_, _ = io.Copy(w, response.Body)
	}))
	t.Cleanup(proxy.Close)
	file := filepath.Join(t.TempDir(), "import.jsonl")
	if err := os.WriteFile(file, []byte("\n"+contactLines(0, 50)), 0o600); err != nil {
		t.Fatal(err)
	}
	code, stdout, stderr := runImport(ctx, proxy.URL, file, "--batch", "10")
	if code != exitFailure || stdout != "applied 20, duplicate 0, refused 0, messages 20\n" ||
		!strings.HasSuffix(stderr, "callboard: interrupted after line 21; run the same command again to go on\n") {
		t.Errorf("%d %s %s", code, stdout, stderr)
	}
	requests.Store(0)
	fail.Store(http.StatusForbidden)
	code, stdout, stderr = runImport(t.Context(), proxy.URL, file, "--batch", "10")
	if code != exitFailure || !strings.HasPrefix(stdout, "applied 0, duplicate 20,") ||
		!strings.HasSuffix(stderr, "callboard: stopped after line 21: POST /api/v1/app/"+s.appID()+"/activity: 403 Forbidden: No more\n") {
		t.Errorf("%d %s %s", code, stdout, stderr)
	}
	requests.Store(3)
	code, stdout, stderr = runImport(t.Context(), proxy.URL, file, "--batch", "10")
	if code != exitOK || s.sent() != 50 {
		t.Errorf("%d %s %s; %d messages", code, stdout, stderr, s.sent())
	}
}

func (s *site) appID() string {
	var a apiApp
	s.do(http.MethodGet, "/app/acme", "", &a)
	return a.ID
}

func TestImportUsage(t *testing.T) {
	t.Parallel()
	for want, args := range map[string][]string{
		"--batch: must be 1 to 1000":                                              {"-", "--batch", "0"},
		"open /nowhere: no such file or directory":                                {"/nowhere"},
		"--server: must be an http or https URL, without user, query or fragment": {"-", "--server", "example.com"},
		"--token: must be printable ASCII without spaces":                         {os.DevNull, "--token", "hunter2\n"},
		"--token: must be the org's":                                              {os.DevNull, "--token", tenantToken(t)},
	} {
		code, stdout, stderr := runImport(t.Context(), "http://127.0.0.1:1", args...)
		if code == exitOK || stdout != "" || !strings.Contains(stderr, want) || strings.Contains(stderr, "hunter2") {
			t.Errorf("%v: %d %s %s", args, code, stdout, stderr)
		}
	}
}

// TestImportSource: batches are bounded by lines and by bytes, lines by what they may have,
// and ids depend on what comes before.
func TestImportSource(t *testing.T) {
	t.Parallel()
	read := func(text string, most int) (all []importBatch) {
		s := newImportSource(io.NopCloser(strings.NewReader(text)), false, most)
		for range 100 {
			b := s.batch()
			all = append(all, b)
			if b.err != nil {
				if !errors.Is(b.err, io.EOF) || b.end != int64(len(text)) {
					t.Errorf("at %d: %v", b.end, b.err)
				}
				break
			}
		}
		return all
	}
	sizes := func(all []importBatch) (n []int) {
		for _, b := range all {
			n = append(n, len(b.lines))
		}
		return n
	}
	if diff := cmp.Diff([]int{2, 2, 1}, sizes(read(contactLines(0, 5), 2))); diff != "" {
		t.Errorf("by number (-want +got):\n%s", diff)
	}
	wide := `{"a":"` + strings.Repeat("x", 400_000) + `"}` + "\n"
	if diff := cmp.Diff([]int{3, 3, 1}, sizes(read(strings.Repeat(wide, 7), 1000))); diff != "" {
		t.Errorf("by size (-want +got):\n%s", diff)
	}
	const dated, undated = `{"at":"x"}`, `{"at":null}`
	mixed := strings.Join([]string{dated, dated, undated, undated, "", "wrong", dated, "[]", dated, undated, dated, undated}, "\n")
	if diff := cmp.Diff([]int{5, 4, 2}, sizes(read(mixed, 1000))); diff != "" {
		t.Errorf("by time (-want +got):\n%s", diff)
	}
	exact := `{"a":"` + strings.Repeat("x", maxImportLine-8) + `"}`
	for text, wrong := range map[string]string{exact: "", exact[:7] + "x" + exact[7:]: "is longer than 1 MiB", strings.Repeat("x", 5<<20): "is longer than 1 MiB"} {
		if got := read(text+"\n{}", 1000)[0].lines[0]; got.wrong != wrong || len(got.text) > len(text)+100 {
			t.Errorf("%d bytes: %s", len(text), got.wrong)
		}
	}
	if diff := cmp.Diff([]int{0}, sizes(read("", 10))); diff != "" {
		t.Errorf("nothing (-want +got):\n%s", diff)
	}
	id := func(text string) string {
		all := read(text, 1000)
		var last struct{ ID string }
		lines := all[len(all)-1].lines
		if err := json.Unmarshal(lines[len(lines)-1].text, &last); err != nil || !strings.HasPrefix(last.ID, "import:") {
			t.Fatalf("%s: %q, %v", text, last.ID, err)
		}
		return last.ID
	}
	one := id("{}\n{}\n")
	for _, other := range []string{"{}\n", "{}\n{}\n{}\n", "{} \n{}\n", "{}\n{\"a\":1}\n"} {
		if id(other) == one {
			t.Errorf("%q has the id of another", other)
		}
	}
	if id("{}\n{}\n") != one || id("{}\n{}") != one {
		t.Error("ids change")
	}
}

// FuzzImportSource reads any file: each line is told with an id, or is wrong for a reason.
func FuzzImportSource(f *testing.F) {
	for _, text := range []string{"", "{}", "\xef\xbb\xbf{\"id\":null}\r\n\n[]", "{\"id\":5,\"at\":\"x\"}\n{\"\xff\":1}", "{\"a\":{\"a\":1}}\n\x00"} {
		f.Add([]byte(text), true, 2)
	}
	f.Fuzz(func(t *testing.T, text []byte, quiet bool, most int) {
		s := newImportSource(io.NopCloser(bytes.NewReader(text)), quiet, 1+most&7)
		last := 0
		for range len(text) + 2 {
			b := s.batch()
			for _, l := range b.lines {
				var named map[string]json.RawMessage
				switch err := json.Unmarshal(l.text, &named); {
				case l.number <= last:
					t.Fatalf("line %d comes after line %d", l.number, last)
				case l.wrong != "":
				case err != nil, len(named["id"]) == 0, string(named["id"]) == "null", quiet && string(named["notify"]) != "false":
					t.Fatalf("line %d: %s, %v", l.number, l.text, err)
				}
				last = l.number
			}
			if b.err != nil {
				if b.end != int64(len(text)) {
					t.Fatalf("%d bytes of %d", b.end, len(text))
				}
				return
			}
		}
		t.Fatal("it does not end")
	})
}
