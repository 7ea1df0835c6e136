package policies

import (
	"fmt"
	"slices"
)

// Action is what a deny of a policy does.
type Action string

// The actions, from the strictest to none.
const (
	Deny  Action = "deny"  // refuse the request
	Warn  Action = "warn"  // let it through and tell the one who asks
	Audit Action = "audit" // let it through and tell the platform only
	Off   Action = "off"   // do not evaluate
)

// actions from the strictest to none.
func actions() []Action { return []Action{Deny, Warn, Audit, Off} }

// Valid reports whether a is one of the four actions.
func (a Action) Valid() bool { return slices.Contains(actions(), a) }

// NamespaceAction is another action for some namespaces: those with one of the names and all of the labels. One of the two may be empty;
// then it says nothing.
type NamespaceAction struct {
	Names  []string
	Labels map[string]string
	Action Action
}

// problem says what is wrong with the entry, or "".
func (n NamespaceAction) problem() string {
	switch {
	case !n.Action.Valid():
		return fmt.Sprintf("action is %q; it must be deny, warn, audit or off", n.Action)
	case len(n.Names) == 0 && len(n.Labels) == 0:
		return "selects no namespace; say names or labels"
	case slices.Contains(n.Names, ""):
		return "has an empty name"
	}
	return ""
}

// problems lists what is wrong with the actions of a setting.
func (s Setting) problems(id string) []Problem {
	var list []Problem
	if s.Action != "" && !s.Action.Valid() {
		list = append(list, Problem{Policy: id, Reason: fmt.Sprintf("action is %q; it must be deny, warn, audit or off", s.Action)})
	}
	for i, entry := range s.Namespaces {
		if reason := entry.problem(); reason != "" {
			list = append(list, Problem{Policy: id, Reason: fmt.Sprintf("namespaces[%d]: %s", i, reason)})
		}
	}
	return list
}

// Enforced reports whether the policy may refuse a request somewhere.
func (p Policy) Enforced() bool { return p.has(func(a Action) bool { return a == Deny }) }

// Enabled reports whether the policy is asked anywhere.
func (p Policy) Enabled() bool { return p.has(func(a Action) bool { return a != Off }) }

func (p Policy) has(wanted func(Action) bool) bool {
	return wanted(p.Action) || slices.ContainsFunc(p.Namespaces, func(n NamespaceAction) bool { return wanted(n.Action) })
}

// actionIn returns the action that is in force for an object in a namespace: the first entry of Namespaces that selects it, else the
// policy's own. Where the name ("" for one that nobody can tell) or the facts decide and are missing, known is false, and action is the
// strictest of those that it may be.
func (p Policy) actionIn(name string, facts *Namespace) (action Action, known bool) {
	possible := make([]Action, 0, 2)
	decided := false
	for _, entry := range p.Namespaces {
		byName, byLabel := len(entry.Names) == 0 || slices.Contains(entry.Names, name), len(entry.Labels) == 0
		if facts != nil {
			byLabel = hasLabels(facts.Labels, entry.Labels)
		}
		switch {
		case !byName && name != "", !byLabel && facts != nil:
			continue
		case byName && byLabel:
			decided = true
		}
		possible = append(possible, entry.Action)
		if decided {
			break
		}
	}
	if !decided {
		possible = append(possible, p.Action)
	}
	for _, strict := range actions() {
		if slices.Contains(possible, strict) {
			return strict, !slices.ContainsFunc(possible, func(a Action) bool { return a != strict })
		}
	}
	return p.Action, true
}

func hasLabels(have, want map[string]string) bool {
	for key, value := range want {
		if got, found := have[key]; !found || got != value {
			return false
		}
	}
	return true
}
