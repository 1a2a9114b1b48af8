package zuddl

import "slices"

// Action says what happened: the member "action" of a webhook. It is an open list:
// a value that has no constant here is read and written like the others. The vendor's
// list gives names without explanations; what is said beside a name is read from it.
type Action string

// The actions of the pages that this package was made from, the vendor pages "joined
// session" and "time spent in session".
const (
	JoinedSession      Action = "JOINED_SESSION"        // somebody entered a session
	TimeSpentInSession Action = "TIME_SPENT_IN_SESSION" // sent an hour after the event's end to those who spent time in it
)

// The other documented actions about an event and those who take part in it.
const (
	Registered       Action = "REGISTERED"
	Attended         Action = "ATTENDED"            // of those registered, somebody came
	NoShow           Action = "NO_SHOW"             // of those registered, somebody did not come
	Entered          Action = "ENTERED"             // somebody entered the event
	TimeSpentInEvent Action = "TIME_SPENT_IN_EVENT" // sent an hour after the event's end
	EventCreated     Action = "EVENT_CREATED"
	EventUpdated     Action = "EVENT_UPDATED"

	EventAddedInSeries      Action = "EVENT_ADDED_IN_SERIES"
	EventAddedInHub         Action = "EVENT_ADDED_IN_HUB"
	OnDemandSettingUpdated  Action = "ON_DEMAND_SETTING_UPDATED" // whether and how the recordings can be watched afterwards
	RegistrationForOnDemand Action = "REGISTRATION_FOR_ON_DEMAND"
	AttendedOnDemand        Action = "ATTENDED_ON_DEMAND"
)

// The documented actions about invitations and registrations.
const (
	Invited                     Action = "INVITED"
	InviteDeclined              Action = "INVITE_DECLINED"
	RegistrationAttempted       Action = "REGISTRATION_ATTEMPTED" // begun
	RegistrationAbandoned       Action = "REGISTRATION_ABANDONED" // begun and not finished
	RegistrationPendingApproval Action = "REGISTRATION_PENDING_APPROVAL"
	RegistrationRejected        Action = "REGISTRATION_REJECTED"
	Approved                    Action = "APPROVED"
	ApprovedNotRegistered       Action = "APPROVED_NOT_REGISTERED"
	AssignedNotRegistered       Action = "ASSIGNED_NOT_REGISTERED"
	RegistrationDataModified    Action = "REGISTRATION_DATA_MODIFIED"
	RegistrationDelete          Action = "REGISTRATION_DELETE"
	SessionRegistration         Action = "SESSION_REGISTRATION" // for one session
	TicketModified              Action = "TICKET_MODIFIED"
	UnassignedTicket            Action = "UNASSIGNED_TICKET"
	TicketTransferred           Action = "TICKET_TRANSFERRED"
	AddOnModified               Action = "ADD_ON_MODIFIED"
	CouponCodeModified          Action = "COUPON_CODE_MODIFIED"
)

// The documented actions about what somebody does at an event.
const (
	AnsweredPoll         Action = "ANSWERED_POLL"
	AskedQuestion        Action = "ASKED_QUESTION"
	QuestionUpvoted      Action = "QUESTION_UPVOTED"
	AnsweredSurvey       Action = "ANSWERED_SURVEY"
	CTAClicked           Action = "CTA_CLICKED" // a call to action
	JoinedBreakoutRoom   Action = "JOINED_BREAKOUT_ROOM"
	JoinedBooth          Action = "JOINED_BOOTH"
	JoinedDiscussionRoom Action = "JOINED_DISCUSSION_ROOM"
	WatchedVOD           Action = "WATCHED_VOD" // video on demand

	TimeSpentInBooth          Action = "TIME_SPENT_IN_BOOTH"
	TimeSpentInDiscussionRoom Action = "TIME_SPENT_IN_DISCUSSION_ROOM"
)

// The documented actions about leads.
const (
	LeadAdded                     Action = "LEAD_ADDED"
	LeadCaptureFieldsDataModified Action = "LEAD_CAPTURE_FIELDS_DATA_MODIFIED"
	LeadEnrichment                Action = "LEAD_ENRICHMENT"
)

// The documented actions that sum up in one webhook what others report one by one.
const (
	AggregatedTimeSpentInSession        Action = "AGGREGATED_TIME_SPENT_IN_SESSION"
	AggregatedTimeSpentInBooth          Action = "AGGREGATED_TIME_SPENT_IN_BOOTH"
	AggregatedTimeSpentInDiscussionRoom Action = "AGGREGATED_TIME_SPENT_IN_DISCUSSION_ROOM"
	AggregatedPollAnswered              Action = "AGGREGATED_POLL_ANSWERED"
	AggregatedQuestionAsked             Action = "AGGREGATED_QUESTION_ASKED"
	AggregatedQuestionUpvoted           Action = "AGGREGATED_QUESTION_UPVOTED"
	AggregatedSurveyAnswered            Action = "AGGREGATED_SURVEY_ANSWERED"
	AggregatedCTAClicked                Action = "AGGREGATED_CTA_CLICKED"
	AggregatedWatchedVOD                Action = "AGGREGATED_WATCHED_VOD"
	AggregatedJoinedBreakoutRoom        Action = "AGGREGATED_JOINED_BREAKOUT_ROOM"
)

// Actions that are not in the vendor's list of 55 but appear on other of its pages.
const (
	TimeSpentInStage  Action = "TIME_SPENT_IN_STAGE"
	TimeSpentInBooths Action = "TIME_SPENT_IN_BOOTHS" // the plural of TIME_SPENT_IN_BOOTH
)

// Actions lists all that have a constant: the 55 documented ones in the order of this
// page, then the two from elsewhere. The caller may change the slice.
func Actions() []Action {
	return slices.Concat(
		[]Action{JoinedSession, TimeSpentInSession},
		[]Action{
			Registered, Attended, NoShow, Entered, TimeSpentInEvent, EventCreated, EventUpdated,
			EventAddedInSeries, EventAddedInHub, OnDemandSettingUpdated, RegistrationForOnDemand, AttendedOnDemand,
		},
		[]Action{
			Invited, InviteDeclined, RegistrationAttempted, RegistrationAbandoned, RegistrationPendingApproval,
			RegistrationRejected, Approved, ApprovedNotRegistered, AssignedNotRegistered, RegistrationDataModified,
			RegistrationDelete, SessionRegistration, TicketModified, UnassignedTicket, TicketTransferred, AddOnModified,
			CouponCodeModified,
		},
		[]Action{
			AnsweredPoll, AskedQuestion, QuestionUpvoted, AnsweredSurvey, CTAClicked, JoinedBreakoutRoom, JoinedBooth,
			JoinedDiscussionRoom, WatchedVOD, TimeSpentInBooth, TimeSpentInDiscussionRoom,
		},
		[]Action{LeadAdded, LeadCaptureFieldsDataModified, LeadEnrichment},
		[]Action{
			AggregatedTimeSpentInSession, AggregatedTimeSpentInBooth, AggregatedTimeSpentInDiscussionRoom,
			AggregatedPollAnswered, AggregatedQuestionAsked, AggregatedQuestionUpvoted, AggregatedSurveyAnswered,
			AggregatedCTAClicked, AggregatedWatchedVOD, AggregatedJoinedBreakoutRoom,
		},
		[]Action{TimeSpentInStage, TimeSpentInBooths},
	)
}
