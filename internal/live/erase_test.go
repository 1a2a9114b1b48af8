package live_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/callboard/callboard/internal/live"
)

// TestPartsGo: a contact, exhibitor or sponsor that is deleted leaves no association, and
// one that is created again under its id has none.
func TestPartsGo(t *testing.T) {
	t.Parallel()
	for _, noun := range []string{"contact", "exhibitor", "sponsor"} {
		t.Run(noun, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.unchecked = true
			for i := range 1100 { // more than one step looks at
				w.do("event.created", `{"id":"e%d"}`, i)
			}
			w.do(noun+".created", `{"id":"x"}`)
			w.do(noun+".created", `{"id":"y"}`)
			for _, e := range []string{"e0", "e1099", "e7"} {
				for _, id := range []string{"x", "y"} {
					w.do(noun+".event.associated", `{"eventId":"%s","%sId":"%s"}`, e, noun, id)
				}
			}
			w.do(noun+".deleted", `{"id":"x"}`)
			r := w.refused(live.Activity{Type: noun + ".created", Data: []byte(`{"id":"x"}`)})
			equal(t, "too early", r.Kind, live.Conflict)
			equal(t, "nothing is said", w.until(1), "")
			equal(t, "associations left", count(w, live.Association), 3)
			equal(t, "sweeps left", count(w, live.Sweep), 0)
			equal(t, "again", w.do(noun+".created", `{"id":"x"}`), noun+".created")
		})
	}
}

func count(w *world, kind live.Kind) (n int) {
	for k := range w.rows {
		if k.Kind == kind {
			n++
		}
	}
	return n
}

// TestErase: nothing is left of a contact that is erased, wherever it was listed, and the
// message tells no more than its id.
func TestErase(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ada := `{"id":"ada","firstName":"Ada"}`
	w.do("contact.created", "%s", ada)
	w.do("contact.created", `{"id":"bob","firstName":"Bob"}`)
	for _, e := range []string{"e1", "e2", "e3"} {
		w.do("event.created", `{"id":"%s","startDate":"2027-06-10T13:00:00Z","endDate":"2027-06-10T15:00:00Z"}`, e)
		w.do("contact.event.associated", `{"eventId":"%s","contactId":"ada"}`, e)
		if e != "e2" {
			w.do("session.created", `{"eventId":"%s","id":"s","title":"T","speakers":[{"id":"bob"},%s],"moderators":[%s]}`, e, ada, ada)
			w.do("session.created", `{"eventId":"%s","id":"other","speakers":[{"id":"bob"}]}`, e)
		}
	}
	w.do("sponsor.created", `{"id":"sp","name":"S","contacts":[%s,{"id":"bob"}]}`, ada)
	w.do("exhibitor.created", `{"id":"ex","name":"X","contacts":[%s]}`, ada)

	out, err := w.apply(live.Activity{Type: "contact.deleted", Mode: live.Delete, Erase: true, Data: []byte(`{"contactId":"ada"}`)})
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "messages", types(out), "contact.deleted")
	if data := string(out.Messages[0].Data); strings.Contains(data, "Ada") || !strings.Contains(data, `"id":"ada"`) {
		t.Errorf("the message says %s", data)
	}
	equal(t, "nothing else is said", w.until(1), "")
	for k, row := range w.rows {
		if strings.Contains(string(row.Doc)+string(row.State)+k.ID, "ada") {
			t.Errorf("%v still says %s %s", k, row.Doc, row.State)
		}
	}
	other := w.rows[live.Key{App: app, Kind: live.Session, Parent: "e1", ID: "other"}]
	if !strings.Contains(string(other.Doc), `"updatedAt":"2027-06-10T12:00:00`) {
		t.Errorf("what did not list her was changed: %s", other.Doc)
	}
	equal(t, "bob's lists", count(w, live.Session), 4)
}

