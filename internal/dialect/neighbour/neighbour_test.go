package neighbour_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/callboard/callboard/internal/dialect"
	"github.com/callboard/callboard/internal/dialect/neighbour"
	"github.com/callboard/callboard/internal/dialect/shape"
)

// translate puts the data of a message that happened at 05:06:07.891 into the words of a
// kind.
func translate(eventType string, to neighbour.Kind, data string) (string, error) {
	m := dialect.Message{
		Type: eventType, Tenant: "acme", Time: time.Date(2027, 3, 4, 5, 10, 0, 0, time.UTC),
		Payload: []byte(`{"timestamp":"2027-03-04T05:06:07.891Z","data":` + data + `}`),
	}
	b, err := shape.Render(m, "", func(b []byte, s *shape.Source) ([]byte, error) {
		return neighbour.Form(eventType, to).Append(b, s.Data, s)
	})
	return string(b), err
}

// The data from which is translated. Of each kind there are full ones, with members that
// no neighbour has a word for, and those that have only what is required.
const (
	attendance = `{"actor":{"id":"a","type":"AGENT"},` +
		`"event":{"id":"e-1","organizationId":"org-1","number":4001,"name":"Summit","startDate":"2027-03-01","status":"ONGOING"},` +
		`"session":{"id":"s-1","title":"Keynote","description":"d","startDateTime":"2027-03-04T05:00:00Z","endDateTime":"2027-03-04T06:00:00Z","createdAt":"2027-01-02T03:04:05Z","location":[{"locationId":"l","link":"https://m.example/1?a=1&b=2"}],"speakers":[{"id":"c"}],"tags":["x"]},` +
		`"registration":{"id":"r-1","profile":{"firstName":"Anna Maria","lastName":"Berg","email":"anna@example.com","phoneNumber":"+12125550187","company":"Berg AG"}},` +
		`"reasonForLeaving":"host_kicked","new":1}`
	conference = `{"actor":{"id":"a","type":"USER"},"hostId":61803,"companyId":4117,"conferenceId":1258835,"conferenceName":"Standup",` +
		`"conferenceStartedAt":"2027-03-04T05:00:00Z","conferenceEndedAt":"2027-03-04T06:00:00+00:00","participantId":7,"participantRole":"moderator",` +
		`"participantName":" Anna  Maria\tBerg ","participantEmail":"anna@example.com","participantPhoneNumber":"+12125550187",` +
		`"meetingUrl":"https://m.example/1","reasonForLeaving":"user_dropped","timeSpentInMinutes":12,"new":1}`
	conversation = `{"actor":{"id":"a","type":"USER"},"conversation":{"id":"conv_1","phoneId":"phone_1","agentId":"agent_1","workspaceId":"ws_1","callStartTime":"2027-03-04T05:00:00.000Z","callEndTime":"2027-03-04T06:00:00.500Z",` +
		`"userJoinTime":"2027-03-04T05:01:00Z","customerId":"cust_1","customer":{"name":"Anna Maria Berg","id":"cust_2","workspaceId":"ws_1","email":"anna@example.com","phoneNumber":"+12125550187","priority":1},` +
		`"endReason":"network_error","summary":"A question","dynamicVariables":"{}"},"new":1}`

	sparseAttendance   = `{"event":{"id":"e-1"},"session":{"id":"s-1"},"registration":{"id":"r-1"}}`
	sparseConference   = `{"conferenceId":"1258835","participantId":"7"}`
	sparseConversation = `{"conversation":{"id":"conv_1"}}`

	emptyAttendance = `{"event":{"id":"e-1","organizationId":"","name":""},"session":{"id":"s-1","title":"","startDateTime":"","location":[]},` +
		`"registration":{"id":"r-1","profile":{"firstName":"","lastName":null,"email":""}},"reasonForLeaving":""}`
	emptyConference   = `{"conferenceId":1258835,"companyId":"","conferenceName":"","conferenceStartedAt":null,"participantId":7,"participantName":"","participantEmail":""}`
	emptyConversation = `{"conversation":{"id":"conv_1","agentId":null,"workspaceId":"","callStartTime":"","customerId":null,"customer":null,"summary":"","endReason":null}}`
)

