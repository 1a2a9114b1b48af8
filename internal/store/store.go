// Package store names the rows that Callboard keeps, and what can be asked of
// them. It holds no code that talks to a database: the drivers sqlite and
// postgres do, and package storetest says how they must behave.
//
// Interfaces live with their consumers (commit, dispatch, restapi, …); this
// package gives them common words.
package store

import (
	"crypto/sha256"
	"errors"
	"slices"
	"time"

	"github.com/callboard/callboard/internal/delivery"
	"github.com/callboard/callboard/internal/id"
	"github.com/callboard/callboard/internal/live"
)

// ErrNotFound is returned by reads of one row that does not exist.
var ErrNotFound = errors.New("not found")

// ErrUnavailable is wrapped by errors that say that the store cannot take or
// give anything at the moment: disk full, database unreachable.
var ErrUnavailable = errors.New("store unavailable")

// ErrLost is wrapped by errors after which the process must not go on: a failed
// fsync, a corrupt file. What was not acknowledged may or may not be on disk.
var ErrLost = errors.New("store lost")

// Hash16 is half of a SHA-256: enough to tell keys apart, short in an index.
type Hash16 [16]byte

// HashText is the first half of a text's SHA-256. Message.EventHash is that of
// the eventId, so that a store finds a message by it.
func HashText(text string) Hash16 {
	sum := sha256.Sum256([]byte(text))
	return Hash16(sum[:])
}

// Ref names a row either by id or, where ID is zero, by the uid its owner chose.
type Ref struct {
	ID  id.ID
	UID string
}

// App is a tenant.
type App struct {
	ID           id.ID
	Org          string
	UID          string // "" = none; unique in the org
	Name         string
	ThrottleRate int // attempts per second over all endpoints; 0 = no limit
	Metadata     map[string]string
	// Dialects are those that its endpoints may use, out of the org's; nil = the org's.
	Dialects []string
	// DefaultDialect is that of endpoints that name none; "" = the org's.
	DefaultDialect string
	// ResourceURLBase is what links to resources in webhooks begin with; "" = the org's.
	ResourceURLBase string
	// SigningTokens are the secrets of endpoints whose dialect has one per app, newest
	// first; nil = none was needed so far.
	SigningTokens []delivery.Secret
	// TokensValidFrom refuses app tokens that were issued before it.
	TokensValidFrom time.Time
	// ConfigVersion rises with each change of the app or its endpoints.
	ConfigVersion        int64
	Deleted              bool // its rows are being removed by a task
	CreatedAt, UpdatedAt time.Time
}

// AppConfig is an app with all its endpoints, deleted ones left out: what
// fan-out needs.
type AppConfig struct {
	App       App
	Endpoints []delivery.Endpoint // in ascending order of id
}

// EventType is a type of messages that an org declared.
type EventType struct {
	Org, Name            string
	Description          string
	GroupName            string
	Archived, Deprecated bool
	Schemas              []byte // JSON object or nil
	FeatureFlags         []string
	CreatedAt, UpdatedAt time.Time
}

// OrgSettings is the JSON document of an org's settings, with a version that
// rises with each change.
type OrgSettings struct {
	Org       string
	Doc       []byte // JSON object; nil = all defaults
	UpdatedAt time.Time
}

// Message is what a webhook says. Its time is in its id.
type Message struct {
	ID, App id.ID
	Type    string
	Test    bool // sent by send-example
	// Tenant is what the app was called when the message came in, if the message is of
	// the catalogue: its uid, else its external id. "" = the message is the org's own.
	// It goes with the payload: lists without content leave both out.
	Tenant string
	// ResourceBase is what links to resources began with when the message came in, if the
	// app or its org had set that; "" = the server's own address.
	ResourceBase string
	EventID      string
	EventHash    Hash16 // of EventID; meaningless without one
	Channels     []string
	Tags         []string
	OrderKey     string
	DeliverAt    time.Time // zero = at once
	// PayloadExpires is when the payload is dropped; zero = with the row, at the
	// installation's retention.
	PayloadExpires time.Time
	Payload        []byte // nil = dropped
	// From is the dialect of the source that the message came in at; "" = it came over the
	// API or from live state.
	From string
	// Raw is the body of the request that the message came in with, byte for byte; nil =
	// none, or dropped. It goes with the payload: lists without content leave both out.
	Raw []byte
}

// Seen is a unit of work that was done under a caller's key, and its result.
type Seen struct {
	Hash    Hash16    // of app or org, scope and key
	Body    Hash16    // of the request's body
	Expires time.Time // end of the promise, to the second
	Result  id.ID     // what to render the answer from
}

// Health is the row of a failing endpoint; one without a row is healthy.
type Health = delivery.Health

// Completion is the result of one attempt and what it does to its delivery.
type Completion struct {
	Attempt delivery.Attempt
	// Next is the delivery after the attempt: Key, State, Reason, Trigger, Step, NextAt
	// and Generation (that of the claim) are used. It applies only while the
	// delivery is still held under that generation.
	Next delivery.Delivery
}

// Requeue makes a delivery pending anew, under a new generation, whatever its
// state; a result still under way is then recorded as an attempt only.
type Requeue struct {
	delivery.Key
	At       time.Time
	Trigger  delivery.Trigger
	Deadline time.Time // zero = none
	// Generation is that of the row as it was loaded in the same transaction.
	Generation int
}

// Finish ends an unfinished delivery without an attempt.
type Finish struct {
	delivery.Key
	State  delivery.State
	Reason delivery.Reason
}

