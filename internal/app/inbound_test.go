package app_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/callboard/callboard/internal/app"
	"github.com/callboard/callboard/internal/dialect/builtin"
	"github.com/callboard/callboard/internal/id"
	"github.com/callboard/callboard/internal/token"
)

// FuzzInbound posts anything to sources of all dialects of a whole server: parsers, live state, the catalogue's schemas and
// the store. A body is taken or it is not, and the server goes on; one that was taken is known when it comes again, and the
// source tells of it.
func FuzzInbound(f *testing.F) {
	cfg := app.Config{
		Listen: "127.0.0.1:0", DB: "sqlite:" + filepath.Join(f.TempDir(), "fuzz.db"), JWTSecret: secret, Unsafe: true,
		DrainTimeout: patience, Logger: slog.New(slog.DiscardHandler),
	}
	a, err := app.New(f.Context(), cfg)
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() {
		if err := a.Stop(context.Background()); err != nil { // the test's own has ended
			f.Error(err)
		}
	})
	if err := a.Start(f.Context()); err != nil {
		f.Fatal(err)
	}
	d := &doors{server: a, bearer: mint(f)}
	d.open(f)
	for which := range d.urls {
		for _, body := range bodiesOf(f) {
			f.Add(byte(which), body)
		}
	}
	f.Fuzz(func(t *testing.T, which byte, body []byte) { d.knock(t, int(which)%len(d.urls), body) })
}

// mint makes the token of an org.
func mint(f *testing.F) string {
	f.Helper()
	authority, err := token.New(token.Config{Secret: secret})
	if err != nil {
		f.Fatal(err)
	}
	text, err := authority.Mint(token.Claims{Org: id.OrgFromBytes([20]byte{1})})
	if err != nil {
		f.Fatal(err)
	}
	return text
}

// doors are sources of a server, which demand no proof.
type doors struct {
	server *app.App
	bearer string
	urls   []string
}

// ask makes a request of the API.
func (d *doors) ask(t testing.TB, method, path, body string, out any) {
	t.Helper()
	status, text := d.request(t, method, d.server.URL()+"/api/v1"+path, []byte(body), "Bearer "+d.bearer)
	if status/100 != 2 {
		t.Fatalf("%s %s: %d %s", method, path, status, text)
	}
	if err := json.Unmarshal(text, out); err != nil {
		t.Fatal(err)
	}
}

func (d *doors) request(t testing.TB, method, url string, body []byte, authorization string) (int, []byte) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if authorization != "" {
		req.Header.Set("Authorization", authorization)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, text
}

// open makes the sources, and an event that webhooks can name by its number.
func (d *doors) open(f *testing.F) {
	f.Helper()
	var made struct{ ID, URL string }
	d.ask(f, http.MethodPost, "/app", `{"name":"fuzz"}`, &made)
	appPath := "/app/" + made.ID
	d.ask(f, http.MethodPost, appPath+"/event", `{"id":"e","number":4001}`, &made)
	for _, source := range []string{
		`"zuddl"`, `"sessionboard"`, `"oration"`, `"iotum"`, `"native"`, `"standard"`, `"raw"`, `"raw","typeField":"type"`,
	} {
		d.ask(f, http.MethodPost, appPath+"/source", `{"unverified":true,"dialect":`+source+`}`, &made)
		d.urls = append(d.urls, made.URL)
	}
}

// knock posts a body twice.
func (d *doors) knock(t *testing.T, which int, body []byte) {
	t.Helper()
	first := 0
	for range 2 {
		status, text := d.request(t, http.MethodPost, d.urls[which], body, "")
		switch {
		case status != http.StatusOK && status != http.StatusBadRequest && status != http.StatusRequestEntityTooLarge:
			t.Fatalf("answered %d %s", status, text)
		case status == http.StatusOK && string(text) != "{}", !json.Valid(text):
			t.Fatalf("%d with the body %s", status, text)
		case first != 0 && status != first:
			t.Fatalf("answered %d, and then %d %s", first, status, text)
		}
		first = status
	}
}

// bodiesOf are the catalogue's samples in every dialect's words, and some of no form.
func bodiesOf(f *testing.F) [][]byte {
	f.Helper()
	dialects := builtin.Dialects(builtin.Config{})
	bodies := [][]byte{nil, []byte(`{}`), []byte(`[1e999]`), []byte(`{"type":"session.joined","data":{"eventId":"e","event":null,"event":{}}}`)}
	for _, vendor := range []string{"zuddl", "sessionboard", "oration", "iotum"} {
		files, err := filepath.Glob(filepath.Join("..", "dialect", vendor, "testdata", "*.json"))
		if err != nil || len(files) == 0 {
			f.Fatalf("%s has %d examples (%v)", vendor, len(files), err)
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				f.Fatal(err)
			}
			bodies = append(bodies, text)
		}
	}
	for i, eventType := range builtin.Catalog(dialects).Types() {
		if i%4 == 0 {
			bodies = append(bodies, eventType.Sample)
		}
	}
	for _, long := range []string{`{"action":"` + strings.Repeat("A", 300) + `"}`, fmt.Sprintf(`{"event":"x","payload":%q}`, strings.Repeat("[", 5000))} {
		bodies = append(bodies, []byte(long))
	}
	return bodies
}
