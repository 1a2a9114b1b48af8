package commit

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/callboard/callboard/internal/id"
	"github.com/callboard/callboard/internal/live"
	"github.com/callboard/callboard/internal/store"
)

// errUnloaded is a defect of a unit: its decision asks for, or writes, a row of live
// state that its keys do not name. The unit fails alone.
var errUnloaded = errors.New("a unit used an object that its keys do not name")

// objects are the rows of live state that a batch has loaded, with what its units
// made of them.
type objects struct {
	byKey   map[live.Key]*object
	ranges  map[live.Range][]live.Key
	changed []live.Key
	defect  error
}

// object is a row that was loaded or looked for.
type object struct {
	row     live.Row
	there   bool // as the units so far have it
	stored  bool // as it was loaded
	changed bool
}

func newObjects() objects {
	return objects{byKey: map[live.Key]*object{}, ranges: map[live.Range][]live.Key{}}
}

func (o *objects) reset() {
	clear(o.byKey)
	clear(o.ranges)
	o.changed = o.changed[:0]
	o.defect = nil
}

// load reads what the keys name: rows first, then ranges, both in order, so that all
// nodes lock them alike. A range's parent, which is a row, is thereby locked before.
func (o *objects) load(ctx context.Context, tx Tx, keys *Keys) error {
	if len(keys.Objects) > 0 {
		wanted := unique(keys.Objects)
		slices.SortFunc(wanted, live.Key.Compare)
		for _, k := range wanted {
			o.byKey[k] = &object{}
		}
		rows, err := tx.Objects(ctx, wanted)
		if err != nil {
			return err
		}
		for _, row := range rows {
			o.found(row)
		}
	}
	ranges := unique(keys.Ranges)
	slices.SortFunc(ranges, func(a, b live.Range) int { return first(a).Compare(first(b)) })
	for _, r := range ranges {
		rows, err := tx.ObjectRange(ctx, r)
		if err != nil {
			return err
		}
		within := make([]live.Key, len(rows))
		for i, row := range rows {
			within[i] = row.Key
			o.found(row)
		}
		o.ranges[r] = within
	}
	return nil
}

// first is where a range begins.
func first(r live.Range) live.Key {
	return live.Key{App: r.App, Kind: r.Kind, Parent: r.Parent, ID: r.After}
}

// found notes a row that was loaded.
func (o *objects) found(row live.Row) {
	o.byKey[row.Key] = &object{row: row, there: true, stored: true}
}

// find gives a row that was looked for; nil is a defect of the unit.
func (o *objects) find(k live.Key) *object {
	found := o.byKey[k]
	if found == nil {
		o.defect = fmt.Errorf("%w, of kind %d", errUnloaded, k.Kind)
	}
	return found
}

// change notes that a row is written in the end.
func (o *objects) change(k live.Key, row *object) {
	if !row.changed {
		row.changed = true
		o.changed = append(o.changed, k)
	}
}

// seal writes each row that was changed once, as it is at the end, in the order of
// keys. One that came and went leaves nothing.
func (o *objects) seal(c *store.Changes) {
	slices.SortFunc(o.changed, live.Key.Compare)
	for _, k := range o.changed {
		switch row := o.byKey[k]; {
		case row.there:
			c.Objects = append(c.Objects, row.row)
		case row.stored:
			c.ErasedObjects = append(c.ErasedObjects, k)
		}
	}
}

// Object finds a row of live state that the unit's keys name. Its Doc and State must
// not be modified.
func (v *View) Object(k live.Key) (live.Row, bool) {
	found := v.objects.find(k)
	if found == nil || !found.there {
		return live.Row{}, false
	}
	return found.row, true
}

// Range gives the rows of a range that the unit's keys name, in the order of their
// keys: those that were there when the batch began, as they are now. What the unit
// itself has put there since is not among them, what it has dropped neither.
func (v *View) Range(r live.Range) []live.Row {
	within, ok := v.objects.ranges[r]
	if !ok {
		v.objects.defect = fmt.Errorf("%w: a range of kind %d", errUnloaded, r.Kind)
		return nil
	}
	rows := make([]live.Row, 0, len(within))
	for _, k := range within {
		if found := v.objects.byKey[k]; found.there {
			rows = append(rows, found.row)
		}
	}
	return rows
}

// PutObject writes a row of live state that the unit's keys or ranges name, and gives
// it as it is then: a row that exists keeps its CreatedAt, and its Seq if that of the
// new one is 0; a new row with Seq 0 gets one. Times are cut to the microsecond, as
// they are stored.
func (v *View) PutObject(row live.Row) live.Row {
	found := v.objects.find(row.Key)
	if found == nil {
		return row
	}
	v.writes++
	row.UpdatedAt = micros(v.now)
	row.CreatedAt = row.UpdatedAt
	row.Due = micros(row.Due)
	if found.there {
		row.CreatedAt = found.row.CreatedAt
	}
	if row.Seq == 0 {
		row.Seq = v.seqOf(found)
	}
	found.row, found.there = row, true
	v.objects.change(row.Key, found)
	return row
}

// AddObject is PutObject of a row whose key only the decision knows, so that the unit's
// keys could not name it: it follows from another row, such as a counter, that they do
// name, and no other row has it. If one has it all the same, the batch runs again on
// PostgreSQL.
func (v *View) AddObject(row live.Row) live.Row {
	if v.objects.byKey[row.Key] == nil {
		v.objects.byKey[row.Key] = &object{}
	}
	return v.PutObject(row)
}

// seqOf gives the Seq of a row that is there, else a new one.
func (v *View) seqOf(o *object) id.ID {
	if o.there {
		return o.row.Seq
	}
	return v.NextID()
}

// micros is a time as a store gives it back.
func micros(t time.Time) time.Time {
	if t.IsZero() {
		return time.Time{}
	}
	return time.UnixMicro(t.UnixMicro()).UTC()
}

// DropObject removes a row of live state that the unit's keys or ranges name; one
// that is not there is nothing.
func (v *View) DropObject(k live.Key) {
	found := v.objects.find(k)
	if found == nil || !found.there {
		return
	}
	v.writes++
	found.row, found.there = live.Row{}, false
	v.objects.change(k, found)
}

// family are the rows of live state of a kind below a parent.
type family struct {
	app    id.ID
	kind   live.Kind
	parent string
}

// reads reports whether a unit reads a range in which a unit of the batch so far may
// write: the view holds what was loaded of it, and a row that came or went would
// bring in others. It notes what the unit itself may write.
func (c *Committer) reads(u *Unit) bool {
	for i := range u.Keys.Ranges {
		r := &u.Keys.Ranges[i]
		if _, written := c.families[family{r.App, r.Kind, r.Parent}]; written {
			return true
		}
	}
	for i := range u.Keys.Ranges {
		r := &u.Keys.Ranges[i]
		c.families[family{r.App, r.Kind, r.Parent}] = struct{}{}
	}
	for i := range u.Keys.Objects {
		k := &u.Keys.Objects[i]
		c.families[family{k.App, k.Kind, k.Parent}] = struct{}{}
	}
	return false
}
