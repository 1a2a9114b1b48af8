package simulator

import (
	"encoding/json"
	"go/build"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/callboard/callboard/client"
	"github.com/callboard/callboard/wire/native"
)

var ends = time.Date(2026, 5, 4, 17, 0, 0, 0, time.UTC)

// TestIndependent: what the server's figures are held against knows nothing of how the server comes to them.
func TestIndependent(t *testing.T) {
	t.Parallel()
	p, err := build.ImportDir(".", 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range p.Imports {
		if strings.Contains(path, "/internal/") {
			t.Errorf("the simulator imports %s", path)
		}
	}
	if !slices.Contains(p.Imports, "github.com/callboard/callboard/client") {
		t.Errorf("imports: %v", p.Imports)
	}
}

// written is what a day tells, as text.
func written(t *testing.T, d *Day) string {
	t.Helper()
	var b strings.Builder
	for _, h := range d.Happenings {
		text, err := json.Marshal(h.Activity)
		if err != nil {
			t.Fatal(err)
		}
		if h.Write != nil {
			text = []byte(h.What)
		}
		b.WriteString(h.Due.Format(time.RFC3339) + " " + h.At.Format(time.RFC3339) + " " + string(text) + "\n")
	}
	return b.String()
}

// TestScript: the same plan is the same day, another seed is another one.
func TestScript(t *testing.T) {
	t.Parallel()
	day := func(seed uint64) *Day { return Script(Plan{Seed: seed, Attendees: 50, Name: "summit", Ends: ends}) }
	one, again, other := day(1), day(1), day(2)
	if diff := cmp.Diff(written(t, one), written(t, again)); diff != "" {
		t.Errorf("the same plan gives another day:\n%s", diff)
	}
	if diff := cmp.Diff(one.Account, again.Account); diff != "" {
		t.Errorf("the same plan gives another account:\n%s", diff)
	}
	if written(t, one) == written(t, other) || cmp.Equal(one.Account, other.Account) {
		t.Error("another seed gives the same day")
	}
}

// TestDay looks at the whole of a day: its order, its bounds, and that all happens that is promised.
func TestDay(t *testing.T) {
	t.Parallel()
	d := Script(Plan{Seed: 3, Attendees: 300, Name: "summit", Ends: ends})
	late, again := 0, 0
	seen := map[string]bool{}
	for i, h := range d.Happenings {
		if i > 0 && h.Due.Before(d.Happenings[i-1].Due) {
			t.Fatalf("happening %d is due before the one before it", i)
		}
		if h.Due.Before(h.At) || h.Due.After(ends) {
			t.Errorf("%s %s at %s is due at %s", h.Activity.Type, h.What, h.At, h.Due)
		}
		if h.Write != nil {
			continue
		}
		if h.Due.After(h.At) {
			late++
		}
		if seen[h.Activity.ID] || h.Activity.ID == "" {
			again++
		}
		seen[h.Activity.ID] = true
	}
	if late < 50 || again < 10 {
		t.Errorf("%d are told late, %d again", late, again)
	}
	absent := 0
	for _, came := range d.Account.Came {
		if !came {
			absent++
		}
	}
	if len(d.Account.Came) != 300 || absent < 12 || absent > 35 || len(d.Account.Conferences) != 18 {
		t.Errorf("%d registered, %d did not show, %d were in conferences", len(d.Account.Came), absent, len(d.Account.Conferences))
	}
	for _, s := range talks() {
		if n := len(at(s.id, d.Account.Sessions)); n < 40 {
			t.Errorf("%d people were in %s", n, s.title)
		}
	}
	if night, noon := d.Present(ends.Add(-dayLength)), d.Present(d.at(110*time.Minute)); night != 0 || noon < 150 || noon > 300 {
		t.Errorf("%d are present when the doors open, %d before noon", night, noon)
	}
}

// TestStays: a device comes, goes, and only then comes again. What is told of it follows from its stays, so a stay that
// ended before it began would be a join that no leave follows, and a server would be right to count it to the end.
func TestStays(t *testing.T) {
	t.Parallel()
	type device struct{ where, name string }
	for seed := range uint64(10) {
		d := &Day{Plan: Plan{Seed: seed}}
		for n := range 10_000 {
			a := newAttendee(d.random("attendee", n), n)
			gone := map[device]time.Duration{}
			for _, s := range a.stays {
				at := device{s.where, s.device}
				if last, was := gone[at]; s.to <= s.from || was && s.from <= last {
					t.Errorf("seed %d: %s, whose %s left at %v, is in %s from %v to %v", seed, a.id, s.device, last, s.where, s.from, s.to)
				}
				gone[at] = s.to
			}
		}
	}
}

// TestSecondBySecond reckons the account again from what is told, in the dullest way: for every second of the day, who is
// connected.
func TestSecondBySecond(t *testing.T) {
	t.Parallel()
	d := Script(Plan{Seed: 4, Attendees: 60, Name: "summit", Ends: ends})
	type move struct {
		second int
		leaves bool
		device string
	}
	moves := map[Place][]move{}
	for _, h := range d.Happenings {
		data, is := h.Activity.Data.(client.Attendance)
		if !is {
			continue
		}
		place := Place{data.SessionID, data.RegistrationID}
		moves[place] = append(moves[place], move{int(h.At.Sub(d.opens) / time.Second), h.Activity.Type == native.SessionLeft, data.ConnectionID})
	}
	sessions, event := map[Place]int{}, map[string]int{}
	anywhere := map[string]map[int]bool{}
	for place, all := range moves {
		slices.SortFunc(all, func(a, b move) int { return a.second - b.second })
		connected := map[string]bool{}
		present := 0
		for second := range int(dayLength / time.Second) {
			for len(all) > 0 && all[0].second == second {
				connected[all[0].device] = !all[0].leaves
				all = all[1:]
			}
			here := false
			for _, c := range connected {
				here = here || c
			}
			if !here || second < int(eventOpens/time.Second) {
				continue
			}
			present++
			if anywhere[place.Who] == nil {
				anywhere[place.Who] = map[int]bool{}
			}
			anywhere[place.Who][second] = true
		}
		sessions[place] = minutes(time.Duration(present) * time.Second)
	}
	for who, there := range anywhere {
		event[who] = minutes(time.Duration(len(there)) * time.Second)
	}
	if diff := cmp.Diff(sessions, d.Account.Sessions); diff != "" {
		t.Errorf("minutes in sessions (-by the second +account):\n%s", diff)
	}
	if diff := cmp.Diff(event, d.Account.Event); diff != "" {
		t.Errorf("minutes at the event (-by the second +account):\n%s", diff)
	}
}
