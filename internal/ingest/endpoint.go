package ingest

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/callboard/callboard/internal/commit"
	"github.com/callboard/callboard/internal/delivery"
	"github.com/callboard/callboard/internal/dialect"
	"github.com/callboard/callboard/internal/errs"
	"github.com/callboard/callboard/internal/id"
	"github.com/callboard/callboard/internal/netguard"
	"github.com/callboard/callboard/internal/store"
)

// Bounds of what an endpoint may ask for.
const (
	minTimeout  = time.Second
	maxTimeout  = 60 * time.Second
	maxDeadline = 90 * 24 * time.Hour
	maxDelay    = 7 * 24 * time.Hour // of one step of a retry schedule
)

// CreateEndpoint adds an endpoint to an app. Without a secret it gets one. Every
// message that is accepted after CreateEndpoint returned reaches it.
//
// All of it is checked in the decision: what is allowed hangs on the dialect, and that
// on what the org and the app prefer.
func (s *Service) CreateEndpoint(ctx context.Context, app AppRef, key Key, ep delivery.Endpoint) (Result, error) {
	return s.submit(ctx, owner(app), key, &commit.Unit{
		Keys: endpointKeys(app),
		Decide: func(v *commit.View) (id.ID, error) {
			cfg, ok := v.App(app)
			if !ok {
				return 0, errs.Missing()
			}
			next := ep
			if err := s.chooseDialect(v, &cfg.App, &next); err != nil {
				return 0, err
			}
			if err := s.checkEndpoint(&next, nil); err != nil {
				return 0, err
			}
			if _, taken := commit.FindEndpoint(cfg, store.Ref{UID: next.UID}); taken {
				return 0, errUIDTaken()
			}
			s.giveSecret(v, &cfg.App, &next)
			return putNewEndpoint(v, cfg, next), nil
		},
	})
}

// endpointKeys are what a change of an endpoint reads.
func endpointKeys(app AppRef) commit.Keys {
	return commit.Keys{Apps: []AppRef{app}, Orgs: []string{app.Org}, ChangesConfig: true}
}

func errUIDTaken() error { return conflict("An endpoint with this uid exists") }

func putNewEndpoint(v *commit.View, cfg *store.AppConfig, ep delivery.Endpoint) id.ID {
	ep.ID, ep.App = v.NextID(), cfg.App.ID
	ep.CreatedAt, ep.UpdatedAt = v.Now(), v.Now()
	noteDisabled(v, &ep)
	v.PutEndpoint(ep)
	v.PutURL(ep.ID, ep.URL)
	return ep.ID
}

// noteDisabled fills in why and since when an endpoint is disabled.
func noteDisabled(v *commit.View, ep *delivery.Endpoint) {
	if ep.Disabled && ep.DisabledReason == "" {
		ep.DisabledReason, ep.DisabledAt = DisabledByAPI, v.Now()
	}
	if !ep.Disabled {
		ep.DisabledReason, ep.DisabledAt = "", time.Time{}
	}
}

// DisabledByAPI is the reason of an endpoint that its owner disabled.
const DisabledByAPI = "api"

// UpdateEndpoint changes an endpoint through mutate, which may run several times.
// With orCreate an unknown uid is created. Disabling ends what is still to be
// delivered; enabling forgets earlier failures. A dialect that is changed must be
// allowed now, and one that secrets do not fit gets a new one; else what was allowed
// when it was chosen stays.
func (s *Service) UpdateEndpoint(ctx context.Context, app AppRef, ref store.Ref, orCreate bool, mutate func(*delivery.Endpoint) error) (Result, error) {
	existed := false
	r, err := s.submit(ctx, owner(app), Key{}, &commit.Unit{
		Keys: endpointKeys(app),
		Decide: func(v *commit.View) (id.ID, error) {
			cfg, ok := v.App(app)
			if !ok {
				return 0, errs.Missing()
			}
			var before *delivery.Endpoint
			before, existed = commit.FindEndpoint(cfg, ref)
			next := delivery.Endpoint{UID: ref.UID}
			switch {
			case existed:
				next = *before
			case !orCreate || ref.UID == "":
				return 0, errs.Missing()
			}
			if err := mutate(&next); err != nil {
				return 0, err
			}
			if !existed || dialectName(&next) != dialectName(before) {
				if err := s.chooseDialect(v, &cfg.App, &next); err != nil {
					return 0, err
				}
				s.dropMisfits(&next, before)
			}
			if err := s.checkEndpoint(&next, before); err != nil {
				return 0, err
			}
			if other, taken := commit.FindEndpoint(cfg, store.Ref{UID: next.UID}); taken && other.ID != next.ID {
				return 0, errUIDTaken()
			}
			s.giveSecret(v, &cfg.App, &next)
			if !existed {
				return putNewEndpoint(v, cfg, next), nil
			}
			putEndpoint(v, cfg.App, before, next)
			return next.ID, nil
		},
	})
	if err == nil { // else the decision may still be running
		r.Existed = existed
	}
	return r, err
}

