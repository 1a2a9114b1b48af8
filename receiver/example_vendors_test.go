package receiver_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	"github.com/callboard/callboard/receiver"
	"github.com/callboard/callboard/signature"
	"github.com/callboard/callboard/wire/iotum"
	"github.com/callboard/callboard/wire/native"
	"github.com/callboard/callboard/wire/oration"
	"github.com/callboard/callboard/wire/sessionboard"
	"github.com/callboard/callboard/wire/zuddl"
)

func ExampleNative() {
	const secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	handler, err := receiver.New(receiver.Native(), []string{secret},
		func(_ context.Context, m receiver.Message[*native.Webhook]) error {
			switch data := m.Data.Data.(type) {
			case *native.Attendance:
				if m.Data.Type == native.SessionJoined {
					fmt.Println(m.ID, data.Registration.ID, "entered", data.Session.Title)
				}
			case *native.Other: // Of a type of one's own.
				fmt.Println(m.ID, m.Type, string(data.Raw))
			default:
				fmt.Println(m.ID, "not for us:", m.Type)
			}
			return nil
		})
	if err != nil {
		fmt.Println(err)
		return
	}

	// The rest plays Callboard.
	for i, body := range []string{
		`{"type":"session.joined","timestamp":"2026-05-04T10:00:00.000Z","data":{"event":{"id":"event-1"},"session":{"id":"s1","title":"Opening"},"registration":{"id":"reg-1"}}}`,
		`{"type":"invoice.paid","timestamp":"2026-05-04T10:00:00.000Z","data":{"amount":3}}`,
		`{"type":"session.joined","timestamp":"2026-05-04T10:00:00.000Z","data":{"session":"s1"}}`,
	} {
		fmt.Println(deliver(handler, body, signedHeader(secret, fmt.Sprint("msg_", i+1), body)))
	}
	// Output:
	// msg_1 reg-1 entered Opening
	// 200 OK
	// msg_2 invoice.paid {"amount":3}
	// 200 OK
	// 400 Bad Request
}

func ExampleZuddl() {
	const secret = "9c1185a5c5e9fc54612808977ee8f548" // As Zuddl shows it.
	handler, err := receiver.New(receiver.Zuddl(), []string{secret},
		func(_ context.Context, m receiver.Message[*zuddl.Webhook]) error {
			switch w := m.Data; w.Action {
			case zuddl.JoinedSession:
				if w.Registration != nil && w.Session != nil {
					fmt.Println(m.ID, w.Registration.ID, "entered", w.Session.Title)
				}
			default:
				fmt.Println(m.ID, "not for us:", m.Type)
			}
			return nil
		})
	if err != nil {
		fmt.Println(err)
		return
	}

	// The rest plays Zuddl.
	key, err := signature.NewBodyKey(secret, signature.BodyScheme{Prefix: "sha256="})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, body := range []string{
		`{"action":"JOINED_SESSION","actionId":"a1","registration":{"id":"reg-1"},"session":{"title":"Opening"}}`,
		`{"action":"CTA_CLICKED","actionId":"a2"}`,
	} {
		fmt.Println(deliver(handler, body, http.Header{"X-Webhook-Signature": {key.Sign([]byte(body))}}))
	}
	// Output:
	// a1 reg-1 entered Opening
	// 200 OK
	// a2 not for us: CTA_CLICKED
	// 200 OK
}

func ExampleSessionboard() {
	const secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	handler, err := receiver.New(receiver.Sessionboard(), []string{secret},
		func(_ context.Context, m receiver.Message[*sessionboard.Webhook]) error {
			switch data := m.Data.Data.(type) {
			case *sessionboard.Session:
				if data.Has("title") { // What is absent is not empty.
					fmt.Println(m.ID, m.Type, data.ID, data.Title)
				}
			default:
				fmt.Println(m.ID, "not for us:", m.Type)
			}
			return nil
		})
	if err != nil {
		fmt.Println(err)
		return
	}

	// The rest plays Sessionboard.
	body := `{"data":{"id":"s1","title":"Opening"},"metadata":{"action":"session.updated","event_id":4001,"version":1}}`
	fmt.Println(deliver(handler, body, signedHeader(secret, "msg_1", body)))
	// Output:
	// msg_1 session.updated s1 Opening
	// 200 OK
}

