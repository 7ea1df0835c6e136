package admission

import (
	"fmt"
	"slices"
	"strings"

	admissionv1 "k8s.io/api/admissionregistration/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/gesso-dev/gesso/internal/convention"
	"github.com/gesso-dev/gesso/policies"
)

// RegistrationName is the name of both webhook configurations.
const RegistrationName = "gesso"

// Target is where the API server finds Gesso: a Service, or, outside the cluster, a URL.
type Target struct {
	URL                string // https://host:port, without a path; empty for the Service
	Namespace, Service string
	Port               int32
	CABundle           []byte // PEM; empty where something else injects it
}

// Registration is what the API server is told.
type Registration struct {
	Mutating   *admissionv1.MutatingWebhookConfiguration
	Validating *admissionv1.ValidatingWebhookConfiguration
}

// Registration returns the webhook configurations for the engine's Profile and policy set. An entry that nothing needs is left
// out. A configuration without entries is still there: applied, it takes away what was registered before.
func (e *Engine) Registration(target Target) Registration {
	reg := Registration{
		Mutating: &admissionv1.MutatingWebhookConfiguration{
			TypeMeta:   metav1.TypeMeta{APIVersion: admissionv1.SchemeGroupVersion.String(), Kind: "MutatingWebhookConfiguration"},
			ObjectMeta: metav1.ObjectMeta{Name: RegistrationName},
		},
		Validating: &admissionv1.ValidatingWebhookConfiguration{
			TypeMeta:   metav1.TypeMeta{APIVersion: admissionv1.SchemeGroupVersion.String(), Kind: "ValidatingWebhookConfiguration"},
			ObjectMeta: metav1.ObjectMeta{Name: RegistrationName},
		},
	}
	for _, entry := range Entries() {
		rules := e.rules(entry)
		if len(rules) == 0 {
			continue
		}
		if entry.Steps == Fill {
			reg.Mutating.Webhooks = append(reg.Mutating.Webhooks, admissionv1.MutatingWebhook{
				Name: entry.Name + ".gesso.dev", ClientConfig: target.clientConfig(entry.Path), Rules: rules,
				FailurePolicy: failurePolicy(entry), MatchPolicy: new(admissionv1.Equivalent),
				NamespaceSelector: e.namespaceSelector(entry), MatchConditions: matchConditions(entry),
				SideEffects: new(admissionv1.SideEffectClassNone), TimeoutSeconds: new(entry.TimeoutSeconds),
				AdmissionReviewVersions: []string{"v1"}, ReinvocationPolicy: new(admissionv1.IfNeededReinvocationPolicy),
			})
			continue
		}
		reg.Validating.Webhooks = append(reg.Validating.Webhooks, admissionv1.ValidatingWebhook{
			Name: entry.Name + ".gesso.dev", ClientConfig: target.clientConfig(entry.Path), Rules: rules,
			FailurePolicy: failurePolicy(entry), MatchPolicy: new(admissionv1.Equivalent),
			NamespaceSelector: e.namespaceSelector(entry), MatchConditions: matchConditions(entry),
			SideEffects: new(admissionv1.SideEffectClassNone), TimeoutSeconds: new(entry.TimeoutSeconds),
			AdmissionReviewVersions: []string{"v1"},
		})
	}
	return reg
}

func (t Target) clientConfig(path string) admissionv1.WebhookClientConfig {
	c := admissionv1.WebhookClientConfig{CABundle: t.CABundle}
	if t.URL != "" {
		c.URL = new(strings.TrimRight(t.URL, "/") + path)
		return c
	}
	c.Service = &admissionv1.ServiceReference{Namespace: t.Namespace, Name: t.Service, Path: new(path), Port: new(t.Port)}
	return c
}

func failurePolicy(entry Entry) *admissionv1.FailurePolicyType {
	if entry.Fail {
		return new(admissionv1.Fail)
	}
	return new(admissionv1.Ignore)
}

// namespaceSelector leaves out the excluded namespaces by the label that the API server itself keeps on each Namespace, so
// that nobody can leave by labelling his own.
func (e *Engine) namespaceSelector(entry Entry) *metav1.LabelSelector {
	s := &metav1.LabelSelector{MatchExpressions: []metav1.LabelSelectorRequirement{
		{Key: "kubernetes.io/metadata.name", Operator: metav1.LabelSelectorOpNotIn, Values: e.excluded},
	}}
	if entry.Name == "pods" {
		s.MatchExpressions = append(s.MatchExpressions, metav1.LabelSelectorRequirement{
			Key: convention.PodsLabel, Operator: metav1.LabelSelectorOpIn, Values: []string{convention.Enabled},
		})
	}
	return s
}

