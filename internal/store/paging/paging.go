// Package paging holds how a list becomes pages, which is the same for all drivers
// of the store: bounds, the place to go on from, filters. It talks to no database.
package paging

import (
	"math"
	"slices"

	"github.com/callboard/callboard/internal/delivery"
	"github.com/callboard/callboard/internal/id"
	"github.com/callboard/callboard/internal/store"
	"github.com/callboard/callboard/internal/store/document"
)

// MaxScan is how many rows a list looks at for one page. A filter that matches
// less ends its page early, with the place to go on from, so that no query holds
// the database or the caller up.
const MaxScan = 5000

// Bounds are what a list's order and limits come to in SQL: id > Low AND id <
// High in the direction of Order.
type Bounds struct {
	Low, High int64  // exclusive
	Order     string // "" or " DESC"
}

// Within turns a page and bounds of ids (since inclusive, until exclusive, 0 =
// none) into Bounds.
func Within(p store.Page, since, until id.ID) Bounds {
	b := Bounds{Low: math.MinInt64, High: math.MaxInt64, Order: " DESC"}
	if since != 0 {
		b.Low = int64(since) - 1
	}
	if until != 0 {
		b.High = int64(until)
	}
	if p.Ascending {
		b.Order = ""
		if p.After != 0 {
			b.Low = max(b.Low, int64(p.After))
		}
	} else if p.After != 0 {
		b.High = min(b.High, int64(p.After))
	}
	return b
}

// After narrows bounds to what follows an id in their direction.
func (b Bounds) After(at id.ID) Bounds {
	if b.Order == "" {
		b.Low = int64(at)
	} else {
		b.High = int64(at)
	}
	return b
}

// Including widens bounds by an id from which on they begin.
func (b Bounds) Including(at id.ID) Bounds {
	if b.Order == "" {
		b.Low = int64(at) - 1
	} else {
		b.High = int64(at) + 1
	}
	return b
}

// Page collects the rows of one page while a query walks.
type Page[T any] struct {
	store.Listed[T]
	limit   int
	scanned int
}

// NewPage begins a page.
func NewPage[T any](p store.Page) *Page[T] {
	return &Page[T]{limit: max(1, p.Limit), Listed: store.Listed[T]{Done: true}}
}

// Look takes a row that the walk came to; decode is called if it matches. It
// reports false, and takes nothing, when the page is full or the scan long
// enough, which it knows only when one row more comes.
func (p *Page[T]) Look(at id.ID, matches bool, decode func() (T, error)) (more bool, err error) {
	if len(p.Rows) == p.limit || p.scanned >= MaxScan {
		p.Done = false
		return false, nil
	}
	p.scanned++
	p.Next = at
	if !matches {
		return true, nil
	}
	r, err := decode()
	if err == nil {
		p.Rows = append(p.Rows, r)
	}
	return true, err
}

// Skip counts rows that the walk passed without showing them; it reports whether
// the walk may go on.
func (p *Page[T]) Skip(rows int) bool {
	p.scanned += rows
	return p.scanned < MaxScan
}

// Want is how many more rows are worth fetching: the rest of the page, and one to
// learn whether anything follows.
func (p *Page[T]) Want() int { return p.limit - len(p.Rows) + 1 }

// Filter are the conditions on a message that lists share.
type Filter struct {
	Types   []string // nil = all
	Channel string   // "" = all
	Tag     string   // "" = all
}

// Any reports whether the filter can leave anything out.
func (f Filter) Any() bool { return f.Types != nil || f.Channel != "" || f.Tag != "" }

// Matches tests a message by its columns type and extra.
func (f Filter) Matches(kind string, extra []byte) (bool, error) {
	if f.Types != nil && !slices.Contains(f.Types, kind) {
		return false, nil
	}
	if f.Channel == "" && f.Tag == "" {
		return true, nil
	}
	if extra == nil {
		return false, nil
	}
	var m store.Message
	if err := document.DecodeExtra(extra, &m); err != nil {
		return false, err
	}
	return (f.Channel == "" || slices.Contains(m.Channels, f.Channel)) && (f.Tag == "" || slices.Contains(m.Tags, f.Tag)), nil
}

// MatchesAttempt tests an attempt by what its list may be narrowed to.
func MatchesAttempt(q *store.AttemptQuery, success bool, statusCode int) bool {
	switch {
	case q.Success != nil && *q.Success != success:
		return false
	case q.StatusClass == -1:
		return statusCode == 0
	case q.StatusClass > 0:
		return statusCode/100*100 == q.StatusClass
	}
	return true
}

// Deliveries gives a page's deliveries alone, and the message that was looked at
// last; 0 if none follows.
func Deliveries(p *Page[store.DeliveryRow]) (rows []delivery.Delivery, scannedTo id.ID) {
	rows = make([]delivery.Delivery, len(p.Rows))
	for i := range p.Rows {
		rows[i] = p.Rows[i].Delivery
	}
	if p.Done {
		return rows, 0
	}
	return rows, p.Next
}
