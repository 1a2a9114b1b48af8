package e2e_test

import (
	"encoding/csv"
	"fmt"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/callboard/callboard/internal/e2e/browser"
	"github.com/callboard/callboard/internal/e2e/kit"
)

// tell tells activities, all of which must be applied.
func (o operator) tell(t testing.TB, app string, activities ...fields) {
	t.Helper()
	var out struct{ Data []struct{ Status string } }
	o.call(t, http.StatusAccepted, http.MethodPost, "/app/"+app+"/activity", fields{"activities": activities}, &out)
	for i, one := range out.Data {
		if one.Status != "applied" {
			t.Fatalf("activity %d is %s: %v", i, one.Status, activities[i])
		}
	}
}

// move is that somebody joins a session of the event summit, or leaves it.
func move(word, session, registration string) fields {
	return fields{"type": "session." + word, "data": fields{"eventId": "summit", "sessionId": session, "registrationId": registration}}
}

// summit makes an event that goes on, with two sessions and three people.
func (o operator) summit(t testing.TB, app string) {
	t.Helper()
	now := time.Now().UTC().Truncate(time.Second)
	acts := []fields{
		{"type": "event.created", "data": fields{"id": "summit", "name": "Harbour Summit", "startDate": now.Add(-time.Hour), "endDate": now.Add(time.Hour)}},
		{"type": "session.created", "data": fields{"eventId": "summit", "id": "keynote", "title": "Opening keynote", "room": fields{"name": "Main stage"}}},
		{"type": "session.created", "data": fields{"eventId": "summit", "id": "captions", "title": "Captions that help"}},
	}
	for _, name := range []string{"Ada", "Grace", "Hedy"} {
		acts = append(acts, fields{"type": "registration.created", "data": fields{
			"eventId": "summit", "id": strings.ToLower(name), "profile": fields{"firstName": name, "email": strings.ToLower(name) + "@example.com"},
		}})
	}
	o.tell(t, app, acts...)
}

// TestBrowserLive follows who is where, without a reload: in the list of events, and of one event by session, by person and
// over time. Its figures are the API's, and its table can be saved.
func TestBrowserLive(t *testing.T) {
	needBrowser(t)
	t.Parallel()
	s := start(t, kit.Config{})
	o := operator{s, mint(t, s)}
	app := o.newApp(t, "acme")
	p := signIn(t, s, "--app", app)
	p.Click("link", "Live")
	p.See("No events yet")
	looks(t, p, "live-empty")

	o.summit(t, app)
	events := p.Within("table", "Events")
	events.See("Harbour Summit № 4001 · summit Ongoing")
	o.tell(t, app, move("joined", "keynote", "ada"), move("joined", "captions", "grace"))
	events.See("2 2") // here now, and attended
	p.Click("link", "Harbour Summit")

	p.Await("heading", "Harbour Summit")
	p.See("Here now 2 Attended 2 66.7 % of 3 registered")
	p.Click("tab", "Here now…")
	here := p.Within("table", "Here now")
	here.See("Ada ada@example.com Opening keynote")
	o.tell(t, app, move("joined", "keynote", "hedy"), move("left", "captions", "grace"))
	here.See("Hedy hedy@example.com Opening keynote")
	here.Gone("Grace")
	p.See("Here now 2 Attended 3")
	p.Fill("Search", "hedy@")
	here.Gone("Ada")
	p.AwaitURL("q=hedy%40")
	looks(t, p, "live-here")

	p.Click("tab", "Time spent…")
	spent := p.Within("table", "Time spent")
	spent.See("Grace grace@example.com 1")
	p.Choose("Session", "Opening keynote")
	p.AwaitURL("session=keynote")
	spent.Gone("Grace")
	p.Click("button", "Person")
	spent.See("Ada ada@example.com 1")
	looks(t, p, "live-time")
	p.Click("tab", "Sessions…")
	p.Within("table", "Sessions").See("Captions that help")
	looks(t, p, "live-sessions")

	o.saveCSV(t, p, app)
}

// saveCSV saves the attendance that a page shows, and holds it against the API's.
func (o operator) saveCSV(t *testing.T, p *browser.Page, app string) {
	t.Helper()
	files := t.TempDir()
	p.SaveTo(files)
	p.Click("button", "Download CSV")
	p.See("Attendance saved as CSV")
	if diff := cmp.Diff(o.attendanceCSV(t, app), savedCSV(t, filepath.Join(files, "attendance-summit.csv"))); diff != "" {
		t.Errorf("the file that was saved (-API +file):\n%s", diff)
	}
}

// attendanceCSV is who was where, without the minutes, which grow.
func (o operator) attendanceCSV(t testing.TB, app string) (rows []string) {
	t.Helper()
	var report struct {
		Data []struct {
			SessionID, RegistrationID string
			Present                   bool
		}
	}
	o.call(t, http.StatusOK, http.MethodGet, "/app/"+app+"/event/summit/attendance", nil, &report)
	for _, line := range report.Data {
		rows = append(rows, fmt.Sprint(line.SessionID, " ", line.RegistrationID, " ", line.Present))
	}
	return rows
}

