package e2e_test

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/callboard/callboard/internal/e2e/kit"
	"github.com/callboard/callboard/internal/store/postgres/postgrestest"
)

// silentWithin bounds how long a client may wait for an answer when the database neither answers nor is gone.
const silentWithin = 40 * time.Second

// TestPostgresGoesSilent lets the database hang under load, with connections that stay open and say nothing. Requests are
// refused in bounded time, not left to hang; what was on the way comes through late, and all is as after a kill.
func TestPostgresGoesSilent(t *testing.T) {
	needPatience(t)
	t.Parallel()
	db := postgrestest.Start(t)
	address, proxy := throughProxy(t, db.NewDatabase(t))
	s := start(t, kit.Config{DB: address, Secret: loadSecret})
	l := newLoad(t, s, kit.NewReceiver(t).Hook())
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	wait := l.insist(ctx, s, crowdSize)
	kit.Eventually(t, "the load to be accepted", func() bool { return l.acceptedCount() >= 300 })
	proxy.Silence()
	begin := time.Now()
	// A probe, a write and a read, all under way while nothing comes back.
	answers := make(chan string, 3)
	watch := func(what string, request func() int) {
		go func() {
			status := request()
			answers <- fmt.Sprintf("%s %d after %s", what, status, ms(time.Since(begin)))
		}()
	}
	watch("probe", func() int { return ask(t, s, "", http.MethodGet, "/ready", "", nil).status })
	watch("read", func() int {
		return ask(t, s, l.token, http.MethodGet, "/api/v1/app/"+l.app+"/endpoint", "", nil).status
	})
	watch("write", func() int {
		return ask(t, s, l.token, http.MethodPost, "/api/v1/app/"+l.app+"/msg", `{"eventType":"load","payload":{}}`, nil).status
	})
	for range 3 {
		select {
		case answer := <-answers:
			t.Log(answer)
		case <-time.After(silentWithin):
			t.Errorf("a request has no answer after %s", ms(time.Since(begin)))
		}
	}
	proxy.Speak()
	untilReady(t, s, true)
	t.Logf("silent for %s", ms(time.Since(begin)))
	cancel()
	wait()
	l.retryUnanswered(t, s)
	l.awaitDelivered(t)
	refusals, slowest := l.round()
	t.Logf("%d messages accepted, refusals by status: %v, slowest answer %s", l.acceptedCount(), refusals, ms(slowest))
	l.checkArrivedOnce(t)
}

// throughProxy puts a proxy before a database.
func throughProxy(t testing.TB, db string) (address string, proxy *kit.Proxy) {
	t.Helper()
	u, err := url.Parse(db)
	if err != nil {
		t.Fatal(err)
	}
	proxy = kit.NewProxy(t, u.Host)
	u.Host = proxy.Addr
	return u.String(), proxy
}
