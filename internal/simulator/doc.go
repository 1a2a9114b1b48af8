// Package simulator makes up a day at an event and tells it to a server, as a platform's backend would: through the
// public API, by package client. It works against any server.
//
// [Script] is pure: the same plan gives the same day. Eight sessions, three of them at a time; hundreds of attendees who
// come late, go early, switch, lose their connection, come back on another device, or never show; two conferences with
// recording, stream, calls and changes of role; calls of an agent that is no human; and what organizers change meanwhile.
// The day makes every type of Callboard's catalogue at least once. [Play] compresses it into a minute, with some of it
// told late, out of order, or twice.
//
// The script keeps an [Account] of who sat where for how long. It is reckoned from the stays that it made up, not from
// joins and leaves, and by nothing of the server's code: so when a server's figures agree with it, both are right.
package simulator
