package live_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/callboard/callboard/internal/catalog"
	"github.com/callboard/callboard/internal/id"
	"github.com/callboard/callboard/internal/live"
)

const (
	app = id.ID(7)
	org = "org_test"
)

// noon is when tests begin; the event of most of them runs from an hour later for two
// hours.
var noon = time.Date(2027, 6, 10, 12, 0, 0, 0, time.UTC)

// core is the catalogue that every message has to fit.
var core = catalog.New()

// tb is what testing.T and rapid.T have in common.
type tb interface {
	Helper()
	Fatalf(format string, args ...any)
	Errorf(format string, args ...any)
}

// world is a committer without a store: rows in a map. It is as strict as the real one: a
// row that was not named before must not be asked for or written.
type world struct {
	t    tb
	rows map[live.Key]live.Row
	now  time.Time
	said []live.Message

	named     map[live.Key]bool
	unchecked bool // leaves out the check against the catalogue, which takes its time
}

func newWorld(t tb) *world {
	return &world{t: t, rows: map[live.Key]live.Row{}, now: noon}
}

func (w *world) Get(k live.Key) (live.Row, bool) {
	if !w.named[k] {
		w.t.Fatalf("asks for %v, which was not named", k)
	}
	row, ok := w.rows[k]
	return row, ok
}

func (w *world) name(keys ...live.Key) {
	w.named = map[live.Key]bool{}
	for _, k := range keys {
		w.named[k] = true
	}
}

// apply applies an activity, and commits what follows.
func (w *world) apply(a live.Activity) (live.Outcome, error) {
	w.t.Helper()
	request, err := live.Read(app, org, &a)
	if err != nil {
		w.checkRefusal(err)
		return live.Outcome{}, err
	}
	w.name(request.Keys()...)
	out, err := request.Apply(w, w.now)
	if !w.unchecked {
		w.decideAgain(request, out, err)
	}
	if err != nil {
		w.checkRefusal(err)
		return out, err
	}
	w.commit(out)
	return out, nil
}

// decideAgain holds what was decided to what the same request comes to once more: a batch
// that met a conflict is decided again, and a request is read once.
func (w *world) decideAgain(request *live.Request, out live.Outcome, err error) {
	w.t.Helper()
	again, failed := request.Apply(w, w.now)
	if diff := cmp.Diff(out, again); diff != "" || fmt.Sprint(err) != fmt.Sprint(failed) {
		w.t.Errorf("decided again (-first +then):\n%s%v, %v", diff, err, failed)
	}
}

func (w *world) checkRefusal(err error) {
	w.t.Helper()
	r, ok := errors.AsType[*live.Refusal](err)
	if !ok || r.Kind < live.Invalid || r.Kind > live.Conflict || r.Msg == "" {
		w.t.Fatalf("%#v is no good refusal", err)
	}
}

func (w *world) commit(out live.Outcome) {
	w.t.Helper()
	written := map[live.Key]bool{}
	for _, row := range out.Rows {
		_, known := w.rows[row.Key]
		w.checkWrite(row.Key, written, row.Kind == live.EventNumber && !known)
		for _, doc := range [][]byte{row.Doc, row.State} {
			if doc != nil && !json.Valid(doc) {
				w.t.Fatalf("row %v: %s is no JSON", row.Key, doc)
			}
		}
		w.rows[row.Key] = row
	}
	for _, k := range out.Gone {
		w.checkWrite(k, written, false)
		delete(w.rows, k)
	}
	if out.Unchanged && (len(out.Rows)+len(out.Gone)+len(out.Messages)) > 0 {
		w.t.Fatalf("unchanged, and yet %+v", out)
	}
	for _, m := range out.Messages {
		w.hear(m)
	}
}

func (w *world) checkWrite(k live.Key, written map[live.Key]bool, free bool) {
	w.t.Helper()
	if written[k] {
		w.t.Fatalf("writes %v twice", k)
	}
	written[k] = true
	if !w.named[k] && !free {
		w.t.Fatalf("writes %v, which was not named", k)
	}
}

