package e2e_test

import (
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/go-cmp/cmp"
	"github.com/svix/svix-webhooks/go/models"

	"github.com/callboard/callboard/internal/e2e/kit"
)

// canary stands in every value that is to be refused. It may come back in no answer and in no line of the log, because
// the value could be a secret.
const canary = "c4n4ry"

// badInput is a request that must be refused.
type badInput struct {
	name   string
	method string // default POST
	path   string // below /api/v1/app/{the app}, or from the root if it begins with /api
	token  string // default: the operator's; "none" sends none
	body   string
	header map[string]string
	status int
	code   string     // of every error but 422
	locs   [][]string // of a 422, sorted as text
	says   []string   // what the text must hold
}

// TestBadInput sends what the server must refuse: with a clear error in the API's one form, with nothing stored, and
// without a word of the rejected value.
func TestBadInput(t *testing.T) {
	t.Parallel()
	onEachStore(t, refuseBadInput)
}

func refuseBadInput(t *testing.T, store storeUnderTest) {
	s := start(t, kit.Config{DB: store.fresh(t), Public: true, Secret: loadSecret})
	token := mint(t, s, "--jwt-secret", loadSecret)
	c := client(t, s, token)
	app, err := c.Application.Create(t.Context(), models.ApplicationIn{Name: "Refusing", Uid: new("refusing")}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Endpoint.Create(t.Context(), app.Id, models.EndpointIn{Url: "https://receiver.example.com", Uid: new("ep")}, nil); err != nil {
		t.Fatal(err)
	}
	foreign := mint(t, s, "--jwt-secret", loadSecret, "--org", orgNamed("foreign"))
	before := stored(t, s, token)
	for _, tt := range slices.Concat(
		malformed(), wrongTypes(), wrongValues(), tooLarge(), badNames(), foreignApps(app.Id, foreign), wrongTokens(t),
		badURLs(), badHeaders(), badSecrets(), badRoutes(),
	) {
		t.Run(tt.name, func(t *testing.T) { tt.check(t, s, token) })
	}
	if diff := cmp.Diff(before, stored(t, s, token)); diff != "" {
		t.Errorf("refused requests changed what is stored (-before +after):\n%s", diff)
	}
	if strings.Contains(s.Log(), canary) {
		t.Errorf("the log repeats a rejected value:\n%s", s.Log())
	}
}

// stored is what lists show.
func stored(t *testing.T, s *kit.Server, token string) map[string]string {
	t.Helper()
	out := map[string]string{}
	for _, path := range []string{
		"/app", "/event-type?include_archived=true", "/background-task", "/app/refusing/endpoint", "/app/refusing/msg",
		"/app/refusing/endpoint/ep/headers", "/app/refusing/endpoint/ep/secret",
	} {
		got := ask(t, s, token, http.MethodGet, "/api/v1"+path, "", nil)
		if got.status != http.StatusOK {
			t.Fatalf("GET %s: %d %s", path, got.status, got.body)
		}
		out[path] = got.body
	}
	return out
}

// check makes the request and looks at the refusal.
func (tt badInput) check(t *testing.T, s *kit.Server, token string) {
	path := tt.path
	if !strings.HasPrefix(path, "/api") {
		path = "/api/v1/app/refusing" + path
	}
	if tt.method == "" {
		tt.method = http.MethodPost
	}
	switch tt.token {
	case "":
		tt.token = token
	case "none":
		tt.token = ""
	}
	got := ask(t, s, tt.token, tt.method, path, tt.body, tt.header)
	if got.status != tt.status {
		t.Fatalf("status %d, want %d: %.300s", got.status, tt.status, got.body)
	}
	if mime := got.header.Get("Content-Type"); mime != "application/json" {
		t.Errorf("content type %q", mime)
	}
	if tt.status == http.StatusUnprocessableEntity {
		tt.checkFields(t, got.body)
	} else {
		tt.checkError(t, got.body)
	}
	for _, want := range tt.says {
		if !strings.Contains(got.body, want) {
			t.Errorf("the error does not say %q: %s", want, got.body)
		}
	}
	header, err := json.Marshal(got.header)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(got.body, canary) || strings.Contains(string(header), canary) {
		t.Errorf("the answer repeats the rejected value: %s %s", header, got.body)
	}
}

// checkError wants {code, detail}.
func (tt badInput) checkError(t *testing.T, body string) {
	t.Helper()
	var got map[string]string
	if err := json.Unmarshal([]byte(body), &got); err != nil {
		t.Fatalf("the error is not an object of strings: %s", body)
	}
	if got["detail"] == "" || len(got) != 2 || got["code"] != tt.code {
		t.Errorf("the error is %v, want code %q, detail and nothing else", got, tt.code)
	}
}

// checkFields wants {detail: [{loc, msg, type}]}.
func (tt badInput) checkFields(t *testing.T, body string) {
	t.Helper()
	var got struct {
		Detail []struct {
			Loc  []string
			Msg  string
			Type string
		}
	}
	decoder := json.NewDecoder(strings.NewReader(body))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&got); err != nil {
		t.Fatalf("the error has another form: %v: %s", err, body)
	}
	var locs [][]string
	for _, d := range got.Detail {
		if d.Msg == "" || d.Type != "value_error" {
			t.Errorf("a field's error is %+v", d)
		}
		locs = append(locs, d.Loc)
	}
	slices.SortFunc(locs, slices.Compare)
	if diff := cmp.Diff(tt.locs, locs); diff != "" {
		t.Errorf("fields (-want +got):\n%s\n%s", diff, body)
	}
}

