package admission_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	admissionv1 "k8s.io/api/admissionregistration/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"

	"github.com/gesso-dev/gesso/admission"
	"github.com/gesso-dev/gesso/internal/txtest"
)

func service() admission.Target {
	return admission.Target{Namespace: "gesso-system", Service: "gesso", Port: 443, CABundle: []byte("PEM")}
}

// TestRegistration compares the configurations for a Profile with those in the fixture: whoever changes what the API server is
// told reads the difference.
func TestRegistration(t *testing.T) {
	txtest.Run(t, "testdata/registration", 4, func(t *testing.T, c *txtest.Case) {
		reg := setup{own: "gesso-system"}.with(t, decodeProfile(t, string(c.File("profile.yaml")))).Registration(service())
		for _, section := range []struct {
			name   string
			config any
		}{{"mutating.yaml", reg.Mutating}, {"validating.yaml", reg.Validating}} {
			raw, err := yaml.Marshal(section.config)
			if err != nil {
				t.Fatal(err)
			}
			c.Want(section.name, raw)
		}
		wellFormed(t, reg)
	})
}

// TestExampleRegistration holds examples/profile.yaml and the built-in Profile to the same rules.
func TestExampleRegistration(t *testing.T) {
	for name, profile := range profiles(t) {
		t.Run(name, func(t *testing.T) {
			reg := setup{own: "gesso-system"}.with(t, profile).Registration(service())
			wellFormed(t, reg)
			want := map[string]int{"built-in": 2, "example": 3}[name] // this test's built-in Profile has two policies, none of them aws-auth
			if len(reg.Mutating.Webhooks) != 2 || len(reg.Validating.Webhooks) != want {
				t.Errorf("%d mutating and %d validating webhooks, want 2 and %d", len(reg.Mutating.Webhooks), len(reg.Validating.Webhooks), want)
			}
		})
	}
}

// one is what both kinds of webhook have in common.
type one struct {
	name, path  string
	reviews     []string
	failure     admissionv1.FailurePolicyType
	match       admissionv1.MatchPolicyType
	effects     admissionv1.SideEffectClass
	timeout     int32
	namespaces  *metav1.LabelSelector
	rules       []admissionv1.RuleWithOperations
	conditions  []admissionv1.MatchCondition
	reinvoke    string
	objectsOnly *metav1.LabelSelector
}

func webhooks(reg admission.Registration) []one {
	var all []one
	for _, w := range reg.Mutating.Webhooks {
		all = append(all, one{
			w.Name, *w.ClientConfig.Service.Path, w.AdmissionReviewVersions, *w.FailurePolicy, *w.MatchPolicy, *w.SideEffects, *w.TimeoutSeconds,
			w.NamespaceSelector, w.Rules, w.MatchConditions, string(*w.ReinvocationPolicy), w.ObjectSelector,
		})
	}
	for _, w := range reg.Validating.Webhooks {
		all = append(all, one{
			w.Name, *w.ClientConfig.Service.Path, w.AdmissionReviewVersions, *w.FailurePolicy, *w.MatchPolicy, *w.SideEffects, *w.TimeoutSeconds,
			w.NamespaceSelector, w.Rules, w.MatchConditions, "", w.ObjectSelector,
		})
	}
	return all
}

// wellFormed holds what is the same for every registration.
func wellFormed(t *testing.T, reg admission.Registration) {
	t.Helper()
	for _, w := range webhooks(reg) {
		at := slices.IndexFunc(admission.Entries(), func(e admission.Entry) bool { return e.Name+".gesso.dev" == w.name })
		if at < 0 {
			t.Errorf("%s is no entry", w.name)
			continue
		}
		entry := admission.Entries()[at]
		if w.path != entry.Path || w.timeout != entry.TimeoutSeconds || (w.failure == admissionv1.Fail) != entry.Fail {
			t.Errorf("%s: path %s, timeout %d, failure policy %s; the entry is %+v", w.name, w.path, w.timeout, w.failure, entry)
		}
		if w.effects != admissionv1.SideEffectClassNone || w.match != admissionv1.Equivalent || !slices.Equal(w.reviews, []string{"v1"}) {
			t.Errorf("%s: side effects %s, match policy %s, reviews %s", w.name, w.effects, w.match, w.reviews)
		}
		if want := map[bool]string{true: "IfNeeded"}[entry.Steps == admission.Fill]; w.reinvoke != want {
			t.Errorf("%s: reinvocation policy %q, want %q", w.name, w.reinvoke, want)
		}
		if entry.Name == "aws-auth" { // the one entry for kube-system, and for nothing else in it
			if w.namespaces.MatchLabels["kubernetes.io/metadata.name"] != "kube-system" || len(w.conditions) != 1 || !strings.Contains(w.conditions[0].Expression, "metadata.name == 'aws-auth'") {
				t.Errorf("%s: %+v, %+v", w.name, w.namespaces, w.conditions)
			}
			continue
		}
		first := w.namespaces.MatchExpressions[0]
		for _, namespace := range []string{"kube-system", "kube-node-lease", "gesso-system"} {
			if first.Key != "kubernetes.io/metadata.name" || first.Operator != metav1.LabelSelectorOpNotIn || !slices.Contains(first.Values, namespace) {
				t.Errorf("%s: namespace %s is not excluded: %+v", w.name, namespace, first)
			}
		}
		if w.objectsOnly != nil {
			t.Errorf("%s: an object selector: whoever labels his objects leaves", w.name)
		}
		for _, rule := range w.rules {
			for _, list := range [][]string{rule.APIGroups, rule.APIVersions, rule.Resources} {
				if len(list) == 0 {
					t.Errorf("%s: an empty list in a rule: %+v", w.name, rule)
				}
			}
			if len(rule.Operations) == 0 || rule.Scope == nil {
				t.Errorf("%s: a rule without operations or scope: %+v", w.name, rule)
			}
		}
		if w.failure == admissionv1.Fail {
			mayFail(t, w)
		}
	}
}

