package oration

import (
	"encoding/json"
	"errors"
	"strings"

	"github.com/callboard/callboard/wire"
)

// Conversation is a conversation between an agent and a customer, as the vendor's
// page shows it, followed by what only its newer generation has. Every value but the
// id may be null there; here it is the field's zero value.
type Conversation struct {
	// ID is the conversation's id, conv_….
	ID wire.ID `json:"id"`
	// PhoneID is the workspace's phone, phone_….
	PhoneID wire.ID `json:"phoneId"`
	// AgentID is the AI agent, agent_….
	AgentID wire.ID `json:"agentId"`
	// WorkspaceID is the tenant, ws_….
	WorkspaceID wire.ID `json:"workspaceId"`
	// WSURL is the conversation's web socket. The newer generation does not have it.
	WSURL string `json:"wsUrl"`
	// LLMURL is the conversation at the language model. The newer generation does not
	// have it.
	LLMURL string `json:"llmUrl"`
	// CallStartTime is when the call began.
	CallStartTime wire.Millis `json:"callStartTime"`
	// CallEndTime is when the call ended; zero before.
	CallEndTime wire.Millis `json:"callEndTime"`
	// UserJoinTime is when the customer joined; zero for one who never did.
	UserJoinTime wire.Millis `json:"userJoinTime"`
	// UserLeaveTime is when the customer left. It may be set although UserJoinTime is
	// not.
	UserLeaveTime wire.Millis `json:"userLeaveTime"`
	// CustomerID is the customer's id, cust_….
	CustomerID wire.ID `json:"customerId"`
	// Customer is the customer; nil if the payload has none.
	Customer *Customer `json:"customer"`
	// ToPhoneNumber is the number that was called, as +1234567890.
	ToPhoneNumber string `json:"toPhoneNumber"`
	// FromPhoneNumber is the number that called.
	FromPhoneNumber string `json:"fromPhoneNumber"`
	// ConversationStatus is how far the conversation is.
	ConversationStatus ConversationStatus `json:"conversationStatus"`
	// TelephonyType says who called whom.
	TelephonyType TelephonyType `json:"telephonyType"`
	// TelephonyStatus is what the telephony says of the call. Its values are not
	// documented; the page shows active.
	TelephonyStatus string `json:"telephonyStatus"`
	// EndReason is why the conversation ended; "" before.
	EndReason EndReason `json:"endReason"`
	// RecordingStatus is how far the recording is; "" if there is none.
	RecordingStatus RecordingStatus `json:"recordingStatus"`
	// PostCallNotes are notes made after the call. The newer generation does not have
	// them.
	PostCallNotes string `json:"postCallNotes"`
	// PostCallCategory1 is the coarsest of three categories that the call was put into.
	// The newer generation has none of them.
	PostCallCategory1 string `json:"postCallCategory1"`
	// PostCallCategory2 is the second category.
	PostCallCategory2 string `json:"postCallCategory2"`
	// PostCallCategory3 is the third category.
	PostCallCategory3 string `json:"postCallCategory3"`
	// PostCallMetadata is what the analysis found out, of a form that is not documented.
	PostCallMetadata json.RawMessage `json:"postCallMetadata"`
	// ConversationType is the way in which the two talk.
	ConversationType ConversationType `json:"conversationType"`
	// DynamicVariables are the variables that the conversation was started with.
	DynamicVariables Variables `json:"dynamicVariables"`
	// Summary is the analysis' summary, "" before it. The newer generation does not have
	// it.
	Summary string `json:"summary"`
	// CampaignID is the campaign that the conversation belongs to, if any.
	CampaignID wire.ID `json:"campaignId"`
	// CampaignRunID is the campaign's run.
	CampaignRunID wire.ID `json:"campaignRunId"`
	// CreatedAt is when the conversation was created.
	CreatedAt wire.Millis `json:"createdAt"`
	// UpdatedAt is when it last changed, and the nearest there is to the event's time.
	UpdatedAt wire.Millis `json:"updatedAt"`

	// FlowID is the flow that the agent follows. It and all that follows is of the newer
	// generation of EventCompleted and EventAnalysisCompleted.
	FlowID wire.ID `json:"flowId,omitzero"`
	// AgentJoinTime is when the agent joined.
	AgentJoinTime wire.Millis `json:"agentJoinTime,omitzero"`
	// AgentLeaveTime is when the agent left.
	AgentLeaveTime wire.Millis `json:"agentLeaveTime,omitzero"`
	// TransferStartTime is when the agent began to transfer the call to somebody.
	TransferStartTime wire.Millis `json:"transferStartTime,omitzero"`
	// TransferEndTime is when the transfer ended.
	TransferEndTime wire.Millis `json:"transferEndTime,omitzero"`
	// TransferUserJoinTime is when the person joined to whom the call was transferred.
	TransferUserJoinTime wire.Millis `json:"transferUserJoinTime,omitzero"`
	// TransferUserLeaveTime is when that person left.
	TransferUserLeaveTime wire.Millis `json:"transferUserLeaveTime,omitzero"`
	// TransferStatus is how far the transfer is. Its values are not documented.
	TransferStatus string `json:"transferStatus,omitzero"`
	// TransferDestination is where the call was transferred to.
	TransferDestination string `json:"transferDestination,omitzero"`
	// RecordingURL is where the recording can be fetched.
	RecordingURL string `json:"recordingUrl,omitzero"`
	// Transcript is what was said. EventAnalysisCompleted alone has it; its form is not
	// documented.
	Transcript json.RawMessage `json:"transcript,omitzero"`

	// Unknown are the members without a field.
	Unknown wire.Fields `json:"-"`
	// Read remembers the members that it was read from; nil if it was built.
	Read wire.Members `json:"-"`
}

