// Package policies holds ten policies in Gesso's own format, as a platform team would write them: what the benchmarks judge by.
package policies

import (
	"embed"

	"github.com/gesso-dev/gesso/policies"
)

//go:embed */*.rego
var files embed.FS

// Source is the folder of the ten policies.
func Source() policies.Source { return policies.Source{Name: "bench", FS: files} }
