package store

import (
	"time"

	"github.com/callboard/callboard/internal/delivery"
	"github.com/callboard/callboard/internal/id"
	"github.com/callboard/callboard/internal/live"
)

// Page bounds a list. Lists by id use After; event types, which have no id, use
// AfterName.
type Page struct {
	Limit     int
	After     id.ID  // exclusive; 0 = from the beginning of the order
	AfterName string // exclusive
	Ascending bool   // of id (or name); otherwise newest first
}

// MessageQuery lists messages of an app.
type MessageQuery struct {
	Page
	App        id.ID
	Since      id.ID    // inclusive lower bound; 0 = none
	Until      id.ID    // exclusive upper bound; 0 = none
	EventTypes []string // nil = all
	Channel    string   // "" = all
	Tag        string   // "" = all
	Content    bool     // load payloads
}

// AttemptQuery lists attempts of a message or of an endpoint, by attempt id.
type AttemptQuery struct {
	Page
	App         id.ID
	Message     id.ID // one of Message and Endpoint is required, both may be set
	Endpoint    id.ID
	Since       id.ID
	Until       id.ID
	Success     *bool // nil = both
	StatusClass int   // 0 = all (-1 = none at all), 100, 200 … 500
	EventTypes  []string
	Channel     string
	Tag         string
	Content     bool // load response bodies
	WithMessage bool // load the message, payload only if Content
}

// AttemptRow is an attempt with what its list shows beside it.
type AttemptRow struct {
	delivery.Attempt
	URL     string   // that the attempt was sent to
	Message *Message // if asked for
}

// DeliveryQuery lists deliveries of an endpoint or of a message, by message id
// (of an endpoint) or endpoint id (of a message).
type DeliveryQuery struct {
	Page
	App        id.ID
	Message    id.ID // exactly one of Message and Endpoint is set
	Endpoint   id.ID
	Since      id.ID // bounds of message ids
	Until      id.ID
	States     []delivery.State // nil = all
	EventTypes []string
	Channel    string
	Tag        string
	Content    bool
}

// DeliveryRow is a delivery with its message (for lists of an endpoint).
type DeliveryRow struct {
	delivery.Delivery
	Message *Message
}

// ObjectQuery asks for resources of live state by their place in the list of all.
type ObjectQuery struct {
	App    id.ID
	Kind   live.Kind
	Parent string // what they hang on
	// Event leaves those that are associated with this event, by their ids; "" = all, in
	// the order in which they were made. What is associated hangs on nothing, and all rows
	// of its kind are resources.
	Event string
	// Association is what the ids of their rows of kind live.Association begin with.
	Association   string
	Offset, Limit int
}

// Associations is the range of the ids of the rows by which resources are associated:
// from what they begin with, behind which the resource's own id stands, up to the first text
// behind all of them. Both are of ASCII.
func (q *ObjectQuery) Associations() (from, to string) {
	last := len(q.Association) - 1
	return q.Association, q.Association[:last] + string(rune(q.Association[last]+1))
}

// Listed is one page of rows. A filter that matches little may end a page early:
// Next is then set though fewer rows than asked for came.
type Listed[T any] struct {
	Rows []T
	// Done says that no rows follow in this direction.
	Done bool
	// Next is where the following page begins (exclusive): the last row that was
	// looked at, 0 if none was.
	Next id.ID
}

// Counts are an endpoint's deliveries by state.
type Counts map[delivery.State]int64

// LaneRoom asks a claim for up to Room due deliveries of an endpoint.
type LaneRoom struct {
	Endpoint id.ID
	Room     int
}

// Claimed is what a claim gives for one endpoint.
type Claimed struct {
	Endpoint id.ID
	Rows     []delivery.Delivery // state Leased, generation raised, in order of due time
	// Behind says that more due rows than these are left.
	Behind bool
	// NextDue is when the next unleased row is due if none is left now; zero = none.
	NextDue time.Time
}

// LaneDue says when an endpoint's first pending delivery is due.
type LaneDue struct {
	App      id.ID
	Endpoint id.ID
	Due      time.Time
}

// News is what others did to a store that several processes write to.
type News struct {
	// Due are endpoints with pending deliveries.
	Due []LaneDue
	// Endpoints and Apps have changed, or all of them if Everything.
	Endpoints  []id.ID
	Apps       []id.ID
	Everything bool
}
