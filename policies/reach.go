package policies

import (
	"fmt"
	"slices"

	"github.com/open-policy-agent/opa/v1/ast"
)

// reach is what the verdict of a policy may depend on, found by following its rules into every rule and function that they refer to.
type reach struct {
	// readsNamespace is true when a fact of the Namespace may be read. It errs on the side of true.
	readsNamespace bool
	// unknown are references to data that nothing defines. They would be undefined for ever, and what is undefined allows.
	unknown []*ast.Location
	names   []string
	// parameters is where input.parameters is read first, or nil.
	parameters *ast.Location
}

// walk follows the rules of a compiled policy.
func walk(compiler *ast.Compiler, rules []*ast.Rule) *reach {
	found := &reach{}
	seen := map[*ast.Rule]bool{}
	queue := slices.Clone(rules)
	for len(queue) > 0 {
		rule := queue[0]
		queue = queue[1:]
		if seen[rule] {
			continue
		}
		seen[rule] = true
		// A generic visitor sees the whole rule: head, body, the else chain, comprehensions, and the targets of with.
		ast.NewGenericVisitor(func(x any) bool {
			switch x := x.(type) {
			case ast.Ref:
				queue = append(queue, found.ref(compiler, rule, x)...)
				for _, term := range x[1:] { // operands of the reference may be references themselves
					ast.WalkRefs(term, func(inner ast.Ref) bool {
						queue = append(queue, found.ref(compiler, rule, inner)...)
						return false
					})
				}
				return true
			case ast.Var:
				if x.Equal(ast.InputRootDocument.Value) {
					found.readsNamespace = true
				}
			}
			return false
		}).Walk(rule)
	}
	return found
}

// ref notes one reference and returns the rules behind it.
func (f *reach) ref(compiler *ast.Compiler, rule *ast.Rule, ref ast.Ref) []*ast.Rule {
	switch {
	case ref.HasPrefix(ast.InputRootRef):
		if len(ref) == 1 || namespaceFact(ref[1]) {
			f.readsNamespace = true
		}
		if len(ref) > 1 && ref[1].Value.Compare(ast.String("parameters")) == 0 && f.parameters == nil {
			f.parameters = rule.Location
		}
	case ref.HasPrefix(ast.DefaultRootRef):
		rules := compiler.GetRules(ref.ConstantPrefix())
		if len(rules) == 0 || len(ref) == 1 {
			f.unknown = append(f.unknown, rule.Location)
			f.names = append(f.names, ref.String())
		}
		return rules
	}
	return nil
}

// namespaceFact reports whether input[key] may be a fact of the Namespace. A key that is not known before evaluation may be.
func namespaceFact(key *ast.Term) bool {
	name, constant := key.Value.(ast.String)
	return !constant || slices.Contains([]ast.String{"namespace", "environment", "expected"}, name)
}

// problems of a policy that takes parameters or does not.
func (f *reach) problems(id string, takesParameters bool) []Problem {
	var problems []Problem
	if at := f.parameters; at != nil && !takesParameters {
		problems = append(problems, Problem{
			Policy: id, File: at.File, Line: at.Row, Column: at.Col,
			Reason: "reads input.parameters, but METADATA declares no parameters",
		})
	}
	for i, at := range f.unknown {
		problem := Problem{Policy: id, File: at.File, Line: at.Row, Column: at.Col, Reason: fmt.Sprintf("%s is defined nowhere; policies share data.gesso.lib only", f.names[i])}
		if !slices.Contains(problems, problem) {
			problems = append(problems, problem)
		}
	}
	return problems
}
