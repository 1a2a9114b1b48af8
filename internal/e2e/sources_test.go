package e2e_test

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/callboard/callboard/internal/e2e/kit"
)

// TestSources has vendors' webhooks come in at sources, signed as the vendors document it by code of its own, and looks at
// what became of them: in live state, in the log, and at receivers of every dialect.
func TestSources(t *testing.T) {
	t.Parallel()
	onEachStore(t, useSources)
}

// timeSpentDelay is how long after an end these tests' servers tell time spent.
const timeSpentDelay = 500 * time.Millisecond

func useSources(t *testing.T, store storeUnderTest) {
	s := start(t, kit.Config{DB: store.fresh(t), Args: []string{"--time-spent-delay", timeSpentDelay.String()}})
	st := &stage{operator: operator{s, mint(t, s)}, office: newOffice(t)}
	t.Run("sources", func(t *testing.T) {
		for name, test := range map[string]func(*testing.T, *stage){
			"the vendors' own examples":   takeVendorsExamples,
			"an abbreviated webhook":      mergeAbbreviated,
			"joins that differ by id":     passOnJoins,
			"no minutes of ours":          inventNoMinutes,
			"in the wrong order":          takeAnyOrder,
			"minutes from joins and ends": countMinutes,
			"all that come in":            speakByMatrix,
			"secrets that change":         changeSecrets,
			"what is hardly text":         takeStrangeText,
			"people who are forgotten":    forgetPeople,
			"no source":                   knockInVain,
		} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				test(t, st)
			})
		}
	})
}

// vendor is a vendor as its documentation has it.
type vendor struct {
	dialect string
	example string // a file of testdata/sources
	// other makes another webhook of a text: with another id, or at another time.
	other func(body string, n int) string
	// auth is what a source is told of how the vendor proves who it is, and sign does that.
	auth fields
	sign func(id, body string) http.Header
	// forge changes one byte of what is proven.
	forge func(body string, h http.Header) string
}

// vendors are all of them, each with secrets of its own.
func vendors() []vendor {
	replaced := func(pattern string) func(string, int) string {
		return func(body string, n int) string {
			return strings.Replace(body, pattern, pattern[:len(pattern)-6]+fmt.Sprintf("%06d", n), 1)
		}
	}
	inBody := func(body string, _ http.Header) string {
		at := strings.LastIndexByte(body, '"') - 1
		return body[:at] + string(body[at]^1) + body[at+1:]
	}
	zuddlSecret, boardSecret, orationSecret := rand.Text(), kit.NewSecret(), kit.NewSecret()
	boardToken, iotumToken := rand.Text(), rand.Text()
	return []vendor{
		{
			dialect: "zuddl", example: "zuddl-joined-session.json", other: replaced("a912a64f-8865-4289-9024-9a120792c3d8"), forge: inBody,
			auth: fields{"secret": zuddlSecret},
			sign: func(_, body string) http.Header {
				return http.Header{"X-Webhook-Signature": {"sha256=" + hex.EncodeToString(macOf(zuddlSecret, body))}}
			},
		},
		{
			dialect: "sessionboard", example: "sessionboard-session-updated.json", forge: inBody,
			other: func(body string, _ int) string { return body }, // its id is a header
			auth:  fields{"secret": boardSecret, "token": boardToken, "tokenHeader": "x-our-token"},
			sign: func(id, body string) http.Header {
				h := standardHeaders("Svix", boardSecret, id, body)
				h.Set("X-Our-Token", boardToken)
				return h
			},
		},
		{
			dialect: "oration", example: "oration-user-joined.json", other: replaced("evt_01234567890abcdef"), forge: inBody,
			auth: fields{"secret": orationSecret},
			sign: func(id, body string) http.Header { return standardHeaders("Webhook", orationSecret, id, body) },
		},
		{
			dialect: "iotum", example: "iotum-conference-end.json", other: replaced("1258835"),
			auth: fields{"token": iotumToken},
			sign: func(string, string) http.Header { return http.Header{"X-Signing-Token": {iotumToken}} },
			forge: func(body string, h http.Header) string { // the body is not signed
				token := h.Get("X-Signing-Token")
				h.Set("X-Signing-Token", token[:len(token)-1]+string(token[len(token)-1]^1))
				return body
			},
		},
	}
}

