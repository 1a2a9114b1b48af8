package storetest

import (
	"fmt"
	"slices"
	"time"

	"github.com/callboard/callboard/internal/delivery"
	"github.com/callboard/callboard/internal/id"
	"github.com/callboard/callboard/internal/store"
)

func (w *world) listMessages(q store.MessageQuery) func(store.Page) (store.Listed[store.Message], error) {
	return func(p store.Page) (store.Listed[store.Message], error) {
		q.Page = p
		return w.ListMessages(w.ctx(), q)
	}
}

func messageIDs(messages []store.Message) []id.ID {
	ids := []id.ID{}
	for _, m := range messages {
		ids = append(ids, m.ID)
	}
	return ids
}

func testMessageList(w *world) {
	app, _ := w.app(0)
	other, _ := w.app(0)
	var c store.Changes
	var want []store.Message
	for i := range 20 {
		m := w.message([]id.ID{app.ID, other.ID}[i%2])
		m.Payload = fmt.Appendf(nil, `{"n":%d}`, i)
		m.Tenant = []string{"", "acme", "Acme"}[i%3]
		c.Messages = append(c.Messages, m)
		if i%2 == 0 {
			want = append(want, m)
		}
	}
	w.write(c)
	for _, limit := range []int{1, 3, 10, 11} {
		all := w.listMessages(store.MessageQuery{App: app.ID, Content: true})
		same(w, "messages, ascending", want, pages(w, store.Page{Limit: limit, Ascending: true}, all))
		reversed := slices.Clone(want)
		slices.Reverse(reversed)
		same(w, "messages, newest first", reversed, pages(w, store.Page{Limit: limit}, all))
	}
	lean := pages(w, store.Page{Limit: 5, Ascending: true}, w.listMessages(store.MessageQuery{App: app.ID}))
	for _, m := range lean {
		if m.Payload != nil || m.Tenant != "" {
			w.Fatalf("a list without content has a payload or a tenant")
		}
	}
	same(w, "messages without content", messageIDs(want), messageIDs(lean))

	// Bounds of time are bounds of ids: from inclusive, to exclusive.
	for _, ascending := range []bool{true, false} {
		q := store.MessageQuery{App: app.ID, Since: want[2].ID, Until: want[6].ID}
		got := messageIDs(pages(w, store.Page{Limit: 3, Ascending: ascending}, w.listMessages(q)))
		slices.Sort(got)
		same(w, "messages within bounds", messageIDs(want[2:6]), got)
		q = store.MessageQuery{App: app.ID, Since: id.AtTime(want[4].ID.Time()), Until: id.AtTime(want[5].ID.Time())}
		got = messageIDs(pages(w, store.Page{Limit: 3, Ascending: ascending}, w.listMessages(q)))
		same(w, "messages of a millisecond", messageIDs(want[4:5]), got)
	}
}

func testMessageFilters(w *world) {
	app, _ := w.app(0)
	var c store.Changes
	for i := range 24 {
		m := w.message(app.ID)
		m.Type = []string{"a", "A", "b"}[i%3]
		if i%2 == 0 {
			m.Channels = []string{"x", fmt.Sprint(i)}
		}
		if i%4 == 0 {
			m.Tags, m.Tenant = []string{"t"}, "acme"
		}
		c.Messages = append(c.Messages, m)
	}
	w.write(c)
	byID := byID(c.Messages)
	for _, filter := range []store.MessageQuery{
		{EventTypes: []string{"a"}},
		{EventTypes: []string{"b", "A"}},
		{EventTypes: []string{}},
		{EventTypes: []string{"unknown"}},
		{Channel: "x"},
		{Channel: "X"},
		{Channel: "6"},
		{Tag: "t"},
		{EventTypes: []string{"a"}, Channel: "x", Tag: "t"},
	} {
		want := []id.ID{}
		for _, m := range c.Messages {
			if (filter.EventTypes == nil || slices.Contains(filter.EventTypes, m.Type)) &&
				(filter.Channel == "" || slices.Contains(m.Channels, filter.Channel)) &&
				(filter.Tag == "" || slices.Contains(m.Tags, filter.Tag)) {
				want = append(want, m.ID)
			}
		}
		filter.App = app.ID
		got := messageIDs(pages(w, store.Page{Limit: 2, Ascending: true}, w.listMessages(filter)))
		same(w, fmt.Sprintf("messages with types %v, channel %q, tag %q", filter.EventTypes, filter.Channel, filter.Tag), want, got)
		filter.Content = true
		for _, m := range pages(w, store.Page{Limit: 3, Ascending: true}, w.listMessages(filter)) {
			same(w, "listed message", byID[m.ID], m)
		}
	}
}

