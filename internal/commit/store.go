package commit

import (
	"context"
	"time"

	"github.com/callboard/callboard/internal/delivery"
	"github.com/callboard/callboard/internal/id"
	"github.com/callboard/callboard/internal/live"
	"github.com/callboard/callboard/internal/store"
)

// Store is the write side of a store. One committer uses it from one goroutine.
type Store interface {
	// Update runs fn in one write transaction and commits it. If fn fails the
	// transaction is rolled back, leaves nothing, and fn's error is returned as it
	// is. Errors of the commit itself wrap store.ErrUnavailable where a later try
	// can succeed, store.ErrLost where the process must end. An error may mean
	// that the outcome is unknown; dedupe makes a repetition harmless.
	Update(ctx context.Context, fn func(Tx) error) error
	// LastID is the largest id that the store holds of a node, 0 for none.
	LastID(ctx context.Context, node int) (id.ID, error)
}

// Tx is a write transaction. Reads see what the transaction wrote. Apps, deliveries,
// endpoint health, tasks, sources and live state that are read here stay as they are until its
// end; they are locked in the order of the fields of Keys, and of ids within one. What
// is not there cannot be locked: another node may create it meanwhile.
type Tx interface {
	// TakeSeen returns the entries of keys that are taken by finished work, in any
	// order. Every key that it does not return must come back in Changes.Seen or
	// Changes.Unseen. Of two transactions that take a key at once, on two nodes, one
	// fails with ErrConflict. It is called again, after all other reads, with the keys
	// of units that were refused: by then their twins may have ended.
	TakeSeen(ctx context.Context, keys []store.Seen) ([]store.Seen, error)
	// LockConfig makes transactions that change apps, endpoints, sources, event types or
	// settings follow each other. It is called before anything of that is read.
	LockConfig(ctx context.Context) error
	// Versions gives App.ConfigVersion by app; unknown and deleted apps are left out.
	Versions(ctx context.Context, apps []id.ID) (map[id.ID]int64, error)
	// AppConfigs loads apps with their endpoints; what does not exist, is deleted
	// or belongs to another org is left out.
	AppConfigs(ctx context.Context, refs []AppRef) ([]store.AppConfig, error)
	// Settings loads the settings of orgs; orgs without a row are left out, and so are
	// those whose UpdatedAt is that in known, since they have not changed.
	Settings(ctx context.Context, orgs []string, known map[string]time.Time) ([]store.OrgSettings, error)
	// EventTypes loads declared types by org and name, archived ones included.
	EventTypes(ctx context.Context, keys []TypeKey) ([]store.EventType, error)
	// EventIDs finds the living messages that carry an eventId.
	EventIDs(ctx context.Context, keys []EventKey) (map[EventKey]id.ID, error)
	// Messages loads messages with their payloads.
	Messages(ctx context.Context, ids []id.ID) ([]store.Message, error)
	// Deliveries loads deliveries; leased ones show as Leased, with the generation
	// of the lease.
	Deliveries(ctx context.Context, keys []delivery.Key) ([]delivery.Delivery, error)
	// Healths loads the health rows of failing endpoints.
	Healths(ctx context.Context, endpoints []id.ID) ([]store.Health, error)
	// Tasks loads background tasks.
	Tasks(ctx context.Context, ids []id.ID) ([]store.Task, error)
	// Sources loads sources; those that are deleted are left out.
	Sources(ctx context.Context, ids []id.ID) ([]store.Source, error)
	// Objects loads rows of live state, in any order; absent ones are left out.
	Objects(ctx context.Context, keys []live.Key) ([]live.Row, error)
	// ObjectRange loads rows of live state in the order of their keys. Another node may
	// add rows to the range until the transaction ends, unless both lock one row before,
	// such as the range's parent.
	ObjectRange(ctx context.Context, r live.Range) ([]live.Row, error)
	// Apply writes the changes of a batch, several rows per statement. No
	// statement fails on data that the committer's checks let through.
	Apply(ctx context.Context, c *store.Changes) error
}

// AppRef names an app within an org. An empty Org means any org, for units of the
// engine itself, which hold ids from the store; ID is then set.
type AppRef struct {
	Org string
	store.Ref
}

// TypeKey names an event type.
type TypeKey struct{ Org, Name string }

// EventKey names a message by the eventId that its sender gave it.
type EventKey struct {
	App  id.ID
	Hash store.Hash16
}

// Keys are the rows that a unit's decision reads.
type Keys struct {
	// ChangesConfig says that the unit is about to change apps, endpoints, sources, event types
	// or settings. Units that happen to (an endpoint is disabled by what it answers)
	// need not say so.
	ChangesConfig bool

	Apps       []AppRef
	Orgs       []string
	EventTypes []TypeKey
	EventIDs   []EventKey
	Messages   []id.ID
	Deliveries []delivery.Key
	Healths    []id.ID
	Tasks      []id.ID
	Sources    []id.ID
	Objects    []live.Key
	// Ranges give what is there when the batch begins. A unit with one waits for the next
	// batch if a unit before it names objects of the same kind below the same parent.
	Ranges []live.Range
}

// add appends the keys of one more unit.
func (k *Keys) add(o *Keys) {
	k.ChangesConfig = k.ChangesConfig || o.ChangesConfig
	k.Apps = append(k.Apps, o.Apps...)
	k.Orgs = append(k.Orgs, o.Orgs...)
	k.EventTypes = append(k.EventTypes, o.EventTypes...)
	k.EventIDs = append(k.EventIDs, o.EventIDs...)
	k.Messages = append(k.Messages, o.Messages...)
	k.Deliveries = append(k.Deliveries, o.Deliveries...)
	k.Healths = append(k.Healths, o.Healths...)
	k.Tasks = append(k.Tasks, o.Tasks...)
	k.Sources = append(k.Sources, o.Sources...)
	k.Objects = append(k.Objects, o.Objects...)
	k.Ranges = append(k.Ranges, o.Ranges...)
}
