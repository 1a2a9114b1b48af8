package ingest

import (
	"bytes"
	"context"
	"encoding/json"
	"strings"
	"time"

	"github.com/callboard/callboard/internal/commit"
	"github.com/callboard/callboard/internal/delivery"
	"github.com/callboard/callboard/internal/dialect"
	"github.com/callboard/callboard/internal/dialect/shape"
	"github.com/callboard/callboard/internal/errs"
	"github.com/callboard/callboard/internal/id"
	"github.com/callboard/callboard/internal/settings"
	"github.com/callboard/callboard/internal/store"
)

// Bounds of a message.
const (
	maxMessageChannels = 5
	maxTags            = 8
	maxOrderKey        = 128
	// rowBytes is about what a message and its deliveries write beside the payload.
	rowBytes = 256
)

// PostMessage commits a message with a delivery for every endpoint that hears
// it. When it returns the message is on disk. A repeated eventId is a conflict.
func (s *Service) PostMessage(ctx context.Context, app AppRef, key Key, m Message) (Result, error) {
	d, err := s.draft(m)
	if err != nil {
		return Result{}, err
	}
	u := &commit.Unit{Keys: d.keys(app), Size: len(d.Payload) + rowBytes}
	var event commit.EventKey
	if d.EventID != "" {
		appID, err := s.findApp(ctx, app)
		if err != nil {
			return Result{}, err
		}
		event = commit.EventKey{App: appID, Hash: store.HashText(d.EventID)}
		u.Keys.EventIDs = []commit.EventKey{event}
	}
	u.Decide = func(v *commit.View) (id.ID, error) {
		cfg, ok := v.App(app)
		if !ok {
			return 0, errs.Missing()
		}
		if _, taken := v.EventID(event); taken && d.EventID != "" {
			return 0, conflict("A message with this eventId exists")
		}
		row, err := s.place(v, &cfg.App, d)
		if err != nil {
			return 0, err
		}
		row.EventHash = event.Hash
		return s.fanOut(v, cfg, row, 0, d.Deadline), nil
	}
	return s.submitDraft(ctx, app, key, d, u)
}

// draft is a message that was checked as far as that needs no state.
type draft struct {
	Message
	// known says that the lexicon has the type: whether the message is the catalogue's
	// hangs on the org, and is decided in the unit.
	known bool
	// misfits are what of the payload does not fit the type, if it is known.
	misfits []errs.Field
	// warned says that the message was accepted in spite of them. It is the unit's to
	// write, and to be read once that has ended.
	warned bool
}

// draft checks a message. Its payload is compared with the schema here, before there is
// a unit, so that the writer never waits for that; most types are not known, and then
// nothing is compared.
func (s *Service) draft(m Message) (*draft, error) {
	if err := s.checkMessage(&m, time.Now()); err != nil {
		return nil, err
	}
	d := &draft{Message: m, known: s.lexicon.Knows(m.EventType)}
	if !d.known {
		return d, nil
	}
	misfits, err := s.lexicon.check(m.EventType, m.Payload)
	for i := range misfits {
		misfits[i].Loc = append([]string{"body", "payload"}, misfits[i].Loc...)
	}
	d.misfits = misfits
	return d, err
}

// keys are what the message's decision reads. What an org says about the catalogue is
// loaded for types that the lexicon knows alone.
func (d *draft) keys(app AppRef) commit.Keys {
	keys := commit.Keys{Apps: []AppRef{app}}
	if d.known {
		keys.Orgs = []string{app.Org}
		keys.EventTypes = []commit.TypeKey{{Org: app.Org, Name: d.EventType}}
	}
	return keys
}

// place decides whose the message is, and refuses one of the catalogue whose payload
// does not fit, where the org is strict. It gives the row without id and app.
func (s *Service) place(v *commit.View, app *store.App, d *draft) (store.Message, error) {
	out := row(&d.Message, v.Now())
	d.warned = false
	if !d.known {
		return out, nil
	}
	held, err := s.settings(v, app.Org)
	if err != nil {
		return out, err
	}
	own, declared := v.EventType(commit.TypeKey{Org: app.Org, Name: d.EventType})
	if !s.lexicon.Governs(d.EventType, pointer(own, declared), &held) {
		return out, nil
	}
	if len(d.misfits) > 0 && held.SchemaValidation != settings.Warn {
		return out, &errs.Error{Kind: errs.Invalid, Fields: d.misfits}
	}
	d.warned = len(d.misfits) > 0
	out.Tenant, out.ResourceBase = s.tenant(app), held.Base(app.ResourceURLBase)
	return out, nil
}

// pointer is v, if it was found.
func pointer[T any](v T, found bool) *T {
	if !found {
		return nil
	}
	return &v
}

// tenant is what an app is called in the vendors' ids of organizations.
func (s *Service) tenant(app *store.App) string {
	if app.UID != "" {
		return app.UID
	}
	return s.cfg.Codec.Encode(id.App, app.ID)
}

