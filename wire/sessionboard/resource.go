package sessionboard

import (
	"encoding/json"

	"github.com/callboard/callboard/wire"
)

// Session is an item of an event's programme, or a proposal for one. Source: the
// Session schema of the vendor's API reference, with the three members that only the
// data of webhooks has at its end.
type Session struct {
	ID                wire.ID           `json:"id"`
	FriendlyID        wire.ID           `json:"friendly_id"`     // short, for people
	FriendlyIDRaw     wire.ID           `json:"friendly_id_raw"` // the number in it
	Title             string            `json:"title"`
	Description       string            `json:"description"`
	Status            SessionStatus     `json:"status"`
	CustomStatusID    wire.ID           `json:"custom_status_id"`
	CustomStatus      json.RawMessage   `json:"custom_status"`
	StartsAt          wire.Seconds      `json:"starts_at"`
	EndsAt            wire.Seconds      `json:"ends_at"`
	IsPublic          *bool             `json:"is_public"`
	IsAbstract        *bool             `json:"is_abstract"`
	CompositionStatus string            `json:"composition_status"`
	Composition       json.RawMessage   `json:"composition"`
	ExternalURL       string            `json:"external_url"`
	ClientSessionID   wire.ID           `json:"client_session_id"`
	CreatedAt         wire.Seconds      `json:"created_at"`
	UpdatedAt         wire.Seconds      `json:"updated_at"`
	CEUCredits        json.RawMessage   `json:"ceu_credits"` // continuing education units
	Capacity          *int64            `json:"capacity"`    // people
	CustomFields      []json.RawMessage `json:"custom_fields"`
	TranslatedFields  []json.RawMessage `json:"translated_fields"`
	Speakers          []Participant     `json:"speakers"`
	Chairpersons      []Participant     `json:"chairpersons"`
	Moderators        []Participant     `json:"moderators"`
	Participants      []Participant     `json:"participants"`
	Sponsors          []Sponsor         `json:"sponsors"`
	Exhibitors        []Exhibitor       `json:"exhibitors"`
	Content           json.RawMessage   `json:"content"`
	Tags              []json.RawMessage `json:"tags"`
	Language          *Term             `json:"language"`
	Track             *Term             `json:"track"`
	Level             *Term             `json:"level"`
	Format            *Term             `json:"format"`
	Room              *Term             `json:"room"`
	Subsessions       []Session         `json:"subsessions"`
	AdminURL          string            `json:"admin_url"`
	// DeletedAt comes with session.deleted: the rest is the session as it was last.
	DeletedAt wire.Seconds `json:"deleted_at,omitzero"`
	// Speaker comes with session.speaker.attached and .detached: who it is about.
	Speaker        *Contact       `json:"speaker,omitzero"`
	SourceOfChange SourceOfChange `json:"sourceOfChange,omitzero"` // only of a webhook's data
	Unknown        wire.Fields    `json:"-"`
	Read           wire.Members   `json:"-"` // the members that it was read from; nil if it was built
}

// SessionStatus is what has been decided about a session. Other values may come.
type SessionStatus string

// The documented states of a session.
const (
	StatusAccepted     SessionStatus = "accepted"
	StatusAcceptQueue  SessionStatus = "accept_queue"
	StatusPending      SessionStatus = "pending"
	StatusDeclineQueue SessionStatus = "decline_queue"
	StatusDeclined     SessionStatus = "declined"
)

// Term is one of the values that an event's organizers define: a track, a room, a
// level, a format, a language. The vendor documents that it is an object; what more it
// has, such as a colour or a capacity, is in Unknown.
type Term struct {
	ID      wire.ID      `json:"id"`
	Name    string       `json:"name"`
	Unknown wire.Fields  `json:"-"`
	Read    wire.Members `json:"-"` // the members that it was read from; nil if it was built
}

// Participant is a contact in the role that it has in a session.
type Participant struct {
	Contact
	ParticipantRole *ParticipantRole `json:"participant_role"`
}

// ParticipantRole is what somebody does in a session. Events define their own roles,
// each based on a core role.
type ParticipantRole struct {
	Slug       string       `json:"slug"`
	Name       string       `json:"name"`
	NamePlural string       `json:"name_plural"`
	CoreRole   string       `json:"core_role"`
	Unknown    wire.Fields  `json:"-"`
	Read       wire.Members `json:"-"` // the members that it was read from; nil if it was built
}

