package admission_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	admissionv1 "k8s.io/api/admissionregistration/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/gesso-dev/gesso/admission"
)

// TestUnregistered breaks a complete registration in one place at a time.
func TestUnregistered(t *testing.T) {
	e := setup{own: "gesso-system"}.engine(t)
	for name, tc := range map[string]struct {
		breaks func(*admission.Registration)
		want   []string
	}{
		"all is there": {func(*admission.Registration) {}, nil},
		"what an API server adds": {func(r *admission.Registration) {
			r.Mutating.Webhooks[0].ObjectSelector = &metav1.LabelSelector{}
			r.Validating.Webhooks[0].ObjectSelector = &metav1.LabelSelector{}
		}, nil},
		"more than is needed": {func(r *admission.Registration) {
			w := &r.Validating.Webhooks[0]
			w.Rules = append(w.Rules, admissionv1.RuleWithOperations{
				Operations: []admissionv1.OperationType{admissionv1.OperationAll},
				Rule:       admissionv1.Rule{APIGroups: []string{"*"}, APIVersions: []string{"*"}, Resources: []string{"*/*"}},
			})
			w.Rules = w.Rules[len(w.Rules)-1:]
		}, nil},
		"no mutating configuration": {func(r *admission.Registration) { r.Mutating = nil }, []string{
			"MutatingWebhookConfiguration gesso does not exist: nothing is filled",
		}},
		"no validating configuration": {func(r *admission.Registration) { r.Validating = nil }, []string{
			"ValidatingWebhookConfiguration gesso does not exist: nothing is refused",
		}},
		"nothing": {func(r *admission.Registration) { *r = admission.Registration{} }, []string{
			"MutatingWebhookConfiguration gesso does not exist: nothing is filled",
			"ValidatingWebhookConfiguration gesso does not exist: nothing is refused",
		}},
		"an entry": {func(r *admission.Registration) { r.Mutating.Webhooks = r.Mutating.Webhooks[1:] }, []string{
			"defaults.gesso.dev: the entry does not exist",
		}},
		"a resource": {func(r *admission.Registration) {
			r.Mutating.Webhooks[0].Rules[0].Resources = []string{"deployments", "statefulsets"}
		}, []string{
			"defaults.gesso.dev: CREATE of apps/daemonsets is not sent", "defaults.gesso.dev: UPDATE of apps/daemonsets is not sent",
		}},
		"an operation": {func(r *admission.Registration) {
			rules := r.Validating.Webhooks[1].Rules
			rules[1].Operations = []admissionv1.OperationType{admissionv1.Create}
		}, []string{"open.gesso.dev: UPDATE of pods/ephemeralcontainers is not sent"}},
		"a subresource that a * does not cover": {func(r *admission.Registration) {
			r.Validating.Webhooks[1].Rules[1].Resources = []string{"*"}
		}, []string{"open.gesso.dev: UPDATE of pods/ephemeralcontainers is not sent"}},
		"a subresource that pods/* covers": {func(r *admission.Registration) {
			r.Validating.Webhooks[1].Rules[1].Resources = []string{"pods/*"}
		}, nil},
		"the scope": {func(r *admission.Registration) {
			r.Validating.Webhooks[0].Rules[0].Scope = new(admissionv1.ClusterScope)
		}, []string{
			"closed.gesso.dev: CREATE of replicationcontrollers is not sent", "closed.gesso.dev: UPDATE of replicationcontrollers is not sent",
		}},
		"a version": {func(r *admission.Registration) {
			r.Mutating.Webhooks[0].Rules[1].APIVersions = []string{"v1beta1"}
		}, []string{"defaults.gesso.dev: CREATE of batch/cronjobs is not sent", "defaults.gesso.dev: UPDATE of batch/cronjobs is not sent"}},
		"the path": {func(r *admission.Registration) {
			r.Validating.Webhooks[0].ClientConfig.Service.Path = new("/validate/open")
		}, []string{`closed.gesso.dev: requests go to path "/validate/open", not to "/validate/closed"`}},
		"a namespace": {func(r *admission.Registration) {
			e := &r.Validating.Webhooks[0].NamespaceSelector.MatchExpressions[0]
			e.Values = append(e.Values, "team-a")
		}, []string{"closed.gesso.dev: another namespaceSelector than needed: some requests may not be sent"}},
		"objects by label": {func(r *admission.Registration) {
			r.Mutating.Webhooks[1].ObjectSelector = &metav1.LabelSelector{MatchLabels: map[string]string{"a": "b"}}
		}, []string{"pods.gesso.dev: another objectSelector than needed: some requests may not be sent"}},
		"a condition": {func(r *admission.Registration) {
			r.Validating.Webhooks[1].MatchConditions = []admissionv1.MatchCondition{{Name: "never", Expression: "false"}}
		}, []string{"open.gesso.dev: another matchConditions than needed: some requests may not be sent"}},
	} {
		t.Run(name, func(t *testing.T) {
			reg := e.Registration(service())
			living := admission.Registration{Mutating: reg.Mutating.DeepCopy(), Validating: reg.Validating.DeepCopy()}
			tc.breaks(&living)
			if diff := cmp.Diff(tc.want, e.Unregistered(living)); diff != "" {
				t.Errorf("unregistered (-want +got):\n%s", diff)
			}
		})
	}
	url := e.Registration(admission.Target{URL: "https://127.0.0.1:9443"})
	if got := e.Unregistered(url); len(got) > 0 {
		t.Errorf("registered by URL, and yet: %q", got)
	}
}

