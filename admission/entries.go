package admission

// Entry is one webhook entry: a path of the server and how the API server is told to call it. DESIGN: "Registration and
// failure".
type Entry struct {
	// Name is the first label of the webhook's name (<name>.gesso.dev), the metric label and the audit name.
	Name string
	Path string
	// Steps is what a request at this path asks for.
	Steps Steps
	// Fail says that the API server refuses requests when Gesso cannot be reached (failurePolicy: Fail).
	Fail bool
	// TimeoutSeconds is how long the API server waits.
	TimeoutSeconds int32
}

// Entries returns the entries in the order of the table in the documentation. aws-auth shares its path with open.
func Entries() []Entry {
	return []Entry{
		{Name: "defaults", Path: "/mutate", Steps: Fill, TimeoutSeconds: 2},
		{Name: "pods", Path: "/mutate/pods", Steps: Fill, TimeoutSeconds: 2},
		{Name: "closed", Path: "/validate/closed", Steps: Judge, Fail: true, TimeoutSeconds: 5},
		{Name: "open", Path: "/validate/open", Steps: Judge, TimeoutSeconds: 5},
		{Name: "aws-auth", Path: "/validate/open", Steps: Judge, TimeoutSeconds: 5},
	}
}
