package ingest_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/callboard/callboard/internal/commit"
	"github.com/callboard/callboard/internal/delivery"
	"github.com/callboard/callboard/internal/dialect"
	"github.com/callboard/callboard/internal/dialect/builtin"
	"github.com/callboard/callboard/internal/errs"
	"github.com/callboard/callboard/internal/id"
	"github.com/callboard/callboard/internal/ingest"
	"github.com/callboard/callboard/internal/janitor"
	"github.com/callboard/callboard/internal/live"
	"github.com/callboard/callboard/internal/store"
	"github.com/callboard/callboard/internal/testenv"
)

// source makes a source of a dialect.
func (v *venue) source(dialectName string, change ...func(*store.Source)) store.Source {
	v.t.Helper()
	s := store.Source{App: v.app.ID, Org: v.app.Org, Dialect: dialectName, Auth: store.SourceAuth{Unverified: true}}
	for _, c := range change {
		c(&s)
	}
	testenv.Advance(time.Millisecond) // no two changes of a source are at one time
	v.Decide(commit.Keys{Sources: []id.ID{s.ID}}, func(view *commit.View) {
		if s.ID == 0 {
			s.ID = view.NextID()
		}
		s.UpdatedAt = view.Now()
		view.PutSource(s)
	})
	return s
}

// webhook reads a webhook that came in at a source.
func (v *venue) webhook(s store.Source, body string) ingest.Inbound {
	v.t.Helper()
	d, known := builtin.Dialects(builtin.Config{}).Get(s.Dialect)
	if !known {
		v.t.Fatalf("there is no dialect %s", s.Dialect)
	}
	a, err := d.Parse(dialect.Request{Body: []byte(body)})
	if err != nil {
		v.t.Fatal(err)
	}
	doc := ingest.ReceivedDoc{VendorID: a.ID, SizeBytes: len(body), Verified: true}
	return ingest.Inbound{Source: s, Activity: a, Observed: d.Observes(), Raw: []byte(body), Doc: doc}
}

// receive takes a webhook in.
func (v *venue) receive(in ingest.Inbound) ingest.Received {
	v.t.Helper()
	r, err := v.Service.Receive(v.t.Context(), in)
	if err != nil {
		v.t.Fatal(err)
	}
	return r
}

// records gives what was received at a source, oldest first, with the documents read.
func (v *venue) records(s store.Source) (rows []store.Received, docs []ingest.ReceivedDoc) {
	v.t.Helper()
	all, err := v.Store.ReceivedOf(v.t.Context(), v.app.ID, s.ID, nil, 0, 0, store.Page{Limit: 1000, Ascending: true})
	if err != nil {
		v.t.Fatal(err)
	}
	docs = make([]ingest.ReceivedDoc, len(all.Rows))
	for i := range all.Rows {
		if err := json.Unmarshal(all.Rows[i].Doc, &docs[i]); err != nil {
			v.t.Fatal(err)
		}
	}
	return all.Rows, docs
}

func zuddlJoined(actionID string) string {
	return fmt.Sprintf(`{"action":"JOINED_SESSION","actionId":%q,"actionCreatedAt":"2026-05-01T11:30:00Z","actor":{"id":"r","type":"USER"},
		"registration":{"id":"r"},"event":{"id":"e","organizationId":"org"},"session":{"id":"s"},"later":[1]}`, actionID)
}

