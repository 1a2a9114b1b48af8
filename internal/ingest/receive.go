package ingest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/callboard/callboard/internal/commit"
	"github.com/callboard/callboard/internal/dialect"
	"github.com/callboard/callboard/internal/errs"
	"github.com/callboard/callboard/internal/id"
	"github.com/callboard/callboard/internal/live"
	"github.com/callboard/callboard/internal/store"
)

// InboundLife is how long the ids by which vendors know their webhooks are remembered.
const InboundLife = 7 * 24 * time.Hour

// Inbound is a vendor's webhook that came in at a source: proven, and read.
type Inbound struct {
	Source   store.Source
	Activity dialect.Activity
	Observed dialect.Observed // what the vendor's webhooks can prove
	Raw      []byte           // the request's body
	Doc      ReceivedDoc      // what is known of the request; its VendorID and Type are set here
	// Again takes the webhook in even if its id was taken before: whoever asks for it
	// wants one more message, under Key only one.
	Again bool
	Key   Key
}

// ReceivedDoc is what is kept of a request beside its body, see store.Received.
type ReceivedDoc struct {
	VendorID  string              `json:"vendorId,omitempty"` // the vendor's own id of the webhook, shortened
	Type      string              `json:"type,omitempty"`     // of the message that it became, or would have become
	Headers   map[string][]string `json:"headers,omitempty"`  // those that may be shown
	Why       string              `json:"why,omitempty"`      // it is not proven, or not readable
	Hint      string              `json:"hint,omitempty"`     // what would have made it valid
	Note      string              `json:"note,omitempty"`     // what of it did not fit
	SizeBytes int                 `json:"sizeBytes"`          // of the body
	Verified  bool                `json:"verified"`
}

// JSON is the document as it is stored.
func (d *ReceivedDoc) JSON() []byte {
	doc, err := json.Marshal(d)
	if err != nil {
		panic(err) // texts, a number and a bool
	}
	return doc
}

// Received is what became of a webhook.
type Received struct {
	ID      id.ID  // of the received request; 0 for a duplicate
	Message id.ID  // that it became
	Note    string // what of it did not fit
	// Duplicate: a webhook with this id came before, and Message is what that one became.
	Duplicate bool
}

// Receive commits a vendor's webhook: exactly one message with its raw bytes, whatever
// live state says, live state as far as it fits, and the record of the request. When it
// returns all of it is on disk. A webhook whose id was taken within seven days leaves
// nothing. Its error wraps dialect.ErrUnreadable if no message can be made of it, is
// ErrSourceChanged if the source is not the given one any more, and a 404 if the source or
// its app is gone by now.
func (s *Service) Receive(ctx context.Context, in Inbound) (Received, error) {
	c, err := s.draftReceived(ctx, in)
	if err != nil {
		return Received{}, err
	}
	r, err := s.cfg.Submitter.Submit(ctx, c.unit)
	switch {
	case err != nil:
		return Received{}, err
	case r.Replayed:
		return Received{Message: r.ID, Duplicate: true}, nil
	}
	return c.result, nil
}

// Refuse keeps a request that became no message. Of those whose status is Refused only the
// newest stay; how many are kept in the first place is for the caller to bound. One that was
// proven and cannot be read is kept once, however often it comes in 7 days.
func (s *Service) Refuse(ctx context.Context, r store.Received) (id.ID, error) {
	u := &commit.Unit{
		Keys: commit.Keys{Sources: []id.ID{r.Source}},
		Size: len(r.Doc) + len(r.Body) + rowBytes,
		Decide: func(v *commit.View) (id.ID, error) {
			source, ok := v.Source(r.Source)
			if !ok {
				return 0, errs.Missing()
			}
			row := r
			row.ID, row.App = v.NextID(), source.App
			v.AddReceived(row)
			if row.Status == store.Refused {
				v.TrimReceived(row.Source)
			}
			return row.ID, nil
		},
	}
	if r.Status == store.Unreadable { // a vendor tries each of those for days
		u.Seen = inboundSeen(r.Source, "unreadable", dialect.HashID(r.Body), time.Now())
	}
	result, err := s.cfg.Submitter.Submit(ctx, u)
	return result.ID, err
}

// receipt is a webhook on its way.
type receipt struct {
	Inbound
	app      AppRef
	activity live.Activity
	// request is what live state takes; nil = nothing. unfit is why not, if there is something
	// to say.
	request *live.Request
	unfit   error
	misfit  bool // the payload does not fit the catalogue's schema of its type
	unit    *commit.Unit
	result  Received // of the last run of the decision; to be read once the unit has ended well
}

// ErrSourceChanged answers a webhook that was proven and read by a source that is not as
// it was: what it demands may be something else by now.
var ErrSourceChanged error = &errs.Error{Kind: errs.Unavailable, Detail: "The source was changed meanwhile; send it again"}

