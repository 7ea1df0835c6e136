package policies

import (
	"fmt"
	"slices"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
)

// scans finds where a policy goes through all objects of an inventory instead of looking some up by their key. That costs each review as
// much as there are objects, tens of milliseconds for ten thousand, and grows with the cluster; so who means it has to say so.
//
// It looks at compiled rules. There a body is in the order in which it is evaluated, and what is handed to a function or compared has a
// variable of its own. A variable that no earlier expression has bound, behind input.inventory.<name>, takes every key. The name stands
// for the inventory too where it is the value of a variable, of a rule or of an argument.
//
// It errs on the side of silence: it does not follow an inventory into a list or an object, nor out of a function.
func scans(id string, compiler *ast.Compiler, rules []*ast.Rule, inventory ast.Ref, declarations []declaration) []Problem {
	s := scanner{compiler: compiler, inventory: inventory, values: map[string]tables{}, arguments: map[string]map[int]tables{}}
	for _, d := range declarations {
		s.declared = append(s.declared, d.Name)
		if !d.Scan {
			s.indexed = append(s.indexed, d.Name)
		}
	}
	if len(s.indexed) == 0 {
		return nil
	}
	for s.again = true; s.again; {
		s.again, s.found = false, nil
		s.all(rules)
	}
	var problems []Problem
	for _, f := range s.found {
		problem := Problem{Policy: id, Reason: fmt.Sprintf("goes through all of input.inventory.%s; look up by key, or write scan: true at its entry in METADATA", f.table)}
		if f.at != nil {
			problem.File, problem.Line, problem.Column = f.at.File, f.at.Row, f.at.Col
		}
		if !slices.Contains(problems, problem) {
			problems = append(problems, problem)
		}
	}
	return problems
}

// inventoryRef is where the inventories of a policy lie.
func inventoryRef() ast.Ref { return ast.InputRootRef.Append(ast.StringTerm("inventory")) }

// tables are names of inventories that a value may be.
type tables []string

type scanner struct {
	compiler  *ast.Compiler
	inventory ast.Ref // input.inventory
	declared  []string
	indexed   []string // those that must not be gone through

	values    map[string]tables         // of rules, by path
	arguments map[string]map[int]tables // of functions, by path and position
	again     bool                      // one of them has grown
	found     []scan
}

type scan struct {
	table string
	at    *ast.Location
}

// all looks at the rules and at every rule that they refer to.
func (s *scanner) all(rules []*ast.Rule) {
	seen := map[*ast.Rule]bool{}
	for queue := slices.Clone(rules); len(queue) > 0; queue = queue[1:] {
		rule := queue[0]
		if seen[rule] {
			continue
		}
		seen[rule] = true
		s.rule(rule)
		ast.WalkRefs(rule, func(ref ast.Ref) bool {
			if ref.HasPrefix(ast.DefaultRootRef) {
				queue = append(queue, s.compiler.GetRules(ref.ConstantPrefix())...)
			}
			return false
		})
	}
}

func (s *scanner) rule(rule *ast.Rule) {
	path := rule.Ref().GroundPrefix().String()
	for one := rule; one != nil; one = one.Else {
		scope := scanScope{bound: ast.NewVarSet(), is: map[ast.Var]tables{}}
		for i, argument := range one.Head.Args {
			scope.bind(argument)
			if name, isVar := argument.Value.(ast.Var); isVar {
				scope.is[name] = s.arguments[path][i]
			}
		}
		s.body(one.Body, scope)
		if one.Head.Value != nil && len(one.Head.Args) == 0 {
			s.values[path] = s.grow(s.values[path], s.tablesOf(one.Head.Value, scope))
		}
	}
}

func (s *scanner) grow(known, more tables) tables {
	for _, name := range more {
		if !slices.Contains(known, name) {
			known, s.again = append(slices.Clip(known), name), true
		}
	}
	return known
}

// scanScope is what is known at one place of a body.
type scanScope struct {
	bound ast.VarSet
	is    map[ast.Var]tables
}

func (c *scanScope) bind(x any) {
	ast.WalkVars(x, func(name ast.Var) bool {
		c.bound.Add(name)
		return false
	})
}

func (s *scanner) body(body ast.Body, scope scanScope) {
	for _, expr := range body {
		s.expr(expr, scope)
		scope.bind(expr)
	}
}

