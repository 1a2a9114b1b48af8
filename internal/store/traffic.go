package store

import (
	"cmp"
	"slices"
	"time"

	"github.com/callboard/callboard/internal/id"
)

// TrafficKey names a row of Traffic.
type TrafficKey struct {
	App      id.ID
	Width    time.Duration // one of TrafficWidths
	At       time.Time     // the beginning of the slot; a multiple of Width since 1970, UTC
	Endpoint id.ID
	// Node is the number of the process that counted: each adds to rows of its own.
	Node int
}

// Traffic counts the attempts at an endpoint that began in a slot of time. What a bin
// stands for is package traffic's to know.
type Traffic struct {
	TrafficKey
	Counts []BinCount // in ascending order of bins, none of them twice
}

// BinCount is how many attempts fell into a bin.
type BinCount struct {
	Bin int // 0 … 65535
	N   int64
}

// AddCount adds to a bin of counts that are in order, and gives them back.
func AddCount(counts []BinCount, bin int, n int64) []BinCount {
	at, found := slices.BinarySearchFunc(counts, bin, func(c BinCount, bin int) int { return cmp.Compare(c.Bin, bin) })
	if found {
		counts[at].N += n
		return counts
	}
	return slices.Insert(counts, at, BinCount{Bin: bin, N: n})
}

// AddCounts adds counts to others.
func AddCounts(counts, more []BinCount) []BinCount {
	for _, c := range more {
		counts = AddCount(counts, c.Bin, c.N)
	}
	return counts
}

// TrafficWidth is a width of slots, and for how long they are kept.
type TrafficWidth struct {
	Width time.Duration
	// Keep is how long; zero = as long as messages, and MinTrafficKeep at least.
	Keep time.Duration
}

// MinTrafficKeep is how long the wide slots are kept if messages are kept for less.
const MinTrafficKeep = 8 * 24 * time.Hour

// TrafficWidths are the widths in which every attempt is counted, ascending. Narrow slots
// go soon. With a width for every span of time, whoever draws a chart reads about a
// hundred slots of an endpoint, be it of an hour or of three months.
func TrafficWidths() []TrafficWidth {
	return []TrafficWidth{
		{Width: time.Minute, Keep: 26 * time.Hour},
		{Width: 15 * time.Minute, Keep: 8 * 24 * time.Hour},
		{Width: time.Hour},
		{Width: 24 * time.Hour},
	}
}

// TrafficQuery asks for the traffic of an org, an app or an endpoint.
type TrafficQuery struct {
	Org      string // used if App is 0: all apps of the org that are not deleted
	App      id.ID
	Endpoint id.ID // 0 = all of the app or org
	Width    time.Duration
	// Since is inclusive, Until exclusive; both are the beginning of slots.
	Since, Until time.Time
}
