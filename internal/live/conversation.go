package live

import (
	"slices"
	"strings"
	"time"
)

// conversationState is what is kept beside a conversation.
type conversationState struct {
	// In: the customer has joined and not left.
	In bool `json:"in,omitzero"`
	// Over and Analysed: its completion, and its analysis, were told.
	Over     bool `json:"over,omitzero"`
	Analysed bool `json:"analysed,omitzero"`
	// EndedAt is when it was completed or failed, in Unix microseconds.
	EndedAt int64 `json:"endedAt,omitzero"`
}

// conversationNext says which statuses may follow one; those that the vendor does not
// document follow any, and any follows them.
func conversationNext(status string) []string {
	switch status {
	case "queued":
		return []string{"dialing", "active", "completed", "failed"}
	case "dialing":
		return []string{"active", "completed", "failed"}
	case "active":
		return []string{"completed", "failed"}
	}
	return nil
}

// isOver reports whether a conversation with a status is at its end.
func isOver(status string) bool { return status == "completed" || status == "failed" }

// talk is a conversation while an activity is applied to it.
type talk struct {
	row   Row
	known bool
	doc   object
	given object // what the activity says of it
	state conversationState
}

// readConversation finds the conversation in data: it is data itself, or a member of it.
func readConversation(r *Request) error {
	body, loc := r.conversation()
	if err := conversationShape.check(body, loc...); err != nil {
		return err
	}
	switch _, ok := idText(body.get("id")); {
	case body.get("id") == nil:
		return invalid("is required", append(loc, "id")...)
	case !ok:
		return invalid(msgID, append(loc, "id")...)
	}
	return nil
}

func (r *Request) conversation() (body object, loc []string) {
	if inner := r.data.object("conversation"); inner != nil {
		return inner, []string{"conversation"}
	}
	return r.data.without("event", "session", "registration", "eventId", "sessionId", "registrationId"), nil
}

func conversationKeys(r *Request) []Key {
	body, _ := r.conversation()
	id, _ := idText(body.get("id"))
	return []Key{{App: r.app, Kind: Conversation, ID: id}}
}

func (w *work) talk() *talk {
	key := conversationKeys(w.Request)[0]
	w.out.ID = key.ID
	row, known := w.get(key)
	row.Key = key
	given, _ := w.conversation()
	t := &talk{row, known, document(row), given.without("id"), state[conversationState](row)}
	t.doc.fill("id", given.get("id"))
	t.doc.fill("createdAt", moment(w.now))
	return t
}

// converse applies an activity about a conversation: it is merged with the fields that are
// told, and then as the type says.
func converse(w *work) error {
	t := w.talk()
	before := t.doc.text("conversationStatus")
	told, err := w.turnTalk(t, before)
	if err != nil {
		return err
	}
	doc := t.doc.merge(t.given)
	if err := checkStatus(before, doc.text("conversationStatus")); err != nil && w.Source == nil {
		return err
	}
	if status := doc.text("conversationStatus"); isOver(status) && t.state.EndedAt == 0 {
		t.state.EndedAt = w.at.UnixMicro()
	}
	w.keepTalk(t, doc)
	if told {
		row, _ := w.get(t.row.Key)
		w.say(w.Type, w.at, "conversation:"+w.out.ID, w.signedTalk(row))
	}
	return nil
}

// checkStatus refuses a status that cannot follow the one before.
func checkStatus(before, after string) error {
	next := conversationNext(before)
	switch {
	case before == after, next == nil && !isOver(before), slices.Contains(next, after):
		return nil
	case !isOver(after) && conversationNext(after) == nil && !isOver(before):
		return nil // not one of the vendor's documented ones
	case isOver(before):
		return conflict("the conversation is %s, and that is its end; allowed: conversation.analysis_completed, "+
			"conversation.updated of other fields", before)
	}
	return conflict("the conversation's status is %s; allowed: %s", before, strings.Join(next, ", "))
}

