package restapi

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/callboard/callboard/internal/errs"
	"github.com/callboard/callboard/internal/id"
	"github.com/callboard/callboard/internal/store"
	"github.com/callboard/callboard/internal/tasks"
)

// BackgroundTaskOut is long work and how far it is.
type BackgroundTaskOut struct {
	ID        string    `json:"id" example:"qtask_1srOrx2ZWZBpBUvZwXKQmoEYga2"`
	Status    string    `json:"status" enum:"running,finished,failed"`
	Task      string    `json:"task" example:"endpoint.recover"`
	Data      taskData  `json:"data"`
	UpdatedAt time.Time `json:"updatedAt"`
}

// taskData is what a task has to tell.
type taskData struct {
	MessagesSent int64 `json:"messagesSent" doc:"Deliveries that were queued again so far."`
	// MessagesTotal is null before the first step, and where there were too many to count.
	MessagesTotal *int64 `json:"messagesTotal,omitempty" doc:"How many had failed when it began, if that is known; those whose payload is gone are not sent again."`
	Reason        string `json:"reason,omitempty" doc:"Why it failed."`
}

// taskNames are the tasks that clients see, by Svix's names. Housekeeping has
// none: clients refuse a task of a kind that they do not know.
var taskNames = map[store.TaskKind]string{store.TaskRecover: "endpoint.recover"}

// taskStatus is Svix's word for a task's state; a cancelled task has failed, and its
// reason says so.
func taskStatus(s store.TaskState) string {
	switch s {
	case store.TaskRunning:
		return "running"
	case store.TaskFinished:
		return "finished"
	}
	return "failed"
}

// taskTime is when a task last moved; before its first step that is its start.
func taskTime(t *store.Task) time.Time {
	if t.UpdatedAt.IsZero() {
		return t.ID.Time()
	}
	return t.UpdatedAt.UTC()
}

// showTask renders a task. Data is never null: clients require an object.
func (a *api) showTask(t *store.Task) BackgroundTaskOut {
	return BackgroundTaskOut{
		ID:        a.Codec.Encode(id.Task, t.ID),
		Status:    taskStatus(t.State),
		Task:      taskNames[t.Kind],
		Data:      taskData{MessagesSent: t.Done, MessagesTotal: taskTotal(t), Reason: t.Reason},
		UpdatedAt: taskTime(t),
	}
}

// taskTotal is how much there is to do for a recovery; nil = it is not known.
func taskTotal(t *store.Task) *int64 {
	var about tasks.Recovery
	if t.Kind != store.TaskRecover || json.Unmarshal([]byte(t.Subject), &about) != nil {
		return nil
	}
	return about.Total
}

// registerTasks puts the routes of background tasks on the mux.
func (a *api) registerTasks() {
	handle(a, huma.Operation{
		OperationID: "v1.background-task.list", Method: http.MethodGet, Path: "/background-task", Tags: []string{tagTasks},
		Summary: "List background tasks", Description: "Newest first unless asked otherwise.",
	}, accessRead, a.listTasks)
	handle(a, huma.Operation{
		OperationID: "v1.background-task.get", Method: http.MethodGet, Path: "/background-task/{task_id}", Tags: []string{tagTasks},
		Summary: "Get a background task",
	}, accessRead, a.getTask)
}

// listTasksIn are the parameters of GET /background-task.
type listTasksIn struct {
	PageIn
	OrderIn
	Status string `query:"status" enum:"running,finished,failed" doc:"Only tasks of this status."`
	Task   string `query:"task" doc:"Only tasks of this kind."`
}

// listTasks answers GET /background-task. The filters are applied to what was read,
// so a page may hold less than was asked for; done alone says that it is the last.
func (a *api) listTasks(ctx context.Context, c *call, in *listTasksIn) (*answer[Page[BackgroundTaskOut]], error) {
	cur, err := a.cursor(in.PageIn, id.Task, in.ascending(false))
	if err != nil {
		return nil, err
	}
	rows, err := a.tasksOf(ctx, c, cur.Page)
	if err != nil {
		return nil, err
	}
	page := list(cur, rows, func(t *store.Task) id.ID { return t.ID },
		func(t *store.Task) (BackgroundTaskOut, bool) {
			out := a.showTask(t)
			return out, out.Task != "" && matches(in.Status, out.Status) && matches(in.Task, out.Task)
		})
	return &answer[Page[BackgroundTaskOut]]{page}, nil
}

// tasksOf reads a page of tasks. A caller that may see one app gets a page that is
// full or the last one: an iterator that stands between its own tasks would name
// somebody else's.
func (a *api) tasksOf(ctx context.Context, c *call, page store.Page) (store.Listed[store.Task], error) {
	all, err := a.Store.ListTasks(ctx, c.Org, c.App, 0, page)
	for err == nil && c.App != 0 && !all.Done && all.Next != 0 && len(all.Rows) < page.Limit {
		var more store.Listed[store.Task]
		page.After = all.Next
		more, err = a.Store.ListTasks(ctx, c.Org, c.App, 0, page)
		all = store.Listed[store.Task]{Rows: append(all.Rows, more.Rows...), Done: more.Done, Next: more.Next}
	}
	if c.App != 0 {
		all.Next = 0
	}
	if extra := len(all.Rows) - page.Limit; extra > 0 {
		all.Rows, all.Done = all.Rows[:page.Limit], false
	}
	return all, err
}

// matches reports whether a filter lets a value through; "" lets all through.
func matches(filter, value string) bool { return filter == "" || filter == value }

// taskPath names a task.
type taskPath struct {
	TaskID string `path:"task_id" doc:"The task's id."`
}

// getTask answers GET /background-task/{task_id}. A portal sees the tasks of its app.
func (a *api) getTask(ctx context.Context, c *call, in *taskPath) (*answer[BackgroundTaskOut], error) {
	taskID, ok := a.Codec.Decode(id.Task, in.TaskID)
	if !ok {
		return nil, errs.Missing()
	}
	t, err := a.Store.Task(ctx, c.Org, taskID)
	if err != nil {
		return nil, err
	}
	if c.App != 0 && t.App != c.App || taskNames[t.Kind] == "" {
		return nil, errs.Missing()
	}
	return &answer[BackgroundTaskOut]{a.showTask(&t)}, nil
}