// mayFail holds that the cluster heals without Gesso: nothing of the list in the documentation is in a Fail entry.
func mayFail(t *testing.T, w one) {
	t.Helper()
	var conditions []string
	for _, c := range w.conditions {
		conditions = append(conditions, c.Expression)
	}
	for _, who := range []string{"system:apiserver", "system:nodes", "system:kube-", "system:serviceaccounts:kube-system"} {
		if !strings.Contains(strings.Join(conditions, "\n"), "'"+who+"'") {
			t.Errorf("%s: what %s sends is not left out: %s", w.name, who, conditions)
		}
	}
	for _, rule := range w.rules {
		if *rule.Scope != admissionv1.NamespacedScope {
			t.Errorf("%s: scope %s may bring cluster-scoped objects: %+v", w.name, *rule.Scope, rule)
		}
		for _, group := range rule.APIGroups {
			for _, resource := range rule.Resources {
				name, _, _ := strings.Cut(resource, "/")
				if group == "" && name == "secrets" && !strings.Contains(strings.Join(conditions, "\n"), ".type == 'Opaque'") {
					t.Errorf("%s: Secrets of every type are in a Fail entry", w.name)
				}
				for _, never := range []string{
					"*/", "/*", "/pods", "/namespaces", "/nodes", "/persistentvolumes", "rbac.authorization.k8s.io/",
					"networking.k8s.io/ingressclasses", "storage.k8s.io/storageclasses", "admissionregistration.k8s.io/", "apiextensions.k8s.io/",
					"apiregistration.k8s.io/", "certificates.k8s.io/", "scheduling.k8s.io/priorityclasses", "flowcontrol.apiserver.k8s.io/",
					"resource.k8s.io/deviceclasses", "networking.k8s.io/servicecidrs", "node.k8s.io/runtimeclasses",
				} {
					if full := group + "/" + name; full == never || strings.HasSuffix(never, "/") && strings.HasPrefix(full, never) {
						t.Errorf("%s: %s is in a Fail entry", w.name, full)
					}
				}
			}
		}
	}
}

// dangerous is a policy that denies on everything that must never be in a Fail entry, and on a few kinds that may be.
func dangerous() string {
	return rego("dangerous", `[
#         {group: "", kind: Pod}, {group: "", kind: Pod, subresource: ephemeralcontainers}, {group: "", kind: PodExecOptions, resource: pods, subresource: exec},
#         {group: "", kind: Namespace}, {group: "", kind: Node}, {group: "", kind: PersistentVolume}, {group: "", kind: Secret},
#         {group: rbac.authorization.k8s.io, kind: ClusterRole}, {group: rbac.authorization.k8s.io, kind: Role},
#         {group: rbac.authorization.k8s.io, kind: RoleBinding}, {group: networking.k8s.io, kind: IngressClass},
#         {group: networking.k8s.io, kind: ServiceCIDR}, {group: storage.k8s.io, kind: StorageClass}, {group: resource.k8s.io, kind: DeviceClass},
#         {group: scheduling.k8s.io, kind: PriorityClass}, {group: admissionregistration.k8s.io, kind: ValidatingWebhookConfiguration},
#         {group: apiextensions.k8s.io, kind: CustomResourceDefinition}, {group: apiregistration.k8s.io, kind: APIService},
#         {group: certificates.k8s.io, kind: CertificateSigningRequest}, {group: flowcontrol.apiserver.k8s.io, kind: FlowSchema},
#         {group: node.k8s.io, kind: RuntimeClass}, {group: "", kind: Pod, resource: podz}, {group: "", kind: Anything, resource: "*"}, {group: "*", kind: Widget},
#         {group: example.com, kind: Widget}, {group: example.com, kind: ClusterWidget}, {group: external-secrets.io, kind: ClusterExternalSecret},
#         {group: networking.k8s.io, kind: NetworkPolicy}, {group: "", kind: Service}
#       ]`, `deny contains "no"`, "CREATE", "UPDATE", "DELETE")
}

