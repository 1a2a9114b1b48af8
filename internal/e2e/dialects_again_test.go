package e2e_test

import (
	"bytes"
	"cmp"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/callboard/callboard/internal/e2e/kit"
)

// steadily is a retry schedule that goes on for as long as any of these tests takes.
var steadily = slices.Repeat([]string{"150ms"}, 50)

// encore is an app with an endpoint of each dialect, all of whose receivers are shut until it is said otherwise, and one
// message for each.
type encore struct {
	app       string
	boxes     map[string]*mailbox
	endpoints map[string]string
	messages  map[string]string
}

// newEncore posts the messages. Those of Oration and iotum are translations.
func newEncore(t *testing.T, st *stage, uid string) *encore {
	t.Helper()
	e := &encore{app: st.newApp(t, uid), boxes: map[string]*mailbox{}, endpoints: map[string]string{}, messages: map[string]string{}}
	for _, dialect := range allDialects {
		eventType := "session.joined"
		if dialect == "sessionboard" {
			eventType = contactCreated
		}
		e.boxes[dialect] = st.office.box(t, dialect)
		e.boxes[dialect].setShut(true)
		e.endpoints[dialect] = st.endpoint(t, e.app, e.boxes[dialect], fields{"retrySchedule": steadily, "filterTypes": []string{eventType}})
		if e.messages[eventType] == "" {
			e.messages[eventType] = "to be posted"
		}
	}
	for eventType := range e.messages {
		e.messages[eventType] = st.post(t, e.app, eventType, st.sample(t, eventType)).ID
	}
	return e
}

// message is the one that an endpoint of a dialect hears.
func (e *encore) message(dialect string) string {
	if dialect == "sessionboard" {
		return e.messages[contactCreated]
	}
	return e.messages["session.joined"]
}

// awaitFailures waits until each receiver has refused so many deliveries.
func (e *encore) awaitFailures(t *testing.T, n int) {
	t.Helper()
	for _, dialect := range allDialects {
		e.boxes[dialect].await(t, n)
	}
}

// open lets the receivers take what comes, and waits until all have.
func (e *encore) open(t *testing.T) {
	t.Helper()
	for _, dialect := range allDialects {
		e.boxes[dialect].setShut(false)
	}
	for _, dialect := range allDialects {
		e.boxes[dialect].only(t)
	}
}

// checkSame fails the test unless every request of a dialect had the same body, with the app's uid as it was, and the
// same id; where the signature holds the time, it was made afresh.
func (e *encore) checkSame(t *testing.T, uid string) {
	t.Helper()
	for _, dialect := range allDialects {
		requests := e.boxes[dialect].received()
		first, signatures := requests[0], map[string]string{}
		if dialect != "native" && !bytes.Contains(first.body, []byte(uid)) {
			t.Errorf("the body in %s does not name the tenant %s: %s", dialect, uid, first.body)
		}
		for i, r := range requests {
			if !bytes.Equal(r.body, first.body) {
				t.Errorf("request %d in %s has another body:\n%s\n%s", i, dialect, first.body, r.body)
			}
			if got := r.standard("Id"); got != first.standard("Id") {
				t.Errorf("request %d in %s has another id: %s", i, dialect, got)
			}
			if at := r.standard("Timestamp"); at != "" {
				signatures[at] = r.standard("Signature")
			}
		}
		if timed := !slices.Contains([]string{"zuddl", "iotum"}, dialect); timed != (len(signatures) > 1) {
			t.Errorf("the signatures in %s have %d times", dialect, len(signatures))
		}
		distinct := map[string]bool{}
		for _, s := range signatures {
			distinct[s] = true
		}
		if len(distinct) != len(signatures) {
			t.Errorf("a signature in %s is of another time", dialect)
		}
	}
}

// standard is a header of Standard Webhooks, under either of its names.
func (r request) standard(name string) string {
	return cmp.Or(r.header.Get("Webhook-"+name), r.header.Get("Svix-"+name))
}

// awaitAnotherSecond waits until each receiver has refused a delivery of another second than its first.
func (e *encore) awaitAnotherSecond(t *testing.T) {
	t.Helper()
	for _, dialect := range allDialects {
		kit.Eventually(t, "a retry a second later in "+dialect, func() bool {
			requests := e.boxes[dialect].received()
			return requests[len(requests)-1].standard("Timestamp") != requests[0].standard("Timestamp") ||
				requests[len(requests)-1].at.Sub(requests[0].at) > time.Second
		})
	}
}

