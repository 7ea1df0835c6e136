package object

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
)

// Operation is one operation of a JSON patch (RFC 6902).
type Operation struct {
	Op    string          `json:"op"`
	Path  string          `json:"path"`
	Value json.RawMessage `json:"value,omitempty"`
}

// Editor fills what is absent in a document and keeps the patch that does the same to the original. It can only add:
// what is there stays as it is.
type Editor struct {
	root  *Node
	ops   []Operation
	nulls [][]string // paths where an explicit null was filled, or a list or object that was empty
}

// Edit returns an editor on root, which it changes in place.
func Edit(root *Node) *Editor { return &Editor{root: root} }

// Root returns the document as it stands.
func (e *Editor) Root() *Node { return e.root }

// Patch returns the operations so far, nil when nothing was added.
func (e *Editor) Patch() []Operation { return e.ops }

// ExplicitNulls returns the paths at which the author had written null, an empty list, or an empty object that the API server drops, and
// something was filled.
func (e *Editor) ExplicitNulls() [][]string { return e.nulls }

// Fork returns an editor on a copy of the document as it stands, with an empty patch.
func (e *Editor) Fork() *Editor { return Edit(e.root.Clone()) }

// CanSet reports whether [Editor.Set] would add a value at path: nothing is there yet, and everything above is an object, a
// position in a list, or missing itself.
func (e *Editor) CanSet(path []string) bool {
	n := e.root
	for i, token := range path {
		switch n.Type() {
		case Map:
			n = n.member(token)
		case Array:
			// "add" at a position would insert an element.
			if n = n.Get(token); n.Type() == Absent || n.Type() == Null || i == len(path)-1 {
				return false
			}
		default:
			return false
		}
		if n.Type() == Absent || n.Type() == Null {
			return plainNames(path[i+1:])
		}
	}
	return n.Missing()
}

// plainNames reports whether all tokens can only be member names: a position in a list that does not exist must not
// become a member called "0".
func plainNames(tokens []string) bool {
	return !slices.ContainsFunc(tokens, func(t string) bool { _, err := strconv.Atoi(t); return err == nil })
}

// Set adds value, which must be JSON, at path, where [Editor.CanSet] must hold; otherwise it does nothing and returns
// false. Parents that are missing come with it in one operation.
func (e *Editor) Set(path []string, value []byte) bool {
	if len(path) == 0 || !e.CanSet(path) {
		return false
	}
	depth := 0 // path[:depth] exists and is an object
	n := e.root
	for depth < len(path)-1 {
		next := n.Get(path[depth])
		if next.Type() == Absent || next.Type() == Null {
			break
		}
		n = next
		depth++
	}
	for i := len(path) - 1; i > depth; i-- {
		value = slices.Concat([]byte("{"), Quote(path[i]), []byte(":"), value, []byte("}"))
	}
	e.add(path[:depth+1], value)
	return true
}

// Append adds value, which must be JSON, at the end of the list at path, which is made where it is missing. It returns
// the position of the new element, or -1 when something that is no list stands there.
func (e *Editor) Append(path []string, value []byte) int {
	list := e.root.Get(path...)
	if list.Missing() && e.Set(path, slices.Concat([]byte("["), value, []byte("]"))) {
		return 0
	}
	if list.Type() != Array {
		return -1
	}
	l, kid := list.expand(), MustParse(value)
	l.kids = append(l.kids, kid)
	e.root.touch(path)
	e.ops = append(e.ops, Operation{Op: "add", Path: Pointer(path...) + "/-", Value: value})
	return len(l.kids) - 1
}

// add puts value at path, whose parent exists.
func (e *Editor) add(path []string, value []byte) {
	parent, name := e.root.Get(path[:len(path)-1]...).expand(), path[len(path)-1]
	kid := MustParse(value)
	if at := parent.find(name); at >= 0 {
		e.nulls = append(e.nulls, slices.Clone(path))
		parent.kids[at] = kid
	} else {
		if above := path[:len(path)-1]; len(above) > 0 && len(parent.keys) == 0 && droppedEmpty(above[len(above)-1]) {
			e.nulls = append(e.nulls, slices.Clone(above))
		}
		parent.add(name, kid)
	}
	e.root.touch(path[:len(path)-1])
	e.ops = append(e.ops, Operation{Op: "add", Path: Pointer(path...), Value: value})
}

// droppedEmpty reports whether the API server drops a member of this name that is an empty object. Others, a securityContext: {}, stay.
func droppedEmpty(name string) bool {
	return slices.Contains([]string{"annotations", "labels", "requests", "limits"}, name)
}

// MustParse reads JSON that this program made itself.
func MustParse(value []byte) *Node {
	n, err := Parse(value)
	if err != nil {
		panic(fmt.Sprintf("parse own value %q: %v", bytes.TrimSpace(value), err))
	}
	return n
}

// With returns the bytes of an object with the value of the member name replaced by value, which must be JSON; a member
// that is not there is added. n itself stays as it is.
func (n *Node) With(name string, value []byte) []byte {
	was := n.expand()
	c := Node{typ: Map, stale: true, level: &level{keys: slices.Clone(was.keys), kids: slices.Clone(was.kids)}}
	kid := &Node{raw: value}
	if at := c.level.find(name); at >= 0 {
		c.level.kids[at] = kid
	} else {
		c.level.add(name, kid)
	}
	return c.Bytes()
}

// SetNamespace writes the namespace that an object without one would be applied to, as kubectl does before it sends it. It is no
// part of a patch.
func (o *Object) SetNamespace(namespace string) {
	if namespace == "" || o.Namespace != "" {
		return
	}
	Edit(o.Root).Set([]string{"metadata", "namespace"}, Quote(namespace))
	o.Namespace = namespace
}
