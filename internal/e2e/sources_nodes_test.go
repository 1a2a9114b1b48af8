package e2e_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/callboard/callboard/internal/e2e/kit"
	"github.com/callboard/callboard/internal/store/postgres/postgrestest"
)

// TestSourcesPostgresTwoNodes has the same webhooks come in at two servers on one database, at the same time and in another
// order: each becomes one message. What a source demands changes for both: the other server takes back at once what proves
// nothing any more, and takes what is new a moment later.
func TestSourcesPostgresTwoNodes(t *testing.T) {
	t.Parallel()
	url := postgrestest.Shared(t).NewDatabase(t)
	a := start(t, kit.Config{DB: url, Secret: loadSecret})
	b := start(t, kit.Config{DB: url, Secret: loadSecret})
	o, box := operator{a, mint(t, a, "--jwt-secret", loadSecret)}, newOffice(t).box(t, "zuddl")
	app := o.newApp(t, "")
	endpoint := o.endpoint(t, app, box, nil)
	here := o.inlet(t, app, vendorNamed("zuddl"), nil)
	there := *here
	there.url = strings.Replace(here.url, a.URL, b.URL, 1)

	const webhooks = 199 // a prime number
	var senders sync.WaitGroup
	for i := range 8 {
		in := []*inlet{here, &there}[i%2]
		senders.Go(func() {
			for n := range webhooks {
				body := joinOf(n * (i + 1) % webhooks) // each of them, in an order of its own
				if status, answer, err := in.exchange(t.Context(), body, in.sign("", body)); status != http.StatusOK {
					t.Errorf("webhook %d: %d %s (%v)", n, status, answer, err)
				}
			}
		})
	}
	senders.Wait()
	o.settle(t, app, endpoint, webhooks, 0)
	box.wantKinds(t, manyOf("JOINED_SESSION", webhooks)...)

	next := vendorNamed("zuddl")
	there.deliver(t, "", joinOf(webhooks)) // the other server knows the source by now
	o.call(t, http.StatusNoContent, http.MethodPost, "/app/"+app+"/source/"+here.id+"/secret/rotate",
		fields{"secret": next.auth["secret"], "gracePeriodSeconds": 0}, nil)
	body := joinOf(webhooks + 1)
	if status, answer := there.knock(t, body, there.sign("", body)); status != http.StatusUnauthorized {
		t.Errorf("by the old secret: %d %s", status, answer)
	}
	changed := time.Now()
	kit.Eventually(t, "the other server to know the new secret", func() bool {
		status, _ := there.knock(t, body, next.sign("", body))
		return status == http.StatusOK
	})
	if took := time.Since(changed); took > 10*time.Second {
		t.Errorf("it took %s until the other server knew the new secret", took)
	}
	o.settle(t, app, endpoint, webhooks+2, 0)
}

// manyOf is so many times the same.
func manyOf(word string, n int) []string {
	return strings.Fields(strings.Repeat(fmt.Sprintf("%s ", word), n))
}
