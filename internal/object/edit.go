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
	mem   arena
}

// Edit returns an editor on root, which it changes in place. Nodes below it are copied before they are changed.
func Edit(root *Node) *Editor { return &Editor{root: root} }

// Root returns the document as it stands.
func (e *Editor) Root() *Node { return e.root }

// Patch returns the operations so far, nil when nothing was added.
func (e *Editor) Patch() []Operation { return e.ops }

// ExplicitNulls returns the paths at which the author had written null, an empty list, or an empty object that the API server drops, and
// something was filled.
func (e *Editor) ExplicitNulls() [][]string { return e.nulls }

// Fork returns an editor on a copy of the document as it stands, with an empty patch.
func (e *Editor) Fork() *Editor { return Edit(e.root.Copy()) }

// Open returns the node at path, nil where there is none. It stays in its place however much is filled into it, or beside it.
func (e *Editor) Open(path []string, more ...string) *Node {
	if e.root.follow(path).follow(more) == nil {
		return nil
	}
	return e.root.open(&e.mem).openTo(&e.mem, path).openTo(&e.mem, more)
}

// follow is Get.
func (n *Node) follow(path []string) *Node {
	for _, token := range path {
		if n = n.Step(token); n == nil {
			return nil
		}
	}
	return n
}

// CanSet reports whether [Editor.Set] would add a value at path, continued by more: nothing is there yet, and everything above is an
// object, a position in a list, or missing itself.
func (e *Editor) CanSet(path []string, more ...string) bool {
	n, missing := e.root, false
	last := len(path) + len(more) - 1
	for i := range last + 1 {
		token := tokenAt(path, more, i)
		if missing {
			if isNumber(token) { // a position in a list that does not exist must not become a member called "0"
				return false
			}
			continue
		}
		switch n.Type() {
		case Map:
			n = n.member(token)
		case Array:
			// "add" at a position would insert an element.
			if n = n.Step(token); n.Type() == Absent || n.Type() == Null || i == last {
				return false
			}
		default:
			return false
		}
		missing = n.Type() == Absent || n.Type() == Null
	}
	return missing || n.Missing()
}

func tokenAt(path, more []string, i int) string {
	if i < len(path) {
		return path[i]
	}
	return more[i-len(path)]
}

// isNumber reports whether token may be a position in a list.
func isNumber(token string) bool {
	if token == "" || token[0] > '9' { // most of them: Atoi makes an error of each
		return false
	}
	_, err := strconv.Atoi(token)
	return err == nil
}

// Set adds value, which must be JSON, at path, where [Editor.CanSet] must hold; otherwise it does nothing and returns
// false. Parents that are missing come with it in one operation.
func (e *Editor) Set(path []string, value []byte) bool {
	return len(path) > 0 && e.CanSet(path) && e.SetNode(MustParse(value), path)
}

// SetNode is [Editor.Set] of a node at path, continued by more. The node may stand elsewhere too.
func (e *Editor) SetNode(value *Node, path []string, more ...string) bool {
	if len(path)+len(more) == 0 || !e.CanSet(path, more...) {
		return false
	}
	var buf [16]string
	e.place(append(append(buf[:0], path...), more...), value)
	return true
}

// Append adds value, which must be JSON, at the end of the list at path, which is made where it is missing. It returns
// the position of the new element, or -1 when something that is no list stands there.
func (e *Editor) Append(path []string, value []byte) int { return e.AppendNode(MustParse(value), path) }

// AppendNode is [Editor.Append] of a node to the list at path, continued by more. The node may stand elsewhere too.
func (e *Editor) AppendNode(value *Node, path []string, more ...string) int {
	var buf [16]string
	full := append(append(buf[:0], path...), more...)
	list := e.root.follow(full)
	if list.Missing() && len(full) > 0 && e.CanSet(full) {
		made := e.mem.made(Array)
		made.level.kids = append(made.level.kids, value)
		e.place(full, made)
		return 0
	}
	if list.Type() != Array {
		return -1
	}
	l := e.root.open(&e.mem).openTo(&e.mem, full).expand()
	l.kids = append(l.kids, value)
	e.ops = append(e.ops, Operation{Op: "add", Path: e.mem.pointer(full, "-"), Value: e.written(value)})
	return len(l.kids) - 1
}

