package e2e_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/svix/svix-webhooks/go/models"

	"github.com/callboard/callboard/internal/e2e/kit"
	"github.com/callboard/callboard/receiver"
)

// TestDialects has endpoints of all dialects hear the catalogue's messages, and those of an org's own types, at receivers
// that are made with package receiver.
func TestDialects(t *testing.T) {
	t.Parallel()
	onEachStore(t, speakDialects)
}

func speakDialects(t *testing.T, store storeUnderTest) {
	s := start(t, kit.Config{DB: store.fresh(t), Args: []string{"--retry-schedule", "50ms,50ms,50ms"}})
	st := &stage{operator: operator{s, mint(t, s)}, office: newOffice(t)}
	t.Run("dialects", func(t *testing.T) {
		for name, test := range map[string]func(*testing.T, *stage){
			"every event type":             hearEveryType,
			"translations":                 hearTranslations,
			"the tenant":                   hearTenant,
			"subscriptions":                subscribeInWords,
			"a vendor's other words":       hearForeignWords,
			"a type of the org's own":      shadowTheCatalogue,
			"a payload that does not fit":  warnOfMisfits,
			"without the catalogue":        turnCatalogueOff,
			"retries and resends":          resendSameBytes,
			"rotating secrets":             rotateSecrets,
			"rotating secrets at once":     rotateAtOnce,
			"examples":                     sendDialectExamples,
			"signatures by other programs": verifyByOthers,
			"the command line":             triggerByCommand,
		} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				test(t, st)
			})
		}
	})
}

// stage is what these tests share: a server, its default org's operator, and receivers.
type stage struct {
	operator
	office *office
}

// org is the operator of an org of its own, for tests that change what holds for a whole org.
func (st *stage) org(t testing.TB, name string) operator {
	t.Helper()
	return operator{st.server, mint(t, st.server, "--org", orgNamed(name))}
}

// operator calls the API by hand: what is Callboard's own is not in Svix's clients.
type operator struct {
	server *kit.Server
	token  string
}

// call makes a request that must be answered with this status. in is sent, and the answer read into out, if they are not
// nil.
func (o operator) call(t testing.TB, status int, method, path string, in, out any) {
	t.Helper()
	body := ""
	if in != nil {
		text, err := json.Marshal(in)
		if err != nil {
			t.Fatal(err)
		}
		body = string(text)
	}
	o.send(t, status, method, path, body, out)
}

// send is call for a body that is written already.
func (o operator) send(t testing.TB, status int, method, path, body string, out any) {
	t.Helper()
	got := ask(t, o.server, o.token, method, "/api/v1"+path, body, map[string]string{"Content-Type": "application/json"})
	if got.status != status {
		t.Fatalf("%s %s: status %d, want %d: %.600s", method, path, got.status, status, got.body)
	}
	if out == nil {
		return
	}
	if err := json.Unmarshal([]byte(got.body), out); err != nil {
		t.Fatalf("%s %s: %v: %.600s", method, path, err, got.body)
	}
}

// fields are the members of a JSON object.
type fields = map[string]any

// newApp creates an app; a uid "" is none.
func (o operator) newApp(t testing.TB, uid string) (id string) {
	t.Helper()
	in := fields{"name": t.Name()}
	if uid != "" {
		in["uid"] = uid
	}
	var app struct{ ID string }
	o.call(t, http.StatusCreated, http.MethodPost, "/app", in, &app)
	return app.ID
}

// sent is a message as the API shows it.
type sent struct {
	ID        string
	EventType string
	Test      bool
	Payload   json.RawMessage
	Warnings  []fault
}

// fault is an element of a 422, and of warnings.
type fault struct {
	Loc []string
	Msg string
}

// refusal is the body of a 422.
type refusal struct{ Detail []fault }

// post posts a message; the payload goes as it is written.
func (o operator) post(t testing.TB, app, eventType, payload string) (m sent) {
	t.Helper()
	o.send(t, http.StatusAccepted, http.MethodPost, "/app/"+app+"/msg", messageOf(eventType, payload), &m)
	return m
}

// messageOf is the body of POST …/msg.
func messageOf(eventType, payload string) string {
	return `{"eventType":"` + eventType + `","payload":` + payload + `}`
}

// sample is the catalogue's example of an event type, as the API gives it.
func (o operator) sample(t testing.TB, eventType string) string {
	t.Helper()
	var found struct {
		Origin  string
		Schemas map[string]struct{ Examples []json.RawMessage }
	}
	o.call(t, http.StatusOK, http.MethodGet, "/event-type/"+eventType, nil, &found)
	if found.Origin != "catalog" || len(found.Schemas["1"].Examples) == 0 {
		t.Fatalf("%s is of the origin %q, and has %d examples", eventType, found.Origin, len(found.Schemas["1"].Examples))
	}
	return string(found.Schemas["1"].Examples[0])
}