// vendorNamed is the one with a dialect.
func vendorNamed(dialect string) vendor {
	all := vendors()
	return all[slices.IndexFunc(all, func(v vendor) bool { return v.dialect == dialect })]
}

func macOf(key, text string) []byte {
	mac := hmac.New(sha256.New, []byte(key))
	mac.Write([]byte(text))
	return mac.Sum(nil)
}

// standardHeaders sign as Standard Webhooks says.
func standardHeaders(prefix, secret, id, body string) http.Header {
	at := strconv.FormatInt(time.Now().Unix(), 10)
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, "whsec_"))
	if err != nil {
		panic(err)
	}
	signature := "v1," + base64.StdEncoding.EncodeToString(macOf(string(key), id+"."+at+"."+body))
	return http.Header{prefix + "-Id": {id}, prefix + "-Timestamp": {at}, prefix + "-Signature": {signature}}
}

// text is the vendor's example.
func (v *vendor) text(t testing.TB) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", "sources", v.example))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// inlet is a source of an app, and the vendor that sends to it.
type inlet struct {
	operator
	vendor
	app, id, url string
}

// inlet creates a source.
func (o operator) inlet(t testing.TB, app string, v vendor, more fields) *inlet {
	t.Helper()
	in := maps.Clone(v.auth)
	in["dialect"] = v.dialect
	maps.Copy(in, more)
	var out struct{ ID, URL, Dialect string }
	o.call(t, http.StatusCreated, http.MethodPost, "/app/"+app+"/source", in, &out)
	if want := o.server.URL + "/in/" + out.ID; out.URL != want || !strings.HasPrefix(out.ID, "src_") || out.Dialect != v.dialect {
		t.Fatalf("the source is %+v, want the URL %s", out, want)
	}
	return &inlet{o, v, app, out.ID, out.URL}
}

// knock posts a body to the source, and gives the status and the answer.
func (in *inlet) knock(t testing.TB, body string, header http.Header) (status int, answer string) {
	t.Helper()
	status, answer, err := in.exchange(t.Context(), body, header)
	if err != nil {
		t.Fatal(err)
	}
	return status, answer
}

// exchange is knock for goroutines.
func (in *inlet) exchange(ctx context.Context, body string, header http.Header) (status int, answer string, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, in.url, strings.NewReader(body))
	if err != nil {
		return 0, "", err
	}
	req.GetBody = nil // one call is one request
	req.Header = header
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, "", err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	return resp.StatusCode, string(text), err
}

// deliver posts a webhook as the vendor does; it must be taken.
func (in *inlet) deliver(t testing.TB, id, body string) {
	t.Helper()
	if status, answer := in.knock(t, body, in.sign(id, body)); status != http.StatusOK || answer != "{}" {
		t.Fatalf("%s was answered %d %s: %s", id, status, answer, body)
	}
}

// stored are the messages of the source's app, newest first.
func (in *inlet) stored(t testing.TB) []sent {
	t.Helper()
	var page struct {
		Data []sent
		Done bool
	}
	in.call(t, http.StatusOK, http.MethodGet, "/app/"+in.app+"/msg?limit=250", nil, &page)
	if !page.Done {
		t.Fatal("there are more messages than this test reads")
	}
	return page.Data
}

// kept is a request as the source shows it.
type kept struct {
	ID, Status, VendorID, EventType, MessageID, Note, Why, Hint string
	Headers                                                     map[string][]string
}

// received are the requests that the source kept, newest first.
func (in *inlet) received(t testing.TB) []kept {
	t.Helper()
	var page struct{ Data []kept }
	in.call(t, http.StatusOK, http.MethodGet, "/app/"+in.app+"/source/"+in.id+"/received?limit=250", nil, &page)
	return page.Data
}

// bodiesOf are the bodies that came to a mailbox, sorted.
func bodiesOf(box *mailbox) []string {
	var bodies []string
	for _, r := range box.received() {
		bodies = append(bodies, string(r.body))
	}
	slices.Sort(bodies)
	return bodies
}

// wantBodies waits until as many requests have come to a mailbox, and compares them byte for byte, in any order.
func wantBodies(t testing.TB, box *mailbox, want ...string) {
	t.Helper()
	box.await(t, len(want))
	want = slices.Sorted(slices.Values(want))
	if diff := cmp.Diff(want, bodiesOf(box)); diff != "" {
		t.Errorf("what came in %s (-want +got):\n%s", box.form, diff)
	}
}

