package main

import (
	"encoding/json"
	"os/exec"
	"testing"

	"k8s.io/apimachinery/pkg/util/version"
)

// The module webhooks is tidied by nobody: that downloads gigabytes. What breaks it from outside are newer requirements of the modules
// around it, and this finds those: it imports compare, so that it needs at least what this module needs.
func TestWebhooksModule(t *testing.T) {
	has := requirements(t, "webhooks")
	for path, wants := range requirements(t, ".") {
		if path == "k8s.io/apiserver" { // replaced there: Kyverno does not build with a newer one
			continue
		}
		if got := has[path]; got == "" || parse(t, got).LessThan(parse(t, wants)) {
			t.Errorf("webhooks/go.mod has %s %q, and %s is required: run go mod tidy there", path, got, wants)
		}
	}
}

func parse(t *testing.T, text string) *version.Version {
	t.Helper()
	v, err := version.ParseSemantic(text)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// requirements are the modules that the go.mod of a folder names, with their versions.
func requirements(t *testing.T, dir string) map[string]string {
	t.Helper()
	text, err := exec.CommandContext(t.Context(), "go", "mod", "edit", "-json", dir+"/go.mod").Output()
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Require []struct{ Path, Version string }
	}
	if err := json.Unmarshal(text, &file); err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	for _, r := range file.Require {
		all[r.Path] = r.Version
	}
	if len(all) == 0 {
		t.Fatalf("%s/go.mod requires nothing", dir)
	}
	return all
}
