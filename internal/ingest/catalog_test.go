package ingest_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/callboard/callboard/internal/delivery"
	"github.com/callboard/callboard/internal/errs"
	"github.com/callboard/callboard/internal/id"
	"github.com/callboard/callboard/internal/ingest"
	"github.com/callboard/callboard/internal/ingest/ingesttest"
	"github.com/callboard/callboard/internal/store"
	"github.com/callboard/callboard/internal/testenv"
)

// set writes the settings of the tests' org.
func set(t *testing.T, e *ingesttest.Engine, doc string) {
	t.Helper()
	err := e.Service.UpdateSettings(t.Context(), ingesttest.Org, func([]byte) ([]byte, error) { return []byte(doc), nil })
	if err != nil {
		t.Fatal(err)
	}
}

// declare makes an event type of the org's own, archived or not.
func declare(t *testing.T, e *ingesttest.Engine, name string, archived bool) {
	t.Helper()
	_, err := e.Service.UpdateEventType(t.Context(), ingesttest.Org, name, true, func(k *store.EventType) error {
		k.Archived = archived
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// nativeBody makes a native body.
func nativeBody(eventType, data string) []byte {
	return []byte(`{"type":"` + eventType + `","timestamp":"2026-05-01T12:00:00.000Z","data":` + data + `}`)
}

// message reads a message.
func message(t *testing.T, e *ingesttest.Engine, app ingest.AppRef, m id.ID) store.Message {
	t.Helper()
	got, err := e.Store.Message(t.Context(), app.ID, store.Ref{ID: m})
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// TestCatalogMessages sends under all settings: whose a message is decides who hears it,
// and what its payload must be.
func TestCatalogMessages(t *testing.T) {
	t.Parallel()
	fits, misfit := `{"id":"1"}`, `{`+ingesttest.Misfit+`:1}`
	for name, tt := range map[string]struct {
		settings string
		declare  func(*testing.T, *ingesttest.Engine)
		kind     string
		data     string
		heard    string // by which endpoints
		ours     bool   // the message is the catalogue's
		complain string // where the refusal or the warning says that something is wrong
		accepted bool   // in spite of it
	}{
		"an exact word":         {kind: ingesttest.TerseWord, data: fits, heard: "native terse exact shared", ours: true},
		"a translation":         {kind: ingesttest.NearWord, data: fits, heard: "native terse shared", ours: true},
		"no word of terse's":    {kind: ingesttest.QuietWord, data: fits, heard: "native shared", ours: true},
		"terse's alone":         {kind: ingesttest.ForeignWord, data: fits, heard: "native terse exact", ours: true},
		"nobody's":              {kind: "a.b", data: fits, heard: "native"},
		"nobody's, misfit":      {kind: "a.b", data: misfit, heard: "native"},
		"like terse's alone":    {kind: "terse.", data: misfit, heard: "native"},
		"native's own name":     {kind: "native.word", data: misfit, heard: "native"},
		"misfit":                {kind: ingesttest.TerseWord, data: misfit, complain: "body.payload.data.id"},
		"terse's alone, misfit": {kind: ingesttest.ForeignWord, data: `[]`, complain: "body.payload.data"},
		"misfit, warn": {
			settings: `{"schemaValidation":"warn"}`, kind: ingesttest.TerseWord, data: misfit,
			heard: "native terse exact shared", ours: true, complain: "body.payload.data.id", accepted: true,
		},
		"terse's alone, misfit, warn": {
			settings: `{"schemaValidation":"warn"}`, kind: ingesttest.ForeignWord, data: `4`,
			heard: "native terse exact", ours: true, complain: "body.payload.data", accepted: true,
		},
		"no catalogue":                {settings: `{"catalog":"none"}`, kind: ingesttest.TerseWord, data: misfit, heard: "native"},
		"no catalogue, terse's alone": {settings: `{"catalog":"none"}`, kind: ingesttest.ForeignWord, data: `4`, heard: "native"},
		"terse's catalogue":           {settings: `{"catalog":["terse"]}`, kind: ingesttest.TerseWord, data: fits, heard: "native terse exact shared", ours: true},
		"terse's, alone":              {settings: `{"catalog":["terse"]}`, kind: ingesttest.ForeignWord, data: fits, heard: "native terse exact", ours: true},
		"terse's, a translation":      {settings: `{"catalog":["terse"]}`, kind: ingesttest.NearWord, data: misfit, heard: "native"},
		"shared's, terse's alone":     {settings: `{"catalog":["shared"]}`, kind: ingesttest.ForeignWord, data: fits, heard: "native"},
		"shared's":                    {settings: `{"catalog":["shared"]}`, kind: ingesttest.NearWord, data: fits, heard: "native terse shared", ours: true},
		"shadowed": {
			declare: func(t *testing.T, e *ingesttest.Engine) { declare(t, e, ingesttest.TerseWord, false) },
			kind:    ingesttest.TerseWord, data: misfit, heard: "native",
		},
		"shadowed, terse's alone": {
			declare: func(t *testing.T, e *ingesttest.Engine) { declare(t, e, ingesttest.ForeignWord, false) },
			kind:    ingesttest.ForeignWord, data: `4`, heard: "native",
		},
		"another is shadowed": {
			declare: func(t *testing.T, e *ingesttest.Engine) { declare(t, e, ingesttest.NearWord, false) },
			kind:    ingesttest.TerseWord, data: fits, heard: "native terse exact shared", ours: true,
		},
		"shadowed by an archived one": {
			declare: func(t *testing.T, e *ingesttest.Engine) { declare(t, e, ingesttest.TerseWord, true) },
			kind:    ingesttest.TerseWord, data: fits, heard: "native terse exact shared", ours: true,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := ingesttest.New(t)
			if tt.settings != "" {
				set(t, e, tt.settings)
			}
			if tt.declare != nil {
				tt.declare(t, e)
			}
			app := e.App(named("acme"))
			endpoints := []struct {
				name string
				id   id.ID
			}{
				{"native", e.Endpoint(app)},
				{"terse", e.Endpoint(app, func(p *delivery.Endpoint) { p.Dialect = ingesttest.Terse })},
				{"exact", e.Endpoint(app, func(p *delivery.Endpoint) { p.Dialect, p.NoTranslate = ingesttest.Terse, true })},
				{"shared", e.Endpoint(app, func(p *delivery.Endpoint) { p.Dialect = ingesttest.Shared })},
			}
			r, err := e.Service.PostMessage(t.Context(), app, ingest.Key{}, ingest.Message{EventType: tt.kind, Payload: nativeBody(tt.kind, tt.data)})
			if tt.complain != "" && !tt.accepted {
				if diff := cmp.Diff([]string{tt.complain}, fields(t, err)); diff != "" {
					t.Errorf("complaints (-want +got):\n%s", diff)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			var heard []string
			for _, ep := range endpoints {
				if len(e.Heard(ep.id)) > 0 {
					heard = append(heard, ep.name)
				}
			}
			if got := strings.Join(heard, " "); got != tt.heard {
				t.Errorf("heard by %q, want %q", got, tt.heard)
			}
			tenant := ""
			if tt.ours {
				tenant = "acme"
			}
			if got := message(t, e, app, r.ID).Tenant; got != tenant {
				t.Errorf("tenant %q, want %q", got, tenant)
			}
			var warned []string
			for _, f := range r.Warnings {
				warned = append(warned, strings.Join(f.Loc, "."))
			}
			if got := strings.Join(warned, " "); got != tt.complain {
				t.Errorf("warned of %q, want %q", got, tt.complain)
			}
		})
	}
}

// TestForeignBody wants the frame of a native body where there is no schema.
func TestForeignBody(t *testing.T) {
	t.Parallel()
	e := ingesttest.New(t)
	app := e.App()
	kind := ingesttest.ForeignWord
	for payload, want := range map[string]string{
		string(nativeBody(kind, `{}`)): "",
		`{"data":{"type":"x","data":4},"more":[{"timestamp":1}],"timestamp":"2026-05-01T12:00:00+02:00","type":"` + kind + `"}`: "",
		string(nativeBody("terse.OTHER", `{}`)):                       "body.payload.type",
		string(nativeBody(kind, `null`)):                              "body.payload.data",
		`{"type":"` + kind + `","timestamp":"2026-05-01T12:00:00Z"}`:  "body.payload.data",
		`{"type":"` + kind + `","timestamp":"yesterday","data":{}}`:   "body.payload.timestamp",
		`{"type":"` + kind + `","timestamp":17,"data":{}}`:            "body.payload.timestamp",
		`{"type":{"type":"` + kind + `"},"timestamp":[],"data":"{}"}`: "body.payload.type body.payload.timestamp body.payload.data",
		`{}`: "body.payload.type body.payload.timestamp body.payload.data",
		`{"data":{},"data":1,"type":"` + kind + `","timestamp":"2026-05-01T12:00:00Z"}`: "body.payload.data",
	} {
		_, err := e.Service.PostMessage(t.Context(), app, ingest.Key{}, ingest.Message{EventType: kind, Payload: []byte(payload)})
		if got := strings.Join(fields(t, err), " "); got != want {
			t.Errorf("%s: complaints %q, want %q", payload, got, want)
		}
	}
}

// TestTenantWithoutUID calls an app by its id that has no name of its own, and keeps what
// it was called.
func TestTenantWithoutUID(t *testing.T) {
	t.Parallel()
	e := ingesttest.New(t)
	app := e.App()
	first := e.Post(app, func(m *ingest.Message) { m.EventType = ingesttest.TerseWord })
	if _, err := rename(e, app, "late"); err != nil {
		t.Fatal(err)
	}
	second := e.Post(app, func(m *ingest.Message) { m.EventType = ingesttest.TerseWord })
	got := []string{message(t, e, app, first).Tenant, message(t, e, app, second).Tenant}
	if diff := cmp.Diff([]string{e.Codec.Encode(id.App, app.ID), "late"}, got); diff != "" {
		t.Errorf("tenants (-want +got):\n%s", diff)
	}
}

// TestWarningsAgain repeats a request that was warned: the answer is the same, also where
// the setting has changed since, and where the message was not the catalogue's.
func TestWarningsAgain(t *testing.T) {
	t.Parallel()
	e := ingesttest.New(t)
	app := e.App()
	payload := nativeBody(ingesttest.TerseWord, `{`+ingesttest.Misfit+`:1}`)
	send := func(value string) int {
		t.Helper()
		key := ingest.Key{Scope: "s", Value: value, Body: payload}
		r, err := e.Service.PostMessage(t.Context(), app, key, ingest.Message{EventType: ingesttest.TerseWord, Payload: payload})
		if err != nil {
			t.Fatal(err)
		}
		return len(r.Warnings)
	}
	set(t, e, `{"catalog":"none"}`)
	unwarned := send("own")
	set(t, e, `{"schemaValidation":"warn"}`)
	if got := []int{unwarned, send("own"), send("ours"), send("ours")}; !cmp.Equal([]int{0, 0, 1, 1}, got) {
		t.Errorf("warnings %v, want none twice, then one twice", got)
	}
	set(t, e, `{}`)
	if got := send("ours"); got != 1 {
		t.Errorf("%d warnings where the org has become strict, want 1", got)
	}
}

// TestExampleFollowsTheRule sends examples and resends: both know whose a message is.
func TestExampleFollowsTheRule(t *testing.T) {
	t.Parallel()
	e := ingesttest.New(t)
	app := e.App()
	terse := e.Endpoint(app, func(p *delivery.Endpoint) { p.Dialect = ingesttest.Terse })
	example := func(kind, data string) error {
		_, err := e.Service.SendExample(context.Background(), app, store.Ref{ID: terse}, ingest.Key{}, kind, nativeBody(kind, data))
		return err
	}
	if err := example(ingesttest.TerseWord, `{}`); err != nil {
		t.Error(err)
	}
	for kind, want := range map[string]string{ingesttest.QuietWord: "body.eventType", "a.b": "body.eventType"} {
		if got := strings.Join(fields(t, example(kind, `{}`)), " "); got != want {
			t.Errorf("%s: complaints %q, want %q", kind, got, want)
		}
	}
	if got := strings.Join(fields(t, example(ingesttest.TerseWord, `{`+ingesttest.Misfit+`:1}`)), " "); got != "body.payload.data.id" {
		t.Errorf("complaints of a misfit: %q", got)
	}
	ours := e.Post(app, func(m *ingest.Message) { m.EventType = ingesttest.TerseWord })
	declare(t, e, ingesttest.TerseWord, false)
	own := e.Post(app, func(m *ingest.Message) { m.EventType = ingesttest.TerseWord })
	if got := strings.Join(fields(t, example(ingesttest.TerseWord, `{}`)), " "); got != "body.eventType" {
		t.Errorf("complaints of the org's own type: %q", got)
	}
	resend := func(m id.ID) error {
		return e.Service.Resend(t.Context(), app, store.Ref{ID: m}, store.Ref{ID: terse}, ingest.Key{})
	}
	if err := resend(ours); err != nil {
		t.Error("a message that was the catalogue's when it came in:", err)
	}
	wantKind(t, errs.Conflict, resend(own))
}

// TestCatalogTypesStay refuses to change what is the catalogue's, until the org has a type
// of that name.
func TestCatalogTypesStay(t *testing.T) {
	t.Parallel()
	e := ingesttest.New(t)
	patch := func(name string) error {
		_, err := e.Service.UpdateEventType(t.Context(), ingesttest.Org, name, false, func(*store.EventType) error { return nil })
		return err
	}
	remove := func(name string, expunge bool) error {
		return e.Service.DeleteEventType(t.Context(), ingesttest.Org, name, expunge)
	}
	for _, err := range []error{patch(ingesttest.TerseWord), remove(ingesttest.TerseWord, false), remove(ingesttest.TerseWord, true)} {
		wantKind(t, errs.Conflict, err)
		if e, ok := errors.AsType[*errs.Error](err); ok && !strings.Contains(e.Detail, "declare your own") {
			t.Errorf("%q does not say what to do", e.Detail)
		}
	}
	wantKind(t, errs.NotFound, patch("a.b"))
	wantKind(t, errs.NotFound, patch(ingesttest.ForeignWord)) // it can be sent, and is not in the list
	declare(t, e, ingesttest.TerseWord, false)
	for _, err := range []error{patch(ingesttest.TerseWord), remove(ingesttest.TerseWord, false), remove(ingesttest.TerseWord, true)} {
		if err != nil {
			t.Error("the org's own:", err)
		}
	}
	wantKind(t, errs.Conflict, patch(ingesttest.TerseWord))
	set(t, e, `{"catalog":"none"}`)
	wantKind(t, errs.NotFound, patch(ingesttest.TerseWord))
}

// TestDialectWords subscribes in either name; what is stored are Callboard's.
func TestDialectWords(t *testing.T) {
	t.Parallel()
	e := ingesttest.New(t)
	app := e.App()
	for name, tt := range map[string]struct {
		dialect     string
		noTranslate bool
		filter      []string
		want        []string
		complain    string
		says        string
	}{
		"its word":               {ingesttest.Terse, false, []string{"WORD"}, []string{ingesttest.TerseWord, ingesttest.NearWord}, "", ""},
		"its word, exact":        {ingesttest.Terse, true, []string{"WORD"}, []string{ingesttest.TerseWord}, "", ""},
		"both names":             {ingesttest.Terse, false, []string{ingesttest.NearWord, "WORD", ingesttest.NearWord}, []string{ingesttest.NearWord, ingesttest.TerseWord}, "", ""},
		"a word of its own":      {ingesttest.Terse, true, []string{ingesttest.ForeignWord}, []string{ingesttest.ForeignWord}, "", ""},
		"a translation, exact":   {ingesttest.Terse, true, []string{"WORD", ingesttest.NearWord}, nil, "body.filterTypes.1", "says word.near only as a translation, and the endpoint has translate: false"},
		"unsaid":                 {ingesttest.Terse, false, []string{"WORD", "WORD", ingesttest.QuietWord}, nil, "body.filterTypes.2", "terse cannot say word.quiet"},
		"another dialect's":      {ingesttest.Shared, false, []string{"WORD"}, nil, "body.filterTypes.0", "shared cannot say WORD"},
		"several at once":        {ingesttest.Terse, false, []string{"a", "WORD", "b"}, nil, "body.filterTypes.0 body.filterTypes.2", "terse cannot say b"},
		"another case":           {ingesttest.Terse, false, []string{"word"}, nil, "body.filterTypes.0", "terse cannot say word"},
		"native, anything":       {"", false, []string{"WORD", "JOINED", "WORD"}, []string{"WORD", "JOINED"}, "", ""},
		"shared's word":          {ingesttest.Shared, true, []string{"WORD.QUIET"}, []string{ingesttest.QuietWord}, "", ""},
		"shadowed is no concern": {ingesttest.Shared, false, []string{ingesttest.TerseWord}, []string{ingesttest.TerseWord}, "", ""},
	} {
		r, err := e.Service.CreateEndpoint(t.Context(), app, ingest.Key{}, delivery.Endpoint{
			URL: "https://example.com", Dialect: tt.dialect, NoTranslate: tt.noTranslate, FilterTypes: tt.filter,
		})
		if got := strings.Join(fields(t, err), " "); got != tt.complain || err != nil && !strings.Contains(err.Error(), tt.says) {
			t.Errorf("%s: complaints %q (%v), want %q with %q", name, got, err, tt.complain, tt.says)
		}
		if err == nil {
			if diff := cmp.Diff(tt.want, endpoint(t, e, r.ID).FilterTypes); diff != "" {
				t.Errorf("%s: stored (-want +got):\n%s", name, diff)
			}
		}
	}
}

// TestFilterFollowsTheDialect changes what an endpoint's subscription hangs on.
func TestFilterFollowsTheDialect(t *testing.T) {
	t.Parallel()
	e := ingesttest.New(t)
	app := e.App()
	ep := e.Endpoint(app, func(p *delivery.Endpoint) {
		p.Dialect, p.FilterTypes = ingesttest.Terse, []string{ingesttest.NearWord}
	})
	change := func(do func(*delivery.Endpoint)) string {
		_, err := e.Service.UpdateEndpoint(t.Context(), app, store.Ref{ID: ep}, false, func(p *delivery.Endpoint) error {
			do(p)
			return nil
		})
		return strings.Join(fields(t, err), " ")
	}
	if got := change(func(p *delivery.Endpoint) { p.NoTranslate = true }); got != "body.filterTypes.0" {
		t.Errorf("without translations: complaints %q", got)
	}
	if got := change(func(p *delivery.Endpoint) { p.NoTranslate, p.FilterTypes = true, []string{"WORD"} }); got != "" {
		t.Errorf("with another filter: complaints %q", got)
	}
	if diff := cmp.Diff([]string{ingesttest.TerseWord}, endpoint(t, e, ep).FilterTypes); diff != "" {
		t.Errorf("stored (-want +got):\n%s", diff)
	}
}

// TestChoiceOfDialects gives endpoints the dialect that the app or the org prefers, and
// refuses others than they allow.
func TestChoiceOfDialects(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		settings  string
		app       func(*store.App)
		asked     string
		want      string
		complains bool
	}{
		"no choice":                 {want: ""},
		"no choice, asked":          {asked: ingesttest.Terse, want: ingesttest.Terse},
		"the org's default":         {settings: `{"defaultDialect":"terse"}`, want: ingesttest.Terse},
		"the org's default, asked":  {settings: `{"defaultDialect":"terse"}`, asked: "native", want: "native"},
		"not the org's":             {settings: `{"dialects":["native"]}`, asked: ingesttest.Terse, complains: true},
		"the app's default":         {app: func(a *store.App) { a.DefaultDialect = ingesttest.Terse }, want: ingesttest.Terse},
		"the app's default instead": {settings: `{"defaultDialect":"terse"}`, app: func(a *store.App) { a.DefaultDialect = "native" }, want: ""},
		"not the app's": {
			app: func(a *store.App) { a.Dialects, a.DefaultDialect = []string{ingesttest.Shared}, ingesttest.Shared }, asked: ingesttest.Terse, complains: true,
		},
		"native is not the app's": {
			app: func(a *store.App) { a.Dialects, a.DefaultDialect = []string{ingesttest.Shared}, ingesttest.Shared }, asked: "native", complains: true,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := ingesttest.New(t)
			if tt.settings != "" {
				set(t, e, tt.settings)
			}
			app := e.App(func(a *store.App) {
				if tt.app != nil {
					tt.app(a)
				}
			})
			ep := delivery.Endpoint{URL: "https://example.com", Dialect: tt.asked}
			r, err := e.Service.CreateEndpoint(t.Context(), app, ingest.Key{}, ep)
			_, put := e.Service.UpdateEndpoint(t.Context(), app, store.Ref{UID: "put"}, true, func(p *delivery.Endpoint) error {
				p.URL, p.Dialect = ep.URL, ep.Dialect
				return nil
			})
			if tt.complains {
				for _, err := range []error{err, put} {
					if diff := cmp.Diff([]string{"body.dialect"}, fields(t, err)); diff != "" {
						t.Errorf("complaints (-want +got):\n%s", diff)
					}
				}
				return
			}
			if err != nil || put != nil {
				t.Fatal(err, put)
			}
			if got := endpoint(t, e, r.ID).Dialect; got != tt.want {
				t.Errorf("dialect %q, want %q", got, tt.want)
			}
		})
	}
}

// TestAppsNarrow holds an app's choice to the org's when it is made, and lets it be when
// the org changes its mind.
func TestAppsNarrow(t *testing.T) {
	t.Parallel()
	e := ingesttest.New(t)
	set(t, e, `{"dialects":["native","terse"]}`)
	create := func(dialects []string, preferred string) error {
		_, err := e.Service.CreateApp(t.Context(), ingesttest.Org, ingest.Key{}, store.App{Name: "n", Dialects: dialects, DefaultDialect: preferred}, false)
		return err
	}
	app := e.App()
	update := func(do func(*store.App)) error {
		_, err := e.Service.UpdateApp(t.Context(), app, false, func(a *store.App) error { do(a); return nil })
		return err
	}
	for want, err := range map[string]error{
		"body.dialects":       create([]string{"shared"}, "shared"),
		"body.defaultDialect": create([]string{"terse"}, ""),
	} {
		if diff := cmp.Diff([]string{want}, fields(t, err)); diff != "" {
			t.Errorf("complaints of a new app (-want +got):\n%s", diff)
		}
	}
	if diff := cmp.Diff([]string{"body.dialects"}, fields(t, update(func(a *store.App) { a.Dialects = []string{} }))); diff != "" {
		t.Errorf("complaints of a change (-want +got):\n%s", diff)
	}
	if err := update(func(a *store.App) { a.Dialects, a.DefaultDialect = []string{"terse"}, "terse" }); err != nil {
		t.Fatal(err)
	}
	ep := e.Endpoint(app)
	set(t, e, `{"dialects":["native"]}`)
	if err := update(func(a *store.App) { a.Name = "other" }); err != nil {
		t.Errorf("another change: %v", err)
	}
	e.Change(app, ep, func(p *delivery.Endpoint) { p.Description = "other" }) // its dialect was allowed when it was chosen
	_, err := e.Service.CreateEndpoint(t.Context(), app, ingest.Key{}, delivery.Endpoint{URL: "https://example.com"})
	if diff := cmp.Diff([]string{"body.dialect"}, fields(t, err)); diff != "" {
		t.Errorf("an app that has no dialect left: complaints (-want +got):\n%s", diff)
	}
	if err := update(func(a *store.App) { a.Dialects, a.DefaultDialect = nil, "" }); err != nil {
		t.Errorf("back to the org's: %v", err)
	}
	if got := endpoint(t, e, e.Endpoint(app)).Dialect; got != "" {
		t.Errorf("dialect %q, want the org's", got)
	}
}

// TestSettingsCountAtOnce changes the settings again and again while the clock hardly moves:
// each message is held to the last ones.
func TestSettingsCountAtOnce(t *testing.T) {
	t.Parallel()
	ingesttest.Bubble(t, func(t *testing.T, e *ingesttest.Engine) {
		app := e.App()
		misfit := ingest.Message{EventType: ingesttest.TerseWord, Payload: nativeBody(ingesttest.TerseWord, `{`+ingesttest.Misfit+`:1}`)}
		for i := range 6 {
			strict := i%2 == 0
			if strict {
				set(t, e, `{"schemaValidation":"strict"}`)
			} else {
				set(t, e, `{"schemaValidation":"warn"}`)
			}
			if _, err := e.Service.PostMessage(t.Context(), app, ingest.Key{}, misfit); strict != (errs.KindOf(err) == errs.Invalid) || !strict && err != nil {
				t.Errorf("strict: %t: %v", strict, err)
			}
			testenv.Advance(100 * time.Nanosecond) // times are stored to the microsecond
		}
	})
}