// TestUnregisteredPolicies takes away what some policies need and others do not.
func TestUnregisteredPolicies(t *testing.T) {
	e := setup{
		own:     "gesso-system",
		profile: "policies: {maps: {action: deny}, silent: {action: \"off\"}}",
		policies: map[string]string{
			"maps":   rego("maps", `[{group: "", kind: ConfigMap}]`, `deny contains "no"`),
			"both":   rego("both", `[{group: "", kind: ConfigMap}, {group: example.org, kind: Gadget}]`, `deny contains "no"`, "CREATE"),
			"gadget": rego("gadget", `[{group: example.org, kind: Gadget}]`, `deny contains "no"`, "DELETE"),
			"silent": rego("silent", `[{group: "", kind: ConfigMap}]`, `deny contains "no"`),
		},
	}.engine(t)
	ours := []string{"both", "gadget", "maps", "silent"}
	for name, tc := range map[string]struct {
		unsent func(admissionv1.RuleWithOperations) []admissionv1.OperationType // what is taken away of a rule
		want   []string
	}{
		"all is sent": {func(admissionv1.RuleWithOperations) []admissionv1.OperationType { return nil }, nil},
		"a kind": {func(r admissionv1.RuleWithOperations) []admissionv1.OperationType {
			if slices.Contains(r.Resources, "configmaps") {
				return r.Operations
			}
			return nil
		}, []string{"both", "maps"}},
		"an operation": {func(r admissionv1.RuleWithOperations) []admissionv1.OperationType {
			return []admissionv1.OperationType{admissionv1.Delete}
		}, []string{"gadget"}},
	} {
		t.Run(name, func(t *testing.T) {
			living := e.Registration(service())
			for i := range living.Validating.Webhooks {
				w := &living.Validating.Webhooks[i]
				for j := range w.Rules {
					taken := tc.unsent(w.Rules[j])
					w.Rules[j].Operations = slices.DeleteFunc(slices.Clone(w.Rules[j].Operations), func(op admissionv1.OperationType) bool {
						return slices.Contains(taken, op)
					})
				}
			}
			got := slices.DeleteFunc(e.UnregisteredPolicies(living), func(id string) bool { return !slices.Contains(ours, id) })
			if diff := cmp.Diff(tc.want, got, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("unregistered (-want +got):\n%s", diff)
			}
		})
	}
	all := e.UnregisteredPolicies(admission.Registration{})
	if slices.Contains(all, "silent") || !slices.Contains(all, "maps") || !slices.Contains(all, "image-tag") {
		t.Errorf("with no configuration at all: %q", all)
	}
}
