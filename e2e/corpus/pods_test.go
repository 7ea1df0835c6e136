package corpus

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/gesso-dev/gesso/e2e"
)

// rolloutCRD is enough of Argo Rollouts for its objects to be stored: nobody here acts on them but the test.
const rolloutCRD = `
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: rollouts.argoproj.io}
spec:
  group: argoproj.io
  scope: Namespaced
  names: {kind: Rollout, plural: rollouts, singular: rollout}
  versions:
  - name: v1alpha1
    served: true
    storage: true
    schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}
`

// What the tests below fill under: the second Profile is a later release with other values and one default more.
const (
	podsProfile = `{spec: {defaults: {read-only-root-filesystem: {mode: enforce}, resources: {mode: enforce, memory: 128Mi}, sidecar: {mode: "off"}}}}`
	podsLater   = `{spec: {defaults: {read-only-root-filesystem: {mode: enforce}, resources: {mode: enforce, memory: 512Mi}, sidecar: {mode: enforce}}}}`
)

// podNamespaces are one that asks for filling Pods and one that does not, under a prefix.
func podNamespaces(t *testing.T, prefix string) (on, off string) {
	t.Helper()
	on, off = prefix+"-on", prefix+"-off"
	namespace(t, on, "gesso.dev/pods=enabled")
	namespace(t, off)
	return on, off
}

// TestPodsOfCustomWorkloads lets the real controller make the Pods of a ReplicaSet that a Rollout owns. Gesso knows no Rollout, and
// leaves a ReplicaSet with an owner alone: the Pods are the only place to fill, where the namespace asks for it.
func TestPodsOfCustomWorkloads(t *testing.T) {
	kubectl(t.Context(), t, rolloutCRD, "apply", "-f", "-")
	e2e.Eventually(t, "Rollouts to be served", func() error {
		if err := connect(); err != nil {
			return err
		}
		_, err := resource(schema.GroupVersionKind{Group: "argoproj.io", Version: "v1alpha1", Kind: "Rollout"})
		return err
	})
	serve(t, profile(t, podsProfile))
	on, off := podNamespaces(t, "rollout")
	for ns, want := range map[string]string{on: "128Mi", off: ""} {
		rolloutWithReplicaSet(t, ns)
		if template := field(t, read(t, ns, "apps/v1", "ReplicaSet", "shop-1"), "spec.template.spec"); memoryOf(template) != "" {
			t.Errorf("%s: the ReplicaSet of a Rollout was filled: %s", ns, text(template))
		}
		pod := onePod(t, ns, "app=rollout", "")
		if got := memoryOf(field(t, pod, "spec")); got != want {
			t.Errorf("%s: the Pod has the memory request %q, want %q", ns, got, want)
		}
		if got := strings.Contains(text(pod.Object), "readOnlyRootFilesystem"); got != (want != "") {
			t.Errorf("%s: the Pod's root is read-only: %v", ns, got)
		}
	}
}

