package demand

import (
	"context"
	"errors"
	"slices"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/ir"
	"github.com/open-policy-agent/opa/v1/rego"
)

// target is the name under which OPA hands its plan to this package. Nothing is ever evaluated with it.
const target = "gesso-demand"

// planner is the target plugin. It takes the plan out of a preparation and ends it there.
type planner struct{}

// planKey is where a context holds the *ir.Policy that the plugin fills in.
type planKey struct{}

var errPlanned = errors.New("the plan is all that was wanted")

// OPA's table of plugins has no lock for its readers, so an entry must be there before anybody can read it.
func init() { rego.RegisterPlugin(target, planner{}) } //nolint:gochecknoinits // see above

func (planner) IsTarget(name string) bool { return name == target }

func (planner) PrepareForEval(ctx context.Context, policy *ir.Policy, _ ...rego.PrepareOption) (rego.TargetPluginEval, error) {
	if into, ok := ctx.Value(planKey{}).(*ir.Policy); ok {
		*into = *policy
	}
	return nil, errPlanned
}

// plan returns OPA's plan for all entries at once: each becomes a function of its own.
func plan(ctx context.Context, compiler *ast.Compiler, entries [][]ast.Ref) (*ir.Policy, error) {
	var terms []*ast.Term
	for _, entry := range slices.Concat(entries...) {
		terms = append(terms, ast.NewTerm(entry.Copy()))
	}
	own := *compiler // rego.New sets the evaluation mode of the compiler that it is given
	var policy ir.Policy
	_, err := rego.New(
		rego.ParsedQuery(ast.NewBody(ast.Equality.Expr(ast.VarTerm("entries"), ast.ArrayTerm(terms...)))),
		rego.Compiler(&own),
		rego.Target(target),
	).PrepareForEval(context.WithValue(ctx, planKey{}, &policy))
	switch {
	case errors.Is(err, errPlanned):
		return &policy, nil
	case err == nil:
		return nil, errors.New("OPA made no plan")
	}
	return nil, err
}
