package admission_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/gesso-dev/gesso/admission"
	"github.com/gesso-dev/gesso/internal/convention"
)

// verdict is what the tests look at, one line for each violation: action policy field (ratcheted) (exception).
func verdict(res *admission.Result) []string {
	lines := []string{fmt.Sprintf("allowed=%t", res.Allowed)}
	for _, v := range res.Violations {
		line := v.Action + " " + v.Policy + " " + v.Field
		if v.Ratcheted {
			line += " ratcheted"
		}
		if v.Exception != "" {
			line += " exception=" + v.Exception
		}
		lines = append(lines, line)
	}
	for _, u := range res.Undecided {
		lines = append(lines, fmt.Sprintf("undecided %s enforced=%t", u.Policy, u.Enforced))
	}
	for _, w := range res.Warnings {
		lines = append(lines, "warning: "+w)
	}
	return lines
}

const (
	field = "spec.containers[0].image"
	owner = "ownerReferences: [{apiVersion: apps/v1, kind: ReplicaSet, name: r, uid: u, controller: true}]"
	gone  = "deletionTimestamp: \"2026-11-24T11:00:00Z\""
)

func exception(policy, objects, expires string) string {
	return "apiVersion: gesso.dev/v1alpha1\nkind: Exception\nmetadata: {name: vendor}\nspec:\n  policies: [" + policy + "]\n  objects: {" + objects +
		"}\n  owner: team-a\n  reason: the vendor ships no other tag\n  expires: " + expires + "\n"
}