// submitDraft commits a message. A repetition gets the warnings of the first answer: the
// body is the same, and what is stored tells whose the message was.
func (s *Service) submitDraft(ctx context.Context, app AppRef, key Key, d *draft, u *commit.Unit) (Result, error) {
	r, err := s.submit(ctx, owner(app), key, u)
	if err != nil || len(d.misfits) == 0 {
		return r, err
	}
	warned := d.warned
	if r.Replayed {
		m, err := s.findMessage(ctx, app, store.Ref{ID: r.ID})
		if err != nil {
			return r, err
		}
		warned = m.Tenant != ""
	}
	if warned {
		r.Warnings = d.misfits
	}
	return r, nil
}

// row is the message as it is stored; its id and app come with fanOut.
func row(m *Message, now time.Time) store.Message {
	out := store.Message{
		Type:      m.EventType,
		EventID:   m.EventID,
		Channels:  m.Channels,
		Tags:      m.Tags,
		OrderKey:  m.OrderKey,
		DeliverAt: m.DeliverAt,
		Payload:   m.Payload,
	}
	if m.Retention != 0 {
		out.PayloadExpires = now.Add(m.Retention)
	}
	return out
}

// fanOut writes a message and its deliveries: to every endpoint that hears it,
// or to one endpoint alone.
func (s *Service) fanOut(v *commit.View, cfg *store.AppConfig, m store.Message, only id.ID, deadline time.Duration) id.ID {
	m.ID, m.App = v.NextID(), cfg.App.ID
	v.AddMessage(m)
	kind, from, ofCatalog := m.Type, m.From, m.Tenant != ""
	planned := delivery.Plan(delivery.Subject{
		Message:   m.ID,
		App:       m.App,
		Type:      m.Type,
		Channels:  m.Channels,
		Time:      v.Now(),
		DeliverAt: m.DeliverAt,
		Deadline:  deadline,
		OrderKey:  m.OrderKey,
		Only:      only,
	}, cfg.Endpoints, func(ep *delivery.Endpoint) bool {
		return asItCame(ep, from) || s.lexicon.Says(ep, kind, ofCatalog)
	})
	for _, d := range planned {
		v.AddDelivery(d, len(m.Payload)+len(m.Raw))
	}
	return m.ID
}

// says reports whether an endpoint's dialect can say a message, which is the
// catalogue's if it names a tenant.
func (s *Service) says(ep *delivery.Endpoint, m *store.Message) bool {
	return asItCame(ep, m.From) || s.lexicon.Says(ep, m.Type, m.Tenant != "")
}

// asItCame reports whether a message that came in at a source goes to an endpoint byte for
// byte: in the vendor's own dialect it can be said whatever its type, and whether or not
// the org is offered that.
func asItCame(ep *delivery.Endpoint, from string) bool { return from != "" && from == ep.Dialect }

// SendExample commits a test message for one endpoint alone, whatever it
// subscribed to. It is the catalogue's or the org's own as any other message is.
func (s *Service) SendExample(ctx context.Context, app AppRef, endpoint store.Ref, key Key, eventType string, payload []byte) (Result, error) {
	d, err := s.draft(Message{EventType: eventType, Payload: payload})
	if err != nil {
		return Result{}, err
	}
	return s.submitDraft(ctx, app, key, d, &commit.Unit{
		Keys: d.keys(app),
		Size: len(payload) + rowBytes,
		Decide: func(v *commit.View) (id.ID, error) {
			cfg, ep, err := endpointOf(v, app, endpoint)
			if err != nil {
				return 0, err
			}
			if ep.Disabled {
				return 0, conflict("The endpoint is disabled")
			}
			example, err := s.place(v, &cfg.App, d)
			if err != nil {
				return 0, err
			}
			if !s.says(ep, &example) {
				return 0, errs.InvalidField(errCannotSay, "body", "eventType")
			}
			example.Test = true
			return s.fanOut(v, cfg, example, ep.ID, 0), nil
		},
	})
}

// RawExample is a test message whose body is sent as it is.
type RawExample struct {
	EventType string
	Dialect   string // the endpoint's, as whoever wrote the body took it to be
	Body      []byte // a JSON object
}

