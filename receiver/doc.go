// Package receiver receives webhooks: it gives an [net/http.Handler] that
// verifies each request, decodes it, keeps duplicates away, and calls one
// function of yours with what remains.
//
//	handler, err := receiver.New(
//		receiver.StandardWebhooks(),
//		[]string{os.Getenv("WEBHOOK_SECRET")},
//		func(ctx context.Context, m receiver.Message[json.RawMessage]) error {
//			return store(ctx, m.ID, m.Type, m.Data)
//		},
//	)
//	...
//	http.Handle("/webhooks", handler)
//
// How a sender writes and signs is its dialect, which also gives the type of
// the data:
//
//	StandardWebhooks  json.RawMessage        webhook-* or svix-*, of Callboard, Svix and others
//	Native            *native.Webhook        the same, of Callboard
//	Zuddl             *zuddl.Webhook         X-Webhook-Signature: sha256=…
//	Sessionboard      *sessionboard.Webhook  svix-* or webhook-*, or a token in a header of one's choice
//	Oration           *oration.Webhook       webhook-* or svix-*
//	Iotum             *iotum.Webhook         x-signing-token, a token
//
// [WithToken] demands a token in a header besides, of any of them, or instead.
//
// What the sender is told follows from your function:
//
//	200  it returned nil, now or for an earlier copy of the message
//	400  the signature is good and the body cannot be read
//	401  the signature is missing, wrong, or too old or new; or a token is missing or wrong
//	405  the method is not POST
//	410  it returned [ErrGone]: the sender should disable the endpoint
//	413  the body is larger than the limit
//	500  it returned another error, or panicked: the sender should retry
//	503  the [Deduper] failed, or the sender left while its turn had not come
//
// Nothing in a request is looked at before its signature is verified, over the
// bytes as they came. Event types that this package does not know are handed on
// like the others. Answers carry the reason of a refusal as text, since
// senders show it to the people who set the endpoint up; they carry no error
// of your function and no secret.
//
// # Delivery is at least once
//
// A sender that does not hear a 2xx in time sends the message again, under the
// same id. Of those, the handler calls your function for one only: an id is
// remembered once your function has succeeded, and a copy that arrives while
// another is still being handled waits for its end. It is answered 200 if that
// succeeded, and gets its own try if not. Across a crash, or across several
// processes, only an effect of your function that is itself idempotent is safe
// from happening twice.
//
// # Time
//
// Senders give up after 15 to 30 seconds, so do long work after you have
// returned. The handler sets no deadlines; the [net/http.Server] around it
// should have its ReadTimeout set.
package receiver
