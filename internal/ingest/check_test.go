package ingest_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/callboard/callboard/internal/delivery"
	"github.com/callboard/callboard/internal/dialect"
	"github.com/callboard/callboard/internal/errs"
	"github.com/callboard/callboard/internal/ingest"
	"github.com/callboard/callboard/internal/ingest/ingesttest"
	"github.com/callboard/callboard/internal/netguard"
	"github.com/callboard/callboard/internal/store"
)

// marker is in every rejected value of the tables below; no error may repeat it.
const marker = "Zq7"

// long is a text of n bytes that begins with the marker and is a word.
func long(n int) string { return marker + strings.Repeat("x", n-len(marker)) }

// many are n different words.
func many(n int) []string {
	words := make([]string, n)
	for i := range words {
		words[i] = fmt.Sprintf("%s.%d", marker, i)
	}
	return words
}

// manyHeaders are n different headers.
func manyHeaders(n int) map[string]string {
	headers := map[string]string{}
	for i := range n {
		headers[fmt.Sprintf("X-%s-%d", marker, i)] = marker
	}
	return headers
}

// fields are the places that an error complains of, in its order; nil if there is no error.
func fields(t *testing.T, err error) []string {
	t.Helper()
	if err == nil {
		return nil
	}
	public, ok := errors.AsType[*errs.Error](err)
	if !ok || public.Kind != errs.Invalid {
		t.Fatalf("error %v, want a public one of kind Invalid", err)
	}
	if strings.Contains(err.Error(), marker) {
		t.Errorf("the error repeats the rejected value: %v", err)
	}
	var places []string
	for _, f := range public.Fields {
		if f.Msg == "" {
			t.Errorf("no word about %v", f.Loc)
		}
		places = append(places, strings.Join(f.Loc, "."))
	}
	return places
}

// check fails the test unless both ways in complain of the same places.
func check(t *testing.T, want string, created, updated error) {
	t.Helper()
	var places []string
	if want != "" {
		places = strings.Fields(want)
	}
	if diff := cmp.Diff(places, fields(t, created)); diff != "" {
		t.Errorf("create complains of (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(places, fields(t, updated)); diff != "" {
		t.Errorf("update complains of (-want +got):\n%s", diff)
	}
}

func TestCheckApp(t *testing.T) {
	t.Parallel()
	e := ingesttest.New(t)
	for name, tt := range map[string]struct {
		change func(*store.App)
		want   string // places, "" = accepted
	}{
		"as it is":               {func(*store.App) {}, ""},
		"no name":                {func(a *store.App) { a.Name = "" }, "body.name"},
		"longest name":           {func(a *store.App) { a.Name = long(4096) }, ""},
		"name too long":          {func(a *store.App) { a.Name = long(4097) }, "body.name"},
		"longest uid":            {func(a *store.App) { a.UID = long(256) }, ""},
		"uid too long":           {func(a *store.App) { a.UID = long(257) }, "body.uid"},
		"uid of all characters":  {func(a *store.App) { a.UID = "azAZ09-_." + marker }, ""},
		"uid with a blank":       {func(a *store.App) { a.UID = marker + " b" }, "body.uid"},
		"uid with a slash":       {func(a *store.App) { a.UID = marker + "/b" }, "body.uid"},
		"uid beyond ASCII":       {func(a *store.App) { a.UID = marker + "é" }, "body.uid"},
		"uid like an id":         {func(a *store.App) { a.UID = "app_" + marker }, "body.uid"},
		"uid like another's id":  {func(a *store.App) { a.UID = "ep_" + marker }, ""},
		"highest rate":           {func(a *store.App) { a.ThrottleRate = 1_000_000 }, ""},
		"rate too high":          {func(a *store.App) { a.ThrottleRate = 1_000_001 }, "body.throttleRate"},
		"negative rate":          {func(a *store.App) { a.ThrottleRate = -1 }, "body.throttleRate"},
		"most metadata":          {func(a *store.App) { a.Metadata = map[string]string{"key": long(16<<10 - 3)} }, ""},
		"too much metadata":      {func(a *store.App) { a.Metadata = map[string]string{"key": long(16<<10 - 2)} }, "body.metadata"},
		"several things at once": {func(a *store.App) { a.Name, a.UID, a.ThrottleRate = "", "/", -1 }, "body.name body.uid body.throttleRate"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			app := store.App{Name: "app"}
			tt.change(&app)
			_, created := e.Service.CreateApp(t.Context(), ingesttest.OtherOrg, ingest.Key{}, app, false)
			ref := e.App()
			_, updated := e.Service.UpdateApp(t.Context(), ref, false, func(a *store.App) error {
				tt.change(a)
				return nil
			})
			check(t, tt.want, created, updated)
		})
	}
}