// TestReceive takes a webhook in: one message with its bytes, presence, one record, and
// nothing of our own.
func TestReceive(t *testing.T) {
	meet(t, func(t *testing.T, v *venue) {
		iotum := v.Endpoint(v.app, func(ep *delivery.Endpoint) { ep.Dialect = "iotum" })
		refusing := v.Endpoint(v.app, func(ep *delivery.Endpoint) { ep.Dialect, ep.NoTranslate = "iotum", true })
		stage := v.Endpoint(v.app, func(ep *delivery.Endpoint) { ep.Channels = []string{"stage"} })
		elsewhere := v.Endpoint(v.app, func(ep *delivery.Endpoint) { ep.Channels = []string{"elsewhere"} })
		s := v.source("zuddl", func(s *store.Source) { s.Channels = []string{"stage"} })
		begin := v.last()

		in := v.webhook(s, zuddlJoined("a1"))
		r := v.receive(in)
		if r.ID == 0 || r.Message <= begin || r.Duplicate || r.Note != "" {
			t.Fatalf("received %+v", r)
		}
		m := message(t, v.Engine, v.app, r.Message)
		if m.Type != "session.joined" || m.From != "zuddl" || m.Tenant != "acme" || string(m.Raw) != zuddlJoined("a1") || !cmp.Equal(m.Channels, []string{"stage"}) {
			t.Errorf("message %+v, raw %s", m, m.Raw)
		}
		if want := `{"type":"session.joined","timestamp":"2026-05-01T11:30:00.000Z","data":{`; !strings.HasPrefix(string(m.Payload), want) {
			t.Errorf("payload %s", m.Payload)
		}
		for name, tt := range map[string]struct {
			endpoint id.ID
			want     string
		}{
			"native": {v.native, "session.joined"}, "zuddl": {v.zuddl, "session.joined"}, "iotum": {iotum, "session.joined"},
			"refusing": {refusing, ""}, "stage": {stage, "session.joined"}, "elsewhere": {elsewhere, ""},
		} {
			if got := v.types(tt.endpoint, begin); got != tt.want {
				t.Errorf("%s heard %q, want %q", name, got, tt.want)
			}
		}
		rows, docs := v.records(s)
		want := store.Received{ID: r.ID, App: v.app.ID, Source: s.ID, Status: store.Accepted, Message: r.Message}
		if len(rows) != 1 || !cmp.Equal(want, store.Received{ID: rows[0].ID, App: rows[0].App, Source: rows[0].Source, Status: rows[0].Status, Message: rows[0].Message, Body: rows[0].Body}) {
			t.Errorf("records %+v", rows)
		}
		if docs[0].VendorID != "a1" || docs[0].Type != "session.joined" || docs[0].SizeBytes != len(in.Raw) || !docs[0].Verified || docs[0].Note != "" {
			t.Errorf("record %+v", docs[0])
		}
		if _, err := v.Store.Object(t.Context(), live.Key{App: v.app.ID, Kind: live.Session, Parent: "e", ID: "s"}); err != nil {
			t.Errorf("live state: %v", err)
		}
	})
}

// TestReceiveOnce: a vendor's id counts once in seven days, at one source; whoever asks for
// one more gets it.
func TestReceiveOnce(t *testing.T) {
	meet(t, func(t *testing.T, v *venue) {
		s, other := v.source("zuddl"), v.source("zuddl")
		first := v.receive(v.webhook(s, zuddlJoined("a1")))
		for _, body := range []string{zuddlJoined("a1"), strings.Replace(zuddlJoined("a1"), "[1]", "[2]", 1)} {
			if again := v.receive(v.webhook(s, body)); !again.Duplicate || again.Message != first.Message || again.ID != 0 {
				t.Errorf("again: %+v", again)
			}
		}
		if rows, _ := v.records(s); len(rows) != 1 || v.last() != first.Message {
			t.Errorf("a repetition left something: %d records", len(rows))
		}
		if r := v.receive(v.webhook(other, zuddlJoined("a1"))); r.Duplicate {
			t.Error("another source's ids are ours")
		}
		if r := v.receive(v.webhook(s, zuddlJoined("a2"))); r.Duplicate {
			t.Error("another id is a repetition")
		}
		more := v.webhook(s, zuddlJoined("a1"))
		more.Again = true
		if r := v.receive(more); r.Duplicate || r.Message <= first.Message {
			t.Errorf("asked for once more: %+v", r)
		}
		testenv.Advance(ingest.InboundLife + time.Hour)
		if err := janitor.New(janitor.Config{Store: v.Store, Submitter: v.Committer}).Round(t.Context(), time.Now()); err != nil {
			t.Fatal(err)
		}
		if r := v.receive(v.webhook(s, zuddlJoined("a1"))); r.Duplicate {
			t.Error("the id is known after seven days")
		}
	})
}

