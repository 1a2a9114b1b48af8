package e2e_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	svix "github.com/svix/svix-webhooks/go"
	"github.com/svix/svix-webhooks/go/models"

	"github.com/callboard/callboard/internal/e2e/kit"
)

// walk is what the walks through the API share: one server, the operator's client, and receivers.
type walk struct {
	server   *kit.Server
	svix     *svix.Svix
	receiver *kit.Receiver
}

// TestGoClient walks the API with Svix's official Go client. Failed deliveries are tried three times within a tenth of
// a second, so that exhaustion can be waited for.
func TestGoClient(t *testing.T) {
	t.Parallel()
	onEachStore(t, walkTheAPI)
}

func walkTheAPI(t *testing.T, store storeUnderTest) {
	s := start(t, kit.Config{DB: store.fresh(t), Args: []string{"--retry-schedule", "50ms,50ms"}})
	w := &walk{server: s, svix: admin(t, s), receiver: kit.NewReceiver(t)}
	t.Run("walks", func(t *testing.T) {
		for name, test := range map[string]func(*testing.T, *walk){
			"health":               walkHealth,
			"applications":         walkApplications,
			"endpoints":            walkEndpoints,
			"endpoint headers":     walkEndpointHeaders,
			"endpoint secret":      walkEndpointSecret,
			"event types":          walkEventTypes,
			"messages":             walkMessages,
			"message lists":        walkMessageLists,
			"payload bytes":        walkPayloadBytes,
			"idempotency":          walkIdempotency,
			"subscriptions":        walkSubscriptions,
			"attempts":             walkAttempts,
			"attempt lists":        walkAttemptLists,
			"resend":               walkResend,
			"recover":              walkRecover,
			"send example":         walkSendExample,
			"disable and enable":   walkDisable,
			"what receivers say":   walkReceiverAnswers,
			"a hanging receiver":   walkHangingReceiver,
			"app portal":           walkAppPortal,
			"expire all":           walkExpireAll,
			"orgs are apart":       walkOrgs,
			"routes of later days": walkLater,
		} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				test(t, w)
			})
		}
	})
}

// app creates an app of the test's own.
func (w *walk) app(t testing.TB) *models.ApplicationOut {
	t.Helper()
	app, err := w.svix.Application.Create(t.Context(), models.ApplicationIn{Name: t.Name()}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return app
}

// endpoint creates an endpoint for a hook.
func (w *walk) endpoint(t testing.TB, app string, h *kit.Hook, change func(*models.EndpointIn)) *models.EndpointOut {
	t.Helper()
	in := models.EndpointIn{Url: h.URL, Secret: &h.Secret}
	if change != nil {
		change(&in)
	}
	ep, err := w.svix.Endpoint.Create(t.Context(), app, in, nil)
	if err != nil {
		t.Fatal(err)
	}
	return ep
}

// post posts a message of type "walk.done" with {"n": n}.
func (w *walk) post(t testing.TB, app string, n int, change func(*models.MessageIn)) *models.MessageOut {
	t.Helper()
	in := models.MessageIn{EventType: "walk.done", Payload: map[string]any{"n": n}}
	if change != nil {
		change(&in)
	}
	m, err := w.svix.Message.Create(t.Context(), app, in, nil)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// awaitStats waits until the counts of an endpoint's deliveries are these.
func (w *walk) awaitStats(t testing.TB, app, endpoint string, want models.EndpointStats) {
	t.Helper()
	var got *models.EndpointStats
	deadline := time.Now().Add(30 * time.Second)
	kit.Eventually(t, fmt.Sprintf("the stats %+v", want), func() bool {
		var err error
		got, err = w.svix.Endpoint.GetStats(t.Context(), app, endpoint, nil)
		if err != nil {
			t.Fatal(err)
		}
		if time.Now().After(deadline) {
			t.Fatalf("stats (-want +got):\n%s", cmp.Diff(&want, got))
		}
		return *got == want
	})
}

// recent fails the test unless a time is within the last minute.
func recent(t testing.TB, what string, at time.Time) {
	t.Helper()
	if age := time.Since(at); age < -time.Second || age > time.Minute {
		t.Errorf("%s is %s, which is %s ago", what, at, age)
	}
}

// wellFormed fails the test unless an id has the prefix and 27 letters and digits.
func wellFormed(t testing.TB, prefix, id string) {
	t.Helper()
	rest, ok := strings.CutPrefix(id, prefix)
	letters := strings.IndexFunc(rest, func(r rune) bool {
		return (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z')
	}) < 0
	if !ok || len(rest) != 27 || !letters {
		t.Errorf("id %q is not %s and 27 letters and digits", id, prefix)
	}
}