// takeVendorsExamples posts each vendor's own example: it is taken, once, passed on as it is, and not if a byte of it is
// changed. What the vendor adds to it one day goes along.
func takeVendorsExamples(t *testing.T, st *stage) {
	for _, v := range vendors() {
		t.Run(v.dialect, func(t *testing.T) {
			t.Parallel()
			app := st.newApp(t, "")
			own, native := st.office.box(t, v.dialect), st.office.box(t, "native")
			st.endpoint(t, app, own, nil)
			st.endpoint(t, app, native, nil)
			in := st.inlet(t, app, v, fields{"channels": []string{"vendor"}})
			body := v.text(t)

			header := v.sign("first", body)
			forged := v.forge(body, header)
			if status, _ := in.knock(t, forged, header); status != http.StatusUnauthorized {
				t.Errorf("with one byte changed it was answered %d", status)
			}
			if n, all := len(in.stored(t)), in.received(t); n != 0 || len(all) != 1 || all[0].Status != "refused" || all[0].MessageID != "" {
				t.Errorf("with one byte changed there are %d messages, and %+v is kept", n, all)
			}
			for range 2 {
				in.deliver(t, "first", body)
			}
			later := strings.Replace(v.other(body, 2), "{", `{"addedLater":{"x":[1.50,"é"]},`, 1)
			in.deliver(t, "second", later)
			wantBodies(t, own, body, later)
			native.await(t, 2)

			messages, records := in.stored(t), in.received(t)
			if len(messages) != 2 || len(records) != 3 {
				t.Fatalf("%d messages and %d records, want 2 and 3", len(messages), len(records))
			}
			for i, m := range messages {
				if r := records[i]; r.Status != "accepted" || r.MessageID != m.ID || r.EventType != m.EventType {
					t.Errorf("message %s is recorded as %+v", m.ID, r)
				}
			}
			if text := string(messages[0].Payload); v.dialect == "zuddl" && !strings.Contains(text, `"addedLater":{"x":[1.50,"é"]}`) {
				t.Errorf("the native body lacks what was added: %s", text)
			}
			for _, r := range native.received() {
				if !slices.ContainsFunc(messages, func(m sent) bool { return sameJSON(m.Payload, r.body) }) {
					t.Errorf("what came natively is no message: %s", r.body)
				}
			}
		})
	}
}

// sameJSON reports whether two texts are the same but for the space between their parts.
func sameJSON(a, b []byte) bool {
	var x, y bytes.Buffer
	return json.Compact(&x, a) == nil && json.Compact(&y, b) == nil && bytes.Equal(x.Bytes(), y.Bytes())
}

// mergeAbbreviated posts Sessionboard's example, which says hardly anything of its session, where that is known: nothing
// of it is lost.
func mergeAbbreviated(t *testing.T, st *stage) {
	o := st.org(t, "abbreviated")
	app := o.newApp(t, "")
	in := o.inlet(t, app, vendorNamed("sessionboard"), nil)
	o.call(t, http.StatusCreated, http.MethodPost, "/app/"+app+"/event", fields{"id": "tides", "number": 4001, "name": "Tides"}, nil)
	session := "/app/" + app + "/event/tides/session"
	o.call(t, http.StatusCreated, http.MethodPost, session, fields{
		"id": "fd4e0275-f018-40bc-909a-f8cdfa0df354", "title": "Ebb", "capacity": 12, "tags": []string{"sea"}, "room": fields{"name": "Pier"},
	}, nil)
	session += "/fd4e0275-f018-40bc-909a-f8cdfa0df354"
	var before, after fields
	o.call(t, http.StatusOK, http.MethodGet, session, nil, &before)
	in.deliver(t, "abbreviated", in.text(t))
	o.call(t, http.StatusOK, http.MethodGet, session, nil, &after)
	for name, value := range before {
		if name != "updatedAt" && !cmp.Equal(value, after[name]) {
			t.Errorf("%s was %v and is %v", name, value, after[name])
		}
	}
	if before["title"] != "Ebb" {
		t.Errorf("before it was %v", before)
	}
	if r := in.received(t)[0]; r.Note != "" {
		t.Errorf("note %q", r.Note)
	}
	// What is told of it in full comes later, and is merged.
	full := strings.Replace(in.text(t), `"sourceOfChange"`, `"title":"Flood","sourceOfChange"`, 1)
	in.deliver(t, "in full", full)
	o.call(t, http.StatusOK, http.MethodGet, session, nil, &after)
	if after["title"] != "Flood" || after["capacity"] != 12.0 {
		t.Errorf("after all it is %v", after)
	}
}

