package demand

import (
	"context"

	"github.com/open-policy-agent/opa/v1/ast"
)

// rule is one reason why something is read. Tests leave them out one by one, to see that each is needed.
type rule string

const (
	ruleComparison   rule = "comparison"   // == of two composite values reads both
	ruleArrayLength  rule = "array length" // the length of a list reads that its elements are there
	ruleSetLength    rule = "set length"   // counting a set reads its elements
	ruleMultiplicity rule = "multiplicity" // an array made of a set reads its elements
	ruleOrder        rule = "order"        // stopping in the middle of a set reads its elements
	ruleConflict     rule = "conflict"     // where two values would be an error both are read
	ruleObjectKeys   rule = "object keys"  // the key of an object is read
	ruleBuiltin      rule = "functions"    // a function reads its arguments by their types
	ruleScalar       rule = "scalars"      // where a function wants a scalar it tells collections apart
	ruleAliases      rule = "aliases"      // some functions give back parts of their arguments
	ruleNarrow       rule = "narrow"       // what was tested to be a scalar is one
	ruleResult       rule = "result"       // the result reads what it holds
	ruleFixpoint     rule = "fixpoint"     // passes are repeated
	ruleLate         rule = "late"         // what reaches an array, object or set late is read as what was there before
)

// Analyse finds out what each entry point, a rule such as data.gesso.policies.x.deny, reads of the input: one node for each, in order.
// Where that cannot be found out it is the whole input, with the reason in Why; there is no error. The compiler must have compiled its
// modules without an error; it is not changed, and several goroutines may use it.
func Analyse(ctx context.Context, compiler *ast.Compiler, entries []ast.Ref) []*Node {
	return analyse(ctx, compiler, entries, nil)
}

func analyse(ctx context.Context, compiler *ast.Compiler, entries []ast.Ref, off map[rule]bool) []*Node {
	nodes := make([]*Node, len(entries))
	if len(entries) == 0 {
		return nodes
	}
	unsure := func(err error) *Node { return Whole(err.Error()) }
	policy, err := plan(ctx, compiler, entries)
	if err != nil {
		return unsureAll(nodes, err)
	}
	program, err := newProgram(policy)
	if err != nil {
		return unsureAll(nodes, err)
	}
	for i, entry := range entries {
		f := program.functions["g0."+entry.String()]
		if f == nil {
			nodes[i] = Whole(entry.String() + " is not one rule")
			continue
		}
		if nodes[i], err = program.entry(f, off); err != nil {
			nodes[i] = unsure(err)
		}
	}
	return nodes
}

func unsureAll(nodes []*Node, err error) []*Node {
	for i := range nodes {
		nodes[i] = Whole(err.Error())
	}
	return nodes
}