func (w *world) hear(m live.Message) {
	w.t.Helper()
	w.said = append(w.said, m)
	if m.At.IsZero() || m.At.Location() != time.UTC {
		w.t.Fatalf("%s: at %v", m.Type, m.At)
	}
	if !w.unchecked {
		checkMessage(w.t, m)
	}
}

// checkMessage compares a message with its type's schema.
func checkMessage(t tb, m live.Message) {
	t.Helper()
	payload := fmt.Appendf(nil, `{"type":%q,"timestamp":%q,"data":%s}`, m.Type, m.At.Format("2006-01-02T15:04:05.000Z"), m.Data)
	problems, err := core.Check(m.Type, payload)
	if err != nil || len(problems) > 0 {
		t.Fatalf("%s does not fit: %v %v\n%s", m.Type, err, problems, payload)
	}
}

// do applies an activity that must not be refused, and gives the types of its messages.
func (w *world) do(activityType, data string, args ...any) string {
	w.t.Helper()
	return w.with(live.Activity{Type: activityType, Data: fmt.Appendf(nil, data, args...)})
}

// at does so with a time, in minutes after noon.
func (w *world) at(minutes float64, activityType, data string, args ...any) string {
	w.t.Helper()
	return w.with(live.Activity{Type: activityType, At: after(minutes), Data: fmt.Appendf(nil, data, args...)})
}

func (w *world) with(a live.Activity) string {
	w.t.Helper()
	out, err := w.apply(a)
	if err != nil {
		w.t.Fatalf("%s: refused: %v", a.Type, err)
	}
	return types(out)
}

// refused applies an activity that has to be refused.
func (w *world) refused(a live.Activity) *live.Refusal {
	w.t.Helper()
	_, err := w.apply(a)
	r, ok := errors.AsType[*live.Refusal](err)
	if !ok {
		w.t.Fatalf("%s: not refused", a.Type)
	}
	return r
}

func after(minutes float64) time.Time {
	return noon.Add(time.Duration(minutes * float64(time.Minute)))
}

// types are the types of an outcome's messages, and what else is special about it.
func types(out live.Outcome) string {
	var words []string
	for _, m := range out.Messages {
		words = append(words, m.Type)
	}
	if out.Late {
		words = append(words, "late")
	}
	if out.Unchanged {
		words = append(words, "unchanged")
	}
	return strings.Join(words, " ")
}

// due gives the row that is due first, up to now.
func (w *world) due() (live.Row, bool) {
	var first live.Row
	for _, k := range slices.SortedFunc(maps.Keys(w.rows), live.Key.Compare) {
		row := w.rows[k]
		if row.Due.IsZero() || row.Due.After(w.now) {
			continue
		}
		if first.Due.IsZero() || row.Due.Before(first.Due) {
			first = row
		}
	}
	return first, !first.Due.IsZero()
}

// inRange gives rows as a store does.
func (w *world) inRange(r live.Range) []live.Row {
	var rows []live.Row
	for _, k := range slices.SortedFunc(maps.Keys(w.rows), live.Key.Compare) {
		if r.Covers(k) && len(rows) < r.Limit {
			rows = append(rows, w.rows[k])
		}
	}
	return rows
}

// fireOnce fires the row that is due first.
func (w *world) fireOnce(delay time.Duration) (live.Outcome, bool) {
	w.t.Helper()
	row, ok := w.due()
	if !ok {
		return live.Outcome{}, false
	}
	out := w.fireRow(row, delay)
	w.commit(out)
	return out, true
}

func (w *world) fireRow(row live.Row, delay time.Duration) live.Outcome {
	keys := []live.Key{row.Key}
	var beside []live.Row
	if r, ok := live.NeedsRange(row); ok {
		beside = w.inRange(r)
		for _, b := range beside {
			keys = append(keys, b.Key)
		}
	}
	w.name(append(keys, live.NeedsKeys(row, beside)...)...)
	return live.Fire(w, row, beside, w.now, delay)
}

