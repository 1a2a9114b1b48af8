package standard

import (
	"errors"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/callboard/callboard/internal/dialect"
	"github.com/callboard/callboard/signature"
)

// Verify checks the signature under either family of names, and its time against the
// present. Secrets are "whsec_…", "whsk_…", or the public "whpk_…".
func (Keys) Verify(secrets []string, r dialect.Request) (dialect.Verdict, error) {
	keys := make([]signature.VerifyKey, 0, len(secrets))
	for _, s := range secrets {
		key, err := parseVerifyKey(s)
		if err != nil {
			return dialect.Verdict{}, err
		}
		keys = append(keys, key)
	}
	verified, err := verify(keys, r, signature.DefaultTolerance)
	switch {
	case err == nil:
		return dialect.Verdict{Valid: true, ID: verified.ID, SentAt: verified.SentAt}, nil
	case errors.Is(err, signature.ErrInvalidKey):
		return dialect.Verdict{}, err
	}
	refused := dialect.Verdict{Why: strings.TrimPrefix(err.Error(), "signature: ")}
	if !r.Brief {
		refused.Hint = hint(keys, secrets, r, err)
	}
	return refused, nil
}

func parseVerifyKey(text string) (signature.VerifyKey, error) {
	if strings.HasPrefix(text, "whpk_") {
		return signature.ParsePublicKey(text)
	}
	return signature.ParseKey(text)
}

func verify(keys []signature.VerifyKey, r dialect.Request, tolerance time.Duration) (signature.Verified, error) {
	options := []signature.VerifierOption{signature.WithTolerance(tolerance)}
	if !r.At.IsZero() {
		options = append(options, signature.WithTime(r.At))
	}
	v, err := signature.NewVerifier(keys, options...)
	if err != nil {
		return signature.Verified{}, err
	}
	return v.Verify(r.Header, r.Body)
}

// hint finds what would have made a request valid.
func hint(keys []signature.VerifyKey, secrets []string, r dialect.Request, why error) string {
	const ever = time.Duration(math.MaxInt64)
	if errors.Is(why, signature.ErrTimestampTooOld) {
		if _, err := verify(keys, r, ever); err == nil {
			return "the signature itself is right: the request is a recorded one, or a clock is wrong"
		}
	}
	if text := miswritten(keys, r, why); text != "" {
		return text
	}
	if !errors.Is(why, signature.ErrNoMatch) && !errors.Is(why, signature.ErrTimestampTooOld) {
		return ""
	}
	for _, b := range dialect.Bodies(r.Body) {
		if _, err := verify(keys, dialect.Request{Header: r.Header, Body: b.Text}, ever); err == nil {
			return "the signature is of the body " + b.Name
		}
	}
	for _, text := range secrets {
		raw, err := signature.NewSecret([]byte(text))
		if err != nil {
			continue
		}
		if _, err := verify([]signature.VerifyKey{raw}, r, ever); err == nil {
			return "the sender signs with the secret's text as it is, and not with what its base64 stands for"
		}
	}
	return ""
}

// miswritten finds headers that are not written as the standard says; "" = none.
func miswritten(keys []signature.VerifyKey, r dialect.Request, why error) string {
	for _, family := range []string{"webhook-", "svix-"} {
		if errors.Is(why, signature.ErrTimestampMalformed) && millis(r.Header.Get(family+"timestamp")) {
			return family + "timestamp is in milliseconds: the sender has to write, and to sign, seconds"
		}
		value := r.Header.Get(family + "signature")
		if value == "" || strings.ContainsAny(value, ", ") {
			continue
		}
		mended := dialect.Request{Header: r.Header.Clone(), Body: r.Body, At: r.At}
		mended.Header.Set(family+"signature", "v1,"+value)
		if _, err := verify(keys, mended, signature.DefaultTolerance); err == nil {
			return "the signature in " + family + "signature is right, but without its version: the sender has to write v1, before it"
		}
	}
	return ""
}

// millis reports whether a timestamp counts milliseconds, of a time between 2001 and 2286.
func millis(timestamp string) bool {
	const digits = 13
	n, err := strconv.ParseInt(timestamp, 10, 64)
	return err == nil && n > 0 && len(timestamp) == digits
}
