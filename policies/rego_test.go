package policies

import (
	"io/fs"
	"maps"
	"os"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/format"
	"github.com/open-policy-agent/opa/v1/storage"
	"github.com/open-policy-agent/opa/v1/storage/inmem"
	"github.com/open-policy-agent/opa/v1/tester"
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

// TestRego runs the Rego tests of the shared helpers and of each policy, strictly compiled, with what policies may use and no more.
func TestRego(t *testing.T) {
	c, err := newCompiler(t.Context(), false)
	if err != nil {
		t.Fatal(err)
	}
	lib := regoFiles(t, "lib")
	t.Run("lib", func(t *testing.T) { runRego(t, c, lib) })
	for _, id := range libraryIDs(t) {
		t.Run(id, func(t *testing.T) {
			helpers := slices.DeleteFunc(slices.Clone(lib), func(f file) bool { return strings.HasSuffix(f.name, "_test.rego") })
			runRego(t, c, slices.Concat(helpers, regoFiles(t, path.Join("library", id))))
		})
	}
}

func runRego(t *testing.T, c *compiler, files []file) {
	t.Helper()
	modules := map[string]*ast.Module{}
	for _, f := range files {
		module, err := c.parse(f)
		if err != nil {
			t.Fatal(err)
		}
		modules[f.name] = module
	}
	capabilities := c.list.capabilities()
	for _, builtin := range ast.CapabilitiesForThisVersion().Builtins {
		if builtin.Name == "internal.test_case" { // what the runner itself puts into tables of cases
			capabilities.Builtins = append(capabilities.Builtins, builtin)
		}
	}
	store := inmem.New()
	var cases int
	err := storage.Txn(t.Context(), store, storage.TransactionParams{}, func(txn storage.Transaction) error {
		results, err := tester.NewRunner().
			SetCompiler(ast.NewCompiler().WithCapabilities(capabilities).WithStrict(true).WithEnablePrintStatements(true)).
			SetStore(store).SetModules(modules).CapturePrintOutput(true).RaiseBuiltinErrors(true).
			RunTests(t.Context(), txn)
		if err != nil {
			return err
		}
		for result := range results {
			cases += max(1, len(result.SubResults))
			if !result.Pass() {
				t.Errorf("%s: %s\n%s", result.Location, result, result.Output)
				for _, name := range slices.Sorted(maps.Keys(result.SubResults)) {
					if result.SubResults[name].Fail {
						t.Errorf("%s: case %q failed", result.Location, name)
					}
				}
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if cases < 3 {
		t.Errorf("%d Rego test cases; a policy has at least one that is accepted, one that is refused, and one with the field absent", cases)
	}
}
