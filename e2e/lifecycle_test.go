package e2e_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"github.com/gesso-dev/gesso/e2e"
)

// TestPods holds that the Pods that the real ReplicaSet controller makes carry what was filled into the template, and nothing
// else of Gesso's.
func TestPods(t *testing.T) {
	ns := namespace(t)
	mustApply(t, deployment(ns, "registry.example/web:1.0.0"), "create")
	var pod map[string]any
	e2e.Eventually(t, "a Pod", func() error {
		pods := get(t, "pods", "--namespace", ns, "--selector=app=web")
		items, _ := at(pods.Object, "/items").([]any)
		if len(items) != 1 {
			return fmt.Errorf("%d Pods", len(items))
		}
		pod, _ = items[0].(map[string]any)
		return nil
	})
	if at(pod, "/spec/initContainers/0/name") != "gesso-proxy" || at(pod, "/spec/initContainers/1") != nil {
		t.Errorf("init containers: %v", at(pod, "/spec/initContainers"))
	}
	if at(pod, "/spec/containers/0/securityContext/readOnlyRootFilesystem") != true || at(pod, "/spec/containers/1") != nil {
		t.Errorf("containers: %v", at(pod, "/spec/containers"))
	}
}

// TestUpdate holds that a new image is judged and that what was filled stays as it was.
func TestUpdate(t *testing.T) {
	ns := namespace(t)
	mustApply(t, deployment(ns, "registry.example/web:1.0.0"), "apply")
	if stderr, err := apply(t, deployment(ns, "registry.example/web:LATEST"), "apply"); err == nil || !strings.Contains(stderr, "[image-tag]") {
		t.Errorf("an UPDATE to LATEST: %v\n%s", err, stderr)
	}
	_, stderr, err := shared.cp.Kubectl(t.Context(), "set", "image", "deployment/web", "web=registry.example/web", "--namespace", ns)
	if err == nil || !strings.Contains(stderr, "[image-tag]") {
		t.Errorf("kubectl set image to no tag: %v\n%s", err, stderr)
	}
	before := get(t, "deployment", "web", "--namespace", ns).Object
	mustApply(t, deployment(ns, "registry.example/web:1.1.0"), "apply")
	after := get(t, "deployment", "web", "--namespace", ns).Object
	if got := at(after, "/spec/template/spec/containers/0/image"); got != "registry.example/web:1.1.0" {
		t.Errorf("image after the update: %v", got)
	}
	for _, pointer := range []string{"/spec/template/spec/initContainers/0/image", "/spec/template/spec/containers/0/resources/limits/memory"} {
		if was, is := at(before, pointer), at(after, pointer); was == nil || was != is {
			t.Errorf("%s: %v before the update, %v after", pointer, was, is)
		}
	}
}

// TestDryRunAndDelete: a dry run is filled like the real thing and leaves nothing behind; a delete is nobody's business.
func TestDryRunAndDelete(t *testing.T) {
	ns := namespace(t)
	stdout, stderr, err := shared.cp.KubectlInput(t.Context(), strings.NewReader(deployment(ns, "registry.example/web:1.0.0")),
		"create", "--dry-run=server", "-o", "json", "-f", "-")
	if err != nil {
		t.Fatalf("%v\n%s", err, stderr)
	}
	if got := at(decode(t, []byte(stdout)).Object, "/spec/template/spec/initContainers/0/name"); got != "gesso-proxy" {
		t.Errorf("a dry run shows the init container %v", got)
	}
	if _, _, err := shared.cp.Kubectl(t.Context(), "get", "deployment", "web", "--namespace", ns); err == nil {
		t.Error("the dry run was stored")
	}
	mustApply(t, deployment(ns, "registry.example/web:1.0.0"), "create")
	kubectl(t, "delete", "deployment", "web", "--namespace", ns)
}

