package settings_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/callboard/callboard/internal/dialect"
	"github.com/callboard/callboard/internal/dialect/native"
	"github.com/callboard/callboard/internal/errs"
	"github.com/callboard/callboard/internal/settings"
)

var known = []string{"iotum", "native", "zuddl"}

func TestOf(t *testing.T) {
	t.Parallel()
	all := settings.Settings{Catalog: settings.Catalog{All: true}, SchemaValidation: settings.Strict, Dialects: known, DefaultDialect: "native"}
	for doc, want := range map[string]settings.Settings{
		"":                    all,
		`{}`:                  all,
		`{"later":{"a":[1]}}`: all,
		`{"catalog":"none","schemaValidation":"warn","dialects":["zuddl"],"defaultDialect":"zuddl"}`: {
			SchemaValidation: settings.Warn, Dialects: []string{"zuddl"}, DefaultDialect: "zuddl",
		},
		`{"catalog":["zuddl"]}`: {
			Catalog: settings.Catalog{Dialects: []string{"zuddl"}}, SchemaValidation: settings.Strict, Dialects: known, DefaultDialect: "native",
		},
	} {
		var stored []byte
		if doc != "" {
			stored = []byte(doc)
		}
		got, err := settings.Of(stored, known)
		if err != nil {
			t.Errorf("%s: %v", doc, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", doc, diff)
		}
	}
	for _, broken := range []string{`{`, `{"catalog":"some"}`, `{"catalog":5}`, `{"dialects":"zuddl"}`, ``} {
		if _, err := settings.Of([]byte(broken), known); err == nil {
			t.Errorf("%q was read", broken)
		}
	}
}

func TestCatalogJSON(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{`"all"`: `"all"`, `"none"`: `"none"`, `[]`: `"none"`, `null`: `"none"`, `["b","a"]`: `["b","a"]`} {
		var c settings.Catalog
		if err := json.Unmarshal([]byte(in), &c); err != nil && in != "null" {
			t.Fatal(in, err)
		}
		got, err := json.Marshal(c)
		if err != nil || string(got) != want {
			t.Errorf("%s became %s (%v), want %s", in, got, err, want)
		}
	}
}

// complaint is where an error says that something is wrong; "" for no error.
func complaint(t *testing.T, err error) string {
	t.Helper()
	if err == nil {
		return ""
	}
	e, ok := errors.AsType[*errs.Error](err)
	if !ok || e.Kind != errs.Invalid || len(e.Fields) != 1 {
		t.Fatalf("error %v", err)
	}
	return strings.Join(e.Fields[0].Loc, ".")
}

func TestCheck(t *testing.T) {
	t.Parallel()
	for doc, want := range map[string]string{
		`{}`: "",
		`{"catalog":["zuddl","native"],"dialects":["iotum"],"defaultDialect":"iotum"}`: "",
		`{"resourceUrlBase":"https://a.example/b"}`:                                    "",
		`{"resourceUrlBase":"//a.example"}`:                                            "body.resourceUrlBase",
		`{"catalog":["martian"]}`:                                                      "body.catalog",
		`{"schemaValidation":"off"}`:                                                   "body.schemaValidation",
		`{"dialects":[]}`:                                                              "body.dialects",
		`{"dialects":["native","martian"]}`:                                            "body.dialects",
		`{"dialects":["native",""]}`:                                                   "body.dialects",
		`{"dialects":["iotum"]}`:                                                       "body.defaultDialect",
		`{"defaultDialect":"martian"}`:                                                 "body.defaultDialect",
		`{"dialects":["zuddl"],"defaultDialect":"native"}`:                             "body.defaultDialect",
		`{"catalog":["martian"],"defaultDialect":"martian"}`:                           "body.catalog",
	} {
		d, err := settings.Parse([]byte(doc))
		if err != nil {
			t.Fatal(doc, err)
		}
		if got := complaint(t, d.Check(known)); got != want {
			t.Errorf("%s: complaint %q, want %q", doc, got, want)
		}
	}
}

// TestNarrowed takes an app's choice and the org's together; whatever the app allows
// that the org has taken away since is gone.
func TestNarrowed(t *testing.T) {
	t.Parallel()
	org := func(preferred string, dialects ...string) settings.Settings {
		return settings.Settings{Dialects: dialects, DefaultDialect: preferred}
	}
	for name, tt := range map[string]struct {
		org          settings.Settings
		app          []string
		preferred    string
		want         []string
		wantDefault  string
		wantProblems string
	}{
		"no choice":                {org("native", known...), nil, "", known, "native", ""},
		"fewer":                    {org("native", known...), []string{"zuddl", "native"}, "", []string{"zuddl", "native"}, "native", ""},
		"another default":          {org("native", known...), nil, "zuddl", known, "zuddl", ""},
		"fewer, another default":   {org("native", known...), []string{"zuddl"}, "zuddl", []string{"zuddl"}, "zuddl", ""},
		"without the org's":        {org("native", known...), []string{"zuddl"}, "", []string{"zuddl"}, "zuddl", "body.defaultDialect"},
		"a default that is not in": {org("native", known...), []string{"native"}, "zuddl", []string{"native"}, "native", "body.defaultDialect"},
		"more than the org's":      {org("native", "native"), []string{"native", "zuddl"}, "", []string{"native"}, "native", "body.dialects"},
		"none":                     {org("native", known...), []string{}, "", []string{}, "", "body.dialects"},
		"all taken away":           {org("native", "native"), []string{"zuddl"}, "zuddl", []string{}, "", "body.dialects"},
		"the default taken away":   {org("native", "native", "iotum"), nil, "zuddl", []string{"native", "iotum"}, "native", "body.defaultDialect"},
	} {
		got := tt.org.Narrowed(tt.app, tt.preferred)
		if diff := cmp.Diff(org(tt.wantDefault, tt.want...), got, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
		if got := complaint(t, tt.org.CheckNarrowed(tt.app, tt.preferred)); got != tt.wantProblems {
			t.Errorf("%s: complaint %q, want %q", name, got, tt.wantProblems)
		}
	}
}

func TestValidBase(t *testing.T) {
	t.Parallel()
	long := "https://" + strings.Repeat("a", 1016)
	for base, want := range map[string]bool{
		"": true, "https://a.example": true, "http://127.0.0.1:8071/": true, "https://a.example/b/c": true, "https://[::1]:1": true, long: true,
		long + "a": false, "a.example": false, "/v1": false, "ftp://a.example": false, "https://": false, "https://:80": false,
		"https:a.example": false, "https://a.example?": false, "https://a.example/?b=c": false, "https://a.example#": false,
		"https://user@a.example": false, "https://user:hush@a.example": false, " https://a.example": false, "https://a.example\n": false, "https://a b": false,
	} {
		if got := settings.ValidBase(base); got != want {
			t.Errorf("%.80q: %v, want %v", base, got, want)
		}
	}
}

func TestBase(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ org, app, want string }{{"", "", ""}, {"o", "", "o"}, {"", "a", "a"}, {"o", "a", "a"}} {
		s := settings.Settings{ResourceURLBase: tt.org}
		if got := s.Base(tt.app); got != tt.want {
			t.Errorf("org %q, app %q: %q, want %q", tt.org, tt.app, got, tt.want)
		}
	}
}

// loud says one type, and another one as a translation.
type loud struct{ native.Dialect }

func (loud) Name() string { return "loud" }

func (loud) Word(eventType string) (string, dialect.Fit) {
	switch eventType {
	case "a.exact":
		return "A", dialect.Exact
	case "a.near":
		return "A", dialect.Translated
	}
	return "", dialect.Unsaid
}

func TestOffers(t *testing.T) {
	t.Parallel()
	set := dialect.NewSet(native.Dialect{}, loud{})
	for doc, want := range map[string][4]bool{ // a.exact, a.near, a.other; types of loud alone
		`"all"`:             {true, true, true, true},
		`"none"`:            {false, false, false, false},
		`["loud"]`:          {true, false, false, true},
		`["native"]`:        {true, true, true, false},
		`["gone"]`:          {false, false, false, false},
		`["gone","loud"]`:   {true, false, false, true},
		`["native","loud"]`: {true, true, true, true},
	} {
		var c settings.Catalog
		if err := json.Unmarshal([]byte(doc), &c); err != nil {
			t.Fatal(err)
		}
		got := [4]bool{c.Offers("a.exact", &set), c.Offers("a.near", &set), c.Offers("a.other", &set), c.OffersForeign("loud")}
		if got != want {
			t.Errorf("%s offers %v, want %v", doc, got, want)
		}
	}
}
