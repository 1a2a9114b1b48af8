package native

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"

	"github.com/callboard/callboard/wire"
	"github.com/callboard/callboard/wire/oration"
)

// Actor is who did something.
type Actor struct {
	ID      wire.ID      `json:"id,omitzero"`
	Type    ActorType    `json:"type,omitzero"`
	Unknown wire.Fields  `json:"-"`
	Read    wire.Members `json:"-"` // the members that it was read from; nil if it was built
}

// Event is something that people register for, such as a webinar. Its members are
// Zuddl's, but for the number.
type Event struct {
	ID             wire.ID `json:"id,omitzero"`
	OrganizationID wire.ID `json:"organizationId,omitzero"`
	// Number is what Sessionboard calls the event's id; zero if it is missing.
	Number      Int          `json:"number,omitzero"`
	Name        string       `json:"name,omitzero"`
	Description string       `json:"description,omitzero"`
	Identifier  wire.ID      `json:"identifier,omitzero"` // such as event-123
	StartDate   wire.Millis  `json:"startDate,omitzero"`
	EndDate     wire.Millis  `json:"endDate,omitzero"`
	Timezone    string       `json:"timezone,omitzero"` // any text
	Status      EventStatus  `json:"status,omitzero"`
	Type        EventKind    `json:"type,omitzero"`
	Format      EventFormat  `json:"eventFormat,omitzero"`
	CreatedAt   wire.Millis  `json:"createdAt,omitzero"`
	CreatedBy   wire.ID      `json:"createdBy,omitzero"`
	UpdatedAt   wire.Millis  `json:"updatedAt,omitzero"`
	UpdatedBy   wire.ID      `json:"updatedBy,omitzero"`
	Unknown     wire.Fields  `json:"-"`
	Read        wire.Members `json:"-"` // the members that it was read from; nil if it was built
}

// Registration is one person's registration for an event.
type Registration struct {
	ID      wire.ID      `json:"id,omitzero"`
	Profile *Profile     `json:"profile,omitzero"`
	Unknown wire.Fields  `json:"-"`
	Read    wire.Members `json:"-"` // the members that it was read from; nil if it was built
}

// Profile is what a person filled in.
type Profile struct {
	FirstName   string       `json:"firstName,omitzero"`
	LastName    string       `json:"lastName,omitzero"`
	Email       string       `json:"email,omitzero"`
	Company     string       `json:"company,omitzero"`
	Designation string       `json:"designation,omitzero"` // the job's title
	Bio         string       `json:"bio,omitzero"`
	Headline    string       `json:"headline,omitzero"`
	Industry    string       `json:"industry,omitzero"`
	Country     string       `json:"country,omitzero"`
	PhoneNumber string       `json:"phoneNumber,omitzero"`
	Unknown     wire.Fields  `json:"-"`
	Read        wire.Members `json:"-"` // the members that it was read from; nil if it was built
}

