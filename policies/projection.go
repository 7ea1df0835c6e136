package policies

import (
	"slices"

	"github.com/open-policy-agent/opa/v1/ast"

	"github.com/gesso-dev/gesso/policies/value"
)

// shape is what is kept of a value: all of it, some fields of an object, or the same of each element of a list. Only what the fields of a
// declaration name is kept, because memory is what an inventory costs: ten thousand Pods are close to a gigabyte as Rego values, and a
// twentieth of that by their names and labels.
type shape struct {
	whole  bool
	fields []shapeField
	each   *shape
}

type shapeField struct {
	name string
	key  *ast.Term // the name again, shared by all objects
	*shape
}

func newShape(paths []fieldPath) *shape {
	root := &shape{}
	for _, path := range slices.Concat(paths, []fieldPath{{{name: "metadata"}, {name: "name"}}, {{name: "metadata"}, {name: "namespace"}}}) {
		s := root
		for _, step := range path {
			s = s.step(step)
		}
		s.whole = true
	}
	return root
}

func (s *shape) step(step pathStep) *shape {
	if step.each {
		if s.each == nil {
			s.each = &shape{}
		}
		return s.each
	}
	for _, f := range s.fields {
		if f.name == step.name {
			return f.shape
		}
	}
	f := shapeField{name: step.name, key: value.Text(step.name), shape: &shape{}}
	s.fields = append(s.fields, f)
	return f.shape
}

// project returns what the shape keeps of a decoded value, or nil where there is nothing of that shape. null counts as absent, as it
// does for the API server, but for elements of a list, whose positions stay.
func (s *shape) project(decoded any, shared *sharing) (*ast.Term, error) {
	if s.whole {
		if decoded == nil {
			return nil, nil
		}
		return shared.whole(decoded)
	}
	switch decoded := decoded.(type) {
	case map[string]any:
		if s.fields == nil {
			return nil, nil
		}
		return s.projectFields(decoded, shared)
	case []any:
		if s.each == nil {
			return nil, nil
		}
		return s.projectEach(decoded, shared)
	}
	return nil, nil
}

func (s *shape) projectFields(object map[string]any, shared *sharing) (*ast.Term, error) {
	items := make([][2]*ast.Term, 0, len(s.fields))
	for _, f := range s.fields {
		item, found := object[f.name]
		if !found {
			continue
		}
		kept, err := f.project(item, shared)
		if err != nil {
			return nil, err
		}
		if kept != nil {
			items = append(items, ast.Item(f.key, kept))
		}
	}
	return shared.term(ast.ObjectTerm(items...)), nil
}

func (s *shape) projectEach(list []any, shared *sharing) (*ast.Term, error) {
	items := make([]*ast.Term, 0, len(list))
	for _, item := range list {
		kept, err := s.each.project(item, shared)
		if err != nil {
			return nil, err
		}
		if kept == nil {
			kept = ast.InternedNullTerm
		}
		items = append(items, kept)
	}
	return shared.term(ast.ArrayTerm(items...)), nil
}
