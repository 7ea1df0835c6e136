package demand

import (
	"maps"
	"testing"

	"github.com/open-policy-agent/opa/v1/ast"
)

// BenchmarkAnalyse is the analysis of the whole library, policy by policy: what it adds to a start.
func BenchmarkAnalyse(b *testing.B) {
	for _, id := range library(b) {
		compiler := compile(b, libraryModules(b, id))
		entries := verdicts(compiler, id)
		b.Run(id, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				Analyse(b.Context(), compiler, entries)
			}
		})
	}
}

// BenchmarkPlan is the part of it that is OPA's.
func BenchmarkPlan(b *testing.B) {
	for _, id := range library(b) {
		compiler := compile(b, libraryModules(b, id))
		entries := verdicts(compiler, id)
		b.Run(id, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := plan(b.Context(), compiler, [][]ast.Ref{entries}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkAnalyseLibrary is the whole library in one plan, as it is loaded.
func BenchmarkAnalyseLibrary(b *testing.B) {
	modules := map[string]string{}
	for _, id := range library(b) {
		maps.Copy(modules, libraryModules(b, id))
	}
	compiler := compile(b, modules)
	var entries [][]ast.Ref
	for _, id := range library(b) {
		entries = append(entries, verdicts(compiler, id))
	}
	b.ReportAllocs()
	for b.Loop() {
		Analyse(b.Context(), compiler, entries...)
	}
}
