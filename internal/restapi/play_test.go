package restapi_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/callboard/callboard/internal/dialect"
	"github.com/callboard/callboard/internal/dialect/native"
	"github.com/callboard/callboard/internal/dialect/zuddl"
	"github.com/callboard/callboard/internal/inbox"
	"github.com/callboard/callboard/internal/play"
	"github.com/callboard/callboard/internal/restapi"
)

// newPlayWorld makes a world with Play and the door through which requests come.
func newPlayWorld(t *testing.T) *world {
	t.Helper()
	return makeWorldOf(t, dialect.NewSet(native.Dialect{}, zuddl.New()), nil, func(c *restapi.Config) {
		hub, err := inbox.New(inbox.Config{Key: []byte("the key of the tests"), Play: c.Play})
		if err != nil {
			t.Fatal(err)
		}
		if err := hub.Open(publicURL); err != nil {
			t.Fatal(err)
		}
		c.Inboxes = hub
	})
}

// post sends a request to an inbox, as anybody may.
func (w *world) post(method, url, body string, header map[string]string) reply {
	w.t.Helper()
	return w.send(request{method: method, path: strings.TrimPrefix(url, publicURL), body: strings.NewReader(body), header: header})
}

func (r reply) inbox() play.Inbox {
	r.t.Helper()
	var out play.Inbox
	if err := json.Unmarshal([]byte(r.Body), &out); err != nil {
		r.t.Fatalf("%v in %s", err, r.Body)
	}
	return out
}

// TestPlay goes once through all routes, without any token.
func TestPlay(t *testing.T) {
	t.Parallel()
	w := newPlayWorld(t)
	box := w.as("", "POST", "/play", "{}").want(201).inbox()
	if !strings.HasPrefix(box.URL, publicURL+"/play/in/") || strings.Contains(box.URL, box.Key) || len(box.Requests) != 0 {
		t.Errorf("made %+v", box)
	}
	if left := time.Until(box.ExpiresAt); left < 23*time.Hour || left > 24*time.Hour {
		t.Errorf("expires in %s", left)
	}
	wantSettings := play.Settings{Status: 200, Body: "ok\n"}
	if diff := cmp.Diff(wantSettings, box.Settings); diff != "" {
		t.Errorf("settings (-want +got):\n%s", diff)
	}

	w.as("", "PATCH", "/play/"+box.Key, `{"status":418,"body":"<b>no</b>","dialect":"zuddl","secret":"hush"}`).want(200)
	got := w.post("PUT", box.URL+"/a%20b/c?x=1&y", "\x00\xff", map[string]string{"X-One": "<i>"}).want(418)
	if got.Body != "<b>no</b>" || got.Header.Get("Content-Type") != "text/plain; charset=utf-8" || got.Header.Get("X-Content-Type-Options") != "nosniff" ||
		got.Header.Get("Content-Security-Policy") != "sandbox; default-src 'none'" || got.Header.Get("Cache-Control") != "no-store" ||
		got.Header.Get("Access-Control-Allow-Origin") != "" {
		t.Errorf("the answer is %v %q", got.Header, got.Body)
	}
	if log := w.log.String(); strings.Contains(log, box.Key) || strings.Contains(log, box.URL[len(publicURL):]) || strings.Contains(log, `"level":"ERROR"`) {
		t.Errorf("the log says %s", log)
	}

	box = w.as("", "GET", "/play/"+box.Key, "").want(200).inbox()
	if len(box.Requests) != 1 {
		t.Fatalf("holds %+v", box.Requests)
	}
	r := box.Requests[0]
	if r.Method != "PUT" || r.Path != "/a%20b/c" || r.Query != "x=1&y" || string(r.BodyBase64) != "\x00\xff" || r.Body != "" || r.Size != 2 || r.Truncated || r.Own ||
		r.Answered.Status != 418 || r.Verification.Verdict != play.Unsigned || r.ID != box.LastEventID {
		t.Errorf("the request is %+v", r)
	}
	if diff := cmp.Diff([]play.Header{{Name: "Host", Value: "example.com"}, {Name: "X-One", Value: "<i>"}}, r.Headers); diff != "" {
		t.Errorf("headers (-want +got):\n%s", diff)
	}

	sent := w.as("", "POST", "/play/"+box.Key+"/send", `{"headers":[{"name":"x-two","value":"2"}],"body":"{\"action\":\"JOINED_SESSION\"}","sign":true}`).want(202).text("id")
	box = w.as("", "GET", "/play/"+box.Key, "").want(200).inbox()
	if r := box.Requests[0]; len(box.Requests) != 2 || r.ID != sent || r.Verification.Verdict != play.Valid || r.Type != "JOINED_SESSION" {
		t.Errorf("sent %+v", r)
	}

	w.as("", "PATCH", "/play/"+box.Key, `{"status":null,"body":null,"dialect":null,"secret":null}`).want(200)
	w.as("", "DELETE", "/play/"+box.Key+"/request", "").want(204)
	box = w.as("", "GET", "/play/"+box.Key, "").want(200).inbox()
	if diff := cmp.Diff(wantSettings, box.Settings); diff != "" || len(box.Requests) != 0 {
		t.Errorf("at the end %+v", box)
	}
}

