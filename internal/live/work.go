package live

import (
	"errors"
	"fmt"
	"slices"
	"time"
)

// maxAhead is how far a clock may run before ours.
const maxAhead = 5 * time.Minute

// work is one activity, or one firing, while it is decided: what was loaded, and what was
// made of it.
type work struct {
	*Request
	view View
	now  time.Time
	at   time.Time // when it happened
	rows map[Key]*Row
	made []Key // of rows, in the order in which they were first written
	said int   // bytes of messages' data
	out  Outcome
}

func newWork(v View, r *Request, now time.Time) *work {
	return &work{Request: r, view: v, now: instant(now), rows: map[Key]*Row{}}
}

// run applies the activity: first what it carries, then what it says.
func (w *work) run() error {
	if err := w.when(); err != nil {
		return err
	}
	err := w.carry()
	if err == nil || w.Source != nil {
		err = errors.Join(err, w.rule.apply(w))
	}
	if err == nil || w.Source != nil {
		err = errors.Join(err, w.checkSizes())
	}
	refusal, refused := errors.AsType[*Refusal](err)
	if refused && w.Source != nil {
		w.out.Note = refusal
		return nil
	}
	if refused {
		return refusal
	}
	return nil
}

// when settles the time of the activity.
func (w *work) when() error {
	w.at = instant(w.At)
	switch {
	case w.At.IsZero():
		w.at = w.now
	case w.At.After(w.now.Add(maxAhead)):
		return invalidMember("at", "must not be more than 5 minutes in the future")
	case !writable(w.At):
		return invalidMember("at", "must be in the years 0 to 9999")
	}
	return nil
}

// carry saves the objects that the activity carries along; it sends nothing. One that
// does not fit keeps a source from none of the others.
func (w *work) carry() error {
	var refused error
	for _, n := range nouns {
		if _, carried := w.objects[n]; !carried || n == w.rule.about {
			continue
		}
		if _, err := w.save(n, Upsert); err != nil {
			refused = errors.Join(refused, err)
		}
		if refused != nil && w.Source == nil {
			return refused
		}
	}
	return refused
}

// How large the Doc of a row may get, in bytes. Each message carries several of them, and a
// step of an emission makes hundreds.
const (
	maxDoc          = 256 << 10
	maxRegistration = 64 << 10
)

// checkSizes refuses what would get too large. Of a source, that row alone stays as it was.
func (w *work) checkSizes() error {
	var refused error
	for _, k := range w.made {
		row := w.rows[k]
		limit := maxDoc
		if k.Kind == Registration {
			limit = maxRegistration
		}
		if row == nil || len(row.Doc) <= limit {
			continue
		}
		refused = errors.Join(refused, invalid(fmt.Sprintf("must not get larger than %d KiB as a whole", limit>>10), w.placeOf(k)...))
		delete(w.rows, k)
	}
	w.made = slices.DeleteFunc(w.made, func(k Key) bool { _, touched := w.rows[k]; return !touched })
	return refused
}

// placeOf is where in the data something stands that has a row of its own; nil if nowhere.
func (w *work) placeOf(k Key) []string {
	for _, n := range nouns {
		if n.kind == k.Kind {
			return w.locs[n]
		}
	}
	return nil
}

// get finds a row as it is by now.
func (w *work) get(k Key) (Row, bool) {
	if row, touched := w.rows[k]; touched {
		if row == nil {
			return Row{}, false
		}
		return *row, true
	}
	return w.view.Get(k)
}

// find gives the row of something that the activity names, which has to be there.
func (w *work) find(n *noun) (Row, error) {
	row, known := w.get(w.key(n))
	if !known {
		return Row{}, notFound(n.name, w.idLoc(n)...)
	}
	return row, nil
}

func (w *work) put(row Row) { w.touch(row.Key, &row) }

func (w *work) drop(k Key) { w.touch(k, nil) }

func (w *work) touch(k Key, row *Row) {
	if _, before := w.rows[k]; !before {
		w.made = append(w.made, k)
	}
	w.rows[k] = row
}

// say sends a message, unless nothing is to be sent.
func (w *work) say(eventType string, at time.Time, orderKey string, data object) {
	if w.Quiet || w.Source != nil || w.out.Late {
		return
	}
	w.send(eventType, at, orderKey, data)
}

// send sends a message.
func (w *work) send(eventType string, at time.Time, orderKey string, data object) {
	m := Message{Type: eventType, At: at, Data: data.encode(), OrderKey: orderKey}
	w.out.Messages = append(w.out.Messages, m)
	w.said += len(m.Data)
}

// signed adds who did it to a message's data.
func (w *work) signed(data object) object {
	data.add("actor", w.actor())
	data.set("sourceOfChange", quote(w.source()))
	return data
}

// outcome is what the work came to.
func (w *work) outcome() Outcome {
	for _, k := range w.made {
		if row := w.rows[k]; row != nil {
			w.out.Rows = append(w.out.Rows, *row)
		} else {
			w.out.Gone = append(w.out.Gone, k)
		}
	}
	w.out.Unchanged = len(w.made) == 0 && len(w.out.Messages) == 0
	return w.out
}

// Order gives the indexes of activities that came together in the order in which they
// are applied: by the time at which they happened, those of one time with a join before a
// leave, else as they came.
func Order(activities []Activity, now time.Time) []int {
	order := make([]int, len(activities))
	for i := range order {
		order[i] = i
	}
	at := func(i int) time.Time {
		if activities[i].At.IsZero() {
			return instant(now)
		}
		return instant(activities[i].At)
	}
	slices.SortStableFunc(order, func(i, j int) int {
		if c := at(i).Compare(at(j)); c != 0 {
			return c
		}
		return leaves(activities[i].Type) - leaves(activities[j].Type)
	})
	return order
}

// leaves is 1 for an activity by which somebody leaves.
func leaves(activityType string) int {
	switch activityType {
	case "session.left", "conference.participant.left", "conference.livestream.left", "conversation.user_left":
		return 1
	}
	return 0
}
