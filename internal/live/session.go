package live

import (
	"slices"
)

// speaker is an element of a session's list of speakers.
type speaker struct {
	id  string // "" = it has none
	doc object
}

// speakersOf reads a session's list of speakers. Zuddl's speakerId stands for an id that
// is absent.
func speakersOf(session object) []speaker {
	list := items(session.get("speakers"))
	speakers := make([]speaker, len(list))
	for i, item := range list {
		doc := members(item)
		doc.fill("id", doc.get("speakerId"))
		speakers[i] = speaker{idOf(doc), doc}
	}
	return speakers
}

// idOf is the text of an object's id, whatever it is made of.
func idOf(doc object) string {
	v := doc.get("id")
	if v.Kind() == '0' {
		return string(v)
	}
	return text(v)
}

func indexOf(speakers []speaker, id string) int {
	return slices.IndexFunc(speakers, func(s speaker) bool { return s.id == id })
}

// speakerKeys are the contacts that a session's body names as speakers.
func speakerKeys(r *Request) []Key {
	var keys []Key
	for _, s := range speakersOf(r.objects[sessions]) {
		if ValidID(s.id) {
			keys = append(keys, contactKey(r, s.id))
		}
	}
	return keys
}

func contactKey(r *Request, id string) Key { return Key{App: r.app, Kind: Contact, ID: id} }

// tellSpeakers says who came to a session's list of speakers and who left it.
func (w *work) tellSpeakers(c change) {
	before, after := speakersOf(c.before), speakersOf(c.after)
	for _, s := range after {
		if s.id != "" && indexOf(before, s.id) < 0 {
			w.saySpeaker("attached", w.asContact(s), c.after)
		}
	}
	for _, s := range before {
		if s.id != "" && indexOf(after, s.id) < 0 {
			w.saySpeaker("detached", s.doc, c.after)
		}
	}
}

// asContact is a speaker with what is known of the contact; what the session says of it
// goes before.
func (w *work) asContact(s speaker) object {
	if !ValidID(s.id) {
		return s.doc
	}
	contact, known := w.get(contactKey(w.Request, s.id))
	if !known {
		return s.doc
	}
	return document(contact).merge(s.doc)
}

func (w *work) saySpeaker(word string, speaker, session object) {
	event, _ := w.get(w.key(events))
	w.say("session.speaker."+word, w.at, "session:"+w.ids[sessions], w.signed(object{
		{"session", session.encode()}, {"speaker", speaker.encode()}, {"event", event.Doc},
	}))
}

// readSpeaker finds the contact of an activity about a speaker, which may be called so.
func readSpeaker(r *Request) error {
	if err := r.takeID(contacts, r.data.get("speakerId"), "speakerId"); err != nil {
		return err
	}
	given := r.data.get("speaker")
	if given == nil {
		return nil
	}
	if err := (field{aMap, speakerShape}).check(given, []string{"speaker"}); err != nil {
		return err
	}
	return r.takeID(contacts, members(given).get("id"), "speaker", "id")
}

// attachSpeaker puts a contact into a session's list of speakers. It goes in with all that
// is known of it, and with what is said here, such as its role.
func attachSpeaker(w *work) error {
	session, err := w.speakersSession()
	if err != nil {
		return err
	}
	contact, known := w.get(w.key(contacts))
	if !known && w.Source == nil {
		return notFound("contact", "contactId")
	}
	speakers := speakersOf(document(session))
	i := indexOf(speakers, w.ids[contacts])
	if i >= 0 {
		return w.changeSpeaker(session, speakers, i)
	}
	joined := document(contact).without("createdAt", "updatedAt").merge(w.data.object("speaker"))
	joined.fill("id", quote(w.ids[contacts]))
	doc := w.setSpeakers(session, append(speakers, speaker{w.ids[contacts], joined}))
	w.saySpeaker("attached", joined, doc)
	return nil
}

// changeSpeaker changes what a session says of one of its speakers. Nobody is attached by
// that, so it is the session that is updated.
func (w *work) changeSpeaker(session Row, speakers []speaker, i int) error {
	merged := speakers[i].doc.merge(w.data.object("speaker"))
	if same(merged.encode(), speakers[i].doc.encode()) {
		return nil
	}
	speakers[i].doc = merged
	w.sayResource(sessions, ".updated", w.setSpeakers(session, speakers))
	return nil
}

// detachSpeaker takes a contact out of a session's list of speakers.
func detachSpeaker(w *work) error {
	session, err := w.speakersSession()
	if err != nil {
		return err
	}
	speakers := speakersOf(document(session))
	i := indexOf(speakers, w.ids[contacts])
	if i < 0 {
		return nil
	}
	left := speakers[i].doc
	w.saySpeaker("detached", left, w.setSpeakers(session, slices.Delete(speakers, i, i+1)))
	return nil
}

func (w *work) speakersSession() (Row, error) {
	w.out.ID = w.ids[sessions]
	if _, err := w.find(events); err != nil {
		return Row{}, err
	}
	return w.find(sessions)
}

// setSpeakers writes a session's list of speakers.
func (w *work) setSpeakers(session Row, speakers []speaker) object {
	list := make([]value, len(speakers))
	for i, s := range speakers {
		list[i] = s.doc.encode()
	}
	doc := document(session)
	doc.set("speakers", array(list))
	doc.remove("updatedAt")
	doc.set("updatedAt", moment(w.now))
	session.Doc = doc.encode()
	w.put(session)
	return doc
}
