package e2e_test

import (
	"cmp"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/callboard/callboard/internal/e2e/kit"
)

var (
	// liveHistories is how many histories TestLiveHistories tells each store. The soak tells 1,000.
	liveHistories = flag.Int("live.histories", 40, "how many histories TestLiveHistories tells")
	// liveSeed makes the histories of a run again that failed; the order in which requests meet is not in it.
	liveSeed = flag.Uint64("live.seed", 0, "what TestLiveHistories makes its histories of; 0 = another one each time")
)

// TestLiveHistories tells random joins and leaves in any order, again and again, in batches of any size, several at once
// and on PostgreSQL through two servers at once. What attendance shows and what time spent is told must be what a model
// says that knows nothing of order: intervals, united and cut at the event.
func TestLiveHistories(t *testing.T) {
	t.Parallel()
	onEachStore(t, tellHistories)
}

func tellHistories(t *testing.T, store storeUnderTest) {
	cfg := kit.Config{DB: store.fresh(t), Secret: loadSecret, Args: []string{"--time-spent-delay", "1s"}}
	s := start(t, cfg)
	operators := []operator{{s, mint(t, s, "--jwt-secret", loadSecret)}}
	if store.name == "postgres" {
		cfg.DB = s.DB
		operators = append(operators, operator{start(t, cfg), operators[0].token})
	}
	seed := *liveSeed
	if seed == 0 {
		seed = rand.Uint64()
	}
	t.Logf("-live.seed=%d", seed)
	c := &chronicle{operators: operators, app: operators[0].newApp(t, "histories")}
	base := time.Now().UTC().Add(-4 * time.Hour)
	for n := range *liveHistories {
		c.histories = append(c.histories, newHistory(seed, n, base))
	}

	c.each(t, c.tell)
	c.each(t, c.checkAttendance)
	c.each(t, c.end)
	c.each(t, c.checkAttendance)
	c.awaitTold(t)
	c.checkTold(t)
	c.each(t, c.tellLate)
	c.each(t, c.checkAttendance)
	c.checkTold(t)
}

// sighting is a join or a leave of one connection.
type sighting struct {
	person, session, connection string
	leave                       bool
	at                          int64 // Unix microseconds
}

// history is an event, and what happened at it.
type history struct {
	chance     *rand.Rand
	event      string
	start, end int64 // of the event, in Unix microseconds
	noStart    bool  // the server is not told the start: all before the end counts
	detour     int   // by which way the end becomes what it is, see end
	// carried: registrations are made by the activities that are about them.
	carried          bool
	people, sessions []string
	sightings        []sighting
	over             bool // the server knows the end
	late             bool // sightings hold one that came when all was told
}

// newHistory makes up the n-th history of a seed. Everything happens in the four hours since base.
func newHistory(seed uint64, n int, base time.Time) *history {
	chance := rand.New(rand.NewPCG(seed, uint64(n)))
	within := func(d time.Duration) time.Duration { return time.Duration(chance.Int64N(int64(d))) }
	begin := base.Add(45*time.Minute + within(30*time.Minute))
	h := &history{
		chance: chance, event: "e" + strconv.Itoa(n), start: begin.UnixMicro(),
		end: begin.Add(within(75 * time.Minute)).UnixMicro(), carried: chance.IntN(2) == 0,
		noStart: chance.IntN(5) == 0, detour: chance.IntN(3),
	}
	for i := range 1 + chance.IntN(4) {
		h.people = append(h.people, "p"+strconv.Itoa(i))
	}
	for i := range 1 + chance.IntN(3) {
		h.sessions = append(h.sessions, "s"+strconv.Itoa(i))
	}
	// Many things happen at the same few moments, the event's bounds among them, and others at any time.
	moments := []int64{h.start, h.end}
	for range 4 {
		moments = append(moments, h.moment())
	}
	for range 1 + chance.IntN(40) {
		s := sighting{
			pick(chance, h.people), pick(chance, h.sessions), pick(chance, []string{"", "phone", "laptop"}),
			chance.IntN(2) == 0, pick(chance, moments),
		}
		if chance.IntN(3) > 0 {
			s.at = h.moment()
		}
		h.sightings = append(h.sightings, s)
	}
	return h
}

func pick[T any](chance *rand.Rand, from []T) T { return from[chance.IntN(len(from))] }

// moment is a time from half an hour before the event until half an hour after it.
func (h *history) moment() int64 {
	const around = int64(30 * time.Minute / time.Microsecond)
	return h.start - around + h.chance.Int64N(h.end-h.start+2*around)
}

