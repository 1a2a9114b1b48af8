package store

import (
	"github.com/callboard/callboard/internal/delivery"
	"github.com/callboard/callboard/internal/id"
)

// LogQuery lists deliveries of an app, to all of its endpoints or to one, by message and
// within a message by endpoint.
type LogQuery struct {
	App        id.ID
	Endpoint   id.ID // 0 = all
	Limit      int
	After      delivery.Key // exclusive; zero = from the beginning; Endpoint 0 = behind all of the message
	Ascending  bool         // otherwise newest first
	Since      id.ID        // bounds of message ids, Until exclusive; 0 = none
	Until      id.ID
	States     []delivery.State // nil = all
	EventTypes []string         // nil = all
	Channel    string           // "" = all
	Tag        string           // "" = all
}

// Log is one page of deliveries, with their messages, without payloads. A message may
// have more deliveries than a page has room for, so a page may end within one.
type Log struct {
	Rows []DeliveryRow
	// Done says that no rows follow in this direction.
	Done bool
	// Next is where the following page begins (exclusive), zero if nothing was looked at.
	// A filter that matches little may end a page early: it is then behind the last row.
	Next delivery.Key
}

// Undelivered is what an endpoint has not got, and nobody is sending at the moment.
type Undelivered struct {
	Endpoint        id.ID
	Pending, Failed int64
	// PendingSince and FailedSince are the oldest message of each; 0 = none.
	PendingSince, FailedSince id.ID
	// PendingMore and FailedMore say that counting stopped at the bound: there are at least
	// as many.
	PendingMore, FailedMore bool
}