// TestEraseEverywhere: people stand in lists within lists as well, and in the sessions that
// others join while the sweep goes on; they are forgotten only when it is over.
func TestEraseEverywhere(t *testing.T) {
	t.Parallel()
	w := conf(t)
	w.unchecked = true
	w.do("contact.created", `{"id":"ada","firstName":"Ada"}`)
	w.do("session.updated", `{"eventId":"e1","id":"s2","subsessions":[{"id":"x","chairpersons":[{"id":"ada"}]}],"sponsors":[{"sponsorId":"s","contacts":[{"id":"ada"},{"id":"bob"}]}]}`)
	erase := live.Activity{Type: "contact.deleted", Mode: live.Delete, Erase: true, Data: []byte(`{"contactId":"ada"}`)}
	out, err := w.apply(erase)
	equal(t, "forgotten too early", fmt.Sprint(out.Forget, err), "<nil> <nil>")
	forgotten := 0
	for range 20 {
		out, fired := w.fireOnce(0)
		if !fired {
			break
		}
		if out.Forget != nil {
			forgotten++
			equal(t, "who", *out.Forget, live.Person{Kind: live.Contact, ID: "ada"})
			equal(t, "sweeps left", count(w, live.Sweep), 0)
		}
	}
	equal(t, "times forgotten", forgotten, 1)
	doc := string(w.rows[live.Key{App: app, Kind: live.Session, Parent: "e1", ID: "s2"}].Doc)
	if strings.Contains(doc, "ada") || !strings.Contains(doc, `"contacts":[{"id":"bob"}]`) {
		t.Errorf("the session says %s", doc)
	}

	out, err = w.apply(erase)
	equal(t, "one that is gone", fmt.Sprint(len(out.Messages), count(w, live.Sweep), err), "0 1 <nil>")
	out, err = w.apply(live.Activity{Type: "registration.deleted", Mode: live.Delete, Erase: true, Data: []byte(`{"eventId":"e1","registrationId":"gone"}`)})
	equal(t, "a registration that is gone", fmt.Sprint(*out.Forget, len(out.Messages), err), "{3 e1 gone} 0 <nil>")
	out, err = w.apply(live.Activity{Type: "registration.deleted", Erase: true, Data: []byte(`{"eventId":"e1","id":"r1"}`)})
	equal(t, "told as an activity", fmt.Sprint(*out.Forget, len(out.Messages), err), "{3 e1 r1} 0 <nil>")
}

func TestCarries(t *testing.T) {
	t.Parallel()
	contact := live.Person{Kind: live.Contact, ID: "42"}
	registration := live.Person{Kind: live.Registration, Event: "e", ID: "42"}
	rows := []struct {
		name    string
		person  live.Person
		payload string
		want    bool
	}{
		{"a contact", contact, `{"type":"contact.updated","data":{"contact":{"id":"42","firstName":"A"}}}`, true},
		{"that it is gone", contact, `{"type":"contact.deleted","data":{"contact":{"id":"42","deletedAt":"2027-06-10T12:00:00.000Z"}}}`, false},
		{"a number as its id", contact, `{"data":{"contact":{"id":42,"title":"Dr"}}}`, true},
		{"written with escapes", contact, `{"data":{"contact":{"id":"\u0034\u0032","title":"Dr"}}}`, true},
		{"another's", contact, `{"data":{"contact":{"id":"421"}}}`, false},
		{"a speaker", contact, `{"data":{"speaker":{"speakerId":"42"},"session":{"id":"s"}}}`, true},
		{"among speakers", contact, `{"data":{"session":{"id":"s","speakers":[{"id":"1"},{"id":"42"}]}}}`, true},
		{"among a sponsor's", contact, `{"data":{"sponsor":{"id":"s","contacts":[{"id":"42"}]}}}`, true},
		{"a session of that id", contact, `{"data":{"session":{"id":"42","speakers":[]}}}`, false},
		{"a registration of that id", contact, `{"data":{"registration":{"id":"42"},"event":{"id":"e"}}}`, false},
		{"a registration", registration, `{"data":{"event":{"id":"e"},"registration":{"id":"42"}}}`, true},
		{"another event's", registration, `{"data":{"event":{"id":"f"},"registration":{"id":"42"}}}`, false},
		{"a contact of that id", registration, `{"data":{"event":{"id":"e"},"contact":{"id":"42"}}}`, false},
		{"somebody's own form", contact, `{"contact":{"id":"42"}}`, false},
		{"no object", contact, `"42"`, false},
		{"nothing", contact, ``, false},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			equal(t, "carries", row.person.Carries([]byte(row.payload)), row.want)
		})
	}
}
