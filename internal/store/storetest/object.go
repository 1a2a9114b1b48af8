package storetest

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/callboard/callboard/internal/commit"
	"github.com/callboard/callboard/internal/id"
	"github.com/callboard/callboard/internal/live"
	"github.com/callboard/callboard/internal/store"
)

// object makes a new row that is a resource and never due.
func (w *world) object(app id.ID, kind live.Kind, parent, name string) live.Row {
	row := live.Row{Key: live.Key{App: app, Kind: kind, Parent: parent, ID: name}, Seq: w.next()}
	row.Doc, row.CreatedAt, row.UpdatedAt = fmt.Appendf(nil, `{"id":%q}`, name), w.now, w.now
	return row
}

// put writes rows as the committer does: it reads them before.
func (w *world) put(rows ...live.Row) {
	w.Helper()
	w.update(func(tx commit.Tx) error {
		if _, err := tx.Objects(w.ctx(), objectKeys(rows)); err != nil {
			return err
		}
		return tx.Apply(w.ctx(), &store.Changes{Objects: rows})
	})
}

func objectKeys(rows []live.Row) []live.Key {
	keys := make([]live.Key, len(rows))
	for i := range rows {
		keys[i] = rows[i].Key
	}
	return keys
}

// byKey sorts rows by their keys.
func byKey(rows []live.Row) []live.Row {
	rows = slices.Clone(rows)
	slices.SortFunc(rows, func(a, b live.Row) int { return a.Compare(b.Key) })
	return rows
}

// loadObjects reads rows inside a transaction, in the order of their keys.
func (w *world) loadObjects(keys ...live.Key) (rows []live.Row) {
	w.Helper()
	w.update(func(tx commit.Tx) (err error) {
		rows, err = tx.Objects(w.ctx(), keys)
		return err
	})
	return byKey(rows)
}

// hold fails the test unless exactly these of the keys are there.
func (w *world) hold(want []live.Row, keys ...live.Key) {
	w.Helper()
	want = byKey(want)
	same(w, "objects in a transaction", want, w.loadObjects(keys...))
	var got []live.Row
	for _, k := range keys {
		row, err := w.Object(w.ctx(), k)
		if errors.Is(err, store.ErrNotFound) {
			continue
		}
		w.ok("object", err)
		got = append(got, row)
	}
	same(w, "objects", want, byKey(got))
}

func testObjectRoundTrip(w *world) {
	plain := w.object(7, live.Event, "", "e1")
	bare := w.object(7, live.Presence, "e1", "r1/s1")
	bare.Doc = nil
	empty := w.object(7, live.Session, "e1", "s1")
	empty.Doc, empty.State = []byte{}, []byte{}
	full := w.object(7, live.Conference, "", "c1")
	full.Doc, full.State = []byte("{\"text\":\"\xc3\xbc\x00\xff\"}"), make([]byte, 20_000)
	full.Due, full.UpdatedAt = w.now.Add(time.Microsecond), w.now.Add(time.Hour)
	due := func(name string, at time.Time) live.Row {
		row := w.object(7, live.File, "h", name)
		row.Due = at
		return row
	}
	org := w.object(0, live.EventNumber, "org_1", "4001")
	rows := []live.Row{
		plain, bare, empty, full, org,
		due("epoch", time.UnixMicro(0).UTC()), // a time like any other, and not never
		due("before", time.Date(1899, 12, 31, 23, 59, 59, 999999000, time.UTC)),
		due("far", time.Date(9999, 12, 31, 23, 59, 59, 999999000, time.UTC)),
	}
	keys := objectKeys(rows)
	w.hold(nil, keys...)
	w.put(rows...)
	w.hold(rows, keys...)
	w.reopen()
	w.hold(rows, keys...)
	w.hold(rows[:1], keys[0], live.Key{App: 7, Kind: live.Event, ID: "e2"}) // absent ones are left out
	w.hold(nil)
}

