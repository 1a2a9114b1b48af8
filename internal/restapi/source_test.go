package restapi_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/callboard/callboard/internal/commit"
	"github.com/callboard/callboard/internal/dialect"
	"github.com/callboard/callboard/internal/dialect/builtin"
	"github.com/callboard/callboard/internal/id"
	"github.com/callboard/callboard/internal/ingest"
	"github.com/callboard/callboard/internal/source"
	"github.com/callboard/callboard/internal/store"
	"github.com/callboard/callboard/internal/token"
	"github.com/callboard/callboard/signature"
)

// newSourceWorld makes a world of the vendors' dialects with an app named a.
func newSourceWorld(t *testing.T) *world {
	t.Helper()
	set := builtin.Dialects(builtin.Config{})
	w := makeWorldOf(t, set, builtin.Catalog(set))
	w.app("a")
	return w
}

// stored reads a source from the store.
func (w *world) stored(text string) store.Source {
	w.t.Helper()
	row, ok := w.codec.Decode(id.Source, text)
	if !ok {
		w.t.Fatal("no source id:", text)
	}
	s, err := w.store.Source(w.t.Context(), row)
	if err != nil {
		w.t.Fatal(err)
	}
	return s
}

// refused keeps a request at a source that became no message, and gives its id.
func (w *world) refused(src string, status store.ReceivedStatus, body string) string {
	w.t.Helper()
	s := w.stored(src)
	doc := ingest.ReceivedDoc{
		Headers: map[string][]string{"webhook-id": {"msg_1"}, "x-event": {"call.ended"}}, Why: "it is wrong", Hint: "do better",
		SizeBytes: len(body), Verified: status == store.Unreadable,
	}
	received, err := w.service.Refuse(w.t.Context(), store.Received{App: s.App, Source: s.ID, Status: status, Doc: doc.JSON(), Body: []byte(body)})
	if err != nil {
		w.t.Fatal(err)
	}
	return w.codec.Encode(id.Received, received)
}

