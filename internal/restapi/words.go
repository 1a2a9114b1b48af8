package restapi

import (
	"regexp"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2/validation"
)

// Words of a 422 that name what is demanded, for those of huma's messages that say it in
// one way only. They are for people: the page shows them beside the field.
const (
	msgRequired = "is required"
	msgInteger  = "must be an integer"
	msgNumber   = "must be a number"
	msgBoolean  = "must be true or false"
	msgString   = "must be a string"
	msgNotValid = "is not valid"
	msgUnknown  = "holds a field that is not known here"
)

// rewording puts one of huma's messages into words that a person can act on.
type rewording struct {
	message string // as huma has it, with verbs of fmt
	words   func(args []string) string
	// absent says that the message is about a member that is not there, and names it first:
	// huma gives the place of the object.
	absent  bool
	pattern *regexp.Regexp // of message
}

// fixed says the same whatever stands in huma's message: what follows a colon there is
// another library's text, in which the refused value may stand.
func fixed(words string) func([]string) string {
	return func([]string) string { return words }
}

// filled puts what huma's message demands where words has %.
func filled(words string) func([]string) string {
	return func(args []string) string { return strings.Replace(words, "%", args[0], 1) }
}

// number is filled with a number, which huma writes as Go does: 8640000 as 8.64e+06.
func number(words string) func([]string) string {
	return func(args []string) string {
		text := args[0]
		if n, err := strconv.ParseFloat(text, 64); err == nil {
			text = strconv.FormatFloat(n, 'f', -1, 64)
		}
		return strings.Replace(words, "%", text, 1)
	}
}

// bound is filled for a number of things: one is said in words of its own.
func bound(one, more string) func([]string) string {
	return func(args []string) string {
		if args[0] == "1" {
			return one
		}
		return strings.Replace(more, "%", args[0], 1)
	}
}

