package inbound_test

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/callboard/callboard/internal/commit"
	"github.com/callboard/callboard/internal/dialect"
	"github.com/callboard/callboard/internal/dialect/builtin"
	"github.com/callboard/callboard/internal/dialect/native"
	"github.com/callboard/callboard/internal/errs"
	"github.com/callboard/callboard/internal/id"
	"github.com/callboard/callboard/internal/inbound"
	"github.com/callboard/callboard/internal/ingest"
	"github.com/callboard/callboard/internal/ingest/ingesttest"
	"github.com/callboard/callboard/internal/netguard"
	"github.com/callboard/callboard/internal/store"
	"github.com/callboard/callboard/internal/testenv"
	"github.com/callboard/callboard/internal/web"
)

// hall is the door before a real engine with the vendors' dialects.
type hall struct {
	*ingesttest.Engine
	t        *testing.T
	app      ingest.AppRef
	endpoint id.ID // native, hears all
	door     http.Handler
	cache    *inbound.Cache
	metrics  *prometheus.Registry
	reads    int // of sources
	broken   error
	log      bytes.Buffer
}

// broken is a dialect whose parser has a defect.
type broken struct{ native.Dialect }

func (broken) Name() string { return "broken" }

func (broken) Parse(r dialect.Request) (dialect.Activity, error) { panic(string(r.Body)) }