// passOnJoins posts two joins of one person, which Zuddl's ids tell apart, then the minutes: two and one go out.
func passOnJoins(t *testing.T, st *stage) {
	app := st.newApp(t, "")
	own, native := st.office.box(t, "zuddl"), st.office.box(t, "native")
	st.endpoint(t, app, own, nil)
	st.endpoint(t, app, native, nil)
	in := st.inlet(t, app, vendorNamed("zuddl"), nil)
	spent := vendor{example: "zuddl-time-spent-in-session.json"}
	bodies := []string{in.text(t), in.other(in.text(t), 2), spent.text(t)}
	for _, body := range bodies {
		in.deliver(t, "", body)
	}
	wantBodies(t, own, bodies...)
	native.await(t, 3)
	st.awaitTimers(t, app)
	kinds := map[string]int{}
	for _, m := range in.stored(t) {
		if kinds[m.EventType]++; m.EventType == "session.time_spent" && minutesOf(t, m) != 123 {
			t.Errorf("time spent is told as %s", m.Payload)
		}
	}
	if diff := cmp.Diff(map[string]int{"session.joined": 2, "session.time_spent": 1, "conference.started": 1, "conference.participant.entered": 1, "conference.ended": 1, "conference.participant.time_spent": 1}, kinds); diff != "" {
		t.Errorf("messages (-want +got):\n%s", diff)
	}
}

// minutesOf reads a message's time spent.
func minutesOf(t testing.TB, m sent) int {
	t.Helper()
	var body struct {
		Data struct{ TimeSpentInMinutes int }
	}
	if err := json.Unmarshal(m.Payload, &body); err != nil {
		t.Fatal(err)
	}
	return body.Data.TimeSpentInMinutes
}

// awaitTimers has a conference begin and end in an app, and waits until its time spent is told: by then whatever else ended
// before in the app has been told too.
func (o operator) awaitTimers(t testing.TB, app string) {
	t.Helper()
	at := func(ago time.Duration) string { return time.Now().Add(-ago).UTC().Format(time.RFC3339Nano) }
	data := fields{"hostId": 1, "companyId": 2, "conferenceId": "clock"}
	entered := maps.Clone(data)
	maps.Copy(entered, fields{"participantId": "p", "participantRole": "participant", "meetingUrl": "https://example.com/m"})
	o.call(t, http.StatusAccepted, http.MethodPost, "/app/"+app+"/activity", fields{"activities": []fields{
		{"type": "conference.started", "at": at(9 * time.Minute), "data": data},
		{"type": "conference.participant.entered", "at": at(8 * time.Minute), "data": entered},
		{"type": "conference.ended", "at": at(time.Second), "data": data},
	}}, nil)
	kit.Eventually(t, "time spent in a conference", func() bool {
		var page struct{ Data []sent }
		o.call(t, http.StatusOK, http.MethodGet, "/app/"+app+"/msg?limit=50&event_types=conference.participant.time_spent", nil, &page)
		return slices.ContainsFunc(page.Data, func(m sent) bool { return bytes.Contains(m.Payload, []byte(`"clock"`)) })
	})
}

