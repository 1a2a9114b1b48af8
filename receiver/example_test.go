package receiver_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/callboard/callboard/receiver"
	"github.com/callboard/callboard/signature"
)

// A program that receives webhooks from Callboard, or from any other sender of
// Standard Webhooks. The second half plays the sender, which delivers one
// message twice.
func Example() {
	const secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw" // As the endpoint's page shows it.

	handler, err := receiver.New(receiver.StandardWebhooks(), []string{secret},
		func(_ context.Context, m receiver.Message[json.RawMessage]) error {
			fmt.Println(m.ID, m.Type, string(m.Data))
			return nil
		})
	if err != nil {
		fmt.Println(err)
		return
	}
	server := httptest.NewServer(handler)
	defer server.Close()

	for range 2 {
		fmt.Println(send(server.URL, secret))
	}
	fmt.Println(send(server.URL, signature.GenerateSecret().Reveal()))
	// Output:
	// msg_1 session.joined {"session":{"id":"s1"}}
	// 200 OK
	// 200 OK
	// 401 Unauthorized
}

// send POSTs a message and returns the answer's status.
func send(url, secret string) string {
	key, err := signature.ParseKey(secret)
	if err != nil {
		return err.Error()
	}
	signer, err := signature.NewSigner(key)
	if err != nil {
		return err.Error()
	}
	body := []byte(`{"type":"session.joined","timestamp":"2026-05-04T10:00:00.000Z","data":{"session":{"id":"s1"}}}`)
	r, err := http.NewRequest(http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return err.Error()
	}
	signer.SetHeaders(r.Header, "msg_1", time.Now(), body)
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		return err.Error()
	}
	defer response.Body.Close()
	return response.Status
}

// A handler says that its endpoint is to be disabled.
func ExampleNew_gone() {
	const secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	handler, err := receiver.New(receiver.StandardWebhooks(), []string{secret},
		func(context.Context, receiver.Message[json.RawMessage]) error {
			return fmt.Errorf("customer has left: %w", receiver.ErrGone)
		})
	if err != nil {
		fmt.Println(err)
		return
	}
	server := httptest.NewServer(handler)
	defer server.Close()
	fmt.Println(send(server.URL, secret))
	// Output: 410 Gone
}
