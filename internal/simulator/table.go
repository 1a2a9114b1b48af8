package simulator

import (
	"fmt"
	"io"
	"text/tabwriter"
)

// tableLine is one of the table: how long people were somewhere, by the account and by what was announced.
type tableLine struct {
	where              string
	people             int
	minutes, announced int
	Agreement
}

// Table writes the minutes that people spent in each session, at the event and in each conference, by the simulator's
// account and as they were announced by messages.
func (d *Day) Table(out io.Writer, announced *Account) {
	lines := d.sessionLines(announced)
	event := tableLine{where: "the whole event", Agreement: compare(d.Account.Event, announced.Event, isNone, atEvent)}
	for _, n := range d.Account.Event {
		event.add(n)
	}
	for _, n := range announced.Event {
		event.announced += n
	}
	lines = append(lines, event)
	lines = append(lines,
		lineOf("conference: "+briefing, d.number(aBriefing), d.Account.Conferences, announced.Conferences),
		lineOf("conference: "+roundtable, d.number(aRoundtable), d.Account.Conferences, announced.Conferences))
	write(out, lines, "announced")
}

// SessionTable writes the minutes that people spent in each session, by the simulator's account and by a report of
// attendance.
func (d *Day) SessionTable(out io.Writer, report *Account) {
	write(out, d.sessionLines(report), "reported")
}

func (d *Day) sessionLines(other *Account) (lines []tableLine) {
	for _, t := range talks() {
		lines = append(lines, lineOf(t.title, t.id, d.Account.Sessions, other.Sessions))
	}
	return lines
}

func lineOf(where, id string, want, got map[Place]int) tableLine {
	want, got = at(id, want), at(id, got)
	l := tableLine{where: where, Agreement: compare(want, got, isNone, Place.minutes)}
	for _, n := range want {
		l.add(n)
	}
	for _, n := range got {
		l.announced += n
	}
	return l
}

func (l *tableLine) add(minutes int) {
	if minutes > 0 {
		l.people++
		l.minutes += minutes
	}
}

// at are the minutes in one place.
func at(where string, all map[Place]int) map[Place]int {
	there := map[Place]int{}
	for p, n := range all {
		if p.Where == where {
			there[p] = n
		}
	}
	return there
}

func write(out io.Writer, lines []tableLine, announced string) {
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	_, _ = fmt.Fprintf(table, "%-35s\tpeople\tminutes\t%s\tagree\t\n", "time spent in", announced)
	for _, l := range lines {
		_, _ = fmt.Fprintf(table, "%-35s\t%d\t%d\t%d\t%d of %d\t\n", l.where, l.people, l.minutes, l.announced, l.Agree, l.Of)
	}
	_ = table.Flush()
}
