package admission

import (
	"slices"
	"strings"

	admissionv1 "k8s.io/api/admissionregistration/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/gesso-dev/gesso/internal/convention"
	"github.com/gesso-dev/gesso/internal/object"
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
				NamespaceSelector: e.namespaceSelector(entry), MatchConditions: e.matchConditions(entry),
				SideEffects: new(admissionv1.SideEffectClassNone), TimeoutSeconds: new(entry.TimeoutSeconds),
				AdmissionReviewVersions: []string{"v1"}, ReinvocationPolicy: new(admissionv1.IfNeededReinvocationPolicy),
			})
			continue
		}
		reg.Validating.Webhooks = append(reg.Validating.Webhooks, admissionv1.ValidatingWebhook{
			Name: entry.Name + ".gesso.dev", ClientConfig: target.clientConfig(entry.Path), Rules: rules,
			FailurePolicy: failurePolicy(entry), MatchPolicy: new(admissionv1.Equivalent),
			NamespaceSelector: e.namespaceSelector(entry), MatchConditions: e.matchConditions(entry),
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
	if entry.Name == awsAuth {
		return &metav1.LabelSelector{MatchLabels: map[string]string{"kubernetes.io/metadata.name": awsAuthNamespace}}
	}
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

// subject is the object of a request, on a DELETE the old one (CEL).
const subject = `(object != null ? object : oldObject)`

// opaque is true for everything but the Secrets that a cluster, Helm or a certificate controller makes (CEL): those must not be in
// a Fail entry.
const opaque = `request.resource.resource != 'secrets' || request.resource.group != '' || ` + subject + `.type == 'Opaque'`

func (e *Engine) matchConditions(entry Entry) []admissionv1.MatchCondition {
	conditions := entryConditions(entry)
	enforced := slices.ContainsFunc(e.judgedKinds(), func(k judgedKind) bool { return k.secrets() && len(k.enforced) > 0 })
	switch {
	case enforced && entry.Name == "closed":
		return append(conditions, admissionv1.MatchCondition{Name: "of-secrets-only-opaque-ones", Expression: opaque})
	case enforced && entry.Name == "open":
		return append(conditions, admissionv1.MatchCondition{Name: "of-secrets-no-opaque-ones", Expression: strings.Replace(opaque, "== 'Opaque'", "!= 'Opaque'", 1)})
	}
	return conditions
}

func entryConditions(entry Entry) []admissionv1.MatchCondition {
	switch {
	case entry.Name == awsAuth:
		return []admissionv1.MatchCondition{{Name: "aws-auth", Expression: subject + `.metadata.name == '` + awsAuth + `'`}}
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
	case awsAuth:
		for _, p := range e.policies.Policies() {
			if p.ID == awsAuth && p.Enabled() {
				all = addRule(all, "", "v1", "configmaps", admissionv1.NamespacedScope, []string{"CREATE", "DELETE", "UPDATE"})
			}
		}
	case "closed", "open":
		all = e.judgingRules(entry)
	}
	return all
}

// judgingRules returns what is sent to closed or open.
func (e *Engine) judgingRules(entry Entry) []admissionv1.RuleWithOperations {
	var all []admissionv1.RuleWithOperations
	for _, k := range e.judgedKinds() {
		mayFail, elsewhere := k.enforced, k.ridesAlong
		if neverFail(k.Kind) {
			mayFail, elsewhere = nil, k.operations()
		}
		if k.secrets() {
			// The match conditions share them out by type; each entry must have all operations, or some would be sent to neither.
			if elsewhere = k.operations(); len(mayFail) > 0 {
				mayFail = elsewhere
			}
		}
		if entry.Name == "closed" {
			all = addRule(all, k.Group, "*", k.resource(), admissionv1.NamespacedScope, mayFail)
			continue
		}
		all = addRule(all, k.Group, "*", k.resource(), admissionv1.AllScopes, elsewhere)
		if !builtInGroup(k.Group) {
			// Whether a custom kind is cluster-scoped is not known here. If it is, it must not be in a Fail entry.
			all = addRule(all, k.Group, "*", k.resource(), admissionv1.ClusterScope, mayFail)
		}
	}
	return all
}

// aws-auth is the ConfigMap in kube-system that gives AWS principals their groups, and the policy and the entry for it. It is judged although
// kube-system is left alone.
const (
	awsAuth          = "aws-auth"
	awsAuthNamespace = "kube-system"
)

// judgedKind is a kind that some policy matches. Each operation on it goes to one entry only, so that a request is judged in one
// call.
type judgedKind struct {
	policies.Kind
	enforced   []string // operations for which some policy denies
	ridesAlong []string // the others that are judged
}

func (k *judgedKind) resource() string {
	if k.Subresource != "" {
		return k.Resource + "/" + k.Subresource
	}
	return k.Resource
}

// secrets reports whether the kind is Secret. Its objects are shared out between the entries by their type.
func (k *judgedKind) secrets() bool { return k.Group == "" && k.Resource == "secrets" }

// operations returns all that are judged, sorted.
func (k *judgedKind) operations() []string {
	return slices.Sorted(slices.Values(slices.Concat(k.enforced, k.ridesAlong)))
}

// judgedKinds returns the kinds that the policies match, sorted.
func (e *Engine) judgedKinds() []judgedKind {
	var all []judgedKind
	for _, p := range e.policies.Policies() {
		if !p.Enabled() || p.ID == awsAuth { // aws-auth has an entry of its own
			continue
		}
		for _, m := range p.Match.Rules() {
			at := slices.IndexFunc(all, func(k judgedKind) bool { return k.Kind == m.Kind })
			if at < 0 {
				at, all = len(all), append(all, judgedKind{Kind: m.Kind})
			}
			if p.Enforced() {
				all[at].enforced = append(all[at].enforced, m.Operations...)
			} else {
				all[at].ridesAlong = append(all[at].ridesAlong, m.Operations...)
			}
		}
	}
	for i := range all {
		k := &all[i]
		k.enforced = slices.Compact(slices.Sorted(slices.Values(k.enforced)))
		k.ridesAlong = slices.Compact(slices.Sorted(slices.Values(k.ridesAlong)))
		k.ridesAlong = slices.DeleteFunc(k.ridesAlong, func(op string) bool { return slices.Contains(k.enforced, op) })
	}
	slices.SortFunc(all, func(a, b judgedKind) int {
		return strings.Compare(a.Group+"/"+a.resource(), b.Group+"/"+b.resource())
	})
	return all
}

// neverFail reports whether a kind must not be in a Fail entry: a cluster starts, heals and schedules with these, and
// does so while Gesso is away. A wildcard may be any of them.
func neverFail(k policies.Kind) bool {
	if strings.Contains(k.Group+k.Resource, "*") {
		return true
	}
	if _, namespaced := object.Scope(object.GroupKind{Group: k.Group, Kind: k.Kind}); !namespaced {
		return true
	}
	switch k.Group {
	case "":
		return k.Kind == "Pod" || slices.Contains([]string{"pods", "namespaces", "nodes", "persistentvolumes"}, k.Resource)
	case "rbac.authorization.k8s.io":
		return true
	}
	return false
}

// builtInGroup reports whether the API server itself serves the group, so that the scope of its kinds is known.
func builtInGroup(group string) bool {
	return !strings.Contains(group, ".") || slices.Contains([]string{
		"admissionregistration.k8s.io", "apiextensions.k8s.io", "apiregistration.k8s.io", "authentication.k8s.io", "authorization.k8s.io",
		"certificates.k8s.io", "coordination.k8s.io", "discovery.k8s.io", "events.k8s.io", "flowcontrol.apiserver.k8s.io",
		"internal.apiserver.k8s.io", "networking.k8s.io", "node.k8s.io", "rbac.authorization.k8s.io", "resource.k8s.io",
		"scheduling.k8s.io", "storage.k8s.io", "storagemigration.k8s.io",
	}, group)
}

// addRule adds a resource to the rule with the same group, version, scope and operations, or makes one. No
// operations are no rule.
func addRule(all []admissionv1.RuleWithOperations, group, version, resource string, scope admissionv1.ScopeType, operations []string) []admissionv1.RuleWithOperations {
	if len(operations) == 0 {
		return all
	}
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
