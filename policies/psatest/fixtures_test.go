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
	for _, o := range oracles(t) {
		t.Run(string(o.level), func(t *testing.T) {
			t.Parallel()
			o.compareFixtures(t, files)
		})
	}
}

func (o oracle) compareFixtures(t *testing.T, files []string) {
	t.Helper()
	const latest = "v1.37"
	counts, asked, seen := tally{}, map[string]bool{}, 0
	for _, name := range files {
		pod := readPod(t, name)
		verdict := filepath.Base(filepath.Dir(name))
		version := filepath.Base(filepath.Dir(filepath.Dir(name)))
		level := filepath.Base(filepath.Dir(filepath.Dir(filepath.Dir(name))))
		around := []string{"Pod"}
		if version == latest {
			around = kinds()
		}
		text := string(encode(t, pod))
		if version != latest && asked[text] {
			continue // most versions repeat the one before
		}
		asked[text] = true
		for _, kind := range around {
			allowed := o.compare(t, pod, kind)
			counts.add(allowed)
			// What the fixture says of itself is a third opinion.
			if version == latest && level == string(o.level) {
				seen++
				if allowed != (verdict == "pass") {
					t.Errorf("%s is allowed: %t", name, allowed)
				}
			}
		}
	}
	counts.report(t, 100)
	if seen < 400 {
		t.Errorf("%d comparisons with fixtures of %s", seen, latest)
	}
	t.Logf("%d of them with fixtures of %s for this level", seen, latest)
}

func readPod(t *testing.T, name string) *corev1.Pod {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	pod := &corev1.Pod{}
	if err := yaml.UnmarshalStrict(text, pod); err != nil {
		t.Fatal(err)
	}
	pod.Name = "" // the only difference between the versions of one fixture
	return pod
}
