package live

import "strings"

// AssociationID is the ID of the row, of kind Association and below its event, that stands
// for the part in the event of a contact, exhibitor or sponsor; noun is one of these words.
// Of the id "" it is what the ids of all rows with the noun begin with.
func AssociationID(noun, id string) string { return noun + separator + id }

// associationKey names the row that stands for a resource's part in an event: there is
// one while the two are associated.
func associationKey(r *Request) Key {
	n := r.rule.needs[0]
	return Key{App: r.app, Kind: Association, Parent: r.ids[events], ID: AssociationID(n.name, r.ids[n])}
}

func associationKeys(r *Request) []Key { return []Key{associationKey(r)} }

// associate brings a contact, exhibitor or sponsor into an event, or takes it out.
func associate(w *work) error {
	n := w.rule.needs[0]
	w.out.ID = w.ids[n]
	event, err := w.find(events)
	if err != nil {
		return err
	}
	subject, err := w.find(n)
	if err != nil {
		return err
	}
	key := associationKey(w.Request)
	row, associated := w.get(key)
	row.Key = key
	joins := strings.HasSuffix(w.Type, ".associated")
	switch {
	case joins == associated:
		return nil
	case joins:
		w.put(row)
	default:
		w.drop(key)
	}
	w.say(w.Type, w.at, n.name+":"+w.ids[n], w.signed(object{{n.name, subject.Doc}, {"event", event.Doc}}))
	return nil
}
