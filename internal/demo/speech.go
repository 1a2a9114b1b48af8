package demo

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"log/slog"
	"net/http"
	"time"

	"github.com/callboard/callboard/receiver"
	"github.com/callboard/callboard/signature"
)

// nativeName is the API's name of Callboard's own dialect.
const nativeName = "native"

// speech is the dialect that a receiver understands.
type speech struct {
	dialect string // the API's name
	// newSecret makes the secret of an endpoint; nil: the secret is the app's signing token, which the API gives.
	newSecret func() string
	// handler verifies and decodes, and hands on what is new.
	handler func(secret string, take func(context.Context, arrival) error) (http.Handler, error)
}

// arrival is a webhook that was verified and decoded.
type arrival struct {
	id       string // the dialect's own, not always Callboard's
	word     string // the event type as the dialect calls it
	happened time.Time
	body     []byte
}

// newSpeech is the dialect of one of package receiver's.
func newSpeech[T any](name string, newSecret func() string, d receiver.Dialect[T]) speech {
	handler := func(secret string, take func(context.Context, arrival) error) (http.Handler, error) {
		return receiver.New(d, []string{secret},
			func(ctx context.Context, m receiver.Message[T]) error {
				return take(ctx, arrival{id: m.ID, word: m.Type, happened: m.Timestamp, body: m.Body})
			},
			receiver.WithLogger(slog.New(slog.DiscardHandler)))
	}
	return speech{dialect: name, newSecret: newSecret, handler: handler}
}

// own is Callboard's own. It takes any JSON object, so that people may send what they like to the demo.
func own() speech {
	return newSpeech(nativeName, standardSecret, receiver.StandardWebhooks())
}

func standardSecret() string { return signature.GenerateSecret().Reveal() }

// hexSecret is one as Zuddl has them: 64 hexadecimal digits.
func hexSecret() string {
	raw := make([]byte, 32)
	_, _ = rand.Read(raw) // never fails
	return hex.EncodeToString(raw)
}
