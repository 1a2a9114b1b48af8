package restapi

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/callboard/callboard/internal/live"
)

// AttendanceOut is who attended an event. It is written line by line: this is what the
// document says of it.
type AttendanceOut struct {
	Event            AttendedEvent    `json:"event"`
	AsOf             time.Time        `json:"asOf" doc:"The instant that all figures are of: the time of the request unless asOf was given. Who is present is counted up to then, or up to the event's end if that was before."`
	Data             []AttendanceLine `json:"data" nullable:"false" doc:"One for each registration and session with any attendance by asOf, by registration, then by session."`
	Totals           AttendanceTotals `json:"totals"`
	LatestActivityAt *time.Time       `json:"latestActivityAt" doc:"When the latest join or leave at any of the event's sessions happened, of those that count here; null = there is none. Long before asOf while somebody is present: since then nothing was told, and who was in then counts as present."`
}

// AttendedEvent is the event of a report.
type AttendedEvent struct {
	ID     json.RawMessage `json:"id" doc:"The event's id: a string, or a number if it was given as one."`
	Number json.RawMessage `json:"number" doc:"The event's number, unique in the org."`
	Status json.RawMessage `json:"status" doc:"UPCOMING, ONGOING, COMPLETED or CANCELLED: how it is now, whatever asOf says."`
}

// AttendanceTotals are over all lines.
type AttendanceTotals struct {
	Present  int   `json:"present" doc:"Registrations that are in a session as of asOf, those in several counted once; 0 when the event is over."`
	Attended int   `json:"attended" doc:"Registrations that have joined one by then, those who left included."`
	Minutes  int64 `json:"minutes" doc:"Person-minutes: the minutes of all lines together. Who is in two sessions at a time counts in both."`
}

// AttendanceLine is one person's attendance of one session.
type AttendanceLine struct {
	SessionID      string    `json:"sessionId"`
	RegistrationID string    `json:"registrationId"`
	Present        bool      `json:"present" doc:"Whether the person is in the session as of asOf."`
	Connections    int       `json:"connections" doc:"How many connections (devices) are open as of asOf."`
	PresentSince   time.Time `json:"presentSince,omitzero" doc:"Since when the person has been in the session without a break; absent if it is not present."`
	FirstJoinedAt  time.Time `json:"firstJoinedAt,omitzero" doc:"When the person first joined; absent if only a leave is known."`
	LastLeftAt     time.Time `json:"lastLeftAt,omitzero" doc:"When the last connection was last closed; absent if it never was. A person who came back since is present all the same."`
	Minutes        *int64    `json:"minutes" doc:"Time spent between the event's start and asOf or its end, in whole minutes, several devices counted once; null if a source told of it that knows no leaves."`
	Late           bool      `json:"late" doc:"Whether some of it came after time spent was told."`
}

// attendanceChunk is how many rows are read at once.
const attendanceChunk = 1000