// rewordings are all of huma's messages: those of its validation, and those that it has for
// parameters, which have no name there.
var rewordings = compile([]rewording{
	{message: validation.MsgUnexpectedProperty, words: fixed(msgUnknown)},
	{message: validation.MsgExpectedRFC3339DateTime, words: fixed(msgTime)},
	{message: validation.MsgExpectedRFC1123DateTime, words: fixed("must be a time such as Thu, 10 Jun 2027 09:00:00 GMT")},
	{message: validation.MsgExpectedRFC3339Date, words: fixed("must be a date such as 2027-06-10")},
	{message: validation.MsgExpectedRFC3339Time, words: fixed("must be a time of day such as 09:00:00Z")},
	{message: validation.MsgExpectedRFC5322Email, words: fixed("must be an email address")},
	{message: validation.MsgExpectedRFC5890Hostname, words: fixed("must be a host name")},
	{message: validation.MsgExpectedRFC2673IPv4, words: fixed("must be an IPv4 address")},
	{message: validation.MsgExpectedRFC2373IPv6, words: fixed("must be an IPv6 address")},
	{message: validation.MsgExpectedRFCIPAddr, words: fixed("must be an IP address")},
	{message: validation.MsgExpectedRFC3986URI, words: fixed("must be a URL")},
	{message: validation.MsgExpectedRFC4122UUID, words: fixed("must be a UUID")},
	{message: validation.MsgExpectedRFC6570URITemplate, words: fixed("must be a URI template as in RFC 6570")},
	{message: validation.MsgExpectedRFC6901JSONPointer, words: fixed("must be a JSON pointer such as /name")},
	{message: validation.MsgExpectedRFC6901RelativeJSONPointer, words: fixed("must be a relative JSON pointer such as 1/name")},
	{message: validation.MsgExpectedRegexp, words: fixed("must be a regular expression")},
	{message: validation.MsgExpectedMatchAtLeastOneSchema, words: fixed("has none of the forms that are possible here")},
	{message: validation.MsgExpectedMatchExactlyOneSchema, words: fixed("has none of the forms that are possible here")},
	{message: "expected value to match exactly one schema but matched multiple", words: fixed("has more than one of the forms that are possible here")},
	{message: validation.MsgExpectedNotMatchSchema, words: fixed("has a form that is not possible here")},
	{message: validation.MsgExpectedPropertyNameInObject, words: fixed("does not say which form it has")},
	{message: validation.MsgExpectedBoolean, words: fixed(msgBoolean)},
	{message: validation.MsgExpectedDuration, words: fixed("must be a duration such as 15s, 5m or 24h")},
	{message: validation.MsgExpectedNumber, words: fixed(msgNumber)},
	{message: validation.MsgExpectedInteger, words: fixed(msgInteger)},
	{message: validation.MsgExpectedString, words: fixed(msgString)},
	{message: validation.MsgExpectedBase64String, words: fixed("must be base64")},
	{message: validation.MsgExpectedArray, words: fixed("must be an array")},
	{message: validation.MsgExpectedObject, words: fixed("must be an object")},
	{message: validation.MsgExpectedArrayItemsUnique, words: fixed("must not hold the same twice")},
	{message: validation.MsgExpectedOneOf, words: filled("must be one of %")},
	{message: validation.MsgExpectedMinimumNumber, words: number("must be at least %")},
	{message: validation.MsgExpectedExclusiveMinimumNumber, words: number("must be more than %")},
	{message: validation.MsgExpectedMaximumNumber, words: number("must be at most %")},
	{message: validation.MsgExpectedExclusiveMaximumNumber, words: number("must be less than %")},
	{message: validation.MsgExpectedNumberBeMultipleOf, words: number("must be a multiple of %")},
	{message: validation.MsgExpectedMinLength, words: bound("must not be empty", "must have at least % characters")},
	{message: validation.MsgExpectedMaxLength, words: bound("must have at most 1 character", "must have at most % characters")},
	{message: validation.MsgExpectedBePattern, words: filled("must be %")},
	{message: validation.MsgExpectedMatchPattern, words: filled("must match the pattern %")},
	{message: validation.MsgExpectedMinItems, words: bound("must not be empty", "must have at least % items")},
	{message: validation.MsgExpectedMaxItems, words: bound("must have at most 1 item", "must have at most % items")},
	{message: validation.MsgExpectedMinProperties, words: bound("must not be empty", "must have at least % members")},
	{message: validation.MsgExpectedMaxProperties, words: bound("must have at most 1 member", "must have at most % members")},
	{message: validation.MsgExpectedRequiredProperty, absent: true, words: fixed(msgRequired)},
	{message: validation.MsgExpectedDependentRequiredProperty, absent: true, words: func(args []string) string { return "is required beside " + args[1] }},

	{message: "required %s parameter is missing", words: fixed(msgRequired)},
	{message: "unknown query parameter", words: fixed("is not a known parameter")},
	{message: "expected at most one value, but received multiple values", words: fixed("must be given once")},
	{message: "invalid integer", words: fixed(msgInteger)},
	{message: "invalid float", words: fixed(msgNumber)},
	{message: "invalid floating value", words: fixed(msgNumber)},
	{message: "invalid boolean", words: fixed(msgBoolean)},
	{message: "invalid date/time for format %s", words: fixed(msgTime)},
	{message: "invalid url.URL value", words: fixed("must be a URL")},
})

// verb is where huma's messages take what they are about.
var verb = regexp.MustCompile(`"?%[a-z]"?`)

func compile(all []rewording) []rewording {
	for i := range all {
		text := verb.ReplaceAllLiteralString(regexp.QuoteMeta(all[i].message), `"?((?s:.*?))"?`)
		all[i].pattern = regexp.MustCompile(`^` + text + `$`)
	}
	return all
}

// reworded is a message of huma's in the API's words; member is what its place does not
// name, "" for nothing. What is not known is not repeated, since values could stand in it.
func reworded(message string) (words, member string) {
	for i := range rewordings {
		r := &rewordings[i]
		args := r.pattern.FindStringSubmatch(message)
		if args == nil {
			continue
		}
		if r.absent {
			member = args[1]
		}
		return r.words(args[1:]), member
	}
	return msgNotValid, ""
}
