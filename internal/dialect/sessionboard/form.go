package sessionboard

import (
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/callboard/callboard/internal/dialect/shape"
)

// fields are those with these keys, all of one kind. Callboard calls them the same, but
// in camelCase.
func fields(as shape.Kind, keys string) []shape.Field {
	var all []shape.Field
	for key := range strings.FieldsSeq(keys) {
		all = append(all, shape.Field{Key: key, From: camel(key), As: as})
	}
	return all
}

// camel writes a name such as address_line_1 as addressLine1.
func camel(snake string) string {
	first, rest, _ := strings.Cut(snake, "_")
	for word := range strings.SplitSeq(rest, "_") {
		if word != "" {
			first += strings.ToUpper(word[:1]) + word[1:]
		}
	}
	return first
}

// one is a single field among others.
func one(f shape.Field) []shape.Field { return []shape.Field{f} }

// identity are the fields by which an object of a list is known; zuddls is what Zuddl
// calls its id.
func identity(zuddls string) []shape.Field {
	return slices.Concat(
		one(shape.Field{Key: "id", From: "id|" + zuddls, As: shape.ID()}),
		fields(shape.ID(), "friendly_id"),
	)
}

// anyList is a list of what the vendor does not describe.
var anyList = shape.List(shape.Any())

// sessionFields are those of the vendor's schema, for a session that holds sessions of
// the form sub.
func sessionFields(sub *shape.Form) []shape.Field {
	people, sponsors := shape.List(shape.Nested(participant)), shape.List(shape.Nested(backer))
	return slices.Concat(
		fields(shape.ID(), "id friendly_id"),
		fields(shape.Whole(), "friendly_id_raw"),
		fields(shape.Text(), "title description status"),
		fields(shape.ID(), "custom_status_id"),
		fields(shape.Any(), "custom_status"),
		one(shape.Field{Key: "starts_at", From: "startDateTime", As: shape.Seconds()}),
		one(shape.Field{Key: "ends_at", From: "endDateTime", As: shape.Seconds()}),
		fields(shape.Bool(), "is_public is_abstract"),
		fields(shape.Text(), "composition_status"),
		fields(shape.Any(), "composition"),
		fields(shape.Text(), "external_url"),
		fields(shape.ID(), "client_session_id"),
		fields(shape.Seconds(), "created_at updated_at"),
		fields(shape.Any(), "ceu_credits"),
		fields(shape.Whole(), "capacity"),
		fields(anyList, "custom_fields translated_fields"),
		fields(people, "speakers chairpersons moderators participants"),
		fields(sponsors, "sponsors"),
		one(shape.Field{Key: "exhibitors", As: sponsors, Choice: exhibitorChoice}),
		fields(shape.Any(), "content"),
		fields(anyList, "tags"),
		fields(shape.Nested(term), "language track level format room"),
		fields(shape.List(shape.Nested(sub)), "subsessions"),
		fields(shape.Text(), "admin_url"),
	)
}

const exhibitorChoice = "the vendor's pages do not show an exhibitor; its fields are a sponsor's"

// subsession is a session inside of another one.
var subsession = shape.NewNesting("session", shape.Null, func(self *shape.Form) []shape.Field {
	ends := inner()
	return slices.Concat(sessionFields(self), ends[:1], one(shape.Field{Key: "speaker", As: shape.Any(), Optional: true, Choice: "where it is given"}), ends[1:])
}).Passing("organizationId", "location")

// term is one of the values that an event's organizers define.
var term = shape.New("term", shape.Null,
	shape.Field{Key: "id", As: shape.ID(), Choice: termChoice},
	shape.Field{Key: "name", As: shape.Text(), Choice: termChoice},
).Passing()

const termChoice = "the vendor documents an object, and not what is in it"

// contactFields are those of the vendor's schema after the ids.
var contactFields = slices.Concat(
	fields(shape.Text(), "full_name first_name last_name email"),
	fields(shape.Seconds(), "created_at updated_at"),
	fields(shape.Text(), `photo_url company_name title about phone_home phone_mobile address_line_1 address_line_2 address_city
		address_state address_postal_code address_country website_url linkedin_url twitter_url facebook_url honorific salutation
		pronouns gender past_companies educational_affiliation highest_level_of_education ethnicity languages speaker_score
		organization_contact speaker_fee availability preferred_session_format annual_revenue headcount years_in_operation
		organization_structure industry global_region audience_type target_age_range topic_expertise brand`),
	fields(anyList, "translated_fields custom_fields"),
	fields(shape.Text(), "admin_url"),
)

