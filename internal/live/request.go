package live

import (
	"cmp"
	"slices"
	"strconv"

	"github.com/callboard/callboard/internal/id"
)

// noun is a kind of resource: what people keep by REST, and what activities carry along.
type noun struct {
	name    string // of the member of data that is one
	kind    Kind
	inEvent bool // it belongs to one event
	shape   shape
}

var (
	events        = &noun{"event", Event, false, eventShape}
	sessions      = &noun{"session", Session, true, sessionShape}
	registrations = &noun{"registration", Registration, true, registrationShape}
	contacts      = &noun{"contact", Contact, false, contactShape}
	exhibitors    = &noun{"exhibitor", Exhibitor, false, companyShape}
	sponsors      = &noun{"sponsor", Sponsor, false, companyShape}
)

// nouns are in the order in which they are looked at: what others belong to comes first.
var nouns = [...]*noun{events, sessions, registrations, contacts, exhibitors, sponsors}

// Request is an activity that was read, as far as that goes without knowing anything. It
// does not change, so that the same one names its rows and is decided about, several times
// if need be: reading costs more than either.
type Request struct {
	*Activity
	app     id.ID
	org     string
	rule    rule
	data    object
	ids     map[*noun]string
	objects map[*noun]object   // what it is about, and what it carries along
	locs    map[*noun][]string // where those stand in data
}

// Read reads an activity of an app. Its error is a *Refusal: the activity is wrong whatever
// is known. The activity is not to be changed afterwards.
func Read(app id.ID, org string, a *Activity) (*Request, error) {
	rule, known := rules[a.Type]
	if !known {
		return nil, invalidMember("type", "is not one of the activities' types")
	}
	data, ok := parse(a.Data)
	if !ok {
		return nil, invalidMember("data", "must be a JSON object without repeated names, at most 64 deep, its numbers such as 64 bits hold")
	}
	r := &Request{
		Activity: a, app: app, org: org, rule: rule, data: data,
		ids: map[*noun]string{}, objects: map[*noun]object{}, locs: map[*noun][]string{},
	}
	if err := r.readAll(); err != nil {
		return nil, err
	}
	return r, nil
}

func (r *Request) readAll() error {
	if err := r.checkActor(); err != nil {
		return err
	}
	if r.rule.flat {
		if err := flatShape.check(r.data); err != nil {
			return err
		}
	}
	for _, n := range nouns {
		if err := r.readNoun(n); err != nil {
			return err
		}
	}
	if r.rule.read != nil {
		if err := r.rule.read(r); err != nil {
			return err
		}
	}
	return r.checkNeeds()
}

func (r *Request) checkActor() error {
	switch r.Actor.Type {
	case "", "USER", "AGENT", "SYSTEM":
		return nil
	}
	return invalid("the actor's type must be USER, AGENT or SYSTEM")
}

// readNoun finds an object of data, and its id, which may also stand beside it.
func (r *Request) readNoun(n *noun) error {
	if r.rule.about == n && r.data.object(n.name) == nil {
		return r.readBare(n)
	}
	if !r.carries(n) {
		return nil
	}
	beside := n.name + "Id"
	if err := r.takeID(n, r.data.get(beside), beside); err != nil {
		return err
	}
	if r.data.get(n.name) == nil {
		return nil
	}
	if r.data.object(n.name) == nil {
		return invalid("must be an object", n.name)
	}
	return r.takeObject(n, r.data.object(n.name), n.name)
}

// carries reports whether an activity takes an object of this kind.
func (r *Request) carries(n *noun) bool {
	return n == events || n == sessions || n == registrations || n == r.rule.about || slices.Contains(r.rule.needs, n)
}

// readBare takes data itself as the resource that the activity is about.
func (r *Request) readBare(n *noun) error {
	beside := n.name + "Id"
	if err := r.takeID(n, r.data.get(beside), beside); err != nil {
		return err
	}
	body := r.data.without(beside)
	if n.inEvent {
		body.remove("eventId", "event")
	}
	return r.takeObject(n, body)
}

func (r *Request) takeObject(n *noun, o object, loc ...string) error {
	if err := r.takeID(n, o.get("id"), append(loc, "id")...); err != nil {
		return err
	}
	if err := n.shape.check(o, loc...); err != nil {
		return err
	}
	r.objects[n], r.locs[n] = o, loc
	return nil
}

