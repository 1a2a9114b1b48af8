package e2e_test

import (
	"bytes"
	"io"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	svix "github.com/svix/svix-webhooks/go"
	"github.com/svix/svix-webhooks/go/models"

	"github.com/callboard/callboard/internal/e2e/kit"
)

func walkMessages(t *testing.T, w *walk) {
	ctx, messages := t.Context(), w.svix.Message
	app, h := w.app(t), w.receiver.Hook()
	w.endpoint(t, app.Id, h, nil)
	made, err := messages.Create(ctx, app.Id, models.MessageIn{
		EventType: "user.signed_up", EventId: new("evt-1"), Payload: map[string]any{"email": "a@b.c", "n": 1.5},
		Channels: []string{"eu"}, Tags: []string{"t1"},
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	wellFormed(t, "msg_", made.Id)
	recent(t, "timestamp", made.Timestamp)
	want := &models.MessageOut{
		Id: made.Id, EventType: "user.signed_up", EventId: new("evt-1"), Payload: map[string]any{"email": "a@b.c", "n": 1.5},
		Channels: []string{"eu"}, Tags: []string{"t1"}, Timestamp: made.Timestamp,
	}
	if diff := cmp.Diff(want, made); diff != "" {
		t.Errorf("create (-want +got):\n%s", diff)
	}
	for _, ref := range []string{made.Id, "evt-1"} {
		got, err := messages.Get(ctx, app.Id, ref, nil)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("get %s (-want +got):\n%s", ref, diff)
		}
	}
	got, err := messages.Get(ctx, app.Id, made.Id, &svix.MessageGetOptions{WithContent: new(false)})
	if err != nil {
		t.Fatal(err)
	}
	want.Payload = map[string]any{}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("get without content (-want +got):\n%s", diff)
	}
	h.AwaitMessage(t, made.Id, 1)

	_, err = messages.Create(ctx, app.Id, models.MessageIn{EventType: "user.signed_up", EventId: new("evt-1"), Payload: map[string]any{}}, nil)
	wantStatus(t, err, http.StatusConflict, "conflict")

	active, err := messages.Precheck(ctx, app.Id, models.MessagePrecheckIn{EventType: "any"}, nil)
	if err != nil || !active.Active {
		t.Errorf("precheck with an endpoint: %+v, %v", active, err)
	}
	active, err = messages.Precheck(ctx, w.app(t).Id, models.MessagePrecheckIn{EventType: "any"}, nil)
	if err != nil || active.Active {
		t.Errorf("precheck without an endpoint: %+v, %v", active, err)
	}

	if err := messages.ExpungeContent(ctx, app.Id, made.Id); err != nil {
		t.Fatal(err)
	}
	if got, err = messages.Get(ctx, app.Id, made.Id, nil); err != nil {
		t.Fatal(err)
	}
	want.Payload = map[string]any{"expired": true}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("get after expunge (-want +got):\n%s", diff)
	}

	// A message that waits for its time is neither sent nor forgotten.
	later := time.Now().Add(time.Hour).UTC().Truncate(time.Second)
	held := w.post(t, app.Id, 2, func(in *models.MessageIn) { in.DeliverAt = &later })
	if held.DeliverAt == nil || !held.DeliverAt.Equal(later) {
		t.Errorf("deliverAt is %v, want %v", held.DeliverAt, later)
	}
	w.post(t, app.Id, 3, nil)
	h.Await(t, 2)
	if n := h.Counts()[held.Id]; n != 0 {
		t.Errorf("a message for later was delivered %d times", n)
	}
	destinations, err := w.svix.MessageAttempt.ListAttemptedDestinations(ctx, app.Id, held.Id, nil)
	if err != nil {
		t.Fatal(err)
	}
	if d := destinations.Data; len(d) != 1 || d[0].Status != models.MESSAGESTATUS_PENDING || d[0].NextAttempt == nil || !d[0].NextAttempt.Equal(later) {
		t.Errorf("a message for later is %+v, want pending until %s", d, later)
	}
	soon := time.Now().Add(300 * time.Millisecond)
	due := w.post(t, app.Id, 4, func(in *models.MessageIn) { in.DeliverAt = &soon })
	if d := h.AwaitMessage(t, due.Id, 1)[0]; d.At.Before(soon.Truncate(time.Millisecond)) {
		t.Errorf("delivered at %s, before %s", d.At, soon)
	}

	// An app that is made alongside.
	created, err := messages.Create(ctx, "made-alongside", models.MessageIn{
		EventType: "a", Payload: map[string]any{}, Application: &models.ApplicationIn{Name: "Alongside", Uid: new("made-alongside")},
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := messages.Get(ctx, "made-alongside", created.Id, nil); err != nil {
		t.Error(err)
	}
}

func walkMessageLists(t *testing.T, w *walk) {
	ctx, messages := t.Context(), w.svix.Message
	app := w.app(t)
	var ids []string
	hour := func(n int) time.Time { return time.Now().Add(time.Duration(n) * time.Hour) }
	for n := range 6 {
		m := w.post(t, app.Id, n, func(in *models.MessageIn) {
			in.EventType = []string{"even", "odd"}[n%2]
			in.Channels = []string{[]string{"first", "second"}[n/3]}
			in.Tags = []string{"tag" + strconv.Itoa(n)}
		})
		ids = append(ids, m.Id)
	}
	for _, tt := range []struct {
		name    string
		options svix.MessageListOptions
		want    []int
	}{
		{"all, newest first", svix.MessageListOptions{}, []int{5, 4, 3, 2, 1, 0}},
		{"by type", svix.MessageListOptions{EventTypes: &[]string{"odd"}}, []int{5, 3, 1}},
		{"by types", svix.MessageListOptions{EventTypes: &[]string{"odd", "even"}}, []int{5, 4, 3, 2, 1, 0}},
		{"by channel", svix.MessageListOptions{Channel: new("first")}, []int{2, 1, 0}},
		{"by tag", svix.MessageListOptions{Tag: new("tag4")}, []int{4}},
		// This client cuts times down to seconds; the JavaScript walk looks closer.
		{"before", svix.MessageListOptions{Before: new(hour(1))}, []int{5, 4, 3, 2, 1, 0}},
		{"before they were", svix.MessageListOptions{Before: new(hour(-1))}, nil},
		{"after", svix.MessageListOptions{After: new(hour(-1))}, []int{5, 4, 3, 2, 1, 0}},
		{"after they were", svix.MessageListOptions{After: new(hour(1))}, nil},
		{"of a channel that nobody used", svix.MessageListOptions{Channel: new("none")}, nil},
	} {
		for _, limit := range []uint64{2, 50} {
			options := tt.options
			options.Limit = &limit
			got := []int(nil)
			for range 20 {
				page, err := messages.List(ctx, app.Id, &options)
				if err != nil {
					t.Fatalf("%s: %v", tt.name, err)
				}
				for _, m := range page.Data {
					n := slices.Index(ids, m.Id)
					got = append(got, n)
					if diff := cmp.Diff(map[string]any{"n": float64(n)}, m.Payload); diff != "" {
						t.Errorf("%s: payload (-want +got):\n%s", tt.name, diff)
					}
				}
				if page.Done {
					break
				}
				options.Iterator = page.Iterator
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("%s, %d a page (-want +got):\n%s", tt.name, limit, diff)
			}
		}
	}
}

// walkPayloadBytes posts payloads whose bytes a decoder and encoder would change.
func walkPayloadBytes(t *testing.T, w *walk) {
	app, h := w.app(t), w.receiver.Hook()
	w.endpoint(t, app.Id, h, nil)
	token := mint(t, w.server)
	for _, payload := range []string{
		`{}`,
		`{"b":1,"a":2,"b":3}`,
		"{ \"spaces\" :\t[ 1 , 2 ]\n}",
		`{"number":1.0,"big":12345678901234567890,"exponent":1E+2,"zero":-0}`,
		`{"html":"<b>&amp;</b>","escaped":"\u003cb\u003e \/ \u00e9 é 😀 \ud83d\ude00","nul":"\u0000"}`,
		`{"deep":` + strings.Repeat(`{"a":`, 50) + `null` + strings.Repeat(`}`, 50) + `}`,
	} {
		body := `{"eventType":"bytes","payload":` + payload + `}`
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, w.server.URL+"/api/v1/app/"+app.Id+"/msg", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+token)
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		answer, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		if resp.StatusCode != http.StatusAccepted || !bytes.Contains(answer, []byte(payload)) {
			t.Fatalf("payload %s: status %d, %s", payload, resp.StatusCode, answer)
		}
		id := string(answer[len(`{"id":"`) : len(`{"id":"msg_`)+27])
		if got := h.AwaitMessage(t, id, 1)[0]; string(got.Body) != payload {
			t.Errorf("delivered %q, want %q", got.Body, payload)
		}
	}
	raw := `{"raw" :  true, "raw": "twice"}`
	m, err := w.svix.Message.Create(t.Context(), app.Id, *svix.NewMessageInRaw("bytes", raw, nil), nil)
	if err != nil {
		t.Fatal(err)
	}
	if got := h.AwaitMessage(t, m.Id, 1)[0]; string(got.Body) != raw {
		t.Errorf("delivered %q, want the raw payload %q", got.Body, raw)
	}
}

