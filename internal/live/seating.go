package live

import (
	"encoding/json"
	"time"
)

// Seating is one participant of a conference as it is shown. Its members that are JSON are
// what was told, null or absent if nothing was. Times are UTC; zero = none.
type Seating struct {
	ParticipantID json.RawMessage `json:"participantId"`
	Name          json.RawMessage `json:"participantName,omitzero"`
	Email         json.RawMessage `json:"participantEmail,omitzero"`
	PhoneNumber   json.RawMessage `json:"participantPhoneNumber,omitzero"`
	Role          json.RawMessage `json:"participantRole,omitzero"`
	// DialoutStatus is how far the last call to the participant came.
	DialoutStatus json.RawMessage `json:"dialoutStatus,omitzero"`

	Present        bool      `json:"present"`
	Watching       bool      `json:"watching"` // the live stream
	FirstEnteredAt time.Time `json:"firstEnteredAt,omitzero"`
	LastLeftAt     time.Time `json:"lastLeftAt,omitzero"`
	Minutes        int64     `json:"minutes"` // so far, between the conference's start and end
	// Late: some of it came after time spent was told.
	Late bool `json:"late"`
}

// Seated tells one participant of a conference, as of a time. Who has not left when the
// conference ends has left with it.
func Seated(conference, participant Row, asOf time.Time) Seating {
	m, doc, s := readMeeting(conference), document(participant), state[participantState](participant)
	seat := Seating{
		ParticipantID: json.RawMessage(doc.get("participantId")),
		Name:          json.RawMessage(doc.get("participantName")),
		Email:         json.RawMessage(doc.get("participantEmail")),
		PhoneNumber:   json.RawMessage(doc.get("participantPhoneNumber")),
		Role:          json.RawMessage(doc.get("participantRole")),
		DialoutStatus: json.RawMessage(doc.get("dialoutStatus")),
		Present:       !m.ended() && s.Edges.open() > 0,
		Watching:      !m.ended() && s.Watching,
		Late:          s.Edges.hasLate(),
	}
	if at, entered := s.Edges.firstJoin(); entered {
		seat.FirstEnteredAt = time.UnixMicro(at).UTC()
	}
	all := s.Edges.presences()
	for _, p := range all {
		switch {
		case !p.Open:
			seat.LastLeftAt = time.UnixMicro(p.Until).UTC()
		case m.ended():
			seat.LastLeftAt = m.endedAt().UTC()
		}
	}
	seat.Minutes = minutes(total(m.countedUntil(asOf).cut(all)))
	return seat
}

// countedUntil is the time in which a conference's participants have counted so far.
func (m *meeting) countedUntil(asOf time.Time) window {
	if m.ended() {
		return m.window()
	}
	counts := window{end: asOf.UnixMicro()}
	if started := m.doc.time("startedAt"); !started.IsZero() {
		counts.start = started.UnixMicro()
	}
	return counts
}