// comesIn takes a webhook in at a source, and gives the ids of the record and the message.
func (w *world) comesIn(src, body string) (received, message string) {
	w.t.Helper()
	s := w.stored(src)
	d, _ := source.Dialect(w.dialects, &s)
	header := http.Header{"Webhook-Id": {"msg_2"}, "X-Event": {"call.ended"}}
	a, err := d.Parse(dialect.Request{Header: header, Body: []byte(body)})
	if err != nil {
		w.t.Fatal(err)
	}
	r, err := w.service.Receive(w.t.Context(), ingest.Inbound{
		Source: s, Activity: a, Observed: d.Observes(), Raw: []byte(body),
		Doc: ingest.ReceivedDoc{VendorID: a.ID, Headers: source.Mask(header, &s), SizeBytes: len(body), Verified: true},
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return w.codec.Encode(id.Received, r.ID), w.codec.Encode(id.Message, r.Message)
}

// TestSource goes through the life of a source. Its secrets are in no answer.
func TestSource(t *testing.T) {
	t.Parallel()
	w := newSourceWorld(t)
	const hush = "hush hush, a long secret"
	quiet := func(r reply) reply {
		t.Helper()
		if strings.Contains(r.Body, "hush") {
			t.Errorf("the answer tells a secret: %s", r.Body)
		}
		return r
	}
	made := quiet(w.do("POST", "/app/a/source", `{"dialect":"zuddl","secret":"`+hush+`","token":"t-hush","tokenHeader":"X-Custom",
		"handshakeSecret":"h-hush","description":"Main","channels":["stage"],"unknown":1}`).want(201))
	src := made.text("id")
	want := map[string]any{
		"id": src, "url": publicURL + "/in/" + src, "dialect": "zuddl", "description": "Main", "channels": []any{"stage"},
		"hasSecret": true, "hasToken": true, "tokenHeader": "x-custom", "key": nil, "unverified": false, "signature": nil,
		"hasHandshakeSecret": true, "oldAcceptedUntil": nil, "typeHeader": nil, "typeField": nil,
	}
	got := made.json()
	delete(got, "createdAt")
	delete(got, "updatedAt")
	if diff := cmp.Diff(want, got); diff != "" || !strings.HasPrefix(src, "src_") {
		t.Errorf("%s (-want +got):\n%s", src, diff)
	}
	path := "/app/a/source/" + src
	if got := quiet(w.do("GET", path, "").want(200)); got.Body != made.Body {
		t.Errorf("it is %s, and was %s", got.Body, made.Body)
	}
	patched := quiet(w.do("PATCH", path, `{"description":null,"channels":null,"token":null,"tokenHeader":null}`).want(200)).json()
	if patched["description"] != "" || patched["channels"] != nil || patched["hasToken"] != false || patched["hasSecret"] != true {
		t.Errorf("patched it is %v", patched)
	}
	put := quiet(w.do("PUT", path, `{"dialect":"zuddl","description":"New","signature":{"prefix":""}}`).want(200)).json()
	if put["description"] != "New" || put["hasSecret"] != true || put["hasHandshakeSecret"] != true || put["signature"] == nil {
		t.Errorf("replaced it is %v", put)
	}
	if put := w.do("PUT", path, `{"dialect":"zuddl","secret":"another, and as long"}`).want(200).json(); put["signature"] != nil || put["description"] != "" {
		t.Errorf("replaced again it is %v", put)
	}
	s := w.stored(src)
	if diff := cmp.Diff(store.SourceAuth{Secrets: []string{"another, and as long"}, Handshake: "h-hush"}, s.Auth); diff != "" {
		t.Errorf("stored (-want +got):\n%s", diff)
	}
	other := w.do("POST", "/app/a/source", `{"dialect":"raw","unverified":true}`).want(201)
	if diff := cmp.Diff([]string{other.text("id"), src}, w.do("GET", "/app/a/source", "").want(200).field("id")); diff != "" {
		t.Errorf("the list (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{src}, w.do("GET", "/app/a/source?order=ascending&limit=1", "").want(200).field("id")); diff != "" {
		t.Errorf("the other way (-want +got):\n%s", diff)
	}
	w.do("DELETE", path, "").want(204)
	for _, method := range []string{"GET", "DELETE"} {
		w.do(method, path, "").want(404)
	}
	w.do("PATCH", path, `{}`).want(404)
	w.do("GET", path+"/received", "").want(404)
	if got := w.do("GET", "/app/a/source", "").want(200).field("id"); !slices.Equal(got, []string{other.text("id")}) {
		t.Errorf("the list has %q", got)
	}
	w.app("b") // a source is found in its own app alone
	for _, at := range []string{"/app/b/source/" + other.text("id"), "/app/a/source/src_" + forged, "/app/a/source/x"} {
		w.do("GET", at, "").want(404)
		w.do("PATCH", at, `{}`).want(404)
		w.do("DELETE", at, "").want(404)
		w.do("POST", at+"/secret/rotate", `{"secret":"x"}`).want(404)
		w.do("GET", at+"/received", "").want(404)
	}
}

// TestSourceKey: a repetition under one key makes one source.
func TestSourceKey(t *testing.T) {
	t.Parallel()
	w := newSourceWorld(t)
	ask := func() reply {
		return w.send(request{
			method: "POST", path: "/api/v1/app/a/source", token: w.org, body: strings.NewReader(`{"dialect":"raw","unverified":true}`),
			header: map[string]string{"Idempotency-Key": "k"},
		}).want(201)
	}
	if one, two := ask().text("id"), ask().text("id"); one != two {
		t.Errorf("%s and %s were made", one, two)
	}
}

// TestSourceRefused: what a dialect does not use is named, and so is what is missing.
func TestSourceRefused(t *testing.T) {
	t.Parallel()
	w := newSourceWorld(t)
	public := signature.GenerateSigningKey().Public().String()
	for _, row := range []struct{ body, loc string }{
		{`{}`, "body.dialect"},
		{`{"dialect":"zoom","unverified":true}`, "body.dialect"},
		{`{"dialect":"","unverified":true}`, "body.dialect"},
		{`{"dialect":"zuddl"}`, "body.secret"},
		{`{"dialect":"iotum"}`, "body.token"},
		{`{"dialect":"iotum","unverified":false}`, "body.token"},
		{`{"dialect":"zuddl","secret":""}`, "body.secret"},
		{`{"dialect":"zuddl","key":"` + public + `"}`, "body.key"},
		{`{"dialect":"iotum","token":"` + marker + `","typeField":"a"}`, "body.typeField"},
		{`{"dialect":"iotum","token":"` + marker + `","secret":"` + marker + `"}`, "body.secret"},
		{`{"dialect":"iotum","token":"` + marker + `","signature":{"encoding":"hex"}}`, "body.signature"},
		{`{"dialect":"standard","secret":"` + marker + `"}`, "body.secret"},
		{`{"dialect":"standard","key":"` + public + `","signature":{"encoding":"hex"}}`, "body.signature|body.signature.encoding"},
		{`{"dialect":"zuddl","secret":"x","signature":{"encoding":"octal"}}`, "body.signature.encoding"},
		{`{"dialect":"zuddl","token":"` + marker + `"}`, "body.tokenHeader"},
		{`{"dialect":"raw","unverified":true,"secret":"` + marker + `","signature":{"header":"x"}}`, "body.secret"},
		{`{"dialect":"raw","unverified":true,"channels":[]}`, "body.channels"},
		{`{"dialect":"raw","unverified":true,"channels":["a b"]}`, "body.channels"},
		{`{"dialect":"raw","unverified":true,"description":"` + strings.Repeat("x", 5000) + `"}`, "body.description"},
	} {
		got := w.do("POST", "/app/a/source", row.body).want(422)
		var out struct {
			Detail []struct {
				Loc []string
				Msg string
			}
		}
		if err := json.Unmarshal([]byte(got.Body), &out); err != nil {
			t.Fatal(err)
		}
		var locs []string
		for _, d := range out.Detail {
			locs = append(locs, strings.Join(d.Loc, "."))
		}
		slices.Sort(locs)
		if strings.Join(locs, "|") != row.loc || strings.Contains(got.Body, marker) {
			t.Errorf("%s: %s", row.body, got.Body)
		}
	}
	got := w.do("POST", "/app/a/source", `{"dialect":"zuddl"}`).want(422)
	for _, text := range []string{"a secret", "tokenHeader", "unverified: true"} {
		if !strings.Contains(got.Body, text) {
			t.Errorf("it does not say that %s would do: %s", text, got.Body)
		}
	}
	src := w.do("POST", "/app/a/source", `{"dialect":"zuddl","secret":"a secret of sixteen"}`).want(201).text("id")
	w.do("PATCH", "/app/a/source/"+src, `{"dialect":"iotum"}`).want(422)
	w.do("PATCH", "/app/a/source/"+src, `{"secret":null}`).want(422)
	w.do("PATCH", "/app/a/source/"+src, `{"dialect":"iotum","secret":null,"token":"t"}`).want(200)
}

// TestSourceSignature: what is left out of a signature is the dialect's, and what a hint
// names is stored.
func TestSourceSignature(t *testing.T) {
	t.Parallel()
	w := newSourceWorld(t)
	for _, row := range []struct{ dialect, signature, stored, shown string }{
		{"zuddl", `null`, "", `null`},
		{"zuddl", `{}`, "", `null`},
		{"zuddl", `{"prefix":""}`, " hex  ", `{"encoding":"hex","prefix":""}`},
		{"zuddl", `{"encoding":"base64"}`, " base64 sha256= ", `{"encoding":"base64","prefix":"sha256="}`},
		{"zuddl", `{"secret":"hex"}`, "   hex", `{"secret":"hex"}`},
		{"zuddl", `{"header":"X-Sig","encoding":"base64","prefix":"v1="}`, "x-sig base64 v1= ", `{"header":"x-sig","encoding":"base64","prefix":"v1="}`},
		{"raw", `{"header":"X-Hub-Signature-256","prefix":"sha256="}`, "x-hub-signature-256 hex sha256= ", `{"header":"x-hub-signature-256","encoding":"hex","prefix":"sha256="}`},
		{"raw", `{"header":"x-sig"}`, "x-sig hex  ", `{"header":"x-sig","encoding":"hex","prefix":""}`},
		{"sessionboard", `{"secret":"text"}`, "   text", `{"secret":"text"}`},
	} {
		body := fmt.Sprintf(`{"dialect":%q,"secret":"00112233445566778899aabbccddeeff","signature":%s}`, row.dialect, row.signature)
		made := w.do("POST", "/app/a/source", body).want(201)
		auth := w.stored(made.text("id")).Auth
		if got := strings.Join([]string{auth.SignatureHeader, auth.Encoding, auth.Prefix, auth.SecretForm}, " "); strings.TrimRight(got, " ") != strings.TrimRight(row.stored, " ") {
			t.Errorf("%s: stored as %q", row.signature, got)
		}
		var shown struct{ Signature json.RawMessage }
		if err := json.Unmarshal([]byte(made.Body), &shown); err != nil {
			t.Fatal(err)
		}
		if string(shown.Signature) != row.shown {
			t.Errorf("%s: shown as %s", row.signature, shown.Signature)
		}
	}
	token := w.do("POST", "/app/a/source", `{"dialect":"iotum","token":"short"}`).want(201).json()
	if token["tokenHeader"] != "x-signing-token" || len(token["warnings"].([]any)) != 1 {
		t.Errorf("iotum's is shown as %v", token)
	}
	open := w.do("POST", "/app/a/source", `{"dialect":"raw","unverified":true,"typeField":"event.type"}`).want(201).json()
	if open["typeField"] != "event.type" || len(open["warnings"].([]any)) != 1 {
		t.Errorf("an unverified one is shown as %v", open)
	}
}

// TestSourceRotation: the old is accepted for the grace period, and then no more.
func TestSourceRotation(t *testing.T) {
	t.Parallel()
	w := newSourceWorld(t)
	src := w.do("POST", "/app/a/source", `{"dialect":"zuddl","secret":"first","token":"one","tokenHeader":"x-t"}`).want(201).text("id")
	path := "/app/a/source/" + src
	rotate := func(body string) reply { return w.do("POST", path+"/secret/rotate", body) }
	accepts := func(secrets, tokens string, old bool) {
		t.Helper()
		auth := w.stored(src).Auth
		now := time.Now()
		got := strings.Join(source.Secrets(&auth, now), " ") + "|" + strings.Join(source.Tokens(&auth, now), " ")
		if got != secrets+"|"+tokens {
			t.Errorf("it accepts %s, want %s|%s", got, secrets, tokens)
		}
		if until := w.do("GET", path, "").want(200).json()["oldAcceptedUntil"]; (until != nil) != old {
			t.Errorf("the old is accepted until %v", until)
		}
	}
	accepts("first", "one", false)
	rotate(`{"secret":"second"}`).want(204)
	accepts("second first", "one", true)
	if got := time.Until(w.stored(src).Auth.OldUntil); got < 23*time.Hour || got > 24*time.Hour {
		t.Errorf("the old is accepted for %v", got)
	}
	rotate(`{"token":"two","gracePeriodSeconds":60}`).want(204)
	accepts("second first", "two one", true)
	if got := time.Until(w.stored(src).Auth.OldUntil); got < 23*time.Hour {
		t.Errorf("the old secret is accepted for %v alone", got)
	}
	rotate(`{"token":"three"}`).want(409)
	rotate(`{"secret":"third","gracePeriodSeconds":0}`).want(204)
	accepts("third", "two one", true)
	rotate(`{"token":"three","gracePeriodSeconds":0}`).want(204)
	accepts("third", "three", false)
	rotate(`{"token":"three"}`).want(204)
	accepts("third", "three", false)

	for _, body := range []string{
		`{}`, `{"secret":"x","token":"y"}`, `{"secret":"x","gracePeriodSeconds":-1}`, `{"secret":"x","gracePeriodSeconds":604801}`, `{"secret":""}`,
		`{"token":" x"}`,
	} {
		rotate(body).want(422)
	}
	accepts("third", "three", false)
	plain := "/app/a/source/" + w.do("POST", "/app/a/source", `{"dialect":"raw","unverified":true}`).want(201).text("id")
	w.do("POST", plain+"/secret/rotate", `{"secret":"x"}`).want(422)
	w.do("POST", plain+"/secret/rotate", `{"token":"x"}`).want(422)

	// What is past is forgotten with the next rotation.
	s := w.stored(src)
	s.Auth.Secrets, s.Auth.Token, s.Auth.NextToken, s.Auth.OldUntil = []string{"c", "b", "a"}, "x", "y", time.Now().Add(-time.Second)
	w.put(s)
	accepts("c", "y", false)
	rotate(`{"secret":"d"}`).want(204)
	accepts("d c", "y", true)
	if auth := w.stored(src).Auth; auth.Token != "y" || auth.NextToken != "" {
		t.Errorf("the tokens are %q and %q", auth.Token, auth.NextToken)
	}
}

// TestSourceKeyRotation: a public key has a grace period too, which a client that sends back
// what it read does not end.
func TestSourceKeyRotation(t *testing.T) {
	t.Parallel()
	w := newSourceWorld(t)
	one, two, three := signature.GenerateSigningKey(), signature.GenerateSigningKey(), signature.GenerateSigningKey()
	public := func(k signature.SigningKey) string { return k.Public().String() }
	src := w.do("POST", "/app/a/source", `{"dialect":"standard","key":"`+public(one)+`"}`).want(201).text("id")
	path := "/app/a/source/" + src
	accepts := func(when string, want ...string) {
		t.Helper()
		auth := w.stored(src).Auth
		if diff := cmp.Diff(want, source.Keys(&auth, time.Now())); diff != "" {
			t.Errorf("%s (-want +got):\n%s", when, diff)
		}
		shown := w.do("GET", path, "").want(200).json()
		if until := shown["oldAcceptedUntil"]; shown["key"] != want[0] || (until != nil) != (len(want) > 1) {
			t.Errorf("%s it is shown as %v", when, shown)
		}
	}
	w.do("POST", path+"/secret/rotate", `{"key":"`+public(two)+`"}`).want(204)
	accepts("rotated", public(two), public(one))
	sender, _ := w.dialects.Get(dialect.Native)
	d, _ := source.Dialect(w.dialects, &store.Source{Dialect: "standard"})
	for name, key := range map[string]signature.SigningKey{"old": one, "new": two} {
		signer, err := sender.NewSigner([]string{key.Reveal()})
		if err != nil {
			t.Fatal(err)
		}
		h := http.Header{}
		signer.Sign(h, "msg_1", time.Now(), []byte("{}"))
		s := w.stored(src)
		if v := source.Verify(&s, d, dialect.Request{Header: h, Body: []byte("{}")}); !v.Valid {
			t.Errorf("the %s key: %+v", name, v)
		}
	}
	w.do("PUT", path, `{"dialect":"standard","key":"`+public(two)+`","description":"New"}`).want(200)
	w.do("PATCH", path, `{"key":"`+public(two)+`"}`).want(200)
	accepts("sent back", public(two), public(one))
	w.do("PATCH", path, `{"key":"`+public(three)+`"}`).want(200)
	accepts("changed at once", public(three))
	w.do("POST", path+"/secret/rotate", `{"key":"`+public(one)+`"}`).want(204)
	w.do("PUT", path, `{"dialect":"standard","key":"`+public(two)+`"}`).want(200)
	accepts("replaced at once", public(two))
	for _, body := range []string{`{"key":"whpk_x"}`, `{"key":""}`, `{"key":"` + public(one) + `","secret":"x"}`, `{"token":"x"}`} {
		w.do("POST", path+"/secret/rotate", body).want(422)
	}
	plain := "/app/a/source/" + w.do("POST", "/app/a/source", `{"dialect":"raw","unverified":true}`).want(201).text("id")
	w.do("POST", plain+"/secret/rotate", `{"key":"`+public(one)+`"}`).want(422)
	accepts("refused", public(two))
}

// TestSourceDeletedIsDescribed: what becomes of what it received is to be read before it is
// deleted.
func TestSourceDeletedIsDescribed(t *testing.T) {
	t.Parallel()
	w := newSourceWorld(t)
	src := w.do("POST", "/app/a/source", `{"dialect":"raw","unverified":true}`).want(201).text("id")
	rcv, msg := w.comesIn(src, `{"n": 2}`)
	path := "/app/a/source/" + src
	w.do("DELETE", path, "").want(204)
	w.do("GET", "/app/a/msg/"+msg, "").want(200)
	w.do("GET", path+"/received/"+rcv, "").want(404)
	w.do("POST", path+"/received/"+rcv+"/replay", "").want(404)
	text := w.document().Paths["/api/v1/app/{app_id}/source/{source_id}"]["delete"].Description
	for _, part := range []string{"messages that came in through it stay", "neither read nor replayed"} {
		if !strings.Contains(text, part) {
			t.Errorf("it does not say %q: %s", part, text)
		}
	}
}

// put writes a source past the API.
func (w *world) put(s store.Source) {
	w.t.Helper()
	_, err := w.committer.Submit(w.t.Context(), &commit.Unit{Keys: commit.Keys{Sources: []id.ID{s.ID}}, Decide: func(v *commit.View) (id.ID, error) {
		v.PutSource(s)
		return s.ID, nil
	}})
	if err != nil {
		w.t.Fatal(err)
	}
}

// TestSourceAccess: an app's token may look, if it may look at anything, and the org's
// alone may write.
func TestSourceAccess(t *testing.T) {
	t.Parallel()
	w := newSourceWorld(t)
	app := w.do("GET", "/app/a", "").text("id")
	src := w.do("POST", "/app/a/source", `{"dialect":"raw","unverified":true}`).want(201).text("id")
	rcv := w.refused(src, store.Refused, `{}`)
	portal := w.token(token.Claims{Org: testOrg(1), App: app, Capabilities: []token.Capability{token.ViewBase}})
	full := w.token(token.Claims{Org: testOrg(1), App: app})
	blind := w.token(token.Claims{Org: testOrg(1), App: app, Capabilities: []token.Capability{token.CreateAttempts}})
	path := "/app/a/source/" + src
	for _, read := range []string{"/app/a/source", path, path + "/received", path + "/received/" + rcv} {
		w.as(portal, "GET", read, "").want(200)
		w.as(blind, "GET", read, "").want(403)
	}
	for _, text := range []string{portal, full} {
		w.as(text, "POST", "/app/a/source", `{"dialect":"raw","unverified":true}`).want(403)
		w.as(text, "PUT", path, `{"dialect":"raw","unverified":true}`).want(403)
		w.as(text, "PATCH", path, `{}`).want(403)
		w.as(text, "DELETE", path, "").want(403)
		w.as(text, "POST", path+"/secret/rotate", `{"secret":"x"}`).want(403)
		w.as(text, "POST", path+"/received/"+rcv+"/replay", "").want(403)
	}
}

// TestReceived shows what came in, and takes it in again.
func TestReceived(t *testing.T) {
	t.Parallel()
	w := newSourceWorld(t)
	src := w.do("POST", "/app/a/source", `{"dialect":"raw","secret":"hush","signature":{"header":"x-s"},"typeHeader":"x-event"}`).want(201).text("id")
	path := "/app/a/source/" + src + "/received"
	refused := w.refused(src, store.Refused, `{"n":1}`)
	unreadable := w.refused(src, store.Unreadable, "\xff")
	rcv, msg := w.comesIn(src, ` {"n": 2}`)

	all := w.do("GET", path, "").want(200)
	if diff := cmp.Diff([]string{rcv, unreadable, refused}, all.field("id")); diff != "" {
		t.Fatalf("(-want +got):\n%s", diff)
	}
	if strings.Contains(all.Body, `"body"`) {
		t.Errorf("the list has bodies: %s", all.Body)
	}
	one := w.do("GET", path+"/"+rcv, "").want(200).json()
	delete(one, "timestamp")
	want := map[string]any{
		"id": rcv, "status": "accepted", "messageId": msg, "vendorId": dialect.HashID([]byte(` {"n": 2}`)), "eventType": "call.ended",
		"headers":   map[string]any{"webhook-id": []any{"msg_2"}, "x-event": []any{"call.ended"}},
		"sizeBytes": 9.0, "verified": true, "why": nil, "hint": nil, "note": nil, "body": ` {"n": 2}`,
	}
	if diff := cmp.Diff(want, one); diff != "" {
		t.Errorf("accepted (-want +got):\n%s", diff)
	}
	two := w.do("GET", path+"/"+refused, "").want(200).json()
	if two["status"] != "refused" || two["why"] != "it is wrong" || two["hint"] != "do better" || two["body"] != `{"n":1}` || two["verified"] != false || two["messageId"] != nil {
		t.Errorf("refused: %v", two)
	}
	three := w.do("GET", path+"/"+unreadable, "").want(200).json()
	if three["status"] != "unreadable" || three["body"] != nil || three["bodyBase64"] != base64.StdEncoding.EncodeToString([]byte("\xff")) {
		t.Errorf("unreadable: %v", three)
	}
	for filter, want := range map[string][]string{
		"status=refused": {refused}, "status=refused,accepted": {rcv, refused}, "status=unreadable&order=ascending": {unreadable},
		"order=ascending&limit=2": {refused, unreadable}, "before=2026-01-01T00:00:00Z": {}, "after=2026-01-01T00:00:00Z&limit=1": {rcv},
	} {
		if diff := cmp.Diff(want, w.do("GET", path+"?"+filter, "").want(200).field("id")); diff != "" {
			t.Errorf("%s (-want +got):\n%s", filter, diff)
		}
	}
	w.do("GET", path+"?status=wrong", "").want(422)
	w.do("GET", path+"?iterator="+src, "").want(422)
	w.do("GET", path+"/rcv_"+forged, "").want(404)
	w.do("GET", path+"/"+src, "").want(404)
	elsewhere := w.do("POST", "/app/a/source", `{"dialect":"raw","unverified":true}`).want(201).text("id")
	w.do("GET", "/app/a/source/"+elsewhere+"/received/"+rcv, "").want(404)
	w.do("POST", "/app/a/source/"+elsewhere+"/received/"+rcv+"/replay", "").want(404)
}

// TestReplay: an accepted one becomes one more message, a refused one the message that
// it had not become, once; and what cannot be read says so.
func TestReplay(t *testing.T) {
	t.Parallel()
	w := newSourceWorld(t)
	src := w.do("POST", "/app/a/source", `{"dialect":"raw","secret":"hush","signature":{"header":"x-s"},"typeHeader":"x-event"}`).want(201).text("id")
	path := "/app/a/source/" + src + "/received/"
	refused, again := w.refused(src, store.Refused, `{"n":1}`), w.refused(src, store.Refused, `{"n":1}`)
	unreadable := w.refused(src, store.Unreadable, `[]`)
	rcv, msg := w.comesIn(src, `{"n": 2}`)
	messages := func() int { return len(w.do("GET", "/app/a/msg", "").want(200).items()) }

	one := w.do("POST", path+refused+"/replay", "").want(200).json()
	m := w.do("GET", "/app/a/msg/"+one["messageId"].(string), "").want(200).json()
	if one["duplicate"] != false || m["eventType"] != "call.ended" || !cmp.Equal(m["payload"].(map[string]any)["data"], any(map[string]any{"n": 1.0})) {
		t.Errorf("%v is %v", one, m)
	}
	record := w.do("GET", path+one["receivedId"].(string), "").want(200).json()
	if record["status"] != "accepted" || record["messageId"] != one["messageId"] || record["body"] != `{"n":1}` || record["verified"] != false || record["note"] != "replayed" {
		t.Errorf("the record is %v", record)
	}
	two := w.do("POST", path+again+"/replay", "").want(200).json()
	if two["duplicate"] != true || two["messageId"] != one["messageId"] || two["receivedId"] != nil {
		t.Errorf("of the repetition came %v", two)
	}
	if n := messages(); n != 2 {
		t.Errorf("there are %d messages", n)
	}

	ask := func(key string) string {
		return w.send(request{
			method: "POST", path: "/api/v1" + path + rcv + "/replay", token: w.org, header: map[string]string{"Idempotency-Key": key},
		}).want(200).text("messageId")
	}
	first, repeated, second := ask("k"), ask("k"), ask("l")
	if first == msg || repeated != first || second == first {
		t.Errorf("%s became %s, %s and %s", msg, first, repeated, second)
	}
	if n := messages(); n != 4 {
		t.Errorf("there are %d messages", n)
	}
	if got := w.do("POST", path+unreadable+"/replay", "").want(422); !strings.Contains(got.Body, "must be an object") {
		t.Errorf("%s", got.Body)
	}
	w.do("DELETE", "/app/a/msg/"+msg+"/content", "").want(204)
	w.do("POST", path+rcv+"/replay", "").want(409)
	if got := w.do("GET", path+rcv, "").want(200).json(); got["body"] != nil {
		t.Errorf("the body of a message without a payload is %v", got["body"])
	}
	w.do("POST", path+"rcv_"+forged+"/replay", "").want(404)
}

// TestInboundIsDescribed in the document, though another package serves it.
func TestInboundIsDescribed(t *testing.T) {
	t.Parallel()
	doc := newWorld(t).document()
	door := doc.Paths["/in/{source_id}"]
	for method, statuses := range map[string][]string{"post": {"200", "400", "401", "404", "413", "503"}, "get": {"200", "404"}} {
		op, ok := door[method]
		if !ok || !op.public() || op.Summary == "" || len(op.Tags) != 1 || op.Tags[0] != "Sources" {
			t.Errorf("%s is %+v", method, op)
		}
		for _, status := range statuses {
			if op.Responses[status] == nil {
				t.Errorf("%s does not say what a %s is", method, status)
			}
		}
	}
}