// inventNoMinutes posts joins at an event that ends, and no minutes: none are told, nor who attended.
func inventNoMinutes(t *testing.T, st *stage) {
	app := st.newApp(t, "")
	in := st.inlet(t, app, vendorNamed("zuddl"), nil)
	end := time.Now().Add(500 * time.Millisecond).UTC().Format(time.RFC3339Nano)
	body := strings.ReplaceAll(in.text(t), `"endDate": "2025-04-11T12:30:00Z"`, `"endDate": "`+end+`"`)
	body = strings.Replace(body, "2023-10-01T12:00:00Z", time.Now().Add(-time.Minute).UTC().Format(time.RFC3339), 1)
	if !strings.Contains(body, end) {
		t.Fatal("the example has another end than this test knows")
	}
	in.deliver(t, "", body)
	var report struct {
		Totals struct{ Attended, Minutes, Present int }
	}
	path := "/app/" + app + "/event/3c90c3cc-0d44-4b50-8888-8dd25736052a/attendance"
	in.call(t, http.StatusOK, http.MethodGet, path, nil, &report)
	if report.Totals.Present != 1 {
		t.Errorf("the join made nobody present: %+v", report)
	}
	kit.Eventually(t, "the event to end", func() bool { return time.Now().UTC().Format(time.RFC3339Nano) > end })
	st.awaitTimers(t, app)
	for _, m := range in.stored(t) {
		if !strings.HasPrefix(m.EventType, "conference.") && m.EventType != "session.joined" {
			t.Errorf("a message %s was made up: %s", m.EventType, m.Payload)
		}
	}
}

// iotumBody is a webhook of iotum's.
func iotumBody(event, payload string, at time.Time) string {
	return fmt.Sprintf(`{"event":%q,"payload":%q,"timestamp":%q}`, event, payload, at.UTC().Format(toTheMilli))
}

// takeAnyOrder posts the end of a conference before somebody entered it: all is passed on.
func takeAnyOrder(t *testing.T, st *stage) {
	app := st.newApp(t, "")
	own := st.office.box(t, "iotum")
	st.endpoint(t, app, own, nil)
	in := st.inlet(t, app, vendorNamed("iotum"), nil)
	now := time.Now()
	who := `{"host_id":1,"company_id":2,"conference_id":3,"participant_id":4,"participant_role":"participant","meeting_url":"https://example.com/m"}`
	bodies := []string{
		iotumBody("conference_end", `{"host_id":1,"company_id":2,"conference_id":3}`, now.Add(-time.Minute)),
		iotumBody("stop_recording", `{"host_id":1,"company_id":2,"conference_id":3}`, now.Add(-2*time.Minute)),
		iotumBody("enter_conference", who, now.Add(-3*time.Minute)),
		iotumBody("conference_start", `{"host_id":1,"company_id":2,"conference_id":3}`, now.Add(-4*time.Minute)),
	}
	for _, body := range bodies {
		in.deliver(t, "", body)
	}
	wantBodies(t, own, bodies...)
	if n := len(in.received(t)); n != len(bodies) {
		t.Errorf("%d requests are kept, want %d", n, len(bodies))
	}
}

// countMinutes has people enter and leave a conference of iotum's, and it end: Zuddl's consumers hear their joins, and after
// the delay the minutes.
func countMinutes(t *testing.T, st *stage) {
	app := st.newApp(t, "")
	zuddl := st.office.box(t, "zuddl")
	st.endpoint(t, app, zuddl, nil)
	in := st.inlet(t, app, vendorNamed("iotum"), nil)
	ended := time.Now().Add(-10 * time.Minute)
	turn := func(event string, who int, beforeEnd time.Duration) {
		payload := fmt.Sprintf(`{"host_id":1,"company_id":2,"conference_id":77,"participant_id":%d,"participant_role":"participant",`, who)
		last := `"meeting_url":"https://example.com/m"}`
		if event == "leave_conference" {
			last = `"reason_for_leaving":"user_exit"}`
		}
		in.deliver(t, "", iotumBody(event, payload+last, ended.Add(-beforeEnd)))
	}
	conference := `{"host_id":1,"company_id":2,"conference_id":77}`
	in.deliver(t, "", iotumBody("conference_start", conference, ended.Add(-time.Hour)))
	turn("enter_conference", 1, 30*time.Minute)
	turn("leave_conference", 1, 18*time.Minute)
	turn("enter_conference", 2, 20*time.Minute) // until the end
	turn("enter_conference", 1, 9*time.Minute)
	turn("leave_conference", 1, 4*time.Minute)
	told := time.Now()
	in.deliver(t, "", iotumBody("conference_end", conference, ended))

	zuddl.await(t, 5)
	minutes := map[string]float64{}
	for _, r := range zuddl.received() {
		var w struct {
			Action             string
			Registration       struct{ ID string }
			TimeSpentInMinutes float64
		}
		if err := json.Unmarshal(r.body, &w); err != nil {
			t.Fatal(err)
		}
		if w.Action != "TIME_SPENT_IN_SESSION" {
			continue
		}
		minutes[w.Registration.ID] = w.TimeSpentInMinutes
		if r.at.Before(told.Add(timeSpentDelay)) {
			t.Errorf("minutes came %s after the end was told, before the delay", r.at.Sub(told))
		}
	}
	if diff := cmp.Diff(map[string]float64{"1": 17, "2": 20}, minutes); diff != "" {
		t.Errorf("minutes (-want +got):\n%s", diff)
	}
	zuddl.wantKinds(t, "JOINED_SESSION", "JOINED_SESSION", "JOINED_SESSION", "TIME_SPENT_IN_SESSION", "TIME_SPENT_IN_SESSION")
}

