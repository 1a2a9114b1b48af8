package ingest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/callboard/callboard/internal/commit"
	"github.com/callboard/callboard/internal/dialect"
	"github.com/callboard/callboard/internal/errs"
	"github.com/callboard/callboard/internal/id"
	"github.com/callboard/callboard/internal/source"
	"github.com/callboard/callboard/internal/store"
)

// CreateSource adds a source to an app. What comes in after CreateSource returned finds it.
func (s *Service) CreateSource(ctx context.Context, app AppRef, key Key, src store.Source) (Result, error) {
	if err := s.checkSource(&src); err != nil {
		return Result{}, err
	}
	return s.submit(ctx, owner(app), key, &commit.Unit{
		Keys: commit.Keys{Apps: []AppRef{app}},
		Decide: func(v *commit.View) (id.ID, error) {
			cfg, ok := v.App(app)
			if !ok {
				return 0, errs.Missing()
			}
			next := src
			next.ID, next.App, next.Org = v.NextID(), cfg.App.ID, cfg.App.Org
			next.CreatedAt, next.UpdatedAt = v.Now(), v.Now()
			v.PutSource(next)
			return next.ID, nil
		},
	})
}

// UpdateSource changes a source through mutate, which may run several times. What the
// source does not accept any more, since its grace period has ended, is forgotten with it.
func (s *Service) UpdateSource(ctx context.Context, app AppRef, src id.ID, mutate func(*store.Source) error) error {
	return s.changeSource(ctx, app, src, Key{}, func(v *commit.View, next *store.Source) error {
		if err := mutate(next); err != nil {
			return err
		}
		settle(&next.Auth, v.Now())
		return s.checkSource(next)
	})
}

// DeleteSource takes a source away. The messages that came in through it stay. What it
// received stays on disk until it is too old, but nobody can read it: the source, by which
// it is found, is gone.
func (s *Service) DeleteSource(ctx context.Context, app AppRef, src id.ID) error {
	return s.changeSource(ctx, app, src, Key{}, func(_ *commit.View, next *store.Source) error {
		next.Deleted = true
		next.Auth = store.SourceAuth{} // nobody needs its secrets any more
		return nil
	})
}

// changeSource runs a change on an existing source.
func (s *Service) changeSource(ctx context.Context, app AppRef, src id.ID, key Key, change func(*commit.View, *store.Source) error) error {
	_, err := s.submit(ctx, owner(app), key, &commit.Unit{
		Keys: commit.Keys{Apps: []AppRef{app}, Sources: []id.ID{src}, ChangesConfig: true},
		Decide: func(v *commit.View) (id.ID, error) {
			next, err := sourceOf(v, app, src)
			if err != nil {
				return 0, err
			}
			if err := change(v, &next); err != nil {
				return 0, err
			}
			next.UpdatedAt = v.Now()
			v.PutSource(next)
			return next.ID, nil
		},
	})
	return err
}

// sourceOf finds a source of an app in a decision.
func sourceOf(v *commit.View, app AppRef, src id.ID) (store.Source, error) {
	cfg, ok := v.App(app)
	if !ok {
		return store.Source{}, errs.Missing()
	}
	found, ok := v.Source(src)
	if !ok || found.App != cfg.App.ID {
		return store.Source{}, errs.Missing()
	}
	return found, nil
}

// checkSource names all that is wrong with a source.
func (s *Service) checkSource(src *store.Source) error {
	var p problems
	if e, ok := errors.AsType[*errs.Error](source.Check(src, s.cfg.Dialects)); ok {
		p = append(p, e.Fields...)
	}
	if len(src.Description) > maxText {
		p.add("is longer than 4096 characters", "description")
	}
	if src.Channels != nil {
		checkChannels(src.Channels, maxMessageChannels, &p)
	}
	return p.err()
}

// NewProof is what a source is to accept from now on; one of the three.
type NewProof struct{ Secret, Token, Key string }

// one reports whether it is one thing, and not none or several at once.
func (p *NewProof) one() bool {
	given := 0
	for _, text := range []string{p.Secret, p.Token, p.Key} {
		if text != "" {
			given++
		}
	}
	return given == 1
}

// rotate puts it in the place of the old one, which stays beside it if keep says so.
func (p *NewProof) rotate(a *store.SourceAuth, keep bool) error {
	switch {
	case p.Secret != "":
		return rotateSourceSecret(a, p.Secret, keep)
	case p.Token != "":
		return rotateSourceToken(a, p.Token, keep)
	}
	return rotateSourceKey(a, p.Key, keep)
}

// errOneProof is the 422 for a rotation of nothing, or of several at once.
func errOneProof() error {
	return errs.InvalidField("give the new secret, the new token or the new key: one of the three", "body", "secret")
}

// RotateSource gives a source another secret, token or key. For the grace period it accepts
// the old one beside it, so that the vendor can be changed over; a grace period of 0 ends
// all old ones. All old ones end together, with the grace period that began last.
func (s *Service) RotateSource(ctx context.Context, app AppRef, src id.ID, key Key, proof NewProof, grace time.Duration) error {
	if err := checkGrace(grace); err != nil {
		return err
	}
	if !proof.one() {
		return errOneProof()
	}
	return s.changeSource(ctx, app, src, key, func(v *commit.View, next *store.Source) error {
		settle(&next.Auth, v.Now())
		if err := proof.rotate(&next.Auth, grace > 0); err != nil {
			return err
		}
		if until := v.Now().Add(grace); grace > 0 && until.After(next.Auth.OldUntil) {
			next.Auth.OldUntil = until
		}
		settle(&next.Auth, v.Now())
		return s.checkSource(next)
	})
}