// TestBrowserLiveNames looks at an event with more registrations than one answer of the API holds: all are counted, whoever
// is here has a name, and so has who registers while the page is open.
func TestBrowserLiveNames(t *testing.T) {
	needBrowser(t)
	t.Parallel()
	s := start(t, kit.Config{})
	o := operator{s, mint(t, s)}
	app := o.newApp(t, "acme")
	o.summit(t, app)
	register := func(n int) fields {
		return fields{"type": "registration.created", "data": fields{
			"eventId": "summit", "id": fmt.Sprintf("p%03d", n), "profile": fields{"firstName": fmt.Sprintf("Guest %d", n)},
		}}
	}
	var acts []fields
	for n := range 300 {
		acts = append(acts, register(n))
	}
	o.tell(t, app, append(acts, move("joined", "keynote", "ada"), move("joined", "keynote", "p299"))...)
	p := signIn(t, s, "--app", app)
	p.Open(s.URL + "/app/" + app + "/live/event/summit")
	p.See("of 303 registered")
	p.Click("tab", "Here now…")
	here := p.Within("table", "Here now")
	here.See("Ada ada@example.com")
	here.See("Guest 299")
	o.tell(t, app, register(300), move("joined", "keynote", "p300"))
	here.See("Guest 300")
	p.See("of 304 registered")
}

// savedCSV reads the same of a file that was saved, once it is there.
func savedCSV(t testing.TB, file string) (rows []string) {
	t.Helper()
	var text []byte
	kit.Eventually(t, "the file that was saved", func() bool {
		var err error
		text, err = os.ReadFile(file)
		return err == nil && len(text) > 0
	})
	table, err := csv.NewReader(strings.NewReader(string(text))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range table[1:] {
		rows = append(rows, row[0]+" "+row[1]+" "+row[2])
	}
	return rows
}

// TestBrowserLiveLate looks at an event of which nothing was told for hours: that is said, and the figures can be had as of
// the latest, which they go on following.
func TestBrowserLiveLate(t *testing.T) {
	needBrowser(t)
	t.Parallel()
	s := start(t, kit.Config{})
	o := operator{s, mint(t, s)}
	app := o.newApp(t, "acme")
	o.summit(t, app)
	now := time.Now().UTC()
	o.call(t, http.StatusOK, http.MethodPatch, "/app/"+app+"/event/summit", fields{"startDate": now.Add(-10 * time.Hour)}, nil)
	late := func(word, registration string, ago time.Duration) {
		t.Helper()
		act := move(word, "keynote", registration)
		act["at"] = now.Add(-ago)
		o.tell(t, app, act)
	}
	late("joined", "ada", 6*time.Hour)
	late("joined", "grace", 5*time.Hour)
	p := signIn(t, s, "--app", app)
	p.Click("link", "Live")
	p.See("nothing told for 5 h")
	p.Click("link", "Harbour Summit")
	p.See("Nothing was told since")
	p.See("(5 h ago): whoever was in then counts as here until now.")
	p.See("Here now 2 Attended 2 66.7 % of 3 registered Time spent 11 h")
	looks(t, p, "live-late")

	p.Click("button", "Show as of …")
	p.AwaitURL("asOf=latest")
	p.See("(5 h ago), the latest that was told. They follow as more is told.")
	p.See("Here then 2 Attended 2 66.7 % of 3 registered Time spent 1 h")
	late("joined", "hedy", 4*time.Hour)
	late("left", "grace", 3*time.Hour)
	p.See("(3 h ago), the latest that was told.")
	p.See("Here then 2 Attended 3 100 % of 3 registered Time spent 6 h")
	p.Click("tab", "Here then…")
	p.Within("table", "Here then").Gone("Grace")
	looks(t, p, "live-as-of")
	o.saveCSV(t, p, app)

	p.Click("button", "Show as of now")
	p.See("Here now 2")
	if strings.Contains(p.URL(), "asOf") {
		t.Errorf("as of now the address is %s", p.URL())
	}
	o.tell(t, app, move("left", "keynote", "hedy"))
	p.See("Here now 1")
	p.Gone("Nothing was told since")
}

// TestBrowserLiveSimulator watches an event while the simulator tells of it.
func TestBrowserLiveSimulator(t *testing.T) {
	needBrowser(t)
	t.Parallel()
	s := start(t, kit.Config{})
	o := operator{s, mint(t, s)}
	app := o.newApp(t, "acme")
	p := signIn(t, s, "--app", app)
	p.Click("link", "Live")
	p.See("No events yet")

	simulator := exec.CommandContext(t.Context(), binary(t), "simulate", "--url", s.URL, "--app", app, "--attendees", "40", "--minutes", "0.1", "--seed", "7")
	simulator.Env = append(os.Environ(), "CALLBOARD_TOKEN="+o.token)
	var said strings.Builder
	simulator.Stdout, simulator.Stderr = &said, &said
	if err := simulator.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- simulator.Wait() }()
	p.Click("link", "Live Summit")
	p.Await("heading", "Live Summit")
	p.Click("tab", "Here now…")
	p.Await("table", "Here now") // somebody has come
	if err := <-ended; err != nil {
		t.Fatalf("the simulator: %v\n%s", err, said.String())
	}
	event := browser.Eval[string](p, "location.pathname.split('/').pop()")
	var report struct {
		Data   []struct{}
		Totals attendanceTotals
	}
	o.call(t, http.StatusOK, http.MethodGet, "/app/"+app+"/event/"+event+"/attendance", nil, &report)
	if report.Totals.Attended == 0 || len(report.Data) <= report.Totals.Attended {
		t.Fatalf("hardly anybody came: %+v in %d lines", report.Totals, len(report.Data))
	}
	p.See(fmt.Sprintf("Here now %d Attended %d", report.Totals.Present, report.Totals.Attended))
	if report.Totals.Minutes < 100*60 {
		t.Fatalf("%d minutes are less than the page rounds", report.Totals.Minutes)
	}
	p.See(fmt.Sprintf("Time spent %d h of all people together", (report.Totals.Minutes+30)/60))
	p.Click("tab", "Time spent…")
	p.See(fmt.Sprintf("of %d", report.Totals.Attended))
	p.Gone("Nothing was told since")
	looks(t, p, "live-after")
}

