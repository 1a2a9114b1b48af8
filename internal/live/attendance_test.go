package live_test

import (
	"cmp"
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/callboard/callboard/internal/live"
)

// step is one join or leave, and what it makes go out. The clock stands at 200, so that
// anything may arrive in any order.
type step struct {
	leave      bool
	at         float64 // minutes after noon
	connection string
	want       string
}

func TestMessagesFollowArrival(t *testing.T) {
	t.Parallel()
	const in, out = "session.joined", "session.left"
	join := func(at float64, c, want string) step { return step{false, at, c, want} }
	leave := func(at float64, c, want string) step { return step{true, at, c, want} }
	rows := []struct {
		name  string
		steps []step
	}{
		{"in and out", []step{join(70, "", in), leave(80, "", out)}},
		{"repeated", []step{join(70, "", in), join(70, "", "unchanged"), leave(80, "", out), leave(80, "", "unchanged")}},
		{"back again", []step{join(70, "", in), leave(80, "", out), join(90, "", in)}},
		{"two devices", []step{join(70, "a", in), join(75, "b", ""), leave(80, "a", ""), leave(85, "b", out)}},
		{"one device joins where the other leaves", []step{join(70, "a", in), leave(80, "a", out), join(80, "b", "")}},
		{"joined twice", []step{join(70, "a", in), join(72, "a", ""), leave(80, "a", out)}},
		{"a leave without a join", []step{leave(80, "", "")}},
		{"a leave of another connection", []step{join(70, "a", in), leave(80, "b", "")}},
		{"the leave comes first", []step{leave(80, "", ""), join(70, "", in+" "+out)}},
		{"the leave comes first, another device is in", []step{join(60, "b", in), leave(80, "a", ""), join(70, "a", "")}},
		{"an earlier join comes later", []step{join(70, "a", in), join(65, "b", in)}},
		{"a join comes between two joins", []step{join(70, "a", in), join(80, "a", ""), leave(75, "a", out+" "+in)}},
		{"a leave is not told twice", []step{
			join(70, "a", in), leave(80, "a", out), join(72, "b", ""), leave(75, "b", ""), leave(90, "b", ""),
		}},
		{"what was hidden is not told again", []step{
			join(70, "a", in), leave(80, "a", out), join(72, "b", ""), leave(85, "b", out), leave(75, "b", ""),
		}},
		{"in and out at one time", []step{join(70, "", in), leave(70, "", out)}},
		{"in and out at one time, the leave comes first", []step{leave(70, "", ""), join(70, "", in+" "+out)}},
		{"gone and back at one time", []step{join(70, "a", in), leave(80, "a", out), join(80, "a", ""), join(90, "a", in)}},
		{"before and after the event", []step{join(10, "", in), leave(20, "", out), join(190, "", in)}},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			w := conf(t)
			w.now = after(200)
			for i, s := range row.steps {
				equal(t, fmt.Sprintf("step %d", i), w.at(s.at, typeOf(s.leave), "%s", attendance("s1", "r1", s.connection)), s.want)
			}
		})
	}
}

func typeOf(leave bool) string {
	if leave {
		return "session.left"
	}
	return "session.joined"
}

func TestAttendanceMessage(t *testing.T) {
	t.Parallel()
	w := conf(t)
	w.at(-1, "session.joined", "%s", attendance("s1", "r1", ""))
	m := w.said[0]
	equal(t, "at", m.At, after(-1))
	equal(t, "order", m.OrderKey, "session:s1")
	equal(t, "event", get(w.last(), "event.name"), any("Conf"))
	equal(t, "session", get(w.last(), "session.title"), any("A session"))
	equal(t, "registration", get(w.last(), "registration.profile.firstName"), any("Jane"))
	equal(t, "actor", get(w.last(), "actor"), nil)
}

func TestAttendanceNamesWhatIsMissing(t *testing.T) {
	t.Parallel()
	rows := []struct{ data, want string }{
		{`{"sessionId":"s1","registrationId":"r1"}`, "eventId: is required"},
		{`{"eventId":"e1","registrationId":"r1"}`, "sessionId: is required"},
		{`{"eventId":"e1","sessionId":"s1"}`, "registrationId: is required"},
		{`{"eventId":"e9","sessionId":"s1","registrationId":"r1"}`, "eventId: there is no such event"},
		{`{"eventId":"e1","sessionId":"s9","registrationId":"r1"}`, "sessionId: there is no such session"},
		{`{"eventId":"e1","sessionId":"s1","registrationId":"r9"}`, "registrationId: there is no such registration"},
		{`{"eventId":"e1","sessionId":"s1","registrationId":"r1","connectionId":{}}`, "connectionId: must be a string of at most 256 bytes"},
		{`{"eventId":"e1","sessionId":"s/1","registrationId":"r1"}`, "sessionId: must have 1 to 128 characters out of A-Z a-z 0-9 . _ : @ -, and not be . or .."},
	}
	for _, row := range rows {
		equal(t, row.data, conf(t).refused(live.Activity{Type: "session.joined", Data: []byte(row.data)}).Error(), row.want)
	}
}