// registerAttendance puts the report of an event on the mux.
func (a *api) registerAttendance() {
	line := `{"sessionId":"keynote","registrationId":"r-1","present":false,"connections":0,"firstJoinedAt":"2027-06-10T09:01:00Z",` +
		`"lastLeftAt":"2027-06-10T09:43:00Z","minutes":42,"late":false}`
	a.plain(huma.Operation{
		OperationID: "v1.event.attendance", Method: http.MethodGet, Path: "/app/{app_id}/event/{event_id}/attendance", Tags: []string{tagLive},
		Summary: "Get an event's attendance",
		Description: "Who is and was in which session, and for how long, as of now or of `asOf`. Who joined counts as present until a leave or the event's end is told. " +
			"`Accept: text/csv` gives the lines as a table. An answer that breaks off is not whole: the JSON then has no end.",
		Parameters: []*huma.Param{{
			Name: "asOf", In: "query", Schema: &huma.Schema{Type: huma.TypeString}, Description: docAsOf,
		}, {
			Name: "lines", In: "query", Schema: &huma.Schema{Type: huma.TypeBoolean, Default: true},
			Description: "false leaves the lines out of the JSON, for whoever wants the totals alone.",
		}},
		Responses: map[string]*huma.Response{"200": {Description: "OK", Content: map[string]*huma.MediaType{
			"application/json": {
				Schema: a.huma.OpenAPI().Components.Schemas.Schema(typeOf[AttendanceOut](), true, ""),
				Example: json.RawMessage(`{"event":{"id":"summit","number":4001,"status":"COMPLETED"},"asOf":"2027-06-11T08:00:00Z","data":[` +
					line + `],"totals":{"present":0,"attended":1,"minutes":42},"latestActivityAt":"2027-06-10T09:43:00Z"}`),
			},
			"text/csv": {
				Schema: &huma.Schema{Type: huma.TypeString},
				Example: strings.Join(attendanceColumns, ",") +
					"\r\nkeynote,r-1,false,0,2027-06-10T09:01:00Z,2027-06-10T09:43:00Z,42,false,\r\n",
			},
		}}},
	}, accessRead, (*call).attendance)
	const timeline = "/app/{app_id}/event/{event_id}/attendance/timeline"
	handle(a, huma.Operation{
		OperationID: "v1.event.attendance-timeline", Method: http.MethodGet, Path: timeline, Tags: []string{tagLive},
		Summary: "Get an event's attendance over time",
		Description: "How many people are present at instants `stepSeconds` apart, from the first join to now or `asOf` or, when all have gone, to the last leave; the last point " +
			"is that instant itself. `joined` and `left` are since the point before. A person counts once, however many sessions and devices it is in.",
	}, accessRead, a.attendanceTimeline)
	answered := a.huma.OpenAPI().Paths[prefix+timeline].Get.Responses["200"]
	answered.Content["application/json"].Example = json.RawMessage(`{"event":{"id":"summit","number":4001,"status":"COMPLETED"},` +
		`"asOf":"2027-06-11T08:00:00Z","latestActivityAt":"2027-06-10T09:43:00Z","stepSeconds":900,"data":[{"at":"2027-06-10T09:00:00Z","present":0,"joined":0,"left":0},` +
		`{"at":"2027-06-10T09:15:00Z","present":1,"joined":1,"left":0},` +
		`{"at":"2027-06-10T09:30:00Z","present":1,"joined":0,"left":0},{"at":"2027-06-10T09:43:00Z","present":0,"joined":0,"left":1}]}`)
}

// AttendanceTimeline is attendance over time.
type AttendanceTimeline struct {
	Event            AttendedEvent     `json:"event"`
	AsOf             time.Time         `json:"asOf" doc:"The instant that it is as of: the time of the request unless asOf was given."`
	LatestActivityAt *time.Time        `json:"latestActivityAt" doc:"When the latest join or leave at any of the event's sessions happened, of those that count here; null = there is none."`
	StepSeconds      int64             `json:"stepSeconds" doc:"Between two points."`
	Data             []AttendancePoint `json:"data" nullable:"false" doc:"At most 500, in order of time."`
}

// AttendancePoint is attendance at an instant.
type AttendancePoint struct {
	At      time.Time `json:"at"`
	Present int       `json:"present" doc:"Registrations that are in a session at that instant, those in several counted once."`
	Joined  int       `json:"joined" doc:"Since the point before; one who left again by now too."`
	Left    int       `json:"left" doc:"Since the point before; at the event's end all who are still there."`
}

// timelineIn are the parameters of an event's attendance over time.
type timelineIn struct {
	AppPath
	EventID   string     `path:"event_id" doc:"The event's id."`
	SessionID string     `query:"session_id" doc:"Only this session's attendance."`
	AsOf      string     `query:"asOf" doc:"As of when, in the past (RFC 3339), or latest: as of the latest join or leave while the event goes on. Now by default."`
	Step      query[int] `query:"step" minimum:"1" maximum:"8640000" doc:"Seconds between two points; by default it follows from the length. One with more than 500 points is refused."`
}

// attendanceTimeline answers GET …/attendance/timeline. Rows are read in chunks; what is
// kept of them is when people came and went.
func (a *api) attendanceTimeline(ctx context.Context, c *call, in *timelineIn) (*answer[AttendanceTimeline], error) {
	event, err := c.pathID("event_id")
	if err != nil {
		return nil, err
	}
	app, err := c.app(ctx)
	if err != nil {
		return nil, err
	}
	row, err := a.Store.Object(ctx, live.Key{App: app.ID, Kind: live.Event, ID: event})
	if err != nil {
		return nil, err
	}
	if in.SessionID != "" {
		if _, err := a.Store.Object(ctx, live.Key{App: app.ID, Kind: live.Session, Parent: event, ID: in.SessionID}); err != nil {
			return nil, err
		}
	}
	instant, err := a.instant(ctx, in.AsOf, row)
	if err != nil {
		return nil, err
	}
	timeline := live.NewTimeline(row, in.SessionID, instant)
	if err := a.eachPresence(ctx, row.Key, timeline.Add); err != nil {
		return nil, err
	}
	points, step, least := timeline.Points(time.Duration(in.Step.Value) * time.Second)
	if least != 0 {
		return nil, invalid(fmt.Sprintf("must be at least %d: there would be more than %d points", int64(least.Seconds()), live.MaxPoints), "query", "step")
	}
	out := AttendanceTimeline{
		AsOf: timeline.AsOf, LatestActivityAt: timePointer(timeline.LatestActivityAt), StepSeconds: int64(step.Seconds()),
		Data: make([]AttendancePoint, len(points)),
	}
	for i, p := range points {
		out.Data[i] = AttendancePoint(p)
	}
	if err := json.Unmarshal(row.Doc, &out.Event); err != nil {
		return nil, err
	}
	return &answer[AttendanceTimeline]{out}, nil
}

