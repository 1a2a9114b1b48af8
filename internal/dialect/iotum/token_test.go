package iotum_test

import (
	"bytes"
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/callboard/callboard/internal/dialect"
	"github.com/callboard/callboard/internal/dialect/iotum"
	"github.com/callboard/callboard/receiver"
	wire "github.com/callboard/callboard/wire/iotum"
)

// TestSign sends the oldest of the tokens that are active, and the public receiver
// accepts it.
func TestSign(t *testing.T) {
	t.Parallel()
	d := iotum.New()
	newest, oldest := d.NewSecret(), d.NewSecret()
	if newest == oldest || len(newest) != 64 || d.CheckSecret(newest) != nil || d.Advice(newest) != "" {
		t.Errorf("tokens %q and %q", newest, oldest)
	}
	s, err := d.NewSigner([]string{newest, oldest})
	if err != nil {
		t.Fatal(err)
	}
	h := http.Header{}
	text := []byte(render(t, message("conference.ended", `{`+given+`}`)))
	s.Sign(h, "msg_1", accepted, text)
	if diff := cmp.Diff(http.Header{"X-Signing-Token": {oldest}}, h); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for token, accepts := range map[string]bool{oldest: true, newest: false} {
		heard := false
		r, err := receiver.New(receiver.Iotum(), []string{token}, func(context.Context, receiver.Message[*wire.Webhook]) error {
			heard = true
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		request := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", bytes.NewReader(text))
		request.Header["X-Signing-Token"] = h["X-Signing-Token"]
		answer := httptest.NewRecorder()
		r.ServeHTTP(answer, request)
		if heard != accepts || (answer.Code/100 == 2) != accepts {
			t.Errorf("a receiver heard it: %v, and answered %d", heard, answer.Code)
		}
	}
	if diff := cmp.Diff(dialect.Secrets{PerApp: true, OneAtATime: true}, d.Secrets()); diff != "" {
		t.Errorf("secrets (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"x-signing-token"}, d.OwnHeaders()); diff != "" {
		t.Errorf("own headers (-want +got):\n%s", diff)
	}
}

// TestSecrets checks tokens that were assigned.
func TestSecrets(t *testing.T) {
	t.Parallel()
	d := iotum.New()
	for secret, want := range map[string]struct{ fine, warned bool }{
		"a":                       {true, true},
		"fifteen letters":         {true, true},
		"sixteen letters.":        {true, false},
		"~!@# $%^&*()_+{}|:\"<>":  {true, false},
		strings.Repeat("a", 256):  {true, false},
		strings.Repeat("a", 257):  {false, false},
		"":                        {false, true},
		" begins with a space":    {false, false},
		"ends with a space ":      {false, false},
		"has a newline\n inside":  {false, false},
		"has a tab \t inside it":  {false, false},
		"ist länger als sechzehn": {false, false},
	} {
		err := d.CheckSecret(secret)
		if (err == nil) != want.fine || (d.Advice(secret) != "") != want.warned {
			t.Errorf("%q: error %v, advice %q", secret, err, d.Advice(secret))
		}
		if err != nil && secret != "" && strings.Contains(err.Error(), secret) {
			t.Errorf("the error quotes %q", secret)
		}
		if _, err := d.NewSigner([]string{secret}); want.fine && err != nil {
			t.Errorf("%q: no signer: %v", secret, err)
		}
	}
	for _, secrets := range [][]string{nil, {"fine", "not\nfine"}} {
		if s, err := d.NewSigner(secrets); err == nil || s != nil {
			t.Errorf("%d tokens: signer %v, error %v", len(secrets), s, err)
		}
	}
}

// TestVerify says why a request is refused, and what would help.
func TestVerify(t *testing.T) {
	t.Parallel()
	d := iotum.New()
	const missing, wrong = "there is no header x-signing-token", "the token in x-signing-token is wrong"
	for name, tt := range map[string]struct {
		header http.Header
		want   dialect.Verdict
	}{
		"the newer token":           {http.Header{"X-Signing-Token": {"open sesame"}}, dialect.Verdict{Valid: true}},
		"the older token":           {http.Header{"X-Signing-Token": {"abracadabra"}}, dialect.Verdict{Valid: true}},
		"none":                      {http.Header{}, dialect.Verdict{Why: missing}},
		"empty":                     {http.Header{"X-Signing-Token": {""}}, dialect.Verdict{Why: missing}},
		"another":                   {http.Header{"X-Signing-Token": {"sesame"}}, dialect.Verdict{Why: wrong}},
		"space around it":           {http.Header{"X-Signing-Token": {"open sesame\t"}}, dialect.Verdict{Why: wrong, Hint: "the token is right without the space around it"}},
		"Bearer before it":          {http.Header{"X-Signing-Token": {"bearer open sesame"}}, dialect.Verdict{Why: wrong, Hint: "the token is right without the word Bearer"}},
		"quotes around it":          {http.Header{"X-Signing-Token": {`"abracadabra"`}}, dialect.Verdict{Why: wrong, Hint: "the token is right without the quotes around it"}},
		"in another header":         {http.Header{"Authorization": {"Bearer abracadabra"}, "Accept": {"*/*"}}, dialect.Verdict{Why: missing, Hint: "the token is in the header authorization"}},
		"in another header besides": {http.Header{"X-Signing-Token": {"x"}, "X-Token": {"x", "abracadabra"}}, dialect.Verdict{Why: wrong, Hint: "the token is in the header x-token"}},
		"the second of two":         {http.Header{"X-Signing-Token": {"x", "abracadabra"}}, dialect.Verdict{Why: wrong, Hint: "the token is in the header x-signing-token"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := d.Verify([]string{"open sesame", "abracadabra"}, dialect.Request{Header: tt.header, Body: []byte("{}")})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
	for _, secrets := range [][]string{nil, {""}, {"a\nb"}} {
		if v, err := d.Verify(secrets, dialect.Request{Header: http.Header{"X-Signing-Token": {"a\nb"}}}); err == nil || v.Valid {
			t.Errorf("%d tokens: verdict %+v, error %v", len(secrets), v, err)
		}
	}
}
