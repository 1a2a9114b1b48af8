package storetest

import (
	"slices"
	"time"

	"github.com/callboard/callboard/internal/commit"
	"github.com/callboard/callboard/internal/id"
	"github.com/callboard/callboard/internal/store"
)

// source makes a source of an app, without anything that it can do without.
func (w *world) source(app id.ID) store.Source {
	return store.Source{ID: w.next(), App: app, Org: "org_1", Dialect: "zuddl", CreatedAt: w.now, UpdatedAt: w.now}
}

// received makes a request that came in at a source.
func (w *world) received(s store.Source, status store.ReceivedStatus) store.Received {
	r := store.Received{ID: w.next(), App: s.App, Source: s.ID, Status: status, Doc: []byte(`{"type":"a"}`)}
	if status == store.Accepted {
		r.Message = w.next()
	} else {
		r.Body = []byte(`{"a": 1}`)
	}
	return r
}

func receivedIDs(rows []store.Received) []id.ID {
	ids := []id.ID{}
	for _, r := range rows {
		ids = append(ids, r.ID)
	}
	return ids
}

// loadSources reads sources inside a transaction.
func (w *world) loadSources(ids ...id.ID) map[id.ID]store.Source {
	w.Helper()
	found := map[id.ID]store.Source{}
	w.update(func(tx commit.Tx) error {
		rows, err := tx.Sources(w.ctx(), ids)
		for _, s := range rows {
			found[s.ID] = s
		}
		return err
	})
	return found
}

func testSourceRoundTrip(w *world) {
	app, _ := w.app(0)
	bare := w.source(app.ID)
	full := w.source(app.ID)
	full.Dialect, full.Description, full.Channels, full.TypeHeader, full.TypeField = "raw", "ü\x00", []string{"x"}, "x-type", "data.type"
	full.Auth = store.SourceAuth{
		Secrets: []string{"new", "old"}, Token: "t", NextToken: "n", TokenHeader: "x-token", Key: "whpk_1", OldKeys: []string{"whpk_0"}, Unverified: true,
		OldUntil: w.now.Add(time.Hour), SignatureHeader: "x-sig", Encoding: "base64", Prefix: "sha256=", SecretForm: "hex", Handshake: "h",
	}
	empty := w.source(app.ID)
	empty.Channels, empty.Auth.Secrets = []string{}, []string{}
	w.write(store.Changes{Sources: []store.Source{bare, full, empty}})
	changed := bare
	changed.Dialect, changed.Auth.Secrets, changed.UpdatedAt = "iotum", []string{"s"}, w.now.Add(time.Second)
	w.fail(store.Changes{Sources: []store.Source{changed}})
	want := map[id.ID]store.Source{bare.ID: bare, full.ID: full, empty.ID: empty}
	same(w, "sources", want, w.loadSources(full.ID, w.next(), bare.ID, empty.ID))
	w.write(store.Changes{Sources: []store.Source{changed}})
	w.reopen()
	for _, s := range []store.Source{changed, full, empty} {
		got, err := w.Source(w.ctx(), s.ID)
		w.ok("source", err)
		same(w, "source", s, got)
	}
	full.Deleted = true
	w.write(store.Changes{Sources: []store.Source{full}})
	_, err := w.Source(w.ctx(), full.ID)
	w.absent("a deleted source", err)
	same(w, "sources but for the deleted one", map[id.ID]store.Source{bare.ID: changed}, w.loadSources(full.ID, bare.ID))
	_, err = w.Source(w.ctx(), app.ID)
	w.absent("an app's id", err)
	app.Deleted = true
	w.write(store.Changes{Apps: []store.App{app}})
	_, err = w.Source(w.ctx(), bare.ID)
	w.absent("a source of a deleted app", err)
}

func testSourceList(w *world) {
	app, _ := w.app(0)
	other, _ := w.app(0)
	var c store.Changes
	var want []store.Source
	for i := range 9 {
		s := w.source([]id.ID{app.ID, other.ID}[i%2])
		if s.Deleted = i == 4; i%2 == 0 && !s.Deleted {
			want = append(want, s)
		}
		c.Sources = append(c.Sources, s)
	}
	w.write(c)
	list := func(p store.Page) (store.Listed[store.Source], error) { return w.Sources(w.ctx(), app.ID, p) }
	for _, limit := range []int{1, 3, 4, 5} {
		same(w, "ascending", want, pages(w, store.Page{Limit: limit, Ascending: true}, list))
		reversed := slices.Clone(want)
		slices.Reverse(reversed)
		same(w, "newest first", reversed, pages(w, store.Page{Limit: limit}, list))
	}
}