func walkIdempotency(t *testing.T, w *walk) {
	ctx := t.Context()
	app, h := w.app(t), w.receiver.Hook()
	in := models.MessageIn{EventType: "a", Payload: map[string]any{"x": 1}}
	w.endpoint(t, app.Id, h, nil)
	key := &svix.MessageCreateOptions{IdempotencyKey: new("key-1")}
	first, err := w.svix.Message.Create(ctx, app.Id, in, key)
	if err != nil {
		t.Fatal(err)
	}
	second, err := w.svix.Message.Create(ctx, app.Id, in, key)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(first, second); diff != "" {
		t.Errorf("the same key again (-first +second):\n%s", diff)
	}
	in.Payload = map[string]any{"x": 2}
	_, err = w.svix.Message.Create(ctx, app.Id, in, key)
	wantStatus(t, err, http.StatusConflict, "conflict")

	// Twins that meet: one message.
	const twins = 8
	ids := make(chan string, twins)
	for range twins {
		go func() {
			m, err := w.svix.Message.Create(ctx, app.Id, in, &svix.MessageCreateOptions{IdempotencyKey: new("key-2")})
			if err != nil {
				t.Error(err)
				ids <- ""
				return
			}
			ids <- m.Id
		}()
	}
	seen := map[string]int{}
	for range twins {
		seen[<-ids]++
	}
	if len(seen) != 1 {
		t.Errorf("%d twins made messages %v, want one", twins, seen)
	}

	// Everything else that is posted.
	appIn := models.ApplicationIn{Name: "Twice"}
	one, err := w.svix.Application.Create(ctx, appIn, &svix.ApplicationCreateOptions{IdempotencyKey: new("app-key")})
	if err != nil {
		t.Fatal(err)
	}
	two, err := w.svix.Application.Create(ctx, appIn, &svix.ApplicationCreateOptions{IdempotencyKey: new("app-key")})
	if err != nil {
		t.Fatal(err)
	}
	if one.Id != two.Id {
		t.Errorf("one key made two apps")
	}
	epIn := models.EndpointIn{Url: "https://receiver.example.com"}
	ep1, err := w.svix.Endpoint.Create(ctx, app.Id, epIn, &svix.EndpointCreateOptions{IdempotencyKey: new("ep-key")})
	if err != nil {
		t.Fatal(err)
	}
	ep2, err := w.svix.Endpoint.Create(ctx, app.Id, epIn, &svix.EndpointCreateOptions{IdempotencyKey: new("ep-key")})
	if err != nil {
		t.Fatal(err)
	}
	if ep1.Id != ep2.Id {
		t.Errorf("one key made two endpoints")
	}
	// A refused request does not use its key up.
	bad := models.EndpointIn{Url: "ftp://receiver.example.com"}
	_, err = w.svix.Endpoint.Create(ctx, app.Id, bad, &svix.EndpointCreateOptions{IdempotencyKey: new("fix-key")})
	wantStatus(t, err, http.StatusUnprocessableEntity, "")
	if _, err = w.svix.Endpoint.Create(ctx, app.Id, epIn, &svix.EndpointCreateOptions{IdempotencyKey: new("fix-key")}); err != nil {
		t.Errorf("a corrected retry under the key of a refused request: %v", err)
	}

	w.post(t, app.Id, 9, nil)
	h.Await(t, 3)
	for id, n := range h.Counts() {
		if n != 1 {
			t.Errorf("%s was delivered %d times", id, n)
		}
	}
}