func TestCheckEndpoint(t *testing.T) {
	t.Parallel()
	const plainSecret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	type endpoint = delivery.Endpoint
	e := ingesttest.New(t)
	for name, tt := range map[string]struct {
		change func(*endpoint)
		want   string // places, "" = accepted
	}{
		"as it is":                  {func(*endpoint) {}, ""},
		"no URL":                    {func(p *endpoint) { p.URL = "" }, "body.url"},
		"http":                      {func(p *endpoint) { p.URL = "http://" + marker + ".com" }, "body.url"},
		"no absolute URL":           {func(p *endpoint) { p.URL = "/" + marker }, "body.url"},
		"user info":                 {func(p *endpoint) { p.URL = "https://a:" + marker + "@example.com" }, "body.url"},
		"private address":           {func(p *endpoint) { p.URL = "https://10.0.0.1/" + marker }, "body.url"},
		"localhost":                 {func(p *endpoint) { p.URL = "https://localhost/" + marker }, "body.url"},
		"longest URL":               {func(p *endpoint) { p.URL = "https://example.com/" + long(2028) }, ""},
		"URL too long":              {func(p *endpoint) { p.URL = "https://example.com/" + long(2029) }, "body.url"},
		"uid with a blank":          {func(p *endpoint) { p.UID = marker + " b" }, "body.uid"},
		"uid too long":              {func(p *endpoint) { p.UID = long(257) }, "body.uid"},
		"uid like an id":            {func(p *endpoint) { p.UID = "ep_" + marker }, "body.uid"},
		"uid like another's id":     {func(p *endpoint) { p.UID = "app_" + marker }, ""},
		"longest description":       {func(p *endpoint) { p.Description = long(4096) }, ""},
		"description too long":      {func(p *endpoint) { p.Description = long(4097) }, "body.description"},
		"unknown dialect":           {func(p *endpoint) { p.Dialect = marker }, "body.dialect"},
		"native by name":            {func(p *endpoint) { p.Dialect = dialect.Native }, ""},
		"empty filter":              {func(p *endpoint) { p.FilterTypes = []string{} }, "body.filterTypes"},
		"largest filter":            {func(p *endpoint) { p.FilterTypes = many(1000) }, ""},
		"filter too large":          {func(p *endpoint) { p.FilterTypes = many(1001) }, "body.filterTypes"},
		"many wrong in a filter":    {func(p *endpoint) { p.FilterTypes = make([]string, 1001) }, "body.filterTypes"},
		"filter of no type":         {func(p *endpoint) { p.FilterTypes = []string{marker + "/"} }, "body.filterTypes.0"},
		"filter of an empty type":   {func(p *endpoint) { p.FilterTypes = []string{"a", ""} }, "body.filterTypes.1"},
		"filter of a known word":    {func(p *endpoint) { p.Dialect, p.FilterTypes = ingesttest.Terse, []string{ingesttest.TerseWord} }, ""},
		"filter of an unknown word": {func(p *endpoint) { p.Dialect, p.FilterTypes = ingesttest.Terse, []string{"WORD", "a.b"} }, "body.filterTypes.1"},
		"empty channels":            {func(p *endpoint) { p.Channels = []string{} }, "body.channels"},
		"most channels":             {func(p *endpoint) { p.Channels = many(10) }, ""},
		"too many channels":         {func(p *endpoint) { p.Channels = many(11) }, "body.channels"},
		"channel of no word":        {func(p *endpoint) { p.Channels = []string{marker + " "} }, "body.channels"},
		"most headers":              {func(p *endpoint) { p.Headers = manyHeaders(50) }, ""},
		"too many headers":          {func(p *endpoint) { p.Headers = manyHeaders(51) }, "body.headers"},
		"largest header":            {func(p *endpoint) { p.Headers = map[string]string{"x": long(4095)} }, ""},
		"header too large":          {func(p *endpoint) { p.Headers = map[string]string{"x": long(4096)} }, "body.headers"},
		"reserved header":           {func(p *endpoint) { p.Headers = map[string]string{"Webhook-" + marker: "v"} }, "body.headers"},
		"header of no token":        {func(p *endpoint) { p.Headers = map[string]string{marker + " ": "v"} }, "body.headers"},
		"header with a line break":  {func(p *endpoint) { p.Headers = map[string]string{"x": marker + "\r\nHost: a"} }, "body.headers"},
		"another's header":          {func(p *endpoint) { p.Headers = map[string]string{"TERSE": marker} }, ""},
		"the dialect's header":      {func(p *endpoint) { p.Dialect, p.Headers = ingesttest.Terse, map[string]string{"TERSE": marker} }, "body.headers"},
		"plain secret":              {func(p *endpoint) { p.Secrets = []delivery.Secret{{Value: plainSecret}} }, ""},
		"short secret":              {func(p *endpoint) { p.Secrets = []delivery.Secret{{Value: "whsec_" + marker + "="}} }, "body.secret"},
		"secret of no base64":       {func(p *endpoint) { p.Secrets = []delivery.Secret{{Value: "whsec_" + marker + "!!" + long(40)}} }, "body.secret"},
		"empty secret":              {func(p *endpoint) { p.Secrets = []delivery.Secret{{Value: ""}} }, "body.secret"},
		"a wrong older secret":      {func(p *endpoint) { p.Secrets = []delivery.Secret{{Value: plainSecret}, {Value: marker}} }, "body.secret"},
		"highest rate":              {func(p *endpoint) { p.ThrottleRate = 1_000_000 }, ""},
		"rate too high":             {func(p *endpoint) { p.ThrottleRate = 1_000_001 }, "body.throttleRate"},
		"negative rate":             {func(p *endpoint) { p.ThrottleRate = -1 }, "body.throttleRate"},
		"too much metadata":         {func(p *endpoint) { p.Metadata = map[string]string{"key": long(16 << 10)} }, "body.metadata"},
		"shortest timeout":          {func(p *endpoint) { p.Timeout = time.Second }, ""},
		"longest timeout":           {func(p *endpoint) { p.Timeout = time.Minute }, ""},
		"timeout too short":         {func(p *endpoint) { p.Timeout = time.Second - 1 }, "body.timeout"},
		"timeout too long":          {func(p *endpoint) { p.Timeout = time.Minute + 1 }, "body.timeout"},
		"negative timeout":          {func(p *endpoint) { p.Timeout = -time.Second }, "body.timeout"},
		"longest deadline":          {func(p *endpoint) { p.Deadline = 90 * 24 * time.Hour }, ""},
		"deadline too long":         {func(p *endpoint) { p.Deadline = 90*24*time.Hour + 1 }, "body.deadline"},
		"deadline too short":        {func(p *endpoint) { p.Deadline = time.Millisecond }, "body.deadline"},
		"negative deadline":         {func(p *endpoint) { p.Deadline = -time.Hour }, "body.deadline"},
		"no retries":                {func(p *endpoint) { p.RetrySchedule = []time.Duration{} }, ""},
		"most retries":              {func(p *endpoint) { p.RetrySchedule = slices.Repeat([]time.Duration{7 * 24 * time.Hour}, 50) }, ""},
		"too many retries":          {func(p *endpoint) { p.RetrySchedule = make([]time.Duration, 51) }, "body.retrySchedule"},
		"retry too late":            {func(p *endpoint) { p.RetrySchedule = []time.Duration{0, 7*24*time.Hour + 1} }, "body.retrySchedule"},
		"negative retry":            {func(p *endpoint) { p.RetrySchedule = []time.Duration{-1} }, "body.retrySchedule"},
		"negative version":          {func(p *endpoint) { p.Version = -1 }, "body.version"},
		"several things at once": {
			func(p *endpoint) { p.URL, p.UID, p.Timeout, p.Version = marker, "/", 1, -1 }, "body.url body.uid body.timeout body.version",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			app := e.App()
			ep := delivery.Endpoint{URL: "https://example.com"}
			tt.change(&ep)
			_, created := e.Service.CreateEndpoint(t.Context(), app, ingest.Key{}, ep)
			other := e.App()
			ref := store.Ref{ID: e.Endpoint(other)}
			_, updated := e.Service.UpdateEndpoint(t.Context(), other, ref, false, func(p *delivery.Endpoint) error {
				tt.change(p)
				return nil
			})
			check(t, tt.want, created, updated)
		})
	}
}

