package e2e_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/gesso-dev/gesso/admission"
	"github.com/gesso-dev/gesso/e2e"
)

// kubectl runs kubectl and wants it to succeed.
func kubectl(t *testing.T, args ...string) string {
	t.Helper()
	stdout, stderr, err := shared.cp.Kubectl(t.Context(), args...)
	if err != nil {
		t.Fatalf("kubectl %s: %v\n%s", strings.Join(args, " "), err, stderr)
	}
	return stdout
}

// apply pipes a manifest into kubectl and returns what it wrote to stderr, and the error.
func apply(t *testing.T, manifest string, args ...string) (stderr string, err error) {
	t.Helper()
	_, stderr, err = shared.cp.KubectlInput(t.Context(), strings.NewReader(manifest), append(args, "-f", "-")...)
	return stderr, err
}

// mustApply is apply that succeeds.
func mustApply(t *testing.T, manifest string, args ...string) {
	t.Helper()
	if stderr, err := apply(t, manifest, args...); err != nil {
		t.Fatalf("kubectl %s: %v\n%s\n%s", strings.Join(args, " "), err, stderr, manifest)
	}
}

// get reads an object.
func get(t *testing.T, args ...string) *unstructured.Unstructured {
	t.Helper()
	return decode(t, []byte(kubectl(t, append([]string{"get", "-o", "json"}, args...)...)))
}

func decode(t *testing.T, raw []byte) *unstructured.Unstructured {
	t.Helper()
	var o unstructured.Unstructured
	if err := o.UnmarshalJSON(raw); err != nil {
		t.Fatalf("decode object: %v\n%s", err, raw)
	}
	return &o
}

// namespace makes a namespace for one test.
func namespace(t *testing.T) string {
	t.Helper()
	name := strings.ToLower(strings.ReplaceAll(t.Name(), "/", "-"))
	kubectl(t, "create", "namespace", name)
	// The ServiceAccount that every Pod needs comes from a controller.
	e2e.Eventually(t, "the default ServiceAccount of "+name, func() error {
		_, stderr, err := shared.cp.Kubectl(t.Context(), "get", "serviceaccount", "default", "--namespace", name)
		if err != nil {
			return fmt.Errorf("%w: %s", err, stderr)
		}
		return nil
	})
	return name
}

// review runs gesso review with the profile of the suite and returns its results.
func review(t *testing.T, input string) []admission.Result {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), shared.gesso.Binary, append([]string{"review", "-f", "-", "-o", "json"}, profileFlags()...)...)
	cmd.Stdin = strings.NewReader(input)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	var answer struct{ Results []admission.Result }
	if jsonErr := json.Unmarshal(out, &answer); jsonErr != nil {
		t.Fatalf("gesso review: %v, %v\n%s", err, jsonErr, &stderr)
	}
	return answer.Results
}

// platform applies what the platform makes for the examples and returns the file.
func platform(t *testing.T) string {
	t.Helper()
	file := filepath.Join(shared.root, "examples", "platform", "namespace.yaml")
	kubectl(t, "apply", "-f", file)
	return file
}

// examples returns the example files of a folder in the order of names.
func examples(t *testing.T, folder string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(shared.root, "examples", folder, "*.yaml"))
	if err != nil || len(files) < 2 {
		t.Fatalf("examples in %s: %d, %v", folder, len(files), err)
	}
	slices.Sort(files)
	return files
}

func read(t *testing.T, file string) string {
	t.Helper()
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

// at returns what stands at a JSON pointer, nil for nothing.
func at(o any, pointer string) any {
	value, _ := e2e.At(o, pointer)
	return value
}