// TestPlayRefuses names what is wrong, and never what it is.
func TestPlayRefuses(t *testing.T) {
	t.Parallel()
	w := newPlayWorld(t)
	key := w.as("", "POST", "/play", "").want(201).inbox().Key
	for _, row := range []struct{ method, path, body, field string }{
		{"PATCH", "", `{"status":199}`, "status"},
		{"PATCH", "", `{"status":600}`, "status"},
		{"PATCH", "", `{"delayMs":30001}`, "delayMs"},
		{"PATCH", "", `{"delayMs":-1}`, "delayMs"},
		{"PATCH", "", `{"body":"` + strings.Repeat("x", 16<<10+1) + `"}`, "body"},
		{"PATCH", "", `{"dialect":"` + marker + `"}`, "dialect"},
		{"PATCH", "", `{"dialect":"native","secret":"` + marker + `"}`, "secret"},
		{"PATCH", "", `{"secret":""}`, "secret"},
		{"PATCH", "", `{"gracePeriodSeconds":60}`, "gracePeriodSeconds"},
		{"PATCH", "", `{"secret":null,"gracePeriodSeconds":60}`, "gracePeriodSeconds"},
		{"PATCH", "", `{"secret":"hush","gracePeriodSeconds":604801}`, "gracePeriodSeconds"},
		{"PATCH", "", `{"secret":"` + strings.Repeat(marker, 200) + `"}`, "secret"},
		{"POST", "/send", `{"sign":true}`, "sign"},
		{"POST", "/send", `{"headers":[{"name":"a b","value":"` + marker + `"}]}`, "name"},
		{"POST", "/send", `{"headers":[{"name":"a","value":"` + marker + `\r\nx: y"}]}`, "value"},
		{"POST", "/send", `{"headers":[{"name":"a","value":"` + strings.Repeat("x", 32<<10) + `"}]}`, "headers"},
		{"POST", "/send", `{"body":"a","bodyBase64":"YQ=="}`, "bodyBase64"},
	} {
		got := w.as("", row.method, "/play/"+key+row.path, row.body)
		if got.Status != http.StatusUnprocessableEntity || !strings.Contains(got.Body, `"`+row.field+`"`) || strings.Contains(got.Body, marker) {
			t.Errorf("%s %.60s: %d %s, want %s named", row.method, row.body, got.Status, got.Body, row.field)
		}
	}
	for _, other := range []string{"x", key[1:], key + "0", strings.ToUpper(key), "0" + key[1:]} {
		if other == key {
			continue
		}
		w.as("", "GET", "/play/"+other, "").want(404)
		w.as("", "PATCH", "/play/"+other, "{}").want(404)
		w.as("", "DELETE", "/play/"+other+"/request", "").want(404)
		w.as("", "GET", "/play/"+other+"/stream", "").want(404)
		w.as("", "POST", "/play/"+other+"/send", "{}").want(404)
	}
}