// loc is the place of one wrong field.
func loc(parts ...string) [][]string { return [][]string{parts} }

// bodyField is a 422 for one field of the body.
func bodyField(name, path, body string, field ...string) badInput {
	return badInput{name: name, path: path, body: body, status: 422, locs: loc(append([]string{"body"}, field...)...)}
}

func malformed() []badInput {
	var out []badInput
	for route, path := range map[string]string{"app": "/api/v1/app", "endpoint": "/endpoint", "message": "/msg"} {
		for name, body := range map[string]string{
			"no JSON":            canary,
			"an open object":     `{"name":"` + canary + `"`,
			"a bare word":        `{"name":` + canary + `}`,
			"something after it": `{"name":"a","url":"https://receiver.example.com","eventType":"a","payload":{}} ` + canary,
			"a comma too many":   `{"name":"` + canary + `",}`,
			"invalid UTF-8":      `{"name":"` + canary + "\xff" + `","url":"https://receiver.example.com","eventType":"a` + "\xff" + `","payload":{}}`,
			"no body":            "",
			"very deep":          `{"payload":` + strings.Repeat("[", 200_000),
		} {
			out = append(out, badInput{name: route + ": " + name, path: path, body: body, status: 400, code: "bad_request"})
		}
	}
	return out
}

func wrongTypes() []badInput {
	const app, ep = "/api/v1/app", "/endpoint"
	https := `"url":"https://receiver.example.com"`
	return []badInput{
		bodyField("app: name is a number", app, `{"name":4711}`, "name"),
		bodyField("app: name is missing", app, `{"uid":"`+canary+`"}`, "name"),
		bodyField("app: rate is a string", app, `{"name":"a","throttleRate":"`+canary+`"}`, "throttleRate"),
		bodyField("app: metadata holds an array", app, `{"name":"a","metadata":{"k":["`+canary+`"]}}`, "metadata"),
		bodyField("app: an array", app, `["`+canary+`"]`),
		bodyField("endpoint: url is a number", ep, `{"url":4711}`, "url"),
		bodyField("endpoint: url is missing", ep, `{"description":"`+canary+`"}`, "url"),
		bodyField("endpoint: disabled is a string", ep, `{`+https+`,"disabled":"`+canary+`"}`, "disabled"),
		bodyField("endpoint: channels are a string", ep, `{`+https+`,"channels":"`+canary+`"}`, "channels"),
		bodyField("endpoint: a channel is a number", ep, `{`+https+`,"channels":[4711]}`, "channels", "0"),
		bodyField("message: type is a number", "/msg", `{"eventType":4711,"payload":{}}`, "eventType"),
		bodyField("message: payload is a string", "/msg", `{"eventType":"a","payload":"`+canary+`"}`, "payload"),
		bodyField("message: payload is an array", "/msg", `{"eventType":"a","payload":["`+canary+`"]}`, "payload"),
		bodyField("message: payload is null", "/msg", `{"eventType":"a","payload":null}`, "payload"),
		bodyField("message: payload is missing", "/msg", `{"eventType":"a"}`, "payload"),
		bodyField("message: type is missing", "/msg", `{"payload":{"a":"`+canary+`"}}`, "eventType"),
		bodyField("message: channels are a string", "/msg", `{"eventType":"a","payload":{},"channels":"`+canary+`"}`, "channels"),
		bodyField("message: a tag is a number", "/msg", `{"eventType":"a","payload":{},"tags":["`+canary+`",1]}`, "tags"),
		bodyField("message: time is no time", "/msg", `{"eventType":"a","payload":{},"deliverAt":"`+canary+`"}`, "deliverAt"),
		bodyField("message: retention is a string", "/msg", `{"eventType":"a","payload":{},"payloadRetentionPeriod":"`+canary+`"}`, "payloadRetentionPeriod"),
		bodyField("message: an array", "/msg", `["`+canary+`"]`),
		{
			name: "message: two mistakes are both named", path: "/msg", body: `{"eventType":["` + canary + `"],"payload":1}`,
			status: 422, locs: [][]string{{"body", "eventType"}, {"body", "payload"}},
		},
		{
			name: "event type: everything is missing", path: "/api/v1/event-type", body: `{"groupName":"` + canary + `"}`,
			status: 422, locs: [][]string{{"body", "description"}, {"body", "name"}},
		},
	}
}

