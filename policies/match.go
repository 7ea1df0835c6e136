package policies

import "slices"

// Match says which requests a policy is for.
type Match struct {
	// Pods selects every kind of PodKinds, Operations deciding for all but the subresource, which is always UPDATE.
	Pods bool
	// Kinds are selected beside those, with Operations.
	Kinds []Kind
	// Operations are CREATE, UPDATE, DELETE or CONNECT, in this order.
	Operations []string
}

// Kind is one kind of object, or a subresource of it.
type Kind struct {
	// Group is "" for the core group.
	Group string
	Kind  string
	// Resource is the plural that a webhook registration names.
	Resource    string
	Subresource string
}

// Rule is one entry of a Match written out: a kind and the operations on it.
type Rule struct {
	Kind       Kind
	Operations []string
}

// operations that the API server knows, in the order in which a Match lists them.
func operations() []string { return []string{"CREATE", "UPDATE", "DELETE", "CONNECT"} }

// PodKinds lists the kinds that carry Pods and that `pods: true` selects. The last one is the subresource by which ephemeral
// containers arrive; it knows UPDATE only.
func PodKinds() []Kind {
	return []Kind{
		{Group: "", Kind: "Pod", Resource: "pods"},
		{Group: "", Kind: "ReplicationController", Resource: "replicationcontrollers"},
		{Group: "apps", Kind: "DaemonSet", Resource: "daemonsets"},
		{Group: "apps", Kind: "Deployment", Resource: "deployments"},
		{Group: "apps", Kind: "ReplicaSet", Resource: "replicasets"},
		{Group: "apps", Kind: "StatefulSet", Resource: "statefulsets"},
		{Group: "batch", Kind: "CronJob", Resource: "cronjobs"},
		{Group: "batch", Kind: "Job", Resource: "jobs"},
		{Group: "", Kind: "Pod", Resource: "pods", Subresource: "ephemeralcontainers"},
	}
}

// Rules writes the match out, one rule for each kind: what a webhook registration needs.
func (m Match) Rules() []Rule {
	var rules []Rule
	if m.Pods {
		for _, kind := range PodKinds() {
			rule := Rule{Kind: kind, Operations: slices.Clone(m.Operations)}
			if kind.Subresource != "" {
				rule.Operations = []string{"UPDATE"}
			}
			rules = append(rules, rule)
		}
	}
	for _, kind := range m.Kinds {
		rules = append(rules, Rule{Kind: kind, Operations: slices.Clone(m.Operations)})
	}
	return rules
}

// target is what the index of a Set is keyed by: the part of a request that decides which policies it meets. The version is no part of
// it: a policy speaks of fields, and kinds keep theirs across versions.
type target struct {
	group, kind, subresource, operation string
}

// targets writes the match out as index keys, without duplicates.
func (m Match) targets() map[target]bool {
	found := map[target]bool{}
	for _, rule := range m.Rules() {
		for _, operation := range rule.Operations {
			found[target{rule.Kind.Group, rule.Kind.Kind, rule.Kind.Subresource, operation}] = true
		}
	}
	return found
}
