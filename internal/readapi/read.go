package readapi

import (
	"net/http"
	"net/url"
	"strconv"

	"github.com/callboard/callboard/internal/dialect/sessionboard"
	"github.com/callboard/callboard/internal/errs"
	"github.com/callboard/callboard/internal/id"
	"github.com/callboard/callboard/internal/live"
	"github.com/callboard/callboard/internal/store"
	"github.com/callboard/callboard/internal/web"
)

// place is what the resources of an address belong to.
type place struct {
	app   id.ID
	event string // the event's id; "" = the organization as a whole
}

// ofOrganization finds the app that a path calls an organization: by its uid or its id,
// as webhooks name it.
func (a *api) ofOrganization(r *http.Request, caller *web.Caller) (place, error) {
	ref, err := a.guard.AppRef(caller, r.PathValue("org_id"))
	if err != nil {
		return place{}, err
	}
	app, err := a.Store.App(r.Context(), caller.Org, ref)
	return place{app: app.ID}, err
}

// ofEvent finds the event that has a path's number in the caller's org. A number that it
// had before names it, too: webhooks that went out then are still about it.
func (a *api) ofEvent(r *http.Request, caller *web.Caller) (place, error) {
	number := r.PathValue("event")
	if n, err := strconv.ParseInt(number, 10, 64); err != nil || n < 1 || strconv.FormatInt(n, 10) != number {
		return place{}, errs.Missing()
	}
	row, err := a.Store.Object(r.Context(), live.Key{Kind: live.EventNumber, Parent: caller.Org, ID: number})
	if err != nil {
		return place{}, err
	}
	event, ok := live.NumberedEvent(row)
	if !ok || caller.App != 0 && caller.App != event.App {
		return place{}, errs.Missing()
	}
	if _, err := a.Store.Object(r.Context(), event); err != nil {
		return place{}, err
	}
	// The rows of a deleted app go little by little.
	_, err = a.Store.App(r.Context(), caller.Org, store.Ref{ID: event.App})
	return place{app: event.App, event: event.ID}, err
}

// key is the row of a resource. Only sessions hang on their event.
func (r resource) key(at place, name string) live.Key {
	k := live.Key{App: at.app, Kind: r.kind, ID: name}
	if r.kind == live.Session {
		k.Parent = at.event
	}
	return k
}

// get answers with one resource. Below an event it gives a contact, exhibitor or sponsor
// whether or not it is associated: the webhook that tells that it was removed from the
// event names this address.
func (a *api) get(w http.ResponseWriter, req *http.Request, r resource, at place) error {
	name := req.PathValue("id")
	if !live.ValidID(name) {
		return errs.Missing()
	}
	row, err := a.Store.Object(req.Context(), r.key(at, name))
	if err != nil {
		return err
	}
	body, err := r.Write(row.Doc)
	if err == nil {
		send(w, http.StatusOK, body)
	}
	return err
}

// list answers with a page of resources: an event's sessions and an organization's
// resources as they were created, what is associated with an event by its id.
func (a *api) list(w http.ResponseWriter, req *http.Request, r resource, at place) error {
	p, err := readPage(req.URL)
	if err != nil {
		return err
	}
	q := store.ObjectQuery{App: at.app, Kind: r.kind, Offset: (p.number - 1) * p.size, Limit: p.size}
	switch {
	case r.kind == live.Session:
		q.Parent = at.event
	case at.event != "":
		q.Event, q.Association = at.event, live.AssociationID(r.Noun, "")
	}
	rows, total, err := a.Store.CountedObjects(req.Context(), q)
	if err != nil {
		return err
	}
	body, err := appendList(nil, r.Resource, rows)
	if err == nil {
		send(w, http.StatusOK, p.append(body, total))
	}
	return err
}

// appendList begins the body of a list.
func appendList(b []byte, r sessionboard.Resource, rows []live.Row) ([]byte, error) {
	b = append(b, `{"data":[`...)
	for i := range rows {
		if i > 0 {
			b = append(b, ',')
		}
		one, err := r.Write(rows[i].Doc)
		if err != nil {
			return nil, err
		}
		b = append(b, one...)
	}
	return append(b, ']'), nil
}

// page is a place in a list. An int holds the largest number times the largest size.
type page struct{ number, size int }

// Bounds and defaults of pages; those of the size are Sessionboard's.
const (
	defaultSize = 25
	maxSize     = 100
	maxNumber   = 10_000_000
)

// readPage reads a query; what it does not know it ignores.
func readPage(u *url.URL) (p page, err error) {
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return p, errs.New(errs.Malformed, "The query cannot be read")
	}
	if p.number, err = whole(query, "page", 1, maxNumber); err != nil {
		return p, err
	}
	p.size, err = whole(query, "pageSize", defaultSize, maxSize)
	return p, err
}

// whole reads a parameter that is a number from 1 to a limit.
func whole(query url.Values, name string, absent, limit int) (int, error) {
	if !query.Has(name) {
		return absent, nil
	}
	n, err := strconv.Atoi(query.Get(name))
	if err != nil || n < 1 || n > limit {
		return 0, errs.New(errs.Malformed, "%s must be a whole number from 1 to %d", name, limit)
	}
	return n, nil
}

// append ends the body of a list.
func (p page) append(b []byte, total int) []byte {
	b = append(b, `,"pagination":{"currentPage":`...)
	b = strconv.AppendInt(b, int64(p.number), 10)
	b = append(b, `,"pageSize":`...)
	b = strconv.AppendInt(b, int64(p.size), 10)
	b = append(b, `,"totalPages":`...)
	b = strconv.AppendInt(b, int64((total+p.size-1)/p.size), 10)
	b = append(b, `,"totalResults":`...)
	b = strconv.AppendInt(b, int64(total), 10)
	return append(b, "}}"...)
}
