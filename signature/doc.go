// Package signature signs and verifies webhooks as Standard Webhooks 1.0.0
// asks (https://www.standardwebhooks.com, "Webhook scheme").
//
// A signed webhook carries three headers: its id, the Unix time in seconds at
// which it was sent, and a list of signatures. Each signature covers
//
//	id "." timestamp "." body
//
// with the body's bytes exactly as they travel. Two versions exist: v1 is
// HMAC-SHA256 under a shared [Secret] ("whsec_…"), v1a is ed25519 under a
// [SigningKey] ("whsk_…"), which a consumer checks with the [PublicKey]
// ("whpk_…") alone.
//
// A [Signer] and a [Verifier] take any number of keys in any mix of versions.
// That is how a key is rotated without a gap: for a grace period the sender
// signs with the old and the new one, and a consumer that knows either is
// content. Both sides build the signed content in one place, so they cannot
// come to differ.
//
// Senders with a scheme of their own sign the body alone or send a token as it is:
// [BodyKey] and [Token] make and check those.
//
// Secrets never print themselves: fmt, log/slog and every encoder that knows
// encoding.TextMarshaler write "[redacted]". Reveal is the one way to their
// text. No error of this package quotes a key, nor anything from a request.
//
// Everything here is safe for concurrent use, and nothing changes after it was
// constructed.
package signature