// instant is a time as activities tell it.
func instant(micros int64) string { return time.UnixMicro(micros).UTC().Format(time.RFC3339Nano) }

// activity is how a sighting is told.
func (h *history) activity(s sighting) fields {
	data := fields{"eventId": h.event, "sessionId": s.session}
	if h.carried {
		data["registration"] = fields{"id": s.person}
	} else {
		data["registrationId"] = s.person
	}
	if s.connection != "" {
		data["connectionId"] = s.connection
	}
	kind := "session.joined"
	if s.leave {
		kind = "session.left"
	}
	return fields{"type": kind, "at": instant(s.at), "data": data}
}

// batches are the activities in any order, some of them told more than once and under an id of their own, in requests of
// any size.
func (h *history) batches() [][]fields {
	var all []fields
	for i, s := range h.sightings {
		activity := h.activity(s)
		if h.chance.IntN(2) == 0 {
			activity["id"] = h.event + "-" + strconv.Itoa(i)
		}
		for range 1 + h.chance.IntN(6)/3 {
			all = append(all, activity)
		}
	}
	h.chance.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	var batches [][]fields
	for len(all) > 0 {
		n := 1 + h.chance.IntN(len(all))
		batches, all = append(batches, all[:n]), all[n:]
	}
	return batches
}

// chronicle tells histories, each of which is an event of one app, through one server or several.
type chronicle struct {
	operators []operator
	app       string
	histories []*history
}

// each does something with all histories, some at once.
func (c *chronicle) each(t *testing.T, do func(testing.TB, operator, *history)) {
	t.Helper()
	var group sync.WaitGroup
	todo := make(chan *history, len(c.histories))
	for n := range 4 * len(c.operators) {
		group.Go(func() {
			for h := range todo {
				do(t, c.operators[n%len(c.operators)], h)
			}
		})
	}
	for _, h := range c.histories {
		todo <- h
	}
	close(todo)
	group.Wait()
	if t.Failed() {
		t.FailNow()
	}
}

// try is call for any goroutine: it reports whether the answer was as it must be, and does not end the test.
func (o operator) try(t testing.TB, status int, method, path string, in, out any) bool {
	t.Helper()
	body := ""
	if in != nil {
		body = textOf(in)
	}
	got := ask(t, o.server, o.token, method, "/api/v1"+path, body, map[string]string{"Content-Type": "application/json"})
	if got.status != status {
		t.Errorf("%s %s: status %d, want %d: %.600s", method, path, got.status, status, got.body)
		return false
	}
	if err := json.Unmarshal([]byte(got.body), out); err != nil {
		t.Errorf("%s %s: %v: %.600s", method, path, err, got.body)
		return false
	}
	return true
}

// activityResult is what became of an activity.
type activityResult struct {
	Status   string
	Late     bool
	Messages []string
}

// request tells activities, of which none may be refused. It does not end the test, so that any goroutine may call it.
func (c *chronicle) request(t testing.TB, o operator, activities []fields) []activityResult {
	t.Helper()
	var out struct{ Data []activityResult }
	if !o.try(t, http.StatusAccepted, http.MethodPost, "/app/"+c.app+"/activity", fields{"activities": activities}, &out) {
		return nil
	}
	for i, result := range out.Data {
		if result.Status != "applied" && result.Status != "duplicate" {
			t.Errorf("%v was %s", activities[i], result.Status)
		}
	}
	if len(out.Data) != len(activities) {
		t.Errorf("%d of %d activities were answered", len(out.Data), len(activities))
	}
	return out.Data
}

// tell makes the event, whose end is to come, and tells the history: the batches at once, through all servers.
func (c *chronicle) tell(t testing.TB, o operator, h *history) {
	event := fields{"id": h.event, "startDate": instant(h.start), "endDate": time.Now().UTC().Add(time.Hour).Format(time.RFC3339)}
	if h.noStart {
		delete(event, "startDate")
	}
	made := []fields{{"type": "event.created", "data": fields{"event": event}}}
	for _, session := range h.sessions {
		made = append(made, fields{"type": "session.created", "data": fields{"eventId": h.event, "session": fields{"id": session}}})
	}
	for _, person := range h.people {
		if h.carried {
			continue
		}
		made = append(made, fields{"type": "registration.created", "data": fields{"eventId": h.event, "registration": fields{"id": person}}})
	}
	c.request(t, o, made)
	var group sync.WaitGroup
	for n, batch := range h.batches() {
		group.Go(func() { c.request(t, c.operators[n%len(c.operators)], batch) })
	}
	group.Wait()
}