// TestReceiveAlwaysBecomesAMessage: whatever live state, the catalogue and the org say of
// it, and its own dialect always hears it.
func TestReceiveAlwaysBecomesAMessage(t *testing.T) {
	meet(t, func(t *testing.T, v *venue) {
		iotum := v.Endpoint(v.app, func(ep *delivery.Endpoint) { ep.Dialect = "iotum" })
		zuddl, conferences := v.source("zuddl"), v.source("iotum")
		n := 0
		for _, tt := range []struct {
			name     string
			settings string
			source   store.Source
			body     string
			note     string // part of it; "" = there is none
			heard    string // by native, zuddl and iotum
			tenant   string
		}{
			{"an unknown action", `{}`, zuddl, `{"action":"WAVED_HAND","actionId":"%d","wave":1}`, "", "native zuddl", "acme"},
			{"a type that the org is not offered", `{"catalog":["sessionboard"]}`, zuddl, `{"action":"WAVED_HAND","actionId":"%d"}`, "", "native zuddl", ""},
			{"what state forbids", `{}`, conferences, `{"event":"stop_recording","payload":"{\"conference_id\":1,\"host_id\":2,\"company_id\":%d}","timestamp":"2026-05-01T11:00:00.000Z"}`, "live state: ", "native iotum", "acme"},
			{"what tells too little", `{}`, zuddl, `{"action":"JOINED_SESSION","actionId":"%d"}`, "does not fit", "native zuddl", ""},
			{"a time to come", `{}`, conferences, `{"event":"conference_start","payload":"{\"conference_id\":9,\"host_id\":2,\"company_id\":%d}","timestamp":"2036-05-01T11:00:00.000Z"}`, "live state: at must not", "native iotum", "acme"},
		} {
			set(t, v.Engine, tt.settings)
			n++
			before := v.last()
			r := v.receive(v.webhook(tt.source, fmt.Sprintf(tt.body, n)))
			if tt.note == "" && r.Note != "" || !strings.Contains(r.Note, tt.note) {
				t.Errorf("%s: note %q, want %q", tt.name, r.Note, tt.note)
			}
			var heard []string
			for _, who := range []struct {
				name     string
				endpoint id.ID
			}{{"native", v.native}, {"zuddl", v.zuddl}, {"iotum", iotum}} {
				if v.types(who.endpoint, before) != "" {
					heard = append(heard, who.name)
				}
			}
			m := message(t, v.Engine, v.app, r.Message)
			if got := strings.Join(heard, " "); got != tt.heard || m.Tenant != tt.tenant || string(m.Raw) != fmt.Sprintf(tt.body, n) {
				t.Errorf("%s: heard by %s, tenant %q, raw %s", tt.name, got, m.Tenant, m.Raw)
			}
			if !bytes.Contains(m.Payload, []byte(`"timestamp":"20`)) {
				t.Errorf("%s: a native body has a time: %s", tt.name, m.Payload)
			}
		}
	})
}

// TestReceiveMergesByNumber: a webhook that tells little takes nothing away, and finds the
// event that it names by a number; one that is not known is called by it.
func TestReceiveMergesByNumber(t *testing.T) {
	meet(t, func(t *testing.T, v *venue) {
		s := v.source("sessionboard")
		abbreviated := `{"data":{"id":"s","sourceOfChange":"user"},"metadata":{"action":"session.updated","actor_id":7,"event_id":%d,"org_id":"o","version":1,"datetime":"2026-05-01T11:59:00Z"}}`
		title := func(event string) string {
			row, err := v.Store.Object(t.Context(), live.Key{App: v.app.ID, Kind: live.Session, Parent: event, ID: "s"})
			if err != nil {
				t.Fatal(err)
			}
			var doc struct{ Title string }
			if err := json.Unmarshal(row.Doc, &doc); err != nil {
				t.Fatal(err)
			}
			return doc.Title
		}
		if r := v.receive(v.webhook(s, fmt.Sprintf(abbreviated, 7))); r.Note != "" || title("e") != "S" {
			t.Errorf("note %q, title %q", r.Note, title("e"))
		} else if m := message(t, v.Engine, v.app, r.Message); !strings.Contains(string(m.Payload), `"event":{"id":"e","number":7}`) {
			t.Errorf("payload %s", m.Payload)
		}
		r := v.receive(v.webhook(s, strings.Replace(fmt.Sprintf(abbreviated, 88), `"id":"s"`, `"id":"s","title":"T"`, 1)))
		if r.Note != "" || title("88") != "T" {
			t.Errorf("note %q, title %q", r.Note, title("88"))
		}
	})
}

