package commit_test

import (
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/callboard/callboard/internal/commit"
	"github.com/callboard/callboard/internal/delivery"
	"github.com/callboard/callboard/internal/dialect"
	"github.com/callboard/callboard/internal/dialect/native"
	"github.com/callboard/callboard/internal/errs"
	"github.com/callboard/callboard/internal/id"
	"github.com/callboard/callboard/internal/ingest"
	"github.com/callboard/callboard/internal/live"
	"github.com/callboard/callboard/internal/netguard"
	"github.com/callboard/callboard/internal/store"
	"github.com/callboard/callboard/internal/store/sqlite"
	"github.com/callboard/callboard/internal/testenv"
	"github.com/google/go-cmp/cmp"
	_ "modernc.org/sqlite"
	"pgregory.net/rapid"
)

const testOrg = "org_000000000000000000000000001"

// step is one random request; its numbers pick among the few apps, endpoints and
// keys of the test, so that requests meet.
type step struct {
	kind     string
	app, sub int
	key      int // Idempotency-Key; 0 = none
	event    int // eventId; 0 = none
	flag     bool
}

var steps = rapid.SliceOfN(rapid.Custom(func(t *rapid.T) step {
	return step{
		kind:  rapid.SampledFrom([]string{"post", "post", "post", "endpoint", "disable", "delete", "rename", "type", "complete", "requeue", "object", "object", "drop", "sweep", "source", "receive"}).Draw(t, "kind"),
		app:   rapid.IntRange(0, 2).Draw(t, "app"),
		sub:   rapid.IntRange(0, 3).Draw(t, "sub"),
		key:   rapid.IntRange(0, 4).Draw(t, "key"),
		event: rapid.IntRange(0, 4).Draw(t, "event"),
		flag:  rapid.Bool().Draw(t, "flag"),
	}
}), 1, 60)

// TestBatchesGiveTheSameRows runs the same random requests in transactions of 1,
// 16 and 128: the database must not tell them apart, and neither must the answers.
func TestBatchesGiveTheSameRows(t *testing.T) {
	dir := t.TempDir()
	var n atomic.Int64
	rapid.Check(t, func(rt *rapid.T) {
		script := steps.Draw(rt, "steps")
		var want string
		for _, size := range []int{1, 16, 128} {
			path := filepath.Join(dir, fmt.Sprintf("%d.db", n.Add(1)))
			got := play(t, path, size, script)
			if want == "" {
				want = got
				continue
			}
			if diff := cmp.Diff(want, got); diff != "" {
				rt.Fatalf("transactions of 1 and of %d units differ (-1 +%d):\n%s", size, size, diff)
			}
		}
	})
}

// play runs a script in transactions of up to size units, and gives the answers
// and the database as text.
func play(t *testing.T, path string, size int, script []step) string {
	var answers strings.Builder
	synctest.Test(t, func(t *testing.T) {
		testenv.Advance(time.Until(time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)))
		ctx := context.Background()
		db, err := sqlite.Open(ctx, sqlite.Config{Path: path, Synchronous: sqlite.Normal})
		if err != nil {
			t.Fatal(err)
		}
		p := &player{ctx: ctx}
		committer := p.committer(t, db, 128)
		stop := run(committer)
		p.setUp(t)
		stop()
		// The script is queued whole before a committer of the wanted size begins.
		committer = p.committer(t, db, size)
		results := make([]chan string, len(script))
		for i, s := range script {
			results[i] = make(chan string, 1)
			go func() { results[i] <- p.do(s) }()
			synctest.Wait()
		}
		stop = run(committer)
		for i, r := range results {
			fmt.Fprintf(&answers, "%d: %s\n", i, <-r)
		}
		stop()
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
	})
	return answers.String() + dump(t, path)
}

// run starts a committer; the result ends it and waits.
func run(c *commit.Committer) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		_ = c.Run(ctx)
		close(ended)
	}()
	return func() {
		cancel()
		<-ended
	}
}

// player turns steps into requests.
type player struct {
	ctx       context.Context
	submitter *commit.Committer
	service   *ingest.Service
	apps      []id.ID
	endpoints [][]id.ID
	first     []id.ID // a message of each app
	sources   []id.ID // a source of each app
}