// attendance answers GET …/attendance. An event may have more lines than should be in
// memory, so they are read in chunks and written as they come; the totals, which are known
// in the end, come last. What goes wrong after the beginning cuts the connection, since
// the status has been sent.
func (c *call) attendance() error {
	ctx := c.r.Context()
	event, err := c.pathID("event_id")
	if err != nil {
		return err
	}
	app, err := c.app(ctx)
	if err != nil {
		return err
	}
	wanted := query[bool]{Value: true}
	if !parameter(c.r.URL.Query().Get("lines"), &wanted, strconv.ParseBool) {
		return invalid(msgBool, "query", "lines")
	}
	row, err := c.api.Store.Object(ctx, live.Key{App: app.ID, Kind: live.Event, ID: event})
	if err != nil {
		return err
	}
	instant, err := c.api.instant(ctx, c.r.URL.Query().Get("asOf"), row)
	if err != nil {
		return err
	}
	next := c.api.presences(ctx, row.Key)
	chunk, err := next()
	if err != nil {
		return err
	}
	report := live.NewReport(row, instant)
	c.w.Header().Add("Vary", "Accept")
	write := writeAttendanceJSON
	if !wanted.Value {
		write = writeAttendanceTotals
	}
	if prefersCSV(c.r.Header.Values("Accept")) {
		write = writeAttendanceCSV
	}
	lines := func(yield func(live.Line) error) error {
		for len(chunk) > 0 {
			for i := range chunk {
				line, counts := report.Add(chunk[i])
				if !counts {
					continue
				}
				if err := yield(line); err != nil {
					return err
				}
			}
			if chunk, err = next(); err != nil {
				return err
			}
		}
		return nil
	}
	if err := write(c.w, row, report, lines); err != nil {
		c.api.Logger.WarnContext(ctx, "attendance broke off", "error", err)
		panic(http.ErrAbortHandler)
	}
	return nil
}

// presences reads the presences of an event, a chunk at each call; none = there are no
// more.
func (a *api) presences(ctx context.Context, event live.Key) func() ([]live.Row, error) {
	from := live.Range{App: event.App, Kind: live.Presence, Parent: event.ID, Limit: attendanceChunk}
	return func() ([]live.Row, error) {
		if from.Limit == 0 {
			return nil, nil
		}
		rows, err := a.Store.ObjectRange(ctx, from)
		if len(rows) < from.Limit {
			from.Limit = 0
		} else {
			from.After = rows[len(rows)-1].ID
		}
		return rows, err
	}
}

// eachPresence reads all presences of an event.
func (a *api) eachPresence(ctx context.Context, event live.Key, use func(live.Row)) error {
	next := a.presences(ctx, event)
	for {
		chunk, err := next()
		if err != nil || len(chunk) == 0 {
			return err
		}
		for i := range chunk {
			use(chunk[i])
		}
	}
}

// latest is the value of the parameter asOf for whoever follows an event that is told late,
// or whose feed has stopped.
const latest = "latest"

const docAsOf = "As of when, in the past (RFC 3339): the state as it was then, from the joins and leaves that had happened. `latest` is the time of " +
	"the latest join or leave while the event goes on: for an event that is told late, or whose feed has stopped. Now by default."

const (
	msgAsOf   = "must be an RFC 3339 time such as 2027-06-10T09:00:00Z, or latest"
	msgFuture = "must not be in the future"
)