// testObjectKeys has keys that differ in little.
func testObjectKeys(w *world) {
	var rows []live.Row
	for _, app := range []id.ID{0, 7, 8} {
		for _, kind := range []live.Kind{live.Event, live.Session, live.Counter} {
			for _, parent := range []string{"", "e", "E", "e1"} {
				for _, name := range []string{"a", "A", "1", "01", "a.b-c_d~e:f/g@h i+j|k%l", "é", "e\u0301", "日本", "\U0001f600", "'\"\\;--"} {
					rows = append(rows, w.object(app, kind, parent, name))
				}
			}
		}
	}
	w.put(rows...)
	w.hold(rows, objectKeys(rows)...)
	keys := objectKeys(rows)
	w.write(store.Changes{ErasedObjects: keys[:1]})
	w.hold(rows[1:], keys...)
}

func testObjectUpsert(w *world) {
	one, two := w.object(7, live.Contact, "", "1"), w.object(7, live.Contact, "", "2")
	w.put(one, two)
	changed := one
	changed.Doc, changed.State, changed.Due, changed.UpdatedAt = nil, []byte(`{"n":1}`), w.now.Add(time.Hour), w.now.Add(time.Second)
	three := w.object(7, live.Contact, "", "3")
	w.put(changed, three)
	keys := []live.Key{one.Key, two.Key, three.Key}
	w.hold([]live.Row{changed, two, three}, keys...)
	changed.Due, changed.State = time.Time{}, nil
	w.put(changed)
	w.hold([]live.Row{changed, two, three}, keys...)
	w.write(store.Changes{ErasedObjects: []live.Key{one.Key, three.Key, {App: 7, Kind: live.Contact, ID: "4"}}})
	w.hold([]live.Row{two}, keys...)
	again := w.object(7, live.Contact, "", "1")
	w.put(again)
	w.hold([]live.Row{again, two}, keys...)
	w.update(func(tx commit.Tx) error { // made and gone in transactions that see each other
		w.ok("apply", tx.Apply(w.ctx(), &store.Changes{Objects: []live.Row{three}}))
		rows, err := tx.Objects(w.ctx(), keys)
		w.ok("objects", err)
		same(w, "own writes", byKey([]live.Row{again, two, three}), byKey(rows))
		_, err = w.Object(w.ctx(), three.Key)
		w.absent("an object that is not committed", err)
		return tx.Apply(w.ctx(), &store.Changes{Objects: []live.Row{two}, ErasedObjects: []live.Key{three.Key, again.Key}})
	})
	w.hold([]live.Row{two}, keys...)
}

func testObjectRollback(w *world) {
	kept, erased, fresh := w.object(7, live.Event, "", "kept"), w.object(7, live.Event, "", "erased"), w.object(7, live.Event, "", "fresh")
	w.put(kept, erased)
	next := kept
	next.Doc, next.Due = []byte(`{}`), w.now
	fresh.Due = w.now
	err := w.Update(w.ctx(), func(tx commit.Tx) error {
		_, err := tx.Objects(w.ctx(), []live.Key{kept.Key, erased.Key, fresh.Key})
		w.ok("objects", err)
		w.ok("apply", tx.Apply(w.ctx(), &store.Changes{Objects: []live.Row{next, fresh}, ErasedObjects: []live.Key{erased.Key}}))
		return errOnPurpose
	})
	if !errors.Is(err, errOnPurpose) {
		w.Fatalf("update: %v", err)
	}
	keys := []live.Key{kept.Key, erased.Key, fresh.Key}
	w.hold([]live.Row{kept, erased}, keys...)
	same(w, "due", nil, w.due(w.now, 10))
	w.put(next, fresh) // nothing of it stands in the way
	w.hold([]live.Row{next, erased, fresh}, keys...)
}

