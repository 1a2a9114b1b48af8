package sessionboard_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	svix "github.com/svix/svix-webhooks/go"

	"github.com/callboard/callboard/internal/dialect"
)

// TestSigned: deliveries carry the three headers of Svix and no others, and Svix's own
// library accepts them; so does the dialect itself.
func TestSigned(t *testing.T) {
	t.Parallel()
	older, newer := sut.NewSecret(), sut.NewSecret()
	for _, secret := range []string{older, newer} {
		if err := sut.CheckSecret(secret); err != nil {
			t.Fatal(err)
		}
	}
	signer, err := sut.NewSigner([]string{newer, older})
	if err != nil {
		t.Fatal(err)
	}
	body := []byte(render(t, message("session.updated", full(t, "session.updated"))))
	header := http.Header{}
	signer.Sign(header, "msg_1", time.Now(), body)

	want := map[string]bool{"Svix-Id": true, "Svix-Timestamp": true, "Svix-Signature": true}
	got := map[string]bool{}
	for name := range header {
		got[name] = true
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("headers (-want +got):\n%s", diff)
	}
	for _, secret := range []string{older, newer} {
		theirs, err := svix.NewWebhook(secret)
		if err != nil {
			t.Fatal(err)
		}
		if err := theirs.Verify(body, header); err != nil {
			t.Errorf("Svix refuses it: %v", err)
		}
		if err := theirs.Verify(append(body, ' '), header); err == nil {
			t.Error("Svix accepts another body")
		}
	}
	r := dialect.Request{Header: header, Body: body}
	if v, err := sut.Verify([]string{older}, r); err != nil || !v.Valid || v.ID != "msg_1" {
		t.Errorf("it does not accept what it signed: %+v, %v", v, err)
	}
	if a, err := sut.Parse(r); err != nil || a.ID != "msg_1" {
		t.Errorf("what it signed reads as %q, %v", a.ID, err)
	}
}
