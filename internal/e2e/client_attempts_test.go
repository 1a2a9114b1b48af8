package e2e_test

import (
	"encoding/json"
	"fmt"
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

func walkAttempts(t *testing.T, w *walk) {
	ctx, attempts := t.Context(), w.svix.MessageAttempt
	app, h := w.app(t), w.receiver.Hook()
	ep := w.endpoint(t, app.Id, h, nil)
	h.Answer(kit.Status(http.StatusInternalServerError).WithBody("not today"), kit.Drop, kit.Status(http.StatusCreated).WithBody("thanks"))
	m := w.post(t, app.Id, 1, nil)
	deliveries := h.AwaitMessage(t, m.Id, 3)
	w.awaitStats(t, app.Id, ep.Id, models.EndpointStats{Success: 1})
	list, err := attempts.ListByMsg(ctx, app.Id, m.Id, nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(list.Data) != 3 {
		t.Fatalf("%d attempts are listed, want 3", len(list.Data))
	}
	slices.Reverse(list.Data) // oldest first, as they were made
	for i, want := range []models.MessageAttemptOut{
		{Response: "not today", ResponseStatusCode: 500, Status: models.MESSAGESTATUS_FAIL, StatusText: models.MESSAGESTATUSTEXT_FAIL},
		{ResponseStatusCode: 0, Status: models.MESSAGESTATUS_FAIL, StatusText: models.MESSAGESTATUSTEXT_FAIL},
		{Response: "thanks", ResponseStatusCode: 201, Status: models.MESSAGESTATUS_SUCCESS, StatusText: models.MESSAGESTATUSTEXT_SUCCESS},
	} {
		got := list.Data[i]
		wellFormed(t, "atmpt_", got.Id)
		if d := deliveries[i].At.Sub(got.Timestamp); d < -time.Second || d > 10*time.Second {
			t.Errorf("attempt %d is dated %s, it arrived %s", i, got.Timestamp, deliveries[i].At)
		}
		if got.ResponseDurationMs < 0 || got.ResponseDurationMs > 60_000 {
			t.Errorf("attempt %d took %d ms", i, got.ResponseDurationMs)
		}
		if want.ResponseStatusCode == 0 {
			if got.Response == "" {
				t.Errorf("attempt %d does not say why there was no answer", i)
			}
			want.Response = got.Response
		}
		want.Id, want.MsgId, want.EndpointId, want.Url = got.Id, m.Id, ep.Id, h.URL
		want.Timestamp, want.ResponseDurationMs = got.Timestamp, got.ResponseDurationMs
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("attempt %d (-want +got):\n%s", i, diff)
		}
		one, err := attempts.Get(ctx, app.Id, m.Id, got.Id, nil)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(got, *one); diff != "" {
			t.Errorf("get attempt %d (-listed +got):\n%s", i, diff)
		}
	}
	if err := attempts.ExpungeContent(ctx, app.Id, m.Id, list.Data[0].Id); err != nil {
		t.Fatal(err)
	}
	one, err := attempts.Get(ctx, app.Id, m.Id, list.Data[0].Id, nil)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(one.Response, "not today") || one.ResponseStatusCode != 500 {
		t.Errorf("after expunge the attempt is %+v", one)
	}
}

func walkAttemptLists(t *testing.T, w *walk) {
	ctx, attempts := t.Context(), w.svix.MessageAttempt
	app, good, bad := w.app(t), w.receiver.Hook(), w.receiver.Hook()
	epGood, epBad := w.endpoint(t, app.Id, good, nil), w.endpoint(t, app.Id, bad, nil)
	bad.Answer(kit.Status(http.StatusNotFound).WithBody("nobody home"))
	var ids []string
	for n := range 3 {
		m := w.post(t, app.Id, n, func(in *models.MessageIn) {
			in.EventType = []string{"even", "odd"}[n%2]
			in.Channels, in.Tags = []string{"c" + strconv.Itoa(n)}, []string{"t" + strconv.Itoa(n)}
		})
		ids = append(ids, m.Id)
	}
	w.awaitStats(t, app.Id, epGood.Id, models.EndpointStats{Success: 3})
	w.awaitStats(t, app.Id, epBad.Id, models.EndpointStats{Fail: 3})
	fail, success := models.MESSAGESTATUS_FAIL, models.MESSAGESTATUS_SUCCESS

	for _, tt := range []struct {
		name     string
		endpoint string
		options  svix.MessageAttemptListByEndpointOptions
		want     map[int]int // message: number of attempts
	}{
		{"good", epGood.Id, svix.MessageAttemptListByEndpointOptions{}, map[int]int{0: 1, 1: 1, 2: 1}},
		{"good, one a page", epGood.Id, svix.MessageAttemptListByEndpointOptions{Limit: new(uint64(1))}, map[int]int{0: 1, 1: 1, 2: 1}},
		{"bad", epBad.Id, svix.MessageAttemptListByEndpointOptions{Limit: new(uint64(2))}, map[int]int{0: 3, 1: 3, 2: 3}},
		{"bad that succeeded", epBad.Id, svix.MessageAttemptListByEndpointOptions{Status: &success}, map[int]int{}},
		{"bad that failed", epBad.Id, svix.MessageAttemptListByEndpointOptions{Status: &fail}, map[int]int{0: 3, 1: 3, 2: 3}},
		{"4xx", epBad.Id, svix.MessageAttemptListByEndpointOptions{StatusCodeClass: new(models.STATUSCODECLASS_CODE4XX)}, map[int]int{0: 3, 1: 3, 2: 3}},
		{"5xx", epBad.Id, svix.MessageAttemptListByEndpointOptions{StatusCodeClass: new(models.STATUSCODECLASS_CODE5XX)}, map[int]int{}},
		{"type", epBad.Id, svix.MessageAttemptListByEndpointOptions{EventTypes: &[]string{"odd"}}, map[int]int{1: 3}},
		{"channel", epBad.Id, svix.MessageAttemptListByEndpointOptions{Channel: new("c2")}, map[int]int{2: 3}},
		{"tag", epGood.Id, svix.MessageAttemptListByEndpointOptions{Tag: new("t0")}, map[int]int{0: 1}},
		{"the past", epGood.Id, svix.MessageAttemptListByEndpointOptions{Before: new(time.Now().Add(-time.Hour))}, map[int]int{}},
		{"since the past", epGood.Id, svix.MessageAttemptListByEndpointOptions{After: new(time.Now().Add(-time.Hour))}, map[int]int{0: 1, 1: 1, 2: 1}},
	} {
		got := map[int]int{}
		tt.options.WithMsg = new(true)
		for range 100 {
			page, err := attempts.ListByEndpoint(ctx, app.Id, tt.endpoint, &tt.options)
			if err != nil {
				t.Fatalf("%s: %v", tt.name, err)
			}
			for _, a := range page.Data {
				n := slices.Index(ids, a.MsgId)
				got[n]++
				if a.EndpointId != tt.endpoint || a.Msg == nil || a.Msg.Id != a.MsgId || a.Msg.EventType != []string{"even", "odd"}[n%2] {
					t.Errorf("%s: attempt %+v of message %+v", tt.name, a, a.Msg)
				}
			}
			if page.Done {
				break
			}
			tt.options.Iterator = page.Iterator
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("attempts, %s (-want +got):\n%s", tt.name, diff)
		}
	}

	bare, err := attempts.ListByEndpoint(ctx, app.Id, epBad.Id, &svix.MessageAttemptListByEndpointOptions{WithContent: new(false)})
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range bare.Data {
		if a.Response != "" || a.Msg != nil {
			t.Errorf("without content: %+v", a)
		}
	}
	ofOne, err := attempts.ListByMsg(ctx, app.Id, ids[0], &svix.MessageAttemptListByMsgOptions{EndpointId: &epBad.Id, Status: &fail})
	if err != nil {
		t.Fatal(err)
	}
	if len(ofOne.Data) != 3 || ofOne.Data[0].Response != "nobody home" {
		t.Errorf("attempts of one message to one endpoint: %+v", ofOne.Data)
	}

	var got []string
	messages, err := attempts.ListAttemptedMessages(ctx, app.Id, epBad.Id, &svix.MessageAttemptListAttemptedMessagesOptions{Status: &fail})
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range messages.Data {
		got = append(got, m.Id+" "+string(m.StatusText))
		if m.NextAttempt != nil || m.Status != fail || m.Payload["n"] == nil {
			t.Errorf("attempted message %+v", m)
		}
	}
	if diff := cmp.Diff([]string{ids[2] + " fail", ids[1] + " fail", ids[0] + " fail"}, got); diff != "" {
		t.Errorf("attempted messages (-want +got):\n%s", diff)
	}
	destinations, err := attempts.ListAttemptedDestinations(ctx, app.Id, ids[1], nil)
	if err != nil {
		t.Fatal(err)
	}
	got = nil
	for _, d := range destinations.Data {
		got = append(got, d.Id+" "+string(d.StatusText))
	}
	if diff := cmp.Diff([]string{epGood.Id + " success", epBad.Id + " fail"}, got); diff != "" {
		t.Errorf("attempted destinations (-want +got):\n%s", diff)
	}
}

func walkResend(t *testing.T, w *walk) {
	ctx := t.Context()
	app, h := w.app(t), w.receiver.Hook()
	ep := w.endpoint(t, app.Id, h, nil)
	h.Answer(append(kit.Status(http.StatusBadGateway).Times(3), kit.OK)...)
	m := w.post(t, app.Id, 1, nil)
	w.awaitStats(t, app.Id, ep.Id, models.EndpointStats{Fail: 1})
	if _, err := w.svix.MessageAttempt.Resend(ctx, app.Id, m.Id, ep.Id, nil); err != nil {
		t.Fatal(err)
	}
	w.awaitStats(t, app.Id, ep.Id, models.EndpointStats{Success: 1})
	list, err := w.svix.MessageAttempt.ListByMsg(ctx, app.Id, m.Id, nil)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, a := range list.Data {
		got = append(got, fmt.Sprint(a.TriggerType, " ", a.ResponseStatusCode))
	}
	if diff := cmp.Diff([]string{"1 200", "0 502", "0 502", "0 502"}, got); diff != "" {
		t.Errorf("trigger and status of the attempts, newest first (-want +got):\n%s", diff)
	}
	if d := h.AwaitMessage(t, m.Id, 4); string(d[3].Body) != string(d[0].Body) {
		t.Errorf("resent %q, want %q", d[3].Body, d[0].Body)
	}
	// What succeeded can be sent again, too.
	if _, err := w.svix.MessageAttempt.Resend(ctx, app.Id, m.Id, ep.Id, nil); err != nil {
		t.Fatal(err)
	}
	h.AwaitMessage(t, m.Id, 5)

	if err := w.svix.Message.ExpungeContent(ctx, app.Id, m.Id); err != nil {
		t.Fatal(err)
	}
	_, err = w.svix.MessageAttempt.Resend(ctx, app.Id, m.Id, ep.Id, nil)
	wantStatus(t, err, http.StatusConflict, "conflict")
	_, err = w.svix.MessageAttempt.Resend(ctx, app.Id, "no-such-message", ep.Id, nil)
	wantStatus(t, err, http.StatusNotFound, "not_found")
}

func walkRecover(t *testing.T, w *walk) {
	ctx := t.Context()
	app, h := w.app(t), w.receiver.Hook()
	ep := w.endpoint(t, app.Id, h, nil)
	began := time.Now().Add(-time.Minute)
	h.Answer(kit.Status(http.StatusServiceUnavailable))
	for n := range 5 {
		w.post(t, app.Id, n, nil)
	}
	w.awaitStats(t, app.Id, ep.Id, models.EndpointStats{Fail: 5})
	h.Answer(kit.OK)
	out, err := w.svix.Endpoint.Recover(ctx, app.Id, ep.Id, models.RecoverIn{Since: began}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if out.Id == "" || out.Task != models.BACKGROUNDTASKTYPE_ENDPOINT_RECOVER {
		t.Errorf("recover gave %+v", out)
	}
	w.awaitStats(t, app.Id, ep.Id, models.EndpointStats{Success: 5})
	var task *models.BackgroundTaskOut
	kit.Eventually(t, "the task to finish", func() bool {
		if task, err = w.svix.BackgroundTask.Get(ctx, out.Id); err != nil {
			t.Fatal(err)
		}
		return task.Status != models.BACKGROUNDTASKSTATUS_RUNNING
	})
	if task.Status != models.BACKGROUNDTASKSTATUS_FINISHED || task.Id != out.Id || task.Task != out.Task {
		t.Errorf("the task ended as %+v", task)
	}
	list, err := w.svix.BackgroundTask.List(ctx, &svix.BackgroundTaskListOptions{
		Status: new(models.BACKGROUNDTASKSTATUS_FINISHED), Task: new(models.BACKGROUNDTASKTYPE_ENDPOINT_RECOVER),
	})
	if err != nil {
		t.Fatal(err)
	}
	if !slices.ContainsFunc(list.Data, func(b models.BackgroundTaskOut) bool { return b.Id == out.Id }) {
		t.Errorf("the task is not listed among %+v", list.Data)
	}
	for id, n := range h.Counts() {
		if n != 4 { // three that failed, one that recovered
			t.Errorf("%s was delivered %d times", id, n)
		}
	}
	_, err = w.svix.Endpoint.Recover(ctx, app.Id, ep.Id, models.RecoverIn{Since: time.Now().Add(time.Hour)}, nil)
	wantStatus(t, err, http.StatusUnprocessableEntity, "")
}

func walkSendExample(t *testing.T, w *walk) {
	ctx := t.Context()
	app, h, other := w.app(t), w.receiver.Hook(), w.receiver.Hook()
	ep := w.endpoint(t, app.Id, h, func(in *models.EndpointIn) { in.FilterTypes = []string{"never"} })
	w.endpoint(t, app.Id, other, nil)
	schemas := map[string]any{"1": map[string]any{
		"type": "object", "examples": []any{map[string]any{"plan": "silver"}, map[string]any{"plan": "gold"}},
	}}
	if _, err := w.svix.EventType.Create(ctx, models.EventTypeIn{Name: "example.sent", Description: "d", Schemas: &schemas}, nil); err != nil {
		t.Fatal(err)
	}
	m, err := w.svix.Endpoint.SendExample(ctx, app.Id, ep.Id, models.EventExampleIn{EventType: "example.sent", ExampleIndex: new(uint64(1))}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]any{"plan": "gold"}, m.Payload); diff != "" {
		t.Errorf("example (-want +got):\n%s", diff)
	}
	if d := h.AwaitMessage(t, m.Id, 1)[0]; string(d.Body) != `{"plan":"gold"}` {
		t.Errorf("delivered %q", d.Body)
	}
	after := w.post(t, app.Id, 1, nil)
	other.AwaitMessage(t, after.Id, 1)
	if n := other.Counts()[m.Id]; n != 0 {
		t.Errorf("another endpoint heard the example %d times", n)
	}
}

func walkDisable(t *testing.T, w *walk) {
	ctx := t.Context()
	app, h := w.app(t), w.receiver.Hook()
	ep := w.endpoint(t, app.Id, h, nil)
	w.post(t, app.Id, 1, nil)
	h.Await(t, 1)
	setDisabled := func(disabled bool) {
		t.Helper()
		got, err := w.svix.Endpoint.Patch(ctx, app.Id, ep.Id, models.EndpointPatch{Disabled: &disabled})
		if err != nil {
			t.Fatal(err)
		}
		if got.Disabled == nil || *got.Disabled != disabled {
			t.Errorf("disabled is %v, want %t", got.Disabled, disabled)
		}
	}
	setDisabled(true)
	missed := w.post(t, app.Id, 2, nil)
	active, err := w.svix.Message.Precheck(ctx, app.Id, models.MessagePrecheckIn{EventType: "any"}, nil)
	if err != nil || active.Active {
		t.Errorf("precheck with a disabled endpoint: %+v, %v", active, err)
	}
	_, err = w.svix.MessageAttempt.Resend(ctx, app.Id, missed.Id, ep.Id, nil)
	wantStatus(t, err, http.StatusConflict, "conflict")
	setDisabled(false)
	heard := w.post(t, app.Id, 3, nil)
	h.AwaitMessage(t, heard.Id, 1)
	if n := h.Counts()[missed.Id]; n != 0 {
		t.Errorf("a disabled endpoint heard a message %d times", n)
	}
	// What it did not hear can be sent now.
	if _, err := w.svix.MessageAttempt.Resend(ctx, app.Id, missed.Id, ep.Id, nil); err != nil {
		t.Fatal(err)
	}
	h.AwaitMessage(t, missed.Id, 1)
}

// walkReceiverAnswers obeys what receivers say beside success and failure.
func walkReceiverAnswers(t *testing.T, w *walk) {
	ctx := t.Context()
	for _, tt := range []struct {
		name     string
		answers  []kit.Answer
		want     models.EndpointStats
		attempts int
		disabled bool
	}{
		{"410 disables", []kit.Answer{kit.Status(http.StatusGone)}, models.EndpointStats{Fail: 1}, 1, true},
		{
			"webhook-delivery: disable",
			[]kit.Answer{kit.Status(http.StatusForbidden).With("webhook-delivery", "disable")},
			models.EndpointStats{Fail: 1},
			1, true,
		},
		{
			"webhook-delivery: abort-message",
			[]kit.Answer{kit.Status(http.StatusBadRequest).With("webhook-delivery", "abort-message")},
			models.EndpointStats{Fail: 1},
			1, false,
		},
		{
			"a redirect is a failure and not followed",
			[]kit.Answer{kit.Status(http.StatusFound).With("Location", "/1"), kit.OK},
			models.EndpointStats{Success: 1},
			2, false,
		},
		{"a big answer is cut", []kit.Answer{kit.OK.WithBigBody(1 << 20)}, models.EndpointStats{Success: 1}, 1, false},
		{
			"Retry-After is waited for",
			[]kit.Answer{kit.Status(http.StatusTooManyRequests).With("Retry-After", "1"), kit.OK},
			models.EndpointStats{Success: 1},
			2, false,
		},
	} {
		app, h := w.app(t), w.receiver.Hook()
		ep := w.endpoint(t, app.Id, h, nil)
		h.Answer(tt.answers...)
		m := w.post(t, app.Id, 1, nil)
		w.awaitStats(t, app.Id, ep.Id, tt.want)
		list, err := w.svix.MessageAttempt.ListByMsg(ctx, app.Id, m.Id, nil)
		if err != nil {
			t.Fatal(err)
		}
		if got := len(list.Data); got != tt.attempts || h.Counts()[m.Id] != tt.attempts {
			t.Errorf("%s: %d attempts listed, %d arrived, want %d", tt.name, got, h.Counts()[m.Id], tt.attempts)
		}
		got, err := w.svix.Endpoint.Get(ctx, app.Id, ep.Id)
		if err != nil {
			t.Fatal(err)
		}
		if got.Disabled == nil || *got.Disabled != tt.disabled {
			t.Errorf("%s: disabled is %v, want %t", tt.name, got.Disabled, tt.disabled)
		}
		switch d := h.Received(); tt.name {
		case "a big answer is cut":
			if n := len(list.Data[0].Response); n != 16<<10 {
				t.Errorf("%s: %d bytes are kept, want 16 KiB", tt.name, n)
			}
		case "Retry-After is waited for":
			if waited := d[1].At.Sub(d[0].At); waited < 900*time.Millisecond {
				t.Errorf("%s: the second attempt came after %s", tt.name, waited)
			}
		}
	}
}

// walkHangingReceiver uses fields that Svix's clients do not know: an endpoint with a timeout, a schedule and a deadline
// of its own.
func walkHangingReceiver(t *testing.T, w *walk) {
	ctx := t.Context()
	app, h := w.app(t), w.receiver.Hook()
	body := fmt.Sprintf(`{"url":%q,"secret":%q,"timeout":"1s","retrySchedule":["10ms"],"deadline":"1h"}`, h.URL, h.Secret)
	made := ask(t, w.server, mint(t, w.server), http.MethodPost, "/api/v1/app/"+app.Id+"/endpoint", body, nil)
	var ep struct {
		ID, Timeout, Deadline string
		RetrySchedule         []string
	}
	if err := json.Unmarshal([]byte(made.body), &ep); err != nil || made.status != http.StatusCreated {
		t.Fatalf("status %d, %v: %s", made.status, err, made.body)
	}
	if diff := cmp.Diff([]any{"1s", "1h0m0s", []string{"10ms"}}, []any{ep.Timeout, ep.Deadline, ep.RetrySchedule}); diff != "" {
		t.Errorf("timeout, deadline, schedule (-want +got):\n%s", diff)
	}
	h.Answer(kit.Hang)
	m := w.post(t, app.Id, 1, nil)
	w.awaitStats(t, app.Id, ep.ID, models.EndpointStats{Fail: 1})
	list, err := w.svix.MessageAttempt.ListByMsg(ctx, app.Id, m.Id, nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(list.Data) != 2 {
		t.Fatalf("%d attempts, want 2: one and a retry", len(list.Data))
	}
	for _, a := range list.Data {
		if a.ResponseStatusCode != 0 || a.Response == "" || a.ResponseDurationMs < 1000 || a.ResponseDurationMs > 30_000 {
			t.Errorf("an attempt that timed out after a second is %+v", a)
		}
	}
}
