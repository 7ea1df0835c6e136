package e2e_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gesso-dev/gesso/e2e"
	"github.com/gesso-dev/gesso/e2e/controlplane"
)

// TestLegacy: a Deployment of :latest is in place when the policy is switched on. It can be operated, with a warning; a new image of
// :latest cannot come in, except by breaking the glass, and then it is seen.
func TestLegacy(t *testing.T) {
	ns := namespace(t)
	kubectl(t, "delete", "validatingwebhookconfiguration", "gesso")
	mustApply(t, deployment(ns, "registry.example/web:latest"), "apply")
	var old string
	e2e.Eventually(t, "the Pod of the legacy Deployment", func() error {
		old = kubectl(t, "get", "pods", "--namespace", ns, "-o", "jsonpath={.items[*].metadata.name}")
		if old == "" {
			return fmt.Errorf("no Pod")
		}
		return nil
	})
	if err := shared.gesso.Register(t.Context(), shared.cp); err != nil {
		t.Fatal(err)
	}

	for name, args := range map[string][]string{
		"scale":    {"scale", "deployment/web", "--replicas=2"},
		"annotate": {"annotate", "deployment/web", "example.org/a=b"},
		"restart":  {"rollout", "restart", "deployment/web"},
	} {
		_, stderr, err := shared.cp.Kubectl(t.Context(), append(args, "--namespace", ns)...)
		if err != nil {
			t.Errorf("%s: %v\n%s", name, err, stderr)
		}
		want := 1
		if name == "scale" {
			want = 0 // a subresource, which nobody judges
		}
		if got := strings.Count(stderr, "[image-tag]"); got != want {
			t.Errorf("%s: %d warnings, want %d\n%s", name, got, want, stderr)
		}
	}
	kubectl(t, "delete", "pod", old, "--namespace", ns, "--wait=false")
	e2e.Eventually(t, "a Pod in the place of the deleted one", func() error {
		names := strings.Fields(kubectl(t, "get", "pods", "--namespace", ns, "-o", "jsonpath={.items[*].metadata.name}"))
		if len(names) < 2 || strings.Contains(strings.Join(names, " "), old) {
			return fmt.Errorf("Pods %v", names)
		}
		return nil
	})

	set := []string{"set", "image", "deployment/web", "web=registry.example/other:latest", "--namespace", ns}
	if _, stderr, err := shared.cp.Kubectl(t.Context(), set...); err == nil || !strings.Contains(stderr, "[image-tag]") {
		t.Errorf("another image of :latest: %v\n%s", err, stderr)
	}
	glass, err := shared.cp.KubeconfigFor("alice", "system:masters", "break-glass")
	if err != nil {
		t.Fatal(err)
	}
	_, stderr, err := shared.cp.Kubectl(t.Context(), append(set, "--kubeconfig", glass)...)
	if err != nil || !strings.Contains(stderr, "break-glass") || !strings.Contains(stderr, "[image-tag]") {
		t.Errorf("breaking the glass: %v\n%s", err, stderr)
	}
}

// TestClusterHealsWithoutGesso: with everything that Gesso enforces registered and Gesso gone, kube-apiserver comes up again although it
// has to write a bootstrap ClusterRole, and ClusterRoles can be created; what is enforced is refused.
func TestClusterHealsWithoutGesso(t *testing.T) {
	cp := controlplane.ForTest(t, controlplane.Options{})
	gesso, err := e2e.StartGesso(t.Context(), cp, e2e.Options{Binary: shared.gesso.Binary, Dir: t.TempDir(), Flags: profileFlags()})
	if err != nil {
		t.Fatal(err)
	}
	registered := gesso.Register(t.Context(), cp)
	if err := gesso.Stop(); err != nil || registered != nil {
		t.Fatal(err, registered)
	}
	if _, stderr, err := cp.Kubectl(t.Context(), "delete", "clusterrole", "system:basic-user"); err != nil {
		t.Fatalf("%v\n%s", err, stderr)
	}
	if err := cp.RestartAPIServer(t.Context()); err != nil {
		t.Fatalf("kube-apiserver does not come up without Gesso: %v", err)
	}
	if _, stderr, err := cp.Kubectl(t.Context(), "get", "clusterrole", "system:basic-user"); err != nil {
		t.Errorf("the bootstrap role did not come back: %v\n%s", err, stderr)
	}
	if _, stderr, err := cp.Kubectl(t.Context(), "create", "clusterrole", "reader", "--verb=get", "--resource=configmaps"); err != nil {
		t.Errorf("a ClusterRole cannot be created: %v\n%s", err, stderr)
	}
	if _, stderr, err := cp.Kubectl(t.Context(), "create", "deployment", "web", "--image=registry.example/web:1.0.0"); err == nil || !strings.Contains(stderr, "closed.gesso.dev") {
		t.Errorf("an enforced kind without Gesso: %v\n%s", err, stderr)
	}
	if _, stderr, err := cp.Kubectl(t.Context(), "run", "web", "--image=registry.example/web:latest"); err != nil {
		t.Errorf("a Pod without Gesso: %v\n%s", err, stderr)
	}
}

// profileFlags is the example Profile with a group that may break the glass.
func profileFlags() []string { return []string{"--profile", filepath.Join(shared.dir, "profile.yaml")} }

// TestAWSAuth: in kube-system, which is left alone otherwise, the one ConfigMap that gives AWS principals their groups is guarded: also
// against kubectl delete --all.
func TestAWSAuth(t *testing.T) {
	config := func(name, roles string) string {
		return "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: " + name + ", namespace: kube-system}\ndata:\n  mapRoles: |\n" + roles
	}
	node := "    - {rolearn: 'arn:aws:iam::111122223333:role/node', username: 'system:node:{{EC2PrivateDNSName}}', groups: ['system:bootstrappers', 'system:nodes']}\n"
	mustApply(t, config("aws-auth", node), "apply")
	mustApply(t, config("another", node), "apply")
	if stderr, err := apply(t, config("aws-auth", "    - {rolearn: [\n"), "apply"); err == nil || !strings.Contains(stderr, "aws-auth.gesso.dev") {
		t.Errorf("unreadable roles: %v\n%s", err, stderr)
	}
	_, stderr, err := shared.cp.Kubectl(t.Context(), "delete", "configmap", "--all", "--namespace", "kube-system")
	if err == nil || !strings.Contains(stderr, "[aws-auth]") {
		t.Errorf("delete --all: %v\n%s", err, stderr)
	}
	kubectl(t, "get", "configmap", "aws-auth", "--namespace", "kube-system")
	if _, _, err := shared.cp.Kubectl(t.Context(), "get", "configmap", "another", "--namespace", "kube-system"); err == nil {
		t.Error("the other ConfigMap of kube-system was guarded too")
	}
}
