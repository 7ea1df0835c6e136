package admission

import (
	"encoding/json"

	"github.com/gesso-dev/gesso/defaults"
	"github.com/gesso-dev/gesso/internal/object"
)

// Result is the answer to a [Request]. Its JSON is one element of the results of gesso review -o json; no list in it is
// ever null.
type Result struct {
	Object    Reference `json:"object"`
	Source    string    `json:"source"`
	Operation Operation `json:"operation"`
	// Allowed is false when something is denied, and when a policy that would deny could not decide.
	Allowed    bool        `json:"allowed"`
	Undecided  []Undecided `json:"undecided"`
	Defaults   []Filled    `json:"defaults"`
	Preview    []Filled    `json:"preview"` // what would have been filled if the default were enforced
	Skipped    []Skipped   `json:"skipped"`
	Violations []Violation `json:"violations"`
	Warnings   []string    `json:"warnings"`
	// Patch is the JSON patch (RFC 6902) from the object as it came to Reviewed; empty when nothing was filled.
	Patch []object.Operation `json:"patch"`
	// Reviewed is the object after defaults; null for a DELETE, and for a request that is reviewed [Request.Once].
	Reviewed json.RawMessage `json:"reviewed"`

	// Revision names the Profile and the policy set that decided.
	Revision string `json:"-"`
	// Held says that an evaluation may have been left behind, past its deadline, which still reads the bytes that the request was
	// decoded from. Otherwise nothing refers to them any more.
	Held bool `json:"-"`
}

// Reference says which object a result is about. Name is generateName where the object has no name yet.
type Reference struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	Namespace  string `json:"namespace"`
	Name       string `json:"name"`
}

// Filled is a default that acted.
type Filled = defaults.Filled

// Skipped is a default that did not act. Its ID is "*" when the whole object was left alone.
type Skipped = defaults.Skipped

// Violation is one broken rule. Action is the effective one: deny, warn or audit.
type Violation struct {
	Policy  string `json:"policy"`
	Action  string `json:"action"`
	Field   string `json:"field"`
	Message string `json:"message"`
	Fix     string `json:"fix"`
	// Ratcheted: the old object breaks the rule in the same way, so that a deny only warns.
	Ratcheted bool `json:"ratcheted"`
	// Exception is the name of the exception that turned a deny into an audit entry, or empty.
	Exception string `json:"exception"`

	// Softened says who asked where a deny only warns for that reason: break-glass or controller. Empty everywhere else.
	Softened string `json:"-"`
}

// Text is the violation as one line for people: what is wrong, what to write instead, which policy says so.
func (v Violation) Text() string {
	s := v.Message
	if v.Fix != "" {
		s += "; " + v.Fix
	}
	return s + " [" + v.Policy + "]"
}

// Undecided is a policy that could not decide, and why. It is never a yes: enforced is whether that refuses the request.
type Undecided struct {
	Policy string `json:"policy"`
	Reason string `json:"reason"`

	// Action is the one that is in force for the policy.
	Action string `json:"-"`
	// Enforced says that the policy would deny, so that not knowing refuses the request.
	Enforced bool `json:"-"`
}

// Denials returns the violations that refuse the request, in order.
func (r *Result) Denials() []Violation {
	var all []Violation
	for _, v := range r.Violations {
		if v.Action == "deny" {
			all = append(all, v)
		}
	}
	return all
}
