package transfer

import (
	"github.com/callboard/callboard/internal/delivery"
	"github.com/callboard/callboard/internal/live"
	"github.com/callboard/callboard/internal/store"
)

// Table is a kind of rows, under the name that its table has in a target. The names
// are stored with the progress of a copy.
type Table string

// The kinds of rows.
const (
	Orgs       Table = "org"
	EventTypes Table = "event_type"
	Apps       Table = "app"
	Endpoints  Table = "endpoint"
	URLs       Table = "endpoint_url"
	Healths    Table = "endpoint_health"
	Tasks      Table = "task"
	Objects    Table = "object"
	Sources    Table = "source"
	Seen       Table = "seen"
	Messages   Table = "message"
	Deliveries Table = "delivery"
	Attempts   Table = "attempt"
	Received   Table = "received"
	Traffic    Table = "traffic"
)

// Tables lists all kinds in the order in which they are copied: what others hang on
// comes first.
func Tables() []Table {
	return []Table{Orgs, EventTypes, Apps, Endpoints, URLs, Healths, Tasks, Objects, Sources, Seen, Messages, Deliveries, Attempts, Received, Traffic}
}

// Rows are rows as a target takes them. Nothing is left out of them: deleted apps,
// endpoints and sources, payloads and responses are there. No delivery is leased.
type Rows struct {
	Orgs       []store.OrgSettings
	EventTypes []store.EventType
	Apps       []store.App
	Endpoints  []delivery.Endpoint
	URLs       []store.EndpointURL
	Healths    []store.Health
	Tasks      []store.Task
	Objects    []live.Row
	Sources    []store.Source
	Seen       []store.Seen
	Messages   []store.Message
	Deliveries []delivery.Delivery
	Attempts   []delivery.Attempt
	Received   []store.Received
	Traffic    []store.Traffic
}

// Len is how many rows there are.
func (r *Rows) Len() int {
	return len(r.Orgs) + len(r.EventTypes) + len(r.Apps) + len(r.Endpoints) + len(r.URLs) + len(r.Healths) +
		len(r.Tasks) + len(r.Objects) + len(r.Sources) + len(r.Seen) + len(r.Messages) + len(r.Deliveries) + len(r.Attempts) + len(r.Received) + len(r.Traffic)
}

// Page is one chunk of rows of one table.
type Page struct {
	Rows
	// Next is the place after the last row, as the source names places: key columns in
	// text. It is nil if there are no rows.
	Next []string
}

// PageBytes is about how much a page may hold, whatever the number of rows: payloads
// are up to a mebibyte each.
const PageBytes = 8 << 20
