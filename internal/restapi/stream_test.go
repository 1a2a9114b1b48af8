package restapi_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/callboard/callboard/internal/delivery"
	"github.com/callboard/callboard/internal/feed"
	"github.com/callboard/callboard/internal/id"
	"github.com/callboard/callboard/internal/restapi"
	"github.com/callboard/callboard/internal/store"
	"github.com/callboard/callboard/internal/token"
)

// streamWorld is a world with a feed, and a server, since a stream is written while it is
// read.
func streamWorld(t *testing.T) (*world, *feed.Hub, *httptest.Server) {
	t.Helper()
	var hub *feed.Hub
	w := newWorld(t, func(cfg *restapi.Config) {
		var err error
		// Nothing tells this feed of commits; it looks by the clock.
		if hub, err = feed.New(feed.Config{Store: cfg.Store.(feed.Store), Poll: 10 * time.Millisecond}); err != nil {
			t.Fatal(err)
		}
		cfg.Feed = hub
	})
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- hub.Run(ctx) }()
	server := httptest.NewServer(w.handler)
	t.Cleanup(func() {
		hub.Close()
		server.Close()
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return w, hub, server
}

// follower reads a stream.
type follower struct {
	t     *testing.T
	lines *bufio.Scanner
	close func()
}

// sse is one event.
type sse struct {
	name, id string
	data     map[string]any
}

func follow(t *testing.T, server *httptest.Server, bearer, path, last string) (*follower, int) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, server.URL+"/api/v1"+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+bearer)
	if last != "" {
		r.Header.Set("Last-Event-ID", last)
	}
	res, err := server.Client().Do(r) //nolint:bodyclose // by follower.close
	if err != nil {
		t.Fatal(err)
	}
	f := &follower{t: t, lines: bufio.NewScanner(res.Body)}
	f.close = func() { cancel(); _, _ = io.Copy(io.Discard, res.Body); _ = res.Body.Close() }
	t.Cleanup(f.close)
	return f, res.StatusCode
}

// next gives the next event of one of these names.
func (f *follower) next(names ...string) sse {
	f.t.Helper()
	var e sse
	for f.lines.Scan() {
		field, value, _ := strings.Cut(f.lines.Text(), ": ")
		switch field {
		case "event":
			e = sse{name: value}
		case "id":
			e.id = value
		case "data":
			if err := json.Unmarshal([]byte(value), &e.data); err != nil {
				f.t.Fatal(err)
			}
			if slices.Contains(names, e.name) {
				return e
			}
		}
	}
	f.t.Fatalf("the stream has ended before an event %v", names)
	return e
}

func TestStream(t *testing.T) {
	t.Parallel()
	w, hub, server := streamWorld(t)
	appID := w.app("a")
	w.app("b")
	ep, foreign := w.endpoint("a", ""), w.endpoint("b", "")
	w.message("a", "x.y", "")
	w.deliver(ep, 200) // before anybody listens

	f, _ := follow(t, server, w.org, "/app/a/stream", "")
	hello := f.next("hello")
	if hello.data["resumed"] != false || hello.data["missed"] != false || hello.data["id"] != hello.id || hello.id == "" {
		t.Errorf("hello %+v", hello)
	}
	w.message("b", "x.y", "")
	w.deliver(foreign, 200)
	msg := w.message("a", "x.y", `,"eventId":"mine"`)
	w.deliver(ep, 0)
	first := f.next("attempt")
	attempt, _ := first.data["attempt"].(map[string]any)
	if first.data["msgId"] != msg || first.data["endpointId"] != ep || first.data["eventId"] != "mine" || first.data["status"] != 2.0 ||
		attempt["status"] != 2.0 || attempt["explanation"] == nil || first.id == "" {
		t.Errorf("attempt %+v", first)
	}
	if diff := cmp.Diff(first.data["lastAttempt"], first.data["attempt"]); diff != "" {
		t.Error(diff)
	}

	// Others commit through another process; this is what a commit here is.
	app, ok := w.codec.Decode(id.App, appID)
	if !ok {
		t.Fatal("no id of an app:", appID)
	}
	hub.Committed(&store.Changes{Endpoints: []delivery.Endpoint{{App: app}}, Messages: []store.Message{{App: app}}})
	change := f.next("change")
	if diff := cmp.Diff([]any{"endpoint", "message"}, change.data["topics"]); diff != "" {
		t.Error(diff)
	}
	f.close()

	second := w.message("a", "x.y", "")
	w.deliver(ep, 204)
	for _, resumed := range []struct{ last, query string }{{first.id, ""}, {"", "?after=" + first.id}, {first.id, "?after=" + hello.id}} {
		f, _ := follow(t, server, w.org, "/app/a/stream"+resumed.query, resumed.last)
		if again := f.next("hello", "attempt"); again.name != "hello" || again.data["resumed"] != true || again.data["missed"] != false || !samePlace(w, again.id, first.id) {
			t.Errorf("hello again %+v", again)
		}
		if got := f.next("attempt"); got.data["msgId"] != second || got.data["status"] != 0.0 {
			t.Errorf("resumed with %+v", got)
		}
		f.close()
	}
}