// UnmarshalJSON reads a conversation of either generation.
func (c *Conversation) UnmarshalJSON(data []byte) error { return c.Read.Unmarshal(data, c, &c.Unknown) }

// MarshalJSON writes the conversation with the members that the package's comment tells.
func (c Conversation) MarshalJSON() ([]byte, error) { return c.Read.Marshal(c, c.Unknown) }

// Has reports whether the member of this name was there when the conversation was read, be
// it null or empty; of one that was built, whether it is written.
func (c *Conversation) Has(name string) bool { return c.Read.Has(name, c, c.Unknown) }

// Customer is the person that a conversation is with, as the vendor's page shows it,
// followed by what only the newer generation has.
type Customer struct {
	// Name is the full name.
	Name string `json:"name"`
	// ID is the customer's id, cust_….
	ID wire.ID `json:"id"`
	// CreatedAt is when the customer was created.
	CreatedAt wire.Millis `json:"createdAt"`
	// UpdatedAt is when it last changed.
	UpdatedAt wire.Millis `json:"updatedAt"`
	// WorkspaceID is the tenant, ws_….
	WorkspaceID wire.ID `json:"workspaceId"`
	// Email is the e-mail address.
	Email string `json:"email"`
	// PhoneNumber is the phone number, as +1234567890.
	PhoneNumber string `json:"phoneNumber"`
	// Identifier is the name by which the workspace's owner knows the customer.
	Identifier wire.ID `json:"identifier"`
	// Priority orders customers. The page shows 1 and does not say which way.
	Priority *int `json:"priority"`
	// SourceFile is the file that the customer was imported from, if any.
	SourceFile string `json:"sourceFile"`
	// IsDoNotDisturbEnabled says that the customer must not be called.
	IsDoNotDisturbEnabled *bool `json:"isDoNotDisturbEnabled"`
	// Metadata is an object with fields that the workspace's owner defines.
	Metadata json.RawMessage `json:"metadata"`

	// Source is where the customer came from. It is of the newer generation.
	Source *Source `json:"source,omitzero"`

	// Unknown are the members without a field.
	Unknown wire.Fields `json:"-"`
	// Read remembers the members that it was read from; nil if it was built.
	Read wire.Members `json:"-"`
}

// UnmarshalJSON reads a customer of either generation.
func (c *Customer) UnmarshalJSON(data []byte) error { return c.Read.Unmarshal(data, c, &c.Unknown) }

// MarshalJSON writes the customer with the members that the package's comment tells.
func (c Customer) MarshalJSON() ([]byte, error) { return c.Read.Marshal(c, c.Unknown) }