// draftReceived does all that needs no state, and makes the unit.
func (s *Service) draftReceived(ctx context.Context, in Inbound) (*receipt, error) {
	now := time.Now()
	if !word(in.Activity.Type, maxWord) {
		return nil, fmt.Errorf("%w: its event type is no word of A-Z a-z 0-9 - _ and the full stop, at most 256 long", dialect.ErrUnreadable)
	}
	f := frameOf(&in.Activity, now)
	c := &receipt{Inbound: in, app: byID(in.Source.Org, in.Source.App)}
	if f.isNative {
		event, err := s.numberedEvent(ctx, in.Source.Org, in.Source.App, f.told.eventNumber())
		if err != nil {
			return nil, err
		}
		f.name(&in.Activity, event)
		c.activity, c.Activity = f.activity(&in), in.Activity
	}
	misfits, err := s.misfits(&in.Activity)
	if err != nil {
		return nil, err
	}
	c.misfit = len(misfits) > 0
	c.unit = &commit.Unit{
		Keys:   s.voiceKeys(c.app, []string{in.Activity.Type}),
		Decide: func(v *commit.View) (id.ID, error) { return s.decideReceived(v, c) },
	}
	c.unit.Keys.Sources = []id.ID{in.Source.ID}
	c.unit.Keys.Objects = c.liveKeys()
	c.unit.Size = len(in.Raw) + len(in.Activity.Payload) + len(f.data) + rowBytes*(2+len(c.unit.Keys.Objects))
	if in.Again {
		c.unit.Seen = in.Key.seen(owner(c.app), now)
	} else {
		c.unit.Seen = inboundSeen(in.Source.ID, in.Activity.Type, in.Activity.ID, now)
	}
	return c, nil
}

// inboundSeen is the dedupe entry of a vendor's id, of which each type has its own: Zuddl's
// documented examples of two actions have one. The body has no part in it: what comes again
// under an id is a repetition, whatever was added to it on the way.
func inboundSeen(source id.ID, eventType, vendorID string, now time.Time) store.Seen {
	value := vendorID
	if value != "" {
		value = eventType + " " + vendorID
	}
	seen := Key{Scope: "inbound", Value: value}.seen(owner(AppRef{Ref: store.Ref{ID: source}}), now)
	if vendorID != "" {
		seen.Expires = now.Add(InboundLife)
	}
	return seen
}

// misfits are what of a payload does not fit its type's schema, if the lexicon knows that.
func (s *Service) misfits(a *dialect.Activity) ([]errs.Field, error) {
	if !s.lexicon.Knows(a.Type) {
		return nil, nil
	}
	return s.lexicon.check(a.Type, a.Payload)
}

// liveKeys are the rows of live state that the webhook is about. Where there are none,
// because live state does not know the type or cannot read the data, that is noted.
func (c *receipt) liveKeys() []live.Key {
	if c.activity.Type == "" || !live.Knows(c.activity.Type) {
		return nil
	}
	request, err := live.Read(c.app.ID, c.app.Org, &c.activity)
	if err != nil {
		c.unfit = err
		return nil
	}
	c.request = request
	return request.Keys()
}

// decideReceived writes the message, what became of live state, and the record.
func (s *Service) decideReceived(v *commit.View, c *receipt) (id.ID, error) {
	c.result = Received{}
	source, ok := v.Source(c.Source.ID)
	cfg, found := v.App(c.app)
	switch {
	case !ok || !found:
		return 0, errs.Missing()
	case !source.UpdatedAt.Equal(c.Source.UpdatedAt):
		return 0, ErrSourceChanged
	}
	out, unfit, err := c.apply(v)
	if err != nil {
		return 0, err
	}
	about := home{}
	if !c.misfit {
		if about, err = s.homeOf(v, &cfg.App, c.unit, c.Activity.Type); err != nil {
			return 0, err
		}
	}
	putLive(v, &out, subject{})
	message := s.fanOut(v, cfg, store.Message{
		Type: c.Activity.Type, Tenant: about.tenant, ResourceBase: about.base, Channels: source.Channels,
		Payload: c.Activity.Payload, From: source.Dialect, Raw: c.Raw,
	}, 0, 0)
	doc := c.doc(unfit)
	c.result = Received{ID: v.NextID(), Message: message, Note: doc.Note}
	v.AddReceived(store.Received{
		ID: c.result.ID, App: cfg.App.ID, Source: source.ID, Status: store.Accepted, Message: message, Doc: doc.JSON(),
	})
	return message, nil
}

// apply asks live state what follows. Nothing keeps a webhook out: what live state cannot
// take is what it says of it.
func (c *receipt) apply(v *commit.View) (out live.Outcome, unfit error, err error) {
	if c.request == nil {
		return live.Outcome{}, c.unfit, nil
	}
	out, err = c.request.Apply(objects{v}, v.Now())
	if refusal, refused := errors.AsType[*live.Refusal](err); refused {
		return live.Outcome{}, refusal, nil
	}
	if err == nil && out.Note != nil {
		unfit = out.Note
	}
	return out, unfit, err
}

// doc is what is kept of the request.
func (c *receipt) doc(unfit error) ReceivedDoc {
	doc := c.Doc
	doc.VendorID, doc.Type = shortened(c.Activity.ID), c.Activity.Type
	if unfit != nil {
		doc.Note = join(doc.Note, "live state: "+unfit.Error())
	}
	if c.misfit {
		doc.Note = join(doc.Note, "the payload does not fit the catalogue's schema of its type: only native endpoints and those of the vendor's own dialect hear it")
	}
	return doc
}

// join puts one more sentence behind a note.
func join(note, more string) string {
	if note == "" {
		return more
	}
	return note + "; " + more
}
