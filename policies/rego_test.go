package policies

import (
	"io/fs"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/format"
)

// regoFiles reads every .rego file below a folder of the source tree, tests included.
func regoFiles(t *testing.T, dir string) []file {
	t.Helper()
	var files []file
	err := fs.WalkDir(os.DirFS("."), dir, func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.HasSuffix(name, ".rego") {
			return err
		}
		text, err := os.ReadFile(name)
		files = append(files, file{name: name, text: text})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(files) == 0 {
		t.Fatalf("no .rego files in %s", dir)
	}
	return files
}

// libraryIDs lists the folders of the library.
func libraryIDs(t *testing.T) []string {
	t.Helper()
	entries, err := os.ReadDir("library")
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, entry := range entries {
		ids = append(ids, entry.Name())
	}
	if len(ids) < 2 {
		t.Fatalf("the library holds %d policies", len(ids))
	}
	return ids
}

func TestRegoIsFormatted(t *testing.T) {
	for _, f := range slices.Concat(regoFiles(t, "lib"), regoFiles(t, "library")) {
		formatted, err := format.SourceWithOpts(f.name, f.text, format.Opts{RegoVersion: ast.RegoV1})
		if err != nil {
			t.Errorf("format: %v", err)
			continue
		}
		if diff := cmp.Diff(string(f.text), string(formatted)); diff != "" {
			t.Errorf("%s is not formatted (opa fmt -w policies); -is +want:\n%s", f.name, diff)
		}
	}
}

// TestLib runs the Rego tests of the shared helpers, strictly compiled, with what policies may use and no more.
func TestLib(t *testing.T) {
	c, err := newCompiler(t.Context(), true)
	if err != nil {
		t.Fatal(err)
	}
	tests := slices.DeleteFunc(regoFiles(t, "lib"), func(f file) bool { return !strings.HasSuffix(f.name, "_test.rego") })
	results, problems := c.runTests(t.Context(), "lib", tests, 5*time.Minute)
	for _, problem := range problems {
		t.Error(problem)
	}
	for _, r := range results {
		if !r.Passed {
			t.Errorf("%s:%d: %s: %s\n%s", r.File, r.Line, r.Name, r.Failure.Reason, r.Failure.Variables)
		}
	}
	if len(results) < 3 {
		t.Errorf("%d tests", len(results))
	}
}