// testSparseFilter has one match among many rows: whatever a page gives up at,
// the next one goes on from there.
func testSparseFilter(w *world) {
	app, eps := w.app(1)
	const n = 4500
	var want delivery.Delivery
	for range 9 {
		var c store.Changes
		for range n / 9 {
			m := w.message(app.ID)
			d := pending(m, eps[0].ID, w.now)
			ended(&d, delivery.Succeeded)
			if len(c.Messages) == 7 && want.Message == 0 {
				m.Type, m.Tags, want = "rare", []string{"rare"}, d
				ended(&d, delivery.Failed)
			}
			c.Messages, c.Deliveries = append(c.Messages, m), append(c.Deliveries, d)
		}
		w.write(c)
	}
	for _, ascending := range []bool{true, false} {
		p := store.Page{Limit: 10, Ascending: ascending}
		for _, q := range []store.MessageQuery{{EventTypes: []string{"rare"}}, {Tag: "rare"}} {
			q.App = app.ID
			same(w, "messages", []id.ID{want.Message}, messageIDs(pages(w, p, w.listMessages(q))))
		}
		for _, q := range []store.DeliveryQuery{{States: []delivery.State{delivery.Failed}}, {EventTypes: []string{"rare"}}} {
			q.App, q.Endpoint = app.ID, eps[0].ID
			got := pages(w, p, w.listDeliveries(q))
			if len(got) != 1 || got[0].Key != want.Key {
				w.Errorf("deliveries with a sparse filter: got %d rows", len(got))
			}
		}
	}
	var after, got id.ID
	for range n {
		rows, scanned, err := w.DeliveriesOf(w.ctx(), eps[0].ID, after, 0, []delivery.State{delivery.Failed}, 10)
		w.ok("deliveries of", err)
		for _, d := range rows {
			got = d.Message
		}
		if after = scanned; after == 0 {
			break
		}
	}
	same(w, "walked to", 0, after)
	same(w, "found on the walk", want.Message, got)
}

// testQuietApp has an app with little traffic among others with much.
func testQuietApp(w *world) {
	app, eps := w.app(1)
	busy, _ := w.app(0)
	var want []delivery.Attempt
	for _, batches := range []int{17, 1, 3} {
		want = append(want, w.history(app, eps[0].ID, 2)...)
		for range batches {
			var c store.Changes
			for range 500 {
				c.Messages = append(c.Messages, w.message(busy.ID))
			}
			w.write(c)
		}
	}
	var ids []id.ID
	for _, a := range want {
		ids = append(ids, a.Message)
	}
	for _, ascending := range []bool{true, false} {
		for _, limit := range []int{1, 3, 50} {
			p := store.Page{Limit: limit, Ascending: ascending}
			messages := messageIDs(pages(w, p, w.listMessages(store.MessageQuery{App: app.ID})))
			var attempts, deliveries []id.ID
			for _, row := range pages(w, p, w.listAttempts(store.AttemptQuery{App: app.ID, Endpoint: eps[0].ID})) {
				attempts = append(attempts, row.Attempt.Message)
			}
			for _, row := range pages(w, p, w.listDeliveries(store.DeliveryQuery{App: app.ID, Endpoint: eps[0].ID})) {
				deliveries = append(deliveries, row.Delivery.Message)
			}
			same(w, "messages", ids, messages)
			same(w, "attempts", ids, attempts)
			same(w, "deliveries", ids, deliveries)
		}
		slices.Reverse(ids)
	}
	r, ok, err := w.MessageRange(w.ctx(), app.ID, want[1].Message, 0, 3)
	w.ok("message range", err)
	same(w, "ok", true, ok)
	same(w, "range", store.Range{From: want[2].Message, Until: want[4].Message + 1, App: app.ID}, r)
	w.write(store.Changes{Dropped: []store.Range{r}})
	same(w, "left", []int{0, 1, 5}, w.left(want))
}

