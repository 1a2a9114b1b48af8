package source_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/callboard/callboard/internal/dialect"
	"github.com/callboard/callboard/internal/dialect/builtin"
	"github.com/callboard/callboard/internal/dialect/standard"
	"github.com/callboard/callboard/internal/source"
	"github.com/callboard/callboard/internal/store"
	"github.com/callboard/callboard/signature"
)

// What the requests of the tests hold.
const (
	body     = `{"action":"NO_SHOW","n":1}`
	hexKey   = "00112233445566778899aabbccddeeff0011223344556677"
	sigZuddl = "X-Webhook-Signature"
)

var set = builtin.Dialects(builtin.Config{})

// mac is the HMAC-SHA256 of the body.
func mac(key []byte) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(body))
	return h.Sum(nil)
}

func unhex(t *testing.T, text string) []byte {
	t.Helper()
	raw, err := hex.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// verify verifies a request at a source that Check accepts.
func verify(t *testing.T, s *store.Source, h http.Header) dialect.Verdict {
	t.Helper()
	if err := source.Check(s, set); err != nil {
		t.Fatalf("the source is refused: %v", err)
	}
	d, ok := source.Dialect(set, s)
	if !ok {
		t.Fatal("there is no dialect", s.Dialect)
	}
	v := source.Verify(s, d, dialect.Request{Header: h, Body: []byte(body)})
	brief := source.Verify(s, d, dialect.Request{Header: h, Body: []byte(body), Brief: true})
	if brief.Hint != "" {
		t.Errorf("a brief verdict has the hint %q", brief.Hint)
	}
	if brief.Hint = v.Hint; brief != v {
		t.Errorf("in brief it is %+v, and else %+v", brief, v)
	}
	if v.Valid == (v.Why != "") {
		t.Errorf("the verdict is %+v", v)
	}
	return v
}

// signs signs the body as Standard Webhooks says.
func signs(t *testing.T, at time.Time, secrets ...string) http.Header {
	t.Helper()
	signer, err := standard.NewSigner(standard.Svix, secrets)
	if err != nil {
		t.Fatal(err)
	}
	h := http.Header{}
	signer.Sign(h, "msg_1", at, []byte(body))
	return h
}

// TestProofs: each way to prove a request, in each dialect that has it, and what is wrong
// without it.
func TestProofs(t *testing.T) {
	t.Parallel()
	key := signature.GenerateSigningKey()
	secret, other := standard.Keys{}.NewSecret(), standard.Keys{}.NewSecret()
	now := time.Now()
	both := signs(t, now, secret)
	both.Set("X-Custom", "open sesame")
	soon, past := now.Add(time.Hour), now.Add(-time.Hour)
	for name, tt := range map[string]struct {
		dialects string
		auth     store.SourceAuth
		header   http.Header
		why      string // contained in the verdict's; "" = valid
	}{
		"a signature":          {"native sessionboard oration standard raw", store.SourceAuth{Secrets: []string{secret}}, signs(t, now, secret), ""},
		"another secret":       {"native sessionboard oration standard raw", store.SourceAuth{Secrets: []string{secret}}, signs(t, now, other), "match"},
		"no signature":         {"native sessionboard oration standard raw", store.SourceAuth{Secrets: []string{secret}}, http.Header{}, "header"},
		"an old signature":     {"standard", store.SourceAuth{Secrets: []string{secret}}, signs(t, past, secret), "too old"},
		"the former secret":    {"standard", store.SourceAuth{Secrets: []string{secret, other}, OldUntil: soon}, signs(t, now, other), ""},
		"a secret of the past": {"standard", store.SourceAuth{Secrets: []string{secret, other}, OldUntil: past}, signs(t, now, other), "match"},
		"the newer secret":     {"standard", store.SourceAuth{Secrets: []string{secret, other}, OldUntil: past}, signs(t, now, secret), ""},
		"a key":                {"native sessionboard oration standard raw", store.SourceAuth{Key: key.Public().String()}, signs(t, now, key.Reveal()), ""},
		"another key":          {"standard", store.SourceAuth{Key: signature.GenerateSigningKey().Public().String()}, signs(t, now, key.Reveal()), "match"},
		"v1 for v1a":           {"standard", store.SourceAuth{Key: key.Public().String()}, signs(t, now, secret), "v1a"},
		"a token": {
			"native zuddl sessionboard oration standard raw iotum",
			store.SourceAuth{Token: "open sesame", TokenHeader: "x-custom"},
			http.Header{"X-Custom": {"open sesame"}},
			"",
		},
		"another token": {
			"native zuddl sessionboard oration standard raw iotum",
			store.SourceAuth{Token: "open sesame", TokenHeader: "x-custom"},
			http.Header{"X-Custom": {"open"}},
			"the token in x-custom is wrong",
		},
		"iotum's header":        {"iotum", store.SourceAuth{Token: "open sesame"}, http.Header{"X-Signing-Token": {"open sesame"}}, ""},
		"the token in force":    {"iotum", store.SourceAuth{Token: "abracadabra", NextToken: "open sesame", OldUntil: soon}, http.Header{"X-Signing-Token": {"abracadabra"}}, ""},
		"the next token":        {"iotum", store.SourceAuth{Token: "abracadabra", NextToken: "open sesame", OldUntil: soon}, http.Header{"X-Signing-Token": {"open sesame"}}, ""},
		"a token of the past":   {"iotum", store.SourceAuth{Token: "abracadabra", NextToken: "open sesame", OldUntil: past}, http.Header{"X-Signing-Token": {"abracadabra"}}, "wrong"},
		"nothing wanted":        {"native zuddl sessionboard oration standard raw iotum", store.SourceAuth{Unverified: true}, http.Header{}, ""},
		"both":                  {"sessionboard standard", store.SourceAuth{Secrets: []string{secret}, Token: "open sesame", TokenHeader: "x-custom"}, both, ""},
		"both, signature alone": {"sessionboard standard", store.SourceAuth{Secrets: []string{secret}, Token: "open sesame", TokenHeader: "x-custom"}, signs(t, now, secret), "no header x-custom"},
		"both, token alone":     {"sessionboard standard", store.SourceAuth{Secrets: []string{secret}, Token: "open sesame", TokenHeader: "x-custom"}, http.Header{"X-Custom": {"open sesame"}}, "header"},
		"zuddl":                 {"zuddl", store.SourceAuth{Secrets: []string{hexKey}}, http.Header{sigZuddl: {"sha256=" + hex.EncodeToString(mac([]byte(hexKey)))}}, ""},
		"zuddl, another body":   {"zuddl", store.SourceAuth{Secrets: []string{hexKey}}, http.Header{sigZuddl: {"sha256=" + strings.Repeat("0", 64)}}, "match"},
		"zuddl without":         {"zuddl", store.SourceAuth{Secrets: []string{hexKey}}, http.Header{}, "no header x-webhook-signature"},
	} {
		for name2 := range strings.FieldsSeq(tt.dialects) {
			t.Run(name+"/"+name2, func(t *testing.T) {
				t.Parallel()
				v := verify(t, &store.Source{Dialect: name2, Auth: tt.auth}, tt.header)
				if v.Valid != (tt.why == "") || !strings.Contains(v.Why, tt.why) {
					t.Errorf("%+v, and it should say %q", v, tt.why)
				}
			})
		}
	}
	v := verify(t, &store.Source{Dialect: "sessionboard", Auth: store.SourceAuth{Secrets: []string{secret}, Token: "open sesame", TokenHeader: "x-custom"}}, both)
	if v.ID != "msg_1" || v.SentAt.IsZero() {
		t.Errorf("the signature vouches for nothing: %+v", v)
	}
}

// TestNothingSet: a source that Check would refuse takes nothing.
func TestNothingSet(t *testing.T) {
	t.Parallel()
	for _, auth := range []store.SourceAuth{
		{},
		{TokenHeader: "x"},
		{Secrets: []string{""}},
		{Secrets: []string{"x"}, SecretForm: "hex"},
		{Key: "whpk_x"},
		{Secrets: []string{""}, SignatureHeader: "x", Encoding: "hex"},
	} {
		for _, name := range source.Names(set) {
			s := &store.Source{Dialect: name, Auth: auth}
			d, _ := source.Dialect(set, s)
			h := http.Header{"X": {""}, "X-Signing-Token": {""}}
			if v := source.Verify(s, d, dialect.Request{Header: h, Body: []byte(body)}); v.Valid || v.Why == "" {
				t.Errorf("%s with %+v: %+v", name, auth, v)
			}
		}
	}
}

// setTo gives a source the signature that a hint names, as the API would.
func setTo(t *testing.T, s store.Source, hint string) store.Source {
	t.Helper()
	_, text, found := strings.Cut(hint, "set the source's signature to ")
	if !found {
		t.Fatalf("the hint %q names no setting", hint)
	}
	var setting struct {
		Header, Encoding, Secret string
		Prefix                   *string
	}
	if err := json.Unmarshal([]byte(text), &setting); err != nil {
		t.Fatal(err)
	}
	s.Auth.SignatureHeader, s.Auth.Encoding, s.Auth.SecretForm, s.Auth.Prefix = setting.Header, setting.Encoding, setting.Secret, ""
	if setting.Prefix != nil {
		s.Auth.Prefix = *setting.Prefix
	}
	return s
}

// TestVariants: a request that is signed in a known variant is refused with a hint, and
// the source takes it when it is set to what the hint names.
func TestVariants(t *testing.T) {
	t.Parallel()
	text, decoded := mac([]byte(hexKey)), mac(unhex(t, hexKey))
	b64 := base64.StdEncoding.EncodeToString
	whsec := "whsec_" + b64(unhex(t, hexKey))
	now := time.Now()
	github := store.SourceAuth{Secrets: []string{hexKey}, SignatureHeader: "x-hub-signature-256", Encoding: "hex", Prefix: "sha256="}
	for name, tt := range map[string]struct {
		dialect string
		auth    store.SourceAuth
		header  http.Header
		hint    string
	}{
		"no prefix":      {"zuddl", store.SourceAuth{}, http.Header{sigZuddl: {hex.EncodeToString(text)}}, `without the prefix sha256=: set the source's signature to {"encoding":"hex","prefix":""}`},
		"base64":         {"zuddl", store.SourceAuth{}, http.Header{sigZuddl: {b64(text)}}, `in base64 without the prefix sha256=: set the source's signature to {"encoding":"base64","prefix":""}`},
		"base64, prefix": {"zuddl", store.SourceAuth{}, http.Header{sigZuddl: {"sha256=" + b64(text)}}, `{"encoding":"base64","prefix":"sha256="}`},
		"decoded key":    {"zuddl", store.SourceAuth{}, http.Header{sigZuddl: {"sha256=" + hex.EncodeToString(decoded)}}, `digits stand for, and the signature written as documented: set the source's signature to {"encoding":"hex","prefix":"sha256=","secret":"hex"}`},
		"decoded key, base64": {
			"zuddl", store.SourceAuth{}, http.Header{sigZuddl: {b64(decoded)}}, `{"encoding":"base64","prefix":"","secret":"hex"}`,
		},
		"another header": {"zuddl", store.SourceAuth{}, http.Header{"X-Signature": {hex.EncodeToString(text)}}, `is in the header x-signature: set the source's signature to {"header":"x-signature","encoding":"hex","prefix":""}`},
		"a prefix that was not expected": {
			"zuddl", store.SourceAuth{Encoding: "hex"}, http.Header{sigZuddl: {"sha256=" + hex.EncodeToString(text)}}, `{"encoding":"hex","prefix":"sha256="}`,
		},
		"raw, its own header": {"raw", github, http.Header{"X-Hub-Signature-256": {b64(text)}}, `{"header":"x-hub-signature-256","encoding":"base64","prefix":""}`},
		"raw, the body alone": {
			"raw",
			store.SourceAuth{Secrets: []string{whsec}},
			http.Header{"X-Hub-Signature-256": {"sha256=" + hex.EncodeToString(mac([]byte(whsec)))}},
			`{"header":"x-hub-signature-256","encoding":"hex","prefix":"sha256="}`,
		},
		"the secret's text": {
			"sessionboard",
			store.SourceAuth{Secrets: []string{whsec}},
			signs(t, now, "whsec_"+b64([]byte(whsec))),
			`read as text: set the source's signature to {"secret":"text"}`,
		},
		"a version before it":    {"zuddl", store.SourceAuth{}, http.Header{sigZuddl: {"v1=" + hex.EncodeToString(text)}}, `{"encoding":"hex","prefix":"v1="}`},
		"the hash before it":     {"zuddl", store.SourceAuth{}, http.Header{sigZuddl: {"hmac-sha256=" + b64(text)}}, `{"encoding":"base64","prefix":"hmac-sha256="}`},
		"all in upper case":      {"zuddl", store.SourceAuth{}, http.Header{sigZuddl: {strings.ToUpper("sha256=" + hex.EncodeToString(text))}}, `{"encoding":"hex","prefix":"SHA256="}`},
		"the second of a header": {"zuddl", store.SourceAuth{}, http.Header{"X-Signature": {"none", "v1=" + hex.EncodeToString(text)}}, `{"header":"x-signature","encoding":"hex","prefix":"v1="}`},
		"whsec_, decoded key": {
			"zuddl",
			store.SourceAuth{Secrets: []string{whsec}},
			http.Header{sigZuddl: {"sha256=" + hex.EncodeToString(decoded)}},
			`base64 stands for, and the signature written as documented: set the source's signature to {"encoding":"hex","prefix":"sha256=","secret":"base64"}`,
		},
		"raw, whsec_, decoded key": {
			"raw", store.SourceAuth{Secrets: []string{whsec}}, http.Header{"X-Sig": {hex.EncodeToString(decoded)}}, `{"header":"x-sig","encoding":"hex","prefix":"","secret":"base64"}`,
		},
		"digits": {
			"standard", store.SourceAuth{Secrets: []string{hexKey}, SecretForm: "text"}, signs(t, now, whsec), `{"secret":"hex"}`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := store.Source{Dialect: tt.dialect, Auth: tt.auth}
			if s.Auth.Secrets == nil {
				s.Auth.Secrets = []string{hexKey}
			}
			v := verify(t, &s, tt.header)
			if v.Valid || !strings.HasSuffix(v.Hint, tt.hint) {
				t.Fatalf("%+v, and the hint should end with %q", v, tt.hint)
			}
			for _, secret := range s.Auth.Secrets {
				if strings.Contains(v.Why+v.Hint, secret) {
					t.Errorf("the verdict %+v tells the secret", v)
				}
			}
			s = setTo(t, s, v.Hint)
			if v := verify(t, &s, tt.header); !v.Valid {
				t.Errorf("set as it was told it says %+v", v)
			}
		})
	}
}