func TestJudge(t *testing.T) {
	const later = "2027-02-01T00:00:00Z"
	broken := map[string]string{"broken": rego("broken", "pods", `deny contains "x" if to_number(input.request.object.metadata.labels.count) > 1`)}
	const breaks = "labels: {count: abc}"
	engines := map[string]*admission.Engine{} // most cases share one: compiling the policies is what takes time
	for name, tc := range map[string]struct {
		setup
		question
		want []string
	}{
		"a violation is denied": {
			question: question{object: pod("shop:latest")},
			want:     []string{"allowed=false", "deny image-tag " + field},
		},
		"all violations at once, in order": {
			question: question{object: deployment("shop", "shop:1", "shop:latest")},
			want: []string{
				"allowed=false", "deny image-tag spec.template.spec.containers[0].image", "deny image-tag spec.template.spec.containers[2].image",
			},
		},
		"warn":  {setup{profile: "policies: {image-tag: {action: warn}}"}, question{object: pod("shop:latest")}, []string{"allowed=true", "warn image-tag " + field}},
		"audit": {setup{profile: "policies: {image-tag: {action: audit}}"}, question{object: pod("shop:latest")}, []string{"allowed=true", "audit image-tag " + field}},
		"off":   {setup{profile: `policies: {image-tag: {action: "off"}}`}, question{object: pod("shop:latest")}, []string{"allowed=true"}},

		"deny in one namespace, audit elsewhere": {
			setup{profile: "policies: {image-tag: {action: audit, namespaces: [{names: [team-a], action: deny}]}}"},
			question{object: pod("shop:latest")},
			[]string{"allowed=false", "deny image-tag " + field},
		},
		"warn by a label of the namespace": {
			setup{profile: "policies: {image-tag: {namespaces: [{labels: {tier: lab}, action: warn}]}}"},
			question{object: pod("shop:latest"), namespace: &convention.Namespace{Name: "team-a", Labels: map[string]string{"tier": "lab"}}},
			[]string{"allowed=true", "warn image-tag " + field},
		},
		"a label that nobody knows excuses nothing": {
			setup{profile: "policies: {image-tag: {namespaces: [{labels: {tier: lab}, action: warn}]}}"},
			question{object: pod("shop:1"), noFacts: true},
			[]string{"allowed=false", "undecided image-tag enforced=true"},
		},

		"ratchet: the same violation only warns": {
			question: question{object: deployment("shop:latest"), old: deployment("shop:latest")},
			want:     []string{"allowed=true", "warn image-tag spec.template.spec.containers[0].image ratcheted"},
		},
		"ratchet: a new violation is denied": {
			question: question{object: deployment("shop:latest"), old: deployment("shop:1")},
			want:     []string{"allowed=false", "deny image-tag spec.template.spec.containers[0].image"},
		},
		"ratchet: another violation of the same policy is denied": {
			question: question{object: deployment("shop:latest", "other:latest"), old: deployment("shop:latest", "other:1")},
			want: []string{
				"allowed=false", "warn image-tag spec.template.spec.containers[0].image ratcheted", "deny image-tag spec.template.spec.containers[1].image",
			},
		},
		"ratchet: not for a CREATE, whatever comes as the old object": {
			question: question{operation: admission.Create, object: pod("shop:latest"), old: pod("shop:latest")},
			want:     []string{"allowed=false", "deny image-tag " + field},
		},
		"ratchet: an old object that cannot be judged excuses nothing": {
			setup: setup{policies: map[string]string{"broken": rego("broken", "pods", "deny contains \"new\" if input.request.object.metadata.name == \"web\"\n\n"+
				`deny contains "old" if to_number(input.request.object.metadata.labels.count) > 1`)}},
			question: question{object: pod("shop:1"), old: pod("shop:1", breaks)},
			want:     []string{"allowed=false", "deny broken "},
		},
		"ratchet: the old object is judged by its own app": {
			setup: setup{profile: "policies: {external-secret-scope: {parameters: {perApp: true}}}"},
			question: question{
				object: strings.Replace(externalSecret("/prod/team-a/shop/key"), "name: shop}", "name: other}", 1),
				old:    externalSecret("/prod/team-a/shop/key"),
			},
			want: []string{"allowed=false", "deny external-secret-scope spec.data[0].remoteRef.key"},
		},

		"break-glass: a deny becomes a warning": {
			setup{profile: "breakGlassGroups: [sre]"},
			question{object: pod("shop:latest"), groups: []string{"sre"}},
			[]string{"allowed=true", "warn image-tag " + field, "warning: break-glass: this would be refused, but was let through for a group of the Profile's breakGlassGroups"},
		},
		"break-glass: nothing is said where nothing would be refused": {
			setup{profile: "breakGlassGroups: [sre]"},
			question{object: pod("shop:1"), groups: []string{"sre"}},
			[]string{"allowed=true"},
		},
		"break-glass: not for a group of another name": {
			setup{profile: "breakGlassGroups: [sre]"},
			question{object: pod("shop:latest"), user: "sre", groups: []string{"sre2"}},
			[]string{"allowed=false", "deny image-tag " + field},
		},
		"break-glass: neither does what cannot be decided refuse": {
			setup{profile: "breakGlassGroups: [sre]", policies: broken},
			question{object: pod("shop:1", breaks), groups: []string{"sre"}},
			[]string{"allowed=true", "undecided broken enforced=false", "warning: break-glass: this would be refused, but was let through for a group of the Profile's breakGlassGroups"},
		},

		"a Pod of a controller only warns": {
			question: question{object: pod("shop:latest", owner), user: "system:serviceaccount:kube-system:replicaset-controller"},
			want:     []string{"allowed=true", "warn image-tag " + field},
		},
		"a Pod of the controller manager without own service accounts": {
			question: question{object: pod("shop:latest", owner), user: "system:kube-controller-manager"},
			want:     []string{"allowed=true", "warn image-tag " + field},
		},
		"ownerReferences excuse nobody": {
			question: question{object: pod("shop:latest", owner)},
			want:     []string{"allowed=false", "deny image-tag " + field},
		},
		"nor does a service account of the same name elsewhere": {
			question: question{object: pod("shop:latest", owner), user: "system:serviceaccount:team-a:replicaset-controller"},
			want:     []string{"allowed=false", "deny image-tag " + field},
		},
		"a controller's workload is denied": {
			question: question{object: deployment("shop:latest"), user: "system:serviceaccount:kube-system:replicaset-controller"},
			want:     []string{"allowed=false", "deny image-tag spec.template.spec.containers[0].image"},
		},

		"ephemeral containers": {
			question: question{
				subresource: "ephemeralcontainers", old: pod("shop:1"),
				object: pod("shop:1") + "  ephemeralContainers:\n    - {name: debug, image: busybox}\n",
			},
			want: []string{"allowed=false", "deny image-tag spec.ephemeralContainers[0].image"},
		},

		"exception": {
			setup{exceptions: []string{exception("image-tag", "namespaces: [team-a], kinds: [Pod], names: [web]", later)}},
			question{object: pod("shop:latest")},
			[]string{"allowed=true", "audit image-tag " + field + " exception=vendor"},
		},
		"exception: every part that is given must fit: the name": {
			setup{exceptions: []string{exception("image-tag", "namespaces: [team-a], kinds: [Pod], names: [other]", later)}},
			question{object: pod("shop:latest")},
			[]string{"allowed=false", "deny image-tag " + field},
		},
		"exception: every part that is given must fit: the kind": {
			setup{exceptions: []string{exception("image-tag", "namespaces: [team-a], kinds: [Job], names: [web]", later)}},
			question{object: pod("shop:latest")},
			[]string{"allowed=false", "deny image-tag " + field},
		},
		"exception: every part that is given must fit: the namespace": {
			setup{exceptions: []string{exception("image-tag", "namespaces: [team-b], kinds: [Pod], names: [web]", later)}},
			question{object: pod("shop:latest")},
			[]string{"allowed=false", "deny image-tag " + field},
		},
		"exception: every part that is given must fit: the label": {
			setup{exceptions: []string{exception("image-tag", "kinds: [Pod], labels: {matchLabels: {vendor: acme}}", later)}},
			question{object: pod("shop:latest", "labels: {vendor: other}")},
			[]string{"allowed=false", "deny image-tag " + field},
		},
		"exception: by label": {
			setup{exceptions: []string{exception("image-tag", "labels: {matchLabels: {vendor: acme}}", later)}},
			question{object: pod("shop:latest", "labels: {vendor: acme}")},
			[]string{"allowed=true", "audit image-tag " + field + " exception=vendor"},
		},
		"exception: not for another policy": {
			setup{exceptions: []string{exception("external-secret-scope", "kinds: [Pod]", later)}},
			question{object: pod("shop:latest")},
			[]string{"allowed=false", "deny image-tag " + field},
		},
		"exception: it ends at its moment": {
			setup{exceptions: []string{exception("image-tag", "kinds: [Pod]", "2026-11-24T12:00:00Z")}},
			question{object: pod("shop:latest")},
			[]string{"allowed=false", "deny image-tag " + field, `warning: exception "vendor" (owner team-a) expired at 2026-11-24T12:00:00Z and is not honoured`},
		},
		"exception: nobody hears of an expired one that would not be needed": {
			setup{exceptions: []string{exception("image-tag", "kinds: [Pod]", "2026-11-24T12:00:00Z")}},
			question{object: pod("shop:1")},
			[]string{"allowed=true"},
		},
		"exception: neither does a policy that could not decide refuse": {
			setup{policies: broken, exceptions: []string{exception("broken", "kinds: [Pod]", later)}},
			question{object: pod("shop:1", breaks)},
			[]string{"allowed=true", "undecided broken enforced=false"},
		},

		"being deleted": {
			question: question{object: pod("shop:latest", gone), old: pod("shop:1", gone)},
			want:     []string{"allowed=true"},
		},
		"a new object is not being deleted, whatever it says": {
			question: question{object: pod("shop:latest", gone)},
			want:     []string{"allowed=false", "deny image-tag " + field},
		},
		"DELETE is judged by the policies that ask for it, the old object in sight": {
			setup: setup{policies: map[string]string{"keep": rego("keep", `[{group: "", kind: Pod}]`,
				`deny contains sprintf("keep %s", [input.request.oldObject.metadata.name]) if input.request.operation == "DELETE"`, "DELETE")}},
			question: question{operation: admission.Delete, old: pod("shop:latest")},
			want:     []string{"allowed=false", "deny keep "},
		},

		"undecided: a policy that denies refuses": {
			setup{policies: broken},
			question{object: pod("shop:1", breaks)},
			[]string{"allowed=false", "undecided broken enforced=true"},
		},
		"undecided: one that warns does not": {
			setup{policies: broken, profile: "policies: {broken: {action: warn}}"},
			question{object: pod("shop:1", breaks)},
			[]string{"allowed=true", "undecided broken enforced=false"},
		},
		"undecided: the others have their verdict": {
			setup{policies: broken},
			question{object: pod("shop:latest", breaks)},
			[]string{"allowed=false", "deny image-tag " + field, "undecided broken enforced=true"},
		},
		"undecided: the facts of the namespace could not be had": {
			question: question{object: externalSecret("/prod/team-a/shop/key"), noFacts: true},
			want:     []string{"allowed=false", "undecided external-secret-scope enforced=true"},
		},
		"the namespace decides the scope": {
			question: question{
				object:    externalSecret("/prod/team-a/shop/key"),
				namespace: &convention.Namespace{Name: "team-a", Labels: map[string]string{"gesso.dev/environment": "staging"}},
			},
			want: []string{"allowed=false", "deny external-secret-scope spec.data[0].remoteRef.key"},
		},
		"an excluded namespace is left alone": {
			setup{own: "team-a"}, question{object: pod("shop:latest")}, []string{"allowed=true"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			q := tc.question
			q.steps = admission.Judge
			key := fmt.Sprint(tc.setup)
			if engines[key] == nil {
				engines[key] = tc.engine(t)
			}
			res := engines[key].Review(t.Context(), q.request(t))
			if diff := cmp.Diff(tc.want, verdict(&res)); diff != "" {
				t.Errorf("verdict (-want +got):\n%s", diff)
			}
		})
	}
}

