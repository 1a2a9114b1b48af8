package simulator

import (
	"math/rand/v2"
	"time"

	"github.com/callboard/callboard/client"
	"github.com/callboard/callboard/wire/native"
)

// conference is one while its story is written. Minutes are those of the day.
type conference struct {
	*Day
	r                 *rand.Rand
	id, host, company string
	name              string
	guests            map[int]*guest
	began             time.Duration
	clock             time.Duration // when something happened last: no two things happen at once
}

// guest is a participant.
type guest struct {
	person
	id    string
	role  native.ParticipantRole
	stays []stay
}

// The numbers of hosts, companies, conferences and files; see Day.number.
const (
	aHost = 1 + iota
	anotherHost
	aCompany
	aBriefing
	aRoundtable
	aRecording
	anotherRecording
	aDeck
	anAgenda
	aFloorPlan
	guestsFrom = 100
)

// The names of the conferences.
const (
	briefing   = "Speakers' briefing"
	roundtable = "Expert roundtable"
)

// confer tells of the conferences of the day, and of what their hosts keep.
func (d *Day) confer() {
	d.keep()
	d.brief()
	d.discuss()
}

func (d *Day) newConference(n, host int, name string) *conference {
	return &conference{
		Day: d, r: d.random("conference", n), id: d.number(n), host: d.number(host), company: d.number(aCompany), name: name,
		guests: map[int]*guest{},
	}
}

// tick is the given minute, or a second after what happened before.
func (c *conference) tick(minute float64) time.Duration {
	c.clock = max(minutesIn(minute), c.clock+time.Second)
	return c.clock
}

func minutesIn(minute float64) time.Duration {
	return time.Duration(minute * float64(time.Minute)).Truncate(time.Second)
}

// begin begins the conference.
func (c *conference) begin(minute float64) {
	c.say(minute, native.ConferenceStarted)
	c.began = c.clock
}

// say tells of the conference as a whole.
func (c *conference) say(minute float64, eventType native.Type) {
	c.tell(c.tick(minute), eventType, client.Meeting{
		ConferenceID: c.id, HostID: c.host, CompanyID: c.company, ConferenceName: c.name,
	})
}

// guest is the n-th participant, made up when it is first needed.
func (c *conference) guest(n int) *guest {
	if c.guests[n] == nil {
		c.guests[n] = &guest{person: newPerson(c.r, "guest", n), id: c.number(guestsFrom + n), role: native.RoleParticipant}
	}
	return c.guests[n]
}

// participant is what every activity about a guest says.
func (c *conference) participant(g *guest) client.Participant {
	return client.Participant{
		ConferenceID: c.id, HostID: c.host, CompanyID: c.company, ParticipantID: g.id, ParticipantName: g.name(), ParticipantEmail: g.email,
	}
}

func (c *conference) enter(minute float64, n int) {
	g := c.guest(n)
	data := c.participant(g)
	data.ParticipantRole, data.MeetingURL = g.role, "https://meet.example.com/"+c.id
	c.tell(c.tick(minute), native.ConferenceParticipantEntered, data)
	g.stays = append(g.stays, stay{where: c.id, span: span{from: c.clock}, open: true})
}

func (c *conference) leave(minute float64, n int, reason native.ReasonForLeaving) {
	g := c.guest(n)
	data := c.participant(g)
	data.ParticipantRole, data.ReasonForLeaving = g.role, reason
	c.tell(c.tick(minute), native.ConferenceParticipantLeft, data)
	last := &g.stays[len(g.stays)-1]
	last.to, last.open = c.clock, false
}

func (c *conference) promote(minute float64, n int, role native.ParticipantRole) {
	g := c.guest(n)
	g.role = role
	data := c.participant(g)
	data.ParticipantRole = role
	c.tell(c.tick(minute), native.ConferenceParticipantRoleChanged, data)
}

// dial calls somebody: the statuses come some seconds apart.
func (c *conference) dial(minute float64, n int, statuses ...native.DialoutStatus) {
	g := c.guest(n)
	for i, status := range statuses {
		c.tell(c.tick(minute+float64(i)*0.3), native.ConferenceDialoutStatusChanged, client.Dialout{
			ConferenceID: c.id, HostID: c.host, CompanyID: c.company, ParticipantID: g.id, Status: status, PhoneNumber: g.phone,
		})
	}
}

// watch lets viewers come to the live stream, and all but the last go.
func (c *conference) watch(minute float64, from, to int) {
	for n := from; n < to; n++ {
		c.tell(c.tick(minute), native.ConferenceLivestreamEntered, c.participant(c.guest(n)))
	}
	for n := from; n < to-1; n++ {
		data := c.participant(c.guest(n))
		data.ReasonForLeaving = native.ReasonUserExit
		c.tell(c.tick(minute+8), native.ConferenceLivestreamLeft, data)
	}
}

// finish ends the conference, and whatever goes on in it, and settles how long everybody was there.
func (c *conference) finish(minute float64) {
	c.say(minute, native.ConferenceEnded)
	for _, g := range c.guests {
		if n := count(g.stays, span{c.began, c.clock}); n > 0 {
			c.Account.Conferences[Place{c.id, g.id}] = n
		}
	}
}