func newHall(t *testing.T, e *ingesttest.Engine) *hall {
	t.Helper()
	h := &hall{Engine: e, t: t, metrics: prometheus.NewRegistry()}
	all := builtin.Dialects(builtin.Config{})
	dialects := []dialect.Dialect{broken{}}
	for _, name := range all.Names() {
		d, _ := all.Get(name)
		dialects = append(dialects, d)
	}
	set := dialect.NewSet(dialects...)
	service, err := ingest.New(ingest.Config{
		Submitter: h, Store: e.Store, Dialects: set, Guard: netguard.New(netguard.Policy{}), Catalog: builtin.Catalog(all), Codec: e.Codec,
	})
	if err != nil {
		t.Fatal(err)
	}
	e.Service = service
	h.app = e.App()
	h.endpoint = e.Endpoint(h.app)
	h.cache = inbound.NewCache(h)
	h.door, err = inbound.New(inbound.Config{
		Sources: h.cache, Ingest: service, Codec: e.Codec, Dialects: set, Metrics: h.metrics, Logger: slog.New(slog.NewJSONHandler(&h.log, nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// Source implements inbound.Store and counts.
func (h *hall) Source(ctx context.Context, source id.ID) (store.Source, error) {
	h.reads++
	return h.Store.Source(ctx, source)
}

// Submit passes units on, unless the store is broken.
func (h *hall) Submit(ctx context.Context, u *commit.Unit) (commit.Result, error) {
	if h.broken != nil {
		return commit.Result{}, h.broken
	}
	return h.Committer.Submit(ctx, u)
}

func (h *hall) SubmitAll(ctx context.Context, units []*commit.Unit) []commit.Answer {
	return h.Committer.SubmitAll(ctx, units)
}

// source makes a source and gives its id and address.
func (h *hall) source(dialectName string, auth store.SourceAuth) (id.ID, string) {
	h.t.Helper()
	s := store.Source{App: h.app.ID, Org: h.app.Org, Dialect: dialectName, Auth: auth}
	h.Decide(commit.Keys{}, func(v *commit.View) {
		s.ID = v.NextID()
		v.PutSource(s)
	})
	return s.ID, inbound.Prefix + h.Codec.Encode(id.Source, s.ID)
}

// change changes a source, as another process would: the cache does not hear of it.
func (h *hall) change(source id.ID, change func(*store.Source)) (changed store.Source) {
	h.t.Helper()
	h.Decide(commit.Keys{Sources: []id.ID{source}}, func(v *commit.View) {
		changed, _ = v.Source(source)
		change(&changed)
		changed.UpdatedAt = changed.UpdatedAt.Add(time.Microsecond) // no two changes of a source are at one time
		v.PutSource(changed)
	})
	return changed
}

// knock makes a request; headers are names and values in turn.
func (h *hall) knock(method, path string, body string, headers ...string) *httptest.ResponseRecorder {
	h.t.Helper()
	r := httptest.NewRequestWithContext(h.t.Context(), method, path, strings.NewReader(body))
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	h.door.ServeHTTP(w, r)
	return w
}

// want knocks with a POST and compares the status.
func (h *hall) want(status int, path, body string, headers ...string) *httptest.ResponseRecorder {
	h.t.Helper()
	w := h.knock(http.MethodPost, path, body, headers...)
	if w.Code != status {
		h.t.Fatalf("POST answered %d %s, want %d", w.Code, w.Body, status)
	}
	return w
}

// records gives what was received at a source, oldest first, bodies and all.
func (h *hall) records(source id.ID) (rows []store.Received, docs []ingest.ReceivedDoc) {
	h.t.Helper()
	all, err := h.Store.ReceivedOf(context.Background(), h.app.ID, source, nil, 0, 0, store.Page{Limit: 1000, Ascending: true})
	if err != nil {
		h.t.Fatal(err)
	}
	for _, r := range all.Rows {
		if r, err = h.Store.ReceivedOne(context.Background(), h.app.ID, source, r.ID); err != nil {
			h.t.Fatal(err)
		}
		var doc ingest.ReceivedDoc
		if err := json.Unmarshal(r.Doc, &doc); err != nil {
			h.t.Fatal(err)
		}
		rows, docs = append(rows, r), append(docs, doc)
	}
	return rows, docs
}

const (
	secret = "a secret of sixteen"
	joined = `{"action":"JOINED_SESSION","actionId":"a1","actionCreatedAt":"2026-05-01T11:30:00Z","registration":{"id":"r"},"event":{"id":"e"},"session":{"id":"s"}}`
)

func hexOf(body string) string { return hex.EncodeToString(macOf(secret, body)) }

func macOf(key, text string) []byte {
	mac := hmac.New(sha256.New, []byte(key))
	mac.Write([]byte(text))
	return mac.Sum(nil)
}

// TestDoor walks through all answers of a source whose requests are signed.
func TestDoor(t *testing.T) {
	t.Parallel()
	h := newHall(t, ingesttest.New(t))
	source, path := h.source("zuddl", store.SourceAuth{Secrets: []string{"another secret of mine", secret}, OldUntil: time.Now().Add(time.Hour)})
	signed := []string{"X-Webhook-Signature", "sha256=" + hexOf(joined), "Authorization", "Basic private", "User-Agent", "vendor/1"}

	w := h.want(http.StatusOK, path, joined, signed...)
	if w.Body.String() != "{}" || w.Header().Get("Content-Type") != "application/json" || w.Header().Get("X-Request-Id") == "" {
		t.Errorf("answered %s %v", w.Body, w.Header())
	}
	if got := len(h.Heard(h.endpoint)); got != 1 {
		t.Fatalf("%d messages", got)
	}
	h.want(http.StatusOK, path, joined, signed...)
	h.want(http.StatusOK, path+"/", joined, signed...)
	w = h.want(http.StatusUnauthorized, path, strings.Replace(joined, "r", "q", 1), signed...)
	if strings.Contains(w.Body.String(), "sha256") {
		t.Errorf("a stranger is told %s", w.Body)
	}
	h.want(http.StatusUnauthorized, path, joined, "X-Webhook-Signature", base64.StdEncoding.EncodeToString(macOf(secret, joined)))
	broken := `{"action":"not a word"}`
	if h.reads != 1 {
		t.Errorf("%d reads of one source", h.reads)
	}
	w = h.want(http.StatusBadRequest, path, broken, "X-Webhook-Signature", "sha256="+hexOf(broken))
	if strings.Contains(w.Body.String(), "not a word") {
		t.Errorf("a value is quoted: %s", w.Body)
	}
	huge := strings.Repeat(" ", web.MaxBody+1)
	h.want(http.StatusRequestEntityTooLarge, path, huge, "X-Webhook-Signature", "sha256="+hexOf(huge))

	rows, docs := h.records(source)
	if len(rows) != 4 || len(h.Heard(h.endpoint)) != 1 {
		t.Fatalf("%d records, %d messages", len(rows), len(h.Heard(h.endpoint)))
	}
	for i, want := range []struct {
		status   store.ReceivedStatus
		body     string
		verified bool
		hint     string
	}{
		{store.Accepted, "", true, ""},
		{store.Refused, strings.Replace(joined, "r", "q", 1), false, ""},
		{store.Refused, joined, false, "base64"},
		{store.Unreadable, broken, true, ""},
	} {
		if rows[i].Status != want.status || string(rows[i].Body) != want.body || docs[i].Verified != want.verified || !strings.Contains(docs[i].Hint, want.hint) {
			t.Errorf("record %d: %+v %+v", i, rows[i], docs[i])
		}
		if why := docs[i].Why; (why == "") != (want.status == store.Accepted) {
			t.Errorf("record %d says %q", i, why)
		}
	}
	if text := string(rows[0].Doc); strings.Contains(text, "private") || !strings.Contains(text, "vendor/1") {
		t.Errorf("the headers are shown as %s", text)
	}
	want := map[string]float64{"accepted": 1, "duplicate": 2, "refused": 2, "too_large": 1, "unreadable": 1}
	if diff := cmp.Diff(want, h.outcomes("zuddl")); diff != "" {
		t.Errorf("metrics (-want +got):\n%s", diff)
	}
}

// outcomes gives how often requests to sources of a dialect had which outcome.
func (h *hall) outcomes(dialectName string) map[string]float64 {
	h.t.Helper()
	families, err := h.metrics.Gather()
	if err != nil || len(families) != 1 || families[0].GetName() != "callboard_inbound_requests_total" {
		h.t.Fatalf("metrics %v, %v", families, err)
	}
	counts := map[string]float64{}
	for _, m := range families[0].GetMetric() {
		labels := map[string]string{}
		for _, l := range m.GetLabel() {
			labels[l.GetName()] = l.GetValue()
		}
		if labels["dialect"] == dialectName {
			counts[labels["outcome"]] = m.GetCounter().GetValue()
		}
	}
	return counts
}

// TestNoSource: an id that was made up is missing without a read; one of a source that is
// not there, or is deleted, with one.
func TestNoSource(t *testing.T) {
	t.Parallel()
	h := newHall(t, ingesttest.New(t))
	source, path := h.source("zuddl", store.SourceAuth{Unverified: true})
	for _, forged := range []string{
		"/in/x", "/in/src_000000000000000000000000000", "/in/" + h.Codec.Encode(id.App, source), path[:len(path)-1], "/in/", "/in", path + "/more",
	} {
		if w := h.knock(http.MethodPost, forged, joined); w.Code != http.StatusNotFound || !strings.Contains(w.Body.String(), `"not_found"`) {
			t.Errorf("%s answered %d %s", forged, w.Code, w.Body)
		}
	}
	if h.reads != 0 {
		t.Errorf("%d reads for ids that were made up", h.reads)
	}
	h.want(http.StatusNotFound, "/in/"+h.Codec.Encode(id.Source, source+1), joined)
	h.cache.Committed([]store.Source{h.change(source, func(s *store.Source) { s.Deleted = true })})
	for _, method := range []string{http.MethodPost, http.MethodGet} {
		if w := h.knock(method, path, joined); w.Code != http.StatusNotFound {
			t.Errorf("%s at a deleted source answered %d", method, w.Code)
		}
	}
	if diff := cmp.Diff(map[string]float64{"unknown": 7}, h.outcomes("none")); diff != "" {
		t.Errorf("metrics (-want +got):\n%s", diff)
	}
	if h.reads != 2 || len(h.Heard(h.endpoint)) != 0 {
		t.Errorf("%d reads, %d messages", h.reads, len(h.Heard(h.endpoint)))
	}
}

// TestSetUp: what vendors try before they take an address.
func TestSetUp(t *testing.T) {
	t.Parallel()
	h := newHall(t, ingesttest.New(t))
	plain, path := h.source("zuddl", store.SourceAuth{Secrets: []string{secret}})
	for _, method := range []string{http.MethodGet, http.MethodHead} {
		if w := h.knock(method, path+"?challenge=1", ""); w.Code != http.StatusOK {
			t.Errorf("%s answered %d", method, w.Code)
		}
	}
	if w := h.knock(http.MethodPut, path, joined); w.Code != http.StatusMethodNotAllowed || w.Header().Get("Allow") != "GET, HEAD, POST" {
		t.Errorf("PUT answered %d %v", w.Code, w.Header())
	}
	test := func(token string) string {
		return `{"payload":{"plainToken":"` + token + `"},"event_ts":1,"event":"endpoint.url_validation"}`
	}
	h.want(http.StatusUnauthorized, path, test("qgg8vlvZRS6UYooatFL8Aw"))
	if rows, _ := h.records(plain); len(rows) != 1 {
		t.Errorf("%d records", len(rows))
	}
	asking, path := h.source("zuddl", store.SourceAuth{Secrets: []string{secret}, Handshake: secret})
	w := h.want(http.StatusOK, path, test("qgg8vlvZRS6UYooatFL8Aw"))
	var got struct{ PlainToken, EncryptedToken string }
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || got.PlainToken != "qgg8vlvZRS6UYooatFL8Aw" || got.EncryptedToken != hexOf("qgg8vlvZRS6UYooatFL8Aw") {
		t.Errorf("answered %s (%v)", w.Body, err)
	}
	// No word is hashed for a stranger that could be a webhook.
	for _, token := range []string{`{\"action\":\"JOINED_SESSION\"}`, "", strings.Repeat("a", 257), "v0:1:2"} {
		if w := h.want(http.StatusUnauthorized, path, test(token)); strings.Contains(w.Body.String(), "encryptedToken") {
			t.Errorf("%q is answered %s", token, w.Body)
		}
	}
	if rows, _ := h.records(asking); len(rows) != 4 || len(h.Heard(h.endpoint)) != 0 {
		t.Errorf("%d records, %d messages", len(rows), len(h.Heard(h.endpoint)))
	}
}

// TestStoreUnavailable tells the vendor to come again, and a stranger the same as ever.
func TestStoreUnavailable(t *testing.T) {
	t.Parallel()
	h := newHall(t, ingesttest.New(t))
	_, path := h.source("zuddl", store.SourceAuth{Secrets: []string{secret}})
	h.broken = errs.Wrap(errs.Unavailable, store.ErrUnavailable, "The store cannot take the request now; retry it")
	for _, body := range []string{joined, `{"action":"not a word"}`} {
		if w := h.want(http.StatusServiceUnavailable, path, body, "X-Webhook-Signature", "sha256="+hexOf(body)); w.Header().Get("Retry-After") == "" {
			t.Errorf("without Retry-After: %v", w.Header())
		}
	}
	h.want(http.StatusUnauthorized, path, joined)
	h.broken = nil
	h.want(http.StatusOK, path, joined, "X-Webhook-Signature", "sha256="+hexOf(joined))
}

// TestBrokenParser keeps what a defect did not read, and the process.
func TestBrokenParser(t *testing.T) {
	t.Parallel()
	h := newHall(t, ingesttest.New(t))
	source, path := h.source("broken", store.SourceAuth{Unverified: true})
	h.want(http.StatusBadRequest, path, "private")
	if rows, _ := h.records(source); len(rows) != 1 || string(rows[0].Body) != "private" || rows[0].Status != store.Unreadable {
		t.Errorf("records %+v", rows)
	}
	if log := h.log.String(); !strings.Contains(log, "a dialect panicked") || strings.Contains(log, "private") {
		t.Errorf("logged %s", log)
	}
}

// TestStrangersAreSampled: of requests that are not proven, and of those that need no proof
// and mean nothing, a few are kept, and then one each ten seconds; a large one without its
// body. What is proven and means nothing is always kept.
func TestStrangersAreSampled(t *testing.T) {
	t.Parallel()
	ingesttest.Bubble(t, func(t *testing.T, e *ingesttest.Engine) {
		h := newHall(t, e)
		signed, signedPath := h.source("zuddl", store.SourceAuth{Secrets: []string{secret}})
		open, openPath := h.source("zuddl", store.SourceAuth{Unverified: true})
		counts := func() [2]int {
			a, _ := h.records(signed)
			b, _ := h.records(open)
			return [2]int{len(a), len(b)}
		}
		knocks := 0
		knock := func(times int) {
			for range times {
				knocks++
				h.want(http.StatusUnauthorized, signedPath, joined)
				h.want(http.StatusBadRequest, openPath, fmt.Sprintf(`{"n":%d}`, knocks))
			}
		}
		knock(30)
		if got := counts(); got != [2]int{10, 10} {
			t.Errorf("at first %v are kept", got)
		}
		testenv.Advance(25 * time.Second)
		knock(5)
		if got := counts(); got != [2]int{12, 12} {
			t.Errorf("then %v", got)
		}
		for i := range 30 {
			broken := fmt.Sprintf(`{"n":%d}`, i)
			h.want(http.StatusBadRequest, signedPath, broken, "X-Webhook-Signature", "sha256="+hexOf(broken))
		}
		if got := counts(); got != [2]int{42, 12} {
			t.Errorf("with those that are proven %v", got)
		}
		testenv.Advance(time.Hour)
		h.want(http.StatusUnauthorized, signedPath, strings.Repeat("x", 64<<10+1))
		rows, docs := h.records(signed)
		if last := len(rows) - 1; rows[last].Body != nil || docs[last].SizeBytes != 64<<10+1 || docs[last].Note == "" {
			t.Errorf("a large one is kept as %+v with %d bytes", docs[last], len(rows[last].Body))
		}
	})
}

// TestBodyBreaksOff is the client's fault, and nothing is kept of it.
func TestBodyBreaksOff(t *testing.T) {
	t.Parallel()
	h := newHall(t, ingesttest.New(t))
	source, path := h.source("zuddl", store.SourceAuth{Unverified: true})
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, path, io.MultiReader(strings.NewReader("{"), breaking{}))
	w := httptest.NewRecorder()
	h.door.ServeHTTP(w, r)
	if rows, _ := h.records(source); w.Code != http.StatusBadRequest || len(rows) != 0 {
		t.Errorf("answered %d, %d records", w.Code, len(rows))
	}
}

// breaking is a body that breaks off.
type breaking struct{}

func (breaking) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

// TestConfig names what is missing.
func TestConfig(t *testing.T) {
	t.Parallel()
	if _, err := inbound.New(inbound.Config{}); err == nil {
		t.Error("a door without a store")
	}
}