// knockInVain asks for what is not there, and sends what is no webhook.
func knockInVain(t *testing.T, st *stage) {
	app := st.newApp(t, "")
	in, stranger := st.inlet(t, app, vendorNamed("zuddl"), nil), vendorNamed("zuddl")
	for name, tt := range map[string]struct {
		method, path, body string
		want               int
	}{
		"a GET":         {http.MethodGet, "/in/" + in.id, "", http.StatusOK},
		"a made-up id":  {http.MethodPost, "/in/src_0123456789012345678901234567", "{}", http.StatusNotFound},
		"no id":         {http.MethodPost, "/in/", "{}", http.StatusNotFound},
		"too large":     {http.MethodPost, "/in/" + in.id, strings.Repeat("x", 1<<20+1), http.StatusRequestEntityTooLarge},
		"no signature":  {http.MethodPost, "/in/" + in.id, "{}", http.StatusUnauthorized},
		"a method":      {http.MethodDelete, "/in/" + in.id, "", http.StatusMethodNotAllowed},
		"somewhere":     {http.MethodPost, "/in/" + in.id + "/x", "{}", http.StatusNotFound},
		"another's app": {http.MethodPost, "/in/" + app, "{}", http.StatusNotFound},
	} {
		if got := ask(t, in.server, "", tt.method, tt.path, tt.body, nil); got.status != tt.want {
			t.Errorf("%s: %d %s, want %d", name, got.status, got.body, tt.want)
		}
	}
	for _, body := range []string{"", "[]", `{"action":`, `{"action":7}`} {
		if status, answer := in.knock(t, body, stranger.sign("", body)); status != http.StatusUnauthorized {
			t.Errorf("%q signed with another secret: %d %s", body, status, answer)
		}
		if status, answer := in.knock(t, body, in.sign("", body)); status != http.StatusBadRequest {
			t.Errorf("%q: %d %s", body, status, answer)
		}
	}
	counts := map[string]int{}
	for _, r := range in.received(t) {
		counts[r.Status]++
	}
	if diff := cmp.Diff(map[string]int{"refused": 5, "unreadable": 4}, counts); diff != "" || len(in.stored(t)) != 0 {
		t.Errorf("%d messages, kept (-want +got):\n%s", len(in.stored(t)), diff)
	}
	in.call(t, http.StatusNoContent, http.MethodDelete, "/app/"+app+"/source/"+in.id, nil, nil)
	if status, _ := in.knock(t, in.text(t), in.sign("", in.text(t))); status != http.StatusNotFound {
		t.Errorf("a deleted source answers %d", status)
	}
}

// changeSecrets rotates a source's secret: the old one counts until its grace period ends, and without one no longer.
func changeSecrets(t *testing.T, st *stage) {
	app := st.newApp(t, "")
	old, next, last := vendorNamed("zuddl"), vendorNamed("zuddl"), vendorNamed("zuddl")
	in := st.inlet(t, app, old, nil)
	n := 0
	want := func(v vendor, status int) {
		t.Helper()
		n++
		body := in.other(in.text(t), n)
		if got, answer := in.knock(t, body, v.sign("", body)); got != status {
			t.Errorf("webhook %d: %d %s, want %d", n, got, answer, status)
		}
	}
	rotate := func(v vendor, more fields) {
		t.Helper()
		maps.Copy(more, v.auth)
		in.call(t, http.StatusNoContent, http.MethodPost, "/app/"+app+"/source/"+in.id+"/secret/rotate", more, nil)
	}
	want(old, http.StatusOK)
	want(next, http.StatusUnauthorized)
	rotate(next, fields{})
	want(old, http.StatusOK)
	want(next, http.StatusOK)
	rotate(last, fields{"gracePeriodSeconds": 0})
	want(old, http.StatusUnauthorized)
	want(next, http.StatusUnauthorized)
	want(last, http.StatusOK)
	if got := len(in.stored(t)); got != 4 {
		t.Errorf("%d messages, want 4", got)
	}
}

