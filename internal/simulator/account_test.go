package simulator

import (
	"bytes"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/callboard/callboard/wire/native"
)

func TestCount(t *testing.T) {
	t.Parallel()
	const s = time.Second
	bounds := span{600 * s, 6000 * s}
	closed := func(from, to time.Duration) stay { return stay{span: span{from * s, to * s}} }
	open := func(from time.Duration) stay { return stay{span: span{from: from * s}, open: true} }
	for name, tt := range map[string]struct {
		stays []stay
		want  int
	}{
		"nowhere":                        {nil, 0},
		"an hour":                        {[]stay{closed(1200, 4800)}, 60},
		"a second is a minute":           {[]stay{closed(1200, 1201)}, 1},
		"up to the nearest":              {[]stay{closed(1200, 1290)}, 2},
		"down to the nearest":            {[]stay{closed(1200, 1289)}, 1},
		"parts together":                 {[]stay{closed(3000, 3045), closed(1200, 1245)}, 2},
		"two devices at once":            {[]stay{closed(1200, 1800), closed(1500, 2400)}, 20},
		"one device within another":      {[]stay{closed(1200, 2400), closed(1500, 1800)}, 20},
		"before the beginning":           {[]stay{closed(0, 660)}, 1},
		"only before the beginning":      {[]stay{closed(0, 600)}, 0},
		"after the end":                  {[]stay{closed(5940, 9000)}, 1},
		"no leave":                       {[]stay{open(5400)}, 10},
		"no leave, and another was told": {[]stay{open(5400), closed(5400, 5460)}, 10},
	} {
		if got := count(tt.stays, bounds); got != tt.want {
			t.Errorf("%s: %d minutes, want %d", name, got, tt.want)
		}
	}
}

// TestAgreements shows that what is missing, wrong, too much, or told twice is found.
func TestAgreements(t *testing.T) {
	t.Parallel()
	account := func(change func(*Account)) *Account {
		a := NewAccount()
		a.Sessions[Place{"keynote", "r1"}], a.Sessions[Place{"keynote", "r2"}] = 40, 0
		a.Event["r1"], a.Conferences[Place{"7", "9"}] = 40, 3
		a.Came["r1"], a.Came["r3"] = true, false
		change(a)
		return a
	}
	want := account(func(*Account) {})
	for name, tt := range map[string]struct {
		change                         func(*Account)
		timeSpent, shownUp, attendance string
		whole                          bool
	}{
		"the same":    {func(*Account) {}, "3 of 3 agree", "2 of 2 agree", "2 of 2 agree", true},
		"other":       {func(a *Account) { a.Sessions[Place{"keynote", "r1"}] = 41 }, "2 of 3 agree", "2 of 2 agree", "1 of 2 agree", false},
		"missing":     {func(a *Account) { clear(a.Event) }, "2 of 3 agree", "2 of 2 agree", "2 of 2 agree", false},
		"too much":    {func(a *Account) { a.Conferences[Place{"7", "8"}] = 1 }, "3 of 4 agree", "2 of 2 agree", "2 of 2 agree", false},
		"no show":     {func(a *Account) { a.Came["r1"] = false }, "3 of 3 agree", "1 of 2 agree", "2 of 2 agree", false},
		"silence":     {func(a *Account) { delete(a.Came, "r3") }, "3 of 3 agree", "1 of 2 agree", "2 of 2 agree", false},
		"no line":     {func(a *Account) { delete(a.Sessions, Place{"keynote", "r2"}) }, "3 of 3 agree", "2 of 2 agree", "1 of 2 agree", false},
		"told twice":  {func(a *Account) { a.Repeated = []string{"r1"} }, "3 of 3 agree", "2 of 2 agree", "2 of 2 agree", false},
		"heard of no": {func(a *Account) { *a = *NewAccount() }, "0 of 3 agree", "0 of 2 agree", "0 of 2 agree", false},
	} {
		got := account(tt.change)
		all := []Agreement{want.TimeSpent(got), want.ShownUp(got), want.Attendance(got)}
		if diff := cmp.Diff([]string{tt.timeSpent, tt.shownUp, tt.attendance}, []string{all[0].String(), all[1].String(), all[2].String()}); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
		if whole := all[0].Whole() && all[1].Whole() && all[2].Whole(); whole != tt.whole {
			t.Errorf("%s: whole is %v: %v", name, whole, all)
		}
	}
	got := want.TimeSpent(account(func(a *Account) { a.Sessions[Place{"keynote", "r1"}] = 41 }))
	if diff := cmp.Diff([]string{"minutes of r1 in keynote: 41, not 40"}, got.Differ); diff != "" {
		t.Errorf("differences (-want +got):\n%s", diff)
	}
}