// rolloutWithReplicaSet makes what the controller of Argo Rollouts would.
func rolloutWithReplicaSet(t *testing.T, ns string) {
	t.Helper()
	const template = `template: {metadata: {labels: {app: rollout}}, spec: {containers: [{name: web, image: "shop:1", ports: [{containerPort: 8080}]}]}}`
	rollout, err := create(t.Context(), ns, object(t, `{apiVersion: argoproj.io/v1alpha1, kind: Rollout, metadata: {name: shop}, spec: {replicas: 1, `+template+`}}`), metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(text(rollout.Object), "readOnlyRootFilesystem") {
		t.Errorf("a Rollout was filled: %s", text(rollout.Object))
	}
	set := object(t, `{apiVersion: apps/v1, kind: ReplicaSet, metadata: {name: shop-1}, spec: {replicas: 1, selector: {matchLabels: {app: rollout}}, `+template+`}}`)
	set.SetOwnerReferences([]metav1.OwnerReference{*metav1.NewControllerRef(rollout, rollout.GroupVersionKind())})
	if _, err := create(t.Context(), ns, set, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
}

// TestPodsOfWorkloads deletes Pods as a drained node would, after Gesso was upgraded. What was filled in the template is what the Pod
// gets, to the last field; a workload that is older than Gesso has its Pods filled where the namespace asks for it.
func TestPodsOfWorkloads(t *testing.T) {
	on, off := podNamespaces(t, "drain")
	for _, ns := range []string{on, off} {
		deployment(t, ns, "older") // nobody has filled it
		onePod(t, ns, "app=older", "")
	}
	_, stop := serve(t, profile(t, podsProfile))
	before := map[string]*unstructured.Unstructured{}
	for _, ns := range []string{on, off} {
		deployment(t, ns, "filled")
		before[ns] = onePod(t, ns, "app=filled", "")
		if got := memoryOf(field(t, before[ns], "spec")); got != "128Mi" {
			t.Fatalf("%s: the Pod of a filled Deployment has the memory request %q", ns, got)
		}
	}
	stop()
	serve(t, profile(t, podsLater))
	for ns, older := range map[string]string{on: "512Mi", off: ""} {
		after := drained(t, ns, "filled")
		a, b := podWithoutToken(t, before[ns]), podWithoutToken(t, after)
		if text(a) != text(b) {
			t.Errorf("%s: after Gesso was upgraded, a Pod that was only made again differs:\n%s", ns, strings.Join(append(lost(a, b, ""), lost(b, a, "(after)")...), "\n"))
		}
		if got := memoryOf(field(t, drained(t, ns, "older"), "spec")); got != older {
			t.Errorf("%s: the Pod of a Deployment that is older than Gesso has the memory request %q, want %q", ns, got, older)
		}
	}
}

// TestBarePods fills Pods that somebody makes by hand, in every namespace, and never on UPDATE.
func TestBarePods(t *testing.T) {
	on, off := podNamespaces(t, "bare")
	bare := func(ns, name string) {
		kubectl(t.Context(), t, "", "run", name, "--image=shop:1", "--namespace", ns)
	}
	bare(on, "older")
	bare(off, "older")
	_, stop := serve(t, profile(t, podsProfile))
	for _, ns := range []string{on, off} {
		bare(ns, "new")
		if got := memoryOf(field(t, read(t, ns, "v1", "Pod", "new"), "spec")); got != "128Mi" {
			t.Errorf("%s: a Pod made by hand has the memory request %q", ns, got)
		}
	}
	stop()
	serve(t, profile(t, podsLater))
	for _, ns := range []string{on, off} {
		for _, name := range []string{"older", "new"} {
			was := field(t, read(t, ns, "v1", "Pod", name), "spec")
			kubectl(t.Context(), t, "", "label", "pod", name, "touched=yes", "--namespace", ns)
			kubectl(t.Context(), t, "", "annotate", "pod", name, "touched=yes", "--namespace", ns)
			if is := field(t, read(t, ns, "v1", "Pod", name), "spec"); text(was) != text(is) {
				t.Errorf("%s: Pod %s changed when it was labelled: %v", ns, name, append(lost(was, is, ""), lost(is, was, "(after)")...))
			}
			kubectl(t.Context(), t, "", "set", "image", "pod/"+name, name+"=shop:2", "--namespace", ns)
			is := strings.ReplaceAll(text(field(t, read(t, ns, "v1", "Pod", name), "spec")), "shop:2", "shop:1")
			if is != text(was) {
				t.Errorf("%s: Pod %s got more than a new image:\n%s\n%s", ns, name, text(was), is)
			}
		}
	}
}

// TestPodsNeverWait holds that the entry for Pods is one of its own, for namespaces that ask for it, and that a Pod is made
// without Gesso where Gesso does not answer.
func TestPodsNeverWait(t *testing.T) {
	on, _ := podNamespaces(t, "away")
	g, _ := serve(t, profile(t, podsProfile))
	registered := object(t, kubectl(t.Context(), t, "", "get", "mutatingwebhookconfiguration", "gesso", "-o", "yaml"))
	found := false
	hooks, _, _ := unstructured.NestedSlice(registered.Object, "webhooks")
	for _, h := range hooks {
		if !strings.HasSuffix(fmt.Sprint(at(h, "/clientConfig/url")), "/mutate/pods") {
			continue
		}
		found = true
		if at(h, "/failurePolicy") != "Ignore" {
			t.Errorf("the entry for Pods fails closed: %s", text(h))
		}
		if want := `{"key":"gesso.dev/pods","operator":"In","values":["enabled"]}`; !strings.Contains(text(at(h, "/namespaceSelector")), want) {
			t.Errorf("the entry for Pods selects %s, want %s in it", text(at(h, "/namespaceSelector")), want)
		}
	}
	if !found {
		t.Fatalf("no entry for Pods: %s", text(hooks))
	}
	deployment(t, on, "shop")
	onePod(t, on, "app=shop", "")
	if err := g.Stop(); err != nil { // still registered
		t.Fatal(err)
	}
	drained(t, on, "shop")
}

func deployment(t *testing.T, ns, name string) {
	t.Helper()
	manifest := fmt.Sprintf(`{apiVersion: apps/v1, kind: Deployment, metadata: {name: %[1]s}, spec: {replicas: 1, selector: {matchLabels: {app: %[1]s}}, `+
		`template: {metadata: {labels: {app: %[1]s}}, spec: {containers: [{name: web, image: "shop:1", ports: [{containerPort: 8080}]}]}}}}`, name)
	if _, err := create(t.Context(), ns, object(t, manifest), metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
}

// drained deletes the Pod of a Deployment and returns the one that the controller makes instead.
func drained(t *testing.T, ns, app string) *unstructured.Unstructured {
	t.Helper()
	old := onePod(t, ns, "app="+app, "").GetName()
	kubectl(t.Context(), t, "", "delete", "pod", old, "--namespace", ns, "--wait=false")
	return onePod(t, ns, "app="+app, old)
}

// onePod waits for the one Pod that a selector finds beside the one that is called other.
func onePod(t *testing.T, ns, selector, other string) *unstructured.Unstructured {
	t.Helper()
	var found *unstructured.Unstructured
	e2e.Eventually(t, "a Pod "+selector+" in "+ns, func() error {
		pods := shared.client.Resource(schema.GroupVersionResource{Version: "v1", Resource: "pods"}).Namespace(ns)
		list, err := pods.List(t.Context(), metav1.ListOptions{LabelSelector: selector})
		if err != nil {
			return err
		}
		for _, p := range list.Items {
			if p.GetName() != other && p.GetDeletionTimestamp() == nil {
				found = &p
				return nil
			}
		}
		return errors.New("there is none")
	})
	return found
}

func read(t *testing.T, ns, version, kind, name string) *unstructured.Unstructured {
	t.Helper()
	gvr, err := resource(schema.FromAPIVersionAndKind(version, kind))
	if err != nil {
		t.Fatal(err)
	}
	o, err := shared.client.Resource(gvr).Namespace(ns).Get(t.Context(), name, metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// field returns what stands at a dotted path.
func field(t *testing.T, o *unstructured.Unstructured, path string) any {
	t.Helper()
	value, found, err := unstructured.NestedFieldNoCopy(o.Object, strings.Split(path, ".")...)
	if err != nil || !found {
		t.Fatalf("%s %s has no %s: %v", o.GetKind(), o.GetName(), path, err)
	}
	return value
}

// memoryOf returns the memory request of the first container of a pod spec.
func memoryOf(spec any) string {
	memory, _ := at(spec, "/containers/0/resources/requests/memory").(string)
	return memory
}

// podWithoutToken returns what two Pods of one template have in common.
func podWithoutToken(t *testing.T, o *unstructured.Unstructured) map[string]any {
	t.Helper()
	out, err := comparable(o, true)
	if err != nil {
		t.Fatal(err)
	}
	return out
}
