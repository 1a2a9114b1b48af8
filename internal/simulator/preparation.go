package simulator

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/callboard/callboard/client"
	"github.com/callboard/callboard/wire"
	"github.com/callboard/callboard/wire/native"
)

const days = 24 * time.Hour

// margin is how much later than planned an event may end, for a server that is slow.
const margin = 6 * time.Hour

// write adds a change to a resource; by says when it happened, and who did it.
func (d *Day) write(offset time.Duration, what string, do func(ctx context.Context, app client.App, by ...client.Change) error) {
	at := d.at(offset)
	d.add(Happening{At: at, What: what, Write: func(ctx context.Context, c *client.Client, app string) error {
		return do(ctx, c.App(app), client.At(at), client.By("organizer", native.ActorUser))
	}})
}

// prepare tells what was made before the day, and what is changed on it.
func (d *Day) prepare() {
	d.announce()
	d.invite()
	d.schedule()
	d.exhibit()
	d.sponsor()
	d.importTalks()
}

// announce makes the event. Its end stands when all has been told: see Day.end.
func (d *Day) announce() {
	event := native.Event{
		ID: wire.Text(d.Plan.Name), Name: "Live Summit", Description: "A day on software for people who meet live.",
		Identifier: wire.Text(d.Plan.Name), StartDate: millis(d.at(eventOpens)), EndDate: millis(d.Plan.Ends.Add(margin)),
		Timezone: "Europe/Berlin", Type: native.EventKindEvent, Format: native.EventFormatHybrid,
	}
	d.write(-60*days, "create the event", func(ctx context.Context, app client.App, by ...client.Change) error {
		_, err := app.Events().Create(ctx, event, by...)
		return err
	})
	d.write(16*time.Minute, "describe the event", func(ctx context.Context, app client.App, by ...client.Change) error {
		_, err := app.Events().Patch(ctx, d.Plan.Name, native.Event{Description: event.Description + " Now live."}, by...)
		return err
	})
}

// end writes the event's end when all of the day was told. Were it written before, a server that is slow could close
// its figures on what is still to come.
func (d *Day) end(ctx context.Context, app client.App) error {
	_, err := app.Events().Patch(ctx, d.Plan.Name, native.Event{EndDate: millis(d.Plan.Ends)}, client.By("organizer", native.ActorUser))
	return err
}

func millis(t time.Time) wire.Millis { return wire.Millis{Time: t} }

// contact is a speaker, or somebody who was to be one.
func (d *Day) contact(n int) native.Contact {
	p := newPerson(d.random("contact", n), "speaker", n)
	return native.Contact{
		ID: wire.Text(d.speaker(n)), FirstName: p.first, LastName: p.last, FullName: p.name(), Email: p.email, PhoneMobile: p.phone,
		CompanyName: p.company, Title: p.job, AddressCountry: p.country, About: p.first + " has seen every stage from behind.",
	}
}

func (d *Day) speaker(n int) string { return d.id(fmt.Sprint("speaker-", n)) }

// invite makes the speakers, one for each talk and one more, who does not come after all.
func (d *Day) invite() {
	spare := len(talks())
	for n := range spare + 1 {
		contact := d.contact(n)
		d.write(-50*days+time.Duration(n)*time.Hour, "create a contact", func(ctx context.Context, app client.App, by ...client.Change) error {
			_, err := app.Contacts().Create(ctx, contact, by...)
			return err
		})
		d.write(-48*days+time.Duration(n)*time.Hour, "associate a contact", func(ctx context.Context, app client.App, by ...client.Change) error {
			return app.Contacts().Associate(ctx, contact.ID.String(), d.Plan.Name, by...)
		})
	}
	d.write(6*time.Minute, "change a contact", func(ctx context.Context, app client.App, by ...client.Change) error {
		_, err := app.Contacts().Patch(ctx, d.speaker(0), native.Contact{Title: "Keynote speaker"}, by...)
		return err
	})
	d.write(205*time.Minute, "disassociate a contact", func(ctx context.Context, app client.App, by ...client.Change) error {
		return app.Contacts().Disassociate(ctx, d.speaker(spare), d.Plan.Name, by...)
	})
	d.write(206*time.Minute, "delete a contact", func(ctx context.Context, app client.App, by ...client.Change) error {
		return app.Contacts().Delete(ctx, d.speaker(spare), by...)
	})
}

// session is a talk as a server has it.
func (d *Day) session(t talk) native.Session {
	capacity, public := native.Int(t.capacity), true
	return native.Session{
		ID: wire.Text(t.id), Title: t.title, Description: t.about, StartDateTime: millis(d.at(t.from)), EndDateTime: millis(d.at(t.to)),
		Location: native.Locations{{ID: wire.Text(t.room), Name: t.room, Type: native.LocationStage, Link: "https://events.example.com/" + t.id}},
		Track:    &native.Term{ID: wire.Text(t.track), Name: t.track}, Room: &native.Term{ID: wire.Text(t.room), Name: t.room},
		Status: native.SessionStatusAccepted, IsPublic: &public, Capacity: &capacity,
	}
}