// TestReceiveTimes: a native body has a time, behind its type where that is first; nothing
// else of it changes.
func TestReceiveTimes(t *testing.T) {
	meet(t, func(t *testing.T, v *venue) {
		s := v.source("native")
		for body, want := range map[string]string{
			`{"type":"a.b","data":{"n":1},"more":2}`:                `{"type":"a.b","timestamp":"NOW","data":{"n":1},"more":2}`,
			"{ \"more\": 2, \"data\":{\"n\":1},\"type\":\"a.b\"}":   "{\"timestamp\":\"NOW\", \"more\": 2, \"data\":{\"n\":1},\"type\":\"a.b\"}",
			`{"type":"a.b","timestamp":null,"data":{}}`:             `{"type":"a.b","timestamp":null,"data":{}}`,
			`{"type":"a.b","data":{"event":{"number":7}}}`:          `{"type":"a.b","timestamp":"NOW","data":{"event":{"id":"e","number":7}}}`,
			`{"type":"a.b","data":{"event":{"number":7,"id":"x"}}}`: `{"type":"a.b","timestamp":"NOW","data":{"event":{"number":7,"id":"x"}}}`,
			`{"type":"a.b","data":[]}`:                              `{"type":"a.b","data":[]}`,
		} {
			in := v.webhook(s, body)
			in.Again = true
			want = strings.ReplaceAll(want, "NOW", time.Now().UTC().Format("2006-01-02T15:04:05.000Z"))
			m := message(t, v.Engine, v.app, v.receive(in).Message)
			if diff := cmp.Diff(want, string(m.Payload)); diff != "" || string(m.Raw) != body {
				t.Errorf("payload (-want +got):\n%s\nraw %s", diff, m.Raw)
			}
		}
	})
}

// TestReceiveElsewhere: what is gone by now takes nothing.
func TestReceiveElsewhere(t *testing.T) {
	meet(t, func(t *testing.T, v *venue) {
		s := v.source("zuddl")
		in := v.webhook(s, zuddlJoined("a1"))
		strange := in
		strange.Activity.Type = "zuddl.a b"
		if _, err := v.Service.Receive(t.Context(), strange); !errors.Is(err, dialect.ErrUnreadable) {
			t.Errorf("a type that is no word: %v", err)
		}
		v.source("iotum", func(c *store.Source) { c.ID = s.ID })
		if _, err := v.Service.Receive(t.Context(), in); errs.KindOf(err) != errs.Unavailable {
			t.Errorf("read in a dialect that the source has no longer: %v", err)
		}
		v.source("zuddl", func(c *store.Source) { c.ID, c.Deleted = s.ID, true })
		if _, err := v.Service.Receive(t.Context(), in); errs.KindOf(err) != errs.NotFound {
			t.Errorf("a deleted source: %v", err)
		}
		if _, err := v.Service.Refuse(t.Context(), store.Received{Source: s.ID, Status: store.Refused, Doc: []byte(`{}`)}); errs.KindOf(err) != errs.NotFound {
			t.Errorf("a deleted source keeps: %v", err)
		}
		s = v.source("zuddl")
		if err := v.Service.DeleteApp(t.Context(), v.app); err != nil {
			t.Fatal(err)
		}
		if _, err := v.Service.Receive(t.Context(), v.webhook(s, zuddlJoined("a2"))); errs.KindOf(err) != errs.NotFound {
			t.Errorf("a deleted app: %v", err)
		}
	})
}

// TestRefuse keeps the newest of those that were not proven, and all that could not be read.
func TestRefuse(t *testing.T) {
	meet(t, func(t *testing.T, v *venue) {
		s := v.source("zuddl")
		keep := func(status store.ReceivedStatus, why string) id.ID {
			doc := ingest.ReceivedDoc{Why: why}
			r, err := v.Service.Refuse(t.Context(), store.Received{Source: s.ID, Status: status, Doc: doc.JSON(), Body: []byte("body")})
			if err != nil {
				t.Fatal(err)
			}
			return r
		}
		oldest := keep(store.Unreadable, "unreadable")
		if again := keep(store.Unreadable, "tried again"); again != oldest {
			t.Error("what cannot be read is kept each time that the vendor tries it")
		}
		var newest id.ID
		for i := range store.KeptRefused + 5 {
			newest = keep(store.Refused, fmt.Sprint(i))
		}
		rows, docs := v.records(s)
		if len(rows) != store.KeptRefused+1 || rows[0].ID != oldest || rows[len(rows)-1].ID != newest || docs[1].Why != "5" {
			t.Errorf("%d records, from %q to %q", len(rows), docs[1].Why, docs[len(docs)-1].Why)
		}
		if one, err := v.Store.ReceivedOne(t.Context(), v.app.ID, s.ID, newest); err != nil || string(one.Body) != "body" || one.App != v.app.ID {
			t.Errorf("%+v, %v", one, err)
		}
		if len(v.Heard(v.native)) != 3 {
			t.Error("what is refused became a message")
		}
	})
}
