package defaults

import (
	"fmt"
	"testing"

	"github.com/gesso-dev/gesso/internal/convention"
)

// TestDeployWithoutNamespace holds that a deploy at a moment when the facts of the Namespace are missing takes nothing away: the
// sidecar that needs them stays as it was filled, and is today's again at the next deploy.
func TestDeployWithoutNamespace(t *testing.T) {
	profile := `{"spec":{"defaults":{"sidecar":{"container":{"image":"proxy:%s","args":["{environment}"]}},"seccomp":{"mode":"off","namespaces":[{"labels":{"level":"x"},"mode":"enforce"}]}}}}`
	m := newGenerator(1).manifest()
	m["spec"] = obj{"template": obj{"spec": obj{"containers": []any{obj{"name": "web", "image": "shop:1", "ports": []any{obj{"containerPort": 8080}}}}}}}
	mustScan("apps/v1 Deployment", m)
	w := &world{T: t, path: []string{"spec", "template"}}
	fill := func(release string, raw, old []byte, ns *convention.Namespace) []byte {
		set, err := newSet(t, overlay(t, profileOf(t, ""), fmt.Appendf(nil, profile, release)))
		if err != nil {
			t.Fatal(err)
		}
		f := fixture{operation: "CREATE", old: old, namespace: ns}
		if old != nil {
			f.operation = "UPDATE"
		}
		r := f.request(t, raw)
		set.Fill(r)
		return w.stored(r.Object.Root.Bytes())
	}
	known := &convention.Namespace{Name: "team-a", Labels: map[string]string{"level": "x"}}
	image := func(raw []byte) string { return w.template(raw).Get("spec", "initContainers", "0", "image").Str() }
	seccomp := func(raw []byte) string {
		return w.template(raw).Get("spec", "securityContext", "seccompProfile", "type").Str()
	}

	live := fill("1", w.applied(m), nil, known)
	next := changed(t, m, "shop:2")
	blind := fill("2", w.patched(live, m, next), live, nil)
	if image(blind) != "proxy:1" || seccomp(blind) != "RuntimeDefault" {
		t.Errorf("a deploy without the facts of the namespace left the sidecar %q and seccomp %q", image(blind), seccomp(blind))
	}
	w.holdsRecord(blind)
	after := fill("2", w.patched(blind, next, changed(t, m, "shop:3")), blind, known)
	if image(after) != "proxy:2" || seccomp(after) != "RuntimeDefault" {
		t.Errorf("the deploy after left the sidecar %q and seccomp %q", image(after), seccomp(after))
	}
}