// until lets time pass, firing what is due when it is, and gives the types of the
// messages.
func (w *world) until(minutes float64) string {
	w.t.Helper()
	var words []string
	for range 10_000 {
		row, ok := w.next()
		if !ok || row.Due.After(after(minutes)) {
			w.now = after(minutes)
			return strings.Join(words, " ")
		}
		if row.Due.After(w.now) {
			w.now = row.Due
		}
		if out, _ := w.fireOnce(live.DefaultDelay); len(out.Messages) > 0 {
			words = append(words, types(out))
		}
	}
	w.t.Fatalf("timers never come to rest")
	return ""
}

// next gives the row that will be due first.
func (w *world) next() (live.Row, bool) {
	was := w.now
	defer func() { w.now = was }()
	w.now = was.AddDate(1000, 0, 0)
	return w.due()
}

// doc reads a row's document.
func (w *world) doc(k live.Key) map[string]any {
	w.t.Helper()
	row, ok := w.rows[k]
	if !ok {
		w.t.Fatalf("there is no %v", k)
	}
	return decode(w.t, row.Doc)
}

func (w *world) eventDoc(id string) map[string]any {
	w.t.Helper()
	return w.doc(live.Key{App: app, Kind: live.Event, ID: id})
}

func (w *world) sessionDoc(event, id string) map[string]any {
	w.t.Helper()
	return w.doc(live.Key{App: app, Kind: live.Session, Parent: event, ID: id})
}

func (w *world) contactDoc(id string) map[string]any {
	w.t.Helper()
	return w.doc(live.Key{App: app, Kind: live.Contact, ID: id})
}

// last is the data of the message that was sent last.
func (w *world) last() map[string]any {
	w.t.Helper()
	if len(w.said) == 0 {
		w.t.Fatalf("nothing was said")
	}
	return decode(w.t, w.said[len(w.said)-1].Data)
}

func decode(t tb, data []byte) map[string]any {
	t.Helper()
	var doc map[string]any
	if err := json.Unmarshal(data, &doc); err != nil {
		t.Fatalf("%s: %v", data, err)
	}
	return doc
}

// at gives what stands at a path, such as "event.status".
func get(doc map[string]any, path string) any {
	var v any = doc
	for name := range strings.SplitSeq(path, ".") {
		inner, _ := v.(map[string]any)
		v = inner[name]
	}
	return v
}

// conf is a world with an event e1 from one hour after noon to three hours after it, two
// sessions and two registrations.
func conf(t tb) *world {
	w := newWorld(t)
	w.do("event.created", `{"id":"e1","name":"Conf","startDate":%q,"endDate":%q}`, text(60), text(180))
	for _, s := range []string{"s1", "s2"} {
		w.do("session.created", `{"eventId":"e1","session":{"id":%q,"title":"A session"}}`, s)
	}
	for _, r := range []string{"r1", "r2"} {
		w.do("registration.created", `{"eventId":"e1","registration":{"id":%q,"profile":{"firstName":"Jane"}}}`, r)
	}
	w.said = nil
	return w
}

// text is a time in minutes after noon, as JSON has it.
func text(minutes float64) string { return after(minutes).Format(time.RFC3339Nano) }

// attend is the data of a join or a leave.
func attendance(session, registration, connection string) string {
	return fmt.Sprintf(`{"eventId":"e1","sessionId":%q,"registrationId":%q,"connectionId":%q}`, session, registration, connection)
}

func presences(w *world) []live.Row {
	return w.inRange(live.Range{App: app, Kind: live.Presence, Parent: "e1", Limit: 1 << 30})
}

func (w *world) report() *live.Report {
	return live.Attendance(w.rows[live.Key{App: app, Kind: live.Event, ID: "e1"}], presences(w), live.Now(w.now))
}

func equal[T comparable](t *testing.T, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}
