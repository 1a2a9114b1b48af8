package client

import (
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
