package value

import (
	"bytes"
	"testing"

	"github.com/open-policy-agent/opa/v1/ast"
)

func BenchmarkParse(b *testing.B) {
	data, want := review(b), usual()
	for name, parse := range map[string]func() (ast.Value, error){
		"reference": func() (ast.Value, error) { return ast.ValueFromReader(bytes.NewReader(data)) },
		"whole":     func() (ast.Value, error) { return Parse(data, nil) },
		"projected": func() (ast.Value, error) { return Parse(data, want) },
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(data)))
			for b.Loop() {
				if _, err := parse(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
