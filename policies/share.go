package policies

import (
	"slices"

	"github.com/open-policy-agent/opa/v1/ast"
)

// Policies that are compiled together share one input. What differs from one to the other, input.parameters and input.inventory, lies
// there by policy id, and every reference to it is rewritten before the modules are compiled: input.parameters.x of the policy image-tag
// becomes input.parameters["image-tag"].x. A policy that might see the difference, because it reads input as a whole or by a key that is
// known at run time only, is compiled and asked alone. So is one that refers to data of which it can only see its own alone.

// perPolicy are the fields of input that differ from policy to policy.
func perPolicy(key *ast.Term) bool {
	name, _ := key.Value.(ast.String)
	return name == "parameters" || name == "inventory"
}

// shared returns the modules of a policy as they may be compiled with those of others, or nil where they must be compiled alone. The
// modules themselves stay as they are.
func shared(id string, modules []*ast.Module) []*ast.Module {
	s := sharer{id: ast.StringTerm(id), own: modules[0].Package.Path, exempt: !renamesObject(modules)}
	rewritten := make([]*ast.Module, 0, len(modules))
	for _, module := range modules {
		before := s.found
		s.check(module)
		if s.differs {
			return nil
		}
		if s.found == before {
			rewritten = append(rewritten, module)
			continue
		}
		module = module.Copy()
		if !s.rewrite(module, s.found-before) {
			return nil
		}
		rewritten = append(rewritten, module)
	}
	return rewritten
}

// sharer looks at the modules of one policy.
type sharer struct {
	id  *ast.Term
	own ast.Ref
	// exempt is true where object.get is the function of OPA for sure: with a key that is written down it reads one field.
	exempt bool
	// differs is true as soon as something stands there that would not be the same among others.
	differs bool
	// found counts the references to what differs from policy to policy.
	found int
}

// renamesObject reports whether object.get might be something else than the function of OPA.
func renamesObject(modules []*ast.Module) bool {
	const object = "object"
	found := false
	for _, module := range modules {
		for _, imported := range module.Imports {
			found = found || imported.Name() == object
		}
		for _, rule := range module.Rules {
			found = found || len(rule.Head.Ref()) > 0 && ast.VarTerm(object).Equal(rule.Head.Ref()[0])
			ast.WalkWiths(rule, func(with *ast.With) bool { // functions may be replaced, those of OPA too
				target, isRef := with.Target.Value.(ast.Ref)
				found = found || !isRef || !target.HasPrefix(ast.InputRootRef) && !target.HasPrefix(ast.DefaultRootRef)
				return false
			})
		}
	}
	return found
}

// check notes all that differs in a module that has not been compiled.
func (s *sharer) check(module *ast.Module) {
	for _, imported := range module.Imports {
		path, isRef := imported.Path.Value.(ast.Ref)
		if !isRef || len(path) < 2 || path.HasPrefix(ast.InputRootRef) && perPolicy(path[1]) || !s.visible(path) {
			s.differs = true
		}
	}
	for _, rule := range module.Rules {
		s.walk(rule)
	}
}

func (s *sharer) walk(x any) {
	ast.NewGenericVisitor(func(x any) bool {
		switch x := x.(type) {
		case *ast.Head:
			s.walkAll(x.Reference) // which the visitor leaves out
		case *ast.Expr:
			if terms, isCall := x.Terms.([]*ast.Term); isCall && s.readsField(terms) {
				s.walkAll(terms[2:])
				for _, with := range x.With {
					s.walk(with)
				}
				return true
			}
		case ast.Call:
			if s.readsField(x) {
				s.walkAll(x[2:])
				return true
			}
		case ast.Ref:
			s.ref(x)
			s.walkAll(x[1:])
			if _, named := x[0].Value.(ast.Var); !named { // a call, or a value that is looked into
				s.walk(x[0])
			}
			return true
		case ast.Var:
			s.differs = s.differs || x.Equal(ast.InputRootDocument.Value) || x.Equal(ast.DefaultRootDocument.Value)
		}
		return false
	}).Walk(x)
}

func (s *sharer) walkAll(terms []*ast.Term) {
	for _, term := range terms {
		s.walk(term)
	}
}

func (s *sharer) ref(ref ast.Ref) {
	switch {
	case ref.HasPrefix(ast.InputRootRef):
		switch {
		case len(ref) == 1:
			s.differs = true
		case perPolicy(ref[1]):
			s.found++
		default:
			_, constant := ref[1].Value.(ast.String)
			s.differs = s.differs || !constant
		}
	case !s.visible(ref):
		s.differs = true
	}
}

// visible reports whether a reference, where it is one to data, is to the policy's own or to the shared helpers.
func (s *sharer) visible(ref ast.Ref) bool {
	return !ref.HasPrefix(ast.DefaultRootRef) || ref.HasPrefix(s.own) || ref.HasPrefix(libRef())
}

func libRef() ast.Ref {
	return ast.Ref{ast.DefaultRootDocument, ast.StringTerm("gesso"), ast.StringTerm("lib")}
}

// readsField reports whether a call is object.get(input, key, …) with a key that is written down and the same for all policies.
func (s *sharer) readsField(call []*ast.Term) bool {
	if !s.exempt || len(call) < 3 {
		return false
	}
	function, isFunction := call[0].Value.(ast.Ref)
	input, isRef := call[1].Value.(ast.Ref)
	if !isFunction || function.String() != ast.ObjectGet.Name || !isRef || len(input) != 1 || !input.HasPrefix(ast.InputRootRef) {
		return false
	}
	key := call[2]
	if path, isPath := key.Value.(*ast.Array); isPath {
		if path.Len() == 0 {
			return false
		}
		key = path.Elem(0)
	}
	_, constant := key.Value.(ast.String)
	return constant && !perPolicy(key)
}

// rewrite puts the id of the policy into the references of a module, which belongs to the caller, and reports whether they are as many
// as were found.
func (s *sharer) rewrite(module *ast.Module, want int) bool {
	done := 0
	var transformer *ast.GenericTransformer
	transformer = ast.NewGenericTransformer(func(x any) (any, error) {
		switch x := x.(type) {
		case *ast.SomeDecl: // which the transformer does not look into
			for i, symbol := range x.Symbols {
				value, err := ast.Transform(transformer, symbol)
				if err != nil {
					return nil, err
				}
				changed := *symbol
				changed.Value, _ = value.(ast.Value)
				x.Symbols[i] = &changed
			}
		case ast.Ref:
			if len(x) > 1 && x.HasPrefix(ast.InputRootRef) && perPolicy(x[1]) {
				done++
				id := *s.id
				id.Location = x[1].Location
				return slices.Insert(slices.Clone(x), 2, &id), nil
			}
		}
		return x, nil
	})
	for i, rule := range module.Rules {
		changed, err := ast.Transform(transformer, rule)
		if err != nil {
			return false
		}
		module.Rules[i], _ = changed.(*ast.Rule)
	}
	again := sharer{id: s.id, own: s.own, exempt: s.exempt}
	again.check(module)
	return done == want && again.found == want && !again.differs && s.complete(module)
}

// complete reports whether each reference to what differs has the id of the policy.
func (s *sharer) complete(module *ast.Module) bool {
	all := true
	see := func(ref ast.Ref) bool {
		if len(ref) > 1 && ref.HasPrefix(ast.InputRootRef) && perPolicy(ref[1]) {
			all = all && len(ref) > 2 && ref[2].Equal(s.id)
		}
		return false
	}
	for _, rule := range module.Rules {
		ast.WalkRefs(rule, see)
		ast.WalkRefs(rule.Head.Reference, see)
	}
	return all
}
