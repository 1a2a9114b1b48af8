package simulator

import "time"

// The day, counted from when the doors open.
const (
	dayLength  = 8 * time.Hour
	eventOpens = 15 * time.Minute // what comes before does not count as time at the event
)

// eventSpan is when the event goes on.
var eventSpan = span{eventOpens, dayLength}

// talk is a session of the programme.
type talk struct {
	id, title, track, room, about string
	span
	capacity int
}

// slot is a time at which talks go on in parallel.
type slot []talk

// skip is in how many of a hundred cases somebody stays away from a slot.
var skips = []int{12, 15, 20, 40}

// programme has the sessions that people attend: an opening, three tracks before and after lunch, and a closing.
var programme = []slot{
	{
		{"opening", "Opening keynote: meeting live again", "Main", "Main stage", "Where live events go from here.", minute(15, 65), 600},
	},
	{
		{"captions", "Captions that help", "Product", "Room 2", "What we learned from the people who read them.", minute(85, 145), 200},
		{"scaling", "Scaling live video", "Engineering", "Main stage", "A million viewers, and what breaks first.", minute(80, 150), 600},
		{"hybrid", "Panel: hybrid events", "Community", "Studio", "Is half of the room at home?", minute(90, 150), 150},
	},
	{
		{"sponsors", "What sponsors want to know", "Product", "Room 2", "Numbers that matter, and those that do not.", minute(225, 290), 200},
		{"webhooks", "Webhooks without tears", "Engineering", "Main stage", "Signed, retried, and told once.", minute(230, 300), 600},
		{"volunteers", "Running on volunteers", "Community", "Studio", "How to find them, and how to keep them.", minute(225, 285), 150},
	},
	{
		{"closing", "Closing remarks and awards", "Main", "Main stage", "Thanks, prizes, and the date of the next one.", minute(420, 465), 600},
	},
}

// cancelled is a session that is taken off the programme in the morning. Nobody attends it.
var cancelled = talk{"yoga", "Yoga in the garden", "Community", "Garden", "Bring a mat.", minute(180, 210), 40}

func minute(from, to int) span {
	return span{time.Duration(from) * time.Minute, time.Duration(to) * time.Minute}
}

// talks are all sessions that people attend.
func talks() (all []talk) {
	for _, s := range programme {
		all = append(all, s...)
	}
	return all
}