// participant is a contact in the role that it has in a session.
var participant = shape.New("participant", shape.Null, slices.Concat(
	identity("speakerId"), contactFields, inner(),
	fields(shape.Nested(role), "participant_role"),
)...).Passing("organizationId", "url")

var role = shape.New("role", shape.Null, fields(shape.Text(), "slug name name_plural core_role")...).Passing()

// person is a contact inside of another object.
var person = shape.New("contact", shape.Null, slices.Concat(
	fields(shape.ID(), "id friendly_id"), contactFields, inner(),
)...).Passing("organizationId")

// companyFields are those of a sponsor or exhibitor after the ids.
var companyFields = slices.Concat(
	fields(shape.Whole(), "friendly_id_raw"),
	fields(shape.Text(), `name description logo_image_url banner_image_url phone address_line_1 address_line_2 address_city
		address_state address_postal_code`),
	// The vendor's schema spells it so.
	one(shape.Field{Key: "address_coutnry", From: "addressCountry", As: shape.Text()}),
	fields(shape.Text(), `facebook_url instagram_url linkedin_url snapchat_username tiktok_username twitter_url website_url`),
	fields(shape.Seconds(), "created_at updated_at"),
	fields(anyList, "custom_fields translated_fields"),
	fields(shape.List(shape.Nested(person)), "contacts"),
)

// backer is a sponsor or exhibitor of a session.
var backer = shape.New("sponsor", shape.Null, slices.Concat(
	identity("sponsorId"), companyFields, inner(),
)...).Passing("organizationId", "url")

// inner are the fields of an object inside of another that the vendor's schema does not
// have: as they are given.
func inner() []shape.Field {
	return []shape.Field{
		{Key: "deleted_at", From: "deletedAt", As: shape.Seconds(), Optional: true, Choice: deletedChoice},
		{Key: "sourceOfChange", As: shape.Text(), Optional: true, Choice: "where it is given"},
	}
}

const deletedChoice = "where the object is deleted; the vendor's pages do not show it"

// object is a kind of object that webhooks are about.
type object struct {
	// data is it as the member data has it: what the vendor's schema has, what comes with
	// the change, and what Callboard does not know.
	data *shape.Form
	// resource is it as the API gives it: the same without what comes with the change.
	resource *shape.Form
}

var (
	session   = newObject("session", sessionFields(subsession), []shape.Field{speaker, sourceOfChange}, "organizationId", "location")
	contact   = newObject("contact", slices.Concat(fields(shape.ID(), "id friendly_id"), contactFields), one(sourceOfChange), "organizationId")
	sponsor   = company("sponsor", "")
	exhibitor = company("exhibitor", exhibitorChoice)
)

// newObject makes both forms of a kind of object. What comes with a change is no member
// of a resource, either, if one has a member of that name; nor are those in but.
func newObject(name string, own, change []shape.Field, but ...string) object {
	own = append(own, deletedAt)
	data := shape.New(name, shape.Null, slices.Concat(own, change)...).Passing(but...)
	for _, f := range change {
		but = append(but, f.Key)
	}
	return object{data: data, resource: shape.New(name, shape.Null, own...).Passing(but...)}
}

func company(name, choice string) object {
	own, change := slices.Concat(fields(shape.ID(), "id friendly_id"), companyFields), one(sourceOfChange)
	for _, all := range [][]shape.Field{own, change} {
		for i := range all {
			if all[i].Choice == "" {
				all[i].Choice = choice
			}
		}
	}
	return newObject(name, own, change, "organizationId")
}

// deletedAt is when it was deleted: the rest is the object as it was last.
var deletedAt = shape.Field{
	Key: "deleted_at", From: "deletedAt", As: shape.Seconds(), Optional: true, Choice: deletedChoice,
	Else: shape.Maker{Says: "when it happened, on .deleted", Append: func(b []byte, s *shape.Source) []byte {
		if !strings.HasSuffix(s.Word, ".deleted") {
			return b
		}
		return shape.AtSeconds().Append(b, s)
	}},
}

// speaker is who was attached or detached.
var speaker = shape.Field{
	Key: "speaker", InData: true, As: shape.Nested(person), Optional: true,
	Choice: "the contact; the vendor's pages show no webhook about a speaker",
}