// end tells when the event ended: at once, or after another end, or after word that it is cancelled, neither of which may
// leave a trace.
func (c *chronicle) end(t testing.TB, o operator, h *history) {
	change := func(members fields) fields {
		members["id"] = h.event
		return fields{"type": "event.updated", "data": fields{"event": members}}
	}
	var told []fields
	switch h.detour {
	case 1:
		told = append(told, change(fields{"endDate": instant(h.end + 1 + h.chance.Int64N(int64(time.Hour/time.Microsecond)))}))
	case 2:
		told = append(told, change(fields{"status": "CANCELLED"}))
	}
	c.request(t, o, append(told, change(fields{"endDate": instant(h.end), "status": nil})))
	h.over = true
}

// tellLate tells of one more join when everything has been told.
func (c *chronicle) tellLate(t testing.TB, o operator, h *history) {
	s := sighting{h.people[0], h.sessions[0], "late", false, h.moment()}
	h.sightings, h.late = append(h.sightings, s), true
	activity := h.activity(s)
	activity["data"].(fields)["registration"] = fields{"id": s.person} // who was never seen may have none
	for _, result := range c.request(t, o, []fields{activity}) {
		if !result.Late || len(result.Messages) > 0 {
			t.Errorf("%s: late is %t, and it sends %d messages", h.event, result.Late, len(result.Messages))
		}
	}
}

// attendanceReport is what GET …/attendance answers.
type attendanceReport struct {
	AsOf   time.Time
	Totals attendanceTotals
	Data   []attendanceLine
}

type attendanceTotals struct{ Present, Attended, Minutes int }

type attendanceLine struct {
	SessionID, RegistrationID string
	Present                   bool
	Connections               int
	FirstJoinedAt, LastLeftAt time.Time // zero = none
	Minutes                   *int
	Late                      bool
}

// checkAttendance compares what the server shows with the model.
func (c *chronicle) checkAttendance(t testing.TB, o operator, h *history) {
	var got attendanceReport
	if !o.try(t, http.StatusOK, http.MethodGet, "/app/"+c.app+"/event/"+h.event+"/attendance", nil, &got) {
		return
	}
	if diff := gocmp.Diff(h.report(got.AsOf), got); diff != "" {
		t.Errorf("attendance of %s, over: %t, late: %t (-want +got):\n%s%+v", h.event, h.over, h.late, diff, h.sightings)
	}
}

// awaitTold waits until all is told: who attended and who did not comes last, for every registration.
func (c *chronicle) awaitTold(t *testing.T) {
	t.Helper()
	want := 0
	for _, h := range c.histories {
		want += len(h.registered())
	}
	kit.Eventually(t, strconv.Itoa(want)+" registrations to be told of", func() bool {
		got := 0
		c.operators[0].eachMessage(t, c.app, []string{"registration.attended", "registration.no_show"}, func(*timeSpent) { got++ })
		return got >= want
	})
}

// checkTold compares the messages that follow from the ends with the model. What came late is in none of them.
func (c *chronicle) checkTold(t *testing.T) {
	t.Helper()
	want, got := map[string]int{}, map[string]int{}
	for _, h := range c.histories {
		h.addTold(want)
	}
	types := []string{"session.time_spent", "event.time_spent", "registration.attended", "registration.no_show"}
	c.operators[0].eachMessage(t, c.app, types, func(m *timeSpent) { got[m.about()]++ })
	if diff := gocmp.Diff(want, got); diff != "" {
		t.Fatalf("what was told of whom, and how often (-want +got):\n%s", diff)
	}
}

// The model. It knows of each connection when it was open; all else are sets of such spans.

// span is a time during which somebody was somewhere; one without an end lasts for ever.
type span struct{ from, until int64 }

const forEver = math.MaxInt64

// of are the sightings of somebody, in a session, or in any if that is "".
func (h *history) of(person, session string) []sighting {
	var some []sighting
	for _, s := range h.sightings {
		if s.person == person && (session == "" || s.session == session) {
			some = append(some, s)
		}
	}
	return some
}

// spans are the times of each connection, which is one of a session. Who joins and leaves at one moment joins first; a
// join of who is there, and a leave of who is not, mean nothing.
func spans(seen []sighting) []span {
	slices.SortFunc(seen, func(a, b sighting) int {
		return cmp.Or(cmp.Compare(a.session, b.session), cmp.Compare(a.connection, b.connection), cmp.Compare(a.at, b.at), truth(a.leave)-truth(b.leave))
	})
	var all []span
	isOpen := false // the last span is that of this connection
	for i, s := range seen {
		if i == 0 || seen[i-1].session != s.session || seen[i-1].connection != s.connection {
			isOpen = false
		}
		switch {
		case !s.leave && !isOpen:
			all, isOpen = append(all, span{s.at, forEver}), true
		case s.leave && isOpen:
			all[len(all)-1].until, isOpen = s.at, false
		}
	}
	return all
}