func (s *scanner) expr(expr *ast.Expr, scope scanScope) {
	s.terms(expr, scope)
	switch terms := expr.Terms.(type) {
	case *ast.Every:
		s.note(s.tablesOf(terms.Domain, scope), expr.Location)
		inner := scope.inner()
		for _, variable := range []*ast.Term{terms.Key, terms.Value} {
			if variable != nil {
				inner.bind(variable)
			}
		}
		s.body(terms.Body, inner)
	case []*ast.Term:
		s.call(expr, terms[0], terms[1:], scope)
	}
}

func (c *scanScope) inner() scanScope { return scanScope{bound: c.bound.Copy(), is: c.is} }

// terms looks at the references in an expression, and into its comprehensions.
func (s *scanner) terms(expr *ast.Expr, scope scanScope) {
	ast.NewGenericVisitor(func(x any) bool {
		switch x := x.(type) {
		case *ast.Every:
			return true
		case *ast.ArrayComprehension:
			s.body(x.Body, scope.inner())
			return true
		case *ast.SetComprehension:
			s.body(x.Body, scope.inner())
			return true
		case *ast.ObjectComprehension:
			s.body(x.Body, scope.inner())
			return true
		case ast.Ref:
			if found, rest := s.reference(x, scope); len(rest) > 0 && !scope.knows(rest[0]) {
				s.note(found, expr.Location)
			}
		}
		return false
	}).Walk(expr)
}

// knows reports whether all variables of a term have a value already.
func (c *scanScope) knows(term *ast.Term) bool {
	known := true
	ast.WalkVars(term, func(name ast.Var) bool {
		known = known && (c.bound.Contains(name) || ast.RootDocumentNames.Contains(ast.NewTerm(name)))
		return false
	})
	return known
}

// reference returns the inventories that a reference begins with, and what follows.
func (s *scanner) reference(ref ast.Ref, scope scanScope) (found tables, rest ast.Ref) {
	n := len(s.inventory)
	if ref.HasPrefix(s.inventory) && len(ref) > n {
		if name, constant := ref[n].Value.(ast.String); constant && slices.Contains(s.declared, string(name)) {
			return tables{string(name)}, ref[n+1:]
		}
		return nil, nil
	}
	if name, isVar := ref[0].Value.(ast.Var); isVar && len(scope.is[name]) > 0 {
		return scope.is[name], ref[1:]
	}
	if !ref.HasPrefix(ast.DefaultRootRef) {
		return nil, nil
	}
	for end := len(ref); end > 1; end-- {
		if found := s.values[ref[:end].String()]; len(found) > 0 {
			return found, ref[end:]
		}
	}
	return nil, nil
}

// tablesOf returns the inventories that a term is, as a whole.
func (s *scanner) tablesOf(term *ast.Term, scope scanScope) tables {
	switch value := term.Value.(type) {
	case ast.Var:
		return scope.is[value]
	case ast.Ref:
		if found, rest := s.reference(value, scope); len(rest) == 0 {
			return found
		}
	}
	return nil
}

// call follows inventories into variables and functions.
func (s *scanner) call(expr *ast.Expr, operator *ast.Term, operands []*ast.Term, scope scanScope) {
	name := operator.String()
	if (name == ast.Equality.Name || name == ast.Assign.Name) && len(operands) == 2 {
		for i, operand := range operands {
			if variable, isVar := operand.Value.(ast.Var); isVar {
				if found := s.tablesOf(operands[1-i], scope); len(found) > 0 {
					scope.is[variable] = found
				}
			}
		}
		return
	}
	ref, isRef := operator.Value.(ast.Ref)
	function := isRef && ref.HasPrefix(ast.DefaultRootRef)
	for i, operand := range operands {
		found := s.tablesOf(operand, scope)
		switch {
		case len(found) == 0:
		case function:
			if s.arguments[name] == nil {
				s.arguments[name] = map[int]tables{}
			}
			s.arguments[name][i] = s.grow(s.arguments[name][i], found)
		case !looksUp(name):
			s.note(found, expr.Location)
		}
	}
}

// looksUp reports whether a built-in function takes no longer the more there is in its argument.
func looksUp(name string) bool {
	return strings.HasPrefix(name, "is_") || slices.Contains([]string{ast.Count.Name, ast.ObjectGet.Name, ast.TypeNameBuiltin.Name, ast.NotEqual.Name, ast.Equal.Name}, name)
}

func (s *scanner) note(found tables, at *ast.Location) {
	for _, name := range found {
		if slices.Contains(s.indexed, name) {
			s.found = append(s.found, scan{name, at})
		}
	}
}