// Contact is a person, as a rule one who speaks or might. Source: the Contact schema of
// the vendor's API reference, in which all but the lists are texts.
type Contact struct {
	ID                      wire.ID           `json:"id"`
	FriendlyID              wire.ID           `json:"friendly_id"` // short, for people
	FullName                string            `json:"full_name"`
	FirstName               string            `json:"first_name"`
	LastName                string            `json:"last_name"`
	Email                   string            `json:"email"`
	CreatedAt               wire.Seconds      `json:"created_at"`
	UpdatedAt               wire.Seconds      `json:"updated_at"`
	PhotoURL                string            `json:"photo_url"`
	CompanyName             string            `json:"company_name"`
	Title                   string            `json:"title"` // of the job
	About                   string            `json:"about"`
	PhoneHome               string            `json:"phone_home"`
	PhoneMobile             string            `json:"phone_mobile"`
	AddressLine1            string            `json:"address_line_1"`
	AddressLine2            string            `json:"address_line_2"`
	AddressCity             string            `json:"address_city"`
	AddressState            string            `json:"address_state"`
	AddressPostalCode       string            `json:"address_postal_code"`
	AddressCountry          string            `json:"address_country"`
	WebsiteURL              string            `json:"website_url"`
	LinkedInURL             string            `json:"linkedin_url"`
	TwitterURL              string            `json:"twitter_url"`
	FacebookURL             string            `json:"facebook_url"`
	Honorific               string            `json:"honorific"`
	Salutation              string            `json:"salutation"`
	Pronouns                string            `json:"pronouns"`
	Gender                  string            `json:"gender"`
	PastCompanies           string            `json:"past_companies"`
	EducationalAffiliation  string            `json:"educational_affiliation"`
	HighestLevelOfEducation string            `json:"highest_level_of_education"`
	Ethnicity               string            `json:"ethnicity"`
	Languages               string            `json:"languages"`
	SpeakerScore            string            `json:"speaker_score"`
	OrganizationContact     string            `json:"organization_contact"`
	SpeakerFee              string            `json:"speaker_fee"`
	Availability            string            `json:"availability"`
	PreferredSessionFormat  string            `json:"preferred_session_format"`
	AnnualRevenue           string            `json:"annual_revenue"`
	Headcount               string            `json:"headcount"`
	YearsInOperation        string            `json:"years_in_operation"`
	OrganizationStructure   string            `json:"organization_structure"`
	Industry                string            `json:"industry"`
	GlobalRegion            string            `json:"global_region"`
	AudienceType            string            `json:"audience_type"`
	TargetAgeRange          string            `json:"target_age_range"`
	TopicExpertise          string            `json:"topic_expertise"`
	Brand                   string            `json:"brand"`
	TranslatedFields        []json.RawMessage `json:"translated_fields"`
	CustomFields            []json.RawMessage `json:"custom_fields"`
	AdminURL                string            `json:"admin_url"`
	// DeletedAt comes with contact.deleted: the rest is the contact as it was last.
	DeletedAt      wire.Seconds   `json:"deleted_at,omitzero"`
	SourceOfChange SourceOfChange `json:"sourceOfChange,omitzero"` // only of a webhook's data
	Unknown        wire.Fields    `json:"-"`
	Read           wire.Members   `json:"-"` // the members that it was read from; nil if it was built
}

// Sponsor is a company that sponsors an event or a session. Source: the Sponsor schema
// of the vendor's API reference.
type Sponsor struct {
	ID                wire.ID `json:"id"`
	FriendlyID        wire.ID `json:"friendly_id"`     // short, for people
	FriendlyIDRaw     wire.ID `json:"friendly_id_raw"` // the number in it
	Name              string  `json:"name"`
	Description       string  `json:"description"`
	LogoImageURL      string  `json:"logo_image_url"`
	BannerImageURL    string  `json:"banner_image_url"`
	Phone             string  `json:"phone"`
	AddressLine1      string  `json:"address_line_1"`
	AddressLine2      string  `json:"address_line_2"`
	AddressCity       string  `json:"address_city"`
	AddressState      string  `json:"address_state"`
	AddressPostalCode string  `json:"address_postal_code"`
	// AddressCountry has a key that is misspelled in the vendor's schema.
	AddressCountry   string            `json:"address_coutnry"`
	FacebookURL      string            `json:"facebook_url"`
	InstagramURL     string            `json:"instagram_url"`
	LinkedInURL      string            `json:"linkedin_url"`
	SnapchatUsername string            `json:"snapchat_username"`
	TikTokUsername   string            `json:"tiktok_username"`
	TwitterURL       string            `json:"twitter_url"`
	WebsiteURL       string            `json:"website_url"`
	CreatedAt        wire.Seconds      `json:"created_at"`
	UpdatedAt        wire.Seconds      `json:"updated_at"`
	CustomFields     []json.RawMessage `json:"custom_fields"`
	TranslatedFields []json.RawMessage `json:"translated_fields"`
	Contacts         []Contact         `json:"contacts"`
	// DeletedAt comes with the action .deleted: the rest is as it was last.
	DeletedAt      wire.Seconds   `json:"deleted_at,omitzero"`
	SourceOfChange SourceOfChange `json:"sourceOfChange,omitzero"` // only of a webhook's data
	Unknown        wire.Fields    `json:"-"`
	Read           wire.Members   `json:"-"` // the members that it was read from; nil if it was built
}

// Exhibitor is a company that exhibits at an event. Its fields are those of [Sponsor]:
// Callboard's choice, since the vendor's pages do not show them.
type Exhibitor Sponsor