// resendSameBytes has receivers fail while the app gets another uid, and then asks for everything once more.
func resendSameBytes(t *testing.T, st *stage) {
	const uid = "called-before"
	e := newEncore(t, st, uid)
	e.awaitFailures(t, 2)
	st.call(t, http.StatusOK, http.MethodPatch, "/app/"+e.app, fields{"uid": "called-since"}, nil)
	e.awaitAnotherSecond(t)
	e.open(t)
	for _, dialect := range allDialects {
		st.settle(t, e.app, e.endpoints[dialect], 1, 0)
		before := len(e.boxes[dialect].received())
		st.resend(t, e.app, e.message(dialect), e.endpoints[dialect])
		e.boxes[dialect].await(t, before+1)
		st.settle(t, e.app, e.endpoints[dialect], 1, 0)
		if n := len(e.boxes[dialect].taken()); n != 1 {
			t.Errorf("the receiver in %s took %d messages for one that was sent again", dialect, n)
		}
	}
	e.checkSame(t, uid)
}

// TestDialectsRestart kills a server between the attempts of deliveries in every dialect: the next one sends the same
// bytes.
func TestDialectsRestart(t *testing.T) {
	t.Parallel()
	onEachStore(t, restartBetweenAttempts)
}

func restartBetweenAttempts(t *testing.T, store storeUnderTest) {
	const uid = "before-the-kill"
	// Sessionboard's links begin with the server's own URL, which by default is the address, and changes with it.
	s := start(t, kit.Config{DB: store.fresh(t), Secret: loadSecret, Args: []string{"--public-url", "https://callboard.example.com"}})
	st := &stage{operator: operator{s, mint(t, s, "--jwt-secret", loadSecret)}, office: newOffice(t)}
	e := newEncore(t, st, uid)
	e.awaitFailures(t, 1)
	st.call(t, http.StatusOK, http.MethodPatch, "/app/"+e.app, fields{"uid": "after-the-kill"}, nil)
	s.Kill()
	failures := map[string]int{}
	for _, dialect := range allDialects {
		failures[dialect] = len(e.boxes[dialect].received())
	}
	st.server = s.Restart(t)
	e.awaitAnotherSecond(t)
	e.open(t)
	for _, dialect := range allDialects {
		st.settle(t, e.app, e.endpoints[dialect], 1, 0)
		if n := len(e.boxes[dialect].received()); n <= failures[dialect] {
			t.Errorf("nothing came in %s after the restart", dialect)
		}
		before := len(e.boxes[dialect].received())
		st.resend(t, e.app, e.message(dialect), e.endpoints[dialect])
		e.boxes[dialect].await(t, before+1)
	}
	e.checkSame(t, uid)
}

// grace is how long old secrets go on in these tests.
const grace = 3 * time.Second

// rotate gives an endpoint, or an app, another secret.
func (o operator) rotate(t testing.TB, path string, seconds int) {
	t.Helper()
	o.call(t, http.StatusNoContent, http.MethodPost, path+"/rotate", fields{"gracePeriodSeconds": seconds}, nil)
}

// checkRotating fails the test unless a secret is followed by another one in about the grace period, and gives that.
func checkRotating(t *testing.T, got shownSecret, key string, asked time.Time) (next string) {
	t.Helper()
	if got.Key != key || got.Next == "" || got.Next == key || got.NextAt == nil {
		t.Fatalf("during the grace period the secret is shown as %+v, want key %s, next and nextAt", got, key)
	}
	if late := got.NextAt.Sub(asked.Add(grace)); late < -time.Millisecond || late > 10*time.Second {
		t.Errorf("the next secret comes at %s, asked for at %s", got.NextAt, asked)
	}
	return got.Next
}

// rotateSecrets rotates secrets of every kind with a grace period, all at once, so that they wait for its end together.
func rotateSecrets(t *testing.T, st *stage) {
	finish := []func(){rotateZuddl(t, st), rotateIotum(t, st), rotateSideBySide(t, st)}
	for _, f := range finish {
		f()
	}
}

// rotateZuddl rotates a secret of which a request has room for one: deliveries carry the old one to the end of the grace
// period and the new one after it, also those that were tried before. What it gives back looks at the end of the period.
func rotateZuddl(t *testing.T, st *stage) (finish func()) {
	app, box := st.newApp(t, ""), st.office.box(t, "zuddl")
	ep := st.endpoint(t, app, box, fields{"retrySchedule": steadily})
	path := "/app/" + app + "/endpoint/" + ep + "/secret"
	first := st.secret(t, app, ep).Key
	box.setShut(true)
	st.post(t, app, "session.joined", st.sample(t, "session.joined"))
	box.await(t, 1)
	asked := time.Now()
	st.rotate(t, path, int(grace/time.Second))
	shown := st.secret(t, app, ep)
	second := checkRotating(t, shown, first, asked)
	box.accept(t, second)
	return func() {
		kit.Eventually(t, "the new secret to be shown as the one", func() bool {
			s := st.secret(t, app, ep)
			return s.Key == second && s.Next == "" && s.NextAt == nil
		})
		if late := time.Since(*shown.NextAt); late < 0 {
			t.Errorf("the new secret is there %s too early", -late)
		}
		before := len(box.received())
		box.await(t, before+3)
		box.setShut(false)
		box.only(t)
		checkCarried(t, box.received(), *shown.NextAt, func(r request) string {
			switch r.header.Get("X-Webhook-Signature") {
			case zuddlSignature(first, r.body):
				return "old"
			case zuddlSignature(second, r.body):
				return "new"
			}
			return "neither"
		})
	}
}

