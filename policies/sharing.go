package policies

import (
	"sync"

	"github.com/open-policy-agent/opa/v1/ast"

	"github.com/gesso-dev/gesso/policies/value"
)

// sharing lets the objects of an inventory share what is the same in many of them: namespaces, labels, the path that nearly every
// Ingress has. It remembers the last term for each of a fixed number of places, chosen by hash; what falls out of it stays with
// those that have it. Terms are immutable.
type sharing struct {
	mu    sync.Mutex
	terms [4096]*ast.Term
}

// term returns an equal term that exists already, or the one that is given.
func (s *sharing) term(term *ast.Term) *ast.Term {
	s.mu.Lock()
	defer s.mu.Unlock()
	place := &s.terms[uint(term.Hash())%uint(len(s.terms))]
	if known := *place; known != nil && identical(known, term) {
		return known
	}
	*place = term
	return term
}

// identical is equality to the letter: numbers are compared by their text. What two terms share already costs nothing.
func identical(a, b *ast.Term) bool {
	if a == b {
		return true
	}
	switch x := a.Value.(type) {
	case ast.Number:
		y, isNumber := b.Value.(ast.Number)
		return isNumber && string(x) == string(y)
	case *ast.Array:
		y, isArray := b.Value.(*ast.Array)
		if !isArray || x.Len() != y.Len() {
			return false
		}
		for i := range x.Len() {
			if !identical(x.Elem(i), y.Elem(i)) {
				return false
			}
		}
		return true
	case ast.Object:
		y, isObject := b.Value.(ast.Object)
		return isObject && x.Len() == y.Len() && !x.Until(func(key, content *ast.Term) bool {
			other := y.Get(key)
			return other == nil || !identical(content, other)
		})
	}
	return a.Equal(b)
}

// text is term for a text, which costs nothing where it exists already.
func (s *sharing) text(content string) *ast.Term {
	s.mu.Lock()
	defer s.mu.Unlock()
	place := &s.terms[uint(ast.String(content).Hash())%uint(len(s.terms))]
	if known, isText := text(*place); !isText || known != content {
		*place = value.Text(content)
	}
	return *place
}

// whole returns a decoded JSON value as a term. Numbers keep their text.
func (s *sharing) whole(decoded any) (*ast.Term, error) {
	switch decoded := decoded.(type) {
	case string:
		return s.text(decoded), nil
	case map[string]any:
		items := make([][2]*ast.Term, 0, len(decoded))
		for name, content := range decoded { // the order does not matter: an object has none
			kept, err := s.whole(content)
			if err != nil {
				return nil, err
			}
			items = append(items, ast.Item(s.text(name), kept))
		}
		return s.term(ast.ObjectTerm(items...)), nil
	case []any:
		items := make([]*ast.Term, 0, len(decoded))
		for _, content := range decoded {
			kept, err := s.whole(content)
			if err != nil {
				return nil, err
			}
			items = append(items, kept)
		}
		return s.term(ast.ArrayTerm(items...)), nil
	}
	kept, err := ast.InterfaceToValue(decoded)
	if err != nil {
		return nil, err
	}
	return s.term(ast.NewTerm(kept)), nil
}
