package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"sync/atomic"
	"time"
)

// fakeLive is what the fake keeps of events: who attends, and when each message of time spent was made.
type fakeLive struct {
	ids       atomic.Int64
	attendees map[string][]fakeJoin // by event
	told      []time.Time
}

// fakeJoin is one attendee.
type fakeJoin struct{ session, registration string }

// fakeActivity is what the bench tells.
type fakeActivity struct {
	Data struct {
		EventID, SessionID string
		Registration       struct{ ID string }
	}
}

func (f *fake) liveRoutes(mux *http.ServeMux) {
	f.live.attendees = map[string][]fakeJoin{}
	create := func(w http.ResponseWriter, _ *http.Request) {
		answer(w, http.StatusCreated, fmt.Sprintf("made-%d", f.live.ids.Add(1)))
	}
	mux.HandleFunc("POST /api/v1/app/{app}/event", create)
	mux.HandleFunc("POST /api/v1/app/{app}/event/{event}/session", create)
	mux.HandleFunc("PATCH /api/v1/app/{app}/event/{event}", f.moveEnd)
	mux.HandleFunc("POST /api/v1/app/{app}/activity", f.tell)
	mux.HandleFunc("GET /api/v1/app/{app}/msg", f.listTold)
}

// liveBody is what is told of an attendee. Times differ from one to the next.
func liveBody(eventType, event string, j fakeJoin, n int) []byte {
	at := time.Unix(1_800_000_000+int64(n), 0).UTC().Format("2006-01-02T15:04:05.000Z")
	return fmt.Appendf(nil, `{"type":%q,"timestamp":%q,"data":{"event":{"id":%q},"session":{"id":%q},"registration":{"id":%q,"createdAt":%q}}}`,
		eventType, at, event, j.session, j.registration, at)
}

// tell takes in joins. Every so many of them, as the flag says, is refused.
func (f *fake) tell(w http.ResponseWriter, r *http.Request) {
	var body struct {
		fakeActivity
		Activities []fakeActivity
	}
	if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	if body.Activities == nil {
		body.Activities = []fakeActivity{body.fakeActivity}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	var results []map[string]any
	for _, a := range body.Activities {
		f.Messages++
		if f.faults.refuse > 0 && f.Messages%f.faults.refuse == 0 {
			results = append(results, map[string]any{"status": "refused", "messages": []string{}, "error": map[string]string{"code": "conflict"}})
			continue
		}
		j := fakeJoin{a.Data.SessionID, a.Data.Registration.ID}
		f.live.attendees[a.Data.EventID] = append(f.live.attendees[a.Data.EventID], j)
		id := fmt.Sprintf("msg_%027d", f.Messages)
		results = append(results, map[string]any{"status": "applied", "messages": []string{id}})
		f.say(r.PathValue("app"), "session.joined", id, liveBody("session.joined", a.Data.EventID, j, f.Messages))
	}
	w.WriteHeader(http.StatusAccepted)
	_ = json.NewEncoder(w).Encode(map[string]any{"data": results})
}

// say queues a message for those who listen, and does with it what it must not if the flags say so.
func (f *fake) say(app, eventType, id string, body []byte) {
	hits := func(every int) bool { return every > 0 && f.Messages%every == 0 }
	for _, endpoint := range f.Apps[app] {
		if !slices.Contains(endpoint.FilterTypes, eventType) || hits(f.faults.lose) {
			continue
		}
		d := fakeDelivery{ID: id, Payload: body, Endpoint: endpoint, Forged: hits(f.faults.forge)}
		if hits(f.faults.rename) {
			d.ID += "x"
		}
		f.work <- d
		if hits(f.faults.repeat) {
			f.work <- d
		}
		if hits(f.faults.twice) {
			d.ID += "y"
			f.work <- d
		}
	}
}

// moveEnd tells the time spent once it is due: a second after the new end.
func (f *fake) moveEnd(w http.ResponseWriter, r *http.Request) {
	var in struct{ EndDate time.Time }
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	app, event := r.PathValue("app"), r.PathValue("event")
	time.AfterFunc(time.Until(in.EndDate.Add(timeSpentDelay)), func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		for _, j := range f.live.attendees[event] {
			f.Messages++
			f.live.told = append(f.live.told, time.Now())
			id := fmt.Sprintf("msg_%027d", f.Messages)
			f.say(app, "session.time_spent", id, liveBody("session.time_spent", event, j, f.Messages))
		}
	})
	answer(w, http.StatusOK, event)
}

// listTold lists messages of time spent between two times, newest first; each page but the last is empty. What asks for
// another type is told of one message.
func (f *fake) listTold(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	if q.Get("event_types") == "" {
		page := map[string]any{"data": []map[string]any{{"id": "msg_1", "timestamp": f.lastTold(time.Time{}, time.Time{})}}, "iterator": "next", "done": q.Has("iterator")}
		_ = json.NewEncoder(w).Encode(page)
		return
	}
	data := []map[string]any{}
	after, _ := time.Parse(time.RFC3339Nano, q.Get("after"))
	before, _ := time.Parse(time.RFC3339Nano, q.Get("before"))
	if at := f.lastTold(after, before); q.Has("iterator") && !at.IsZero() {
		data = append(data, map[string]any{"id": "msg_1", "timestamp": at})
	}
	_ = json.NewEncoder(w).Encode(map[string]any{"data": data, "iterator": "next", "done": q.Has("iterator")})
}

func (f *fake) lastTold(after, before time.Time) (last time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, at := range f.live.told {
		if at.After(after) && (before.IsZero() || at.Before(before)) {
			last = at
		}
	}
	return last
}
