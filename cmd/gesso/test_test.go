package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// shortName is a policy with a test for each of its names, and a sample that is refused.
func shortName(id, want string) map[string]string {
	name := strings.ReplaceAll(id, "-", "_")
	return map[string]string{
		id + "/" + id + ".rego": "# METADATA\n# title: A name must be short\n# custom:\n#   gesso:\n#     match: {kinds: [{group: \"\", kind: ConfigMap}]}\n" +
			"package gesso.policies." + name + "\n\ndeny contains {\"message\": \"long\", \"field\": \"metadata.name\"} if count(input.request.object.metadata.name) > 5\n",
		id + "/" + id + "_test.rego": "package gesso.policies." + name + "\n\ntest_long if {\n" +
			"\tcount(deny) == " + want + " with input as {\"request\": {\"object\": {\"metadata\": {\"name\": \"abcdef\"}}}}\n}\n",
		id + "/samples/refused/long.yaml": "# want: " + id + " metadata.name\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: abcdef}\n",
	}
}

func writeAll(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	for name, text := range files {
		write(t, filepath.Join(dir, name), []byte(text))
	}
}

func TestTestJSON(t *testing.T) {
	dir := t.TempDir()
	writeAll(t, dir, shortName("one", "1"))
	writeAll(t, dir, shortName("two", "2"))
	write(t, filepath.Join(dir, "three", "three.rego"), []byte("package gesso.policies.four\n"))
	got := gesso(t, "", "test", dir, "-o", "json")
	var report struct {
		Results []struct {
			Policy, Kind, Name, File string
			Line                     int
			Passed                   bool
			Failure                  *struct{ Reason string }
		}
		Problems []struct {
			Policy, File, Reason string
			Line, Column         int
		}
		Summary struct{ Passed, Failed, Skipped, Problems, Policies int }
	}
	if err := json.Unmarshal([]byte(got.stdout), &report); err != nil {
		t.Fatalf("%v\n%s", err, got.stdout)
	}
	if got.code != exitError || got.stderr != "" {
		t.Errorf("exit %d, stderr %q", got.code, got.stderr)
	}
	if s := report.Summary; s.Passed != 3 || s.Failed != 1 || s.Problems != len(report.Problems) || s.Problems == 0 || s.Policies != 2 {
		t.Errorf("summary %+v\n%s", s, got.stdout)
	}
	for _, r := range report.Results {
		if red := r.Policy == "two" && r.Kind == "rego"; r.Passed == red || (r.Failure != nil) != red || r.File == "" {
			t.Errorf("%+v", r)
		}
	}
	if p := report.Problems[0]; p.Policy != "three" || p.Line != 1 || !strings.HasSuffix(p.File, "three.rego") {
		t.Errorf("problem %+v", p)
	}
}

// TestTestHere runs the tests of the current directory, which is the folder of a policy.
func TestTestHere(t *testing.T) {
	dir := t.TempDir()
	writeAll(t, dir, shortName("one", "1"))
	writeAll(t, dir, shortName("two", "2"))
	t.Chdir(filepath.Join(dir, "one"))
	if got := gesso(t, "", "test"); got.code != exitOK || got.stdout != "2 tests of 1 policy: 2 passed\n" {
		t.Errorf("exit %d: %s%s", got.code, got.stdout, got.stderr)
	}
	t.Chdir(dir)
	if got := gesso(t, "", "test"); got.code != exitDenied || !strings.Contains(got.stdout, "4 tests of 2 policies: 3 passed, 1 failed") {
		t.Errorf("exit %d: %s%s", got.code, got.stdout, got.stderr)
	}
}

