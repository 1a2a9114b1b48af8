package e2e_test

import (
	"bufio"
	"fmt"
	"maps"
	"net/http"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/callboard/callboard/internal/dialect"
	"github.com/callboard/callboard/internal/dialect/builtin"
	"github.com/callboard/callboard/internal/e2e/kit"
)

// speakByMatrix has each dialect's webhooks of every event type come in at a source of that dialect, in an app with an
// endpoint of each dialect: what `callboard events --matrix` has a word for is delivered, the vendor's own byte for byte,
// and nothing else is planned.
func speakByMatrix(t *testing.T, st *stage) {
	matrix := printedMatrix(t)
	for _, from := range []string{"zuddl", "sessionboard", "oration", "iotum", "native", "standard", "raw"} {
		t.Run(from, func(t *testing.T) {
			t.Parallel()
			newCrossing(t, st, from).run(t, matrix)
		})
	}
}

// words are what dialects call an event type, by dialect; a translation begins with ≈.
type words map[string]string

// printedMatrix reads the table that the program prints: words by event type.
func printedMatrix(t *testing.T) map[string]words {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), binary(t), "events", "--matrix").Output()
	if err != nil {
		t.Fatalf("callboard events --matrix: %v", err)
	}
	gap := regexp.MustCompile(`\s{2,}`)
	matrix := map[string]words{}
	var columns []string
	for lines := bufio.NewScanner(strings.NewReader(string(out))); lines.Scan(); {
		cells := gap.Split(strings.TrimSpace(lines.Text()), -1)
		if columns == nil {
			columns = cells
			continue
		}
		row := words{}
		for i, cell := range cells[1:] {
			if cell != "–" {
				row[columns[i+1]] = cell
			}
		}
		matrix[cells[0]] = row
	}
	if len(matrix) < 45 || len(columns) != 5 || matrix["session.joined"]["zuddl"] != "JOINED_SESSION" {
		t.Fatalf("the matrix reads as %d rows of %q: %s", len(matrix), columns, out)
	}
	return matrix
}

// crossing is an app with a source of one dialect and an endpoint of each.
type crossing struct {
	*inlet
	from      dialect.Dialect // nil for those that nothing is rendered in
	boxes     map[string]*mailbox
	endpoints map[string]string
	catalog   map[string]string // the samples, by event type
}

func newCrossing(t *testing.T, st *stage, from string) *crossing {
	t.Helper()
	c := &crossing{boxes: map[string]*mailbox{}, endpoints: map[string]string{}, catalog: map[string]string{}}
	dialects := builtin.Dialects(builtin.Config{PublicURL: st.server.URL})
	c.from, _ = dialects.Get(from)
	for _, eventType := range builtin.Catalog(dialects).Types() {
		c.catalog[eventType.Name] = string(eventType.Sample)
	}
	app := st.newApp(t, "")
	for _, name := range allDialects {
		c.boxes[name] = st.office.box(t, name)
		c.endpoints[name] = st.endpoint(t, app, c.boxes[name], nil)
	}
	c.inlet = st.inlet(t, app, senderOf(from), nil)
	return c
}

// senderOf is how webhooks of a dialect are signed.
func senderOf(from string) vendor {
	switch from {
	case "native", "standard":
		secret := kit.NewSecret()
		return vendor{dialect: from, auth: fields{"secret": secret}, sign: func(id, body string) http.Header {
			return standardHeaders("Webhook", secret, id, body)
		}}
	case "raw":
		return vendor{dialect: from, auth: fields{"unverified": true, "typeHeader": "X-Type"}, sign: func(id, _ string) http.Header {
			return http.Header{"X-Type": {id[:strings.LastIndexByte(id, '/')]}}
		}}
	}
	return vendorNamed(from)
}

// expected is what is to come to the endpoints: the types, in their dialects' words, and of one dialect the bodies.
type expected struct {
	kinds  map[string][]string // by dialect
	bodies []string            // byte for byte, in the source's own dialect
}

