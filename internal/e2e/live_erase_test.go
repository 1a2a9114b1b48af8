package e2e_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/callboard/callboard/internal/e2e/kit"
)

// TestErase deletes people with erase=true: soon nothing of them is to be read anywhere, and
// those beside them are as they were.
func TestErase(t *testing.T) {
	t.Parallel()
	onEachStore(t, eraseOverAPI)
}

func eraseOverAPI(t *testing.T, store storeUnderTest) {
	s := start(t, kit.Config{DB: store.fresh(t)})
	o := operator{s, mint(t, s)}
	app := o.newApp(t, "erase")
	h := kit.NewReceiver(t).Hook()
	o.call(t, http.StatusCreated, http.MethodPost, "/app/"+app+"/endpoint", fields{"url": h.URL, "secret": h.Secret}, nil)

	path := "/app/" + app
	create := func(at string, body fields) { o.call(t, http.StatusCreated, http.MethodPost, path+at, body, nil) }
	ada, bob := fields{"id": "ada", "firstName": "Augusta"}, fields{"id": "bob", "firstName": "Charles"}
	create("/contact", ada)
	create("/contact", bob)
	create("/event", fields{"id": "e", "name": "Tides"})
	create("/event/e/session", fields{"id": "s", "title": "Ebb", "speakers": []fields{ada, bob}})
	create("/event/e/registration", fields{"id": "r1", "profile": fields{"firstName": "Augusta"}})
	create("/event/e/registration", fields{"id": "r2", "profile": fields{"firstName": "Charles"}})
	o.call(t, http.StatusNoContent, http.MethodPut, path+"/contact/ada/event/e", nil, nil)
	for _, who := range []string{"r1", "r2"} {
		o.call(t, http.StatusAccepted, http.MethodPost, path+"/activity", fields{"type": "session.joined", "data": fields{
			"eventId": "e", "sessionId": "s", "registrationId": who,
		}}, nil)
	}
	kit.Eventually(t, "all deliveries", func() bool { return len(h.Counts()) == 11 })

	o.call(t, http.StatusNoContent, http.MethodDelete, path+"/contact/ada?erase=true", nil, nil)
	o.call(t, http.StatusNoContent, http.MethodDelete, path+"/event/e/registration/r1?erase=true", nil, nil)
	everything := func() string {
		var all strings.Builder
		for _, list := range []string{"/msg?limit=250", "/contact", "/event", "/event/e/session", "/event/e/registration", "/event/e/attendance"} {
			var page json.RawMessage
			o.call(t, http.StatusOK, http.MethodGet, path+list, nil, &page)
			all.Write(page)
		}
		return all.String()
	}
	kit.Eventually(t, "nothing to be left", func() bool { return !strings.Contains(everything(), "Augusta") })
	left := everything()
	for _, want := range []string{
		`{"id":"bob","firstName":"Charles"`, `"speakers":[{"firstName":"Charles","id":"bob"}]`, `{"id":"r2","profile":{"firstName":"Charles"}`,
		`"sessionId":"s","registrationId":"r2"`, `{"contact":{"id":"ada","deletedAt":`,
	} {
		if !strings.Contains(left, want) {
			t.Errorf("%s is gone from %s", want, left)
		}
	}
	create("/contact", ada) // the name is free again
	kit.Eventually(t, "the two messages since", func() bool { return len(h.Counts()) == 13 })
}