// Session is one item of an event's programme, or a proposal for one. Up to Tags its
// members are Zuddl's, and after that Sessionboard's.
type Session struct {
	ID             wire.ID          `json:"id,omitzero"`
	OrganizationID wire.ID          `json:"organizationId,omitzero"`
	Title          string           `json:"title,omitzero"`
	Description    string           `json:"description,omitzero"`
	StartDateTime  wire.Millis      `json:"startDateTime,omitzero"`
	EndDateTime    wire.Millis      `json:"endDateTime,omitzero"`
	Location       Locations        `json:"location,omitzero"`
	Speakers       []Participant    `json:"speakers,omitzero"`
	Sponsors       []SessionSponsor `json:"sponsors,omitzero"`
	// Tags are words, or objects with a name: see TagNames.
	Tags []json.RawMessage `json:"tags,omitzero"`

	FriendlyID        wire.ID           `json:"friendlyId,omitzero"`    // short, for people
	FriendlyIDRaw     wire.ID           `json:"friendlyIdRaw,omitzero"` // the number in it
	Status            SessionStatus     `json:"status,omitzero"`
	CustomStatusID    wire.ID           `json:"customStatusId,omitzero"`
	CustomStatus      json.RawMessage   `json:"customStatus,omitzero"`
	IsPublic          *bool             `json:"isPublic,omitzero"`
	IsAbstract        *bool             `json:"isAbstract,omitzero"`
	CompositionStatus string            `json:"compositionStatus,omitzero"`
	Composition       json.RawMessage   `json:"composition,omitzero"`
	ExternalURL       string            `json:"externalUrl,omitzero"`
	ClientSessionID   wire.ID           `json:"clientSessionId,omitzero"`
	CreatedAt         wire.Millis       `json:"createdAt,omitzero"`
	UpdatedAt         wire.Millis       `json:"updatedAt,omitzero"`
	CEUCredits        json.RawMessage   `json:"ceuCredits,omitzero"` // continuing education units
	Capacity          *Int              `json:"capacity,omitzero"`   // people
	CustomFields      []json.RawMessage `json:"customFields,omitzero"`
	TranslatedFields  []json.RawMessage `json:"translatedFields,omitzero"`
	Chairpersons      []Participant     `json:"chairpersons,omitzero"`
	Moderators        []Participant     `json:"moderators,omitzero"`
	Participants      []Participant     `json:"participants,omitzero"`
	Exhibitors        []Exhibitor       `json:"exhibitors,omitzero"`
	Content           json.RawMessage   `json:"content,omitzero"`
	Language          *Term             `json:"language,omitzero"`
	Track             *Term             `json:"track,omitzero"`
	Level             *Term             `json:"level,omitzero"`
	Format            *Term             `json:"format,omitzero"`
	Room              *Term             `json:"room,omitzero"`
	Subsessions       []Session         `json:"subsessions,omitzero"`
	AdminURL          string            `json:"adminUrl,omitzero"`
	// DeletedAt comes with SessionDeleted: the rest is the session as it was last.
	DeletedAt wire.Millis  `json:"deletedAt,omitzero"`
	Unknown   wire.Fields  `json:"-"`
	Read      wire.Members `json:"-"` // the members that it was read from; nil if it was built
}

// TagNames are the names of the session's tags, without those that have none.
func (s *Session) TagNames() []string {
	var names []string
	for _, tag := range s.Tags {
		var word string
		var object Term
		switch {
		case json.Unmarshal(tag, &word) == nil && word != "":
			names = append(names, word)
		case json.Unmarshal(tag, &object) == nil && object.Name != "":
			names = append(names, object.Name)
		}
	}
	return names
}

// Term is one of the values that an event's organizers define: a track, a room, a level,
// a format, a language. What more it has, such as a colour, is in Unknown.
type Term struct {
	ID      wire.ID      `json:"id,omitzero"`
	Name    string       `json:"name,omitzero"`
	Unknown wire.Fields  `json:"-"`
	Read    wire.Members `json:"-"` // the members that it was read from; nil if it was built
}

// Locations is where a session takes place: one location, as a rule. Both an object and
// an array of such objects are read; one location is written as the object, any other
// number as an array.
type Locations []Location

// First is the first location, the zero Location if there is none.
func (l Locations) First() Location {
	if len(l) == 0 {
		return Location{}
	}
	return l[0]
}

// Location is a place, real or virtual, in which sessions take place.
type Location struct {
	ID      wire.ID      `json:"locationId,omitzero"`
	Name    string       `json:"locationName,omitzero"`
	Type    LocationType `json:"type,omitzero"`
	Link    string       `json:"link,omitzero"`
	Unknown wire.Fields  `json:"-"`
	Read    wire.Members `json:"-"` // the members that it was read from; nil if it was built
}

