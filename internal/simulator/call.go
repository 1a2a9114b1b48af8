package simulator

import (
	"encoding/json"
	"time"

	"github.com/callboard/callboard/client"
	"github.com/callboard/callboard/wire"
	"github.com/callboard/callboard/wire/native"
	"github.com/callboard/callboard/wire/oration"
)

// call tells of the day's calls between an agent, which is no human, and customers.
func (d *Day) call() {
	d.remind()
	d.miss()
	d.help()
	d.survey()
}

// line is a conversation while its story is written. It says with each activity what is new.
type line struct {
	*Day
	id wire.ID
}

// newLine makes a conversation, and what is known of it from the start.
func (d *Day) newLine(name string, n int, began time.Duration, direction oration.TelephonyType) (line, client.Conversation) {
	who := newPerson(d.random("call", n), "caller", n)
	workspace, customer := wire.Text(d.id("workspace")), wire.Text(d.id(name+"-customer"))
	return line{d, wire.Text(d.id(name))}, client.Conversation{
		AgentID: wire.Text(d.id("concierge")), PhoneID: wire.Text(d.id("line")), WorkspaceID: workspace, CustomerID: customer,
		Customer: &oration.Customer{ID: customer, Name: who.name(), Email: who.email, PhoneNumber: who.phone, WorkspaceID: workspace},
		// Who calls whom is in the direction; these two are always the customer's and the workspace's.
		ToPhoneNumber: who.phone, FromPhoneNumber: "+12025550199",
		ConversationType: oration.TypeTelephony, TelephonyType: direction, CallStartTime: wire.Millis{Time: d.at(began)},
	}
}

func (l line) say(minute float64, eventType native.Type, news client.Conversation) {
	news.ID = l.id
	l.tell(minutesIn(minute), eventType, news)
}

// remind is a call that is answered.
func (d *Day) remind() {
	l, known := d.newLine("reminder", 1, 40*time.Minute, oration.TelephonyOutbound)
	known.ConversationStatus = oration.StatusDialing
	l.say(40, client.ConversationUpdated, known)
	l.say(40.5, native.ConversationUserJoined, client.Conversation{RecordingStatus: oration.RecordingInProgress})
	l.say(44, native.ConversationUserLeft, client.Conversation{})
	l.say(44.1, native.ConversationCompleted, client.Conversation{
		EndReason: oration.EndUserHangup, RecordingStatus: oration.RecordingCompleted,
	})
	l.say(46, native.ConversationAnalysisCompleted, client.Conversation{
		Summary: "Was reminded of the afternoon, and will be there.", PostCallNotes: "Nothing to do.", PostCallCategory1: "Reminder",
		PostCallMetadata: json.RawMessage(`{"sentiment":"positive"}`),
	})
}

// miss is a call that nobody answers: the user leaves without having joined.
func (d *Day) miss() {
	l, known := d.newLine("second-reminder", 2, 50*time.Minute, oration.TelephonyOutbound)
	known.ConversationStatus = oration.StatusDialing
	l.say(50, client.ConversationUpdated, known)
	l.say(50.75, native.ConversationUserLeft, client.Conversation{})
	l.say(50.8, native.ConversationCompleted, client.Conversation{EndReason: oration.EndUserDidNotAnswer})
}

// help is a call from somebody who has lost the way.
func (d *Day) help() {
	l, known := d.newLine("help-line", 3, 215*time.Minute, oration.TelephonyInbound)
	l.say(216, native.ConversationUserJoined, known)
	l.say(221, native.ConversationUserLeft, client.Conversation{})
	l.say(221.2, native.ConversationCompleted, client.Conversation{EndReason: oration.EndUserHangup})
	l.say(223, native.ConversationAnalysisCompleted, client.Conversation{
		Summary: "Asked where the main stage is, and found it.", PostCallCategory1: "Venue",
		Transcript: json.RawMessage(`[{"role":"agent","text":"How can I help?"},{"role":"user","text":"Where is the main stage?"}]`),
	})
}

// survey is one that the agent ends.
func (d *Day) survey() {
	l, known := d.newLine("survey", 4, 429*time.Minute, oration.TelephonyOutbound)
	known.ConversationType = oration.TypeWeb
	l.say(430, native.ConversationUserJoined, known)
	l.say(436, native.ConversationCompleted, client.Conversation{EndReason: oration.EndAgentHangup})
	l.say(438, native.ConversationAnalysisCompleted, client.Conversation{Summary: "Liked the captions.", PostCallCategory1: "Survey"})
}
