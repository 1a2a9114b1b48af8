package dispatch

// What tests hold against real connections.
var (
	Describe         = describe
	DescribeRedirect = describeRedirect
)
