package live

import (
	"strings"
)

// change is what became of a resource.
type change struct {
	before, after object // nil = there was none
	changed       bool
}

func (c change) created() bool { return c.before == nil }

// resource applies an activity that is about a resource: its mode says what to do, and
// the word at the end of its type, if it is an activity.
func resource(w *work) error {
	n := w.rule.about
	w.out.ID = w.ids[n]
	deletes := w.Mode == Delete || w.Mode == Upsert && strings.HasSuffix(w.Type, ".deleted")
	if deletes && w.Erase {
		return w.erase(n)
	}
	if n.inEvent {
		if _, err := w.find(events); err != nil {
			return err
		}
	}
	if deletes {
		return w.remove(n)
	}
	c, err := w.save(n, w.Mode)
	if err != nil || !c.changed {
		return err
	}
	w.tell(n, c)
	return nil
}

// tell says that a resource was created or changed.
func (w *work) tell(n *noun, c change) {
	word := ".updated"
	if c.created() {
		word = ".created"
	}
	w.sayResource(n, word, c.after)
	if n == sessions {
		w.tellSpeakers(c)
	}
}

// sayResource sends a resource whole, if there is a type for what happened to it.
func (w *work) sayResource(n *noun, word string, doc object) {
	eventType := n.name + word
	switch eventType {
	case "event.deleted", "registration.updated", "registration.deleted":
		return // no system has such a webhook
	}
	w.say(eventType, w.at, n.name+":"+w.ids[n], w.signed(w.around(n, doc)))
}

// around is a resource with the event that it belongs to.
func (w *work) around(n *noun, doc object) object {
	data := object{{n.name, doc.encode()}}
	if !n.inEvent {
		return data
	}
	event, _ := w.get(w.key(events))
	data.set("event", event.Doc)
	return data
}

// save creates or changes a resource.
func (w *work) save(n *noun, mode Mode) (change, error) {
	old, known := w.get(w.key(n))
	if err := w.checkMode(n, mode, known); err != nil {
		return change{}, err
	}
	var before object
	if known {
		before = document(old)
	}
	after := w.draft(n, mode, before)
	row := old
	row.Key = w.key(n)
	if err := w.settle(n, &row, before, &after); err != nil {
		return change{}, err
	}
	if known && same(lasting(before).encode(), lasting(after).encode()) {
		return change{before: before, after: before}, nil
	}
	w.stamp(n, &after)
	row.Doc = after.encode()
	w.put(row)
	return change{before, after, true}, nil
}

func (w *work) checkMode(n *noun, mode Mode, known bool) error {
	switch {
	case mode == Create && known:
		return &Refusal{Kind: Conflict, Loc: w.idLoc(n), Msg: "there is one with this id already"}
	case (mode == Replace || mode == Merge) && !known:
		return notFound(n.name, w.idLoc(n)...)
	case !known && w.sweeping(n):
		return &Refusal{Kind: Conflict, Loc: w.idLoc(n), Msg: "the one that had this id is being removed; try again in a moment"}
	case known || !n.inEvent:
		return nil
	}
	_, err := w.find(events)
	return err
}

// draft is a resource as the caller wants it, with what only Callboard sets as it was.
func (w *work) draft(n *noun, mode Mode, before object) object {
	given := w.given(n, before)
	after := given
	switch {
	case before == nil:
		after.fill("createdAt", moment(w.now))
		if n == events {
			after.fill("createdBy", w.who())
		}
	case mode == Replace:
		after.add("createdAt", before.get("createdAt"))
		after.add("createdBy", before.get("createdBy"))
	default:
		after = before.merge(given)
	}
	after.first("id", w.idValue(n, before))
	return after
}

// given is what the caller gave, without what is not the caller's: clients send back what
// they were given. Who creates a resource may say when it was created, as imports do. A
// source may say everything.
func (w *work) given(n *noun, before object) object {
	given := w.objects[n].without()
	if w.Source != nil {
		return given
	}
	given.remove("updatedAt", "updatedBy", "deletedAt")
	if before != nil {
		given.remove("createdAt", "createdBy")
	}
	return given
}

// idValue is a resource's id as it was first written: a string or a number.
func (w *work) idValue(n *noun, before object) value {
	if v := before.get("id"); v != nil {
		return v
	}
	if v := w.objects[n].get("id"); v != nil {
		return v
	}
	return quote(w.ids[n])
}

// settle does what a kind of resource needs besides.
func (w *work) settle(n *noun, row *Row, before object, after *object) error {
	switch n {
	case events:
		return w.settleEvent(row, before, after)
	case registrations:
		w.settleRegistration(row, before)
	}
	return nil
}

// lasting are the members whose change is a change.
func lasting(doc object) object { return doc.without("updatedAt", "updatedBy") }

// stamp notes when a resource was changed and, of an event, by whom. A source's own
// stamps stay.
func (w *work) stamp(n *noun, doc *object) {
	own := w.objects[n]
	if w.Source == nil || own.get("updatedAt") == nil {
		doc.remove("updatedAt")
		doc.set("updatedAt", moment(w.now))
	}
	if n == events && (w.Source == nil || own.get("updatedBy") == nil) {
		doc.remove("updatedBy")
		doc.add("updatedBy", w.who())
	}
}

// who is the actor's id; nil if it is not known.
func (w *work) who() value {
	if w.Actor.ID == "" {
		return nil
	}
	return quote(w.Actor.ID)
}

// remove deletes a resource. What hangs on it is swept up afterwards, in batches. Of one
// that is to be erased, the message says no more than that it is gone.
func (w *work) remove(n *noun) error {
	row, err := w.find(n)
	if err != nil {
		return err
	}
	doc := document(row)
	if w.Erase {
		doc = object{{"id", doc.get("id")}}
	}
	doc.set("deletedAt", moment(w.now))
	w.sayResource(n, ".deleted", doc)
	w.drop(row.Key)
	w.sweepLater(n, row)
	return nil
}