func wrongValues() []badInput {
	const ep = "/endpoint"
	https := `"url":"https://receiver.example.com"`
	long := canary + strings.Repeat("x", 256)
	message := func(name, field string, loc ...string) badInput {
		return bodyField("message: "+name, "/msg", `{"eventType":"a","payload":{},`+field+`}`, loc...)
	}
	out := []badInput{
		bodyField("app: uid with a space", "/api/v1/app", `{"name":"a","uid":"`+canary+` x"}`, "uid"),
		bodyField("app: uid like an id", "/api/v1/app", `{"name":"a","uid":"app_`+canary+`"}`, "uid"),
		bodyField("app: uid too long", "/api/v1/app", `{"name":"a","uid":"`+long+`"}`, "uid"),
		bodyField("app: name is empty", "/api/v1/app", `{"name":"","uid":"`+canary+`"}`, "name"),
		bodyField("app: rate is negative", "/api/v1/app", `{"name":"`+canary+`","throttleRate":-1}`, "throttleRate"),
		bodyField("endpoint: uid like an id", ep, `{`+https+`,"uid":"ep_`+canary+`"}`, "uid"),
		bodyField("endpoint: type with a space", ep, `{`+https+`,"filterTypes":["`+canary+` x"]}`, "filterTypes", "0"),
		bodyField("endpoint: no types at all", ep, `{`+https+`,"filterTypes":[],"description":"`+canary+`"}`, "filterTypes"),
		bodyField("endpoint: unknown dialect", ep, `{`+https+`,"dialect":"`+canary+`"}`, "dialect"),
		bodyField("endpoint: delay is no duration", ep, `{`+https+`,"retrySchedule":["`+canary+`"]}`, "retrySchedule"),
		bodyField("endpoint: timeout too long", ep, `{`+https+`,"timeout":"2h","description":"`+canary+`"}`, "timeout"),
		bodyField("event type: name with a space", "/api/v1/event-type", `{"name":"`+canary+` x","description":"d"}`, "name"),
		bodyField("event type: name too long", "/api/v1/event-type", `{"name":"`+long+`","description":"d"}`, "name"),
		bodyField("rotate: grace too long", "/endpoint/ep/secret/rotate", `{"gracePeriodSeconds":604801}`, "gracePeriodSeconds"),
		bodyField("rotate: grace is negative", "/endpoint/ep/secret/rotate", `{"gracePeriodSeconds":-1}`, "gracePeriodSeconds"),
		bodyField("recover: from the future", "/endpoint/ep/recover", `{"since":"`+time.Now().Add(time.Hour).Format(time.RFC3339)+`"}`, "since"),
		bodyField("recover: until before since", "/endpoint/ep/recover", `{"since":"2026-01-02T00:00:00Z","until":"2026-01-01T00:00:00Z"}`, "until"),
		bodyField("recover: since is missing", "/endpoint/ep/recover", `{"until":"2026-01-01T00:00:00Z"}`, "since"),
		bodyField("example: type with a space", "/endpoint/ep/send-example", `{"eventType":"`+canary+` x"}`, "eventType"),
		bodyField("message: type with a space", "/msg", `{"eventType":"`+canary+` x","payload":{}}`, "eventType"),
		bodyField("message: type is empty", "/msg", `{"eventType":"","payload":{"a":"`+canary+`"}}`, "eventType"),
		bodyField("message: type too long", "/msg", `{"eventType":"`+long+`","payload":{}}`, "eventType"),
		message("eventId with a space", `"eventId":"`+canary+` x"`, "eventId"),
		message("too many channels", `"channels":["`+canary+`","2","3","4","5","6"]`, "channels"),
		message("no channels at all", `"channels":[]`, "channels"),
		message("channel with a space", `"channels":["`+canary+` x"]`, "channels"),
		message("kept too short", `"payloadRetentionPeriod":4`, "payloadRetentionPeriod"),
		message("kept too long", `"payloadRetentionPeriod":91`, "payloadRetentionPeriod"),
		message("kept no hours", `"payloadRetentionHours":0`, "payloadRetentionHours"),
		message("later than it is kept", `"payloadRetentionPeriod":5,"deliverAt":"`+time.Now().AddDate(0, 0, 6).Format(time.RFC3339)+`"`, "deliverAt"),
		message("ordering key too long", `"orderingKey":"`+long+`"`, "orderingKey"),
		message("deadline is no duration", `"deadline":"`+canary+`"`, "deadline"),
	}
	for query, parameter := range map[string]string{
		"limit=0": "limit", "limit=251": "limit", "limit=" + canary: "limit", "iterator=" + canary: "iterator",
		"before=" + canary: "before", "after=" + canary: "after", "with_content=" + canary: "with_content",
	} {
		out = append(out, badInput{
			name: "list: " + query, method: http.MethodGet, path: "/msg?" + query, status: 422, locs: loc("query", parameter),
		})
	}
	for query, parameter := range map[string]string{
		"status=9": "status", "status=" + canary: "status", "status_code_class=250": "status_code_class",
	} {
		out = append(out, badInput{
			name: "attempts: " + query, method: http.MethodGet, path: "/attempt/endpoint/ep?" + query, status: 422, locs: loc("query", parameter),
		})
	}
	return append(out, badInput{
		name: "list: order", method: http.MethodGet, path: "/api/v1/app?order=" + canary, status: 422, locs: loc("query", "order"),
	})
}