// TestNothingDangerousFails: whatever policies deny, the never-in-Fail list holds, and nothing is lost by it.
func TestNothingDangerousFails(t *testing.T) {
	e := setup{policies: map[string]string{"dangerous": dangerous()}, own: "gesso-system"}.with(t, exampleProfile(t))
	reg := e.Registration(service())
	wellFormed(t, reg)
	for resource, want := range map[string][]string{
		"/pods": {"open *"}, "/pods/ephemeralcontainers": {"open *"}, "/pods/exec": {"open *"}, "/namespaces": {"open *"},
		"rbac.authorization.k8s.io/clusterroles": {"open *"}, "rbac.authorization.k8s.io/roles": {"open *"},
		"networking.k8s.io/ingressclasses": {"open *"}, "resource.k8s.io/deviceclasses": {"open *"},
		"example.com/clusterwidgets": {"open *"}, "/podz": {"open *"}, "/*": {"open *"}, "*/widgets": {"open *"},
		"/secrets":                          {"closed Namespaced", "open *"},       // shared out by type in the match conditions
		"example.com/widgets":               {"closed Namespaced", "open Cluster"}, // nobody knows here which it is
		"networking.k8s.io/networkpolicies": {"closed Namespaced"},
		"/services":                         {"closed Namespaced"},
		"apps/deployments":                  {"closed Namespaced"},
	} {
		if diff := cmp.Diff(want, whereIs(reg, resource, "CREATE")); diff != "" {
			t.Errorf("%s is sent to (-want +got):\n%s", resource, diff)
		}
	}
}

// whereIs returns the validating entries and scopes to which an operation on a resource is sent.
func whereIs(reg admission.Registration, resource, operation string) []string {
	var all []string
	for _, w := range reg.Validating.Webhooks {
		for _, rule := range w.Rules {
			for _, r := range rule.Resources {
				if rule.APIGroups[0]+"/"+r == resource && slices.Contains(rule.Operations, admissionv1.OperationType(operation)) {
					all = append(all, strings.TrimSuffix(w.Name, ".gesso.dev")+" "+string(*rule.Scope))
				}
			}
		}
	}
	return all
}

// TestOperationsApart: an operation for which nothing denies is not worth a Fail entry, and each is sent once.
func TestOperationsApart(t *testing.T) {
	e := setup{
		profile: "policies: {watch: {action: warn}}",
		policies: map[string]string{
			"refuse": rego("refuse", `[{group: apps, kind: Deployment}]`, `deny contains "x"`, "CREATE"),
			"watch":  rego("watch", `[{group: apps, kind: Deployment}, {group: "", kind: Service}]`, `deny contains "x"`, "CREATE", "DELETE"),
		},
	}.engine(t)
	reg := e.Registration(service())
	for what, want := range map[string][]string{
		"CREATE apps/deployments": {"closed Namespaced"},
		"UPDATE apps/deployments": {"closed Namespaced"}, // image-tag
		"DELETE apps/deployments": {"open *"},
		"CREATE /services":        {"open *"},
		"UPDATE /services":        nil,
	} {
		operation, resource, _ := strings.Cut(what, " ")
		if diff := cmp.Diff(want, whereIs(reg, resource, operation)); diff != "" {
			t.Errorf("%s is sent to (-want +got):\n%s", what, diff)
		}
	}
}

