package ingest

import (
	"context"
	"slices"
	"time"

	"github.com/callboard/callboard/internal/commit"
	"github.com/callboard/callboard/internal/delivery"
	"github.com/callboard/callboard/internal/dialect"
	"github.com/callboard/callboard/internal/dialect/standard"
	"github.com/callboard/callboard/internal/errs"
	"github.com/callboard/callboard/internal/id"
	"github.com/callboard/callboard/internal/store"
)

// Bounds of rotation.
const (
	maxGrace = 7 * 24 * time.Hour // of a replaced secret
	// maxSecrets is how many secrets of an endpoint or app are kept at once.
	maxSecrets = 8
)

// What is said of a secret where the app has one for all.
const errSharedSecret = "endpoints of this dialect have no secret of their own: they share the app's signing token, " +
	"see /api/v1/app/{app_id}/signing-token"

// giveSecret makes a secret for an endpoint that has none. Where the app has one for
// all of them, it is the app that gets it.
func (s *Service) giveSecret(v *commit.View, app *store.App, ep *delivery.Endpoint) {
	d, _ := s.cfg.Dialects.Get(ep.Dialect)
	if d.Secrets().PerApp {
		s.giveToken(v, app)
		return
	}
	if len(ep.Secrets) == 0 {
		ep.Secrets = []delivery.Secret{{Value: d.NewSecret()}}
	}
}

// giveToken makes the signing token of an app that has none.
func (s *Service) giveToken(v *commit.View, app *store.App) {
	if len(app.SigningTokens) > 0 {
		return
	}
	next := *app
	next.SigningTokens = []delivery.Secret{{Value: s.perApp.NewSecret()}}
	v.PutApp(next)
}

// dropMisfits takes the secrets of an endpoint that changes its dialect away if the new
// one cannot use them, so that it gets a new one. Those that came with the change are
// left for checkSecrets.
func (s *Service) dropMisfits(ep, before *delivery.Endpoint) {
	d, known := s.cfg.Dialects.Get(ep.Dialect)
	if before == nil || !known || !slices.Equal(ep.Secrets, before.Secrets) {
		return
	}
	unusable := func(secret delivery.Secret) bool {
		// The API shows the public half of a private key alone, and a shared secret whole.
		_, private := standard.PublicHalf(secret.Value)
		return d.CheckSecret(secret.Value) != nil || d.Secrets().OneAtATime && private
	}
	if d.Secrets().PerApp || slices.ContainsFunc(ep.Secrets, unusable) {
		ep.Secrets = nil
	}
}

// checkSecrets says what is wrong with an endpoint's secrets. Errors of the dialects
// name the rule and never the value.
func checkSecrets(secrets []delivery.Secret, d dialect.Dialect, p *problems) {
	if d.Secrets().PerApp {
		if len(secrets) > 0 {
			p.add(errSharedSecret, "secret")
		}
		return
	}
	for _, secret := range secrets {
		if err := d.CheckSecret(secret.Value); err != nil {
			p.add(err.Error(), "secret")
			return
		}
	}
}

// RotateSecret gives an endpoint a new secret, made here if secret is empty. For the
// grace period the old ones go on signing beside it, so that receivers can change over
// in their own time; where a request has room for one, the old one goes on alone, and
// the new one comes after it.
func (s *Service) RotateSecret(ctx context.Context, app AppRef, ref store.Ref, key Key, secret string, grace time.Duration) error {
	if err := checkGrace(grace); err != nil {
		return err
	}
	_, err := s.submit(ctx, owner(app), key, &commit.Unit{
		Keys: commit.Keys{Apps: []AppRef{app}, ChangesConfig: true},
		Decide: func(v *commit.View) (id.ID, error) {
			_, ep, err := endpointOf(v, app, ref)
			if err != nil {
				return 0, err
			}
			d, known := s.cfg.Dialects.Get(ep.Dialect)
			if !known || d.Secrets().PerApp {
				return 0, conflict("This endpoint has no secret of its own: rotate the app's signing token with " +
					"POST /api/v1/app/{app_id}/signing-token/rotate")
			}
			next := *ep
			if next.Secrets, err = rotated(ep.Secrets, secret, d, v.Now(), grace); err != nil {
				return 0, err
			}
			next.UpdatedAt = v.Now()
			v.PutEndpoint(next)
			return next.ID, nil
		},
	})
	return err
}

// GiveSigningToken makes the signing token of an app that has none. It is missing where
// no dialect has secrets that are the apps'.
func (s *Service) GiveSigningToken(ctx context.Context, app AppRef) error {
	if s.perApp == nil {
		return errs.Missing()
	}
	return s.changeApp(ctx, app, func(v *commit.View, cfg *store.AppConfig) { s.giveToken(v, &cfg.App) })
}

// RotateSigningToken gives an app a new signing token, made here if token is empty, for
// all of its endpoints that share it.
func (s *Service) RotateSigningToken(ctx context.Context, app AppRef, key Key, token string, grace time.Duration) error {
	if s.perApp == nil {
		return errs.Missing()
	}
	if err := checkGrace(grace); err != nil {
		return err
	}
	_, err := s.submit(ctx, owner(app), key, &commit.Unit{
		Keys: commit.Keys{Apps: []AppRef{app}, ChangesConfig: true},
		Decide: func(v *commit.View) (id.ID, error) {
			cfg, ok := v.App(app)
			if !ok {
				return 0, errs.Missing()
			}
			next := cfg.App
			var err error
			if next.SigningTokens, err = rotated(next.SigningTokens, token, s.perApp, v.Now(), grace); err != nil {
				return 0, err
			}
			next.UpdatedAt = v.Now()
			v.PutApp(next)
			return next.ID, nil
		},
	})
	return err
}

func checkGrace(grace time.Duration) error {
	if grace < 0 || grace > maxGrace {
		return errs.InvalidField("must be between 0 and 604800 seconds", "body", "gracePeriodSeconds")
	}
	return nil
}

// rotated puts a new secret, made here if it is empty, before the old ones, which end
// with the grace period at the latest.
//
// Where a request has room for one secret, the oldest is the one that receivers know,
// and the others follow it one by one: of too many those in between give way. Going
// back to the one that is carried is no rotation any more.
func rotated(old []delivery.Secret, secret string, d dialect.Dialect, now time.Time, grace time.Duration) ([]delivery.Secret, error) {
	if secret == "" {
		secret = d.NewSecret()
	} else if err := d.CheckSecret(secret); err != nil {
		return nil, errs.InvalidField(err.Error(), "body", "key")
	}
	next := []delivery.Secret{{Value: secret}}
	oneAtATime := d.Secrets().OneAtATime
	if carried, _, _ := delivery.Carried(old, now); oneAtATime && carried == secret {
		return next, nil
	}
	for _, s := range old {
		if s.Expires.IsZero() || s.Expires.After(now.Add(grace)) {
			s.Expires = now.Add(grace)
		}
		if s.Expires.After(now) && s.Value != secret {
			next = append(next, s)
		}
	}
	switch surplus := len(next) - maxSecrets; {
	case surplus <= 0:
		return next, nil
	case oneAtATime:
		return slices.Delete(next, 1, 1+surplus), nil
	}
	return next[:maxSecrets], nil
}