// TestOldURLStays edits an endpoint whose URL was accepted when the operator allowed more.
func TestOldURLStays(t *testing.T) {
	t.Parallel()
	e := ingesttest.New(t)
	lenient := serviceOf(t, e, func(cfg *ingest.Config) { cfg.Guard = netguard.New(netguard.Policy{AllowPrivate: true}) })
	app := e.App()
	r, err := lenient.CreateEndpoint(t.Context(), app, ingest.Key{}, delivery.Endpoint{URL: "http://10.0.0.1/old"})
	if err != nil {
		t.Fatal(err)
	}
	change := func(change func(*delivery.Endpoint)) error {
		_, err := e.Service.UpdateEndpoint(t.Context(), app, store.Ref{ID: r.ID}, false, func(ep *delivery.Endpoint) error {
			change(ep)
			return nil
		})
		return err
	}
	if err := change(func(ep *delivery.Endpoint) { ep.Description = "edited" }); err != nil {
		t.Error("the endpoint cannot be edited:", err)
	}
	err = change(func(ep *delivery.Endpoint) { ep.URL = "http://10.0.0.1/" + marker })
	if diff := cmp.Diff([]string{"body.url"}, fields(t, err)); diff != "" {
		t.Errorf("another such URL is refused for (-want +got):\n%s", diff)
	}
}