// SendRawExample commits a test message for one endpoint alone, whose body goes out byte for
// byte in the endpoint's dialect. No schema is asked: a body that is wrong may be what is to be
// tried out. Its payload, which the message shows and which goes out should the endpoint
// change its dialect, is what the dialect reads in the body.
func (s *Service) SendRawExample(ctx context.Context, app AppRef, endpoint store.Ref, key Key, raw RawExample) (Result, error) {
	payload, err := s.readExample(&raw)
	if err != nil {
		return Result{}, err
	}
	m := Message{EventType: raw.EventType, Payload: payload}
	if err := s.checkMessage(&m, time.Now()); err != nil {
		return Result{}, err
	}
	d := &draft{Message: m, known: s.lexicon.Knows(m.EventType)}
	return s.submit(ctx, owner(app), key, &commit.Unit{
		Keys: d.keys(app),
		Size: len(payload) + len(raw.Body) + rowBytes,
		Decide: func(v *commit.View) (id.ID, error) {
			cfg, ep, err := endpointOf(v, app, endpoint)
			if err != nil {
				return 0, err
			}
			if ep.Disabled {
				return 0, conflict("The endpoint is disabled")
			}
			if dialectName(ep) != raw.Dialect {
				return 0, conflict("The endpoint's dialect has been changed")
			}
			example, err := s.place(v, &cfg.App, d)
			if err != nil {
				return 0, err
			}
			if !s.says(ep, &example) {
				return 0, errs.InvalidField(errCannotSay, "body", "eventType")
			}
			example.Test = true
			if raw.Dialect != dialect.Native {
				example.From, example.Raw = raw.Dialect, raw.Body
			}
			return s.fanOut(v, cfg, example, ep.ID, 0), nil
		},
	})
}

// errCannotSay is why an example is refused.
const errCannotSay = "the endpoint's dialect cannot say this event type"

// readExample gives the payload of a raw example.
func (s *Service) readExample(raw *RawExample) ([]byte, error) {
	if head := bytes.TrimLeft(raw.Body, " \t\r\n"); len(head) == 0 || head[0] != '{' || !json.Valid(raw.Body) {
		return nil, errs.InvalidField("must be the text of a JSON object", "body", "body")
	}
	if raw.Dialect == dialect.Native {
		return raw.Body, nil
	}
	if d, known := s.cfg.Dialects.Get(raw.Dialect); known {
		if a, err := d.Parse(dialect.Request{Body: raw.Body}); err == nil && a.Type == raw.EventType {
			return a.Payload, nil
		}
	}
	return shape.Payload(raw.EventType, time.Now(), []byte("{}")), nil // it can be sent, but not read
}

// DeletePayload removes a message's payload; the message stays in the log.
func (s *Service) DeletePayload(ctx context.Context, app AppRef, message store.Ref) error {
	m, err := s.findMessage(ctx, app, message)
	if err != nil {
		return err
	}
	return s.changeApp(ctx, app, func(v *commit.View, _ *store.AppConfig) { v.DropPayload(m.ID) })
}

// DeleteAttemptContent removes what a receiver answered to an attempt.
func (s *Service) DeleteAttemptContent(ctx context.Context, app AppRef, message, attempt id.ID) error {
	appID, err := s.findApp(ctx, app)
	if err != nil {
		return err
	}
	a, err := s.cfg.Store.Attempt(ctx, appID, message, attempt)
	if err != nil {
		return missing(err)
	}
	return s.changeApp(ctx, app, func(v *commit.View, _ *store.AppConfig) { v.DropResponse(a.Attempt) })
}

// findMessage reads a message by what a path names.
func (s *Service) findMessage(ctx context.Context, app AppRef, ref store.Ref) (store.Message, error) {
	appID, err := s.findApp(ctx, app)
	if err != nil {
		return store.Message{}, err
	}
	m, err := s.cfg.Store.Message(ctx, appID, ref)
	return m, missing(err)
}

func (s *Service) checkMessage(m *Message, now time.Time) error {
	var p problems
	if !word(m.EventType, maxWord) {
		p.add("must be 1 to 256 characters of A-Z a-z 0-9 - _ .", "eventType")
	}
	if head := bytes.TrimLeft(m.Payload, " \t\r\n"); len(head) == 0 || head[0] != '{' {
		p.add("must be a JSON object", "payload")
	}
	if m.EventID != "" && !word(m.EventID, maxWord) {
		p.add("must be 1 to 256 characters of A-Z a-z 0-9 - _ .", "eventId")
	} else if strings.HasPrefix(m.EventID, id.Message.Prefix()) {
		p.add("must not begin with the prefix of ids, "+id.Message.Prefix(), "eventId")
	}
	if m.Channels != nil {
		checkChannels(m.Channels, maxMessageChannels, &p)
	}
	if len(m.Tags) > maxTags {
		p.add("holds more than 8 tags", "tags")
	}
	for _, tag := range m.Tags {
		if !word(tag, maxWord) {
			p.add("tags are 1 to 256 characters of A-Z a-z 0-9 - _ .", "tags")
			break
		}
	}
	if len(m.OrderKey) > maxOrderKey {
		p.add("is longer than 128 characters", "orderingKey")
	}
	checkDeadline(m.Deadline, &p)
	s.checkKeeping(m, now, &p)
	return p.err()
}

// checkKeeping refuses what cannot be delivered because it is no longer kept.
func (s *Service) checkKeeping(m *Message, now time.Time, p *problems) {
	keep := s.cfg.Retention
	if m.Retention < 0 || m.Retention > keep {
		p.add("is longer than the installation keeps messages", "payloadRetentionPeriod")
		return
	}
	if m.Retention != 0 {
		keep = m.Retention
	}
	if m.DeliverAt.After(now.Add(keep)) {
		p.add("lies beyond the retention of the payload", "deliverAt")
	}
}