// TestBrowserMeetings looks at a conference and a conversation, and at what a stranger may have called them.
func TestBrowserMeetings(t *testing.T) {
	needBrowser(t)
	t.Parallel()
	s := start(t, kit.Config{})
	o := operator{s, mint(t, s)}
	app := o.newApp(t, "acme")
	conference := func(kind string, more fields) fields {
		data := fields{"conferenceId": "weekly"}
		maps.Copy(data, more)
		return fields{"type": "conference." + kind, "data": data}
	}
	o.tell(t, app,
		conference("started", fields{"hostId": "h-1", "companyId": "acme", "conferenceName": "Weekly"}),
		conference("participant.entered", fields{"participantId": "p-1", "participantName": "Ada", "participantRole": "host"}),
		conference("recording.started", nil),
		fields{"type": "conversation.user_joined", "data": fields{"id": "call-1", "toPhoneNumber": "+442071234567", "conversationStatus": "active"}},
	)
	p := signIn(t, s, "--app", app)
	p.Click("link", "Live")
	p.Click("tab", "Conferences")
	p.Within("table", "Conferences").See("Weekly weekly Live 1")
	looks(t, p, "conferences")
	p.Click("link", "Weekly")
	participants := p.Within("table", "Participants")
	participants.See("Ada p-1 Here host")
	o.tell(t, app, conference("participant.entered", fields{"participantId": "p-2", "participantName": "Grace", "participantRole": "guest"}))
	participants.See("Grace p-2 Here guest")
	o.tell(t, app, fields{"type": "conference.dialout.status_changed", "data": fields{
		"conferenceId": "weekly", "participantId": "p-3", "participantName": "Hedy", "status": "dialed",
	}})
	participants.See("Hedy p-3 Being called")
	p.See("Here now 2 Recording running")
	o.tell(t, app, conference("ended", nil))
	participants.See("Grace p-2 Left guest")
	participants.See("Hedy p-3 Never entered")
	p.See("Here now 0 Recording stopped")
	looks(t, p, "conference")
	p.Click("link", "…Conferences")
	p.Click("tab", "Conversations")
	p.Click("link", "call-1")
	p.See("+442071234567")
	p.See("There is none yet")
	o.tell(t, app, fields{"type": "conversation.completed", "data": fields{"id": "call-1", "summary": "All was said."}})
	p.See("Completed")
	p.See("All was said.")
	looks(t, p, "conversation")
}

// TestBrowserLiveHostile shows names that are markup wherever live state shows names.
func TestBrowserLiveHostile(t *testing.T) {
	needBrowser(t)
	t.Parallel()
	s := start(t, kit.Config{})
	o := operator{s, mint(t, s)}
	app := o.newApp(t, "acme")
	o.summit(t, app)
	texts := browser.HostileWithout("\x00\uFFFE\U0010FFFF\uFDD0")
	for i, text := range texts {
		id := fmt.Sprintf("x%02d", i)
		o.tell(t, app,
			fields{"type": "event.created", "data": fields{"id": "e" + id, "name": text.Text}},
			fields{"type": "session.created", "data": fields{"eventId": "summit", "id": id, "title": text.Text}},
			fields{"type": "session.joined", "data": fields{
				"eventId": "summit", "sessionId": id, "registration": fields{"id": id, "profile": fields{"firstName": text.Text}},
			}},
		)
	}
	p := signIn(t, s, "--app", app)
	p.Click("link", "Live")
	p.Await("table", "Events")
	p.Click("button", "Load more")
	p.Await("link", "Harbour Summit")
	p.Harmless(texts...)
	p.Click("link", "Harbour Summit")
	p.Await("table", "Sessions")
	p.Harmless(texts...)
	p.Click("tab", "Time spent…")
	p.Await("table", "Time spent")
	p.Harmless(texts...)
}