// recorded tells where the recording is.
func (c *conference) recorded(minute float64, recording int) {
	c.tell(c.tick(minute), native.ConferenceRecordingReady, client.Recording{
		ConferenceID: c.id, HostID: c.host, CompanyID: c.company, RecordingID: c.number(recording),
		DownloadLink: "https://recordings.example.com/" + c.id + ".mp4",
	})
}

// brief is the speakers' briefing: recorded, streamed, and left by all before it ends.
func (d *Day) brief() {
	c := d.newConference(aBriefing, aHost, briefing)
	c.begin(20)
	c.guest(0).role = native.RoleOrganizer
	c.enter(20.2, 0)
	c.say(20.5, native.ConferenceRecordingStarted)
	for n := 1; n < 8; n++ {
		c.enter(20.6+float64(n)*0.4, n)
	}
	c.promote(24, 2, native.RoleModerator)
	c.dial(25, 8, native.DialoutNew, native.DialoutDialed, native.DialoutAnswered)
	c.enter(26.2, 8)
	c.dial(27, 9, native.DialoutNew, native.DialoutDialed, native.DialoutNoAnswer, native.DialoutNew, native.DialoutDialed, native.DialoutRejected)
	c.say(30, native.ConferenceStreamStarted)
	c.tell(c.tick(31), native.ConferenceStreamPreviewUpdated, client.Preview{
		ConferenceID: c.id, HostID: c.host, CompanyID: c.company,
		VideoURL: "https://previews.example.com/" + c.id + ".mp4", ImageURL: "https://previews.example.com/" + c.id + ".jpg",
	})
	c.watch(31.5, 20, 26)
	c.say(41, native.ConferenceBroadcastStarted)
	c.leave(42, 5, native.ReasonUserDropped)
	c.enter(43.5, 5)
	c.leave(44, 7, native.ReasonHostKicked)
	c.say(47, native.ConferenceBroadcastStopped)
	c.say(50, native.ConferenceStreamStopped)
	c.say(51, native.ConferenceRecordingStopped)
	for i, n := range []int{1, 2, 3, 4, 5, 6, 8, 0} {
		c.leave(52+float64(i)*0.8, n, native.ReasonUserExit)
	}
	c.finish(60)
	c.recorded(64, aRecording)
	c.say(66, native.ConferenceTranscriptionReady)
}

// discuss is the experts' roundtable: it begins with a code that was made for the briefing, and its host ends it while
// some are still in it.
func (d *Day) discuss() {
	c := d.newConference(aRoundtable, anotherHost, roundtable)
	c.tell(c.tick(309), native.ConferenceAccessCodeReused, client.AccessCode{
		ConferenceID: c.id, HostID: c.host, CompanyID: c.company, OriginalConferenceID: d.number(aBriefing),
	})
	c.begin(310)
	c.guest(30).role = native.RoleOrganizer
	c.enter(310.3, 30)
	for n := 31; n < 38; n++ {
		c.enter(311+float64(n-31)*0.5+0.4*c.r.Float64(), n)
	}
	c.say(317, native.ConferenceRecordingStarted)
	c.promote(320, 33, native.RoleModerator)
	c.dial(330, 40, native.DialoutNew, native.DialoutDialed, native.DialoutCancelled)
	c.dial(334, 41, native.DialoutNew, native.DialoutDialed, native.DialoutAnswered)
	c.enter(335.5, 41)
	c.leave(350, 32, native.ReasonUserDropped)
	c.enter(352, 32)
	c.leave(360, 35, native.ReasonHostKickedBlocked)
	c.promote(365, 31, native.RoleModerator)
	for i, n := range []int{31, 34, 37} {
		c.leave(380+float64(i)*3+2*c.r.Float64(), n, native.ReasonUserExit)
	}
	c.finish(400)
	c.recorded(404, anotherRecording)
}

// keep tells of the hosts' pictures and files.
func (d *Day) keep() {
	host, company := d.number(aHost), d.number(aCompany)
	d.tell(3*time.Minute, native.HostProfilePictureFailed, client.Host{HostID: host, CompanyID: company})
	d.tell(5*time.Minute, native.HostProfilePictureUploaded, client.Host{HostID: host, CompanyID: company})
	file := func(minute float64, eventType native.Type, n int, name string, size int64) {
		d.tell(minutesIn(minute), eventType, client.DriveFile{HostID: host, CompanyID: company, ID: d.number(n), Filename: name, Size: &size})
	}
	file(68, client.DriveFileUploadFinished, aDeck, "slides.pptx", 4_812_333)
	file(70, client.DriveFileProcessed, aDeck, "slides.pptx", 4_812_333)
	file(71, client.DriveFileProcessed, anAgenda, "agenda.pdf", 182_004) // the other way round
	file(72, client.DriveFileUploadFinished, anAgenda, "agenda.pdf", 182_004)
	file(74, native.DriveFileAdded, aFloorPlan, "floor plan.png", 733_801)
	file(200, native.DriveFileDeleted, aFloorPlan, "floor plan.png", 733_801)
}