func testSourceOfErasedApp(w *world) {
	gone, _ := w.app(0)
	other, _ := w.app(0)
	mine, others := w.source(gone.ID), w.source(other.ID)
	w.write(store.Changes{Sources: []store.Source{mine, others}})
	w.write(store.Changes{ErasedApps: []id.ID{gone.ID}})
	both := map[id.ID]store.Source{mine.ID: mine, others.ID: others}
	same(w, "sources of an app that is not deleted", both, w.loadSources(mine.ID, others.ID))
	gone.Deleted = true
	w.write(store.Changes{Apps: []store.App{gone}, ErasedApps: []id.ID{gone.ID}})
	same(w, "sources that are left", map[id.ID]store.Source{others.ID: others}, w.loadSources(mine.ID, others.ID))
}

func testReceivedRoundTrip(w *world) {
	app, _ := w.app(0)
	s := w.source(app.ID)
	accepted, refused, unreadable := w.received(s, store.Accepted), w.received(s, store.Refused), w.received(s, store.Unreadable)
	refused.Doc, refused.Body = []byte("{\"text\":\"\xc3\xbc\"}"), []byte("\x00\xff")
	unreadable.Doc, unreadable.Body = nil, []byte{}
	rows := []store.Received{accepted, refused, unreadable}
	w.fail(store.Changes{Received: rows})
	_, err := w.ReceivedOne(w.ctx(), app.ID, s.ID, refused.ID)
	w.absent("a request that was rolled back", err)
	w.write(store.Changes{Received: rows})
	w.reopen()
	for _, r := range rows {
		got, err := w.ReceivedOne(w.ctx(), app.ID, s.ID, r.ID)
		w.ok("received", err)
		same(w, "received", r, got)
	}
	_, err = w.ReceivedOne(w.ctx(), app.ID+1, s.ID, refused.ID)
	w.absent("a request of another app", err)
	_, err = w.ReceivedOne(w.ctx(), app.ID, s.ID+1, refused.ID)
	w.absent("a request of another source", err)
	same(w, "last id", unreadable.ID, w.last(0))
}

// last is the largest id of a node.
func (w *world) last(node int) id.ID {
	w.Helper()
	got, err := w.LastID(w.ctx(), node)
	w.ok("last id", err)
	return got
}

func testReceivedList(w *world) {
	app, _ := w.app(0)
	s, other := w.source(app.ID), w.source(app.ID)
	statuses := []store.ReceivedStatus{store.Accepted, store.Accepted, store.Refused, store.Unreadable, store.Accepted}
	var all []store.Received
	for i := range 40 {
		r := w.received([]store.Source{s, other}[i%2], statuses[i%5])
		w.write(store.Changes{Received: []store.Received{r}})
		if r.Body = nil; i%2 == 0 {
			all = append(all, r)
		}
	}
	since, until := all[4].ID, all[15].ID
	for _, tt := range []struct {
		statuses     []store.ReceivedStatus
		since, until id.ID
	}{
		{},
		{statuses: []store.ReceivedStatus{store.Accepted}},
		{statuses: []store.ReceivedStatus{store.Refused}},
		{statuses: []store.ReceivedStatus{store.Unreadable, store.Refused, store.Unreadable}},
		{statuses: []store.ReceivedStatus{store.Unreadable, store.Accepted}},
		{since: since, until: until},
		{statuses: []store.ReceivedStatus{store.Refused, store.Unreadable}, since: since, until: until},
		{statuses: []store.ReceivedStatus{9}},
		{statuses: []store.ReceivedStatus{}},
	} {
		var want []store.Received
		for _, r := range all {
			if (tt.statuses == nil || slices.Contains(tt.statuses, r.Status)) && r.ID >= tt.since && (tt.until == 0 || r.ID < tt.until) {
				want = append(want, r)
			}
		}
		list := func(p store.Page) (store.Listed[store.Received], error) {
			return w.ReceivedOf(w.ctx(), app.ID, s.ID, tt.statuses, tt.since, tt.until, p)
		}
		for _, limit := range []int{1, 3, 50} {
			same(w, "oldest first", want, pages(w, store.Page{Limit: limit, Ascending: true}, list))
			reversed := slices.Clone(want)
			slices.Reverse(reversed)
			same(w, "newest first", reversed, pages(w, store.Page{Limit: limit}, list))
		}
	}
	foreign, err := w.ReceivedOf(w.ctx(), app.ID+1, s.ID, nil, 0, 0, store.Page{Limit: 50})
	w.ok("received", err)
	same(w, "requests of another app", 0, len(foreign.Rows))
}

