package feed

import (
	"github.com/callboard/callboard/internal/id"
	"github.com/callboard/callboard/internal/store"
)

// Topics are kinds of things of which some have changed.
type Topics uint8

// The topics.
const (
	Endpoint  Topics = 1 << iota // endpoints, and whether they are failing
	Live                         // what goes on where people meet
	Source                       // sources, and what came in there
	Task                         // background tasks
	Message                      // messages
	EventType                    // event types
	App                          // the app, and the settings of its org

	everything = Endpoint | Live | Source | Task | Message | EventType | App
)

// topicNames are in the order of the bits.
var topicNames = [...]string{"endpoint", "live", "source", "task", "message", "eventType", "app"}

// Names are the topics' names.
func (t Topics) Names() []string {
	names := []string{}
	for i, name := range topicNames {
		if t&(1<<i) != 0 {
			names = append(names, name)
		}
	}
	return names
}

// Committed tells listeners of what this process has committed. The changes are not kept.
func (h *Hub) Committed(c *store.Changes) {
	if h.listening.Load() == 0 {
		return
	}
	if len(c.Completed) > 0 {
		h.rouse()
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.noteApps(c)
	h.noteOrgs(c)
}

// noteApps notes what has changed in apps that are listened to.
func (h *Hub) noteApps(c *store.Changes) {
	note := func(app id.ID, t Topics) {
		for l := range h.byApp[app] {
			l.note(t)
		}
	}
	for i := range c.Apps {
		note(c.Apps[i].ID, App)
	}
	for i := range c.Endpoints {
		note(c.Endpoints[i].App, Endpoint)
	}
	for i := range c.Messages {
		note(c.Messages[i].App, Message)
	}
	for i := range c.Tasks {
		note(c.Tasks[i].App, Task)
	}
	for i := range c.Sources {
		note(c.Sources[i].App, Source)
	}
	for i := range c.Received {
		note(c.Received[i].App, Source)
	}
	for i := range c.Objects {
		note(c.Objects[i].App, Live)
	}
	for _, k := range c.ErasedObjects {
		note(k.App, Live)
	}
	if len(c.Healths)+len(c.Healthy) > 0 { // which do not name their app
		for i := range c.Completed {
			note(c.Completed[i].Attempt.App, Endpoint)
		}
	}
}

// noteOrgs notes what has changed for all apps of an org.
func (h *Hub) noteOrgs(c *store.Changes) {
	changed := map[string]Topics{}
	for i := range c.Orgs {
		changed[c.Orgs[i].Org] |= App | EventType
	}
	for i := range c.EventTypes {
		changed[c.EventTypes[i].Org] |= EventType
	}
	for i := range c.EraseTypes {
		changed[c.EraseTypes[i].Org] |= EventType
	}
	if len(changed) == 0 {
		return
	}
	for _, listeners := range h.byApp {
		for l := range listeners {
			if t := changed[l.sub.Org]; t != 0 {
				l.note(t)
			}
		}
	}
}