// testObjectRange has ids whose order differs from byte to byte, by letters, by
// numbers and without case.
func testObjectRange(w *world) {
	names := []string{"Z", "a", "B", "z", "A", "10", "9", "-", "_", ".", "~", "a b", "ab", "a-b", "a.b", "a_b", "aa", "é", "e", "f", "日", "\U0001f600", "\uff5e", "Á", "á"}
	var rows []live.Row
	for _, name := range names {
		row := w.object(7, live.Presence, "e", name)
		row.Doc = nil
		rows = append(rows, row)
	}
	others := []live.Row{
		w.object(8, live.Presence, "e", "b"), w.object(7, live.Session, "e", "b"), w.object(7, live.Presence, "E", "b"), w.object(7, live.Presence, "e0", "b"),
	}
	w.put(append(slices.Clone(rows), others...)...)
	rows = byKey(rows)
	check := func(want []live.Row, r live.Range) {
		w.Helper()
		if len(want) == 0 {
			want = nil
		}
		got, err := w.ObjectRange(w.ctx(), r)
		w.ok("range", err)
		same(w, fmt.Sprintf("range after %q, at most %d", r.After, r.Limit), want, got)
		w.update(func(tx commit.Tx) error {
			got, err := tx.ObjectRange(w.ctx(), r)
			w.ok("range in a transaction", err)
			same(w, "range in a transaction", want, got)
			return tx.Apply(w.ctx(), &store.Changes{Objects: got}) // they are there, and may be written
		})
	}
	r := live.Range{App: 7, Kind: live.Presence, Parent: "e", Limit: 100}
	check(rows, r)
	for _, limit := range []int{0, 1, 4, len(rows), len(rows) + 1} {
		r.Limit, r.After = limit, ""
		for at := 0; at < len(rows) && limit > 0; at += limit {
			check(rows[at:min(len(rows), at+limit)], r)
			r.After = rows[min(len(rows), at+limit)-1].ID
		}
		check(nil, r)
	}
	check(rows[6:8], live.Range{App: 7, Kind: live.Presence, Parent: "e", After: rows[5].ID + "\x01", Limit: 2}) // no row has it
	check(others[2:3], live.Range{App: 7, Kind: live.Presence, Parent: "E", Limit: 100})
	check(nil, live.Range{App: 7, Kind: live.Presence, Limit: 100})
}

func testObjectList(w *world) {
	var want []live.Row
	var all []live.Row
	for i := range 23 {
		row := w.object(7, live.Session, []string{"e", "f"}[i%2], fmt.Sprint(100-i))
		if i%6 == 0 {
			row.Doc = nil // no resource
		} else if i%2 == 0 {
			want = append(want, row)
		}
		all = append(all, row)
	}
	all = append(all, w.object(8, live.Session, "e", "1"), w.object(7, live.Registration, "e", "1"))
	w.put(all...)
	list := func(p store.Page) (store.Listed[live.Row], error) { return w.Objects(w.ctx(), 7, live.Session, "e", p) }
	reversed := slices.Clone(want)
	slices.Reverse(reversed)
	for _, limit := range []int{1, 3, len(want), len(want) + 1} {
		same(w, "objects, ascending", want, pages(w, store.Page{Limit: limit, Ascending: true}, list))
		same(w, "objects, newest first", reversed, pages(w, store.Page{Limit: limit}, list))
	}
	first, err := list(store.Page{Limit: 2})
	w.ok("list", err)
	same(w, "where the next page begins", reversed[1].Seq, first.Next)
	none, err := w.Objects(w.ctx(), 7, live.Event, "", store.Page{Limit: 2})
	w.ok("list", err)
	same(w, "no objects", store.Listed[live.Row]{Done: true}, none)
	// A page goes on where it was, whatever came and went meanwhile.
	w.write(store.Changes{ErasedObjects: []live.Key{reversed[1].Key, reversed[3].Key}})
	w.put(w.object(7, live.Session, "e", "late"))
	next, err := list(store.Page{Limit: 2, After: first.Next})
	w.ok("list", err)
	same(w, "next page", []live.Row{reversed[2], reversed[4]}, next.Rows)
}