func TestCheckEventType(t *testing.T) {
	t.Parallel()
	e := ingesttest.New(t)
	for name, tt := range map[string]struct {
		change func(*store.EventType)
		want   string // places, "" = accepted
	}{
		"as it is":             {func(*store.EventType) {}, ""},
		"no name":              {func(e *store.EventType) { e.Name = "" }, "body.name"},
		"longest name":         {func(e *store.EventType) { e.Name = long(256) }, ""},
		"name too long":        {func(e *store.EventType) { e.Name = long(257) }, "body.name"},
		"name of no word":      {func(e *store.EventType) { e.Name = marker + "/" }, "body.name"},
		"longest description":  {func(e *store.EventType) { e.Description = long(4096) }, ""},
		"description too long": {func(e *store.EventType) { e.Description = long(4097) }, "body.description"},
		"group":                {func(e *store.EventType) { e.GroupName = long(256) }, ""},
		"group too long":       {func(e *store.EventType) { e.GroupName = long(257) }, "body.groupName"},
		"group of no word":     {func(e *store.EventType) { e.GroupName = marker + " b" }, "body.groupName"},
		"several things": {
			func(e *store.EventType) { e.Name, e.Description, e.GroupName = "", long(5000), "/" }, "body.name body.description body.groupName",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			org := "org of " + name
			kind := store.EventType{Org: org, Name: "a.b"}
			tt.change(&kind)
			_, created := e.Service.CreateEventType(t.Context(), ingest.Key{}, kind)
			_, updated := e.Service.UpdateEventType(t.Context(), org, "c.d", true, func(k *store.EventType) error {
				tt.change(k)
				return nil
			})
			check(t, tt.want, created, updated)
		})
	}
}

