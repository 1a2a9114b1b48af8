// Package delivery holds the rules of delivering: which endpoints hear a
// message (Plan), what an answer means (Classify), when the next attempt is due
// (Next), when an endpoint is given up (Health). Everything here is pure: time,
// chance and the state of the world are parameters.
package delivery

import (
	"slices"
	"time"

	"github.com/callboard/callboard/internal/id"
)

// State is where a delivery stands in its life. The numbers are stored.
type State uint8

// The states. Pending, Waiting and Leased are unfinished, the others final.
const (
	Pending   State = 1 // due at NextAt: new, to be retried, held by a pause
	Waiting   State = 2 // behind an unfinished delivery of the same ordering key
	Leased    State = 3 // claimed by a dispatcher
	Succeeded State = 4
	Failed    State = 5
	Canceled  State = 6 // by the operator
)

// Finished reports whether no further attempt follows by itself.
func (s State) Finished() bool { return s >= Succeeded }

// Reason says why a delivery failed. The numbers are stored.
type Reason uint8

// The reasons for Failed; NoReason for every other state.
const (
	NoReason         Reason = 0
	Exhausted        Reason = 1 // the retry schedule ended
	Expired          Reason = 2 // the deadline passed
	EndpointDisabled Reason = 3
	EndpointDeleted  Reason = 4
	PayloadGone      Reason = 5 // retention ended before the delivery did
	Aborted          Reason = 6 // the receiver answered webhook-delivery: abort-message
	Unrenderable     Reason = 7 // the endpoint's dialect cannot write the payload
)

// String gives the reason's name as the API shows it.
func (r Reason) String() string {
	return [...]string{
		"", "exhausted", "expired", "endpoint_disabled", "endpoint_deleted",
		"payload_gone", "aborted", "unrenderable",
	}[r]
}

// Trigger says who asked for an attempt. The numbers are Svix's.
type Trigger uint8

// The triggers.
const (
	Scheduled Trigger = 0
	Manual    Trigger = 1 // resend; outside of the rules for disabling an endpoint
)

// Key names a delivery: one message for one endpoint.
type Key struct {
	Message  id.ID
	Endpoint id.ID
}

// Delivery is one message on its way to one endpoint.
type Delivery struct {
	Key
	App id.ID
	// Generation rises with each claim and resend. A result that was begun under
	// another generation is recorded as an attempt and changes nothing else.
	Generation int
	State      State
	Reason     Reason
	Trigger    Trigger   // of the next attempt
	Step       int       // of the retry schedule: attempts since it was last (re)queued, which begins it anew
	NextAt     time.Time // due time; meaningless once finished
	Deadline   time.Time // no attempt begins after it; zero = none
	OrderKey   string    // "" = not ordered
	OrderSeq   int64
}

// Attempt is one POST of a delivery, as it ended.
type Attempt struct {
	Key
	N          int // the delivery's generation at its claim; unique within Key
	ID         id.ID
	App        id.ID
	Trigger    Trigger
	At         time.Time // when the attempt began
	Success    bool
	StatusCode int // 0 = no response
	Latency    time.Duration
	Error      string // why there is no usable response, or where a redirect leads; "" otherwise
	Response   []byte // the first ResponseBytes of the body
}

// ResponseBytes is how much of a receiver's answer is read and kept.
const ResponseBytes = 16 << 10

// Secret is one signing secret of an endpoint.
type Secret struct {
	Value   string    `json:"value"`
	Expires time.Time `json:"expires,omitzero"` // end of its grace period; zero = current
}

// Endpoint is a URL with what it wants to hear and how.
type Endpoint struct {
	ID, App     id.ID
	UID         string // "" = none
	URL         string
	Description string
	Dialect     string // "" = native
	NoTranslate bool   // do not render neighbours' types
	Ordered     bool   // ordering: "key"
	Paused      bool   // holds deliveries; deadlines run on

	Disabled       bool
	DisabledReason string    // "api", "gone", "failing", "receiver"; "" while enabled
	DisabledAt     time.Time // zero while enabled
	Deleted        bool

	Version     int      // as clients gave it; 1 by default
	FilterTypes []string // event types it hears; nil = all
	Channels    []string // hears messages that share one; nil = all messages
	Headers     map[string]string
	Sensitive   []string // names of headers that the API masks

	Secrets       []Secret        // newest first; the first does not expire
	ThrottleRate  int             // attempts per second; 0 = no limit
	RetrySchedule []time.Duration // nil = the installation's
	Timeout       time.Duration   // of one exchange; 0 = the installation's
	Deadline      time.Duration   // of a delivery; 0 = none
	Metadata      map[string]string

	CreatedAt, UpdatedAt time.Time
}

// ActiveSecrets are the secrets to sign with at now, newest first.
func (e *Endpoint) ActiveSecrets(now time.Time) []string { return Active(e.Secrets, now) }

// Active are the secrets out of some, newest first, that count at now.
func Active(secrets []Secret, now time.Time) []string {
	active := make([]string, 0, len(secrets))
	for _, s := range secrets {
		if s.activeAt(now) {
			active = append(active, s.Value)
		}
	}
	return active
}

func (s Secret) activeAt(now time.Time) bool { return s.Expires.IsZero() || now.Before(s.Expires) }

// Carried says which of some secrets, newest first, a request carries at now that has
// room for one: the oldest that is active. next takes its place at a time; it is empty
// if no other one does.
func Carried(secrets []Secret, now time.Time) (key, next string, at time.Time) {
	oldest := lastActive(secrets, now)
	if oldest < 0 {
		return "", "", time.Time{}
	}
	key, at = secrets[oldest].Value, secrets[oldest].Expires
	if at.IsZero() {
		return key, "", at
	}
	if follows := lastActive(secrets, at); follows >= 0 {
		next = secrets[follows].Value
	}
	return key, next, at
}

// lastActive is the place of the oldest secret that is active at now, -1 for none.
func lastActive(secrets []Secret, now time.Time) int {
	for i, s := range slices.Backward(secrets) {
		if s.activeAt(now) {
			return i
		}
	}
	return -1
}
