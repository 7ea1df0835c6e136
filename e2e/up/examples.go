package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/pmezard/go-difflib/difflib"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"github.com/gesso-dev/gesso/e2e/controlplane"
)

// examples applies examples/ and shows what became of it.
type examples struct {
	root string
	cp   *controlplane.ControlPlane
	out  io.Writer
	bare map[string]string // by file: what the API server would store without Gesso
}

// files returns the files of a folder of examples/ in the order of names.
func (e *examples) files(folder string) ([]string, error) {
	files, err := filepath.Glob(filepath.Join(e.root, "examples", folder, "*.yaml"))
	if err != nil || len(files) == 0 {
		return nil, fmt.Errorf("find examples in %s: none (%w)", folder, err)
	}
	slices.Sort(files)
	return files, nil
}

// before makes what the platform makes, and asks the API server, while Gesso is not registered yet, what it would store. The difference to what it stores later is
// what Gesso filled, and nothing that the API server does on its own.
func (e *examples) before(ctx context.Context) error {
	platform := filepath.Join(e.root, "examples", "platform")
	heading(e.out, "kubectl apply -f %s", e.short(platform))
	stdout, stderr, err := e.cp.Kubectl(ctx, "apply", "-f", platform)
	fmt.Fprint(e.out, stdout, stderr)
	if err != nil {
		return fmt.Errorf("apply %s: %w", platform, err)
	}
	files, err := e.files("shop")
	if err != nil {
		return err
	}
	e.bare = map[string]string{}
	for _, file := range files {
		stdout, stderr, err := e.cp.Kubectl(ctx, "create", "--dry-run=server", "-o", "json", "-f", file)
		if err != nil {
			return fmt.Errorf("dry-run %s: %w\n%s", file, err, stderr)
		}
		if e.bare[file], err = readable(stdout); err != nil {
			return err
		}
	}
	return nil
}

// apply applies everything and prints the differences and the refusals. What must be refused and is not is an error.
func (e *examples) apply(ctx context.Context) error {
	files, err := e.files("shop")
	if err != nil {
		return err
	}
	for _, file := range files {
		if err := e.applyOne(ctx, file); err != nil {
			return err
		}
	}
	files, err = e.files("refused")
	if err != nil {
		return err
	}
	for _, file := range files {
		if err := e.refuseOne(ctx, file); err != nil {
			return err
		}
	}
	return nil
}

func (e *examples) applyOne(ctx context.Context, file string) error {
	heading(e.out, "kubectl apply -f %s", e.short(file))
	stdout, stderr, err := e.cp.Kubectl(ctx, "apply", "-f", file)
	if err != nil {
		return fmt.Errorf("apply %s: %w\n%s", file, err, stderr)
	}
	fmt.Fprint(e.out, stdout, stderr)
	stdout, stderr, err = e.cp.Kubectl(ctx, "get", "-o", "json", "-f", file)
	if err != nil {
		return fmt.Errorf("get %s: %w\n%s", file, err, stderr)
	}
	after, err := readable(stdout)
	if err != nil {
		return err
	}
	diff, err := difflib.GetUnifiedDiffString(difflib.UnifiedDiff{
		A: difflib.SplitLines(e.bare[file]), B: difflib.SplitLines(after),
		FromFile: "as it would be stored without Gesso", ToFile: "as it is stored", Context: 2,
	})
	if err != nil {
		return fmt.Errorf("compare %s: %w", file, err)
	}
	if diff == "" {
		diff = "nothing to fill\n"
	}
	fmt.Fprint(e.out, diff)
	return nil
}

func (e *examples) refuseOne(ctx context.Context, file string) error {
	heading(e.out, "kubectl apply -f %s", e.short(file))
	stdout, stderr, err := e.cp.Kubectl(ctx, "apply", "-f", file)
	fmt.Fprint(e.out, stdout, strings.ReplaceAll(stderr, file, e.short(file)))
	if err == nil {
		return fmt.Errorf("%s must be refused, and was not", e.short(file))
	}
	want, err := refusedBy(file)
	if err != nil {
		return err
	}
	if !strings.Contains(stderr, "["+want+"]") {
		return fmt.Errorf("%s must be refused by %s, and was not", e.short(file), want)
	}
	return nil
}

func (e *examples) short(file string) string {
	if rel, err := filepath.Rel(e.root, file); err == nil {
		return rel
	}
	return file
}

// refusedBy reads the policy that an example of a refusal names in its first line: "# Refused by <policy>: why".
func refusedBy(file string) (string, error) {
	raw, err := os.ReadFile(file)
	if err != nil {
		return "", fmt.Errorf("read example: %w", err)
	}
	line, _, _ := bytes.Cut(raw, []byte("\n"))
	rest, found := strings.CutPrefix(string(line), "# Refused by ")
	policy, _, colon := strings.Cut(rest, ":")
	if !found || !colon {
		return "", errors.New(file + `: the first line must be "# Refused by <policy>: why"`)
	}
	return policy, nil
}

// readable turns an object into YAML without what the API server keeps for itself: it differs from one call to the next.
func readable(raw string) (string, error) {
	var o unstructured.Unstructured
	if err := o.UnmarshalJSON([]byte(raw)); err != nil {
		return "", fmt.Errorf("read object: %w", err)
	}
	for _, name := range []string{"uid", "resourceVersion", "creationTimestamp", "generation", "managedFields"} {
		unstructured.RemoveNestedField(o.Object, "metadata", name)
	}
	for _, name := range []string{"clusterIP", "clusterIPs"} {
		unstructured.RemoveNestedField(o.Object, "spec", name)
	}
	unstructured.RemoveNestedField(o.Object, "metadata", "annotations", "kubectl.kubernetes.io/last-applied-configuration")
	unstructured.RemoveNestedField(o.Object, "metadata", "annotations", "deployment.kubernetes.io/revision")
	if len(o.GetAnnotations()) == 0 {
		unstructured.RemoveNestedField(o.Object, "metadata", "annotations")
	}
	delete(o.Object, "status")
	text, err := yaml.Marshal(o.Object)
	if err != nil {
		return "", fmt.Errorf("write object: %w", err)
	}
	return string(text), nil
}
