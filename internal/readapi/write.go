package readapi

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strconv"

	"github.com/callboard/callboard/internal/web"
)

// send writes an answer. A client that has gone away is no failure of the request.
func send(w http.ResponseWriter, status int, body []byte) {
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	_, _ = w.Write(body)
}

// write answers with an error in Sessionboard's form: error is a word for programs, the
// message is for people.
func write(w http.ResponseWriter, p web.Problem) {
	var body bytes.Buffer
	enc := json.NewEncoder(&body)
	enc.SetEscapeHTML(false)
	err := enc.Encode(struct {
		Error   string `json:"error"`
		Message string `json:"message"`
	}{p.Code, p.Detail})
	if err != nil { // strings always encode
		panic(err)
	}
	send(w, p.Status, bytes.TrimSuffix(body.Bytes(), []byte("\n")))
}