// TestSecretsAreSharedOut: Secrets that somebody wrote may fail, those that a cluster makes for itself never; and no operation on
// either is lost between the two entries.
func TestSecretsAreSharedOut(t *testing.T) {
	refuse := rego("refuse", `[{group: "", kind: Secret}]`, `deny contains "x"`, "CREATE")
	watch := rego("watch", `[{group: "", kind: Secret}]`, `deny contains "x"`, "DELETE")
	const warns = "policies: {watch: {action: warn}}"
	for name, tc := range map[string]struct {
		policies                     map[string]string
		wantCreate, wantDelete       []string
		wantInClosed, wantInOpenOnly bool
	}{
		"refused and watched": {map[string]string{"refuse": refuse, "watch": watch}, []string{"closed Namespaced", "open *"}, []string{"closed Namespaced", "open *"}, true, true},
		"watched":             {map[string]string{"watch": watch}, nil, []string{"open *"}, false, false},
	} {
		t.Run(name, func(t *testing.T) {
			reg := setup{profile: warns, policies: tc.policies}.engine(t).Registration(service())
			if diff := cmp.Diff(tc.wantCreate, whereIs(reg, "/secrets", "CREATE")); diff != "" {
				t.Errorf("CREATE is sent to (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tc.wantDelete, whereIs(reg, "/secrets", "DELETE")); diff != "" {
				t.Errorf("DELETE is sent to (-want +got):\n%s", diff)
			}
			for i, want := range []bool{tc.wantInClosed, tc.wantInOpenOnly} {
				operator := []string{"==", "!="}[i]
				got := slices.ContainsFunc(reg.Validating.Webhooks[i].MatchConditions, func(c admissionv1.MatchCondition) bool {
					return c.Expression == "request.resource.resource != 'secrets' || request.resource.group != '' || (object != null ? object : oldObject).type "+operator+" 'Opaque'"
				})
				if got != want {
					t.Errorf("%s: a condition with %s is %t, want %t: %+v", reg.Validating.Webhooks[i].Name, operator, got, want, reg.Validating.Webhooks[i].MatchConditions)
				}
			}
		})
	}
}

// TestAWSAuth: one ConfigMap of kube-system is judged, by an entry of its own, although the namespace is left alone.
func TestAWSAuth(t *testing.T) {
	e := setup{own: "gesso-system", profile: "policies:\n  aws-auth: {action: deny}"}.engine(t)
	reg := e.Registration(service())
	for _, operation := range []string{"CREATE", "UPDATE", "DELETE"} {
		if diff := cmp.Diff([]string{"aws-auth Namespaced"}, whereIs(reg, "/configmaps", operation)); diff != "" {
			t.Errorf("%s is sent to (-want +got):\n%s", operation, diff)
		}
	}
	w := reg.Validating.Webhooks[len(reg.Validating.Webhooks)-1]
	if *w.FailurePolicy != admissionv1.Ignore || *w.ClientConfig.Service.Path != "/validate/open" || len(w.MatchConditions) != 1 ||
		w.MatchConditions[0].Expression != "(object != null ? object : oldObject).metadata.name == 'aws-auth'" ||
		w.NamespaceSelector.MatchLabels["kubernetes.io/metadata.name"] != "kube-system" {
		t.Errorf("the entry is %+v", w)
	}
	for name, want := range map[string]bool{"kube-system/aws-auth": false, "kube-system/coredns": true, "gesso-system/aws-auth": true} {
		namespace, name, _ := strings.Cut(name, "/")
		text := "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: " + name + ", namespace: " + namespace + "}\ndata: {mapRoles: '{'}"
		for _, q := range []question{{object: text}, {object: text, old: text + "\nimmutable: false"}, {operation: admission.Delete, old: text}} {
			q.steps = admission.Judge
			res := e.Review(t.Context(), q.request(t))
			if q.operation != "" || q.old == "" { // on UPDATE the old one breaks the rule too
				if res.Allowed != want {
					t.Errorf("%s %s/%s: allowed is %t, want %t", res.Operation, namespace, name, res.Allowed, want)
				}
			}
			if looked := len(res.Skipped) == 0; looked == want {
				t.Errorf("%s %s/%s: left alone is %t, want %t", res.Operation, namespace, name, !looked, want)
			}
		}
	}
}

// TestNothingToDo: configurations without entries are still there, so that applying them takes away what was registered.
func TestNothingToDo(t *testing.T) {
	e := setup{profile: strings.TrimSpace(`
defaults:
  read-only-root-filesystem: {mode: "off"}
  resources: {mode: "off"}
  seccomp: {mode: "off"}
  no-privilege-escalation: {mode: "off"}
  drop-capabilities: {mode: "off"}
  run-as-non-root: {mode: "off"}
  no-service-account-token: {mode: "off"}
  no-service-links: {mode: "off"}
  sidecar: {mode: "off"}
  irsa: {mode: "off"}
  ingress-class: {mode: "off"}
policies:
  image-tag: {action: "off"}
  external-secret-scope: {action: "off"}
`)}.engine(t)
	reg := e.Registration(service())
	if len(reg.Mutating.Webhooks)+len(reg.Validating.Webhooks) != 0 {
		t.Errorf("something is registered: %+v", reg)
	}
	if reg.Mutating.Name != admission.RegistrationName || reg.Validating.Kind != "ValidatingWebhookConfiguration" {
		t.Errorf("the configurations are not whole: %+v", reg)
	}
}

// TestTargetURL: outside the cluster the API server is given URLs.
func TestTargetURL(t *testing.T) {
	reg := setup{}.engine(t).Registration(admission.Target{URL: "https://127.0.0.1:9443/", CABundle: []byte("PEM")})
	got := reg.Validating.Webhooks[0].ClientConfig
	if got.Service != nil || got.URL == nil || *got.URL != "https://127.0.0.1:9443/validate/closed" || string(got.CABundle) != "PEM" {
		t.Errorf("client config %+v", got)
	}
}