// samePlace compares ids of a stream, which differ every time.
func samePlace(w *world, x, y string) bool {
	at, ok := w.codec.Unseal(x)
	other, others := w.codec.Unseal(y)
	return ok && others && slices.Equal(at, other)
}

// TestStreamRefusesStrangers: a stream is for those who may see the app, and ends when
// they no longer may.
func TestStreamRefusesStrangers(t *testing.T) {
	t.Parallel()
	w, _, server := streamWorld(t)
	a := w.app("a")
	b := w.app("b")
	own := w.token(token.Claims{Org: testOrg(1), App: a})
	for what, row := range map[string]struct {
		token, path string
		status      int
	}{
		"the app's":        {own, "/app/a/stream", 200},
		"a neighbour's":    {w.token(token.Claims{Org: testOrg(1), App: b}), "/app/a/stream", 404},
		"another org's":    {w.token(token.Claims{Org: testOrg(2)}), "/app/a/stream", 404},
		"nobody's":         {"", "/app/a/stream", 401},
		"no such app":      {w.org, "/app/c/stream", 404},
		"a wrong position": {w.org, "/app/a/stream?after=x", 422},
	} {
		f, status := follow(t, server, row.token, row.path, "")
		if status != row.status {
			t.Errorf("%s: %d, want %d", what, status, row.status)
		}
		f.close()
	}
}

// TestStreamUnreadablePosition: what a browser brings from elsewhere is not refused, and
// nothing old is told for it.
func TestStreamUnreadablePosition(t *testing.T) {
	t.Parallel()
	w, _, server := streamWorld(t)
	w.app("a")
	ep := w.endpoint("a", "")
	w.message("a", "x.y", "")
	w.deliver(ep, 200)
	for _, last := range []string{"of another installation", "0", w.codec.Encode(id.Attempt, 7)} {
		f, status := follow(t, server, w.org, "/app/a/stream", last)
		if hello := f.next("hello"); status != 200 || hello.data["resumed"] != false || hello.data["missed"] != true {
			t.Errorf("%s: %d, %+v", last, status, hello)
		}
		msg := w.message("a", "x.y", "")
		w.deliver(ep, 200)
		if got := f.next("attempt"); got.data["msgId"] != msg {
			t.Errorf("%s: told of %+v", last, got)
		}
		f.close()
	}
}

// TestStreamTellsNothingOfOthers: a stream's ids are made of everybody's attempts, and
// show none.
func TestStreamTellsNothingOfOthers(t *testing.T) {
	t.Parallel()
	w, _, server := streamWorld(t)
	w.app("a")
	w.app("b")
	foreign := w.endpoint("b", "")
	w.message("b", "x.y", "")
	w.deliver(foreign, 200)
	text := w.do("GET", "/app/b/attempt/endpoint/"+foreign, "").want(200).field("id")[0]
	attempt, ok := w.codec.Decode(id.Attempt, text)
	if !ok {
		t.Fatal("no id of an attempt:", text)
	}
	f, _ := follow(t, server, w.org, "/app/a/stream", "")
	hello := f.next("hello")
	if ids, ok := w.codec.Unseal(hello.id); !ok || !slices.Contains(ids, attempt) {
		t.Errorf("the position %s is not behind what was there", hello.id)
	}
	raw, err := base64.RawURLEncoding.DecodeString(hello.id)
	if err != nil || bytes.Contains(raw, binary.BigEndian.AppendUint64(nil, uint64(attempt))) || strings.Contains(hello.id, "atmpt_") {
		t.Errorf("%s shows another app's attempt, %v", hello.id, err)
	}
	f.close()
}

// TestStreamLeavesRoom: a tenant who holds as many streams as it gets does not shut the operator out.
func TestStreamLeavesRoom(t *testing.T) {
	t.Parallel()
	w, _, server := streamWorld(t)
	portal := w.token(token.Claims{Org: testOrg(1), App: w.app("a")})
	held := 0
	for ; held < 100; held++ {
		_, status := follow(t, server, portal, "/app/a/stream", "")
		if status == http.StatusTooManyRequests {
			break
		}
		if status != http.StatusOK {
			t.Fatal("status", status)
		}
	}
	if held != 48 {
		t.Errorf("a tenant holds %d streams", held)
	}
	_, status := follow(t, server, w.org, "/app/a/stream", "")
	if status != http.StatusOK {
		t.Error("the operator is answered", status)
	}
}
