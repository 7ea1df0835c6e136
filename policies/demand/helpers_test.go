package demand

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/open-policy-agent/opa/v1/ast"
)

// compile compiles modules by file name.
func compile(t testing.TB, modules map[string]string) *ast.Compiler {
	t.Helper()
	parsed := map[string]*ast.Module{}
	for name, text := range modules {
		module, err := ast.ParseModuleWithOpts(name, text, ast.ParserOptions{RegoVersion: ast.RegoV1})
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		parsed[name] = module
	}
	compiler := ast.NewCompiler().WithDefaultRegoVersion(ast.RegoV1)
	if compiler.Compile(parsed); compiler.Failed() {
		t.Fatal(compiler.Errors)
	}
	return compiler
}

// library returns the ids of the library's policies.
func library(t testing.TB) []string {
	t.Helper()
	dirs, err := filepath.Glob("../library/*")
	if err != nil || len(dirs) < 25 {
		t.Fatalf("%d policies, %v", len(dirs), err)
	}
	ids := make([]string, len(dirs))
	for i, dir := range dirs {
		ids[i] = filepath.Base(dir)
	}
	return ids
}

// libraryModules returns the files of one policy and all shared ones, without tests.
func libraryModules(t testing.TB, id string) map[string]string {
	t.Helper()
	modules := map[string]string{}
	for _, pattern := range []string{"../library/" + id + "/*.rego", "../lib/*.rego"} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			if strings.HasSuffix(file, "_test.rego") {
				continue
			}
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			modules["policies/"+strings.TrimPrefix(file, "../")] = string(text)
		}
	}
	return modules
}

// verdicts are the entry points of a library policy.
func verdicts(compiler *ast.Compiler, id string) []ast.Ref {
	var entries []ast.Ref
	for _, name := range []string{"deny", "warn"} {
		ref := ast.MustParseRef("data.gesso.policies." + strings.ReplaceAll(id, "-", "_") + "." + name)
		if len(compiler.GetRules(ref)) > 0 {
			entries = append(entries, ref)
		}
	}
	return entries
}
