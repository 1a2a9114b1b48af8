// Package ingest is where every door enters: the REST API, sources and timers
// hand in what was asked for, ingest checks it and submits it to the committer as
// a unit. It knows nothing of dispatch: the two meet in rows.
//
// Checks that need no state (names, sizes, URLs) run before a unit is made, so
// that bad input never waits for the writer. Checks that need state run inside
// the unit's decision, where what they see is what the commit is based on.
package ingest

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/callboard/callboard/internal/commit"
	"github.com/callboard/callboard/internal/delivery"
	"github.com/callboard/callboard/internal/dialect"
	"github.com/callboard/callboard/internal/errs"
	"github.com/callboard/callboard/internal/id"
	"github.com/callboard/callboard/internal/live"
	"github.com/callboard/callboard/internal/netguard"
	"github.com/callboard/callboard/internal/store"
)

// KeyLife is how long an Idempotency-Key is remembered.
const KeyLife = 12 * time.Hour

// Submitter commits units; *commit.Committer is the one outside of tests.
type Submitter interface {
	Submit(ctx context.Context, u *commit.Unit) (commit.Result, error)
	// SubmitAll commits units that are decided in their order; each fails alone.
	SubmitAll(ctx context.Context, units []*commit.Unit) []commit.Answer
}

// Store resolves names before a unit is made; what it says is checked again in
// the unit. Its methods return store.ErrNotFound for what is not in the scope.
type Store interface {
	App(ctx context.Context, org string, ref store.Ref) (store.App, error)
	AppEndpoint(ctx context.Context, app id.ID, ref store.Ref) (delivery.Endpoint, error)
	Message(ctx context.Context, app id.ID, ref store.Ref) (store.Message, error)
	Attempt(ctx context.Context, app, message, attempt id.ID) (store.AttemptRow, error)
	// Object gives a row of live state.
	Object(ctx context.Context, k live.Key) (live.Row, error)
	// Objects lists resources of live state by Seq.
	Objects(ctx context.Context, app id.ID, kind live.Kind, parent string, p store.Page) (store.Listed[live.Row], error)
	// ObjectRange gives rows of live state in the order of their keys.
	ObjectRange(ctx context.Context, r live.Range) ([]live.Row, error)
	// Source gives a source; one that is deleted is not found.
	Source(ctx context.Context, source id.ID) (store.Source, error)
	// ReceivedOne gives a request that came in at a source, with its body if that is kept.
	ReceivedOne(ctx context.Context, app, source, received id.ID) (store.Received, error)
}

// Config is what a Service is made of.
type Config struct {
	Submitter Submitter       // required
	Store     Store           // required
	Dialects  dialect.Set     // required: at least native
	Guard     *netguard.Guard // required
	// Catalog has the event types that Callboard knows by itself; nil = none.
	Catalog Catalog
	// Codec writes the ids by which apps without a uid are called in messages of the
	// catalogue; required with a Catalog.
	Codec *id.Codec
	// Local reports whether requests to a URL never leave the process, so that the
	// guard has no say; nil = none are such.
	Local func(url string) bool
	// Retention is how long messages are kept; default 90 days.
	Retention time.Duration
}

// Service is the way in. It is safe for concurrent use.
type Service struct {
	cfg     Config
	lexicon Lexicon
	perApp  dialect.Dialect // the one whose secrets are the apps'; nil = there is none

	lastSettings atomic.Pointer[orgSettings]
	lastOrg      atomic.Pointer[appOrg]
}

// New makes a Service.
func New(cfg Config) (*Service, error) {
	if cfg.Submitter == nil || cfg.Store == nil || cfg.Guard == nil {
		return nil, errors.New("ingest: Config.Submitter, Store and Guard are required")
	}
	if _, ok := cfg.Dialects.Get(dialect.Native); !ok {
		return nil, errors.New("ingest: Config.Dialects lacks native")
	}
	if cfg.Catalog != nil && cfg.Codec == nil {
		return nil, errors.New("ingest: Config.Codec is required with a Catalog")
	}
	if cfg.Retention == 0 {
		cfg.Retention = 90 * 24 * time.Hour
	}
	s := &Service{cfg: cfg, lexicon: Lexicon{cfg.Catalog, cfg.Dialects}}
	for _, name := range cfg.Dialects.Names() {
		if d, _ := cfg.Dialects.Get(name); d.Secrets().PerApp {
			s.perApp = d
			break
		}
	}
	return s, nil
}