// putEndpoint writes a changed endpoint and what follows from the change.
func putEndpoint(v *commit.View, app store.App, before *delivery.Endpoint, next delivery.Endpoint) {
	next.UpdatedAt = v.Now()
	noteDisabled(v, &next)
	v.PutEndpoint(next)
	if next.URL != before.URL {
		v.PutURL(next.ID, next.URL)
	}
	if next.Disabled != before.Disabled {
		v.ForgetHealth(next.ID)
	}
	if next.Disabled && !before.Disabled {
		endDeliveries(v, app, &next)
	}
}

// DeleteEndpoint takes an endpoint away; what it should still get fails.
func (s *Service) DeleteEndpoint(ctx context.Context, app AppRef, ref store.Ref) error {
	return s.changeEndpoint(ctx, app, ref, Key{}, func(v *commit.View, cfg *store.AppConfig, ep delivery.Endpoint) {
		ep.Deleted, ep.UpdatedAt = true, v.Now()
		v.PutEndpoint(ep)
		v.ForgetHealth(ep.ID)
		endDeliveries(v, cfg.App, &ep)
	})
}

// findEndpoint reads an endpoint by what a path names.
func (s *Service) findEndpoint(ctx context.Context, app AppRef, ref store.Ref) (delivery.Endpoint, error) {
	appID, err := s.findApp(ctx, app)
	if err != nil {
		return delivery.Endpoint{}, err
	}
	ep, err := s.cfg.Store.AppEndpoint(ctx, appID, ref)
	return ep, missing(err)
}

// endpointOf finds an app and one of its endpoints in a decision.
func endpointOf(v *commit.View, app AppRef, ref store.Ref) (*store.AppConfig, *delivery.Endpoint, error) {
	cfg, ok := v.App(app)
	if !ok {
		return nil, nil, errs.Missing()
	}
	ep, ok := commit.FindEndpoint(cfg, ref)
	if !ok {
		return nil, nil, errs.Missing()
	}
	return cfg, ep, nil
}

// changeEndpoint runs a change that cannot be refused on an existing endpoint.
func (s *Service) changeEndpoint(ctx context.Context, app AppRef, ref store.Ref, key Key, change func(*commit.View, *store.AppConfig, delivery.Endpoint)) error {
	_, err := s.submit(ctx, owner(app), key, &commit.Unit{
		Keys: commit.Keys{Apps: []AppRef{app}, ChangesConfig: true},
		Decide: func(v *commit.View) (id.ID, error) {
			cfg, ep, err := endpointOf(v, app, ref)
			if err != nil {
				return 0, err
			}
			change(v, cfg, *ep)
			return ep.ID, nil
		},
	})
	return err
}

// checkEndpoint says what is wrong with an endpoint as a caller wants it. before
// is the endpoint as it was, nil for a new one: a part that did not change is
// not checked again, so that an endpoint that was accepted under older rules can
// still be edited.
func (s *Service) checkEndpoint(ep, before *delivery.Endpoint) error {
	var p problems
	s.checkURL(ep, before, &p)
	checkUID(ep.UID, id.Endpoint, &p)
	if len(ep.Description) > maxText {
		p.add("is longer than 4096 characters", "description")
	}
	d, known := s.cfg.Dialects.Get(ep.Dialect)
	if !known {
		p.add("must be one of "+strings.Join(s.cfg.Dialects.Names(), ", "), "dialect")
		return p.err()
	}
	s.checkFilter(ep, before, d, &p)
	checkHeaders(ep.Headers, d, &p)
	checkSecrets(ep.Secrets, d, &p)
	checkThrottle(ep.ThrottleRate, &p)
	checkMetadata(ep.Metadata, &p)
	checkTiming(ep, &p)
	if ep.Version < 0 {
		p.add("must not be negative", "version")
	}
	return p.err()
}

// CheckURL says what is wrong with a URL that an endpoint would have, in the words in which
// saving it would be refused; "" = nothing. No name is looked up.
func (s *Service) CheckURL(text string) string {
	var p problems
	s.checkURL(&delivery.Endpoint{URL: text}, nil, &p)
	if len(p) == 0 {
		return ""
	}
	return p[0].Msg
}

func (s *Service) checkURL(ep, before *delivery.Endpoint, p *problems) {
	if before != nil && before.URL == ep.URL {
		return
	}
	if len(ep.URL) > maxURL {
		p.add("is longer than 2048 characters", "url")
	} else if s.cfg.Local != nil && s.cfg.Local(ep.URL) {
		return
	} else if err := s.cfg.Guard.CheckURL(ep.URL); err != nil {
		p.add(err.Error(), "url")
	}
}