// TestEphemeralContainer: kubectl debug arrives by an UPDATE of a subresource, past everything that looks at Pods only.
func TestEphemeralContainer(t *testing.T) {
	ns := namespace(t)
	mustApply(t, `{apiVersion: v1, kind: Pod, metadata: {name: bare, namespace: `+ns+`}, spec: {containers: [{name: web, image: "registry.example/web:1.0.0"}]}}`, "create")
	if got := at(get(t, "pod", "bare", "--namespace", ns).Object, "/spec/containers/0/securityContext/readOnlyRootFilesystem"); got != true {
		t.Errorf("a bare Pod: readOnlyRootFilesystem is %v", got)
	}
	_, stderr, err := shared.cp.Kubectl(t.Context(), "debug", "bare", "--namespace", ns, "--image=registry.example/tools:latest", "--container=tools", "--profile=baseline")
	if err == nil || !strings.Contains(stderr, `container "tools"`) || !strings.Contains(stderr, "[image-tag]") {
		t.Errorf("an ephemeral container of :latest: %v\n%s", err, stderr)
	}
	kubectl(t, "debug", "bare", "--namespace", ns, "--image=registry.example/tools:1.0.0", "--container=tools", "--profile=baseline", "--attach=false")
}

// TestEverythingAtOnce creates Namespace, ServiceAccount and Deployment without a pause, as kubectl apply -f dir does, 200 times.
// The Namespace's label decides about the ServiceAccount, and Gesso has to learn it in between: none may be skipped.
func TestEverythingAtOnce(t *testing.T) {
	client, err := kubernetes.NewForConfig(shared.cp.Config())
	if err != nil {
		t.Fatal(err)
	}
	const rounds, workers = 200, 4
	var wg sync.WaitGroup
	next := make(chan int)
	for range workers {
		wg.Go(func() {
			for i := range next {
				if err := createAtOnce(t.Context(), client, fmt.Sprintf("burst-%d", i)); err != nil {
					t.Errorf("round %d: %v", i, err)
				}
			}
		})
	}
	for i := range rounds {
		next <- i
	}
	close(next)
	wg.Wait()
}

// createAtOnce makes the three objects and says what was not filled into them.
func createAtOnce(ctx context.Context, client kubernetes.Interface, ns string) error {
	_, err := client.CoreV1().Namespaces().Create(ctx, &corev1.Namespace{
		ObjectMeta: metav1.ObjectMeta{Name: ns, Labels: map[string]string{"gesso.dev/irsa": "enabled", "gesso.dev/environment": "stage"}},
	}, metav1.CreateOptions{})
	if err != nil {
		return err
	}
	account, err := client.CoreV1().ServiceAccounts(ns).Create(ctx, &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: "web"}}, metav1.CreateOptions{})
	if err != nil {
		return err
	}
	if got, want := account.Annotations["eks.amazonaws.com/role-arn"], "arn:aws:iam::111122223333:role/k8s/demo/"+ns+"/web"; got != want {
		return fmt.Errorf("role-arn is %q, want %q", got, want)
	}
	labels := map[string]string{"app": "web"}
	d, err := client.AppsV1().Deployments(ns).Create(ctx, &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Name: "web"},
		Spec: appsv1.DeploymentSpec{
			Replicas: new(int32(0)),
			Selector: &metav1.LabelSelector{MatchLabels: labels},
			Template: corev1.PodTemplateSpec{
				ObjectMeta: metav1.ObjectMeta{Labels: labels},
				Spec: corev1.PodSpec{Containers: []corev1.Container{{
					Name: "web", Image: "registry.example/web:1.0.0", Ports: []corev1.ContainerPort{{Name: "http", ContainerPort: 8080}},
				}}},
			},
		},
	}, metav1.CreateOptions{})
	if err != nil {
		return err
	}
	spec := d.Spec.Template.Spec
	if len(spec.InitContainers) != 1 || spec.InitContainers[0].Args[3] != "--environment=stage" {
		return fmt.Errorf("init containers are %+v, want the sidecar of environment stage", spec.InitContainers)
	}
	return nil
}

// deployment is a minimal one with a port.
func deployment(ns, image string) string {
	return fmt.Sprintf(`
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: %s}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - {name: web, image: "%s", ports: [{name: http, containerPort: 8080}]}
`, ns, image)
}
