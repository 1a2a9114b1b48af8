package client

import (
	"context"
	"iter"
	"net/http"
	"net/url"
	"strconv"
)

// pageSize is how many items a list is asked for at once: the most that there may be.
const pageSize = 250

// Reader reads one kind of thing.
type Reader[T any] struct{ place place }

// Get reads the one of this id. One that is not there is [ErrNotFound].
func (r *Reader[T]) Get(ctx context.Context, id string) (found T, err error) {
	err = r.place.at(id).do(ctx, http.MethodGet, "", nil, &found)
	return found, err
}

// All reads all of them, the oldest first, page by page as they are asked for. An error is the
// last that it gives. What is created meanwhile may be among them.
func (r *Reader[T]) All(ctx context.Context) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		iterator := ""
		for {
			next, more, err := r.page(ctx, iterator)
			if err != nil {
				var none T
				yield(none, err)
				return
			}
			for _, item := range next.Data {
				if !yield(item, nil) {
					return
				}
			}
			if !more || next.Iterator == iterator {
				return
			}
			iterator = next.Iterator
		}
	}
}

// page is one page of a list.
type page[T any] struct {
	Data     []T    `json:"data"`
	Iterator string `json:"iterator"`
	Done     bool   `json:"done"`
}

// page reads the page after an iterator, and says whether there are more.
func (r *Reader[T]) page(ctx context.Context, iterator string) (p page[T], more bool, err error) {
	q := url.Values{"limit": {strconv.Itoa(pageSize)}}
	if iterator != "" {
		q.Set("iterator", iterator)
	}
	err = r.place.do(ctx, http.MethodGet, "?"+q.Encode(), nil, &p)
	return p, !p.Done && p.Iterator != "", err
}

// Resource reads and writes one kind of thing.
type Resource[T any] struct{ Reader[T] }

func resource[T any](p place) *Resource[T] { return &Resource[T]{Reader[T]{p}} }

// Create creates one and gives it as it is then. Its id may be chosen: up to 128 characters out
// of A-Z a-z 0-9 . _ : @ -; else the server chooses. An id that is taken is [ErrConflict].
func (r *Resource[T]) Create(ctx context.Context, it T, changes ...Change) (created T, err error) {
	err = r.place.do(ctx, http.MethodPost, query(changes), it, &created)
	return created, err
}

// Replace puts another in the place of the one of this id: what is left out is gone. It does
// not create.
func (r *Resource[T]) Replace(ctx context.Context, id string, it T, changes ...Change) (replaced T, err error) {
	err = r.place.at(id).do(ctx, http.MethodPut, query(changes), it, &replaced)
	return replaced, err
}

// Patch changes the members that fields has, those of objects one by one; null takes a member
// away. fields is a map, a struct, or a T that was built: what is zero in that is left as it is.
func (r *Resource[T]) Patch(ctx context.Context, id string, fields any, changes ...Change) (changed T, err error) {
	err = r.place.at(id).do(ctx, http.MethodPatch, query(changes), fields, &changed)
	return changed, err
}

// Delete deletes the one of this id.
func (r *Resource[T]) Delete(ctx context.Context, id string, changes ...Change) error {
	return r.place.at(id).do(ctx, http.MethodDelete, query(changes), nil, nil)
}

// Guests are a kind of thing that may be associated with events.
type Guests[T any] struct{ *Resource[T] }

func guests[T any](p place) *Guests[T] { return &Guests[T]{resource[T](p)} }

// Associate associates the one of this id with an event. Both must exist; what is associated
// already stays so.
func (g *Guests[T]) Associate(ctx context.Context, id, eventID string, changes ...Change) error {
	return g.place.at(id, "event", eventID).do(ctx, http.MethodPut, query(changes), nil, nil)
}

// Disassociate undoes that. Where there is no association nothing happens.
func (g *Guests[T]) Disassociate(ctx context.Context, id, eventID string, changes ...Change) error {
	return g.place.at(id, "event", eventID).do(ctx, http.MethodDelete, query(changes), nil, nil)
}