func truth(b bool) int {
	if b {
		return 1
	}
	return 0
}

// united are spans that do not meet, and cover the same time.
func united(all []span) []span {
	slices.SortFunc(all, func(a, b span) int { return cmp.Compare(a.from, b.from) })
	var apart []span
	for _, s := range all {
		if n := len(apart); n > 0 && s.from <= apart[n-1].until {
			apart[n-1].until = max(apart[n-1].until, s.until)
		} else {
			apart = append(apart, s)
		}
	}
	return apart
}

// minutesWithin is how long spans that do not meet last between two times, as it is told.
func minutesWithin(all []span, start, end int64) int {
	var sum int64
	for _, s := range all {
		sum += max(0, min(s.until, end)-max(s.from, start))
	}
	if sum == 0 {
		return 0
	}
	return max(1, int(math.Round(float64(sum)/float64(time.Minute/time.Microsecond))))
}

// report is the attendance as of a time.
func (h *history) report(asOf time.Time) attendanceReport {
	r := attendanceReport{AsOf: asOf, Data: []attendanceLine{}}
	for _, person := range h.people {
		present, attended := false, false
		for _, session := range h.sessions {
			seen := h.of(person, session)
			if len(seen) == 0 {
				continue
			}
			line := h.line(seen, asOf.UnixMicro())
			present, attended = present || line.Present, attended || !line.FirstJoinedAt.IsZero()
			r.Totals.Minutes += *line.Minutes
			r.Data = append(r.Data, line)
		}
		r.Totals.Present += truth(present)
		r.Totals.Attended += truth(attended)
	}
	return r
}

// line is somebody's attendance of a session.
func (h *history) line(seen []sighting, asOf int64) attendanceLine {
	line := attendanceLine{SessionID: seen[0].session, RegistrationID: seen[0].person}
	each := spans(seen)
	for _, s := range seen {
		if at := time.UnixMicro(s.at).UTC(); !s.leave && (line.FirstJoinedAt.IsZero() || at.Before(line.FirstJoinedAt)) {
			line.FirstJoinedAt = at
		}
		line.Late = line.Late || s.connection == "late"
	}
	if !h.over {
		line.Connections = len(slices.DeleteFunc(slices.Clone(each), func(s span) bool { return s.until != forEver }))
		line.Present = line.Connections > 0
	}
	all := united(each)
	for _, s := range all {
		if s.until != forEver {
			line.LastLeftAt = time.UnixMicro(s.until).UTC()
		}
	}
	line.Minutes = new(minutesWithin(all, h.begin(), h.endAsOf(asOf)))
	return line
}

// begin is from when on time counts.
func (h *history) begin() int64 {
	if h.noStart {
		return 0
	}
	return h.start
}

// endAsOf is up to when time counts.
func (h *history) endAsOf(asOf int64) int64 {
	if h.over {
		return h.end
	}
	return asOf
}

// registered are those who have a registration.
func (h *history) registered() []string {
	if !h.carried {
		return h.people
	}
	return slices.DeleteFunc(slices.Clone(h.people), func(person string) bool { return len(h.of(person, "")) == 0 })
}

// addTold adds what must be told after the end, as timeSpent.about says it.
func (h *history) addTold(told map[string]int) {
	was := *h
	if h.late {
		was.sightings = h.sightings[:len(h.sightings)-1]
	}
	maps.Copy(told, was.told())
}

func (h *history) told() map[string]int {
	told := map[string]int{}
	say := func(eventType, person, session string, minutes int) {
		told[fmt.Sprint(eventType, " ", h.event, " ", person, " ", session, " ", minutes)] = 1
	}
	for _, person := range h.registered() {
		for _, session := range h.sessions {
			if n := minutesWithin(united(spans(h.of(person, session))), h.begin(), h.end); n > 0 {
				say("session.time_spent", person, session, n)
			}
		}
		all := h.of(person, "")
		if n := minutesWithin(united(spans(all)), h.begin(), h.end); n > 0 {
			say("event.time_spent", person, "", n)
		}
		if slices.ContainsFunc(all, func(s sighting) bool { return !s.leave }) {
			say("registration.attended", person, "", 0)
		} else {
			say("registration.no_show", person, "", 0)
		}
	}
	return told
}