// checkCarried fails the test unless the requests of one delivery carry the old secret first, and the new one from a time
// on. One that was signed before that time may arrive after it, and not more than one: they come one after the other.
func checkCarried(t *testing.T, requests []request, change time.Time, carried func(request) string) {
	t.Helper()
	var secrets []string
	late := 0
	for _, r := range requests {
		secret := carried(r)
		secrets = append(secrets, secret)
		switch {
		case secret == "new" && r.at.Before(change):
			t.Errorf("the new secret comes %s before its time", change.Sub(r.at))
		case secret == "old" && r.at.After(change):
			late++
		}
	}
	inOrder := slices.Compact(slices.Clone(secrets))
	if !slices.Equal(inOrder, []string{"old", "new"}) || late > 1 {
		t.Errorf("the requests carry the secrets %v, %d of them the old one after its end", secrets, late)
	}
}

// rotateAtOnce rotates without a grace period.
func rotateAtOnce(t *testing.T, st *stage) {
	app := st.newApp(t, "")
	for _, dialect := range []string{"zuddl", "oration"} {
		box := st.office.box(t, dialect)
		ep := st.endpoint(t, app, box, nil)
		first := st.secret(t, app, ep).Key
		st.rotate(t, "/app/"+app+"/endpoint/"+ep+"/secret", 0)
		shown := st.secret(t, app, ep)
		if shown.Key == first || shown.Next != "" || shown.NextAt != nil {
			t.Errorf("the secret is shown as %+v, before it was %s", shown, first)
		}
		box.accept(t, shown.Key)
		eventType := map[string]string{"zuddl": "registration.created", "oration": "conversation.completed"}[dialect]
		st.post(t, app, eventType, st.sample(t, eventType))
		r := box.await(t, 1)[0]
		switch dialect {
		case "zuddl":
			if got := r.header.Get("X-Webhook-Signature"); got != zuddlSignature(shown.Key, r.body) {
				t.Errorf("the signature is not the new secret's: %s", got)
			}
		default:
			if err := verifyBySvix(shown.Key, r); err != nil {
				t.Error(err)
			}
			if err := verifyBySvix(first, r); err == nil {
				t.Error("the old secret signs on")
			}
		}
	}
}

// rotateIotum does the same with the token that all iotum endpoints of an app share.
func rotateIotum(t *testing.T, st *stage) (finish func()) {
	app, boxes := st.newApp(t, ""), []*mailbox{st.office.box(t, "iotum"), st.office.box(t, "iotum")}
	var token shownSecret
	path := "/app/" + app + "/signing-token"
	st.call(t, http.StatusOK, http.MethodGet, path, nil, &token)
	first := token.Key
	var endpoints []string
	for _, box := range boxes {
		ep := st.endpoint(t, app, box, fields{"retrySchedule": steadily})
		endpoints = append(endpoints, ep)
		if got := st.secret(t, app, ep).Key; got != first || first == "" {
			t.Errorf("an endpoint's secret is %q, the app's token %q", got, first)
		}
		var refused struct{ Detail string }
		st.call(t, http.StatusConflict, http.MethodPost, "/app/"+app+"/endpoint/"+ep+"/secret/rotate", nil, &refused)
		if !strings.Contains(refused.Detail, "signing-token/rotate") {
			t.Errorf("an endpoint's own rotation is refused with %q", refused.Detail)
		}
	}
	for _, box := range boxes {
		box.setShut(true)
	}
	st.post(t, app, "conference.started", st.sample(t, "conference.started"))
	for _, box := range boxes {
		box.await(t, 1)
	}
	asked := time.Now()
	st.rotate(t, path, int(grace/time.Second))
	var shown shownSecret
	st.call(t, http.StatusOK, http.MethodGet, path, nil, &shown)
	second := checkRotating(t, shown, first, asked)
	for _, box := range boxes {
		box.accept(t, second)
	}
	for _, ep := range endpoints {
		if got := st.secret(t, app, ep); got.Key != first || got.Next != second {
			t.Errorf("an endpoint's secret is shown as %+v", got)
		}
	}
	return func() {
		kit.Eventually(t, "the new token to be shown as the one", func() bool {
			var s shownSecret
			st.call(t, http.StatusOK, http.MethodGet, path, nil, &s)
			return s.Key == second && s.Next == "" && s.NextAt == nil
		})
		for i, box := range boxes {
			before := len(box.received())
			box.await(t, before+3)
			box.setShut(false)
			box.only(t)
			checkCarried(t, box.received(), *shown.NextAt, func(r request) string {
				switch r.header.Get("X-Signing-Token") {
				case first:
					return "old"
				case second:
					return "new"
				}
				return "neither"
			})
			st.settle(t, app, endpoints[i], 1, 0)
		}
		rotateTokenAtOnce(t, st, app, boxes, second)
	}
}