func testStableCursor(w *world) {
	app, _ := w.app(0)
	var old []id.ID
	for range 10 {
		m := w.message(app.ID)
		w.write(store.Changes{Messages: []store.Message{m}})
		old = append(old, m.ID)
	}
	for _, ascending := range []bool{true, false} {
		p := store.Page{Limit: 3, Ascending: ascending}
		var got []id.ID
		for {
			page, err := w.ListMessages(w.ctx(), store.MessageQuery{Page: p, App: app.ID})
			w.ok("messages", err)
			got = append(got, messageIDs(page.Rows)...)
			if page.Done || len(got) > 50 {
				break
			}
			p.After = page.Next
			if len(got) < 20 { // new rows come between the pages
				w.write(store.Changes{Messages: []store.Message{w.message(app.ID)}})
			}
		}
		if !slices.IsSortedFunc(got, func(a, b id.ID) int {
			if ascending == (a < b) {
				return -1
			}
			return 1
		}) {
			w.Errorf("ascending %v: rows are out of order or repeated: %v", ascending, got)
		}
		for _, want := range old {
			if !slices.Contains(got, want) {
				w.Errorf("ascending %v: the list skipped %d", ascending, want)
			}
		}
	}
}

func (w *world) listAttempts(q store.AttemptQuery) func(store.Page) (store.Listed[store.AttemptRow], error) {
	return func(p store.Page) (store.Listed[store.AttemptRow], error) {
		q.Page = p
		return w.ListAttempts(w.ctx(), q)
	}
}

func testAttemptList(w *world) {
	app, eps := w.app(2)
	var c store.Changes
	for i := range 6 {
		m := w.message(app.ID)
		m.Type = []string{"a", "b"}[i%2]
		if i%3 == 0 {
			m.Channels, m.Tags, m.Tenant = []string{"x"}, []string{"t"}, "acme"
		}
		c.Messages = append(c.Messages, m)
		for _, ep := range eps {
			c.Deliveries = append(c.Deliveries, pending(m, ep.ID, w.now))
		}
	}
	w.write(c)
	byMessage := byID(c.Messages)
	var all []delivery.Attempt // in the order of their ids
	statuses := []int{200, 204, 302, 404, 500, 0}
	for round := range 2 {
		for _, ep := range eps {
			done := store.Changes{}
			for i, d := range w.claim(ep.ID, w.now.Add(time.Hour), 10).Rows {
				r := w.retry(d, w.now)
				r.Attempt = w.attempt(d, statuses[(i+round)%len(statuses)])
				if r.Attempt.StatusCode == 0 {
					r.Attempt.Response, r.Attempt.Error = nil, "refused"
				}
				done.Completed = append(done.Completed, r)
				all = append(all, r.Attempt)
			}
			w.write(done)
		}
	}
	yes, no := true, false
	for _, q := range []store.AttemptQuery{
		{Endpoint: eps[0].ID},
		{Endpoint: eps[1].ID},
		{Message: c.Messages[2].ID},
		{Message: c.Messages[2].ID, Endpoint: eps[1].ID},
		{Endpoint: eps[0].ID, Success: &yes},
		{Endpoint: eps[0].ID, Success: &no},
		{Endpoint: eps[0].ID, StatusClass: 200},
		{Endpoint: eps[0].ID, StatusClass: 300},
		{Endpoint: eps[0].ID, StatusClass: -1},
		{Message: c.Messages[0].ID, StatusClass: 400},
		{Endpoint: eps[0].ID, EventTypes: []string{"a"}},
		{Endpoint: eps[0].ID, EventTypes: []string{}},
		{Endpoint: eps[0].ID, Channel: "x"},
		{Endpoint: eps[0].ID, Tag: "t", EventTypes: []string{"b"}},
		{Endpoint: eps[0].ID, Since: all[1].ID, Until: all[4].ID},
	} {
		var want []delivery.Attempt
		for _, a := range all {
			if matchesAttempt(q, a, byMessage[a.Message]) {
				want = append(want, a)
			}
		}
		q.App, q.Content = app.ID, true
		var got []delivery.Attempt
		for _, row := range pages(w, store.Page{Limit: 2, Ascending: true}, w.listAttempts(q)) {
			got = append(got, row.Attempt)
			same(w, "url", eps[0].URL, row.URL)
		}
		same(w, fmt.Sprintf("attempts, ascending, %+v", q), want, got)
		var newest []delivery.Attempt
		for _, row := range pages(w, store.Page{Limit: 3}, w.listAttempts(q)) {
			newest = append([]delivery.Attempt{row.Attempt}, newest...)
		}
		same(w, fmt.Sprintf("attempts, newest first, %+v", q), want, newest)
		q.App++
		same(w, "attempts of another app", 0, len(pages(w, store.Page{Limit: 3}, w.listAttempts(q))))
	}
	for _, content := range []bool{true, false} {
		rows := pages(w, store.Page{Limit: 5}, w.listAttempts(store.AttemptQuery{App: app.ID, Endpoint: eps[0].ID, WithMessage: true, Content: content}))
		for _, row := range rows {
			want := byMessage[row.Attempt.Message]
			if !content {
				want.Payload, want.Tenant = nil, ""
				if row.Response != nil {
					w.Error("a list without content has a response")
				}
			}
			same(w, "message", &want, row.Message)
		}
	}
}

