package e2e_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// minimalPod says nothing of security.
const minimalPod = `
apiVersion: v1
kind: Pod
metadata:
  name: %s
  namespace: %s
  annotations: {%s}
spec:
  containers:
  - name: web
    image: registry.example/shop/web:1.4.2
    ports: [{name: http, containerPort: 8080}]
    readinessProbe: {httpGet: {path: /, port: http}}
`

// TestRestrictedNamespace holds that a Pod which says nothing of security is accepted where Kubernetes enforces the restricted Pod Security
// Standard, sidecar and all; and that it takes each of the defaults for that.
func TestRestrictedNamespace(t *testing.T) {
	ns := namespace(t)
	kubectl(t, "label", "namespace", ns, "pod-security.kubernetes.io/enforce=restricted")
	mustApply(t, fmt.Sprintf(minimalPod, "filled", ns, ""), "create")
	stored := get(t, "pod", "filled", "--namespace", ns).Object
	if name := at(stored, "/spec/initContainers/0/name"); name != "gesso-proxy" {
		t.Errorf("the sidecar is not in it: %v", name)
	}
	for id, field := range map[string]string{
		"seccomp": "seccompProfile", "no-privilege-escalation": "allowPrivilegeEscalation", "drop-capabilities": "capabilities", "run-as-non-root": "runAsNonRoot",
	} {
		stderr, err := apply(t, fmt.Sprintf(minimalPod, "without-"+id, ns, "gesso.dev/"+id+`: "false"`), "create")
		if err == nil || !strings.Contains(stderr, "violates PodSecurity") || !strings.Contains(stderr, field) {
			t.Errorf("without %s: %v\n%s", id, err, stderr)
		}
	}
}

// TestModeOfNamespace holds that the mode of a default may be another one in some namespaces: the example's Profile only previews
// run-as-non-root in the namespace legacy.
func TestModeOfNamespace(t *testing.T) {
	deployment := `
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: %s}
spec:
  replicas: 0
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - name: web
        image: registry.example/shop/web:1.4.2
        ports: [{name: http, containerPort: 8080}]
        readinessProbe: {httpGet: {path: /, port: http}}
`
	kubectl(t, "create", "namespace", "legacy")
	for name, want := range map[string]any{namespace(t): true, "legacy": nil} {
		manifest := fmt.Sprintf(deployment, name)
		mustApply(t, manifest, "create")
		stored := get(t, "deployment", "web", "--namespace", name).Object
		if diff := cmp.Diff(want, at(stored, "/spec/template/spec/securityContext/runAsNonRoot")); diff != "" {
			t.Errorf("in %s (-want +stored):\n%s", name, diff)
		}
		previewed := false
		for _, p := range review(t, manifest)[0].Preview {
			previewed = previewed || p.ID == "run-as-non-root"
		}
		if previewed == (want == true) {
			t.Errorf("in %s: previewed is %t", name, previewed)
		}
	}
}
