package policies

import (
	"context"
	"errors"
	"slices"
	"sync"

	"github.com/open-policy-agent/opa/v1/ast"

	"github.com/gesso-dev/gesso/policies/demand"
)

// unit is a number of policies that were compiled together with the shared helpers that they need.
type unit struct {
	compiler *ast.Compiler
	programs []*program
	// analysis is made once, for all policies of the unit. whole is set where there is to be none.
	analysis sync.Once
	whole    bool
	// shared is true where input.parameters and input.inventory lie by policy id; see share.go. Else there is one policy only.
	shared bool
}

// program is a definition that has been compiled. It is immutable. A policy that serves on, or that is taken over by another set, keeps
// its program and with it the unit.
type program struct {
	*definition
	unit     *unit // nil: not compiled yet
	verdicts []verdict
	// body binds the value of each verdict rule to its variable. It is in the form in which the evaluator takes it: there is nothing in
	// it to be compiled, so that the bodies of any policies of a unit, one after the other, make a query.
	body ast.Body
	// readsNamespace is true when a verdict may depend on facts of the Namespace.
	readsNamespace bool
	// known is what the verdict rules read of input, see reads.
	known *demand.Node
}

// verdict is one of the rules deny and warn of a policy.
type verdict struct {
	rule string
	ref  ast.Ref
	// variable is what the query binds the rule's value to; no other policy has the same.
	variable ast.Var
}

// link compiles definitions with the shared helpers that they need. Without shared there must be one only.
func (c *compiler) link(definitions []*definition, shared bool) (*unit, error) {
	var (
		all     = map[string]*ast.Module{}
		modules []*ast.Module
	)
	for _, d := range definitions {
		list := d.modules
		if shared {
			list = d.shared
		}
		modules = append(modules, list...)
	}
	for _, module := range slices.Concat(modules, c.needed(modules)) {
		all[module.Package.Location.File] = module
	}
	compiler := ast.NewCompiler().WithCapabilities(c.capabilities).WithStrict(true).WithDefaultRegoVersion(ast.RegoV1).
		WithEnablePrintStatements(c.print).
		WithSchemas(inputSchemaOf(definitions, shared))
	if shared {
		compiler.SetErrorLimit(0) // who is to blame is found by them
	}
	if compiler.Compile(all); compiler.Failed() {
		return nil, compiler.Errors
	}
	return &unit{compiler: compiler, shared: shared}, nil
}

// build is what becomes of definitions: for each its program, or its problems. With an error there is neither.
type build struct {
	programs []*program
	problems [][]Problem
	err      error
}

func (c *compiler) build(definitions []*definition, shared bool) build {
	u, err := c.link(definitions, shared)
	b := build{err: err}
	if err != nil {
		return b
	}
	u.whole = c.print // who prints sees the whole input
	for _, d := range definitions {
		p, problems := u.program(d)
		b.programs, b.problems = append(b.programs, p), append(b.problems, problems)
		if p != nil {
			u.programs = append(u.programs, p)
		}
	}
	return b
}

// reads is what the verdict rules read of input; nil stands for everything. Whoever asks first waits for the analysis of the whole unit.
func (p *program) reads() *demand.Node {
	p.unit.analysis.Do(p.unit.analyse)
	return p.known
}

func (u *unit) analyse() {
	if u.whole {
		return
	}
	entries := make([][]ast.Ref, len(u.programs))
	for i, p := range u.programs {
		for _, v := range p.verdicts {
			entries[i] = append(entries[i], v.ref)
		}
	}
	for i, reads := range demand.Analyse(context.Background(), u.compiler, entries...) { // nobody's request: what comes of it is for all
		u.programs[i].known = reads
	}
}

// guilty returns the definitions in whose files the errors of a compilation lie. It may be none of them.
func guilty(definitions []*definition, err error) map[*definition]bool {
	byFile := map[string]*definition{}
	for _, d := range definitions {
		for _, module := range d.modules {
			byFile[module.Package.Location.File] = d
		}
	}
	list, _ := errors.AsType[ast.Errors](err)
	found := map[*definition]bool{}
	for _, e := range list {
		if e.Location != nil && byFile[e.Location.File] != nil {
			found[byFile[e.Location.File]] = true
		}
	}
	return found
}

// program finds the verdict rules of one of the unit's policies and checks what they reach.
func (u *unit) program(d *definition) (*program, []Problem) {
	rules, problems := verdictRules(d.id, u.compiler, d.modules)
	if len(problems) > 0 {
		return nil, problems
	}
	reach := walk(u.compiler, rules)
	if problems := reach.problems(d.id, d.meta.schema != nil); len(problems) > 0 {
		return nil, problems
	}
	inventory := inventoryRef()
	if u.shared {
		inventory = inventory.Append(ast.StringTerm(d.id))
	}
	if problems := scans(d.id, u.compiler, rules, inventory, d.meta.inventory); len(problems) > 0 {
		return nil, problems
	}
	p := &program{definition: d, unit: u, readsNamespace: reach.readsNamespace}
	for _, name := range []string{"deny", "warn"} {
		if !slices.ContainsFunc(rules, func(r *ast.Rule) bool { return r.Head.Name.String() == name }) {
			continue
		}
		variable := ast.Var(d.id + "." + name)
		ref := d.modules[0].Package.Path.Append(ast.StringTerm(name))
		p.verdicts = append(p.verdicts, verdict{rule: name, ref: ref, variable: variable})
		p.body = append(p.body, ast.Equality.Expr(ast.VarTerm(string(variable)), ast.NewTerm(ref)))
	}
	return p, nil
}
