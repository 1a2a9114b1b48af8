package play

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/callboard/callboard/internal/dialect"
	"github.com/callboard/callboard/signature"
)

// Verdict is what becomes of a request's signature.
type Verdict string

// The verdicts.
const (
	Valid         Verdict = "valid"
	Invalid       Verdict = "invalid"
	Unsigned      Verdict = "unsigned"
	UnknownSecret Verdict = "unknown_secret" // it is signed, and there is nothing to verify it with
)

// Verification says whether a request was signed with the inbox's secret.
type Verification struct {
	Dialect *string `json:"dialect" doc:"As whose webhook it was verified; null = it looks like nobody's."`
	Verdict Verdict `json:"verdict" enum:"valid,invalid,unsigned,unknown_secret"`
	Detail  string  `json:"detail" doc:"For people: exactly why."`
}

// proof is what requests are verified by.
type proof struct {
	dialect, secret, old string
	oldUntil             time.Time // requests that came before it may be signed with old
}

func (s *settings) proof() proof { return proof{s.dialect, s.secret, s.old, s.oldUntil} }

// What may be looked for in requests that are refused: it takes many times as long as to verify one, and how many there
// are is for strangers to choose.
const (
	hintRate, hintBurst = 50, 200 // in a second, and at once
	maxHintBody         = 64 << 10
)

// verifier verifies requests as any dialect.
type verifier struct {
	set     dialect.Set
	headers map[string][]string // that prove a request, by dialect; canonical

	mu    sync.Mutex
	hints bucket
}

// newVerifier learns from the dialects' own signers which headers they sign with.
func newVerifier(set dialect.Set) (*verifier, error) {
	v := &verifier{set: set, headers: map[string][]string{}}
	for _, name := range set.Names() {
		d, _ := set.Get(name)
		signer, err := d.NewSigner([]string{d.NewSecret()})
		if err != nil {
			return nil, fmt.Errorf("dialect %s: %w", name, err)
		}
		header := http.Header{}
		signer.Sign(header, "msg_1", time.Now(), nil)
		v.headers[name] = slices.Sorted(maps.Keys(header))
	}
	return v, nil
}

func (v *verifier) knows(name string) bool { return len(v.headers[name]) > 0 }

// has counts the headers of a dialect's signature that a request has.
func (v *verifier) has(name string, header http.Header) (found int) {
	for _, h := range v.headers[name] {
		if header.Get(h) != "" {
			found++
		}
	}
	return found
}

// guess tells by its headers whose webhook a request looks like, "" = nobody's: the dialect's whose headers are all there,
// or of which most are. Where dialects sign alike, the body tells them apart, and native takes what is no other's.
func (v *verifier) guess(r dialect.Request) string {
	best, most := "", 0
	for _, name := range v.set.Names() {
		found := v.has(name, r.Header)
		if found == 0 {
			continue
		}
		rank := found
		if found == len(v.headers[name]) {
			rank += 100
		}
		if rank > most {
			best, most = name, rank
		}
	}
	if best == "" || best == dialect.Native || v.has(dialect.Native, r.Header) == 0 {
		return best
	}
	d, _ := v.set.Get(best)
	if _, err := d.Parse(r); err != nil {
		return dialect.Native
	}
	return best
}

// verify judges a request.
func (v *verifier) verify(p proof, r dialect.Request) Verification {
	name := p.dialect
	if name == "" {
		name = v.guess(r)
	}
	if name == "" {
		return Verification{Verdict: Unsigned, Detail: "It has none of the headers in which a dialect puts its signature."}
	}
	verdict, detail := v.judge(name, p, r)
	return Verification{Dialect: &name, Verdict: verdict, Detail: detail}
}

// judge judges a request as a dialect's.
func (v *verifier) judge(name string, p proof, r dialect.Request) (Verdict, string) {
	other := name
	if v.has(name, r.Header) == 0 {
		other = v.guess(r)
	}
	d, _ := v.set.Get(name)
	switch {
	case p.secret == "" && other == name:
		return UnknownSecret, fmt.Sprintf("It is signed as %s does. Give the inbox the secret, and it is verified.", name)
	case p.secret == "" && other == "":
		return Unsigned, v.lacks(name)
	case p.secret == "":
		return Invalid, fmt.Sprintf("It is signed as %s does, and not as %s.", other, name)
	}
	found, err := v.check(d, p.secret, r)
	switch {
	case err == nil && other == "" && found.Hint == "": // the signature is in no other header either
		return Unsigned, v.lacks(name)
	case err == nil && other != "" && other != name && found.Hint == "":
		return Invalid, fmt.Sprintf("It is signed as %s does, and not as %s.", other, name)
	case err != nil:
		return Invalid, fmt.Sprintf("The inbox's secret cannot be one of %s: %s.", name, reason(err))
	case found.Valid:
		return Valid, v.confirm(name)
	case p.old != "":
		if before, err := v.check(d, p.old, dialect.Request{Header: r.Header, Body: r.Body, At: r.At, Brief: true}); err == nil && before.Valid {
			if r.At.Before(p.oldUntil) {
				return Valid, "It was made with the secret that the inbox had before, which held when it came."
			}
			return Invalid, "The secret does not match: the signature is right for the one that the inbox had before."
		}
	}
	return Invalid, sentence(explain(found, r))
}