func (p *player) committer(t *testing.T, db *sqlite.Store, size int) *commit.Committer {
	c, err := commit.New(p.ctx, commit.Config{Store: db, MaxUnits: size, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	p.submitter = c
	p.service, err = ingest.New(ingest.Config{
		Submitter: c, Store: db, Dialects: dialect.NewSet(native.Dialect{}), Guard: netguard.New(netguard.Policy{}),
	})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func (p *player) ref(app int) ingest.AppRef {
	return ingest.AppRef{Org: testOrg, Ref: store.Ref{ID: p.apps[app]}}
}

func newEndpoint(uid string) delivery.Endpoint {
	return delivery.Endpoint{
		UID: uid, URL: "https://example.com/",
		Secrets: []delivery.Secret{{Value: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}},
	}
}

// setUp makes three apps with two endpoints and a message each.
func (p *player) setUp(t *testing.T) {
	for range 3 {
		app, err := p.service.CreateApp(p.ctx, testOrg, ingest.Key{}, store.App{Name: "a"}, false)
		if err != nil {
			t.Fatal(err)
		}
		p.apps = append(p.apps, app.ID)
		var eps []id.ID
		for range 2 {
			ep, err := p.service.CreateEndpoint(p.ctx, p.ref(len(p.apps)-1), ingest.Key{}, newEndpoint(""))
			if err != nil {
				t.Fatal(err)
			}
			eps = append(eps, ep.ID)
		}
		p.endpoints = append(p.endpoints, eps)
		m, err := p.service.PostMessage(p.ctx, p.ref(len(p.apps)-1), ingest.Key{}, ingest.Message{EventType: "a.b", Payload: []byte(`{}`)})
		if err != nil {
			t.Fatal(err)
		}
		p.first = append(p.first, m.ID)
		source, err := p.submitter.Submit(p.ctx, &commit.Unit{Decide: func(v *commit.View) (id.ID, error) {
			s := store.Source{ID: v.NextID(), App: app.ID, Org: testOrg, Dialect: "zuddl", CreatedAt: v.Now()}
			v.PutSource(s)
			return s.ID, nil
		}})
		if err != nil {
			t.Fatal(err)
		}
		p.sources = append(p.sources, source.ID)
	}
}

// do makes one request and tells what came of it.
func (p *player) do(s step) string {
	var r ingest.Result
	var err error
	key := ingest.Key{}
	if s.key != 0 {
		key = ingest.Key{Scope: s.kind, Value: fmt.Sprint(s.key), Body: fmt.Append(nil, s.flag)}
	}
	endpoint := store.Ref{ID: p.endpoints[s.app][s.sub%2]}
	switch s.kind {
	case "post":
		m := ingest.Message{EventType: "a.b", Payload: fmt.Appendf(nil, `{"n":%d}`, s.sub)}
		if s.event != 0 {
			m.EventID = fmt.Sprint(s.event)
		}
		r, err = p.service.PostMessage(p.ctx, p.ref(s.app), key, m)
	case "endpoint":
		r, err = p.service.CreateEndpoint(p.ctx, p.ref(s.app), key, newEndpoint(fmt.Sprintf("uid%d", s.sub)))
	case "disable":
		r, err = p.service.UpdateEndpoint(p.ctx, p.ref(s.app), endpoint, false, func(ep *delivery.Endpoint) error {
			ep.Disabled = s.flag
			return nil
		})
	case "delete":
		err = p.service.DeleteEndpoint(p.ctx, p.ref(s.app), endpoint)
	case "rename":
		r, err = p.service.UpdateApp(p.ctx, p.ref(s.app), false, func(a *store.App) error {
			a.Name = fmt.Sprint(s.sub)
			return nil
		})
	case "type":
		r, err = p.service.CreateEventType(p.ctx, key, store.EventType{Org: testOrg, Name: fmt.Sprintf("t%d", s.sub)})
	case "complete":
		r.ID, err = p.complete(s)
	case "requeue":
		r.ID, err = p.requeue(s)
	case "source", "receive":
		r.ID, err = p.receive(s)
	case "object", "drop", "sweep":
		r.ID, err = p.object(s)
	}
	return fmt.Sprintf("%s %d existed=%v replayed=%v %v", s.kind, r.ID, r.Existed, r.Replayed, err)
}

// complete ends a delivery of the set-up, successfully or not.
func (p *player) complete(s step) (id.ID, error) {
	k := delivery.Key{Message: p.first[s.app], Endpoint: p.endpoints[s.app][s.sub%2]}
	r, err := p.submitter.Submit(p.ctx, &commit.Unit{
		Keys: commit.Keys{Deliveries: []delivery.Key{k}, Healths: []id.ID{k.Endpoint}},
		Decide: func(v *commit.View) (id.ID, error) {
			d, _ := v.Delivery(k)
			health, _ := v.Health(k.Endpoint)
			if s.flag {
				v.ClearHealth(k.Endpoint)
			} else {
				v.PutHealth(health.Failed(k.Endpoint, k.Message, v.Now()))
			}
			v.Finish(store.Finish{Key: k, State: delivery.Failed, Reason: delivery.Aborted})
			return id.ID(d.Generation), nil
		},
	})
	return r.ID, err
}

// requeue makes a delivery of the set-up pending again.
func (p *player) requeue(s step) (id.ID, error) {
	k := delivery.Key{Message: p.first[s.app], Endpoint: p.endpoints[s.app][s.sub%2]}
	r, err := p.submitter.Submit(p.ctx, &commit.Unit{
		Keys: commit.Keys{Deliveries: []delivery.Key{k}},
		Decide: func(v *commit.View) (id.ID, error) {
			d, _ := v.Delivery(k)
			v.Requeue(store.Requeue{Key: k, At: v.Now(), Trigger: delivery.Manual})
			return id.ID(d.Generation), nil
		},
	})
	return r.ID, err
}

// receive changes a source or deletes it, or writes what came in at it.
func (p *player) receive(s step) (id.ID, error) {
	k := p.sources[s.app]
	r, err := p.submitter.Submit(p.ctx, &commit.Unit{Keys: commit.Keys{Sources: []id.ID{k}}, Decide: func(v *commit.View) (id.ID, error) {
		source, there := v.Source(k)
		if !there {
			return 0, errs.Missing()
		}
		if s.kind == "source" {
			source.Deleted = s.flag && s.sub == 0
			source.Description += fmt.Sprint(s.sub)
			v.PutSource(source)
			return k, nil
		}
		in := store.Received{ID: v.NextID(), App: source.App, Source: k, Status: store.Accepted, Doc: []byte(source.Description)}
		if s.flag {
			in.Status = store.Refused
			v.TrimReceived(k)
		} else {
			in.Message = v.NextID()
			v.AddMessage(store.Message{ID: in.Message, App: source.App, Type: "a.b", Payload: []byte(`{}`), From: source.Dialect, Raw: []byte("{ }")})
		}
		v.AddReceived(in)
		return in.ID, nil
	}})
	return r.ID, err
}

// object changes live state by what is there: it counts, with a look at a row beside
// it, it drops, or it sweeps up some rows of a range.
func (p *player) object(s step) (id.ID, error) {
	k := live.Key{App: p.apps[s.app], Kind: live.Presence, Parent: fmt.Sprint(s.key % 2), ID: string(rune('a' + s.sub))}
	beside := live.Key{App: k.App, Kind: live.Event, ID: "e"}
	r := live.Range{App: k.App, Kind: k.Kind, Parent: k.Parent, After: []string{"", "a"}[s.event%2], Limit: 2}
	keys := commit.Keys{Objects: []live.Key{k, beside}}
	if s.kind == "sweep" {
		keys = commit.Keys{Objects: []live.Key{beside}, Ranges: []live.Range{r}}
	}
	result, err := p.submitter.Submit(p.ctx, &commit.Unit{Keys: keys, Decide: func(v *commit.View) (id.ID, error) {
		total, _ := v.Object(beside)
		total.Key = beside
		switch s.kind {
		case "object":
			row, there := v.Object(k)
			if s.flag && there {
				return 0, errs.Missing()
			}
			row.Key, row.Due = k, v.Now().Add(time.Duration(s.event)*time.Minute+time.Nanosecond)
			row.State = fmt.Appendf(row.State, "%d", len(total.State))
			v.PutObject(row)
		case "drop":
			v.DropObject(k)
		case "sweep":
			for _, row := range v.Range(r) {
				total.State = fmt.Appendf(total.State, "%s=%s;", row.ID, row.State)
				if s.flag {
					v.DropObject(row.Key)
				}
			}
		}
		return v.PutObject(total).Seq, nil
	}})
	return result.ID, err
}

// dump gives all rows of a database as text, but for the random id key.
func dump(t *testing.T, path string) string {
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var out strings.Builder
	for _, table := range []string{"app", "endpoint", "endpoint_url", "endpoint_health", "event_type", "message", "delivery", "attempt", "seen", "task", "object", "source", "received"} {
		dumpTable(t, db, table, &out)
	}
	return out.String()
}

func dumpTable(t *testing.T, db *sql.DB, table string, out *strings.Builder) {
	order := "1, 2, 3"
	if table == "object" {
		order = "1, 2, 3, 4"
	}
	rows, err := db.Query("SELECT * FROM " + table + " ORDER BY " + order)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	for rows.Next() {
		values := make([]any, len(columns))
		for i := range values {
			values[i] = new(any)
		}
		if err := rows.Scan(values...); err != nil {
			t.Fatal(err)
		}
		out.WriteString(table)
		for i, v := range values {
			fmt.Fprintf(out, " %s=%v", columns[i], *v.(*any))
		}
		out.WriteByte('\n')
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
}
