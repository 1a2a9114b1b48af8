package play_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/callboard/callboard/internal/dialect"
	"github.com/callboard/callboard/internal/play"
	"github.com/callboard/callboard/internal/testenv"
)

// signed is the header that a dialect's own signer makes.
func signed(t *testing.T, name, secret string, at time.Time, body string) http.Header {
	t.Helper()
	d, known := dialects().Get(name)
	if !known {
		t.Fatal("no dialect", name)
	}
	signer, err := d.NewSigner([]string{secret})
	if err != nil {
		t.Fatal(err)
	}
	header := http.Header{"Content-Type": {"application/json"}}
	signer.Sign(header, "msg_1", at, []byte(body))
	return header
}

// bodies are such as the dialects have them.
var bodies = map[string]string{
	"native":       `{"type":"session.joined","timestamp":"2026-05-04T10:00:00Z","data":{}}`,
	"zuddl":        `{"action":"JOINED_SESSION","payload":{}}`,
	"sessionboard": `{"data":{"id":"s1"},"metadata":{"action":"session.updated"}}`,
	"oration":      `{"eventId":"e1","eventType":"conversation.completed","payload":{"id":"c1"}}`,
	"iotum":        `{"event":"conference_start","payload":"{\"conference_id\":1}","timestamp":"2026-05-04T10:00:00Z"}`,
}

// want checks a verdict, whose detail must hold a text.
func want(t *testing.T, what string, got play.Verification, dialect string, verdict play.Verdict, detail string) {
	t.Helper()
	name := ""
	if got.Dialect != nil {
		name = *got.Dialect
	}
	if name != dialect || got.Verdict != verdict || !strings.Contains(got.Detail, detail) {
		t.Errorf("%s: %s, %s: %s\nwant %s, %s: … %s …", what, name, got.Verdict, got.Detail, dialect, verdict, detail)
	}
	if !strings.HasSuffix(got.Detail, ".") {
		t.Errorf("%s: %q is no sentence", what, got.Detail)
	}
}

// TestVerify verifies webhooks of each dialect, which is seen from them, and says exactly what is wrong with others.
func TestVerify(t *testing.T) {
	t.Parallel()
	for _, name := range dialects().Names() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHub(t)
			d, _ := dialects().Get(name)
			secret, other, body := d.NewSecret(), d.NewSecret(), bodies[name]
			if body == "" {
				t.Fatal("no body")
			}
			b := newBox(t, h)
			header := signed(t, name, secret, time.Now(), body)

			b.deliver(header, body)
			want(t, "no secret", b.newest().Verification, name, play.UnknownSecret, "as "+name+" does")
			b.set(play.Change{Secret: &other})
			want(t, "another secret", b.newest().Verification, name, play.Invalid, "")
			b.set(play.Change{Secret: &secret})
			want(t, "the secret", b.newest().Verification, name, play.Valid, "")
			b.set(play.Change{Dialect: &name})
			want(t, "the dialect", b.newest().Verification, name, play.Valid, "")
			b.deliver(header, body)
			want(t, "as it comes", b.newest().Verification, name, play.Valid, "")
			if b.post(strings.NewReader(body), func(r *http.Request) { r.Header = header }); b.newest().Verification.Verdict != play.Valid {
				t.Errorf("from outside: %+v", b.newest().Verification)
			}

			b.deliver(http.Header{}, body)
			want(t, "unsigned", b.newest().Verification, name, play.Unsigned, "There is no header ")
			b.deliver(signed(t, name, d.NewSecret(), time.Now(), body), body)
			mismatch := "does not match"
			if name == "iotum" {
				mismatch = "The token in x-signing-token is wrong"
			}
			want(t, "signed with another", b.newest().Verification, name, play.Invalid, mismatch)
			b.set(play.Change{Secret: &other})
			b.deliver(signed(t, name, other, time.Now(), body), body)
			want(t, "rotated", b.newest().Verification, name, play.Valid, "")
			want(t, "before the rotation", b.view().Requests[3].Verification, name, play.Invalid, "the one that the inbox had before")
			if name == "iotum" { // whose token says nothing of the body
				return
			}
			b.deliver(signed(t, name, other, time.Now(), body), body+"\n")
			want(t, "a newline more", b.newest().Verification, name, play.Invalid, "the body without the space around it")
			b.deliver(signed(t, name, other, time.Now(), body), body[:len(body)-1]+" }")
			want(t, "written again", b.newest().Verification, name, play.Invalid, "it was parsed and written again")
		})
	}
}