func TestAtMostAThousandEdges(t *testing.T) {
	t.Parallel()
	w := conf(t)
	w.unchecked = true
	w.now = after(200)
	for i := range 1000 {
		w.at(60+float64(i)/10, typeOf(i%2 == 1), "%s", attendance("s1", "r1", ""))
	}
	equal(t, "one of them again", w.at(60, "session.joined", "%s", attendance("s1", "r1", "")), "unchanged")
	r := w.refused(live.Activity{Type: "session.joined", Data: []byte(attendance("s1", "r1", ""))})
	equal(t, "one more", r.Kind, live.Conflict)
}

func TestReport(t *testing.T) {
	t.Parallel()
	w := conf(t)
	w.now = after(90)
	w.at(50, "session.joined", "%s", attendance("s1", "r1", "phone"))
	w.at(70, "session.joined", "%s", attendance("s1", "r1", "laptop"))
	w.at(80, "session.left", "%s", attendance("s1", "r1", "phone"))
	w.at(61, "session.joined", "%s", attendance("s2", "r1", "tv"))
	w.at(62, "session.left", "%s", attendance("s2", "r1", "tv"))
	w.at(75, "session.left", "%s", attendance("s1", "r2", ""))
	equal(t, "report", fmt.Sprint(lines(w.report())), fmt.Sprint([]string{
		"s1 r1 true 1 50 - 30 false", "s2 r1 false 0 61 62 1 false", "s1 r2 false 0 - - 0 false",
	}))
	equal(t, "totals", w.report().Totals, live.Totals{Present: 1, Attended: 1, Minutes: 31})
	w.now = after(200)
	equal(t, "after the end", lines(w.report())[0], "s1 r1 false 0 50 - 120 false")
}

// lines writes a report for comparing.
func lines(r *live.Report) []string {
	var all []string
	since := func(t time.Time) string {
		if t.IsZero() {
			return "-"
		}
		return fmt.Sprint(t.Sub(noon).Minutes())
	}
	for _, l := range r.Lines {
		spent := "-"
		if l.Minutes != nil {
			spent = fmt.Sprint(*l.Minutes)
		}
		all = append(all, fmt.Sprintf("%s %s %v %d %s %s %s %v", l.SessionID, l.RegistrationID, l.Present, l.Connections,
			since(l.FirstJoinedAt), since(l.LastLeftAt), spent, l.Late))
	}
	return all
}

func TestMinutes(t *testing.T) {
	t.Parallel()
	rows := []struct {
		seconds float64
		want    string
	}{
		{0, "0"}, {0.001, "1"}, {29, "1"}, {89, "1"}, {90, "2"}, {91, "2"}, {149.999, "2"}, {150, "3"},
	}
	for _, row := range rows {
		w := conf(t)
		w.now = after(100)
		w.at(70, "session.joined", "%s", attendance("s1", "r1", ""))
		w.at(70+row.seconds/60, "session.left", "%s", attendance("s1", "r1", ""))
		equal(t, fmt.Sprint(row.seconds), fmt.Sprint(*w.report().Lines[0].Minutes), row.want)
	}
}

// point is a join or a leave in the model below: at a whole number of ticks.
type point struct {
	leave      bool
	tick       int
	connection string
}

// tick is the model's grain: a third of a minute, so that rounding matters.
const tick = 20 * time.Second

// model is the simplest account of attendance: it looks at each tick by itself.
type model []point

// in reports whether somebody is in, with all that happened before a tick, plus that
// tick's joins, plus that tick's leaves.
func (m model) in(at int, joins, leaves bool) bool {
	latest := map[string]point{}
	for _, p := range m {
		counts := p.tick < at || p.tick == at && (!p.leave && joins || p.leave && leaves)
		last, known := latest[p.connection]
		if counts && (!known || p.tick > last.tick || p.tick == last.tick && p.leave) {
			latest[p.connection] = p
		}
	}
	for _, p := range latest {
		if !p.leave {
			return true
		}
	}
	return false
}