func testTrimReceived(w *world) {
	app, _ := w.app(0)
	s, other := w.source(app.ID), w.source(app.ID)
	var c store.Changes
	var refused []id.ID
	for i := range store.KeptRefused + 10 {
		r := w.received(s, store.Refused)
		refused = append(refused, r.ID)
		c.Received = append(c.Received, r, w.received(other, store.Refused))
		if i%50 == 0 {
			c.Received = append(c.Received, w.received(s, store.Accepted), w.received(s, store.Unreadable))
		}
	}
	list := func(of store.Source, statuses ...store.ReceivedStatus) []id.ID {
		return receivedIDs(pages(w, store.Page{Limit: 500, Ascending: true}, func(p store.Page) (store.Listed[store.Received], error) {
			return w.ReceivedOf(w.ctx(), app.ID, of.ID, statuses, 0, 0, p)
		}))
	}
	w.write(c)
	w.fail(store.Changes{TrimReceived: []id.ID{s.ID}})
	same(w, "after a rollback", refused, list(s, store.Refused))
	last := w.received(s, store.Refused)
	w.write(store.Changes{Received: []store.Received{last}, TrimReceived: []id.ID{s.ID}})
	same(w, "refused", append(refused[11:], last.ID), list(s, store.Refused))
	same(w, "others of the source", 10, len(list(s, store.Accepted, store.Unreadable)))
	same(w, "of the other source", store.KeptRefused+10, len(list(other, store.Refused)))
}

func testEraseReceived(w *world) {
	app, _ := w.app(0)
	other, _ := w.app(0)
	s, second, others := w.source(app.ID), w.source(app.ID), w.source(other.ID)
	second.Deleted = true
	var c store.Changes
	c.Sources = []store.Source{s, second, others}
	for i := range 9 {
		c.Received = append(c.Received, w.received(c.Sources[i%3], store.ReceivedStatus(1+i/3)))
	}
	w.write(c)
	ids := receivedIDs(c.Received)
	of := func(app id.ID, limit int) []id.ID {
		w.Helper()
		got, err := w.AppReceived(w.ctx(), app, limit)
		w.ok("an app's requests", err)
		slices.Sort(got)
		return got
	}
	same(w, "an app's", []id.ID{ids[0], ids[1], ids[3], ids[4], ids[6], ids[7]}, of(app.ID, 10))
	same(w, "limit", 4, len(of(app.ID, 4)))
	same(w, "another app's", []id.ID{ids[2], ids[5], ids[8]}, of(other.ID, 10))
	old := func(before id.ID, limit int) []id.ID {
		w.Helper()
		got, err := w.OldReceived(w.ctx(), before, limit)
		w.ok("old requests", err)
		return got
	}
	same(w, "old", ids[:5], old(ids[5], 10))
	same(w, "old, limit", ids[:2], old(ids[5], 2))
	same(w, "old, none", nil, old(ids[0], 10))
	w.fail(store.Changes{ErasedReceived: ids[:2]})
	same(w, "old after a rollback", ids[:5], old(ids[5], 10))
	w.write(store.Changes{ErasedReceived: []id.ID{ids[0], ids[8], ids[3]}})
	same(w, "left", slices.Concat(ids[1:3], ids[4:8]), old(w.next(), 10))
	w.reopen()
	same(w, "last id after its row went", ids[8], w.last(0))
}

