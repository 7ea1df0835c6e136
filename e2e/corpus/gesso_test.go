package corpus

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/yaml"

	"github.com/gesso-dev/gesso/api/v1alpha1"
	"github.com/gesso-dev/gesso/defaults"
	"github.com/gesso-dev/gesso/e2e"
)

// common is what every Profile of these tests says: values for all defaults, so that each can act.
const common = `
apiVersion: gesso.dev/v1alpha1
kind: Profile
metadata: {name: corpus}
spec:
  environment: prod
  aws: {identity: irsa, account: "111122223333", cluster: demo}
  defaults:
    sidecar:
      container:
        name: gesso-proxy
        image: registry.example/proxy:1
        args: ["--upstream=http://127.0.0.1:{appPort}", "--app={app}", "--environment={environment}"]
        ports: [{name: proxy, containerPort: 18443}]
        readinessProbe: {httpGet: {path: /ready, port: proxy}}
        volumeMounts: [{name: gesso-config, mountPath: /gesso}]
      volumes: [{name: gesso-config, emptyDir: {sizeLimit: 16Mi}}]
    ingress-class: {class: shared, annotations: {alb.ingress.kubernetes.io/target-type: ip}}
`

// profile lays the layers over common, one after the other, with all policies off: only filling acts.
func profile(t *testing.T, layers ...string) map[string]any {
	t.Helper()
	merged := map[string]any{}
	for _, layer := range append([]string{common}, layers...) {
		var over map[string]any
		if err := yaml.UnmarshalStrict([]byte(layer), &over); err != nil {
			t.Fatalf("profile: %v", err)
		}
		lay(merged, over)
	}
	folders, err := os.ReadDir(filepath.Join(shared.root, "policies", "library"))
	if err != nil || len(folders) < 10 {
		t.Fatalf("read the library: %d folders, %v", len(folders), err)
	}
	off := map[string]any{}
	for _, f := range folders {
		off[f.Name()] = map[string]any{"action": "off"}
	}
	lay(merged, map[string]any{"spec": map[string]any{"policies": off}})
	return merged
}

// everything is a layer that enforces every default that there is.
func everything() string {
	modes := map[string]any{}
	for _, d := range defaults.List() {
		modes[d.ID] = map[string]any{"mode": "enforce"}
	}
	raw, err := json.Marshal(map[string]any{"spec": map[string]any{"defaults": modes}})
	if err != nil {
		panic(err)
	}
	return string(raw)
}

// lay merges objects and replaces everything else.
func lay(under, over map[string]any) {
	for name, value := range over {
		below, isMap := under[name].(map[string]any)
		above, both := value.(map[string]any)
		if isMap && both {
			lay(below, above)
			continue
		}
		under[name] = value
	}
}

// gesso is a Gesso that the API server calls, and the same defaults in this process.
type gesso struct {
	*e2e.Gesso
	set   *defaults.Set
	flags []string
}