// submit commits a unit of work under a caller's key.
func (s *Service) submit(ctx context.Context, owner string, key Key, u *commit.Unit) (Result, error) {
	u.Seen = key.seen(owner, time.Now())
	r, err := s.cfg.Submitter.Submit(ctx, u)
	return Result{ID: r.ID, Replayed: r.Replayed}, err
}

// seen is the dedupe entry of a key; the zero entry if there is none. owner is
// the org or app that the key belongs to.
func (k Key) seen(owner string, now time.Time) store.Seen {
	if k.Value == "" {
		return store.Seen{}
	}
	named := make([]byte, 0, 512)
	for _, part := range [...]string{owner, k.Scope, k.Value} {
		named = binary.BigEndian.AppendUint32(named, uint32(len(part)))
		named = append(named, part...)
	}
	hash, body := sha256.Sum256(named), sha256.Sum256(k.Body)
	return store.Seen{
		Hash:    store.Hash16(hash[:]),
		Body:    store.Hash16(body[:]),
		Expires: now.Add(KeyLife),
	}
}

// owner names an app for Key.seen.
func owner(ref AppRef) string {
	return ref.Org + "/" + strconv.FormatInt(int64(ref.ID), 10) + "/" + ref.UID
}

// findApp resolves an app that must be known by id before its unit is made. An id
// is taken as it is: that the app is the caller's is for the unit to check.
func (s *Service) findApp(ctx context.Context, ref AppRef) (id.ID, error) {
	if ref.ID != 0 {
		return ref.ID, nil
	}
	app, err := s.cfg.Store.App(ctx, ref.Org, ref.Ref)
	return app.ID, missing(err)
}

// missing turns a store's absent row into a 404.
func missing(err error) error {
	if errors.Is(err, store.ErrNotFound) {
		return errs.Missing()
	}
	return err
}

// problems collects the wrong fields of a request.
type problems []errs.Field

func (p *problems) add(msg string, loc ...string) {
	*p = append(*p, errs.Field{Loc: append([]string{"body"}, loc...), Msg: msg})
}

// err is the 422 that names every wrong field, nil if there is none.
func (p problems) err() error {
	if len(p) == 0 {
		return nil
	}
	return &errs.Error{Kind: errs.Invalid, Fields: p}
}

// conflict is the 409 for a name that is taken.
func conflict(detail string) error {
	return &errs.Error{Kind: errs.Conflict, Code: "conflict", Detail: detail}
}

// word reports whether text is 1..limit characters out of [A-Za-z0-9_.-].
func word(text string, limit int) bool {
	if text == "" || len(text) > limit {
		return false
	}
	return strings.IndexFunc(text, func(r rune) bool {
		letter := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z'
		return !letter && (r < '0' || r > '9') && r != '_' && r != '.' && r != '-'
	}) < 0
}

// Limits of what a request may hold, in characters or items. Those of uids,
// types, channels and tags are Svix's; the others keep one row small.
const (
	maxWord       = 256
	maxText       = 4096
	maxURL        = 2048
	maxHeaders    = 50
	maxHeaderSize = 4096
	maxMetadata   = 16 << 10 // bytes of all keys and values
	maxFilter     = 1000
	maxChannels   = 10
	maxSchedule   = 50
	maxThrottle   = 1_000_000
)

// checkUID says what is wrong with a uid that an owner chose.
func checkUID(uid string, kind id.Kind, p *problems) {
	if uid == "" {
		return
	}
	if !word(uid, maxWord) {
		p.add("must be 1 to 256 characters of A-Z a-z 0-9 - _ .", "uid")
	} else if strings.HasPrefix(uid, kind.Prefix()) {
		p.add("must not begin with the prefix of ids, "+kind.Prefix(), "uid")
	}
}

func checkMetadata(metadata map[string]string, p *problems) {
	size := 0
	for k, v := range metadata {
		size += len(k) + len(v)
	}
	if size > maxMetadata {
		p.add("is larger than 16 KiB", "metadata")
	}
}

func checkThrottle(rate int, p *problems) {
	if rate < 0 || rate > maxThrottle {
		p.add("must be between 1 and 1000000 per second", "throttleRate")
	}
}
