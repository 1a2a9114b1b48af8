package tasks

import (
	"context"
	"encoding/json"

	"github.com/callboard/callboard/internal/commit"
	"github.com/callboard/callboard/internal/id"
	"github.com/callboard/callboard/internal/live"
	"github.com/callboard/callboard/internal/store"
)

// eraseRows is how many messages one step reads, with their payloads.
const eraseRows = 100

// erase drops the payloads of an app's messages that tell of a person. The messages stay
// in the log, and what was still to be delivered of them ends: there is nothing to send.
func (r *Runner) erase(ctx context.Context, t store.Task) (moved bool, err error) {
	var person live.Person
	if err := json.Unmarshal([]byte(t.Subject), &person); err != nil {
		return r.submit(ctx, t, commit.Keys{}, func(_ *commit.View, t store.Task) store.Task {
			t.State, t.Reason = store.TaskFailed, "the task does not say whom to forget"
			return t
		})
	}
	page, err := r.cfg.Store.ListMessages(ctx, store.MessageQuery{
		Page: store.Page{Limit: eraseRows, After: after(t), Ascending: true}, App: t.App, Until: t.Until, Content: true,
	})
	if err != nil {
		return false, err
	}
	var told []id.ID
	for i := range page.Rows {
		if person.Carries(page.Rows[i].Payload) {
			told = append(told, page.Rows[i].ID)
		}
	}
	return r.submit(ctx, t, commit.Keys{}, func(v *commit.View, t store.Task) store.Task {
		for _, m := range told {
			v.DropPayload(m)
			t.Done++
		}
		if page.Done {
			return over(t, 0)
		}
		return over(t, page.Next)
	})
}