// ticks counts those during which somebody is in.
func (m model) ticks(start, end int) int {
	n := 0
	for at := start; at < end; at++ {
		if m.in(at, true, true) {
			n++
		}
	}
	return n
}

// turn is when somebody comes or goes.
type turn struct {
	leave bool
	tick  int
}

func (m model) turns(from, until int) []turn {
	var all []turn
	for at := from; at <= until; at++ {
		before, between, behind := m.in(at, false, false), m.in(at, true, false), m.in(at, true, true)
		if !before && between {
			all = append(all, turn{false, at})
		}
		if between && !behind {
			all = append(all, turn{true, at})
		}
	}
	return all
}

// The event of these histories lasts from tick 10 to tick 40; joins and leaves happen
// from tick 0 to tick 50.
const first, last, lastTick = 10, 40, 50

func ticksAfter(n int) time.Time { return noon.Add(time.Duration(n) * tick) }

func drawHistory(t *rapid.T) []point {
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) point {
		return point{
			rapid.Bool().Draw(t, "leave"), rapid.IntRange(0, lastTick).Draw(t, "tick"),
			rapid.SampledFrom([]string{"", "a", "b"}).Draw(t, "connection"),
		}
	}), 1, 14).Draw(t, "history")
}

func historyWorld(t tb) *world {
	w := newWorld(t)
	w.unchecked = true
	w.do("event.created", `{"id":"e1","startDate":%q,"endDate":%q}`, ticksAfter(first).Format(time.RFC3339), ticksAfter(last).Format(time.RFC3339))
	w.do("session.created", `{"eventId":"e1","id":"s1"}`)
	w.do("registration.created", `{"eventId":"e1","id":"r1"}`)
	w.now, w.said = ticksAfter(lastTick), nil
	return w
}

func (p point) activity() live.Activity {
	return live.Activity{Type: typeOf(p.leave), At: ticksAfter(p.tick), Data: []byte(attendance("s1", "r1", p.connection))}
}

// histories runs a property over 10,000 random histories.
func histories(t *testing.T, property func(*rapid.T)) {
	rounds := 100
	if testing.Short() {
		rounds = 5
	}
	for range rounds {
		rapid.Check(t, property) // 100 of them
		if t.Failed() {
			return
		}
	}
}

// TestFiguresAreOfTheSet: whatever the order, however often, in whatever batches a history
// arrives, the figures are those of the model.
func TestFiguresAreOfTheSet(t *testing.T) {
	t.Parallel()
	histories(t, func(t *rapid.T) {
		history := drawHistory(t)
		w, other := historyWorld(t), historyWorld(t)
		arrive(t, w, history)
		arrive(t, other, rapid.Permutation(append(history, history...)).Draw(t, "again"))
		got, again := lines(w.report())[0], lines(other.report())[0]
		if got != again {
			t.Fatalf("%v, and in another order %v", got, again)
		}
		if want := modelLine(history); got != want {
			t.Fatalf("got %v, want %v", got, want)
		}
		compareSpent(t, w, history)
	})
}

// arrive applies a history in batches.
func arrive(t *rapid.T, w *world, history []point) {
	for len(history) > 0 {
		n := rapid.IntRange(1, len(history)).Draw(t, "batch")
		batch := make([]live.Activity, n)
		for i, p := range history[:n] {
			batch[i] = p.activity()
		}
		for _, i := range live.Order(batch, w.now) {
			w.with(batch[i])
		}
		history = history[n:]
	}
}

// modelLine is what the report must say of a history after the event's end.
func modelLine(m model) string {
	firstJoin, lastLeft := "-", "-"
	for at := lastTick; at >= 0; at-- {
		if slices.ContainsFunc(m, func(p point) bool { return !p.leave && p.tick == at }) {
			firstJoin = fmt.Sprint(ticksAfter(at).Sub(noon).Minutes())
		}
	}
	for _, turn := range m.turns(0, lastTick) {
		if turn.leave {
			lastLeft = fmt.Sprint(ticksAfter(turn.tick).Sub(noon).Minutes())
		}
	}
	return fmt.Sprintf("s1 r1 false 0 %s %s %d false", firstJoin, lastLeft, roundUp(m.ticks(first, last)))
}

// roundUp is ticks in minutes: a third is rounded down, two thirds up, and none is little.
func roundUp(ticks int) int {
	switch {
	case ticks == 0:
		return 0
	case ticks < 3:
		return 1
	}
	return (ticks + 1) / 3
}

