package client

import (
	"context"
	"iter"
	"time"

	"github.com/callboard/callboard/wire"
	"github.com/callboard/callboard/wire/native"
)

// Conference is a conference as it is now.
type Conference struct {
	ID        wire.ID          `json:"id,omitzero"`
	Status    ConferenceStatus `json:"status,omitzero"`
	HostID    wire.ID          `json:"hostId,omitzero"`    // whose conference it is
	CompanyID wire.ID          `json:"companyId,omitzero"` // the host's
	Name      string           `json:"name,omitzero"`
	StartedAt wire.Millis      `json:"startedAt,omitzero"`
	EndedAt   wire.Millis      `json:"endedAt,omitzero"`
	// EndReason is why it ended, where that is known: idle, if a day passed without activities.
	EndReason string `json:"endReason,omitzero"`
	// Participants are how many are in it.
	Participants native.Int   `json:"participants,omitzero"`
	Recording    RunState     `json:"recording,omitzero"`
	Stream       RunState     `json:"stream,omitzero"`
	Broadcast    RunState     `json:"broadcast,omitzero"`
	Unknown      wire.Fields  `json:"-"` // the members without a field
	Read         wire.Members `json:"-"` // the members that it was read from; nil if it was built
}

// ConferenceStatus is how far a conference is. Other values may come.
type ConferenceStatus string

// The states of a conference.
const (
	ConferenceLive  ConferenceStatus = "live"
	ConferenceEnded ConferenceStatus = "ended"
)

// RunState is how far a recording, a stream or a broadcast is; "" if there was none.
type RunState string

// The states of a recording, a stream and a broadcast.
const (
	Running RunState = "running"
	Stopped RunState = "stopped"
)

// UnmarshalJSON reads a JSON object.
func (c *Conference) UnmarshalJSON(data []byte) error { return c.Read.Unmarshal(data, c, &c.Unknown) }

// MarshalJSON writes a JSON object with the members that it was read from, or that are set.
func (c Conference) MarshalJSON() ([]byte, error) { return c.Read.Marshal(c, c.Unknown) }

// ConferenceParticipant is somebody's part in a conference.
type ConferenceParticipant struct {
	ID             wire.ID   `json:"participantId,omitzero"`
	Name           string    `json:"participantName,omitzero"`
	Email          string    `json:"participantEmail,omitzero"`
	PhoneNumber    string    `json:"participantPhoneNumber,omitzero"`
	Role           string    `json:"participantRole,omitzero"`
	DialoutStatus  string    `json:"dialoutStatus,omitzero"`  // how far the last call to the participant came
	Present        bool      `json:"present"`                 // in the conference now
	Watching       bool      `json:"watching"`                // the live stream, now
	FirstEnteredAt time.Time `json:"firstEnteredAt,omitzero"` // zero = never
	LastLeftAt     time.Time `json:"lastLeftAt,omitzero"`     // zero = never; at the latest the conference's end
	// Minutes is the time spent so far in whole minutes, several devices counted once.
	Minutes int64 `json:"minutes"`
	// Late is true if some of it came after time spent was told.
	Late bool `json:"late"`
}

// Participants are those who are and were in a conference, who came first is first. It reads page by page as
// [Reader.All] does.
func (a App) Participants(ctx context.Context, conferenceID string) iter.Seq2[ConferenceParticipant, error] {
	of := Reader[ConferenceParticipant]{a.at("conference", conferenceID, "participant")}
	return of.All(ctx)
}