// TestTestBesideTheLibrary holds that a policy of the folder takes the place of the built-in one, and that a sample that another policy
// refuses is found with --library only.
func TestTestBesideTheLibrary(t *testing.T) {
	dir := t.TempDir()
	own, err := os.ReadFile("../../policies/library/image-tag/image-tag.rego")
	if err != nil {
		t.Fatal(err)
	}
	writeAll(t, dir, map[string]string{
		"image-tag/image-tag.rego":          string(own),
		"image-tag/samples/accepted/a.yaml": "apiVersion: v1\nkind: Pod\nmetadata: {name: a, namespace: a}\nspec: {containers: [{name: a, image: registry.example/a:1}]}\n",
		"other/other.rego":                  "# METADATA\n# title: No pods\n# custom:\n#   gesso:\n#     match: {pods: true}\npackage gesso.policies.other\n\ndeny contains \"no pods\" if true\n",
	})
	if got := gesso(t, "", "test", dir); got.code != exitOK {
		t.Errorf("exit %d: %s%s", got.code, got.stdout, got.stderr)
	}
	if got := gesso(t, "", "test", dir, "--library"); got.code != exitDenied || !strings.Contains(got.stdout, "no pods [other]") {
		t.Errorf("exit %d: %s%s", got.code, got.stdout, got.stderr)
	}
}

// growing is an output that a test reads while it grows.
type growing struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (g *growing) Write(p []byte) (int, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.text.Write(p)
}

// next waits for want and returns all that was written since the last call.
func (g *growing) next(t *testing.T, want string) string {
	t.Helper()
	end := time.Now().Add(slowest)
	for {
		g.mu.Lock()
		text := g.text.String()
		if strings.Contains(text, want) {
			g.text.Reset()
			g.mu.Unlock()
			return text
		}
		g.mu.Unlock()
		if time.Now().After(end) {
			t.Fatalf("no %q in:\n%s", want, text)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

func TestTestWatch(t *testing.T) {
	dir := t.TempDir()
	writeAll(t, dir, shortName("one", "1"))
	writeAll(t, dir, shortName("two", "1"))
	ctx, cancel := context.WithCancel(t.Context())
	out := &growing{}
	done := make(chan int, 1)
	go func() { done <- run(ctx, []string{"test", dir, "--watch"}, strings.NewReader(""), out, out) }()
	const waits = "waiting for a change"
	if got := out.next(t, waits); !strings.Contains(got, "  one two\n4 tests of 2 policies: 4 passed\n") {
		t.Errorf("at first: %s", got)
	}

	began := time.Now()
	writeAll(t, dir, shortName("two", "2"))
	got := out.next(t, waits)
	t.Logf("red after %v", time.Since(began).Round(time.Millisecond))
	for _, part := range []string{"  two\nFAIL   two test_long", "2 tests of 1 policy: 1 passed, 1 failed\n", "all: 4 tests of 2 policies: 3 passed, 1 failed\n"} {
		if !strings.Contains(got, part) {
			t.Errorf("red: no %q in %s", part, got)
		}
	}

	write(t, filepath.Join(dir, "one", "one.rego"), []byte("package gesso.policies.one\n\ndeny contains \"x\" if {\n"))
	if got = out.next(t, waits); !strings.Contains(got, "  one\nERROR  ") || !strings.Contains(got, "all: 2 tests of 1 policy: 1 passed, 1 failed; ") {
		t.Errorf("broken: %s", got)
	}

	writeAll(t, dir, shortName("one", "1"))
	writeAll(t, dir, shortName("two", "1"))
	if got = out.next(t, waits); !strings.Contains(got, "4 tests of 2 policies: 4 passed\n") || strings.Contains(got, "all:") {
		t.Errorf("green: %s", got)
	}
	writeAll(t, dir, shortName("three", "1"))
	if got = out.next(t, "all: 6 tests of 3 policies: 6 passed\n"); !strings.Contains(got, "  three\n") {
		t.Errorf("another policy: %s", got)
	}
	cancel()
	if code := <-done; code != exitOK {
		t.Errorf("exit %d", code)
	}
	if got := gesso(t, "", "test", dir, "--watch", "-o", "json"); got.code != exitError {
		t.Errorf("--watch -o json: exit %d", got.code)
	}
}
