package restapi

import (
	"slices"
	"strings"
	"time"

	"github.com/callboard/callboard/internal/id"
	"github.com/callboard/callboard/internal/store"
)

// PageIn are the parameters of every list. An iterator is the external id of the
// last row that was looked at; with a leading "-" the list goes back from there,
// which is how Svix's prevIterator looks.
type PageIn struct {
	Limit    int    `query:"limit" default:"50" minimum:"1" maximum:"250" doc:"How many items to give at most."`
	Iterator string `query:"iterator" doc:"Where to go on: iterator or prevIterator of an earlier answer."`
}

// OrderIn adds the order to lists that may go both ways.
type OrderIn struct {
	Order string `query:"order" enum:"ascending,descending" doc:"The order of the items."`
}

// TimesIn bound a list in time.
type TimesIn struct {
	Before time.Time `query:"before" doc:"Only items created before this time (RFC 3339)."`
	After  time.Time `query:"after" doc:"Only items created after this time (RFC 3339)."`
}

// bounds turns times into ids: since inclusive, until exclusive, 0 = none. Ids
// have milliseconds, as have the timestamps that clients see.
func (t TimesIn) bounds() (since, until id.ID) {
	if !t.After.IsZero() {
		since = id.AtTime(t.After.Truncate(time.Millisecond).Add(time.Millisecond))
	}
	if !t.Before.IsZero() {
		until = max(1, id.AtTime(t.Before.Add(time.Millisecond-1).Truncate(time.Millisecond)))
	}
	return since, until
}

// Page is one page of a list.
type Page[T any] struct {
	Data         []T     `json:"data" nullable:"false" doc:"The items."`
	Iterator     *string `json:"iterator" doc:"Where the next page begins; null if there is nothing to go on from."`
	PrevIterator *string `json:"prevIterator" doc:"Where the page before this one begins."`
	Done         bool    `json:"done" doc:"Whether this was the last page in its direction."`
}

// cursor is a list's parameters, understood.
type cursor struct {
	store.Page
	codec *id.Codec
	kind  id.Kind
	back  bool
}

// cursor reads the parameters of a list of things of a kind. ascending is the
// list's order when it goes forward.
func (a *api) cursor(in PageIn, kind id.Kind, ascending bool) (cursor, error) {
	cur := cursor{codec: a.Codec, kind: kind}
	text, back := strings.CutPrefix(in.Iterator, "-")
	cur.back = back
	cur.Page = store.Page{Limit: in.Limit, Ascending: ascending != back}
	if text == "" {
		if back {
			return cur, errIterator()
		}
		return cur, nil
	}
	after, ok := a.Codec.Decode(kind, text)
	if !ok {
		return cur, errIterator()
	}
	cur.After = after
	return cur, nil
}

// errIterator is the 422 for an iterator of another list, a forged one, or none.
func errIterator() error {
	return invalid("is no iterator of this list", "query", "iterator")
}

// ascending is the order that was asked for, or the list's own.
func (o OrderIn) ascending(def bool) bool {
	if o.Order == "" {
		return def
	}
	return o.Order == "ascending"
}

// list renders rows that were found with a cursor. show may leave rows out.
func list[R, T any](cur cursor, rows store.Listed[R], rowID func(*R) id.ID, show func(*R) (T, bool)) Page[T] {
	page := Page[T]{Data: make([]T, 0, len(rows.Rows)), Done: rows.Done}
	if cur.back {
		slices.Reverse(rows.Rows)
	}
	for i := range rows.Rows {
		if out, ok := show(&rows.Rows[i]); ok {
			page.Data = append(page.Data, out)
		}
	}
	var first, last id.ID
	if n := len(rows.Rows); n > 0 {
		first, last = rowID(&rows.Rows[0]), rowID(&rows.Rows[n-1])
	}
	// A page that ended early goes on from the last row that was looked at, which a
	// filter has dropped. At the end that does not matter.
	switch {
	case rows.Done || rows.Next == 0:
	case cur.back:
		first = rows.Next
	default:
		last = rows.Next
	}
	if last != 0 {
		text := cur.codec.Encode(cur.kind, last)
		page.Iterator = &text
	}
	if first != 0 {
		text := "-" + cur.codec.Encode(cur.kind, first)
		page.PrevIterator = &text
	}
	return page
}

// all shows every row.
func all[R, T any](show func(*R) T) func(*R) (T, bool) {
	return func(r *R) (T, bool) { return show(r), true }
}
