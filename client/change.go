package client

import (
	"net/url"
	"time"

	"github.com/callboard/callboard/wire/native"
)

// A Change says more of a write than what is written: who did it, when, and whether anybody is
// told.
type Change func(url.Values)

// By names who did it. t is what sort of actor that is; "" = [native.ActorUser].
func By(id string, t native.ActorType) Change {
	return func(q url.Values) {
		q.Set("actorId", id)
		if t != "" {
			q.Set("actorType", string(t))
		}
	}
}

// Source names what made the change; by default what the actor suggests.
func Source(s native.SourceOfChange) Change {
	return func(q url.Values) { q.Set("sourceOfChange", string(s)) }
}

// At says when it happened; by default when the server takes it. At most 5 minutes in the
// future.
func At(t time.Time) Change {
	return func(q url.Values) { q.Set("at", t.UTC().Format(time.RFC3339Nano)) }
}

// Quiet changes the state and sends nothing.
func Quiet() Change { return func(q url.Values) { q.Set("notify", "false") } }

// Erase goes with the Delete of a registration or a contact: stored messages and received
// requests that carry it are erased, too.
func Erase() Change { return func(q url.Values) { q.Set("erase", "true") } }

// query is what changes, or views, add to a path.
func query[T ~func(url.Values)](said []T) string {
	q := url.Values{}
	for _, say := range said {
		say(q)
	}
	if len(q) == 0 {
		return ""
	}
	return "?" + q.Encode()
}
