package ingest

import (
	"bytes"
	"context"
	"strings"
	"time"

	"github.com/callboard/callboard/internal/commit"
	"github.com/callboard/callboard/internal/delivery"
	"github.com/callboard/callboard/internal/errs"
	"github.com/callboard/callboard/internal/id"
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
	if err := s.checkMessage(&m, time.Now()); err != nil {
		return Result{}, err
	}
	u := &commit.Unit{
		Keys: commit.Keys{Apps: []AppRef{app}},
		Size: len(m.Payload) + rowBytes,
	}
	var event commit.EventKey
	if m.EventID != "" {
		appID, err := s.findApp(ctx, app)
		if err != nil {
			return Result{}, err
		}
		event = commit.EventKey{App: appID, Hash: store.HashText(m.EventID)}
		u.Keys.EventIDs = []commit.EventKey{event}
	}
	u.Decide = func(v *commit.View) (id.ID, error) {
		cfg, ok := v.App(app)
		if !ok {
			return 0, errs.Missing()
		}
		if _, taken := v.EventID(event); taken && m.EventID != "" {
			return 0, conflict("A message with this eventId exists")
		}
		return s.fanOut(v, cfg, row(&m, event.Hash, v.Now()), 0, m.Deadline), nil
	}
	return s.submit(ctx, owner(app), key, u)
}

// row is the message as it is stored; its id and app come with fanOut.
func row(m *Message, eventHash store.Hash16, now time.Time) store.Message {
	out := store.Message{
		Type:      m.EventType,
		EventID:   m.EventID,
		EventHash: eventHash,
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
	}, cfg.Endpoints, func(ep *delivery.Endpoint) bool { return s.says(ep, m.Type) })
	for _, d := range planned {
		v.AddDelivery(d, len(m.Payload))
	}
	return m.ID
}

func (s *Service) says(ep *delivery.Endpoint, eventType string) bool {
	return s.cfg.Dialects.Says(ep.Dialect, eventType, !ep.NoTranslate)
}

// SendExample commits a test message for one endpoint alone, whatever it
// subscribed to.
func (s *Service) SendExample(ctx context.Context, app AppRef, endpoint store.Ref, key Key, eventType string, payload []byte) (Result, error) {
	m := Message{EventType: eventType, Payload: payload}
	if err := s.checkMessage(&m, time.Now()); err != nil {
		return Result{}, err
	}
	return s.submit(ctx, owner(app), key, &commit.Unit{
		Keys: commit.Keys{Apps: []AppRef{app}},
		Size: len(payload) + rowBytes,
		Decide: func(v *commit.View) (id.ID, error) {
			cfg, ep, err := endpointOf(v, app, endpoint)
			switch {
			case err != nil:
				return 0, err
			case ep.Disabled:
				return 0, conflict("The endpoint is disabled")
			case !s.says(ep, eventType):
				return 0, errs.InvalidField("the endpoint's dialect cannot say this event type", "body", "eventType")
			}
			example := row(&m, store.Hash16{}, v.Now())
			example.Test = true
			return s.fanOut(v, cfg, example, ep.ID, 0), nil
		},
	})
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