// What comes out, where two types have the same.
const (
	attendedConference = `{"actor":{"id":"a","type":"USER"},"event":{"id":"1258835","organizationId":"4117","name":"Standup"},` +
		`"session":{"id":"1258835","title":"Standup","startDateTime":"2027-03-04T05:00:00.000Z","endDateTime":"2027-03-04T06:00:00.000Z"},` +
		`"registration":{"id":"7","profile":{"firstName":"Anna Maria","lastName":"Berg","email":"anna@example.com","phoneNumber":"+12125550187"}},"timeSpentInMinutes":12}`
	attendedSparsely = `{"event":{"id":"1258835"},"session":{"id":"1258835"},"registration":{"id":"7"}}`
	conversed        = `"conversationStatus":"active","conversationType":"web","updatedAt":"2027-03-04T05:06:07.891Z"}}`
	nowCreated       = `"createdAt":"2027-03-04T05:06:07.891Z",`
	joined           = `"userJoinTime":"2027-03-04T05:06:07.891Z",`
	left             = `"userLeaveTime":"2027-03-04T05:06:07.891Z",`

	conversedInSession = `{"conversation":{"id":"s-1","workspaceId":"org-1","callStartTime":"2027-03-04T05:00:00.000Z","customerId":"r-1",` +
		`"customer":{"name":"Anna Maria Berg","id":"r-1","workspaceId":"org-1","email":"anna@example.com","phoneNumber":"+12125550187"},"createdAt":"2027-01-02T03:04:05.000Z",`
	conversedInSessionSparsely = `{"conversation":{"id":"s-1","customerId":"r-1","customer":{"id":"r-1"},` + nowCreated
	conversedInConference      = `{"conversation":{"id":"1258835","agentId":"61803","workspaceId":"4117","callStartTime":"2027-03-04T05:00:00.000Z","customerId":"7",` +
		`"customer":{"name":" Anna  Maria\tBerg ","id":"7","workspaceId":"4117","email":"anna@example.com","phoneNumber":"+12125550187"},"createdAt":"2027-03-04T05:00:00.000Z",`
	conversedInConferenceSparsely = `{"conversation":{"id":"1258835","customerId":"7","customer":{"id":"7"},` + nowCreated
)

// TestTranslations has every translation there is.
func TestTranslations(t *testing.T) {
	t.Parallel()
	translations := []struct {
		eventType           string
		to                  neighbour.Kind
		full, sparse, empty string // the data
		want, wantSparse    string // of sparse and empty data the same comes out
	}{
		{"conference.participant.entered", neighbour.Attendance, conference, sparseConference, emptyConference, attendedConference, attendedSparsely},
		{"conference.participant.time_spent", neighbour.Attendance, conference, sparseConference, emptyConference, attendedConference, attendedSparsely},
		{
			"conversation.user_joined", neighbour.Attendance, conversation, sparseConversation, emptyConversation,
			`{"actor":{"id":"a","type":"USER"},"event":{"id":"conv_1","organizationId":"ws_1","name":"A question"},` +
				`"session":{"id":"conv_1","title":"A question","startDateTime":"2027-03-04T05:00:00.000Z","endDateTime":"2027-03-04T06:00:00.500Z"},` +
				`"registration":{"id":"cust_1","profile":{"firstName":"Anna Maria","lastName":"Berg","email":"anna@example.com","phoneNumber":"+12125550187"}}}`,
			`{"event":{"id":"conv_1"},"session":{"id":"conv_1"}}`,
		},
		{
			"session.joined", neighbour.Conference, attendance, sparseAttendance, emptyAttendance,
			`{"companyId":"org-1","conferenceId":"s-1","participantId":"r-1","participantRole":"participant","meetingUrl":"https://m.example/1?a=1&b=2"}`,
			`{"conferenceId":"s-1","participantId":"r-1","participantRole":"participant"}`,
		},
		{
			"session.left", neighbour.Conference, attendance, sparseAttendance, emptyAttendance,
			`{"companyId":"org-1","conferenceId":"s-1","participantId":"r-1","participantRole":"participant","meetingUrl":"https://m.example/1?a=1&b=2","reasonForLeaving":"host_kicked"}`,
			`{"conferenceId":"s-1","participantId":"r-1","participantRole":"participant","reasonForLeaving":"user_exit"}`,
		},
		{
			"conversation.user_joined", neighbour.Conference, conversation, sparseConversation, emptyConversation,
			`{"hostId":"agent_1","companyId":"ws_1","conferenceId":"conv_1","participantId":"cust_1","participantRole":"participant"}`,
			`{"conferenceId":"conv_1","participantRole":"participant"}`,
		},
		{
			"conversation.user_left", neighbour.Conference, conversation, sparseConversation, emptyConversation,
			`{"hostId":"agent_1","companyId":"ws_1","conferenceId":"conv_1","participantId":"cust_1","participantRole":"participant","reasonForLeaving":"user_dropped"}`,
			`{"conferenceId":"conv_1","participantRole":"participant","reasonForLeaving":"user_exit"}`,
		},
		{"session.joined", neighbour.Conversation, attendance, sparseAttendance, emptyAttendance, conversedInSession + joined + conversed, conversedInSessionSparsely + joined + conversed},
		{"session.left", neighbour.Conversation, attendance, sparseAttendance, emptyAttendance, conversedInSession + left + conversed, conversedInSessionSparsely + left + conversed},
		{"conference.participant.entered", neighbour.Conversation, conference, sparseConference, emptyConference, conversedInConference + joined + conversed, conversedInConferenceSparsely + joined + conversed},
		{"conference.participant.left", neighbour.Conversation, conference, sparseConference, emptyConference, conversedInConference + left + conversed, conversedInConferenceSparsely + left + conversed},
	}
	for _, tt := range translations {
		for name, one := range map[string]struct{ data, want string }{"full": {tt.full, tt.want}, "sparse": {tt.sparse, tt.wantSparse}, "empty": {tt.empty, tt.wantSparse}} {
			got, err := translate(tt.eventType, tt.to, one.data)
			if err != nil {
				t.Errorf("%s to %d, %s: %v", tt.eventType, tt.to, name, err)
			}
			if diff := cmp.Diff(one.want, got); diff != "" {
				t.Errorf("%s to %d, %s (-want +got):\n%s", tt.eventType, tt.to, name, diff)
			}
		}
	}
	if want := countTranslations(); len(translations) != want {
		t.Errorf("%d translations here, want the %d there are", len(translations), want)
	}
}

