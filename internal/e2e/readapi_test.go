package e2e_test

import (
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/callboard/callboard/internal/e2e/kit"
	"github.com/callboard/callboard/wire/sessionboard"
)

// change is one through the live API, and the webhooks that it makes.
type change struct {
	status             int
	method, path, body string
	actions            []string
}

// changes make each of Sessionboard's actions.
func changes() []change {
	all := []change{
		{201, "POST", "/event", `{"id":"summit","name":"Summit","number":4012}`, nil},
		{201, "POST", "/event/summit/session", `{"id":"keynote:1@x","title":"Tides & <maps>","startDateTime":"2027-06-10T09:00:00.5+02:00","capacity":70,"tags":["a"],"shoe_size":[1.50],"sourceOfChange":"agent"}`, []string{"session.created"}},
	}
	for _, kind := range []string{"contact", "exhibitor", "sponsor"} {
		all = append(all,
			change{201, "POST", "/" + kind, `{"id":"one","friendlyId":"F-1","name":"Engines","firstName":"Ada","addressCountry":"Malta","organizationId":"o-9","customFields":[{"id":"c","value":1.50}],"Zed":null}`, []string{kind + ".created"}},
			change{200, "PATCH", "/" + kind + "/one", `{"addressCity":"Valletta","phone":null}`, []string{kind + ".updated"}},
			change{204, "PUT", "/" + kind + "/one/event/summit", "", []string{kind + ".event.associated"}},
		)
	}
	session := "/event/summit/session/keynote:1@x"
	all = append(all,
		change{204, "PUT", session + "/speaker/one", `{"participantRole":{"slug":"speaker"}}`, []string{"session.speaker.attached"}},
		change{200, "PATCH", session, `{"room":{"id":"r","name":"Hall"},"endDateTime":"2027-06-10T10:00:00Z"}`, []string{"session.updated"}},
		change{204, "DELETE", session + "/speaker/one?actorId=7&actorType=AGENT", "", []string{"session.speaker.detached"}},
		change{200, "PATCH", session, `{"speakers":[{"id":"one"}]}`, []string{"session.speaker.attached", "session.updated"}},
	)
	for _, kind := range []string{"contact", "exhibitor", "sponsor"} {
		all = append(all,
			change{204, "DELETE", "/" + kind + "/one/event/summit", "", []string{kind + ".event.disassociated"}},
			change{204, "DELETE", "/" + kind + "/one", "", []string{kind + ".deleted"}},
		)
	}
	return append(all, change{204, "DELETE", session, "", []string{"session.deleted"}})
}

// TestReadAPI makes all of Sessionboard's webhooks through the live API, and follows the address that each of them names
// with a read token: it gives the same object, unless that was deleted.
func TestReadAPI(t *testing.T) {
	t.Parallel()
	onEachStore(t, followResourceURLs)
}

func followResourceURLs(t *testing.T, store storeUnderTest) {
	s := start(t, kit.Config{DB: store.fresh(t)})
	o := operator{s, mint(t, s)}
	app := o.newApp(t, "harbour")
	box, _ := o.sessionboardBox(t)
	tokens := []string{mint(t, s, "--read"), mint(t, s, "--read", "--app", app), o.token}

	met := map[string]bool{}
	heard := 0
	for _, c := range changes() {
		o.send(t, c.status, c.method, "/app/harbour"+c.path, c.body, nil)
		all := box.await(t, heard+len(c.actions))
		var actions []string
		for _, d := range all[heard:] {
			w := readWebhook(t, d.body)
			actions = append(actions, w.Metadata.Action)
			met[w.Metadata.Action] = true
			for _, token := range tokens {
				w.follow(t, s, token)
			}
		}
		slices.Sort(actions)
		if diff := cmp.Diff(c.actions, actions); diff != "" {
			t.Fatalf("%s %s (-want +got):\n%s", c.method, c.path, diff)
		}
		heard = len(all)
	}
	for _, action := range sessionboard.Actions() {
		if !met[string(action)] {
			t.Errorf("no webhook was %s", action)
		}
	}
}

// toldOf is a webhook of Sessionboard's, as far as this test reads it.
type toldOf struct {
	Data     json.RawMessage
	Metadata struct {
		Action      string
		ResourceURL string `json:"resource_url"`
	}
}

func readWebhook(t *testing.T, body []byte) (w toldOf) {
	t.Helper()
	if err := json.Unmarshal(body, &w); err != nil || w.Metadata.ResourceURL == "" {
		t.Fatalf("%v in %s", err, body)
	}
	return w
}