// settle forgets what a source does not accept any more.
func settle(a *store.SourceAuth, now time.Time) {
	a.Secrets = source.Secrets(a, now)
	if tokens := source.Tokens(a, now); len(tokens) == 1 {
		a.Token, a.NextToken = tokens[0], ""
	}
	if len(source.Keys(a, now)) < 2 {
		a.OldKeys = nil
	}
	if len(a.Secrets) < 2 && a.NextToken == "" && a.OldKeys == nil { // there is nothing old
		a.OldUntil = time.Time{}
	}
}

// rotateSourceSecret puts a new secret before the old ones, which stay if keep says so.
func rotateSourceSecret(a *store.SourceAuth, secret string, keep bool) error {
	if len(a.Secrets) == 0 {
		return errs.InvalidField("replaces another one, and this source has none", "body", "secret")
	}
	next := []string{secret}
	for _, old := range a.Secrets {
		if keep && old != secret && len(next) < maxSecrets {
			next = append(next, old)
		}
	}
	a.Secrets = next
	return nil
}

// rotateSourceToken gives a new token, beside the old one if keep says so.
func rotateSourceToken(a *store.SourceAuth, token string, keep bool) error {
	switch {
	case a.Token == "":
		return errs.InvalidField("replaces another one, and this source has none", "body", "token")
	case token == a.Token || !keep:
		a.Token, a.NextToken = token, ""
	case a.NextToken != "" && a.NextToken != token:
		return conflict("Two tokens are accepted at the moment, the third would shut one of them out: " +
			"wait for the end of the grace period, or give a gracePeriodSeconds of 0")
	default:
		a.NextToken = token
	}
	return nil
}

// rotateSourceKey gives a new public key; the old ones stay if keep says so.
func rotateSourceKey(a *store.SourceAuth, key string, keep bool) error {
	if a.Key == "" {
		return errs.InvalidField("replaces another one, and this source has none", "body", "key")
	}
	var kept []string
	for _, old := range append([]string{a.Key}, a.OldKeys...) {
		if keep && old != key && len(kept) < maxSecrets-1 {
			kept = append(kept, old)
		}
	}
	a.Key, a.OldKeys = key, kept
	return nil
}

// Replay takes a received request in again, as if it had come now. Nobody asks for a
// proof: who calls this vouches for it. An accepted one becomes one more message, under
// the caller's key but once; of the other ones the id by which the vendor knows the webhook
// counts, so that of several that were refused, each a repetition, one becomes a message.
func (s *Service) Replay(ctx context.Context, app AppRef, src, received id.ID, key Key) (Received, error) {
	in, err := s.replayed(ctx, app, src, received)
	if err != nil {
		return Received{}, err
	}
	in.Key = key
	r, err := s.Receive(ctx, in)
	return r, unreadable(err)
}

// unreadable makes a 422 of what cannot be read as a webhook.
func unreadable(err error) error {
	if !errors.Is(err, dialect.ErrUnreadable) {
		return err
	}
	return errs.InvalidField(err.Error(), "path", "received_id") // it quotes no value
}

// replayed reads a received request for Replay.
func (s *Service) replayed(ctx context.Context, app AppRef, src, received id.ID) (Inbound, error) {
	appID, err := s.findApp(ctx, app)
	if err != nil {
		return Inbound{}, err
	}
	found, err := s.cfg.Store.Source(ctx, src)
	if err != nil {
		return Inbound{}, missing(err)
	}
	if found.App != appID || found.Org != app.Org {
		return Inbound{}, errs.Missing()
	}
	row, err := s.cfg.Store.ReceivedOne(ctx, appID, src, received)
	if err != nil {
		return Inbound{}, missing(err)
	}
	body, err := s.receivedBody(ctx, &row)
	if err != nil {
		return Inbound{}, err
	}
	return s.readAgain(&found, &row, body)
}

// receivedBody gives the body of a received request. An accepted one's is its message's.
func (s *Service) receivedBody(ctx context.Context, row *store.Received) ([]byte, error) {
	body := row.Body
	if row.Status == store.Accepted {
		m, err := s.cfg.Store.Message(ctx, row.App, store.Ref{ID: row.Message})
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return nil, err
		}
		body = m.Raw
	}
	if body == nil {
		return nil, conflict("The request's body is not kept any more")
	}
	return body, nil
}

// readAgain parses a request that was received, with the headers that were kept.
func (s *Service) readAgain(src *store.Source, row *store.Received, body []byte) (Inbound, error) {
	d, known := source.Dialect(s.cfg.Dialects, src)
	if !known {
		return Inbound{}, conflict("The source's dialect is not known to this server")
	}
	var doc ReceivedDoc
	if err := json.Unmarshal(row.Doc, &doc); err != nil {
		return Inbound{}, fmt.Errorf("read what was received: %w", err)
	}
	activity, err := source.Parse(d, dialect.Request{Header: headerOf(doc.Headers), Body: body})
	if err != nil {
		return Inbound{}, unreadable(err)
	}
	doc.VendorID, doc.Why, doc.Hint, doc.Note = shortened(activity.ID), "", "", "replayed"
	return Inbound{
		Source: *src, Activity: activity, Observed: d.Observes(), Raw: slices.Clone(body), Doc: doc, Again: row.Status == store.Accepted,
	}, nil
}

// shortened is a vendor's id as it is shown.
func shortened(id string) string {
	if len(id) <= maxWord {
		return id
	}
	return strings.ToValidUTF8(id[:maxWord], "")
}

// headerOf are headers as they came, as far as they were kept.
func headerOf(kept map[string][]string) http.Header {
	h := make(http.Header, len(kept))
	for name, values := range kept {
		h[http.CanonicalHeaderKey(name)] = values
	}
	return h
}
