package e2e_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
	svix "github.com/svix/svix-webhooks/go"
	"github.com/svix/svix-webhooks/go/models"

	"github.com/callboard/callboard/internal/e2e/kit"
	"github.com/callboard/callboard/internal/testenv"
	"github.com/callboard/callboard/wire/iotum"
	"github.com/callboard/callboard/wire/oration"
	"github.com/callboard/callboard/wire/sessionboard"
	"github.com/callboard/callboard/wire/zuddl"
)

// contactCreated is a type of the catalogue that many a platform has under the same name.
const contactCreated = "contact.created"

// shadowTheCatalogue is what happens to an org that moves over from Svix and has a type contact.created of its own. It
// uses Svix's client for all that Svix has.
func shadowTheCatalogue(t *testing.T, st *stage) {
	ctx, o := t.Context(), st.org(t, "shadows")
	c := client(t, o.server, o.token)
	app, err := c.Application.Create(ctx, models.ApplicationIn{Name: "Shadows"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	plain, vendors := st.office.box(t, standardDialect), st.office.box(t, "sessionboard")
	ep, err := c.Endpoint.Create(ctx, app.Id, models.EndpointIn{Url: plain.URL}, nil)
	if err != nil {
		t.Fatal(err)
	}
	plain.accept(t, o.secret(t, app.Id, ep.Id).Key)
	other := o.endpoint(t, app.Id, vendors, nil)
	in := models.MessageIn{EventType: contactCreated, Payload: map[string]any{"id": 1}}

	_, err = c.Message.Create(ctx, app.Id, in, nil)
	wantStatus(t, err, http.StatusUnprocessableEntity, "")
	var refused refusal
	o.send(t, http.StatusUnprocessableEntity, http.MethodPost, "/app/"+app.Id+"/msg", messageOf(contactCreated, `{"id":1}`), &refused)
	if got := placesOf(refused.Detail); !slices.Equal(got, []string{"body.payload.data", "body.payload.timestamp", "body.payload.type"}) {
		t.Errorf("refused for %v", refused.Detail)
	}

	declared, err := c.EventType.Create(ctx, models.EventTypeIn{Name: contactCreated, Description: "Ours."}, nil)
	if err != nil {
		t.Fatalf("an event type of a name of the catalogue's: %v", err)
	}
	if declared.Name != contactCreated || declared.Description != "Ours." {
		t.Errorf("declared %+v", declared)
	}
	m, err := c.Message.Create(ctx, app.Id, in, nil)
	if err != nil {
		t.Fatal(err)
	}
	if got := plain.only(t); string(got.body) != `{"id":1}` || got.id != m.Id {
		t.Errorf("%s came as %s: %s", m.Id, got.id, got.body)
	}
	o.settle(t, app.Id, ep.Id, 1, 0)
	o.settle(t, app.Id, other, 0, 0)
	to, err := c.MessageAttempt.ListAttemptedDestinations(ctx, app.Id, m.Id, nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(to.Data) != 1 || to.Data[0].Id != ep.Id {
		t.Errorf("its deliveries are %+v, want one to %s", to.Data, ep.Id)
	}
	// Not even when it is asked for.
	o.call(t, http.StatusConflict, http.MethodPost, "/app/"+app.Id+"/msg/"+m.Id+"/endpoint/"+other+"/resend", nil, nil)

	// Archived, it makes room for the catalogue's again; what is stored stays the org's own.
	if err := c.EventType.Delete(ctx, contactCreated, nil); err != nil {
		t.Fatal(err)
	}
	_, err = c.Message.Create(ctx, app.Id, in, nil)
	wantStatus(t, err, http.StatusUnprocessableEntity, "")
	o.call(t, http.StatusConflict, http.MethodPost, "/app/"+app.Id+"/msg/"+m.Id+"/endpoint/"+other+"/resend", nil, nil)
	o.post(t, app.Id, contactCreated, o.sample(t, contactCreated))
	if w := vendors.only(t).data.(*sessionboard.Webhook); w.Metadata.Action != contactCreated {
		t.Errorf("the catalogue's message came as %+v", w.Metadata)
	}
	vendors.wantKinds(t, contactCreated)
}

// placesOf are the places that faults are about, sorted.
func placesOf(faults []fault) []string {
	var places []string
	for _, f := range faults {
		places = append(places, strings.Join(f.Loc, "."))
	}
	slices.Sort(places)
	return places
}

// warnOfMisfits has an org accept what does not fit: native endpoints get it, and a delivery in a dialect that it cannot
// be written in fails once, says why, and is not tried again.
func warnOfMisfits(t *testing.T, st *stage) {
	o := st.org(t, "warns")
	o.call(t, http.StatusOK, http.MethodPatch, "/settings", fields{"schemaValidation": "warn"}, nil)
	app := o.newApp(t, "")
	plain, vendors := st.office.box(t, standardDialect), st.office.box(t, "sessionboard")
	native, other := o.endpoint(t, app, plain, nil), o.endpoint(t, app, vendors, nil)
	m := o.post(t, app, contactCreated, `{"id":1}`)
	if got := placesOf(m.Warnings); !slices.Equal(got, []string{"body.payload.data", "body.payload.timestamp", "body.payload.type"}) {
		t.Errorf("warned of %v", m.Warnings)
	}
	o.settle(t, app, native, 1, 0)
	o.settle(t, app, other, 0, 1)
	if got := plain.only(t); string(got.body) != `{"id":1}` {
		t.Errorf("it came natively as %s", got.body)
	}
	// What came after it has been delivered, long after a retry would have been due.
	good := o.post(t, app, contactCreated, o.sample(t, contactCreated))
	if len(good.Warnings) > 0 {
		t.Errorf("what fits is warned of: %v", good.Warnings)
	}
	o.settle(t, app, other, 1, 1)
	vendors.wantKinds(t, contactCreated)

	var to struct {
		Data []struct {
			ID          string
			StatusText  string
			Reason      *string
			NextAttempt *string
		}
	}
	o.call(t, http.StatusOK, http.MethodGet, "/app/"+app+"/msg/"+m.ID+"/endpoint", nil, &to)
	for _, d := range to.Data {
		if d.ID == other && (d.StatusText != "fail" || d.Reason == nil || *d.Reason != "unrenderable" || d.NextAttempt != nil) {
			t.Errorf("the delivery is %s", textOf(d))
		}
	}
	if len(to.Data) != 2 {
		t.Errorf("it has deliveries to %v, want to two endpoints", to.Data)
	}
	var attempts struct {
		Data []struct {
			EndpointID         string
			ResponseStatusCode int
			Response           string
			StatusText         string
		}
	}
	o.call(t, http.StatusOK, http.MethodGet, "/app/"+app+"/attempt/msg/"+m.ID+"?endpoint_id="+other, nil, &attempts)
	tried := 0
	for _, a := range attempts.Data {
		if a.EndpointID != other {
			continue
		}
		tried++
		if a.ResponseStatusCode != 0 || a.StatusText != "fail" || !strings.Contains(a.Response, "cannot be rendered") || !strings.Contains(a.Response, "data") {
			t.Errorf("the attempt is %s", textOf(a))
		}
	}
	if tried != 1 {
		t.Errorf("%d attempts, want 1: %s", tried, textOf(attempts))
	}
	// Nothing was wrong with the receiver, and the next one that cannot be written changes nothing about that.
	var ep struct{ Disabled bool }
	o.call(t, http.StatusOK, http.MethodGet, "/app/"+app+"/endpoint/"+other, nil, &ep)
	if ep.Disabled {
		t.Error("the endpoint is disabled")
	}
}

// turnCatalogueOff makes a plain Svix server for one org.
func turnCatalogueOff(t *testing.T, st *stage) {
	o, whole := st.org(t, "plain"), st.sample(t, "session.joined")
	o.call(t, http.StatusOK, http.MethodPatch, "/settings", fields{"catalog": "none"}, nil)
	var list struct{ Data []struct{ Name string } }
	o.call(t, http.StatusOK, http.MethodGet, "/event-type", nil, &list)
	if len(list.Data) != 0 {
		t.Errorf("the org is offered %v", list.Data)
	}
	o.call(t, http.StatusNotFound, http.MethodGet, "/event-type/session.joined", nil, nil)
	app := o.newApp(t, "")
	plain, vendors := st.office.box(t, standardDialect), st.office.box(t, "zuddl")
	native, other := o.endpoint(t, app, plain, nil), o.endpoint(t, app, vendors, nil)
	for _, m := range []sent{
		o.post(t, app, contactCreated, `{"id":1}`), o.post(t, app, "session.joined", whole), o.post(t, app, "zuddl.ANSWERED_POLL", `{}`),
	} {
		if len(m.Warnings) > 0 {
			t.Errorf("%s is warned of: %v", m.EventType, m.Warnings)
		}
	}
	o.settle(t, app, native, 3, 0)
	o.settle(t, app, other, 0, 0)
	var got []string
	for _, m := range plain.taken() {
		got = append(got, string(m.body))
	}
	slices.Sort(got)
	want := []string{`{"id":1}`, whole, `{}`}
	slices.Sort(want)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("what came (-want +got):\n%s", diff)
	}
}

// sendDialectExamples sends examples to single endpoints of vendors' dialects.
func sendDialectExamples(t *testing.T, st *stage) {
	app := st.newApp(t, "examples")
	whole := altered(t, st.sample(t, "session.joined"), func(data fields) { data["registration"] = fields{"id": "whole"} })
	for _, tt := range []struct {
		name, dialect string
		in            string
		check         func(data any) bool
	}{
		{"as it is", "zuddl", `{"eventType":"session.joined"}`, func(data any) bool {
			w := data.(*zuddl.Webhook)
			return w.Action == zuddl.JoinedSession && w.Event.OrganizationID.String() == "examples" && w.Registration.Profile.FirstName != ""
		}},
		{"with data", "zuddl", `{"eventType":"session.joined","data":{"session":{"title":"Laid over"}}}`, func(data any) bool {
			w := data.(*zuddl.Webhook)
			return w.Session.Title == "Laid over" && !w.Session.ID.IsZero() && !w.Session.StartDateTime.IsZero() && !w.Registration.ID.IsZero()
		}},
		{"with a payload", "zuddl", `{"eventType":"session.joined","payload":` + whole + `}`, func(data any) bool {
			w := data.(*zuddl.Webhook)
			return w.Registration.ID.String() == "whole" && w.Registration.Profile == nil
		}},
		{"with data", "sessionboard", `{"eventType":"contact.updated","data":{"contact":{"pronouns":"ze/hir"}}}`, func(data any) bool {
			c := data.(*sessionboard.Webhook).Data.(*sessionboard.Contact)
			return c.Pronouns == "ze/hir" && !c.ID.IsZero()
		}},
		{"with data", "oration", `{"eventType":"conversation.completed","data":{"conversation":{"summary":"Laid over"}}}`, func(data any) bool {
			w := data.(*oration.Webhook)
			return w.EventType == oration.EventCompleted && w.Payload.Summary == "Laid over" && !w.Payload.ID.IsZero()
		}},
		{"with data", "iotum", `{"eventType":"conference.started","data":{"conferenceId":7}}`, func(data any) bool {
			c := data.(*iotum.Webhook).Payload.(*iotum.Conference)
			return c.ConferenceID.String() == "7" && !c.HostID.IsZero()
		}},
	} {
		t.Run(tt.dialect+" "+tt.name, func(t *testing.T) {
			box, quiet := st.office.box(t, tt.dialect), st.office.box(t, tt.dialect)
			// It subscribed to something else, and hears examples all the same.
			app := app
			if tt.dialect != "zuddl" {
				app = st.newApp(t, "")
			}
			ep := st.endpoint(t, app, box, nil)
			st.endpoint(t, app, quiet, nil)
			var m sent
			st.send(t, http.StatusAccepted, http.MethodPost, "/app/"+app+"/endpoint/"+ep+"/send-example", tt.in, &m)
			if !m.Test {
				t.Error("the message is not marked as a test")
			}
			if got := box.only(t); !tt.check(got.data) {
				t.Errorf("it came as %s", got.body)
			}
			quiet.wantKinds(t)
		})
	}
	ep := st.endpoint(t, app, st.office.box(t, "zuddl"), nil)
	for _, tt := range []struct{ in, at string }{
		{`{"eventType":"session.left"}`, "body.eventType"},
		{`{"eventType":"session.joined","data":{"session":{"id":null}}}`, "body.data.session.id"},
		{`{"eventType":"session.joined","payload":{}}`, "body.payload.type"},
		{`{"eventType":"nobody.knows"}`, "body.eventType"},
	} {
		var refused refusal
		st.send(t, http.StatusUnprocessableEntity, http.MethodPost, "/app/"+app+"/endpoint/"+ep+"/send-example", tt.in, &refused)
		if !slices.Contains(placesOf(refused.Detail), tt.at) {
			t.Errorf("%s is refused for %v, want %s", tt.in, refused.Detail, tt.at)
		}
	}
}

// verifyByOthers has programs and libraries that are not Callboard's verify what came, over the bytes as they came.
func verifyByOthers(t *testing.T, st *stage) {
	app, boxes, secrets := st.newApp(t, ""), map[string]*mailbox{}, map[string]string{}
	for _, dialect := range allDialects {
		boxes[dialect] = st.office.box(t, dialect)
		more := fields{"translate": false}
		if dialect == "zuddl" { // a secret that looks like base64 with a prefix is text all the same
			more["secret"] = "whsec_c2VjcmV0IHRleHQgYXMgaXQgaXM="
		}
		ep := st.endpoint(t, app, boxes[dialect], more)
		secrets[dialect] = st.secret(t, app, ep).Key
	}
	for _, eventType := range []string{"session.joined", contactCreated, "conversation.completed", "conference.started"} {
		st.post(t, app, eventType, st.sample(t, eventType))
	}
	for dialect, n := range map[string]int{"native": 4, "sessionboard": 1, "oration": 1} {
		for _, r := range boxes[dialect].await(t, n) {
			if err := verifyBySvix(secrets[dialect], r); err != nil {
				t.Errorf("%s by Svix's library: %v", dialect, err)
			}
			if err := verifyByStandard(secrets[dialect], r); err != nil {
				t.Errorf("%s by the library of Standard Webhooks: %v", dialect, err)
			}
			r.body = append(bytes.Clone(r.body), ' ')
			if verifyBySvix(secrets[dialect], r) == nil || verifyByStandard(secrets[dialect], r) == nil {
				t.Errorf("%s: another body verifies", dialect)
			}
		}
	}
	if err := kit.Verify(secrets["native"], boxes["native"].received()[0].body, boxes["native"].received()[0].header); err != nil {
		t.Errorf("native under both names of the headers: %v", err)
	}
	if got := boxes["iotum"].await(t, 1)[0].header.Get("X-Signing-Token"); got != secrets["iotum"] || got == "" {
		t.Errorf("iotum's token is %q, want %q", got, secrets["iotum"])
	}
	r := boxes["zuddl"].await(t, 1)[0]
	if got, want := r.header.Get("X-Webhook-Signature"), "sha256="+hmacByOpenSSL(t, secrets["zuddl"], r.body); got != want {
		t.Errorf("Zuddl's signature is %s, openssl says %s", got, want)
	}
}

// verifyBySvix checks a request with Svix's library.
func verifyBySvix(secret string, r request) error {
	wh, err := svix.NewWebhook(secret)
	if err != nil {
		return err
	}
	return wh.Verify(r.body, r.header)
}

// verifyByStandard checks a request with the library of Standard Webhooks, which knows but one of the headers' names.
func verifyByStandard(secret string, r request) error {
	wh, err := standardwebhooks.NewWebhook(secret)
	if err != nil {
		return err
	}
	header := http.Header{}
	for _, name := range []string{"Id", "Timestamp", "Signature"} {
		header.Set("Webhook-"+name, r.standard(name))
	}
	return wh.Verify(r.body, header)
}

// hmacByOpenSSL is the HMAC-SHA256 of a body in hexadecimal, with a text as the key.
func hmacByOpenSSL(t *testing.T, key string, body []byte) string {
	t.Helper()
	openssl := testenv.Need(t, "openssl")
	cmd := exec.CommandContext(t.Context(), openssl, "dgst", "-sha256", "-mac", "HMAC", "-macopt", "hexkey:"+hex.EncodeToString([]byte(key)))
	cmd.Stdin = bytes.NewReader(body)
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	words := strings.Fields(string(out)) // (stdin)= 0123…
	return words[len(words)-1]
}

// zuddlSignature is what Zuddl's header holds.
func zuddlSignature(secret string, body []byte) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write(body)
	return "sha256=" + hex.EncodeToString(mac.Sum(nil))
}

// triggerByCommand sends samples with `callboard trigger` to an app with endpoints of all dialects.
func triggerByCommand(t *testing.T, st *stage) {
	const uid = "triggered"
	app, boxes, endpoints := st.newApp(t, uid), map[string]*mailbox{}, map[string]string{}
	for _, dialect := range allDialects {
		boxes[dialect] = st.office.box(t, dialect)
		endpoints[dialect] = st.endpoint(t, app, boxes[dialect], nil)
	}
	heard := st.trigger(t, uid, "session.joined", "--set", "session.title=By command")
	if diff := cmp.Diff([]string{"iotum", "native", "oration", "zuddl"}, heard); diff != "" {
		t.Errorf("who heard session.joined (-want +got):\n%s", diff)
	}
	if w := boxes["zuddl"].only(t).data.(*zuddl.Webhook); w.Action != zuddl.JoinedSession || w.Session.Title != "By command" {
		t.Errorf("it came in zuddl as %+v", w)
	}
	// Sessionboard has no word for that, and one for this.
	if diff := cmp.Diff([]string{"native", "sessionboard"}, st.trigger(t, uid, "session.speaker.attached")); diff != "" {
		t.Errorf("who heard session.speaker.attached (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"native", "zuddl"}, st.trigger(t, uid, "TIME_SPENT_IN_SESSION")); diff != "" {
		t.Errorf("who heard TIME_SPENT_IN_SESSION (-want +got):\n%s", diff)
	}
	boxes["native"].wantKinds(t, "session.joined", "session.speaker.attached", "session.time_spent")
	boxes["zuddl"].wantKinds(t, "JOINED_SESSION", "TIME_SPENT_IN_SESSION")
	boxes["sessionboard"].wantKinds(t, "session.speaker.attached")
	boxes["oration"].wantKinds(t, "conversation.userJoined")
	boxes["iotum"].wantKinds(t, "enter_conference")
}

// trigger runs `callboard trigger`, and gives the dialects of the endpoints that it says have taken it, sorted.
func (st *stage) trigger(t *testing.T, app, eventType string, flags ...string) (dialects []string) {
	t.Helper()
	args := append([]string{"trigger", eventType, "--app", app, "--server", st.server.URL, "--json", "--wait", "30s"}, flags...)
	cmd := exec.CommandContext(t.Context(), binary(t), args...)
	cmd.Dir = t.TempDir()
	cmd.Env = append(cmd.Environ(), "CALLBOARD_TOKEN="+st.token)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("callboard trigger %s: %v\n%s%s", eventType, err, out, stderr.Bytes())
	}
	var told struct {
		ID        string
		Endpoints []struct {
			Dialect, Status string
			StatusCode      int
		}
	}
	if err := json.Unmarshal(out, &told); err != nil {
		t.Fatalf("callboard trigger printed %s: %v", out, err)
	}
	wellFormed(t, "msg_", told.ID)
	for _, ep := range told.Endpoints {
		if ep.Status != "success" || ep.StatusCode != http.StatusOK {
			t.Errorf("the endpoint in %s: %s, %d", ep.Dialect, ep.Status, ep.StatusCode)
		}
		dialects = append(dialects, ep.Dialect)
	}
	slices.Sort(dialects)
	return dialects
}