const errFilterTooLong = "names more than 1000 event types"

func (s *Service) checkFilter(ep, before *delivery.Endpoint, d dialect.Dialect, p *problems) {
	if ep.Channels != nil {
		checkChannels(ep.Channels, maxChannels, p)
	}
	if ep.FilterTypes == nil || before != nil && sameFilter(ep, before) {
		return
	}
	if len(ep.FilterTypes) == 0 {
		p.add("must be absent or name at least one event type", "filterTypes")
	}
	if len(ep.FilterTypes) > maxFilter { // a problem of each would be an answer larger than the request
		p.add(errFilterTooLong, "filterTypes")
		return
	}
	types := make([]string, 0, len(ep.FilterTypes))
	for i, entry := range ep.FilterTypes {
		named, problem := typesOf(entry, ep, d)
		if problem != "" {
			p.add(problem, "filterTypes", strconv.Itoa(i))
		}
		types = append(types, named...)
	}
	ep.FilterTypes = distinct(types)
	if len(ep.FilterTypes) > maxFilter { // a word may stand for several
		p.add(errFilterTooLong, "filterTypes")
	}
}

// sameFilter reports whether a subscription, and what its dialect makes of it, is as
// it was.
func sameFilter(ep, before *delivery.Endpoint) bool {
	return dialectName(ep) == dialectName(before) && ep.NoTranslate == before.NoTranslate &&
		before.FilterTypes != nil && slices.Equal(ep.FilterTypes, before.FilterTypes)
}

// typesOf gives the event types that an entry of a subscription stands for: itself if
// the dialect says it, else all that go out under it as the dialect's own word. The
// names of event types are no secret, so what is wrong with an entry quotes it.
func typesOf(entry string, ep *delivery.Endpoint, d dialect.Dialect) (types []string, problem string) {
	if !word(entry, maxWord) {
		return nil, "event types are 1 to 256 characters of A-Z a-z 0-9 - _ ."
	}
	named := []string{entry}
	if _, fit := d.Word(entry); fit == dialect.Unsaid {
		named = d.Types(entry)
	}
	translated := false
	for _, t := range named {
		_, fit := d.Word(t)
		if fit == dialect.Exact || fit == dialect.Translated && !ep.NoTranslate {
			types = append(types, t)
		}
		translated = translated || fit == dialect.Translated
	}
	switch {
	case len(types) > 0:
		return types, ""
	case translated:
		return nil, fmt.Sprintf("%s says %s only as a translation, and the endpoint has translate: false", d.Name(), entry)
	}
	return nil, fmt.Sprintf("%s cannot say %s, and has no word of that name", d.Name(), entry)
}

// distinct removes repetitions and keeps the order.
func distinct(names []string) []string {
	met := make(map[string]struct{}, len(names))
	return slices.DeleteFunc(names, func(name string) bool {
		_, again := met[name]
		met[name] = struct{}{}
		return again
	})
}

func checkChannels(channels []string, limit int, p *problems) {
	if len(channels) == 0 || len(channels) > limit {
		p.add("must be absent or hold a few channels", "channels")
	}
	for _, c := range channels {
		if !word(c, maxWord) {
			p.add("channels are 1 to 256 characters of A-Z a-z 0-9 - _ .", "channels")
			return
		}
	}
}

func checkHeaders(headers map[string]string, d dialect.Dialect, p *problems) {
	if len(headers) > maxHeaders {
		p.add("holds more than 50 headers", "headers")
		return
	}
	for name, value := range headers {
		if len(name)+len(value) > maxHeaderSize {
			p.add("holds a header of more than 4096 characters", "headers")
			return
		}
		if err := netguard.CheckHeader(name, value, d.OwnHeaders()...); err != nil {
			p.add(err.Error(), "headers")
			return
		}
	}
}

func checkTiming(ep *delivery.Endpoint, p *problems) {
	if ep.Timeout != 0 && (ep.Timeout < minTimeout || ep.Timeout > maxTimeout) {
		p.add("must be between 1s and 60s", "timeout")
	}
	checkDeadline(ep.Deadline, p)
	if len(ep.RetrySchedule) > maxSchedule {
		p.add("holds more than 50 delays", "retrySchedule")
	}
	for _, delay := range ep.RetrySchedule {
		if delay < 0 || delay > maxDelay {
			p.add("delays must be between 0s and 168h", "retrySchedule")
			return
		}
	}
}

func checkDeadline(deadline time.Duration, p *problems) {
	if deadline != 0 && (deadline < time.Second || deadline > maxDeadline) {
		p.add("must be between 1s and 2160h", "deadline")
	}
}