// tooLarge sends bodies of 1 MiB and one byte, with and without saying so beforehand.
func tooLarge() []badInput {
	var out []badInput
	for route, path := range map[string]string{"app": "/api/v1/app", "endpoint": "/endpoint", "message": "/msg"} {
		head, tail := `{"name":"a","url":"https://receiver.example.com","eventType":"a","payload":{"a":"`+canary, `"}}`
		body := head + strings.Repeat("x", 1<<20+1-len(head)-len(tail)) + tail
		out = append(out,
			badInput{name: route + ": too large", path: path, body: body, status: 413, code: "payload_too_large"},
			badInput{
				name: route + ": too large, of unknown length", path: path, body: body, header: map[string]string{chunked: "yes"},
				status: 413, code: "payload_too_large",
			},
		)
	}
	return out
}

// badNames names what is not there: forged ids, ids of another kind, and text that can be no name.
func badNames() []badInput {
	var out []badInput
	forged := strings.Repeat("1", 27)
	for _, path := range []string{
		"/api/v1/app/app_" + forged, "/api/v1/app/app_" + canary, "/api/v1/app/nobody-" + canary, "/api/v1/app/" + canary + "%20x",
		"/api/v1/app/ep_" + forged, "/endpoint/ep_" + forged, "/endpoint/nobody-" + canary, "/endpoint/msg_" + forged,
		"/msg/msg_" + forged, "/msg/nobody-" + canary, "/msg/msg_" + forged + "/attempt/atmpt_" + forged,
		"/attempt/endpoint/nobody-" + canary, "/attempt/msg/nobody-" + canary, "/endpoint/nobody-" + canary + "/msg",
		"/msg/nobody-" + canary + "/endpoint", "/endpoint/nobody-" + canary + "/secret", "/endpoint/nobody-" + canary + "/stats",
		"/api/v1/event-type/" + canary, "/api/v1/background-task/qtask_" + forged, "/api/v1/app/%00" + canary, "/api/v1/app/%ff" + canary,
	} {
		out = append(out, badInput{name: "GET " + path, method: http.MethodGet, path: path, status: 404, code: "not_found"})
	}
	for _, path := range []string{
		"/msg/nobody-" + canary + "/endpoint/ep/resend", "/endpoint/nobody-" + canary + "/secret/rotate",
	} {
		out = append(out, badInput{name: "POST " + path, path: path, body: `{}`, status: 404, code: "not_found"})
	}
	message := `{"eventType":"a","payload":{}}`
	return append(
		out,
		badInput{name: "a message to nobody", path: "/api/v1/app/nobody/msg", body: message, status: 404, code: "not_found"},
		badInput{name: "a message to a forged app", path: "/api/v1/app/app_" + forged + "/msg", body: message, status: 404, code: "not_found"},
	)
}