// testCountedObjects looks at each page of some lists, those beyond their end too.
func testCountedObjects(w *world) {
	var made, associated, all []live.Row
	for i := range 12 {
		row := w.object(7, live.Contact, "", fmt.Sprint("c", 30-i))
		if i%5 == 0 {
			row.Doc = nil // no resource
		} else {
			made = append(made, row)
		}
		all = append(all, row)
		if i%2 == 0 && row.Doc != nil {
			all, associated = append(all, w.association("e", "contact", row.ID)), append(associated, row)
		}
	}
	session, other, twin := w.object(7, live.Session, "e", "s"), w.object(8, live.Contact, "", "c2"), w.object(7, live.Sponsor, "", "c1")
	w.put(append(all, session, other, twin,
		w.association("e", "contact", "gone"), w.association("e", "contact", "c2"), w.association("e", "contacts", "x"),
		w.association("e", "contac", "x"), w.association("f", "contact", "c29"), w.association("e", "sponsor", "c1"))...)
	w.counted(made, store.ObjectQuery{App: 7, Kind: live.Contact})
	w.counted(byKey(associated), store.ObjectQuery{App: 7, Kind: live.Contact, Event: "e", Association: "contact!"})
	w.counted([]live.Row{session}, store.ObjectQuery{App: 7, Kind: live.Session, Parent: "e"})
	w.counted([]live.Row{twin}, store.ObjectQuery{App: 7, Kind: live.Sponsor, Event: "e", Association: "sponsor!"})
	w.counted(nil, store.ObjectQuery{App: 7, Kind: live.Session, Parent: "E"})
	w.counted(nil, store.ObjectQuery{App: 8, Kind: live.Contact, Event: "e", Association: "contact!"})
	w.counted(nil, store.ObjectQuery{App: 7, Kind: live.Exhibitor, Event: "e", Association: "exhibitor!"})
}

// association makes the row that stands for a contact's, exhibitor's or sponsor's part in
// an event.
func (w *world) association(event, noun, name string) live.Row {
	row := w.object(7, live.Association, event, live.AssociationID(noun, name))
	row.Doc = nil
	return row
}

// counted walks a list in pages of several sizes.
func (w *world) counted(want []live.Row, q store.ObjectQuery) {
	w.Helper()
	for _, q.Limit = range []int{1, 3, len(want) + 1} {
		for q.Offset = 0; q.Offset <= len(want)+q.Limit; q.Offset += q.Limit {
			rows, total, err := w.CountedObjects(w.ctx(), q)
			w.ok("counted objects", err)
			same(w, "how many there are", len(want), total)
			page := slices.Clone(want[min(q.Offset, len(want)):min(q.Offset+q.Limit, len(want))])
			same(w, fmt.Sprintf("%d rows from %d on", q.Limit, q.Offset), len(page), len(rows))
			if len(page) > 0 {
				same(w, "rows", page, rows)
			}
		}
	}
}

func (w *world) due(at time.Time, limit int) (keys []live.Key) {
	w.Helper()
	rows, err := w.DueObjects(w.ctx(), at, limit)
	w.ok("due objects", err)
	for _, row := range rows {
		keys = append(keys, row.Key)
	}
	return keys
}

func testDueObjects(w *world) {
	base := w.now
	var rows []live.Row
	for i, at := range []time.Duration{3, 1, 2, 1, 0, 1} { // microseconds; ties go by Seq
		row := w.object(id.ID(9-i), live.Event, "", fmt.Sprint(9-i))
		row.Due = base.Add(at * time.Microsecond)
		if i == 4 {
			row.Due = time.Time{}
		}
		rows = append(rows, row)
	}
	w.put(rows...)
	k := objectKeys(rows)
	same(w, "before any is due", nil, w.due(base, 10))
	same(w, "at their time", []live.Key{k[1], k[3], k[5]}, w.due(base.Add(time.Microsecond), 10))
	same(w, "all", []live.Key{k[1], k[3], k[5], k[2], k[0]}, w.due(base.Add(time.Hour), 10))
	same(w, "the first", []live.Key{k[1], k[3]}, w.due(base.Add(time.Hour), 2))
	rows[1].Due, rows[3].Due, rows[4].Due = base.Add(4*time.Microsecond), time.Time{}, time.UnixMicro(0).UTC()
	w.put(rows...)
	w.write(store.Changes{ErasedObjects: k[2:3]})
	same(w, "after changes", []live.Key{k[4], k[5], k[0], k[1]}, w.due(base.Add(time.Hour), 10))
	w.reopen()
	got, err := w.DueObjects(w.ctx(), base, 10)
	w.ok("due objects", err)
	same(w, "rows", rows[4:5], got)
}