// follow reads what a webhook is about. It is the webhook's data, but for what only the change has.
func (w toldOf) follow(t *testing.T, s *kit.Server, token string) {
	t.Helper()
	if !strings.HasPrefix(w.Metadata.ResourceURL, s.URL+"/v1/") {
		t.Fatalf("%s: the address is %s", w.Metadata.Action, w.Metadata.ResourceURL)
	}
	status, body := readResource(t, w.Metadata.ResourceURL, token)
	if strings.HasSuffix(w.Metadata.Action, ".deleted") {
		if status != http.StatusNotFound || body != `{"error":"not_found","message":"Entity not found"}` {
			t.Errorf("%s: %d %s", w.Metadata.Action, status, body)
		}
		return
	}
	if status != http.StatusOK {
		t.Fatalf("%s: %s: %d %s", w.Metadata.Action, w.Metadata.ResourceURL, status, body)
	}
	want, got := members(t, string(w.Data)), members(t, body)
	if want["sourceOfChange"] == "" || strings.Contains(w.Metadata.Action, ".speaker.") != (want["speaker"] != "") {
		t.Errorf("%s: the data has no sourceOfChange, or not the speaker: %s", w.Metadata.Action, w.Data)
	}
	delete(want, "sourceOfChange")
	delete(want, "speaker")
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-webhook +api):\n%s", w.Metadata.Action, diff)
	}
}

// members are those of an object, each as it is written.
func members(t *testing.T, object string) map[string]string {
	t.Helper()
	var raw map[string]json.RawMessage
	if err := json.Unmarshal([]byte(object), &raw); err != nil {
		t.Fatalf("%v in %s", err, object)
	}
	texts := map[string]string{}
	for name, value := range raw {
		texts[name] = string(value)
	}
	return texts
}

// readResource asks as Sessionboard's customers do.
func readResource(t *testing.T, url, token string) (status int, body string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("x-access-token", token)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(text)
}

// TestReadAPIBase: what addresses begin with is as it was when the change was made, in retries and resends as well; an
// app's own goes before the org's.
func TestReadAPIBase(t *testing.T) {
	t.Parallel()
	onEachStore(t, setResourceURLBases)
}

func setResourceURLBases(t *testing.T, store storeUnderTest) {
	s := start(t, kit.Config{DB: store.fresh(t)})
	o := operator{s, mint(t, s)}
	o.newApp(t, "harbour")
	box, endpoint := o.sessionboardBox(t)
	org := func(base any) {
		o.call(t, http.StatusOK, http.MethodPatch, "/settings", fields{"resourceUrlBase": base}, nil)
	}
	own := func(base any) {
		o.call(t, http.StatusOK, http.MethodPatch, "/app/harbour", fields{"resourceUrlBase": base}, nil)
	}
	made, heard := 0, 0
	wantBase := func(base string) request {
		t.Helper()
		name := string(rune('a' + made))
		made++
		if made%2 == 0 { // by the other door
			o.post(t, "harbour", "contact.created", `{"type":"contact.created","timestamp":"2027-02-03T10:00:12.000Z","data":{"contact":{"id":"`+name+`"}}}`)
		} else {
			o.call(t, http.StatusCreated, http.MethodPost, "/app/harbour/contact", fields{"id": name}, nil)
		}
		heard++
		d := box.await(t, heard)[heard-1]
		if got, want := readWebhook(t, d.body).Metadata.ResourceURL, base+"/v1/organization/harbour/contacts/"+name; got != want {
			t.Errorf("the address is %s, want %s", got, want)
		}
		return d
	}
	for range 2 { // for both doors
		wantBase(s.URL)
	}
	org("https://events.example.com/callboard/")
	for range 2 {
		wantBase("https://events.example.com/callboard")
	}
	own("https://harbour.example.com")
	first := wantBase("https://harbour.example.com")
	wantBase("https://harbour.example.com")
	own(nil)
	org("https://elsewhere.example.com")
	wantBase("https://elsewhere.example.com")
	o.resend(t, "harbour", first.header.Get("svix-id"), endpoint)
	if again := box.await(t, heard+1)[heard]; string(again.body) != string(first.body) {
		t.Errorf("sent again it is\n%s\nand was\n%s", again.body, first.body)
	}
}

// sessionboardBox makes an endpoint of the app harbour that hears everything in Sessionboard's dialect.
func (o operator) sessionboardBox(t *testing.T) (box *mailbox, endpoint string) {
	t.Helper()
	box = newOffice(t).box(t, "sessionboard")
	secret := kit.NewSecret()
	box.accept(t, secret)
	var made struct{ ID string }
	o.call(t, http.StatusCreated, http.MethodPost, "/app/harbour/endpoint", fields{"url": box.URL, "secret": secret, "dialect": "sessionboard"}, &made)
	return box, made.ID
}