// types are all that are about meetings, and one that is not.
var types = []string{
	"session.joined", "session.left", "session.time_spent", "session.created", "event.time_spent", "registration.attended",
	"conference.started", "conference.ended", "conference.participant.entered", "conference.participant.left", "conference.participant.role_changed",
	"conference.participant.time_spent", "conference.livestream.entered", "conference.livestream.left",
	"conversation.user_joined", "conversation.user_left", "conversation.completed", "conversation.analysis_completed", "drive.file.added",
}

func countTranslations() (n int) {
	for _, eventType := range types {
		for _, to := range []neighbour.Kind{neighbour.Attendance, neighbour.Conference, neighbour.Conversation} {
			if neighbour.Form(eventType, to) != nil {
				n++
			}
		}
	}
	return n
}

// TestOwnKind expects no translation into the kind that a type is of.
func TestOwnKind(t *testing.T) {
	t.Parallel()
	for _, eventType := range types {
		for prefix, kind := range map[string]neighbour.Kind{"session.": neighbour.Attendance, "conference.": neighbour.Conference, "conversation.": neighbour.Conversation} {
			if strings.HasPrefix(eventType, prefix) && neighbour.Form(eventType, kind) != nil {
				t.Errorf("%s is translated into its own kind", eventType)
			}
		}
	}
}

// TestNames splits full names.
func TestNames(t *testing.T) {
	t.Parallel()
	for full, want := range map[string]string{
		`"Anna"`:                   `,"profile":{"firstName":"Anna"}`,
		`" Anna "`:                 `,"profile":{"firstName":"Anna"}`,
		`"Anna Berg"`:              `,"profile":{"firstName":"Anna","lastName":"Berg"}`,
		`"Anna\u00a0Berg"`:         `,"profile":{"firstName":"Anna","lastName":"Berg"}`,
		`"Anna \"Maria\" von Ö."`:  `,"profile":{"firstName":"Anna \"Maria\" von","lastName":"Ö."}`,
		`"  "`:                     ``,
		`null`:                     ``,
		`"A & B"`:                  `,"profile":{"firstName":"A &","lastName":"B"}`,
		`"\ud83d\ude00 \u003cB\n"`: `,"profile":{"firstName":"😀","lastName":"<B"}`,
	} {
		got, err := translate("conference.participant.entered", neighbour.Attendance, `{"conferenceId":1,"participantId":2,"participantName":`+full+`}`)
		if err != nil {
			t.Errorf("%s: %v", full, err)
		}
		if diff := cmp.Diff(`{"event":{"id":"1"},"session":{"id":"1"},"registration":{"id":"2"`+want+`}}`, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", full, diff)
		}
	}
}