// Has reports whether the member of this name was there when the customer was read, be
// it null or empty; of one that was built, whether it is written.
func (c *Customer) Has(name string) bool { return c.Read.Has(name, c, c.Unknown) }

// Source is where a customer came from, in the newer generation: {method}.
type Source struct {
	// Method is the way in which the customer was added. Its values are not documented.
	Method string `json:"method"`
	// Unknown are the members without a field.
	Unknown wire.Fields `json:"-"`
	// Read remembers the members that it was read from; nil if it was built.
	Read wire.Members `json:"-"`
}

// UnmarshalJSON reads a source.
func (s *Source) UnmarshalJSON(data []byte) error { return s.Read.Unmarshal(data, s, &s.Unknown) }

// MarshalJSON writes the source with the members that the package's comment tells.
func (s Source) MarshalJSON() ([]byte, error) { return s.Read.Marshal(s, s.Unknown) }

// Has reports whether the member of this name was there when the source was read, be
// it null or empty; of one that was built, whether it is written.
func (s *Source) Has(name string) bool { return s.Read.Has(name, s, s.Unknown) }

// Variables is a JSON object as text, such as {"source": "website"}: webhooks have it
// inside a JSON string. The text may be anything, for the vendor does not promise an
// object; package encoding/json reads it after a conversion to []byte.
type Variables string

// errVariables is what is wrong with variables that are something else.
var errVariables = errors.New("is neither a string nor an object")

// UnmarshalJSON reads a string, which the webhooks have, or an object, which the
// vendor's API has, and takes either for the object's text.
func (v *Variables) UnmarshalJSON(data []byte) error {
	switch {
	case len(data) > 0 && data[0] == '"':
		var text string
		err := json.Unmarshal(data, &text)
		*v = Variables(text)
		return err
	case len(data) > 0 && data[0] == '{':
		// Bytes that a JSON string cannot hold would be written in another way each time.
		*v = Variables(strings.ToValidUTF8(string(data), "\ufffd"))
		return nil
	}
	return errVariables
}

// ConversationStatus is how far a conversation is. The values come from the vendor's
// documents, the meanings from their names; others may come.
type ConversationStatus string

// The statuses of a conversation that are known.
const (
	StatusQueued    ConversationStatus = "queued"    // waits for its turn
	StatusDialing   ConversationStatus = "dialing"   // the customer's phone rings
	StatusActive    ConversationStatus = "active"    // is going on
	StatusCompleted ConversationStatus = "completed" // is over
	StatusFailed    ConversationStatus = "failed"    // did not come about, or broke off
)

// TelephonyType says who called whom. Others may come.
type TelephonyType string

// The types of telephony that are known.
const (
	TelephonyInbound  TelephonyType = "inbound"  // the customer called
	TelephonyOutbound TelephonyType = "outbound" // the agent called
)

// EndReason is why a conversation ended. Others may come.
type EndReason string

// The reasons for an end that are known.
const (
	EndUserDidNotAnswer    EndReason = "user_did_not_answer"   // the customer did not pick up
	EndUserHangup          EndReason = "user_hangup"           // the customer hung up
	EndUserInactivity      EndReason = "user_inactivity"       // the customer was silent for too long
	EndAgentHangup         EndReason = "agent_hangup"          // the agent hung up
	EndNetworkError        EndReason = "network_error"         // the connection broke
	EndMaxDurationExceeded EndReason = "max_duration_exceeded" // it had reached the longest time allowed
)

// RecordingStatus is how far a conversation's recording is. Others may come.
type RecordingStatus string

// The statuses of a recording that are known.
const (
	RecordingInProgress RecordingStatus = "in_progress" // is being recorded
	RecordingCompleted  RecordingStatus = "completed"   // the recording is done
)

// ConversationType is the way in which agent and customer talk. Others may come.
type ConversationType string

// The types of a conversation that are known.
const (
	TypeChat      ConversationType = "chat"      // in writing
	TypeTelephony ConversationType = "telephony" // by telephone
	TypeWeb       ConversationType = "web"       // by voice in a browser
)