// controllerOwned is true for objects that a controller owns (CEL). A controller decides what is in its objects; not to be
// called for them at all is cheaper than to answer that nothing is to be done.
const controllerOwned = `has(object.metadata.ownerReferences) && object.metadata.ownerReferences.exists(r, has(r.controller) && r.controller)`

func matchConditions(entry Entry) []admissionv1.MatchCondition {
	switch {
	case entry.Name == "defaults":
		return []admissionv1.MatchCondition{{Name: "no-controller-owns-it", Expression: "!(" + controllerOwned + ")"}}
	case entry.Name == "pods":
		return []admissionv1.MatchCondition{{Name: "a-controller-owns-it", Expression: controllerOwned}}
	case entry.Fail:
		// A cluster must heal without Gesso: what its own components send is never refused because Gesso is away.
		return []admissionv1.MatchCondition{
			{Name: "not-the-api-server", Expression: "request.userInfo.username != 'system:apiserver'"},
			{Name: "not-a-node", Expression: "!('system:nodes' in request.userInfo.groups)"},
			{Name: "not-the-control-plane", Expression: "!request.userInfo.username.startsWith('system:kube-') && !('system:serviceaccounts:kube-system' in request.userInfo.groups)"},
		}
	}
	return nil
}

// rules returns what is sent to an entry.
func (e *Engine) rules(entry Entry) []admissionv1.RuleWithOperations {
	var all []admissionv1.RuleWithOperations
	switch entry.Name {
	case "defaults":
		for _, k := range e.defaults.Kinds() {
			all = addRule(all, k.Group, k.Version, k.Resource, admissionv1.NamespacedScope, k.Operations)
		}
	case "pods":
		for _, k := range e.defaults.Kinds() {
			if k.Group == "" && k.Resource == "pods" {
				all = addRule(all, k.Group, k.Version, k.Resource, admissionv1.NamespacedScope, k.Operations)
			}
		}
	case "closed", "open":
		for _, k := range e.judgedKinds() {
			switch {
			case !k.enforced || neverFail(k.Kind):
				if entry.Name == "open" {
					all = addRule(all, k.Group, "*", k.resource(), admissionv1.AllScopes, k.operations)
				}
			case entry.Name == "closed":
				all = addRule(all, k.Group, "*", k.resource(), admissionv1.NamespacedScope, k.operations)
			case !builtInGroup(k.Group):
				// Whether a custom kind is cluster-scoped is not known here. If it is, it must not be in a Fail entry.
				all = addRule(all, k.Group, "*", k.resource(), admissionv1.ClusterScope, k.operations)
			}
		}
	}
	return all
}

// judgedKind is a kind that some policy matches.
type judgedKind struct {
	policies.Kind
	operations []string
	enforced   bool // some policy of it denies
}

func (k *judgedKind) resource() string {
	if k.Subresource != "" {
		return k.Resource + "/" + k.Subresource
	}
	return k.Resource
}

// judgedKinds returns the kinds that the policies match, sorted, each with all operations that any policy of it asks for.
func (e *Engine) judgedKinds() []judgedKind {
	var all []judgedKind
	for _, p := range e.policies.Policies() {
		if p.Action == policies.Off {
			continue
		}
		for _, m := range p.Match.Rules() {
			at := slices.IndexFunc(all, func(k judgedKind) bool {
				return k.Group == m.Kind.Group && k.Kind.Kind == m.Kind.Kind && k.Subresource == m.Kind.Subresource
			})
			if at < 0 {
				at, all = len(all), append(all, judgedKind{Kind: m.Kind})
			}
			all[at].enforced = all[at].enforced || p.Action == policies.Deny
			for _, op := range m.Operations {
				if !slices.Contains(all[at].operations, op) {
					all[at].operations = append(all[at].operations, op)
				}
			}
		}
	}
	for i := range all {
		slices.Sort(all[i].operations)
	}
	slices.SortFunc(all, func(a, b judgedKind) int {
		return strings.Compare(a.Group+"/"+a.resource(), b.Group+"/"+b.resource())
	})
	return all
}

