package ingest

import (
	"bytes"
	"context"
	"time"

	"github.com/callboard/callboard/internal/commit"
	"github.com/callboard/callboard/internal/delivery"
	"github.com/callboard/callboard/internal/dialect"
	"github.com/callboard/callboard/internal/errs"
	"github.com/callboard/callboard/internal/id"
	"github.com/callboard/callboard/internal/settings"
	"github.com/callboard/callboard/internal/store"
)

// UpdateSettings changes an org's settings through mutate, which gets the stored
// document (nil if there is none), gives the next one and may run several times.
func (s *Service) UpdateSettings(ctx context.Context, org string, mutate func(doc []byte) ([]byte, error)) error {
	_, err := s.submit(ctx, org, Key{}, &commit.Unit{
		Keys: commit.Keys{Orgs: []string{org}, ChangesConfig: true},
		Decide: func(v *commit.View) (id.ID, error) {
			next := v.Settings(org)
			doc, err := mutate(next.Doc)
			if err != nil {
				return 0, err
			}
			next.Doc, next.UpdatedAt = doc, later(v.Now(), next.UpdatedAt)
			v.PutSettings(next)
			return 0, nil
		},
	})
	return err
}

// later is now, or, where a clock was set back, just after before: the time is a version,
// and is compared as it is stored, to the microsecond.
func later(now, before time.Time) time.Time {
	if now = now.Truncate(time.Microsecond); now.After(before) {
		return now
	}
	return before.Add(time.Microsecond)
}

// orgSettings is a settings document that was read.
type orgSettings struct {
	doc []byte // as the committer keeps it: the same bytes, as a rule
	settings.Settings
}

// settings gives what holds for an org whose row the unit has loaded. The last document
// is kept as it was read: as a rule the next message is of the same org.
func (s *Service) settings(v *commit.View, org string) (settings.Settings, error) {
	doc := v.Settings(org).Doc
	if last := s.lastSettings.Load(); last != nil && bytes.Equal(last.doc, doc) {
		return last.Settings, nil
	}
	read, err := settings.Of(doc, s.cfg.Dialects.Names())
	if err == nil {
		s.lastSettings.Store(&orgSettings{doc, read})
	}
	return read, err
}

// chooseDialect gives an endpoint that names no dialect the app's or the org's, and
// refuses one that they do not allow. A dialect that nobody knows is refused later,
// with all else that is wrong.
func (s *Service) chooseDialect(v *commit.View, app *store.App, ep *delivery.Endpoint) error {
	allowed, err := s.settings(v, app.Org)
	if err != nil {
		return err
	}
	allowed = allowed.Narrowed(app.Dialects, app.DefaultDialect)
	if ep.Dialect == "" && allowed.DefaultDialect != dialect.Native {
		ep.Dialect = allowed.DefaultDialect
	}
	if _, known := s.cfg.Dialects.Get(ep.Dialect); known && !allowed.Allows(dialectName(ep)) {
		return errs.InvalidField("is not among the dialects that the org and the app allow", "body", "dialect")
	}
	return nil
}

// dialectName is the name of an endpoint's dialect, "native" where none is stored.
func dialectName(ep *delivery.Endpoint) string {
	if ep.Dialect == "" {
		return dialect.Native
	}
	return ep.Dialect
}
