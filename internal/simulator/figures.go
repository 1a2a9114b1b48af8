package simulator

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/callboard/callboard/client"
	"github.com/callboard/callboard/wire/native"
)

// figures are the types of the messages that tell who spent how much time where, and who came.
var figures = []native.Type{
	native.SessionTimeSpent, native.EventTimeSpent, native.ConferenceParticipantTimeSpent, native.RegistrationAttended,
	native.RegistrationNoShow,
}

// Hear takes a webhook into an account, if it tells figures of the day.
func (d *Day) Hear(heard *Account, w *native.Webhook) {
	switch data := w.Data.(type) {
	case *native.Attendance:
		if data.Event.ID.String() != d.Plan.Name || data.TimeSpentInMinutes == nil {
			return
		}
		who, spent := data.Registration.ID.String(), int(*data.TimeSpentInMinutes)
		switch w.Type {
		case native.SessionTimeSpent:
			put(heard, heard.Sessions, Place{data.Session.ID.String(), who}, spent)
		case native.EventTimeSpent:
			put(heard, heard.Event, who, spent)
		}
	case *native.RegistrationChange:
		if data.Event.ID.String() == d.Plan.Name && w.Type != native.RegistrationCreated {
			put(heard, heard.Came, data.Registration.ID.String(), w.Type == native.RegistrationAttended)
		}
	case *native.ConferenceParticipant:
		if d.hasConference(data.ConferenceID.String()) && data.TimeSpentInMinutes != nil {
			put(heard, heard.Conferences, Place{data.ConferenceID.String(), data.ParticipantID.String()}, int(*data.TimeSpentInMinutes))
		}
	}
}

func (d *Day) hasConference(id string) bool {
	return id == d.number(aBriefing) || id == d.number(aRoundtable)
}

// put notes what was heard, and what was heard before.
func put[K comparable, V any](heard *Account, in map[K]V, key K, value V) {
	if _, before := in[key]; before {
		heard.Repeated = append(heard.Repeated, fmt.Sprintf("%v was told again", key))
	}
	in[key] = value
}

// Complete reports whether all that was heard is all that there is to hear: the last that a server tells of an event is
// who came.
func (d *Day) Complete(heard *Account) bool { return len(heard.Came) >= len(d.Account.Came) }

// completedWithin is how long a server may take to see that an event has ended: its clock may be behind.
const completedWithin = 10 * time.Second

// Attendance reads what a server's report of attendance says of the day once its event has ended.
func (d *Day) Attendance(ctx context.Context, app client.App) (*Account, error) {
	deadline := time.Now().Add(completedWithin)
	for {
		report, err := app.Attendance(ctx, d.Plan.Name)
		if err != nil {
			return nil, err
		}
		if report.Event.Status == native.EventStatusCompleted {
			return accountOf(report)
		}
		if time.Now().After(deadline) {
			return nil, fmt.Errorf("the event has ended, and the server says that it is %s", report.Event.Status)
		}
		select {
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		case <-time.After(tick):
		}
	}
}

func accountOf(report client.AttendanceReport) (*Account, error) {
	a := NewAccount()
	for _, l := range report.Lines {
		if l.Minutes == nil {
			return nil, errors.New("the report of attendance has a line without minutes")
		}
		put(a, a.Sessions, Place{l.SessionID, l.RegistrationID}, int(*l.Minutes))
	}
	return a, nil
}

// Heard reads the messages of an app that tell figures of the day.
func (d *Day) Heard(ctx context.Context, c *client.Client, app string) (*Account, error) {
	heard := NewAccount()
	iterator := ""
	for {
		page, err := d.messages(ctx, c, app, iterator, maxPage)
		if err != nil {
			return nil, err
		}
		for _, m := range page.Data {
			w, err := native.Decode(m.Payload)
			if err != nil {
				return nil, fmt.Errorf("message %s: %w", m.ID, err)
			}
			d.Hear(heard, w)
		}
		if page.Done || page.Iterator == "" {
			return heard, nil
		}
		iterator = page.Iterator
	}
}

const maxPage = 250

// messagePage is a page of an app's messages, the latest first.
type messagePage struct {
	Data []struct {
		ID      string          `json:"id"`
		Payload json.RawMessage `json:"payload"`
	} `json:"data"`
	Iterator string `json:"iterator"`
	Done     bool   `json:"done"`
}

func (d *Day) messages(ctx context.Context, c *client.Client, app, iterator string, limit int) (page messagePage, err error) {
	var types []string
	for _, t := range figures {
		types = append(types, string(t))
	}
	query := url.Values{"limit": {fmt.Sprint(limit)}, "event_types": {strings.Join(types, ",")}, "after": {d.opens.Format(time.RFC3339)}}
	if iterator != "" {
		query.Set("iterator", iterator)
	}
	err = c.Do(ctx, http.MethodGet, "/app/"+url.PathEscape(app)+"/msg?"+query.Encode(), nil, &page)
	return page, err
}

// askEvery is how often a server is asked whether it has told the figures.
const askEvery = time.Second

// Await waits until a server has told the figures of the day, and gives them. All messages are read only when there have
// come new ones and no more.
func (d *Day) Await(ctx context.Context, c *client.Client, app string) (*Account, error) {
	beat := time.NewTicker(askEvery)
	defer beat.Stop()
	var latest, read string
	for {
		page, err := d.messages(ctx, c, app, "", 1)
		if err != nil {
			return nil, err
		}
		before := latest
		if len(page.Data) > 0 {
			latest = page.Data[0].ID
		}
		if latest == before && latest != read {
			heard, err := d.Heard(ctx, c, app)
			if err != nil || d.Complete(heard) {
				return heard, err
			}
			read = latest
		}
		select {
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		case <-beat.C:
		}
	}
}
