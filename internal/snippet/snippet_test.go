package snippet_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/callboard/callboard/internal/dialect"
	"github.com/callboard/callboard/internal/dialect/builtin"
	"github.com/callboard/callboard/internal/dialect/native"
	"github.com/callboard/callboard/internal/snippet"
	"github.com/callboard/callboard/internal/testenv"
)

// request is one that a dialect signed, in a form that the harnesses of all languages read.
type request struct {
	Headers map[string]string `json:"headers"`
	Body    string            `json:"body"`
	Secret  string            `json:"secret"`
	Valid   bool              `json:"valid"`
}

// requests are real ones of a dialect, and what somebody made of them on the way.
func requests(t *testing.T, d dialect.Dialect) []request {
	t.Helper()
	sample, known := builtin.Catalog(builtin.Dialects(builtin.Config{})).Get("session.joined")
	if !known {
		t.Fatal("there is no session.joined")
	}
	body := strings.Replace(string(sample.Sample), "{", "{ \"é\": \"<\u2028>\",", 1) + "\n"
	sign := func(at time.Time, secrets ...string) request {
		signer, err := d.NewSigner(secrets)
		if err != nil {
			t.Fatal(err)
		}
		h := http.Header{}
		signer.Sign(h, "msg_1", at, []byte(body))
		r := request{Headers: map[string]string{}, Body: body}
		for name := range h {
			r.Headers[strings.ToLower(name)] = h.Get(name)
		}
		return r
	}
	now, secret, other := time.Now(), d.NewSecret(), d.NewSecret()
	fine := sign(now, secret)
	fine.Secret, fine.Valid = secret, true
	foreign := sign(now, other)
	foreign.Secret = secret
	bare := request{Headers: map[string]string{}, Body: body, Secret: secret}
	all := []request{fine, foreign, bare}
	if _, token := d.(dialect.TokenSent); !token {
		changed := fine
		changed.Body, changed.Valid = strings.TrimSpace(body), false
		all = append(all, changed)
	}
	if !d.Secrets().OneAtATime {
		rotated := sign(now, other, secret)
		rotated.Secret, rotated.Valid = secret, true
		old, early := sign(now.Add(-10*time.Minute), secret), sign(now.Add(10*time.Minute), secret)
		old.Secret, early.Secret = secret, secret
		all = append(all, rotated, old, early)
	}
	return all
}

// harnesses read requests, verify each and print the verdicts, one a line.
const (
	harnessGo = `package main

import ("encoding/json"; "fmt"; "net/http"; "os")

func main() {
	var all []struct{ Headers map[string]string; Body, Secret string }
	if err := json.NewDecoder(os.Stdin).Decode(&all); err != nil { panic(err) }
	for _, r := range all {
		h := http.Header{}
		for name, value := range r.Headers { h.Set(name, value) }
		fmt.Println(verify(h, []byte(r.Body), r.Secret) == nil)
	}
}
`
	harnessNode = `import { verify } from "./%s";
import { readFileSync } from "node:fs";
for (const r of JSON.parse(readFileSync(0, "utf8"))) {
  let verdict = true;
  try { verify(r.headers, r.body, r.secret); } catch { verdict = false; }
  console.log(verdict);
}
`
	harnessPython = `import json, sys
from verify import verify
for r in json.load(sys.stdin):
    try:
        verify(r["headers"], r["body"].encode(), r["secret"])
        print("true")
    except ValueError:
        print("false")
`
)

// TestCode runs the code of every dialect on real requests.
func TestCode(t *testing.T) {
	t.Parallel()
	for _, d := range all(t) {
		g, known := snippet.For(d)
		if !known {
			t.Fatalf("there is no guide for %s", d.Name())
		}
		cases := requests(t, d)
		plain, err := snippet.Untyped(d)
		if err != nil {
			t.Fatal(err)
		}
		t.Run(d.Name()+"/go", func(t *testing.T) {
			t.Parallel()
			judge(t, cases, map[string]string{"verify.go": g.Code.Go, "main.go": harnessGo, "go.mod": "module verify\ngo 1.21\n"}, "go", "run", ".")
		})
		t.Run(d.Name()+"/typescript", func(t *testing.T) {
			t.Parallel()
			node := testenv.Need(t, "node")
			judge(t, cases, map[string]string{"verify.mjs": plain, "main.mjs": fmt.Sprintf(harnessNode, "verify.mjs")}, node, "main.mjs")
			if stripsTypes(t, node) {
				judge(t, cases, map[string]string{"verify.ts": g.Code.TypeScript, "main.mjs": fmt.Sprintf(harnessNode, "verify.ts")}, node, "main.mjs")
			}
		})
		t.Run(d.Name()+"/python", func(t *testing.T) {
			t.Parallel()
			judge(t, cases, map[string]string{"verify.py": g.Code.Python, "main.py": harnessPython}, testenv.Need(t, "python3"), "main.py")
		})
		t.Run(d.Name()+"/curl", func(t *testing.T) {
			t.Parallel()
			testenv.Need(t, "openssl")
			judgeScript(t, &g, cases)
			sendSigned(t, &g, d, cases[0])
		})
	}
}

