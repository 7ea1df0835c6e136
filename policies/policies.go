// Package policies loads and evaluates Gesso's policies: folders of Rego that judge one admission request.
//
// A policy is a folder whose name is its id. Its .rego files share the package gesso.policies.<id> (each - written as _), carry one
// METADATA block with the scope "package", and define deny or warn (or both) as a set of {"message", "field", "fix"} or of plain strings.
// METADATA holds title (required), description, related_resources, and under custom.gesso:
//
//	match:       {pods: true, kinds: [{group, kind, resource?, subresource?}], operations: [CREATE, UPDATE]}
//	action:      deny | warn | audit | off       what a deny does where the Profile says nothing; deny when absent
//	parameters:  a JSON schema whose properties each have a default or are required
//	inventory:   [{name, group, version, kind, resource?, by, fields}]   other objects that the policy reads, as input.inventory.<name>
//
// A policy sees input.request as the API server sent it and, beside it, input.user, pod, containers, images, namespace, environment,
// app, expected, inventory and parameters (see view.go). Helpers that every policy may import live in data.gesso.lib.
//
// Policies are compiled together, and those that match a request are asked together, in one query. One that cannot be loaded or evaluated
// costs no other its verdict: then those concerned are compiled, or asked, one by one. What each sees is the same either way (share.go),
// and what could not be decided is reported as such: it is never the same as "no violation".
//
// An evaluation has bounds of time and of memory, and a policy that keeps running into them is set aside for a while (health.go,
// guard.go, bounds.go). That is the only thing that one review leaves for the next. The package opens no connection and reads no object
// but those that it is given. A Set is safe for concurrent use.
package policies

import (
	"encoding/json"
	"fmt"
)

// Setting is what the Profile says of one policy.
type Setting struct {
	// Action overrides the policy's default action; "" keeps it.
	Action Action
	// Namespaces are other actions for some namespaces; the first that selects a namespace counts there.
	Namespaces []NamespaceAction
	// Parameters is a JSON object, or empty. What it leaves out comes from the policy's defaults.
	Parameters json.RawMessage
}

// Policy describes one policy of a Set.
type Policy struct {
	// ID is the name of the policy's folder.
	ID string
	// Title, Description and Related come from METADATA; Related holds URLs.
	Title, Description string
	Related            []string
	// Stale is true for an earlier version, which serves on because the new one cannot be loaded.
	Stale bool
	// Source is the name of the Source that the policy came from.
	Source string
	// Action is in force where Namespaces says nothing else; DefaultAction is what METADATA says.
	Action, DefaultAction Action
	// Namespaces holds the namespaces where another action is in force; the first entry that selects one counts.
	Namespaces []NamespaceAction
	// Match says which requests the policy is for.
	Match Match
	// Parameters is what the policy sees as input.parameters: a JSON object, defaults filled in.
	Parameters json.RawMessage
	// Schema is the JSON schema of the parameters, or nil when the policy takes none.
	Schema json.RawMessage
	// Inventory lists the kinds of other objects that the policy reads, in the order of METADATA.
	Inventory []InventoryKind
	// ReadsNamespace is true when a verdict may depend on facts of the Namespace: input.namespace, input.environment or input.expected.
	ReadsNamespace bool
}

// InventoryKind is a kind of objects that a policy reads beside the one under review.
type InventoryKind struct {
	// Name is what the policy calls them: input.inventory.<Name>[key][id], where id is namespace/name, or name for a kind without
	// namespaces.
	Name string
	// Version is the one to watch.
	Group, Version, Kind, Resource string
	// By is the path of the key: see fieldPath. An object with several values there stands under each, one with none under "".
	By string
	// Fields are the paths that are kept of each object beside metadata.name and metadata.namespace.
	Fields []string
}

// Problem is one reason why a policy, or a setting, is not in force.
type Problem struct {
	// Policy is the id, or "" when the problem belongs to no single policy.
	Policy string
	// File begins with the name of the Source. Line and Column count from 1; 0 means that there is none to point at.
	File         string
	Line, Column int
	// Reason is one line of text.
	Reason string
	// Stale is true when an earlier version of the policy serves on.
	Stale bool
}

// Error renders the problem as file:line:column: reason, without the parts that it has not.
func (p Problem) Error() string {
	reason := p.Reason
	if p.Stale {
		reason += " (the version before serves on)"
	}
	switch {
	case p.File == "" && p.Policy == "":
		return reason
	case p.File == "":
		return fmt.Sprintf("policy %s: %s", p.Policy, reason)
	case p.Line == 0:
		return fmt.Sprintf("%s: %s", p.File, reason)
	case p.Column == 0:
		return fmt.Sprintf("%s:%d: %s", p.File, p.Line, reason)
	}
	return fmt.Sprintf("%s:%d:%d: %s", p.File, p.Line, p.Column, reason)
}