// lacks says that a request has none of the headers that a dialect signs with.
func (v *verifier) lacks(name string) string {
	return "There is no header " + strings.ToLower(v.headers[name][0]) + "."
}

// check verifies with a secret, and looks for what would mend the request if that is not too dear.
func (v *verifier) check(d dialect.Dialect, secret string, r dialect.Request) (dialect.Verdict, error) {
	brief := r
	brief.Brief = true
	found, err := d.Verify([]string{secret}, brief)
	if err != nil || found.Valid || r.Brief || len(r.Body) > maxHintBody || !v.mayHint() {
		return found, err
	}
	return d.Verify([]string{secret}, r)
}

func (v *verifier) mayHint() bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.hints.take(time.Now(), hintRate, hintBurst)
}

// confirm says what a valid signature vouches for.
func (v *verifier) confirm(name string) string {
	d, _ := v.set.Get(name)
	if _, token := d.(dialect.TokenSent); token {
		return "The token is the inbox's. It says nothing about the body."
	}
	return "The signature was made with the inbox's secret, of exactly this body."
}

// explain says what is wrong with a request that is not valid.
func explain(found dialect.Verdict, r dialect.Request) string {
	switch found.Why {
	case reason(signature.ErrNoMatch):
		found.Why = "the signature does not match: it was made with another secret, or the body was changed on the way"
		if found.Hint != "" {
			found.Why = "the signature does not match"
		}
	default:
		if age, told := tellAge(r); told && strings.HasPrefix(found.Why, "timestamp is too ") {
			found.Why = age
		}
	}
	return found.Problem()
}

// reason is the text of an error of package signature, without the package, as dialects tell it.
func reason(err error) string {
	return strings.TrimPrefix(strings.TrimPrefix(err.Error(), "signature: "), "invalid key: ")
}

// tellAge says how far the signed time is from the one at which a request came.
func tellAge(r dialect.Request) (string, bool) {
	text := r.Header.Get(signature.HeaderTimestamp)
	if text == "" {
		text = r.Header.Get(signature.HeaderSvixTimestamp)
	}
	seconds, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return "", false
	}
	allowed := "; " + inWords(signature.DefaultTolerance) + " are allowed"
	age := r.At.Sub(time.Unix(seconds, 0))
	if age < 0 {
		return "the timestamp is " + inWords(-age) + " in the future" + allowed, true
	}
	return "the timestamp is " + inWords(age) + " old" + allowed, true
}

// inWords writes a duration in its largest unit of which there are two.
func inWords(d time.Duration) string {
	for _, unit := range []struct {
		length time.Duration
		name   string
	}{{24 * time.Hour, "days"}, {time.Hour, "hours"}, {time.Minute, "minutes"}} {
		if d >= 2*unit.length {
			return fmt.Sprintf("%d %s", d/unit.length, unit.name)
		}
	}
	return fmt.Sprintf("%d seconds", d/time.Second)
}

// sentence makes a clause one.
func sentence(clause string) string {
	if clause == "" {
		return ""
	}
	return strings.ToUpper(clause[:1]) + clause[1:] + "."
}

// tryKey says why a secret cannot be one of a dialect's.
func (v *verifier) tryKey(name, secret string) error {
	d, known := v.set.Get(name)
	if !known {
		return errors.New("is not known")
	}
	if _, err := d.Verify([]string{secret}, dialect.Request{Brief: true}); err != nil {
		return errors.New(reason(err))
	}
	return nil
}

// sign signs a request afresh, as an endpoint's are. The name is the dialect's, "" = the one that the request looks like.
func (v *verifier) sign(p proof, r dialect.Request) error {
	name := p.dialect
	if name == "" {
		name = v.guess(r)
	}
	if name == "" {
		name = dialect.Native
	}
	d, _ := v.set.Get(name)
	signer, err := d.NewSigner([]string{p.secret})
	if err != nil {
		return fmt.Errorf("the inbox's secret cannot be one of %s: %s", name, reason(err))
	}
	message := r.Header.Get(signature.HeaderID)
	if message == "" {
		message = r.Header.Get(signature.HeaderSvixID)
	}
	if message == "" {
		message = newMessageID()
	}
	signer.Sign(r.Header, message, time.Now(), r.Body)
	return nil
}