func matchesAttempt(q store.AttemptQuery, a delivery.Attempt, m store.Message) bool {
	class := a.StatusCode / 100 * 100
	return (q.Endpoint == 0 || a.Endpoint == q.Endpoint) && (q.Message == 0 || a.Message == q.Message) &&
		(q.Success == nil || *q.Success == a.Success) &&
		(q.StatusClass == 0 || q.StatusClass == class || q.StatusClass == -1 && class == 0) &&
		(q.EventTypes == nil || slices.Contains(q.EventTypes, m.Type)) &&
		(q.Channel == "" || slices.Contains(m.Channels, q.Channel)) &&
		(q.Tag == "" || slices.Contains(m.Tags, q.Tag)) &&
		(q.Since == 0 || a.ID >= q.Since) && (q.Until == 0 || a.ID < q.Until)
}

func testAttemptURL(w *world) {
	app, eps := w.app(1)
	ep := eps[0]
	var want []string
	for i := range 3 {
		url := ep.URL
		if i > 0 {
			w.next()
			url = fmt.Sprintf("https://receiver.example/%d", i)
			// Two changes in one instant: the later one counts.
			w.write(store.Changes{URLs: []store.EndpointURL{
				{Endpoint: ep.ID, Since: w.now, URL: "https://receiver.example/x"}, {Endpoint: ep.ID, Since: w.now, URL: url},
			}})
		}
		w.deliver(app.ID, ep.ID, 1, w.now)
		w.write(store.Changes{Completed: []store.Completion{w.succeed(w.claim(ep.ID, w.now, 1).Rows[0])}})
		want = append(want, url)
	}
	var got []string
	for _, row := range pages(w, store.Page{Limit: 2, Ascending: true}, w.listAttempts(store.AttemptQuery{App: app.ID, Endpoint: ep.ID})) {
		got = append(got, row.URL)
		one, err := w.Attempt(w.ctx(), app.ID, row.Attempt.Message, row.ID)
		w.ok("attempt", err)
		same(w, "url", row.URL, one.URL)
	}
	same(w, "urls", want, got)
}

func (w *world) listDeliveries(q store.DeliveryQuery) func(store.Page) (store.Listed[store.DeliveryRow], error) {
	return func(p store.Page) (store.Listed[store.DeliveryRow], error) {
		q.Page = p
		return w.ListDeliveries(w.ctx(), q)
	}
}

// mixed writes messages for two endpoints and brings the first one's deliveries
// into different states.
func (w *world) mixed() (store.App, []delivery.Endpoint, store.Changes) {
	app, eps := w.app(2)
	var c store.Changes
	for i := range 9 {
		m := w.message(app.ID)
		m.Type = []string{"a", "b"}[i%2]
		if i%3 == 0 {
			m.Channels, m.Tags = []string{"x"}, []string{"t"}
		}
		c.Messages = append(c.Messages, m)
		for _, ep := range eps {
			c.Deliveries = append(c.Deliveries, pending(m, ep.ID, w.now.Add(time.Duration(i)*time.Second)))
		}
	}
	w.write(c)
	rows := w.claim(eps[0].ID, w.now.Add(5*time.Second), 5).Rows // 0..4 are leased
	failed := w.retry(rows[1], w.now)
	failed.Next.State, failed.Next.Reason = delivery.Failed, delivery.Exhausted
	w.write(store.Changes{Completed: []store.Completion{w.succeed(rows[0]), failed}})
	return app, eps, c
}