// TestOddities: what is right and cannot be taken by a setting is named.
func TestOddities(t *testing.T) {
	t.Parallel()
	now := time.Now()
	secret := standard.Keys{}.NewSecret()
	bare, ok := strings.CutPrefix(secret, "whsec_")
	if !ok {
		t.Fatal("a secret has another form")
	}
	edit := func(header string, change func(string) string) http.Header {
		h := signs(t, now, secret)
		h.Set(header, change(h.Get(header)))
		return h
	}
	unversioned := func(value string) string { return strings.TrimPrefix(value, "v1,") }
	raw, bareHex := mac([]byte(hexKey)), hex.EncodeToString(mac([]byte(bare)))
	for name, tt := range map[string]struct {
		dialect, secret string
		header          http.Header
		hint            string
	}{
		"no version":           {"standard", secret, edit("Svix-Signature", unversioned), "the signature in svix-signature is right, but without its version: the sender has to write v1, before it"},
		"no version, wrong":    {"standard", standard.Keys{}.NewSecret(), edit("Svix-Signature", unversioned), ""},
		"milliseconds":         {"standard", secret, edit("Svix-Timestamp", func(s string) string { return s + "000" }), "svix-timestamp is in milliseconds: the sender has to write, and to sign, seconds"},
		"no time":              {"standard", secret, edit("Svix-Timestamp", func(string) string { return "now" }), ""},
		"base64, no padding":   {"zuddl", hexKey, http.Header{sigZuddl: {"sha256=" + base64.RawStdEncoding.EncodeToString(raw)}}, "the signature in x-webhook-signature is right, but written in base64 without padding, which cannot be set: the sender has to write hexadecimal or padded base64"},
		"raw, no padding":      {"raw", secret, http.Header{"X-Sig": {base64.RawStdEncoding.EncodeToString(mac([]byte(secret)))}}, "the signature in x-sig is right, but written in base64 without padding, which cannot be set: the sender has to write hexadecimal or padded base64"},
		"no whsec_":            {"zuddl", secret, http.Header{sigZuddl: {"sha256=" + bareHex}}, "the secret is right without whsec_ before it"},
		"no whsec_, no prefix": {"zuddl", secret, http.Header{sigZuddl: {bareHex}}, `the secret is right without whsec_ before it, and the signature is right, but written in hexadecimal without the prefix sha256=: set the source's signature to {"encoding":"hex","prefix":""}`},
		"a list":               {"zuddl", hexKey, http.Header{sigZuddl: {"t=1,v1=" + hex.EncodeToString(raw)}}, ""},
		"a long beginning":     {"zuddl", hexKey, http.Header{sigZuddl: {strings.Repeat("x", 17) + hex.EncodeToString(raw)}}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v := verify(t, &store.Source{Dialect: tt.dialect, Auth: store.SourceAuth{Secrets: []string{tt.secret}}}, tt.header)
			if v.Valid || v.Hint != tt.hint {
				t.Errorf("%+v, and the hint should be %q", v, tt.hint)
			}
		})
	}
}