// takeID notes an id. That of an object and the one beside it must be the same.
func (r *Request) takeID(n *noun, v value, loc ...string) error {
	if v == nil {
		return nil
	}
	s, ok := idText(v)
	switch known := r.ids[n]; {
	case !ok:
		return invalid(msgID, loc...)
	case known != "" && known != s:
		return invalid("must be the same as "+n.name+"Id", loc...)
	}
	r.ids[n] = s
	return nil
}

// checkNeeds asks for the ids without which the activity says nothing. What belongs to
// an event needs that one's, too.
func (r *Request) checkNeeds() error {
	for _, n := range nouns {
		_, carried := r.objects[n]
		needed := carried || r.rule.about == n || slices.Contains(r.rule.needs, n)
		if needed && n.inEvent && r.ids[events] == "" {
			return invalid("is required", "eventId")
		}
		if needed && r.ids[n] == "" {
			return invalid("is required", r.idLoc(n)...)
		}
	}
	return nil
}

// idLoc is where the id of something stands, or should.
func (r *Request) idLoc(n *noun) []string {
	if _, carried := r.objects[n]; carried {
		return append(slices.Clone(r.locs[n]), "id")
	}
	return []string{n.name + "Id"}
}

// Keys names the rows that Apply asks for and may write, each once: those of everything that
// the activity names, and what its rule adds.
func (r *Request) Keys() []Key {
	var keys []Key
	for _, n := range nouns {
		if r.ids[n] == "" {
			continue
		}
		keys = append(keys, r.key(n))
		if o, carried := r.objects[n]; carried {
			keys = append(keys, r.carriedKeys(n, o)...)
		}
	}
	if r.rule.keys != nil {
		keys = append(keys, r.rule.keys(r)...)
	}
	slices.SortFunc(keys, Key.Compare)
	return slices.Compact(keys)
}

// carriedKeys are those that creating a resource asks for, or deleting it.
func (r *Request) carriedKeys(n *noun, o object) []Key {
	keys := []Key{r.sweepKey(n)}
	if n == events {
		keys = append(keys, counterKey(r.org))
		if number, ok := eventNumber(o); ok {
			keys = append(keys, numberKey(r.org, number))
		}
	}
	return keys
}

// key names the row of something that the activity names.
func (r *Request) key(n *noun) Key {
	k := Key{App: r.app, Kind: n.kind, ID: r.ids[n]}
	if n.inEvent {
		k.Parent = r.ids[events]
	}
	return k
}

// flatID reads the id in a member of data.
func (r *Request) flatID(name string) (string, error) {
	v := r.data.get(name)
	if v == nil {
		return "", invalid("is required", name)
	}
	s, ok := idText(v)
	if !ok {
		return "", invalid(msgID, name)
	}
	return s, nil
}

// idOr gives the text of an id that was checked before.
func (r *Request) idOr(name string) string {
	s, _ := idText(r.data.get(name))
	return s
}

// requireFlat asks for ids in members of data.
func requireFlat(names ...string) func(*Request) error {
	return func(r *Request) error {
		for _, name := range names {
			if _, err := r.flatID(name); err != nil {
				return err
			}
		}
		return nil
	}
}

// eventNumber reads the number that an event was given.
func eventNumber(o object) (int64, bool) {
	n, err := strconv.ParseInt(string(o.get("number")), 10, 64)
	return n, err == nil && n >= 1 && n <= maxNumber
}

// maxNumber is the largest whole number that no reader of JSON rounds.
const maxNumber = 1<<53 - 1

func counterKey(org string) Key { return Key{Kind: Counter, Parent: org, ID: "event"} }

func numberKey(org string, n int64) Key {
	return Key{Kind: EventNumber, Parent: org, ID: strconv.FormatInt(n, 10)}
}

// source is where the change comes from: given, or as the actor suggests.
func (a *Activity) source() string {
	if a.Actor.Type == "AGENT" {
		return cmp.Or(a.SourceOfChange, "agent")
	}
	return cmp.Or(a.SourceOfChange, "user")
}

// actor is who did it, as messages tell it; nil if that is not known.
func (a *Activity) actor() value {
	if a.Actor == (Actor{}) {
		return nil
	}
	who := value("null")
	if a.Actor.ID != "" {
		who = quote(a.Actor.ID)
	}
	return object{{"id", who}, {"type", quote(cmp.Or(a.Actor.Type, "USER"))}}.encode()
}

// system is the actor of what happens by itself.
func system() value { return value(`{"id":null,"type":"SYSTEM"}`) }