// compareSpent fires the timers, and compares what they tell with the model.
func compareSpent(t *rapid.T, w *world, m model) {
	w.said = nil
	w.until(1000)
	var got []string
	for _, m := range w.said {
		if spent, ok := decode(t, m.Data)["timeSpentInMinutes"]; ok {
			got = append(got, fmt.Sprint(m.Type, spent))
		} else if m.Type != "event.updated" {
			got = append(got, m.Type)
		}
	}
	var want []string
	if n := roundUp(m.ticks(first, last)); n > 0 {
		want = append(want, fmt.Sprint("session.time_spent", n), fmt.Sprint("event.time_spent", n))
	}
	if slices.ContainsFunc(m, func(p point) bool { return !p.leave }) {
		want = append(want, "registration.attended")
	} else {
		want = append(want, "registration.no_show")
	}
	if !slices.Equal(got, want) {
		t.Fatalf("got %v, want %v", got, want)
	}
}

// TestTurnsAreTold: each turn of the presence that an arrival makes true is told, none
// twice, and in the end all that are true have been. What arrives in order is told as it
// was: in and out by turns.
func TestTurnsAreTold(t *testing.T) {
	t.Parallel()
	histories(t, func(t *rapid.T) {
		history := drawHistory(t)
		w := historyWorld(t)
		var known model
		told := map[turn]bool{}
		for _, p := range history {
			before := known.turns(0, lastTick)
			known = append(known, p)
			var want []turn
			for _, turn := range known.turns(0, lastTick) {
				if !slices.Contains(before, turn) && !told[turn] {
					want = append(want, turn)
					told[turn] = true
				}
			}
			w.said = nil
			w.with(p.activity())
			if got := turnsOf(w.said); !slices.Equal(got, want) {
				t.Fatalf("%v says %v, want %v", p, got, want)
			}
			checkOpening(t, known[:len(known)-1], p, w.said)
		}
		for _, turn := range known.turns(0, lastTick) {
			if !told[turn] {
				t.Fatalf("%v was never told", turn)
			}
		}
	})
}

// checkOpening compares with the rule as it is written: a join is told if no connection is
// open at its time; and a leave if it closes the last.
func checkOpening(t *rapid.T, before model, p point, said []live.Message) {
	told := slices.Contains(turnsOf(said), turn{p.leave, p.tick})
	opens := !p.leave && !before.in(p.tick, true, false)
	if !p.leave && told && !opens {
		t.Fatalf("%v was told, and somebody was in", p)
	}
	after := append(slices.Clone(before), p)
	closes := p.leave && before.in(p.tick, true, false) && !after.in(p.tick, true, true)
	if p.leave && told && !closes {
		t.Fatalf("%v was told, and closed nothing", p)
	}
}

func turnsOf(said []live.Message) []turn {
	var all []turn
	for _, m := range said {
		all = append(all, turn{m.Type == "session.left", int(m.At.Sub(noon) / tick)})
	}
	return all
}

func TestInOrderInAndOutByTurns(t *testing.T) {
	t.Parallel()
	histories(t, func(t *rapid.T) {
		history := drawHistory(t)
		slices.SortStableFunc(history, func(a, b point) int {
			return cmp.Or(cmp.Compare(a.tick, b.tick), cmp.Compare(len(typeOf(b.leave)), len(typeOf(a.leave))))
		})
		w := historyWorld(t)
		for _, p := range history {
			w.with(p.activity())
		}
		got := turnsOf(w.said)
		for i, turn := range got {
			if turn.leave != (i%2 == 1) {
				t.Fatalf("not by turns: %v", got)
			}
		}
		if want := model(history).turns(0, lastTick); !slices.Equal(got, want) {
			t.Fatalf("got %v, want %v", got, want)
		}
	})
}

// TestFigureBounds: no history gives less than nothing or more than the whole event.
func TestFigureBounds(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		w := conf(t)
		w.unchecked = true
		w.now = after(200)
		for range rapid.IntRange(1, 20).Draw(t, "n") {
			w.with(live.Activity{
				Type: typeOf(rapid.Bool().Draw(t, "leave")),
				At:   noon.Add(time.Duration(rapid.Int64Range(-1e15, 200*60*1e9).Draw(t, "at"))),
				Data: []byte(attendance("s1", "r1", rapid.SampledFrom([]string{"", "a", "b", "c"}).Draw(t, "connection"))),
			})
		}
		for _, l := range w.report().Lines {
			if *l.Minutes < 0 || *l.Minutes > 120 {
				t.Fatalf("%d minutes of 120", *l.Minutes)
			}
		}
	})
}
