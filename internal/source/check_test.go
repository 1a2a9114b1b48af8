package source_test

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/callboard/callboard/internal/dialect/native"
	"github.com/callboard/callboard/internal/errs"
	"github.com/callboard/callboard/internal/source"
	"github.com/callboard/callboard/internal/store"
	"github.com/callboard/callboard/signature"
)

// TestCheck names what is wrong with a source, and nothing of what is right.
func TestCheck(t *testing.T) {
	t.Parallel()
	key := signature.GenerateSigningKey()
	public, secret := key.Public().String(), signature.GenerateSecret().Reveal()
	token := store.SourceAuth{Token: "t", TokenHeader: "x-token"}
	free := store.SourceAuth{Unverified: true}
	for name, tt := range map[string]struct {
		source store.Source
		wrong  string // members, with spaces between them
	}{
		"no dialect":                 {store.Source{}, "dialect"},
		"unknown dialect":            {store.Source{Dialect: "zoom", Auth: free}, "dialect"},
		"no proof":                   {store.Source{Dialect: "zuddl"}, "secret"},
		"no proof, token":            {store.Source{Dialect: "iotum"}, "token"},
		"no proof, key":              {store.Source{Dialect: "standard"}, "secret"},
		"proof and none":             {store.Source{Dialect: "zuddl", Auth: store.SourceAuth{Secrets: []string{"x"}, Token: "t", TokenHeader: "x", Unverified: true}}, "secret token"},
		"key for zuddl":              {store.Source{Dialect: "zuddl", Auth: store.SourceAuth{Key: public}}, "key"},
		"key for iotum":              {store.Source{Dialect: "iotum", Auth: store.SourceAuth{Key: public}}, "key"},
		"secret for iotum":           {store.Source{Dialect: "iotum", Auth: store.SourceAuth{Secrets: []string{secret}}}, "secret"},
		"signature for iotum":        {store.Source{Dialect: "iotum", Auth: store.SourceAuth{Token: "t", Encoding: "hex"}}, "signature"},
		"typeField for iotum":        {store.Source{Dialect: "iotum", TypeField: "a", Auth: store.SourceAuth{Token: "t"}}, "typeField"},
		"typeHeader for standard":    {store.Source{Dialect: "standard", TypeHeader: "a", Auth: free}, "typeHeader"},
		"two places of a type":       {store.Source{Dialect: "raw", TypeHeader: "a", TypeField: "b", Auth: free}, "typeField"},
		"no header":                  {store.Source{Dialect: "raw", TypeHeader: "a b", Auth: free}, "typeHeader"},
		"no path":                    {store.Source{Dialect: "raw", TypeField: "a..b", Auth: free}, "typeField"},
		"token without header":       {store.Source{Dialect: "sessionboard", Auth: store.SourceAuth{Token: "t"}}, "tokenHeader"},
		"header without token":       {store.Source{Dialect: "sessionboard", Auth: store.SourceAuth{Secrets: []string{secret}, TokenHeader: "x"}}, "tokenHeader"},
		"header that never arrives":  {store.Source{Dialect: "raw", Auth: store.SourceAuth{Token: "t", TokenHeader: "Host"}}, "tokenHeader"},
		"token no header can carry":  {store.Source{Dialect: "iotum", Auth: store.SourceAuth{Token: "a\nb"}}, "token"},
		"next token":                 {store.Source{Dialect: "iotum", Auth: store.SourceAuth{Token: "t", NextToken: " t"}}, "token"},
		"secret of the wrong form":   {store.Source{Dialect: "oration", Auth: store.SourceAuth{Secrets: []string{"hush"}}}, "secret"},
		"second secret":              {store.Source{Dialect: "oration", Auth: store.SourceAuth{Secrets: []string{secret, "hush"}}}, "secret"},
		"secret that is private":     {store.Source{Dialect: "oration", Auth: store.SourceAuth{Secrets: []string{key.Reveal()}}}, "secret"},
		"secret that is public":      {store.Source{Dialect: "oration", Auth: store.SourceAuth{Secrets: []string{public}}}, "secret"},
		"secret and key":             {store.Source{Dialect: "oration", Auth: store.SourceAuth{Secrets: []string{secret}, Key: public}}, "secret"},
		"secret that is no hex":      {store.Source{Dialect: "zuddl", Auth: store.SourceAuth{Secrets: []string{"xyz"}, SecretForm: "hex"}}, "secret"},
		"short text":                 {store.Source{Dialect: "standard", Auth: store.SourceAuth{Secrets: []string{"short"}, SecretForm: "text"}}, "secret"},
		"empty secret":               {store.Source{Dialect: "zuddl", Auth: store.SourceAuth{Secrets: []string{""}}}, "secret"},
		"key that is none":           {store.Source{Dialect: "standard", Auth: store.SourceAuth{Key: "whpk_x"}}, "key"},
		"key that is private":        {store.Source{Dialect: "standard", Auth: store.SourceAuth{Key: key.Reveal()}}, "key"},
		"encoding without header":    {store.Source{Dialect: "standard", Auth: store.SourceAuth{Secrets: []string{secret}, Encoding: "hex"}}, "signature.encoding"},
		"unknown encoding":           {store.Source{Dialect: "zuddl", Auth: store.SourceAuth{Secrets: []string{"x"}, Encoding: "octal"}}, "signature.encoding"},
		"unknown form":               {store.Source{Dialect: "zuddl", Auth: store.SourceAuth{Secrets: []string{"x"}, SecretForm: "octal"}}, "signature.secret"},
		"signature without secret":   {store.Source{Dialect: "raw", Auth: store.SourceAuth{Token: "t", TokenHeader: "x", SignatureHeader: "y", Encoding: "hex"}}, "signature"},
		"signature header":           {store.Source{Dialect: "raw", Auth: store.SourceAuth{Secrets: []string{"x"}, SignatureHeader: "y:", Encoding: "hex"}}, "signature.header"},
		"prefix":                     {store.Source{Dialect: "zuddl", Auth: store.SourceAuth{Secrets: []string{"x"}, Encoding: "hex", Prefix: strings.Repeat("p", 65)}}, "signature.prefix"},
		"handshake":                  {store.Source{Dialect: "raw", Auth: store.SourceAuth{Unverified: true, Handshake: "a\x00"}}, "handshakeSecret"},
		"zuddl's":                    {store.Source{Dialect: "zuddl", Auth: store.SourceAuth{Secrets: []string{"x"}}}, ""},
		"zuddl's with a token":       {store.Source{Dialect: "zuddl", Auth: store.SourceAuth{Secrets: []string{"x"}, Token: "t", TokenHeader: "x"}}, ""},
		"iotum's":                    {store.Source{Dialect: "iotum", Auth: store.SourceAuth{Token: "t"}}, ""},
		"sessionboard's with header": {store.Source{Dialect: "sessionboard", Auth: token}, ""},
		"unverified with handshake":  {store.Source{Dialect: "raw", TypeField: "event.type", Auth: store.SourceAuth{Unverified: true, Handshake: "h"}}, ""},
		"raw with a signature":       {store.Source{Dialect: "raw", TypeHeader: "X-Event", Auth: store.SourceAuth{Secrets: []string{"short"}, SignatureHeader: "x-sig", Encoding: "base64"}}, ""},
		"long text":                  {store.Source{Dialect: "standard", Auth: store.SourceAuth{Secrets: []string{strings.Repeat("long", 8)}, SecretForm: "text"}}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := []string{}
			err := source.Check(&tt.source, set)
			if e, ok := errors.AsType[*errs.Error](err); ok {
				for _, f := range e.Fields {
					got = append(got, strings.Join(f.Loc[1:], "."))
				}
			}
			slices.Sort(got)
			if diff := cmp.Diff(strings.Fields(tt.wrong), got); diff != "" || (err == nil) != (tt.wrong == "") {
				t.Errorf("error %v (-want +got):\n%s", err, diff)
			}
			for _, private := range []string{"hush", "xyz", "short", "octal", public, secret, key.Reveal()} {
				if err != nil && strings.Contains(err.Error(), private) {
					t.Errorf("the error quotes a value: %v", err)
				}
			}
		})
	}
}