func testDeliveryList(w *world) {
	app, eps, c := w.mixed()
	messages := byID(c.Messages)
	var keys []delivery.Key
	for _, m := range c.Messages {
		keys = append(keys, delivery.Key{Message: m.ID, Endpoint: eps[0].ID})
	}
	all := w.load(keys...)
	for _, q := range []store.DeliveryQuery{
		{},
		{States: []delivery.State{delivery.Leased}},
		{States: []delivery.State{delivery.Pending}},
		{States: []delivery.State{delivery.Failed, delivery.Succeeded}},
		{States: []delivery.State{}},
		{EventTypes: []string{"a"}},
		{Channel: "x"},
		{Tag: "t", States: []delivery.State{delivery.Pending}},
		{Since: c.Messages[1].ID, Until: c.Messages[4].ID},
	} {
		var want []delivery.Delivery
		for _, d := range all {
			m := messages[d.Message]
			if (q.States == nil || slices.Contains(q.States, d.State)) && (q.EventTypes == nil || slices.Contains(q.EventTypes, m.Type)) &&
				(q.Channel == "" || slices.Contains(m.Channels, q.Channel)) && (q.Tag == "" || slices.Contains(m.Tags, q.Tag)) &&
				(q.Since == 0 || d.Message >= q.Since) && (q.Until == 0 || d.Message < q.Until) {
				want = append(want, d)
			}
		}
		q.App, q.Endpoint, q.Content = app.ID, eps[0].ID, true
		for _, ascending := range []bool{true, false} {
			var got []delivery.Delivery
			for _, row := range pages(w, store.Page{Limit: 2, Ascending: ascending}, w.listDeliveries(q)) {
				got = append(got, settled(row.Delivery))
				m := messages[row.Delivery.Message]
				same(w, "message", &m, row.Message)
			}
			if !ascending {
				slices.Reverse(got)
			}
			same(w, fmt.Sprintf("deliveries, %+v", q), want, got)
		}
		q.App++
		same(w, "deliveries of another app", 0, len(pages(w, store.Page{Limit: 3}, w.listDeliveries(q))))
	}
	ofMessage := store.DeliveryQuery{App: app.ID, Message: c.Messages[2].ID}
	var got []delivery.Delivery
	for _, row := range pages(w, store.Page{Limit: 1, Ascending: true}, w.listDeliveries(ofMessage)) {
		got = append(got, settled(row.Delivery))
	}
	same(w, "deliveries of a message", w.load(
		delivery.Key{Message: c.Messages[2].ID, Endpoint: eps[0].ID}, delivery.Key{Message: c.Messages[2].ID, Endpoint: eps[1].ID}), got)
}

func testCount(w *world) {
	app, eps, c := w.mixed()
	count := func(endpoint, since, until id.ID) store.Counts {
		w.Helper()
		got, err := w.CountDeliveries(w.ctx(), app.ID, endpoint, since, until)
		w.ok("count", err)
		return got
	}
	same(w, "counts", store.Counts{delivery.Succeeded: 1, delivery.Failed: 1, delivery.Leased: 3, delivery.Pending: 4}, count(eps[0].ID, 0, 0))
	same(w, "counts of the other", store.Counts{delivery.Pending: 9}, count(eps[1].ID, 0, 0))
	same(w, "counts within bounds", store.Counts{delivery.Failed: 1, delivery.Leased: 1}, count(eps[0].ID, c.Messages[1].ID, c.Messages[3].ID))
	got, err := w.CountDeliveries(w.ctx(), app.ID+1, eps[0].ID, 0, 0)
	w.ok("count", err)
	same(w, "counts of another app", store.Counts{}, got)
}

func testDeliveriesOf(w *world) {
	_, eps, c := w.mixed()
	walk := func(after, until id.ID, limit int, states ...delivery.State) (messages []id.ID) {
		w.Helper()
		for range 100 {
			rows, scanned, err := w.DeliveriesOf(w.ctx(), eps[0].ID, after, until, states, limit)
			w.ok("deliveries of", err)
			if len(rows) > limit {
				w.Errorf("%d rows, %d were asked for", len(rows), limit)
			}
			for _, d := range rows {
				messages = append(messages, d.Message)
			}
			if after = scanned; scanned == 0 {
				return messages
			}
		}
		w.Fatal("the walk does not end")
		return nil
	}
	m := messageIDs(c.Messages)
	for _, limit := range []int{1, 2, 100} {
		same(w, "leased", m[2:5], walk(0, 0, limit, delivery.Leased))
		same(w, "unfinished", m[2:], walk(0, 0, limit, delivery.Pending, delivery.Leased, delivery.Waiting))
		same(w, "failed", m[1:2], walk(0, 0, limit, delivery.Failed))
		same(w, "between", m[3:6], walk(m[2], m[6], limit, delivery.Pending, delivery.Leased))
	}
}