func (c *crossing) run(t *testing.T, matrix map[string]words) {
	want := expected{kinds: map[string][]string{}}
	n := 0
	for _, eventType := range slices.Sorted(maps.Keys(matrix)) {
		body, says := c.webhook(t, eventType, matrix[eventType], n)
		if !says {
			continue
		}
		n++
		c.deliver(t, fmt.Sprintf("%s/%d", eventType, n), body)
		want.add(c.dialect, eventType, body, matrix[eventType])
	}
	if n == 0 {
		t.Fatal("the dialect says nothing")
	}
	if c.from != nil && c.dialect != "native" {
		n++
		eventType, body := c.unheardOf(n)
		c.deliver(t, "unheard/1", body)
		want.add(c.dialect, eventType, body, nil)
	}
	for _, name := range allDialects {
		c.settle(t, c.app, c.endpoints[name], int64(len(want.kinds[name])), 0)
		c.boxes[name].wantKinds(t, want.kinds[name]...)
	}
	if own := c.boxes[c.dialect]; own != nil {
		wantBodies(t, own, want.bodies...)
	}
	c.checkPlanned(t, n, &want)
}

// add notes what is to come of one webhook: native hears all, the source's own dialect what the vendor said, the others
// what the matrix has a word for. What is raw is of types of the org's own, whatever their names.
func (e *expected) add(from, eventType, body string, said words) {
	e.kinds["native"] = append(e.kinds["native"], eventType)
	for _, name := range allDialects[1:] {
		word, has := said[name]
		if name == from {
			own := strings.TrimPrefix(eventType, from+".")
			if has {
				own = word
			}
			e.kinds[name] = append(e.kinds[name], own)
			e.bodies = append(e.bodies, body)
			continue
		}
		if has && from != "raw" {
			e.kinds[name] = append(e.kinds[name], strings.TrimPrefix(word, "≈ "))
		}
	}
	if from == "native" {
		e.bodies = append(e.bodies, body)
	}
}

// webhook is what the vendor of the source sends of an event type: the catalogue's sample as the vendor has it. It reports
// false if the vendor has no word of its own for the type: what is a translation never comes from there.
func (c *crossing) webhook(t *testing.T, eventType string, said words, n int) (body string, says bool) {
	t.Helper()
	sample, known := c.catalog[eventType]
	if !known {
		t.Fatalf("the matrix has %s, and the catalogue has not", eventType)
	}
	switch c.dialect {
	case "native", "standard":
		return sample, true
	case "raw":
		return fmt.Sprintf(`{"n":%d,"of":%s}`, n, sample), true
	}
	if word := said[c.dialect]; word == "" || strings.HasPrefix(word, "≈") {
		return "", false
	}
	text, err := c.from.Render(dialect.Message{
		ID: fmt.Sprintf("msg_%d", n), Type: eventType, Time: time.Now(), Tenant: "t", Payload: []byte(sample),
	})
	if err != nil {
		t.Fatal(err)
	}
	return string(text), true
}

// unheardOf is a webhook of a word that is in no vocabulary, and the event type that it becomes.
func (c *crossing) unheardOf(n int) (eventType, body string) {
	switch c.dialect {
	case "zuddl":
		return "zuddl.WAVED_A_HAND", fmt.Sprintf(`{"action":"WAVED_A_HAND","actionId":"u%d","hand":"left"}`, n)
	case "sessionboard":
		return "sessionboard.room.painted", `{"data":{"id":"r","colour":"blue"},"metadata":{"action":"room.painted","org_id":"o"}}`
	case "oration":
		return "oration.conversation.paused", fmt.Sprintf(`{"eventId":"evt_u%d","eventType":"conversation.paused","payload":{"id":"c"}}`, n)
	}
	return "iotum.lights_out", iotumBody("lights_out", `{"lamp":4}`, time.Now())
}

// checkPlanned compares how many deliveries there are with what was to come: what is not said is not planned.
func (c *crossing) checkPlanned(t *testing.T, messages int, want *expected) {
	t.Helper()
	all := c.stored(t)
	if len(all) != messages {
		t.Errorf("%d messages, want %d", len(all), messages)
	}
	planned, wanted := map[string]int{}, map[string]int{}
	for name, kinds := range want.kinds {
		wanted[name] = len(kinds)
	}
	for _, name := range allDialects {
		var page struct{ Data []struct{ ID string } }
		c.call(t, http.StatusOK, http.MethodGet, "/app/"+c.app+"/endpoint/"+c.endpoints[name]+"/msg?limit=250", nil, &page)
		if len(page.Data) > 0 {
			planned[name] = len(page.Data)
		}
	}
	if diff := cmp.Diff(wanted, planned); diff != "" {
		t.Errorf("deliveries (-want +got):\n%s", diff)
	}
}