// altered is a native body with its data changed.
func altered(t testing.TB, payload string, change func(data fields)) string {
	t.Helper()
	var body fields
	if err := json.Unmarshal([]byte(payload), &body); err != nil {
		t.Fatal(err)
	}
	change(body["data"].(fields))
	text, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// endpoint creates an endpoint for a mailbox, with the mailbox's dialect, and has the mailbox accept its secret.
func (o operator) endpoint(t testing.TB, app string, box *mailbox, more fields) (id string) {
	t.Helper()
	in := fields{"url": box.URL, "dialect": box.dialect}
	maps.Copy(in, more)
	var ep struct{ ID, Dialect string }
	o.call(t, http.StatusCreated, http.MethodPost, "/app/"+app+"/endpoint", in, &ep)
	if ep.Dialect != box.dialect {
		t.Fatalf("the endpoint speaks %s, want %s", ep.Dialect, box.dialect)
	}
	box.accept(t, o.secret(t, app, ep.ID).Key)
	return ep.ID
}

// shownSecret is what GET …/secret and GET …/signing-token answer.
type shownSecret struct {
	Key    string
	Next   string
	NextAt *time.Time
}

func (o operator) secret(t testing.TB, app, endpoint string) (s shownSecret) {
	t.Helper()
	o.call(t, http.StatusOK, http.MethodGet, "/app/"+app+"/endpoint/"+endpoint+"/secret", nil, &s)
	return s
}

// settle waits until an endpoint's deliveries have ended so.
func (o operator) settle(t testing.TB, app, endpoint string, success, fail int64) {
	t.Helper()
	want := models.EndpointStats{Success: success, Fail: fail}
	var got models.EndpointStats
	deadline := time.Now().Add(30 * time.Second)
	kit.Eventually(t, fmt.Sprintf("%d deliveries to succeed and %d to fail", success, fail), func() bool {
		o.call(t, http.StatusOK, http.MethodGet, "/app/"+app+"/endpoint/"+endpoint+"/stats", nil, &got)
		if time.Now().After(deadline) {
			t.Fatalf("stats (-want +got):\n%s", cmp.Diff(want, got))
		}
		return got == want
	})
}

// resend asks for one more delivery.
func (o operator) resend(t testing.TB, app, message, endpoint string) {
	t.Helper()
	o.call(t, http.StatusAccepted, http.MethodPost, "/app/"+app+"/msg/"+message+"/endpoint/"+endpoint+"/resend", nil, nil)
}

// office is an HTTP server on loopback with any number of mailboxes.
type office struct {
	server *httptest.Server

	mu    sync.Mutex
	boxes map[string]*mailbox
}

// newOffice starts an office, which ends with the test.
func newOffice(t testing.TB) *office {
	o := &office{boxes: map[string]*mailbox{}}
	o.server = httptest.NewServer(o)
	t.Cleanup(func() {
		o.server.CloseClientConnections()
		o.server.Close()
	})
	return o
}

// ServeHTTP implements [http.Handler].
func (o *office) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	o.mu.Lock()
	box := o.boxes[r.URL.Path]
	o.mu.Unlock()
	if box == nil {
		http.NotFound(w, r)
		return
	}
	box.ServeHTTP(w, r)
}

// standardDialect is the dialect of a mailbox whose endpoint is native, and whose bodies may be any.
const standardDialect = "standard"

// mailbox is one endpoint's receiver, of package receiver. It records what comes, and takes it unless it is told to be
// shut. That everything verifies and can be read is checked when the test ends. It is safe for concurrent use.
type mailbox struct {
	URL     string
	dialect string // as the endpoint has it
	form    string // the dialect, or standardDialect

	mu       sync.Mutex
	secrets  []string
	handler  http.Handler
	shut     bool
	requests []request
	messages []message
}

// request is a request as it came, and the status that it was answered with.
type request struct {
	header http.Header
	body   []byte
	at     time.Time
	status int
}

// message is what package receiver made of a request that it took, once for each id.
type message struct {
	id, kind string
	at       time.Time
	data     any
	body     []byte
}

