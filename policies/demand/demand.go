// Package demand says which parts of a JSON document are read, and finds out what a Rego rule reads of its input.
package demand

import (
	"iter"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// Node is what is read of one JSON value. That a node exists means that the shape of its value may be read: whether it is there, its type,
// and its value where that is a scalar. Of an object only the members in Kids are there to be read, of a list nothing but that it is one,
// unless Elem or All say more. A nil Node reads nothing.
//
// What is built from a document by a Node keeps, wherever the Node asks: types, scalars, the number and the positions of the elements of a
// list where Elem is set, and all the keys of an object where Elem is set.
type Node struct {
	// All: the whole value, whatever Kids and Elem say.
	All bool
	// Kids are the members that are read by name.
	Kids map[string]*Node
	// Elem is what is read of every element of a list and every member of an object. It counts for the members in Kids too.
	Elem *Node
	// Plain: a scalar is expected here, and Elem counts only where something else stands. Paths leaves it out.
	Plain bool
	// Why says which places in the source ask for All, "file:line: what", sorted.
	Why []string
}

// Whole is a new demand for a whole value. why may be empty.
func Whole(why ...string) *Node {
	return &Node{All: true, Why: slices.Compact(slices.Sorted(slices.Values(why)))}
}

// Kid returns the node at a path of member names below n, and makes it where there is none.
func (n *Node) Kid(path ...string) *Node {
	for _, token := range path {
		kid := n.Kids[token]
		if kid == nil {
			if n.Kids == nil {
				n.Kids = map[string]*Node{}
			}
			kid = &Node{}
			n.Kids[token] = kid
		}
		n = kid
	}
	return n
}

// Each returns the node for every element and member, and makes it where there is none.
func (n *Node) Each() *Node {
	if n.Elem == nil {
		n.Elem = &Node{}
	}
	return n.Elem
}

// Add makes n ask for all that other asks for too. other stays as it is, and shares nothing with n afterwards.
func (n *Node) Add(other *Node) {
	if other == nil {
		return
	}
	n.All = n.All || other.All
	n.Plain = other.Plain && (n.Elem == nil || n.Plain) || n.Plain && other.Elem == nil
	if len(other.Why) > 0 {
		n.Why = slices.Compact(slices.Sorted(slices.Values(slices.Concat(n.Why, other.Why))))
	}
	for name, kid := range other.Kids {
		n.Kid(name).Add(kid)
	}
	if other.Elem != nil {
		n.Each().Add(other.Elem)
	}
}

// Fold returns a copy in which every member in Kids asks for what Elem asks for too, and nothing stands below All. It is what a parser wants:
// one look at Kids, then at Elem.
func (n *Node) Fold() *Node {
	if n == nil {
		return nil
	}
	if n.All {
		return &Node{All: true, Why: n.Why}
	}
	folded := &Node{Elem: n.Elem.Fold(), Plain: n.Plain}
	for name, kid := range n.Kids {
		both := &Node{}
		both.Add(kid)
		both.Add(n.Elem)
		if folded.Kids == nil {
			folded.Kids = make(map[string]*Node, len(n.Kids))
		}
		folded.Kids[name] = both.Fold()
	}
	return folded
}

// Paths yields the paths that are read and end there, sorted, such as "request.object.spec.containers.*.image"; a whole value ends in
// ".**". A name with a dot, a blank or a star in it is quoted.
func (n *Node) Paths() iter.Seq2[string, *Node] {
	return func(yield func(string, *Node) bool) { n.paths(nil, yield) }
}

func (n *Node) paths(above []string, yield func(string, *Node) bool) bool {
	switch {
	case n == nil:
		return true
	case n.All:
		return yield(strings.Join(append(above, "**"), "."), n)
	case len(n.Kids) == 0 && (n.Elem == nil || n.Plain):
		return yield(strings.Join(above, "."), n)
	}
	for _, name := range slices.Sorted(maps.Keys(n.Kids)) {
		if !n.Kids[name].paths(append(slices.Clip(above), shown(name)), yield) {
			return false
		}
	}
	if n.Plain {
		return true
	}
	return n.Elem.paths(append(slices.Clip(above), "*"), yield)
}

func shown(name string) string {
	if name == "" || strings.ContainsAny(name, ". *[]\"") {
		return "[" + strconv.Quote(name) + "]"
	}
	return name
}