// foreignApps uses another org's token on an app that exists.
func foreignApps(app, token string) []badInput {
	var out []badInput
	for _, request := range []struct{ method, path, body string }{
		{http.MethodGet, "", ""},
		{http.MethodPut, "", `{"name":"mine"}`},
		{http.MethodPatch, "", `{"name":"mine"}`},
		{http.MethodDelete, "", ""},
		{http.MethodGet, "/endpoint", ""},
		{http.MethodPost, "/endpoint", `{"url":"https://mine.example.com"}`},
		{http.MethodGet, "/endpoint/ep/secret", ""},
		{http.MethodDelete, "/endpoint/ep", ""},
		{http.MethodPost, "/msg", `{"eventType":"a","payload":{}}`},
		{http.MethodGet, "/msg", ""},
		{http.MethodPost, "/endpoint/ep/recover", `{"since":"2026-01-01T00:00:00Z"}`},
	} {
		out = append(out, badInput{
			name: "foreign " + request.method + " " + request.path, method: request.method, path: "/api/v1/app/" + app + request.path,
			token: token, body: request.body, status: 404, code: "not_found",
		})
	}
	return append(out, badInput{
		name: "auth/app-portal-access of a foreign app", path: "/api/v1/auth/app-portal-access/" + app, token: token, body: `{}`,
		status: 404, code: "not_found",
	})
}

