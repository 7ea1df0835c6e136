package e2e_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gesso-dev/gesso/e2e"
)

// reads is a policy that refuses a ConfigMap whose name no Gadget of its namespace allows.
const reads = `# METADATA
# title: Names that a Gadget allows
# custom:
#   gesso:
#     match: {kinds: [{group: "", kind: ConfigMap}]}
#     inventory:
#     - {name: gadgets, group: e2e.example.org, version: v1, kind: Gadget, by: metadata.namespace, fields: ["spec.names[]"]}
package gesso.policies.reads

deny contains {"message": "no Gadget allows this name", "field": "metadata.name"} if {
	not allowed
}

allowed if {
	some gadget in input.inventory.gadgets[input.request.namespace]
	input.request.name in gadget.spec.names
}
`

const gadgetCRD = `
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: gadgets.e2e.example.org}
spec:
  group: e2e.example.org
  scope: Namespaced
  names: {kind: Gadget, plural: gadgets, singular: gadget}
  versions:
  - name: v1
    served: true
    storage: true
    schema: {openAPIV3Schema: {type: object, properties: {spec: {type: object, x-kubernetes-preserve-unknown-fields: true}}}}
`

const mayReadGadgets = `
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: e2e-gadgets}
rules:
- {apiGroups: [e2e.example.org], resources: [gadgets], verbs: [get, list, watch]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: e2e-gadgets}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: e2e-gadgets}
subjects:
- {apiGroup: rbac.authorization.k8s.io, kind: User, name: gesso}
`

// configMap asks a Gesso about a new ConfigMap and returns its answer in words: allowed, or the reason.
func configMap(t *testing.T, g *e2e.Gesso, name string) string {
	t.Helper()
	body := fmt.Sprintf(`{"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": {"uid": "u-1", "operation": "CREATE",
		"kind": {"group": "", "version": "v1", "kind": "ConfigMap"}, "resource": {"group": "", "version": "v1", "resource": "configmaps"},
		"namespace": "default", "name": %[1]q, "userInfo": {"username": "dev"},
		"object": {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": %[1]q, "namespace": "default"}}}}`, name)
	status, answer := postTo(t, g, "/validate/closed", body)
	var review struct {
		Response struct {
			Allowed bool
			Status  struct{ Message string }
		}
	}
	if err := json.Unmarshal(answer, &review); err != nil || status != http.StatusOK {
		t.Fatalf("HTTP %d, %v: %s", status, err, answer)
	}
	if review.Response.Allowed {
		return "allowed"
	}
	return review.Response.Status.Message
}

// TestReloadAndInventory gives a Gesso, while it runs, a policy that reads a kind which it may not read, which then is not served, and
// which arrives at last. This Gesso has the same account as the registered one and is asked by hand.
func TestReloadAndInventory(t *testing.T) {
	dir := t.TempDir()
	policies := filepath.Join(dir, "policies")
	put := func(file, text string) {
		t.Helper()
		path := filepath.Join(policies, file)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(text), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	put("readme.txt", "policies come here")
	g, err := e2e.StartGesso(t.Context(), shared.cp, e2e.Options{
		Binary: shared.gesso.Binary, Dir: dir, Flags: []string{"--policies", policies},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := g.Stop(); err != nil || t.Failed() {
			t.Errorf("%v\n%s", err, g.Log())
		}
	}()
	answers := func(name, want string) {
		t.Helper()
		e2e.Eventually(t, name+": "+want, func() error {
			if got := configMap(t, g, name); !strings.Contains(got, want) {
				return errors.New(got)
			}
			return nil
		})
	}
	answers("a", "allowed")

	began := time.Now()
	put("reads/reads.rego", reads)
	answers("a", "the inventory of Gadget.e2e.example.org has not been read yet")
	t.Logf("a policy whose inventory may not be read is in force after %v", time.Since(began).Round(time.Millisecond))
	e2e.Eventually(t, "a note", func() error {
		status, err := g.Get(t.Context(), "/statusz")
		if err == nil && !strings.Contains(string(status), "Gesso may not list and watch Gadget.e2e.example.org") {
			err = fmt.Errorf("no note in %s", status)
		}
		return err
	})

	mustApply(t, mayReadGadgets, "apply")
	answers("a", "no Gadget allows this name") // there is no such kind: that is known
	mustApply(t, gadgetCRD, "apply")
	defer kubectl(t, "delete", "crd", "gadgets.e2e.example.org")
	kubectl(t, "wait", "--for=condition=Established", "crd/gadgets.e2e.example.org", "--timeout=20s")
	mustApply(t, "apiVersion: e2e.example.org/v1\nkind: Gadget\nmetadata: {name: g, namespace: default}\nspec: {names: [a, b]}\n", "apply")
	for range 2 { // it is asked for every half minute at the least, and a try is given up after as long
		if time.Sleep(time.Second); configMap(t, g, "a") == "allowed" {
			break
		}
		time.Sleep(15 * time.Second)
	}
	answers("a", "allowed")
	answers("c", "no Gadget allows this name")
	kubectl(t, "patch", "gadget", "g", "--namespace=default", "--type=merge", "-p", `{"spec": {"names": ["c"]}}`)
	answers("c", "allowed")
	answers("a", "no Gadget allows this name")

	began = time.Now()
	put("reads/reads.rego", strings.Replace(reads, "no Gadget allows", "really no Gadget allows", 1))
	answers("a", "really no Gadget allows this name")
	t.Logf("a policy that reads the same is in force after %v", time.Since(began).Round(time.Millisecond))
	put("reads/reads.rego", reads+"nonsense")
	e2e.Eventually(t, "quarantine", func() error {
		metrics, err := g.Get(t.Context(), "/metrics")
		if err == nil && !strings.Contains(string(metrics), `gesso_policy_quarantined{policy="reads"} 1`) {
			err = errors.New("not in the metrics")
		}
		return err
	})
	answers("a", "really no Gadget allows this name")
}