func testAppObjects(w *world) {
	rows := []live.Row{w.object(7, live.Event, "", "b"), w.object(7, live.Session, "b", "A"), w.object(7, live.Session, "b", "a")}
	rows[2].Doc = nil
	w.put(rows[2], w.object(8, live.Event, "", "b"), rows[1], rows[0], w.object(0, live.Counter, "org_1", "event"))
	for limit, want := range map[int]int{2: 2, 3: 3, 9: 3} {
		got, err := w.AppObjects(w.ctx(), 7, limit)
		w.ok("app objects", err)
		same(w, "keys", objectKeys(rows[:want]), got)
	}
	got, err := w.AppObjects(w.ctx(), 9, 5)
	w.ok("app objects", err)
	same(w, "keys of an app without any", 0, len(got))
}

// testLastSeq: the Seq of an object is an id, which must not be given twice, whether or
// not its row is still there.
func testLastSeq(w *world) {
	last := func(what string, node int, want id.ID) {
		w.Helper()
		got, err := w.LastID(w.ctx(), node)
		w.ok("last id", err)
		same(w, what, want, got)
	}
	other, err := id.NewGenerator(3, 0)
	w.ok("generator", err)
	old, row := w.object(7, live.Event, "", "old"), w.object(7, live.Event, "", "new")
	foreign := w.object(7, live.Event, "", "foreign")
	foreign.Seq = other.Next(w.now.Add(time.Hour))
	err = w.Update(w.ctx(), func(tx commit.Tx) error {
		w.ok("apply", tx.Apply(w.ctx(), &store.Changes{Objects: []live.Row{old, row}}))
		return errOnPurpose
	})
	if !errors.Is(err, errOnPurpose) {
		w.Fatalf("update: %v", err)
	}
	w.put(old)
	last("after a new object", 0, old.Seq)
	w.put(row, foreign)
	last("after another one", 0, row.Seq)
	last("of another node", 3, foreign.Seq)
	w.put(old)
	last("after an old object was written over", 0, row.Seq)
	w.write(store.Changes{ErasedObjects: []live.Key{row.Key}})
	w.reopen()
	last("after its row went", 0, row.Seq)
	w.put(w.object(7, live.Event, "", "old"))
	w.reopen()
	if got, err := w.LastID(w.ctx(), 0); err != nil || got <= row.Seq {
		w.Errorf("after an object got another Seq the last id is %d (%v), want more than %d", got, err, row.Seq)
	}
}

// testObjectTwins makes the same row in two processes at once: both get done, one
// after the other, and the second finds what the first has made.
func testObjectTwins(w *world) {
	rows := []live.Row{w.object(7, live.Event, "", "twin"), w.object(7, live.Event, "", "twin")}
	side := []live.Row{w.object(7, live.Session, "", "a"), w.object(7, live.Session, "", "b")}
	for i := range rows {
		rows[i].State = fmt.Append(nil, i)
	}
	stores := []Store{w.Store, w.second()}
	var both, group sync.WaitGroup
	both.Add(len(stores))
	for i, s := range stores {
		group.Go(func() {
			err := commit.ErrConflict
			for try := 0; try < 5 && errors.Is(err, commit.ErrConflict); try++ {
				err = s.Update(w.ctx(), func(tx commit.Tx) error {
					found, err := tx.Objects(w.ctx(), []live.Key{rows[i].Key})
					if try == 0 {
						both.Done()
						both.Wait()
					}
					if err != nil {
						return err
					}
					mine := rows[i]
					for _, row := range found {
						mine.Seq, mine.State = row.Seq, append(row.State, mine.State...)
					}
					return tx.Apply(w.ctx(), &store.Changes{Objects: []live.Row{mine, side[i]}})
				})
			}
			if err != nil {
				w.Errorf("update %d: %v", i, err)
			}
		})
	}
	group.Wait()
	got, err := w.Object(w.ctx(), rows[0].Key)
	w.ok("object", err)
	if text := string(got.State); text != "01" && text != "10" {
		w.Errorf("the state is %q: one of the two has not seen the other", text)
	}
	w.hold(side, objectKeys(side)...)
}

