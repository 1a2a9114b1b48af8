package live

import (
	"strings"
)

// A resource that is deleted is gone at once; what hangs on it is removed in batches
// afterwards, by a Sweep row that is due until nothing is left. As long as there is one,
// nothing new can take the name.

// sweepState is what is to be removed.
type sweepState struct {
	Kind  Kind   `json:"kind"`  // the first whose rows are still to be looked at
	After string `json:"after"` // the last of them that was
	// Event is the one whose sessions are looked at, and Erase says that they are: see
	// sweepPart.
	Event string `json:"event,omitzero"`
	Erase bool   `json:"erase,omitzero"`
	// Numbers of an event become free at the end.
	Org     string  `json:"org,omitzero"`
	Numbers []int64 `json:"numbers,omitempty"`
}

// sweepKey names the row that removes what hung on something.
func (r *Request) sweepKey(n *noun) Key {
	k := Key{App: r.app, Kind: Sweep, ID: n.name + separator + r.ids[n]}
	if n.inEvent {
		k.Parent = r.ids[events]
	}
	return k
}

func (w *work) sweeping(n *noun) bool {
	_, sweeping := w.get(w.sweepKey(n))
	return sweeping
}

// sweepLater begins to remove what hung on a resource.
func (w *work) sweepLater(n *noun, row Row) {
	s := sweepState{Kind: Presence}
	switch n {
	case events:
		s = sweepState{Kind: Session, Org: w.org, Numbers: state[eventState](row).Numbers}
	case registrations:
		s.After = PresenceID(w.ids[n], "") // theirs stand together
	case contacts, exhibitors, sponsors:
		s = sweepState{Kind: Event, Erase: w.Erase && n == contacts}
	}
	w.put(Row{Key: w.sweepKey(n), State: keep(s), Due: w.now})
}

// nextKind is the order in which an event's rows are removed; 0 = all are.
func nextKind(k Kind) Kind {
	switch k {
	case Session:
		return Registration
	case Registration:
		return Association
	case Association:
		return Presence
	}
	return 0
}

// sweptEvent is the event whose rows are looked at ("" = they belong to none), and what is
// removed: one of its sessions, of its registrations, "event" for everything, or what has
// a part in events.
func sweptEvent(row Row) (event, noun, id string) {
	noun, id = splitID(row.ID)
	if noun == events.name {
		return id, noun, id
	}
	return row.Parent, noun, id
}

// takesPart reports whether a noun's resources belong to no event, and may have a part in
// several.
func takesPart(noun string) bool {
	return noun == contacts.name || noun == exhibitors.name || noun == sponsors.name
}

func sweepRange(row Row) (Range, bool) {
	s := state[sweepState](row)
	event, noun, _ := sweptEvent(row)
	r := Range{App: row.App, Kind: s.Kind, Parent: event, After: s.After, Limit: rowBatch}
	if takesPart(noun) {
		r.Parent, r.Limit = s.Event, s.partLimit()
	}
	return r, s.Kind != 0
}

// sweepKeys are the numbers that become free, and what stands for a part in an event.
func sweepKeys(row Row, beside []Row) []Key {
	s := state[sweepState](row)
	keys := Numbers(s.Org, row)
	if _, noun, _ := sweptEvent(row); takesPart(noun) && s.Kind == Event {
		for _, event := range beside {
			keys = append(keys, Key{App: row.App, Kind: Association, Parent: event.ID, ID: row.ID})
		}
	}
	return keys
}

// sweep removes one batch, and at the end itself.
func (f *firing) sweep() {
	s := state[sweepState](f.row)
	_, noun, id := sweptEvent(f.row)
	if takesPart(noun) {
		f.sweepPart(&s)
		return
	}
	for _, row := range f.beside {
		if sweeps(noun, id, row) {
			f.drop(row.Key)
		}
	}
	switch last := len(f.beside) - 1; {
	case last+1 == rowBatch && !pastRegistration(noun, id, f.beside[last]):
		s.After = f.beside[last].ID
	case noun == events.name:
		s.Kind, s.After = nextKind(s.Kind), ""
	default:
		s.Kind = 0
	}
	f.sweepOn(&s)
}

// sweepOn goes on from where a batch ended, or ends the sweep.
func (f *firing) sweepOn(s *sweepState) {
	if s.Kind == 0 {
		f.endSweep()
		return
	}
	row := f.row
	row.State = keep(s)
	f.put(row)
}

// sweeps reports whether a row goes with what was deleted.
func sweeps(noun, id string, row Row) bool {
	registration, session := splitID(row.ID)
	switch noun {
	case registrations.name:
		return registration == id
	case sessions.name:
		return session == id
	}
	return true
}

// pastRegistration reports whether the rows of a registration end before a row.
func pastRegistration(noun, id string, row Row) bool {
	return noun == registrations.name && !strings.HasPrefix(row.ID, id+separator)
}

// endSweep frees what the deleted one had taken elsewhere. Somebody who is erased is told
// of by nothing any more from here on.
func (f *firing) endSweep() {
	event, noun, id := sweptEvent(f.row)
	if state[sweepState](f.row).Erase {
		f.out.Forget = &Person{Kind: Contact, ID: id}
	}
	for _, k := range sweepKeys(f.row, nil) {
		row, taken := f.get(k)
		owner, _ := NumberedEvent(row)
		if taken && noun == events.name && owner == (Key{App: f.row.App, Kind: Event, ID: event}) {
			f.drop(k)
		}
	}
	f.drop(f.row.Key)
}
