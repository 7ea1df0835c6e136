package policies

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/open-policy-agent/opa/v1/ast"
)

//go:embed capabilities.json
var capabilitiesJSON []byte

// allowList is capabilities.json: what Rego may use. The built-in functions are named, not declared, so that the file can be read;
// every function of the OPA library stands on one of the two lists, which a test holds.
type allowList struct {
	// Builtins may be used: they depend on their arguments and nothing else.
	Builtins []string `json:"builtins"`
	// Refused maps the others to the reason.
	Refused map[string]string `json:"refused"`
	// FutureKeywords is empty: what OPA still experiments with may change its meaning.
	FutureKeywords []string `json:"future_keywords"`
	Features       []string `json:"features"`
	// AllowNet is empty and not nil: nil would let OPA fetch schemas from anywhere.
	AllowNet []string `json:"allow_net"`
}

// readAllowList decodes the embedded file; an error is a broken build.
func readAllowList() (allowList, error) {
	var list allowList
	if err := json.Unmarshal(capabilitiesJSON, &list); err != nil {
		return allowList{}, fmt.Errorf("decode capabilities.json: %w", err)
	}
	return list, nil
}

// capabilities turns the list into what OPA's compiler takes.
func (l allowList) capabilities() *ast.Capabilities {
	all := ast.CapabilitiesForThisVersion()
	return &ast.Capabilities{
		Builtins: slices.DeleteFunc(all.Builtins, func(b *ast.Builtin) bool {
			return !slices.Contains(l.Builtins, b.Name)
		}),
		WasmABIVersions: all.WasmABIVersions,
		FutureKeywords:  l.FutureKeywords,
		Features:        l.Features,
		AllowNet:        l.AllowNet,
	}
}