func ExampleOration() {
	const secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	handler, err := receiver.New(receiver.Oration(), []string{secret},
		func(_ context.Context, m receiver.Message[*oration.Webhook]) error {
			switch conversation := m.Data.Payload; m.Data.EventType {
			case oration.EventUserLeft, oration.EventCompleted:
				fmt.Println(m.ID, conversation.ID, "ended:", conversation.EndReason)
			default:
				fmt.Println(m.ID, "not for us:", m.Type)
			}
			return nil
		})
	if err != nil {
		fmt.Println(err)
		return
	}

	// The rest plays Oration.
	body := `{"eventId":"evt_1","eventType":"conversation.completed","payload":{"id":"conv_1","endReason":"user_hangup"}}`
	fmt.Println(deliver(handler, body, signedHeader(secret, "msg_1", body)))
	// Output:
	// evt_1 conv_1 ended: user_hangup
	// 200 OK
}

func ExampleIotum() {
	const token = "the account's signing token"
	handler, err := receiver.New(receiver.Iotum(), []string{token},
		func(_ context.Context, m receiver.Message[*iotum.Webhook]) error {
			switch payload := m.Data.Payload.(type) {
			case *iotum.ConferenceLeft:
				fmt.Println(payload.ParticipantID, "left", payload.ConferenceID, "by", payload.ReasonForLeaving)
			default:
				fmt.Println("not for us:", m.Type)
			}
			return nil
		})
	if err != nil {
		fmt.Println(err)
		return
	}

	// The rest plays iotum, whose webhooks have no id: the same one twice.
	body := `{"event":"leave_conference","timestamp":"2022-08-24T20:56:55.000Z",` +
		`"payload":"{\"conference_id\":1258835,\"participant_id\":7,\"reason_for_leaving\":\"user_exit\"}"}`
	for range 2 {
		fmt.Println(deliver(handler, body, http.Header{"X-Signing-Token": {token}}))
	}
	// Output:
	// 7 left 1258835 by user_exit
	// 200 OK
	// 200 OK
}

// Sessionboard's own pages know only a header of one's choice. Without secrets
// its token alone proves who sends.
func ExampleWithToken() {
	handler, err := receiver.New(receiver.Sessionboard(), nil,
		func(_ context.Context, m receiver.Message[*sessionboard.Webhook]) error {
			fmt.Println(m.Type)
			return nil
		},
		receiver.WithToken("x-webhook-token", "a long random text"))
	if err != nil {
		fmt.Println(err)
		return
	}

	// The rest plays Sessionboard, and somebody else.
	body := `{"data":{"id":"c1"},"metadata":{"action":"contact.created"}}`
	fmt.Println(deliver(handler, body, http.Header{"X-Webhook-Token": {"a long random text"}}))
	fmt.Println(deliver(handler, body, http.Header{"X-Webhook-Token": {"a guess"}}))
	// Output:
	// contact.created
	// 200 OK
	// 401 Unauthorized
}

// deliver plays a sender without a network and returns the answer's status.
func deliver(handler http.Handler, body string, header http.Header) string {
	r := httptest.NewRequest(http.MethodPost, "/webhooks", strings.NewReader(body))
	r.Header = header
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, r)
	return w.Result().Status
}

// signedHeader signs as Standard Webhooks has it.
func signedHeader(secret, id, body string) http.Header {
	header := make(http.Header)
	key, err := signature.ParseKey(secret)
	if err != nil {
		return header
	}
	signer, err := signature.NewSigner(key)
	if err != nil {
		return header
	}
	signer.SetHeaders(header, id, time.Now(), []byte(body))
	return header
}