// TestCheckMessage runs in virtual time, because some bounds are moments.
func TestCheckMessage(t *testing.T) {
	t.Parallel()
	const day = 24 * time.Hour
	type message = ingest.Message
	ingesttest.Bubble(t, func(t *testing.T, e *ingesttest.Engine) {
		app := e.App()
		for name, tt := range map[string]struct {
			change func(*message)
			want   string // places, "" = accepted
		}{
			"as it is":                {func(*message) {}, ""},
			"no type":                 {func(m *message) { m.EventType = "" }, "body.eventType"},
			"longest type":            {func(m *message) { m.EventType = long(256) }, ""},
			"type too long":           {func(m *message) { m.EventType = long(257) }, "body.eventType"},
			"type of no word":         {func(m *message) { m.EventType = marker + "/" }, "body.eventType"},
			"no payload":              {func(m *message) { m.Payload = nil }, "body.payload"},
			"blank payload":           {func(m *message) { m.Payload = []byte(" \t\r\n") }, "body.payload"},
			"array":                   {func(m *message) { m.Payload = []byte(`["` + marker + `"]`) }, "body.payload"},
			"text":                    {func(m *message) { m.Payload = []byte(`"` + marker + `"`) }, "body.payload"},
			"null":                    {func(m *message) { m.Payload = []byte(`null`) }, "body.payload"},
			"object after blanks":     {func(m *message) { m.Payload = []byte(" \t\r\n{}") }, ""},
			"eventId":                 {func(m *message) { m.EventID = long(256) }, ""},
			"eventId too long":        {func(m *message) { m.EventID = long(257) }, "body.eventId"},
			"eventId of no word":      {func(m *message) { m.EventID = marker + "/" }, "body.eventId"},
			"eventId like an id":      {func(m *message) { m.EventID = "msg_" + marker }, "body.eventId"},
			"eventId like another's":  {func(m *message) { m.EventID = "app_" + marker }, ""},
			"empty channels":          {func(m *message) { m.Channels = []string{} }, "body.channels"},
			"most channels":           {func(m *message) { m.Channels = many(5) }, ""},
			"too many channels":       {func(m *message) { m.Channels = many(6) }, "body.channels"},
			"channel of no word":      {func(m *message) { m.Channels = []string{"a", marker + "/"} }, "body.channels"},
			"empty tags":              {func(m *message) { m.Tags = []string{} }, ""},
			"most tags":               {func(m *message) { m.Tags = many(8) }, ""},
			"too many tags":           {func(m *message) { m.Tags = many(9) }, "body.tags"},
			"tag of no word":          {func(m *message) { m.Tags = []string{marker + "/"} }, "body.tags"},
			"empty tag":               {func(m *message) { m.Tags = []string{""} }, "body.tags"},
			"longest ordering key":    {func(m *message) { m.OrderKey = long(128) }, ""},
			"ordering key too long":   {func(m *message) { m.OrderKey = long(129) }, "body.orderingKey"},
			"longest deadline":        {func(m *message) { m.Deadline = 90 * day }, ""},
			"deadline too long":       {func(m *message) { m.Deadline = 90*day + 1 }, "body.deadline"},
			"deadline too short":      {func(m *message) { m.Deadline = 1 }, "body.deadline"},
			"negative deadline":       {func(m *message) { m.Deadline = -day }, "body.deadline"},
			"longest retention":       {func(m *message) { m.Retention = 90 * day }, ""},
			"retention too long":      {func(m *message) { m.Retention = 90*day + 1 }, "body.payloadRetentionPeriod"},
			"negative retention":      {func(m *message) { m.Retention = -1 }, "body.payloadRetentionPeriod"},
			"past":                    {func(m *message) { m.DeliverAt = time.Now().Add(-day) }, ""},
			"latest":                  {func(m *message) { m.DeliverAt = time.Now().Add(90 * day) }, ""},
			"too late":                {func(m *message) { m.DeliverAt = time.Now().Add(90*day + 1) }, "body.deliverAt"},
			"latest of its retention": {func(m *message) { m.Retention, m.DeliverAt = day, time.Now().Add(day) }, ""},
			"beyond its retention":    {func(m *message) { m.Retention, m.DeliverAt = day, time.Now().Add(day+1) }, "body.deliverAt"},
			"several things at once":  {func(m *message) { *m = message{Tags: many(9)} }, "body.eventType body.payload body.tags"},
		} {
			m := message{EventType: "a.b", Payload: []byte(`{}`)}
			tt.change(&m)
			_, err := e.Service.PostMessage(t.Context(), app, ingest.Key{}, m)
			var want []string
			if tt.want != "" {
				want = strings.Fields(tt.want)
			}
			if diff := cmp.Diff(want, fields(t, err)); diff != "" {
				t.Errorf("%s: complaints (-want +got):\n%s", name, diff)
			}
		}
	})
}