// keepTalk keeps a conversation if it has changed.
func (w *work) keepTalk(t *talk, doc object) {
	kept := keep(t.state)
	if t.known && string(kept) == string(t.row.State) && same(t.doc.encode(), doc.encode()) {
		return
	}
	if t.given.get("updatedAt") == nil {
		doc.remove("updatedAt")
		doc.set("updatedAt", moment(w.at))
	}
	t.row.Doc, t.row.State = doc.encode(), kept
	w.put(t.row)
}

func (w *work) signedTalk(row Row) object {
	data := object{{"conversation", row.Doc}}
	w.signFlat(&data)
	return data
}

// turnTalk decides what an activity does to a conversation, and whether it is told.
func (w *work) turnTalk(t *talk, status string) (told bool, err error) {
	switch w.Type {
	case "conversation.user_joined":
		return w.joinTalk(t, status)
	case "conversation.user_left":
		return w.leaveTalk(t, status)
	case "conversation.completed":
		return w.completeTalk(t, status), nil
	case "conversation.analysis_completed":
		return w.analyseTalk(t, status)
	}
	return false, nil
}

// tooLateFor reports whether an activity happened after a conversation's end.
func (w *work) tooLateFor(t *talk, status string) bool {
	return isOver(status) && w.at.After(time.UnixMicro(t.state.EndedAt))
}

func refuseOver(status string) error {
	return conflict("the conversation is %s; allowed: conversation.analysis_completed, and a user who joined or left "+
		"before the end", status)
}

func (w *work) joinTalk(t *talk, status string) (told bool, err error) {
	switch {
	case t.state.In || isOver(status) && t.doc.get("userJoinTime") != nil && !w.tooLateFor(t, status):
		return false, nil
	case w.tooLateFor(t, status) && w.Source == nil:
		return false, refuseOver(status)
	}
	if left := t.doc.time("userLeaveTime"); !left.IsZero() && !w.at.After(left) {
		return w.joinedBefore(t, status), nil
	}
	t.given.fill("userJoinTime", moment(w.at))
	if isOver(status) {
		t.given.remove("conversationStatus")
		return true, nil
	}
	if t.state.In = true; t.doc.get("userLeaveTime") != nil {
		t.doc.set("userLeaveTime", value("null")) // is back
	}
	t.given.fill("conversationStatus", quote("active"))
	return true, nil
}

// joinedBefore takes a join that is told after the leave that ended it: nobody is in
// again by that.
func (w *work) joinedBefore(t *talk, status string) (told bool) {
	if isOver(status) {
		t.given.remove("conversationStatus")
	}
	if t.doc.get("userJoinTime") != nil {
		return false
	}
	t.given.fill("userJoinTime", moment(w.at))
	return true
}

// leaveTalk applies a leave. One without a join is legal: the call was not answered.
func (w *work) leaveTalk(t *talk, status string) (told bool, err error) {
	switch {
	case !t.state.In && t.doc.get("userLeaveTime") != nil:
		return false, nil
	case w.tooLateFor(t, status) && w.Source == nil:
		return false, refuseOver(status)
	}
	if isOver(status) {
		t.given.remove("conversationStatus")
	}
	t.state.In = false
	t.given.fill("userLeaveTime", moment(w.at))
	return true, nil
}

func (w *work) completeTalk(t *talk, status string) (told bool) {
	switch {
	case isOver(status):
		t.given.remove("conversationStatus")
	case !isOver(t.given.text("conversationStatus")):
		t.given.set("conversationStatus", quote("completed"))
	}
	if t.state.Over {
		return false
	}
	if t.doc.get("callEndTime") == nil {
		t.given.fill("callEndTime", moment(w.at))
	}
	t.state.Over, t.state.In = true, false
	return true
}

func (w *work) analyseTalk(t *talk, status string) (told bool, err error) {
	switch {
	case !t.known && w.Source == nil:
		return false, notFound("conversation", "id")
	case !isOver(status) && w.Source == nil:
		return false, conflict("the conversation is not over; allowed: conversation.completed")
	case isOver(status):
		t.given.remove("conversationStatus")
	}
	told = !t.state.Analysed
	t.state.Analysed = true
	return told, nil
}