// takeStrangeText posts what databases, encodings and readers of JSON stumble over: it is passed on as it came, and what
// cannot be read is the vendor's fault.
func takeStrangeText(t *testing.T, st *stage) {
	app := st.newApp(t, "")
	own, native := st.office.box(t, "zuddl"), st.office.box(t, "native")
	st.endpoint(t, app, own, nil)
	hearer := st.endpoint(t, app, native, nil)
	in := st.inlet(t, app, vendorNamed("zuddl"), nil)
	var taken []string
	for i, strange := range []string{
		"\xff\xfe", `\u0000`, `\ud800`, "\u2028 \U0001F600", `<a href="x">&amp;</a>`, strings.Repeat("é", 5000),
	} {
		strange = strings.ReplaceAll(strange, `"`, `\"`)
		for _, body := range []string{
			fmt.Sprintf(`{"action":"WAVED","actionId":"w%d","x":"%s","%s":1e400,"y":[1.0,-0]}`, i, strange, strange),
			fmt.Sprintf(`{"action":"JOINED_SESSION","actionId":"j%d%s","registration":{"id":"%s"},"event":{"id":"%s","name":"%s"},"session":{"id":"s","tags":["%s"]}}`,
				i, strange, strange, strange, strange, strange),
		} {
			status, answer := in.knock(t, body, in.sign("", body))
			switch status {
			case http.StatusOK:
				taken = append(taken, body)
			case http.StatusBadRequest:
			default:
				t.Errorf("%.200q was answered %d %s", body, status, answer)
			}
		}
	}
	if len(taken) < 8 {
		t.Errorf("only %d of 12 were taken", len(taken))
	}
	st.settle(t, app, hearer, int64(len(taken)), 0)
	wantBodies(t, own, taken...)
	if n := len(in.received(t)); n != 12 {
		t.Errorf("%d requests are kept, want 12", n)
	}
}

// forgetPeople erases somebody of whom webhooks told: taken ones, refused ones and unreadable ones. No body is left that
// names him, and another person's is as it was.
func forgetPeople(t *testing.T, st *stage) {
	app := st.newApp(t, "")
	in, stranger := st.inlet(t, app, vendorNamed("zuddl"), nil), vendorNamed("zuddl")
	jane := in.text(t)
	jack := strings.NewReplacer("Jane", "Jack", "d5e31ba5-2d1e-4918-bb60-dd1514b4b397", "another-one", "jane", "jack").Replace(in.other(jane, 2))
	in.deliver(t, "", jane)
	in.deliver(t, "", jack)
	in.knock(t, in.other(jane, 3), stranger.sign("", in.other(jane, 3)))
	unreadable := strings.Replace(jane, "JOINED_SESSION", "no action", 1)
	in.knock(t, unreadable, in.sign("", unreadable))
	bodies := func() (all string) {
		for _, r := range in.received(t) {
			var one struct{ Body string }
			in.call(t, http.StatusOK, http.MethodGet, "/app/"+app+"/source/"+in.id+"/received/"+r.ID, nil, &one)
			all += one.Body
		}
		for _, m := range in.stored(t) {
			all += string(m.Payload)
		}
		return all
	}
	if n := strings.Count(bodies(), "Jane"); n < 4 {
		t.Fatalf("Jane is named %d times before", n)
	}
	person := "/app/" + app + "/event/3c90c3cc-0d44-4b50-8888-8dd25736052a/registration/d5e31ba5-2d1e-4918-bb60-dd1514b4b397"
	in.call(t, http.StatusNoContent, http.MethodDelete, person+"?erase=true", nil, nil)
	kit.Eventually(t, "nothing of Jane to be left", func() bool { return !strings.Contains(bodies(), "Jane") })
	if n := strings.Count(bodies(), "Jack"); n < 2 {
		t.Errorf("Jack is named %d times after all", n)
	}
}