// TestTwoSignatures: of several headers of one name each counts, up to a bound.
func TestTwoSignatures(t *testing.T) {
	t.Parallel()
	right := "sha256=" + hex.EncodeToString(mac([]byte(hexKey)))
	for name, tt := range map[string]struct {
		values []string
		valid  bool
	}{
		"the first":  {[]string{right, "sha256=00"}, true},
		"the second": {[]string{"", right}, true},
		"none":       {[]string{"sha256=00", "sha256=01"}, false},
		"too many":   {[]string{"1", "2", "3", "4", right}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := &store.Source{Dialect: "zuddl", Auth: store.SourceAuth{Secrets: []string{hexKey}}}
			if v := verify(t, s, http.Header{sigZuddl: tt.values}); v.Valid != tt.valid {
				t.Errorf("%+v", v)
			}
		})
	}
}

// TestBearer: in authorization a token may have its scheme before it, and nowhere else.
func TestBearer(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		tokenHeader, header, value string
		hint                       string // "" = valid
	}{
		"its scheme":      {"authorization", "Authorization", "Bearer open sesame", ""},
		"in lower case":   {"authorization", "Authorization", "bearer  open sesame", ""},
		"without":         {"authorization", "Authorization", "open sesame", ""},
		"not set so":      {"", "Authorization", "BEARER open sesame", "the token is in the header authorization: set the source's tokenHeader to authorization"},
		"another header":  {"x-custom", "X-Custom", "Bearer open sesame", "the token is right without the word Bearer"},
		"a header unset":  {"", "X-Custom", "Bearer open sesame", "the token is right without the word Bearer, and is in the header x-custom: set the source's tokenHeader to x-custom, and have the vendor send the token alone"},
		"quotes as well":  {"authorization", "Authorization", `"open sesame"`, "the token is right without the quotes around it"},
		"another's token": {"authorization", "Authorization", "Bearer abracadabra", "-"},
		"another scheme":  {"authorization", "Authorization", "Basic open sesame", "-"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := &store.Source{Dialect: "iotum", Auth: store.SourceAuth{Token: "open sesame", TokenHeader: tt.tokenHeader}}
			v := verify(t, s, http.Header{tt.header: {tt.value}})
			if v.Valid != (tt.hint == "") || v.Hint != strings.Trim(tt.hint, "-") {
				t.Errorf("%+v, and the hint should be %q", v, tt.hint)
			}
		})
	}
}