// serve runs Gesso with a Profile, registered, until the test is over or stop is called.
func serve(t *testing.T, profile map[string]any) (g *gesso, stop func()) {
	t.Helper()
	g = offline(t, profile)
	running, err := e2e.StartGesso(t.Context(), shared.cp, e2e.Options{Binary: shared.binary, Dir: t.TempDir(), Flags: g.flags})
	if err != nil {
		t.Fatal(err)
	}
	g.Gesso = running
	stopped := false
	stop = func() {
		if stopped {
			return
		}
		stopped = true
		ctx := context.Background() // that of the test may have ended
		kubectl(ctx, t, "", "delete", "mutatingwebhookconfiguration,validatingwebhookconfiguration", "gesso", "--ignore-not-found")
		waitCalled(ctx, t, false)
		if t.Failed() {
			t.Logf("log of gesso:\n%s", running.Log())
		}
		if err := running.Stop(); err != nil {
			t.Error(err)
		}
	}
	t.Cleanup(stop)
	manifest, err := running.Registration(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	kubectl(t.Context(), t, string(manifest), "apply", "-f", "-")
	waitCalled(t.Context(), t, true)
	return g, stop
}

// offline reads a Profile as gesso does, without a server.
func offline(t *testing.T, profile map[string]any) *gesso {
	t.Helper()
	raw, err := json.Marshal(profile)
	if err != nil {
		t.Fatal(err)
	}
	read, err := v1alpha1.DecodeProfile(raw)
	if err != nil {
		t.Fatalf("profile: %v", err)
	}
	set, err := defaults.New(read)
	if err != nil {
		t.Fatalf("profile: %v", err)
	}
	file := filepath.Join(t.TempDir(), "profile.yaml")
	if err := os.WriteFile(file, raw, 0o600); err != nil {
		t.Fatal(err)
	}
	return &gesso{set: set, flags: []string{"--profile", file}}
}

// waitCalled waits until the API server calls Gesso, or does not any more: only itself knows when it has read its new configuration.
// Every Profile of these tests fills a read-only root.
func waitCalled(ctx context.Context, t *testing.T, called bool) {
	t.Helper()
	deadline := time.Now().Add(30 * time.Second)
	for {
		o, err := dryRun(ctx, "default", object(t, `
apiVersion: apps/v1
kind: Deployment
metadata: {name: probe}
spec:
  selector: {matchLabels: {app: probe}}
  template: {metadata: {labels: {app: probe}}, spec: {containers: [{name: web, image: "probe:1"}]}}
`))
		if err == nil {
			containers, _, _ := unstructured.NestedSlice(o.Object, "spec", "template", "spec", "containers")
			if raw, _ := json.Marshal(containers); bytes.Contains(raw, []byte("readOnlyRootFilesystem")) == called {
				return
			}
		}
		if time.Now().After(deadline) {
			t.Fatalf("wait until the API server calls gesso (%v): %v", called, err)
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// kubectl runs kubectl, with input unless it is empty, and wants it to succeed.
func kubectl(ctx context.Context, t *testing.T, input string, args ...string) string {
	t.Helper()
	stdout, stderr, err := shared.cp.KubectlInput(ctx, strings.NewReader(input), args...)
	if err != nil {
		t.Fatalf("kubectl %s: %v\n%s\n%s", strings.Join(args, " "), err, stderr, input)
	}
	return stdout
}

// object reads a manifest.
func object(t *testing.T, manifest string) *unstructured.Unstructured {
	t.Helper()
	raw, err := yaml.YAMLToJSONStrict([]byte(manifest))
	if err != nil {
		t.Fatalf("%v\n%s", err, manifest)
	}
	o := &unstructured.Unstructured{}
	if err := o.UnmarshalJSON(raw); err != nil {
		t.Fatalf("%v\n%s", err, manifest)
	}
	return o
}

// namespace makes a namespace with labels, a=b, and waits for the account that every Pod needs.
func namespace(t *testing.T, name string, labels ...string) {
	t.Helper()
	kubectl(t.Context(), t, "", "create", "namespace", name)
	if len(labels) > 0 {
		kubectl(t.Context(), t, "", slices.Concat([]string{"label", "namespace", name}, labels)...)
	}
	e2e.Eventually(t, "the default ServiceAccount of "+name, func() error {
		_, stderr, err := shared.cp.Kubectl(t.Context(), "get", "serviceaccount", "default", "--namespace", name)
		if err != nil {
			return fmt.Errorf("%w: %s", err, stderr)
		}
		return nil
	})
}

// resource finds the plural name of a kind.
func resource(gvk schema.GroupVersionKind) (schema.GroupVersionResource, error) {
	mapping, err := shared.mapper.RESTMapping(gvk.GroupKind(), gvk.Version)
	if err != nil {
		return schema.GroupVersionResource{}, err
	}
	return mapping.Resource, nil
}