// TestHear: of the webhooks that come, those that tell figures of the day are heard, and it is noticed if one tells what
// another has told.
func TestHear(t *testing.T) {
	t.Parallel()
	d := Script(Plan{Attendees: 2, Name: "summit", Ends: ends})
	heard := NewAccount()
	for _, body := range []string{
		`{"type":"session.time_spent","data":{"event":{"id":"summit"},"session":{"id":"keynote"},"registration":{"id":"r1"},"timeSpentInMinutes":40}}`,
		`{"type":"session.time_spent","data":{"event":{"id":"other"},"session":{"id":"keynote"},"registration":{"id":"r2"},"timeSpentInMinutes":40}}`,
		`{"type":"session.joined","data":{"event":{"id":"summit"},"session":{"id":"keynote"},"registration":{"id":"r3"}}}`,
		`{"type":"event.time_spent","data":{"event":{"id":"summit"},"registration":{"id":"r1"},"timeSpentInMinutes":41}}`,
		`{"type":"event.time_spent","data":{"event":{"id":"summit"},"registration":{"id":"r1"},"timeSpentInMinutes":41}}`,
		`{"type":"registration.created","data":{"event":{"id":"summit"},"registration":{"id":"r4"}}}`,
		`{"type":"registration.attended","data":{"event":{"id":"summit"},"registration":{"id":"r1"}}}`,
		`{"type":"registration.no_show","data":{"event":{"id":"summit"},"registration":{"id":"r4"}}}`,
		`{"type":"registration.no_show","data":{"event":{"id":"other"},"registration":{"id":"r5"}}}`,
		fmt.Sprintf(`{"type":"conference.participant.time_spent","data":{"conferenceId":%s,"participantId":7,"timeSpentInMinutes":3}}`, d.number(aBriefing)),
		`{"type":"conference.participant.time_spent","data":{"conferenceId":12,"participantId":7,"timeSpentInMinutes":3}}`,
	} {
		w, err := native.Decode([]byte(body))
		if err != nil {
			t.Fatal(err)
		}
		d.Hear(heard, w)
	}
	want := &Account{
		Sessions: map[Place]int{{"keynote", "r1"}: 40}, Event: map[string]int{"r1": 41}, Came: map[string]bool{"r1": true, "r4": false},
		Conferences: map[Place]int{{d.number(aBriefing), "7"}: 3}, Repeated: []string{"r1 was told again"},
	}
	if diff := cmp.Diff(want, heard); diff != "" {
		t.Errorf("heard (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(heard, heard.Clone()); diff != "" {
		t.Errorf("the clone differs:\n%s", diff)
	}
	if !d.Complete(heard) {
		t.Error("two registered, of two it was told whether they came, and that is not all")
	}
}

// TestTable: a line for each session, and where figures differ it shows.
func TestTable(t *testing.T) {
	t.Parallel()
	d := Script(Plan{Attendees: 10, Name: "summit", Ends: ends})
	*d.Account = *NewAccount()
	d.Account.Sessions[Place{"closing", "r1"}], d.Account.Sessions[Place{"closing", "r2"}] = 30, 20
	d.Account.Event["r1"] = 30
	heard := d.Account.Clone()
	heard.Sessions[Place{"closing", "r2"}] = 21
	var out bytes.Buffer
	d.Table(&out, heard)
	lines := bytes.Split(bytes.TrimSpace(out.Bytes()), []byte("\n"))
	if len(lines) != 12 {
		t.Fatalf("%d lines:\n%s", len(lines), &out)
	}
	for i, want := range map[int]string{
		8:  "Closing remarks and awards 2 50 51 1 of 2",
		9:  "the whole event 1 30 30 1 of 1",
		10: "conference: Speakers' briefing 0 0 0 0 of 0",
	} {
		if got := string(bytes.Join(bytes.Fields(lines[i]), []byte(" "))); got != want {
			t.Errorf("line %d is %q, want %q", i, got, want)
		}
	}
	out.Reset()
	if d.SessionTable(&out, heard); bytes.Count(out.Bytes(), []byte("\n")) != 9 {
		t.Errorf("of sessions alone:\n%s", &out)
	}
}
