package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/callboard/callboard/bench/internal/probe"
)

// fakeSource is where a vendor's webhooks come in.
type fakeSource struct{ app, secret string }

func (f *fake) createSource(w http.ResponseWriter, r *http.Request) {
	var in struct{ Dialect, Secret string }
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil || in.Dialect != "zuddl" || in.Secret == "" {
		w.WriteHeader(http.StatusUnprocessableEntity)
		return
	}
	id := "src_of_" + r.PathValue("app")
	f.sources.Store(id, fakeSource{r.PathValue("app"), in.Secret})
	answer(w, http.StatusCreated, id)
}

// receive takes a webhook of Zuddl's in: to endpoints of its dialect it goes on as it is, to others as what live state says.
func (f *fake) receive(w http.ResponseWriter, r *http.Request) {
	found, known := f.sources.Load(r.PathValue("source"))
	body, err := io.ReadAll(r.Body)
	if !known || err != nil {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	source := found.(fakeSource)
	right := http.Header{}
	fakeSign(right, fakeEndpoint{Dialect: "zuddl", Secret: source.secret}, "", body)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.Messages++
	hits := func(every int) bool { return every > 0 && f.Messages%every == 0 }
	if right.Get("X-Webhook-Signature") != r.Header.Get("X-Webhook-Signature") {
		status := http.StatusUnauthorized
		if hits(f.faults.believe) {
			status = http.StatusOK
		}
		w.WriteHeader(status)
		return
	}
	id := fmt.Sprintf("msg_%027d", f.Messages)
	for _, endpoint := range f.Apps[source.app] {
		if hits(f.faults.lose) {
			continue
		}
		d := fakeDelivery{ID: id, Endpoint: endpoint, Payload: body, Due: time.Time{}}
		if endpoint.Dialect != "zuddl" {
			d.Payload = fmt.Appendf(nil, `{"type":%q,"timestamp":"2027-06-10T09:02:11.000Z","data":{"registration":{"id":"%s"}}}`, inboundType, markPattern.Find(body))
		}
		if hits(f.faults.alter) {
			d.Payload = bytes.Replace(d.Payload, []byte(`":{"`), []byte(`": {"`), 1)
		}
		f.work <- d
	}
	_, _ = io.WriteString(w, "{}")
}

// marks counts the marks in a text.
func marks(text string) int { return strings.Count(text, probe.Mark) }