// TestVerifyStandard is about what is signed as Standard Webhooks says.
func TestVerifyStandard(t *testing.T) {
	t.Parallel()
	const secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	const body = `{"a":1}`
	edit := func(name string, change func(string) string) func(http.Header) {
		return func(h http.Header) {
			for _, family := range []string{"Webhook-", "Svix-"} {
				h.Set(family+name, change(h.Get(family+name)))
			}
		}
	}
	to := func(text string) func(string) string { return func(string) string { return text } }
	for name, row := range map[string]struct {
		age    time.Duration
		change func(http.Header)
		detail string
	}{
		"old":            {12 * time.Minute, nil, "The timestamp is 12 minutes old; 5 minutes are allowed; the signature itself is right"},
		"older":          {50 * time.Hour, nil, "The timestamp is 2 days old; "},
		"new":            {-7 * time.Minute, nil, "The timestamp is 7 minutes in the future; 5 minutes are allowed"},
		"no id":          {0, edit("Id", to("")), "Missing header: webhook-id"},
		"no timestamp":   {0, edit("Timestamp", to("")), "Missing header: webhook-timestamp"},
		"no signature":   {0, edit("Signature", to("")), "Missing header: webhook-signature"},
		"a word":         {0, edit("Timestamp", to("today")), "Timestamp is not in Unix seconds"},
		"milliseconds":   {0, edit("Timestamp", to("1777000000000")), "is in milliseconds"},
		"no version":     {0, edit("Signature", func(s string) string { return s[len("v1,"):] }), "without its version"},
		"v9":             {0, edit("Signature", func(s string) string { return "v9" + s[2:] }), "no signature is of a supported version"},
		"cut":            {0, edit("Signature", func(s string) string { return s[:20] }), "malformed"},
		"another id":     {0, edit("Id", to("msg_2")), "it was made with another secret, or the body was changed on the way"},
		"another time":   {0, edit("Timestamp", func(s string) string { return fmt.Sprint(time.Now().Unix() - 1) }), "it was made with another secret"},
		"another secret": {0, edit("Signature", to("v1,"+strings.Repeat("A", 43)+"=")), "it was made with another secret"},
	} {
		synctest.Test(t, func(t *testing.T) {
			b := newBox(t, newHub(t))
			b.set(play.Change{Secret: new(secret)})
			header := signed(t, "native", secret, time.Now().Add(-row.age), body)
			if row.change != nil {
				row.change(header)
			}
			b.deliver(header, body)
			got := b.newest().Verification
			if got.Verdict != play.Invalid || !strings.Contains(strings.ToLower(got.Detail), strings.ToLower(row.detail)) {
				t.Errorf("%s: %s: %s, want … %s …", name, got.Verdict, got.Detail, row.detail)
			}
		})
	}
}