func testReceivedBodies(w *world) {
	app, _ := w.app(0)
	other, _ := w.app(0)
	var c store.Changes
	for _, of := range []id.ID{app.ID, other.ID, app.ID, app.ID} {
		s := w.source(of)
		for _, status := range []store.ReceivedStatus{store.Refused, store.Accepted, store.Unreadable} {
			c.Received = append(c.Received, w.received(s, status))
		}
	}
	w.write(c)
	bodies := func(after, until id.ID, limit int) []store.Received {
		w.Helper()
		got, err := w.ReceivedBodies(w.ctx(), app.ID, after, until, limit)
		w.ok("bodies", err)
		return got
	}
	var want []store.Received
	for _, r := range c.Received {
		if r.App == app.ID && r.Body != nil {
			want = append(want, r)
		}
	}
	same(w, "bodies", want, bodies(0, 0, 10))
	same(w, "bodies within bounds", want[1:4], bodies(want[0].ID, want[4].ID, 10))
	same(w, "bodies, limit", want[:2], bodies(0, 0, 2))
	w.fail(store.Changes{Bodies: receivedIDs(want[1:3])})
	w.write(store.Changes{Bodies: receivedIDs(want[:1])})
	same(w, "bodies that are left", want[1:], bodies(0, 0, 10))
	got, err := w.ReceivedOne(w.ctx(), app.ID, want[0].Source, want[0].ID)
	w.ok("received", err)
	want[0].Body = nil
	same(w, "request without its body", want[0], got)
}

func testRaw(w *world) {
	app, eps := w.app(1)
	raw := func(body string) store.Message {
		m := w.message(app.ID)
		m.From, m.Raw = "zuddl", []byte(body)
		return m
	}
	want := []store.Message{w.message(app.ID), raw(" {\"a\" : \"\xc3\xbc\x00\xff\"}"), raw(""), w.message(app.ID), raw("{}"), w.event(app.ID, "e")}
	want[4].Tenant, want[4].Channels, want[4].PayloadExpires = "Acme", []string{"x"}, w.now
	want[5].From = "standard" // what it came in with was dropped
	c := store.Changes{Messages: want}
	for _, m := range want {
		c.Deliveries = append(c.Deliveries, pending(m, eps[0].ID, w.now))
	}
	w.write(c)
	for _, ascending := range []bool{true, false} {
		for _, q := range []store.MessageQuery{{}, {Tag: "none"}, {Channel: "x"}, {EventTypes: []string{"session.joined"}}} {
			q.App, q.Content = app.ID, true
			full := pages(w, store.Page{Limit: 4, Ascending: ascending}, w.listMessages(q))
			q.Content = false
			lean := pages(w, store.Page{Limit: 4, Ascending: ascending}, w.listMessages(q))
			same(w, "messages without content", messageIDs(full), messageIDs(lean))
			for i := range lean {
				if lean[i].Raw != nil || lean[i].From != full[i].From {
					w.Errorf("message %d of a list without content has a body or no origin", i)
				}
			}
			same(w, "messages", byIDs(want, full), byID(full))
		}
	}
	claimed, err := w.Messages(w.ctx(), messageIDs(want))
	w.ok("messages", err)
	same(w, "messages to be sent", byID(want), byID(claimed))
	w.write(store.Changes{Payloads: []id.ID{want[1].ID}})
	want[1].Payload, want[1].Raw = nil, nil
	w.reopen()
	for _, m := range want {
		got, err := w.Message(w.ctx(), app.ID, store.Ref{ID: m.ID})
		w.ok("message", err)
		same(w, "message", m, got)
	}
}

// byIDs gives those of messages that others name.
func byIDs(messages, names []store.Message) map[id.ID]store.Message {
	named := map[id.ID]store.Message{}
	for _, m := range messages {
		if slices.ContainsFunc(names, func(other store.Message) bool { return other.ID == m.ID }) {
			named[m.ID] = m
		}
	}
	return named
}

// testSourceStays deletes a source in one process while another writes what it received.
func testSourceStays(w *world) {
	app, _ := w.app(0)
	s := w.source(app.ID)
	w.write(store.Changes{Sources: []store.Source{s}})
	gone := s
	gone.Deleted = true
	w.excludes(func(tx commit.Tx) error {
		found, err := tx.Sources(w.ctx(), []id.ID{s.ID})
		w.ok("sources", err)
		same(w, "sources", []store.Source{s}, found)
		return tx.Apply(w.ctx(), &store.Changes{Received: []store.Received{w.received(s, store.Refused)}})
	}, func(tx commit.Tx) error {
		return tx.Apply(w.ctx(), &store.Changes{Sources: []store.Source{gone}})
	})
}