// rotateTokenAtOnce rotates an app's token without a grace period.
func rotateTokenAtOnce(t *testing.T, st *stage, app string, boxes []*mailbox, token string) {
	t.Helper()
	path := "/app/" + app + "/signing-token"
	st.rotate(t, path, 0)
	var next shownSecret
	st.call(t, http.StatusOK, http.MethodGet, path, nil, &next)
	if next.Key == token || next.Next != "" || next.NextAt != nil {
		t.Errorf("the token is shown as %+v, before it was %s", next, token)
	}
	before := map[*mailbox]int{}
	for _, box := range boxes {
		box.accept(t, next.Key)
		before[box] = len(box.received())
	}
	st.post(t, app, "conference.ended", st.sample(t, "conference.ended"))
	for _, box := range boxes {
		r := box.await(t, before[box]+1)[before[box]]
		if got := r.header.Get("X-Signing-Token"); got != next.Key {
			t.Errorf("a webhook carries the token %q, want %q", got, next.Key)
		}
	}
}

// rotateSideBySide rotates secrets of which a request has room for several: both sign until the grace period ends.
func rotateSideBySide(t *testing.T, st *stage) (finish func()) {
	app := st.newApp(t, "")
	eventTypes := map[string]string{"native": "event.created", "sessionboard": "sponsor.created", "oration": "conversation.user_left"}
	boxes, paths := map[string]*mailbox{}, map[string]string{}
	first, second, third := map[string]string{}, map[string]string{}, map[string]string{}
	for dialect, eventType := range eventTypes {
		boxes[dialect] = st.office.box(t, dialect)
		ep := st.endpoint(t, app, boxes[dialect], fields{"filterTypes": []string{eventType}})
		first[dialect] = st.secret(t, app, ep).Key
		paths[dialect] = "/app/" + app + "/endpoint/" + ep + "/secret"
		st.call(t, http.StatusNoContent, http.MethodPost, paths[dialect]+"/rotate", nil, nil) // the default is a day
		shown := st.secret(t, app, ep)
		if shown.Key == first[dialect] || shown.Next != "" || shown.NextAt != nil {
			t.Errorf("in %s the secret is shown as %+v, before it was %s", dialect, shown, first[dialect])
		}
		second[dialect] = shown.Key
		boxes[dialect].accept(t, shown.Key)
	}
	for dialect, eventType := range eventTypes {
		st.post(t, app, eventType, st.sample(t, eventType))
		r := boxes[dialect].await(t, 1)[0]
		for name, secret := range map[string]string{"old": first[dialect], "new": second[dialect]} {
			if err := verifyBySvix(secret, r); err != nil {
				t.Errorf("in %s the %s secret does not verify: %v", dialect, name, err)
			}
		}
	}
	// The next rotation's grace period ends that of the one before, too.
	for dialect, path := range paths {
		st.rotate(t, path, int(grace/time.Second))
		var shown shownSecret
		st.call(t, http.StatusOK, http.MethodGet, path, nil, &shown)
		third[dialect] = shown.Key
		boxes[dialect].accept(t, shown.Key)
	}
	rotated := time.Now()
	return func() {
		kit.Eventually(t, "the grace periods to end", func() bool { return time.Since(rotated) > grace })
		for dialect, eventType := range eventTypes {
			st.post(t, app, eventType, st.sample(t, eventType))
			r := boxes[dialect].await(t, 2)[1]
			if err := verifyBySvix(third[dialect], r); err != nil {
				t.Errorf("in %s the newest secret does not verify afterwards: %v", dialect, err)
			}
			for name, secret := range map[string]string{"first": first[dialect], "second": second[dialect]} {
				if verifyBySvix(secret, r) == nil {
					t.Errorf("in %s the %s secret signs on", dialect, name)
				}
			}
		}
	}
}