func externalSecret(key string) string {
	return "apiVersion: external-secrets.io/v1\nkind: ExternalSecret\nmetadata:\n  name: shop\n  namespace: team-a\n  labels: {app.kubernetes.io/name: shop}\nspec:\n" +
		"  data:\n    - secretKey: KEY\n      remoteRef: {key: " + key + "}\n"
}

// TestConnectIsJudged: a request without any object is judged too; what nobody looked at is not allowed.
func TestConnectIsJudged(t *testing.T) {
	e := setup{
		policies:   map[string]string{"no-exec": rego("no-exec", `[{group: "", kind: PodExecOptions, resource: pods, subresource: exec}]`, `deny contains "no"`, "CONNECT")},
		exceptions: []string{exception("no-exec", "labels: {matchLabels: {a: b}}", "2027-02-01T00:00:00Z")},
	}.engine(t)
	r, err := admission.Decode([]byte(`{"uid":"1","kind":{"version":"v1","kind":"PodExecOptions"},"operation":"CONNECT","subResource":"exec","namespace":"team-a","name":"web"}`))
	if err != nil {
		t.Fatal(err)
	}
	r.Now = now()
	res := e.Review(t.Context(), r)
	if diff := cmp.Diff([]string{"allowed=false", "deny no-exec "}, verdict(&res)); diff != "" {
		t.Errorf("verdict (-want +got):\n%s", diff)
	}
}

// TestOldObjectIsJudgedOnlyWhenNeeded counts allocations, of which judging is by far the most.
func TestOldObjectIsJudgedOnlyWhenNeeded(t *testing.T) {
	e := setup{}.engine(t)
	cost := func(image string) float64 {
		r := question{object: deployment(image), old: deployment("shop:2"), steps: admission.Judge}.request(t)
		return testing.AllocsPerRun(20, func() { e.Review(t.Context(), r) })
	}
	clean, violating := cost("shop:1"), cost("shop:latest")
	if clean*1.5 > violating {
		t.Errorf("%.0f allocations without a violation, %.0f with one: is the old object judged in vain?", clean, violating)
	}
}

// TestInterrupted: a review whose time is over decides nothing, and so allows nothing.
func TestInterrupted(t *testing.T) {
	e := setup{}.engine(t)
	ctx, cancel := contextWithDeadline(t, -time.Second)
	defer cancel()
	res := e.Review(ctx, question{object: pod("shop:1"), steps: admission.Judge}.request(t))
	if diff := cmp.Diff([]string{"allowed=false", "undecided image-tag enforced=true"}, verdict(&res)); diff != "" {
		t.Errorf("verdict (-want +got):\n%s", diff)
	}
}
