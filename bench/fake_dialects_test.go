package main

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/callboard/callboard/bench/internal/probe"
)

// fakeToken is the signing token of an app.
func fakeToken(app string) string { return "token-of-" + app }

// fakeEventType shows an event type with a sample that has nothing but the id that takes the mark, and beside it the same
// id once more.
func fakeEventType(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("name")
	for _, c := range comparisons() {
		if c.eventType != name {
			continue
		}
		sample := `"an-id"`
		for _, member := range slices.Backward(strings.Split(c.id, ".")) {
			sample = fmt.Sprintf(`{"first":"an-id", %q: %s}`, member, sample)
		}
		_, _ = fmt.Fprintf(w, `{"name":%q,"schemas":{"1":{"type":"object","examples":[%s]}}}`, name, sample)
		return
	}
	w.WriteHeader(http.StatusNotFound)
}

var markPattern = regexp.MustCompile(`bench-[0-9a-f]{16}-[0-9a-f]{16}`)

// fakeBody is a message in a dialect: a body with the vendor's envelope and little in it.
func fakeBody(dialect, id string, payload []byte) []byte {
	mark := markPattern.Find(payload)
	bare := strings.TrimPrefix(id, "msg_")
	switch dialect {
	case "zuddl":
		return fmt.Appendf(nil, `{"action":"JOINED_SESSION","actionId":"%s","registration":{"id":"%s"}}`, bare, mark)
	case "sessionboard":
		var in struct{ Data map[string]json.RawMessage }
		if err := json.Unmarshal(payload, &in); err != nil {
			panic(err)
		}
		word := "contact.updated"
		if in.Data["session"] != nil {
			word = "session.updated"
		}
		return fmt.Appendf(nil, `{"data":{"id":"%s"},"metadata":{"action":"%s","resource_url":"https://x/%s"}}`, mark, word, mark)
	case "oration":
		return fmt.Appendf(nil, `{"eventId":"evt_%s","eventType":"conversation.userJoined","payload":{"id":"%s"}}`, bare, mark)
	case "iotum":
		return fmt.Appendf(nil, `{"event":"enter_conference","payload":"{\"participant_id\":\"%s\"}","odd":{"a":1}}`, mark)
	}
	return payload
}

// fakeSign adds what proves where a request comes from.
func fakeSign(h http.Header, endpoint fakeEndpoint, id string, body []byte) {
	switch endpoint.Dialect {
	case "zuddl":
		mac := hmac.New(sha256.New, []byte(endpoint.Secret))
		mac.Write(body)
		h.Set("X-Webhook-Signature", "sha256="+hex.EncodeToString(mac.Sum(nil)))
		return
	case "iotum":
		token := endpoint.Secret
		if string(body) == "another body" {
			token = "another token"
		}
		h.Set("X-Signing-Token", token)
		return
	}
	signer, err := probe.NewSigner(endpoint.Secret)
	if err != nil {
		panic(err)
	}
	family := "Webhook"
	if endpoint.Dialect == "sessionboard" {
		family = "Svix"
	}
	at := strconv.FormatInt(time.Now().Unix(), 10)
	h.Set(family+"-Id", id)
	h.Set(family+"-Timestamp", at)
	h.Set(family+"-Signature", signer.Sign(id, at, body))
}
