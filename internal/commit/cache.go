package commit

import (
	"context"
	"time"

	"github.com/callboard/callboard/internal/id"
	"github.com/callboard/callboard/internal/store"
)

// appCache keeps the configurations of recently used apps. Each batch asks the
// store, inside its transaction, for the versions of those it is about to use
// and loads again what differs; so a message that was accepted after an
// endpoint's 201 reaches that endpoint, whichever node took either request.
type appCache struct {
	max   int
	byID  map[id.ID]*store.AppConfig
	byUID map[uidKey]id.ID
}

func newAppCache(max int) *appCache {
	return &appCache{max: max, byID: map[id.ID]*store.AppConfig{}, byUID: map[uidKey]id.ID{}}
}

// load brings the apps of refs into the view.
func (c *appCache) load(ctx context.Context, tx Tx, v *View, refs []AppRef) error {
	if len(refs) == 0 {
		return nil
	}
	refs = unique(refs)
	stale, err := c.fromMemory(ctx, tx, v, refs)
	if err != nil || len(stale) == 0 {
		return err
	}
	loaded, err := tx.AppConfigs(ctx, stale)
	if err != nil {
		return err
	}
	for i := range loaded {
		cfg := &loaded[i]
		c.put(cfg)
		v.use(cfg)
	}
	return nil
}

// fromMemory serves what is cached and current; it returns the other refs.
func (c *appCache) fromMemory(ctx context.Context, tx Tx, v *View, refs []AppRef) (stale []AppRef, err error) {
	var ask []id.ID
	for _, ref := range refs {
		if cfg := c.find(ref); cfg != nil {
			ask = append(ask, cfg.App.ID)
		}
	}
	var versions map[id.ID]int64
	if len(ask) > 0 {
		if versions, err = tx.Versions(ctx, unique(ask)); err != nil {
			return nil, err
		}
	}
	for _, ref := range refs {
		cfg := c.find(ref)
		if cfg == nil {
			stale = append(stale, ref)
			continue
		}
		if version, ok := versions[cfg.App.ID]; !ok || version != cfg.App.ConfigVersion {
			c.drop(cfg)
			stale = append(stale, ref)
			continue
		}
		v.use(cfg)
	}
	return stale, nil
}

func (c *appCache) find(ref AppRef) *store.AppConfig {
	key := ref.ID
	if key == 0 {
		key = c.byUID[uidKey{ref.Org, ref.UID}]
	}
	return c.byID[key]
}

// update takes over what a committed batch changed.
func (c *appCache) update(v *View) {
	for app := range v.changed {
		if old, ok := c.byID[app]; ok {
			c.drop(old)
		}
		if cfg := v.apps[app]; !cfg.App.Deleted {
			c.put(cfg)
		}
	}
}

// put caches a configuration; when the cache is full some other one goes.
func (c *appCache) put(cfg *store.AppConfig) {
	if _, known := c.byID[cfg.App.ID]; !known && len(c.byID) >= c.max {
		for _, other := range c.byID { // map order: any one will do
			c.drop(other)
			break
		}
	}
	c.byID[cfg.App.ID] = cfg
	if cfg.App.UID != "" {
		c.byUID[uidKey{cfg.App.Org, cfg.App.UID}] = cfg.App.ID
	}
}

func (c *appCache) drop(cfg *store.AppConfig) {
	delete(c.byID, cfg.App.ID)
	if cfg.App.UID != "" {
		delete(c.byUID, uidKey{cfg.App.Org, cfg.App.UID})
	}
}

// use makes a configuration visible to the batch's decisions.
func (v *View) use(cfg *store.AppConfig) {
	v.apps[cfg.App.ID] = cfg
	if cfg.App.UID != "" {
		v.appByUID[uidKey{cfg.App.Org, cfg.App.UID}] = cfg.App.ID
	}
}

// maxSettings is how many orgs' settings are kept. A document is seldom more than a few
// hundred bytes; with a logo it has 64 KiB.
const maxSettings = 256

// settingsCache keeps the settings of orgs. Each batch asks the store, inside its
// transaction, for those that are not as they were, so that what a message costs does not
// hang on how much stands in them.
type settingsCache struct {
	byOrg map[string]store.OrgSettings
}

// load brings the settings of orgs into the view.
func (c *settingsCache) load(ctx context.Context, tx Tx, v *View, orgs []string) error {
	if len(orgs) == 0 {
		return nil
	}
	known := make(map[string]time.Time, len(orgs))
	for _, org := range orgs {
		if s, ok := c.byOrg[org]; ok {
			v.settings[org] = s
			known[org] = s.UpdatedAt
		}
	}
	changed, err := tx.Settings(ctx, orgs, known)
	if err != nil {
		return err
	}
	for _, s := range changed {
		v.settings[s.Org] = s
		c.put(s)
	}
	return nil
}

// put keeps settings; when the cache is full some others go.
func (c *settingsCache) put(s store.OrgSettings) {
	if _, known := c.byOrg[s.Org]; !known && len(c.byOrg) >= maxSettings {
		for other := range c.byOrg { // map order: any one will do
			delete(c.byOrg, other)
			break
		}
	}
	c.byOrg[s.Org] = s
}
