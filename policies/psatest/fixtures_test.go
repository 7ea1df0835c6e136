package psatest

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"
)

// TestFixtures compares both verdicts over the fixtures that Kubernetes tests its own checks with: those of every version, because a
// Pod that an old version has an opinion about is a good question to the latest one; and those of the latest version around every kind.
func TestFixtures(t *testing.T) {
	module, err := exec.CommandContext(t.Context(), "go", "list", "-m", "-f", "{{.Dir}}", "k8s.io/pod-security-admission").Output()
	if err != nil {
		t.Fatal(err)
	}
	root := filepath.Join(strings.TrimSpace(string(module)), "test", "testdata")
	files, err := filepath.Glob(filepath.Join(root, "*", "*", "*", "*.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	if len(files) < 4000 {
		t.Fatalf("%d fixtures in %s", len(files), root)
	}
	const latest = "v1.37"
	list := oracles(t)
	counts, asked, seen := tally{}, map[string]bool{}, 0
	for _, name := range files {
		text, err := os.ReadFile(name) //nolint:gosec // a file of a module, found above
		if err != nil {
			t.Fatal(err)
		}
		var pod corev1.Pod
		if err := yaml.UnmarshalStrict(text, &pod); err != nil {
			t.Fatal(err)
		}
		around := []string{"Pod"}
		verdict := filepath.Base(filepath.Dir(name))
		version := filepath.Base(filepath.Dir(filepath.Dir(name)))
		level := filepath.Base(filepath.Dir(filepath.Dir(filepath.Dir(name))))
		if version == latest {
			around = kinds()
		}
		pod.Name = ""
		if text := string(encode(t, pod)); version != latest && asked[text] {
			continue // most versions repeat the one before
		} else {
			asked[text] = true
		}
		for _, o := range list {
			for _, kind := range around {
				allowed := o.compare(t, &pod, kind)
				counts.add(o.level, allowed)
				// What the fixture says of itself is a third opinion.
				if version == latest && level == string(o.level) {
					seen++
					if allowed != (verdict == "pass") {
						t.Errorf("%s is allowed: %t", name, allowed)
					}
				}
			}
		}
	}
	counts.report(t, 100)
	if seen < 1000 {
		t.Errorf("%d comparisons with fixtures of %s", seen, latest)
	}
}