// TestPlayDoor: whatever is sent to an inbox of Play comes in, and nothing to others.
func TestPlayDoor(t *testing.T) {
	t.Parallel()
	w := newPlayWorld(t)
	box := w.as("", "POST", "/play", "").want(201).inbox()
	methods := []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PURGE"}
	for _, method := range methods {
		got := w.post(method, box.URL, "", nil).want(200)
		if (got.Body == "") != (method == "HEAD") || got.Header.Get("Content-Length") != "3" {
			t.Errorf("%s: %v %q", method, got.Header, got.Body)
		}
		w.post(method, box.URL+"/deep//../er/", "", nil).want(200)
	}
	if got := w.as("", "GET", "/play/"+box.Key, "").inbox().Requests[0].Path; got != "/deep//../er/" {
		t.Errorf("the path is %s", got)
	}
	if shown := w.as("", "GET", "/play/"+box.Key, "").inbox(); len(shown.Requests) != 2*len(methods) {
		t.Errorf("%d requests came, want %d", len(shown.Requests), 2*len(methods))
	}
	w.post("POST", publicURL+"/play/in/made-up", "", nil).want(404)
	w.post("POST", publicURL+"/play/in/made-up/x", "", nil).want(404)
	w.post("GET", publicURL+"/play/in/made-up", "", nil).want(405)
	for _, status := range []string{"204", "205", "304"} {
		w.as("", "PATCH", "/play/"+box.Key, `{"status":`+status+`}`).want(200)
		if got := w.post("POST", box.URL, "x", nil); got.Body != "" || got.Header.Get("Content-Length") != "" {
			t.Errorf("%s has the body %q", status, got.Body)
		}
	}
}

// TestPlayShowsNoSession: a browser that is signed in and is led to an inbox keeps its cookie from who looks at it.
func TestPlayShowsNoSession(t *testing.T) {
	t.Parallel()
	w := newPlayWorld(t)
	session := w.signIn("key", w.orgKey(), "").want(200).cookie()
	box := w.as("", "POST", "/play", "").want(201).inbox()
	for sent, want := range map[string]string{
		session.Name + "=" + session.Value:                                   "",
		"a=1; " + session.Name + "=" + session.Value + "; b=2":               "a=1; b=2",
		"a=1;" + session.Name + " = " + session.Value + " ;c":                "a=1;c",
		"__Host-callboard=x; callboard=y; callboard-8071=z; callboards=mine": "callboards=mine",
	} {
		w.post("GET", box.URL+"/below", "", map[string]string{"Cookie": sent}).want(200)
		shown := w.as("", "GET", "/play/"+box.Key, "").want(200).inbox().Requests[0]
		got := ""
		for _, h := range shown.Headers {
			if h.Name == "Cookie" {
				got = h.Value
			}
		}
		if got != want {
			t.Errorf("of %q shows %q, want %q", sent, got, want)
		}
	}
}

// TestNoPlay: a server without Play has none of its routes.
func TestNoPlay(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(c *restapi.Config) { c.Play = nil })
	for _, row := range []struct{ method, path string }{
		{"POST", "/play"}, {"GET", "/play/x"}, {"PATCH", "/play/x"}, {"DELETE", "/play/x/request"}, {"GET", "/play/x/stream"}, {"POST", "/play/x/send"},
	} {
		w.as("", row.method, row.path, "").want(404)
	}
	if _, described := w.document().Paths["/api/v1/play"]; described {
		t.Error("the document has Play")
	}
}