// all are the dialects that go out.
func all(t *testing.T) []dialect.Dialect {
	t.Helper()
	set := builtin.Dialects(builtin.Config{})
	var dialects []dialect.Dialect
	for _, name := range set.Names() {
		d, _ := set.Get(name)
		dialects = append(dialects, d)
	}
	return dialects
}

// stripsTypes reports whether Node runs TypeScript by itself, as it does from 22.18 on.
func stripsTypes(t *testing.T, node string) bool {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), node, "-p", "process.features.typescript").Output()
	return err == nil && strings.TrimSpace(string(out)) == "strip"
}

// judge runs a program on requests and compares its verdicts.
func judge(t *testing.T, cases []request, sources map[string]string, program string, args ...string) {
	t.Helper()
	dir := t.TempDir()
	for name, text := range sources {
		write(t, filepath.Join(dir, name), text)
	}
	input, err := json.Marshal(cases)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), program, args...)
	cmd.Dir, cmd.Stdin = dir, bytes.NewReader(input)
	cmd.Env = append(os.Environ(), "GOFLAGS=-mod=mod", "GOWORK=off")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if diff := cmp.Diff(verdicts(cases), strings.Fields(string(out))); diff != "" {
		t.Errorf("verdicts (-want +got):\n%s", diff)
	}
}

// verdicts are what is right.
func verdicts(cases []request) []string {
	var want []string
	for _, r := range cases {
		want = append(want, fmt.Sprint(r.Valid))
	}
	return want
}

// judgeScript has the script verify requests, one call each.
func judgeScript(t *testing.T, g *snippet.Guide, cases []request) {
	t.Helper()
	var got []string
	for _, r := range cases {
		args := []string{"verify"}
		for _, name := range g.Headers {
			value := r.Headers[name]
			if value == "" && strings.HasSuffix(name, "timestamp") {
				value = "0"
			}
			args = append(args, value)
		}
		out, err := script(t, g, r, append(args, "body.json")...)
		if (err == nil) != (strings.TrimSpace(out) == "valid") {
			t.Errorf("the script ends with %v and says %s", err, out)
		}
		got = append(got, fmt.Sprint(err == nil))
	}
	if diff := cmp.Diff(verdicts(cases), got); diff != "" {
		t.Errorf("verdicts (-want +got):\n%s", diff)
	}
}

// script runs the script beside the body of a request.
func script(t *testing.T, g *snippet.Guide, r request, args ...string) (string, error) {
	t.Helper()
	dir := t.TempDir()
	write(t, filepath.Join(dir, "webhook.sh"), g.Code.Curl)
	write(t, filepath.Join(dir, "body.json"), r.Body)
	cmd := exec.CommandContext(t.Context(), testenv.Need(t, "bash"), append([]string{"webhook.sh"}, args...)...)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), "SECRET="+r.Secret)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// sendSigned has the script send a request to a receiver, which verifies it as the dialect
// does.
func sendSigned(t *testing.T, g *snippet.Guide, d dialect.Dialect, r request) {
	t.Helper()
	testenv.Need(t, "curl")
	got := make(chan dialect.Request, 1)
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, in *http.Request) {
		body, _ := io.ReadAll(in.Body)
		got <- dialect.Request{Header: in.Header, Body: body}
		w.WriteHeader(http.StatusNoContent)
	}))
	defer receiver.Close()
	if out, err := script(t, g, r, "send", receiver.URL, "body.json"); err != nil || !strings.Contains(out, "204") {
		t.Fatalf("%v: %s", err, out)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	select {
	case in := <-got:
		v, err := d.Verify([]string{r.Secret}, in)
		if err != nil || !v.Valid || string(in.Body) != r.Body {
			t.Errorf("what was sent is not valid: %+v, %v", v, err)
		}
	case <-ctx.Done():
		t.Error("nothing was sent")
	}
}

// TestGuides: the headers that a guide names are those of the dialect's requests.
func TestGuides(t *testing.T) {
	t.Parallel()
	want := map[string][]string{
		"native":       {"webhook-id", "webhook-timestamp", "webhook-signature"},
		"zuddl":        {"x-webhook-signature"},
		"sessionboard": {"svix-id", "svix-timestamp", "svix-signature"},
		"oration":      {"webhook-id", "webhook-timestamp", "webhook-signature"},
		"iotum":        {"x-signing-token"},
	}
	got := map[string][]string{}
	for _, d := range all(t) {
		g, _ := snippet.For(d)
		got[g.Dialect] = g.Headers
		if g.Scheme == "" || len(g.Steps) < 3 || strings.Contains(strings.Join(g.Steps, ""), `""`) {
			t.Errorf("the guide for %s is %+v", d.Name(), g)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("headers (-want +got):\n%s", diff)
	}
}

// strange signs in a way that there is no code for.
type strange struct{ native.Dialect }

func (strange) NewSigner([]string) (dialect.Signer, error) { return strange{}, nil }

func (strange) Sign(h http.Header, messageID string, now time.Time, body []byte) {
	h.Set("Strange", "1")
}

// TestNoGuide: nothing is said of a dialect that nothing is known of.
func TestNoGuide(t *testing.T) {
	t.Parallel()
	for _, d := range []dialect.Dialect{strange{}, native.Raw{}} {
		if g, known := snippet.For(d); known {
			t.Errorf("a guide for %s: %+v", d.Name(), g)
		}
	}
}
