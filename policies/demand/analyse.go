package demand

import (
	"context"
	"fmt"
	"strings"

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
	ruleResult       rule = "result"       // the result reads what it holds
	ruleFixpoint     rule = "fixpoint"     // passes are repeated
	ruleLate         rule = "late"         // what reaches an array, object or set late is read as what was there before
)

// Analyse finds out what policies read of the input. Each is given by its entry points, rules such as data.gesso.policies.x.deny; each
// gets one node, in order. Where that cannot be found out it is the whole input, with the reason in Why: there is no error, and no policy
// costs another its node. The compiler must have compiled its modules without an error; it is not changed, and several goroutines may use
// it.
func Analyse(ctx context.Context, compiler *ast.Compiler, policies ...[]ast.Ref) []*Node {
	return analyse(ctx, compiler, nil, policies)
}

func analyse(ctx context.Context, compiler *ast.Compiler, off map[rule]bool, policies [][]ast.Ref) []*Node {
	nodes := make([]*Node, len(policies))
	program, err := planned(ctx, compiler, policies)
	if err != nil && len(policies) > 1 { // which of them is it?
		for i := range policies {
			nodes[i] = analyse(ctx, compiler, off, policies[i:i+1])[0]
		}
		return nodes
	}
	for i, entries := range policies {
		if err == nil {
			nodes[i], err = program.policy(entries, off)
		}
		if err != nil {
			nodes[i] = Whole("the analysis gave up: " + strings.Join(strings.Fields(err.Error()), " "))
			err = nil
		}
	}
	return nodes
}

func planned(ctx context.Context, compiler *ast.Compiler, policies [][]ast.Ref) (_ *program, err error) {
	defer recovered(&err)
	policy, err := plan(ctx, compiler, policies)
	if err != nil {
		return nil, err
	}
	return newProgram(policy)
}

// policy finds the functions of a policy and analyses them.
func (p *program) policy(entries []ast.Ref, off map[rule]bool) (_ *Node, err error) {
	defer recovered(&err)
	functions := make([]*function, len(entries))
	for i, entry := range entries {
		if functions[i] = p.functions["g0."+entry.String()]; functions[i] == nil {
			return nil, fmt.Errorf("%s is not one rule", entry)
		}
	}
	return p.reads(functions, off)
}

// recovered makes a fault of the analysis, or of OPA's planner, one of the reasons to read everything. It must not keep a policy from
// being loaded.
func recovered(err *error) {
	if fault := recover(); fault != nil {
		*err = fmt.Errorf("fault: %v", fault)
	}
}