// TestJoinedNames makes full names of what there is.
func TestJoinedNames(t *testing.T) {
	t.Parallel()
	for profile, want := range map[string]string{
		`{"firstName":"Anna","lastName":"Berg"}`: `"name":"Anna Berg",`,
		`{"firstName":"Anna"}`:                   `"name":"Anna",`,
		`{"lastName":"\u003cBerg"}`:              `"name":"<Berg",`,
		`{"firstName":7}`:                        ``,
		`{}`:                                     ``,
		`null`:                                   ``,
		`"Anna"`:                                 ``,
	} {
		got, err := translate("session.left", neighbour.Conversation, `{"session":{"id":1},"registration":{"id":2,"profile":`+profile+`}}`)
		if err != nil {
			t.Errorf("%s: %v", profile, err)
		}
		want := `{"conversation":{"id":"1","customerId":"2","customer":{` + want + `"id":"2"},` + nowCreated + left + conversed
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", profile, diff)
		}
	}
}

// TestReasons gives the reason for leaving that follows from a conversation's end.
func TestReasons(t *testing.T) {
	t.Parallel()
	for end, want := range map[string]string{
		"network_error": "user_dropped", "user_hangup": "user_exit", "agent_hangup": "user_exit", "max_duration_exceeded": "user_exit", "new": "user_exit",
	} {
		got, err := translate("conversation.user_left", neighbour.Conference, `{"conversation":{"id":"c","endReason":"`+end+`"}}`)
		if err != nil || !strings.HasSuffix(got, `"reasonForLeaving":"`+want+`"}`) {
			t.Errorf("%s: %s, error %v, want %s", end, got, err, want)
		}
	}
}

// TestFallBacks take the second of two members.
func TestFallBacks(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		eventType, data, want string
		to                    neighbour.Kind
	}{
		{"conversation.user_joined", `{"conversation":{"id":"c","customer":{"id":"k"}}}`, `"registration":{"id":"k"}`, neighbour.Attendance},
		{"conversation.user_joined", `{"conversation":{"id":"c","customer":{"id":"k"}}}`, `"participantId":"k"`, neighbour.Conference},
		{"session.joined", `{"event":{"id":"e"},"session":{"id":"s","organizationId":"o"}}`, `"companyId":"o"`, neighbour.Conference},
		{"session.joined", `{"session":{"id":"s","organizationId":"o"}}`, `"customer":{"workspaceId":"o"}`, neighbour.Conversation},
	} {
		got, err := translate(tt.eventType, tt.to, tt.data)
		if err != nil || !strings.Contains(got, tt.want) {
			t.Errorf("%s: %s, error %v, want %s in it", tt.data, got, err, tt.want)
		}
	}
}

// TestWrongKinds expects errors that name the member and quote nothing.
func TestWrongKinds(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		eventType, data, want string
		to                    neighbour.Kind
	}{
		{"conference.participant.entered", `{"participantName":["secret"]}`, "registration.profile.firstName must be a string", neighbour.Attendance},
		{"conference.participant.entered", `{"conferenceStartedAt":"secret"}`, "session.startDateTime must be a time", neighbour.Attendance},
		{"conference.participant.time_spent", `{"timeSpentInMinutes":"secret"}`, "timeSpentInMinutes must be a whole number", neighbour.Attendance},
		{"session.joined", `{"session":{"id":["secret"]}}`, "conferenceId must be a string or a number", neighbour.Conference},
		{"conversation.user_left", `{"conversation":{"endReason":{"secret":1}}}`, "reasonForLeaving must be a string", neighbour.Conference},
		{"session.left", `{"registration":{"profile":{"email":{"secret":1}}}}`, "conversation.customer.email must be a string", neighbour.Conversation},
	} {
		got, err := translate(tt.eventType, tt.to, tt.data)
		if !errors.Is(err, dialect.ErrUnrenderable) || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %s, error %v, want one with %q", tt.data, got, err, tt.want)
		}
	}
}