// Contact is a person whom an organization knows, as a rule one who speaks or might. Its
// members are Sessionboard's.
type Contact struct {
	ID                      wire.ID           `json:"id,omitzero"`
	OrganizationID          wire.ID           `json:"organizationId,omitzero"`
	FriendlyID              wire.ID           `json:"friendlyId,omitzero"` // short, for people
	FullName                string            `json:"fullName,omitzero"`
	FirstName               string            `json:"firstName,omitzero"`
	LastName                string            `json:"lastName,omitzero"`
	Email                   string            `json:"email,omitzero"`
	CreatedAt               wire.Millis       `json:"createdAt,omitzero"`
	UpdatedAt               wire.Millis       `json:"updatedAt,omitzero"`
	PhotoURL                string            `json:"photoUrl,omitzero"`
	CompanyName             string            `json:"companyName,omitzero"`
	Title                   string            `json:"title,omitzero"` // of the job
	About                   string            `json:"about,omitzero"`
	PhoneHome               string            `json:"phoneHome,omitzero"`
	PhoneMobile             string            `json:"phoneMobile,omitzero"`
	AddressLine1            string            `json:"addressLine1,omitzero"`
	AddressLine2            string            `json:"addressLine2,omitzero"`
	AddressCity             string            `json:"addressCity,omitzero"`
	AddressState            string            `json:"addressState,omitzero"`
	AddressPostalCode       string            `json:"addressPostalCode,omitzero"`
	AddressCountry          string            `json:"addressCountry,omitzero"`
	WebsiteURL              string            `json:"websiteUrl,omitzero"`
	LinkedInURL             string            `json:"linkedinUrl,omitzero"`
	TwitterURL              string            `json:"twitterUrl,omitzero"`
	FacebookURL             string            `json:"facebookUrl,omitzero"`
	Honorific               string            `json:"honorific,omitzero"`
	Salutation              string            `json:"salutation,omitzero"`
	Pronouns                string            `json:"pronouns,omitzero"`
	Gender                  string            `json:"gender,omitzero"`
	PastCompanies           string            `json:"pastCompanies,omitzero"`
	EducationalAffiliation  string            `json:"educationalAffiliation,omitzero"`
	HighestLevelOfEducation string            `json:"highestLevelOfEducation,omitzero"`
	Ethnicity               string            `json:"ethnicity,omitzero"`
	Languages               string            `json:"languages,omitzero"`
	SpeakerScore            string            `json:"speakerScore,omitzero"`
	OrganizationContact     string            `json:"organizationContact,omitzero"`
	SpeakerFee              string            `json:"speakerFee,omitzero"`
	Availability            string            `json:"availability,omitzero"`
	PreferredSessionFormat  string            `json:"preferredSessionFormat,omitzero"`
	AnnualRevenue           string            `json:"annualRevenue,omitzero"`
	Headcount               string            `json:"headcount,omitzero"`
	YearsInOperation        string            `json:"yearsInOperation,omitzero"`
	OrganizationStructure   string            `json:"organizationStructure,omitzero"`
	Industry                string            `json:"industry,omitzero"`
	GlobalRegion            string            `json:"globalRegion,omitzero"`
	AudienceType            string            `json:"audienceType,omitzero"`
	TargetAgeRange          string            `json:"targetAgeRange,omitzero"`
	TopicExpertise          string            `json:"topicExpertise,omitzero"`
	Brand                   string            `json:"brand,omitzero"`
	TranslatedFields        []json.RawMessage `json:"translatedFields,omitzero"`
	CustomFields            []json.RawMessage `json:"customFields,omitzero"`
	AdminURL                string            `json:"adminUrl,omitzero"`
	// DeletedAt comes with ContactDeleted: the rest is the contact as it was last.
	DeletedAt wire.Millis  `json:"deletedAt,omitzero"`
	Unknown   wire.Fields  `json:"-"`
	Read      wire.Members `json:"-"` // the members that it was read from; nil if it was built
}

// Participant is a contact in the role that it has in a session.
type Participant struct {
	Contact
	// SpeakerID and URL are Zuddl's names for the contact's id and its website. As a rule
	// there is one of each two: EitherID and EitherURL look at both.
	SpeakerID       wire.ID      `json:"speakerId,omitzero"`
	URL             string       `json:"url,omitzero"`
	ParticipantRole *SessionRole `json:"participantRole,omitzero"`
}

// EitherID is the id or, where there is none, the speakerId.
func (p *Participant) EitherID() wire.ID { return cmp.Or(p.ID, p.SpeakerID) }

// EitherURL is the url or, where there is none, the websiteUrl.
func (p *Participant) EitherURL() string { return cmp.Or(p.URL, p.WebsiteURL) }

// SessionRole is what somebody does in a session. Events define their own roles, each
// based on a core role.
type SessionRole struct {
	Slug       string       `json:"slug,omitzero"`
	Name       string       `json:"name,omitzero"`
	NamePlural string       `json:"namePlural,omitzero"`
	CoreRole   string       `json:"coreRole,omitzero"`
	Unknown    wire.Fields  `json:"-"`
	Read       wire.Members `json:"-"` // the members that it was read from; nil if it was built
}

