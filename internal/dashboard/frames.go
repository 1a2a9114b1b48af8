package dashboard

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/callboard/callboard/internal/id"
	"github.com/callboard/callboard/internal/settings"
	"github.com/callboard/callboard/internal/store"
)

// How long it is remembered who may frame an app, and of how many apps.
const (
	framesLife = 5 * time.Second
	maxFrames  = 10_000
)

// frames remembers which sites may frame the pages of which app. Anybody may ask for a page,
// so a flood of requests must not become a flood of reads: text that is no id of this
// installation costs none, and nobody can guess one that is.
type frames struct {
	orgs  Orgs
	codec *id.Codec

	mu    sync.Mutex
	known map[id.ID]allowed
}

// allowed are the sites that may frame an app.
type allowed struct {
	sites []string
	until time.Time
}

func newFrames(orgs Orgs, codec *id.Codec) *frames {
	return &frames{orgs: orgs, codec: codec, known: map[id.ID]allowed{}}
}

// of gives the sites that may frame the pages of an app, which a path names. An app that there
// is not looks like one whose org allows none; so does any while the store does not answer.
// A uid does not do: it says nothing without an org.
func (f *frames) of(ctx context.Context, text string) []string {
	app, ok := f.codec.Decode(id.App, text)
	if !ok {
		return nil
	}
	now := time.Now()
	f.mu.Lock()
	found, ok := f.known[app]
	f.mu.Unlock()
	if ok && now.Before(found.until) {
		return found.sites
	}
	sites, err := f.read(ctx, app)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return nil
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.known) >= maxFrames {
		clear(f.known)
	}
	f.known[app] = allowed{sites, now.Add(framesLife)}
	return sites
}

func (f *frames) read(ctx context.Context, app id.ID) ([]string, error) {
	org, err := f.orgs.OrgOf(ctx, app)
	if err != nil {
		return nil, err
	}
	row, err := f.orgs.Settings(ctx, org)
	if err != nil {
		return nil, err
	}
	said, err := settings.Parse(row.Doc)
	return said.Branding().AllowedOrigins, err
}