// TestVerifyElsewhere is about secrets and signatures that are another dialect's, or in another place.
func TestVerifyElsewhere(t *testing.T) {
	t.Parallel()
	const secret, text = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "an old secret of somebody's"
	now := time.Now()
	moved := func(h http.Header, from, to string) http.Header {
		h.Set(to, h.Get(from))
		h.Del(from)
		return h
	}
	for name, row := range map[string]struct {
		dialect, secret string // of the inbox
		header          http.Header
		as              string
		verdict         play.Verdict
		detail          string
	}{
		"nobody's":                  {"", text, http.Header{"X-One": {"1"}}, "", play.Unsigned, "none of the headers"},
		"nobody's, no secret":       {"", "", nil, "", play.Unsigned, "none of the headers"},
		"another dialect":           {"zuddl", text, signed(t, "native", secret, now, "{}"), "zuddl", play.Invalid, "as native does, and not as zuddl"},
		"another one, no secret":    {"zuddl", "", signed(t, "iotum", text, now, "{}"), "zuddl", play.Invalid, "as iotum does, and not as zuddl"},
		"no secret, unsigned":       {"zuddl", "", nil, "zuddl", play.Unsigned, "There is no header x-webhook-signature"},
		"a secret of none":          {"", text, signed(t, "native", secret, now, "{}"), "native", play.Invalid, "cannot be one of native"},
		"in another header":         {"zuddl", text, moved(signed(t, "zuddl", text, now, "{}"), "X-Webhook-Signature", "X-Hub-Signature-256"), "zuddl", play.Invalid, "the signature is in the header x-hub-signature-256"},
		"a token elsewhere":         {"iotum", text, http.Header{"Authorization": {"Bearer " + text}}, "iotum", play.Invalid, "the token is in the header authorization"},
		"svix names of others":      {"", secret, signed(t, "sessionboard", secret, now, "{}"), "native", play.Valid, ""},
		"standard names of others":  {"", secret, signed(t, "oration", secret, now, "{}"), "native", play.Valid, ""},
		"sessionboard, as native":   {"native", secret, signed(t, "sessionboard", secret, now, "{}"), "native", play.Valid, ""},
		"the secret without whsec_": {"", "whsec_" + text, signed(t, "zuddl", text, now, "{}"), "zuddl", play.Invalid, "the secret is right without whsec_"},
	} {
		b := newBox(t, newHub(t))
		b.set(play.Change{Dialect: &row.dialect, Secret: &row.secret})
		b.deliver(row.header, "{}")
		want(t, name, b.newest().Verification, row.as, row.verdict, row.detail)
	}
}

// TestRotation: the secret before is right for what came while it held, and for nothing else.
func TestRotation(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		for _, name := range dialects().Names() {
			d, _ := dialects().Get(name)
			first, second, body := d.NewSecret(), d.NewSecret(), bodies[name]
			b := newBox(t, newHub(t))
			b.set(play.Change{Secret: &first, Dialect: &name})
			b.deliver(signed(t, name, first, time.Now(), body), body)
			testenv.Advance(time.Minute)
			grace := time.Hour
			b.set(play.Change{Secret: &second, Grace: &grace})
			want(t, "before the rotation", b.newest().Verification, name, play.Valid, "the secret that the inbox had before")
			for _, secret := range []string{first, second} {
				b.deliver(signed(t, name, secret, time.Now(), body), body)
				want(t, "in the grace period", b.newest().Verification, name, play.Valid, "")
			}
			testenv.Advance(grace)
			b.deliver(signed(t, name, first, time.Now(), body), body)
			want(t, "after the grace period", b.newest().Verification, name, play.Invalid, "the one that the inbox had before")
			b.deliver(signed(t, name, second, time.Now(), body), body)
			want(t, "the new one after it", b.newest().Verification, name, play.Valid, "")

			testenv.Advance(time.Second)
			third, none := d.NewSecret(), time.Duration(0)
			b.set(play.Change{Secret: &third, Grace: &none})
			want(t, "before a rotation at once", b.newest().Verification, name, play.Valid, "the secret that the inbox had before")
			b.deliver(signed(t, name, second, time.Now(), body), body)
			want(t, "after a rotation at once", b.newest().Verification, name, play.Invalid, "the one that the inbox had before")
		}
	})
}

