package admission_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/gesso-dev/gesso/admission"
	"github.com/gesso-dev/gesso/internal/convention"
)

// FuzzReview: whatever bytes come as a request, deciding never panics, and what a policy denies is never allowed. The policy
// denies every new Pod and ConfigMap, so that the oracle needs to know nothing of objects.
func FuzzReview(f *testing.F) {
	for _, q := range []question{
		{object: pod("shop:1")},
		{object: pod("shop:latest", gone)},
		{object: pod("shop:latest", owner), user: "system:serviceaccount:kube-system:job-controller"},
		{object: pod("shop:latest"), subresource: "ephemeralcontainers", old: pod("shop:1")},
		{object: deployment("shop:1", "shop:latest"), old: deployment("shop:latest")},
		{object: externalSecret("/prod/team-a/key")},
		{operation: admission.Delete, old: pod("shop:1")},
		{object: "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, namespace: kube-system}"},
		{object: "apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: a, namespace: team-a, annotations: null}"},
		{object: "apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {name: a, namespace: team-a}\nspec: []"},
		{object: "apiVersion: batch/v1\nkind: CronJob\nmetadata: {name: a, namespace: team-a}\nspec: {jobTemplate: {spec: {template: {spec: {containers: [null, 1, {}]}}}}}"},
	} {
		f.Add(q.raw(f))
	}
	f.Add([]byte(`{"uid":"1","kind":{"version":"v1","kind":"Pod"},"operation":"CONNECT"}`))
	f.Add([]byte(`{"uid":"1","kind":{"version":"v1","kind":"Pod"},"operation":"CREATE","object":{"apiVersion":"v1","kind":"Pod","metadata":1,"spec":{"containers":{}}}}`))
	e := setup{
		policies:   map[string]string{"never": rego("never", `[{group: "", kind: Pod}, {group: "", kind: ConfigMap}]`, `deny contains "never"`, "CREATE")},
		exceptions: []string{exception("image-tag", "labels: {matchLabels: {vendor: acme}}", "2027-02-01T00:00:00Z")},
	}.with(f, exampleProfile(f))
	f.Fuzz(func(t *testing.T, raw []byte) {
		r, err := admission.Decode(raw)
		if err != nil {
			if !strings.HasPrefix(err.Error(), "read admission request: ") {
				t.Errorf("error %q", err)
			}
			return
		}
		r.Now = now()
		if r.NamespaceName != "" {
			r.Namespace = &convention.Namespace{Name: r.NamespaceName, Labels: map[string]string{"gesso.dev/irsa": "enabled"}}
		}
		for _, steps := range []admission.Steps{admission.Both, admission.Fill, admission.Judge} {
			r.Steps = steps
			res := e.Review(t.Context(), r)
			if encoded := encode(t, res); !json.Valid(encoded) {
				t.Errorf("the result is no JSON: %s", encoded)
			}
			if steps == admission.Fill {
				continue
			}
			group, _, kind := r.Kind()
			matched := r.Operation == admission.Create && r.Subresource == "" && group == "" && (kind == "Pod" || kind == "ConfigMap")
			softer := strings.HasPrefix(r.User().Name, "system:") && kind == "Pod"
			excluded := slices.Contains([]string{"kube-system", "kube-node-lease", "kube-public"}, r.NamespaceName)
			if matched && !softer && !excluded && res.Allowed {
				t.Errorf("allowed: %s", raw)
			}
			if len(res.Denials()) > 0 && res.Allowed {
				t.Errorf("allowed with denials: %+v", res)
			}
		}
	})
}