// schedule makes the sessions and their speakers, and changes some on the day.
func (d *Day) schedule() {
	for n, t := range append(talks(), cancelled) {
		session := d.session(t)
		d.write(-45*days+time.Duration(n)*time.Hour, "create a session", func(ctx context.Context, app client.App, by ...client.Change) error {
			_, err := app.Sessions(d.Plan.Name).Create(ctx, session, by...)
			return err
		})
		if n < len(talks()) {
			d.attach(-44*days+time.Duration(n)*time.Hour, t.id, n)
		}
	}
	d.write(75*time.Minute, "move a session", func(ctx context.Context, app client.App, by ...client.Change) error {
		_, err := app.Sessions(d.Plan.Name).Patch(ctx, "hybrid", native.Session{Room: &native.Term{ID: wire.Text("Garden"), Name: "Garden"}}, by...)
		return err
	})
	d.write(100*time.Minute, "delete a session", func(ctx context.Context, app client.App, by ...client.Change) error {
		return app.Sessions(d.Plan.Name).Delete(ctx, cancelled.id, by...)
	})
	d.write(200*time.Minute, "detach a speaker", func(ctx context.Context, app client.App, by ...client.Change) error {
		return app.DetachSpeaker(ctx, d.Plan.Name, "volunteers", d.speaker(6), by...)
	})
	d.attach(201*time.Minute, "volunteers", 3)
}

func (d *Day) attach(offset time.Duration, session string, speaker int) {
	d.write(offset, "attach a speaker", func(ctx context.Context, app client.App, by ...client.Change) error {
		return app.AttachSpeaker(ctx, d.Plan.Name, session, d.speaker(speaker), nil, by...)
	})
}

// exhibit makes the exhibitors, of which one goes home early.
func (d *Day) exhibit() {
	guests(d, "exhibitor", -40*days, func(app client.App) *client.Guests[native.Exhibitor] { return app.Exhibitors() },
		func(c native.Sponsor) native.Exhibitor { return native.Exhibitor(c) })
}

// sponsor makes the sponsors, of which one withdraws.
func (d *Day) sponsor() {
	guests(d, "sponsor", -35*days, func(app client.App) *client.Guests[native.Sponsor] { return app.Sponsors() },
		func(c native.Sponsor) native.Sponsor { return c })
}

// guests makes four companies of a kind that come to the event. One of them changes, and one goes.
func guests[T any](d *Day, kind string, offset time.Duration, all func(client.App) *client.Guests[T], as func(native.Sponsor) T) {
	const companiesOfAKind = 4
	r := d.random(kind, 0)
	names := r.Perm(len(companies))
	id := func(n int) string { return d.id(fmt.Sprint(kind, "-", n)) }
	for n := range companiesOfAKind {
		company := as(native.Sponsor{
			ID: wire.Text(id(n)), Name: companies[names[n]], Description: "Cameras, microphones and the people who know them.",
			Phone: fmt.Sprintf("+120255501%02d", r.IntN(100)), AddressCountry: pick(r, countries), WebsiteURL: "https://company.example.com",
		})
		d.write(offset+time.Duration(2*n)*time.Hour, "create "+kind, func(ctx context.Context, app client.App, by ...client.Change) error {
			_, err := all(app).Create(ctx, company, by...)
			return err
		})
		d.write(offset+time.Duration(2*n+1)*time.Hour, "associate "+kind, func(ctx context.Context, app client.App, by ...client.Change) error {
			return all(app).Associate(ctx, id(n), d.Plan.Name, by...)
		})
	}
	d.write(8*time.Minute, "change "+kind, func(ctx context.Context, app client.App, by ...client.Change) error {
		_, err := all(app).Patch(ctx, id(0), as(native.Sponsor{Description: "Visit us in the hall."}), by...)
		return err
	})
	d.write(405*time.Minute, "disassociate "+kind, func(ctx context.Context, app client.App, by ...client.Change) error {
		return all(app).Disassociate(ctx, id(3), d.Plan.Name, by...)
	})
	d.write(406*time.Minute, "delete "+kind, func(ctx context.Context, app client.App, by ...client.Change) error {
		return all(app).Delete(ctx, id(3), by...)
	})
}

// importTalks sends the two messages of the catalogue that no live state has a part in: one vendor's, of a recorded
// conversation that was imported, and of one that was not. They go through the door for messages.
func (d *Day) importTalks() {
	d.post(420*time.Minute, "iotum.vcon_import_success", map[string]any{"conference_id": d.number(aBriefing)})
	d.post(421*time.Minute, "iotum.vcon_import_failure", map[string]any{"error": "the dialog has no media"})
}

func (d *Day) post(offset time.Duration, eventType string, data map[string]any) {
	r := d.random(eventType, 0)
	data["uuid"] = fmt.Sprintf("%08x-%04x-4%03x-8%03x-%012x", r.Uint32(), r.IntN(1<<16), r.IntN(1<<12), r.IntN(1<<12), r.Int64N(1<<48))
	data["company_id"], data["host_id"] = d.number(aCompany), d.number(aHost)
	at := d.at(offset)
	message := map[string]any{
		"eventType": eventType, "eventId": d.id(eventType),
		"payload": map[string]any{"type": eventType, "timestamp": millis(at), "data": data},
	}
	d.add(Happening{At: at, What: "post " + eventType, Write: func(ctx context.Context, c *client.Client, app string) error {
		return c.Do(ctx, http.MethodPost, "/app/"+url.PathEscape(app)+"/msg", message, nil)
	}})
}