// TestMisplacedToken: the hint names the header where the token is.
func TestMisplacedToken(t *testing.T) {
	t.Parallel()
	s := &store.Source{Dialect: "iotum", Auth: store.SourceAuth{Token: "open sesame"}}
	v := verify(t, s, http.Header{"Authorization": {"open sesame"}})
	want := dialect.Verdict{
		Why:  "there is no header x-signing-token",
		Hint: "the token is in the header authorization: set the source's tokenHeader to authorization",
	}
	if diff := cmp.Diff(want, v); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	s.Auth.TokenHeader = "authorization"
	if v := verify(t, s, http.Header{"Authorization": {"open sesame"}}); !v.Valid {
		t.Errorf("%+v", v)
	}
}

// FuzzVerify: whatever request: no panic, and none is valid that was not signed.
func FuzzVerify(f *testing.F) {
	f.Add("x-webhook-signature", "sha256=00", []byte(body))
	f.Add("webhook-signature", "v1,AAAA", []byte(" {} "))
	f.Add("x-signing-token", "Bearer x", []byte{})
	secret := standard.Keys{}.NewSecret()
	sources := []*store.Source{
		{Dialect: "zuddl", Auth: store.SourceAuth{Secrets: []string{hexKey}}},
		{Dialect: "raw", Auth: store.SourceAuth{Secrets: []string{hexKey}, SignatureHeader: "x-webhook-signature", Encoding: "base64"}},
		{Dialect: "standard", Auth: store.SourceAuth{Secrets: []string{secret}}},
		{Dialect: "iotum", Auth: store.SourceAuth{Token: standard.Keys{}.NewSecret()}},
	}
	f.Fuzz(func(t *testing.T, name, value string, body []byte) {
		h := http.Header{}
		h.Set(name, value)
		h.Set("Webhook-Id", "msg_1")
		h.Set("Webhook-Timestamp", "1")
		for _, s := range sources {
			d, _ := source.Dialect(set, s)
			if v := source.Verify(s, d, dialect.Request{Header: h, Body: body}); v.Valid || v.Why == "" {
				t.Fatalf("%s: %+v", s.Dialect, v)
			}
		}
	})
}
