package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gesso-dev/gesso/api/v1alpha1"
)

func TestProfileSchemaIsPrinted(t *testing.T) {
	got := gesso(t, "", "profile", "--schema")
	if got.code != exitOK || got.stderr != "" || got.stdout != v1alpha1.ProfileSchema() || len(got.stdout) < 10_000 {
		t.Errorf("exit %d, stderr %q, %d bytes", got.code, got.stderr, len(got.stdout))
	}
}

// TestProfileWarnsOfItself holds that a sidecar that the policies refuse is told of, and the Profile printed all the same.
func TestProfileWarnsOfItself(t *testing.T) {
	example, err := os.ReadFile("../../examples/profile.yaml")
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "p.yaml")
	for _, tc := range []struct {
		replaced, by string
		want         []string // what each warning holds
	}{
		{"", "", nil},
		{"allowPrivilegeEscalation: false", "privileged: true", []string{
			`warning: what sidecar fills would be denied in every Deployment: spec.template.spec.initContainers[0].securityContext.privileged: sidecar "gesso-proxy": privileged is true`,
		}},
	} {
		text := strings.Replace(string(example), tc.replaced, tc.by, 1)
		if (text != string(example)) != (tc.replaced != "") {
			t.Fatalf("%q is not in the example", tc.replaced)
		}
		write(t, file, []byte(text))
		got := gesso(t, "", "profile", "--profile", file)
		if p, err := v1alpha1.DecodeProfile([]byte(got.stdout)); err != nil || p.Spec.Defaults.Sidecar.Container == nil || got.code != exitOK {
			t.Errorf("%s: exit %d, printed %v\n%s", tc.by, got.code, err, got.stdout)
		}
		lines := strings.Split(strings.TrimSuffix(got.stderr, "\n"), "\n")
		if got.stderr == "" {
			lines = nil
		}
		for i, line := range lines {
			if i >= len(tc.want) || !strings.Contains(line, tc.want[i]) {
				t.Errorf("%s: warning %d: %s", tc.by, i, line)
			}
		}
		if len(lines) != len(tc.want) {
			t.Errorf("%s: %d warnings, want %d", tc.by, len(lines), len(tc.want))
		}
	}
}