// TaskKind says what a background task does. The numbers are stored.
type TaskKind uint8

// The kinds of background tasks.
const (
	TaskRecover       TaskKind = 1 // requeue failed deliveries of an endpoint
	TaskEndDeliveries TaskKind = 2 // end the unfinished deliveries of a disabled or deleted endpoint
	TaskPurgeApp      TaskKind = 3 // remove the rows of a deleted app
	TaskErase         TaskKind = 4 // drop the payloads that tell of a person
)

// TaskState is Svix's state of a background task. The numbers are stored.
type TaskState uint8

// The states of a task.
const (
	TaskRunning  TaskState = 1
	TaskFinished TaskState = 2
	TaskFailed   TaskState = 3
)

// Task is long work that survives a restart: it goes on from its cursor.
type Task struct {
	ID           id.ID
	Org          string
	App          id.ID
	Endpoint     id.ID // 0 = none
	Kind         TaskKind
	State        TaskState
	Subject      string // JSON of what the task is about; "" = its app or endpoint
	Since, Until id.ID  // bounds of message ids, until exclusive
	Cursor       id.ID  // the last message id that is done
	Done         int64  // rows changed so far
	Reason       string
	UpdatedAt    time.Time
}

// EndpointURL says that an endpoint had this URL from Since on, so that the log
// of attempts can name the URL that each one was sent to.
type EndpointURL struct {
	Endpoint id.ID
	Since    time.Time
	URL      string
}

// URLAt finds the URL that an endpoint had at a time, in its history, oldest
// first. A clock that was set back leaves times before the first entry; they get
// that one.
func URLAt(history []EndpointURL, at time.Time) string {
	if len(history) == 0 {
		return ""
	}
	after, _ := slices.BinarySearchFunc(history, at, func(u EndpointURL, at time.Time) int {
		if !u.Since.After(at) {
			return -1
		}
		return 1
	})
	return history[max(0, after-1)].URL
}

// Changes is what a batch of units writes: all of it or nothing. The slices are
// applied in the order of the fields. No row stands twice in a slice, and none in
// two slices, but for a delivery that is both completed and requeued or finished.
type Changes struct {
	Orgs       []OrgSettings       // upsert
	EventTypes []EventType         // upsert by (org, name)
	EraseTypes []EventType         // delete by (org, name)
	Apps       []App               // upsert by id
	Endpoints  []delivery.Endpoint // upsert by id
	URLs       []EndpointURL       // insert
	Messages   []Message           // insert
	Deliveries []delivery.Delivery // insert; State Leased = handed to this node's dispatcher
	Completed  []Completion
	Requeued   []Requeue
	Finished   []Finish
	Healths    []Health           // upsert by endpoint
	Healthy    []id.ID            // endpoints whose health row goes
	Payloads   []id.ID            // messages whose payload goes, and the body they came in with
	Attempts   []delivery.Attempt // attempts whose response goes, and the Error beside one: Key and ID name them
	Tasks      []Task             // upsert by id
	Sources    []Source           // upsert by id
	Received   []Received         // insert
	// TrimReceived are sources of which only the newest KeptRefused refused requests stay,
	// those of the batch among them.
	TrimReceived   []id.ID
	Bodies         []id.ID // received requests whose body goes
	ErasedReceived []id.ID // received requests that go
	// Objects are rows of live state, each as it is at the end of the batch. One that exists
	// was read in the same transaction and is written over; any other one is new, and
	// commit.ErrConflict if another node has made it meanwhile.
	Objects       []live.Row
	ErasedObjects []live.Key // rows of live state that go
	// Traffic is added to rows that exist.
	Traffic       []Traffic
	ErasedTraffic []TrafficKey // rows of traffic that go
	ErasedApps    []id.ID      // deleted apps whose rows go, with those of their endpoints and sources
	Dropped       []Range      // messages that go with their deliveries and attempts
	Seen          []Seen       // results of the units that took a key
	Unseen        []Seen       // keys of units that were refused
}

// Range is a range of message ids; Until is exclusive. A caller keeps it to about
// a thousand rows, so that other work is not held up.
type Range struct {
	From, Until id.ID
	App         id.ID // 0 = of every app
}

// Reset empties the changes and keeps the memory of the slices. What they held
// is cleared, so that payloads are not kept alive.
func (c *Changes) Reset() {
	reset(&c.Orgs)
	reset(&c.EventTypes)
	reset(&c.EraseTypes)
	reset(&c.Apps)
	reset(&c.Endpoints)
	reset(&c.URLs)
	reset(&c.Messages)
	reset(&c.Deliveries)
	reset(&c.Completed)
	reset(&c.Requeued)
	reset(&c.Finished)
	reset(&c.Healths)
	reset(&c.Healthy)
	reset(&c.Payloads)
	reset(&c.Attempts)
	reset(&c.Tasks)
	reset(&c.Sources)
	reset(&c.Received)
	reset(&c.TrimReceived)
	reset(&c.Bodies)
	reset(&c.ErasedReceived)
	reset(&c.Objects)
	reset(&c.ErasedObjects)
	reset(&c.Traffic)
	reset(&c.ErasedTraffic)
	reset(&c.ErasedApps)
	reset(&c.Dropped)
	reset(&c.Seen)
	reset(&c.Unseen)
}

func reset[T any](s *[]T) {
	clear(*s)
	*s = (*s)[:0]
}
