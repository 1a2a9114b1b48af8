package live

import (
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// form says what a known member must be. null stands for "not set" everywhere but in ids
// and counts that messages rely on.
type form uint8

const (
	aText    form = iota + 1 // a string
	anID                     // a string or a number, and not null
	aRef                     // a string or a number
	aTime                    // a time of RFC 3339
	aNumber                  // a whole number, and not null
	aCount                   // a whole number
	aSize                    // a whole number, at least 0
	aFlag                    // true or false
	aList                    // an array of anything
	aMap                     // an object
	aListOf                  // an array of objects of a shape
	aPlace                   // an object of a shape, or an array of such
	aTagList                 // an array of strings, or objects that have a name
	aVars                    // a string or an object
)

// field is what is known of a member.
type field struct {
	form form
	of   shape
}

// shape is what is known of an object's members. Others are kept as they are. The shapes
// say what the catalogue's schemas say; a test compares them.
type shape map[string]field

// fields gives many members one form.
func (s shape) fields(f form, names string) shape {
	for name := range strings.FieldsSeq(names) {
		s[name] = field{form: f}
	}
	return s
}

// nested gives members a form that has a shape of its own.
func (s shape) nested(f form, of shape, names string) shape {
	for name := range strings.FieldsSeq(names) {
		s[name] = field{f, of}
	}
	return s
}

// with is a copy of the shape, for more members.
func (s shape) with() shape {
	return maps.Clone(s)
}

// The shapes of the objects that messages carry.
var (
	roleShape  = shape{}.fields(aText, "slug name namePlural coreRole")
	termShape  = shape{}.fields(aRef, "id").fields(aText, "name")
	placeShape = shape{}.fields(aRef, "locationId").fields(aText, "locationName type link")

	contactShape = shape{}.fields(anID, "id").fields(aRef, "organizationId friendlyId").
			fields(aTime, "createdAt updatedAt deletedAt").fields(aList, "translatedFields customFields").
			fields(aText, `fullName firstName lastName email photoUrl companyName title about phoneHome phoneMobile
		addressLine1 addressLine2 addressCity addressState addressPostalCode addressCountry websiteUrl linkedinUrl
		twitterUrl facebookUrl honorific salutation pronouns gender pastCompanies educationalAffiliation
		highestLevelOfEducation ethnicity languages speakerScore organizationContact speakerFee availability
		preferredSessionFormat annualRevenue headcount yearsInOperation organizationStructure industry globalRegion
		audienceType targetAgeRange topicExpertise brand adminUrl`)
	speakerShape = contactShape.with().nested(aMap, roleShape, "participantRole").fields(aRef, "speakerId").
			fields(aText, "url")

	companyShape = shape{}.fields(anID, "id").fields(aRef, "organizationId friendlyId").fields(aCount, "friendlyIdRaw").
			fields(aTime, "createdAt updatedAt deletedAt").fields(aList, "translatedFields customFields").
			nested(aListOf, contactShape, "contacts").
			fields(aText, `name description logoImageUrl bannerImageUrl phone addressLine1 addressLine2 addressCity
		addressState addressPostalCode addressCountry facebookUrl instagramUrl linkedinUrl snapchatUsername
		tiktokUsername twitterUrl websiteUrl`)
	backerShape = companyShape.with().fields(aRef, "sponsorId").fields(aText, "url")

	subsessionShape = shape{}.fields(anID, "id").
			fields(aRef, "organizationId friendlyId customStatusId clientSessionId").
			fields(aText, "title description status compositionStatus externalUrl adminUrl").
			fields(aTime, "startDateTime endDateTime createdAt updatedAt deletedAt").
			fields(aCount, "friendlyIdRaw capacity").fields(aFlag, "isPublic isAbstract").
			fields(aList, "customFields translatedFields").fields(aTagList, "tags").
			nested(aPlace, placeShape, "location").nested(aListOf, backerShape, "sponsors").
			nested(aListOf, companyShape, "exhibitors").
			nested(aListOf, speakerShape, "speakers chairpersons moderators participants").
			nested(aMap, termShape, "language track level format room")
	sessionShape = subsessionShape.with().nested(aListOf, subsessionShape, "subsessions")

	eventShape = shape{}.fields(anID, "id").fields(aNumber, "number").
			fields(aRef, "organizationId identifier createdBy updatedBy").
			fields(aText, "name description timezone status type eventFormat").
			fields(aTime, "startDate endDate createdAt updatedAt")

	profileShape = shape{}.fields(aText, `firstName lastName email company designation bio headline industry country
		phoneNumber`)
	registrationShape = shape{}.fields(anID, "id").nested(aMap, profileShape, "profile")

	customerShape = shape{}.fields(aRef, "id workspaceId identifier").
			fields(aText, "name email phoneNumber sourceFile").fields(aTime, "createdAt updatedAt").
			fields(aCount, "priority").fields(aFlag, "isDoNotDisturbEnabled").
			nested(aMap, shape{}.fields(aText, "method"), "source")
	conversationShape = shape{}.fields(anID, "id").
				fields(aRef, "phoneId agentId workspaceId customerId campaignId campaignRunId flowId").
				fields(aText, `wsUrl llmUrl toPhoneNumber fromPhoneNumber conversationStatus telephonyType telephonyStatus
		endReason recordingStatus postCallNotes postCallCategory1 postCallCategory2 postCallCategory3
		conversationType summary transferStatus transferDestination recordingUrl`).
		fields(aTime, `callStartTime callEndTime userJoinTime userLeaveTime createdAt updatedAt agentJoinTime
		agentLeaveTime transferStartTime transferEndTime transferUserJoinTime transferUserLeaveTime`).
		fields(aVars, "dynamicVariables").nested(aMap, customerShape, "customer")

	// flatShape has the members of data that are no objects.
	flatShape = shape{}.fields(aRef, "conferenceId hostId companyId participantId recordingId originalConferenceId id").
			fields(aText, `conferenceName participantRole participantName participantEmail participantPhoneNumber
		meetingUrl reasonForLeaving downloadLink videoUrl imageUrl status phoneNumber filename sourceOfChange`).
		fields(aTime, "conferenceStartedAt conferenceEndedAt").fields(aSize, "size timeSpentInMinutes")
)

// check says which member of an object is not what it must be; nil if all are.
func (s shape) check(o object, loc ...string) *Refusal {
	for _, m := range o {
		f, known := s[m.name]
		if !known {
			continue
		}
		if err := f.check(m.value, append(slices.Clone(loc), m.name)); err != nil {
			return err
		}
	}
	return nil
}

func (f field) check(v value, loc []string) *Refusal {
	kind := v.Kind()
	if kind == 'n' && f.form != anID && f.form != aNumber {
		return nil
	}
	switch f.form {
	case aMap:
		return checkObject(f.of, v, loc, "must be an object")
	case aListOf:
		return checkItems(f.of, v, loc, "must be an array of objects")
	case aPlace:
		if kind == '[' {
			return checkItems(f.of, v, loc, "must be an object, or an array of objects")
		}
		return checkObject(f.of, v, loc, "must be an object, or an array of objects")
	case aTagList:
		return checkTags(v, loc)
	}
	if msg := f.form.wrong(v); msg != "" {
		return invalid(msg, loc...)
	}
	return nil
}

// wrong says what a value must be that is not; "" if it is.
func (f form) wrong(v value) string {
	kind := v.Kind()
	switch f {
	case aText:
		return unless(kind == '"', "must be a string")
	case anID, aRef:
		return unless(kind == '"' || kind == '0', "must be a string or a number")
	case aTime:
		return unless(isTime(v), "must be a time such as 2027-06-10T09:00:00.000Z")
	case aNumber, aCount:
		return unless(isWhole(v), "must be a whole number")
	case aSize:
		return unless(isWhole(v) && v[0] != '-', "must be a whole number, at least 0")
	case aFlag:
		return unless(kind == 't' || kind == 'f', "must be true or false")
	case aList:
		return unless(kind == '[', "must be an array")
	case aVars:
		return unless(kind == '"' || kind == '{', "must be a string or an object")
	}
	return ""
}

func unless(ok bool, msg string) string {
	if ok {
		return ""
	}
	return msg
}

func checkObject(s shape, v value, loc []string, msg string) *Refusal {
	if v.Kind() != '{' {
		return invalid(msg, loc...)
	}
	return s.check(members(v), loc...)
}

func checkItems(s shape, v value, loc []string, msg string) *Refusal {
	if v.Kind() != '[' {
		return invalid(msg, loc...)
	}
	for i, item := range items(v) {
		if err := checkObject(s, item, append(slices.Clone(loc), strconv.Itoa(i)), "must be an object"); err != nil {
			return err
		}
	}
	return nil
}

func checkTags(v value, loc []string) *Refusal {
	if v.Kind() != '[' {
		return invalid("must be an array", loc...)
	}
	for i, item := range items(v) {
		at := append(slices.Clone(loc), strconv.Itoa(i))
		switch item.Kind() {
		case '"':
		case '{':
			if msg := anID.wrong(members(item).get("name")); msg != "" {
				return invalid(msg, append(at, "name")...)
			}
		default:
			return invalid("must be a string or an object", at...)
		}
	}
	return nil
}

// isTime reports whether a value is a time that can be written in UTC with four digits of
// a year, as every dialect writes it.
func isTime(v value) bool {
	if v.Kind() != '"' {
		return false
	}
	t, err := time.Parse(time.RFC3339, text(v))
	return err == nil && writable(t)
}

func writable(t time.Time) bool {
	year := t.UTC().Year()
	return year >= 0 && year <= 9999
}

// isWhole reports whether a value is a whole number that 64 bits hold. JSON Schema says
// that 5.0 is one, too.
func isWhole(v value) bool {
	if v.Kind() != '0' {
		return false
	}
	f, err := strconv.ParseFloat(string(v), 64)
	return err == nil && f == math.Trunc(f) && f > -1<<63 && f < 1<<63
}

// wholeOf reads a whole number that was checked.
func wholeOf(v value) int64 {
	f, _ := strconv.ParseFloat(string(v), 64)
	return int64(min(f, maxNumber))
}

// idText is the text by which a row is found, of an id that is a string or a whole number.
// It reports false for one that could not stand in an address.
func idText(v value) (string, bool) {
	switch v.Kind() {
	case '"':
		s := text(v)
		return s, ValidID(s)
	case '0':
		s := string(v)
		return s, len(s) <= maxID && !strings.ContainsAny(s, ".eE+")
	}
	return "", false
}

const maxID = 128

// msgID is what is wrong with an id.
const msgID = "must have 1 to 128 characters out of A-Z a-z 0-9 . _ : @ -, and not be . or .."

// ValidID reports whether a text can be the id of something: 1 to 128 characters out of
// A-Z a-z 0-9 . _ : @ - that are neither "." nor "..", which mean something in a path.
func ValidID(s string) bool {
	if s == "" || len(s) > maxID || s == "." || s == ".." {
		return false
	}
	for i := range len(s) {
		if !idChar(s[i]) {
			return false
		}
	}
	return true
}

func idChar(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("._:@-", c) >= 0
}