// TestVerifyLater: what came before the secret was known is verified as of when it came.
func TestVerifyLater(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
		b := newBox(t, newHub(t))
		large := `"` + strings.Repeat("x", 300_000) + `"`
		b.deliver(signed(t, "native", secret, time.Now(), "{}"), "{}")
		b.deliver(signed(t, "native", secret, time.Now().Add(-time.Hour), "{}"), "{}")
		b.deliver(signed(t, "native", secret, time.Now(), large), large)
		b.deliver(nil, large)
		e, _ := b.watch("")
		testenv.Advance(3 * time.Hour)
		b.set(play.Change{Secret: new(secret)})
		var changed play.Changed
		if e.event("change", &changed); !changed.Settings.HasSecret {
			t.Errorf("changed to %+v", changed)
		}
		shown := b.view().Requests
		want(t, "lately", shown[3].Verification, "native", play.Valid, "")
		want(t, "an hour old", shown[2].Verification, "native", play.Invalid, "60 minutes old")
		want(t, "not whole", shown[1].Verification, "native", play.UnknownSecret, "too large to be kept")
		want(t, "unsigned", shown[0].Verification, "", play.Unsigned, "")

		b.deliver(signed(t, "native", secret, time.Now(), large), large)
		want(t, "not whole, as it comes", b.newest().Verification, "native", play.Valid, "")
		b.set(play.Change{Secret: new("whsec_" + strings.Repeat("A", 32))})
		want(t, "not whole, and another secret", b.newest().Verification, "native", play.Valid, "")
	})
}

// TestSecretsStayHidden: no verdict and no error tells one.
func TestSecretsStayHidden(t *testing.T) {
	t.Parallel()
	const secret = "a secret that nobody should see"
	for _, name := range append(dialects().Names(), "") {
		b := newBox(t, newHub(t))
		_, err := b.h.Set(b.key, play.Change{Dialect: &name, Secret: new(secret)})
		if err != nil && strings.Contains(err.Error(), secret) {
			t.Errorf("%s: %v", name, err)
		}
		for _, other := range dialects().Names() {
			d, _ := dialects().Get(other)
			b.deliver(signed(t, other, d.NewSecret(), time.Now(), "{}"), "{}")
		}
		for _, r := range b.view().Requests {
			if strings.Contains(r.Verification.Detail, secret) {
				t.Errorf("%s: %s", name, r.Verification.Detail)
			}
		}
	}
}

// TestSend signs as an endpoint does, in the dialect that is set or that the request looks like.
func TestSend(t *testing.T) {
	t.Parallel()
	for _, name := range dialects().Names() {
		d, _ := dialects().Get(name)
		secret := d.NewSecret()
		b := newBox(t, newHub(t))
		b.set(play.Change{Secret: &secret})
		var sent []play.Header
		for key, values := range signed(t, name, secret, time.Now(), "{}") {
			sent = append(sent, play.Header{Name: strings.ToLower(key), Value: values[0]})
		}
		edited := bodies[name] + " "
		if _, err := b.h.Send(b.key, client(1), play.Sending{Headers: sent, Body: []byte(edited)}); err != nil {
			t.Fatal(err)
		}
		if got := b.newest(); got.Body != edited || (got.Verification.Verdict == play.Valid) != (name == "iotum") {
			t.Errorf("%s, edited: %+v", name, got)
		}
		if _, err := b.h.Send(b.key, client(1), play.Sending{Headers: sent, Body: []byte(edited), Sign: true}); err != nil {
			t.Fatal(err)
		}
		want(t, name+", signed afresh", b.newest().Verification, name, play.Valid, "")
		if id := b.newest().Headers; name == dialect.Native && !strings.Contains(fmt.Sprint(id), "{Webhook-Id msg_1}") {
			t.Errorf("signed afresh it has another id: %v", id)
		}
		b.set(play.Change{Dialect: &name})
		if _, err := b.h.Send(b.key, client(1), play.Sending{Body: []byte(edited), Sign: true}); err != nil {
			t.Fatal(err)
		}
		want(t, name+", made up", b.newest().Verification, name, play.Valid, "")
	}
}