// walkSubscriptions sends messages of two types on two channels past endpoints that want some of them.
func walkSubscriptions(t *testing.T, w *walk) {
	app := w.app(t)
	hooks := map[string]*kit.Hook{}
	for name, change := range map[string]func(*models.EndpointIn){
		"all":        nil,
		"type a":     func(in *models.EndpointIn) { in.FilterTypes = []string{"a"} },
		"channel eu": func(in *models.EndpointIn) { in.Channels = []string{"eu"} },
		"both":       func(in *models.EndpointIn) { in.FilterTypes, in.Channels = []string{"a"}, []string{"eu", "x"} },
		"disabled":   func(in *models.EndpointIn) { in.Disabled = new(true) },
	} {
		hooks[name] = w.receiver.Hook()
		w.endpoint(t, app.Id, hooks[name], change)
	}
	want := map[string][]string{}
	for _, m := range []struct {
		eventType string
		channels  []string
		heardBy   []string
	}{
		{"a", nil, []string{"all", "type a"}},
		{"a", []string{"eu"}, []string{"all", "type a", "channel eu", "both"}},
		{"a", []string{"us", "eu"}, []string{"all", "type a", "channel eu", "both"}},
		{"b", []string{"eu"}, []string{"all", "channel eu"}},
		{"b", []string{"us"}, []string{"all"}},
	} {
		made := w.post(t, app.Id, 0, func(in *models.MessageIn) { in.EventType, in.Channels = m.eventType, m.channels })
		for _, name := range m.heardBy {
			want[name] = append(want[name], made.Id)
		}
	}
	got := map[string][]string{}
	for name, h := range hooks {
		h.Await(t, len(want[name]))
	}
	for name, h := range hooks {
		if ids := slices.Sorted(maps.Keys(h.Counts())); len(ids) > 0 {
			got[name] = ids
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("who heard what (-want +got):\n%s", diff)
	}
}