// instant is what figures of an event are to be as of. The end of an event is known as all
// of its joins and leaves are, so that the latest of an event that has ended is the present.
func (a *api) instant(ctx context.Context, text string, event live.Row) (live.Instant, error) {
	now := time.Now()
	switch {
	case text == "" || text == latest && live.Ended(event, now):
		return live.Now(now), nil
	case text == latest:
		var at time.Time
		err := a.eachPresence(ctx, event.Key, func(row live.Row) {
			if one := live.LatestActivity(row); one.After(at) {
				at = one
			}
		})
		if err != nil || at.IsZero() {
			return live.Now(now), err
		}
		return live.At(at), nil
	}
	at, err := parseTime(text)
	switch {
	case err != nil:
		return live.Instant{}, invalid(msgAsOf, "query", "asOf")
	case at.After(now):
		return live.Instant{}, invalid(msgFuture, "query", "asOf")
	}
	return live.At(at), nil
}

// lines gives a report's lines to a function until one fails.
type lines func(func(live.Line) error) error

func writeAttendanceJSON(w http.ResponseWriter, event live.Row, report *live.Report, all lines) error {
	var named AttendedEvent
	if err := json.Unmarshal(event.Doc, &named); err != nil {
		return err
	}
	head, err := json.Marshal(named)
	if err != nil {
		return err
	}
	asOf, err := json.Marshal(report.AsOf)
	if err != nil {
		return err
	}
	w.Header()["Content-Type"] = jsonType
	out := []byte(`{"event":` + string(head) + `,"asOf":` + string(asOf) + `,"data":[`)
	first := true
	err = all(func(line live.Line) error {
		if !first {
			out = append(out, ',')
		}
		first = false
		text, err := json.Marshal(line)
		if err != nil {
			return err
		}
		out = append(out, text...)
		return flushLarge(w, &out)
	})
	if err != nil {
		return err
	}
	tail, err := json.Marshal(struct {
		Totals           live.Totals `json:"totals"`
		LatestActivityAt *time.Time  `json:"latestActivityAt"`
	}{report.Totals, timePointer(report.LatestActivityAt)})
	if err != nil {
		return err
	}
	_, err = w.Write(append(append(append(out, "],"...), tail[1:]...), '\n'))
	return err
}

// writeAttendanceTotals writes no lines, but what they come to.
func writeAttendanceTotals(w http.ResponseWriter, event live.Row, report *live.Report, all lines) error {
	if err := all(func(live.Line) error { return nil }); err != nil {
		return err
	}
	return writeAttendanceJSON(w, event, report, func(func(live.Line) error) error { return nil })
}

// flushLarge writes what has gathered once it is large.
func flushLarge(w io.Writer, out *[]byte) error {
	if len(*out) < maxPooled/2 {
		return nil
	}
	_, err := w.Write(*out)
	*out = (*out)[:0]
	return err
}

var attendanceColumns = []string{
	"sessionId", "registrationId", "present", "connections", "firstJoinedAt", "lastLeftAt", "minutes", "late", "presentSince",
}

func writeAttendanceCSV(w http.ResponseWriter, _ live.Row, _ *live.Report, all lines) error {
	w.Header().Set("Content-Type", "text/csv; charset=utf-8; header=present")
	w.Header().Set("Content-Disposition", `attachment; filename="attendance.csv"`)
	out := csv.NewWriter(w)
	out.UseCRLF = true
	if err := out.Write(attendanceColumns); err != nil {
		return err
	}
	err := all(func(line live.Line) error {
		return out.Write([]string{
			line.SessionID, line.RegistrationID, strconv.FormatBool(line.Present), strconv.Itoa(line.Connections),
			cellTime(line.FirstJoinedAt), cellTime(line.LastLeftAt), cellCount(line.Minutes), strconv.FormatBool(line.Late),
			cellTime(line.PresentSince),
		})
	})
	out.Flush()
	return errors.Join(err, out.Error())
}

func cellTime(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339Nano)
}

func cellCount(n *int64) string {
	if n == nil {
		return ""
	}
	return strconv.FormatInt(*n, 10)
}

// prefersCSV reports whether a request wants a table rather than JSON: it names the one,
// and the other not with more weight.
func prefersCSV(accept []string) bool {
	table, object := -1.0, -1.0
	for part := range strings.SplitSeq(strings.Join(accept, ","), ",") {
		kind, params, err := mime.ParseMediaType(part)
		if err != nil {
			continue
		}
		weight := 1.0
		if q, err := strconv.ParseFloat(params["q"], 64); err == nil {
			weight = q
		}
		switch kind {
		case "text/csv", "text/*":
			table = max(table, weight)
		case "application/json":
			object = max(object, weight)
		}
	}
	return table > 0 && table >= object
}