// written returns value as JSON.
func (e *Editor) written(value *Node) []byte {
	if !value.stale {
		return value.raw
	}
	at := e.mem.start()
	e.mem.bytes = value.appendTo(e.mem.bytes)
	return e.mem.from(at)
}

// place puts value at path, where it can be, together with the parents that are missing.
func (e *Editor) place(path []string, value *Node) {
	parent, depth := e.root.open(&e.mem), 0
	for depth < len(path)-1 {
		i := parent.position(path[depth])
		if i < 0 || parent.At(i).Type() == Null {
			break
		}
		parent = parent.openAt(&e.mem, i)
		depth++
	}
	// The parents that are missing are written around the value: {"a":{"b":value}}.
	kid := value
	if depth < len(path)-1 {
		kid = e.wrap(path[depth+1:], value)
	}
	name, l := path[depth], parent.expand()
	if i := l.find(name); i >= 0 {
		e.nulls = append(e.nulls, slices.Clone(path[:depth+1]))
		l.kids[i] = kid
	} else {
		if depth > 0 && len(l.keys) == 0 && droppedEmpty(path[depth-1]) {
			e.nulls = append(e.nulls, slices.Clone(path[:depth]))
		}
		l.add(name, kid)
	}
	if e.ops == nil {
		e.ops = make([]Operation, 0, 16)
	}
	e.ops = append(e.ops, Operation{Op: "add", Path: e.mem.pointer(path[:depth+1]), Value: e.written(kid)})
}

// wrap returns objects one in the other, with value in the innermost under the last of names.
func (e *Editor) wrap(names []string, value *Node) *Node {
	for _, name := range slices.Backward(names) {
		n := e.mem.made(Map)
		n.level.add(name, value)
		value = n
	}
	return value
}

// Text returns the node of a string.
func (e *Editor) Text(s string) *Node {
	n := e.mem.node()
	n.typ, n.raw = String, e.mem.quote(s)
	return n
}

// Member is a member of an object to be made.
type Member struct {
	Name  string
	Value *Node
}

// Object returns the node of an object with members, in this order.
func (e *Editor) Object(members ...Member) *Node {
	n := e.mem.made(Map)
	for _, m := range members {
		n.level.add(m.Name, m.Value)
	}
	return n
}

// Pointer returns a path as a JSON pointer, see [Pointer].
func (e *Editor) Pointer(path []string, more ...string) string { return e.mem.pointer(path, more...) }

// FieldPath returns a path as Kubernetes names fields, see [FieldPath].
func (e *Editor) FieldPath(path []string, more ...string) string { return e.mem.fieldPath(path, more) }

// droppedEmpty reports whether the API server drops a member of this name that is an empty object. Others, a securityContext: {}, stay.
func droppedEmpty(name string) bool {
	switch name {
	case "annotations", "labels", "requests", "limits":
		return true
	}
	return false
}

// MustParse reads JSON that this program made itself.
func MustParse(value []byte) *Node {
	n, err := Parse(value)
	if err != nil {
		panic(fmt.Sprintf("parse own value %q: %v", bytes.TrimSpace(value), err))
	}
	return n
}

// Constant reads JSON that this program made itself and that many documents will hold at the same time.
func Constant(value []byte) *Node { return MustParse(value).Expanded() }

// Expanded returns n when all of it was read, so that nothing in it changes any more.
func (n *Node) Expanded() *Node {
	for _, kid := range n.Members() {
		kid.Expanded()
	}
	for _, kid := range n.Elements() {
		kid.Expanded()
	}
	return n
}

// With returns the bytes of an object with the value of the member name replaced by value, which must be JSON; a member
// that is not there is added. n itself stays as it is.
func (n *Node) With(name string, value []byte) []byte {
	c := n.Copy()
	c.put(nil, name, &Node{raw: value})
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