// neverFail reports whether a kind must not be in a Fail entry: a cluster starts, heals and schedules with these, and
// does so while Gesso is away.
func neverFail(k policies.Kind) bool {
	switch k.Group {
	case "rbac.authorization.k8s.io", "admissionregistration.k8s.io", "apiextensions.k8s.io", "apiregistration.k8s.io",
		"certificates.k8s.io", "flowcontrol.apiserver.k8s.io", "node.k8s.io", "scheduling.k8s.io", "storage.k8s.io":
		return true
	case "networking.k8s.io":
		return k.Resource == "ingressclasses"
	case "":
		return slices.Contains([]string{"pods", "namespaces", "nodes", "persistentvolumes", "secrets"}, k.Resource)
	}
	return false
}

// builtInGroup reports whether the API server itself serves the group, so that the scope of its kinds is known.
func builtInGroup(group string) bool {
	return !strings.Contains(group, ".") || strings.HasSuffix(group, ".k8s.io")
}

// addRule adds a resource to the rule with the same group, version, scope and operations, or makes one.
func addRule(all []admissionv1.RuleWithOperations, group, version, resource string, scope admissionv1.ScopeType, operations []string) []admissionv1.RuleWithOperations {
	ops := make([]admissionv1.OperationType, len(operations))
	for i, op := range operations {
		ops[i] = admissionv1.OperationType(op)
	}
	for i := range all {
		r := &all[i]
		if slices.Equal(r.APIGroups, []string{group}) && slices.Equal(r.APIVersions, []string{version}) &&
			*r.Scope == scope && slices.Equal(r.Operations, ops) {
			if !slices.Contains(r.Resources, resource) {
				r.Resources = append(r.Resources, resource)
			}
			return all
		}
	}
	return append(all, admissionv1.RuleWithOperations{
		Operations: ops,
		Rule:       admissionv1.Rule{APIGroups: []string{group}, APIVersions: []string{version}, Resources: []string{resource}, Scope: new(scope)},
	})
}

// Unregistered compares what the engine needs with the living configurations, nil for one that does not exist, and says in
// one line each what the API server does not send.
func (e *Engine) Unregistered(living Registration) []string {
	needed := e.Registration(Target{})
	var all []string
	if living.Mutating == nil {
		all = append(all, "MutatingWebhookConfiguration gesso does not exist: nothing is filled")
	} else {
		for _, w := range needed.Mutating.Webhooks {
			at := slices.IndexFunc(living.Mutating.Webhooks, func(l admissionv1.MutatingWebhook) bool { return l.Name == w.Name })
			if at < 0 {
				all = append(all, w.Name+": the entry does not exist")
				continue
			}
			all = append(all, missingRules(w.Name, w.Rules, living.Mutating.Webhooks[at].Rules)...)
		}
	}
	if living.Validating == nil {
		return append(all, "ValidatingWebhookConfiguration gesso does not exist: nothing is refused")
	}
	for _, w := range needed.Validating.Webhooks {
		at := slices.IndexFunc(living.Validating.Webhooks, func(l admissionv1.ValidatingWebhook) bool { return l.Name == w.Name })
		if at < 0 {
			all = append(all, w.Name+": the entry does not exist")
			continue
		}
		all = append(all, missingRules(w.Name, w.Rules, living.Validating.Webhooks[at].Rules)...)
	}
	return all
}

// missingRules returns what needed has and living does not cover.
func missingRules(entry string, needed, living []admissionv1.RuleWithOperations) []string {
	var all []string
	for _, n := range needed {
		for _, resource := range n.Resources {
			for _, op := range n.Operations {
				if !slices.ContainsFunc(living, func(l admissionv1.RuleWithOperations) bool { return covers(l, n.APIGroups[0], resource, op) }) {
					all = append(all, fmt.Sprintf("%s: %s of %s is not sent", entry, op, strings.Trim(n.APIGroups[0]+"/"+resource, "/")))
				}
			}
		}
	}
	return all
}

func covers(l admissionv1.RuleWithOperations, group, resource string, op admissionv1.OperationType) bool {
	has := func(list []string, v string) bool { return slices.Contains(list, "*") || slices.Contains(list, v) }
	return has(l.APIGroups, group) && has(l.Resources, resource) &&
		(slices.Contains(l.Operations, op) || slices.Contains(l.Operations, admissionv1.OperationAll))
}
