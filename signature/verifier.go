package signature

import (
	"errors"
	"fmt"
	"iter"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// DefaultTolerance is how far a webhook's timestamp may lie from the present,
// either way, unless [WithTolerance] says otherwise.
const DefaultTolerance = 5 * time.Minute

// maxSignatures bounds the work that a stranger can ask for: a header of the
// usual 1 MiB could hold 11,000 ed25519 signatures, half a second's work. A
// sender in the midst of many rotations stays far below.
const maxSignatures = 32

// maxUnixSeconds is the end of the year 9999. Beyond it lies nobody's clock,
// and time.Time begins to wrap around.
const maxUnixSeconds = 253402300799

// The reasons for which [Verifier.Verify] refuses a webhook. Each error wraps
// exactly one of them and adds the particulars, but nothing that the request
// said and no key.
var (
	// ErrMissingHeader means that of the three headers one is missing or empty.
	ErrMissingHeader = errors.New("signature: missing header")
	// ErrTimestampMalformed means that the timestamp is not a count of Unix
	// seconds in plain decimal.
	ErrTimestampMalformed = errors.New("signature: timestamp is not in Unix seconds")
	// ErrTimestampTooOld means a timestamp further back than the tolerance:
	// a replay, a slow network, or a clock that is wrong.
	ErrTimestampTooOld = errors.New("signature: timestamp is too old")
	// ErrTimestampTooNew means a timestamp further ahead than the tolerance.
	ErrTimestampTooNew = errors.New("signature: timestamp is too far in the future")
	// ErrVersionUnsupported means that no signature is of a version for which
	// the verifier has a key, as when a consumer that holds a secret gets v1a.
	ErrVersionUnsupported = errors.New("signature: no signature is of a supported version")
	// ErrSignatureMalformed means that there are signatures of the right
	// version and none has the length of one (a bare "v1," for instance), or
	// that there are more than 32 of any version.
	ErrSignatureMalformed = errors.New("signature: signature is malformed")
	// ErrNoMatch means that no key made any of the signatures for this id,
	// timestamp and body: another key, or bytes changed on the way. A body
	// that was parsed and written again is the usual cause.
	ErrNoMatch = errors.New("signature: no signature matches")
)

// A Verifier checks that a webhook was signed with one of its keys, and
// lately. It is safe for concurrent use.
type Verifier struct {
	keys      []VerifyKey
	tolerance time.Duration
	at        time.Time // zero = the present
}

// A VerifierOption changes how a [Verifier] judges.
type VerifierOption func(*Verifier)

// WithTolerance sets how far a timestamp may lie from the present, either way;
// exactly so far is still good. It must be positive. The largest Duration lets
// any timestamp of the past through, for webhooks that were recorded.
func WithTolerance(tolerance time.Duration) VerifierOption {
	return func(v *Verifier) { v.tolerance = tolerance }
}

// WithTime has webhooks judged as of a time, and not of the present: the one at which
// a webhook came in that was kept and is verified later.
func WithTime(at time.Time) VerifierOption {
	return func(v *Verifier) { v.at = at }
}

// NewVerifier returns a Verifier that is content with a signature by any of
// the keys. No key, or an empty one, is an error that wraps [ErrInvalidKey].
func NewVerifier(keys []VerifyKey, opts ...VerifierOption) (*Verifier, error) {
	if err := checkUsable(keys); err != nil {
		return nil, err
	}
	v := &Verifier{keys: slices.Clone(keys), tolerance: DefaultTolerance}
	for _, opt := range opts {
		opt(v)
	}
	if v.tolerance <= 0 {
		return nil, fmt.Errorf("signature: tolerance %s is not positive", v.tolerance)
	}
	return v, nil
}

// Verified is what a signature vouches for besides the body.
type Verified struct {
	// ID is the webhook's, the same over retries and resends.
	ID string
	// SentAt is the time of this attempt, to the second, in UTC.
	SentAt time.Time
}

// Verify checks the signature of a request with this header and with exactly
// these bytes as its body. It reads the webhook-* headers, or the svix-* ones
// where the former are not all there; it never mixes the two.
//
// In the list of signatures, versions that the verifier has no key for are
// skipped: that is how the standard makes room for later ones. Time is
// compared to the present, signatures in constant time. An error wraps one of
// the sentinels above.
func (v *Verifier) Verify(header http.Header, body []byte) (Verified, error) {
	said, err := readHeaders(header)
	if err != nil {
		return Verified{}, err
	}
	unixSeconds, err := parseUnixSeconds(said.timestamp)
	if err != nil {
		return Verified{}, err
	}
	sentAt := time.Unix(unixSeconds, 0).UTC()
	if err := checkAge(v.since(sentAt), v.tolerance); err != nil {
		return Verified{}, err
	}
	if err := v.match(content{id: said.id, unixSeconds: unixSeconds, body: body}, said.signatures); err != nil {
		return Verified{}, err
	}
	return Verified{ID: said.id, SentAt: sentAt}, nil
}

// since is how long ago t was.
func (v *Verifier) since(t time.Time) time.Duration {
	if v.at.IsZero() {
		return time.Since(t)
	}
	return v.at.Sub(t)
}

// match looks for one signature in the list that one key made of c.
func (v *Verifier) match(c content, list string) error {
	if err := v.checkList(list); err != nil {
		return err
	}
	for _, key := range v.keys {
		matches := key.matcher(c)
		for version, encoded := range signatures(list) {
			if version == key.version() && len(encoded) == key.encodedLen() && matches(encoded) {
				return nil
			}
		}
	}
	return ErrNoMatch
}

// checkList finds a list that cannot match whatever the keys are, so that the
// error can say so. It computes nothing.
func (v *Verifier) checkList(list string) error {
	var total, supported, wellFormed int
	for version, encoded := range signatures(list) {
		total++
		if i := slices.IndexFunc(v.keys, func(k VerifyKey) bool { return k.version() == version }); i >= 0 {
			supported++
			if len(encoded) == v.keys[i].encodedLen() {
				wellFormed++
			}
		}
	}
	switch {
	case total > maxSignatures:
		return fmt.Errorf("%w: %d in one header, of %d allowed", ErrSignatureMalformed, total, maxSignatures)
	case supported == 0:
		return fmt.Errorf("%w: of %d none is %s", ErrVersionUnsupported, total, strings.Join(v.versions(), " or "))
	case wellFormed == 0:
		return fmt.Errorf("%w: wrong length", ErrSignatureMalformed)
	}
	return nil
}

// versions lists what the keys verify, each version once.
func (v *Verifier) versions() []string {
	var versions []string
	for _, key := range v.keys {
		if !slices.Contains(versions, key.version()) {
			versions = append(versions, key.version())
		}
	}
	return versions
}

// signatures yields version and base64 of each entry in the value of
// [HeaderSignature]. An entry without a comma has an empty base64.
func signatures(list string) iter.Seq2[string, string] {
	return func(yield func(string, string) bool) {
		for entry := range strings.FieldsFuncSeq(list, func(r rune) bool { return r == ' ' }) {
			version, encoded, _ := strings.Cut(entry, ",")
			if !yield(version, encoded) {
				return
			}
		}
	}
}

// headerValues is what a request says about itself, unverified.
type headerValues struct {
	id, timestamp, signatures string
}

// ID gives the id of the webhook that the headers name, as Verify reads it: that of the
// webhook-* headers if those are whole, else that of the svix-* ones; "" if neither are. It
// says nothing about whether the signature is right.
func ID(header http.Header) string {
	said, err := readHeaders(header)
	if err != nil {
		return ""
	}
	return said.id
}

// readHeaders takes all three headers from the same family, so that no id of
// one can be paired with a signature from the other.
func readHeaders(header http.Header) (headerValues, error) {
	standard := headerValues{header.Get(HeaderID), header.Get(HeaderTimestamp), header.Get(HeaderSignature)}
	if standard.missing() == "" {
		return standard, nil
	}
	svix := headerValues{header.Get(HeaderSvixID), header.Get(HeaderSvixTimestamp), header.Get(HeaderSvixSignature)}
	if svix.missing() == "" {
		return svix, nil
	}
	// Neither is whole. The error speaks of the family that the sender uses.
	family, missing := "webhook-", standard.missing()
	if standard == (headerValues{}) && svix != (headerValues{}) {
		family, missing = "svix-", svix.missing()
	}
	return headerValues{}, fmt.Errorf("%w: %s", ErrMissingHeader, family+missing)
}

// missing returns the name, without its prefix, of the first header that is
// not there, or "".
func (v headerValues) missing() string {
	switch {
	case v.id == "":
		return "id"
	case v.timestamp == "":
		return "timestamp"
	case v.signatures == "":
		return "signature"
	}
	return ""
}

// parseUnixSeconds admits one spelling of each number, because the content is
// built from the number: "+7" or "07" must not verify as "7".
func parseUnixSeconds(text string) (int64, error) {
	seconds, err := strconv.ParseInt(text, 10, 64)
	if err != nil || seconds < 0 || seconds > maxUnixSeconds || strconv.FormatInt(seconds, 10) != text {
		return 0, ErrTimestampMalformed
	}
	return seconds, nil
}

// checkAge judges a webhook's age, negative if its time is yet to come.
func checkAge(age, tolerance time.Duration) error {
	switch {
	case age > tolerance:
		return fmt.Errorf("%w: by %s, tolerance %s", ErrTimestampTooOld, (age - tolerance).Round(time.Second), tolerance)
	case age < -tolerance:
		return fmt.Errorf("%w: by %s, tolerance %s", ErrTimestampTooNew, (-tolerance - age).Round(time.Second), tolerance)
	}
	return nil
}