// Sponsor is a company that sponsors an event or a session. Its members are
// Sessionboard's.
type Sponsor struct {
	ID                wire.ID           `json:"id,omitzero"`
	OrganizationID    wire.ID           `json:"organizationId,omitzero"`
	FriendlyID        wire.ID           `json:"friendlyId,omitzero"`    // short, for people
	FriendlyIDRaw     wire.ID           `json:"friendlyIdRaw,omitzero"` // the number in it
	Name              string            `json:"name,omitzero"`
	Description       string            `json:"description,omitzero"`
	LogoImageURL      string            `json:"logoImageUrl,omitzero"`
	BannerImageURL    string            `json:"bannerImageUrl,omitzero"`
	Phone             string            `json:"phone,omitzero"`
	AddressLine1      string            `json:"addressLine1,omitzero"`
	AddressLine2      string            `json:"addressLine2,omitzero"`
	AddressCity       string            `json:"addressCity,omitzero"`
	AddressState      string            `json:"addressState,omitzero"`
	AddressPostalCode string            `json:"addressPostalCode,omitzero"`
	AddressCountry    string            `json:"addressCountry,omitzero"`
	FacebookURL       string            `json:"facebookUrl,omitzero"`
	InstagramURL      string            `json:"instagramUrl,omitzero"`
	LinkedInURL       string            `json:"linkedinUrl,omitzero"`
	SnapchatUsername  string            `json:"snapchatUsername,omitzero"`
	TikTokUsername    string            `json:"tiktokUsername,omitzero"`
	TwitterURL        string            `json:"twitterUrl,omitzero"`
	WebsiteURL        string            `json:"websiteUrl,omitzero"`
	CreatedAt         wire.Millis       `json:"createdAt,omitzero"`
	UpdatedAt         wire.Millis       `json:"updatedAt,omitzero"`
	CustomFields      []json.RawMessage `json:"customFields,omitzero"`
	TranslatedFields  []json.RawMessage `json:"translatedFields,omitzero"`
	Contacts          []Contact         `json:"contacts,omitzero"`
	// DeletedAt comes with the types that end in .deleted: the rest is as it was last.
	DeletedAt wire.Millis  `json:"deletedAt,omitzero"`
	Unknown   wire.Fields  `json:"-"`
	Read      wire.Members `json:"-"` // the members that it was read from; nil if it was built
}

// Exhibitor is a company that exhibits at an event. Its members are those of [Sponsor].
type Exhibitor Sponsor

// SessionSponsor is a sponsor of a session.
type SessionSponsor struct {
	Sponsor
	// SponsorID and URL are Zuddl's names for the sponsor's id and its website. As a rule
	// there is one of each two: EitherID and EitherURL look at both.
	SponsorID wire.ID `json:"sponsorId,omitzero"`
	URL       string  `json:"url,omitzero"`
}

// EitherID is the id or, where there is none, the sponsorId.
func (s *SessionSponsor) EitherID() wire.ID { return cmp.Or(s.ID, s.SponsorID) }

// EitherURL is the url or, where there is none, the websiteUrl.
func (s *SessionSponsor) EitherURL() string { return cmp.Or(s.URL, s.WebsiteURL) }

// Conversation is a conversation between an agent and a customer, exactly as in the
// dialect of Oration. The types and values of its fields are in package oration.
type Conversation = oration.Conversation

// maxDepth is how deep a session may be nested. Each is scanned again for each that it is
// in, so that without a limit a small body of sessions in sessions would keep the reader
// busy for minutes. Nothing else here nests.
const maxDepth = 64

var errTooDeep = errors.New("is nested more than 64 levels deep")

// UnmarshalJSON reads a JSON object.
func (s *Session) UnmarshalJSON(data []byte) error {
	if depth(data) > maxDepth {
		return errTooDeep
	}
	return s.Read.Unmarshal(data, s, &s.Unknown)
}

// depth counts the levels of a JSON text.
func depth(data []byte) (deepest int) {
	level, inText := 0, false
	for i := 0; i < len(data); i++ {
		switch c := data[i]; {
		case inText && c == '\\':
			i++ // what it escapes does not end the text
		case c == '"':
			inText = !inText
		case inText:
		case c == '{' || c == '[':
			level++
			deepest = max(deepest, level)
		case c == '}' || c == ']':
			level--
		}
	}
	return deepest
}

// UnmarshalJSON reads an object, or an array of objects.
func (l *Locations) UnmarshalJSON(data []byte) error {
	if bytes.HasPrefix(data, []byte("[")) {
		return json.Unmarshal(data, (*[]Location)(l))
	}
	*l = make(Locations, 1)
	return json.Unmarshal(data, &(*l)[0])
}

// MarshalJSON writes one location as an object, any other number as an array.
func (l Locations) MarshalJSON() ([]byte, error) {
	if len(l) == 1 {
		return l[0].MarshalJSON()
	}
	return wire.MarshalValue([]Location(l))
}
