package live

import (
	"bytes"
	"slices"
)

// Person is somebody to forget: a registration or a contact that is deleted with Erase.
// What their own rows say is gone with them. What is kept of them elsewhere is found by
// Carries, in payloads, and by the sweep, in what other resources list.
type Person struct {
	Kind  Kind   `json:"kind"`            // Registration or Contact
	Event string `json:"event,omitempty"` // of a registration
	ID    string `json:"id"`
}

// erase deletes a person and sees to it that nothing is told of them any more. One that was
// deleted before is forgotten as well: what tells of them may still be there.
func (w *work) erase(n *noun) error {
	if _, known := w.get(w.key(n)); known {
		if err := w.remove(n); err != nil {
			return err
		}
	} else if n == contacts {
		w.sweepLater(n, Row{})
	}
	if n == registrations {
		w.out.Forget = &Person{Kind: Registration, Event: w.ids[events], ID: w.ids[n]}
	}
	return nil // a contact is forgotten when its sweep ends: until then sessions tell of it
}

// peopleLists are the members of sessions, exhibitors and sponsors that list contacts, by
// Sessionboard's names; nestedLists those that list what may have such lists itself.
var (
	peopleLists = []string{"speakers", "chairpersons", "moderators", "participants", "contacts"}
	nestedLists = []string{"subsessions", "exhibitors", "sponsors"}
)

// Carries reports whether a message's payload tells of the person. It reads payloads of
// the form {type, timestamp, data}; one of another form carries nobody that we know of.
func (p Person) Carries(payload []byte) bool {
	// An id needs no escapes, but a client may have written it with some.
	if !bytes.Contains(payload, []byte(p.ID)) && !bytes.Contains(payload, []byte(`\u`)) {
		return false
	}
	data := members(payload).object("data")
	if p.Kind == Registration {
		return idOf(data.object(registrations.name)) == p.ID && idOf(data.object(events.name)) == p.Event
	}
	for _, name := range []string{contacts.name, "speaker"} {
		// One that has an id and no more is what tells that they are gone.
		doc := data.object(name)
		if personID(doc) == p.ID && len(doc.without("id", "deletedAt")) > 0 {
			return true
		}
	}
	for _, n := range []*noun{sessions, exhibitors, sponsors} {
		if _, listed := withoutPerson(data.object(n.name), p.ID); listed {
			return true
		}
	}
	return false
}

// personID is the id of a contact in a list, which Zuddl calls speakerId.
func personID(doc object) string {
	if doc.get("id") == nil {
		doc = object{{"id", doc.get("speakerId")}}
	}
	return idOf(doc)
}

// withoutPerson is a resource that no longer lists a contact; false if it never did.
func withoutPerson(doc object, contact string) (rest object, listed bool) {
	rest = slices.Clone(doc)
	for _, name := range peopleLists {
		all := items(doc.get(name))
		left := slices.DeleteFunc(slices.Clone(all), func(v value) bool { return personID(members(v)) == contact })
		if len(left) < len(all) {
			listed = true
			rest.set(name, array(left))
		}
	}
	for _, name := range nestedLists {
		all, within := items(doc.get(name)), false
		for i, item := range all {
			if part, found := withoutPerson(members(item), contact); found {
				all[i], within = part.encode(), true
			}
		}
		if within {
			listed = true
			rest.set(name, array(all))
		}
	}
	return rest, listed
}

// How many rows a step of a sweep looks at of those that may be large.
const eraseBatch = 200

// partLimit is how many rows a step looks at.
func (s *sweepState) partLimit() int {
	switch {
	case s.Kind != Event:
		return eraseBatch
	case s.Erase:
		return 1 // its sessions come next
	}
	return rowBatch
}

// sweepPart takes a contact, exhibitor or sponsor that was deleted out of the events that
// it had a part in. A contact that is to be erased goes out of every list, too: of the
// sessions of one event after the other, then of exhibitors and sponsors. Nothing is told
// of that: the listeners heard that the contact is gone.
func (f *firing) sweepPart(s *sweepState) {
	for _, row := range f.beside {
		if s.Kind == Event {
			f.dropIfThere(Key{App: row.App, Kind: Association, Parent: row.ID, ID: f.row.ID})
		} else {
			f.forget(row)
		}
	}
	switch more := len(f.beside) == s.partLimit(); {
	case s.Kind == Event && s.Erase && more:
		s.Kind, s.Event, s.After = Session, f.beside[0].ID, ""
	case more:
		s.After = f.beside[len(f.beside)-1].ID
	case s.Kind == Session:
		s.Kind, s.Event, s.After = Event, "", s.Event
	default:
		s.Kind, s.After = s.nextPart(), ""
	}
	f.sweepOn(s)
}

// nextPart is what is looked at when a kind is through; 0 = all is.
func (s *sweepState) nextPart() Kind {
	switch {
	case s.Erase && s.Kind == Event:
		return Exhibitor
	case s.Erase && s.Kind == Exhibitor:
		return Sponsor
	}
	return 0
}

func (f *firing) dropIfThere(k Key) {
	if _, there := f.get(k); there {
		f.drop(k)
	}
}

// forget takes the contact that is erased out of a resource's lists.
func (f *firing) forget(row Row) {
	_, contact := splitID(f.row.ID)
	doc, listed := withoutPerson(document(row), contact)
	if !listed {
		return
	}
	doc.remove("updatedAt")
	doc.set("updatedAt", moment(f.now))
	row.Doc = doc.encode()
	f.put(row)
}
