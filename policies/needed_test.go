package policies

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/open-policy-agent/opa/v1/ast"
)

// TestNeeded: a policy is compiled with the helpers that it can reach, whichever way it names them. A reference into a package counts for
// the packages above it too: it might be a rule of theirs.
func TestNeeded(t *testing.T) {
	module := func(name, text string) *ast.Module {
		m, err := ast.ParseModuleWithOpts(name, text, ast.ParserOptions{RegoVersion: ast.RegoV1})
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	c := &compiler{lib: []*ast.Module{
		module("lib", "package gesso.lib\n\na := 1"),
		module("keys", "package gesso.lib.keys\n\nb := 1"),
		module("arns", "package gesso.lib.arns\n\nimport data.gesso.lib.keys\n\nc := keys.b"),
		module("deep", "package gesso.lib.keys.deep\n\nd := 1"),
	}}
	for text, want := range map[string][]string{
		"p := 1":                                            nil,
		"import data.gesso.lib\n\np := lib.a":               {"lib"},
		"import data.gesso.lib\n\np := lib.arns.c":          {"lib", "keys", "arns", "deep"},
		"import data.gesso.lib as l\n\np := l.keys.b":       {"lib", "keys"},
		"import data.gesso.lib.keys.deep\n\np := deep.d":    {"lib", "keys", "deep"},
		"p := data.gesso.lib.keys.b":                        {"lib", "keys"},
		"p := data.gesso.lib[input.x]":                      {"lib", "keys", "arns", "deep"},
		"p := data[input.x]":                                {"lib", "keys", "arns", "deep"},
		"import data.gesso.lib\n\np := lib[input.x].b":      {"lib", "keys", "arns", "deep"},
		"p if data.gesso.policies.y.z with input.a as 1":    nil,
		"import data.gesso.lib.arns\n\nq(x) := arns.c if x": {"lib", "keys", "arns", "deep"},
	} {
		var got []string
		for _, m := range c.needed([]*ast.Module{module("x", "package gesso.policies.x\n\n"+text)}) {
			got = append(got, m.Package.Location.File)
		}
		slices.Sort(got)
		slices.Sort(want)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s\n(-want +got):\n%s", text, diff)
		}
	}
}