// testObjectStays changes a row in one process while another decides about it.
func testObjectStays(w *world) {
	row := w.object(7, live.Event, "", "e")
	w.put(row)
	for name, read := range map[string]func(commit.Tx) ([]live.Row, error){
		"row": func(tx commit.Tx) ([]live.Row, error) { return tx.Objects(w.ctx(), []live.Key{row.Key}) },
		"range": func(tx commit.Tx) ([]live.Row, error) {
			return tx.ObjectRange(w.ctx(), live.Range{App: 7, Kind: live.Event, Limit: 5})
		},
	} {
		count := func(tx commit.Tx) error {
			found, err := read(tx)
			if err != nil {
				return err
			}
			found[0].State = append(slices.Clone(found[0].State), 'x')
			return tx.Apply(w.ctx(), &store.Changes{Objects: found})
		}
		w.excludes(count, count)
		got, err := w.Object(w.ctx(), row.Key)
		w.ok("object", err)
		same(w, "state after the "+name, string(row.State)+"xx", string(got.State))
		row = got
	}
}

// testObjectGoes erases a row in one process while another waits for it: that one
// finds it absent, and the row behind it in its place.
func testObjectGoes(w *world) {
	rows := []live.Row{w.object(7, live.Event, "", "a"), w.object(7, live.Event, "", "b"), w.object(7, live.Event, "", "c")}
	w.put(rows...)
	w.excludes(func(tx commit.Tx) error {
		_, err := tx.Objects(w.ctx(), []live.Key{rows[0].Key})
		w.ok("objects", err)
		return tx.Apply(w.ctx(), &store.Changes{ErasedObjects: []live.Key{rows[0].Key}})
	}, func(tx commit.Tx) error {
		found, err := tx.ObjectRange(w.ctx(), live.Range{App: 7, Kind: live.Event, Limit: 2})
		if err != nil {
			return err
		}
		same(w, "range that the second sees", rows[1:], found)
		again := rows[0]
		again.Seq = rows[2].Seq + 1
		return tx.Apply(w.ctx(), &store.Changes{Objects: []live.Row{again}})
	})
	got, err := w.Object(w.ctx(), rows[0].Key)
	w.ok("object", err)
	same(w, "Seq of the row that came back", rows[2].Seq+1, got.Seq)
}

// testObjectLocks changes the same rows in two processes, named in any order: nobody
// waits for one who waits for him.
func testObjectLocks(w *world) {
	const rounds, rows = 60, 12
	var all []live.Row
	for i := range rows {
		all = append(all, w.object(id.ID(7+i%2), live.Kind(1+i%3), []string{"", "e", "E"}[i%3], fmt.Sprint(i)))
	}
	w.put(all...)
	keys := objectKeys(all)
	backwards := slices.Clone(keys)
	slices.Reverse(backwards)
	var group sync.WaitGroup
	for i, s := range []Store{w.Store, w.second()} {
		order := [][]live.Key{keys, backwards}[i]
		group.Go(func() {
			for range rounds {
				err := s.Update(w.ctx(), func(tx commit.Tx) error {
					found, err := tx.Objects(w.ctx(), order)
					for j := range found {
						found[j].State = append(found[j].State, 'x')
					}
					if err != nil {
						return err
					}
					return tx.Apply(w.ctx(), &store.Changes{Objects: found})
				})
				if err != nil {
					w.Errorf("update: %v", err)
				}
			}
		})
	}
	group.Wait()
	for _, row := range w.loadObjects(keys...) {
		same(w, "times a row was changed", 2*rounds, len(row.State))
	}
}
