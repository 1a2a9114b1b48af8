package client

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/callboard/callboard/wire"
	"github.com/callboard/callboard/wire/native"
)

// A View says more of a look at attendance: as of when it is.
type View func(url.Values)

// AsOf looks at how it was at a time, from the joins and leaves that had happened by then. A time
// in the future is an [*Error] with the status 422.
func AsOf(t time.Time) View {
	return func(q url.Values) { q.Set("asOf", t.UTC().Format(time.RFC3339Nano)) }
}

// AsOfLatest looks as of the latest join or leave while the event goes on, and as of now once it
// has ended: for an event that is told late, whose attendees would count as present until now.
func AsOfLatest() View { return func(q url.Values) { q.Set("asOf", "latest") } }

// AttendanceReport is who is and was in which session of an event, and for how long.
type AttendanceReport struct {
	Event AttendedEvent `json:"event"`
	// AsOf is the instant that all figures are of: when it was looked up, or what a [View] says. Who
	// is present is counted up to then.
	AsOf time.Time `json:"asOf"`
	// LatestActivityAt is when the latest join or leave happened, of those that count here; zero =
	// there is none. Long before AsOf while somebody is present, nothing was told since.
	LatestActivityAt time.Time `json:"latestActivityAt,omitzero"`
	// Lines are one for each registration and session with any attendance, by registration, then
	// by session.
	Lines  []AttendanceLine `json:"data"`
	Totals AttendanceTotals `json:"totals"`
}

// AttendedEvent is the event of a report.
type AttendedEvent struct {
	ID     wire.ID            `json:"id"`
	Number native.Int         `json:"number"` // unique in the org
	Status native.EventStatus `json:"status"`
}

// AttendanceLine is one person's attendance of one session.
type AttendanceLine struct {
	SessionID      string    `json:"sessionId"`
	RegistrationID string    `json:"registrationId"`
	Present        bool      `json:"present"`                // in the session now
	Connections    int       `json:"connections"`            // open now
	PresentSince   time.Time `json:"presentSince,omitzero"`  // without a break; zero = it is not present
	FirstJoinedAt  time.Time `json:"firstJoinedAt,omitzero"` // zero = never
	LastLeftAt     time.Time `json:"lastLeftAt,omitzero"`    // zero = never
	// Minutes is the time spent so far in whole minutes, several devices counted once; nil if a
	// source told of it that knows no leaves.
	Minutes *int64 `json:"minutes"`
	// Late is true if some of it came after time spent was told.
	Late bool `json:"late"`
}

// AttendanceTotals are over all lines.
type AttendanceTotals struct {
	Present  int   `json:"present"`  // registrations that are in a session now
	Attended int   `json:"attended"` // registrations that were in one
	Minutes  int64 `json:"minutes"`  // of all lines together
}

// maxReport bounds an attendance report, in bytes: some millions of lines.
const maxReport = 1 << 30

// Attendance reports who attended an event, as of now unless a view says otherwise. All of it is in memory then: a line for
// each person and session, some 200 bytes. A report that breaks off is an [*UnreachableError].
func (a App) Attendance(ctx context.Context, eventID string, views ...View) (AttendanceReport, error) {
	path, err := a.at("event", eventID, "attendance").path()
	if err != nil {
		return AttendanceReport{}, err
	}
	var report AttendanceReport
	err = a.client.exchange(ctx, &request{method: http.MethodGet, path: path + query(views), read: func(answer io.Reader) error {
		report = AttendanceReport{} // of a try before, perhaps
		return json.NewDecoder(io.LimitReader(answer, maxReport)).Decode(&report)
	}})
	return report, err
}

// AttendanceTimeline is an event's attendance over time.
type AttendanceTimeline struct {
	Event AttendedEvent `json:"event"`
	// AsOf is when it was looked up, or what a [View] says.
	AsOf time.Time `json:"asOf"`
	// LatestActivityAt is when the latest join or leave happened, of those that count here; zero =
	// there is none.
	LatestActivityAt time.Time         `json:"latestActivityAt,omitzero"`
	StepSeconds      int64             `json:"stepSeconds"` // between two points
	Points           []AttendancePoint `json:"data"`        // at most 500, in order of time
}

// AttendancePoint is attendance at an instant.
type AttendancePoint struct {
	At      time.Time `json:"at"`
	Present int       `json:"present"` // registrations, those in several sessions counted once
	Joined  int       `json:"joined"`  // since the point before
	Left    int       `json:"left"`    // since the point before
}

// AttendanceTimeline reports how many attended an event at which time, from the first join to
// the last leave or now, unless a view says otherwise. The server chooses the step.
func (a App) AttendanceTimeline(ctx context.Context, eventID string, views ...View) (AttendanceTimeline, error) {
	var timeline AttendanceTimeline
	path, err := a.at("event", eventID, "attendance", "timeline").path()
	if err == nil {
		err = a.client.Do(ctx, http.MethodGet, path+query(views), nil, &timeline)
	}
	return timeline, err
}

// AttendanceCSV writes the lines of the same report as a table, RFC 4180 with a header, as they
// come from the server. After an error the table is not whole; it is not begun again once
// something was written.
func (a App) AttendanceCSV(ctx context.Context, eventID string, w io.Writer, views ...View) error {
	path, err := a.at("event", eventID, "attendance").path()
	if err != nil {
		return err
	}
	table, err := a.client.Open(ctx, path+query(views), "text/csv")
	if err != nil {
		return err
	}
	defer func() { _ = table.Close() }()
	_, err = io.Copy(w, table)
	return err
}
