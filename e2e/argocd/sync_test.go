package argocd_test

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gesso-dev/gesso/e2e"
	"github.com/gesso-dev/gesso/e2e/argocd"
)

// TestSynced brings every subject through its life, and wants Argo CD to show Synced after each step, in every mode. Two steps are for those
// subjects alone that have all defaults at once: what a single default shows there it shows with the others.
func TestSynced(t *testing.T) {
	all := subjects(t)
	whole := slices.DeleteFunc(slices.Clone(all), func(s *subject) bool { return !s.whole })
	for _, how := range []argocd.How{argocd.ClientSide, argocd.ServerSide, argocd.Replace} {
		namespace(t, string(how))
	}
	templates := map[*subject]any{}

	t.Run("create", func(t *testing.T) {
		for _, s := range all {
			sync(t, s)
			live := wantSynced(t, s)
			templates[s] = template(s.kind(), live)
			for _, pointer := range s.fills {
				if _, there := e2e.At(live, pointer); !there {
					t.Errorf("%v: nothing was filled at %s", s, pointer)
				}
				if _, there := e2e.At(s.git, pointer); there {
					t.Errorf("%v: Git has %s itself", s, pointer)
				}
			}
		}
	})
	unchanged := func(t *testing.T) {
		for _, s := range all {
			sync(t, s)
			if now := template(s.kind(), wantSynced(t, s)); !reflect.DeepEqual(now, templates[s]) {
				t.Errorf("%v: the pod template was\n%v\nand is\n%v", s, templates[s], now)
			}
		}
	}
	t.Run("sync again", unchanged)
	defer upgrade(t, nil)
	upgrade(t, otherValues)
	t.Run("before the sync after an upgrade", func(t *testing.T) {
		for _, s := range whole {
			wantSynced(t, s)
		}
	})
	t.Run("sync after an upgrade", unchanged)
	t.Run("deploy", func(t *testing.T) {
		for _, s := range all {
			if deploy(s, "registry.example/web:1.1.0") {
				sync(t, s)
				wantSynced(t, s)
			}
		}
	})
	t.Run("undo and heal", func(t *testing.T) {
		for _, s := range whole {
			undo(t, s, templates[s])
		}
	})
	upgrade(t, func(defaults map[string]map[string]any) {
		for _, setting := range defaults {
			setting["mode"] = "off"
		}
	})
	t.Run("deploy after everything was switched off", func(t *testing.T) {
		for _, s := range whole {
			if deploy(s, "registry.example/web:1.2.0") {
				sync(t, s)
				wantSynced(t, s)
			}
		}
	})
}

// otherValues is a Profile of the next year.
func otherValues(defaults map[string]map[string]any) {
	defaults["resources"]["memory"], defaults["resources"]["cpu"] = "384Mi", "150m"
	defaults["read-only-root-filesystem"]["tmpSizeLimit"] = "64Mi"
	defaults["ingress-class"]["annotations"] = map[string]any{"alb.ingress.kubernetes.io/target-type": "instance"}
	container := defaults["sidecar"]["container"].(map[string]any)
	container["image"] = "registry.example/proxy:2.0.0"
	container["args"] = append(container["args"].([]any), "--graceful")
}

// namespace makes sure of a namespace whose ServiceAccounts get roles.
func namespace(t *testing.T, name string) {
	t.Helper()
	manifest := fmt.Sprintf(`{apiVersion: v1, kind: Namespace, metadata: {name: %s, labels: {gesso.dev/irsa: enabled}}}`, name)
	if _, stderr, err := shared.cp.KubectlInput(t.Context(), strings.NewReader(manifest), "apply", "-f", "-"); err != nil {
		t.Fatalf("%v\n%s", err, stderr)
	}
}

func sync(t *testing.T, s *subject) {
	t.Helper()
	if err := shared.argo.Sync(s.how, s.git); err != nil {
		t.Fatalf("sync %v: %v\n%v", s, err, s.git)
	}
}

// verdicts returns what Argo CD shows for a subject, and what is live.
func verdicts(t *testing.T, s *subject) (map[string]any, map[argocd.Mode]argocd.Verdict) {
	t.Helper()
	live, verdicts, err := shared.argo.Diff(s.git, argocd.Modes()...)
	if err != nil {
		t.Fatalf("compare %v: %v\n%v", s, err, s.git)
	}
	return live, verdicts
}

// wantSynced wants Synced in every mode, and returns what is live.
func wantSynced(t *testing.T, s *subject) map[string]any {
	t.Helper()
	live, verdicts := verdicts(t, s)
	for _, mode := range argocd.Modes() {
		if v := verdicts[mode]; !v.Synced() {
			t.Errorf("%v, %s: %v", s, mode, v)
		}
	}
	return live
}

// deploy writes a change into Git: another image, or what an object without Pods can have. It says whether there is one.
func deploy(s *subject, image string) bool {
	if s.kind() == "Job" {
		return false // its template is immutable
	}
	template, ok := template(s.kind(), s.git).(map[string]any)
	if !ok {
		set(s.git, image, "metadata", "annotations", "image")
		return true
	}
	container := template["spec"].(map[string]any)["containers"].([]any)[0].(map[string]any)
	container["image"] = image
	return true
}

// undo takes the last deploy back behind Git's back. Only the image may be OutOfSync then, and a sync must heal that.
func undo(t *testing.T, s *subject, first any) {
	t.Helper()
	if !slices.Contains([]string{"Deployment", "StatefulSet", "DaemonSet"}, s.kind()) {
		return
	}
	image := "/" + strings.Join(templateAt(s.kind()), "/") + "/spec/containers/0/image"
	rollback(t, s)
	live, after := verdicts(t, s)
	if now := template(s.kind(), live); !reflect.DeepEqual(now, first) {
		t.Errorf("%v: the pod template was\n%v\nand is after the undo\n%v", s, first, now)
	}
	for _, mode := range argocd.Modes() {
		v := after[mode]
		other := slices.DeleteFunc(slices.Clone(v.Paths), func(path string) bool {
			// Kubernetes counts the templates of a DaemonSet in an annotation.
			return path == image || path == "/metadata/annotations/deprecated.daemonset.template.generation"
		})
		// With IncludeMutationWebhook it shows too what Gesso will fill with that deploy.
		if !slices.Contains(v.Paths, image) || len(other) > 0 && mode != argocd.ServerSideMutation {
			t.Errorf("%v, %s: %v after an undo, want OutOfSync at %s and nowhere else", s, mode, v, image)
		}
	}
	sync(t, s)
	wantSynced(t, s)
}

// rollback runs kubectl rollout undo, as soon as the controller has written the revision of the last deploy down.
func rollback(t *testing.T, s *subject) {
	t.Helper()
	deadline := time.Now().Add(30 * time.Second)
	for {
		_, stderr, err := shared.cp.Kubectl(t.Context(), "rollout", "undo", s.kind()+"/"+s.name(), "--namespace", s.namespace())
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("undo %v: %v\n%s", s, err, stderr)
		}
		time.Sleep(100 * time.Millisecond)
	}
}

// template returns the pod template of an object, nil if there is none.
func template(kind string, object map[string]any) any {
	found, _ := e2e.At(object, "/"+strings.Join(templateAt(kind), "/"))
	return found
}