// box makes a mailbox for webhooks in a dialect.
func (o *office) box(t testing.TB, dialect string) *mailbox {
	o.mu.Lock()
	defer o.mu.Unlock()
	path := "/" + strconv.Itoa(len(o.boxes)+1)
	b := &mailbox{URL: o.server.URL + path, dialect: dialect, form: dialect}
	if dialect == standardDialect {
		b.dialect = "native"
	}
	o.boxes[path] = b
	t.Cleanup(func() {
		for _, r := range b.received() {
			if r.status != http.StatusOK && r.status != http.StatusInternalServerError {
				t.Errorf("a request in %s was answered %d: %s %s", b.form, r.status, r.header, r.body)
			}
		}
	})
	return b
}

// accept makes the mailbox accept one more secret.
func (b *mailbox) accept(t testing.TB, secret string) {
	t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	b.secrets = append(b.secrets, secret)
	handler, err := b.newHandler()
	if err != nil {
		t.Fatal(err)
	}
	b.handler = handler
}

// newHandler makes what verifies and reads.
func (b *mailbox) newHandler() (http.Handler, error) {
	switch b.form {
	case "native":
		return handlerOf(b, receiver.Native())
	case "zuddl":
		return handlerOf(b, receiver.Zuddl())
	case "sessionboard":
		return handlerOf(b, receiver.Sessionboard())
	case "oration":
		return handlerOf(b, receiver.Oration())
	case "iotum":
		return handlerOf(b, receiver.Iotum())
	case standardDialect:
		return handlerOf(b, receiver.StandardWebhooks())
	}
	return nil, fmt.Errorf("package receiver has no dialect %s", b.form)
}

// errShut makes the receiver answer 500.
var errShut = errors.New("the mailbox is shut")

func handlerOf[T any](b *mailbox, dialect receiver.Dialect[T]) (http.Handler, error) {
	return receiver.New(dialect, b.secrets, func(_ context.Context, m receiver.Message[T]) error {
		b.mu.Lock()
		defer b.mu.Unlock()
		if b.shut {
			return errShut
		}
		b.messages = append(b.messages, message{m.ID, m.Type, m.Timestamp, m.Data, m.Body})
		return nil
	}, receiver.WithLogger(slog.New(slog.DiscardHandler)))
}

// ServeHTTP implements [http.Handler].
func (b *mailbox) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil { // the sender went away in the middle of its request
		return
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	b.mu.Lock()
	handler := b.handler
	b.mu.Unlock()
	seen := &statusWriter{ResponseWriter: w, status: http.StatusOK}
	handler.ServeHTTP(seen, r)
	b.mu.Lock()
	defer b.mu.Unlock()
	b.requests = append(b.requests, request{r.Header.Clone(), body, time.Now(), seen.status})
}

// statusWriter notes the status of an answer.
type statusWriter struct {
	http.ResponseWriter
	status int
}

// WriteHeader implements [http.ResponseWriter].
func (w *statusWriter) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}

// setShut makes the mailbox refuse all that comes with a 500, or take it again.
func (b *mailbox) setShut(shut bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.shut = shut
}

// received are all requests so far.
func (b *mailbox) received() []request {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clip(b.requests)
}

// taken are the messages so far, each once.
func (b *mailbox) taken() []message {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clip(b.messages)
}

// await waits until n requests have come.
func (b *mailbox) await(t testing.TB, n int) []request {
	t.Helper()
	kit.Eventually(t, strconv.Itoa(n)+" requests in "+b.form, func() bool { return len(b.received()) >= n })
	return b.received()
}

// only waits for the one message that is to come.
func (b *mailbox) only(t testing.TB) message {
	t.Helper()
	kit.Eventually(t, "a message in "+b.form, func() bool { return len(b.taken()) > 0 })
	all := b.taken()
	if len(all) != 1 {
		t.Fatalf("%d messages came in %s, want 1", len(all), b.form)
	}
	return all[0]
}

// kinds are the types of the messages so far, in the vendor's words, sorted.
func (b *mailbox) kinds() []string {
	kinds := []string{}
	for _, m := range b.taken() {
		kinds = append(kinds, m.kind)
	}
	slices.Sort(kinds)
	return kinds
}

// wantKinds fails the test unless exactly messages of these types came, each in one request.
func (b *mailbox) wantKinds(t testing.TB, want ...string) {
	t.Helper()
	want = append([]string{}, want...)
	slices.Sort(want)
	if diff := cmp.Diff(want, b.kinds()); diff != "" {
		t.Errorf("what came in %s (-want +got):\n%s", b.form, diff)
	}
	if n := len(b.received()); n != len(want) {
		t.Errorf("%d requests came in %s, want %d", n, b.form, len(want))
	}
}
