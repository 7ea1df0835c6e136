package argocd_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"sigs.k8s.io/yaml"

	"github.com/gesso-dev/gesso/e2e"
	"github.com/gesso-dev/gesso/e2e/argocd"
	"github.com/gesso-dev/gesso/e2e/controlplane"
)

// suite is what the tests of the package share. They change the Profile of the one Gesso, so they run one after the
// other, and each leaves the Profile as it found it.
type suite struct {
	root   string
	dir    string
	binary string
	cp     *controlplane.ControlPlane
	gesso  *e2e.Gesso
	argo   *argocd.Argo
}

var shared suite // set once by TestMain, which cannot hand anything to a test

// alone is a namespace that Gesso leaves alone.
const alone = "alone"

func TestMain(m *testing.M) {
	e2e.Main("argocd", func() (int, error) { return run(m) })
}

func run(m *testing.M) (code int, err error) {
	ctx := context.Background()
	if shared.root, err = e2e.Root(); err != nil {
		return 1, err
	}
	if shared.dir, err = os.MkdirTemp("", "gesso-argocd-"); err != nil {
		return 1, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(shared.dir)) }()
	if err := argocd.Build(ctx, shared.root, os.Stderr); err != nil {
		return 1, err
	}
	if shared.binary, err = e2e.Build(ctx, shared.root, shared.dir); err != nil {
		return 1, err
	}
	if shared.cp, err = controlplane.Start(ctx, controlplane.Options{Progress: os.Stderr}); err != nil {
		return 1, err
	}
	defer func() { err = errors.Join(err, shared.cp.Stop()) }()
	if _, err := writeProfile(ctx, nil); err != nil {
		return 1, err
	}
	shared.gesso, err = e2e.StartGesso(ctx, shared.cp, e2e.Options{
		Binary: shared.binary, Dir: shared.dir, Flags: []string{"--profile", profileFile()},
	})
	if err != nil {
		return 1, err
	}
	defer func() {
		stopped := shared.gesso.Stop()
		if code != 0 || stopped != nil {
			fmt.Fprintf(os.Stderr, "log of gesso:\n%s\nlogs of the control plane:\n%s\n", shared.gesso.Log(), shared.cp.LogTail(20))
		}
		err = errors.Join(err, stopped)
	}()
	if err := shared.gesso.Register(ctx, shared.cp); err != nil {
		return 1, err
	}
	shared.argo, err = argocd.Start(ctx, shared.root, shared.cp.Kubeconfig(), filepath.Join(shared.dir, "kubecache"), os.Stderr)
	if err != nil {
		return 1, err
	}
	defer func() { err = errors.Join(err, shared.argo.Stop()) }()
	return m.Run(), nil
}

func profileFile() string { return filepath.Join(shared.dir, "profile.yaml") }

// writeProfile writes the example Profile, every default of it enforced, after change has had it. Policies stay out of the way:
// only image-tag refuses, and only where a registration is waited for.
//
// It says whether that is another Profile than before.
func writeProfile(ctx context.Context, change func(defaults map[string]map[string]any)) (changed bool, err error) {
	example := filepath.Join(shared.root, "examples", "profile.yaml")
	out, err := exec.CommandContext(ctx, shared.binary, "profile", "--profile", example).Output()
	if err != nil {
		return false, fmt.Errorf("gesso profile: %w", err)
	}
	var profile struct {
		APIVersion string         `json:"apiVersion"`
		Kind       string         `json:"kind"`
		Metadata   map[string]any `json:"metadata"`
		Spec       map[string]any `json:"spec"`
	}
	if err := yaml.Unmarshal(out, &profile); err != nil {
		return false, fmt.Errorf("read the example: %w", err)
	}
	defaults := map[string]map[string]any{}
	if err := recode(profile.Spec["defaults"], &defaults); err != nil {
		return false, fmt.Errorf("read the example: %w", err)
	}
	for _, setting := range defaults {
		setting["mode"] = "enforce"
		delete(setting, "namespaces")
	}
	if change != nil {
		change(defaults)
	}
	policies := map[string]map[string]any{}
	if err := recode(profile.Spec["policies"], &policies); err != nil {
		return false, fmt.Errorf("read the example: %w", err)
	}
	for _, setting := range policies {
		setting["action"] = "off"
	}
	policies["image-tag"]["namespaces"] = []any{map[string]any{"names": []any{"default"}, "action": "deny"}}
	profile.Spec["defaults"], profile.Spec["policies"], profile.Spec["excludedNamespaces"] = defaults, policies, []any{alone}
	raw, err := yaml.Marshal(profile)
	if err != nil {
		return false, err
	}
	if old, err := os.ReadFile(profileFile()); err == nil && bytes.Equal(old, raw) {
		return false, nil
	}
	// Whole or not at all: Gesso reads it at any time.
	if err := os.WriteFile(profileFile()+".new", raw, 0o600); err != nil {
		return false, err
	}
	return true, os.Rename(profileFile()+".new", profileFile())
}

// recode turns what was decoded from JSON into another type.
func recode(from, to any) error {
	raw, err := json.Marshal(from)
	if err != nil {
		return err
	}
	return json.Unmarshal(raw, to)
}

// revision returns what Gesso says that it has loaded.
func revision(t *testing.T) string {
	t.Helper()
	raw, err := shared.gesso.Get(t.Context(), "/statusz")
	if err != nil {
		t.Fatal(err)
	}
	var status struct{ Revision string }
	if err := json.Unmarshal(raw, &status); err != nil || status.Revision == "" {
		t.Fatalf("status %s: %v", raw, err)
	}
	return status.Revision
}

// upgrade brings another Profile into force, as an upgrade of Gesso with other values does.
func upgrade(t *testing.T, change func(defaults map[string]map[string]any)) {
	t.Helper()
	before := revision(t)
	if changed, err := writeProfile(t.Context(), change); err != nil {
		t.Fatal(err)
	} else if !changed {
		return
	}
	deadline := time.Now().Add(30 * time.Second)
	for revision(t) == before {
		if time.Now().After(deadline) {
			t.Fatalf("the new Profile is not in force after 30 s\n%s", shared.gesso.Log())
		}
		time.Sleep(50 * time.Millisecond)
	}
}
