package inbox_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/callboard/callboard/internal/dialect"
	"github.com/callboard/callboard/internal/dialect/native"
	"github.com/callboard/callboard/internal/inbox"
	"github.com/callboard/callboard/internal/play"
)

// newPlay makes a Hub with Play, and an inbox of it.
func newPlay(t *testing.T) (*inbox.Hub, *play.Hub, play.Inbox) {
	t.Helper()
	p, err := play.New(play.Config{Key: []byte("the key of the tests"), Dialects: dialect.NewSet(native.Dialect{})})
	if err != nil {
		t.Fatal(err)
	}
	h := newHub(t, func(c *inbox.Config) { c.Play = p })
	t.Cleanup(h.Close)
	made, err := p.Create(netip.MustParseAddr("192.0.2.1"))
	if err != nil {
		t.Fatal(err)
	}
	return h, p, made
}

// TestPlayHandedOver: deliveries to Play never leave the process, and what it answers is what they get.
func TestPlayHandedOver(t *testing.T) {
	t.Parallel()
	h, p, made := newPlay(t)
	net := &dialled{}
	rt := h.Around(net)
	status, delay, text := http.StatusInternalServerError, time.Millisecond, "<b>not today</b>"
	if _, err := p.Set(made.Key, play.Change{Status: &status, Delay: &delay, Body: &text}); err != nil {
		t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPut, made.URL+"/a%20b/c?x=1", strings.NewReader("hello"))
	if err != nil {
		t.Fatal(err)
	}
	response, err := rt.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != status || string(body) != text || response.Header.Get("Content-Type") != "text/plain; charset=utf-8" ||
		response.ContentLength != int64(len(text)) {
		t.Errorf("answered %d %v %q, %v", response.StatusCode, response.Header, body, err)
	}
	shown, err := p.View(made.Key)
	if err != nil || len(shown.Requests) != 1 {
		t.Fatalf("%v %v", shown, err)
	}
	if got := shown.Requests[0]; got.Method != http.MethodPut || got.Path != "/a%20b/c" || got.Query != "x=1" || got.Body != "hello" || !got.Own || got.Answered.Status != status {
		t.Errorf("it came as %+v", got)
	}

	for url, local := range map[string]bool{
		made.URL: true, made.URL + "/below": true, made.URL + "?x=1": true, made.URL + "/../x": true,
		made.URL + "#x": false, strings.Replace(made.URL, "://", "://me@", 1): false,
		publicURL + inbox.Path + "made-up": false, publicURL + inbox.Path: false, "http://127.0.0.1:8072" + made.URL[len(publicURL):]: false,
	} {
		if h.Local(url) != local {
			t.Errorf("Local(%s) is %v", url, !local)
		}
	}
	wantAnswer(t, "too large", send(t.Context(), rt, made.URL, make([]byte, 4<<20+1)), http.StatusRequestEntityTooLarge, "")
	wantAnswer(t, "no inbox", send(t.Context(), rt, publicURL+inbox.Path+"made-up", nil), http.StatusNotFound, "")
	wantAnswer(t, "a listener's", send(t.Context(), rt, h.URL(7, "jane"), nil), http.StatusServiceUnavailable, "1")
	if len(net.urls) > 0 {
		t.Errorf("dialled: %v", net.urls)
	}
}

// TestPlayDoors: without Play, its addresses are nobody's; with it, listeners' inboxes are as before.
func TestPlayDoors(t *testing.T) {
	t.Parallel()
	h, _, made := newPlay(t)
	without := newHub(t)
	if without.Local(made.URL) {
		t.Error("a server without Play has an inbox of it")
	}
	name := strings.TrimPrefix(made.URL, publicURL+inbox.Path)
	jane := strings.TrimPrefix(h.URL(7, "jane"), publicURL+inbox.Path)
	for _, row := range []struct {
		hub                *inbox.Hub
		method, name, rest string
		status             int
	}{
		{h, "GET", name, "", 200},
		{h, "POST", name, "below", 200},
		{h, "POST", jane, "", 503},
		{h, "GET", jane, "", 405},
		{h, "POST", jane, "below", 404},
		{without, "POST", name, "", 404},
	} {
		r := httptest.NewRequest(row.method, strings.TrimSuffix(inbox.Path+row.name+"/"+row.rest, "/"), nil)
		r.SetPathValue("inbox", row.name)
		rec := httptest.NewRecorder()
		row.hub.ServeHTTP(rec, r)
		if rec.Code != row.status {
			t.Errorf("%s %s/%s: %d, want %d", row.method, row.name, row.rest, rec.Code, row.status)
		}
	}
}