// sourceOfChange says who makes changes: people, or programs in their place.
var sourceOfChange = shape.Field{
	Key: "sourceOfChange", InData: true, As: shape.Text(),
	Choice: "where it is not given, it follows from the actor",
	Else: shape.Maker{Says: "agent if actor.type is AGENT, else user", Append: func(b []byte, s *shape.Source) []byte {
		if actorType(s) == "AGENT" {
			return append(b, `"agent"`...)
		}
		return append(b, `"user"`...)
	}},
}

// actorType is the type of who did it; "" if there is none.
func actorType(s *shape.Source) string {
	v, err := s.Find("actor", "type")
	if err != nil {
		return ""
	}
	return v.String()
}

// webhook is the body of a webhook about an object. Both of its members are written
// from that object.
func webhook(data, metadata *shape.Form) *shape.Form {
	return shape.New("webhook", shape.Null,
		shape.Field{Key: "data", As: shape.Gather(data)},
		shape.Field{Key: "metadata", As: shape.Gather(metadata)},
	)
}

// metadata says what happened, and where the object is.
func metadata(baseURL string) *shape.Form {
	return shape.New("metadata", shape.Null,
		shape.Field{Key: "action", Make: shape.Word()},
		shape.Field{
			Key: "actor_id", From: "actor.id", InData: true, As: shape.NumberID(),
			If: func(s *shape.Source) bool { return actorType(s) != "SYSTEM" },
		},
		shape.Field{Key: "event_id", From: "event.number", InData: true, As: shape.Whole(), If: ofEvent},
		shape.Field{Key: "org_id", From: "organizationId", As: shape.ID(), Else: shape.Tenant()},
		shape.Field{
			Key: "resource_url", Make: resourceURL(strings.TrimRight(baseURL, "/")),
			Choice: "under resourceUrlBase of the app or org, else Callboard's own address, where it gives the object",
		},
		shape.Field{Key: "version", Make: version},
		shape.Field{Key: "datetime", Make: shape.AtSeconds()},
	)
}

// currentVersion is the version of the payload's schema.
const currentVersion = "1"

var version = shape.Maker{
	Says:   "always " + currentVersion,
	Append: func(b []byte, _ *shape.Source) []byte { return append(b, currentVersion...) },
}

// ofEvent reports whether a webhook is about something in an event, and not in the
// organization as a whole.
func ofEvent(s *shape.Source) bool {
	return strings.HasPrefix(s.Word, "session.") || strings.Contains(s.Word, ".event.")
}

// resourceURL makes the address at which an API gives the object.
func resourceURL(baseURL string) shape.Maker {
	return shape.Maker{Says: "where Callboard's API gives the object", Append: func(b []byte, s *shape.Source) []byte {
		id, place := s.About.Get("id").ID(), placeOf(s)
		base := strings.TrimRight(s.ResourceBase, "/")
		if base == "" {
			base = baseURL
		}
		if base == "" || id == "" || place == "" {
			return b
		}
		kind, _, _ := strings.Cut(s.Word, ".")
		return shape.AppendQuote(b, base+"/v1/"+place+"/"+kind+"s/"+url.PathEscape(id))
	}}
}

// placeOf is the part of an address that says to what the object belongs; "" if that
// is not known. An organization is named as the app is: that is where the object can be
// found, whatever organization it says itself that it is of.
func placeOf(s *shape.Source) string {
	if !ofEvent(s) {
		if s.Tenant != "" {
			return "organization/" + url.PathEscape(s.Tenant)
		}
		return ""
	}
	number, err := s.Find("event", "number")
	if err != nil {
		return ""
	}
	n, err := strconv.ParseInt(number.ID(), 10, 64)
	if err != nil {
		return ""
	}
	return "event/" + strconv.FormatInt(n, 10)
}

// other is the webhook of an action that Callboard has no type for: what the vendor sent
// as data, and the metadata with what each has. Its members are written from the
// metadata that came.
var other = shape.New("webhook", shape.Null,
	shape.Field{Key: "data", InData: true, As: shape.Any()},
	shape.Field{Key: "metadata", As: shape.Gather(shape.New("metadata", shape.Null,
		shape.Field{Key: "action", Make: shape.Word()},
		shape.Field{Key: "actor_id", As: shape.NumberID()},
		shape.Field{Key: "event_id", As: shape.NumberID()},
		shape.Field{Key: "org_id", As: shape.ID(), Else: shape.Tenant()},
		shape.Field{Key: "resource_url", As: shape.Text()},
		shape.Field{Key: "version", As: shape.Whole(), Else: version},
		shape.Field{Key: "datetime", As: shape.Seconds(), Else: shape.AtSeconds()},
	).Passing())},
)