// wrongTokens comes with every token that is none, to a route of huma's and to the one that is not.
func wrongTokens(t *testing.T) []badInput {
	t.Helper()
	org := orgNamed("tokens")
	sign := func(method jwt.SigningMethod, key any, claims jwt.MapClaims) string {
		text, err := jwt.NewWithClaims(method, claims).SignedString(key)
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	right := []byte(loadSecret)
	valid := sign(jwt.SigningMethodHS256, right, jwt.MapClaims{"sub": org})
	var out []badInput
	for name, token := range map[string]string{
		"no token":               "none",
		"no JWT":                 canary,
		"another secret":         sign(jwt.SigningMethodHS256, []byte(canary), jwt.MapClaims{"sub": org}),
		"algorithm none":         sign(jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, jwt.MapClaims{"sub": org}),
		"algorithm HS512":        sign(jwt.SigningMethodHS512, right, jwt.MapClaims{"sub": org}),
		"expired":                sign(jwt.SigningMethodHS256, right, jwt.MapClaims{"sub": org, "exp": time.Now().Add(-time.Minute).Unix()}),
		"not valid yet":          sign(jwt.SigningMethodHS256, right, jwt.MapClaims{"sub": org, "nbf": time.Now().Add(time.Hour).Unix()}),
		"no subject":             sign(jwt.SigningMethodHS256, right, jwt.MapClaims{"iss": "svix-server"}),
		"no org":                 sign(jwt.SigningMethodHS256, right, jwt.MapClaims{"sub": "user_" + org[4:]}),
		"an app without its org": sign(jwt.SigningMethodHS256, right, jwt.MapClaims{"sub": "app_" + org[4:]}),
		"an app that is nobody":  sign(jwt.SigningMethodHS256, right, jwt.MapClaims{"sub": "app_" + org[4:], "org": org}),
		"changed claims": strings.Join([]string{
			strings.Split(valid, ".")[0],
			base64.RawURLEncoding.EncodeToString([]byte(`{"sub":"` + orgNamed("other") + `"}`)),
			strings.Split(valid, ".")[2],
		}, "."),
	} {
		out = append(out,
			badInput{name: "token: " + name + ", GET", method: http.MethodGet, path: "/api/v1/app", token: token, status: 401, code: "authentication_failed", says: []string{"Invalid token"}},
			badInput{name: "token: " + name + ", POST msg", path: "/msg", token: token, body: `{"eventType":"a","payload":{}}`, status: 401, code: "authentication_failed", says: []string{"Invalid token"}},
		)
	}
	return append(
		out,
		badInput{name: "token: before the body is looked at", path: "/msg", token: "none", body: canary, status: 401, code: "authentication_failed"},
		badInput{name: "token: before the route is looked at", path: "/endpoint/ep/replay-missing", token: "none", body: canary, status: 401, code: "authentication_failed"},
		badInput{
			name: "token: basic instead of bearer", method: http.MethodGet, path: "/api/v1/app", token: "none",
			header: map[string]string{"Authorization": "Basic " + base64.StdEncoding.EncodeToString([]byte(canary))}, status: 401, code: "authentication_failed",
		},
	)
}

// badURLs are refused wherever a URL is set.
func badURLs() []badInput {
	flag := []string{"--allow-private"}
	var out []badInput
	for _, u := range []struct {
		url  string
		says []string
	}{
		{"http://receiver.example.com/" + canary, append([]string{"https"}, flag...)},
		{"https://127.0.0.1/" + canary, append([]string{"private"}, flag...)},
		{"https://10.1.2.3/" + canary, append([]string{"private"}, flag...)},
		{"https://192.168.1.1:8443/" + canary, append([]string{"private"}, flag...)},
		{"https://[::1]/" + canary, append([]string{"private"}, flag...)},
		{"https://[fd00::1]/" + canary, append([]string{"private"}, flag...)},
		{"https://[::ffff:127.0.0.1]/" + canary, nil},
		{"https://localhost/" + canary, append([]string{"localhost"}, flag...)},
		{"https://" + canary + ".localhost/", append([]string{"localhost"}, flag...)},
		{"https://2130706433/" + canary, flag},
		{"https://0x7f.1/" + canary, flag},
		{"https://127.0.0.1./" + canary, flag},
		{"https://169.254.169.254/" + canary, nil},
		{"https://168.63.129.16/" + canary, nil},
		{"https://0.0.0.0/" + canary, nil},
		{"https://224.0.0.1/" + canary, nil},
		{"https://user:" + canary + "@receiver.example.com/", []string{"user"}},
		{"https:///" + canary, []string{"host"}},
		{"https://receiver.example.com:0/" + canary, []string{"port"}},
		{"https://receiver.example.com:99999/" + canary, []string{"port"}},
		{"https://receiver.example.com:25/" + canary, []string{"port"}},
		{"ftp://receiver.example.com/" + canary, []string{"https"}},
		{canary, nil},
		{"", nil},
		{"https://" + canary + " .example.com/", nil},
		{"https://receiver.example.com/" + canary + strings.Repeat("x", 4096), []string{"long"}},
	} {
		body := `{"url":` + strconv.Quote(u.url) + `}`
		name := u.url[:min(len(u.url), 60)]
		for _, request := range []struct{ method, path string }{
			{http.MethodPost, "/endpoint"}, {http.MethodPut, "/endpoint/ep"}, {http.MethodPut, "/endpoint/new"}, {http.MethodPatch, "/endpoint/ep"},
		} {
			out = append(out, badInput{
				name: request.method + " " + request.path + " url " + name, method: request.method, path: request.path, body: body,
				status: 422, locs: loc("body", "url"), says: u.says,
			})
		}
	}
	return out
}

// badHeaders are refused wherever headers are set.
func badHeaders() []badInput {
	var out []badInput
	for name, value := range map[string]string{
		"Host": canary, "Content-Length": "5", "Transfer-Encoding": canary, "Connection": canary, "TE": canary, "Trailer": canary,
		"Upgrade": canary, "Proxy-Authorization": canary, "Content-Type": canary, "webhook-id": canary, "Webhook-" + canary: "x",
		"svix-signature": canary, "Svix-" + canary: "x", "Idempotency-Key": canary, "idempotency-key": canary, canary + " x": "x",
		canary + ":": "x", "": canary, "X-Break": canary + "\r\nX-Smuggled: 1", "X-Nul": canary + "\x00", "X-é" + canary: "x",
		"X-Long": canary + strings.Repeat("x", 5000),
	} {
		headers, err := json.Marshal(map[string]map[string]string{"headers": {name: value}})
		if err != nil {
			panic(err) // strings encode
		}
		body := string(headers)
		for _, request := range []struct{ method, path, body string }{
			{http.MethodPost, "/endpoint", `{"url":"https://receiver.example.com",` + body[1:]},
			{http.MethodPut, "/endpoint/ep/headers", body},
			{http.MethodPatch, "/endpoint/ep/headers", body},
		} {
			out = append(out, badInput{
				name: request.method + " " + request.path + " header " + strconv.Quote(name), method: request.method, path: request.path, body: request.body,
				status: 422, locs: loc("body", "headers"),
			})
		}
	}
	return out
}

// badSecrets are refused wherever a secret is set. Those of Standard Webhooks have 24 to 64 bytes.
func badSecrets() []badInput {
	encode := func(n int) string {
		return base64.StdEncoding.EncodeToString([]byte(canary + strings.Repeat("x", n-len(canary))))
	}
	var out []badInput
	for name, secret := range map[string]string{
		"too short":             "whsec_" + encode(23),
		"too short, bare":       encode(16),
		"too long":              "whsec_" + encode(65),
		"not base64":            "whsec_" + canary + "!" + strings.Repeat("x", 30),
		"empty":                 "whsec_",
		"of another kind":       "sk_" + encode(32),
		"a public key":          "whpk_" + encode(32),
		"a short signing key":   "whsk_" + encode(16),
		"with a line's end":     "whsec_" + encode(32) + "\n",
		"longer than any other": "whsec_" + encode(100_000),
	} {
		text := strconv.Quote(secret)
		for _, request := range []struct{ method, path, body, field string }{
			{http.MethodPost, "/endpoint", `{"url":"https://receiver.example.com","secret":` + text + `}`, "secret"},
			{http.MethodPatch, "/endpoint/ep", `{"secret":` + text + `}`, "secret"},
			{http.MethodPost, "/endpoint/ep/secret/rotate", `{"key":` + text + `}`, "key"},
		} {
			out = append(out, badInput{
				name: request.method + " " + request.path + " secret " + name, method: request.method, path: request.path, body: request.body,
				status: 422, locs: loc("body", request.field),
			})
		}
	}
	return out
}

func badRoutes() []badInput {
	return []badInput{
		{name: "no such route", method: http.MethodGet, path: "/api/v1/" + canary, status: 404, code: "not_found"},
		{name: "no such route outside of the API", method: http.MethodGet, path: "/api/v2/app", status: 404, code: "not_found"},
		{name: "a path with empty parts", method: http.MethodGet, path: "/api/v1//app", status: 404, code: "not_found"},
		{name: "a path with dots", method: http.MethodGet, path: "/api/v1/event-type/../app", status: 404, code: "not_found"},
		{name: "another method", method: http.MethodDelete, path: "/api/v1/app", status: 405, code: "method_not_allowed"},
	}
}

// TestLargestBody posts as much as is allowed.
func TestLargestBody(t *testing.T) {
	t.Parallel()
	onEachStore(t, takeLargestBody)
}

func takeLargestBody(t *testing.T, store storeUnderTest) {
	s := start(t, kit.Config{DB: store.fresh(t), Secret: loadSecret})
	l := newLoad(t, s, kit.NewReceiver(t).Hook())
	head, tail := `{"eventType":"large","payload":{"a":"`, `"}}`
	filling := strings.Repeat("x", 1<<20-len(head)-len(tail))
	got := ask(t, s, l.token, http.MethodPost, "/api/v1/app/"+l.app+"/msg", head+filling+tail, nil)
	if got.status != http.StatusAccepted {
		t.Fatalf("a body of 1 MiB got status %d: %.200s", got.status, got.body)
	}
	if d := l.hook.Await(t, 1)[0]; string(d.Body) != `{"a":"`+filling+`"}` {
		t.Errorf("%d bytes arrived, want %d", len(d.Body), len(filling)+len(`{"a":""}`))
	}
}

// asked is an answer of the API.
type asked struct {
	status int
	header http.Header
	body   string
}

// chunked is no header: it makes ask send the body without saying its length beforehand.
const chunked = "chunked"

// ask makes one request by hand. A token "" is not sent.
func ask(t testing.TB, s *kit.Server, token, method, path, body string, header map[string]string) asked {
	t.Helper()
	var reader io.Reader = strings.NewReader(body)
	if header[chunked] != "" {
		reader = io.MultiReader(reader) // of which net/http does not know the length
	}
	req, err := http.NewRequestWithContext(t.Context(), method, s.URL, reader)
	if err != nil {
		t.Fatal(err)
	}
	// As it is written, dots and double slashes included.
	req.URL.Opaque = "//" + req.URL.Host + path
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	for name, value := range header {
		if name != chunked {
			req.Header.Set(name, value)
		}
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return asked{resp.StatusCode, resp.Header, string(text)}
}
