package restapi_test

import (
	"testing"
)

func TestSmoke(t *testing.T) {
	w := newWorld(t)
	app := w.app("acme")
	ep := w.endpoint("acme", `,"filterTypes":["a.b"]`)
	msg := w.message("acme", "a.b", `,"eventId":"e1"`)
	w.deliver(ep, 200)
	for _, p := range []string{
		"/app", "/app/" + app, "/app/acme/endpoint", "/app/acme/endpoint/" + ep, "/app/acme/msg", "/app/acme/msg/" + msg, "/app/acme/msg/e1",
		"/app/acme/attempt/endpoint/" + ep, "/app/acme/attempt/msg/e1?status=0&status_code_class=200&with_msg=true", "/app/acme/endpoint/" + ep + "/msg",
		"/app/acme/msg/e1/endpoint", "/app/acme/endpoint/" + ep + "/stats", "/app/acme/endpoint/" + ep + "/secret", "/app/acme/endpoint/" + ep + "/headers",
		"/event-type", "/settings", "/background-task", "/app?limit=1000", "/app/acme/attempt/msg/e1?status=9", "/app/nope/msg",
	} {
		r := w.do("GET", p, "")
		t.Log(p, r.Status, r.Body)
	}
	t.Log(w.do("POST", "/app/acme/endpoint", `{"url":5, "headers":{"a":3},"timeout":"x"}`))
	t.Log(w.do("POST", "/app/acme/endpoint", `{"url":5,`))
	t.Log(w.do("POST", "/app/acme/endpoint", ``))
	t.Log(w.do("PUT", "/app/acme/msg", `{"url":5,`))
	t.Log(w.do("PUT", "/app/acme//msg", `{"url":5,`))
	t.Log(w.do("PATCH", "/settings", `{"url":5}`))
	t.Log(w.do("POST", "/app/acme/endpoint/"+ep+"/recover", `{"since":"2026-01-01T00:00:00Z"}`))
	t.Log(w.do("POST", "/app/acme/endpoint/"+ep+"/send-example", `{"eventType":"x.y"}`))
	t.Log(w.do("POST", "/auth/app-portal-access/acme", `{}`))
	t.Log(w.do("GET", "/app/", ""))
	t.Log(w.log.String())
}