// TestShorterRetention moves the bounds with the installation's retention.
func TestShorterRetention(t *testing.T) {
	t.Parallel()
	ingesttest.Bubble(t, func(t *testing.T, e *ingesttest.Engine) {
		app := e.App()
		s := serviceOf(t, e, func(cfg *ingest.Config) { cfg.Retention = time.Hour })
		for _, tt := range []struct {
			m    ingest.Message
			want []string
		}{
			{ingest.Message{Retention: time.Hour, DeliverAt: time.Now().Add(time.Hour)}, nil},
			{ingest.Message{Retention: time.Hour + 1}, []string{"body.payloadRetentionPeriod"}},
			{ingest.Message{DeliverAt: time.Now().Add(time.Hour + 1)}, []string{"body.deliverAt"}},
		} {
			tt.m.EventType, tt.m.Payload = "a.b", []byte(`{}`)
			_, err := s.PostMessage(t.Context(), app, ingest.Key{}, tt.m)
			if diff := cmp.Diff(tt.want, fields(t, err)); diff != "" {
				t.Errorf("retention %v, delivery in %v (-want +got):\n%s", tt.m.Retention, time.Until(tt.m.DeliverAt), diff)
			}
		}
	})
}

// TestNew refuses a service that lacks a part.
func TestNew(t *testing.T) {
	t.Parallel()
	e := ingesttest.New(t)
	for want, change := range map[string]func(*ingest.Config){
		"Submitter": func(cfg *ingest.Config) { cfg.Submitter = nil },
		"Store":     func(cfg *ingest.Config) { cfg.Store = nil },
		"Guard":     func(cfg *ingest.Config) { cfg.Guard = nil },
		"Dialects":  func(cfg *ingest.Config) { cfg.Dialects = dialect.Set{} },
		"Codec":     func(cfg *ingest.Config) { cfg.Catalog = ingesttest.Catalog{} },
	} {
		cfg := configOf(e)
		change(&cfg)
		if _, err := ingest.New(cfg); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("without %s: error %v", want, err)
		}
	}
}

// configOf is the configuration of an engine's service.
func configOf(e *ingesttest.Engine) ingest.Config {
	return ingest.Config{Submitter: e.Committer, Store: e.Store, Dialects: e.Dialects, Guard: netguard.New(netguard.Policy{})}
}

// serviceOf makes another service on an engine.
func serviceOf(t *testing.T, e *ingesttest.Engine, change func(*ingest.Config)) *ingest.Service {
	t.Helper()
	cfg := configOf(e)
	change(&cfg)
	s, err := ingest.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// wantKind fails the test unless there is an error of a kind.
func wantKind(t *testing.T, want errs.Kind, err error) {
	t.Helper()
	if err == nil || errs.KindOf(err) != want {
		t.Errorf("error %v of kind %d, want kind %d", err, errs.KindOf(err), want)
	}
}

// post posts an ordinary message under a key.
func post(ctx context.Context, e *ingesttest.Engine, app ingest.AppRef, key ingest.Key, change ...func(*ingest.Message)) (ingest.Result, error) {
	m := ingest.Message{EventType: "a.b", Payload: []byte(`{"n":1}`)}
	for _, c := range change {
		c(&m)
	}
	return e.Service.PostMessage(ctx, app, key, m)
}
