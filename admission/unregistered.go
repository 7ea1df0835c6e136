package admission

import (
	"fmt"
	"slices"
	"strings"

	admissionv1 "k8s.io/api/admissionregistration/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/gesso-dev/gesso/policies"
)

// Unregistered compares what the engine needs with the living configurations, nil for one that does not exist, and says in
// one line each what the API server does not send.
func (e *Engine) Unregistered(living Registration) []string {
	needed := e.Registration(Target{})
	var all []string
	if living.Mutating == nil {
		all = append(all, "MutatingWebhookConfiguration "+RegistrationName+" does not exist: nothing is filled")
	} else {
		all = append(all, missingEntries(mutatingEntries(needed.Mutating), mutatingEntries(living.Mutating))...)
	}
	if living.Validating == nil {
		return append(all, "ValidatingWebhookConfiguration "+RegistrationName+" does not exist: nothing is refused")
	}
	return append(all, missingEntries(validatingEntries(needed.Validating), validatingEntries(living.Validating))...)
}

// UnregisteredPolicies returns the ids of the policies that the living configurations, nil for one that does not exist, do not ask
// about everything that they match.
func (e *Engine) UnregisteredPolicies(living Registration) []string {
	needed := validatingEntries(e.Registration(Target{}).Validating)
	have := map[string][]admissionv1.RuleWithOperations{}
	if living.Validating != nil {
		for _, entry := range validatingEntries(living.Validating) {
			have[entry.name] = entry.rules
		}
	}
	var ids []string
	for _, p := range e.policies.Policies() {
		if p.Enabled() && slices.ContainsFunc(p.Match.Rules(), func(m policies.Rule) bool { return unsent(m, needed, have) }) {
			ids = append(ids, p.ID)
		}
	}
	return ids
}

// unsent reports whether there is a request that a policy matches by m, that is needed, and that none of the living rules, by
// entry, sends.
func unsent(m policies.Rule, needed []registered, living map[string][]admissionv1.RuleWithOperations) bool {
	kind := judgedKind{Kind: m.Kind}
	for _, entry := range needed {
		for _, n := range entry.rules {
			if n.APIGroups[0] != kind.Group || !slices.Contains(n.Resources, kind.resource()) {
				continue
			}
			for _, op := range n.Operations {
				if slices.Contains(m.Operations, string(op)) && !slices.ContainsFunc(living[entry.name], func(l admissionv1.RuleWithOperations) bool {
					return covers(&l, &n, kind.resource(), op)
				}) {
					return true
				}
			}
		}
	}
	return false
}

// registered is what both kinds of webhook have in common and what decides which requests come.
type registered struct {
	name              string
	path              string
	rules             []admissionv1.RuleWithOperations
	namespaces, other *metav1.LabelSelector
	conditions        []admissionv1.MatchCondition
}

func mutatingEntries(c *admissionv1.MutatingWebhookConfiguration) []registered {
	var all []registered
	for i := range c.Webhooks {
		w := &c.Webhooks[i]
		all = append(all, registered{w.Name, pathOf(&w.ClientConfig), w.Rules, w.NamespaceSelector, w.ObjectSelector, w.MatchConditions})
	}
	return all
}

func validatingEntries(c *admissionv1.ValidatingWebhookConfiguration) []registered {
	var all []registered
	for i := range c.Webhooks {
		w := &c.Webhooks[i]
		all = append(all, registered{w.Name, pathOf(&w.ClientConfig), w.Rules, w.NamespaceSelector, w.ObjectSelector, w.MatchConditions})
	}
	return all
}

// pathOf returns the path of a webhook, "" where it has none.
func pathOf(c *admissionv1.WebhookClientConfig) string {
	switch {
	case c.Service != nil && c.Service.Path != nil:
		return *c.Service.Path
	case c.URL != nil:
		_, rest, _ := strings.Cut(*c.URL, "://")
		if i := strings.IndexByte(rest, '/'); i >= 0 {
			return rest[i:]
		}
	}
	return ""
}

// missingEntries returns what needed has and living does not.
func missingEntries(needed, living []registered) []string {
	var all []string
	for _, n := range needed {
		at := slices.IndexFunc(living, func(l registered) bool { return l.name == n.name })
		if at < 0 {
			all = append(all, n.name+": the entry does not exist")
			continue
		}
		l := living[at]
		if l.path != n.path {
			all = append(all, fmt.Sprintf("%s: requests go to path %q, not to %q", n.name, l.path, n.path))
		}
		all = append(all, missingRules(n.name, n.rules, l.rules)...)
		// What these leave out is not sent either. Which requests that would be, only the API server could say.
		for _, part := range []struct {
			name string
			same bool
		}{
			{"namespaceSelector", sameSelector(n.namespaces, l.namespaces)},
			{"objectSelector", sameSelector(n.other, l.other)},
			{"matchConditions", equality.Semantic.DeepEqual(n.conditions, l.conditions)},
		} {
			if !part.same {
				all = append(all, n.name+": another "+part.name+" than needed: some requests may not be sent")
			}
		}
	}
	return all
}

// sameSelector compares two selectors; none and an empty one both select everything.
func sameSelector(a, b *metav1.LabelSelector) bool {
	if a == nil {
		a = &metav1.LabelSelector{}
	}
	if b == nil {
		b = &metav1.LabelSelector{}
	}
	return equality.Semantic.DeepEqual(a, b)
}

// missingRules returns what needed has and living does not cover.
func missingRules(entry string, needed, living []admissionv1.RuleWithOperations) []string {
	var all []string
	for _, n := range needed {
		for _, resource := range n.Resources {
			for _, op := range n.Operations {
				if !slices.ContainsFunc(living, func(l admissionv1.RuleWithOperations) bool { return covers(&l, &n, resource, op) }) {
					all = append(all, fmt.Sprintf("%s: %s of %s is not sent", entry, op, strings.Trim(n.APIGroups[0]+"/"+resource, "/")))
				}
			}
		}
	}
	return all
}

// covers reports whether l sends op on resource in the groups, versions and scope of n.
func covers(l, n *admissionv1.RuleWithOperations, resource string, op admissionv1.OperationType) bool {
	has := func(list []string, v string) bool { return slices.Contains(list, "*") || slices.Contains(list, v) }
	scoped := l.Scope == nil || *l.Scope == admissionv1.AllScopes || *l.Scope == *n.Scope
	return scoped && has(l.APIGroups, n.APIGroups[0]) && has(l.APIVersions, n.APIVersions[0]) && hasResource(l.Resources, resource) &&
		(slices.Contains(l.Operations, op) || slices.Contains(l.Operations, admissionv1.OperationAll))
}

// hasResource knows the wildcards of a rule: * is every resource but no subresource, pods/* every subresource of Pods.
func hasResource(list []string, resource string) bool {
	name, subresource, isSub := strings.Cut(resource, "/")
	return slices.ContainsFunc(list, func(have string) bool {
		if have == resource || have == "*/*" {
			return true
		}
		if !isSub {
			return have == "*"
		}
		return have == name+"/*" || have == "*/"+subresource
	})
}
