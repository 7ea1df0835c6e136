package object

import (
	"bytes"
	"slices"
	"strconv"
	"strings"
)

// What an [Editor] never does: take away and put back. These work on copies ([Node.Clone]) that nobody else holds.

// Remove takes away the member or element at path and reports whether it was there.
func (n *Node) Remove(path ...string) bool {
	if len(path) == 0 || n.Get(path...) == nil {
		return false
	}
	parent, last := n.Get(path[:len(path)-1]...), path[len(path)-1]
	l := parent.expand()
	at := l.find(last)
	if parent.Type() == Map {
		l.keys = slices.Delete(slices.Clone(l.keys), at, at+1)
	} else {
		at, _ = strconv.Atoi(last) // Get found it
	}
	l.kids = slices.Delete(slices.Clone(l.kids), at, at+1)
	n.touch(path[:len(path)-1])
	return true
}

// Put makes kid the member or element at path, in the place of what is there. A member that is not there is added, an element is
// not; parents that are missing are made as objects. It reports whether it could.
func (n *Node) Put(kid *Node, path ...string) bool {
	if len(path) == 0 {
		return false
	}
	parent := n
	for _, token := range path[:len(path)-1] {
		next := parent.Get(token)
		if next.Type() == Absent || next.Type() == Null {
			next = &Node{typ: Map, stale: true}
			if !parent.put(token, next) {
				return false
			}
		}
		parent = next
	}
	if !parent.put(path[len(path)-1], kid) {
		return false
	}
	n.touch(path[:len(path)-1])
	return true
}

func (n *Node) put(token string, kid *Node) bool {
	switch n.Type() {
	case Map:
		l := n.expand()
		if at := l.find(token); at >= 0 {
			l.kids[at] = kid
		} else {
			l.add(token, kid)
		}
		return true
	case Array:
		if n.Get(token) == nil {
			return false
		}
		at, _ := strconv.Atoi(token) // Get found it
		n.level.kids[at] = kid
		return true
	default:
		return false
	}
}

// SetElements makes kids the elements of n, a list.
func (n *Node) SetElements(kids []*Node) { n.level, n.stale = &level{kids: kids}, true }

// List returns a list of elements.
func List(elements []*Node) *Node {
	return &Node{typ: Array, level: &level{kids: elements}, stale: true}
}

// Value returns the node of a string.
func Value(s string) *Node { return &Node{typ: String, raw: Quote(s)} }

// touch marks everything from n down to path as edited.
func (n *Node) touch(path []string) {
	n.stale = true
	for _, token := range path {
		n = n.Get(token)
		n.stale = true
	}
}

// Canonical returns n as JSON of which there is one only: names sorted, no space, strings escaped in one way, members that are null
// left out, as the API server leaves them out. Numbers keep their digits.
func (n *Node) Canonical() []byte {
	var b bytes.Buffer
	n.canonical(&b)
	return b.Bytes()
}

func (n *Node) canonical(b *bytes.Buffer) {
	switch n.Type() {
	case Absent:
		b.WriteString("null")
	case String:
		if plain(n.raw[1 : len(n.raw)-1]) {
			b.Write(n.raw)
			return
		}
		b.Write(Quote(unquote(n.raw)))
	case Array:
		b.WriteByte('[')
		for i, kid := range n.expand().kids {
			if i > 0 {
				b.WriteByte(',')
			}
			kid.canonical(b)
		}
		b.WriteByte(']')
	case Map:
		l := n.expand()
		order := make([]int, 0, len(l.keys))
		for i, kid := range l.kids {
			if kid.Type() != Null {
				order = append(order, i)
			}
		}
		slices.SortFunc(order, func(i, j int) int { return strings.Compare(l.keys[i].name, l.keys[j].name) })
		b.WriteByte('{')
		for i, at := range order {
			if i > 0 {
				b.WriteByte(',')
			}
			b.Write(Quote(l.keys[at].name))
			b.WriteByte(':')
			l.kids[at].canonical(b)
		}
		b.WriteByte('}')
	default:
		b.Write(n.raw)
	}
}

// Equal reports whether two nodes say the same: order and escapes of members do not count, nor does null against nothing.
func (n *Node) Equal(other *Node) bool {
	if n == other || n.Type() == other.Type() && bytes.Equal(n.Bytes(), other.Bytes()) {
		return true
	}
	if n.Type() != other.Type() {
		return false
	}
	return bytes.Equal(n.Canonical(), other.Canonical())
}