// TestCheckSaysWhatToGive where nothing would prove a request.
func TestCheckSaysWhatToGive(t *testing.T) {
	t.Parallel()
	for name, want := range map[string][]string{
		"iotum":    {"a token", "unverified: true"},
		"zuddl":    {"a secret", "tokenHeader", "unverified: true"},
		"standard": {"a secret", "tokenHeader", "a key", "unverified: true"},
	} {
		err := source.Check(&store.Source{Dialect: name}, set)
		for _, text := range want {
			if err == nil || !strings.Contains(err.Error(), text) {
				t.Errorf("%s: %v names no %s", name, err, text)
			}
		}
	}
}

// TestDialect finds the vendors' dialects and those that only sources have.
func TestDialect(t *testing.T) {
	t.Parallel()
	want := []string{"iotum", "native", "oration", "raw", "sessionboard", "standard", "zuddl"}
	if diff := cmp.Diff(want, source.Names(set)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for _, name := range want {
		if d, ok := source.Dialect(set, &store.Source{Dialect: name}); !ok || d.Name() != name {
			t.Errorf("%s is not found", name)
		}
	}
	for _, name := range []string{"", "zoom"} {
		if _, ok := source.Dialect(set, &store.Source{Dialect: name}); ok {
			t.Errorf("%q is found", name)
		}
	}
	d, _ := source.Dialect(set, &store.Source{Dialect: "raw", TypeHeader: "a", TypeField: "b"})
	if d != (native.Raw{TypeHeader: "a", TypeField: "b"}) {
		t.Errorf("it is %+v", d)
	}
}

// TestMask hides what could be used again, and bounds the rest.
func TestMask(t *testing.T) {
	t.Parallel()
	s := &store.Source{Auth: store.SourceAuth{Token: "open sesame", TokenHeader: "x-vendor", Secrets: []string{"hush hush"}}}
	h := http.Header{
		"Content-Type": {"application/json"}, "Svix-Signature": {"v1,x", "v1,y"}, "Authorization": {"Basic x"}, "Cookie": {"a=b"},
		"X-Vendor": {"wrong"}, "X-Other": {"Bearer open sesame"}, "X-Third": {"-hush hush-"}, "X-Api-Key": {"k"},
		"X-Some-Secret": {"k"}, "X-Signing-Token": {"k"}, "X-Long": {strings.Repeat("é", 1000)}, "X-Bad": {"a\xff"},
	}
	want := map[string][]string{
		"content-type": {"application/json"}, "svix-signature": {"v1,x", "v1,y"}, "authorization": {source.Masked}, "cookie": {source.Masked},
		"x-vendor": {source.Masked}, "x-other": {source.Masked}, "x-third": {source.Masked}, "x-api-key": {source.Masked},
		"x-some-secret": {source.Masked}, "x-signing-token": {source.Masked}, "x-long": {strings.Repeat("é", 256) + "…"}, "x-bad": {"a\uFFFD"},
	}
	if diff := cmp.Diff(want, source.Mask(h, s)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	many, size := http.Header{}, 0
	for i := range 500 {
		many["X"+strings.Repeat("-", i+1)] = slices.Repeat([]string{"a"}, 500)
	}
	for name, values := range source.Mask(many, s) {
		size += (len(name) + 1) * len(values)
	}
	if size > 16<<10 || size < 15<<10 {
		t.Errorf("%d bytes are kept", size)
	}
	typed := &store.Source{TypeHeader: "X-Event-Key", Auth: store.SourceAuth{Token: "t", TokenHeader: "x-event-key"}}
	if got := source.Mask(http.Header{"X-Event-Key": {"push"}}, typed)["x-event-key"]; !slices.Equal(got, []string{source.Masked}) {
		t.Errorf("a header of the token is shown as %q", got)
	}
	typed.Auth = store.SourceAuth{Unverified: true}
	if got := source.Mask(http.Header{"X-Event-Key": {"push"}}, typed)["x-event-key"]; !slices.Equal(got, []string{"push"}) {
		t.Errorf("a header of the event type is shown as %q", got)
	}
}

// TestMaskedNames: a header that carries a credential is known by its name, and a
// signature is shown whatever else its name holds.
func TestMaskedNames(t *testing.T) {
	t.Parallel()
	s := &store.Source{Auth: store.SourceAuth{Secrets: []string{"hush hush"}, SignatureHeader: "x-auth-proof"}}
	for name, masked := range map[string]bool{
		"X-Auth": true, "Proxy-Authorization": true, "X-Passwd": true, "X-Pwd": true, "X-Pass": true, "X-Bearer": true, "X-Access": true,
		"X-Session": true, "Phpsessionid": true, "X-Credentials": true,
		"X-Sessionboard-Signature": false, "X-Sessionboard-Event": false, "X-Sessionboard-Session": true, "X-Key-Signature": false,
		"X-Auth-Proof": false, "X-Compass": false, "User-Agent": false, "X-Event": false,
	} {
		want := []string{"v"}
		if masked {
			want[0] = source.Masked
		}
		if diff := cmp.Diff(want, source.Mask(http.Header{name: {"v"}}, s)[strings.ToLower(name)]); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	if got := source.Mask(http.Header{"X-Auth-Proof": {"hush hush"}}, s)["x-auth-proof"]; !slices.Equal(got, []string{source.Masked}) {
		t.Errorf("a secret in the signature's header is shown as %q", got)
	}
}

// TestMaskOrder: of more headers than there is room for, those that are read again stay.
func TestMaskOrder(t *testing.T) {
	t.Parallel()
	s := &store.Source{TypeHeader: "Z-Type", Auth: store.SourceAuth{SignatureHeader: "z-proof"}}
	needed := map[string][]string{
		"content-type": {"c"}, "webhook-id": {"w"}, "svix-id": {"s"}, "z-type": {"t"}, "z-proof": {"p"}, "x-webhook-signature": {"x"},
	}
	h := http.Header{"Aa": slices.Repeat([]string{strings.Repeat("a", 500)}, 100)}
	for name, values := range needed {
		h[http.CanonicalHeaderKey(name)] = values
	}
	got := source.Mask(h, s)
	if n := len(got["aa"]); n < 20 || n > 40 {
		t.Errorf("%d of the other values are kept", n)
	}
	delete(got, "aa")
	if diff := cmp.Diff(needed, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
